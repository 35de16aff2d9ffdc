// Inputs that are read to their end, and all that comes of them.
// SPDX-License-Identifier: MIT
#pragma once

#include "boundary_map.hpp"
#include "make.hpp"
#include "pipeline.hpp"
#include "reading.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace test {

// From one place to the next where something is tried at every one.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kStep = 7; // some of the places only: each takes its time
#else
constexpr std::size_t kStep = 1;
#endif

inline const std::string kA = titled("a first record");
inline const std::string kB = titled("another one");
inline const std::string kC = titled("the last of three");

inline marc::PipelineOptions options_of(std::size_t chunk, std::size_t batch_records = 0,
                                        std::size_t largest = 64 << 20) {
  return {chunk, batch_records, largest};
}

// Good records and each kind of piece beside them, with a record above 64 KB and an ending that is cut.
inline const std::string &mixed_input() {
  static const std::string kInput = [] {
    const Fixture damaged = fixture("damaged");
    std::string data = "\xef\xbb\xbf" + kA;
    std::size_t good = 0;
    for (const Part &piece : damaged.pieces) {
      const std::string bytes = damaged.data.substr(piece.begin, piece.end - piece.begin);
      const bool wanted = piece.kind != marc::PieceKind::Record || ++good % 17 == 0 || bytes.size() < 700;
      if (wanted && data.size() < 80000) data += bytes;
    }
    std::vector<Field> fields;
    for (int i = 0; i < 9; ++i)
      fields.push_back({"500", marc_of("  $a") + std::string(8000, static_cast<char>('a' + i))});
    data += record(fields) + "\n\n" + kB + with(kC, 0, "00000") + "junk\x1d" + kB;
    data += with(kA, 0, "99999") + titled("Latin \xe9") + kB.substr(0, kB.size() - 20);
    return data;
  }();
  return kInput;
}

// All pieces, and that they are in order and no byte is lost.
inline std::vector<std::string> pieces_of(std::unique_ptr<marc::Source> source, const marc::PipelineOptions &options,
                                          std::size_t size) {
  marc::Pipeline pipeline(std::move(source), options);
  Tally tally;
  const marc::Failure failure = read_to_end(pipeline, tally);
  BOOST_TEST_REQUIRE(tally.broken() == "");
  BOOST_TEST_REQUIRE(failure.code == MARC_END);
  const marc::StreamCounters &counters = pipeline.counters();
  BOOST_TEST(counters.bytes_read == size);
  BOOST_TEST(counters.pieces == tally.pieces().size());
  BOOST_TEST(counters.silent_bytes + tally.piece_bytes() == size);
  BOOST_TEST(pipeline.offset() == size);
  return tally.pieces();
}

inline std::vector<std::string> pieces_of_memory(const std::string &data, const marc::PipelineOptions &options = {}) {
  return pieces_of(marc::open_memory({bytes_of(data), data.size()}), options, data.size());
}

// The same with threads.
inline marc::PipelineOptions with_threads(marc::PipelineOptions options, unsigned threads, std::size_t ahead) {
  options.threads = threads;
  options.ahead = ahead;
  return options;
}

} // namespace test
