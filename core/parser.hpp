// Bytes of pieces -> Batch. Pure: no input or output, no threads, no allocation but the growth of the batch's arrays.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "directory.hpp"
#include "leader.hpp"
#include "pymarc_rules.hpp"

#include <cstddef>

namespace marc {

// Adds a sound record of `length` bytes at batch.data[start], whose leader and directory the scanner has read.
void parse_sound(Batch &batch, std::size_t start, std::size_t length, const Leader &leader, const Directory &directory);

// Adds any other piece: as the record that pymarc sees in it, or rejected.
void parse_chunk(Batch &batch, std::size_t start, std::size_t length, Surroundings around);

// Adds a part of a piece above the largest size, rejected.
void parse_oversize(Batch &batch, std::size_t start, std::size_t length, bool first);

} // namespace marc
