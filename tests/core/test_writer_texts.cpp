// Records as JSON, MARCXML and MARCMaker. tests/python/test_native_writers.py compares them with pymarc's.
// SPDX-License-Identifier: MIT
#include "writer/json.hpp"
#include "writer/marcxml.hpp"
#include "writer/mrk.hpp"

#include "make.hpp"
#include "writing.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

using namespace std::string_literals;
using namespace test;
using marc::JsonStyle;
using marc::LeaderBytes;
using marc::MrkStyle;
using marc::Output;
using marc::Reading;
using marc::RecordView;
using marc::XmlStyle;

namespace {

std::string json_of(const std::string &bytes, JsonStyle style, Reading reading = Reading::Pymarc) {
  return written(
      bytes,
      [=](Output &out, const LeaderBytes &leader, const RecordView &view) { write_json(out, leader, view, style); },
      reading);
}

std::string xml_of(const std::string &bytes, XmlStyle style, std::uint64_t *replaced = nullptr,
                   Reading reading = Reading::Pymarc) {
  return written(
      bytes,
      [=](Output &out, const LeaderBytes &leader, const RecordView &view) {
        const std::uint64_t count = write_marcxml(out, leader, view, style);
        if (replaced != nullptr) *replaced = count;
      },
      reading);
}

std::string mrk_of(const std::string &bytes, MrkStyle style) {
  return written(bytes, [=](Output &out, const LeaderBytes &leader, const RecordView &view) {
    write_mrk(out, leader, view, style);
  });
}

std::string sample(const std::string &value) { return record({{"001", value}, {"245", marc_of("1 $a") + value}}); }

std::string between(const std::string &text, const std::string &before, const std::string &behind) {
  const std::size_t begin = text.find(before) + before.size();
  return text.substr(begin, text.find(behind, begin) - begin);
}

} // namespace

