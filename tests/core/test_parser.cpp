// The parser: flags, notes and fields of sound records, of damaged ones, and of pieces in parts.
// SPDX-License-Identifier: MIT
#include "parser.hpp"

#include "batches.hpp"
#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

// Status, flags and notes of one piece; the offsets count from it.
std::string said_of(const std::string &piece, bool is_last = false) {
  const std::string before = "some bytes before\x1d";
  OpenBatch open(before + piece);
  open.add_piece(before.size(), is_last);
  for (std::size_t i = 0; i < open.batch.notes.size(); ++i)
    open.batch.notes[i].offset -= static_cast<std::uint32_t>(before.size());
  const std::string notes = notes_of(open.batch, 0);
  return std::string(marc::code_name(open.batch.record_status[0])).substr(5) + " {" +
         flags_text(open.batch.record_flags[0]) + "}" + (notes.empty() ? "" : " ") + notes;
}

const Form kMarc8{.head = "nam  22"};

std::string with_title(const std::string &field, const Form &form = {}) {
  return record({{"001", "id"}, {"245", marc_of(field)}}, form);
}

constexpr std::size_t kBase = 24 + 2 * 12 + 1; // of with_title()
constexpr std::size_t kTitle = kBase + 3;      // where its field 245 begins

} // namespace

BOOST_AUTO_TEST_CASE(a_record_without_fault) {
  BOOST_TEST(said_of(with_title("10$aTitle")) == "OK {sound splits plain canonical utf8}");
  BOOST_TEST(said_of(with_title("10$aTitle", kMarc8)) == "OK {sound splits plain}");
  BOOST_TEST(said_of(with_title("10$acaf\xc3\xa9")) == "OK {sound splits plain canonical utf8 nonascii}");
  BOOST_TEST(said_of(with_title("10$acaf\xe9", kMarc8)) ==
             "OK {sound splits plain nonascii noted converted} ORPHAN_MARK 59+1 in 245");
  BOOST_TEST(said_of(with_title("10")) == "OK {sound splits plain canonical utf8}");
  BOOST_TEST(said_of(record({{"001", ""}})) == "OK {sound splits plain canonical utf8}");
  BOOST_TEST(said_of(record({{"001", "a\x1f"}})) ==
             "OK {sound splits plain canonical utf8}"); // data, in a control field
}

BOOST_AUTO_TEST_CASE(bytes_above_ascii_and_escapes_in_fields) {
  BOOST_TEST(said_of(with_title("10$a\x1b(B", kMarc8)) == "OK {sound splits plain nonascii converted}");
  BOOST_TEST(said_of(record({{"001", "\x1b"}}, kMarc8)) == "OK {sound splits plain nonascii converted}");
  BOOST_TEST(said_of(with_title("10$a\x1b(B")) == "OK {sound splits plain canonical utf8}"); // means nothing in UTF-8
  BOOST_TEST(said_of(with(with_title("10$a(B", kMarc8), 24, "\x1b")) == "OK {sound splits plain}"); // in a tag
  BOOST_TEST(said_of(with(with_title("10$a(B", kMarc8), 8, "\x1b")) == "OK {sound splits plain}");  // in the leader
  // In bytes that belong to no field.
  const std::string text = record({{"001", "one"}, {"002", "t\xc3\xa9"}, {"003", "end"}});
  const std::string gap = with(text, 36, text.substr(24, 12));
  BOOST_TEST(said_of(gap) == "OK {sound utf8 noted} DIRECTORY_EXTENT 24+36");
}

