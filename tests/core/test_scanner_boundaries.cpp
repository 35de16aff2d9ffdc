// The scanner against the boundary maps that tests/fixtures/generate.py writes beside its files.
// SPDX-License-Identifier: MIT
#include "boundary_map.hpp"
#include "boundary_rule.hpp"
#include "framing.hpp"
#include "make.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

using marc::PieceKind;
using namespace test;

namespace {

constexpr std::array kFixtures{"mixed", "damaged", "marc8", "large"};

// The first pieces of a fixture up to the first end of a record behind `least` bytes.
Fixture beginning_of(const Fixture &whole, std::size_t least) {
  Fixture part;
  for (const Part &piece : whole.pieces) {
    part.pieces.push_back(piece);
    if (piece.end >= least && piece.kind == PieceKind::Record) break;
  }
  part.data = whole.data.substr(0, part.pieces.back().end);
  return part;
}

// Each kind of piece once or more, in a few thousand bytes: the neighbours of each damage are cut down to small records.
Fixture small_fixture() {
  const Fixture damaged = fixture("damaged");
  Fixture small;
  const auto add = [&](PieceKind kind, std::string_view bytes) {
    small.pieces.push_back({kind, small.data.size(), small.data.size() + bytes.size()});
    small.data += bytes;
  };
  const std::string between = titled("between");
  for (std::size_t i = 1; i + 1 < damaged.pieces.size() && small.data.size() < 9000; ++i) {
    const Part &piece = damaged.pieces[i];
    if (piece.kind == PieceKind::Record || piece.end - piece.begin > 1200) continue;
    add(piece.kind, std::string_view(damaged.data).substr(piece.begin, piece.end - piece.begin));
    add(PieceKind::Record, between);
  }
  return small;
}

} // namespace

BOOST_DATA_TEST_CASE(test_delimiter_scanner_all_boundaries, boost::unit_test::data::make(kFixtures), name) {
  const Fixture file = fixture(name);
  BOOST_TEST_REQUIRE(!file.pieces.empty());
  BOOST_TEST_REQUIRE(file.pieces.back().end == file.data.size());
  BOOST_TEST(problem_of(frame_whole(file.data), file.pieces, "whole") == "");
  BOOST_TEST(problem_of(frame_as_asked(file.data), file.pieces, "as asked") == "");
  // At random sizes: small ones, and up to more than a record.
  Random random(4711);
  for (const std::size_t most : {40U, 3000U, 100000U, 300000U}) {
    const Framing framing =
        Framer(file.data, kLargest, random.one_in(2)).run(0, [&](std::size_t) { return random.between(1, most); });
    BOOST_TEST(problem_of(framing, file.pieces, "up to " + std::to_string(most) + " bytes more") == "");
  }
}

BOOST_DATA_TEST_CASE(test_delimiter_scanner_byte_by_byte, boost::unit_test::data::make(kFixtures), name) {
  const Fixture part = beginning_of(fixture(name), 250000);
  BOOST_TEST(problem_of(frame_bytewise(part.data), part.pieces, "byte by byte") == "");
}

BOOST_AUTO_TEST_CASE(test_delimiter_scanner_every_split) {
  const Fixture small = small_fixture();
  BOOST_TEST_REQUIRE(small.pieces.size() > 15U);
  BOOST_TEST(std::count_if(small.pieces.begin(), small.pieces.end(),
                           [](const Part &piece) { return piece.kind == PieceKind::Chunk; }) > 5);
  BOOST_TEST(problem_in_any_window(small.data, small.pieces) == "");
}

BOOST_AUTO_TEST_CASE(test_delimiter_scanner_truncated_tail) {
  const Fixture small = small_fixture();
  for (std::size_t size = 0; size < small.data.size(); ++size) {
    const std::string_view cut = std::string_view(small.data).substr(0, size);
    const Framing framing = frame_whole(cut);
    // Up to the cut record or chunk nothing changes.
    std::vector<Part> expected;
    for (const Part &piece : small.pieces)
      if (piece.end <= size) expected.push_back(piece);
    std::size_t same = 0;
    while (same < expected.size() && same < framing.pieces.size() && expected[same] == framing.pieces[same]) ++same;
    BOOST_TEST_REQUIRE(same + 2 >= expected.size(), "cut at " << size);
    // And every byte is in a piece, as the rule has it.
    const std::vector<Part> by_rule = BoundaryRule(cut).pieces();
    BOOST_TEST_REQUIRE(problem_of(framing, by_rule, "cut at " + std::to_string(size)) == "");
    if (size % 7 == 0) BOOST_TEST_REQUIRE(problem_of(frame_as_asked(cut), by_rule, "as asked") == "");
  }
}

BOOST_AUTO_TEST_CASE(the_plain_rule_agrees_with_the_maps) {
  for (const char *name : {"mixed", "damaged"}) {
    const Fixture part = beginning_of(fixture(name), 300000);
    BOOST_TEST(difference(part.pieces, BoundaryRule(part.data).pieces()) == "");
  }
}
