"""Pieces of the input that are not plain records: rejected ones, and records that deviate from the standard.

Plain records (MARC_REC_PLAIN, nearly all) never come here; record.py takes them apart by itself.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any, NamedTuple

from libmarc import exceptions
from libmarc._batch import TextForm, all_plain, new_slot, text_view_of, view_of
from libmarc._native import code_message, ffi, lib, new_error, raise_error, unpack_tag
from libmarc.constants import DIRECTORY_ENTRY_LEN, LEADER_LEN
from libmarc.field import (
    MARC21_WIDTHS,
    Field,
    Subfield,
    is_control_tag,
    log_indicators,
    read_field_bytes,
    read_odd_fields,
    subfield_code,
)

#: Indicators of a field with this note; 3 for any more than two.
_INDICATORS = {
    lib.MARC_NOTE_INDICATORS_MISSING: 0,
    lib.MARC_NOTE_INDICATOR_ONE: 1,
    lib.MARC_NOTE_INDICATORS_MANY: 3,
}


class Problem(NamedTuple):
    """A deviation from the standard in a record that was delivered."""

    code: int  # MARC_NOTE_... of marc.h
    byte_offset: int  # where, in the source
    tag: str | None  # of the field concerned
    message: str  # one line


class OddRecord(NamedTuple):
    """What is to be known of a record that was read and is not plain."""

    problems: tuple[Problem, ...]
    spans: list[tuple[str, int, int]]  # tag, begin and end of each field in the bytes that it is taken apart from
    encoding: str
    text: bytes | None = None  # these bytes, where they are not those of the record
    has_high_codes: bool = False  # some subfield code is above 0x7F, and is read as pymarc reads it
    repaired: bool = False
    leader: str | None = None  # where it is not the first 24 bytes, in ASCII
    best: bool = False  # the best reading: nothing that it meets in the text is an error
    widths: tuple[int, int] = MARC21_WIDTHS
    # What MARCXML says and ISO 2709 cannot: fields by their number, subfields within them, characters of their codes.
    bare: tuple[int, ...] = ()  # text without indicators and subfields, as of a control field
    long_codes: tuple[tuple[int, int, int], ...] = ()

    def read_fields(self, raw: bytes) -> list[Field]:
        if self.has_high_codes:
            return [read_field_bytes(tag, raw[begin:end], self.encoding) for tag, begin, end in self.spans]
        tags = [tag for tag, _, _ in self.spans]
        texts = [str(raw[begin:end], "utf-8") for _, begin, end in self.spans]  # MARC-8 without a text form is ASCII
        fields = read_odd_fields(tags, texts, self.widths)
        for number in self.bare:
            fields[number] = Field(tags[number])
            fields[number].data = texts[number]
        for number, part, size in self.long_codes:
            text = "".join(fields[number].subfields[part])
            fields[number].subfields[part] = Subfield(text[:size], text[size:])
        return fields


def users_level() -> int:
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
        elif code == lib.MARC_BAD_ESCAPE:
            from libmarc.marc8 import marc8_to_unicode

            marc8_to_unicode(content, True)
        elif code == lib.MARC_BAD_BASE_NUMBER:
            int(content)
        elif code == lib.MARC_BAD_DIRECTORY_NUMBER:
            int(content.decode("ascii"))
        else:
            content.decode("ascii")
    except ValueError as problem:
        return problem.with_traceback(None)
    return exceptions.PymarcException(code_message(code))


def _explain(error: Exception, detail: str) -> None:
    """Makes `detail` the end of what str() says."""
    if isinstance(error, exceptions.PymarcException | exceptions.BadSubfieldCodeWarning):
        error._detail = detail
    elif isinstance(error, UnicodeDecodeError):
        error.reason = f"{error.reason}: {detail}"
        error.args = (*error.args[:4], error.reason)  # what copies and pickles are made from
    else:
        error.args = (f"{error}: {detail}",)


def _number_in_leader(raw: bytes) -> str:
    return f"{raw[:5].decode('ascii', 'backslashreplace')!r}"


#: Codes whose note has the bytes that are wrong.
_QUOTED = (lib.MARC_BAD_LENGTH, lib.MARC_BAD_BASE_NUMBER, lib.MARC_BAD_DIRECTORY_NUMBER)


def _one_line(text: str) -> str:
    """The text for a terminal or a log: what controls these, or cannot be seen, as an escape sequence."""
    return "".join([char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text])


class _Beginning(NamedTuple):
    """In place of a note: the whole piece."""

    offset: int
    tag: int = 0


class Piece:
    """Piece `number` of a batch, with its notes. `origin`: where in the source reading began. `form`: its text form."""

    def __init__(self, view: Any, number: int, raw: bytes, origin: int = 0, form: TextForm | None = None) -> None:
        self.view = view
        self.number = number
        self.raw = raw
        self.start: int = view.record_start[number]
        self._origin = origin
        self.notes = notes_of(view, number)
        self._form = form

    def _place_of(self, note: Any) -> int:
        """Where in the source the bytes of a note are; where these are none of it, where the record begins."""
        if self.view.record_place:
            place: int = self.view.record_place[self.number]
        else:
            place = self.view.source_offset + note.offset
        return self._origin + place

    @property
    def is_rejected(self) -> bool:
        return bool(self.view.record_status[self.number] != lib.MARC_OK)

    def content(self, note: Any) -> bytes:
        """The bytes that a note is about."""
        begin = note.offset - self.start
        return self.raw[begin : begin + note.length]

    @property
    def is_part(self) -> bool:
        """Whether the piece is a further part of the one before it, too large to come at once."""
        return bool(self.view.record_status[self.number] == lib.MARC_BAD_OVERSIZE_PART)

    @property
    def is_plain(self) -> bool:
        flags = self.view.record_flags[self.number]
        return bool(flags & lib.MARC_REC_PLAIN) and not self.notes

    @property
    def is_no_record(self) -> bool:
        """Whether it was rejected before its leader was looked at, or must not be taken apart."""
        code = self.view.record_status[self.number]
        return code == lib.MARC_BAD_OVERLAP or issubclass(_CLASSES.get(code, Exception), exceptions.FatalReaderError)

    def error(self) -> Exception:
        """Why the piece was rejected, with its place."""
        code: int = self.view.record_status[self.number]
        note = self.notes[-1]
        known = _CLASSES.get(code)
        error = known() if known is not None else _python_error(code, self.content(note))
        return self._placed(error, code, note)

    def placed(self, error: Exception) -> Exception:
        """What decoding the piece in Python has raised, with its place: the error of the core, if that is the same."""
        found = self.error() if self.is_rejected else None
        if found is not None and type(found) is type(error) and not isinstance(error, UnicodeError):
            return found
        words = "not decoded as it was asked for"
        return self._placed(error, lib.MARC_BAD_TEXT, _Beginning(self.start), words)

    def _placed(self, error: Exception, code: int, note: Any, what: str = "") -> Exception:
        """The error with its place, in attributes and in words. `what` it says: by default, the message of the code."""
        index: int = self.view.first_index + self.number
        offset = self._place_of(note)
        control = control_number(self.raw)
        tag = unpack_tag(note.tag) if note.tag else None
        words = [f"record {index + 1}", f"offset {offset}", f"001 {control}" if control else "no 001"]
        if tag:
            words.append(f"field {tag}")
        what = what or f"{code_message(code)}{self._found(code, note)}"
        _explain(error, _one_line(f"{what} ({', '.join(words)})"))
        place = {
            "code": code,
            "record_index": index,
            "byte_offset": offset,
            "control_number": control,
            "tag": tag,
            "chunk": self.raw,
        }
        for name, value in place.items():
            setattr(error, name, value)
        return error

    def _found(self, code: int, note: Any) -> str:
        """What stands there, where that says more than the message of the code."""
        if code in _QUOTED:
            return f", but {self.content(note)[:40].decode('latin-1')!r}"
        if code in (lib.MARC_BAD_TRUNCATED, lib.MARC_BAD_END_NOT_FOUND, lib.MARC_BAD_LEADER):
            return f": it says {_number_in_leader(self.raw)}, and the piece has {len(self.raw)} bytes"
        if code == lib.MARC_BAD_OVERSIZE:
            return f": more than {len(self.raw)} bytes, see largest_record" if self.raw else "; see largest_record"
        return ""

    def spans(self, form: TextForm | None = None) -> list[tuple[str, int, int]]:
        """Tag, begin and end of all fields, in the bytes of the record or of its text form."""
        view, number = (self.view, self.number) if form is None else form
        start = view.record_start[number]
        fields = range(view.field_first[number], view.field_first[number + 1])
        return [
            (unpack_tag(view.field_tag[i]), at := view.field_offset[i] - start, at + view.field_length[i])
            for i in fields
        ]

    def _write_marc8_lines(self, quiet: bool) -> None:
        """What pymarc writes on standard error where bytes are no character in MARC-8."""
        places = [note.offset for note in self.notes if note.code == lib.MARC_NOTE_UNMAPPED]
        if not places:
            return
        from libmarc.marc8 import marc8_to_unicode  # here: most programs never need it

        view, fields = self.view, self.view.field_first[self.number : self.number + 2]
        for i in range(view.subfield_first[fields[0]], view.subfield_first[fields[1]]):
            begin = view.subfield_offset[i] + 1
            end = begin - 1 + view.subfield_length[i]
            if any(begin <= place <= end for place in places):
                marc8_to_unicode(self.raw[begin - self.start : end - self.start], quiet)

    def odd_record(self, hide_utf8_warnings: bool = False) -> OddRecord:
        """The record, which was not rejected. Says what pymarc says when it reads it; raises what it raises."""
        self._write_marc8_lines(hide_utf8_warnings)
        has_high_codes = False
        for note in self.notes:
            content = self.content(note)
            if note.code in _INDICATORS:
                log_indicators(_INDICATORS[note.code], content)
            elif note.code == lib.MARC_NOTE_SUBFIELD_CODE:
                has_high_codes = True
                try:
                    warnings.warn(exceptions.BadSubfieldCodeWarning(content), stacklevel=users_level())
                    subfield_code(content)
                except (IndexError, exceptions.BadSubfieldCodeWarning) as problem:  # `-W error`
                    self._placed(problem, note.code, note)
                    raise
        form = None if has_high_codes else self._form
        encoding = "utf-8" if form is not None or self.raw[9:10] == b"a" else "marc8"
        text = form.bytes if form is not None else None
        return OddRecord(self.problems(), self.spans(form), encoding, text, has_high_codes)

    def best_record(self) -> OddRecord:
        """The record, which was not rejected, for on_error="salvage"."""
        flags = self.view.record_flags[self.number]
        leader = self._salvaged_leader()
        form = self._form
        return OddRecord(
            self.problems(),
            self.spans(form),
            "utf-8",
            form.bytes if form is not None else None,
            repaired=bool(flags & lib.MARC_REC_REPAIRED),
            leader=leader,
            best=True,
            bare=self._bare_fields(),
            long_codes=self._long_codes(),
            widths=(
                int(leader[10]) if flags & lib.MARC_REC_INDICATORS else MARC21_WIDTHS[0],
                int(leader[11]) - 1 if flags & lib.MARC_REC_CODES else MARC21_WIDTHS[1],
            ),
        )

    def _bare_fields(self) -> tuple[int, ...]:
        begins = {note.offset - self.start for note in self.notes if note.code == lib.MARC_NOTE_FIELD_KIND}
        if not begins:
            return ()
        return tuple(i for i, (tag, begin, _) in enumerate(self.spans()) if begin in begins and not is_control_tag(tag))

    def _long_codes(self) -> tuple[tuple[int, int, int], ...]:
        found = []
        for note in self.notes:
            if note.code == lib.MARC_NOTE_ATTRIBUTE and note.length > 1:
                at = note.offset - self.start
                field, begin = next((i, begin) for i, (_, begin, end) in enumerate(self.spans()) if begin <= at < end)
                size = len(self.content(note).decode("utf-8"))
                found.append((field, self.raw.count(b"\x1f", begin, at) - 1, size))
        return tuple(found)

    def _salvaged_leader(self) -> str:
        """24 characters, whatever the leader's state: bytes above 0x7F as in Latin-1, "0" for missing ones."""
        begin, end = 0, LEADER_LEN
        for note in self.notes:
            if note.code == lib.MARC_NOTE_LEADER_SIZE:
                begin = note.offset - self.start
                end = begin + note.length
        return self.raw[begin:end].decode("latin-1").rjust(LEADER_LEN, "0")

    def problems(self) -> tuple[Problem, ...]:
        return tuple(
            Problem(
                note.code,
                self._place_of(note),
                unpack_tag(note.tag) if note.tag else None,
                code_message(note.code),
            )
            for note in self.notes
        )


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
        return _readable(raw[begin:behind]) if raw[behind : behind + 1] == b"\x1e" else None
    if entry != LEADER_LEN:
        return None
    value, terminator, _ = raw[end + 1 : end + 65].partition(b"\x1e")
    return _readable(value) if terminator else None


