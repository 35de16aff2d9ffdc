// SPDX-License-Identifier: MIT
#include "error.hpp"

#include <algorithm>
#include <array>

namespace marc {
namespace {

struct CodeText {
  std::int32_t code;
  const char *name;
  const char *message;
};

#define MARC_CODE(code, message)                                                                                       \
  CodeText { code, #code, message }
constexpr std::array kCodes{
    MARC_CODE(MARC_OK, "no error"),
    MARC_CODE(MARC_END, "end of the input"),
    MARC_CODE(MARC_E_ARGUMENT, "an argument is missing or out of range"),
    MARC_CODE(MARC_E_NOMEM, "not enough memory"),
    MARC_CODE(MARC_E_IO, "reading or writing the file failed"),
    MARC_CODE(MARC_E_CALLBACK, "the callback failed"),
    MARC_CODE(MARC_E_CANCELLED, "the reader was cancelled"),
    MARC_CODE(MARC_E_BUSY, "the reader or writer is in use on another thread or inside its own callback"),
    MARC_CODE(MARC_E_FORKED, "the reader or writer was opened before fork(); open one in the child"),
    MARC_CODE(MARC_E_INTERRUPTED, "reading was interrupted; the next call goes on"),
    MARC_CODE(MARC_E_UNSUPPORTED, "an option that this version does not offer"),
    MARC_CODE(MARC_E_INTERNAL, "a defect of the library"),
    MARC_CODE(MARC_E_UNMAPPABLE, "MARC-8 does not have a character of the text"),
    MARC_CODE(MARC_E_TOO_LARGE, "a field or record larger than ISO 2709 can state"),
    MARC_CODE(MARC_E_UNWRITABLE, "something that the format cannot hold"),
    MARC_CODE(MARC_E_FORMAT, "the source is not in the format that it is read as, or broken there"),
    MARC_CODE(MARC_BAD_LENGTH, "record length (leader/00-04) is not a number"),
    MARC_CODE(MARC_BAD_TRUNCATED, "the input ends before the length that the leader states"),
    MARC_CODE(MARC_BAD_END_NOT_FOUND, "no record terminator (0x1D) where the leader says that the record ends"),
    MARC_CODE(MARC_BAD_LEADER, "the leader is shorter than 24 bytes"),
    MARC_CODE(MARC_BAD_LEADER_TEXT, "the leader holds a byte above 0x7F"),
    MARC_CODE(MARC_BAD_BASE_NUMBER, "base address of data (leader/12-16) is not a number"),
    MARC_CODE(MARC_BAD_BASE_MISSING, "base address of data (leader/12-16) is zero or negative"),
    MARC_CODE(MARC_BAD_BASE_RANGE, "base address of data (leader/12-16) lies behind the end of the record"),
    MARC_CODE(MARC_BAD_DIRECTORY, "the directory is not a whole number of 12-byte entries"),
    MARC_CODE(MARC_BAD_DIRECTORY_TEXT, "the directory holds a byte above 0x7F"),
    MARC_CODE(MARC_BAD_DIRECTORY_NUMBER, "a length or starting position in the directory is not a number"),
    MARC_CODE(MARC_BAD_NO_FIELDS, "the directory is empty"),
    MARC_CODE(MARC_BAD_INDICATOR_TEXT, "an indicator holds a byte above 0x7F"),
    MARC_CODE(MARC_BAD_TEXT, "leader/09 says UTF-8, and the text is not valid UTF-8"),
    MARC_CODE(MARC_BAD_OVERSIZE, "larger than the largest record that the reader accepts"),
    MARC_CODE(MARC_BAD_OVERSIZE_PART, "a further part of a record that is too large"),
    MARC_CODE(MARC_BAD_CUT, "the source failed before the piece was complete"),
    MARC_CODE(MARC_BAD_OVERLAP, "the fields overlap so much that they have more than 32 times the bytes of the record"),
    MARC_CODE(MARC_BAD_ESCAPE, "a subfield in MARC-8 ends within an escape sequence"),
    MARC_CODE(MARC_BAD_GZIP, "no MARC record, but data compressed by gzip, as it seems: decompress it (gzip -dc; in "
                             "Python gzip.open) and read that"),
    MARC_CODE(MARC_BAD_BZIP2, "no MARC record, but data compressed by bzip2, as it seems: decompress it (bzip2 -dc; in "
                              "Python bz2.open) and read that"),
    MARC_CODE(MARC_BAD_XZ, "no MARC record, but data compressed by xz, as it seems: decompress it (xz -dc; in Python "
                           "lzma.open) and read that"),
    MARC_CODE(MARC_BAD_ZSTD,
              "no MARC record, but data compressed by zstd, as it seems: decompress it (zstd -dc) and read that"),
    MARC_CODE(MARC_BAD_ZIP,
              "no MARC record, but a zip archive, as it seems: read its members (unzip -p; in Python zipfile)"),
    MARC_CODE(MARC_BAD_XML, "no ISO 2709, but XML, as it seems: a reader of MARCXML takes it (yaz-marcdump -i marcxml "
                            "-o marc; in Python pymarc.parse_xml_to_array)"),
    MARC_CODE(MARC_BAD_HTML,
              "no MARC record, but an HTML page, as it seems: perhaps an error message was saved in place of the file"),
    MARC_CODE(MARC_BAD_JSON, "no ISO 2709, but JSON, as it seems: a reader of MARC-in-JSON takes it (yaz-marcdump -i "
                             "json -o marc; in Python pymarc.JSONReader)"),
    MARC_CODE(MARC_BAD_MARCMAKER, "no ISO 2709, but MARCMaker text (=LDR ...), as it seems: a reader of it takes it "
                                  "(MarcEdit; in Python pymarc.MARCMakerReader)"),
    MARC_CODE(MARC_BAD_UTF16, "no ISO 2709, but text in UTF-16, as it seems: convert it to UTF-8 (iconv -f UTF-16 -t "
                              "UTF-8); record lengths may be wrong then"),
    MARC_CODE(MARC_NOTE_FRAMING, "length, terminators and directory of the record do not agree"),
    MARC_CODE(MARC_NOTE_DIRECTORY_EXTENT, "fields overlap, or leave bytes that belong to no field"),
    MARC_CODE(MARC_NOTE_FIELD_END, "no field terminator (0x1E) where the directory says that the field ends"),
    MARC_CODE(MARC_NOTE_FIELD_RANGE, "a directory entry points outside the record; the field was clipped"),
    MARC_CODE(MARC_NOTE_INNER_TERMINATOR, "a terminator (0x1D or 0x1E) inside a field"),
    MARC_CODE(MARC_NOTE_INDICATORS_MISSING, "no indicators; two blanks are assumed"),
    MARC_CODE(MARC_NOTE_INDICATOR_ONE, "one indicator only; a blank is added"),
    MARC_CODE(MARC_NOTE_INDICATORS_MANY, "more than two bytes before the first subfield; the rest is passed over"),
    MARC_CODE(MARC_NOTE_SUBFIELD_EMPTY, "a subfield delimiter (0x1F) without a subfield code"),
    MARC_CODE(MARC_NOTE_SUBFIELD_CODE, "a subfield code above 0x7F"),
    MARC_CODE(MARC_NOTE_TEXT, "leader/09 says UTF-8, and the text of a field is not valid UTF-8"),
    MARC_CODE(MARC_NOTE_INDICATOR_TEXT, "an indicator above 0x7F; kept"),
    MARC_CODE(MARC_NOTE_LEADER_TEXT, "the leader holds a byte above 0x7F; kept"),
    MARC_CODE(MARC_NOTE_LEADER_SIZE, "there are not 24 bytes of leader before the directory"),
    MARC_CODE(MARC_NOTE_LENGTH, "leader/00-04 is not the length of the record"),
    MARC_CODE(MARC_NOTE_RECORD_END, "the record terminator (0x1D), or the field terminator before it, is missing"),
    MARC_CODE(MARC_NOTE_BASE,
              "leader/12-16 is not the base address of data; it was found by the terminator of the directory"),
    MARC_CODE(MARC_NOTE_ENTRY_MAP, "the directory entries do not have the widths that leader/20-22 state"),
    MARC_CODE(MARC_NOTE_ENTRY, "a directory entry is damaged; its tag and field are the best guess"),
    MARC_CODE(MARC_NOTE_FIELD_PLACE, "a field is not where its directory entry says; it was found by its terminators"),
    MARC_CODE(MARC_NOTE_FIELD_LOST, "the field of a directory entry is not in the record; left out"),
    MARC_CODE(MARC_NOTE_LEADER_LENGTH, "the leader does not have 24 characters; blanks were taken off or added, or it "
                                       "was cut"),
    MARC_CODE(MARC_NOTE_ATTRIBUTE, "a tag, indicator or subfield code is missing or not of its length; a longer code "
                                   "is kept"),
    MARC_CODE(MARC_NOTE_FIELD_KIND, "a control field under the tag of a data field, or the reverse"),
    MARC_CODE(MARC_NOTE_MISPLACED, "text or an element of MARCXML at a place where it means nothing; passed over"),
    MARC_CODE(MARC_NOTE_NO_FIELDS, "a record without fields"),
    MARC_CODE(MARC_NOTE_UNMAPPED, "bytes that are no character in MARC-8"),
    MARC_CODE(MARC_NOTE_ORPHAN_MARK, "a combining mark of MARC-8 without a letter"),
    MARC_CODE(MARC_NOTE_UTF8, "leader/09 does not say UTF-8, and the text is UTF-8"),
    MARC_CODE(MARC_NOTE_MARC8, "leader/09 says UTF-8, and the text is MARC-8"),
    MARC_CODE(MARC_NOTE_LATIN1, "the text is neither UTF-8 nor MARC-8; read as Latin-1"),
};
#undef MARC_CODE

const CodeText *find(std::int32_t code) {
  const auto *found = std::find_if(kCodes.begin(), kCodes.end(), [code](const CodeText &c) { return c.code == code; });
  return found == kCodes.end() ? nullptr : found;
}

} // namespace

const char *code_message(std::int32_t code) {
  const CodeText *text = find(code);
  return text == nullptr ? "unknown code" : text->message;
}

const char *code_name(std::int32_t code) {
  const CodeText *text = find(code);
  return text == nullptr ? "" : text->name;
}

} // namespace marc
