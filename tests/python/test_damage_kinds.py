"""Every kind of damage, against the truth that its generator knows: the neighbours arrive as they are, what is damaged
gets exactly the answer it should get in each mode, no byte is lost; whatever the source, and the sizes of its reads."""

from __future__ import annotations

import io
import itertools
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import boundary_reference
import damage
import pytest
from damage import Best, Deliver, Piece, Reject, Sequence
from pieces import pieces_of_bytes, pieces_of_callback, pieces_of_path
from support import Source, steps

from libmarc import MARCReader, Record
from libmarc._native import lib

pytestmark = pytest.mark.filterwarnings("ignore:The subfield contained a non-ASCII subfield code")

KINDS = list(damage.KINDS)
every_kind = pytest.mark.parametrize("name", KINDS)

#: At most so many bytes at once from a source; None: all that is asked for.
READS = (1, 2, 7, 4096, None)
SMALLEST_CHUNK = 64

#: Each row of the table of what other readers make of three records, the middle one damaged, and its kinds here.
ROWS = {
    "leader length +10": ("length-ten-too-long", "end-with-a-length-too-long"),
    "leader length -10": ("length-ten-too-short", "end-with-a-length-too-short"),
    "length 00000": ("length-zero",),
    "length 99999, short record": ("length-saturated",),
    "length abcde": ("length-letters",),
    "record terminator missing": ("record-end-missing", "end-without-a-record-end"),
    "last field terminator missing": ("last-field-end-missing",),
    "LF / CRLF between records": ("gap-line-feed", "gap-carriage-return-line-feed", "gap-on-both-sides"),
    "xyz between records": ("gap-three-letters",),
    "directory: non-digit length": ("entry-length-letters",),
    "directory one byte short": ("entry-one-byte-short",),
    "base address wrong": ("base-one-too-far", "base-one-too-near", "base-zero"),
    "field offset out of range": ("one-start-past-the-end",),
    "last record cut short": ("end-in-a-field", "end-in-the-directory", "end-in-the-leader"),
    "120 KB record, length/offset 99999": ("record-too-long-saturated",),
    "120 KB record, length 00000": ("record-too-long-and-length-zero", "record-too-long-and-starts-zero"),
    "12 KB field, length 9999": ("field-too-long-saturated",),
    "invalid UTF-8, flag a": ("text-with-a-byte-of-latin-1",),
    "UTF-8 flagged MARC-8 (blank)": ("text-in-utf-8-flagged-as-marc-8",),
    "MARC-8 flagged UTF-8": ("text-in-marc-8-flagged-as-utf-8",),
    "character reference in MARC-8": ("text-in-marc-8-with-a-character-reference",),
}


@cache
def sequence(name: str) -> Sequence:
    return damage.generate(name)


def loud(truth: list[Piece]) -> list[Piece]:
    return [piece for piece in truth if piece.kind != "silent"]


def code_of(name: str) -> int:
    code: int = getattr(lib, name)
    return code


# ---- what a reader gives ----


class Given(NamedTuple):
    """A record: its fields and problems. A rejected piece: the error."""

    raw: bytes
    offset: int
    fields: list[Any] | None
    problems: tuple[Any, ...]
    error: dict[str, Any]


class Reading(NamedTuple):
    items: list[Given]
    stats: dict[str, Any]


def flat(record: Record) -> list[Any]:
    return [
        (field.tag, field.data) if field.control_field else (field.tag, *field.indicators, *map(tuple, field.subfields))
        for field in record.fields
    ]


def of_record(record: Record) -> Given:
    raw = record.raw
    assert raw is not None
    assert record.byte_length == len(raw)
    return Given(raw, record.byte_offset, flat(record), record.problems, {})


def of_error(problem: Any, chunk: bytes | None) -> Given:
    assert problem.chunk == chunk
    text = str(problem)
    assert text.isprintable()  # of one line
    places = ("code", "record_index", "byte_offset", "control_number", "tag")
    error = {"class": type(problem).__name__, "text": text, **{place: getattr(problem, place) for place in places}}
    return Given(problem.chunk, problem.byte_offset, None, (), error)


def read(source: Any, mode: str, size: int, **options: Any) -> Reading:
    """All of a source, with every byte accounted for."""
    reader = MARCReader(source, on_error=mode, **options)
    items = []
    for record in reader:
        if record is None:
            items.append(of_error(reader.current_exception, reader.current_chunk))
        else:
            assert reader.current_exception is None
            items.append(of_record(record))
    return Reading(items, stats_of(reader, size))


