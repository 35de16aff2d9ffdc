// The mutator: it knows leaders, directories and delimiters, and damages or mends them. A blind one would break the
// numbers of a record with its first change and see nothing but rejected chunks from then on.
//
// Half of what it does takes a record apart, changes its fields and writes it down with numbers that agree; the other
// half changes single numbers, delimiters and places, and lets the rest stand. Records are found by their delimiters,
// whatever their numbers say.
// SPDX-License-Identifier: MIT
#include "fuzzing.hpp"

#include "../core/make.hpp"
#include "bytes.hpp"
#include "leader.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

// Where a record lies in the bytes. `base`: behind the first 0x1E that can end its directory, or 0.
struct Place {
  std::size_t begin;
  std::size_t base;
  std::size_t end; // behind its 0x1D, if it has one
  bool has_directory() const { return base != 0; }
};

struct Model {
  std::vector<test::Field> fields;
  test::Form form;
};

class Mutator {
public:
  Mutator(std::string_view bytes, std::size_t most, std::uint32_t seed) : bytes_(bytes), most_(most), random_(seed) {}

  std::string mutated() {
    do {
      change();
      bytes_.resize(std::min(bytes_.size(), most_));
    } while (random_.one_in(2));
    return bytes_;
  }

private:
  using Operation = void (Mutator::*)();

  void change() {
    static constexpr std::array kOperations{&Mutator::change_blindly,
                                            &Mutator::change_blindly,
                                            &Mutator::mend,
                                            &Mutator::change_fields,
                                            &Mutator::change_fields,
                                            &Mutator::change_body,
                                            &Mutator::change_widths,
                                            &Mutator::change_length,
                                            &Mutator::change_base,
                                            &Mutator::change_entry,
                                            &Mutator::change_entry,
                                            &Mutator::saturate_starts,
                                            &Mutator::change_leader,
                                            &Mutator::shift_leader,
                                            &Mutator::resize_entry,
                                            &Mutator::delimiter_in,
                                            &Mutator::delimiter_out,
                                            &Mutator::delimiter_other,
                                            &Mutator::insert_text,
                                            &Mutator::insert_record,
                                            &Mutator::insert_between,
                                            &Mutator::copy_record,
                                            &Mutator::drop_record,
                                            &Mutator::join_records,
                                            &Mutator::cut,
                                            &Mutator::swap_entries,
                                            &Mutator::count_letters,
                                            &Mutator::begin_as_other,
                                            &Mutator::terminator_inside,
                                            &Mutator::overlap_entries};
    const Operation operation = kOperations[random_.below(kOperations.size())];
    (this->*operation)();
  }

  // ---- places

  std::vector<Place> places() const {
    std::vector<Place> all;
    for (std::size_t begin = 0; begin < bytes_.size();) {
      const std::size_t terminator = bytes_.find('\x1d', begin);
      const std::size_t end = terminator == std::string::npos ? bytes_.size() : terminator + 1;
      const std::size_t directory = bytes_.find('\x1e', begin + marc::kLeaderSize);
      all.push_back({begin, directory < end ? directory + 1 : 0, end});
      begin = end;
    }
    return all;
  }

  // Any record; empty if there are no bytes.
  Place any_record() {
    const std::vector<Place> all = places();
    return all.empty() ? Place{0, 0, 0} : all[random_.below(all.size())];
  }

  // One with a directory, which is put at the end if there is none.
  Place whole_record() {
    std::vector<Place> all = places();
    all.erase(std::remove_if(all.begin(), all.end(), [](const Place &place) { return !place.has_directory(); }),
              all.end());
    if (!all.empty()) return all[random_.below(all.size())];
    bytes_ = bytes_.substr(0, most_ / 2) + small_record();
    return places().back();
  }

  marc::EntryMap map_of(const Place &place) const { return marc::entry_map(test::bytes_of(bytes_) + place.begin); }
  std::size_t entries_of(const Place &place) const {
    return (place.base - place.begin - marc::kLeaderSize - 1) / map_of(place).width();
  }
  std::size_t entry_at(const Place &place, std::size_t number) const {
    return place.begin + marc::kLeaderSize + number * map_of(place).width();
  }
  std::size_t anywhere() { return random_.below(bytes_.size() + 1); }

