// What holds for every batch, whatever the input: the promises of marc.h, checked from outside and in the plainest way.
// SPDX-License-Identifier: MIT
#pragma once

#include "fuzzing.hpp"

#include "../core/make.hpp"
#include "directory.hpp"
#include "field_rules.hpp"
#include "utf8.hpp"

#include <marc/marc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

struct Release {
  void operator()(marc_batch *batch) const { marc_batch_release(batch); }
};
using Batch = std::unique_ptr<marc_batch, Release>;

inline marc_batch_view view_of(const marc_batch *batch) {
  marc_batch_view view{};
  view.struct_size = sizeof view;
  marc_batch_get_view(batch, &view);
  return view;
}

inline std::string_view bytes_of(const marc_batch_view &view, std::size_t offset, std::size_t length) {
  return {reinterpret_cast<const char *>(view.data) + offset, length};
}
inline std::string_view piece_of(const marc_batch_view &view, std::uint32_t record) {
  return bytes_of(view, view.record_start[record], view.record_length[record]);
}
inline std::string_view field_of(const marc_batch_view &view, std::uint32_t field) {
  return bytes_of(view, view.field_offset[field], view.field_length[field]);
}

inline bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}
inline bool has(std::uint32_t flags, std::uint32_t flag) { return (flags & flag) != 0; }

// ---- What a batch says of one piece, in a form that can be compared: offsets count from the piece

struct Piece {
  std::uint64_t index = 0;
  std::uint64_t offset = 0; // in the source
  std::uint32_t length = 0;
  std::int32_t status = MARC_OK;
  std::uint32_t flags = 0;
  std::vector<std::uint32_t> fields;    // tag, offset, length, number of subfields
  std::vector<std::uint32_t> subfields; // offset, length
  std::vector<std::uint32_t> notes;     // code, offset, length, tag

  bool operator==(const Piece &) const = default;
  // Whether it says the same of the bytes, wherever they stand.
  bool reads_as(const Piece &other) const {
    return length == other.length && status == other.status && flags == other.flags && fields == other.fields &&
           subfields == other.subfields && notes == other.notes;
  }
};

inline std::string text_of(const Piece &piece) {
  std::string text = "number " + std::to_string(piece.index) + " at " + std::to_string(piece.offset) + "+" +
                     std::to_string(piece.length) + " " + marc_code_name(piece.status) + " flags " +
                     std::to_string(piece.flags);
  for (const auto &[name, numbers] :
       {std::pair{" fields", &piece.fields}, {" subfields", &piece.subfields}, {" notes", &piece.notes}}) {
    text += name;
    for (const std::uint32_t number : *numbers) text += ' ' + std::to_string(number);
  }
  return text;
}

// All pieces of a batch.
inline void add_pieces(const marc_batch_view &view, std::vector<Piece> &pieces) {
  std::uint32_t note = 0;
  for (std::uint32_t i = 0; i < view.record_count; ++i) {
    const std::uint32_t start = view.record_start[i];
    Piece piece;
    piece.index = view.first_index + i;
    piece.offset = view.source_offset + start;
    piece.length = view.record_length[i];
    piece.status = view.record_status[i];
    piece.flags = view.record_flags[i];
    for (std::uint32_t j = view.field_first[i]; j < view.field_first[i + 1]; ++j) {
      const std::uint32_t first = view.subfield_first[j];
      const std::uint32_t last = view.subfield_first[j + 1];
      piece.fields.insert(piece.fields.end(),
                          {view.field_tag[j], view.field_offset[j] - start, view.field_length[j], last - first});
      for (std::uint32_t k = first; k < last; ++k)
        piece.subfields.insert(piece.subfields.end(), {view.subfield_offset[k] - start, view.subfield_length[k]});
    }
    for (; note < view.note_count && view.notes[note].record == i; ++note) {
      const marc_note &n = view.notes[note];
      piece.notes.insert(piece.notes.end(), {static_cast<std::uint32_t>(n.code), n.offset - start, n.length, n.tag});
    }
    pieces.push_back(std::move(piece));
  }
}

// ---- The promises

// A batch and its place in the input, under one parse mode.
class BatchCheck {
public:
  BatchCheck(const marc_batch *batch, std::uint32_t parse_mode)
      : batch_(batch), view_(view_of(batch)), best_(parse_mode == MARC_PARSE_BEST) {}

