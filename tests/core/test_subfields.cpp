// The index of subfields, in one pass over a regular record or field by field, against the plain way.
// SPDX-License-Identifier: MIT
#include "subfields.hpp"

#include "batches.hpp"
#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

bool is_high(char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; }
bool has_high(std::string_view text) { return std::any_of(text.begin(), text.end(), is_high); }

// What an index of these fields must hold.
struct Plain {
  std::vector<std::string> subfields; // "0:aTitle": number of the field, code and value
  bool high = false, inner = false, empty = false, odd_indicators = false, high_code = false;

  explicit Plain(const std::vector<Field> &fields) {
    for (std::size_t i = 0; i < fields.size(); ++i) add(i, fields[i]);
  }

private:
  void add(std::size_t number, const Field &field) {
    std::string_view body = field.body;
    high = high || has_high(body);
    inner = inner || body.find_first_of("\x1d\x1e") != std::string_view::npos;
    if (field.tag[0] == '0' && field.tag[1] == '0' && field.tag[2] >= '0' && field.tag[2] <= '9') return;
    const std::string_view indicators = body.substr(0, body.find('\x1f'));
    odd_indicators = odd_indicators || indicators.size() != 2 || has_high(indicators);
    body.remove_prefix(indicators.size());
    while (!body.empty()) {
      const std::string_view one = body.substr(1, body.find('\x1f', 1) - 1);
      body.remove_prefix(1 + one.size());
      empty = empty || one.empty();
      if (one.empty()) continue;
      high_code = high_code || is_high(one[0]);
      subfields.push_back(std::to_string(number) + ":" + std::string(one));
    }
  }
};

std::string words_for(bool high, bool inner, bool empty, bool odd_indicators, bool high_code) {
  return std::string(high ? "high " : "") + (inner ? "inner " : "") + (empty ? "empty " : "") +
         (odd_indicators ? "indicators " : "") + (high_code ? "code " : "");
}

// Adds the fields, one behind another, as a record of the batch; "" if their index is right.
std::string problem_with(marc::Batch &batch, std::size_t begin, const std::vector<Field> &fields, bool in_order) {
  std::size_t at = begin;
  for (const Field &field : fields) {
    batch.field_tag.push(marc::pack_tag(bytes_of(field.tag)));
    batch.field_offset.push(static_cast<std::uint32_t>(at));
    batch.field_length.push(static_cast<std::uint32_t>(field.body.size()));
    at += field.body.size() + 1;
  }
  const marc::SubfieldFindings found = marc::index_subfields(batch, in_order, begin, at);
  batch.add_record(begin, at - begin, MARC_OK, 0);
  const std::size_t record = batch.size() - 1;
  const Plain plain(fields);
  std::vector<std::string> subfields;
  const marc::RecordView view(batch, record);
  for (std::size_t i = 0; i < view.field_count(); ++i)
    for (std::size_t k = 0; k < view.field(i).subfield_count(); ++k) {
      const marc::Bytes bytes = view.field(i).subfield(k);
      subfields.push_back(std::to_string(i) + ":" + text_of(bytes.data(), bytes.size()));
    }
  if (batch.subfield_first.size() != batch.field_tag.size() + 1) return "length of subfield_first";
  if (batch.subfield_first[batch.field_tag.size()] != batch.subfield_offset.size()) return "end of the last field";
  if (batch.subfield_offset.size() != batch.subfield_length.size()) return "offsets and lengths";
  if (subfields != plain.subfields) return "subfields";
  const std::string got = words_for(found.high, found.inner, found.empty, found.odd_indicators, found.high_code);
  const std::string expected = words_for(plain.high, plain.inner, plain.empty, plain.odd_indicators, plain.high_code);
  if (found.is_plain() != !(plain.inner || plain.odd_indicators || plain.high_code)) return "is_plain";
  return got == expected ? "" : "expected " + expected + ", got " + got;
}

std::string data_of(const std::vector<Field> &fields) {
  std::string data;
  for (const Field &field : fields) data += field.body + '\x1e';
  return data;
}

// The fields as the first record of a batch and as a later one, in both ways.
std::string problem_with(const std::vector<Field> &fields) {
  const std::string data = data_of(fields);
  OpenBatch open("##" + data + data + "\x1d"); // a record ends behind its last field
  std::string problem = problem_with(open.batch, 2, fields, true);
  if (problem.empty()) problem = problem_with(open.batch, 2 + data.size(), fields, true);
  if (problem.empty()) problem = problem_with(open.batch, 2, fields, false);
  if (problem.empty()) problem = problem_with(open.batch, 2 + data.size(), fields, true);
  return problem;
}

Field data_field(const std::string &body) { return {"245", marc_of(body)}; }
Field control(const std::string &body) { return {"001", marc_of(body)}; }

} // namespace

BOOST_AUTO_TEST_CASE(regular_fields) {
  BOOST_TEST(problem_with({data_field("10$aTitle$bRest")}) == "");
  BOOST_TEST(problem_with({control("id"), data_field("10$a"), data_field("  $aX$bY$cZ")}) == "");
  BOOST_TEST(problem_with({control(""), control("x")}) == "");
  BOOST_TEST(problem_with({data_field("10")}) == "");
  BOOST_TEST(problem_with({data_field("10$a\xc3\xa9t\xc3\xa9")}) == "");
  BOOST_TEST(problem_with(std::vector<Field>(40, data_field("10$aTitle$bRest$cAnd more of it, so that it is long"))) ==
             "");
}

