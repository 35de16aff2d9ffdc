"""Fields of the plain records of a native batch, made with a few native calls for all of them.

How much is made of a record's fields when these are first asked for follows from what was done with those of the
records before it in the batch: fields that keep their text, or have their value at hand too, or all their subfields.
"""

from __future__ import annotations

import enum
from collections import Counter
from itertools import pairwise
from operator import sub
from typing import TYPE_CHECKING

from libmarc._native import ffi, lib
from libmarc.constants import END_OF_FIELD, SUBFIELD_INDICATOR
from libmarc.field import Field, Indicators, is_control_tag, make_subfields, what_was_asked

if TYPE_CHECKING:
    from libmarc._batch import Batch

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


class BatchFields:
    """The fields of the plain records of one batch."""

    __slots__ = ("_asked", "_choices", "_counts", "_probe", "_probes", "_shapes", "_spans", "_texts", "_want")

    def __init__(self) -> None:
        self._asked: Counter[tuple[str, ...]] = Counter()
        self._choices: dict[tuple[str, ...], dict[int, str | None]] = {}
        self._probe: list[Field] = []  # fields of the last record, to see what is done with them
        self._probes = 0
        self._want = Want.TEXT
        self._texts: dict[int, str | None] = {}  # by the start of the record: what is wanted
        self._spans: dict[int, tuple[int, int]] = {}  # by the start of the record: numbers of its fields
        self._shapes: list[tuple[str, Indicators | None]] = []  # of all fields of the batch
        self._counts: list[int] = []  # of subfields, of all fields of the batch

    def watch(self, fields: list[Field]) -> None:
        """These were made without knowing what for."""
        if self._probes < PROBES:
            self._probes += 1
            self._probe = fields[:]

    def read(self, batch: Batch, start: int, raw: bytes) -> list[Field] | None:
        """All fields of the record that starts there. None where they are to be read from its own bytes."""
        if self._probe:
            self._learn(batch)
        entry = self._texts.get(start)
        if entry is None:
            return None
        first, last = self._spans[start]
        if self._want is Want.VALUES:
            texts = str(raw[int(raw[12:17]) :], "utf-8").split(END_OF_FIELD)
            return _with_values(self._shapes[first:last], texts, entry.split(END_OF_FIELD))
        return _with_subfields(self._shapes[first:last], self._counts[first:last], entry)

    def _learn(self, batch: Batch) -> None:
        touched, valued, count = what_was_asked(self._probe)
        self._probe = []
        if count == 0 or 2 * max(touched, valued) < count:
            return
        self._probes = PROBES
        want = Want.SUBFIELDS if 2 * touched >= count else Want.VALUES
        shapes = batch.read_shapes()
        texts = batch.read_text(lib.marc_batch_subfields if want is Want.SUBFIELDS else lib.marc_batch_values)
        view, starts = batch.view, batch.starts
        if shapes is None or texts is None or view is None:
            return  # another thread has released the batch
        self._spans = dict(zip(starts, pairwise(ffi.unpack(view.field_first, view.record_count + 1))))
        firsts = ffi.unpack(view.subfield_first, view.field_count + 1)
        self._counts = list(map(sub, firsts[1:], firsts))
        self._shapes, self._texts, self._want = shapes, texts, want

    def choose(self, batch: Batch, start: int, tags: tuple[str, ...]) -> list[Field] | None:
        """The fields with these tags of the record that starts there. None where they are to be looked for in all."""
        texts = self._choices.get(tags)
        if texts is None:
            texts = self._read_choice(batch, tags)
            if texts is None:
                return None
        entry = texts.get(start)
        if entry is None:
            return None
        if not entry:
            return []
        return _chosen(entry.split(END_OF_FIELD), any(map(is_control_tag, tags)))

    def _read_choice(self, batch: Batch, tags: tuple[str, ...]) -> dict[int, str | None] | None:
        if len(self._asked) >= MOST_CHOICES and tags not in self._asked:
            return None
        self._asked[tags] += 1
        if self._asked[tags] != 2 or not all(isinstance(tag, str) and len(tag) == 3 and tag.isascii() for tag in tags):
            return None
        packed = ffi.new("uint32_t[]", [int.from_bytes(tag.encode(), "little") for tag in tags])
        texts = batch.read_text(lib.marc_batch_fields, packed, len(tags))
        if texts is not None:
            self._choices[tags] = texts
        return texts


def _with_values(shapes: list[tuple[str, Indicators | None]], texts: list[str], values: list[str]) -> list[Field]:
    new = Field.__new__
    fields = []
    for (tag, indicators), text, value in zip(shapes, texts, values):
        field = new(Field)
        field.tag = tag
        if indicators is None:
            field.control_field = True
            field.data = text
            field._value = None
        else:
            field._text = text
            field._value = value
        fields.append(field)
    return fields


def _with_subfields(shapes: list[tuple[str, Indicators | None]], counts: list[int], entry: str) -> list[Field]:
    codes, values, *controls = entry.split(END_OF_FIELD)
    subfields = make_subfields(codes, values.split(SUBFIELD_INDICATOR))
    new = Field.__new__
    fields = []
    begin = 0
    next_control = iter(controls).__next__
    for (tag, indicators), count in zip(shapes, counts):
        field = new(Field)
        field.tag = tag
        if indicators is None:
            field.control_field = True
            field.data = next_control()
        else:
            end = begin + count
            field._indicators = indicators
            field._subfields = subfields[begin:end]
            begin = end
        fields.append(field)
    return fields


def _chosen(contents: list[str], with_controls: bool) -> list[Field]:
    """Fields from their tags and texts."""
    new = Field.__new__
    fields = []
    for content in contents:
        field = new(Field)
        field.tag = tag = content[:3]
        if with_controls and is_control_tag(tag):
            field.control_field = True
            field.data = content[3:]
        else:
            field._text = content[3:]
        fields.append(field)
    return fields
