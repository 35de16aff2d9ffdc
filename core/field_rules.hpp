// What pymarc 5.4 makes of the bytes of one field: its notes, and whether the record is rejected for it.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"

#include <cstddef>
#include <cstdint>

namespace marc {

// Adds a note on `length` bytes at data[offset] to the record that is being added to the batch.
void add_note(Batch &batch, std::int32_t code, std::size_t offset, std::size_t length, std::uint32_t tag = 0);

// Checks field number `field` of the batch (tag, offset and length are set). Adds its notes and, if it is a data field,
// nothing else. `utf8`: leader/09 is 'a'. Returns MARC_OK, or the MARC_BAD_... for which the record is rejected.
std::int32_t check_field(Batch &batch, std::size_t field, bool utf8);

} // namespace marc
