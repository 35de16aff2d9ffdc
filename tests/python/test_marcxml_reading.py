"""MARCXML, read natively: the records that pymarc's parse_xml_to_array gives, one after another, and what no document
may do to its reader. (tests/core/test_xml_reader.cpp has the same on the inside.)"""

from __future__ import annotations

import copy
import io
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pymarc
import pytest
from corpus import SHARED, head_of, loc_file
from support import Script, Source, generated, needs_proc, run_python

from libmarc import FormatError, MARCReader, Record, RecordTooLarge
from libmarc._native import lib
from libmarc.exceptions import PymarcException

LEADER = "00000nam a2200000 i 4500"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="http://www.loc.gov/MARC21/slim">\n'
TAIL = "</collection>\n"


def read_xml(source: Any, **options: Any) -> MARCReader:
    return MARCReader(source, _format=lib.MARC_FORMAT_MARCXML, **options)


def element(*fields: str, leader: str | None = LEADER) -> str:
    head = "" if leader is None else f"<leader>{leader}</leader>"
    return f"<record>{head}{''.join(fields)}</record>"


def control(tag: str, text: str) -> str:
    return f"<controlfield tag={quoteattr(tag)}>{text}</controlfield>"


def data(tag: str, *subfields: tuple[str, str], first: str = " ", second: str = " ") -> str:
    inside = "".join(f"<subfield code={quoteattr(code)}>{text}</subfield>" for code, text in subfields)
    return f"<datafield tag={quoteattr(tag)} ind1={quoteattr(first)} ind2={quoteattr(second)}>{inside}</datafield>"


def book(number: int) -> str:
    return element(control("001", f"n{number}"), data("245", ("a", f"Title {number}")))


def contents(record: Any) -> tuple[Any, ...]:
    """All that a record says, for pymarc's and ours alike."""
    fields = [
        (f.tag, f.data, f.indicators and tuple(f.indicators), [tuple(subfield) for subfield in f.subfields])
        for f in record.fields
    ]
    return str(record.leader), fields


def pymarcs(document: bytes) -> list[tuple[Any, ...]]:
    return [contents(record) for record in pymarc.parse_xml_to_array(io.BytesIO(document))]


def ours(document: bytes) -> list[tuple[Any, ...]]:
    return [contents(record) for record in read_xml(document)]


def one(document: str) -> Record:
    (record,) = read_xml(document.encode())
    assert record is not None
    return record


def codes(record: Record) -> list[int]:
    return [problem.code for problem in record.problems]


# ---- the same records as pymarc


def xml_files() -> list[Path]:
    return sorted((SHARED / "corpus").glob("*/*.xml"))


#: What pymarc gives otherwise, or fails at, and what the difference is. docs/differences.md has the reasons.
DIFFERENT = {
    "edsu__pymarc/bad_tag.xml": "leader",
    "pear__File_MARC/bad_leader.xml": "leader",
    "pkiraly__qa-catalogue/wrong-marcxml.xml": "leader",
    "marc4j__marc4j/chabon-missing-controlfield-tag.xml": "attribute",
    "marc4j__marc4j/chabon-missing-datafield-tag.xml": "attribute",
    "marc4j__marc4j/chabon-missing-subfield-code.xml": "attribute",
    "tulibraries__tul_cob/item_pickup.xml": "attribute",
    "perl4lib__marc-perl/namespace.xml": "empty indicator",
    "indexdata__yaz/marc1.xml": "kind",
    "indexdata__yaz/marc2.xml": "kind",
    "indexdata__yaz/marc3.xml": "kind",
    "scriptotek__php-marc/alma-bibs-api-invalid.xml": "no XML",
}


