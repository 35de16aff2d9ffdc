"""Records and fields that are made in C++, against those of Python: the same answers, errors, states; nothing leaks.

Both are in one process here. The other test files run on either of them (`make test-pure`).
"""

from __future__ import annotations

import copy
import copyreg
import enum
import gc
import inspect
import os
import pickle
import sys
import sysconfig
import typing
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from support import generated, given, run_python

import libmarc
from libmarc import Field, Indicators, MARCReader, RawField, Record, Subfield
from libmarc import _objects as objects
from libmarc._iso2709 import join_fields
from libmarc.field import read_fields

needs_cpp = pytest.mark.skipif(not objects.IN_CPP, reason="there is one of them only")

#: Python's.
FIELD_INIT: Any = objects.TWINS["FieldSlots"] if objects.IN_CPP else Field.__init__

SLOTS = ("tag", "control_field", "data", "_indicators", "_subfields", "_source", "_number", "_value", "_position")


def test_cpp_is_there() -> None:
    """It must not be the fallback that is tested."""
    suited = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
    assert (suited and not os.environ.get("LIBMARC_PURE_PYTHON")) == objects.IN_CPP


def is_pure() -> bool:

    return bool(os.environ.get("LIBMARC_PURE_PYTHON"))


def test_pure_python_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBMARC_PURE_PYTHON", "1")
    data = generated("mixed", 30).hex()
    code = f"""
import sys, libmarc
from libmarc import _objects
assert not _objects.IN_CPP and "libmarc._cobjects" not in sys.modules
for record in libmarc.MARCReader(bytes.fromhex("{data}")):
    print(ascii(record and [str(field) for field in record.fields]))
"""
    own = [record and [str(field) for field in record.fields] for record in MARCReader(bytes.fromhex(data))]
    assert run_python(code).splitlines() == [ascii(lines) for lines in own]


# ---- the same answers


def outcome(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """What a call returns, or the class and text of what it raises."""
    try:
        return function(*arguments, **keywords)
    except Exception as problem:
        return type(problem), str(problem)


def state(field: Field) -> dict[str, Any]:
    return {name: getattr(field, name) for name in SLOTS if hasattr(field, name)}


class Text(str):
    """A str of another class."""


TEXTS = st.one_of(
    st.text(st.characters(), max_size=8),
    st.sampled_from(["", "a", "\x1e", "\x1fa", "a\x1e", "é", "\ud800", Text("own")]),
    st.just("long").map(lambda text: text * 1000),
)
TAGS = st.one_of(
    st.sampled_from(
        ["001", "009", "010", "245", "00a", "0a1", "00²", "\u0660\u0660\u0661", "LDR", "", "24", "2450", "0001", "é12"]
    ),
    st.sampled_from([1, 24, 245, -1, 1.5, None, b"245", Text("001"), Text("245")]),
)
SUBFIELDS = st.lists(
    st.one_of(
        st.builds(Subfield, TEXTS, TEXTS),
        st.tuples(TEXTS, TEXTS),
        st.tuples(TEXTS, st.sampled_from([5, None, b"bytes"])),
        st.sampled_from([("a",), ("a", "b", "c"), ["a", "b"], None, "a", Subfield("a", "x")]),
    ),
    max_size=4,
)
INDICATORS = st.one_of(
    st.builds(Indicators, TEXTS, TEXTS),
    st.sampled_from([None, [], ["1", "0"], ("1", "0"), "10", ["1"], "123", 5, Indicators("1", 0)]),  # type: ignore[arg-type]
)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "tag": TAGS,
        "indicators": INDICATORS,
        "subfields": st.one_of(SUBFIELDS, st.sampled_from([None, (), (Subfield("a", "b"),), ["a", "b"], 7])),
        "data": st.one_of(TEXTS, st.sampled_from([None, 7, b"bytes"])),
        "other": st.just(1),
    },
)


