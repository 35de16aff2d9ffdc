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

from command import Command, Setting
from common import Gate, Result, Row, Sample, run, say, spread, with_threads
from damaged import damaged
from machine import usable_cores
from parallel_memory import measure_memory, repeated
from peers import Loop, worker
from process import MEBIBYTE
from scaling import Scaling

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


def native_command(setting: Setting, sample: Sample, source: str) -> list[str | Path]:
    command: list[str | Path] = [setting.build.native, sample.path, "--rounds", str(INNER_ROUNDS)]
    return [*command, "--path"] if source == "path" else command


def native_seen(out: str) -> Seen:
    """The mean of the rounds of one process: it is what can be compared with two processes side by side."""
    answer = json.loads(out)
    wall, cpu, caller = (
        sum(answer[name]) / INNER_ROUNDS for name in ("wall_seconds", "cpu_seconds", "caller_cpu_seconds")
    )
    found = tuple(answer[name] for name in ("records", "rejected", "fields", "subfields", "bytes"))
    return Seen(wall, cpu, caller, answer["peak_bytes"], answer, found)


def measure_native(setting: Setting, case: Case, threads: int) -> Seen:
    command = native_command(setting, case.sample, case.source)
    return native_seen(run(command, with_threads(threads)).out)


def measure_processes(setting: Setting, case: Case) -> Seen:
    """Two processes with one thread each, each with its own copy of the data, that begin together."""
    samples = (case.sample, copy_of(case.sample))
    children = [
        subprocess.Popen(
            [*native_command(setting, sample, case.source), "--wait"],
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


def measure_python(setting: Setting, case: Case, threads: int) -> Seen:
    loop = Loop(case.loop, "libmarc", case.source, case.sample)
    more = ("--options", '{"on_error": "skip"}') if case.data == DAMAGED else ()
    answer = worker(setting.python.with_threads(threads), loop, *more)
    return Seen(answer["wall"], answer["cpu"], None, answer["peak_bytes"], answer["stats"], ())


def measure_case(setting: Setting, case: Case, threads: int) -> Seen:
    if threads == PROCESSES:
        return measure_processes(setting, case)
    return measure_native(setting, case, threads) if case.loop == NATIVE else measure_python(setting, case, threads)


# ---- data ------------------------------------------------------------------------------------------------


def samples(setting: Setting, result: Result) -> dict[str, Sample]:
    """What is read, by its name. All of them are about as large."""
    scratch = setting.scratch
    sound = setting.data.first(20_000 if setting.quick else setting.data.whole.records)
    # A file of our own beside which a copy can lie.
    sound = repeated(sound, 1, scratch / "sound.mrc")
    found = {SOUND: sound, DAMAGED: damaged(sound, scratch / "damaged.mrc")}
    if shutil.which("yaz-marcdump"):
        marc8 = setting.data.dense_marc8(2_000 if setting.quick else 20_000)
        path = marc8.path.with_suffix(".utf8")
        utf8 = replace(marc8, path=path, size=path.stat().st_size)
        for name, dense in (("dense UTF-8", utf8), ("dense MARC-8", marc8)):
            times = max(1, sound.size // max(1, dense.size))
            found[name] = repeated(dense, times, scratch / f"{name.replace(' ', '-')}.mrc")
    else:
        result.notes.append("yaz-marcdump is not there (Debian: yaz): no dense MARC-8, no dense UTF-8.")
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


def measure_speed(setting: Setting, found: dict[str, Sample], result: Result) -> Measured:
    """All settings in turn, and the next round the other way."""
    turns = [(case, threads) for case in cases(found, setting.quick) for threads in turns_of(case)]
    measured: Measured = defaultdict(list)
    for number in range(setting.rounds):
        say(f"round {number + 1} of {setting.rounds}: {len(turns)} measurements")
        for case, threads in turns if number % 2 == 0 else reversed(turns):
            measured[case, threads].append(measure_case(setting, case, threads))
    for (case, threads), seen in measured.items():
        expected = measured[case, 1][0].found
        if any(one.found != expected for one in seen):
            raise RuntimeError(f"{case.data}, {case.source}: other records on {threads} threads than on one")
        result.rows.append(speed_row(case, threads, seen, min(one.wall for one in measured[case, 1])))
    return measured


def speed_row(case: Case, threads: int, seen: Sequence[Seen], single: float) -> Row:
    best = min(seen, key=lambda one: one.wall)
    times = 2 if threads == PROCESSES else 1  # of the sample, that both together have read
    figures: dict[str, Any] = {
        "loop": case.loop,
        "source": case.source,
        "threads": threads or 1,
        "processes": 2 if threads == PROCESSES else 1,
        "records": case.sample.records,
        "records_per_second": times * case.sample.records / best.wall,
        "gigabytes_per_second": times * case.sample.size / best.wall / 1e9,
        "records_per_cpu_second": times * case.sample.records / min(one.cpu for one in seen),
        "speed_up": times * single / best.wall,
        "share_of_caller": best.caller_cpu / best.cpu if best.caller_cpu is not None else None,
        "peak_MiB": max(one.peak_bytes for one in seen) / MEBIBYTE,
        "spread": spread([one.wall for one in seen]),
        "wall_seconds": sorted(one.wall for one in seen),
        "cpu_seconds": sorted(one.cpu for one in seen),
    }
    ahead, held = (
        max((one.stats[name] for one in seen if name in one.stats), default=None)
        for name in ("chunks_ahead", "bytes_held")
    )
    figures |= {"chunks_ahead": ahead, "held_MiB": None if held is None else held / MEBIBYTE}
    for name in ("wait_source", "wait_workers", "wait_consumer"):
        figures[name] = best.stats.get(name)
    return Row("speed", case.data, figures)


# ---- what follows ----------------------------------------------------------------------------------------


def scaling_of(measured: Measured, case: Case) -> Scaling:
    single, two, pair = (min(one.wall for one in measured[case, turn]) for turn in (1, 2, PROCESSES))
    return Scaling(single / two, 2 * single / pair)


def scale(measured: Measured, result: Result) -> None:
    """A row for each native case, the gates for sound data."""
    for case in dict.fromkeys(case for case, _threads in measured if case.loop == NATIVE):
        found = scaling_of(measured, case)
        figures: dict[str, Any] = {
            "source": case.source,
            "two_threads": found.speed_up,
            "two_processes": found.ceiling,
            "share_of_ceiling": found.share,
            "serial_fraction": found.serial,
            "serial_fraction_if_ceiling_were_2": 2 / found.speed_up - 1,
            "projected_4_cores": found.projected(4),
            "projected_8_cores": found.projected(8),
        }
        result.rows.append(Row("scaling", case.data, figures))
        if case.data == SOUND:
            single, four = (min(one.wall for one in measured[case, turn]) for turn in (1, 4))
            result.gates += scaling_gates(case.source, found, single / four)


def scaling_gates(source: str, found: Scaling, four: float) -> list[Gate]:
    where = f"native, sound, from {'a path' if source == 'path' else 'memory'}"
    if usable_cores() >= 4:
        return [Gate(f"{where}: 4 threads against one", four, 2.5, unit="x")]
    gates = [
        Gate(f"{where}: 2 threads against two processes", found.share, 0.9, unit="x"),
        Gate(f"{where}: projection (Amdahl) for 4 threads on 4 cores", found.projected(4), 2.5, unit="x"),
    ]
    if found.ceiling >= FULL_CEILING:
        gates.append(Gate(f"{where}: 2 threads against one", found.speed_up, 1.8, unit="x"))
    return gates


def conclude(result: Result) -> list[str]:
    """What two threads tell about the machine and about the work."""
    lines = []
    for row in result.rows:
        f = row.figures
        if row.table != "scaling" or row.what != SOUND:
            continue
        lines.append(
            f"Native, sound, from {f['source']}: two threads reach {f['two_threads']:.2f} times one, "
            f"two processes {f['two_processes']:.2f} times."
        )
        if f["serial_fraction"] is None:
            lines[-1] += " Two processes are too slow together, or quicker than two can be: two threads tell nothing."
        else:
            lines[-1] += (
                f" Serial part of the work: {f['serial_fraction']:.1%}. Projection by Amdahl's law, not measured: "
                f"{f['projected_4_cores']:.2f} times on 4 cores, {f['projected_8_cores']:.2f} times on 8."
            )
            if f["two_processes"] < FULL_CEILING:
                lines[-1] += " The ceiling is not 2: there is no gate of 1.8 times."
    if all(row.figures["chunks_ahead"] is None for row in result.rows if row.table == "speed"):
        lines.append("This build does not say what its threads do: no waits.")
    return lines


# ---- the plot --------------------------------------------------------------------------------------------


def plot(figure: Any, result: Result) -> None:
    speed, memory = figure.subplots(1, 2)
    plot_speed(speed, [row for row in result.rows if row.table == "speed" and row.figures["source"] == "path"])
    sizes = {row.what: row.figures["peak_MiB"] for row in result.rows if row.table == "memory"}
    memory.bar([what.replace(", ", "\n") for what in sizes], list(sizes.values()))
    memory.set(title="Most resident memory, Python by path", ylabel="MiB")


def plot_speed(ax: Any, rows: Sequence[Row]) -> None:
    lines: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for row in rows:
        f = row.figures
        if f["processes"] == 1 and (f["loop"] == NATIVE or row.what == SOUND):
            lines[row.what, f["loop"]][f["threads"]] = f["speed_up"]
        elif row.what == SOUND and f["processes"] == 2:
            ax.axhline(f["speed_up"], color="gray", linestyle="--", label="sound, two processes")
    for (data, loop), points in lines.items():
        name = f"{data}, {loop if loop == NATIVE else f'Python {loop}'}"
        ax.plot(list(points), list(points.values()), marker="o", linestyle="-" if loop == NATIVE else ":", label=name)
    ax.set_xscale("log", base=2)
    ax.set_xticks(THREADS, [str(threads) for threads in THREADS])
    ax.set(title="Speed, times one thread, from a path", xlabel="threads")
    ax.set_ylim(bottom=0)
    ax.legend(fontsize="small")


def measure(setting: Setting, result: Result) -> None:
    setting.build.make()
    found = samples(setting, result)
    scale(measure_speed(setting, found, result), result)
    measure_memory(setting, found[SOUND], THREADS, result)


COMMAND = Command(
    name="parallel",
    description="Reading on 1, 2, 4 and 8 threads.",
    rounds=5,
    titles={
        "speed": "Speed by the clock, times one thread; waits in seconds",
        "scaling": "Native: what two threads bring, and what follows (projections are not measured)",
        "memory": "Python, `for record in reader` by path",
    },
    measure=measure,
    conclude=conclude,
    plot=plot,
)

if __name__ == "__main__":
    sys.exit(COMMAND.main())
