"""MARC-8 by its specification, slowly: an oracle for both rules, from the code tables of the Library of Congress.

It shares nothing with the library but the tables' file. ``read_tables`` gives them, ``Model`` decodes.
"""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

from corpus import SHARED

TABLES = SHARED / "reference" / "codetables.xml"
EACC = 0x31
ANSEL = 0x45
ASCII = 0x42


class Entry(NamedTuple):
    character: int
    mark: bool
    half: int  # of a double mark: U+FE20 to U+FE23; else 0


def read_tables(path: Path = TABLES) -> dict[int, dict[int, Entry]]:
    """By set and code as the file has them."""
    sets: dict[int, dict[int, Entry]] = {}
    for table in ElementTree.parse(path).iter("characterSet"):
        codes = sets.setdefault(int(table.get("ISOcode", ""), 16), {})
        for code in table.iter("code"):
            ucs, alt = (code.findtext(name, "").strip() for name in ("ucs", "alt"))
            half = int(alt, 16) if alt.startswith("FE2") else 0
            is_mark = code.findtext("isCombining") == "true"
            codes[int(code.findtext("marc", ""), 16)] = Entry(int(ucs, 16) if ucs else half, is_mark, half)
    return sets


class PymarcGivesUp(Exception):
    """Where pymarc raises TypeError."""


class Pymarc:
    """What pymarc 5.4 answers, but for the characters that the tables define and it loses. ``differs`` says whether
    there were such."""

    def __init__(self, sets: dict[int, dict[int, Entry]], vendor: dict[int, int], eacc: dict[int, int]) -> None:
        self.sets = sets
        self.vendor = vendor
        self.eacc = eacc
        self.g0, self.g1 = ASCII, ANSEL
        self.differs = False
        self.lines: list[str] = []

    def find(self, name: int, byte: int) -> Entry | None:
        """A byte of a set, whichever half of the code table the set is listed in."""
        codes = self.sets.get(name, {})
        if byte & 0x7F == 0x20 or name == EACC:
            return Entry(0x20, False, 0) if byte == 0x20 and name in self.sets and name != EACC else None
        if byte in codes:
            return codes[byte]
        return codes.get(byte ^ 0x80)

    def decode(self, data: bytes) -> str:
        out: list[int] = []
        marks: list[int] = []
        at = 0

        def put(character: int) -> None:
            out.append(character)
            out.extend(marks)
            marks.clear()

        def lost(code: int) -> None:
            self.lines.append(f"Unable to parse character 0x{code:x} in g0={self.g0} g1={self.g1}\n")
            put(0x20)

        while at < len(data):
            if data[at] == 0x1B:
                size = self.escape(data, at, out)
                if size > 0:
                    at += size
                    continue
                at -= size
                if at == len(data):
                    if data[at - 1] == 0x73:
                        break
                    if self.g0 != EACC:
                        raise PymarcGivesUp
            triple = data[at : at + 3]
            first = data[at] if at < len(data) else 0
            if first > 0xA0 and self.g1 == EACC:
                high = int.from_bytes(bytes(byte & 0x7F for byte in triple), "big")
                if len(triple) == 3 and min(triple) >= 0xA0 and high in self.sets[EACC]:
                    self.differs = True
                    put(self.sets[EACC][high].character)
                    at += 3
                    continue
            if self.g0 == EACC and not (first > 0xA0 and self.find(self.g1, first)):
                if len(triple) < 3:
                    self.lines.append(f"Multi-byte position {at + 3} exceeds length of marc8 string {len(data)}\n")
                    lost(0x20)
                    break
                code = int.from_bytes(triple, "big")
                at += 3
                if code < 0x20 or 0x80 < code < 0xA0:
                    continue
                if code in self.eacc:
                    put(self.eacc[code])
                elif code in self.vendor:
                    out.append(self.vendor[code])
                else:
                    lost(code)
                continue
            self.differs |= self.g0 == EACC
            at += 1
            if first < 0x20 or 0x80 < first < 0xA0:
                continue
            name = self.g1 if first > 0x80 else self.g0
            entry = self.find(name, first) if first != 0x80 else None
            if entry is None:
                lost(first)
                continue
            self.differs |= first not in self.sets[name]
            character = entry.half or entry.character
            if entry.mark:
                marks.append(character)
            else:
                put(character)
        return unicodedata.normalize("NFC", "".join(map(chr, out)))

    def escape(self, data: bytes, at: int, out: list[int]) -> int:
        """The size of an escape sequence; below zero, of one behind which a character is taken unseen."""
        rest = data[at + 1 : at + 4]
        if rest[1:] == b"!E" and rest[:1] in (b"(", b",", b")", b"-"):
            self.differs = True
            if rest[0] in b"(,":
                self.g0 = ANSEL
            else:
                self.g1 = ANSEL
            return 4
        if rest in (b"$)1", b"$-1"):
            self.differs = True
            self.g1 = EACC
            return 4
        if rest[:1] in (b"(", b",", b"$"):
            if len(rest) < 2:
                out.append(0x1B)
                return 1
            skip = 1 if rest[:2] == b"$," else 0
            if len(rest) < 2 + skip:
                raise PymarcGivesUp
            self.g0 = rest[1 + skip]
            return 3 + skip
        if rest[:1] in (b")", b"-"):
            if len(rest) < 2:
                raise PymarcGivesUp
            self.g1 = rest[1]
            return 3
        if not rest:
            raise PymarcGivesUp
        if rest[0] in self.sets or rest[:1] == b"s":
            self.g0 = rest[0] if rest[0] in self.sets else ASCII
            return -2
        return 0
