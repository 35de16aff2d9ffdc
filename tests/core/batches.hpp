// Batches for tests, and what they hold in words.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "directory.hpp"
#include "error.hpp"
#include "make.hpp"
#include "parser.hpp"
#include "record_view.hpp"
#include "scanner.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace test {

// A batch that lies over a copy of the bytes and has no pieces yet.
class OpenBatch {
public:
  explicit OpenBatch(std::string_view text) : bytes_(text) {
    batch.clear();
    batch.data = bytes_.data();
    batch.length = bytes_.size();
  }

  // A field without an index of its subfields.
  void add_field(std::string_view tag, std::size_t offset, std::size_t length) {
    batch.field_tag.push(marc::pack_tag(bytes_of(tag)));
    batch.field_offset.push(static_cast<std::uint32_t>(offset));
    batch.field_length.push(static_cast<std::uint32_t>(length));
  }

  // The piece at `start`, as the pipeline adds it: sound if the scanner says so. Returns its length.
  std::size_t add_piece(std::size_t start, bool is_last = true, marc::Reading reading = marc::Reading::Pymarc,
                        marc::TextMode mode = marc::TextMode::ByLeader) {
    marc::Scanner scanner(std::size_t{64} << 20);
    const marc::Piece piece = scanner.next(batch.data + start, batch.length - start, true);
    if (piece.kind == marc::PieceKind::Record)
      marc::parse_sound(batch, start, piece.length, scanner.leader(), scanner.directory(), reading, mode);
    else
      marc::parse_chunk(batch, start, piece.length,
                        is_last ? marc::Surroundings::Last : marc::Surroundings::BytesFollow, reading, mode);
    return piece.length;
  }

  marc::Batch batch;

private:
  Exact bytes_;
};

// A packed tag as text.
inline std::string tag_text(std::uint32_t tag) {
  return {static_cast<char>(tag), static_cast<char>(tag >> 8), static_cast<char>(tag >> 16)};
}

// MARC_REC_... in words.
inline std::string flags_text(std::uint32_t flags) {
  static constexpr const char *kNames[] = {"sound", "splits", "plain", "canonical", "utf8", "nonascii", "noted"};
  std::string words;
  for (std::size_t i = 0; i < 7; ++i)
    if ((flags >> i & 1) != 0) words += (words.empty() ? "" : " ") + std::string(kNames[i]);
  if ((flags & MARC_REC_CONVERTED) != 0) words += " converted";
  return (flags & ~std::uint32_t{MARC_REC_CONVERTED}) >> 7 == 0 ? words : words + " and others";
}

// "FIELD_END 12+1 in 245": a note without MARC_NOTE_ or MARC_.
inline std::string note_text(const marc_note &note) {
  std::string name = marc::code_name(note.code);
  name = name.substr(name.starts_with("MARC_NOTE_") ? 10 : 5);
  return name + " " + std::to_string(note.offset) + "+" + std::to_string(note.length) +
         (note.tag == 0 ? "" : " in " + tag_text(note.tag));
}

// The notes on one piece, separated by "; ".
inline std::string notes_of(const marc::Batch &batch, std::size_t record) {
  std::string words;
  for (std::size_t i = 0; i < batch.notes.size(); ++i)
    if (batch.notes[i].record == record) words += (words.empty() ? "" : "; ") + note_text(batch.notes[i]);
  return words;
}

// "245 [10$aTitle$bRest] a b": a field, its bytes and its subfields' codes with values.
inline std::string field_text(const marc::FieldView &field) {
  std::string words = tag_text(field.tag()) + " [" + text_of(field.bytes().data(), field.bytes().size()) + "]";
  for (std::size_t i = 0; i < field.subfield_count(); ++i)
    words += " (" + text_of(field.subfield(i).data(), field.subfield(i).size()) + ")";
  return words;
}

inline std::vector<std::string> fields_of(const marc::Batch &batch, std::size_t record) {
  const marc::RecordView view(batch, record);
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < view.field_count(); ++i) fields.push_back(field_text(view.field(i)));
  return fields;
}

// All that a batch says of one piece, with offsets that count from the beginning of the piece.
inline std::string piece_text(const marc::Batch &batch, std::size_t record) {
  const marc::RecordView view(batch, record);
  std::string words = marc::code_name(batch.record_status[record]);
  words += " {" + flags_text(batch.record_flags[record]) + "} ";
  for (const std::string &field : fields_of(batch, record)) words += field + " ";
  for (std::size_t i = 0; i < batch.notes.size(); ++i) {
    marc_note note = batch.notes[i];
    if (note.record != record) continue;
    note.offset -= batch.record_start[record];
    words += "! " + note_text(note) + " ";
  }
  return words + "= " + text_of(view.bytes().data(), view.bytes().size());
}

} // namespace test