STATS = (
    "records", "delivered", "repaired", "rejected", "bytes_read", "bytes_delivered", "bytes_rejected", "junk_bytes",
)  # fmt: skip


def stats_of(reader: MARCReader, size: int) -> dict[str, Any]:
    stats = reader.stats
    assert stats.records == stats.delivered + stats.rejected
    assert sum(stats.errors_by_code.values()) == stats.rejected
    assert stats.bytes_delivered + stats.bytes_rejected + stats.junk_bytes == stats.bytes_read == size
    return {**{name: getattr(stats, name) for name in STATS}, "errors": dict(stats.errors_by_code)}


def sources(data: bytes, path: Path) -> Iterator[tuple[Any, dict[str, int]]]:
    """The same bytes in every way: by path, from memory, as a file, by a read method that gives a few bytes at once."""
    path.write_bytes(data)
    yield path, {}
    yield path, {"_chunk_bytes": SMALLEST_CHUNK}
    yield path, {"_chunk_bytes": 4096}
    yield data, {}
    yield data, {"_chunk_bytes": SMALLEST_CHUNK}
    yield data, {"_chunk_bytes": 4096}
    yield io.BytesIO(data), {}
    with path.open("rb") as file:
        yield file, {}
    for most in READS:
        yield Source(data, most), {}
    yield Source(data), {"_chunk_bytes": SMALLEST_CHUNK}


# ---- comparing with the truth ----


def same_fields(found: list[Any], expected: list[Any]) -> bool:
    """Whether fields are equal; an expected tag that is None may be any."""
    return len(found) == len(expected) and all(
        ours == theirs or (theirs[0] is None and ours[1:] == theirs[1:]) for ours, theirs in zip(found, expected)
    )


def check_fields(found: list[Any], best: Best) -> None:
    if not any(same_fields(found[: len(fields)] if best.open else found, fields) for fields in best.fields):
        assert found == best.fields[0]  # shows the difference


def check_codes(given: Given, piece: Piece, codes: tuple[str, ...]) -> None:
    """One of the codes is among the notes, or any note where no code is known; each is about a place in the piece."""
    found = {problem.code for problem in given.problems}
    assert found & set(map(code_of, codes)) if codes else found, (given.problems, codes)
    for problem in given.problems:
        assert piece.begin <= problem.byte_offset <= piece.end
        assert problem.message


def check_record(given: Given, piece: Piece) -> None:
    assert given.fields is not None, given.error
    assert given.offset == piece.begin


def check_rejected(given: Given, piece: Piece, reason: Reject, control: str | None) -> None:
    """`control`: the only control number that may be told of the piece."""
    assert given.fields is None, "it is delivered"
    error = given.error
    found = (error["class"], error["code"], error["byte_offset"], error["tag"])
    assert found == (reason.error, code_of(reason.code), piece.begin + reason.at, reason.tag)
    assert error["control_number"] in (None, control)


def check_none(given: Given, piece: Piece, control: str | None) -> None:
    if isinstance(piece.none, Reject):
        check_rejected(given, piece, piece.none, control)
        return
    check_record(given, piece)
    assert isinstance(piece.none, Deliver)
    if piece.none.codes:
        check_codes(given, piece, piece.none.codes)
    else:
        assert given.problems == ()


def check_salvage(given: Given, piece: Piece, control: str | None) -> None:
    best = piece.best
    assert best is not None
    if best.fate == "either" and given.fields is None:
        return
    if best.fate == "rejected":
        assert isinstance(piece.none, Reject)
        check_rejected(given, piece, piece.none, control)
        return
    check_record(given, piece)
    assert given.fields is not None
    if best.fate == "sound":
        assert given.problems == ()
    else:
        check_codes(given, piece, best.codes)
    if best.fate != "either":
        check_fields(given.fields, best)


def check(reading: Reading, data: bytes, truth: list[Piece], controls: list[dict[str, str]], mode: str) -> None:
    """`controls`: for each piece, the control numbers of the records around it."""
    assert [item.raw for item in reading.items] == [data[piece.begin : piece.end] for piece in truth]
    for index, (item, piece, known) in enumerate(zip(reading.items, truth, controls)):
        if mode == "none":
            check_none(item, piece, known.get(piece.whose))
        else:
            check_salvage(item, piece, known.get(piece.whose))
        if item.fields is None:
            assert item.error["record_index"] == index
        if piece.whose in ("A", "C", "D"):
            assert piece.best is not None
            assert (item.fields, item.problems) == (piece.best.fields[0], ())
    check_stats(reading, truth, mode)


