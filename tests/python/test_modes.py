"""What becomes of a piece that is no record: on_error, max_errors, largest_record; and the numbers in stats, at every
step."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pieces import pieces_of_bytes
from support import Script, Source, book, books, check_sums, given, raws, run_python, steps

import libmarc
from libmarc import (
    EndOfRecordNotFound,
    FatalReaderError,
    MARCReader,
    PymarcException,
    RecordLengthInvalid,
    RecordTooLarge,
    Stats,
    TooManyErrors,
)
from libmarc._native import lib

MODES = ("none", "raise", "skip", "salvage")
GOOD = books(4)
#: Rejected in every mode: there is no directory.
JUNK = b"-- end of part one --\x1d"
#: Rejected as pymarc rejects it, or repaired.
WRONG = b"00999" + book(90)[5:]
#: Delivered in every mode, with a problem.
ODD = b"00000" + book(91)[5:]
#: Rejected in every mode: it ends in its directory.
CUT = book(92)[:30] + b"\x1d"
#: What on_error="raise" may raise: pymarc lets some exceptions of Python through.
REJECTIONS = (PymarcException, ValueError, IndexError)
every_mode = pytest.mark.parametrize("mode", MODES)


class Part(NamedTuple):
    """Bytes of an input, and what becomes of them: code and class of the error, if pymarc rejects them."""

    raw: bytes
    code: int = 0
    error: type[Exception] | None = None
    repaired: bool = False  # with on_error="salvage"
    silent: bool = False

    def is_rejected(self, mode: str) -> bool:
        return self.error is not None and not (mode == "salvage" and self.repaired)


PARTS = [
    Part(b"\n\0", silent=True),
    Part(GOOD[0]),
    Part(b"\r\n", silent=True),
    Part(JUNK, lib.MARC_BAD_LENGTH, RecordLengthInvalid),
    Part(GOOD[1]),
    Part(WRONG, lib.MARC_BAD_END_NOT_FOUND, EndOfRecordNotFound, repaired=True),
    Part(b"\x1a", silent=True),
    Part(ODD, repaired=True),
    Part(JUNK, lib.MARC_BAD_LENGTH, RecordLengthInvalid),
    Part(JUNK, lib.MARC_BAD_LENGTH, RecordLengthInvalid),
    Part(GOOD[2]),
    Part(GOOD[3]),
    Part(CUT, lib.MARC_BAD_END_NOT_FOUND, EndOfRecordNotFound),
    Part(b"\n\n\n", silent=True),
]
DATA = b"".join(part.raw for part in PARTS)


def by_path(folder: Path, _: ExitStack) -> Any:
    path = folder / "input.mrc"
    path.write_bytes(DATA)
    return path


def by_file(folder: Path, stack: ExitStack) -> Any:
    return stack.enter_context(by_path(folder, stack).open("rb"))


SOURCES: dict[str, Callable[[Path, ExitStack], Any]] = {
    "path": by_path,
    "file": by_file,
    "bytes": lambda *_: DATA,
    "BytesIO": lambda *_: io.BytesIO(DATA),
    "callback": lambda *_: Source(DATA),
    "short reads": lambda *_: Source(DATA, 33),
}
every_source = pytest.mark.parametrize("source", SOURCES)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """Makes a source of a kind."""
    with ExitStack() as stack:
        yield lambda kind: SOURCES[kind](tmp_path, stack)


def outcomes(reader: MARCReader) -> Iterator[tuple[str, bytes | None]]:
    """What each call of next() comes to, until the end: "record", "None" or the class that is raised; and the bytes."""
    for step in steps(reader):
        if isinstance(step, Exception):
            if not isinstance(step, REJECTIONS):
                raise step
            assert reader.current_exception is None
            yield type(step).__name__, reader.current_chunk
        else:
            assert (reader.current_exception is None) == (step is not None)
            yield "None" if step is None else "record", reader.current_chunk if step is None else step.raw


def outcome_of(part: Part, mode: str) -> str:
    if part.error is None or not part.is_rejected(mode):
        return "record"
    return part.error.__name__ if mode == "raise" else "None"


def items_of(mode: str) -> list[int]:
    """Which of the parts are items of a reader."""
    return [
        number
        for number, part in enumerate(PARTS)
        if not part.silent and not (mode == "skip" and part.is_rejected(mode))
    ]


@cache
def stats_behind(count: int, mode: str) -> Stats:
    """The stats of a reader that has come behind so many parts."""
    parts = [part for part in PARTS[:count] if not part.silent]
    rejected = [part for part in parts if part.is_rejected(mode)]
    lost = sum(len(part.raw) for part in rejected)
    return Stats(
        records=len(parts),
        delivered=len(parts) - len(rejected),
        repaired=sum(part.repaired for part in parts) if mode == "salvage" else 0,
        rejected=len(rejected),
        bytes_read=len(DATA),
        bytes_delivered=sum(len(part.raw) for part in parts) - lost,
        bytes_rejected=lost,
        junk_bytes=sum(len(part.raw) for part in PARTS[:count] if part.silent),
        errors_by_code=dict(Counter(part.code for part in rejected)),
    )


# ---- on_error ----


@every_mode
@every_source
def test_what_next_gives(mode: str, source: str, make: Callable[[str], Any]) -> None:
    reader = MARCReader(make(source), on_error=mode)
    expected = [(outcome_of(PARTS[number], mode), PARTS[number].raw) for number in items_of(mode)]
    assert list(outcomes(reader)) == expected
    assert check_sums(reader) == stats_behind(len(PARTS), mode)
    last = reader.current_exception
    for _ in range(3):
        assert next(reader, "end") == "end"
    assert reader.current_exception is last
    assert last is None or isinstance(last, FatalReaderError), "pymarc's reader has ended with such a one"


@every_mode
@pytest.mark.parametrize("queue", [1, 2, 100])
@pytest.mark.parametrize("chunk", [64, 100, 1 << 20])
def test_sizes_change_nothing(mode: str, queue: int, chunk: int) -> None:
    expected = [(outcome_of(PARTS[number], mode), PARTS[number].raw) for number in items_of(mode)]
    for most in (None, 1, 50):
        reader = MARCReader(Source(DATA, most), on_error=mode, _queue_records=queue, _chunk_bytes=chunk)
        assert list(outcomes(reader)) == expected


def test_none_is_the_default() -> None:
    assert list(outcomes(MARCReader(DATA))) == list(outcomes(MARCReader(DATA, on_error="none")))


def test_a_raised_error_is_what_none_has_as_its_reason() -> None:
    """With the same attributes and text. The traceback begins where next() was called, and nothing is tied to it."""
    quiet, loud = MARCReader(DATA), MARCReader(DATA, on_error="raise")
    raised = 0
    for record in quiet:
        if record is not None:
            assert given(loud).raw == record.raw
            continue
        expected = quiet.current_exception
        assert expected is not None
        with pytest.raises(type(expected)) as caught:
            loud.__next__()
        assert (str(caught.value), vars(caught.value)) == (str(expected), vars(expected))
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        assert caught.traceback[0].name == "test_a_raised_error_is_what_none_has_as_its_reason"
        raised += 1
    assert raised == 5


def test_a_loop_that_an_error_has_ended_can_be_begun_again() -> None:
    reader = MARCReader(DATA, on_error="raise")
    found, errors, done = [], [], False
    while not done:
        try:
            for record in reader:
                assert record is not None
                found.append(record.raw)
            done = True
        except PymarcException as problem:
            errors.append(problem)
    assert found == [part.raw for part in PARTS if not part.silent and part.error is None]
    assert [type(problem) for problem in errors] == [part.error for part in PARTS if part.error is not None]
    assert [problem.chunk for problem in errors] == [part.raw for part in PARTS if part.error is not None]


def test_skip_never_gives_none() -> None:
    reader = MARCReader(DATA, on_error="skip")
    for record in reader:
        assert record is not None
        assert reader.current_chunk == record.raw
        assert reader.current_exception is None
    assert reader.current_chunk is None


@pytest.mark.parametrize("data", [JUNK, JUNK * 300, CUT, b"\n" + JUNK + b"\n"])
def test_skip_where_nothing_is_left(data: bytes) -> None:
    reader = MARCReader(data, on_error="skip")
    assert list(reader) == []
    assert check_sums(reader).rejected == max(data.count(JUNK), 1)


def test_salvage_repairs_what_the_others_reject() -> None:
    reader = MARCReader(DATA, on_error="salvage")
    repaired = [record for record in reader if record is not None and record.problems]
    assert [record.raw for record in repaired] == [WRONG, ODD]
    for record in repaired:
        assert {problem.code for problem in record.problems} == {lib.MARC_NOTE_LENGTH}
    assert [record["001"].data for record in repaired] == ["n000090", "n000091"]


@every_mode
def test_sound_input_is_the_same_in_every_mode(mode: str, mixed: bytes) -> None:
    expected = raws(MARCReader(mixed))
    reader = MARCReader(mixed, on_error=mode, max_errors=0)
    for raw in expected:
        record = given(reader)
        assert (record.raw, record.problems) == (raw, ())
    assert next(reader, "end") == "end"
    assert check_sums(reader).rejected == 0


# ---- arguments ----


@pytest.mark.parametrize("mode", ["", "None", "RAISE", "ignore", None, 0, b"skip", ["skip"]])
def test_on_error_is_one_of_four(mode: Any) -> None:
    with pytest.raises(ValueError, match="on_error is one of none, raise, skip, salvage, not"):
        MARCReader(DATA, on_error=mode)


@pytest.mark.parametrize("count", [-1, -(1 << 70)])
def test_max_errors_is_not_negative(count: int) -> None:
    with pytest.raises(ValueError, match="max_errors"):
        MARCReader(DATA, max_errors=count)


@pytest.mark.parametrize("size", [0, -1, (3 << 30) + 1, 1 << 64, -(1 << 70)])
def test_largest_record_out_of_range(size: int) -> None:
    with pytest.raises(ValueError, match="largest_record"):
        MARCReader(DATA, largest_record=size)


def test_largest_record_at_its_limits() -> None:
    assert raws(MARCReader(DATA, largest_record=3 << 30)) == raws(MARCReader(DATA))
    assert raws(MARCReader(b"".join(GOOD), largest_record=1)) == GOOD, "sound records are never too large"


@pytest.mark.parametrize("name", ["max_errors", "largest_record"])
@pytest.mark.parametrize("value", ["5", 1.5, [], b"1"])
def test_numbers_are_whole_numbers(name: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        MARCReader(DATA, **{name: value})


def test_they_have_names_only() -> None:
    """pymarc's arguments come before them."""
    with pytest.raises(TypeError):
        MARCReader(DATA, True, False, False, "strict", "iso8859-1", False, "skip")  # type: ignore[call-arg]


