// What pymarc 5.4 makes of bytes that do not frame themselves: how Python reads numbers and cuts slices, and in which
// order the checks come.
// SPDX-License-Identifier: MIT
#include "pymarc_rules.hpp"

#include "batches.hpp"
#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

constexpr std::uint32_t kBefore = 7; // bytes in the batch before the piece

struct Reading {
  std::string verdict;             // "OK", or "BAD_...", with the note that says why, or "notes" of a record
  std::vector<std::string> fields; // tag and bytes
};

Reading read(const std::string &piece, marc::Surroundings around = marc::Surroundings::BytesFollow) {
  OpenBatch open(std::string(kBefore, '\x1d') + piece);
  const std::int32_t status = marc::read_as_pymarc(open.batch, kBefore, piece.size(), around);
  for (std::size_t i = 0; i < open.batch.notes.size(); ++i) open.batch.notes[i].offset -= kBefore;
  Reading reading;
  reading.verdict = status == MARC_OK ? "OK" : std::string(marc::code_name(status)).substr(5);
  if (open.batch.notes.size() > 0) reading.verdict += ": " + notes_of(open.batch, 0);
  for (std::size_t i = 0; i < open.batch.field_tag.size(); ++i)
    reading.fields.push_back(tag_text(open.batch.field_tag[i]) + " " +
                             text_of(open.batch.data + open.batch.field_offset[i], open.batch.field_length[i]));
  return reading;
}

std::string verdict(const std::string &piece, bool is_last = false) {
  return read(piece, is_last ? marc::Surroundings::Last : marc::Surroundings::BytesFollow).verdict;
}

std::string verdict_alone(const std::string &piece) { return read(piece, marc::Surroundings::None).verdict; }

// One field 001 of three bytes, at offset 37.
const std::string kOne = "00042nam a2200037 a 4500001000400000\x1e"
                         "abc\x1e\x1d";

std::string with_length(const std::string &length) { return with(kOne, 0, length); }
std::string with_base(const std::string &base) { return with(kOne, 12, base); }
std::string with_entry(const std::string &length, const std::string &start) { return with(kOne, 27, length + start); }

// Python's text[begin:end].
std::string python_slice(const std::string &text, long begin, long end) {
  const auto clipped = [&](long at) {
    if (at < 0) at += static_cast<long>(text.size());
    return std::min(std::max(at, 0L), static_cast<long>(text.size()));
  };
  const long from = clipped(begin);
  const long to = clipped(end);
  return from < to ? text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from)) : "";
}

} // namespace

