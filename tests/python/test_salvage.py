"""on_error="salvage" as a program sees it: problems, leaders, text that is not what the leader says, other widths of
entries, indicators and codes. (The kinds of damage, against their truth: test_damage_kinds.py.)"""

from __future__ import annotations

import copy
import logging
import pickle
import warnings
from pathlib import Path
from typing import Any

import pytest
from support import Source, book, books, check_sums, flat, generated, given, items, raws, record_bytes

import libmarc
from libmarc import Leader, MARCReader, Problem, Record
from libmarc._native import code_message, lib

GOOD = books(2)
VICTIM = record_bytes(("001", b"v000001"), ("245", "10\x1faL'été\x1fcNoël".encode()), ("500", b"  \x1faNote"))
FIELDS = [
    ("001", "v000001"),
    ("245", ("1", "0"), [("a", "L'été"), ("c", "Noël")]),
    ("500", (" ", " "), [("a", "Note")]),
]


def salvaged(raw: bytes) -> Record:
    """The record that is made of a piece between two sound ones, which arrive as they are."""
    reader = MARCReader(GOOD[0] + raw + GOOD[1], on_error="salvage")
    first, *middle, last = reader
    assert (first and first.raw, last and last.raw) == tuple(GOOD)
    records = [record for record in middle if record is not None]
    assert len(records) == 1, reader.current_exception
    check_sums(reader)
    return records[0]


def codes(record: Record) -> list[int]:
    return [problem.code for problem in record.problems]


def wide_record(indicators: int, code: int, *fields: tuple[str, bytes]) -> bytes:
    """A sound record with other widths in leader/10 and /11."""
    raw = record_bytes(*fields)
    return raw[:10] + b"%d%d" % (indicators, code) + raw[12:]


def mapped_record(length: int, start: int, rest: int, *fields: tuple[str, bytes]) -> bytes:
    """A sound record with another entry map in leader/20-22."""
    entries = contents = b""
    for tag, content in fields:
        entries += tag.encode() + b"%0*d%0*d" % (length, len(content) + 1, start, len(contents)) + b"x" * rest
        contents += content + b"\x1e"
    base = 24 + len(entries) + 1
    leader = b"%05dnam a22%05d i %d%d%d0" % (base + len(contents) + 1, base, length, start, rest)
    return leader + entries + b"\x1e" + contents + b"\x1d"


# ---- problems ----


def test_problems_say_what_where_and_in_which_field() -> None:
    """Codes of marc.h, places in the source, tags, and a line for people."""
    raw = record_bytes(("001", b"v000001"), ("245", b"10\x1fat\xe9\x80\x1f"), ("500", b"1\x1faNote"))
    record = salvaged(b"00999" + raw[5:])
    at = len(GOOD[0])
    assert {problem[:3] for problem in record.problems} == {
        (lib.MARC_NOTE_LENGTH, at, None),
        (lib.MARC_NOTE_TEXT, at + raw.index(b"10\x1fat"), "245"),
        (lib.MARC_NOTE_SUBFIELD_EMPTY, at + raw.index(b"\x1f\x1e") + 1, "245"),
        (lib.MARC_NOTE_INDICATOR_ONE, at + raw.index(b"1\x1faNote"), "500"),
    }
    for problem in record.problems:
        assert type(problem) is Problem
        assert problem.message == code_message(problem.code)
        assert problem.message.isprintable()
    assert libmarc.Problem is Problem


def test_what_was_repaired_never_looks_sound() -> None:
    """Each record that stats count as repaired has problems, and each without problems is the same in every mode."""
    data = generated("damaged", 200)
    plain = {record.byte_offset: record for record in MARCReader(data) if record is not None}
    reader = MARCReader(data, on_error="salvage")
    repaired = 0
    for record in reader:
        if record is None:
            continue
        now = reader.stats.repaired
        assert now - repaired in (0, 1)
        assert record.problems or now == repaired
        repaired = now
        if not record.problems:
            other = plain[record.byte_offset]
            assert (record.raw, flat(record), str(record.leader)) == (other.raw, flat(other), str(other.leader))
    assert repaired > 10


