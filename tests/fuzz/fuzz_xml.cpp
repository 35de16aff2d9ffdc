// MARCXML: the same records, and a failure or none, in whatever sizes the bytes come; what a batch says of a
// record is what its bytes say.
// SPDX-License-Identifier: MIT
#include "fuzzing.hpp"

#include "../core/xml_reading.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace {

using fuzz::Input;
using fuzz::require;

// The sizes in which the bytes come.
test::ScriptedSource::Size sizes(const Input &input) {
  switch (input.how() % 4) {
  case 0:
    return test::pieces_of(1);
  case 1:
    return test::pieces_of(input.chunk() + std::size_t{1});
  case 2:
    return [random = test::Random(input.seed())](std::size_t) mutable { return random.between(1, 40); };
  default:
    return test::at_once();
  }
}

bool is_inside(std::uint64_t begin, std::uint64_t length, std::uint64_t from, std::uint64_t to) {
  return begin >= from && begin + length <= to;
}

// Record i of a batch: its fields lie in it in order, its directory says where, as far as it can state that.
void check_record(const marc::Batch &batch, std::size_t i, std::uint64_t source_size) {
  const std::uint64_t begin = batch.record_start[i];
  const std::uint64_t end = begin + batch.record_length[i];
  require(is_inside(batch.place[i], batch.extent[i], 0, source_size), "a record outside the source");
  require(end <= batch.length, "a record outside its batch");
  if (batch.record_status[i] != MARC_OK) return;
  require(batch.data[end - 1] == 0x1D && batch.data[begin + 9] == 'a', "no record in ISO 2709 and UTF-8");
  std::uint64_t at = begin + 24 + 12 * std::uint64_t{batch.field_first[i + 1] - batch.field_first[i]} + 1;
  require(at <= end && batch.data[at - 1] == 0x1E, "a directory without an end");
  for (std::size_t field = batch.field_first[i]; field < batch.field_first[i + 1]; ++field) {
    require(batch.field_offset[field] == at, "fields that do not follow one another");
    at += batch.field_length[field] + std::uint64_t{1};
    require(at < end && batch.data[at - 1] == 0x1E, "a field without an end");
  }
  require(at + 1 == end, "bytes behind the last field");
}

// A plain record is one for the parser too, which finds the same fields and subfields in its bytes.
void check_parsed(const marc::Batch &batch, std::size_t i) {
  constexpr std::uint32_t kOwn = MARC_REC_LEADER | MARC_REC_NOTED | MARC_REC_REPAIRED; // of the source
  if ((batch.record_flags[i] & MARC_REC_PLAIN) == 0) return;
  const std::string bytes = test::text_of(batch.data + batch.record_start[i], batch.record_length[i]);
  test::OpenBatch parsed(bytes);
  require(parsed.add_piece(0) == bytes.size(), "a plain record that the scanner does not take whole");
  require(parsed.batch.record_flags[0] == (batch.record_flags[i] & ~kOwn), "other flags than the parser's");
  require(parsed.batch.field_tag.size() == batch.field_first[i + 1] - batch.field_first[i], "other fields");
  const std::size_t first = batch.field_first[i];
  for (std::size_t field = 0; field < parsed.batch.field_tag.size(); ++field) {
    require(parsed.batch.field_tag[field] == batch.field_tag[first + field], "another tag");
    const std::uint32_t subfields = batch.subfield_first[first + field + 1] - batch.subfield_first[first + field];
    require(parsed.batch.subfield_first[field + 1] - parsed.batch.subfield_first[field] == subfields,
            "other subfields");
  }
}

void check_batches(const std::string &document, const marc::XmlOptions &options) {
  marc::XmlStream stream(marc::open_memory({test::bytes_of(document), document.size()}), options);
  for (;;) {
    marc::Failure failure;
    const test::Handed batch(stream.next(failure).release());
    if (batch == nullptr) return;
    for (std::size_t i = 0; i < batch->size(); ++i) {
      check_record(*batch, i, document.size());
      check_parsed(*batch, i);
    }
  }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const Input input(data, size);
  const std::string document(input.bytes());
  const std::size_t largest = std::max<std::size_t>(input.largest(64 << 20), 64);
  const marc::XmlOptions options{64 + std::size_t{16} * input.chunk(), input.batch() % std::size_t{4}, largest};
  const test::Read whole = test::read_xml(document, {1 << 20, 0, largest});
  test::Log log;
  marc::XmlStream stream(test::scripted(document, sizes(input), log), options);
  const test::Read parts = test::read_all(stream);
  // What the parser may hold depends on the sizes; so do, in what is no XML, its words.
  const bool is_short = parts.failure.message.find("without an end") != std::string::npos;
  require(is_short || whole.records == parts.records, "other records in parts");
  require(is_short || whole.failure.code == parts.failure.code, "another end in parts");
  check_batches(document, options);
  return 0;
}
