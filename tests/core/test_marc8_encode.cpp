// UTF-8 into MARC-8: escape sequences only where they must be, and everything that MARC-8 has comes back.
// SPDX-License-Identifier: MIT
#include "encoding/marc8_encode.hpp"

#include "make.hpp"
#include "marc8.hpp"

#include <boost/test/unit_test.hpp>

#include <iterator>
#include <string>

using namespace std::string_literals;
using namespace test;
using marc::Marc8Rule;
using marc::Unmappable;

namespace {

// ESC as it is printed, ~.
std::string printed(std::string marc8) {
  for (char &letter : marc8) letter = letter == '\x1b' ? '~' : letter;
  return marc8;
}

std::string marc8_of(const std::string &text) {
  const Encoded found = encoded(text);
  BOOST_TEST(found.whole);
  BOOST_TEST(found.findings == "");
  return printed(found.marc8);
}

// The text, which is in NFC, comes back from MARC-8, by these tables; and the sets in use are those of the beginning.
void comes_back(const std::string &text, Marc8Rule rule = Marc8Rule::Best) {
  const Encoded there = encoded(text);
  BOOST_TEST_REQUIRE(there.whole, printed(there.marc8));
  const Decoded back = decoded(there.marc8, rule);
  BOOST_TEST_REQUIRE(back.text == text, printed(there.marc8));
  BOOST_TEST_REQUIRE(back.findings == "", printed(there.marc8));
  BOOST_TEST_REQUIRE((back.state.g0 == marc::kAscii && back.state.g1 == marc::kAnsel), printed(there.marc8));
}

// In NFC; as every text that is decoded.
std::string nfc(std::string_view text) {
  marc::PodArray<std::uint8_t> out;
  for (const char byte : text) out.push(static_cast<std::uint8_t>(byte));
  marc::normalize_utf8(out, 0);
  return text_of(out.data(), out.size());
}

} // namespace

BOOST_AUTO_TEST_CASE(escape_sequences_where_they_must_be) {
  BOOST_TEST(marc8_of("") == "");
  BOOST_TEST(marc8_of("Plain & simple\t\r\n") == "Plain & simple\t\r\n");
  BOOST_TEST(marc8_of("\u0142\u00d8\u00a9") == "\xb1\xa2\xc3"); // ANSEL
  BOOST_TEST(marc8_of("m\u00b2 x") == "m~p2 ~sx");
  BOOST_TEST(marc8_of("H\u2082O") == "H~b2~sO");
  BOOST_TEST(marc8_of("\u03b1") == "~ga~s");
  BOOST_TEST(marc8_of("\u0412\u043e\u0439\u043d\u0430, 1812") == "~(NwOJNA, 1812~(B"); // it has blanks and digits too
  BOOST_TEST(marc8_of("\u0439 x \u0439") == "~(NJ ~(Bx ~(NJ~(B");
  BOOST_TEST(marc8_of("\u041a\u0438\u0457\u0432") == "~(NkI~)Q\xc7W~)!E~(B"); // the other half for what it lacks
  BOOST_TEST(marc8_of("\u05d0\u05d1") == "~(2`a~(B");
  BOOST_TEST(marc8_of("\u0621") == "~(3A~(B");
  BOOST_TEST(marc8_of("\u0679") == "~)4\xa4~)!E");
  BOOST_TEST(marc8_of("\u65e5\u672c x") == "~$1!Bs!Ci~(B x");
}

BOOST_AUTO_TEST_CASE(each_part_begins_anew) {
  BOOST_TEST(marc8_of("\u0439\x1f"
                      "b\u0439\x1e\u0439\x1d") == "~(NJ~(B\x1f"
                                                  "b~(NJ~(B\x1e~(NJ~(B\x1d");
  BOOST_TEST(marc8_of("\u0457\x1f"
                      "a\u00e9") == "~)Q\xc7~)!E\x1f"
                                    "a\xe2"
                                    "e");
}

// Behind an 0x1F.
BOOST_AUTO_TEST_CASE(subfield_codes_are_ascii_and_bear_no_marks) {
  for (const std::string mark : {"\u0301", "\u031b", "\u0361", "\u0306"}) {
    for (const std::string code : {"a", "e", "o", "t", "1"}) {
      const std::string text = "\x1f" + code + mark + "sx";
      const Encoded stopped = encoded(text);
      BOOST_TEST(!stopped.whole, text);
      BOOST_TEST(stopped.findings.starts_with("unmapped 2+0x3"), stopped.findings);
      BOOST_TEST(encoded(text, Unmappable::Replace).marc8 == "\x1f" + code + "?sx");
      BOOST_TEST(encoded(text, Unmappable::Reference).marc8.starts_with("\x1f" + code + "&#x03"));
    }
  }
  for (const char *text : {"\x1f\u00e9x", "\x1f\u00f8x", "\x1f\u65e5x", "\x1f\u0301x"})
    BOOST_TEST(encoded(text).findings.starts_with("unmapped 1+"), text);
  BOOST_TEST(encoded("\x1f\x1f\u00e9").findings.starts_with("unmapped 2+"));
}

