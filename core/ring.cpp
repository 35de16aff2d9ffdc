// SPDX-License-Identifier: MIT
#include "ring.hpp"

#include <exception>
#include <new>
#include <utility>

namespace marc {

Ring::Ring(unsigned threads, std::size_t slots, const FramerOptions &options, std::shared_ptr<Recycler> recycler)
    : pool_(threads), recycler_(std::move(recycler)) {
  slots_.reserve(slots);
  while (slots_.size() < slots) slots_.push_back(std::make_unique<Slot>(*this, options));
}

Ring::~Ring() {
  abandoned_.store(true, std::memory_order_relaxed);
  for (; used_ > 0; --used_, first_ = (first_ + 1) % slots_.size()) wait_for(*slots_[first_]);
}

Ring::Slot &Ring::back() {
  Slot &slot = *slots_[(first_ + used_) % slots_.size()];
  slot.batches.clear();
  slot.given = 0;
  slot.outcome = {};
  slot.passed_silent = 0;
  return slot;
}

void Ring::post(const Window &part) {
  Slot &slot = back();
  slot.done = false;
  slot.framer.begin(part);
  if (part.arena != nullptr) part.arena->references.fetch_add(1, std::memory_order_relaxed);
  try {
    pool_->post(run, &slot);
  } catch (...) {
    if (part.arena != nullptr) recycler_->give_back(part.arena);
    throw;
  }
  ++used_;
}

void Ring::push(std::unique_ptr<Batch> batch) noexcept {
  Slot &slot = back();
  slot.batches.push_back(std::move(batch));
  slot.ready = Clock::now();
  slot.done = true;
  ++used_;
}

void Ring::push(Failure outcome) noexcept {
  Slot &slot = back();
  slot.outcome = std::move(outcome);
  slot.ready = Clock::now();
  slot.done = true;
  ++used_;
}

void Ring::run(void *slot) noexcept {
  Slot &mine = *static_cast<Slot *>(slot);
  mine.ring.work(mine);
}

// All batches of a part, on a thread of the pool.
void Ring::work(Slot &slot) noexcept {
  Arena *const arena = slot.framer.window().arena;
  try {
    while (!abandoned_.load(std::memory_order_relaxed)) {
      std::unique_ptr<Batch> batch = slot.framer.next();
      if (batch == nullptr) break;
      slot.batches.push_back(std::move(batch));
    }
    const bool all = slot.framer.window().border == 0 || slot.framer.is_behind_range();
    if (!all && !abandoned_.load(std::memory_order_relaxed)) slot.outcome.code = MARC_E_INTERNAL;
  } catch (const std::bad_alloc &) {
    slot.outcome.code = MARC_E_NOMEM;
  } catch (...) {
    slot.outcome.code = MARC_E_INTERNAL;
  }
  slot.passed_silent = slot.framer.take_passed_silent();
  if (arena != nullptr) recycler_->give_back(arena);
  slot.ready = Clock::now();
  const std::lock_guard lock(mutex_);
  slot.done = true;
  if (awaited_ == &slot) changed_.notify_one(); // with the lock: the ring may be gone as soon as it is free
}

void Ring::wait_for(Slot &slot) {
  std::unique_lock lock(mutex_);
  awaited_ = &slot;
  changed_.wait(lock, [&slot] { return slot.done; });
  awaited_ = nullptr;
}

Ring::Taken Ring::take() {
  Slot &slot = *slots_[first_];
  Taken taken;
  const Clock::time_point asked = Clock::now();
  wait_for(slot);
  taken.ready = slot.ready;
  if (slot.ready > asked) taken.waited = slot.ready - asked;
  taken.passed_silent = std::exchange(slot.passed_silent, 0);
  if (slot.given < slot.batches.size()) taken.batch = std::move(slot.batches[slot.given++]);
  if (slot.given < slot.batches.size()) return taken;
  if (taken.batch != nullptr && slot.outcome.code != MARC_OK) return taken; // the failure comes behind it
  taken.outcome = std::move(slot.outcome);
  first_ = (first_ + 1) % slots_.size();
  --used_;
  return taken;
}

} // namespace marc
