"""Record: pymarc's answers, for records that were read and whatever was done to them."""

from __future__ import annotations

import copy
import gc
import io
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import (
    Source,
    book,
    books,
    flat,
    generated,
    given,
    pymarc_test_files,
    record_bytes,
)

import libmarc
from libmarc import Field, Indicators, Leader, MARCReader, Record, Subfield

RAW = record_bytes(
    ("001", b"n000001"),
    ("008", b"850101s1985    xx            000 0 eng d"),
    ("020", b"  \x1fa0-8044-2957-X (pbk.)"),
    ("020", b"  \x1fa9780804429573"),
    ("100", "1 \x1faDvořák, Jiří,\x1fd1901-".encode()),
    ("245", "10\x1faŽluť :\x1fba study /\x1fcJiří Dvořák.".encode()),
    ("500", b"  \x1faFirst note"),
    ("650", b" 0\x1faColours\x1fxHistory."),
    ("500", b"  \x1faSecond note"),
    ("CAT", b"  \x1fax"),
)


TAGS = ["001", "008", "020", "020", "100", "245", "500", "650", "500", "CAT"]


def fresh(raw: bytes = RAW, behind: bytes = b"") -> Record:
    """A record from a reader that is still at it; nothing was asked of it yet."""
    reader = MARCReader(raw + (behind or book(9)))
    record = given(reader)
    READERS.append(reader)
    return record


READERS: list[MARCReader] = []


@pytest.fixture(autouse=True)
def close_readers() -> Any:
    yield
    READERS.clear()


def left_behind(raw: bytes = RAW) -> Record:
    """The reader has moved on to another batch."""
    reader = MARCReader(Source(raw + book(9), len(raw)))
    record = given(reader)
    given(reader)
    READERS.append(reader)
    return record


def of_a_closed_reader(raw: bytes = RAW) -> Record:
    with MARCReader(raw) as reader:
        return given(reader)


def of_a_collected_reader(raw: bytes = RAW) -> Record:
    record = given(MARCReader(io.BytesIO(raw)))
    gc.collect()
    return record


def asked_for_its_title(raw: bytes = RAW) -> Record:
    record = fresh(raw)
    assert record.title is not None
    return record


def of_bytes(raw: bytes = RAW) -> Record:
    return Record(raw)


Make = Callable[..., Record]
MAKERS: list[Make] = [fresh, left_behind, of_a_closed_reader, of_a_collected_reader, asked_for_its_title, of_bytes]
every_record = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)


def their_pymarc() -> Any:
    return pytest.importorskip("pymarc", reason="pymarc, the oracle, is not installed")


# ---- reading ----


@every_record
def test_leader(make: Make) -> None:
    record = make()
    assert isinstance(record.leader, Leader)
    assert str(record.leader) == RAW[:24].decode()
    assert record.leader is record.leader


@every_record
def test_fields_in_order(make: Make) -> None:
    record = make()
    assert [field.tag for field in record.fields] == TAGS
    assert type(record.fields) is list
    assert record.fields is record.fields
    assert all(type(field) is Field for field in record.fields)


@every_record
def test_get_fields(make: Make) -> None:
    record = make()
    assert [field["a"] for field in record.get_fields("500")] == ["First note", "Second note"]
    assert [field.tag for field in record.get_fields("500", "245", "650")] == ["245", "500", "650", "500"]
    assert record.get_fields("999") == []
    assert record.get_fields(["500"]) == []  # type: ignore[arg-type]
    assert record.get_fields() is record.fields, "the list itself"
    assert record.get_fields("245")[0] is record["245"]
    assert record.get_fields("500") is not record.get_fields("500")


@every_record
def test_item_access(make: Make) -> None:
    record = make()
    assert record["245"] is record["245"]
    assert record["500"]["a"] == "First note"
    assert record["CAT"]["a"] == "x"
    for tag in ("999", "", "24", "2450", "cat"):
        with pytest.raises(KeyError):
            record[tag]
    with pytest.raises(KeyError):
        record[245]  # type: ignore[index]


