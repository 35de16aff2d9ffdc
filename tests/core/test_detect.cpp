// How a text is encoded, whatever is said of it.
// SPDX-License-Identifier: MIT
#include "encoding/detect.hpp"

#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

using namespace std::string_literals;
using namespace test;
using marc::Encoding;

namespace marc {

std::ostream &boost_test_print_type(std::ostream &out, Encoding encoding) {
  return out << (encoding == Encoding::Utf8 ? "UTF-8" : encoding == Encoding::Marc8 ? "MARC-8" : "Latin-1");
}

} // namespace marc

namespace {

marc::Evidence evidence_of(const std::vector<std::string> &texts) {
  marc::Evidence evidence;
  for (const std::string &text : texts) {
    const Exact bytes(text);
    evidence.add(bytes.data(), bytes.size());
  }
  return evidence;
}

Encoding under_a(const std::vector<std::string> &texts) { return evidence_of(texts).judge(true); }
Encoding under_blank(const std::vector<std::string> &texts) { return evidence_of(texts).judge(false); }

// The same under either.
void check(const std::vector<std::string> &texts, Encoding expected) {
  BOOST_TEST(under_a(texts) == expected);
  BOOST_TEST(under_blank(texts) == expected);
}

// Sentences of catalogues in each encoding.
const std::string kUtf8 = "Dvo\u0159\u00e1k, Anton\u00edn. Lyrick\u00e1 poh\u00e1dka";
const std::string kMarc8 = "Dvo\xe9r\xe2"
                           "ak, Anton\xe2in. Lyrick\xe2"
                           "a poh\xe2"
                           "adka";
const std::string kLatin1 = "M\xfcller, J\xfcrgen. Einf\xfchrung in die Gr\xf6\xdf"
                            "enlehre";

} // namespace

BOOST_AUTO_TEST_CASE(ascii_is_what_is_said) {
  for (const std::vector<std::string> &texts : {std::vector<std::string>{}, {""}, {"plain", "words"}, {"\x1f\x1e\n"}}) {
    BOOST_TEST(under_a(texts) == Encoding::Utf8);
    BOOST_TEST(under_blank(texts) == Encoding::Marc8);
  }
}

BOOST_AUTO_TEST_CASE(sentences) {
  check({kUtf8}, Encoding::Utf8);
  check({kMarc8}, Encoding::Marc8);
  check({kLatin1}, Encoding::Latin1);
  check({"plain", kLatin1, "words"}, Encoding::Latin1);
}

BOOST_AUTO_TEST_CASE(short_texts) {
  check({"\u00e9"}, Encoding::Utf8);
  check({"caf\u00e9"}, Encoding::Utf8);
  check({"caf\xe2"
         "e"},
        Encoding::Marc8);
  check({"caf\xe9"}, Encoding::Latin1); // a mark with nothing to bear it
  check({"caf\xe9 x"}, Encoding::Latin1);
  check({"Stra\xdf"
         "e"},
        Encoding::Latin1); // no character of ANSEL
  check({"\xe8u"}, Encoding::Marc8);
  BOOST_TEST(under_a({"na\xefve"}) == Encoding::Latin1);    // there is no such letter with this mark
  BOOST_TEST(under_blank({"na\xefve"}) == Encoding::Marc8); // once is not enough against what is said
  check({"na\xefve gar\xe7on \xe0 c\xf4t\xe9"}, Encoding::Latin1);
  BOOST_TEST(under_blank({"\xb1"}) == Encoding::Marc8);
  BOOST_TEST(under_a({"\xb1"}) == Encoding::Latin1); // a sign that stands alone
  BOOST_TEST(under_a({"z\xb1oty"}) == Encoding::Marc8);
}

BOOST_AUTO_TEST_CASE(escape_sequences) {
  for (const char *set : {"(N", ",N", ")Q", "-4", "$1!00", "$)1", "ga", "b2", "p2", "s", ")!E"}) {
    const std::string sequence = "\x1b"s + set;
    check({"x", "a" + sequence + "b"}, Encoding::Marc8);
  }
  check({"a\x1b(NJ\x1b(B", kLatin1}, Encoding::Marc8);
  for (const std::string &other : {"\x1b"s, "\x1b("s, "\x1b$"s, "\x1b(z"s, "\x1bZ"s, "\x1b["s, "\x1b[1m"s}) {
    BOOST_TEST(under_a({other}) == Encoding::Utf8);
    check({kUtf8, other}, Encoding::Utf8);
  }
}

BOOST_AUTO_TEST_CASE(a_stray_escape_in_utf8) {
  BOOST_TEST(under_a({kUtf8, "x\x1bs"}) == Encoding::Utf8);
  BOOST_TEST(under_a({"x\x1bs" + kUtf8}) == Encoding::Utf8);
  BOOST_TEST(under_blank({kUtf8, "x\x1bs"}) == Encoding::Marc8); // as is said
  BOOST_TEST(under_a({"x\x1bs"}) == Encoding::Marc8);            // no other sign of UTF-8
}

BOOST_AUTO_TEST_CASE(utf8_that_is_damaged) {
  BOOST_TEST(under_a({kUtf8, "cut \xc3"}) == Encoding::Utf8);
  check({kUtf8, kUtf8, "\x80"}, Encoding::Utf8);
  BOOST_TEST(under_a({"\xc5\x99\xc3"}) == Encoding::Utf8);
  BOOST_TEST(under_a({"\xe2\x82"}) == Encoding::Utf8); // bytes that only a sequence has
  BOOST_TEST(under_a({"\xff\xff\xff"}) == Encoding::Latin1);
  BOOST_TEST(under_blank({"\u00e9 " + kLatin1 + kLatin1}) == Encoding::Latin1); // an accident
}

// A sequence does not reach from one text into the next.
BOOST_AUTO_TEST_CASE(texts_are_apart) {
  const marc::Evidence evidence = evidence_of({"\xc3", "\xa9"});
  BOOST_TEST(!evidence.is_valid_utf8());
  BOOST_TEST(!evidence.has_sequences());
  BOOST_TEST(evidence_of({"\xc3\xa9"}).has_sequences());
  BOOST_TEST(evidence_of({"\xc3\xa9"}).is_valid_utf8());
  BOOST_TEST(evidence_of({"ascii\x1b(N"}).is_valid_utf8());
  BOOST_TEST(!evidence_of({"ascii\x1b(N"}).has_sequences());
  BOOST_TEST(under_a({"a\x1b", "(N\xe2", "e"}) == Encoding::Latin1); // nor do escape sequences and marks
}
