"""Byte ranges: whatever the tiling, the ranges of an input give together what one reader gives, each byte once."""

from __future__ import annotations

import contextlib
import copy
import gzip
import io
import itertools
import mmap
import multiprocessing
import os
import pickle
import random
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import boundary_reference
import pytest
from boundary_reference import Boundaries
from corpus import loc_file, need_corpus
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import Seekable, Source, book, books, foreign_inputs, generated, item, items, open_files, steps
from test_boundary_properties import FOREIGN, MODES, inputs
from test_boundary_rule import FRAGMENTS

import libmarc
from libmarc import MARCReader, Stats, plan_ranges
from libmarc._native import lib

pytestmark = pytest.mark.filterwarnings("ignore::libmarc.BadSubfieldCodeWarning")

LARGEST = boundary_reference.LARGEST
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LONG = settings(max_examples=3_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# ---- what ranges give ----


class One(NamedTuple):
    """A record or rejected piece, without its number."""

    raw: bytes | None
    offset: int  # where it begins, or where it is damaged
    title: str | None
    problems: tuple[Any, ...]
    error: tuple[Any, ...] | None


#: What the numbers of all ranges add up to.
SUMS = ("records", "delivered", "repaired", "rejected", "bytes_delivered", "bytes_rejected", "junk_bytes")


class Found(NamedTuple):
    """What one range, or all of them, have given."""

    pieces: list[One]
    sums: dict[str, int]
    errors: Counter[int]

    def __add__(self, other: Found) -> Found:  # type: ignore[override]
        sums = {name: self.sums[name] + other.sums[name] for name in SUMS}
        return Found(self.pieces + other.pieces, sums, self.errors + other.errors)


NOTHING = Found([], dict.fromkeys(SUMS, 0), Counter())


def found_of(reader: MARCReader) -> Found:
    pieces: list[One] = []
    for record in reader:
        if record is not None:
            assert record.byte_offset is not None
            pieces.append(One(record.raw, record.byte_offset, record.title, record.problems, None))
        else:
            problem: Any = reader.current_exception
            assert problem.record_index == len(pieces), "they are numbered from the beginning of the range"
            error = (type(problem), problem.code, problem.tag, problem.control_number)
            pieces.append(One(reader.current_chunk, problem.byte_offset, None, (), error))
    stats = reader.stats
    assert len(pieces) == stats.records == stats.delivered + stats.rejected
    assert sum(stats.errors_by_code.values()) == stats.rejected
    return Found(pieces, {name: getattr(stats, name) for name in SUMS}, Counter(stats.errors_by_code))


class Way(NamedTuple):
    """How a range is read."""

    kind: str
    threads: int
    chunk: int


KINDS = ("path", "bytes", "BytesIO", "file", "seekable", "short reads")
CHUNKS = (64, 200, 5_000, 1 << 20)
WAYS = [Way(*way) for way in itertools.product(KINDS, (1, 3), CHUNKS)]
random.Random(5).shuffle(WAYS)
#: For long inputs without an anchor: each step back to one reads as much as the largest record.
LONG_WAYS = [way for way in WAYS if way.chunk >= 5_000 and way.kind != "short reads"]


class Input:
    """Bytes, their borders by the reference, what one reader gives, and readers of ranges of them."""

    def __init__(self, data: bytes, folder: Path, largest: int = LARGEST, mode: str = "none") -> None:
        self.data = data
        self.options: dict[str, Any] = {"largest_record": largest, "on_error": mode}
        self.boundaries = Boundaries(data, largest)
        self.path = folder / "input.mrc"
        self.path.write_bytes(data)
        self.silent = [piece[1:] for piece in self.boundaries.pieces() if piece[0] == "silent"]
        os.environ["MARC_NUM_THREADS"] = "1"
        self.whole = found_of(MARCReader(data, **self.options))

    def source(self, kind: str) -> Any:
        if kind == "file":
            return self.path.open("rb")
        sources: dict[str, Callable[[], Any]] = {
            "path": lambda: self.path,
            "bytes": lambda: self.data,
            "BytesIO": lambda: io.BytesIO(self.data),
            "seekable": lambda: Seekable(self.data),
            "short reads": lambda: Seekable(self.data, 37),
        }
        return sources[kind]()

    def range(self, begin: int, end: int, way: Way) -> Found:
        """What a range gives: the pieces that the reference says."""
        os.environ["MARC_NUM_THREADS"] = str(way.threads)
        source = self.source(way.kind)
        with MARCReader(source, byte_range=(begin, end), _chunk_bytes=way.chunk, **self.options) as reader:
            found = found_of(reader)
        if way.kind == "file":
            source.close()
        owned = self.boundaries.pieces(begin, end)
        expected = [self.data[first:last] for kind, first, last in owned if kind in ("record", "chunk")]
        assert [one.raw for one in found.pieces] == expected, (begin, end, way)
        # Silent bytes belong to the range that they lie in.
        junk = sum(max(0, min(last, end) - max(first, begin)) for first, last in self.silent)
        assert found.sums["junk_bytes"] == junk, (begin, end, way)
        return found

    def check(self, cuts: Iterable[int], ways: Iterator[Way]) -> None:
        """That the ranges between the cuts tile the input."""
        size = len(self.data)
        borders = [0, *sorted(cut % (size + 1) for cut in cuts), size]
        found = NOTHING
        for begin, end in itertools.pairwise(borders):
            found += self.range(begin, end, next(ways))
        assert found == self.whole, borders
        told = found.sums["bytes_delivered"] + found.sums["bytes_rejected"] + found.sums["junk_bytes"]
        assert told == size


@pytest.fixture(scope="module")
def damaged() -> bytes:
    """80 records, every tenth damaged."""
    return generated("damaged", 80)


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set here is put back."""
    monkeypatch.setenv("MARC_NUM_THREADS", "1")


# ---- every cut of small inputs ----


def mixed_damage(seed: int) -> bytes:
    random_ = random.Random(seed)
    parts = []
    for number in range(6):
        parts += [book(number), random_.choice(FRAGMENTS), random_.choice((b"", b"\n", b" " * 70, b"\x1d\r\n"))]
        if number % 3 == 2:
            raw = book(90 + number)
            at = random_.randrange(len(raw))
            parts.append(
                raw[:at] + random_.choice((b"", b"\x1d", b"\x1e", b"99999")) + raw[at + random_.randrange(9) :]
            )
    return b"".join(parts)


BLANK_LEADER = b"   50nam a2200037   4500001000600000\x1e12345\x1e\x1d"
SMALL: dict[str, tuple[bytes, int]] = {
    "mixed damage": (mixed_damage(1), LARGEST),
    "mixed damage in parts": (mixed_damage(2), 40),
    "silent runs": (
        b"\n" * 90 + book(1) + b"\n" * 200 + book(2) + b" " * 90 + b"junk\x1d" + b"\xef\xbb\xbf" * 30 + BLANK_LEADER
        + b" " * 90 + BLANK_LEADER + b"\0" * 80,
        LARGEST,
    ),
    "silent bytes like a leader": (
        (book(1) + b" " * 40 + b"nam a2200037   45" + b" " * 80 + b"\x1d" + b"\xef\xbb\xbf" * 3) * 3,
        LARGEST,
    ),
    "one piece in parts": (book(1) + b"x" * 300 + b"\x1d" + book(2) + b"\n" * 30 + b"y" * 130, 50),
    "parts of one byte": (book(1) + b"x" * 40 + b"\x1d" + book(2), 1),
    "gzip": (gzip.compress(book(1) * 30, mtime=0) + b"\x1d" + book(2) + b"\n" + gzip.compress(book(3)), LARGEST),
    "gzip in parts": (gzip.compress(random.Random(3).randbytes(300), mtime=0) + book(2), 64),
    "no anchor": (b"x" * 300 + book(1)[:-1] + b"\n" * 50 + book(2)[:60] + book(3)[:-1], LARGEST),
    "records only": (b"".join(books(8)), LARGEST),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_every_cut_in_two(name: str, tmp_path: Path) -> None:
    """Each cut is read in another way."""
    data, largest = SMALL[name]
    small = Input(data, tmp_path, largest)
    ways = itertools.cycle(WAYS)
    for cut in range(len(data) + 1):
        small.check([cut], ways)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(map(str, way)))
@pytest.mark.parametrize("name", SMALL)
def test_every_cut_in_two_in_every_way(name: str, way: Way, tmp_path: Path) -> None:
    data, largest = SMALL[name]
    small = Input(data, tmp_path, largest)
    for cut in range(len(data) + 1):
        small.check([cut], itertools.repeat(way))


@pytest.mark.parametrize("name", SMALL)
def test_ranges_of_a_few_bytes(name: str, tmp_path: Path) -> None:
    """Tilings with hundreds of ranges, down to one byte each: most of them own nothing."""
    data, largest = SMALL[name]
    small = Input(data, tmp_path, largest)
    ways = itertools.cycle(WAYS)
    for width in (1, 7, 30) if len(data) < 1_000 else (13, 50):
        small.check(range(width, len(data), width), ways)


@pytest.mark.parametrize("name", foreign_inputs())
def test_inputs_in_other_formats(name: str, tmp_path: Path) -> None:
    """The error that tells of it is in the range of the first byte, and no other range finds anything new."""
    code, data = foreign_inputs()[name]
    foreign = Input(data + b"\n" + b"".join(books(3)), tmp_path)
    assert foreign.whole.errors[code] == 1
    random_ = random.Random(name)
    ways = itertools.cycle(WAYS)
    for count in (1, 2, 5, 30):
        foreign.check([random_.randrange(len(foreign.data)) for _ in range(count)], ways)


def test_a_piece_larger_than_many_ranges(tmp_path: Path) -> None:
    """A chunk of 300 KB in parts, without an anchor: each part is in the range in which it begins, told once."""
    data = book(1) + b"x" * 300_000 + b"\x1d" + book(2) + b"y" * 90_000
    long = Input(data, tmp_path, 5_000)
    assert long.whole.errors == {lib.MARC_BAD_OVERSIZE: 2}
    for number, way in enumerate(LONG_WAYS[:6]):
        long.check(range(20_000 + number, len(data), 40_000), itertools.repeat(way))


def test_a_long_silent_run(tmp_path: Path) -> None:
    """Longer than a chunk, and than all that is looked at to find an anchor."""
    data = book(1) + b"\n" * 150_000 + book(2) + b"\0" * 110_000
    long = Input(data, tmp_path)
    for number, way in enumerate(LONG_WAYS[:6]):
        long.check(range(20_000 + number, len(data), 60_000), itertools.repeat(way))


# ---- tilings of larger inputs ----


@pytest.mark.parametrize("mode", MODES)
def test_ranges_of_a_damaged_file(mode: str, damaged: bytes, tmp_path: Path) -> None:
    whole = Input(damaged, tmp_path, mode=mode)
    random_ = random.Random(mode)
    ways = itertools.cycle(WAYS)
    for count in (1, 2, 3, 4, 7, 16):
        whole.check([random_.randrange(len(damaged)) for _ in range(count)], ways)
        whole.check([end for _, end in libmarc.plan_ranges(damaged, count)][:-1], ways)


def test_everything_that_can_be_known_is_the_same(damaged: bytes, damaged_file: Path) -> None:
    """Fields, texts, places and errors, word for word but for the number of the record."""

    def known(found: list[Any], before: int) -> list[Any]:
        return [
            (*one[:3], one.text if one.fields is not None else "", one.problems,
             {name: value + before if name == "record_index" else value for name, value in one.place.items()
              if name not in ("args", "_detail")})
            for one in found
        ]  # fmt: skip

    expected = known(items(MARCReader(damaged)), 0)
    found: list[Any] = []
    for byte_range in libmarc.plan_ranges(damaged_file, 6):
        reader = MARCReader(damaged_file, byte_range=byte_range, _chunk_bytes=5_000)
        found += known([item(reader, record) for record in reader], len(found))
    assert found == expected


def check_corpus_file(path: Path, folder: Path, counts: Iterable[int]) -> None:
    whole = Input(path.read_bytes(), folder)
    random_ = random.Random(path.name)
    ways = itertools.cycle(random_.sample(WAYS, len(WAYS)))
    for count in counts:
        whole.check([random_.randrange(len(whole.data)) for _ in range(count)], ways)


def test_ranges_of_corpus_files(tmp_path: Path) -> None:
    """Random cuts in a sample of the real files."""
    small = [path for path in need_corpus() if path.stat().st_size < 30_000]
    for path in random.Random(4).sample(small, min(len(small), 40)):
        check_corpus_file(path, tmp_path, (3,))


@pytest.mark.slow
def test_ranges_of_all_corpus_files(tmp_path: Path) -> None:
    for path in need_corpus():
        check_corpus_file(path, tmp_path, (1, 4, 11) if path.stat().st_size < 3_000_000 else (4,))


@pytest.mark.slow
def test_ranges_of_the_library_of_congress() -> None:
    """Compared by their bytes: all records of the file, in its order, from eleven ranges."""
    path = loc_file()
    expected = 0
    whole, parts = MARCReader(path), (0, 0, 0)
    serial = iter(whole)
    os.environ["MARC_NUM_THREADS"] = "3"
    for byte_range in libmarc.plan_ranges(path, 11):
        reader = MARCReader(path, byte_range=byte_range)
        for record, other in zip(reader, serial):
            expected += 1
            assert record is not None
            assert other is not None
            assert (record.raw, record.byte_offset) == (other.raw, other.byte_offset)
            if expected - reader.stats.records == 0 and expected % 1_000 == 0:
                assert record.title == other.title
        stats = reader.stats
        parts = (parts[0] + stats.bytes_delivered, parts[1] + stats.bytes_rejected, parts[2] + stats.junk_bytes)
    assert sum(parts) == path.stat().st_size


# ---- properties ----

tilings = given(
    data=inputs,
    cuts=st.lists(st.integers(0, 2_000), max_size=6),
    largest=st.sampled_from([1, 40, LARGEST]),
    mode=st.sampled_from(MODES),
    ways=st.lists(st.sampled_from(WAYS), min_size=1, max_size=4),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file, written anew for every example."""
    return tmp_path_factory.mktemp("ranges")


@QUICK
@tilings
def test_any_tiling(data: bytes, cuts: list[int], largest: int, mode: str, ways: list[Way], folder: Path) -> None:
    Input(data, folder, largest, mode).check(cuts, itertools.cycle(ways))


@pytest.mark.slow
@LONG
@tilings
def test_any_tiling_longer(
    data: bytes, cuts: list[int], largest: int, mode: str, ways: list[Way], folder: Path
) -> None:
    Input(data, folder, largest, mode).check(cuts, itertools.cycle(ways))


def mutated(random_: random.Random, size: int) -> bytes:
    """Some records, changed at random places."""
    data = bytearray(generated("damaged", 60, random_.randrange(1 << 20))[: random_.randrange(size)])
    for _ in range(random_.randrange(20)):
        at = random_.randrange(len(data) + 1)
        put = random_.choice(
            [b"", *FRAGMENTS, b"\n" * random_.randrange(5_000), random_.randbytes(random_.randrange(40))]
        )
        data[at : at + random_.choice((0, 0, 1, 5, 400))] = put
    return bytes(data)


def check_mutated(seed: int, folder: Path) -> None:
    random_ = random.Random(seed)
    data = mutated(random_, 60_000)
    largest = random_.choice((LARGEST, 3_000, 100))
    whole = Input(data, folder, largest, random_.choice(MODES))
    cuts = [random_.randrange(len(data) + 1) for _ in range(random_.randrange(9))]
    whole.check(cuts, itertools.cycle(random_.sample(WAYS, 8)))


def test_mutated_inputs(tmp_path: Path) -> None:
    for seed in range(15):
        check_mutated(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(100, 3_000, 100))
def test_mutated_inputs_longer(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + 100):
        check_mutated(seed, tmp_path)


# ---- the edges of a range ----

DATA = b"".join(books(6))
ONE = len(book(0))


@pytest.mark.parametrize("kind", KINDS)
def test_ranges_that_own_nothing(kind: str, tmp_path: Path) -> None:
    whole = Input(DATA, tmp_path)
    size = len(DATA)
    most = (1 << 64) - 1
    for byte_range in [(0, 0), (1, 1), (1, ONE), (size, size), (size, most), (size + 9, size + 99), (most, most)]:
        source = whole.source(kind)
        reader = MARCReader(source, byte_range=byte_range)
        assert list(reader) == []
        assert next(reader, "end") == "end"
        stats = reader.stats
        assert (stats.records, stats.bytes_delivered, stats.bytes_rejected, stats.junk_bytes) == (0, 0, 0, 0)
        reader.close()
        if kind == "file":
            source.close()


@pytest.mark.parametrize("kind", KINDS)
def test_ranges_that_end_behind_the_input(kind: str, tmp_path: Path) -> None:
    whole = Input(DATA, tmp_path)
    for end in (len(DATA), len(DATA) + 1, 1 << 40, (1 << 64) - 1):
        source = whole.source(kind)
        assert found_of(MARCReader(source, byte_range=(0, end))) == whole.whole
        if kind == "file":
            source.close()


def test_a_range_counts_from_the_beginning_of_its_source(tmp_path: Path) -> None:
    """Wherever the source stands when it is passed in."""
    path = tmp_path / "file.mrc"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        for source in (file, io.BytesIO(DATA), Seekable(DATA)):
            source.seek(3 * ONE + 5)
            reader = MARCReader(source, byte_range=(ONE, 3 * ONE))
            assert [record and record.byte_offset for record in reader] == [ONE, 2 * ONE]


def test_the_source_is_left_behind_the_last_record(tmp_path: Path) -> None:
    path = tmp_path / "file.mrc"
    path.write_bytes(DATA)
    for threads in ("1", "3"):
        os.environ["MARC_NUM_THREADS"] = threads
        for taken in (1, 2, 3):
            with path.open("rb") as file:
                for source in (file, io.BytesIO(DATA), Seekable(DATA)):
                    with MARCReader(source, byte_range=(ONE - 3, 4 * ONE), _chunk_bytes=64) as reader:
                        for _ in range(taken):
                            next(reader)
                    assert source.tell() == (taken + 1) * ONE
    source = Seekable(DATA)
    reader = MARCReader(source, byte_range=(ONE, 2 * ONE + 1))
    assert len(list(reader)) == 2
    assert source.tell() == 3 * ONE


def test_other_options_in_a_range(tmp_path: Path, damaged: bytes) -> None:
    """What is rejected is collected, skipped, raised, counted, range by range."""
    serial = io.BytesIO()
    whole = MARCReader(damaged, rejects=serial)
    expected = [record.raw for record in whole if record is not None]
    collected = io.BytesIO()
    skipped: list[Any] = []
    raised: list[Any] = []
    for byte_range in libmarc.plan_ranges(damaged, 5):
        reader = MARCReader(damaged, byte_range=byte_range, on_error="skip", rejects=collected)
        skipped += [record and record.raw for record in reader]
        for step in steps(MARCReader(damaged, byte_range=byte_range, on_error="raise")):
            raised += [] if isinstance(step, Exception) else [step and step.raw]
        strict = MARCReader(damaged, byte_range=byte_range, max_errors=0)
        if reader.stats.rejected:
            with pytest.raises(libmarc.TooManyErrors):
                list(strict)
            assert strict.stats.rejected == 1
    assert skipped == raised == expected
    assert collected.getvalue() == serial.getvalue()


# ---- arguments ----


@pytest.mark.parametrize(
    ("byte_range", "problem"),
    [
        ((5, 3), ValueError),
        ((-1, 3), ValueError),
        ((-3, -1), ValueError),
        ((0, 1 << 64), ValueError),
        ((1 << 64, 1 << 65), ValueError),
        ((0,), ValueError),
        ((0, 1, 2), ValueError),
        ((), ValueError),
        ((0.0, 1.0), TypeError),
        ((0, None), TypeError),
        ((None, 5), TypeError),
        (("0", "5"), TypeError),
        ("05", TypeError),
        (5, TypeError),
    ],
)
def test_what_is_no_range(byte_range: Any, problem: type[Exception]) -> None:
    with pytest.raises(problem, match=r"^a byte range is \(begin, end\), 0 <= begin <= end < 2\*\*64, not "):
        MARCReader(DATA, byte_range=byte_range)


def test_ranges_are_pairs_of_numbers() -> None:
    class Number:
        def __index__(self) -> int:
            return ONE

    for byte_range in ((0, Number()), [0, ONE], (False, ONE), iter((0, ONE))):
        assert len(list(MARCReader(DATA, byte_range=byte_range))) == 1  # type: ignore[arg-type]


def test_sources_that_cannot_be_positioned(tmp_path: Path) -> None:
    before = open_files()
    ours, theirs = socket.socketpair()
    out, into = os.pipe()
    with ours, theirs, open(out, "rb") as pipe, open(into, "wb"), ours.makefile("rb") as socket_file:
        for source in (ours, pipe, socket_file, Source(DATA)):
            with pytest.raises(io.UnsupportedOperation):
                MARCReader(source, byte_range=(0, 100))
            if source is not ours:
                with pytest.raises(io.UnsupportedOperation):
                    libmarc.plan_ranges(source, 2)
    if hasattr(os, "mkfifo"):
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        both = os.open(fifo, os.O_RDWR)
        with pytest.raises(io.UnsupportedOperation):
            MARCReader(fifo, byte_range=(0, 100))
        os.close(both)
    assert open_files() == before


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for call in (lambda path: MARCReader(path, byte_range=(0, 1)), lambda path: libmarc.plan_ranges(path, 2)):
        with pytest.raises(FileNotFoundError):
            call(tmp_path / "absent")
    with pytest.raises(IsADirectoryError):
        MARCReader(tmp_path, byte_range=(0, 1))


# ---- plan_ranges ----


@pytest.mark.parametrize("n", [1, 2, 3, 7, 100, 5_000, 1 << 70])
def test_plans_tile(n: int, tmp_path: Path) -> None:
    for size in (0, 1, 2, 6, 99, 100, 4_999):
        path = tmp_path / "file.mrc"
        path.write_bytes(b"x" * size)
        ranges = libmarc.plan_ranges(path, n)
        assert 1 <= len(ranges) <= n
        assert len(ranges) == max(1, min(n, size))
        assert (ranges[0][0], ranges[-1][1]) == (0, size)
        assert all(left[1] == right[0] for left, right in itertools.pairwise(ranges))
        widths = [end - begin for begin, end in ranges]
        assert max(widths) - min(widths) <= 1
        assert all(type(number) is int for byte_range in ranges for number in byte_range)
        if size == 0:
            assert ranges == [(0, 0)]
        assert ranges == libmarc.plan_ranges(str(path), n) == libmarc.plan_ranges(b"x" * size, n)


def test_plans_of_sources(tmp_path: Path) -> None:
    """All kinds give the same; a file keeps its position, and no byte of it is read."""
    path = tmp_path / "file.mrc"
    path.write_bytes(DATA)
    expected = libmarc.plan_ranges(path, 4)
    assert len(expected) == 4
    for buffer in (DATA, bytearray(DATA), memoryview(DATA), memoryview(DATA * 2)[::2]):
        assert libmarc.plan_ranges(buffer, 4) == expected
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert libmarc.plan_ranges(mapped, 4) == expected
        file.seek(17)
        source = Seekable(DATA)
        source.seek(17)
        memory = io.BytesIO(DATA)
        memory.seek(17)
        for one in (file, source, memory):
            assert libmarc.plan_ranges(one, 4) == expected
            assert one.tell() == 17
        assert source.calls == 0


@pytest.mark.parametrize(("n", "problem"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError)])
def test_numbers_of_ranges(n: Any, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        libmarc.plan_ranges(DATA, n)


@pytest.mark.parametrize("source", [None, 5, object(), ["a"], io.StringIO("text")])
def test_plans_of_what_cannot_be_read(source: Any) -> None:
    with pytest.raises(TypeError) as ours:
        libmarc.plan_ranges(source, 2)
    with pytest.raises(TypeError) as theirs:
        MARCReader(source)
    assert str(ours.value) == str(theirs.value)


def test_closed_files(tmp_path: Path) -> None:
    file = open(tmp_path / "file", "w+b")
    for source in (file, io.BytesIO(DATA)):
        source.close()
        for call in (lambda s: MARCReader(s, byte_range=(0, 9)), lambda s: libmarc.plan_ranges(s, 2)):
            with pytest.raises(ValueError, match="closed file"):
                call(source)


# ---- other processes ----


def count_range(path: str, byte_range: tuple[int, int]) -> tuple[list[bytes | None], Stats]:
    """In a process of its own."""
    reader = MARCReader(path, byte_range=byte_range)
    raws = [reader.current_chunk if record is None else record.raw for record in reader]
    return raws, reader.stats


def test_ranges_are_read_by_other_processes(damaged: bytes, damaged_file: Path) -> None:
    """Ranges go there, and stats come back, by pickling."""
    ranges = libmarc.plan_ranges(damaged_file, 4)
    assert pickle.loads(pickle.dumps(ranges)) == copy.deepcopy(ranges) == ranges
    expected, whole = count_range(str(damaged_file), (0, len(damaged)))
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(count_range, [str(damaged_file)] * 4, ranges))
    assert [raw for raws, _ in parts for raw in raws] == expected
    for name in SUMS:
        assert sum(getattr(stats, name) for _, stats in parts) == getattr(whole, name)


