"""Counts which bytes stand behind which in MARC-8 and in Latin-1: the table kPairs of core/encoding/detect.cpp.

usage: count_marks.py FILE   (ISO 2709 in UTF-8 with many languages, such as the file of tools/fetch_loc.py)

Prints a row for each byte from 0xE0 to 0xFE. The columns are the letters a to z, anything else, another such byte. A
digit says how many times, as a power of two, the pair is more frequent in MARC-8; a to i how many times in Latin-1.
"""

from __future__ import annotations

import contextlib
import math
import sys
import unicodedata
from collections import Counter

from libmarc import MARCReader
from libmarc.marc8 import unicode_to_marc8

BYTES = range(0xE0, 0xFF)
OTHER, MARK = 26, 27
EVERY = 7  # of the records
SEEN = 3.0  # so often each pair has been seen, before one counts
ON_NOTHING = -5  # at most: a mark of ANSEL before what is no letter


def column(byte: int) -> int:
    if byte in BYTES:
        return MARK
    lower = byte | 0x20
    return lower - ord("a") if ord("a") <= lower <= ord("z") else OTHER


def count(pairs: Counter[tuple[int, int]], content: bytes) -> None:
    for byte, following in zip(content, content[1:] + b"\x1e"):
        if byte in BYTES:
            pairs[byte, column(following)] += 1


def main(path: str) -> None:
    marc8: Counter[tuple[int, int]] = Counter()
    latin1: Counter[tuple[int, int]] = Counter()
    for number, record in enumerate(MARCReader(path)):
        if number % EVERY or record is None:
            continue
        for text in filter(lambda text: not text.isascii(), (field._content() for field in record.fields)):
            with contextlib.suppress(UnicodeEncodeError):
                count(latin1, unicodedata.normalize("NFC", text).encode("latin-1"))
            try:
                content = unicode_to_marc8(text)
            except UnicodeEncodeError:
                continue
            if b"\x1b" not in content:  # in ANSEL alone
                count(marc8, content)
    cells = len(BYTES) * (MARK + 1)
    of_marc8, of_latin1 = (sum(pairs.values()) + SEEN * cells for pairs in (marc8, latin1))
    for byte in BYTES:
        row = ""
        for at in range(MARK + 1):
            weight = math.log2((marc8[byte, at] + SEEN) / of_marc8 * of_latin1 / (latin1[byte, at] + SEEN))
            whole = max(-9, min(9, round(min(weight, ON_NOTHING) if at == OTHER else weight)))
            row += str(whole) if whole >= 0 else chr(ord("a") - 1 - whole)
        print(f'    "{row}", // {byte:02X}')


if __name__ == "__main__":
    main(sys.argv[1])
