"""Damaged data: one bad piece costs none of its neighbours, says exactly what is wrong with it and where, and gives its
bytes back."""

from __future__ import annotations

import copy
import io
import logging
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support import Source, book, check_sums, generated, generated_pieces, given, items, raws, record_bytes

import libmarc
from libmarc import (
    BadSubfieldCodeWarning,
    BaseAddressInvalid,
    BaseAddressNotFound,
    EndOfRecordNotFound,
    MARCReader,
    NoFieldsFound,
    RecordDirectoryInvalid,
    RecordLengthInvalid,
    RecordTooLarge,
    TruncatedRecord,
)
from libmarc._native import lib

GOOD = [book(number) for number in range(4)]
VICTIM = record_bytes(("001", b"v000001"), ("245", b"10\x1faThe victim"), ("500", b"  \x1faOne note"))
BASE = 24 + 3 * 12 + 1


def with_length(length: bytes, record: bytes = VICTIM) -> bytes:
    return length + record[5:]


def with_base(base: bytes, record: bytes = VICTIM) -> bytes:
    return record[:12] + base + record[17:]


def replaced(at: int, new: bytes, record: bytes = VICTIM) -> bytes:
    return record[:at] + new + record[at + len(new) :]


class Bad(NamedTuple):
    """A piece that is rejected when another one follows it, and what is told of it."""

    raw: bytes
    error: type[Exception]
    code: int
    offset: int = 0  # from the begin of the piece
    control: str | None = "v000001"
    tag: str | None = None


BAD = {
    "cut in the middle": Bad(VICTIM[:-20], EndOfRecordNotFound, lib.MARC_BAD_END_NOT_FOUND),
    "cut in the directory": Bad(VICTIM[:50], EndOfRecordNotFound, lib.MARC_BAD_END_NOT_FOUND, 0, None),
    "cut in the leader": Bad(VICTIM[:19], EndOfRecordNotFound, lib.MARC_BAD_END_NOT_FOUND, 0, None),
    "no record terminator": Bad(VICTIM[:-1], EndOfRecordNotFound, lib.MARC_BAD_END_NOT_FOUND),
    "length too long": Bad(with_length(b"00200"), EndOfRecordNotFound, lib.MARC_BAD_END_NOT_FOUND),
    "length too short": Bad(with_length(b"00080"), EndOfRecordNotFound, lib.MARC_BAD_END_NOT_FOUND, 79),
    "length 99999": Bad(with_length(b"99999"), EndOfRecordNotFound, lib.MARC_BAD_END_NOT_FOUND),
    "length of letters": Bad(with_length(b"abcde"), RecordLengthInvalid, lib.MARC_BAD_LENGTH),
    "length with a letter": Bad(with_length(b"0010x"), RecordLengthInvalid, lib.MARC_BAD_LENGTH),
    "length not ASCII": Bad(with_length(b"\xff0070"), RecordLengthInvalid, lib.MARC_BAD_LENGTH),
    "junk": Bad(b"-- end of part one --\x1d", RecordLengthInvalid, lib.MARC_BAD_LENGTH, 0, None),
    "too short for a length": Bad(b"abc", RecordLengthInvalid, lib.MARC_BAD_LENGTH, 0, None),
    "no room for a leader": Bad(b"00010 1234\x1d", EndOfRecordNotFound, lib.MARC_BAD_END_NOT_FOUND, 9, None),
    "leader not ASCII": Bad(replaced(6, b"\xe9"), UnicodeDecodeError, lib.MARC_BAD_LEADER_TEXT),
    "base address of letters": Bad(with_base(b"xxxxx"), ValueError, lib.MARC_BAD_BASE_NUMBER, 12),
    "base address zero": Bad(with_base(b"00000"), BaseAddressNotFound, lib.MARC_BAD_BASE_MISSING, 12),
    "base address negative": Bad(with_base(b"-0010"), BaseAddressNotFound, lib.MARC_BAD_BASE_MISSING, 12),
    "base address behind the end": Bad(with_base(b"99999"), BaseAddressInvalid, lib.MARC_BAD_BASE_RANGE, 12),
    "directory not whole": Bad(with_base(b"%05d" % (BASE + 5)), RecordDirectoryInvalid, lib.MARC_BAD_DIRECTORY, 24),
    "directory not ASCII": Bad(replaced(36, b"\xe9"), UnicodeDecodeError, lib.MARC_BAD_DIRECTORY_TEXT, 24),
    "length of a field": Bad(replaced(39, b"abcd"), ValueError, lib.MARC_BAD_DIRECTORY_NUMBER, 39, "v000001", "245"),
    "start of a field": Bad(replaced(43, b"abcde"), ValueError, lib.MARC_BAD_DIRECTORY_NUMBER, 43, "v000001", "245"),
    "no fields": Bad(b"00026nam a2200025 i 4500\x1e\x1d", NoFieldsFound, lib.MARC_BAD_NO_FIELDS, 24, None),
    "indicator not ASCII": Bad(
        replaced(BASE + 8, b"\xc3"), UnicodeDecodeError, lib.MARC_BAD_INDICATOR_TEXT, BASE + 8, "v000001", "245"
    ),
    "text not UTF-8": Bad(
        replaced(BASE + 12, b"\xff"), UnicodeDecodeError, lib.MARC_BAD_TEXT, BASE + 12, "v000001", "245"
    ),
    "control field not UTF-8": Bad(
        record_bytes(("001", b"v000001"), ("005", b"\xff")),
        UnicodeDecodeError,
        lib.MARC_BAD_TEXT,
        24 + 2 * 12 + 1 + 8,
        "v000001",
        "005",
    ),
    "no ASCII in a subfield code": Bad(
        record_bytes(("001", b"v000001"), ("245", b"10\x1f\xe4\xb8\xad")),
        IndexError,
        lib.MARC_NOTE_SUBFIELD_CODE,
        24 + 2 * 12 + 1 + 8 + 3,
        "v000001",
        "245",
    ),
}
every_bad = pytest.mark.parametrize("kind", BAD)
quiet = pytest.mark.filterwarnings("ignore::libmarc.BadSubfieldCodeWarning")


