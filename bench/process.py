"""What libmarc costs a Python process: memory while it reads, and the time of `import libmarc`."""

from __future__ import annotations

from common import BENCH, Data, Gate, Interpreter, Result, Row, Sample, say

MEMORY_RUNS = 3
IMPORTS = 10
MEBIBYTE = 1 << 20


def measure_memory(python: Interpreter, data: Data, quick: bool, result: Result) -> None:
    """The most that is resident: reading everything by path, and a tenth of it."""
    whole = data.first(50_000) if quick else data.whole
    tenth = data.first(whole.records // 10)
    say("memory")
    peaks: dict[Sample, list[int]] = {whole: [], tenth: []}
    bare: list[int] = []
    for _ in range(MEMORY_RUNS):
        for sample, seen in peaks.items():
            answer = python.json(BENCH / "worker.py", "libmarc", "path", "read", sample.path)
            seen.append(answer["peak_bytes"])
            bare.append(answer["bare_bytes"])
    rows = {
        "after import libmarc": min(bare),
        f"peak, first {tenth.records} records": min(peaks[tenth]),
        f"peak, all {whole.records} records": max(peaks[whole]),
    }
    for what, size in rows.items():
        result.rows.append(Row("memory", what, {"bytes": size, "mebibytes": size / MEBIBYTE}))
    grown = (max(peaks[whole]) - min(peaks[tenth])) / MEBIBYTE
    name = "resident memory: peak of the whole file above that of a tenth"
    result.gates.append(Gate(name, grown, 2.0, at_most=True, unit="MiB"))


def measure_import(python: Interpreter, result: Result) -> None:
    """Fresh processes, with and without the import, in turn; the least of each."""
    say("import")
    programs = {"the interpreter alone": "pass", "with import libmarc": "import libmarc"}
    for program in programs.values():
        python.run("-c", program, text=False)  # byte code is written, files are in memory
    seconds: dict[str, list[float]] = {what: [] for what in programs}
    for _ in range(IMPORTS):
        for what, program in programs.items():
            seconds[what].append(python.run("-c", program, text=False).wall)
    for what, seen in seconds.items():
        figures = {"milliseconds": min(seen) * 1e3, "seconds": sorted(seen)}
        result.rows.append(Row("import", what, figures))
    alone, importing = (min(seen) for seen in seconds.values())
    result.gates.append(Gate("import libmarc", (importing - alone) * 1e3, 60.0, at_most=True, unit="ms"))