// ---- Framing: the five digits of the length ------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_record_itself) {
  const Reading reading = read(kOne);
  BOOST_TEST(reading.verdict == "OK");
  BOOST_TEST(reading.fields == std::vector<std::string>{"001 abc"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(fewer_than_five_bytes) {
  for (const char *piece : {"1", "12", "000", "x\x1d", "0004"}) {
    const std::string length = std::to_string(std::string(piece).size());
    BOOST_TEST(verdict(piece, false) == "BAD_LENGTH: BAD_LENGTH 0+" + length);
    BOOST_TEST(verdict(piece, true) == "BAD_TRUNCATED: BAD_TRUNCATED 0+" + length);
  }
}

BOOST_AUTO_TEST_CASE(a_length_that_python_takes_for_a_number) {
  for (const char *length : {"00042", "   42", "42   ", " 42  ", "+0042", "  +42", "0_042", "00_42", "4_2  ",
                             "\t42\n\r", "\v\f 42", "0_0_0"})
    BOOST_TEST(verdict(with_length(length)) == "OK", length);
}

BOOST_AUTO_TEST_CASE(a_length_that_is_no_number) {
  for (const std::string &length :
       {"     "s, "12x45"s,        "_0042"s,          "0042_"s,        "0__42"s,          "+ 042"s,
        "--042"s, "+-042"s,        "-_042"s,          "    -"s,        "    +"s,          "   _4"s,
        "4 2  "s, "00\0"s + "42"s, "0042\0"s,         "\0"s + "0042"s, "\x1c"s + "0042"s, "0042\x1f"s,
        "42.00"s, "0x02a"s,        "\xb2"s + "0042"s, "4e1  "s,        "\xa0 042"s}) {
    BOOST_TEST(verdict(with_length(length)) == "BAD_LENGTH: BAD_LENGTH 0+5", length);
    BOOST_TEST(verdict(with_length(length), true) == "BAD_LENGTH: BAD_LENGTH 0+5", length);
  }
}

BOOST_AUTO_TEST_CASE(a_length_beyond_the_piece) {
  for (const char *length : {"00043", "99999", "+0043", "   43"}) {
    BOOST_TEST(verdict(with_length(length), false) == "BAD_END_NOT_FOUND: BAD_END_NOT_FOUND 0+5");
    BOOST_TEST(verdict(with_length(length), true) == "BAD_TRUNCATED: BAD_TRUNCATED 0+5");
  }
}

BOOST_AUTO_TEST_CASE(a_length_below_five_means_all_there_is) {
  for (const char *length : {"00000", "00004", "-0001", "-9999", "   -5", "    0", "-0   "}) {
    BOOST_TEST(verdict(with_length(length), false) == "OK", length);
    BOOST_TEST(verdict(with_length(length), true) == "OK", length);
    const std::string open = with(with_length(length), 41, "x");
    BOOST_TEST(verdict(open) == "BAD_END_NOT_FOUND: BAD_END_NOT_FOUND 41+1", length);
  }
}

BOOST_AUTO_TEST_CASE(a_length_within_the_piece_cuts_it) {
  BOOST_TEST(verdict(with_length("00041")) == "BAD_END_NOT_FOUND: BAD_END_NOT_FOUND 40+1");
  BOOST_TEST(verdict(with_length("00005")) == "BAD_END_NOT_FOUND: BAD_END_NOT_FOUND 4+1");
  BOOST_TEST(verdict("00006\x1d") == "BAD_LEADER: BAD_LEADER 0+6");
  // An 0x1D where the length says: what lies behind it is not looked at.
  const std::string cut = kOne.substr(0, 42) + "more\xff\x1d";
  const Reading reading = read(cut);
  BOOST_TEST(reading.verdict == "OK");
  BOOST_TEST(reading.fields == std::vector<std::string>{"001 abc"}, boost::test_tools::per_element());
}

// ---- Leader and base address ---------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(leaders) {
  BOOST_TEST(verdict("00023" + std::string(17, ' ') + "\x1d") == "BAD_LEADER: BAD_LEADER 0+23");
  BOOST_TEST(verdict("00010nam \x1d") == "BAD_LEADER: BAD_LEADER 0+10");
  BOOST_TEST(verdict("00010na\xff \x1d") == "BAD_LEADER_TEXT: BAD_LEADER_TEXT 0+10"); // before its length is looked at
  for (std::size_t at = 5; at < 24; ++at)
    BOOST_TEST(verdict(with(kOne, at, "\x80")) == "BAD_LEADER_TEXT: BAD_LEADER_TEXT 0+24", at);
  BOOST_TEST(verdict(with(with_base("     "), 6, "\x80")) == "BAD_LEADER_TEXT: BAD_LEADER_TEXT 0+24");
}

BOOST_AUTO_TEST_CASE(base_addresses) {
  for (const char *base : {"00037", "   37", "37   ", "+0037", "0_037", "\n 37\t"})
    BOOST_TEST(verdict(with_base(base)) == "OK", base);
  for (const std::string &base : {"     "s, "0003x"s, "_0037"s, "0037_"s, "3 7  "s, "\0\0\0\0\0"s, "\x1c"s + "0037"s})
    BOOST_TEST(verdict(with_base(base)) == "BAD_BASE_NUMBER: BAD_BASE_NUMBER 12+5", base);
  for (const char *base : {"00000", "-0001", "-9999", "   -0", "    0"})
    BOOST_TEST(verdict(with_base(base)) == "BAD_BASE_MISSING: BAD_BASE_MISSING 12+5", base);
  for (const char *base : {"00042", "00043", "99999"})
    BOOST_TEST(verdict(with_base(base)) == "BAD_BASE_RANGE: BAD_BASE_RANGE 12+5", base);
  for (const char *base : {"00001", "00024", "00025", "   +1"}) // before the directory, or an empty one
    BOOST_TEST(verdict(with_base(base)) == "BAD_NO_FIELDS: BAD_NO_FIELDS 24+0", base);
  for (const char *base : {"00026", "00036", "00038", "00041"})
    BOOST_TEST(verdict(with_base(base)).starts_with("BAD_DIRECTORY: BAD_DIRECTORY 24+"), base);
  // The base address counts against the record that the length cut out, not against the piece.
  BOOST_TEST(verdict(with(kOne + "more and more\x1d", 12, "00045")) == "BAD_BASE_RANGE: BAD_BASE_RANGE 12+5");
}

// ---- Directory -----------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(directories) {
  BOOST_TEST(verdict(with(kOne, 24, "\x80")) == "BAD_DIRECTORY_TEXT: BAD_DIRECTORY_TEXT 24+12");
  BOOST_TEST(verdict(with(kOne, 35, "\xff")) == "BAD_DIRECTORY_TEXT: BAD_DIRECTORY_TEXT 24+12");
  // ASCII before whole entries, whole entries before numbers.
  BOOST_TEST(verdict(with(with_base("00036"), 30, "\xff")) == "BAD_DIRECTORY_TEXT: BAD_DIRECTORY_TEXT 24+11");
  BOOST_TEST(verdict(with(with_base("00036"), 30, "x")) == "BAD_DIRECTORY: BAD_DIRECTORY 24+11");
  // The directory ends before the base address, terminator or not; leader/20-22 is not looked at.
  BOOST_TEST(verdict(with(kOne, 36, "x")) == "OK");
  BOOST_TEST(verdict(with(kOne, 20, "9999")) == "OK");
  BOOST_TEST(verdict(with(kOne, 24, "\x1e\x1d\x1f")).starts_with("OK: INDICATORS_MANY 37+3")); // any tag
}

