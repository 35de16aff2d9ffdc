"""Parsing on several threads: the same output for any number of them, errors in their places, bounded memory, and no
thread, file or byte left behind."""

from __future__ import annotations

import gc
import gzip
import io
import itertools
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import damage
import pytest
import test_live_streams
from corpus import loc_file, need_corpus
from hypothesis import HealthCheck, settings
from hypothesis import given as given_by
from hypothesis import strategies as st
from support import (
    Item,
    Script,
    Seekable,
    Source,
    book,
    books,
    check_sums,
    generated,
    given,
    items,
    needs_proc,
    raws,
    run_python,
    steps,
    wait_until,
)
from test_boundary_properties import MODES, inputs
from test_io_faults import check_faults_of_the_system
from test_io_faults import shim as shim
from test_sources import every_source
from test_threads import COUNTING, on_threads

from libmarc import MARCReader, Stats, TruncatedRecord
from libmarc._native import lib

pytestmark = pytest.mark.filterwarnings("ignore::libmarc.BadSubfieldCodeWarning")
no_sanitizer = pytest.mark.skipif("LIBMARC_SANITIZER" in os.environ, reason="a sanitizer has memory of its own")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork()")

COUNTS = (1, 2, 3, 4, 8)
SIZE = 1_000
BOOKS = books(400, size=SIZE)
SIZE = len(BOOKS[0])
DATA = b"".join(BOOKS)


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | str], None]:
    """Sets how many threads parse; three where a test does not say. (A pool that is in use keeps its size.)"""
    gc.collect()

    def set_number(number: int | str) -> None:
        monkeypatch.setenv("MARC_NUM_THREADS", str(number))

    set_number(3)
    return set_number


@pytest.fixture(scope="module")
def damaged() -> bytes:
    """80 records, every tenth damaged."""
    return generated("damaged", 80)


# ---- the same output ----


def check_same(
    make: Callable[[], Any], expected: list[Item], stats: Stats, threads: Callable[[int], None], **options: Any
) -> None:
    """That a source gives this for any number of threads."""
    for number in COUNTS:
        threads(number)
        reader = MARCReader(make(), **options)
        assert items(reader) == expected, number
        assert reader.stats == stats, number
        assert 1 <= reader.stats.threads <= number
        reader.close()


def read_alone(data: bytes, threads: Callable[[int], None], **options: Any) -> tuple[list[Item], Stats]:
    threads(1)
    reader = MARCReader(data, **options)
    return items(reader), reader.stats


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("chunk", [64, 9_000])
def test_same_output_of_a_damaged_file(
    mode: str, chunk: int, damaged: bytes, damaged_file: Path, threads: Callable[[int], None]
) -> None:
    expected, stats = read_alone(damaged, threads, on_error=mode)
    for make, ahead in ((lambda: damaged_file, 0), (lambda: Seekable(damaged, 777), 1)):
        check_same(make, expected, stats, threads, on_error=mode, _chunk_bytes=chunk, _read_ahead=ahead)


@pytest.mark.parametrize("kind", ["mixed", "utf8", "marc8", "large"])
def test_same_output_of_the_fixtures(kind: str, threads: Callable[[int], None]) -> None:
    data = generated(kind, 4 if kind == "large" else 30)
    expected, stats = read_alone(data, threads)
    for chunk in (300, 5_000):
        check_same(lambda: data, expected, stats, threads, _chunk_bytes=chunk)
        check_same(lambda: Seekable(data), expected, stats, threads, _chunk_bytes=chunk)


def damage_of_all_kinds(step: int) -> Iterator[bytes]:
    """Inputs of the damage set: each has one kind of damage between sound records."""
    for name in list(damage.KINDS)[::step]:
        yield damage.generate(name).data


def check_damage(data: bytes, threads: Callable[[int], None], mode: str, counts: tuple[int, ...]) -> None:
    expected, stats = read_alone(data, threads, on_error=mode)
    for number, chunk in itertools.product(counts, (64, 300, 1_000)):
        threads(number)
        for source in (data, Seekable(data)):
            reader = MARCReader(source, on_error=mode, _chunk_bytes=chunk)
            assert items(reader) == expected
            assert reader.stats == stats


