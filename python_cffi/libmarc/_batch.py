"""A native batch while it is the reader's current one."""

from __future__ import annotations

import enum
from bisect import bisect_left
from collections.abc import Collection
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

from libmarc._batch_fields import BatchFields, Probe
from libmarc._native import ffi, lib
from libmarc._texts import Entries, call_text, split_text
from libmarc.constants import LEADER_LEN
from libmarc.leader import Leader

if TYPE_CHECKING:
    from libmarc.field import Field
    from libmarc.record import Record

_VIEW_SIZE = ffi.sizeof("marc_batch_view")
_NO_TEXT = 0xFFFFFFFF  # in record_text


def new_slot() -> Any:
    """Room for the `marc_batch *` that a native call gives out. Who has the slot owns the batch: there is no moment at
    which a KeyboardInterrupt could lose it."""
    return ffi.gc(ffi.new("marc_batch **"), lib.libmarc_release_slot)


def view_of(slot: Any) -> Any:
    """`marc_batch_view` of the batch in a slot, which must outlive it."""
    return _view(slot[0])


def text_view_of(slot: Any) -> Any:
    """The same of the batch of its text forms; None if it has none."""
    texts = lib.marc_batch_text(slot[0])
    return _view(texts) if texts else None


def _view(batch: Any) -> Any:
    view = ffi.new("marc_batch_view *")
    view.struct_size = _VIEW_SIZE
    lib.marc_batch_get_view(batch, view)
    return view


def all_plain(view: Any) -> bool:
    """Whether every piece of a batch is a plain record without a note."""
    return bool(view.all_flags & lib.MARC_REC_PLAIN) and view.note_count == 0


class Form(enum.Enum):
    """What a whole record can be written as: the native function, and the style of it."""

    JSON = ("marc_batch_json", "MARC_JSON_PYMARC")
    COMPACT_JSON = ("marc_batch_json", "MARC_JSON_COMPACT_ASCII")
    XML = ("marc_batch_xml", "MARC_XML_PYMARC")
    XML_NAMESPACE = ("marc_batch_xml", "MARC_XML_PYMARC_NAMESPACE")
    XML_UTF8 = ("marc_batch_xml", "MARC_XML_PYMARC_UTF8")
    MARCMAKER = ("marc_batch_mrk", "MARC_MRK_PYMARC")


class TextForm(NamedTuple):
    """The text form of a piece: a record of the batch of text forms."""

    view: Any
    number: int

    @property
    def bytes(self) -> bytes:
        begin = self.view.record_start[self.number]
        content: bytes = ffi.buffer(self.view.data + begin, self.view.record_length[self.number])[:]
        return content


