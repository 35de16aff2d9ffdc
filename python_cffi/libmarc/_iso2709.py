"""A record whose fields are Python's as ISO 2709: what Record.as_marc and MARCWriter write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from libmarc._objects import fastest
from libmarc._serialize import serialize_bytes, serialize_text
from libmarc.constants import DIRECTORY_ENTRY_LEN, END_OF_FIELD, END_OF_RECORD, LEADER_LEN, SUBFIELD_INDICATOR
from libmarc.exceptions import RecordLeaderInvalid
from libmarc.field import Field, RawField, contents_of, is_control_tag
from libmarc.marc8 import UNMAPPABLE, unicode_to_marc8

#: What becomes of a field or record whose length ISO 2709 cannot state.
OVERSIZE = ("error", "zeros", "split")
ENCODINGS = ("utf-8", "marc-8")
_MOST_RECORD = 99_999  # bytes
_DELIMITERS = SUBFIELD_INDICATOR + END_OF_FIELD + END_OF_RECORD
_TERMINATOR = END_OF_FIELD.encode()
_PLAIN_FIELDS = {Field}
_T = TypeVar("_T")


def check_options(oversize: str, encoding: str, errors: str) -> None:
    """ValueError for a value that is none of these."""
    if oversize not in OVERSIZE:
        raise ValueError(f"oversize is one of {', '.join(OVERSIZE)}, not {oversize!r}")
    if encoding not in ENCODINGS:
        raise ValueError(f"encoding is one of {', '.join(ENCODINGS)}, not {encoding!r}")
    if errors not in UNMAPPABLE:
        raise ValueError(f"errors is one of {', '.join(UNMAPPABLE)}, not {errors!r}")


def write_fields(leader: str, fields: Sequence[Field], encoding: str, oversize: str) -> bytes:
    """The record of these fields; with oversize="split" the records. `encoding` is a codec of Python's."""
    joined = join_fields(fields) if encoding == "utf-8" and oversize != "split" else None
    if joined is not None:
        return serialize_text(leader_bytes(leader), *joined, oversize == "zeros")
    return _write_bytes(leader, _tags(fields), [_field_bytes(field, encoding) for field in fields], oversize)


@fastest
def join_fields(fields: Sequence[Field]) -> tuple[bytes, bytes] | None:
    """The tags, and the contents in UTF-8, joined by terminators. None where fields are not plain ones, tags have not
    three characters, or a content holds a terminator."""
    if not {*map(type, fields)} <= _PLAIN_FIELDS:
        return None
    tags = [field.tag for field in fields]
    contents = END_OF_FIELD.join(contents_of(fields))
    if not {*map(len, tags)} <= {3} or contents.count(END_OF_FIELD) >= max(len(fields), 1):
        return None
    return "".join(tags).encode("latin-1"), contents.encode()


def write_marc8(leader: str, fields: Sequence[Field], errors: str, oversize: str) -> bytes:
    """The same in MARC-8. `errors` as for unicode_to_marc8(). Fields that are bytes stay as they are."""
    return _write_bytes(f"{leader[:9]} {leader[10:]}", _tags(fields), _marc8_contents(fields, errors), oversize)


def leader_bytes(leader: str) -> bytes:
    """The leader as it is written: a byte for each character, also where that is none of ASCII. RecordLeaderInvalid
    where it has not 24 characters."""
    content = leader.encode("latin-1", "replace")
    if len(content) != LEADER_LEN:
        raise RecordLeaderInvalid
    return content


def _tags(fields: Sequence[Field]) -> list[str]:
    """Their tags, of three characters."""
    tags = [field.tag for field in fields]
    return tags if {*map(len, tags)} <= {3} else [*map(_three_characters, tags)]


def _three_characters(tag: str) -> str:
    text = f"{int(tag):03}" if tag.isdigit() else f"{tag:>03}"
    if len(text) != 3:
        raise ValueError(f"the tag {tag!r} has more than three characters")
    return text


