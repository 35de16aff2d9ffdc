// Titles of all records of a batch, as one text.
// SPDX-License-Identifier: MIT
#pragma once

#include "text.hpp"

namespace marc {

// 245 $a and $b, joined by a blank, as pymarc's Record.title. Records that do not say UTF-8 are taken for Latin-1;
// bytes that are no UTF-8 in one that says so become U+FFFD.
Text batch_titles(const Batch &batch);

} // namespace marc
