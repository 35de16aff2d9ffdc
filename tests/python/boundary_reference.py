#!/usr/bin/env python3
"""Where MARC records begin and end: a plain reference of the boundary rule, for tests.

The rule cuts bytes into pieces, in order and without gaps:

=======  ==============================================================================================
record   sound: the length in its leader, its directory and the ends of its fields agree
chunk    anything else that is not silent, as one piece: to be repaired or rejected
more     the continuation of a chunk that is larger than the largest record size
silent   bytes that say nothing, between records: NUL, HT, LF, CR, 0x1A, 0x1D, blank, UTF-8 BOM
=======  ==============================================================================================

Three notions carry it:

*Verified start*: a leader and a directory that prove each other. 24 bytes without a delimiter; a base address
that lands just behind an 0x1E; between the leader and that 0x1E one or more whole entries without a
delimiter, whose lengths and offsets are digits. The record length takes no part in it, nor does any byte
behind the directory. Digits in leader/05-08 refuse it, unless leader/05-09 is `00000`: in the middle of a
directory there are digits everywhere.

*Anchor*: a verified start behind an 0x1D, silent bytes between them allowed. Every reader begins a piece
there, whatever some length before it claims.

*Foreign input*: one that begins as a compressed file, an archive or UTF-16. There 0x1D means nothing: its first piece
ends before the next verified start, or with the input.

*Range*: [begin, end) owns the pieces whose first byte lies in it. Reading for a range sets out from the last
anchor at or before its begin, so that any tiling of a file gives the pieces of the file.

The whole input is in memory and looked over once before the first piece comes out: no streaming here.

usage: boundary_reference.py FILE ...    prints a count of pieces for every file
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

LARGEST = 64 << 20
LOOK_BACK = 4096  # at most so many silent bytes before a verified start are cut off the end of a chunk
SILENT = b"\0\t\n\r\x1a\x1d "
BOM = b"\xef\xbb\xbf"
LEADER = 24

# A leader that a record could begin with, as far as one look tells; the lookahead finds overlapping ones too.
_LEADER_LIKE = re.compile(rb"(?=[^\x1d-\x1f]{12}[0-9]{5}[^\x1d-\x1f]{7})")
_DELIMITER = re.compile(rb"[\x1d-\x1f]")
_DIGITS = re.compile(rb"[0-9]+")

# Compressed files, archives, and ASCII in UTF-16.
_FOREIGN = re.compile(
    rb"\x1f\x8b\x08|BZh|\xfd7zXZ\0|\x28\xb5\x2f\xfd|PK\x03\x04|(\xff\xfe)?([ -~]\0){4}|(\xfe\xff)?(\0[ -~]){4}"
)

Piece = tuple[str, int, int]


def entry_widths(data: bytes, start: int) -> tuple[int, int, int]:
    """Widths of the length, the offset and the rest of an entry, from leader/20-22; no digits: 4, 5 and 0."""
    length, offset, rest = data[start + 20 : start + 23]
    return _digit(length, 4), _digit(offset, 5), _digit(rest, 0)


def _digit(byte: int, usual: int) -> int:
    return byte - 0x30 if 0x30 <= byte <= 0x39 else usual


def _is_digits(text: bytes) -> bool:
    return _DIGITS.fullmatch(text) is not None


def _inside_directory(data: bytes, start: int) -> bool:
    """Leader/05-08 are digits, as in the middle of a directory. CDS/ISIS has zeros there in true leaders."""
    return _is_digits(data[start + 5 : start + 9]) and data[start + 5 : start + 10] != b"00000"


def _directory_end(data: bytes, start: int) -> int:
    """Where the base address of a verified start leads, or 0; `start` looks like a leader already."""
    base = start + int(data[start + 12 : start + 17])
    length, offset, rest = entry_widths(data, start)
    width, first, last = 3 + length + offset + rest, start + LEADER, base - 1
    if length + offset < 9 or last < first + width or (last - first) % width or data[last:base] != b"\x1e":
        return 0
    entries = (data[at + 3 : at + 3 + length + offset] for at in range(first, last, width))
    return base if all(map(_is_digits, entries)) else 0


def verified_starts(data: bytes) -> dict[int, int]:
    """Every verified start and its base address as a position, in order."""
    found: dict[int, int] = {}
    delimiter = -1
    for match in _LEADER_LIKE.finditer(data):
        start = match.start()
        if delimiter < start:
            following = _DELIMITER.search(data, start)
            if following is None:
                break  # no 0x1E from here on, so no directory ends
            delimiter = following.start()
        # The first delimiter behind the leader is the one that must end the directory.
        if start + int(data[start + 12 : start + 17]) != delimiter + 1 or _inside_directory(data, start):
            continue
        base = _directory_end(data, start)
        if base:
            found[start] = base
    return found


class Boundaries:
    """The pieces of one input, and of any range of it."""

    def __init__(self, data: bytes, largest: int = LARGEST) -> None:
        self.data = data
        self.largest = largest
        self.base = verified_starts(data)
        self.starts = list(self.base)
        self.anchors = list(self._find_anchors())
        self.first = self.behind_silent(0)

    def _find_anchors(self) -> Iterator[int]:
        walked = 0
        at = self.data.find(b"\x1d")
        while at >= 0:
            if at >= walked:  # else the walk from an earlier 0x1D came through here, to the same place
                walked = self.behind_silent(at + 1)
                if walked in self.base:
                    yield walked
            at = self.data.find(b"\x1d", at + 1)

    def behind_silent(self, at: int) -> int:
        """The first place from `at` on that holds no silent byte or is a verified start."""
        while at < len(self.data) and at not in self.base:
            if self.data[at] in SILENT:
                at += 1
            elif self.data.startswith(BOM, at):
                at += len(BOM)
            else:
                break
        return at

    def next_start(self, begin: int, end: int) -> int:
        """The first verified start in [begin, end), or -1."""
        index = bisect_left(self.starts, begin)
        return self.starts[index] if index < len(self.starts) and self.starts[index] < end else -1

    def last_anchor(self, at: int) -> int:
        """The last anchor at or before `at`; the begin of the input where there is none."""
        index = bisect_right(self.anchors, at)
        return self.anchors[index - 1] if index else 0

    def _has_inner_anchor(self, begin: int, end: int) -> bool:
        index = bisect_right(self.anchors, begin)
        return index < len(self.anchors) and self.anchors[index] < end

    def _last_field_end(self, start: int, end: int) -> int:
        """The end of the field that ends last, or 0 if a field does not end at an 0x1E before `end`."""
        length, offset, rest = entry_widths(self.data, start)
        base, last = self.base[start], 0
        for at in range(start + LEADER + 3, base - 1, 3 + length + offset + rest):
            size = int(self.data[at : at + length] or b"0")
            field_end = base + int(self.data[at + length : at + length + offset] or b"0") + size
            if size == 0 or field_end >= end or self.data[field_end - 1] != 0x1E:
                return 0
            last = max(last, field_end)
        return last

    def sound_end(self, at: int) -> int:
        """The end of the sound record at `at`, or 0 if there is none."""
        if at not in self.base or not _is_digits(self.data[at : at + 5]):
            return 0
        end = at + int(self.data[at : at + 5])
        if end <= self.base[at] or self.data[end - 2 : end] != b"\x1e\x1d":
            return 0
        if self._last_field_end(at, end) != end - 1:
            return 0
        return 0 if self._has_inner_anchor(at, end) else end

    def chunk_end(self, at: int) -> int:
        """Behind the next 0x1D, before the next verified start, or the end of input: whichever is first."""
        end = self.data.find(b"\x1d", at) + 1 or len(self.data)
        if at == self.first and _FOREIGN.match(self.data, at):
            end = len(self.data)
        start = self.next_start(self.base.get(at, at + 1), end)
        if start < 0:
            return end
        least = max(at + 1, start - LOOK_BACK)
        while start > least and self.data[start - 1] in SILENT:
            start -= 1
        return start

    def piece_at(self, at: int) -> Piece:
        """The piece that begins at `at`, where a piece begins."""
        silent = self.behind_silent(at)
        if silent > at:
            return "silent", at, silent
        end = self.sound_end(at)
        return ("record", at, end) if end else ("chunk", at, self.chunk_end(at))

    def _parts(self, piece: Piece) -> Iterator[Piece]:
        """The piece itself, or an oversized chunk in parts cut from its own beginning."""
        kind, begin, end = piece
        if kind != "chunk" or end - begin <= self.largest:
            yield piece
            return
        for cut in range(begin, end, self.largest):
            yield "chunk" if cut == begin else "more", cut, min(end, cut + self.largest)

    def pieces(self, begin: int = 0, end: int | None = None) -> Iterator[Piece]:
        """The pieces that begin in [begin, end)."""
        stop = len(self.data) if end is None else min(end, len(self.data))
        at = self.last_anchor(begin)
        while at < stop:
            piece = self.piece_at(at)
            yield from (part for part in self._parts(piece) if begin <= part[1] < stop)
            at = piece[2]


def pieces(data: bytes, begin: int = 0, end: int | None = None, largest: int = LARGEST) -> Iterator[Piece]:
    """(kind, begin, end) of every piece that begins in [begin, end), in order."""
    return Boundaries(data, largest).pieces(begin, end)


def main() -> None:
    for path in sys.argv[1:]:
        found = Counter(kind for kind, _, _ in pieces(Path(path).read_bytes()))
        print(f"{path}: {found['record']} records, {found['chunk']} chunks, {found['silent']} silent runs")


if __name__ == "__main__":
    main()