@every_record
def test_get(make: Make) -> None:
    record = make()
    default = Field("999")
    assert record.get("245") is record["245"]
    assert record.get("999") is None
    assert record.get("999", default) is default
    assert record.get("245", default) is record["245"]


@every_record
def test_membership(make: Make) -> None:
    record = make()
    assert "245" in record
    assert "CAT" in record
    assert "999" not in record
    assert "" not in record


@every_record
def test_iteration(make: Make) -> None:
    record = make()
    assert list(record) == record.fields
    assert list(record) == record.fields
    assert next(record) is record.fields[0]
    assert next(record) is record.fields[1]
    with pytest.raises(TypeError):
        len(record)
    found = []
    for field in record:  # each loop has its own place
        found.append(field)
        found.extend(record)
    assert found == [one for field in record.fields for one in (field, *record.fields)]


@pytest.mark.parametrize("make", [fresh, of_bytes, lambda: Record(fields=[Field("001", data="x")])])
def test_next_without_iter(make: Make) -> None:
    record = make()
    assert next(record) is record.fields[0]


@every_record
def test_quick_access(make: Make) -> None:
    record = make()
    assert record.title == "Žluť : a study /"
    assert record.author == "Dvořák, Jiří, 1901-"
    assert record.isbn == "080442957X"


@every_record
def test_as_text(make: Make) -> None:
    assert str(make()) == (
        f"=LDR  {RAW[:24].decode()}\n"
        "=001  n000001\n"
        "=008  850101s1985\\\\\\\\xx\\\\\\\\\\\\\\\\\\\\\\\\000\\0\\eng\\d\n"
        "=020  \\\\$a0-8044-2957-X (pbk.)\n"
        "=020  \\\\$a9780804429573\n"
        "=100  1\\$aDvořák, Jiří,$d1901-\n"
        "=245  10$aŽluť :$ba study /$cJiří Dvořák.\n"
        "=500  \\\\$aFirst note\n"
        "=650  \\0$aColours$xHistory.\n"
        "=500  \\\\$aSecond note\n"
        "=CAT  \\\\$ax\n"
    )


@every_record
def test_as_marc_of_an_untouched_record(make: Make) -> None:
    record = make()
    assert record.as_marc() == RAW == record.raw
    assert record.as_marc21() == RAW
    assert record.as_marc() is record.raw, "at no cost"
    assert record.fields
    assert record.as_marc() == RAW
    assert record.as_marc() == RAW


def test_as_marc_of_a_record_in_ascii_without_the_flag() -> None:
    """As pymarc writes it: in UTF-8, and the leader says so from then on, in the record too."""
    raw = record_bytes(("001", b"x"), ("245", b"10\x1faTitle"), coding=" ")
    record = given(MARCReader(raw))
    assert record.leader[9] == " "
    assert record.as_marc() == raw[:9] + b"a" + raw[10:]
    assert record.leader[9] == "a"
    assert record.raw == raw
    untouched = given(MARCReader(raw))
    assert untouched.as_marc() == raw[:9] + b"a" + raw[10:]
    assert untouched.leader[9] == "a"


def test_as_marc_leaves_out_empty_subfields() -> None:
    raw = record_bytes(("001", b"x"), ("245", b"10\x1f\x1faTitle\x1f"))
    expected = record_bytes(("001", b"x"), ("245", b"10\x1faTitle"))
    for record in (given(MARCReader(raw)), Record(raw)):
        assert record.as_marc() == expected
        assert record.raw == raw


def test_as_marc_of_converted_text() -> None:
    """As pymarc writes it: in UTF-8, and leader/09 of the record says so from then on. raw stays as it was."""
    raw = record_bytes(("001", b"x"), ("245", b"10\x1faG\xe2erard"), coding=" ")
    expected = record_bytes(("001", b"x"), ("245", "10\x1faGérard".encode()))
    for record in (fresh(raw), Record(raw)):
        assert record.as_marc() == record.as_marc() == expected
        assert str(record.leader) == f"{raw[:9].decode()}a{raw[10:24].decode()}"
        assert record.raw == raw
    for record in (fresh(raw), Record(raw)):
        record.leader.type_of_record = "c"
        assert record.as_marc() == expected[:6] + b"c" + expected[7:]
        record["245"]["a"] = "Title"
        assert b"Title" in record.as_marc()


