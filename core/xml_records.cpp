// SPDX-License-Identifier: MIT
#include "xml_records.hpp"

#include "bytes.hpp"
#include "directory.hpp"
#include "field_rules.hpp"
#include "subfields.hpp"
#include "utf8.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace marc {
namespace {

constexpr std::size_t kLargestFieldLength = 9999;          // that four digits state
constexpr char kMadeLeader[] = "          22        4500"; // pymarc's, where a record has none

bool is_xml_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The text without white space around it.
std::string_view stripped(std::string_view text) {
  while (!text.empty() && is_xml_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_xml_space(text.back())) text.remove_suffix(1);
  return text;
}

const char *find_attribute(const char **attributes, const char *name) {
  for (; attributes[0] != nullptr; attributes += 2)
    if (std::strcmp(attributes[0], name) == 0) return attributes[1];
  return nullptr;
}

// Bytes of the first character of UTF-8 that the parser has found to be valid.
std::size_t first_size(std::string_view text) { return character_size(static_cast<std::uint8_t>(text[0])); }

// Writes `value` in so many digits; one that needs more as the largest that they state.
void write_digits(std::uint8_t *to, std::size_t digits, std::size_t value) {
  std::size_t most = 1;
  for (std::size_t i = 0; i < digits; ++i) most *= 10;
  value = std::min(value, most - 1);
  for (std::size_t i = digits; i-- > 0; value /= 10) to[i] = static_cast<std::uint8_t>('0' + value % 10);
}

} // namespace

XmlRecords::XmlRecords(std::size_t largest, std::size_t most_bytes, std::size_t most_records)
    : largest_(largest), most_bytes_(most_bytes), most_records_(most_records) {}

void XmlRecords::fill(Batch &batch) {
  batch_ = &batch;
  out_.clear();
}

XmlRecords::Element XmlRecords::element_of(const char *name) {
  const auto is = [name](const char *other) { return std::strcmp(name, other) == 0; };
  switch (name[0]) {
  case 's':
    return is("subfield") ? Element::Subfield : Element::Other;
  case 'd':
    return is("datafield") ? Element::DataField : Element::Other;
  case 'c':
    return is("controlfield") ? Element::ControlField : Element::Other;
  case 'l':
    return is("leader") ? Element::Leader : Element::Other;
  case 'r':
    return is("record") ? Element::Record : Element::Other;
  default:
    return Element::Other;
  }
}

void XmlRecords::start_element(XmlParser &parser, const char *name, const char **attributes) {
  ++depth_;
  const Element element = element_of(name);
  if (element == Element::Record)
    return start_record(parser); // one inside another, as in OAI-PMH, is the one that counts
  if (element == Element::Other || record_depth_ == 0 || too_large_) return;
  if (text_depth_ != 0) return note_misplaced(); // its text is part of the text
  if (element == Element::Subfield) return start_subfield(attributes);
  if (field_depth_ != 0) {
    note_misplaced();
    end_field();
  }
  if (element == Element::Leader) {
    leader_text_.clear();
    in_leader_ = true;
    text_depth_ = depth_;
  } else {
    start_field(element, attributes);
  }
}

void XmlRecords::end_element(XmlParser &parser, const char *) {
  const std::size_t closed = depth_--;
  if (closed == text_depth_) {
    text_depth_ = 0;
    if (in_leader_) read_leader();
    in_leader_ = false;
  }
  if (closed == field_depth_) end_field();
  if (closed == record_depth_) end_record(parser);
}

void XmlRecords::add_text(const char *text, std::size_t size) {
  if (record_depth_ == 0 || too_large_) return;
  if (text_depth_ == 0) {
    if (!std::all_of(text, text + size, is_xml_space)) note_misplaced();
    return;
  }
  if (in_leader_) {
    leader_text_.append(text, size);
  } else {
    push({text, size});
  }
  if (body_.size() + leader_text_.size() > largest_) too_large_ = true;
}

void XmlRecords::start_record(const XmlParser &parser) {
  record_depth_ = depth_;
  field_depth_ = text_depth_ = 0;
  in_leader_ = too_large_ = false;
  place_ = parser.offset();
  leader_text_.clear();
  std::memcpy(leader_.data(), kMadeLeader, kLeaderSize);
  body_.clear();
  fields_.clear();
  notes_.clear();
}