# ---- max_errors ----


def numbers_of_rejected(mode: str) -> list[int]:
    return [number for number, part in enumerate(PARTS) if part.is_rejected(mode)]


def read_to_the_limit(reader: MARCReader) -> TooManyErrors:
    with pytest.raises(TooManyErrors) as caught:
        for _ in outcomes_until_too_many(reader):
            pass
    return caught.value


def outcomes_until_too_many(reader: MARCReader) -> Iterator[str]:
    """As `outcomes`, but TooManyErrors passes."""
    for step in steps(reader):
        if isinstance(step, Exception):
            if isinstance(step, TooManyErrors) or not isinstance(step, PymarcException):
                raise step
            yield type(step).__name__
        else:
            yield "None" if step is None else "record"


@every_mode
@every_source
@pytest.mark.parametrize("borne", [0, 1, 2, 3])
def test_one_error_more_than_is_borne(mode: str, source: str, borne: int, make: Callable[[str], Any]) -> None:
    """It is raised in the place of the piece, with the piece's own error as its cause; then the reader has ended."""
    last = numbers_of_rejected(mode)[borne]
    reader = MARCReader(make(source), on_error=mode, max_errors=borne)
    found: list[str] = []
    with pytest.raises(TooManyErrors) as caught:
        found.extend(outcomes_until_too_many(reader))
    assert found == [outcome_of(PARTS[number], mode) for number in items_of(mode) if number < last]
    cause: Any = caught.value.__cause__
    assert (type(cause), cause.code, cause.chunk) == (PARTS[last].error, PARTS[last].code, PARTS[last].raw)
    assert cause.byte_offset == sum(len(part.raw) for part in PARTS[:last])
    assert str(caught.value) == f"more than {borne} errors; the last one: {cause}"
    assert reader.current_chunk == PARTS[last].raw
    assert reader.current_exception is cause
    stats = reader.stats
    assert stats._replace(bytes_read=0) == stats_behind(last + 1, mode)._replace(bytes_read=0)
    for _ in range(3):
        assert next(reader, "end") == "end"
    assert reader.stats == stats
    reader.close()
    assert reader.stats == stats


