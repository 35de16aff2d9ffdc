"""The whole of pymarc's interface beside pymarc itself: names, properties of real records, and what changes them."""

from __future__ import annotations

import ast
import copy
import importlib
import inspect
import io
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from corpus import head_of, loc_file, need_corpus
from hypothesis import given as property_of
from hypothesis import settings
from hypothesis import strategies as st
from pymarc_oracle import loses_characters, pymarc
from support import flat, generated, given, record_bytes, run_python

import libmarc
from libmarc import Field, FieldNotFound, MARCReader, MissingLinkedFields, Record, Subfield
from libmarc._pymarc import MODULES

pytestmark = pytest.mark.filterwarnings("ignore:The subfield contained a non-ASCII subfield code")

PROPERTIES = [
    "addedentries", "author", "isbn", "issn", "issn_title", "issnl", "location", "notes", "physicaldescription",
    "publisher", "pubyear", "series", "subjects", "sudoc", "title", "uniformtitle",
]  # fmt: skip


# ---- names ----


def test_every_name_of_pymarc_is_there() -> None:
    """Those that its stub exports, and the few others that programs use."""
    stub = Path(pymarc.__file__).with_name("__init__.pyi").read_text()
    (names,) = [node.value for node in ast.parse(stub).body if isinstance(node, ast.Assign)]
    public = {*ast.literal_eval(names), "isbn_regex", "logger", "XSI_NS", "MARC_XML_NS", "MARC_XML_SCHEMA"}
    public |= {"FieldNotFound", "BadSubfieldCodeWarning"}
    assert len(public) > 50
    missing = {name for name in public if not hasattr(libmarc, name)}
    assert missing == set()
    assert public <= {*libmarc.__all__}
    namespace: dict[str, Any] = {}
    exec("from libmarc import *", namespace)
    assert public <= {*namespace}


@pytest.mark.parametrize("module", MODULES)
def test_every_name_is_in_the_module_where_pymarc_has_it(module: str) -> None:
    ours, theirs = (importlib.import_module(f"{package}.{module}") for package in ("libmarc", "pymarc"))
    public = {
        name
        for name, value in vars(theirs).items()
        if str(getattr(value, "__module__", None)).startswith("pymarc.")
        or (name.isupper() and isinstance(value, str | int))
        or name == "logger"
    }
    assert public
    assert {name for name in public if not hasattr(ours, name)} == set()
    assert not hasattr(ours, "no_such_name")


def test_parameters_are_those_of_pymarc() -> None:
    """In their order, with their defaults; ours come behind them."""
    compared = 0
    for name in {*libmarc.__all__} & {*dir(pymarc)}:
        ours, theirs = getattr(libmarc, name), getattr(pymarc, name)
        calls = [(ours, theirs)]
        if inspect.isclass(theirs):
            members = [member for member, value in vars(theirs).items() if inspect.isfunction(value)]
            calls = [(getattr(ours, member), getattr(theirs, member)) for member in members if member[0] != "_"]
            if "__init__" in vars(theirs):
                assert_same_parameters(ours, theirs)
                compared += 1
        for our_call, their_call in calls:
            if not inspect.isfunction(their_call):
                continue
            assert_same_parameters(our_call, their_call)
            compared += 1
    assert compared > 60


def assert_same_parameters(ours: Any, theirs: Any) -> None:
    our_own = [*inspect.signature(ours).parameters.values()]
    for number, parameter in enumerate(inspect.signature(theirs).parameters.values()):
        own = our_own[number]
        assert (own.kind, own.name) == (parameter.kind, parameter.name) or parameter.kind is own.kind.VAR_POSITIONAL
        if parameter.default not in ("", inspect.Parameter.empty):
            assert own.default == parameter.default, f"{theirs}: {parameter}"


def test_exceptions_are_in_the_same_tree() -> None:
    for name, theirs in vars(pymarc.exceptions).items():
        if inspect.isclass(theirs) and issubclass(theirs, Exception):
            ours = getattr(libmarc.exceptions, name)
            bases = [base.__name__ for base in ours.__mro__]
            assert [base.__name__ for base in theirs.__mro__] == bases
            if name not in ("MissingLinkedFields", "BadSubfieldCodeWarning", "BadLeaderValue"):
                assert str(ours()) == str(theirs())


def test_install_as_pymarc() -> None:
    code = f"""
import sys
import libmarc
libmarc.install_as_pymarc()
libmarc.install_as_pymarc()
import pymarc
import pymarc.marcxml
from pymarc import Record, exceptions, parse_xml_to_array
from pymarc.record import Record as Same
assert pymarc is libmarc and Record is Same is libmarc.Record and pymarc.marcxml is libmarc.marcxml
for name in {MODULES!r}:
    assert sys.modules["pymarc." + name] is getattr(pymarc, name), name
print(*[name for name in sys.modules if name.startswith("pymarc") and "libmarc" not in sys.modules[name].__file__])
"""
    assert run_python(code).strip() == ""


