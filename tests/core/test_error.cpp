// Codes, against marc.h itself: each one has its name and a message of its own.
// SPDX-License-Identifier: MIT
#include "error.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace {

// The codes that marc.h lists, by name.
std::map<std::string, std::int32_t> codes_of_header() {
  static const std::regex kCode(R"(^\s+(MARC_(?:OK|END|E_\w+|BAD_\w+|NOTE_\w+)) = (-?\d+),?\s*(?:/\*.*)?$)");
  std::ifstream in(LIBMARC_TESTS_DIR "/../capi/include/marc/marc.h");
  std::map<std::string, std::int32_t> codes;
  std::smatch match;
  for (std::string line; std::getline(in, line);)
    if (std::regex_match(line, match, kCode)) codes[match[1]] = std::stoi(match[2]);
  return codes;
}

} // namespace

BOOST_AUTO_TEST_CASE(every_code_of_the_header_has_its_name) {
  const auto codes = codes_of_header();
  BOOST_TEST_REQUIRE(codes.size() >= 38U);
  BOOST_TEST(codes.at("MARC_E_INTERNAL") == MARC_E_INTERNAL);
  BOOST_TEST(codes.at("MARC_BAD_OVERSIZE_PART") == MARC_BAD_OVERSIZE_PART);
  BOOST_TEST(codes.at("MARC_NOTE_SUBFIELD_CODE") == MARC_NOTE_SUBFIELD_CODE);
  for (const auto &[name, code] : codes) BOOST_TEST(marc::code_name(code) == name, code);
}

BOOST_AUTO_TEST_CASE(every_code_of_the_header_has_a_message_of_one_line) {
  std::set<std::string> messages;
  const auto codes = codes_of_header();
  for (const auto &[name, code] : codes) {
    const std::string message = marc::code_message(code);
    BOOST_TEST(message.size() > 5U, name);
    BOOST_TEST(message.size() < sizeof(marc_error::message), name);
    BOOST_TEST(message != "unknown code", name);
    BOOST_TEST((message.find('\n') == std::string::npos), name);
    messages.insert(message);
  }
  BOOST_TEST(messages.size() == codes.size()); // no two are the same
}

BOOST_AUTO_TEST_CASE(the_kinds_of_codes_are_apart) {
  std::set<std::int32_t> values;
  for (const auto &[name, code] : codes_of_header()) {
    BOOST_TEST(values.insert(code).second, name);
    if (name.starts_with("MARC_E_")) BOOST_TEST((code < 0 && code > -100), name);
    if (name.starts_with("MARC_BAD_")) BOOST_TEST((code <= -101 && code > -200), name);
    if (name.starts_with("MARC_NOTE_")) BOOST_TEST(code > 200, name);
  }
}

BOOST_AUTO_TEST_CASE(unknown_codes_have_no_name) {
  const auto codes = codes_of_header();
  std::set<std::int32_t> known;
  for (const auto &[name, code] : codes) known.insert(code);
  for (std::int32_t code = -300; code <= 400; ++code) {
    if (known.contains(code)) continue;
    BOOST_TEST(std::string(marc::code_name(code)).empty(), code);
    BOOST_TEST(marc::code_message(code) == std::string("unknown code"), code);
  }
  for (const std::int32_t code : {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()})
    BOOST_TEST(std::string(marc::code_name(code)).empty(), code);
}

BOOST_AUTO_TEST_CASE(a_failure_is_a_negative_code) {
  BOOST_TEST(!marc::Failure{});
  BOOST_TEST((!marc::Failure{MARC_END, 0, {}}));
  BOOST_TEST((static_cast<bool>(marc::Failure{MARC_E_IO, 5, "no"})));
}
