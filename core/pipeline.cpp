// SPDX-License-Identifier: MIT
#include "pipeline.hpp"

#include "bytes.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace marc {
namespace {

// Room behind a chunk, for the record that its end cuts.
constexpr std::size_t kTailRoom = 128 << 10;

} // namespace

std::size_t Pipeline::usual_arena() const { return options_.chunk + kTailRoom; }

Pipeline::Pipeline(std::unique_ptr<Source> source, const PipelineOptions &options)
    : source_(std::move(source)), options_(options), scanner_(options.largest),
      recycler_(std::make_shared<Recycler>(usual_arena())) {
  if (const auto memory = source_->memory()) {
    window_ = memory->data();
    size_ = memory->size();
    counters_.bytes_read = size_;
    exhausted_ = true;
  }
}

Pipeline::~Pipeline() {
  if (arena_ != nullptr) recycler_->give_back(arena_);
}

std::unique_ptr<Batch> Pipeline::next(Failure &outcome) {
  outcome = {MARC_END, 0, {}};
  std::unique_ptr<Batch> batch;
  for (;;) {
    if (is_cancelled()) {
      outcome = {MARC_E_CANCELLED, 0, {}};
      return nullptr;
    }
    if (batch == nullptr) {
      if (ended_) return nullptr;
      ended_ = true; // unless we come to the end of this in good order
      batch = recycler_->take_batch();
    }
    scan(*batch);
    if (batch->size() > 0) {
      ended_ = false;
      outcome = {};
      return hand_out(std::move(batch));
    }
    pass_silent(*batch);
    if (exhausted_) return nullptr;
    if (!failure_) failure_ = refill();
    if (!failure_ || (failure_.code != MARC_E_INTERRUPTED && held_chunk_ != 0)) continue;
    outcome = std::exchange(failure_, {});
    ended_ = outcome.code != MARC_E_INTERRUPTED;
    if (ended_) pass_last_silent(*batch);
    return nullptr;
  }
}

// Takes pieces from the window into the batch, as far as they are complete.
void Pipeline::scan(Batch &batch) {
  scanned_ = 0;
  closed_ = false;
  batch.data = window_;
  if (held_chunk_ != 0) {
    const Piece held{PieceKind::Chunk, held_chunk_};
    if (!add_piece(batch, held)) return;
    held_chunk_ = 0;
  }
  while (!is_full(batch)) {
    const Piece piece = scanner_.next(window_ + scanned_, size_ - scanned_, exhausted_);
    if (piece.kind == PieceKind::NeedMore) needed_ = piece.length;
    if (piece.kind == PieceKind::NeedMore || piece.kind == PieceKind::End) return;
    if (!add_piece(batch, piece)) return;
    if (batch.size() == 0 && scanned_ >= options_.chunk) pass_silent(batch);
  }
}

// Moves the window behind silent bytes with which a batch would begin. Offsets in a batch have 32 bits: however long the
// run, its first piece lies within a chunk of its first byte.
void Pipeline::pass_silent(Batch &batch) {
  slide(batch);
  batch.silent = 0;
  batch.data = window_;
}

// The same when no byte can follow any more: what is left then is the piece that the failure has cut.
void Pipeline::pass_last_silent(Batch &batch) {
  if (scanner_.in_parts()) return;
  scanned_ = skip_silent(window_, size_);
  batch.silent = scanned_;
  slide(batch);
}

// Moves the window behind the bytes that the batch has taken.
void Pipeline::slide(const Batch &batch) {
  counters_.silent_bytes += batch.silent;
  window_ += scanned_;
  size_ -= scanned_;
  window_offset_ += scanned_;
  scanned_ = 0;
}

// A batch ends at its limits.
bool Pipeline::is_full(const Batch &batch) const {
  if (batch.size() == 0) return false;
  return scanned_ >= options_.chunk || batch.size() == options_.batch_records || closed_;
}