  void run() {
    check_batch();
    for (std::uint32_t i = 0; i < view_.record_count; ++i) check_piece(i);
    require(next_note_ == view_.note_count, "notes are not ordered by record");
    check_titles();
  }

private:
  void check_batch() const {
    require(view_.field_first[0] == 0 && view_.subfield_first[0] == 0, "the first field or subfield is not number 0");
    require(view_.field_first[view_.record_count] == view_.field_count, "fields without a record");
    require(view_.subfield_first[view_.field_count] == view_.subfield_count, "subfields without a field");
    require(marc_batch_record_count(batch_) == view_.record_count, "marc_batch_record_count");
    std::uint64_t at = 0;
    std::uint64_t silent = 0;
    std::uint32_t all = ~std::uint32_t{0};
    std::uint32_t rejected = 0;
    for (std::uint32_t i = 0; i < view_.record_count; ++i) {
      require(view_.record_start[i] >= at, "pieces overlap or are out of order");
      require(view_.record_length[i] > 0, "an empty piece");
      silent += view_.record_start[i] - at;
      at = std::uint64_t{view_.record_start[i]} + view_.record_length[i];
      all &= view_.record_flags[i];
      rejected += view_.record_status[i] == MARC_OK ? 0 : 1;
    }
    require(at <= view_.data_length, "a piece behind the end of the data");
    require(view_.silent_bytes == silent + view_.data_length - at, "silent_bytes");
    require(view_.all_flags == all, "all_flags");
    require(view_.rejected_count == rejected, "rejected_count");
  }

  void check_piece(std::uint32_t record) {
    const std::int32_t status = view_.record_status[record];
    require(status == MARC_OK || (status <= MARC_BAD_LENGTH && *marc_code_name(status) != '\0'), "an unknown status");
    require(marc_batch_record_status(batch_, record) == status, "marc_batch_record_status");
    require(marc_batch_record_flags(batch_, record) == view_.record_flags[record], "marc_batch_record_flags");
    require(marc_batch_record_offset(batch_, record) == view_.source_offset + view_.record_start[record],
            "marc_batch_record_offset");
    require(view_.field_first[record] <= view_.field_first[record + 1], "field_first goes back");
    require(marc_batch_field_count(batch_, record) == view_.field_first[record + 1] - view_.field_first[record],
            "marc_batch_field_count");
    const std::uint32_t first_note = next_note_;
    while (next_note_ < view_.note_count && view_.notes[next_note_].record == record)
      check_note(record, view_.notes[next_note_++]);
    if (status == MARC_OK)
      check_delivered(record, first_note);
    else
      check_rejected(record, first_note);
  }

  // How often a note with this code stands on the piece whose notes begin here.
  std::uint32_t notes_with(std::int32_t code, std::uint32_t first_note) const {
    return static_cast<std::uint32_t>(std::count_if(view_.notes + first_note, view_.notes + next_note_,
                                                    [code](const marc_note &note) { return note.code == code; }));
  }

  void check_note(std::uint32_t record, const marc_note &note) const {
    const std::uint64_t begin = view_.record_start[record];
    require(note.offset >= begin && std::uint64_t{note.offset} + note.length <= begin + view_.record_length[record],
            "a note outside its piece");
    require(*marc_code_name(note.code) != '\0', "a note with an unknown code");
    require(note.tag >> 24 == 0, "a note with a tag of four bytes");
    if (view_.record_status[record] == MARC_OK) {
      require(note.code >= MARC_NOTE_FRAMING, "a delivered record with the note of a rejected one");
      const bool of_text = note.code >= MARC_NOTE_UNMAPPED && note.code <= MARC_NOTE_UTF8;
      require(best_ || note.code < MARC_NOTE_TEXT || of_text, "a repair that was not asked for");
    }
  }

  void check_rejected(std::uint32_t record, std::uint32_t first_note) const {
    require(view_.field_first[record] == view_.field_first[record + 1], "a rejected piece with fields");
    require(first_note < next_note_, "a rejected piece without a note");
    require(view_.notes[next_note_ - 1].code == view_.record_status[record], "a rejected piece without its reason");
    require((view_.record_flags[record] & ~std::uint32_t{MARC_REC_SOUND}) == 0, "a rejected piece with flags");
  }

