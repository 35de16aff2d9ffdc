// Codes: their names and meanings. The code lists themselves stand in marc.h, which is their one source.
// SPDX-License-Identifier: MIT
#pragma once

#include <marc/marc.h>

#include <cstdint>
#include <string>

namespace marc {

// Why a call could not do its work. `code` is MARC_OK, MARC_END or one of MARC_E_...; bad data is never one.
struct Failure {
  std::int32_t code = MARC_OK;
  std::int64_t detail = 0; // errno, the value of a callback, or the XML parser's number
  std::string message;     // "" stands for the message of the code
  std::uint32_t tag = 0;   // of the field concerned, packed; 0 if none
  std::int64_t line = 0;   // of the place in a text, from 1; 0: none
  std::int64_t column = 0; // from 1

  explicit operator bool() const { return code < 0; }
};

// Static, never NULL: "Invalid record length ..." and "MARC_BAD_LENGTH". Unknown codes: "unknown code" and "".
const char *code_message(std::int32_t code);
const char *code_name(std::int32_t code);

} // namespace marc
