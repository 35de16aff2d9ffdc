// UTF-8 -> MARC-8.
// SPDX-License-Identifier: MIT
#pragma once

#include <marc/marc.h>

#include "marc8_sets.hpp"
#include "normalize.hpp"
#include "pod_array.hpp"

#include <cstddef>
#include <cstdint>

namespace marc {

// What becomes of a character that MARC-8 does not have: marc.h, MARC_UNMAPPABLE_...
enum class Unmappable : std::uint8_t {
  Error = MARC_UNMAPPABLE_ERROR,
  Reference = MARC_UNMAPPABLE_REFERENCE,
  Replace = MARC_UNMAPPABLE_REPLACE
};

// Encodes texts, one after another. It is kept for its memory only.
class Marc8Encoder {
public:
  explicit Marc8Encoder(Unmappable unmappable) : unmappable_(unmappable) {}

  // Appends the text, which must be valid UTF-8, to `out`. It begins and ends with ASCII in G0 and ANSEL in G1, and is so
  // before each delimiter in it. Characters that MARC-8 does not have go to `findings`, with their offsets in the text.
  // False at the first one, if it is an error.
  bool encode(const std::uint8_t *data, std::size_t size, PodArray<std::uint8_t> &out, Marc8Findings &findings);

private:
  // How a character is written; set 0: not at all.
  struct Code {
    std::uint32_t set;
    std::uint32_t code;
    bool combining;
  };

  void split(Letter letter);
  bool join(char32_t mark);
  std::size_t cluster_end(std::size_t begin) const;
  bool put_cluster(std::size_t begin, std::size_t end);
  bool put_lost(const Letter &letter);
  void put_mark(char32_t mark);
  void put_code(const Code &code);
  Code choose(char32_t character, char32_t next) const;
  Code choose_other(char32_t character, char32_t next) const;
  void use(std::uint32_t set);
  void use_g0(std::uint32_t set);
  void use_g1(std::uint32_t set);
  void reset();
  void put(std::uint32_t byte) { out_->push(static_cast<std::uint8_t>(byte)); }

  Unmappable unmappable_;
  Marc8State state_;
  Letters letters_;
  Letters parts_; // the letters, taken apart as far as MARC-8 wants it
  PodArray<std::uint8_t> *out_ = nullptr;
  Marc8Findings *findings_ = nullptr;
  std::uint8_t right_half_ = 0; // of a double mark, to stand before the next base
};

} // namespace marc
