// Every rule of docs/boundary-rule.md on bytes written by hand, in every way that a window can come; then on damage at
// random, against the rule as tests/core/boundary_rule.hpp has it.
// SPDX-License-Identifier: MIT
#include "scanner.hpp"

#include "boundary_rule.hpp"
#include "framing.hpp"
#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

using marc::Piece;
using marc::PieceKind;
using marc::Scanner;
using namespace std::string_literals;
using namespace test;

namespace {

constexpr PieceKind Silent = PieceKind::Silent;
constexpr PieceKind Record = PieceKind::Record;
constexpr PieceKind Chunk = PieceKind::Chunk;
constexpr PieceKind More = PieceKind::More;

using Expected = std::vector<std::pair<PieceKind, std::string>>;

// The bytes of the expected pieces, one behind another, must come out as these pieces: by the rule, and by the scanner
// in every window.
void check(const Expected &expected, std::size_t largest = kLargest) {
  std::string data;
  std::vector<Part> parts;
  for (const auto &[kind, bytes] : expected) {
    parts.push_back({kind, data.size(), data.size() + bytes.size()});
    data += bytes;
  }
  BOOST_TEST(difference(parts, BoundaryRule(data, largest).pieces()) == "");
  BOOST_TEST(problem_in_any_window(data, parts, largest) == "");
}

// How many bytes the scanner wants to see before it says what the first piece is.
std::size_t decided_after(const std::string &data) {
  Scanner scanner(kLargest);
  for (std::size_t size = 0; size <= data.size(); ++size) {
    const Exact window(std::string_view(data).substr(0, size));
    if (scanner.next(window.data(), size, false).kind != PieceKind::NeedMore) return size;
  }
  return data.size() + 1;
}

const std::string kBom = "\xef\xbb\xbf";
const std::string kA = titled("a first record");
const std::string kB = titled("another one");
const std::string kC = titled("the last of three");

// A record without its last `count` bytes.
std::string without_end(const std::string &bytes, std::size_t count) { return bytes.substr(0, bytes.size() - count); }

// The record states a length that is `more` than its true one.
std::string longer(const std::string &bytes, int more) {
  return with(bytes, 0, number(static_cast<std::size_t>(static_cast<int>(bytes.size()) + more), 5));
}

} // namespace

BOOST_AUTO_TEST_CASE(sound_records) {
  check({{Record, kA}});
  check({{Record, kA}, {Record, kB}, {Record, kC}});
  check({{Record, record({{"001", ""}})}, {Record, kB}});           // the smallest one: a field without a byte
  check({{Record, record({{"001", "1"}, {"001", "2"}})}});          // a tag twice
  check({{Record, record({{"   ", "x"}, {"\xe4\xf6\xfc", "x"}})}}); // the tag is anything but a delimiter
  check({{Record, with(kA, 5, "\xff\xff\x80\xff")}});               // so is most of the leader
}

BOOST_AUTO_TEST_CASE(an_empty_input_has_no_pieces) {
  Scanner scanner(kLargest);
  const Piece waits = scanner.next(nullptr, 0, false);
  BOOST_TEST((waits.kind == PieceKind::NeedMore));
  BOOST_TEST(waits.length == 1U);
  BOOST_TEST((scanner.next(nullptr, 0, true).kind == PieceKind::End));
  BOOST_TEST((scanner.next(nullptr, 0, true).kind == PieceKind::End));
}

BOOST_AUTO_TEST_CASE(a_sound_record_needs_no_byte_behind_it) {
  for (const std::string &bytes : {kA, kB, record({{"001", ""}})}) {
    BOOST_TEST(decided_after(bytes) == bytes.size());
    BOOST_TEST(decided_after(bytes + "no record") == bytes.size());
  }
}

BOOST_AUTO_TEST_CASE(leader_and_directory_of_a_record) {
  const std::string bytes = record({{"001", "12"}, {"245", marc_of("10$ax")}});
  Scanner scanner(kLargest);
  const Piece piece = scanner.next(bytes_of(bytes), bytes.size(), false);
  BOOST_TEST_REQUIRE((piece.kind == Record));
  BOOST_TEST(scanner.leader().base == 24U + 2 * 12 + 1);
  BOOST_TEST(scanner.leader().map.is_marc21());
  BOOST_TEST_REQUIRE(scanner.directory().count() == 2U);
  const marc::DirectoryEntry *entry = scanner.directory().begin();
  BOOST_TEST(entry[0].length == 3U);
  BOOST_TEST(entry[0].start == 0U);
  BOOST_TEST(entry[1].length == 6U);
  BOOST_TEST(entry[1].start == 3U);
  // It goes on with the next record.
  const std::string next = record({{"002", "3"}});
  BOOST_TEST((scanner.next(bytes_of(next), next.size(), true).kind == Record));
  BOOST_TEST(scanner.directory().count() == 1U);
}

BOOST_AUTO_TEST_CASE(a_wrong_length_costs_one_record_only) {
  for (const int more : {1, -1, 17, -17, 200, 1000}) check({{Record, kA}, {Chunk, longer(kB, more)}, {Record, kC}});
  for (const char *stated : {"00000", "99999", "00024", "00001", "     ", "12x45", "-0120", "+0120", "0012\xff"})
    check({{Record, kA}, {Chunk, with(kB, 0, stated)}, {Record, kC}});
  check({{Chunk, longer(kB, 1)}});
  check({{Chunk, longer(kB, static_cast<int>(kC.size()))}, {Record, kC}}); // ends where the next one does
}

