// SPDX-License-Identifier: MIT
#include "pool.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

namespace marc {

// Threads that attach themselves to a thread_pool without any: the constructor of one that makes its own never returns
// when the second thread cannot be had.
struct Pool::Threads {
  explicit Threads(unsigned number) : pool(0) {
    members.reserve(number);
    try {
      while (members.size() < number) members.emplace_back([this] { pool.attach(); });
    } catch (const std::exception &) { // fewer will do
      if (members.empty()) throw;
    }
  }

  // Runs what has been posted first.
  ~Threads() {
    for (std::size_t left = pending.load(); left > 0; left = pending.load()) pending.wait(left);
    pool.stop();
    for (std::thread &member : members) member.join();
  }

  Threads(const Threads &) = delete;
  Threads &operator=(const Threads &) = delete;

  void done() {
    if (pending.fetch_sub(1) == 1) pending.notify_all();
  }

  boost::asio::thread_pool pool;
  std::vector<std::thread> members;
  std::atomic<std::size_t> pending{0}; // jobs that have not ended
};

Pool::Pool(unsigned threads) : threads_(std::make_unique<Threads>(threads)) {}
Pool::~Pool() = default;

void Pool::post(Job job, void *context) {
  Threads &threads = *threads_;
  ++threads.pending;
  try {
    boost::asio::post(threads.pool, [job, context, &threads]() noexcept {
      job(context);
      threads.done();
    });
  } catch (...) {
    threads.done();
    throw;
  }
}

unsigned Pool::threads() const { return static_cast<unsigned>(threads_->members.size()); }

namespace {

// The pool of this process. A forked child has no threads: what it inherits is not its own.
struct Shared {
  // (A fork waits while the mutex is held, so that it is free in the child.)
  Shared() { ::pthread_atfork(lock, unlock, forget); }

  static void lock();
  static void unlock();
  static void forget();

  std::mutex mutex;
  std::unique_ptr<Pool> pool;
  std::size_t users = 0;
};

Shared &the_shared() {
  static auto *const kShared = new Shared; // never ends: whoever is last to use it cannot be known
  return *kShared;
}

void Shared::lock() { the_shared().mutex.lock(); }
void Shared::unlock() { the_shared().mutex.unlock(); }
void Shared::forget() {
  static_cast<void>(the_shared().pool.release());
  the_shared().users = 0;
  unlock();
}

} // namespace

SharedPool::SharedPool(unsigned threads) {
  Shared &shared = the_shared();
  const std::lock_guard lock(shared.mutex);
  if (shared.users == 0) shared.pool = std::make_unique<Pool>(threads);
  ++shared.users;
  pool_ = shared.pool.get();
}

SharedPool::~SharedPool() {
  Shared &shared = the_shared();
  std::unique_ptr<Pool> last; // ends when the mutex is free
  const std::lock_guard lock(shared.mutex);
  if (--shared.users == 0) last = std::move(shared.pool);
}

} // namespace marc
