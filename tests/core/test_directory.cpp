// The directory, eight digits at a time for MARC 21 and one by one for other entry maps, against the plain way.
// SPDX-License-Identifier: MIT
#include "directory.hpp"

#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

constexpr marc::EntryMap kMarc21{4, 5, 0};

struct Plain {
  std::vector<marc::DirectoryEntry> entries; // up to the first bad one
  bool valid = true;
};

bool is_delimiter(char c) { return c == '\x1d' || c == '\x1e' || c == '\x1f'; }

std::optional<std::uint32_t> plain_number(std::string_view text) {
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return value;
}

Plain plain_read(std::string_view entries, const marc::EntryMap &map) {
  Plain all;
  const std::size_t width = std::size_t{3} + map.length + map.start + map.other;
  for (; entries.size() >= width; entries.remove_prefix(width)) {
    const std::string_view tag = entries.substr(0, 3);
    const auto length = plain_number(entries.substr(3, map.length));
    const auto start = plain_number(entries.substr(3 + std::size_t{map.length}, map.start));
    const std::string_view other = entries.substr(width - map.other, map.other);
    all.valid = length && start && std::none_of(tag.begin(), tag.end(), is_delimiter) &&
                std::none_of(other.begin(), other.end(), is_delimiter);
    if (!all.valid) return all;
    std::uint32_t packed = 0;
    for (std::size_t i = 0; i < 3; ++i) packed |= std::uint32_t{static_cast<unsigned char>(tag[i])} << (8 * i);
    all.entries.push_back({packed, *length, *start});
  }
  return all;
}

bool same(const marc::DirectoryEntry &a, const marc::DirectoryEntry &b) {
  return a.tag == b.tag && a.length == b.length && a.start == b.start;
}

// "" if the directory is read as the plain way reads it, at once and in two steps.
std::string problem_with(const std::string &entries, const marc::EntryMap &map) {
  const Plain plain = plain_read(entries, map);
  const Exact record(std::string(24, 'L') + entries);
  const std::size_t end = record.size();
  static marc::Directory directory; // one for all, as in the scanner
  const auto check = [&](bool valid, const char *when) -> std::string {
    if (valid != plain.valid) return std::string("valid or not, ") + when;
    if (directory.count() != plain.entries.size()) return std::string("number of entries, ") + when;
    if (!std::equal(directory.begin(), directory.end(), plain.entries.begin(), same)) return "an entry";
    std::size_t extent = 0;
    std::size_t shortest = 999999999;
    bool ascii = true;
    for (const marc::DirectoryEntry &entry : plain.entries) {
      extent = std::max(extent, std::size_t{entry.start} + entry.length);
      shortest = std::min<std::size_t>(shortest, entry.length);
      ascii = ascii && (entry.tag & 0x808080) == 0;
    }
    if (directory.extent() != extent) return "extent";
    if (directory.shortest() != shortest) return "shortest";
    if (directory.has_ascii_tags() != ascii) return "ASCII tags";
    return "";
  };
  directory.clear();
  std::string problem = check(directory.read(record.data(), map, end), "at once");
  for (std::size_t split = 24; problem.empty() && split < end; ++split) {
    directory.clear();
    const bool first = directory.read(record.data(), map, split);
    problem = check(first && directory.read(record.data(), map, end), "in two steps");
  }
  return problem;
}

} // namespace

BOOST_AUTO_TEST_CASE(tags) {
  BOOST_TEST(marc::pack_tag(bytes_of("245")) == ('2' | '4' << 8 | '5' << 16));
  BOOST_TEST(marc::pack_tag(bytes_of("\xff\x80\x01")) == 0x0180FFU);
  const auto control = [](const char *tag) { return marc::is_control_tag(marc::pack_tag(bytes_of(tag))); };
  for (const char *tag : {"000", "001", "005", "008", "009"}) BOOST_TEST(control(tag), tag);
  const std::string high = "0\xb0" // not a digit with its eighth bit
                           "1";
  for (const char *tag : {"010", "100", "00A", "0 1", " 01", "00/", "00:", "LDR", "900", high.c_str()})
    BOOST_TEST(!control(tag), tag);
}

BOOST_AUTO_TEST_CASE(no_entries) {
  BOOST_TEST(problem_with("", kMarc21) == "");
  BOOST_TEST(problem_with("24500100000"s.substr(0, 11), kMarc21) == ""); // less than one
}

