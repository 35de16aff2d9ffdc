"""The generated files are what their maps say, and the maps are what the boundary rule says."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import io
import json
import random
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import boundary_reference
import pytest
from corpus import SHARED

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
sys.path.insert(0, str(FIXTURES))
generator: Any = importlib.import_module("generate")

COUNTS = {"mixed": 200, "utf8": 60, "marc8": 100, "large": 12, "demo": 60, "damaged": 250}
KINDS = sorted(COUNTS)


@cache
def generated(kind: str, seed: int = 1) -> tuple[bytes, Any]:
    result: tuple[bytes, Any] = generator.generate(kind, COUNTS[kind], seed)
    return result


class Parsed(NamedTuple):
    """A sound record, read the plain way: by its leader and its directory."""

    leader: str
    fields: list[tuple[str, bytes]]
    ends: list[int]  # of the fields, from the base address on

    def first(self, tag: str) -> bytes:
        return next((body for found, body in self.fields if found == tag), b"")


def parse(record: bytes) -> Parsed:
    base = int(record[12:17])
    fields, ends = [], []
    for at in range(24, base - 1, 12):
        size, offset = int(record[at + 3 : at + 7]), int(record[at + 7 : at + 12])
        ends.append(offset + size)
        assert record[base + ends[-1] - 1] == 0x1E
        fields.append((record[at : at + 3].decode(), record[base + offset : base + ends[-1] - 1]))
    return Parsed(record[:24].decode("ascii"), fields, ends)


def sound_records(kind: str) -> list[tuple[Any, Parsed]]:
    data, boundaries = generated(kind)
    sound = {piece.begin for piece in boundaries.pieces if piece.kind == "record"}
    return [(t, parse(data[t.begin : t.end])) for t in boundaries.records if t.begin in sound]


def subfields(body: bytes) -> list[bytes]:
    return body.split(b"\x1f")[1:]


def without_escapes(marc8: bytes) -> bytes:
    return re.sub(rb"\x1b(?:\(.|\$1)", b"", marc8)


# ---- the map ----


@pytest.mark.parametrize("kind", KINDS)
def test_map_covers_every_byte(kind: str) -> None:
    data, boundaries = generated(kind)
    assert [piece.begin for piece in boundaries.pieces] == [
        0,
        *(piece.end for piece in boundaries.pieces[:-1]),
    ]
    assert boundaries.pieces[-1].end == boundaries.size == len(data)
    assert all(piece.begin < piece.end for piece in boundaries.pieces)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_map_is_what_the_rule_says(kind: str, seed: int) -> None:
    data, boundaries = generated(kind, seed)
    assert boundaries.pieces == list(boundary_reference.pieces(data))
    assert generator.check(data, boundaries) is None


def test_check_finds_a_wrong_map() -> None:
    data, boundaries = generator.generate("mixed", 3, 1)
    boundaries.pieces[1] = generator.Piece("chunk", *boundaries.pieces[1][1:])
    assert "the map says" in generator.check(data, boundaries)
    assert "the rule 0" in generator.check(b"", generator.generate("mixed", 3, 1)[1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_truth_for_every_piece_that_is_not_silent(kind: str) -> None:
    _, boundaries = generated(kind)
    loud = [(piece.begin, piece.end) for piece in boundaries.pieces if piece.kind != "silent"]
    assert [(truth.begin, truth.end) for truth in boundaries.records] == loud
    controls = [truth.control for truth in boundaries.records if truth.control is not None]
    assert len(set(controls)) == len(controls) == COUNTS[kind]


def test_map_as_json() -> None:
    _, boundaries = generated("damaged")
    out = io.StringIO()
    boundaries.write(out)
    loaded = json.loads(out.getvalue())
    assert loaded["pieces"] == [list(piece) for piece in boundaries.pieces]
    assert [generator.Truth(**truth) for truth in loaded["records"]] == boundaries.records
    assert (loaded["kind"], loaded["count"], loaded["size"]) == ("damaged", 250, boundaries.size)


# ---- the same again ----


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_bytes(kind: str) -> None:
    data, boundaries = generated(kind)
    out, again = io.BytesIO(), generator.BoundaryMap(kind, COUNTS[kind], 1)
    size, digest = generator.write_file(kind, COUNTS[kind], 1, out, again)
    assert (size, digest) == (len(data), hashlib.sha256(data).hexdigest())
    assert out.getvalue() == data
    assert again == boundaries
    assert generated(kind, 2)[0] != data


def test_same_bytes_on_every_python() -> None:
    """One digest over all kinds. It changes with the generator, never with the version of Python."""
    digest = hashlib.sha256()
    for kind in KINDS:
        digest.update(generated(kind)[0])
    assert digest.hexdigest() == "03ea78101c481fcf749102bec6ca9450b09c092a9e2c8df6264d1c87977e63cc"


def test_more_records_begin_with_the_same_ones() -> None:
    longer, shorter = generator.generate("mixed", 40, 9)[0], generator.generate("mixed", 30, 9)[0]
    assert longer.startswith(shorter)


# ---- the records ----


@pytest.mark.parametrize("kind", KINDS)
def test_sound_records_are_what_their_leaders_say(kind: str) -> None:
    for truth, record in sound_records(kind):
        leader, base = record.leader, int(record.leader[12:17])
        assert int(leader[:5]) == truth.end - truth.begin == base + max(record.ends) + 1
        assert leader[10:12] + leader[20:] == "224500"
        assert base == 25 + 12 * len(record.fields)
        assert [tag for tag, _ in record.fields] == truth.tags
        assert (len(record.fields), record.first("001").decode()) == (truth.fields, truth.control)


@pytest.mark.parametrize("kind", KINDS)
def test_titles_are_in_the_bytes(kind: str) -> None:
    """UTF-8 as it is; in MARC-8 what the encoder makes of the title, escapes left aside."""
    for truth, record in sound_records(kind):
        parts = [part[1:] for part in subfields(record.first("245")) if part[:1] in (b"a", b"b")]
        if truth.title is None:
            assert not parts
            assert record.leader[6] in "zxy"
        elif record.leader[9] == "a":
            assert truth.title.encode("utf-8") == b" ".join(parts)
        else:
            assert without_escapes(generator.encode_marc8(truth.title)) == without_escapes(b" ".join(parts))


def test_utf8_is_valid_where_the_leader_says_so() -> None:
    for kind in ("mixed", "utf8", "damaged"):
        for truth, record in sound_records(kind):
            if record.leader[9] == "a" and truth.damage != "invalid UTF-8":
                b"".join(body for _, body in record.fields).decode("utf-8")
    assert {record.leader[9] for _, record in sound_records("utf8")} == {"a"}


def test_marc8_subfields_begin_and_end_in_ascii() -> None:
    records = sound_records("marc8")
    assert {record.leader[9] for _, record in records} == {" "}
    escapes: Counter[bytes] = Counter()
    for _, record in records:
        for subfield in (part for tag, body in record.fields if tag >= "010" for part in subfields(body)):
            assert not set(b"\x1d\x1e\x1f") & set(subfield)
            found = [run[:2] for run in subfield.split(b"\x1b")[1:]]
            escapes.update(found)
            assert not found or found[-1] == b"(B"
    assert set(escapes) == {b"(B", b"(N", b"(S", b"(2", b"(3", b"$1"}


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("née", b"n\xe2ee"),
        ("Łódź", b"\xa1\xe2od\xe2z"),
        ("việt ấ ờ", b"vi\xf2\xe3et \xe3\xe2a \xe1\xbc"),
        ("Größe ©", b"Gr\xe8o\xc7e \xc3"),
        ("История рек, 2", b"\x1b(NiSTORIQ REK\x1b(B, 2"),
        ("Γέφυρα", b'\x1b(SD"fzyua\x1b(B'),
        ("ספר א", b"\x1b(2qtx `\x1b(B"),
        ("كتاب", b"\x1b(3cJGH\x1b(B"),
        ("中国 の", b"\x1b$1!04K7o\x1b(B \x1b$1i$N\x1b(B"),
    ],
)
def test_marc8_vectors(text: str, encoded: bytes) -> None:
    assert generator.encode_marc8(text) == encoded


def test_marc8_refuses_what_it_has_no_code_for() -> None:
    with pytest.raises(ValueError, match="U\\+1F4DA"):
        generator.encode_marc8("📚")


def test_mixed_records_look_like_a_catalogue() -> None:
    data, _ = generator.generate("mixed", 2000, 5)
    pieces = list(boundary_reference.pieces(data))
    records = [parse(data[begin:end]) for _, begin, end in pieces]
    assert 1_300 < len(data) / len(records) < 1_700
    assert 0.17 < sum(record.leader[9] == " " for record in records) / len(records) < 0.23
    assert {"am", "as", "cm", "em", "gm", "jm", "z ", "x "} <= {record.leader[6:8] for record in records}
    bibliographic = [record for record in records if record.leader[6] not in "zxy"]
    assert {len(record.fields) for record in bibliographic} == set(range(20, 41))
    tags = [[tag for tag, _ in record.fields] for record in bibliographic]
    assert any(found != sorted(found) for found in tags)
    assert any(ends != sorted(ends) for ends in (record.ends for record in bibliographic))
    assert sum(any(tag.isalpha() for tag in found) for found in tags) > 20
    empty = sum(len(part) == 1 for r in records for tag, body in r.fields if tag > "009" for part in subfields(body))
    assert 50 < empty < 2_000


def isbn_is_valid(isbn: str) -> bool:
    digits = [10 if digit == "X" else int(digit) for digit in isbn]
    if len(digits) == 10:
        return sum((10 - at) * digit for at, digit in enumerate(digits)) % 11 == 0
    return len(digits) == 13 and sum((1, 3)[at % 2] * digit for at, digit in enumerate(digits)) % 10 == 0


def test_isbns_have_valid_check_digits() -> None:
    records = [record for _, record in sound_records("mixed")]
    isbns = [subfields(body)[0][1:].decode() for record in records for tag, body in record.fields if tag == "020"]
    assert len(isbns) > 50
    assert all(map(isbn_is_valid, isbns))


def test_large_records() -> None:
    data, boundaries = generated("large")
    sizes = [piece.end - piece.begin for piece in boundaries.pieces]
    assert all(10_000 <= size <= 99_999 for size in sizes)
    assert data[:5] == b"99999"
    assert 99_999 in sizes
    longest = [max(len(body) + 1 for _, body in record.fields) for _, record in sound_records("large")]
    assert max(longest) == 9_999


# ---- damage ----


def test_demo_has_every_damage_once() -> None:
    data, boundaries = generated("demo")
    places = generator.schedule("demo", COUNTS["demo"])
    assert sorted(places.values()) == sorted(generator.DEMO_DAMAGE)
    damaged = {t.damage: (t, data[t.begin : t.end]) for t in boundaries.records if t.damage}
    assert set(damaged) == set(generator.DEMO_DAMAGE) - {"newlines"}
    kinds = {piece.begin: piece.kind for piece in boundaries.pieces}
    assert [name for name, (t, _) in damaged.items() if kinds[t.begin] == "record"] == ["invalid UTF-8"]

    raw = {name: record for name, (_, record) in damaged.items()}
    assert int(raw["length too long"][:5]) > len(raw["length too long"])
    assert int(raw["length too short"][:5]) < len(raw["length too short"])
    assert not raw["length not digits"][:5].isdigit()
    assert raw["no record terminator"][-1:] == b"\x1e"
    assert b"\x1d" not in raw["junk text"] + raw["no record terminator"] + raw["cut in the middle"]
    assert len(raw["truncated directory"]) == int(raw["truncated directory"][:5]) - 7
    with pytest.raises(UnicodeDecodeError):
        raw["invalid UTF-8"].decode("utf-8")
    assert raw["invalid UTF-8"][9:10] == b"a"
    assert data.endswith(raw["cut at the end"])
    assert len(raw["cut at the end"]) < int(raw["cut at the end"][:5])
    silent = [data[piece.begin : piece.end] for piece in boundaries.pieces if piece.kind == "silent"]
    assert b"\n\r\n" in silent


def test_damaged_has_every_damage() -> None:
    _, boundaries = generated("damaged")
    places = generator.schedule("damaged", COUNTS["damaged"])
    assert set(places.values()) == {*generator.DAMAGE, "cut at the end"}
    assert all(at + 1 not in places for at in places)
    undamaged = [truth for truth in boundaries.records if truth.damage is None]
    assert len(undamaged) >= COUNTS["damaged"] - len(places)


def test_unknown_kinds_and_small_demos_are_refused() -> None:
    with pytest.raises(ValueError, match="none of mixed"):
        generator.generate("unknown", 1, 1)
    with pytest.raises(ValueError, match="at least 22"):
        generator.generate("demo", 21, 1)
    assert generator.generate("damaged", 0, 1)[0] == b""


# ---- as a script and as a module ----


def test_script_writes_file_and_map(tmp_path: Path) -> None:
    out, map_file = tmp_path / "demo.mrc", tmp_path / "demo.json"
    arguments = ["demo", "60", "--seed", "1", "--out", str(out), "--map", str(map_file), "--check"]
    script = str(FIXTURES / "generate.py")
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "agrees" in done.stdout
    assert out.read_bytes() == generated("demo")[0]
    assert json.loads(map_file.read_text("utf-8"))["size"] == out.stat().st_size


def test_imports_as_part_of_the_tree() -> None:
    code = "import tests.fixtures.generate as g; print(len(g.generate('utf8', 2, 1)[1].records))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("2\n", "")


# ---- the reference of the rule ----


@pytest.mark.parametrize("kind", ["damaged", "demo"])
def test_any_tiling_gives_the_pieces_of_the_file(kind: str) -> None:
    data, boundaries = generated(kind)
    reference = boundary_reference.Boundaries(data)
    rng = random.Random(3)
    for parts in (2, 7, 50, 400):
        cuts = [0, *sorted(rng.randrange(len(data)) for _ in range(parts - 1)), len(data)]
        tiles = [piece for at in range(parts) for piece in reference.pieces(cuts[at], cuts[at + 1])]
        assert tiles == boundaries.pieces


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n \x1d\x1a", [("silent", 0, 4)]),
        (b"\0\xef\xbb\xbf", [("silent", 0, 4)]),
        (b"junk\x1d\nmore", [("chunk", 0, 5), ("silent", 5, 6), ("chunk", 6, 10)]),
    ],
)
def test_reference_without_records(data: bytes, expected: list[tuple[str, int, int]]) -> None:
    assert list(boundary_reference.pieces(data)) == expected
    assert list(boundary_reference.pieces(data, 0, len(data) + 10)) == expected


def test_reference_cuts_oversized_chunks() -> None:
    parts = list(boundary_reference.pieces(b"junk!" * 2 + b"\x1d\x1d", largest=4))
    assert parts == [("chunk", 0, 4), ("more", 4, 8), ("more", 8, 11), ("silent", 11, 12)]
    assert list(boundary_reference.pieces(b"junk!" * 2, 3, 8, largest=4)) == [("more", 4, 8)]


def test_reference_looks_back_over_silent_bytes() -> None:
    """Up to 4 096 silent bytes before a verified start are no part of the chunk."""
    record = generator.generate("utf8", 1, 1)[0]
    data = b"junk" + b" " * 5_000 + record
    start = len(data) - len(record)
    expected = [("chunk", 0, start - 4_096), ("silent", start - 4_096, start), ("record", start, len(data))]
    assert list(boundary_reference.pieces(data)) == expected


@cache
def specification() -> ModuleType:
    """The executable specification of the rule, or a skip that says where it was looked for."""
    path = SHARED / "design" / "boundary_rule.py"
    spec = importlib.util.spec_from_file_location("boundary_rule", path)
    if not path.is_file() or spec is None or spec.loader is None:
        pytest.skip(f"no {path}: set LIBMARC_SHARED to the folder that holds design/boundary_rule.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mutated(rng: random.Random, data: bytes) -> bytes:
    """Bytes replaced, inserted and removed, mostly by those that carry structure."""
    out = bytearray(data)
    for _ in range(rng.randrange(12)):
        at = rng.randrange(len(out))
        new = bytes(rng.choice(b"\x1d\x1d\x1e\x1f0123 \n\xef\xbb\xbf") for _ in range(rng.randrange(3)))
        out[at : at + rng.choice((0, 1, 1, 12))] = new
    return bytes(out)


@pytest.mark.parametrize("kind", KINDS)
def test_reference_agrees_with_the_specification(kind: str) -> None:
    rule, rng = specification(), random.Random(kind)
    data, _ = generated(kind)
    assert list(boundary_reference.pieces(data)) == list(rule.pieces(data))
    for _ in range(150):
        begin = rng.randrange(len(data))
        sample = mutated(rng, data[begin : begin + 4_000])
        largest = rng.choice((100, 64 << 20))
        assert list(boundary_reference.pieces(sample, largest=largest)) == list(rule.pieces(sample, largest=largest))
        cuts = sorted(rng.randrange(len(sample)) for _ in range(2))
        assert list(boundary_reference.pieces(sample, *cuts)) == list(rule.pieces(sample, *cuts))
