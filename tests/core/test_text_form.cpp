// The text batch: records whose text is not UTF-8 as it stands, in UTF-8.
// SPDX-License-Identifier: MIT
#include "text_form.hpp"

#include "batches.hpp"
#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace std::string_literals;
using namespace test;
using marc::Reading;
using marc::TextMode;

namespace {

const Form kMarc8{.head = "nam  22"};

// Records that were read, and their text forms.
class Read {
public:
  explicit Read(const std::vector<std::string> &pieces, Reading reading = Reading::Pymarc,
                TextMode mode = TextMode::ByLeader)
      : open_(joined(pieces)) {
    for (std::size_t at = 0; at < batch().length;) at += open_.add_piece(at, true, reading, mode);
    open_.batch.finish();
    BOOST_TEST_REQUIRE(batch().size() == pieces.size());
  }

  const marc::Batch &batch() const { return open_.batch; }
  marc::RecordView own(std::size_t i = 0) const { return {batch(), i}; }
  marc::RecordView text(std::size_t i = 0) const { return marc::text_view(batch(), i); }
  // Numbers in the text batch; "-" for none.
  std::string numbers() const {
    std::string words;
    for (std::size_t i = 0; i < batch().record_text.size(); ++i)
      words += batch().record_text[i] == marc::Batch::kNoText ? "-" : std::to_string(batch().record_text[i]);
    return words;
  }
  std::string flags(std::size_t i = 0) const { return flags_text(batch().record_flags[i]); }
  std::string notes(std::size_t i = 0) const { return notes_of(batch(), i); }
  // The subfields of the only data field, or the bytes of the only control field.
  std::string value() const {
    const marc::FieldView field = text().field(0);
    std::string words = field.is_control() ? string_of(field.bytes()) : "";
    for (std::size_t i = 0; i < field.subfield_count(); ++i) words += string_of(field.subfield(i));
    return words;
  }
  static std::string string_of(marc::Bytes bytes) { return text_of(bytes.data(), bytes.size()); }

private:
  static std::string joined(const std::vector<std::string> &pieces) {
    std::string all;
    for (const std::string &piece : pieces) all += piece;
    return all;
  }
  OpenBatch open_;
};

std::string one(const std::string &body, const Form &form = kMarc8, const std::string &tag = "245") {
  return record({{tag, marc_of(body)}}, form);
}

Read best(const std::string &piece, TextMode mode = TextMode::ByLeader) { return Read({piece}, Reading::Best, mode); }

// The same fields, by tag and number of subfields that are not empty; and the bytes of the text form, read anew, are a
// sound record of just these fields that needs no further form.
void check_form(const Read &read, std::size_t i = 0) {
  const marc::RecordView own = read.own(i);
  const marc::RecordView text = read.text(i);
  BOOST_TEST_REQUIRE(&text.batch() == read.batch().text.get());
  BOOST_TEST((own.flags() & MARC_REC_CONVERTED) == MARC_REC_CONVERTED);
  BOOST_TEST_REQUIRE(text.field_count() == own.field_count());
  for (std::size_t n = 0; n < own.field_count(); ++n) {
    BOOST_TEST(text.field(n).tag() == own.field(n).tag());
    BOOST_TEST(text.field(n).subfield_count() == own.field(n).subfield_count());
  }
  const Read again({Read::string_of(text.bytes())});
  BOOST_TEST(again.flags() == "sound splits plain canonical utf8 nonascii");
  if ((own.flags() & MARC_REC_REPAIRED) == 0) BOOST_TEST(flags_text(text.flags()) == again.flags());
  BOOST_TEST(again.notes() == "");
  BOOST_TEST(again.numbers() == "");
  BOOST_TEST(fields_of(again.batch(), 0) == fields_of(text.batch(), text.number()), boost::test_tools::per_element());
}

} // namespace

BOOST_AUTO_TEST_CASE(a_record_in_marc8) {
  const std::vector<Field> fields = {{"001", "id"},
                                     {"100", marc_of("1 $aDvo\xe9r\xe2"
                                                     "ak$4cmp")},
                                     {"245", marc_of("10$aRusalka$bx")},
                                     {"008", ""}};
  const std::vector<Field> in_utf8 = {
      {"001", "id"}, {"100", marc_of("1 $aDvo\u0159\u00e1k$4cmp")}, {"245", marc_of("10$aRusalka$bx")}, {"008", ""}};
  const Read read({record(fields, kMarc8)});
  BOOST_TEST(read.flags() == "sound splits plain nonascii converted");
  BOOST_TEST(read.notes() == "");
  BOOST_TEST(Read::string_of(read.own().bytes()) == record(fields, kMarc8)); // as it was
  BOOST_TEST(Read::string_of(read.text().bytes()) == record(in_utf8));       // leader/09 too
  check_form(read);
}

