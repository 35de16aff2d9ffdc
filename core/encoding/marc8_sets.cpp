// SPDX-License-Identifier: MIT
#include "marc8_sets.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>

namespace marc {
namespace {

constexpr std::size_t kEntries = 128;
constexpr std::array<std::uint32_t, kEntries> kNothing{};

char32_t find_code(std::span<const tables::EaccCode> codes, std::uint32_t code) {
  const auto found = std::find_if(codes.begin(), codes.end(), [code](const auto &entry) { return entry.code == code; });
  return found == codes.end() ? 0 : found->character;
}

} // namespace

const std::uint32_t *entries_of_set(std::uint32_t name) {
  for (std::size_t i = 0; i < tables::kSetCount; ++i)
    if (tables::kSetNames[i] == name) return tables::kSets + i * kEntries;
  return kNothing.data();
}

bool is_known_set(std::uint32_t name) { return name == kEacc || entries_of_set(name) != kNothing.data(); }

char32_t eacc_character(std::uint32_t code) {
  constexpr std::uint32_t kFirsts = 80;
  constexpr std::uint32_t kSeconds = 94;
  const std::uint32_t first = (code >> 16) - 0x21;
  const std::uint32_t second = (code >> 8 & 0xFF) - 0x21;
  if (first >= kFirsts || second >= kSeconds) return 0;
  const std::uint32_t number = tables::kEaccRowIndex[first * kSeconds + second];
  if (number == 0) return 0;
  const tables::EaccRow &row = tables::kEaccRows[number - 1];
  const std::uint32_t third = code & 0xFF;
  if (third < row.first || third > row.last) return 0;
  const std::uint32_t cell = tables::kEaccCells[row.cell + third - row.first];
  return cell != 0 && cell <= tables::kEaccWideCount ? tables::kEaccWide[cell - 1] : cell;
}

char32_t vendor_character(std::uint32_t code) { return find_code(tables::kEaccVendor, code); }
char32_t pymarc_character(std::uint32_t code) { return find_code(tables::kEaccPymarc, code); }

std::span<const tables::SetCode> codes_of(char32_t character) {
  const auto *end = std::end(tables::kSetCodes);
  const auto *first = std::lower_bound(std::begin(tables::kSetCodes), end, character,
                                       [](const auto &entry, char32_t wanted) { return entry.character < wanted; });
  const auto *last = first;
  while (last != end && last->character == character) ++last;
  return {first, last};
}

std::uint32_t eacc_code(char32_t character) {
  if (character > 0xFFFF) {
    for (const tables::EaccCode &wide : tables::kEaccWideCodes)
      if (wide.character == character) return wide.code;
    return 0;
  }
  const tables::EaccBlock &block = tables::kEaccBlocks[character / 32];
  const std::uint32_t bit = 1U << character % 32;
  if ((block.bits & bit) == 0) return 0;
  const std::size_t before = static_cast<std::size_t>(std::popcount(block.bits & (bit - 1)));
  const std::uint8_t *code = tables::kEaccCodes + 3 * (block.first + before);
  return std::uint32_t{code[0]} << 16 | std::uint32_t{code[1]} << 8 | code[2];
}

} // namespace marc
