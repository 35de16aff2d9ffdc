"""The scanner frames any input exactly as the boundary rule says, whatever the source and the sizes of its reads."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import boundary_reference
import pytest
from corpus import corpus_files, head_of, loc_file
from generate import generate
from hypothesis import given, settings
from hypothesis import strategies as st
from pieces import Piece, pieces_of_bytes, pieces_of_callback, pieces_of_path

SMALL = generate("damaged", 40, 5)[0]

#: Pieces of inputs that look like records, to be put together and cut at random.
FRAGMENTS = [
    b"\x1d", b"\x1e", b"\x1f", b"\x1e\x1d", b"\n", b"\r\n", b" ", b"\0", b"\x1a", b"\xef\xbb\xbf", b"\xef\xbb", b"junk",
    b"00026     2200025   4500\x1e\x1d",
    b"00050nam a2200037   4500001000600000\x1e12345\x1e\x1d",
    b"00050nam a2200037   4500001000600000\x1e12345\x1e",
    b"00099nam a2200037   4500001000600000\x1e12345\x1e\x1d",
    b"99999nam a2200037   4500001000600000\x1e12345\x1e\x1d",
    b"nam a2200037   4500001000600000\x1e12345\x1e\x1d",
    b"00069nam a2200049   4500001000600000245000600006\x1e12345\x1e00\x1fab\x1e\x1d",
    b"00051nam a2200039   456000100006000000\x1e12345\x1e\x1d",
    b"   50nam a2200037   4500001000600000\x1e12345\x1e\x1d",
    b"00050000000000037   4500001000600000\x1e12345\x1e\x1d",
    b"00037   4500001000600000", b"001000600000", b"0" * 30,
]  # fmt: skip

inputs = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(b"".join),
    st.tuples(st.lists(st.sampled_from(FRAGMENTS), max_size=8).map(b"".join), st.integers(0, 400), st.binary())
    .map(lambda t: t[0][: t[1]] + t[2] + t[0][t[1] :]),
)  # fmt: skip


def expected(data: bytes, largest: int = 64 << 20) -> list[tuple[str, int, int]]:
    return [piece for piece in boundary_reference.pieces(data, largest=largest) if piece[0] != "silent"]


def borders(pieces: list[Piece]) -> list[tuple[str, int, int]]:
    return [piece[:3] for piece in pieces]


@settings(max_examples=1500, deadline=None)
@given(inputs, st.sampled_from([64, 1000, 1 << 20]), st.sampled_from([1, 40, 64 << 20]))
def test_arbitrary_bytes(data: bytes, chunk: int, largest: int) -> None:
    found = pieces_of_bytes(data, chunk_bytes=chunk, largest_record=largest)
    assert borders(found) == expected(data, largest)
    indexes = [piece.index for piece in found if piece.kind != "more"]
    assert indexes == list(range(len(indexes)))


@settings(max_examples=1500, deadline=None)
@given(
    inputs,
    st.lists(st.integers(1, 60), min_size=1),
    st.sampled_from([64, 1000]),
    st.sampled_from([1, 40, 64 << 20]),
)
def test_arbitrary_reads(data: bytes, sizes: list[int], chunk: int, largest: int) -> None:
    """Borders, verdicts and indexes do not depend on how the bytes come."""
    whole = pieces_of_bytes(data, largest_record=largest)
    read = pieces_of_callback(data, itertools.cycle(sizes), chunk_bytes=chunk, largest_record=largest)
    assert read == whole


@settings(max_examples=500, deadline=None)
@given(inputs)
def test_sound_records_concatenate(data: bytes) -> None:
    """read(x + y) is read(x), then read(y), where x is sound."""
    sound = generate("utf8", 2, 3)[0]
    both = borders(pieces_of_bytes(sound + data))
    behind = [(kind, begin + len(sound), end + len(sound)) for kind, begin, end in borders(pieces_of_bytes(data))]
    assert both == borders(pieces_of_bytes(sound)) + behind


def test_every_split_point() -> None:
    whole = pieces_of_bytes(SMALL)
    for cut in range(1, len(SMALL), 7):
        assert pieces_of_callback(SMALL, itertools.chain([cut], itertools.repeat(1 << 20))) == whole


def test_every_cut_tail() -> None:
    data = SMALL[:9000]
    for size in range(0, len(data), 5):
        assert borders(pieces_of_bytes(data[:size])) == expected(data[:size])


def test_every_read_size() -> None:
    whole = pieces_of_bytes(SMALL)
    for size in [*range(1, 40), 1000, 4096, 5000]:
        assert pieces_of_callback(SMALL, itertools.repeat(size), chunk_bytes=5000) == whole


@pytest.mark.parametrize("kind", ["mixed", "large", "demo", "damaged"])
def test_generated_map(kind: str) -> None:
    """The map is made by the generator while it writes; no scanner has a part in it."""
    data, truth = generate(kind, 60, 21)
    found = borders(pieces_of_bytes(data))
    assert found == [tuple(piece) for piece in truth.pieces if piece.kind != "silent"]


@pytest.mark.parametrize("path", corpus_files(), ids=lambda path: path.name)
def test_corpus_file(path: Path) -> None:
    data = path.read_bytes()
    rng = random.Random(path.name)
    found = pieces_of_bytes(data)
    assert borders(found) == expected(data)
    assert pieces_of_path(path, len(data)) == found
    assert pieces_of_callback(data, iter(lambda: rng.randint(1, 5000), 0), chunk_bytes=3000) == found


@pytest.mark.slow
def test_library_of_congress() -> None:
    data = loc_file().read_bytes()
    ends = [i + 1 for i, byte in enumerate(data) if byte == 0x1D]
    found = pieces_of_path(loc_file(), len(data))
    assert [piece.end for piece in found] == ends
    assert all(piece.kind == "record" for piece in found)


def test_library_of_congress_sample() -> None:
    data = head_of(loc_file(), 500)
    assert borders(pieces_of_bytes(data)) == expected(data)
