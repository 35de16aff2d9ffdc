// MARC-8 into UTF-8, by both rules. What pymarc's rule gives is what pymarc 5.4 gives, but for what that loses although
// the tables have it.
// SPDX-License-Identifier: MIT
#include "encoding/marc8_decode.hpp"

#include "make.hpp"
#include "marc8.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace std::string_literals;
using namespace test;
using marc::Marc8Rule;

namespace {

// ESC as it is printed: ~. So hexadecimal escapes of a literal end where they should.
std::string marc8_of(std::string text) {
  for (char &letter : text) letter = letter == '~' ? '\x1b' : letter;
  return text;
}

Decoded pymarc(const std::string &text) { return decoded(marc8_of(text), Marc8Rule::Pymarc); }
Decoded best(const std::string &text) { return decoded(marc8_of(text), Marc8Rule::Best); }

// "BE": the sets in use, G0 and G1.
std::string sets_of(const Decoded &decoded) {
  return {static_cast<char>(decoded.state.g0), static_cast<char>(decoded.state.g1)};
}

// Both rules give this text, find nothing and end with these sets.
void check(const std::string &text, const std::string &expected, const std::string &sets = "BE") {
  for (const Marc8Rule rule : {Marc8Rule::Pymarc, Marc8Rule::Best}) {
    const Decoded found = decoded(marc8_of(text), rule);
    BOOST_TEST(found.text == expected);
    BOOST_TEST(found.findings == "");
    BOOST_TEST(found.whole);
    BOOST_TEST(sets_of(found) == sets);
  }
}

} // namespace

// ---- Sets and escape sequences -------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(every_set) {
  check("", "");
  check("plain ASCII: !/09@AZ[\\]az{|}", "plain ASCII: !/09@AZ[\\]az{|}");
  check("\xb1\xa2\xc3", "\u0142\u00d8\u00a9"); // ANSEL
  check("~gabc~sx", "\u03b1\u03b2\u03b3x");    // Greek symbols
  check("~b2(-)~s", "\u2082\u208d\u208b\u208e");
  check("~p2(-)~s", "\u00b2\u207d\u207b\u207e");
  check("~(NwOJNA, 1812~(B", "\u0412\u043e\u0439\u043d\u0430, 1812"); // basic Cyrillic
  check("~(Q@P~(B", "\u0491\u0463");                                  // extended Cyrillic
  check("~(Sabc?~(B", "\u03b1\u03b2\u03d0;");                         // Greek
  check("~(2`az\"'~(B", "\u05d0\u05d1\u05ea\u05f4\u05f3");            // Hebrew
  check("~(3ABG,?5~(B", "\u0621\u0622\u0627\u060c\u061f\u0665");      // basic Arabic
  check("~(4!$~(B", "\u06fd\u0679");                                  // extended Arabic
  check("~$1!00!Bs~(Bx", "\u4e22\u65e5x");                            // EACC
}

BOOST_AUTO_TEST_CASE(escape_sequences_to_g0) {
  for (const std::string &middle : {"("s, ","s}) {
    check("~" + middle + "NJ", "\u0439", "NE");
    check("~" + middle + "BJ", "J");
    check("~" + middle + "!E1a~(Be", "\u0142\u00e8"); // ANSEL, whose marks are there too
  }
  for (const std::string &middle : {"$"s, "$,"s}) check("~" + middle + "1!00", "\u4e22", "1E");
  check("~NJ~(B", "\u0439"); // no byte between
  for (const std::string &back : {"~s"s, "~(B"s}) check("~p2" + back + "2", "\u00b22");
}

BOOST_AUTO_TEST_CASE(escape_sequences_to_g1) {
  for (const std::string &middle : {")"s, "-"s}) {
    check("~" + middle + "N\xcaJ", "\u0439J", "BN");
    check("~" + middle + "Q\xc0", "\u0491", "BQ");
    check("~" + middle + "4\xa1", "\u06fd", "B4");
    check("~" + middle + "S\xe1", "\u03b1", "BS");
    check("~" + middle + "Q\xc0~" + middle + "!E\xb1", "\u0491\u0142");
  }
  for (const std::string &middle : {"$)"s, "$-"s}) check("~" + middle + "1\xa1\xb0\xb0x", "\u4e22x", "B1");
  check("~(N~)QJ\xc0~(B\xc0~)!E\xb1", "\u0439\u0491\u0491\u0142"); // each on its own
}

