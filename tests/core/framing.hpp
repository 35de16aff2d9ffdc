// Drives a scanner over bytes that come in windows of any size, and holds it to the promises of scanner.hpp.
// SPDX-License-Identifier: MIT
#pragma once

#include "boundary_rule.hpp"
#include "make.hpp"
#include "scanner.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace test {

struct Framing {
  std::vector<Part> pieces; // silent ones that touch are one
  std::string broken;       // the first promise that was not kept
};

class Framer {
public:
  // `ends_late`: that the input ends is said after its last byte has come, not with it.
  Framer(std::string_view data, std::size_t largest, bool ends_late)
      : data_(data), scanner_(largest), ends_late_(ends_late) {}

  // All pieces. grow(missing): how many bytes come next, where the scanner needs `missing` more.
  template <typename Grow> Framing run(std::size_t first_window, Grow grow) {
    add(first_window);
    for (bool more = true; more && framing_.broken.empty();) more = step(grow);
    return framing_;
  }

private:
  template <typename Grow> bool step(Grow grow) {
    const marc::Piece piece = ask();
    const std::size_t size = seen_ - begin_;
    switch (piece.kind) {
    case marc::PieceKind::End:
      expect(final_ && size == 0, "End before the end");
      return false;
    case marc::PieceKind::NeedMore:
      expect(!final_, "NeedMore behind the last byte");
      expect(piece.length > size, "NeedMore for no more than there is");
      if (seen_ == data_.size())
        final_ = true;
      else
        add(grow(piece.length - std::min(piece.length, size)));
      return true;
    default:
      take(piece);
      return true;
    }
  }

  marc::Piece ask() {
    const std::string_view window = data_.substr(begin_, seen_ - begin_);
    if (window.size() > 4096) return scanner_.next(bytes_of(window), window.size(), final_);
    const Exact copy(window);
    return scanner_.next(copy.data(), copy.size(), final_);
  }

  void take(const marc::Piece &piece) {
    using marc::PieceKind;
    expect(piece.length > 0 && piece.length <= seen_ - begin_, "a piece outside its window");
    expect((piece.kind == PieceKind::More) == in_parts_, "More without a part before it, or a part without More");
    expect(!piece.partial || piece.kind == PieceKind::Chunk || piece.kind == PieceKind::More, "a part of no chunk");
    in_parts_ = piece.partial;
    const Part part{piece.kind, begin_, begin_ + piece.length};
    std::vector<Part> &all = framing_.pieces;
    if (part.kind == PieceKind::Silent && !all.empty() && all.back().kind == PieceKind::Silent)
      all.back().end = part.end;
    else
      all.push_back(part);
    begin_ = part.end;
  }

  void add(std::size_t bytes) {
    seen_ = std::min(data_.size(), seen_ + bytes);
    if (seen_ == data_.size() && !ends_late_) final_ = true;
  }

  void expect(bool kept, const char *promise) {
    if (!kept && framing_.broken.empty()) framing_.broken = std::string(promise) + " at " + std::to_string(begin_);
  }

  std::string_view data_;
  marc::Scanner scanner_;
  bool ends_late_;
  bool final_ = false;
  bool in_parts_ = false;
  std::size_t begin_ = 0; // of the window
  std::size_t seen_ = 0;  // its end
  Framing framing_;
};

constexpr std::size_t kLargest = 64 << 20;

// The whole input at once.
inline Framing frame_whole(std::string_view data, std::size_t largest = kLargest) {
  return Framer(data, largest, false).run(data.size(), [](std::size_t) { return std::size_t{1}; });
}

// One byte more each time, whatever the scanner asked for.
inline Framing frame_bytewise(std::string_view data, std::size_t largest = kLargest, bool ends_late = true) {
  return Framer(data, largest, ends_late).run(0, [](std::size_t) { return std::size_t{1}; });
}

// As many bytes as the scanner asks for, and never more.
inline Framing frame_as_asked(std::string_view data, std::size_t largest = kLargest) {
  return Framer(data, largest, true).run(0, [](std::size_t missing) { return missing; });
}

// In two windows.
inline Framing frame_split(std::string_view data, std::size_t split, std::size_t largest = kLargest) {
  return Framer(data, largest, false).run(split, [&](std::size_t) { return data.size(); });
}

// "" if these are the pieces in all ways to give the bytes, else what went wrong.
inline std::string problem_of(const Framing &framing, const std::vector<Part> &expected, const std::string &way) {
  const std::string words = framing.broken.empty() ? difference(expected, framing.pieces) : framing.broken;
  return words.empty() ? words : way + ": " + words;
}

inline std::string problem_in_any_window(std::string_view data, const std::vector<Part> &expected,
                                         std::size_t largest = kLargest) {
  std::string problem = problem_of(frame_whole(data, largest), expected, "whole");
  if (problem.empty()) problem = problem_of(frame_bytewise(data, largest, true), expected, "byte by byte, end late");
  if (problem.empty()) problem = problem_of(frame_bytewise(data, largest, false), expected, "byte by byte");
  if (problem.empty()) problem = problem_of(frame_as_asked(data, largest), expected, "as asked");
  for (std::size_t split = 0; problem.empty() && split <= data.size(); ++split)
    problem = problem_of(frame_split(data, split, largest), expected, "split at " + std::to_string(split));
  return problem;
}

} // namespace test