  void check_delivered(std::uint32_t record, std::uint32_t first_note) const {
    const std::uint32_t flags = view_.record_flags[record];
    const bool noted = first_note < next_note_;
    require(has(flags, MARC_REC_NOTED) == noted, "MARC_REC_NOTED");
    require(has(flags, MARC_REC_SOUND) || noted, "a record that looks like a sound one");
    require(best_ || !has(flags, MARC_REC_REPAIRED | MARC_REC_INDICATORS | MARC_REC_CODES),
            "a flag of the other parse mode");
    require(!has(flags, MARC_REC_REPAIRED) || noted, "a repaired record without a note");
    require(!has(flags, MARC_REC_SPLITS) || has(flags, MARC_REC_SOUND), "SPLITS without SOUND");
    require(!has(flags, MARC_REC_PLAIN) || has(flags, MARC_REC_SPLITS), "PLAIN without SPLITS");
    require(!has(flags, MARC_REC_CANONICAL) || has(flags, MARC_REC_PLAIN), "CANONICAL without PLAIN");
    if (has(flags, MARC_REC_SOUND))
      require(has(flags, MARC_REC_UTF8) == (piece_of(view_, record)[9] == 'a'), "MARC_REC_UTF8");
    std::uint64_t bytes = 0;
    bool nonascii = false;
    for (std::uint32_t j = view_.field_first[record]; j < view_.field_first[record + 1]; ++j) {
      check_field(record, j);
      const std::string_view field = field_of(view_, j);
      bytes += field.size();
      nonascii |= !is_ascii(field) || (!has(flags, MARC_REC_UTF8) && field.find('\x1b') != std::string_view::npos);
    }
    require(bytes <= 32 * std::uint64_t{view_.record_length[record]}, "fields that have more than 32 times the bytes");
    require(has(flags, MARC_REC_NONASCII) == nonascii, "MARC_REC_NONASCII");
    check_field_notes(record, first_note);
    if (has(flags, MARC_REC_SPLITS)) check_splits(record);
    if (has(flags, MARC_REC_PLAIN)) check_plain(record);
    if (has(flags, MARC_REC_CANONICAL)) check_canonical(record);
  }

  // What deviates in the fields is noted, field by field, and nothing else is.
  void check_field_notes(std::uint32_t record, std::uint32_t first_note) const {
    const std::uint32_t flags = view_.record_flags[record];
    // The best reading finds out what the text is, and says so where leader/09 is not true.
    const bool other = notes_with(MARC_NOTE_MARC8, first_note) + notes_with(MARC_NOTE_LATIN1, first_note) > 0;
    const bool utf8 = has(flags, MARC_REC_UTF8) && !other;
    const bool perhaps_utf8 = notes_with(MARC_NOTE_UTF8, first_note) > 0;
    // What salvage gives up is read as pymarc reads it.
    const bool best = best_ && (has(flags, MARC_REC_SOUND) || has(flags, MARC_REC_REPAIRED));
    std::map<std::int32_t, std::size_t> expected;
    bool open_end = false;
    bool ascii_indicators = true;
    for (std::uint32_t j = view_.field_first[record]; j < view_.field_first[record + 1]; ++j) {
      const std::string_view field = field_of(view_, j);
      const std::size_t end = std::size_t{view_.field_offset[j]} + field.size();
      open_end |= end < view_.record_start[record] + view_.record_length[record] && view_.data[end] != 0x1E &&
                  view_.data[end] != 0x1D;
      if (field.find_first_of("\x1d\x1e") != std::string_view::npos) ++expected[MARC_NOTE_INNER_TERMINATOR];
      if (best && utf8 && !marc::is_utf8(test::bytes_of(field), field.size())) ++expected[MARC_NOTE_TEXT];
      if (marc::is_control_tag(view_.field_tag[j])) continue;
      const std::size_t mark = std::min(field.find('\x1f'), field.size());
      ascii_indicators &= is_ascii(field.substr(0, mark));
      if (mark != 2)
        ++expected[mark == 0   ? MARC_NOTE_INDICATORS_MISSING
                   : mark == 1 ? MARC_NOTE_INDICATOR_ONE
                               : MARC_NOTE_INDICATORS_MANY];
      std::size_t empty = 0;
      std::size_t high_codes = 0;
      for (std::size_t at = mark; at < field.size(); at = std::min(field.find('\x1f', at + 1), field.size())) {
        if (at + 1 == field.size() || field[at + 1] == '\x1f')
          ++empty;
        else if (!is_ascii(field.substr(at + 1, 1)))
          ++high_codes;
      }
      // Of empty subfields so many, and of the codes that only the best reading notes for nothing else.
      expected[MARC_NOTE_SUBFIELD_EMPTY] += std::min(empty, marc::kMostNotes);
      expected[MARC_NOTE_SUBFIELD_CODE] += best ? std::min(high_codes, marc::kMostNotes) : high_codes;
    }
    std::uint32_t ends = 0;
    for (const std::int32_t code : {MARC_NOTE_FIELD_END, MARC_NOTE_FIELD_RANGE, MARC_NOTE_RECORD_END})
      ends += notes_with(code, first_note);
    require(!open_end || ends > 0, "a field without its end, and no note says so");
    // The best reading counts the characters of indicators, and may believe leader/10-11.
    const bool usual = !best_ || (ascii_indicators && flags < 2 * MARC_REC_REPAIRED);
    for (std::int32_t code = MARC_NOTE_INNER_TERMINATOR; code <= MARC_NOTE_TEXT; ++code) {
      const bool of_indicators = code >= MARC_NOTE_INDICATORS_MISSING && code <= MARC_NOTE_INDICATORS_MANY;
      if (code == MARC_NOTE_TEXT && perhaps_utf8) continue;
      if (usual || !of_indicators)
        require(notes_with(code, first_note) == expected[code],
                "notes that the fields do not deserve, or the other way");
    }
  }

