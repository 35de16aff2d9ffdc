"""Fields of the plain records of a native batch, made with a few native calls for all of them.

How much is made of a record's fields when these are first asked for follows from what was done with those of the
records before it in the batch: fields that keep their text, or have their value at hand too, or all their subfields.
"""

from __future__ import annotations

import enum
from collections import Counter
from itertools import repeat, starmap
from typing import TYPE_CHECKING
from weakref import ref

from libmarc._native import ffi, lib
from libmarc._objects import fastest
from libmarc._texts import Entries, split_text
from libmarc.constants import END_OF_FIELD, SUBFIELD_INDICATOR
from libmarc.field import (
    CONTROL_TAGS,
    Field,
    Shape,
    Subfield,
    Texts,
    make_subfields,
    read_fields,
    shape_of,
    what_was_asked,
)

if TYPE_CHECKING:
    from libmarc._batch import Batch
    from libmarc.record import Record

#: A choice of tags is looked up natively, for the whole batch, from the second record on that asks for it. Only so many
#: choices are: a program may ask every record for something else.
MOST_CHOICES = 64
#: So many records of a batch are looked at, for what was done with their fields.
PROBES = 4


class Want(enum.Enum):
    """What is done with the fields of a record."""

    TEXT = enum.auto()  # little: they keep their text
    VALUES = enum.auto()  # value() is asked for
    SUBFIELDS = enum.auto()  # all subfields are asked for


class Probe:
    """Fields of the last record, to see what is done with them. The reader has it, not the batch: these may refer to
    what is the user's, and Python's collector does not look into the records of a batch (record.py: track)."""

    __slots__ = ("__weakref__", "fields")

    def __init__(self) -> None:
        self.fields: list[Field] = []


class BatchFields:
    """The fields of the plain records of one batch."""

    __slots__ = (
        "_asked",
        "_choices",
        "_firsts",
        "_numbers",
        "_probe",
        "_probes",
        "_shape_of",
        "_shapes",
        "_texts",
        "_want",
    )

    def __init__(self, probe: Probe) -> None:
        self._asked: Counter[tuple[str, ...]] = Counter()
        # By tags: texts, and whether some of the tags are those of control fields.
        self._choices: dict[tuple[str, ...], tuple[Entries, bool]] = {}
        self._probe = ref(probe)
        self._probes = 0
        self._want = Want.TEXT
        self._texts: Entries | None = None  # what is wanted
        self._numbers: dict[int, int] = {}  # of records, by their starts; the batch's
        self._firsts: list[int] = []  # by the number of a record: the number of its first field
        self._shapes: list[Shape] = []
        self._shape_of: list[int] = []  # by the number of a field: the number of its shape

    def read(self, batch: Batch, record: Record) -> list[Field] | None:
        """All fields of a record of the batch. None where it is to read them from its own bytes."""
        probe = self._probe()
        if probe is not None and probe.fields:
            self._learn(batch, probe)
        firsts = self._firsts
        number = self._numbers.get(record._start) if firsts else None
        if number is None:
            return None
        first, behind = firsts[number], firsts[number + 1]
        shapes, numbers = self._shapes, self._shape_of[first:behind]
        entry = self._texts.read(number) if self._texts is not None else None
        if entry is None:
            fields = with_texts(shapes, numbers, record._texts().read())
            self.watch(fields)
            return fields
        if self._want is Want.VALUES:
            return with_values(shapes, numbers, record._texts(), entry.split(END_OF_FIELD))
        codes, values, *controls = entry.split(END_OF_FIELD)
        subfields = make_subfields(codes, values.split(SUBFIELD_INDICATOR))
        return with_subfields(shapes, numbers, subfields, controls)

    def watch(self, fields: list[Field]) -> None:
        """These were made without knowing what for."""
        probe = self._probe() if self._probes < PROBES else None
        if probe is not None:
            self._probes += 1
            probe.fields = fields[:]

    def _learn(self, batch: Batch, probe: Probe) -> None:
        touched, valued, number = what_was_asked(probe.fields)
        probe.fields = []
        if not self._firsts and not self._read_shapes(batch):
            return
        if 2 * max(touched, valued) < number:
            return
        self._probes = PROBES
        want = Want.SUBFIELDS if 2 * touched >= number else Want.VALUES
        text = batch.read_text(lib.marc_batch_subfields if want is Want.SUBFIELDS else lib.marc_batch_values)
        if text is not None:
            self._texts, self._want = Entries(text), want

    def _read_shapes(self, batch: Batch) -> bool:
        """False if another thread has released the batch."""
        held, view = batch.hold(), batch.view
        if held is None or view is None:
            return False
        shapes = ffi.new("uint32_t[]", view.field_count)
        text = batch.read_text(lib.marc_batch_shapes, shapes)
        if text is None:
            return False
        self._numbers = batch.numbers()
        self._shapes = [shape_of(entry or "") for entry in split_text(text)]
        self._shape_of = ffi.unpack(shapes, view.field_count)
        self._firsts = ffi.unpack(view.field_first, view.record_count + 1)
        return True

    def choose(self, batch: Batch, start: int, tags: tuple[str, ...]) -> list[Field] | None:
        """The fields with these tags of the record that starts there. None where they are to be looked for in all."""
        try:
            choice = self._choices.get(tags)
        except TypeError:  # one of them cannot even be a tag
            return None
        if choice is None:
            choice = self._read_choice(batch, tags)
            if choice is None:
                return None
        entries, with_controls = choice
        number = self._numbers.get(start)
        entry = entries.read(number) if number is not None else None
        if entry is None:
            return None
        if not entry:
            return []
        contents = entry.split(END_OF_FIELD)
        return read_fields([text[:3] for text in contents], [text[3:] for text in contents], with_controls)

    def _read_choice(self, batch: Batch, tags: tuple[str, ...]) -> tuple[Entries, bool] | None:
        if len(self._asked) >= MOST_CHOICES and tags not in self._asked:
            return None
        if not all(type(tag) is str and len(tag) == 3 and tag.isascii() for tag in tags):
            return None
        self._asked[tags] += 1
        if self._asked[tags] != 2:
            return None
        packed = ffi.new("uint32_t[]", [int.from_bytes(tag.encode(), "little") for tag in tags])
        text = batch.read_text(lib.marc_batch_fields, packed, len(tags))
        if text is None:
            return None
        self._numbers = batch.numbers()
        self._choices[tags] = choice = Entries(text), not CONTROL_TAGS.isdisjoint(tags)
        return choice


