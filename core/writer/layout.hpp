// Records as ISO 2709 in its canonical layout, as pymarc's as_marc() gives it: fields one behind another in the order of the
// directory, entries of 12 bytes, text in UTF-8.
//
// Nothing is refused but sizes that the format cannot state: a field above 9 999 bytes, with its terminator; a record above
// 99 999. Delimiters inside values and odd tags, which occur in records that were read, are written as they are, unless the
// options refuse them: what was read and is written again must not depend on whether it was touched.
// SPDX-License-Identifier: MIT
#pragma once

#include "error.hpp"
#include "leader.hpp"
#include "record_view.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace marc {

constexpr std::size_t kLargestField = 9999; // bytes, its terminator included

// What becomes of a record that is too large.
enum class Oversize : std::uint32_t {
  Error = MARC_OVERSIZE_ERROR, // it is not written
  // What cannot be stated is 0: 0000 and 00000 for the length and start of a field, 00000 for record length and base address.
  // Who reads by terminators reads it: MARC_PARSE_BEST does.
  Zeros = MARC_OVERSIZE_ZEROS,
  // Several records: each with the leader, all control fields, and as many of the other fields, in order, as it holds. A
  // field that is too large is still an error.
  Split = MARC_OVERSIZE_SPLIT,
};

struct Iso2709Options {
  Oversize oversize = Oversize::Error;
  bool refuse_odd = false; // terminators (0x1D, 0x1E) inside fields, tags that are not three ASCII letters or digits
};

// The fields of a record as they are laid out.
struct Iso2709Fields {
  const std::uint32_t *tag;    // packed
  const std::uint32_t *length; // bytes, terminator included
  std::size_t count;
  Bytes content; // one behind another, each with its terminator

  // Of the record that they make.
  std::size_t size() const { return kLeaderSize + kEntrySize * count + 1 + content.size() + 1; }
};

// A packed tag in a message.
std::string tag_name(std::uint32_t tag);

// What one record of these fields would be too large or odd for; MARC_OK if nothing.
Failure check_iso2709(const Iso2709Fields &fields, const Iso2709Options &options);

// Writes them as one record of fields.size() bytes to `to`. Leader/00-04 and 12-16 are computed, the rest is as given.
void lay_out_iso2709(std::uint8_t *to, const std::uint8_t *leader, const Iso2709Fields &fields);

} // namespace marc
