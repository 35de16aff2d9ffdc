"""The steps from one record at a time to threads, each against the first step and against the peers, in one run.

B  one record for each native call and for each turn of the queue, one thread
C  records in batches, one thread
H  the same on several threads: MARC_NUM_THREADS is 2 here, or as many as there are cores
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import native
from command import Command, Setting
from common import Gate, Result, Row, Sample, run, say, spread, with_threads
from machine import usable_cores
from peers import ANSWERED_RECORDS, Loop, sample_for, worker
from process import MEBIBYTE

STEPS = ("B", "C", "H")
TASKS = ("read", "title")
WHOLE = "list"
BULK = "bulk"
INNER_ROUNDS = 5
#: Who takes part beside libmarc, and from what it reads.
OTHERS = (("mrrc", "path"), ("mrrc", BULK), ("rmarc", "file"), ("pymarc", "file"))
WAYS = {
    "path": "path",
    "file": "file object",
    BULK: "path, RecordBoundaryScanner and parse_batch_parallel",
}
NAMES = {"B": "libmarc B: one record at a time", "C": "libmarc C: batches", "H": "libmarc H: batches, {} threads"}


class Entry(NamedTuple):
    """One who takes part in a task."""

    loop: Loop
    step: str  # of libmarc; else ""


def threads_of() -> int:
    """Of step H."""
    return max(2, usable_cores())


def name_of(entry: Entry) -> str:
    return NAMES[entry.step].format(threads_of()) if entry.step else entry.loop.library


# ---- Python ----------------------------------------------------------------------------------------------


def entries(setting: Setting, task: str) -> list[Entry]:
    def loop(library: str, way: str) -> Loop:
        # All records in memory at once are asked for the same part of the file as a loop that only reads.
        return Loop(task, library, way, sample_for(setting.data, "read", library, setting.quick))

    ways = ("path",) if task == WHOLE else ("path", "file")
    ours = [Entry(loop("libmarc", way), step) for way in ways for step in STEPS]
    return ours + [Entry(loop(library, way), "") for library, way in OTHERS if library in setting.python.libraries]


def options(entry: Entry) -> tuple[str, ...]:
    if entry.step != "B":
        return ()
    sample = entry.loop.sample
    one = max(64, round(sample.size / sample.records))  # bytes: a record
    return ("--options", json.dumps({"_queue_records": 1, "_chunk_bytes": one}))


def measure_entry(setting: Setting, entry: Entry, *more: str) -> dict[str, Any]:
    threads = threads_of() if entry.step == "H" else 1
    return worker(setting.python.with_threads(threads), entry.loop, *options(entry), *more)


def compare_answers(setting: Setting, result: Result) -> None:
    """Before anything is timed: all steps have to give pymarc's titles."""
    if "pymarc" not in setting.python.libraries:
        return
    sample = setting.data.first(ANSWERED_RECORDS)
    expected = worker(setting.python, Loop("title", "pymarc", "file", sample), "--answers")
    wrong = 0
    for way in ("path", "file"):
        for step in STEPS:
            answer = measure_entry(setting, Entry(Loop("title", "libmarc", way, sample), step), "--answers")
            wrong += answer != expected
    result.gates.append(Gate("steps that give other titles than pymarc", wrong, 0, at_most=True))


def measure_python(setting: Setting, result: Result) -> None:
    compare_answers(setting, result)
    for task in (*TASKS, WHOLE):
        turns = entries(setting, task)
        seen: dict[Entry, list[dict[str, Any]]] = defaultdict(list)
        for number in range(setting.rounds):
            say(f"{task}: round {number + 1} of {setting.rounds}")
            for entry in turns if number % 2 == 0 else reversed(turns):
                seen[entry].append(measure_entry(setting, entry))
        for entry in turns:
            result.rows.append(python_row(entry, seen))
        if task == WHOLE:
            gate_whole(seen, result)


def seconds_a_record(entry: Entry, seen: Sequence[dict[str, Any]]) -> float:
    return min(float(one["wall"]) for one in seen) / entry.loop.sample.records


def python_row(entry: Entry, seen: dict[Entry, list[dict[str, Any]]]) -> Row:
    mine = seconds_a_record(entry, seen[entry])
    sample = entry.loop.sample
    above = max(one["peak_bytes"] - one["bare_bytes"] for one in seen[entry])
    figures: dict[str, Any] = {
        "task": entry.loop.task,
        "step": entry.step or None,
        "library": entry.loop.library,
        "source": WAYS[entry.loop.way],
        "records": sample.records,
        "records_per_second": 1 / mine,
        "times_B": base(seen, lambda e: e.step == "B" and (not entry.step or e.loop.way == entry.loop.way), mine),
        "times_pymarc": base(seen, lambda e: e.loop.library == "pymarc", mine),
        "times_mrrc": base(seen, lambda e: (e.loop.library, e.loop.way) == ("mrrc", "path"), mine),
        "times_mrrc_bulk": base(seen, lambda e: e.loop.way == BULK, mine),
        "times_rmarc": base(seen, lambda e: e.loop.library == "rmarc", mine),
        "memory_MiB": above / MEBIBYTE,
        "times_file": above / sample.size,
        "spread": spread([one["wall"] for one in seen[entry]]),
        "wall_seconds": sorted(one["wall"] for one in seen[entry]),
        "cpu_seconds": sorted(one["cpu"] for one in seen[entry]),
    }
    return Row("cascade", name_of(entry), figures)


