// SPDX-License-Identifier: MIT
#include "writer/marcxml.hpp"

#include "utf8.hpp"
#include "writer/batch_text.hpp"
#include "writer/escape.hpp"
#include "writer/walk.hpp"

#include <algorithm>
#include <array>

namespace marc {
namespace {

bool is_control_character(std::uint8_t byte) { return byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r'; }

// `kAscii`: decimal references for all that is above ASCII; otherwise UTF-8. `kPymarc`: as pymarc has it, the attributes of a
// data field in the order ind1, ind2, tag, and a CR as it is, which a reader takes for a line end.
template <bool kAscii, bool kPymarc> class Xml {
public:
  explicit Xml(Output &out) : out_(&out) {}

  void begin(const LeaderBytes &leader, bool namespaces) {
    const auto text = leader_text(leader);
    make_room(2 * leader.size(), 0);
    to_ = put(to_, "<record");
    if (namespaces)
      to_ = put(to_, " xmlns=\"http://www.loc.gov/MARC21/slim\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
                     " xsi:schemaLocation=\"http://www.loc.gov/MARC21/slim"
                     " http://www.loc.gov/standards/marcxml/schema/MARC21slim.xsd\"");
    to_ = put(to_, "><leader>");
    to_ = copy_escaped(*this, to_, text.part());
    to_ = put(to_, "</leader>");
    close_out();
  }

  std::uint64_t end() {
    make_room(0, 0);
    to_ = put(to_, "</record>");
    close_out();
    return replaced_;
  }

  // For the walk.
  void make_room(std::size_t bytes, std::size_t subfields) {
    // Longest escape of a byte: that of U+FFFD. Longest text around a field, a subfield: with a tag and indicators all
    // escapes.
    out_->reserve_more(8 * bytes + 64 * subfields + 512 + kCopySlack);
    to_ = out_->end();
  }

  void control(const Tag &tag, const Part &data) {
    to_ = put(to_, "<controlfield tag=\"");
    put_tag(tag.text);
    if (data.size == 0) {
      to_ = put(to_, "\" />");
    } else {
      to_ = put(to_, "\">");
      to_ = copy_escaped(*this, to_, data);
      to_ = put(to_, "</controlfield>");
    }
    close_out();
  }

  void open(const Tag &tag, const Part &first, const Part &second) {
    to_ = put(to_, "<datafield ");
    if (!kPymarc) put_tag_attribute(tag.text);
    to_ = put(to_, "ind1=\"");
    put_short(first);
    to_ = put(to_, "\" ind2=\"");
    put_short(second);
    *to_++ = '"';
    if (kPymarc) {
      *to_++ = ' ';
      put_tag_attribute(tag.text);
      --to_;
    }
    to_ = put(to_, " />");
    subfields_ = false;
  }

  void subfield(const Part &code, const Part &value) {
    if (!subfields_) to_ = put(to_ - 3, ">"); // no empty element
    subfields_ = true;
    to_ = put(to_, "<subfield code=\"");
    put_short(code);
    if (value.size == 0) {
      to_ = put(to_, "\" />");
      return;
    }
    to_ = put(to_, "\">");
    to_ = copy_escaped(*this, to_, value);
    to_ = put(to_, "</subfield>");
  }

  void close() {
    if (subfields_) to_ = put(to_, "</datafield>");
    close_out();
  }

  // For copy_escaped: text between tags.
  static std::uint32_t special(const Block &block) {
    std::uint32_t mask = block.at_most(0x1F) | block.equal('&') | block.equal('<') | block.equal('>');
    mask |= kAscii ? block.high() : block.equal(0xEF); // 0xEF: U+F000 to U+FFFF
    return mask;
  }

  static bool is_special(std::uint8_t byte) {
    return byte <= 0x1F || byte == '&' || byte == '<' || byte == '>' || (kAscii ? byte >= 0x80 : byte == 0xEF);
  }

  std::size_t escape(const std::uint8_t *at, std::size_t, std::uint8_t *&to) {
    switch (*at) {
    case '&':
      to = put(to, "&amp;");
      return 1;
    case '<':
      to = put(to, "&lt;");
      return 1;
    case '>':
      to = put(to, "&gt;");
      return 1;
    case '\r':
      if (!kPymarc) {
        to = put(to, "&#13;");
        return 1;
      }
      break;
    default:
      break;
    }
    const std::size_t size = character_size(*at);
    const std::uint32_t value = character(at, size);
    if (is_control_character(*at) || value == 0xFFFE || value == 0xFFFF) {
      ++replaced_;
      put_character(0xFFFD, to);
    } else if (kAscii && size > 1) {
      put_character(value, to);
    } else {
      to = put(to, at, size);
    }
    return size;
  }

private:
  static void put_character(std::uint32_t value, std::uint8_t *&to) {
    if (!kAscii) { // only ever U+FFFD
      to = put(to, "\xEF\xBF\xBD");
      return;
    }
    to = put(to, "&#");
    std::array<std::uint8_t, 8> digits;
    std::size_t at = digits.size();
    for (; value > 0; value /= 10) digits[--at] = static_cast<std::uint8_t>('0' + value % 10);
    to = put(to, digits.data() + at, digits.size() - at);
    *to++ = ';';
  }

  static bool is_safe_in_attribute(std::uint8_t byte) {
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '&' && byte != '<' && byte != '>';
  }

  // One character inside quotes, nearly always one of ASCII.
  void put_short(const Part &part) {
    if (part.size == 1 && is_safe_in_attribute(part.data[0])) [[likely]]
      *to_++ = part.data[0];
    else
      put_attribute(part);
  }

  void put_tag(const Part &tag) {
    if (tag.size == 3 && is_safe_in_attribute(tag.data[0]) && is_safe_in_attribute(tag.data[1]) &&
        is_safe_in_attribute(tag.data[2])) [[likely]]
      to_ = put(to_, tag.data, 3);
    else
      put_attribute(tag);
  }

  void put_tag_attribute(const Part &tag) {
    to_ = put(to_, "tag=\"");
    put_tag(tag);
    to_ = put(to_, "\" ");
  }

  // Inside quotes a reader would make blanks of line ends and tabs too.
  void put_attribute(const Part &part) {
    for (std::size_t at = 0; at < part.size;) {
      switch (part.data[at]) {
      case '"':
        to_ = put(to_, "&quot;");
        ++at;
        break;
      case '\t':
        to_ = put(to_, "&#09;");
        ++at;
        break;
      case '\n':
        to_ = put(to_, "&#10;");
        ++at;
        break;
      case '\r':
        to_ = put(to_, "&#13;");
        ++at;
        break;
      default:
        at += escape(part.data + at, part.size - at, to_);
      }
    }
  }

  void close_out() { out_->commit(static_cast<std::size_t>(to_ - out_->end())); }

  Output *out_;
  std::uint8_t *to_ = nullptr; // where writing goes on; in `out_`, from make_room() to the end of the field
  bool subfields_ = false;     // a subfield of this field was written
  std::uint64_t replaced_ = 0;
};

template <bool kAscii, bool kPymarc>
std::uint64_t write(Output &out, const LeaderBytes &leader, const RecordView &record, bool namespaces) {
  Xml<kAscii, kPymarc> xml(out);
  xml.begin(leader, namespaces);
  walk(record, xml);
  return xml.end();
}

} // namespace

std::uint64_t write_marcxml(Output &out, const LeaderBytes &leader, const RecordView &record, XmlStyle style) {
  switch (style) {
  case XmlStyle::Pymarc:
    return write<true, true>(out, leader, record, false);
  case XmlStyle::PymarcNamespace:
    return write<true, true>(out, leader, record, true);
  case XmlStyle::Utf8:
    return write<false, false>(out, leader, record, false);
  case XmlStyle::PymarcUtf8:
    return write<false, true>(out, leader, record, false);
  }
  return 0;
}

Text batch_marcxml(const Batch &batch, XmlStyle style) {
  return batch_text(batch, [style](Output &out, const LeaderBytes &leader, const RecordView &record) {
    write_marcxml(out, leader, record, style);
  });
}

} // namespace marc
