"""Field, Subfield, Indicators: pymarc's answers, for fields that were made and for fields that were read."""

from __future__ import annotations

import copy
import gc
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given as property_of
from hypothesis import settings
from hypothesis import strategies as st
from support import field_of, flat_field, given, record_bytes

import libmarc
from libmarc import Field, Indicators, MARCReader, Record, Subfield

TITLE = [("a", "The title :"), ("b", " and the rest /"), ("c", "by me."), ("a", "again")]


def content(indicators: str, subfields: list[tuple[str, str]]) -> bytes:
    return (indicators + "".join(f"\x1f{code}{value}" for code, value in subfields)).encode()


def made(tag: str, indicators: str = "10", subfields: list[tuple[str, str]] | None = None) -> Field:
    pairs = TITLE if subfields is None else subfields
    return Field(tag, Indicators(*indicators), [Subfield(*pair) for pair in pairs])


def read(tag: str, indicators: str = "10", subfields: list[tuple[str, str]] | None = None) -> Field:
    """The same, from bytes; nothing of it was asked for yet."""
    raw = record_bytes(("001", b"x"), (tag, content(indicators, TITLE if subfields is None else subfields)))
    return field_of(given(MARCReader(raw)), tag)


def control(data: str = "x 1") -> Field:
    return Field("001", data=data)


def read_control(data: str = "x 1") -> Field:
    return field_of(given(MARCReader(record_bytes(("001", data.encode())))), "001")


both = pytest.mark.parametrize("make", [made, read], ids=["made", "read"])
both_controls = pytest.mark.parametrize("make", [control, read_control], ids=["made", "read"])
Make = Callable[..., Field]


# ---- making ----


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("245", "245"), (245, "245"), (1, "001"), ("1", "001"), ("45", "045"), ("0245", "245"), ("001", "001"),
        ("CAT", "CAT"), ("9XX", "9XX"), ("a", "a"), ("", ""), (" 12", " 12"), (12.7, "012"), (None, "None"),
    ],
)  # fmt: skip
def test_tag_normalize(tag: Any, expected: str) -> None:
    assert Field(tag).tag == expected


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("001", True), ("009", True), ("000", True), ("010", False),
        ("00A", False), ("LDR", False), ("245", False), ("  1", False),
    ],
)  # fmt: skip
def test_which_fields_are_control_fields(tag: str, expected: bool) -> None:
    field = Field(tag, data="data")
    assert field.control_field is expected
    assert field.is_control_field() is expected
    assert field.data == ("data" if expected else None)
    assert (field.indicators is None) is expected


def test_control_field_has_no_subfields() -> None:
    field = Field("008", Indicators("1", "2"), [Subfield("a", "x")], "data")
    assert (field.data, field.subfields, field.indicators) == ("data", [], None)
    assert Field("008").data is None


@pytest.mark.parametrize(
    ("indicators", "expected"),
    [
        (None, (" ", " ")), ([], (" ", " ")), ("", (" ", " ")), (Indicators("1", "2"), ("1", "2")),
        (["1", "2"], ("1", "2")), (("1", "2"), ("1", "2")), ("12", ("1", "2")),
    ],
)  # fmt: skip
def test_indicators_that_are_taken(indicators: Any, expected: tuple[str, str]) -> None:
    field = Field("245", indicators)
    assert field.indicators == expected
    assert type(field.indicators) is Indicators
    assert (field.indicator1, field.indicator2) == expected


@pytest.mark.parametrize("indicators", [["1"], ["1", "2", "3"], ("1",), ("1", "2", "3")])
def test_indicators_that_are_refused(indicators: Any) -> None:
    with pytest.raises(ValueError, match="indicators"):
        Field("245", indicators)
    field = Field("245")
    with pytest.raises(ValueError, match="indicators"):
        field.indicators = indicators
    assert field.indicators == (" ", " ")


def test_legacy_subfields_are_refused() -> None:
    with pytest.raises(ValueError, match="strings"):
        Field("245", subfields=["a", "x"])  # type: ignore[list-item]


def test_the_list_of_subfields_is_the_caller_s() -> None:
    subfields = [Subfield("a", "x")]
    field = Field("245", subfields=subfields)
    assert field.subfields is subfields
    subfields.append(Subfield("b", "y"))
    assert field["b"] == "y"
    assert Field("245").subfields is not Field("245").subfields


