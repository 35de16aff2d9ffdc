// The ring: parts come back in their order, each with its batches and then its failure, and it waits for what runs.
// SPDX-License-Identifier: MIT
#include "ring.hpp"

#include "make.hpp"
#include "reading.hpp"
#include "whole.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using namespace test;

namespace {

struct Rings {
  explicit Rings(std::size_t slots, marc::FramerOptions options = {}, unsigned threads = 3)
      : recycler(std::make_shared<marc::Recycler>(5000)), ring(threads, slots, options, recycler) {}

  std::shared_ptr<marc::Recycler> recycler;
  marc::Ring ring;
};

// The part [begin, end) of the data, which an anchor stands behind.
marc::Window part_of(const std::string &data, std::size_t begin, std::size_t end) {
  marc::Window part;
  part.data = bytes_of(data) + begin;
  part.size = data.size() - begin;
  part.offset = begin;
  part.border = end - begin;
  return part;
}

struct Given {
  std::vector<std::uint64_t> offsets; // of batches
  std::vector<std::int32_t> codes;    // MARC_OK where there was a batch
  std::uint64_t passed_silent = 0;
};

void take_all(marc::Ring &ring, Given &given) {
  while (!ring.is_empty()) {
    const marc::Ring::Taken taken = ring.take();
    if (taken.batch != nullptr) {
      BOOST_TEST(taken.outcome.code == MARC_OK);
      given.offsets.push_back(taken.batch->source_offset);
    }
    given.codes.push_back(taken.outcome.code);
    given.passed_silent += taken.passed_silent;
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(what_is_posted_and_pushed_comes_back_in_order) {
  const std::string unit = titled("some");
  const std::string data = repeated(unit, 101);
  for (const std::size_t slots : {1U, 2U, 5U, 100U}) {
    Rings rings(slots);
    marc::Ring &ring = rings.ring;
    Given given;
    std::size_t posted = 0;
    while (posted < 100) {
      while (!ring.is_full() && posted < 100) {
        const marc::Window part = part_of(data, posted * unit.size(), (posted + 1) * unit.size());
        if (posted % 3 == 1) {
          marc::Framer framer({}, rings.recycler);
          framer.begin(part);
          ring.push(framer.next());
        } else {
          ring.post(part);
        }
        ++posted;
      }
      BOOST_TEST(ring.used() == std::min<std::size_t>(slots, 100));
      const marc::Ring::Taken taken = ring.take();
      BOOST_TEST_REQUIRE((taken.batch != nullptr));
      given.offsets.push_back(taken.batch->source_offset);
    }
    take_all(ring, given);
    BOOST_TEST_REQUIRE(given.offsets.size() == 100U);
    for (std::size_t i = 0; i < 100; ++i) BOOST_TEST(given.offsets[i] == i * unit.size());
  }
}

BOOST_AUTO_TEST_CASE(a_part_gives_all_its_batches_and_a_failure_has_its_place) {
  const std::string unit = titled("some");
  const std::string data = repeated(unit, 11);
  marc::FramerOptions options;
  options.batch_records = 2;
  Rings rings(4, options);
  rings.ring.post(part_of(data, 0, 5 * unit.size()));
  rings.ring.push(marc::Failure{MARC_E_IO, 3, "broken"});
  rings.ring.post(part_of(data, 5 * unit.size(), 10 * unit.size()));
  BOOST_TEST(!rings.ring.is_full());
  Given given;
  take_all(rings.ring, given);
  BOOST_TEST(given.offsets.size() == 6U);
  const std::vector<std::int32_t> expected{0, 0, 0, MARC_E_IO, 0, 0, 0};
  BOOST_TEST(given.codes == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_part_that_is_silent_gives_nothing_and_says_how_much_it_was) {
  const std::string data = std::string(3000, '\x1d') + titled("behind");
  Rings rings(2);
  rings.ring.post(part_of(data, 0, 3000));
  Given given;
  take_all(rings.ring, given);
  BOOST_TEST(given.offsets.empty());
  BOOST_TEST(given.codes.size() == 1U);
  BOOST_TEST(given.codes[0] == MARC_OK);
  BOOST_TEST(given.passed_silent == 3000U);
}

BOOST_AUTO_TEST_CASE(a_part_without_its_border_is_a_defect_that_is_said) {
  // The border lies inside of a record that no anchor begins in: the part cannot come out even.
  const std::string data = (titled("first") + titled("second")).substr(0, 120);
  Rings rings(2);
  rings.ring.post(part_of(data, 0, 100));
  const marc::Ring::Taken taken = rings.ring.take();
  BOOST_TEST((taken.batch != nullptr || taken.outcome.code == MARC_E_INTERNAL));
}

BOOST_AUTO_TEST_CASE(a_slot_is_used_again_after_a_failure) {
  const std::string unit = titled("some");
  const std::string data = repeated(unit, 50);
  Rings rings(1);
  for (std::size_t i = 0; i + 1 < 50; ++i) {
    rings.ring.push(marc::Failure{MARC_E_INTERRUPTED, 0, {}});
    BOOST_TEST(rings.ring.is_full());
    const marc::Ring::Taken none = rings.ring.take();
    BOOST_TEST((none.batch == nullptr && none.outcome.code == MARC_E_INTERRUPTED));
    rings.ring.post(part_of(data, i * unit.size(), (i + 1) * unit.size()));
    const marc::Ring::Taken taken = rings.ring.take();
    BOOST_TEST((taken.batch != nullptr && taken.outcome.code == MARC_OK));
    BOOST_TEST(rings.ring.is_empty());
  }
}

BOOST_AUTO_TEST_CASE(it_ends_while_jobs_wait_and_run) {
  const std::string data = repeated(titled("some"), 2000);
  const std::size_t unit = titled("some").size();
  for (std::size_t posted = 0; posted < 30; ++posted) {
    Rings rings(30, {}, 2);
    for (std::size_t i = 0; i < posted; ++i) rings.ring.post(part_of(data, i * 50 * unit, (i + 1) * 50 * unit));
    for (std::size_t i = 0; i < posted / 3; ++i) static_cast<void>(rings.ring.take());
  }
}

BOOST_AUTO_TEST_CASE(arenas_of_parts_are_given_back) {
  const std::string unit = titled("some");
  const std::string data = repeated(unit, 9);
  auto recycler = std::make_shared<marc::Recycler>(5000);
  marc::Arena *arena = recycler->take_arena(5000);
  std::copy(data.begin(), data.end(), arena->bytes.get());
  {
    marc::Ring ring(2, 4, {}, recycler);
    for (std::size_t i = 0; i < 4; ++i) {
      marc::Window part = part_of(data, 2 * i * unit.size(), 2 * (i + 1) * unit.size());
      part.data = arena->bytes.get() + part.offset;
      part.arena = arena;
      ring.post(part);
    }
    static_cast<void>(ring.take());
  }
  BOOST_TEST(arena->references == 1U);
  recycler->give_back(arena);
}
