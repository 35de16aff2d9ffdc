"""How many records the native code should be asked for at once, and how many the queue should hold.

Two Python threads read the same file, each through a file object of its own. The native unit is set to the batch size,
and so is what `read` is asked for: batch size x mean record size. The default unit of the package stands beside.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from command import Command, Setting
from common import BENCH, Gate, Result, Row, Sample, say, spread

SIZES = (1, 10, 25, 50, 100, 200, 500, 1000, 2000)
THREADS = (1, 2)
LEAST_UNIT = 64  # bytes; the library takes no less
QUEUE_LIMIT = 200  # records; the queue's batch is never larger
FLAT = 0.05  # so near to the best is as good as the best
MUCH = 8  # MiB that two readers may hold more than at batch size 1
MEBIBYTE = 1 << 20
DEFAULT_UNIT = 512 << 10


@dataclass(frozen=True)
class Unit:
    """What is asked for at once; the package's default if no number of records is given."""

    records: int | None
    size: int

    @property
    def name(self) -> str:
        return "default" if self.records is None else str(self.records)

    def options(self) -> tuple[str, ...]:
        return () if self.records is None else ("--records", str(self.records), "--bytes", str(self.size))


def units(sample: Sample) -> list[Unit]:
    mean = sample.size / sample.records
    return [*[Unit(size, max(LEAST_UNIT, round(size * mean))) for size in SIZES], Unit(None, DEFAULT_UNIT)]


def measure(setting: Setting, result: Result) -> None:
    sample = setting.data.first(10_000 if setting.quick else 50_000)
    seen: dict[tuple[Unit, int], list[dict[str, Any]]] = defaultdict(list)
    for number in range(setting.rounds):
        say(f"batch sizes: round {number + 1} of {setting.rounds}")
        turns = [(unit, threads) for unit in units(sample) for threads in THREADS]
        for unit, threads in turns if number % 2 == 0 else reversed(turns):
            answer = worker(setting, sample, str(threads), unit)
            if answer["records"] != threads * sample.records:
                raise RuntimeError(f"batch size {unit.name}: {answer['records']} records of {threads} readers")
            seen[unit, threads].append(answer)
    counted = {unit: worker(setting, sample, "count", unit) for unit in units(sample)}
    for unit in units(sample):
        result.rows.append(row_of(unit, sample, seen[unit, 1], seen[unit, 2], counted[unit]))
    compare_with_one(result.rows)
    result.gates += gates(result.rows)


def worker(setting: Setting, sample: Sample, what: str, unit: Unit) -> dict[str, Any]:
    return setting.python.json(BENCH / "batch_worker.py", sample.path, what, *unit.options())


def row_of(
    unit: Unit, sample: Sample, one: list[dict[str, Any]], two: list[dict[str, Any]], counted: dict[str, Any]
) -> Row:
    walls = [seen["wall"] for seen in two]
    each = [seen["wall"] / seen["records"] * 1e6 for seen in two]
    trips = counted["native_calls"] + counted["reads"]
    figures = {
        "unit_bytes": unit.size,
        "records_per_second": max(seen["records"] / seen["wall"] for seen in two),
        "microseconds_a_record": min(each),
        "mean": statistics.mean(each),
        "variance": statistics.variance(each),
        "one_thread": min(seen["wall"] / seen["records"] * 1e6 for seen in one),
        "speed_up": 0.0,  # see compare_with_one
        "reads": counted["reads"],
        "native_calls": counted["native_calls"],
        "trips_a_record": trips / sample.records,
        "times_fewer": 0.0,
        "held_MiB": max(seen["held_bytes"] for seen in two) / MEBIBYTE,
        "spread": spread(walls),
        "queue_records": [two[0]["queue_records"]],
        "wall_seconds": sorted(walls),
        "wall_seconds_of_one_thread": sorted(seen["wall"] for seen in one),
    }
    return Row("batch sizes", unit.name, figures)


def compare_with_one(rows: Sequence[Row]) -> None:
    first = rows[0].figures
    for row in rows:
        row.figures["speed_up"] = first["microseconds_a_record"] / row.figures["microseconds_a_record"]
        row.figures["times_fewer"] = first["trips_a_record"] / row.figures["trips_a_record"]


def gates(rows: Sequence[Row]) -> list[Gate]:
    by = {row.what: row.figures for row in rows}
    chosen = flat_from(sized(rows))
    name = f"two threads, batch size {chosen.what} against batch size 1"
    return [
        Gate(name, chosen.figures["speed_up"], 1.8, unit="x"),
        Gate("GIL round trips at batch size 100: times fewer", by["100"]["times_fewer"], 95, unit="x"),
        Gate("GIL round trips at the default unit: times fewer", by["default"]["times_fewer"], 500, unit="x"),
    ]


# ---- the decision ----------------------------------------------------------------------------------------


def sized(rows: Sequence[Row], most: int = max(SIZES)) -> list[Row]:
    return [row for row in rows if row.what != "default" and int(row.what) <= most]


