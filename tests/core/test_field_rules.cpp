// What is said of the bytes of one field: the notes, their places, and what rejects the record.
// SPDX-License-Identifier: MIT
#include "field_rules.hpp"

#include "batches.hpp"
#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace std::string_literals;
using namespace test;

namespace {

constexpr bool kUtf8 = true;
constexpr bool kOther = false;

// The verdict and the notes; offsets count from the field. $, ^ and % stand for delimiters.
std::string said_of(const std::string &tag, const std::string &field, bool utf8) {
  const std::string before = "..."; // nothing of it may be looked at
  const std::string text = before + marc_of(field);
  OpenBatch open(text);
  open.add_field(tag, before.size(), text.size() - before.size());
  const std::int32_t status = marc::check_field(open.batch, 0, utf8);
  for (std::size_t i = 0; i < open.batch.notes.size(); ++i) {
    BOOST_TEST(open.batch.notes[i].tag == marc::pack_tag(bytes_of(tag)));
    open.batch.notes[i].tag = 0;
    open.batch.notes[i].offset -= 3;
  }
  const std::string notes = notes_of(open.batch, 0);
  return (status == MARC_OK ? "" : std::string(marc::code_name(status)).substr(5) + ": ") + notes;
}

std::string said_of(const std::string &field, bool utf8) { return said_of("245", field, utf8); }

} // namespace

BOOST_AUTO_TEST_CASE(a_field_as_it_should_be) {
  for (const bool utf8 : {kUtf8, kOther}) {
    BOOST_TEST(said_of("10$aTitle$brest", utf8) == "");
    BOOST_TEST(said_of("  $a", utf8) == "");
    BOOST_TEST(said_of("10", utf8) == ""); // no subfield: two indicators all the same
    BOOST_TEST(said_of("10$a\xc3\xa9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\x9a", utf8) == "");
    BOOST_TEST(said_of("001", "an identifier", utf8) == "");
    BOOST_TEST(said_of("001", "", utf8) == "");
    BOOST_TEST(said_of("005", "  $athis is data, not subfields $", utf8) == "");
  }
}

BOOST_AUTO_TEST_CASE(indicators) {
  BOOST_TEST(said_of("", kUtf8) == "INDICATORS_MISSING 0+0");
  BOOST_TEST(said_of("$aTitle", kUtf8) == "INDICATORS_MISSING 0+7");
  BOOST_TEST(said_of("1", kUtf8) == "INDICATOR_ONE 0+1");
  BOOST_TEST(said_of("1$aTitle", kUtf8) == "INDICATOR_ONE 0+8");
  BOOST_TEST(said_of("100$aTitle", kUtf8) == "INDICATORS_MANY 0+10");
  BOOST_TEST(said_of("text without subfields", kUtf8) == "INDICATORS_MANY 0+22");
  BOOST_TEST(said_of("010", "10$aX", kUtf8) == "");
  BOOST_TEST(said_of("00A", "$aX", kUtf8) == "INDICATORS_MISSING 0+3"); // no control field
}

BOOST_AUTO_TEST_CASE(indicators_must_be_ascii_in_any_encoding) {
  for (const bool utf8 : {kUtf8, kOther}) {
    BOOST_TEST(said_of("\xe9 $aX", utf8) == "BAD_INDICATOR_TEXT: BAD_INDICATOR_TEXT 0+2");
    BOOST_TEST(said_of("1\x80$aX", utf8) == "BAD_INDICATOR_TEXT: BAD_INDICATOR_TEXT 0+2");
    BOOST_TEST(said_of("10\xc3\xa9$aX", utf8) == "BAD_INDICATOR_TEXT: BAD_INDICATOR_TEXT 0+4");
    BOOST_TEST(said_of("10 caf\xc3\xa9", utf8) == "BAD_INDICATOR_TEXT: BAD_INDICATOR_TEXT 0+8");
  }
}

BOOST_AUTO_TEST_CASE(empty_subfields) {
  BOOST_TEST(said_of("10$", kUtf8) == "SUBFIELD_EMPTY 3+0");
  BOOST_TEST(said_of("10$$aX", kUtf8) == "SUBFIELD_EMPTY 3+0");
  BOOST_TEST(said_of("10$aX$", kUtf8) == "SUBFIELD_EMPTY 6+0");
  BOOST_TEST(said_of("10$$$", kUtf8) == "SUBFIELD_EMPTY 3+0; SUBFIELD_EMPTY 4+0; SUBFIELD_EMPTY 5+0");
  BOOST_TEST(said_of("$", kOther) == "INDICATORS_MISSING 0+1; SUBFIELD_EMPTY 1+0");
}

