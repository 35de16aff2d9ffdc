// SPDX-License-Identifier: MIT
#include "writer/record_writer.hpp"

#include "writer/json.hpp"
#include "writer/leader_bytes.hpp"
#include "writer/marcxml.hpp"
#include "writer/mrk.hpp"

#include <string_view>

namespace marc {
namespace {

constexpr std::string_view kXmlHead = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                      "<collection xmlns=\"http://www.loc.gov/MARC21/slim\">\n";

} // namespace

RecordWriter::RecordWriter(std::unique_ptr<Sink> sink, const RecordWriterOptions &options)
    : sink_(std::move(sink)), options_(options), iso2709_(options.iso2709, options.encoding, options.unmappable) {}

// Appends a record, with what stands between it and the one before. Nothing stays of one that fails, also where memory does.
template <typename Add> Failure RecordWriter::add(Add add_one) {
  if (broken_) return broken_;
  if (closed_) return {MARC_E_ARGUMENT, 0, "the writer was closed"};
  const std::size_t before = out_.size();
  Failure failure;
  try {
    begin_record();
    failure = add_one();
  } catch (...) {
    out_.shrink(before);
    throw;
  }
  if (failure) {
    out_.shrink(before);
    return failure;
  }
  ++records_;
  return flush_above(options_.buffer);
}

Failure RecordWriter::write(const Batch &batch, std::size_t record) {
  return add([&] { return append_record(batch, record); });
}

Failure RecordWriter::write_raw(Bytes bytes) {
  if (options_.format != Format::Iso2709) return {MARC_E_ARGUMENT, 0, "the format of the writer is not ISO 2709"};
  return add([&] {
    append(out_, bytes.data(), bytes.size());
    return Failure{};
  });
}

Failure RecordWriter::append_record(const Batch &batch, std::size_t number) {
  const RecordView record = text_view(batch, number);
  if (options_.format == Format::Iso2709) return iso2709_.write(out_, record);
  LeaderBytes leader = leader_of(RecordView(batch, number));
  if (!options_.keep_coding) leader[9] = 'a';
  switch (options_.format) {
  case Format::Marcxml:
    return append_marcxml(leader, record);
  case Format::Mrk:
    write_mrk(out_, leader, record, MrkStyle::Mnemonics);
    break;
  default:
    write_json(out_, leader, record, JsonStyle::Compact);
    break;
  }
  if (options_.format == Format::Ndjson) out_.push('\n');
  return {};
}

Failure RecordWriter::append_marcxml(const LeaderBytes &leader, const RecordView &record) {
  const std::uint64_t replaced = write_marcxml(out_, leader, record, XmlStyle::Utf8);
  if (replaced > 0 && options_.refuse_characters)
    return {MARC_E_UNWRITABLE, static_cast<std::int64_t>(replaced), "the record holds characters that XML cannot hold"};
  out_.push('\n');
  replaced_ += replaced;
  return {};
}

// What stands before a record: the beginning of the document, or what separates it from the one before.
void RecordWriter::begin_record() {
  const bool first = records_ == 0;
  if (options_.format == Format::Mrk && !first) out_.push('\n');
  if (options_.format == Format::Json && !first) append(out_, ",\n");
  if (!options_.envelope || !first) return;
  if (options_.format == Format::Json) append(out_, "[\n");
  if (options_.format == Format::Marcxml) append(out_, kXmlHead);
}

void RecordWriter::end_document() {
  if (!options_.envelope) return;
  if (options_.format == Format::Marcxml) {
    if (records_ == 0) append(out_, kXmlHead);
    append(out_, "</collection>\n");
  }
  if (options_.format == Format::Json) append(out_, records_ == 0 ? "[]\n" : "\n]\n");
}

Failure RecordWriter::flush_above(std::size_t size) {
  if (sink_ == nullptr || out_.size() <= size) return {};
  broken_ = sink_->write({out_.data(), out_.size()});
  if (!broken_) flushed_ += out_.size();
  out_.clear();
  return broken_;
}

Failure RecordWriter::flush() {
  if (broken_ || closed_) return broken_;
  return flush_above(0);
}

Failure RecordWriter::close() {
  if (closed_) return broken_;
  if (!broken_) {
    const std::size_t before = out_.size();
    try {
      end_document();
    } catch (...) {
      out_.shrink(before);
      throw;
    }
    flush_above(0);
  }
  closed_ = true;
  if (sink_ != nullptr) {
    Failure failure = sink_->close();
    if (!broken_) broken_ = std::move(failure);
  }
  return broken_;
}

} // namespace marc
