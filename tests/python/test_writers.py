"""Writers: pymarc's bytes, and what is refused instead of being written wrongly."""

from __future__ import annotations

import errno
import io
import itertools
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from corpus import head_of, loc_file, need_corpus
from pymarc_oracle import pymarc
from support import flat, generated, given, record_bytes

import libmarc
from libmarc import (
    Field,
    Indicators,
    JSONWriter,
    Leader,
    MARCReader,
    MARCWriter,
    OversizeError,
    RawField,
    Record,
    RecordLeaderInvalid,
    Subfield,
    TextWriter,
    WriteNeedsRecord,
    Writer,
    XMLWriter,
)

WRITERS = ["JSONWriter", "MARCWriter", "TextWriter", "XMLWriter"]
every_writer = pytest.mark.parametrize("name", WRITERS)


def new_file(name: str) -> Any:
    return io.BytesIO() if name in ("MARCWriter", "XMLWriter") else io.StringIO()


def written(module: Any, name: str, records: list[Any]) -> Any:
    file = new_file(name)
    writer = getattr(module, name)(file)
    for record in records:
        writer.write(record)
    writer.close(close_fh=False)
    return file.getvalue()


def titled(title: str, *more: Field) -> Record:
    fields = [Field("001", data="n1"), Field("245", Indicators("1", "0"), [Subfield("a", title)])]
    return Record(fields=[*fields, *more], leader="00000nam a2200000 a 4500")


def note(size: int) -> Field:
    """A field of so many bytes, terminator included."""
    return Field("500", Indicators(" ", " "), [Subfield("a", "x" * (size - 5))])


# ---- as pymarc ----


@every_writer
def test_bytes_of_untouched_and_of_touched_records(name: str) -> None:
    for data in (generated("utf8", 60), generated("mixed", 3)[:0], head_of(loc_file(), 100)):
        theirs = written(pymarc, name, list(pymarc.MARCReader(data)))
        assert written(libmarc, name, list(MARCReader(data))) == theirs
        touched = [record for record in MARCReader(data) if record is not None]
        for record in touched:
            assert [field.subfields for field in record.fields]
        assert written(libmarc, name, touched) == theirs


@every_writer
def test_records_that_were_made(name: str) -> None:
    def make(module: Any, title: str) -> Any:
        pair = module.Indicators("1", "\\")
        subfields = [module.Subfield("a", title), module.Subfield("b", "")]
        fields = [module.Field("001", data="a b"), module.Field("245", pair, subfields), module.Field("9XX")]
        return module.Record(fields=fields)

    for titles in ([], ["Žluť & <others> \"'\n\t$"], ["a", "b", "𝄞"]):
        ours = written(libmarc, name, [make(libmarc, title) for title in titles])
        assert ours == written(pymarc, name, [make(pymarc, title) for title in titles])


@every_writer
def test_what_is_no_record(name: str) -> None:
    for wrong in (None, "x", Field("001"), pymarc.Record()):
        file = new_file(name)
        writer = getattr(libmarc, name)(file)
        before = file.getvalue()
        with pytest.raises(WriteNeedsRecord):
            writer.write(wrong)
        assert file.getvalue() == before


@every_writer
def test_closing(name: str) -> None:
    """As in pymarc: nothing is written, and nothing raised, once the writer is closed."""
    for module in (libmarc, pymarc):
        file = new_file(name)
        writer = getattr(module, name)(file)
        assert writer.file_handle is file
        writer.close(close_fh=False)
        content = file.getvalue()
        assert writer.file_handle is None
        writer.write(module.Record())
        writer.close()
        assert file.getvalue() == content
        writer = getattr(module, name)(file)
        writer.close()
        assert file.closed


def test_closing_a_marcmaker_writer() -> None:
    file = io.StringIO()
    writer = libmarc.MARCMakerWriter(file)
    writer.write(titled("x"))
    writer.close(close_fh=False)
    content = file.getvalue()
    writer.write(titled("y"))
    writer.close()
    assert file.getvalue() == content != ""
    with pytest.raises(WriteNeedsRecord):
        writer.write("y")  # type: ignore[arg-type]