def place_of(problem: Any) -> dict[str, Any]:
    place = dict(vars(problem))
    place.pop("_detail", None)  # what str() says; test_errors has it
    return place


@quiet
@every_bad
def test_neighbours_of_a_rejected_piece(kind: str) -> None:
    """Between two records, from memory and in short reads: the records, None in its place, and all about it."""
    bad = BAD[kind]
    parts = [*GOOD[:2], bad.raw, *GOOD[2:]]
    data = b"".join(parts)
    start = len(GOOD[0]) + len(GOOD[1])
    for source in (data, io.BytesIO(data), Source(data), Source(data, 1), Source(data, 50)):
        reader = MARCReader(source)
        assert [given(reader).raw for _ in range(2)] == GOOD[:2]
        assert next(reader) is None
        problem = reader.current_exception
        assert type(problem) is bad.error
        assert reader.current_chunk == bad.raw
        assert place_of(problem) == {
            "code": bad.code,
            "record_index": 2,
            "byte_offset": start + bad.offset,
            "control_number": bad.control,
            "tag": bad.tag,
            "chunk": bad.raw,
        }
        assert [given(reader).raw for _ in range(2)] == GOOD[2:]
        assert reader.current_exception is None
        assert next(reader, "end") == "end"
        assert check_sums(reader).errors_by_code == {bad.code: 1}


@quiet
@every_bad
def test_a_rejected_piece_at_the_end(kind: str) -> None:
    bad = BAD[kind]
    reader = MARCReader(GOOD[0] + bad.raw)
    assert given(reader).raw == GOOD[0]
    assert next(reader) is None
    expected = bad.error
    if kind in ("too short for a length",) or (bad.error is EndOfRecordNotFound and bad.offset == 0):
        expected = TruncatedRecord  # as pymarc says when its input ends there
    assert type(reader.current_exception) is expected
    assert reader.current_chunk == bad.raw
    assert next(reader, "end") == "end"


