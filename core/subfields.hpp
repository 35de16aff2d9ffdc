// Finds the subfields of the fields of a record, and what is odd about them.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"

#include <cstddef>
#include <cstdint>

namespace marc {

struct SubfieldFindings {
  bool high = false;           // bytes above 0x7F
  bool inner = false;          // a terminator (0x1D or 0x1E) inside a field
  bool empty = false;          // a subfield without a code
  bool odd_indicators = false; // not two ASCII bytes before the first subfield of a data field
  bool high_code = false;      // a subfield code above 0x7F

  bool is_plain() const { return !inner && !odd_indicators && !high_code; }
};

// Indexes the subfields of the fields that were added to the batch since its last whole record. `in_order`: they follow
// one another without a gap from data[begin] on, each with its terminator, the last one ending before data[end].
SubfieldFindings index_subfields(Batch &batch, bool in_order, std::size_t begin, std::size_t end);

} // namespace marc
