// Unicode Normalization Form C (Unicode Standard Annex 15).
// SPDX-License-Identifier: MIT
#pragma once

#include "pod_array.hpp"

#include <cstddef>
#include <cstdint>

namespace marc {

// A character on its way through normalization.
struct Letter {
  char32_t character;
  std::uint32_t offset; // where it stood, for whom wants to know: composed ones have the first one's
};
using Letters = PodArray<Letter>;

std::uint8_t combining_class(char32_t character);

// The canonical decomposition, one step; `second` is 0 where it is one character, both are 0 where there is none.
struct Pair {
  char32_t first;
  char32_t second;
};
Pair decompose(char32_t character);

// The character that NFC makes of these two; 0 if none.
char32_t compose(char32_t first, char32_t second);

// Makes the letters from `begin` on NFC.
void normalize(Letters &letters, std::size_t begin = 0);

// Makes the UTF-8 from `begin` on NFC. It must be valid.
void normalize_utf8(PodArray<std::uint8_t> &text, std::size_t begin);

} // namespace marc
