"""Real programs that import pymarc give the same with libmarc under its name.

requirements/programs.txt names them. They are installed from PyPI into a virtual environment of their own, in the cache
of downloads, beside pymarc. Each command is run twice there, as it stands: with pymarc, and with a sitecustomize that
calls `libmarc.install_as_pymarc()`. Exit status, output, and every file that is written must be the same. The scripts
in tests/python/programs use the libraries among them, and pymarc's names as programs do.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from corpus import CACHE, ROOT, SHARED, corpus_files, head_of, loc_file, need_corpus
from support import generated

import libmarc

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("LIBMARC_SANITIZER" in os.environ, reason="programs are run without sanitizers"),
]

REQUIREMENTS = ROOT / "requirements" / "programs.txt"
SCRIPTS = ROOT / "tests" / "python" / "programs"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

#: Commands that read a file of records: the installed programs, then our scripts. INPUT stands for that file.
COMMANDS = {
    "goldrush": "goldrush --id INPUT",
    "marc-lint": "marc-lint --use-index --format json INPUT",
    "marcgrep": "marcgrep --include 245,a INPUT",
    "marcgrep-color": "marcgrep --color --fields 001,100,245,650 --exclude 700 INPUT",
    "marctable-csv": "marctable csv INPUT out.csv",
    "marctable-jsonl": "marctable jsonl --rule 245a --rule 650 --rule 008 INPUT out.jsonl",
    "marctable-parquet": "marctable parquet INPUT out.parquet",
    "pymarcspec": "pymarcsearch 245$a$b INPUT",
    "marcx": "python with_marcx.py INPUT",
    "pydantic-marc": "python validate.py INPUT",
    "pymarc-csv": "python through_csv.py INPUT",
    "retrocat": "python build_catalogue.py INPUT",
    "derived": "python derived.py INPUT",
    "edit": "python edit.py INPUT",
    "imports": "python imports.py INPUT",
    "parallel": "python parallel.py INPUT",
}
#: Those that also read MARCXML, by the name of the file; and those that expect None for what is no record.
READ_XML = ["goldrush", "marctable-csv", "marctable-jsonl", "pymarcspec"]
TAKE_NONE = ["goldrush", "marctable-csv", "marctable-jsonl"]
#: Exit status 1: there are records that it warns of.
STATUS = {"marc-lint": 1}
NEED_PYTHON_3_11 = ("marctable", "retrocat")


class Outcome(NamedTuple):
    status: int
    files: dict[str, bytes]  # what was written, by name; stdout and stderr among them


@pytest.fixture(scope="module")
def programs() -> Path:
    """The folder of the commands of a virtual environment with all programs, made once."""
    folder = CACHE / f"programs-{PYTHON}"
    made_of = folder / "requirements.txt"
    if not made_of.is_file() or made_of.read_bytes() != REQUIREMENTS.read_bytes():
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        probe = [*pip, "download", "--timeout", "4", "--retries", "0", "--no-deps", "pymarc==5.4.0"]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run([*probe, "--dest", folder], check=True, capture_output=True, timeout=20)
        except (OSError, subprocess.SubprocessError) as problem:
            pytest.skip(f"the programs are neither in {folder} nor to be had from PyPI ({type(problem).__name__})")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, timeout=300)
        install: list[str | Path] = [folder / "bin" / "python", *pip[1:], "install", "--requirement", REQUIREMENTS]
        done = subprocess.run(install, capture_output=True, text=True, timeout=1800)
        assert done.returncode == 0, done.stderr
        made_of.write_bytes(REQUIREMENTS.read_bytes())
    return folder / "bin"


@pytest.fixture(scope="module")
def ours_as_pymarc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH that holds libmarc alone, and puts it in pymarc's place before a program begins."""
    folder = tmp_path_factory.mktemp("path")
    (folder / "libmarc").symlink_to(Path(libmarc.__file__).parent, target_is_directory=True)
    (folder / "sitecustomize.py").write_text("import libmarc\n\nlibmarc.install_as_pymarc()\n")
    return folder


