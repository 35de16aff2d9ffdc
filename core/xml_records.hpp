// MARCXML elements -> records of a batch, in ISO 2709 and UTF-8, as pymarc's XML reader sees them.
//
// Elements are known by their local names: record, leader, controlfield, datafield, subfield. Others are passed over; the
// text of a leader, control field or subfield is all text within it.
// SPDX-License-Identifier: MIT
#pragma once

#include "batch.hpp"
#include "leader.hpp"
#include "xml_parser.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace marc {

class XmlRecords final : public XmlHandler {
public:
  // `largest`: bytes; of a larger record nothing is kept, it is added as MARC_BAD_OVERSIZE.
  // The parser pauses when the batch holds `most_bytes` or `most_records`.
  XmlRecords(std::size_t largest, std::size_t most_bytes, std::size_t most_records);

  // Where the next whole records go, an empty batch. Their bytes are in bytes(), to which batch.data points.
  void fill(Batch &batch);
  PodArray<std::uint8_t> &bytes() { return out_; }

  void start_element(XmlParser &parser, const char *name, const char **attributes) override;
  void end_element(XmlParser &parser, const char *name) override;
  void add_text(const char *text, std::size_t size) override;

private:
  enum class Element : std::uint8_t { Other, Record, Leader, ControlField, DataField, Subfield };
  struct Field {
    std::uint32_t tag;
    std::uint32_t begin;  // in body_
    std::uint32_t length; // without the terminator
    bool bare;            // a control field under the tag of a data field
  };

  static Element element_of(const char *name);
  void start_record(const XmlParser &parser);
  void start_field(Element element, const char **attributes);
  void start_subfield(const char **attributes);
  void end_field();
  void end_record(XmlParser &parser);
  void read_leader();
  std::uint32_t read_tag(const char *text);
  void push_indicator(const char *text);
  void push(std::string_view text);
  void note(std::int32_t code, std::size_t begin, std::size_t length = 0);
  void note_misplaced();
  void write_leader(std::uint8_t *to, std::size_t length, std::size_t base) const;
  void add_record();
  std::uint32_t add_fields(std::size_t start, std::size_t base, std::size_t length);
  void add_notes(std::size_t base);
  void add_too_large();

  std::size_t largest_;
  std::size_t most_bytes_;
  std::size_t most_records_;
  Batch *batch_ = nullptr;
  PodArray<std::uint8_t> out_; // the bytes of the batch

  std::size_t depth_ = 0;        // elements that are open
  std::size_t record_depth_ = 0; // of the record that is open; 0: none. So are the following.
  std::size_t field_depth_ = 0;
  std::size_t text_depth_ = 0; // of the leader, control field or subfield whose text is read
  bool in_leader_ = false;     // that is the leader
  bool too_large_ = false;
  std::uint64_t place_ = 0;                      // of the record in the source
  std::string leader_text_;                      // as it stands in the source
  std::array<std::uint8_t, kLeaderSize> leader_; // 24 characters of it, as Latin-1
  Field field_{};                                // that is open
  PodArray<std::uint8_t> body_;                  // fields, each with its terminator
  PodArray<Field> fields_;
  PodArray<marc_note> notes_; // offsets are in body_
};

} // namespace marc