@quiet
def test_all_rejected_pieces_in_one_input() -> None:
    parts: list[bytes] = []
    for number, bad in enumerate(BAD.values()):
        parts += [book(number), bad.raw]
    parts.append(book(99))
    data = b"".join(parts)
    for source in (data, Source(data, 700)):
        assert raws(MARCReader(source)) == parts
    found = items(MARCReader(data))
    for number, bad in enumerate(BAD.values()):
        assert found[2 * number].problems == ()
        assert found[2 * number + 1].place["type"] is bad.error
        assert found[2 * number + 1].place["record_index"] == 2 * number + 1


@quiet
@every_bad
def test_errors_can_be_raised_and_kept(kind: str) -> None:
    """They are exceptions of their own: no traceback into the reader, no context, raised where the user wants it."""
    reader = MARCReader(BAD[kind].raw + GOOD[0])
    assert next(reader) is None
    problem = reader.current_exception
    assert problem is not None
    assert problem.__traceback__ is None or kind == "no ASCII in a subfield code"
    assert problem.__cause__ is None
    next(reader)
    assert reader.current_exception is None
    with pytest.raises(BAD[kind].error):
        raise problem


# ---- the three of the plan ----


def test_batch_with_truncated_record() -> None:
    """A record that is cut anywhere costs no neighbour, in front or behind."""
    for cut in range(1, len(VICTIM)):
        parts = [*GOOD[:2], VICTIM[:cut], *GOOD[2:]]
        reader = MARCReader(b"".join(parts))
        assert [record and record.raw for record in reader] == [*GOOD[:2], None, *GOOD[2:]], cut
        assert check_sums(reader).rejected == 1
    for cut in range(1, len(VICTIM)):
        reader = MARCReader(GOOD[0] + VICTIM[:cut])
        assert given(reader).raw == GOOD[0]
        assert next(reader) is None
        assert isinstance(reader.current_exception, TruncatedRecord)
        assert str(reader.current_exception).startswith("Record length in leader is greater than the length of data: ")
        assert reader.current_chunk == VICTIM[:cut]


@pytest.mark.parametrize("length", [b"00000", b"00004", b"-0001", b" 0100", b"+0100", b"1_0_0"])
def test_batch_with_wrong_length_encoding_that_pymarc_takes(length: bytes) -> None:
    """Lengths below 5, and what int() makes a number of, are no reason to reject a record."""
    right = int(length) if int(length) > 5 else len(VICTIM)
    victim = with_length(length, book(1, "x" * (right - len(book(1, "x")) + 1)))
    assert len(victim) == right
    reader = MARCReader(b"".join([*GOOD[:2], victim, *GOOD[2:]]))
    records = [given(reader) for _ in range(5)]
    assert [record.raw for record in records] == [*GOOD[:2], victim, *GOOD[2:]]
    assert [problem.code for problem in records[2].problems] == [lib.MARC_NOTE_FRAMING]
    assert records[2]["001"].data == "n000001"
    assert all(record.problems == () for record in records[:2] + records[3:])


@pytest.mark.parametrize("length", range(0, 300, 7))
def test_batch_with_wrong_length_encoding(length: int) -> None:
    """Any number in the place of the right one: the neighbours are intact, and the piece is the record's bytes."""
    victim = with_length(b"%05d" % length)
    reader = MARCReader(b"".join([*GOOD[:2], victim, *GOOD[2:]]))
    found = []
    for record in reader:
        found.append(reader.current_chunk)
        if record is None:
            assert isinstance(reader.current_exception, EndOfRecordNotFound)
            assert str(reader.current_exception).startswith("Unable to locate end of record marker: ")
    assert found == [*GOOD[:2], victim, *GOOD[2:]]


