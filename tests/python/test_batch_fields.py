"""Fields that are made for a whole batch: whatever is asked of records, in whatever order, the answers are pymarc's."""

from __future__ import annotations

import copy
import pickle
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import flat, generated, record_bytes

import libmarc
from libmarc import MARCReader, Record, Subfield

pymarc = pytest.importorskip("pymarc")

RECORDS = 60
TAGS = ("001", "008", "020", "100", "245", "260", "500", "650", "700", "880", "999")


@pytest.fixture(scope="module")
def data() -> bytes:
    return generated("utf8", RECORDS, seed=5)


def pairs(data: bytes) -> Iterator[tuple[Any, Any]]:
    """The same records of both, while the batch of ours is there."""
    reader = MARCReader(data)
    for ours, theirs in zip(reader, pymarc.MARCReader(data)):
        if ours is not None and theirs is not None:
            yield ours, theirs
            assert reader._batch is not None


def touch_subfields(record: Any) -> Any:
    return [[tuple(subfield) for subfield in field.subfields] for field in record.fields]


def touch_values(record: Any) -> Any:
    return [field.value() for field in record.fields]


def touch_formats(record: Any) -> Any:
    return [field.format_field() for field in record.fields]


def touch_indicators(record: Any) -> Any:
    return [(field.tag, field.indicators and tuple(field.indicators), field.data) for field in record.fields]


def pick_many(record: Any) -> Any:
    return [(field.tag, field.value()) for field in record.get_fields("245", "650", "001", "700")]


def pick_twice(record: Any) -> Any:
    return [[field.get_subfields("a", "b") for field in record.get_fields(tag)] for tag in ("245", "650", "245")]


def pick_overlapping(record: Any) -> Any:
    return [[field.value() for field in record.get_fields(*tags)] for tags in (("245", "650"), ("650", "700"))]


def pick_one(record: Any) -> Any:
    field = record.get("245")
    return field and (field.get("a"), field.get("z", 5), "a" in field, "z" in field)


def pick_odd(record: Any) -> Any:
    return [len(record.get_fields(*tags)) for tags in ((), ("24",), ("2455",), ("",), ("24é",), ("001", "001"))]


WAYS: list[Callable[[Any], Any]] = [
    touch_subfields,
    touch_values,
    touch_formats,
    touch_indicators,
    pick_many,
    pick_twice,
    pick_overlapping,
    pick_one,
    pick_odd,
    lambda record: record.title,
    lambda record: record.author,
    lambda record: record.publisher,
    lambda record: [field.tag for field in record.subjects],
    lambda record: str(record),
    lambda record: str(record.leader),
    lambda record: record.as_dict(),
    lambda record: record.as_json(),
    lambda record: record.as_marc(),
]


def check_all(ours: Any, theirs: Any) -> None:
    assert flat(ours) == flat(theirs)
    assert touch_values(ours) == touch_values(theirs)
    assert str(ours) == str(theirs)
    assert ours.title == theirs.title


@pytest.mark.parametrize("way", WAYS)
def test_the_same_is_asked_of_every_record(data: bytes, way: Callable[[Any], Any]) -> None:
    for ours, theirs in pairs(data):
        assert way(ours) == way(theirs)
    for ours, theirs in pairs(data):
        assert way(ours) == way(theirs)
        check_all(ours, theirs)


@pytest.mark.parametrize("seed", range(30))
def test_anything_is_asked_in_any_order(data: bytes, seed: int) -> None:
    chance = random.Random(seed)
    for ours, theirs in pairs(data):
        for way in chance.choices(WAYS, k=chance.randrange(5)):
            assert way(ours) == way(theirs)
    for ours, theirs in pairs(data):
        for way in chance.choices(WAYS, k=2):
            assert way(ours) == way(theirs)
        check_all(ours, theirs)


@pytest.mark.parametrize("way", WAYS)
def test_fields_that_were_handed_out_are_those_of_the_record(data: bytes, way: Callable[[Any], Any]) -> None:
    for ours in filter(None, MARCReader(data)):
        way(ours)
        picked = {tag: ours.get_fields(tag) for tag in TAGS}
        for tag, fields in picked.items():
            again = ours.get_fields(tag)
            assert again is not fields
            assert list(map(id, again)) == list(map(id, fields))
            assert (ours.get(tag) is fields[0]) if fields else ours.get(tag) is None
        for tag, fields in picked.items():
            assert [id(field) for field in ours.fields if field.tag == tag] == list(map(id, fields))


