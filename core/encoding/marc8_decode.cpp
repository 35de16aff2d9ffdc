// SPDX-License-Identifier: MIT
#include "marc8_decode.hpp"

#include "bytes.hpp"
#include "utf8.hpp"

#include <algorithm>

namespace marc {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::size_t kMostGrowth = 3; // bytes of UTF-8 for a byte

// Positions in a block of the bytes that are not ASCII text: control characters, 0x7F and above; and references begin
// with an ampersand.
std::uint32_t other_bytes(const std::uint8_t *at) {
#if defined(__SSE2__)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i *>(at));
  const __m128i text = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(0x1F));
  const __m128i stop =
      _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('&')));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_andnot_si128(stop, text))) ^ 0xFFFF;
#else
  std::uint32_t mask = 0;
  for (std::uint32_t i = 0; i < kBlock; ++i)
    mask |= static_cast<std::uint32_t>(at[i] < 0x20 || at[i] >= 0x7F || at[i] == '&') << i;
  return mask;
#endif
}

bool is_text(std::uint8_t byte) { return byte >= 0x20 && byte < 0x7F && byte != '&'; }
bool is_inner_eacc(std::uint8_t byte) { return byte >= 0x20 && byte < 0x80; }
bool is_half_mark(std::uint32_t entry) { return (entry & ~std::uint32_t{3}) == (0xFE20 | tables::kCombining); }

int hex_value(std::uint8_t byte) {
  if (is_digit(byte)) return byte - '0';
  const int letter = byte | 0x20;
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// Delimiters would be read as structure, and surrogates are no characters.
bool may_be_referenced(char32_t character) {
  return character >= 0x20 && character <= 0x10FFFF && (character < 0xD800 || character > 0xDFFF);
}

// What the tables give the C1 bytes that they have; 0 for the others.
char32_t c1_character(std::uint8_t byte) {
  switch (byte) {
  case 0x88:
    return 0x98; // non-sorting characters begin
  case 0x89:
    return 0x9C; // and end
  case 0x8D:
    return 0x200D; // joiner
  case 0x8E:
    return 0x200C; // nonjoiner
  default:
    return 0;
  }
}

} // namespace

bool Marc8Decoder::decode(const std::uint8_t *data, std::size_t size, Marc8State &state, PodArray<std::uint8_t> &out,
                          Marc8Findings &findings) {
  count_steps(size);
  data_ = data;
  size_ = size;
  at_ = 0;
  state_ = &state;
  findings_ = &findings;
  findings_before_ = findings.size();
  set_g0(state.g0);
  set_g1(state.g1);
  joined_ = ligature_ = double_tilde_ = false;
  marks_.clear();
  const std::size_t begin = out.size();
  out.reserve_more(kMostGrowth * size + 1);
  to_ = out.end();
  const bool whole = run();
  if (whole) end_marks();
  out.commit(static_cast<std::size_t>(to_ - out.end()));
  if (joined_) normalize_utf8(out, begin);
  return whole;
}

bool Marc8Decoder::run() {
  while (at_ < size_) {
    if (state_->g0 == kAscii && marks_.size() == 0) {
      copy_ascii();
      if (at_ == size_) break;
    }
    Step step = Step::Character;
    if (data_[at_] == kEscape) step = best_ ? escape_as_tables() : escape_as_pymarc();
    if (step == Step::End) return false;
    if (step == Step::Character) character();
  }
  return true;
}

// Most of all texts: bytes that are their own UTF-8.
void Marc8Decoder::copy_ascii() {
  while (left() >= kBlock) {
    const std::uint32_t others = other_bytes(data_ + at_);
    std::copy_n(data_ + at_, kBlock, to_); // there is room: what is behind the run is written over
    const std::size_t run = others == 0 ? kBlock : static_cast<std::size_t>(std::countr_zero(others));
    at_ += run;
    to_ += run;
    if (run < kBlock) return;
  }
  while (at_ < size_ && is_text(data_[at_])) *to_++ = data_[at_++];
}

void Marc8Decoder::set_g0(std::uint32_t name) {
  state_->g0 = name;
  g0_ = entries_of_set(name);
}

void Marc8Decoder::set_g1(std::uint32_t name) {
  state_->g1 = name;
  g1_ = entries_of_set(name);
}

void Marc8Decoder::find(std::size_t offset, std::uint32_t code, std::uint32_t kind) {
  if (findings_->size() - findings_before_ < most_findings_)
    findings_->push({offset, code, kind, state_->g0, state_->g1});
}

// pymarc gives up.
Marc8Decoder::Step Marc8Decoder::stop() {
  findings_->push({at_ < size_ ? at_ : size_ - 1, kEscape, MARC_FINDING_ESCAPE, state_->g0, state_->g1});
  return Step::End;
}

