"""Measures libmarc beside its peers and prints a table. `make bench` calls it; see README.md in this folder.

A full run writes results/<date>-<name>.json and results/latest.md. A quick or partial one only prints, unless
--name asks for the JSON.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import convert
import machine
import native
import peers
import process
import report
from common import BENCH, ROOT, Build, Result, find_data, find_interpreter, say

RESULTS = BENCH / "results"
TASKS = (*peers.TASKS, "native", "convert", "scanner", "instructions", "allocations", "memory", "import")
IDLE = 0.5  # load above which a warning is due
STEADY = 0.15  # spread above which a warning is due: the best of so uneven rounds may still be a poor one


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
    gates = [{**dataclasses.asdict(gate), "passed": gate.passed} for gate in result.gates]
    rows = [dataclasses.asdict(row) for row in result.rows]
    content = {**run, "notes": result.notes, "gates": gates, "rows": rows}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if full:
        head = "<!-- Written by bench/run.py from the JSON file of the same run. -->\n"
        (RESULTS / "latest.md").write_text(head + text, encoding="utf-8")
    say(f"written: {path.relative_to(ROOT)}{' and bench/results/latest.md' if full else ''}")


def main() -> int:
    given = arguments()
    build = Build(given.build or Path(os.environ.get("LIBMARC_BUILD_DIR") or ROOT / "build" / "release"))
    build.make()
    revision, dirty = machine.revision()
    name = given.name or f"{revision[:9] if revision else 'unversioned'}{'-changed' if dirty else ''}"
    before = os.getloadavg()[0]
    run: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "name": name,
        "revision": revision,
        "dirty": dirty,
        "clock": given.clock,
        "quick": given.quick,
        "warnings": [],
    }
    if given.quick:
        run["warnings"].append("A quick run: small samples and few rounds, no figures to quote.")
    if before > IDLE:
        run["warnings"].append(f"The machine was not idle: load {before:.2f} when it began.")
        say(run["warnings"][-1])
    result = Result()
    begin = time.monotonic()
    measure(given, build, result, run)
    uneven = [row.figures for row in result.rows if row.figures.get("spread", 0) > STEADY]
    if uneven:
        run["warnings"].append(
            f"Something else was running: {len(uneven)} measurements have a spread above {STEADY:.0%}."
        )
    run["minutes"] = (time.monotonic() - begin) / 60
    run["load"] = {"before": before, "after": os.getloadavg()[0]}
    text = report.render(run, result)
    print(text)
    write(given, run, result, text)
    missed = [gate.name for gate in result.gates if gate.passed is not True]
    return 1 if given.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
