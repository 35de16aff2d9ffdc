"""Properties of reading, on inputs that Hypothesis makes up: neighbours of damage survive, every byte is accounted for,
the way the bytes come changes nothing, inputs can be put together.

Readers of a range of a file are not there yet. Their place is the last section: until then it holds the boundary
reference to what they will promise, that the ranges of any tiling give the pieces of the file.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boundary_reference
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from support import Item, Script, Source, book, check_sums, flat, item, record_bytes, steps
from test_boundary_rule import FRAGMENTS

from libmarc import MARCReader, Record
from libmarc._native import lib

pytestmark = pytest.mark.filterwarnings("ignore::libmarc.BadSubfieldCodeWarning")

QUICK = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LONG = settings(max_examples=3_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MODES = ("none", "salvage")
FOREIGN = range(lib.MARC_BAD_UTF16, lib.MARC_BAD_GZIP + 1)
SILENT = (b"", b"\n", b"\r\n", b" ", b"\0" * 9, b"\x1a", b"\xef\xbb\xbf", b"\x1d", b"\t\n")

# ---- records ----

tags = st.one_of(
    st.sampled_from(["001", "005", "008", "020", "100", "245", "500", "650", "880", "999"]),
    st.text("0123456789ABCXYZabcxyz", min_size=3, max_size=3),
)
#: Text without delimiters; surrogates are no UTF-8, and U+007F is no MARC-8.
texts = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"], exclude_characters="\x7f"), max_size=12)
codes = st.sampled_from("abcdexyz0123456789")
data_fields = st.builds(
    lambda first, second, subfields: (
        f"{first}{second}".encode() + b"".join(b"\x1f" + code.encode() + text.encode() for code, text in subfields)
    ),
    st.sampled_from(" 012#"),
    st.sampled_from(" 012#"),
    st.lists(st.tuples(codes, texts), min_size=1, max_size=4),
)


def field_of(tag: str, control: str, content: bytes) -> tuple[str, bytes]:
    return (tag, control.encode()) if tag < "010" and tag.isdigit() else (tag, content)


fields = st.builds(field_of, tags, texts, data_fields)
sound_records = st.builds(
    lambda content, coding: record_bytes(*content, coding=coding),
    st.lists(fields, min_size=1, max_size=6),
    st.sampled_from("aa "),
)
silent_runs = st.sampled_from(SILENT)


class Damage(NamedTuple):
    """A change of bytes: some are taken out from `at` on, and others put in. Positions are modulo the length."""

    at: int
    out: int
    put: bytes

    def apply(self, raw: bytes) -> bytes:
        at = self.at % (len(raw) + 1)
        return raw[:at] + self.put + raw[at + self.out :]


damages = st.lists(
    st.builds(
        Damage,
        st.one_of(st.integers(0, 60), st.integers(0, 2_000)),
        st.one_of(st.sampled_from([0, 1, 1, 2, 5, 12]), st.integers(0, 400)),
        st.one_of(
            st.sampled_from(
                [b"", b"", b"\x1d", b"\x1e", b"\x1f", b"\x1e\x1d", b"0", b"9", b"99999", b"00000", b"\xe9", b" "]
            ),
            st.binary(max_size=8),
        ),
    ),
    min_size=1,
    max_size=3,
)

inputs = st.one_of(
    st.binary(max_size=300),
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), sound_records, silent_runs), max_size=9).map(b"".join),
    st.builds(
        lambda parts, damage: damage.apply(b"".join(parts)),
        st.lists(st.one_of(sound_records, st.sampled_from(FRAGMENTS)), min_size=1, max_size=5),
        st.builds(Damage, st.integers(0, 1_500), st.integers(0, 40), st.binary(max_size=30)),
    ),
    st.builds(
        bytes.__add__,
        st.sampled_from([b"PK\x03\x04", b"\x1f\x8b\x08", b"<?xml ", b"[ {", b"=LDR  ", b"=\0L\0D\0R\0", b"BZh9"]),
        st.lists(st.one_of(st.sampled_from(FRAGMENTS), sound_records), max_size=4).map(b"".join),
    ),
)  # fmt: skip


def read(reader: MARCReader, data: bytes) -> list[Item]:
    """All items of an input. That they come to an end, tile the input, and agree with stats."""
    found: list[Item] = []
    for record in reader:
        found.append(item(reader, record))
        assert len(found) <= len(data), "there cannot be more pieces than bytes"
        if record is not None:
            check_record(record, found[-1])
    stats = check_sums(reader)
    assert (stats.bytes_read, stats.records) == (len(data), len(found))
    check_tiles(data, [one.raw or b"" for one in found])
    return found


def check_record(record: Record, one: Item) -> None:
    """Its title is the same by the batch and by its fields; its problems lie in it."""
    assert one.title == record.title
    begin, length = record.byte_offset, record.byte_length
    assert begin is not None
    assert length is not None
    for problem in record.problems:
        assert begin <= problem.byte_offset <= begin + length
        assert problem.message.isprintable()


def check_tiles(data: bytes, raws: list[bytes]) -> None:
    """The pieces stand one behind another, and between them there is nothing but silent bytes."""
    silent = rb"(?:[\0\t\n\r\x1a\x1d ]|\xef\xbb\xbf)*"
    assert re.fullmatch(silent + b"".join(re.escape(raw) + silent for raw in raws), data, re.DOTALL)


# ---- neighbours ----


#: What UTF-8 may hold that means nothing when it is taken for MARC-8.
CONVERSION = {lib.MARC_NOTE_UNMAPPED, lib.MARC_NOTE_ORPHAN_MARK}


def check_neighbours(
    before: list[bytes], victim: bytes, damage: list[Damage], after: list[bytes], silent: bytes, mode: str
) -> None:
    """Records in front of a damaged one and behind it arrive as they are: bytes equal, fields in order, no problem."""
    damaged = victim
    for change in damage:
        damaged = change.apply(damaged)
    data = silent.join([*before, damaged, *after])
    items = read(MARCReader(data, on_error=mode), data)
    first, last = items[: len(before)], items[len(items) - len(after) :]
    assert len(items) >= len(before) + len(after)
    for one, raw in zip([*first, *last], [*before, *after]):
        undeclared = is_undeclared_utf8(raw)
        codes = {problem[0] for problem in one.problems}
        assert one.raw == raw
        assert codes - CONVERSION == ({lib.MARC_NOTE_UTF8} if undeclared else set())
        assert undeclared or not codes
        as_read = raw[:9] + b"a" + raw[10:] if undeclared and mode == "salvage" else raw
        assert one.fields == flat(Record(as_read))
    for one in items[len(before) : len(items) - len(after)]:
        assert (one.raw or b"") in silent + damaged + silent  # a leader that lost its first byte takes a blank for it


def is_undeclared_utf8(raw: bytes) -> bool:
    """Whether the text of a sound record is UTF-8, and leader/09 does not say so: the one problem that it may have."""
    return raw[9:10] != b"a" and not raw.isascii()


neighbours = given(
    before=st.lists(sound_records, max_size=3),
    victim=sound_records,
    damage=damages,
    after=st.lists(sound_records, min_size=1, max_size=3),
    silent=silent_runs,
    mode=st.sampled_from(MODES),
)


@QUICK
@neighbours
def test_neighbours_survive(**case: Any) -> None:
    check_neighbours(**case)


@pytest.mark.slow
@LONG
@neighbours
def test_neighbours_survive_longer(**case: Any) -> None:
    check_neighbours(**case)


# ---- the way the bytes come ----


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file, written anew for every example."""
    return tmp_path_factory.mktemp("properties") / "input.mrc"


