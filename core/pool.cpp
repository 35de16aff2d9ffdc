// SPDX-License-Identifier: MIT
#include "pool.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace marc {

struct Pool::Threads {
  explicit Threads(unsigned number) : count(number), pool(number) {}

  unsigned count;
  boost::asio::thread_pool pool;
};

Pool::Pool(unsigned threads) : threads_(std::make_unique<Threads>(threads)) {}

// join() first: the destructor of thread_pool alone would drop the jobs that wait.
Pool::~Pool() { threads_->pool.join(); }

void Pool::post(Job job, void *context) {
  boost::asio::post(threads_->pool, [job, context]() noexcept { job(context); });
}

unsigned Pool::threads() const { return threads_->count; }

} // namespace marc
