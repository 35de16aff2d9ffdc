"""What the parts of the benchmark share: the data, the interpreter, the build, child processes, results."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
RESULTS = BENCH / "results"
LIBRARY_OF_CONGRESS = "BooksAll.2016.part01.utf8"
PEERS = ("pymarc", "rmarc", "mrrc")
SYSTEM_PYTHON = "/usr/bin/python3"
GENERATED_RECORDS = 100_000


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


# ---- child processes -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finished:
    """A child process that is done, and what it cost."""

    out: str
    err: str
    wall: float
    cpu: float  # user and system


def run(command: Sequence[str | Path], env: dict[str, str] | None = None, text: bool = True) -> Finished:
    """Runs a command that must succeed. Without `text` its output goes nowhere."""
    arguments = [str(part) for part in command]
    pipe = subprocess.PIPE if text else subprocess.DEVNULL
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    done = subprocess.run(arguments, stdout=pipe, stderr=pipe, env=env, text=True, check=False)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(arguments)} ended with {done.returncode}\n{done.stdout or ''}{done.stderr or ''}"
        )
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Finished(done.stdout or "", done.stderr or "", wall, cpu)


def with_threads(threads: int, environment: dict[str, str] | None = None) -> dict[str, str]:
    """The environment of a process in which libmarc parses on so many threads; 0: as many as it chooses."""
    return {**(os.environ if environment is None else environment), "MARC_NUM_THREADS": str(threads)}


def version_line(*command: str) -> str | None:
    """The first line that a program says about itself; None if it is not there."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).split("\n")
    return lines[0].strip() or None


# ---- results ---------------------------------------------------------------------------------------------


@dataclass
class Row:
    """One line of a table: what was measured, and its figures by name."""

    table: str  # python, native, convert, instructions, allocations, memory, import, or that of a command
    what: str
    figures: dict[str, Any]


@dataclass
class Gate:
    """What a figure has to be."""

    name: str
    measured: float | None  # None: not measured
    limit: float
    at_most: bool = False
    unit: str = ""

    @property
    def passed(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured <= self.limit if self.at_most else self.measured >= self.limit


@dataclass
class Result:
    """All that one run of the benchmark found."""

    rows: list[Row] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def spread(seconds: Sequence[float]) -> float:
    """How far the middle of the rounds lies above the best: 0 on a quiet machine."""
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2] / ordered[0] - 1


# ---- data ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """A file of whole records."""

    path: Path
    records: int
    size: int


class Data:
    """The file that is measured on, and its beginnings as files of their own."""

    def __init__(self, path: Path, name: str, note: str, scratch: Path) -> None:
        self.name = name
        self.note = note
        self._scratch = scratch
        self._made: dict[tuple[int, int], Sample] = {}
        content = path.read_bytes()  # from now on it is in the page cache
        ends = []
        at = 0
        while at < len(content):
            at += int(content[at : at + 5])
            ends.append(at)
        self._content = content
        self._ends = ends
        self.whole = Sample(path, len(ends), len(content))

    def first(self, records: int, copies: int = 1) -> Sample:
        """The first so many records, several times over if wanted."""
        records = min(records, self.whole.records)
        if records == self.whole.records and copies == 1:
            return self.whole
        known = self._made.get((records, copies))
        if known is None:
            size = self._ends[records - 1]
            path = self._scratch / f"first-{records}-{copies}.mrc"
            with path.open("wb") as out:
                for _ in range(copies):
                    out.write(self._content[:size])
            known = self._made[records, copies] = Sample(path, records * copies, size * copies)
        return known

    def marcxml(self, records: int) -> Sample:
        """The first so many records in MARCXML, as yaz-marcdump writes it."""
        sample = self.first(records)
        path = self._scratch / f"first-{sample.records}.xml"
        if not path.exists():
            with path.open("wb") as out:
                command: list[str | Path] = ["yaz-marcdump", "-f", "utf8", "-t", "utf8", "-o", "marcxml", sample.path]
                subprocess.run(command, stdout=out, check=True)
        return Sample(path, sample.records, path.stat().st_size)

    def dense_marc8(self, most: int) -> Sample:
        """Records with at least six bytes above 0x7F, in MARC-8: yaz-marcdump converts them."""
        path = self._scratch / f"dense-{most}.mrc"
        utf8 = path.with_suffix(".utf8")
        records = 0
        begin = 0
        with utf8.open("wb") as out:
            for end in self._ends:
                record = self._content[begin:end]
                begin = end
                if len(record) - len(record.translate(None, bytes(range(0x80, 0x100)))) >= 6:
                    out.write(record)
                    records += 1
                if records == most:
                    break
        with path.open("wb") as out:
            command: list[str | Path] = ["yaz-marcdump", "-f", "utf8", "-t", "marc8", "-o", "marc", "-l", "9=32", utf8]
            subprocess.run(command, stdout=out, check=True)
        return Sample(path, records, path.stat().st_size)


