// A bounded ring of slots: parts of the input that the threads of a pool make batches of, given back in the order of the
// input. What goes wrong in one stays in its slot, and comes out in its place. Whoever would have to wait for a part works
// on one too: of n threads the pool has all but that one.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "error.hpp"
#include "framer.hpp"
#include "pool.hpp"
#include "recycler.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace marc {

class Ring {
public:
  using Clock = std::chrono::steady_clock;

  // What was waiting in the foremost slot: a batch, a failure or the end, or nothing of these.
  struct Taken {
    std::unique_ptr<Batch> batch;
    Failure outcome;
    std::uint64_t passed_silent = 0; // bytes in no batch
    std::chrono::nanoseconds waited{0};
    Clock::time_point ready;
  };

  // `threads`, at least 2: the caller, and a pool of the others if there is none yet; throws as Pool does. `slots` is at
  // least 1. One thread at a time may call the functions below.
  Ring(unsigned threads, std::size_t slots, const FramerOptions &options, std::shared_ptr<Recycler> recycler);
  // Waits for the jobs that run. To be called in the process that made it.
  ~Ring();
  Ring(const Ring &) = delete;
  Ring &operator=(const Ring &) = delete;

  bool is_full() const { return used_ == slots_.size(); }
  bool is_empty() const { return used_ == 0; }
  std::size_t used() const { return used_; }
  unsigned threads() const { return pool_->threads() + 1; }

  // A part of the input, from one anchor to the next: a window with a border.
  void post(const Window &part);
  // What the caller has made itself.
  void push(std::unique_ptr<Batch> batch) noexcept;
  void push(Failure outcome) noexcept;

  // Waits for the foremost slot, which there must be.
  Taken take();

private:
  struct Slot {
    Slot(Ring &its_ring, const FramerOptions &options) : ring(its_ring), framer(options, its_ring.recycler_) {
      batches.reserve(1); // so that push() needs no memory
    }

    Ring &ring;
    Framer framer;
    std::vector<std::unique_ptr<Batch>> batches;
    std::size_t given = 0; // of them
    Failure outcome;
    std::uint64_t passed_silent = 0;
    Clock::time_point ready;
    std::atomic<bool> waits{false}; // for somebody to work on it: who clears this does
    bool done = false; // guarded by the mutex; what stands above belongs to whoever works on it, then to the caller
  };

  static void run(void *slot) noexcept;
  void work(Slot &slot) noexcept;
  Slot &back();
  void add_done();
  Slot &slot(std::size_t number) { return *slots_[(first_ + number) % slots_.size()]; }
  bool help();
  void count_jobs(int more);
  bool is_done(const Slot &slot);
  void wait_for(const Slot &slot);

  SharedPool pool_;
  std::shared_ptr<Recycler> recycler_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::size_t first_ = 0;
  std::size_t used_ = 0;
  std::atomic<bool> abandoned_{false};
  int jobs_ = 0; // posted and not run; guarded by the mutex
  std::mutex mutex_;
  std::condition_variable changed_;
  const Slot *awaited_ = nullptr; // guarded by the mutex
};

} // namespace marc