BOOST_AUTO_TEST_CASE(a_missing_terminator_costs_one_record_only) {
  check({{Record, kA}, {Chunk, without_end(kB, 1)}, {Record, kC}});
  check({{Record, kA}, {Chunk, without_end(kB, 2)}, {Record, kC}});
  check({{Record, kA}, {Chunk, without_end(kB, 1)}});
  check({{Chunk, without_end(kA, 1)}, {Chunk, without_end(kB, 1)}, {Chunk, without_end(kC, 1)}});
  check({{Chunk, without_end(kB, 1)}, {Silent, " "}, {Record, kC}}); // a blank where the 0x1D should be
}

BOOST_AUTO_TEST_CASE(a_doubled_terminator_is_silent) {
  check({{Record, kA}, {Silent, "\x1d"}, {Record, kB}, {Silent, "\x1d\x1d"}});
}

BOOST_AUTO_TEST_CASE(a_terminator_inside_is_data_unless_a_record_follows_it) {
  const std::string data = record({{"001", "1"}, {"500", marc_of("  $aone %two% three")}});
  check({{Record, data}, {Record, kB}});
  check({{Record, record({{"500", marc_of("  $a%%% %00042%")}})}, {Record, kB}});
  // A record inside the last field of another: wherever a reader sets in, it begins there.
  for (const std::string &silent : {""s, " "s, "\n\x1d \x1a"s, kBom, kBom + "\0\r"s + kBom}) {
    const std::string outer = record({{"001", "1"}, {"500", "  " + silent + "\x1d" + silent + kB + " end"}});
    const std::size_t inner = outer.find(kB);
    const std::string before = outer.substr(0, outer.find('\x1d') + 1);
    Expected expected{{Chunk, before}};
    if (inner > before.size()) expected.emplace_back(Silent, outer.substr(before.size(), inner - before.size()));
    expected.emplace_back(Record, kB);
    expected.emplace_back(Silent, " ");
    expected.emplace_back(Chunk, "end\x1e\x1d");
    check(expected);
  }
  // The record begins behind the second 0x1D.
  const std::string twice = record({{"500", "a\x1d"
                                            "b \x1d" +
                                                kB + " end"}});
  const std::size_t first = twice.find('\x1d') + 1;
  check({{Chunk, twice.substr(0, first)}, {Chunk, "b \x1d"}, {Record, kB}, {Silent, " "}, {Chunk, "end\x1e\x1d"}});
  // Not an anchor: no 0x1D before it. The length of the outer record holds.
  check({{Record, record({{"500", without_end(kB, 1)}})}, {Record, kC}});
  // Not an anchor: something that is not silent between them.
  check({{Record, record({{"500", "\x1d." + without_end(kB, 1)}})}, {Record, kC}});
}

BOOST_AUTO_TEST_CASE(records_inside_one_another_that_reach_over_the_same_anchors) {
  // The data of each record are the ones behind it, up to one of the ends. Which anchors lie before its end decides.
  Random random(91);
  std::size_t sound = 0;
  std::size_t chunks = 0;
  for (int round = 0; round < 400; ++round) {
    const std::string ends = random.one_in(4) ? "" : "\x1e\x1d";
    std::string data = "the end" + ends;
    std::vector<std::size_t> ends_before{0}; // bytes behind a place where a record may end
    for (std::size_t i = random.between(3, 25); i > 0; --i) {
      switch (random.below(6)) {
      case 0: // an anchor
        data = "\x1d" + random.text(random.below(3), " \n\x1d") + titled("anchor") + data;
        break;
      case 1: // a place where a record may end
        ends_before.push_back(data.size());
        data = random.text(random.below(3), "x \x1f") + "\x1e\x1d" + data;
        break;
      case 2: // no anchor
        data = "\x1d" + random.text(random.below(4), "x \x1e") + data;
        break;
      case 3: // not behind an 0x1D
        data = titled("inside") + data;
        break;
      default: { // a record that ends at one of the ends
        const std::size_t end = data.size() - ends_before[random.below(ends_before.size())];
        data = number(24 + 24 + 1 + 2 + end, 5) + "nam a2200049 a 4500500000200000" + "500" + number(end - 1, 4) +
               "00002\x1ex\x1e" + data;
      }
      }
    }
    for (const std::size_t largest : {kLargest, std::size_t{37}}) {
      const std::vector<Part> expected = BoundaryRule(data, largest).pieces();
      for (const Part &part : expected) (part.kind == Record ? sound : chunks) += part.kind == Silent ? 0 : 1;
      BOOST_TEST_REQUIRE(problem_of(frame_whole(data, largest), expected, "whole") == "", round);
      BOOST_TEST_REQUIRE(problem_of(frame_bytewise(data, largest), expected, "byte by byte") == "", round);
      BOOST_TEST_REQUIRE(problem_of(frame_as_asked(data, largest), expected, "as asked") == "", round);
    }
  }
  BOOST_TEST(sound > 1000U);
  BOOST_TEST(chunks > 1000U);
}