# ---- sources that fail ----


class Faulty(Seekable):
    """Each n-th read fails."""

    def __init__(self, content: bytes, failure: BaseException, every: int) -> None:
        super().__init__(content, 50)
        self.failure = failure
        self.every = every
        self.turn = 0

    def read(self, size: int) -> Any:
        self.turn += 1
        if self.turn % self.every == 0:
            raise self.failure
        return super().read(size)


@pytest.mark.parametrize("failure", [TimeoutError(), BlockingIOError(), InterruptedError(), KeyboardInterrupt()])
@pytest.mark.parametrize("threads", ["1", "3"])
def test_interruptions_change_nothing(failure: BaseException, threads: str) -> None:
    """While the beginning of the range is looked for, and while it is read."""
    os.environ["MARC_NUM_THREADS"] = threads
    data = b"\n".join(books(20))
    expected = found_of(MARCReader(data))
    for every in (2, 3, 36, 51):
        found = []
        pauses = 0
        source = Faulty(data, failure, every)
        for byte_range in libmarc.plan_ranges(data, 3):
            reader = MARCReader(source, byte_range=byte_range, _chunk_bytes=64)
            while True:
                try:
                    record = next(reader)
                except type(failure):
                    pauses += 1
                except StopIteration:
                    break
                else:
                    found.append(record and record.raw)
        assert found == [one.raw for one in expected.pieces]
        assert pauses


