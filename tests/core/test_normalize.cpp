// Normalization Form C, against values that Python's unicodedata gives.
// SPDX-License-Identifier: MIT
#include "encoding/normalize.hpp"

#include "encoding/unicode_tables.hpp"
#include "make.hpp"
#include "marc8.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

// U"..." as UTF-8.
std::string utf8(std::u32string_view text) {
  std::string all;
  for (const char32_t character : text) all += utf8_of(character);
  return all;
}

// NFC of the text from byte `begin` on.
std::string nfc(std::string_view text, std::size_t begin = 0) {
  marc::PodArray<std::uint8_t> out;
  for (const char byte : text) out.push(static_cast<std::uint8_t>(byte));
  marc::normalize_utf8(out, begin);
  return text_of(out.data(), out.size());
}

std::string nfc(std::u32string_view text) { return nfc(utf8(text)); }

// The characters as letters, which say where each one stood.
marc::Letters letters_of(std::u32string_view text) {
  marc::Letters letters;
  for (const char32_t character : text) letters.push({character, static_cast<std::uint32_t>(letters.size())});
  return letters;
}

// The whole canonical decomposition of a character, in order of its parts.
void take_apart(char32_t character, std::u32string &parts) {
  const marc::Pair pair = marc::decompose(character);
  if (pair.first == 0) {
    parts += character;
    return;
  }
  take_apart(pair.first, parts);
  if (pair.second != 0) take_apart(pair.second, parts);
}

} // namespace

BOOST_AUTO_TEST_CASE(what_is_normal_stays) {
  for (const std::u32string_view text :
       {U"", U"plain", U"\u00e9\u0142\u03b1\u0439", U"\u65e5\u672c", U"\ud55c", U"x\u0316\u0301", U"\u0301",
        U"t\u0361s", U"\u1100", U"\U0001f600", U"\uac00\u11a7"})
    BOOST_TEST(nfc(text) == utf8(text));
}

BOOST_AUTO_TEST_CASE(letters_and_marks_are_composed) {
  BOOST_TEST(nfc(U"e\u0301") == utf8(U"\u00e9"));
  BOOST_TEST(nfc(U"u\u0308\u0300") == utf8(U"\u01dc"));       // again and again
  BOOST_TEST(nfc(U"u\u0300\u0308") == utf8(U"\u00f9\u0308")); // the order of equal classes stays
  BOOST_TEST(nfc(U"a\u0308\u0308") == utf8(U"\u00e4\u0308"));
  BOOST_TEST(nfc(U"x\u0301e\u0301") == utf8(U"x\u0301\u00e9"));
  BOOST_TEST(nfc(U"a\u034f\u0301") == utf8(U"a\u034f\u0301")); // a joiner of class 0 is between
  BOOST_TEST(nfc(U"e\u0310\u0301") == utf8(U"e\u0310\u0301")); // so is a mark of the same class
  BOOST_TEST(nfc(U"\u304b\u3099") == utf8(U"\u304c"));
  BOOST_TEST(nfc(U"\u09c7\u09be") == utf8(U"\u09cb")); // two that have class 0
  BOOST_TEST(nfc(U"\U00011099\U000110ba") == utf8(U"\U0001109a"));
}

BOOST_AUTO_TEST_CASE(marks_come_into_canonical_order) {
  BOOST_TEST(nfc(U"o\u0302\u0323") == utf8(U"\u1ed9")); // below comes before above
  BOOST_TEST(nfc(U"s\u0307\u0323") == utf8(U"\u1e69"));
  BOOST_TEST(nfc(U"\u00f4\u0323") == utf8(U"\u1ed9")); // those of a composed letter too
  BOOST_TEST(nfc(U"a\u0327\u0301\u0323") == utf8(U"\u1ea1\u0327\u0301"));
  BOOST_TEST(nfc(U"a\u0301\u0316") == utf8(U"\u00e1\u0316"));
  BOOST_TEST(nfc(U"\u0301\u0323") == utf8(U"\u0323\u0301")); // without a letter
  BOOST_TEST(nfc(U"\u0327\u0301A") == utf8(U"\u0327\u0301A"));
}

BOOST_AUTO_TEST_CASE(hangul) {
  BOOST_TEST(nfc(U"\u1112\u1161\u11ab") == utf8(U"\ud55c"));
  BOOST_TEST(nfc(U"\uac00\u11a8") == utf8(U"\uac01"));
  BOOST_TEST(nfc(U"\u1100\u1161\u1100") == utf8(U"\uac00\u1100"));
  BOOST_TEST(nfc(U"\u1100\u1161\u11a7") == utf8(U"\uac00\u11a7")); // one before the tails is none
  BOOST_TEST(nfc(U"\u1100\u1161\u11c3") == utf8(U"\uac00\u11c3")); // nor one behind them
  BOOST_TEST(nfc(U"\u1113\u1161") == utf8(U"\u1113\u1161"));       // one behind the leads
  BOOST_TEST(nfc(U"\u1100\u1176") == utf8(U"\u1100\u1176"));       // and the vowels
  BOOST_TEST(nfc(U"\uac01\u11a8") == utf8(U"\uac01\u11a8"));       // it has a tail
  for (char32_t syllable = 0xAC00; syllable <= 0xD7A3; ++syllable) {
    std::u32string parts;
    take_apart(syllable, parts);
    BOOST_TEST_REQUIRE(parts.size() >= 2);
    BOOST_TEST_REQUIRE(nfc(parts) == utf8_of(syllable));
  }
  BOOST_TEST((marc::decompose(0xABFF).first == 0));
  BOOST_TEST((marc::decompose(0xD7A4).first == 0));
}

