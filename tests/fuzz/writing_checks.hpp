// What holds for everything that is written from a batch, whatever the record: well-formed, in UTF-8, and read again it is
// written the same.
// SPDX-License-Identifier: MIT
#pragma once

#include "checks.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

// Goes through JSON of the shape that records have; Broken where it is not well-formed.
class JsonCheck {
public:
  explicit JsonCheck(std::string_view text) : text_(text) {}

  void run() {
    value();
    require(at_ == text_.size(), "JSON goes on behind its end");
  }

private:
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void take(char letter) {
    require(next() == letter, "JSON is not well-formed");
    ++at_;
  }
  void blank() { at_ += next() == ' ' ? 1 : 0; }

  void value() {
    if (next() == '"') return string();
    const char open = next();
    require(open == '{' || open == '[', "JSON has another value");
    const char close = open == '{' ? '}' : ']';
    ++at_;
    for (bool first = true; next() != close; first = false) {
      if (!first) {
        take(',');
        blank();
      }
      if (open == '{') {
        string();
        take(':');
        blank();
      }
      value();
    }
    ++at_;
  }

  void string() {
    take('"');
    while (next() != '"') {
      require(at_ < text_.size() && static_cast<unsigned char>(next()) >= 0x20, "a string of JSON is not well-formed");
      at_ += next() == '\\' ? escape() : 1;
    }
    ++at_;
  }

  std::size_t escape() const {
    const std::string_view rest = text_.substr(at_ + 1);
    require(!rest.empty(), "an escape of JSON is cut");
    if (rest[0] != 'u') {
      require(std::string_view("\"\\/bfnrt").find(rest[0]) != std::string_view::npos, "an unknown escape of JSON");
      return 2;
    }
    require(rest.size() >= 5 && rest.substr(1, 4).find_first_not_of("0123456789abcdef") == std::string_view::npos,
            "an escape of JSON is not hexadecimal");
    return 6;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// Goes through XML without anything but elements, attributes in double quotes, references and text.
inline void check_xml(std::string_view text) {
  std::size_t depth = 0;
  bool in_tag = false;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    require(static_cast<unsigned char>(letter) >= 0x20 ||
                (!in_tag && (letter == '\t' || letter == '\n' || letter == '\r')),
            "XML holds a control character");
    require(text.substr(i, 3) != "\xef\xbf\xbe" && text.substr(i, 3) != "\xef\xbf\xbf", "XML holds no character");
    if (letter == '&') {
      const std::string_view name = text.substr(i + 1, text.substr(i + 1).find(';'));
      const bool known = name == "amp" || name == "lt" || name == "gt" || name == "quot" ||
                         (name.size() > 1 && name[0] == '#' &&
                          name.substr(1).find_first_not_of("0123456789") == std::string_view::npos);
      require(known, "an unknown reference in XML");
    } else if (quoted) {
      require(letter != '<', "< in an attribute");
      quoted = letter != '"';
    } else if (in_tag) {
      quoted = letter == '"';
      if (letter == '>') {
        in_tag = false;
        if (text[i - 1] == '/') --depth;
      }
    } else if (letter == '<') {
      in_tag = true;
      const bool end = i + 1 < text.size() && text[i + 1] == '/';
      require(!end || depth > 0, "XML ends an element that is not open");
      depth += end ? std::size_t(-1) : 1;
    } else {
      require(letter != '>', "> in the text of XML");
    }
  }
  require(depth == 0 && !in_tag, "XML is not closed");
}

// The entries of the text that `make(batch, style)` gives.
template <typename Make> std::vector<std::string> entries_of(const marc_batch *batch, std::uint32_t style, Make make) {
  marc_text *text = nullptr;
  require(make(batch, style, &text, nullptr) == MARC_OK, "a text was not given");
  marc_text_view view{};
  view.struct_size = sizeof view;
  marc_text_get_view(text, &view);
  std::vector<std::string> entries;
  require(marc::is_utf8(view.data, view.data_length), "a text that is not UTF-8");
  for (std::uint32_t i = 0; i < view.count; ++i)
    entries.emplace_back(reinterpret_cast<const char *>(view.data) + view.start[i],
                         view.start[i + 1] - view.start[i] - 1);
  marc_text_free(text);
  return entries;
}

// All records of a batch as ISO 2709; "" where one is too large.
inline std::string iso2709_of(const marc_batch *batch) {
  marc_writer *writer = nullptr;
  require(marc_writer_open_memory(nullptr, &writer, nullptr) == MARC_OK, "a writer was not opened");
  const std::uint32_t count = marc_batch_record_count(batch);
  const std::int32_t status = marc_writer_write_batch(writer, batch, 0, count, nullptr, nullptr);
  require(status == MARC_OK || status == MARC_E_TOO_LARGE, "a record was not written");
  std::size_t size = 0;
  const std::uint8_t *data = marc_writer_get_bytes(writer, &size);
  std::string bytes = status == MARC_OK ? test::text_of(data, size) : "";
  marc_writer_free(writer);
  return bytes;
}

// Everything that can be written from a batch.
inline void check_writing(const marc_batch *batch) {
  const marc_batch_view view = view_of(batch);
  const auto is_delivered = [&](std::uint32_t i) { return view.record_status[i] == MARC_OK; };
  for (const std::uint32_t style : {MARC_JSON_PYMARC, MARC_JSON_COMPACT_ASCII, MARC_JSON_COMPACT}) {
    const std::vector<std::string> entries = entries_of(batch, style, marc_batch_json);
    for (std::uint32_t i = 0; i < view.record_count; ++i) {
      if (is_delivered(i)) JsonCheck(entries[i]).run();
      require(style == MARC_JSON_COMPACT || is_ascii(entries[i]), "JSON is not ASCII");
    }
  }
  for (const std::uint32_t style : {MARC_XML_PYMARC, MARC_XML_PYMARC_NAMESPACE, MARC_XML_UTF8, MARC_XML_PYMARC_UTF8}) {
    const std::vector<std::string> entries = entries_of(batch, style, marc_batch_xml);
    for (std::uint32_t i = 0; i < view.record_count; ++i)
      if (is_delivered(i)) check_xml(entries[i]);
  }
  const std::vector<std::string> lines = entries_of(batch, MARC_MRK_MNEMONICS, marc_batch_mrk);
  entries_of(batch, MARC_MRK_PYMARC, marc_batch_mrk);
  for (std::uint32_t i = 0; i < view.record_count; ++i)
    if (is_delivered(i))
      require(std::count(lines[i].begin(), lines[i].end(), '\n') ==
                  1 + std::ptrdiff_t{view.field_first[i + 1]} - std::ptrdiff_t{view.field_first[i]},
              "not one line of MARCMaker for each field");
}

// A record that was written and is read again is written the same.
inline void check_written_again(const Batch &batch) {
  const std::string written = iso2709_of(batch.get());
  // (The best reading may take UTF-8 with an ESC in it for MARC-8.)
  if (written.empty() || written.find('\x1b') != std::string::npos) return;
  const Batch again = parse_alone(written, MARC_PIECE_ALONE, MARC_PARSE_BEST);
  if (!has(view_of(again.get()).record_flags[0], MARC_REC_SOUND)) return; // a leader that no reader would know
  require(iso2709_of(again.get()) == written, "read and written again it is another record");
}

} // namespace fuzz
