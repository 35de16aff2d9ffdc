// What the fields of plain records say, for readers that make an object of every field: each of these is one text for
// a whole batch. A record that is not plain (MARC_REC_PLAIN), or whose text is not UTF-8 as it stands, is absent.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "text.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace marc {

// The value of every field, as pymarc's Field.value(), separated by 0x1E: its subfields, each without white space around
// it, joined by a blank; of a control field its data.
Text batch_values(const Batch &batch);

// The fields with one of these packed tags, separated by 0x1E: three bytes of tag, then the content.
Text batch_fields(const Batch &batch, std::span<const std::uint32_t> tags);

// All subfields: their codes, a byte each; 0x1E; their values, separated by 0x1F; then for each control field 0x1E and
// its data.
Text batch_subfields(const Batch &batch);

// The shape of a field is its tag, its indicators (where it is no control field) and the number of its subfields. There
// are some hundred in a batch. Writes the number of its shape for every field of plain records without notes, 0 for those
// of others. The entries of the text are the shapes.
Text batch_shapes(const Batch &batch, std::uint32_t *shape_of_field);

} // namespace marc