@pytest.mark.parametrize("coding", ["a", " "])
def test_as_marc_without_conversion(coding: str) -> None:
    """With to_unicode off leader/09 stays as it is, and says how to write."""
    pymarc = their_pymarc()
    raw = record_bytes(("001", b"x"), ("245", b"10\x1faTitle"), coding=coding)
    ours, theirs = fresh(raw), pymarc.Record(raw)
    for record in (ours, theirs):
        record.to_unicode = False
        record["245"].subfields.append(type(record["245"].subfields[0])("b", "é"))
    assert ours.as_marc() == theirs.as_marc()
    assert ours.leader[9] == coding
    for record in (ours, theirs):
        record.force_utf8 = True
    assert ours.as_marc() == theirs.as_marc()


@pytest.mark.parametrize("number", [b"x\x1f\x1fy", b"x\x1f", b"\x1f", b""])
def test_as_marc_with_delimiters_in_a_control_field(number: bytes) -> None:
    raw = record_bytes(("001", number), ("245", b"10\x1faTitle"))
    for record in (fresh(raw), Record(raw)):
        assert record.as_marc() == raw
        assert record["001"].data == number.decode()
        assert record.as_marc() == raw


# ---- titles, authors, numbers ----


def with_fields(*fields: tuple[str, bytes]) -> Record:
    return fresh(record_bytes(("001", b"x"), *fields))


TITLES: list[tuple[list[tuple[str, bytes]], str | None]] = [
    ([], None),
    ([("245", b"10\x1faA\x1fbB\x1fcC")], "A B"),
    ([("245", b"10\x1fbB\x1faA")], "A B"),
    ([("245", b"10\x1faA")], "A"),
    ([("245", b"10\x1fbB")], None),
    ([("245", b"10\x1fcC")], None),
    ([("245", b"10")], None),
    ([("245", b"10\x1fa")], ""),
    ([("245", b"10\x1fa\x1fbB")], ""),
    ([("245", b"10\x1faA\x1fb")], "A"),
    ([("245", b"10\x1fa \x1fb ")], "   "),
    ([("245", b"10\x1faA\x1fb\x1fbB")], "A"),
    ([("245", b"10\x1faA\x1fbB\x1faC\x1fbD")], "A B"),
    ([("245", b"10\x1faFirst"), ("245", b"10\x1faSecond")], "First"),
    ([("245", b"10\x1fcC"), ("245", b"10\x1faSecond")], None),
    ([("246", b"10\x1faA"), ("24A", b"10\x1faA")], None),
    ([("245", "10\x1faŽ\x1fb書".encode())], "Ž 書"),
]


@pytest.mark.parametrize(("fields", "expected"), TITLES)
def test_title(fields: list[tuple[str, bytes]], expected: str | None) -> None:
    """By the whole batch, and by the fields: the same."""
    raw = record_bytes(("001", b"x"), *fields)
    for record in (fresh(raw), of_a_closed_reader(raw), Record(raw)):
        assert record.title == expected
        assert record.title == expected
    touched = fresh(raw)
    assert touched.fields
    assert touched.title == expected


def test_titles_of_a_batch_of_all_kinds() -> None:
    raws = [record_bytes(("001", b"x"), *fields) for fields, _ in TITLES]
    data = b"junk\x1d".join(raws)
    found = [record.title for record in MARCReader(data) if record]
    assert found == [expected for _, expected in TITLES]