def check_stats(reading: Reading, truth: list[Piece], mode: str) -> None:
    stats = reading.stats
    rejected = [item for item in reading.items if item.fields is None]
    assert (stats["records"], stats["rejected"]) == (len(truth), len(rejected))
    assert stats["bytes_rejected"] == sum(len(item.raw) for item in rejected)
    assert stats["errors"] == Counter(item.error["code"] for item in rejected)
    fates = Counter(piece.best.fate for piece in truth if piece.best is not None)
    # What is noted may be a repair, or something that is only told.
    most = fates["repaired"] + fates["noted"] + fates["either"]
    assert fates["repaired"] <= stats["repaired"] <= most if mode == "salvage" else stats["repaired"] == 0


# ---- one kind at a time ----


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests: there are thousands of them."""
    return tmp_path_factory.mktemp("damage")


@every_kind
@pytest.mark.parametrize("mode", ["none", "salvage"])
def test_kind(name: str, mode: str, folder: Path) -> None:
    """The truth, from memory; then the same from every source, whatever the sizes of its reads."""
    made = sequence(name)
    data, truth = made.data, loud(made.pieces)
    expected = read(data, mode, len(data))
    check(expected, data, truth, [made.control] * len(truth), mode)
    for source, options in sources(data, folder / "sequence.mrc"):
        assert read(source, mode, len(data), **options) == expected, (source, options)


def check_status(found: Any, piece: Piece, mode: int) -> None:
    assert piece.best is not None
    best = mode == lib.MARC_PARSE_BEST
    assert best or not found.flags & lib.MARC_REC_REPAIRED
    if best and piece.best.fate == "either":
        return
    if isinstance(piece.none, Reject) and (not best or piece.best.fate == "rejected"):
        # A code that is only noted here is the reason in Python, where subfield codes become text.
        expected = code_of(piece.none.code) if piece.none.code.startswith("MARC_BAD") else lib.MARC_OK
        assert found.status == expected
    else:
        assert found.status == lib.MARC_OK


@every_kind
def test_kind_in_c(name: str, folder: Path) -> None:
    """The same pieces and verdicts through the C interface, in both parse modes."""
    made = sequence(name)
    data, truth = made.data, loud(made.pieces)
    path = folder / "sequence.mrc"
    path.write_bytes(data)
    for mode in (lib.MARC_PARSE_PYMARC, lib.MARC_PARSE_BEST):
        expected = pieces_of_bytes(data, parse_mode=mode)
        assert [piece[:3] for piece in expected] == [(piece.kind, piece.begin, piece.end) for piece in truth]
        assert [piece.index for piece in expected] == list(range(len(truth)))
        for found, piece in zip(expected, truth):
            check_status(found, piece, mode)
        for chunk in (SMALLEST_CHUNK, 4096):
            assert pieces_of_bytes(data, parse_mode=mode, chunk_bytes=chunk) == expected
            assert pieces_of_path(path, len(data), parse_mode=mode, chunk_bytes=chunk) == expected
        for most in READS:
            sizes = itertools.repeat(most or len(data))
            assert pieces_of_callback(data, sizes, parse_mode=mode, chunk_bytes=SMALLEST_CHUNK) == expected


@every_kind
def test_kind_is_judged_by_pymarc_alike(name: str) -> None:
    """pymarc, asked about each piece alone: its exceptions, and its fields where it sees a record. (It judges the
    truth as well.)"""
    from pymarc_oracle import flat as flat_of_pymarc
    from pymarc_oracle import verdict

    made = sequence(name)
    for item, piece in zip(read(made.data, "none", len(made.data)).items, loud(made.pieces)):
        record, problem = verdict(item.raw, is_last=piece.end == len(made.data))
        if isinstance(piece.none, Reject):
            assert record is None
            assert type(problem).__name__ == piece.none.error
            assert item.fields is None
        else:
            assert record is not None, problem
            assert item.fields == flat_of_pymarc(record)


@pytest.mark.parametrize("name", [name for name, kind in damage.KINDS.items() if kind.group in ("length", "base")])
def test_control_number_is_told(name: str) -> None:
    """Where the directory is whole, an error names the record that it is about."""
    made = sequence(name)
    for item in read(made.data, "none", len(made.data)).items:
        assert item.fields is not None or item.error["control_number"] == made.control["B"]


@every_kind
def test_kind_has_the_borders_of_the_rule(name: str) -> None:
    """The plain reference of the boundary rule makes the same pieces. (It judges the truth.)"""
    for made in (sequence(name), damage.generate(name, 2), damage.generate(name, 3)):
        expected = list(boundary_reference.pieces(made.data))
        assert [(piece.kind, piece.begin, piece.end) for piece in made.pieces] == expected


@every_kind
def test_kind_raised_and_skipped(name: str) -> None:
    """The same items as in mode "none": what is rejected is raised and the next call goes on; or it is passed over."""
    data = sequence(name).data
    expected = read(data, "none", len(data))
    reader = MARCReader(data, on_error="raise")
    items = []
    for step in steps(reader):
        if isinstance(step, Exception):
            items.append(of_error(step, reader.current_chunk))
        else:
            assert step is not None
            items.append(of_record(step))
    assert Reading(items, stats_of(reader, len(data))) == expected
    skipped = read(data, "skip", len(data))
    assert skipped == Reading([item for item in expected.items if item.fields is not None], expected.stats)


@every_kind
def test_rejected_pieces_are_collected(name: str, folder: Path) -> None:
    """Byte for byte, in order, and nothing else."""
    data = sequence(name).data
    for mode in ("none", "skip", "salvage"):
        judged = read(data, "none" if mode == "skip" else mode, len(data))
        expected = b"".join(item.raw for item in judged.items if item.fields is None)
        file, path = io.BytesIO(), folder / "rejected.mrc"
        path.unlink(missing_ok=True)
        for rejects in (file, path):
            with MARCReader(Source(data, 4096), on_error=mode, rejects=rejects) as reader:
                assert sum(1 for _ in reader) > 0
                assert reader.stats.bytes_rejected == len(expected)
        assert file.getvalue() == expected
        assert not expected or path.read_bytes() == expected


# ---- the table ----


@pytest.mark.parametrize("row", ROWS)
def test_row_of_the_table(row: str) -> None:
    """Three right records, or an exact error in the place of the damaged one; never a lost neighbour."""
    for name in ROWS[row]:
        made = sequence(name)
        for mode in ("none", "salvage"):
            items = read(made.data, mode, len(made.data)).items
            whose = {piece.begin: piece for piece in loud(made.pieces)}
            assert len(items) == len(whose)
            for item, piece in zip(items, whose.values()):
                assert piece.best is not None
                if piece.whose in ("A", "C", "D"):
                    assert (item.raw, item.fields) == (made.data[piece.begin : piece.end], piece.best.fields[0])
                elif item.fields is None:
                    assert isinstance(piece.none, Reject)
                    assert (item.error["class"], item.error["code"]) == (piece.none.error, code_of(piece.none.code))
                    assert mode == "none" or piece.best.fate == "rejected"
                elif mode == "salvage" or piece.best.fate == "sound":
                    check_fields(item.fields, piece.best)
                else:
                    assert item.problems  # as pymarc garbles it, and it says so


# ---- all kinds in one file ----


class Mixed(NamedTuple):
    data: bytes
    pieces: list[Piece]
    controls: list[dict[str, str]]  # of each piece


@cache
def mixed_kinds(seed: int) -> Mixed:
    """All kinds in one file, in any order; of those that begin or end an input, one each."""
    rng = random.Random(seed)
    by_shape: dict[str, list[str]] = {}
    for name, kind in damage.KINDS.items():
        by_shape.setdefault(kind.shape, []).append(name)
    names = rng.sample(by_shape["ABCD"], len(by_shape["ABCD"]))
    data, pieces, controls = b"", [], []
    for name in (rng.choice(by_shape["BACD"]), *names, rng.choice(by_shape["AB"])):
        made = damage.generate(name, seed)
        for piece in loud(made.pieces):
            at = len(data)
            pieces.append(
                Piece(piece.kind, at + piece.begin, at + piece.end, piece.whose, piece.none, piece.best),
            )
            controls.append(made.control)
        data += made.data
    return Mixed(data, pieces, controls)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("mode", ["none", "salvage"])
def test_all_kinds_in_one_file(seed: int, mode: str, folder: Path) -> None:
    mixed = mixed_kinds(seed)
    size = len(mixed.data)
    expected = read(mixed.data, mode, size)
    check(expected, mixed.data, mixed.pieces, mixed.controls, mode)
    for source, options in sources(mixed.data, folder / "mixed.mrc"):
        assert read(source, mode, size, **options) == expected, (source, options)


# ---- the generator ----


def test_there_are_many_kinds() -> None:
    assert len(KINDS) >= 70
    groups = Counter(kind.group for kind in damage.KINDS.values())
    assert {"length", "terminator", "gap", "cut", "beginning", "base", "entry", "directory", "leader"} <= set(groups)
    assert all(kind.what.endswith((".", ")")) and kind.name == name for name, kind in damage.KINDS.items())
    assert {name for names in ROWS.values() for name in names} <= set(KINDS)


@every_kind
def test_truth_is_complete(name: str) -> None:
    """Every byte is in a piece, A, C and D are whole and sound, and what is damaged has an answer in both modes."""
    made = sequence(name)
    assert [piece.begin for piece in made.pieces] == [0, *(piece.end for piece in made.pieces[:-1])]
    assert made.pieces[-1].end == len(made.data)
    assert all(piece.begin < piece.end for piece in made.pieces)
    neighbours = [piece for piece in made.pieces if piece.whose in ("A", "C", "D")]
    assert [piece.whose for piece in neighbours] == [whose for whose in made.kind.shape if whose != "B"]
    for piece in loud(made.pieces):
        assert isinstance(piece.none, (Reject, Deliver))
        assert piece.best is not None
        assert piece.best.fate in ("sound", "noted", "repaired", "rejected", "either")
        assert piece.best.fate in ("rejected", "either") or piece.best.fields
        assert isinstance(piece.none, Reject) or piece.best.fate != "rejected"
    for piece in neighbours:
        assert piece.best is not None
        assert (piece.kind, piece.none, piece.best.fate) == ("record", Deliver(), "sound")
    assert made.kind.ambiguous or not any(piece.best and piece.best.fate == "either" for piece in made.pieces)


@pytest.mark.parametrize("name", random.Random(5).sample(KINDS, 12))
def test_same_seed_same_bytes(name: str) -> None:
    assert damage.generate(name, 4) == damage.generate(name, 4)
    assert damage.generate(name, 4).data != damage.generate(name, 5).data


def test_records_are_varied() -> None:
    """Repeated tags, text beyond ASCII in several scripts, and different numbers of fields."""
    records = [
        piece.best.fields[0]
        for name in KINDS[:40]
        for piece in sequence(name).pieces
        if piece.whose in ("A", "C", "D") and piece.best is not None
    ]
    assert len({len(fields) for fields in records}) > 8
    assert sum(not repr(fields).isascii() for fields in records) > len(records) // 2
    repeated = [fields for fields in records if len({field[0] for field in fields}) < len(fields)]
    assert len(repeated) > len(records) // 3


def script(*arguments: str) -> str:
    path = Path(damage.__file__)
    done = subprocess.run([sys.executable, str(path), *arguments], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_script_lists_the_kinds() -> None:
    lines = script("--list").splitlines()
    assert len(lines) == len(KINDS)
    assert all(name in line.split() for name, line in zip(KINDS, lines))


def test_script_writes_sequence_and_map(tmp_path: Path) -> None:
    out, map_file = tmp_path / "sequence.mrc", tmp_path / "sequence.json"
    script("record-end-missing", "--out", str(out), "--map", str(map_file), "--seed", "3")
    made = damage.generate("record-end-missing", 3)
    assert out.read_bytes() == made.data
    loaded = json.loads(map_file.read_text("utf-8"))
    assert loaded == json.loads(json.dumps(made.as_dict()))
    assert [piece.get("whose") for piece in loaded["pieces"]] == ["A", "B", "C", "D"]
    assert loaded["pieces"][1]["none"]["error"] == "EndOfRecordNotFound"
    assert loaded["pieces"][1]["salvage"]["codes"] == ["MARC_NOTE_RECORD_END"]


@pytest.mark.parametrize("mode", ["none", "salvage"])
def test_checks_find_a_wrong_answer(mode: str) -> None:
    """An answer for another kind does not pass for the right one."""
    check_one = check_none if mode == "none" else check_salvage
    made = sequence("length-ten-too-long")
    given, piece = read(made.data, mode, len(made.data)).items[1], loud(made.pieces)[1]
    check_one(given, piece, made.control["B"])
    for other in ("base-zero", "entry-missing", "cut-in-a-field", "gap-digits"):
        with pytest.raises(AssertionError):
            check_one(given, loud(sequence(other).pieces)[1], None)
