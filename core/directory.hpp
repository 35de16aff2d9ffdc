// The directory: one entry a field, between the leader and the first 0x1E (ISO 2709 4.4).
// SPDX-License-Identifier: MIT
#pragma once

#include "leader.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace marc {

// A tag packed into an integer: tag[0] | tag[1] << 8 | tag[2] << 16.
inline std::uint32_t pack_tag(const std::uint8_t *tag) {
  return tag[0] | std::uint32_t{tag[1]} << 8 | std::uint32_t{tag[2]} << 16;
}

// Writes the three bytes of a packed tag. Returns the place behind them.
inline std::uint8_t *put_tag(std::uint8_t *to, std::uint32_t tag) {
  for (const unsigned shift : {0U, 8U, 16U}) *to++ = static_cast<std::uint8_t>(tag >> shift);
  return to;
}

// Whether a packed tag is that of a control field: digits only and below 010.
inline bool is_control_tag(std::uint32_t tag) {
  return (tag & 0xFFFF) == ('0' | '0' << 8) && is_digit(static_cast<std::uint8_t>(tag >> 16));
}

inline bool is_ascii_tag(std::uint32_t tag) { return (tag & 0x808080) == 0; }

struct DirectoryEntry {
  std::uint32_t tag;    // packed
  std::uint32_t length; // of the field, its terminator included
  std::uint32_t start;  // of the field, from the base address
};

// The entries of the directory that is being read. It is read as far as bytes are there and can be gone on with.
class Directory {
public:
  Directory();

  void clear() { count_ = 0, extent_ = 0, shortest_ = kLargestField, tags_ = 0; }
  // Reads whole entries of the record at `record` from the one after the last read on, up to `end` (an offset in the
  // record). False at an entry that holds a delimiter, or whose length and start are not digits.
  bool read(const std::uint8_t *record, const EntryMap &map, std::size_t end);

  std::size_t count() const { return count_; }
  // Over all entries: the largest start + length, the smallest length, and whether all tags are ASCII.
  std::size_t extent() const { return extent_; }
  std::size_t shortest() const { return shortest_; }
  bool has_ascii_tags() const { return is_ascii_tag(tags_); }
  const DirectoryEntry *begin() const { return entries_.get(); }
  const DirectoryEntry *end() const { return entries_.get() + count_; }

private:
  template <typename ReadEntry>
  bool read_with(const std::uint8_t *record, std::size_t width, std::size_t end, ReadEntry read_one);

  static constexpr std::size_t kMost = kLargestLength / kEntrySize + 1; // an entry has 3 bytes and at least 9 digits

  static constexpr std::uint32_t kLargestField = 999999999; // in nine digits

  std::unique_ptr<DirectoryEntry[]> entries_;
  std::size_t count_ = 0;
  std::uint32_t extent_ = 0; // fits: twice nine digits
  std::uint32_t shortest_ = kLargestField;
  std::uint32_t tags_ = 0; // ORed
};

// Whether the entry at `at` is whole: digits where digits belong, no delimiter elsewhere.
bool is_valid_entry(const std::uint8_t *at, const EntryMap &map);

} // namespace marc
