// Indicator count and identifier length, leader/10 and /11 (ISO 2709 4.3): honoured where the fields agree with them.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "field_rules.hpp"

#include <cstddef>
#include <cstdint>

namespace marc {

// The widths of the fields that were added to the batch since its last whole record, and indexed: those of leader/10 and
// /11 where these are digits, differ from MARC 21's 2 and 2, and describe the fields better; else MARC 21's.
Widths find_widths(const Batch &batch, std::uint8_t indicator_count, std::uint8_t identifier_length);

} // namespace marc
