"""The Python loop of libmarc and of its peers: one process for each measurement, in interleaved rounds."""

from __future__ import annotations

import shutil
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from common import BENCH, Data, Gate, Interpreter, Result, Row, Sample, say, spread

#: Who reads from what, and how often a measurement is repeated within a round: the short ones more often.
REPEATS = {
    ("libmarc", "path"): 3,
    ("libmarc", "file"): 3,
    ("mrrc", "path"): 2,
    ("mrrc", "file"): 2,
    ("rmarc", "file"): 1,
    ("pymarc", "file"): 1,
}
ALL_WAYS = tuple(REPEATS)
ONE_WAY = (("libmarc", "path"), ("mrrc", "path"), ("rmarc", "file"), ("pymarc", "file"))
#: mrrc cannot change a subfield in its place, and cannot be given a list of subfields.
WITHOUT_MRRC = (("libmarc", "path"), ("rmarc", "file"), ("pymarc", "file"))
GATED_TASKS = ("read", "title")
TASKS: dict[str, tuple[tuple[str, str], ...]] = {
    "read": ALL_WAYS,
    "title": ALL_WAYS,
    "get": ONE_WAY,
    "extract": ONE_WAY,
    "subfields": ONE_WAY,
    "roundtrip": ONE_WAY,
    "edit": WITHOUT_MRRC,
    "json": ONE_WAY,
    "build": WITHOUT_MRRC,
    "xml": WITHOUT_MRRC,
}
MEANING = {
    "read": "`for record in reader`",
    "title": "`title` of every record",
    "get": '`get_fields` of six tags, `get_subfields("a", "b")`',
    "extract": "`title`, `value()` of every field",
    "subfields": "code and value of every subfield",
    "roundtrip": "read, `as_marc()`, untouched",
    "edit": "read, another 245 $a, `as_marc()`",
    "json": "read, `as_json()`, untouched",
    "build": "a record of ten fields made, `as_marc()`",
    "xml": "MARCXML: every record of `libmarc.read`, and of `parse_xml_to_array`",
}
#: What libmarc is measured against, each in the fastest of its ways.
BASES = ("pymarc", "mrrc", "rmarc")
#: task, way of libmarc: at least so many times as fast as pymarc and as mrrc.
GATES: dict[tuple[str, str], dict[str, float]] = {
    ("read", "path"): {"pymarc": 45, "mrrc": 8},
    ("read", "file"): {"pymarc": 40, "mrrc": 7},
    ("title", "path"): {"pymarc": 40, "mrrc": 6.5},
    ("get", "path"): {"pymarc": 6.5, "mrrc": 2.5},
    ("extract", "path"): {"pymarc": 7, "mrrc": 5.3},
    ("subfields", "path"): {"pymarc": 4, "rmarc": 1.4},
    ("roundtrip", "path"): {"pymarc": 40, "mrrc": 7.5},
    ("edit", "path"): {"pymarc": 5},
    ("json", "path"): {"pymarc": 20, "mrrc": 6},
    ("build", "path"): {"pymarc": 2},
    ("xml", "path"): {"pymarc": 8},
}
ANSWERED_RECORDS = 2_000


@dataclass(frozen=True)
class Loop:
    """One measurement: who does what, and on how much of the file."""

    task: str
    library: str
    way: str
    sample: Sample


def sample_for(data: Data, task: str, library: str, quick: bool) -> Sample:
    """The whole file where that takes a second or two; else its beginning, and figures are for one record."""
    if task == "xml":
        return data.marcxml(2_000 if quick else 20_000)
    if task not in GATED_TASKS:
        return data.first(2_000 if quick else 20_000)
    if library in ("pymarc", "rmarc"):
        return data.first(5_000 if quick else 50_000)
    return data.first(50_000) if quick else data.whole


def interleaved(loops: list[Loop]) -> list[Loop]:
    """The order of a round: what is repeated is spread over it."""
    turns = []
    for number, loop in enumerate(loops):
        repeats = REPEATS[loop.library, loop.way]
        turns += [((turn + 0.5) / repeats, number, loop) for turn in range(repeats)]
    return [loop for _place, _number, loop in sorted(turns, key=lambda turn: turn[:2])]