@every_mode
def test_as_many_errors_as_are_borne(mode: str) -> None:
    rejected = numbers_of_rejected(mode)
    expected = list(outcomes(MARCReader(DATA, on_error=mode)))
    for borne in (len(rejected), len(rejected) + 1, 1 << 70):
        assert list(outcomes(MARCReader(DATA, on_error=mode, max_errors=borne))) == expected
    read_to_the_limit(MARCReader(DATA, on_error=mode, max_errors=len(rejected) - 1))


@every_mode
def test_repaired_records_are_no_errors(mode: str) -> None:
    data = GOOD[0] + WRONG + ODD + GOOD[1]
    reader = MARCReader(data, on_error=mode, max_errors=0)
    assert given(reader).raw == GOOD[0]
    if mode == "salvage":
        assert [given(reader).raw for _ in range(3)] == [WRONG, ODD, GOOD[1]]
        assert next(reader, "end") == "end"
    else:
        assert isinstance(read_to_the_limit(reader).__cause__, EndOfRecordNotFound)


def test_too_many_errors_is_told_once_and_no_more_is_read() -> None:
    source = Script(GOOD[0], JUNK, GOOD[1], JUNK, GOOD[2])
    reader = MARCReader(source, on_error="skip", max_errors=0)
    assert given(reader).raw == GOOD[0]
    with pytest.raises(TooManyErrors):
        next(reader)
    calls = source.calls
    assert list(reader) == []
    reader.close()
    assert source.calls == calls