BOOST_AUTO_TEST_CASE(fields_in_another_order_than_their_entries) {
  const std::string text = record({{"001", "one"}, {"245", marc_of("10$atwo")}, {"003", "end"}});
  const auto entry = [&](std::size_t i) { return text.substr(24 + 12 * i, 12); };
  const auto with_entries = [&](const std::string &entries) { return with(text, 24, entries); };
  for (const std::string &entries : {entry(1) + entry(0) + entry(2), entry(2) + entry(1) + entry(0),
                                     entry(0) + entry(2) + entry(1), entry(1) + entry(2) + entry(0)})
    BOOST_TEST(said_of(with_entries(entries)) == "OK {sound utf8}");
  OpenBatch open(with_entries(entry(2) + entry(1) + entry(0)));
  open.add_piece(0);
  BOOST_TEST(fields_of(open.batch, 0) ==
                 (std::vector<std::string>{"003 [end]", marc_of("245 [10$atwo] (atwo)"), "001 [one]"}),
             boost::test_tools::per_element());
  // Their faults are found as well.
  const std::string high = with(with_entries(entry(1) + entry(0) + entry(2)), 61, "\xc3\xa9");
  BOOST_TEST(said_of(high) == "OK {sound utf8 nonascii}");
  const std::string bad = with(with_entries(entry(1) + entry(0) + entry(2)), 61, "\xff");
  BOOST_TEST(said_of(bad) == "BAD_TEXT {sound} BAD_TEXT 61+3 in 001");
}

BOOST_AUTO_TEST_CASE(fields_that_do_not_cover_the_data_once) {
  const std::string text = record({{"001", "one"}, {"002", "two"}, {"003", "end"}});
  const auto entry = [&](std::size_t i) { return text.substr(24 + 12 * i, 12); };
  const auto with_entries = [&](const std::string &entries) { return with(text, 24, entries); };
  const std::string extent = "DIRECTORY_EXTENT 24+36";
  BOOST_TEST(said_of(with_entries(entry(0) + entry(2) + entry(2))) == "OK {sound utf8 noted} " + extent); // a gap
  BOOST_TEST(said_of(with_entries(entry(0) + entry(2) + "001000300001")) == "OK {sound utf8 noted} " + extent);
  BOOST_TEST(said_of(with_entries(entry(0) + "002000800000"s + entry(2))) ==
             "OK {sound utf8 noted} " + extent + "; INNER_TERMINATOR 64+1 in 002"); // an overlap
  BOOST_TEST(said_of(with_entries(entry(0) + entry(1) + "003000800004")) ==
             "OK {sound utf8 noted} " + extent + "; INNER_TERMINATOR 68+1 in 003");
}

BOOST_AUTO_TEST_CASE(terminators_inside_a_field) {
  const std::string place = std::to_string(kTitle + 5) + "+1 in 245";
  BOOST_TEST(said_of(with_title("10$aX%Y")) == "OK {sound utf8 noted} INNER_TERMINATOR " + place);
  BOOST_TEST(said_of(with_title("10$aX^Y")) == "OK {sound utf8 noted} INNER_TERMINATOR " + place);
}

BOOST_AUTO_TEST_CASE(odd_data_fields) {
  const std::string title = std::to_string(kTitle);
  const auto at = [](std::size_t offset) { return std::to_string(kTitle + offset); };
  BOOST_TEST(said_of(with_title("$aX")) == "OK {sound splits utf8 noted} INDICATORS_MISSING " + title + "+3 in 245");
  BOOST_TEST(said_of(with_title("1$aX")) == "OK {sound splits utf8 noted} INDICATOR_ONE " + title + "+4 in 245");
  BOOST_TEST(said_of(with_title("100$aX")) == "OK {sound splits utf8 noted} INDICATORS_MANY " + title + "+6 in 245");
  BOOST_TEST(said_of(with_title("10$aX$")) ==
             "OK {sound splits plain utf8 noted} SUBFIELD_EMPTY " + at(6) + "+0 in 245");
  BOOST_TEST(said_of(with_title("10$aX$\xc3\xa9")) ==
             "OK {sound splits utf8 nonascii noted} SUBFIELD_CODE " + at(6) + "+2 in 245");
  BOOST_TEST(said_of(with_title("\t\x01$aX")) == "OK {sound splits plain canonical utf8}"); // odd, but ASCII
}