def change(record: Any, module: Any, chance: random.Random) -> None:
    """One change, through whatever gives access to the record."""
    tag = chance.choice(TAGS)
    fields = record.get_fields(tag)
    kind = chance.randrange(13)
    if not fields or kind == 0:
        record.fields.append(module.Field(tag, [" ", "1"], [module.Subfield("a", "new")], data="new"))
    elif kind == 1:
        fields[-1].tag = "999"
    elif kind == 2:
        record.fields.remove(fields[0])
    elif kind == 3:
        fields.clear()  # a list of its own: nothing changes
    elif kind == 7:
        record.add_ordered_field(module.Field("650", module.Indicators(" ", "0"), [module.Subfield("a", "ordered")]))
    elif kind == 8:
        record.remove_fields(chance.choice(TAGS))
    elif kind == 9:
        fields[0].tag = "002" if fields[0].control_field else chance.choice(TAGS[2:])
    elif kind == 10:
        record.leader.record_status = "d"
    elif fields[0].control_field:
        fields[0].data = "changed"
    elif kind == 4:
        fields[0].subfields.append(module.Subfield("x", "é changed"))
    elif kind == 11:
        fields[0].delete_subfield("a")
    elif kind == 12:
        fields[0].add_subfield("b", "first", 0)
    elif kind == 5:
        fields[0].subfields = [module.Subfield("a", "set")]
    else:
        fields[0].indicators = ("9", "8")


@pytest.mark.parametrize("seed", [*range(30), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(30, 500))])
def test_changes_between_questions(data: bytes, seed: int) -> None:
    chance = random.Random(seed)
    for ours, theirs in pairs(data):
        for _ in range(chance.randrange(1, 4)):
            if chance.random() < 0.5:
                way = chance.choice(WAYS)
                assert way(ours) == way(theirs)
            state = chance.getstate()
            change(ours, libmarc, chance)
            chance.setstate(state)
            change(theirs, pymarc, chance)
        assert ours.as_marc() == theirs.as_marc()  # before all fields were asked for, and behind it
        check_all(ours, theirs)
        assert ours.as_marc() == theirs.as_marc()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda record: pickle.loads(pickle.dumps(record))])
def test_copies(data: bytes, way: Callable[[Any], Any], copied: Callable[[Any], Any]) -> None:
    for ours, theirs in pairs(data):
        way(ours)
        check_all(copied(ours), theirs)


@pytest.mark.parametrize("way", WAYS)
def test_records_that_outlive_their_batch(data: bytes, way: Callable[[Any], Any]) -> None:
    """Half-asked while the batch was there, and the rest when it is gone."""
    with MARCReader(data, _chunk_bytes=4096) as reader:
        kept = []
        for record in filter(None, reader):
            way(record)
            kept.append(record)
    for ours, theirs in zip(kept, filter(None, pymarc.MARCReader(data))):
        assert way(ours) == way(theirs)
        check_all(ours, theirs)


def test_leader_is_changed_after_nothing_else_was_asked() -> None:
    data = generated("utf8", 3, seed=1)
    for record in MARCReader(data):
        assert record is not None
        record.leader.record_status = "d"
        assert record.as_marc()[5:6] == b"d"
    for record in MARCReader(data):
        assert record is not None
        record.leader = record.raw[:5].decode() + "x" + record.raw[6:24].decode()  # type: ignore[index]
        assert record.as_marc()[5:6] == b"x"


def test_many_choices_of_tags(data: bytes) -> None:
    """More than are looked up natively."""
    for ours, theirs in pairs(data):
        for number in range(100):
            tags = (f"{number:03}", "245")
            assert [f.value() for f in ours.get_fields(*tags)] == [f.value() for f in theirs.get_fields(*tags)]


def test_a_list_of_tags_matches_nothing(data: bytes) -> None:
    for ours, theirs in pairs(data):
        tags: Any = ["245"]
        assert ours.get_fields(tags) == theirs.get_fields(tags) == []


