"""Measures libmarc beside its peers and prints a table. `make bench` calls it; see README.md in this folder.

A full run writes results/<date>-<name>.json and results/latest.md. A quick or partial one only prints, unless
--name asks for the JSON.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import convert
import machine
import native
import outcome
import peers
import process
import report
from common import RESULTS, ROOT, Build, Result, built_folder, find_data, find_interpreter, say

TASKS = (*peers.TASKS, "native", "convert", "scanner", "instructions", "allocations", "memory", "import")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures libmarc beside its peers.")
    parser.add_argument("--only", action="append", choices=TASKS, help="this task (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="small samples, two rounds: does it work at all?")
    parser.add_argument("--rounds", type=int, help="rounds of the gated measurements (5; quick: 2)")
    parser.add_argument("--python", help="interpreter to measure with (the system's python3, if it is usable)")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="of the Python loops (wall)")
    parser.add_argument("--data", type=Path, help="another file of sound records")
    parser.add_argument("--build", type=Path, help="build folder (LIBMARC_BUILD_DIR, else build/release)")
    parser.add_argument("--name", help="name of the result (the revision)")
    parser.add_argument("--check", action="store_true", help="end with status 1 if a gate is missed")
    return parser.parse_args()


def measure(given: argparse.Namespace, build: Build, result: Result, run: dict[str, Any]) -> None:
    tasks = [task for task in TASKS if not given.only or task in given.only]
    rounds = given.rounds or (2 if given.quick else 5)
    python = find_interpreter(given.python, build.package)
    run["machine"] = machine.facts(build, python)
    kept = build.folder / "bench"
    with tempfile.TemporaryDirectory(dir=kept, prefix="samples-") as scratch:
        data = find_data(given.data, kept, Path(scratch))
        run["data"] = {"name": data.name, "records": data.whole.records, "bytes": data.whole.size}
        if data.note:
            run["warnings"].append(f"Not the usual data: {data.note}.")
        loops = [task for task in tasks if task in peers.TASKS]
        if loops:
            peers.measure(python, data, loops, rounds, given.quick, given.clock, result)
        if "native" in tasks:
            native.measure_speed(build, data, rounds, given.quick, result)
        if "convert" in tasks:
            convert.measure(build, data, rounds, given.quick, result)
        if "scanner" in tasks:
            native.measure_scanner(build, data, rounds, given.quick, result)
        if "instructions" in tasks:
            native.measure_instructions(build, data, given.quick, result)
        if "allocations" in tasks:
            native.measure_allocations(build, data, given.quick, result)
        if "memory" in tasks:
            process.measure_memory(python, data, given.quick, result)
        if "import" in tasks:
            process.measure_import(python, result)


def write(given: argparse.Namespace, run: dict[str, Any], result: Result, text: str) -> None:
    full = not (given.quick or given.only or given.data)
    if not full and given.name is None:
        return
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{run['date']}-{run['name']}.json"
    outcome.save(path, run, result)
    if full:
        head = "<!-- Written by bench/run.py from the JSON file of the same run. -->\n"
        (RESULTS / "latest.md").write_text(head + text, encoding="utf-8")
    say(f"written: {path.relative_to(ROOT)}{' and bench/results/latest.md' if full else ''}")


def main() -> int:
    given = arguments()
    build = Build(given.build or built_folder())
    build.make()
    run = outcome.begin(given.quick)
    run["name"] = given.name or run["name"]
    run["clock"] = given.clock
    result = Result()
    measure(given, build, result, run)
    outcome.end(run, result)
    text = report.render(run, result)
    print(text)
    write(given, run, result, text)
    return outcome.status(result, given.check)


if __name__ == "__main__":
    sys.exit(main())
