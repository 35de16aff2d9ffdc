"""The types that a user's program sees: mypy --strict on a program in pymarc's manner."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "python_cffi"

pytestmark = pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed (make lint installs it)")

PROGRAM = """\
from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import libmarc
from libmarc import Field, Indicators, JSONReader, MARCReader, MARCWriter, Record, Subfield, XMLWriter, map_records
from libmarc.exceptions import FieldNotFound, PymarcException
from libmarc.marcxml import parse_xml_to_array, record_to_xml


class Bib(Record):
    def subjects_as_text(self) -> list[str]:
        return [field.format_field() for field in self.subjects]


class Loud(MARCReader):
    def __next__(self) -> Record | None:
        return super().__next__()


def titles(path: Path) -> Iterator[str]:
    with MARCReader(path, to_unicode=True, utf8_handling="replace") as reader:
        for record in reader:
            if record is None:
                problem: Exception | None = reader.current_exception
                chunk: bytes | None = reader.current_chunk
                print(problem, len(chunk or b""))
                continue
            title: str | None = record.title
            yield title or record["245"]["a"]


def make() -> Record:
    record = Record(leader=" " * 24, fields=[Field("001", data="x")])
    record.add_field(Field(tag="245", indicators=Indicators("1", "0"), subfields=[Subfield(code="a", value="Title")]))
    record["245"].add_subfield("b", "rest", 0)
    record["245"]["a"] = "Other"
    record.fields.sort(key=lambda field: field.tag)
    record.leader.record_status = "c"
    try:
        record.remove_field(*record.get_fields("500", "501"))
    except FieldNotFound as problem:
        base: PymarcException = problem
        print(base)
    text: str = record.as_json(indent=2)
    content: bytes = record.as_marc(oversize="zeros")
    print(text, content, [code for code, value in record["245"]])
    return record


def all_titles(path: Path) -> list[str | None]:
    with libmarc.read(path) as records:
        return [record.title for record in records]


def write(record: Record) -> None:
    with MARCWriter(io.BytesIO(), oversize="split") as writer, XMLWriter(io.BytesIO()) as other:
        writer.write(record)
        other.write(record)
    for one in JSONReader("[]"):
        print(one.title, record_to_xml(one).decode())
    map_records(print, io.BytesIO(b""))
    for each in parse_xml_to_array("x.xml", strict=True):
        print(each.author, libmarc.marc8_to_unicode(b"x"))


reveal_type(make()["245"])
reveal_type(make()["245"].get("a", "none"))
reveal_type(make()["245"].get("a"))
reveal_type(make().get("245"))
reveal_type(make().get_fields("650"))
reveal_type(make().leader)
reveal_type(next(MARCReader(b"")))
reveal_type(make()["245"].subfields)
reveal_type(next(libmarc.read(b"")))
reveal_type(next(libmarc.read(b"", on_error="skip")))
reveal_type(next(libmarc.read(b"", on_error="none")))
"""

REVEALED = [
    "libmarc.field.Field",
    "str",
    "str | None",
    "libmarc.field.Field | None",
    "list[libmarc.field.Field]",
    "libmarc.leader.Leader | Any",
    "libmarc.record.Record | None",
    "list[libmarc.field.Subfield]",
    "libmarc.record.Record",
    "libmarc.record.Record",
    "libmarc.record.Record | None",
]

#: Each line is wrong.
WRONG = """\
import libmarc
libmarc.Record().add_field("245")
libmarc.Field(tag="245", subfields=["a", "x"])
libmarc.MARCReader(b"", utf8_handling=1)
libmarc.Record().title.upper()
libmarc.Record().as_marc("utf-8")
libmarc.nonsense
next(libmarc.MARCReader(b"")).title
next(libmarc.read(b"", on_error="none")).title
"""


def checked(program: str, folder: Path) -> list[str]:
    """What mypy says, a line each."""
    path = folder / "program.py"
    path.write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--no-color-output"]
    command += ["--config-file", os.devnull, "--cache-dir", str(folder / "cache"), path.name]
    environment = {**os.environ, "MYPYPATH": str(PACKAGE)}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    return [line for line in done.stdout.splitlines() if line.startswith("program.py")]


def test_a_program_is_typed(tmp_path: Path) -> None:
    said = checked(PROGRAM, tmp_path)
    assert [line for line in said if "Revealed type" not in line] == []
    revealed = [re.sub(r"builtins\.|tuple\[str, str, fallback=(.*?)\]", r"\1", line.split('"')[1]) for line in said]
    assert revealed == REVEALED


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    said = checked(WRONG, tmp_path)
    assert {int(line.split(":")[1]) for line in said if ": error:" in line} == set(range(2, WRONG.count("\n") + 1))
