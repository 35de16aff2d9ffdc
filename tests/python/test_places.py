"""Where things stand: byte_offset and byte_length of records, the place and the text of errors."""

from __future__ import annotations

import copy
import gc
import io
import pickle
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import Source, book, books, foreign_inputs, generated, given, record_bytes
from test_damaged import BAD, GOOD
from test_memory import python_bytes, reachable

import libmarc
from libmarc import BadSubfieldCodeWarning, Field, Indicators, Leader, MARCReader, Record, Subfield, TooManyErrors
from libmarc._batch import Batch
from libmarc._native import code_message, lib

quiet = pytest.mark.filterwarnings("ignore::libmarc.BadSubfieldCodeWarning")

ODD = record_bytes(("001", b"o000001"), ("245", b"1\x1faOne indicator"), ("500", b"  \x1f\x1faNote"))
WRONG = b"00999" + book(90)[5:]
PARTS = [
    b"\n\0",
    book(0),
    ODD,
    b"\r\n\r\n",
    b"no record\x1d",
    book(1),
    WRONG,
    b" ",
    ODD,
    b"nor this\x1d",
    book(2),
    book(3),
]
DATA = b"".join(PARTS)
BEFORE = b"bytes that belong to somebody else\x1d"


def places_of_parts() -> list[tuple[int, bytes]]:
    """Where each piece of DATA stands."""
    found, at = [], 0
    for part in PARTS:
        if part.strip(b"\r\n\0 "):
            found.append((at, part))
        at += len(part)
    return found


# ---- records ----


def at_position(content: bytes) -> io.BytesIO:
    """A BytesIO that stands behind bytes of somebody else."""
    source = io.BytesIO(BEFORE + content)
    source.seek(len(BEFORE))
    return source