@pytest.mark.parametrize("path", xml_files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_real_files(path: Path) -> None:
    document = path.read_bytes()
    different = DIFFERENT.get(f"{path.parent.name}/{path.name}")
    if different == "no XML":
        with pytest.raises(FormatError):
            ours(document)
        with pytest.raises(Exception, match="encoding"):
            pymarcs(document)
        return
    try:
        expected = pymarcs(document)
    except (pymarc.exceptions.RecordLeaderInvalid, KeyError):
        assert different in ("leader", "attribute")
        assert any(record is not None and record.problems for record in read_xml(document))
        return
    assert (ours(document) == expected) is (different is None)


def test_records_of_the_library_of_congress() -> None:
    head = head_of(loc_file(), 300)
    document = subprocess.run(
        ["yaz-marcdump", "-i", "marc", "-o", "marcxml", "-f", "UTF-8", "-t", "UTF-8", "/dev/stdin"],
        input=head,
        capture_output=True,
        check=True,
    ).stdout
    assert ours(document) == pymarcs(document)
    read = list(read_xml(document))
    assert b"".join(record.as_marc() for record in read if record) == head
    assert [record.title for record in read if record] == [r.title for r in MARCReader(head) if r]


def as_document(records: list[pymarc.Record], random_: random.Random) -> bytes:
    """The records with white space, comments, CDATA and references at random places."""

    def text(value: str) -> str:
        if random_.random() < 0.1 and "]]>" not in value:
            return f"<![CDATA[{value}]]>"
        if random_.random() < 0.1:
            return "".join(f"&#{ord(char)};" if random_.random() < 0.2 else escape(char) for char in value)
        return escape(value).replace("e", "e<!-- e -->", 1)

    def gap() -> str:
        return random_.choice(["", "\n  ", "<!-- gap -->", "<?gap?>", "<gap>x<y/></gap>"])

    parts = [HEAD]
    for record in records:
        fields = [gap() + f"<leader>{record.leader}</leader>"]
        for field in record.fields:
            if field.control_field:
                fields.append(gap() + control(field.tag, text(field.data or "")))
            else:
                first, second = field.indicators or (" ", " ")
                fields.append(
                    gap() + data(field.tag, *((c, text(v)) for c, v in field.subfields), first=first, second=second)
                )
        parts.append(f"<m:record xmlns:m='x'>{''.join(fields)}{gap()}</m:record>{gap()}")
    return "".join([*parts, TAIL]).encode()


@pytest.mark.parametrize("seed", range(5))
def test_generated_documents(seed: int) -> None:
    records = [r for r in pymarc.MARCReader(generated("mixed", 60, seed=seed), hide_utf8_warnings=True) if r]
    for record in records:  # what XML cannot hold
        for field in record.fields:
            field.subfields = [s for s in field.subfields if s.code.isprintable() and s.code and s.value.isprintable()]
    document = as_document(records, random.Random(seed))
    assert ours(document) == pymarcs(document)


@pytest.mark.parametrize(
    "document",
    [
        element(control("001", "  x\n y\t"), data("245", ("a", "  b \r\n c "))),
        element(control("1", "x"), control("8", ""), data("24", ("a", "y")), data(" 50", ("a", "z"))),
        element(data("245"), data("246", ("a", ""))),
        element(control("001", "a<![CDATA[<&]]>&lt;&#xe9;<!-- no -->c")),
        element(data("245", (" ", "x"), ("é", "y"), ("ab", "z"), ("€uro", ""))),
        element(data("245", ("a", "x"), first="é", second="€")),
        element(control("FMT", "BK"), control("LDR", "x"), data("245", ("a", "x"))),
        element(data("245", ("a", "x")), leader=None),
        element(),
        "<record/>",
        element(data("245", ("a", "x")), leader="00000nam\ta2200000 i 3602"),
        f"<x><record><header/><metadata>{book(1)}</metadata></record></x>",
        f"<x>{control('001', 'outside')}{book(1)}<leader>z</leader></x>",
        f"<x><record><header status='deleted'/></record>{book(1)}</x>",
        f"<m:x xmlns:m='urn:a' xmlns:b='urn:b'><m:record>{control('001', 'x')}</m:record><b:record/></m:x>",
        element(data("245", ("a", "\U0001f4da é \x7f \x85"))),
    ],
)
def test_same_as_pymarc(document: str) -> None:
    assert ours(document.encode()) == pymarcs(document.encode())


# ---- where pymarc fails or loses something


def test_leaders_of_another_length_are_made_to_fit() -> None:
    short, long, blank = (
        one(element(control("001", "x"), leader=leader)) for leader in ("short", LEADER + "0000", f"\n {LEADER}\n")
    )
    assert str(short.leader) == "short".ljust(24)
    assert str(long.leader) == str(blank.leader) == LEADER
    for record in (short, long, blank):
        assert codes(record)[0] == lib.MARC_NOTE_LEADER_LENGTH
    with pytest.raises(pymarc.exceptions.RecordLeaderInvalid):
        pymarcs(element(leader="short").encode())


def test_missing_attributes() -> None:
    record = one("<record><datafield><subfield>x</subfield></datafield><controlfield>y</controlfield></record>")
    assert [(f.tag, f.indicators, f.subfields, f.data) for f in record.fields] == [
        ("   ", (" ", " "), [(" ", "x")], None),
        ("   ", (" ", " "), [], "y"),
    ]
    assert codes(record).count(lib.MARC_NOTE_ATTRIBUTE) == 3


def test_control_fields_with_subfields_keep_their_text() -> None:
    record = one(element(data("001", ("a", "x"), ("b", "y"))))
    assert record["001"].data == "x y"
    assert codes(record) == [lib.MARC_NOTE_FIELD_KIND]


def test_text_around_inner_elements_is_kept() -> None:
    record = one(element(data("245", ("a", "H<sub>2</sub>O")), control("001", "a<b/>c")))
    assert record.title == "H2O"
    assert record["001"].data == "ac"
    assert pymarcs(element(data("245", ("a", "H<sub>2</sub>O"))).encode())[0][1][0][3] == [("a", "O")]


def test_fields_that_iso_2709_cannot_hold_are_whole() -> None:
    long = "x" * 120_000
    record = one(element(control("001", "id"), data("520", ("a", long)), data("245", ("a", "last"))))
    assert record["520"]["a"] == long
    assert record["245"]["a"] == record.title == "last"
    again = pickle.loads(pickle.dumps(record))
    assert again["520"]["a"] == copy.deepcopy(record)["520"]["a"] == long
    (salvaged,) = MARCReader(record.raw, on_error="salvage")
    assert salvaged is not None
    assert contents(salvaged)[1] == contents(record)[1]


# ---- records


def test_a_record_and_its_bytes() -> None:
    leader = "     nam  2200000 i 4500"
    document = HEAD + book(1) + element(control("001", "é"), data("245", ("a", "Ü")), leader=leader) + TAIL
    first, second = read_xml(document.encode())
    assert first is not None
    assert second is not None
    assert first.raw == b"00065nam a2200049 i 4500001000300000245001200003\x1en1\x1e  \x1faTitle 1\x1e\x1d"
    assert str(second.leader) == leader
    assert second.raw is not None
    assert second.raw[:24] == b"00060nam a2200049 i 4500"
    assert second.as_marc() == second.raw
    assert str(second.leader) == "     nam a2200000 i 4500"  # as pymarc's as_marc() leaves it


def test_places() -> None:
    document = (HEAD + book(1) + "\n" + book(2) + TAIL).encode()
    for record in read_xml(document):
        assert record is not None
        assert record.byte_offset is not None
        assert record.byte_length is not None
        place = document[record.byte_offset : record.byte_offset + record.byte_length]
        assert place.startswith(b"<record>")
        assert place.endswith(b"</record>")
        record.fields.clear()
        assert document[record.byte_offset :].startswith(b"<record>")


def test_stats_add_up() -> None:
    document = (HEAD + book(1) + "\n" + element(data("520", ("a", "x" * 3000))) + book(2) + TAIL).encode()
    reader = read_xml(document, largest_record=2000)
    for number, _ in enumerate(reader, 1):
        stats = reader.stats
        assert stats.records == number
        behind = stats.bytes_delivered + stats.bytes_rejected + stats.junk_bytes
        assert document[:behind].endswith(b"</record>")
    stats = reader.stats
    assert (stats.delivered, stats.rejected) == (2, 1)
    assert stats.bytes_delivered + stats.bytes_rejected + stats.junk_bytes == stats.bytes_read == len(document)


def test_a_record_that_is_too_large(tmp_path: Path) -> None:
    document = (HEAD + book(1) + element(data("520", ("a", "x" * 3000))) + book(2) + TAIL).encode()
    reader = read_xml(document, largest_record=2000, rejects=tmp_path / "rejects")
    found = list(reader)
    assert [record and record.title for record in found] == ["Title 1", None, "Title 2"]
    with pytest.raises(RecordTooLarge, match="largest_record"):
        list(read_xml(document, largest_record=2000, on_error="raise"))


def test_the_source_is_left_behind_the_last_record() -> None:
    document = (HEAD + book(1) + book(2) + TAIL).encode()
    source = io.BytesIO(b"junk" + document)
    source.seek(4)
    with read_xml(source) as reader:
        record = next(reader)
        assert record is not None
        assert record.byte_offset == 4 + len(HEAD)
    assert source.read().startswith(b"<record>")


# ---- sources


def test_sizes_of_reads() -> None:
    document = (HEAD + "".join(map(book, range(30))) + TAIL).encode()
    expected = ours(document)
    for size in (1, 2, 3, 7, 100, 1000):
        assert [contents(record) for record in read_xml(Source(document, size))] == expected
    for split in range(0, len(document), 11):
        assert ours_of(io.BytesIO(document), split) == expected


def ours_of(source: io.BytesIO, split: int) -> list[tuple[Any, ...]]:
    first: list[int] = [split]

    class Split:
        def read(self, size: int) -> bytes:
            return source.read(first.pop() or 1 if first else size)

    return [contents(record) for record in read_xml(Split())]


def test_a_live_stream_is_answered_record_by_record() -> None:
    parts = [(HEAD + book(1)).encode(), book(2).encode(), (book(3) + TAIL).encode()]
    waiting = iter(parts)
    given: list[str | None] = []

    class Live:
        def read(self, size: int) -> bytes:
            assert len(given) == len(parts) - waiting.__length_hint__()
            return next(waiting, b"")

    for record in read_xml(Live()):
        assert record is not None
        given.append(record.title)
    assert given == ["Title 1", "Title 2", "Title 3"]


def test_faults_of_the_source() -> None:
    fault = OSError("no more")
    reader = read_xml(Script((HEAD + book(1)).encode(), fault))
    assert next(reader) is not None
    with pytest.raises(OSError, match="no more") as raised:
        next(reader)
    assert raised.value is fault
    assert list(reader) == []
    busy = read_xml(Script((HEAD + book(1)[:20]).encode(), BlockingIOError(), (book(1)[20:] + TAIL).encode()))
    with pytest.raises(BlockingIOError):
        next(busy)
    assert [record and record.title for record in busy] == ["Title 1"]


# ---- what is no XML


def test_a_break_comes_behind_the_records_before_it() -> None:
    document = (HEAD + book(1) + "\n <a></b>" + book(2) + TAIL).encode()
    reader = read_xml(document)
    assert next(reader) is not None
    with pytest.raises(FormatError) as raised:
        next(reader)
    error = raised.value
    assert isinstance(error, PymarcException)
    assert (error.record_index, error.line, error.column) == (1, 4, 7)
    assert error.byte_offset == document.index(b"</b>") + 2
    assert str(error) == f"this is no XML: mismatched tag (byte {error.byte_offset}, line 4, column 7)"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert list(reader) == []
    assert reader.stats.delivered == 1


def test_a_cut_document_at_every_byte() -> None:
    document = (HEAD + book(1) + book(2) + TAIL).encode()
    ends = [document.index(b"</record>") + 9, document.rindex(b"</record>") + 9]
    for size in range(len(document.rstrip())):
        reader, given = read_xml(document[:size]), 0
        with pytest.raises(FormatError):
            for record in reader:
                given += record is not None
        assert given == sum(end <= size for end in ends)


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ("<!DOCTYPE x [<!ENTITY a 'b'>]>" + element(data("245", ("a", "&a;"))), "declares entities"),
        ("<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + element(), "declares entities"),
        ("<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x'>" + element(data("245", ("a", "&a;"))), "does not declare"),
        (element(data("245", ("a", "&a;"))), "undefined entity"),
        ("<a>" * 5000, "1000 deep"),
        ("<?xml version='1.0' encoding='no-such'?>" + element(), "unknown encoding"),
        (element(data("245", ("a", "&#x1f;"))), "invalid character number"),
        ("", "no element found"),
        ("no XML", "syntax error"),
    ],
)
def test_refused(document: str, word: str) -> None:
    with pytest.raises(FormatError, match=word):
        ours(document.encode())


@needs_proc
@pytest.mark.skipif("LIBMARC_SANITIZER" in os.environ, reason="a sanitizer has memory of its own")
def test_memory_is_flat() -> None:
    code = f"""
import os
from libmarc import MARCReader
from libmarc._native import lib
HEAD, BOOK = {HEAD!r}.encode(), {book(1)!r}.encode() * 1000
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")
class Endless:
    def __init__(self):
        self.left, self.part = 150, HEAD
    def read(self, size):
        if not self.part and self.left:
            self.left, self.part = self.left - 1, BOOK
        content, self.part = self.part[:size], self.part[size:]
        return content
sizes, count = [], 0
try:
    for record in MARCReader(Endless(), _format=lib.MARC_FORMAT_MARCXML):
        count += 1
        record.title
        if count % 20_000 == 0:
            sizes.append(resident())
except Exception as problem:
    print(count, max(sizes[1:]) - sizes[0] < 4_000_000, type(problem).__name__)
"""
    assert run_python(code).split() == ["150000", "True", "FormatError"]


def test_everything_stands_in_the_package() -> None:
    """No module of Python's own XML is imported to read MARCXML."""
    code = "import sys, libmarc; print([name for name in sys.modules if name.startswith(('xml', 'pyexpat'))])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