BOOST_AUTO_TEST_CASE(text_that_rejects_a_sound_record) {
  const auto at = [](std::size_t offset) { return std::to_string(kTitle + offset); };
  BOOST_TEST(said_of(with_title("10$acaf\xe9")) == "BAD_TEXT {sound} BAD_TEXT " + at(4) + "+4 in 245");
  BOOST_TEST(said_of(with_title("10$aX$$b\xff")) ==
             "BAD_TEXT {sound} BAD_TEXT " + at(8) + "+1 in 245"); // one note only
  BOOST_TEST(said_of(with_title("\xff $aX", kMarc8)) ==
             "BAD_INDICATOR_TEXT {sound} BAD_INDICATOR_TEXT " + at(0) + "+2 in 245");
  BOOST_TEST(said_of(record({{"001", "\xff"}})) == "BAD_TEXT {sound} BAD_TEXT 37+1 in 001");
  // A byte that makes the record no UTF-8, but stands in no subfield's text: the code of one.
  BOOST_TEST(said_of(with_title("10$\xe9X")) ==
             "OK {sound splits utf8 nonascii noted} SUBFIELD_CODE " + at(3) + "+2 in 245");
}

BOOST_AUTO_TEST_CASE(leaders_and_tags_that_reject_a_sound_record) {
  BOOST_TEST(said_of(with(with_title("10$aX"), 6, "\xff")) == "BAD_LEADER_TEXT {sound} BAD_LEADER_TEXT 0+24");
  BOOST_TEST(said_of(with(with_title("10$aX"), 23, "\x80")) == "BAD_LEADER_TEXT {sound} BAD_LEADER_TEXT 0+24");
  BOOST_TEST(said_of(with(with_title("10$aX"), 36, "\xff")) == "BAD_DIRECTORY_TEXT {sound} BAD_DIRECTORY_TEXT 24+24");
}

BOOST_AUTO_TEST_CASE(other_entry_maps_are_read_as_pymarc_reads_them) {
  // A sound record with entries of 13 bytes: pymarc knows twelve.
  BOOST_TEST(said_of(with_title("10$aX", {.map = "4510"})) == "BAD_DIRECTORY {sound} BAD_DIRECTORY 24+26");
  // Twelve bytes, cut in another way: pymarc reads the length from four of five digits.
  const std::string text = record({{"001", "abcdefgh"}}, {.map = "5400"}); // 00009 0000 is read as 0000 90000
  BOOST_TEST(said_of(text).starts_with("OK {sound utf8 noted} FIELD_RANGE 24+12 in 001"));
}

BOOST_AUTO_TEST_CASE(damaged_pieces) {
  const std::string good = with_title("10$aTitle");
  const std::string longer = with(good, 0, number(good.size() + 1, 5));
  BOOST_TEST(said_of(longer, false) == "BAD_END_NOT_FOUND {} BAD_END_NOT_FOUND 0+5");
  BOOST_TEST(said_of(longer, true) == "BAD_TRUNCATED {} BAD_TRUNCATED 0+5");
  BOOST_TEST(said_of(with(good, 0, "00000")) == "OK {utf8 noted} FRAMING 0+0");
  BOOST_TEST(said_of(with(with_title("10$acaf\xc3\xa9"), 0, "00000")) == "OK {utf8 nonascii noted} FRAMING 0+0");
  BOOST_TEST(said_of(with(with_title("10$a\x1b", kMarc8), 0, "00000")) == "BAD_ESCAPE {} BAD_ESCAPE 56+1 in 245");
  BOOST_TEST(said_of("junk\x1d", false) == "BAD_LENGTH {} BAD_LENGTH 0+5");
  BOOST_TEST(said_of("junk", true) == "BAD_TRUNCATED {} BAD_TRUNCATED 0+4");
  BOOST_TEST(said_of(with(with_title("1$acaf\xe9"), 0, "00000")) ==
             "BAD_TEXT {} BAD_TEXT " + std::to_string(kTitle + 3) + "+4 in 245"); // the reason alone
}

