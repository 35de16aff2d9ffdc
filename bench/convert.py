"""Whole files into other formats, through the C interface, against yaz-marcdump: CPU time."""

from __future__ import annotations

import json
import shutil
from typing import NamedTuple

from common import Build, Data, Gate, Result, Row, Sample, run, say, spread, with_threads

INNER_ROUNDS = 3


class Conversion(NamedTuple):
    """What is converted, by whom, and how much faster we want to be."""

    what: str
    options: tuple[str, ...]  # of bench_native
    yaz: tuple[str, ...]  # of yaz-marcdump
    gate: float
    marc8: bool = False


CONVERSIONS = (
    Conversion("ISO 2709 to MARCXML", ("--write", "marcxml"), ("-o", "marcxml"), 8),
    Conversion("ISO 2709 to JSON", ("--write", "ndjson"), ("-o", "json"), 4),
    Conversion("ISO 2709 to ISO 2709", ("--write", "iso2709"), ("-o", "marc"), 8),
    Conversion(
        "MARC-8 (dense) to MARCXML", ("--write", "marcxml"), ("-f", "marc8", "-t", "utf8", "-o", "marcxml"), 6, True
    ),
)


def measure(build: Build, data: Data, rounds: int, quick: bool, result: Result) -> None:
    """Records per CPU second, libmarc and yaz-marcdump in turn."""
    if not shutil.which("yaz-marcdump"):
        result.notes.append("yaz-marcdump is not there (Debian: yaz): nothing was converted.")
        result.gates += [Gate(name(one), None, one.gate, unit="x") for one in CONVERSIONS]
        return
    whole = data.first(20_000) if quick else data.whole
    dense = data.dense_marc8(5_000 if quick else 20_000)
    for one in CONVERSIONS:
        say(f"convert: {one.what}")
        sample = dense if one.marc8 else whole
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(rounds):
            seen = json.loads(
                run([build.native, sample.path, "--rounds", str(INNER_ROUNDS), *one.options], with_threads(1)).out
            )
            if seen["records"] != sample.records:
                raise RuntimeError(f"{one.what}: {seen['records']} records where there are {sample.records}")
            ours += seen["cpu_seconds"]
            theirs.append(run(["yaz-marcdump", "-i", "marc", *one.yaz, sample.path], text=False).cpu)
        best = min(theirs)
        result.rows.append(row(one.what, sample, ours, best))
        result.rows.append(row(f"{one.what}: yaz-marcdump", sample, theirs, best))
        result.gates.append(Gate(name(one), best / min(ours), one.gate, unit="x"))


def name(one: Conversion) -> str:
    return f"{one.what}: records per CPU second against yaz-marcdump {' '.join(one.yaz)}"


def row(what: str, sample: Sample, seconds: list[float], yaz: float) -> Row:
    best = min(seconds)
    figures = {
        "records": sample.records,
        "records_per_cpu_second": sample.records / best,
        "gigabytes_per_cpu_second": sample.size / best / 1e9,
        "times_yaz": yaz / best,
        "spread": spread(seconds),
        "cpu_seconds": sorted(seconds),
    }
    return Row("convert", what, figures)