def _readable(value: bytes) -> str | None:
    """A control number as text; None for what can be none."""
    if not value or b"\x1f" in value or b"\x1d" in value or b"\x1e" in value:
        return None
    return value.decode("utf-8", "replace")


def read_piece(raw: bytes, hide_utf8_warnings: bool = False) -> tuple[OddRecord | None, bytes | None]:
    """What is to be known of the record that these bytes are, None if it is plain; and its text form, if it has one.
    Raises if it is rejected."""
    error = new_error()
    slot = new_slot()
    data = ffi.from_buffer("uint8_t[]", raw)
    if lib.marc_parse_record(data, len(raw), lib.MARC_PIECE_ALONE, ffi.NULL, slot, error) != lib.MARC_OK:
        raise_error(error)
    view, texts = view_of(slot), text_view_of(slot)
    form = TextForm(texts, 0) if texts is not None else None
    if all_plain(view):
        return None, form.bytes if form is not None else None
    piece = Piece(view, 0, raw, form=form)
    if view.record_status[0] == lib.MARC_BAD_LENGTH:
        int(raw[:5])  # a reader says RecordLengthInvalid; here it is Python's own ValueError, as in pymarc
    if piece.is_rejected:
        raise piece.error()
    odd = piece.odd_record(hide_utf8_warnings)
    return odd, odd.text
