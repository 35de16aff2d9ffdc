// SPDX-License-Identifier: MIT
#include "salvage_directory.hpp"

#include "bytes.hpp"
#include "directory.hpp"
#include "leader.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace marc {
namespace {

constexpr EntryMap kMarc21{4, 5, 0};
// Entries of 13 bytes: a starting position or a length needed one digit more than MARC 21 has.
constexpr EntryMap kLongStart{4, 6, 0};
constexpr EntryMap kLongLength{5, 5, 0};
constexpr EntryMap kLongBoth{5, 6, 0};
constexpr std::size_t kSmallestEntry = 12;
// By how many bytes a leader may have grown or shrunk.
constexpr std::size_t kLeaderSlack = 2;

bool same(const EntryMap &a, const EntryMap &b) {
  return a.length == b.length && a.start == b.start && a.other == b.other;
}

class DirectorySearch {
public:
  DirectorySearch(const std::uint8_t *piece, std::size_t size, SalvagedDirectory &found)
      : piece_(piece), size_(size), found_(found) {}

  bool run() {
    if (size_ < kLeaderSize + kSmallestEntry) return false;
    if (!find_end()) return false;
    found_.begin = kLeaderSize;
    if (!read_whole() && !read_grown()) read_damaged();
    return is_directory();
  }

private:
  // leader/12-16, if they are digits and inside the piece; else 0.
  std::size_t stated_base(std::size_t at) const {
    if (at + 5 > size_ || !all_digits(piece_ + at, 5)) return 0;
    return decimal(piece_ + at, 5);
  }

  EntryMap map_in_leader() const { return read_entry_map(piece_ + 20 + found_.skipped - found_.missing); }

  // The map of the leader; MARC 21's where it makes no sense.
  EntryMap stated_map() const {
    const EntryMap map = map_in_leader();
    return map.digits() < 9 ? kMarc21 : map;
  }

  // Whether what was found is one: not the text of a record whose beginning is lost, nor the inside of a directory.
  bool is_directory() const {
    if (is_inside_directory(piece_ + 5 + found_.skipped - found_.missing)) return false;
    if (found_.entries.size() == 0) return false;
    const std::size_t stated = stated_base(12); // as little beside the truth as a byte more or less in it explains
    const bool is_near = stated <= found_.base + kLeaderSlack && found_.base <= stated + kLeaderSlack;
    return is_near || std::any_of(found_.entries.begin(), found_.entries.end(), is_read);
  }

  static bool is_read(const SalvagedEntry &entry) { return !entry.damaged || entry.length > 0; }

  // How many entries of a directory from the end of the leader up to `end` are valid, less those that are not.
  std::ptrdiff_t quality(std::size_t end) const {
    std::ptrdiff_t valid = 0;
    const EntryMap map = stated_map();
    for (std::size_t at = kLeaderSize; at + map.width() <= end; at += map.width())
      valid += is_valid_entry(piece_ + at, map) ? 1 : -1;
    return valid;
  }

  bool is_whole(std::size_t begin, std::size_t end, const EntryMap &map) const {
    if (end <= begin || (end - begin) % map.width() != 0) return false;
    for (std::size_t at = begin; at < end; at += map.width())
      if (!is_valid_entry(piece_ + at, map)) return false;
    return true;
  }

  // How many entries before `end` have their field where they say, if the fields begin behind `end`: counted from the
  // leader on and back from the end, as there may be a byte too many between them.
  std::size_t found_before(std::size_t end) const {
    const EntryMap map = stated_map();
    const auto is_found = [&](std::size_t at) {
      return is_valid_entry(piece_ + at, map) && is_confirmed(read_entry(at, map), end + 1);
    };
    std::size_t count = 0;
    for (std::size_t at = kLeaderSize; at + map.width() <= end; at += map.width()) count += is_found(at) ? 1 : 0;
    if ((end - kLeaderSize) % map.width() == 0) return count;
    for (std::size_t at = end; at >= kLeaderSize + map.width(); at -= map.width())
      count += is_found(at - map.width()) ? 1 : 0;
    return count;
  }

  // By how many the fields behind an 0x1E are more or fewer than the entries that fit before it.
  std::size_t mismatch(std::size_t end) const {
    const std::size_t width = stated_map().width();
    const std::size_t entries = (end - kLeaderSize + width / 2) / width;
    const std::size_t fields = fields_in(end + 1, size_);
    return std::max(entries, fields) - std::min(entries, fields);
  }

  // Whether the directory rather ends at the 0x1E at `end` than at the one at `other`.
  bool is_better_end(std::size_t end, std::size_t other) const {
    const std::size_t here = found_before(end);
    const std::size_t there = found_before(other);
    if (here != there) return here > there;
    const std::size_t wrong_here = mismatch(end);
    const std::size_t wrong_there = mismatch(other);
    return wrong_here != wrong_there ? wrong_here < wrong_there : quality(end) > quality(other);
  }

