// What pymarc 5.4 makes of a piece that does not frame itself: a record, garbled or not, or the reason to reject it.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"

#include <cstddef>
#include <cstdint>

namespace marc {

// What is known of a piece besides its bytes: pymarc's verdict depends on it.
enum class Surroundings : std::uint8_t {
  BytesFollow, // in the source, at least one
  Last,        // no byte follows
  None         // it is a record by itself, as pymarc's Record(data): its framing is not judged
};

// How text is read: marc.h, MARC_TEXT_...
enum class TextMode : std::uint8_t { ByLeader = MARC_TEXT_BY_LEADER, Utf8 = MARC_TEXT_UTF8, Raw = MARC_TEXT_RAW };

// Whether text must be UTF-8. `coding`: leader/09.
inline bool must_be_utf8(TextMode mode, std::uint8_t coding) {
  return mode == TextMode::ByLeader ? coding == 'a' : mode == TextMode::Utf8;
}

// Adds tag, offset and length of the fields that pymarc finds in `length` bytes at data[start], and notes, to the
// batch; indexing their subfields is left to the caller.
// Returns MARC_OK or the MARC_BAD_... that stands for pymarc's exception.
std::int32_t read_as_pymarc(Batch &batch, std::size_t start, std::size_t length, Surroundings around,
                            TextMode mode = TextMode::ByLeader);

} // namespace marc