BOOST_AUTO_TEST_CASE(every_byte_at_every_place_of_an_entry) {
  for (std::size_t place = 0; place < 12; ++place) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      for (const char *usual : {"245012300456", "   999999999",
                                "\xff\xff\xff"
                                "000000000"}) {
        const std::string entry = with(usual, place, std::string(1, static_cast<char>(byte)));
        BOOST_TEST_REQUIRE(problem_with(entry, kMarc21) == "", place << " " << byte);
        BOOST_TEST_REQUIRE(problem_with("001000500000" + entry + "100000100000", kMarc21) == "", place << " " << byte);
        BOOST_TEST_REQUIRE(problem_with(entry, {5, 4, 0}) == "", place << " " << byte);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(two_bytes_of_an_entry_at_once) {
  // Additions over eight digits carry: a byte must not hide what is wrong with its neighbour.
  const std::string bytes("\x00\x09\x1c\x1d\x1f\x20\x2f\x30\x39\x3a\x7f\x80\x89\x8a\xb0\xff", 16);
  for (std::size_t first = 0; first < 12; ++first)
    for (std::size_t second = 0; second < first; ++second)
      for (const char a : bytes)
        for (const char b : bytes) {
          std::string entry = "245012300456";
          entry[first] = a;
          entry[second] = b;
          BOOST_TEST_REQUIRE(problem_with(entry, kMarc21) == "", first << " " << second);
        }
}

BOOST_AUTO_TEST_CASE(all_lengths_and_starts) {
  for (std::size_t length = 0; length <= 9999; ++length)
    BOOST_TEST_REQUIRE(problem_with("245" + number(length, 4) + number(length * 10 + 7, 5), kMarc21) == "");
}

BOOST_AUTO_TEST_CASE(entries_at_random) {
  Random random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string entries;
    for (std::size_t i = random.between(1, 6); i > 0; --i)
      entries += random.text(3, "0123456789a \x80\x1c") + random.text(9, "0123456789");
    if (random.one_in(3)) entries[random.below(entries.size())] = static_cast<char>(random.below(256));
    if (random.one_in(4)) entries.resize(random.below(entries.size()));
    BOOST_TEST_REQUIRE(problem_with(entries, kMarc21) == "");
  }
  for (int round = 0; round < 3000; ++round) { // nothing but chance
    std::string entries(random.below(40), '\0');
    for (char &byte : entries) byte = static_cast<char>(random.below(256));
    BOOST_TEST_REQUIRE(problem_with(entries, kMarc21) == "");
  }
}

BOOST_AUTO_TEST_CASE(other_entry_maps) {
  Random random(4);
  for (std::uint8_t length = 0; length <= 9; ++length) {
    for (std::uint8_t start = 0; start <= 9; ++start) {
      for (std::uint8_t other = 0; other <= 9; ++other) {
        if (length + start < 9) continue;
        const marc::EntryMap map{length, start, other};
        for (int round = 0; round < 6; ++round) {
          std::string entries;
          for (std::size_t i = random.between(1, 4); i > 0; --i)
            entries += random.text(3, "012459a ") + random.text(map.digits(), "0123456789") +
                       random.text(other, "0 a\x01\xff");
          if (random.one_in(2)) entries[random.below(entries.size())] = random.of("x\x1d\x1e\x1f\xff/:");
          BOOST_TEST_REQUIRE(problem_with(entries, map) == "");
        }
      }
    }
  }
  BOOST_TEST(problem_with("245999999999999999999", {9, 9, 0}) == ""); // twice nine digits fit
}

BOOST_AUTO_TEST_CASE(it_goes_on_where_it_stopped) {
  const std::string entries = "001000500000"
                              "00500030000x"
                              "245000200008";
  const std::string record = std::string(24, 'L') + entries;
  marc::Directory directory;
  directory.clear();
  BOOST_TEST(directory.read(bytes_of(record), kMarc21, 24 + 12 + 11));
  BOOST_TEST(directory.count() == 1U);
  BOOST_TEST(!directory.read(bytes_of(record), kMarc21, 24 + 24)); // the bad one
  BOOST_TEST(directory.count() == 1U);
  directory.clear();
  BOOST_TEST(directory.count() == 0U);
  BOOST_TEST(directory.extent() == 0U);
}

BOOST_AUTO_TEST_CASE(the_longest_directory) {
  std::string entries;
  for (std::size_t i = 0; i < 8331; ++i) entries += "500" + number(i % 10000, 4) + number(i, 5);
  const std::string record = std::string(24, 'L') + entries;
  BOOST_TEST_REQUIRE(record.size() + 1 <= marc::kLargestLength);
  marc::Directory directory;
  directory.clear();
  BOOST_TEST(directory.read(bytes_of(record), kMarc21, record.size()));
  BOOST_TEST(directory.count() == 8331U);
  BOOST_TEST(directory.extent() == 8330U * 2);
  BOOST_TEST((directory.end() - 1)->start == 8330U);
}

BOOST_AUTO_TEST_CASE(one_entry_alone) {
  const auto valid = [](const std::string &entry, const marc::EntryMap &map) {
    const Exact bytes(entry);
    return marc::is_valid_entry(bytes.data(), map);
  };
  BOOST_TEST(valid("245000100000", kMarc21));
  BOOST_TEST(valid("\xff \x01"
                   "000100000",
                   kMarc21));
  for (const char delimiter : {'\x1d', '\x1e', '\x1f'})
    for (std::size_t place = 0; place < 15; ++place)
      BOOST_TEST(!valid(with("245000100000...", place, std::string(1, delimiter)), {4, 5, 3}), place);
  BOOST_TEST(valid("245000100000.\xff ", {4, 5, 3}));
  BOOST_TEST(!valid("24500010000 ...", {4, 5, 3}));
}
