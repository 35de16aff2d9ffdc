// What the bytes of one field deviate in, and whether pymarc 5.4 rejects the record for it.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "leader.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace marc {

// How many times the bytes of its record all fields together may have: where they overlap, a small record could else
// become a large one. Of a piece that is larger than a record can be, the excess counts once.
constexpr std::uint64_t kMostOverlap = 32;

inline std::uint64_t most_claimed(std::size_t length) {
  return length + (kMostOverlap - 1) * std::min(length, kLargestLength);
}

// How many notes of one kind a field gets on its subfields. Half of its bytes could begin one.
constexpr std::size_t kMostNotes = 100;

// Adds a note on `length` bytes at data[offset] to the record that is being added to the batch.
void add_note(Batch &batch, std::int32_t code, std::size_t offset, std::size_t length, std::uint32_t tag = 0);

// Checks field number `field` of the batch (tag, offset and length are set). Adds its notes and, if it is a data field,
// nothing else. `utf8`: leader/09 is 'a'. Returns MARC_OK, or the MARC_BAD_... for which the record is rejected.
std::int32_t check_field(Batch &batch, std::size_t field, bool utf8);

// How wide the parts of a data field are, in characters.
struct Widths {
  std::uint8_t indicators = 2;
  std::uint8_t code = 1;

  bool is_marc21() const { return indicators == 2 && code == 1; }
};

// The same for the best reading, which rejects nothing: adds the notes on field number `field`.
void note_field(Batch &batch, std::size_t field, bool utf8, const Widths &widths);

} // namespace marc
