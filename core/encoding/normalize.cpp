// SPDX-License-Identifier: MIT
#include "normalize.hpp"

#include "bytes.hpp"
#include "unicode_tables.hpp"
#include "utf8.hpp"

#include <algorithm>
#include <iterator>

namespace marc {
namespace {

// Hangul syllables are put together by arithmetic (The Unicode Standard, 3.12).
constexpr char32_t kSyllable = 0xAC00;
constexpr char32_t kLead = 0x1100;
constexpr char32_t kVowel = 0x1161;
constexpr char32_t kTail = 0x11A7; // one before the first
constexpr char32_t kLeads = 19;
constexpr char32_t kVowels = 21;
constexpr char32_t kTails = 28;

constexpr char32_t kFirstMark = 0x300; // below it everything is normal and has class 0, but for what decomposes
constexpr char32_t kFirstComposite = 0xC0;

void push_decomposed(Letters &to, Letter letter) {
  const Pair parts = decompose(letter.character);
  if (parts.first == 0) {
    to.push(letter);
    return;
  }
  push_decomposed(to, {parts.first, letter.offset});
  if (parts.second != 0) push_decomposed(to, {parts.second, letter.offset});
}

// Sorts each run of marks by class; equal ones stay in order.
void reorder(Letters &letters) {
  for (std::size_t begin = 0; begin < letters.size(); ++begin) {
    count_steps(1);
    if (combining_class(letters[begin].character) == 0) continue;
    std::size_t end = begin;
    while (end < letters.size() && combining_class(letters[end].character) != 0) ++end;
    count_steps((end - begin) * std::bit_width(end - begin));
    std::stable_sort(&letters[begin], &letters[begin] + (end - begin), [](const Letter &a, const Letter &b) {
      return combining_class(a.character) < combining_class(b.character);
    });
    begin = end - 1;
  }
}

// Composes marks and letters with the last starter before them, unless one between is of their class or above.
void compose_all(Letters &letters) {
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t starter = kNone;
  std::size_t kept = 0;
  int last = -1; // class of the letter kept last, behind the starter
  for (std::size_t i = 0; i < letters.size(); ++i) {
    count_steps(1);
    const Letter letter = letters[i];
    const int own = combining_class(letter.character);
    if (starter != kNone && last < own) {
      const char32_t both = compose(letters[starter].character, letter.character);
      if (both != 0) {
        letters[starter].character = both;
        continue;
      }
    }
    if (own == 0) {
      starter = kept;
      last = -1;
    } else {
      last = own;
    }
    letters[kept++] = letter;
  }
  letters.shrink(kept);
}

} // namespace

std::uint8_t combining_class(char32_t character) {
  if (character < kFirstMark) return 0;
  const auto *end = std::end(tables::kClassRanges);
  const auto *range = std::lower_bound(std::begin(tables::kClassRanges), end, character,
                                       [](const auto &entry, char32_t wanted) { return entry.last < wanted; });
  return range != end && range->first <= character ? static_cast<std::uint8_t>(range->combining_class) : 0;
}

Pair decompose(char32_t character) {
  if (character < kFirstComposite) return {0, 0};
  const char32_t syllable = character - kSyllable;
  if (syllable < kLeads * kVowels * kTails) {
    const char32_t tail = syllable % kTails;
    if (tail != 0) return {character - tail, kTail + tail};
    return {kLead + syllable / (kVowels * kTails), kVowel + syllable / kTails % kVowels};
  }
  const auto *end = std::end(tables::kDecompositions);
  const auto *entry = std::lower_bound(std::begin(tables::kDecompositions), end, character,
                                       [](const auto &a, char32_t wanted) { return a.character < wanted; });
  if (entry == end || entry->character != character) return {0, 0};
  return {entry->first, entry->second};
}

char32_t compose(char32_t first, char32_t second) {
  if (second < kFirstMark) return 0;
  if (first - kLead < kLeads && second - kVowel < kVowels)
    return kSyllable + ((first - kLead) * kVowels + (second - kVowel)) * kTails;
  const char32_t syllable = first - kSyllable;
  if (syllable < kLeads * kVowels * kTails && syllable % kTails == 0 && second - kTail - 1 < kTails - 1)
    return first + (second - kTail);
  const auto key = [](const auto &entry) { return std::uint64_t{entry.first} << 32 | entry.second; };
  const std::uint64_t wanted = std::uint64_t{first} << 32 | second;
  const auto *end = std::end(tables::kCompositions);
  const auto *entry = std::lower_bound(std::begin(tables::kCompositions), end, wanted,
                                       [&](const auto &a, std::uint64_t value) { return key(a) < value; });
  return entry != end && key(*entry) == wanted ? entry->character : 0;
}

void normalize(Letters &letters, std::size_t begin) {
  Letters work;
  for (std::size_t i = begin; i < letters.size(); ++i) push_decomposed(work, letters[i]);
  reorder(work);
  compose_all(work);
  letters.shrink(begin);
  for (const Letter &letter : work) letters.push(letter);
}

void normalize_utf8(PodArray<std::uint8_t> &text, std::size_t begin) {
  Letters letters;
  for (std::size_t at = begin; at < text.size();) letters.push({next_character(text.data(), at), 0});
  normalize(letters);
  text.shrink(begin);
  for (const Letter &letter : letters) {
    text.reserve_more(4);
    text.commit(put_utf8(letter.character, text.end()));
  }
}

} // namespace marc