def test_install_as_pymarc_when_pymarc_is_there_already() -> None:
    """What has imported pymarc's classes would not know ours."""
    code = """
import pymarc, libmarc
try:
    libmarc.install_as_pymarc()
except ImportError as problem:
    print(problem)
import pymarc as again
assert again is pymarc is not libmarc
"""
    assert "pymarc itself has been imported already" in run_python(code)


def test_import_loads_nothing_that_most_programs_do_not_need() -> None:
    code = "import sys, libmarc; print(*{'json', 'logging', 'xml.sax', 'xml.etree.ElementTree'} & {*sys.modules})"
    assert run_python(code).strip() == ""


def test_names_that_there_are_not() -> None:
    for module in (libmarc, libmarc.record, libmarc.reader):
        with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
            module.nonsense  # noqa: B018


# ---- real records ----


def plain(value: Any) -> Any:
    """Fields as their lines, so that ours can be compared with pymarc's."""
    return [str(field) for field in value] if isinstance(value, list) else value


def assert_same(ours: Any, theirs: Any) -> None:
    """Everything that a record can be asked for."""
    assert ours.as_json() == theirs.as_json()
    assert ours.as_dict() == theirs.as_dict()
    assert {name: plain(getattr(ours, name)) for name in PROPERTIES} == {
        name: plain(getattr(theirs, name)) for name in PROPERTIES
    }
    assert plain([*ours]) == plain([*theirs])
    for our_field, their_field in zip(ours.fields, theirs.fields, strict=True):
        assert our_field.subfields_as_dict() == their_field.subfields_as_dict()
        assert outcome(our_field.linkage_occurrence_num, None) == outcome(their_field.linkage_occurrence_num, None)
        assert (our_field.value(), our_field.format_field()) == (their_field.value(), their_field.format_field())
        if "6" in their_field and outcome(their_field.linkage_occurrence_num, None) is not None:
            linked = [
                outcome(lambda r=record, f=field: plain(r.get_linked_fields(f)), "missing")
                for record, field in ((ours, our_field), (theirs, their_field))
            ]
            assert linked[0] == linked[1]
    assert libmarc.record_to_xml(ours) == pymarc.record_to_xml(theirs) or has_what_xml_cannot_hold(theirs)
    assert str(ours) == str(theirs)


def outcome(call: Any, otherwise: Any) -> Any:
    """`otherwise` where there is no number, or nothing that is linked."""
    try:
        return call()
    except (IndexError, MissingLinkedFields, pymarc.MissingLinkedFields):
        return otherwise


def has_what_xml_cannot_hold(record: Any) -> bool:
    return any(char < " " and char not in "\t\n" for char in str(record).replace("\n", ""))


def compare(data: bytes) -> int:
    compared = 0
    for ours in MARCReader(data):
        theirs = next(pymarc.MARCReader(ours.raw, hide_utf8_warnings=True)) if ours is not None else None
        if ours is None or theirs is None or loses_characters(theirs, ours.raw):
            continue
        assert_same(ours, theirs)
        compared += 1
    return compared


@pytest.mark.parametrize("part", range(8))
def test_corpus_sample(part: int) -> None:
    files = need_corpus()[part::8]
    assert sum(compare(path.read_bytes()[:60_000]) for path in files) > 100


@pytest.mark.slow
def test_corpus() -> None:
    assert sum(compare(path.read_bytes()) for path in need_corpus()) > 8_000


def test_library_of_congress_sample() -> None:
    assert compare(head_of(loc_file(), 1_000)) == 1_000


def test_generated() -> None:
    assert compare(generated("mixed", 200)) == 200


def test_properties_of_records_that_have_little() -> None:
    """Each field that a property looks at, without its subfields, and with empty ones."""
    contents = [b"  ", b"  \x1fa", b" 1\x1fb\x1fc", b"  \x1faA\x1fb\x1flL", b"01\x1fcx\x1fby\x1faz", b"  \x1fb1\x1fa-"]
    for tag in ("020", "022", "086", "100", "110", "111", "130", "222", "240", "245", "260", "264"):
        for content in contents:
            raw = record_bytes((tag, content), (tag, b" 1\x1faSecond\x1fbB\x1fcC"))
            ours, theirs = given(MARCReader(raw)), pymarc.Record(raw)
            for name in PROPERTIES:
                assert plain(getattr(ours, name)) == plain(getattr(theirs, name)), (tag, content, name)


