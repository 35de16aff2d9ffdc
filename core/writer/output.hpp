// What writers write into: a text that grows, and pieces of known size put into room that was asked for before.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace marc {

using Output = PodArray<std::uint8_t>;

// Writes a literal without its 0. Returns the place behind it. Its length is known when this is compiled: a few moves.
template <std::size_t N> [[gnu::always_inline]] inline std::uint8_t *put(std::uint8_t *to, const char (&text)[N]) {
  std::memcpy(to, text, N - 1);
  return to + (N - 1);
}

inline std::uint8_t *put(std::uint8_t *to, const std::uint8_t *from, std::size_t size) {
  if (size > 0) std::memcpy(to, from, size); // `from` may be NULL if not
  return to + size;
}

// Appends a text of any length.
inline void append(Output &out, const std::uint8_t *from, std::size_t size) {
  if (size == 0) return;
  out.reserve_more(size);
  out.commit(static_cast<std::size_t>(put(out.end(), from, size) - out.end()));
}

inline void append(Output &out, std::string_view text) {
  append(out, reinterpret_cast<const std::uint8_t *>(text.data()), text.size());
}

} // namespace marc
