// Memory is bounded, whatever is read and however much of it: by the largest record and the size of a chunk.
// SPDX-License-Identifier: MIT
#include "counting.hpp"
#include "field_rules.hpp"
#include "leader.hpp"
#include "make.hpp"

#include <marc/marc.h>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

using namespace std::string_literals;
using namespace test;

namespace {

// Gives a beginning and then the same bytes over and over: `size` bytes, of which none is kept.
struct Generated {
  std::string begin;
  std::string unit;
  std::uint64_t size;
  std::uint64_t at = 0;

  static std::int64_t read(void *context, std::uint8_t *buffer, std::size_t capacity) {
    auto *self = static_cast<Generated *>(context);
    std::size_t given = 0;
    while (given < capacity && self->at < self->size) {
      const std::string &from = self->at < self->begin.size() ? self->begin : self->unit;
      const std::size_t skip =
          self->at < self->begin.size() ? self->at : (self->at - self->begin.size()) % self->unit.size();
      const std::size_t count =
          std::min({from.size() - skip, capacity - given, static_cast<std::size_t>(self->size - self->at)});
      std::memcpy(buffer + given, from.data() + skip, count);
      given += count;
      self->at += count;
    }
    return static_cast<std::int64_t>(given);
  }
};

struct Read {
  std::ptrdiff_t most; // bytes of memory
  std::uint64_t bytes; // of pieces and silent ones
};

Read read_all(Generated input, const marc_reader_options &options) {
  Read read{};
  const Counting counting;
  marc_reader *reader = nullptr;
  BOOST_TEST_REQUIRE(marc_reader_open_callback(Generated::read, &input, &options, &reader, nullptr) == MARC_OK);
  marc_batch *batch = nullptr;
  while (marc_reader_next_batch(reader, &batch, nullptr) == MARC_OK) {
    for (std::uint32_t i = 0; i < marc_batch_record_count(batch); ++i) {
      std::size_t length = 0;
      static_cast<void>(marc_batch_record_data(batch, i, &length));
      read.bytes += length;
    }
    marc_batch_release(batch);
  }
  marc_reader_info info{};
  info.struct_size = sizeof info;
  BOOST_TEST(marc_reader_get_info(reader, &info) == MARC_OK);
  read.bytes += info.silent_bytes;
  marc_reader_free(reader);
  read.most = counter.most;
  return read;
}

// Bytes of memory that reading it takes.
std::size_t memory_of(const Generated &input, std::uint32_t mode, std::uint64_t largest, std::uint32_t chunk) {
  marc_reader_options options;
  marc_reader_options_init(&options, sizeof options);
  options.parse_mode = mode;
  options.largest_record = largest;
  options.chunk_bytes = chunk;
  const Read read = read_all(input, options);
  BOOST_TEST(read.bytes == input.size);
  BOOST_TEST(read.most > static_cast<std::ptrdiff_t>(chunk));
  return static_cast<std::size_t>(read.most);
}

std::string leader(std::string_view length, std::size_t base) {
  return std::string(length) + "nam a22" + number(std::min<std::size_t>(base, 99999), 5) + " a 4500";
}

constexpr std::size_t kMiB = 1 << 20;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kStream = 16 * kMiB; // slow there
#else
constexpr std::uint64_t kStream = 64 * kMiB;
#endif

} // namespace

// The window holds what may be a record, up to the largest size; while it grows there are two.
BOOST_AUTO_TEST_CASE(bytes_without_end) {
  const std::string begun = titled("without an end", {.length = "99999"}).substr(0, 80);
  for (const std::uint32_t mode : {MARC_PARSE_PYMARC, MARC_PARSE_BEST}) {
    const auto memory = [mode](const std::string &begin, char byte) {
      return memory_of({begin, std::string(4096, byte), kStream}, mode, kMiB, kMiB);
    };
    BOOST_TEST(memory("", '\0') < kMiB + kMiB);
    BOOST_TEST(memory("", '\x1d') < kMiB + kMiB);
    BOOST_TEST(memory("", '7') < 3 * (kMiB + kMiB));
    BOOST_TEST(memory("", '\x1e') < 3 * (kMiB + kMiB));
    BOOST_TEST(memory(begun, 'x') < 3 * (kMiB + kMiB));
    BOOST_TEST(memory("PK\x03\x04", '\x1d') < 3 * (kMiB + kMiB));
  }
}

// A piece below the largest size is looked into: its fields, subfields and notes need memory besides its bytes.
BOOST_AUTO_TEST_CASE(pieces_as_large_as_they_may_be) {
  constexpr std::uint32_t kChunk = 1 << 16;
  const auto filled = [](const std::string &head, std::string_view unit) {
    return head + repeated(unit, (kMiB - 1 - head.size()) / unit.size()) + "\x1d";
  };
  for (const char *length : {"99999", "00000"}) {
    const std::string one_field = leader(length, 37) + "500000200000\x1e";
    std::string entries;
    for (std::size_t i = 0; i < 70000; ++i) entries += "5000002" + number(i * 2 % 100000, 5);
    const std::string many_fields = leader(length, 25 + entries.size()) + entries + "\x1e";
    for (const std::uint32_t mode : {MARC_PARSE_PYMARC, MARC_PARSE_BEST}) {
      const auto memory = [mode](const std::string &piece) {
        BOOST_TEST_REQUIRE(piece.size() <= kMiB);
        return memory_of({"", piece, 4 * piece.size()}, mode, kMiB, kChunk);
      };
      BOOST_TEST(memory(filled(one_field, "x")) < 3 * (kMiB + kChunk));
      BOOST_TEST(memory(filled(one_field, marc_of("$a"))) < 8 * (kMiB + kChunk));
      BOOST_TEST(memory(filled(one_field, "\x1f")) < 35 * (kMiB + kChunk)); // a note for each empty subfield
      BOOST_TEST(memory(filled(one_field, "\x1e")) < 12 * (kMiB + kChunk)); // the places of all of them
      BOOST_TEST(memory(filled(many_fields, "1\x1e")) < 35 * (kMiB + kChunk));
      BOOST_TEST(memory(filled(many_fields, "12\x1e")) < 35 * (kMiB + kChunk));
    }
  }
}

// Where fields overlap, each byte of a record may count as often as the core allows. What may so count is bounded.
BOOST_AUTO_TEST_CASE(fields_that_overlap) {
  constexpr std::size_t kLargest = kMiB / 4;
  constexpr std::size_t kMost = 35 * (kLargest + kLargest) + 45 * marc::kMostOverlap * marc::kLargestLength;
  const auto overlapping = [](std::string_view length, std::size_t entries, std::string_view unit, std::size_t size) {
    const std::string text = leader(length, 25 + 12 * entries) + repeated("500999900000", entries) + "\x1e" +
                             repeated(unit, 9998 / unit.size()) + "\x1e";
    return text + std::string(size - text.size() - 2, 'x') + "\x1e\x1d";
  };
  for (const std::string &unit : {marc_of("$a"), "\x1f\xff"s}) {
    for (const std::uint32_t mode : {MARC_PARSE_PYMARC, MARC_PARSE_BEST}) {
      for (const std::size_t times : {30U, 33U}) {
        // Many small records in a chunk, one as large as a record can be, and one that is larger.
        for (const std::size_t size : {std::size_t{12000}, marc::kLargestLength, kLargest}) {
          const std::string piece =
              overlapping(size > 99999 ? "00000" : number(size, 5), times * size / 9999, unit, size);
          BOOST_TEST(memory_of({"", piece, kLargest / size * size}, mode, kLargest, kLargest) < kMost);
        }
      }
    }
  }
}
