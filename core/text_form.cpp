// SPDX-License-Identifier: MIT
#include "text_form.hpp"

#include "bytes.hpp"
#include "directory.hpp"
#include "leader.hpp"
#include "record_view.hpp"
#include "utf8.hpp"
#include "writer/leader_bytes.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace marc {

struct TextScratch {
  explicit TextScratch(Marc8Rule for_rule) : rule(for_rule), decoder(for_rule, kMostNotes) {}

  Marc8Rule rule;
  Marc8Decoder decoder;
  Marc8Findings findings;
  PodArray<std::uint8_t> head; // leader and directory
};

namespace {

TextScratch &scratch_of(Batch &batch, Marc8Rule rule) {
  std::shared_ptr<TextScratch> &scratch = batch.text_scratch;
  if (scratch == nullptr || scratch->rule != rule) scratch = std::make_shared<TextScratch>(rule);
  return *scratch;
}

constexpr std::size_t kMostGrowth = 4; // bytes of text for each byte of a field, at most

// Writes one text form.
class TextForm {
public:
  TextForm(Batch &batch, const TextRule &rule)
      : batch_(batch), text_(batch.open_text()), record_(batch, batch.size() - 1), rule_(rule),
        decoder_(scratch_of(batch, rule.rule).decoder), findings_(batch.text_scratch->findings),
        head_(batch.text_scratch->head) {}

  std::int32_t write() {
    const std::size_t start = text_.own.size();
    const std::size_t fields = record_.field_count();
    base_ = start + kLeaderSize + kEntrySize * fields + 1;
    if (base_ + kMostGrowth * claimed() > UINT32_MAX) return reject(MARC_BAD_OVERSIZE, record_.bytes(), 0);
    text_.own.reserve_more(base_ - start);
    text_.own.commit(base_ - start);
    for (std::size_t i = 0; i < fields; ++i) {
      const std::int32_t status = add_field(record_.field(i));
      if (status == MARC_OK) continue;
      text_.own.shrink(start);
      text_.drop_open_fields();
      return status;
    }
    text_.own.push(kRecordEnd);
    const bool is_stated = write_head(start);
    text_.add_record(start, text_.own.size() - start, MARC_OK, flags(is_stated));
    batch_.close_text();
    std::uint32_t with_text = batch_.record_flags[batch_.size() - 1] | MARC_REC_CONVERTED;
    const bool is_plain = (text_.record_flags[text_.size() - 1] & MARC_REC_PLAIN) != 0;
    if (!is_plain) with_text &= ~std::uint32_t{MARC_REC_PLAIN}; // who takes it for plain looks at the text form
    batch_.set_flags(with_text);
    return MARC_OK;
  }

private:
  // Bytes of all fields, which may overlap.
  std::size_t claimed() const {
    std::size_t bytes = 0;
    count_steps(record_.field_count());
    for (std::size_t i = 0; i < record_.field_count(); ++i) bytes += record_.field(i).bytes().size() + 4;
    return bytes;
  }

  std::int32_t reject(std::int32_t code, Bytes where, std::uint32_t tag) {
    note(code, static_cast<std::size_t>(where.data() - batch_.data), where.size(), tag);
    return code;
  }

  void note(std::int32_t code, std::size_t offset, std::size_t size, std::uint32_t tag) {
    const auto record = static_cast<std::uint32_t>(batch_.size() - 1);
    batch_.notes.push({record, code, static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(size), tag});
    batch_.set_flags(batch_.record_flags[record] | MARC_REC_NOTED);
  }

  std::int32_t add_field(const FieldView &field) {
    const std::size_t begin = text_.own.size();
    noted_ = 0;
    if (field.is_control())
      append_data(field.bytes());
    else
      append_indicators(field.bytes());
    for (std::size_t i = 0; i < field.subfield_count(); ++i) {
      const std::int32_t status = add_subfield(field.subfield(i), field.tag());
      if (status != MARC_OK) return status;
    }
    text_.field_tag.push(field.tag());
    text_.field_offset.push(static_cast<std::uint32_t>(begin));
    text_.field_length.push(static_cast<std::uint32_t>(text_.own.size() - begin));
    text_.subfield_first.push(static_cast<std::uint32_t>(text_.subfield_offset.size()));
    text_.own.push(kFieldEnd);
    return MARC_OK;
  }