  // Where the directory ends: at the base address if an 0x1E is there, else at the first 0x1E. Both are looked at: a base
  // address may lead behind a field, and an 0x1E may have come into the directory, which is longer then.
  bool find_end() {
    const std::size_t first = find_byte(piece_, kFieldEnd, kLeaderSize - kLeaderSlack + kSmallestEntry, size_);
    const std::size_t base = stated_base(12);
    found_.end = first;
    if (base > kLeaderSize + kSmallestEntry && base <= size_ && base - 1 != first) {
      if (piece_[base - 1] != kFieldEnd && base - 1 < first && find_open_end(base)) return true;
      for (const std::size_t end : {base - 1, base})
        if (end < size_ && piece_[end] == kFieldEnd && end > first && is_better_end(end, found_.end)) found_.end = end;
    }
    found_.base = found_.end + 1;
    return found_.end < size_;
  }

  // Takes the base address for right where no 0x1E is: it was overwritten, or is missing. Most fields must then be where
  // the entries before it say.
  bool find_open_end(std::size_t stated) {
    for (const std::size_t base : {stated, stated - 1}) {
      if (!most_confirmed(stated - 1, base, stated_map())) continue;
      found_.end = stated - 1;
      found_.base = base;
      return true;
    }
    return false;
  }

  // The entries begin at `begin`. The leader ends there, unless the base address stands where it should: then the bytes
  // before that are not the ones that changed.
  void set_begin(std::size_t begin) {
    found_.begin = begin;
    found_.skipped = found_.missing = 0;
    if (stated_base(12) == found_.base + kLeaderSize - begin) return;
    found_.skipped = begin > kLeaderSize ? begin - kLeaderSize : 0;
    found_.missing = begin < kLeaderSize ? kLeaderSize - begin : 0;
  }

  SalvagedEntry read_entry(std::size_t at, const EntryMap &map) const {
    count_steps(map.width());
    const std::uint8_t *entry = piece_ + at;
    return {pack_tag(entry),
            decimal(entry + 3, map.length),
            decimal(entry + 3 + map.length, map.start),
            static_cast<std::uint32_t>(at),
            static_cast<std::uint32_t>(map.width()),
            false};
  }

  bool ends_field(std::size_t at) const { return marc::ends_field(piece_, size_, at); }

  // Whether the field of an entry ends where the entry says, and begins behind another one.
  bool is_confirmed(const SalvagedEntry &entry, std::size_t base) const {
    count_steps(1);
    if (entry.length == 0) return false;
    const std::size_t first = base + entry.start;
    return ends_field(first + entry.length - 1) && (entry.start == 0 || ends_field(first - 1));
  }
  bool is_confirmed(const SalvagedEntry &entry) const { return is_confirmed(entry, found_.base); }

  // Whether the bytes from the leader up to `end` are entries, and most of them are confirmed if the fields begin at `base`.
  bool most_confirmed(std::size_t end, std::size_t base, const EntryMap &map) const {
    if (!is_whole(kLeaderSize, end, map)) return false;
    std::size_t count = 0;
    for (std::size_t at = kLeaderSize; at < end; at += map.width())
      count += is_confirmed(read_entry(at, map), base) ? 1 : 0;
    return 2 * count * map.width() > end - kLeaderSize;
  }

  // Reads a directory that is whole: under the map of the leader, if most fields are found so; else behind a leader of
  // another size, if all are; else under another one of the maps that occur, if most are. (Digits are digits wherever an
  // entry is thought to begin: some fields are found by chance.) If nothing else is better, under the map of the leader.
  bool read_whole() {
    if (most_confirmed(found_.end, found_.base, stated_map())) return take_whole(stated_map());
    if (read_behind_other_leader()) return true;
    for (const EntryMap &map : {kMarc21, kLongStart, kLongLength})
      if (most_confirmed(found_.end, found_.base, map)) return take_whole(map);
    return is_whole(kLeaderSize, found_.end, stated_map()) && take_whole(stated_map());
  }

  bool read_behind_other_leader() {
    for (const std::size_t begin : {kLeaderSize - 1, kLeaderSize + 1, kLeaderSize - 2, kLeaderSize + 2})
      for (const EntryMap &map : {stated_map(), kMarc21}) {
        if (!all_confirmed(begin, map)) continue;
        set_begin(begin);
        return take_whole(map);
      }
    return false;
  }

