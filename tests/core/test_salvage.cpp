// The best reading of damaged records: each kind of damage, at each place where it can be done. What is expected is what
// the record held before, and nothing that was read.
// SPDX-License-Identifier: MIT
#include "salvage.hpp"

#include "make.hpp"
#include "salvaged.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

// Records whose fields differ in length, and one whose fields do not; a small one, and one of a single field.
const std::vector<Layout> kSamples{{{{"001", "ocm-4711"},
                                     {"008", "850101s1985    ne"},
                                     {"100", marc_of("1 $aFarrow, Edith")},
                                     {"245", marc_of("10$aA small title$bwith notes$cby Edith")},
                                     {"650", marc_of(" 0$aDamage")},
                                     {"700", marc_of("1 $aNobody, \xc3\x89mile$d1901-")}}},
                                   {{{"001", "1"}, {"245", marc_of("00$aT")}}},
                                   {{{"245", marc_of("00$aThe only field of all")}}},
                                   {{{"500", marc_of("  $aone")},
                                     {"500", marc_of("  $atwo")},
                                     {"500", marc_of("  $athr")},
                                     {"500", marc_of("  $afou")}}}};

const std::string kLetters = "x09 \x1d\x1e\x1f\xff"s;

// Every single letter.
std::vector<std::string> all_bytes() {
  std::vector<std::string> all;
  for (int byte = 0; byte < 256; ++byte) all.emplace_back(1, static_cast<char>(byte));
  return all;
}

bool is_padding(std::string_view bytes) {
  return bytes.find_first_not_of(std::string_view("\0\t\n\r \x1a", 6)) == std::string_view::npos;
}

// Expects these fields, and a note of this kind.
void check(const std::string &piece, const std::vector<Field> &expected, std::int32_t note, const std::string &where) {
  const Reading read = read_chunk(piece);
  const std::string problem = problem_with_fields(expected, read);
  BOOST_TEST(problem.empty(), where << ": " << problem);
  BOOST_TEST(read.has_note(note), marc::code_name(note) << " is missing, " << where << ": " << read.text);
}
void check(const std::string &piece, const std::vector<Field> &expected, const std::string &where) {
  const std::string problem = problem_with_fields(expected, read_chunk(piece));
  BOOST_TEST(problem.empty(), where << ": " << problem);
}

std::string at(const char *what, std::size_t place) { return std::string(what) + " at " + std::to_string(place); }

} // namespace

// ---- Leader --------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_byte_of_the_leader_is_another) {
  for (const Layout &sample : kSamples)
    for (std::size_t place = 0; place < 24; ++place)
      for (const std::string &byte : all_bytes())
        if (byte[0] != sample.text[place])
          check(with(sample.text, place, byte), sample.fields, at("overwritten", place));
}

BOOST_AUTO_TEST_CASE(bytes_are_missing_in_the_leader_or_too_many) {
  for (const Layout &sample : kSamples) {
    for (std::size_t place = 0; place < 24; ++place) {
      check(without(sample.text, place), sample.fields, MARC_NOTE_LEADER_SIZE, at("missing", place));
      if (place < 23)
        check(without(sample.text, place, 2), sample.fields, MARC_NOTE_LEADER_SIZE, at("two missing", place));
      check(with_more(sample.text, place, "xy"), sample.fields, MARC_NOTE_LEADER_SIZE, at("two more", place));
      for (const std::string &byte : all_bytes())
        check(with_more(sample.text, place, byte), sample.fields, MARC_NOTE_LEADER_SIZE, at("more", place));
    }
  }
}

BOOST_AUTO_TEST_CASE(any_length) {
  for (const Layout &sample : kSamples)
    for (std::size_t length = 0; length <= 99999; length += length < 400 ? 1 : 97)
      if (length != sample.text.size())
        check(with(sample.text, 0, number(length, 5)), sample.fields, MARC_NOTE_LENGTH, at("length", length));
  for (const char *length : {"     ", "-0001", "+0220", "1e999", "\xff\xff\xff\xff\xff"})
    check(with(kSamples[0].text, 0, length), kSamples[0].fields, MARC_NOTE_LENGTH, length);
}

BOOST_AUTO_TEST_CASE(any_base_address) {
  std::size_t wrong = 0;
  for (const Layout &sample : kSamples) {
    for (std::size_t base = 0; base <= 99999; ++base) {
      if (base == sample.base) continue;
      const Reading read = read_chunk(with(sample.text, 12, number(base, 5)));
      wrong += problem_with_fields(sample.fields, read).empty() && read.has_note(MARC_NOTE_BASE) ? 0 : 1;
    }
    for (const char *base : {"     ", "-0097", "+0097", "0 097", "x0097"})
      check(with(sample.text, 12, base), sample.fields, MARC_NOTE_BASE, base);
  }
  BOOST_TEST(wrong == 0U);
}

