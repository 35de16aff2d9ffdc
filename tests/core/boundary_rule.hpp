// The boundary rule (docs/boundary-rule.md) a second time: slow and plain, with the whole input at hand.
// SPDX-License-Identifier: MIT
#pragma once

#include "scanner.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace test {

struct Part {
  marc::PieceKind kind;
  std::size_t begin;
  std::size_t end;
  bool operator==(const Part &) const = default;
};

inline std::ostream &operator<<(std::ostream &out, const Part &part) {
  static constexpr const char *kNames[] = {"silent", "record", "chunk", "more", "need", "end"};
  return out << kNames[static_cast<std::size_t>(part.kind)] << ' ' << part.begin << ".." << part.end;
}

class BoundaryRule {
public:
  explicit BoundaryRule(std::string_view data, std::size_t largest = 64 << 20) : data_(data), largest_(largest) {}

  std::vector<Part> pieces() const {
    std::vector<Part> all;
    for (std::size_t at = 0; at < data_.size(); at = all.back().end) add_piece(at, all);
    return all;
  }

  bool verified_start(std::size_t p) const {
    const std::string_view leader = data_.substr(std::min(p, data_.size()), 24);
    if (leader.size() < 24 || !digits(leader.substr(12, 5)) || has_delimiter(leader)) return false;
    if (digits(leader.substr(5, 4)) && leader.substr(5, 5) != "00000") return false;
    const Widths w = widths(leader);
    const std::size_t base = value(leader.substr(12, 5));
    if (w.length + w.start < 9 || base < 25 + w.entry() || (base - 25) % w.entry() != 0) return false;
    if (p + base > data_.size() || data_[p + base - 1] != '\x1e') return false;
    const std::string_view entries = data_.substr(p + 24, base - 25);
    if (has_delimiter(entries)) return false;
    for (std::size_t i = 0; i < entries.size(); i += w.entry())
      if (!digits(entries.substr(i + 3, w.length + w.start))) return false;
    return true;
  }

  std::size_t behind_silent(std::size_t p) const {
    while (p < data_.size() && !verified_start(p)) {
      if (is_silent(data_[p]))
        p += 1;
      else if (data_.substr(p, 3) == "\xef\xbb\xbf")
        p += 3;
      else
        break;
    }
    return p;
  }

private:
  struct Widths {
    std::size_t length, start, other;
    std::size_t entry() const { return 3 + length + start + other; }
  };

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }
  static bool has_delimiter(std::string_view text) {
    return text.find_first_of("\x1d\x1e\x1f") != std::string_view::npos;
  }
  static bool is_silent(char c) { return std::string_view("\0 \t\r\n\x1a\x1d", 7).find(c) != std::string_view::npos; }
  static std::size_t value(std::string_view text) { return text.empty() ? 0 : std::stoul(std::string(text)); }
  static Widths widths(std::string_view leader) {
    const auto part = [leader](std::size_t at, std::size_t usual) {
      return is_digit(leader[at]) ? static_cast<std::size_t>(leader[at] - '0') : usual;
    };
    return {part(20, 4), part(21, 5), part(22, 0)};
  }

  // End of the sound record at p, or 0.
  std::size_t sound_end(std::size_t p) const {
    if (!verified_start(p) || !digits(data_.substr(p, 5))) return 0;
    const std::size_t end = p + value(data_.substr(p, 5));
    const std::size_t base = p + value(data_.substr(p + 12, 5));
    if (base >= end || end > data_.size() || data_.substr(end - 2, 2) != "\x1e\x1d") return 0;
    const Widths w = widths(data_.substr(p, 24));
    std::size_t last = 0;
    for (std::size_t i = p + 24; i < base - 1; i += w.entry()) {
      const std::size_t size = value(data_.substr(i + 3, w.length));
      const std::size_t first = base + value(data_.substr(i + 3 + w.length, w.start));
      if (size < 1 || first + size > end - 1 || data_[first + size - 1] != '\x1e') return 0;
      last = std::max(last, first + size);
    }
    if (last != end - 1) return 0;
    for (std::size_t at = data_.find('\x1d', p); at < end - 1; at = data_.find('\x1d', at + 1))
      if (verified_start(behind_silent(at + 1))) return 0;
    return end;
  }

  std::size_t chunk_end(std::size_t p) const {
    const std::size_t terminator = data_.find('\x1d', p);
    const std::size_t end = terminator == std::string_view::npos ? data_.size() : terminator + 1;
    std::size_t start = verified_start(p) ? p + value(data_.substr(p + 12, 5)) : p + 1;
    while (start < end && !verified_start(start)) ++start;
    if (start >= end) return end;
    const std::size_t least = std::max(p + 1, start - std::min<std::size_t>(start, 4096));
    while (start > least && is_silent(data_[start - 1])) --start;
    return start;
  }

  void add_piece(std::size_t p, std::vector<Part> &all) const {
    using marc::PieceKind;
    if (const std::size_t silent = behind_silent(p); silent > p) {
      all.push_back({PieceKind::Silent, p, silent});
    } else if (const std::size_t sound = sound_end(p); sound != 0) {
      all.push_back({PieceKind::Record, p, sound});
    } else {
      const std::size_t end = chunk_end(p);
      for (std::size_t cut = p; cut < end; cut += largest_)
        all.push_back({cut == p ? PieceKind::Chunk : PieceKind::More, cut, std::min(end, cut + largest_)});
    }
  }

  std::string_view data_;
  std::size_t largest_;
};

// In words, the first place where two lists of pieces differ; "" if they do not.
inline std::string difference(const std::vector<Part> &expected, const std::vector<Part> &got) {
  std::string words;
  const auto say = [&words](const char *who, const std::vector<Part> &all, std::size_t i) {
    static constexpr const char *kNames[] = {"silent", "record", "chunk", "more", "need", "end"};
    words += who;
    if (i < all.size())
      words += std::string(kNames[static_cast<std::size_t>(all[i].kind)]) + ' ' + std::to_string(all[i].begin) + ".." +
               std::to_string(all[i].end);
    else
      words += "nothing";
  };
  for (std::size_t i = 0; i < std::max(expected.size(), got.size()); ++i) {
    if (i < expected.size() && i < got.size() && expected[i] == got[i]) continue;
    say("expected ", expected, i);
    say(", got ", got, i);
    return words + " (piece " + std::to_string(i) + ")";
  }
  return words;
}

} // namespace test
