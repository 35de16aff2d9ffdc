"""Pieces of the input that are not plain records: rejected ones, and records that deviate from the standard.

Plain records (MARC_REC_PLAIN, nearly all) never come here; record.py takes them apart by itself.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any, NamedTuple

from libmarc import exceptions
from libmarc._batch import all_plain, new_slot, view_of
from libmarc._native import code_message, ffi, lib, new_error, raise_error, unpack_tag
from libmarc.constants import DIRECTORY_ENTRY_LEN, LEADER_LEN
from libmarc.field import Field, read_field_bytes, read_fields, subfield_code


def _log(message: str, content: bytes) -> None:
    import logging  # here: most programs never need it, and `import libmarc` is quicker without

    logging.getLogger("pymarc").warning(message, content)  # the name that users of pymarc have configured


class Problem(NamedTuple):
    """A deviation from the standard in a record that was delivered."""

    code: int  # MARC_NOTE_... of marc.h
    byte_offset: int  # where, in the source
    tag: str | None  # of the field concerned
    message: str  # one line


class OddRecord(NamedTuple):
    """What is to be known of a record that was read and is not plain."""

    problems: tuple[Problem, ...]
    spans: list[tuple[str, int, int]]  # tag, begin and end of each field in the bytes of the record
    has_high_codes: bool  # some subfield code is above 0x7F

    def read_fields(self, raw: bytes) -> list[Field]:
        encoding = text_encoding(raw)
        if self.has_high_codes:
            return [read_field_bytes(tag, raw[begin:end], encoding) for tag, begin, end in self.spans]
        tags = [tag for tag, _, _ in self.spans]
        return read_fields(tags, [str(raw[begin:end], encoding) for _, begin, end in self.spans])


def text_encoding(raw: bytes) -> str:
    """The encoding of the text of a record; see Record.has_unconverted_text."""
    return "utf-8" if raw[9] == 0x61 else "latin-1"


def _users_level() -> int:
    """The stacklevel, for the function that asks, of the first caller outside this package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        level, frame = level + 1, frame.f_back
    return level


_CLASSES: dict[int, type[exceptions.PymarcException]] = {
    lib.MARC_BAD_LENGTH: exceptions.RecordLengthInvalid,
    lib.MARC_BAD_TRUNCATED: exceptions.TruncatedRecord,
    lib.MARC_BAD_END_NOT_FOUND: exceptions.EndOfRecordNotFound,
    lib.MARC_BAD_LEADER: exceptions.RecordLeaderInvalid,
    lib.MARC_BAD_BASE_MISSING: exceptions.BaseAddressNotFound,
    lib.MARC_BAD_BASE_RANGE: exceptions.BaseAddressInvalid,
    lib.MARC_BAD_DIRECTORY: exceptions.RecordDirectoryInvalid,
    lib.MARC_BAD_NO_FIELDS: exceptions.NoFieldsFound,
    lib.MARC_BAD_OVERSIZE: exceptions.RecordTooLarge,
    lib.MARC_BAD_OVERSIZE_PART: exceptions.RecordTooLarge,
    lib.MARC_BAD_CUT: exceptions.TruncatedRecord,
    lib.MARC_BAD_OVERLAP: exceptions.RecordDirectoryInvalid,
    lib.MARC_BAD_GZIP: exceptions.RecordLengthInvalid,
    lib.MARC_BAD_BZIP2: exceptions.RecordLengthInvalid,
    lib.MARC_BAD_XZ: exceptions.RecordLengthInvalid,
    lib.MARC_BAD_ZSTD: exceptions.RecordLengthInvalid,
    lib.MARC_BAD_ZIP: exceptions.RecordLengthInvalid,
    lib.MARC_BAD_XML: exceptions.RecordLengthInvalid,
    lib.MARC_BAD_HTML: exceptions.RecordLengthInvalid,
    lib.MARC_BAD_JSON: exceptions.RecordLengthInvalid,
    lib.MARC_BAD_MARCMAKER: exceptions.RecordLengthInvalid,
    lib.MARC_BAD_UTF16: exceptions.RecordLengthInvalid,
}


def _python_error(code: int, content: bytes) -> Exception:
    """The exception that Python itself raises on these bytes: pymarc lets it through."""
    try:
        if code == lib.MARC_BAD_TEXT:
            content.decode("utf-8")
        elif code == lib.MARC_BAD_BASE_NUMBER:
            int(content)
        elif code == lib.MARC_BAD_DIRECTORY_NUMBER:
            int(content.decode("ascii"))
        else:
            content.decode("ascii")
    except ValueError as problem:
        return problem.with_traceback(None)
    return exceptions.PymarcException(code_message(code))