_ONE_FIELD = (Field,)  # what Field.__new__ is called with, made once


def _new_fields(number: int) -> list[Field]:
    return list(starmap(Field.__new__, repeat(_ONE_FIELD, number)))


@fastest
def with_texts(shapes: list[Shape], numbers: list[int], texts: list[str]) -> list[Field]:
    """Fields of these shapes, by their numbers among `shapes`, that keep their texts."""
    fields = _new_fields(len(numbers))
    for field, number, text in zip(fields, numbers, texts):
        field.tag, indicators, _ = shapes[number]
        field._indicators = indicators
        field._value = None
        if indicators is None:
            field.control_field = True
            field.data = text
            field._source = None
            field._subfields = []
        else:
            field.control_field = False
            field.data = field._subfields = None
            field._source = text
    return fields


@fastest
def with_values(shapes: list[Shape], numbers: list[int], texts: Texts, values: list[str]) -> list[Field]:
    """The same with their values at hand, and their texts in common."""
    fields = _new_fields(len(numbers))
    for place, (field, number, value) in enumerate(zip(fields, numbers, values)):
        field.tag, indicators, _ = shapes[number]
        field._indicators = indicators
        if indicators is None:
            field.control_field = True
            field.data = value
            field._source = field._value = None
            field._subfields = []
        else:
            field.control_field = False
            field.data = field._subfields = None
            field._source = texts
            field._number = place
            field._value = value
    return fields


@fastest
def with_subfields(
    shapes: list[Shape], numbers: list[int], subfields: list[Subfield], controls: list[str]
) -> list[Field]:
    """The same with their subfields, those of one field behind those of the other; `controls` are the data of the
    control fields."""
    next_control = iter(controls).__next__
    fields = _new_fields(len(numbers))
    begin = 0
    for field, number in zip(fields, numbers):
        field.tag, indicators, size = shapes[number]
        field._indicators = indicators
        field._source = field._value = None
        if indicators is None:
            field.control_field = True
            field.data = next_control()
            field._subfields = []
        else:
            end = begin + size
            field.control_field = False
            field.data = None
            field._subfields = subfields[begin:end]
            begin = end
    return fields
