// SPDX-License-Identifier: MIT
#include "plain_texts.hpp"

#include "bytes.hpp"
#include "directory.hpp"
#include "record_view.hpp"

#include <algorithm>
#include <unordered_map>

namespace marc {
namespace {

bool has_plain_text(std::uint32_t flags) {
  return (flags & MARC_REC_PLAIN) != 0 && ((flags & MARC_REC_UTF8) != 0 || (flags & MARC_REC_NONASCII) == 0);
}

// A text of `batch` to which `append(text, record)` adds what it has of a plain record.
template <typename Append> Text text_of(const Batch &batch, Append append) {
  Text text;
  text.reserve(batch.size(), batch.length + batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (has_plain_text(batch.record_flags[i]))
      append(text, RecordView(batch, i));
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

void append_value(Text &text, const FieldView &field) {
  if (is_control_tag(field.tag())) {
    text.append(field.bytes());
    return;
  }
  for (std::size_t i = 0; i < field.subfield_count(); ++i) {
    if (i > 0) text.data.push(' ');
    text.append(strip(field.subfield(i).subspan(1)));
  }
}

void append_tag(Text &text, std::uint32_t tag) {
  for (unsigned i = 0; i < 3; ++i) text.data.push(static_cast<std::uint8_t>(tag >> (8 * i)));
}

void append_subfields(Text &text, const RecordView &record) {
  const auto each_subfield = [&record](auto visit) {
    for (std::size_t i = 0; i < record.field_count(); ++i) {
      const FieldView field = record.field(i);
      for (std::size_t k = 0; k < field.subfield_count(); ++k) visit(field.subfield(k));
    }
  };
  each_subfield([&text](Bytes subfield) { text.data.push(subfield[0]); });
  text.data.push(kFieldEnd);
  const std::size_t begin = text.data.size();
  each_subfield([&text](Bytes subfield) {
    text.append(subfield.subspan(1));
    text.data.push(kSubfieldMark);
  });
  if (text.data.size() > begin) text.data.shrink(text.data.size() - 1);
  for (std::size_t i = 0; i < record.field_count(); ++i) {
    const FieldView field = record.field(i);
    if (!is_control_tag(field.tag())) continue;
    text.data.push(kFieldEnd);
    text.append(field.bytes());
  }
}

} // namespace

Text batch_values(const Batch &batch) {
  return text_of(batch, [](Text &text, const RecordView &record) {
    for (std::size_t i = 0; i < record.field_count(); ++i) {
      if (i > 0) text.data.push(kFieldEnd);
      append_value(text, record.field(i));
    }
  });
}

Text batch_fields(const Batch &batch, std::span<const std::uint32_t> tags) {
  return text_of(batch, [tags](Text &text, const RecordView &record) {
    const std::size_t begin = text.data.size();
    for (std::size_t i = 0; i < record.field_count(); ++i) {
      const FieldView field = record.field(i);
      if (std::find(tags.begin(), tags.end(), field.tag()) == tags.end()) continue;
      if (text.data.size() > begin) text.data.push(kFieldEnd);
      append_tag(text, field.tag());
      text.append(field.bytes());
    }
  });
}

Text batch_subfields(const Batch &batch) { return text_of(batch, append_subfields); }

Text batch_shapes(const Batch &batch, std::uint32_t *shape_of_field) {
  Text text;
  text.reserve(256, 256 * 6);
  std::unordered_map<std::uint64_t, std::uint32_t> known;
  for (std::size_t i = 0; i < batch.field_tag.size(); ++i) {
    const std::uint32_t tag = batch.field_tag[i];
    const std::uint8_t *content = batch.data + batch.field_offset[i];
    const bool has_indicators = !is_control_tag(tag) && batch.field_length[i] >= 2;
    const std::uint64_t indicators = has_indicators ? 1U + content[0] + (std::uint64_t{content[1]} << 9) : 0;
    const auto [shape, is_new] =
        known.try_emplace(indicators << 24 | tag, static_cast<std::uint32_t>(text.start.size() - 1));
    shape_of_field[i] = shape->second;
    if (!is_new) continue;
    append_tag(text, tag);
    if (has_indicators) text.append({content, 2});
    text.end_entry();
  }
  return text;
}

} // namespace marc
