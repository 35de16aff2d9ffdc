// Takes pieces out of a window on the input into batches: the boundary rule and the parser, piece by piece.
//
// The window slides: its bytes were read and are in no batch yet. Whoever has the framer gives it more of them.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "parser.hpp"
#include "recycler.hpp"
#include "scanner.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace marc {

struct FramerOptions {
  std::size_t chunk = 512 << 10;  // about as many bytes in a batch
  std::size_t batch_records = 0;  // most pieces in a batch; 0: no limit
  std::size_t largest = 64 << 20; // a damaged piece above it is rejected in parts
  Reading reading = Reading::Pymarc;
  TextMode text = TextMode::ByLeader;
  std::uint64_t range_begin = 0; // pieces that begin in this range of the source are taken, and no others
  std::uint64_t range_end = UINT64_MAX;
};

struct Window {
  const std::uint8_t *data = nullptr;
  std::size_t size = 0;
  std::uint64_t offset = 0;      // of data[0] in the source
  Arena *arena = nullptr;        // that the bytes lie in; NULL where they are the user's
  bool ends_input = false;       // the source has no bytes behind it
  std::size_t border = SIZE_MAX; // an anchor in it that nothing is taken from, for others begin there
};

class Framer {
public:
  // Memory for the batches comes from the recycler.
  Framer(const FramerOptions &options, std::shared_ptr<Recycler> recycler)
      : options_(options), recycler_(std::move(recycler)), scanner_(options.largest) {}

  const Window &window() const { return window_; }
  // The same bytes and more, or elsewhere.
  void set_window(const Window &window) { window_ = window; }
  // A window that begins at an anchor, of which nothing is known yet.
  void begin(const Window &anchored);

  // The next pieces that are complete; NULL if there are none. `failed`: no byte will come behind the window.
  std::unique_ptr<Batch> next(bool failed = false);
  // Of a source that has failed: moves the window behind silent bytes. What is left is the piece that was cut.
  void pass_last_silent();

  // Size of window that is needed to go on.
  std::size_t needed() const { return needed_; }
  // Whether a chunk waits only to know whether a byte follows it.
  bool holds_chunk() const { return held_chunk_ != 0; }
  // Whether another reader could begin where the window begins.
  bool at_border() const { return !scanner_.in_parts(); }
  // Whether no piece has been found yet.
  bool at_beginning() const { return scanner_.at_beginning(); }
  // Whether the window begins behind the range.
  bool is_behind_range() const { return window_.offset >= options_.range_end; }
  // Whether a piece at the beginning of the window is one of the range.
  bool is_in_range() const { return window_.offset >= options_.range_begin && !is_behind_range(); }
  // Bytes that were passed over between batches since this was last asked.
  std::uint64_t take_passed_silent();

private:
  void scan(Batch &batch, bool failed);
  bool pass_foregoing();
  bool is_full(const Batch &batch) const;
  bool add_piece(Batch &batch, const Piece &piece, bool failed);
  void close_with(Batch &batch, const Piece &piece, std::int32_t code);
  bool add_chunk(Batch &batch, const Piece &piece, bool failed);
  void pass_silent(Batch &batch);
  void slide(std::size_t size);
  std::size_t owned(std::size_t size) const;
  std::size_t most_bytes() const;
  std::size_t stop() const;

  FramerOptions options_;
  std::shared_ptr<Recycler> recycler_;
  Scanner scanner_;
  Window window_;
  std::unique_ptr<Batch> spare_; // taken for a batch, and empty so far
  std::size_t taken_ = 0;        // bytes of the window that the batch in the making has
  std::size_t needed_ = 1;
  std::size_t held_chunk_ = 0; // its length
  std::uint64_t passed_silent_ = 0;
  bool closed_ = false; // the batch in the making takes no further piece
};

} // namespace marc