  // ---- records as fields

  Model taken_apart(const Place &place) const {
    Model model;
    const std::string_view record = std::string_view(bytes_).substr(place.begin, place.end - place.begin);
    model.form.head = record.substr(5, 7);
    model.form.middle = record.substr(17, 3);
    const marc::EntryMap map = map_of(place);
    model.form.map = {static_cast<char>('0' + map.length), static_cast<char>('0' + map.start),
                      static_cast<char>('0' + map.other), record[23]};
    std::size_t at = place.base - place.begin;
    const std::size_t count = std::min<std::size_t>(entries_of(place), 400);
    for (std::size_t i = 0; i < count && at < record.size(); ++i) {
      const std::size_t end = std::min(record.find('\x1e', at), record.size());
      const std::size_t entry = entry_at(place, i) - place.begin;
      model.fields.push_back({std::string(record.substr(entry, 3)), std::string(record.substr(at, end - at))});
      at = end + 1;
    }
    if (model.fields.empty()) model.fields.push_back({"001", "1"});
    return model;
  }

  void put_together(const Place &place, const Model &model) {
    bytes_.replace(place.begin, place.end - place.begin, test::record(model.fields, model.form));
  }

  std::string small_record() {
    std::vector<test::Field> fields{{"001", "1"}};
    if (random_.one_in(2)) fields.push_back({"245", test::marc_of("10$aT")});
    return test::record(fields);
  }

  std::string any_tag() {
    static constexpr std::array kTags{"001",
                                      "005",
                                      "008",
                                      "009",
                                      "010",
                                      "100",
                                      "245",
                                      "880",
                                      "00a",
                                      "   ",
                                      "\xe9"
                                      "12"};
    return kTags[random_.below(kTags.size())];
  }

  std::string any_text() {
    static const std::array kTexts{"a"s,
                                   "\x1f"
                                   "a"s,
                                   "\x1f"s,
                                   "\x1e"s,
                                   "\x1d"s,
                                   "\x1f\x1f"s,
                                   "10"s,
                                   " "s,
                                   "\xc3\xa9"s,
                                   "\xe2\x82\xac"s,
                                   "\xe9"s,
                                   "\xff"s,
                                   "\x1b"s,
                                   "\0"s,
                                   "\x1f\xc3\xa9"s,
                                   "\x1e\x1d"s,
                                   "00024"s,
                                   "\xc3"s,
                                   "\n"s,
                                   "99999"s,
                                   "\xef\xbb\xbf"s,
                                   "\x1f"
                                   "bxyz"s,
                                   "\xf0\x9d\x84\x9e"s};
    return kTexts[random_.below(kTexts.size())];
  }

  // ---- changes after which the numbers of the record agree

  void mend() {
    const Place place = whole_record();
    put_together(place, taken_apart(place));
  }

