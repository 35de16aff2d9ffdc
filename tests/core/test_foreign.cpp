// Inputs that begin as something else: one piece that says so, whatever the reads; the records behind it are found.
// SPDX-License-Identifier: MIT
#include "foreign.hpp"

#include "make.hpp"
#include "reading.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

struct Begin {
  std::string bytes;
  std::int32_t code;
};

std::string utf16(const std::string &text, bool big) {
  std::string wide;
  for (const char c : text) wide += big ? "\0"s + c : c + "\0"s;
  return wide;
}

const std::vector<Begin> kBegins{{"\x1f\x8b\x08\x00"s, MARC_BAD_GZIP},
                                 {"BZh9", MARC_BAD_BZIP2},
                                 {"\xfd"
                                  "7zXZ\0"s,
                                  MARC_BAD_XZ},
                                 {"\x28\xb5\x2f\xfd", MARC_BAD_ZSTD},
                                 {"PK\x03\x04", MARC_BAD_ZIP},
                                 {"<?xml version=\"1.0\"?>", MARC_BAD_XML},
                                 {"<collection>", MARC_BAD_XML},
                                 {"<!-- a comment -->", MARC_BAD_XML},
                                 {"<!DOCTYPE html>", MARC_BAD_HTML},
                                 {"<!doctype HTML PUBLIC", MARC_BAD_HTML},
                                 {"<html>", MARC_BAD_HTML},
                                 {"<HTML lang=\"en\">", MARC_BAD_HTML},
                                 {"{\"leader\": ", MARC_BAD_JSON},
                                 {"[{\"leader\": ", MARC_BAD_JSON},
                                 {"{\n  \"leader\": ", MARC_BAD_JSON},
                                 {"[ {", MARC_BAD_JSON},
                                 {"[]", MARC_BAD_JSON},
                                 {"=LDR  00714cam", MARC_BAD_MARCMAKER},
                                 {"\xff\xfe" + utf16("<?xml", false), MARC_BAD_UTF16},
                                 {"\xfe\xff" + utf16("<?xml", true), MARC_BAD_UTF16},
                                 {utf16("00714cam", false), MARC_BAD_UTF16}};

const std::string kRecord = titled("a record behind it");

// Lines such as "MARC_BAD_GZIP @3+400", one for each piece.
std::vector<std::string> pieces_of(std::unique_ptr<marc::Source> source, const marc::PipelineOptions &options) {
  marc::Pipeline pipeline(std::move(source), options);
  std::vector<std::string> lines;
  for (Outcome outcome = next(pipeline); outcome.batch != nullptr; outcome = next(pipeline))
    for (std::size_t i = 0; i < outcome.batch->size(); ++i)
      lines.push_back(marc::code_name(outcome.batch->record_status[i]) + " @"s +
                      std::to_string(outcome.batch->source_offset + outcome.batch->record_start[i]) + "+" +
                      std::to_string(outcome.batch->record_length[i]));
  return lines;
}

std::string line(std::int32_t code, std::size_t begin, std::size_t size) {
  return marc::code_name(code) + " @"s + std::to_string(begin) + "+" + std::to_string(size);
}

