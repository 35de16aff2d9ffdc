// SPDX-License-Identifier: MIT
#include "salvage.hpp"

#include "bytes.hpp"
#include "directory.hpp"
#include "field_rules.hpp"
#include "leader.hpp"
#include "salvage_directory.hpp"
#include "utf8.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace marc {
namespace {

// Where a field stands, in bytes from the first one of the piece, without its terminator.
struct Place {
  std::size_t begin;
  std::size_t end;
  bool lost;                // it is not there
  bool overwritten = false; // another byte stands where its terminator should
};

// Bytes that may stand behind the last field without being one.
bool is_padding(std::uint8_t byte) { return is_silent(byte) && byte != kRecordEnd; }

class Salvage {
  static constexpr std::uint32_t kNobody = static_cast<std::uint32_t>(-1);
  static constexpr std::uint32_t kSeveral = kNobody - 1;
  static constexpr std::size_t kNear = 2; // by how many bytes a terminator more or less has moved the fields behind it

public:
  Salvage(Batch &batch, std::size_t start, std::size_t length)
      : batch_(batch), piece_(batch.data + start), start_(start), length_(length),
        size_(length - (piece_[length - 1] == kRecordEnd ? 1 : 0)) {}

  Salvaged run() {
    if (!salvage_directory(piece_, size_, directory_)) return {};
    const std::size_t first_note = batch_.notes.size();
    note_frame();
    // Where the record is as long as it should be, the byte before its 0x1D stands for a terminator, whatever it is.
    if (stated(0) == length_ && size_ < length_ && piece_[size_ - 1] != kFieldEnd) --size_;
    read_segments();
    claim_segments();
    if (!place_by_position() && !place_by_count()) place_by_walk();
    add_fields();
    note_extent();
    if (batch_.notes.size() == first_note) note(MARC_NOTE_FRAMING, 0, 0); // it is not a sound one
    return {is_in_utf8(), leader(10), leader(11)};
  }

private:
  std::uint8_t leader(std::size_t i) const { return directory_.leader(piece_, i); }
  std::size_t count() const { return directory_.entries.size(); }
  const SalvagedEntry &entry(std::size_t i) const { return directory_.entries[i]; }

  void note(std::int32_t code, std::size_t offset, std::size_t size, std::uint32_t tag = 0) {
    add_note(batch_, code, start_ + offset, size, tag);
  }

  // What is wrong around the fields.
  void note_frame() {
    const SalvagedDirectory &found = directory_;
    if (found.begin != kLeaderSize) note(MARC_NOTE_LEADER_SIZE, found.skipped, kLeaderSize - found.missing);
    if (!has_ascii_leader()) note(MARC_NOTE_LEADER_TEXT, found.skipped, kLeaderSize - found.missing);
    if (stated(0) != length_) note(MARC_NOTE_LENGTH, 0, 5);
    if (length_ < 2 || size_ == length_ || piece_[length_ - 2] != kFieldEnd) note(MARC_NOTE_RECORD_END, length_, 0);
    if (stated(12) != found.base) note(MARC_NOTE_BASE, std::min(found.skipped + 12, length_), 5);
    if (found.base == found.end || piece_[found.base - 1] != kFieldEnd) note(MARC_NOTE_FIELD_END, found.end, 0);
    if (!found.stated_map) note(MARC_NOTE_ENTRY_MAP, found.begin, found.end - found.begin);
  }

  // Where bytes of the leader are missing or too many, leader/09 may stand elsewhere: then the text tells.
  bool is_in_utf8() const {
    if (leader(9) == 'a') return true;
    return directory_.begin != kLeaderSize && is_utf8(piece_ + directory_.base, length_ - directory_.base);
  }

  bool has_ascii_leader() const {
    for (std::size_t i = 0; i < kLeaderSize; ++i)
      if (leader(i) >= 0x80) return false;
    return true;
  }