// An escape sequence as pymarc reads it. Behind one without an intermediate byte it takes a character unseen.
Marc8Decoder::Step Marc8Decoder::escape_as_pymarc() {
  if (left() < 2) return stop();
  const std::uint8_t next = data_[at_ + 1];
  if (next == '(' || next == ',' || next == '$' || next == ')' || next == '-') return designate(next);
  const bool is_known = is_known_set(next);
  if (is_known || next == 's') {
    set_g0(is_known ? next : kAscii);
    at_ += 2;
    if (at_ == size_ && !is_known) return Step::Next;
    if (at_ == size_ && next != kEacc) return stop();
  }
  return Step::Character;
}

// The same with the intermediate byte `next`.
Marc8Decoder::Step Marc8Decoder::designate(std::uint8_t next) {
  const bool is_g1 = next == ')' || next == '-';
  if (left() < 3) {
    if (is_g1) return stop();
    put(kEscape);
    ++at_;
    return Step::Next;
  }
  const std::uint8_t third = data_[at_ + 2];
  // pymarc does not know these two, and loses the characters behind them.
  if (next != '$' && designate_ansel(at_ + 2)) return Step::Next;
  if (next == '$' && (third == ')' || third == '-') && left() > 3 && data_[at_ + 3] == kEacc) {
    set_g1(kEacc);
    at_ += 4;
    return Step::Next;
  }
  if (next == '$' && third == ',') ++at_;
  if (left() < 3) return stop();
  if (is_g1)
    set_g1(data_[at_ + 2]);
  else
    set_g0(data_[at_ + 2]);
  at_ += 3;
  return Step::Next;
}

// ANSEL has two final bytes: !E. They stand at `at`, behind ESC and an intermediate byte.
bool Marc8Decoder::designate_ansel(std::size_t at) {
  if (size_ - at < 2 || data_[at] != '!' || data_[at + 1] != kAnsel) return false;
  const std::uint8_t where = data_[at - 1];
  if (where == ')' || where == '-')
    set_g1(kAnsel);
  else
    set_g0(kAnsel);
  at_ = at + 2;
  return true;
}

// An escape sequence of the specification: ESC [$] ( , ) or -, and the set; or ESC and g, b, p or s alone.
Marc8Decoder::Step Marc8Decoder::escape_as_tables() {
  const auto byte = [this](std::size_t at) { return at < size_ ? data_[at] : std::uint8_t{0}; };
  std::size_t at = at_ + 1;
  const bool many = byte(at) == '$';
  if (many) ++at;
  const std::uint8_t where = byte(at);
  const bool is_g1 = where == ')' || where == '-';
  const bool is_between = is_g1 || where == '(' || where == ',';
  if (is_between && !many && designate_ansel(at + 1)) return Step::Next;
  if (is_between) ++at;
  const std::uint32_t name = !is_between && !many && byte(at) == 's' ? kAscii : byte(at);
  if (!is_known_set(name)) {
    unmapped(byte(at_ + 1), 1, MARC_FINDING_ESCAPE);
    return Step::Next;
  }
  if (is_g1)
    set_g1(name);
  else
    set_g0(name);
  at_ = at + 1;
  return Step::Next;
}

std::uint32_t Marc8Decoder::triple() const {
  return std::uint32_t{data_[at_]} << 16 | std::uint32_t{data_[at_ + 1]} << 8 | data_[at_ + 2];
}

// One character, or a byte that is none.
void Marc8Decoder::character() {
  if (at_ == size_) { // behind an escape sequence that leads into EACC
    find(size_, ' ', MARC_FINDING_CUT);
    base(' ');
    return;
  }
  const std::uint8_t byte = data_[at_];
  if (state_->g1 == kEacc && byte > 0xA0 && high_eacc_character()) return;
  if (state_->g0 == kEacc && eacc_character()) return;
  if (control() || (best_ && byte == '&' && reference())) return;
  single_byte();
}

// EACC in G0. False if the byte is to be read alone: it belongs to G1 (pymarc makes three bytes of it, and a blank), or
// Best takes a control character for what it is.
bool Marc8Decoder::eacc_character() {
  const std::uint8_t byte = data_[at_];
  if (byte > 0xA0 && g1_[byte & 0x7F] != 0) return false;
  if (best_ && byte == ' ') { // no code begins with it
    base(' ');
    ++at_;
    return true;
  }
  if (best_ && (byte < 0x20 || byte >= 0x7F)) return false;
  if (left() < 3) {
    unmapped(' ', left(), MARC_FINDING_CUT);
    return true;
  }
  const std::uint32_t code = triple();
  if (!best_ && (code < 0x20 || (code > 0x80 && code < 0xA0))) {
    at_ += 3;
    return true;
  }
  const char32_t chosen = best_ ? 0 : pymarc_character(code);
  const char32_t found = chosen != 0 ? chosen : marc::eacc_character(code);
  if (found != 0) {
    base(found);
    at_ += 3;
  } else if (const char32_t vendor = vendor_character(code)) {
    if (best_)
      base(vendor);
    else
      put(vendor); // marks go on waiting
    at_ += 3;
  } else {
    const bool whole = !best_ || (is_inner_eacc(data_[at_ + 1]) && is_inner_eacc(data_[at_ + 2]));
    unmapped(whole ? code : byte, whole ? 3 : 1, MARC_FINDING_UNMAPPED);
  }
  return true;
}

