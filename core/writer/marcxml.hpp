// Records as MARCXML, always well-formed: characters that XML 1.0 cannot hold (C0 but TAB, LF, CR; U+FFFE, U+FFFF) become
// U+FFFD, and are counted.
// SPDX-License-Identifier: MIT
#pragma once

#include "record_view.hpp"
#include "text.hpp"
#include "writer/leader_bytes.hpp"
#include "writer/output.hpp"

#include <cstdint>

namespace marc {

enum class XmlStyle : std::uint32_t {
  Pymarc = MARC_XML_PYMARC,
  PymarcNamespace = MARC_XML_PYMARC_NAMESPACE,
  Utf8 = MARC_XML_UTF8,
  PymarcUtf8 = MARC_XML_PYMARC_UTF8,
};

// Appends the record element, without a line end. `leader`: what is written as its leader. Returns how many characters
// were replaced.
std::uint64_t write_marcxml(Output &out, const LeaderBytes &leader, const RecordView &record, XmlStyle style);

// All records of a batch; rejected pieces are absent.
Text batch_marcxml(const Batch &batch, XmlStyle style);

} // namespace marc