def base(seen: dict[Entry, list[dict[str, Any]]], is_base: Callable[[Entry], bool], mine: float) -> float | None:
    """How many times as fast as the one that is compared with."""
    found = [seconds_a_record(entry, rounds) for entry, rounds in seen.items() if is_base(entry)]
    return min(found) / mine if found else None


def gate_whole(seen: dict[Entry, list[dict[str, Any]]], result: Result) -> None:
    """All records of a file in a list, as a user has it who sets nothing: step H."""
    (ours,) = (entry for entry in seen if entry.step == "H")
    most = max(one["peak_bytes"] - one["bare_bytes"] for one in seen[ours])
    ratio = base(seen, lambda entry: entry.loop.way == BULK, seconds_a_record(ours, seen[ours]))
    gates = result.gates
    gates.append(Gate("list(MARCReader(path)): times mrrc's bulk", ratio, 6.5, unit="x"))
    name = "list(MARCReader(path)): memory against the file"
    gates.append(Gate(name, most / ours.loop.sample.size, 2.5, at_most=True, unit="x"))


# ---- native ----------------------------------------------------------------------------------------------


def measure_native(setting: Setting, result: Result) -> None:
    """By the clock: libmarc.so on one thread and on two, and yaz-marcdump -n, all of them from a path."""
    sample = setting.data.first(50_000) if setting.quick else setting.data.whole
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in range(setting.rounds):
        say(f"native: round {number + 1} of {setting.rounds}")
        for threads in (1, 2):
            seconds[f"libmarc.so, {threads} thread{'s' if threads > 1 else ''}"] += native_seconds(
                setting, sample, threads
            )
        if shutil.which("yaz-marcdump"):
            seconds[native.YAZ].append(run(["yaz-marcdump", "-n", sample.path], text=False).wall)
    yaz = min(seconds[native.YAZ], default=None)
    for what, seen in seconds.items():
        if seen:
            result.rows.append(native.speed_row(what, sample, seen, yaz, by_clock=True))
    one, two = (min(seen) for what, seen in seconds.items() if what != native.YAZ)
    gates = result.gates
    for threads, best, limit in ((1, one, 3.3), (2, two, 6.0)):
        name = f"native, by the clock, from a path, {threads} thread{'s' if threads > 1 else ''}: times {native.YAZ}"
        gates.append(Gate(name, yaz / best if yaz else None, limit, unit="x"))
    if yaz is None:
        result.notes.append("yaz-marcdump is not there (Debian: yaz).")


def native_seconds(setting: Setting, sample: Sample, threads: int) -> list[float]:
    command: list[str | Path] = [setting.build.native, sample.path, "--path", "--rounds", str(INNER_ROUNDS)]
    seen = json.loads(run(command, with_threads(threads)).out)
    native.checked(seen["records"], sample, f"libmarc.so on {threads} threads")
    found: list[float] = seen["wall_seconds"]
    return found


# ---- the plot --------------------------------------------------------------------------------------------


def plot(figure: Any, result: Result) -> None:
    """Records a second of all but the steps that read from a file object."""
    for ax, task in zip(figure.subplots(1, len(TASKS) + 1), (*TASKS, WHOLE), strict=True):
        bars: dict[str, float] = {}
        for f in (row.figures for row in result.rows if row.table == "cascade"):
            if f["task"] == task and not (f["step"] and f["source"] == WAYS["file"]):
                name = f["step"] or f"{f['library']}{' bulk' if f['source'] == WAYS[BULK] else ''}"
                bars[name] = f["records_per_second"]
        ax.bar(list(bars), list(bars.values()))
        ax.tick_params(axis="x", rotation=60)
        ax.set(title=task, ylabel="records a second", yscale="log")


def measure(setting: Setting, result: Result) -> None:
    setting.build.make()
    measure_python(setting, result)
    measure_native(setting, result)


def conclude(result: Result) -> list[str]:
    """The steps, each against the first."""
    lines = []
    for f in (row.figures for row in result.rows if row.table == "cascade"):
        if f["step"] in ("C", "H"):
            times = ", ".join(
                f"{f[f'times_{peer}']:.1f} times {peer.replace('_', ' ')}"
                for peer in ("pymarc", "mrrc", "mrrc_bulk", "rmarc")
                if f[f"times_{peer}"] is not None
            )
            lines.append(f"{f['task']}, {f['source']}: {f['step']} is {f['times_B']:.1f} times B; {times}.")
    return lines


COMMAND = Command(
    name="cascade",
    description="From one record at a time over batches to threads, beside the peers.",
    rounds=5,
    titles={
        "cascade": "Python, by the clock (memory above that after the import)",
        "native": "Native, by the clock, from a path",
    },
    measure=measure,
    conclude=conclude,
    plot=plot,
)

if __name__ == "__main__":
    sys.exit(COMMAND.main())