@every_writer
def test_a_writer_is_a_context_manager(name: str, tmp_path: Path) -> None:
    path = tmp_path / "out"
    mode = "wb" if name in ("MARCWriter", "XMLWriter") else "w"
    with getattr(libmarc, name)(path.open(mode)) as writer:
        assert isinstance(writer, Writer)
        writer.write(titled("x"))
        file = writer.file_handle
    assert file.closed
    content = path.read_bytes()
    expected = written(libmarc, name, [titled("x")])
    assert content == (expected.encode() if isinstance(expected, str) else expected)


def test_subclasses_of_records_fields_and_writers() -> None:
    class Bib(Record):
        def as_marc(self, **options: Any) -> bytes:
            return b"!" + super().as_marc(**options)

    class Loud(Field):
        def as_marc(self, encoding: str) -> bytes:
            return super().as_marc(encoding).upper()

    class Counting(MARCWriter):
        count = 0

        def write(self, record: Record) -> None:
            super().write(record)
            self.count += 1

    file = io.BytesIO()
    writer = Counting(file)
    writer.write(Bib(fields=[Loud("245", ["1", "0"], [Subfield("a", "loud")])]))
    assert writer.count == 1
    assert file.getvalue()[0:1] == b"!"
    assert b"10\x1fALOUD\x1e\x1d" in file.getvalue()


def test_records_whose_as_marc_takes_no_options() -> None:
    """As programs for pymarc override it; an option that is not the default is passed on, and refused."""

    class Bib(Record):
        def as_marc(self) -> bytes:  # type: ignore[override]
            return b"!" + super().as_marc()

    file = io.BytesIO()
    MARCWriter(file, oversize="error").write(Bib())
    assert file.getvalue() == b"!" + Record().as_marc()
    with pytest.raises(TypeError, match="oversize"):
        MARCWriter(file, oversize="zeros").write(Bib())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The subfield contained a non-ASCII subfield code")
def test_the_corpus_as_pymarc_writes_it() -> None:
    compared = 0
    for path in need_corpus():
        for record in MARCReader(path):
            if record is None or record.raw is None or record.raw[9:10] != b"a":
                continue
            theirs = next(pymarc.MARCReader(record.raw))
            if theirs is None or len(theirs.as_marc()) > 99_999:
                continue
            for name in WRITERS:
                ours = written(libmarc, name, [record])
                assert ours == made_well_formed(written(pymarc, name, [theirs]))
            compared += 1
    assert compared > 1000


def made_well_formed(content: Any) -> Any:
    if not isinstance(content, bytes) or not content.startswith(b"<?xml"):
        return content
    text = content.decode("utf-8").replace("\r", "&#13;")
    return "".join(char if char in "\t\n" or char >= " " else "\ufffd" for char in text).encode()


# ---- what fails ----


def test_a_file_that_cannot_be_written() -> None:
    class Broken:
        def write(self, content: bytes) -> int:
            raise failure

    failure = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match="No space left") as caught:
        MARCWriter(Broken()).write(titled("x"))
    assert caught.value is failure


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@every_writer
def test_a_full_disk(name: str) -> None:
    """What is buffered fails when the file is closed."""
    mode = "wb" if name in ("MARCWriter", "XMLWriter") else "w"
    writer = getattr(libmarc, name)(open("/dev/full", mode))
    writer.write(titled("x"))
    with pytest.raises(OSError, match="No space left"):
        writer.close()
    with pytest.raises(OSError, match="No space left"), getattr(libmarc, name)(open("/dev/full", mode)) as writer:
        for _ in range(10_000):
            writer.write(titled("x" * 100))


# ---- sizes ----


def test_the_largest_that_can_be_stated() -> None:
    record = titled("x", note(9_999))
    assert MARCReader(record.as_marc()).__next__() is not None
    filled = titled("x", *[note(9_000) for _ in range(11)])
    filled.add_field(note(99_999 - len(filled.as_marc()) - 12))
    assert len(filled.as_marc()) == 99_999
    assert flat(given(MARCReader(filled.as_marc()))) == flat(filled)
    filled.fields[-1].add_subfield("b", "")
    with pytest.raises(OversizeError):
        filled.as_marc()


