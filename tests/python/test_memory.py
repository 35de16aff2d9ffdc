"""Memory: reading is flat, a kept record costs its own bytes, and nothing is held longer than it is used."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import CHUNK, Source, book, books, generated, given, needs_proc, record_bytes, run_python

from libmarc import Field, Indicators, Leader, MARCReader, Record, Subfield
from libmarc._batch import Batch
from libmarc._native import lib

BOOKS = books(300)
DATA = b"".join(BOOKS)
no_sanitizer = pytest.mark.skipif("LIBMARC_SANITIZER" in os.environ, reason="a sanitizer has memory of its own")

# Each program below gets a file of 1 000 generated records, about 1.5 MB, and reads it over and over.
SETUP = """
import ctypes, gc, io, os, sys
from libmarc import MARCReader

block = open(sys.argv[1], "rb").read()
kind, blocks = sys.argv[2], int(sys.argv[3])

def resident():
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # what is free but not given back does not count
    except AttributeError:
        pass
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")

class Endless:
    def __init__(self):
        self.left = blocks
        self.part = memoryview(b"")
    def read(self, size):
        if not self.part and self.left:
            self.part, self.left = memoryview(block), self.left - 1
        content, self.part = self.part[:size], self.part[size:]
        return content

def source():
    if kind == "callback":
        return Endless()
    return sys.argv[4] if kind == "path" else open(sys.argv[4], "rb")
"""

FLAT = (
    SETUP
    + """
peaks, count = [], 0
for record in MARCReader(source()):
    count += 1
    title, number = record.title, record["001"].data
    if count % 10_000 == 0:
        peaks.append(resident())
print(count, max(peaks[1:]) - peaks[1], blocks * len(block))
"""
)

RETAINED = (
    SETUP
    + """
def keep(every):
    reader = MARCReader(source())
    kept = []
    for number, record in enumerate(reader):
        if sys.argv[5] == "titles":
            record.title
        if every and number % every == 0:
            kept.append(record)
    reader.close()
    return kept

