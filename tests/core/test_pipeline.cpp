// The pipeline: the same pieces whatever the sizes of chunks, reads and batches; batches that last; failures in their
// place; nothing read that is not needed.
// SPDX-License-Identifier: MIT
#include "pipeline.hpp"

#include "files.hpp"
#include "make.hpp"
#include "reading.hpp"
#include "whole.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace std::string_literals;
using namespace test;

namespace {

// The beginning of each line: index and place.
std::vector<std::string> heads_of(const std::vector<std::string> &pieces) {
  std::vector<std::string> heads;
  for (const std::string &piece : pieces) heads.push_back(piece.substr(0, piece.find('}') + 1));
  return heads;
}

} // namespace

BOOST_AUTO_TEST_CASE(test_pipeline_correctness) {
  const std::string &data = mixed_input();
  Random random(11);
  Log log;
  for (const marc::Reading reading : {marc::Reading::Pymarc, marc::Reading::Best}) {
    marc::PipelineOptions whole;
    whole.pieces.reading = reading;
    const std::vector<std::string> expected = pieces_of_memory(data, whole);
    for (const unsigned threads : {2U, 3U, 4U, 8U}) {
      const marc::SharedPool pool(threads); // lasts for all readers below
      for (const std::size_t chunk : {64U, 500U, 1000U, 2048U, 4096U, 9999U, 30000U})
        for (const std::size_t ahead : {1U, 2U, 7U}) {
          marc::PipelineOptions options = with_threads(whole, threads, ahead);
          options.pieces.chunk = chunk;
          options.pieces.batch_records = random.between(0, 3);
          const auto way = std::to_string(threads) + " threads, chunk " + std::to_string(chunk);
          BOOST_TEST(line_difference(expected, pieces_of_memory(data, options)) == "", way);
          BOOST_TEST(line_difference(expected, pieces_of(scripted(data, at_once(), log), options, data.size())) == "",
                     way);
          const auto short_read = [&random](std::size_t capacity) {
            return random.between(1, std::min<std::size_t>(capacity, 900));
          };
          BOOST_TEST(line_difference(expected, pieces_of(scripted(data, short_read, log), options, data.size())) == "",
                     way);
        }
    }
  }
}

BOOST_AUTO_TEST_CASE(pieces_by_hand) {
  const std::string data = "\n" + kA + kB + "\x1d  junk\x1d" + kC;
  const std::string a = std::to_string(1 + kA.size());
  const std::string j = std::to_string(1 + kA.size() + kB.size() + 3);
  const std::string c = std::to_string(1 + kA.size() + kB.size() + 8);
  const std::vector<std::string> expected{
      "0 @1 MARC_OK {sound splits plain canonical utf8}", "1 @" + a + " MARC_OK {sound splits plain canonical utf8}",
      "2 @" + j + " MARC_BAD_LENGTH {}", "3 @" + c + " MARC_OK {sound splits plain canonical utf8}"};
  BOOST_TEST(line_difference(expected, heads_of(pieces_of_memory(data))) == "");
}

BOOST_AUTO_TEST_CASE(an_input_without_pieces) {
  for (const std::string &data : {""s, "\n"s, "   \x1d\x1d\0"s + "\xef\xbb\xbf", std::string(5000, ' ')}) {
    BOOST_TEST(pieces_of_memory(data).empty());
    Log log;
    BOOST_TEST(pieces_of(scripted(data, test::pieces_of(7), log), options_of(64), data.size()).empty());
    BOOST_TEST(log.reads_after_end == 0U);
  }
}

