// SPDX-License-Identifier: MIT
#include "writer/json.hpp"

#include "utf8.hpp"
#include "writer/batch_text.hpp"
#include "writer/escape.hpp"
#include "writer/walk.hpp"

#include <array>

namespace marc {
namespace {

constexpr const char *kHexDigits = "0123456789abcdef";

// Letters of the escapes that are shorter than \u00XX, by byte.
constexpr std::array<char, 0x20> kShortEscapes{0, 0, 0, 0, 0, 0, 0, 0, 'b', 't', 'n', 0, 'f', 'r'};

std::uint8_t *put_unit(std::uint8_t *to, std::uint32_t unit) {
  to = put(to, "\\u");
  for (int shift = 12; shift >= 0; shift -= 4) *to++ = static_cast<std::uint8_t>(kHexDigits[unit >> shift & 0xF]);
  return to;
}

// `kAscii`: characters above ASCII as \uXXXX, those above U+FFFF as two of them. `kSpaced`: a blank after , and :.
template <bool kSpaced, bool kAscii> class Json {
public:
  explicit Json(Output &out) : out_(&out) {}

  void begin(const LeaderBytes &leader) {
    const auto text = leader_text(leader);
    make_room(2 * leader.size(), 0);
    to_ = kSpaced ? put(to_, "{\"leader\": \"") : put(to_, "{\"leader\":\"");
    to_ = copy_escaped(*this, to_, text.part());
    to_ = kSpaced ? put(to_, "\", \"fields\": [") : put(to_, "\",\"fields\":[");
    close_out();
  }

  void end() {
    make_room(0, 0);
    if (some_) to_ -= kSpaced ? 2 : 1; // the comma behind the last field
    to_ = put(to_, "]}");
    close_out();
  }

  // For the walk.
  void make_room(std::size_t bytes, std::size_t subfields) {
    // Longest escape of a byte: six. Longest text around a field, a subfield: with a tag and indicators all escapes.
    out_->reserve_more(6 * bytes + 32 * subfields + 256 + kCopySlack);
    to_ = out_->end();
  }

  void control(const Tag &tag, const Part &data) {
    put_tag(tag.text);
    to_ = kSpaced ? put(to_, "\": \"") : put(to_, "\":\"");
    to_ = copy_escaped(*this, to_, data);
    to_ = kSpaced ? put(to_, "\"}, ") : put(to_, "\"},");
    close_field();
  }

  void open(const Tag &tag, const Part &first, const Part &second) {
    put_tag(tag.text);
    to_ = kSpaced ? put(to_, "\": {\"ind1\": \"") : put(to_, "\":{\"ind1\":\"");
    put_short(first);
    to_ = kSpaced ? put(to_, "\", \"ind2\": \"") : put(to_, "\",\"ind2\":\"");
    put_short(second);
    to_ = kSpaced ? put(to_, "\", \"subfields\": [") : put(to_, "\",\"subfields\":[");
    subfields_ = false;
  }

  void subfield(const Part &code, const Part &value) {
    to_ = put(to_, "{\"");
    put_short(code);
    to_ = kSpaced ? put(to_, "\": \"") : put(to_, "\":\"");
    to_ = copy_escaped(*this, to_, value);
    to_ = kSpaced ? put(to_, "\"}, ") : put(to_, "\"},");
    subfields_ = true;
  }

  void close() {
    if (subfields_) to_ -= kSpaced ? 2 : 1;
    to_ = kSpaced ? put(to_, "]}}, ") : put(to_, "]}},");
    close_field();
  }

  // For copy_escaped.
  static std::uint32_t special(const Block &block) {
    std::uint32_t mask = block.equal('"') | block.equal('\\') | block.at_most(0x1F);
    if (kAscii) mask |= block.high() | block.equal(0x7F);
    return mask;
  }

  static bool is_special(std::uint8_t byte) {
    return byte == '"' || byte == '\\' || byte <= 0x1F || (kAscii && byte >= 0x7F);
  }

  static std::size_t escape(const std::uint8_t *at, std::size_t, std::uint8_t *&to) {
    const std::uint8_t byte = *at;
    if (byte == '"' || byte == '\\') {
      *to++ = '\\';
      *to++ = byte;
      return 1;
    }
    if (byte < kShortEscapes.size() && kShortEscapes[byte] != 0) {
      *to++ = '\\';
      *to++ = static_cast<std::uint8_t>(kShortEscapes[byte]);
      return 1;
    }
    const std::size_t size = character_size(byte);
    std::uint32_t value = character(at, size);
    if (value > 0xFFFF) {
      value -= 0x10000;
      to = put_unit(to, 0xD800 + (value >> 10));
      value = 0xDC00 + (value & 0x3FF);
    }
    to = put_unit(to, value);
    return size;
  }

private:
  // One character, nearly always one of ASCII.
  void put_short(const Part &part) {
    if (part.size == 1 && !is_special(part.data[0])) [[likely]]
      *to_++ = part.data[0];
    else
      to_ = copy_escaped(*this, to_, part);
  }

  void put_tag(const Part &tag) {
    to_ = put(to_, "{\"");
    if (tag.size == 3 && !is_special(tag.data[0]) && !is_special(tag.data[1]) && !is_special(tag.data[2])) [[likely]]
      to_ = put(to_, tag.data, 3);
    else
      to_ = copy_escaped(*this, to_, tag);
  }

  void close_field() {
    some_ = true;
    close_out();
  }

  void close_out() { out_->commit(static_cast<std::size_t>(to_ - out_->end())); }

  Output *out_;
  std::uint8_t *to_ = nullptr; // where writing goes on; in `out_`, from make_room() to the end of the field
  bool some_ = false;          // a field was written
  bool subfields_ = false;     // a subfield of this field was written
};

template <bool kSpaced, bool kAscii> void write(Output &out, const LeaderBytes &leader, const RecordView &record) {
  Json<kSpaced, kAscii> json(out);
  json.begin(leader);
  walk(record, json);
  json.end();
}

} // namespace

void write_json(Output &out, const LeaderBytes &leader, const RecordView &record, JsonStyle style) {
  switch (style) {
  case JsonStyle::Pymarc:
    return write<true, true>(out, leader, record);
  case JsonStyle::CompactAscii:
    return write<false, true>(out, leader, record);
  case JsonStyle::Compact:
    return write<false, false>(out, leader, record);
  }
}

Text batch_json(const Batch &batch, JsonStyle style) {
  return batch_text(batch, [style](Output &out, const LeaderBytes &leader, const RecordView &record) {
    write_json(out, leader, record, style);
  });
}

} // namespace marc
