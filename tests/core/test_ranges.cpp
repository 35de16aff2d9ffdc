// Byte ranges: any tiling of an input gives what one reader gives, however it is read.
// SPDX-License-Identifier: MIT
#include "boundary_rule.hpp"
#include "files.hpp"
#include "make.hpp"
#include "reading.hpp"
#include "whole.hpp"

#include <marc/marc.h>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

constexpr std::uint64_t kEndless = UINT64_MAX;

// What a range has given: lines without their indexes, which count from its beginning.
struct Range {
  std::vector<std::string> lines;
  std::uint64_t bytes = 0; // of pieces
  std::uint64_t pieces = 0;
};

// The line of piece `i` without its index: "@offset ...".
std::string line_of(const marc::Batch &batch, std::size_t i) {
  return "@" + std::to_string(batch.source_offset + batch.record_start[i]) + " " + piece_text(batch, i);
}

Range read_range(std::unique_ptr<marc::Source> source, marc::PipelineOptions options, std::uint64_t begin,
                 std::uint64_t end) {
  options.pieces.range_begin = begin;
  options.pieces.range_end = end;
  marc::Pipeline pipeline(std::move(source), options);
  Range range;
  std::uint64_t index = 0; // of the next piece
  for (;;) {
    const Outcome outcome = next(pipeline);
    if (outcome.batch == nullptr) {
      BOOST_TEST_REQUIRE(outcome.failure.code == MARC_END);
      break;
    }
    const marc::Batch &batch = *outcome.batch;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::uint64_t at = batch.source_offset + batch.record_start[i];
      BOOST_TEST_REQUIRE((begin <= at && at < end), at << " in " << begin << ".." << end);
      range.lines.push_back(line_of(batch, i));
      range.bytes += batch.record_length[i];
      ++range.pieces;
      // A part has the index of the piece before it; the first one of a range, whose beginning is not its own, that of
      // the next piece.
      const bool part = batch.record_status[i] == MARC_BAD_OVERSIZE_PART;
      BOOST_TEST_REQUIRE(batch.first_index + i == (part && index > 0 ? index - 1 : index));
      index += part ? 0 : 1;
    }
    BOOST_TEST_REQUIRE(pipeline.index() == index);
  }
  BOOST_TEST_REQUIRE(pipeline.counters().pieces == range.pieces);
  return range;
}

// Lines of all pieces that begin in [begin, end).
std::vector<std::string> lines_between(const std::vector<std::string> &all, std::uint64_t begin, std::uint64_t end) {
  std::vector<std::string> some;
  for (const std::string &line : all) {
    const std::uint64_t at = std::stoull(line.substr(1));
    if (begin <= at && at < end) some.push_back(line);
  }
  return some;
}

struct Opener {
  const std::string &data;
  std::string path; // of a file that holds them

  static std::int64_t read_at(void *context, std::uint64_t offset, std::uint8_t *buffer, std::size_t capacity) {
    const auto &all = static_cast<const Opener *>(context)->data;
    const std::size_t size = std::min<std::size_t>({capacity, all.size() - offset, 333});
    std::copy_n(all.data() + offset, size, buffer);
    return static_cast<std::int64_t>(size);
  }
  static constexpr std::size_t kWays = 3;
  std::unique_ptr<marc::Source> open(std::size_t way) {
    marc::Failure failure;
    if (way == 0) return marc::open_memory({bytes_of(data), data.size()});
    if (way == 1) return marc::open_file(path.c_str(), false, failure);
    return marc::open_read_at(read_at, this, data.size());
  }
};

std::vector<std::string> whole_lines(const std::string &data, const marc::PipelineOptions &options) {
  return read_range(marc::open_memory({bytes_of(data), data.size()}), options, 0, kEndless).lines;
}

