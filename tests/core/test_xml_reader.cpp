// MARCXML: the records that its elements are, in whatever sizes its bytes come, and what no document may do to a reader.
// SPDX-License-Identifier: MIT
#include "batches.hpp"
#include "reading.hpp"
#include "xml_reading.hpp"
#include "xml_stream.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using namespace test;

namespace {

const std::string kLeader = "00000nam a2200000 i 4500";

// A record in XML: its leader, and what stands behind it.
std::string element(const std::string &inside) {
  return "<record><leader>" + kLeader + "</leader>" + inside + "</record>";
}
std::string title(const std::string &text) {
  return "<datafield tag='245' ind1='1' ind2='0'><subfield code='a'>" + text + "</subfield></datafield>";
}
std::string collection(const std::string &inside) {
  return "<collection xmlns='http://www.loc.gov/MARC21/slim'>" + inside + "</collection>";
}

// The bytes of the one record of a document.
std::string bytes_of_one(const std::string &document) {
  marc::XmlStream stream(marc::open_memory({bytes_of(document), document.size()}), {});
  marc::Failure failure;
  const Handed batch(stream.next(failure).release());
  BOOST_TEST_REQUIRE((batch != nullptr && batch->size() == 1));
  return text_of(batch->data + batch->record_start[0], batch->record_length[0]);
}

std::uint32_t flags_of_one(const std::string &document) {
  marc::XmlStream stream(marc::open_memory({bytes_of(document), document.size()}), {});
  marc::Failure failure;
  const Handed batch(stream.next(failure).release());
  BOOST_TEST_REQUIRE((batch != nullptr && batch->size() == 1));
  return batch->record_flags[0];
}

bool says(const Read &read, const std::string &word) { return read.failure.message.find(word) != std::string::npos; }

} // namespace

BOOST_AUTO_TEST_CASE(a_record_comes_in_iso_2709) {
  const std::string document =
      collection(element("<controlfield tag='001'>id7</controlfield>" + title("B&amp;C \xc3\xa9")));
  BOOST_TEST(bytes_of_one(document) ==
             marc_of("00065nam a2200049 i 4500001000400000245001100004^id7^10$aB&C \xc3\xa9^%"));
  const std::uint32_t all = MARC_REC_SOUND | MARC_REC_SPLITS | MARC_REC_PLAIN | MARC_REC_CANONICAL | MARC_REC_UTF8 |
                            MARC_REC_NONASCII | MARC_REC_LEADER;
  BOOST_TEST(flags_of_one(document) == all);
}

BOOST_AUTO_TEST_CASE(the_parser_reads_its_bytes_the_same) {
  const std::string document =
      collection(element("<controlfield tag='001'>id7</controlfield>" + title("one") + title("")));
  const std::string bytes = bytes_of_one(document);
  marc::Pipeline pipeline(marc::open_memory({bytes_of(bytes), bytes.size()}), {});
  marc::Failure failure;
  const Handed read(pipeline.next(failure).release());
  BOOST_TEST_REQUIRE((read != nullptr && read->size() == 1));
  BOOST_TEST((read->record_flags[0] | MARC_REC_LEADER) == flags_of_one(document));
}