class Ways(NamedTuple):
    """How an input is read."""

    sizes: list[int]  # of the reads, over and over
    chunk: int
    queue: int
    largest: int


ways = st.builds(
    Ways,
    st.lists(st.integers(1, 60), min_size=1, max_size=5),
    st.sampled_from([64, 100, 1_000, 1 << 20]),
    st.sampled_from([1, 3, 100]),
    st.sampled_from([1, 40, 64 << 20]),
)


def sources(data: bytes, sizes: list[int], path: Path) -> Iterator[Any]:
    yield data
    yield io.BytesIO(data)
    yield bytearray(data)
    yield Source(data, 1)
    yield Source(data)
    steps, at = [], 0
    for size in itertools.cycle(sizes):
        if at >= len(data):
            break
        steps.append(data[at : at + size])
        at += size
    yield Script(*steps)
    path.write_bytes(data)
    yield path
    with path.open("rb") as file:
        yield file


def check_ways(data: bytes, how: Ways, mode: str, path: Path) -> None:
    """Any bytes: the pieces are those of the boundary rule; items, places, texts and numbers are the same from every
    source and for all sizes; what is rejected is collected."""
    rejects = io.BytesIO()
    whole = MARCReader(data, on_error=mode, rejects=rejects, largest_record=how.largest)
    expected = items_in_parts(whole, data)
    pieces = [
        piece for piece in boundary_reference.pieces(data, largest=how.largest) if piece[0] in ("record", "chunk")
    ]
    assert [one.raw for one in expected] == [data[begin:end] for _, begin, end in pieces]
    assert len(rejects.getvalue()) == whole.stats.bytes_rejected
    for source in sources(data, how.sizes, path):
        again = io.BytesIO()
        reader = MARCReader(
            source,
            on_error=mode,
            rejects=again,
            largest_record=how.largest,
            _chunk_bytes=how.chunk,
            _queue_records=how.queue,
        )
        assert items_in_parts(reader, data) == expected
        assert reader.stats == whole.stats
        assert again.getvalue() == rejects.getvalue()


