// The work is linear in the bytes, whatever they are: counted in steps (count_steps in bytes.hpp), not by the clock.
// This program has a copy of the core of its own, which counts them.
// SPDX-License-Identifier: MIT
#include "bytes.hpp"
#include "encoding/marc8_decode.hpp"
#include "encoding/marc8_encode.hpp"
#include "field_rules.hpp"
#include "make.hpp"
#include "pipeline.hpp"
#include "reading.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::string_literals;
using namespace test;

// ---- The bound -----------------------------------------------------------------------------------------------------

namespace {

// Steps a byte, at most. Records need 5 to 20; digits that could be entries of any width, about 100. Where fields
// overlap, each byte may belong to as many fields as the core allows.
constexpr std::uint64_t kMost = 120;
constexpr std::uint64_t kMostOverlapping = kMost * marc::kMostOverlap;
// How many times the steps four times the bytes may take, and how many more for each byte: a window is copied when it
// outgrows its memory, and the last record of an input may be cut.
constexpr double kGrowth = 4.5;
constexpr double kSlack = 4;

struct Way {
  const char *name;
  std::size_t chunk;
  std::size_t read; // most bytes in one read; 0: from memory
  marc::Reading reading;
};

constexpr Way kWays[] = {
    {"from memory", 1 << 20, 0, marc::Reading::Pymarc}, {"from memory, salvage", 1 << 20, 0, marc::Reading::Best},
    {"chunks of 64", 64, 64, marc::Reading::Pymarc},    {"chunks of 64, salvage", 64, 64, marc::Reading::Best},
    {"byte by byte", 64, 1, marc::Reading::Pymarc},     {"byte by byte, salvage", 1 << 20, 1, marc::Reading::Best}};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSlow = true; // half of the ways will do: the steps are the same
#else
constexpr bool kSlow = false;
#endif

// Steps that reading all of it takes.
std::uint64_t steps_of(const std::string &data, const Way &way, std::size_t largest) {
  Log log;
  const marc::PipelineOptions options{way.chunk, 0, largest, way.reading};
  marc::Pipeline pipeline(way.read == 0 ? marc::open_memory({bytes_of(data), data.size()})
                                        : scripted(data, test::pieces_of(way.read), log),
                          options);
  const std::uint64_t before = marc::steps_counted;
  std::uint64_t bytes = 0;
  Outcome outcome = next(pipeline);
  for (; outcome.batch != nullptr; outcome = next(pipeline))
    for (std::size_t i = 0; i < outcome.batch->size(); ++i) bytes += outcome.batch->record_length[i];
  BOOST_TEST_REQUIRE(outcome.failure.code == MARC_END);
  BOOST_TEST_REQUIRE(pipeline.counters().silent_bytes + bytes == data.size());
  return marc::steps_counted - before;
}

// Bytes of one kind, as many as it is asked for or a few more.
using Family = std::function<std::string(std::size_t size)>;

struct Limits {
  std::uint64_t most = kMost;
  std::size_t size = 16000; // of the smallest input; the others have twice and four times as many bytes
  std::size_t largest = 64 << 20;
};

void check(const std::string &name, const Family &family, const Limits &limits = {}) {
  std::array<std::string, 3> inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = family(limits.size << i);
  for (const Way &way : kWays) {
    if (kSlow && way.reading == marc::Reading::Pymarc) continue;
    std::array<std::uint64_t, 3> steps{};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::size_t size = inputs[i].size();
      steps[i] = steps_of(inputs[i], way, limits.largest);
      BOOST_TEST(steps[i] >= size, name << ", " << way.name << ": " << steps[i] << " steps for " << size << " bytes");
      BOOST_TEST(steps[i] <= limits.most * size,
                 name << ", " << way.name << ": " << steps[i] << " steps for " << size << " bytes");
    }
    const double more = static_cast<double>(inputs[2].size()) / static_cast<double>(inputs[0].size()) * kGrowth / 4;
    BOOST_TEST(static_cast<double>(steps[2]) <
                   more * static_cast<double>(steps[0]) + kSlack * static_cast<double>(inputs[2].size()),
               name << ", " << way.name << ": " << steps[0] << ", " << steps[1] << ", " << steps[2] << " steps");
  }
}

// ---- Parts of inputs -----------------------------------------------------------------------------------------------

std::string filled(std::string_view unit, std::size_t size) {
  std::string all = repeated(unit, size / unit.size() + 1);
  all.resize(size);
  return all;
}

