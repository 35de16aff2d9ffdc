// Copies text block by block and lets a format replace the few characters that it cannot write as they are.
// SPDX-License-Identifier: MIT
#pragma once

#include "bytes.hpp"
#include "record_view.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace marc {

// A part of a record as UTF-8. `readable`: up to where bytes may be read, at least to its end.
struct Part {
  const std::uint8_t *data;
  std::size_t size;
  const std::uint8_t *readable;
};

// A block of 16 bytes; has() gives masks, bit i speaks of byte i.
class Block {
public:
#if defined(__SSE2__)
  explicit Block(const std::uint8_t *at) : bytes_(_mm_loadu_si128(reinterpret_cast<const __m128i *>(at))) {}

  void store(std::uint8_t *to) const { _mm_storeu_si128(reinterpret_cast<__m128i *>(to), bytes_); }
  std::uint32_t equal(std::uint8_t byte) const { return mask(_mm_cmpeq_epi8(bytes_, all(byte))); }
  std::uint32_t at_most(std::uint8_t byte) const {
    return mask(_mm_cmpeq_epi8(_mm_min_epu8(bytes_, all(byte)), bytes_));
  }
  std::uint32_t high() const { return mask(bytes_); } // above 0x7F

private:
  static __m128i all(std::uint8_t byte) { return _mm_set1_epi8(static_cast<char>(byte)); }
  static std::uint32_t mask(__m128i hits) { return static_cast<std::uint32_t>(_mm_movemask_epi8(hits)); }

  __m128i bytes_;
#else
  explicit Block(const std::uint8_t *at) { std::memcpy(bytes_, at, kBlock); }

  void store(std::uint8_t *to) const { std::memcpy(to, bytes_, kBlock); }
  std::uint32_t equal(std::uint8_t byte) const {
    return mask([byte](std::uint8_t one) { return one == byte; });
  }
  std::uint32_t at_most(std::uint8_t byte) const {
    return mask([byte](std::uint8_t one) { return one <= byte; });
  }
  std::uint32_t high() const {
    return mask([](std::uint8_t one) { return one >= 0x80; });
  }

private:
  template <typename Test> std::uint32_t mask(Test test) const {
    std::uint32_t hits = 0;
    for (std::uint32_t i = 0; i < kBlock; ++i) hits |= static_cast<std::uint32_t>(test(bytes_[i])) << i;
    return hits;
  }

  std::uint8_t bytes_[kBlock];
#endif
};

// How many bytes more than it writes copy_escaped() may touch behind them.
constexpr std::size_t kCopySlack = kBlock;

// Writes `part`; `format` decides:
//   format.special(const Block &)            mask of the bytes that cannot be written as they are
//   format.is_special(byte)                  the same for one
//   format.escape(at, left, to)              writes what stands for the character at `at`; moves `to`; returns its bytes
// `to` has room for the longest escapes and kCopySlack. Returns the place behind what was written.
template <typename Format>
[[gnu::always_inline]] inline std::uint8_t *copy_escaped(Format &format, std::uint8_t *to, const Part &part) {
  count_steps(part.size + 1);
  const std::uint8_t *at = part.data;
  const std::uint8_t *const end = at + part.size;
  while (at < end) {
    const auto left = static_cast<std::size_t>(end - at);
    std::uint8_t last[kBlock];
    const std::uint8_t *from = at;
    if (static_cast<std::size_t>(part.readable - at) < kBlock) [[unlikely]] {
      std::memset(last, 'x', kBlock);
      std::memcpy(last, at, left < kBlock ? left : kBlock);
      from = last;
    }
    const Block block(from);
    block.store(to);
    std::uint32_t special = format.special(block);
    const std::size_t size = left < kBlock ? left : kBlock;
    special &= 0xFFFFU >> (kBlock - size);
    if (special == 0) [[likely]] {
      at += size;
      to += size;
      continue;
    }
    const auto good = static_cast<std::size_t>(std::countr_zero(special));
    at += good;
    to += good;
    do at += format.escape(at, static_cast<std::size_t>(end - at), to);
    while (at < end && format.is_special(*at));
  }
  return to;
}

} // namespace marc
