// Writes records as ISO 2709 (see writer/layout.hpp).
// SPDX-License-Identifier: MIT
#pragma once

#include "error.hpp"
#include "record_view.hpp"
#include "writer/contents.hpp"
#include "writer/layout.hpp"
#include "writer/leader_bytes.hpp"
#include "writer/output.hpp"

namespace marc {

// Keeps its memory from one record to the next.
class Iso2709Writer {
public:
  explicit Iso2709Writer(const Iso2709Options &options) : options_(options) {}

  // Appends a record, whose text is UTF-8; leader/09 becomes 'a'. One that is canonical is copied. Nothing is appended where
  // it fails: MARC_E_TOO_LARGE, MARC_E_UNWRITABLE.
  Failure write(Output &out, const RecordView &record);

private:
  Failure write_fields(Output &out, const LeaderBytes &leader, const Iso2709Fields &fields) const;
  Failure write_parts(Output &out, const LeaderBytes &leader, const Iso2709Fields &fields);

  Iso2709Options options_;
  Contents contents_;
  Contents part_; // of a record that is split
};

} // namespace marc
