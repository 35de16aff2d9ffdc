// SPDX-License-Identifier: MIT
#include "xml_stream.hpp"

#include "bytes.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace marc {
namespace {

// What the XML parser may hold: a token of the largest size in buffers that double, and what it begins with.
std::size_t parser_memory(const XmlOptions &options) { return 4 * (options.largest + options.chunk) + (1 << 20); }

// The parser tells the encoding by so many bytes, and guesses by fewer.
constexpr std::size_t kEncodingBytes = 4;

} // namespace

XmlStream::XmlStream(std::unique_ptr<Source> source, const XmlOptions &options)
    : source_(std::move(source)), options_(options), recycler_(std::make_shared<Recycler>(options.chunk)),
      records_(options.largest, options.chunk, options.batch_records), parser_(records_, parser_memory(options)) {
  if (const auto memory = source_->memory()) {
    memory_ = *memory;
    in_memory_ = true;
    counters_.bytes_read = memory_.size();
  }
}

std::unique_ptr<Batch> XmlStream::next(Failure &outcome) {
  outcome = {MARC_END, 0, {}};
  if (is_cancelled()) {
    outcome = {MARC_E_CANCELLED, 0, {}};
    return nullptr;
  }
  if (ended_) return nullptr;
  ended_ = true; // unless we come to the end of this in good order
  std::unique_ptr<Batch> batch = recycler_->take_batch();
  records_.fill(*batch);
  while (batch->size() == 0 && !failure_ && !(exhausted_ && !parser_.is_paused())) {
    if (is_cancelled())
      failure_ = {MARC_E_CANCELLED, 0, {}};
    else
      failure_ = advance();
  }
  if (batch->size() > 0) {
    ended_ = false;
    outcome = {};
    return hand_out(std::move(batch));
  }
  if (!failure_) return nullptr;
  outcome = std::exchange(failure_, {});
  ended_ = outcome.code != MARC_E_INTERRUPTED;
  return nullptr;
}

// Gives the parser what it can read next.
Failure XmlStream::advance() {
  Failure failure = parser_.is_paused() ? parser_.resume() : read_on();
  offset_ = parser_.offset();
  return failure;
}

Failure XmlStream::read_on() {
  Failure failure;
  if (room_ == nullptr) room_ = parser_.make_room(options_.chunk, failure);
  if (room_ == nullptr) return failure;
  ReadResult result = read(room_ + waiting_, options_.chunk - waiting_);
  if (result.failure) return std::move(result.failure);
  exhausted_ = result.bytes == 0;
  waiting_ += result.bytes;
  if (!begun_ && waiting_ < kEncodingBytes && !exhausted_) return {};
  begun_ = true;
  room_ = nullptr;
  return parser_.parse(std::exchange(waiting_, 0), exhausted_);
}

ReadResult XmlStream::read(std::uint8_t *to, std::size_t capacity) {
  if (in_memory_) {
    const std::size_t size = std::min(memory_.size(), capacity);
    if (size > 0) std::memcpy(to, memory_.data(), size);
    memory_ = memory_.subspan(size);
    return {size, {}};
  }
  ReadResult result = source_->read(to, capacity);
  ++counters_.source_reads;
  counters_.bytes_read += result.bytes;
  return result;
}

// The bytes of the records, which have grown as they came, go to an arena that the batch owns.
std::unique_ptr<Batch> XmlStream::hand_out(std::unique_ptr<Batch> batch) {
  const PodArray<std::uint8_t> &bytes = records_.bytes();
  count_steps(bytes.size());
  batch->arena = recycler_->take_arena(bytes.size());
  batch->home = recycler_;
  if (bytes.size() > 0) std::memcpy(batch->arena->bytes.get(), bytes.data(), bytes.size());
  batch->data = batch->arena->bytes.get();
  batch->length = bytes.size();
  batch->source_offset = batch->place[0];
  batch->first_index = index_;
  index_ += batch->size();
  counters_.pieces += batch->size();
  return batch;
}

} // namespace marc