  void change_fields() {
    const Place place = whole_record();
    Model model = taken_apart(place);
    std::vector<test::Field> &fields = model.fields;
    const std::size_t one = random_.below(fields.size());
    const std::size_t other = random_.below(fields.size());
    switch (random_.below(6)) {
    case 0:
      fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(one));
      break;
    case 1:
      fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(one), test::Field(fields[other]));
      break;
    case 2:
      std::swap(fields[one], fields[other]);
      break;
    case 3:
      fields[one].tag = any_tag();
      break;
    case 4:
      fields.push_back({any_tag(), "10" + any_text() + any_text()});
      break;
    default:
      fields[one].body += fields[other].body;
    }
    put_together(place, model);
  }

  void change_body() {
    const Place place = whole_record();
    Model model = taken_apart(place);
    std::string &body = model.fields[random_.below(model.fields.size())].body;
    const std::size_t at = random_.below(body.size() + 1);
    if (random_.one_in(3))
      body.erase(at, random_.between(1, 8));
    else
      body.insert(at, any_text());
    put_together(place, model);
  }

  void change_widths() {
    static constexpr std::array kMaps{"4500", "4501", "5500", "3600", "4503", "9900", "0900", "9000", "4400", "4505"};
    const Place place = whole_record();
    Model model = taken_apart(place);
    model.form.map = kMaps[random_.below(kMaps.size())];
    put_together(place, model);
  }

  // A field holds terminators, and all numbers are right.
  void terminator_inside() {
    const Place place = whole_record();
    Model model = taken_apart(place);
    std::string &body = model.fields[random_.below(model.fields.size())].body;
    body.insert(random_.below(body.size() + 1), random_.one_in(2) ? "\x1d" : "\x1d" + small_record());
    put_together(place, model);
  }

  // ---- changes of single numbers

  // Writes a number over the one of `width` digits at `at`: near the one that is there, at a limit, or none at all.
  void change_number(std::size_t at, std::size_t width, std::size_t truth) {
    if (width == 0 || at + width > bytes_.size()) return;
    const std::uint8_t *digits = test::bytes_of(bytes_) + at;
    const std::size_t stated = width <= 9 && marc::all_digits(digits, width) ? marc::decimal(digits, width) : truth;
    std::string text;
    switch (random_.below(8)) {
    case 0:
      text = test::number(truth, width);
      break;
    case 1:
      text = test::number(stated + random_.between(1, 3), width);
      break;
    case 2:
      text = test::number(stated - std::min(stated, random_.between(1, 3)), width);
      break;
    case 3:
      text = std::string(width, '9');
      break;
    case 4:
      text = std::string(width, '0');
      break;
    case 5:
      text = test::number(random_.below(bytes_.size() + 100), width);
      break;
    case 6:
      text = random_.text(width, "0123456789");
      break;
    default:
      text = random_.text(width, "0129 +-_x\xe9\x1e");
    }
    bytes_.replace(at, width, text.substr(text.size() - width));
  }

  void change_length() {
    const Place place = any_record();
    change_number(place.begin, 5, place.end - place.begin);
  }

  void change_base() {
    const Place place = whole_record();
    change_number(place.begin + 12, 5, place.base - place.begin);
  }

  void change_entry() {
    const Place place = whole_record();
    const std::size_t count = entries_of(place);
    if (count == 0) return;
    const marc::EntryMap map = map_of(place);
    const std::size_t at = entry_at(place, random_.below(count));
    if (random_.one_in(2))
      change_number(at + 3, map.length, random_.below(place.end - place.base + 1));
    else
      change_number(at + 3 + map.length, map.start, random_.below(place.end - place.base + 1));
  }

  // Every second entry, or each of them, has the numbers of another one: their fields overlap.
  void overlap_entries() {
    const Place place = whole_record();
    const std::size_t count = entries_of(place);
    if (count == 0) return;
    const std::size_t digits = map_of(place).digits();
    const std::string numbers = bytes_.substr(entry_at(place, random_.below(count)) + 3, digits);
    for (std::size_t i = 0; i < count; i += random_.between(1, 2))
      bytes_.replace(entry_at(place, i) + 3, digits, numbers);
  }

  // From some entry on all starts are the largest number, as programs write them that count no further.
  void saturate_starts() {
    const Place place = whole_record();
    const marc::EntryMap map = map_of(place);
    const std::size_t count = entries_of(place);
    for (std::size_t i = random_.below(count + 1); i < count; ++i)
      bytes_.replace(entry_at(place, i) + 3 + map.length, map.start, std::string(map.start, '9'));
  }

  // Lengths and starts count characters in place of bytes, wherever a field has others than ASCII.
  void count_letters() {
    const Place place = whole_record();
    const marc::EntryMap map = map_of(place);
    if (!map.is_marc21()) return;
    std::size_t at = place.base;
    std::size_t start = 0;
    for (std::size_t i = 0; i < entries_of(place) && at < place.end; ++i) {
      const std::size_t end = std::min(bytes_.find('\x1e', at), place.end - 1) + 1;
      const auto letters = static_cast<std::size_t>(std::count_if(
          bytes_.begin() + static_cast<std::ptrdiff_t>(at), bytes_.begin() + static_cast<std::ptrdiff_t>(end),
          [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
      if (letters > 9999 || start > 99999) return;
      bytes_.replace(entry_at(place, i) + 3, 9, test::number(letters, 4) + test::number(start, 5));
      start += letters;
      at = end;
    }
  }

  void change_leader() {
    static constexpr std::array<std::size_t, 14> kPlaces{5, 6, 7, 8, 9, 9, 10, 11, 17, 20, 21, 22, 22, 23};
    const Place place = whole_record();
    bytes_[place.begin + kPlaces[random_.below(kPlaces.size())]] = random_.of("0123456789 aaxn\xe9\x1f");
  }

  // The leader is a byte too long or too short.
  void shift_leader() {
    const Place place = whole_record();
    const std::size_t at = place.begin + random_.below(marc::kLeaderSize);
    if (random_.one_in(2))
      bytes_.erase(at, 1);
    else
      bytes_.insert(at, 1, random_.of(" 0a"));
  }

  // ---- changes of the directory that keep its numbers

  void swap_entries() {
    const Place place = whole_record();
    const std::size_t count = entries_of(place);
    if (count == 0) return;
    const std::size_t width = map_of(place).width();
    const std::size_t one = entry_at(place, random_.below(count));
    const std::size_t other = entry_at(place, random_.below(count));
    const std::string entry = bytes_.substr(one, width);
    switch (random_.below(3)) {
    case 0:
      bytes_.replace(one, width, bytes_.substr(other, width));
      bytes_.replace(other, width, entry);
      break;
    case 1:
      bytes_.insert(other, entry);
      break;
    default:
      bytes_.erase(one, width);
    }
  }

  // One entry, or each of them, has a byte too many or too few.
  void resize_entry() {
    const Place place = whole_record();
    const std::size_t count = entries_of(place);
    const bool all = random_.one_in(2);
    const std::size_t only = random_.below(count + 1);
    const std::size_t within = random_.below(map_of(place).width() + 1);
    const bool longer = random_.one_in(2);
    for (std::size_t i = count; i-- > 0;) {
      if (!all && i != only) continue;
      const std::size_t at = entry_at(place, i) + within;
      if (longer)
        bytes_.insert(at, 1, random_.of("0 x"));
      else
        bytes_.erase(at, 1);
    }
  }

  // ---- changes of bytes, whatever they are part of

  void change_blindly() {
    const std::size_t size = bytes_.size();
    bytes_.resize(std::max(most_, size));
    auto *data = reinterpret_cast<std::uint8_t *>(bytes_.data());
    bytes_.resize(LLVMFuzzerMutate(data, size, bytes_.size()));
  }

  std::size_t any_delimiter() {
    const std::size_t from = anywhere();
    const std::size_t found = bytes_.find_first_of("\x1d\x1e\x1f", from);
    return found == std::string::npos ? bytes_.find_first_of("\x1d\x1e\x1f") : found;
  }

  void delimiter_in() { bytes_.insert(anywhere(), 1, random_.of("\x1d\x1e\x1e\x1f")); }
  void delimiter_out() {
    if (const std::size_t at = any_delimiter(); at != std::string::npos) bytes_.erase(at, 1);
  }
  void delimiter_other() {
    if (const std::size_t at = any_delimiter(); at != std::string::npos) bytes_[at] = random_.of("\x1d\x1e\x1f ");
  }
  void insert_text() { bytes_.insert(anywhere(), any_text()); }
  void insert_record() { bytes_.insert(anywhere(), small_record()); }
  void cut() {
    if (random_.one_in(2))
      bytes_.resize(anywhere());
    else
      bytes_.erase(0, anywhere());
  }

  // ---- changes of the sequence of records

  void insert_between() {
    static const std::array kTexts{"\n"s,           "\r\n"s,     "\0\0\0\0"s,  "\x1a"s, " "s,     "\x1d"s,
                                   "\xef\xbb\xbf"s, "junk"s,     "<html>"s,    "\x1e"s, "00000"s, "01234nam"s,
                                   "   00026"s,     "\x1e\x1d"s, "\n\n \t\0"s, "0"s};
    const Place place = any_record();
    bytes_.insert(random_.one_in(2) ? place.begin : place.end, kTexts[random_.below(kTexts.size())]);
  }

  void copy_record() {
    const Place from = any_record();
    const std::string record = bytes_.substr(from.begin, from.end - from.begin);
    const Place to = any_record();
    bytes_.insert(random_.one_in(3) ? anywhere() : to.end, record);
  }

  void drop_record() {
    const Place place = any_record();
    bytes_.erase(place.begin, place.end - place.begin);
  }

  // Takes the end of a record away, so that the next one follows at once.
  void join_records() {
    const Place place = any_record();
    const std::size_t count = random_.between(1, 2 + (place.end - place.begin) / 2);
    const std::size_t gone = std::min(count, place.end - place.begin);
    bytes_.erase(place.end - gone, gone);
  }

  // What begins like a file of another format.
  void begin_as_other() {
    static const std::array kBeginnings{"\x1f\x8b\x08\0"s,
                                        "BZh91AY"s,
                                        "\xfd"
                                        "7zXZ\0"s,
                                        "\x28\xb5\x2f\xfd"s,
                                        "PK\x03\x04"s,
                                        "<?xml "s,
                                        "<!DOCTYPE html"s,
                                        "<html"s,
                                        "<collection"s,
                                        "{\"leader\""s,
                                        "[{"s,
                                        "=LDR  00024"s,
                                        "\xff\xfe"
                                        "0\0"s,
                                        "\xfe\xff\0"
                                        "0"s,
                                        "0\0"
                                        "0\0"s,
                                        "\xef\xbb\xbf<"s};
    bytes_.insert(0, kBeginnings[random_.below(kBeginnings.size())]);
  }

  std::string bytes_;
  std::size_t most_;
  test::Random random_;
};

// Mostly small numbers, as most of them choose between few ways.
void change_control(std::uint8_t *control, test::Random &random) {
  const std::size_t which = random.below(fuzz::kControl);
  control[which] = static_cast<std::uint8_t>(random.below(random.one_in(3) ? 256 : 8));
  // Stretched inputs are slow: few of them will do.
  if (!random.one_in(4)) control[fuzz::kControl - 1] = 0;
}

std::size_t written(std::string_view bytes, std::uint8_t *to, std::size_t most) {
  const std::size_t size = std::min(bytes.size(), most);
  std::copy_n(bytes.data(), size, to);
  return size;
}

std::string_view text_of(const std::uint8_t *data, std::size_t size) {
  return {reinterpret_cast<const char *>(data), size};
}

} // namespace

std::size_t LLVMFuzzerCustomMutator(std::uint8_t *data, std::size_t size, std::size_t max_size, unsigned int seed) {
  if (max_size <= fuzz::kControl) return LLVMFuzzerMutate(data, size, max_size);
  if (size < fuzz::kControl) std::fill(data + size, data + fuzz::kControl, std::uint8_t{0});
  size = std::max(size, fuzz::kControl);
  test::Random random(seed);
  if (random.one_in(8)) {
    change_control(data, random);
    if (random.one_in(2)) return size;
  }
  const std::size_t most = max_size - fuzz::kControl;
  const std::string_view bytes = text_of(data + fuzz::kControl, size - fuzz::kControl);
  const std::string mutated = Mutator(bytes, most, seed + 1).mutated();
  return fuzz::kControl + written(mutated, data + fuzz::kControl, most);
}

// Records of the second input take the place of some of the first.
std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t *first, std::size_t first_size, const std::uint8_t *second,
                                      std::size_t second_size, std::uint8_t *out, std::size_t max_size,
                                      unsigned int seed) {
  test::Random random(seed);
  // A place between two records, or any.
  const auto border = [&random](std::string_view bytes) {
    const std::size_t from = random.below(bytes.size() + 1);
    const std::size_t found = bytes.find('\x1d', from);
    return found == std::string_view::npos || random.one_in(4) ? from : found + 1;
  };
  const std::string_view one = text_of(first, first_size);
  const std::string_view other = text_of(second, second_size);
  if (one.size() < fuzz::kControl || other.size() < fuzz::kControl) return written(one, out, max_size);
  const std::string_view records = other.substr(fuzz::kControl);
  const std::size_t begin = border(records);
  const std::size_t end = std::max(begin, border(records));
  const std::size_t at = std::max(border(one), fuzz::kControl);
  std::string mixed(one.substr(0, at));
  mixed += records.substr(begin, end - begin);
  mixed += one.substr(random.one_in(2) ? at : std::max(at, border(one)));
  return written(mixed, out, max_size);
}
