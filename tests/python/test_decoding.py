"""to_unicode, force_utf8, utf8_handling, file_encoding: pymarc's answers, piece by piece, with its log lines."""

from __future__ import annotations

import copy
import logging
import pickle
import random
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from corpus import corpus_files, need_corpus
from generate import generate
from pymarc_oracle import loses_characters, pymarc, verdict
from support import check_sums, given, record_bytes
from test_pymarc_parity import damaged

import libmarc
from libmarc import Field, MARCReader, RawField, Record, RecordDirectoryInvalid

OPTIONS: list[dict[str, Any]] = [
    {"to_unicode": False},
    {"force_utf8": True},
    {"utf8_handling": "replace"},
    {"utf8_handling": "no such handler"},
    {"utf8_handling": "ignore", "force_utf8": True},
    {"utf8_handling": "backslashreplace", "file_encoding": "cp1251"},
    {"file_encoding": "latin-1"},
    {"file_encoding": "cp1251"},
    {"file_encoding": "utf-16"},
    {"to_unicode": False, "force_utf8": True},
    {"force_utf8": True, "utf8_handling": "surrogateescape"},
    {"file_encoding": "no such codec"},
    {"utf8_handling": "no such handler", "force_utf8": True},
]
every_option = pytest.mark.parametrize("options", OPTIONS, ids=str)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    caplog.set_level(logging.WARNING, "pymarc")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield caplog


def values(record: Any) -> list[tuple[Any, ...]]:
    return [
        (field.tag, field.data)
        if field.control_field
        else (field.tag, tuple(field.indicators), [tuple(subfield) for subfield in field.subfields])
        for field in record.fields
    ]


def taken(log: pytest.LogCaptureFixture) -> list[str]:
    messages = log.messages[:]
    log.clear()
    return messages


def assert_same_answers(data: bytes, options: dict[str, Any], log: pytest.LogCaptureFixture) -> tuple[int, int]:
    """Compares every piece. Returns how many records and rejected pieces there were."""
    position = 0
    counts = [0, 0]
    log.clear()
    reader = MARCReader(data, **options, _queue_records=1)
    for record in reader:
        said = taken(log)
        raw = reader.current_chunk
        assert raw is not None
        position = data.index(raw, position) + len(raw)
        theirs, their_problem = verdict(raw, position == len(data), **options)
        assert said == taken(log)
        counts[record is None] += 1
        if record is None:
            assert theirs is None, f"pymarc delivers {raw[:60]!r}"
            assert type(reader.current_exception).__name__ == type(their_problem).__name__
            if isinstance(their_problem, UnicodeDecodeError):
                ours = reader.current_exception
                assert isinstance(ours, UnicodeDecodeError)
                assert ours.args[0] == their_problem.args[0]
                assert ours.reason.startswith(their_problem.reason)
            else:
                assert str(reader.current_exception).startswith(str(their_problem))
            continue
        assert theirs is not None, f"pymarc rejects {raw[:60]!r}: {their_problem!r}"
        if not {"to_unicode", "force_utf8", "file_encoding"} & {*options} and loses_characters(theirs, raw):
            log.clear()
            continue
        if record.to_unicode:  # both before the fields: by the batch
            assert record.title == theirs.title
            assert record.as_json() == theirs.as_json()
        assert values(record) == values(theirs)
        assert str(record.leader) == str(theirs.leader)
        assert {type(field).__name__ for field in record.fields} == {type(field).__name__ for field in theirs.fields}
        assert (record.to_unicode, record.force_utf8) == (theirs.to_unicode, theirs.force_utf8)
        assert outcome(record.as_marc) == outcome(theirs.as_marc)
        assert str(record.leader) == str(theirs.leader)
        if record.to_unicode:
            assert str(record) == str(theirs)
        assert record.raw == raw
    check_sums(reader)
    return counts[0], counts[1]


def outcome(call: Any) -> Any:
    try:
        return call()
    except Exception as problem:
        return type(problem)


@every_option
def test_corpus_sample(options: dict[str, Any], log: pytest.LogCaptureFixture) -> None:
    """Every fifth file of the corpus, each option with others."""
    delivered = 0
    for path in need_corpus()[OPTIONS.index(options) % 5 :: 5]:
        delivered += assert_same_answers(path.read_bytes(), options, log)[0]
    assert delivered > 150


@pytest.mark.slow
@pytest.mark.parametrize("path", corpus_files(), ids=lambda path: path.name)
def test_corpus_file(path: Path, log: pytest.LogCaptureFixture) -> None:
    for options in OPTIONS:
        assert_same_answers(path.read_bytes(), options, log)


@every_option
def test_damaged_at_random(options: dict[str, Any], log: pytest.LogCaptureFixture) -> None:
    """Every check of pymarc, in its order: each damaged record is a piece of its own."""
    rng = random.Random(3)
    kinds = ("utf8", "marc8")
    records = [piece + b"\x1d" for kind in kinds for piece in generate(kind, 30, 3)[0].split(b"\x1d")[:-1]]
    for _ in range(700):
        assert_same_answers(damaged(rng, bytearray(rng.choice(records))), options, log)


# ---- Record ----

RAW = record_bytes(("001", b"n1"), ("245", b"10\x1faCaf\xe9\x1fb"), coding=" ")


