// The directory of a damaged record: where it begins and ends, and what its entries say.
// SPDX-License-Identifier: MIT
#include "salvage_directory.hpp"

#include "batches.hpp"
#include "directory.hpp"
#include "make.hpp"
#include "salvaged.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

const Layout kSample{{{"001", "ocm-4711"},
                      {"100", marc_of("1 $aFarrow, Edith")},
                      {"245", marc_of("10$aA small title$bwith notes")},
                      {"650", marc_of(" 0$aDamage")}}};

// The directory in the bytes of a piece, its record terminator left out.
std::optional<marc::SalvagedDirectory> directory_of(const std::string &piece) {
  const std::size_t size = piece.size() - (!piece.empty() && piece.back() == '\x1d' ? 1 : 0);
  const Exact bytes(std::string_view(piece).substr(0, size));
  marc::SalvagedDirectory found;
  if (!marc::salvage_directory(bytes.data(), bytes.size(), found)) return std::nullopt;
  return found;
}

// "001+9@0 100+18@9*": tag, length and start of each entry; a star behind a damaged one.
std::string entries_of(const marc::SalvagedDirectory &found) {
  std::string words;
  for (const marc::SalvagedEntry &entry : found.entries)
    words += (words.empty() ? "" : " ") + tag_text(entry.tag) + "+" + std::to_string(entry.length) + "@" +
             std::to_string(entry.start) + (entry.damaged ? "*" : "");
  return words;
}

std::string true_entries() {
  std::string words;
  for (std::size_t i = 0; i < kSample.fields.size(); ++i)
    words += (i == 0 ? "" : " ") + kSample.fields[i].tag + "+" + std::to_string(kSample.fields[i].body.size() + 1) +
             "@" + std::to_string(kSample.begin(i) - kSample.base);
  return words;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_directory_without_damage) {
  const auto found = directory_of(kSample.text);
  BOOST_TEST_REQUIRE(found.has_value());
  BOOST_TEST(entries_of(*found) == true_entries());
  BOOST_TEST(found->skipped == 0U);
  BOOST_TEST(found->missing == 0U);
  BOOST_TEST(found->begin == 24U);
  BOOST_TEST(found->end == kSample.base - 1);
  BOOST_TEST(found->base == kSample.base);
  BOOST_TEST(found->stated_map);
  for (std::size_t i = 0; i < 4; ++i) {
    BOOST_TEST(found->entries[i].at == 24 + 12 * i);
    BOOST_TEST(found->entries[i].width == 12U);
  }
}

BOOST_AUTO_TEST_CASE(the_leader_is_aligned_at_its_end) {
  const auto leader_of = [](const std::string &piece, const marc::SalvagedDirectory &found) {
    std::string leader;
    for (std::size_t i = 0; i < 24; ++i) leader += static_cast<char>(found.leader(bytes_of(piece), i));
    return leader;
  };
  for (std::size_t at = 0; at < 24; ++at) {
    const std::string longer = with_more(kSample.text, at, "x");
    const auto more = directory_of(longer);
    BOOST_TEST_REQUIRE(more.has_value(), at);
    BOOST_TEST(entries_of(*more) == true_entries(), at);
    BOOST_TEST(more->begin == 25U, at);
    // Where the base address is read as it stood, the byte came in behind it.
    BOOST_TEST(more->skipped == (at < 17 ? 1U : 0U), at);
    if (at < 12) BOOST_TEST(leader_of(longer, *more).substr(at) == kSample.text.substr(at, 24 - at), at);

    const std::string shorter = without(kSample.text, at);
    const auto less = directory_of(shorter);
    BOOST_TEST_REQUIRE(less.has_value(), at);
    BOOST_TEST(entries_of(*less) == true_entries(), at);
    BOOST_TEST(less->begin == 23U, at);
    BOOST_TEST(less->missing == (at < 17 ? 1U : 0U), at);
    if (at < 12) BOOST_TEST(leader_of(shorter, *less).substr(at + 1) == kSample.text.substr(at + 1, 23 - at), at);
  }
}

BOOST_AUTO_TEST_CASE(its_end_is_found_whatever_the_base_address) {
  for (std::size_t base = 0; base <= 99999; base += base < 300 ? 1 : 13) {
    const auto found = directory_of(with(kSample.text, 12, number(base, 5)));
    BOOST_TEST_REQUIRE(found.has_value(), base);
    BOOST_TEST_REQUIRE(found->base == kSample.base, base);
    BOOST_TEST_REQUIRE(entries_of(*found) == true_entries(), base);
  }
}

BOOST_AUTO_TEST_CASE(its_end_is_found_without_its_terminator) {
  const auto missing = directory_of(without(kSample.text, kSample.base - 1));
  BOOST_TEST_REQUIRE(missing.has_value());
  BOOST_TEST(missing->end == kSample.base - 1);
  BOOST_TEST(missing->base == kSample.base - 1); // the first field begins there
  BOOST_TEST(entries_of(*missing) == true_entries());
  const auto other = directory_of(with(kSample.text, kSample.base - 1, "x"));
  BOOST_TEST_REQUIRE(other.has_value());
  BOOST_TEST(other->end == kSample.base - 1);
  BOOST_TEST(other->base == kSample.base);
  BOOST_TEST(entries_of(*other) == true_entries());
}