@needs_cpp
@for_all(ARGUMENTS, st.integers(0, 5))
@settings(max_examples=600, deadline=None)
def test_a_field_is_made_alike(arguments: dict[str, Any], positional: int) -> None:
    first = [
        arguments[name]
        for name in ("tag", "indicators", "subfields", "data", "other")[:positional]
        if name in arguments
    ]
    rest = {name: value for name, value in arguments.items() if not any(value is one for one in first)}

    def twin() -> dict[str, Any]:
        field = Field.__new__(Field)
        FIELD_INIT(field, *first, **rest)
        return state(field)

    expected = outcome(twin)
    assert outcome(lambda: state(Field(*first, **rest))) == expected
    if isinstance(expected, dict) and not expected["control_field"] and rest.get("subfields"):
        assert Field(*first, **rest)._subfields is rest["subfields"]


class OwnField(Field):
    """With attributes of its own, as a user's."""

    def __init__(self, tag: str, **rest: Any) -> None:
        super().__init__(tag, **rest)
        self.note = "own"


class WithDefault(Field):
    data: Any = "class"


class WithSlot(Field):
    __slots__ = ("tag",)


class WithProperty(Field):
    @property
    def tag(self) -> Any:
        return self.own

    @tag.setter
    def tag(self, value: str) -> None:
        self.own = value.upper()


class WithSetattr(Field):
    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value.title() if isinstance(value, str) else value)


class WithTag(Field):
    tag = "500"
    control_field = False


@pytest.mark.parametrize("kind", [WithDefault, WithSlot, WithProperty, WithSetattr, WithTag])
@pytest.mark.parametrize("tag", ["001", "abc"])
def test_what_a_derived_class_has_in_the_place_of_attributes_is_set(kind: type[Field], tag: str) -> None:
    field = kind(tag, data="x", subfields=[Subfield("a", "y")])
    expected = kind.__new__(kind)
    FIELD_INIT(expected, tag, data="x", subfields=[Subfield("a", "y")])
    assert [getattr(field, name) for name in SLOTS[:5]] == [getattr(expected, name) for name in SLOTS[:5]]
    assert vars(field) == vars(expected) if hasattr(field, "__dict__") else True
    assert field.control_field == (tag == "001")


class Language(str, enum.Enum):
    ENGLISH = "eng"


