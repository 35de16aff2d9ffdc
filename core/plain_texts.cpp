// SPDX-License-Identifier: MIT
#include "plain_texts.hpp"

#include "bytes.hpp"
#include "directory.hpp"
#include "record_view.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <unordered_map>

namespace marc {
namespace {

// Whether the record is plain, and has a text in UTF-8 that is.
bool is_plain(const Batch &batch, std::size_t record) {
  return (batch.record_flags[record] & MARC_REC_PLAIN) != 0 && is_plain_text(text_view(batch, record).flags());
}

// A text of `batch` to which `append(text, record)` adds what it has of a plain record.
template <typename Append> Text text_of(const Batch &batch, Append append) {
  Text text;
  text.reserve(batch.size(), batch.length + batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (is_plain(batch, i))
      append(text, text_view(batch, i));
    else
      text.make_absent();
    text.end_entry();
  }
  return text;
}

// How many bytes the white space has that begins at bytes[0], by Unicode and to Python; 0 if there is none. The bytes
// are UTF-8.
std::size_t space_at(Bytes bytes) {
  const std::uint8_t first = bytes[0];
  if (first < 0x80) return (first >= 0x09 && first <= 0x0D) || (first >= 0x1C && first <= 0x20) ? 1 : 0;
  if (first == 0xC2 && bytes.size() >= 2) return bytes[1] == 0x85 || bytes[1] == 0xA0 ? 2 : 0;
  if (bytes.size() < 3) return 0;
  const unsigned rest = unsigned{bytes[1]} << 8 | bytes[2];
  if (first == 0xE1) return rest == 0x9A80 ? 3 : 0; // U+1680
  if (first == 0xE3) return rest == 0x8080 ? 3 : 0; // U+3000
  if (first != 0xE2) return 0;
  const bool is_space = (rest >= 0x8080 && rest <= 0x808A) || rest == 0x80A8 || rest == 0x80A9 || rest == 0x80AF ||
                        rest == 0x819F; // U+2000 to 200A, 2028, 2029, 202F, 205F
  return is_space ? 3 : 0;
}

// The same for the white space that ends the bytes.
std::size_t space_before_end(Bytes bytes) {
  for (std::size_t size = 1; size <= std::min<std::size_t>(3, bytes.size()); ++size) {
    const std::uint8_t first = bytes[bytes.size() - size];
    if ((first & 0xC0) != 0x80) return space_at(bytes.last(size)) == size ? size : 0;
  }
  return 0;
}

Bytes strip(Bytes bytes) {
  while (!bytes.empty() && space_at(bytes) > 0) bytes = bytes.subspan(space_at(bytes));
  while (!bytes.empty() && space_before_end(bytes) > 0) bytes = bytes.first(bytes.size() - space_before_end(bytes));
  return bytes;
}

// Writes where room has been made: for a record as many bytes as it has are enough, since all that is written of it, but
// one byte, stands in it and is no longer than there.
class Pen {
public:
  Pen(Text &text, const RecordView &record) : text_(text) {
    text.data.reserve_more(record.bytes().size() + 1);
    at_ = text.data.end();
  }
  Pen(const Pen &) = delete;
  Pen &operator=(const Pen &) = delete;
  ~Pen() { text_.data.commit(static_cast<std::size_t>(at_ - text_.data.end())); }