BOOST_AUTO_TEST_CASE(styles_of_json) {
  const std::string bytes = sample("caf\xc3\xa9");
  const std::string leader = bytes.substr(0, 24);
  BOOST_TEST(json_of(bytes, JsonStyle::Pymarc) ==
             "{\"leader\": \"" + leader +
                 "\", \"fields\": [{\"001\": \"caf\\u00e9\"}, {\"245\": {\"ind1\": \"1\", "
                 "\"ind2\": \" \", \"subfields\": [{\"a\": \"caf\\u00e9\"}]}}]}");
  const std::string compact = "{\"leader\":\"" + leader +
                              "\",\"fields\":[{\"001\":\"caf\xc3\xa9\"},{\"245\":{\"ind1\":"
                              "\"1\",\"ind2\":\" \",\"subfields\":[{\"a\":\"caf\xc3\xa9\"}]}}]}";
  BOOST_TEST(json_of(bytes, JsonStyle::Compact) == compact);
  BOOST_TEST(json_of(record({{"500", "  "}}), JsonStyle::Compact).find("\"subfields\":[]}}]}") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(styles_of_xml) {
  const std::string bytes = sample("a<\xc3\xa9");
  const std::string leader = "<leader>" + bytes.substr(0, 24) + "</leader>";
  BOOST_TEST(xml_of(bytes, XmlStyle::Pymarc) ==
             "<record>" + leader +
                 "<controlfield tag=\"001\">a&lt;&#233;</controlfield><datafield ind1=\"1\" ind2=\" \" "
                 "tag=\"245\"><subfield code=\"a\">a&lt;&#233;</subfield></datafield></record>");
  BOOST_TEST(xml_of(bytes, XmlStyle::Utf8) ==
             "<record>" + leader +
                 "<controlfield tag=\"001\">a&lt;\xc3\xa9</controlfield><datafield tag=\"245\" ind1=\"1\" "
                 "ind2=\" \"><subfield code=\"a\">a&lt;\xc3\xa9</subfield></datafield></record>");
  BOOST_TEST(
      xml_of(record({{"001", ""}, {"500", "  "}, {"501", marc_of("  $a")}}), XmlStyle::Utf8)
          .ends_with(
              "<controlfield tag=\"001\" /><datafield tag=\"500\" ind1=\" \" ind2=\" \" /><datafield tag=\"501\" "
              "ind1=\" \" ind2=\" \"><subfield code=\"a\" /></datafield></record>"));
}

BOOST_AUTO_TEST_CASE(characters_that_xml_cannot_hold_are_counted) {
  std::uint64_t replaced = 0;
  const std::string xml = xml_of(sample("\x01\xef\xbf\xbe\xef\xbf\xbf\xef\xbc\xa1\t\r"), XmlStyle::Utf8, &replaced);
  BOOST_TEST(replaced == 6U); // three in each of both fields
  BOOST_TEST(between(xml, "\"001\">", "<") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbc\xa1\t&#13;");
  xml_of(sample("nothing to replace \xef\xbf\xbd"), XmlStyle::Pymarc, &replaced);
  BOOST_TEST(replaced == 0U);
}

BOOST_AUTO_TEST_CASE(lines_of_marcmaker) {
  const std::string bytes = record({{"008", "a b"},
                                    {"245", marc_of(" 1$aTitle $bcost {5}\\")},
                                    {"500", "  \x1f"
                                            "a$5\n"}});
  const std::string leader = "=LDR  " + bytes.substr(0, 24) + "\n";
  BOOST_TEST(mrk_of(bytes, MrkStyle::Pymarc) ==
             leader + "=008  a\\b\n=245  \\1$aTitle $bcost {5}\\\n=500  \\\\$a$5\n\n");
  BOOST_TEST(mrk_of(bytes, MrkStyle::Mnemonics) ==
             leader + "=008  a\\b\n=245  \\1$aTitle $bcost {lcub}5{rcub}{bsol}\n=500  \\\\$a{dollar}5{0x0A}\n");
  BOOST_TEST(mrk_of(record({{"LDR", "  \x1f"
                                    "aa"}}),
                    MrkStyle::Mnemonics)
                 .ends_with("\n={0x4C}DR  \\\\$aa\n"));
  BOOST_TEST(mrk_of(record({{"001", "\\ \x7f"}}), MrkStyle::Mnemonics).ends_with("=001  {bsol}\\{0x7F}\n"));
}

// The number of characters before it decides in which block, and where in it, a character stands.
BOOST_AUTO_TEST_CASE(every_character_at_every_place) {
  for (std::size_t before = 0; before < 40; ++before)
    for (std::size_t behind : {0U, 1U, 14U, 15U, 16U, 33U}) {
      const std::string head(before, 'h');
      const std::string tail(behind, 't');
      const auto json = [&](const std::string &text) {
        return between(json_of(sample(head + text + tail), JsonStyle::Pymarc), "\"001\": \"" + head, tail + "\"}, ");
      };
      BOOST_TEST_REQUIRE(json("\"") == "\\\"");
      BOOST_TEST_REQUIRE(json("\x7f") == "\\u007f");
      BOOST_TEST_REQUIRE(json("\x01\n") == "\\u0001\\n");
      BOOST_TEST_REQUIRE(json("\xf0\x9d\x84\x9e") == "\\ud834\\udd1e");
      const auto xml = [&](const std::string &text) {
        return between(xml_of(sample(head + text + tail), XmlStyle::Pymarc), "\"001\">" + head, tail + "</");
      };
      BOOST_TEST_REQUIRE(xml("&>") == "&amp;&gt;");
      BOOST_TEST_REQUIRE(xml("\xe2\x82\xac\xf4\x8f\xbf\xbf") == "&#8364;&#1114111;");
    }
}

BOOST_AUTO_TEST_CASE(records_in_any_state) {
  const auto best = [](const std::string &bytes) { return json_of(bytes, JsonStyle::Compact, Reading::Best); };
  // Bytes that are no UTF-8, in data, indicators and codes.
  BOOST_TEST(best(sample("a\xff\xc3\xa9\xc3\xa9\xc3\xa9")).find("{\"a\":\"a\xef\xbf\xbd") != std::string::npos);
  const std::string high = best(record({{"245", "\xc3\xa9\xff\x1f\xc3\xa9x"}}));
  BOOST_TEST(high.find("\"ind1\":\"\xc3\xa9\",\"ind2\":\"\xef\xbf\xbd\",\"subfields\":[{\"\xc3\xa9\":\"x\"}]") !=
             std::string::npos);
  // More indicators, longer codes.
  const std::string wide = record({{"245", "123\x1f"
                                           "abtext"},
                                   {"500", "456\x1f"
                                           "cdmore"}},
                                  {.head = "nam a33"});
  BOOST_TEST(best(wide).find("\"ind1\":\"1\",\"ind2\":\"23\",\"subfields\":[{\"ab\":\"text\"}]") != std::string::npos);
  const std::string one = record({{"245", "1\x1f"
                                          "atext"},
                                  {"500", "4\x1f"
                                          "cmore"}},
                                 {.head = "nam a12"});
  BOOST_TEST(best(one).find("\"ind1\":\"1\",\"ind2\":\" \",\"subfields\":[{\"a\":\"text\"}]") != std::string::npos);
  // A leader that lost a byte.
  const std::string whole = sample("id");
  BOOST_TEST(between(best(whole.substr(0, 5) + whole.substr(6)), "\"leader\":\"", "\"") ==
             "0" + whole.substr(0, 5) + whole.substr(6, 18));
}