// EACC in G1, which pymarc does not know: three bytes with their high bits. False if they are no character.
bool Marc8Decoder::high_eacc_character() {
  if (left() < 3 || data_[at_ + 1] < 0xA0 || data_[at_ + 2] < 0xA0) return false;
  const char32_t found = marc::eacc_character(triple() & 0x7F7F7F);
  if (found == 0) return false;
  base(found);
  at_ += 3;
  return true;
}

// Control characters. (pymarc takes 0x80 for none.)
bool Marc8Decoder::control() {
  const std::uint8_t byte = data_[at_];
  if (byte >= 0x20 && (byte <= 0x80 || byte >= 0xA0)) return false;
  if (best_) {
    const char32_t known = byte < 0x20 ? 0 : c1_character(byte);
    if (byte >= 0x20 && known == 0) return false;
    if (byte < 0x20)
      put(byte);
    else
      base(known);
  }
  ++at_;
  return true;
}

// &#x, one to six hexadecimal digits, and a semicolon: the character that MARC-8 does not have.
bool Marc8Decoder::reference() {
  constexpr std::size_t kMostDigits = 6;
  if (state_->g0 != kAscii || left() < 5 || data_[at_ + 1] != '#' || data_[at_ + 2] != 'x') return false;
  std::size_t at = at_ + 3;
  char32_t character = 0;
  for (; at < size_ && at < at_ + 3 + kMostDigits && hex_value(data_[at]) >= 0; ++at)
    character = character << 4 | static_cast<char32_t>(hex_value(data_[at]));
  if (at == at_ + 3 || at == size_ || data_[at] != ';' || !may_be_referenced(character)) return false;
  joined_ = true;
  if (combining_class(character) == 0)
    base(character);
  else
    put(character);
  at_ = at + 1;
  return true;
}

void Marc8Decoder::single_byte() {
  const std::uint8_t byte = data_[at_];
  std::uint32_t found = 0;
  if (byte < 0x80)
    found = g0_[byte];
  else if (byte > 0xA0)
    found = g1_[byte & 0x7F];
  if (found == 0) {
    unmapped(byte, 1, MARC_FINDING_UNMAPPED);
    return;
  }
  entry(found);
  ++at_;
}

// Bytes that mean nothing.
void Marc8Decoder::unmapped(std::uint32_t code, std::size_t size, std::uint32_t kind) {
  find(at_, code, kind);
  base(best_ ? kReplacement : U' ');
  at_ += size;
}

void Marc8Decoder::entry(std::uint32_t entry) {
  const char32_t character = entry & 0xFFFF;
  if ((entry & tables::kJoins) != 0) joined_ = true;
  if ((entry & tables::kCombining) == 0) {
    base(character);
  } else if (!best_ || !is_half_mark(entry)) {
    mark(character);
  } else {
    // The two halves of a double mark: the left one is the whole mark, and the right one then nothing.
    bool &open = character < 0xFE22 ? ligature_ : double_tilde_;
    const bool is_left = (character & 1) == 0;
    if (is_left)
      mark(character < 0xFE22 ? 0x361 : 0x360);
    else if (!open)
      mark(character);
    open = is_left;
  }
}

void Marc8Decoder::mark(char32_t mark) { marks_.push({mark, static_cast<std::uint32_t>(at_)}); }

// A character that is no mark, and behind it the marks that have waited for it.
void Marc8Decoder::base(char32_t base) {
  if (marks_.size() == 0) {
    put(base);
    return;
  }
  if (marks_.size() == 1 && base < 0x80) {
    const char32_t both = compose(base, marks_[0].character);
    put(both != 0 ? both : base);
    if (both == 0) put(marks_[0].character);
  } else {
    cluster_.clear();
    cluster_.push({base, 0});
    for (const Letter &letter : marks_) cluster_.push(letter);
    normalize(cluster_);
    for (const Letter &letter : cluster_) put(letter.character);
  }
  marks_.clear();
}

void Marc8Decoder::put(char32_t character) { to_ += put_utf8(character, to_); }

// Marks behind which no base has come.
void Marc8Decoder::end_marks() {
  for (const Letter &letter : marks_) find(letter.offset, letter.character, MARC_FINDING_ORPHAN);
  if (best_ && marks_.size() > 0) base(' ');
}

} // namespace marc
