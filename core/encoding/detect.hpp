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
  void add_marc8(const std::uint8_t *data, std::size_t size, std::size_t at);

  std::size_t sequences_ = 0; // well-formed UTF-8 above ASCII
  std::size_t broken_ = 0;    // bytes above 0x7F that are no part of one
  std::size_t inner_ = 0;     // such bytes that only a damaged sequence has: 0x80 to 0x9F
  std::size_t escapes_ = 0;   // escape sequences of MARC-8
  std::size_t marks_ = 0;     // marks of ANSEL before a letter that can bear them
  std::size_t others_ = 0;    // what speaks against ANSEL: bytes that mean nothing there, marks before anything else
};

} // namespace marc