class OddList(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter([Subfield("z", "instead")])


class OddPair(NamedTuple):
    code: str
    value: str


class OwnPair(OddPair):
    def __iter__(self) -> Iterator[str]:
        return iter(("y", "own"))


@pytest.mark.parametrize(
    "subfields",
    [
        [Subfield("a", Language.ENGLISH)],
        [Subfield(Language.ENGLISH, "x")],
        OddList([Subfield("a", "x")]),
        [OddPair("a", "x")],
        [OwnPair("a", "x")],
    ],
)
def test_values_of_other_classes_are_written_as_python_does_it(subfields: Any) -> None:
    field = Field("245", Indicators("1", "0"), subfields)
    expected = field.as_marc("utf-8")
    for others in ([], [OwnField("500")]):
        written = Record(fields=[field, *others]).as_marc()
        assert expected in written


def test_writing_leaves_strings_as_they_were() -> None:
    """A str keeps its UTF-8 for good once that was asked for in one way."""
    text = "日本語" * 100
    field, size = Field("245", Indicators("1", "0"), [Subfield("a", text)]), sys.getsizeof(text)
    assert text.encode() in Record(fields=[field]).as_marc()
    assert sys.getsizeof(text) == size


@needs_cpp
@for_all(TAGS, st.sampled_from(["001", "245"]))
def test_a_field_that_is_made_anew_is_another(tag: Any, before: str) -> None:
    field = Field(before, Indicators("1", "2"), [Subfield("a", "x")], "data")
    expected = Field(before, Indicators("1", "2"), [Subfield("a", "x")], "data")
    found = outcome(field.__init__, tag, data="new")  # type: ignore[misc]
    assert found == outcome(FIELD_INIT, expected, tag, data="new")
    assert found is not None or state(field) == state(expected)


def made(arguments: dict[str, Any]) -> Field:
    field = Field("245")
    for name, value in arguments.items():
        setattr(field, name, value)
    return field


#: Fields as programs leave them: each slot may hold anything.
FIELDS = st.one_of(
    st.builds(
        made,
        st.fixed_dictionaries(
            {},
            optional={
                "tag": TAGS,
                "control_field": st.sampled_from([True, False, 1, 0]),
                "data": st.one_of(TEXTS, st.sampled_from([None, 7, b"bytes"])),
                "_subfields": SUBFIELDS,
                "_indicators": st.builds(Indicators, TEXTS, TEXTS)
                | st.sampled_from([None, Indicators("1", "0"), ("1", "0"), ("1",), "10"]),
            },
        ),
    ),
    st.builds(
        lambda text: made({"_subfields": None, "_indicators": None, "_source": text}),
        st.sampled_from(
            ["10\x1fatext", "10", "", "10\x1f", "10\x1f\x1fa", "10\x1fa\x1f", "10\x1fa\x1e", "é0\x1faé", "\ud800"]
        ),
    ),
    st.builds(lambda: RawField("500", Indicators("1", "0"), [])),
)


@needs_cpp
@for_all(st.lists(FIELDS, max_size=4))
@settings(max_examples=600, deadline=None)
def test_fields_are_joined_alike(fields: list[Field]) -> None:
    twin = objects.TWINS["join_fields"]
    assert outcome(join_fields, fields) == outcome(twin, fields)
    assert outcome(join_fields, tuple(fields)) == outcome(twin, fields)


@needs_cpp
@pytest.mark.parametrize("name", SLOTS)
def test_fields_that_lack_something_are_joined_alike(name: str) -> None:
    for field in (
        Field("001", data="x"),
        Field("245", None, [Subfield("a", "b")]),
        made({"_subfields": None, "_source": "x"}),
    ):
        if hasattr(field, name):
            delattr(field, name)
        assert not hasattr(field, name)
        assert outcome(join_fields, [field]) == outcome(objects.TWINS["join_fields"], [field])


@needs_cpp
@for_all(st.lists(st.sampled_from(["001", "009", "010", "245", "LDR", "00a"]), max_size=5), st.lists(TEXTS, max_size=5))
def test_fields_are_read_alike(tags: list[str], texts: list[str]) -> None:
    found = [state(field) for field in read_fields(tags, texts)]
    assert found == [state(field) for field in objects.TWINS["read_fields"](tags, texts)]


@needs_cpp
@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (1, 2, 3),
        ([("245", None, 0)], [0], ["x"], 1),
        ([], [0], ["x"]),
        ([("245", None)], [0], ["x"]),
        ([5], [0], ["x"]),
    ],
)
def test_what_is_no_shape_is_refused(arguments: tuple[Any, ...]) -> None:
    for name in ("with_texts", "with_values", "with_subfields", "plain_records"):
        with pytest.raises((TypeError, IndexError, SystemError, AttributeError)):
            getattr(sys.modules["libmarc._cobjects"], name)(*arguments)


# ---- what they are to Python


def test_errors_name_the_class_that_was_called() -> None:
    with pytest.raises(TypeError, match=r"^Field.__init__\(\) missing 1 required positional argument: 'tag'"):
        Field()  # type: ignore[call-arg]


def test_the_signature_of_a_field() -> None:
    names = ["tag", "indicators", "subfields", "data"]
    parameters = inspect.signature(Field).parameters
    assert list(parameters) == names
    assert [parameters[name].default for name in names[1:]] == [None] * 3


def test_annotations_and_names_of_slots() -> None:
    assert {*SLOTS} <= {*typing.get_type_hints(Field)}
    assert {*copyreg._slotnames(Field)} == {*SLOTS}  # type: ignore[attr-defined]


