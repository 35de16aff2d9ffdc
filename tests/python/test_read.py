"""libmarc.read: every format, every compression, every kind of source, and what is broken in them."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import lzma
import os
import pickle
import random
import subprocess
import sys
import tracemalloc
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymarc
import pytest
from corpus import SHARED, head_of, loc_file, need_corpus
from support import Script, Source, book, books, generated, needs_proc, open_files, run_python

import libmarc
from libmarc import (
    Field,
    FormatError,
    MARCReader,
    Record,
    RecordFormatError,
    RejectedRecordWarning,
    Subfield,
    TooManyErrors,
)
from libmarc._json_stream import JSONStream
from libmarc._mrk import from_mnemonics, to_mnemonics
from libmarc._native import lib

PARTS = books(20)
ISO = b"".join(PARTS)


def contents(record: Any) -> tuple[Any, ...]:
    """All that a record says, for pymarc's and ours alike."""
    fields = [
        (f.tag, f.data, f.indicators and tuple(f.indicators), [tuple(subfield) for subfield in f.subfields])
        for f in record.fields
    ]
    return str(record.leader), fields


def records_of(source: Any, **options: Any) -> list[Record]:
    return [record for record in libmarc.read(source, **options) if record is not None]


def all_contents(source: Any, **options: Any) -> list[tuple[Any, ...]]:
    return [contents(record) for record in records_of(source, **options)]


def as_xml(records: list[Record]) -> bytes:
    file = io.BytesIO()
    writer = libmarc.XMLWriter(file)
    for record in records:
        writer.write(record)
    writer.close(close_fh=False)
    return file.getvalue()


def as_json(records: list[Record]) -> bytes:
    return json.dumps([record.as_dict() for record in records]).encode()


def as_lines(records: list[Record]) -> bytes:
    return "".join(record.as_json(ensure_ascii=False) + "\n" for record in records).encode()


def as_mrk(records: list[Record]) -> bytes:
    file = io.StringIO()
    writer = libmarc.MARCMakerWriter(file)
    for record in records:
        writer.write(record)
    return file.getvalue().encode()


WRITERS: dict[str, Callable[[list[Record]], bytes]] = {
    "marcxml": as_xml,
    "json": as_json,
    "ndjson": as_lines,
    "mrk": as_mrk,
}
BOOKS = [record for record in MARCReader(ISO) if record is not None]
EXPECTED = [contents(record) for record in BOOKS]
DOCUMENTS = {"iso2709": ISO, **{name: write(BOOKS) for name, write in WRITERS.items()}}
FORMAT = {"ndjson": "json"}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lambda content: lzma.compress(content, preset=0),
}
every_format = pytest.mark.parametrize("name", DOCUMENTS)
every_compression = pytest.mark.parametrize("compression", COMPRESSIONS)


# ---- formats


@every_format
def test_formats_are_told_by_their_content(name: str, tmp_path: Path) -> None:
    document = DOCUMENTS[name]
    path = tmp_path / "file"
    path.write_bytes(document)
    sources: list[Any] = [str(path), path, document, bytearray(document), memoryview(document), io.BytesIO(document)]
    for source in [*sources, path.open("rb"), Source(document), Source(document, 7)]:
        with libmarc.read(source) as records:
            assert [contents(record) for record in records] == EXPECTED
            assert records.format == FORMAT.get(name, name)
            assert records.compression == ()
    assert all_contents(document, format=FORMAT.get(name, name)) == EXPECTED


@every_format
@every_compression
def test_compressions_are_told_by_their_content(name: str, compression: str, tmp_path: Path) -> None:
    compress = COMPRESSIONS[compression]
    document = DOCUMENTS[name]
    packed = compress(document)
    path = tmp_path / "file"
    path.write_bytes(packed)
    for source in (path, packed, path.open("rb"), Source(packed), Source(packed, 1)):
        with libmarc.read(source) as records:
            assert [contents(record) for record in records] == EXPECTED
            assert records.compression == (compression,)
    half = len(document) // 2
    members = compress(document[:half]) + compress(document[half:]) + b"\0" * 100
    assert all_contents(members) == all_contents(Source(members, 3)) == EXPECTED
    layers = libmarc.read(gzip.compress(packed))
    assert [contents(record) for record in layers] == EXPECTED
    assert layers.compression == ("gzip", compression)


