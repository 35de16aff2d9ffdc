// Writes records as ISO 2709 (see writer/layout.hpp).
// SPDX-License-Identifier: MIT
#pragma once

#include "encoding/marc8_encode.hpp"
#include "error.hpp"
#include "record_view.hpp"
#include "writer/contents.hpp"
#include "writer/layout.hpp"
#include "writer/leader_bytes.hpp"
#include "writer/output.hpp"

#include <cstdint>

namespace marc {

enum class Iso2709Encoding : std::uint32_t { Utf8 = MARC_ENCODING_UTF8, Marc8 = MARC_ENCODING_MARC8 };

// Keeps its memory from one record to the next.
class Iso2709Writer {
public:
  explicit Iso2709Writer(const Iso2709Options &options, Iso2709Encoding encoding = Iso2709Encoding::Utf8,
                         Unmappable unmappable = Unmappable::Error)
      : options_(options), encoding_(encoding), encoder_(unmappable) {}

  // Appends a record, whose text is UTF-8. Leader/09 says what is written. One that is canonical is copied. Nothing is
  // appended where it fails: MARC_E_TOO_LARGE, MARC_E_UNWRITABLE, MARC_E_UNMAPPABLE.
  Failure write(Output &out, const RecordView &record);

  // Characters that MARC-8 does not have, and something else stands for, in all that was written.
  std::uint64_t replaced() const { return replaced_; }

private:
  Failure write_marc8(Output &out, const LeaderBytes &leader);
  Failure write_contents(Output &out, const LeaderBytes &leader, const Contents &contents);
  Failure write_fields(Output &out, const LeaderBytes &leader, const Iso2709Fields &fields) const;
  Failure write_parts(Output &out, const LeaderBytes &leader, const Iso2709Fields &fields);

  Iso2709Options options_;
  Iso2709Encoding encoding_;
  Marc8Encoder encoder_;
  Contents contents_;
  Contents part_; // of a record that is split
  // In MARC-8.
  Contents encoded_;
  Output field_;
  Marc8Findings findings_;
  std::uint64_t replaced_ = 0;
};

} // namespace marc
