// Batches as they are filled and emptied, their arrays, and the memory that goes round.
// SPDX-License-Identifier: MIT
#include "batch.hpp"

#include "batches.hpp"
#include "make.hpp"
#include "recycler.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace test;

namespace {

// One field with `subfields` subfields, and its record.
void add_record(marc::Batch &batch, std::size_t start, std::int32_t status, std::uint32_t flags, int subfields = 1) {
  batch.field_tag.push(marc::pack_tag(bytes_of("245")));
  batch.field_offset.push(static_cast<std::uint32_t>(start));
  batch.field_length.push(1);
  for (int i = 0; i < subfields; ++i) {
    batch.subfield_offset.push(static_cast<std::uint32_t>(start));
    batch.subfield_length.push(1);
  }
  batch.subfield_first.push(static_cast<std::uint32_t>(batch.subfield_offset.size()));
  batch.notes.push({static_cast<std::uint32_t>(batch.size()), MARC_NOTE_FIELD_END, 0, 0, 0});
  batch.add_record(start, 2, status, flags);
}

} // namespace

BOOST_AUTO_TEST_CASE(an_array_grows_and_keeps_its_values) {
  marc::PodArray<std::uint32_t> array;
  BOOST_TEST(array.size() == 0U);
  BOOST_TEST(array.data() == nullptr);
  for (std::uint32_t i = 0; i < 10000; ++i) array.push(i * 3);
  BOOST_TEST_REQUIRE(array.size() == 10000U);
  for (std::uint32_t i = 0; i < 10000; ++i) BOOST_TEST_REQUIRE(array[i] == i * 3);
  array.shrink(10);
  BOOST_TEST(array.size() == 10U);
  array.push(7);
  BOOST_TEST(array[10] == 7U);
  BOOST_TEST(array[9] == 27U);
  const std::uint32_t *memory = array.data();
  array.clear();
  for (std::uint32_t i = 0; i < 10000; ++i) array.push(i);
  BOOST_TEST(array.data() == memory); // cleared, it keeps its memory
}

BOOST_AUTO_TEST_CASE(room_in_an_array) {
  marc::PodArray<std::uint8_t> array;
  array.push(1);
  for (const std::size_t more : {1U, 63U, 64U, 1000U, 1001U, 100000U}) {
    array.reserve_more(more);
    std::uint8_t *end = array.end();
    for (std::size_t i = 0; i < more; ++i) end[i] = 9; // a sanitizer sees it where the room is not there
    BOOST_TEST(array[0] == 1);
    array.commit(more);
    BOOST_TEST(array[array.size() - 1] == 9);
  }
  BOOST_TEST(array.size() == 1U + 1 + 63 + 64 + 1000 + 1001 + 100000);
  array.reserve_more(0);
}

BOOST_AUTO_TEST_CASE(records_of_a_batch) {
  OpenBatch open("0123456789");
  marc::Batch &batch = open.batch;
  BOOST_TEST(batch.size() == 0U);
  BOOST_TEST(batch.field_first[0] == 0U);
  BOOST_TEST(batch.subfield_first[0] == 0U);
  add_record(batch, 0, MARC_OK, MARC_REC_SOUND | MARC_REC_UTF8);
  add_record(batch, 2, MARC_OK, MARC_REC_SOUND, 3);
  batch.add_record(4, 2, MARC_BAD_LENGTH, 0);
  BOOST_TEST(batch.size() == 3U);
  BOOST_TEST(batch.all_flags == 0U);
  BOOST_TEST(batch.rejected == 1U);
  BOOST_TEST(batch.field_first.size() == 4U);
  BOOST_TEST(batch.field_first[2] == 2U);
  BOOST_TEST(batch.field_first[3] == 2U); // no fields in a rejected piece
  BOOST_TEST(batch.subfield_first[1] == 1U);
  BOOST_TEST(batch.subfield_first[2] == 4U);
}

