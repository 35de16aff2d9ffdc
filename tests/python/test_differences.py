"""docs/differences.md is true: all differences from pymarc 5.4 and yaz-marcdump have a name, and are counted right."""

from __future__ import annotations

import contextlib
import io
import random
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import differences
import pytest
from corpus import head_of, loc_file, need_corpus
from differences import KINDS, UNEXPLAINED, Comparison, Difference, compare, compare_pymarc, compare_yaz, name_of
from generate import generate
from pymarc_oracle import pymarc
from support import book, record_bytes

import libmarc
from libmarc._native import lib

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "differences.md"

#: The versions that were compared with. Others answer otherwise.
PYMARC, YAZ = "5.4.0", "5.34.0"


@cache
def yaz_version() -> str:
    if shutil.which("yaz-marcdump") is None:
        return ""
    said = subprocess.run(["yaz-marcdump", "-V"], capture_output=True, text=True, check=False).stdout
    return said.split()[2] if said.startswith("YAZ version:") else "?"


needs_yaz = pytest.mark.skipif(
    yaz_version() != YAZ, reason=f"yaz-marcdump is not {YAZ} but {yaz_version() or 'absent'}"
)


def test_the_oracle_is_the_one_of_the_document() -> None:
    assert version("pymarc") == PYMARC
    assert f"pymarc {PYMARC}" in DOCUMENT.read_text(encoding="utf-8")
    assert f"YAZ {YAZ}" in DOCUMENT.read_text(encoding="utf-8")


# ---- the kinds, one by one ----

ONE, TWO, THREE = book(1), book(2), book(3)


def with_length(record: bytes, length: int) -> bytes:
    return b"%05d" % length + record[5:]


def changed(record: bytes, position: int, content: bytes) -> bytes:
    return record[:position] + content + record[position + len(content) :]


def overlapping(entries: int, size: int) -> bytes:
    """A record with one long field, which the directory has many times."""
    base = 24 + 12 * entries + 1
    content = b"  \x1fa".ljust(size - 1, b"x") + b"\x1e\x1d"
    return b"%05dnam a22%05d i 4500" % (base + size + 1, base) + b"500%04d00000" % size * entries + b"\x1e" + content


TOO_LONG = with_length(TWO, len(TWO) + 10)
TITLE = ("245", b"10\x1faTitle")
TERMINATOR = record_bytes(("245", b"10\x1faTi\x1dtle"))
OVERLAPPING = overlapping(100, 6000)
NO_RECORD = b"This is no record.\x1d"

BESIDE_PYMARC = {
    "all alike": (ONE + TWO, {}),
    "a length too long": (
        ONE + TOO_LONG + THREE + ONE + NO_RECORD,
        {"stated-length": 1, "record-swallowed": 1, "record-behind-stop": 1, "piece-behind-stop": 1},
    ),
    "a newline between": (ONE + b"\n" + TWO, {"silent-bytes-before": 1, "record-swallowed": 1}),
    "a newline at the end": (ONE + b"\n", {"silent-bytes-at-end": 1}),
    "many NULs at the end": (ONE + bytes(2048), {"silent-bytes-at-end": 1}),
    "another format": (b"<collection/>", {"foreign-format": 1}),
    "another format behind a BOM": (b"\xef\xbb\xbf<collection/>", {"foreign-format": 1, "silent-bytes-before": 1}),
    "a length that reaches into text": (ONE + TOO_LONG + NO_RECORD, {"stated-length": 1, "piece-swallowed": 1}),
    "no record": (NO_RECORD, {"five-bytes": 1}),
    "a newline behind a length too long": (ONE + TOO_LONG + b"\n", {"truncated-class": 1}),
    "nothing behind a length too long": (ONE + TOO_LONG, {}),
    "cut": (ONE + TWO[:-30], {}),
    "no length": (ONE + with_length(TWO, 0) + THREE, {"length-below-five": 1, "record-swallowed": 1}),
    "no length and no directory at the end": (ONE + b"00000no record\x1d", {}),
    "a terminator in a sound record": (TERMINATOR, {}),
    "a terminator in another record": (changed(TERMINATOR, 30, b"0"), {"terminator-inside": 2}),
    "a byte too many before a record": (b"0" + ONE, {"start-inside": 1, "record-swallowed": 1}),
    "overlapping fields": (OVERLAPPING, {"overlapping-fields": 1}),
    "few overlapping fields": (overlapping(10, 6000), {}),
    "MARC-8": (record_bytes(("245", b"10\x1facaf\xe2e"), coding=" "), {}),
    "extended Cyrillic in G0": (record_bytes(("245", b"10\x1fa\x1b(Q@"), coding=" "), {"marc8-lost": 1}),
}


