// Titles of all records of a batch, as one text.
// SPDX-License-Identifier: MIT
#pragma once

#include "text.hpp"

namespace marc {

// 245 $a and $b, joined by a blank, as pymarc's Record.title. Bytes that are no UTF-8 become U+FFFD.
Text batch_titles(const Batch &batch);

} // namespace marc
