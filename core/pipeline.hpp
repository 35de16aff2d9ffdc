// The pipeline: source -> scanner -> parser -> batches, in order, with bounded memory.
//
// All work is done inline, by whoever asks for the next batch. A window slides over the input: bytes that were read
// and not yet given away in a batch. Batches share the arena that their bytes were read into.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "batch_stream.hpp"
#include "error.hpp"
#include "parser.hpp"
#include "recycler.hpp"
#include "scanner.hpp"
#include "source.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace marc {

struct PipelineOptions {
  std::size_t chunk = 1 << 20;    // bytes asked from the source at once, and about as many in a batch
  std::size_t batch_records = 0;  // most pieces in a batch; 0: no limit
  std::size_t largest = 64 << 20; // a damaged piece above it is rejected in parts
  Reading reading = Reading::Pymarc;
  TextMode text = TextMode::ByLeader;
};

class Pipeline final : public BatchStream {
public:
  Pipeline(std::unique_ptr<Source> source, const PipelineOptions &options);
  ~Pipeline() override;

  std::unique_ptr<Batch> next(Failure &outcome) override;
  std::uint64_t offset() const override { return window_offset_; }
  std::uint64_t index() const override { return index_; }
  std::span<const std::uint8_t> rest() const override { return {window_, ended_ ? size_ : 0}; }

private:
  void scan(Batch &batch);
  void pass_silent(Batch &batch);
  void pass_last_silent(Batch &batch);
  void slide(const Batch &batch);
  bool add_piece(Batch &batch, const Piece &piece);
  void close_with(Batch &batch, const Piece &piece, std::int32_t code);
  bool add_chunk(Batch &batch, std::size_t start, const Piece &piece);
  bool is_full(const Batch &batch) const;
  std::unique_ptr<Batch> hand_out(std::unique_ptr<Batch> batch);
  Failure refill();
  void make_room(std::size_t wanted);
  Arena *new_arena(std::size_t size);
  std::size_t usual_arena() const;

  std::unique_ptr<Source> source_;
  PipelineOptions options_;
  Scanner scanner_;
  std::shared_ptr<Recycler> recycler_;

  Arena *arena_ = nullptr;               // that the window lies in; NULL for a source in memory
  const std::uint8_t *window_ = nullptr; // bytes not handed out yet
  std::size_t size_ = 0;                 // of the window
  std::size_t scanned_ = 0;              // bytes of the window that the batch in the making has taken
  std::size_t needed_ = 1;               // bytes behind them that the scanner needs to go on
  std::size_t held_chunk_ = 0;           // length of a chunk whose verdict waits for the byte behind it
  std::uint64_t window_offset_ = 0;      // of the window in the source
  std::uint64_t index_ = 0;              // of the first piece of the next batch
  Failure failure_;                      // of the source, while complete pieces are to be handed out before it
  bool closed_ = false;                  // the batch in the making takes no further piece
  bool exhausted_ = false;               // the source has ended
  bool ended_ = false;                   // everything was handed out, or reading failed
};

} // namespace marc