@pytest.mark.parametrize(("data", "expected"), BESIDE_PYMARC.values(), ids=BESIDE_PYMARC)
def test_kinds_beside_pymarc(data: bytes, expected: dict[str, int]) -> None:
    assert pieces_by_kind(compare_pymarc("x", data)) == expected


BESIDE_YAZ = {
    "all alike": (ONE + TWO, {}),
    "no possible length": (
        ONE + with_length(TWO, 7) + THREE + NO_RECORD,
        {"yaz-record-behind-stop": 1, "yaz-piece-behind-stop": 1},
    ),
    "a length too long": (ONE + TOO_LONG + THREE, {"yaz-start-inside": 1, "yaz-record-swallowed": 1}),
    "a length too short": (ONE + with_length(TWO, len(TWO) - 10) + THREE, {"yaz-reads-on": 1}),
    "a newline between": (ONE + b"\n" + TWO + b"\n", {}),
    "another format": (b"<?xml version='1.0'?><collection/>", {"yaz-foreign-format": 1, "yaz-digit-in-piece": 1}),
    "a length that reaches into text": (ONE + TOO_LONG + NO_RECORD, {"yaz-reads-on": 1, "yaz-piece-swallowed": 1}),
    "a terminator lost": (ONE + TWO[:-1] + THREE, {"yaz-start-inside": 1, "yaz-record-swallowed": 1}),
    "no record": (NO_RECORD + ONE, {"yaz-piece-skipped": 1}),
    "a sign": (changed(ONE, 0, b"+"), {"yaz-no-digit-first": 2}),
    "a byte before a damaged record": (
        b"x" + changed(ONE, 12, b"99999"),
        {"yaz-piece-skipped": 1, "yaz-record-in-piece": 1},
    ),
    "overlapping fields": (OVERLAPPING, {"yaz-overlapping-fields": 1}),
    "a leader above 7F": (changed(ONE, 22, b"\xed"), {"yaz-byte-above-7f": 1}),
    "no UTF-8": (record_bytes(("245", b"10\x1facaf\xe9")), {"yaz-invalid-utf-8": 1}),
    "a wrong base address": (changed(ONE, 12, b"99999"), {"yaz-no-directory": 1}),
    "a leader without entry map": (changed(ONE, 20, b"    "), {"yaz-leader-default": 1}),
    "three indicators": (changed(record_bytes(("245", b"100\x1faTitle")), 10, b"3"), {"yaz-indicator-count": 1}),
    "no indicators": (record_bytes(("245", b"\x1faTitle")), {"yaz-bytes-before-code": 1}),
    "text before the first code": (record_bytes(("245", b"10Title\x1fbRest")), {"yaz-bytes-before-code": 1}),
    "subfields in 001": (record_bytes(("001", b"00\x1fa123"), TITLE), {"yaz-subfields-in-001": 1}),
    "a code above 7F": (record_bytes(("245", b"10\x1f\xc3\xa1Title")), {"yaz-code-above-7f": 1}),
    "codes of two bytes": (changed(record_bytes(TITLE), 11, b"3"), {"yaz-code-length": 1}),
    "a terminator in a field": (record_bytes(("001", b"1\x1e2"), TITLE), {"yaz-terminator-in-field": 1}),
    "a terminator in a subfield": (record_bytes(("245", b"10\x1faTi\x1etle")), {"yaz-terminator-in-field": 1}),
    "NUL": (record_bytes(("245", b"10\x1faTi\0tle")), {"yaz-nul": 1}),
    "a letter in the tag": (record_bytes(("00A", b"abc"), TITLE), {"yaz-letter-in-00x": 1}),
    "a wrong place of a field": (changed(ONE, 47, b"5"), {"yaz-damaged-record": 1}),
}