  void check_field(std::uint32_t record, std::uint32_t field) const {
    const std::uint64_t begin = view_.record_start[record];
    const std::uint64_t offset = view_.field_offset[field];
    require(offset >= begin && offset + view_.field_length[field] <= begin + view_.record_length[record],
            "a field outside its record");
    require(view_.field_tag[field] >> 24 == 0, "a tag of four bytes");
    require(view_.subfield_first[field] <= view_.subfield_first[field + 1], "subfield_first goes back");
    char tag[4] = "";
    std::size_t length = 0;
    const std::uint32_t number = field - view_.field_first[record];
    require(marc_batch_field(batch_, record, number, tag, &length) == view_.data + offset &&
                length == view_.field_length[field],
            "marc_batch_field");
    require(marc_batch_subfield_count(batch_, record, number) ==
                view_.subfield_first[field + 1] - view_.subfield_first[field],
            "marc_batch_subfield_count");
    check_subfields(record, field);
  }

  // They are what stands between one 0x1F and the next; control fields have none, and empty ones are left out.
  void check_subfields(std::uint32_t record, std::uint32_t field) const {
    const std::string_view bytes = field_of(view_, field);
    const std::size_t base = view_.field_offset[field];
    std::uint32_t next = view_.subfield_first[field];
    const std::uint32_t last = view_.subfield_first[field + 1];
    std::size_t mark = marc::is_control_tag(view_.field_tag[field]) ? bytes.npos : bytes.find('\x1f');
    while (mark != bytes.npos) {
      const std::size_t end = bytes.find('\x1f', mark + 1);
      const std::size_t length = std::min(end, bytes.size()) - mark - 1;
      if (length > 0) {
        require(next < last && view_.subfield_offset[next] == base + mark + 1 && view_.subfield_length[next] == length,
                "a subfield is not where its 0x1F is");
        if (next++ == view_.subfield_first[field]) check_first_subfield(record, field);
      }
      mark = end;
    }
    require(next == last, "a subfield without an 0x1F");
  }

  void check_first_subfield(std::uint32_t record, std::uint32_t field) const {
    const std::uint32_t first = view_.subfield_first[field];
    const std::uint8_t *code_at = view_.data + view_.subfield_offset[first];
    std::uint8_t code = 0;
    std::size_t length = 0;
    const std::uint8_t *value =
        marc_batch_subfield(batch_, record, field - view_.field_first[record], 0, &code, &length);
    require(value == code_at + 1 && code == *code_at && length + 1 == view_.subfield_length[first],
            "marc_batch_subfield");
  }

  // Splitting at 0x1E what stands behind the base address gives the fields, and then the 0x1D.
  void check_splits(std::uint32_t record) const {
    const std::string_view bytes = piece_of(view_, record);
    require(marc::entry_map(test::bytes_of(bytes)).is_marc21(), "SPLITS with another entry map");
    std::size_t at = std::stoul(std::string(bytes.substr(12, 5)));
    for (std::uint32_t j = view_.field_first[record]; j < view_.field_first[record + 1]; ++j) {
      const std::size_t end = std::min(bytes.find('\x1e', at), bytes.size());
      require(bytes.substr(at, end - at).data() == field_of(view_, j).data() && end - at == view_.field_length[j],
              "splitting at 0x1E does not give the fields");
      require(field_of(view_, j).find('\x1d') == std::string_view::npos, "SPLITS with an inner 0x1D");
      at = end + 1;
    }
    require(at + 1 == bytes.size() && bytes[at] == '\x1d', "bytes behind the last field");
  }

