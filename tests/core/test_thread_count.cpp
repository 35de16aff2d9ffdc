// How many threads parse: what the environment says, what the machine has, and what can be had.
// SPDX-License-Identifier: MIT
#include "threads.hpp"

#include "make.hpp"
#include "pool.hpp"
#include "reading.hpp"
#include "whole.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <thread>

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

using namespace test;

namespace {

// MARC_NUM_THREADS for as long as it lives; NULL: unset.
class Said {
public:
  explicit Said(const char *text) {
    const char *before = std::getenv("MARC_NUM_THREADS");
    was_set_ = before != nullptr;
    if (was_set_) before_ = before;
    set(text);
  }
  ~Said() { set(was_set_ ? before_.c_str() : nullptr); }
  Said(const Said &) = delete;
  Said &operator=(const Said &) = delete;

private:
  static void set(const char *text) {
    if (text == nullptr)
      ::unsetenv("MARC_NUM_THREADS");
    else
      ::setenv("MARC_NUM_THREADS", text, 1);
  }

  bool was_set_;
  std::string before_;
};

unsigned count_of(const char *text, marc::Failure &failure) {
  const Said said(text);
  return marc::thread_count(failure);
}

} // namespace

BOOST_AUTO_TEST_CASE(what_the_environment_says) {
  for (const unsigned count : {1U, 2U, 7U, 64U, 1024U}) {
    marc::Failure failure;
    BOOST_TEST(count_of(std::to_string(count).c_str(), failure) == count);
    BOOST_TEST(failure.code == MARC_OK);
  }
  marc::Failure failure;
  BOOST_TEST(count_of("0004", failure) == 4U);
  BOOST_TEST(failure.code == MARC_OK);
}

