"""A record that is text in Python as ISO 2709, by one native call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libmarc._native import ffi, lib, new_error, raise_error


def serialize_text(leader: bytes, tags: bytes, text: bytes, zeros: bool = False) -> bytes:
    """The record of these fields.

    `leader` has 24 bytes, of which record length and base address are computed; `tags` three for each field; `text` are
    the contents of the fields in UTF-8, joined by terminators, which they do not hold themselves. OversizeError where a
    field has more than 9 999 bytes, or the record more than 99 999; `zeros` writes 0 for what cannot be stated instead.
    """
    count = len(tags) // 3
    size = 27 + 12 * count + len(text) if count else 26
    return _serialize(leader, tags, count, text, ffi.NULL, size, zeros)


def serialize_bytes(leader: bytes, tags: bytes, contents: Sequence[bytes], zeros: bool = False) -> bytes:
    """The same for contents in any encoding, which may hold terminators."""
    text = b"".join(contents)
    lengths = ffi.new("uint32_t[]", list(map(len, contents)))
    return _serialize(leader, tags, len(contents), text, lengths, 26 + 13 * len(contents) + len(text), zeros)


def _serialize(leader: bytes, tags: bytes, count: int, text: bytes, lengths: Any, size: int, zeros: bool) -> bytes:
    out = bytearray(size)
    room = ffi.from_buffer(out)
    oversize = lib.MARC_OVERSIZE_ZEROS if zeros else lib.MARC_OVERSIZE_ERROR
    arguments = leader, tags, count, text, len(text), lengths, oversize, room, size, ffi.NULL
    if lib.marc_serialize(*arguments, ffi.NULL) != lib.MARC_OK:
        error = new_error()  # seldom wanted: made only now, and asked for once more
        lib.marc_serialize(*arguments, error)
        raise_error(error)
    return bytes(out)
