// SPDX-License-Identifier: MIT
#include "utf8.hpp"

#include "bytes.hpp"

#include <algorithm>
#include <array>

namespace marc {
namespace {

constexpr std::array<std::uint8_t, 3> kReplacement{0xEF, 0xBF, 0xBD}; // U+FFFD

bool is_continuation(std::uint8_t byte) { return (byte & 0xC0) == 0x80; }

} // namespace

// RFC 3629 section 4.
std::size_t utf8_sequence(const std::uint8_t *data, std::size_t size) {
  const std::uint8_t first = data[0];
  count_steps(1);
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = character_size(first);
  if (size < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if (!is_continuation(data[i])) return 0;
  const std::uint8_t second = data[1];
  if (first == 0xE0 && second < 0xA0) return 0; // overlong
  if (first == 0xED && second > 0x9F) return 0; // surrogate
  if (first == 0xF0 && second < 0x90) return 0; // overlong
  if (first == 0xF4 && second > 0x8F) return 0; // above U+10FFFF
  return length;
}

namespace {

// How many bytes at data[0], which are no well-formed sequence, are the beginning of one; 1 if none are.
std::size_t broken_sequence(const std::uint8_t *data, std::size_t size) {
  std::size_t known = 1;
  for (; known < 3 && known < size && is_continuation(data[known]); ++known) {
    // With the right bytes behind it the beginning would be a sequence; 0x80 to 0xBF are right from the third byte on.
    const std::array<std::uint8_t, 4> completed{data[0], data[1], 0x80, 0x80};
    if (utf8_sequence(completed.data(), completed.size()) <= known) break;
  }
  return known;
}

} // namespace

bool is_utf8(const std::uint8_t *data, std::size_t size) {
  for (std::size_t at = find_high(data, 0, size); at < size; at = find_high(data, at, size)) {
    do {
      const std::size_t length = utf8_sequence(data + at, size - at);
      if (length == 0) return false;
      at += length;
    } while (at < size && data[at] >= 0x80);
  }
  return true;
}

char32_t next_character(const std::uint8_t *data, std::size_t &at) {
  count_steps(1);
  const std::size_t size = character_size(data[at]);
  const char32_t found = character(data + at, size);
  at += size;
  return found;
}

std::size_t put_utf8(char32_t character, std::uint8_t *out) {
  if (character < 0x80) {
    out[0] = static_cast<std::uint8_t>(character);
    return 1;
  }
  const unsigned more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
  constexpr std::array<std::uint8_t, 4> kFirst{0, 0xC0, 0xE0, 0xF0};
  out[0] = static_cast<std::uint8_t>(kFirst[more] | character >> (6 * more));
  for (unsigned i = 1; i <= more; ++i)
    out[i] = static_cast<std::uint8_t>(0x80 | (character >> (6 * (more - i)) & 0x3F));
  return more + 1;
}

std::size_t replace_invalid_utf8(const std::uint8_t *data, std::size_t size, std::uint8_t *out) {
  std::uint8_t *to = out;
  std::size_t at = 0;
  while (at < size) {
    const std::size_t valid = data[at] < 0x80 ? 1 : utf8_sequence(data + at, size - at);
    if (valid > 0) {
      to = std::copy_n(data + at, valid, to);
      at += valid;
    } else {
      to = std::copy_n(kReplacement.begin(), kReplacement.size(), to);
      at += broken_sequence(data + at, size - at);
    }
  }
  return static_cast<std::size_t>(to - out);
}

std::size_t latin1_to_utf8(const std::uint8_t *data, std::size_t size, std::uint8_t *out) {
  count_steps(size);
  std::uint8_t *to = out;
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] < 0x80) {
      *to++ = data[i];
    } else {
      *to++ = static_cast<std::uint8_t>(0xC0 | data[i] >> 6);
      *to++ = static_cast<std::uint8_t>(0x80 | (data[i] & 0x3F));
    }
  }
  return static_cast<std::size_t>(to - out);
}

} // namespace marc
