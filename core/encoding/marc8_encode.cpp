// SPDX-License-Identifier: MIT
#include "marc8_encode.hpp"

#include "bytes.hpp"
#include "utf8.hpp"

#include <algorithm>
#include <array>

namespace marc {
namespace {

constexpr std::uint8_t kLigatureLeft = 0xEB; // double marks have two halves in ANSEL
constexpr std::uint8_t kLigatureRight = 0xEC;
constexpr std::uint8_t kDoubleTildeLeft = 0xFA;
constexpr std::uint8_t kDoubleTildeRight = 0xFB;
constexpr char32_t kLigature = 0x361;
constexpr char32_t kDoubleTilde = 0x360;
// Set in a character that is a subfield code: that is ASCII, and no base of marks, which belong to the value behind it.
constexpr char32_t kCode = 0x80000000;

bool is_double(char32_t character) { return character == kLigature || character == kDoubleTilde; }
bool is_g1_set(std::uint32_t set) { return set == kAnsel || set == kExtendedCyrillic || set == kExtendedArabic; }
bool is_alone(std::uint32_t set) { return set == kGreekSymbols || set == kSubscripts || set == kSuperscripts; }

// Text that stands in every set of G0 and G1: control characters, but for the one that escapes.
bool is_control(char32_t character) { return character < 0x20 && character != kEscape; }

// The bytes of C1 that ANSEL uses; 0 for other characters.
std::uint8_t c1_byte(char32_t character) {
  switch (character) {
  case 0x98:
    return 0x88;
  case 0x9C:
    return 0x89;
  case 0x200D:
    return 0x8D;
  case 0x200C:
    return 0x8E;
  default:
    return 0;
  }
}

bool has_code(char32_t character) {
  if (character < 0x80) return character != kEscape && character != 0x7F;
  return is_double(character) || c1_byte(character) != 0 || !codes_of(character).empty() || eacc_code(character) != 0;
}

std::uint32_t entry_of(std::uint32_t set, std::uint32_t code) { return entries_of_set(set)[code & 0x7F]; }

// Marks stand before their base.
bool is_mark(char32_t character) {
  if (is_double(character)) return true;
  const auto codes = codes_of(character);
  if (codes.empty()) return false;
  return (entry_of(tables::kSetNames[codes[0].set], codes[0].code) & tables::kCombining) != 0;
}

// Whether a character of ASCII has the same byte in the set: a blank, digits and punctuation of some.
bool shares_ascii(std::uint32_t set, char32_t character) {
  return set != kEacc && entries_of_set(set)[character] == character;
}

bool is_in(std::uint32_t set, char32_t character) {
  if (character < 0x80) return shares_ascii(set, character);
  const auto codes = codes_of(character);
  return std::any_of(codes.begin(), codes.end(),
                     [set](const auto &code) { return tables::kSetNames[code.set] == set; });
}

} // namespace

bool Marc8Encoder::encode(const std::uint8_t *data, std::size_t size, PodArray<std::uint8_t> &out,
                          Marc8Findings &findings) {
  out_ = &out;
  findings_ = &findings;
  state_ = {};
  right_half_ = 0;
  letters_.clear();
  count_steps(size);
  for (std::size_t at = 0; at < size;) {
    const auto offset = static_cast<std::uint32_t>(at);
    const bool is_code = at > 0 && data[at - 1] == kSubfieldMark && data[at] >= 0x20;
    letters_.push({next_character(data, at) | (is_code ? kCode : 0), offset});
  }
  normalize(letters_);
  parts_.clear();
  for (const Letter &letter : letters_) split(letter);
  for (std::size_t begin = 0; begin < parts_.size();) {
    const std::size_t end = cluster_end(begin);
    if (!put_cluster(begin, end)) return false;
    begin = end;
  }
  reset();
  return true;
}

// A character with a code of its own stays whole.
void Marc8Encoder::split(Letter letter) {
  const Pair parts = has_code(letter.character) ? Pair{0, 0} : decompose(letter.character);
  if (parts.first == 0) {
    if (!join(letter.character)) parts_.push(letter);
    return;
  }
  split({parts.first, letter.offset});
  if (parts.second != 0) split({parts.second, letter.offset});
}

// Some marks have no code, but letters with them have: U+031B. True if the base before it has taken this one.
bool Marc8Encoder::join(char32_t mark) {
  const std::uint8_t own = combining_class(mark);
  if (own == 0 || has_code(mark)) return false;
  std::size_t base = parts_.size();
  for (; base > 0 && combining_class(parts_[base - 1].character) != 0; --base) {
    count_steps(1);
    if (combining_class(parts_[base - 1].character) == own) return false;
  }
  if (base-- == 0) return false;
  const char32_t both = compose(parts_[base].character, mark);
  if (both == 0 || !has_code(both)) return false;
  parts_[base].character = both;
  return true;
}

// A cluster: one character, and the marks behind it. Marks without a base are alone.
std::size_t Marc8Encoder::cluster_end(std::size_t begin) const {
  std::size_t end = begin + 1;
  const char32_t base = parts_[begin].character;
  if (base < 0x20 || (base & kCode) != 0 || is_mark(base)) return end;
  while (end < parts_.size() && is_mark(parts_[end].character)) ++end;
  return end;
}

bool Marc8Encoder::put_cluster(std::size_t begin, std::size_t end) {
  count_steps(end - begin);
  const bool is_code = (parts_[begin].character & kCode) != 0;
  const Letter base{parts_[begin].character & ~kCode, parts_[begin].offset};
  if (is_control(base.character)) {
    if (is_delimiter(static_cast<std::uint8_t>(base.character))) reset();
    if (state_.g0 == kEacc) use_g0(kAscii);
    right_half_ = 0;
    put(base.character);
    return true;
  }
  const bool lost = is_mark(base.character) || !has_code(base.character) || (is_code && base.character >= 0x80);
  if (lost && unmappable_ == Unmappable::Error) return put_lost(base);
  if (right_half_ != 0) put_code({kAnsel, right_half_, true});
  right_half_ = 0;
  for (std::size_t i = begin + 1; i < end; ++i) put_mark(parts_[i].character);
  if (lost) return put_lost(base);
  put_code(choose(base.character, end < parts_.size() ? parts_[end].character : 0));
  return true;
}

// What MARC-8 does not have. A reference is ASCII.
bool Marc8Encoder::put_lost(const Letter &letter) {
  findings_->push({letter.offset, letter.character, MARC_FINDING_UNMAPPED, state_.g0, state_.g1});
  if (unmappable_ == Unmappable::Error) return false;
  use_g0(kAscii);
  if (unmappable_ == Unmappable::Replace) {
    put('?');
    return true;
  }
  for (const char byte : {'&', '#', 'x'}) put(static_cast<std::uint8_t>(byte));
  const unsigned digits = letter.character > 0xFFFFF ? 6 : letter.character > 0xFFFF ? 5 : 4;
  for (unsigned i = digits; i-- > 0;)
    put(static_cast<std::uint8_t>("0123456789ABCDEF"[letter.character >> (4 * i) & 15]));
  put(';');
  return true;
}

void Marc8Encoder::put_mark(char32_t mark) {
  if (!is_double(mark)) {
    put_code(choose(mark, 0));
    return;
  }
  put_code({kAnsel, mark == kLigature ? kLigatureLeft : kDoubleTildeLeft, true});
  right_half_ = mark == kLigature ? kLigatureRight : kDoubleTildeRight;
}

void Marc8Encoder::put_code(const Code &code) {
  if (code.set == 0) { // C1, the same in every state but among three bytes
    if (state_.g0 == kEacc) use_g0(kAscii);
    put(code.code);
  } else if (code.set == kEacc) {
    use_g0(kEacc);
    for (const unsigned shift : {16U, 8U, 0U}) put(code.code >> shift & 0xFF);
  } else {
    use(code.set);
    put(is_g1_set(code.set) ? code.code | 0x80 : code.code & 0x7F);
  }
}

// The code of a character that has one: in a set that is in use, if possible. `next`: what will follow.
Marc8Encoder::Code Marc8Encoder::choose(char32_t character, char32_t next) const {
  if (character < 0x80) {
    const bool stays = shares_ascii(state_.g0, character);
    return {stays ? state_.g0 : kAscii, character, false};
  }
  if (const std::uint8_t byte = c1_byte(character)) return {0, byte, false};
  for (const tables::SetCode &known : codes_of(character)) {
    const std::uint32_t set = tables::kSetNames[known.set];
    if (set == state_.g0 || set == state_.g1) return {set, known.code, false};
  }
  return choose_other(character, next);
}

// A set that has the next character too, or else the smallest one.
Marc8Encoder::Code Marc8Encoder::choose_other(char32_t character, char32_t next) const {
  const auto codes = codes_of(character);
  const std::uint32_t eacc = eacc_code(character);
  if (state_.g0 == kEacc && eacc != 0) return {kEacc, eacc, false};
  for (const tables::SetCode &known : codes)
    if (next >= 0x80 && is_in(tables::kSetNames[known.set], next))
      return {tables::kSetNames[known.set], known.code, false};
  if (!codes.empty()) return {tables::kSetNames[codes[0].set], codes[0].code, false};
  return {kEacc, eacc, false};
}

void Marc8Encoder::use(std::uint32_t set) {
  if (is_g1_set(set))
    use_g1(set);
  else
    use_g0(set);
}

void Marc8Encoder::use_g0(std::uint32_t set) {
  if (state_.g0 == set) return;
  const bool from_alone = is_alone(state_.g0);
  state_.g0 = set;
  put(kEscape);
  if (is_alone(set)) {
    put(set);
  } else if (set == kAscii && from_alone) {
    put('s');
  } else {
    put(set == kEacc ? '$' : '(');
    put(set);
  }
}

// Not every reader looks for G1 while EACC is in G0.
void Marc8Encoder::use_g1(std::uint32_t set) {
  if (state_.g0 == kEacc) use_g0(kAscii);
  if (state_.g1 == set) return;
  state_.g1 = set;
  put(kEscape);
  put(')');
  if (set == kAnsel) put('!');
  put(set);
}

// G1 first: some readers take the byte behind ESC s for a character, whatever it is.
void Marc8Encoder::reset() {
  use_g1(kAnsel);
  use_g0(kAscii);
}

} // namespace marc
