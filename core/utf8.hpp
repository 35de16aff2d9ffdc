// UTF-8 (RFC 3629): is it valid, and Latin-1 made into it.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace marc {

// Whether the bytes are well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(const std::uint8_t *data, std::size_t size);

// Length of the well-formed sequence at data[0], which is above 0x7F; 0 if it is none.
std::size_t utf8_sequence(const std::uint8_t *data, std::size_t size);

// Length of a well-formed sequence, from its first byte; 1 for ASCII.
inline std::size_t character_size(std::uint8_t first) {
  return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

// The character of a well-formed sequence of `size` bytes.
inline char32_t character(const std::uint8_t *at, std::size_t size) {
  if (size == 1) return at[0];
  char32_t value = at[0] & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) value = value << 6 | (at[i] & 0x3FU);
  return value;
}

// The character at data[at], which must be well-formed; moves `at` behind it.
char32_t next_character(const std::uint8_t *data, std::size_t &at);

// Writes a character; `out` has room for four bytes. Returns the bytes written.
std::size_t put_utf8(char32_t character, std::uint8_t *out);

// Writes ISO 8859-1 bytes as UTF-8; `out` has room for twice `size`. Returns the bytes written.
std::size_t latin1_to_utf8(const std::uint8_t *data, std::size_t size, std::uint8_t *out);

// Writes the bytes as UTF-8, with U+FFFD for each part that is none (the longest beginning of a sequence, or a byte; as
// Python's "replace"); `out` has room for three times `size`. Returns the bytes written.
std::size_t replace_invalid_utf8(const std::uint8_t *data, std::size_t size, std::uint8_t *out);

} // namespace marc