class Broken(Seekable):
    """Every read that begins behind a place fails."""

    def __init__(self, content: bytes, place: int) -> None:
        super().__init__(content[:place], 50)
        self.size = len(content)
        self.failure = OSError(5, "disk")

    def read(self, size: int) -> Any:
        content = super().read(size)
        if not content:
            raise self.failure
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return super().seek(
            self.size + offset if whence == os.SEEK_END else offset, 0 if whence == os.SEEK_END else whence
        )


def until_it_fails(reader: MARCReader) -> Found:
    """What it gives before."""
    pieces: list[One] = []
    with contextlib.suppress(OSError):
        for record in reader:
            offset = record.byte_offset if record is not None else reader.current_exception.byte_offset  # type: ignore
            pieces.append(One(reader.current_chunk, offset or 0, record and record.title, (), None))
    sums = {name: getattr(reader.stats, name) for name in SUMS}
    return Found(pieces, sums, Counter(reader.stats.errors_by_code))


@pytest.mark.parametrize("threads", ["1", "3"])
def test_a_fault_belongs_to_the_range_that_it_cuts(threads: str) -> None:
    """A piece that is cut is rejected by the range in which it begins, and by no other; all before it comes."""
    os.environ["MARC_NUM_THREADS"] = threads
    data = (
        book(0) + b"\n" * 90 + book(1, size=500) + b"\n" * 40 + b"junk " * 30 + b"\x1d" + book(2, size=400) + b" " * 90
    )
    for place in range(0, len(data), 11):
        serial = until_it_fails(MARCReader(Broken(data, place), _chunk_bytes=64))
        together = NOTHING
        ends = [ONE + 3, ONE + 60, ONE + 300, len(data) - 300]
        for begin, end in itertools.pairwise([0, *ends, len(data)]):
            broken = Broken(data, place)
            reader = MARCReader(broken, byte_range=(begin, end), _chunk_bytes=64)
            together += until_it_fails(reader)
            stats = reader.stats
            cut = stats.errors_by_code.get(lib.MARC_BAD_CUT, 0)
            if cut:
                pieces = [piece for piece in boundary_reference.pieces(data) if piece[1] < place < piece[2]]
                assert begin <= pieces[0][1] < end, (place, begin, end)
                assert reader.current_chunk == data[pieces[0][1] : place]
        assert together == serial, place


