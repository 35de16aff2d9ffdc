// SPDX-License-Identifier: MIT
#include "titles.hpp"

#include "bytes.hpp"
#include "record_view.hpp"
#include "utf8.hpp"

#include <algorithm>

namespace marc {
namespace {

constexpr std::uint32_t kTitleTag = '2' | '4' << 8 | '5' << 16;

void append(Text &text, Bytes bytes) {
  text.splits = text.splits && find_byte(bytes.data(), kRecordEnd, 0, bytes.size()) == bytes.size();
  if (is_utf8(bytes.data(), bytes.size())) {
    text.append(bytes);
    return;
  }
  text.data.reserve_more(3 * bytes.size());
  text.data.commit(replace_invalid_utf8(bytes.data(), bytes.size(), text.data.end()));
}

void append_title(Text &text, const RecordView &record) {
  for (std::size_t i = 0; i < record.field_count(); ++i) {
    const FieldView field = record.field(i);
    if (field.tag() != kTitleTag) continue;
    const Bytes title = field.first('a');
    if (title.data() == nullptr) break;
    append(text, title);
    const Bytes rest = field.first('b');
    if (title.empty() || rest.empty()) return;
    text.data.push(' ');
    append(text, rest);
    return;
  }
  text.make_absent();
}

} // namespace

Text batch_titles(const Batch &batch) {
  Text text;
  text.reserve(batch.size(), batch.size() * 96);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    append_title(text, text_view(batch, i));
    text.end_entry();
  }
  return text;
}

} // namespace marc