  // The number in five digits of the leader; 0 if they are none.
  std::size_t stated(std::size_t at) const {
    std::size_t value = 0;
    for (std::size_t i = at; i < at + 5; ++i) {
      if (!is_digit(leader(i)) && i >= directory_.missing) return 0;
      value = value * 10 + (i < directory_.missing ? 0U : leader(i) - std::size_t{'0'});
    }
    return value;
  }

  bool all_padding(std::size_t begin, std::size_t end) const {
    count_steps(end - begin);
    return std::all_of(piece_ + begin, piece_ + end, is_padding);
  }

  // The bytes behind the directory, split at 0x1E.
  void read_segments() {
    std::size_t at = directory_.base;
    while (at < size_) {
      const std::size_t end = find_byte(piece_, kFieldEnd, at, size_);
      if (end == size_ && all_padding(at, size_)) break;
      segment_ends_.push(static_cast<std::uint32_t>(end));
      at = end + 1;
    }
  }
  std::size_t segment_count() const { return segment_ends_.size(); }
  std::size_t segment_begin(std::size_t i) const { return i == 0 ? directory_.base : segment_end(i - 1) + 1; }
  std::size_t segment_end(std::size_t i) const { return segment_ends_[i]; }

  bool ends_field(std::size_t at) const { return marc::ends_field(piece_, size_, at); }
  std::size_t stated_begin(std::size_t i) const { return directory_.base + entry(i).start; }
  std::size_t stated_end(std::size_t i) const { return stated_begin(i) + entry(i).length - 1; }

  // Whether a field ends where its entry says; a last one without any byte, not even its terminator, does.
  bool ends_as_stated(std::size_t i) const {
    if (entry(i).length == 0) return false;
    return ends_field(stated_end(i)) || (entry(i).length == 1 && stated_end(i) == size_);
  }

  // Whether it also begins behind the end of another one.
  bool is_confirmed(std::size_t i) const {
    return ends_as_stated(i) && (entry(i).start == 0 || ends_field(stated_begin(i) - 1));
  }

  // Which entry has each of the segments for its field; where there are as many of them as entries.
  void claim_segments() {
    owners_.clear();
    if (segment_count() != count()) return;
    for (std::size_t i = 0; i < count(); ++i) owners_.push(kNobody);
    for (std::size_t i = 0; i < count(); ++i) {
      const std::size_t segment = claimed_segment(i);
      if (segment < count()) owners_[segment] = owners_[segment] == kNobody ? static_cast<std::uint32_t>(i) : kSeveral;
    }
  }

  // The segment that is where the entry says; count() if none is.
  std::size_t claimed_segment(std::size_t i) const {
    if (!is_confirmed(i)) return count();
    std::size_t low = 0;
    for (std::size_t high = count(); low < high; count_steps(1)) {
      const std::size_t middle = (low + high) / 2;
      (segment_begin(middle) < stated_begin(i) ? low : high) =
          segment_begin(middle) < stated_begin(i) ? middle + 1 : middle;
    }
    return low < count() && segment_begin(low) == stated_begin(i) && segment_end(low) == stated_end(i) ? low : count();
  }

  // First choice: every field ends where its entry says, and no field is left over because others are wanted twice.
  bool place_by_position() {
    for (std::size_t i = 0; i < count(); ++i)
      if (!ends_as_stated(i)) return false;
    if (std::find(owners_.begin(), owners_.end(), kSeveral) != owners_.end()) return false;
    for (std::size_t i = 0; i < count(); ++i) places_.push({stated_begin(i), stated_end(i), false});
    return true;
  }

  // Second choice: there are as many fields as entries. A field that is where one entry says is that one's; the others are
  // paired in order.
  bool place_by_count() {
    if (segment_count() != count()) return false;
    const Order order = best_order([this](const Order &by) { return equal_lengths(by); });
    clear_places();
    std::size_t next = 0;
    for (const std::uint32_t i : order) {
      const std::size_t claimed = claimed_segment(i);
      const bool is_own = claimed < count() && owners_[claimed] == i;
      while (!is_own && owners_[next] < kSeveral) ++next;
      const std::size_t segment = is_own ? claimed : next++;
      places_[i] = {segment_begin(segment), segment_end(segment), false};
    }
    return true;
  }