def test_same_output_of_the_damage_set(threads: Callable[[int], None]) -> None:
    for data in damage_of_all_kinds(17):
        check_damage(data, threads, "none", (3,))


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_same_output_of_the_whole_damage_set(mode: str, threads: Callable[[int], None]) -> None:
    for data in damage_of_all_kinds(1):
        check_damage(data, threads, mode, COUNTS[1:])


def check_any_input(data: bytes, largest: int, mode: str, number: int, ahead: int) -> None:
    os.environ["MARC_NUM_THREADS"] = "1"
    whole = MARCReader(data, on_error=mode, largest_record=largest)
    # (Of a piece above the largest size only the first part is an item.)
    expected = [(record and record.raw, str(whole.current_exception)) for record in whole]
    os.environ["MARC_NUM_THREADS"] = str(number)
    for source in (data, Seekable(data), Seekable(data, 17)):
        reader = MARCReader(source, on_error=mode, largest_record=largest, _chunk_bytes=64, _read_ahead=ahead)
        assert [(record and record.raw, str(reader.current_exception)) for record in reader] == expected
        assert check_sums(reader) == whole.stats


any_input = given_by(
    data=st.lists(inputs, min_size=1, max_size=4).map(b"".join),
    largest=st.sampled_from([1, 40, 64 << 20]),
    mode=st.sampled_from(MODES),
    number=st.sampled_from(COUNTS[1:]),
    ahead=st.sampled_from([0, 1, 2]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@any_input
def test_same_output_of_any_input(data: bytes, largest: int, mode: str, number: int, ahead: int) -> None:
    check_any_input(data, largest, mode, number, ahead)


@pytest.mark.slow
@settings(max_examples=3_000, deadline=None, suppress_health_check=list(HealthCheck))
@any_input
def test_same_output_of_any_input_longer(data: bytes, largest: int, mode: str, number: int, ahead: int) -> None:
    check_any_input(data, largest, mode, number, ahead)


def test_same_output_of_corpus_files(threads: Callable[[int], None]) -> None:
    files = [path for path in need_corpus() if 2_000 < path.stat().st_size < 60_000]
    for path in random.Random(8).sample(files, min(len(files), 12)):
        expected, stats = read_alone(path.read_bytes(), threads)
        check_same(lambda path=path: path, expected, stats, threads, _chunk_bytes=4_096)  # type: ignore[misc]


@pytest.mark.slow
def test_same_output_of_all_corpus_files(threads: Callable[[int], None]) -> None:
    for path in need_corpus():
        expected, stats = read_alone(path.read_bytes(), threads)
        chunk = 4_096 if path.stat().st_size < 1 << 20 else 100_000
        check_same(lambda path=path: path, expected, stats, threads, _chunk_bytes=chunk)  # type: ignore[misc]


@pytest.mark.slow
@pytest.mark.parametrize("number", COUNTS[1:])
def test_same_output_of_the_library_of_congress(number: int, threads: Callable[[int], None]) -> None:
    path = loc_file()
    threads(1)
    alone = MARCReader(path)
    threads(number)
    reader = MARCReader(path)
    for count, (record, other) in enumerate(zip(reader, alone, strict=True)):
        assert record is not None
        assert other is not None
        assert (record.raw, record.byte_offset) == (other.raw, other.byte_offset)
        if count % 50 == 0:
            assert (record.title, str(record), record.problems) == (other.title, str(other), other.problems)
    assert check_sums(reader) == alone.stats
    assert reader.stats.threads == number


def test_backend_interchangeability(damaged: bytes, tmp_path: Path, threads: Callable[[int], None]) -> None:
    """Every kind of source, threads or not: bit for bit the same, in every answer of every item."""
    expected, stats = read_alone(damaged, threads)
    for number in (1, 3):
        threads(number)
        for name, make in every_source(tmp_path, damaged).items():
            source = make()
            reader = MARCReader(source, _chunk_bytes=7_000)
            assert items(reader) == expected, name
            assert reader.stats == stats, name
            reader.close()
            if hasattr(source, "close"):
                source.close()


def test_type_detection_coverage(tmp_path: Path) -> None:
    """Where each kind of source is read from, and whether it is read ahead: only where no read has to wait."""
    path = tmp_path / "file.mrc"
    path.write_bytes(DATA)
    packed = tmp_path / "file.mrc.gz"
    packed.write_bytes(gzip.compress(DATA, 1))
    out, into = os.pipe()
    os.write(into, b"".join(BOOKS[:60]))
    os.close(into)
    opened = path.open("rb"), path.open("rb", buffering=0), gzip.open(packed), open(out, "rb")
    with opened[0] as file, opened[1] as raw, opened[2] as zipped, opened[3] as pipe:
        kinds: list[tuple[Any, str, bool]] = [
            (str(path), "file", True),
            (path, "file", True),
            (DATA, "memory", True),
            (bytearray(DATA), "memory", True),
            (memoryview(DATA), "memory", True),
            (io.BytesIO(DATA), "memory", True),
            (file, "callback", True),
            (raw, "callback", True),
            (zipped, "callback", True),
            (Seekable(DATA), "callback", True),
            (Source(DATA), "callback", False),
            (pipe, "callback", False),
        ]
        for source, backend, ahead in kinds:
            reader = MARCReader(source, _chunk_bytes=10_000)
            assert raws(reader)[:60] == BOOKS[:60]
            assert reader.backend == backend
            assert (reader.stats.threads, reader.stats.chunks_ahead > 0) == (3 if ahead else 1, ahead), source
            reader.close()


# ---- how many threads ----


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "1025", " 2", "2 ", "0x2", "two", "9" * 20, "2,3"])
@pytest.mark.parametrize("kind", ["path", "bytes", "file"])
def test_a_bad_number_of_threads(value: str, kind: str, tmp_path: Path, threads: Callable[[str], None]) -> None:
    path = tmp_path / "file.mrc"
    path.write_bytes(DATA)
    threads(value)
    with path.open("rb") as file:
        source: Any = {"path": path, "bytes": DATA, "file": file}[kind]
        with pytest.raises(ValueError, match="MARC_NUM_THREADS"):
            MARCReader(source)
        threads("2")
        assert len(list(MARCReader(source))) == len(BOOKS)


