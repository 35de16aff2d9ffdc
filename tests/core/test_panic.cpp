// What goes wrong on a thread of the pool is the failure of a call, in its place: what stands before it is delivered, and
// the process lives.
// SPDX-License-Identifier: MIT
#include "counting.hpp"

#include "make.hpp"
#include "pipeline.hpp"
#include "reading.hpp"
#include "ring.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <exception>
#include <future>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <vector>

using namespace test;

namespace {

constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

// Records of many sizes, so that batches grow, and some that need memory for other things.
const std::string &input() {
  static const std::string kInput = [] {
    std::string data;
    for (std::size_t i = 0; i < 60; ++i) {
      data += titled("number " + std::to_string(i) + std::string(i * 37 % 500, 'x'));
      if (i % 7 == 3) data += with(titled("too long"), 0, "99999") + "junk\x1d";
      if (i % 9 == 4) data += titled("Latin \xe9", {.head = "nam  22"});
    }
    return data;
  }();
  return kInput;
}

marc::PipelineOptions options_with(std::size_t ahead) {
  marc::PipelineOptions options;
  options.pieces.chunk = 900;
  options.threads = 2;
  options.ahead = ahead;
  return options;
}

std::unique_ptr<marc::Source> source_of(const std::string &data, bool from_memory, Log &log) {
  if (from_memory) return marc::open_memory({bytes_of(data), data.size()});
  return scripted(data, at_once(), log);
}

std::vector<std::string> all_pieces() {
  marc::Pipeline pipeline(marc::open_memory({bytes_of(input()), input().size()}), {});
  Tally tally;
  BOOST_TEST_REQUIRE(read_to_end(pipeline, tally).code == MARC_END);
  return tally.pieces();
}

// Reads to the first failure, and checks what it says of its place.
std::int32_t check_failure(marc::Pipeline &pipeline, const std::vector<std::string> &all) {
  Tally tally;
  marc::Failure failure;
  bool thrown = false;
  try {
    failure = read_to_end(pipeline, tally);
  } catch (const std::bad_alloc &) { // of the caller's own thread
    failure.code = MARC_E_NOMEM;
    thrown = true;
  }
  counter.set(false);
  BOOST_TEST_REQUIRE(tally.broken() == "");
  BOOST_TEST_REQUIRE(tally.pieces().size() <= all.size());
  BOOST_TEST_REQUIRE(std::equal(tally.pieces().begin(), tally.pieces().end(), all.begin()));
  BOOST_TEST_REQUIRE(pipeline.counters().silent_bytes + tally.piece_bytes() == pipeline.offset());
  BOOST_TEST_REQUIRE(pipeline.index() == tally.pieces().size());
  const std::string rest = text_of(pipeline.rest().data(), pipeline.rest().size());
  BOOST_TEST_REQUIRE(input().compare(pipeline.offset(), rest.size(), rest) == 0); // it begins where reading stopped
  if (failure.code == MARC_END) BOOST_TEST_REQUIRE(tally.pieces().size() == all.size());
  BOOST_TEST_REQUIRE(!thrown, "records before it were lost");
  for (int i = 0; i < 3; ++i) BOOST_TEST_REQUIRE(next(pipeline).failure.code == MARC_END);
  return failure.code;
}

} // namespace

BOOST_AUTO_TEST_CASE(test_panic_propagation) {
  const std::vector<std::string> all = all_pieces();
  const marc::SharedPool pool(2);
  for (const bool odd : {false, true}) {
    for (const bool from_memory : {true, false}) {
      for (const std::size_t ahead : {1U, 4U}) {
        std::size_t failed = 0;
        for (std::size_t n = 1; n < 120; n += n < 40 ? 1 : 7) {
          for (const std::size_t last : {n, kAll}) {
            Log log;
            marc::Pipeline pipeline(source_of(input(), from_memory, log), options_with(ahead));
            is_spared = true; // only jobs run out of memory, and not those that the caller does itself
            counter.is_odd = odd;
            counter.set(true, n, last);
            const std::int32_t code = check_failure(pipeline, all);
            is_spared = false;
            counter.is_odd = false;
            BOOST_TEST_REQUIRE((code == MARC_END || code == MARC_E_NOMEM || (odd && code == MARC_E_INTERNAL)), code);
            failed += code == MARC_END ? 0 : 1;
          }
        }
        // With one slot the caller may be quicker than the pool, and do the part itself.
        BOOST_TEST(failed > (ahead == 1 ? 0U : 20U));
      }
    }
  }
}

