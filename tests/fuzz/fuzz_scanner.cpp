// The scanner: the same pieces in one window and in windows of any size, and these are the pieces of the plain rule.
// SPDX-License-Identifier: MIT
#include "fuzzing.hpp"

#include "../core/boundary_rule.hpp"
#include "../core/framing.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::string_view_literals;
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

// Whether the bytes begin as a compressed file, an archive or ASCII in UTF-16: formats in which 0x1D means nothing.
bool begins_as_foreign(std::string_view bytes) {
  static constexpr std::array kMagic{"\x1f\x8b\x08"sv, "BZh"sv, "\xfd\x37zXZ\0"sv, "\x28\xb5\x2f\xfd"sv,
                                     "PK\x03\x04"sv};
  const auto begins = [bytes](std::string_view magic) { return bytes.starts_with(magic); };
  if (std::any_of(kMagic.begin(), kMagic.end(), begins)) return true;
  if (begins("\xff\xfe") || begins("\xfe\xff")) bytes.remove_prefix(2);
  const auto is_text = [bytes](std::size_t from) {
    for (std::size_t i = from; i < from + 8; i += 2)
      if (bytes[i] < ' ' || bytes[i] > '~' || bytes[i ^ 1] != '\0') return false;
    return true;
  };
  return bytes.size() >= 8 && (is_text(0) || is_text(1));
}

// The pieces of the plain rule; but a foreign beginning goes up to the next verified start, whatever it holds.
std::vector<test::Part> pieces_by_rule(std::string_view bytes, std::size_t largest) {
  const test::BoundaryRule rule(bytes, largest);
  const std::size_t first = rule.behind_silent(0);
  if (rule.verified_start(first) || !begins_as_foreign(bytes.substr(first))) return rule.pieces();
  std::size_t end = first + 1;
  while (end < bytes.size() && !rule.verified_start(end)) ++end;
  if (end < bytes.size()) {
    const std::size_t least = std::max(first + 1, end - std::min<std::size_t>(end, 4096));
    while (end > least && "\0 \t\r\n\x1a\x1d"sv.find(bytes[end - 1]) != std::string_view::npos) --end;
  }
  std::vector<test::Part> pieces;
  if (first > 0) pieces.push_back({marc::PieceKind::Silent, 0, first});
  for (std::size_t at = first; at < end; at += largest)
    pieces.push_back({at == first ? marc::PieceKind::Chunk : marc::PieceKind::More, at, std::min(end, at + largest)});
  for (const test::Part &part : test::BoundaryRule(bytes.substr(end), largest).pieces())
    pieces.push_back({part.kind, end + part.begin, end + part.end});
  return pieces;
}

// A sound record before the input, or behind an 0x1D behind it, is not lost, whatever the input is. And the input is read
// behind it as if it were alone; but only at the beginning can it be of another format.
void check_neighbours(std::string_view bytes, std::size_t largest, const std::vector<test::Part> &pieces) {
  static const std::string neighbour = test::titled("a neighbour");
  const std::string before = std::string(bytes) + '\x1d' + neighbour;
  const test::Part last{marc::PieceKind::Record, before.size() - neighbour.size(), before.size()};
  require(test::frame_whole(before, largest).pieces.back() == last, "the neighbour behind is lost");

  std::vector<test::Part> moved{{marc::PieceKind::Record, 0, neighbour.size()}};
  for (const test::Part &part : pieces)
    moved.push_back({part.kind, neighbour.size() + part.begin, neighbour.size() + part.end});
  const std::vector<test::Part> behind = test::frame_whole(neighbour + std::string(bytes), largest).pieces;
  require(behind.front() == moved.front(), "the neighbour before is lost");
  const bool begins_silent = !pieces.empty() && pieces[0].kind == marc::PieceKind::Silent;
  if (!begins_as_foreign(bytes.substr(begins_silent ? pieces[0].end : 0)))
    require(behind == moved, "a piece that depends on its neighbour");
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
  if (input.is_easy()) check_kept(test::difference(pieces_by_rule(bytes, largest), whole.pieces));

  check_neighbours(bytes, largest, whole.pieces);

  test::Random random(input.seed());
  const std::size_t first = random.one_in(2) ? 0 : random.below(bytes.size() + 1);
  const test::Framing windows = test::Framer(bytes, largest, input.flag(0)).run(first, [&](std::size_t missing) {
    return grown(input, missing, random);
  });
  check_kept(test::problem_of(windows, whole.pieces, "in windows"));
  return 0;
}