BOOST_AUTO_TEST_CASE(fields_that_are_not_regular) {
  for (const char *body : {"",
                           "1",
                           "$",
                           "$a",
                           "1$a",
                           "100$a",
                           "10$",
                           "10$$a",
                           "10$a$",
                           "10$a^",
                           "^",
                           "10^$a",
                           "10$a%$b",
                           "%%",
                           "\xff$a",
                           "1\xff",
                           "\xff\xff$a",
                           "10$\xc3\xa9",
                           "10$\xff$a",
                           "\x01\x02$a",
                           "\x01\x02\xff$a",
                           "\t $a",
                           "\xc3\xa9$a",
                           "10x$a\xff",
                           "long text that has no subfields at all"}) {
    BOOST_TEST(problem_with({data_field(body)}) == "", body);
    BOOST_TEST(problem_with({control("id"), data_field(body), data_field("10$aX")}) == "", body);
    BOOST_TEST(problem_with({data_field("10$aX"), data_field(body), control("z")}) == "", body);
    BOOST_TEST(problem_with({control(body), data_field("10$aX")}) == "", body);
    BOOST_TEST(problem_with({data_field("10$aX"), control(body)}) == "", body);
    BOOST_TEST(problem_with({data_field(body), data_field(body), control(body)}) == "", body);
  }
}

BOOST_AUTO_TEST_CASE(fields_in_any_order_and_twice) {
  const std::string data = marc_of("10$aOne^20$bTwo$cThree^");
  OpenBatch open(data);
  open.add_field("245", 8, 14);
  open.add_field("100", 0, 7);
  open.add_field("100", 0, 7);
  open.add_field("500", 0, data.size()); // over both
  const marc::SubfieldFindings found = marc::index_subfields(open.batch, false, 0, data.size());
  open.batch.add_record(0, data.size(), MARC_OK, 0);
  BOOST_TEST(found.inner);
  const std::vector<std::string> fields = fields_of(open.batch, 0);
  BOOST_TEST_REQUIRE(fields.size() == 4U);
  BOOST_TEST(fields[0] == marc_of("245 [20$bTwo$cThree] (bTwo) (cThree)"));
  BOOST_TEST(fields[1] == marc_of("100 [10$aOne] (aOne)"));
  BOOST_TEST(fields[2] == fields[1]);
  BOOST_TEST(fields[3] == "500 [" + data + marc_of("] (aOne^20) (bTwo) (cThree^)"));
}

BOOST_AUTO_TEST_CASE(every_length_around_the_blocks) {
  // The pass goes by blocks of 64 bytes: each place of each delimiter in and around them.
  for (std::size_t size = 0; size <= 140; ++size) {
    BOOST_TEST_REQUIRE(problem_with({data_field("10$a" + std::string(size, 'x') + "$by"), control("z")}) == "", size);
    BOOST_TEST_REQUIRE(problem_with({control(std::string(size, 'x')), data_field("10$ay")}) == "", size);
    BOOST_TEST_REQUIRE(problem_with({data_field("10" + repeated("$a", size))}) == "", size);
    BOOST_TEST_REQUIRE(problem_with({data_field("10$a" + std::string(size, 'x') + "\xff")}) == "", size);
    BOOST_TEST_REQUIRE(problem_with({data_field("10$a" + std::string(size, 'x') + "$\xff")}) == "", size);
    BOOST_TEST_REQUIRE(problem_with(std::vector<Field>(size, control(""))) == "", size);
  }
}

BOOST_AUTO_TEST_CASE(records_at_random) {
  Random random(12);
  int regular = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<Field> fields;
    const bool wild = random.one_in(2);
    for (std::size_t i = random.below(8); i > 0; --i) {
      if (random.one_in(4)) {
        fields.push_back({"00" + random.text(1, "0123456789Ax"), random.text(random.below(12), "ab1 ")});
      } else {
        std::string body = random.text(2, "01 #");
        for (std::size_t k = random.below(5); k > 0; --k)
          body +=
              "\x1f" + random.text(1, "abc9") + random.text(random.below(random.one_in(5) ? 90 : 15), "xyz \xc3\xa9");
        fields.push_back({random.text(3, "0123456789"), body});
      }
      std::string &body = fields.back().body;
      if (wild && random.one_in(3) && !body.empty())
        body[random.below(body.size())] = random.of("\x1d\x1e\x1f\x1f\xff a\x01");
      if (wild && random.one_in(5)) body.insert(random.below(body.size() + 1), random.text(1, "\x1d\x1e\x1f\xff a"));
      if (wild && random.one_in(9)) body.resize(random.below(body.size() + 1));
    }
    const Plain plain(fields);
    regular += !plain.inner && !plain.empty && !plain.odd_indicators ? 1 : 0;
    BOOST_TEST_REQUIRE(problem_with(fields) == "", "round " << round);
  }
  BOOST_TEST(regular > 5000);
  BOOST_TEST(regular < 15000);
}
