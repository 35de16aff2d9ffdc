"""Threads: readers beside each other, records that change hands, and the GIL."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support import Source, generated, given, in_turn, items, needs_proc, raws, run_python

from libmarc import MARCReader

THREADS = 4


def on_threads(function: Callable[[int], Any], count: int = THREADS) -> list[Any]:
    """What a function gives on each of several threads that begin at once."""
    begin = threading.Barrier(count)

    def run(number: int) -> Any:
        begin.wait(60)
        return function(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


# ---- many readers ----


@pytest.mark.parametrize("kind", ["path", "file", "bytes"])
def test_thread_safety_with_batching(tmp_path: Path, kind: str) -> None:
    """Four threads, four readers, one file: four times the same."""
    data = generated("mixed", 200) + generated("damaged", 100)
    path = tmp_path / "file.mrc"
    path.write_bytes(data)
    expected = items(MARCReader(data))
    sources: dict[str, Callable[[], Any]] = {
        "path": lambda: path,
        "file": lambda: path.open("rb"),
        "bytes": lambda: data,
    }

    def read(number: int) -> Any:
        source = sources[kind]()
        with MARCReader(source, _chunk_bytes=20_000 + number) as reader:
            found = items(reader)
        if kind == "file":
            source.close()
        return found

    for found in on_threads(read):
        assert found == expected


def test_readers_are_opened_and_closed_on_many_threads(tmp_path: Path) -> None:
    data = generated("mixed", 400)
    path = tmp_path / "file.mrc"
    path.write_bytes(data)
    expected = raws(MARCReader(data))

    def thrash(number: int) -> bool:
        for turn in range(40):
            taken = (turn * 7 + number) % 350
            reader = MARCReader(path if turn % 2 else data, _chunk_bytes=30_000)
            found = [given(reader).raw for _ in range(taken)]
            if turn % 3:
                reader.close()
            if found != expected[:taken]:
                return False
        return True

    assert on_threads(thrash) == [True] * THREADS


# ---- records that change hands ----


def test_cursor_thread_safety(tmp_path: Path) -> None:
    """Records of one reader go to other threads while it reads on, moves to other batches, and is closed."""
    data = generated("mixed", 1_200)
    path = tmp_path / "file.mrc"
    path.write_bytes(data)
    expected = [(found.title, found.text) for found in items(MARCReader(data))]
    for source in (path, data, Source(data)):
        with ThreadPoolExecutor(THREADS) as pool:
            with MARCReader(source, _chunk_bytes=40_000) as reader:
                futures = [
                    pool.submit(lambda one: (one.title, str(one)), record) for record in reader if record is not None
                ]
            assert [future.result() for future in futures] == expected


def test_one_record_on_many_threads() -> None:
    """Looked at for the first time on all of them at once: everybody sees the same."""
    for turn in range(60):
        reader = MARCReader(generated("mixed", 400))
        for _ in range(turn):
            next(reader)
        record = given(reader)
        expected = next(MARCReader(record.raw))
        assert expected is not None

        def look(number: int, record: Any = record) -> Any:
            return record.title if number % 2 else str(record)

        found = on_threads(look)
        assert found == [str(expected), expected.title] * 2


def test_titles_of_one_batch_on_many_threads() -> None:
    data = generated("utf8", 600)
    expected = [found.title for found in items(MARCReader(data))]
    reader = MARCReader(data)
    records = [given(reader) for _ in expected]
    for found in on_threads(lambda number: [record.title for record in records]):
        assert found == expected


def test_titles_while_the_reader_is_closed() -> None:
    """The batch is released on one thread while others ask it for titles."""
    data = generated("utf8", 300)
    expected = [found.title for found in items(MARCReader(data))]
    for _ in range(30):
        reader = MARCReader(data)
        records = [given(reader) for _ in expected]

        def work(number: int, reader: MARCReader = reader, records: list[Any] = records) -> Any:
            if number == 0:
                reader.close()
                return expected
            return [record.title for record in records]

        assert on_threads(work) == [expected] * THREADS


def test_a_reader_is_handed_from_thread_to_thread() -> None:
    data = generated("mixed", 300)
    expected = raws(MARCReader(data))
    reader = MARCReader(Source(data), _chunk_bytes=20_000)
    found = []
    for _ in expected:
        thread = threading.Thread(target=lambda: found.append(given(reader).raw))
        thread.start()
        thread.join(60)
    assert found == expected


def test_a_reader_that_is_collected_on_another_thread(tmp_path: Path) -> None:
    path = tmp_path / "file.mrc"
    path.write_bytes(generated("mixed", 100))
    with path.open("rb") as file:
        readers = [MARCReader(file, _chunk_bytes=10_000)]
        record = given(readers[0])
        thread = threading.Thread(target=in_turn(readers.clear, gc.collect))
        thread.start()
        thread.join(60)
        assert readers == []
        assert file.tell() == len(record.raw or b"")


def test_two_threads_on_one_reader_lose_nothing() -> None:
    """It is not meant to be done. Who is refused may try again; all records come, each once."""
    data = generated("mixed", 1_000)
    expected = raws(MARCReader(data))
    reader = MARCReader(Source(data), _chunk_bytes=5_000, _queue_records=3)

    def read(_: int) -> list[Any]:
        found: list[Any] = []
        while True:
            try:
                record = next(reader)
            except RuntimeError:
                continue
            except StopIteration:
                return found
            found.append(record.raw if record else None)

    found = [raw for part in on_threads(read, 2) for raw in part]
    assert sorted(found) == sorted(expected)


# ---- the GIL ----

# The reader is inside a native call that waits for a FIFO. Were the GIL held there, the main thread could not count.
WAITING = """
import faulthandler, os, sys, threading
from pathlib import Path
from support import book, is_asleep, wait_until
from libmarc import MARCReader

