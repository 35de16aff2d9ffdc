"""Records decoded as the options of MARCReader and Record ask for it, where that is not how the core decodes them.

The core knows UTF-8 and MARC-8. What needs a codec or an error handler of Python's, or no decoding at all, is decoded
here, field by field, as soon as it is read, with pymarc's checks in pymarc's order.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from libmarc._native import lib
from libmarc._odd import users_level
from libmarc.constants import DIRECTORY_ENTRY_LEN, END_OF_FIELD, LEADER_LEN, SUBFIELD_INDICATOR
from libmarc.exceptions import (
    BadSubfieldCodeWarning,
    BaseAddressInvalid,
    BaseAddressNotFound,
    NoFieldsFound,
    RecordDirectoryInvalid,
    RecordLeaderInvalid,
    TruncatedRecord,
)
from libmarc.field import (
    Field,
    Indicators,
    RawField,
    Subfield,
    indicators_of,
    is_control_tag,
    log_indicators,
    make_subfields,
    read_fields,
    subfield_code,
    tags_of,
)

#: This name, and no other spelling of it, means MARC-8.
MARC8 = "iso8859-1"
_DELIMITER = SUBFIELD_INDICATOR.encode()
_TERMINATOR = END_OF_FIELD.encode()
#: Fields that overlap may have so many times the bytes of their record: a limit against crafted input.
_MOST_OVERLAP = 32


class Decoding(NamedTuple):
    """How the text of records is decoded; the parameters of MARCReader."""

    to_unicode: bool = True
    force_utf8: bool = False
    hide_utf8_warnings: bool = False
    utf8_handling: str = "strict"
    file_encoding: str = MARC8

    @property
    def is_native(self) -> bool:
        """Whether it is how the core decodes all records, if it is not told otherwise."""
        return self.keeps_plain and not self.force_utf8 and self.utf8_handling == "strict"

    @property
    def keeps_plain(self) -> bool:
        """Whether it is how the core decodes the records in which it finds no fault, in this `text_mode`."""
        return bool(self.to_unicode and (self.force_utf8 or self.file_encoding == MARC8))

    @property
    def text_mode(self) -> int:
        """MARC_TEXT_..., for the options of a native reader."""
        if not self.keeps_plain:
            return int(lib.MARC_TEXT_RAW)
        return int(lib.MARC_TEXT_UTF8 if self.force_utf8 else lib.MARC_TEXT_BY_LEADER)

    def read_plain(self, raw: bytes) -> tuple[str, list[Field]]:
        """The same as read() for a record that the core calls plain, and quicker where its text has no fault."""
        leader = raw[:LEADER_LEN].decode("ascii")
        base = int(raw[12:17])
        tags = tags_of(raw)
        if not self.to_unicode:
            return leader, list(map(_raw_field, tags, raw[base:].split(_TERMINATOR)))
        codec = "utf-8" if leader[9] == "a" or self.force_utf8 else self.file_encoding
        if codec != MARC8 and _keeps_ascii(codec):
            try:
                return leader, read_fields(tags, str(raw[base:], codec).split(END_OF_FIELD))
            except UnicodeDecodeError:
                pass
        return self.read(raw)

    def read(self, raw: bytes) -> tuple[str, list[Field]]:
        """Leader and fields of the record that these bytes are. Raises what is wrong with it."""
        leader = raw[:LEADER_LEN].decode("ascii")
        if len(leader) != LEADER_LEN:
            raise RecordLeaderInvalid
        text = _Text(self, is_utf8=bool(leader[9] == "a" or self.force_utf8))
        fields = [text.field(tag, content) for tag, content in _entries(raw, leader)]
        if not fields:
            raise NoFieldsFound
        return leader, fields


@cache
def _keeps_ascii(codec: str) -> bool:
    """Whether ASCII, delimiters included, is the same in this encoding, wherever it stands."""
    every = bytes(range(0x80))
    try:
        return every.decode(codec) == every.decode("ascii")
    except (LookupError, UnicodeError):
        return False


def _raw_field(tag: str, content: bytes) -> Field:
    if is_control_tag(tag):
        return RawField(tag, data=content)  # type: ignore[arg-type]
    parts: list[Any] = [part for part in content.split(_DELIMITER)[1:] if part]
    subfields = make_subfields("".join([chr(part[0]) for part in parts]), [part[1:] for part in parts])
    return RawField(tag, Indicators(chr(content[0]), chr(content[1])), subfields)


def _entries(raw: bytes, leader: str) -> Iterator[tuple[str, bytes]]:
    """Tag and content of each field by the directory, without looking for terminators."""
    base = int(raw[12:17])
    if base <= 0:
        raise BaseAddressNotFound
    if base >= len(raw):
        raise BaseAddressInvalid
    if len(raw) < int(leader[:5]):
        raise TruncatedRecord
    directory = raw[LEADER_LEN : base - 1].decode("ascii")
    if len(directory) % DIRECTORY_ENTRY_LEN:
        raise RecordDirectoryInvalid
    room = _MOST_OVERLAP * len(raw)
    for at in range(0, len(directory), DIRECTORY_ENTRY_LEN):
        length = int(directory[at + 3 : at + 7])
        begin = base + int(directory[at + 7 : at + 12])
        content = raw[begin : begin + length - 1]
        room -= len(content)
        if room < 0:
            raise RecordDirectoryInvalid
        yield directory[at : at + 3], content


class _Text:
    """Makes the fields of one record."""

    def __init__(self, how: Decoding, is_utf8: bool) -> None:
        self._how = how
        self._is_utf8 = is_utf8
        self._make = Field if how.to_unicode else RawField

    def field(self, tag: str, content: bytes) -> Field:
        if is_control_tag(tag):
            return self._make(tag, data=self._control_data(content))
        head, *parts = content.split(_DELIMITER)
        indicators = head.decode("ascii")
        if len(indicators) != 2:
            log_indicators(len(indicators), content)
        return self._make(tag, indicators_of(indicators), [self._subfield(part) for part in parts if part])

    def _control_data(self, content: bytes) -> Any:
        if not self._how.to_unicode:
            return content
        return content.decode("utf-8" if self._is_utf8 else self._how.file_encoding)

    def _subfield(self, part: bytes) -> Subfield:
        if part[0] >= 0x80:
            warnings.warn(BadSubfieldCodeWarning(part), stacklevel=users_level())
        code, size = subfield_code(part)
        return Subfield(code, self._value(part[size:]))

    def _value(self, value: bytes) -> Any:
        how = self._how
        if not how.to_unicode:
            return value
        if self._is_utf8:
            return value.decode("utf-8", how.utf8_handling)
        if how.file_encoding == MARC8:
            from libmarc.marc8 import marc8_to_unicode

            return marc8_to_unicode(value, how.hide_utf8_warnings)
        return value.decode(how.file_encoding)
