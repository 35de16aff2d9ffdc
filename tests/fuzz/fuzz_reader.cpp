// The C interface as a whole: a callback that gives bytes in fuzzed portions, waits, fails or is cancelled, must give
// the pieces that memory gives, and every byte must be in one of them or be counted as silent. So must three threads, and
// byte ranges together.
// SPDX-License-Identifier: MIT
#include "checks.hpp"
#include "fuzzing.hpp"

#include "../core/boundary_rule.hpp"
#include "../core/make.hpp"

#include <marc/marc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace fuzz;

// What the control bytes say about the source.
enum Flag : unsigned { kBest, kFails, kInterrupts, kCancels, kKeepsBatches, kPositioned, kComparesModes, kThreads };

// A source that follows the control bytes.
class Source {
public:
  explicit Source(const Input &input) : bytes_(input.bytes()), input_(input), random_(input.seed()) {
    if (input.flag(kFails)) fails_at_ = random_.below(bytes_.size() + 1);
  }

  bool has_failed() const { return failed_; }
  std::size_t given() const { return at_; }
  std::size_t reads_after_end() const { return reads_after_end_; }

  static std::int64_t read(void *context, std::uint8_t *buffer, std::size_t capacity) {
    return static_cast<Source *>(context)->read(buffer, capacity);
  }
  static std::int64_t read_at(void *context, std::uint64_t offset, std::uint8_t *buffer, std::size_t capacity) {
    auto *source = static_cast<Source *>(context);
    require(offset == source->at_, "a read that does not follow the one before");
    return source->read(buffer, capacity);
  }

private:
  std::int64_t read(std::uint8_t *buffer, std::size_t capacity) {
    require(capacity > 0, "a read of no bytes");
    if (ended_) ++reads_after_end_;
    if (input_.flag(kInterrupts) && random_.one_in(3)) return MARC_READ_INTERRUPTED;
    if (at_ == fails_at_) {
      failed_ = ended_ = true;
      return random_.one_in(2) ? -5 : static_cast<std::int64_t>(capacity) + 1;
    }
    const std::size_t left = std::min(bytes_.size(), fails_at_) - at_;
    const std::size_t count = std::min({portion(), capacity, left});
    ended_ = left == 0;
    if (count > 0) std::memcpy(buffer, bytes_.data() + at_, count);
    at_ += count;
    return static_cast<std::int64_t>(count);
  }

  std::size_t portion() {
    switch (input_.how() % 5) {
    case 0:
      return std::size_t{1} << 30;
    case 1:
      return 1;
    case 2:
      return random_.between(1, 7);
    case 3:
      return random_.between(1, 100);
    default:
      return random_.between(1, 5000);
    }
  }

  std::string_view bytes_;
  const Input &input_;
  test::Random random_;
  std::size_t at_ = 0;
  std::size_t fails_at_ = std::string_view::npos;
  std::size_t reads_after_end_ = 0;
  bool ended_ = false;
  bool failed_ = false;
};

struct Close {
  void operator()(marc_reader *reader) const { marc_reader_free(reader); }
};
using Reader = std::unique_ptr<marc_reader, Close>;

marc_reader_options options_of(const Input &input) {
  marc_reader_options options;
  marc_reader_options_init(&options, sizeof options);
  options.parse_mode = input.flag(kBest) ? MARC_PARSE_BEST : MARC_PARSE_PYMARC;
  options.largest_record = input.largest(options.largest_record);
  return options;
}

[[maybe_unused]] const int kEnvironment = ::setenv("MARC_NUM_THREADS", "3", 1);

// The options that must not change what is read.
marc_reader_options with_batches(marc_reader_options options, const Input &input) {
  options.chunk_bytes = 64 + 37U * input.chunk();
  options.batch_records = input.batch() % 8;
  options.read_ahead = input.flag(kThreads) ? 1 + input.batch() / 8 % 4 : MARC_AHEAD_NONE;
  return options;
}

Reader opened(std::int32_t status, marc_reader *reader) {
  Reader owned(reader);
  require(status == MARC_OK, "a reader could not be opened");
  return owned;
}