faulthandler.dump_traceback_later(100, exit=True)
fifo = sys.argv[1]
os.mkfifo(fifo)
found = []
reader = threading.Thread(target=lambda: found.extend(record.title for record in MARCReader(fifo)))
reader.start()
counts = []
with open(fifo, "wb", buffering=0) as writer:
    for number in range(5):
        wait_until(lambda: is_asleep(reader.native_id))
        count = 0
        while count < 200_000:  # many switch intervals
            count += 1
        counts.append(count)
        assert len(found) == number
        writer.write(book(number))
        wait_until(lambda: len(found) == number + 1)
reader.join()
print(counts, found)
"""


@needs_proc
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_gil_release_verification(tmp_path: Path) -> None:
    """A Python thread counts on while another is inside a native call that a slow source holds."""
    titles = [f"Title {number}" for number in range(5)]
    assert run_python(WAITING, tmp_path / "fifo") == f"{[200_000] * 5} {titles}\n"


# No thread is asked to give the GIL up here: the counting one lets go of it by itself, all the time, the main one only
# if what it calls does. So the count moves during a call exactly if that call runs without the GIL.
COUNTING = """
import faulthandler, sys, threading, time
import libmarc.reader
from libmarc import MARCReader
from libmarc._native import lib

faulthandler.dump_traceback_later(100, exit=True)
sys.setswitchinterval(1_000)
block = open(sys.argv[1], "rb").read()
path = sys.argv[2]
count, stop = 0, False

def counting():
    global count
    while not stop:
        count += 1
        time.sleep(0)

def progress(call, *arguments):
    before = count
    result = call(*arguments)
    return count - before, result

class Watched:
    seen = []
    def __getattr__(self, name):
        return getattr(lib, name)
    def marc_reader_next_batch(self, *arguments):
        moved, status = progress(lib.marc_reader_next_batch, *arguments)
        self.seen.append(moved)
        return status

libmarc.reader.lib = Watched()
thread = threading.Thread(target=counting)
thread.start()
while count < 1_000:
    time.sleep(0)
"""
PARSING = (
    COUNTING
    + """
data = block * 60
open(path, "wb").write(data)
held = [progress(sum, range(2_000_000))[0] for _ in range(3)]
for source in (data, path):
    reader = MARCReader(source, _chunk_bytes=1 << 28)
    next(reader)
    reader.close()
stop = True
thread.join()
print(held, len(Watched.seen), all(moved > 0 for moved in Watched.seen))
"""
)


def test_gil_is_free_while_records_are_parsed(tmp_path: Path) -> None:
    """Reading and parsing 60 000 records in one native call, from memory and from a file: others run meanwhile. For
    comparison a call that does hold the GIL: the count does not move."""
    block = tmp_path / "block.mrc"
    block.write_bytes(generated("mixed", 1_000))
    assert run_python(PARSING, block, tmp_path / "file.mrc") == "[0, 0, 0] 2 True\n"