BOOST_AUTO_TEST_CASE(numbers_of_an_entry) {
  for (const char *length : {"0004", "   4", "4   ", "+004", " +4 ", "0_04", "\n4\t "})
    BOOST_TEST(read(with_entry(length, "00000")).fields[0] == "001 abc", length);
  for (const char *start : {"00000", "    0", "-0000", "+0   ", "0_0_0", "   -0"})
    BOOST_TEST(read(with_entry("0004", start)).fields[0] == "001 abc", start);
  for (const std::string &length : {"    "s, "000x"s, "_004"s, "004_"s, "0__4"s, "\0\0\0\0"s, "004\0"s,
                                    "\x1c"s + "004"s, "004\x1f"s, "4 4 "s, "4.0 "s})
    BOOST_TEST(verdict(with_entry(length, "00000")) == "BAD_DIRECTORY_NUMBER: BAD_DIRECTORY_NUMBER 27+4 in 001",
               length);
  for (const std::string &start : {"     "s, "0000x"s, "_0000"s, "0000\0"s, "0000\x1e"s, "-    "s, "0 0 0"s})
    BOOST_TEST(verdict(with_entry("0004", start)) == "BAD_DIRECTORY_NUMBER: BAD_DIRECTORY_NUMBER 31+5 in 001", start);
  // The length comes first.
  BOOST_TEST(verdict(with_entry("xxxx", "xxxxx")) == "BAD_DIRECTORY_NUMBER: BAD_DIRECTORY_NUMBER 27+4 in 001");
}

BOOST_AUTO_TEST_CASE(fields_are_slices_of_python) {
  const auto check = [](const std::string &length, const std::string &start) {
    const std::string piece = with_entry(length, start);
    const long first = 37 + std::stol(start);
    const long last = first + std::stol(length) - 1;
    const Reading reading = read(piece);
    const std::string expected = "001 " + python_slice(piece, first, last);
    BOOST_TEST_REQUIRE(reading.fields.size() == 1U, length << " " << start);
    BOOST_TEST(reading.fields[0] == expected, length << " " << start);
    // The entry is noted where it points outside, and where its field does not end at an 0x1E.
    const bool outside = first < 0 || last < first || last >= 42;
    const bool unended = !outside && piece[static_cast<std::size_t>(last)] != '\x1e';
    BOOST_TEST((reading.verdict.find("FIELD_RANGE 24+12 in 001") != std::string::npos) == outside);
    BOOST_TEST((reading.verdict.find("FIELD_END " + std::to_string(last) + "+1 in 001") != std::string::npos) ==
               unended);
  };
  for (const char *length : {"0000", "0001", "0002", "0004", "0005", "0006", "0041", "0042", "0043", "9999", "-001",
                             "-002", "-036", "-037", "-038", "-041", "-042", "-043", "-999"})
    for (const char *start : {"00000", "00001", "00003", "00004", "00005", "00006", "00100", "99999", "-0001", "-0036",
                              "-0037", "-0038", "-0039", "-0042", "-0078", "-0079", "-0080", "-0100", "-9999"})
      check(length, start);
  // By hand: the second field counts from the end of the record, the third is all but its last byte.
  BOOST_TEST(read(with_entry("0004", "-0042")).fields[0] == "001 abc");
  BOOST_TEST(read(with_entry("0000", "-0037")).fields[0].size() == 4U + 41);
}