BOOST_AUTO_TEST_CASE(records_that_have_none) {
  const std::string marc8 = one("10$acaf\xe2"
                                "e");
  const std::string ascii = one("10$aPlain");
  const std::string utf8 = one("10$acaf\u00e9", {});
  const Read read({ascii, marc8, utf8, "99999 no record\x1d", marc8, ascii});
  BOOST_TEST(read.numbers() == "-0--1-");
  BOOST_TEST(read.batch().text->size() == 2);
  for (const std::size_t i : {1U, 4U}) check_form(read, i);
  for (const std::size_t i : {0U, 2U, 5U}) BOOST_TEST(&read.text(i).batch() == &read.batch());
  BOOST_TEST(Read({ascii, utf8}).numbers() == ""); // no record of the batch has one
  BOOST_TEST(read.flags(0) == "sound splits plain");
  BOOST_TEST(read.flags(2) == "sound splits plain canonical utf8 nonascii");
}

BOOST_AUTO_TEST_CASE(what_makes_a_form_necessary) {
  for (const std::string body : {"\xe2"
                                 "e",
                                 "\x1b(NJ\x1b(B", "a\nb", "a\tb",
                                 "a\x7f"
                                 "b",
                                 "\x80"})
    for (const std::string field : {"10$aplain$b", "10$a"}) BOOST_TEST(Read({one(field + body)}).numbers() == "0");
  BOOST_TEST(Read({one("id\xe9", kMarc8, "001")}).value() == "id\u00e9"); // control fields are Latin-1 to pymarc
  BOOST_TEST(Read({one("10$aR&#x2014;")}).numbers() == "");
  BOOST_TEST(best(one("10$aR&#x2014;")).value() == "aR\u2014"); // references are text to the best reading only
  BOOST_TEST(best(one("10$aR&#y2014; & &amp;")).numbers() == "");
}

BOOST_AUTO_TEST_CASE(subfields_and_indicators) {
  const Read read({one("10$$acaf\xe2"
                       "e$$b$c\x1b(NJ$d\x1b(NJ\x1b(Bx")}); // empty ones are no subfields
  BOOST_TEST(read.value() == "acaf\u00e9"
                             "bc\u0439d\u0439x"); // each begins with the default sets
  check_form(read);
  BOOST_TEST(Read::string_of(Read({one("1$acaf\xe2"
                                       "e")})
                                 .text()
                                 .field(0)
                                 .bytes()) == marc_of("1 $acaf\u00e9"));
  BOOST_TEST(Read::string_of(Read({one("123$acaf\xe2"
                                       "e")})
                                 .text()
                                 .field(0)
                                 .bytes()) == marc_of("12$acaf\u00e9"));
}

BOOST_AUTO_TEST_CASE(fields_in_another_order) {
  std::string piece = record({{"001", "id"},
                              {"245", marc_of("10$acaf\xe2"
                                              "e")}},
                             kMarc8);
  std::swap_ranges(piece.begin() + 24, piece.begin() + 36, piece.begin() + 36); // their entries
  const Read read({piece});
  BOOST_TEST(Read::string_of(read.text().bytes()) ==
             record({{"245", marc_of("10$acaf\u00e9")}, {"001", "id"}})); // laid out in the order of the directory
}

BOOST_AUTO_TEST_CASE(notes_on_the_text) {
  const Read read({one("10$aa\xa0"
                       "b$cx\xe2")});
  const std::size_t a = read.own().bytes().size() - 9;
  BOOST_TEST(read.value() == "aa bcx");
  BOOST_TEST(read.notes() ==
             "UNMAPPED " + std::to_string(a + 1) + "+1 in 245; ORPHAN_MARK " + std::to_string(a + 6) + "+1 in 245");
  BOOST_TEST(read.flags() == "sound splits plain nonascii noted converted");
  const std::string word = "poh\xe2"
                           "adk\xe2"
                           "ach"; // so many that it is not taken for Latin-1
  BOOST_TEST(best(one("10$a" + word + word + "\xa0$bx\xe2")).value() ==
             "apoh\u00e1dk\u00e1chpoh\u00e1dk\u00e1ch\ufffdbx \u0301");
}

BOOST_AUTO_TEST_CASE(notes_have_a_limit_in_each_field) {
  const std::string many = repeated(marc_of("$a") + std::string(300, '\xa0'), 5);
  const Read read({record({{"500", "  " + many}, {"501", "  " + many}}, kMarc8)});
  std::size_t first = 0;
  for (const marc_note &note : read.batch().notes) first += tag_text(note.tag) == "500" ? 1 : 0;
  BOOST_TEST(first == marc::kMostNotes);
  BOOST_TEST(read.batch().notes.size() == 2 * marc::kMostNotes);
}

// pymarc gives up; and the batch is as if the record had not been looked into.
BOOST_AUTO_TEST_CASE(text_that_is_cut) {
  const std::string cut = one("10$aone$bcut\x1b");
  const std::string sound = one("10$acaf\xe2"
                                "e");
  const Read read({sound, cut, sound});
  BOOST_TEST(read.batch().record_status[1] == MARC_BAD_ESCAPE);
  BOOST_TEST(read.notes(1).starts_with("BAD_ESCAPE "));
  BOOST_TEST(read.own(1).field_count() == 0);
  BOOST_TEST(read.numbers() == "0-1");
  check_form(read, 0);
  check_form(read, 2);
  BOOST_TEST(best(cut).value() == "aonebcut\ufffd");
}

