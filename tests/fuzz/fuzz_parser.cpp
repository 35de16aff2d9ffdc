// One piece, parsed alone in every place and parse mode: what the batch says of it is true of its bytes.
// SPDX-License-Identifier: MIT
#include "checks.hpp"
#include "fuzzing.hpp"
#include "writing_checks.hpp"

#include "../core/boundary_rule.hpp"
#include "../core/make.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace fuzz;

bool is_sound(std::string_view bytes) {
  const std::vector<test::Part> pieces = test::BoundaryRule(bytes).pieces();
  return pieces.size() == 1 && pieces[0].kind == marc::PieceKind::Record;
}

// What the library makes of the piece in this place.
Piece parsed(std::string_view bytes, std::uint32_t place, std::uint32_t parse_mode) {
  const Batch batch = parse_alone(bytes, place, parse_mode);
  BatchCheck(batch.get(), parse_mode).run();
  check_writing(batch.get());
  check_written_again(batch);
  Piece piece = only_piece(batch);
  require(piece.offset == 0 && piece.length == bytes.size(), "the piece is not the bytes");
  return piece;
}

// What both parse modes say of the piece in the same place.
void check_modes(std::string_view bytes, const Piece &pymarc, const Piece &best) {
  const bool sound = has(pymarc.flags, MARC_REC_SOUND);
  require(sound == has(best.flags, MARC_REC_SOUND), "sound in one parse mode only");
  // What cannot be repaired is as pymarc has it.
  require(sound || has(best.flags, MARC_REC_REPAIRED) || best.reads_as(pymarc), "not repaired, and not pymarc's");
  // A record that can be taken as it stands is the same for everyone; the best reading alone believes leader/10-11, and finds
  // out what text is that does not say that it is UTF-8.
  if (has(pymarc.flags, MARC_REC_PLAIN) && bytes.substr(9, 3) == "a22")
    require(best.reads_as(pymarc), "PLAIN, and read in two ways");
}

// The record with other digits in each entry of its directory: `change` gets an entry of twelve bytes.
template <typename Change> std::string with_entries(std::string_view bytes, Change change) {
  const std::size_t end = bytes.find('\x1e');
  std::string directory;
  for (std::size_t at = 24; at < end; at += 12) directory += change(std::string(bytes.substr(at, 12)));
  const std::size_t more = directory.size() - (end - 24);
  return test::number(bytes.size() + more, 5) + std::string(bytes.substr(5, 7)) + test::number(end + 1 + more, 5) +
         std::string(bytes.substr(17, 7)) + directory + std::string(bytes.substr(end));
}

// A number that is wrong, or a terminator that is lost, costs the best reading no field of a record whose fields follow
// one another.
void check_repairs(std::string_view bytes, const Piece &sound) {
  const std::string record(bytes);
  const auto no_length = [](const std::string &entry) { return test::with(entry, 3, "0000"); };
  const auto saturated = [](const std::string &entry) { return test::with(entry, 7, "99999"); };
  const auto longer = [](std::string entry) { return entry.insert(7, 1, '0'); };
  std::vector<std::string> damages{
      test::with(record, 0, bytes.starts_with("00000") ? "99999" : "00000"),
      test::with(record, 12, "00000"),
      record.substr(0, record.size() - 1),
      with_entries(bytes, no_length),
      with_entries(bytes, saturated),
      with_entries(bytes, longer),
  };
  // Digits alone are no leader: the inside of a directory looks like that.
  if (!marc::is_digit(static_cast<std::uint8_t>(record[5]))) {
    damages.push_back(std::string(record).erase(6, 1));
    damages.push_back(std::string(record).insert(6, 1, 'x'));
  }
  for (const std::string &damaged : damages) {
    const Piece repaired = parsed(damaged, MARC_PIECE_FOLLOWED, MARC_PARSE_BEST);
    const std::size_t moved = damaged.size() - bytes.size();
    std::vector<std::uint32_t> fields = sound.fields;
    for (std::size_t i = 1; i < fields.size(); i += 4)
      fields[i] += static_cast<std::uint32_t>(damaged.size() < bytes.size() && damaged.back() != '\x1d' ? 0 : moved);
    if (repaired.fields != fields || !has(repaired.flags, MARC_REC_REPAIRED))
      throw Broken("damage " + std::to_string(&damaged - damages.data()) + ", sound " + text_of(sound) +
                   "\n  repaired " + text_of(repaired));
  }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const Input input(data, size);
  const std::string_view bytes = input.bytes();
  if (bytes.empty()) return 0;
  const Piece alone = parsed(bytes, MARC_PIECE_ALONE, MARC_PARSE_PYMARC);
  if (input.is_easy())
    require(has(alone.flags, MARC_REC_SOUND) == is_sound(bytes), "MARC_REC_SOUND is not what the rule says");
  const Piece best_alone = parsed(bytes, MARC_PIECE_ALONE, MARC_PARSE_BEST);
  check_modes(bytes, alone, best_alone);
  if (has(best_alone.flags, MARC_REC_SPLITS)) check_repairs(bytes, best_alone);
  for (const std::uint32_t place : {MARC_PIECE_FOLLOWED, MARC_PIECE_LAST}) {
    const Piece pymarc = parsed(bytes, place, MARC_PARSE_PYMARC);
    const Piece best = parsed(bytes, place, MARC_PARSE_BEST);
    check_modes(bytes, pymarc, best);
    require(!has(alone.flags, MARC_REC_SOUND) || pymarc.reads_as(alone), "sound, and read in two ways");
    require(!has(best.flags, MARC_REC_SOUND | MARC_REC_REPAIRED) || best.reads_as(best_alone), "repaired in two ways");
  }
  return 0;
}
