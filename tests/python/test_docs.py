"""What the documents say is so: examples run, links lead somewhere, tables are those of marc.h."""

from __future__ import annotations

import doctest
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
from support import SOURCE_KINDS
from support import run_python as run_program

from libmarc import MARCReader, _odd
from libmarc._native import ffi, lib
from libmarc.reader import QUEUE_BYTES, QUEUE_RECORDS, State

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "capi" / "include" / "marc" / "marc.h"
BUILD = Path(os.environ.get("LIBMARC_BUILD_DIR") or ROOT / "build" / "release")
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").rglob("*.md"))
)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


class Block(NamedTuple):
    language: str
    code: str
    line: int  # of the document, from 0


def blocks(document: str, *languages: str) -> list[Block]:
    text = text_of(document)
    found = (Block(match[1], match[2], text.count("\n", 0, match.start(2))) for match in FENCE.finditer(text))
    return [block for block in found if block.language in languages]


def with_examples(*languages: str) -> list[str]:
    return [document for document in DOCUMENTS if blocks(document, *languages)]


def make(number: str, title: str, subject: str) -> bytes:
    """A sound record with 001, 245 and 650."""
    directory, data = "", b""
    fields = [("001", number), ("245", f"10\x1fa{title}"), ("650", f" 0\x1fa{subject}\x1fxHistory.")]
    for tag, body in fields:
        content = body.encode("utf-8") + b"\x1e"
        directory += f"{tag}{len(content):04}{len(data):05}"
        data += content
    base = 24 + len(directory) + 1
    return f"{base + len(data) + 1:05}nam a22{base:05} i 4500{directory}\x1e".encode() + data + b"\x1d"


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the examples read, in the current folder: two records and a damaged one between them."""
    damaged = b"12x4 " + make("2", "The lost mill", "Mills")[5:]
    path = tmp_path / "books.mrc"
    path.write_bytes(make("1", "The river and the bridge", "Rivers") + damaged + make("3", "Où est l'île ?", "Isles"))
    monkeypatch.chdir(tmp_path)
    return path


# ---- examples ----


def run_python(document: str) -> str:
    """Runs the `python` blocks of a document, as one program; what it prints."""
    return run_program("\n".join(block.code for block in blocks(document, "python")))


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("document", with_examples("python"))
def test_python_examples_run(document: str) -> None:
    assert run_python(document)


@pytest.mark.usefixtures("books")
def test_what_the_first_example_prints() -> None:
    at, size = len(make("1", "The river and the bridge", "Rivers")), len(make("2", "The lost mill", "Mills"))
    assert run_python("README.md") == (
        "The river and the bridge\n"
        "    Rivers -- History.\n"
        "rejected: Invalid record length in first 5 bytes of record: record length (leader/00-04) is not a number, but "
        f"'12x4 ' (record 2, offset {at}, 001 2) ({size} bytes)\n"
        "Où est l'île ?\n"
        "    Isles -- History.\n"
    )


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("document", with_examples("pycon"))
def test_python_sessions_give_what_they_show(document: str) -> None:
    # An empty line between the blocks ends what the last command of a block shows.
    session = "\n".join(block.code for block in blocks(document, "pycon"))
    test = doctest.DocTestParser().get_doctest(session, {}, document, document, 0)
    out = io.StringIO()
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=out.write)
    assert result.attempted
    assert not result.failed, out.getvalue()


def compiled(code: str, folder: Path) -> Path:
    """A C example, compiled."""
    compiler = (os.environ.get("CC") or "cc").split()
    library = BUILD / "capi" / "libmarc.so"
    if shutil.which(compiler[0]) is None:
        pytest.skip(f"{compiler[0]} is not there")
    if not library.exists():
        pytest.skip(f"{library} was not built")
    if "LIBMARC_SANITIZER" in os.environ:
        pytest.skip("a program of a user has no sanitizer")
    source, program = folder / "example.c", folder / "example"
    source.write_text(code, encoding="utf-8")
    command = [*compiler, "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    command += [f"-I{HEADER.parent.parent}", str(source), str(library), f"-Wl,-rpath,{library.parent}"]
    done = subprocess.run([*command, "-o", str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


@pytest.fixture
def titles_program(tmp_path: Path) -> Path:
    """The C example of the README."""
    (block,) = blocks("README.md", "c")
    return compiled(block.code, tmp_path)


def test_c_example_reads(titles_program: Path, books: Path) -> None:
    done = subprocess.run([titles_program], capture_output=True, check=False)
    out = done.stdout.decode("utf-8").splitlines()
    message = ffi.string(lib.marc_code_message(lib.MARC_BAD_LENGTH)).decode()
    assert out == ["245 $a The river and the bridge", f"rejected: {message}", "245 $a Où est l'île ?"]
    assert (done.returncode, done.stderr) == (0, b"")


def test_c_example_says_what_is_missing(titles_program: Path, tmp_path: Path) -> None:
    done = subprocess.run([titles_program, tmp_path / "missing.mrc"], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"No such file or directory\n")


def test_c_examples_write(books: Path, tmp_path: Path) -> None:
    convert, build = blocks("docs/writing.md", "c")
    converter = compiled(convert.code, tmp_path)
    out = tmp_path / "out.xml"
    done = subprocess.run([converter, books, out], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    titles = [node.text for node in ElementTree.parse(out).iter() if node.attrib.get("code") == "a"]
    assert "The river and the bridge" in titles
    done = subprocess.run([converter, books, "/dev/full"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"No space left on device\n")
    done = subprocess.run([compiled(build.code, tmp_path)], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    made = b"00063nam a2200049   4500001000300000245001000003\x1e12\x1e10\x1faTitle\x1e\x1d"
    assert (tmp_path / "made.mrc").read_bytes() == made


# ---- links and names ----


def test_links_lead_to_files() -> None:
    script = ROOT / "tools" / "check_links.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_document_is_linked(document: str) -> None:
    """From the README, or from the list of decisions."""
    folder = "docs/decisions/"
    if document.startswith(folder) and document != f"{folder}README.md":
        assert f"({document.removeprefix(folder)})" in text_of(f"{folder}README.md")
    elif document != "README.md":
        assert f"({document.removesuffix('/README.md')})" in text_of("README.md")


def source_text() -> str:
    folders = [ROOT / "core", ROOT / "capi", ROOT / "python_cffi"]
    suffixes = {".hpp", ".cpp", ".h", ".py"}
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in suffixes]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_journey_names_functions_that_exist() -> None:
    sources = source_text()
    names = set(re.findall(r"`([\w.:]+)`", text_of("docs/journey-of-a-record.md")))
    parts = {re.split(r"\.|::", name)[-1] for name in names if not name.endswith(".cpp")}
    assert len(parts) > 40
    assert [part for part in sorted(parts) if not re.search(rf"\b{part}\b", sources)] == []


def test_architecture_names_every_file() -> None:
    text = text_of("ARCHITECTURE.md")
    stems = {path.stem for path in (ROOT / "core").glob("*.hpp")}
    stems |= {path.stem for path in (ROOT / "python_cffi" / "libmarc").glob("*.py")} - {"__init__"}
    stems |= {path.stem for path in (ROOT / "core").glob("source_*.cpp")}
    assert [stem for stem in sorted(stems) if f"`{stem}`" not in text] == []


def test_states_are_those_of_the_reader() -> None:
    text = text_of("docs/reader-states.md")
    for state in State:
        assert f"\n| {state.name} | {state.value} |\n" in text
    diagram = blocks("docs/reader-states.md", "mermaid")[0].code
    assert set(re.findall(r"\b[A-Z_]{3,}\b", diagram)) == {state.name for state in State}
    assert (f"{QUEUE_RECORDS} records" in text, f"{QUEUE_BYTES // 1000} KB" in text) == (True, True)


def test_every_kind_of_source_is_in_the_table() -> None:
    with pytest.raises(TypeError) as caught:
        MARCReader(2709)
    supported = str(caught.value).partition("supported are ")[2]
    text = text_of("docs/sources.md")
    for name in SOURCE_KINDS:
        assert name in supported
        assert f"`{name}`" in text


# ---- codes ----


class Code(NamedTuple):
    name: str
    number: int
    meaning: str


def codes_of_header() -> Iterator[Code]:
    header = HEADER.read_text(encoding="utf-8")
    for group in re.findall(r"^enum \{(.*?)\};", header, re.M | re.S):
        for name, number, comment in re.findall(r"(MARC_\w+) = (-?\d+),?[ \n]*(?:/\*(.*?)\*/)?", group, re.S):
            yield Code(name, int(number), " ".join(comment.split()))


def rows_of_errors() -> dict[str, list[str]]:
    rows = re.findall(r"^\| (MARC_\w+) \|(.*)\|$", text_of("docs/errors.md"), re.M)
    found = {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}
    assert len(found) == len(rows), "no code stands there twice"
    return found


def test_errors_has_every_code_of_the_header() -> None:
    codes, rows = list(codes_of_header()), rows_of_errors()
    assert len(codes) > 45
    assert list(rows) == [code.name for code in codes if code.name in rows]
    assert set(rows) == {code.name for code in codes}
    for code in codes:
        assert int(rows[code.name][0]) == code.number == getattr(lib, code.name)
        assert not code.meaning or rows[code.name][1] == code.meaning, code.name


def test_library_knows_every_code() -> None:
    for code in codes_of_header():
        if re.match("MARC_(OK|END|E_|BAD_|NOTE_)", code.name):
            assert ffi.string(lib.marc_code_name(code.number)).decode() == code.name
            assert ffi.string(lib.marc_code_message(code.number)).decode() not in ("", "unknown code")


def test_errors_names_the_classes_of_rejections() -> None:
    for name, cells in rows_of_errors().items():
        if name.startswith("MARC_BAD_"):
            known = _odd._CLASSES.get(int(cells[0]))
            expected = {known.__name__} if known else {"UnicodeDecodeError", "ValueError"}
            assert cells[2] in expected, name
