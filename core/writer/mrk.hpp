// Records as lines of MARCMaker (.mrk), a line for each field:
//
//   =LDR  00714cam a2200205 a 4500
//   =001  \\\12883376
//   =245  10$aA title :$bthe rest
//
// Lines end in LF; the record is followed by nothing (writers put an empty line between records). Blanks are `\` in
// indicators and in control fields, and blanks elsewhere.
//
// With mnemonics (MrkStyle::Mnemonics) what would be misread stands in braces, so that every record can be read back:
//
//   {dollar} $    {lcub} {    {rcub} }    {bsol} \    {0xHH} a byte 00 to 1F, or 7F, with two hexadecimal digits (0A to 1F in capitals)
//
// everywhere: in leader, tags, indicators, codes and data. All other characters stand as they are, in UTF-8. The escapes are
// characters of the text: `{0x1F}` in data is U+001F inside a value, and no new subfield.
//
// MrkStyle::Pymarc writes what pymarc's str(record) does, where all this is missing: its lines can be misread.
// SPDX-License-Identifier: MIT
#pragma once

#include "record_view.hpp"
#include "text.hpp"
#include "writer/leader_bytes.hpp"
#include "writer/output.hpp"

#include <cstdint>

namespace marc {

enum class MrkStyle : std::uint32_t {
  Pymarc = MARC_MRK_PYMARC,
  Mnemonics = MARC_MRK_MNEMONICS,
};

// Appends the record. `leader`: what is written as its leader.
void write_mrk(Output &out, const LeaderBytes &leader, const RecordView &record, MrkStyle style);

// All records of a batch; rejected pieces are absent.
Text batch_mrk(const Batch &batch, MrkStyle style);

} // namespace marc