def test_named_tuples() -> None:
    subfield, indicators = Subfield("a", "x"), Indicators("1", "0")
    assert (subfield.code, subfield.value) == subfield == ("a", "x")
    assert (indicators.first, indicators.second) == indicators == ("1", "0")
    assert subfield._fields == ("code", "value")
    assert indicators._fields == ("first", "second")
    assert repr(subfield) == "Subfield(code='a', value='x')"
    assert repr(indicators) == "Indicators(first='1', second='0')"
    assert subfield._replace(value="y") == Subfield(code="a", value="y")


# ---- what was read ----


def test_a_field_that_was_read() -> None:
    field = read("245", "10")
    assert field.tag == "245"
    assert field.control_field is False
    assert field.data is None
    assert field.indicators == Indicators("1", "0")
    assert type(field.indicators) is Indicators
    assert field.subfields == TITLE
    assert {type(subfield) for subfield in field.subfields} == {Subfield}
    assert field.subfields is field.subfields
    assert field.indicators is field.indicators


def test_a_control_field_that_was_read() -> None:
    field = read_control("x 1")
    assert (field.tag, field.data, field.subfields, field.indicators) == ("001", "x 1", [], None)
    assert field.control_field is True
    assert (field.indicator1, field.indicator2) == ("", "")


@pytest.mark.parametrize("tag", ["000", "001", "009", "00A", "010", "LDR", "880", "   "])
def test_tags_that_were_read(tag: str) -> None:
    field = given(MARCReader(record_bytes((tag, b"  \x1fax")))).fields[0]
    assert field.tag == tag
    assert field.control_field is (tag < "010" and tag.isdigit())
    assert field.data == ("  \x1fax" if field.control_field else None)


def test_other_attributes_are_refused() -> None:
    for field in (made("245"), read("245"), control(), read_control()):
        with pytest.raises(AttributeError, match="'Field' object has no attribute 'nothing'"):
            _ = field.nothing
        assert not hasattr(field, "nothing")


# ---- reading subfields ----


@both
def test_item_access(make: Make) -> None:
    field = make("245")
    assert field["a"] == "The title :"
    assert field["c"] == "by me."
    for code in ("x", "", "ab"):
        with pytest.raises(KeyError):
            field[code]


@both
def test_get(make: Make) -> None:
    field = make("245")
    assert field.get("a") == "The title :"
    assert field.get("x") is None
    assert field.get("x", "default") == "default"
    assert field.get("a", "default") == "The title :"


@both
def test_membership(make: Make) -> None:
    field = make("245")
    assert "a" in field
    assert "c" in field
    assert "x" not in field
    assert "" not in field


@both
def test_get_subfields(make: Make) -> None:
    field = make("245")
    assert field.get_subfields("a") == ["The title :", "again"]
    assert field.get_subfields("c", "a") == ["The title :", "by me.", "again"]
    assert field.get_subfields("x") == []
    assert field.get_subfields() == []


@both
def test_iteration(make: Make) -> None:
    field = make("245")
    assert list(field) == TITLE
    assert list(field) == TITLE
    assert next(field) == TITLE[0]
    with pytest.raises(TypeError):
        len(field)
    found = []
    for one in field:  # each loop has its own place
        found.append(one)
        for other in field:
            found.append(other)
    assert found == [one for subfield in TITLE for one in (subfield, *TITLE)]


@both
def test_value(make: Make) -> None:
    assert make("245").value() == "The title : and the rest / by me. again"
    assert make("245", "10", []).value() == ""
    assert make("245", "10", [("a", " x "), ("b", ""), ("c", "y")]).value() == "x  y"


@both
def test_format_field(make: Make) -> None:
    assert make("245").format_field() == "The title :  and the rest / by me. again"
    assert make("245", "10", [("6", "880-01"), ("a", "x")]).format_field() == "x"
    assert make("245", "10", [("a", "  x  ")]).format_field() == "x"
    assert make("245", "10", []).format_field() == ""
    subject = [("6", "880-02"), ("a", "A"), ("v", "V"), ("x", "X"), ("y", "Y"), ("z", "Z"), ("2", "fast")]
    assert make("650", " 0", subject).format_field() == "A -- V -- X -- Y -- Z fast"
    assert make("500", "  ", subject).format_field() == "A V X Y Z fast"
    assert make("650", " 0", [("v", "V"), ("a", "A")]).format_field() == "-- V A"


@both
def test_is_subject_field(make: Make) -> None:
    assert make("650").is_subject_field() is True
    assert make("699").is_subject_field() is True
    assert make("245").is_subject_field() is False


@both
def test_as_text(make: Make) -> None:
    assert str(make("245", "10", [("a", "x"), ("b", "y z")])) == "=245  10$ax$by z"
    assert str(make("245", "  ", [("a", "x")])) == r"=245  \\$ax"
    assert str(make("245", " 1", [])) == r"=245  \1"
    assert str(make("245", "\\1", [("a", "$x")])) == r"=245  \1$a$x"