BOOST_AUTO_TEST_CASE(the_state_goes_on_from_text_to_text) {
  marc::Marc8State state;
  for (const Marc8Rule rule : {Marc8Rule::Pymarc, Marc8Rule::Best}) {
    state = decoded(marc8_of("~(N~)Q"), rule).state;
    const Decoded next = decoded("J\xc0", rule, state);
    BOOST_TEST(next.text == "\u0439\u0491");
    BOOST_TEST(sets_of(next) == "NQ");
  }
}

BOOST_AUTO_TEST_CASE(escape_sequences_that_are_cut) {
  BOOST_TEST(best("a~").text == "a\ufffd");
  BOOST_TEST(best("a~").findings == "escape 1+0x0 g0=B g1=E");
  BOOST_TEST(best("a~(").text == "a\ufffd(");
  BOOST_TEST(best("a~$)").text == "a\ufffd$)");
  BOOST_TEST(best("a~(!").text == "a\ufffd(!");
  for (const std::string &text : {"a~"s, "a~)"s, "a~-"s, "a~$,"s}) {
    const Decoded stopped = pymarc(text);
    BOOST_TEST(!stopped.whole);
    BOOST_TEST(stopped.text == "a");
    BOOST_TEST(stopped.findings.starts_with("escape "));
  }
  for (const std::string &text : {"a~("s, "a~,"s, "a~$"s}) {
    BOOST_TEST(pymarc(text).whole);
    BOOST_TEST(pymarc(text).text == marc8_of(text)); // and this is what pymarc makes of it
    BOOST_TEST(best(text).whole);
  }
}

BOOST_AUTO_TEST_CASE(escape_sequences_to_no_set) {
  const Decoded found = best("a~(Xb");
  BOOST_TEST(found.text == "a\ufffd(Xb");
  BOOST_TEST(found.findings == "escape 1+0x28 g0=B g1=E");
  BOOST_TEST(sets_of(found) == "BE");
  BOOST_TEST(pymarc("a~(Xb").text == "a ");
  BOOST_TEST(pymarc("a~(Xb").findings == "unmapped 4+0x62 g0=X g1=E");
  BOOST_TEST(pymarc("~X1").text == "X1");
  BOOST_TEST(best("~X1").text == "\ufffdX1");
}

// ---- Marks ---------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(marks_stand_before_their_base) {
  check("\xe2"
        "e",
        "\u00e9");
  check("caf\xe2"
        "e x",
        "caf\u00e9 x");
  check("\xe8\xe1u", "\u01dc");       // U+01DC: diaeresis, then grave
  check("\xe1\xe8u", "\u00f9\u0308"); // the other way round there is no such letter
  check("\xf2\xbc", "\u1ee3");        // below a letter of ANSEL
  check("\xe2\xf2o", "\u1ecd\u0301"); // in canonical order, whatever it was
  check("\xf2\xe2o", "\u1ecd\u0301");
  check("\xe2x\xe2\xb1", "x\u0301\u0142\u0301");
  check("\xe2 x", " \u0301x"); // a blank is a base
  check("\xe2\xe2"
        "a",
        "\u00e1\u0301");
  check("~(Sc\xe2"
        "a!a~(B",
        "\u03d0\u03ac\u1f70");          // of either half; NFC
  check("\xe2~(NA~(B", "\u0430\u0301"); // across an escape sequence
  check("~(2@`~(B", "\u05d0\u05b7");
  check("~(3kG~(B", "\u0627\u064b");
}

BOOST_AUTO_TEST_CASE(control_characters_bear_no_marks) {
  BOOST_TEST(pymarc("\xe2\n"
                    "e")
                 .text == "\u00e9");
  BOOST_TEST(best("\xe2\n"
                  "e")
                 .text == "\n\u00e9");
}

