// SPDX-License-Identifier: MIT
#include "scanner.hpp"

#include "foreign.hpp"

#include <algorithm>

namespace marc {
namespace {

// Silent bytes before a verified start that are cut off the chunk before it, at most.
constexpr std::size_t kTrim = 4096;
// The smallest record: leader, one entry of twelve bytes, 0x1E.
constexpr std::size_t kSmallestBase = kLeaderSize + 12 + 1;

// Length of the silent byte or byte order mark at data[0], 0 if it is none.
std::size_t silent_at(const std::uint8_t *data, std::size_t size) {
  count_steps(1);
  if (is_silent(data[0])) return 1;
  return data[0] == 0xEF && size >= 3 && data[1] == 0xBB && data[2] == 0xBF ? 3 : 0;
}

// Length of the silent byte or byte order mark that ends at data[size - 1], 0 if there is none.
std::size_t silent_before(const std::uint8_t *data, std::size_t size) {
  count_steps(1);
  if (size > 0 && is_silent(data[size - 1])) return 1;
  return size >= 3 && silent_at(data + size - 3, 3) == 3 ? 3 : 0;
}

// The entries of the directory of a record whose leader was read, from `at` on: all whole and before the 0x1E at base - 1?
bool valid_directory(const std::uint8_t *record, const Leader &leader) {
  const std::size_t end = leader.base - 1;
  for (std::size_t at = kLeaderSize; at < end; at += leader.map.width())
    if (!is_valid_entry(record + at, leader.map)) return false;
  return record[end] == kFieldEnd;
}

} // namespace

bool is_verified_start(const std::uint8_t *data, std::size_t size) {
  Leader leader{};
  return size >= kLeaderSize && read_leader(data, leader) && leader.base <= size && valid_directory(data, leader);
}

std::size_t skip_silent(const std::uint8_t *data, std::size_t size) {
  std::size_t at = 0;
  while (at < size && !is_verified_start(data + at, size - at)) {
    const std::size_t length = silent_at(data + at, size - at);
    if (length == 0) break;
    at += length;
  }
  return at;
}

std::size_t last_anchor(const std::uint8_t *data, std::size_t from, std::size_t to, std::size_t latest,
                        std::size_t size) {
  while (to > from) {
    count_steps(1);
    if (data[to - 1] != kRecordEnd) {
      --to;
      continue;
    }
    const std::size_t start = to + skip_silent(data + to, size - to);
    if (start <= latest && is_verified_start(data + start, size - start)) return start;
    // An 0x1D in the run before it leads to the same place.
    for (std::size_t length = 1; length != 0 && to > from; to -= length) length = silent_before(data + from, to - from);
  }
  return 0;
}

void Scanner::begin_at_anchor() {
  state_ = State::Fresh;
  needed_ = 0;
  passed_ = 0;
  anchor_ = 0;
  foreign_ = 0;
  beginning_ = false;
}

Piece Scanner::next(const std::uint8_t *window, std::size_t size, bool final) {
  if (state_ == State::Cut) return chunk(end_);
  if (state_ != State::Search) {
    if (size == 0) return final ? piece(PieceKind::End, 0) : need(1);
    if (size < needed_ && !final) return need(needed_);
    if (state_ != State::Verified) {
      const Answer start = verify(window, size, final);
      if (start == Answer::Wait) return need(needed_);
      if (start == Answer::No) {
        if (silent_at(window, size) != 0) return silent(window, size, final);
        foreign_ = 0;
        if (beginning_ && look_foreign(window, size, final)) return need(needed_);
        leader_.base = 0;
      }
      beginning_ = false;
      state_ = State::Verified;
    }
    const Answer whole = leader_.base == 0 ? Answer::No : sound(window, size, final);
    if (whole == Answer::Wait) return need(needed_);
    if (whole == Answer::Yes) return piece(PieceKind::Record, decimal(window, 5));
    if (leader_.base != 0) foreign_ = 0;
    // Not inside its own directory; the first byte of the chunk starts no other piece.
    state_ = State::Search;
    searched_ = leader_.base;
    run_ = std::max<std::size_t>(leader_.base, 1);
  }
  return search(window, size, final);
}

// Is window[0] a verified start? Goes on where it stopped when there were fewer bytes.
Scanner::Answer Scanner::verify(const std::uint8_t *window, std::size_t size, bool final) {
  if (state_ == State::Fresh) {
    if (size < kLeaderSize) {
      if (final || find_delimiter(window, 0, size) < size) return Answer::No;
      needed_ = size + 1; // a delimiter may come at any time
      return Answer::Wait;
    }
    if (!read_leader(window, leader_)) return Answer::No;
    directory_.clear();
    state_ = State::Leader;
  }
  const std::size_t end = leader_.base - 1;
  if (!directory_.read(window, leader_.map, std::min(end, size))) return Answer::No;
  if (size > end) return window[end] == kFieldEnd ? Answer::Yes : Answer::No;
  const std::size_t read = kLeaderSize + directory_.count() * leader_.map.width();
  if (final || find_delimiter(window, read, size) < size) return Answer::No;
  needed_ = size + 1;
  return Answer::Wait;
}

// Do leader and directory of the verified start at window[0] promise a sound record? Looks at no byte behind them, so
// that a length which the directory contradicts is not waited for.
bool Scanner::promises_sound(const std::uint8_t *window) const {
  if (!all_digits(window, 5)) return false;
  const std::size_t end = decimal(window, 5);
  return leader_.base < end && directory_.shortest() >= 1 && leader_.base + directory_.extent() == end - 1;
}

// Is the verified start at window[0] a sound record?
Scanner::Answer Scanner::sound(const std::uint8_t *window, std::size_t size, bool final) {
  if (!promises_sound(window)) return Answer::No;
  const std::size_t end = decimal(window, 5);
  if (size < end) {
    if (final) return Answer::No;
    needed_ = end;
    return Answer::Wait;
  }
  if (window[end - 2] != kFieldEnd || window[end - 1] != kRecordEnd) return Answer::No;
  const std::uint8_t *last_byte = window + leader_.base - 1;
  count_steps(directory_.count());
  for (const DirectoryEntry &entry : directory_)
    if (last_byte[std::size_t{entry.start} + entry.length] != kFieldEnd) return Answer::No;
  return holds_anchor(window, end) ? Answer::No : Answer::Yes;
}

// Does another record begin inside, behind an 0x1D before the last byte? What was found for one record is known to those
// that begin inside it: many may reach to the same place.
bool Scanner::holds_anchor(const std::uint8_t *record, std::size_t end) {
  if (anchor_ >= leader_.base) return anchor_ < end - 1;
  std::size_t inner = find_byte(record, kRecordEnd, leader_.base, end - 1);
  while (inner < end - 1) {
    const std::size_t behind = inner + 1 + skip_silent(record + inner + 1, end - inner - 1);
    if (is_verified_start(record + behind, end - behind)) {
      anchor_ = inner;
      return true;
    }
    inner = find_byte(record, kRecordEnd, behind, end - 1);
  }
  return false;
}

// Sees whether the input begins as another format. True: only more bytes can tell.
bool Scanner::look_foreign(const std::uint8_t *window, std::size_t size, bool final) {
  foreign_ = foreign_format(window, size);
  if (foreign_ != 0 || final || !may_be_foreign(window, size)) return false;
  state_ = State::Fresh;
  needed_ = size + 1;
  return true;
}

// The silent bytes at window[0], as far as the window lets them be told from a leader.
Piece Scanner::silent(const std::uint8_t *window, std::size_t size, bool final) {
  std::size_t at = silent_at(window, size);
  Leader leader{};
  while (at < size) {
    const std::size_t length = silent_at(window + at, size - at);
    if (length == 0) break;
    const std::size_t left = size - at;
    if (left < kLeaderSize ? !final : read_leader(window + at, leader)) break; // decided by the next call
    at += length;
  }
  return piece(PieceKind::Silent, at);
}

// The end of the chunk at window[0]: behind the next 0x1D, before the next verified start, or the end of the input.
Piece Scanner::search(const std::uint8_t *window, std::size_t size, bool final) {
  for (;;) {
    searched_ = find_delimiter(window, searched_, size);
    if (searched_ == size) break;
    const std::size_t at = searched_++;
    if (window[at] == kRecordEnd && !is_binary_format(foreign_)) return chunk(at + 1);
    if (window[at] == kFieldEnd) {
      const std::size_t start = start_before(window, at);
      if (start != 0) {
        const std::size_t least = std::max<std::size_t>(passed_ == 0 ? 1 : 0, start - std::min(start, kTrim));
        std::size_t end = start;
        while (end > least && silent_at(window + end - 1, 1) != 0) --end;
        return chunk(end);
      }
    }
    run_ = searched_;
  }
  if (final) return chunk(size);
  // What begins before this cannot be a verified start any more; a chunk that reaches the limit goes by in parts.
  const std::size_t open = std::max(run_, size - std::min(size, kLargestLength));
  if (open > kTrim && open - kTrim > largest_) {
    const Piece part = cut();
    searched_ -= largest_;
    run_ = run_ > largest_ ? run_ - largest_ : 0;
    return part;
  }
  return need(size + 1);
}

// The first verified start in the run of bytes before the 0x1E at `terminator`, or 0.
std::size_t Scanner::start_before(const std::uint8_t *window, std::size_t terminator) {
  if (terminator + 1 < run_ + kSmallestBase) return 0;
  const std::size_t behind = terminator + 1;
  const std::size_t first = std::max(run_, behind - std::min(behind, kLargestLength));
  const std::size_t last = behind - kSmallestBase;
  valid_from_.fill(kUnknown);
  count_steps(valid_from_.size());
  for (std::size_t start = first; start <= last; ++start) {
    if (!all_digits(window + start + 12, 5) || decimal(window + start + 12, 5) != behind - start) continue;
    Leader leader{};
    if (!read_leader(window + start, leader)) continue;
    if (valid_entries_from(window, terminator, leader.map) <= start + kLeaderSize) return start;
  }
  return 0;
}

// Going back from the 0x1E at `terminator` entry by entry: where the unbroken run of valid entries begins.
std::size_t Scanner::valid_entries_from(const std::uint8_t *window, std::size_t terminator, const EntryMap &map) {
  std::size_t &from = valid_from_[(map.digits() - 9) * 10 + map.other];
  if (from != kUnknown) return from;
  from = terminator;
  while (from >= run_ + map.width() && is_valid_entry(window + from - map.width(), map)) from -= map.width();
  return from;
}

// The chunk, or the next part of it, of which `length` bytes are left.
Piece Scanner::chunk(std::size_t length) {
  if (length <= largest_) return piece(passed_ == 0 ? PieceKind::Chunk : PieceKind::More, length);
  state_ = State::Cut;
  end_ = length - largest_;
  return cut();
}

// A part of a chunk that is above the largest size.
Piece Scanner::cut() {
  const Piece part{passed_ == 0 ? PieceKind::Chunk : PieceKind::More, largest_, true};
  passed_ += largest_;
  anchor_ -= std::min(anchor_, largest_);
  return part;
}

Piece Scanner::piece(PieceKind kind, std::size_t length) {
  state_ = State::Fresh;
  needed_ = 0;
  passed_ = 0;
  if (anchor_ != 0) anchor_ -= std::min(anchor_, length);
  return {kind, length};
}

} // namespace marc
