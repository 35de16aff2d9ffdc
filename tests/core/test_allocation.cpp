// Memory: none is asked for once the reading is under way, and wherever it runs out, the C interface says so, loses no
// byte of it and stays usable.
// SPDX-License-Identifier: MIT
#include "counting.hpp"
#include "files.hpp"
#include "make.hpp"

#include <marc/marc.h>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <new>
#include <string>
#include <vector>

using namespace test;

namespace {

// MARC_NUM_THREADS for as long as it lives.
struct Threads {
  explicit Threads(const char *count) { ::setenv("MARC_NUM_THREADS", count, 1); }
  ~Threads() { ::setenv("MARC_NUM_THREADS", "1", 1); }
  Threads(const Threads &) = delete;
  Threads &operator=(const Threads &) = delete;
};

} // namespace

// ---- What is read --------------------------------------------------------------------------------------------------

namespace {

// Gives its bytes over and over.
struct Endless {
  std::string data;
  std::size_t at = 0;
  std::size_t most = std::numeric_limits<std::size_t>::max(); // bytes in one read

  static std::int64_t read(void *context, std::uint8_t *buffer, std::size_t capacity) {
    auto *self = static_cast<Endless *>(context);
    const std::size_t size = std::min({capacity, self->most, self->data.size() - self->at});
    std::memcpy(buffer, self->data.data() + self->at, size);
    self->at = (self->at + size) % self->data.size();
    return static_cast<std::int64_t>(size);
  }
};

struct Ending {
  const std::string *data;
  std::size_t at = 0;

  static std::int64_t read(void *context, std::uint8_t *buffer, std::size_t capacity) {
    auto *self = static_cast<Ending *>(context);
    const std::size_t size = std::min(capacity, self->data->size() - self->at);
    std::memcpy(buffer, self->data->data() + self->at, size);
    self->at += size;
    return static_cast<std::int64_t>(size);
  }
  static std::int64_t read_at(void *context, std::uint64_t offset, std::uint8_t *buffer, std::size_t capacity) {
    auto *self = static_cast<Ending *>(context);
    self->at = static_cast<std::size_t>(offset);
    return read(context, buffer, capacity);
  }
};

marc_reader_options options_of(std::uint32_t chunk, std::uint32_t batch_records = 0) {
  marc_reader_options options;
  marc_reader_options_init(&options, sizeof options);
  options.chunk_bytes = chunk;
  options.batch_records = batch_records;
  return options;
}

// A record whose data stand in another order than its directory.
std::string permuted() {
  const std::string text = record({{"001", "one"}, {"245", marc_of("10$aTitle")}, {"500", marc_of("  $aNote")}});
  return text.substr(0, 24) + text.substr(36, 12) + text.substr(24, 12) + text.substr(48);
}

// Some of everything.
std::string mixed_bytes() {
  std::string data;
  for (std::size_t i = 0; i < 12; ++i) data += titled("number " + std::to_string(i) + std::string(i * 20, 'x'));
  data += "\n" + record({{"245", marc_of("1$aone indicator$")}}) + permuted();
  data += with(titled("too long"), 0, "99999") + "junk\x1d" + titled("Latin \xe9", {.head = "nam  22"});
  data += record({{"245", marc_of("10$a\xff")}}) + titled(std::string(3000, 'l')) + titled("cut").substr(0, 50);
  return data;
}

} // namespace

// ---- No memory is asked for in the steady state --------------------------------------------------------------------

namespace {

// Allocations while 300 batches are read, after 3000 others; `kept` of them are held at any time.
std::size_t allocations_later(const std::string &data, std::size_t kept, std::uint32_t chunk, std::size_t most) {
  Endless input{data};
  input.most = most;
  const marc_reader_options options = options_of(chunk);
  marc_reader *reader = nullptr;
  BOOST_TEST_REQUIRE(marc_reader_open_callback(Endless::read, &input, &options, &reader, nullptr) == MARC_OK);
  std::vector<marc_batch *> held(kept + 1, nullptr);
  marc_error error;
  marc_error_init(&error, sizeof error);
  std::size_t bad = 0;
  std::size_t allocations = 0;
  const auto read = [&](std::size_t batches) {
    for (std::size_t i = 0; i < batches; ++i) {
      marc_batch *&slot = held[i % held.size()];
      marc_batch_release(slot);
      bad += marc_reader_next_batch(reader, &slot, &error) == MARC_OK ? 0 : 1;
    }
  };
  read(3000);
  {
    const Counting counting;
    read(300);
    allocations = counter.asked;
  }
  BOOST_TEST(bad == 0U);
  for (marc_batch *batch : held) marc_batch_release(batch);
  marc_reader_free(reader);
  return allocations;
}

} // namespace

