// The best reading of a damaged piece: where its directory and its terminators do not agree, the fields that they show
// together. Every repair is a note.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"

#include <cstddef>
#include <cstdint>

namespace marc {

struct Salvaged {
  bool utf8;               // leader/09 is 'a', or the text shows it
  std::uint8_t indicators; // leader/10, as a byte
  std::uint8_t identifier; // leader/11, as a byte
};

// Adds tag, offset and length of the fields of the piece of `length` bytes at data[start], in the order of its directory,
// and notes; indexing their subfields is left to the caller. Nothing is added where there is no directory.
Salvaged salvage(Batch &batch, std::size_t start, std::size_t length);

} // namespace marc
