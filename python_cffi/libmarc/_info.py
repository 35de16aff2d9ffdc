"""What `libmarc info` tells of a file: gather() reads it into a Summary, report() puts that into words."""

from __future__ import annotations

import struct
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from libmarc._native import code_message
from libmarc._progress import Advance
from libmarc.constants import DIRECTORY_ENTRY_LEN, LEADER_LEN
from libmarc.reader import MARCReader
from libmarc.record import Record

TITLES = 5  # shown
TAGS = 12  # shown
WIDTH = 100  # characters of a title or control number that are shown
_TICK = 1024  # pieces between two looks at the progress


# ---- what is gathered


@dataclass
class Place:
    """Where something was met."""

    record: int  # number of the piece in its source, from 1; rejected pieces are counted
    offset: int  # in bytes from the beginning of the source
    control: str | None  # field 001
    tag: str | None


@dataclass
class Kind:
    """One kind of problem."""

    first: Place
    count: int = 0


@dataclass
class Summary:
    """What a source holds. `size` counts all bytes that were read; each is in one of the other counts."""

    pieces: int = 0  # records and rejected pieces
    records: int = 0
    deviating: int = 0  # records with a deviation
    size: int = 0
    record_bytes: int = 0
    rejected_bytes: int = 0
    silent_bytes: int = 0
    seconds: float = 0.0
    leaders: Counter[bytes] = field(default_factory=Counter)  # leader/06-09
    tags: Counter[bytes] = field(default_factory=Counter)  # fields
    tagged: Counter[bytes] = field(default_factory=Counter)  # records that have the tag
    titles: list[str] = field(default_factory=list)  # the first ones
    rejections: dict[str, Kind] = field(default_factory=dict)
    deviations: dict[str, Kind] = field(default_factory=dict)

    @property
    def rejected(self) -> int:
        return self.pieces - self.records

    @property
    def unaccounted(self) -> int:
        """Bytes that are nowhere; not 0 would be a defect."""
        return self.size - self.record_bytes - self.rejected_bytes - self.silent_bytes

    @property
    def has_problems(self) -> bool:
        return bool(self.rejections or self.deviations or self.unaccounted)

    def add_record(self, record: Record) -> None:
        raw = record.raw or b""
        self.pieces += 1
        self.records += 1
        self.record_bytes += len(raw)
        self.leaders[raw[6:10]] += 1
        tags = _tags_of(raw)
        self.tags.update(tags)
        self.tagged.update(set(tags))
        if len(self.titles) < TITLES and record.title:
            self.titles.append(_short(record.title))
        if record.problems:
            self._add_deviations(record)

    def _add_deviations(self, record: Record) -> None:
        self.deviating += 1
        control = record.get("001")
        for problem in record.problems:
            place = Place(self.pieces, problem.byte_offset, control.data if control else None, problem.tag)
            _count(self.deviations, problem.message, place)

    def add_rejected(self, error: Any) -> None:
        """A piece that is no record: `error` as the reader gives it, with the place."""
        self.pieces += 1
        place = Place(error.record_index + 1, error.byte_offset, error.control_number, error.tag)
        _count(self.rejections, f"{type(error).__name__}: {code_message(error.code)}", place)


def _count(kinds: dict[str, Kind], name: str, place: Place) -> None:
    kinds.setdefault(name, Kind(place)).count += 1


@lru_cache(256)
def _directory(entries: int) -> struct.Struct:
    return struct.Struct(f"3s{DIRECTORY_ENTRY_LEN - 3}x" * entries)


def _tags_of(raw: bytes) -> tuple[bytes, ...]:
    """The tags of a record that was delivered, from its directory: no field is made for it."""
    entries = (int(raw[12:17]) - LEADER_LEN - 1) // DIRECTORY_ENTRY_LEN
    return _directory(entries).unpack_from(raw, LEADER_LEN)


def gather(source: Any, advance: Advance | None = None) -> Summary:
    """Reads all of a source. Raises what opening or reading it raises."""
    summary = Summary()
    begin = time.perf_counter()
    with MARCReader(source) as reader:
        for number, record in enumerate(reader):
            if record is not None:
                summary.add_record(record)
            else:
                summary.add_rejected(reader.current_exception)
            if advance is not None and number % _TICK == 0:
                stats = reader.stats
                advance(stats.bytes_delivered + stats.bytes_rejected, summary.records)
        stats = reader.stats
        summary.size, summary.rejected_bytes = stats.bytes_read, stats.bytes_rejected
        summary.silent_bytes = reader._source.info().silent_bytes
    summary.seconds = time.perf_counter() - begin
    if advance is not None:
        advance(summary.size, summary.records)
    return summary


# ---- how it is told