@pytest.mark.parametrize("kind", ["BytesIO", "file"])
def test_too_many_errors_leave_the_source_behind_the_last_of_them(kind: str, make: Callable[[str], Any]) -> None:
    """Who wants to go on can, with another reader."""
    source = make(kind)
    for borne in range(5):
        source.seek(0)
        read_to_the_limit(MARCReader(source, max_errors=borne))
        last = numbers_of_rejected("none")[borne]
        assert source.tell() == sum(len(part.raw) for part in PARTS[: last + 1])
    source.seek(0)
    read_to_the_limit(MARCReader(source, max_errors=0))
    rest = [part.raw for part in PARTS[numbers_of_rejected("none")[0] + 1 :] if not part.silent]
    assert raws(MARCReader(source)) == rest


def test_too_many_errors_is_an_exception_of_the_family() -> None:
    assert issubclass(TooManyErrors, PymarcException)
    assert not issubclass(TooManyErrors, libmarc.FatalReaderError)
    assert libmarc.TooManyErrors is TooManyErrors


def test_a_fault_of_the_source_is_not_one_of_the_errors() -> None:
    """What it cuts counts in stats; but the fault is raised, not TooManyErrors."""
    for mode in MODES:
        reader = MARCReader(Script(GOOD[0] + CUT[:-1], OSError("gone")), on_error=mode, max_errors=0)
        assert given(reader).raw == GOOD[0]
        with pytest.raises(OSError, match="gone"):
            next(reader)
        assert reader.stats.errors_by_code == {lib.MARC_BAD_CUT: 1}
        assert list(reader) == []


# ---- largest_record ----

LARGEST = 1_000
HUGE = b"x" * (3 * LARGEST + 500) + b"\x1d"


