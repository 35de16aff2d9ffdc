"""Chooses records for programs: python sound_records.py UTF8 OTHER SKIPPED FILE...

The records of all files that pymarc reads to the end go by leader/09 to UTF8 or OTHER, at most 60 of each file; files
in which it finds pieces that are no records go to SKIPPED. Left out is what libmarc does otherwise on purpose: a file
with a fatal error or bytes between its records; a record in MARC-8 of which pymarc loses characters, and says so;
one with characters that XML cannot hold.
"""

import contextlib
import io
import re
import sys
from pathlib import Path

import pymarc

MOST = 60
NOT_IN_XML = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def read(content: bytes) -> tuple[list[bytes], list[bytes]] | None:
    """The sound records of a file, and those to skip; None if there is anything else in it."""
    reader = pymarc.MARCReader(io.BytesIO(content))
    sound: list[bytes] = []
    skipped: list[bytes] = []
    length = 0
    while True:
        with contextlib.redirect_stderr(io.StringIO()) as complaints:
            record = next(reader, reader)
        if record is reader:
            return (sound, skipped) if length == len(content) else None
        chunk = reader.current_chunk or b""
        length += len(chunk)
        if isinstance(reader.current_exception, pymarc.FatalReaderError):
            return None
        if record is None:
            skipped.append(chunk)
        elif chunk[9:10] != b"a" and complaints.getvalue():
            continue
        elif not NOT_IN_XML.search(str(record)):
            sound.append(chunk)


def main(utf8: str, other: str, skipped: str, *files: str) -> None:
    with open(utf8, "wb") as in_utf8, open(other, "wb") as in_other, open(skipped, "wb") as in_skipped:
        for file in files:
            chosen = read(Path(file).read_bytes())
            if chosen is None:
                continue
            for record in chosen[0][:MOST]:
                (in_utf8 if record[9:10] == b"a" else in_other).write(record)
            if chosen[1]:
                in_skipped.write(b"".join(chosen[0][:MOST] + chosen[1]))


main(*sys.argv[1:])
