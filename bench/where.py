"""Where the instructions of one record go: callgrind over bench_native, by what the functions are there for.

What is counted is the difference of three rounds and one, so that the start of the process and the loading of the file
drop out; on one thread. What the compiler has put into a function counts for that function.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from command import Command, Setting
from common import Gate, Result, Row, Sample, run, say, with_threads
from native import has_valgrind

#: The first pattern that fits a function's name decides.
PARTS = (
    (
        "MARC-8 into UTF-8",
        r"marc8|Marc8|normalize|compose|text_form|latin1_to_utf8|entries_of_set|put_utf8|stored_leader",
    ),
    ("UTF-8: is it valid?", r"is_utf8|valid_utf8"),
    ("leader", r"read_leader|Leader"),
    ("borders of records", r"Scanner|holds_anchor|anchor|Framer"),
    ("directory", r"Directory::|directory"),
    ("subfields", r"subfield"),
    ("fields and records", r"parse_|add_fields|add_record|add_delivered|Batch|check_field|field"),
    ("chunks and batches", r"Pipeline|Recycler|Source|marc_reader|marc_batch|Ring|Pool|Job"),
    ("copying and searching of bytes (C library)", r"^_*mem(cpy|move|chr|set|cmp)"),
    ("memory (C library)", r"alloc|free|unlink_chunk|sysmalloc|mremap"),
)
REST = "rest"
ROUNDS = 3
LINE = re.compile(r"^\s*([\d,]+) \(\s*[\d.]+%\)\s+(.*)$")


def function_name(place: str) -> str:
    """Of a line such as `core/leader.cpp:marc::read_leader(...) [libmarc.so]`."""
    return re.sub(r" \[[^\]]*\]$", "", re.sub(r"^.*?:(?=[^:])", "", place, count=1))


def part_of(name: str) -> str:
    own = name.replace("(anonymous namespace)", "").partition("(")[0]  # without its arguments
    return next((part for part, pattern in PARTS if re.search(pattern, own)), REST)


def counted(setting: Setting, sample: Sample, rounds: int) -> dict[str, int]:
    """Instructions by the name of the function."""
    out = setting.scratch / f"callgrind-{rounds}"
    program: list[str | Path] = [setting.build.native, sample.path, "--rounds", str(rounds)]
    run(["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}", *program], with_threads(1))
    found: dict[str, int] = defaultdict(int)
    for line in run(["callgrind_annotate", "--threshold=100", "--auto=no", out]).out.splitlines():
        match = LINE.match(line)
        if match and match[2] != "PROGRAM TOTALS":
            found[function_name(match[2])] += int(match[1].replace(",", ""))
    return found


def count(setting: Setting, data: str, sample: Sample, result: Result) -> None:
    say(f"instructions: {data}")
    once, more = counted(setting, sample, 1), counted(setting, sample, ROUNDS)
    parts: dict[str, float] = defaultdict(float)
    functions: dict[str, float] = {}
    for name in more:
        each = (more[name] - once.get(name, 0)) / ((ROUNDS - 1) * sample.records)
        parts[part_of(name)] += each
        functions[name] = each
    total = sum(parts.values())
    for part, each in sorted(parts.items(), key=lambda item: -item[1]):
        names = [n for n in sorted(functions, key=lambda n: -functions[n]) if part_of(n) == part and functions[n] >= 1]
        figures = {"data": data, "records": sample.records, "instructions_a_record": each, "share": each / total}
        figures["functions"] = [f"{functions[name]:.0f} {name.partition('(marc')[0][:100]}" for name in names]
        result.rows.append(Row("where", part, figures))
    if data == "sound":
        result.gates.append(Gate("instructions a record", total, 5_000, at_most=True))


def conclude(result: Result) -> list[str]:
    """The functions that most of it goes into."""
    return [
        f"{row.figures['data']}, {row.what}: {row.figures['functions'][0]}"
        for row in result.rows
        if row.figures["share"] >= 0.1
    ]


def plot(figure: Any, result: Result) -> None:
    names = list(dict.fromkeys(row.figures["data"] for row in result.rows))
    for ax, data in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        rows = [row for row in result.rows if row.figures["data"] == data][::-1]
        ax.barh([row.what for row in rows], [row.figures["instructions_a_record"] for row in rows])
        ax.set(title=data, xlabel="instructions a record")


def measure(setting: Setting, result: Result) -> None:
    setting.build.make()
    if has_valgrind(result):
        count(setting, "sound", setting.data.first(5_000 if setting.quick else 20_000), result)
        if shutil.which("yaz-marcdump"):
            count(setting, "dense MARC-8", setting.data.dense_marc8(1_000 if setting.quick else 5_000), result)


COMMAND = Command(
    name="where",
    description="Where the instructions of a record go, by callgrind.",
    rounds=1,
    titles={"where": "Instructions of a record, by what the functions are there for"},
    measure=measure,
    conclude=conclude,
    plot=plot,
)

if __name__ == "__main__":
    sys.exit(COMMAND.main())
