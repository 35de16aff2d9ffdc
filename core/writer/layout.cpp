// SPDX-License-Identifier: MIT
#include "writer/layout.hpp"

#include "bytes.hpp"
#include "directory.hpp"
#include "writer/output.hpp"

#include <string>

namespace marc {
namespace {

// `value` in so many digits; zeros where it needs more.
template <std::size_t kWidth> std::uint8_t *put_number(std::uint8_t *to, std::size_t value) {
  for (std::size_t i = kWidth; i > 0; value /= 10) to[--i] = static_cast<std::uint8_t>('0' + value % 10);
  if (value > 0) std::memset(to, '0', kWidth);
  return to + kWidth;
}

bool is_usual_tag(std::uint32_t tag) {
  for (const unsigned shift : {0U, 8U, 16U}) {
    const auto letter = static_cast<std::uint8_t>(tag >> shift);
    const auto lower = static_cast<std::uint8_t>(letter | 0x20);
    if (!is_digit(letter) && (lower < 'a' || lower > 'z')) return false;
  }
  return true;
}

Failure too_large(const std::string &what, std::size_t bytes, std::size_t most, std::uint32_t tag = 0) {
  return {MARC_E_TOO_LARGE, static_cast<std::int64_t>(bytes),
          what + " has " + std::to_string(bytes) + " bytes; ISO 2709 can state " + std::to_string(most), tag};
}

Failure field_too_large(std::uint32_t tag, std::size_t number, std::size_t bytes) {
  return too_large("field " + tag_name(tag) + " (number " + std::to_string(number + 1) + ", with its terminator)",
                   bytes, kLargestField, tag);
}

// Why the fields cannot be written, as the options have it. MARC_OK if they can.
Failure find_odd(const Iso2709Fields &fields) {
  const std::uint8_t *at = fields.content.data();
  for (std::size_t i = 0; i < fields.count; ++i) {
    if (!is_usual_tag(fields.tag[i]))
      return {MARC_E_UNWRITABLE, 0, "the tag of field number " + std::to_string(i + 1) + " is odd", fields.tag[i]};
    const std::size_t size = fields.length[i] - 1;
    const bool inner = find_byte(at, kFieldEnd, 0, size) < size || find_byte(at, kRecordEnd, 0, size) < size;
    if (inner)
      return {MARC_E_UNWRITABLE, 0, "field " + tag_name(fields.tag[i]) + " holds a terminator (0x1D or 0x1E)",
              fields.tag[i]};
    at += fields.length[i];
  }
  return {};
}

} // namespace

std::string tag_name(std::uint32_t tag) {
  std::string name;
  for (const unsigned shift : {0U, 8U, 16U}) {
    const auto letter = static_cast<std::uint8_t>(tag >> shift);
    name += letter >= 0x20 && letter < 0x7F ? static_cast<char>(letter) : '?';
  }
  return name;
}

Failure check_iso2709(const Iso2709Fields &fields, const Iso2709Options &options) {
  count_steps(fields.count);
  if (options.oversize != Oversize::Zeros) {
    for (std::size_t i = 0; i < fields.count; ++i)
      if (fields.length[i] > kLargestField) return field_too_large(fields.tag[i], i, fields.length[i]);
    if (fields.size() > kLargestLength) return too_large("the record", fields.size(), kLargestLength);
  }
  return options.refuse_odd ? find_odd(fields) : Failure{};
}

void lay_out_iso2709(std::uint8_t *to, const std::uint8_t *leader, const Iso2709Fields &fields) {
  count_steps(fields.size());
  const std::size_t base = kLeaderSize + kEntrySize * fields.count + 1;
  to = put_number<5>(to, fields.size());
  to = put(to, leader + 5, 7);
  to = put_number<5>(to, base);
  to = put(to, leader + 17, 7);
  std::size_t start = 0;
  for (std::size_t i = 0; i < fields.count; ++i) {
    to = put_tag(to, fields.tag[i]);
    to = put_number<4>(to, fields.length[i]);
    to = put_number<5>(to, start);
    start += fields.length[i];
  }
  *to++ = kFieldEnd;
  if (!fields.content.empty()) to = put(to, fields.content.data(), fields.content.size());
  *to = kRecordEnd;
}

} // namespace marc
