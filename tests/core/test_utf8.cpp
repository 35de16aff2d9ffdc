// UTF-8 against a decoder that computes the code point and asks what RFC 3629 says of it.
// SPDX-License-Identifier: MIT
#include "utf8.hpp"

#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000}; // that needs so many bytes

// The code point of `size` bytes that are one sequence in form, or -1. It may be overlong or no character.
std::int64_t code_point(const std::uint8_t *bytes, std::size_t size) {
  static constexpr std::uint8_t kLead[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
  static constexpr std::uint8_t kLeadMask[] = {0, 0x80, 0xE0, 0xF0, 0xF8};
  if ((bytes[0] & kLeadMask[size]) != kLead[size]) return -1;
  std::int64_t value = bytes[0] & ~kLeadMask[size] & 0xFF;
  for (std::size_t i = 1; i < size; ++i) {
    if ((bytes[i] & 0xC0) != 0x80) return -1;
    value = value << 6 | (bytes[i] & 0x3F);
  }
  return value;
}

bool plain_character(const std::uint8_t *bytes, std::size_t size) {
  const std::int64_t value = code_point(bytes, size);
  return value >= kSmallest[size] && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

bool plain_utf8(const std::uint8_t *bytes, std::size_t size) {
  std::size_t at = 0;
  while (at < size) {
    std::size_t length = 1;
    while (length <= 4 && !(at + length <= size && plain_character(bytes + at, length))) ++length;
    if (length > 4) return false;
    at += length;
  }
  return true;
}

std::string encoded(std::uint32_t code, std::size_t size) {
  static constexpr std::uint32_t kLead[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
  std::string bytes(size, '\0');
  for (std::size_t i = size; i-- > 1; code >>= 6) bytes[i] = static_cast<char>(0x80 | (code & 0x3F));
  bytes[0] = static_cast<char>(kLead[size] | code);
  return bytes;
}

bool valid(const std::string &text) {
  const Exact bytes(text);
  return marc::is_utf8(bytes.data(), bytes.size());
}

// The answer must be the same wherever the bytes stand: in a block of sixteen, across two, in the rest behind them.
void check_everywhere(const std::string &sequence, bool expected) {
  for (std::size_t before = 0; before <= 33; ++before)
    for (const std::size_t behind : {0U, 1U, 3U, 17U, 40U})
      BOOST_TEST_REQUIRE(valid(std::string(before, 'a') + sequence + std::string(behind, 'z')) == expected,
                         before << " before, " << behind << " behind");
}

} // namespace

BOOST_AUTO_TEST_CASE(first_and_last_characters_of_each_length) {
  for (const std::uint32_t code : {0x00U, 0x7FU}) check_everywhere(encoded(code, 1), true);
  for (const std::uint32_t code : {0x80U, 0x7FFU}) check_everywhere(encoded(code, 2), true);
  for (const std::uint32_t code : {0x800U, 0xFFFU, 0x1000U, 0xCFFFU, 0xD7FFU, 0xE000U, 0xFFFDU, 0xFFFEU, 0xFFFFU})
    check_everywhere(encoded(code, 3), true);
  for (const std::uint32_t code : {0x10000U, 0x3FFFFU, 0x40000U, 0xFFFFFU, 0x100000U, 0x10FFFFU})
    check_everywhere(encoded(code, 4), true);
}

BOOST_AUTO_TEST_CASE(overlong_forms_surrogates_and_what_lies_above_unicode) {
  for (const std::uint32_t code : {0x00U, 0x2FU, 0x7FU}) {
    check_everywhere(encoded(code, 2), false);
    check_everywhere(encoded(code, 3), false);
    check_everywhere(encoded(code, 4), false);
  }
  for (const std::uint32_t code : {0x80U, 0x7FFU}) {
    check_everywhere(encoded(code, 3), false);
    check_everywhere(encoded(code, 4), false);
  }
  for (const std::uint32_t code : {0x800U, 0xFFFFU}) check_everywhere(encoded(code, 4), false);
  for (const std::uint32_t code : {0xD800U, 0xDBFFU, 0xDC00U, 0xDFFFU}) check_everywhere(encoded(code, 3), false);
  check_everywhere("\xed\xa0\x80\xed\xb0\x80", false); // a pair of them is no better
  for (const std::uint32_t code : {0x110000U, 0x13FFFFU, 0x140000U, 0x1FFFFFU})
    check_everywhere(encoded(code, 4), false);
  check_everywhere("\xf8\x88\x80\x80\x80", false);     // five bytes
  check_everywhere("\xfc\x84\x80\x80\x80\x80", false); // six bytes
  check_everywhere("\xfe", false);
  check_everywhere("\xff", false);
}

BOOST_AUTO_TEST_CASE(sequences_that_are_cut) {
  for (const std::string &whole : {"\xc3\xa9"s, "\xe2\x82\xac"s, "\xf0\x9f\x93\x9a"s}) {
    check_everywhere(whole, true);
    check_everywhere(whole + whole, true);
    for (std::size_t size = 1; size < whole.size(); ++size) {
      check_everywhere(whole.substr(0, size), false);
      check_everywhere(whole.substr(0, size) + whole, false);
      check_everywhere(whole.substr(size), false);
      check_everywhere(whole + whole.substr(size), false);
    }
  }
}

BOOST_AUTO_TEST_CASE(all_characters) {
  std::string all;
  for (std::uint32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    const std::string one = encoded(code, code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4);
    if (!marc::is_utf8(bytes_of(one), one.size())) BOOST_FAIL("not valid: " << code);
    all += one;
  }
  BOOST_TEST(valid(all));
  BOOST_TEST(!valid(all + "\x80"));
}

BOOST_AUTO_TEST_CASE(all_sequences_of_one_two_and_three_bytes) {
  std::uint8_t bytes[3] = {};
  std::size_t wrong = 0;
  const auto check = [&](std::size_t size) { wrong += marc::is_utf8(bytes, size) != plain_utf8(bytes, size) ? 1 : 0; };
  for (unsigned first = 0; first < 256; ++first) {
    bytes[0] = static_cast<std::uint8_t>(first);
    check(1);
    for (unsigned second = 0; second < 256; ++second) {
      bytes[1] = static_cast<std::uint8_t>(second);
      check(2);
      for (unsigned third = 0; third < 256; ++third) {
        bytes[2] = static_cast<std::uint8_t>(third);
        check(3);
      }
    }
  }
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(sequences_of_four_bytes) {
  const std::vector<std::uint8_t> some{0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xFF};
  std::size_t wrong = 0;
  for (unsigned first = 0xE0; first < 256; ++first)
    for (unsigned second = 0; second < 256; ++second)
      for (const std::uint8_t third : some)
        for (const std::uint8_t fourth : some) {
          const std::uint8_t bytes[] = {static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(second), third,
                                        fourth};
          wrong += marc::is_utf8(bytes, 4) != plain_utf8(bytes, 4) ? 1 : 0;
        }
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(texts_at_random) {
  Random random(8);
  const std::vector<std::string> parts{"a",        "plain words", "\xc3\xa9",        "\xe2\x82\xac", "\xf0\x9f\x93\x9a",
                                       "\xcc\x81", "\x1e",        "0123456789abcdef"};
  int good = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::size_t i = random.below(12); i > 0; --i) text += parts[random.below(parts.size())];
    if (random.one_in(2) && !text.empty()) text[random.below(text.size())] = random.of("\x80\xbf\xc1\xe0\xff");
    BOOST_TEST_REQUIRE(valid(text) == plain_utf8(bytes_of(text), text.size()));
    good += valid(text) ? 1 : 0;
  }
  BOOST_TEST(good > 8000);
  BOOST_TEST(good < 14000);
}

BOOST_AUTO_TEST_CASE(no_bytes_are_valid) { BOOST_TEST(marc::is_utf8(nullptr, 0)); }

BOOST_AUTO_TEST_CASE(latin1_becomes_utf8) {
  std::string all;
  std::string expected;
  for (unsigned byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
    expected += encoded(byte, byte < 0x80 ? 1 : 2);
  }
  std::vector<std::uint8_t> out(2 * all.size(), 0xFF);
  BOOST_TEST_REQUIRE(marc::latin1_to_utf8(bytes_of(all), all.size(), out.data()) == expected.size());
  BOOST_TEST(text_of(out.data(), expected.size()) == expected);
  BOOST_TEST(out[expected.size()] == 0xFF); // and no byte further
  const std::string high(7, '\xff');
  const std::unique_ptr<std::uint8_t[]> room(new std::uint8_t[14]);
  BOOST_TEST(marc::latin1_to_utf8(bytes_of(high), high.size(), room.get()) == 14U);
  BOOST_TEST(marc::latin1_to_utf8(nullptr, 0, nullptr) == 0U);
}
