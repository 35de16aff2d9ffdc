"""How often the best reading finds out how a record is encoded (docs/decisions/0010).

Takes records of a file in UTF-8 that are not ASCII, writes each in MARC-8 and in Latin-1, as far as these have its
letters, under a leader that says UTF-8 and under one that does not, reads it with on_error="salvage", and compares the
text.

usage: measure_detection.py FILE [STEP]     every STEP-th record, 20 by default
"""

from __future__ import annotations

import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator

import libmarc
from libmarc._serialize import serialize_bytes
from libmarc.marc8 import unicode_to_marc8


def composed(text: str) -> str:
    """For comparing: NFC, and the two halves of a mark over two letters as the whole one."""
    return unicodedata.normalize("NFC", text).replace("\ufe20", "\u0361").replace("\ufe21", "")


def texts_of(record: libmarc.Record) -> list[str]:
    return [field.data if field.data is not None else str(field) for field in record.fields]


def encoded(record: libmarc.Record, encoding: str) -> list[bytes] | None:
    """Its fields; None where they need no letter beyond ASCII, or one that the encoding does not have."""
    texts = [field.as_marc("utf-8")[:-1].decode() for field in record.fields]
    try:
        if encoding == "marc-8":
            contents = [unicode_to_marc8(text) for text in texts]
        else:
            contents = [unicodedata.normalize("NFC", text).encode("latin-1") for text in texts]
    except UnicodeEncodeError:
        return None
    return None if all(content.isascii() for content in contents) else contents


def samples(path: str, step: int) -> Iterator[libmarc.Record]:
    for number, record in enumerate(libmarc.MARCReader(path)):
        if number % step == 0 and record is not None and not record.raw.isascii():
            yield record


def main() -> None:
    step = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    found: Counter[tuple[str, str, bool]] = Counter()
    for record in samples(sys.argv[1], step):
        tags = "".join(field.tag for field in record.fields).encode()
        expected = list(map(composed, texts_of(record)))
        for encoding in ("marc-8", "latin-1"):
            contents = encoded(record, encoding)
            if contents is None:
                continue
            for coding in ("a", " "):
                leader = f"{record.leader}"
                raw = serialize_bytes(f"{leader[:9]}{coding}{leader[10:]}".encode(), tags, contents)
                read = next(libmarc.MARCReader(raw, on_error="salvage"))
                found[encoding, coding, read is not None and list(map(composed, texts_of(read))) == expected] += 1
    for encoding, coding in sorted({key[:2] for key in found}):
        right, wrong = found[encoding, coding, True], found[encoding, coding, False]
        share = right / (right + wrong)
        print(f"{encoding:8} leader/09 {coding!r}: {right} of {right + wrong} records read right, {share:.1%}")


if __name__ == "__main__":
    main()