// With one job after another, and the caller working on none, the place is known.
BOOST_AUTO_TEST_CASE(out_of_memory_in_one_job_is_the_failure_of_its_part_alone) {
  marc::SharedPool pool(1);
  const auto wait_for_jobs = [&pool] {
    std::promise<void> done;
    pool->post([](void *context) noexcept { static_cast<std::promise<void> *>(context)->set_value(); }, &done);
    done.get_future().wait();
  };
  const std::string unit = titled("some");
  std::string data;
  for (int i = 0; i < 9; ++i) data += unit;
  const std::size_t size = 2 * unit.size(); // of a part
  marc::Ring ring(2, 4, {}, std::make_shared<marc::Recycler>(5000));
  for (std::size_t number = 0; number < 4; ++number) {
    is_spared = true;
    counter.set(number == 2, 1, kAll);
    marc::Window part;
    part.data = bytes_of(data) + number * size;
    part.size = data.size() - number * size;
    part.offset = number * size;
    part.border = size;
    ring.post(part);
    wait_for_jobs();
    counter.set(false);
    is_spared = false;
  }
  for (std::size_t number = 0; number < 4; ++number) {
    BOOST_TEST_REQUIRE(!ring.is_empty());
    const marc::Ring::Taken taken = ring.take();
    BOOST_TEST((taken.batch == nullptr) == (number == 2), number);
    BOOST_TEST(taken.outcome.code == (number == 2 ? MARC_E_NOMEM : MARC_OK), number);
    if (taken.batch == nullptr) continue;
    BOOST_TEST(taken.batch->source_offset == number * size);
    BOOST_TEST(taken.batch->size() == 2U);
  }
  BOOST_TEST(ring.is_empty());
}

BOOST_AUTO_TEST_CASE(out_of_memory_while_reading_ahead_delivers_what_was_read_before) {
  const std::vector<std::string> all = all_pieces();
  const marc::SharedPool pool(2);
  for (const bool from_memory : {true, false}) {
    std::size_t failed = 0;
    for (std::size_t n = 1; n < 60; ++n) {
      for (const std::size_t last : {n, kAll}) {
        Log log;
        marc::Pipeline pipeline(source_of(input(), from_memory, log), options_with(4));
        Tally tally;
        const Outcome first = next(pipeline);
        BOOST_TEST_REQUIRE((first.batch != nullptr));
        const std::size_t pieces = first.batch->size();
        counter.set(true, n, last);
        std::size_t given = 0;
        std::int32_t code = MARC_OK;
        try {
          while (code == MARC_OK) {
            const Outcome outcome = next(pipeline);
            if (outcome.batch != nullptr) given += outcome.batch->size();
            code = outcome.failure.code;
          }
        } catch (const std::bad_alloc &) {
          code = MARC_E_ARGUMENT;
        }
        counter.set(false);
        BOOST_TEST_REQUIRE((code == MARC_END || code == MARC_E_NOMEM), n); // nothing is thrown over what is ready
        BOOST_TEST_REQUIRE(pipeline.index() == pieces + given);
        const std::string rest = text_of(pipeline.rest().data(), pipeline.rest().size());
        BOOST_TEST_REQUIRE(input().compare(pipeline.offset(), rest.size(), rest) == 0, n);
        failed += code == MARC_E_NOMEM ? 1 : 0;
      }
    }
    BOOST_TEST(failed > 5U);
  }
}