class Piece:
    """Piece `number` of a batch, with its notes. `origin`: where in the source reading began."""

    def __init__(self, view: Any, number: int, raw: bytes, origin: int = 0) -> None:
        self.view = view
        self.number = number
        self.raw = raw
        self.start: int = view.record_start[number]
        self._offset: int = origin + view.source_offset  # of the batch in the source
        self.notes = notes_of(view, number)

    @property
    def is_rejected(self) -> bool:
        return bool(self.view.record_status[self.number] != lib.MARC_OK)

    def content(self, note: Any) -> bytes:
        """The bytes that a note is about."""
        begin = note.offset - self.start
        return self.raw[begin : begin + note.length]

    def error(self) -> Exception:
        """Why the piece was rejected, with its place."""
        code: int = self.view.record_status[self.number]
        note = self.notes[-1]
        known = _CLASSES.get(code)
        error = known() if known is not None else _python_error(code, self.content(note))
        return self._placed(error, code, self._offset + note.offset, note.tag)

    def _placed(self, error: Exception, code: int, offset: int, tag: int) -> Exception:
        place = {
            "code": code,
            "record_index": self.view.first_index + self.number,
            "byte_offset": offset,
            "control_number": control_number(self.raw),
            "tag": unpack_tag(tag) if tag else None,
        }
        for name, value in place.items():
            setattr(error, name, value)
        return error

    def spans(self) -> list[tuple[str, int, int]]:
        view, start = self.view, self.start
        fields = range(view.field_first[self.number], view.field_first[self.number + 1])
        return [
            (unpack_tag(view.field_tag[i]), at := view.field_offset[i] - start, at + view.field_length[i])
            for i in fields
        ]

    def odd_record(self) -> OddRecord:
        """The record, which was not rejected. Says what pymarc says when it reads it; raises what it raises."""
        problems = []
        has_high_codes = False
        for note in self.notes:
            content = self.content(note)
            if note.code == lib.MARC_NOTE_INDICATORS_MISSING:
                _log("missing indicators: %s", content)
            elif note.code == lib.MARC_NOTE_INDICATOR_ONE:
                _log("only 1 indicator found: %s", content)
            elif note.code == lib.MARC_NOTE_INDICATORS_MANY:
                _log("more than 2 indicators found: %s", content)
            elif note.code == lib.MARC_NOTE_SUBFIELD_CODE:
                has_high_codes = True
                warnings.warn(exceptions.BadSubfieldCodeWarning(content), stacklevel=_users_level())
                try:
                    subfield_code(content)
                except IndexError as problem:
                    self._placed(problem, note.code, self._offset + note.offset, note.tag)
                    raise
            tag = unpack_tag(note.tag) if note.tag else None
            problems.append(Problem(note.code, self._offset + note.offset, tag, code_message(note.code)))
        return OddRecord(tuple(problems), self.spans(), has_high_codes)


def notes_of(view: Any, number: int) -> list[Any]:
    """The notes of a piece. They are ordered by piece: found by halving."""
    low, high = 0, view.note_count
    while low < high:
        middle = (low + high) // 2
        if view.notes[middle].record < number:
            low = middle + 1
        else:
            high = middle
    notes = []
    while low < view.note_count and view.notes[low].record == number:
        notes.append(view.notes[low])
        low += 1
    return notes


def control_number(raw: bytes) -> str | None:
    """Field 001 of a piece that may be damaged: where the directory says it is, else what stands first behind the
    directory. None if nothing is there that could be one."""
    end = raw.find(b"\x1e", LEADER_LEN)
    entries = range(LEADER_LEN, end - DIRECTORY_ENTRY_LEN + 1, DIRECTORY_ENTRY_LEN)
    entry = next((at for at in entries if raw.startswith(b"001", at)), None)
    if entry is None:
        return None
    size, start = raw[entry + 3 : entry + 7], raw[entry + 7 : entry + 12]
    if size.isdigit() and start.isdigit():
        begin = end + 1 + int(start)
        behind = begin + int(size) - 1
        if raw[behind : behind + 1] == b"\x1e":
            return _readable(raw[begin:behind])
    if entry != LEADER_LEN:
        return None
    value, terminator, _ = raw[end + 1 : end + 65].partition(b"\x1e")
    return _readable(value) if terminator else None


def _readable(value: bytes) -> str | None:
    """A control number as text; None for what can be none."""
    if not value or b"\x1f" in value or b"\x1d" in value or b"\x1e" in value:
        return None
    return value.decode("utf-8", "replace")


def read_piece(raw: bytes) -> OddRecord | None:
    """What is to be known of the record that these bytes are; None if it is plain. Raises if it is rejected."""
    error = new_error()
    slot = new_slot()
    data = ffi.from_buffer("uint8_t[]", raw)
    if lib.marc_parse_record(data, len(raw), lib.MARC_PIECE_ALONE, ffi.NULL, slot, error) != lib.MARC_OK:
        raise_error(error)
    view = view_of(slot)
    if all_plain(view):
        return None
    piece = Piece(view, 0, raw)
    if view.record_status[0] == lib.MARC_BAD_LENGTH:
        int(raw[:5])  # a reader says RecordLengthInvalid; here it is Python's own ValueError, as in pymarc
    if piece.is_rejected:
        raise piece.error()
    return piece.odd_record()