def test_titles_beside_one_that_holds_a_terminator() -> None:
    """In the text of the batch a record terminator (0x1D) ends a title, except where a title holds one itself."""
    parts = [book(0), record_bytes(("001", b"x"), ("245", b"10\x1faTi\x1dtle\x1fb\x1d")), book(2, "É"), book(3)]
    data = b"".join([*parts, record_bytes(("001", b"x")), *parts])
    expected = ["Title 0", "Ti\x1dtle \x1d", "É", "Title 3"]
    assert [record.title for record in MARCReader(data) if record] == [*expected, None, *expected]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([], None),
        ([("100", b"1 \x1faA,\x1fd1900-")], "A, 1900-"),
        ([("110", b"2 \x1faB")], "B"),
        ([("111", b"2 \x1faC")], "C"),
        ([("111", b"2 \x1faC"), ("110", b"2 \x1faB"), ("100", b"1 \x1faA")], "A"),
        ([("100", b"1 \x1f6880-01\x1faA")], "A"),
        ([("100", b"1 ")], ""),
        ([("700", b"1 \x1faA")], None),
    ],
)
def test_author(fields: list[tuple[str, bytes]], expected: str | None) -> None:
    assert with_fields(*fields).author == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"  \x1fa9780804429573", "9780804429573"),
        (b"  \x1fa0-8044-2957-X (alk. paper)", "080442957X"),
        (b"  \x1fa 0804429573", "0804429573"),
        (b"  \x1fa(pbk.) 080442957x", "080442957x"),
        (b"  \x1faunknown", None),
        (b"  \x1fa", None),
        (b"  \x1fz0804429573", None),
        (b"  \x1fa-", ""),
        (b"  \x1fabox", "x"),
    ],
)
def test_isbn(content: bytes, expected: str | None) -> None:
    assert with_fields(("020", content)).isbn == expected


def test_isbn_is_the_first_field_s() -> None:
    assert with_fields(("020", b"  \x1fz1"), ("020", b"  \x1fa2")).isbn is None
    assert with_fields().isbn is None


# ---- changes ----

CHANGES: dict[str, Callable[[Any, Any], object]] = {
    "assign fields": lambda r, lib: setattr(
        r, "fields", [lib.Field("245", ["0", "0"], [lib.Subfield("a", "Assigned")]), lib.Field("001", data="new")]
    ),
    "assign no fields": lambda r, lib: setattr(r, "fields", []),
    "append a field": lambda r, lib: r.fields.append(lib.Field("520", subfields=[lib.Subfield("a", "Über")])),
    "insert a field": lambda r, lib: r.fields.insert(0, lib.Field("000", data="zero")),
    "remove a field": lambda r, lib: r.fields.remove(r["245"]),
    "slice": lambda r, lib: r.fields.__setitem__(slice(2, 6), []),
    "clear": lambda r, lib: r.fields.clear(),
    "sort": lambda r, lib: r.fields.sort(key=lambda field: field.tag),
    "reverse": lambda r, lib: r.fields.reverse(),
    "live list": lambda r, lib: r.get_fields().pop(),
    "title": lambda r, lib: r["245"].subfields.__setitem__(0, lib.Subfield("a", "Changed")),
    "subfields assigned": lambda r, lib: setattr(r["245"], "subfields", [lib.Subfield("a", "Assigned")]),
    "subfield appended": lambda r, lib: r["100"].subfields.append(lib.Subfield("e", "author.")),
    "tag changed": lambda r, lib: setattr(r["245"], "tag", "246"),
    "tag of another": lambda r, lib: setattr(r["500"], "tag", "245"),
    "indicators": lambda r, lib: setattr(r["245"], "indicators", lib.Indicators("0", "4")),
    "indicator": lambda r, lib: setattr(r["245"], "indicator2", "4"),
    "data": lambda r, lib: setattr(r["001"], "data", "changed"),
    "isbn": lambda r, lib: setattr(r["020"], "subfields", []),
    "one field twice": lambda r, lib: r.fields.append(r.fields[2]),
    "leader by position": lambda r, lib: r.leader.__setitem__(5, "d"),
    "leader by name": lambda r, lib: setattr(r.leader, "record_status", "d"),
    "leader by slice": lambda r, lib: r.leader.__setitem__(slice(0, 5), "99999"),
    "leader without flag": lambda r, lib: setattr(r.leader, "coding_scheme", " "),
    "leader assigned": lambda r, lib: setattr(r, "leader", lib.Leader("00000cas a2200000 a 4500")),
    "leader assigned as a text": lambda r, lib: setattr(r, "leader", "00000cas a2200000 a 4500"),
    "leader assigned as a text without flag": lambda r, lib: setattr(r, "leader", "00000cas  2200000 a 4500"),
    "position only": lambda r, lib: list(r),
}