BOOST_AUTO_TEST_CASE(fields_come_in_the_order_of_the_directory) {
  const std::string text = record({{"001", "one"}, {"245", marc_of("10$atwo")}, {"003", "three"}});
  const std::string swapped = text.substr(0, 24) + text.substr(48, 12) + text.substr(24, 24) + text.substr(60);
  const Reading reading = read(swapped);
  BOOST_TEST(reading.verdict == "OK");
  BOOST_TEST(reading.fields == (std::vector<std::string>{"003 three", "001 one", marc_of("245 10$atwo")}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_first_fault_in_the_order_of_the_directory_counts) {
  const auto piece = [](const std::string &first, const std::string &second) {
    return record({{"001", "x"}, {"245", first}, {"500", second}, {"501", "  "}});
  };
  const std::string bad_text = marc_of("10$a\xff");
  const std::string bad_indicator = marc_of("\xff $a");
  const std::string good = marc_of("10$a.");
  BOOST_TEST(verdict(piece(good, good)) == "OK");
  BOOST_TEST(verdict(piece(bad_text, bad_indicator)).starts_with("BAD_TEXT: "));
  BOOST_TEST(verdict(piece(bad_indicator, bad_text)).starts_with("BAD_INDICATOR_TEXT: "));
  // A number that is none, in a later entry, comes after the bad text of an earlier field.
  const std::size_t third = 24 + 2 * 12 + 3;
  BOOST_TEST(verdict(with(piece(bad_text, good), third, "xxxx")).starts_with("BAD_TEXT: "));
  BOOST_TEST(verdict(with(piece(good, bad_text), third, "xxxx")).starts_with("BAD_DIRECTORY_NUMBER: "));
  const Reading reading = read(piece(good, bad_text));
  BOOST_TEST(reading.fields.size() == 3U); // it stops there
}

BOOST_AUTO_TEST_CASE(leader_09_says_what_the_text_is) {
  const std::string latin = record({{"001", "caf\xe9"}, {"245", marc_of("10$acaf\xe9")}}, {.head = "nam  22"});
  BOOST_TEST(verdict(latin) == "OK");
  BOOST_TEST(verdict(with(latin, 9, "a")) == "BAD_TEXT: BAD_TEXT 49+4 in 001");
  BOOST_TEST(verdict(with(latin, 9, "A")) == "OK");
}

BOOST_AUTO_TEST_CASE(notes_of_a_garbled_record) {
  // The second entry is one byte off: pymarc reads shifted fields and says nothing.
  const std::string text = record({{"001", "one"}, {"245", marc_of("10$atwo")}, {"500", marc_of("  $athree")}});
  const std::string shifted = with(text, 24 + 12 + 7, "00005");
  const Reading reading = read(shifted);
  BOOST_TEST(reading.verdict == "OK: FIELD_END 73+1 in 245; INNER_TERMINATOR 72+1 in 245; INDICATOR_ONE 66+7 in 245");
  BOOST_TEST(reading.fields[1] == marc_of("245 0$atwo^"));
}

// ---- A record by itself, as pymarc's Record(data) ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_end_of_a_record_by_itself_is_not_judged) {
  BOOST_TEST(verdict_alone(kOne) == "OK");
  BOOST_TEST(verdict_alone(with(kOne, 41, "x")) == "OK"); // no terminator
  BOOST_TEST(verdict_alone(kOne + "and more") == "OK");
  for (const char *length : {"00000", "00004", "00005", "00041", "-9999", " 42  ", "4_2  "})
    BOOST_TEST(verdict_alone(with_length(length)) == "OK", length);
  // Fields may lie behind the length that the leader states.
  const Reading longer = read(with(kOne + "def\x1e\x1d", 31, "00005"), marc::Surroundings::None);
  BOOST_TEST(longer.fields == std::vector<std::string>{"001 def"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_order_of_the_checks_of_a_record_by_itself) {
  for (const std::string &piece : {"x"s, "00042"s, kOne.substr(0, 23)})
    BOOST_TEST(verdict_alone(piece) == "BAD_LEADER: BAD_LEADER 0+" + std::to_string(piece.size()));
  BOOST_TEST(verdict_alone("x\xff") == "BAD_LEADER_TEXT: BAD_LEADER_TEXT 0+2");
  BOOST_TEST(verdict_alone(with_length("00043")) == "BAD_TRUNCATED: BAD_TRUNCATED 0+5");
  BOOST_TEST(verdict_alone(with_length("12x45")) == "BAD_LENGTH: BAD_LENGTH 0+5");
  // The base address comes before the length, the length before the directory.
  BOOST_TEST(verdict_alone(with(with_length("12x45"), 12, "0003x")).starts_with("BAD_BASE_NUMBER: "));
  BOOST_TEST(verdict_alone(with(with_length("12x45"), 12, "00000")).starts_with("BAD_BASE_MISSING: "));
  BOOST_TEST(verdict_alone(with(with_length("99999"), 12, "00042")).starts_with("BAD_BASE_RANGE: "));
  BOOST_TEST(verdict_alone(with(with_length("99999"), 30, "\xff")).starts_with("BAD_TRUNCATED: "));
  BOOST_TEST(verdict_alone(with(kOne, 30, "\xff")).starts_with("BAD_DIRECTORY_TEXT: "));
  BOOST_TEST(verdict_alone(with_base("00036")).starts_with("BAD_DIRECTORY: "));
  BOOST_TEST(verdict_alone(with_base("00025")).starts_with("BAD_NO_FIELDS: "));
}
