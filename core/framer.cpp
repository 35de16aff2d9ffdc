// SPDX-License-Identifier: MIT
#include "framer.hpp"

#include "bytes.hpp"

#include <algorithm>
#include <utility>

namespace marc {

void Framer::begin(const Window &anchored) {
  window_ = anchored;
  scanner_.begin_at_anchor();
  held_chunk_ = 0;
  needed_ = 1;
}

std::uint64_t Framer::take_passed_silent() { return std::exchange(passed_silent_, 0); }

std::unique_ptr<Batch> Framer::next(bool failed) {
  if (!pass_foregoing()) return nullptr;
  if (spare_ == nullptr) spare_ = recycler_->take_batch();
  scan(*spare_, failed);
  if (spare_->size() == 0) {
    pass_silent(*spare_);
    return nullptr;
  }
  std::unique_ptr<Batch> batch = std::move(spare_);
  batch->finish();
  batch->length = taken_;
  batch->source_offset = window_.offset;
  batch->home = recycler_;
  batch->arena = window_.arena;
  if (batch->arena != nullptr) batch->arena->references.fetch_add(1, std::memory_order_relaxed);
  slide(taken_);
  return batch;
}

void Framer::pass_last_silent() {
  if (scanner_.in_parts()) return;
  const std::size_t size = skip_silent(window_.data, window_.size);
  passed_silent_ += owned(size);
  slide(size);
}

// How many of the next bytes lie in the range. Silent bytes belong to the range that they lie in, each of them: how long
// their run is depends on what was read.
std::size_t Framer::owned(std::size_t size) const {
  const std::uint64_t begin = std::max(window_.offset, options_.range_begin);
  const std::uint64_t end = std::min(window_.offset + size, options_.range_end);
  return static_cast<std::size_t>(end - std::min(begin, end));
}

// Moves the window behind pieces that begin before the range. False if that needs more bytes.
bool Framer::pass_foregoing() {
  while (window_.offset < options_.range_begin) {
    const Piece piece = scanner_.next(window_.data, window_.size, window_.ends_input);
    if (piece.kind == PieceKind::NeedMore) needed_ = piece.length;
    if (piece.kind == PieceKind::NeedMore || piece.kind == PieceKind::End) return false;
    if (piece.kind == PieceKind::Silent) passed_silent_ += owned(piece.length);
    slide(piece.length);
  }
  return true;
}

// Takes pieces from the window into the batch, as far as they are complete.
void Framer::scan(Batch &batch, bool failed) {
  taken_ = 0;
  closed_ = false;
  batch.data = window_.data;
  if (held_chunk_ != 0) {
    const Piece held{PieceKind::Chunk, held_chunk_};
    if (!add_piece(batch, held, failed)) return;
    held_chunk_ = 0;
  }
  const bool final = window_.ends_input || window_.border != SIZE_MAX; // an anchor decides all that stands before it
  while (!is_full(batch) && taken_ < stop()) {
    Piece piece = scanner_.next(window_.data + taken_, window_.size - taken_, final);
    if (piece.kind == PieceKind::NeedMore) needed_ = piece.length;
    if (piece.kind == PieceKind::NeedMore || piece.kind == PieceKind::End) return;
    if (piece.kind == PieceKind::Silent) piece.length = std::min(piece.length, stop() - taken_);
    if (!add_piece(batch, piece, failed)) return;
    if (batch.size() == 0 && taken_ >= options_.chunk) pass_silent(batch);
  }
}

// Where in the window pieces begin that are not to be taken.
std::size_t Framer::stop() const {
  const std::uint64_t left = options_.range_end - std::min(window_.offset, options_.range_end);
  return static_cast<std::size_t>(std::min<std::uint64_t>(left, window_.border));
}

// Moves the window behind silent bytes with which a batch would begin. Offsets in a batch have 32 bits: however long the
// run, its first piece lies within a chunk of its first byte.
void Framer::pass_silent(Batch &batch) {
  passed_silent_ += batch.silent;
  slide(std::exchange(taken_, 0));
  batch.silent = 0;
  batch.data = window_.data;
}

void Framer::slide(std::size_t size) {
  window_.data += size;
  window_.size -= size;
  window_.offset += size;
  if (window_.border != SIZE_MAX) window_.border -= size;
}

// A part of the input of about the usual size is one batch.
std::size_t Framer::most_bytes() const {
  const bool usual = window_.border != SIZE_MAX && window_.border < 2 * options_.chunk;
  return usual ? window_.border : options_.chunk;
}

// A batch ends at its limits.
bool Framer::is_full(const Batch &batch) const {
  if (batch.size() == 0) return false;
  return taken_ >= most_bytes() || batch.size() == options_.batch_records || closed_;
}

// False if the piece must wait for the byte behind it.
bool Framer::add_piece(Batch &batch, const Piece &piece, bool failed) {
  if (piece.kind == PieceKind::Silent) {
    batch.silent += piece.length;
  } else if (piece.kind == PieceKind::Record) {
    parse_sound(batch, taken_, piece.length, scanner_.leader(), scanner_.directory(), options_.reading, options_.text);
  } else if (piece.kind == PieceKind::More) {
    close_with(batch, piece, MARC_BAD_OVERSIZE_PART);
  } else if (scanner_.foreign() != 0) {
    close_with(batch, piece, scanner_.foreign());
  } else if (piece.partial) {
    close_with(batch, piece, MARC_BAD_OVERSIZE);
  } else if (!add_chunk(batch, piece, failed)) {
    return false;
  }
  taken_ += piece.length;
  // Fields that overlap, which is always noted, may have more subfields and notes than bytes: they count as bytes.
  if (batch.notes.size() > 0) closed_ |= batch.subfield_offset.size() + batch.notes.size() >= options_.chunk;
  return true;
}

// Adds a piece that is not looked into. What may come in parts ends its batch.
void Framer::close_with(Batch &batch, const Piece &piece, std::int32_t code) {
  add_unread(batch, taken_, piece.length, code);
  closed_ = true;
}

// Whether a rejected chunk is the last of its input decides its verdict; a delivered one need not wait to know.
bool Framer::add_chunk(Batch &batch, const Piece &piece, bool failed) {
  const bool at_end = taken_ + piece.length == window_.size;
  const auto around = at_end && window_.ends_input ? Surroundings::Last : Surroundings::BytesFollow;
  parse_chunk(batch, taken_, piece.length, around, options_.reading, options_.text);
  if (!at_end || window_.ends_input || failed || batch.record_status[batch.size() - 1] == MARC_OK) return true;
  batch.drop_record();
  held_chunk_ = piece.length;
  needed_ = piece.length + 1;
  return false;
}

} // namespace marc
