"""Readers of text: MARC-in-JSON and MARCMaker. They are pymarc's JSONReader and MARCMakerReader."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import Any

from libmarc._json_stream import JSONStream
from libmarc._mrk import from_mnemonics, split_tag
from libmarc._sources import position_of
from libmarc.exceptions import PymarcException
from libmarc.field import Field, Indicators, Subfield, is_control_tag
from libmarc.leader import Leader
from libmarc.reader import Reader
from libmarc.record import Record


def _open_text(target: Any, encoding: str | None, mode: str = "r") -> Any:
    """The file that `target` is, or names, or whose content it is. `mode` in which one is opened: as bytes by what
    decodes them itself, and can so give all that stands before what is no text."""
    if hasattr(target, "read"):
        return target
    if isinstance(target, bytes):
        return io.BytesIO(target)
    if isinstance(target, os.PathLike) or os.path.exists(target):
        return open(target, mode, encoding=None if "b" in mode else encoding)
    return io.StringIO(target)


class JSONReader(Reader):
    """Reads MARC-in-JSON, object by object: an array, one object, or objects one behind another, as in JSON Lines.

    `marc_target`: a file, the path of one, or the text itself; `encoding` is that of a path or of bytes. What is no
    JSON raises FormatError, which is a json.JSONDecodeError here, behind the records before it. (`stream` changes
    nothing: it is always so.)
    """

    def __init__(self, marc_target: Any, encoding: str = "utf-8", stream: bool = False) -> None:
        self.encoding = encoding
        self.file_handle = _open_text(marc_target, encoding, "rb")
        self._begin = position_of(self.file_handle)
        self._objects = JSONStream(self.file_handle.read, encoding)

    def _begin_anew(self) -> None:
        if self._begin is not None:
            self.file_handle.seek(self._begin)
            self._objects = JSONStream(self.file_handle.read, self.encoding)

    @property
    def records(self) -> list[Any]:
        """All objects, as json.load() gives them. Those that are left, where the file cannot be read again."""
        self._begin_anew()
        return list(self._objects)

    def __iter__(self) -> Iterator[Record]:
        """The records from the first one on; from the next one on, where the file cannot be read again."""
        self._begin_anew()
        return self

    def __next__(self) -> Record:
        return json_record(next(self._objects))


def json_record(content: dict[str, Any]) -> Record:
    """The record that an object of MARC-in-JSON is. KeyError if something is missing that has to be there."""
    record = Record()
    record.leader = Leader(content["leader"])
    record.fields = [_json_field(tag, value) for field in content["fields"] for tag, value in field.items()]
    return record


def _json_field(tag: str, value: Any) -> Field:
    if not isinstance(value, dict):
        return Field(tag, data=value)
    subfields = [Subfield(code, text) for subfield in value["subfields"] for code, text in subfield.items()]
    return Field(tag, Indicators(value["ind1"], value["ind2"]), subfields)


class MARCMakerReader(Reader):
    """Reads MARCMaker text as str(record) gives it, record by record: a line a field, an empty line between records.

    `target`: a file, the path of one, or the text itself; `encoding` is that of a path. PymarcException for a record
    with a line that is no field; the next record follows. A backslash is a blank in indicators and control fields, and
    names in braces, such as {dollar}, are the characters that they stand for.
    """

    def __init__(self, target: Any, encoding: str | None = "utf-8") -> None:
        self._file = _open_text(target, encoding)

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        lines = self._next_lines()
        if not lines:
            self._file.close()
            raise StopIteration
        record = Record()
        for line in lines:
            try:
                content = self._parse_line(line)
            except Exception as problem:
                raise PymarcException(f'Unable to parse line "{line}"') from problem
            if isinstance(content, Leader):
                record.leader = content
            else:
                record.add_field(content)
        return record

    def _next_lines(self) -> list[str]:
        """The lines up to the next empty one; [] at the end."""
        lines: list[str] = []
        while not self._file.closed:
            line = self._file.readline()
            if line.strip():
                lines.append(line.rstrip("\r\n"))
            elif lines or not line:
                break
        return lines

    def _parse_line(self, line: str) -> Leader | Field:
        """Leader or field of a line, such as ``=245  10$aTitle``. ValueError if it is none."""
        if not line.startswith("="):
            raise ValueError('Line should start with a "=".')
        tag, rest = split_tag(line)
        if rest[:2] != "  ":
            raise ValueError("Tag should be separated from the rest of the field by two spaces.")
        content = rest[2:]
        if tag == "LDR":
            return Leader(_unblanked(content))
        if is_control_tag(tag):
            return Field(tag, data=_unblanked(content))
        indicators, *parts = content.split("$")
        if (parts and len(indicators) != 2) or len(indicators) < 2:
            raise ValueError("two indicators are expected before the first subfield")
        if not parts and content[2:]:  # no subfield at all: pymarc takes the third character for a "$"
            indicators, parts = content[:2], [content[3:]]
        subfields = [Subfield(part[:1], from_mnemonics(part[1:])) for part in parts]
        return Field(tag, Indicators(*indicators.replace("\\", " ")), subfields)


def _unblanked(text: str) -> str:
    return from_mnemonics(text.replace("\\", " "))