@needs_yaz
@pytest.mark.parametrize(("data", "expected"), BESIDE_YAZ.values(), ids=BESIDE_YAZ)
def test_kinds_beside_yaz(data: bytes, expected: dict[str, int], tmp_path: Path) -> None:
    assert pieces_by_kind(compare_yaz("x", written(tmp_path, data))) == expected


def pieces_by_kind(result: Comparison) -> dict[str, int]:
    return {kind: pieces for kind, (pieces, _) in result.counts().items()}


def written(folder: Path, data: bytes) -> Path:
    path = folder / "data.mrc"
    path.write_bytes(data)
    return path


def test_every_kind_has_an_example() -> None:
    examples = [kinds for _, kinds in (*BESIDE_PYMARC.values(), *BESIDE_YAZ.values())]
    assert {kind for kinds in examples for kind in kinds} == {*KINDS["pymarc"], *KINDS["yaz"]}


# What the other side must not give: if it did, the comparison has to notice.
WRONG = {
    "a record less": ONE + THREE,
    "another title": ONE + book(2, "Titel 2") + THREE,
    "another tag": ONE + changed(TWO, 24, b"003") + THREE,
    "another indicator": ONE + TWO.replace(b"10\x1fa", b"11\x1fa") + THREE,
    "another code": ONE + TWO.replace(b"10\x1fa", b"10\x1fb") + THREE,
    "another leader": ONE + changed(TWO, 6, b"e") + THREE,
    "a record more": ONE + TWO + THREE + ONE,
    "no record": ONE + changed(TWO, 12, b"00000") + THREE,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_wrong_answers_of_pymarc_are_unexplained(wrong: bytes) -> None:
    theirs = differences.answers_of_pymarc(wrong)
    result = compare("pymarc", "x", ONE + TWO + THREE, theirs, differences.kinds_beside_pymarc)
    assert UNEXPLAINED in result.counts()


@needs_yaz
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_wrong_answers_of_yaz_are_unexplained(wrong: bytes, tmp_path: Path) -> None:
    theirs = differences.answers_of_yaz(written(tmp_path, wrong), wrong)
    result = compare("yaz", "x", ONE + TWO + THREE, theirs, differences.kinds_beside_yaz)
    assert UNEXPLAINED in result.counts()


# ---- files made by the generator, and damaged at random ----


@pytest.mark.parametrize("kind", ["utf8", "marc8", "mixed", "demo", "damaged"])
def test_generated_beside_pymarc(kind: str) -> None:
    result = compare_pymarc(kind, generate(kind, 300, 12)[0])
    assert result.of(UNEXPLAINED) == []
    assert result.ours["record"] > 250


@needs_yaz
@pytest.mark.parametrize("kind", ["utf8", "marc8", "mixed", "demo", "damaged"])
def test_generated_beside_yaz(kind: str, tmp_path: Path) -> None:
    result = compare_yaz(kind, written(tmp_path, generate(kind, 300, 12)[0]))
    assert result.of(UNEXPLAINED) == []
    assert result.ours["record"] > 250


def damaged_inputs(count: int, seed: int) -> Iterator[bytes]:
    """One to four records, one of them with one to four bytes changed, put in or taken out."""
    rng = random.Random(seed)
    sound = [record + b"\x1d" for kind in ("utf8", "marc8") for record in generate(kind, 60, 3)[0].split(b"\x1d")[:-1]]
    for _ in range(count):
        records = [bytearray(rng.choice(sound)) for _ in range(rng.randint(1, 4))]
        victim = rng.choice(records)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(victim) if rng.random() < 0.3 else min(len(victim), 320))
            byte = rng.choice(b"\x1d\x1e\x1f \x00a0129+-_\x80\xc3\xa9\xff\n")
            victim[at : at + rng.randint(0, 1)] = bytes([byte]) * rng.randint(0, 1)
        yield b"".join(records)