Family over_and_over(const std::string &unit) {
  return [unit](std::size_t size) { return filled(unit, size); };
}

std::string leader(std::size_t length, std::size_t base, std::string_view map = "4500") {
  return number(std::min<std::size_t>(length, 99999), 5) + "nam a22" + number(std::min<std::size_t>(base, 99999), 5) +
         " a " + std::string(map);
}

std::string entry(std::size_t length, std::size_t start, std::string_view tag = "500") {
  return std::string(tag) + number(length, 4) + number(std::min<std::size_t>(start, 99999), 5);
}

// Wherever one looks into it, there is a leader with base address 55555 and entries of 18 bytes.
std::string fives(std::size_t count) { return std::string(count, '5'); }

} // namespace

// ---- Bytes ---------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(one_byte_over_and_over) {
  for (const char byte : "\0 \t\n\r\x1a\x1d\x1e\x1f\x1b\xef\xff\xc3x057<{"s)
    check("byte " + std::to_string(static_cast<unsigned char>(byte)), over_and_over(std::string(1, byte)),
          {.size = 60000}); // above the base address that fives are
}

BOOST_AUTO_TEST_CASE(a_few_bytes_over_and_over) {
  for (const std::string &unit :
       {"\xef\xbb\xbf"s, "\xef\xbb"s, "\x1d\x1e"s, "\x1d\x1f"s, "\x1f\x1e"s, "\x1f\x1e\x1d"s, "0\x1e"s, " \x1e"s, " 0"s,
        marc_of("$a"), marc_of("^$a"), marc_of("%$a"), "\xc3\xa9"s})
    check("bytes " + unit, over_and_over(unit));
}

BOOST_AUTO_TEST_CASE(bytes_at_random) {
  for (const std::string &letters : {"\x1d\x1e\x1f"s, "0\x1e"s, "\x1d\x1e\x1f 05"s, "0123456789\x1e nam"s,
                                     "5555555555555 \x1e"s, "05 \xef\xbb\xbf"s})
    for (std::uint32_t seed = 0; seed < 3; ++seed)
      check("random " + letters, [&](std::size_t size) { return Random(seed).text(size, letters); });
}

BOOST_AUTO_TEST_CASE(digits_before_delimiters) {
  for (const std::size_t run : {36U, 37U, 49U, 100U, 1000U, 8000U})
    for (const char digit : {'0', '5'})
      for (const char end : {'\x1d', '\x1e', '\x1f'})
        check(number(run, 0) + digit, over_and_over(std::string(run, digit) + end));
}

// ---- Leaders -------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(blanks_before_what_could_be_a_leader) {
  for (const std::string &blanks : {std::string(12, ' '), std::string(300, '\0'), "x" + std::string(12, ' '),
                                    "\x1d" + std::string(12, ' '), std::string(4096, '\n')}) {
    for (const std::size_t run : {60U, 500U, 6000U})
      for (const char *end : {"", "\x1d", "\x1e"})
        check(number(run, 0) + " fives", over_and_over(blanks + fives(run) + end), {.size = 48000});
    check("one run", [&](std::size_t size) { return blanks + fives(size) + "\x1e"; }, {.size = 60000});
    check("record behind blanks", over_and_over(blanks + titled("sound")));
    check("blank record behind blanks",
          over_and_over(blanks + titled("no length", {.length = "     ", .head = "       "})));
  }
}

BOOST_AUTO_TEST_CASE(leaders_that_lead_to_the_same_terminator) {
  for (const std::size_t width : {24U, 36U, 48U}) {
    for (const char *end : {"x\x1e", "\x1e", "500000100000\x1e", "500000100000"}) {
      check("leaders", [&](std::size_t size) {
        std::string data = end;
        while (data.size() < size) data.insert(0, leader(99999, data.size() + width) + std::string(width - 24, '0'));
        return data;
      });
    }
  }
}

// One leader of each width of entries, before digits that are entries of any width.
BOOST_AUTO_TEST_CASE(leaders_of_every_entry_map) {
  for (const std::size_t run : {2000U, 8000U, 80000U}) {
    std::string data = std::string(40, 'x') + fives(run) + "\x1e";
    for (std::size_t digits = 9; digits <= 18; ++digits) {
      for (std::size_t other = 0; other <= 9; ++other) {
        const std::size_t width = 3 + digits + other;
        const std::string map =
            number(std::min<std::size_t>(digits, 9), 1) + number(digits - std::min<std::size_t>(digits, 9), 1);
        data.insert(0, std::string((width - (data.size() - 1) % width) % width, 'x'));
        data.insert(0, leader(99999, data.size() + 24, map + number(other, 1) + "0"));
      }
    }
    check(number(run, 0) + " digits", over_and_over(data), {.size = data.size()});
  }
}

