"""Where the time of `for record in reader` goes when it reads from a Python file object.

Three parts: inside the object's `read`, inside the native code (which takes the bytes over, finds the records and
parses them), and the rest, which is Python's.
"""

from __future__ import annotations

import gzip
import math
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from command import Command, Setting
from common import BENCH, Gate, Result, Row, Sample, say, spread

SOURCES = {"file": "an open file", "BytesIO": "a subclass of BytesIO", "gzip": "gzip"}
PARTS = {"read": "read()", "native": "native", "python": "Python"}
DEFAULT_UNIT = 512 << 10


def measure(setting: Setting, result: Result) -> None:
    sample = setting.data.first(20_000 if setting.quick else 100_000)
    files = {"file": sample.path, "BytesIO": sample.path, "gzip": compressed(sample, setting.scratch)}
    seen: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for turn in range(setting.rounds):
        say(f"file objects: round {turn + 1} of {setting.rounds}")
        for source in SOURCES if turn % 2 == 0 else reversed(SOURCES):
            answer = setting.python.json(BENCH / "overhead_worker.py", files[source], source)
            if answer["records"] != sample.records:
                raise RuntimeError(f"{source}: {answer['records']} records of {sample.records}")
            seen[source].append(answer)
    for source, title in SOURCES.items():
        result.rows.append(row_of(title, seen[source]))
        # One more finds the end, and an object may give less than it was asked for at its own borders.
        needed = math.ceil(sample.size / DEFAULT_UNIT) + 1
        most = max(answer["reads"] for answer in seen[source])
        result.gates.append(Gate(f"reads of {title}, for each that is needed", most / needed, 1.1, at_most=True))


def compressed(sample: Sample, scratch: Path) -> Path:
    path = scratch / f"first-{sample.records}.mrc.gz"
    with sample.path.open("rb") as plain, gzip.open(path, "wb", compresslevel=6) as out:
        shutil.copyfileobj(plain, out)
    return path


def row_of(title: str, seen: list[dict[str, Any]]) -> Row:
    """All parts are those of one round, the fastest: they add up."""
    best = min(seen, key=lambda answer: answer["wall"])
    figures: dict[str, Any] = {
        "records": best["records"],
        "microseconds_a_record": best["wall"] / best["records"] * 1e6,
    }
    figures |= {f"share_of_{part}": best[part] / best["wall"] for part in PARTS}
    figures |= {
        "reads": best["reads"],
        "bytes_per_read": best["bytes"] // best["reads"],
        "native_calls": best["native_calls"],
        "spread": spread([answer["wall"] for answer in seen]),
        "wall_seconds": sorted(answer["wall"] for answer in seen),
    }
    return Row("file objects", title, figures)


def conclude(result: Result) -> list[str]:
    lines = []
    for row in result.rows:
        parts = {part: row.figures[f"share_of_{part}"] for part in PARTS}
        most = max(parts, key=lambda part: parts[part])
        shares = ", ".join(f"{PARTS[part]} {share:.0%}" for part, share in parts.items())
        lines.append(f"{row.what}: {shares}. Most of the time goes to {PARTS[most]}.")
    return lines


def plot(figure: Any, result: Result) -> None:
    ax = figure.subplots()
    names = [row.what for row in result.rows]
    left = [0.0] * len(names)
    for part, title in PARTS.items():
        each = [row.figures["microseconds_a_record"] * row.figures[f"share_of_{part}"] for row in result.rows]
        ax.barh(names, each, left=left, label=title)
        left = [begin + width for begin, width in zip(left, each)]
    ax.set(title="where the time of a record goes", xlabel="microseconds a record")
    ax.invert_yaxis()
    ax.legend()


COMMAND = Command(
    name="python-file-overhead",
    description="Where the time goes when records are read from a Python file object.",
    rounds=7,
    titles={"file objects": "`for record in reader` from a file object"},
    measure=measure,
    conclude=conclude,
    plot=plot,
)

if __name__ == "__main__":
    sys.exit(COMMAND.main())