def cache_folder() -> Path:
    own = os.environ.get("LIBMARC_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "libmarc"


def find_data(given: Path | None, kept: Path, scratch: Path) -> Data:
    """The file of the command line, the Library of Congress's, or one that is generated (once, in `kept`)."""
    if given is not None:
        return Data(given, given.name, "a file of the command line: the gates were set for another one", scratch)
    path = cache_folder() / LIBRARY_OF_CONGRESS
    if path.exists():
        return Data(path, LIBRARY_OF_CONGRESS, "", scratch)
    path = kept / f"generated-{GENERATED_RECORDS}.mrc"
    if not path.exists():
        say(f"{LIBRARY_OF_CONGRESS} is not there (tools/fetch_loc.py fetches it): generating records instead")
        partial = path.with_suffix(".part")
        generator = ROOT / "tests" / "fixtures" / "generate.py"
        count = str(GENERATED_RECORDS)
        run([sys.executable, generator, "utf8", count, "--seed", "3", "--out", partial])
        partial.replace(path)
    note = f"generated records, since {LIBRARY_OF_CONGRESS} is not there: the gates were set for that one"
    return Data(path, "generated, utf8", note, scratch)


# ---- the interpreter that is measured --------------------------------------------------------------------

PROBE = """
import importlib, importlib.metadata, json, platform, sys
found = {}
for name in ("libmarc", "cffi", "pymarc", "rmarc", "mrrc"):
    try:
        module = importlib.import_module(name)
    except ImportError:
        continue
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found[name] = getattr(module, "__version__", "?")
in_cpp = None
if "libmarc" in found:
    found["libmarc"] = importlib.import_module("libmarc").__version__
    in_cpp = importlib.import_module("libmarc._objects").IN_CPP
print(json.dumps({
    "python": f"{platform.python_implementation()} {platform.python_version()}",
    "build": platform.python_compiler(),
    "system": sys.base_prefix == "/usr",
    "libraries": found,
    "objects_in_cpp": in_cpp,
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that has libmarc and the peers."""

    executable: str
    environment: dict[str, str]
    facts: dict[str, Any]

    @property
    def libraries(self) -> dict[str, str]:
        found: dict[str, str] = self.facts["libraries"]
        return found

    def with_threads(self, threads: int) -> Interpreter:
        return replace(self, environment=with_threads(threads, self.environment))

    def run(self, *arguments: str | Path, text: bool = True) -> Finished:
        return run([self.executable, *arguments], self.environment, text)

    def json(self, *arguments: str | Path) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.run(*arguments).out)
        return answer


def _probe(executable: str, folders: Sequence[str]) -> Interpreter | None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONPATH"] = os.pathsep.join(folders)
    try:
        facts = json.loads(run([executable, "-c", PROBE], environment).out)
    except (OSError, RuntimeError):
        return None
    return Interpreter(executable, environment, facts) if "libmarc" in facts["libraries"] else None


def find_interpreter(given: str | None, package: Path) -> Interpreter:
    """The interpreter that was asked for, else the system's own, else the one that runs this.

    The system's may not have the peers: it then gets those of the interpreter that runs this, if they fit it.
    """
    own_packages = sysconfig.get_path("purelib")
    candidates: list[tuple[str, list[str]]] = []
    if given is None and sys.base_prefix == "/usr":
        candidates.append((sys.executable, []))
    wanted = given or SYSTEM_PYTHON
    candidates += [(wanted, []), (wanted, [own_packages])]
    if given is None:
        candidates.append((sys.executable, []))
    best: Interpreter | None = None
    for executable, folders in candidates:
        found = _probe(executable, [str(package), *folders])
        if found and (best is None or len(found.libraries) > len(best.libraries)):
            best = found
    if best is None:
        raise SystemExit("bench: no interpreter can import libmarc; is the package built? (--build)")
    for peer in PEERS:
        if peer not in best.libraries:
            say(f"{peer} is not there: it is left out (requirements/bench.txt)")
    return best


# ---- the build -------------------------------------------------------------------------------------------


def built_folder() -> Path:
    return Path(os.environ.get("LIBMARC_BUILD_DIR") or ROOT / "build" / "release")


@dataclass(frozen=True)
class Build:
    """A build folder with libmarc.so, the Python package and the native programs."""

    folder: Path

    @property
    def package(self) -> Path:
        return self.folder / "python"

    @property
    def native(self) -> Path:
        return self.folder / "bench" / "bench_native"

    @property
    def scanner(self) -> Path:
        return self.folder / "bench" / "bench_scanner"

    def cached(self, name: str) -> str:
        """A variable of CMake's cache."""
        for line in (self.folder / "CMakeCache.txt").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}:"):
                return line.partition("=")[2]
        return ""

    def check(self) -> None:
        """There must be something to measure."""
        if not (self.folder / "CMakeCache.txt").exists():
            raise SystemExit("bench: nothing is built yet; `make bench` does that, --build names another folder")
        if self.cached("CMAKE_BUILD_TYPE") != "Release":
            raise SystemExit("bench: this is no Release build: there is nothing to measure")

    def make(self) -> None:
        """Brings the native programs up to date."""
        self.check()
        clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        if self.cached("LIBMARC_BUILD_BENCH") != "ON":
            run(["cmake", "-S", ROOT, "-B", self.folder, "-DLIBMARC_BUILD_BENCH=ON"], clean)
        run(["cmake", "--build", self.folder, "--target", "bench_native", "bench_scanner"], clean)