BOOST_AUTO_TEST_CASE(what_is_always_taken_apart) {
  BOOST_TEST(nfc(U"\u212b") == utf8(U"\u00c5")); // singletons: another character altogether
  BOOST_TEST(nfc(U"\u2126") == utf8(U"\u03a9"));
  BOOST_TEST(nfc(U"\u037e\u0387") == utf8(U";\u00b7"));
  BOOST_TEST(nfc(U"\uf900") == utf8(U"\u8c48"));
  BOOST_TEST(nfc(U"\u0958") == utf8(U"\u0915\u093c")); // exclusions from composition
  BOOST_TEST(nfc(U"\ufb1d") == utf8(U"\u05d9\u05b4"));
  BOOST_TEST(nfc(U"\u2adc") == utf8(U"\u2add\u0338"));
  BOOST_TEST(nfc(U"\U0001d15e") == utf8(U"\U0001d157\U0001d165"));
  BOOST_TEST(nfc(U"\u0344\u0301") == utf8(U"\u0308\u0301\u0301")); // a mark of two
  BOOST_TEST(nfc(U"\u0f73") == utf8(U"\u0f71\u0f72"));
}

BOOST_AUTO_TEST_CASE(classes) {
  BOOST_TEST(marc::combining_class('a') == 0);
  BOOST_TEST(marc::combining_class(0x2FF) == 0);
  BOOST_TEST(marc::combining_class(0x300) == 230);
  BOOST_TEST(marc::combining_class(0x31B) == 216);
  BOOST_TEST(marc::combining_class(0x323) == 220);
  BOOST_TEST(marc::combining_class(0x327) == 202);
  BOOST_TEST(marc::combining_class(0x34F) == 0);
  BOOST_TEST(marc::combining_class(0x361) == 234);
  BOOST_TEST(marc::combining_class(0x5B0) == 10);
  BOOST_TEST(marc::combining_class(0x651) == 33);
  BOOST_TEST(marc::combining_class(0x1E94A) == 7);
  BOOST_TEST(marc::combining_class(0x10FFFF) == 0);
}

BOOST_AUTO_TEST_CASE(what_is_before_stays) {
  const std::string before = utf8(U"e\u0301e");
  BOOST_TEST(nfc(before + utf8(U"\u0301e\u0301"), before.size()) == before + utf8(U"\u0301\u00e9"));
  BOOST_TEST(nfc(before, before.size()) == before);
  marc::Letters letters = letters_of(U"e\u0301e\u0301");
  marc::normalize(letters, 2);
  BOOST_TEST_REQUIRE(letters.size() == 3);
  BOOST_TEST((letters[0].character == U'e' && letters[1].character == 0x301 && letters[2].character == 0xE9));
}

BOOST_AUTO_TEST_CASE(letters_know_where_they_stood) {
  marc::Letters letters = letters_of(U"xe\u0301\u0316\u212b");
  marc::normalize(letters);
  BOOST_TEST_REQUIRE(letters.size() == 4);
  const std::vector<std::pair<char32_t, std::uint32_t>> expected = {{'x', 0}, {0xE9, 1}, {0x316, 3}, {0xC5, 4}};
  for (std::size_t i = 0; i < expected.size(); ++i)
    BOOST_TEST((letters[i].character == expected[i].first && letters[i].offset == expected[i].second), i);
}

BOOST_AUTO_TEST_CASE(the_tables_agree_with_one_another) {
  for (const marc::tables::Decomposition &entry : marc::tables::kDecompositions) {
    std::u32string parts;
    take_apart(entry.character, parts);
    const std::string form = nfc(utf8_of(entry.character));
    BOOST_TEST_REQUIRE(nfc(parts) == form);
    BOOST_TEST_REQUIRE(nfc(form) == form);
  }
  for (const marc::tables::Composition &entry : marc::tables::kCompositions) {
    BOOST_TEST_REQUIRE((marc::compose(entry.first, entry.second) == entry.character));
    const marc::Pair parts = marc::decompose(entry.character);
    BOOST_TEST_REQUIRE((parts.first == entry.first && parts.second == entry.second));
    BOOST_TEST_REQUIRE(nfc(utf8_of(entry.first) + utf8_of(entry.second)) == utf8_of(entry.character));
  }
}

// Each form is normal itself, and marks of different classes make the same in any order.
BOOST_AUTO_TEST_CASE(any_order_of_different_classes) {
  const std::u32string marks = U"\u0301\u0323\u0327\u031b\u0345\u0361\u05b0\u0651"; // each of another class
  Random random(2);
  for (int i = 0; i < 2000; ++i) {
    std::u32string own;
    for (const char32_t mark : marks)
      if (random.one_in(2)) own += mark;
    std::u32string other = own;
    for (std::size_t n = other.size(); n > 1; --n) std::swap(other[n - 1], other[random.below(n)]);
    const char32_t base = U"aeou\u0142\u01b0\u03b1\u1ea1"[random.below(8)];
    const std::string form = nfc(base + own);
    BOOST_TEST_REQUIRE(nfc(base + other) == form);
    BOOST_TEST_REQUIRE(nfc(form) == form);
  }
}
