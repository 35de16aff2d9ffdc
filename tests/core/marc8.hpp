// Texts from MARC-8 and into it, with what was found on the way.
// SPDX-License-Identifier: MIT
#pragma once

#include "encoding/marc8_decode.hpp"
#include "encoding/marc8_encode.hpp"
#include "make.hpp"
#include "utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>

namespace test {

// One character in UTF-8.
inline std::string utf8_of(char32_t character) {
  std::uint8_t bytes[4];
  return text_of(bytes, marc::put_utf8(character, bytes));
}

// "unmapped 3+0x213030 g0=1 g1=E": each finding with its offset, its code and the sets in use; separated by "; ".
inline std::string findings_text(const marc::Marc8Findings &findings) {
  std::string words;
  for (const marc::Marc8Finding &finding : findings) {
    const char *kind = finding.kind == MARC_FINDING_UNMAPPED ? "unmapped"
                       : finding.kind == MARC_FINDING_CUT    ? "cut"
                       : finding.kind == MARC_FINDING_ESCAPE ? "escape"
                       : finding.kind == MARC_FINDING_ORPHAN ? "orphan"
                                                             : "?";
    std::ostringstream code;
    code << std::hex << finding.code;
    words += (words.empty() ? "" : "; ") + std::string(kind) + " " + std::to_string(finding.offset) + "+0x" +
             code.str() + " g0=" + static_cast<char>(finding.g0) + " g1=" + static_cast<char>(finding.g1);
  }
  return words;
}

struct Decoded {
  std::string text;
  std::string findings;
  bool whole; // it was read to its end
  marc::Marc8State state;
};

inline Decoded decoded(std::string_view marc8, marc::Marc8Rule rule, marc::Marc8State state = {},
                       std::size_t most_findings = SIZE_MAX) {
  const Exact bytes(marc8);
  marc::Marc8Decoder decoder(rule, most_findings);
  marc::PodArray<std::uint8_t> out;
  marc::Marc8Findings findings;
  const bool whole = decoder.decode(bytes.data(), bytes.size(), state, out, findings);
  return {text_of(out.data(), out.size()), findings_text(findings), whole, state};
}

struct Encoded {
  std::string marc8;
  std::string findings;
  bool whole;
};

inline Encoded encoded(std::string_view text, marc::Unmappable unmappable = marc::Unmappable::Error) {
  const Exact bytes(text);
  marc::Marc8Encoder encoder(unmappable);
  marc::PodArray<std::uint8_t> out;
  marc::Marc8Findings findings;
  const bool whole = encoder.encode(bytes.data(), bytes.size(), out, findings);
  return {text_of(out.data(), out.size()), findings_text(findings), whole};
}

} // namespace test
