"""The frame of the commands that answer one question each: options, data, tables, and the results as JSON, CSV and PNG.

A full run writes results/<date>-<command>.json, .csv and .png. A quick one only prints, unless --out says where to.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
import outcome
import report
from common import RESULTS, Build, Data, Interpreter, Result, Row, built_folder, find_data, find_interpreter, say


@dataclass(frozen=True)
class Setting:
    """What a command measures with."""

    build: Build
    python: Interpreter
    data: Data
    rounds: int
    quick: bool
    scratch: Path


@dataclass(frozen=True)
class Command:
    name: str  # of its results
    description: str
    rounds: int  # of a full run
    titles: dict[str, str]  # of its tables
    measure: Callable[[Setting, Result], None]
    conclude: Callable[[Result], list[str]]  # what follows from the figures, as lines of text
    plot: Callable[[Any, Result], None]  # draws on a matplotlib figure

    def main(self) -> int:
        given = self.arguments()
        build = Build(given.build or built_folder())
        build.check()
        run = outcome.begin(given.quick)
        result = Result()
        self.measure_all(given, build, run, result)
        outcome.end(run, result)
        run["conclusion"] = self.conclude(result)
        print(self.text(run, result))
        folder = given.out or (None if given.quick or given.data else RESULTS)
        if folder is not None:
            self.write(folder, run, result)
        return outcome.status(result, given.check)

    def arguments(self) -> argparse.Namespace:
        parser = argparse.ArgumentParser(description=self.description)
        parser.add_argument("--quick", action="store_true", help="small samples, two rounds: does it work at all?")
        parser.add_argument("--rounds", type=int, help=f"rounds of each measurement ({self.rounds}; quick: 2)")
        parser.add_argument("--python", help="interpreter to measure with (the system's python3, if it is usable)")
        parser.add_argument("--data", type=Path, help="another file of sound records")
        parser.add_argument("--build", type=Path, help="build folder (LIBMARC_BUILD_DIR, else build/release)")
        parser.add_argument("--out", type=Path, help="folder for the results (full runs: bench/results)")
        parser.add_argument("--check", action="store_true", help="end with status 1 if a gate is missed")
        return parser.parse_args()

    def measure_all(self, given: argparse.Namespace, build: Build, run: dict[str, Any], result: Result) -> None:
        python = find_interpreter(given.python, build.package)
        run["name"] = self.name
        run["machine"] = machine.facts(build, python)
        # One thread of the program is one thread: what several of the library's own bring is another question.
        python = dataclasses.replace(python, environment={**python.environment, "MARC_NUM_THREADS": "1"})
        kept = build.folder / "bench"
        kept.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept, prefix="samples-") as scratch:
            data = find_data(given.data, kept, Path(scratch))
            run["data"] = {"name": data.name, "records": data.whole.records, "bytes": data.whole.size}
            if data.note:
                run["warnings"].append(f"Not the usual data: {data.note}.")
            rounds = given.rounds or (2 if given.quick else self.rounds)
            self.measure(Setting(build, python, data, rounds, given.quick, Path(scratch)), result)

    def text(self, run: dict[str, Any], result: Result) -> str:
        data = run["data"]
        lines = [f"# {self.name}, measured {run['date']}", ""]
        lines += [f"Data: beginnings of {data['name']}, {report.number(data['records'])} records.", ""]
        lines += [f"**{note}**\n" for note in run["warnings"]]
        for table, title in self.titles.items():
            rows = [row for row in result.rows if row.table == table]
            lines += [f"## {title}", "", *figures_table(rows), ""] if rows else []
        lines += ["## Gates", "", *report.gate_table(result.gates), ""] if result.gates else []
        lines += ["## What follows", "", *[f"- {line}" for line in (*run["conclusion"], *result.notes)], ""]
        return "\n".join([*lines, "## Machine", "", *report.machine_lines(run), ""])

    def write(self, folder: Path, run: dict[str, Any], result: Result) -> None:
        folder.mkdir(exist_ok=True)
        path = folder / f"{run['date']}-{self.name}.json"
        drawn = draw(path.with_suffix(".png"), lambda figure: self.plot(figure, result))
        if not drawn:
            result.notes.append("matplotlib is not there: nothing was plotted (requirements/bench.txt).")
        outcome.save(path, run, result)
        save_csv(path.with_suffix(".csv"), result.rows)
        say(f"written: {path.stem}.json, .csv{' and .png' if drawn else '; matplotlib is not there for the plot'}")


def scalars(row: Row) -> dict[str, Any]:
    """The figures that stand in tables: not the lists of all rounds."""
    return {name: value for name, value in row.figures.items() if not isinstance(value, list)}


def figures_table(rows: Sequence[Row]) -> list[str]:
    names = list(scalars(rows[0]))
    cells = [(row.what, *[cell(name, row.figures[name]) for name in names]) for row in rows]
    return report.table(("", *[name.replace("_", " ") for name in names]), cells)


def cell(name: str, value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or "-"
    if name == "spread" or name.startswith("share"):
        return f"{value:.0%}"
    return report.number(value, 0 if isinstance(value, int) or value >= 1000 else 3 if value < 1 else 2)


def save_csv(path: Path, rows: Sequence[Row]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in scalars(row)))
    with path.open("w", newline="", encoding="utf-8") as out:
        lines = csv.DictWriter(out, ("table", "what", *columns))
        lines.writeheader()
        lines.writerows({"table": row.table, "what": row.what, **scalars(row)} for row in rows)


def draw(path: Path, plot: Callable[[Any], None]) -> bool:
    """A plot as PNG; False where there is no matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    plot(figure)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    return True