// ---- Directory -----------------------------------------------------------------------------------------------------

namespace {

// Where entry number `field` says that its field stands: its true one, unless it leads to another terminator.
void follow(const Layout &sample, std::size_t field, const std::string &text, std::vector<Field> &expected) {
  const std::string digits = text.substr(sample.entry(field) + 3, 9);
  if (digits.find_first_not_of("0123456789") != std::string::npos) return;
  const std::size_t begin = sample.base + std::stoul(digits.substr(4));
  const std::size_t end = begin + std::stoul(digits.substr(0, 4)) - 1;
  if (end < begin || end >= text.size() || text[end] != '\x1e') return;
  // One that is exactly a field of another entry is no field of this one: there are as many fields as entries.
  for (std::size_t other = 0; other < sample.fields.size(); ++other)
    if (sample.begin(other) == begin && sample.end(other) == end) return;
  expected[field].body = text.substr(begin, end - begin);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_byte_of_the_directory_is_another) {
  for (const Layout &sample : kSamples) {
    for (std::size_t place = 24; place < sample.base - 1; ++place) {
      const std::size_t field = (place - 24) / 12;
      const std::size_t part = (place - 24) % 12;
      for (const std::string &byte : all_bytes()) {
        if (byte[0] == sample.text[place]) continue;
        const std::string text = with(sample.text, place, byte);
        std::vector<Field> expected = sample.fields;
        if (part < 3) expected[field].tag[part] = byte[0] >= '\x1d' && byte[0] <= '\x1f' ? ' ' : byte[0];
        follow(sample, field, text, expected);
        if (part >= 3 && (byte[0] < '0' || byte[0] > '9'))
          check(text, expected, MARC_NOTE_ENTRY, at("overwritten", place));
        else
          check(text, expected, at("overwritten", place));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_byte_is_missing_in_the_directory) {
  for (const Layout &sample : kSamples) {
    for (std::size_t place = 24; place < sample.base - 1; ++place) {
      const std::string text = without(sample.text, place);
      std::vector<Field> expected = sample.fields;
      // A tag that lost a byte is not known; nor is one where the same bytes remain when it has lost one.
      for (std::size_t same = 24; same < sample.base - 1; ++same)
        if ((same - 24) % 12 < 3 && without(sample.text, same) == text) expected[(same - 24) / 12].tag = "???";
      // The first entry may be whole, behind a leader of 23 bytes.
      if (text.substr(26, 9) == sample.text.substr(27, 9)) expected[0].tag = "???";
      check(text, expected, at("missing", place));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_byte_too_many_in_the_directory) {
  for (const Layout &sample : kSamples) {
    for (std::size_t place = 24; place < sample.base - 1; ++place) {
      const std::size_t field = (place - 24) / 12;
      for (const char letter : kLetters) {
        const std::string text = with_more(sample.text, place, std::string(1, letter));
        std::vector<Field> expected = sample.fields;
        // It may belong to the tag, to the entry before, or to nothing.
        if ((place - 24) % 12 < 4) expected[field].tag = "???";
        if ((place - 24) % 12 == 0 && field > 0) expected[field - 1].tag = "???";
        if (text.substr(28, 9) == sample.text.substr(27, 9)) expected[0].tag = "???"; // behind a leader of 25 bytes
        check(text, expected, at("more", place));
      }
    }
  }
}

namespace {

// What an entry says instead of the truth.
struct Lie {
  const char *name;
  std::function<std::string(std::size_t field, std::size_t length, std::size_t start)> digits;
};

std::string saying(std::size_t length, std::size_t start) {
  return number(std::min<std::size_t>(length, 9999), 4) + number(std::min<std::size_t>(start, 99999), 5);
}

const Lie kTruth{"truth", [](std::size_t, std::size_t length, std::size_t start) { return saying(length, start); }};

const Lie kLies[] = {
    {"starts of 0", [](std::size_t, std::size_t length, std::size_t) { return saying(length, 0); }},
    {"lengths of 0", [](std::size_t, std::size_t, std::size_t start) { return saying(0, start); }},
    {"zeros", [](std::size_t, std::size_t, std::size_t) { return saying(0, 0); }},
    {"largest lengths", [](std::size_t, std::size_t, std::size_t start) { return saying(9999, start); }},
    {"largest starts", [](std::size_t, std::size_t length, std::size_t) { return saying(length, 99999); }},
    {"largest", [](std::size_t, std::size_t, std::size_t) { return saying(9999, 99999); }},
    {"lengths with one more",
     [](std::size_t, std::size_t length, std::size_t start) { return saying(length + 1, start); }},
    {"without terminators",
     [](std::size_t field, std::size_t length, std::size_t start) { return saying(length - 1, start - field); }},
    {"lengths less one", [](std::size_t, std::size_t length, std::size_t start) { return saying(length - 1, start); }},
    {"starts with one more",
     [](std::size_t, std::size_t length, std::size_t start) { return saying(length, start + 1); }},
    {"shifted", [](std::size_t, std::size_t length, std::size_t start) { return saying(length, start + 5); }},
    {"from the leader", [](std::size_t, std::size_t length, std::size_t start) { return saying(length, start + 97); }},
    {"two more for each",
     [](std::size_t field, std::size_t length, std::size_t start) { return saying(length + 2, start + 2 * field); }},
    {"no digits", [](std::size_t, std::size_t, std::size_t) { return "?????????"s; }},
    {"blanks", [](std::size_t, std::size_t, std::size_t) { return std::string(9, ' '); }},
};

using Order = std::vector<std::size_t>;

Order as_they_stand(const Layout &sample) {
  Order order(sample.fields.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

std::vector<Field> fields_in(const Layout &sample, const Order &order) {
  std::vector<Field> fields;
  for (const std::size_t i : order) fields.push_back(sample.fields[i]);
  return fields;
}

// The record with its entries in this order, those of the fields in [from, to) with other digits.
std::string told(const Layout &sample, const Order &order, const Lie &lie, std::size_t from, std::size_t to) {
  std::string directory;
  for (const std::size_t i : order)
    directory +=
        sample.fields[i].tag +
        (i >= from && i < to ? lie : kTruth).digits(i, sample.fields[i].body.size() + 1, sample.begin(i) - sample.base);
  const std::string data = sample.text.substr(sample.base - 1);
  const std::size_t base = 25 + directory.size();
  return number(base + data.size() - 1, 5) + sample.text.substr(5, 7) + number(base, 5) + sample.text.substr(17, 7) +
         directory + data;
}

} // namespace

BOOST_AUTO_TEST_CASE(some_or_all_entries_lie) {
  for (const Layout &sample : kSamples)
    for (const Lie &lie : kLies)
      for (std::size_t from = 0; from < sample.fields.size(); ++from)
        for (std::size_t to = from + 1; to <= sample.fields.size(); ++to)
          check(told(sample, as_they_stand(sample), lie, from, to), sample.fields,
                lie.name + at("", from) + at(" to", to));
}

BOOST_AUTO_TEST_CASE(lengths_and_starts_that_count_characters) {
  std::vector<Field> fields{{"001", "1"}};
  std::string directory = "001" + saying(2, 0);
  std::size_t start = 2;
  for (const char *text : {"\xc3\xa9t\xc3\xa9", "plain", "\xe2\x82\xac\xf0\x9f\x98\x80", "e", "\xc3\xa9"}) {
    fields.push_back({"500", marc_of("  $a") + text});
    const std::string &body = fields.back().body;
    const auto characters =
        static_cast<std::size_t>(std::count_if(body.begin(), body.end(), [](char c) { return (c & 0xC0) != 0x80; }));
    directory += "500" + saying(characters + 1, start);
    start += characters + 1;
  }
  const std::string truth = record(fields);
  check(with(truth, 24, directory), fields, MARC_NOTE_FIELD_PLACE, "characters");
}

BOOST_AUTO_TEST_CASE(entries_of_thirteen_bytes) {
  const Lie long_start{
      "", [](std::size_t, std::size_t length, std::size_t start) { return number(length, 4) + number(start, 6); }};
  const Lie long_length{
      "", [](std::size_t, std::size_t length, std::size_t start) { return number(length, 5) + number(start, 5); }};
  for (const Layout &sample : kSamples) {
    if (sample.fields.size() == 1) continue; // 12 of its 13 bytes could be the entry
    for (const Lie &lie : {long_start, long_length}) {
      const std::string text = told(sample, as_they_stand(sample), lie, 0, sample.fields.size());
      check(text, sample.fields, MARC_NOTE_ENTRY_MAP, "13 bytes");
      check(with(text, 0, "99999"), sample.fields, MARC_NOTE_ENTRY_MAP, "13 bytes, length");
      check(with(text, 12, "00000"), sample.fields, MARC_NOTE_ENTRY_MAP, "13 bytes, base address");
    }
  }
}

// ---- Terminators ---------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(every_terminator) {
  for (const Layout &sample : kSamples) {
    for (std::size_t place = sample.base - 1; place < sample.text.size() - 1; ++place) {
      if (sample.text[place] != '\x1e') continue;
      check(without(sample.text, place), sample.fields, at("missing", place));
      check(with_more(sample.text, place, "\x1e"), sample.fields, at("doubled", place));
      if (place >= sample.base) check(with_more(sample.text, place, "\x1e\x1e"), sample.fields, at("three", place));
      for (const std::string &byte : all_bytes())
        if (byte != "\x1e") check(with(sample.text, place, byte), sample.fields, at("overwritten", place));
    }
    const std::size_t size = sample.text.size();
    check(without(sample.text, size - 1), sample.fields, MARC_NOTE_RECORD_END, "no 0x1D");
    check(without(sample.text, size - 2), sample.fields, MARC_NOTE_RECORD_END, "no last 0x1E");
    check(without(sample.text, size - 2, 2), sample.fields, MARC_NOTE_RECORD_END, "neither");
  }
}

BOOST_AUTO_TEST_CASE(cut_at_every_byte) {
  for (const Layout &sample : kSamples) {
    for (std::size_t cut = 1; cut < sample.text.size(); ++cut) {
      const std::string piece = sample.text.substr(0, cut);
      std::vector<Field> expected;
      for (std::size_t i = 0; i < sample.fields.size() && sample.begin(i) < cut; ++i) {
        const std::string left = piece.substr(sample.begin(i), sample.end(i) - sample.begin(i));
        // Blanks at the end of a piece are none of a field.
        if (sample.end(i) < cut || !is_padding(left)) expected.push_back({sample.fields[i].tag, left});
      }
      const Reading read = read_chunk(piece);
      if (expected.empty()) {
        BOOST_TEST(read.status != MARC_OK, at("cut", cut));
        BOOST_TEST(read.text == read_chunk(piece, marc::Reading::Pymarc).text);
      } else {
        BOOST_TEST(problem_with_fields(expected, read) == "", at("cut", cut));
        BOOST_TEST(read.has_note(MARC_NOTE_FIELD_LOST) == (expected.size() < sample.fields.size()), at("cut", cut));
      }
    }
  }
}

// ---- Fields in another order than their entries ----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(each_damage_in_a_permuted_directory) {
  std::size_t number = 0;
  for (const Layout &sample : kSamples) {
    Order order = as_they_stand(sample);
    while (std::next_permutation(order.begin(), order.end())) {
      if (++number % 5 != 0 && order.size() > 4) continue;
      const std::string text = told(sample, order, kTruth, 0, 0);
      const std::vector<Field> fields = fields_in(sample, order);
      std::string where = "permuted ";
      for (const std::size_t i : order) where += std::to_string(i);
      check(with(text, 0, "99999"), fields, MARC_NOTE_LENGTH, where);
      for (const char *base : {"00000", "99999", "00025", "00120"})
        check(with(text, 12, base), fields, MARC_NOTE_BASE, where + base);
      for (std::size_t place = 0; place < 24; place += 5) {
        check(without(text, place), fields, MARC_NOTE_LEADER_SIZE, where + at(", missing", place));
        check(with_more(text, place, "x"), fields, MARC_NOTE_LEADER_SIZE, where + at(", more", place));
      }
      for (std::size_t place = sample.base - 1; place + 1 < text.size(); ++place) {
        if (text[place] != '\x1e') continue;
        check(without(text, place), fields, where + at(", missing", place));
        check(with_more(text, place, "\x1e"), fields, where + at(", doubled", place));
        check(with(text, place, "x"), fields, where + at(", overwritten", place));
      }
      for (std::size_t i = 0; i < order.size(); ++i)
        for (const char *digits : {"000000000", "999999999", "?????????", "         ", "000100000"})
          check(with(text, 24 + 12 * i + 3, digits), fields, where + at(", entry", i) + " " + digits);
      for (std::size_t place = 24; place < sample.base - 1; ++place) {
        std::vector<Field> expected = fields;
        if ((place - 24) % 12 < 4) expected[(place - 24) / 12].tag = "???";
        check(with_more(text, place, "x"), expected, where + at(", more", place));
        for (std::size_t same = 24; same < sample.base - 1; ++same)
          if ((same - 24) % 12 < 3 && without(text, same) == without(text, place))
            expected[(same - 24) / 12].tag = "???";
        if (text.substr(27, 9) == without(text, place).substr(26, 9)) expected[0].tag = "???";
        check(without(text, place), expected, where + at(", missing", place));
      }
    }
  }
  BOOST_TEST(number == 719U + 1 + 23);
}

// ---- Larger than the format allows ---------------------------------------------------------------------------------

namespace {

// What a program writes that does not look at the limits: what does not fit is as large as it can be.
std::string saturated(const std::vector<Field> &fields) {
  std::string directory;
  std::string data;
  for (const Field &field : fields) {
    directory += field.tag + saying(field.body.size() + 1, data.size());
    data += field.body + '\x1e';
  }
  const std::size_t base = 25 + directory.size();
  return number(std::min<std::size_t>(base + data.size() + 1, 99999), 5) + "nam a22" +
         number(std::min<std::size_t>(base, 99999), 5) + " a 4500" + directory + "\x1e" + data + "\x1d";
}

std::vector<Field> notes(std::size_t count, std::size_t size) {
  std::vector<Field> fields{{"001", "many"}};
  for (std::size_t i = 1; i < count; ++i)
    fields.push_back({number(500 + i % 400, 3), marc_of("  $a") + std::to_string(i) + std::string(i % size, 'x')});
  return fields;
}

// The beginning of what is wrong; the whole of it may be megabytes.
std::string short_problem(const std::string &piece, const std::vector<Field> &expected) {
  return problem_with_fields(expected, read_chunk(piece)).substr(0, 300);
}

} // namespace

BOOST_AUTO_TEST_CASE(thousands_of_fields) {
  for (const std::size_t count : {2000U, 8000U, 8331U, 30000U})
    for (const std::size_t size : {1U, 60U}) {
      const std::vector<Field> fields = notes(count, size);
      const std::string text = saturated(fields);
      BOOST_TEST_REQUIRE(text.size() > (count < 8000 ? 24000U : 99999U));
      BOOST_TEST(short_problem(with(text, 0, "99999"), fields) == "", count << " of up to " << size);
      BOOST_TEST(short_problem(with(text, 0, "00000"), fields) == "", count << " of up to " << size);
    }
}

BOOST_AUTO_TEST_CASE(thousands_of_fields_and_one_terminator_more_or_less) {
  const std::vector<Field> fields = notes(4000, 60);
  const std::string text = saturated(fields);
  BOOST_TEST_REQUIRE(text.size() > 99999U);
  std::size_t begin = text.find('\x1e') + 1;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t end = begin + fields[i].body.size();
    if (i % 397 == 5) {
      BOOST_TEST(short_problem(without(text, end), fields) == "", "missing, field " << i);
      BOOST_TEST(short_problem(with_more(text, end - 1, "\x1e"), fields) != "", "one that cuts a field, field " << i);
      BOOST_TEST(short_problem(with(text, end, "x"), fields) == "", "overwritten, field " << i);
    }
    begin = end + 1;
  }
}

BOOST_AUTO_TEST_CASE(fields_above_9999_bytes) {
  for (const std::size_t size : {9995U, 9996U, 10000U, 99994U, 99999U, 300000U}) {
    const std::vector<Field> fields{
        {"001", "id"}, {"500", marc_of("  $a") + std::string(size, 'x')}, {"501", marc_of("  $alast")}};
    BOOST_TEST(short_problem(with(saturated(fields), 0, "99999"), fields) == "", size);
    const std::vector<Field> twice{fields[1], fields[0], fields[1], fields[2]};
    BOOST_TEST(short_problem(with(saturated(twice), 0, "99999"), twice) == "", size);
  }
}

// ---- Text ----------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(text_that_is_not_utf8) {
  for (const char *bytes : {"\xc3", "\xe2\x82", "\xed\xa0\x80", "\xc0\x80"}) {
    const std::vector<Field> fields{{"001", "id"}, {"245", marc_of("10$acaf") + bytes}};
    check(with(record(fields), 0, "99999"), fields, MARC_NOTE_TEXT, bytes);
    BOOST_TEST(!read_chunk(with(record(fields, {.head = "nam  22"}), 0, "99999")).has_note(MARC_NOTE_TEXT));
  }
  const std::vector<Field> good{{"001", "id"}, {"245", marc_of("10$acaf\xc3\xa9")}};
  BOOST_TEST(!read_chunk(with(record(good), 0, "99999")).has_note(MARC_NOTE_TEXT));
}

BOOST_AUTO_TEST_CASE(indicators_and_codes_that_are_not_ascii) {
  const std::vector<Field> fields{{"245", marc_of("\xc3\xa9 $a1")}, {"246", marc_of("1 $\xc3\xb8x")}};
  const std::string text = with(record(fields), 0, "99999");
  check(text, fields, MARC_NOTE_INDICATOR_TEXT, "indicator");
  check(text, fields, MARC_NOTE_SUBFIELD_CODE, "code");
  check(with(text, 6, "\xff"), fields, MARC_NOTE_LEADER_TEXT, "leader");
}

// ---- Any damage ----------------------------------------------------------------------------------------------------

namespace {

// Up to five things happen to the bytes.
std::string damaged(std::string text, Random &random) {
  const std::string letters = "\x1d\x1e\x1f 0123456789ax\xff\xc3"s;
  for (std::size_t times = random.between(1, 5); times > 0 && text.size() > 2; --times) {
    const std::size_t place = random.below(random.one_in(2) ? std::min<std::size_t>(text.size(), 100) : text.size());
    const std::size_t count = std::min(random.one_in(3) ? random.below(40) : 1, text.size() - place - 1);
    switch (random.below(6)) {
    case 0:
      text = without(text, place, count);
      break;
    case 1:
      text = with_more(text, place, random.text(count + 1, letters));
      break;
    case 2:
      text = with_more(text, place, text.substr(place, count)); // twice
      break;
    case 3:
      text.resize(place + 1);
      break;
    default:
      text = with(text, place, random.text(count + 1, letters));
    }
  }
  return text;
}

// "" if all that may be said of any piece holds.
std::string broken_promise(const std::string &piece, const Reading &read) {
  const Reading pymarc = read_chunk(piece, marc::Reading::Pymarc);
  if (read.status != MARC_OK) return read.text == pymarc.text ? "" : "another verdict than pymarc's: " + pymarc.text;
  const bool repaired = (read.flags & MARC_REC_REPAIRED) != 0;
  if (!repaired && read.text != pymarc.text) return "neither repaired nor pymarc's: " + pymarc.text;
  if (repaired && read.notes.empty()) return "repaired without a note";
  if (read.fields.empty()) return "a record without fields";
  for (const marc_note &note : read.notes)
    if (note.record != 0 || std::uint64_t{note.offset} + note.length > piece.size())
      return "a note outside of the piece";
  std::size_t claimed = 0;
  for (const Field &field : read.fields) {
    claimed += field.body.size();
    if (piece.find(field.body) == std::string::npos) return "a field that is not in the piece";
  }
  if (claimed > 32 * piece.size()) return "more than it may hold";
  return "";
}

} // namespace

BOOST_AUTO_TEST_CASE(what_holds_for_any_damage) {
  Random random(17);
  std::size_t repaired = 0;
  std::size_t rejected = 0;
  for (int round = 0; round < 40000; ++round) {
    const Layout &sample = kSamples[random.below(kSamples.size())];
    const std::string piece = damaged(
        random.one_in(4) ? told(sample, as_they_stand(sample), kLies[random.below(15)], 0, 9) : sample.text, random);
    const Reading read = read_chunk(piece);
    BOOST_TEST_REQUIRE(broken_promise(piece, read) == "", read.text);
    // Where the piece lies says nothing, nor what was read before.
    const std::size_t before = random.between(1, 200);
    const Reading again = read_chunk(piece, marc::Reading::Best, marc::Surroundings::Last, before);
    BOOST_TEST_REQUIRE(again.text == read.text);
    repaired += (read.flags & MARC_REC_REPAIRED) != 0 ? 1 : 0;
    rejected += read.status != MARC_OK ? 1 : 0;
  }
  BOOST_TEST(repaired > 20000U);
  BOOST_TEST(rejected > 1000U);
}

BOOST_AUTO_TEST_CASE(what_holds_for_bytes_at_random) {
  Random random(18);
  for (int round = 0; round < 40000; ++round) {
    const std::string begin = random.one_in(2) ? kSamples[0].text.substr(0, random.below(120)) : "";
    const std::string piece = begin + random.text(random.between(1, 150), "\x1d\x1e\x1f 0001245a\xc3\xa9");
    const Reading read = read_chunk(piece);
    BOOST_TEST_REQUIRE(broken_promise(piece, read) == "", read.text);
  }
}
