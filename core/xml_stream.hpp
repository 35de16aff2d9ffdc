// MARCXML: source -> XML parser -> records -> batches, in order, with bounded memory.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch_stream.hpp"
#include "recycler.hpp"
#include "source.hpp"
#include "xml_parser.hpp"
#include "xml_records.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace marc {

struct XmlOptions {
  std::size_t chunk = 1 << 20;    // bytes asked from the source at once, and at most about as many in a batch
  std::size_t batch_records = 0;  // most records in a batch; 0: no limit
  std::size_t largest = 64 << 20; // a larger record is rejected
};

class XmlStream final : public BatchStream {
public:
  XmlStream(std::unique_ptr<Source> source, const XmlOptions &options);

  std::unique_ptr<Batch> next(Failure &outcome) override;
  std::uint64_t offset() const override { return offset_; }
  std::uint64_t index() const override { return index_; }

private:
  Failure advance();
  Failure read_on();
  ReadResult read(std::uint8_t *to, std::size_t capacity);
  std::unique_ptr<Batch> hand_out(std::unique_ptr<Batch> batch);

  std::unique_ptr<Source> source_;
  XmlOptions options_;
  std::shared_ptr<Recycler> recycler_;
  XmlRecords records_;
  XmlParser parser_;
  std::span<const std::uint8_t> memory_; // of a source in memory: what was not read yet
  bool in_memory_ = false;
  std::uint8_t *room_ = nullptr; // of the parser, for what is read next
  std::size_t waiting_ = 0;      // bytes in it that the parser has not read
  bool begun_ = false;           // the parser has read some
  Failure failure_;              // while the records before it are to be handed out
  bool exhausted_ = false;       // the source has ended, and the parser knows
  bool ended_ = false;           // everything was handed out, or reading failed
  std::uint64_t offset_ = 0;
  std::uint64_t index_ = 0; // of the first record of the next batch
};

} // namespace marc