@every_mode
@pytest.mark.parametrize("most", [None, 1, 999, 1_000, 1_001])
def test_a_piece_in_parts_is_one_error(mode: str, most: int | None) -> None:
    """Its first part is current_chunk, the others are no items; all of it goes to rejects."""
    rejects = io.BytesIO()
    reader = MARCReader(
        Source(GOOD[0] + HUGE + b"\n" + JUNK + GOOD[1], most), on_error=mode, largest_record=LARGEST, rejects=rejects
    )
    found = list(outcomes(reader))
    word = {"none": "None", "salvage": "None", "raise": "RecordTooLarge", "skip": ""}[mode]
    junk = word.replace("RecordTooLarge", "RecordLengthInvalid")
    expected = [("record", GOOD[0]), (word, HUGE[:LARGEST]), (junk, JUNK), ("record", GOOD[1])]
    assert found == [outcome for outcome in expected if outcome[0]]
    assert rejects.getvalue() == HUGE + JUNK
    stats = check_sums(reader)
    assert (stats.records, stats.delivered, stats.rejected) == (4, 2, 2)
    assert (stats.bytes_rejected, stats.junk_bytes) == (len(HUGE) + len(JUNK), 1)
    assert stats.errors_by_code == {lib.MARC_BAD_OVERSIZE: 1, lib.MARC_BAD_LENGTH: 1}


@pytest.mark.parametrize("source", [bytes, Source])
def test_size_at_the_limit(source: Callable[[bytes], Any]) -> None:
    exact, longer = b"x" * (LARGEST - 1) + b"\x1d", b"x" * LARGEST + b"\x1d"
    data = exact + GOOD[0] + longer + GOOD[1]
    reader = MARCReader(source(data), on_error="raise", largest_record=LARGEST)
    assert list(outcomes(reader)) == [
        ("RecordLengthInvalid", exact),
        ("record", GOOD[0]),
        ("RecordTooLarge", longer[:LARGEST]),
        ("record", GOOD[1]),
    ]
    assert check_sums(reader).bytes_rejected == len(exact) + len(longer)


def test_indexes_behind_a_piece_in_parts() -> None:
    """It has one index, whatever the number of its parts."""
    data = GOOD[0] + HUGE + JUNK + GOOD[1] + JUNK
    reader = MARCReader(Source(data, 700), largest_record=LARGEST)
    places = []
    for record in reader:
        problem: Any = reader.current_exception
        if record is None:
            places.append((problem.record_index, problem.byte_offset))
    assert places == [(1, len(GOOD[0])), (2, len(GOOD[0]) + len(HUGE)), (4, len(data) - len(JUNK))]


@every_mode
def test_a_piece_in_parts_is_one_of_max_errors(mode: str) -> None:
    data = HUGE + GOOD[0] + JUNK + GOOD[1]
    reader = MARCReader(data, on_error=mode, largest_record=LARGEST, max_errors=1)
    assert type(read_to_the_limit(reader).__cause__) is RecordLengthInvalid
    reader = MARCReader(data, on_error=mode, largest_record=LARGEST, max_errors=0)
    problem = read_to_the_limit(reader)
    assert type(problem.__cause__) is RecordTooLarge
    assert reader.stats.bytes_rejected == LARGEST, "the other parts were not come to"


def test_stats_while_a_piece_comes_in_parts() -> None:
    """Parts count as they go by: those behind the first with the item that comes next."""
    reader = MARCReader(GOOD[0] + HUGE + GOOD[1] + GOOD[2], largest_record=LARGEST)
    told = []
    for _ in reader:
        stats = reader.stats
        told.append((stats.records, stats.delivered, stats.rejected, stats.bytes_rejected))
    assert told == [(1, 1, 0, 0), (2, 1, 1, LARGEST), (3, 2, 1, len(HUGE)), (4, 3, 1, len(HUGE))]


# ---- stats ----


@every_mode
@every_source
@pytest.mark.parametrize("queue", [1, 2, 100])
def test_stats_after_every_item(mode: str, source: str, queue: int, make: Callable[[str], Any]) -> None:
    """They tell of what was handed out, and not of what waits: the same on every backend."""
    reader = MARCReader(make(source), on_error=mode, _queue_records=queue)
    assert reader.stats._replace(bytes_read=0) == stats_behind(0, mode)._replace(bytes_read=0)
    steps = outcomes(reader)
    for number in items_of(mode):
        next(steps)
        stats = reader.stats
        silent = sum(len(part.raw) for part in PARTS[: number + 1])
        assert silent <= stats.bytes_read <= len(DATA)
        assert stats._replace(bytes_read=len(DATA)) == stats_behind(number + 1, mode)
    assert next(steps, None) is None
    assert reader.stats == stats_behind(len(PARTS), mode)