BOOST_AUTO_TEST_CASE(double_marks) {
  BOOST_TEST(pymarc("\xebt\xecs \xfan\xfbg").text == "t\ufe20s\ufe21 n\ufe22g\ufe23");
  BOOST_TEST(best("\xebt\xecs \xfan\xfbg").text == "t\u0361s n\u0360g");
  BOOST_TEST(best("\xect \xfbt").text == "t\ufe21 t\ufe23"); // a right half alone
  BOOST_TEST(best("\xebt\xebs").text == "t\u0361s\u0361");   // left ones only
  BOOST_TEST(best("\xebt\xecs\xecs").text == "t\u0361ss\ufe21");
  BOOST_TEST(best("\xebt\xfbs\xecs").text == "t\u0361s\ufe23s"); // two kinds
}

BOOST_AUTO_TEST_CASE(marks_without_a_base) {
  BOOST_TEST(pymarc("a\xe2").text == "a");
  BOOST_TEST(pymarc("a\xe2").findings == "orphan 1+0x301 g0=B g1=E");
  BOOST_TEST(best("a\xe2").text == "a \u0301");
  BOOST_TEST(best("a\xe2\xf2").text == "a \u0323\u0301");
  BOOST_TEST(best("a\xe2\xf2").findings == "orphan 1+0x301 g0=B g1=E; orphan 2+0x323 g0=B g1=E");
  BOOST_TEST(best("\xa0\xe2").findings == "unmapped 0+0xa0 g0=B g1=E; orphan 1+0x301 g0=B g1=E");
}

// ---- EACC ----------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(eacc) {
  check("~$1!0!~(B", "\u4e00");
  check("~$1o[s~(B", "\ud31f"); // Hangul
  check("~$1!#!~(B", "\u3000");
  check("\xe2~$1!00~(B", "\u4e22\u0301");
  check("~$1!00~)Q\xc0!00~(B", "\u4e22\u0491\u4e22", "BQ"); // G1 goes on beside it
  check("~$1\xb1!00", "\u0142\u4e22", "1E");
}

BOOST_AUTO_TEST_CASE(eacc_that_is_cut) {
  BOOST_TEST(best("~$1!00!").text == "\u4e22\ufffd");
  BOOST_TEST(best("~$1!00!").findings == "cut 6+0x20 g0=1 g1=E");
  BOOST_TEST(pymarc("~$1!00!").text == "\u4e22 ");
  BOOST_TEST(pymarc("~$1!00!").findings == "cut 6+0x20 g0=1 g1=E");
  BOOST_TEST(best("~$1!0").text == "\ufffd");
  BOOST_TEST(best("~$1").text == "");
  BOOST_TEST(pymarc("~$1").text == "");
}

BOOST_AUTO_TEST_CASE(eacc_that_means_nothing) {
  BOOST_TEST(pymarc("~$1 !00").text == "  ");            // three bytes, and the text ends within the next three
  BOOST_TEST(best("~$1 !00~(Bx").text == " \u4e22x");    // a blank stands for itself
  BOOST_TEST(best("~$1!0~(Bx").text == "\ufffd\ufffdx"); // an escape sequence is no part of one
  BOOST_TEST(best("~$1}}}!00").findings == "unmapped 3+0x7d7d7d g0=1 g1=E");
  BOOST_TEST(pymarc("~$1}}}!00").text == " \u4e22");
  BOOST_TEST(best("~$1!\n!00").text == "\ufffd\n\u4e22");
  BOOST_TEST(best("~$1\n!00\n").text == "\n\u4e22\n");
  BOOST_TEST(best("~$)1\xa1\xb0").text == "\ufffd\ufffd");
}

// ---- The rest ------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(control_characters) {
  BOOST_TEST(pymarc("a\r\nb\tc\x01").text == "abc");
  BOOST_TEST(pymarc("a\r\nb\tc\x01").findings == "");
  BOOST_TEST(best("a\r\nb\tc\x01").text == "a\r\nb\tc\x01");
  BOOST_TEST(pymarc("a\x80"
                    "b\x81"
                    "c\x9f")
                 .text == "a bc"); // pymarc takes 0x80 for none
  BOOST_TEST(best("a\x80"
                  "b\x81"
                  "c\x9f")
                 .text == "a\ufffd"
                          "b\ufffd"
                          "c\ufffd");
  BOOST_TEST(pymarc("\x88The \x89T\x8d\x8e").text == "The T");
  BOOST_TEST(best("\x88The \x89T\x8d\x8e").text == utf8_of(0x98) + "The " + utf8_of(0x9C) + "T\u200d\u200c");
}

