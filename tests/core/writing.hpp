// What writers make of the records of a text of pieces.
// SPDX-License-Identifier: MIT
#pragma once

#include "batches.hpp"
#include "make.hpp"
#include "record_view.hpp"
#include "writer/leader_bytes.hpp"
#include "writer/output.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace test {

inline std::string text_of(const marc::Output &out) { return text_of(out.data(), out.size()); }

// Calls write(out, leader, record) for the first record of the bytes. Nothing may be read behind them.
template <typename Write>
std::string written(std::string_view bytes, Write write, marc::Reading reading = marc::Reading::Pymarc) {
  OpenBatch open(bytes);
  open.add_piece(0, true, reading);
  marc::Output out;
  write(out, marc::leader_of(marc::RecordView(open.batch, 0)), marc::text_view(open.batch, 0));
  return text_of(out);
}

} // namespace test