BOOST_AUTO_TEST_CASE(junk_between_records_is_a_piece_of_its_own) {
  check({{Chunk, "-- begin --"}, {Record, kA}});
  check({{Record, kA}, {Chunk, "x"}, {Record, kB}});
  check({{Record, kA}, {Chunk, "two\x1e things\x1f here"}, {Record, kB}});
  check({{Record, kA}, {Chunk, "closed\x1d"}, {Record, kB}});
  check({{Record, kA}, {Chunk, "closed\x1d"}, {Silent, "\n"}, {Chunk, "and again\x1d"}, {Record, kB}});
  check({{Record, kA}, {Chunk, "words of"}, {Silent, " \n "}, {Record, kB}}); // blanks before a record are no junk
  check({{Record, kA}, {Silent, "\n"}, {Chunk, "words of"}, {Silent, "\r\n"}, {Record, kB}, {Chunk, "tail"}});
  check({{Chunk, "\x1e"}, {Record, kA}, {Chunk, "\x1f"}, {Record, kB}, {Chunk, "\x1e\x1d"}});
  check({{Chunk, "only text, no record \t\n"}});
  check({{Chunk, std::string(300, '7')}, {Record, kA}}); // digits look like a directory
}

BOOST_AUTO_TEST_CASE(silent_bytes_are_counted_apart) {
  for (const char silent : "\0\t\n\r\x1a \x1d"s) {
    const std::string one(1, silent);
    check({{Silent, one}, {Record, kA}, {Silent, one}, {Record, kB}, {Silent, one}});
    check({{Silent, std::string(100, silent)}, {Record, kA}, {Silent, std::string(31, silent)}});
  }
  check({{Silent, "\0\t\n\r\x1a \x1d"s}});
  for (int byte = 0; byte < 256; ++byte) {
    const char letter = static_cast<char>(byte);
    if ("\0\t\n\r\x1a \x1d"s.find(letter) == std::string::npos)
      check({{Record, kA}, {Chunk, std::string(1, letter)}, {Record, kB}});
  }
}

BOOST_AUTO_TEST_CASE(a_byte_order_mark_is_silent_when_it_is_whole) {
  check({{Silent, kBom}, {Record, kA}, {Silent, kBom + kBom + "\n"}, {Record, kB}, {Silent, kBom}});
  check({{Silent, kBom}});
  check({{Silent, "\n" + kBom + "\r\n"}, {Record, kA}});
  check({{Chunk, "\xef"}, {Record, kA}});
  check({{Chunk, "\xef\xbb"}, {Record, kA}, {Chunk, "\xef\xbb"}});
  check({{Chunk, "\xef\xbb\x1d"}, {Record, kA}, {Chunk, "\xef"}});
  check({{Silent, kBom}, {Chunk, "\xef\xbb"}, {Silent, "\n"}, {Record, kA}});
  // Before a record only single bytes are taken off a chunk.
  check({{Chunk, "x" + kBom}, {Record, kA}});
  check({{Chunk, "x" + kBom}, {Silent, " "}, {Record, kA}});
  check({{Chunk, "x\x1d"}, {Silent, kBom}, {Record, kA}});
}

BOOST_AUTO_TEST_CASE(a_leader_may_begin_with_blanks) {
  const std::string blank = titled("no length", {.length = "     "});
  const std::string blanker = titled("nothing", {.length = "     ", .head = "       "});
  for (const std::string &bytes : {blank, blanker}) {
    check({{Chunk, bytes}, {Record, kA}});
    check({{Silent, "\n   "}, {Chunk, bytes}, {Record, kA}});
    check({{Record, kA}, {Silent, std::string(40, ' ')}, {Chunk, bytes}, {Silent, "   "}, {Chunk, bytes}});
    check({{Chunk, "x"}, {Silent, "   "}, {Chunk, bytes}});
  }
  const std::string zeros = titled("NUL", {.length = "\0\0\0\0\0"s, .head = "\0\0\0\0a22"s});
  check({{Silent, "\0\0\0"s}, {Chunk, zeros}, {Record, kA}});
}

BOOST_AUTO_TEST_CASE(a_record_that_was_cut_ends_before_the_next_one) {
  // Cut anywhere behind its directory, the record ends where the next one begins.
  const std::string bytes = titled("cut in the middle of its title, which goes on for a while");
  const std::size_t base = 24 + 3 * 12 + 1;
  for (std::size_t cut = base; cut < bytes.size(); ++cut) {
    const std::string head = bytes.substr(0, cut);
    const std::size_t end = head.find_last_not_of(' ') + 1; // blanks at its end are taken for silent ones
    Expected expected{{Record, kA}, {Chunk, head.substr(0, end)}};
    if (end < cut) expected.emplace_back(Silent, head.substr(end));
    expected.emplace_back(Record, kB);
    check(expected);
  }
}

BOOST_AUTO_TEST_CASE(a_record_is_never_looked_for_inside_its_own_directory) {
  // Its first two entries could be the leader of a record whose directory ends at the same 0x1E.
  const std::string directory = "00a010000000"
                                "000610004500"
                                "002000200000"
                                "003000200002"
                                "004000200004\x1e";
  BOOST_TEST(marc::is_verified_start(bytes_of(directory), directory.size()));
  const std::string data = marc_of("a^b^c^%");
  const std::string outer = "00092nam a2200085 a 4500" + directory + data;
  BOOST_TEST(marc::is_verified_start(bytes_of(outer), outer.size()));
  check({{Chunk, outer}, {Record, kA}});
  check({{Record, kA}, {Chunk, "00092nam a2200084 a 4500"}, {Chunk, directory + data}, {Record, kB}});
}

