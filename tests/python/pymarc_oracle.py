"""pymarc 5.4 as the judge of single pieces."""

from __future__ import annotations

import importlib
import io
from functools import cache
from typing import Any

import marc8_reference
import pytest

pymarc = pytest.importorskip("pymarc", reason="pymarc, the oracle, is not installed")

#: More bytes than any leader can claim: stands for the input that follows a piece.
FOLLOWING = b"x" * 100_000


def verdict(raw: bytes, is_last: bool, **options: Any) -> tuple[Any, Exception | None]:
    """The record that pymarc makes of a piece, or None and why. `is_last`: no byte follows it in its input. `options`
    are those of its reader."""
    try:
        takes_all = len(raw) >= 5 and int(raw[:5]) < 5  # pymarc then reads to the end of its input
    except ValueError:
        takes_all = False
    content = raw if is_last or takes_all else raw + FOLLOWING
    reader = pymarc.MARCReader(io.BytesIO(content), **{"hide_utf8_warnings": True, **options})
    return next(reader), reader.current_exception


@cache
def _tables() -> tuple[Any, ...]:
    mapping = importlib.import_module("pymarc.marc8_mapping")
    eacc = {code: character for code, (character, _) in mapping.CODESETS[marc8_reference.EACC].items()}
    return marc8_reference.read_tables(), mapping.ODD_MAP, eacc


def as_pymarc_should(record: Any, raw: bytes) -> list[tuple[Any, ...]]:
    """The fields of a record of pymarc's, as plain values: its text as it is, but for the characters of MARC-8 that the
    tables define and pymarc loses."""
    fields = flat(record)
    if record.leader[9] == "a" or not marc8_reference.TABLES.is_file():
        return fields
    there = []
    for field, of_bytes in zip(fields, flat(pymarc.Record(raw, to_unicode=False)), strict=True):
        values = list(field)
        for i, part in enumerate(of_bytes):
            if isinstance(part, tuple):
                model = marc8_reference.Pymarc(*_tables())
                text = model.decode(part[1])
                values[i] = (part[0], text) if model.differs else values[i]
        there.append(tuple(values))
    return there


def loses_characters(record: Any, raw: bytes) -> bool:
    """Whether pymarc lost characters of MARC-8 that the tables define, in the record that it made of these bytes."""
    return as_pymarc_should(record, raw) != flat(record)


def flat(record: Any) -> list[tuple[Any, ...]]:
    """The fields of a record, ours or pymarc's, as plain values."""
    return [
        (field.tag, field.data) if field.control_field else (field.tag, *field.indicators, *map(tuple, field.subfields))
        for field in record.fields
    ]