@pytest.mark.parametrize("value", ["", "0", "1", "2", "007", "1024"])
def test_a_number_of_threads(value: str, threads: Callable[[str], None]) -> None:
    """It is read when a reader is opened. (A small input starts none.)"""
    threads(value)
    reader = MARCReader(b"".join(BOOKS[:3]))
    threads("nonsense")
    assert raws(reader) == BOOKS[:3]
    assert reader.stats.threads == 1


def test_one_thread_reads_nothing_ahead(threads: Callable[[int], None]) -> None:
    threads(1)
    source = Seekable(DATA)
    reader = MARCReader(source, _chunk_bytes=SIZE, _read_ahead=5)
    for number, raw in enumerate(BOOKS):
        assert given(reader).raw == raw
        assert source.at <= (number + 2) * SIZE
    assert (reader.stats.threads, reader.stats.chunks_ahead) == (1, 0)


CONCURRENT = """
import os, sys
from support import books
from libmarc import MARCReader

def tasks():
    return len(os.listdir("/proc/self/task"))

path, data = sys.argv[1], b"".join(books(300, size=1_000))
with open(path, "wb") as out:
    out.write(data)
counts = [tasks()]
readers = [MARCReader(path if number % 2 else data, _chunk_bytes=5_000) for number in range(100)]
found = [[] for _ in readers]
for turn in range(100):
    for reader, raws in zip(readers, found):
        raws.append(next(reader).raw)
counts.append(tasks())
assert {reader.stats.threads for reader in readers} == {3}
for reader in readers[1:]:
    reader.close()
counts.append(tasks())
found[0] += [record.raw for record in readers[0]]
assert b"".join(found[0]) == data
assert all(b"".join(raws) == data[: sum(map(len, raws))] for raws in found)
readers[0].close()
counts.append(tasks())
readers = MARCReader(data, _chunk_bytes=5_000)
for _ in range(50):
    next(readers)
counts.append(tasks())
del readers
counts.append(tasks())
print(counts)
"""


@needs_proc
@no_sanitizer
def test_concurrent_readers(tmp_path: Path) -> None:
    """A hundred open at once have the three threads of one; with the last of them the threads end."""
    assert run_python(CONCURRENT, tmp_path / "file.mrc") == "[1, 3, 3, 1, 3, 1]\n"