class OwnBytesIO(io.BytesIO):
    """Is asked by its read()."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size)


def own_at_position(content: bytes) -> io.BytesIO:
    source = OwnBytesIO(BEFORE + content)
    source.seek(len(BEFORE))
    return source


SOURCES: dict[str, tuple[Callable[[bytes], Any], int]] = {
    "bytes": (bytes, 0),
    "BytesIO": (io.BytesIO, 0),
    "callback": (Source, 0),
    "short reads": (lambda content: Source(content, 7), 0),
    "BytesIO at a position": (at_position, len(BEFORE)),
    "own read at a position": (own_at_position, len(BEFORE)),
}


@pytest.mark.parametrize("mode", ["none", "salvage", "skip"])
@pytest.mark.parametrize("chunk", [64, 1 << 20])
@pytest.mark.parametrize("kind", SOURCES)
def test_records_say_where_they_stood(kind: str, chunk: int, mode: str) -> None:
    """Plain, odd and repaired ones, between pieces that are rejected; at delivery, and when all has been read."""
    make, origin = SOURCES[kind]
    rejected = [raw for _, raw in places_of_parts() if raw.endswith((b"record\x1d", b"this\x1d"))]
    expected = [
        (at + origin, raw)
        for at, raw in places_of_parts()
        if raw not in rejected and (mode == "salvage" or raw != WRONG)
    ]
    reader = MARCReader(make(DATA), on_error=mode, _chunk_bytes=chunk, _queue_records=2)
    kept, asked = [], []
    for number, record in enumerate(reader):
        if record is not None:
            kept.append(record)
            if number % 2:
                asked.append((len(kept) - 1, record.byte_offset, record.byte_length))
    places = [(record.byte_offset, record.raw) for record in kept]
    assert places == expected
    assert [record.byte_length for record in kept] == [len(raw) for _, raw in expected]
    for number, offset, length in asked:
        assert (offset, length) == (expected[number][0], len(expected[number][1]))


@pytest.mark.parametrize("buffering", [0, -1])
def test_places_in_a_file_at_a_position(buffering: int, tmp_path: Path) -> None:
    """They are positions to seek to."""
    path = tmp_path / "file.mrc"
    path.write_bytes(BEFORE + DATA)
    with path.open("rb", buffering=buffering) as file:
        file.seek(len(BEFORE))
        records = [record for record in MARCReader(file, on_error="salvage") if record]
        assert len(records) == 7
        for record in records:
            file.seek(record.byte_offset or 0)
            assert file.read(record.byte_length or 0) == record.raw
        for record in records:
            for problem in record.problems:
                assert record.byte_offset <= problem.byte_offset < record.byte_offset + record.byte_length  # type: ignore[operator]


def test_places_of_a_large_file(damaged: bytes, damaged_file: Path) -> None:
    for chunk in (64, 10_000, 1 << 20):
        with MARCReader(damaged_file, on_error="salvage", _chunk_bytes=chunk) as reader:
            end = 0
            for record in reader:
                if record is not None:
                    begin, length = record.byte_offset, record.byte_length
                    assert begin is not None
                    assert length is not None
                    assert begin >= end
                    assert damaged[begin : begin + length] == record.raw
                    end = begin + length


def test_places_beyond_four_gigabytes() -> None:
    class Far(Source):
        """Stands far behind its beginning."""

        def seekable(self) -> bool:
            return True

        def tell(self) -> int:
            return (5 << 40) + 3

        def seek(self, offset: int) -> None:
            self.sought = offset

    source = Far(DATA)
    reader = MARCReader(source)
    places = []
    for record in reader:
        thing: Any = reader.current_exception if record is None else record
        places.append(thing.byte_offset - (5 << 40) - 3)
    assert places == [at for at, _ in places_of_parts()]
    assert source.sought == (5 << 40) + 3 + len(DATA)


# ---- records that were used, kept, copied, made ----

TOUCHES: dict[str, Callable[[Record], object]] = {
    "nothing": lambda record: None,
    "title": lambda record: record.title,
    "fields": lambda record: record.fields,
    "changed": lambda record: record.fields.clear(),
    "replaced": lambda record: setattr(record, "fields", [Field("001", data="other")]),
    "leader": lambda record: record.leader[5],
    "leader replaced": lambda record: setattr(record, "leader", Leader(" " * 24)),
    "as_marc": lambda record: record.as_marc(),
    "copied": copy.copy,
    "pickled": pickle.dumps,
}


@pytest.mark.parametrize("touch", TOUCHES)
@pytest.mark.parametrize("asked_before", [False, True])
def test_places_do_not_change(touch: str, asked_before: bool) -> None:
    """They tell of the source, whatever was done with the record; also when the reader has gone on."""
    for source in (at_position(DATA), own_at_position(DATA)):
        expected = [(at + len(BEFORE), len(raw)) for at, raw in places_of_parts() if raw[:2] != b"no"]
        records: list[Record] = []
        with MARCReader(source, on_error="salvage", _chunk_bytes=100) as reader:
            for record in reader:
                if record is not None:
                    if asked_before:
                        assert record.byte_offset == expected[len(records)][0]
                    TOUCHES[touch](record)
                    records.append(record)
        assert [(record.byte_offset, record.byte_length) for record in records] == expected
        for record in records:
            TOUCHES[touch](record)
        assert [(record.byte_offset, record.byte_length) for record in records] == expected


def by_pickle(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, by_pickle], ids=lambda how: how.__name__)
def test_copies_know_their_place(duplicate: Callable[[Record], Record]) -> None:
    """Made while the record is in its batch, and later."""
    reader = MARCReader(at_position(DATA), on_error="salvage", _chunk_bytes=100)
    originals, twins = [], []
    for record in reader:
        if record is not None:
            originals.append(record)
            twins.append(duplicate(record))
    later = [duplicate(record) for record in originals]
    for original, twin, late in zip(originals, twins, later):
        assert original.byte_offset is not None
        for one in (twin, late):
            assert (one.byte_offset, one.byte_length) == (original.byte_offset, original.byte_length)
            assert (one.problems, one.raw) == (original.problems, original.raw)
    assert len({record.byte_offset for record in twins}) == 7


def test_records_that_were_made_stand_nowhere() -> None:
    for record in (Record(), Record(fields=[Field("001", data="x")]), Record(leader=" " * 24)):
        for one in (record, copy.deepcopy(record), by_pickle(record)):
            assert (one.byte_offset, one.byte_length, one.raw) == (None, None, None)
    record = Record()
    record.fields = [Field("245", Indicators("1", "0"), [Subfield("a", "x")])]
    assert record.as_marc()
    assert record.byte_offset is None


def test_a_record_of_bytes_begins_with_them() -> None:
    for raw in (book(1), ODD):
        record = Record(raw)
        assert (record.byte_offset, record.byte_length) == (0, len(raw))


def test_places_are_not_for_setting() -> None:
    record = given(MARCReader(DATA))
    for name in ("byte_offset", "byte_length", "raw", "problems"):
        with pytest.raises(AttributeError):
            setattr(record, name, 1)


def test_a_place_costs_a_number() -> None:
    """A record that is kept, and was asked where it stood, costs its bytes; its batch is gone with the others."""
    data = b"".join(books(300))

    def keep() -> list[Any]:
        with MARCReader(Source(data, 10_000)) as reader:
            records = [given(reader) for _ in range(300)]
        assert sum(record.byte_offset or 0 for record in records) > 300_000
        return records

    used, kept = python_bytes(keep)
    assert isinstance(kept, list)
    assert used < len(data) + 300 * 290 + 20_000
    for record in kept:
        native = [one for one in reachable(record) if type(one).__name__.startswith(("__CData", "buffer"))]
        assert native == []


def test_a_copy_holds_no_batch() -> None:
    record = given(MARCReader(DATA))
    twin = copy.copy(record)
    assert not any(isinstance(one, Batch) for one in reachable(twin))
    assert not any(isinstance(one, Batch) for one in reachable(record)), "it has the place itself from then on"
    raw = record.raw
    del record, twin
    gc.collect()
    assert sys.getrefcount(raw) == 2


# ---- errors ----

OVERLAP = record_bytes(("001", b"v000001"), *[("500", b"  \x1fa" + b"x" * 2_000)])
#: 200 entries for the one field.
OVERLAP = (
    b"%05d" % (len(OVERLAP) + 199 * 12)
    + OVERLAP[5:12]
    + b"%05d" % (int(OVERLAP[12:17]) + 199 * 12)
    + OVERLAP[17:36]
    + OVERLAP[36:48] * 200
    + OVERLAP[48:]
)
LARGEST = 5_000

#: What is rejected, where it is not the last piece of its input, and under which code.
REJECTED: dict[str, tuple[int, bytes]] = {
    **{kind: (bad.code, bad.raw) for kind, bad in BAD.items()},
    "leader too short": (lib.MARC_BAD_LEADER, b"00010abcd\x1d"),
    "overlap": (lib.MARC_BAD_OVERLAP, OVERLAP),
    "escape": (lib.MARC_BAD_ESCAPE, record_bytes(("001", b"e000001"), ("245", b"10\x1faText\x1b"), coding=" ")),
    "oversize": (lib.MARC_BAD_OVERSIZE, b"x" * (LARGEST + 1) + b"\x1d"),
}

#: How Python's own exceptions begin.
SENTENCES = {
    UnicodeDecodeError: (
        r"('(ascii|utf-8)' codec can't decode byte 0x[0-9a-f]{2} in position \d+"
        r"|'marc8_to_unicode' codec can't decode bytes in position [-\d]+): [^:]+"
    ),
    ValueError: r"invalid literal for int\(\) with base 10: (b?'[^']+'|b?\"[^\"]+\")",
    IndexError: "string index out of range",
}


def error_of(data: bytes, number: int, **options: Any) -> Any:
    """The error of item `number` of an input."""
    reader = MARCReader(data, largest_record=LARGEST, **options)
    for _ in range(number + 1):
        record = next(reader)
    assert record is None
    return reader.current_exception


def check_text(problem: Any, index: int) -> None:
    """One line: the sentence of the class, the message of the code, and the place."""
    text = str(problem)
    assert text.isprintable()
    assert len(text) < 400
    sentence = SENTENCES.get(type(problem)) or re.escape(str(type(problem)()))
    message = re.escape(code_message(problem.code))
    words = [f"record {index + 1}", f"offset {problem.byte_offset}"]
    words.append(f"001 {problem.control_number}" if problem.control_number else "no 001")
    words += [f"field {problem.tag}"] if problem.tag else []
    place = re.escape(f" ({', '.join(words)})")
    assert re.fullmatch(f"{sentence}: {message}.*{place}", text), text
    assert problem.record_index == index


@quiet
@pytest.mark.parametrize("kind", REJECTED)
def test_text_of_errors(kind: str) -> None:
    code, raw = REJECTED[kind]
    problem = error_of(GOOD[0] + raw + GOOD[1], 1)
    assert problem.code == code
    assert problem.chunk == raw[:LARGEST]
    check_text(problem, 1)


@pytest.mark.parametrize("kind", foreign_inputs())
def test_text_of_errors_of_foreign_inputs(kind: str) -> None:
    code, raw = foreign_inputs()[kind]
    problem = error_of(raw, 0)
    assert problem.code == code
    check_text(problem, 0)


def test_text_of_a_truncated_record() -> None:
    problem = error_of(GOOD[0] + GOOD[1][:60], 1)
    assert problem.code == lib.MARC_BAD_TRUNCATED
    check_text(problem, 1)
    assert "it says '00070', and the piece has 60 bytes" in str(problem)


def test_every_code_is_met() -> None:
    """All but the two that are never the error of an item: further parts, and what a failure of the source has cut."""
    met = {code for code, _ in (*REJECTED.values(), *foreign_inputs().values())} | {lib.MARC_BAD_TRUNCATED}
    every = {getattr(lib, name) for name in dir(lib) if name.startswith("MARC_BAD_")}
    assert met - {lib.MARC_NOTE_SUBFIELD_CODE} == every - {lib.MARC_BAD_OVERSIZE_PART, lib.MARC_BAD_CUT}


@pytest.mark.parametrize(
    "number",
    ["a\nb", "\x1b[31mred", "\u009b31m", "\u202eright to left", "\u2028", "\0", "tab\t", "\x7f", "\ufeff", "\x85"],
)
def test_no_control_character_comes_out(number: str) -> None:
    """Not of a control number, which is data; the attribute has it as it is."""
    raw = record_bytes(("001", number.encode()), ("245", b"10\x1fa\xff"))
    problem = error_of(raw + GOOD[0], 0)
    assert problem.control_number == number
    assert str(problem).isprintable()
    assert number not in str(problem)
    assert f"001 {number.encode('unicode_escape').decode()}" in str(problem)


def test_control_numbers_beyond_ascii_are_readable() -> None:
    problem = error_of(record_bytes(("001", "Ж-1/ü".encode()), ("245", b"10\x1fa\xff")) + GOOD[0], 0)
    assert "(record 1, offset 61, 001 Ж-1/ü, field 245)" in str(problem)


@pytest.mark.parametrize("tag", ["2\n5", "\x1b[m", "a'b"])
def test_no_control_character_of_a_tag(tag: str) -> None:
    raw = record_bytes(("001", b"x"), (tag, b"10\x1fa\xff"))
    problem = error_of(raw + GOOD[0], 0)
    assert problem.tag == tag
    assert str(problem).isprintable()
    assert f"field {tag.encode('unicode_escape').decode()})" in str(problem)


@pytest.mark.parametrize("junk", [b"\x1b[2J\x1b[H!", b"a\nb\nc", b"\x80\x9b\xff\xfe!", b"\xe2\x80\xae123", b"'\"\\"])
def test_no_control_character_of_what_was_found(junk: bytes) -> None:
    for raw in (junk + b"\x1d", BAD["junk"].raw[:5] + junk + b"\x1d", BAD["base address of letters"].raw[:12] + junk):
        text = str(error_of(GOOD[0] + raw + GOOD[1], 1))
        assert text.isprintable()


@quiet
@pytest.mark.parametrize("kind", REJECTED)
@pytest.mark.parametrize(
    "duplicate",
    [lambda one: pickle.loads(pickle.dumps(one)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_errors_travel(kind: str, duplicate: Callable[[Any], Any]) -> None:
    """Between processes and in copies: class, text and place."""
    problem = error_of(GOOD[0] + REJECTED[kind][1] + GOOD[1], 1)
    twin = duplicate(problem)
    assert type(twin) is type(problem)
    assert str(twin) == str(problem)
    assert vars(twin) == vars(problem)
    assert repr(twin) == repr(problem)
    if isinstance(problem, UnicodeDecodeError):
        for name in ("encoding", "object", "start", "end", "reason"):
            assert getattr(twin, name) == getattr(problem, name)


def test_too_many_errors_travel() -> None:
    reader = MARCReader(BAD["junk"].raw + GOOD[0], max_errors=0)
    with pytest.raises(TooManyErrors) as caught:
        next(reader)
    twin = pickle.loads(pickle.dumps(caught.value))
    assert (type(twin), str(twin)) == (TooManyErrors, str(caught.value))


def test_errors_of_two_readers_are_two() -> None:
    """Nothing of an error is kept in its class."""
    one, other = error_of(BAD["junk"].raw + GOOD[0], 0), error_of(GOOD[0] + BAD["junk"].raw + GOOD[0], 1)
    assert (one.record_index, other.record_index) == (0, 1)
    assert str(one) != str(other)
    assert str(type(one)()) == "Invalid record length in first 5 bytes of record"


def test_warnings_that_are_errors_have_a_place() -> None:
    raw = record_bytes(("001", b"v000001"), ("245", "10\x1fáTitle".encode()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reader = MARCReader(GOOD[0] + raw + GOOD[1])
        given(reader)
        assert next(reader) is None
    problem: Any = reader.current_exception
    assert (type(problem), problem.code) == (BadSubfieldCodeWarning, lib.MARC_NOTE_SUBFIELD_CODE)
    assert (problem.record_index, problem.tag) == (1, "245")
    assert (problem.control_number, problem.chunk) == ("v000001", raw)
    assert problem.byte_offset == len(GOOD[0]) + raw.index("áTitle".encode())
    assert str(problem).startswith(str(BadSubfieldCodeWarning("áTitle".encode())) + ": ")
    assert str(problem).endswith("001 v000001, field 245)")
    assert reader.stats.errors_by_code == {lib.MARC_NOTE_SUBFIELD_CODE: 1}
    twin = pickle.loads(pickle.dumps(problem))
    assert (twin.subf, str(twin), vars(twin)) == (problem.subf, str(problem), vars(problem))


def test_offsets_of_errors_lie_in_their_pieces() -> None:
    """Whatever the error: a byte of the piece, counted from the beginning of the source."""
    data = generated("damaged", 200)
    for origin in (0, len(BEFORE)):
        reader = MARCReader(at_position(data) if origin else data)
        end, seen = origin, 0
        for record in reader:
            raw = reader.current_chunk
            assert raw is not None
            begin = (BEFORE[:origin] + data).index(raw, end)
            end = begin + len(raw)
            problem: Any = reader.current_exception
            if record is None:
                assert begin <= problem.byte_offset < end
                seen += 1
        assert seen > 8


def test_errors_have_what_their_module_says() -> None:
    problem = error_of(BAD["text not UTF-8"].raw + GOOD[0], 0)
    names = re.findall(r"^``(\w+)``", libmarc.exceptions.__doc__ or "", re.MULTILINE)
    assert names == ["code", "record_index", "byte_offset", "control_number", "tag", "chunk"]
    assert set(vars(problem)) == set(names)