def items_in_parts(reader: MARCReader, data: bytes) -> list[Item]:
    """As read(), but of a piece above the largest size only the first part is an item."""
    found: list[Item] = []
    for record in reader:
        found.append(item(reader, record))
        assert len(found) <= len(data)
        if record is not None:
            check_record(record, found[-1])
    stats = check_sums(reader)
    assert (stats.bytes_read, stats.records) == (len(data), len(found))
    if lib.MARC_BAD_OVERSIZE not in stats.errors_by_code and not set(FOREIGN) & set(stats.errors_by_code):
        check_tiles(data, [one.raw or b"" for one in found])
    return found


all_ways = given(data=inputs, how=ways, mode=st.sampled_from(MODES))


@QUICK
@all_ways
def test_the_way_the_bytes_come_changes_nothing(data: bytes, how: Ways, mode: str, path: Path) -> None:
    check_ways(data, how, mode, path)


@pytest.mark.slow
@LONG
@all_ways
def test_the_way_the_bytes_come_changes_nothing_longer(data: bytes, how: Ways, mode: str, path: Path) -> None:
    check_ways(data, how, mode, path)


def check_modes(data: bytes) -> None:
    """What "raise" and "skip" make of an input is told by "none"; the numbers are the same."""
    plain = MARCReader(data)
    expected = read(plain, data)
    reader = MARCReader(data, on_error="raise")
    raised: list[tuple[Any, Any, str]] = []
    for step in steps(reader):
        if isinstance(step, Exception):
            raised.append((reader.current_chunk, type(step), str(step)))
        else:
            assert step is not None
            raised.append((step.raw, None, str(step)))
    assert raised == [(one.raw, one.place.get("type"), one.text) for one in expected]
    skipping = MARCReader(data, on_error="skip")
    records = list(skipping)
    assert [record and record.raw for record in records] == [one.raw for one in expected if one.fields is not None]
    assert reader.stats == skipping.stats == plain.stats


@QUICK
@given(data=inputs)
def test_modes_agree(data: bytes) -> None:
    check_modes(data)


