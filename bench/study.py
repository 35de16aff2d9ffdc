"""What the studies share. A study is a command beside run.py that follows one question through many settings, and keeps
its figures as JSON, as CSV and as a plot."""

from __future__ import annotations

import argparse
import contextlib
import csv
import dataclasses
import datetime
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
import report
from common import BENCH, ROOT, Build, Data, Interpreter, Result, Row, find_data, find_interpreter, say

RESULTS = BENCH / "results"
#: Fills a figure of matplotlib.
Draw = Callable[[Any, Sequence[Row]], None]
IDLE = 0.5  # load above which a warning is due


@dataclass
class Study:
    """One run of a study."""

    given: argparse.Namespace
    build: Build
    python: Interpreter
    data: Data
    scratch: Path
    rounds: int
    result: Result
    run: dict[str, Any]

    @property
    def quick(self) -> bool:
        return bool(self.given.quick)


def arguments(description: str, name: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small samples, few rounds: does it work at all?")
    parser.add_argument("--check", action="store_true", help="end with status 1 if a gate is missed")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (5; quick: 2)")
    parser.add_argument("--python", help="interpreter to measure with (the system's python3, if it is usable)")
    parser.add_argument("--data", type=Path, help="another file of sound records")
    parser.add_argument("--build", type=Path, help="build folder (LIBMARC_BUILD_DIR, else build/release)")
    parser.add_argument("--name", help=f"name of the result ({name}; a quick run is only kept if it has one)")
    given = parser.parse_args()
    given.kept = not given.quick or given.name is not None
    given.name = given.name or name
    return given


@contextlib.contextmanager
def begun(description: str, name: str) -> Iterator[Study]:
    """The build, the interpreter, the data and a folder for samples."""
    given = arguments(description, name)
    build = Build(given.build or Path(os.environ.get("LIBMARC_BUILD_DIR") or ROOT / "build" / "release"))
    build.make()
    python = find_interpreter(given.python, build.package)
    revision, dirty = machine.revision()
    before = os.getloadavg()[0]
    run: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "name": given.name,
        "revision": revision,
        "dirty": dirty,
        "quick": given.quick,
        "warnings": [],
        "machine": machine.facts(build, python),
    }
    if given.quick:
        run["warnings"].append("A quick run: small samples and few rounds, no figures to quote.")
    if before > IDLE:
        run["warnings"].append(f"The machine was not idle: load {before:.2f} when it began.")
    begin = time.monotonic()
    kept = build.folder / "bench"
    with tempfile.TemporaryDirectory(dir=kept, prefix="samples-") as scratch:
        data = find_data(given.data, kept, Path(scratch))
        run["data"] = {"name": data.name, "records": data.whole.records, "bytes": data.whole.size}
        if data.note:
            run["warnings"].append(f"Not the usual data: {data.note}.")
        rounds = given.rounds or (2 if given.quick else 5)
        yield Study(given, build, python, data, Path(scratch), rounds, Result(), run)
    run["minutes"] = (time.monotonic() - begin) / 60
    run["load"] = {"before": before, "after": os.getloadavg()[0]}


def finished(study: Study, tables: Sequence[str], draw: Draw | None = None) -> int:
    """Prints and keeps what was found; the status to end with."""
    run, result = study.run, study.result
    lines = [f"# Measured {run['date']}: {run['name']}", "", *[f"**{note}**\n" for note in run["warnings"]]]
    lines += [*tables, "", *report.gate_table(result.gates), ""]
    lines += [f"- {note}" for note in result.notes]
    print("\n".join([*lines, "", *report.machine_lines(run)]))
    if study.given.kept:
        keep(study, draw)
    missed = [gate.name for gate in result.gates if gate.passed is not True]
    return 1 if study.given.check and missed else 0


def keep(study: Study, draw: Draw | None) -> None:
    result = study.result
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{study.run['date']}-{study.run['name']}.json"
    gates = [{**dataclasses.asdict(gate), "passed": gate.passed} for gate in result.gates]
    rows = [dataclasses.asdict(row) for row in result.rows]
    content = {**study.run, "notes": result.notes, "gates": gates, "rows": rows}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_csv(path.with_suffix(".csv"), result.rows)
    say(f"written: {path.relative_to(ROOT)} and the same as .csv")
    if draw is not None:
        plot(path.with_suffix(".png"), result.rows, draw)


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """A line for each row; lists, the figures of single rounds, are in the JSON only."""
    lines = [{"table": row.table, "what": row.what, **row.figures} for row in rows]
    names = [name for name in dict.fromkeys(n for line in lines for n in line) if not has_list(lines, name)]
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def has_list(lines: Sequence[dict[str, Any]], name: str) -> bool:
    return any(isinstance(line.get(name), list) for line in lines)


def plot(path: Path, rows: Sequence[Row], draw: Draw) -> None:
    try:
        import matplotlib.figure  # for the plot only: everything else runs without it
    except ImportError:
        say("matplotlib is not there (requirements/bench.txt): no plot")
        return
    figure = matplotlib.figure.Figure(figsize=(11, 5), dpi=110, layout="constrained")
    draw(figure, rows)
    figure.savefig(path)
    say(f"written: {path.relative_to(ROOT)}")
