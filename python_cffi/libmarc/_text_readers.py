"""Readers of text: MARC-in-JSON and MARCMaker. They are pymarc's JSONReader and MARCMakerReader."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from typing import Any

from libmarc.exceptions import PymarcException
from libmarc.field import Field, Indicators, Subfield
from libmarc.leader import Leader
from libmarc.reader import Reader
from libmarc.record import Record


def _open_text(target: Any, encoding: str | None) -> Any:
    """The file that `target` is, or names, or whose content it is."""
    if hasattr(target, "read"):
        return target
    if isinstance(target, bytes):
        return io.BytesIO(target)
    if isinstance(target, os.PathLike) or os.path.exists(target):
        return open(target, encoding=encoding)
    return io.StringIO(target)


class JSONReader(Reader):
    """Reads MARC-in-JSON: an array of objects, one object, or objects one after the other, as in JSON Lines.

    `marc_target`: a file, the path of one, or the text itself; `encoding` is that of a path or of bytes. What is no
    JSON raises JSONDecodeError, after the records before it. (`stream` changes nothing.)
    """

    def __init__(self, marc_target: Any, encoding: str = "utf-8", stream: bool = False) -> None:
        self.encoding = encoding
        self.file_handle = _open_text(marc_target, encoding)
        content = self.file_handle.read()
        self._text: str = content.decode(encoding) if isinstance(content, bytes) else content
        self._objects = _objects(self._text)

    @property
    def records(self) -> list[Any]:
        """All objects, as json.load() gives them."""
        return list(_objects(self._text))

    def __iter__(self) -> Iterator[Record]:
        """The records from the first one on."""
        self._objects = _objects(self._text)
        return self

    def __next__(self) -> Record:
        return json_record(next(self._objects))


def _objects(text: str) -> Iterator[Any]:
    decode = json.JSONDecoder(strict=False).raw_decode
    at = _skip(text, 0, " \t\r\n\ufeff")
    if text.startswith("[", at):
        at += 1
    while (at := _skip(text, at, " \t\r\n,]")) < len(text):
        value, at = decode(text, at)
        yield value


def _skip(text: str, at: int, what: str) -> int:
    while at < len(text) and text[at] in what:
        at += 1
    return at


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
    """Reads MARCMaker text as str(record) gives it: a line a field, a blank line between records.

    `target`: a file, the path of one, or the text itself; `encoding` is that of a path.
    """

    def __init__(self, target: Any, encoding: str | None = "utf-8") -> None:
        file = _open_text(target, encoding)
        content = file.read()
        file.close()
        self.records = [part for part in content.split("\n\n") if part.strip()]
        self.iter = iter(self.records)

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        record = Record()
        for line in next(self.iter).splitlines():
            try:
                content = self._parse_line(line)
            except Exception as problem:
                raise PymarcException(f'Unable to parse line "{line}"') from problem
            if isinstance(content, Leader):
                record.leader = content
            else:
                record.add_field(content)
        return record

    def _parse_line(self, line: str) -> Leader | Field:
        """Leader or field of a line, such as ``=245  10$aTitle``. ValueError if it is none."""
        if not line.startswith("="):
            raise ValueError('Line should start with a "=".')
        if line[4:6] != "  ":
            raise ValueError("Tag should be separated from the rest of the field by two spaces.")
        tag, content = line[1:4], line[6:]
        if tag == "LDR":
            return Leader(content)
        if tag < "010" and tag.isdigit():
            return Field(tag, data=content.replace("\\", " "))
        first, second = list(content[:2].replace("\\", " "))
        _, *subfields = content[2:].split("$")
        return Field(tag, Indicators(first, second), [Subfield(part[:1], part[1:]) for part in subfields])