BOOST_AUTO_TEST_CASE(no_allocation_once_it_is_under_way) {
  std::string data;
  for (std::size_t i = 0; i < 40; ++i) data += titled("number " + std::to_string(i) + std::string(i * 13 % 200, 'x'));
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  for (const std::size_t kept : {0U, 1U, 5U}) {
    for (const std::uint32_t chunk : {64U, 1000U, 20000U}) {
      BOOST_TEST(allocations_later(data, kept, chunk, kAll) == 0U, kept << " kept, chunk " << chunk);
      BOOST_TEST(allocations_later(data, kept, chunk, 100) == 0U, kept << " kept, chunk " << chunk);
    }
  }
}

BOOST_AUTO_TEST_CASE(no_allocation_for_odd_records) {
  const std::string odd = record({{"001", ""}, {"245", marc_of("1$aone$$b\xc3\xa9")}, {"500", marc_of("  $ax%y")}});
  const std::string rejected = record({{"245", marc_of("10$a\xff")}});
  for (const std::string &data : {odd, rejected, permuted(), with(odd, 0, "99999"), "junk\x1d" + odd})
    BOOST_TEST(allocations_later(repeated(data + "\n", 5), 1, 1000, 700) == 0U);
}

// ---- Memory that runs out ------------------------------------------------------------------------------------------

namespace {

// What calls have returned, and whether each said it as the header promises.
struct Results {
  std::size_t out_of_memory = 0;
  std::size_t batches = 0;
  bool ended = false;
  const char *broken = nullptr;

