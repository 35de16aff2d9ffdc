// SPDX-License-Identifier: MIT
#include "recycler.hpp"

namespace marc {

Recycler::~Recycler() {
  batches_.consume_all([](Batch *batch) { delete batch; });
  arenas_.consume_all([](Arena *arena) { delete arena; });
}

std::unique_ptr<Batch> Recycler::take_batch() {
  Batch *used = nullptr;
  std::unique_ptr<Batch> batch;
  if (batches_.pop(used)) {
    batch.reset(used);
    batch->references.store(1, std::memory_order_relaxed);
  } else {
    batch = std::make_unique<Batch>();
  }
  batch->clear();
  return batch;
}

Arena *Recycler::take_arena(std::size_t size) {
  Arena *arena = nullptr;
  if (size > arena_size_) {
    arena = new Arena(size);
  } else if (arenas_.pop(arena)) {
    arena->references.store(1, std::memory_order_relaxed);
  } else {
    arena = new Arena(arena_size_);
  }
  const std::size_t held = held_.fetch_add(arena->capacity, std::memory_order_relaxed) + arena->capacity;
  std::size_t most = most_held_.load(std::memory_order_relaxed);
  while (most < held && !most_held_.compare_exchange_weak(most, held, std::memory_order_relaxed)) {
  }
  return arena;
}

void Recycler::give_back(Arena *arena) {
  if (arena->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  held_.fetch_sub(arena->capacity, std::memory_order_relaxed);
  if (arena->capacity != arena_size_ || !arenas_.push(arena)) delete arena;
}

void Recycler::give_back(Batch *batch) {
  // As large as usual, or the next ones would keep what one large record has taken.
  if (batch->text != nullptr && batch->text->own.size() > 2 * arena_size_) {
    batch->text.reset();
    batch->text_scratch.reset();
  }
  if (!batches_.push(batch)) delete batch;
}

} // namespace marc