@pytest.mark.parametrize(
    ("record", "tag", "length", "text"),
    [
        (titled("x", note(10_000)), "500", 10_000, "field 500 .* has 10000 bytes"),
        (titled("é" * 5_000), "245", 10_005, "field 245 .* has 10005 bytes"),
        (titled("x", *[note(9_000)] * 12), None, 108_203, "record has 108203 bytes"),
    ],
)
def test_sizes_that_cannot_be_stated(record: Record, tag: str | None, length: int, text: str) -> None:
    for call in (record.as_marc, record.as_marc21, lambda: record.as_marc(encoding="marc-8", errors="replace")):
        with pytest.raises(OversizeError, match="ISO 2709 can state") as caught:
            call()
        assert isinstance(caught.value, ValueError)
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    file = io.BytesIO()
    with pytest.raises(OversizeError, match=text) as caught:
        MARCWriter(file).write(record)
    assert (caught.value.tag, caught.value.length) == (tag, length)
    assert file.getvalue() == b""


@pytest.mark.parametrize("record", [titled("x", note(30_000)), titled("x", *[note(9_000)] * 30), titled("é" * 60_000)])
def test_zeros_are_read_by_their_terminators(record: Record) -> None:
    file = io.BytesIO()
    MARCWriter(file, oversize="zeros").write(record)
    assert file.getvalue() == record.as_marc(oversize="zeros")
    found = list(MARCReader(file.getvalue(), on_error="salvage"))
    assert [flat(one) for one in found if one is not None] == [flat(record)]


def test_split_records_have_all_fields() -> None:
    fields = [note(size) for size in (9_000, 9_999, 9_999, 8_000, 5_000, 9_999)] * 5
    record = titled("x", *fields, Field("003", data="source"), note(60))
    parts = [one for one in MARCReader(record.as_marc(oversize="split")) if one is not None]
    assert len(parts) == 3
    for part in parts:
        assert [field.data for field in part.fields if field.control_field] == ["n1", "source"]
        assert str(part.leader)[5:12] == str(record.leader)[5:12]
    joined = [one for part in parts for one in flat(part) if not one[0].startswith("00")]
    assert joined == [one for one in flat(record) if not one[0].startswith("00")]
    small = titled("x", note(500))
    assert small.as_marc(oversize="split") == small.as_marc()
    with pytest.raises(OversizeError, match="field 500"):
        titled("x", note(10_000)).as_marc(oversize="split")
    with pytest.raises(OversizeError, match="the record has"):
        Record(fields=[Field("001", data="x" * 9_000)] * 12).as_marc(oversize="split")


def test_options_that_there_are_not() -> None:
    with pytest.raises(ValueError, match="errors is one of"):
        MARCWriter(io.BytesIO(), errors="bogus")
    with pytest.raises(ValueError, match="errors is one of"):
        titled("x").as_marc(encoding="marc-8", errors="bogus")
    for options in ({"oversize": "none"}, {"encoding": "latin-1"}):
        with pytest.raises(ValueError, match="is one of"):
            MARCWriter(io.BytesIO(), **options)
        with pytest.raises(ValueError, match="is one of"):
            titled("x").as_marc(**options)
    with pytest.raises(ValueError, match="is one of"):
        XMLWriter(io.BytesIO(), invalid="drop")


