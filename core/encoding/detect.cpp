// SPDX-License-Identifier: MIT
#include "detect.hpp"

#include "marc8_sets.hpp"
#include "normalize.hpp"
#include "utf8.hpp"

namespace marc {
namespace {

bool is_letter(std::uint8_t byte) {
  const unsigned lower = byte | 0x20U;
  return lower >= 'a' && lower <= 'z';
}

// Whether the ESC at data[at] begins an escape sequence of MARC-8.
bool is_escape_sequence(const std::uint8_t *data, std::size_t size, std::size_t at) {
  if (size - at < 2) return false;
  const std::uint8_t next = data[at + 1];
  if (next == 's' || next == kGreekSymbols || next == kSubscripts || next == kSuperscripts) return true;
  if (next == '$') return size - at > 2;
  const bool is_between = next == '(' || next == ',' || next == ')' || next == '-';
  return is_between && size - at > 2 && (is_known_set(data[at + 2]) || data[at + 2] == '!');
}

bool is_small(std::uint8_t byte) { return byte >= 'a' && byte <= 'z'; }

// What a byte from 0xE0 on (a mark of ANSEL, a small letter of Latin-1) and the one behind it say: how much more frequent
// the two are in MARC-8 than in Latin-1, as a power of two. Digits speak for MARC-8, a to i (1 to 9) for Latin-1. Columns:
// the letters a to z, anything else, another such byte. Counted in 16 000 records of the Library of Congress, written in
// both encodings (tools/count_marks.py).
constexpr const char *kPairs[] = {
    "1bcc0cbbabbcddabbddd1cbbbbhb", // E0
    "7ffe4gfcaddhei3ccgfg0fbdagfd", // E1
    "904a9abb8b0bc29aa07d6abb43e1", // E2
    "5bbb2abb4bbbbbcbbbba2babbbe3", // E3
    "5dggafhggbdgf00cchgifcbcccfd", // E4
    "9bbd7bcb9bdcac9abedb9bbbabe5", // E5
    "5b0c0b3b9accac5bbecc5dababea", // E6
    "gb0b6b252bba06cbbb1a2bbb25eg", // E7
    "8cgd6ae16abdgf8aghhd8fbaabeb", // E8
    "fiaichfedcehifghdebhfhbib1id", // E9
    "3bdbbbbbbbbbegabcbef3dbbbbeb", // EA
    "0bbcbbbb9bbfcabebfd4acbbb3hb", // EB
    "8bbb3b340baba00aba8b7abbbbea", // EC
    "ieggdfhbbbdeeigddgggbebbadgb", // ED
    "abbbbbbabbbedd4bbabe2bbbbbeb", // EE
    "acccdcbb4bcb1bbbcdeebebbbbea", // EF
    "db7bbbbbdbbbcb0bbb3abbbbbbeb", // F0
    "baababbbccbbbbibbbba0bbbbbec", // F1
    "1bb6acb81b72541bb16806bbb4e3", // F2
    "bddgbdgbccehhibgchgaccfbb0ic", // F3
    "cbbbbbbbbbbdeebcb3bfbbbbbbeb", // F4
    "bbbbdba0ababbb1bbbbbaabbbbeb", // F5
    "bdeccgbacd0efbcfbdddbddccbeb", // F6
    "abab0bababbab0bbbb54bbbbbbeb", // F7
    "aeacbbdbcbdebe5bbgbcbccbdbeb", // F8
    "bbbbbbbabbbbcbbbbbbbbbbbbbeb", // F9
    "bhdeabbbbdbfefbcceedbbbbbdge", // FA
    "bbbbbbbb1bbcbbbbbcbdbbbbbbeb", // FB
    "bihgfdfhcbdheibcbiggbbbbbdge", // FC
    "bbbbbbbbbbbbbbbbbbcbbbbbbbeb", // FD
    "abbaabbabbb0bbabbbaabbbbbbec", // FE
};

int weight_of_pair(std::uint8_t byte, std::uint8_t next) {
  const unsigned column = is_letter(next) ? (next | 0x20U) - 'a' : next >= 0xE0 ? 27 : 26;
  const char weight = kPairs[byte - 0xE0][column];
  return weight <= '9' ? weight - '0' : 'a' - 1 - weight;
}

// Whether there is such a letter with this mark: in MARC-8 it may be seldom, and is no surprise.
bool suits(std::uint8_t mark, std::uint8_t letter) {
  static const std::uint32_t *ansel = entries_of_set(kAnsel);
  return is_letter(letter) && compose(letter, ansel[mark & 0x7F] & 0xFFFF) != 0;
}

constexpr int kSign = 3;   // weight of a sign or letter that stands where it should only in one of the two
constexpr int kBelief = 4; // weight of a leader that says MARC-8, and 1 more for each byte

} // namespace

void Evidence::add(const std::uint8_t *data, std::size_t size) {
  for (std::size_t at = find_byte(data, kEscape, 0, size); at < size; at = find_byte(data, kEscape, at + 1, size))
    if (is_escape_sequence(data, size, at)) ++escapes_;
  for (std::size_t at = find_high(data, 0, size); at < size; at = find_high(data, at, size)) {
    const std::size_t length = utf8_sequence(data + at, size - at);
    if (length > 0) {
      ++sequences_;
      at += length;
      continue;
    }
    ++broken_;
    weigh(data, size, at);
    ++at;
  }
}

// A byte above 0x7F that is no UTF-8. Letters of ANSEL (0xA1 to 0xBD) stand in words; in Latin-1 they are signs, and stand
// alone. Signs of ANSEL (0xC0 to 0xC8) stand alone; in Latin-1 they are capitals.
void Evidence::weigh(const std::uint8_t *data, std::size_t size, std::size_t at) {
  static const std::uint32_t *ansel = entries_of_set(kAnsel);
  const std::uint8_t byte = data[at];
  const bool is_first = at == 0 || (at > 1 && data[at - 2] == kSubfieldMark); // behind its code
  const std::uint8_t before = is_first ? std::uint8_t{0} : data[at - 1];
  const std::uint8_t next = at + 1 < size ? data[at + 1] : std::uint8_t{0};
  if (byte < 0xA1) { // an 0xA0 tells nothing, nor do the controls of MARC-8
    const bool is_control = byte == 0x88 || byte == 0x89 || byte == 0x8D || byte == 0x8E;
    if (byte < 0xA0 && !is_control) ++inner_;
    return;
  }
  if (byte >= 0xC2 && byte <= 0xC8 && (at + 1 == size || next == kSubfieldMark)) return; // UTF-8 that was cut off?
  ++weighed_;
  if (byte >= 0xE0 && byte < 0xFF) {
    const int weight = weight_of_pair(byte, next);
    for_marc8_ += weight;
    against_leader_ += weight < 0 && suits(byte, next) ? 1 : -weight;
  } else if (ansel[byte & 0x7F] == 0) {
    weigh_sign(-2 * kSign);
  } else if (byte <= 0xBF) {
    const bool in_word = is_letter(before) || is_letter(next);
    weigh_sign(in_word ? kSign : -kSign);
  } else {
    const bool begins_word = is_small(next) && !is_letter(before);
    weigh_sign(begins_word ? -kSign : kSign);
  }
}

// UTF-8 that is cut or damaged here and there still has sequences; Latin-1 and MARC-8 have them by accident only.
Encoding Evidence::judge(bool says_utf8) const {
  if (broken_ == 0 && escapes_ == 0) return says_utf8 || sequences_ > 0 ? Encoding::Utf8 : Encoding::Marc8;
  if (broken_ == 0 && sequences_ > 0 && says_utf8) return Encoding::Utf8; // a stray ESC
  if (sequences_ > 0 && sequences_ * 4 >= broken_ && escapes_ == 0 && (says_utf8 || sequences_ > broken_))
    return Encoding::Utf8;
  if (escapes_ > 0) return Encoding::Marc8;
  if (says_utf8 && (inner_ > 0 || weighed_ == 0)) return Encoding::Utf8;
  const bool is_latin1 = says_utf8 ? for_marc8_ < 0 : against_leader_ > kBelief + static_cast<std::int64_t>(weighed_);
  return is_latin1 ? Encoding::Latin1 : Encoding::Marc8;
}

} // namespace marc