  bool has_written() const { return at_ != text_.data.end(); }
  void put(std::uint8_t byte) { *at_++ = byte; }
  void put(Bytes bytes) {
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void put_tag(std::uint32_t tag) { at_ = marc::put_tag(at_, tag); }

private:
  Text &text_;
  std::uint8_t *at_;
};

void put_value(Pen &pen, const FieldView &field) {
  if (is_control_tag(field.tag())) {
    pen.put(field.bytes());
    return;
  }
  for (std::size_t i = 0; i < field.subfield_count(); ++i) {
    if (i > 0) pen.put(' ');
    pen.put(strip(field.subfield(i).subspan(1)));
  }
}

void append_values(Text &text, const RecordView &record) {
  Pen pen(text, record);
  for (std::size_t i = 0; i < record.field_count(); ++i) {
    if (i > 0) pen.put(kFieldEnd);
    put_value(pen, record.field(i));
  }
}

void append_subfields(Text &text, const RecordView &record) {
  Pen pen(text, record);
  const std::size_t count = record.subfield_count();
  for (std::size_t i = 0; i < count; ++i) pen.put(record.subfield(i)[0]);
  pen.put(kFieldEnd);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) pen.put(kSubfieldMark);
    pen.put(record.subfield(i).subspan(1));
  }
  for (std::size_t i = 0; i < record.field_count(); ++i) {
    const FieldView field = record.field(i);
    if (!is_control_tag(field.tag())) continue;
    pen.put(kFieldEnd);
    pen.put(field.bytes());
  }
}

void append_fields(Text &text, const RecordView &record, std::span<const std::uint32_t> tags) {
  Pen pen(text, record);
  for (std::size_t i = 0; i < record.field_count(); ++i) {
    const FieldView field = record.field(i);
    if (std::find(tags.begin(), tags.end(), field.tag()) == tags.end()) continue;
    if (pen.has_written()) pen.put(kFieldEnd);
    pen.put_tag(field.tag());
    pen.put(field.bytes());
  }
}

void append_number(Text &text, std::uint64_t number) {
  std::array<char, 20> digits{};
  const char *end = std::to_chars(digits.begin(), digits.end(), number).ptr;
  for (const char *digit = digits.begin(); digit < end; ++digit) text.data.push(static_cast<std::uint8_t>(*digit));
}

// Numbers keys, which are not 0, in the order in which they first come. Nearly every one has come before: those are
// found in a small table by their hash.
class Numbers {
public:
  std::uint32_t size() const { return static_cast<std::uint32_t>(known_.size()); }
  std::uint32_t number_of(std::uint64_t key) {
    Recent &recent = recent_[key * 0x9E3779B97F4A7C15U >> 54];
    if (recent.key != key) recent = {key, known_.try_emplace(key, size()).first->second};
    return recent.number;
  }

private:
  struct Recent {
    std::uint64_t key;
    std::uint32_t number;
  };
  std::array<Recent, 1024> recent_{};
  std::unordered_map<std::uint64_t, std::uint32_t> known_;
};

// The number of the shape of a field; one that is new becomes an entry.
std::uint32_t shape_of(const FieldView &field, Numbers &numbers, Text &text) {
  const Bytes content = field.bytes();
  const bool has_indicators = !is_control_tag(field.tag()) && content.size() >= 2;
  const std::uint64_t indicators = has_indicators ? content[0] | std::uint64_t{content[1]} << 8 : 0;
  const std::uint64_t subfields = field.subfield_count();
  const std::uint32_t known = numbers.size();
  const std::uint32_t number =
      numbers.number_of(std::uint64_t{1} << 63 | subfields << 40 | indicators << 24 | field.tag());
  if (numbers.size() == known) return number;
  text.data.reserve_more(3);
  put_tag(text.data.end(), field.tag());
  text.data.commit(3);
  if (has_indicators) text.append(content.first(2));
  append_number(text, subfields);
  text.end_entry();
  return number;
}

} // namespace

Text batch_values(const Batch &batch) { return text_of(batch, append_values); }

Text batch_fields(const Batch &batch, std::span<const std::uint32_t> tags) {
  return text_of(batch, [tags](Text &text, const RecordView &record) { append_fields(text, record, tags); });
}

Text batch_subfields(const Batch &batch) { return text_of(batch, append_subfields); }

Text batch_shapes(const Batch &batch, std::uint32_t *shape_of_field) {
  Text text;
  text.reserve(256, std::size_t{256} * 8);
  Numbers numbers;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const RecordView record(batch, i);
    const bool plain = (batch.record_flags[i] & (MARC_REC_PLAIN | MARC_REC_NOTED)) == MARC_REC_PLAIN;
    for (std::size_t k = 0; k < record.field_count(); ++k)
      *shape_of_field++ = plain ? shape_of(record.field(k), numbers, text) : 0;
  }
  return text;
}

} // namespace marc