BOOST_AUTO_TEST_CASE(unset_empty_and_0_are_the_processors) {
  for (const char *text : {static_cast<const char *>(nullptr), "", "0", "000"}) {
    marc::Failure failure;
    BOOST_TEST(count_of(text, failure) == marc::usable_cpus());
    BOOST_TEST(failure.code == MARC_OK);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_number_of_threads_is_said) {
  for (const std::string &text :
       {std::string("-1"), std::string("+2"), std::string(" 2"), std::string("2 "), std::string("2.0"),
        std::string("two"), std::string("0x2"), std::string("1025"), std::string("4294967297"),
        std::string("99999999999999999999999"), std::string("2\n"), std::string("\xff"), std::string(5000, '7')}) {
    marc::Failure failure;
    BOOST_TEST(count_of(text.c_str(), failure) == 0U, text);
    BOOST_TEST(failure.code == MARC_E_ARGUMENT, text);
    BOOST_TEST(failure.message.find("MARC_NUM_THREADS") != std::string::npos);
    BOOST_TEST(failure.message.find(text.substr(0, 20)) != std::string::npos);
    BOOST_TEST(failure.message.size() < 255U);
  }
}

BOOST_AUTO_TEST_CASE(the_processors_that_may_be_used) {
  const unsigned all = marc::usable_cpus();
  BOOST_TEST(all >= 1U);
  BOOST_TEST(all <= 1024U);
  // Those of its affinity only: tied to one of them there is one.
  unsigned tied = 0;
  std::thread([&tied] {
    cpu_set_t mine;
    CPU_ZERO(&mine);
    if (::sched_getaffinity(0, sizeof mine, &mine) != 0) return;
    int first = 0;
    while (!CPU_ISSET(first, &mine)) ++first;
    CPU_ZERO(&mine);
    CPU_SET(first, &mine);
    if (::sched_setaffinity(0, sizeof mine, &mine) == 0) tied = marc::usable_cpus();
  }).join();
  BOOST_TEST(tied == 1U);
  BOOST_TEST(marc::usable_cpus() == all);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // they need threads and memory of their own

namespace {

// Lets each new thread need `stack` bytes, and the process have `room` more of them than now; 0: no limit.
class ScarceThreads {
public:
  ScarceThreads(std::size_t stack, std::size_t room) {
    ::getrlimit(RLIMIT_AS, &before_);
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_getattr_default_np(&attributes);
    ::pthread_attr_getstacksize(&attributes, &stack_before_);
    ::pthread_attr_setstacksize(&attributes, stack);
    usable_ = ::pthread_setattr_default_np(&attributes) == 0;
    ::pthread_attr_destroy(&attributes);
    if (room == 0) return;
    std::ifstream statm("/proc/self/statm");
    std::size_t pages = 0;
    statm >> pages;
    rlimit limit = before_;
    limit.rlim_cur = pages * 4096 + room;
    ::setrlimit(RLIMIT_AS, &limit);
  }
  ~ScarceThreads() {
    ::setrlimit(RLIMIT_AS, &before_);
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, stack_before_);
    ::pthread_setattr_default_np(&attributes);
    ::pthread_attr_destroy(&attributes);
  }
  ScarceThreads(const ScarceThreads &) = delete;
  ScarceThreads &operator=(const ScarceThreads &) = delete;

  bool is_usable() const { return usable_; }

private:
  rlimit before_{};
  std::size_t stack_before_ = 0;
  bool usable_ = false;
};

constexpr std::size_t kStack = std::size_t{1} << 30;

} // namespace

BOOST_AUTO_TEST_CASE(fewer_threads_than_asked_for_will_do) {
  std::atomic<int> done{0};
  {
    const ScarceThreads scarce(kStack, 2 * kStack + kStack / 2);
    BOOST_TEST_REQUIRE(scarce.is_usable());
    marc::Pool pool(8);
    BOOST_TEST(pool.threads() >= 1U);
    BOOST_TEST(pool.threads() <= 2U);
    for (int i = 0; i < 1000; ++i)
      pool.post([](void *context) noexcept { ++*static_cast<std::atomic<int> *>(context); }, &done);
  }
  BOOST_TEST(done == 1000);
}

BOOST_AUTO_TEST_CASE(a_pool_without_a_thread_is_none) {
  const ScarceThreads scarce(kStack, kStack / 2);
  BOOST_CHECK_THROW(marc::Pool(3), std::system_error);
  BOOST_CHECK_THROW(marc::SharedPool(3), std::system_error);
}

BOOST_AUTO_TEST_CASE(a_pipeline_goes_on_with_the_threads_that_there_are) {
  const std::string &data = mixed_input();
  const std::vector<std::string> all = pieces_of_memory(data);
  for (const std::size_t threads : {0U, 1U, 2U}) {
    const ScarceThreads scarce(kStack, threads * kStack + kStack / 2);
    marc::Pipeline pipeline(marc::open_memory({bytes_of(data), data.size()}), with_threads(options_of(2000), 8, 4));
    Tally tally;
    BOOST_TEST(read_to_end(pipeline, tally).code == MARC_END);
    BOOST_TEST(line_difference(all, tally.pieces()) == "");
    BOOST_TEST(pipeline.counters().threads <= threads + 1); // and the caller
    BOOST_TEST((pipeline.counters().chunks_ahead > 0) == (threads > 0));
  }
  // Later ones have all again.
  const marc::SharedPool pool(3);
  BOOST_TEST(pool->threads() == 3U);
}

#endif

BOOST_AUTO_TEST_CASE(the_shared_pool_is_sized_by_the_first_and_ends_with_the_last) {
  auto first = std::make_unique<marc::SharedPool>(2);
  {
    const marc::SharedPool second(7);
    BOOST_TEST(&**first == &*second);
    BOOST_TEST(second->threads() == 2U);
    first.reset();
    BOOST_TEST(second->threads() == 2U);
    const marc::SharedPool third(5);
    BOOST_TEST(third->threads() == 2U);
  }
  const marc::SharedPool next(5);
  BOOST_TEST(next->threads() == 5U);
}

BOOST_AUTO_TEST_CASE(shared_pools_come_and_go_on_many_threads) {
  std::atomic<int> done{0};
  std::array<std::thread, 4> threads;
  for (std::thread &thread : threads)
    thread = std::thread([&done] {
      for (int i = 0; i < 150; ++i) {
        const marc::SharedPool pool(2);
        for (int n = 0; n < 3; ++n)
          pool->post([](void *context) noexcept { ++*static_cast<std::atomic<int> *>(context); }, &done);
      }
    });
  for (std::thread &thread : threads) thread.join();
  // All jobs have run when the last pool has ended.
  BOOST_TEST(done == 4 * 150 * 3);
}