  // Last choice: field by field. A field is where its entry says, or behind the one before it with the length that its
  // entry says, or what comes up to the next terminator.
  void place_by_walk() {
    const Order order = best_order([this](const Order &by) { return walk(by); });
    walk(order);
  }

  // The entries in the order in which their fields stand: as they are listed, or by starting position.
  using Order = PodArray<std::uint32_t>;

  // The one of both that gets the higher count.
  template <typename Count> Order best_order(Count count_of) {
    count_steps(2 * count());
    Order listed;
    Order sorted;
    for (std::size_t i = 0; i < count(); ++i) {
      listed.push(static_cast<std::uint32_t>(i));
      sorted.push(static_cast<std::uint32_t>(i));
    }
    fill_starts();
    if (std::is_sorted(starts_.begin(), starts_.end())) return listed;
    count_steps(count() * std::bit_width(count()));
    std::stable_sort(sorted.begin(), sorted.end(), [this](auto a, auto b) { return starts_[a] < starts_[b]; });
    return count_of(sorted) > count_of(listed) ? std::move(sorted) : std::move(listed);
  }

  // Starting positions to sort by: an entry without one stands behind the one before it.
  void fill_starts() {
    count_steps(2 * count());
    starts_.clear();
    std::uint64_t start = 0;
    for (std::size_t i = 0; i < count(); ++i) {
      if (!entry(i).damaged || entry(i).length > 0) start = entry(i).start;
      starts_.push(start);
    }
  }

  std::size_t equal_lengths(const Order &order) const {
    count_steps(count());
    std::size_t equal = 0;
    for (std::size_t i = 0; i < count(); ++i)
      equal += segment_end(i) - segment_begin(i) + 1 == entry(order[i]).length ? 1 : 0;
    return equal;
  }

  void clear_places() {
    count_steps(count());
    places_.clear();
    for (std::size_t i = 0; i < count(); ++i) places_.push({0, 0, true});
  }

  // Places all fields in this order; returns how many have the length that their entry states and then, how many are about
  // where it says.
  std::size_t walk(const Order &order) {
    clear_places();
    at_ = directory_.base;
    segment_ = 0;
    std::size_t equal = 0;
    std::size_t near = 0;
    for (std::size_t i = 0; i < count(); ++i) {
      count_steps(1);
      const std::uint32_t next = i + 1 < count() ? entry(order[i + 1]).length : 0;
      Place &place = places_[order[i]];
      place = next_place(order[i], next, count() - i);
      if (place.lost) continue;
      equal += place.end - place.begin + 1 == entry(order[i]).length ? 1 : 0;
      near += place.begin <= stated_begin(order[i]) + kNear && stated_begin(order[i]) <= place.begin + kNear ? 1 : 0;
      at_ = behind(place);
      for (; segment_ < segment_count() && segment_end(segment_) < at_; ++segment_) count_steps(1);
    }
    return equal * (count() + 1) + near;
  }

  // Where the next field may begin.
  std::size_t behind(const Place &place) const {
    const bool terminated = place.end < size_ && (piece_[place.end] == kFieldEnd || place.overwritten);
    return std::min(place.end + (terminated ? 1 : 0), size_);
  }

  // Passes over terminators too many, which look like fields without a byte.
  void skip_empty(std::size_t left) {
    for (; segment_count() - segment_ > left && at_ == segment_end(segment_); ++segment_) {
      count_steps(1);
      at_ = segment_end(segment_) + 1;
    }
  }

