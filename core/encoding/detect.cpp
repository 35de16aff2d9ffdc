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

// Whether an escape sequence of MARC-8 begins at data[at].
bool is_escape_sequence(const std::uint8_t *data, std::size_t size, std::size_t at) {
  if (data[at] != kEscape || size - at < 2) return false;
  const std::uint8_t next = data[at + 1];
  if (next == 's' || next == kGreekSymbols || next == kSubscripts || next == kSuperscripts) return true;
  if (next == '$') return size - at > 2;
  const bool is_between = next == '(' || next == ',' || next == ')' || next == '-';
  return is_between && size - at > 2 && (is_known_set(data[at + 2]) || data[at + 2] == '!');
}

// Whether there is such a letter with this mark; halves of double marks stand before any.
bool suits(char32_t mark, std::uint8_t letter) {
  const bool is_half = mark >= 0xFE20 && mark <= 0xFE23;
  return is_half || compose(letter, mark) != 0;
}

} // namespace

void Evidence::add(const std::uint8_t *data, std::size_t size) {
  count_steps(size);
  for (std::size_t at = 0; at < size;) {
    if (data[at] < 0x80) {
      if (is_escape_sequence(data, size, at)) ++escapes_;
      ++at;
      continue;
    }
    const std::size_t length = utf8_sequence(data + at, size - at);
    if (length > 0) {
      ++sequences_;
      at += length;
      continue;
    }
    ++broken_;
    add_marc8(data, size, at);
    ++at;
  }
}

// A byte above 0x7F that is no UTF-8.
void Evidence::add_marc8(const std::uint8_t *data, std::size_t size, std::size_t at) {
  static const std::uint32_t *ansel = entries_of_set(kAnsel);
  const std::uint8_t byte = data[at];
  if (byte == 0xA0) return; // no character of either that would tell
  const bool is_ansel_control = byte == 0x88 || byte == 0x89 || byte == 0x8D || byte == 0x8E;
  if (is_ansel_control) return;
  if (byte < 0xA0) ++inner_;
  const std::uint32_t entry = byte > 0xA0 ? ansel[byte & 0x7F] : 0;
  const std::uint8_t next = at + 1 < size ? data[at + 1] : std::uint8_t{0};
  const bool is_mark = (entry & tables::kCombining) != 0;
  if (entry == 0 || (is_mark && next < 0xA1 && !is_letter(next)))
    others_ += 2; // surely
  else if (is_mark && next < 0xA1 && !suits(entry & 0xFFFF, next))
    ++others_;
  else if (is_mark && next < 0xA1)
    ++marks_;
}

// UTF-8 that is cut or damaged here and there still has sequences; Latin-1 and MARC-8 have them by accident only.
Encoding Evidence::judge(bool says_utf8) const {
  if (broken_ == 0 && escapes_ == 0) return says_utf8 || sequences_ > 0 ? Encoding::Utf8 : Encoding::Marc8;
  if (broken_ == 0 && sequences_ > 0 && says_utf8) return Encoding::Utf8; // a stray ESC
  if (sequences_ > 0 && sequences_ * 4 >= broken_ && escapes_ == 0 && (says_utf8 || sequences_ > broken_))
    return Encoding::Utf8;
  if (escapes_ > 0) return Encoding::Marc8;
  if (says_utf8 && (inner_ > 0 || marks_ + others_ == 0)) return Encoding::Utf8;
  return others_ * 2 > marks_ ? Encoding::Latin1 : Encoding::Marc8;
}

} // namespace marc