BOOST_AUTO_TEST_CASE(its_end_is_found_behind_a_terminator_inside_it) {
  for (std::size_t at = 24; at < kSample.base - 1; ++at) {
    const auto overwritten = directory_of(with(kSample.text, at, "\x1e"));
    BOOST_TEST_REQUIRE(overwritten.has_value(), at);
    BOOST_TEST(overwritten->base == kSample.base, at);
    BOOST_TEST(overwritten->entries.size() == 4U, at);
    const auto inserted = directory_of(with_more(kSample.text, at, "\x1e"));
    BOOST_TEST_REQUIRE(inserted.has_value(), at);
    BOOST_TEST(inserted->base == kSample.base + 1, at);
    BOOST_TEST(inserted->entries.size() == 4U, at);
  }
}

BOOST_AUTO_TEST_CASE(one_damaged_entry_costs_itself_only) {
  for (std::size_t at = 24; at < kSample.base - 1; ++at) {
    const std::size_t damaged = (at - 24) / 12;
    for (const std::string &piece :
         {with(kSample.text, at, "x"), without(kSample.text, at), with_more(kSample.text, at, "x")}) {
      const auto found = directory_of(piece);
      BOOST_TEST_REQUIRE(found.has_value(), at);
      BOOST_TEST_REQUIRE(found->entries.size() == 4U, at);
      const auto truth = directory_of(kSample.text);
      for (std::size_t i = 0; i < 4; ++i) {
        // A byte at the edge of an entry may belong to its neighbour.
        if (i == damaged || (i + 1 == damaged && (at - 24) % 12 == 0)) continue;
        BOOST_TEST(found->entries[i].tag == truth->entries[i].tag, at << ", entry " << i);
        BOOST_TEST(found->entries[i].length == truth->entries[i].length, at << ", entry " << i);
        BOOST_TEST(found->entries[i].start == truth->entries[i].start, at << ", entry " << i);
        BOOST_TEST(!found->entries[i].damaged, at << ", entry " << i);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(entries_of_the_map_that_the_leader_states) {
  for (const char *map : {"4500", "5400", "4510", "4520", "3600", "9900", "6399"}) {
    const std::string text = record(kSample.fields, {.map = map});
    const auto found = directory_of(text);
    BOOST_TEST_REQUIRE(found.has_value(), map);
    BOOST_TEST(found->stated_map, map);
    BOOST_TEST(entries_of(*found) == true_entries(), map);
  }
}

BOOST_AUTO_TEST_CASE(entries_of_another_map_than_the_leader_states) {
  for (const char *map : {"4500", "4600", "5500"}) {
    for (const char *stated : {"0000", "9999", "3500", "4510", "5400", "    "}) {
      const std::string text = with(record(kSample.fields, {.map = map}), 20, stated);
      const auto found = directory_of(text);
      BOOST_TEST_REQUIRE(found.has_value(), map << " as " << stated);
      BOOST_TEST(entries_of(*found) == true_entries(), map << " as " << stated);
      BOOST_TEST(found->stated_map == (std::string(stated) == "    " && std::string(map) == "4500"),
                 map << " as " << stated);
    }
  }
}

BOOST_AUTO_TEST_CASE(entries_that_grew_with_their_numbers) {
  // A program that writes as many digits as a number has: 4 and 5 at least.
  std::vector<Field> fields;
  for (const std::size_t size : {5U, 9990U, 9995U, 99000U, 3U, 12000U, 20U})
    fields.push_back({"500", std::string(size, 'x')});
  std::string directory;
  std::string data;
  std::string expected;
  for (const Field &field : fields) {
    directory += field.tag + number(field.body.size() + 1, 4) + number(data.size(), 5);
    expected += (expected.empty() ? "" : " ") + field.tag + "+" + std::to_string(field.body.size() + 1) + "@" +
                std::to_string(data.size());
    data += field.body + '\x1e';
  }
  const std::size_t base = 25 + directory.size();
  for (const std::string &length : {"99999"s, number(base + data.size() + 1, 6)}) {
    const auto found =
        directory_of(length + "nam a22" + number(base, 5) + " a 4500" + directory + "\x1e" + data + "\x1d");
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(entries_of(*found) == expected);
    BOOST_TEST(!found->stated_map);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_directory) {
  const std::string text = kSample.text;
  for (std::size_t size = 0; size < kSample.base - 1; ++size)
    BOOST_TEST(!directory_of(text.substr(0, size)), size);   // cut in it
  for (std::size_t begin = 27; begin < text.size(); ++begin) // the beginning is lost
    BOOST_TEST(!directory_of(text.substr(begin)), begin);
  for (const std::string &junk :
       {"junk"s, std::string(100, '\x1e'), std::string(100, '0'), std::string(60, '7') + "\x1e",
        "-- a line of text that is longer than a leader and an entry --\x1e\x1d"s, std::string(200, ' ')})
    BOOST_TEST(!directory_of(junk), junk);
}
