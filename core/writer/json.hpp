// Records as MARC-in-JSON: {"leader": "...", "fields": [{"001": "..."}, {"245": {"ind1": "1", "ind2": "0", "subfields":
// [{"a": "..."}]}}]}.
// SPDX-License-Identifier: MIT
#pragma once

#include "record_view.hpp"
#include "text.hpp"
#include "writer/leader_bytes.hpp"
#include "writer/output.hpp"

namespace marc {

enum class JsonStyle : std::uint32_t {
  Pymarc = MARC_JSON_PYMARC,
  CompactAscii = MARC_JSON_COMPACT_ASCII,
  Compact = MARC_JSON_COMPACT,
};

// Appends the record, without a line end. `leader`: what is written as its leader.
void write_json(Output &out, const LeaderBytes &leader, const RecordView &record, JsonStyle style);

// All records of a batch; rejected pieces are absent.
Text batch_json(const Batch &batch, JsonStyle style);

} // namespace marc
