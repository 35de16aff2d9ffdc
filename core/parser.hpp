// Bytes of pieces -> Batch. Pure: no input or output, no threads, no allocation but the growth of the batch's arrays.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "directory.hpp"
#include "leader.hpp"
#include "pymarc_rules.hpp"

#include <cstddef>

namespace marc {

// Who is asked what a damaged record means: marc.h, MARC_PARSE_...
enum class Reading : std::uint8_t { Pymarc = MARC_PARSE_PYMARC, Best = MARC_PARSE_BEST };

// Adds a sound record of `length` bytes at batch.data[start], whose leader and directory the scanner has read.
void parse_sound(Batch &batch, std::size_t start, std::size_t length, const Leader &leader, const Directory &directory,
                 Reading reading, TextMode mode = TextMode::ByLeader);

// Adds any other piece: repaired (the best reading), or as the record that pymarc sees in it, or rejected.
void parse_chunk(Batch &batch, std::size_t start, std::size_t length, Surroundings around, Reading reading,
                 TextMode mode = TextMode::ByLeader);

// Adds a piece that is not looked into, rejected with this code: MARC_BAD_OVERSIZE, MARC_BAD_CUT, ...
void add_unread(Batch &batch, std::size_t start, std::size_t length, std::int32_t code);

} // namespace marc