BOOST_AUTO_TEST_CASE(the_last_record_is_taken_back) {
  OpenBatch open("0123456789");
  marc::Batch &batch = open.batch;
  add_record(batch, 0, MARC_OK, MARC_REC_SOUND | MARC_REC_UTF8);
  add_record(batch, 2, MARC_OK, MARC_REC_SOUND | MARC_REC_UTF8 | MARC_REC_PLAIN, 3);
  add_record(batch, 4, MARC_BAD_TEXT, 0);
  batch.drop_record();
  BOOST_TEST(batch.size() == 2U);
  BOOST_TEST(batch.rejected == 0U);
  BOOST_TEST(batch.all_flags == unsigned{MARC_REC_SOUND | MARC_REC_UTF8});
  BOOST_TEST(batch.field_tag.size() == 2U);
  BOOST_TEST(batch.field_first.size() == 3U);
  BOOST_TEST(batch.subfield_offset.size() == 4U);
  BOOST_TEST(batch.notes.size() == 2U);
  batch.drop_record();
  batch.drop_record();
  BOOST_TEST(batch.size() == 0U);
  BOOST_TEST(batch.all_flags == ~std::uint32_t{0});
  BOOST_TEST(batch.notes.size() == 0U);
  BOOST_TEST(batch.subfield_first.size() == 1U);
  add_record(batch, 0, MARC_OK, MARC_REC_SOUND);
  BOOST_TEST(batch.all_flags == unsigned{MARC_REC_SOUND});
}

