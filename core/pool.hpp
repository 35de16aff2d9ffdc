// A fixed number of threads that run jobs. The only file that knows Boost.Asio.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

namespace marc {

class Pool {
public:
  // A job cannot throw, by its type: what goes wrong in one is kept in its own context.
  using Job = void (*)(void *context) noexcept;

  // `threads` is at least 1; fewer where no more can be had. Throws std::system_error or std::bad_alloc for none.
  explicit Pool(unsigned threads);
  // Runs all jobs that were posted, then ends the threads.
  ~Pool();
  Pool(const Pool &) = delete;
  Pool &operator=(const Pool &) = delete;

  // Runs job(context) on one of the threads, soon. Never waits: whoever posts bounds the number of jobs. May throw
  // std::bad_alloc; the job is then not posted.
  void post(Job job, void *context);

  unsigned threads() const;

private:
  struct Threads;
  std::unique_ptr<Threads> threads_;
};

// Keeps the pool that all readers of this process share: made by the first, with as many threads as that says, ended with
// the last. Not to be destroyed in a forked child, or by a job.
class SharedPool {
public:
  // Throws as Pool does.
  explicit SharedPool(unsigned threads);
  ~SharedPool();
  SharedPool(const SharedPool &) = delete;
  SharedPool &operator=(const SharedPool &) = delete;

  Pool &operator*() const { return *pool_; }
  Pool *operator->() const { return pool_; }

private:
  Pool *pool_;
};

} // namespace marc