class OwnRecord(Record):
    pass


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_copies_and_pickles(protocol: int) -> None:
    fields = [
        Field("001", data="x"),
        Field("245", Indicators("1", "0"), [Subfield("a", "T")]),
        OwnField("500", data="y"),
    ]
    for field in fields:
        for other in (pickle.loads(pickle.dumps(field, protocol)), copy.copy(field), copy.deepcopy(field)):
            assert type(other) is type(field)
            assert state(other) == state(field)
            assert vars(other) == vars(field) if isinstance(field, OwnField) else not hasattr(other, "__dict__")
    for record in (Record(fields=fields[:2]), OwnRecord(fields=fields[:2]), next(MARCReader(generated("utf8", 1)))):
        assert record is not None
        for again in (pickle.loads(pickle.dumps(record, protocol)), copy.copy(record), copy.deepcopy(record)):
            assert type(again) is type(record)
            assert again.as_marc() == record.as_marc()


def test_attributes_that_there_are_not() -> None:
    for item in (Field("001", data="x"), Record()):
        with pytest.raises(AttributeError):
            item.other = 1  # type: ignore[union-attr]
        with pytest.raises(AttributeError):
            item.other  # noqa: B018  # type: ignore[union-attr]
    with pytest.raises(AttributeError):
        Field.__new__(Field).tag  # noqa: B018
    with pytest.raises(AttributeError):
        Record.__new__(Record).fields  # noqa: B018


# ---- Python's collector


class Canary:
    """Something of the user's that refers to a record."""

    record: Any


def by_fields(record: Record, canary: Any) -> None:
    record.fields.append(canary)


def by_new_fields(record: Record, canary: Any) -> None:
    record.fields = [canary]


def by_added_field(record: Record, canary: Any) -> None:
    record.add_field(canary)


def by_leader(record: Record, canary: Any) -> None:
    record.leader.leader = canary


def by_new_leader(record: Record, canary: Any) -> None:
    record.leader = canary


def by_field_by_tag(record: Record, canary: Any) -> None:
    record.get_fields("245", "001")[0].data = canary


def by_pos(record: Record, canary: Any) -> None:
    record.pos = canary


def by_force_utf8(record: Record, canary: Any) -> None:
    record.force_utf8 = canary


def by_init(record: Record, canary: Any) -> None:
    field = Field("001", data="x")
    Record.__init__(record, fields=[field])
    field.data = canary


def by_title(record: Record, canary: Any) -> None:
    by_field_by_tag(record, canary)
    assert record["001"] is not None


@pytest.mark.parametrize(
    "way",
    [
        by_fields,
        by_new_fields,
        by_added_field,
        by_leader,
        by_new_leader,
        by_field_by_tag,
        by_title,
        by_pos,
        by_force_utf8,
        by_init,
    ],
)
@pytest.mark.parametrize("skip", [0, 5])
def test_a_cycle_through_a_record_is_collected(way: Callable[[Record, Any], None], skip: int) -> None:
    reader = MARCReader(generated("utf8", 40))
    records = list(reader)
    for other in records[:skip]:
        assert other is not None
        assert other.get_fields("245", "001")
    record, canary = records[skip], Canary()
    assert record is not None
    canary.record = record
    way(record, canary)
    gone = weakref.ref(canary)
    del records, reader, record, canary
    other = None
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("touch", [lambda record: record.fields[0], lambda record: record.get_fields("001")[0]])
def test_a_cycle_through_the_reader_is_collected(touch: Callable[[Record], Field]) -> None:
    """Its queue and the user have records that were not touched; a field of one that was has the user's."""
    reader, canary = MARCReader(generated("utf8", 40)), Canary()
    records = [given(reader) for _ in range(10)]
    canary.record = reader, records[7]
    touch(records[0]).data = canary  # type: ignore[assignment]
    gone = weakref.ref(canary)
    del reader, records, canary
    gc.collect()
    assert gone() is None


