// Indicator count and identifier length of leader/10 and /11: honoured where the fields agree with them.
// SPDX-License-Identifier: MIT
#include "widths.hpp"

#include "batches.hpp"
#include "make.hpp"
#include "subfields.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

// The widths of these fields under what a leader says.
marc::Widths widths_of(const std::vector<Field> &fields, char indicators, char identifier) {
  std::string data;
  for (const Field &field : fields) data += field.body + '\x1e';
  OpenBatch open(data);
  std::size_t at = 0;
  for (const Field &field : fields) {
    open.add_field(field.tag, at, field.body.size());
    at += field.body.size() + 1;
  }
  marc::index_subfields(open.batch, false, 0, data.size());
  return marc::find_widths(open.batch, static_cast<std::uint8_t>(indicators), static_cast<std::uint8_t>(identifier));
}

// The fields of a record with so many indicators and codes of so many characters.
std::vector<Field> fields_with(std::size_t indicators, std::size_t code) {
  const std::string codes = "abcdefgh0123456789";
  std::vector<Field> fields{{"001", "an identifier"}};
  for (const char *tag : {"245", "260", "500"}) {
    std::string body(indicators, '0');
    for (std::size_t i = 0; i < 3; ++i) body += '\x1f' + codes.substr(i, code) + "Text";
    fields.push_back({tag, body});
  }
  return fields;
}

} // namespace

BOOST_AUTO_TEST_CASE(what_leader_and_fields_agree_on) {
  for (std::size_t indicators = 0; indicators <= 9; ++indicators) {
    for (std::size_t code = 1; code <= 8; ++code) {
      const std::vector<Field> fields = fields_with(indicators, code);
      const marc::Widths widths = widths_of(fields, static_cast<char>('0' + indicators), static_cast<char>('1' + code));
      BOOST_TEST(widths.indicators == indicators);
      BOOST_TEST(widths.code == code);
      BOOST_TEST(widths.is_marc21() == (indicators == 2 && code == 1));
    }
  }
}

BOOST_AUTO_TEST_CASE(no_digits_are_marc_21) {
  for (int byte = 0; byte < 256; ++byte) {
    const char letter = static_cast<char>(byte);
    if (letter >= '0' && letter <= '9') continue;
    BOOST_TEST(widths_of(fields_with(3, 2), letter, '3').is_marc21(), byte);
    BOOST_TEST(widths_of(fields_with(3, 2), '3', letter).is_marc21(), byte);
  }
}

BOOST_AUTO_TEST_CASE(fields_that_contradict_the_leader_are_marc_21) {
  for (char indicators = '0'; indicators <= '9'; ++indicators)
    BOOST_TEST(widths_of(fields_with(2, 1), indicators, '2').indicators == 2, indicators);
  // The leader says 3; so do as many fields as say 2: not better.
  std::vector<Field> fields = fields_with(2, 1);
  fields[1].body.insert(0, "0");
  BOOST_TEST(widths_of(fields, '3', '2').indicators == 2);
  fields[2].body.insert(0, "0");
  BOOST_TEST(widths_of(fields, '3', '2').indicators == 3); // two of three
}

BOOST_AUTO_TEST_CASE(one_subfield_without_such_a_code_is_enough) {
  for (const char *text : {"$a", "$a text", "$Ab", "$a-", "$\xc3\xa9"}) {
    std::vector<Field> fields = fields_with(2, 2);
    BOOST_TEST(widths_of(fields, '2', '3').code == 2);
    fields[2].body += marc_of(text);
    BOOST_TEST(widths_of(fields, '2', '3').code == 1, text);
  }
}

BOOST_AUTO_TEST_CASE(identifier_lengths_below_3_are_marc_21) {
  for (const char identifier : {'0', '1', '2'}) BOOST_TEST(widths_of(fields_with(2, 2), '2', identifier).code == 1);
}

BOOST_AUTO_TEST_CASE(control_fields_and_fields_without_subfields_say_nothing) {
  const std::vector<Field> none{{"001", "1"}, {"245", "no subfield"}, {"008", marc_of("123$ab")}};
  BOOST_TEST(widths_of(none, '3', '3').is_marc21());
  std::vector<Field> fields = fields_with(3, 2);
  fields.insert(fields.end(), none.begin(), none.end());
  BOOST_TEST(widths_of(fields, '3', '3').indicators == 3);
  BOOST_TEST(widths_of(fields, '3', '3').code == 2);
  BOOST_TEST(widths_of({}, '3', '3').is_marc21());
}

BOOST_AUTO_TEST_CASE(fields_of_other_records_say_nothing) {
  const std::string marc21 = record(fields_with(2, 1));
  const std::string danish = record(fields_with(3, 2), {.head = "nam a33"});
  OpenBatch open(marc21 + danish + marc21);
  std::size_t at = 0;
  for (int i = 0; i < 3; ++i) at += open.add_piece(at, i == 2, marc::Reading::Best);
  const std::uint32_t both = MARC_REC_INDICATORS | MARC_REC_CODES;
  BOOST_TEST((open.batch.record_flags[0] & both) == 0U);
  BOOST_TEST((open.batch.record_flags[1] & both) == both);
  BOOST_TEST((open.batch.record_flags[2] & both) == 0U);
  // Not damaged, and not of the form that MARC 21 has.
  BOOST_TEST((open.batch.record_flags[1] & (MARC_REC_SOUND | MARC_REC_REPAIRED | MARC_REC_NOTED | MARC_REC_PLAIN)) ==
             unsigned{MARC_REC_SOUND});
}
