// SPDX-License-Identifier: MIT
#include "field_rules.hpp"

#include "bytes.hpp"
#include "directory.hpp"
#include "utf8.hpp"

#include <algorithm>

namespace marc {
namespace {

// How many bytes of a subfield that begins above 0x7F are its code: a whole character if the subfield is UTF-8.
std::size_t code_size(const std::uint8_t *subfield, std::size_t size) {
  return is_utf8(subfield, size) ? character_size(subfield[0]) : 1;
}

std::int32_t reject(Batch &batch, std::int32_t code, std::size_t offset, std::size_t length, std::uint32_t tag) {
  add_note(batch, code, offset, length, tag);
  return code;
}

std::int32_t check_subfield(Batch &batch, std::size_t offset, std::size_t length, std::uint32_t tag, bool utf8) {
  std::size_t code = 1;
  if (batch.data[offset] >= 0x80) {
    add_note(batch, MARC_NOTE_SUBFIELD_CODE, offset, length, tag);
    code = code_size(batch.data + offset, length);
  }
  if (utf8 && !is_utf8(batch.data + offset + code, length - code))
    return reject(batch, MARC_BAD_TEXT, offset + code, length - code, tag);
  return MARC_OK;
}

// A field of the batch.
struct FieldBytes {
  std::uint32_t tag;
  std::size_t begin;
  std::size_t length;
  std::size_t end;
};

FieldBytes field_bytes(const Batch &batch, std::size_t i) {
  const std::size_t begin = batch.field_offset[i];
  const std::size_t length = batch.field_length[i];
  return {batch.field_tag[i], begin, length, begin + length};
}

// A terminator inside the field, that is no subfield mark.
void note_inner(Batch &batch, const FieldBytes &field) {
  std::size_t inner = find_delimiter(batch.data, field.begin, field.end);
  while (inner < field.end && batch.data[inner] == kSubfieldMark)
    inner = find_delimiter(batch.data, inner + 1, field.end);
  if (inner < field.end) add_note(batch, MARC_NOTE_INNER_TERMINATOR, inner, 1, field.tag);
}

// Adds a note of a kind of which the field has had `noted`.
void note_some(Batch &batch, std::size_t &noted, std::int32_t code, std::size_t offset, std::size_t length,
               std::uint32_t tag) {
  if (noted++ < kMostNotes) add_note(batch, code, offset, length, tag);
}

// Characters of UTF-8, if it is some; else bytes.
std::size_t characters(const std::uint8_t *data, std::size_t size, bool utf8) {
  if (!utf8 || !is_utf8(data, size)) return size;
  count_steps(size);
  return static_cast<std::size_t>(
      std::count_if(data, data + size, [](std::uint8_t byte) { return (byte & 0xC0) != 0x80; }));
}

// The number of indicators, if it is not the one that is wanted.
void note_indicators(Batch &batch, const FieldBytes &field, std::size_t found, std::size_t wanted) {
  if (found == wanted) return;
  const std::int32_t fewer = found == 0 ? MARC_NOTE_INDICATORS_MISSING : MARC_NOTE_INDICATOR_ONE;
  add_note(batch, found > wanted ? MARC_NOTE_INDICATORS_MANY : fewer, field.begin, field.length, field.tag);
}

} // namespace

void add_note(Batch &batch, std::int32_t code, std::size_t offset, std::size_t length, std::uint32_t tag) {
  batch.notes.push({static_cast<std::uint32_t>(batch.size()), code, static_cast<std::uint32_t>(offset),
                    static_cast<std::uint32_t>(length), tag});
}

std::int32_t check_field(Batch &batch, std::size_t i, bool utf8) {
  const std::uint8_t *data = batch.data;
  const FieldBytes field = field_bytes(batch, i);
  note_inner(batch, field);
  if (is_control_tag(field.tag)) {
    if (!utf8 || is_utf8(data + field.begin, field.length)) return MARC_OK;
    return reject(batch, MARC_BAD_TEXT, field.begin, field.length, field.tag);
  }
  std::size_t mark = find_byte(data, kSubfieldMark, field.begin, field.end);
  const std::size_t indicators = mark - field.begin;
  if (!is_ascii(data + field.begin, indicators))
    return reject(batch, MARC_BAD_INDICATOR_TEXT, field.begin, indicators, field.tag);
  note_indicators(batch, field, indicators, 2);
  std::size_t empty = 0;
  while (mark < field.end) {
    const std::size_t next = find_byte(data, kSubfieldMark, mark + 1, field.end);
    if (next == mark + 1) {
      note_some(batch, empty, MARC_NOTE_SUBFIELD_EMPTY, next, 0, field.tag);
    } else {
      const std::int32_t status = check_subfield(batch, mark + 1, next - mark - 1, field.tag, utf8);
      if (status != MARC_OK) return status;
    }
    mark = next;
  }
  return MARC_OK;
}

void note_field(Batch &batch, std::size_t i, bool utf8, const Widths &widths) {
  const std::uint8_t *data = batch.data;
  const FieldBytes field = field_bytes(batch, i);
  note_inner(batch, field);
  if (utf8 && !is_utf8(data + field.begin, field.length))
    add_note(batch, MARC_NOTE_TEXT, field.begin, field.length, field.tag);
  if (is_control_tag(field.tag)) return;
  std::size_t mark = find_byte(data, kSubfieldMark, field.begin, field.end);
  const std::size_t size = mark - field.begin;
  if (!is_ascii(data + field.begin, size)) add_note(batch, MARC_NOTE_INDICATOR_TEXT, field.begin, size, field.tag);
  note_indicators(batch, field, characters(data + field.begin, size, utf8), widths.indicators);
  std::size_t empty = 0;
  std::size_t high_codes = 0;
  while (mark < field.end) {
    const std::size_t next = find_byte(data, kSubfieldMark, mark + 1, field.end);
    if (next == mark + 1)
      note_some(batch, empty, MARC_NOTE_SUBFIELD_EMPTY, next, 0, field.tag);
    else if (data[mark + 1] >= 0x80)
      note_some(batch, high_codes, MARC_NOTE_SUBFIELD_CODE, mark + 1, next - mark - 1, field.tag);
    mark = next;
  }
}

} // namespace marc