BOOST_AUTO_TEST_CASE(what_only_looks_like_a_leader_hides_no_record) {
  // Base address and 0x1E agree, the entries in between do not: those of the record behind it are of another width.
  const std::string letters = record({{"aaa", "1"}, {"bbb", "2"}, {"ccc", "3"}});
  for (const char *map : {"4600", "4610", "4501", "9990"}) {
    for (std::size_t filling = 0; filling < 40; ++filling) {
      const std::string leader = "00000nam a22" + number(24 + filling + 24 + 36 + 1, 5) + " a " + map;
      check({{Chunk, "x" + leader + std::string(filling, '.')}, {Record, letters}});
      check({{Chunk, "x" + leader + std::string(filling, '.')}, {Record, kA}});
    }
  }
}

BOOST_AUTO_TEST_CASE(at_most_4096_silent_bytes_are_taken_off_a_chunk) {
  check({{Chunk, "x"}, {Silent, std::string(4096, ' ')}, {Record, kA}});
  const auto problem = [](std::size_t blanks) {
    const std::string data = "x" + std::string(blanks, ' ') + kA;
    const std::vector<Part> expected{
        {Chunk, 0, 1 + blanks - 4096}, {Silent, 1 + blanks - 4096, 1 + blanks}, {Record, 1 + blanks, data.size()}};
    std::string words = difference(expected, BoundaryRule(data).pieces());
    if (words.empty()) words = problem_of(frame_whole(data), expected, "whole");
    if (words.empty()) words = problem_of(frame_bytewise(data), expected, "byte by byte");
    return words;
  };
  BOOST_TEST(problem(4097) == "");
  BOOST_TEST(problem(4098) == "");
  BOOST_TEST(problem(9000) == "");
}

BOOST_AUTO_TEST_CASE(a_chunk_above_the_largest_size_comes_in_parts) {
  const std::string long_title = titled(std::string(200, 't'), {.length = "99999"});
  for (const std::size_t largest : {1U, 7U, 60U, 100U}) {
    Expected expected{{Record, kA}};
    for (std::size_t at = 0; at < long_title.size(); at += largest)
      expected.emplace_back(at == 0 ? Chunk : More, long_title.substr(at, largest));
    expected.emplace_back(Record, kB);
    check(expected, largest);
  }
  check({{Chunk, long_title}, {Record, kA}}, long_title.size()); // not above it
  check({{Chunk, long_title.substr(0, long_title.size() - 1)}, {More, "\x1d"}, {Record, kA}}, long_title.size() - 1);
  // A sound record is never cut.
  check({{Record, kA}, {Record, kB}}, 1);
  // Silent bytes are cut off first.
  check({{Chunk, "1234"}, {More, "56"}, {Silent, "  "}, {Record, kB}}, 4);
}

BOOST_AUTO_TEST_CASE(junk_without_end_goes_by_in_parts_before_its_end_is_known) {
  // What could still be the beginning of a record is kept back, not more.
  Scanner scanner(1000);
  const std::string junk(400000, '.');
  std::size_t passed = 0;
  std::size_t most = 0;
  std::size_t seen = 0;
  while (passed < 200000) {
    const Piece piece = scanner.next(bytes_of(junk) + passed, seen - passed, false);
    if (piece.kind == PieceKind::NeedMore) {
      BOOST_TEST_REQUIRE(piece.length > seen - passed);
      seen = passed + piece.length;
      BOOST_TEST_REQUIRE(seen <= junk.size());
    } else {
      BOOST_TEST_REQUIRE((piece.kind == (passed == 0 ? Chunk : More)));
      BOOST_TEST_REQUIRE(piece.partial);
      BOOST_TEST_REQUIRE(piece.length == 1000U);
      passed += piece.length;
    }
    most = std::max(most, seen - passed);
  }
  BOOST_TEST(most <= 99999U + 4096 + 1000 + 1);
}

BOOST_AUTO_TEST_CASE(a_record_behind_many_parts_is_found) {
  const std::string junk(250000, '7');
  for (const std::size_t largest : {4000U, 100000U, 249999U, 250000U}) {
    const std::string data = junk + "  \n" + kA;
    const std::vector<Part> expected = BoundaryRule(data, largest).pieces();
    BOOST_TEST_REQUIRE((expected.back() == Part{Record, junk.size() + 3, data.size()}));
    BOOST_TEST_REQUIRE(expected.size() == (junk.size() + largest - 1) / largest + 2);
    BOOST_TEST(problem_of(frame_whole(data, largest), expected, "whole") == "");
    const auto windows_of = [&](std::size_t size) {
      return Framer(data, largest, true).run(0, [size](std::size_t) { return size; });
    };
    for (const std::size_t size : {97U, 4096U, 50000U, 99999U, 100001U})
      BOOST_TEST(problem_of(windows_of(size), expected, std::to_string(size) + " at once") == "");
  }
}

BOOST_AUTO_TEST_CASE(silent_bytes_are_kept_back_while_a_long_directory_comes) {
  // The record proves itself 96 025 bytes behind its beginning: so long nobody knows that the blanks are not junk.
  std::string directory;
  for (int i = 0; i < 8000; ++i) directory += "500000100000";
  const std::string long_record = "96027nam a2296025 a 4500" + directory + "\x1e\x1e\x1d";
  const std::string data = std::string(5000, 'j') + std::string(4096, ' ') + long_record;
  const std::vector<Part> expected = BoundaryRule(data, 100).pieces();
  BOOST_TEST_REQUIRE(expected.size() == 52U);
  BOOST_TEST_REQUIRE((expected[50] == Part{Silent, 5000, 9096}));
  BOOST_TEST(problem_of(frame_whole(data, 100), expected, "whole") == "");
  for (const std::size_t size : {1000U, 5000U, 50000U}) {
    const Framing framing = Framer(data, 100, true).run(0, [size](std::size_t) { return size; });
    BOOST_TEST(problem_of(framing, expected, std::to_string(size) + " at once") == "");
  }
}

