"""libmarc.so through its C interface on one thread, the scanner, yaz-marcdump: CPU time, instructions, allocations."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from common import Build, Data, Gate, Result, Row, Sample, run, say, spread, with_threads

WAYS: dict[str, tuple[str, ...]] = {
    "parse, from memory": (),
    "parse and walk all subfields, from memory": ("--walk",),
    "parse, from a path": ("--path",),
}
YAZ = "yaz-marcdump -n"
SCANNER = "scanner alone, from memory"
INNER_ROUNDS = 3


def native(build: Build, sample: Sample, *arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run([build.native, sample.path, *arguments], with_threads(1)).out)
    return answer


def checked(found: int, sample: Sample, who: str) -> None:
    if found != sample.records:
        raise RuntimeError(f"{who} found {found} records where there are {sample.records}")


def measure_speed(build: Build, data: Data, rounds: int, quick: bool, result: Result) -> None:
    """Records per CPU second, each in turn."""
    sample = data.first(50_000) if quick else data.whole
    seconds: dict[str, list[float]] = {}
    for number in range(rounds):
        say(f"native: round {number + 1} of {rounds}")
        for what, options in WAYS.items():
            seen = native(build, sample, "--rounds", str(INNER_ROUNDS), *options)
            checked(seen["records"], sample, what)
            seconds.setdefault(what, []).extend(seen["cpu_seconds"])
        if shutil.which("yaz-marcdump"):
            finished = run(["yaz-marcdump", "-n", sample.path], text=False)
            seconds.setdefault(YAZ, []).append(finished.cpu)
    best = {what: min(all_of_it) for what, all_of_it in seconds.items()}
    for what, all_of_it in seconds.items():
        result.rows.append(speed_row(what, sample, all_of_it, best.get(YAZ)))
    ratio = best[YAZ] / best["parse, from memory"] if YAZ in best else None
    result.gates.append(Gate(f"native parse: records per CPU second against {YAZ}", ratio, 3.3, unit="x"))
    if YAZ not in best:
        result.notes.append("yaz-marcdump is not there (Debian: yaz).")


def measure_scanner(build: Build, data: Data, rounds: int, quick: bool, result: Result) -> None:
    sample = data.first(50_000) if quick else data.whole
    seen = json.loads(run([build.scanner, sample.path, str(rounds * INNER_ROUNDS)]).out)
    checked(seen["records"], sample, SCANNER)
    result.rows.append(speed_row(SCANNER, sample, seen["cpu_seconds"], None))
    speed = sample.size / min(seen["cpu_seconds"]) / 1e9
    result.gates.append(Gate("scanner alone", speed, 1.0, unit="GB/s"))


def speed_row(what: str, sample: Sample, seconds: list[float], yaz: float | None, by_clock: bool = False) -> Row:
    """Of CPU seconds, or of those of the clock."""
    best = min(seconds)
    second = "second" if by_clock else "cpu_second"
    figures = {
        "records": sample.records,
        f"records_per_{second}": sample.records / best,
        f"gigabytes_per_{second}": sample.size / best / 1e9,
        "times_yaz": yaz / best if yaz else None,
        "spread": spread(seconds),
        "wall_seconds" if by_clock else "cpu_seconds": sorted(seconds),
    }
    return Row("native", what, figures)


# ---- under valgrind --------------------------------------------------------------------------------------


def has_valgrind(result: Result) -> bool:
    if shutil.which("valgrind"):
        return True
    result.notes.append("valgrind is not there: instructions and allocations were not counted.")
    return False


def instructions(*command: str | Path) -> int:
    seen = run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command], with_threads(1)).err
    match = re.search(r"Collected : (\d+)", seen)
    if match is None:
        raise RuntimeError(f"callgrind does not say what it counted:\n{seen}")
    return int(match.group(1))


def allocations(*command: str | Path) -> tuple[int, int]:
    """How many allocations there were from the heap, and of how many bytes."""
    seen = run(
        ["valgrind", "--tool=memcheck", "--leak-check=no", "--undef-value-errors=no", *command], with_threads(1)
    ).err
    match = re.search(r"total heap usage: ([\d,]+) allocs, [\d,]+ frees, ([\d,]+) bytes", seen)
    if match is None:
        raise RuntimeError(f"valgrind does not say what was allocated:\n{seen}")
    count, size = (int(number.replace(",", "")) for number in match.groups())
    return count, size


def measure_instructions(build: Build, data: Data, quick: bool, result: Result) -> None:
    """What a record costs: the difference of reading everything three times and once."""
    limit = 5_000
    name = "instructions a record, parse from memory"
    if not has_valgrind(result):
        result.gates.append(Gate(name, None, limit, at_most=True))
        return
    sample = data.first(2_000 if quick else 20_000)
    counted: dict[str, float] = {}
    for what, options in WAYS.items():
        say(f"instructions: {what}")
        one, three = (instructions(build.native, sample.path, "--rounds", n, *options) for n in ("1", "3"))
        counted[what] = (three - one) / (2 * sample.records)
    if shutil.which("yaz-marcdump"):
        say(f"instructions: {YAZ}")
        one, three = (instructions("yaz-marcdump", "-n", *[sample.path] * n) for n in (1, 3))
        counted[YAZ] = (three - one) / (2 * sample.records)
    for what, count in counted.items():
        result.rows.append(Row("instructions", what, {"records": sample.records, "instructions_a_record": count}))
    result.gates.append(Gate(name, counted["parse, from memory"], limit, at_most=True))


def measure_allocations(build: Build, data: Data, quick: bool, result: Result) -> None:
    """What one reader allocates more when it reads three times as much."""
    name = "allocations of a reader for {} more records, from {}"
    if not has_valgrind(result):
        result.gates.append(Gate(name.format("many", "memory or a path"), None, 0, at_most=True))
        return
    records, few, many = (1_000, 4, 8) if quick else (5_000, 4, 12)
    more = data.first(records).records * (many - few)
    say("allocations")
    for source in ("memory", "a path"):
        if source == "memory":
            path = data.first(records).path
            first, second = (allocations(build.native, path, "--copies", str(n)) for n in (few, many))
            # The file itself, several times over, is one allocation in both.
            size = second[1] - first[1] - data.first(records).size * (many - few)
        else:
            paths = (data.first(records, few).path, data.first(records, many).path)
            first, second = (allocations(build.native, path, "--path") for path in paths)
            size = second[1] - first[1]
        figures = {
            "allocations": second[0] - first[0],
            "bytes": size,
            "records": more,
            "whole_run": second[0],
        }
        result.rows.append(Row("allocations", f"from {source}", figures))
        gate = Gate(name.format(f"{more:,}".replace(",", " "), source), second[0] - first[0], 0, at_most=True)
        result.gates.append(gate)
