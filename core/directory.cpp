// SPDX-License-Identifier: MIT
#include "directory.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace marc {
namespace {

bool holds_delimiter(const std::uint8_t *at, std::size_t count) {
  count_steps(count);
  bool found = false;
  for (std::size_t i = 0; i < count; ++i) found |= is_delimiter(at[i]);
  return found;
}

// A MARC 21 entry, little-endian: three bytes of tag, "LLLLSSSSS". Eight digits are checked and converted at once.
bool read_marc21(const std::uint8_t *at, DirectoryEntry &entry) {
  std::uint32_t tag = 0;
  std::memcpy(&tag, at, 4);
  tag &= 0xFFFFFF;
  // Delimiters are below 0x20. Where no byte of the tag is, as nearly always, three of them are done at once.
  if ((((tag - 0x202020) | tag) & 0x808080) != 0 && holds_delimiter(at, 3)) return false;
  std::uint64_t digits = 0;
  std::memcpy(&digits, at + 3, 8);
  digits ^= 0x3030303030303030; // now 0 to 9, if they are digits; what is above gives a high bit here:
  const std::uint32_t last = at[11] - std::uint32_t{'0'};
  if ((((digits + 0x7676767676767676) | digits) & 0x8080808080808080) != 0 || last > 9) return false;
  digits = (digits * 10 + (digits >> 8)) & 0x00FF00FF00FF00FF;   // pairs
  digits = (digits * 100 + (digits >> 16)) & 0x0000FFFF0000FFFF; // fours
  entry = {tag, static_cast<std::uint32_t>(digits), static_cast<std::uint32_t>(digits >> 32) * 10 + last};
  return true;
}

bool read_entry(const std::uint8_t *at, const EntryMap &map, DirectoryEntry &entry) {
  if (!is_valid_entry(at, map)) return false;
  entry.tag = pack_tag(at);
  entry.length = decimal(at + 3, map.length);
  entry.start = decimal(at + 3 + map.length, map.start);
  return true;
}

} // namespace

Directory::Directory() : entries_(new DirectoryEntry[kMost]) {}

bool Directory::read(const std::uint8_t *record, const EntryMap &map, std::size_t end) {
  if constexpr (std::endian::native == std::endian::little)
    if (map.is_marc21())
      return read_with(record, kEntrySize, end,
                       [](const std::uint8_t *at, DirectoryEntry &entry) { return read_marc21(at, entry); });
  return read_with(record, map.width(), end,
                   [&map](const std::uint8_t *at, DirectoryEntry &entry) { return read_entry(at, map, entry); });
}

template <typename ReadEntry>
bool Directory::read_with(const std::uint8_t *record, std::size_t width, std::size_t end, ReadEntry read_one) {
  const std::uint8_t *at = record + kLeaderSize + count_ * width;
  const std::uint8_t *stop = record + end;
  DirectoryEntry *entry = entries_.get() + count_;
  std::uint32_t extent = extent_;
  std::uint32_t shortest = shortest_;
  std::uint32_t tags = tags_;
  bool valid = true;
  for (; at + width <= stop; at += width, ++entry) {
    count_steps(width);
    valid = read_one(at, *entry);
    if (!valid) break;
    extent = std::max(extent, entry->start + entry->length);
    shortest = std::min(shortest, entry->length);
    tags |= entry->tag;
  }
  count_ = static_cast<std::size_t>(entry - entries_.get());
  extent_ = extent;
  shortest_ = shortest;
  tags_ = tags;
  return valid;
}

bool is_valid_entry(const std::uint8_t *at, const EntryMap &map) {
  return !holds_delimiter(at, 3) && all_digits(at + 3, map.digits()) &&
         !holds_delimiter(at + 3 + map.digits(), map.other);
}

} // namespace marc