def _field_bytes(field: Field, encoding: str) -> bytes:
    content = field.as_marc() if isinstance(field, RawField) else field.as_marc(encoding)
    return content.removesuffix(_TERMINATOR)


def _write_bytes(leader: str, tags: list[str], contents: list[bytes], oversize: str) -> bytes:
    numbers = range(len(tags))
    parts = _parts(tags, contents) if oversize == "split" else [numbers]
    return b"".join(
        [
            serialize_bytes(
                leader_bytes(leader),
                "".join(_chosen(tags, part)).encode("latin-1"),
                _chosen(contents, part),
                oversize == "zeros",
            )
            for part in parts
        ]
    )


def _chosen(items: Sequence[_T], numbers: Sequence[int]) -> list[_T]:
    return [items[number] for number in numbers]


def _parts(tags: list[str], contents: list[bytes]) -> Iterator[Sequence[int]]:
    """The numbers of the fields of each record: all control fields, and as many of the others as there is room for."""
    sizes = [DIRECTORY_ENTRY_LEN + len(content) + 1 for content in contents]
    controls = [number for number, tag in enumerate(tags) if is_control_tag(tag)]
    room = _MOST_RECORD - LEADER_LEN - 2 - sum(_chosen(sizes, controls))
    part, left = controls[:], room
    for number, size in enumerate(sizes):
        if number in controls:
            continue
        if size > left and len(part) > len(controls):
            yield sorted(part)
            part, left = controls[:], room
        part.append(number)
        left -= size
    yield sorted(part)


def _marc8_contents(fields: Sequence[Field], errors: str) -> list[bytes]:
    if {*map(type, fields)} <= _PLAIN_FIELDS:
        try:
            contents = unicode_to_marc8(END_OF_FIELD.join(contents_of(fields)), errors)
        except UnicodeEncodeError:
            pass  # which field it is comes out below
        else:
            parts = contents.split(_TERMINATOR) if fields else []
            if len(parts) == len(fields):
                return parts
    return [_marc8_content(field, errors) for field in fields]


def _marc8_content(field: Field, errors: str) -> bytes:
    if isinstance(field, RawField):
        return _field_bytes(field, "")
    try:
        return unicode_to_marc8(field.as_marc("utf-8").decode().removesuffix(END_OF_FIELD), errors)
    except UnicodeEncodeError as problem:
        problem.reason = f"{problem.reason} (field {field.tag})"
        raise


def check_writable(fields: Sequence[Field], encoding: str) -> None:
    """ValueError where a reader would not get back these very fields: a delimiter in the text, a tag, indicator or code
    of another length, or one that is not ASCII; control fields that are not, in MARC-8; no field at all."""
    if not fields:
        raise ValueError("a record without fields cannot be written: readers reject it")
    for number, field in enumerate(fields, 1):
        problem = _problem_of(field)
        if encoding == "marc-8" and field.control_field and not (field.data or "").isascii():
            problem = "it is not ASCII, and control fields are not converted from MARC-8"
        if problem:
            raise ValueError(f"field {field.tag} (number {number}) cannot be written: {problem}")


def _problem_of(field: Field) -> str | None:
    if len(field.tag) != 3 or not (field.tag.isascii() and field.tag.isalnum()):
        return "its tag is not three letters or digits"
    if field.control_field:
        return _problem_in(field.data or "")
    if not all(len(one) == 1 and " " <= one <= "~" for one in (field.indicator1, field.indicator2)):
        return "an indicator is not one character of ASCII"
    for code, value in field._pairs():
        if not (len(code) == 1 and "!" <= code <= "~"):
            return f"the subfield code {code!r} is not one character of ASCII"
        problem = _problem_in(value)
        if problem:
            return f"subfield {code}: {problem}"
    return None


def _problem_in(text: str | bytes) -> str | None:
    shown = text.decode("latin-1") if isinstance(text, bytes) else text
    found = next((delimiter for delimiter in _DELIMITERS if delimiter in shown), None)
    return f"its text holds the delimiter 0x{ord(found):02X}" if found else None