class Batch:
    """Some thousand pieces that were parsed in one native call.

    Its records share one native call for each kind of data that they are asked for. When the reader moves on it
    releases the batch; records that are kept then have only their own bytes, and know where these stood.
    """

    __slots__ = (
        "_forms",
        "_known",
        "_numbers",
        "_slot",
        "address",
        "canonical",
        "count",
        "data",
        "ends",
        "extents",
        "fields",
        "is_source",
        "odd",
        "offset",
        "places",
        "starts",
        "text_data",
        "texts",
        "titles",
        "view",
    )

    def __init__(self, slot: Any, origin: int, probe: Probe) -> None:
        """`origin`: where in the source reading began."""
        self._slot = slot
        self.view = view = view_of(slot)
        self.offset: int = origin + view.source_offset  # of the batch in the source
        self.count: int = view.record_count
        self.data = ffi.buffer(view.data, view.data_length)
        self.address = int(ffi.cast("uintptr_t", view.data))  # of the data
        self.starts: list[int] = ffi.unpack(view.record_start, self.count)
        self.ends: list[int] = self._find_ends()
        self.odd: list[int] = [] if all_plain(view) else self._find_odd()
        self.text_data: Any = None  # of the text forms
        self.texts = self._find_texts()
        self.canonical = bool(view.all_flags & lib.MARC_REC_CANONICAL)  # all records are
        self.titles: dict[int, str | None] | None = None
        self.fields: BatchFields | None = BatchFields(probe)
        self._numbers: dict[int, int] = {}
        self._forms: dict[Form, Entries | None] = {}  # that a record was asked for
        # In a source that is no ISO 2709: where the records begin, and how many bytes they have there; else None.
        self.places: list[int] | None = None
        self.extents: list[int] | None = None
        self.is_source = not view.record_place  # the bytes of the records are bytes of the source
        if not self.is_source:
            self.places = [origin + place for place in ffi.unpack(view.record_place, self.count)]
            self.extents = ffi.unpack(view.record_extent, self.count)
        self._known = (0, 0)  # what bytes_before() was asked last, and said

    def _find_ends(self) -> list[int]:
        view, starts = self.view, self.starts
        if view.silent_bytes == 0:  # each piece ends where the next one begins
            return [*starts[1:], view.data_length]
        return list(map(add, starts, ffi.unpack(view.record_length, self.count)))

    def _find_odd(self) -> list[int]:
        """The numbers of the pieces that are no plain records, or have notes."""
        plain, both = lib.MARC_REC_PLAIN, lib.MARC_REC_PLAIN | lib.MARC_REC_NOTED
        flags = ffi.unpack(self.view.record_flags, self.count)
        return [number for number, flag in enumerate(flags) if flag & both != plain]

    def source_end(self, number: int) -> int:
        """How many bytes of the source, from where reading began, lie before the end of this piece."""
        if self.places is not None and self.extents is not None:
            return self.places[number] + self.extents[number] - self.offset + int(self.view.source_offset)
        end: int = self.view.source_offset + self.ends[number]
        return end

    def _find_texts(self) -> list[tuple[int, int]]:
        """Where the text form of each piece stands in `text_data`, (0, 0) for none; [] if there are none at all."""
        view = text_view_of(self._slot)
        if view is None:
            return []
        self.text_data = ffi.buffer(view.data, view.data_length)
        starts = ffi.unpack(view.record_start, view.record_count)
        spans = [*zip(starts, [*starts[1:], view.data_length])]
        none = (0, 0)
        return [
            spans[number] if number != _NO_TEXT else none for number in ffi.unpack(self.view.record_text, self.count)
        ]

    def text_form_of(self, number: int) -> TextForm | None:
        """The text form of a piece, if it has one."""
        if not self.texts or not self.texts[number][1]:
            return None
        return TextForm(text_view_of(self._slot), self.view.record_text[number])

    def bytes_before(self, number: int) -> int:
        """How many bytes the pieces before this one have in the source."""
        if self.extents is not None:
            return sum(self.extents[:number])
        if number == self.count:
            whole: int = self.view.data_length - self.view.silent_bytes
            return whole
        known, size = self._known
        if known > number:
            known = size = 0
        size += sum(self.ends[known:number]) - sum(self.starts[known:number])
        self._known = (number, size)
        return size

    def next_odd(self, number: int) -> int:
        """The first odd piece from `number` on; `count` if there is none."""
        at = bisect_left(self.odd, number)
        return self.odd[at] if at < len(self.odd) else self.count

    def numbers(self) -> dict[int, int]:
        """The numbers of all pieces by their starts. Empty if the batch was released."""
        if not self._numbers:
            self._numbers = dict(zip(self.starts, range(self.count)))
        return self._numbers

    def hold(self) -> Any:
        """What keeps the native batch while another thread may release it. None if it was released."""
        return self._slot

    def read_text(self, function: Any, *arguments: Any) -> Any:
        """One kind of data of all records, by one native call: a `marc_text`. None if the batch was released."""
        slot = self.hold()
        return call_text(function, slot[0], *arguments) if slot is not None else None

    def read_titles(self) -> dict[int, str | None] | None:
        """The titles of all records by where these start. None if the batch was released."""
        starts, text = self.starts, self.read_text(lib.marc_batch_titles)  # in this order: see release()
        if text is None:
            return None
        self.titles = titles = dict(zip(starts, split_text(text)))
        return titles

    def place_records(self, records: Collection[Record], number: int) -> None:
        """Tells the records from piece `number` on what another format than ISO 2709 says of them."""
        view, places, extents = self.view, self.places, self.extents
        assert places is not None
        assert extents is not None
        end = number + len(records)
        flags = ffi.unpack(view.record_flags + number, len(records))
        for record, place in zip(records, zip(places[number:end], extents[number:end])):
            record._place = place
        for i, (record, flag) in enumerate(zip(records, flags), number):
            if flag & lib.MARC_REC_LEADER:
                leader = ffi.buffer(view.record_leader + LEADER_LEN * i, LEADER_LEN)
                record.leader = Leader(str(leader, "latin-1"))

    def read_form(self, form: Form, start: int) -> str | None:
        """The record that starts there in this form. None where it is to be made from its fields: the first time, when
        the batch was released, and where it is no such record."""
        forms = self._forms
        if form not in forms:
            forms[form] = None  # a program may want it of this record only
            return None
        entries = forms[form]
        if entries is None:
            function, style = form.value
            text = self.read_text(getattr(lib, function), getattr(lib, style))
            if text is None:
                return None
            forms[form] = entries = Entries(text)
        number = self.numbers().get(start)
        return entries.read(number) if number is not None else None

    def choose_fields(self, start: int, tags: tuple[str, ...]) -> list[Field] | None:
        """The fields with these tags of the record that starts there. None where they are to be looked for in all."""
        fields = self.fields
        return fields.choose(self, start, tags) if fields is not None else None

    def release(self) -> None:
        """Lets go of the native memory. (A thread that is using it keeps it until it is done.)"""
        self._slot = self.data = self.view = self.titles = self.fields = self.text_data = None
        self._numbers = {}
        self._forms = {}
        self.places = self.extents = None
        self.starts = self.ends = self.odd = []
        self.texts = []
