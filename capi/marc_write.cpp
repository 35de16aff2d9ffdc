// The C interface for writing.
// SPDX-License-Identifier: MIT
#include <marc/marc.h>

#include "bytes.hpp"
#include "directory.hpp"
#include "shim.hpp"
#include "writer/iso2709.hpp"
#include "writer/json.hpp"
#include "writer/marcxml.hpp"
#include "writer/mrk.hpp"

namespace {

using namespace marc::shim;
using marc::Batch;
using marc::Failure;

// Lengths of `count` fields whose contents are joined by 0x1E, terminators included. False where there are more or fewer.
bool split_contents(marc::Bytes text, std::size_t count, marc::PodArray<std::uint32_t> &lengths) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = marc::find_byte(text.data(), marc::kFieldEnd, at, text.size());
    if ((end == text.size()) != (i + 1 == count)) return false;
    lengths.push(static_cast<std::uint32_t>(end - at + 1));
    at = end + 1;
  }
  return count > 0 || text.empty();
}

// The contents with a terminator behind each, where their lengths are given.
bool join_contents(marc::Bytes text, const std::uint32_t *given, std::size_t count, marc::Output &joined,
                   marc::PodArray<std::uint32_t> &lengths) {
  for (std::size_t i = 0; i < count; ++i) {
    if (given[i] > text.size()) return false;
    marc::append(joined, text.data(), given[i]);
    joined.push(marc::kFieldEnd);
    lengths.push(given[i] + 1);
    text = text.subspan(given[i]);
  }
  return text.empty();
}

} // namespace

// ---- Texts

int32_t marc_batch_json(const marc_batch *batch, uint32_t style, marc_text **out, marc_error *error) {
  if (out != nullptr) *out = nullptr;
  if (style > MARC_JSON_COMPACT) return bad_argument(error, "style is one of MARC_JSON_...");
  return give_text(batch, out, error,
                   [=](const Batch &of) { return marc::batch_json(of, static_cast<marc::JsonStyle>(style)); });
}

int32_t marc_batch_xml(const marc_batch *batch, uint32_t style, marc_text **out, marc_error *error) {
  if (out != nullptr) *out = nullptr;
  if (style > MARC_XML_UTF8) return bad_argument(error, "style is one of MARC_XML_...");
  return give_text(batch, out, error,
                   [=](const Batch &of) { return marc::batch_marcxml(of, static_cast<marc::XmlStyle>(style)); });
}

int32_t marc_batch_mrk(const marc_batch *batch, uint32_t style, marc_text **out, marc_error *error) {
  if (out != nullptr) *out = nullptr;
  if (style > MARC_MRK_MNEMONICS) return bad_argument(error, "style is one of MARC_MRK_...");
  return give_text(batch, out, error,
                   [=](const Batch &of) { return marc::batch_mrk(of, static_cast<marc::MrkStyle>(style)); });
}

// ---- One record

int32_t marc_serialize(const uint8_t *leader, const uint8_t *tags, size_t field_count, const uint8_t *text,
                       size_t text_length, const uint32_t *lengths, uint32_t oversize, uint8_t *out, size_t capacity,
                       size_t *written, marc_error *error) {
  if (written == nullptr) return bad_argument(error, "written is NULL");
  *written = 0;
  if (leader == nullptr || out == nullptr) return bad_argument(error, "leader or out is NULL");
  if ((tags == nullptr && field_count > 0) || (text == nullptr && text_length > 0))
    return bad_argument(error, "tags or text is NULL");
  if (oversize > MARC_OVERSIZE_ZEROS) return bad_argument(error, "oversize is MARC_OVERSIZE_ERROR or _ZEROS");
  if (text_length > UINT32_MAX / 2) return bad_argument(error, "text has at most 2 GiB");
  return guard(error, [&] {
    marc::PodArray<std::uint32_t> packed;
    marc::PodArray<std::uint32_t> sizes;
    marc::Output content;
    packed.reserve_more(field_count);
    sizes.reserve_more(field_count);
    content.reserve_more(text_length + field_count + 1);
    for (std::size_t i = 0; i < field_count; ++i) packed.push(marc::pack_tag(tags + 3 * i));
    const marc::Bytes given{text, text_length};
    if (lengths != nullptr) {
      if (!join_contents(given, lengths, field_count, content, sizes))
        return bad_argument(error, "lengths are not those of text");
    } else {
      if (!split_contents(given, field_count, sizes))
        return bad_argument(error, "text has not as many 0x1E as there are fields, less one");
      marc::append(content, text, text_length);
      if (field_count > 0) content.push(marc::kFieldEnd);
    }
    const marc::Iso2709Fields fields{packed.data(), sizes.data(), field_count, {content.data(), content.size()}};
    const Failure failure = marc::check_iso2709(fields, {static_cast<marc::Oversize>(oversize), false});
    if (failure) return report(failure, error);
    if (capacity < fields.size()) return bad_argument(error, "capacity is too small for the record");
    marc::lay_out_iso2709(out, leader, fields);
    *written = fields.size();
    return std::int32_t{MARC_OK};
  });
}
