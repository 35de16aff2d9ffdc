"""Results as tables (Markdown, aligned so that they read well in a terminal too) and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from common import Gate, Result, Row
from peers import MEANING


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column and texts to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    right = [i > 0 and all(row[i][:1].isdigit() or row[i] in ("", "-") for row in rows) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True)]
        return f"| {' | '.join(padded)} |"

    rule = [f"{'-' * (w - 1)}:" if r else "-" * w for w, r in zip(widths, right, strict=True)]
    return [line(head), line(rule), *[line(row) for row in rows]]


def number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}".replace(",", " ")


def times(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def python_table(rows: Sequence[Row]) -> list[str]:
    head = (
        "task",
        "library",
        "source",
        "records",
        "records/s",
        "us a record",
        "x pymarc",
        "x mrrc",
        "spread",
    )
    cells = [
        (
            f["task"],
            f["library"],
            f["source"],
            number(f["records"]),
            number(f["records_per_second"]),
            number(f["microseconds_a_record"], 2),
            times(f["times_pymarc"]),
            times(f["times_mrrc"]),
            f"{f['spread']:.0%}",
        )
        for f in (row.figures for row in rows)
    ]
    return table(head, cells)


def native_table(rows: Sequence[Row], counted: Sequence[Row]) -> list[str]:
    head = ("", "records", "records per CPU s", "GB per CPU s", "x yaz", "instructions a record", "spread")
    found = {row.what: row.figures for row in rows}
    instructions = {row.what: row.figures["instructions_a_record"] for row in counted}
    cells = []
    for what in dict.fromkeys([*found, *instructions]):
        f: dict[str, Any] = found.get(what, {})
        cells.append(
            (
                what,
                number(f.get("records")),
                number(f.get("records_per_cpu_second")),
                number(f.get("gigabytes_per_cpu_second"), 2),
                times(f.get("times_yaz")),
                number(instructions.get(what)),
                f"{f['spread']:.0%}" if f else "-",
            )
        )
    return table(head, cells)


def gate_table(gates: Sequence[Gate]) -> list[str]:
    verdict = {True: "pass", False: "FAIL", None: "not measured"}

    def cell(value: float | None, unit: str) -> str:
        if value is None:
            return "-"
        digits = 0 if value == int(value) or value >= 1000 else 2 if value < 10 else 1
        return f"{number(value, digits)} {unit}".strip()

    rows = [
        (
            gate.name,
            f"{'at most' if gate.at_most else 'at least'} {cell(gate.limit, gate.unit)}",
            cell(gate.measured, gate.unit),
            verdict[gate.passed],
        )
        for gate in gates
    ]
    return table(("gate", "wanted", "measured", ""), rows)


def render(run: dict[str, Any], result: Result) -> str:
    """The whole report."""
    by: dict[str, list[Row]] = {}
    for row in result.rows:
        by.setdefault(row.table, []).append(row)
    data = run["data"]
    lines = [f"# Measured {run['date']}: {run['name']}", ""]
    lines += [f"Data: {data['name']}, {number(data['records'])} records, {number(data['bytes'])} bytes.", ""]
    lines += [f"**{note}**\n" for note in run["warnings"]]
    if result.gates:
        lines += ["## Gates", "", *gate_table(result.gates), ""]
    if "python" in by:
        clock = {"wall": "Wall-clock", "cpu": "CPU"}[run["clock"]]
        lines += [
            "## The Python loop",
            "",
            f"{clock} time, the best of all rounds, a fresh process each. Where `records` is not the whole",
            "file, it was its beginning, and figures are compared for one record. `x pymarc`, `x mrrc`: how",
            "many times as fast as they are, each from the source that it reads fastest (pymarc and rmarc",
            "take no path). `spread`: how far the middle round lies above the best.",
            "",
            *python_table(by["python"]),
            "",
        ]
        lines += [f"- {task}: {MEANING[task]}" for task in dict.fromkeys(row.what for row in by["python"])]
        lines += [""]
    if "native" in by or "instructions" in by:
        lines += [
            "## Native",
            "",
            "CPU time of the process, best of all rounds; all fields and subfields are indexed.",
            "",
            *native_table(by.get("native", []), by.get("instructions", [])),
            "",
        ]
    if "convert" in by:
        lines += [
            "## Conversion",
            "",
            "From memory to /dev/null, CPU time of the process, best of all rounds; yaz-marcdump reads the file.",
            "",
            *native_table(by["convert"], []),
            "",
        ]
    if by.keys() & {"allocations", "memory", "import"}:
        lines += ["## Process", ""]
        cells = []
        for row in by.get("import", []):
            cells.append((f"start of Python: {row.what}", f"{row.figures['milliseconds']:.1f} ms"))
        for row in by.get("memory", []):
            cells.append((f"resident, reading by path: {row.what}", f"{row.figures['mebibytes']:.1f} MiB"))
        for row in by.get("allocations", []):
            f = row.figures
            what = f"allocations for {number(f['records'])} more records, {row.what}"
            cells.append((what, f"{f['allocations']} ({f['bytes']} bytes)"))
        lines += [*table(("", "measured"), cells), ""]
    if result.notes:
        lines += ["## Notes", "", *[f"- {note}" for note in result.notes], ""]
    lines += ["## Machine", "", *machine_lines(run), ""]
    return "\n".join(lines)


def machine_lines(run: dict[str, Any]) -> list[str]:
    m = run["machine"]
    changed = {True: ", with changes", False: "", None: ""}[run["dirty"]]
    origin = "of the system" if m["python_is_the_systems"] else "not the system's"
    objects = "C++" if m["objects_in_cpp"] else "Python"
    libraries = ", ".join(f"{name} {version}" for name, version in m["libraries"].items())
    return [
        f"- {m['processor']}, {m['cores_usable']} of {m['cores']} cores, {m['memory_gib']} GiB, "
        f"load {run['load']['before']:.2f} before and {run['load']['after']:.2f} after",
        f"- {m['system']}, kernel {m['kernel']}",
        f"- {m['compiler']}, flags {m['flags']}",
        f"- {m['python']} ({m['python_compiler']}), {origin}; libmarc's records and fields by {objects}",
        f"- {libraries}; {m['yaz'] or 'no yaz'}; {m['valgrind'] or 'no valgrind'}",
        f"- revision {run['revision'] or 'unknown'}{changed}; measured in {run['minutes']:.1f} minutes",
    ]
