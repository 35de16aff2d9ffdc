// SPDX-License-Identifier: MIT
#include "batch.hpp"

#include "recycler.hpp"

namespace marc {

Batch::~Batch() {
  if (arena != nullptr && home != nullptr) home->give_back(arena);
}

void Batch::clear() {
  data = nullptr;
  length = 0;
  source_offset = first_index = silent = 0;
  all_flags = ~std::uint32_t{0};
  rejected = 0;
  record_start.clear();
  record_length.clear();
  record_status.clear();
  record_flags.clear();
  field_first.clear();
  field_first.push(0);
  field_tag.clear();
  field_offset.clear();
  field_length.clear();
  subfield_first.clear();
  subfield_first.push(0);
  subfield_offset.clear();
  subfield_length.clear();
  notes.clear();
  own.clear();
  place.clear();
  extent.clear();
  leaders.clear();
  record_text.clear();
  if (text != nullptr) text->clear();
}

Batch &Batch::open_text() {
  if (text == nullptr) {
    text = std::make_unique<Batch>();
    text->clear();
  }
  return *text;
}

void Batch::close_text() {
  while (record_text.size() + 1 < size()) record_text.push(kNoText);
  record_text.push(static_cast<std::uint32_t>(text->size() - 1));
  text->data = text->own.data();
  text->length = text->own.size();
}

void Batch::finish() {
  if (record_text.size() == 0) return;
  count_steps(size() - record_text.size());
  while (record_text.size() < size()) record_text.push(kNoText);
}

void Batch::drop_open_fields() {
  const std::size_t fields = field_first[size()];
  field_tag.shrink(fields);
  field_offset.shrink(fields);
  field_length.shrink(fields);
  const std::size_t subfields = subfield_first[fields];
  subfield_first.shrink(fields + 1);
  subfield_offset.shrink(subfields);
  subfield_length.shrink(subfields);
}

void Batch::add_record(std::size_t start, std::size_t size, std::int32_t status, std::uint32_t flags) {
  record_start.push(static_cast<std::uint32_t>(start));
  record_length.push(static_cast<std::uint32_t>(size));
  record_status.push(status);
  record_flags.push(flags);
  field_first.push(static_cast<std::uint32_t>(field_tag.size()));
  earlier_flags = all_flags;
  all_flags &= flags;
  rejected += status == MARC_OK ? 0 : 1;
}

void Batch::set_flags(std::uint32_t flags) {
  record_flags[size() - 1] = flags;
  all_flags = earlier_flags & flags;
}

void Batch::drop_record() {
  const std::size_t last = size() - 1;
  if (record_text.size() > last) {
    text->own.shrink(text->record_start[text->size() - 1]);
    text->drop_record();
    record_text.shrink(last);
  }
  rejected -= record_status[last] == MARC_OK ? 0 : 1;
  while (notes.size() > 0 && notes[notes.size() - 1].record == last) notes.shrink(notes.size() - 1);
  record_start.shrink(last);
  record_length.shrink(last);
  record_status.shrink(last);
  record_flags.shrink(last);
  field_first.shrink(last + 1);
  drop_open_fields();
  all_flags = ~std::uint32_t{0};
  count_steps(last);
  for (std::size_t i = 0; i < last; ++i) all_flags &= record_flags[i];
}

void release(const Batch *batch) {
  if (batch->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  auto *last = const_cast<Batch *>(batch); // nobody else looks at it any more
  const std::shared_ptr<Recycler> home = std::move(last->home);
  if (home == nullptr) {
    delete last;
    return;
  }
  if (last->arena != nullptr) home->give_back(last->arena);
  last->arena = nullptr;
  home->give_back(last);
}

} // namespace marc