def test_a_cycle_while_the_reader_reads() -> None:
    """Records of the current batch, of which fields are asked by tag."""
    reader = MARCReader(generated("utf8", 40))
    gone = []
    for record in reader:
        assert record is not None
        canary = Canary()
        canary.record = record
        record.get_fields("245", "001")[0].data = canary  # type: ignore[assignment]
        gone.append(weakref.ref(canary))
    del record, canary, reader
    gc.collect()
    assert not [one for one in gone if one() is not None]


@needs_cpp
def test_the_collector_does_not_look_into_untouched_records() -> None:
    reader = MARCReader(generated("utf8", 40))
    records = [given(reader), given(reader)]
    assert records[0].title
    assert records[0].raw
    assert records[0].as_marc()
    assert not any(map(gc.is_tracked, records))
    records[0].fields  # noqa: B018
    records[1].leader  # noqa: B018
    assert gc.is_tracked(records[0])
    assert gc.is_tracked(records[1])
    assert gc.is_tracked(Record())
    assert gc.is_tracked(Field("001"))


def test_nothing_is_leaked() -> None:
    """Neither references nor objects, also where something is refused."""
    marks = [object() for _ in range(4)]
    before = [sys.getrefcount(mark) for mark in marks]
    text, pair, subfield = "x" * 50, Indicators("1", "0"), Subfield("a", "y")
    own = [sys.getrefcount(one) for one in (text, pair, subfield)]
    bad: Any
    for _ in range(2000):
        field = Field("245", pair, [subfield, subfield])
        field.__init__("001", data=text)  # type: ignore[misc]
        bad = Field("001", data=marks[0])  # type: ignore[arg-type]
        outcome(join_fields, [field, bad])
        for wrong in (
            {"tag": marks[1], "other": 1},
            {"tag": "245", "indicators": marks[2]},
            {"tag": "245", "subfields": marks[3]},
        ):
            outcome(Field, **wrong)
        join_fields([field, Field("245", pair, [subfield])])
        read_fields(["001", "245"], [text, text])
    del field, bad, wrong
    gc.collect()
    assert [sys.getrefcount(mark) for mark in marks] == before
    assert [sys.getrefcount(one) for one in (text, pair, subfield)] == own


SINGLETONS = """
import gc, sys
from libmarc import Field, MARCReader, Record, Subfield
from libmarc._iso2709 import join_fields

def work():
    for record in MARCReader(sys.argv[1]):
        if record is not None:
            for field in record.fields:
                field.subfields
            record.as_marc()
            field = Field("245", subfields=[Subfield("a", "b")])
            field.__init__("001", data="x")
            join_fields([field, Field("500")])

counts = []
for _ in range(3):
    work()
    gc.collect()
    counts.append([sys.getrefcount(one) for one in (None, True, False)])
assert all(abs(now - then) < 50 for now, then in zip(counts[2], counts[1])), counts
print("done")
"""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="they are immortal")
def test_no_singleton_is_leaked(marc_file: Path) -> None:
    assert run_python(SINGLETONS, marc_file) == "done\n"


def test_reading_leaks_no_object() -> None:
    data = generated("mixed", 300)

    def read_all() -> int:
        for record in MARCReader(data):
            if record is not None:
                record.fields  # noqa: B018
                [field.subfields for field in record.fields]
                record.as_marc()
        for record in MARCReader(data):
            if record is not None:
                [field.value() for field in record.get_fields("245", "650")]
        gc.collect()
        return len(gc.get_objects())

    read_all()
    before = sys.getrefcount(Field), sys.getrefcount(Record), read_all()
    after = sys.getrefcount(Field), sys.getrefcount(Record), read_all()
    assert all(now <= then + 5 for now, then in zip(after, before))


def test_records_outlive_their_reader() -> None:
    records = [record for record in MARCReader(generated("utf8", 200)) if record is not None]
    expected = [libmarc.Record(record.raw or b"").as_dict() for record in records]
    gc.collect()
    assert [record.as_dict() for record in records] == expected


