// SPDX-License-Identifier: MIT
#include "widths.hpp"

#include "bytes.hpp"
#include "directory.hpp"

namespace marc {
namespace {

// How many data fields have their first subfield behind so many bytes.
std::size_t fields_with(const Batch &batch, std::size_t indicators) {
  count_steps(batch.field_tag.size() - batch.field_first[batch.size()]);
  std::size_t count = 0;
  for (std::size_t i = batch.field_first[batch.size()]; i < batch.field_tag.size(); ++i) {
    if (is_control_tag(batch.field_tag[i]) || batch.subfield_first[i] == batch.subfield_first[i + 1]) continue;
    const std::size_t mark = batch.subfield_offset[batch.subfield_first[i]] - std::size_t{1};
    count += mark == batch.field_offset[i] + indicators ? 1 : 0;
  }
  return count;
}

bool is_code_character(std::uint8_t byte) { return is_digit(byte) || (byte >= 'a' && byte <= 'z'); }

// Whether all subfields begin with a code of so many bytes.
bool all_have_codes(const Batch &batch, std::size_t size) {
  const std::size_t first = batch.subfield_first[batch.field_first[batch.size()]];
  for (std::size_t i = first; i < batch.subfield_offset.size(); ++i) {
    count_steps(size);
    if (batch.subfield_length[i] < size) return false;
    for (std::size_t j = 0; j < size; ++j)
      if (!is_code_character(batch.data[batch.subfield_offset[i] + j])) return false;
  }
  return first < batch.subfield_offset.size();
}

} // namespace

Widths find_widths(const Batch &batch, std::uint8_t indicator_count, std::uint8_t identifier_length) {
  Widths widths;
  if (!is_digit(indicator_count) || !is_digit(identifier_length)) return widths;
  const auto indicators = static_cast<std::uint8_t>(indicator_count - '0');
  const auto code = static_cast<std::uint8_t>(identifier_length - '0' - 1); // the subfield mark is counted
  if (indicators != widths.indicators && fields_with(batch, indicators) > fields_with(batch, widths.indicators))
    widths.indicators = indicators;
  if (identifier_length > '2' && all_have_codes(batch, code)) widths.code = code;
  return widths;
}

} // namespace marc