  void expect(bool kept, const char *promise) {
    if (!kept && broken == nullptr) broken = promise;
  }
  // True if the call was good.
  bool take(std::int32_t status, const marc_error &error, const void *out) {
    if (status == MARC_OK) {
      expect(out != nullptr, "MARC_OK without what was asked for");
      return true;
    }
    expect(out == nullptr, "a failure that gives something");
    if (status == MARC_END) return false;
    expect(status == MARC_E_NOMEM, "another failure than MARC_E_NOMEM");
    expect(error.code == MARC_E_NOMEM && error.message[0] != '\0', "an error that is not filled in");
    ++out_of_memory;
    return false;
  }
};

using Open = std::function<std::int32_t(const marc_reader_options *, marc_reader **, marc_error *)>;

// Everything that the interface offers, from opening to freeing. It allocates nothing by itself.
Results run(const Open &open, const std::string &data, const marc_reader_options &options) {
  Results results;
  marc_error error;
  marc_error_init(&error, sizeof error);
  marc_reader *reader = nullptr;
  const std::int32_t opened = open(&options, &reader, &error);
  if (results.take(opened, error, reader)) {
    marc_batch *kept = nullptr;
    for (int calls = 0; calls < 1000 && !results.ended; ++calls) {
      marc_batch *batch = nullptr;
      const std::int32_t status = marc_reader_next_batch(reader, &batch, &error);
      results.ended = status == MARC_END;
      if (!results.take(status, error, batch)) continue;
      ++results.batches;
      marc_text *text = nullptr;
      const std::int32_t made = marc_batch_titles(batch, &text, &error);
      if (results.take(made, error, text)) marc_text_free(text);
      marc_batch_release(kept);
      kept = batch;
    }
    results.expect(results.ended, "a reader without an end");
    marc_reader_free(reader);
    marc_batch_release(kept);
  }
  marc_batch *alone = nullptr;
  const auto *bytes = reinterpret_cast<const std::uint8_t *>(data.data());
  const std::int32_t parsed = marc_parse_record(bytes, data.size(), MARC_PIECE_LAST, &options, &alone, &error);
  if (results.take(parsed, error, alone)) marc_batch_release(alone);
  return results;
}

// Lets every allocation fail in turn, alone or with all that follow it.
void check_every_allocation(const Open &open, const std::string &data, const marc_reader_options &options) {
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  const std::size_t descriptors = open_descriptors();
  std::size_t needed = 0;
  std::size_t batches = 0;
  {
    const Counting counting;
    const Results results = run(open, data, options);
    needed = counter.asked;
    batches = results.batches;
    const std::ptrdiff_t live = counter.live;
    counter.set(false);
    BOOST_TEST_REQUIRE(results.broken == nullptr, results.broken);
    BOOST_TEST_REQUIRE(results.out_of_memory == 0U);
    BOOST_TEST_REQUIRE(live == 0);
  }
  BOOST_TEST(batches > 3U);
  BOOST_TEST(needed > 10U);
  for (std::size_t n = 1; n <= needed; ++n) {
    for (const std::size_t last : {n, kAll}) {
      const Counting counting(n, last);
      const Results results = run(open, data, options);
      const std::ptrdiff_t live = counter.live;
      const std::size_t asked = counter.asked;
      counter.set(false);
      BOOST_TEST_REQUIRE(asked >= n, n);
      BOOST_TEST_REQUIRE(results.broken == nullptr, results.broken << ", allocation " << n);
      BOOST_TEST_REQUIRE(results.out_of_memory > 0U, n);
      BOOST_TEST_REQUIRE(live == 0, live << " left, allocation " << n);
      BOOST_TEST_REQUIRE(open_descriptors() == descriptors, "a descriptor left, allocation " << n);
    }
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(out_of_memory_while_a_file_is_read) {
  const Folder folder;
  const std::string data = mixed_bytes();
  const std::string path = folder.file("mixed", data);
  const Open open = [&](const marc_reader_options *options, marc_reader **out, marc_error *error) {
    return marc_reader_open_path(path.c_str(), options, out, error);
  };
  check_every_allocation(open, titled("alone"), options_of(64));
  check_every_allocation(open, permuted(), options_of(500, 3));
}

// Where it runs out with threads is not the same each time. That nothing is lost or left is.
BOOST_AUTO_TEST_CASE(out_of_memory_with_threads) {
  const Folder folder;
  const std::string data = mixed_bytes();
  const std::string path = folder.file("mixed", data);
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  const std::string alone = titled("alone");
  const std::size_t descriptors = open_descriptors();
  for (const bool from_file : {true, false}) {
    const Open open = [&](const marc_reader_options *options, marc_reader **out, marc_error *error) {
      const auto *bytes = reinterpret_cast<const std::uint8_t *>(data.data());
      return from_file ? marc_reader_open_path(path.c_str(), options, out, error)
                       : marc_reader_open_bytes(bytes, data.size(), options, out, error);
    };
    const Threads threads("3");
    BOOST_TEST_REQUIRE(run(open, alone, options_of(300)).ended); // what the process keeps for its pool is there
    std::size_t out_of_memory = 0;
    for (std::size_t n = 1; n <= 400; ++n) {
      for (const std::size_t last : {n, kAll}) {
        const Counting counting(n, last);
        const Results results = run(open, alone, options_of(300));
        const std::ptrdiff_t live = counter.live;
        counter.set(false);
        out_of_memory += results.out_of_memory;
        BOOST_TEST_REQUIRE(results.broken == nullptr, results.broken << ", allocation " << n);
        BOOST_TEST_REQUIRE(live == 0, live << " left, allocation " << n);
        BOOST_TEST_REQUIRE(open_descriptors() == descriptors, "a descriptor left, allocation " << n);
      }
    }
    BOOST_TEST(out_of_memory > 300U);
  }
}

BOOST_AUTO_TEST_CASE(out_of_memory_while_memory_is_read) {
  const std::string data = mixed_bytes();
  const Open open = [&](const marc_reader_options *options, marc_reader **out, marc_error *error) {
    return marc_reader_open_bytes(reinterpret_cast<const std::uint8_t *>(data.data()), data.size(), options, out,
                                  error);
  };
  check_every_allocation(open, "junk", options_of(300));
}

BOOST_AUTO_TEST_CASE(out_of_memory_while_callbacks_are_read) {
  const std::string data = mixed_bytes();
  Ending input{&data};
  const Open open = [&](const marc_reader_options *options, marc_reader **out, marc_error *error) {
    input.at = 0;
    return marc_reader_open_callback(Ending::read, &input, options, out, error);
  };
  check_every_allocation(open, titled("alone"), options_of(200));
  const Open open_at = [&](const marc_reader_options *options, marc_reader **out, marc_error *error) {
    return marc_reader_open_read_at(Ending::read_at, &input, data.size(), options, out, error);
  };
  check_every_allocation(open_at, titled("alone"), options_of(200));
}

namespace {

// A small file in which every kind of damage needs memory of its own: for the places of fields, entries in another order,
// notes, subfields of fields that overlap, and a window that grows.
std::string damaged_bytes() {
  std::vector<Field> fields;
  for (std::size_t i = 0; i < 80; ++i)
    fields.push_back({"500", marc_of("  $a") + std::to_string(i) + marc_of("$$b\xff")});
  const std::string many = record(fields);
  std::string data = titled("sound") + "\n" + with(titled("too long"), 0, "99999") + with(permuted(), 12, "00000");
  data += with(permuted(), 26, "x") + titled("no end").substr(0, 100) + with(many, 0, "00000") + "junk\x1d";
  data += with(many, many.find('\x1e', 1500), "x") + many.substr(0, many.size() - 2) + titled("behind them");
  return data + titled("cut").substr(0, 90);
}

} // namespace

BOOST_AUTO_TEST_CASE(out_of_memory_while_damaged_records_are_read) {
  const std::string data = damaged_bytes();
  Ending input{&data};
  const Open open_bytes = [&](const marc_reader_options *options, marc_reader **out, marc_error *error) {
    return marc_reader_open_bytes(reinterpret_cast<const std::uint8_t *>(data.data()), data.size(), options, out,
                                  error);
  };
  const Open open_callback = [&](const marc_reader_options *options, marc_reader **out, marc_error *error) {
    input.at = 0;
    return marc_reader_open_callback(Ending::read, &input, options, out, error);
  };
  for (const std::uint32_t mode : {MARC_PARSE_PYMARC, MARC_PARSE_BEST}) {
    marc_reader_options options = options_of(500);
    options.parse_mode = mode;
    check_every_allocation(open_bytes, with(titled("alone"), 0, "99999"), options);
    check_every_allocation(open_callback, "junk", options);
    options.largest_record = 300; // some of it comes in parts
    check_every_allocation(open_callback, permuted(), options);
  }
}

namespace {

// What calls that make and write records have returned: each MARC_OK, or MARC_E_NOMEM with nothing changed.
struct Writing {
  std::size_t out_of_memory = 0;
  const char *broken = nullptr;

  // True if the call was good.
  bool take(std::int32_t status) {
    if (status == MARC_E_NOMEM) ++out_of_memory;
    if (status != MARC_OK && status != MARC_E_NOMEM && broken == nullptr) broken = "another failure than MARC_E_NOMEM";
    return status == MARC_OK;
  }
  // Calls again until memory is there; it is, after a while.
  template <typename Call> void insist(Call call) {
    for (int i = 0; i < 100; ++i)
      if (take(call())) return;
  }
};

std::int64_t count_bytes(void *context, const std::uint8_t *, std::size_t length) {
  *static_cast<std::size_t *>(context) += length;
  return static_cast<std::int64_t>(length);
}

// Makes a record, writes it and another one in every format, and ends. Calls that fail are made again if `insists`.
Writing write_all(const marc_batch *batch, bool insists, std::size_t &bytes) {
  Writing writing;
  bytes = 0;
  const auto call = [&](auto one) {
    if (insists)
      writing.insist(one);
    else
      writing.take(one());
  };
  marc_builder *builder = nullptr;
  marc_batch *made = nullptr;
  call([&] { return marc_builder_new(&builder, nullptr); });
  if (builder != nullptr) {
    call([&] { return marc_builder_copy_fields(builder, batch, 0, 0, 2, nullptr); });
    call([&] { return marc_builder_add_data(builder, "500", ' ', ' ', nullptr); });
    call([&] { return marc_builder_finish(builder, &made, nullptr); });
  }
  for (const std::uint32_t format :
       {MARC_FORMAT_ISO2709, MARC_FORMAT_MARCXML, MARC_FORMAT_JSON, MARC_FORMAT_NDJSON, MARC_FORMAT_MRK}) {
    for (const std::uint32_t encoding : {MARC_ENCODING_UTF8, MARC_ENCODING_MARC8}) {
      if (encoding == MARC_ENCODING_MARC8 && format != MARC_FORMAT_ISO2709) continue;
      marc_writer_options options;
      marc_writer_options_init(&options, sizeof options);
      options.format = format;
      options.encoding = encoding;
      options.unmappable = MARC_UNMAPPABLE_REFERENCE;
      options.buffer_bytes = 100;
      marc_writer *writer = nullptr;
      call([&] { return marc_writer_open_callback(count_bytes, &bytes, &options, &writer, nullptr); });
      if (writer == nullptr) continue;
      call([&] { return marc_writer_write(writer, batch, 0, nullptr); });
      if (made != nullptr) call([&] { return marc_writer_write(writer, made, 0, nullptr); });
      call([&] { return marc_writer_close(writer, nullptr); });
      marc_writer_free(writer);
    }
  }
  marc_text *text = nullptr;
  call([&] { return marc_batch_json(batch, MARC_JSON_PYMARC, &text, nullptr); });
  marc_text_free(text);
  text = nullptr;
  call([&] { return marc_batch_xml(batch, MARC_XML_PYMARC, &text, nullptr); });
  marc_text_free(text);
  marc_batch_release(made);
  marc_builder_free(builder);
  return writing;
}

} // namespace

BOOST_AUTO_TEST_CASE(out_of_memory_while_records_are_written) {
  const std::string bytes = record({{"001", "id"}, {"245", marc_of("1$acaf\xc3\xa9$$b") + std::string(300, 'b')}});
  marc_batch *batch = nullptr;
  BOOST_TEST_REQUIRE(marc_parse_record(reinterpret_cast<const std::uint8_t *>(bytes.data()), bytes.size(),
                                       MARC_PIECE_ALONE, nullptr, &batch, nullptr) == MARC_OK);
  std::size_t expected = 0;
  std::size_t needed = 0;
  {
    const Counting counting;
    const Writing writing = write_all(batch, false, expected);
    needed = counter.asked;
    const std::ptrdiff_t live = counter.live;
    counter.set(false);
    BOOST_TEST_REQUIRE(writing.broken == nullptr, writing.broken);
    BOOST_TEST_REQUIRE(writing.out_of_memory == 0U);
    BOOST_TEST_REQUIRE(live == 0);
  }
  BOOST_TEST(needed > 30U);
  BOOST_TEST(expected > 3000U);
  for (std::size_t n = 1; n <= needed; ++n) {
    for (const bool alone : {true, false}) {
      const Counting counting(n, alone ? n : std::numeric_limits<std::size_t>::max());
      std::size_t written = 0;
      const Writing writing = write_all(batch, alone, written);
      const std::ptrdiff_t live = counter.live;
      counter.set(false);
      BOOST_TEST_REQUIRE(writing.broken == nullptr, writing.broken << ", allocation " << n);
      BOOST_TEST_REQUIRE(live == 0, live << " left, allocation " << n);
      // Where the call is made again, or does without that memory (std::stable_sort can), the same is written as if nothing
      // had happened.
      if (alone || writing.out_of_memory == 0) BOOST_TEST_REQUIRE(written == expected, "allocation " << n);
    }
  }
  marc_batch_release(batch);
}

BOOST_AUTO_TEST_CASE(out_of_memory_while_marcxml_is_read) {
  std::string data = "<?xml version='1.0' encoding='windows-1252'?><collection>";
  for (std::size_t i = 0; i < 6; ++i)
    data += "<record><leader>00000nam a2200000 i 4500</leader><datafield tag='245'><subfield code='ab'>" +
            std::string(i * 80, 'x') + "</subfield></datafield><controlfield tag='FMT'>BK</controlfield></record>";
  data += "</collection>";
  Ending input{&data};
  const Open open = [&](const marc_reader_options *options, marc_reader **out, marc_error *error) {
    input.at = 0;
    return marc_reader_open_callback(Ending::read, &input, options, out, error);
  };
  marc_reader_options options = options_of(200);
  options.format = MARC_FORMAT_MARCXML;
  check_every_allocation(open, titled("alone"), options);
}

// ---- Reads that fail -------------------------------------------------------------------------------------------------

namespace {

// Ends in a failure when `end` bytes were given.
struct Failing {
  const std::string *data;
  std::size_t end;
  std::size_t most;
  std::size_t at = 0;

  static std::int64_t read(void *context, std::uint8_t *buffer, std::size_t capacity) {
    auto *self = static_cast<Failing *>(context);
    if (self->at == self->end) return -7;
    const std::size_t size = std::min({capacity, self->most, self->end - self->at});
    std::memcpy(buffer, self->data->data() + self->at, size);
    self->at += size;
    return static_cast<std::int64_t>(size);
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(a_read_that_fails_at_any_offset_leaves_nothing_behind) {
  const std::string data = damaged_bytes();
  for (const std::uint32_t mode : {MARC_PARSE_PYMARC, MARC_PARSE_BEST}) {
    marc_reader_options options = options_of(500);
    options.parse_mode = mode;
    for (std::size_t end = 0; end <= data.size(); ++end) {
      Failing input{&data, end, 350};
      marc_error error;
      marc_error_init(&error, sizeof error);
      std::uint64_t bytes = 0;
      std::size_t rest = 0;
      const Counting counting;
      marc_reader *reader = nullptr;
      std::int32_t status = marc_reader_open_callback(Failing::read, &input, &options, &reader, &error);
      while (status == MARC_OK) {
        marc_batch *batch = nullptr;
        status = marc_reader_next_batch(reader, &batch, &error);
        for (std::uint32_t i = 0; i < marc_batch_record_count(batch); ++i) {
          std::size_t length = 0;
          static_cast<void>(marc_batch_record_data(batch, i, &length));
          bytes += length;
        }
        marc_batch_release(batch);
      }
      static_cast<void>(marc_reader_get_rest(reader, &rest));
      marc_reader_info info{};
      info.struct_size = sizeof info;
      marc_reader_get_info(reader, &info);
      marc_reader_free(reader);
      const std::ptrdiff_t live = counter.live;
      counter.set(false);
      BOOST_TEST_REQUIRE(status == MARC_E_CALLBACK, end);
      BOOST_TEST_REQUIRE(error.detail == -7, end);
      BOOST_TEST_REQUIRE(bytes + info.silent_bytes + rest == end, end);
      BOOST_TEST_REQUIRE(live == 0, end);
    }
  }
}

BOOST_AUTO_TEST_CASE(out_of_memory_while_a_file_cannot_be_opened) {
  const Folder folder;
  const std::string missing = folder.path("missing");
  const std::string directory = folder.path("");
  for (const std::string &path : {missing, directory}) {
    for (std::size_t n = 1; n < 5; ++n) {
      const std::size_t descriptors = open_descriptors();
      marc_error error;
      marc_error_init(&error, sizeof error);
      marc_reader *reader = nullptr;
      const Counting counting(n, n);
      const std::int32_t status = marc_reader_open_path(path.c_str(), nullptr, &reader, &error);
      const std::ptrdiff_t live = counter.live;
      counter.set(false);
      BOOST_TEST((status == MARC_E_IO || status == MARC_E_NOMEM));
      BOOST_TEST(error.code == status);
      BOOST_TEST(live == 0);
      BOOST_TEST(reader == nullptr);
      BOOST_TEST(open_descriptors() == descriptors, "a descriptor left, allocation " << n);
    }
  }
}
