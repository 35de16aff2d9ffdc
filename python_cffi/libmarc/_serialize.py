"""A record that is text in Python as ISO 2709, by one native call."""

from __future__ import annotations

from collections.abc import Sequence

from libmarc._native import ffi, lib, new_error, raise_error
from libmarc.constants import END_OF_FIELD


def serialize(leader: bytes, tags: bytes, contents: Sequence[str], zeros: bool = False) -> bytes:
    """The record of these fields, in UTF-8.

    `leader` has 24 bytes, of which record length and base address are computed; `tags` three for each field; `contents`
    are the texts of the fields without terminator. ValueError where a field has more than 9 999 bytes, or the record
    more than 99 999; `zeros` writes 0 for what cannot be stated instead.
    """
    count = len(contents)
    joined = END_OF_FIELD.join(contents)
    lengths = ffi.NULL
    if joined.count(END_OF_FIELD) >= max(count, 1):  # a field holds a terminator itself
        encoded = [content.encode() for content in contents]
        text = b"".join(encoded)
        lengths = ffi.new("uint32_t[]", [len(content) for content in encoded])
        size = 26 + 13 * count + len(text)
    else:
        text = joined.encode()
        size = 27 + 12 * count + len(text) if count else 26
    out = bytearray(size)
    written = ffi.new("size_t *")
    error = new_error()
    oversize = lib.MARC_OVERSIZE_ZEROS if zeros else lib.MARC_OVERSIZE_ERROR
    status = lib.marc_serialize(
        leader, tags, count, text, len(text), lengths, oversize, ffi.from_buffer(out), size, written, error
    )
    if status != lib.MARC_OK:
        raise_error(error)
    return bytes(out)
