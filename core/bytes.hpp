// Bytes that structure ISO 2709, and the few searches and conversions that everything else is made of.
// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace marc {

constexpr std::uint8_t kRecordEnd = 0x1D;    // ends a record
constexpr std::uint8_t kFieldEnd = 0x1E;     // ends a field, and the directory
constexpr std::uint8_t kSubfieldMark = 0x1F; // starts a subfield
constexpr std::uint8_t kEscape = 0x1B;       // starts a MARC-8 escape sequence

// What the work costs: each loop over bytes, entries or fields says how many of them it goes over. It says so to nobody,
// but in tests/core/test_work_is_linear.cpp, whose copy of the core counts them.
#if defined(MARC_COUNT_STEPS)
inline std::uint64_t steps_counted = 0;
inline void count_steps(std::size_t steps) { steps_counted += steps; }
#else
inline void count_steps(std::size_t) {}
#endif

constexpr bool is_delimiter(std::uint8_t byte) { return static_cast<std::uint8_t>(byte - kRecordEnd) <= 2; }
constexpr bool is_digit(std::uint8_t byte) { return static_cast<std::uint8_t>(byte - '0') <= 9; }

// Bytes that say nothing between records. (So does a UTF-8 byte order mark.)
constexpr bool is_silent(std::uint8_t byte) {
  return byte == 0 || byte == '\t' || byte == '\n' || byte == '\r' || byte == ' ' || byte == 0x1A || byte == kRecordEnd;
}

// A block of 16 bytes as bit masks: bit i speaks of byte i.
constexpr std::size_t kBlock = 16;

struct BlockMasks {
  std::uint32_t delimiter; // 0x1D, 0x1E or 0x1F
  std::uint32_t high;      // above 0x7F
};

inline BlockMasks block_masks(const std::uint8_t *at) {
#if defined(__SSE2__)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i *>(at));
  const __m128i shifted = _mm_sub_epi8(bytes, _mm_set1_epi8(0x1D));
  const __m128i hit = _mm_cmpeq_epi8(_mm_min_epu8(shifted, _mm_set1_epi8(2)), shifted);
  return {static_cast<std::uint32_t>(_mm_movemask_epi8(hit)), static_cast<std::uint32_t>(_mm_movemask_epi8(bytes))};
#else
  BlockMasks masks{0, 0};
  for (std::uint32_t i = 0; i < kBlock; ++i) {
    masks.delimiter |= static_cast<std::uint32_t>(is_delimiter(at[i])) << i;
    masks.high |= static_cast<std::uint32_t>(at[i] >> 7) << i;
  }
  return masks;
#endif
}

// Four blocks at once.
constexpr std::size_t kWideBlock = 4 * kBlock;

struct WideMasks {
  std::uint64_t delimiter;
  std::uint32_t high; // not 0 if any byte is above 0x7F
};

inline WideMasks wide_masks(const std::uint8_t *at) {
  WideMasks wide{0, 0};
  for (unsigned i = 0; i < 4; ++i) {
    const BlockMasks masks = block_masks(at + i * kBlock);
    wide.delimiter |= std::uint64_t{masks.delimiter} << (i * kBlock);
    wide.high |= masks.high;
  }
  return wide;
}

// Position of the first byte in [from, to) that is a hit, or `to`. `Hits`: the mask that says so of a block.
template <std::uint32_t BlockMasks::*Hits, typename IsHit>
inline std::size_t find_by_blocks(const std::uint8_t *data, std::size_t from, std::size_t to, IsHit is_hit) {
  count_steps(1);
  while (from + kBlock <= to) {
    count_steps(kBlock);
    const std::uint32_t hits = block_masks(data + from).*Hits;
    if (hits != 0) return from + static_cast<std::size_t>(std::countr_zero(hits));
    from += kBlock;
  }
  for (; from < to && !is_hit(data[from]); ++from) count_steps(1);
  return from;
}

// Position of the first delimiter in [from, to), or `to`.
inline std::size_t find_delimiter(const std::uint8_t *data, std::size_t from, std::size_t to) {
  return find_by_blocks<&BlockMasks::delimiter>(data, from, to, [](std::uint8_t byte) { return is_delimiter(byte); });
}

// Position of the first byte above 0x7F in [from, to), or `to`.
inline std::size_t find_high(const std::uint8_t *data, std::size_t from, std::size_t to) {
  return find_by_blocks<&BlockMasks::high>(data, from, to, [](std::uint8_t byte) { return byte > 0x7F; });
}

inline bool is_ascii(const std::uint8_t *data, std::size_t size) { return find_high(data, 0, size) == size; }

// Position of the first `byte` in [from, to), or `to`.
inline std::size_t find_byte(const std::uint8_t *data, std::uint8_t byte, std::size_t from, std::size_t to) {
  if (from >= to) return to;
  const void *hit = std::memchr(data + from, byte, to - from);
  const std::size_t at = hit == nullptr ? to : static_cast<std::size_t>(static_cast<const std::uint8_t *>(hit) - data);
  count_steps(at - from + 1);
  return at;
}

inline bool all_digits(const std::uint8_t *at, std::size_t count) {
  count_steps(count);
  std::uint8_t wrong = 0;
  for (std::size_t i = 0; i < count; ++i) wrong |= static_cast<std::uint8_t>(!is_digit(at[i]));
  return wrong == 0;
}

// The number that `count` (at most 9) decimal digits spell; they must be digits.
inline std::uint32_t decimal(const std::uint8_t *at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value * 10 + (at[i] - std::uint32_t{'0'});
  return value;
}

} // namespace marc
