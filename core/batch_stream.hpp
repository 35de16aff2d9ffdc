// What a reader is inside: batches, one behind another, whatever the format of the source.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "error.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

namespace marc {

// What a stream has done so far. Written by the thread that is inside next(), read by any.
struct StreamCounters {
  std::atomic<std::uint64_t> bytes_read{0};
  std::atomic<std::uint64_t> source_reads{0};
  std::atomic<std::uint64_t> pieces{0};
  std::atomic<std::uint64_t> silent_bytes{0};
  std::atomic<std::uint64_t> threads{1};      // that parse
  std::atomic<std::uint64_t> chunks_ahead{0}; // most parts that were read and not handed out
  std::atomic<std::uint64_t> bytes_held{0};   // most bytes of the source in memory, batches in use included
  // Nanoseconds
  std::atomic<std::uint64_t> wait_source{0};   // inside reads of the source
  std::atomic<std::uint64_t> wait_workers{0};  // that the caller waited for a batch
  std::atomic<std::uint64_t> wait_consumer{0}; // that the next batch waited for the caller
};

class BatchStream {
public:
  BatchStream() = default;
  virtual ~BatchStream() = default;
  BatchStream(const BatchStream &) = delete;
  BatchStream &operator=(const BatchStream &) = delete;

  // The next batch: at least one piece, all that is complete. NULL at the end (MARC_END) or with a failure. May throw
  // std::bad_alloc, after which the stream has ended.
  virtual std::unique_ptr<Batch> next(Failure &outcome) = 0;

  // Absolute offset at which reading stands: of the first byte that was not handed out, or of the failure.
  virtual std::uint64_t offset() const = 0;
  // Index of the next piece.
  virtual std::uint64_t index() const = 0;
  // After a failure of the source: the bytes that were read and not handed out, the beginning of the piece that it cut.
  virtual std::span<const std::uint8_t> rest() const { return {}; }

  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  const StreamCounters &counters() const { return counters_; }

protected:
  bool is_cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  StreamCounters counters_;

private:
  std::atomic<bool> cancelled_{false};
};

} // namespace marc
