// Titles of all records of a batch, as one text.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"

#include <cstdint>
#include <vector>

namespace marc {

// One kind of data of all pieces of a batch, as UTF-8: entries, each followed by 0x1D; an absent one is one 0x1F.
struct Text {
  std::vector<std::uint8_t> data;
  std::vector<std::uint64_t> start; // one more than pieces
  bool splits = true;               // no entry holds 0x1D itself
  std::uint32_t absent = 0;         // entries
};

// 245 $a and $b, joined by a blank, as pymarc's Record.title. Records that do not say UTF-8 are taken for Latin-1;
// bytes that are no UTF-8 in one that says so become U+FFFD.
Text batch_titles(const Batch &batch);

} // namespace marc
