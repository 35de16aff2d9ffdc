// What a leader must say before its directory is looked at.
// SPDX-License-Identifier: MIT
#include "leader.hpp"

#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>

using namespace test;

namespace {

const std::string kUsual = "00120nam a2200049 a 4500"; // base 49: two entries

std::optional<marc::Leader> read(const std::string &text) {
  const Exact bytes(text.substr(0, marc::kLeaderSize));
  marc::Leader leader{};
  if (!marc::read_leader(bytes.data(), leader)) return std::nullopt;
  return leader;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_usual_leader) {
  const auto leader = read(kUsual);
  BOOST_TEST_REQUIRE(leader.has_value());
  BOOST_TEST(leader->base == 49U);
  BOOST_TEST(leader->map.is_marc21());
  BOOST_TEST(leader->map.width() == 12U);
  BOOST_TEST(leader->map.digits() == 9U);
}

BOOST_AUTO_TEST_CASE(every_byte_at_every_place) {
  for (std::size_t place = 0; place < marc::kLeaderSize; ++place) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      const std::string text = with(kUsual, place, std::string(1, static_cast<char>(byte)));
      const bool digit = byte >= '0' && byte <= '9';
      bool good = byte < 0x1D || byte > 0x1F;
      if (place >= 12 && place < 17) { // the base address; others than 00049 that fit are 00037, 00061, ...
        const std::size_t base = digit ? std::stoul(text.substr(12, 5)) : 0;
        good = base >= 37 && (base - 25) % 12 == 0;
      }
      // 24 bytes of directory are whole entries of 12 bytes, and of no other width that one digit more or less gives.
      if (place == 20) good = good && (!digit || byte == '4');
      if (place == 21) good = good && (!digit || byte == '5');
      if (place == 22) good = good && (!digit || byte == '0');
      BOOST_TEST(read(text).has_value() == good, place << " " << byte);
    }
  }
}

BOOST_AUTO_TEST_CASE(digits_in_05_to_08) {
  const auto with_head = [](const char *head) { return read(with(kUsual, 5, head)).has_value(); };
  BOOST_TEST(!with_head("0000"));
  BOOST_TEST(!with_head("1234"));
  BOOST_TEST(with_head("123a"));
  BOOST_TEST(with_head("a234"));
  BOOST_TEST(with_head("1 34"));
  BOOST_TEST(with_head("12/4"));
  BOOST_TEST(with_head("12:4"));
  BOOST_TEST(with_head("00000")); // as CDS/ISIS writes it
  BOOST_TEST(!with_head("00001"));
  BOOST_TEST(!with_head("10000"));
}

BOOST_AUTO_TEST_CASE(the_base_address_leaves_room_for_whole_entries) {
  for (std::size_t base = 0; base <= marc::kLargestLength; ++base) {
    const bool fits = base >= 37 && (base - 25) % 12 == 0;
    const auto leader = read(with(kUsual, 12, number(base, 5)));
    BOOST_TEST_REQUIRE(leader.has_value() == fits, base);
    if (leader) BOOST_TEST_REQUIRE(leader->base == base);
  }
}

BOOST_AUTO_TEST_CASE(entry_maps) {
  for (std::size_t length = 0; length <= 9; ++length) {
    for (std::size_t start = 0; start <= 9; ++start) {
      for (std::size_t other = 0; other <= 9; ++other) {
        const std::size_t width = 3 + length + start + other;
        std::string text = with(kUsual, 20, number(length, 1) + number(start, 1) + number(other, 1));
        text = with(text, 12, number(25 + 2 * width, 5));
        const auto leader = read(text);
        BOOST_TEST_REQUIRE(leader.has_value() == (length + start >= 9), text);
        if (!leader) continue;
        BOOST_TEST_REQUIRE(leader->map.width() == width);
        BOOST_TEST_REQUIRE(leader->map.length == length);
        BOOST_TEST_REQUIRE(leader->map.start == start);
        BOOST_TEST_REQUIRE(leader->map.other == other);
        BOOST_TEST_REQUIRE(leader->map.is_marc21() == (text.substr(20, 3) == "450"));
        BOOST_TEST_REQUIRE(!read(with(text, 12, number(24 + 2 * width, 5))).has_value());
        BOOST_TEST_REQUIRE(!read(with(text, 12, "00025")).has_value());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_part_of_the_entry_map_that_is_no_digit_is_that_of_marc21) {
  for (const char *map : {"   ", "x50", "4y0", "45z", "\x80\xff/", "/:0"}) {
    const auto leader = read(with(kUsual, 20, map));
    BOOST_TEST_REQUIRE(leader.has_value(), map);
    BOOST_TEST(leader->map.is_marc21(), map);
  }
  const auto mixed = read(with(with(kUsual, 20, " 7 "), 12, "00053")); // 3 + 4 + 7 + 0 = 14
  BOOST_TEST_REQUIRE(mixed.has_value());
  BOOST_TEST(mixed->map.start == 7U);
  BOOST_TEST(mixed->map.width() == 14U);
}
