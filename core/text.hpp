// One kind of data of all pieces of a batch, as one text.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace marc {

// As UTF-8: entries, each followed by 0x1D; an absent one is one 0x1F.
struct Text {
  PodArray<std::uint8_t> data;
  PodArray<std::uint64_t> start; // one more than entries
  bool splits = true;            // no entry holds 0x1D itself
  std::uint32_t absent = 0;      // entries

  // Before anything else: how many entries there will be, and about how many bytes.
  void reserve(std::size_t entries, std::size_t bytes) {
    data.reserve_more(bytes);
    start.reserve_more(entries + 1);
    start.push(0);
  }
  // Where the entry that is open begins.
  std::size_t open() const { return static_cast<std::size_t>(start[start.size() - 1]); }
  void append(std::span<const std::uint8_t> bytes) {
    data.reserve_more(bytes.size());
    std::copy(bytes.begin(), bytes.end(), data.end());
    data.commit(bytes.size());
  }
  // Takes back what was appended to the entry that is open: it is absent.
  void make_absent() {
    data.shrink(open());
    data.push(kSubfieldMark);
    ++absent;
  }
  // Ends the entry that is open.
  void end_entry() {
    data.push(kRecordEnd);
    start.push(data.size());
  }
};

} // namespace marc