BOOST_AUTO_TEST_CASE(leaders_of_every_base_address) {
  for (const std::string &behind : {""s, "\x1e"s, entry(1, 0) + "\x1e", repeated(entry(1, 0), 3), "\x1d"s}) {
    check("leaders", [&](std::size_t size) {
      std::string data;
      for (std::size_t base = 24; data.size() < size; ++base) data += leader(99999, base) + behind;
      return data + "\x1e";
    });
  }
}

// ---- Records -------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(records_and_parts_of_them) {
  const std::string whole = titled("whole");
  check("whole", over_and_over(whole));
  check("too long", over_and_over(with(whole, 0, "99999")));
  check("no length", over_and_over(with(whole, 0, "00000")));
  for (std::size_t end = 1; end < whole.size(); end += 6) check("cut", over_and_over(whole.substr(0, end)));
  for (std::size_t begin = 1; begin < whole.size(); begin += 6) check("begun late", over_and_over(whole.substr(begin)));
}

BOOST_AUTO_TEST_CASE(records_with_terminators_inside) {
  for (const std::string &inside :
       {"\x1d"s, "\x1d "s, "\x1d x"s, "\x1e"s, "\x1f"s, "\x1d\x1e"s, "\x1d" + std::string(12, ' ') + fives(60)}) {
    for (const std::size_t fields : {1U, 8U}) {
      const std::string text = record(std::vector<Field>(fields, {"500", filled(inside, 1999)}));
      check("inside " + inside, over_and_over(text), {.size = 36000});
      check("no length, inside " + inside, over_and_over(with(text, 0, "00000")), {.size = 36000});
    }
  }
}