BOOST_AUTO_TEST_CASE(marks_stand_before_their_base) {
  BOOST_TEST(marc8_of("caf\u00e9!") == "caf\xe2"
                                       "e!");
  BOOST_TEST(marc8_of("e\u0301") == marc8_of("\u00e9"));
  BOOST_TEST(marc8_of("\u01dc") == "\xe8\xe1u");
  BOOST_TEST(marc8_of("\u1ee3") == "\xf2\xbc"); // a letter with horn is one of ANSEL
  BOOST_TEST(marc8_of("o\u031b\u0323") == "\xf2\xbc");
  BOOST_TEST(marc8_of("t\u0361s") == "\xebt\xecs");
  BOOST_TEST(marc8_of("n\u0360g") == "\xfan\xfbg");
  BOOST_TEST(marc8_of("t\u0361") == "\xebt"); // nothing to bear the right half
  BOOST_TEST(marc8_of(" \u0301") == "\xe2 ");
  BOOST_TEST(marc8_of("\u4e22\u0301") == "\xe2~$1!00~(B");
}

BOOST_AUTO_TEST_CASE(what_marc8_does_not_have) {
  const Encoded stopped = encoded("a\u00e9 \u2603 b\U0001f600");
  BOOST_TEST(!stopped.whole);
  BOOST_TEST(stopped.findings == "unmapped 4+0x2603 g0=B g1=E");
  BOOST_TEST(encoded("e\u0301\u2603").findings == "unmapped 3+0x2603 g0=B g1=E"); // in the text as it was given
  const Encoded referred = encoded("a\u00e9 \u2603 b\U0001f600\U0010ffff", Unmappable::Reference);
  BOOST_TEST(referred.whole);
  BOOST_TEST(referred.marc8 == "a\xe2"
                               "e &#x2603; b&#x1F600;&#x10FFFF;");
  BOOST_TEST(referred.findings == "unmapped 4+0x2603 g0=B g1=E; unmapped 9+0x1f600 g0=B g1=E; "
                                  "unmapped 13+0x10ffff g0=B g1=E");
  BOOST_TEST(encoded("a\u2603", Unmappable::Replace).marc8 == "a?");
  BOOST_TEST(printed(encoded("\u0439\u2603\u0439", Unmappable::Replace).marc8) == "~(NJ~(B?~(NJ~(B");
  BOOST_TEST(encoded("\u2603\u0301", Unmappable::Reference).marc8 == "\xe2&#x2603;"); // bears its marks
}

BOOST_AUTO_TEST_CASE(what_would_be_read_otherwise) {
  for (const char *text : {"\x1b", "\x7f", "\u0301", "a\n\u0301", "\x1f\u0301", "\u00a0", "\ufffd"}) {
    BOOST_TEST(!encoded(text).whole);
    const Encoded referred = encoded(text, Unmappable::Reference);
    BOOST_TEST(referred.whole);
    BOOST_TEST(referred.marc8.find('\x1b') == std::string::npos);
  }
  BOOST_TEST(decoded(encoded("a\n\u0301", Unmappable::Reference).marc8, Marc8Rule::Best).text == "a\n\u0301");
}

BOOST_AUTO_TEST_CASE(every_entry_of_the_sets_comes_back) {
  std::size_t marks = 0;
  std::size_t others = 0;
  for (const marc::tables::SetCode &code : marc::tables::kSetCodes) {
    const std::uint32_t set = marc::tables::kSetNames[code.set];
    const std::uint32_t entry = marc::entries_of_set(set)[code.code & 0x7F];
    const std::string character = utf8_of(code.character);
    const bool is_c1 = entry == 0; // 0x88, 0x89, 0x8D and 0x8E
    BOOST_TEST((is_c1 || (entry & 0xFFFF) == code.character));
    if ((entry & marc::tables::kCombining) == 0) {
      ++others;
      comes_back(nfc(character));
      comes_back(nfc("a" + character + "b" + character + character + " 1"));
    } else {
      ++marks;
      // Halves come back by the other rule: the tables make one mark of two.
      const bool is_half = code.character >= 0xFE20 && code.character <= 0xFE23;
      const Marc8Rule rule = is_half ? Marc8Rule::Pymarc : Marc8Rule::Best;
      for (const std::string base : {"x", "o", "\u0142", "\u0439", "\u05d0", "\u4e22"})
        comes_back(nfc(base + character + base + character + character), rule);
    }
  }
  BOOST_TEST(marks > 40);
  BOOST_TEST(others > 350);
}

BOOST_AUTO_TEST_CASE(every_entry_of_eacc_comes_back) {
  std::size_t count = 0;
  std::string all;
  for (std::uint32_t code = 0x212121; code <= 0x707E7E; ++code) {
    const char32_t character = marc::eacc_character(code);
    if (character == 0) continue;
    ++count;
    comes_back(nfc(utf8_of(character)));
    all += utf8_of(character);
  }
  BOOST_TEST(count > 15000);
  comes_back(nfc(all));
}

// The characters of all sets, one after another at random: any set behind any other.
BOOST_AUTO_TEST_CASE(characters_at_random_come_back) {
  Random random(5);
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (std::size_t n = random.between(1, 9); n > 0; --n) {
      const auto &code = marc::tables::kSetCodes[random.below(std::size(marc::tables::kSetCodes))];
      const bool is_half = code.character >= 0xFE20 && code.character <= 0xFE23;
      const std::string base =
          random.one_in(3) ? utf8_of(marc::tables::kSetCodes[0].character) : std::string(1, random.of("aouAOU 1.,"));
      text += random.one_in(4) ? "\u4e22"s : base;
      if (!is_half) text += utf8_of(code.character);
    }
    comes_back(nfc(text));
  }
}