def worker(python: Interpreter, loop: Loop, *more: str) -> dict[str, Any]:
    return python.json(BENCH / "worker.py", loop.library, loop.way, loop.task, loop.sample.path, *more)


def compare_answers(python: Interpreter, data: Data, tasks: list[str], result: Result) -> None:
    """Before anything is timed: do all give the same? libmarc has to give what pymarc gives."""
    differ = 0
    others: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        sample = data.marcxml(ANSWERED_RECORDS) if task == "xml" else data.first(ANSWERED_RECORDS)
        expected = worker(python, Loop(task, "pymarc", "file", sample), "--answers")
        for library, way in TASKS[task]:
            if library not in python.libraries or library == "pymarc":
                continue
            answer = worker(python, Loop(task, library, way, sample), "--answers")
            if answer != expected and library == "libmarc":
                differ += 1
                result.notes.append(f"libmarc ({way}) does not give pymarc's answers in the task {task}.")
            elif answer != expected:
                others[library].append(task)
    for library, wrong in others.items():
        names = ", ".join(dict.fromkeys(wrong))
        result.notes.append(f"{library} does not give pymarc's answers in: {names}.")
    result.gates.append(Gate("tasks in which libmarc gives other answers than pymarc", differ, 0, at_most=True))


def measure(
    python: Interpreter, data: Data, tasks: list[str], rounds: int, quick: bool, clock: str, result: Result
) -> None:
    """Fills in the rows and gates of these tasks. `clock`: wall or cpu."""
    if "xml" in tasks and not shutil.which("yaz-marcdump"):
        result.notes.append("yaz-marcdump is not there (Debian: yaz): nothing was read from MARCXML.")
        tasks = [task for task in tasks if task != "xml"]
    if "pymarc" in python.libraries:
        say("comparing the answers of all libraries")
        compare_answers(python, data, tasks, result)
    timed: dict[Loop, list[dict[str, Any]]] = defaultdict(list)
    for group in ([t for t in tasks if t in GATED_TASKS], [t for t in tasks if t not in GATED_TASKS]):
        loops = [
            Loop(task, library, way, sample_for(data, task, library, quick))
            for task in group
            for library, way in TASKS[task]
            if library in python.libraries
        ]
        turns = rounds if group and group[0] in GATED_TASKS else max(2, rounds // 2)
        for number in range(turns if loops else 0):
            say(f"{', '.join(group)}: round {number + 1} of {turns}")
            order = interleaved(loops)
            for loop in order if number % 2 == 0 else reversed(order):
                timed[loop].append(worker(python, loop))
    for task in tasks:
        report(task, {loop: seen for loop, seen in timed.items() if loop.task == task}, clock, result)


def report(task: str, measured: dict[Loop, list[dict[str, Any]]], clock: str, result: Result) -> None:
    each = {
        (loop.library, loop.way): min(seen[clock] for seen in rounds) / loop.sample.records
        for loop, rounds in measured.items()
    }
    bases = {
        peer: min((seconds for (library, _way), seconds in each.items() if library == peer), default=None)
        for peer in BASES
    }
    for loop, rounds in measured.items():
        mine = each[loop.library, loop.way]
        figures: dict[str, Any] = {
            "task": task,
            "library": loop.library,
            "source": {"path": "path", "file": "file object"}[loop.way],
            "records": loop.sample.records,
            "rounds": len(rounds),
            "records_per_second": 1 / mine,
            "microseconds_a_record": mine * 1e6,
            "spread": spread([seen[clock] for seen in rounds]),
            "wall_seconds": sorted(seen["wall"] for seen in rounds),
            "cpu_seconds": sorted(seen["cpu"] for seen in rounds),
        }
        for peer, base in bases.items():
            figures[f"times_{peer}"] = base / mine if base else None
        result.rows.append(Row("python", task, figures))
    for (gated, way), limits in GATES.items():
        if gated != task:
            continue
        source = {"path": "from a path", "file": "from a file object"}[way]
        for peer, limit in limits.items():
            base = bases[peer]
            ratio = base / each["libmarc", way] if base else None
            result.gates.append(Gate(f"{task}, {source}: times {peer}", ratio, limit, unit="x"))
    if task == "read":
        ratio = each["libmarc", "file"] / each["libmarc", "path"]
        result.gates.append(Gate("read: path against file object", ratio, 1.0, unit="x"))