def test_raw_fields_are_bytes_and_written_as_they_were() -> None:
    record = given(MARCReader(RAW, to_unicode=False))
    assert (record["001"].data, record["245"]["a"], record["245"]["b"]) == (b"n1", b"Caf\xe9", b"")
    assert {type(field) for field in record.fields} == {RawField}
    assert record.as_marc() == record.as_marc21() == record.raw == RAW
    assert str(record["001"]) == "=001  n1"
    assert str(record["245"]) == r"=245  10$aCaf\xe9$b"


def test_text_among_bytes_is_shown() -> None:
    (record,) = MARCReader(RAW, to_unicode=False)
    assert record is not None
    record["245"].add_subfield("c", "tëxt")
    record["001"].data = "n2"
    assert str(record["245"]) == r"=245  10$aCaf\xe9$b$ctëxt"
    assert str(record["001"]) == "=001  n2"
    assert str(record).splitlines()[1:3] == [str(record["001"]), str(record["245"])]


def test_a_raw_field_is_not_written_in_an_encoding(log: pytest.LogCaptureFixture) -> None:
    field = RawField("245", ["1", "0"], [libmarc.Subfield("a", b"x\xff")])  # type: ignore[arg-type]
    assert field.as_marc("utf-8") == b"10\x1fax\xff\x1e"
    assert "utf-8" in log.text


@pytest.mark.parametrize("options", [{"file_encoding": "latin-1"}, {"force_utf8": True, "utf8_handling": "replace"}])
def test_record_of_bytes(options: dict[str, Any]) -> None:
    ours, theirs = Record(RAW, **options), pymarc.Record(RAW, **options)
    assert ours.raw == RAW
    assert values(ours) == values(theirs)
    assert ours.as_marc() == theirs.as_marc()


def test_parameters_have_the_places_that_they_have_in_pymarc() -> None:
    for module in (libmarc, pymarc):
        leader = "00000nas a2200000 a 4500"
        record = module.Record(b"", None, True, True, False, "strict", leader, "iso8859-1")
        assert (str(record.leader), record.force_utf8, record.to_unicode) == ("00000nas a2200000 a 4500", True, True)
        record = module.Record("", [module.Field("001", data="x")], False, leader="12345678" + " " * 16)
        assert (str(record.leader), record.to_unicode) == ("12345678  22        4500", False)


def test_decode_marc_adds_fields() -> None:
    field = Field("999", data="x")
    for record in (Record(fields=[field]), Record()):
        before, fields = [*record.fields], record.fields
        record.decode_marc(RAW, encoding="latin-1")
        assert record.fields is fields
        assert fields[: len(before)] == before
        assert fields[-1]["a"] == "Café"
        assert str(record.leader) == RAW[:24].decode()
    record = given(MARCReader(RAW + RAW, file_encoding="latin-1"))
    record.decode_marc(RAW, to_unicode=False)
    assert [field["a"] for field in record.get_fields("245")] == ["Café", b"Caf\xe9"]


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, lambda record: pickle.loads(pickle.dumps(record))])
def test_copies_of_records_that_were_decoded(make: Any) -> None:
    for options in OPTIONS[:3]:
        record = given(MARCReader(RAW.replace(b"\xe9", b"e"), **options))
        twin = make(record)
        assert values(twin) == values(record)
        assert twin.as_marc() == record.as_marc()
        assert (twin.raw, twin.to_unicode, twin.force_utf8) == (record.raw, record.to_unicode, record.force_utf8)


def test_fields_that_overlap_have_a_limit() -> None:
    entries = b"245999900000" * 3_000
    base = 24 + len(entries) + 1
    raw = b"99999nam a22%05d i 4500" % base + entries + b"\x1e" + b"10\x1fa" + b"x" * 10_000 + b"\x1e\x1d"
    raw = b"%05d" % len(raw) + raw[5:]
    with pytest.raises(RecordDirectoryInvalid):
        Record(raw, to_unicode=False)
    reader = MARCReader(raw, to_unicode=False)
    assert next(reader) is None
    assert isinstance(reader.current_exception, RecordDirectoryInvalid)


def test_the_error_of_a_codec_has_its_place() -> None:
    sound = record_bytes(("001", b"n1"), ("245", b"10\x1fax"))
    bad = record_bytes(("001", b"n2"), ("245", b"10\x1fa\x98"), coding=" ")
    data = sound + bad
    reader = MARCReader(data, file_encoding="cp1251")
    assert [record is None for record in reader] == [False, True]
    problem: Any = reader.current_exception
    reader = MARCReader(data, file_encoding="cp1251", on_error="raise")
    given(reader)
    with pytest.raises(UnicodeDecodeError, match=rf"asked for \(record 2, offset {len(sound)}, 001 n2\)") as caught:
        next(reader)
    problem = caught.value
    assert (problem.record_index, problem.byte_offset, problem.control_number) == (1, len(sound), "n2")
    assert problem.chunk == bad
    assert pickle.loads(pickle.dumps(problem)).encoding == "charmap"


def test_options_are_attributes_of_the_reader() -> None:
    reader = MARCReader(RAW, False, True, True, "replace", "cp1251", True)
    names = ("to_unicode", "force_utf8", "hide_utf8_warnings", "utf8_handling", "file_encoding", "permissive")
    assert [getattr(reader, name) for name in names] == [False, True, True, "replace", "cp1251", True]
    assert reader.file_handle.getvalue() == RAW
