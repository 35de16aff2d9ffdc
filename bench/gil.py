"""Whether the GIL is free during native work, and what a busy Python thread costs a reader.

Two Python threads in native work, against one; a thread that counts in Python, beside native work and alone; an
ordinary loop over records beside a thread that is busy in Python, by the size of the native unit.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import Any

from command import Command, Setting
from common import BENCH, Gate, Result, Row, Sample, say, spread
from report import number

#: What is measured together: so many threads or processes in native work.
WORKERS: dict[str, tuple[str, ...]] = {
    "one thread": ("1",),
    "two threads": ("2",),
    "two processes": ("2", "--processes"),
}
NATIVE_LIMIT = 1.5  # times the time of one thread
PACE_LIMIT = 80  # per cent
KIBIBYTE = 1 << 10
UNITS = tuple(size * KIBIBYTE for size in (4, 16, 64, 256, 512, 1024, 4096))
DEFAULT_UNIT = 512 * KIBIBYTE
BESIDE = {"alone": "alone", "thread": "beside a native thread", "process": "beside a native process"}
WAYS = {"path": "from a path", "file": "from a file object"}


def measure(setting: Setting, result: Result) -> None:
    measure_native(setting, result)
    measure_pace(setting, result)
    measure_reader(setting, result)


def worker(setting: Setting, what: str, sample: Sample, *more: str) -> dict[str, Any]:
    return setting.python.json(BENCH / "gil_worker.py", what, sample.path, *more)


def measure_native(setting: Setting, result: Result) -> None:
    sample = setting.data.first(50_000)
    walls: dict[str, list[float]] = defaultdict(list)
    for turn in range(setting.rounds):
        say(f"native work: round {turn + 1} of {setting.rounds}")
        for what in WORKERS if turn % 2 == 0 else reversed(WORKERS):
            walls[what] += worker(setting, "native", sample, *WORKERS[what])["walls"]
    one = min(walls["one thread"])
    for what in WORKERS:
        taken = walls[what]
        figures = {
            "records_each": sample.records,
            "seconds": min(taken),
            "times_one_thread": min(taken) / one,
            "spread": spread(taken),
            "wall_seconds": sorted(taken),
        }
        result.rows.append(Row("native", what, figures))
    ratio = min(walls["two threads"]) / one
    result.gates.append(Gate("native work: two threads against one", ratio, NATIVE_LIMIT, at_most=True, unit="x"))


def measure_pace(setting: Setting, result: Result) -> None:
    sample = setting.data.first(50_000)
    say("a counting thread beside native work")
    seen = worker(setting, "pace", sample, str(2 * setting.rounds), "0.25")
    alone = max(seen["alone"])
    for what, title in BESIDE.items():
        paces: list[float] = seen[what]
        figures = {
            "counts_per_second": max(paces),
            "share_of_alone": max(paces) / alone,
            "spread": spread([1 / pace for pace in paces]),
            "all_counts_per_second": sorted(paces),
        }
        result.rows.append(Row("pace", title, figures))
    share = max(seen["thread"]) / alone * 100
    result.gates.append(Gate("pace of a counting thread beside native work", share, PACE_LIMIT, unit="%"))


def measure_reader(setting: Setting, result: Result) -> None:
    sample = setting.data.first(50_000) if setting.quick else setting.data.whole
    speeds: dict[tuple[str, int, bool], list[float]] = defaultdict(list)
    turns = [(way, unit, busy) for way in WAYS for unit in UNITS for busy in (False, True)]
    rounds = max(1, setting.rounds // 2)
    for turn in range(rounds):
        say(f"a reader beside a busy thread: round {turn + 1} of {rounds}")
        for way, unit, busy in turns:
            more = (way, str(unit), "0.3", *(["--busy"] if busy else []))
            answer = worker(setting, "reader", sample, *more)
            speeds[way, unit, busy].append(answer["records_per_second"])
    mean = sample.size / sample.records
    for way, title in WAYS.items():
        for unit in UNITS:
            free, beside = speeds[way, unit, False], speeds[way, unit, True]
            figures = {
                "unit_bytes": unit,
                "alone_records_per_second": max(free),
                "busy_records_per_second": max(beside),
                "share_of_alone": max(beside) / max(free),
                "ms_lost_a_unit": (1 / max(beside) - 1 / max(free)) * unit / mean * 1e3,
                "all_alone": sorted(free),
                "all_busy": sorted(beside),
            }
            result.rows.append(Row("reader", f"{title}, {unit // KIBIBYTE} KiB", figures))


# ---- what follows ----------------------------------------------------------------------------------------


def rows_of(result: Result, table: str) -> dict[str, dict[str, Any]]:
    return {row.what: row.figures for row in result.rows if row.table == table}


def by_unit(result: Result, way: str, figure: str) -> list[float]:
    rows = rows_of(result, "reader")
    return [rows[f"{WAYS[way]}, {unit // KIBIBYTE} KiB"][figure] for unit in UNITS]


def conclude(result: Result) -> list[str]:
    native, pace = rows_of(result, "native"), rows_of(result, "pace")
    two, ceiling = (native[what]["times_one_thread"] for what in ("two threads", "two processes"))
    thread, process = (pace[BESIDE[what]]["share_of_alone"] for what in ("thread", "process"))
    lines = [
        f"Two threads in native work take {two:.2f}x the time of one. Two processes, which share no GIL, take "
        f"{ceiling:.2f}x: that is what the machine allowed in this run.",
        f"A thread that counts in Python keeps {thread:.0%} of its pace beside a thread in native work, and "
        f"{process:.0%} beside a process, with which it shares no GIL.",
    ]
    if ceiling > NATIVE_LIMIT or process * 100 < PACE_LIMIT:
        lines.append(
            "Processes miss a gate too: the machine had no two cores to give, and this run cannot judge the GIL."
        )
    return [*lines, *[reader_line(result, way) for way in WAYS]]


def reader_line(result: Result, way: str) -> str:
    busy, lost = (by_unit(result, way, figure) for figure in ("busy_records_per_second", "ms_lost_a_unit"))
    least, default = 0, UNITS.index(DEFAULT_UNIT)
    return (
        f"Beside a busy Python thread a reader {WAYS[way]} gives {number(busy[least])} records a second with a unit "
        f"of {UNITS[least] // KIBIBYTE} KiB and {number(busy[default])} with the default of "
        f"{UNITS[default] // KIBIBYTE} KiB, {busy[default] / busy[least]:.1f} times as many. A unit loses "
        f"{lost[least]:.2f} ms and {lost[default]:.2f} ms to the other thread, which may keep the GIL for 5 ms each "
        "time it gets it."
    )


# ---- the plot --------------------------------------------------------------------------------------------

MARKS = (20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)  # of records a second


def plot(figure: Any, result: Result) -> None:
    left, middle, right = figure.subplots(1, 3, width_ratios=(3, 3, 5))
    bars(left, rows_of(result, "native"), "times_one_thread", "native work: time, x one thread", NATIVE_LIMIT)
    bars(middle, rows_of(result, "pace"), "share_of_alone", "pace of a counting thread", PACE_LIMIT / 100)
    for way, marker in zip(WAYS, "os"):
        for name, style, beside in (("alone", "--", "alone"), ("busy", "-", "beside a busy thread")):
            speeds = by_unit(result, way, f"{name}_records_per_second")
            right.plot(UNITS, speeds, marker=marker, linestyle=style, label=f"{WAYS[way]}, {beside}")
    right.set(title="records a second", xlabel="native unit, KiB", xscale="log", yscale="log")
    right.set_xticks(UNITS, [str(unit // KIBIBYTE) for unit in UNITS], minor=False)
    right.minorticks_off()
    right.set_yticks(MARKS, [number(mark) for mark in MARKS])
    right.legend()


def bars(ax: Any, rows: dict[str, dict[str, Any]], name: str, title: str, limit: float) -> None:
    ax.bar([what.replace(" ", "\n") for what in rows], [figures[name] for figures in rows.values()])
    ax.axhline(limit, color="gray", linestyle="--", label="gate")
    ax.set(title=title)
    ax.legend(loc="lower right")


COMMAND = Command(
    name="gil",
    description="Whether the GIL is free during native work, and what a busy Python thread costs a reader.",
    rounds=5,
    titles={
        "native": "Native work, by path",
        "pace": "A thread that counts in Python",
        "reader": "`for record in reader`, alone and beside a thread that is busy in Python",
    },
    measure=measure,
    conclude=conclude,
    plot=plot,
)

if __name__ == "__main__":
    sys.exit(COMMAND.main())