BOOST_AUTO_TEST_CASE(any_chunk_size_gives_the_same_pieces) {
  const std::string &data = mixed_input();
  const std::vector<std::string> expected = pieces_of_memory(data);
  BOOST_TEST_REQUIRE(expected.size() > 60U);
  Log log;
  Random random(5);
  for (const std::size_t chunk : {64U, 65U, 100U, 127U, 128U, 500U, 1000U, 4096U, 65536U, 1U << 20}) {
    const marc::PipelineOptions options = options_of(chunk);
    BOOST_TEST(line_difference(expected, pieces_of(scripted(data, at_once(), log), options, data.size())) == "", chunk);
    BOOST_TEST(line_difference(expected, pieces_of_memory(data, options)) == "", chunk);
    const auto short_read = [&random](std::size_t capacity) {
      return random.between(1, std::min<std::size_t>(capacity, 900));
    };
    BOOST_TEST(line_difference(expected, pieces_of(scripted(data, short_read, log), options, data.size())) == "",
               chunk);
  }
  for (std::size_t chunk = 64; chunk < 1500; chunk += 23)
    BOOST_TEST_REQUIRE(
        line_difference(expected, pieces_of(scripted(data, at_once(), log), options_of(chunk), data.size())) == "",
        chunk);
  BOOST_TEST(log.reads_after_end == 0U);
}

BOOST_AUTO_TEST_CASE(any_size_of_reads_gives_the_same_pieces) {
  const std::string data = mixed_input().substr(0, 20000);
  const std::vector<std::string> expected = pieces_of_memory(data);
  Log log;
  for (const std::size_t size : {1U, 2U, 3U, 7U, 63U, 64U, 65U, 1000U})
    for (const std::size_t chunk : {64U, 300U, 1U << 20})
      BOOST_TEST(line_difference(expected, pieces_of(scripted(data, test::pieces_of(size), log), options_of(chunk),
                                                     data.size())) == "",
                 size << " " << chunk);
}

BOOST_AUTO_TEST_CASE(the_best_reading_is_the_same_for_any_size_of_chunks_and_reads) {
  const std::string &data = mixed_input();
  const marc::PipelineOptions whole{1 << 20, 0, 64 << 20, marc::Reading::Best};
  const std::vector<std::string> expected = pieces_of_memory(data, whole);
  const std::vector<std::string> pymarc = pieces_of_memory(data);
  BOOST_TEST_REQUIRE(expected.size() == pymarc.size()); // the borders are the same
  std::size_t repaired = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    repaired +=
        pymarc[i].find(" MARC_OK ") == std::string::npos && expected[i].find(" MARC_OK ") != std::string::npos ? 1 : 0;
  BOOST_TEST(repaired > 5U);
  Log log;
  for (const std::size_t chunk : {64U, 100U, 1000U, 65536U}) {
    const marc::PipelineOptions options{chunk, 0, 64 << 20, marc::Reading::Best};
    BOOST_TEST(line_difference(expected, pieces_of_memory(data, options)) == "", chunk);
    for (const std::size_t size : {1U, 7U, 64U, 5000U})
      BOOST_TEST(
          line_difference(expected, pieces_of(scripted(data, test::pieces_of(size), log), options, data.size())) == "",
          chunk << " " << size);
  }
}

BOOST_AUTO_TEST_CASE(any_batch_size_gives_the_same_pieces) {
  const std::string &data = mixed_input();
  const std::vector<std::string> expected = pieces_of_memory(data);
  Log log;
  for (const std::size_t records : {1U, 2U, 7U, 100U, 100000U}) {
    BOOST_TEST(line_difference(expected, pieces_of_memory(data, options_of(1 << 20, records))) == "", records);
    BOOST_TEST(line_difference(expected,
                               pieces_of(scripted(data, at_once(), log), options_of(1000, records), data.size())) == "",
               records);
  }
  marc::Pipeline pipeline(scripted(data, at_once(), log), options_of(1 << 20, 7));
  std::size_t full = 0;
  for (Outcome outcome = next(pipeline); outcome.batch != nullptr; outcome = next(pipeline)) {
    BOOST_TEST(outcome.batch->size() <= 7U);
    full += outcome.batch->size() == 7 ? 1 : 0;
  }
  BOOST_TEST(full >= expected.size() / 7 - 1);
}

