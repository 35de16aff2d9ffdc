// Memory that batches have given back, for the next ones: any thread may give, the reader takes. Nobody ever waits.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"

#include <boost/lockfree/queue.hpp>

#include <atomic>
#include <cstddef>

namespace marc {

class Recycler {
public:
  // `arena_size`: bytes of an arena of usual size; only these are kept.
  explicit Recycler(std::size_t arena_size) : arena_size_(arena_size) {}
  ~Recycler();
  Recycler(const Recycler &) = delete;
  Recycler &operator=(const Recycler &) = delete;

  // A cleared batch / an arena with one reference, used before or new: of usual size, or of this one if that is larger.
  // May throw std::bad_alloc.
  std::unique_ptr<Batch> take_batch();
  Arena *take_arena(std::size_t size);

  // One reference less on an arena; the last one keeps or deletes it.
  void give_back(Arena *arena);
  void give_back(Batch *batch);

  // The most bytes of arenas that were in use at a time.
  std::size_t most_held() const { return most_held_.load(std::memory_order_relaxed); }

private:
  static constexpr std::size_t kMost = 16; // kept of each; more are deleted

  std::size_t arena_size_;
  std::atomic<std::size_t> held_{0};
  std::atomic<std::size_t> most_held_{0};
  boost::lockfree::queue<Batch *, boost::lockfree::capacity<kMost>> batches_;
  boost::lockfree::queue<Arena *, boost::lockfree::capacity<kMost>> arenas_;
};

} // namespace marc