def flat_from(rows: Sequence[Row]) -> Row:
    """The smallest batch size that is as good as the best of these."""
    best = max(row.figures["speed_up"] for row in rows)
    return next(row for row in rows if row.figures["speed_up"] >= best * (1 - FLAT))


def conclude(result: Result) -> list[str]:
    rows = result.rows
    return [*climb(rows), *memory(rows), *verdict(rows), *queue(rows), *unit(rows)]


def climb(rows: Sequence[Row]) -> list[str]:
    near, far = (max(row.figures["speed_up"] for row in sized(rows, most)) for most in (500, max(SIZES)))
    chosen = flat_from(sized(rows))
    more = far / near - 1
    goes_on = f"The curve still climbs above 500: {more:.0%} more." if more > FLAT else "Above 500 it is flat."
    return [
        f"Does it climb? {goes_on} From batch size {chosen.what} on, nothing is more than {FLAT:.0%} faster: "
        f"{chosen.figures['speed_up']:.1f}x batch size 1. This is the chosen batch size."
    ]


def memory(rows: Sequence[Row]) -> list[str]:
    chosen, first = flat_from(sized(rows)), rows[0]
    more = chosen.figures["held_MiB"] - first.figures["held_MiB"]
    most = max(row.figures["held_MiB"] for row in rows)
    return [
        f"Does memory forbid it? Two readers hold {more:.1f} MiB more than at batch size 1; the most at any size is "
        f"{most:.1f} MiB. {'No.' if more < MUCH else 'It is to be weighed: that is much for a queue.'}"
    ]


def verdict(rows: Sequence[Row]) -> list[str]:
    speed_up = flat_from(sized(rows)).figures["speed_up"]
    if speed_up >= 1.8:
        return [f"Which band? {speed_up:.1f}x is at least 1.8x: the gate is passed."]
    if speed_up >= 1.5:
        return [f"Which band? {speed_up:.2f}x lies in 1.5 to 1.8x: gil.py has to show that the GIL is given up."]
    return [f"Which band? {speed_up:.2f}x is below 1.5x: the gate is failed, and the reason is to be found."]


def queue(rows: Sequence[Row]) -> list[str]:
    within = flat_from(sized(rows, QUEUE_LIMIT))
    default, best = rows[-1].figures, max(row.figures["speed_up"] for row in sized(rows, QUEUE_LIMIT))
    word = "stays" if default["speed_up"] >= best * (1 - FLAT) else "is to be changed"
    return [
        f"Which batch for the queue? Up to its limit of {QUEUE_LIMIT} records, the smallest that is as good as the "
        f"best is {within.what}, where the native unit is no larger than the batch. With the package's native unit its "
        f"queue of {default['queue_records'][0]} has {default['speed_up'] / best:.0%} of the best speed up to that "
        f"limit: it {word}."
    ]


def unit(rows: Sequence[Row]) -> list[str]:
    """The queue's batch is cut from a native unit, which may be larger."""
    default, best = rows[-1].figures, max(row.figures["speed_up"] for row in sized(rows))
    word = "as good as the best" if default["speed_up"] >= best * (1 - FLAT) else "not the fastest here"
    return [
        f"Which native unit? The default, {default['unit_bytes'] // 1024} KiB with a queue of "
        f"{default['queue_records'][0]}, has {default['speed_up']:.1f}x: {word}. It needs {default['times_fewer']:.0f} "
        "times fewer GIL round trips, which counts where another thread keeps the GIL busy: gil.py measures that."
    ]


# ---- the plot --------------------------------------------------------------------------------------------


def plot(figure: Any, result: Result) -> None:
    rows = sized(result.rows)
    sizes = [int(row.what) for row in rows]
    axes = figure.subplots(1, 3)
    curves = (
        ("speed_up", "speed-up of two threads, x batch size 1", False),
        ("trips_a_record", "GIL round trips a record", True),
        ("held_MiB", "MiB held by two readers", False),
    )
    for ax, (name, title, logarithmic) in zip(axes, curves):
        ax.plot(sizes, [row.figures[name] for row in rows], marker="o", label="native unit = batch size")
        ax.axhline(result.rows[-1].figures[name], color="gray", linestyle="--", label="default unit")
        ax.set(title=title, xlabel="batch size", xscale="log", yscale="log" if logarithmic else "linear")
        if not logarithmic:
            ax.set_ylim(bottom=0)
        ax.set_xticks(sizes, [str(size) for size in sizes], rotation=60)
        ax.minorticks_off()
        ax.legend()


COMMAND = Command(
    name="batch-sizes",
    description="Two Python threads on file-like sources, by batch size.",
    rounds=7,
    titles={"batch sizes": "Two threads by batch size: time a record of both, its mean and variance over rounds"},
    measure=measure,
    conclude=conclude,
    plot=plot,
)

if __name__ == "__main__":
    sys.exit(COMMAND.main())