BOOST_AUTO_TEST_CASE(pieces_above_the_largest_size) {
  const std::string large = with(titled(std::string(1000, 't')), 0, "99999");
  const std::string data = kA + large + kB + std::string(450, 'j');
  const std::vector<std::string> expected = pieces_of_memory(data, options_of(1 << 20, 0, 400));
  const std::vector<std::string> heads = heads_of(expected);
  const auto head = [](int index, std::size_t at, const char *status) {
    return std::to_string(index) + " @" + std::to_string(at) + " MARC_" + status;
  };
  const std::size_t first = kA.size();
  const std::size_t third = first + titled(std::string(1000, 't')).size();
  const std::size_t fourth = third + kB.size();
  const std::string good = "OK {sound splits plain canonical utf8}";
  BOOST_TEST(line_difference({head(0, 0, good.c_str()), head(1, first, "BAD_OVERSIZE {}"),
                              head(1, first + 400, "BAD_OVERSIZE_PART {}"),
                              head(1, first + 800, "BAD_OVERSIZE_PART {}"), head(2, third, good.c_str()),
                              head(3, fourth, "BAD_OVERSIZE {}"), head(3, fourth + 400, "BAD_OVERSIZE_PART {}")},
                             heads) == "");
  Log log;
  for (const std::size_t chunk : {64U, 100U, 399U, 400U, 401U, 2000U})
    for (const std::size_t size : {1U, 50U, 2000U})
      BOOST_TEST(line_difference(expected, pieces_of(scripted(data, test::pieces_of(size), log),
                                                     options_of(chunk, 0, 400), data.size())) == "");
}

BOOST_AUTO_TEST_CASE(endless_junk_is_read_in_bounded_memory) {
  // Ten times the bytes that the window may hold go by.
  const std::string data = kA + std::string(3000000, 'j') + kB;
  const std::vector<std::string> heads = heads_of(pieces_of_memory(data, options_of(1 << 20, 0, 1000)));
  Log log;
  marc::Pipeline pipeline(scripted(data, at_once(), log), options_of(4096, 0, 1000));
  std::uint64_t ahead = 0;
  std::size_t count = 0;
  for (Outcome outcome = next(pipeline); outcome.batch != nullptr; outcome = next(pipeline)) {
    ahead = std::max<std::uint64_t>(ahead, pipeline.counters().bytes_read - pipeline.offset());
    count += outcome.batch->size();
  }
  BOOST_TEST(count == heads.size());
  BOOST_TEST(count == 3002U);
  BOOST_TEST(ahead < 200000U);
}

// ---- What is read, and when ----------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_complete_record_is_delivered_without_reading_on) {
  Log log;
  const std::string data = kA + kB + kC;
  std::vector<std::size_t> sizes{kA.size(), kB.size(), kC.size()};
  std::size_t call = 0;
  marc::Pipeline pipeline(scripted(
                              data, [&](std::size_t) { return sizes[call++]; }, log),
                          {});
  for (std::size_t i = 1; i <= 3; ++i) {
    const Outcome outcome = next(pipeline);
    BOOST_TEST_REQUIRE((outcome.batch != nullptr));
    BOOST_TEST(outcome.batch->size() == 1U);
    BOOST_TEST(log.reads == i);
  }
  BOOST_TEST(next(pipeline).failure.code == MARC_END);
  BOOST_TEST(log.reads == 4U);
}

BOOST_AUTO_TEST_CASE(what_one_read_has_brought_is_delivered_before_the_next) {
  Log log;
  marc::Pipeline pipeline(scripted(kA + kB + kC, test::pieces_of(kA.size() + kB.size() + 10), log), {});
  const Outcome two = next(pipeline);
  BOOST_TEST_REQUIRE((two.batch != nullptr));
  BOOST_TEST(two.batch->size() == 2U);
  BOOST_TEST(log.reads == 1U);
}