BOOST_AUTO_TEST_CASE(open_fields_are_dropped) {
  OpenBatch open("0123456789");
  marc::Batch &batch = open.batch;
  add_record(batch, 0, MARC_OK, 0, 2);
  for (int i = 0; i < 3; ++i) open.add_field("500", 2, 1);
  batch.drop_open_fields(); // none of them had its subfields indexed
  BOOST_TEST(batch.field_tag.size() == 1U);
  BOOST_TEST(batch.field_offset.size() == 1U);
  BOOST_TEST(batch.field_length.size() == 1U);
  open.add_field("500", 2, 1);
  batch.subfield_offset.push(3);
  batch.subfield_length.push(1);
  batch.subfield_first.push(3);
  batch.drop_open_fields();
  BOOST_TEST(batch.subfield_first.size() == 2U);
  BOOST_TEST(batch.subfield_offset.size() == 2U);
  BOOST_TEST(batch.subfield_length.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_cleared_batch_is_as_new) {
  OpenBatch open("0123456789");
  marc::Batch &batch = open.batch;
  add_record(batch, 0, MARC_BAD_TEXT, MARC_REC_SOUND);
  batch.silent = 3;
  batch.source_offset = 4;
  batch.first_index = 5;
  batch.clear();
  BOOST_TEST(batch.size() == 0U);
  BOOST_TEST(batch.data == nullptr);
  BOOST_TEST(batch.length == 0U);
  BOOST_TEST(batch.silent == 0U);
  BOOST_TEST(batch.source_offset == 0U);
  BOOST_TEST(batch.first_index == 0U);
  BOOST_TEST(batch.rejected == 0U);
  BOOST_TEST(batch.all_flags == ~std::uint32_t{0});
  BOOST_TEST(batch.notes.size() == 0U);
  BOOST_TEST(batch.field_first.size() == 1U);
  BOOST_TEST(batch.subfield_first.size() == 1U);
}

BOOST_AUTO_TEST_CASE(views) {
  const std::string text = record({{"001", "id"}, {"245", marc_of("10$aOne$bTwo$aThree$")}}) + titled("x");
  OpenBatch two(text);
  const std::size_t length = two.add_piece(0);
  two.add_piece(length);
  const marc::RecordView first(two.batch, 0);
  const marc::RecordView second(two.batch, 1);
  BOOST_TEST(first.bytes().size() == length);
  BOOST_TEST(text_of(second.bytes().data(), second.bytes().size()) == titled("x"));
  BOOST_TEST_REQUIRE(first.field_count() == 2U);
  BOOST_TEST(second.field_count() == 3U);
  BOOST_TEST(field_text(first.field(0)) == "001 [id]");
  BOOST_TEST(field_text(first.field(1)) == marc_of("245 [10$aOne$bTwo$aThree$] (aOne) (bTwo) (aThree)"));
  const marc::Bytes a = first.field(1).first('a');
  BOOST_TEST(text_of(a.data(), a.size()) == "One");
  BOOST_TEST(first.field(1).first('z').data() == nullptr);
  BOOST_TEST(first.field(0).first('i').data() == nullptr);
  BOOST_TEST(field_text(second.field(2)) == marc_of("245 [10$ax$bwith notes] (ax) (bwith notes)"));
}

BOOST_AUTO_TEST_CASE(a_batch_without_a_home_is_deleted_with_its_last_reference) {
  auto *batch = new marc::Batch; // a leak or a second deletion is what a sanitizer sees
  batch->clear();
  batch->references.fetch_add(1);
  marc::release(batch);
  BOOST_TEST(batch->references == 1U);
  marc::release(batch);
}

BOOST_AUTO_TEST_CASE(memory_goes_back_to_its_recycler) {
  const auto recycler = std::make_shared<marc::Recycler>(100);
  std::unique_ptr<marc::Batch> taken = recycler->take_batch();
  marc::Batch *batch = taken.release();
  marc::Arena *arena = recycler->take_arena(1);
  BOOST_TEST(arena->capacity == 100U);
  batch->home = recycler;
  batch->arena = arena;
  arena->references.fetch_add(1);
  add_record(*batch, 0, MARC_OK, 0);
  const std::uint32_t *array = batch->record_start.data();
  marc::release(batch);
  BOOST_TEST(arena->references == 1U); // the one of who took it
  recycler->give_back(arena);
  marc::Arena *again = recycler->take_arena(1);
  BOOST_TEST(again == arena);
  BOOST_TEST(again->references == 1U);
  const std::unique_ptr<marc::Batch> reused = recycler->take_batch();
  BOOST_TEST(reused.get() == batch);
  BOOST_TEST(reused->references == 1U);
  BOOST_TEST(reused->size() == 0U);
  BOOST_TEST(reused->arena == nullptr);
  BOOST_TEST((reused->home == nullptr));
  BOOST_TEST(reused->record_start.data() == array); // with the memory of its arrays
  recycler->give_back(again);
}

BOOST_AUTO_TEST_CASE(a_recycler_keeps_few_and_arenas_of_its_size_only) {
  marc::Recycler recycler(64);
  std::vector<marc::Arena *> arenas;
  std::vector<std::unique_ptr<marc::Batch>> batches;
  for (int i = 0; i < 40; ++i) {
    arenas.push_back(recycler.take_arena(1));
    batches.push_back(recycler.take_batch());
  }
  BOOST_TEST((std::set<marc::Arena *>(arenas.begin(), arenas.end()).size() == 40U));
  recycler.give_back(new marc::Arena(65)); // an outsized one is deleted
  for (marc::Arena *arena : arenas) recycler.give_back(arena);
  for (auto &batch : batches) recycler.give_back(batch.release());
  std::set<marc::Arena *> kept;
  for (int i = 0; i < 16; ++i) {
    marc::Arena *arena = recycler.take_arena(1);
    BOOST_TEST(arena->capacity == 64U);
    kept.insert(arena);
  }
  BOOST_TEST(kept.size() == 16U);
  for (marc::Arena *arena : kept) recycler.give_back(arena);
}

BOOST_AUTO_TEST_CASE(a_recycler_outlives_its_reader_while_a_batch_needs_it) {
  marc::Batch *batch = nullptr;
  std::weak_ptr<marc::Recycler> watched;
  {
    const auto recycler = std::make_shared<marc::Recycler>(32);
    watched = recycler;
    batch = recycler->take_batch().release();
    batch->home = recycler;
    batch->arena = recycler->take_arena(1);
  }
  BOOST_TEST(!watched.expired());
  marc::release(batch);
  BOOST_TEST(watched.expired());
}

BOOST_AUTO_TEST_CASE(many_threads_give_back_while_one_takes) {
  const auto recycler = std::make_shared<marc::Recycler>(256);
  constexpr std::size_t kThreads = 4;
  constexpr int kRounds = 500;
  std::atomic<marc::Batch *> slots[kThreads] = {};
  std::vector<std::thread> givers;
  for (auto &slot : slots)
    givers.emplace_back([&slot] {
      for (int done = 0; done < kRounds;) {
        marc::Batch *batch = slot.exchange(nullptr);
        if (batch == nullptr) {
          std::this_thread::yield();
          continue;
        }
        marc::release(batch);
        ++done;
      }
    });
  int handed[kThreads] = {};
  for (std::size_t total = 0; total < kThreads * kRounds;) {
    for (std::size_t i = 0; i < kThreads; ++i) {
      if (handed[i] == kRounds || slots[i].load() != nullptr) continue;
      marc::Batch *batch = recycler->take_batch().release();
      batch->home = recycler;
      batch->arena = recycler->take_arena(1);
      batch->arena->bytes[255] = 1;
      batch->record_start.push(1);
      slots[i].store(batch);
      ++handed[i];
      ++total;
    }
    std::this_thread::yield();
  }
  for (std::thread &giver : givers) giver.join();
  BOOST_TEST(recycler.use_count() == 1); // no batch holds on to it
}
