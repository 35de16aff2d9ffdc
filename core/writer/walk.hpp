// Goes through the fields of a record for a format: what every format has in common.
// SPDX-License-Identifier: MIT
#pragma once

#include "bytes.hpp"
#include "record_view.hpp"
#include "utf8.hpp"
#include "writer/escape.hpp"
#include "writer/leader_bytes.hpp"
#include "writer/output.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace marc {

// A few bytes that count as Latin-1, a leader or a tag, as UTF-8.
template <std::size_t kMost> class Latin1Text {
public:
  explicit Latin1Text(const std::uint8_t *bytes) {
    std::uint8_t high = 0;
    for (std::size_t i = 0; i < kMost; ++i) high |= bytes[i];
    if (high < 0x80)
      std::memcpy(data_.data(), bytes, kMost); // nearly always
    else
      size_ = latin1_to_utf8(bytes, kMost, data_.data());
  }

  Part part() const { return {data_.data(), size_, data_.data() + data_.size()}; }

private:
  std::array<std::uint8_t, 2 * kMost + kBlock> data_{};
  std::size_t size_ = kMost;
};

inline Latin1Text<kLeaderSize> leader_text(const LeaderBytes &leader) { return Latin1Text<kLeaderSize>(leader.data()); }

// Three bytes of a packed tag.
using TagBytes = std::array<std::uint8_t, kBlock>;

inline TagBytes tag_bytes(std::uint32_t tag) {
  return {static_cast<std::uint8_t>(tag), static_cast<std::uint8_t>(tag >> 8), static_cast<std::uint8_t>(tag >> 16)};
}

// The tag of a field: packed, and as text.
struct Tag {
  std::uint32_t packed;
  Part text;
};

// How wide the parts of the data fields of a record are, in characters: leader/10 and /11, where they hold.
struct PartWidths {
  std::size_t indicators = 2;
  std::size_t code = 1;
};

inline PartWidths part_widths(const RecordView &record) {
  PartWidths widths;
  const LeaderBytes leader = stored_leader_of(record);
  if ((record.flags() & MARC_REC_INDICATORS) != 0) widths.indicators = leader[10] - std::size_t{'0'};
  if ((record.flags() & MARC_REC_CODES) != 0) widths.code = leader[11] - std::size_t{'0'} - 1;
  return widths;
}

// Takes the fields of any record apart: missing indicators are blanks, what is no UTF-8 becomes U+FFFD.
class OddParts {
public:
  explicit OddParts(const RecordView &record) : widths_(part_widths(record)) {}

  // The bytes as valid UTF-8, until the next call.
  Part clean(Bytes bytes) {
    scratch_.clear();
    scratch_.reserve_more(3 * bytes.size() + kCopySlack);
    const std::size_t size = replace_invalid_utf8(bytes.data(), bytes.size(), scratch_.end());
    std::memset(scratch_.end() + size, ' ', kCopySlack); // may be read
    return {scratch_.data(), size, scratch_.data() + size + kCopySlack};
  }

  // Hands both indicators of a data field to use(first, second). Of more than two the second has all but the first.
  template <typename Use> void indicators(Bytes field, Use use) {
    const std::size_t mark = find_byte(field.data(), kSubfieldMark, 0, field.size());
    const Part head = clean(field.first(mark));
    const std::size_t first = characters(head, 0, std::min<std::size_t>(widths_.indicators, 1));
    const std::size_t second =
        characters(head, first, widths_.indicators - std::min<std::size_t>(widths_.indicators, 1));
    use(or_blank({head.data, first, head.readable}), or_blank({head.data + first, second, head.readable}));
  }

  // Hands code and value of a subfield to use(code, value).
  template <typename Use> void subfield(Bytes bytes, Use use) {
    const Part all = clean(bytes);
    const std::size_t code = characters(all, 0, widths_.code);
    use(Part{all.data, code, all.readable}, Part{all.data + code, all.size - code, all.readable});
  }

private:
  static constexpr std::array<std::uint8_t, kBlock> kBlanks{' '};

  static Part or_blank(const Part &part) {
    return part.size > 0 ? part : Part{kBlanks.data(), 1, kBlanks.data() + kBlanks.size()};
  }

  // Bytes of the `count` characters from `from` on, or of as many as there are.
  static std::size_t characters(const Part &part, std::size_t from, std::size_t count) {
    std::size_t at = from;
    for (; count > 0 && at < part.size; --count) at += character_size(part.data[at]);
    return at - from;
  }

  PartWidths widths_;
  Output scratch_;
};

// Calls for each field, in order:
//   format.make_room(bytes, subfields)     before anything of it: its size, and how many subfields it has
//   format.control(tag, data)              or:
//   format.open(tag, first indicator, second), format.subfield(code, value) ..., format.close()
// A Tag, and Parts; they hold until the call returns.
template <typename Format> void walk_plain(const RecordView &record, Format &format) {
  const std::uint8_t *readable = record.readable_end();
  const std::size_t fields = record.field_count();
  count_steps(fields);
  for (std::size_t i = 0; i < fields; ++i) {
    const FieldView field = record.field(i);
    const Bytes bytes = field.bytes();
    const std::size_t subfields = field.subfield_count();
    const TagBytes tag_data = tag_bytes(field.tag());
    const Tag tag{field.tag(), {tag_data.data(), 3, tag_data.data() + tag_data.size()}};
    format.make_room(bytes.size(), subfields);
    if (field.is_control()) {
      format.control(tag, Part{bytes.data(), bytes.size(), readable});
      continue;
    }
    format.open(tag, Part{bytes.data(), 1, readable}, Part{bytes.data() + 1, 1, readable});
    for (std::size_t j = 0; j < subfields; ++j) {
      const Bytes part = field.subfield(j);
      format.subfield(Part{part.data(), 1, readable}, Part{part.data() + 1, part.size() - 1, readable});
    }
    format.close();
  }
}

template <typename Format> void walk_odd_field(const FieldView &field, OddParts &parts, Format &format) {
  const Latin1Text<3> tag_text(tag_bytes(field.tag()).data());
  const Tag tag{field.tag(), tag_text.part()};
  format.make_room(3 * field.bytes().size(), field.subfield_count());
  if (field.is_control()) {
    format.control(tag, parts.clean(field.bytes()));
    return;
  }
  parts.indicators(field.bytes(), [&](const Part &first, const Part &second) { format.open(tag, first, second); });
  for (std::size_t i = 0; i < field.subfield_count(); ++i)
    parts.subfield(field.subfield(i), [&](const Part &code, const Part &value) { format.subfield(code, value); });
  format.close();
}

template <typename Format> void walk_odd(const RecordView &record, Format &format) {
  OddParts parts(record);
  for (std::size_t i = 0; i < record.field_count(); ++i) walk_odd_field(record.field(i), parts, format);
}

template <typename Format> void walk(const RecordView &record, Format &format) {
  if (is_plain_text(record.flags()))
    walk_plain(record, format);
  else
    walk_odd(record, format);
}

} // namespace marc
