"""The frame of a run: when it was, of which revision, on how busy a machine; and what it found, as JSON."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import time
from pathlib import Path
from typing import Any

import machine
from common import Result, say

IDLE = 0.5  # load above which a warning is due
STEADY = 0.15  # spread above which a warning is due: the best of so uneven rounds may still be a poor one


def begin(quick: bool) -> dict[str, Any]:
    """The facts of a run that are known when it begins."""
    revision, dirty = machine.revision()
    load = os.getloadavg()[0]
    warnings = []
    if quick:
        warnings.append("A quick run: small samples and few rounds, no figures to quote.")
    if load > IDLE:
        warnings.append(f"The machine was not idle: load {load:.2f} when it began.")
        say(warnings[-1])
    return {
        "date": datetime.date.today().isoformat(),
        "name": f"{revision[:9] if revision else 'unversioned'}{'-changed' if dirty else ''}",
        "revision": revision,
        "dirty": dirty,
        "quick": quick,
        "warnings": warnings,
        "load": {"before": load},
        "minutes": -time.monotonic() / 60,  # until end()
    }


def end(run: dict[str, Any], result: Result) -> None:
    """Adds what is known when all is measured."""
    uneven = [row.figures for row in result.rows if row.figures.get("spread", 0) > STEADY]
    if uneven:
        run["warnings"].append(
            f"Something else was running: {len(uneven)} measurements have a spread above {STEADY:.0%}."
        )
    run["minutes"] += time.monotonic() / 60
    run["load"]["after"] = os.getloadavg()[0]


def save(path: Path, run: dict[str, Any], result: Result) -> None:
    gates = [{**dataclasses.asdict(gate), "passed": gate.passed} for gate in result.gates]
    rows = [dataclasses.asdict(row) for row in result.rows]
    content = {**run, "notes": result.notes, "gates": gates, "rows": rows}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def status(result: Result, check: bool) -> int:
    """What the command ends with: 1 if a gate was missed or could not be measured, and that is to be checked."""
    return 1 if check and any(gate.passed is not True for gate in result.gates) else 0
