// Writes records of batches, in any format, one behind another: what stands before, between and behind them, the buffer, and
// what becomes of failures.
// SPDX-License-Identifier: MIT
#pragma once

#include "error.hpp"
#include "record_view.hpp"
#include "sink.hpp"
#include "writer/iso2709.hpp"
#include "writer/output.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace marc {

enum class Format : std::uint32_t {
  Iso2709 = MARC_FORMAT_ISO2709,
  Marcxml = MARC_FORMAT_MARCXML,
  Json = MARC_FORMAT_JSON,
  Ndjson = MARC_FORMAT_NDJSON,
  Mrk = MARC_FORMAT_MRK,
};

struct RecordWriterOptions {
  Format format = Format::Iso2709;
  Iso2709Options iso2709;
  Iso2709Encoding encoding = Iso2709Encoding::Utf8; // of ISO 2709
  Unmappable unmappable = Unmappable::Error;
  bool refuse_characters = false; // that XML cannot hold
  bool envelope = true;           // what stands before, between and behind records that are one document
  bool keep_coding = false;       // leader/09 as it stood, in other formats than ISO 2709; else 'a'
  std::size_t buffer = std::size_t{256} << 10;
};

class RecordWriter {
public:
  // `sink`: NULL keeps everything, for bytes().
  RecordWriter(std::unique_ptr<Sink> sink, const RecordWriterOptions &options);

  // Writes a record that was delivered. A failure of the record (MARC_E_TOO_LARGE, MARC_E_UNWRITABLE) writes nothing of it,
  // and the next one can be written. One of the sink is for good: every later call answers it.
  Failure write(const Batch &batch, std::size_t record);
  // Writes the bytes of a piece as they stand. ISO 2709 only.
  Failure write_raw(Bytes bytes);
  // Gives the sink what is in the buffer.
  Failure flush();
  // Writes what is left, and ends the document. Later calls answer the same; nothing can be written any more.
  Failure close();

  // Without a sink: all that was written.
  Bytes bytes() const { return sink_ == nullptr ? Bytes{out_.data(), out_.size()} : Bytes{}; }
  std::uint64_t records() const { return records_; }
  std::uint64_t bytes_written() const { return flushed_ + out_.size(); }
  // Characters that the format cannot hold, and something else stands for.
  std::uint64_t replaced() const { return replaced_ + iso2709_.replaced(); }

private:
  Failure append_record(const Batch &batch, std::size_t record);
  Failure append_marcxml(const LeaderBytes &leader, const RecordView &record);
  void begin_record();
  void end_document();
  Failure flush_above(std::size_t size);
  template <typename Add> Failure add(Add add_one);

  std::unique_ptr<Sink> sink_;
  RecordWriterOptions options_;
  Iso2709Writer iso2709_;
  Output out_;
  std::uint64_t records_ = 0;
  std::uint64_t flushed_ = 0;
  std::uint64_t replaced_ = 0;
  bool closed_ = false;
  Failure broken_; // of the sink
};

} // namespace marc
