// Makes a record out of fields: a batch of one record, in UTF-8, that goes wherever a record that was read goes.
// SPDX-License-Identifier: MIT
#pragma once

#include "error.hpp"
#include "record_view.hpp"
#include "writer/contents.hpp"
#include "writer/leader_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace marc {

// What it is given must be UTF-8 without delimiters; what is copied from a record is copied as it is. Where a call fails,
// nothing has changed.
class Builder {
public:
  Builder();

  // 24 bytes of ASCII. Length, base address, /09 ('a'), indicator and code counts and entry map are set by finish().
  Failure set_leader(Bytes leader);
  // The leader of a record that was read, whatever its state.
  void copy_leader(const RecordView &record) { leader_ = stored_leader_of(record); }

  // `tag`: three bytes of ASCII, of a control field.
  Failure add_control(Bytes tag, Bytes data);
  // `tag`: three bytes of ASCII, of a data field. Indicators are of ASCII.
  Failure add_data(Bytes tag, std::uint8_t first, std::uint8_t second);
  // To the last field, which must be a data field. `code` is of ASCII.
  Failure add_subfield(std::uint8_t code, Bytes value);
  // `count` fields of a record whose text is UTF-8, from number `first` on.
  void copy_fields(const RecordView &record, std::size_t first, std::size_t count);

  // The record; NULL and a failure if it has more than 2 GiB. The builder is as new then.
  std::unique_ptr<Batch> finish(Failure &failure);

private:
  LeaderBytes leader_;
  Contents contents_;
  std::uint32_t last_tag_ = 0; // of the last field; 0 before the first
};

} // namespace marc
