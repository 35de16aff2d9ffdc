// Views on the records and fields of a batch: two words, no ownership, no allocation.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "directory.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace marc {

using Bytes = std::span<const std::uint8_t>;

class FieldView {
public:
  FieldView(const Batch &batch, std::size_t field) : batch_(&batch), field_(field) {}

  std::uint32_t tag() const { return batch_->field_tag[field_]; } // packed
  bool is_control() const { return is_control_tag(tag()); }
  Bytes bytes() const { return {batch_->data + batch_->field_offset[field_], batch_->field_length[field_]}; }
  std::size_t subfield_count() const { return batch_->subfield_first[field_ + 1] - batch_->subfield_first[field_]; }
  // Code and value of a subfield.
  Bytes subfield(std::size_t i) const {
    const std::size_t at = batch_->subfield_first[field_] + i;
    return {batch_->data + batch_->subfield_offset[at], batch_->subfield_length[at]};
  }
  // The value of the first subfield with this code; data() is NULL if there is none.
  Bytes first(std::uint8_t code) const {
    for (std::size_t i = 0; i < subfield_count(); ++i)
      if (subfield(i)[0] == code) return subfield(i).subspan(1);
    return {};
  }

private:
  const Batch *batch_;
  std::size_t field_;
};

class RecordView {
public:
  RecordView(const Batch &batch, std::size_t record) : batch_(&batch), record_(record) {}

  const Batch &batch() const { return *batch_; }
  std::size_t number() const { return record_; } // in the batch
  Bytes bytes() const { return {batch_->data + batch_->record_start[record_], batch_->record_length[record_]}; }
  std::uint32_t flags() const { return batch_->record_flags[record_]; } // MARC_REC_...
  // Bytes may be read, if not used, up to here: behind the record, where others follow it.
  const std::uint8_t *readable_end() const { return batch_->data + batch_->length; }
  std::size_t field_count() const { return batch_->field_first[record_ + 1] - batch_->field_first[record_]; }
  FieldView field(std::size_t i) const { return {*batch_, batch_->field_first[record_] + i}; }
  // Of all its fields, in order: code and value.
  std::size_t subfield_count() const { return first_subfield(record_ + 1) - first_subfield(record_); }
  Bytes subfield(std::size_t i) const {
    const std::size_t at = first_subfield(record_) + i;
    return {batch_->data + batch_->subfield_offset[at], batch_->subfield_length[at]};
  }

private:
  std::size_t first_subfield(std::size_t record) const { return batch_->subfield_first[batch_->field_first[record]]; }

  const Batch *batch_;
  std::size_t record_;
};

// Whether all fields have two ASCII indicators and ASCII codes, and their text is UTF-8, by the flags of the record.
inline bool is_plain_text(std::uint32_t flags) {
  return (flags & MARC_REC_PLAIN) != 0 && ((flags & MARC_REC_UTF8) != 0 || (flags & MARC_REC_NONASCII) == 0);
}

// The record whose bytes are text in UTF-8: what is asked for text, or writes it, looks at this one.
inline RecordView text_view(const Batch &batch, std::size_t record) {
  if (record < batch.record_text.size() && batch.record_text[record] != Batch::kNoText)
    return {*batch.text, batch.record_text[record]};
  return {batch, record};
}

} // namespace marc