BOOST_AUTO_TEST_CASE(entry_maps) {
  for (const char *map : {"4500", "4510", "4590", "3600", "5400", "9900", "9990", "5520", "6399"})
    check({{Record, titled("another map", {.map = map})}, {Record, kA}});
  check({{Record, record({{"001", "one"}, {"002", "digit"}}, {.map = "1800"})}, {Record, kA}});
  check({{Record, record({{"001", "starts at 0"}}, {.map = "9000"})}, {Record, kA}});
  check({{Chunk, record({{"001", "starts at 0"}, {"002", "so does this"}}, {.map = "9000"})}, {Record, kA}});
  for (const char *map : {"0900", "0990"}) // a length of no digits is zero
    check({{Chunk, titled("no length", {.map = map})}, {Record, kA}});
  const auto problem = [](const std::string &bytes) {
    const std::string data = bytes + kA;
    return problem_in_any_window(data, BoundaryRule(data).pieces());
  };
  for (const char *map : {"3500", "4400", "1000", "0000", "0090", "4300"}) { // fewer than nine digits: no directory
    const std::string bytes = titled("no map", {.map = map});
    BOOST_TEST(!marc::is_verified_start(bytes_of(bytes), bytes.size()));
    BOOST_TEST(problem(bytes) == "");
  }
  // What is no digit counts as MARC 21's.
  for (const char *map : {"    ", "4 00", "x5y0", "..0.", "\xb4\xb5\xb0 "})
    check({{Record, with(kB, 20, map)}, {Record, kA}});
  // Leader/23 is not looked at.
  check({{Record, with(kB, 23, "9")}, {Record, with(kC, 23, "\xff")}});
}

BOOST_AUTO_TEST_CASE(delimiters_in_the_implementation_defined_part) {
  for (const std::string &filling : {"\x1f"s, "\x1e"s, "\x1d"s}) {
    const std::string bytes = titled("delimited", {.map = "4510", .filling = filling});
    BOOST_TEST(!marc::is_verified_start(bytes_of(bytes), bytes.size()));
    const std::string data = kA + bytes + kB;
    BOOST_TEST(problem_in_any_window(data, BoundaryRule(data).pieces()) == "");
  }
  check({{Record, titled("filled", {.map = "4520", .filling = "\xff\x01"})}, {Record, kA}});
}

BOOST_AUTO_TEST_CASE(digits_in_leader_05_to_08) {
  const auto verified = [](const std::string &head) {
    const std::string bytes = titled("digits", {.head = head});
    return marc::is_verified_start(bytes_of(bytes), bytes.size());
  };
  BOOST_TEST(verified("123 a22")); // three digits are no four
  BOOST_TEST(verified(" 234a22"));
  BOOST_TEST(!verified("1234a22"));
  BOOST_TEST(!verified("0000a22"));
  BOOST_TEST(!verified("0000122"));
  BOOST_TEST(!verified("1000022"));
  BOOST_TEST(verified("0000022")); // as CDS/ISIS writes it
  BOOST_TEST(verified("0000000"));
  BOOST_TEST(verified("00 0000"));
  check({{Record, titled("zeros", {.head = "0000022"})}, {Record, kA}});
  // Without that rule the inside of a directory could pass for a record.
  const std::string data = titled("digits", {.head = "1234a22"}) + kA;
  BOOST_TEST(problem_in_any_window(data, BoundaryRule(data).pieces()) == "");
}

BOOST_AUTO_TEST_CASE(base_addresses) {
  const std::size_t base = 24 + 3 * 12 + 1;
  const auto verified = [](const std::string &stated) {
    const std::string bytes = titled("base", {.base = stated});
    return marc::is_verified_start(bytes_of(bytes), bytes.size());
  };
  BOOST_TEST(verified(number(base, 5)));
  for (const std::size_t wrong : {0U, 1U, 24U, 25U, 36U, 37U, 49U, 60U, 62U, 73U, 99999U})
    BOOST_TEST(!verified(number(wrong, 5)), wrong);
  for (const char *wrong : {"   61", "+0061", "0006a", "00061\x1e"}) BOOST_TEST(!verified(wrong), wrong);
  check({{Record, kA}, {Chunk, with(kB, 12, "00073")}, {Record, kC}});
  check({{Record, kA}, {Chunk, with(kB, 12, "     ")}, {Record, kC}});
  check({{Record, kA}, {Chunk, with(kB, 12, "99997")}, {Record, kC}});
}

BOOST_AUTO_TEST_CASE(directories) {
  for (std::size_t at = 24; at < 24 + 3 * 12 + 1; ++at) {
    for (const char letter : "x\x1d\x1e\x1f\xff "s) {
      const std::string broken = with(kB, at, std::string(1, letter));
      const std::string data = kA + broken + kC;
      BOOST_TEST(problem_in_any_window(data, BoundaryRule(data).pieces()) == "", at);
      const bool in_tag = at != 24 + 3 * 12 && (at - 24) % 12 < 3;
      const bool good = in_tag ? letter == 'x' || letter == '\xff' || letter == ' ' : at == 60 && letter == '\x1e';
      BOOST_TEST(marc::is_verified_start(bytes_of(broken), broken.size()) == good, at);
    }
  }
}

