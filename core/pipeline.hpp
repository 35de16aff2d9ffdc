// The pipeline: source -> scanner -> parser -> batches, in order, with bounded memory.
//
// Whoever asks for the next batch reads. With one thread the batch is made on the spot. With more of them the input is
// cut at anchors, which begin a record whatever stands before them, and the parts go into a ring that a pool makes batches
// of; where no anchor is found the next pieces are taken on the spot, into the same ring. The first batch always is: small
// inputs need no threads. Batches share the arena that their bytes were read into.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "batch_stream.hpp"
#include "error.hpp"
#include "framer.hpp"
#include "recycler.hpp"
#include "ring.hpp"
#include "scanner.hpp"
#include "source.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <sys/types.h>

namespace marc {

struct PipelineOptions {
  FramerOptions pieces;  // its chunk: bytes asked from the source at once
  unsigned threads = 1;  // the caller and the pool, if there is none yet
  std::size_t ahead = 0; // parts in the ring; 0: all on the spot
};

class Pipeline final : public BatchStream {
public:
  Pipeline(std::unique_ptr<Source> source, const PipelineOptions &options);
  ~Pipeline() override;

  std::unique_ptr<Batch> next(Failure &outcome) override;
  std::uint64_t offset() const override { return offset_; }
  std::uint64_t index() const override { return index_; }
  std::span<const std::uint8_t> rest() const override;

private:
  // For the last anchor before a range, kept while it is interrupted: what stands before `behind`, and how much of it has
  // been read.
  struct Search {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::uint64_t behind = 0;
    std::size_t size = 0;
  };

  std::unique_ptr<Batch> next_on_the_spot(Failure &outcome);
  std::unique_ptr<Batch> next_of_ring(Failure &outcome);
  void start_ring() noexcept;
  void pump();
  bool post_part();
  std::unique_ptr<Batch> make(Failure &outcome);
  void deliver(Batch &batch);
  Failure go_to_range();
  Failure find_anchor(std::uint64_t begin, std::uint64_t &anchor);
  Failure read_part(std::uint64_t first, std::size_t wanted);
  ReadResult read(std::uint8_t *buffer, std::size_t capacity);
  Failure refill();
  void make_room(std::size_t wanted);
  std::size_t usual_arena() const;
  bool may_use_threads() const;

  std::unique_ptr<Source> source_;
  PipelineOptions options_;
  std::shared_ptr<Recycler> recycler_;
  Framer framer_;
  std::unique_ptr<Ring> ring_; // from the second batch on, with threads
  pid_t process_ = 0;          // that made it

  Arena *arena_ = nullptr;       // that the window lies in; NULL for a source in memory
  std::size_t searched_ = 0;     // bytes of the window that were searched for anchors
  std::uint64_t offset_ = 0;     // behind what was handed out
  std::uint64_t index_ = 0;      // of the first piece of the next batch
  Failure failure_;              // of the source, while complete pieces are to be handed out before it
  Ring::Clock::time_point left_; // when next() was left
  bool placed_ = false;          // the source stands where the range begins
  Search search_;                // for that place
  bool pumped_out_ = false;      // the ring has the end or a failure in it
  bool ended_ = false;           // everything was handed out, or reading failed
};

} // namespace marc