  bool all_confirmed(std::size_t begin, const EntryMap &map) const {
    if (found_.end <= begin || (found_.end - begin) % map.width() != 0) return false;
    for (std::size_t at = begin; at < found_.end; at += map.width())
      if (!is_valid_entry(piece_ + at, map) || !is_confirmed(read_entry(at, map))) return false;
    return true;
  }

  bool take_whole(const EntryMap &map) {
    found_.stated_map = same(map, map_in_leader());
    for (std::size_t at = found_.begin; at < found_.end; at += map.width()) found_.entries.push(read_entry(at, map));
    return true;
  }

  // Reads a directory in which numbers that needed more digits than they have were written with them, as by programs that
  // do not look: each entry is as wide as it must be for its field to begin where the one before it ends. (The record
  // length has six digits then, and the leader 25 bytes.)
  bool read_grown() {
    for (const std::size_t begin : {kLeaderSize, kLeaderSize + 1}) {
      std::size_t at = begin;
      std::uint32_t start = 0;
      while (at < found_.end) {
        const auto entry = grown_entry(at, start);
        if (!entry) break;
        found_.entries.push(*entry);
        at += entry->width;
        start += entry->length;
      }
      if (at == found_.end && found_.entries.size() > 0) {
        set_begin(begin);
        found_.stated_map = false;
        return true;
      }
      found_.entries.clear();
    }
    return false;
  }

  std::optional<SalvagedEntry> grown_entry(std::size_t at, std::uint32_t start) const {
    for (const EntryMap &map : {kMarc21, kLongStart, kLongLength, kLongBoth}) {
      if (at + map.width() > found_.end || !is_valid_entry(piece_ + at, map)) continue;
      const SalvagedEntry entry = read_entry(at, map);
      if ((map.length > kMarc21.length && entry.length < 10000) || (map.start > kMarc21.start && start < 100000))
        continue;
      if (entry.start == start && entry.length > 0 && ends_field(found_.base + start + entry.length - 1)) return entry;
    }
    return std::nullopt;
  }

  // Reads a directory in which bytes are damaged, missing, or too many: what is good at its beginning and at its end, and
  // between them as well as it can be told.
  void read_damaged() {
    map_ = stated_map();
    if (good_from(found_.begin, false) + good_before(found_.end, false) == 0) map_ = kMarc21;
    found_.stated_map = same(map_, map_in_leader());
    const bool by_place = good_from(found_.begin, true) > 0 || good_before(found_.end, true) > 0;
    const std::size_t left = good_from(found_.begin, by_place);
    const std::size_t middle = found_.begin + left * map_.width();
    const std::size_t right = std::min(good_before(found_.end, by_place), (found_.end - middle) / map_.width());
    const std::size_t behind = found_.end - right * map_.width();
    for (std::size_t at = found_.begin; at < middle; at += map_.width()) found_.entries.push(read_entry(at, map_));
    const bool read = read_middle(middle, behind);
    const std::size_t first_behind = found_.entries.size();
    for (std::size_t at = behind; at < found_.end; at += map_.width()) found_.entries.push(read_entry(at, map_));
    if (!read) mark_stray(middle, first_behind);
  }

  // Bytes that are no entry stand at `at`, before entry number `number`. If they belong to it, behind its tag, that begins
  // at `at`: so it is where its digits begin with too many zeros, and where the order of tags does not contradict.
  void mark_stray(std::size_t at, std::size_t number) {
    if (found_.entries.size() == 0) return;
    SalvagedEntry &beside = found_.entries[std::min(number, found_.entries.size() - 1)];
    beside.damaged = true;
    if (beside.at <= at) return;
    const std::uint32_t other = pack_tag(piece_ + at);
    if (keeps_order(number, other) && (piece_[at + 3] == '0' || !keeps_order(number, beside.tag))) beside.tag = other;
  }

  // Whether entry number `number` would stand between its neighbours by this tag.
  bool keeps_order(std::size_t number, std::uint32_t tag) const {
    const auto rank = [](std::uint32_t packed) { return (packed & 0xFF) << 16 | (packed & 0xFF00) | packed >> 16; };
    const PodArray<SalvagedEntry> &entries = found_.entries;
    if (number > 0 && rank(entries[number - 1].tag) > rank(tag)) return false;
    return number + 1 >= entries.size() || rank(tag) <= rank(entries[number + 1].tag);
  }

  // Whether the entry at `at` is valid and, if `by_place`, its field is where it says. (Digits alone do not tell: where a
  // byte is missing, the entries behind it still look like some.)
  bool is_good(std::size_t at, bool by_place) const {
    return is_valid_entry(piece_ + at, map_) && (!by_place || is_confirmed(read_entry(at, map_)));
  }

  std::size_t good_from(std::size_t at, bool by_place) const {
    std::size_t count = 0;
    for (; at + map_.width() <= found_.end && is_good(at, by_place); at += map_.width()) ++count;
    return count;
  }

