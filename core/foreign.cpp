// SPDX-License-Identifier: MIT
#include "foreign.hpp"

#include "bytes.hpp"

#include <marc/marc.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace marc {
namespace {

using std::string_view;
using namespace std::string_view_literals;

struct Magic {
  string_view bytes;
  std::int32_t code;
};

constexpr string_view kGzip = "\x1F\x8B\x08"sv;

constexpr std::array kMagic{
    Magic{kGzip, MARC_BAD_GZIP},
    Magic{"BZh"sv, MARC_BAD_BZIP2},
    Magic{"\xFD\x37zXZ\x00"sv, MARC_BAD_XZ},
    Magic{"\x28\xB5\x2F\xFD"sv, MARC_BAD_ZSTD},
    Magic{"PK\x03\x04"sv, MARC_BAD_ZIP},
    Magic{"=LDR"sv, MARC_BAD_MARCMAKER},
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool begins_like(string_view text, string_view word) {
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) { return a == lower(b); });
}

bool is_html(string_view text) { return begins_like(text, "<!doctype html") || begins_like(text, "<html"); }

bool is_xml(string_view text) {
  return text.size() >= 2 && text[0] == '<' && (is_letter(text[1]) || text[1] == '?' || text[1] == '!');
}

// An object or an array of objects.
bool is_json(string_view text) {
  if (text.empty() || (text[0] != '{' && text[0] != '[')) return false;
  const std::size_t next = text.find_first_not_of(" \t\r\n", 1);
  return next != string_view::npos && string_view("\"{}[]").find(text[next]) != string_view::npos;
}

// Four characters of ASCII, in either order of bytes; the byte order mark alone could be anything.
bool is_utf16(string_view text) {
  const bool marked = text.size() >= 2 && (text.substr(0, 2) == "\xFF\xFE"sv || text.substr(0, 2) == "\xFE\xFF"sv);
  const string_view rest = text.substr(marked ? 2 : 0);
  if (rest.size() < 8) return false;
  const bool big = rest[0] == 0;
  for (std::size_t i = 0; i < 8; i += 2) {
    const char high = rest[i + (big ? 0 : 1)];
    const char low = rest[i + (big ? 1 : 0)];
    if (high != 0 || low < ' ' || low > '~') return false;
  }
  return true;
}

} // namespace

std::int32_t foreign_format(const std::uint8_t *data, std::size_t size) {
  count_steps(kForeignBytes);
  const string_view text(reinterpret_cast<const char *>(data), std::min(size, kForeignBytes));
  for (const Magic &magic : kMagic)
    if (text.starts_with(magic.bytes)) return magic.code;
  if (is_html(text)) return MARC_BAD_HTML;
  if (is_xml(text)) return MARC_BAD_XML;
  if (is_json(text)) return MARC_BAD_JSON;
  return is_utf16(text) ? std::int32_t{MARC_BAD_UTF16} : 0;
}

bool may_be_foreign(const std::uint8_t *data, std::size_t size) {
  return kGzip.starts_with(string_view(reinterpret_cast<const char *>(data), std::min(size, kForeignBytes)));
}

bool is_binary_format(std::int32_t code) {
  return code == MARC_BAD_GZIP || code == MARC_BAD_BZIP2 || code == MARC_BAD_XZ || code == MARC_BAD_ZSTD ||
         code == MARC_BAD_ZIP || code == MARC_BAD_UTF16;
}

} // namespace marc
