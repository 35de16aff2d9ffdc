// The character sets of MARC-8, and which of them are in use (MARC 21 Specifications, Character Sets: MARC-8).
// SPDX-License-Identifier: MIT
#pragma once

#include <marc/marc.h>

#include "marc8_tables.hpp"
#include "pod_array.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace marc {

// Sets are named by the final byte of the escape sequence that designates them.
constexpr std::uint32_t kAscii = 0x42;
constexpr std::uint32_t kAnsel = 0x45;
constexpr std::uint32_t kEacc = 0x31; // the only one with three bytes to a character
constexpr std::uint32_t kGreekSymbols = 0x67;
constexpr std::uint32_t kSubscripts = 0x62;
constexpr std::uint32_t kSuperscripts = 0x70;
constexpr std::uint32_t kExtendedCyrillic = 0x51;
constexpr std::uint32_t kExtendedArabic = 0x34;

// The sets that bytes mean: up to 0x7F in G0, above it in G1. Every subfield begins in this state.
struct Marc8State {
  std::uint32_t g0 = kAscii;
  std::uint32_t g1 = kAnsel;
};

// A place in a text that could not be converted as it stands.
struct Marc8Finding {
  std::uint64_t offset;
  std::uint32_t code; // the byte, the three bytes of EACC, or the Unicode character
  std::uint32_t kind; // MARC_FINDING_...
  std::uint32_t g0;
  std::uint32_t g1;
};
using Marc8Findings = PodArray<Marc8Finding>;

// Whether the set is one of the tables, EACC included.
bool is_known_set(std::uint32_t name);

// What the seven low bits of a byte mean in a set (entries as in tables::kSets): 128 of them. EACC and sets that are
// unknown have nothing.
const std::uint32_t *entries_of_set(std::uint32_t name);

// The character of three bytes of EACC; 0 if none. `vendor`: of the codes that are in no table, but in records.
char32_t eacc_character(std::uint32_t code);
char32_t vendor_character(std::uint32_t code);
// The same where pymarc 5.4 has another character than the table; else 0.
char32_t pymarc_character(std::uint32_t code);

// The codes of a character above U+007F in sets of single bytes, small sets first.
std::span<const tables::SetCode> codes_of(char32_t character);
// Its code in EACC; 0 if none.
std::uint32_t eacc_code(char32_t character);

} // namespace marc
