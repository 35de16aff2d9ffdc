"""pymarc 5.4 as the judge of single pieces."""

from __future__ import annotations

import io
from typing import Any

import pytest

pymarc = pytest.importorskip("pymarc", reason="pymarc, the oracle, is not installed")

# libmarc does not convert MARC-8 yet: it gives a character for each byte. With the same in pymarc's place everything
# else can be compared.
pymarc.record.marc8_to_unicode = lambda marc8, hide_utf8_warnings=False: marc8.decode("latin-1")

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


def flat(record: Any) -> list[tuple[Any, ...]]:
    """The fields of a record, ours or pymarc's, as plain values."""
    return [
        (field.tag, field.data) if field.control_field else (field.tag, *field.indicators, *map(tuple, field.subfields))
        for field in record.fields
    ]