void XmlRecords::start_field(Element element, const char **attributes) {
  field_depth_ = depth_;
  const std::size_t begin = body_.size();
  field_ = {0, static_cast<std::uint32_t>(begin), 0, false};
  field_.tag = read_tag(find_attribute(attributes, "tag"));
  const bool control = element == Element::ControlField;
  if (control) text_depth_ = depth_;
  if (control != is_control_tag(field_.tag)) {
    note(MARC_NOTE_FIELD_KIND, begin);
    field_.bare = control;
  } else if (!control) {
    push_indicator(find_attribute(attributes, "ind1"));
    push_indicator(find_attribute(attributes, "ind2"));
  }
}

// A data field under the tag of a control field has its values alone: indicators and codes have no place there.
void XmlRecords::start_subfield(const char **attributes) {
  if (field_depth_ == 0) return note_misplaced();
  text_depth_ = depth_;
  if (is_control_tag(field_.tag)) {
    if (body_.size() > field_.begin) body_.push(' ');
    return;
  }
  body_.push(kSubfieldMark);
  const char *code = find_attribute(attributes, "code");
  const std::string_view text = code == nullptr || *code == 0 ? " " : code;
  if (code == nullptr || first_size(text) != text.size()) note(MARC_NOTE_ATTRIBUTE, body_.size(), text.size());
  push(text);
}

void XmlRecords::end_field() {
  field_.length = static_cast<std::uint32_t>(body_.size()) - field_.begin;
  body_.push(kFieldEnd);
  fields_.push(field_);
  field_depth_ = text_depth_ = 0;
  if (body_.size() + fields_.size() * kEntrySize > largest_) too_large_ = true;
}

void XmlRecords::end_record(XmlParser &parser) {
  record_depth_ = 0;
  if (too_large_)
    add_too_large();
  else
    add_record();
  batch_->place.push(place_);
  batch_->extent.push(parser.end_offset() - place_);
  batch_->leaders.reserve_more(kLeaderSize);
  std::copy(leader_.begin(), leader_.end(), batch_->leaders.end());
  batch_->leaders.commit(kLeaderSize);
  if (out_.size() >= most_bytes_ || batch_->size() == most_records_) parser.pause();
}

// Makes 24 characters of the text of a leader.
void XmlRecords::read_leader() {
  std::string latin;
  const auto put = [&](std::string_view text) {
    latin.clear();
    for (; !text.empty(); text.remove_prefix(first_size(text))) {
      const auto first = static_cast<std::uint8_t>(text[0]);
      if (first < 0x80)
        latin += text[0];
      else
        latin += first < 0xC4 ? static_cast<char>((first & 3) << 6 | (text[1] & 0x3F)) : '?';
    }
  };
  put(leader_text_);
  if (latin.size() != kLeaderSize) {
    note(MARC_NOTE_LEADER_LENGTH, 0);
    put(stripped(leader_text_));
    latin.resize(kLeaderSize, ' ');
  }
  if (std::any_of(latin.begin(), latin.end(), [](char c) { return (c & 0x80) != 0; })) note(MARC_NOTE_LEADER_TEXT, 0);
  std::copy(latin.begin(), latin.end(), leader_.begin());
}

// Three characters: numbers are filled with zeros, as pymarc does.
std::uint32_t XmlRecords::read_tag(const char *text) {
  std::string_view tag = text == nullptr ? "" : text;
  if (tag.size() != 3) tag = stripped(tag);
  std::string three(tag);
  if (!tag.empty() && tag.size() < 3 &&
      std::all_of(tag.begin(), tag.end(), [](char c) { return c >= '0' && c <= '9'; }))
    three.insert(0, 3 - tag.size(), '0');
  const auto is_odd = [](char c) { return (c & 0x80) != 0; };
  if (three.size() != 3 || std::any_of(three.begin(), three.end(), is_odd)) note(MARC_NOTE_ATTRIBUTE, body_.size());
  std::replace_if(three.begin(), three.end(), is_odd, '?');
  three.resize(3, ' ');
  return pack_tag(reinterpret_cast<const std::uint8_t *>(three.data()));
}

// One character; a blank where there is none.
void XmlRecords::push_indicator(const char *text) {
  const std::string_view indicator = text == nullptr ? " " : text;
  const std::size_t size = indicator.empty() ? 0 : first_size(indicator);
  if (size != indicator.size()) note(MARC_NOTE_ATTRIBUTE, body_.size());
  push(size == 0 ? " " : indicator.substr(0, size));
}

void XmlRecords::push(std::string_view text) {
  body_.reserve_more(text.size());
  std::memcpy(body_.end(), text.data(), text.size());
  body_.commit(text.size());
}

