"""Text of whole files: MARC-8 beside UTF-8, and encodings that leader/09 does not name."""

from __future__ import annotations

import random
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from corpus import SHARED
from generate import generate
from pymarc_oracle import flat
from support import record_bytes

from libmarc import MARCReader, Record
from libmarc._native import lib
from libmarc.marc8 import unicode_to_marc8

PAIR = SHARED / "corpus" / "usgpo__cataloging-records"

#: Sentences of catalogues, by language; most have a few letters above ASCII, as records have.
TEXTS = {
    "cs": "Dvořák, Antonín. Rusalka: lyrická pohádka o třech dějstvích. Přeložil Jaroslav Kvapil.",
    "de": "Müller, Jürgen. Einführung in die Größenlehre: Übungen für Schüler. Köln, München.",
    "es": "García Márquez, Gabriel. Cien años de soledad. Edición crítica, con introducción. Bogotá.",
    "fr": "Étude sur la poésie française, publiée à l'été: œuvre complète, précédée d'une préface. Genève.",
    "pl": "Łódź w źródłach; wybór, wstęp i opracowanie. Kraków, Wydawnictwo Uniwersytetu.",
    "pt": "Introdução à história da literatura: edição revista, São Paulo, Fundação.",
    "sv": "Åberg, Åke. Från forskning till påverkan: en översikt över svenska språket. Göteborg.",
    "sa": "Bhāratīya saṃskṛti; Ṛgveda, Śrīmadbhagavadgītā.",
    "ru": "Dostoevskiĭ, Fëdor. Brati͡a Karamazovy. I͡Asnai͡a Poli͡ana.",
    "vi": "Nguyễn Du. Truyện Kiều: thơ chữ Nôm. Hà Nội, Nhà xuất bản Văn học.",
}


def test_one_file_in_both_encodings() -> None:
    """The same records as the Government Publishing Office gives them out, in MARC-8 and in UTF-8."""
    files = sorted(PAIR.glob("*_marc8.mrc")) if PAIR.is_dir() else []
    pairs = [(file, twin) for file in files if (twin := Path(str(file).replace("_marc8", "_utf8"))).is_file()]
    if not pairs:
        pytest.skip(f"no pair of files in {PAIR}")
    for marc8, utf8 in pairs:
        ours = {record["001"].data: record for record in MARCReader(marc8) if record is not None}
        theirs = {record["001"].data: record for record in MARCReader(utf8) if record is not None}
        assert len(ours.keys() & theirs.keys()) > 5
        converted = 0
        for number in ours.keys() & theirs.keys():
            for one, other in zip(normal(flat(ours[number])), normal(flat(theirs[number])), strict=True):
                assert one == other or "\\x1b" in repr(other), number  # they gave up there
            converted += ours[number].raw is not ours[number]._raw
        assert converted > 0


def normal(fields: list[tuple[Any, ...]]) -> list[object]:
    """Without 005 (when the file was made), and with the marks of a letter in one order: the files differ in it."""

    def one(part: Any) -> object:
        if isinstance(part, tuple):
            return tuple(map(one, part))
        text = unicodedata.normalize("NFD", part)
        return re.sub("[\u0300-\u036f]+", lambda marks: "".join(sorted(marks.group())), text)

    return [tuple(map(one, field)) for field in fields if field[0] != "005"]


def encoded(text: str, encoding: str) -> bytes:
    return unicode_to_marc8(text) if encoding == "marc8" else text.encode(encoding)


@pytest.mark.parametrize("coding", ["a", " "])
@pytest.mark.parametrize("encoding", ["utf-8", "marc8", "latin-1"])
@pytest.mark.parametrize("language", TEXTS)
def test_best_reading_finds_the_encoding(language: str, encoding: str, coding: str) -> None:
    text = TEXTS[language]
    if encoding == "latin-1":
        text = text.replace("œ", "oe")
    try:
        content = encoded(text, encoding)
    except UnicodeEncodeError:
        pytest.skip(f"{encoding} does not have these letters")
    raw = record_bytes(("001", b"x"), ("245", b"10\x1fa" + content), coding=coding)
    record = next(MARCReader(raw, on_error="salvage"))
    assert record is not None
    assert record["245"]["a"] == text
    code = {
        ("utf-8", " "): lib.MARC_NOTE_UTF8,
        ("marc8", "a"): lib.MARC_NOTE_MARC8,
        ("latin-1", "a"): lib.MARC_NOTE_LATIN1,
        ("latin-1", " "): lib.MARC_NOTE_LATIN1,
    }.get((encoding, coding))
    assert [problem.code for problem in record.problems] == ([code] if code else [])


@pytest.mark.parametrize("language", TEXTS)
def test_damaged_utf8_stays_utf8(language: str) -> None:
    chance = random.Random(1)
    content = TEXTS[language].encode()
    for _ in range(20):
        broken = bytearray(content)
        del broken[chance.choice([i for i, byte in enumerate(broken) if byte >= 0x80])]
        raw = record_bytes(("245", b"10\x1fa" + bytes(broken)), ("500", b"  \x1fa" + content))
        record = next(MARCReader(raw, on_error="salvage"))
        assert record is not None
        assert record["245"]["a"] == bytes(broken).decode("utf-8", "replace")
        assert record["500"]["a"] == TEXTS[language]
        assert [problem.code for problem in record.problems] == [lib.MARC_NOTE_TEXT]


@pytest.mark.parametrize("language", TEXTS)
def test_utf8_with_a_stray_escape_stays_utf8(language: str) -> None:
    """ESC s, which ends a character set in MARC-8, where leader/09 says UTF-8 and the text is."""
    raw = record_bytes(("245", b"10\x1fa" + TEXTS[language].encode()), ("500", b"  \x1fax\x1bs"))
    record = next(MARCReader(raw, on_error="salvage"))
    assert record is not None
    assert record["245"]["a"] == TEXTS[language]
    assert record["500"]["a"] == "x\x1bs"


def test_a_text_form_that_iso_2709_cannot_state() -> None:
    """Letters that are longer in UTF-8 make a field above 9 999 bytes: as pymarc writes it, and still read."""
    pymarc = pytest.importorskip("pymarc")
    raw = record_bytes(("001", b"x"), ("500", b"  \x1fa" + b"\xb1" * 9_000), coding=" ")
    for record in (next(MARCReader(raw)), Record(raw)):
        assert record is not None
        assert record["500"]["a"] == "ł" * 9_000
        assert record.raw == raw
        assert flat(record) == flat(pymarc.Record(raw))


def test_text_modes_of_the_core() -> None:
    """UTF-8 for all, and bytes for all, as other options of decoding ask for it."""
    data = generate("marc8", 100, 4)[0]
    raw = [record for record in MARCReader(data, to_unicode=False) if record is not None]
    assert b"".join(record.raw or b"" for record in raw) == data
    assert all(isinstance(value, bytes) for record in raw for field in record.fields for _, value in field.subfields)
    forced = record_bytes(("245", "10\x1faDvořák".encode()), coding=" ")
    assert next(MARCReader(forced, force_utf8=True)).title == "Dvořák"
