// The pipeline with threads: what comes out, and where, is the same for any number of them, whatever goes wrong and
// whoever stops when.
// SPDX-License-Identifier: MIT
#include "pipeline.hpp"

#include "boundary_map.hpp"
#include "files.hpp"
#include "make.hpp"
#include "reading.hpp"
#include "whole.hpp"

#include <boost/test/data/test_case.hpp>
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

using namespace std::string_literals;
using namespace test;

namespace {

constexpr std::array kFixtures{"mixed", "damaged", "marc8", "large"};

// Some of each kind of piece, in a few thousand bytes.
const std::string &small_input() {
  static const std::string kInput = [] {
    std::string data = "\n" + kA + kB + "junk\x1d" + kC + "  \x1d" + with(kB, 0, "99999") + kA + "two words";
    data += kC + std::string(130, ' ') + kB.substr(0, 100) + kA + with(titled(std::string(700, 't')), 0, "00000");
    return data + kB + "\x1d\n" + titled("no length", {.length = "     "}) + kC + "1\x1d" + kA + kB.substr(0, 90);
  }();
  return kInput;
}

marc::PipelineOptions threaded(std::size_t chunk, unsigned threads = 3, std::size_t ahead = 4) {
  return with_threads(options_of(chunk), threads, ahead);
}

// Whether each of the lines is one of the others, in their order, from the first on.
bool begins_with(const std::vector<std::string> &all, const std::vector<std::string> &lines) {
  return lines.size() <= all.size() && std::equal(lines.begin(), lines.end(), all.begin());
}

} // namespace

// ---- The same pieces -------------------------------------------------------------------------------------------------

BOOST_DATA_TEST_CASE(test_any_number_of_threads_gives_the_same_pieces, boost::unit_test::data::make(kFixtures), name) {
  const std::string data = fixture(name).data;
  const Folder folder;
  const std::string path = folder.file("input", data);
  for (const marc::Reading reading : {marc::Reading::Pymarc, marc::Reading::Best}) {
    marc::PipelineOptions serial;
    serial.pieces.reading = reading;
    const std::vector<std::string> expected = pieces_of_memory(data, serial);
    for (const unsigned threads : {1U, 2U, 3U, 4U, 8U}) {
      const bool both = threads == 2 || threads == 8;
      if (reading == marc::Reading::Best && !both) continue;
      marc::PipelineOptions options = with_threads(serial, threads, threads == 1 ? 0 : threads + 2);
      options.pieces.chunk = threads % 2 == 0 ? 10000 : 65536;
      options.pieces.batch_records = threads == 4 ? 3 : 0;
      const std::string way = std::string(name) + ", " + std::to_string(threads) + " threads";
      marc::Failure failure;
      BOOST_TEST(line_difference(expected,
                                 pieces_of(marc::open_file(path.c_str(), false, failure), options, data.size())) == "",
                 way);
      if (both) BOOST_TEST(line_difference(expected, pieces_of_memory(data, options)) == "", way);
    }
  }
}