@every_mode
@every_source
def test_stats_after_close(mode: str, source: str, make: Callable[[str], Any]) -> None:
    """As they were before it, also in the middle of a batch and between two."""
    for queue, chunk in ((2, 64), (100, 1 << 20)):
        for taken in range(len(items_of(mode)) + 2):
            reader = MARCReader(make(source), on_error=mode, _queue_records=queue, _chunk_bytes=chunk)
            steps = outcomes(reader)
            for _ in range(taken):
                next(steps, None)
            before = reader.stats
            reader.close()
            assert reader.stats == before
            reader.close()
            assert next(reader, "end") == "end"
            assert reader.stats == before
            told = before.bytes_delivered + before.bytes_rejected + before.junk_bytes
            behind = [0, *(number + 1 for number in items_of(mode)), len(PARTS)][taken]
            assert told == sum(len(part.raw) for part in PARTS[:behind]), "where the reader stands"


@every_mode
@pytest.mark.parametrize("chunk", [64, 5_000, 1 << 20])
def test_stats_of_a_damaged_file(mode: str, chunk: int, damaged: bytes, damaged_file: Path) -> None:
    """Step by step against what libmarc.so says of each piece."""
    best = lib.MARC_PARSE_BEST if mode == "salvage" else lib.MARC_PARSE_PYMARC
    pieces = pieces_of_bytes(damaged, parse_mode=best)
    reader = MARCReader(damaged_file, on_error=mode, _chunk_bytes=chunk)
    handed_out = 0
    for outcome, raw in outcomes(reader):
        assert outcome == "record" or mode != "skip"
        while mode == "skip" and pieces[handed_out].status != lib.MARC_OK:
            handed_out += 1
        handed_out += 1
        stats, past = reader.stats, pieces[:handed_out]
        rejected = [piece for piece in past if piece.status != lib.MARC_OK]
        assert raw == damaged[past[-1].begin : past[-1].end]
        assert (stats.records, stats.rejected) == (handed_out, len(rejected))
        assert stats.bytes_rejected == sum(piece.end - piece.begin for piece in rejected)
        assert stats.bytes_delivered + stats.bytes_rejected + stats.junk_bytes == past[-1].end
        assert stats.errors_by_code == Counter(piece.status for piece in rejected)
        assert stats.repaired == sum(bool(piece.flags & lib.MARC_REC_REPAIRED) for piece in past)
    stats = check_sums(reader)
    assert (stats.records, stats.bytes_read) == (len(pieces), len(damaged))
    assert (stats.repaired > 10) == (mode == "salvage")
    assert stats.rejected >= 2


def test_stats_can_be_asked_by_the_source() -> None:
    """For a progress bar: read() is called in the middle of next()."""

    class Asking(Source):
        reader: MARCReader

        def read(self, size: int) -> Any:
            told.append(self.reader.stats)
            return super().read(size)

    told: list[Stats] = []
    source = Asking(DATA, 100)
    source.reader = MARCReader(source)
    raws(source.reader)
    assert [stats.bytes_read for stats in told] == [*range(0, len(DATA), 100), len(DATA)]
    assert all(stats.records <= following.records for stats, following in pairwise(told))
    assert told[-1].records >= 8


def test_stats_are_a_picture_of_the_moment() -> None:
    reader = MARCReader(DATA)
    for _ in range(2):
        next(reader)
    stats = reader.stats
    stats.errors_by_code.clear()
    stats.errors_by_code[7] = 7
    list(reader)
    assert (stats.records, stats.errors_by_code) == (2, {7: 7})
    assert reader.stats == stats_behind(len(PARTS), "none")
    assert isinstance(stats, Stats)
    assert libmarc.Stats is Stats