BOOST_AUTO_TEST_CASE(a_rejected_chunk_waits_for_one_byte_only) {
  Log log;
  const std::string data = "junk\x1d" + kA;
  std::vector<std::size_t> sizes{5, 1, kA.size() - 1};
  std::size_t call = 0;
  marc::Pipeline pipeline(scripted(
                              data, [&](std::size_t) { return sizes[call++]; }, log),
                          {});
  const Outcome junk = next(pipeline);
  BOOST_TEST_REQUIRE((junk.batch != nullptr));
  BOOST_TEST(piece_text(*junk.batch, 0) == "MARC_BAD_LENGTH {} ! BAD_LENGTH 0+5 = junk\x1d");
  BOOST_TEST(log.reads == 2U);
  // A chunk that pymarc delivers need not wait: no byte behind it changes that.
  Log other;
  marc::Pipeline delivered(scripted(with(kA, 0, "00000") + kB, test::pieces_of(kA.size()), other), {});
  const Outcome chunk = next(delivered);
  BOOST_TEST_REQUIRE((chunk.batch != nullptr));
  BOOST_TEST(chunk.batch->record_status[0] == MARC_OK);
  BOOST_TEST(other.reads == 1U);
}

BOOST_AUTO_TEST_CASE(the_last_piece_of_all_is_judged_as_the_last) {
  // The verdict depends on whether a byte follows; silent ones count.
  const std::string longer = with(kA, 0, number(kA.size() + 9, 5));
  const auto last_verdict = [](const std::string &data, std::size_t size) {
    Log log;
    const auto pieces = pieces_of(scripted(data, test::pieces_of(size), log), options_of(64), data.size());
    return pieces.back().substr(0, pieces.back().find('{'));
  };
  for (const std::size_t size : {1U, 50U, 1000U}) {
    BOOST_TEST(last_verdict(longer, size) == "0 @0 MARC_BAD_TRUNCATED ");
    BOOST_TEST(last_verdict(longer + "\n", size) == "0 @0 MARC_BAD_END_NOT_FOUND ");
    BOOST_TEST(last_verdict("1\x1d", size) == "0 @0 MARC_BAD_TRUNCATED ");
    BOOST_TEST(last_verdict("1\x1d\x1d", size) == "0 @0 MARC_BAD_LENGTH ");
    BOOST_TEST(last_verdict(longer + longer, size).ends_with(" MARC_BAD_TRUNCATED "));
  }
}

BOOST_AUTO_TEST_CASE(the_end_is_the_end) {
  Log log;
  marc::Pipeline pipeline(scripted(kA, at_once(), log), {});
  Tally tally;
  BOOST_TEST(read_to_end(pipeline, tally).code == MARC_END);
  const std::size_t reads = log.reads;
  for (int i = 0; i < 5; ++i) BOOST_TEST(next(pipeline).failure.code == MARC_END);
  BOOST_TEST(log.reads == reads);
  BOOST_TEST(pipeline.counters().source_reads == reads);
}

// ---- Batches -------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_long_silent_run_in_memory_stays_outside_the_batch) {
  // Offsets in a batch have 32 bits; beyond 4 GiB of silent bytes they were cut off.
  for (const std::size_t run : {63U, 64U, 65U, 5000U}) {
    const std::string data = std::string(run, '\0') + kA + std::string(run, ' ') + kB + std::string(run, '\n');
    marc::Pipeline pipeline(marc::open_memory({reinterpret_cast<const std::uint8_t *>(data.data()), data.size()}),
                            options_of(64));
    std::vector<std::uint64_t> offsets;
    std::size_t pieces = 0;
    for (Outcome outcome = next(pipeline); outcome.batch != nullptr; outcome = next(pipeline))
      for (std::size_t i = 0; i < outcome.batch->size(); ++i) {
        BOOST_TEST(outcome.batch->record_start[i] < 64U + kA.size());
        offsets.push_back(outcome.batch->source_offset + outcome.batch->record_start[i]);
        pieces += outcome.batch->record_length[i];
      }
    BOOST_TEST((offsets == std::vector<std::uint64_t>{run, 2 * run + kA.size()}));
    BOOST_TEST(pipeline.counters().silent_bytes + pieces == data.size());
  }
}