_TYPES = {
    "a": "language material",
    "c": "notated music",
    "d": "manuscript notated music",
    "e": "cartographic material",
    "f": "manuscript cartographic material",
    "g": "projected medium",
    "i": "nonmusical sound recording",
    "j": "musical sound recording",
    "k": "two-dimensional nonprojectable graphic",
    "m": "computer file",
    "o": "kit",
    "p": "mixed materials",
    "q": "community information",
    "r": "three-dimensional artifact or natural object",
    "t": "manuscript language material",
    "u": "holdings, unknown",
    "v": "holdings, multipart item",
    "w": "classification",
    "x": "holdings, single-part item",
    "y": "holdings, serial item",
    "z": "authority",
}
_LEVELS = {
    "a": "monographic component part",
    "b": "serial component part",
    "c": "collection",
    "d": "subunit",
    "i": "integrating resource",
    "m": "monograph or item",
    "s": "serial",
}
_NOT_BIBLIOGRAPHIC = "quvwxyz"


class Heading(str):
    """A line of a report that stands out."""

    __slots__ = ()


def report(name: str, summary: Summary) -> Iterator[str]:
    """The lines that tell what was found in `name`."""
    yield from _overview(name, summary)
    if summary.records:
        yield from _section("encodings (leader/09):", _encodings(summary))
        yield from _section("record types (leader/06-07):", _types(summary))
        yield from _section("most used tags:", _tags(summary))
        yield from _section("first titles:", (f"  {title}" for title in summary.titles))
    yield from _problems(summary)


def _overview(name: str, summary: Summary) -> Iterator[str]:
    yield f"file     {clean(name)}"
    parts = f"{summary.record_bytes:,} in records, {summary.rejected_bytes:,} rejected, "
    yield f"bytes    {summary.size:,} = {parts}{summary.silent_bytes:,} between records"
    if summary.unaccounted:
        yield f"         {summary.unaccounted:,} bytes are in none of these: a defect of libmarc"
    deviating = f" ({summary.deviating:,} with deviations)" if summary.deviating else ""
    yield f"records  {summary.records:,}{deviating}, {summary.rejected:,} pieces rejected"
    seconds = max(summary.seconds, 1e-9)
    rates = f"{summary.records / seconds:,.0f} records/s, {summary.size / seconds / 1e6:,.1f} MB/s"
    yield f"speed    {rates} ({summary.seconds:.2f} s)"
    if summary.size and not summary.records:
        yield "There is no MARC record in it."


def _section(heading: str, lines: Iterator[str]) -> Iterator[str]:
    yield ""
    yield Heading(heading)
    yield from lines


def _encodings(summary: Summary) -> Iterator[str]:
    codings: Counter[str] = Counter()
    for leader, count in summary.leaders.items():
        codings[leader[3:].decode("latin-1")] += count
    for coding, count in codings.most_common():
        name = {"a": "UTF-8", " ": "MARC-8"}.get(coding, f"MARC-8 assumed: leader/09 is {clean(coding)!r}")
        yield f"{count:12,}  {name}"


def _types(summary: Summary) -> Iterator[str]:
    types: Counter[str] = Counter()
    for leader, count in summary.leaders.items():
        types[leader[:2].decode("latin-1")] += count
    for code, count in types.most_common():
        yield f"{count:12,}  {clean(code)}  {type_in_words(code)}"


def type_in_words(code: str) -> str:
    """What leader/06-07 says, such as "am": language material, monograph or item."""
    kind = _TYPES.get(code[0], "type not defined")
    if code[0] not in _TYPES or code[0] in _NOT_BIBLIOGRAPHIC:
        return kind
    return f"{kind}, {_LEVELS.get(code[1], 'level not defined')}"


def _tags(summary: Summary) -> Iterator[str]:
    for tag, count in sorted(summary.tags.items(), key=lambda item: (-item[1], item[0]))[:TAGS]:
        records = summary.tagged[tag]
        yield f"{count:12,}  {clean(tag.decode('latin-1'))}  in {records:,} record{'s' * (records != 1)}"
    if len(summary.tags) > TAGS:
        yield f"{'':12}  and {len(summary.tags) - TAGS:,} more tags"


def _problems(summary: Summary) -> Iterator[str]:
    yield ""
    if not summary.rejections and not summary.deviations:
        yield "problems: none"
        return
    yield Heading("problems (records are numbered from 1, rejected pieces included; offsets in bytes from 0):")
    yield from _kinds("rejected", summary.rejections)
    yield from _kinds("deviation", summary.deviations)


def _kinds(sort: str, kinds: dict[str, Kind]) -> Iterator[str]:
    for name, kind in sorted(kinds.items(), key=lambda item: -item[1].count):
        yield f"{kind.count:12,}  {sort}  {name}"
        yield f"{'':12}  first: {_place_in_words(kind.first)}"


def _place_in_words(place: Place) -> str:
    words = [f"record {place.record}", f"offset {place.offset}"]
    words.append(f"001 {_short(place.control)}" if place.control else "no 001")
    if place.tag:
        words.append(f"tag {clean(place.tag)}")
    return ", ".join(words)


def clean(text: str) -> str:
    """The text as it may go to a terminal: what cannot be printed is escaped."""
    return "".join([letter if _is_printable(letter) else _escaped(letter) for letter in text])


def _short(text: str) -> str:
    return clean(text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}...")


def _is_printable(letter: str) -> bool:
    """Also the joiners: they are part of the spelling of Persian and others."""
    return letter.isprintable() or letter in "\u200c\u200d"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")
