"""JSON, MARCXML, MARCMaker and ISO 2709 as the core writes them, against pymarc, byte for byte."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest
from corpus import head_of, loc_file, need_corpus
from pymarc_oracle import pymarc, verdict
from support import generated, record_bytes

from libmarc import Record
from libmarc._mrk import record_to_mrk
from libmarc._native import ffi, lib, new_error, new_options, raise_error
from libmarc._odd import notes_of
from libmarc._serialize import serialize_bytes, serialize_text

pymarc_xml = pymarc.marcxml

pytestmark = pytest.mark.filterwarnings("ignore::pymarc.exceptions.BadSubfieldCodeWarning")


class Written(NamedTuple):
    """A record of a batch in each form."""

    raw: bytes
    flags: int
    notes: list[int]
    texts: dict[str, str]


FORMS = {
    "json": ("marc_batch_json", "MARC_JSON_PYMARC"),
    "compact ascii": ("marc_batch_json", "MARC_JSON_COMPACT_ASCII"),
    "compact": ("marc_batch_json", "MARC_JSON_COMPACT"),
    "xml": ("marc_batch_xml", "MARC_XML_PYMARC"),
    "namespace": ("marc_batch_xml", "MARC_XML_PYMARC_NAMESPACE"),
    "pymarc's utf8": ("marc_batch_xml", "MARC_XML_PYMARC_UTF8"),
    "utf8 xml": ("marc_batch_xml", "MARC_XML_UTF8"),
    "mrk": ("marc_batch_mrk", "MARC_MRK_PYMARC"),
    "mnemonics": ("marc_batch_mrk", "MARC_MRK_MNEMONICS"),
}


def entries(batch: Any, form: str) -> list[bytes]:
    function, style = FORMS[form]
    out = ffi.new("marc_text **")
    error = new_error()
    if getattr(lib, function)(batch, getattr(lib, style), out, error) != lib.MARC_OK:
        raise_error(error)
    text = ffi.gc(out[0], lib.marc_text_free)
    view = ffi.new("marc_text_view *")
    view.struct_size = ffi.sizeof("marc_text_view")
    lib.marc_text_get_view(text, view)
    content = bytes(ffi.buffer(view.data, view.data_length))
    starts = ffi.unpack(view.start, view.count + 1)
    found = [content[begin : end - 1] for begin, end in pairwise(starts)]
    assert sum(entry == b"\x1f" for entry in found) == view.absent
    assert bool(view.splits) == (content.count(b"\x1d") == view.count)
    return found


def written(data: bytes, mode: int = lib.MARC_PARSE_PYMARC) -> Iterator[Written]:
    """Every delivered record of these bytes in all forms."""
    reader = ffi.new("marc_reader **")
    error = new_error()
    held = ffi.from_buffer("uint8_t[]", data)
    options = new_options(parse_mode=mode)
    assert lib.marc_reader_open_bytes(held, len(data), options, reader, error) == lib.MARC_OK
    batch = ffi.new("marc_batch **")
    try:
        while lib.marc_reader_next_batch(reader[0], batch, error) == lib.MARC_OK:
            try:  # who asks may stop before the end
                view = ffi.new("marc_batch_view *")
                view.struct_size = ffi.sizeof("marc_batch_view")
                lib.marc_batch_get_view(batch[0], view)
                texts = {form: entries(batch[0], form) for form in FORMS}
                for number in range(view.record_count):
                    if view.record_status[number] != lib.MARC_OK:
                        assert all(texts[form][number] == b"\x1f" for form in FORMS)
                        continue
                    start = view.record_start[number]
                    yield Written(
                        bytes(ffi.buffer(view.data + start, view.record_length[number])),
                        view.record_flags[number],
                        [note.code for note in notes_of(view, number)],
                        {form: texts[form][number].decode("utf-8") for form in FORMS},
                    )
            finally:
                lib.marc_batch_release(batch[0])
    finally:
        lib.marc_reader_free(reader[0])


#: What XML 1.0 cannot hold.
UNWRITABLE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def well_formed(xml: str) -> str:
    """What we make of pymarc's XML, which may hold anything."""
    return UNWRITABLE.sub("&#65533;", re.sub("&#6553[45];", "&#65533;", xml))


def plain_lines(text: str) -> str:
    """MARCMaker with mnemonics read back as pymarc writes it."""
    names = {"dollar": "$", "lcub": "{", "rcub": "}", "bsol": "\\"}
    return re.sub(r"\{(?:0x(..)|(\w+))\}", lambda m: chr(int(m[1], 16)) if m[1] else names[m[2]], text)