#: Each call with each allocation refused in turn.
WITHOUT_MEMORY = """
import _testcapi, gc
from libmarc import Field, Indicators, Subfield
from libmarc._batch_fields import with_subfields, with_texts, with_values
from libmarc._iso2709 import join_fields
from libmarc.field import read_fields
from libmarc.reader import plain_records

data = b"x" * 30

class Batch:
    address = id(data) + bytes.__basicsize__ - 1
    starts, ends = [0, 10, 20], [10, 20, 30]

batch, pair = Batch(), Indicators("1", "0")
subfields = [Subfield("a", "x" * 100), Subfield("b", "y" * 900)]
field, control = Field("245", pair, subfields), Field("001", data="x")
shapes, numbers = [("245", pair, 2), ("001", None, 0)], [0, 1, 0]
calls = [
    lambda: Field("245", pair, subfields),
    lambda: Field(tag="001", data="x"),
    lambda: Field(tag=1, data="x"),
    lambda: join_fields([field, control]),
    lambda: join_fields([field] * 40),
    lambda: read_fields(["001", "245"], ["a", "b"]),
    lambda: with_texts(shapes, numbers, ["a", "b", "c"]),
    lambda: with_values(shapes, numbers, None, ["a", "b", "c"]),
    lambda: with_subfields(shapes, numbers, subfields * 2, ["c"]),
    lambda: plain_records(batch, 0, 3, None),
]
for call in calls:
    refused = 0
    for start in range(60):
        try:
            _testcapi.set_nomemory(start, start + 1)
            try:
                call()
            finally:
                _testcapi.remove_mem_hooks()
        except MemoryError:
            refused += 1
    gc.collect()
    assert 0 < refused < 60, refused
print("done")
"""


@needs_cpp
def test_running_out_of_memory() -> None:
    pytest.importorskip("_testcapi")
    assert run_python(WITHOUT_MEMORY) == "done\n"


# ---- several of them in a process


def test_a_second_copy_of_the_package() -> None:
    """Each has classes of its own."""
    code = f"""
import sys, libmarc as old
for name in [name for name in sys.modules if name.partition(".")[0] == "libmarc"]:
    del sys.modules[name]
import libmarc as new
assert old is not new
data = bytes.fromhex("{generated("utf8", 20).hex()}")
for package in (old, new, old):
    for record in package.MARCReader(data):
        assert type(record) is package.Record
        assert all(type(field) is package.Field for field in record.fields)
        assert record.as_marc() == record.raw
    field = package.Field("245", subfields=[package.Subfield("a", "b")])
    assert type(field.indicators) is package.Indicators
    assert package.Record(fields=[field]).as_marc().endswith(b"  \\x1fab\\x1e\\x1d")
print("done")
"""
    assert run_python(code) == "done\n"


SUBINTERPRETER = """
import sys
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    number = interpreters.create("legacy")
else:
    import _xxsubinterpreters as interpreters
    number = interpreters.create() if sys.version_info < (3, 12) else interpreters.create(isolated=False)
import libmarc

def check():
    record = next(libmarc.MARCReader(sys.argv[1]))
    assert type(record) is libmarc.Record and type(record.fields[0]) is libmarc.Field
    assert libmarc.Record(fields=record.fields).as_marc()
    assert type(libmarc.Field("245").indicators) is libmarc.Indicators

check()
code = f"import libmarc; print(type(next(libmarc.MARCReader({sys.argv[1]!r})).fields[0]) is libmarc.Field, flush=True)"
interpreters.run_string(number, code)
check()
interpreters.destroy(number)
check()
print("done")
"""


def test_a_second_interpreter(marc_file: Path) -> None:
    pytest.importorskip("_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters")
    assert run_python(SUBINTERPRETER, marc_file) == "True\ndone\n"