def assert_explained(results: Iterable[Comparison]) -> None:
    """All differences are of the kinds, and not all of one."""
    found: set[str] = set()
    for result in results:
        assert result.of(UNEXPLAINED) == []
        found |= result.counts().keys()
    assert len(found) >= 9


@pytest.mark.parametrize("count", [1_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_random_damage_beside_pymarc(count: int) -> None:
    assert_explained(compare_pymarc("x", data) for data in damaged_inputs(count, 1))


@needs_yaz
@pytest.mark.parametrize("count", [200, pytest.param(2_000, marks=pytest.mark.slow)])
def test_random_damage_beside_yaz(count: int, tmp_path: Path) -> None:
    assert_explained(compare_yaz("x", written(tmp_path, data)) for data in damaged_inputs(count, 1))


# ---- the document ----


@cache
def corpus_beside(peer: str) -> Comparison:
    need_corpus()
    total = Comparison(peer)
    for path in differences.whole_corpus():
        name = name_of(path)
        total.add(compare_pymarc(name, path.read_bytes()) if peer == "pymarc" else compare_yaz(name, path))
    return total


def rows(begins_with: str) -> list[list[str]]:
    """The cells of the rows of the document whose first cell matches."""
    lines = re.findall(rf"^\| *({begins_with}) *\|(.*)\|$", DOCUMENT.read_text(encoding="utf-8"), re.M)
    return [[first, *(cell.strip() for cell in rest.split("|"))] for first, rest in lines]


def rows_of_kinds(cells: int) -> dict[str, list[str]]:
    """Those of the kinds that occur in the corpus have 7 cells, those of the others 4."""
    found = [row for row in rows(r"`[\w-]+`") if len(row) == cells]
    named = {row[0].strip("`"): row for row in found}
    assert len(named) == len(found), "no kind stands there twice"
    assert all(all(row) for row in found)
    return named


def test_document_has_every_kind_in_order() -> None:
    kinds = [*KINDS["pymarc"], *KINDS["yaz"]]
    counted, others = rows_of_kinds(7), rows_of_kinds(4)
    assert list(counted) == [kind for kind in kinds if kind not in others]
    assert list(others) == [kind for kind in kinds if kind not in counted]


def assert_document_says(result: Comparison) -> None:
    """The counts and the examples of the kinds are those measured."""
    assert result.of(UNEXPLAINED) == []
    documented = {kind: row for kind, row in rows_of_kinds(7).items() if kind in KINDS[result.peer]}
    assert result.counts() == {kind: (int(row[1]), int(row[2])) for kind, row in documented.items()}
    for kind, row in documented.items():
        file, number, offset = row[4].split(", ")
        assert Difference(kind, file.strip("`"), int(number), int(offset)) in result.of(kind)


def test_corpus_beside_pymarc() -> None:
    assert_document_says(corpus_beside("pymarc"))


@needs_yaz
def test_corpus_beside_yaz() -> None:
    assert_document_says(corpus_beside("yaz"))


def totals(result: Comparison) -> list[str]:
    """The cells of a row of the table of what was compared."""
    numbers = [result.files, result.size]
    for counter in (result.ours, result.theirs, result.alike):
        numbers += [counter["record"], counter["none"]]
    return [str(number) for number in numbers]


def totals_of_document(name: str, peer: str) -> list[str]:
    (found,) = [cells for cells in rows(re.escape(name)) if cells[1] == peer]
    return found[2:]


def test_totals_of_the_corpus_beside_pymarc() -> None:
    assert totals(corpus_beside("pymarc")) == totals_of_document("corpus", f"pymarc {PYMARC}")


@needs_yaz
def test_totals_of_the_corpus_beside_yaz() -> None:
    assert totals(corpus_beside("yaz")) == totals_of_document("corpus", f"YAZ {YAZ}")


def test_what_salvage_adds() -> None:
    delivered = foreign = 0
    for path in need_corpus() and differences.whole_corpus():
        reader = libmarc.MARCReader(path, on_error="salvage")
        for record in differences.without_warnings(reader):
            delivered += record is not None
            foreign += record is None and differences.is_foreign(reader.current_exception)
    rejected, delivered = corpus_beside("pymarc").ours["none"], delivered - corpus_beside("pymarc").ours["record"]
    assert f"Of the {rejected} rejected pieces of the corpus, {foreign} are files" in DOCUMENT.read_text(
        encoding="utf-8"
    )
    assert 0.9 * (rejected - foreign) < delivered < rejected - foreign


def test_library_of_congress_sample(tmp_path: Path) -> None:
    sample = head_of(loc_file(), 3000)
    results = [compare_pymarc("sample", sample)]
    if yaz_version() == YAZ:
        results.append(compare_yaz("sample", written(tmp_path, sample)))
    for result in results:
        assert (result.counts(), result.alike) == ({}, {"record": 3000})


@pytest.mark.slow
def test_library_of_congress_beside_pymarc() -> None:
    result = compare_pymarc("whole", loc_file().read_bytes())
    assert result.counts() == {}
    assert totals(result) == totals_of_document("Library of Congress", f"pymarc {PYMARC}")


@pytest.mark.slow
@needs_yaz
def test_library_of_congress_beside_yaz() -> None:
    result = compare_yaz("whole", loc_file())
    assert result.counts() == {}
    assert totals(result) == totals_of_document("Library of Congress", f"YAZ {YAZ}")


# ---- what is different on purpose ----


def answers(module: Any, source: Any) -> list[str]:
    """The 001 of every record, and the class of every error."""
    reader = module.MARCReader(source)
    return [record["001"].data if record else type(reader.current_exception).__name__ for record in reader]


def test_goes_on_after_a_fatal_error() -> None:
    data = ONE + changed(TWO, 0, b"12x45") + THREE
    assert answers(pymarc, data) == ["n000001", "RecordLengthInvalid"]
    assert answers(libmarc, data) == ["n000001", "RecordLengthInvalid", "n000003"]


def test_the_chunk_is_the_whole_piece() -> None:
    chunks = []
    for module in (pymarc, libmarc):
        reader = module.MARCReader(NO_RECORD)
        assert next(reader) is None
        chunks.append(reader.current_chunk)
    assert chunks == [NO_RECORD[:5], NO_RECORD]


@pytest.mark.parametrize("silent", [b"\n", b"\r\n", b" ", bytes(9), b"\x1a", b"\xef\xbb\xbf", b"\x1d"])
def test_silent_bytes_are_no_error(silent: bytes) -> None:
    assert answers(pymarc, ONE + silent)[1:] in (["TruncatedRecord"], ["RecordLengthInvalid"])
    assert answers(pymarc, ONE + silent + TWO) != answers(libmarc, ONE + TWO)
    assert answers(libmarc, silent + ONE + silent + TWO + silent) == ["n000001", "n000002"]
    reader = libmarc.MARCReader(ONE + silent)
    assert len(list(reader)) == 1
    assert reader.stats.junk_bytes == len(silent)


def test_a_garbled_record_says_so() -> None:
    garbled = changed(ONE, 47, b"5")
    ours, theirs = next(libmarc.MARCReader(garbled)), next(pymarc.MARCReader(garbled))
    assert ours["245"].value() == theirs["245"].value() != next(libmarc.MARCReader(ONE))["245"].value()
    assert ours.problems


def test_a_newline_behind_a_length_too_long() -> None:
    assert answers(pymarc, TOO_LONG + b"\n") == ["TruncatedRecord"]
    assert answers(libmarc, TOO_LONG + b"\n") == ["EndOfRecordNotFound"]
    assert answers(libmarc, TOO_LONG) == answers(pymarc, TOO_LONG) == ["TruncatedRecord"]


def test_a_length_below_five() -> None:
    data = with_length(ONE, 0) + TWO
    assert answers(pymarc, data) == ["n000001"]
    assert answers(libmarc, data) == ["n000001", "n000002"]


@pytest.mark.parametrize("begin", [b"\x1f\x8b\x08", b"BZh9", b"PK\x03\x04", b"<?xml", b"<html>", b'{"', b"=LDR  "])
def test_a_foreign_format_is_one_piece(begin: bytes) -> None:
    data = begin + b"something else " * 100
    assert answers(libmarc, data) == answers(pymarc, data) == ["RecordLengthInvalid"]
    reader = libmarc.MARCReader(data)
    assert next(reader) is None
    assert (reader.current_chunk, type(reader.current_exception)) == (data, libmarc.RecordLengthInvalid)
    assert reader.current_exception is not None
    assert lib.MARC_BAD_UTF16 <= reader.current_exception.code <= lib.MARC_BAD_GZIP


def test_overlapping_fields() -> None:
    reader = libmarc.MARCReader(OVERLAPPING)
    assert next(reader) is None
    assert type(reader.current_exception) is libmarc.RecordDirectoryInvalid
    assert reader.current_exception.code == lib.MARC_BAD_OVERLAP
    assert len(next(pymarc.MARCReader(OVERLAPPING)).fields) == 100
    few = overlapping(10, 6000)
    assert len(next(libmarc.MARCReader(few)).fields) == len(next(pymarc.MARCReader(few)).fields) == 10


def test_a_piece_above_the_largest_size() -> None:
    data = ONE + b"x" * 500 + TWO
    reader = libmarc.MARCReader(data, largest_record=100)
    assert [record and record["001"].data for record in reader] == ["n000001", None, "n000002"]
    reader = libmarc.MARCReader(data[len(ONE) :], largest_record=100)
    assert next(reader) is None
    assert type(reader.current_exception) is libmarc.RecordTooLarge


@pytest.mark.parametrize("data", [NO_RECORD, TOO_LONG, changed(ONE, 12, b"99999"), changed(ONE, 12, b"00000")])
def test_the_text_of_an_error_begins_with_that_of_pymarc(data: bytes) -> None:
    texts = []
    for module in (pymarc, libmarc):
        reader = module.MARCReader(data)
        assert next(reader) is None
        texts.append(str(reader.current_exception))
    assert texts[1].startswith(f"{texts[0]}: ")
    assert "record 1, offset " in texts[1]


def test_a_key_error_has_the_key() -> None:
    for module, arguments in ((pymarc, [(), ()]), (libmarc, [("999",), ("z",)])):
        record = next(module.MARCReader(ONE))
        with pytest.raises(KeyError) as no_field:
            record["999"]
        with pytest.raises(KeyError) as no_subfield:
            record["245"]["z"]
        assert [no_field.value.args, no_subfield.value.args] == arguments


def test_close_leaves_the_file_open() -> None:
    files = [io.BytesIO(ONE + TWO) for _ in range(2)]
    for module, file in zip((pymarc, libmarc), files):
        reader = module.MARCReader(file)
        next(reader)
        reader.close()
    assert [file.closed for file in files] == [True, False]
    assert files[1].tell() == len(ONE)


def test_what_can_be_read() -> None:
    with pytest.raises(AttributeError):
        next(pymarc.MARCReader(bytearray(ONE)))
    assert answers(libmarc, bytearray(ONE)) == ["n000001"]
    pymarc.MARCReader(2709)
    with pytest.raises(TypeError):
        libmarc.MARCReader(2709)


def test_marc8_that_pymarc_loses() -> None:
    for content, text in (
        (b"\x1b(Q@", "ґ"),  # extended Cyrillic in G0
        (b"\x1b(4!", pymarc.marc8.marc8_to_unicode(b"\x1b)4\xa1")),  # extended Arabic
        (b"\x1b)!E\xe2e", "é"),  # back to ANSEL
        (b"\x1b)N\xc0", "ю"),  # Cyrillic in G1
        (b"\x1b$)1\xa1\xb0\xb0", "丢"),  # EACC in G1
    ):
        data = record_bytes(("245", b"10\x1fa" + content), coding=" ")
        assert next(libmarc.MARCReader(data)).title == text
        with contextlib.redirect_stderr(io.StringIO()) as lines:
            assert pymarc.marc8.marc8_to_unicode(content) != text
        assert "Unable to parse" in lines.getvalue()