keep(0)  # what reading itself needs is there from now on
before = resident()
kept = keep(100)
grown = resident() - before
size = sum(len(record.raw) for record in kept)
assert all(record["001"].data for record in kept)
print(len(kept), grown, size)
"""
)


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("memory") / "block.mrc"
    path.write_bytes(generated("mixed", 1_000))
    return path


@pytest.fixture(scope="module")
def large_file(block: Path) -> Iterator[Path]:
    """100 000 records, about 150 MB."""
    path = block.with_name("large.mrc")
    content = block.read_bytes()
    with path.open("wb") as out:
        for _ in range(100):
            out.write(content)
    yield path
    path.unlink()


@needs_proc
@no_sanitizer
@pytest.mark.parametrize("kind", ["path", "file", "callback"])
def test_memory_bounds(kind: str, block: Path, large_file: Path) -> None:
    """Resident memory is flat over 100 000 records."""
    count, growth, size = map(int, run_python(FLAT, block, kind, "100", large_file).split())
    assert count == 100_000
    assert size > 100_000_000
    assert growth < 2 * CHUNK


@needs_proc
@no_sanitizer
@pytest.mark.parametrize("asked", ["nothing", "titles"])
@pytest.mark.parametrize("kind", ["path", "file", "callback"])
def test_retained_record_memory(kind: str, asked: str, block: Path, large_file: Path) -> None:
    """Keeping one record in a hundred keeps their bytes, and not those of the other ninety-nine."""
    kept, grown, size = map(int, run_python(RETAINED, block, kind, "100", large_file, asked).split())
    assert kept == 1_000
    assert 1_000_000 < size < 3_000_000
    assert grown < 3 * size + 2 * CHUNK


def python_bytes(make: Callable[[], object]) -> tuple[int, object]:
    """What Python allocates for what `make` returns."""
    make()
    gc.collect()
    tracemalloc.start()
    try:
        kept = make()
        gc.collect()
        return tracemalloc.get_traced_memory()[0], kept
    finally:
        tracemalloc.stop()


def test_a_kept_record_costs_its_bytes_and_little_more() -> None:
    def keep() -> list[Any]:
        with MARCReader(DATA) as reader:
            return list(reader)

    used, kept = python_bytes(keep)
    assert isinstance(kept, list)
    assert len(kept) == 300
    assert used < len(DATA) + 300 * 250 + 20_000


def test_kept_bytes_cost_no_record() -> None:
    def keep() -> list[Any]:
        return [record.raw for record in MARCReader(DATA) if record]

    used, _ = python_bytes(keep)
    assert used < len(DATA) + 300 * 60 + 20_000


# ---- letting go ----


def touch_nothing(record: Record) -> object:
    return None


TOUCHES: dict[str, Callable[[Record], object]] = {
    "nothing": touch_nothing,
    "title": lambda record: record.title,
    "fields": lambda record: [field.subfields for field in record.fields],
    "leader": lambda record: record.leader[5],
    "text": str,
    "as_marc": lambda record: record.as_marc(),
    "change": lambda record: record.fields.append(Field("500", Indicators(" ", " "), [Subfield("a", "x")])),
    "iteration": lambda record: [list(field) for field in record],
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_del_of_a_record_frees_it(touch: str) -> None:
    """At once, by counting: no collector is needed."""
    reader = MARCReader(DATA)
    record = given(reader)
    TOUCHES[touch](record)
    raw = record.raw
    before = sys.getrefcount(raw)
    gc.disable()
    try:
        del record
        assert sys.getrefcount(raw) == before - 1
    finally:
        gc.enable()
    assert sys.getrefcount(raw) == 2  # `raw`, and the argument


def test_a_record_that_is_not_kept_is_gone_before_the_next() -> None:
    """Neither the reader nor its queue hold what was handed out."""
    reader = MARCReader(DATA)
    for _ in range(250):
        raw = given(reader).raw
        assert sys.getrefcount(raw) == 2


@pytest.mark.parametrize("touch", TOUCHES)
@pytest.mark.parametrize("source", [bytes, io.BytesIO, Source])
def test_no_reference_cycles(touch: str, source: Callable[[bytes], Any]) -> None:
    """Readers, records, fields, errors: all die by counting, the collector finds nothing."""
    data = DATA + b"junk\x1d" + record_bytes(("001", b"x"), ("245", b"1\x1faodd")) + book(1)[:-5]

    def use() -> None:
        reader = MARCReader(source(data))
        for record in reader:
            if record is not None:
                TOUCHES[touch](record)
        reader.close()
        half = MARCReader(source(data))
        TOUCHES[touch](given(half))

    use()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        use()
        found = gc.collect()
        names = [type(thing).__name__ for thing in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert (found, names) == (0, [])


def test_failed_reads_leave_no_cycles() -> None:
    class Failing:
        def read(self, size: int) -> bytes:
            raise OSError("broken")

    def use() -> None:
        reader = MARCReader(Failing())
        with contextlib.suppress(OSError):
            next(reader)
        reader.close()

    use()
    gc.collect()
    gc.disable()
    try:
        use()
        assert gc.collect() == 0
    finally:
        gc.enable()


# ---- who refers to whom ----


def reachable(thing: object) -> list[object]:
    """All objects that it keeps alive, classes and modules aside."""
    seen: dict[int, object] = {}
    todo = [thing]
    while todo:
        one = todo.pop()
        if id(one) not in seen and not isinstance(one, type) and not hasattr(one, "__spec__"):
            seen[id(one)] = one
            if not callable(one):
                todo += gc.get_referents(one)
    return list(seen.values())


@pytest.mark.parametrize("touch", TOUCHES)
def test_a_record_does_not_hold_its_reader(touch: str) -> None:
    source = Source(DATA)
    reader = MARCReader(source)
    record, other = given(reader), given(reader)
    TOUCHES[touch](record)
    for one in reachable(record):
        assert not isinstance(one, MARCReader)
        assert one is not source
        assert one is not other
    for field in record.fields:
        assert not any(isinstance(one, Record | MARCReader | Batch) for one in reachable(field))


def test_a_record_that_was_left_behind_holds_no_batch() -> None:
    """Only what remains of it: an empty shell that all its records share."""
    reader = MARCReader(Source(DATA, 20_000))
    records = [given(reader) for _ in range(299)]
    for record in records[:100]:
        native = [one for one in reachable(record) if type(one).__name__.startswith(("__CData", "buffer"))]
        assert native == []
        small = sum(sys.getsizeof(one) for one in reachable(record)) - sys.getsizeof(record.raw)
        assert small < 2_000


def test_fields_once_asked_for_drop_the_batch() -> None:
    record = given(MARCReader(DATA))
    assert record.fields
    assert not any(isinstance(one, Batch) for one in reachable(record))


@pytest.mark.parametrize("kind", ["path", "bytes", "bytearray", "BytesIO", "memoryview", "callback"])
def test_cursor_no_python_refs(kind: str, tmp_path: Path) -> None:
    """The native reader holds nothing of Python's: not at all for a path, and for others not longer than it lives.
    Records outlive it, and the source does not outlive its last user."""
    path = tmp_path / "file.mrc"
    path.write_bytes(DATA)
    make: dict[str, Callable[[], Any]] = {
        "path": lambda: path,
        "bytes": lambda: bytes(bytearray(DATA)),
        "bytearray": lambda: bytearray(DATA),
        "BytesIO": lambda: io.BytesIO(DATA),
        "memoryview": lambda: memoryview(bytearray(DATA)),
        "callback": lambda: Source(DATA),
    }
    source = make[kind]()
    before = sys.getrefcount(source)
    reader = MARCReader(source)
    records = [given(reader) for _ in range(150)]
    assert (reader._source.callback is not None) == (kind == "callback")
    if kind in ("path", "bytearray"):
        assert sys.getrefcount(source) == before + 1, "file_handle alone"
    titles = [record.title for record in records[:75]]
    reader.close()
    if kind != "callback":
        assert sys.getrefcount(source) == before + 1, "file_handle alone"
    del reader
    assert sys.getrefcount(source) == before
    del source
    gc.collect()
    assert [record.title for record in records[:75]] == titles
    assert [record.raw for record in records] == BOOKS[:150]
    assert [record["001"].data for record in records] == [f"n{number:06}" for number in range(150)]


def test_leaders_and_fields_live_alone() -> None:
    record: Record | None = given(MARCReader(DATA))
    assert record is not None
    leader, field = record.leader, record["245"]
    raw = record.raw
    del record
    assert sys.getrefcount(raw) == 2
    assert isinstance(leader, Leader)
    assert (leader[9], field["a"]) == ("a", "Title 0")


def test_errors_do_not_hold_the_batch() -> None:
    reader = MARCReader(b"junk\x1d" + DATA)
    assert next(reader) is None
    problem = reader.current_exception
    assert not any(isinstance(one, Batch | MARCReader) for one in reachable(problem))


# ---- inputs without an end ----

ENDLESS = """
import sys
from libmarc import MARCReader
from support import check_sums

