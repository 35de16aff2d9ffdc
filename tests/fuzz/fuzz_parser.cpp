// One piece, parsed alone in every place and parse mode: what the batch says of it is true of its bytes.
// SPDX-License-Identifier: MIT
#include "checks.hpp"
#include "fuzzing.hpp"

#include "../core/boundary_rule.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace {

using namespace fuzz;

bool is_sound(std::string_view bytes) {
  const std::vector<test::Part> pieces = test::BoundaryRule(bytes).pieces();
  return pieces.size() == 1 && pieces[0].kind == marc::PieceKind::Record;
}

// What the library makes of the piece in this place; nothing where the parse mode is not offered.
void parse(std::string_view bytes, std::uint32_t place, std::uint32_t parse_mode, std::vector<Piece> &answers) {
  const Batch batch = parse_alone(bytes, place, parse_mode);
  if (batch == nullptr) return;
  BatchCheck(batch.get(), parse_mode).run();
  answers.push_back(only_piece(batch));
  require(answers.back().offset == 0 && answers.back().length == bytes.size(), "the piece is not the bytes");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const Input input(data, size);
  const std::string_view bytes = input.bytes();
  if (bytes.empty()) return 0;
  std::vector<Piece> answers;
  for (const std::uint32_t place : {MARC_PIECE_ALONE, MARC_PIECE_FOLLOWED, MARC_PIECE_LAST})
    for (const std::uint32_t parse_mode : {MARC_PARSE_PYMARC, MARC_PARSE_BEST})
      parse(bytes, place, parse_mode, answers);
  const std::uint32_t flags = answers[0].flags;
  if (input.is_easy())
    require(has(flags, MARC_REC_SOUND) == is_sound(bytes), "MARC_REC_SOUND is not what the rule says");
  for (const Piece &answer : answers) {
    require(has(answer.flags, MARC_REC_SOUND) == has(flags, MARC_REC_SOUND), "sound in one place and not in another");
    // A record that can be taken as it stands is the same for everyone.
    require(!has(flags, MARC_REC_PLAIN) || answer.reads_as(answers[0]), "PLAIN, and read in two ways");
  }
  return 0;
}