// These are the pieces, in both modes, from memory and in reads of 1 to 32 bytes.
void check(const std::string &data, const std::vector<std::string> &expected, std::size_t largest = 64 << 20) {
  for (const marc::Reading reading : {marc::Reading::Pymarc, marc::Reading::Best}) {
    const marc::PipelineOptions options{64, 0, largest, reading};
    BOOST_TEST(line_difference(expected, pieces_of(marc::open_memory({bytes_of(data), data.size()}), options)) == "");
    Log log;
    for (std::size_t size = 1; size <= 32; ++size)
      BOOST_TEST(line_difference(expected, pieces_of(scripted(data, test::pieces_of(size), log), options)) == "",
                 "reads of " << size);
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(each_format_is_known_by_its_first_bytes) {
  for (const Begin &begin : kBegins) {
    const Exact bytes(begin.bytes);
    BOOST_TEST(marc::foreign_format(bytes.data(), bytes.size()) == begin.code, begin.bytes);
    const std::string more = begin.bytes + std::string(100, 'x');
    BOOST_TEST(marc::foreign_format(bytes_of(more), more.size()) == begin.code, begin.bytes);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_other_format) {
  for (const std::string &text : {""s,
                                  "\x1f"s,
                                  "\x1f\x8b"s,
                                  "\x1f\x8b\x07"s,
                                  "BZ"s,
                                  "BZ9h"s,
                                  "\xfd\x37zXY\0"s,
                                  "PK"s,
                                  "PK\x05\x06"s,
                                  "<"s,
                                  "< a"s,
                                  "<1>"s,
                                  "{"s,
                                  "{ a"s,
                                  "[1,"s,
                                  "{ \n"s,
                                  "=LD"s,
                                  "=001"s,
                                  "\xff\xfe"s,
                                  "\xfe\xff"s,
                                  "\xff\xfe<\0?\0x\0"s,
                                  "0\0000\0000\0\0\0"s,
                                  "\0\0\0\0\0\0\0\0"s,
                                  "00714cam a2200205 a 4500"s,
                                  "junk"s,
                                  " <xml>"s,
                                  "ocm12345"s}) {
    const Exact bytes(text);
    BOOST_TEST(marc::foreign_format(bytes.data(), bytes.size()) == 0, text);
  }
}

BOOST_AUTO_TEST_CASE(no_record_is_taken_for_another_format) {
  // Whatever its first byte is: a verified start comes first.
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = with(kRecord, 0, std::string(1, static_cast<char>(byte)));
    const std::vector<std::string> lines = pieces_of(marc::open_memory({bytes_of(text), text.size()}), {});
    BOOST_TEST_REQUIRE(lines.size() >= 1U);
    BOOST_TEST((lines[0].starts_with("MARC_BAD_LENGTH @") || lines[0].starts_with("MARC_OK @") ||
                lines[0].starts_with("MARC_BAD_TRUNCATED @") || lines[0].starts_with("MARC_BAD_LEADER_TEXT @")),
               lines[0]);
  }
}

BOOST_AUTO_TEST_CASE(one_piece_up_to_the_end) {
  for (const Begin &begin : kBegins) {
    const std::string data = begin.bytes + repeated("\n  any bytes \x1e\x1f", 9);
    check(data, {line(begin.code, 0, data.size())});
    for (const std::string &silent : {"\n"s, "\r\n \t\x1a"s, "\xef\xbb\xbf"s, "\0\0\x1d"s, std::string(200, ' ')})
      check(silent + data, {line(begin.code, silent.size(), data.size())});
  }
}

BOOST_AUTO_TEST_CASE(records_behind_it_are_delivered) {
  for (const Begin &begin : kBegins) {
    const std::string other = begin.bytes + repeated("\n  any bytes \x1e\x1f", 9) + "x";
    check(other + kRecord + "\n" + kRecord,
          {line(begin.code, 0, other.size()), line(MARC_OK, other.size(), kRecord.size()),
           line(MARC_OK, other.size() + kRecord.size() + 1, kRecord.size())});
    check(other + " \r\n" + kRecord,
          {line(begin.code, 0, other.size()), line(MARC_OK, other.size() + 3, kRecord.size())});
  }
}

BOOST_AUTO_TEST_CASE(record_terminators_mean_nothing_in_compressed_data) {
  for (const Begin &begin : kBegins) {
    const std::string first = begin.bytes + "first\x1d";
    const std::string data = first + "second\x1d";
    if (marc::is_binary_format(begin.code)) {
      check(data, {line(begin.code, 0, data.size())});
      check(data + kRecord, {line(begin.code, 0, data.size() - 1), line(MARC_OK, data.size(), kRecord.size())});
    } else {
      check(data + kRecord, {line(begin.code, 0, first.size()), line(MARC_BAD_LENGTH, first.size(), 7),
                             line(MARC_OK, data.size(), kRecord.size())});
    }
  }
}

BOOST_AUTO_TEST_CASE(only_the_beginning_counts) {
  for (const Begin &begin : kBegins) {
    if (begin.bytes[0] == '\x1f' || begin.bytes.find('\0') != std::string::npos)
      continue; // their bytes are other pieces
    const std::string other = begin.bytes + "and text, longer than a leader\x1d";
    check(kRecord + other, {line(MARC_OK, 0, kRecord.size()), line(MARC_BAD_LENGTH, kRecord.size(), other.size())});
    check("junk\x1d" + other + kRecord, {line(MARC_BAD_LENGTH, 0, 5), line(MARC_BAD_LENGTH, 5, other.size()),
                                         line(MARC_OK, 5 + other.size(), kRecord.size())});
  }
}

BOOST_AUTO_TEST_CASE(above_the_largest_size_it_comes_in_parts) {
  for (const Begin &begin : kBegins) {
    const std::string other = begin.bytes + std::string(250 - begin.bytes.size(), 'x');
    check(other + kRecord,
          {line(begin.code, 0, 100), line(MARC_BAD_OVERSIZE_PART, 100, 100), line(MARC_BAD_OVERSIZE_PART, 200, 50),
           line(MARC_OK, 250, kRecord.size())},
          100);
    check(other.substr(0, 100), {line(begin.code, 0, 100)}, 100);
  }
  // Before its end is known, too.
  const std::string long_one = "PK\x03\x04" + std::string(300000, '\x1d');
  std::vector<std::string> expected{line(MARC_BAD_ZIP, 0, 100000)};
  for (std::size_t at = 100000; at < long_one.size(); at += 100000)
    expected.push_back(line(MARC_BAD_OVERSIZE_PART, at, std::min<std::size_t>(100000, long_one.size() - at)));
  Log log;
  const auto pieces = pieces_of(scripted(long_one, test::pieces_of(1000), log), {4096, 0, 100000, marc::Reading::Best});
  BOOST_TEST(line_difference(expected, pieces) == "");
}

// How many bytes must have come before the first piece is decided.
BOOST_AUTO_TEST_CASE(nothing_is_waited_for_that_changes_nothing) {
  const auto decided_after = [](const std::string &data) {
    marc::Scanner scanner(std::size_t{64} << 20);
    for (std::size_t size = 0; size <= data.size(); ++size) {
      const Exact window(std::string_view(data).substr(0, size));
      if (scanner.next(window.data(), size, false).kind != marc::PieceKind::NeedMore) return size;
    }
    return data.size() + 1;
  };
  // Whatever the first byte: a chunk is there with its 0x1D.
  for (int byte = 0; byte < 256; ++byte) {
    const std::string data = std::string(1, static_cast<char>(byte)) + "unk\x1d";
    if (marc::Scanner(100).next(bytes_of(data), 1, true).kind == marc::PieceKind::Silent) continue;
    BOOST_TEST(decided_after(data + std::string(100, 'x')) == data.size(), byte);
  }
  for (const char *data : {"B\x1d", "BZ\x1d", "P\x1d", "<\x1d", "{\x1d", "{ \x1d", "=L\x1d", "\xff\x1d", "\xfe\xff\x1d",
                           "\x1f\x1d", "\x1f\x8b\x1d"})
    BOOST_TEST(decided_after(data + std::string(100, 'x')) == std::string(data).size(), data);
  BOOST_TEST(decided_after(kRecord) == kRecord.size());
}