fill, mode = bytes.fromhex(sys.argv[1]), sys.argv[2]
MIB = 1 << 20
BLOCKS = 200

def blocks():
    block = fill * (MIB // len(fill) + 1)
    for _ in range(BLOCKS):
        yield block[:MIB]

class Endless:
    def __init__(self):
        self.blocks = blocks()
    def read(self, size):
        assert size >= MIB
        return next(self.blocks, b"")

class Sink:
    size = 0
    def write(self, content):
        self.size += len(content)

def peak():
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10

before, sink, found = peak(), Sink(), []
reader = MARCReader(Endless(), on_error=mode, largest_record=MIB, rejects=sink, _chunk_bytes=MIB)
for record in reader:
    assert record is None
    found.append((reader.current_exception.code, len(reader.current_chunk)))
stats = check_sums(reader)
assert stats.bytes_read == BLOCKS * MIB
assert stats.bytes_rejected == sink.size
is_small = peak() - before < 12 * MIB
print(found, stats.junk_bytes // MIB, stats.bytes_rejected // MIB, dict(stats.errors_by_code), is_small)
"""


@needs_proc
@no_sanitizer
@pytest.mark.parametrize(
    ("fill", "mode", "code"),
    [
        (b"\0", "none", 0),
        (b"\x1d", "salvage", 0),
        (b"7", "none", lib.MARC_BAD_OVERSIZE),
        (b"7", "salvage", lib.MARC_BAD_OVERSIZE),
        (b"\x1e", "none", lib.MARC_BAD_OVERSIZE),
        (b"\xff", "salvage", lib.MARC_BAD_OVERSIZE),
        (b"00000", "none", lib.MARC_BAD_OVERSIZE),
        (b"<html>", "none", lib.MARC_BAD_HTML),
    ],
)
def test_memory_of_an_input_without_an_end(fill: bytes, mode: str, code: int) -> None:
    """200 MB of the same: junk, or one piece and one error, whose bytes go by in parts."""
    told = run_python(ENDLESS, fill.hex(), mode)
    junk = "[] 200 0 {} True\n"
    assert told == (f"[({code}, {1 << 20})] 0 200 {{{code}: 1}} True\n" if code else junk)


@needs_proc
@no_sanitizer
def test_memory_of_many_small_rejected_pieces(tmp_path: Path) -> None:
    """Resident memory is flat over a file of nothing but damage, too."""
    code = """
import sys
from libmarc import MARCReader

def peak():
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10

reader, peaks = MARCReader(sys.argv[1]), []
for number, record in enumerate(reader):
    assert record is None
    if number % 10_000 == 0:
        peaks.append(peak())
print(reader.stats.rejected, peaks[-1] - peaks[3] < 2 << 20)
"""
    path = tmp_path / "damage"
    path.write_bytes((b"no record".ljust(90) + b"\x1d") * 80_000)
    assert run_python(code, path) == "80000 True\n"