# ---- changes ----

TAGS = ["001", "008", "100", "245", "500", "500", "650", "9XX", "999", "CAT", "000"]


def field_of(module: Any, tag: str, text: str) -> Any:
    if tag in ("001", "008", "000"):
        return module.Field(tag, data=text)
    return module.Field(tag, module.Indicators("1", " "), [module.Subfield("a", text), module.Subfield("b", text)])


steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["add", "ordered", "grouped", "remove", "remove tags", "set", "add subfield", "delete subfield", "sort"]
        ),
        st.sampled_from(TAGS),
        st.text("ab é𝄞\u0301", max_size=4),
        st.integers(0, 12),
    ),
    max_size=12,
)


def apply(module: Any, record: Any, step: tuple[str, str, str, int]) -> Any:
    """Changes a record. Returns what the call gives or raises."""
    what, tag, text, number = step
    field = record.fields[number % len(record.fields)] if record.fields else module.Field("500")
    try:
        if what == "add":
            return record.add_field(field_of(module, tag, text))
        if what == "ordered":
            return record.add_ordered_field(field_of(module, tag, text), field_of(module, "500", text))
        if what == "grouped":
            return record.add_grouped_field(field_of(module, tag, text))
        if what == "remove":
            return record.remove_field(field, *([field] if number % 5 == 0 else []))
        if what == "remove tags":
            return record.remove_fields(tag, *([] if number % 2 else ["500"]))
        if what == "set":
            field["ab"[number % 2]] = text
            return None
        if what == "add subfield":
            return field.add_subfield("c", text, None if number > 9 else number)
        if what == "delete subfield":
            return field.delete_subfield("abc"[number % 3])
        return record.fields.sort(key=lambda one: one.tag)
    except Exception as problem:
        return type(problem).__name__


@settings(deadline=None, max_examples=150)
@property_of(steps, st.booleans())
def test_records_that_are_changed(changes: list[tuple[str, str, str, int]], is_read: bool) -> None:
    """The same steps on both sides give the same record, in every form, and the same answers on the way."""
    raw = record_bytes(*[(tag, b"x" if tag < "010" else b"10\x1faA\x1fbB\x1faC") for tag in sorted(TAGS[:9])])
    ours, theirs = (given(MARCReader(raw)), pymarc.Record(raw)) if is_read else (Record(), pymarc.Record())
    for change in changes:
        assert apply(libmarc, ours, change) == apply(pymarc, theirs, change)
    assert_same(ours, theirs)
    assert ours.as_marc() == theirs.as_marc()
    for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert twin.as_marc() == theirs.as_marc()
    again = pymarc.Record(ours.as_marc()) if ours.fields else theirs
    assert flat(again) == flat(ours)


def test_fields_are_removed_by_identity() -> None:
    same = [Field("500", None, [Subfield("a", "x")]) for _ in range(2)]
    record = Record(fields=[*same])
    record.remove_field(same[1])
    assert record.fields == [same[0]]
    with pytest.raises(FieldNotFound):
        record.remove_field(same[1])
    assert same[1]["a"] == "x"


def test_removing_keeps_the_list() -> None:
    record = given(MARCReader(generated("utf8", 1)))
    fields = record.fields
    record.remove_fields("245", "650")
    assert record.fields is fields
    record.remove_fields()
    assert record.title is None
    assert len(fields) > 1


def test_linked_fields() -> None:
    def make(module: Any) -> Any:
        links = {"100": "880-01", "245": "880-02/r", "500": "", "700": "880-09"}
        fields = [module.Field("880", None, [module.Subfield("6", link)]) for link in ("100-01/(N", "245-02")]
        fields += [module.Field(tag, None, [module.Subfield("6", link)]) for tag, link in links.items()]
        return module.Record(fields=fields)

    ours, theirs = make(libmarc), make(pymarc)
    for number in range(5):
        linked = ours.get_linked_fields(ours.fields[number])
        assert plain(linked) == plain(theirs.get_linked_fields(theirs.fields[number]))
    assert ours.get_linked_fields(ours["100"]) == [ours.fields[0]]
    with pytest.raises(MissingLinkedFields, match="700 field includes a subfield 6") as caught:
        ours.get_linked_fields(ours["700"])
    assert caught.value.field is ours["700"]


def test_a_link_without_a_number_is_none() -> None:
    """(IndexError in pymarc.)"""
    for link in ("880", "", "x"):
        assert Field("245", None, [Subfield("6", link)]).linkage_occurrence_num() is None


