// The thread pool: all jobs run, on as many threads as were asked for, and none is lost at the end.
#include "pool.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

namespace {

struct Meeting {
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::thread::id> present;
  std::size_t expected = 0;

  // Returns when as many threads as expected are here at the same time.
  void attend() {
    std::unique_lock lock(mutex);
    present.insert(std::this_thread::get_id());
    changed.notify_all();
    changed.wait(lock, [this] { return present.size() == expected; });
  }
};

void count(void *context) noexcept { ++*static_cast<std::atomic<int> *>(context); }
void attend(void *context) noexcept { static_cast<Meeting *>(context)->attend(); }

} // namespace

BOOST_AUTO_TEST_SUITE(pool)

BOOST_AUTO_TEST_CASE(test_pool_runs_every_job_before_it_ends) {
  std::atomic<int> done{0};
  {
    marc::Pool pool(3);
    for (int i = 0; i < 10000; ++i) pool.post(count, &done);
  }
  BOOST_TEST(done == 10000);
}

BOOST_AUTO_TEST_CASE(test_pool_has_the_threads_that_were_asked_for) {
  Meeting meeting;
  meeting.expected = 4;
  {
    marc::Pool pool(4);
    BOOST_TEST(pool.threads() == 4U);
    for (int i = 0; i < 4; ++i) pool.post(attend, &meeting); // ends only if four run at once
  }
  BOOST_TEST(meeting.present.size() == 4U);
  BOOST_TEST(meeting.present.count(std::this_thread::get_id()) == 0U);
}

BOOST_AUTO_TEST_CASE(test_pool_takes_jobs_from_many_threads) {
  std::atomic<int> done{0};
  {
    marc::Pool pool(2);
    std::array<std::thread, 4> posters;
    for (auto &poster : posters)
      poster = std::thread([&] {
        for (int i = 0; i < 1000; ++i) pool.post(count, &done);
      });
    for (auto &poster : posters) poster.join();
  }
  BOOST_TEST(done == 4000);
}

BOOST_AUTO_TEST_CASE(test_pool_opens_and_closes_without_work) {
  for (int i = 0; i < 200; ++i) marc::Pool pool(2);
}

BOOST_AUTO_TEST_SUITE_END()