BOOST_AUTO_TEST_CASE(batches_keep_their_bytes) {
  // Batches of all sizes are kept while a hundred more are read, and when the pipeline is gone.
  std::string data;
  for (std::size_t i = 0; i < 600; ++i) data += titled("number " + std::to_string(i) + std::string(i % 300, 'x'));
  for (const std::size_t chunk : {64U, 700U, 3000U}) {
    Log log;
    std::vector<Handed> kept;
    std::vector<std::vector<std::string>> said;
    {
      marc::Pipeline pipeline(scripted(data, at_once(), log), options_of(chunk));
      std::size_t number = 0;
      for (Outcome outcome = next(pipeline); outcome.batch != nullptr; outcome = next(pipeline), ++number) {
        if (number % 3 == 1) continue; // its memory goes round
        said.emplace_back();
        for (std::size_t i = 0; i < outcome.batch->size(); ++i) said.back().push_back(piece_text(*outcome.batch, i));
        kept.push_back(std::move(outcome.batch));
      }
      BOOST_TEST(number > 25U);
    }
    std::size_t different = 0;
    for (std::size_t k = 0; k < kept.size(); ++k)
      for (std::size_t i = 0; i < kept[k]->size(); ++i) different += piece_text(*kept[k], i) != said[k][i] ? 1 : 0;
    BOOST_TEST(different == 0U, chunk);
  }
}

BOOST_AUTO_TEST_CASE(batches_go_to_other_threads) {
  std::string data;
  for (std::size_t i = 0; i < 2000; ++i) data += titled(std::to_string(i));
  Log log;
  marc::Pipeline pipeline(scripted(data, at_once(), log), options_of(2000));
  std::atomic<std::size_t> records{0};
  std::vector<std::thread> threads;
  std::vector<std::vector<Handed>> shares(3);
  std::size_t turn = 0;
  for (Outcome outcome = next(pipeline); outcome.batch != nullptr; outcome = next(pipeline)) {
    shares[turn].push_back(std::move(outcome.batch));
    if (shares[turn].size() < 5) continue;
    threads.emplace_back([&records, mine = std::move(shares[turn])]() mutable {
      for (const Handed &batch : mine) records += fields_of(*batch, 0).size() == 3 ? batch->size() : 0;
      mine.clear(); // given back here
    });
    shares[turn].clear();
    turn = (turn + 1) % 3;
  }
  for (std::thread &thread : threads) thread.join();
  for (const auto &share : shares)
    for (const Handed &batch : share) records += batch->size();
  BOOST_TEST(records == 2000U);
}

BOOST_AUTO_TEST_CASE(memory_is_not_copied) {
  const std::string data = kA + kB;
  marc::Pipeline pipeline(marc::open_memory({bytes_of(data), data.size()}), options_of(64));
  Outcome outcome = next(pipeline);
  BOOST_TEST_REQUIRE((outcome.batch != nullptr));
  BOOST_TEST(outcome.batch->data == bytes_of(data));
  outcome = next(pipeline);
  BOOST_TEST_REQUIRE((outcome.batch != nullptr));
  BOOST_TEST(outcome.batch->data == bytes_of(data) + kA.size());
  BOOST_TEST(outcome.batch->source_offset == kA.size());
  BOOST_TEST(outcome.batch->first_index == 1U);
}

