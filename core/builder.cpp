// SPDX-License-Identifier: MIT
#include "builder.hpp"

#include "bytes.hpp"
#include "directory.hpp"
#include "leader.hpp"
#include "subfields.hpp"
#include "utf8.hpp"
#include "writer/layout.hpp"
#include "writer/walk.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace marc {
namespace {

constexpr std::string_view kBlankLeader = "00000nam a2200000   4500";
constexpr std::size_t kLargestText = std::size_t{1} << 31; // bytes of a record

Failure wrong(const char *message) { return {MARC_E_ARGUMENT, 0, message}; }

bool has_delimiter(Bytes bytes) { return find_delimiter(bytes.data(), 0, bytes.size()) < bytes.size(); }

// Whether bytes of a field may be written under this tag.
Failure check(std::uint32_t tag, Bytes text) {
  if (!is_utf8(text.data(), text.size())) return {MARC_E_ARGUMENT, 0, "text is not UTF-8", tag};
  if (has_delimiter(text)) return {MARC_E_UNWRITABLE, 0, "text holds a delimiter (0x1D to 0x1F)", tag};
  return {};
}

Failure check_tag(Bytes tag, bool control) {
  if (tag.size() != 3 || !is_ascii(tag.data(), tag.size()) || has_delimiter(tag))
    return wrong("a tag has three characters of ASCII");
  if (is_control_tag(pack_tag(tag.data())) != control)
    return wrong(control ? "control fields have the tags 000 to 009"
                         : "the tags 000 to 009 are those of control fields");
  return {};
}

// Whether a record of these fields can state its sizes, and its leader and tags are ASCII.
bool is_usual(const Iso2709Fields &fields, Bytes leader) {
  if (fields.count == 0 || check_iso2709(fields, {})) return false;
  return is_ascii(leader.data(), leader.size()) && std::all_of(fields.tag, fields.tag + fields.count, is_ascii_tag);
}

// Makes the laid out fields the record of the batch.
void add_record(Batch &batch, const Iso2709Fields &fields) {
  const std::size_t base = batch.length - fields.content.size() - 1;
  std::size_t at = base;
  for (std::size_t i = 0; i < fields.count; at += fields.length[i++]) {
    batch.field_tag.push(fields.tag[i]);
    batch.field_offset.push(static_cast<std::uint32_t>(at));
    batch.field_length.push(fields.length[i] - 1);
  }
  const SubfieldFindings found = index_subfields(batch, fields.count > 0, base, batch.length - 1);
  std::uint32_t flags = MARC_REC_UTF8;
  if (found.high) flags |= MARC_REC_NONASCII;
  if (is_usual(fields, {batch.data, kLeaderSize})) flags |= MARC_REC_SOUND;
  if ((flags & MARC_REC_SOUND) != 0 && !found.inner) flags |= MARC_REC_SPLITS;
  if ((flags & MARC_REC_SPLITS) != 0 && found.is_plain()) flags |= MARC_REC_PLAIN;
  if ((flags & MARC_REC_PLAIN) != 0 && !found.empty) flags |= MARC_REC_CANONICAL;
  batch.add_record(0, batch.length, MARC_OK, flags);
}

// A single character of a data field.
Failure check_character(std::uint8_t character, std::uint32_t tag) {
  if (character >= 0x80 || is_delimiter(character))
    return {MARC_E_ARGUMENT, 0, "indicators and subfield codes are characters of ASCII", tag};
  return {};
}

} // namespace

Builder::Builder() { std::memcpy(leader_.data(), kBlankLeader.data(), kLeaderSize); }

Failure Builder::set_leader(Bytes leader) {
  if (leader.size() != kLeaderSize || !is_ascii(leader.data(), leader.size()) || has_delimiter(leader))
    return wrong("a leader has 24 characters of ASCII");
  if (is_inside_directory(leader.data() + 5)) return wrong("leader/05-08 are digits: no reader would know the record");
  std::copy(leader.begin(), leader.end(), leader_.begin());
  return {};
}

Failure Builder::add_control(Bytes tag, Bytes data) {
  if (Failure failure = check_tag(tag, true)) return failure;
  const std::uint32_t packed = pack_tag(tag.data());
  if (Failure failure = check(packed, data)) return failure;
  contents_.make_room(data.size(), 0);
  contents_.control({packed, {}}, {data.data(), data.size(), data.data() + data.size()});
  last_tag_ = packed;
  return {};
}

Failure Builder::add_data(Bytes tag, std::uint8_t first, std::uint8_t second) {
  if (Failure failure = check_tag(tag, false)) return failure;
  const std::uint32_t packed = pack_tag(tag.data());
  for (const std::uint8_t indicator : {first, second})
    if (Failure failure = check_character(indicator, packed)) return failure;
  const std::array<std::uint8_t, 3> content{first, second, kFieldEnd};
  contents_.add(packed, content);
  last_tag_ = packed;
  return {};
}

Failure Builder::add_subfield(std::uint8_t code, Bytes value) {
  if (last_tag_ == 0 || is_control_tag(last_tag_))
    return wrong("there is no data field that a subfield could be added to");
  if (Failure failure = check_character(code, last_tag_)) return failure;
  if (Failure failure = check(last_tag_, value)) return failure;
  const std::array<std::uint8_t, 2> head{kSubfieldMark, code};
  contents_.extend(head, value);
  return {};
}

void Builder::copy_fields(const RecordView &record, std::size_t first, std::size_t count) {
  const std::size_t fields = contents_.count();
  const std::size_t bytes = contents_.bytes();
  OddParts parts(record);
  try {
    for (std::size_t i = first; i < first + count; ++i) walk_odd_field(record.field(i), parts, contents_);
  } catch (...) {
    contents_.shrink(fields, bytes);
    throw;
  }
  if (count > 0) last_tag_ = record.field(first + count - 1).tag();
}

std::unique_ptr<Batch> Builder::finish(Failure &failure) {
  const Iso2709Fields fields = contents_.fields();
  if (fields.size() > kLargestText) {
    failure = {MARC_E_TOO_LARGE, static_cast<std::int64_t>(fields.size()), "a record has at most 2 GiB"};
    return nullptr;
  }
  leader_[9] = 'a';
  std::memcpy(leader_.data() + 10, "22", 2);
  std::memcpy(leader_.data() + 20, "4500", 4);
  auto batch = std::make_unique<Batch>();
  batch->clear();
  batch->own.reserve_more(fields.size());
  batch->own.commit(fields.size());
  batch->data = batch->own.data();
  batch->length = fields.size();
  lay_out_iso2709(batch->own.begin(), leader_.data(), fields);
  add_record(*batch, fields);
  std::memcpy(leader_.data(), kBlankLeader.data(), kLeaderSize);
  contents_.clear();
  last_tag_ = 0;
  return batch;
}

} // namespace marc