@both
def test_as_marc(make: Make) -> None:
    field = make("245", "10", [("a", "Žluť"), ("b", "")])
    assert field.as_marc("utf-8") == "10\x1faŽluť\x1fb\x1e".encode()
    assert field.as_marc21("utf-8") == field.as_marc("utf-8")
    assert make("245", "1 ", [("a", "é")]).as_marc("iso8859-1") == b"1 \x1fa\xe9\x1e"
    with pytest.raises(UnicodeEncodeError):
        field.as_marc("iso8859-1")


# ---- control fields ----


@both_controls
def test_control_fields_have_no_subfields_to_read(make: Make) -> None:
    field = make("x 1")
    assert field.get("a") is None
    assert field.get("a", "default") == "default"
    assert "a" not in field
    assert field.get_subfields("a") == []
    assert list(field) == []
    with pytest.raises(KeyError):
        field["a"]
    assert (field.indicator1, field.indicator2) == ("", "")
    for name in ("indicator1", "indicator2"):
        with pytest.raises(AttributeError):
            setattr(field, name, "1")


@both_controls
def test_control_fields_as_text(make: Make) -> None:
    field = make("x 1")
    assert field.value() == field.format_field() == "x 1"
    assert str(field) == r"=001  x\1"
    assert field.as_marc("utf-8") == b"x 1\x1e"
    assert field.is_subject_field() is False
    field.data = "new"
    assert (field.value(), str(field), field.as_marc("utf-8")) == ("new", "=001  new", b"new\x1e")


def test_control_field_without_data() -> None:
    field = Field("001")
    assert (field.value(), field.format_field(), str(field)) == ("", "", "=001  ")


# ---- changes ----

#: What can be done to a field, each first of all, and each answer afterwards.
CHANGES: dict[str, Callable[[Any, Any], object]] = {
    "assign subfields": lambda f, lib: setattr(f, "subfields", [lib.Subfield("z", "new")]),
    "append a subfield": lambda f, lib: f.subfields.append(lib.Subfield("z", "new")),
    "insert a subfield": lambda f, lib: f.subfields.insert(0, lib.Subfield("6", "880-01")),
    "replace a value": lambda f, lib: f.subfields.__setitem__(0, f.subfields[0]._replace(value="New")),
    "remove subfields": lambda f, lib: f.subfields.clear(),
    "delete one": lambda f, lib: f.subfields.__delitem__(1),
    "reverse": lambda f, lib: f.subfields.reverse(),
    "sort": lambda f, lib: f.subfields.sort(key=lambda s: s.value),
    "tag to a subject": lambda f, lib: setattr(f, "tag", "650"),
    "tag to a title": lambda f, lib: setattr(f, "tag", "245"),
    "tag to letters": lambda f, lib: setattr(f, "tag", "CAT"),
    "indicators": lambda f, lib: setattr(f, "indicators", lib.Indicators("7", "8")),
    "indicators by a list": lambda f, lib: setattr(f, "indicators", ["7", "8"]),
    "indicators by a text": lambda f, lib: setattr(f, "indicators", "78"),
    "indicators to None": lambda f, lib: setattr(f, "indicators", None),
    "indicator 1": lambda f, lib: setattr(f, "indicator1", "9"),
    "indicator 2": lambda f, lib: setattr(f, "indicator2", "9"),
    "data": lambda f, lib: setattr(f, "data", "data"),
}

ANSWERS: dict[str, Callable[[Any], Any]] = {
    "flat": flat_field,
    "str": str,
    "value": lambda f: f.value(),
    "format_field": lambda f: f.format_field(),
    "get": lambda f: [f.get(code) for code in "abcz6"],
    "in": lambda f: [code in f for code in "abcz6"],
    "get_subfields": lambda f: f.get_subfields("a", "z"),
    "iter": lambda f: [tuple(s) for s in f],
    "indicators": lambda f: (tuple(f.indicators), f.indicator1, f.indicator2),
    "as_marc": lambda f: f.as_marc("utf-8"),
    "tag": lambda f: (f.tag, f.control_field, f.data),
}


def test_a_control_field_with_indicators_is_shown_as_a_control_field() -> None:
    field = Field("001", data="1 3")
    field.indicators = Indicators("1", "2")
    assert str(field) == "=001  1\\3"


