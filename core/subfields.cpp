// SPDX-License-Identifier: MIT
#include "subfields.hpp"

#include "bytes.hpp"
#include "directory.hpp"

#include <algorithm>

namespace marc {
namespace {

// Any field, one at a time.
void index_field(Batch &batch, std::size_t field, SubfieldFindings &found) {
  const std::uint8_t *data = batch.data;
  const std::size_t begin = batch.field_offset[field];
  const std::size_t end = begin + batch.field_length[field];
  found.high |= find_high(data, begin, end) < end;
  for (std::size_t at = find_delimiter(data, begin, end); at < end; at = find_delimiter(data, at + 1, end))
    found.inner |= data[at] != kSubfieldMark;
  if (is_control_tag(batch.field_tag[field])) return;
  std::size_t mark = find_byte(data, kSubfieldMark, begin, end);
  found.odd_indicators |= mark != begin + 2 || find_high(data, begin, mark) < mark;
  while (mark < end) {
    const std::size_t open = mark + 1;
    mark = find_byte(data, kSubfieldMark, open, end);
    if (mark == open) {
      found.empty = true;
      continue;
    }
    found.high_code |= data[open] >= 0x80;
    batch.subfield_offset.push(static_cast<std::uint32_t>(open));
    batch.subfield_length.push(static_cast<std::uint32_t>(mark - open));
  }
}

// All fields of a record in one pass over its delimiters, without a branch on what they are. It writes a subfield and
// the end of a field at each delimiter, and goes on to the next place only where the delimiter was of that kind.
class RegularPass {
public:
  RegularPass(Batch &batch, std::size_t begin, std::size_t end) : data_(batch.data), begin_(begin), end_(end) {
    const std::size_t most = end - begin + 1;
    batch.subfield_offset.reserve_more(most);
    batch.subfield_length.reserve_more(most);
    batch.subfield_first.reserve_more(most);
    offset_ = &batch.subfield_offset[0];
    length_ = &batch.subfield_length[0];
    field_end_ = batch.subfield_first.end();
  }

  // Where the pass is.
  struct Place {
    std::uint32_t subfield;   // number of the next subfield in the batch
    std::uint32_t field;      // fields found
    std::uint32_t open;       // just behind the last delimiter
    std::uint32_t opened;     // 1: that was an 0x1F
    std::uint32_t delimiters; // found, of all three kinds
    std::uint32_t high;       // not 0: bytes above 0x7F
  };

  Place run(std::size_t first_subfield) {
    Place place{static_cast<std::uint32_t>(first_subfield), 0, static_cast<std::uint32_t>(begin_), 0, 0, 0};
    count_steps(end_ - begin_);
    std::size_t at = begin_;
    for (; at + kWideBlock <= end_; at += kWideBlock) pass_block(place, at, 0);
    if (at < end_ && end_ - begin_ >= kWideBlock) {
      pass_block(place, end_ - kWideBlock, at - (end_ - kWideBlock)); // overlaps the block before
      at = end_;
    }
    for (; at < end_; ++at) {
      place.high |= data_[at] & 0x80U;
      if (is_delimiter(data_[at])) pass(place, static_cast<std::uint32_t>(at));
    }
    return place;
  }

private:
  // The block at data[at], without its first `passed` bytes.
  [[gnu::always_inline]] void pass_block(Place &place, std::size_t at, std::size_t passed) const {
    const WideMasks masks = wide_masks(data_ + at);
    place.high |= masks.high;
    for (std::uint64_t hits = masks.delimiter >> passed << passed; hits != 0; hits &= hits - 1)
      pass(place, static_cast<std::uint32_t>(at) + static_cast<std::uint32_t>(std::countr_zero(hits)));
  }

  [[gnu::always_inline]] void pass(Place &place, std::uint32_t at) const {
    length_[place.subfield] = at - place.open;
    place.subfield += place.opened;
    offset_[place.subfield] = at + 1;
    field_end_[place.field] = place.subfield;
    const std::uint32_t kind = std::uint32_t{data_[at]} - kRecordEnd; // 1: 0x1E, 2: 0x1F
    place.opened = kind >> 1;
    place.field += kind & 1;
    ++place.delimiters;
    place.open = at + 1;
  }

  const std::uint8_t *data_;
  std::size_t begin_;
  std::size_t end_;
  std::uint32_t *offset_;
  std::uint32_t *length_;
  std::uint32_t *field_end_;
};

// Does the data field at `at` begin with two printable ASCII bytes and then a subfield, or its end?
bool has_two_indicators(const std::uint8_t *at) {
  const unsigned both = at[0] | unsigned{at[1]} << 8;
  return (((both - 0x2020) | both) & 0x8080) == 0 && is_delimiter(at[2]);
}

// Tries the fast way on a record whose fields are in order; it holds where every field has the form that it should.
bool index_regular(Batch &batch, std::size_t begin, std::size_t end, SubfieldFindings &found) {
  const std::size_t known = batch.subfield_offset.size();
  const RegularPass::Place all = RegularPass(batch, begin, end).run(known);
  const std::size_t subfields = all.subfield - known;
  const std::size_t first = batch.field_first[batch.size()];
  const std::size_t fields = batch.field_tag.size() - first;
  count_steps(fields + 2 * subfields);
  if (all.field != fields || all.delimiters != subfields + fields) return false; // a terminator inside a field
  const std::uint32_t *length = batch.subfield_length.end();
  std::uint32_t empty = 0; // without an early end, so that several are looked at at once
  for (std::size_t i = 0; i < subfields; ++i) empty |= static_cast<std::uint32_t>(length[i] == 0);
  if (empty != 0) return false;
  const std::uint32_t *ends = batch.subfield_first.end(); // where the subfields of each field end
  for (std::size_t i = 0; i < fields; ++i) {
    const bool control = is_control_tag(batch.field_tag[first + i]);
    if (control ? ends[i] != *(ends + i - 1) : !has_two_indicators(batch.data + batch.field_offset[first + i]))
      return false;
  }
  found.high = all.high != 0;
  if (found.high) {
    const std::uint32_t *offset = batch.subfield_offset.end();
    found.high_code = std::any_of(offset, offset + subfields, [&](std::uint32_t at) { return batch.data[at] >= 0x80; });
  }
  batch.subfield_offset.commit(subfields);
  batch.subfield_length.commit(subfields);
  batch.subfield_first.commit(fields);
  return true;
}

} // namespace

SubfieldFindings index_subfields(Batch &batch, bool in_order, std::size_t begin, std::size_t end) {
  SubfieldFindings found;
  if (in_order && index_regular(batch, begin, end, found)) return found;
  for (std::size_t i = batch.field_first[batch.size()]; i < batch.field_tag.size(); ++i) {
    index_field(batch, i, found);
    batch.subfield_first.push(static_cast<std::uint32_t>(batch.subfield_offset.size()));
  }
  return found;
}

} // namespace marc