Reader open_bytes(std::string_view bytes, const marc_reader_options &options) {
  marc_reader *reader = nullptr;
  const std::int32_t status = marc_reader_open_bytes(test::bytes_of(bytes), bytes.size(), &options, &reader, nullptr);
  return opened(status, reader);
}

Reader open_source(Source &source, const Input &input, const marc_reader_options &options) {
  marc_reader *reader = nullptr;
  const std::int32_t status =
      input.flag(kPositioned)
          ? marc_reader_open_read_at(Source::read_at, &source, input.bytes().size(), &options, &reader, nullptr)
          : marc_reader_open_callback(Source::read, &source, &options, &reader, nullptr);
  return opened(status, reader);
}

// Whether the bytes of the piece do not say why it was rejected, but its size or its place at the beginning of the input.
bool is_unread(std::int32_t status) {
  return status == MARC_BAD_OVERSIZE || status == MARC_BAD_OVERSIZE_PART || status <= MARC_BAD_GZIP;
}

// Reads from a reader to its end, and checks what it hands out against the bytes of the source.
class Reading {
public:
  Reading(marc_reader *reader, std::string_view bytes, std::uint32_t parse_mode)
      : reader_(reader), bytes_(bytes), parse_mode_(parse_mode) {}

  // Up to the end, a failure that is not for now only, or the batch before which the reader is cancelled.
  std::int32_t run(std::size_t cancel_before, bool keeps_batches) {
    for (std::size_t count = 0;; ++count) {
      if (count == cancel_before) marc_reader_cancel(reader_);
      const std::int32_t status = next(keeps_batches);
      if (status != MARC_OK && status != MARC_E_INTERRUPTED) return status;
    }
  }

  const std::vector<Piece> &pieces() const { return pieces_; }
  std::uint64_t piece_bytes() const { return piece_bytes_; }
  std::uint64_t rest() const { return rest_; }
  marc_reader_info info() const {
    marc_reader_info info{};
    info.struct_size = sizeof info;
    require(marc_reader_get_info(reader_, &info) == MARC_OK, "marc_reader_get_info");
    return info;
  }

  // Batches that were kept hold what they held when they came.
  void check_kept() const {
    std::vector<Piece> pieces;
    for (const Batch &batch : kept_) {
      const marc_batch_view view = view_of(batch.get());
      check_bytes(view);
      add_pieces(view, pieces);
    }
    require(kept_.empty() || pieces == pieces_, "a batch that changed after it was handed out");
  }

private:
  std::int32_t next(bool keeps_batches) {
    marc_error error;
    marc_error_init(&error, sizeof error);
    marc_batch *batch = nullptr;
    const std::int32_t status = marc_reader_next_batch(reader_, &batch, &error);
    Batch owned(batch);
    require((status == MARC_OK) == (batch != nullptr), "a batch and no MARC_OK, or the other way round");
    require((error.code != MARC_OK) == (status < 0), "an error that is not filled in, or is, without reason");
    if (status < 0) require(error.code == status && error.message[0] != '\0', "an error that says something else");
    if (status == MARC_E_CALLBACK) check_rest(error);
    if (batch != nullptr) add(batch);
    if (keeps_batches && batch != nullptr) kept_.push_back(std::move(owned));
    return status;
  }

  // What the failure has cut: the bytes behind the last batch, but silent ones come first and are counted as such.
  void check_rest(const marc_error &error) {
    std::size_t length = 0;
    const std::uint8_t *rest = marc_reader_get_rest(reader_, &length);
    require((rest == nullptr) == (length == 0), "a rest without bytes");
    const auto offset = static_cast<std::size_t>(error.byte_offset);
    require(offset >= end_ && offset + length == info().bytes_read, "a rest that is not the last of what was read");
    require(length == 0 || bytes_.substr(offset, length) == test::text_of(rest, length), "a rest of other bytes");
    require(error.record_index == static_cast<std::int64_t>(next_index_), "a failure at another piece");
    const bool in_parts = !pieces_.empty() && is_unread(pieces_.back().status);
    const test::BoundaryRule rule(bytes_.substr(0, offset + length));
    require(in_parts || length == 0 || rule.behind_silent(offset) == offset, "a rest that begins with silent bytes");
    rest_ = length;
  }