def test_concurrent_pool_safety(damaged: bytes, damaged_file: Path) -> None:
    """Eight Python threads open, read, leave and drop readers that share one pool."""
    expected = raws(MARCReader(damaged))

    def work(number: int) -> bool:
        random_ = random.Random(number)
        for _ in range(25):
            source = random_.choice((damaged, damaged_file, Seekable(damaged), io.BytesIO(damaged)))
            chunk, ahead = random_.choice((64, 1_000, 30_000)), random_.choice((0, 1, 3))
            reader = MARCReader(source, _chunk_bytes=chunk, _read_ahead=ahead)
            wanted = random_.choice((0, 1, 60, len(expected)))
            found = []
            for record in itertools.islice(reader, wanted):
                found.append(reader.current_chunk if record is None else record.raw)
            if random_.random() < 0.5:
                reader.close()
            if found != expected[:wanted]:
                return False
        return True

    assert on_threads(work, 8) == [True] * 8


# ---- backpressure and memory ----


@pytest.mark.parametrize("number", [2, 4, 8])
def test_pipeline_channel_backpressure(number: int, threads: Callable[[int], None]) -> None:
    """Reading stops at 1 000 records, where so set, and goes on as they are taken. (A record that stands alone behind
    the last anchor of a chunk takes a place in the ring, too.)"""
    threads(number)
    count = 4_000
    data = DATA * 10
    source = Seekable(data)
    reader = MARCReader(source, _chunk_bytes=100 * SIZE - 50, _read_ahead=9)
    most = 0
    for taken in range(1, count + 1):
        assert given(reader).raw == BOOKS[(taken - 1) % 400]
        ahead = source.at - taken * SIZE
        most = max(most, ahead)
        assert ahead <= 1_000 * SIZE
        if taken % 100 == 50 and 200 < taken < 2_900:
            assert ahead >= 500 * SIZE, "it goes on"
    assert next(reader, "end") == "end"
    assert most >= 850 * SIZE
    stats = check_sums(reader)
    assert stats.chunks_ahead == 9
    assert stats.bytes_held <= 13 * (100 * SIZE + (128 << 10))


@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_nothing_is_read_while_nobody_asks(ahead: int) -> None:
    """All reads are made inside next(): a consumer that rests finds the source as it was."""
    source = Seekable(DATA)
    reader = MARCReader(source, _chunk_bytes=5 * SIZE, _read_ahead=ahead)
    for number in range(len(BOOKS)):
        before = source.calls
        if number % 100 == 99:
            wait_until(lambda reader=reader: reader.stats.wait_consumer >= 0)  # type: ignore[misc]
        assert source.calls == before
        given(reader)
        assert source.at <= (number + 1 + 5 * (ahead + 2)) * SIZE


MEMORY = """
import sys
from libmarc import MARCReader

path, kind, every = sys.argv[1], sys.argv[2], int(sys.argv[3])

def peak():
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10

open("/proc/self/clear_refs", "w").write("5")  # the peak from now on
before = peak()
reader = MARCReader(path if kind == "path" else open(path, "rb"))
count = busy = 0
for record in reader:
    count += 1
    if count % every == 0:
        busy += sum(range(20_000))  # others may get as far ahead as they can
stats = reader.stats
print(count, before, peak(), stats.threads, stats.bytes_held, stats.chunks_ahead)
"""


@needs_proc
@no_sanitizer
@pytest.mark.parametrize(
    ("records", "kind", "every"),
    [("utf8", "path", 1 << 40), ("utf8", "file", 1 << 40), ("utf8", "path", 50), ("mixed", "path", 1 << 40)],
)
def test_memory_under_parallelism(
    records: str, kind: str, every: int, tmp_path: Path, threads: Callable[[int], None]
) -> None:
    """The peak of four threads is below twice that of one; of a slow consumer too. (With MARC-8 a batch holds its text
    twice: the peak is that much larger.)"""
    path = tmp_path / "file.mrc"
    path.write_bytes(generated(records, 1_000) * 30)
    peaks = {}
    for number in (1, 4):
        threads(number)
        count, _, peak, used, held, ahead = map(int, run_python(MEMORY, path, kind, str(every)).split())
        assert (count, used) == (30_000, number)
        assert ahead <= (6 if number == 4 else 0)
        assert held <= (ahead + 4) * ((1 << 20) + (128 << 10))
        peaks[number] = peak
    assert peaks[4] < (2 if records == "utf8" else 2.2) * peaks[1]