void XmlRecords::note(std::int32_t code, std::size_t begin, std::size_t length) {
  if (notes_.size() < kMostNotes)
    notes_.push({0, code, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(length),
                 field_depth_ == 0 ? 0 : field_.tag});
}

void XmlRecords::note_misplaced() {
  if (notes_.size() == 0 || notes_[notes_.size() - 1].code != MARC_NOTE_MISPLACED)
    note(MARC_NOTE_MISPLACED, body_.size());
}

// The leader as ISO 2709 needs it: lengths that are true, text in UTF-8, and the widths of the directory.
void XmlRecords::write_leader(std::uint8_t *to, std::size_t length, std::size_t base) const {
  std::copy(leader_.begin(), leader_.end(), to);
  std::replace_if(
      to, to + kLeaderSize, [](std::uint8_t byte) { return byte >= 0x80; }, std::uint8_t{'?'});
  write_digits(to, 5, length);
  to[9] = 'a';
  write_digits(to + 12, 5, base);
  if (!entry_map(to).is_marc21()) {
    to[20] = '4';
    to[21] = '5';
    to[22] = '0';
  }
}

void XmlRecords::add_record() {
  const std::size_t count = fields_.size();
  count_steps(count + body_.size());
  const std::size_t base = kLeaderSize + count * kEntrySize + 1;
  const std::size_t length = base + body_.size() + 1;
  const std::size_t start = out_.size();
  out_.reserve_more(length);
  std::uint8_t *to = out_.end();
  write_leader(to, length, base);
  bool whole = length <= kLargestLength && count > 0;
  std::uint8_t *entry = to + kLeaderSize;
  for (const Field &field : fields_) {
    put_tag(entry, field.tag);
    write_digits(entry + 3, 4, field.length + std::size_t{1});
    write_digits(entry + 7, 5, field.begin);
    entry += kEntrySize;
    whole &= field.length < kLargestFieldLength;
  }
  *entry = kFieldEnd;
  if (body_.size() > 0) std::memcpy(to + base, body_.data(), body_.size());
  to[length - 1] = kRecordEnd;
  out_.commit(length);
  batch_->data = out_.data();
  const std::size_t first_note = batch_->notes.size();
  Leader leader{};
  whole = whole && marc::read_leader(to, leader);
  std::uint32_t flags = add_fields(start, base, length);
  if (!whole) flags &= ~std::uint32_t{MARC_REC_SOUND | MARC_REC_SPLITS | MARC_REC_PLAIN | MARC_REC_CANONICAL};
  if (batch_->notes.size() > first_note) flags |= MARC_REC_NOTED | MARC_REC_REPAIRED;
  if (std::memcmp(to, leader_.data(), kLeaderSize) != 0) flags |= MARC_REC_LEADER;
  batch_->add_record(start, length, MARC_OK, flags);
}

// Adds the fields of the record of `length` bytes at out_[start], and its notes. Returns its flags.
std::uint32_t XmlRecords::add_fields(std::size_t start, std::size_t base, std::size_t length) {
  const std::size_t first = batch_->field_tag.size();
  for (const Field &field : fields_) {
    batch_->field_tag.push(field.tag);
    batch_->field_offset.push(static_cast<std::uint32_t>(start + base + field.begin));
    batch_->field_length.push(field.length);
  }
  const SubfieldFindings found = index_subfields(*batch_, true, start + base, start + length - 1);
  add_notes(start + base);
  std::uint32_t flags = MARC_REC_SOUND | MARC_REC_SPLITS | MARC_REC_UTF8;
  if (found.high) flags |= MARC_REC_NONASCII;
  if (found.is_plain() && !found.empty) return flags | MARC_REC_PLAIN | MARC_REC_CANONICAL;
  for (std::size_t i = 0; i < fields_.size(); ++i)
    if (!fields_[i].bare) note_field(*batch_, first + i, true, Widths{});
  return flags;
}

// Moves the notes on the record to the batch.
void XmlRecords::add_notes(std::size_t base) {
  for (const marc_note &one : notes_) marc::add_note(*batch_, one.code, base + one.offset, one.length, one.tag);
  if (fields_.size() == 0) marc::add_note(*batch_, MARC_NOTE_NO_FIELDS, base, 0);
}

void XmlRecords::add_too_large() {
  batch_->data = out_.data();
  marc::add_note(*batch_, MARC_BAD_OVERSIZE, out_.size(), 0);
  batch_->add_record(out_.size(), 0, MARC_BAD_OVERSIZE, 0);
}

} // namespace marc
