// The pipeline under random delays: the source waits, the consumer waits, jobs are held up by others, and some readers
// are cancelled, interrupted or left in the middle. What comes out is a beginning of the same pieces, in the same places.
// SPDX-License-Identifier: MIT
#include "make.hpp"
#include "pipeline.hpp"
#include "pool.hpp"
#include "reading.hpp"
#include "whole.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kRounds = 12;
#else
constexpr std::size_t kRounds = 60;
#endif
constexpr std::size_t kReaders = 6;

void pause(Random &random) {
  switch (random.below(12)) {
  case 0:
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(300)));
    break;
  case 1:
  case 2:
    std::this_thread::yield();
    break;
  default:
    break;
  }
}

// Takes up a thread of the pool for a while.
void hold_up(void *context) noexcept {
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(200);
  while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
  ++*static_cast<std::atomic<std::size_t> *>(context);
}

// Batches that are given from hand to hand and released by whoever finds them.
class Pile {
public:
  void put(Handed batch) {
    const std::lock_guard lock(mutex_);
    batches_.push_back(std::move(batch));
  }
  Handed take(Random &random) {
    const std::lock_guard lock(mutex_);
    if (batches_.size() < 4) return nullptr;
    std::swap(batches_[random.below(batches_.size())], batches_.back());
    Handed batch = std::move(batches_.back());
    batches_.pop_back();
    return batch;
  }

private:
  std::mutex mutex_;
  std::vector<Handed> batches_;
};

// Reads once, in a way that the seed says. "" if all promises were kept.
std::string read_once(std::uint32_t seed, const std::string &data, const std::vector<std::string> &all, Pile &pile) {
  Random random(seed);
  Random source_random(seed + 1);
  Log log;
  marc::PipelineOptions options = options_of(random.between(200, 6000), random.below(4));
  options = with_threads(options, 3, random.between(1, 9));
  const std::size_t reading = random.below(6);
  const std::size_t stops = random.below(all.size());
  auto scripted_source = scripted(
      data, [&](std::size_t capacity) { return source_random.between(1, capacity); }, log);
  scripted_source->before_read([&] { pause(source_random); });
  if (reading == 1)
    for (std::size_t n = 2; n < 60; n += source_random.between(1, 8))
      scripted_source->fail_read(n, {MARC_E_INTERRUPTED, 0, {}});
  if (reading == 2) scripted_source->fail_at(random.below(data.size()), {MARC_E_IO, 5, {}});
  const bool from_memory = reading == 5;
  marc::Pipeline pipeline(from_memory ? marc::open_memory({bytes_of(data), data.size()}) : std::move(scripted_source),
                          options);
  std::thread canceller;
  if (reading == 3)
    canceller = std::thread([&, wait = random.below(3000)] {
      std::this_thread::sleep_for(std::chrono::microseconds(wait));
      pipeline.cancel();
    });
  Tally tally;
  std::int32_t last = MARC_OK;
  while (last == MARC_OK || last == MARC_E_INTERRUPTED) {
    Outcome outcome = next(pipeline);
    last = outcome.failure.code;
    if (outcome.batch != nullptr) {
      tally.add(*outcome.batch);
      if (random.one_in(2)) pile.put(std::move(outcome.batch));
    }
    pile.take(random).reset();
    pause(random);
    if (reading == 4 && tally.pieces().size() >= stops) break; // left in the middle
  }
  if (canceller.joinable()) canceller.join();
  if (!tally.broken().empty()) return tally.broken();
  if (tally.pieces().size() > all.size() || !std::equal(tally.pieces().begin(), tally.pieces().end(), all.begin()))
    return "other pieces: " + line_difference(all, tally.pieces());
  if (pipeline.counters().pieces != tally.pieces().size()) return "the counters";
  if (last == MARC_END && tally.pieces().size() != all.size()) return "an end before the end";
  const bool expected = last == MARC_END || (reading == 2 && last == MARC_E_IO) ||
                        (reading == 3 && last == MARC_E_CANCELLED) || (reading == 4 && last == MARC_OK) ||
                        (reading == 4 && last == MARC_E_INTERRUPTED);
  return expected ? "" : "code " + std::to_string(last) + ", reading " + std::to_string(reading);
}

} // namespace

BOOST_AUTO_TEST_CASE(test_stress_with_delays_in_every_stage) {
  const std::string data = mixed_input().substr(0, 60000);
  const std::vector<std::string> all = pieces_of_memory(data);
  Pile pile;
  std::array<std::string, kReaders> problems;
  std::array<std::thread, kReaders> readers;
  std::atomic<bool> done{false};
  std::atomic<std::size_t> held_up{0};
  // Jobs of others between those of the readers, through pools that come and go.
  std::thread other([&] {
    Random random(1);
    std::size_t posted = 0;
    while (!done) {
      const marc::SharedPool pool(3);
      // A few at a time: however slow the machine is, they are not to pile up before the jobs of the readers.
      for (std::size_t i = random.below(4); i > 0 && posted - held_up < 4; --i, ++posted) pool->post(hold_up, &held_up);
      std::this_thread::sleep_for(std::chrono::microseconds(random.below(2000)));
    }
  });
  for (std::size_t i = 0; i < kReaders; ++i)
    readers[i] = std::thread([&, i] {
      for (std::size_t round = 0; round < kRounds && problems[i].empty(); ++round) {
        const auto seed = static_cast<std::uint32_t>(1000 * i + 10 * round);
        problems[i] = read_once(seed, data, all, pile);
        if (!problems[i].empty()) problems[i] += ", seed " + std::to_string(seed);
      }
    });
  for (std::thread &reader : readers) reader.join();
  done = true;
  other.join();
  for (const std::string &problem : problems) BOOST_TEST(problem == "");
  BOOST_TEST(held_up > 0U);
}