def is_comparable(record: Written) -> bool:
    """pymarc makes another code of one above ASCII, and loses characters of MARC-8 that the tables have."""
    return lib.MARC_NOTE_SUBFIELD_CODE not in record.notes and not (
        record.flags & lib.MARC_REC_CONVERTED and b"\x1b" in record.raw
    )


def check(record: Written) -> bool:
    """Compares a record with pymarc's. False where pymarc cannot be asked."""
    expected, _ = verdict(record.raw, is_last=False)
    if expected is None or not is_comparable(record):
        return False
    texts = record.texts
    fields = expected.as_dict()
    assert texts["json"] == json.dumps(fields)
    assert texts["compact ascii"] == json.dumps(fields, separators=(",", ":"))
    assert texts["compact"] == json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    assert texts["xml"] == well_formed(pymarc_xml.record_to_xml(expected).decode("ascii"))
    assert texts["namespace"] == well_formed(pymarc_xml.record_to_xml(expected, namespace=True).decode("ascii"))
    in_utf8 = ElementTree.tostring(pymarc_xml.record_to_xml_node(expected), encoding="utf-8").decode("utf-8")
    assert texts["pymarc's utf8"] == UNWRITABLE.sub("\ufffd", in_utf8)
    assert texts["mrk"] == str(expected)
    if "{" not in str(expected):
        assert plain_lines(texts["mnemonics"]) == str(expected)
    assert texts["mnemonics"] == record_to_mrk(Record(record.raw))
    check_tree(texts["utf8 xml"], texts["xml"])
    leader = str(expected.leader).encode()
    contents = [field.as_marc("utf-8")[:-1].decode() for field in expected.fields]
    assert serialize(leader[:9] + b"a" + leader[10:], tags_of(expected), contents) == expected.as_marc()
    return True


def tags_of(record: Any) -> bytes:
    return "".join(field.tag for field in record.fields).encode("latin-1")


def check_tree(ours: str, reference: str) -> None:
    """Both are the same elements, attributes (in whatever order) and text."""
    one, other = ElementTree.fromstring(ours), ElementTree.fromstring(reference)
    for first, second in zip(one.iter(), other.iter(), strict=True):
        # In pymarc's form a CR stands as it is, and a reader makes a line end of it.
        text = (first.text or "").replace("\r\n", "\n").replace("\r", "\n")
        assert (first.tag, first.attrib, text) == (second.tag, second.attrib, second.text or "")


def test_records_of_the_corpus() -> None:
    compared = 0
    for path in need_corpus():
        compared += sum(check(record) for record in islice(written(path.read_bytes()[:400_000]), 60))
    assert compared > 500


def test_records_of_the_library_of_congress() -> None:
    assert sum(check(record) for record in written(head_of(loc_file(), 3000))) == 3000


def test_invented_records(mixed: bytes, damaged: bytes) -> None:
    assert sum(check(record) for record in written(mixed)) > 200
    assert sum(check(record) for record in written(damaged)) > 80


