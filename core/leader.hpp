// The leader: the first 24 bytes of a record (ISO 2709 4.3, MARC 21 "Leader").
// SPDX-License-Identifier: MIT
#pragma once

#include "bytes.hpp"

#include <cstddef>
#include <cstdint>

namespace marc {

constexpr std::size_t kLeaderSize = 24;
constexpr std::size_t kLargestLength = 99999; // what leader/00-04 and leader/12-16 can state
constexpr std::size_t kEntrySize = 12;        // of a directory entry, with MARC 21's entry map

// Leader/20-22, the entry map: how wide the parts of a directory entry are, behind its three bytes of tag.
struct EntryMap {
  std::uint8_t length; // digits of the length of the field
  std::uint8_t start;  // digits of its starting position
  std::uint8_t other;  // bytes of the implementation-defined part

  std::size_t digits() const { return std::size_t{length} + start; }
  std::size_t width() const { return 3 + digits() + other; }
  bool is_marc21() const { return length == 4 && start == 5 && other == 0; }
};

// The entry map that stands at `at`, leader/20; a part that is no digit counts as MARC 21's (4, 5, 0).
inline EntryMap read_entry_map(const std::uint8_t *at) {
  const auto part = [at](std::size_t i, std::uint8_t usual) {
    return is_digit(at[i]) ? static_cast<std::uint8_t>(at[i] - '0') : usual;
  };
  return {part(0, 4), part(1, 5), part(2, 0)};
}

// The entry map of a leader.
inline EntryMap entry_map(const std::uint8_t *leader) { return read_entry_map(leader + 20); }

// What a leader must say before its directory is looked at.
struct Leader {
  std::uint32_t base; // base address of data: offset of the first field, just behind the directory's 0x1E
  EntryMap map;
};

// Whether the five bytes at leader/05 are rather those of a directory: the first four are digits. All zeros are none:
// CDS/ISIS writes its leaders so.
bool is_inside_directory(const std::uint8_t *at);

// Reads a leader that could begin a record: no delimiter, base address in digits, leader/05-08 not all digits (unless
// 05-09 are all zeros), entries of at least nine digits, and a directory of one or more whole entries before the base
// address. The record length is not looked at. `at` holds 24 bytes. False where it cannot be a leader.
bool read_leader(const std::uint8_t *at, Leader &leader);

} // namespace marc