// Each of many small records claims to reach to the same end, and would be sound if no other record began just before it.
BOOST_AUTO_TEST_CASE(records_that_reach_to_the_same_end) {
  for (const std::string &before : {""s, "\x1d " + titled("another"), "\x1dx"s, titled("another")}) {
    for (const std::string &between : {""s, titled("between")}) {
      check("same end", [&](std::size_t size) {
        const std::string end = before + " the end\x1e\x1d";
        const std::string own = "x\x1e" + between;
        std::string data = end;
        while (data.size() + 200 < std::min<std::size_t>(size, 99000)) {
          const std::size_t last = own.size() + data.size() - end.size() + before.size(); // of the second field
          data.insert(0, leader(49 + own.size() + data.size(), 49) + entry(2, 0) + entry(9, last) + "\x1e" + own);
        }
        return filled(data, size);
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(records_above_any_size) {
  const std::string head = titled("giant", {.length = "99999"}).substr(0, 80);
  for (const std::string &unit : {"x"s, marc_of("$a"), marc_of("$a^"), "5"s, " "s}) {
    check("giant", [&](std::size_t size) { return head + filled(unit, size); });
    for (const std::size_t largest : {1000U, 23000U, 27000U, 120000U}) {
      check("giant", [&](std::size_t size) { return head + filled(unit, size); }, {.size = 240000, .largest = largest});
      for (const std::size_t size : {largest - 1, largest, largest + 1})
        check("about the largest", over_and_over(head + filled(unit, size - 81) + "\x1d"),
              {.size = std::max<std::size_t>(size, 20000), .largest = largest});
    }
  }
  check("one byte a part", over_and_over("x"), {.size = 110000, .largest = 1});
}

// ---- Text -----------------------------------------------------------------------------------------------------------

namespace {

// What MARC-8 is converted from most slowly: marks and no letters, escape sequences and nothing between them, ...
const std::vector<std::string> kDenseMarc8 = {"\xe2"s,
                                              "\xf2\xe2"s,
                                              "\xe2\xe2\xe2\xf2\xf2\xf2\xf0"s,
                                              "\xeb\xec"s,
                                              "\xe2\x1b(N"s,
                                              "\x1b"s,
                                              "\x1bs"s,
                                              "\x1b(N\x1b(B"s,
                                              "\x1b(NJ\x1b(BJ"s,
                                              "\x1b)Q\x1b)!E"s,
                                              "\x1b$1!00\x1b(B"s,
                                              "\x1b$1!0"s,
                                              "\x1b$"s,
                                              "\x1b("s,
                                              "&"s,
                                              "&#x"s,
                                              "&#x301;"s,
                                              "&#x301;&#x323;"s,
                                              "&#xFB2C;"s,
                                              "&#xAC01;"s,
                                              "\xa0"s,
                                              "\x80\x01"s,
                                              "\xb1"s,
                                              "\xe2"
                                              "e"s};

constexpr std::size_t kMostText = 4; // bytes of UTF-8 for a byte of MARC-8

// Checks that four times the bytes take about four times the steps.
void check_growth(const std::string &name, const std::function<void(std::size_t size)> &work) {
  std::array<std::uint64_t, 2> steps{};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::size_t size = std::size_t{16000} << (2 * i);
    const std::uint64_t before = marc::steps_counted;
    work(size);
    steps[i] = marc::steps_counted - before;
    BOOST_TEST(steps[i] >= size, name << ": " << steps[i] << " steps for " << size << " bytes");
    BOOST_TEST(steps[i] <= kMost * size, name << ": " << steps[i] << " steps for " << size << " bytes");
  }
  // Memory that doubles when it is full may have done so once more.
  BOOST_TEST(static_cast<double>(steps[1]) < 2 * kGrowth * static_cast<double>(steps[0]),
             name << ": " << steps[0] << ", " << steps[1] << " steps");
}

} // namespace

BOOST_AUTO_TEST_CASE(records_in_dense_marc8) {
  for (const std::string &unit : kDenseMarc8) {
    for (const Form &form : {Form{.head = "nam  22"}, Form{}, Form{.length = "00000", .head = "nam  22"}}) {
      const std::string text = record(std::vector<Field>(3, {"500", marc_of("  $a") + filled(unit, 5000)}), form);
      check("text " + unit, over_and_over(text), {.size = 32000});
    }
    // A field that is all of the input, and larger than a record can be.
    const std::string head = titled("giant", {.length = "99999", .head = "nam  22"}).substr(0, 80);
    check("giant text " + unit, [&](std::size_t size) { return head + marc_of("$a") + filled(unit, size); });
  }
}

BOOST_AUTO_TEST_CASE(one_text_from_dense_marc8) {
  for (const std::string &unit : kDenseMarc8) {
    for (const marc::Marc8Rule rule : {marc::Marc8Rule::Pymarc, marc::Marc8Rule::Best}) {
      check_growth("from " + unit, [&](std::size_t size) {
        const std::string text = filled(unit, size);
        marc::PodArray<std::uint8_t> out;
        marc::Marc8Findings findings;
        marc::Marc8State state;
        marc::Marc8Decoder(rule, 100).decode(bytes_of(text), text.size(), state, out, findings);
        BOOST_TEST(out.size() <= kMostText * size);
        BOOST_TEST(findings.size() <= 101);
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(one_text_into_marc8) {
  for (const std::string &unit :
       {"a"s, "\u0301"s, "\u0301\u0323\u0327"s, "\u0316"s, "\u031b"s, "\u0316\u0329\u0348\u0301"s,
        "\u0439"
        "a"s,
        "\u0439\u00e9"s, "\u0457\u0679"s, "\u4e22"s,
        "\u4e22"
        "a"s,
        "\u0361"s, "\u2603"s, "\ufb2c"s, "\u01b0\u031b"s, "\x1f"s, "\u0439\x1e"s}) {
    for (const std::string &before : {""s, "o"s}) {
      check_growth("into " + unit, [&](std::size_t size) {
        const std::string text = before + filled(unit, size / unit.size() * unit.size());
        marc::PodArray<std::uint8_t> out;
        marc::Marc8Findings findings;
        marc::Marc8Encoder(marc::Unmappable::Reference).encode(bytes_of(text), text.size(), out, findings);
        BOOST_TEST(out.size() <= 8 * size);
      });
    }
  }
}

// Marks of many classes, which have no code of their own, behind a letter: each looks for the letter.
BOOST_AUTO_TEST_CASE(marks_of_all_classes_into_marc8) {
  std::string marks;
  for (const char *mark : {"\u0334", "\u0321", "\u031b", "\u0316", "\u035c", "\u0345", "\u05b0", "\u0591", "\u0610",
                           "\u0618", "\u064b", "\u0711", "\u302a", "\u302e", "\u3099"})
    marks += mark;
  check_growth("marks of all classes", [&](std::size_t size) {
    const std::string text = "o" + repeated(marks, size / marks.size() + 1);
    marc::PodArray<std::uint8_t> out;
    marc::Marc8Findings findings;
    marc::Marc8Encoder(marc::Unmappable::Replace).encode(bytes_of(text), text.size(), out, findings);
    BOOST_TEST(out.size() > 0);
  });
}

// ---- Directories ---------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(fields_that_overlap) {
  for (const std::uint64_t times : {marc::kMostOverlap - 1, marc::kMostOverlap + 1}) {
    for (const std::string &body : {marc_of("$a\xc3\xa9"), "\x1f"s, "\x1f\xc3\xa9"s, "x"s, "\x1d"s, "\x1b"s}) {
      for (const Form &form : {Form{}, Form{.head = "nam  22"}, Form{.length = "00000"}, Form{.length = "99999"}}) {
        // So many entries of one field of 2 000 bytes that they claim `times` the bytes of the record.
        std::string directory;
        for (std::size_t n = 1; 2000 * n < times * (directory.size() + 2027); ++n)
          directory += entry(2000, 0, n % 4 == 0 ? "001" : "500");
        const std::size_t base = 25 + directory.size();
        const std::string text = (form.length.empty() ? number(base + 2001, 5) : form.length) + form.head +
                                 number(base, 5) + " a 4500" + directory + "\x1e" + filled(body, 1999) + "\x1e\x1d";
        check("overlap " + body, over_and_over(text), {.most = kMostOverlapping, .size = 8000});
      }
    }
  }
}

namespace {

// Entry number i of n, of fields of `size` bytes each.
struct Directory {
  const char *name;
  std::function<std::string(std::size_t i, std::size_t n, std::size_t size)> entry;
};

const Directory kDirectories[] = {
    {"true", [](std::size_t i, std::size_t, std::size_t size) { return entry(size, i * size % 100000); }},
    {"saturated", [](std::size_t i, std::size_t, std::size_t size) { return entry(size, i * size); }},
    {"stuck", [](std::size_t, std::size_t, std::size_t size) { return entry(size, 99999); }},
    {"zero", [](std::size_t, std::size_t, std::size_t) { return entry(0, 0); }},
    {"all the first", [](std::size_t, std::size_t, std::size_t size) { return entry(size, 0); }},
    {"backwards", [](std::size_t i, std::size_t n, std::size_t size) { return entry(size, (n - 1 - i) * size); }},
    {"shifted", [](std::size_t i, std::size_t, std::size_t size) { return entry(size, i * size + 1); }},
    {"too long", [](std::size_t i, std::size_t, std::size_t size) { return entry(size + 1, i * size); }},
    {"random", [](std::size_t i, std::size_t, std::size_t) { return entry(i * 7919 % 10, i * 104729 % 99999); }},
    {"no digits", [](std::size_t, std::size_t, std::size_t) { return "500abcdefghi"s; }},
    {"every other no digits",
     [](std::size_t i, std::size_t, std::size_t size) { return i % 2 == 0 ? "500abcdefghi"s : entry(size, i * size); }},
    {"no digits between",
     [](std::size_t i, std::size_t n, std::size_t size) {
       return i > 1 && i + 2 < n ? "500abcdefghi"s : entry(size, i * size);
     }},
    {"13 bytes",
     [](std::size_t i, std::size_t, std::size_t size) { return "500" + number(size, 4) + number(i * size, 6); }},
    {"a byte more",
     [](std::size_t i, std::size_t, std::size_t size) { return (i == 2 ? "0" : "") + entry(size, i * size); }},
};

} // namespace

BOOST_AUTO_TEST_CASE(directories_of_any_size) {
  for (const Directory &directory : kDirectories) {
    for (const std::string &field : {marc_of("1 $a^"), "a\x1e"s, "\x1e"s, "abcdefgh"s, "0\x1d"s, ""s}) {
      for (const bool small : {true, false}) {
        check(std::string(directory.name) + ", fields " + field, [&](std::size_t size) {
          // Of dozens, so that 13 bytes an entry are read in the same way whatever the size: they could be 12.
          const std::size_t count = small ? 96 : (size / (12 + field.size()) / 12 + 1) * 12;
          std::string entries;
          for (std::size_t i = 0; i < count; ++i)
            entries += directory.entry(i, count, std::max<std::size_t>(field.size(), 1));
          return filled(leader(99999, 25 + entries.size()) + entries + "\x1e" + repeated(field, count) + "\x1d", size);
        });
      }
    }
  }
}

// ---- Anchors ---------------------------------------------------------------------------------------------------------

namespace {

// Inputs that are dear to search for anchors.
const std::vector<std::string> kNearlyAnchors = {"\x1d"s,
                                                 "\x1d "s,
                                                 "\x1d\x1d\x1dx"s,
                                                 "x\x1d"s,
                                                 "\xef\xbb\xbf"s,
                                                 "\x1d\xef\xbb\xbf"s,
                                                 "\x1d\xef\xbb"s,
                                                 "\x1d" + std::string(12, ' ') + fives(60),
                                                 "\x1d" + std::string(300, ' ') + fives(6000),
                                                 "\x1d" + fives(500) + "\x1e",
                                                 "\x1d" + std::string(4000, '\0') + "x",
                                                 "\x1d" + leader(99999, 61) + entry(1, 0) + entry(1, 0) + entry(1, 0) +
                                                     "x",
                                                 titled("no anchor") + "x"};

} // namespace

BOOST_AUTO_TEST_CASE(the_last_anchor_is_found_in_linear_work) {
  for (const std::string &unit : kNearlyAnchors) {
    for (const std::size_t size : {20000U, 80000U, 320000U}) {
      const std::string data = filled(unit, size);
      const std::uint64_t before = marc::steps_counted;
      static_cast<void>(marc::last_anchor(bytes_of(data), 0, size, size, size));
      BOOST_TEST(marc::steps_counted - before <= kMost * size,
                 unit << ": " << marc::steps_counted - before << " steps for " << size << " bytes");
    }
  }
}

// While it looks for an anchor all is done on the thread that reads: no part is ever posted, and steps are counted.
BOOST_AUTO_TEST_CASE(reading_ahead_where_there_is_no_anchor) {
  const marc::SharedPool pool(1);
  const std::string none[] = {"x\x1d"s, "xyz"s, "\x1dx"s, "x\x1d" + std::string(12, ' ') + fives(60),
                              titled("a") + "x"};
  for (const std::string &unit : none) {
    for (const std::size_t size : {60000U, 240000U}) {
      const std::string data = "first\x1d" + filled(unit, size);
      for (const std::size_t records : {0U, 1U}) {
        for (const std::size_t read : {0U, 1U, 100U}) {
          for (const std::size_t chunk : {64U, 4096U, 1U << 16}) {
            if (read == 1 && chunk == 64) continue;
            Log log;
            marc::PipelineOptions options{chunk, records, 1000};
            options.threads = 2;
            options.ahead = 3;
            marc::Pipeline pipeline(read == 0 ? marc::open_memory({bytes_of(data), data.size()})
                                              : scripted(data, test::pieces_of(read), log),
                                    options);
            const std::uint64_t before = marc::steps_counted;
            while (next(pipeline).batch != nullptr) {
            }
            BOOST_TEST(pipeline.counters().threads <= 2U); // one piece from memory may be all
            BOOST_TEST(marc::steps_counted - before <= 2 * kMost * size,
                       "unit " << unit << ", chunk " << chunk << ", reads " << read << ", " << records
                               << " records: " << (marc::steps_counted - before) / size << " steps a byte");
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(ranges_of_what_has_no_anchor) {
  // Each range goes back to the beginning: as far as it is away, and no more.
  for (const std::string &unit : kNearlyAnchors) {
    const std::size_t size = 300000;
    const std::string data = filled(unit, size);
    for (const std::size_t chunk : {20000U, 1U << 17}) {
      for (const bool from_memory : {true, false}) {
        Log log;
        auto source = scripted(data, at_once(), log);
        source->tell_size();
        marc::PipelineOptions options{chunk};
        options.pieces.range_begin = size - 100;
        marc::Pipeline pipeline(from_memory ? marc::open_memory({bytes_of(data), data.size()}) : std::move(source),
                                options);
        const std::uint64_t before = marc::steps_counted;
        while (next(pipeline).batch != nullptr) {
        }
        BOOST_TEST(marc::steps_counted - before <= 4 * kMost * size,
                   "unit " << unit << ": " << (marc::steps_counted - before) / size << " steps a byte");
      }
    }
  }
}