@pytest.mark.parametrize("kind", ["mixed", "utf8", "marc8", "large"])
def test_sound_records_are_what_they_are_without_it(kind: str) -> None:
    """Also titles, text and what is written."""
    data = generated(kind, 60)
    for source in (data, Source(data, 5_000)):
        assert items(MARCReader(source, on_error="salvage")) == items(MARCReader(data))


def test_pieces_without_a_directory_are_rejected_as_pymarc_rejects_them() -> None:
    for raw in (b"no record\x1d", VICTIM[:20], VICTIM[:40], b"\x1e\x1e\x1d", b"00005\x1d"):
        reader = MARCReader(GOOD[0] + raw + GOOD[1], on_error="salvage")
        other = MARCReader(GOOD[0] + raw + GOOD[1])
        assert items(reader) == items(other)
        assert check_sums(reader) == check_sums(other)
        assert reader.stats.rejected >= 1


def test_copies_and_pickles_of_salvaged_records() -> None:
    """They have their fields, leader and problems, whether these were asked for before or not."""
    raw = VICTIM[:7] + b"\xe9" + VICTIM[8:].replace("été".encode(), b"\xe9t\xe9")
    for ask in (False, True):
        record = salvaged(raw)
        if ask:
            assert record.fields
        for twin in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
            assert flat(twin) == flat(salvaged(raw))
            assert (str(twin.leader), twin.problems, twin.raw) == (str(record.leader), record.problems, raw)
            assert twin.title == "L'\ufffdt\ufffd"


# ---- no word of pymarc's ----


def test_neither_warnings_nor_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    """What pymarc would say is in problems."""
    odd = {
        record_bytes(("245", b"\x1faTitle")): lib.MARC_NOTE_INDICATORS_MISSING,
        record_bytes(("245", b"1\x1faTitle")): lib.MARC_NOTE_INDICATOR_ONE,
        record_bytes(("245", b"123\x1faTitle")): lib.MARC_NOTE_INDICATORS_MANY,
        record_bytes(("245", "10\x1fáTitle".encode())): lib.MARC_NOTE_SUBFIELD_CODE,
        record_bytes(("245", b"10\x1f\xe4\xb8\xad")): lib.MARC_NOTE_SUBFIELD_CODE,
    }
    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
        warnings.simplefilter("error")
        records = list(MARCReader(b"".join(odd), on_error="salvage"))
        for record, code in zip(records, odd.values(), strict=True):
            assert record is not None
            assert codes(record) == [code]
            assert record.fields
            assert record.as_marc()
    assert caplog.records == []


def test_the_other_modes_do_say_them(caplog: pytest.LogCaptureFixture) -> None:
    data = record_bytes(("245", b"1\x1faTitle")) + record_bytes(("245", "10\x1fáTitle".encode()))
    for mode in ("none", "raise", "skip"):
        caplog.clear()
        with pytest.warns(libmarc.BadSubfieldCodeWarning):
            assert len(raws(MARCReader(data, on_error=mode))) == 2
        assert [message.name for message in caplog.records] == ["pymarc"]


# ---- text ----


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\xe2\x82", "\ufffd"),
        (b"a\xe2\x82b", "a\ufffdb"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"\xf8\x88\x80\x80\x80", "\ufffd" * 5),
        (b"\xf0\x9f\x93", "\ufffd"),
        ("né".encode() + b"\xe9", "né\ufffd"),
    ],
)
def test_text_that_is_not_utf8(content: bytes, text: str) -> None:
    """As Python replaces it; by the fields, by the title of the record and by that of the batch; raw has the bytes."""
    raw = record_bytes(("001", b"v000001"), ("245", b"10\x1fa" + content + b"\x1fb!"), ("500", b"  \x1faNote"))
    record = salvaged(raw)
    assert content.decode("utf-8", "replace") == text
    assert codes(record) == [lib.MARC_NOTE_TEXT]
    assert record.title == f"{text} !"
    assert record["245"]["a"] == text
    assert record["500"]["a"] == "Note"
    assert record.raw == raw
    written = salvaged(record.as_marc())
    assert (flat(written), written.problems) == (flat(record), ())
    assert next(MARCReader(raw)) is None