BOOST_AUTO_TEST_CASE(bytes_that_mean_nothing) {
  for (const char *byte : {"\xa0", "\xaf", "\xbb", "\xff", "\x7f"}) {
    const std::string text = "ab" + std::string(byte) + "c";
    const std::string code = byte[0] == '\x7f'   ? "7f"
                             : byte[0] == '\xa0' ? "a0"
                             : byte[0] == '\xaf' ? "af"
                             : byte[0] == '\xbb' ? "bb"
                                                 : "ff";
    BOOST_TEST(pymarc(text).text == "ab c");
    BOOST_TEST(best(text).text == "ab\ufffd"
                                  "c");
    BOOST_TEST(pymarc(text).findings == "unmapped 2+0x" + code + " g0=B g1=E");
    BOOST_TEST(best(text).findings == "unmapped 2+0x" + code + " g0=B g1=E");
  }
  BOOST_TEST(best("~ge~s").findings == "unmapped 2+0x65 g0=g g1=E");
  BOOST_TEST(best("\xe2\xa0").text == "\ufffd\u0301"); // it bears a mark all the same
}

BOOST_AUTO_TEST_CASE(findings_may_be_limited) {
  const std::string text = repeated("\xa0", 100) + "\xe2";
  const Decoded some = decoded(text, Marc8Rule::Best, {}, 2);
  BOOST_TEST(some.findings == "unmapped 0+0xa0 g0=B g1=E; unmapped 1+0xa0 g0=B g1=E");
  BOOST_TEST(some.text == best(text).text);
  BOOST_TEST(decoded(text, Marc8Rule::Best, {}, 0).findings == "");
}

BOOST_AUTO_TEST_CASE(references) {
  const std::string text = "a&#x2014;b e&#x301; &#x1F600;";
  BOOST_TEST(pymarc(text).text == text);
  BOOST_TEST(best(text).text == "a\u2014b \u00e9 \U0001f600");
  for (const char *other : {"&#x1F;", "&#xD800;", "&#xDFFF;", "&#x110000;", "&#x1234567;", "&#x;", "&#x41", "&#65;",
                            "&amp;", "&", "&#", "&#x", "&#xg;"})
    BOOST_TEST(best(other).text == other);
  BOOST_TEST(best("&#x10FFFF;&#x7f;&#x9f;&#xD7FF;&#xE000;").text == "\U0010ffff\x7f\u009f\ud7ff\ue000");
  BOOST_TEST(best("\xe2&#x65;").text == "\u00e9");
  BOOST_TEST(best("&#x1112;&#x1161;&#x11ab;").text == "\ud55c"); // NFC goes over all of it
  BOOST_TEST(!best("~(N&#x41;~(B").text.ends_with("A"));         // in ASCII only
}

// Wherever a run of ASCII ends, in blocks of 16 bytes and between them, at the end of the bytes too.
BOOST_AUTO_TEST_CASE(ascii_of_any_length_around_others) {
  const std::string ascii = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (std::size_t before = 0; before < 40; ++before)
    for (std::size_t after = 0; after < 20; ++after) {
      const std::string left = ascii.substr(0, before);
      const std::string right = ascii.substr(before, after);
      BOOST_TEST_REQUIRE(best(left + "\xb1" + right).text == left + "\u0142" + right);
      BOOST_TEST_REQUIRE(pymarc(left + "\n" + right).text == left + right);
      BOOST_TEST_REQUIRE(best(left + "&" + right).text == left + "&" + right);
    }
}

BOOST_AUTO_TEST_CASE(it_appends) {
  const std::string bytes = "\xe2"
                            "e";
  marc::Marc8Decoder decoder(Marc8Rule::Best);
  marc::PodArray<std::uint8_t> out;
  marc::Marc8Findings findings;
  for (int i = 0; i < 3; ++i) {
    marc::Marc8State state;
    BOOST_TEST(decoder.decode(bytes_of(bytes), bytes.size(), state, out, findings));
  }
  const std::string referring = "&#x301;"; // belongs to no letter of the text before
  marc::Marc8State state;
  BOOST_TEST(decoder.decode(bytes_of(referring), referring.size(), state, out, findings));
  BOOST_TEST(text_of(out.data(), out.size()) == "\u00e9\u00e9\u00e9\u0301");
}
