// What the best reading makes of a damaged piece, and what it should: the fields that the damage was done to.
// SPDX-License-Identifier: MIT
#pragma once

#include "batches.hpp"
#include "make.hpp"
#include "parser.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace test {

struct Reading {
  std::int32_t status = MARC_OK;
  std::uint32_t flags = 0;
  std::vector<Field> fields;
  std::vector<marc_note> notes; // offsets count from the piece
  std::string text;             // all of it, in words

  bool has_note(std::int32_t code) const {
    return std::any_of(notes.begin(), notes.end(), [code](const marc_note &note) { return note.code == code; });
  }
};

// Reads the piece as a chunk; `before` other bytes stand before it in the batch.
inline Reading read_chunk(std::string_view piece, marc::Reading reading = marc::Reading::Best,
                          marc::Surroundings around = marc::Surroundings::Last, std::size_t before = 0) {
  OpenBatch open(std::string(before, '\x1e') + std::string(piece));
  marc::Batch &batch = open.batch;
  marc::parse_chunk(batch, before, piece.size(), around, reading);
  Reading read{batch.record_status[0], batch.record_flags[0], {}, {}, piece_text(batch, 0)};
  const marc::RecordView view(batch, 0);
  for (std::size_t i = 0; i < view.field_count(); ++i) {
    const marc::Bytes bytes = view.field(i).bytes();
    read.fields.push_back({tag_text(view.field(i).tag()), text_of(bytes.data(), bytes.size())});
  }
  for (std::size_t i = 0; i < batch.notes.size(); ++i) {
    read.notes.push_back(batch.notes[i]);
    read.notes.back().offset -= static_cast<std::uint32_t>(before);
  }
  return read;
}

// "" if these fields were read from a repaired record, else what is different. A '?' in an expected tag is any character.
inline std::string problem_with_fields(const std::vector<Field> &expected, const Reading &read) {
  if (read.status != MARC_OK) return "rejected: " + read.text;
  if ((read.flags & MARC_REC_REPAIRED) == 0 || read.notes.empty()) return "looks like a sound one: " + read.text;
  const auto is_tag = [](char want, char is) { return want == '?' || want == is; };
  for (std::size_t i = 0; i < std::max(expected.size(), read.fields.size()); ++i) {
    const Field want = i < expected.size() ? expected[i] : Field{"no", "field"};
    const Field is = i < read.fields.size() ? read.fields[i] : Field{"no", "field"};
    if (want.body != is.body || !std::equal(want.tag.begin(), want.tag.end(), is.tag.begin(), is.tag.end(), is_tag))
      return "field " + std::to_string(i) + ": expected " + want.tag + " [" + want.body + "], got " + is.tag + " [" +
             is.body + "] in " + read.text;
  }
  return "";
}

// `text` without `count` bytes at `at`, and with more bytes there.
inline std::string without(const std::string &text, std::size_t at, std::size_t count = 1) {
  return text.substr(0, at) + text.substr(at + count);
}
inline std::string with_more(const std::string &text, std::size_t at, std::string_view bytes) {
  return text.substr(0, at) + std::string(bytes) + text.substr(at);
}

// The parts of a record that record() has made.
struct Layout {
  std::vector<Field> fields;
  std::string text = record(fields);
  std::size_t base = text.find('\x1e') + 1;

  std::size_t entry(std::size_t field) const { return 24 + field * 12; }
  std::size_t begin(std::size_t field) const {
    std::size_t at = base;
    for (std::size_t i = 0; i < field; ++i) at += fields[i].body.size() + 1;
    return at;
  }
  std::size_t end(std::size_t field) const { return begin(field) + fields[field].body.size(); } // its terminator
};

} // namespace test