def test_titles_beside_text_that_is_not_utf8() -> None:
    """Titles come a batch at once: one record with other text costs the others nothing."""
    bad = record_bytes(("001", b"v000001"), ("245", b"10\x1fa\xe9\x80A\xe8\x1fb\xff"))
    data = b"".join([*GOOD, bad, book(5, "Où ?"), bad])
    for queue in (1, 2, 100):
        reader = MARCReader(data, on_error="salvage", _queue_records=queue)
        titles = [record.title for record in reader if record is not None]
        assert titles == ["Title 0", "Title 1", "\ufffdA\ufffd \ufffd", "Où ?", "\ufffdA\ufffd \ufffd"]


@pytest.mark.parametrize(
    ("content", "text"), [(b"caf\xe9", "café"), (b"\xff\xfe", "ÿþ"), (b"na\xefve, d\xe9j\xe0 vu", "naïve, déjà vu")]
)
@pytest.mark.parametrize("coding", ["a", " "])
def test_text_that_is_latin1(coding: str, content: bytes, text: str) -> None:
    raw = record_bytes(("001", b"v000001"), ("245", b"10\x1fa" + content), coding=coding)
    record = salvaged(raw)
    assert (record.title, record["245"]["a"], record.raw, str(record.leader)) == (text, text, raw, raw[:24].decode())
    assert codes(record) == [lib.MARC_NOTE_LATIN1]
    assert salvaged(record.as_marc()).title == text


def test_text_that_is_marc8_under_the_flag() -> None:
    for content, text in (
        (b"Dvo\xe9r\xe2ak", "Dvořák"),
        (b"\x1b(NwOJNA\x1b(B", "Война"),
        (b"\xebt\xecsar\xe2i", "t\u0361sar\u00ed"),
    ):
        record = salvaged(record_bytes(("001", b"v000001"), ("245", b"10\x1fa" + content)))
        assert record.title == text
        assert codes(record)[0] == lib.MARC_NOTE_MARC8


def test_text_that_is_utf8_without_the_flag() -> None:
    record = salvaged(record_bytes(("001", b"v000001"), ("245", "10\x1faDvořák é".encode()), coding=" "))
    assert (record.title, codes(record), record.leader[9]) == ("Dvořák é", [lib.MARC_NOTE_UTF8], " ")
    assert record.as_marc()[9:10] == b"a"


def test_control_fields_that_are_not_utf8() -> None:
    record = salvaged(record_bytes(("001", b"v\xe9\x80"), ("008", b"\xff"), ("245", b"10\x1faTitle")))
    assert [field.data for field in record.fields[:2]] == ["v\ufffd", "\ufffd"]
    assert [(problem.code, problem.tag) for problem in record.problems] == [
        (lib.MARC_NOTE_TEXT, "001"),
        (lib.MARC_NOTE_TEXT, "008"),
    ]


def test_text_of_a_damaged_record_is_converted() -> None:
    raw = record_bytes(("001", b"v000001"), ("245", b"10\x1faG\xe2erard"), coding=" ")
    record = salvaged(b"00999" + raw[5:])
    assert record.title == "Gérard"
    assert codes(record) == [lib.MARC_NOTE_LENGTH]


@pytest.mark.parametrize(
    ("content", "indicators", "subfields"),
    [
        ("é0\x1faTitle", ("é", "0"), [("a", "Title")]),
        ("1中\x1faTitle", ("1", "中"), [("a", "Title")]),
        ("10\x1fáTitle\x1fbRest", ("1", "0"), [("á", "Title"), ("b", "Rest")]),
        ("10\x1f中文", ("1", "0"), [("中", "文")]),
        ("éé\x1fééé", ("é", "é"), [("é", "éé")]),
    ],
)
def test_indicators_and_codes_beyond_ascii_are_kept(
    content: str, indicators: tuple[str, str], subfields: list[tuple[str, str]]
) -> None:
    record = salvaged(record_bytes(("001", b"v000001"), ("245", content.encode())))
    assert flat(record)[1] == ("245", indicators, subfields)
    assert set(codes(record)) <= {lib.MARC_NOTE_INDICATOR_TEXT, lib.MARC_NOTE_SUBFIELD_CODE}
    assert len(record.problems) >= 1
    assert flat(salvaged(record.as_marc())) == flat(record)


# ---- leaders ----