// False if the piece must wait for the byte behind it.
bool Pipeline::add_piece(Batch &batch, const Piece &piece) {
  const std::size_t start = scanned_;
  if (piece.kind == PieceKind::Silent) {
    batch.silent += piece.length;
  } else if (piece.kind == PieceKind::Record) {
    parse_sound(batch, start, piece.length, scanner_.leader(), scanner_.directory(), options_.reading, options_.text);
  } else if (piece.kind == PieceKind::More) {
    close_with(batch, piece, MARC_BAD_OVERSIZE_PART);
  } else if (scanner_.foreign() != 0) {
    close_with(batch, piece, scanner_.foreign());
  } else if (piece.partial) {
    close_with(batch, piece, MARC_BAD_OVERSIZE);
  } else if (!add_chunk(batch, start, piece)) {
    return false;
  }
  scanned_ += piece.length;
  // Fields that overlap, which is always noted, may have more subfields and notes than bytes: they count as bytes.
  if (batch.notes.size() > 0) closed_ |= batch.subfield_offset.size() + batch.notes.size() >= options_.chunk;
  return true;
}

// Adds a piece that is not looked into. What may come in parts ends its batch.
void Pipeline::close_with(Batch &batch, const Piece &piece, std::int32_t code) {
  add_unread(batch, scanned_, piece.length, code);
  closed_ = true;
}

// Whether a rejected chunk is the last of its input decides its verdict; a delivered one need not wait to know.
bool Pipeline::add_chunk(Batch &batch, std::size_t start, const Piece &piece) {
  const bool at_end = start + piece.length == size_;
  const auto around = at_end && exhausted_ ? Surroundings::Last : Surroundings::BytesFollow;
  parse_chunk(batch, start, piece.length, around, options_.reading, options_.text);
  if (!at_end || exhausted_ || failure_ || batch.record_status[batch.size() - 1] == MARC_OK) return true;
  batch.drop_record();
  held_chunk_ = piece.length;
  needed_ = piece.length + 1;
  return false;
}

std::unique_ptr<Batch> Pipeline::hand_out(std::unique_ptr<Batch> batch) {
  batch->finish();
  batch->length = scanned_;
  batch->source_offset = window_offset_;
  if (batch->record_status[0] == MARC_BAD_OVERSIZE_PART) --index_; // of the same piece as the batch before
  batch->first_index = index_;
  batch->home = recycler_;
  batch->arena = arena_;
  if (arena_ != nullptr) arena_->references.fetch_add(1, std::memory_order_relaxed);
  index_ += batch->size();
  counters_.pieces += batch->size();
  slide(*batch);
  return batch;
}

// Reads once from the source, behind the window.
Failure Pipeline::refill() {
  count_steps(1);
  make_room(std::max(needed_ - std::min(needed_, size_), options_.chunk));
  std::uint8_t *to = arena_->bytes.get() + (window_ - arena_->bytes.get()) + size_;
  ReadResult result = source_->read(to, options_.chunk);
  ++counters_.source_reads;
  if (result.failure) return std::move(result.failure);
  counters_.bytes_read += result.bytes;
  size_ += result.bytes;
  exhausted_ = result.bytes == 0;
  return {};
}

// Makes sure that `wanted` bytes fit behind the window, which may move.
void Pipeline::make_room(std::size_t wanted) {
  if (arena_ != nullptr) {
    const auto used = static_cast<std::size_t>(window_ - arena_->bytes.get()) + size_;
    const bool outsized = arena_->capacity > usual_arena() && size_ + wanted <= usual_arena();
    if (arena_->capacity - used >= wanted && !outsized) return;
    if (arena_->references.load(std::memory_order_acquire) == 1 && arena_->capacity - size_ >= wanted && !outsized) {
      count_steps(size_);
      std::memmove(arena_->bytes.get(), window_, size_);
      window_ = arena_->bytes.get();
      return;
    }
  }
  count_steps(size_);
  Arena *roomy = new_arena(size_ + wanted);
  if (size_ > 0) std::memcpy(roomy->bytes.get(), window_, size_);
  if (arena_ != nullptr) recycler_->give_back(arena_);
  arena_ = roomy;
  window_ = roomy->bytes.get();
}

// Larger than usual ones double, so that a long piece is copied a few times only.
Arena *Pipeline::new_arena(std::size_t size) {
  return size <= usual_arena() ? recycler_->take_arena() : new Arena(2 * size);
}

} // namespace marc