  // The place of field `i`, at or behind `at_`. `next`: length of the field that follows; `left`: entries, with this one.
  Place next_place(std::size_t i, std::uint32_t next, std::size_t left) {
    if (is_confirmed(i) && stated_begin(i) >= at_) return {stated_begin(i), stated_end(i), false};
    if (entry(i).length > 1) skip_empty(left);
    if (segment_ == segment_count() || at_ >= size_) return {0, 0, true};
    const std::size_t length = entry(i).length;
    const std::size_t end = segment_end(segment_);
    if (length > 0 && at_ + length - 1 < size_) {
      const std::size_t last = at_ + length - 1; // where its terminator should be
      if (piece_[last] == kFieldEnd) return {at_, last, false};
      // A terminator came into it.
      if (segment_count() - segment_ > left && at_ < end && end < last && ends_field(last + 1))
        return {at_, last + 1, false};
      // Its terminator is missing, or was overwritten: the next field then ends where it should.
      if (next > 0 && last < end && last + next - 1 == end) return {at_, last, false};
      if (next > 0 && last < end && last + next == end) return {at_, last, false, true};
    }
    const std::size_t segments = segment_count() - segment_;
    if (length > 0 && next > 0 && segments < left && end < size_ && at_ + next - 1 == end) return {0, 0, true};
    if (length > 0 && segments > left && segment_end(segment_ + 1) - segment_begin(segment_ + 1) + 1 == length) {
      ++segment_;
      return {segment_begin(segment_), segment_end(segment_), false};
    }
    return {at_, end, false};
  }

  // Adds the fields that were found, and what was done to find them.
  void add_fields() {
    count_steps(count());
    for (std::size_t i = 0; i < count(); ++i) {
      const SalvagedEntry &e = entry(i);
      const Place &place = places_[i];
      if (e.damaged || !is_ascii_tag(e.tag)) note(MARC_NOTE_ENTRY, e.at, e.width, e.tag);
      if (place.lost) {
        note(MARC_NOTE_FIELD_LOST, e.at, e.width, e.tag);
        continue;
      }
      const std::size_t size = place.end - place.begin;
      const bool unended = place.end < size_ ? piece_[place.end] != kFieldEnd : size + 1 != e.length;
      if (!e.damaged && (place.begin != stated_begin(i) || (size + 1 != e.length && !unended)))
        note(MARC_NOTE_FIELD_PLACE, place.begin, size, e.tag);
      if (unended) note(MARC_NOTE_FIELD_END, place.end, 0, e.tag);
      batch_.field_tag.push(e.tag);
      batch_.field_offset.push(static_cast<std::uint32_t>(start_ + place.begin));
      batch_.field_length.push(static_cast<std::uint32_t>(size));
    }
  }

  // Bytes that no entry claims, and bytes that several do.
  void note_extent() {
    count_steps(count() * (1 + std::bit_width(count())));
    std::sort(places_.begin(), places_.end(), [](const Place &a, const Place &b) { return a.begin < b.begin; });
    std::size_t expected = directory_.base;
    for (const Place &place : places_) {
      if (place.lost) continue;
      if (place.begin != expected) note_gap(expected, place.begin);
      expected = std::max(expected, behind(place));
    }
    note_gap(expected, size_);
  }

  void note_gap(std::size_t begin, std::size_t end) {
    if (begin < end && all_padding(begin, end)) return;
    if (begin != end)
      note(MARC_NOTE_DIRECTORY_EXTENT, std::min(begin, end), std::max(begin, end) - std::min(begin, end));
  }

  Batch &batch_;
  const std::uint8_t *piece_;
  std::size_t start_;
  std::size_t length_;
  std::size_t size_; // without the record terminator
  SalvagedDirectory directory_;
  PodArray<std::uint32_t> segment_ends_; // each begins behind the one before it
  PodArray<std::uint32_t> owners_;       // of the segments
  PodArray<std::uint64_t> starts_;
  PodArray<Place> places_;  // of each entry
  std::size_t at_ = 0;      // walk: behind the last field
  std::size_t segment_ = 0; // walk: the first one that is not behind `at_`
};

} // namespace

Salvaged salvage(Batch &batch, std::size_t start, std::size_t length) { return Salvage(batch, start, length).run(); }

} // namespace marc
