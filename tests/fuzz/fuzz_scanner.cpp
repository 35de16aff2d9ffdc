// The scanner: the same pieces in one window and in windows of any size, and these are the pieces of the plain rule.
// SPDX-License-Identifier: MIT
#include "fuzzing.hpp"

#include "../core/boundary_rule.hpp"
#include "../core/framing.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using fuzz::Input;
using fuzz::require;

// How many bytes come next, where the scanner needs `missing` more.
std::size_t grown(const Input &input, std::size_t missing, test::Random &random) {
  switch (input.how() % 6) {
  case 0:
    return missing;
  case 1:
    return 1;
  case 2:
    return random.one_in(2) ? missing : random.between(1, 40);
  case 3:
    return random.between(1, 10);
  case 4:
    return random.between(1, 300);
  default:
    return random.between(1, 2 * missing + 4096);
  }
}

void check_tiling(std::string_view bytes, const std::vector<test::Part> &pieces) {
  std::size_t at = 0;
  for (const test::Part &piece : pieces) {
    require(piece.begin == at && piece.end > at, "pieces do not follow one another");
    at = piece.end;
  }
  require(at == bytes.size(), "pieces do not cover the input");
}

void check_kept(const std::string &problem) { require(problem.empty(), problem.c_str()); }

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const Input input(data, size);
  const std::string_view bytes = input.bytes();
  const std::size_t largest = input.largest(test::kLargest);

  const test::Framing whole = test::frame_whole(bytes, largest);
  check_kept(whole.broken);
  check_tiling(bytes, whole.pieces);
  if (input.is_easy()) check_kept(test::difference(test::BoundaryRule(bytes, largest).pieces(), whole.pieces));

  test::Random random(input.seed());
  const std::size_t first = random.one_in(2) ? 0 : random.below(bytes.size() + 1);
  const test::Framing windows = test::Framer(bytes, largest, input.flag(0)).run(first, [&](std::size_t missing) {
    return grown(input, missing, random);
  });
  check_kept(test::problem_of(windows, whole.pieces, "in windows"));
  return 0;
}
