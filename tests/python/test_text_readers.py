"""JSONReader, MARCMakerReader and the functions for MARCXML: pymarc's answers, and where they go further."""

from __future__ import annotations

import io
import itertools
import json
import pickle
import time
import unicodedata
from pathlib import Path
from typing import Any
from xml.sax import SAXParseException

import pytest
from corpus import SHARED, head_of, loc_file
from pymarc_oracle import pymarc
from support import flat, generated, given

import libmarc
from libmarc import (
    Field,
    FormatError,
    JSONHandler,
    JSONReader,
    MARCMakerReader,
    MARCReader,
    PymarcException,
    Record,
    Subfield,
    XmlHandler,
    XMLWriter,
    map_records,
    map_xml,
    parse_json_to_array,
    parse_xml,
    parse_xml_to_array,
)


def records(count: int = 12) -> list[Record]:
    """Without the characters that str(record) leaves to be misread."""
    return [
        record for record in MARCReader(generated("utf8", count)) if record and not {*b"$\\{"} & {*(record.raw or b"")}
    ]


def flats(found: Any) -> list[Any]:
    return [(str(record.leader), flat(record)) for record in found]


RECORDS = records()
OBJECTS = [record.as_json() for record in RECORDS]
ARRAY = f"[{','.join(OBJECTS)}]"

# ---- JSON ----