@pytest.mark.parametrize("problem", [OSError("seek"), ValueError("seek"), KeyboardInterrupt()])
def test_a_seek_that_fails(problem: BaseException) -> None:
    class Stuck(Seekable):
        broken = False

        def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
            if self.broken:
                raise problem
            return super().seek(offset, whence)

    source = Stuck(DATA)
    reader = MARCReader(source, byte_range=(ONE, 3 * ONE))
    source.broken = True
    with pytest.raises(type(problem)) as caught:
        next(reader)
    assert caught.value is problem
    source.broken = False
    left = [record and record.byte_offset for record in reader]
    assert left == ([ONE, 2 * ONE] if isinstance(problem, KeyboardInterrupt) else [])


def test_foreign_codes_are_known() -> None:
    """What the tests above take for inputs in other formats is told as such."""
    assert {code for code, _ in foreign_inputs().values()} <= set(FOREIGN)


def test_readers_of_ranges_share_a_file_object(tmp_path: Path) -> None:
    """Each goes back to its place, wherever another one has left the file."""
    data = b"".join(books(400))
    (tmp_path / "file.mrc").write_bytes(data)
    with open(tmp_path / "file.mrc", "rb") as file:
        ranges = plan_ranges(file, 2)
        first, second = (MARCReader(file, byte_range=one, _chunk_bytes=1_000) for one in ranges)
        found: tuple[list[bytes], list[bytes]] = [], []
        for a, b in itertools.zip_longest(first, second):
            for record, raws in zip((a, b), found, strict=True):
                if record is not None:
                    raws.append(record.raw)
    assert found[0] + found[1] == books(400)


def test_plan_ranges_of_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        plan_ranges(tmp_path, 2)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(io.UnsupportedOperation):
        plan_ranges(tmp_path / "fifo", 2)
