// The directory of a damaged record, as well as it can be read.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"

#include <cstddef>
#include <cstdint>

namespace marc {

struct SalvagedEntry {
  std::uint32_t tag;    // packed; the best guess where `damaged`
  std::uint32_t length; // of the field, its terminator included; 0 where not known
  std::uint32_t start;  // of the field, from the base address
  std::uint32_t at;     // of the entry, from the first byte of the piece
  std::uint32_t width;  // bytes of the entry
  bool damaged;         // length and start are not known
};

struct SalvagedDirectory {
  // The 24 bytes of the leader stand at piece[skipped]; where `missing` is not 0 its first ones are not there, and what
  // is left begins at piece[0].
  std::size_t skipped = 0;
  std::size_t missing = 0;
  std::size_t begin = 0;   // of the entries, from the first byte of the piece
  std::size_t end = 0;     // behind them
  std::size_t base = 0;    // where the fields begin: behind the directory's 0x1E, if there is one
  bool stated_map = false; // the entries have the widths of leader/20-22
  PodArray<SalvagedEntry> entries;

  // Byte `i` of the leader; NUL if it is missing.
  std::uint8_t leader(const std::uint8_t *piece, std::size_t i) const {
    return i < missing ? std::uint8_t{0} : piece[i + skipped - missing];
  }
};

// Whether a field may end at piece[at]. The end of the piece is the end of one if the last terminator is missing.
bool ends_field(const std::uint8_t *piece, std::size_t size, std::size_t at);

// Finds the directory in `size` bytes of a piece, its record terminator left out. False where there is none.
bool salvage_directory(const std::uint8_t *piece, std::size_t size, SalvagedDirectory &found);

} // namespace marc
