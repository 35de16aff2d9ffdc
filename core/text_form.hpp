// The text form of a record: the same record in UTF-8, laid out as pymarc's as_marc() writes it.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "encoding/detect.hpp"
#include "encoding/marc8_decode.hpp"
#include "field_rules.hpp"

#include <cstddef>
#include <cstdint>

namespace marc {

struct TextRule {
  Encoding encoding = Encoding::Marc8; // of the subfields. Utf8: what is none becomes U+FFFD
  Marc8Rule rule = Marc8Rule::Pymarc;  // Pymarc: control fields are Latin-1, whatever the subfields are
  Widths widths;                       // of the fields
};

// Whether the fields that were added since the last whole record hold only bytes that MARC-8 and UTF-8 give the same
// characters: none above 0x7E, no control characters and, `with_references`, no &#x.
bool is_plain_ascii(const Batch &batch, bool with_references);

// Adds the text form of the last record, flags and notes of the conversion. Returns MARC_OK, or the MARC_BAD_... for which
// the record is to be rejected: then nothing but the last note was added, which says where.
std::int32_t add_text_form(Batch &batch, const TextRule &rule);

// Whether pymarc can convert field number `field` of the batch, which has been checked, from MARC-8. Returns MARC_OK, or
// MARC_BAD_ESCAPE with its note: a subfield that ends within an escape sequence.
std::int32_t check_escapes(Batch &batch, std::size_t field);

} // namespace marc