# ---- what cannot be written ----


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        (Field("001", data="a\x1eb"), "delimiter 0x1E"),
        (Field("245", None, [Subfield("a", "x\x1dy")]), "subfield a: its text holds the delimiter 0x1D"),
        (Field("245", None, [Subfield("a", "x\x1fby")]), "0x1F"),
        (Field("245", ["10", ""], [Subfield("a", "x")]), "indicator"),
        (Field("245", None, [Subfield("ab", "x")]), "subfield code 'ab'"),
        (Field("245", None, [Subfield("", "x")]), "subfield code ''"),
        (Field("245", None, [Subfield("é", "x")]), "subfield code"),
        (Field("2 5", None, [Subfield("a", "x")]), "tag"),
        (Field("A", None, [Subfield("a", "x")]), "tag"),
    ],
)
def test_strict_refuses_what_is_not_read_back(field: Field, problem: str) -> None:
    """By option only: who does not ask for it gets pymarc's bytes."""
    record = titled("x", field)
    file = io.BytesIO()
    with pytest.raises(ValueError, match=problem):
        MARCWriter(file, strict=True).write(record)
    assert file.getvalue() == b""
    theirs = pymarc.Record(
        fields=[
            pymarc.Field(one.tag, data=one.data)
            if one.control_field
            else pymarc.Field(one.tag, list(one.indicators or ()), [pymarc.Subfield(*pair) for pair in one.subfields])
            for one in record.fields
        ],
        leader="00000nam a2200000 a 4500",
    )
    MARCWriter(file).write(record)
    assert file.getvalue() == theirs.as_marc()


def test_strict_refuses_records_that_are_none() -> None:
    file = io.BytesIO()
    with pytest.raises(ValueError, match="without fields"):
        MARCWriter(file, strict=True).write(Record())
    record = titled("x", Field("001", data="Dvořák"))
    with pytest.raises(ValueError, match=r"field 001 .* not ASCII"):
        MARCWriter(file, strict=True, encoding="marc-8").write(record)
    assert file.getvalue() == b""
    MARCWriter(file, strict=True).write(record)
    (again,) = MARCReader(file.getvalue())
    assert again is not None
    assert again.get_fields("001")[-1].data == "Dvořák"


def test_strict_writes_what_is_sound() -> None:
    data = generated("utf8", 100)
    file = io.BytesIO()
    writer = MARCWriter(file, strict=True)
    for record in MARCReader(data):
        assert record is not None
        writer.write(record)
    assert file.getvalue() == data


def test_tags_and_leaders_without_a_place() -> None:
    """They would shift all that follows."""
    long_tag = titled("x")
    long_tag.fields[1].tag = "24555"
    with pytest.raises(ValueError, match="more than three characters"):
        long_tag.as_marc()
    other = titled("x")
    other.fields[1].tag = "ΩΩΩ"
    with pytest.raises(UnicodeEncodeError):
        other.as_marc()
    for leader in ("short", " " * 25):
        record = titled("x")
        record.leader = leader
        with pytest.raises(RecordLeaderInvalid):
            record.as_marc()


@pytest.mark.parametrize("tag", ["1", "12", "a", "", "0245", "٣"])
def test_tags_that_were_assigned(tag: str) -> None:
    ours, theirs = titled("x"), pymarc.Record(titled("x").as_marc())
    ours.fields[1].tag = theirs.fields[1].tag = tag
    assert ours.as_marc() == theirs.as_marc()


def test_a_leader_that_is_plain_text() -> None:
    record = titled("x")
    record.leader = "00000nas  2200000 i 4500"
    assert record.as_marc()[5:10] == b"nas a"
    assert record.leader == "00000nas a2200000 i 4500"


# ---- MARC-8 ----


def test_marc8_output_is_read_back() -> None:
    record = titled("Dvořák, Пётр 日本", Field("500", None, [Subfield("a", "Ελλάς"), Subfield("b", "plain")]))
    file = io.BytesIO()
    MARCWriter(file, encoding="marc-8").write(record)
    raw = file.getvalue()
    assert raw[9:10] == b" "
    assert raw[:5] == b"%05d" % len(raw)
    parts = Record(raw, to_unicode=False)
    values = [value for field in parts.fields for _, value in field.subfields]
    assert [libmarc.marc8_to_unicode(value) for value in values] == [  # type: ignore[arg-type]
        "Dvořák, Пётр 日本",
        "Ελλάς",
        "plain",
    ]
    assert str(record.leader)[9] == "a", "the record is as it was"


def test_marc8_output_of_what_it_does_not_have() -> None:
    record = titled("clef 𝄞")
    with pytest.raises(UnicodeEncodeError, match=r"U\+1D11E \(field 245\)"):
        record.as_marc(encoding="marc-8")
    assert b"clef &#x1D11E;" in record.as_marc(encoding="marc-8", errors="xmlcharrefreplace")
    assert b"clef ?" in record.as_marc(encoding="marc-8", errors="replace")