  void add(const marc_batch *batch) {
    BatchCheck(batch, parse_mode_).run();
    const marc_batch_view view = view_of(batch);
    require(view.record_count > 0, "a batch without a piece");
    require(view.source_offset >= end_, "a batch that goes back");
    check_bytes(view);
    end_ = view.source_offset + view.data_length;
    const std::size_t known = pieces_.size();
    add_pieces(view, pieces_);
    for (std::size_t i = known; i < pieces_.size(); ++i) {
      // A further part of a piece has the index of the piece.
      if (pieces_[i].status != MARC_BAD_OVERSIZE_PART) ++next_index_;
      require(pieces_[i].index + 1 == next_index_, "indexes that do not count on");
      piece_bytes_ += pieces_[i].length;
    }
  }

  void check_bytes(const marc_batch_view &view) const {
    require(view.source_offset + view.data_length <= bytes_.size(), "a batch behind the end of the source");
    require(bytes_of(view, 0, view.data_length) == bytes_.substr(view.source_offset, view.data_length),
            "a batch with other bytes than the source");
  }

  marc_reader *reader_;
  std::string_view bytes_;
  std::uint32_t parse_mode_;
  std::vector<Piece> pieces_;
  std::vector<Batch> kept_;
  std::uint64_t end_ = 0;
  std::uint64_t next_index_ = 0;
  std::uint64_t piece_bytes_ = 0;
  std::uint64_t rest_ = 0; // bytes that a failure has cut
};

void check_same(const std::vector<Piece> &expected, const std::vector<Piece> &got) {
  for (std::size_t i = 0; i < std::max(expected.size(), got.size()); ++i) {
    if (i < expected.size() && i < got.size() && expected[i] == got[i]) continue;
    throw Broken("memory gives " + (i < expected.size() ? text_of(expected[i]) : "nothing") + "\n  the source " +
                 (i < got.size() ? text_of(got[i]) : "nothing"));
  }
}

// Every byte of `size` is in a piece, silent, or cut by a failure, and the numbers of the reader are those of its batches.
void check_accounts(const Reading &reading, std::size_t size) {
  const marc_reader_info info = reading.info();
  require(info.bytes_read == size, "bytes_read");
  require(reading.piece_bytes() + info.silent_bytes + reading.rest() == size, "bytes that are nowhere");
  require(info.pieces == reading.pieces().size(), "the number of pieces");
}

// A reader in memory, the yardstick; and each of its pieces, parsed alone.
void check_memory(const Reading &reading, std::string_view bytes, std::uint32_t parse_mode) {
  check_accounts(reading, bytes.size());
  for (const Piece &piece : reading.pieces()) {
    if (is_unread(piece.status)) continue;
    const std::uint32_t place = piece.offset + piece.length == bytes.size() ? MARC_PIECE_LAST : MARC_PIECE_FOLLOWED;
    const Batch alone = parse_alone(bytes.substr(piece.offset, piece.length), place, parse_mode);
    if (const Piece again = only_piece(alone); !again.reads_as(piece))
      throw Broken("read as " + text_of(piece) + "\n  alone " + text_of(again));
  }
}

// The parse mode decides what is in a piece, and never where it ends.
void check_borders(std::string_view bytes, marc_reader_options options, const std::vector<Piece> &pieces) {
  options.parse_mode = options.parse_mode == MARC_PARSE_BEST ? MARC_PARSE_PYMARC : MARC_PARSE_BEST;
  const Reader reader = open_bytes(bytes, options);
  Reading other(reader.get(), bytes, options.parse_mode);
  require(other.run(SIZE_MAX, false) == MARC_END, "memory does not end in MARC_END");
  const auto same = [](const Piece &a, const Piece &b) {
    return a.index == b.index && a.offset == b.offset && a.length == b.length;
  };
  require(std::equal(pieces.begin(), pieces.end(), other.pieces().begin(), other.pieces().end(), same),
          "other pieces in the other parse mode");
}