BOOST_AUTO_TEST_CASE(every_split_gives_the_same_records) {
  const std::string documents[] = {
      "<?xml version='1.0' encoding='UTF-8'?>\n" +
          collection(element(title("one")) + "<!-- no -->\n" +
                     element("<controlfield tag='001'> x\n<![CDATA[<&>]]>&#233;</controlfield>") +
                     "<other><record/></other><?pi here?>" + element(title("l\xc3\xb6st"))),
      collection(element(title("one")) + element(title("two")) + "<broken></collection>"),
      "\xef\xbb\xbf" + element(title("alone")) + "\n",
      collection(element(title("one")) + "<record><leader>cut"),
  };
  for (const std::string &document : documents) {
    const Read whole = read_xml(document);
    BOOST_TEST(whole.records.size() >= 1U);
    for (std::size_t size = 1; size < document.size(); ++size) {
      const Read parts = read_in(document, size);
      BOOST_TEST_REQUIRE(line_difference(whole.records, parts.records) == "", size);
      BOOST_TEST_REQUIRE(whole.failure.message == parts.failure.message, size);
      const Read few = read_in(document, size, {.chunk = 64, .batch_records = 1});
      BOOST_TEST_REQUIRE(line_difference(whole.records, few.records) == "", size);
      BOOST_TEST_REQUIRE(whole.failure.message == few.failure.message, size);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_record_is_given_before_more_is_asked_for) {
  const std::string first = "<collection>" + element(title("one"));
  Log log;
  auto source = scripted(first + element(title("two")) + "</collection>", at_once(), log);
  source->fail_at(first.size(), {MARC_E_INTERRUPTED, 0, {}});
  marc::XmlStream stream(std::move(source), {});
  marc::Failure failure;
  Handed batch(stream.next(failure).release());
  BOOST_TEST((batch != nullptr && batch->size() == 1));
  BOOST_TEST(log.reads == 1U);
  BOOST_TEST(stream.next(failure) == nullptr);
  BOOST_TEST(failure.code == MARC_E_INTERRUPTED);
  const Read rest = read_all(stream);
  BOOST_TEST(rest.records.size() == 1U);
  BOOST_TEST(rest.failure.code == MARC_END);
  BOOST_TEST(log.reads_after_end == 0U);
}

BOOST_AUTO_TEST_CASE(a_failure_of_the_source_comes_behind_the_records_before_it) {
  const std::string document = collection(element(title("one")) + element(title("two")));
  for (std::size_t at = 0; at <= document.size(); ++at) {
    Log log;
    auto source = scripted(document, at_once(), log);
    source->fail_at(at, {MARC_E_IO, 5, "no"});
    marc::XmlStream stream(std::move(source), {});
    const Read read = read_all(stream);
    const std::size_t behind_one = document.find("</record>") + 9;
    const std::size_t behind_two = document.rfind("</record>") + 9;
    BOOST_TEST_REQUIRE(read.records.size() == (at >= behind_two ? 2U : at >= behind_one ? 1U : 0U), at);
    BOOST_TEST_REQUIRE(read.failure.code == MARC_E_IO, at);
    marc::Failure after;
    BOOST_TEST(stream.next(after) == nullptr);
    BOOST_TEST(after.code == MARC_END);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_xml_says_where) {
  const Read read = read_xml("<collection>\n" + element(title("one")) + "\n <a></b></collection>");
  BOOST_TEST(read.records.size() == 1U);
  BOOST_TEST(read.failure.code == MARC_E_FORMAT);
  BOOST_TEST(read.failure.line == 3);
  BOOST_TEST(read.failure.column == 7);
  BOOST_TEST(says(read, "mismatched tag"));
  BOOST_TEST(says(read, "line 3, column 7"));
}

BOOST_AUTO_TEST_CASE(a_cut_document_is_a_failure_behind_its_records) {
  const std::string document = collection(element(title("one")) + element(title("two")));
  for (std::size_t size = 0; size < document.size(); ++size) {
    const Read read = read_xml(document.substr(0, size));
    BOOST_TEST_REQUIRE(read.failure.code == MARC_E_FORMAT, size);
    const std::size_t behind_one = document.find("</record>") + 9;
    const std::size_t behind_two = document.rfind("</record>") + 9;
    BOOST_TEST_REQUIRE(read.records.size() == (size >= behind_two ? 2U : size >= behind_one ? 1U : 0U), size);
  }
}

BOOST_AUTO_TEST_CASE(entities_are_refused) {
  const std::string record = collection(element(title("&a;")));
  const std::string laughs =
      "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>" + collection(element(title("&b;")));
  for (const std::string &document : {laughs, "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + record,
                                      "<!DOCTYPE x [<!ENTITY % p SYSTEM 'http://localhost/x'> %p;]>" + record}) {
    const Read read = read_xml(document);
    BOOST_TEST(read.records.empty());
    BOOST_TEST(read.failure.code == MARC_E_FORMAT);
    BOOST_TEST(says(read, "declares entities"), read.failure.message);
  }
  BOOST_TEST(says(read_xml(record), "undefined entity"));
  const Read external = read_xml("<!DOCTYPE x SYSTEM 'x.dtd'>" + record);
  BOOST_TEST(says(external, "refers to an entity"), external.failure.message);
  // A document type alone is nothing to refuse; it is not fetched.
  const Read fine = read_xml("<!DOCTYPE collection SYSTEM 'http://localhost/x.dtd'>" + collection(element(title("x"))));
  BOOST_TEST(fine.records.size() == 1U);
  BOOST_TEST(fine.failure.code == MARC_END);
}

BOOST_AUTO_TEST_CASE(depth_is_bounded) {
  const Read read = read_xml(collection(element(title("one")) + repeated("<a>", 5000)));
  BOOST_TEST(read.records.size() == 1U);
  BOOST_TEST(says(read, "1000 deep"));
  const Read fine = read_xml(repeated("<a>", 900) + element(title("one")) + repeated("</a>", 900));
  BOOST_TEST(fine.records.size() == 1U);
  BOOST_TEST(fine.failure.code == MARC_END);
}

BOOST_AUTO_TEST_CASE(what_the_parser_keeps_is_bounded) {
  const marc::XmlOptions options{.chunk = 1000, .largest = 5000};
  for (const std::string &token : {"<!--" + std::string(20'000'000, 'x'), "<a b='" + std::string(20'000'000, 'x')}) {
    const Read read = read_xml("<x>" + element(title("one")) + token, options);
    BOOST_TEST(read.records.size() == 1U);
    BOOST_TEST(read.failure.code == MARC_E_FORMAT);
    BOOST_TEST(says(read, "a tag without an end"), read.failure.message);
  }
  std::string names = "<x>" + element(title("one"));
  for (int i = 0; i < 200'000; ++i) names += "<n" + std::to_string(i) + "/>";
  BOOST_TEST(says(read_xml(names, options), "names without number"));
}

BOOST_AUTO_TEST_CASE(a_record_that_is_too_large_costs_no_other) {
  const marc::XmlOptions options{.chunk = 1000, .largest = 5000};
  const std::string fields = repeated(title(""), 500);
  for (const std::string &large : {element(title(std::string(10'000, 'x'))), element(fields),
                                   "<record><leader>" + std::string(10'000, 'x') + "</leader></record>"}) {
    const Read read = read_xml(collection(element(title("one")) + large + element(title("two"))), options);
    BOOST_TEST_REQUIRE(read.records.size() == 3U);
    BOOST_TEST(read.failure.code == MARC_END);
    BOOST_TEST(read.records[1].find("MARC_BAD_OVERSIZE") != std::string::npos, read.records[1]);
    BOOST_TEST(read.records[2].find("two") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(what_iso_2709_cannot_state_is_read_whole) {
  const std::string document =
      collection(element(title(std::string(12'000, 'x')) + repeated(title(std::string(9'000, 'y')), 12)));
  marc::XmlStream stream(marc::open_memory({bytes_of(document), document.size()}), {});
  marc::Failure failure;
  const Handed batch(stream.next(failure).release());
  BOOST_TEST_REQUIRE((batch != nullptr && batch->size() == 1));
  BOOST_TEST(batch->field_first[1] == 13U);
  BOOST_TEST(batch->field_length[0] == 12'004U);
  BOOST_TEST(batch->field_length[12] == 9'004U);
  BOOST_TEST((batch->record_flags[0] & (MARC_REC_SOUND | MARC_REC_SPLITS | MARC_REC_PLAIN)) == 0U);
  BOOST_TEST(text_of(batch->data, 24) == "99999nam a2200181 i 4500");
}

BOOST_AUTO_TEST_CASE(encodings) {
  const auto in = [](const std::string &name, const std::string &text) {
    return read_xml("<?xml version='1.0' encoding='" + name + "'?>" + collection(element(title(text))));
  };
  const auto utf16 = [](const std::string &text, bool little) {
    std::string wide = little ? "\xff\xfe" : "\xfe\xff";
    for (const char letter : text) wide += little ? std::string{letter, '\0'} : std::string{'\0', letter};
    return wide;
  };
  const std::string expected = "\xc3\xa9";
  BOOST_TEST(in("ISO-8859-1", "\xe9").records.at(0).find(expected) != std::string::npos);
  BOOST_TEST(in("windows-1252", "\xe9").records.at(0).find(expected) != std::string::npos);
  BOOST_TEST(in("IBM437", "\x82").records.at(0).find(expected) != std::string::npos);
  BOOST_TEST(in("koi8-r", "\xc1").records.at(0).find("\xd0\xb0") != std::string::npos);
  BOOST_TEST(in("US-ASCII", "e").records.size() == 1U);
  const std::string plain = collection(element(title("one")));
  for (const bool little : {false, true}) BOOST_TEST(read_xml(utf16(plain, little)).records.size() == 1U);
  for (const char *name : {"no-such", "UTF-7", "Shift_JIS", "GB18030", "IBM037", "ISO-2022-JP", "UTF-16", "UTF-32"}) {
    const Read read = in(name, "e");
    BOOST_TEST(read.records.empty(), name);
    BOOST_TEST(says(read, "encoding"), name << ": " << read.failure.message);
  }
  const Read wrong = in("UTF-8", "\xe9");
  BOOST_TEST(wrong.records.empty());
  BOOST_TEST(says(wrong, "invalid token"));
}

BOOST_AUTO_TEST_CASE(deviations_are_noted) {
  const auto notes = [](const std::string &inside) {
    const std::string document = "<record>" + inside + "</record>";
    marc::XmlStream stream(marc::open_memory({bytes_of(document), document.size()}), {});
    marc::Failure failure;
    const Handed batch(stream.next(failure).release());
    std::vector<std::int32_t> codes;
    for (const marc_note &note : batch->notes) codes.push_back(note.code);
    return codes;
  };
  using Codes = std::vector<std::int32_t>;
  const std::string leader = "<leader>" + kLeader + "</leader>";
  BOOST_TEST(notes(leader + title("x")) == Codes{});
  BOOST_TEST(notes(title("x")) == Codes{});
  BOOST_TEST(notes(leader) == Codes{MARC_NOTE_NO_FIELDS});
  BOOST_TEST(notes("<leader>short</leader>" + title("x")) == Codes{MARC_NOTE_LEADER_LENGTH});
  BOOST_TEST(notes("<leader>00000nam \xc3\xa9"
                   "2200000 i 4500</leader>" +
                   title("x")) == Codes{MARC_NOTE_LEADER_TEXT});
  BOOST_TEST(notes("<datafield><subfield code='a'/></datafield>") == Codes{MARC_NOTE_ATTRIBUTE});
  BOOST_TEST(notes("<datafield tag='245' ind1='10'><subfield>x</subfield></datafield>") ==
             (Codes{MARC_NOTE_ATTRIBUTE, MARC_NOTE_ATTRIBUTE}));
  BOOST_TEST(notes("<controlfield tag='FMT'>BK</controlfield>") == Codes{MARC_NOTE_FIELD_KIND});
  BOOST_TEST(notes("<datafield tag='001'><subfield code='a'>x</subfield></datafield>") == Codes{MARC_NOTE_FIELD_KIND});
  BOOST_TEST(notes("<datafield tag='245'>text</datafield>") == Codes{MARC_NOTE_MISPLACED});
  BOOST_TEST(notes("<subfield code='a'>x</subfield>" + title("x")) == Codes{MARC_NOTE_MISPLACED});
}

BOOST_AUTO_TEST_CASE(cancelled) {
  const std::string document = collection(element(title("one")));
  marc::XmlStream stream(marc::open_memory({bytes_of(document), document.size()}), {});
  stream.cancel();
  const Read read = read_all(stream);
  BOOST_TEST(read.records.empty());
  BOOST_TEST(read.failure.code == MARC_E_CANCELLED);
}