CYCLES = """
import gc, os, sys
from support import Seekable, books
from libmarc import MARCReader

path, data = sys.argv[1], b"".join(books(300, size=1_000))
with open(path, "wb") as out:
    out.write(data)

def state():
    gc.collect()
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")

before, used, sizes = state(), set(), []
for turn in range(1_000):
    source = (path, data, Seekable(data))[turn % 3]
    reader = MARCReader(source, _chunk_bytes=20_000)
    for _ in range(turn % 60):
        next(reader)
    used.add(reader.stats.threads)
    if turn % 2:
        reader.close()
    del reader
    if turn % 100 == 99:
        sizes.append(resident())
print(state() == before, used, sizes[-1] - sizes[2] < 3 << 20)
"""


@needs_proc
@no_sanitizer
def test_pool_safety(tmp_path: Path) -> None:
    """A thousand times opened, read a bit, and closed or dropped: no thread, file or memory stays behind."""
    assert run_python(CYCLES, tmp_path / "file.mrc") == "True {1, 3} True\n"


# ---- consumers ----


@pytest.mark.parametrize("number", [1, 2, 4])
@pytest.mark.parametrize("how", ["close", "with", "raise", "drop"])
def test_consumers_that_stop(number: int, how: str, tmp_path: Path, threads: Callable[[int], None]) -> None:
    """A file is left just behind the last record that was handed out, however much was read ahead; from there another
    reader goes on."""
    threads(number)
    path = tmp_path / "file.mrc"
    path.write_bytes(DATA)
    for taken in (1, 2, 5, 6, 37, 200, 399):
        with path.open("rb") as file:
            for source in (file, Seekable(DATA), Seekable(DATA, 700), io.BytesIO(DATA)):
                reader = MARCReader(source, _chunk_bytes=5 * SIZE)
                found: list[bytes | None] = []
                if how == "with":
                    with reader:
                        found += [given(reader).raw for _ in range(taken)]
                elif how == "raise":
                    with pytest.raises(ZeroDivisionError), reader:
                        for record in reader:
                            found.append(record and record.raw)
                            if len(found) == taken:
                                raise ZeroDivisionError
                else:
                    found += [given(reader).raw for _ in range(taken)]
                if how == "close":
                    reader.close()
                    assert next(reader, "end") == "end"
                del reader
                assert found == BOOKS[:taken]
                assert source.tell() == taken * SIZE
                assert raws(MARCReader(source, _chunk_bytes=5 * SIZE)) == BOOKS[taken:]


def test_a_loop_can_be_left_and_entered_again() -> None:
    reader = MARCReader(Seekable(DATA), _chunk_bytes=3 * SIZE)
    found = []
    while len(found) < len(BOOKS):
        for record in itertools.islice(reader, 7):
            found.append(record and record.raw)
    assert found == BOOKS


def test_records_outlive_their_reader() -> None:
    """Those of parts that were parsed on other threads, too."""
    for source in (DATA, Seekable(DATA)):
        reader = MARCReader(source, _chunk_bytes=5 * SIZE)
        records = [given(reader) for _ in range(150)]
        reader.close()
        del reader
        gc.collect()
        assert [record.title for record in records] == [f"Title {number}" for number in range(150)]
        assert [record.raw for record in records] == BOOKS[:150]


def test_readers_in_readers() -> None:
    """A reader for each record of another: none waits for the other."""
    outer = MARCReader(Seekable(DATA), _chunk_bytes=5 * SIZE)
    for number, record in enumerate(itertools.islice(outer, 30)):
        assert record is not None
        inner = MARCReader(Seekable(DATA[number * SIZE :]), _chunk_bytes=5 * SIZE, _read_ahead=1)
        assert given(inner).raw == record.raw
        assert len(list(itertools.islice(inner, 40))) == 40


def test_a_source_that_reads_with_a_reader_of_its_own() -> None:
    class Nested(Seekable):
        def read(self, size: int) -> Any:
            assert len(list(MARCReader(DATA, _chunk_bytes=5 * SIZE))) == len(BOOKS)
            return super().read(size)

    assert raws(MARCReader(Nested(DATA), _chunk_bytes=50 * SIZE)) == BOOKS