class Pair:
    """Runs commands with pymarc and with libmarc in its place."""

    def __init__(self, programs: Path, ours_as_pymarc: Path, folder: Path) -> None:
        self.programs = programs
        self.ours_as_pymarc = ours_as_pymarc
        self.folder = folder

    def run(self, command: list[str], *, ours: bool) -> Outcome:
        """One run, in a folder of its own."""
        folder = self.folder / ("libmarc" if ours else "pymarc")
        folder.mkdir()
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR") if name in os.environ}
        environment = {**kept, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
        if ours:
            environment["PYTHONPATH"] = str(self.ours_as_pymarc)
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            program = [str(self.programs / command[0]), *command[1:]]
            done = subprocess.run(program, cwd=folder, env=environment, stdout=out, stderr=err, timeout=600)
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        files["stderr"] = without_places(files["stderr"])
        return Outcome(done.returncode, files)

    def compare(self, name: str, source: Path, status: int | None = None) -> Outcome:
        """That one of COMMANDS does the same with both; gives that."""
        if name.startswith(NEED_PYTHON_3_11) and sys.version_info < (3, 11):
            pytest.skip(f"{name} needs Python 3.11")
        parts = [str(source) if part == "INPUT" else part for part in COMMANDS[name].split()]
        command = [str(SCRIPTS / part) if part.endswith(".py") else part for part in parts]
        theirs, ours = self.run(command, ours=False), self.run(command, ours=True)
        assert theirs.status == (STATUS.get(name, 0) if status is None else status), theirs.files["stderr"][-2000:]
        assert b"Traceback" not in theirs.files["stderr"]
        assert sum(map(len, theirs.files.values())) - len(theirs.files["stderr"]) > 500, "it has done nothing"
        assert ours.status == theirs.status, ours.files["stderr"][-2000:]
        assert ours.files.keys() == theirs.files.keys()
        for file, content in theirs.files.items():
            assert_same(f"{name}: {file}", ours.files[file], content)
        return ours


def without_places(stderr: bytes) -> bytes:
    """Without where warnings come from, which cannot be the same: a file and a line, and that line."""
    return re.sub(rb"^\S+\.py:\d+: (\w+: .*)\n  .*$", rb"\1", stderr, flags=re.MULTILINE)


def assert_same(what: str, ours: bytes, theirs: bytes) -> None:
    """(pytest would look for the differences of megabytes.)"""
    if ours != theirs:
        length = min(len(ours), len(theirs))
        at = next((n for n in range(length) if ours[n] != theirs[n]), length)
        around = slice(max(at - 150, 0), at + 150)
        pytest.fail(f"{what} differs at byte {at}:\npymarc:  {theirs[around]!r}\nlibmarc: {ours[around]!r}")


@pytest.fixture
def pair(programs: Path, ours_as_pymarc: Path, tmp_path: Path) -> Pair:
    return Pair(programs, ours_as_pymarc, tmp_path)


@pytest.fixture(scope="module")
def sources(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of generated records, and of those of the corpus where it is there: see programs/sound_records.py."""
    folder = tmp_path_factory.mktemp("sources")
    found = {name: folder / f"{name}.mrc" for name in ("utf8", "marc8", "rejected")}
    for kind in ("utf8", "marc8"):
        (folder / kind).write_bytes(generated(kind, 200))
    files = [folder / "utf8", folder / "marc8", *corpus_files()]
    chooser: list[str | Path] = [programs / "python", "-W", "ignore", SCRIPTS / "sound_records.py"]
    subprocess.run([*chooser, *found.values(), *files], check=True, capture_output=True, timeout=600)
    return found


def test_what_stands_under_the_name(pair: Pair) -> None:
    """Both runs are what they are taken for."""
    command = ["python", "-c", "import pymarc.record; print(pymarc.__file__, pymarc.record.Record.__module__)"]
    theirs, ours = (pair.run(command, ours=ours).files["stdout"].decode() for ours in (False, True))
    assert theirs.endswith("site-packages/pymarc/__init__.py pymarc.record\n")
    assert ours == f"{pair.ours_as_pymarc}/libmarc/__init__.py libmarc.record\n"


@pytest.mark.parametrize("source", ["utf8", "marc8"])
@pytest.mark.parametrize("name", COMMANDS)
def test_same_output(pair: Pair, sources: dict[str, Path], name: str, source: str) -> None:
    pair.compare(name, sources[source])


@pytest.mark.parametrize("name", TAKE_NONE)
def test_pieces_that_are_no_records(pair: Pair, sources: dict[str, Path], name: str) -> None:
    """goldrush says which records it has skipped; marctable goes on in silence."""
    need_corpus()
    outcome = pair.compare(name, sources["rejected"], status=name == "goldrush")
    assert name != "goldrush" or outcome.files["stderr"].count(b"skipped unreadable record") > 20


@pytest.mark.parametrize("name", COMMANDS)
def test_library_of_congress(pair: Pair, tmp_path: Path, name: str) -> None:
    source = tmp_path / "loc.mrc"
    source.write_bytes(head_of(loc_file(), 300))
    pair.compare(name, source)


@pytest.mark.parametrize(
    "file",
    [
        "traject__traject/test_data.utf8.marc.xml",
        "usgpo__cataloging-records/LegalPub-Coll_Online_Resources_20231226.xml",
    ],
)
@pytest.mark.parametrize("name", READ_XML)
def test_marcxml(pair: Pair, name: str, file: str) -> None:
    need_corpus()
    pair.compare(name, SHARED / "corpus" / file)
