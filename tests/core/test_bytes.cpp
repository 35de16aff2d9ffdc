// The searches and conversions of bytes.hpp against the plainest way to say the same.
// SPDX-License-Identifier: MIT
#include "bytes.hpp"

#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <string_view>

using namespace test;

namespace {

bool plain_delimiter(unsigned byte) { return byte == 0x1D || byte == 0x1E || byte == 0x1F; }

std::size_t plain_find(const std::string &text, std::size_t from, std::size_t to) {
  while (from < to && !plain_delimiter(static_cast<unsigned char>(text[from]))) ++from;
  return from;
}

} // namespace

BOOST_AUTO_TEST_CASE(every_byte_is_a_delimiter_a_digit_or_neither) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    BOOST_TEST(marc::is_delimiter(static_cast<std::uint8_t>(byte)) == plain_delimiter(byte), byte);
    BOOST_TEST(marc::is_digit(static_cast<std::uint8_t>(byte)) == (byte >= '0' && byte <= '9'), byte);
  }
}

BOOST_AUTO_TEST_CASE(masks_say_the_same_of_every_byte_at_every_place) {
  for (std::size_t place = 0; place < marc::kWideBlock; ++place) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      std::string text(marc::kWideBlock, 'a');
      text[place] = static_cast<char>(byte);
      const Exact bytes(text);
      const marc::WideMasks wide = marc::wide_masks(bytes.data());
      BOOST_TEST_REQUIRE(wide.delimiter == (plain_delimiter(byte) ? std::uint64_t{1} << place : 0), byte);
      BOOST_TEST_REQUIRE((wide.high != 0) == (byte >= 0x80), byte);
      const std::size_t block = place / marc::kBlock * marc::kBlock;
      const marc::BlockMasks masks = marc::block_masks(bytes.data() + block);
      const std::uint32_t bit = 1U << (place - block);
      BOOST_TEST_REQUIRE(masks.delimiter == (plain_delimiter(byte) ? bit : 0U), byte);
      BOOST_TEST_REQUIRE(masks.high == (byte >= 0x80 ? bit : 0U), byte);
    }
  }
}

BOOST_AUTO_TEST_CASE(masks_of_many_delimiters) {
  Random random(1);
  for (int round = 0; round < 2000; ++round) {
    const std::string text = random.text(marc::kWideBlock, "\x1c\x1d\x1e\x1f ab\x80\x9d\x9f\xff");
    const Exact bytes(text);
    std::uint64_t expected = 0;
    bool high = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (plain_delimiter(byte)) expected |= std::uint64_t{1} << i;
      high |= byte >= 0x80;
    }
    const marc::WideMasks wide = marc::wide_masks(bytes.data());
    BOOST_TEST_REQUIRE(wide.delimiter == expected);
    BOOST_TEST_REQUIRE((wide.high != 0) == high);
  }
}

BOOST_AUTO_TEST_CASE(finding_a_delimiter) {
  for (std::size_t size = 0; size <= 50; ++size) {
    const Exact none(std::string(size, '\x1c'));
    BOOST_TEST(marc::find_delimiter(none.data(), 0, size) == size);
    for (std::size_t place = 0; place < size; ++place) {
      for (const char delimiter : {'\x1d', '\x1e', '\x1f'}) {
        std::string text(size, '\xfd');
        text[place] = delimiter;
        if (place + 1 < size) text[size - 1] = '\x1d'; // the first one counts
        const Exact bytes(text);
        for (std::size_t from = 0; from <= size; ++from)
          BOOST_TEST_REQUIRE(marc::find_delimiter(bytes.data(), from, size) == plain_find(text, from, size));
        for (std::size_t to = 0; to <= size; ++to) // what lies behind `to` does not count
          BOOST_TEST_REQUIRE(marc::find_delimiter(bytes.data(), 0, to) == plain_find(text, 0, to));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(finding_a_byte) {
  const std::string text = marc_of("ab%cd%");
  BOOST_TEST(marc::find_byte(bytes_of(text), 0x1D, 0, 6) == 2U);
  BOOST_TEST(marc::find_byte(bytes_of(text), 0x1D, 2, 6) == 2U);
  BOOST_TEST(marc::find_byte(bytes_of(text), 0x1D, 3, 6) == 5U);
  BOOST_TEST(marc::find_byte(bytes_of(text), 0x1D, 3, 5) == 5U); // not found: `to`
  BOOST_TEST(marc::find_byte(bytes_of(text), 'x', 0, 6) == 6U);
  BOOST_TEST(marc::find_byte(bytes_of(text), 'a', 4, 4) == 4U);
  BOOST_TEST(marc::find_byte(bytes_of(text), 'a', 5, 3) == 3U); // an empty range may be the wrong way round
  BOOST_TEST(marc::find_byte(nullptr, 'a', 0, 0) == 0U);
}

BOOST_AUTO_TEST_CASE(digits_and_the_numbers_they_spell) {
  BOOST_TEST(marc::all_digits(bytes_of(""), 0));
  for (std::size_t place = 0; place < 9; ++place) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      std::string text = "123456789";
      text[place] = static_cast<char>(byte);
      BOOST_TEST_REQUIRE(marc::all_digits(bytes_of(text), 9) == (byte >= '0' && byte <= '9'), byte);
      BOOST_TEST_REQUIRE(marc::all_digits(bytes_of(text), place), byte); // the byte behind does not count
    }
  }
  BOOST_TEST(marc::decimal(bytes_of(""), 0) == 0U);
  BOOST_TEST(marc::decimal(bytes_of("0"), 1) == 0U);
  BOOST_TEST(marc::decimal(bytes_of("00042"), 5) == 42U);
  BOOST_TEST(marc::decimal(bytes_of("999999999"), 9) == 999999999U);
  for (std::size_t value = 0; value < 100000; value += 37)
    BOOST_TEST_REQUIRE(marc::decimal(bytes_of(number(value, 5)), 5) == value);
}