def pymarc_field() -> tuple[Any, Any]:
    pymarc = pytest.importorskip("pymarc", reason="pymarc, the oracle, is not installed")
    return pymarc, pymarc.Field("500", pymarc.Indicators(*"10"), [pymarc.Subfield(*pair) for pair in TITLE])


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("asked", [None, *ANSWERS])
def test_changes_are_honoured_everywhere(change: str, asked: str | None) -> None:
    """Done before anything was asked, or after any one thing was: every answer is pymarc's."""
    pymarc, theirs = pymarc_field()
    ours = read("500", "10")
    if asked is not None:
        assert ANSWERS[asked](ours) == ANSWERS[asked](theirs)
    CHANGES[change](ours, libmarc)
    CHANGES[change](theirs, pymarc)
    for name, answer in ANSWERS.items():
        assert answer(ours) == answer(theirs), name


@both
def test_changes_after_each_other(make: Make) -> None:
    field = make("245")
    field.subfields[0] = field.subfields[0]._replace(value="Changed")
    field.indicator2 = "4"
    field.tag = "246"
    field.subfields.append(Subfield("z", "end"))
    assert str(field) == "=246  14$aChanged$b and the rest /$cby me.$aagain$zend"
    assert field.as_marc("utf-8").startswith(b"14\x1faChanged\x1fb")


def test_changes_of_one_field_do_not_reach_another() -> None:
    """Indicators that occur often are shared; they cannot be changed in place."""
    raw = record_bytes(("500", b"10\x1fax"), ("500", b"10\x1fax"))
    one, other = given(MARCReader(raw)).fields
    one.indicator1 = "7"
    one.subfields.append(Subfield("b", "y"))
    assert str(other) == "=500  10$ax"


def test_many_different_indicators() -> None:
    """More of them than are kept for reuse."""
    characters = [chr(code) for code in range(0x20, 0x7F)]
    pairs = [one + other for one in characters for other in characters]
    for at in range(0, len(pairs), 100):
        raw = record_bytes(*[("500", f"{pair}\x1fax".encode()) for pair in pairs[at : at + 100]])
        fields = given(MARCReader(raw)).fields
        assert ["".join(field.indicators or ()) for field in fields] == pairs[at : at + 100]


# ---- as objects ----


@both
def test_identity(make: Make) -> None:
    one, other = make("245"), make("245")
    assert one != other
    assert len({one, other}) == 2
    assert bool(make("245", "10", []))


@both
@pytest.mark.parametrize("touched", [False, True])
@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda field: pickle.loads(pickle.dumps(field))])
def test_copies(make: Make, touched: bool, how: Callable[[Field], Field]) -> None:
    field = make("245")
    if touched:
        assert field.subfields
    twin = how(field)
    assert twin is not field
    assert str(twin) == str(field)
    assert flat_field(twin) == flat_field(field)
    if how is not copy.copy:
        twin.subfields.clear()
        assert field.subfields == TITLE


@both
def test_subclasses(make: Make) -> None:
    class Own(Field):
        def shout(self) -> str:
            return self.value().upper()

    field = Own("245", ["1", "0"], [Subfield("a", "x")])
    assert field.shout() == "X"
    assert str(field) == "=245  10$ax"
    record = given(MARCReader(record_bytes(("001", b"x"))))
    record.fields.append(field)
    assert record["245"] is field


def test_a_field_outlives_its_record() -> None:
    record: Record | None = given(MARCReader(record_bytes(("001", b"x"), ("245", content("10", TITLE)))))
    assert record is not None
    field = record["245"]
    record.fields.remove(field)
    del record
    gc.collect()
    assert field["a"] == "The title :"
    other = Record(fields=[field])
    assert other["245"] is field


# ---- anything, beside pymarc ----

values = st.text(st.characters(codec="utf-8", exclude_characters="\x1d\x1e\x1f"), max_size=8)
indicator = st.sampled_from(" 0123456789a\\")


@settings(deadline=None)
@property_of(
    st.sampled_from(["245", "100", "650", "699", "880", "CAT", "010"]),
    indicator,
    indicator,
    st.lists(st.tuples(st.sampled_from("abcvxyz06"), values), max_size=6),
)
def test_any_field_as_in_pymarc(tag: str, first: str, second: str, pairs: list[tuple[str, str]]) -> None:
    pymarc = pytest.importorskip("pymarc", reason="pymarc, the oracle, is not installed")
    theirs = pymarc.Field(tag, pymarc.Indicators(first, second), [pymarc.Subfield(*pair) for pair in pairs])
    for ours in (made(tag, first + second, pairs), read(tag, first + second, pairs)):
        for name, answer in ANSWERS.items():
            assert answer(ours) == answer(theirs), name
    ours = read(tag, first + second, pairs)
    assert ours.as_marc("utf-8") == theirs.as_marc("utf-8")  # first of all
    assert str(ours) == str(theirs)