BOOST_AUTO_TEST_CASE(any_largest_size_gives_the_same_pieces_with_threads) {
  const std::string &data = small_input();
  Log log;
  const marc::SharedPool pool(3);
  for (const std::size_t largest : {1U, 37U, 100U, 250U, 400U, 1000U}) {
    const std::vector<std::string> expected = pieces_of_memory(data, options_of(1 << 20, 0, largest));
    for (const std::size_t chunk : {64U, 100U, 399U, 1000U}) {
      for (const std::size_t records : {0U, 1U, 2U}) {
        const marc::PipelineOptions options = with_threads(options_of(chunk, records, largest), 3, 3);
        BOOST_TEST(line_difference(expected, pieces_of_memory(data, options)) == "", chunk << ", " << largest);
        BOOST_TEST(
            line_difference(expected, pieces_of(scripted(data, test::pieces_of(50), log), options, data.size())) == "",
            chunk << ", " << largest);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(runs_of_silent_bytes_of_any_size_with_threads) {
  const marc::SharedPool pool(2);
  const std::string blank = titled("no length", {.length = "     "});
  for (const std::string &silent : {" "s, "\x1d"s, "\xef\xbb\xbf"s, "\x1d\0"s, "\xef\xbb\xbf\x1d"s}) {
    for (const std::size_t size : {1U, 63U, 64U, 65U, 500U, 5000U, 250000U}) {
      const std::string run = repeated(silent, size / silent.size() + 1);
      const std::string data = kA + run + kB + run + "x" + run + blank + run + kC + run;
      const std::vector<std::string> expected = pieces_of_memory(data);
      for (const std::size_t chunk : {64U, 700U, 100000U}) {
        Log log;
        BOOST_TEST(line_difference(expected, pieces_of_memory(data, threaded(chunk, 2))) == "");
        BOOST_TEST(line_difference(expected,
                                   pieces_of(scripted(data, at_once(), log), threaded(chunk, 2), data.size())) == "");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_input_that_another_format_seems_to_be_with_threads) {
  const marc::SharedPool pool(2);
  for (const std::string &head :
       {"\x1f\x8b\x08\x00\x1d.."s, "PK\x03\x04"s, "<?xml version='1.0'?>"s, "{\"leader\":"s}) {
    const std::string data = head + repeated("zip\x1dped\x1e\x1d", 60) + kA + kB + head + "\x1d" + kC + head;
    const std::vector<std::string> expected = pieces_of_memory(data);
    for (const std::size_t chunk : {64U, 200U, 1000U}) {
      for (const std::size_t size : {1U, 40U, 10000U}) {
        Log log;
        BOOST_TEST(line_difference(expected, pieces_of(scripted(data, test::pieces_of(size), log), threaded(chunk, 2),
                                                       data.size())) == "");
      }
      BOOST_TEST(line_difference(expected, pieces_of_memory(data, threaded(chunk, 2))) == "");
    }
  }
}

// ---- What is read, and when ------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(test_pipeline_channel_backpressure) {
  // A record a chunk, and as many chunks as the bound says: nothing more is read until a batch was taken.
  const std::string unit = titled("one of many");
  const std::string data = repeated(unit, 3000);
  for (const std::size_t ahead : {1U, 2U, 10U, 1000U}) {
    Log log;
    marc::Pipeline pipeline(scripted(data, test::pieces_of(unit.size()), log), threaded(unit.size(), 2, ahead));
    std::vector<Handed> held;
    std::size_t given = 0;
    std::size_t most = 0;
    for (Outcome outcome = next(pipeline); outcome.batch != nullptr; outcome = next(pipeline)) {
      given += outcome.batch->size();
      most = std::max<std::size_t>(most, log.reads - given);
      if (given == 1) BOOST_TEST(log.reads == 1U);                     // the first is asked for only
      if (held.size() < 100) held.push_back(std::move(outcome.batch)); // a batch that is kept lets reading go on
    }
    BOOST_TEST(given == 3000U);
    BOOST_TEST(most <= ahead + 1); // the ring, and what its last part was told from
    BOOST_TEST(most >= std::min<std::size_t>(ahead, 1) - 1);
    BOOST_TEST(pipeline.counters().chunks_ahead == ahead);
    BOOST_TEST(log.reads_after_end == 0U);
  }
}

BOOST_AUTO_TEST_CASE(reading_stands_still_while_nobody_asks) {
  const std::string unit = titled("one of many");
  Log log;
  marc::Pipeline pipeline(scripted(repeated(unit, 500), test::pieces_of(unit.size()), log),
                          threaded(unit.size(), 2, 5));
  for (int i = 0; i < 3; ++i) BOOST_TEST_REQUIRE((next(pipeline).batch != nullptr));
  const std::size_t reads = log.reads;
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  BOOST_TEST(log.reads == reads);
  Tally tally;
  Log all;
  BOOST_TEST((next(pipeline).batch != nullptr));
  BOOST_TEST(log.reads == reads + 1); // a place was free
}

BOOST_AUTO_TEST_CASE(memory_stays_at_the_bound) {
  // However much goes by: the ring, the window, what the consumer has, and one to grow into.
  const std::string data = repeated(titled(std::string(500, 't')), 12000);
  for (const unsigned threads : {2U, 4U}) {
    const std::size_t chunk = 50000;
    Log log;
    marc::Pipeline pipeline(scripted(data, at_once(), log), threaded(chunk, threads, threads + 2));
    std::size_t given = 0;
    for (Outcome outcome = next(pipeline); outcome.batch != nullptr; outcome = next(pipeline))
      given += outcome.batch->size();
    BOOST_TEST(given == 12000U);
    BOOST_TEST(pipeline.counters().bytes_held <= (threads + 2 + 3) * (chunk + (128U << 10)));
  }
}

BOOST_AUTO_TEST_CASE(a_small_input_needs_no_other_thread) {
  const Folder folder;
  for (const std::string &data : {""s, kA, kA + kB + kC, "\n" + kA + "junk", repeated(kA, 100)}) {
    marc::Failure failure;
    std::unique_ptr<marc::Source> sources[] = {marc::open_memory({bytes_of(data), data.size()}),
                                               marc::open_file(folder.file("small", data).c_str(), false, failure)};
    for (auto &source : sources) {
      marc::Pipeline pipeline(std::move(source), threaded(1 << 20, 4, 6));
      Tally tally;
      BOOST_TEST(read_to_end(pipeline, tally).code == MARC_END);
      BOOST_TEST(pipeline.counters().threads == 1U);
      BOOST_TEST(pipeline.counters().chunks_ahead == 0U);
    }
  }
}

// ---- Failures --------------------------------------------------------------------------------------------------------

namespace {

// What came before a failure, and where it was said to be.
struct Failed {
  std::vector<std::string> pieces;
  std::string broken;
  marc::Failure failure;
  std::uint64_t offset = 0;
  std::uint64_t index = 0;
  std::string rest;
};

Failed read_to_failure(std::unique_ptr<marc::Source> source, const marc::PipelineOptions &options) {
  marc::Pipeline pipeline(std::move(source), options);
  Tally tally;
  Failed failed;
  failed.failure = read_to_end(pipeline, tally);
  failed.pieces = tally.pieces();
  failed.broken = tally.broken();
  failed.offset = pipeline.offset();
  failed.index = pipeline.index();
  failed.rest = text_of(pipeline.rest().data(), pipeline.rest().size());
  for (int i = 0; i < 3; ++i) BOOST_TEST_REQUIRE(next(pipeline).failure.code == MARC_END);
  BOOST_TEST_REQUIRE(pipeline.offset() == failed.offset);
  BOOST_TEST_REQUIRE(pipeline.counters().silent_bytes + tally.piece_bytes() == failed.offset);
  return failed;
}

} // namespace

BOOST_AUTO_TEST_CASE(test_pool_error_propagation) {
  // Wherever the source fails: the pieces, the place and the rest are what one thread says.
  const std::string &data = small_input();
  const marc::SharedPool pool(3);
  for (std::size_t at = 0; at <= data.size(); at += kStep) {
    const auto source = [&](std::size_t size, Log &log) {
      auto made = scripted(data, test::pieces_of(size), log);
      made->fail_at(at, {MARC_E_IO, 5, "broken"});
      return made;
    };
    Log log;
    const Failed expected = read_to_failure(source(10000, log), options_of(1 << 20));
    BOOST_TEST_REQUIRE(expected.rest == data.substr(expected.offset, at - expected.offset), at);
    for (const auto &[chunk, size] : {std::pair{64U, 10000U}, {300U, 100U}, {1000U, 10000U}}) {
      Log other;
      const Failed failed = read_to_failure(source(size, other), threaded(chunk));
      BOOST_TEST_REQUIRE(failed.broken == "", at);
      BOOST_TEST_REQUIRE(line_difference(expected.pieces, failed.pieces) == "", at << ", chunk " << chunk);
      BOOST_TEST_REQUIRE(failed.failure.code == MARC_E_IO, at);
      BOOST_TEST_REQUIRE(failed.failure.detail == 5, at);
      BOOST_TEST_REQUIRE(failed.failure.message == "broken", at);
      BOOST_TEST_REQUIRE(failed.offset == expected.offset, at << ", chunk " << chunk);
      BOOST_TEST_REQUIRE(failed.index == expected.index, at << ", chunk " << chunk);
      BOOST_TEST_REQUIRE(failed.rest == expected.rest, at << ", chunk " << chunk);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_interruption_at_any_read_loses_nothing_with_threads) {
  const std::string &data = small_input();
  const std::vector<std::string> expected = pieces_of_memory(data);
  const marc::SharedPool pool(3);
  for (const std::size_t chunk : {64U, 200U, 700U}) {
    Log whole;
    pieces_of(scripted(data, at_once(), whole), threaded(chunk), data.size());
    for (std::size_t number = 1; number <= whole.reads; number += kStep) {
      for (const std::size_t step : {1U, 2U, 5U}) {
        Log log;
        auto source = scripted(data, at_once(), log);
        std::size_t times = 0;
        for (std::size_t n = number; n <= number + 12 * step; n += step, ++times)
          source->fail_read(n, {MARC_E_INTERRUPTED, 0, {}});
        marc::Pipeline pipeline(std::move(source), threaded(chunk));
        Tally tally;
        std::size_t interrupted = 0;
        for (;;) {
          const Outcome outcome = next(pipeline);
          if (outcome.batch != nullptr) tally.add(*outcome.batch);
          if (outcome.failure.code == MARC_E_INTERRUPTED) {
            ++interrupted;
            BOOST_TEST_REQUIRE(pipeline.rest().empty()); // nothing is cut
            BOOST_TEST_REQUIRE(pipeline.index() == tally.pieces().size());
          } else if (outcome.batch == nullptr) {
            BOOST_TEST_REQUIRE(outcome.failure.code == MARC_END);
            break;
          }
        }
        BOOST_TEST_REQUIRE(interrupted <= times);
        BOOST_TEST_REQUIRE((interrupted == times || log.reads < number + 12 * step), number);
        BOOST_TEST_REQUIRE(tally.broken() == "");
        BOOST_TEST_REQUIRE(line_difference(expected, tally.pieces()) == "", number << ", chunk " << chunk);
        BOOST_TEST_REQUIRE(pipeline.counters().silent_bytes + tally.piece_bytes() == data.size());
        BOOST_TEST_REQUIRE(pipeline.offset() == data.size());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(interrupted_and_then_failed_with_threads) {
  const std::string &data = small_input();
  const marc::SharedPool pool(3);
  for (std::size_t at = 0; at <= data.size(); at += 13) {
    const auto source = [&](Log &log) {
      auto made = scripted(data, at_once(), log);
      for (int i = 0; i < 2; ++i) made->fail_at(at, {MARC_E_INTERRUPTED, 0, {}});
      made->fail_at(at, {MARC_E_CALLBACK, -3, {}});
      return made;
    };
    Log log;
    const Failed expected = read_to_failure(source(log), options_of(1 << 20));
    Log other;
    const Failed failed = read_to_failure(source(other), threaded(200));
    BOOST_TEST_REQUIRE(line_difference(expected.pieces, failed.pieces) == "", at);
    BOOST_TEST_REQUIRE(failed.failure.code == MARC_E_CALLBACK);
    BOOST_TEST_REQUIRE(failed.offset == expected.offset, at);
    BOOST_TEST_REQUIRE(failed.rest == expected.rest, at);
  }
}

// ---- Stopping --------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(cancelled_inside_any_read_with_threads) {
  const std::string &data = small_input();
  const std::vector<std::string> all = pieces_of_memory(data);
  const marc::SharedPool pool(3);
  Log whole;
  pieces_of(scripted(data, at_once(), whole), threaded(100), data.size());
  for (std::size_t number = 1; number <= whole.reads; ++number) {
    Log log;
    auto source = scripted(data, at_once(), log);
    marc::Pipeline *running = nullptr;
    source->before_read([&] {
      if (log.reads == number) running->cancel();
    });
    marc::Pipeline pipeline(std::move(source), threaded(100));
    running = &pipeline;
    Tally tally;
    std::int32_t last = MARC_OK;
    while (last == MARC_OK) {
      const Outcome outcome = next(pipeline);
      // A call that is running when it is cancelled says so, as soon as the source lets go.
      BOOST_TEST_REQUIRE((outcome.batch == nullptr || log.reads < number), number);
      if (outcome.batch != nullptr) tally.add(*outcome.batch);
      last = outcome.failure.code;
    }
    BOOST_TEST(last == MARC_E_CANCELLED);
    BOOST_TEST(log.reads == number);
    BOOST_TEST(begins_with(all, tally.pieces()));
    for (int i = 0; i < 3; ++i) BOOST_TEST(next(pipeline).failure.code == MARC_E_CANCELLED);
    BOOST_TEST(log.reads == number);
  }
}

BOOST_AUTO_TEST_CASE(cancelled_by_another_thread_at_any_time) {
  const std::string data = repeated(small_input(), 100);
  const std::vector<std::string> all = pieces_of_memory(data);
  Random random(3);
  const marc::SharedPool pool(3);
  std::size_t cancelled = 0;
  for (int round = 0; round < 60; ++round) {
    Log log;
    marc::Pipeline pipeline(scripted(data, at_once(), log), threaded(random.between(64, 3000)));
    const std::size_t pieces = random.below(all.size() / 3);
    std::thread canceller([&] {
      while (pipeline.counters().pieces < pieces) std::this_thread::yield();
      pipeline.cancel();
    });
    Tally tally;
    const marc::Failure failure = read_to_end(pipeline, tally);
    canceller.join();
    BOOST_TEST_REQUIRE((failure.code == MARC_E_CANCELLED || failure.code == MARC_END));
    BOOST_TEST_REQUIRE(tally.broken() == "");
    BOOST_TEST_REQUIRE(begins_with(all, tally.pieces()));
    BOOST_TEST_REQUIRE(pipeline.index() == tally.pieces().size());
    BOOST_TEST_REQUIRE(next(pipeline).failure.code == MARC_E_CANCELLED);
    cancelled += failure.code == MARC_E_CANCELLED ? 1 : 0;
  }
  BOOST_TEST(cancelled > 10U);
}

BOOST_AUTO_TEST_CASE(freed_in_mid_stream) {
  // After any number of batches, while jobs run.
  const std::string data = repeated(mixed_input(), 2);
  for (std::size_t batches = 0; batches < 40; ++batches) {
    Log log;
    marc::Pipeline pipeline(scripted(data, at_once(), log), threaded(2000, 4, 30));
    for (std::size_t i = 0; i < batches; ++i) BOOST_TEST_REQUIRE((next(pipeline).batch != nullptr));
  }
}

BOOST_AUTO_TEST_CASE(batches_outlive_the_pipeline_and_are_released_anywhere) {
  const std::string &data = mixed_input();
  const std::vector<std::string> all = pieces_of_memory(data);
  for (const bool from_memory : {true, false}) {
    for (const std::size_t most : {5U, 1000U}) {
      std::vector<Handed> held;
      {
        Log log;
        marc::Pipeline pipeline(from_memory ? marc::open_memory({bytes_of(data), data.size()})
                                            : scripted(data, at_once(), log),
                                threaded(1500, 4, 6));
        while (held.size() < most) {
          Outcome outcome = next(pipeline);
          if (outcome.batch == nullptr) break;
          held.push_back(std::move(outcome.batch));
        }
      }
      Tally tally;
      for (const Handed &batch : held) tally.add(*batch);
      BOOST_TEST(tally.broken() == "");
      BOOST_TEST(begins_with(all, tally.pieces()));
      if (most == 1000) BOOST_TEST(tally.pieces().size() == all.size());
      std::array<std::thread, 4> threads;
      for (std::size_t i = 0; i < threads.size(); ++i)
        threads[i] = std::thread([&held, i] {
          for (std::size_t n = i; n < held.size(); n += 4) held[n].reset();
        });
      for (std::thread &thread : threads) thread.join();
    }
  }
}

BOOST_AUTO_TEST_CASE(test_pool_safety) {
  // Batches go to other threads, which look at them and give them back while the pipeline reads on and takes up their
  // memory.
  const std::string data = repeated(mixed_input(), 3);
  const std::vector<std::string> all = pieces_of_memory(data);
  for (const unsigned threads : {2U, 8U}) {
    Log log;
    marc::Pipeline pipeline(scripted(data, at_once(), log), threaded(3000, threads, threads + 2));
    std::array<std::vector<std::string>, 3> seen;
    std::array<std::vector<Handed>, 3> queues;
    std::array<std::mutex, 3> mutexes;
    std::atomic<bool> done{false};
    std::array<std::thread, 3> consumers;
    for (std::size_t i = 0; i < consumers.size(); ++i)
      consumers[i] = std::thread([&, i] {
        for (;;) {
          const bool last = done;
          std::vector<Handed> mine;
          {
            const std::lock_guard lock(mutexes[i]);
            mine.swap(queues[i]);
          }
          for (Handed &batch : mine) {
            for (std::size_t n = 0; n < batch->size(); ++n)
              seen[i].push_back(std::to_string(batch->first_index + n) + " @" +
                                std::to_string(batch->source_offset + batch->record_start[n]) + " " +
                                piece_text(*batch, n));
            batch.reset();
          }
          if (mine.empty() && last) return;
          std::this_thread::yield();
        }
      });
    std::size_t number = 0;
    for (Outcome outcome = next(pipeline); outcome.batch != nullptr; outcome = next(pipeline), ++number) {
      const std::lock_guard lock(mutexes[number % 3]);
      queues[number % 3].push_back(std::move(outcome.batch));
    }
    done = true;
    for (std::thread &consumer : consumers) consumer.join();
    std::vector<std::string> together;
    for (const auto &some : seen) together.insert(together.end(), some.begin(), some.end());
    const auto place = [](const std::string &line) { return std::stoul(line.substr(line.find('@') + 1)); };
    std::sort(together.begin(), together.end(),
              [&](const std::string &a, const std::string &b) { return place(a) < place(b); });
    BOOST_TEST(line_difference(all, together) == "");
  }
}

BOOST_AUTO_TEST_CASE(test_concurrent_readers) {
  // Many readers, each on a thread of its own, some in the middle when others end; one pool for all.
  const std::string &data = mixed_input();
  const Folder folder;
  const std::string path = folder.file("input", data);
  const std::vector<std::string> all = pieces_of_memory(data);
  std::atomic<std::size_t> wrong{0};
  std::array<std::thread, 8> threads;
  for (std::size_t i = 0; i < threads.size(); ++i)
    threads[i] = std::thread([&, i] {
      for (std::size_t round = 0; round < 6; ++round) {
        marc::Failure failure;
        marc::Pipeline pipeline(i % 2 == 0 ? marc::open_memory({bytes_of(data), data.size()})
                                           : marc::open_file(path.c_str(), false, failure),
                                threaded(1000 + 700 * i, 3, 1 + i));
        Tally tally;
        const std::size_t batches = (i + round) % 4 == 0 ? 10 : 100000;
        while (tally.batches() < batches) {
          const Outcome outcome = next(pipeline);
          if (outcome.batch == nullptr) break;
          tally.add(*outcome.batch);
        }
        const bool good = tally.broken().empty() && begins_with(all, tally.pieces()) &&
                          (batches == 10 || tally.pieces().size() == all.size());
        wrong += good ? 0 : 1;
      }
    });
  for (std::thread &thread : threads) thread.join();
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(counters_add_up) {
  const std::string &data = mixed_input();
  Log log;
  marc::Pipeline pipeline(scripted(data, at_once(), log), threaded(3000, 4, 6));
  Tally tally;
  const auto begun = std::chrono::steady_clock::now();
  BOOST_TEST(read_to_end(pipeline, tally).code == MARC_END);
  const auto took =
      static_cast<std::uint64_t>(std::chrono::nanoseconds(std::chrono::steady_clock::now() - begun).count());
  const marc::StreamCounters &counters = pipeline.counters();
  BOOST_TEST(counters.bytes_read == data.size());
  BOOST_TEST(counters.source_reads == log.reads);
  BOOST_TEST(counters.pieces == tally.pieces().size());
  BOOST_TEST(counters.silent_bytes + tally.piece_bytes() == data.size());
  BOOST_TEST(counters.silent_bytes == tally.silent_bytes());
  BOOST_TEST(counters.threads == 4U);
  BOOST_TEST(counters.chunks_ahead == 6U);
  BOOST_TEST(counters.bytes_held > 0U);
  BOOST_TEST(counters.wait_source + counters.wait_workers <= took);
  BOOST_TEST(counters.wait_consumer <= took);
}
