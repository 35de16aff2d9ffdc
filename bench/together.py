"""Several threads or processes that begin at the same time, and how long they take together."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any


def wall_of_threads(works: Sequence[Callable[[], object]]) -> float:
    """From the first beginning to the last end, each in a thread of its own."""
    barrier = threading.Barrier(len(works))
    times: list[tuple[float, float]] = []
    run_all([threading.Thread(target=timed, args=(work, barrier, times.append)) for work in works])
    if len(times) != len(works):
        raise RuntimeError("a thread has failed")
    return wall_of(times)


def wall_of_processes(works: Sequence[Callable[[], object]]) -> float:
    """The same in processes: what the machine can do where there is no GIL in common."""
    fork = multiprocessing.get_context("fork")
    barrier, times = fork.Barrier(len(works)), fork.SimpleQueue()
    processes = [fork.Process(target=timed, args=(work, barrier, times.put)) for work in works]
    run_all(processes)
    if any(process.exitcode for process in processes):
        raise RuntimeError("a process has failed")
    return wall_of([times.get() for _ in works])


def timed(work: Callable[[], object], barrier: Any, report: Callable[[tuple[float, float]], object]) -> None:
    barrier.wait()
    begin = time.perf_counter()
    work()
    report((begin, time.perf_counter()))


def run_all(workers: Sequence[Any]) -> None:
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def wall_of(times: Sequence[tuple[float, float]]) -> float:
    return max(end for _begin, end in times) - min(begin for begin, _end in times)