  // Control fields. pymarc takes them for Latin-1 where it takes subfields for MARC-8.
  void append_data(Bytes bytes) {
    if (rule_.encoding == Encoding::Utf8 || (rule_.rule == Marc8Rule::Best && is_utf8(bytes.data(), bytes.size())))
      append(bytes, replace_invalid_utf8);
    else
      append(bytes, latin1_to_utf8);
  }

  template <typename Convert> void append(Bytes bytes, Convert convert) {
    text_.own.reserve_more(3 * bytes.size());
    text_.own.commit(convert(bytes.data(), bytes.size(), text_.own.end()));
  }

  // As many as there should be.
  void append_indicators(Bytes field) {
    const std::size_t mark = find_byte(field.data(), kSubfieldMark, 0, field.size());
    const std::size_t before = text_.own.size();
    if (rule_.encoding == Encoding::Utf8 && mark != rule_.widths.indicators) { // in characters they may be right
      append(field.first(mark), replace_invalid_utf8);
      odd_ = true;
      return;
    }
    const std::size_t wanted = rule_.widths.indicators;
    append(field.first(std::min(mark, wanted)), latin1_to_utf8);
    count_steps(wanted);
    for (std::size_t i = mark; i < wanted; ++i) text_.own.push(' ');
    odd_ |= text_.own.size() - before != 2;
  }

  std::int32_t add_subfield(Bytes subfield, std::uint32_t tag) {
    text_.own.push(kSubfieldMark);
    const std::size_t begin = text_.own.size();
    const bool is_utf8_text = rule_.encoding == Encoding::Utf8;
    const std::size_t code = is_utf8_text ? 0 : std::min<std::size_t>(rule_.widths.code, subfield.size());
    append(subfield.first(code), latin1_to_utf8);
    odd_ |= subfield[0] >= 0x80;
    const Bytes value = subfield.subspan(code);
    if (is_utf8_text)
      append(value, replace_invalid_utf8);
    else if (rule_.encoding == Encoding::Latin1)
      append(value, latin1_to_utf8);
    else if (!decode(value, tag))
      return reject(MARC_BAD_ESCAPE, value, tag);
    text_.subfield_offset.push(static_cast<std::uint32_t>(begin));
    text_.subfield_length.push(static_cast<std::uint32_t>(text_.own.size() - begin));
    return MARC_OK;
  }

  bool decode(Bytes value, std::uint32_t tag) {
    Marc8State state;
    findings_.clear();
    if (!decoder_.decode(value.data(), value.size(), state, text_.own, findings_)) return false;
    for (const Marc8Finding &finding : findings_) {
      if (noted_ == kMostNotes) break;
      ++noted_;
      const bool is_orphan = finding.kind == MARC_FINDING_ORPHAN;
      const std::size_t offset = static_cast<std::size_t>(value.data() - batch_.data) + finding.offset;
      note(is_orphan ? MARC_NOTE_ORPHAN_MARK : MARC_NOTE_UNMAPPED, offset, 1, tag);
    }
    return true;
  }

  // Leader and directory, in the room that was left for them. False if numbers have more digits than they should: then
  // they are written so all the same, as pymarc does.
  bool write_head(std::size_t start) {
    const LeaderBytes leader = leader_of(record_);
    const std::size_t first = text_.field_first[text_.size()];
    const std::size_t end = text_.own.size();
    head_.clear();
    for (std::size_t i = first; i < text_.field_tag.size(); ++i) {
      head_.reserve_more(3);
      put_tag(head_.end(), text_.field_tag[i]);
      head_.commit(3);
      push_number(text_.field_length[i] + std::size_t{1}, 4);
      push_number(text_.field_offset[i] - base_, 5);
    }
    head_.push(kFieldEnd);
    const std::size_t directory = head_.size();
    push_number(kLeaderSize + directory + (end - base_), 5);
    head_.push(leader[5]);
    for (std::size_t i = 6; i < 12; ++i) head_.push(i == 9 ? std::uint8_t{'a'} : leader[i]);
    push_number(kLeaderSize + directory, 5);
    for (std::size_t i = 17; i < kLeaderSize; ++i) head_.push(leader[i]);
    std::rotate(head_.begin(), head_.begin() + directory, head_.end());
    const std::size_t room = base_ - start;
    if (head_.size() > room) make_room(head_.size() - room);
    std::copy(head_.begin(), head_.end(), &text_.own[start]);
    return head_.size() == room;
  }

