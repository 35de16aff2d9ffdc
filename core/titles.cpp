// SPDX-License-Identifier: MIT
#include "titles.hpp"

#include "bytes.hpp"
#include "record_view.hpp"
#include "utf8.hpp"

#include <algorithm>

namespace marc {
namespace {

constexpr std::uint32_t kTitleTag = '2' | '4' << 8 | '5' << 16;

enum class Coding : std::uint8_t { Utf8, PerhapsUtf8, Latin1 };

void append(Text &text, Bytes bytes, Coding coding) {
  text.splits = text.splits && find_byte(bytes.data(), kRecordEnd, 0, bytes.size()) == bytes.size();
  if (coding == Coding::Utf8) {
    text.append(bytes);
    return;
  }
  const auto convert = coding == Coding::Latin1 ? latin1_to_utf8 : replace_invalid_utf8;
  text.data.reserve_more(3 * bytes.size());
  text.data.commit(convert(bytes.data(), bytes.size(), text.data.end()));
}

// The best reading delivers records whose text is not what leader/09 says.
Coding coding_of(std::uint32_t flags) {
  if ((flags & MARC_REC_UTF8) == 0) return Coding::Latin1;
  return (flags & MARC_REC_REPAIRED) != 0 ? Coding::PerhapsUtf8 : Coding::Utf8;
}

void append_title(Text &text, const RecordView &record, Coding coding) {
  for (std::size_t i = 0; i < record.field_count(); ++i) {
    const FieldView field = record.field(i);
    if (field.tag() != kTitleTag) continue;
    const Bytes title = field.first('a');
    if (title.data() == nullptr) break;
    append(text, title, coding);
    const Bytes rest = field.first('b');
    if (title.empty() || rest.empty()) return;
    text.data.push(' ');
    append(text, rest, coding);
    return;
  }
  text.make_absent();
}

} // namespace

Text batch_titles(const Batch &batch) {
  Text text;
  text.reserve(batch.size(), batch.size() * 96);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    append_title(text, RecordView(batch, i), coding_of(batch.record_flags[i]));
    text.end_entry();
  }
  return text;
}

} // namespace marc
