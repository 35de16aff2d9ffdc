// All records of a batch, written by a format, as one text.
// SPDX-License-Identifier: MIT
#pragma once

#include "bytes.hpp"
#include "record_view.hpp"
#include "text.hpp"
#include "writer/leader_bytes.hpp"

#include <cstddef>

namespace marc {

// `write(out, leader, record)` appends a record; its leader is as it stood in the source, also where its text was
// converted. Rejected pieces are absent.
template <typename Write> Text batch_text(const Batch &batch, Write write) {
  Text text;
  text.reserve(batch.size(), 2 * batch.length);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch.record_status[i] == MARC_OK) {
      write(text.data, leader_of(RecordView(batch, i)), text_view(batch, i));
      text.splits =
          text.splits && find_byte(text.data.data(), kRecordEnd, text.open(), text.data.size()) == text.data.size();
    } else {
      text.make_absent();
    }
    text.end_entry();
  }
  return text;
}

} // namespace marc
