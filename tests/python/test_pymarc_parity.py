"""Piece for piece the answers of pymarc 5.4: what it delivers is delivered equal, what it rejects is rejected alike."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import pytest
from corpus import corpus_files, head_of, loc_file, need_corpus
from generate import generate
from pymarc_oracle import as_pymarc_should, flat, pymarc, verdict
from support import check_sums

from libmarc import MARCReader, Record
from libmarc.record import new_record

pytestmark = pytest.mark.filterwarnings("ignore:The subfield contained a non-ASCII subfield code")


def assert_same_answers(data: bytes) -> tuple[int, int]:
    """Compares every piece of `data` with pymarc. Returns how many records and rejected pieces there were."""
    delivered = rejected = position = 0
    reader = MARCReader(data)
    for record in reader:
        raw = reader.current_chunk
        assert raw is not None
        position = data.index(raw, position) + len(raw)
        theirs, their_problem = verdict(raw, is_last=position == len(data))
        if record is None:
            rejected += 1
            assert theirs is None, f"pymarc delivers {raw[:60]!r}"
            assert type(reader.current_exception).__name__ == type(their_problem).__name__
            if not isinstance(their_problem, UnicodeDecodeError):
                assert str(reader.current_exception).startswith(str(their_problem))
        else:
            delivered += 1
            assert theirs is not None, f"pymarc rejects {raw[:60]!r}: {their_problem!r}"
            assert_same_record(record, theirs)
    stats = check_sums(reader)
    assert (stats.delivered, stats.rejected, stats.bytes_read) == (delivered, rejected, len(data))
    return delivered, rejected


def assert_same_record(ours: Record, theirs: pymarc.Record) -> None:
    raw = ours.raw
    assert raw is not None
    assert str(ours.leader) == str(theirs.leader)
    untouched = new_record(ours._raw or b"", ours._odd, ours.raw)  # asked for nothing but its bytes
    expected = as_pymarc_should(theirs, raw)
    title = ours.title  # before the fields are made
    assert flat(ours) == expected
    if expected != flat(theirs):
        return  # characters that pymarc loses
    assert title == theirs.title
    assert untouched.as_marc() == theirs.as_marc()
    assert str(untouched.leader) == str(theirs.leader)
    assert (ours.title, ours.author, ours.isbn) == (theirs.title, theirs.author, theirs.isbn)
    assert ours.as_marc() == theirs.as_marc()
    assert str(ours.leader) == str(theirs.leader)
    assert str(ours) == str(theirs)


@pytest.mark.parametrize("path", corpus_files(), ids=lambda path: path.name)
def test_corpus_file(path: Path) -> None:
    assert_same_answers(path.read_bytes())


def test_the_corpus_is_there() -> None:
    assert len(need_corpus()) > 300


def test_library_of_congress_sample() -> None:
    assert assert_same_answers(head_of(loc_file(), 5000)) == (5000, 0)


@pytest.mark.slow
def test_library_of_congress_whole() -> None:
    assert assert_same_answers(loc_file().read_bytes()) == (250_000, 0)


@pytest.mark.parametrize("kind", ["utf8", "mixed", "demo", "damaged"])
def test_generated(kind: str) -> None:
    delivered, rejected = assert_same_answers(generate(kind, 300, 11)[0])
    assert delivered > 250
    assert (rejected > 0) == (kind in ("demo", "damaged"))


_BYTES = b"\x1d\x1e\x1f \x00a0129+-_\x80\xc3\xa9\xff"


def damaged(rng: random.Random, data: bytearray) -> bytes:
    """One to four bytes changed, put in or taken out, mostly where leader and directory are."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data)) if rng.random() < 0.3 else rng.randrange(min(len(data), 320))
        what = rng.randrange(4)
        if what < 2:
            data[at] = rng.choice(_BYTES)
        elif what == 2:
            data.insert(at, rng.choice(_BYTES))
        else:
            del data[at]
    return bytes(data)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_damaged_at_random(seed: int) -> None:
    """Framing kept: each damaged record is a piece of its own, so that every check of pymarc is met."""
    rng = random.Random(seed)
    records = [
        piece + b"\x1d" for kind in ("utf8", "marc8") for piece in generate(kind, 60, seed)[0].split(b"\x1d")[:-1]
    ]
    verdicts = [0, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(4000 if seed == 1 else 40_000):
            delivered, rejected = assert_same_answers(damaged(rng, bytearray(rng.choice(records))))
            verdicts[0] += delivered
            verdicts[1] += rejected
    assert min(verdicts) > 400  # both kinds of answer were met