def test_zstd(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        from compression import zstd
    except ImportError:
        zstd = pytest.importorskip("backports.zstd", reason="no zstd in this Python")
    packed = zstd.compress(ISO)
    assert all_contents(packed + packed) == all_contents(Source(packed + packed, 100)) == EXPECTED * 2
    with pytest.raises(EOFError):
        all_contents(packed[:-1])


def test_zstd_without_a_library() -> None:
    code = """
import sys, libmarc
for name in ("compression", "compression.zstd", "backports", "backports.zstd", "zstandard"):
    sys.modules[name] = None
try:
    next(libmarc.read(b"\\x28\\xb5\\x2f\\xfd" + bytes(30)))
except ModuleNotFoundError as problem:
    print(problem)
"""
    assert "pip install backports.zstd" in run_python(code)


def test_zip(tmp_path: Path) -> None:
    path = tmp_path / "one.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("books.mrc", ISO)
    for source in (path, path.read_bytes(), path.open("rb"), io.BytesIO(path.read_bytes())):
        with libmarc.read(source) as records:
            assert [contents(record) for record in records] == EXPECTED
            assert records.compression == ("zip",)
    with pytest.raises(FormatError, match="a zip archive in a stream"):
        all_contents(Source(path.read_bytes()))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.mrc", ISO)
    with pytest.raises(FormatError, match="2 members"):
        all_contents(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["marcxml", "json", "ndjson", "mrk"])
def test_encodings_of_text(name: str, encoding: str) -> None:
    if name == "marcxml" and encoding == "utf-32":
        return  # which the XML parser does not have
    document = DOCUMENTS[name].decode().replace('<?xml version="1.0" encoding="UTF-8"?>', "")
    for size in (None, 1, 3):
        assert all_contents(Source(document.encode(encoding), size)) == EXPECTED


@pytest.mark.parametrize("space", [b"", b"\n", b" \r\n\t" * 500, codecs.BOM_UTF8])
@every_format
def test_white_space_before_it(name: str, space: bytes) -> None:
    document = DOCUMENTS[name]
    if name == "marcxml" and space[:1] != codecs.BOM_UTF8[:1]:
        document = document.partition(b"?>")[2]
    if name == "mrk" and space.endswith(b"\t"):
        space += b"\n"
    assert all_contents(space + document) == EXPECTED


@pytest.mark.parametrize("nothing", [b"", gzip.compress(b""), gzip.compress(gzip.compress(b""))])
def test_nothing_has_no_records(nothing: bytes) -> None:
    assert all_contents(nothing) == all_contents(io.BytesIO(nothing)) == []
    for format in libmarc._read.FORMATS:  # type: ignore[attr-defined]
        assert all_contents(b"", format=format) == []


def test_what_is_no_marc() -> None:
    with pytest.raises(FormatError, match="HTML page"):
        all_contents(b"<!DOCTYPE html>\n<html><p>404</p></html>")
    packed = ISO
    for _ in range(5):
        packed = gzip.compress(packed)
    with pytest.raises(FormatError, match="compressed more than 4 times"):
        all_contents(packed)
    with pytest.warns(RejectedRecordWarning, match="RecordLengthInvalid"):
        assert all_contents(b"This is no record.") == []
    with pytest.raises(TypeError, match="supported are"):
        libmarc.read(3)
    with pytest.raises(TypeError, match="text file"):
        libmarc.read(io.StringIO("x"))
    with pytest.raises(FileNotFoundError):
        libmarc.read("no/such/file")
    for option in ({"format": "marc"}, {"on_error": "salvage"}, {"max_errors": -1}):
        with pytest.raises(ValueError, match=next(iter(option))):
            libmarc.read(ISO, **option)  # type: ignore[arg-type]


# ---- round trips


def xml_can_hold(record: Record) -> bool:
    """Whether no character is one that XML cannot hold, or that its readers change."""
    text = [str(record.leader), *(field.data or "" for field in record.fields)]
    attributes = []
    for field in record.fields:
        text += [value for _, value in field.subfields]
        attributes += [field.tag, *(field.indicators or ()), *(code for code, _ in field.subfields)]
    held = all(
        char in "\t\n" or " " <= char < "\ud800" or "\ue000" <= char < "\ufffe" or char > "\uffff"
        for char in "".join(text)
    )
    return held and "".join(attributes).isprintable()


def check_round_trips(records: list[Record]) -> dict[str, int]:
    """Records that come back the same, by format."""
    done = dict.fromkeys(WRITERS, 0)
    for record in records:
        expected = contents(record)
        try:
            iso = record.as_marc()
        except (NotImplementedError, libmarc.OversizeError):
            continue  # MARC-8, or more than ISO 2709 can state
        if [contents(again)[1] for again in records_of(iso, on_error="skip")] != [expected[1]] or not record.fields:
            continue  # more than ISO 2709 can state
        expected = contents(record)  # as_marc() has set leader/09
        for name, write in WRITERS.items():
            if name == "marcxml" and not xml_can_hold(record):
                continue
            (back,) = records_of(write([record]))
            assert contents(back) == expected, name
            # (Of a record that was repaired leader/20-23 are written anew.)
            assert back.as_marc()[:20] + back.as_marc()[24:] == iso[:20] + iso[24:], name
            done[name] += 1
    return done


def corpus_records(every: int) -> Iterator[Record]:
    for number, path in enumerate(need_corpus()):
        if number % every == 0:
            yield from records_of(path, on_error="skip")[:200]


def test_round_trips_of_generated_records() -> None:
    done = check_round_trips(records_of(generated("mixed", 200)))
    assert min(done.values()) > 100


def test_round_trips_of_real_records() -> None:
    assert min(check_round_trips(list(corpus_records(every=12))).values()) > 100


@pytest.mark.slow
def test_round_trips_of_the_whole_corpus() -> None:
    assert min(check_round_trips(list(corpus_records(every=1))).values()) > 4800
    assert min(check_round_trips(records_of(head_of(loc_file(), 3000))).values()) > 2900


# ---- sources


@every_format
def test_every_split(name: str) -> None:
    document = {"iso2709": b"".join(PARTS[:3]), **{n: write(BOOKS[:3]) for n, write in WRITERS.items()}}[name]
    for split in range(1, len(document)):
        assert all_contents(Script(document[:split], document[split:])) == EXPECTED[:3]


@every_compression
def test_every_split_of_compressed_bytes(compression: str) -> None:
    packed = COMPRESSIONS[compression](ISO)
    for split in range(1, len(packed), 3):
        assert all_contents(Script(packed[:split], packed[split:])) == EXPECTED


@every_format
def test_what_the_source_raises_comes_out_unchanged(name: str) -> None:
    document = DOCUMENTS[name]
    for split in (0, 3, len(document) // 2, len(document)):
        fault = OSError("no more")
        given: list[Any] = []
        with pytest.raises(OSError, match="no more") as raised:
            given.extend(
                contents(record) for record in libmarc.read(Script(document[:split], fault) if split else Script(fault))
            )
        assert raised.value is fault
        assert given == EXPECTED[: len(given)]


@every_format
def test_a_source_that_has_nothing_for_now(name: str) -> None:
    document = DOCUMENTS[name]
    records = libmarc.read(Script(None, document[:3], BlockingIOError(), document[3:1000], None, document[1000:]))
    found: list[Any] = []
    waits = 0
    while True:
        try:
            found.append(contents(next(records)))
        except BlockingIOError:
            waits += 1
        except StopIteration:
            break
    assert waits == 3
    assert found == EXPECTED


@every_compression
def test_cut_compressed_files(compression: str, tmp_path: Path) -> None:
    random_ = random.Random(1)
    large = b"".join(book(number, random_.randbytes(400).hex()) for number in range(3000))
    packed = COMPRESSIONS[compression](large)
    path = tmp_path / "cut"
    path.write_bytes(packed[: len(packed) * 2 // 3])
    given = 0
    with pytest.raises(EOFError, match="end-of-stream"):
        for record in libmarc.read(path):
            assert record is not None
            given += 1
    assert given > 100
    with pytest.raises(Exception, match=r"(?i)incorrect|invalid|not a|format"):
        all_contents(packed + b"garbage behind it")


@pytest.mark.parametrize("size", [1, 100, 1 << 20])
def test_records_before_a_wrong_checksum_come_first(size: int) -> None:
    random_ = random.Random(2)
    parts = [book(number, random_.randbytes(4000).hex()) for number in range(25)]
    expected = all_contents(b"".join(parts))
    for content, count in ((b"".join(parts), 25), (b"".join(parts[:2]), 2), (ISO, len(EXPECTED))):
        packed = gzip.compress(content)
        for place in (-8, -1):  # of the checksum, and of the size
            wrong = bytearray(packed)
            wrong[place] ^= 1
            found = []
            with pytest.raises(zlib.error) as ours:
                found.extend(contents(record) for record in libmarc.read(Source(bytes(wrong), size)) if record)
            with pytest.raises(zlib.error) as theirs:
                zlib.decompress(bytes(wrong), wbits=31)
            assert str(ours.value) == str(theirs.value)
            assert len(found) == count
            assert found == (EXPECTED if content == ISO else expected[:count])


def test_positions_and_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (ISO, DOCUMENTS["marcxml"]):
        path.write_bytes(b"junk!" + content)
        with path.open("rb") as file:
            file.seek(5)
            with libmarc.read(file) as records:
                first = next(records)
                assert first is not None
                assert contents(first) == EXPECTED[0]
            assert not file.closed
            assert 5 < file.tell() < 5 + len(content)


@needs_proc
def test_no_descriptor_is_left(tmp_path: Path) -> None:
    before = open_files()
    for name, document in DOCUMENTS.items():
        path = tmp_path / name
        for content in (document, gzip.compress(document)):
            path.write_bytes(content)
            with warnings.catch_warnings():
                warnings.simplefilter("error", ResourceWarning)
                assert all_contents(path) == EXPECTED
                next(libmarc.read(path))
                with libmarc.read(path) as records:
                    next(records)
                libmarc.read(path).close()
            assert open_files() == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_a_fifo(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read())", path],
        stdin=subprocess.PIPE,
    )
    assert child.stdin is not None
    child.stdin.write(ISO)
    child.stdin.close()
    assert all_contents(path) == EXPECTED
    assert child.wait() == 0


@needs_proc
@pytest.mark.parametrize("name", ["json", "ndjson", "mrk"])
def test_memory_is_flat(name: str) -> None:
    part = DOCUMENTS[name] if name != "json" else DOCUMENTS[name].strip()[1:-1] + b","
    left = [100]

    class Endless:
        def read(self, size: int) -> bytes:
            left[0] -= 1
            return (b"[" if name == "json" and left[0] == 99 else b"") + part * 10 + b"\n" if left[0] > 0 else b""

    sizes = []
    tracemalloc.start()
    try:
        with pytest.raises(FormatError) if name == "json" else warnings.catch_warnings():  # there is a comma too many
            for number, _ in enumerate(libmarc.read(Endless())):
                if number % 1500 == 0:
                    sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert len(sizes) > 10
    assert max(sizes[2:]) < sizes[1] + 500_000


# ---- what cannot be read


def test_on_error() -> None:
    damaged = PARTS[0] + b"no record\x1d" + PARTS[1]
    with pytest.warns(RejectedRecordWarning, match="RecordLengthInvalid") as caught:
        assert all_contents(damaged) == EXPECTED[:2]
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all_contents(damaged, on_error="skip") == EXPECTED[:2]
        found = list(libmarc.read(damaged, on_error="none"))
    assert [record and contents(record) for record in found] == [EXPECTED[0], None, EXPECTED[1]]
    records = libmarc.read(damaged, on_error="raise")
    next(records)
    with pytest.raises(libmarc.RecordLengthInvalid):
        next(records)
    assert contents(next(records)) == EXPECTED[1]


@needs_proc
def test_too_many_errors_end_it(tmp_path: Path) -> None:
    (tmp_path / "file.mrc").write_bytes(PARTS[0] + b"no record\x1d" + PARTS[1])
    before = open_files()
    records = libmarc.read(tmp_path / "file.mrc", on_error="skip", rejects=tmp_path / "r", max_errors=0)
    next(records)
    with pytest.raises(TooManyErrors) as caught:
        next(records)
    problem = caught.value.__cause__
    assert isinstance(problem, libmarc.RecordLengthInvalid)
    assert (caught.value.record_index, caught.value.byte_offset) == (1, len(PARTS[0]))
    assert (problem.record_index, problem.byte_offset) == (1, len(PARTS[0]))
    assert open_files() == before
    assert (tmp_path / "r").read_bytes() == b"no record\x1d"
    assert list(records) == []


def test_rejects_and_stats(tmp_path: Path) -> None:
    records = libmarc.read(
        gzip.compress(PARTS[0] + b"no record\x1d" + PARTS[1]), on_error="skip", rejects=tmp_path / "r"
    )
    assert len(list(records)) == 2
    assert records.rejected == 1
    assert records.stats is not None
    assert (records.stats.delivered, records.stats.rejected) == (2, 1)
    assert (tmp_path / "r").read_bytes() == b"no record\x1d"


def test_damaged_records_are_repaired() -> None:
    lost_end = PARTS[0][:-1] + PARTS[1]
    found = records_of(lost_end)
    assert [contents(record)[1] for record in found] == [contents[1] for contents in EXPECTED[:2]]
    assert found[0].problems


# ---- JSON


def objects(text: Any, size: int = 1 << 20, **options: Any) -> Iterator[Any]:
    source = io.StringIO(text) if isinstance(text, str) else io.BytesIO(text)
    return JSONStream(lambda most: source.read(min(most, size)), **options)


def test_json_of_every_shape() -> None:
    one, two = '{"a": "}{\\"[\\\\"}', '{"b": [{"c": "x"}, 1.5e3, null]}'
    values = [json.loads(one), json.loads(two)]
    for text in (
        f"[{one},{two}]",
        f"[ {one} , {two} ]\n",
        f"{one}\n{two}\n",
        one + two,
        f"[{one}][{two}]",
        f"\n{one}[{two}]",
    ):
        for size in (1, 2, 5, 100):
            assert list(objects(text, size)) == values
    assert list(objects("[]")) == list(objects(" ")) == list(objects("[][]")) == []


@pytest.mark.parametrize(
    ("text", "count", "line", "column"),
    [
        ('[{"a": 1},\n {"b": }]', 1, 2, 8),
        ('[{"a": 1}\n {"b": 2}]', 1, 2, 2),
        ('{"a": 1}\n{"b"', 1, 2, 5),
        ('[{"a": 1},\n', 1, 2, 1),
        ('[{"a": 1}, +3]', 1, 1, 12),
        ('{"a": 1} x', 1, 1, 10),
        ('{"a": "no end', 0, 1, 7),
        ('{"a": 1}\n\n{"b": "x' + "y" * 100 + '"} ]', 2, 3, 112),
    ],
)
def test_where_json_is_broken(text: str, count: int, line: int, column: int) -> None:
    for size in (1, 3, 1 << 20):
        stream, found = objects(text, size), 0
        with pytest.raises(FormatError) as raised:
            for _ in stream:
                found += 1
        assert (found, raised.value.line, raised.value.column) == (count, line, column)
        assert f"line {line}, column {column}" in str(raised.value)
        assert raised.value.record_index == count
        assert list(stream) == []


def test_json_that_is_no_text() -> None:
    stream = objects(b'{"a": 1}\n{"b": "\xe9"}', 8)
    assert next(stream) == {"a": 1}
    with pytest.raises(FormatError, match="no text"):
        next(stream)
    with pytest.raises(FormatError, match="nests too deep"):
        next(objects('{"a":' + "[" * 200_000))


GOOD = json.dumps({"leader": "00000nam a2200000 a 4500", "fields": [{"001": "x"}]})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_records_before_bytes_that_are_no_text_come_first(size: int, encoding: str) -> None:
    wrong = b"\xe9" if encoding.startswith("utf-8") else b"\0\xdc" if encoding == "utf-16" else b"\xdc\0"
    part = {"utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(encoding, encoding)
    for begin, between in (("[", ",\n"), ("", "\n"), ("", "")):
        text = f'{begin}{GOOD}{between}{GOOD}{between}{{"é": "'
        document = text.encode(encoding) + wrong + f'"}}{between}{GOOD}'.encode(part)
        found = 0
        with pytest.raises(FormatError, match="no text") as raised:
            for record in libmarc.read(Source(document, size)):
                assert record is not None
                found += 1
        assert found == 2
        line = text.count("\n") + 1
        assert (raised.value.record_index, raised.value.line) == (2, line)
        assert raised.value.column == len(text) - text.rfind("\n")
        assert f"character {len(text)}," in str(raised.value)
        assert isinstance(raised.value.__cause__, UnicodeDecodeError)


def test_json_that_is_wrong_before_bytes_that_are_no_text() -> None:
    with pytest.raises(FormatError, match="an object is expected") as raised:
        list(objects(b'{"a": 1} x\xe9'))
    assert (raised.value.line, raised.value.column) == (1, 10)
    with pytest.raises(FormatError, match="this is no text"):
        list(objects(b'[{"a": 1}\xe9'))


@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_an_integer_of_any_size_costs_no_other_record(size: int) -> None:
    digits = "7" * 5000
    bad = [f'{{"leader": {digits}, "fields": []}}', GOOD[:-1] + f', "more": [{{"a": -{digits}}}]}}']
    for begin, between, end in (("[", ",", "]"), ("", "\n", "")):
        document = begin + between.join([GOOD, bad[0], GOOD, bad[1], GOOD]) + end
        records = libmarc.read(Source(document.encode(), size), on_error="none")
        indexes = []
        for record in records:
            indexes.append(None)
            if record is None:
                assert isinstance(records.current_exception, RecordFormatError)
                indexes[-1] = records.current_exception.record_index
        assert indexes == [None, 1, None, 3, None]
    with pytest.raises(FormatError, match=r"Expecting|Unterminated") as raised:
        list(libmarc.read(f'{GOOD}{{"a": {digits}, "b'.encode()))
    assert not isinstance(raised.value, RecordFormatError)


@pytest.mark.parametrize("value", ["null", "true", "17", "-1.5e300", '"te\\"xt }"', f"[{GOOD}, 1]", "[]", "{}"])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_json_values_that_are_no_records_cost_no_other_record(value: str, size: int) -> None:
    for begin, between, end in (("[", ",", "]"), ("", "\n", ""), ("[", " , ", "\n]\n")):
        if value.startswith("[") and not begin:
            continue  # an array of records
        document = begin + between.join([GOOD, value, value, GOOD, value]) + end
        records = libmarc.read(Source(document.encode(), size), on_error="none")
        found = [record.as_json() if record else records.current_exception for record in records]
        assert found[0] == found[3] == GOOD
        for number in (1, 2, 4):
            problem = found[number]
            assert isinstance(problem, RecordFormatError)
            assert problem.record_index == number
            assert "no record of MARC-in-JSON" in str(problem)


def test_json_objects_without_an_end_are_bounded() -> None:
    with pytest.raises(FormatError, match="largest_record"):
        next(objects('{"a": "' + "x" * 3_000_000, 10_000, largest=100_000))


@pytest.mark.parametrize("filling", ["x", "}", "{}", '\\"', "[{"])
def test_work_on_json_is_linear(filling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    decode = libmarc._json_stream._decode  # type: ignore[attr-defined]

    def counted(text: str, at: int) -> Any:
        nonlocal looked_at
        looked_at += len(text) - at
        return decode(text, at)

    monkeypatch.setattr("libmarc._json_stream._decode", counted)
    text = json.dumps({"a": filling * 30_000})
    for size in (1, 17, 4000):
        looked_at = 0
        assert list(objects(text, size)) == [json.loads(text)]
        assert looked_at <= 12 * len(text)


def test_json_of_a_live_stream() -> None:
    lines = [record.as_json() + "\n" for record in BOOKS]
    waiting = iter([part.encode() for line in lines for part in (line[:50], line[50:])])
    asked = 0

    class Live:
        def read(self, size: int) -> bytes:
            nonlocal asked
            asked += 1
            return next(waiting, b"")

    for number, _ in enumerate(libmarc.read(Live()), 1):
        assert asked == 2 * number


def test_objects_that_are_no_records() -> None:
    text = (
        '[{"leader": "x"}, {"a": 1}, '
        + BOOKS[0].as_json()
        + ', {"leader": 1, "fields": []}, {"leader": "short", "fields": []}]'
    )
    records = libmarc.read(text.encode(), on_error="none")
    found = list(records)
    assert [record is None for record in found] == [True, True, False, True, False]
    assert found[4] is not None
    assert str(found[4].leader) == "short".ljust(24)
    assert [problem.code for problem in found[4].problems] == [lib.MARC_NOTE_LEADER_LENGTH]
    with pytest.raises(RecordFormatError, match="KeyError"):
        next(libmarc.read(b'{"leader": "x"}', on_error="raise"))


def data(**others: Any) -> dict[str, Any]:
    return {"ind1": "1", "ind2": " ", "subfields": [{"a": "X"}], **others}


@pytest.mark.parametrize(
    "field",
    [
        {"245": data(subfields=[{"a": None}])},
        {"245": data(subfields=[{"a": 7}])},
        {"245": data(subfields=[{"a": ["x"]}])},
        {"245": data(subfields=[{"a": {"b": "x"}}])},
        {"245": data(subfields=[{"a": "\ud800"}])},
        {"245": data(subfields=[{"\udfff": "x"}])},
        {"245": data(subfields={"a": "x"})},
        {"245": data(subfields="")},
        {"245": data(subfields=["x"])},
        {"245": data(ind1=None)},
        {"245": data(ind2=1)},
        {"245": data(ind1="\ud800")},
        {"245": {"ind1": "1", "subfields": []}},
        {"245": None},
        {"245": []},
        {"\ud80045": data()},
        {"005": ["x"]},
        {"005": 1},
        {"005": True},
        {"005": "\udc00"},
        {"005": {"ind1": "1", "ind2": " "}},
        "245",
        None,
    ],
)
def test_json_of_wrong_types_costs_one_record(field: Any) -> None:
    bad = json.dumps({"leader": "00000nam a2200000 a 4500", "fields": [{"001": "x"}, field]})
    for document in (f"[{GOOD},{bad},{GOOD}]", f"{GOOD}\n{bad}\n{GOOD}\n"):
        records = libmarc.read(document.encode(), on_error="none")
        assert next(records) is not None
        assert next(records) is None
        assert isinstance(records.current_exception, RecordFormatError)
        assert records.current_exception.record_index == 1
        assert next(records) is not None
        assert next(records, "end") == "end"


@pytest.mark.parametrize("content", [{"fields": ""}, {"fields": {}}, {"leader": None}, {"leader": [" "] * 24}])
def test_json_of_wrong_types_in_place_of_leader_and_fields(content: Any) -> None:
    with pytest.raises(RecordFormatError, match="TypeError"):
        next(libmarc.read(json.dumps({**json.loads(GOOD), **content}).encode(), on_error="raise"))


def test_json_deviates_as_marcxml_does() -> None:
    """The same deviations in both: the same fields, and problems for the same reasons."""
    leader = "00000nam a2200000 a 4500"
    for tag, value in (
        ("500", "text"),
        ("005", data(subfields=[{"a": "x"}, {"b": "y"}])),
        ("245", data(ind1="12", ind2="")),
        ("245", data(ind1="é", ind2="éé")),
        ("245", data(subfields=[{"ab": "x"}, {"": "y"}])),
        ("50000", data()),
        ("00100", "x"),
        ("5", "x"),
        ("AB", data()),
    ):
        if isinstance(value, str):
            element = f'<controlfield tag="{tag}">{value}</controlfield>'
        else:
            parts = [f'<subfield code="{c}">{t}</subfield>' for part in value["subfields"] for c, t in part.items()]
            element = (
                f'<datafield tag="{tag}" ind1="{value["ind1"]}" ind2="{value["ind2"]}">{"".join(parts)}</datafield>'
            )
        xml = f'<record xmlns="http://www.loc.gov/MARC21/slim"><leader>{leader}</leader>{element}</record>'
        (expected,) = records_of(xml.encode())
        (record,) = records_of(json.dumps({"leader": leader, "fields": [{tag: value}]}).encode())
        assert contents(record) == contents(expected)
        kinds = {lib.MARC_NOTE_ATTRIBUTE, lib.MARC_NOTE_FIELD_KIND}
        assert {p.code for p in record.problems} == {p.code for p in expected.problems} & kinds
        assert bool(record.problems) is (tag != "5")
        assert record.as_marc() == expected.as_marc()
        assert contents(pickle.loads(pickle.dumps(record))) == contents(record)


def test_json_with_more_than_two_indicators() -> None:
    field = {"245": data(ind2="23", subfields=[{"ab": "x"}])}
    (record,) = records_of(json.dumps({"leader": "00000nam a3300000 a 4500", "fields": [field]}).encode())
    assert contents(record)[1] == [("245", None, ("1", "23"), [("ab", "x")])]
    assert record.problems == ()


def test_json_is_as_pymarc_reads_it() -> None:
    compared = 0
    for path in sorted((SHARED / "corpus").glob("*/*.json")):
        try:
            expected = [contents(record) for record in pymarc.JSONReader(str(path))]
        except Exception:
            continue
        compared += 1
        for record, (leader, fields) in zip(records_of(path), expected, strict=True):
            # (pymarc drops what a data field under the tag of a control field holds.)
            odd = {problem.tag for problem in record.problems if problem.code == lib.MARC_NOTE_FIELD_KIND}
            assert all(field[1] is None for field in fields if field[0] in odd)
            found = contents(record)
            assert (found[0], [field for field in found[1] if field[0] not in odd]) == (
                leader,
                [field for field in fields if field[0] not in odd],
            ), path
    assert compared > 20 or not (SHARED / "corpus").is_dir()


# ---- MARCMaker


def test_mnemonics_of_the_library_of_congress() -> None:
    """The same records in MARCMaker text and in MARC-8."""
    folder = SHARED / "corpus" / "marc4j__marc4j"
    if not folder.is_dir():
        pytest.skip("the corpus is not there")
    made = records_of(folder / "brkrtest.mrk")
    read = [record for record in pymarc.MARCReader((folder / "brkrtest.mrc").read_bytes()) if record]
    assert len(made) == len(read) == 8
    same = 0
    for ours, theirs in zip(made, read):
        if len(ours.fields) != len(theirs.fields):
            continue  # two of them have more fields in the text
        for field, other in zip(ours.fields, theirs.fields):
            # pymarc writes the halves of marks over two letters as U+FE20 to U+FE23.
            text = str(other)
            for half, whole in (("\ufe20", "\u0361"), ("\ufe21", ""), ("\ufe22", "\u0360"), ("\ufe23", "")):
                text = text.replace(half, whole)
            assert unicodedata.normalize("NFC", str(field)) == unicodedata.normalize("NFC", text)
            same += 1
    assert same > 80


def test_mnemonics() -> None:
    assert (
        from_mnemonics("d{acute}es {dotb}{circ}a{euro} {nosuch} {0x1F}{lcub}{acute}") == "dés ậ€ {nosuch} \x1f{\u0301"
    )
    assert from_mnemonics("d{llig}i{rlig}a") == "di\u0361a"
    text = "".join(map(chr, range(0x180))) + "{dollar}{acute}"
    assert from_mnemonics(to_mnemonics(text)) == text


@pytest.mark.parametrize("tag", ["99$", "{9}", "}{$", "$$$", "9\\9", "9 9", "   ", "\x1b9\n", "{a}", "LD{"])
def test_tags_with_characters_that_mrk_needs(tag: str) -> None:
    record = Record(leader="00000nam a2200000 a 4500")
    record.fields = [libmarc.Field(tag, libmarc.Indicators("1", "\\"), [libmarc.Subfield("$", "a$b")])]
    assert all_contents(as_mrk([record] * 2)) == [contents(record)] * 2
    ffi = libmarc._native.ffi  # type: ignore[attr-defined]
    content = record.as_marc()
    slot, error = libmarc._batch.new_slot(), libmarc._native.new_error()  # type: ignore[attr-defined]
    raw = ffi.from_buffer("uint8_t[]", content)
    assert lib.marc_parse_record(raw, len(content), lib.MARC_PIECE_ALONE, ffi.NULL, slot, error) == 0
    text = libmarc._batch.call_text(lib.marc_batch_mrk, slot[0], lib.MARC_MRK_MNEMONICS)  # type: ignore[attr-defined]
    (native,) = libmarc._batch.split_text(text)  # type: ignore[attr-defined]
    assert [found[1] for found in mrk(native)] == [contents(record)[1]]


def test_tags_with_braces_as_they_stand() -> None:
    assert mrk("=LDR  00000nam a2200000 a 4500\n={a}  10$aX\n")[0][1] == [("{a}", None, ("1", "0"), [("a", "X")])]
    with pytest.raises(RecordFormatError, match="two blanks"):
        next(libmarc.read(b"={nosuch}99  10$aX\n", format="mrk", on_error="raise"))


def test_mrk_is_what_the_core_writes() -> None:
    ffi = libmarc._native.ffi  # type: ignore[attr-defined]
    compared = 0
    for data in (generated("mixed", 100), ISO):
        for record in MARCReader(data):
            if record is None or record.raw is None or record._odd is not None or record.raw[9:10] != b"a":
                continue
            slot, error = libmarc._batch.new_slot(), libmarc._native.new_error()  # type: ignore[attr-defined]
            raw = ffi.from_buffer("uint8_t[]", record.raw)
            assert lib.marc_parse_record(raw, len(record.raw), lib.MARC_PIECE_ALONE, ffi.NULL, slot, error) == 0
            text = libmarc._batch.call_text(lib.marc_batch_mrk, slot[0], lib.MARC_MRK_MNEMONICS)  # type: ignore[attr-defined]
            (native,) = libmarc._batch.split_text(text)  # type: ignore[attr-defined]
            assert libmarc.record_to_mrk(record) == native
            compared += 1
    assert compared > 60


def mrk(text: str, **options: Any) -> list[tuple[Any, ...]]:
    return all_contents(text.encode(), format="mrk", **options)


def test_mrk_of_every_shape() -> None:
    leader = "00000nam a2200000 a 4500"
    one = f"=LDR  {leader}\n=001  a\\b\n=245  1\\$aA{{dollar}}$bB\\C\n"
    expected = [(leader, [("001", "a b", None, []), ("245", None, ("1", " "), [("a", "A$"), ("b", "B\\C")])])]
    for text in (
        one,
        one.replace("\n", "\r\n"),
        one.replace("\n", "\r"),
        one.rstrip(),
        "\n\n" + one + "\n\n \n",
        "\ufeff" + one,
    ):
        assert mrk(text) == expected
        assert mrk(text + "\n\n" + text.removeprefix("\ufeff")) == expected * 2
    assert mrk(one + one) == expected * 2  # without an empty line
    assert mrk(one.replace("$bB", "$b\n  B")) == [
        (leader, [*expected[0][1][:1], ("245", None, ("1", " "), [("a", "A$"), ("b", " B\\C")])])
    ]
    three = "=LDR  00000nam a3200000 a 4500\n=245  123$aX\n"  # leader/10 says that there are three
    assert mrk(three)[0][1] == [("245", None, ("1", "23"), [("a", "X")])]
    assert mrk("=001  x\n") == [("          22        4500", [("001", "x", None, [])])]
    assert mrk("=LDR  00000nam\\a2200000\\a\\4500\n=001\n=245  \n")[0] == (
        leader,
        [("001", "", None, []), ("245", None, (" ", " "), [])],
    )


def test_a_record_that_is_no_mrk_costs_no_other() -> None:
    good = "=LDR  00000nam a2200000 a 4500\n=001  x\n"
    for bad, what in (
        ("=LDR  00000nam a2200000 a 4500\n=24510$aX\n", "two blanks"),
        ("text\n=001  x\n", "begins no field"),
        ("=245  10text$aX\n", "before the first subfield"),
        ("=245  10$aX$\n", "without a code"),
        ("=2\n", "two blanks"),
    ):
        records = libmarc.read(f"{good}\n{bad}\n{good}".encode(), on_error="none", format="mrk")
        found = []
        for record in records:
            found.append(record is not None)
            if record is None:
                assert what in str(records.current_exception)
                assert "line " in str(records.current_exception)
        assert found == [True, False, True]
    error = RecordFormatError("x", 1, None, 3, 1)
    assert (pickle.loads(pickle.dumps(error)).line, str(pickle.loads(pickle.dumps(error)))) == (3, "x")


def test_mrk_that_is_no_text() -> None:
    good = "=LDR  00000nam a2200000 a 4500\n=001  x\n\n"
    given = 0
    with pytest.raises(FormatError, match="no MARCMaker text"):
        for _ in libmarc.read(Source((good * 2).encode() + b"=001  \xe9\n", 20)):
            given += 1
    assert given == 2
    for size in (1, 20, 1 << 20):
        for end in ("\n", "\r\n"):
            head = (good * 2 + "=LDR  00000nam a2200000 a 4500\n=245  10$aé").replace("\n", end)
            given = 0
            with pytest.raises(FormatError, match="no MARCMaker text") as raised:
                for _ in libmarc.read(Source(head.encode() + b"\xe9\n\n" + good.encode(), size)):
                    given += 1
            assert (given, raised.value.record_index, raised.value.line, raised.value.column) == (2, 2, 8, 12)
            assert isinstance(raised.value.__cause__, UnicodeDecodeError)
    with pytest.raises(FormatError, match="largest_record"):
        mrk("=001  " + "x" * 10_000, largest_record=1000)


def test_records_from_text_can_be_copied_and_written() -> None:
    for document in DOCUMENTS.values():
        record = records_of(document)[0]
        again = pickle.loads(pickle.dumps(record))
        assert contents(again) == EXPECTED[0]
        assert again.as_marc() == record.as_marc() == PARTS[0]
        assert book(0) == PARTS[0]


def test_a_field_whose_tag_is_that_of_the_leader_in_marcmaker() -> None:
    fields = [Field("001", data="x"), Field("LDR", ["1", " "], [Subfield("a", "no leader")]), Field("500")]
    record = Record(fields=fields, leader="00000nam a2200000 a 4500")
    text = libmarc.record_to_mrk(record) + "\n" + libmarc.record_to_mrk(record)
    assert [one and one.as_marc() for one in libmarc.read(text.encode())] == [record.as_marc()] * 2