def test_marc8_output_of_fields_with_delimiters_and_of_bytes() -> None:
    record = titled("a\x1eé", Field("500", None, [Subfield("a", "é")]))
    assert b"10\x1faa\x1e\xe2e\x1e  \x1fa\xe2e\x1e" in record.as_marc(encoding="marc-8")
    raw = Record(
        fields=[RawField("500", [" ", " "], [Subfield("a", b"\xe2e")]), Field("501", None, [Subfield("a", "é")])]
    )  # type: ignore[arg-type]
    assert b"  \x1fa\xe2e\x1e  \x1fa\xe2e\x1e\x1d" in raw.as_marc(encoding="marc-8")
    assert Record().as_marc(encoding="marc-8")[24:] == b"\x1e\x1d"


# ---- copies ----


def test_raw_copies_are_the_bytes_that_were_read() -> None:
    data = generated("mixed", 60)
    file = io.BytesIO()
    with MARCWriter(file) as writer:
        for record in MARCReader(data):
            assert record is not None
            record.add_field(note(60))
            writer.write_raw(record)
        with pytest.raises(ValueError, match="was made, not read"):
            writer.write_raw(titled("x"))
        with pytest.raises(WriteNeedsRecord):
            writer.write_raw(data)  # type: ignore[arg-type]
        assert file.getvalue() == data


# ---- XML ----


def test_xml_is_always_well_formed() -> None:
    from xml.etree import ElementTree

    text = "a\x00\x01\x08\x0b\x1b\x1f\ufffe\uffff\ud800\udfffz"
    record = titled(text)
    record.fields[0].data = "\x07"
    file = io.BytesIO()
    writer = XMLWriter(file)
    writer.write(record)
    writer.close(close_fh=False)
    assert writer.replaced == len(text) - 2 + 1
    root = ElementTree.fromstring(file.getvalue())
    values = [element.text for element in root.iter() if element.text]
    assert values[1:] == ["\ufffd", "a" + "\ufffd" * (len(text) - 2) + "z"]
    assert ElementTree.fromstring(libmarc.record_to_xml(record)) is not None


def test_xml_that_would_lose_characters_is_refused_by_option() -> None:
    file = io.BytesIO()
    writer = XMLWriter(file, invalid="error")
    before = file.getvalue()
    with pytest.raises(ValueError, match="2 character"):
        writer.write(titled("\x01\x02"))
    assert file.getvalue() == before
    writer.write(titled("fine"))
    assert writer.replaced == 0


def test_xml_keeps_carriage_returns() -> None:
    file = io.BytesIO()
    with XMLWriter(file) as writer:
        writer.write(titled("a\rb\r\nc\td"))
        content = file.getvalue() + b"</collection>"
    (record,) = libmarc.parse_xml_to_array(io.BytesIO(content))
    assert record["245"]["a"] == "a\rb\r\nc\td"


def test_json_of_records_that_follow_each_other() -> None:
    records = [titled(title) for title in ("a", "é", '"')]
    assert [one["fields"][1]["245"]["subfields"] for one in json.loads(written(libmarc, "JSONWriter", records))] == [
        [{"a": "a"}],
        [{"a": "é"}],
        [{"a": '"'}],
    ]


def test_text_has_a_blank_line_between_records() -> None:
    file = io.StringIO()
    writer = TextWriter(file)
    for record in itertools.repeat(titled("x"), 2):
        writer.write(record)
    assert file.getvalue() == f"{titled('x')}\n{titled('x')}"
    assert JSONWriter(io.StringIO()).write_count == 0


def test_writing_tells_pymarc_s_leader() -> None:
    for module in (libmarc, pymarc):
        record = module.Record(record_bytes(("001", b"x"), coding=" "))
        record.as_marc()
        assert str(record.leader)[9] == "a"
        record = module.Record(record_bytes(("001", b"x"), coding=" "), to_unicode=False)
        record.as_marc()
        assert str(record.leader)[9] == " "
    assert isinstance(titled("x").leader, Leader)
