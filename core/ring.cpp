// SPDX-License-Identifier: MIT
#include "ring.hpp"

#include <exception>
#include <new>
#include <utility>

namespace marc {

Ring::Ring(unsigned threads, std::size_t slots, const FramerOptions &options, std::shared_ptr<Recycler> recycler)
    : pool_(threads - 1), recycler_(std::move(recycler)) {
  slots_.reserve(slots);
  while (slots_.size() < slots) slots_.push_back(std::make_unique<Slot>(*this, options));
}

Ring::~Ring() {
  abandoned_.store(true, std::memory_order_relaxed);
  while (help()) {
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return jobs_ == 0; });
}

Ring::Slot &Ring::back() {
  Slot &next = slot(used_);
  next.batches.clear();
  next.given = 0;
  next.outcome = {};
  next.passed_silent = 0;
  return next;
}

void Ring::post(const Window &part) {
  Slot &slot = back();
  slot.done = false;
  slot.framer.begin(part);
  if (part.arena != nullptr) part.arena->references.fetch_add(1, std::memory_order_relaxed);
  ++used_;
  slot.waits.store(true, std::memory_order_release);
  count_jobs(1);
  try {
    pool_->post(run, &slot);
  } catch (const std::bad_alloc &) { // the caller will come to it
    count_jobs(-1);
  }
}

void Ring::count_jobs(int more) {
  const std::lock_guard lock(mutex_);
  jobs_ += more;
  if (jobs_ == 0) changed_.notify_one(); // with the lock: the ring may be gone as soon as it is free
}

void Ring::push(std::unique_ptr<Batch> batch) noexcept {
  back().batches.push_back(std::move(batch));
  add_done();
}

void Ring::push(Failure outcome) noexcept {
  back().outcome = std::move(outcome);
  add_done();
}

// The slot behind the last one, which has been filled, is one of the ring.
void Ring::add_done() {
  Slot &filled = slot(used_++);
  filled.ready = Clock::now();
  filled.done = true;
}

// A job of the pool. Its part may have been done by the caller; the slot may have another one by then.
void Ring::run(void *slot) noexcept {
  Slot &given = *static_cast<Slot *>(slot);
  Ring &ring = given.ring;
  if (given.waits.exchange(false, std::memory_order_acquire)) ring.work(given);
  ring.count_jobs(-1);
}

// Works on the foremost part that nobody works on. False if there is none.
bool Ring::help() {
  for (std::size_t number = 0; number < used_; ++number) {
    Slot &part = slot(number);
    if (!part.waits.exchange(false, std::memory_order_acquire)) continue;
    work(part);
    return true;
  }
  return false;
}

// All batches of a part.
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
  if (awaited_ == &slot) changed_.notify_one();
}

bool Ring::is_done(const Slot &slot) {
  const std::lock_guard lock(mutex_);
  return slot.done;
}

void Ring::wait_for(const Slot &slot) {
  std::unique_lock lock(mutex_);
  awaited_ = &slot;
  changed_.wait(lock, [&slot] { return slot.done; });
  awaited_ = nullptr;
}

Ring::Taken Ring::take() {
  Slot &slot = this->slot(0);
  Taken taken;
  while (!is_done(slot) && help()) {
  }
  const Clock::time_point idle = Clock::now();
  wait_for(slot);
  taken.ready = slot.ready;
  if (slot.ready > idle) taken.waited = slot.ready - idle;
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