@pytest.mark.parametrize("at", range(24))
def test_a_byte_missing_in_the_leader(at: int) -> None:
    """The fields are all there; the leader has 24 characters, and what is there of it stands in its place on one side
    of the gap."""
    record = salvaged(VICTIM[:at] + VICTIM[at + 1 :])
    leader = str(record.leader)
    assert isinstance(record.leader, Leader)
    assert len(leader) == 24
    original = VICTIM[:24].decode()
    assert leader[at + 1 :] == original[at + 1 :] or leader[:at] == original[:at]
    assert lib.MARC_NOTE_LEADER_SIZE in codes(record)
    if leader[9] == "a":
        assert flat(record) == FIELDS
    else:  # where the byte that is missing may have been leader/09
        assert [field.tag for field in record.fields] == ["001", "245", "500"]
        assert 9 <= at <= 16


@pytest.mark.parametrize("at", range(25))
def test_a_byte_too_many_in_the_leader(at: int) -> None:
    record = salvaged(VICTIM[:at] + b"x" + VICTIM[at:])
    leader = str(record.leader)
    assert len(leader) == 24
    assert record.problems or at == 0, "in front of it is no damage to the record"
    if leader[9] == "a":
        assert flat(record) == FIELDS
    else:
        assert [field.tag for field in record.fields] == ["001", "245", "500"]
        assert 10 <= at <= 16


@pytest.mark.parametrize("at", range(24))
def test_a_byte_above_ascii_in_the_leader(at: int) -> None:
    """A character for each byte, as in Latin-1; written again it is the same byte."""
    raw = VICTIM[:at] + b"\xe9" + VICTIM[at + 1 :]
    record = salvaged(raw)
    assert str(record.leader) == raw[:24].decode("latin-1")
    assert record.leader[at] == "é"
    assert lib.MARC_NOTE_LEADER_TEXT in codes(record)
    assert [field.tag for field in record.fields] == ["001", "245", "500"]
    if at != 9:
        assert flat(record) == FIELDS
        written = record.as_marc()
        assert flat(salvaged(written)) == FIELDS
        if 5 <= at < 12 or 17 <= at < 20:
            assert written[at] == 0xE9


def test_leaders_that_are_sound_are_not_touched() -> None:
    for raw in (VICTIM, record_bytes(("001", b"x"), ("500", b"1\x1faOne indicator"))):
        assert str(salvaged(raw).leader) == raw[:24].decode()


# ---- other widths ----

DAN = [
    (3, 3, b"123\x1faaTitle\x1fbbRest", ("1", "23"), [("aa", "Title"), ("bb", "Rest")]),
    (2, 3, b"12\x1faaTitle\x1fbbRest", ("1", "2"), [("aa", "Title"), ("bb", "Rest")]),
    (3, 2, b"123\x1faTitle\x1fbRest", ("1", "23"), [("a", "Title"), ("b", "Rest")]),
    (4, 5, b"1234\x1faaaaTitle", ("1", "234"), [("aaaa", "Title")]),
    (1, 2, b"1\x1faTitle", ("1", " "), [("a", "Title")]),
    (0, 2, b"\x1faTitle", (" ", " "), [("a", "Title")]),
    (9, 2, b"123456789\x1faTitle", ("1", "23456789"), [("a", "Title")]),
]


@pytest.mark.parametrize(("indicators", "code", "content", "expected", "subfields"), DAN)
def test_indicators_and_codes_as_the_leader_says(
    indicators: int, code: int, content: bytes, expected: tuple[str, str], subfields: list[tuple[str, str]]
) -> None:
    """danMARC and the like: sound, without a problem, none of it lost; and the same when it is written and read."""
    raw = wide_record(indicators, code, ("001", b"x"), ("245", content), ("500", content))
    record = salvaged(raw)
    assert record.problems == ()
    assert flat(record) == [("001", "x"), ("245", expected, subfields), ("500", expected, subfields)]
    assert record.title == (" ".join(value for _, value in subfields) if code == 2 else None)
    assert str(record.leader)[10:12] == f"{indicators}{code}"
    record.fields  # noqa: B018
    if indicators >= 2:
        written = record.as_marc()
        assert flat(salvaged(written)) == flat(record)


