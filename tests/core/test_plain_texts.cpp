// Values, subfields, shapes and chosen fields of plain records, as texts of a batch.
// SPDX-License-Identifier: MIT
#include "plain_texts.hpp"

#include "batches.hpp"
#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <string>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

using Entries = std::vector<std::string>;

const std::string kAbsent = "\x1f";

Entries entries_of(const marc::Text &text) {
  BOOST_TEST_REQUIRE(text.open() == text.data.size());
  BOOST_TEST(text.splits);
  Entries entries;
  std::uint32_t absent = 0;
  for (std::size_t i = 0; i + 1 < text.start.size(); ++i) {
    BOOST_TEST_REQUIRE(text.data[text.start[i + 1] - 1] == 0x1D);
    entries.push_back(text_of(text.data.data() + text.start[i], text.start[i + 1] - text.start[i] - 1));
    absent += entries.back() == kAbsent ? 1 : 0;
  }
  BOOST_TEST(text.absent == absent);
  return entries;
}

struct Pieces {
  explicit Pieces(const Entries &pieces) : open(joined(pieces)) {
    for (std::size_t at = 0; at < open.batch.length;) at += open.add_piece(at, true);
    BOOST_TEST_REQUIRE(open.batch.size() == pieces.size());
  }
  static std::string joined(const Entries &pieces) {
    std::string all;
    for (const std::string &piece : pieces) all += piece;
    return all;
  }
  OpenBatch open;
};

Entries values_of(const Entries &pieces) { return entries_of(marc::batch_values(Pieces(pieces).open.batch)); }
Entries subfields_of(const Entries &pieces) { return entries_of(marc::batch_subfields(Pieces(pieces).open.batch)); }

Entries fields_of(const Entries &pieces, const Entries &tags) {
  std::vector<std::uint32_t> packed;
  for (const std::string &tag : tags) packed.push_back(marc::pack_tag(bytes_of(tag)));
  return entries_of(marc::batch_fields(Pieces(pieces).open.batch, packed));
}

std::string value_of(const std::string &field) { return values_of({record({{"500", marc_of(field)}})})[0]; }

const std::string kRecord =
    record({{"001", "id 1"}, {"245", marc_of("10$aTitle :$b rest ")}, {"500", marc_of("  $a")}});

} // namespace

BOOST_AUTO_TEST_CASE(values_are_stripped_and_joined) {
  BOOST_TEST(values_of({kRecord}) == (Entries{"id 1\x1eTitle : rest\x1e"}));
  BOOST_TEST(value_of("  $a a $b b$c c") == "a b c");
  BOOST_TEST(value_of("  $a$b $cx") == "  x"); // empty ones are joined too
}

BOOST_AUTO_TEST_CASE(white_space_is_pythons) {
  for (const char *space :
       {"\t", "\n", "\v", "\f", "\r", "\x1c", " ", "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80",
        "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"}) {
    const std::string around = space;
    BOOST_TEST(value_of("  $a" + around + around + "x" + around + "y" + around) == "x" + around + "y");
    BOOST_TEST(value_of("  $a" + around) == "");
  }
  // neighbours of these that are none; and white space's bytes inside other characters
  for (const char *other : {"\b", "\x0e", "\x1b", "!", "\x7f", "\xc2\x84", "\xc2\x86", "\xc3\xa0", "\xe2\x80\x8b",
                            "\xe2\x81\xa0", "\xe3\x80\x81", "\xe1\x9a\x81", "\xe2\x82\xa8", "\xf0\x9f\x80\x80"})
    BOOST_TEST(value_of("  $a"s + other) == other);
}

BOOST_AUTO_TEST_CASE(subfields_have_codes_values_and_data) {
  BOOST_TEST(subfields_of({kRecord}) == (Entries{"aba\x1eTitle :\x1f rest \x1f\x1eid 1"}));
  BOOST_TEST(subfields_of({record({{"245", "10"}})}) == (Entries{"\x1e"}));
  BOOST_TEST(subfields_of({record({{"001", ""}, {"500", marc_of("  $a")}, {"008", "x"}})}) ==
             (Entries{"a\x1e\x1e\x1ex"}));
}

BOOST_AUTO_TEST_CASE(fields_are_chosen_by_tag) {
  BOOST_TEST(fields_of({kRecord}, {"245"}) == (Entries{"245" + marc_of("10$aTitle :$b rest ")}));
  BOOST_TEST(fields_of({kRecord}, {"500", "001"}) == (Entries{"001id 1\x1e"
                                                              "500" +
                                                              marc_of("  $a")})); // in their order
  BOOST_TEST(fields_of({kRecord, kRecord}, {"999"}) == (Entries{"", ""}));
  BOOST_TEST(fields_of({kRecord}, {}) == (Entries{""}));
}

BOOST_AUTO_TEST_CASE(other_records_are_absent) {
  const std::string odd = record({{"245", marc_of("1$aOne indicator")}});
  const std::string marc8 = record({{"245", marc_of("10$a\xe2"s + "e")}}, {.head = "nam  22"});
  const std::string ascii = record({{"245", marc_of("10$aPlain")}}, {.head = "nam  22"});
  const Entries pieces = {kRecord, odd, marc8, ascii, "99999 no record\x1d"};
  BOOST_TEST(values_of(pieces) == (Entries{"id 1\x1eTitle : rest\x1e", kAbsent, "\xc3\xa9", "Plain", kAbsent}));
  BOOST_TEST(fields_of(pieces, {"001"}) == (Entries{"001id 1", kAbsent, "", "", kAbsent}));
  BOOST_TEST(subfields_of(pieces)[3] == "a\x1ePlain");
}

BOOST_AUTO_TEST_CASE(shapes_are_numbered) {
  const Pieces pieces({kRecord, record({{"245", marc_of("10$aAgain")}, {"245", marc_of("1 $aOther")}, {"001", "x"}})});
  std::array<std::uint32_t, 6> shapes{};
  BOOST_TEST_REQUIRE(pieces.open.batch.field_tag.size() == shapes.size());
  const marc::Text text = marc::batch_shapes(pieces.open.batch, shapes.data());
  BOOST_TEST(entries_of(text) == (Entries{"0010", "245102", "500  1", "245101", "2451 1"}));
  BOOST_TEST(shapes == (std::array<std::uint32_t, 6>{0, 1, 2, 3, 4, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_empty_batch) {
  marc::Batch batch;
  batch.clear();
  BOOST_TEST(entries_of(marc::batch_values(batch)).empty());
  BOOST_TEST(entries_of(marc::batch_shapes(batch, nullptr)).empty());
}