@pytest.mark.slow
@LONG
@given(data=inputs)
def test_modes_agree_longer(data: bytes) -> None:
    check_modes(data)


# ---- putting inputs together ----


def moved(one: Item, count: int, size: int) -> tuple[Any, ...]:
    """What is known of an item, as if it stood `count` items and `size` bytes later; but no text that tells of its
    place."""
    place = {name: value for name, value in one.place.items() if name not in ("args", "_detail")}
    if place:
        place["record_index"] += count
        place["byte_offset"] += size
    problems = [(code, offset + size, tag, message) for code, offset, tag, message in one.problems]
    return one.raw, one.fields, one.title, one.text if one.fields is not None else "", problems, place


def check_concatenation(records: list[bytes], silent: bytes, data: bytes, mode: str) -> None:
    """read(x + y) is read(x), then read(y), where x is sound; with lines between records or without them."""
    alone = read(MARCReader(data, on_error=mode), data)
    # Only an input as a whole is another format: behind a record its beginning is damage.
    assume(not alone or alone[0].place.get("code") not in FOREIGN)
    sound = silent.join(records)
    both = read(MARCReader(sound + data, on_error=mode), sound + data)
    first = read(MARCReader(sound, on_error=mode), sound)
    assert both[: len(records)] == first
    assert [one.raw for one in first] == records
    behind = [moved(one, 0, 0) for one in both[len(records) :]]
    assert behind == [moved(one, len(records), len(sound)) for one in alone]


concatenations = given(
    records=st.lists(sound_records, max_size=4),
    silent=st.sampled_from([b"", b"\n", b"\r\n", b"\0\0"]),
    data=inputs,
    mode=st.sampled_from(MODES),
)


@QUICK
@concatenations
@example(records=[book(1)], silent=b"", data=b"\n\n" + book(2)[:-1], mode="none")
@example(records=[book(1)], silent=b"", data=b"\x1d\x1e" + book(2), mode="salvage")
def test_inputs_can_be_put_together(records: list[bytes], silent: bytes, data: bytes, mode: str) -> None:
    check_concatenation(records, silent, data, mode)


@pytest.mark.slow
@LONG
@concatenations
def test_inputs_can_be_put_together_longer(records: list[bytes], silent: bytes, data: bytes, mode: str) -> None:
    check_concatenation(records, silent, data, mode)


# ---- ranges ----


def check_tiling(data: bytes, cuts: list[int], largest: int) -> None:
    """Whatever the tiling: each piece is given by exactly one range, the one that holds its first byte."""
    boundaries = boundary_reference.Boundaries(data, largest)
    whole = list(boundaries.pieces())
    borders = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    found = []
    for begin, end in itertools.pairwise(borders):
        pieces = list(boundaries.pieces(begin, end))
        assert all(begin <= piece[1] < end for piece in pieces)
        found += pieces
    assert found == whole
    assert [end for _, _, end in whole[:-1]] == [begin for _, begin, _ in whole[1:]]


tilings = given(
    data=inputs,
    cuts=st.lists(st.integers(0, 2_000), max_size=8),
    largest=st.sampled_from([1, 40, boundary_reference.LARGEST]),
)


@QUICK
@tilings
def test_ranges_of_the_reference_tile(data: bytes, cuts: list[int], largest: int) -> None:
    check_tiling(data, cuts, largest)


@pytest.mark.slow
@LONG
@tilings
def test_ranges_of_the_reference_tile_longer(data: bytes, cuts: list[int], largest: int) -> None:
    check_tiling(data, cuts, largest)


@pytest.mark.parametrize("largest", [1, 40, boundary_reference.LARGEST])
def test_every_cut_in_two_tiles(largest: int) -> None:
    for fragment in FRAGMENTS:
        data = book(1) + b"\n" + fragment + book(2)[:-1] + fragment + b"\xef\xbb\xbf" + book(3)
        for cut in range(len(data) + 1):
            check_tiling(data, [cut], largest)