BOOST_AUTO_TEST_CASE(subfield_codes_above_ascii) {
  // Where the whole subfield is UTF-8 its code is the first character, else the first byte.
  for (const bool utf8 : {kUtf8, kOther}) {
    BOOST_TEST(said_of("10$\xc3\xa9X", utf8) == "SUBFIELD_CODE 3+3");
    BOOST_TEST(said_of("10$\xe2\x82\xac", utf8) == "SUBFIELD_CODE 3+3");
    BOOST_TEST(said_of("10$\xf0\x9f\x93\x9aX", utf8) == "SUBFIELD_CODE 3+5");
    BOOST_TEST(said_of("10$\xe9"
                       "abc",
                       utf8) == "SUBFIELD_CODE 3+4");
    BOOST_TEST(said_of("10$\x80", utf8) == "SUBFIELD_CODE 3+1");
  }
  BOOST_TEST(said_of("10$\xe9"
                     "a\xe9",
                     kOther) == "SUBFIELD_CODE 3+3");
  BOOST_TEST(said_of("10$\xe9"
                     "a\xe9",
                     kUtf8) == "BAD_TEXT: SUBFIELD_CODE 3+3; BAD_TEXT 4+2");
  BOOST_TEST(said_of("10$\xc3\xa9X\xff", kUtf8) == "BAD_TEXT: SUBFIELD_CODE 3+4; BAD_TEXT 4+3");
}

BOOST_AUTO_TEST_CASE(text_that_is_not_utf8) {
  BOOST_TEST(said_of("10$acaf\xe9", kUtf8) == "BAD_TEXT: BAD_TEXT 4+4");
  BOOST_TEST(said_of("10$acaf\xe9", kOther) == "");
  BOOST_TEST(said_of("10$aX$b\xed\xa0\x80", kUtf8) == "BAD_TEXT: BAD_TEXT 7+3"); // a surrogate
  BOOST_TEST(said_of("10$a\xc3$b\xa9", kUtf8) == "BAD_TEXT: BAD_TEXT 4+1");      // a character cut by a subfield
  BOOST_TEST(said_of("001", "caf\xe9", kUtf8) == "BAD_TEXT: BAD_TEXT 0+4");
  BOOST_TEST(said_of("001", "caf\xe9", kOther) == "");
  BOOST_TEST(said_of("10$a" + std::string(40, 'x') + "\xff", kUtf8) == "BAD_TEXT: BAD_TEXT 4+41");
}

BOOST_AUTO_TEST_CASE(terminators_inside) {
  BOOST_TEST(said_of("10$aX^Y", kUtf8) == "INNER_TERMINATOR 5+1");
  BOOST_TEST(said_of("10$aX%Y", kUtf8) == "INNER_TERMINATOR 5+1");
  BOOST_TEST(said_of("10$a$b^%^", kUtf8) == "INNER_TERMINATOR 6+1"); // the first one
  BOOST_TEST(said_of("^0$aX", kUtf8) == "INNER_TERMINATOR 0+1");     // as an indicator too
  BOOST_TEST(said_of("001", "a%b", kUtf8) == "INNER_TERMINATOR 1+1");
  BOOST_TEST(said_of("001", "a$b^", kOther) == "INNER_TERMINATOR 3+1");
  BOOST_TEST(said_of("10$a" + std::string(50, 'x') + "^", kUtf8) == "INNER_TERMINATOR 54+1");
}

BOOST_AUTO_TEST_CASE(the_order_of_the_notes) {
  BOOST_TEST(said_of("$^$\xc3\xa9$", kUtf8) ==
             "INNER_TERMINATOR 1+1; INDICATORS_MISSING 0+6; SUBFIELD_CODE 3+2; SUBFIELD_EMPTY 6+0");
  // What rejects the record is the last note.
  BOOST_TEST(said_of("1$aX$\xff$b\xff$", kUtf8) == "BAD_TEXT: INDICATOR_ONE 0+10; SUBFIELD_CODE 5+1; BAD_TEXT 8+1");
  BOOST_TEST(said_of("\xff^$", kUtf8) == "BAD_INDICATOR_TEXT: INNER_TERMINATOR 1+1; BAD_INDICATOR_TEXT 0+2");
}

BOOST_AUTO_TEST_CASE(only_the_field_itself_is_looked_at) {
  const std::string text = "\xff\x1e"
                           "10\x1f"
                           "aX\x1e\xff";
  OpenBatch open(text);
  open.add_field("245", 2, 5);
  BOOST_TEST(marc::check_field(open.batch, 0, true) == MARC_OK);
  BOOST_TEST(open.batch.notes.size() == 0U);
}

BOOST_AUTO_TEST_CASE(notes_belong_to_the_record_that_is_being_added) {
  OpenBatch open("abc");
  open.batch.add_record(0, 1, MARC_OK, 0);
  open.batch.add_record(1, 1, MARC_OK, 0);
  marc::add_note(open.batch, MARC_NOTE_FRAMING, 2, 1);
  BOOST_TEST_REQUIRE(open.batch.notes.size() == 1U);
  BOOST_TEST(open.batch.notes[0].record == 2U);
  BOOST_TEST(open.batch.notes[0].tag == 0U);
}
