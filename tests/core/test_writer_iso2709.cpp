// Records as ISO 2709: the canonical layout, and what is too large for it.
// SPDX-License-Identifier: MIT
#include "writer/iso2709.hpp"

#include "make.hpp"
#include "writing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace test;
using marc::Failure;
using marc::Iso2709Options;
using marc::LeaderBytes;
using marc::Output;
using marc::Oversize;
using marc::Reading;
using marc::RecordView;

namespace {

struct Answer {
  std::string bytes;
  Failure failure;
};

Answer write(const std::string &bytes, const Iso2709Options &options = {}, Reading reading = Reading::Pymarc) {
  Answer answer;
  answer.bytes = written(
      bytes,
      [&](Output &out, const LeaderBytes &, const RecordView &record) {
        marc::Iso2709Writer writer(options);
        answer.failure = writer.write(out, record);
      },
      reading);
  return answer;
}

// A record with wrong lengths wherever they cannot be stated, for the best reading.
std::string large(const std::vector<Field> &fields) { return record(fields, {.length = "99999"}); }

std::string note(std::size_t size, char letter = 'x') { return marc_of("  $a") + std::string(size, letter); }

std::vector<std::string> pieces(const std::string &text) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\x1d', at) + 1;
    all.push_back(text.substr(at, end - at));
    at = end;
  }
  return all;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_canonical_record_is_copied) {
  const std::string bytes = titled("caf\xc3\xa9");
  BOOST_TEST(write(bytes).bytes == bytes);
}

BOOST_AUTO_TEST_CASE(other_records_are_laid_out_anew) {
  const std::string bytes = titled("Title");
  BOOST_TEST(write(with(bytes, 9, " ")).bytes == bytes); // leader/09
  BOOST_TEST(write(titled("Title", {.map = "4520", .filling = "ff"}), {}, Reading::Best).bytes == bytes);
  // Missing indicators, empty subfields.
  BOOST_TEST(write(record({{"245", marc_of("1$aT$")}, {"500", marc_of("$aN")}})).bytes ==
             record({{"245", marc_of("1 $aT")}, {"500", marc_of("  $aN")}}));
  const Form blank{.head = "nam  22"};
  BOOST_TEST(write(record({{"008", "x"}, {"245", marc_of("10$aT$$bX")}}, blank)).bytes ==
             record({{"008", "x"}, {"245", marc_of("10$aT$bX")}}));
  BOOST_TEST(write(record({{"245", "10"}, {"500", marc_of("  $a")}}, blank)).bytes ==
             record({{"245", "10"}, {"500", marc_of("  $a")}}));
  // A terminator inside a field stays where it is.
  BOOST_TEST(write(record({{"001", "a\x1e"
                                   "b"}}))
                 .bytes == record({{"001", "a\x1e"
                                           "b"}}));
}

BOOST_AUTO_TEST_CASE(what_is_odd_is_refused_by_option) {
  const Iso2709Options options{Oversize::Error, true};
  BOOST_TEST(write(titled("Title"), options).bytes == titled("Title"));
  for (const Field &field : {Field{"001", "a\x1e"
                                          "b"},
                             Field{"500", note(2) + "\x1d"}, Field{"5 0", note(1)}}) {
    const Answer answer = write(record({{"001", "id"}, field}), options);
    BOOST_TEST(answer.failure.code == MARC_E_UNWRITABLE);
    BOOST_TEST(tag_text(answer.failure.tag) == field.tag);
    BOOST_TEST(answer.bytes.empty());
  }
}

