// Sources that follow a script, and what a pipeline makes of them in words.
// SPDX-License-Identifier: MIT
#pragma once

#include "batches.hpp"
#include "make.hpp"
#include "pipeline.hpp"
#include "source.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace test {

// What a source in a script was asked for; it outlives the source.
struct Log {
  std::size_t reads = 0;
  std::size_t reads_after_end = 0;
};

// Gives `data`, as many bytes in a read as `size` says, and instead of the read number n what `failures` has for it.
class ScriptedSource final : public marc::Source {
public:
  using Size = std::function<std::size_t(std::size_t capacity)>;

  ScriptedSource(std::string data, Size size, Log &log) : data_(std::move(data)), size_(std::move(size)), log_(log) {}

  void fail_at(std::size_t offset, marc::Failure failure) { failures_.emplace_back(offset, std::move(failure)); }
  // The read number `number`, from 1, whatever its place.
  void fail_read(std::size_t number, marc::Failure failure) { failing_reads_.emplace_back(number, std::move(failure)); }
  void before_read(std::function<void()> work) { before_read_ = std::move(work); }
  // Says how long it is, as a file does.
  void tell_size() { tells_size_ = true; }

  marc::ReadResult read(std::uint8_t *buffer, std::size_t capacity) override {
    ++log_.reads;
    if (before_read_) before_read_();
    if (!failing_reads_.empty() && failing_reads_.front().first == log_.reads) {
      marc::Failure failure = failing_reads_.front().second;
      failing_reads_.erase(failing_reads_.begin());
      return {0, std::move(failure)};
    }
    if (!failures_.empty() && failures_.front().first <= at_) {
      marc::Failure failure = failures_.front().second;
      failures_.erase(failures_.begin());
      return {0, std::move(failure)};
    }
    if (at_ == data_.size()) {
      if (ended_) ++log_.reads_after_end;
      ended_ = true;
      return {};
    }
    std::size_t count = std::min({std::max<std::size_t>(size_(capacity), 1), capacity, data_.size() - at_});
    if (!failures_.empty()) count = std::min(count, failures_.front().first - at_);
    std::memcpy(buffer, data_.data() + at_, count);
    at_ += count;
    return {count, {}};
  }
  std::uint64_t size() const override { return tells_size_ ? data_.size() : 0; }
  marc::Failure position(std::uint64_t offset) override {
    at_ = std::min<std::size_t>(offset, data_.size());
    ended_ = false;
    return {};
  }

private:
  std::string data_;
  Size size_;
  Log &log_;
  std::vector<std::pair<std::size_t, marc::Failure>> failures_;
  std::vector<std::pair<std::size_t, marc::Failure>> failing_reads_;
  std::function<void()> before_read_;
  bool tells_size_ = false;
  std::size_t at_ = 0;
  bool ended_ = false;
};

inline ScriptedSource::Size at_once() {
  return [](std::size_t capacity) { return capacity; };
}
inline ScriptedSource::Size pieces_of(std::size_t size) {
  return [size](std::size_t) { return size; };
}

inline std::unique_ptr<ScriptedSource> scripted(const std::string &data, ScriptedSource::Size size, Log &log) {
  return std::make_unique<ScriptedSource>(data, std::move(size), log);
}

struct Release {
  void operator()(const marc::Batch *batch) const { marc::release(batch); }
};
using Handed = std::unique_ptr<const marc::Batch, Release>;

struct Outcome {
  Handed batch;
  marc::Failure failure;
};

inline Outcome next(marc::Pipeline &pipeline) {
  Outcome outcome;
  outcome.batch.reset(pipeline.next(outcome.failure).release());
  return outcome;
}

// Adds up what batches hold, and checks that they fit together.
class Tally {
public:
  // One line a piece: index, offset in the source, and all that the batch says of it.
  const std::vector<std::string> &pieces() const { return pieces_; }
  const std::string &broken() const { return broken_; }
  std::size_t batches() const { return batches_; }
  std::uint64_t piece_bytes() const { return piece_bytes_; }
  std::uint64_t silent_bytes() const { return silent_bytes_; }

  void add(const marc::Batch &batch) {
    ++batches_;
    expect(batch.size() > 0, "a batch without a piece");
    expect(batch.source_offset >= next_offset_, "a batch that begins before the end of the last one");
    silent_bytes_ += batch.source_offset - next_offset_; // between batches
    next_offset_ = batch.source_offset + batch.length;
    std::size_t at = 0;
    std::uint64_t silent = 0;
    std::uint32_t all = ~std::uint32_t{0};
    std::uint32_t rejected = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      expect(batch.record_start[i] >= at, "pieces that overlap");
      silent += batch.record_start[i] - at;
      at = std::size_t{batch.record_start[i]} + batch.record_length[i];
      piece_bytes_ += batch.record_length[i];
      all &= batch.record_flags[i];
      rejected += batch.record_status[i] == MARC_OK ? 0 : 1;
      const bool part = batch.record_status[i] == MARC_BAD_OVERSIZE_PART;
      expect(!part || batch.size() == 1, "a part that does not travel alone");
      if (!part) ++next_index_;
      expect(batch.first_index + i + 1 == next_index_, "indexes that do not count on");
      pieces_.push_back(std::to_string(batch.first_index + i) + " @" +
                        std::to_string(batch.source_offset + batch.record_start[i]) + " " + piece_text(batch, i));
    }
    expect(at <= batch.length, "a piece behind the end of its batch");
    silent += batch.length - at;
    silent_bytes_ += silent;
    expect(batch.silent == silent, "the number of silent bytes");
    expect(batch.all_flags == all, "the flags of all pieces");
    expect(batch.rejected == rejected, "the number of rejected pieces");
  }

private:
  void expect(bool kept, const char *promise) {
    if (!kept && broken_.empty()) broken_ = std::string(promise) + ", batch " + std::to_string(batches_);
  }

  std::vector<std::string> pieces_;
  std::string broken_;
  std::size_t batches_ = 0;
  std::uint64_t next_offset_ = 0;
  std::uint64_t next_index_ = 0;
  std::uint64_t piece_bytes_ = 0;
  std::uint64_t silent_bytes_ = 0;
};

// Reads on to the end, or to a failure that is not MARC_E_INTERRUPTED.
inline marc::Failure read_to_end(marc::Pipeline &pipeline, Tally &tally) {
  for (;;) {
    Outcome outcome = next(pipeline);
    if (outcome.batch != nullptr) tally.add(*outcome.batch);
    if (outcome.batch == nullptr && outcome.failure.code != MARC_E_INTERRUPTED) return std::move(outcome.failure);
  }
}

// In words, the first line in which two lists differ; "" if they do not.
inline std::string line_difference(const std::vector<std::string> &expected, const std::vector<std::string> &got) {
  for (std::size_t i = 0; i < std::max(expected.size(), got.size()); ++i) {
    const std::string e = i < expected.size() ? expected[i] : "nothing";
    const std::string g = i < got.size() ? got[i] : "nothing";
    if (e != g) return "expected " + e + "\n     got " + g;
  }
  return "";
}

} // namespace test