  void check_plain(std::uint32_t record) const {
    for (std::uint32_t j = view_.field_first[record]; j < view_.field_first[record + 1]; ++j) {
      if (marc::is_control_tag(view_.field_tag[j])) continue;
      const std::string_view field = field_of(view_, j);
      const std::size_t indicators = std::min(field.find('\x1f'), field.size());
      require(indicators == 2 && is_ascii(field.substr(0, 2)), "PLAIN without two ASCII indicators");
      for (std::uint32_t k = view_.subfield_first[j]; k < view_.subfield_first[j + 1]; ++k)
        require(view_.data[view_.subfield_offset[k]] < 0x80, "PLAIN with a code above 0x7F");
    }
  }

  // Indicators and subfields, written as ISO 2709 has it, are the record.
  void check_canonical(std::uint32_t record) const {
    const std::string_view bytes = piece_of(view_, record);
    std::vector<test::Field> fields;
    for (std::uint32_t j = view_.field_first[record]; j < view_.field_first[record + 1]; ++j) {
      const std::string_view field = field_of(view_, j);
      const std::uint32_t tag = view_.field_tag[j];
      std::string body(marc::is_control_tag(tag) ? field : field.substr(0, 2));
      for (std::uint32_t k = view_.subfield_first[j]; k < view_.subfield_first[j + 1]; ++k)
        body += '\x1f' + std::string(bytes_of(view_, view_.subfield_offset[k], view_.subfield_length[k]));
      fields.push_back({{static_cast<char>(tag), static_cast<char>(tag >> 8), static_cast<char>(tag >> 16)}, body});
    }
    test::Form form;
    form.head = bytes.substr(5, 7);
    form.middle = bytes.substr(17, 3);
    const std::string written = test::with(test::record(fields, form), 20, bytes.substr(20, 4));
    require(bytes[9] == 'a' && written == bytes, "CANONICAL, and the fields give other bytes");
    require(marc::is_utf8(test::bytes_of(bytes), bytes.size()), "CANONICAL, and not UTF-8");
  }

  void check_titles() const {
    marc_text *made = nullptr;
    require(marc_batch_titles(batch_, &made, nullptr) == MARC_OK, "marc_batch_titles");
    const std::unique_ptr<marc_text, void (*)(marc_text *)> text(made, marc_text_free);
    marc_text_view titles{};
    titles.struct_size = sizeof titles;
    marc_text_get_view(text.get(), &titles);
    require(titles.count == view_.record_count, "a title for each record");
    require(titles.start[0] == 0 && titles.start[titles.count] == titles.data_length, "titles that do not fill");
    std::uint64_t ends = 0;
    for (std::uint32_t i = 0; i < titles.count; ++i) {
      const std::uint64_t begin = titles.start[i];
      const std::uint64_t end = titles.start[i + 1];
      require(begin < end && end <= titles.data_length && titles.data[end - 1] == 0x1D, "a title without its end");
      require(marc::is_utf8(titles.data + begin, end - 1 - begin), "a title that is not UTF-8");
      const bool absent = end - begin == 2 && titles.data[begin] == 0x1F;
      require(absent || view_.record_status[i] == MARC_OK, "a rejected piece with a title");
      ends += static_cast<std::uint64_t>(std::count(titles.data + begin, titles.data + end, 0x1D));
    }
    require((titles.splits == 1) == (ends == titles.count), "titles.splits");
  }

  const marc_batch *batch_;
  marc_batch_view view_;
  bool best_;
  std::uint32_t next_note_ = 0;
};

// The piece, parsed alone.
inline Batch parse_alone(std::string_view bytes, std::uint32_t place, std::uint32_t parse_mode) {
  marc_reader_options options;
  marc_reader_options_init(&options, sizeof options);
  options.parse_mode = parse_mode;
  marc_batch *batch = nullptr;
  const std::int32_t status = marc_parse_record(test::bytes_of(bytes), bytes.size(), place, &options, &batch, nullptr);
  require(status == MARC_OK, "marc_parse_record failed");
  return Batch(batch);
}

// The one piece that a batch of marc_parse_record holds.
inline Piece only_piece(const Batch &batch) {
  std::vector<Piece> pieces;
  add_pieces(view_of(batch.get()), pieces);
  require(pieces.size() == 1, "not one piece");
  return pieces.front();
}

} // namespace fuzz
