"""Records out of the objects of MARC-in-JSON. What is not as it should be is an error, or a problem of the record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from libmarc._json_stream import JSONStream
from libmarc._mrk import put_leader
from libmarc._native import code_message, lib
from libmarc._odd import OddRecord, Problem
from libmarc.exceptions import RecordFormatError
from libmarc.field import Field, Indicators, Subfield, is_control_tag
from libmarc.record import Record


class JSONRecords:
    """An iterator over the records that objects are. RecordFormatError for an object that is none, or that says what no
    record can say, such as a number for a value; the next call goes on behind it."""

    def __init__(self, objects: JSONStream) -> None:
        self._objects = objects

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        content = next(self._objects)
        try:
            if not isinstance(content, dict):
                raise TypeError(f"{type(content).__name__}, not an object")
            return _Reading().record(content)
        except (KeyError, TypeError, ValueError) as problem:
            message = f"this value is no record of MARC-in-JSON: {type(problem).__name__}: {problem}"
            raise RecordFormatError(message, self._objects.count - 1) from problem


class _Reading:
    """Of one record, with the problems that are met. Those and what is made of them are as where MARCXML is read."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._second_size = self._code_size = 1

    def record(self, content: dict[str, Any]) -> Record:
        record = Record()
        put_leader(record, _text(content["leader"], "the leader"))
        # As where ISO 2709 is read: of more than two indicators the second has all but the first.
        self._second_size = _size_stated(str(record.leader)[10])
        self._code_size = _size_stated(str(record.leader)[11])
        pairs = _pairs(content["fields"], "fields")
        record.fields = [self._field(self._tag(tag), value) for tag, value in pairs]
        if self._problems:
            others = record._odd.problems if record._odd is not None else ()
            record._odd = OddRecord((*others, *self._problems), [], "utf-8", repaired=True)
        return record

    def _field(self, tag: str, value: Any) -> Field:
        control = is_control_tag(tag)
        if not isinstance(value, dict):
            text = _text(value, "field", tag)
            if control:
                return Field(tag, data=text)
            self._note(lib.MARC_NOTE_FIELD_KIND, tag)
            field = Field(tag)
            field.data = text
            return field
        pairs = _pairs(value["subfields"], "the subfields of field", tag)
        subfields = [Subfield(code, _text(text, "a subfield of field", tag)) for code, text in pairs]
        if control:
            self._note(lib.MARC_NOTE_FIELD_KIND, tag)
            return Field(tag, data=" ".join([text for _, text in subfields]))
        for number, (code, text) in enumerate(subfields):
            if len(code) != self._code_size:
                self._note(lib.MARC_NOTE_ATTRIBUTE, tag)
                subfields[number] = Subfield(code or " ", text)
        first = self._indicator(tag, value["ind1"], 1)
        return Field(tag, Indicators(first, self._indicator(tag, value["ind2"], self._second_size)), subfields)

    def _tag(self, tag: str) -> str:
        if len(tag) == 3 and tag.isascii():
            return tag
        if 0 < len(tag) < 3 and tag.isascii() and tag.isdigit():
            return tag.zfill(3)
        tag = tag.encode("ascii", "replace").decode("ascii")[:3].ljust(3)
        self._note(lib.MARC_NOTE_ATTRIBUTE, tag)
        return tag

    def _indicator(self, tag: str, value: Any, size: int) -> str:
        text = _text(value, "an indicator of field", tag)
        if len(text) == size:
            return text
        self._note(lib.MARC_NOTE_ATTRIBUTE, tag)
        return text[:size] or " "

    def _note(self, code: int, tag: str) -> None:
        self._problems.append(Problem(code, 0, tag, code_message(code)))


def _size_stated(char: str) -> int:
    """Characters of a second indicator, or of a code, where that stands in the leader: one in all MARC 21."""
    return int(char) - 1 if char in "3456789" else 1


def _text(value: Any, what: str, tag: str = "") -> str:
    """The string that it has to be. UnicodeEncodeError for half of a surrogate pair, which is no character."""
    if not isinstance(value, str):
        raise TypeError(f"{what}{tag and ' '}{tag} is {type(value).__name__}, not a string")
    if not value.isascii():
        value.encode("utf-8")
    return value


def _pairs(value: Any, what: str, tag: str = "") -> Iterator[tuple[str, Any]]:
    """Names and values of an array of objects."""
    if not isinstance(value, list):
        raise TypeError(f"{what}{tag and ' '}{tag} are {type(value).__name__}, not an array")
    for part in value:
        if not isinstance(part, dict):
            raise TypeError(f"one of {what}{tag and ' '}{tag} is {type(part).__name__}, not an object")
        for name, content in part.items():
            yield _text(name, "a name"), content