  void push_number(std::size_t number, std::size_t digits) {
    std::array<std::uint8_t, 20> text{};
    std::size_t at = text.size();
    for (; number > 0 || text.size() - at < digits; number /= 10)
      text[--at] = static_cast<std::uint8_t>('0' + number % 10);
    for (; at < text.size(); ++at) head_.push(text[at]);
  }

  // Moves the fields by so many bytes, for a head that is larger than it should be.
  void make_room(std::size_t more) {
    text_.own.reserve_more(more);
    const std::size_t end = text_.own.size();
    text_.own.commit(more);
    std::copy_backward(&text_.own[base_], &text_.own[base_] + (end - base_), text_.own.end());
    for (std::size_t i = text_.field_first[text_.size()]; i < text_.field_tag.size(); ++i)
      text_.field_offset[i] += static_cast<std::uint32_t>(more);
    for (std::size_t i = text_.subfield_first[text_.field_first[text_.size()]]; i < text_.subfield_offset.size(); ++i)
      text_.subfield_offset[i] += static_cast<std::uint32_t>(more);
  }

  std::uint32_t flags(bool is_stated) const {
    const std::uint32_t given = record_.flags();
    constexpr std::uint32_t kSame = MARC_REC_SOUND | MARC_REC_REPAIRED | MARC_REC_INDICATORS | MARC_REC_CODES;
    std::uint32_t flags = (given & kSame) | MARC_REC_UTF8 | MARC_REC_NONASCII;
    if ((given & MARC_REC_PLAIN) != 0 && is_stated && !odd_)
      flags |= MARC_REC_SPLITS | MARC_REC_PLAIN | MARC_REC_CANONICAL;
    return flags;
  }

  Batch &batch_;
  Batch &text_;
  RecordView record_;
  const TextRule &rule_;
  Marc8Decoder &decoder_;
  Marc8Findings &findings_;
  PodArray<std::uint8_t> &head_;
  std::size_t base_ = 0;  // where the fields begin
  std::size_t noted_ = 0; // findings of the field
  bool odd_ = false;      // not two ASCII indicators everywhere, or a code above 0x7F
};

} // namespace

bool is_plain_ascii(const Batch &batch, bool with_references) {
  constexpr std::array<std::uint8_t, 3> kReference{'&', '#', 'x'};
  for (std::size_t i = batch.field_first[batch.size()]; i < batch.field_tag.size(); ++i) {
    const std::uint8_t *field = batch.data + batch.field_offset[i];
    const std::size_t size = batch.field_length[i];
    count_steps(size);
    const auto is_other = [](std::uint8_t byte) { return (byte < 0x20 && byte != kSubfieldMark) || byte > 0x7E; };
    if (std::any_of(field, field + size, is_other)) return false;
    if (with_references && std::search(field, field + size, kReference.begin(), kReference.end()) != field + size)
      return false;
  }
  return true;
}

std::int32_t add_text_form(Batch &batch, const TextRule &rule) { return TextForm(batch, rule).write(); }

std::int32_t check_escapes(Batch &batch, std::size_t field) {
  const std::uint32_t tag = batch.field_tag[field];
  const std::size_t begin = batch.field_offset[field];
  const std::size_t end = begin + batch.field_length[field];
  if (is_control_tag(tag) || find_byte(batch.data, kEscape, begin, end) == end) return MARC_OK;
  Marc8Decoder decoder(Marc8Rule::Pymarc, 1);
  PodArray<std::uint8_t> out;
  Marc8Findings findings;
  std::size_t mark = find_byte(batch.data, kSubfieldMark, begin, end);
  while (mark < end) {
    const std::size_t open = mark + 2; // behind the code
    mark = find_byte(batch.data, kSubfieldMark, mark + 1, end);
    if (open > mark) continue;
    Marc8State state;
    out.clear();
    findings.clear();
    if (decoder.decode(batch.data + open, mark - open, state, out, findings)) continue;
    add_note(batch, MARC_BAD_ESCAPE, open, mark - open, tag);
    return MARC_BAD_ESCAPE;
  }
  return MARC_OK;
}

} // namespace marc