// The ranges between random places give together what one reader gives; their indexes count from 0.
void check_ranges(std::string_view bytes, const Input &input, const marc_reader_options &given, const Reading &whole) {
  test::Random random(input.seed());
  std::vector<std::uint64_t> cuts{0, UINT64_MAX};
  for (std::size_t i = random.between(1, 3); i > 0; --i) cuts.push_back(random.below(bytes.size() + 2));
  std::sort(cuts.begin(), cuts.end());
  std::vector<Piece> pieces;
  std::uint64_t silent = 0;
  std::uint64_t heads = 0;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    marc_reader_options options = given;
    options.range_begin = cuts[i];
    options.range_end = cuts[i + 1];
    const Reader reader = open_bytes(bytes, options);
    std::int32_t status = MARC_OK;
    const std::uint64_t before = heads;
    for (marc_batch *batch = nullptr; (status = marc_reader_next_batch(reader.get(), &batch, nullptr)) == MARC_OK;) {
      const Batch owned(batch);
      const std::size_t known = pieces.size();
      add_pieces(view_of(batch), pieces);
      for (std::size_t k = known; k < pieces.size(); ++k) {
        if (pieces[k].status != MARC_BAD_OVERSIZE_PART) ++heads;
        const std::uint64_t own = heads - before; // pieces of this range so far
        require(pieces[k].index == (own == 0 ? 0 : own - 1), "indexes of a range that do not count from 0");
        pieces[k].index = heads == 0 ? 0 : heads - 1;
      }
    }
    require(status == MARC_END, "a range that does not end in MARC_END");
    marc_reader_info info{};
    info.struct_size = sizeof info;
    marc_reader_get_info(reader.get(), &info);
    silent += info.silent_bytes;
  }
  check_same(whole.pieces(), pieces);
  require(silent == whole.info().silent_bytes, "silent bytes of the ranges");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const Input input(data, size);
  const std::string_view bytes = input.bytes();
  const marc_reader_options options = options_of(input);

  const Reader memory = open_bytes(bytes, options);
  Reading expected(memory.get(), bytes, options.parse_mode);
  require(expected.run(SIZE_MAX, false) == MARC_END, "memory does not end in MARC_END");
  check_memory(expected, bytes, options.parse_mode);
  if (input.flag(kComparesModes)) check_borders(bytes, options, expected.pieces());

  check_ranges(bytes, input, with_batches(options, input), expected);

  Source source(input);
  Reader reader = open_source(source, input, with_batches(options, input));
  Reading reading(reader.get(), bytes, options.parse_mode);
  const std::size_t cancel_before = input.flag(kCancels) ? input.seed() % 5 : SIZE_MAX;
  const std::int32_t outcome = reading.run(cancel_before, input.flag(kKeepsBatches));
  if (outcome == MARC_E_CANCELLED) {
    require(input.flag(kCancels), "cancelled by nobody");
    require(reading.run(SIZE_MAX, false) == MARC_E_CANCELLED, "a cancelled reader that goes on");
  } else if (outcome == MARC_E_CALLBACK) {
    require(source.has_failed(), "a failure of a source that did not fail");
    check_accounts(reading, source.given());
    require(reading.run(SIZE_MAX, false) == MARC_END, "a failure that is reported twice");
    // The last piece was judged without knowing whether a byte follows; all others are final.
    require(reading.pieces().size() <= expected.pieces().size(), "pieces that are not there");
    std::vector<Piece> same(expected.pieces().begin(),
                            expected.pieces().begin() + static_cast<std::ptrdiff_t>(reading.pieces().size()));
    if (!same.empty() && same.back().offset + same.back().length == bytes.size()) same.back() = reading.pieces().back();
    check_same(same, reading.pieces());
  } else {
    require(outcome == MARC_END, "an outcome that has no reason");
    check_same(expected.pieces(), reading.pieces());
    check_accounts(reading, bytes.size());
    require(reading.run(SIZE_MAX, false) == MARC_END, "an end that is not for good");
    require(reading.info().silent_bytes == expected.info().silent_bytes, "the number of silent bytes");
  }
  require(source.reads_after_end() == 0, "a read behind the end");
  reader.reset();
  reading.check_kept();
  return 0;
}