def test_stats_while_it_reads() -> None:
    """After every item they tell of what was handed out, not of what is ahead."""
    reader = MARCReader(Seekable(DATA), _chunk_bytes=5 * SIZE)
    for number in range(1, len(BOOKS) + 1):
        given(reader)
        stats = reader.stats
        assert (stats.records, stats.bytes_delivered, stats.rejected) == (number, number * SIZE, 0)
        assert stats.bytes_read >= number * SIZE
        assert stats.junk_bytes == 0
        assert min(stats.wait_source, stats.wait_workers, stats.wait_consumer) >= 0


# ---- errors ----


def test_pool_error_propagation(damaged: bytes, threads: Callable[[int], None]) -> None:
    """Raised errors arrive in their places, and the records behind them follow."""
    expected, _ = read_alone(damaged, threads)
    assert sum(one.fields is None for one in expected) > 2
    for number in COUNTS:
        threads(number)
        for source in (damaged, Seekable(damaged)):
            reader = MARCReader(source, on_error="raise", _chunk_bytes=3_000)
            found = []
            for step in steps(reader):
                if isinstance(step, Exception):
                    place = {"type": type(step), "args": step.args, **vars(step)}
                    found.append((reader.current_chunk, str(step), place))
                else:
                    assert step is not None
                    found.append((step.raw, str(step), {}))
            assert found == [(one.raw, one.text, one.place) for one in expected]


class Faulty(Seekable):
    """Its read number `at`, counted from 0, raises; with `forever` the following ones as well."""

    def __init__(self, content: bytes, failure: BaseException, at: int, forever: bool = False) -> None:
        super().__init__(content)
        self.failure = failure
        self.fails_at = at
        self.forever = forever
        self.turn = -1
        self.given_before = 0

    def read(self, size: int) -> Any:
        self.turn += 1
        if self.turn == self.fails_at or (self.forever and self.turn > self.fails_at):
            if self.turn == self.fails_at:
                self.given_before = self.at
            raise self.failure
        return super().read(size)


SHORT = b"".join(BOOKS[:30])
READS = len(SHORT) // (2 * SIZE + 50) + 2  # with the one that finds the end


@pytest.mark.parametrize("number", [2, 4])
@pytest.mark.parametrize("failure", [OSError(5, "disk"), ZeroDivisionError(), EOFError(), SystemExit(3), MemoryError()])
def test_a_fault_at_every_read(failure: BaseException, number: int, threads: Callable[[int], None]) -> None:
    """All records before it come first, then the same object, then the end; every byte is accounted for."""
    threads(number)
    for at in range(READS):
        source = Faulty(SHORT, failure, at, forever=True)
        reader = MARCReader(source, _chunk_bytes=2 * SIZE + 50)
        found = []
        with pytest.raises(type(failure)) as caught:
            while True:
                found.append(given(reader).raw)
        assert caught.value is failure
        whole, cut = divmod(source.given_before, SIZE)
        assert found == BOOKS[:whole]
        assert (reader.current_chunk or b"") == SHORT[whole * SIZE :][:cut]
        assert next(reader, "end") == "end"
        stats = reader.stats
        assert stats.bytes_delivered + stats.bytes_rejected == stats.bytes_read == source.given_before
        assert stats.errors_by_code == ({lib.MARC_BAD_CUT: 1} if cut else {})
        assert source.turn == at, "it is not asked again"


