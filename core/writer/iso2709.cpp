// SPDX-License-Identifier: MIT
#include "writer/iso2709.hpp"

#include "bytes.hpp"
#include "directory.hpp"
#include "leader.hpp"
#include "writer/walk.hpp"

#include <cstring>

namespace marc {
namespace {

// Hands number, tag and content of all control fields, or of all others, to use(), in order.
template <typename Use> void each_field(const Iso2709Fields &fields, bool control, Use use) {
  const std::uint8_t *content = fields.content.data();
  for (std::size_t i = 0; i < fields.count; content += fields.length[i++])
    if (is_control_tag(fields.tag[i]) == control) use(fields.tag[i], Bytes{content, fields.length[i]});
}

// Whether laying out the record anew would give its bytes, but for leader/09: it is plain, and no subfield is empty, which
// would be left out.
bool is_laid_out(const RecordView &record) {
  if ((record.flags() & MARC_REC_CANONICAL) != 0) return true;
  if (!is_plain_text(record.flags())) return false;
  count_steps(record.field_count());
  std::size_t bytes = 0;
  std::size_t in_subfields = 0;
  for (std::size_t i = 0; i < record.field_count(); ++i) {
    const FieldView field = record.field(i);
    if (field.is_control()) continue;
    bytes += field.bytes().size() - 2; // without indicators
    for (std::size_t j = 0; j < field.subfield_count(); ++j) in_subfields += 1 + field.subfield(j).size();
  }
  return bytes == in_subfields;
}

} // namespace

Failure Iso2709Writer::write(Output &out, const RecordView &record) {
  const bool utf8 = encoding_ == Iso2709Encoding::Utf8;
  if (utf8 && !options_.refuse_odd && is_laid_out(record)) {
    append(out, record.bytes().data(), record.bytes().size());
    out[out.size() - record.bytes().size() + 9] = 'a';
    return {};
  }
  contents_.clear();
  walk(record, contents_);
  LeaderBytes leader = stored_leader_of(record);
  leader[9] = utf8 ? 'a' : ' ';
  if (!entry_map(leader.data()).is_marc21()) std::memcpy(leader.data() + 20, "4500", 4);
  return utf8 ? write_contents(out, leader, contents_) : write_marc8(out, leader);
}

Failure Iso2709Writer::write_marc8(Output &out, const LeaderBytes &leader) {
  encoded_.clear();
  const Iso2709Fields fields = contents_.fields();
  const std::uint8_t *content = fields.content.data();
  std::uint64_t lost = 0;
  for (std::size_t i = 0; i < fields.count; content += fields.length[i++]) {
    field_.clear();
    findings_.clear();
    if (!encoder_.encode(content, fields.length[i], field_, findings_)) {
      const Marc8Finding &finding = findings_[findings_.size() - 1];
      return {MARC_E_UNMAPPABLE, finding.code,
              "field " + tag_name(fields.tag[i]) + " holds a character that MARC-8 lacks", fields.tag[i]};
    }
    lost += findings_.size();
    encoded_.add(fields.tag[i], {field_.data(), field_.size()});
  }
  Failure failure = write_contents(out, leader, encoded_);
  if (!failure) replaced_ += lost;
  return failure;
}

Failure Iso2709Writer::write_contents(Output &out, const LeaderBytes &leader, const Contents &contents) {
  const Iso2709Fields fields = contents.fields();
  const bool splits = options_.oversize == Oversize::Split && fields.size() > kLargestLength;
  return splits ? write_parts(out, leader, fields) : write_fields(out, leader, fields);
}

Failure Iso2709Writer::write_fields(Output &out, const LeaderBytes &leader, const Iso2709Fields &fields) const {
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
  part_.clear();
  each_field(fields, true, [&](std::uint32_t tag, Bytes content) { part_.add(tag, content); });
  const std::size_t controls = part_.count();
  const std::size_t control_bytes = part_.bytes();
  Failure failure;
  each_field(fields, false, [&](std::uint32_t tag, Bytes content) {
    if (failure) return;
    part_.add(tag, content);
    if (part_.fields().size() <= kLargestLength || part_.count() == controls + 1) return;
    part_.shrink(part_.count() - 1, part_.bytes() - content.size());
    failure = write_fields(out, leader, part_.fields());
    part_.shrink(controls, control_bytes);
    part_.add(tag, content);
  });
  if (!failure) failure = write_fields(out, leader, part_.fields());
  if (failure) out.shrink(before);
  return failure;
}

} // namespace marc