def test_json_takes_the_parameters_of_json_dumps() -> None:
    raw = generated("utf8", 1)
    ours, theirs = given(MARCReader(raw)), pymarc.Record(raw)
    for options in ({}, {"indent": 2}, {"ensure_ascii": False}, {"separators": (",", ":"), "sort_keys": True}):
        assert ours.as_json(**options) == theirs.as_json(**options)
    assert json.loads(ours.as_json()) == ours.as_dict()


def test_subclasses_of_record_reader_and_field() -> None:
    class Bib(Record):
        def __init__(self, data: bytes = b"", note: str = "", **options: Any) -> None:
            super().__init__(data, **options)
            self.note = note

        @property
        def shouted(self) -> str:
            return (self.title or "").upper()

    class Local(Field):
        __slots__ = ("source",)

    class Reader(MARCReader):
        seen = 0

        def __next__(self) -> Record | None:
            record = super().__next__()
            self.seen += 1
            return record

    class Own(MARCReader):
        """As programs have it that read by themselves, by the names within pymarc."""

        def __next__(self) -> Record | None:
            self._current_chunk = self._current_exception = None
            begin = self.file_handle.read(5)
            if not begin:
                raise StopIteration
            self._current_chunk = begin + self.file_handle.read(int(begin) - 5)
            return Record(self._current_chunk)

    raw = generated("utf8", 3)
    own = Own(raw)
    for expected in MARCReader(raw):
        record = next(own)
        assert record is not None
        assert expected is not None
        assert (record.as_marc(), own.current_chunk, own.current_exception) == (expected.as_marc(), expected.raw, None)
    assert [one and one.title for one in Own(io.BytesIO(raw))] == [one and one.title for one in MARCReader(raw)]
    reader = Reader(raw)
    first = given(reader)
    assert reader.seen == 1
    bib = Bib(first.raw or b"", note="own")
    assert (bib.note, bib.shouted) == ("own", (first.title or "").upper())
    bib.extra = 1  # type: ignore[attr-defined]
    for twin in (copy.copy(bib), copy.deepcopy(bib), pickle.loads(pickle.dumps(first))):
        assert twin.as_marc() == first.as_marc()
    assert copy.deepcopy(bib).note == "own"
    local = Local("999", None, [Subfield("a", "x")])
    bib.add_field(local, Local("998"))
    local.source = "here"
    twin = copy.deepcopy(bib)
    assert isinstance(twin["999"], Local)
    assert (twin["999"].source, twin["999"]["a"], str(twin["998"])) == ("here", "x", str(bib["998"]))


@pytest.mark.parametrize("module", [libmarc, pymarc], ids=["libmarc", "pymarc"])
@pytest.mark.parametrize("again", [False, True], ids=["once", "again"])
def test_a_derived_record_sees_the_fields_that_it_is_read_from(module: Any, again: bool) -> None:
    class Watched(module.Record):  # type: ignore[misc]
        def __init__(self, *args: Any) -> None:
            self.seen: list[str] = []
            super().__init__(*args)

        def add_field(self, field: Any) -> None:
            self.seen.append(field.tag)
            super().add_field(field)

    for raw in (generated("utf8", 1), generated("marc8", 1)):
        tags = [field.tag for field in module.Record(raw).fields]
        record = Watched(raw)
        if again:
            record.decode_marc(raw)
            tags *= 2
        assert record.seen == [field.tag for field in record.fields] == tags
        assert (
            record.as_marc()
            == pymarc.Record(fields=pymarc.Record(raw).fields * (1 + again), leader=raw[:24].decode()).as_marc()
        )


def test_pos_of_a_record() -> None:
    """pymarc does not use it, but programs copy it from record to record."""
    record = given(MARCReader(generated("utf8", 1)))
    made = Record()
    assert record.pos == made.pos == pymarc.Record().pos == 0
    made.pos = record.pos = 7
    assert (made.pos, copy.deepcopy(record).pos, pickle.loads(pickle.dumps(made)).pos) == (7, 7, 7)


def test_marc8_mapping_of_records() -> None:
    for module in (libmarc, pymarc):
        fields = [
            module.RawField("001", data=b"x"),
            module.RawField("245", ["1", "0"], [module.Subfield("a", b"\xe2e")]),
        ]
        record = module.Record(fields=fields, leader=" " * 24)
        assert module.map_marc8_record(record) is record
        assert (record["245"]["a"], record["001"].data, str(record.leader)[9]) == ("é", "x", "a")


@pytest.mark.parametrize("code", [b"a", b"ax", b"\xc3\xa1b", b"\xe1b", "ﬁ".encode(), b"\x1b(B"])
def test_subfield_codes(code: bytes) -> None:
    assert libmarc.normalize_subfield_code(code) == pymarc.normalize_subfield_code(code)
