// SPDX-License-Identifier: MIT
#include "parser.hpp"

#include "bytes.hpp"
#include "field_rules.hpp"
#include "salvage.hpp"
#include "subfields.hpp"
#include "text_form.hpp"
#include "utf8.hpp"
#include "widths.hpp"

#include <algorithm>
#include <bit>

namespace marc {
namespace {

// Adds the fields of a sound record. Returns whether they follow one another from the base address to the end.
bool add_fields(Batch &batch, std::size_t first, std::size_t end, const Directory &directory) {
  const std::size_t count = directory.count();
  count_steps(count);
  batch.field_tag.reserve_more(count);
  batch.field_offset.reserve_more(count);
  batch.field_length.reserve_more(count);
  std::uint32_t *tag = batch.field_tag.end();
  std::uint32_t *offset = batch.field_offset.end();
  std::uint32_t *length = batch.field_length.end();
  std::size_t expected = first;
  bool in_order = true;
  for (const DirectoryEntry &entry : directory) {
    const std::size_t at = first + entry.start;
    in_order &= at == expected;
    expected = at + entry.length;
    *tag++ = entry.tag;
    *offset++ = static_cast<std::uint32_t>(at);
    *length++ = entry.length - 1;
  }
  batch.field_tag.commit(count);
  batch.field_offset.commit(count);
  batch.field_length.commit(count);
  return in_order && expected == end;
}

// Whether the fields, in whatever order, cover their part of the record once. (MARC 21 does not ask for an order.)
bool tiles(const Directory &directory, PodArray<std::uint64_t> &scratch) {
  scratch.clear();
  for (const DirectoryEntry &entry : directory) scratch.push(std::uint64_t{entry.start} << 32 | entry.length);
  count_steps(scratch.size() * (2 + std::bit_width(scratch.size())));
  std::sort(scratch.begin(), scratch.end());
  std::uint64_t expected = 0;
  for (const std::uint64_t field : scratch) {
    if (field >> 32 != expected) return false;
    expected += field & 0xFFFFFFFF;
  }
  return true; // a sound record's last field ends it
}

bool has_ascii_leader(const std::uint8_t *leader) {
  return (block_masks(leader).high | block_masks(leader + kLeaderSize - kBlock).high) == 0;
}

// Whether the fields that were added since the last whole record overlap more than they may.
bool overlap(const Batch &batch, std::size_t length) {
  count_steps(batch.field_tag.size() - batch.field_first[batch.size()]);
  std::uint64_t total = 0;
  for (std::size_t i = batch.field_first[batch.size()]; i < batch.field_tag.size(); ++i) total += batch.field_length[i];
  return total > most_claimed(length);
}

// Checks the fields of a record one by one, in order, as pymarc does.
std::int32_t check_fields(Batch &batch, bool utf8) {
  for (std::size_t i = batch.field_first[batch.size()]; i < batch.field_tag.size(); ++i) {
    const std::int32_t status = check_field(batch, i, utf8);
    if (status != MARC_OK) return status;
  }
  return MARC_OK;
}

// Adds the piece as a rejected one. Of its notes, from `first_note` on, the last says why; the others speak of a record
// that is not delivered.
void add_rejected(Batch &batch, std::size_t start, std::size_t length, std::int32_t status, std::uint32_t flags,
                  std::size_t first_note) {
  const marc_note reason = batch.notes[batch.notes.size() - 1];
  batch.notes.shrink(first_note);
  batch.notes.push(reason);
  batch.drop_open_fields();
  batch.add_record(start, length, status, flags);
}

// Whether the fields that were added since the last whole record hold text beyond ASCII, MARC-8 escapes included.
bool has_nonascii(const Batch &batch, const SubfieldFindings &found, bool utf8) {
  if (found.high || utf8) return found.high;
  for (std::size_t i = batch.field_first[batch.size()]; i < batch.field_tag.size(); ++i) {
    const std::size_t end = std::size_t{batch.field_offset[i]} + batch.field_length[i];
    if (find_byte(batch.data, kEscape, batch.field_offset[i], end) < end) return true;
  }
  return false;
}

// Whether all fields that were added since the last whole record are valid UTF-8.
bool has_utf8_fields(const Batch &batch) {
  for (std::size_t i = batch.field_first[batch.size()]; i < batch.field_tag.size(); ++i)
    if (!is_utf8(batch.data + batch.field_offset[i], batch.field_length[i])) return false;
  return true;
}

// How the text of a record is encoded.
struct TextFound {
  bool says_utf8;    // leader/09 is 'a', or the text shows it where that is lost
  Encoding encoding; // that it is read in
  bool converted;    // its bytes are not that text as it stands
};

// pymarc believes leader/09, or whoever says that all is UTF-8.
TextFound text_as_pymarc(const Batch &batch, bool says_utf8, const SubfieldFindings &found, TextMode mode) {
  const Encoding encoding = says_utf8 || mode != TextMode::ByLeader ? Encoding::Utf8 : Encoding::Marc8;
  return {says_utf8, encoding, encoding == Encoding::Marc8 && (found.high || !is_plain_ascii(batch, false))};
}

// The best reading looks at the text.
TextFound text_as_it_is(const Batch &batch, bool says_utf8, const SubfieldFindings &found, TextMode mode) {
  if (mode == TextMode::Raw) return {says_utf8, Encoding::Utf8, false};
  Evidence evidence;
  for (std::size_t i = batch.field_first[batch.size()]; i < batch.field_tag.size(); ++i)
    evidence.add(batch.data + batch.field_offset[i], batch.field_length[i]);
  const Encoding encoding = mode == TextMode::Utf8 ? Encoding::Utf8 : evidence.judge(says_utf8);
  if (encoding == Encoding::Utf8) return {says_utf8, encoding, says_utf8 ? !evidence.is_valid_utf8() : found.high};
  return {says_utf8, encoding, found.high || !is_plain_ascii(batch, true)};
}

// A note where leader/09 is not true. Returns flags.
std::uint32_t note_encoding(Batch &batch, std::size_t start, const SubfieldFindings &found, const TextFound &text,
                            Reading reading, TextMode mode) {
  if (mode != TextMode::ByLeader) return 0;
  std::int32_t code = MARC_OK;
  if (text.encoding == Encoding::Latin1)
    code = MARC_NOTE_LATIN1;
  else if (text.says_utf8 && text.encoding == Encoding::Marc8)
    code = MARC_NOTE_MARC8;
  else if (!text.says_utf8 && found.high && (text.encoding == Encoding::Utf8 || has_utf8_fields(batch)))
    code = MARC_NOTE_UTF8;
  if (code == MARC_OK) return 0;
  add_note(batch, code, start, 0);
  return reading == Reading::Best && text.says_utf8 ? MARC_REC_REPAIRED : 0; // pymarc would reject the record
}

// How a record is to be delivered, beside its flags.
struct Delivery {
  std::size_t start;
  std::size_t length;
  Reading reading;
  TextMode mode;
  std::size_t first_note;
};

// Adds the record whose fields were added and indexed, with the flags that every record may have besides `flags`, and its
// text form if it needs one.
void add_delivered(Batch &batch, const Delivery &record, std::uint32_t flags, const TextFound &text,
                   const SubfieldFindings &found, const Widths &widths) {
  if (!text.says_utf8 || text.encoding != Encoding::Utf8)
    flags |= note_encoding(batch, record.start, found, text, record.reading, record.mode);
  if (text.says_utf8) flags |= MARC_REC_UTF8;
  if (has_nonascii(batch, found, text.says_utf8)) flags |= MARC_REC_NONASCII;
  if (batch.notes.size() > record.first_note) flags |= MARC_REC_NOTED;
  batch.add_record(record.start, record.length, MARC_OK, flags);
  if (!text.converted) return;
  const auto rule = record.reading == Reading::Best ? Marc8Rule::Best : Marc8Rule::Pymarc;
  const std::int32_t status = add_text_form(batch, {text.encoding, rule, widths});
  if (status == MARC_OK) return;
  const marc_note reason = batch.notes[batch.notes.size() - 1];
  batch.drop_record();
  batch.notes.push(reason);
  add_rejected(batch, record.start, record.length, status, flags & MARC_REC_SOUND, batch.notes.size() - 1);
}

// Adds the piece as the record that pymarc sees in it. `flags`: MARC_REC_SOUND or 0.
void parse_as_pymarc(Batch &batch, std::size_t start, std::size_t length, Surroundings around, std::uint32_t flags,
                     TextMode mode) {
  const std::size_t first_note = batch.notes.size();
  if ((flags & MARC_REC_SOUND) == 0) add_note(batch, MARC_NOTE_FRAMING, start, 0);
  const std::int32_t status = read_as_pymarc(batch, start, length, around, mode);
  if (status != MARC_OK) {
    add_rejected(batch, start, length, status, flags, first_note);
    return;
  }
  const SubfieldFindings found = index_subfields(batch, false, start, start + length);
  const TextFound text = text_as_pymarc(batch, batch.data[start + 9] == 'a', found, mode);
  add_delivered(batch, {start, length, Reading::Pymarc, mode, first_note}, flags, text, found, {});
}

// Notes on the fields that were added since the last whole record, for the best reading. Returns flags.
std::uint32_t note_fields(Batch &batch, bool utf8, const Widths &widths) {
  const std::size_t first_note = batch.notes.size();
  for (std::size_t i = batch.field_first[batch.size()]; i < batch.field_tag.size(); ++i)
    note_field(batch, i, utf8, widths);
  count_steps(batch.notes.size() - first_note);
  std::uint32_t flags = widths.indicators == 2 ? 0 : MARC_REC_INDICATORS;
  if (widths.code != 1) flags |= MARC_REC_CODES;
  for (std::size_t i = first_note; i < batch.notes.size(); ++i)
    if (batch.notes[i].code >= MARC_NOTE_TEXT) flags |= MARC_REC_REPAIRED; // pymarc would reject the record
  return flags;
}

// Adds the piece, repaired. False where nothing can be made of it; nothing was added then.
bool parse_salvaged(Batch &batch, std::size_t start, std::size_t length, TextMode mode) {
  const std::size_t first_note = batch.notes.size();
  const Salvaged salvaged = salvage(batch, start, length);
  if (batch.field_tag.size() == batch.field_first[batch.size()] || overlap(batch, length)) {
    batch.notes.shrink(first_note);
    batch.drop_open_fields();
    return false;
  }
  const SubfieldFindings found = index_subfields(batch, false, start, start + length);
  const Widths widths = find_widths(batch, salvaged.indicators, salvaged.identifier);
  const TextFound text = text_as_it_is(batch, salvaged.utf8, found, mode);
  const bool utf8 = mode != TextMode::Raw && text.encoding == Encoding::Utf8;
  const std::uint32_t flags = MARC_REC_REPAIRED | note_fields(batch, utf8, widths);
  add_delivered(batch, {start, length, Reading::Best, mode, first_note}, flags, text, found, widths);
  return true;
}

// The same for a sound record at data[start] that has these flags so far. Returns all of them.
std::uint32_t note_sound(Batch &batch, std::size_t start, const EntryMap &map, std::uint32_t flags, bool has_empty,
                         bool utf8, const Widths &widths) {
  const std::uint8_t *leader = batch.data + start;
  const std::size_t first_note = batch.notes.size();
  if (!has_ascii_leader(leader)) add_note(batch, MARC_NOTE_LEADER_TEXT, start, kLeaderSize);
  const std::size_t first = batch.field_first[batch.size()];
  for (std::size_t i = first; i < batch.field_tag.size(); ++i) {
    const std::uint32_t tag = batch.field_tag[i];
    const std::size_t entry = start + kLeaderSize + (i - first) * map.width();
    if (!is_ascii_tag(tag)) add_note(batch, MARC_NOTE_ENTRY, entry, map.width(), tag);
  }
  if (batch.notes.size() > first_note) flags |= MARC_REC_REPAIRED;
  if ((flags & MARC_REC_PLAIN) != 0 && !has_empty && widths.is_marc21()) return flags;
  if (!widths.is_marc21()) flags &= ~std::uint32_t{MARC_REC_PLAIN};
  return flags | note_fields(batch, utf8, widths);
}

} // namespace

void parse_sound(Batch &batch, std::size_t start, std::size_t length, const Leader &leader, const Directory &directory,
                 Reading reading, TextMode mode) {
  const std::uint8_t *record = batch.data + start;
  const bool usual = leader.map.is_marc21() && has_ascii_leader(record) && directory.has_ascii_tags();
  if (!usual && reading == Reading::Pymarc) {
    parse_as_pymarc(batch, start, length, Surroundings::BytesFollow, MARC_REC_SOUND, mode);
    return;
  }
  const std::size_t first_note = batch.notes.size();
  const bool in_order = add_fields(batch, start + leader.base, start + length - 1, directory);
  if (!in_order && !tiles(directory, batch.scratch)) {
    add_note(batch, MARC_NOTE_DIRECTORY_EXTENT, start + kLeaderSize, leader.base - kLeaderSize - 1);
    if (overlap(batch, length)) {
      add_note(batch, MARC_BAD_OVERLAP, start + kLeaderSize, leader.base - kLeaderSize - 1);
      add_rejected(batch, start, length, MARC_BAD_OVERLAP, MARC_REC_SOUND, first_note);
      return;
    }
  }
  const SubfieldFindings found = index_subfields(batch, in_order, start + leader.base, start + length - 1);
  const bool says_utf8 = record[9] == 'a';
  const TextFound text = reading == Reading::Best ? text_as_it_is(batch, says_utf8, found, mode)
                                                  : text_as_pymarc(batch, says_utf8, found, mode);
  const bool utf8 = mode != TextMode::Raw && text.encoding == Encoding::Utf8;
  const bool valid = !utf8 || !found.high || is_utf8(record + leader.base, length - leader.base);
  std::uint32_t flags = MARC_REC_SOUND;
  if (usual && in_order && !found.inner) flags |= MARC_REC_SPLITS;
  if ((flags & MARC_REC_SPLITS) != 0 && found.is_plain() && valid) flags |= MARC_REC_PLAIN;
  Widths widths;
  if (reading == Reading::Best) {
    widths = find_widths(batch, record[10], record[11]);
    flags = note_sound(batch, start, leader.map, flags, found.empty, utf8, widths);
  } else if ((flags & MARC_REC_PLAIN) == 0 || found.empty) {
    const std::int32_t status = check_fields(batch, utf8);
    if (status != MARC_OK) {
      add_rejected(batch, start, length, status, MARC_REC_SOUND, first_note);
      return;
    }
  }
  if ((flags & MARC_REC_PLAIN) != 0 && says_utf8 && !found.empty && !text.converted) flags |= MARC_REC_CANONICAL;
  add_delivered(batch, {start, length, reading, mode, first_note}, flags, text, found, widths);
}

void parse_chunk(Batch &batch, std::size_t start, std::size_t length, Surroundings around, Reading reading,
                 TextMode mode) {
  if (reading == Reading::Best && parse_salvaged(batch, start, length, mode)) return;
  parse_as_pymarc(batch, start, length, around, 0, mode);
}

void add_unread(Batch &batch, std::size_t start, std::size_t length, std::int32_t code) {
  add_note(batch, code, start, 0);
  add_rejected(batch, start, length, code, 0, batch.notes.size() - 1);
}

} // namespace marc
