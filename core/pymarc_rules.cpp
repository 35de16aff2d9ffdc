// SPDX-License-Identifier: MIT
#include "pymarc_rules.hpp"

#include "bytes.hpp"
#include "directory.hpp"
#include "field_rules.hpp"
#include "leader.hpp"
#include "text_form.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace marc {
namespace {

bool is_space(std::uint8_t byte) { return byte == ' ' || (byte >= 9 && byte <= 13); }

// Python's int() of at most nine ASCII bytes: space around, a sign, and underscores between digits are allowed.
std::optional<std::int64_t> python_int(const std::uint8_t *at, std::size_t size) {
  const std::uint8_t *end = at + size;
  while (at < end && is_space(*at)) ++at;
  while (end > at && is_space(end[-1])) --end;
  bool negative = false;
  if (at < end && (*at == '-' || *at == '+')) negative = *at++ == '-';
  if (at == end || end[-1] == '_') return std::nullopt;
  std::int64_t value = 0;
  bool digit_before = false;
  for (; at < end; ++at) {
    if (*at == '_' && digit_before) {
      digit_before = false;
    } else if (is_digit(*at)) {
      value = value * 10 + (*at - '0');
      digit_before = true;
    } else {
      return std::nullopt;
    }
  }
  return negative ? -value : value;
}

struct Slice {
  std::size_t begin;
  std::size_t end;
};

// Python's seq[begin:end] on `size` bytes.
Slice python_slice(std::int64_t begin, std::int64_t end, std::size_t size) {
  const auto limit = static_cast<std::int64_t>(size);
  const auto clip = [limit](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + limit : at, 0, limit); };
  const std::int64_t from = clip(begin);
  return {static_cast<std::size_t>(from), static_cast<std::size_t>(std::max(from, clip(end)))};
}

// Reads one piece; `record_` is the part of it that pymarc takes for the record.
class PymarcReading {
public:
  PymarcReading(Batch &batch, std::size_t start, std::size_t length, TextMode mode)
      : batch_(batch), piece_(batch.data + start), start_(start), length_(length), mode_(mode) {}

  std::int32_t frame(Surroundings around) {
    if (around == Surroundings::None) return MARC_OK;
    const bool is_last = around == Surroundings::Last;
    if (length_ < 5) return reject(is_last ? MARC_BAD_TRUNCATED : MARC_BAD_LENGTH, 0, length_);
    const auto stated = python_int(piece_, 5);
    if (!stated) return reject(MARC_BAD_LENGTH, 0, 5);
    if (*stated > static_cast<std::int64_t>(length_))
      return reject(is_last ? MARC_BAD_TRUNCATED : MARC_BAD_END_NOT_FOUND, 0, 5);
    if (*stated >= 5) length_ = static_cast<std::size_t>(*stated); // below 5 pymarc reads all that follows
    if (piece_[length_ - 1] != kRecordEnd) return reject(MARC_BAD_END_NOT_FOUND, length_ - 1, 1);
    return MARC_OK;
  }

  std::int32_t fields() {
    const std::size_t leader = std::min(length_, kLeaderSize);
    if (!is_ascii(piece_, leader)) return reject(MARC_BAD_LEADER_TEXT, 0, leader);
    if (leader < kLeaderSize) return reject(MARC_BAD_LEADER, 0, leader);
    utf8_ = must_be_utf8(mode_, piece_[9]);
    is_marc8_ = mode_ == TextMode::ByLeader && !utf8_;
    const auto base = python_int(piece_ + 12, 5);
    if (!base) return reject(MARC_BAD_BASE_NUMBER, 12, 5);
    if (*base <= 0) return reject(MARC_BAD_BASE_MISSING, 12, 5);
    if (*base >= static_cast<std::int64_t>(length_)) return reject(MARC_BAD_BASE_RANGE, 12, 5);
    base_ = *base;
    const auto stated = python_int(piece_, 5);
    if (!stated) return reject(MARC_BAD_LENGTH, 0, 5);
    if (*stated > static_cast<std::int64_t>(length_)) return reject(MARC_BAD_TRUNCATED, 0, 5);
    // pymarc knows MARC 21's entry map only.
    const Slice directory = python_slice(kLeaderSize, base_ - 1, length_);
    const std::size_t size = directory.end - directory.begin;
    if (!is_ascii(piece_ + kLeaderSize, size)) return reject(MARC_BAD_DIRECTORY_TEXT, kLeaderSize, size);
    if (size % kEntrySize != 0) return reject(MARC_BAD_DIRECTORY, kLeaderSize, size);
    for (std::size_t at = directory.begin; at < directory.end; at += kEntrySize) {
      const std::int32_t status = field(at);
      if (status != MARC_OK) return status;
    }
    return size == 0 ? reject(MARC_BAD_NO_FIELDS, kLeaderSize, 0) : MARC_OK;
  }

private:
  std::int32_t field(std::size_t entry) {
    count_steps(kEntrySize);
    const std::uint32_t tag = pack_tag(piece_ + entry);
    const auto size = python_int(piece_ + entry + 3, 4);
    if (!size) return reject(MARC_BAD_DIRECTORY_NUMBER, entry + 3, 4, tag);
    const auto start = python_int(piece_ + entry + 7, 5);
    if (!start) return reject(MARC_BAD_DIRECTORY_NUMBER, entry + 7, 5, tag);
    const std::int64_t first = base_ + *start;
    const std::int64_t last = first + *size - 1; // where the terminator should be
    const Slice slice = python_slice(first, last, length_);
    if (first < 0 || last < first || last >= static_cast<std::int64_t>(length_)) {
      add_note(batch_, MARC_NOTE_FIELD_RANGE, start_ + entry, kEntrySize, tag);
    } else if (piece_[last] != kFieldEnd) {
      add_note(batch_, MARC_NOTE_FIELD_END, start_ + static_cast<std::size_t>(last), 1, tag);
    }
    batch_.field_tag.push(tag);
    batch_.field_offset.push(static_cast<std::uint32_t>(start_ + slice.begin));
    batch_.field_length.push(static_cast<std::uint32_t>(slice.end - slice.begin));
    claimed_ += slice.end - slice.begin;
    if (claimed_ > most_claimed(length_)) return reject(MARC_BAD_OVERLAP, entry, kEntrySize, tag);
    const std::size_t number = batch_.field_tag.size() - 1;
    const std::int32_t status = check_field(batch_, number, utf8_);
    return status == MARC_OK && is_marc8_ ? check_escapes(batch_, number) : status;
  }

  std::int32_t reject(std::int32_t code, std::size_t offset, std::size_t size, std::uint32_t tag = 0) {
    add_note(batch_, code, start_ + offset, size, tag);
    return code;
  }

  Batch &batch_;
  const std::uint8_t *piece_;
  std::size_t start_;
  std::size_t length_;
  TextMode mode_;
  std::int64_t base_ = 0;
  std::uint64_t claimed_ = 0; // bytes of the fields so far
  bool utf8_ = false;
  bool is_marc8_ = false;
};

} // namespace

std::int32_t read_as_pymarc(Batch &batch, std::size_t start, std::size_t length, Surroundings around, TextMode mode) {
  PymarcReading reading(batch, start, length, mode);
  const std::int32_t status = reading.frame(around);
  return status == MARC_OK ? reading.fields() : status;
}

} // namespace marc