BOOST_AUTO_TEST_CASE(text_modes) {
  const std::string utf8 = one("10$acaf\u00e9");
  const std::string marc8 = one("10$acaf\xe2"
                                "e");
  BOOST_TEST(Read({utf8}).value() == "acaf\u00a9\u266d"); // leader/09 says MARC-8
  BOOST_TEST(Read({utf8}).notes() == "UTF8 0+0");
  for (const Reading reading : {Reading::Pymarc, Reading::Best}) {
    BOOST_TEST(Read({utf8}, reading, TextMode::Utf8).value() == "acaf\u00e9");
    BOOST_TEST(Read({utf8}, reading, TextMode::Utf8).notes() == "");
    const Read raw({marc8, utf8, one("10$a\x1b"), one("10$a\xff", {})}, reading, TextMode::Raw);
    BOOST_TEST(raw.numbers() == "");
    BOOST_TEST(raw.batch().rejected == 0);
    BOOST_TEST(raw.batch().notes.size() == 0);
  }
  BOOST_TEST(Read({marc8}, Reading::Pymarc, TextMode::Utf8).batch().record_status[0] == MARC_BAD_TEXT);
  BOOST_TEST(best(marc8, TextMode::Utf8).value() == "acaf\ufffd"
                                                    "e");
}

BOOST_AUTO_TEST_CASE(the_best_reading_finds_the_encoding) {
  const auto found = [](const std::string &body, const Form &form) {
    const Read read = best(one("10$a" + body, form));
    const std::string notes = read.notes();
    return read.value().substr(1) + " " + notes.substr(0, notes.find(' '));
  };
  const std::string marc8 = "caf\xe2"
                            "e Dvo\xe9r\xe2"
                            "ak";
  const std::string latin1 = "caf\xe9 M\xfcller";
  BOOST_TEST(found("caf\u00e9", {}) == "caf\u00e9 ");
  BOOST_TEST(found("caf\u00e9", kMarc8) == "caf\u00e9 UTF8");
  BOOST_TEST(found(marc8, kMarc8) == "caf\u00e9 Dvo\u0159\u00e1k ");
  BOOST_TEST(found(marc8, {}) == "caf\u00e9 Dvo\u0159\u00e1k MARC8");
  BOOST_TEST(found(latin1, kMarc8) == "caf\u00e9 M\u00fcller LATIN1");
  BOOST_TEST(found(latin1, {}) == "caf\u00e9 M\u00fcller LATIN1");
  BOOST_TEST(found("caf\u00e9 caf\u00e9 \xc3", {}) == "caf\u00e9 caf\u00e9 \ufffd TEXT");
  const Read damaged = best(record({{"500", marc_of("  $acaf\u00e9 caf\u00e9 \xc3")}, {"501", marc_of("  $ax")}}));
  check_form(damaged);
  BOOST_TEST(best(one("10$acaf\u00e9", kMarc8)).numbers() == "0"); // its bytes do not say what they are
  BOOST_TEST(best(one("10$acaf\u00e9", {})).numbers() == "");
}

// Letters that are longer in UTF-8: sizes that ISO 2709 has no digits for, written with more of them, as pymarc does.
BOOST_AUTO_TEST_CASE(forms_that_iso_2709_cannot_state) {
  const std::string longest(9990, '\xb1');
  std::string in_utf8;
  for (std::size_t i = 0; i < longest.size(); ++i) in_utf8 += "\u0142";
  for (const std::size_t count : {1U, 9U}) {
    const Read read({record(std::vector<Field>(count, {"500", marc_of("  $a") + longest}), kMarc8), one("10$acaf\xe2"
                                                                                                        "e")});
    BOOST_TEST(read.flags() == "sound splits nonascii converted"); // not plain: who splits by it looks at the form
    const marc::RecordView text = read.text();
    BOOST_TEST(flags_text(text.flags()) == "sound utf8 nonascii");
    BOOST_TEST_REQUIRE(text.field_count() == count);
    std::string directory;
    std::string data;
    for (std::size_t i = 0; i < count; ++i) {
      BOOST_TEST(Read::string_of(text.field(i).bytes()) == marc_of("  $a") + in_utf8);
      BOOST_TEST(Read::string_of(text.field(i).subfield(0)) == "a" + in_utf8);
      directory += "500" + number(in_utf8.size() + 5, 4) + number(data.size(), 5);
      data += marc_of("  $a") + in_utf8 + "\x1e";
    }
    const std::size_t base = 24 + directory.size() + 1;
    BOOST_TEST(Read::string_of(text.bytes()) == number(base + data.size() + 1, 5) + "nam a22" + number(base, 5) +
                                                    " a 4500" + directory + "\x1e" + data + "\x1d");
    check_form(read, 1); // the one behind it is not touched
  }
}