BOOST_AUTO_TEST_CASE(fields_that_do_not_agree_with_the_directory) {
  const std::string bytes = record({{"001", "abc"}, {"002", "def"}, {"003", "ghi"}});
  const auto entry = [](std::size_t i, std::size_t length, std::size_t start) {
    return std::pair{24 + 12 * i + 3, number(length, 4) + number(start, 5)};
  };
  const auto changed = [&](std::initializer_list<std::pair<std::size_t, std::string>> changes) {
    std::string text = bytes;
    for (const auto &[at, what] : changes) text = with(text, at, what);
    return text;
  };
  // Sound: any order, overlaps, gaps, the same field twice, as long as each ends at an 0x1E and the last at the end.
  for (const std::string &good :
       {changed({entry(0, 4, 8), entry(2, 4, 0)}), changed({entry(0, 8, 0)}), changed({entry(1, 4, 0)}),
        changed({entry(1, 1, 7)}), changed({entry(0, 4, 8), entry(1, 4, 8)}), changed({entry(2, 12, 0)})})
    check({{Record, good}, {Record, kA}});
  // Not: an end beside the 0x1E, a field of no bytes, a field behind the record, bytes at the end that no entry claims.
  for (const std::string &bad :
       {changed({entry(0, 3, 0)}), changed({entry(0, 5, 0)}), changed({entry(1, 0, 4)}), changed({entry(2, 5, 8)}),
        changed({entry(2, 4, 9)}), changed({entry(2, 4, 4)}), changed({entry(2, 9999, 99999)}),
        changed({entry(1, 9999, 0)}), changed({entry(0, 5, 8)}), changed({entry(0, 1, 12)})})
    check({{Record, kA}, {Chunk, bad}, {Record, kC}});
}

BOOST_AUTO_TEST_CASE(the_largest_record) {
  const auto of_size = [](std::size_t size) {
    std::vector<Field> fields;
    while (size > 24 + 2 + 12 + 9999) {
      fields.push_back({"500", std::string(9998, 'x')});
      size -= 12 + 9999;
    }
    fields.push_back({"500", std::string(size - 24 - 2 - 12 - 1, 'y')});
    return record(fields);
  };
  const std::string largest = of_size(99999);
  BOOST_TEST_REQUIRE(largest.size() == 99999U);
  const std::string larger = with(of_size(100000).erase(0, 1), 0, "00000"); // its length has no room
  for (const std::string &data : {largest, kA + largest + kB, kA + larger + kB, without_end(largest, 1) + kA}) {
    const std::vector<Part> expected = BoundaryRule(data).pieces();
    BOOST_TEST(problem_of(frame_whole(data), expected, "whole") == "");
    BOOST_TEST(problem_of(frame_as_asked(data), expected, "as asked") == "");
    for (const std::size_t split : {1U, 36U, 50000U, 99997U, 99998U, 99999U, 100000U})
      BOOST_TEST(problem_of(frame_split(data, split), expected, "split") == "");
  }
  // The longest directory: 8 331 entries for one field.
  std::string directory;
  for (int i = 0; i < 8331; ++i) directory += "500000100000";
  const std::string many = "99999nam a2299998 a 4500" + directory + "\x1e\x1e\x1d";
  BOOST_TEST(many.size() == 24U + 8331 * 12 + 3);
  const std::string full = with(many, 0, number(many.size(), 5) + "nam a22" + number(many.size() - 2, 5));
  const std::vector<Part> one{{Record, 0, full.size()}};
  BOOST_TEST(problem_of(frame_whole(full), one, "whole") == "");
  BOOST_TEST(problem_of(frame_as_asked(full), one, "as asked") == "");
}

// ---- Early decisions ------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_length_that_the_directory_contradicts_is_not_waited_for) {
  for (const int more : {1, 5, 1000, -1, -20})
    BOOST_TEST(decided_after(longer(kB, more) + kC) == kB.size(), more); // at its 0x1D
  BOOST_TEST(decided_after(with(kB, 0, "99999") + kC) == kB.size());
  BOOST_TEST(decided_after(with(kB, 0, "00000") + kC) == kB.size());
  BOOST_TEST(decided_after(with(kB, 0, "x0000") + kC) == kB.size());
  // An entry that claims more than the record: so is that.
  const std::string beyond = with(kB, 24 + 24 + 3, "9999");
  BOOST_TEST(decided_after(beyond + kC) == kB.size());
  // Where length and directory agree, the end of the record is looked at; then the chunk ends before the next record.
  BOOST_TEST(decided_after(without_end(kB, 2) + kC) == kB.size() - 2 + 24 + 3 * 12 + 1);
}

BOOST_AUTO_TEST_CASE(junk_ends_at_its_terminator_or_with_the_directory_of_a_record) {
  BOOST_TEST(decided_after("junk\x1d") == 5U);
  BOOST_TEST(decided_after("a longer text before the end \x1d") == 30U);
  BOOST_TEST(decided_after("junk" + kA) == 4U + 24 + 3 * 12 + 1);
  BOOST_TEST(decided_after(without_end(kA, 30) + kB) == kA.size() - 30 + 24 + 3 * 12 + 1);
  // So does a directory that a delimiter ends too early.
  BOOST_TEST(decided_after(kA.substr(0, 26) + "\x1d" + kB) == 27U);
  BOOST_TEST(decided_after(kA.substr(0, 38) + "\x1d" + kB) == 39U);
  // What cannot be a leader any more is not waited for: a silent byte that a delimiter follows.
  BOOST_TEST(decided_after(" \x1e") == 2U);
  BOOST_TEST(decided_after("\xef\xbb\xbf\x1e") == 4U);
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_is_enough_to_go_on) {
  // A record whose directory is known is asked for as a whole, in one step.
  Scanner scanner(kLargest);
  const std::size_t base = 24 + 3 * 12 + 1;
  const Piece piece = scanner.next(bytes_of(kA), base, false);
  BOOST_TEST((piece.kind == PieceKind::NeedMore));
  BOOST_TEST(piece.length == kA.size());
  BOOST_TEST((scanner.next(bytes_of(kA), kA.size(), false).kind == Record));
}