const std::string &small_input() {
  static const std::string kInput = [] {
    std::string data = "\xef\xbb\xbf" + kA + "junk\x1d" + kC + "  \x1d\n" + with(kB, 0, "99999") + "two words";
    data += kC + std::string(40, ' ') + kB.substr(0, 100) + kA + with(titled(std::string(300, 't')), 0, "00000");
    data += "\x1d" + titled("no length", {.length = "     "}) + "1\x1d\xef\xbb\xbf" + kA;
    // A record inside another, behind an 0x1D.
    data += record({{"001", "1"}, {"500", "  a\x1d \x1d" + kB + " end"}}) + "\n" + kC;
    return data + kB.substr(0, 90);
  }();
  return kInput;
}

} // namespace

BOOST_AUTO_TEST_CASE(every_split_in_two) {
  const std::string &data = small_input();
  const Folder folder;
  Opener opener{data, folder.file("input", data)};
  const marc::SharedPool pool(2);
  for (const std::size_t largest : {std::size_t{64} << 20, std::size_t{70}}) {
    const std::vector<std::string> all = whole_lines(data, options_of(1 << 20, 0, largest));
    for (std::size_t split = 0; split <= data.size(); split += kStep) {
      const std::size_t chunk = split % 3 == 0 ? 64 : split % 3 == 1 ? 300 : 1 << 20;
      marc::PipelineOptions options = options_of(chunk, split % 2, largest);
      if (split % 4 == 0) options = with_threads(options, 2, 3);
      for (std::size_t way = 0; way < Opener::kWays; ++way) {
        const Range first = read_range(opener.open(way), options, 0, split);
        const Range second = read_range(opener.open(way), options, split, kEndless);
        BOOST_TEST_REQUIRE(line_difference(lines_between(all, 0, split), first.lines) == "", split << ", way " << way);
        BOOST_TEST_REQUIRE(line_difference(lines_between(all, split, kEndless), second.lines) == "",
                           split << ", way " << way);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_range_of_a_few_bytes) {
  const std::string &data = small_input();
  const Folder folder;
  Opener opener{data, folder.file("input", data)};
  const std::vector<std::string> all = whole_lines(data, options_of(1 << 20));
  for (std::size_t begin = 0; begin < data.size() + 5; begin += kStep) {
    for (const std::size_t size : {0U, 1U, 3U, 150U}) {
      const Range range = read_range(opener.open(begin % 3), options_of(200), begin, begin + size);
      BOOST_TEST_REQUIRE(line_difference(lines_between(all, begin, begin + size), range.lines) == "",
                         begin << ", " << size);
    }
  }
}

BOOST_AUTO_TEST_CASE(ranges_behind_the_end) {
  const std::string &data = small_input();
  const Folder folder;
  Opener opener{data, folder.file("input", data)};
  const std::vector<std::string> all = whole_lines(data, options_of(1 << 20));
  for (const unsigned threads : {1U, 2U}) {
    const marc::PipelineOptions options = with_threads(options_of(100), threads, threads == 1 ? 0 : 3);
    for (std::size_t way = 0; way < Opener::kWays; ++way) {
      const std::uint64_t size = data.size();
      for (const std::uint64_t begin : {size, size + 1, size + 1000000, std::uint64_t{1} << 62, kEndless - 1, kEndless})
        BOOST_TEST(read_range(opener.open(way), options, begin, kEndless).lines.empty());
      for (const std::uint64_t end : {size, size + 1, std::uint64_t{1} << 63, kEndless})
        BOOST_TEST(line_difference(all, read_range(opener.open(way), options, 0, end).lines) == "");
      for (const std::uint64_t at : {std::uint64_t{0}, size / 2, size})
        BOOST_TEST(read_range(opener.open(way), options, at, at).lines.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_range_stops_reading_at_its_end) {
  const std::string data = repeated(kA, 2000);
  for (const unsigned threads : {1U, 2U}) {
    Log log;
    auto source = scripted(data, at_once(), log);
    source->tell_size();
    marc::PipelineOptions options = with_threads(options_of(1000), threads, threads == 1 ? 0 : 4);
    const Range range = read_range(std::move(source), options, 20000, 30000);
    BOOST_TEST(range.pieces > 50U);
    BOOST_TEST(log.reads < 140U); // 120 KB to find the anchor in, 10 KB, and a few
    BOOST_TEST(log.reads_after_end == 0U);
  }
}

BOOST_AUTO_TEST_CASE(random_tilings) {
  Random random(77);
  const std::string &mixed = mixed_input();
  const std::string letters = "\x1d\x1d\x1e\x1f \n\0 0123459ax\xef\xbb\xbf"s;
  std::size_t parts = 0;
  const marc::SharedPool pool(3);
  const Folder folder;
  for (int round = 0; round < 500; ++round) {
    std::string data;
    if (round % 50 == 0) data = mixed;
    for (std::size_t i = random.between(2, 9); i > 0; --i) {
      std::string some = titled(random.text(random.below(30), letters));
      if (random.one_in(4)) some = with(some, 0, random.text(5, "0 19"));
      if (random.one_in(4)) some.erase(random.below(some.size()), random.below(40));
      if (random.one_in(4)) some.insert(random.below(some.size()), titled("in"));
      if (random.one_in(4)) some += random.text(random.below(90), letters);
      data += some;
    }
    const std::size_t largest = random.one_in(3) ? random.between(1, 200) : std::size_t{64} << 20;
    std::vector<std::uint64_t> cuts{0, kEndless};
    for (std::size_t i = random.between(1, 8); i > 0; --i) cuts.push_back(random.below(data.size() + 3));
    std::sort(cuts.begin(), cuts.end());
    marc::PipelineOptions options = options_of(random.between(64, 2000), random.below(4), largest);
    if (random.one_in(2)) options = with_threads(options, 3, random.between(1, 5));
    if (random.one_in(3)) options.pieces.reading = marc::Reading::Best;
    Opener opener{data, random.one_in(5) ? folder.file("input", data) : ""};
    std::vector<std::string> together;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      std::size_t way = random.below(3);
      if (way == 1 && opener.path.empty()) way = 2;
      const Range range = read_range(opener.open(way), options, cuts[i], cuts[i + 1]);
      together.insert(together.end(), range.lines.begin(), range.lines.end());
      bytes += range.bytes;
    }
    marc::PipelineOptions serial = options_of(1 << 20, 0, largest);
    serial.pieces.reading = options.pieces.reading;
    BOOST_TEST_REQUIRE(line_difference(whole_lines(data, serial), together) == "", round);
    // And as the rule has it.
    std::vector<std::string> by_rule;
    std::vector<std::string> places;
    std::uint64_t expected = 0;
    for (const Part &part : BoundaryRule(data, largest).pieces()) {
      if (part.kind == marc::PieceKind::Silent) continue;
      by_rule.push_back("@" + std::to_string(part.begin));
      expected += part.end - part.begin;
      parts += part.kind == marc::PieceKind::More ? 1 : 0;
    }
    for (const std::string &line : together) places.push_back(line.substr(0, line.find(' ')));
    BOOST_TEST_REQUIRE(line_difference(by_rule, places) == "", round);
    BOOST_TEST_REQUIRE(bytes == expected, round);
  }
  BOOST_TEST(parts > 100U);
}

BOOST_AUTO_TEST_CASE(what_another_format_seems_to_be_in_ranges) {
  for (const std::string &head : {"\x1f\x8b\x08\x00\x1d.."s, "PK\x03\x04"s, "<?xml version='1.0'?>"s}) {
    const std::string data = head + repeated("zip\x1dped\x1e\x1d", 10) + kA + kB + "\x1d" + head + "\x1d" + kC + head;
    Opener opener{data, ""};
    const std::vector<std::string> all = whole_lines(data, options_of(1 << 20));
    for (std::size_t split = 0; split <= data.size(); ++split) {
      for (const std::size_t way : {0U, 2U}) {
        const Range first = read_range(opener.open(way), options_of(64 + split), 0, split);
        const Range second = read_range(opener.open(way), options_of(64 + split), split, kEndless);
        BOOST_TEST_REQUIRE(line_difference(lines_between(all, 0, split), first.lines) == "", split);
        BOOST_TEST_REQUIRE(line_difference(lines_between(all, split, kEndless), second.lines) == "", split);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(parts_at_the_borders_of_ranges) {
  // Four parts of one piece; each border lies at, just before or just behind the beginning of one.
  const std::string large = "j" + std::string(349, 'x') + "\x1d";
  const std::string data = kA + large + kB;
  const std::size_t first = kA.size();
  Opener opener{data, ""};
  for (const int shift : {-1, 0, 1}) {
    const std::size_t begin = first + 100 + static_cast<std::size_t>(1 + shift) - 1;
    for (const std::size_t way : {0U, 2U}) {
      const Range range = read_range(opener.open(way), options_of(100, 0, 100), begin, kEndless);
      const std::size_t least = shift == 1 ? 2 : 3; // a part that begins before the range is not in it
      BOOST_TEST_REQUIRE(range.pieces == least + 1);
      BOOST_TEST(range.lines.front().find("BAD_OVERSIZE_PART") != std::string::npos);
      BOOST_TEST(range.lines.back().find("MARC_OK") != std::string::npos);
    }
  }
}

// ---- Failures --------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_source_that_fails_at_any_read_of_a_range) {
  const std::string &data = small_input();
  for (const unsigned threads : {1U, 2U}) {
    for (const std::size_t chunk : {200U, 1000U}) {
      const std::uint64_t begin = data.size() / 2;
      marc::PipelineOptions options = with_threads(options_of(chunk), threads, threads == 1 ? 0 : 3);
      options.pieces.range_begin = begin;
      const auto source = [&](Log &log) {
        auto made = scripted(data, test::pieces_of(150), log);
        made->tell_size();
        return made;
      };
      Log whole;
      const std::vector<std::string> all = read_range(source(whole), options, begin, kEndless).lines;
      for (std::size_t number = 1; number <= whole.reads; ++number) {
        for (const std::int32_t code : {MARC_E_IO, MARC_E_INTERRUPTED}) {
          Log log;
          auto made = source(log);
          made->fail_read(number, {code, 7, {}});
          marc::Pipeline pipeline(std::move(made), options);
          std::vector<std::string> lines;
          std::size_t failures = 0;
          for (;;) {
            const Outcome outcome = next(pipeline);
            if (outcome.batch != nullptr) {
              for (std::size_t i = 0; i < outcome.batch->size(); ++i) lines.push_back(line_of(*outcome.batch, i));
            } else if (outcome.failure.code == MARC_END) {
              break;
            } else {
              BOOST_TEST_REQUIRE(outcome.failure.code == code, number);
              BOOST_TEST_REQUIRE(outcome.failure.detail == 7);
              const std::string rest = text_of(pipeline.rest().data(), pipeline.rest().size());
              BOOST_TEST_REQUIRE(data.compare(pipeline.offset(), rest.size(), rest) == 0, number);
              ++failures;
            }
          }
          // A fault behind the range's begin is passed over while that is looked for; the source is asked again there.
          const bool passed_over = code == MARC_E_IO && failures == 0;
          BOOST_TEST_REQUIRE((failures == 1U || passed_over), number);
          BOOST_TEST_REQUIRE(lines.size() <= all.size());
          BOOST_TEST_REQUIRE(std::equal(lines.begin(), lines.end(), all.begin()), number);
          if (code == MARC_E_INTERRUPTED || passed_over) BOOST_TEST_REQUIRE(line_difference(all, lines) == "", number);
        }
      }
    }
  }
}
