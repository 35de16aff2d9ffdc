// How a text is encoded, whatever is said of it.
// SPDX-License-Identifier: MIT
#pragma once

#include "bytes.hpp"

#include <cstddef>
#include <cstdint>

namespace marc {

enum class Encoding : std::uint8_t { Utf8, Marc8, Latin1 };

// What speaks for and against the encodings, in one text after another.
class Evidence {
public:
  // Looks at a text, such as one field: bytes that belong together.
  void add(const std::uint8_t *data, std::size_t size);

  // The most likely one. `says_utf8`: leader/09 is 'a'.
  Encoding judge(bool says_utf8) const;

  bool has_sequences() const { return sequences_ > 0; } // well-formed UTF-8 above ASCII
  bool is_valid_utf8() const { return broken_ == 0; }

private:
  void weigh(const std::uint8_t *data, std::size_t size, std::size_t at);
  void weigh_sign(int for_marc8) {
    for_marc8_ += for_marc8;
    against_leader_ -= for_marc8;
  }

  std::size_t sequences_ = 0;       // well-formed UTF-8 above ASCII
  std::size_t broken_ = 0;          // bytes above 0x7F that are no part of one
  std::size_t inner_ = 0;           // such bytes that only a damaged sequence has: 0x80 to 0x9F
  std::size_t escapes_ = 0;         // escape sequences of MARC-8
  std::size_t weighed_ = 0;         // broken bytes that speak for MARC-8 or Latin-1
  std::int64_t for_marc8_ = 0;      // how much they speak for MARC-8; below 0 for Latin-1
  std::int64_t against_leader_ = 0; // how much for Latin-1, where a leader says MARC-8
};

} // namespace marc
