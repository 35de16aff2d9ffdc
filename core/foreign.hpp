// Inputs that begin as something else than MARC in ISO 2709: files that were compressed or are in another format.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace marc {

// What the beginning of an input that is no record looks like: the MARC_BAD_... of a format, or 0 for none of them.
std::int32_t foreign_format(const std::uint8_t *data, std::size_t size);

// Whether more bytes could make it one, of an input that is no record because of a delimiter in it: only gzip has one in
// its first bytes.
bool may_be_foreign(const std::uint8_t *data, std::size_t size);

// As many bytes are enough for foreign_format to tell.
constexpr std::size_t kForeignBytes = 24;

// Whether 0x1D means nothing in this format.
bool is_binary_format(std::int32_t code);

} // namespace marc
