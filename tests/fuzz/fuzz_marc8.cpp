// Conversion of MARC-8: whatever the bytes, both rules give valid UTF-8 in Normalization Form C, findings lie in the text,
// and what is written comes back. The first control byte chooses the sets at the beginning.
// SPDX-License-Identifier: MIT
#include "fuzzing.hpp"

#include "encoding/marc8_decode.hpp"
#include "encoding/marc8_encode.hpp"
#include "encoding/normalize.hpp"
#include "utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace {

using fuzz::require;
using Text = marc::PodArray<std::uint8_t>;

bool same(const Text &a, const Text &b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

Text normal(const Text &text) {
  Text copy;
  copy.reserve_more(text.size());
  std::copy(text.begin(), text.end(), copy.end());
  copy.commit(text.size());
  marc::normalize_utf8(copy, 0);
  return copy;
}

Text decoded(const std::uint8_t *data, std::size_t size, marc::Marc8Rule rule, std::uint32_t g0) {
  // Memory of just this size: a tool sees what is read behind it.
  const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[size]);
  std::copy_n(data, size, exact.get());
  marc::Marc8Decoder decoder(rule);
  marc::Marc8State state{g0, marc::kAnsel};
  marc::Marc8Findings findings;
  Text text;
  const bool whole = decoder.decode(exact.get(), size, state, text, findings);
  require(whole || rule == marc::Marc8Rule::Pymarc, "the best answer reads every text to its end");
  require(whole || findings.size() > 0, "where reading ends early a finding says why");
  for (const marc::Marc8Finding &finding : findings) require(finding.offset <= size, "findings lie in the text");
  require(marc::is_utf8(text.data(), text.size()), "what was decoded is UTF-8");
  require(text.size() <= 4 * size + 1, "a text grows by four at most");
  require(same(text, normal(text)), "what was decoded is in Normalization Form C");
  return text;
}

bool has_reference(const Text &text) {
  constexpr std::uint8_t kBegin[] = {'&', '#', 'x'};
  return std::search(text.begin(), text.end(), std::begin(kBegin), std::end(kBegin)) != text.end();
}

// Half marks have no code of their own in the best answer.
bool has_half_mark(const Text &text) {
  for (std::size_t at = 0; at < text.size();)
    if (const char32_t c = marc::next_character(text.data(), at); c >= 0xFE20 && c <= 0xFE23) return true;
  return false;
}

void check_writing(const Text &text) {
  for (const auto unmappable : {marc::Unmappable::Error, marc::Unmappable::Reference, marc::Unmappable::Replace}) {
    marc::Marc8Encoder encoder(unmappable);
    marc::Marc8Findings lost;
    Text written;
    const bool whole = encoder.encode(text.data(), text.size(), written, lost);
    require(whole || unmappable == marc::Unmappable::Error, "only an error ends the writing");
    require(whole == (lost.size() == 0 || unmappable != marc::Unmappable::Error), "an error is a finding");
    for (const marc::Marc8Finding &finding : lost) require(finding.offset < text.size(), "findings lie in the text");
    if (!whole || lost.size() > 0 || has_reference(text) || has_half_mark(text)) continue;
    const Text again = decoded(written.data(), written.size(), marc::Marc8Rule::Best, marc::kAscii);
    require(same(again, normal(text)), "what was written comes back");
  }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (size < fuzz::kControl) return 0;
  constexpr std::uint32_t kBegin[] = {marc::kAscii, marc::kEacc, marc::kSuperscripts, 0x4E};
  const std::uint32_t g0 = kBegin[data[0] % 4];
  const std::uint8_t *text = data + fuzz::kControl;
  const std::size_t length = size - fuzz::kControl;
  check_writing(decoded(text, length, marc::Marc8Rule::Pymarc, g0));
  check_writing(decoded(text, length, marc::Marc8Rule::Best, g0));
  if (marc::is_utf8(text, length)) {
    Text given;
    given.reserve_more(length);
    std::copy_n(text, length, given.end());
    given.commit(length);
    check_writing(given);
  }
  return 0;
}
