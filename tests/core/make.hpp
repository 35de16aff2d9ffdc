// Makes bytes and records for the tests of the core.
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace test {

inline const std::uint8_t *bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t *>(text.data());
}

inline std::string text_of(const std::uint8_t *data, std::size_t size) {
  return {reinterpret_cast<const char *>(data), size};
}

// Delimiters as they are printed: $ is 0x1F, ^ is 0x1E, % is 0x1D.
inline std::string marc_of(std::string text) {
  for (char &letter : text) letter = letter == '$' ? '\x1f' : letter == '^' ? '\x1e' : letter == '%' ? '\x1d' : letter;
  return text;
}

// A copy with nothing behind its last byte, so that a sanitizer sees a byte that is read too much.
class Exact {
public:
  explicit Exact(std::string_view text) : bytes_(new std::uint8_t[text.size()]), size_(text.size()) {
    std::copy(text.begin(), text.end(), bytes_.get());
  }
  const std::uint8_t *data() const { return bytes_.get(); }
  std::size_t size() const { return size_; }

private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_;
};

// The same numbers everywhere for the same seed; the distributions of <random> do not promise that.
class Random {
public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t limit) { return engine_() % limit; }
  std::size_t between(std::size_t least, std::size_t most) { return least + below(most - least + 1); }
  bool one_in(std::size_t count) { return below(count) == 0; }
  char of(std::string_view letters) { return letters[below(letters.size())]; }
  std::string text(std::size_t size, std::string_view letters) {
    std::string made(size, '\0');
    for (char &letter : made) letter = of(letters);
    return made;
  }

private:
  std::mt19937 engine_;
};

// `value` in at least `width` decimal digits.
inline std::string number(std::size_t value, std::size_t width) {
  std::string digits = std::to_string(value);
  return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

struct Field {
  std::string tag;
  std::string body; // without the terminator
};

// What a leader says beside length and base address. The default is MARC 21 in UTF-8.
struct Form {
  std::string length = {};           // leader/00-04; "": the true length
  std::string head = "nam a22";      // leader/05-11
  std::string base = {};             // leader/12-16; "": the true base address
  std::string middle = " a ";        // leader/17-19
  std::string map = "4500";          // leader/20-23
  std::string filling = "........."; // implementation-defined part of the entries, from the left
};

// A record whose fields follow one another in the order of their entries.
inline std::string record(const std::vector<Field> &fields, const Form &form = {}) {
  const auto part = [&form](std::size_t at) { return static_cast<std::size_t>(form.map[at] - '0'); };
  std::string directory;
  std::string data;
  for (const Field &field : fields) {
    directory += field.tag + (part(0) > 0 ? number(field.body.size() + 1, part(0)) : "") +
                 (part(1) > 0 ? number(data.size(), part(1)) : "") + form.filling.substr(0, part(2));
    data += field.body + '\x1e';
  }
  const std::size_t base = 24 + directory.size() + 1;
  const std::size_t length = base + data.size() + 1;
  return (form.length.empty() ? number(length, 5) : form.length) + form.head +
         (form.base.empty() ? number(base, 5) : form.base) + form.middle + form.map + directory + '\x1e' + data +
         '\x1d';
}

// A small bibliographic record with this title.
inline std::string titled(const std::string &title, const Form &form = {}) {
  return record({{"001", "id" + std::to_string(title.size())},
                 {"100", marc_of("1 $aFarrow, Edith")},
                 {"245", marc_of("10$a" + title + "$bwith notes")}},
                form);
}

// `text` with the bytes from `at` on replaced.
inline std::string with(const std::string &text, std::size_t at, std::string_view bytes) {
  return text.substr(0, at) + std::string(bytes) + text.substr(at + bytes.size());
}

inline std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

} // namespace test
