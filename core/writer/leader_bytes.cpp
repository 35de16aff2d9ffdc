// SPDX-License-Identifier: MIT
#include "writer/leader_bytes.hpp"

#include <algorithm>

namespace marc {
namespace {

// The note on the size of the leader; NULL if there is none.
const marc_note *size_note(const Batch &batch, std::size_t record) {
  const marc_note *end = batch.notes.end();
  const auto before = [](const marc_note &note, std::size_t number) { return note.record < number; };
  for (const marc_note *note = std::lower_bound(batch.notes.begin(), end, record, before);
       note < end && note->record == record; ++note)
    if (note->code == MARC_NOTE_LEADER_SIZE) return note;
  return nullptr;
}

} // namespace

LeaderBytes stored_leader_of(const RecordView &record) {
  Bytes bytes = record.bytes();
  if ((record.flags() & MARC_REC_REPAIRED) != 0)
    if (const marc_note *note = size_note(record.batch(), record.number()); note != nullptr)
      bytes = {record.batch().data + note->offset, note->length};
  const std::size_t size = std::min(kLeaderSize, bytes.size());
  LeaderBytes leader;
  leader.fill('0');
  std::copy_n(bytes.data(), size, leader.data() + (kLeaderSize - size));
  return leader;
}

LeaderBytes leader_of(const RecordView &record) {
  if ((record.flags() & MARC_REC_LEADER) == 0) return stored_leader_of(record);
  LeaderBytes leader;
  std::copy_n(record.batch().leaders.data() + kLeaderSize * record.number(), kLeaderSize, leader.data());
  return leader;
}

} // namespace marc
