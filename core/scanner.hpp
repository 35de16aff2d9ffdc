// Where records begin and end: a pure function of the bytes, described in docs/boundary-rule.md.
//
// A caller holds a window on its input and asks for the piece at the beginning of the window. It takes the piece away
// (the next call gets the bytes behind it), or gives more bytes where the scanner needs them. The scanner remembers
// what it has looked at, so that the work is linear in the bytes whatever the sizes in which they come.
// SPDX-License-Identifier: MIT
#pragma once

#include "directory.hpp"
#include "leader.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace marc {

enum class PieceKind : std::uint8_t {
  Silent,   // bytes between records that say nothing: NUL, HT, LF, CR, blank, 0x1A, 0x1D, UTF-8 byte order mark
  Record,   // sound: framed by its own length; directory() has its entries
  Chunk,    // anything else, as one piece: to be parsed as well as it can be, or rejected
  More,     // the next part of a chunk above the largest record size
  NeedMore, // the window ends before the piece is decided; `length` bytes let it go on
  End       // the window is empty, and the input ends
};

struct Piece {
  PieceKind kind;
  std::size_t length;   // of the piece; NeedMore: the size of window that is needed
  bool partial = false; // a chunk above the largest size: More follows
};

class Scanner {
public:
  // `largest`: chunks above it come in parts of this many bytes.
  explicit Scanner(std::size_t largest) : largest_(largest) {}

  // The piece that begins at window[0]. `final`: no bytes follow the window. After NeedMore the next window must begin
  // with the same bytes; after any other answer it begins just behind the piece.
  Piece next(const std::uint8_t *window, std::size_t size, bool final);

  // Leader and directory of the Record just returned.
  const Leader &leader() const { return leader_; }
  const Directory &directory() const { return directory_; }
  // The format that the Chunk just returned seems to have, if the input begins with it: MARC_BAD_... or 0.
  std::int32_t foreign() const { return foreign_; }
  // Whether parts of the piece at window[0] were handed out already.
  bool in_parts() const { return passed_ > 0; }
  // Whether nothing but silent bytes was found yet.
  bool at_beginning() const { return beginning_; }
  // The next window begins at an anchor: what was found before does not matter.
  void begin_at_anchor();

private:
  enum class Answer : std::uint8_t { No, Yes, Wait };
  enum class State : std::uint8_t {
    Fresh,    // nothing known of the piece at window[0]
    Leader,   // its leader could begin a record; the directory is being read
    Verified, // a verified start; its soundness is not decided
    Search,   // a chunk: its end is being searched
    Cut       // a chunk whose end is known, above the largest size, is handed out in parts
  };

  Answer verify(const std::uint8_t *window, std::size_t size, bool final);
  Answer sound(const std::uint8_t *window, std::size_t size, bool final);
  bool promises_sound(const std::uint8_t *window) const;
  bool holds_anchor(const std::uint8_t *record, std::size_t end);
  bool look_foreign(const std::uint8_t *window, std::size_t size, bool final);
  Piece silent(const std::uint8_t *window, std::size_t size, bool final);
  Piece search(const std::uint8_t *window, std::size_t size, bool final);
  std::size_t start_before(const std::uint8_t *window, std::size_t terminator);
  std::size_t valid_entries_from(const std::uint8_t *window, std::size_t terminator, const EntryMap &map);
  Piece chunk(std::size_t length);
  Piece cut();
  Piece piece(PieceKind kind, std::size_t length);
  Piece need(std::size_t size) const { return {PieceKind::NeedMore, size}; }

  std::size_t largest_;
  State state_ = State::Fresh;
  Leader leader_{};          // from State::Leader on
  Directory directory_;      // from State::Leader on
  std::size_t needed_ = 0;   // State::Leader, Verified: window size below which nothing new can be said
  std::size_t searched_ = 0; // State::Search: delimiters before it have been seen
  std::size_t run_ = 0;      // State::Search: where the run without delimiters that `searched_` is in begins
  std::uint64_t passed_ = 0; // bytes of the chunk that were handed out in parts
  std::size_t anchor_ = 0;   // the next 0x1D that begins an anchor, where the window was searched for it; else 0
  bool beginning_ = true;    // no piece but silent bytes was found yet
  std::int32_t foreign_ = 0; // format of the chunk
  std::size_t end_ = 0;      // State::Cut: end of the chunk in the window

  // For each width of entries, how far back from one 0x1E they are valid; computed once for each terminator.
  static constexpr std::size_t kUnknown = static_cast<std::size_t>(-1);
  std::array<std::size_t, 100> valid_from_{};
};

// Whether a verified start (docs/boundary-rule.md) is at data[0]; all bytes that follow in the input are in `size`.
bool is_verified_start(const std::uint8_t *data, std::size_t size);

// Offset behind the silent bytes at data[0]; a verified start ends them.
std::size_t skip_silent(const std::uint8_t *data, std::size_t size);

// The last anchor at or before data[latest], behind an 0x1D in data[from, to): where, silent bytes passed over, a verified
// start follows. 0 if there is none. `size`: all bytes that can be looked at.
std::size_t last_anchor(const std::uint8_t *data, std::size_t from, std::size_t to, std::size_t latest,
                        std::size_t size);

} // namespace marc