def test_eager_subfields_can_be_changed(data: bytes) -> None:
    """Records behind the first ones come with all subfields made."""
    records: list[Record] = []
    for record in filter(None, MARCReader(data)):
        touch_subfields(record)
        records.append(record)
    field = next(field for field in records[-1].fields if not field.control_field)
    field.subfields.insert(0, Subfield("y", "first"))
    assert field.get("y") == "first"
    assert field.value().startswith("first")
    assert "$yfirst" in str(records[-1])


def test_json_of_the_batch_is_pymarcs(data: bytes) -> None:
    for ours, theirs in pairs(data):
        assert ours.as_json() == theirs.as_json()
        assert ours.as_json(indent=1) == theirs.as_json(indent=1)


@pytest.mark.parametrize("seed", range(10))
def test_json_honours_changes(data: bytes, seed: int) -> None:
    chance = random.Random(seed)
    for ours, theirs in pairs(data):
        state = chance.getstate()
        for record, module in ((ours, libmarc), (theirs, pymarc)):
            chance.setstate(state)
            kind = chance.randrange(4)
            if kind == 0:
                change(record, module, chance)
            elif kind == 1:
                record.leader.record_status = "d"
            elif kind == 2:
                record.leader = module.Leader(" " * 24)
        assert ours.as_json() == theirs.as_json()


WRITTEN: list[Callable[[Any, Any], Any]] = [
    lambda module, record: record.as_json(),
    lambda module, record: record.as_json(separators=(",", ":")),
    lambda module, record: str(record),
    lambda module, record: module.record_to_xml(record),
    lambda module, record: module.record_to_xml(record, namespace=True),
]


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("kind", ["utf8", "marc8", "mixed"])
def test_forms_of_the_batch_are_pymarcs(written: Callable[[Any, Any], Any], kind: str) -> None:
    """The first record is written from its fields, the others from the text of the whole batch."""
    for ours, theirs in pairs(generated(kind, RECORDS, seed=9)):
        assert written(libmarc, ours) == written(pymarc, theirs)


def test_xml_writer_counts_what_the_batch_has_replaced(data: bytes, tmp_path: Any) -> None:
    replaced = 0
    with libmarc.XMLWriter(open(tmp_path / "out.xml", "wb")) as writer:
        for ours in filter(None, MARCReader(data.replace(b"the", b"t\x01e"))):
            writer.write(ours)
            replaced += sum(str(field).count("\x01") for field in ours.fields)
        assert writer.replaced == replaced > 0


@pytest.mark.parametrize("text", ["Odd", "Ödd"])
@pytest.mark.parametrize("coding", ["a", " "])
def test_a_tag_beyond_ascii_in_the_same_batch(data: bytes, text: str, coding: str) -> None:
    """Salvage delivers it, and it does not harm the other records of its batch."""
    odd = record_bytes(("001", b"x"), ("245", b"10\x1fa" + text.encode()), coding=coding)
    odd = odd.replace(b"245", b"2\xb25", 1)
    for ours, theirs in zip(filter(None, MARCReader(odd + data, on_error="salvage")), [None, *pymarc.MARCReader(data)]):
        if theirs is not None:
            assert flat(ours) == flat(theirs)
        else:
            assert [field.tag for field in ours.fields] == ["001", "2²5"]


def test_fields_that_get_tags_of_each_other() -> None:
    """Each keeps its place among the fields of the record."""
    data = record_bytes(*[(tag, f"  \x1fa{tag}".encode()) for tag in ("100", "245", "246", "500")]) * 5
    for ours, theirs in pairs(data):
        for record in (ours, theirs):
            (first,) = record.get_fields("100")
            (second,) = record.get_fields("245")
            first.tag, second.tag = "245", "100"
        assert [field["a"] for field in ours.get_fields("245")] == ["100"]
        assert ours.title == theirs.title == "100"
        assert ours.as_marc() == theirs.as_marc()
        assert [(field.tag, field["a"]) for field in ours.fields] == [
            ("245", "100"),
            ("100", "245"),
            ("246", "246"),
            ("500", "500"),
        ]
