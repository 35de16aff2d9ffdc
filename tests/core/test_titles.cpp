// Titles of a batch as one text.
// SPDX-License-Identifier: MIT
#include "titles.hpp"

#include "batches.hpp"
#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

struct Titles {
  std::vector<std::string> entries; // "\x1f" for an absent one
  bool splits;
};

Titles titles_of(const std::vector<std::string> &pieces) {
  std::string all;
  for (const std::string &piece : pieces) all += piece;
  OpenBatch open(all);
  for (std::size_t at = 0; at < all.size();) at += open.add_piece(at, true);
  BOOST_TEST_REQUIRE(open.batch.size() == pieces.size());
  const marc::Text text = marc::batch_titles(open.batch);
  BOOST_TEST_REQUIRE(text.start.size() == pieces.size() + 1);
  BOOST_TEST_REQUIRE(text.start[pieces.size()] == text.data.size());
  Titles titles{{}, text.splits};
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    BOOST_TEST_REQUIRE(text.start[i] < text.start[i + 1]);
    BOOST_TEST_REQUIRE(text.data[text.start[i + 1] - 1] == 0x1D);
    titles.entries.push_back(text_of(text.data.data() + text.start[i], text.start[i + 1] - text.start[i] - 1));
  }
  return titles;
}

std::string title_of(const std::vector<Field> &fields, const Form &form = {}) {
  return titles_of({record(fields, form)}).entries[0];
}

std::string title_of(const std::string &field, const Form &form = {}) {
  return title_of({{"001", "id"}, {"245", marc_of(field)}}, form);
}

const std::string kAbsent = "\x1f";
const Form kMarc8{.head = "nam  22"};

} // namespace

BOOST_AUTO_TEST_CASE(title_and_rest_of_title) {
  BOOST_TEST(title_of("10$aTitle") == "Title");
  BOOST_TEST(title_of("10$aTitle :$bthe rest /$cby whom") == "Title : the rest /");
  BOOST_TEST(title_of("10$bthe rest$aTitle") == "Title the rest");  // in whatever order
  BOOST_TEST(title_of("10$aOne$aTwo$bThree$bFour") == "One Three"); // the first of each
  BOOST_TEST(title_of("10$cx$aTitle") == "Title");
}

BOOST_AUTO_TEST_CASE(titles_that_are_empty_or_absent) {
  BOOST_TEST(title_of("10$a") == "");
  BOOST_TEST(title_of("10$a$bthe rest") == ""); // as pymarc has it
  BOOST_TEST(title_of("10$aTitle$b") == "Title");
  BOOST_TEST(title_of("10$bno a") == kAbsent);
  BOOST_TEST(title_of("10") == kAbsent);
  BOOST_TEST(title_of("10$Aother case") == kAbsent);
  BOOST_TEST(title_of({{"001", "id"}}) == kAbsent);
  BOOST_TEST(title_of({{"246", marc_of("10$aother title")}}) == kAbsent);
}

BOOST_AUTO_TEST_CASE(only_the_first_245_counts) {
  BOOST_TEST(title_of({{"245", marc_of("10$bno a")}, {"245", marc_of("10$aTitle")}}) == kAbsent);
  BOOST_TEST(title_of({{"245", marc_of("10$aOne")}, {"245", marc_of("10$aTwo")}}) == "One");
}

BOOST_AUTO_TEST_CASE(encodings) {
  BOOST_TEST(title_of("10$acaf\xc3\xa9$b\xe2\x82\xac") == "caf\xc3\xa9 \xe2\x82\xac");
  BOOST_TEST(title_of("10$acaf\xe2"s + "e$b\xff", kMarc8) == "caf\xc3\xa9  "); // MARC-8
  BOOST_TEST(title_of("10$acaf\xc3\xa9", kMarc8) == "caf\xc2\xa9\xe2\x99\xad");
}

BOOST_AUTO_TEST_CASE(one_entry_for_each_piece) {
  const std::string bad = record({{"245", marc_of("10$abad \xff")}});
  const Titles titles = titles_of({titled("One"), bad, titled("Two"), record({{"001", "none"}}), "junk"});
  BOOST_TEST(titles.splits);
  BOOST_TEST(titles.entries ==
                 (std::vector<std::string>{"One with notes", kAbsent, "Two with notes", kAbsent, kAbsent}),
             boost::test_tools::per_element());
  BOOST_TEST(titles_of({}).entries.empty());
}

BOOST_AUTO_TEST_CASE(a_title_that_holds_the_terminator) {
  const Titles titles = titles_of({titled("One"), titled(marc_of("a % b")), titled("Two")});
  BOOST_TEST(!titles.splits);
  BOOST_TEST(titles.entries[1] == "a \x1d b with notes");
  BOOST_TEST(titles.entries[2] == "Two with notes");
  BOOST_TEST(!titles_of({record({{"245", marc_of("10$aX$bY%")}})}).splits);
  BOOST_TEST(titles_of({record({{"245", marc_of("10$aX%")}}, kMarc8)}).splits); // a control character of MARC-8
  BOOST_TEST(titles_of({record({{"245", marc_of("10$aX$cnot in it %")}})}).splits);
}

BOOST_AUTO_TEST_CASE(many_long_titles) {
  std::vector<std::string> pieces;
  for (std::size_t i = 0; i < 300; ++i) pieces.push_back(titled(std::string(i * 3, 't')));
  const Titles titles = titles_of(pieces);
  for (std::size_t i = 1; i < 300; ++i)
    BOOST_TEST_REQUIRE(titles.entries[i] == std::string(i * 3, 't') + " with notes");
  BOOST_TEST(titles.entries[0] == ""); // $a without a letter
}