@pytest.mark.parametrize("source", [bytes, io.BytesIO, Source])
def test_batch_with_oversized_record(source: Callable[[bytes], Any]) -> None:
    """A piece above the largest size is one error; its bytes stream by, in parts. What is around it is intact."""
    largest = 1 << 20
    junk = b"junk" * (largest // 4) + b"a tail of it\x1d"
    rejects = io.BytesIO()
    reader = MARCReader(source(b"".join([*GOOD[:2], junk, *GOOD[2:]])), largest_record=largest, rejects=rejects)
    assert [given(reader).raw for _ in range(2)] == GOOD[:2]
    assert next(reader) is None
    problem: Any = reader.current_exception
    assert type(problem) is RecordTooLarge
    assert (problem.code, problem.record_index) == (lib.MARC_BAD_OVERSIZE, 2)
    assert problem.byte_offset == len(GOOD[0]) * 2
    assert reader.current_chunk == problem.chunk == junk[:largest]
    assert [given(reader).raw for _ in range(2)] == GOOD[2:]
    assert next(reader, "end") == "end"
    assert rejects.getvalue() == junk
    stats = reader.stats
    assert (stats.records, stats.delivered, stats.rejected) == (5, 4, 1)
    assert (stats.bytes_rejected, stats.errors_by_code) == (len(junk), {lib.MARC_BAD_OVERSIZE: 1})


# ---- silent bytes ----


@pytest.mark.parametrize(
    "silent", [b"\n", b"\r\n", b" ", b"\0" * 512, b"\x1a", b"\xef\xbb\xbf", b"\t", b"\x1d", b"\n\0 \x1d"]
)
def test_silent_bytes_are_no_error(silent: bytes) -> None:
    data = silent + silent.join(GOOD) + silent
    for source in (data, Source(data, 1)):
        reader = MARCReader(source)
        assert raws(reader) == GOOD
        assert reader._source.info().silent_bytes == len(data) - sum(map(len, GOOD))


# ---- a whole file of damage ----


def test_damaged_file_against_its_map(damaged_file: Path, damaged: bytes) -> None:
    pieces = generated_pieces("damaged", 200)
    found = items(MARCReader(damaged_file))
    assert [one.raw for one in found] == [damaged[begin:end] for _, begin, end in pieces]
    for index, (one, (kind, begin, end)) in enumerate(zip(found, pieces, strict=True)):
        if one.fields is None:
            assert one.place["record_index"] == index
            assert begin <= one.place["byte_offset"] < end
            assert one.place["code"] < 0
        elif kind == "chunk":
            assert [problem.code for problem in one.problems] != []
        for problem in one.problems:
            assert begin <= problem.byte_offset < end
            assert problem.code in range(lib.MARC_NOTE_FRAMING, lib.MARC_NOTE_SUBFIELD_CODE + 1)
            assert problem.message


def test_control_numbers_of_rejected_pieces() -> None:
    """As the generator has numbered them, where the 001 is still there."""
    data = generated("damaged", 200)
    reader = MARCReader(data)
    numbers = set()
    for record in reader:
        if record is None:
            problem: Any = reader.current_exception
            if problem.control_number is not None:
                assert problem.control_number.encode() + b"\x1e" in (reader.current_chunk or b"")
                numbers.add(problem.control_number)
    assert len(numbers) >= 8


def test_a_control_number_that_is_cut_off_is_none() -> None:
    """Half a number would name another record."""
    for cut in range(BASE, BASE + 7):
        reader = MARCReader(VICTIM[:cut] + GOOD[0])
        assert next(reader) is None
        problem: Any = reader.current_exception
        assert problem.control_number is None, VICTIM[BASE:cut]


# ---- records that deviate and are delivered ----


class Odd(NamedTuple):
    raw: bytes
    problems: list[tuple[int, int, str | None]]  # code, offset, tag
    field: tuple[str, str, list[tuple[str, str]]]  # indicators and subfields of 245
    log: str | None = None


def titled(content: bytes) -> bytes:
    return record_bytes(("001", b"v000001"), ("245", content), ("500", b"  \x1faNote"))


AT = BASE + 8  # where the content of 245 begins
ODD = {
    "no indicators": Odd(
        titled(b"\x1faTitle"),
        [(lib.MARC_NOTE_INDICATORS_MISSING, AT, "245")],
        (" ", " ", [("a", "Title")]),
        r"missing indicators: b'\x1faTitle'",
    ),
    "no subfields either": Odd(
        titled(b""),
        [(lib.MARC_NOTE_INDICATORS_MISSING, AT, "245")],
        (" ", " ", []),
        "missing indicators: b''",
    ),
    "one indicator": Odd(
        titled(b"1\x1faTitle"),
        [(lib.MARC_NOTE_INDICATOR_ONE, AT, "245")],
        ("1", " ", [("a", "Title")]),
        r"only 1 indicator found: b'1\x1faTitle'",
    ),
    "three indicators": Odd(
        titled(b"123\x1faTitle"),
        [(lib.MARC_NOTE_INDICATORS_MANY, AT, "245")],
        ("1", "2", [("a", "Title")]),
        r"more than 2 indicators found: b'123\x1faTitle'",
    ),
    "empty subfields": Odd(
        titled(b"10\x1f\x1faTitle\x1f"),
        [(lib.MARC_NOTE_SUBFIELD_EMPTY, AT + 3, "245"), (lib.MARC_NOTE_SUBFIELD_EMPTY, AT + 11, "245")],
        ("1", "0", [("a", "Title")]),
    ),
    "record terminator inside": Odd(
        titled(b"10\x1faTi\x1dtle"),
        [(lib.MARC_NOTE_INNER_TERMINATOR, AT + 6, "245")],
        ("1", "0", [("a", "Ti\x1dtle")]),
    ),
    "field terminator inside": Odd(
        titled(b"10\x1faTi\x1etle"),
        [(lib.MARC_NOTE_INNER_TERMINATOR, AT + 6, "245")],
        ("1", "0", [("a", "Ti\x1etle")]),
    ),
    "subfield code with a diacritic": Odd(
        titled("10\x1fáTitle".encode()),
        [(lib.MARC_NOTE_SUBFIELD_CODE, AT + 3, "245")],
        ("1", "0", [("a", "Title")]),
    ),
    "length of the record zero": Odd(
        with_length(b"00000", titled(b"10\x1faTitle")),
        [(lib.MARC_NOTE_FRAMING, 0, None)],
        ("1", "0", [("a", "Title")]),
    ),
}


@quiet
@pytest.mark.parametrize("kind", ODD)
def test_problems_of_delivered_records(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    odd = ODD[kind]
    reader = MARCReader(GOOD[0] + odd.raw + GOOD[1])
    assert given(reader).problems == ()
    with caplog.at_level(logging.WARNING, logger="pymarc"):
        record = given(reader)
    assert [(message.name, message.getMessage()) for message in caplog.records] == (
        [("pymarc", odd.log)] if odd.log else []
    )
    assert reader.current_exception is None
    assert record.raw == odd.raw == reader.current_chunk
    expected = [(code, len(GOOD[0]) + offset, tag) for code, offset, tag in odd.problems]
    assert [problem[:3] for problem in record.problems] == expected
    assert all(problem.message == libmarc._native.code_message(problem.code) for problem in record.problems)
    field = record["245"]
    assert (field.indicator1, field.indicator2, [tuple(subfield) for subfield in field.subfields]) == odd.field
    assert record["500"]["a"] == "Note"
    assert record["001"].data == "v000001"
    assert record.title == (odd.field[2][0][1] if odd.field[2] else None)
    assert given(reader).raw == GOOD[1]
    alone = libmarc.Record(odd.raw)
    assert [problem[:3] for problem in alone.problems] == odd.problems
    assert str(alone) == str(record)


def test_problem_is_a_named_tuple() -> None:
    record = libmarc.Record(ODD["one indicator"].raw)
    (problem,) = record.problems
    assert isinstance(problem, libmarc.Problem)
    assert problem._fields == ("code", "byte_offset", "tag", "message")
    assert problem.message == "one indicator only; a blank is added"


def test_log_lines_come_in_their_place(caplog: pytest.LogCaptureFixture) -> None:
    """At delivery of the record that they are about, not before and not again when it is looked at."""
    odd = ODD["one indicator"].raw
    reader = MARCReader(GOOD[0] + odd + GOOD[1] + odd)
    counts = []
    records = []
    for record in reader:
        counts.append(len(caplog.records))
        records.append(record)
    assert counts == [0, 1, 1, 2]
    assert all(len(record.fields) >= 2 for record in records if record)
    assert len(caplog.records) == 2


def test_rejected_records_do_not_log_what_is_not_delivered(caplog: pytest.LogCaptureFixture) -> None:
    reader = MARCReader(record_bytes(("245", b"1\x1faTitle"), ("500", b"  \x1fa\xff")) + GOOD[0])
    assert next(reader) is None
    assert given(reader).raw == GOOD[0]
    assert all(message.name == "pymarc" for message in caplog.records)


# ---- the warning of a subfield code ----


def test_warning_of_a_subfield_code() -> None:
    raw = ODD["subfield code with a diacritic"].raw
    with pytest.warns(BadSubfieldCodeWarning, match="non-ASCII subfield code") as caught:
        assert given(MARCReader(raw)).title == "Title"
    assert [warning.message.subf for warning in caught] == ["áTitle".encode()]  # type: ignore[union-attr]


def test_warning_names_the_place_of_the_user() -> None:
    """It is told where records are asked for: that is the line to look at, and filters by module work."""
    raw = ODD["subfield code with a diacritic"].raw
    asked: list[Callable[[], object]] = [
        lambda: next(MARCReader(raw)),
        lambda: list(MARCReader(raw)),
        lambda: libmarc.Record(raw),
    ]
    for ask in asked:
        with pytest.warns(BadSubfieldCodeWarning) as caught:
            ask()
        assert [warning.filename for warning in caught] == [__file__]


def test_warnings_as_errors_do_not_stop_the_reading() -> None:
    """With `-W error` the record is None with the warning as its reason, and reading goes on behind it."""
    raw = ODD["subfield code with a diacritic"].raw
    reader = MARCReader(GOOD[0] + raw + GOOD[1])
    assert given(reader).raw == GOOD[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert next(reader) is None
        assert isinstance(reader.current_exception, BadSubfieldCodeWarning)
        assert reader.current_chunk == raw
        assert given(reader).raw == GOOD[1]
        assert next(reader, "end") == "end"


# ---- MARC-8 ----


@pytest.mark.parametrize(
    ("content", "coding", "text"),
    [
        (b"Plain ASCII", " ", "Plain ASCII"),
        ("Gérard".encode(), "a", "Gérard"),
        (b"\x1b(NrUS\x1b(B", "a", "\x1b(NrUS\x1b(B"),
        (b"G\xe2erard", " ", "Gérard"),
        (b"\x1b(NwOJNA\x1b(B", " ", "Война"),
        (b"G\xe2erard", "z", "Gérard"),
        (b"two\r\nlines", " ", "twolines"),
    ],
)
def test_text_by_leader_09(content: bytes, coding: str, text: str) -> None:
    raw = record_bytes(("001", b"v000001"), ("245", b"10\x1fa" + content), coding=coding)
    written = record_bytes(("001", b"v000001"), ("245", b"10\x1fa" + text.encode()))
    for record in (given(MARCReader(raw)), libmarc.Record(raw)):
        assert (record.raw, record.byte_length, record.leader[9]) == (raw, len(raw), coding)
        assert (record.title, record["245"]["a"]) == (text, text)
        assert record.as_marc() == written
        assert record.leader[9] == "a"
        assert (record.raw, record.problems) == (raw, ())


def test_subfield_code_above_ascii_without_the_flag() -> None:
    """Read as Latin-1 where it is no UTF-8, as pymarc does."""
    raw = record_bytes(("001", b"v\xe9"), ("245", b"10\x1f\xe9Title\x1fb\xe9e"), coding=" ")
    with pytest.warns(BadSubfieldCodeWarning):
        record = given(MARCReader(raw))
    assert record["245"].subfields == [("e", "Title"), ("b", "ě")]
    assert record["001"].data == "v\xe9"


def test_control_fields_are_latin1_beside_marc8() -> None:
    raw = record_bytes(("001", b"v\xe9"), ("245", b"10\x1faG\xe2erard\x1fb\x1b(NwOJNA"), coding=" ")
    record = given(MARCReader(raw))
    assert (record["001"].data, record.title, record.problems) == ("v\xe9", "Gérard Война", ())


def test_marc8_records_keep_their_bytes() -> None:
    data = generated("marc8", 300)
    records = [record for record in MARCReader(data) if record]
    assert b"".join(record.raw or b"" for record in records) == data
    converted = [record for record in records if record.raw is not record._raw]
    assert 50 < len(converted) < 300
    for record in records:
        raw = record.raw or b""
        assert (record in converted) == (not raw.isascii() or b"\x1b" in raw)
        copies = copy.deepcopy(record), pickle.loads(pickle.dumps(record))
        for one in copies:
            assert (one.raw, one.as_marc(), str(one)) == (raw, record.as_marc(), str(record))


def test_what_marc8_does_not_have(capfd: pytest.CaptureFixture[str]) -> None:
    raw = record_bytes(
        ("001", b"x"), ("245", b"10\x1faa\xa0b\x1fbc\xff\xe2"), ("500", b"  \x1faG\xe2erard"), coding=" "
    )
    lines = (
        "Unable to parse character 0xa0 in g0=66 g1=69\nUnable to parse character 0xff in g0=66 g1=69\n"  # as pymarc
    )
    expected = [
        (lib.MARC_NOTE_UNMAPPED, raw.index(b"\xa0"), "245"),
        (lib.MARC_NOTE_UNMAPPED, raw.index(b"\xff"), "245"),
        (lib.MARC_NOTE_ORPHAN_MARK, raw.index(b"\xe2"), "245"),
    ]
    for made in (
        lambda hide: given(MARCReader(raw, hide_utf8_warnings=hide)),
        lambda hide: libmarc.Record(raw, hide_utf8_warnings=hide),
    ):
        for hide in (False, True):
            record = made(hide)
            assert capfd.readouterr().err == ("" if hide else lines)
            assert record.title == "a b c "
            assert record["500"]["a"] == "Gérard"
            assert [(one.code, one.byte_offset, one.tag) for one in record.problems] == expected
            assert (
                record.as_marc()[24:]
                == record_bytes(("001", b"x"), ("245", b"10\x1faa b\x1fbc "), ("500", "  \x1faGérard".encode()))[24:]
            )


def test_marc8_that_ends_within_an_escape_sequence() -> None:
    raw = record_bytes(("001", b"x"), ("245", b"10\x1faa\x1b"), coding=" ")
    reader = MARCReader(GOOD[0] + raw + GOOD[1])
    assert given(reader).raw == GOOD[0]
    assert next(reader) is None
    problem = reader.current_exception
    assert isinstance(problem, UnicodeDecodeError)
    assert (problem.encoding, problem.object, problem.code, problem.tag) == (
        "marc8_to_unicode",
        b"a\x1b",
        lib.MARC_BAD_ESCAPE,
        "245",
    )  # type: ignore[attr-defined]
    assert given(reader).raw == GOOD[1]


def test_utf8_without_the_flag_is_noted() -> None:
    """It is read as pymarc reads it, and a problem says that it is UTF-8."""
    raw = record_bytes(("001", b"x"), ("245", "10\x1faDvořák".encode()), coding=" ")
    record = given(MARCReader(raw, hide_utf8_warnings=True))
    assert lib.MARC_NOTE_UTF8 in [one.code for one in record.problems]
    assert record.title != "Dvořák"
    assert given(MARCReader(raw, on_error="salvage")).title == "Dvořák"
