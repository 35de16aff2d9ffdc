// SPDX-License-Identifier: MIT
#include "writer/mrk.hpp"

#include "writer/batch_text.hpp"
#include "writer/escape.hpp"
#include "writer/walk.hpp"

#include <cstring>

namespace marc {
namespace {

constexpr const char *kLeaderTag = "LDR";
constexpr const char *kHexDigits = "0123456789ABCDEF";

std::uint8_t *put_mnemonic(std::uint8_t *to, std::uint8_t byte) {
  switch (byte) {
  case '$':
    return put(to, "{dollar}");
  case '{':
    return put(to, "{lcub}");
  case '}':
    return put(to, "{rcub}");
  case '\\':
    return put(to, "{bsol}");
  default:
    break;
  }
  to = put(to, "{0x");
  *to++ = static_cast<std::uint8_t>(kHexDigits[byte >> 4]);
  *to++ = static_cast<std::uint8_t>(kHexDigits[byte & 0xF]);
  *to++ = '}';
  return to;
}

// What cannot stand as it is. `kBlanks`: a blank is `\`.
template <bool kMnemonics, bool kBlanks> struct MrkText {
  static std::uint32_t special(const Block &block) {
    std::uint32_t mask = 0;
    if (kMnemonics)
      mask = block.equal('$') | block.equal('{') | block.equal('}') | block.equal('\\') | block.at_most(0x1F) |
             block.equal(0x7F);
    if (kBlanks) mask |= block.equal(' ');
    return mask;
  }

  static bool is_special(std::uint8_t byte) {
    if (kBlanks && byte == ' ') return true;
    return kMnemonics && (byte == '$' || byte == '{' || byte == '}' || byte == '\\' || byte <= 0x1F || byte == 0x7F);
  }

  static std::size_t escape(const std::uint8_t *at, std::size_t, std::uint8_t *&to) {
    if (kBlanks && *at == ' ')
      *to++ = '\\';
    else
      to = put_mnemonic(to, *at);
    return 1;
  }
};

template <bool kMnemonics> class Mrk {
public:
  explicit Mrk(Output &out) : out_(&out) {}

  void begin(const LeaderBytes &leader) {
    make_room(2 * leader.size(), 0);
    to_ = put(to_, "=LDR  ");
    put_text(leader_text(leader).part());
    end_line();
  }

  // For the walk.
  void make_room(std::size_t bytes, std::size_t subfields) {
    // Longest escape of a byte: {dollar}. Longest text around a field: with a tag and indicators all escapes.
    out_->reserve_more(8 * bytes + subfields + 128 + kCopySlack);
    to_ = out_->end();
  }

  void control(const Tag &tag, const Part &data) {
    put_tag(tag.text);
    put_blanked(data);
    end_line();
  }

  void open(const Tag &tag, const Part &first, const Part &second) {
    put_tag(tag.text);
    put_blanked(first);
    put_blanked(second);
  }

  void subfield(const Part &code, const Part &value) {
    *to_++ = '$';
    put_text(code);
    put_text(value);
  }

  void close() { end_line(); }

private:
  void put_text(const Part &part) {
    MrkText<kMnemonics, false> text;
    to_ = copy_escaped(text, to_, part);
  }

  void put_blanked(const Part &part) {
    MrkText<kMnemonics, true> text;
    to_ = copy_escaped(text, to_, part);
  }

  void put_tag(const Part &tag) {
    *to_++ = '=';
    if (kMnemonics && std::memcmp(tag.data, kLeaderTag, 3) == 0)
      to_ = put(to_, "{0x4C}DR"); // a field, not the leader of the next record
    else
      put_text(tag);
    to_ = put(to_, "  ");
  }

  void end_line() {
    *to_++ = '\n';
    out_->commit(static_cast<std::size_t>(to_ - out_->end()));
  }

  Output *out_;
  std::uint8_t *to_ = nullptr; // where writing goes on; in `out_`, from make_room() to the end of the line
};

template <bool kMnemonics> void write(Output &out, const LeaderBytes &leader, const RecordView &record) {
  Mrk<kMnemonics> mrk(out);
  mrk.begin(leader);
  walk(record, mrk);
}

} // namespace

void write_mrk(Output &out, const LeaderBytes &leader, const RecordView &record, MrkStyle style) {
  if (style == MrkStyle::Mnemonics)
    write<true>(out, leader, record);
  else
    write<false>(out, leader, record);
}

Text batch_mrk(const Batch &batch, MrkStyle style) {
  return batch_text(batch, [style](Output &out, const LeaderBytes &leader, const RecordView &record) {
    write_mrk(out, leader, record, style);
  });
}

} // namespace marc
