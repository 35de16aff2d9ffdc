"""Damages some records of a file: those that were cut, state a wrong length, or have lost a terminator."""

from __future__ import annotations

import random
from pathlib import Path

from common import Sample

ONE_IN = 200
SEED = 6


def cut(record: bytes, rng: random.Random) -> bytes:
    """The end is missing."""
    return record[: rng.randrange(30, len(record))]


def wrong_length(record: bytes, rng: random.Random) -> bytes:
    """The leader states another length."""
    return b"%05d" % (len(record) + rng.choice((-100, -10, -1, 1, 10, 100, 1000))) + record[5:]


def lost_record_end(record: bytes, rng: random.Random) -> bytes:
    """0x1D is missing."""
    return record[:-1]


def lost_field_end(record: bytes, rng: random.Random) -> bytes:
    """One 0x1E is missing, of the directory or of a field."""
    ends = [at for at, byte in enumerate(record) if byte == 0x1E]
    at = rng.choice(ends)
    return record[:at] + record[at + 1 :]


KINDS = (cut, wrong_length, lost_record_end, lost_field_end)


def damaged(sample: Sample, path: Path) -> Sample:
    """A copy of which one record of ONE_IN is damaged. `records` counts those that there were before."""
    rng = random.Random(SEED)
    content = sample.path.read_bytes()
    at = size = 0
    with path.open("wb") as out:
        while at < len(content):
            end = at + int(content[at : at + 5])
            record = content[at:end]
            if rng.randrange(ONE_IN) == 0:
                record = rng.choice(KINDS)(record, rng)
            size += out.write(record)
            at = end
    return Sample(path, sample.records, size)