BOOST_AUTO_TEST_CASE(a_file_that_grows_while_it_is_read) {
  const Folder folder;
  const std::string path = folder.file("growing", kA + kB.substr(0, 40));
  marc::Failure failure;
  marc::Pipeline pipeline(marc::open_file(path.c_str(), false, failure), {});
  Tally tally;
  Outcome outcome = next(pipeline);
  BOOST_TEST_REQUIRE((outcome.batch != nullptr));
  tally.add(*outcome.batch);
  append(path, kB.substr(40) + kC);
  BOOST_TEST(read_to_end(pipeline, tally).code == MARC_END);
  BOOST_TEST(line_difference(pieces_of_memory(kA + kB + kC), tally.pieces()) == "");
}

// ---- Failures ------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_failure_comes_after_the_records_before_it_once) {
  const std::string data = kA + kB + kC;
  const std::vector<std::string> expected = pieces_of_memory(kA + kB);
  for (const std::size_t size : {1U, 30U, 1000U}) {
    for (const std::size_t behind : {0U, 1U, 50U}) { // bytes of the third record
      Log log;
      auto source = scripted(data, test::pieces_of(size), log);
      source->fail_at(kA.size() + kB.size() + behind, {MARC_E_IO, 5, "broken"});
      marc::Pipeline pipeline(std::move(source), options_of(64));
      Tally tally;
      marc::Failure failure = read_to_end(pipeline, tally);
      const std::vector<std::string> before(
          tally.pieces().begin(), tally.pieces().begin() + std::min<std::ptrdiff_t>(2, std::ssize(tally.pieces())));
      BOOST_TEST(line_difference(expected, before) == "");
      BOOST_TEST(failure.code == MARC_E_IO);
      BOOST_TEST(failure.detail == 5);
      BOOST_TEST(failure.message == "broken");
      const std::size_t reads = log.reads;
      for (int i = 0; i < 3; ++i) BOOST_TEST(next(pipeline).failure.code == MARC_END);
      BOOST_TEST(log.reads == reads); // it does not try again
    }
  }
}

BOOST_AUTO_TEST_CASE(a_rejected_chunk_is_delivered_before_a_failure) {
  // All of its bytes were read: only its verdict waits for the byte behind it.
  Log log;
  auto source = scripted(kA + "junk\x1d", at_once(), log);
  source->fail_at(kA.size() + 5, {MARC_E_CALLBACK, -1, {}});
  marc::Pipeline pipeline(std::move(source), {});
  Tally tally;
  BOOST_TEST(read_to_end(pipeline, tally).code == MARC_E_CALLBACK);
  BOOST_TEST(tally.pieces().size() == 2U);
}

BOOST_AUTO_TEST_CASE(every_complete_piece_before_a_failure_is_delivered) {
  // What is left is the piece that the failure has cut; the failure is at its first byte.
  const std::string data = kA + "\n" + kB + kC;
  for (std::size_t at = 0; at <= data.size(); ++at) {
    Log log;
    auto source = scripted(data, at_once(), log);
    source->fail_at(at, {MARC_E_CALLBACK, -1, {}});
    marc::Pipeline pipeline(std::move(source), {});
    Tally tally;
    BOOST_TEST(read_to_end(pipeline, tally).code == MARC_E_CALLBACK);
    BOOST_TEST(pipeline.counters().bytes_read == at);
    const std::size_t handed = pipeline.counters().silent_bytes + tally.piece_bytes();
    BOOST_TEST_REQUIRE(handed == pipeline.offset(), "failure at " << at);
    const std::size_t ends[] = {0, kA.size(), kA.size() + 1 + kB.size(), data.size()};
    const std::size_t *behind = std::upper_bound(std::begin(ends), std::end(ends), at);
    const bool newline = behind[-1] == kA.size() && at > kA.size();
    BOOST_TEST_REQUIRE(handed == behind[-1] + (newline ? 1 : 0), "failure at " << at);
  }
}

