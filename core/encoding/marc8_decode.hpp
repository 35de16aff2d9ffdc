// MARC-8 -> UTF-8, in Normalization Form C.
// SPDX-License-Identifier: MIT
#pragma once

#include <marc/marc.h>

#include "marc8_sets.hpp"
#include "normalize.hpp"
#include "pod_array.hpp"

#include <cstddef>
#include <cstdint>

namespace marc {

// Whose answer where the tables leave a choice: marc.h, MARC_PARSE_...
//   Pymarc  control bytes are dropped, what means nothing becomes a blank, double marks become halves (U+FE20 ...),
//           references such as &#x2014; stay as they are, marks without a base are dropped; a cut escape sequence is the
//           end. What pymarc 5.4 loses although the tables have it is decoded all the same.
//   Best    the tables: control characters stay, double marks are U+0360 and U+0361, references are expanded, what means
//           nothing becomes U+FFFD, and a blank bears the marks without a base.
enum class Marc8Rule : std::uint8_t { Pymarc = MARC_PARSE_PYMARC, Best = MARC_PARSE_BEST };

// Decodes texts, one after another. It is kept for its memory only.
class Marc8Decoder {
public:
  // `most_findings`: how many a text may have; further ones are passed over.
  explicit Marc8Decoder(Marc8Rule rule, std::size_t most_findings = SIZE_MAX)
      : best_(rule == Marc8Rule::Best), most_findings_(most_findings) {}

  // Appends the text to `out`, and what could not be converted to `findings`. `state` is where it begins, and then where
  // it has ended. False if it cannot be read to its end, which the last finding says (Pymarc only).
  bool decode(const std::uint8_t *data, std::size_t size, Marc8State &state, PodArray<std::uint8_t> &out,
              Marc8Findings &findings);

private:
  enum class Step : std::uint8_t { Next, Character, End };

  bool run();
  void copy_ascii();
  Step escape_as_pymarc();
  Step designate(std::uint8_t next);
  bool designate_ansel(std::size_t at);
  Step escape_as_tables();
  Step stop();
  void character();
  bool eacc_character();
  bool high_eacc_character();
  bool control();
  bool reference();
  void single_byte();
  void unmapped(std::uint32_t code, std::size_t size, std::uint32_t kind);
  void entry(std::uint32_t entry);
  void mark(char32_t mark);
  void base(char32_t base);
  void put(char32_t character);
  void end_marks();

  void set_g0(std::uint32_t name);
  void set_g1(std::uint32_t name);
  void find(std::size_t offset, std::uint32_t code, std::uint32_t kind);
  std::size_t left() const { return size_ - at_; }
  std::uint32_t triple() const;

  bool best_;
  std::size_t most_findings_;
  std::size_t findings_before_ = 0; // this text
  const std::uint8_t *data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t at_ = 0;
  Marc8State *state_ = nullptr;
  const std::uint32_t *g0_ = nullptr; // entries of the sets in use
  const std::uint32_t *g1_ = nullptr;
  std::uint8_t *to_ = nullptr;
  Marc8Findings *findings_ = nullptr;
  Letters marks_;         // that wait for their base
  Letters cluster_;       // a base and its marks
  bool joined_ = false;   // normalization must look at more than one base and its marks
  bool ligature_ = false; // Best: the left half of a double mark was there, and its right half was not
  bool double_tilde_ = false;
};

} // namespace marc
