// The leader of a record of a batch as 24 bytes, whatever its state.
// SPDX-License-Identifier: MIT
#pragma once

#include "leader.hpp"
#include "record_view.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace marc {

// Bytes above 0x7F, which only the best reading delivers, count as Latin-1.
using LeaderBytes = std::array<std::uint8_t, kLeaderSize>;

// As it stands in the bytes of the record. Where there are not 24 bytes before the directory (MARC_NOTE_LEADER_SIZE) '0'
// stands for those that are missing, at the beginning.
LeaderBytes stored_leader_of(const RecordView &record);

// The same as it stands in the source, which may be no ISO 2709 (MARC_REC_LEADER).
LeaderBytes leader_of(const RecordView &record);

} // namespace marc
