"""One measurement of gil.py in a process of its own. Prints a line of JSON.

usage: gil_worker.py native FILE THREADS [--processes]     native work in threads, or in processes: how long
       gil_worker.py pace FILE ROUNDS SECONDS              how fast Python counts: alone, beside native work in a
                                                           thread, and beside native work in a process
       gil_worker.py reader FILE WAY UNIT SECONDS [--busy] records a second of a MARCReader (WAY: path or file),
                                                           alone and beside a thread that is busy in Python

Native work: every batch of a file is read by path and parsed, and no Python object is made of a record.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from together import wall_of_processes, wall_of_threads

from libmarc import MARCReader
from libmarc._native import ffi, lib, new_error, new_options, raise_error

REPEATS = 5


def read_natively(path: str, goes_on: Callable[[], bool] = lambda: True) -> int:
    """How many batches there were."""
    out, slot, error = ffi.new("marc_reader **"), ffi.new("marc_batch **"), new_error()
    if lib.marc_reader_open_path(path.encode(), new_options(), out, error) != lib.MARC_OK:
        raise_error(error, path)
    batches = 0
    while goes_on() and lib.marc_reader_next_batch(out[0], slot, error) == lib.MARC_OK:
        lib.marc_batch_release(slot[0])
        batches += 1
    lib.marc_reader_free(out[0])
    return batches


class Switch:
    """What tells a thread to end."""

    def __init__(self) -> None:
        self.on = True

    def is_on(self) -> bool:
        return self.on


@contextlib.contextmanager
def running(work: Callable[[Switch], object]) -> Iterator[None]:
    """A thread beside."""
    switch = Switch()
    thread = threading.Thread(target=work, args=(switch,))
    thread.start()
    try:
        yield
    finally:
        switch.on = False
        thread.join()


@contextlib.contextmanager
def running_process(work: Callable[[Switch], object]) -> Iterator[None]:
    """A process beside."""
    process = multiprocessing.get_context("fork").Process(target=work, args=(Switch(),))
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def native_work(path: str, switch: Switch) -> None:
    while switch.on:
        read_natively(path, switch.is_on)


def python_work(switch: Switch) -> None:
    number = 0
    while switch.on:
        number += 1


def native(given: argparse.Namespace) -> dict[str, Any]:
    threads = int(given.more[0])
    wall_of = wall_of_processes if given.processes else wall_of_threads
    read_natively(given.file)
    works = [functools.partial(read_natively, given.file)] * threads
    return {"walls": [wall_of(works) for _ in range(REPEATS)]}


def counts_a_second(seconds: float) -> float:
    clock = time.perf_counter
    begin = clock()
    number = 0
    while clock() < begin + seconds:
        number += 1
    return number / (clock() - begin)


def pace(given: argparse.Namespace) -> dict[str, Any]:
    rounds, seconds = int(given.more[0]), float(given.more[1])
    work = functools.partial(native_work, given.file)
    counts: dict[str, list[float]] = {"alone": [], "thread": [], "process": []}
    for _ in range(rounds):
        counts["alone"].append(counts_a_second(seconds))
        with running(work):
            counts["thread"].append(counts_a_second(seconds))
        with running_process(work):
            counts["process"].append(counts_a_second(seconds))
    return counts


def reader(given: argparse.Namespace) -> dict[str, Any]:
    way, unit, seconds = given.more[0], int(given.more[1]), float(given.more[2])
    with open(given.file, "rb") as file:
        records = MARCReader(given.file if way == "path" else file, _chunk_bytes=unit)
        with running(python_work) if given.busy else contextlib.nullcontext():
            return {"records_per_second": records_a_second(records, seconds)}


def records_a_second(records: MARCReader, seconds: float) -> float:
    """Over so many seconds, or to the end."""
    clock = time.perf_counter
    begin = clock()
    number = 0
    for _record in records:
        number += 1
        if number % 64 == 0 and clock() > begin + seconds:
            break
    return number / (clock() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description="One measurement; see the head of this file.")
    parser.add_argument("what", choices=("native", "pace", "reader"))
    parser.add_argument("file")
    parser.add_argument("more", nargs="+")
    parser.add_argument("--processes", action="store_true")
    parser.add_argument("--busy", action="store_true")
    given = parser.parse_args()
    print(json.dumps({"native": native, "pace": pace, "reader": reader}[given.what](given)))


if __name__ == "__main__":
    main()