  std::size_t good_before(std::size_t at, bool by_place) const {
    std::size_t count = 0;
    for (; at >= found_.begin + map_.width() && is_good(at - map_.width(), by_place); at -= map_.width()) ++count;
    return count;
  }

  // The damaged entries in [at, end). The fields between those of the good entries show how many they are and what
  // digits they should have, if the fields stand in the order of the directory. False where there is no field for them.
  bool read_middle(std::size_t at, std::size_t end) {
    const std::size_t width = map_.width();
    std::size_t field = found_.base;
    if (found_.entries.size() > 0) {
      const SalvagedEntry &last = found_.entries[found_.entries.size() - 1];
      field += std::size_t{last.start} + last.length;
    }
    std::size_t stop = size_;
    if (end < found_.end) stop = std::min(size_, found_.base + read_entry(end, map_).start);
    std::size_t left = (end - at) % width == 0 ? (end - at) / width : entries_in(at, end, field, stop);
    if (left == 0) return false;
    for (; at < end && left > 0; --left) {
      const std::size_t next = std::min(find_byte(piece_, kFieldEnd, field, stop) + 1, std::max(stop, field));
      const SalvagedEntry entry = read_guessed(at, end, field, next, left == 1);
      found_.entries.push(entry);
      at += entry.width;
      field = next;
    }
    return true;
  }

  // How many entries there were: as many as all fields need, where they have about that size; else those between the fields
  // of the good entries.
  std::size_t entries_in(std::size_t at, std::size_t end, std::size_t field, std::size_t stop) const {
    const std::size_t good = found_.entries.size() + (found_.end - end) / map_.width();
    const std::size_t all = fields_in(found_.base, size_);
    const std::size_t missing = all - std::min(all, good);
    const std::size_t size = missing * map_.width();
    const bool fits = size <= end - at + kLeaderSlack && end - at <= size + kLeaderSlack;
    return fits ? missing : fields_in(field, stop);
  }

  std::size_t fields_in(std::size_t begin, std::size_t end) const {
    count_steps(end - std::min(begin, end));
    return begin >= end ? 0 : static_cast<std::size_t>(std::count(piece_ + begin, piece_ + end, kFieldEnd));
  }

  // The entry at `at`: the one whose digits describe the field in [field, next) if it is near, else a valid one, else the
  // best guess. The last one takes all that is left before `end`.
  SalvagedEntry read_guessed(std::size_t at, std::size_t end, std::size_t field, std::size_t next, bool last) const {
    const std::size_t width = map_.width();
    const std::size_t most = next > field ? std::min(end, at + width + kLeaderSlack) : at; // no field, no digits for it
    for (std::size_t digits = at; digits + map_.digits() + map_.other <= most; ++digits) {
      if (!all_digits(piece_ + digits, map_.digits())) continue;
      count_steps(1);
      const std::uint32_t length = decimal(piece_ + digits, map_.length);
      const std::uint32_t start = decimal(piece_ + digits + map_.length, map_.start);
      if (found_.base + start != field || field + length != next || length == 0) continue;
      const std::size_t behind = digits + map_.digits() + map_.other;
      SalvagedEntry entry = guess(at, (last ? end : behind) - at, 3);
      entry.length = length;
      entry.start = start;
      entry.damaged = digits - at != 3;
      return entry;
    }
    if (at + width <= end && (end - at) % width == 0 && is_valid_entry(piece_ + at, map_)) return read_entry(at, map_);
    return guess(at, last ? end - at : std::min(width, end - at), std::min<std::size_t>(end - at, 3));
  }

  // A damaged entry of `width` bytes, the first `tag` of which are its tag, as far as it is there.
  SalvagedEntry guess(std::size_t at, std::size_t width, std::size_t tag) const {
    std::array<std::uint8_t, 3> name{' ', ' ', ' '};
    for (std::size_t i = 0; i < tag; ++i)
      if (!is_delimiter(piece_[at + i])) name[i] = piece_[at + i];
    return {pack_tag(name.data()), 0, 0, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(width), true};
  }

  const std::uint8_t *piece_;
  std::size_t size_;
  SalvagedDirectory &found_;
  EntryMap map_ = kMarc21; // of a damaged directory
};

} // namespace

bool ends_field(const std::uint8_t *piece, std::size_t size, std::size_t at) {
  count_steps(1);
  return at < size ? piece[at] == kFieldEnd : at == size && piece[size - 1] != kFieldEnd;
}

bool salvage_directory(const std::uint8_t *piece, std::size_t size, SalvagedDirectory &found) {
  return DirectorySearch(piece, size, found).run();
}

} // namespace marc