// ---- The two questions on their own --------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_verified_start_needs_its_directory_and_no_more) {
  const std::size_t base = 24 + 3 * 12 + 1;
  for (std::size_t size = 0; size <= kA.size(); ++size) {
    const Exact bytes(std::string_view(kA).substr(0, size));
    BOOST_TEST(marc::is_verified_start(bytes.data(), size) == (size >= base), size);
  }
}

BOOST_AUTO_TEST_CASE(skipping_silent_bytes) {
  const auto skip = [](const std::string &text) {
    const Exact bytes(text);
    return marc::skip_silent(bytes.data(), bytes.size());
  };
  BOOST_TEST(skip("") == 0U);
  BOOST_TEST(skip("x") == 0U);
  BOOST_TEST(skip(" \t\r\n\0\x1a\x1dx"s) == 7U);
  BOOST_TEST(skip(kBom + " " + kBom) == 7U);
  BOOST_TEST(skip(" \xef\xbb") == 1U);
  BOOST_TEST(skip(" \xef\xbb.") == 1U);
  BOOST_TEST(skip(kA) == 0U);
  const std::string blank = titled("no length", {.length = "     "});
  BOOST_TEST(skip("   " + blank) == 3U);
  BOOST_TEST(skip("   " + blank.substr(0, 60)) == 8U); // its directory is not whole: blanks again
}

// ---- Damage at random ----------------------------------------------------------------------------------------------

namespace {

const std::string kLetters = "\x1d\x1d\x1e\x1e\x1f \n\0\t0123459ax\xef\xbb\xbf\xff"s;

std::string small_record(Random &random) {
  static constexpr const char *kMaps[] = {"4500", "4500", "4500", "4500", "4510", "3600", "9900", "    "};
  std::vector<Field> fields;
  for (std::size_t i = random.between(1, 4); i > 0; --i)
    fields.push_back({random.text(3, "0012459a "), random.text(random.below(20), kLetters)});
  const std::string map = random.one_in(3) ? kMaps[random.below(8)] : "4500";
  Form form{.map = map == "    " ? "4500" : map};
  if (random.one_in(6)) form.length = random.text(5, "0 149");
  if (random.one_in(8)) form.head = random.text(7, "0 a9");
  const std::string bytes = record(fields, form);
  return map == "    " ? with(bytes, 20, map) : bytes;
}

std::string damaged(std::string data, Random &random) {
  for (std::size_t times = random.below(4); times > 0 && !data.empty(); --times) {
    const std::size_t at = random.below(data.size());
    const std::size_t count = random.one_in(3) ? random.below(60) : 1;
    switch (random.below(5)) {
    case 0:
      data[at] = random.of(kLetters);
      break;
    case 1:
      data.insert(at, random.text(count, kLetters));
      break;
    case 2:
      data.erase(at, count);
      break;
    case 3:
      data.insert(random.below(data.size()), data.substr(at, count));
      break;
    default:
      data.insert(at, small_record(random));
    }
  }
  return data;
}

} // namespace

BOOST_AUTO_TEST_CASE(damage_at_random) {
  Random random(20240229);
  std::size_t kinds[4] = {};
  for (int round = 0; round < 6000; ++round) {
    std::string data;
    for (std::size_t i = random.between(1, 4); i > 0; --i)
      data += small_record(random) + (random.one_in(4) ? random.text(random.below(8), kLetters) : "");
    data = damaged(data, random);
    const std::size_t largest = random.one_in(3) ? random.between(1, 120) : kLargest;
    const std::vector<Part> expected = BoundaryRule(data, largest).pieces();
    for (const Part &part : expected) ++kinds[static_cast<std::size_t>(part.kind)];
    const std::size_t most = random.between(1, 100);
    const Framing in_steps =
        Framer(data, largest, random.one_in(2)).run(random.below(data.size() + 1), [&](std::size_t) {
          return random.between(1, most);
        });
    std::string problem = problem_of(frame_whole(data, largest), expected, "whole");
    if (problem.empty()) problem = problem_of(frame_bytewise(data, largest), expected, "byte by byte");
    if (problem.empty()) problem = problem_of(frame_as_asked(data, largest), expected, "as asked");
    if (problem.empty()) problem = problem_of(in_steps, expected, "in steps");
    BOOST_TEST_REQUIRE(problem == "", "round " << round << ": " << problem);
  }
  for (const std::size_t count : kinds) BOOST_TEST(count > 1000U); // the damage is neither too little nor too much
}

// ---- The last anchor -------------------------------------------------------------------------------------------------