ANSWERS: dict[str, Callable[[Any], Any]] = {
    "as_marc": lambda r: r.as_marc(),
    "flat": flat,
    "str": str,
    "leader": lambda r: str(r.leader),
    "title": lambda r: r.title,
    "author": lambda r: r.author,
    "isbn": lambda r: r.isbn,
    "get_fields": lambda r: [str(field) for field in r.get_fields("245", "500")],
    "get": lambda r: [str(r.get(tag)) for tag in ("245", "246", "001")],
    "in": lambda r: [tag in r for tag in ("245", "246", "001")],
    "iter": lambda r: [str(field) for field in r],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("asked", [None, *ANSWERS])
def test_changes_are_honoured_everywhere(change: str, asked: str | None) -> None:
    """Done before anything was asked, or after any one thing was: every answer is pymarc's, and `raw` is as it was."""
    pymarc = their_pymarc()
    for make in (fresh, left_behind, of_bytes):
        ours, theirs = make(), pymarc.Record(RAW)
        if asked is not None:
            assert ANSWERS[asked](ours) == ANSWERS[asked](theirs)
        CHANGES[change](ours, libmarc)
        CHANGES[change](theirs, pymarc)
        assert ANSWERS["as_marc"](ours) == ANSWERS["as_marc"](theirs)
        for name, answer in ANSWERS.items():
            assert answer(ours) == answer(theirs), name
        assert ours.raw == RAW


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("first", ANSWERS)
def test_any_answer_first_after_a_change(change: str, first: str) -> None:
    pymarc = their_pymarc()
    ours, theirs = fresh(), pymarc.Record(RAW)
    CHANGES[change](ours, libmarc)
    CHANGES[change](theirs, pymarc)
    assert ANSWERS[first](ours) == ANSWERS[first](theirs)


def test_assigned_fields_are_the_record() -> None:
    """Also where the title was known before: by the batch."""
    fields = [Field("245", ["0", "0"], [Subfield("a", "Assigned")])]
    for make in MAKERS:
        record = make()
        record.fields = fields
        assert record.title == "Assigned", make.__name__
        assert record.fields is fields
        assert record.isbn is None
        assert record.raw == RAW


def test_changes_of_one_record_do_not_reach_another() -> None:
    reader = MARCReader(RAW * 3)
    one, two, three = (given(reader) for _ in range(3))
    one.fields.clear()
    two["245"].subfields[0] = Subfield("a", "Changed")
    assert (one.title, two.title, three.title) == (None, "Changed a study /", "Žluť : a study /")
    assert three.as_marc() == RAW


def test_a_changed_record_is_read_again_as_it_was_written() -> None:
    record = fresh()
    record.fields.append(Field("655", Indicators(" ", "7"), [Subfield("a", "Čas"), Subfield("2", "x")]))
    record["245"].indicator2 = "4"
    record.leader.record_status = "c"
    again = Record(record.as_marc())
    assert flat(again) == flat(record)
    assert again.problems == ()
    assert again.leader[5:12] == record.leader[5:12]
    assert again.as_marc() == record.as_marc()


@every_record
def test_raw_stays(make: Make) -> None:
    record = make()
    record["245"].subfields.clear()
    record.fields.clear()
    record.leader = Leader(" " * 24)
    assert record.raw == RAW
    with pytest.raises(AttributeError):
        record.raw = b""  # type: ignore[misc]


# ---- making ----


def test_record_of_nothing() -> None:
    record = Record()
    assert record.fields == []
    assert str(record.leader) == "          22        4500"
    assert record.raw is None
    assert record.problems == ()
    assert (record.title, record.author, record.isbn) == (None, None, None)
    assert Record().fields is not record.fields


def test_record_of_fields() -> None:
    fields = [Field("001", data="x"), Field("245", ["1", "0"], [Subfield("a", "Title")])]
    record = Record(fields=fields, leader="00000nam a2200000 i 4500")
    assert record.fields is fields
    assert record.title == "Title"
    assert str(record.leader) == "00000nam a2200000 i 4500"
    assert record.as_marc() == record_bytes(("001", b"x"), ("245", b"10\x1faTitle"))
    assert Record(b"", fields).fields is fields


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_record_of_bytes(wrap: Callable[[bytes], Any]) -> None:
    record = Record(wrap(RAW))
    assert record.raw == RAW
    assert record.as_marc() == RAW
    assert str(record) == str(fresh())
    assert Record(data=RAW).title == record.title


@pytest.mark.parametrize(
    "raw",
    [
        RAW[:-1],
        RAW[:-30],
        RAW[:30],
        RAW[:20],
        RAW[:3],
        b"x",
        b"\x1d",
        b"00010 1234\x1d",
        b"12x4" + RAW[4:],
        b"abcde" + RAW[5:],
        b"\xff" + RAW[1:],
        b"00000" + RAW[5:],
        b"00040" + RAW[5:],
        b"%05d" % (len(RAW) - 1) + RAW[5:],
        RAW + b"\n",
        RAW + RAW,
        RAW[:-1] + b"x",
        RAW[:12] + b"00000" + RAW[17:],
        RAW[:12] + b"99999" + RAW[17:],
        RAW[:12] + b"xxxxx" + RAW[17:],
        RAW[:27] + b"abcd" + RAW[31:],
        RAW[:24] + b"\xe9" + RAW[25:],
        b"00026nam a2200025 i 4500\x1e\x1d",
    ],
)
def test_record_of_other_bytes_is_pymarc_s(raw: bytes) -> None:
    """Delivered the same, or rejected with the same exception."""
    pymarc = their_pymarc()
    outcomes: list[Any] = []
    for record_type in (Record, pymarc.Record):
        try:
            outcomes.append(flat(record_type(raw)))
        except Exception as problem:
            outcomes.append(type(problem).__name__)
    assert outcomes[0] == outcomes[1]


# ---- as objects ----


@every_record
def test_identity(make: Make) -> None:
    assert make() != make()
    assert len({make(), make()}) == 2
    assert bool(make())


@every_record
def test_other_attributes_are_refused(make: Make) -> None:
    record = make()
    with pytest.raises(AttributeError, match="'Record' object has no attribute 'nothing'"):
        _ = record.nothing
    assert not hasattr(record, "nothing")


@every_record
@pytest.mark.parametrize("touched", [False, True])
@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda record: pickle.loads(pickle.dumps(record))])
def test_copies(make: Make, touched: bool, how: Callable[[Record], Record]) -> None:
    """Copied and pickled at any time, whatever became of the reader."""
    record = make()
    if touched:
        record["245"].indicator1 = "0"
    twin = how(record)
    assert twin is not record
    assert str(twin) == str(record)
    assert twin.raw == RAW
    assert twin.title == record.title
    assert twin.as_marc() == record.as_marc()
    if how is not copy.copy:
        twin.fields.clear()
        twin.leader[5] = "d"
        assert len(record.fields) == 10
        assert record.leader[5] == "n"


