"""Memory of reading on several threads: against one thread, and when the file is ten times as long."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from command import Setting
from common import Gate, Result, Row, Sample, run, say, with_threads
from machine import usable_cores
from peers import Loop, worker
from process import MEBIBYTE

TENFOLD = 10
RUNS = 3
MOST_GROWN = 2.0  # MiB


def measure_memory(setting: Setting, sample: Sample, all_threads: Sequence[int], result: Result) -> None:
    """In Python, reading by path."""
    say("memory")
    seen = {threads: peak(setting, sample, threads) for threads in all_threads}
    for threads, size in seen.items():
        add_row(result, f"{threads} thread{'s' if threads > 1 else ''}", threads, size)
    most = max((threads for threads in seen if threads > 1), key=lambda threads: seen[threads])
    name = f"Python, reading by path: most resident memory ({most} threads) against one thread"
    result.gates.append(Gate(name, seen[most] / seen[1], 2.0, at_most=True, unit="x"))
    measure_tenfold(setting, sample, max(2, min(8, usable_cores())), result)


def measure_tenfold(setting: Setting, sample: Sample, threads: int, result: Result) -> None:
    """Of a file that is ten times as long; where there is no room for it, of reading the file ten times over."""
    if shutil.disk_usage(setting.scratch).free > 2 * TENFOLD * sample.size:
        what = f"Python, reading by path on {threads} threads: memory for ten times the file above that for the file"
        long = repeated(sample, TENFOLD, setting.scratch / "tenfold.mrc")
        try:
            short_peak, long_peak = peak(setting, sample, threads), peak(setting, long, threads)
        finally:
            long.path.unlink()
    else:
        result.notes.append("There is no room for a file ten times as long: the file was read ten times over.")
        what = f"native, reading by path on {threads} threads: memory for ten readers in turn above that for one"
        short_peak, long_peak = (peak_native(setting, sample, threads, rounds) for rounds in (1, TENFOLD))
    add_row(result, f"{threads} threads, tenfold", threads, long_peak)
    grown = (long_peak - short_peak) / MEBIBYTE
    result.gates.append(Gate(what, grown, MOST_GROWN, at_most=True, unit="MiB"))


def add_row(result: Result, what: str, threads: int, size: int) -> None:
    result.rows.append(Row("memory", what, {"threads": threads, "peak_MiB": size / MEBIBYTE}))


def peak(setting: Setting, sample: Sample, threads: int) -> int:
    """The most of several runs."""
    loop = Loop("read", "libmarc", "path", sample)
    return max(int(worker(setting.python.with_threads(threads), loop)["peak_bytes"]) for _ in range(RUNS))


def peak_native(setting: Setting, sample: Sample, threads: int, rounds: int) -> int:
    command: list[str | Path] = [setting.build.native, sample.path, "--path", "--rounds", str(rounds)]
    return max(int(json.loads(run(command, with_threads(threads)).out)["peak_bytes"]) for _ in range(RUNS))


def repeated(sample: Sample, times: int, path: Path) -> Sample:
    """The same file several times over."""
    with path.open("wb") as out:
        for _ in range(times):
            with sample.path.open("rb") as file:
                shutil.copyfileobj(file, out, 1 << 20)
    return Sample(path, sample.records * times, sample.size * times)