namespace {

// The same, as the rule has it: the last verified start at or before `latest` that stands behind an 0x1D of [from, to).
std::size_t anchor_by_rule(const std::string &data, std::size_t from, std::size_t to, std::size_t latest) {
  const BoundaryRule rule(data);
  for (std::size_t end = to; end > from; --end) {
    if (data[end - 1] != '\x1d') continue;
    const std::size_t start = rule.behind_silent(end);
    if (start <= latest && rule.verified_start(start)) return start;
  }
  return 0;
}

std::size_t anchor_of(const Exact &data, std::size_t from, std::size_t to, std::size_t latest) {
  return marc::last_anchor(data.data(), from, to, latest, data.size());
}

// Every place to search from, to search to, and to be reached at most.
void check_anchors(const std::string &data, std::size_t step = 1) {
  const Exact exact(data);
  for (std::size_t to = 0; to <= data.size(); to += step) {
    for (const std::size_t latest : {to, data.size(), std::min(to + 10, data.size())})
      BOOST_TEST_REQUIRE(anchor_of(exact, 0, to, latest) == anchor_by_rule(data, 0, to, latest),
                         "0.." << to << ", " << latest);
    for (std::size_t from = to % (3 * step); from <= to; from += 7 * step)
      BOOST_TEST_REQUIRE(anchor_of(exact, from, to, data.size()) == anchor_by_rule(data, from, to, data.size()),
                         from << ".." << to);
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(the_last_anchor_by_hand) {
  const auto last = [](const std::string &data) { return anchor_of(Exact(data), 0, data.size(), data.size()); };
  BOOST_TEST(last("") == 0U);
  BOOST_TEST(last(kA) == 0U); // begins the input, behind no 0x1D
  BOOST_TEST(last("\x1d") == 0U);
  BOOST_TEST(last(kA + kB) == kA.size());
  BOOST_TEST(last(kA + kB + kC) == kA.size() + kB.size());
  BOOST_TEST(last(kA + kB + kC.substr(0, 60)) == kA.size()); // its directory is cut
  BOOST_TEST(last(kA + kB + kC.substr(0, 61)) == kA.size() + kB.size());
  BOOST_TEST(last(kA + "x" + kB) == 0U); // not behind an 0x1D
  BOOST_TEST(last(kA + "x\x1d" + kB) == kA.size() + 2);
  BOOST_TEST(last(kA + " \x1d" + kBom + "\n" + kB) == kA.size() + 6);
  BOOST_TEST(last(kA + kBom.substr(0, 2) + kB) == 0U);
  const std::string blank = titled("no length", {.length = "     ", .head = "       "});
  BOOST_TEST(last(kA + "   " + blank) == kA.size() + 3); // the leader begins with blanks, and no earlier
  BOOST_TEST(last(without_end(kA, 1) + kB + kC) == kA.size() - 1 + kB.size());
}

BOOST_AUTO_TEST_CASE(the_last_anchor_at_every_split) {
  const std::string blank = titled("no length", {.length = "     ", .head = "       "});
  for (const std::string &silent : {""s, " "s, "\x1d"s, "\x1d\x1d \x1d"s, kBom, kBom + "\x1d" + kBom, "\0\r\n"s + kBom})
    check_anchors("junk\x1d" + silent + kA + silent + "\x1d" + silent + blank + silent + "x\x1d" + silent, 2);
  check_anchors(record({{"001", "1"}, {"500", "  a\x1d \x1d" + kB + " end"}}) + kC, 2);
}

BOOST_AUTO_TEST_CASE(the_last_anchor_in_damage_at_random) {
  Random random(31);
  std::size_t found = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string data;
    for (std::size_t i = random.between(1, 4); i > 0; --i)
      data += small_record(random) + (random.one_in(2) ? random.text(random.below(8), kLetters) : "");
    data = damaged(data, random);
    if (random.one_in(3))
      data.insert(random.below(data.size() + 1), random.text(random.below(40), "\x1d\x1d \n") + kBom + kBom);
    const Exact exact(data);
    for (int i = 0; i < 12; ++i) {
      const std::size_t to = random.below(data.size() + 1);
      const std::size_t from = random.one_in(2) ? 0 : random.below(to + 1);
      const std::size_t latest = random.one_in(2) ? data.size() : random.between(to, data.size());
      const std::size_t expected = anchor_by_rule(data, from, to, latest);
      found += expected != 0 ? 1 : 0;
      BOOST_TEST_REQUIRE(anchor_of(exact, from, to, latest) == expected, "round " << round);
      // An anchor is a border, wherever reading began.
      if (expected == 0) continue;
      const std::vector<Part> all = BoundaryRule(data).pieces();
      BOOST_TEST_REQUIRE(std::any_of(all.begin(), all.end(), [&](const Part &part) { return part.begin == expected; }));
    }
  }
  BOOST_TEST(found > 3000U);
}

BOOST_AUTO_TEST_CASE(a_scanner_that_begins_at_an_anchor_has_forgotten_what_was_before) {
  const std::string first = "\x1f\x8b\x08\x00\x1d..."s; // like gzip, at the beginning only
  for (const std::string &before : {kA.substr(0, 30), kA.substr(0, 90), first, "junk"s, std::string(200, 'x'), " "s}) {
    Scanner scanner(100);
    const Exact window(before);
    static_cast<void>(scanner.next(window.data(), window.size(), false));
    scanner.begin_at_anchor();
    BOOST_TEST(!scanner.in_parts());
    BOOST_TEST(!scanner.at_beginning());
    const Exact record(kB);
    const Piece piece = scanner.next(record.data(), record.size(), false);
    BOOST_TEST((piece.kind == Record));
    BOOST_TEST(piece.length == kB.size());
  }
}