@pytest.mark.parametrize("number", [2, 4])
@pytest.mark.parametrize("failure", [TimeoutError(), BlockingIOError(), InterruptedError()])
def test_an_interruption_at_every_read(failure: BaseException, number: int, threads: Callable[[int], None]) -> None:
    """In its place, once; nothing is lost, and nothing comes twice."""
    threads(number)
    for at in range(READS):
        source = Faulty(SHORT, failure, at)
        reader = MARCReader(source, _chunk_bytes=2 * SIZE + 50)
        found, places = [], []
        for step in steps(reader):
            if isinstance(step, Exception):
                assert step is failure
                places.append(len(found))
            else:
                assert step is not None
                found.append(step.raw)
        assert found == BOOKS[:30]
        assert places == [source.given_before // SIZE]
        assert check_sums(reader).errors_by_code == {}


def test_interruptions_between_all_reads(damaged: bytes) -> None:
    expected = raws(MARCReader(damaged))
    for chunk in (64, 3_000):

        class Busy(Seekable):
            turn = 0

            def read(self, size: int) -> Any:
                self.turn += 1
                return None if self.turn % 2 else super().read(size)

        reader = MARCReader(Busy(damaged), _chunk_bytes=chunk)
        found = []
        for step in steps(reader):
            if not isinstance(step, BlockingIOError):
                found.append(step.raw if step is not None else reader.current_chunk)  # type: ignore[union-attr]
        assert found == expected
        check_sums(reader)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_ctrl_c_at_every_read(number: int, threads: Callable[[int], None]) -> None:
    """It comes at once: what was read before it may be thousands of records. None of them is lost."""
    threads(number)
    for at in range(READS):
        source = Faulty(SHORT, KeyboardInterrupt(), at)
        reader = MARCReader(source, _chunk_bytes=2 * SIZE + 50)
        found = []
        while True:
            calls = source.turn
            try:
                found.append(given(reader).raw)
            except KeyboardInterrupt:
                assert calls < at <= source.turn, "by the call of next() that has asked the source"
            except StopIteration:
                break
            else:
                assert not calls < at <= source.turn
        assert found == BOOKS[:30]
        check_sums(reader)


@pytest.mark.slow
def test_faults_of_the_system_by_path_and_file(shim: Path, tmp_path: Path) -> None:
    """EIO and others at every offset, short reads, and EINTR before each read, with threads."""
    check_faults_of_the_system(shim, tmp_path)


# ---- sources that have to wait ----


@test_live_streams.every_stream
def test_a_complete_record_is_delivered_while_the_writer_waits(stream: Any, tmp_path: Path) -> None:
    test_live_streams.test_a_complete_record_is_delivered_while_the_writer_waits(stream, tmp_path)


@pytest.mark.parametrize("chunk", [64, 5 * SIZE, 1 << 20])
def test_a_source_that_cannot_be_positioned_is_not_asked_early(chunk: int) -> None:
    """By the time a record is handed out nothing behind it has been asked for. All is done on one thread."""
    source = Script(*BOOKS[:50])
    reader = MARCReader(source, _chunk_bytes=max(chunk, 5 * SIZE))
    for number in range(50):
        assert given(reader).raw == BOOKS[number]
        assert source.calls == number + 1
    assert next(reader, "end") == "end"
    assert (reader.stats.threads, reader.stats.chunks_ahead) == (1, 0)


def test_a_source_that_waits_keeps_no_other_reader_waiting() -> None:
    """One reader in a read() that does not return; others go on with the threads of the pool."""

    class Waiting(Seekable):
        def read(self, size: int) -> Any:
            if self.calls == 5:
                assert [raws(MARCReader(DATA, _chunk_bytes=5 * SIZE)) for _ in range(3)] == [BOOKS] * 3
            return super().read(size)

    found = on_threads(lambda _: raws(MARCReader(Waiting(DATA), _chunk_bytes=5 * SIZE, _read_ahead=2)), 4)
    assert found == [BOOKS] * 4


# ---- other processes ----

FORK = """
import faulthandler, gc, os, sys, traceback
from support import Seekable, books
from libmarc import MARCReader

faulthandler.dump_traceback_later(100, exit=True)
path, expected = sys.argv[1], books(600, size=1_000)
data = b"".join(expected)
with open(path, "wb") as out:
    out.write(data)

def tasks():
    return len(os.listdir("/proc/self/task"))

def child_of(reader, record):
    try:
        while True:
            next(reader)
    except RuntimeError:
        pass
    assert next(reader, "end") == "end"
    assert record.title == "Title 0"
    assert tasks() == 1
    mine = MARCReader(path, _chunk_bytes=9_000)
    assert [one.raw for one in mine] == expected
    assert mine.stats.threads == 3
    assert tasks() == 3
    reader.close()
    assert [one.raw for one in MARCReader(data, _chunk_bytes=9_000)] == expected
    mine.close()
    del reader, mine
    gc.collect()
    assert tasks() == 1

for turn in range(12):
    source = (path, data, open(path, "rb"), Seekable(data))[turn % 4]
    reader = MARCReader(source, _chunk_bytes=9_000)
    first = next(reader)
    found = [first.raw] + [next(reader).raw for _ in range(turn * 20)]
    child = os.fork()
    if child == 0:
        outcome = 1
        try:
            child_of(reader, first)
            outcome = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(outcome)
    found += [record.raw for record in reader]
    assert found == expected
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == 0, (turn, status)
print("done", tasks())
"""


@needs_fork
@needs_proc
@no_sanitizer
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fork_in_mid_stream(tmp_path: Path) -> None:
    """The child's copy of the reader says that it is none; readers that are opened there work, with threads. The parent
    goes on."""
    assert run_python(FORK, tmp_path / "file.mrc").startswith("done")


def read_there(path: str) -> tuple[list[bytes | None], int]:
    reader = MARCReader(path, _chunk_bytes=9_000)
    return [record and record.raw for record in reader], reader.stats.threads


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_of_multiprocessing(method: str, tmp_path: Path) -> None:
    """Readers that are made in the child, while one of the parent has threads."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"there is no {method}")
    path = tmp_path / "file.mrc"
    path.write_bytes(DATA)
    reader = MARCReader(path, _chunk_bytes=9_000)
    found = [given(reader).raw for _ in range(100)]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        for answer in pool.map(read_there, [str(path)] * 3):
            assert answer == (BOOKS, 3)
    found += [record and record.raw for record in reader]
    assert found == BOOKS


# ---- the GIL ----

GIL = (
    COUNTING
    + """
data = block * 20
open(path, "wb").write(data)
answers = []
for source in (data, path):
    Watched.seen = []
    reader = MARCReader(source, _chunk_bytes=1 << 22)
    assert sum(1 for _ in reader) == 20_000
    answers.append((reader.stats.threads, len(Watched.seen) > 4, sum(moved > 0 for moved in Watched.seen) > 1))
stop = True
thread.join()
print(answers)
"""
)


def test_gil_is_free_while_other_threads_parse(tmp_path: Path) -> None:
    """A Python thread counts on while another is inside next() of a path, or of bytes."""
    block = tmp_path / "block.mrc"
    block.write_bytes(generated("mixed", 1_000))
    assert run_python(GIL, block, tmp_path / "file.mrc") == "[(3, True, True), (3, True, True)]\n"


# ---- many at once, with delays ----


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_stress(seed: int, damaged: bytes, threads: Callable[[int], None]) -> None:
    """Readers of several Python threads whose sources and consumers pause at random."""
    threads(1 + seed % 5)
    expected = raws(MARCReader(damaged))

    class Slow(Seekable):
        def read(self, size: int) -> Any:
            time.sleep(random.random() / 2_000)
            return super().read(random.randint(1, size))

    def work(number: int) -> bool:
        reader = MARCReader(Slow(damaged), _chunk_bytes=random.choice((64, 2_000, 50_000)), _read_ahead=number % 3)
        found = []
        for record in reader:
            found.append(reader.current_chunk if record is None else record.raw)
            if random.random() < 0.05:
                time.sleep(random.random() / 500)
        return found == expected

    assert on_threads(work, 6) == [True] * 6


@pytest.mark.parametrize("tail", [b"99999" + book(7)[5:], b"abc\x1d"])
@pytest.mark.parametrize("count", [1, 2])
def test_an_interruption_at_the_end_changes_no_verdict(tail: bytes, count: int, threads: Callable[[int], None]) -> None:
    """Whether a byte follows the last piece is not known as long as the source says that it has nothing for now."""

    class Interrupted(io.BytesIO):
        interruptions = 1

        def read(self, size: int | None = -1, /) -> bytes:
            content = super().read(size)
            if not content and self.interruptions:
                self.interruptions = 0
                raise BlockingIOError
            return content

    threads(count)
    reader = MARCReader(Interrupted(b"".join(books(200)) + tail), _chunk_bytes=2_000)
    kinds = []
    while True:
        try:
            record = next(reader)
        except BlockingIOError:
            continue
        except StopIteration:
            break
        if record is None:
            kinds.append(type(reader.current_exception))
    assert kinds == [TruncatedRecord]
    assert reader.stats.threads == count
