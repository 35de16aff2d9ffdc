// SPDX-License-Identifier: MIT
#include "titles.hpp"

#include "bytes.hpp"
#include "record_view.hpp"
#include "utf8.hpp"

#include <algorithm>

namespace marc {
namespace {

constexpr std::uint32_t kTitleTag = '2' | '4' << 8 | '5' << 16;

void append(Text &text, Bytes bytes, bool utf8) {
  text.splits = text.splits && find_byte(bytes.data(), kRecordEnd, 0, bytes.size()) == bytes.size();
  if (utf8) {
    text.data.insert(text.data.end(), bytes.begin(), bytes.end());
    return;
  }
  const std::size_t before = text.data.size();
  text.data.resize(before + 2 * bytes.size());
  text.data.resize(before + latin1_to_utf8(bytes.data(), bytes.size(), text.data.data() + before));
}

void append_title(Text &text, const RecordView &record, bool utf8) {
  for (std::size_t i = 0; i < record.field_count(); ++i) {
    const FieldView field = record.field(i);
    if (field.tag() != kTitleTag) continue;
    const Bytes title = field.first('a');
    if (title.data() == nullptr) break;
    append(text, title, utf8);
    const Bytes rest = field.first('b');
    if (title.empty() || rest.empty()) return;
    text.data.push_back(' ');
    append(text, rest, utf8);
    return;
  }
  text.data.push_back(kSubfieldMark);
}

} // namespace

Text batch_titles(const Batch &batch) {
  Text text;
  text.data.reserve(batch.size() * 96);
  text.start.reserve(batch.size() + 1);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    text.start.push_back(text.data.size());
    append_title(text, RecordView(batch, i), (batch.record_flags[i] & MARC_REC_UTF8) != 0);
    text.data.push_back(kRecordEnd);
  }
  text.start.push_back(text.data.size());
  return text;
}

} // namespace marc
