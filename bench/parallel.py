"""Reading on 1, 2, 4 and 8 threads: speed, memory, waiting, and what follows for a machine with more cores.

On a machine with few cores the measure of things is what two processes reach that have nothing to do with each other:
the ceiling. It is 2 where two cores are as fast together as each alone, and less where they share caches, memory or
the cores themselves. README.md in this folder has the rest.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import report
from common import Gate, Row, Sample, run, say, spread, with_threads
from damaged import damaged
from parallel_memory import measure_memory, repeated
from peers import Loop, worker
from process import MEBIBYTE
from scaling import Scaling
from study import Study, begun, finished

THREADS = (1, 2, 4, 8)
PROCESSES = 0  # stands for two processes with one thread each, where else the number of threads stands
SOURCES = ("path", "memory")
LOOPS = ("read", "title")
NATIVE = "native"
SOUND = "sound"
DAMAGED = "damaged"
INNER_ROUNDS = 5
FULL_CEILING = 1.95  # from here on the ceiling counts as 2


class Case(NamedTuple):
    """What is read, by whom, from what."""

    data: str
    sample: Sample
    loop: str  # native, read or title
    source: str  # path or memory


@dataclass(frozen=True)
class Seen:
    """One measurement, for one reading of the sample."""

    wall: float
    cpu: float
    caller_cpu: float | None  # on the thread that asks for batches
    peak_bytes: int
    stats: dict[str, Any]  # of the reader; empty where it does not tell
    found: tuple[int, ...]  # that must not depend on the threads


# ---- one measurement -------------------------------------------------------------------------------------


def native_command(study: Study, sample: Sample, source: str) -> list[str | Path]:
    command: list[str | Path] = [study.build.native, sample.path, "--rounds", str(INNER_ROUNDS)]
    return [*command, "--path"] if source == "path" else command


def native_seen(out: str) -> Seen:
    """The mean of the rounds of one process: it is what can be compared with two processes side by side."""
    answer = json.loads(out)
    wall, cpu, caller = (
        sum(answer[name]) / INNER_ROUNDS for name in ("wall_seconds", "cpu_seconds", "caller_cpu_seconds")
    )
    found = tuple(answer[name] for name in ("records", "rejected", "fields", "subfields", "bytes"))
    return Seen(wall, cpu, caller, answer["peak_bytes"], answer, found)


def measure_native(study: Study, case: Case, threads: int) -> Seen:
    command = native_command(study, case.sample, case.source)
    return native_seen(run(command, with_threads(threads)).out)


def measure_processes(study: Study, case: Case) -> Seen:
    """Two processes with one thread each, each with its own copy of the data, that begin together."""
    samples = (case.sample, copy_of(case.sample))
    children = [
        subprocess.Popen(
            [*native_command(study, sample, case.source), "--wait"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=with_threads(1),
            text=True,
        )
        for sample in samples
    ]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()  # "ready"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    both = []
    for child in children:
        out, _nothing = child.communicate()
        if child.returncode != 0:
            raise RuntimeError(f"bench_native ended with {child.returncode}")
        both.append(native_seen(out))
    # Both have read everything when the slower one has.
    first, second = both
    wall, cpu = max(first.wall, second.wall), first.cpu + second.cpu
    return Seen(wall, cpu, None, first.peak_bytes + second.peak_bytes, {}, first.found)


def copy_of(sample: Sample) -> Sample:
    path = sample.path.with_name(f"{sample.path.name}.copy")
    return replace(sample, path=path)


def measure_python(study: Study, case: Case, threads: int) -> Seen:
    loop = Loop(case.loop, "libmarc", case.source, case.sample)
    more = ("--options", '{"on_error": "skip"}') if case.data == DAMAGED else ()
    answer = worker(study.python.with_threads(threads), loop, *more)
    return Seen(answer["wall"], answer["cpu"], None, answer["peak_bytes"], answer["stats"], ())


def measure_case(study: Study, case: Case, threads: int) -> Seen:
    if threads == PROCESSES:
        return measure_processes(study, case)
    return measure_native(study, case, threads) if case.loop == NATIVE else measure_python(study, case, threads)


# ---- data ------------------------------------------------------------------------------------------------


def samples(study: Study) -> dict[str, Sample]:
    """What is read, by its name. All of them are about as large."""
    scratch = study.scratch
    sound = study.data.first(20_000 if study.quick else study.data.whole.records)
    # A file of our own beside which a copy can lie.
    sound = repeated(sound, 1, scratch / "sound.mrc")
    found = {SOUND: sound, DAMAGED: damaged(sound, scratch / "damaged.mrc")}
    if shutil.which("yaz-marcdump"):
        marc8 = study.data.dense_marc8(2_000 if study.quick else 20_000)
        path = marc8.path.with_suffix(".utf8")
        utf8 = replace(marc8, path=path, size=path.stat().st_size)
        for name, dense in (("dense UTF-8", utf8), ("dense MARC-8", marc8)):
            times = max(1, sound.size // max(1, dense.size))
            found[name] = repeated(dense, times, scratch / f"{name.replace(' ', '-')}.mrc")
    else:
        study.result.notes.append("yaz-marcdump is not there (Debian: yaz): no dense MARC-8, no dense UTF-8.")
    for sample in found.values():
        shutil.copyfile(sample.path, copy_of(sample).path)
    return found


# ---- speed -----------------------------------------------------------------------------------------------


def cases(found: dict[str, Sample], quick: bool) -> list[Case]:
    """Every loop, source and kind of data; of Python, in a quick run, the sound file only."""
    python = [
        Case(name, sample, loop, source)
        for name, sample in found.items()
        for loop in LOOPS
        for source in SOURCES
        if not quick or name == SOUND
    ]
    return [Case(name, sample, NATIVE, source) for name, sample in found.items() for source in SOURCES] + python


def turns_of(case: Case) -> tuple[int, ...]:
    return (PROCESSES, *THREADS) if case.loop == NATIVE else THREADS


Measured = dict[tuple[Case, int], list[Seen]]


def measure_speed(study: Study, found: dict[str, Sample]) -> Measured:
    """All settings in turn, and the next round the other way."""
    turns = [(case, threads) for case in cases(found, study.quick) for threads in turns_of(case)]
    measured: Measured = defaultdict(list)
    for number in range(study.rounds):
        say(f"round {number + 1} of {study.rounds}: {len(turns)} measurements")
        for case, threads in turns if number % 2 == 0 else reversed(turns):
            measured[case, threads].append(measure_case(study, case, threads))
    for (case, threads), seen in measured.items():
        expected = measured[case, 1][0].found
        if any(one.found != expected for one in seen):
            raise RuntimeError(f"{case.data}, {case.source}: other records on {threads} threads than on one")
        study.result.rows.append(speed_row(case, threads, seen, min(one.wall for one in measured[case, 1])))
    return measured


def speed_row(case: Case, threads: int, seen: Sequence[Seen], single: float) -> Row:
    best = min(seen, key=lambda one: one.wall)
    times = 2 if threads == PROCESSES else 1  # of the sample, that both together have read
    figures: dict[str, Any] = {
        "data": case.data,
        "loop": case.loop,
        "source": case.source,
        "threads": threads or None,
        "processes": 2 if threads == PROCESSES else 1,
        "records": case.sample.records,
        "records_per_second": times * case.sample.records / best.wall,
        "gigabytes_per_second": times * case.sample.size / best.wall / 1e9,
        "records_per_cpu_second": times * case.sample.records / min(one.cpu for one in seen),
        "speed_up": times * single / best.wall,
        "caller_cpu_share": best.caller_cpu / best.cpu if best.caller_cpu is not None else None,
        "peak_bytes": max(one.peak_bytes for one in seen),
        "spread": spread([one.wall for one in seen]),
        "wall_seconds": sorted(one.wall for one in seen),
        "cpu_seconds": sorted(one.cpu for one in seen),
    }
    for name in ("chunks_ahead", "bytes_held"):
        figures[name] = max((one.stats[name] for one in seen if name in one.stats), default=None)
    for name in ("wait_source", "wait_workers", "wait_consumer"):
        figures[name] = best.stats.get(name)
    return Row("parallel", f"{case.data}, {case.loop}, {case.source}", figures)


# ---- what follows ----------------------------------------------------------------------------------------


def scaling_of(measured: Measured, case: Case) -> Scaling:
    single, two, pair = (min(one.wall for one in measured[case, turn]) for turn in (1, 2, PROCESSES))
    return Scaling(single / two, 2 * single / pair)


def scale(study: Study, measured: Measured) -> None:
    """A row for each native case, the gates for sound data."""
    cores = study.run["machine"]["cores_usable"]
    for case in dict.fromkeys(case for case, _threads in measured if case.loop == NATIVE):
        found = scaling_of(measured, case)
        figures: dict[str, Any] = {"data": case.data, "loop": case.loop, "source": case.source}
        figures |= {"speed_up": found.speed_up, "ceiling": found.ceiling, "share_of_ceiling": found.share}
        figures |= {"serial_fraction": found.serial, "serial_fraction_without_ceiling": 2 / found.speed_up - 1}
        figures |= {f"projected_{n}_threads": found.projected(n) for n in (4, 8)}
        study.result.rows.append(Row("scaling", f"{case.data}, {case.source}", figures))
        if case.data == SOUND:
            single, four = (min(one.wall for one in measured[case, turn]) for turn in (1, 4))
            gate_scaling(study, case.source, cores, found, single / four)


def gate_scaling(study: Study, source: str, cores: int, found: Scaling, four: float) -> None:
    gates, notes = study.result.gates, study.result.notes
    where = f"native, sound, from {'a path' if source == 'path' else 'memory'}"
    if cores >= 4:
        gates.append(Gate(f"{where}: 4 threads against one", four, 2.5, unit="x"))
        return
    gates.append(Gate(f"{where}: 2 threads against two processes", found.share, 0.9, unit="x"))
    if found.ceiling >= FULL_CEILING:
        gates.append(Gate(f"{where}: 2 threads against one", found.speed_up, 1.8, unit="x"))
    else:
        notes.append(
            f"{where}: two processes reach {found.ceiling:.2f} times one together, not 2: "
            f"no gate for 2 threads against one ({found.speed_up:.2f})."
        )
    gates.append(Gate(f"{where}: projection (Amdahl) for 4 threads on 4 cores", found.projected(4), 2.5, unit="x"))


# ---- tables and plot -------------------------------------------------------------------------------------


def optional(value: float | None, factor: float = 1, digits: int = 1) -> str:
    return report.number(None if value is None else value * factor, digits)


def percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def tables(rows: Sequence[Row]) -> list[str]:
    speed = [row.figures for row in rows if row.table == "parallel"]
    scaled = [row.figures for row in rows if row.table == "scaling"]
    memory = [row for row in rows if row.table == "memory"]
    head = ("data", "loop", "source", "threads", "records/s", "GB/s", "x one", "records/CPU s", "peak MiB", "ahead")
    waits = ("held MiB", "waits source ms", "workers ms", "consumer ms", "spread")
    cells = [
        (
            f["data"],
            f["loop"],
            f["source"],
            "2 processes" if f["threads"] is None else str(f["threads"]),
            report.number(f["records_per_second"]),
            report.number(f["gigabytes_per_second"], 2),
            report.times(f["speed_up"]),
            report.number(f["records_per_cpu_second"]),
            optional(f["peak_bytes"], 1 / MEBIBYTE),
            optional(f["chunks_ahead"], digits=0),
            optional(f["bytes_held"], 1 / MEBIBYTE),
            *(optional(f[name], 1e3) for name in ("wait_source", "wait_workers", "wait_consumer")),
            f"{f['spread']:.0%}",
        )
        for f in speed
    ]
    lines = report.table((*head, *waits), cells)
    head_scaled = (
        "native",
        "source",
        "2 threads",
        "2 processes",
        "share",
        "serial",
        "4 threads (projection)",
        "8 (projection)",
    )
    cells_scaled = [
        (
            f["data"],
            f["source"],
            report.times(f["speed_up"]),
            report.times(f["ceiling"]),
            percent(f["share_of_ceiling"]),
            percent(f["serial_fraction"]),
            report.times(f["projected_4_threads"]),
            report.times(f["projected_8_threads"]),
        )
        for f in scaled
    ]
    lines += ["", *report.table(head_scaled, cells_scaled)]
    sizes = [(row.what, optional(row.figures["peak_bytes"], 1 / MEBIBYTE)) for row in memory]
    return [*lines, "", *report.table(("Python, by path", "peak MiB"), sizes)]


def draw(figure: Any, rows: Sequence[Row]) -> None:
    speed, memory = figure.subplots(1, 2)
    speed.set_xscale("log", base=2)
    speed.set(title="Speed-up, from a path", xlabel="threads", xticks=THREADS, xticklabels=THREADS)
    lines: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        f = row.figures
        if row.table == "parallel" and f["source"] == "path" and (f["loop"] == NATIVE or f["data"] == SOUND):
            lines[f["data"], f["loop"]].append(row)
    for (data, loop), found in lines.items():
        points = sorted((r.figures["threads"], r.figures["speed_up"]) for r in found if r.figures["threads"])
        name = f"{data}, {loop if loop == NATIVE else f'Python {loop}'}"
        speed.plot(*zip(*points, strict=True), marker="o", linestyle="-" if loop == NATIVE else ":", label=name)
    for row in lines[SOUND, NATIVE]:
        if row.figures["threads"] is None:
            speed.axhline(row.figures["speed_up"], color="grey", linestyle="--", label="sound, two processes")
    speed.set_ylim(bottom=0)
    speed.legend(fontsize="small")
    sizes = {row.what: row.figures["peak_bytes"] / MEBIBYTE for row in rows if row.table == "memory"}
    memory.bar(range(len(sizes)), list(sizes.values()))
    memory.set_xticks(range(len(sizes)), [name.replace(", ", "\n") for name in sizes])
    memory.set(title="Most resident memory, Python by path", ylabel="MiB")


def main() -> int:
    with begun("Measures reading on several threads.", "parallel") as study:
        found = samples(study)
        scale(study, measure_speed(study, found))
        measure_memory(study, found[SOUND], THREADS)
    if all(row.figures.get("chunks_ahead") is None for row in study.result.rows if row.table == "parallel"):
        study.result.notes.append("This build does not say what its threads do: no waits.")
    return finished(study, tables(study.result.rows), draw)


if __name__ == "__main__":
    sys.exit(main())
