"""A plain record of which some fields were handed out, written from its own bytes: the others are not made for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from libmarc._serialize import serialize_text
from libmarc.constants import DIRECTORY_ENTRY_LEN, END_OF_FIELD, LEADER_LEN

if TYPE_CHECKING:
    from libmarc.field import Field

_TERMINATOR = END_OF_FIELD.encode()


def splice(leader: bytes, raw: bytes, handed_out: Mapping[tuple[str, ...], Iterable[Field]]) -> bytes | None:
    """The record with this leader, and the fields that were handed out, by their tags, as they are now.

    None where these are to be looked at one by one: a tag is not of three characters, a content holds a terminator.
    """
    base = int(raw[12:17])
    directory = raw[LEADER_LEN : base - 1]
    tags = _tags(directory)
    changes = []
    for wanted, fields in handed_out.items():
        for at, field in zip(_entries(directory, wanted), fields):
            tag, content = field.tag.encode(), field._content().encode()
            if len(tag) != 3 or _TERMINATOR in content:
                return None
            number = at // DIRECTORY_ENTRY_LEN
            tags[3 * number : 3 * number + 3] = tag
            begin = base + int(directory[at + 7 : at + 12])
            changes.append((begin, begin + int(directory[at + 3 : at + 7]) - 1, content))
    pieces: list[bytes] = []
    done = base
    for begin, end, content in sorted(changes):
        pieces += (raw[done:begin], content)
        done = end
    pieces.append(raw[done:-2])  # behind it stand the terminators of the last field and of the record
    return serialize_text(leader, bytes(tags), b"".join(pieces))


def _tags(directory: bytes) -> bytearray:
    """The tags of a directory, one behind another."""
    tags = bytearray(len(directory) // DIRECTORY_ENTRY_LEN * 3)
    for i in range(3):
        tags[i::3] = directory[i::DIRECTORY_ENTRY_LEN]
    return tags


def _entries(directory: bytes, wanted: Iterable[str]) -> list[int]:
    """Where the entries with one of these tags stand in the directory."""
    found = []
    for tag in {tag.encode() for tag in wanted}:
        at = directory.find(tag)
        while at >= 0:
            if at % DIRECTORY_ENTRY_LEN == 0:
                found.append(at)
            at = directory.find(tag, at + 1)
    return sorted(found)
