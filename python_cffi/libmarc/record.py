"""Records: pymarc's Record, read lazily from the bytes that it owns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from libmarc._odd import OddRecord, Problem, read_piece, text_encoding
from libmarc.constants import DIRECTORY_ENTRY_LEN, END_OF_FIELD, END_OF_RECORD, LEADER_LEN
from libmarc.field import Field, read_fields
from libmarc.leader import Leader

if TYPE_CHECKING:
    from libmarc._batch import Batch

isbn_regex = re.compile(r"([0-9\-xX]+)")


class Picked(dict[tuple[str, ...], list[Field]]):
    """Fields of a record that were handed out by their tags, while its other fields have not been made."""

    def __init__(self, batch: Batch) -> None:
        super().__init__()
        self.batch = batch

    def overlaps(self, tags: tuple[str, ...]) -> bool:
        """Whether fields with one of these tags have been handed out."""
        return any(not known.isdisjoint(tags) for known in map(set, self))

    def put_into(self, fields: list[Field]) -> None:
        """Puts them in the place of those that were made anew, which are all fields of the record."""
        for tags, handed_out in self.items():
            following = iter(handed_out)
            for number, field in enumerate(fields):
                if field.tag in tags:
                    fields[number] = next(following)


class Record:
    """A MARC record: ``leader`` and ``fields``, a list of Field that is yours to change.

    A record that a reader gives keeps its bytes (``raw``) and takes them apart when it is first asked for fields. Once
    ``fields`` has been asked for, that list is the record.
    """

    __slots__ = (
        "__pos",
        "_batch",
        "_fields",
        "_leader",
        "_odd",
        "_offset",
        "_picked",
        "_raw",
        "_start",
        "force_utf8",
        "to_unicode",
    )

    _leader: Leader | Any  # once it has been asked for, or set
    _fields: list[Field]  # once they have been asked for, or set
    _picked: Picked | None  # fields that were handed out while not all have been asked for
    to_unicode: bool
    force_utf8: bool
    _raw: bytes | None  # as the record stood in its source; None for one that was made
    _batch: Batch | None  # it came in, while no field has been asked for
    _start: int  # where its bytes begin in that batch
    _offset: int | None  # where they stood in the source, once the batch is gone
    _odd: OddRecord | None  # what is to be known of a record that is not plain (MARC_REC_PLAIN)
    __pos: int

    def __init__(
        self,
        data: bytes = b"",
        fields: list[Field] | None = None,
        *,
        leader: str = " " * LEADER_LEN,
    ) -> None:
        """A record of these fields, or the one that the bytes `data` are. Raises what is wrong with them."""
        if fields or not data:
            self._raw = self._offset = self._batch = self._picked = None
            self._leader = Leader(f"{leader[0:10]}22{leader[12:20]}4500")
            self._fields = fields or []
        else:
            self._raw = bytes(data)
            self._offset = 0
            self._odd = read_piece(self._raw)

    def __getattr__(self, name: str) -> Any:
        # Only comes here while the slot is empty: a record that was read, and not asked for this before.
        value: Any
        if name == "_fields":
            value = self._all_fields()
        elif name == "_leader":
            value = Leader(self._read_leader())
            self._hand_out_leader()
        elif name == "_offset":
            batch = self._batch
            value = batch.offset + self._start if batch is not None else None
        elif name in ("_batch", "_odd", "_picked"):
            value = None
        elif name == "_Record__pos":
            value = 0
        elif name == "to_unicode":
            value = True
        elif name == "force_utf8":
            value = False
        else:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        setattr(self, name, value)
        return value

    def _bytes(self) -> bytes:
        raw = self._raw
        assert raw is not None
        return raw

    def _leave_batch(self) -> None:
        """What the batch knows of the record is not true any more once that is changed. Its place is."""
        batch = self._batch
        if batch is not None:
            self._offset = batch.offset + self._start
            self._batch = None

    def _all_fields(self) -> list[Field]:
        """The fields when they are first asked for; those that were handed out already are among them."""
        batch, picked = self._batch, self._picked
        if picked is not None:
            batch = picked.batch
        made = batch.fields if batch is not None else None
        fields = made.read(batch, self._start, self._bytes()) if made is not None and batch is not None else None
        if fields is None:
            fields = self._read_fields()
            if made is not None:
                made.watch(fields)
        if picked is not None:
            picked.put_into(fields)
            self._picked = None
        self._leave_batch()
        return fields

    def _read_leader(self) -> str:
        odd = self._odd
        if odd is not None and odd.leader is not None:
            return odd.leader
        return str(self._bytes()[:LEADER_LEN], "ascii")

    def _read_fields(self) -> list[Field]:
        raw = self._bytes()
        odd = self._odd
        if odd is not None:
            return odd.read_fields(raw)
        base = int(raw[12:17])
        directory = str(raw[LEADER_LEN : base - 1], "ascii")
        tags = [directory[i : i + 3] for i in range(0, len(directory), DIRECTORY_ENTRY_LEN)]
        return read_fields(tags, str(raw[base:], text_encoding(raw)).split(END_OF_FIELD))

    @property
    def fields(self) -> list[Field]:
        """The fields in their order: an ordinary list, and from now on the record."""
        return self._fields

    @fields.setter
    def fields(self, fields: list[Field]) -> None:
        self._leave_batch()
        self._picked = None
        self._fields = fields

    @property
    def leader(self) -> Leader | Any:
        """The leader, yours to change."""
        return self._leader

    @leader.setter
    def leader(self, leader: Leader | Any) -> None:
        self._hand_out_leader()
        self._leader = leader

    def _hand_out_leader(self) -> None:
        """It may be changed from now on."""
        if self._batch is not None:
            self._batch.handed_leaders.add(self._start)

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        # For copies and pickles: what is set, but not the place in a batch.
        names = ("_fields", "_leader", "_odd", "_offset", "_raw", "force_utf8", "to_unicode")
        if self._picked is not None:
            self._fields  # noqa: B018 (some were handed out)
        self._leave_batch()
        return None, {name: getattr(self, name) for name in names if _is_set(Record.__dict__[name], self)}

    @property
    def raw(self) -> bytes | None:
        """The bytes of the record as they stood in its source, whatever has been changed since. None if it was made."""
        return self._raw

    @property
    def byte_offset(self) -> int | None:
        """Where its bytes stood in the source, from its beginning. None if the record was made."""
        return self._offset

    @property
    def byte_length(self) -> int | None:
        """How many bytes the record had in the source. None if it was made."""
        return None if self._raw is None else len(self._raw)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What deviates from the standard in these bytes, and what was repaired; () for a sound record."""
        return self._odd.problems if self._odd is not None else ()

    @property
    def has_unconverted_text(self) -> bool:
        """Whether the record holds MARC-8 text beyond ASCII. This version does not convert it: its bytes are in `raw`,
        and its text stands in the fields as if it were ISO 8859-1, one character a byte."""
        raw = self._raw
        return raw is not None and self._encoding(raw) != "utf-8" and (not raw.isascii() or b"\x1b" in raw)

    def _encoding(self, raw: bytes) -> str:
        odd = self._odd
        return text_encoding(raw) if odd is None else odd.encoding

    # -- fields

    def get(self, tag: str, default: Field | None = None) -> Field | None:
        """The first field with this tag, or `default`."""
        fields = self._pick((tag,))
        if fields is None:
            fields = [field for field in self.fields if field.tag == tag]
        return fields[0] if fields else default

    def __getitem__(self, tag: str) -> Field:
        """The first field with this tag. KeyError if there is none."""
        field = self.get(tag)
        if field is None:
            raise KeyError(tag)
        return field

    def __contains__(self, tag: str) -> bool:
        return self.get(tag) is not None

    def __iter__(self) -> Iterator[Field]:
        self.__pos = 0
        return self

    def __next__(self) -> Field:
        if self.__pos >= len(self.fields):
            raise StopIteration
        self.__pos += 1
        return self.fields[self.__pos - 1]

    def get_fields(self, *tags: str) -> list[Field]:
        """The fields with one of these tags, in their order; without a tag the list of all fields itself."""
        if not tags:
            return self.fields
        fields = self._pick(tags)
        if fields is None:
            return [field for field in self.fields if field.tag in tags]
        return fields[:]

    def _pick(self, tags: tuple[str, ...]) -> list[Field] | None:
        """The fields with these tags, without making the others. None where all of them are to be looked at."""
        batch, picked = self._batch, None
        if batch is None:
            picked = self._picked
            if picked is None:
                return None
            fields = picked.get(tags)
            if fields is not None:
                return fields
            if picked.overlaps(tags):
                return None
            batch = picked.batch
        made = batch.fields
        fields = made.choose(batch, self._start, tags) if made is not None else None
        if fields is not None:
            if picked is None:
                self._picked = picked = Picked(batch)
                self._leave_batch()
            picked[tags] = fields
        return fields

    # -- what is asked most

    @property
    def title(self) -> str | None:
        """245 $a and $b, joined by a blank."""
        batch = self._batch
        if batch is not None:
            titles = batch.titles
            if titles is None:
                titles = batch.read_titles()
            if titles is not None:
                return titles[self._start]
        field = self.get("245")
        if field is None:
            return None
        title = field.get("a")
        rest = field.get("b") if title else None
        return f"{title} {rest}" if rest else title

    @property
    def author(self) -> str | None:
        """100, 110 or 111, as a text to read."""
        field = self.get("100") or self.get("110") or self.get("111")
        return field.format_field() if field is not None else None

    @property
    def isbn(self) -> str | None:
        """The number in the first 020 $a, without hyphens."""
        field = self.get("020")
        number = field.get("a") if field is not None else None
        found = isbn_regex.search(number) if number else None
        return found.group(1).replace("-", "") if found else None

    # -- out

    def as_marc(self) -> bytes:
        """The record in ISO 2709, in UTF-8. A canonical UTF-8 record that was not changed gives its own bytes.

        NotImplementedError where `has_unconverted_text`: this version would write garbled text; `raw` has the bytes.
        """
        batch = self._batch
        if batch is not None and batch.canonical and self._start not in batch.handed_leaders:
            return self._bytes()
        if self._is_canonical():
            return self._bytes()
        if self.has_unconverted_text:
            raise NotImplementedError("this version does not convert MARC-8 text; record.raw has the record's bytes")
        leader = str(self.leader)
        if self.to_unicode:
            leader = f"{leader[:9]}a{leader[10:]}"
            if isinstance(self.leader, Leader):
                self.leader.coding_scheme = "a"
            else:  # users of pymarc assign plain text too
                self.leader = leader
        if self._odd is not None and self._odd.best:
            leader = f"{leader[:20]}4500"  # the entries that were read may have had other widths
        encoding = "utf-8" if leader[9] == "a" or self.force_utf8 else "iso8859-1"
        contents = [field.as_marc(encoding) for field in self.fields]
        entries = []
        start = 0
        for field, content in zip(self.fields, contents):
            entries.append(f"{field.tag:>03}{len(content):04}{start:05}")
            start += len(content)
        directory = f"{''.join(entries)}{END_OF_FIELD}"
        base = LEADER_LEN + len(directory)
        length = base + start + 1
        head = f"{length:05}{leader[5:12]}{base:05}{leader[17:]}"
        # A byte for each character, also where that is none of ASCII: the base address counts on it.
        return b"".join([f"{head}{directory}".encode("latin-1", "replace"), *contents, END_OF_RECORD.encode()])

    as_marc21 = as_marc

    def _is_canonical(self) -> bool:
        """Whether writing the record gives the bytes that were read: nothing was asked for that could be changed, and
        they are UTF-8 and laid out as they would be written."""
        raw = self._raw
        if raw is None or raw[9] != 0x61 or self._odd is not None or _is_set(_FIELDS, self) or self._picked is not None:
            return False
        if b"\x1f\x1f" in raw or b"\x1f\x1e" in raw:
            return False
        return not _is_set(_LEADER, self) or str(self.leader).encode() == raw[:LEADER_LEN]

    def __str__(self) -> str:
        """The record in MARCMaker's form, a line a field."""
        lines = [f"=LDR  {self.leader}", *map(str, self.fields)]
        return "\n".join(lines) + "\n"


_FIELDS = Record.__dict__["_fields"]
_LEADER = Record.__dict__["_leader"]


def _is_set(slot: Any, record: Record) -> bool:
    try:
        slot.__get__(record, Record)
    except AttributeError:
        return False
    return True