def test_stats_of_an_input_without_records() -> None:
    for data in (b"", b"\n", b" \0\x1a\x1d\xef\xbb\xbf"):
        for source in (data, Source(data, 1)):
            reader = MARCReader(source)
            assert raws(reader) == []
            assert reader.stats == Stats(0, 0, 0, 0, len(data), 0, 0, len(data), {})


def test_stats_of_a_source_that_does_not_begin_at_zero() -> None:
    """They tell of what this reader has read."""
    source = io.BytesIO(b"somebody else's" + DATA)
    source.seek(len(b"somebody else's"))
    reader = MARCReader(source)
    raws(reader)
    assert reader.stats == stats_behind(len(PARTS), "none")


# ---- Ctrl-C ----

CTRL_C = """
import io, random, signal, sys
from collections import Counter
from support import book
from libmarc import MARCReader, PymarcException

mode, kind, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
parts = []
for number in range(60):
    parts += [book(number), b"00999" + book(1_000 + number)[5:], b"\\n", b"no record %d\\x1d" % number]
    parts += [b"too large %d" % number + b"y" * (300 + number) + b"\\x1d"]
data = b"".join(parts)

def open_reader(rejects):
    return MARCReader(data, on_error=mode, rejects=rejects, largest_record=200, _queue_records=2, _chunk_bytes=400)

def read_on(reader, found):
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except PymarcException as problem:
            found.append(problem.chunk)
        else:
            found.append(reader.current_chunk if record is None else record.raw)

def read_interrupted(reader, found):
    signal.setitimer(signal.ITIMER_REAL, rng.uniform(2e-5, 3e-4))
    try:
        read_on(reader, found)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)

calm, expected, rng = io.BytesIO(), [], random.Random(7)
reader = open_reader(calm)
read_on(reader, expected)
stats = reader.stats
assert len(set(expected)) == len(expected) == (60 if mode == "skip" else 240) and stats.rejected >= 120
signal.signal(signal.SIGALRM, signal.default_int_handler)  # raises KeyboardInterrupt
sys.stderr = io.StringIO()  # where Python tells of exceptions that nobody can catch
interrupts = twice = lost = wrong = 0
while interrupts < wanted:
    rejects = io.BytesIO() if kind == "memory" else open(sys.argv[4], "w+b", buffering=0)
    reader, found, hit, done = open_reader(rejects), [], 0, False
    while not done:
        try:
            read_interrupted(reader, found)
            done = True
        except KeyboardInterrupt:
            hit += 1
    interrupts += hit
    twice += sum(count - 1 for count in Counter(found).values())
    lost += max(0, len(expected) - len(found) - hit)
    rejects.seek(0)
    wrong += rejects.read() != calm.getvalue()
    wrong += reader.stats != stats
    rejects.close()
swallowed = sys.stderr.getvalue().count("Exception ignored")
print(f"{twice} twice, {lost} lost, {wrong} wrong, {swallowed} swallowed")
"""


@pytest.mark.parametrize("kind", ["memory", "file"])
@every_mode
def test_ctrl_c_at_any_moment(mode: str, kind: str, tmp_path: Path) -> None:
    """Each KeyboardInterrupt costs one item at most, in the hands of the interpreter. No item comes twice; stats and
    rejects are as without it, byte for byte."""
    count = 50 if "LIBMARC_SANITIZER" in os.environ else 1_000  # a sanitizer makes each of them slow
    told = run_python(CTRL_C, mode, kind, str(count), tmp_path / "rejects")
    assert told == "0 twice, 0 lost, 0 wrong, 0 swallowed\n"


def test_ctrl_c_does_not_swallow_too_many_errors() -> None:
    """It comes while the reader is being closed for them: they are its context then."""

    class Interrupting(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            if armed:
                raise KeyboardInterrupt
            return super().seek(offset, whence)

    armed = False
    source = Interrupting(DATA)
    reader = MARCReader(source, max_errors=0)
    given(reader)
    armed = True
    with pytest.raises(KeyboardInterrupt) as caught:
        next(reader)
    assert isinstance(caught.value.__context__, TooManyErrors)
    assert list(reader) == []