BOOST_AUTO_TEST_CASE(pieces_above_the_largest_size) {
  OpenBatch open(with_title("10$aTitle"));
  marc::add_unread(open.batch, 0, 20, MARC_BAD_OVERSIZE);
  marc::add_unread(open.batch, 20, 20, MARC_BAD_OVERSIZE_PART);
  BOOST_TEST(open.batch.size() == 2U);
  BOOST_TEST(open.batch.rejected == 2U);
  BOOST_TEST(open.batch.record_status[0] == MARC_BAD_OVERSIZE);
  BOOST_TEST(open.batch.record_status[1] == MARC_BAD_OVERSIZE_PART);
  BOOST_TEST(open.batch.field_tag.size() == 0U);
  BOOST_TEST(notes_of(open.batch, 0) == "BAD_OVERSIZE 0+0");
  BOOST_TEST(notes_of(open.batch, 1) == "BAD_OVERSIZE_PART 20+0");
}

BOOST_AUTO_TEST_CASE(a_rejected_piece_leaves_nothing_behind) {
  const std::string good = with_title("10$aOne$bTwo");
  const std::string bad = with_title("10$aOne$b\xff");
  OpenBatch open(good + bad + good);
  open.add_piece(0);
  open.add_piece(good.size());
  open.add_piece(good.size() + bad.size());
  const marc::Batch &batch = open.batch;
  BOOST_TEST(batch.size() == 3U);
  BOOST_TEST(batch.rejected == 1U);
  BOOST_TEST(batch.field_tag.size() == 4U);
  BOOST_TEST(batch.subfield_offset.size() == 4U);
  BOOST_TEST(batch.subfield_first.size() == 5U);
  BOOST_TEST(batch.field_first[1] == 2U);
  BOOST_TEST(batch.field_first[2] == 2U);
  BOOST_TEST(batch.notes.size() == 1U);
  BOOST_TEST(batch.notes[0].record == 1U);
  BOOST_TEST(batch.all_flags == unsigned{MARC_REC_SOUND});
  BOOST_TEST(fields_of(batch, 0) == fields_of(batch, 2), boost::test_tools::per_element());
  BOOST_TEST(fields_of(batch, 2)[1] == marc_of("245 [10$aOne$bTwo] (aOne) (bTwo)"));
}

BOOST_AUTO_TEST_CASE(a_sound_record_reads_the_same_as_a_chunk) {
  // Two ways to the same fields: the directory that the scanner has read, and pymarc's own reading of the bytes.
  Random random(77);
  int rejected = 0;
  int noted = 0;
  for (int round = 0; round < 5000; ++round) {
    std::vector<Field> fields;
    for (std::size_t i = random.between(1, 6); i > 0; --i) {
      std::string body =
          random.text(random.one_in(9) ? random.below(4) : 2, "01 \xff"s.substr(0, random.one_in(20) ? 4 : 3));
      for (std::size_t k = random.below(4); k > 0; --k)
        body += "\x1f" + random.text(random.one_in(12) ? 0 : 1, "abc\xc3") + (random.one_in(5) ? "\xc3\xa9 " : "") +
                random.text(random.below(30), "xyz ");
      if (random.one_in(15)) body += random.of("\x1d\x1e\xe9\x1f");
      fields.push_back({random.one_in(4) ? "00" + random.text(1, "135") : random.text(3, "0123456789a"), body});
    }
    const Form form = random.one_in(3) ? kMarc8 : Form{};
    const std::string text = record(fields, form);
    OpenBatch sound(text);
    sound.add_piece(0);
    OpenBatch chunk(text);
    marc::parse_chunk(chunk.batch, 0, text.size(), marc::Surroundings::Last, marc::Reading::Pymarc);
    BOOST_TEST_REQUIRE((sound.batch.record_flags[0] & MARC_REC_SOUND) != 0U);
    BOOST_TEST_REQUIRE(sound.batch.record_status[0] == chunk.batch.record_status[0]);
    BOOST_TEST_REQUIRE((fields_of(sound.batch, 0) == fields_of(chunk.batch, 0)));
    const std::string framing = "FRAMING 0+0";
    std::string notes = notes_of(chunk.batch, 0);
    if (notes.starts_with(framing)) notes = notes.substr(std::min(notes.size(), framing.size() + 2));
    BOOST_TEST_REQUIRE(notes_of(sound.batch, 0) == notes);
    const std::uint32_t both = MARC_REC_UTF8 | MARC_REC_NONASCII;
    BOOST_TEST_REQUIRE((sound.batch.record_flags[0] & both) == (chunk.batch.record_flags[0] & both));
    rejected += sound.batch.record_status[0] == MARC_OK ? 0 : 1;
    noted += sound.batch.notes.size() > 0 ? 1 : 0;
  }
  BOOST_TEST(rejected > 100);
  BOOST_TEST(noted > 500);
  BOOST_TEST(noted < 4500);
}