def test_copies_of_odd_records_keep_their_problems() -> None:
    record = Record(record_bytes(("001", b"x"), ("245", b"1\x1faTitle")))
    for twin in (copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
        assert twin.problems == record.problems != ()
        assert str(twin) == str(record)


def test_subclasses() -> None:
    class Bib(Record):
        @property
        def number(self) -> str | None:
            return self["001"].data

    record = Bib(RAW)
    assert record.number == "n000001"
    assert record.title == "Žluť : a study /"
    assert record.as_marc() == RAW
    assert Bib(fields=[Field("001", data="x")]).number == "x"


def test_flags_of_a_record() -> None:
    for record in (fresh(), Record(RAW)):
        assert (record.to_unicode, record.force_utf8) == (True, False)
        record.to_unicode = False
        assert record.to_unicode is False


# ---- beside pymarc, on files ----


def assert_equal_records(data: bytes) -> int:
    """Each UTF-8 or ASCII record in all its answers, untouched and touched. The number that were compared."""
    pymarc = their_pymarc()
    compared = 0
    # (For silent bytes at the end pymarc gives a None.)
    ours_all = [record for record in MARCReader(data) if record is not None]
    theirs_all = [record for record in pymarc.MARCReader(data) if record is not None]
    for ours, theirs in zip(ours_all, theirs_all, strict=True):
        compared += 1
        assert ours.as_marc() == theirs.as_marc()
        for name, answer in ANSWERS.items():
            assert answer(ours) == answer(theirs), name
        for own, other in zip(ours.fields, theirs.fields, strict=True):
            assert str(own) == str(other)
            assert own.value() == other.value()
            assert own.format_field() == other.format_field()
            assert own.as_marc("utf-8") == other.as_marc("utf-8")
            assert (own.indicator1, own.indicator2) == (other.indicator1, other.indicator2)
        own = Field("520", Indicators(" ", " "), [Subfield("a", "Añadido")])
        ours.fields.append(own)
        theirs.fields.append(pymarc.Field("520", pymarc.Indicators(" ", " "), [pymarc.Subfield("a", "Añadido")]))
        if len(theirs.as_marc()) > 99_999:  # which pymarc writes with six digits
            with pytest.raises(libmarc.OversizeError):
                ours.as_marc()
        else:
            assert ours.as_marc() == theirs.as_marc()
    return compared


@pytest.mark.parametrize(("kind", "count"), [("utf8", 250), ("marc8", 250), ("mixed", 250), ("large", 12)])
def test_generated_records_as_in_pymarc(kind: str, count: int) -> None:
    assert assert_equal_records(generated(kind, count)) >= count // 2


@pytest.mark.parametrize(
    "name",
    ["marc.dat", "test.dat", "multi_isbn.dat", "alphatag.dat", "bad_indicator.dat", "bad_subfield_code.dat",
     "utf8_with_leader_flag.dat", "testunimarc.dat"],
)  # fmt: skip
def test_pymarc_s_own_files(name: str) -> None:
    path: Path = pymarc_test_files() / name
    if not path.exists():
        pytest.skip(f"{name} is not among the test files of pymarc that are there")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_equal_records(path.read_bytes())


def test_pymarc_s_file_of_bad_records() -> None:
    """A piece of each kind that pymarc rejects, in its order. (The line end behind them is silent here; pymarc gives
    another None for it.)"""
    path = pymarc_test_files() / "bad_records.mrc"
    if not path.exists():
        pytest.skip("bad_records.mrc is not among the test files of pymarc that are there")
    reader = MARCReader(path)
    found = [type(reader.current_exception).__name__ for _ in reader]
    assert found == [
        "NoneType",
        "BaseAddressInvalid",
        "BaseAddressNotFound",
        "RecordDirectoryInvalid",
        "UnicodeDecodeError",
        "ValueError",
        "NoFieldsFound",
        "NoneType",
    ]


# ---- after the reader ----


@pytest.mark.parametrize("source", [bytes, io.BytesIO, Source, lambda data: Source(data, 400)])
def test_records_of_all_batches_give_the_same_later(source: Callable[[bytes], Any]) -> None:
    """Asked at once, or when the reader has moved on, was closed, is gone."""
    data = generated("mixed", 300)
    expected = [(record.title, str(record)) for record in MARCReader(data) if record]
    with MARCReader(source(data), _chunk_bytes=20_000) as reader:
        kept = [record for record in reader if record]
    del reader
    gc.collect()
    assert [(record.title, str(record)) for record in kept] == expected
    with MARCReader(source(data), _chunk_bytes=20_000) as reader:
        titles = []
        kept = []
        for record in reader:
            assert record is not None
            kept.append(record)
            if len(kept) % 3 == 0:
                titles.append(record.title)
    assert titles == [title for title, _ in expected[2::3]]
    assert [(record.title, str(record)) for record in kept] == expected


def test_a_title_that_is_asked_after_a_later_one() -> None:
    """In any order within the batch, before and after fields were asked for."""
    reader = MARCReader(b"".join(books(10)))
    records = [given(reader) for _ in range(10)]
    assert records[7].title == "Title 7"
    assert records[2].fields[1]["a"] == "Title 2"
    records[2]["245"].subfields[0] = Subfield("a", "Changed")
    assert [record.title for record in records] == [f"Title {n}" if n != 2 else "Changed" for n in range(10)]