FORMS = {
    "array": ARRAY,
    "array, one a line": "[\n" + ",\n".join(OBJECTS) + "\n]\n",
    "lines": "\n".join(OBJECTS) + "\n",
    "lines with CR LF": "\r\n".join(OBJECTS),
    "one behind another": "".join(OBJECTS),
    "indented": "\n".join(json.dumps(json.loads(one), indent=2) for one in OBJECTS),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("how", ["text", "file", "path", "Path", "binary file", "bytes"])
def test_json_in_every_form(form: str, how: str, tmp_path: Path) -> None:
    path = tmp_path / "records.json"
    path.write_bytes(FORMS[form].encode())
    target: Any = {
        "text": FORMS[form],
        "file": io.StringIO(FORMS[form]),
        "path": str(path),
        "Path": path,
        "binary file": io.BytesIO(FORMS[form].encode()),
        "bytes": FORMS[form].encode(),
    }[how]
    reader = JSONReader(target)
    assert flats(reader) == flats(RECORDS)
    assert flats(reader) == flats(RECORDS), "a second loop begins anew, as in pymarc"
    assert reader.records == [json.loads(one) for one in OBJECTS]


def test_json_as_pymarc_reads_it() -> None:
    text = json.dumps([json.loads(one) for one in OBJECTS])
    assert flats(JSONReader(text)) == flats(pymarc.JSONReader(text))
    assert flats(parse_json_to_array(text)) == flats(pymarc.parse_json_to_array(text))
    assert flats(JSONReader(OBJECTS[0])) == flats(pymarc.JSONReader(OBJECTS[0])) == flats(RECORDS[:1])
    assert list(JSONReader("[]")) == []
    control = '{"leader": "' + " " * 24 + '", "fields": [{"001": "a\tb"}]}'
    assert next(JSONReader(control))["001"].data == next(iter(pymarc.JSONReader(control)))["001"].data == "a\tb"


@pytest.mark.skipif(not (SHARED / "corpus").is_dir(), reason="the corpus is not there")
def test_json_files_of_the_corpus() -> None:
    compared = 0
    for path in sorted((SHARED / "corpus").glob("*/*.json")):
        try:
            theirs = flats(pymarc.JSONReader(str(path)))
        except Exception:
            continue
        assert flats(JSONReader(str(path))) == theirs
        compared += 1
    assert compared > 0


@pytest.mark.parametrize("form", FORMS)
def test_records_before_an_error_come_first(form: str) -> None:
    broken = FORMS[form][: FORMS[form].rindex("{") + 3]
    reader = JSONReader(broken)
    found = []
    with pytest.raises(FormatError, match="no MARC-in-JSON") as caught:
        for record in reader:
            found.append(record)
    assert isinstance(caught.value, json.JSONDecodeError)  # what programs for pymarc expect
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (str(copied), vars(copied)) == (str(caught.value), vars(caught.value))
    assert (copied.lineno, copied.colno) == (copied.line, copied.column)
    assert flats(found) == flats(RECORDS[:-1])
    assert next(reader, None) is None


@pytest.mark.parametrize("how", ["path", "binary file", "bytes"])
def test_records_before_bytes_that_are_no_text_come_first(how: str, tmp_path: Path) -> None:
    content = "\n".join(OBJECTS).encode() + b'\n{"a": "\xe9"}\n' + OBJECTS[0].encode()
    path = tmp_path / "records.json"
    path.write_bytes(content)
    reader = JSONReader({"path": str(path), "binary file": io.BytesIO(content), "bytes": content}[how])
    found = []
    with pytest.raises(FormatError, match="this is no text") as caught:
        for record in reader:
            found.append(record)
    assert flats(found) == flats(RECORDS)
    assert (caught.value.line, caught.value.column) == (len(OBJECTS) + 1, 8)
    assert next(reader, None) is None


def test_json_with_an_integer_of_any_size() -> None:
    reader = JSONReader(f'[{OBJECTS[0]}, {{"a": {"7" * 5000}}}, {OBJECTS[1]}]')
    assert flat(next(reader)) == flat(RECORDS[0])
    with pytest.raises(FormatError, match="digits"):
        next(reader)
    assert flat(next(reader)) == flat(RECORDS[1])
    assert next(reader, None) is None


def test_json_of_wrong_types_as_pymarc_reads_it() -> None:
    fields = [{"500": "x"}, {"245": {"ind1": "12", "ind2": "", "subfields": [{"a": None}, {"b": 7}]}}, {"005": ["x"]}]
    text = json.dumps([{"leader": " " * 24, "fields": fields}])
    ours, theirs = next(JSONReader(text)), next(iter(pymarc.JSONReader(text)))
    assert flat(ours) == flat(theirs)


def test_json_that_is_no_marc() -> None:
    for text, problem in (('{"fields": []}', "KeyError"), ('{"leader": "x", "fields": []}', "RecordLeaderInvalid")):
        for reader in (JSONReader(text), pymarc.JSONReader(text)):
            with pytest.raises(Exception, match=r"leader") as caught:
                list(reader)
            assert type(caught.value).__name__ == problem


class Endless(io.RawIOBase):
    """Lines of JSON without an end."""

    def __init__(self) -> None:
        self.lines = itertools.cycle([f"{one}\n".encode() for one in OBJECTS])
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        line = next(self.lines)
        self.given += len(line)
        return line


def test_json_is_read_as_it_comes() -> None:
    source = Endless()
    reader = JSONReader(source)
    for number, record in zip(range(200), reader):
        assert flat(record) == flat(RECORDS[number % len(RECORDS)])
    assert source.given < 300 * max(map(len, OBJECTS))


def test_json_handler() -> None:
    titles: list[str | None] = []

    class Own(JSONHandler):
        def process_record(self, record: Record) -> None:
            titles.append(record.title)
            super().process_record(record)

    content = json.loads(ARRAY)
    handler = Own()
    assert flats(handler.elements(content)) == flats(RECORDS)
    assert titles == [record.title for record in RECORDS]
    assert content == json.loads(ARRAY), "it is left as it was"
    handler.element(content[0])
    assert len(handler.records) == len(RECORDS) + 1
    assert len(JSONHandler().elements(content[0])) == 1


# ---- MARCMaker ----


def test_marcmaker_round_trip() -> None:
    text = "\n".join(map(str, RECORDS))
    assert flats(MARCMakerReader(text)) == flats(RECORDS)
    blank = Record(fields=[Field("001", data=" a  b "), Field("245", None, [Subfield("a", "x"), Subfield("b", "")])])
    assert flats(MARCMakerReader(str(blank))) == flats([blank])


def test_marcmaker_as_pymarc_reads_it() -> None:
    text = "=LDR  00755cam  22002414a 4500\n=008  010314s1999fr||||||||||||||||fre\n=028  01$aSTMA 8007$bTamla\n"
    assert flats(MARCMakerReader(text)) == flats(pymarc.MARCMakerReader(text))


@pytest.mark.parametrize("line", ["=245  10 no dollar", "=245  10no dollar", "=245  10 ", "=500  1 x"])
def test_marcmaker_lines_without_a_dollar(line: str) -> None:
    """They are records in pymarc, whatever they are worth."""
    assert flats(MARCMakerReader(line)) == flats(pymarc.MARCMakerReader(line))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("how", ["text", "file", "path", "Path"])
def test_marcmaker_from_every_target(how: str, end: str, tmp_path: Path) -> None:
    text = "\n" * 2 + "\n\n".join(map(str, RECORDS)).replace("\n", end) + end * 3
    path = tmp_path / "records.mrk"
    path.write_bytes(text.encode("utf-16"))
    target: Any = {"text": text, "file": io.StringIO(text), "path": str(path), "Path": path}[how]
    assert flats(MARCMakerReader(target, "utf-16")) == flats(RECORDS)


def test_marcmaker_mnemonics() -> None:
    reader = MARCMakerReader(r"=500  \\$acosts {dollar}5 {lcub}d{acute}es{rcub}$b{bsol}" + "\n=001  a\\b{bsol}")
    (record,) = reader
    assert record["500"].subfields == [("a", "costs $5 {dés}"), ("b", "\\")]
    assert record["001"].data == "a b\\"


def test_marcmaker_mnemonics_in_tags() -> None:
    record = Record(fields=[Field("9{$", libmarc.Indicators("1", "0"), [Subfield("a", "x")]), Field("{a}")])
    for text in (str(record), libmarc.record_to_mrk(record)):
        assert flats(MARCMakerReader(text)) == flats([record])


@pytest.mark.parametrize(
    "line", ["=LDR 00755cam", "LDR  00755cam", "=008", "=009 0", "=999", "=245  1", "=245  10x$aTitle", "=245  $aTitle"]
)
def test_marcmaker_lines_that_are_none(line: str) -> None:
    reader = MARCMakerReader(f"{RECORDS[0]}\n=001  x\n{line}\n\n{RECORDS[1]}")
    assert flat(next(reader)) == flat(RECORDS[0])
    with pytest.raises(PymarcException) as caught:
        next(reader)
    assert str(caught.value) == f'Unable to parse line "{line}"'
    assert flat(next(reader)) == flat(RECORDS[1])
    assert next(reader, None) is None
    assert next(reader, None) is None


# ---- MARCXML ----


def collection(content: list[Record]) -> bytes:
    file = io.BytesIO()
    writer = XMLWriter(file)
    for record in content:
        writer.write(record)
    writer.close(close_fh=False)
    return file.getvalue()


def test_xml_round_trip() -> None:
    data = head_of(loc_file(), 200)
    content = [record for record in MARCReader(data) if record is not None]
    assert flats(parse_xml_to_array(io.BytesIO(collection(content)))) == flats(content)


@pytest.mark.skipif(not (SHARED / "corpus").is_dir(), reason="the corpus is not there")
def test_xml_files_of_the_corpus() -> None:
    compared = 0
    for path in sorted((SHARED / "corpus").glob("*/*.xml")):
        for options in ({}, {"strict": True}, {"normalize_form": "NFD"}):
            try:
                theirs: Any = flats(pymarc.parse_xml_to_array(str(path), **options))
            except Exception as problem:
                theirs = problem
            try:
                ours: Any = flats(parse_xml_to_array(str(path), **options))
            except Exception as problem:
                ours = problem
            if isinstance(theirs, Exception):
                assert (type(ours).__name__, str(ours)) == (type(theirs).__name__, str(theirs))
            else:
                assert ours == theirs
                compared += len(theirs)
    assert compared > 100


XML = b"""<?xml version="1.0"?><a:collection xmlns:a="http://www.loc.gov/MARC21/slim" xmlns:b="urn:other">
<a:record><a:leader>00000nam a2200000 a 4500</a:leader><a:controlfield tag="001">x &amp; y</a:controlfield>
<a:datafield tag="245" ind1="1"><a:subfield code="a">e&#x301;</a:subfield>
<b:subfield code="b">other</b:subfield></a:datafield>
</a:record></a:collection>"""


def test_xml_with_prefixes_and_foreign_elements() -> None:
    for strict, form in itertools.product([False, True], [None, "NFC"]):
        ours = parse_xml_to_array(io.BytesIO(XML), strict, form)
        assert flats(ours) == flats(pymarc.parse_xml_to_array(io.BytesIO(XML), strict, form))
        assert ours[0]["245"]["a"] == (unicodedata.normalize(form, "e\u0301") if form else "e\u0301")
        assert ("b" in ours[0]["245"]) is not strict


def test_xml_handler_of_a_user() -> None:
    class Own(XmlHandler):
        seen = 0

        def process_record(self, record: Record) -> None:
            self.seen += 1

    handler = Own()
    parse_xml(io.BytesIO(collection(RECORDS)), handler)
    assert (handler.seen, handler.records) == (len(RECORDS), [])
    found: list[Record] = []
    map_xml(found.append, io.BytesIO(XML), io.BytesIO(collection(RECORDS)))
    assert len(found) == len(RECORDS) + 1


def test_record_to_xml_of_bytes_in_marc8() -> None:
    raw = given(MARCReader(generated("marc8", 3), to_unicode=False))
    theirs = next(pymarc.MARCReader(raw.raw, to_unicode=False))
    for options in ({"quiet": True}, {"quiet": True, "namespace": True}):
        assert libmarc.record_to_xml(raw, **options) == pymarc.record_to_xml(theirs, **options)


# ---- input that means harm ----


def test_external_entities_are_not_loaded(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    document = f"""<!DOCTYPE c [<!ENTITY e SYSTEM "{secret.as_uri()}">
<!ENTITY % p SYSTEM "{secret.as_uri()}">]>
<record><leader>00000nam a2200000 a 4500</leader><controlfield tag="001">[&e;]</controlfield></record>"""
    (record,) = parse_xml_to_array(io.StringIO(document))
    assert record["001"].data == "[]"


def test_entities_that_grow_end_quickly() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    document = f"""<!DOCTYPE c [<!ENTITY e0 "x">{levels}]>
<record><leader>00000nam a2200000 a 4500</leader><controlfield tag="001">&e11;</controlfield></record>"""
    begin = time.process_time()
    with pytest.raises(SAXParseException):
        parse_xml_to_array(io.StringIO(document))
    assert time.process_time() - begin < 20


def test_xml_that_is_cut_or_deep_or_in_a_wrong_encoding() -> None:
    content = collection(RECORDS)
    found: list[Record] = []
    with pytest.raises(SAXParseException):
        map_xml(found.append, io.BytesIO(content[: content.rindex(b"<record>") + 30]))
    assert flats(found) == flats(RECORDS[:-1])
    assert parse_xml_to_array(io.BytesIO(b"<a>" * 100_000 + b"</a>" * 100_000)) == []
    with pytest.raises(SAXParseException):
        parse_xml_to_array(io.BytesIO(b'<?xml version="1.0" encoding="UTF-8"?><a>\xff</a>'))


# ---- ISO 2709 ----


def test_map_records() -> None:
    found: list[Any] = []
    map_records(found.append, io.BytesIO(generated("utf8", 3)), io.BytesIO(b"0012X" + generated("utf8", 2)))
    assert [record is None for record in found] == [False, False, False, True, False, False]