BOOST_AUTO_TEST_CASE(flags_hold_what_they_promise) {
  Random random(78);
  int canonical = 0;
  for (int round = 0; round < 6000; ++round) {
    std::vector<Field> fields;
    for (std::size_t i = random.between(1, 5); i > 0; --i)
      fields.push_back({random.text(3, "0012"), random.text(random.below(12), "01 ab\x1f\x1f\x1f\x1e\xc3\xa9")});
    const std::string text = record(fields, random.one_in(3) ? kMarc8 : Form{});
    OpenBatch open(text);
    open.add_piece(0);
    const std::uint32_t flags = open.batch.record_flags[0];
    const bool high = std::any_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
    if (open.batch.record_status[0] == MARC_OK) {
      BOOST_TEST_REQUIRE(((flags & MARC_REC_NONASCII) != 0) == high);
      BOOST_TEST_REQUIRE(((flags & MARC_REC_UTF8) != 0) == (text[9] == 'a'));
      BOOST_TEST_REQUIRE(((flags & MARC_REC_NOTED) != 0) == (open.batch.notes.size() > 0));
    }
    if ((flags & MARC_REC_SPLITS) == 0) continue;
    // Splitting data[base address:] at 0x1E gives the fields in the order of the directory.
    const std::size_t base = std::stoul(text.substr(12, 5));
    std::string split;
    for (const Field &field : fields) split += field.body + '\x1e';
    BOOST_TEST_REQUIRE(text.substr(base) == split + "\x1d");
    const auto terminators = std::count(text.begin() + static_cast<std::ptrdiff_t>(base), text.end(), '\x1e');
    BOOST_TEST_REQUIRE(static_cast<std::size_t>(terminators) == fields.size());
    if ((flags & MARC_REC_CANONICAL) == 0) continue;
    // Serialised from the index, the record has the same bytes.
    std::vector<Field> again;
    const marc::RecordView view(open.batch, 0);
    for (std::size_t i = 0; i < view.field_count(); ++i) {
      const marc::FieldView field = view.field(i);
      std::string body = text_of(field.bytes().data(), field.bytes().size());
      if (!marc::is_control_tag(field.tag())) {
        body.resize(2);
        for (std::size_t k = 0; k < field.subfield_count(); ++k)
          body += "\x1f" + text_of(field.subfield(k).data(), field.subfield(k).size());
      }
      again.push_back({tag_text(field.tag()), body});
    }
    BOOST_TEST_REQUIRE(record(again) == text);
    ++canonical;
  }
  BOOST_TEST(canonical > 50);
}