@pytest.mark.parametrize(("indicators", "code"), [(3, 2), (2, 3), (3, 3), (0, 0), (9, 9), (0, 2)])
def test_widths_that_the_fields_belie_are_not_believed(indicators: int, code: int) -> None:
    """Leaders are often wrong there. Fields of MARC 21 are read as such."""
    raw = wide_record(indicators, code, ("001", b"x"), ("245", b"10\x1faT\x1fbR"), ("500", b"  \x1faNote"))
    record = salvaged(raw)
    assert (
        flat(record)
        == [
            ("001", "x"),
            ("245", ("1", "0"), [("a", "T"), ("b", "R")]),
            ("500", (" ", " "), [("a", "Note")]),
        ]
        or code > 2
    )


@pytest.mark.parametrize("widths", [(3, 6, 0), (5, 6, 0), (4, 5, 1), (4, 5, 2), (5, 4, 0), (9, 9, 9), (4, 5, 0)])
def test_entry_maps_as_the_leader_says(widths: tuple[int, int, int]) -> None:
    """Sound, without a problem. Written it has entries of 12 bytes, and says so."""
    fields = [("001", b"v000001"), ("245", "10\x1faL'été\x1fcNoël".encode()), ("500", b"  \x1faNote")]
    raw = mapped_record(*widths, *fields)
    record = salvaged(raw)
    assert (record.raw, record.problems, flat(record)) == (raw, (), FIELDS)
    assert record.title == "L'été"
    assert str(record.leader) == raw[:24].decode()
    record.fields  # noqa: B018
    written = record.as_marc()
    assert written[20:24] == b"4500"
    for reader in (MARCReader(written), MARCReader(written, on_error="salvage")):
        again = given(reader)
        assert (flat(again), again.problems) == (FIELDS, ())


def test_many_records_of_another_map(tmp_path: Path) -> None:
    """They are counted as delivered, and not as repaired; from every source."""
    parts = [
        mapped_record(5, 6, 0, ("001", b"n%d" % number), ("245", b"10\x1faTitle %d" % number)) for number in range(500)
    ]
    data = b"\n".join(parts)
    path = tmp_path / "file.mrc"
    path.write_bytes(data)
    for source in (data, path, Source(data, 77)):
        reader = MARCReader(source, on_error="salvage", _chunk_bytes=10_000)
        found = items(reader)
        assert [one.title for one in found] == [f"Title {number}" for number in range(500)]
        assert [one.raw for one in found] == parts
        assert (reader.stats.repaired, reader.stats.rejected) == (0, 0)


# ---- writing ----


def test_what_was_repaired_can_be_written(damaged: bytes) -> None:
    """as_marc() gives a sound record with the same fields, which pymarc's reading takes too."""
    count = 0
    for record in MARCReader(damaged, on_error="salvage"):
        if record is None or not record.problems:
            continue
        fields = flat(record)
        if any(len(str(field)) > 9_000 for field in fields):
            continue  # larger than an entry can say
        written = record.as_marc()
        again: Any = next(MARCReader(written, on_error="salvage"))
        assert again is not None
        assert again.raw == written
        assert flat(again) == fields
        count += 1
    assert count > 10


@pytest.mark.parametrize("at", range(24))
def test_text_stays_text_where_the_leader_has_lost_a_byte(at: int) -> None:
    whole = record_bytes(("001", b"u1"), ("245", "10\x1fa\u00c4nne M\u00fcller".encode()))
    record = given(MARCReader(whole[:at] + whole[at + 1 :], on_error="salvage"))
    assert record["245"]["a"] == "\u00c4nne M\u00fcller"
    assert record.problems


@pytest.mark.parametrize("body", [b"\x1f", b"\x1f\xe9"])
@pytest.mark.parametrize("mode", ["none", "salvage"])
def test_problems_of_a_field_of_nothing_but_delimiters(body: bytes, mode: str) -> None:
    """A place of each kind would be a note of many times its bytes."""
    whole = record_bytes(("001", b"u1"), ("245", b"10\x1faOne"))
    record = given(MARCReader(b"00000" + whole[5:-2] + body * 300_000 + b"\x1e\x1d", on_error=mode))
    assert 1 < len(record.problems) <= 104
