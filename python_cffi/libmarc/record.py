"""Records: pymarc's Record, read lazily from the bytes that it owns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from libmarc._batch import Form
from libmarc._decoding import Decoding
from libmarc._iso2709 import check_options, leader_bytes, write_fields, write_marc8
from libmarc._names import name_of_package
from libmarc._objects import fastest, use_record
from libmarc._odd import OddRecord, Problem, read_piece
from libmarc._splice import splice
from libmarc.constants import LEADER_LEN
from libmarc.exceptions import FieldNotFound, MissingLinkedFields
from libmarc.field import Field, Texts, map_marc8_field, read_fields, state_of, subfield_code, tags_of
from libmarc.leader import Leader

if TYPE_CHECKING:
    import logging

    from libmarc._batch import Batch

    logger: logging.Logger


if not TYPE_CHECKING:  # type checkers are told above

    def __getattr__(name: str) -> Any:
        if name == "logger":  # pymarc's, which only few ask for: `import libmarc` is quicker without
            import logging

            return logging.getLogger("pymarc")
        return name_of_package(__name__, name)


isbn_regex = re.compile(r"([0-9\-xX]+)")


#: Fields of a record that were handed out by their tags, while its other fields have not been made; and its batch.
Picked = tuple["Batch", dict[tuple[str, ...], list["Field"]]]


def _put_into(fields: list[Field], handed_out: dict[tuple[str, ...], list[Field]]) -> None:
    """Puts fields that were handed out in the place of those that were made anew, which are all of the record."""
    read = [field.tag for field in fields]  # those that were handed out may have other tags by now
    for tags, own in handed_out.items():
        following = iter(own)
        for number, tag in enumerate(read):
            if tag in tags:
                fields[number] = next(following)


def _has_other_tags(handed_out: dict[tuple[str, ...], list[Field]]) -> bool:
    """Whether a field that was handed out has got another tag since, and is not what it was asked for."""
    return any(field.tag not in tags for tags, fields in handed_out.items() for field in fields)


#: Where a record stands in its source: its first byte, and how many bytes it has there; None: as many as here.
Place = tuple[int, "int | None"]


class More(NamedTuple):
    """What only few records have."""

    origin: bytes | None = None  # as it stood in its source, where its bytes are its text form
    to_unicode: bool = True
    force_utf8: bool = False
    pos: int = 0
    next_field: int = 0  # for next(record)


NO_MORE = More()


@fastest
class RecordSlots:
    """The attributes of a Record."""

    # (There is no __getattr__: with one, every attribute would be slower to get. What only few records have is
    # asked for with a default, and not set in the others. Slots are few: Python's collector looks into each of them, of
    # every record that is kept.)
    __slots__ = (
        "_batch",
        "_fields",
        "_leader",
        "_more",
        "_odd",
        "_picked",
        "_place",
        "_raw",
        "_start",
    )

    _raw: bytes | None  # what it is taken apart from: its bytes, or their text form; None for a record that was made
    _batch: Batch | None  # it came in, while no field has been asked for
    _start: int  # where its bytes begin in that batch
    _leader: Leader | Any  # once it has been asked for, or set; else None
    _fields: list[Field] | None  # once they have been asked for, or set
    _odd: OddRecord | None  # what is to be known of a record that is not plain (MARC_REC_PLAIN)
    _more: More
    # Set only where there is something to be said:
    _picked: Picked | None  # fields that were handed out while not all have been asked for
    _place: Place | None  # in the source, once it is not the batch that says it


@fastest
def track(record: RecordSlots) -> None:
    """To be called before a record gets what is the user's, and could refer to it: Python's collector looks into it
    from then on. (Into objects of a class of Python it always does.)"""


class Record(RecordSlots):
    """A MARC record: ``leader`` and ``fields``, a list of Field that is yours to change.

    A record that a reader gives keeps its bytes (``raw``) and takes them apart when it is first asked for fields. Once
    ``fields`` has been asked for, that list is the record.
    """

    __slots__ = ()

    def __init__(
        self,
        data: bytes | str = b"",
        fields: list[Field] | None = None,
        to_unicode: bool = True,
        force_utf8: bool = False,
        hide_utf8_warnings: bool = False,
        utf8_handling: str = "strict",
        leader: str = " " * LEADER_LEN,
        file_encoding: str = "iso8859-1",
    ) -> None:
        """A record of these fields, or the one that the bytes `data` are. Raises what is wrong with them.

        The other parameters are those of `MARCReader`; `leader` is for a record that is made.
        """
        self._more = More(to_unicode=to_unicode, force_utf8=force_utf8) if force_utf8 or not to_unicode else NO_MORE
        track(self)
        self._raw = self._batch = self._leader = self._fields = self._odd = None
        if fields or not data:
            coding = "a" if force_utf8 and not fields else leader[9:10]
            self._leader = Leader(f"{leader[0:9]}{coding}22{leader[12:20]}4500")
            self._fields = fields or []
        else:
            self.decode_marc(data, to_unicode, force_utf8, hide_utf8_warnings, utf8_handling, file_encoding)

    def decode_marc(
        self,
        marc: Any,
        to_unicode: bool = True,
        force_utf8: bool = False,
        hide_utf8_warnings: bool = False,
        utf8_handling: str = "strict",
        encoding: str = "iso8859-1",
    ) -> None:
        """Takes the leader from a record in ISO 2709 (bytes), and adds its fields. Raises what is wrong with it."""
        raw = bytes(marc)
        force = force_utf8 or self.force_utf8
        decoding = Decoding(to_unicode, force, hide_utf8_warnings, utf8_handling, encoding)
        if self._raw is not None or self._fields is not None:
            leader, fields = decoding.read(raw)
            self.leader = Leader(leader)
            self._add_each(fields)
            return
        if decoding.is_native:
            self._odd, text = read_piece(raw, hide_utf8_warnings)
            if text is not None:
                self._set_more(origin=raw)
                raw = text
        else:
            leader, self._fields = decoding.read(raw)
            self.leader = Leader(leader)
            self._odd = OddRecord((), [], "utf-8")
        self._raw = raw
        self._place = 0, None
        if type(self).add_field is not Record.add_field:  # a derived class wants to see every field
            fields, self.fields = self.fields, []
            self._add_each(fields)

    def _add_each(self, fields: list[Field]) -> None:
        for field in fields:
            self.add_field(field)

    @property
    def to_unicode(self) -> bool:
        """Whether the record is text, not bytes."""
        return self._more.to_unicode

    @to_unicode.setter
    def to_unicode(self, value: bool) -> None:
        self._set_more(to_unicode=value)

    @property
    def force_utf8(self) -> bool:
        """Whether the record is UTF-8, whatever leader/09 says."""
        return self._more.force_utf8

    @force_utf8.setter
    def force_utf8(self, value: bool) -> None:
        self._set_more(force_utf8=value)

    @property
    def pos(self) -> int:
        """0. Nothing uses it, but there are programs that copy it from record to record."""
        return self._more.pos

    @pos.setter
    def pos(self, value: int) -> None:
        self._set_more(pos=value)

    def _set_more(self, **values: Any) -> None:
        track(self)
        self._more = getattr(self, "_more", NO_MORE)._replace(**values)

    def _bytes(self) -> bytes:
        raw = self._raw
        assert raw is not None
        return raw

    def _leave_batch(self) -> None:
        """What the batch knows of the record is not true any more once that is changed. Its place is."""
        batch = self._batch
        if batch is not None:
            if batch.is_source:
                self._place = batch.offset + self._start, None
            self._batch = None

    def _handed_out(self) -> Picked | None:
        """The fields that were handed out, if not all of the record have been asked for."""
        return getattr(self, "_picked", None) if self._fields is None else None

    def _all_fields(self) -> list[Field]:
        """The fields when they are first asked for; those that were handed out already are among them."""
        batch = self._batch
        picked = self._handed_out() if batch is None else None
        if picked is not None:
            batch = picked[0]
        made = batch.fields if batch is not None else None
        fields = made.read(batch, self) if made is not None and batch is not None else None
        if fields is None:
            fields = self._read_fields()
            if made is not None:
                made.watch(fields)
        if picked is not None:
            _put_into(fields, picked[1])
        self.fields = fields
        return fields

    def _read_leader(self) -> str:
        odd = self._odd
        if odd is not None and odd.leader is not None:
            return odd.leader
        return str((self.raw or b"")[:LEADER_LEN], "ascii")

    def _read_fields(self) -> list[Field]:
        raw = self._bytes()
        odd = self._odd
        if odd is not None:
            return odd.read_fields(raw)
        return read_fields(tags_of(raw), self._texts().read())

    def _texts(self) -> Texts:
        """The contents of the fields of a plain record."""
        raw = self._bytes()
        return Texts(raw[int(raw[12:17]) :])

    @property
    def fields(self) -> list[Field]:
        """The fields in their order: an ordinary list, and from now on the record."""
        fields = self._fields
        return self._all_fields() if fields is None else fields

    @fields.setter
    def fields(self, fields: list[Field]) -> None:
        track(self)
        self._leave_batch()
        self._fields = fields

    @property
    def leader(self) -> Leader | Any:
        """The leader, yours to change."""
        leader = self._leader
        if leader is None:
            self.leader = leader = Leader(self._read_leader())
        return leader

    @leader.setter
    def leader(self, leader: Leader | Any) -> None:
        track(self)
        self._leader = leader

    def __getstate__(self) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        # For copies and pickles: what is set, but not the place in a batch.
        names = ("_leader", "_more", "_odd", "_place", "_raw")
        if self._handed_out() is not None:
            self.fields  # noqa: B018 (they are what is copied)
        self._leave_batch()
        own = {name: getattr(self, name) for name in names if hasattr(self, name)}
        return state_of(self, Record, {"_batch": None, "_fields": self._fields, **own})

    @property
    def raw(self) -> bytes | None:
        """The bytes of the record as they stood in its source, whatever has been changed since; of a source in another
        format the record in ISO 2709 and UTF-8. None if it was made."""
        return self._more.origin or self._raw

    @property
    def byte_offset(self) -> int | None:
        """Where its bytes stood in the source, from its beginning. None if the record was made."""
        batch = self._batch
        if batch is not None and batch.is_source:
            return batch.offset + self._start
        place: Place | None = getattr(self, "_place", None)
        return place[0] if place is not None else None

    @property
    def byte_length(self) -> int | None:
        """How many bytes the record had in the source. None if it was made."""
        place: Place | None = getattr(self, "_place", None)
        if place is not None and place[1] is not None:
            return place[1]
        return len(self.raw or b"") if self._raw is not None else None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What deviates from the standard in these bytes, and what was repaired; () for a sound record."""
        return self._odd.problems if self._odd is not None else ()

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
        """The fields. Each loop has its own place in them."""
        if self._more.next_field:
            self._set_more(next_field=0)
        return iter(self.fields)

    def __next__(self) -> Field:
        """The next field for next(record), from the first one, or from the last iter(record), on."""
        position: int = self._more.next_field
        if position >= len(self.fields):
            raise StopIteration
        self._set_more(next_field=position + 1)
        return self.fields[position]

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
        batch = self._batch
        if batch is not None:
            fields = batch.choose_fields(self._start, tags)
            if fields is not None:
                self._leave_batch()
                track(self)
                self._picked = (batch, {tags: fields})
            return fields
        picked = self._handed_out()
        if picked is None:
            return None
        batch, handed_out = picked
        if not all(type(tag) is str for tag in tags) or _has_other_tags(handed_out):
            return None
        fields = handed_out.get(tags)
        if fields is None and set(tags).isdisjoint(chain(*handed_out)):
            fields = batch.choose_fields(self._start, tags)
            if fields is not None:
                handed_out[tags] = fields
        return fields

    def add_field(self, *fields: Field) -> None:
        """Adds fields at the end."""
        self.fields.extend(fields)

    def add_ordered_field(self, *fields: Field) -> None:
        """Adds each field before the first one with a greater tag, or with one that is no number."""
        self._insert(fields, int)

    def add_grouped_field(self, *fields: Field) -> None:
        """The same, but only by the first digit of the tags: behind the other 5xx, for instance."""
        self._insert(fields, lambda tag: int(tag[0]))

    def _insert(self, fields: Iterable[Field], rank: Callable[[str], int]) -> None:
        there = self.fields
        for field in fields:
            at = len(there)
            if field.tag.isdigit():
                own = rank(field.tag)
                behind = (n for n, one in enumerate(there) if not one.tag.isdigit() or rank(one.tag) > own)
                at = next(behind, at)
            there.insert(at, field)

    def remove_field(self, *fields: Field) -> None:
        """Takes these very fields out. FieldNotFound if one is not there; those before it are out by then."""
        for field in fields:
            try:
                self.fields.remove(field)
            except ValueError:
                raise FieldNotFound from None

    def remove_fields(self, *tags: str) -> None:
        """Takes all fields with one of these tags out."""
        self.fields[:] = [field for field in self.fields if field.tag not in tags]

    def get_linked_fields(self, field: Field) -> list[Field]:
        """The 880 fields that subfield 6 links with this field. MissingLinkedFields if it says so and there is none."""
        number = field.linkage_occurrence_num()
        linked = [other for other in self.get_fields("880") if other.linkage_occurrence_num() == number]
        if number is not None and not linked:
            raise MissingLinkedFields(field)
        return linked

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
        return self._title_in("245")

    def _title_in(self, tag: str) -> str | None:
        """$a and $b of the first field with this tag."""
        field = self.get(tag)
        if field is None:
            return None
        title = field.get("a")
        rest = field.get("b") if title else None
        return f"{title} {rest}" if rest else title

    @property
    def author(self) -> str | None:
        """100, 110 or 111, as a text to read."""
        return self._formatted("100", "110", "111")

    def _formatted(self, *tags: str) -> str | None:
        """The first field with the first of these tags that the record has, as a text to read."""
        field = next((found for tag in tags if (found := self.get(tag)) is not None), None)
        return field.format_field() if field is not None else None

    @property
    def isbn(self) -> str | None:
        """The number in the first 020 $a, without hyphens."""
        number = self._first("a", "020")
        found = isbn_regex.search(number) if number else None
        return found.group(1).replace("-", "") if found else None

    @property
    def issn_title(self) -> str | None:
        """222 $a and $b, joined by a blank: the key title."""
        return self._title_in("222")

    @property
    def issn(self) -> str | None:
        """The first 022 $a."""
        return self._first("a", "022")

    @property
    def issnl(self) -> str | None:
        """$l of the first 022: the linking ISSN."""
        return self._first("l", "022")

    def _first(self, code: str, tag: str) -> str | None:
        field = self.get(tag)
        return field.get(code) if field is not None else None

    @property
    def sudoc(self) -> str | None:
        """086 as a text to read: the number of the Superintendent of Documents."""
        return self._formatted("086")

    @property
    def uniformtitle(self) -> str | None:
        """130 or 240, as a text to read."""
        return self._formatted("130", "240")

    @property
    def publisher(self) -> str | None:
        """$b of the first 260, or 264 with second indicator 1."""
        field = self._publication()
        return field.get("b") if field is not None else None

    @property
    def pubyear(self) -> str | None:
        """$c of the first 260, or 264 with second indicator 1."""
        field = self._publication()
        return field.get("c") if field is not None else None

    def _publication(self) -> Field | None:
        fields = self.get_fields("260", "264")
        return next((field for field in fields if field.tag == "260" or field.indicator2 == "1"), None)

    @property
    def series(self) -> list[Field]:
        """440, 490, 800, 810, 811, 830."""
        return self.get_fields(*_SERIES)

    @property
    def subjects(self) -> list[Field]:
        """The fields for subjects, from 600 to 699."""
        return self.get_fields(*_SUBJECTS)

    @property
    def addedentries(self) -> list[Field]:
        """The fields for added entries, from 700 to 799."""
        return self.get_fields(*_ADDED_ENTRIES)

    @property
    def location(self) -> list[Field]:
        """852."""
        return self.get_fields("852")

    @property
    def notes(self) -> list[Field]:
        """The fields for notes, from 500 to 599."""
        return self.get_fields(*_NOTES)

    @property
    def physicaldescription(self) -> list[Field]:
        """300."""
        return self.get_fields("300")

    # -- out

    def as_dict(self) -> dict[str, Any]:
        """The record in the shape of MARC-in-JSON."""
        fields: list[dict[str, Any]] = []
        for field in self.fields:
            if field.control_field:
                fields.append({field.tag: field.data})
                continue
            subfields = [{code: value} for code, value in field._pairs()]
            fields.append({field.tag: {"ind1": field.indicator1, "ind2": field.indicator2, "subfields": subfields}})
        return {"leader": str(self.leader), "fields": fields}

    def _form(self, form: Form) -> str | None:
        """The record in this form, from the batch. None if that does not have it, or something was asked for that could
        be changed."""
        batch = self._batch
        return batch.read_form(form, self._start) if batch is not None and self._leader is None else None

    def as_json(self, **kwargs: Any) -> str:
        """The record as MARC-in-JSON; parameters are those of json.dumps."""
        form = Form.JSON if not kwargs else Form.COMPACT_JSON if kwargs == _COMPACT else None
        text = self._form(form) if form is not None else None
        if text is not None:
            return text
        import json  # here: many programs never need it

        return json.dumps(self.as_dict(), **kwargs)

    def as_marc(self, *, oversize: str = "error", encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """The record in ISO 2709, in UTF-8, with "a" in leader/09, which is set in `leader` too. A record that was not
        changed gives its own bytes, or their text form.

        `oversize` says what becomes of fields above 9 999 bytes and records above 99 999, which ISO 2709 cannot state.
        "error": OversizeError. "zeros": 0 in place of what cannot be stated; readers that go by terminators, as
        on_error="salvage", read it. "split": several records, each with all control fields and a part of the others.
        `encoding`: "utf-8" or "marc-8"; `errors` then as for unicode_to_marc8().
        """
        if encoding != "utf-8" or oversize != "error":
            check_options(oversize, encoding, errors)
            if encoding == "marc-8":
                return write_marc8(self._written_leader(), self.fields, errors, oversize)
        batch = self._batch
        if batch is not None and batch.canonical and self._leader is None:
            return self._bytes()
        if self._is_canonical():
            return self._own_bytes()
        leader = self._written_leader()
        if leader[9:10] != "a" and self.to_unicode:
            leader = f"{leader[:9]}a{leader[10:]}"
            self._mark_utf8()
        codec = "utf-8" if leader[9:10] == "a" or self.force_utf8 else "iso8859-1"
        spliced = self._spliced(leader) if codec == "utf-8" and oversize == "error" else None
        return write_fields(leader, self.fields, codec, oversize) if spliced is None else spliced

    as_marc21 = as_marc

    def _written_leader(self) -> str:
        leader = self._read_leader() if self._leader is None else str(self._leader)
        if self._odd is not None and self._odd.best:
            return f"{leader[:20]}450{leader[23:]}"  # the entries that were read may have had other widths
        return leader

    def _mark_utf8(self) -> None:
        """Makes leader/09 "a"."""
        leader = self.leader
        if isinstance(leader, Leader):
            leader.leader = f"{leader.leader[:9]}a{leader.leader[10:]}"
        else:  # users of pymarc assign plain text too
            self.leader = f"{leader[:9]}a{leader[10:]}"

    def _spliced(self, leader: str) -> bytes | None:
        """What is written of a record of which only some fields were handed out. None if it is none, or is written from
        all its fields."""
        picked, raw = self._handed_out(), self._raw
        if picked is None or raw is None:
            return None
        batch, handed_out = picked
        if not batch.canonical and _has_empty_subfields(raw):
            return None
        return splice(leader_bytes(leader), raw, handed_out)

    def _is_canonical(self) -> bool:
        """Whether writing the record gives the bytes that were read: nothing was asked for that could be changed, and
        they are UTF-8 and laid out as they would be written, but for leader/09."""
        raw = self._raw
        if raw is None or self._odd is not None or self._fields is not None:
            return False
        if self._handed_out() is not None:
            return False
        if _has_empty_subfields(raw):
            return False
        if (raw[9] != 0x61 or raw is not self.raw) and not self.to_unicode:
            return False
        if self._leader is None:
            return True
        leader, read = str(self.leader), self._read_leader()
        # Lengths are written as they are.
        return (leader[5:9], leader[10:12], leader[17:]) == (read[5:9], read[10:12], read[17:]) and len(leader) == len(
            read
        )

    def _own_bytes(self) -> bytes:
        """The bytes of a canonical record; leader/09 is "a" from then on."""
        raw = self._bytes()
        if raw[9] != 0x61:  # plain ASCII
            raw = b"%ba%b" % (raw[:9], raw[10:])
        elif raw is self.raw and self._leader is None:
            return raw
        self._mark_utf8()
        return raw

    def __str__(self) -> str:
        """The record in MARCMaker's form, a line a field."""
        text = self._form(Form.MARCMAKER)
        if text is not None:
            return text
        lines = [f"=LDR  {self.leader}", *map(str, self.fields)]
        return "\n".join(lines) + "\n"


use_record(Record)

_COMPACT = {"separators": (",", ":")}  # what JSONWriter asks for


def new_record(raw: bytes, odd: OddRecord | None, origin: bytes | None = None) -> Record:
    """A record that was read from `raw`, the text form of `origin` if that is given, and has no place in a batch."""
    record = Record.__new__(Record)
    record._raw = raw
    record._odd = odd
    record._batch = record._leader = record._fields = None
    record._more = More(origin) if origin is not None else NO_MORE
    return record


def _tags(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_SERIES = _tags("440 490 800 810 811 830")
_SUBJECTS = _tags("600 610 611 630 648 650 651 653 654 655 656 657 658 662 690 691 696 697 698 699")
_ADDED_ENTRIES = _tags("700 710 711 720 730 740 752 753 754 790 791 792 793 796 797 798 799")
_NOTES = _tags(
    """500 501 502 504 505 506 507 508 510 511 513 514 515 516 518 520 521 522 524 525 526 530 533 534 535 536 538 540
    541 544 545 546 547 550 552 555 556 561 562 563 565 567 580 581 583 584 585 586 590 591 592 593 594 595 596 597 598
    599"""
)


def map_marc8_record(record: Record) -> Record:
    """The record itself, its fields' MARC-8 values (bytes) converted to Unicode, and leader/09 set."""
    record.fields = [map_marc8_field(field) for field in record.fields]
    leader = str(record.leader)
    record.leader = Leader(f"{leader[:9]}a{leader[10:]}")
    return record


def normalize_subfield_code(subfield: bytes) -> tuple[str, int]:
    """The code of a subfield (bytes), in ASCII, and the number of bytes that it has there."""
    return subfield_code(subfield)


def _has_empty_subfields(raw: bytes) -> bool:
    """Whether there is a subfield without a code: it would not be written."""
    return b"\x1f\x1f" in raw or b"\x1f\x1e" in raw
