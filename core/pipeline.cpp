// SPDX-License-Identifier: MIT
#include "pipeline.hpp"

#include "bytes.hpp"
#include "leader.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include <unistd.h>

namespace marc {
namespace {

// Room behind a chunk, for the record that its end cuts.
constexpr std::size_t kTailRoom = 128 << 10;

// Adds to a counter in nanoseconds.
void add(std::atomic<std::uint64_t> &counter, Ring::Clock::duration time) {
  if (time.count() > 0) counter += static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
}

void raise(std::atomic<std::uint64_t> &most, std::uint64_t value) { most = std::max<std::uint64_t>(most, value); }

} // namespace

std::size_t Pipeline::usual_arena() const { return options_.pieces.chunk + kTailRoom; }

Pipeline::Pipeline(std::unique_ptr<Source> source, const PipelineOptions &options)
    : source_(std::move(source)), options_(options), recycler_(std::make_shared<Recycler>(usual_arena())),
      framer_(options.pieces, recycler_) {
  if (const auto memory = source_->memory()) counters_.bytes_read = memory->size();
}

Pipeline::~Pipeline() {
  if (ring_ != nullptr && process_ != ::getpid()) static_cast<void>(ring_.release()); // its threads are the parent's
  ring_.reset();
  if (arena_ != nullptr) recycler_->give_back(arena_);
}

std::unique_ptr<Batch> Pipeline::next(Failure &outcome) {
  outcome = {MARC_END, 0, {}};
  if (is_cancelled()) {
    outcome = {MARC_E_CANCELLED, 0, {}};
    return nullptr;
  }
  if (ended_) return nullptr;
  ended_ = true; // unless we come to the end of this in good order
  std::unique_ptr<Batch> batch = ring_ == nullptr ? next_on_the_spot(outcome) : next_of_ring(outcome);
  counters_.silent_bytes += framer_.take_passed_silent();
  if (batch != nullptr) {
    deliver(*batch);
    outcome = {};
  }
  ended_ = batch == nullptr && outcome.code != MARC_E_INTERRUPTED && outcome.code != MARC_E_CANCELLED;
  left_ = Ring::Clock::now();
  return batch;
}

std::unique_ptr<Batch> Pipeline::next_on_the_spot(Failure &outcome) {
  std::unique_ptr<Batch> batch = make(outcome);
  if (batch == nullptr) offset_ = framer_.window().offset;
  if (batch != nullptr && may_use_threads()) start_ring();
  return batch;
}

void Pipeline::start_ring() noexcept {
  try {
    ring_ = std::make_unique<Ring>(options_.threads, options_.ahead, options_.pieces, recycler_);
    counters_.threads = ring_->threads();
    process_ = ::getpid();
  } catch (const std::exception &) { // no thread can be had, or no memory: it goes on as it was
    options_.threads = 1;
    counters_.threads = 1;
  }
}

// Whether there is enough left to be worth it, and it may be read before it is asked for.
bool Pipeline::may_use_threads() const {
  if (options_.threads < 2 || options_.ahead == 0 || framer_.at_beginning()) return false;
  const Window &window = framer_.window();
  const std::uint64_t size = source_->size(); // 0 where it is not known
  const bool is_last = window.ends_input || (size > 0 && window.offset + window.size >= size);
  return !is_last || window.size > options_.pieces.chunk;
}

std::unique_ptr<Batch> Pipeline::next_of_ring(Failure &outcome) {
  for (;;) {
    const Ring::Clock::time_point asked = Ring::Clock::now();
    pump();
    if (is_cancelled()) {
      outcome = {MARC_E_CANCELLED, 0, {}};
      return nullptr;
    }
    Ring::Taken taken = ring_->take();
    add(counters_.wait_workers, taken.waited);
    add(counters_.wait_consumer, asked - std::max(taken.ready, left_));
    counters_.silent_bytes += taken.passed_silent;
    if (taken.batch != nullptr) return std::move(taken.batch);
    if (taken.outcome.code == MARC_OK) continue; // a part of silent bytes
    outcome = std::move(taken.outcome);
    // The last in the ring is what pump() came to. Before it stands what went wrong in a part: there reading stopped.
    if (pumped_out_ && ring_->is_empty()) offset_ = framer_.window().offset;
    pumped_out_ = outcome.code != MARC_E_INTERRUPTED;
    return nullptr;
  }
}

// Reads on until the ring is full. Where memory runs out is a place like others: what is in the ring comes before it.
void Pipeline::pump() {
  while (!ring_->is_full() && !pumped_out_) {
    Failure outcome{MARC_END, 0, {}};
    std::unique_ptr<Batch> batch;
    const std::size_t used = ring_->used();
    try {
      batch = make(outcome);
    } catch (const std::bad_alloc &) {
      outcome = {MARC_E_NOMEM, 0, {}};
    }
    if (batch != nullptr) {
      ring_->push(std::move(batch));
    } else if (ring_->used() == used) { // no part was posted
      ring_->push(std::move(outcome));
      pumped_out_ = true;
    }
    raise(counters_.chunks_ahead, ring_->used());
  }
}

// Posts the window up to its last anchor. False if it has none.
bool Pipeline::post_part() {
  const Window &window = framer_.window();
  if (!framer_.at_border()) return false;
  // Of a source in memory the window is all that is left.
  const std::size_t to = arena_ == nullptr ? std::min(window.size, options_.pieces.chunk) : window.size;
  // The beginning of a record may have been cut when it was searched.
  const std::size_t from = searched_ - std::min<std::size_t>(searched_, 2 * kLargestLength);
  // Few new bytes are not worth it: the search would be done over and over.
  if (to - searched_ < (searched_ - from) / 4) return false;
  const std::size_t anchor = last_anchor(window.data, from, to, window.size, window.size);
  searched_ = to;
  if (anchor == 0) return false;
  Window part = window;
  part.size = std::min<std::size_t>(window.size, anchor + kLargestLength); // what the anchor is known by
  part.ends_input = false;
  part.border = anchor;
  ring_->post(part);
  Window rest = window;
  rest.data += anchor;
  rest.size -= anchor;
  rest.offset += anchor;
  framer_.begin(rest);
  searched_ = 0;
  return true;
}

// The next batch, made here; NULL at the end or with a failure, and where a part was posted to the ring instead.
std::unique_ptr<Batch> Pipeline::make(Failure &outcome) {
  if (!placed_) {
    outcome = go_to_range();
    if (outcome) return nullptr;
    outcome.code = MARC_END;
  }
  for (;;) {
    if (is_cancelled()) {
      outcome = {MARC_E_CANCELLED, 0, {}};
      return nullptr;
    }
    if (framer_.is_behind_range()) return nullptr;
    if (ring_ != nullptr) {
      const Window &window = framer_.window();
      if (window.size < options_.pieces.chunk && !window.ends_input && failure_.code == MARC_OK) {
        failure_ = refill(); // a source that gives little at a time: parts are of usual size nevertheless
        continue;
      }
      if (post_part()) return nullptr;
    }
    const std::uint64_t before = framer_.window().offset;
    std::unique_ptr<Batch> batch = framer_.next(failure_.code < 0 && failure_.code != MARC_E_INTERRUPTED);
    searched_ -= std::min<std::size_t>(searched_, framer_.window().offset - before);
    if (batch != nullptr) return batch;
    if (framer_.window().ends_input || framer_.is_behind_range()) return nullptr;
    if (!failure_) failure_ = refill();
    if (!failure_ || (failure_.code != MARC_E_INTERRUPTED && framer_.holds_chunk())) continue;
    outcome = std::exchange(failure_, {});
    if (outcome.code != MARC_E_INTERRUPTED) framer_.pass_last_silent();
    return nullptr;
  }
}

// Puts the source, or the window, where reading begins for the range: at the last anchor before it.
Failure Pipeline::go_to_range() {
  const std::uint64_t begin = std::min(options_.pieces.range_begin, source_->size());
  std::uint64_t anchor = 0;
  if (const auto memory = source_->memory()) {
    const auto at = static_cast<std::size_t>(begin);
    anchor = last_anchor(memory->data(), 0, at, at, memory->size());
    framer_.set_window({memory->data() + anchor, memory->size() - anchor, anchor, nullptr, true});
  } else if (begin > 0) {
    Failure failure = find_anchor(begin, anchor);
    if (!failure) failure = source_->position(anchor);
    if (failure) return failure;
    framer_.set_window({nullptr, 0, anchor, nullptr, false});
  }
  placed_ = true;
  if (anchor > 0) framer_.begin(framer_.window());
  return {};
}

// The last anchor at or before `begin` that shows in a part of the source with its 0x1D, or 0. (An earlier one gives the
// same pieces.)
Failure Pipeline::find_anchor(std::uint64_t begin, std::uint64_t &anchor) {
  const std::size_t step = std::max(options_.pieces.chunk, 2 * kLargestLength);
  if (search_.bytes == nullptr) search_ = {std::make_unique<std::uint8_t[]>(step + kLargestLength), begin, 0};
  while (search_.behind > 0 && anchor == 0) {
    if (is_cancelled()) return {MARC_E_CANCELLED, 0, {}};
    const std::uint64_t first = search_.behind - std::min<std::uint64_t>(search_.behind, step);
    const auto before = static_cast<std::size_t>(search_.behind - first);
    Failure failure = read_part(first, before + kLargestLength);
    const bool can_search = search_.size >= before && failure.code != MARC_E_INTERRUPTED;
    if (failure && !can_search) return failure; // what fails behind the range's begin comes out in its place
    const std::size_t size = std::exchange(search_.size, 0);
    const auto latest = static_cast<std::size_t>(std::min<std::uint64_t>(begin - first, size));
    const std::size_t found = last_anchor(search_.bytes.get(), 0, std::min(before, size), latest, size);
    anchor = found == 0 ? 0 : first + found;
    search_.behind = first;
  }
  search_ = {};
  return {};
}

// Reads the part that is searched, from `first` on, until so many bytes are there or the source ends.
Failure Pipeline::read_part(std::uint64_t first, std::size_t wanted) {
  Failure failure = source_->position(first + search_.size);
  while (!failure && search_.size < wanted) {
    const std::size_t capacity = std::min(wanted - search_.size, options_.pieces.chunk);
    ReadResult result = read(search_.bytes.get() + search_.size, capacity);
    if (result.bytes == 0) return std::move(result.failure);
    search_.size += result.bytes;
  }
  return failure;
}

// Numbers the pieces of a batch, which is handed out.
void Pipeline::deliver(Batch &batch) {
  const bool is_part = batch.record_status[0] == MARC_BAD_OVERSIZE_PART; // of the piece before
  batch.first_index = is_part && index_ > 0 ? index_ - 1 : index_;
  index_ = is_part ? index_ : index_ + batch.size();
  offset_ = batch.source_offset + batch.length;
  counters_.pieces += batch.size();
  counters_.silent_bytes += batch.silent;
  raise(counters_.bytes_held, recycler_->most_held());
}

std::span<const std::uint8_t> Pipeline::rest() const {
  const Window &window = framer_.window();
  return {window.data, ended_ && framer_.is_in_range() && window.offset == offset_ ? window.size : 0};
}

// Reads once from the source.
ReadResult Pipeline::read(std::uint8_t *buffer, std::size_t capacity) {
  const Ring::Clock::time_point begun = Ring::Clock::now();
  ReadResult result = source_->read(buffer, capacity);
  add(counters_.wait_source, Ring::Clock::now() - begun);
  ++counters_.source_reads;
  return result;
}

// Reads once from the source, behind the window.
Failure Pipeline::refill() {
  count_steps(1);
  Window window = framer_.window();
  const std::size_t chunk = options_.pieces.chunk;
  make_room(std::max(framer_.needed() - std::min(framer_.needed(), window.size), chunk));
  window = framer_.window();
  std::uint8_t *to = arena_->bytes.get() + (window.data - arena_->bytes.get()) + window.size;
  ReadResult result = read(to, chunk);
  if (result.failure) return std::move(result.failure);
  counters_.bytes_read += result.bytes;
  window.size += result.bytes;
  window.ends_input = result.bytes == 0;
  framer_.set_window(window);
  return {};
}

// Makes sure that `wanted` bytes fit behind the window, which may move.
void Pipeline::make_room(std::size_t wanted) {
  Window window = framer_.window();
  if (arena_ != nullptr) {
    const auto used = static_cast<std::size_t>(window.data - arena_->bytes.get()) + window.size;
    const bool outsized = arena_->capacity > usual_arena() && window.size + wanted <= usual_arena();
    if (arena_->capacity - used >= wanted && !outsized) return;
    if (arena_->references.load(std::memory_order_acquire) == 1 && arena_->capacity - window.size >= wanted &&
        !outsized) {
      count_steps(window.size);
      std::memmove(arena_->bytes.get(), window.data, window.size);
      window.data = arena_->bytes.get();
      framer_.set_window(window);
      return;
    }
  }
  count_steps(window.size);
  const std::size_t size = window.size + wanted;
  // Larger than usual ones double, so that a long piece is copied a few times only.
  Arena *roomy = recycler_->take_arena(size <= usual_arena() ? size : 2 * size);
  if (window.size > 0) std::memcpy(roomy->bytes.get(), window.data, window.size);
  if (arena_ != nullptr) recycler_->give_back(arena_);
  arena_ = roomy;
  window.data = roomy->bytes.get();
  window.arena = roomy;
  framer_.set_window(window);
}

} // namespace marc
