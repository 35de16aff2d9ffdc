// SPDX-License-Identifier: MIT
#include "writer/iso2709.hpp"

#include "bytes.hpp"
#include "directory.hpp"
#include "leader.hpp"
#include "writer/walk.hpp"

#include <algorithm>
#include <string>

namespace marc {
namespace {

constexpr std::size_t kEntrySize = 12;

// `value` in `width` digits; zeros where it needs more.
std::uint8_t *put_number(std::uint8_t *to, std::size_t value, std::size_t width) {
  for (std::size_t i = width; i > 0; value /= 10) to[--i] = static_cast<std::uint8_t>('0' + value % 10);
  if (value > 0) std::memset(to, '0', width);
  return to + width;
}

bool is_usual_tag(std::uint32_t tag) {
  for (const unsigned shift : {0U, 8U, 16U}) {
    const auto letter = static_cast<std::uint8_t>(tag >> shift);
    const auto lower = static_cast<std::uint8_t>(letter | 0x20);
    if (!is_digit(letter) && (lower < 'a' || lower > 'z')) return false;
  }
  return true;
}

std::string tag_name(std::uint32_t tag) {
  std::string name;
  for (const unsigned shift : {0U, 8U, 16U}) {
    const auto letter = static_cast<std::uint8_t>(tag >> shift);
    name += letter >= 0x20 && letter < 0x7F ? static_cast<char>(letter) : '?';
  }
  return name;
}

Failure too_large(std::string what, std::size_t bytes, std::size_t most, std::uint32_t tag = 0) {
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

// Fields as the bytes that they are written as.
class Contents {
public:
  Contents(PodArray<std::uint32_t> &tag, PodArray<std::uint32_t> &length, Output &content)
      : tag_(tag), length_(length), content_(content) {
    tag.clear();
    length.clear();
    content.clear();
  }

  // For the walk.
  void make_room(std::size_t bytes, std::size_t) {
    content_.reserve_more(bytes + 16); // missing indicators, the terminator
    begin_ = to_ = content_.end();
  }

  void control(const Tag &tag, const Part &data) {
    put_part(data);
    end_field(tag.packed);
  }

  void open(const Tag &tag, const Part &first, const Part &second) {
    open_tag_ = tag.packed;
    put_part(first);
    put_part(second);
  }

  void subfield(const Part &code, const Part &value) {
    *to_++ = kSubfieldMark;
    put_part(code);
    put_part(value);
  }

  void close() { end_field(open_tag_); }

private:
  void put_part(const Part &part) { to_ = put(to_, part.data, part.size); }

  void end_field(std::uint32_t tag) {
    *to_++ = kFieldEnd;
    const auto size = static_cast<std::size_t>(to_ - begin_);
    tag_.push(tag);
    length_.push(static_cast<std::uint32_t>(size));
    content_.commit(size);
  }

  PodArray<std::uint32_t> &tag_;
  PodArray<std::uint32_t> &length_;
  Output &content_;
  std::uint8_t *begin_ = nullptr; // of this field
  std::uint8_t *to_ = nullptr;
  std::uint32_t open_tag_ = 0;
};

} // namespace

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
  to = put_number(to, fields.size(), 5);
  to = put(to, leader + 5, 7);
  to = put_number(to, base, 5);
  to = put(to, leader + 17, 7);
  std::size_t start = 0;
  for (std::size_t i = 0; i < fields.count; ++i) {
    const std::uint32_t tag = fields.tag[i];
    for (const unsigned shift : {0U, 8U, 16U}) *to++ = static_cast<std::uint8_t>(tag >> shift);
    to = put_number(to, fields.length[i], 4);
    to = put_number(to, start, 5);
    start += fields.length[i];
  }
  *to++ = kFieldEnd;
  if (!fields.content.empty()) to = put(to, fields.content.data(), fields.content.size());
  *to = kRecordEnd;
}

Failure Iso2709Writer::write(Output &out, const RecordView &record) {
  if ((record.flags() & MARC_REC_CANONICAL) != 0 && !options_.refuse_odd) {
    append(out, record.bytes().data(), record.bytes().size());
    return {};
  }
  Contents contents(tag_, length_, content_);
  walk(record, contents);
  LeaderBytes leader = leader_of(record);
  leader[9] = 'a';
  if (!entry_map(leader.data()).is_marc21()) std::memcpy(leader.data() + 20, "4500", 4);
  return write_fields(out, leader);
}

Failure Iso2709Writer::write_fields(Output &out, const LeaderBytes &leader) {
  const Iso2709Fields fields{tag_.data(), length_.data(), tag_.size(), {content_.data(), content_.size()}};
  if (options_.oversize == Oversize::Split && fields.size() > kLargestLength) return write_parts(out, leader, fields);
  Failure failure = check_iso2709(fields, options_);
  if (failure) return failure;
  out.reserve_more(fields.size());
  lay_out_iso2709(out.end(), leader.data(), fields);
  out.commit(fields.size());
  return {};
}

// Each part has the control fields, and then as many of the others as it holds.
Failure Iso2709Writer::write_parts(Output &out, const LeaderBytes &leader, const Iso2709Fields &fields) {
  const std::size_t before = out.size();
  Contents part(part_tag_, part_length_, part_content_);
  const auto lay_out = [&] {
    const Iso2709Fields all{
        part_tag_.data(), part_length_.data(), part_tag_.size(), {part_content_.data(), part_content_.size()}};
    Failure failure = check_iso2709(all, options_);
    if (failure) {
      out.shrink(before);
      return failure;
    }
    out.reserve_more(all.size());
    lay_out_iso2709(out.end(), leader.data(), all);
    out.commit(all.size());
    return Failure{};
  };
  const auto add = [&](std::size_t i, const std::uint8_t *content) {
    part_tag_.push(fields.tag[i]);
    part_length_.push(fields.length[i]);
    append(part_content_, content, fields.length[i]);
  };
  const auto each = [&](bool control, auto use) {
    const std::uint8_t *content = fields.content.data();
    for (std::size_t i = 0; i < fields.count; content += fields.length[i++])
      if (is_control_tag(fields.tag[i]) == control) use(i, content);
  };
  each(true, add);
  const std::size_t controls = part_tag_.size();
  const std::size_t control_bytes = part_content_.size();
  Failure failure;
  each(false, [&](std::size_t i, const std::uint8_t *content) {
    if (failure) return;
    const std::size_t grown = kLeaderSize + kEntrySize * (part_tag_.size() + 1) + 2 + part_content_.size();
    if (grown + fields.length[i] > kLargestLength && part_tag_.size() > controls) {
      failure = lay_out();
      part_tag_.shrink(controls);
      part_length_.shrink(controls);
      part_content_.shrink(control_bytes);
    }
    add(i, content);
  });
  return failure ? failure : lay_out();
}

} // namespace marc