BOOST_AUTO_TEST_CASE(sizes_that_cannot_be_stated) {
  const std::string fits = record({{"001", "id"}, {"500", note(9994)}});
  BOOST_TEST(write(with(fits, 9, " ")).bytes == fits);
  const Answer field = write(large({{"001", "id"}, {"520", note(9995)}}), {}, Reading::Best);
  BOOST_TEST(field.failure.code == MARC_E_TOO_LARGE);
  BOOST_TEST(field.failure.detail == 10000);
  BOOST_TEST(tag_text(field.failure.tag) == "520");
  BOOST_TEST(field.failure.message ==
             "field 520 (number 2, with its terminator) has 10000 bytes; ISO 2709 can state 9999");
  BOOST_TEST(field.bytes.empty());
  const std::vector<Field> many(12, {"500", note(9000)});
  const Answer whole = write(large(many), {}, Reading::Best);
  BOOST_TEST(whole.failure.message == "the record has 108230 bytes; ISO 2709 can state 99999");
  BOOST_TEST(whole.failure.tag == 0U);
}

BOOST_AUTO_TEST_CASE(zeros_for_what_cannot_be_stated) {
  std::vector<Field> fields{{"001", "id"}, {"520", note(20000)}, {"500", note(1)}};
  for (int i = 0; i < 12; ++i) fields.push_back({"504", note(9000, static_cast<char>('a' + i))});
  const Answer answer = write(large(fields), {Oversize::Zeros, false}, Reading::Best);
  BOOST_TEST(!answer.failure);
  BOOST_TEST(answer.bytes.substr(0, 5) == "00000");
  BOOST_TEST(answer.bytes.substr(24, 36) == "001000300000520000000003500000620008");
  BOOST_TEST(answer.bytes.substr(24 + 14 * 12, 12) == "504900500000");
  // Read back and written again it is the same.
  BOOST_TEST(write(answer.bytes, {Oversize::Zeros, false}, Reading::Best).bytes == answer.bytes);
}

BOOST_AUTO_TEST_CASE(a_record_is_split) {
  std::vector<Field> fields{{"001", "id"}, {"245", marc_of("10$aTitle")}};
  for (int i = 0; i < 25; ++i) fields.push_back({"500", note(9000, static_cast<char>('a' + i))});
  fields.push_back({"008", "late"}); // control fields come first in every part, wherever they stood
  const Answer answer = write(large(fields), {Oversize::Split, false}, Reading::Best);
  BOOST_TEST(!answer.failure);
  const std::vector<std::string> parts = pieces(answer.bytes);
  BOOST_TEST_REQUIRE(parts.size() == 3U);
  std::vector<Field> first{fields[0], fields.back(), fields[1]};
  first.insert(first.end(), fields.begin() + 2, fields.begin() + 13);
  BOOST_TEST(parts[0] == record(first));
  std::vector<Field> last{fields[0], fields.back()};
  last.insert(last.end(), fields.begin() + 24, fields.end() - 1);
  BOOST_TEST(parts[2] == record(last));
  // One that fits is as ever; a field that is too large is an error.
  BOOST_TEST(write(titled("Title"), {Oversize::Split, false}).bytes == titled("Title"));
  fields.push_back({"520", note(9995)});
  const Answer failed = write(large(fields), {Oversize::Split, false}, Reading::Best);
  BOOST_TEST(failed.failure.code == MARC_E_TOO_LARGE);
  BOOST_TEST(tag_text(failed.failure.tag) == "520");
  BOOST_TEST(failed.bytes.empty());
}

BOOST_AUTO_TEST_CASE(a_record_whose_control_fields_fill_it) {
  std::vector<Field> fields(10, {"008", std::string(9000, 'c')});
  fields.push_back({"500", note(9000)});
  fields.push_back({"501", note(9000)});
  const Answer fits = write(large(fields), {Oversize::Split, false}, Reading::Best);
  BOOST_TEST(pieces(fits.bytes).size() == 2U);
  fields.insert(fields.begin(), {"007", std::string(9000, 'c')});
  const Answer answer = write(large(fields), {Oversize::Split, false}, Reading::Best);
  BOOST_TEST(answer.failure.code == MARC_E_TOO_LARGE);
  BOOST_TEST(answer.bytes.empty());
}