ALL_BYTES = bytes(byte for byte in range(1, 0x80) if byte not in (0x1D, 0x1E, 0x1F))
TEXTS = {
    "all of ASCII": ALL_BYTES,
    "NUL": b"a\0b",
    "nothing": b"",
    "two to four bytes": "é߿ࠀ￼\U00010000\U0010ffff".encode(),
    "no characters": "\ufffe\uffff\ufdd0\U0001fffe".encode(),
    "only what is escaped": b'"\\"\\<>&<>&\n\r\t' * 9,
    "C1": "\x80\x85\x9f\u2028\u2029".encode(),
    "terminators": b"a\x1db\x1ec",
    "CJK": "圕書館學".encode() * 40,
    "MARCMaker": b"${dollar}\\{0x0A}$a  ",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("shift", [0, 1, 15, 16, 17, 31])
def test_text(text: bytes, shift: int) -> None:
    """At every place in the blocks that are looked at together, as control field, value and last thing of the input."""
    value = b"x" * shift + text
    record = record_bytes(("001", value), ("245", b"10\x1fa" + value + b"\x1fb" + value), ("500", b"  \x1fa" + value))
    (found,) = written(record)
    assert check(found)


@pytest.mark.parametrize("byte", [byte for byte in range(0x80) if byte not in (0x1D, 0x1E, 0x1F)])
def test_character_as_indicator_and_code(byte: int) -> None:
    char = bytes([byte])
    for first, second, code in ((char, b"0", b"a"), (b"1", char, b"a"), (b"1", b"0", char)):
        record = record_bytes(
            ("001", b"1"), ("245", first + second + b"\x1f" + code + b"value"), ("500", b"  \x1fatext")
        )
        (found,) = written(record)
        assert check(found)


@pytest.mark.parametrize(
    "field",
    [b"", b"1", b"10", b"10\x1f", b"10\x1fa", b"1\x1fax", b"\x1fax", b"100\x1fax", b"10\x1f\x1fax\x1f", b"10ab"],
)
def test_field_that_is_not_whole(field: bytes) -> None:
    (found,) = written(record_bytes(("001", b"1"), ("245", field), ("500", b"  \x1fatext")))
    assert check(found)


@pytest.mark.parametrize("tag", ["   ", "a b", '"\\"', "<&>", "$$$", "\t\n\r", "00A", "ABC"])
def test_odd_tag(tag: str) -> None:
    (found,) = written(record_bytes(("001", b"1"), (tag, b"10\x1faone"), ("009", b"")))
    assert check(found)


def test_best_reading_is_always_text() -> None:
    """Whatever is in a record: valid JSON and well-formed XML come out, and the same text in both."""
    text = b"10\x1fabad \xff \xc3\x1fb\xe2\x82\x1f\xe9x\x1fcgood \xc3\xa9"
    cases = [
        record_bytes(("001", b"\xff1"), ("245", text)),
        record_bytes(("001", b"1"), ("245", b"\xff" + text)),
        record_bytes(("\xe9\xe9\xe9", b"1"), ("245", text)),
        generated("damaged", 60),
    ]
    seen = 0
    for data in cases:
        for found in written(data, lib.MARC_PARSE_BEST):
            fields = json.loads(found.texts["json"])
            assert fields == json.loads(found.texts["compact"]) == json.loads(found.texts["compact ascii"])
            check_tree(found.texts["utf8 xml"], found.texts["xml"])
            assert len(fields["leader"]) == 24
            seen += 1
    assert seen > 50


# ---- whole files, against yaz-marcdump


def converted(data: bytes, **options: int) -> bytes:
    """All records of these bytes by a native writer with these options."""
    reader, writer, batch = ffi.new("marc_reader **"), ffi.new("marc_writer **"), ffi.new("marc_batch **")
    chosen = ffi.new("marc_writer_options *")
    lib.marc_writer_options_init(chosen, ffi.sizeof("marc_writer_options"))
    for name, value in options.items():
        setattr(chosen, name, value)
    held = ffi.from_buffer("uint8_t[]", data)
    assert lib.marc_reader_open_bytes(held, len(data), ffi.NULL, reader, ffi.NULL) == lib.MARC_OK
    assert lib.marc_writer_open_memory(chosen, writer, ffi.NULL) == lib.MARC_OK
    while lib.marc_reader_next_batch(reader[0], batch, ffi.NULL) == lib.MARC_OK:
        count = lib.marc_batch_record_count(batch[0])
        assert lib.marc_writer_write_batch(writer[0], batch[0], 0, count, ffi.NULL, ffi.NULL) == lib.MARC_OK
        lib.marc_batch_release(batch[0])
    assert lib.marc_writer_close(writer[0], ffi.NULL) == lib.MARC_OK
    size = ffi.new("size_t *")
    content = bytes(ffi.buffer(lib.marc_writer_get_bytes(writer[0], size), size[0]))
    lib.marc_writer_free(writer[0])
    lib.marc_reader_free(reader[0])
    return content


def by_yaz(data: bytes, tmp_path: Path, *arguments: str) -> bytes:
    if shutil.which("yaz-marcdump") is None:
        pytest.skip("yaz-marcdump is not there (Debian: yaz)")
    path = tmp_path / "given.mrc"
    path.write_bytes(data)
    return subprocess.run(["yaz-marcdump", "-i", "marc", *arguments, path], capture_output=True, check=True).stdout


def test_files_are_what_yaz_makes_of_them(tmp_path: Path) -> None:
    data = head_of(loc_file(), 2000)
    assert converted(data, format=lib.MARC_FORMAT_ISO2709) == data == by_yaz(data, tmp_path, "-o", "marc")
    ours = ElementTree.fromstring(converted(data, format=lib.MARC_FORMAT_MARCXML))
    theirs = ElementTree.fromstring(by_yaz(data, tmp_path, "-o", "marcxml"))
    flat = [(node.tag, node.attrib, (node.text or "").strip("\n ")) for node in theirs.iter()]
    assert [(node.tag, node.attrib, (node.text or "").strip("\n ")) for node in ours.iter()] == flat
    array = json.loads(converted(data, format=lib.MARC_FORMAT_JSON))
    lines = converted(data, format=lib.MARC_FORMAT_NDJSON).decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == array
    decoder = json.JSONDecoder()
    text = by_yaz(data, tmp_path, "-o", "json").decode()
    found = []
    at = text.find("{")
    while at >= 0:
        record, at = decoder.raw_decode(text, at)
        found.append(record)
        at = text.find("{", at)
    assert array == found


def test_marc8_is_what_yaz_makes_of_it(tmp_path: Path) -> None:
    """Written as MARC-8 and read by yaz, it is the text that it was."""
    data = head_of(loc_file(), 2000)
    marc8 = converted(data, encoding=lib.MARC_ENCODING_MARC8, unmappable=lib.MARC_UNMAPPABLE_REFERENCE)
    back = by_yaz(marc8, tmp_path, "-f", "marc8", "-t", "utf8", "-l", "9=97", "-o", "marc")
    pairs = zip(written(data), written(back), strict=True)
    different = [first for first, second in pairs if normal(first.texts["json"]) != normal(second.texts["json"])]
    assert different == []


def normal(text: str) -> Any:
    """The fields in Normalization Form C, without the leader (other lengths); yaz joins halves of a double mark."""
    fields = json.dumps(json.loads(text)["fields"], ensure_ascii=False)
    return json.loads(unicodedata.normalize("NFC", re.sub("\ufe20(.)\ufe21", "\u0361\\1", fields)))


# ---- one record of Python, by one call


def serialize(leader: bytes, tags: bytes, contents: Sequence[str], zeros: bool = False) -> bytes:
    """By both functions, where the contents hold no terminators."""
    record = serialize_bytes(leader, tags, [content.encode() for content in contents], zeros)
    if "\x1e" not in "".join(contents):
        assert serialize_text(leader, tags, "\x1e".join(contents).encode(), zeros) == record
    return record


def test_sizes_of_a_record() -> None:
    leader, most = b"00000nam a2200000 a 4500", 9999 - 1
    record = serialize(leader, b"500", ["x" * most])
    assert record[:5] == b"%05d" % len(record)
    assert record[24:36] == b"500999900000"
    with pytest.raises(ValueError, match=r"field 500 \(number 1, with its terminator\) has 10000 bytes"):
        serialize(leader, b"500", ["x" * (most + 1)])
    with pytest.raises(ValueError, match="field 501"):
        serialize(leader, b"500501", ["", "é" * 5000])
    fits = 99999 - 26 - 13 * 11  # what eleven fields may hold together
    record = serialize(leader, b"500" * 11, ["x" * most] * 9 + ["y" * (fits - 9 * most), ""])
    assert record[:5] == b"99999"
    with pytest.raises(ValueError, match="the record has 100000 bytes; ISO 2709 can state 99999"):
        serialize(leader, b"500" * 11, ["x" * most] * 9 + ["y" * (fits - 9 * most), "z"])


def test_zeros_can_be_read_back() -> None:
    leader = b"00000nam a2200000 a 4500"
    contents = ["id", "10\x1fashort", "  \x1fa" + "x" * 20_000, "  \x1fabehind", *["  \x1fa" + "y" * 9000] * 12]
    data = serialize(leader, b"001245520" + b"500" * 13, contents, zeros=True)
    assert data[:5] == b"00000"
    assert data[48:60] == b"520000000013"
    good = record_bytes(("001", b"good"), ("245", b"10\x1fanext"))
    found = [json.loads(record.texts["json"]) for record in written(data + good, lib.MARC_PARSE_BEST)]
    assert len(found) == 2
    values = [next(iter(field.values())) for field in found[0]["fields"]]
    assert values[0] == "id"
    assert [value["subfields"][0]["a"] for value in values[1:]] == [content[4:] for content in contents[1:]]


def test_contents_that_hold_terminators() -> None:
    data = serialize(b"00000nam a2200000 a 4500", b"001500", ["a\x1eb", "  \x1fac\x1d"])
    assert data[24:48] == b"001000400000500000700004"
    assert data[49:] == b"a\x1eb\x1e  \x1fac\x1d\x1e\x1d"


@pytest.mark.parametrize("contents", [[], [""], ["", ""], ["\x1e"]])
def test_contents_that_are_empty(contents: list[str]) -> None:
    record = pymarc.Record(fields=[pymarc.Field("001", data=content) for content in contents])
    leader = str(record.leader)
    assert serialize(f"{leader[:9]}a{leader[10:]}".encode(), b"001" * len(contents), contents) == record.as_marc()