BOOST_AUTO_TEST_CASE(an_interruption_loses_nothing) {
  const std::string data = "\n" + kA + "junk\x1d" + kB + "  " + with(kC, 0, "99999") + kA;
  const std::vector<std::string> expected = pieces_of_memory(data);
  for (const std::size_t size : {1U, 20U, 1000U}) {
    for (std::size_t step = 1; step < 40; step += 3) {
      Log log;
      auto source = scripted(data, test::pieces_of(size), log);
      std::size_t times = 0;
      for (std::size_t at = 0; at <= data.size(); at += step, ++times) source->fail_at(at, {MARC_E_INTERRUPTED, 0, {}});
      marc::Pipeline pipeline(std::move(source), options_of(64));
      Tally tally;
      std::size_t interrupted = 0;
      Outcome outcome;
      do {
        outcome = next(pipeline);
        if (outcome.batch != nullptr) tally.add(*outcome.batch);
        interrupted += outcome.failure.code == MARC_E_INTERRUPTED ? 1 : 0;
      } while (outcome.batch != nullptr || outcome.failure.code == MARC_E_INTERRUPTED);
      BOOST_TEST(outcome.failure.code == MARC_END);
      BOOST_TEST(interrupted == times); // it is said each time
      BOOST_TEST_REQUIRE(line_difference(expected, tally.pieces()) == "");
      BOOST_TEST(pipeline.counters().silent_bytes + tally.piece_bytes() == data.size());
    }
  }
}

// ---- Cancelling ----------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_cancelled_pipeline_stays_cancelled) {
  Log log;
  marc::Pipeline pipeline(scripted(kA + kB, test::pieces_of(kA.size()), log), {});
  BOOST_TEST((next(pipeline).batch != nullptr));
  pipeline.cancel();
  for (int i = 0; i < 3; ++i) BOOST_TEST(next(pipeline).failure.code == MARC_E_CANCELLED, i);
  BOOST_TEST(log.reads == 1U);
}

BOOST_AUTO_TEST_CASE(cancelled_while_the_source_reads) {
  Log log;
  auto source = scripted(kA + kB, test::pieces_of(20), log);
  marc::Pipeline *running = nullptr;
  source->before_read([&] {
    if (log.reads == 3) running->cancel();
  });
  marc::Pipeline pipeline(std::move(source), {});
  running = &pipeline;
  BOOST_TEST(next(pipeline).failure.code == MARC_E_CANCELLED);
  BOOST_TEST(log.reads == 3U); // as soon as the source lets go
}

BOOST_AUTO_TEST_CASE(cancelled_by_another_thread) {
  const Folder folder;
  const std::string path = folder.fifo("pipe");
  std::unique_ptr<Writer> pipe;
  std::thread opener([&] { pipe = std::make_unique<Writer>(path); });
  marc::Failure failure;
  marc::Pipeline pipeline(marc::open_file(path.c_str(), false, failure), {});
  opener.join();
  pipe->write(kA + kB.substr(0, 50));
  std::thread canceller([&] {
    while (pipeline.counters().source_reads < 1) std::this_thread::yield();
    pipeline.cancel();
    pipe->write(kB.substr(50)); // the source lets go
  });
  std::int32_t last = MARC_OK;
  while (last == MARC_OK) {
    const Outcome outcome = next(pipeline);
    last = outcome.failure.code;
  }
  BOOST_TEST(last == MARC_E_CANCELLED);
  canceller.join();
}

BOOST_AUTO_TEST_CASE(counters_are_read_by_other_threads) {
  std::string data;
  for (std::size_t i = 0; i < 3000; ++i) data += kA + "\n";
  Log log;
  marc::Pipeline pipeline(scripted(data, at_once(), log), options_of(500));
  std::atomic<bool> done{false};
  std::thread watcher([&] {
    std::uint64_t before = 0;
    while (!done) {
      const std::uint64_t now = pipeline.counters().pieces;
      if (now < before) BOOST_ERROR("it counts backwards");
      before = now;
      std::this_thread::yield();
    }
  });
  Tally tally;
  BOOST_TEST(read_to_end(pipeline, tally).code == MARC_END);
  done = true;
  watcher.join();
  BOOST_TEST(pipeline.counters().pieces == 3000U);
}
