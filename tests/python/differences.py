"""Where libmarc's answers differ from those of pymarc 5.4 and of yaz-marcdump, over whole files and by named kinds.

Every piece of a file, as either side cuts it, is compared: where it begins and ends, whether it is a record, and the
leader, tags, indicators, subfields and data of the record. A difference has one of the kinds below, each with a
condition of its own. What meets none of the conditions is UNEXPLAINED. docs/differences.md says what the kinds mean.

usage: python tests/python/differences.py [FILE ...]    prints the counts; without files, those of the document
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import boundary_reference
from corpus import CACHE, LOC_NAME, SHARED
from pieces import pieces_of_bytes
from pymarc_oracle import as_pymarc_should, flat, pymarc

import libmarc
from libmarc import MARCReader
from libmarc._native import lib

T = TypeVar("T")

UNEXPLAINED = "unexplained"

#: The kinds, for each of the others, in the order of the document.
KINDS = {
    "pymarc": (
        "record-behind-stop",
        "piece-behind-stop",
        "record-swallowed",
        "piece-swallowed",
        "silent-bytes-before",
        "silent-bytes-at-end",
        "foreign-format",
        "five-bytes",
        "stated-length",
        "truncated-class",
        "length-below-five",
        "terminator-inside",
        "start-inside",
        "overlapping-fields",
        "marc8-lost",
    ),
    "yaz": (
        "yaz-record-behind-stop",
        "yaz-piece-behind-stop",
        "yaz-record-swallowed",
        "yaz-piece-swallowed",
        "yaz-no-digit-first",
        "yaz-digit-in-piece",
        "yaz-record-in-piece",
        "yaz-foreign-format",
        "yaz-piece-skipped",
        "yaz-reads-on",
        "yaz-start-inside",
        "yaz-byte-above-7f",
        "yaz-invalid-utf-8",
        "yaz-no-directory",
        "yaz-overlapping-fields",
        "yaz-leader-default",
        "yaz-indicator-count",
        "yaz-code-length",
        "yaz-bytes-before-code",
        "yaz-terminator-in-field",
        "yaz-nul",
        "yaz-subfields-in-001",
        "yaz-code-above-7f",
        "yaz-letter-in-00x",
        "yaz-damaged-record",
    ),
}

SILENT = b"\0 \t\r\n\x1a\x1d"
LARGEST = 99_999  # bytes of a record, as far as its leader can say
BOM = b"\xef\xbb\xbf"

#: Problems of a record whose leader, directory and fields do not agree.
DAMAGED = {lib.MARC_NOTE_FRAMING, lib.MARC_NOTE_DIRECTORY_EXTENT, lib.MARC_NOTE_FIELD_END, lib.MARC_NOTE_FIELD_RANGE}


class Answer(NamedTuple):
    """What a reader makes of a part of a file."""

    begin: int
    end: int
    record: Any  # None: it says that there is none
    error: Exception | None = None
    number: int = 0  # from 1


class Difference(NamedTuple):
    kind: str
    file: str
    number: int  # of the piece from 1, as libmarc counts; as the other does where libmarc has none
    offset: int


@dataclass
class Comparison:
    """The result for some files. Results add up."""

    peer: str
    files: int = 0
    size: int = 0
    ours: Counter[str] = field(default_factory=Counter)  # "record", "none"
    theirs: Counter[str] = field(default_factory=Counter)
    alike: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def add(self, other: Comparison) -> None:
        self.files += other.files
        self.size += other.size
        self.ours += other.ours
        self.theirs += other.theirs
        self.alike += other.alike
        self.differences += other.differences

    def of(self, kind: str) -> list[Difference]:
        return [difference for difference in self.differences if difference.kind == kind]

    def counts(self) -> dict[str, tuple[int, int]]:
        """How often, and in how many files, by kind; only kinds that occur."""
        found = {kind: self.of(kind) for kind in (*KINDS[self.peer], UNEXPLAINED)}
        return {kind: (len(some), len({one.file for one in some})) for kind, some in found.items() if some}


# ---- what is compared ----


def whole_corpus() -> list[Path]:
    """Every file of the corpus, MARCXML, JSON, MARCMaker text and compressed files included; [] where it is absent."""
    return sorted(path for path in (SHARED / "corpus").glob("*/*") if path.is_file())


def name_of(path: Path) -> str:
    """As it stands in the document: folder and name of a file of the corpus."""
    return "/".join(path.parts[-2:]) if SHARED / "corpus" in path.parents else path.name


def is_foreign(error: Exception | None) -> bool:
    """Whether libmarc rejects the input as something else than ISO 2709."""
    return bool(lib.MARC_BAD_UTF16 <= getattr(error, "code", 0) <= lib.MARC_BAD_GZIP)


# ---- the three readers ----


def answers_of_libmarc(data: bytes) -> Iterator[Answer]:
    """In the default mode."""
    reader = MARCReader(data)
    pieces = (piece for piece in pieces_of_bytes(data) if piece.kind != "more")
    for piece, record in zip(pieces, reader, strict=True):
        raw = reader.current_chunk if record is None else record.raw
        assert raw == data[piece.begin : piece.end]
        yield Answer(piece.begin, piece.end, record, reader.current_exception, piece.index + 1)


def answers_of_pymarc(data: bytes) -> Iterator[Answer]:
    """Until it ends, or stops for good."""
    file = io.BytesIO(data)
    reader = pymarc.MARCReader(file, hide_utf8_warnings=True)
    begin = 0
    for number, record in enumerate(reader, 1):
        yield Answer(begin, file.tell(), record, reader.current_exception, number)
        begin = file.tell()


_PLACE = re.compile(rb"<!-- Record \d+ offset (\d+) ")


def answers_of_yaz(path: Path, data: bytes) -> Iterator[Answer]:
    """As yaz-marcdump reads a file. With -p it says where it takes a record to begin. Its JSON keeps all bytes except
    NUL, and has them as they stood, so it is read as Latin-1."""
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}  # of a sanitizer
    command = ["yaz-marcdump", "-p", "-o", "json", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        begin, number = -1, 0
        text: list[bytes] = []
        for line in process.stdout:
            if not line.startswith(b"<!--"):
                text.append(line)
                continue
            if begin >= 0:
                yield Answer(begin, _end_of_yaz(data, begin), _record_of_yaz(text), None, number)
            begin = -1
            text.clear()
            if place := _PLACE.match(line):
                begin = int(place[1])
                number += 1
        if begin >= 0:
            yield Answer(begin, _end_of_yaz(data, begin), _record_of_yaz(text), None, number)


def _end_of_yaz(data: bytes, begin: int) -> int:
    """Behind the length that the first five bytes state (of which yaz takes the digits), read on to the next 0x1D."""
    length = int(bytes(byte for byte in data[begin : begin + 5] if 48 <= byte <= 57))
    return data.find(b"\x1d", begin + length - 1) + 1 or len(data)


def _record_of_yaz(lines: list[bytes]) -> tuple[str, list[tuple[Any, ...]]] | None:
    """Leader and fields, as `bytes_of_record` gives them."""
    text = b"".join(lines).decode("latin-1")
    if not text.strip():
        return None
    record = json.loads(text, strict=False)
    fields: list[tuple[Any, ...]] = []
    for entry in record["fields"]:
        ((tag, content),) = entry.items()
        if isinstance(content, str):
            fields.append((tag, content))
        else:
            indicators = "".join(value for name, value in sorted(content.items()) if name.startswith("ind"))
            fields.append((tag, indicators, [next(iter(subfield.items())) for subfield in content["subfields"]]))
    return record["leader"], fields


def bytes_of_record(record: Any) -> tuple[str, list[tuple[Any, ...]]]:
    """Leader and fields of a record of ours, with a character for each byte."""
    leader = str(record.leader)
    if leader[9] != "a":
        record = libmarc.Record(record.raw, to_unicode=False)
        return leader, [_field_as(one, lambda text: text.decode("latin-1")) for one in record.fields]
    return leader, [_field_as(one, lambda text: text.encode().decode("latin-1")) for one in record.fields]


def _field_as(one: Any, text: Callable[[str], str]) -> tuple[Any, ...]:
    if one.control_field:
        return one.tag, text(one.data)
    return one.tag, "".join(one.indicators), [(code, text(value)) for code, value in one.subfields]


# ---- comparing ----


class Pair(NamedTuple):
    """What both sides say of a place where at least one of them begins, and what each said last before it."""

    ours: Answer | None
    theirs: Answer | None
    our_last: Answer | None
    their_last: Answer | None
    they_ended: bool  # they say nothing any more, from here on


def pairs(ours: Iterator[Answer], theirs: Iterator[Answer]) -> Iterator[Pair]:
    our_last = their_last = None
    one, other = next(ours, None), next(theirs, None)
    while one is not None or other is not None:
        takes_one = one is not None and (other is None or one.begin <= other.begin)
        takes_other = other is not None and (one is None or other.begin <= one.begin)
        yield Pair(one if takes_one else None, other if takes_other else None, our_last, their_last, other is None)
        if takes_one:
            our_last, one = one, next(ours, None)
        if takes_other:
            their_last, other = other, next(theirs, None)


def compare(
    peer: str, name: str, data: bytes, theirs: Iterator[Answer], kinds_of: Callable[[bytes, Pair], set[str]]
) -> Comparison:
    result = Comparison(peer, files=1, size=len(data))
    for pair in without_warnings(pairs(answers_of_libmarc(data), theirs)):
        kinds = kinds_of(data, pair)
        if pair.ours is not None:
            result.ours[_sort(pair.ours)] += 1
            if not kinds:
                result.alike[_sort(pair.ours)] += 1
        if pair.theirs is not None:
            result.theirs[_sort(pair.theirs)] += 1
        place = pair.ours or pair.theirs
        assert place is not None
        result.differences += [Difference(kind, name, place.number, place.begin) for kind in sorted(kinds)]
    return result


def without_warnings(found: Iterable[T]) -> Iterator[T]:
    """Without the warnings and log lines of pymarc, from either side."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The subfield contained a non-ASCII subfield code")
        logger = logging.getLogger("pymarc")
        was, logger.disabled = logger.disabled, True
        try:
            yield from found
        finally:
            logger.disabled = was


def _sort(answer: Answer) -> str:
    return "none" if answer.record is None else "record"


# ---- beside pymarc ----


def compare_pymarc(name: str, data: bytes) -> Comparison:
    return compare("pymarc", name, data, answers_of_pymarc(data), kinds_beside_pymarc)


def kinds_beside_pymarc(data: bytes, pair: Pair) -> set[str]:
    ours, theirs, our_last, their_last, _ = pair
    if ours is None:
        assert theirs is not None
        return {_of_pymarc_alone(data, theirs, our_last)}
    if theirs is None:
        return {_of_libmarc_alone(data, ours, their_last)}
    if ours.record is not None and theirs.record is not None and ours.end == theirs.end:
        return _of_two_records(ours.record, theirs.record)
    if length_of(data, theirs) < 5 and ours.end < theirs.end == len(data):  # pymarc then reads to the end of its input
        return {"length-below-five"}
    if theirs.record is None:
        return _of_two_errors(data, ours, theirs) if ours.record is None else {UNEXPLAINED}
    if ours.end < theirs.end:
        return {"terminator-inside"}
    return {"overlapping-fields" if getattr(ours.error, "code", 0) == lib.MARC_BAD_OVERLAP else UNEXPLAINED}


def next_start(data: bytes) -> int:
    """Where in `data` a leader and its directory prove each other, behind silent bytes at most; -1 if nowhere."""
    start = min(boundary_reference.verified_starts(data[: 2 * LARGEST]), default=-1)
    return start if start >= 0 and not data[:start].strip(SILENT) else -1


def begins_another(data: bytes, ours: Answer, theirs: Answer) -> bool:
    """Whether libmarc ends a piece before the end of theirs, because another record begins there."""
    return ours.end < theirs.end and next_start(data[ours.end :]) >= 0


def length_of(data: bytes, answer: Answer) -> int:
    """As pymarc takes it from the leader; the largest where there is none."""
    try:
        return int(data[answer.begin :][:5])
    except ValueError:
        return LARGEST


def _of_pymarc_alone(data: bytes, theirs: Answer, our_last: Answer | None) -> str:
    """pymarc begins a piece where libmarc has passed over silent bytes."""
    left = data[theirs.begin :]
    if theirs.begin != (our_last.end if our_last else 0) or next_start(left) == 0:
        return UNEXPLAINED
    if theirs.record is None and left.strip(SILENT) == b"":
        return "silent-bytes-at-end"
    return "silent-bytes-before" if left.startswith((*map(bytes, zip(SILENT)), BOM)) else UNEXPLAINED


def _of_libmarc_alone(data: bytes, ours: Answer, their_last: Answer | None) -> str:
    assert their_last is not None
    if is_fatal(their_last) and ours.begin >= their_last.end:
        return "piece-behind-stop" if ours.record is None else "record-behind-stop"  # pymarc never goes on
    if ours.begin >= their_last.end:
        return UNEXPLAINED
    if is_foreign(ours.error):  # behind a byte order mark
        return "foreign-format"
    if their_last.record is not None and length_of(data, their_last) >= 5:
        return "terminator-inside"
    return "piece-swallowed" if ours.record is None else "record-swallowed"


def _of_two_records(ours: Any, theirs: Any) -> set[str]:
    if str(ours.leader) != str(theirs.leader):
        return {UNEXPLAINED}
    if flat(ours) == flat(theirs):
        return set()
    return {"marc8-lost" if flat(ours) == as_pymarc_should(theirs, ours.raw) else UNEXPLAINED}


def is_fatal(answer: Answer) -> bool:
    """Whether pymarc stops behind it."""
    return isinstance(answer.error, pymarc.exceptions.FatalReaderError)


def _of_two_errors(data: bytes, ours: Answer, theirs: Answer) -> set[str]:
    kinds = set()
    our_class, their_class = type(ours.error).__name__, type(theirs.error).__name__
    if our_class == their_class:
        if not str(ours.error).startswith(str(theirs.error)):
            kinds.add(UNEXPLAINED)
    elif begins_another(data, ours, theirs):
        return {"start-inside"}
    elif ours.end < theirs.end and our_class == "EndOfRecordNotFound" and not is_fatal(theirs):
        return {"terminator-inside"}
    elif (our_class, their_class) == ("EndOfRecordNotFound", "TruncatedRecord"):
        # Something follows the piece, if only a newline; the stated length reaches beyond that too.
        kinds.add("truncated-class" if ours.end < len(data) == theirs.end else UNEXPLAINED)
    else:
        kinds.add(UNEXPLAINED)
    if ours.end != theirs.end and "truncated-class" not in kinds:
        if their_class == "RecordLengthInvalid" and theirs.end == theirs.begin + 5:
            kinds.add("foreign-format" if is_foreign(ours.error) else "five-bytes")
        elif their_class == "EndOfRecordNotFound" and theirs.end == theirs.begin + length_of(data, theirs):
            kinds.add("stated-length")
        else:
            kinds.add(UNEXPLAINED)
    return kinds


# ---- beside yaz-marcdump ----


def compare_yaz(name: str, path: Path) -> Comparison:
    data = path.read_bytes()
    return compare("yaz", name, data, answers_of_yaz(path, data), kinds_beside_yaz)


def kinds_beside_yaz(data: bytes, pair: Pair) -> set[str]:
    ours, theirs, our_last, _, _ = pair
    if ours is None:
        assert theirs is not None
        # It passes over bytes until there is a digit, and takes five bytes from there for a length.
        if our_last is None or theirs.begin >= our_last.end:
            return {UNEXPLAINED}
        if our_last.record is not None:
            return {UNEXPLAINED if begins_with_digit(data, our_last) else "yaz-no-digit-first"}
        return {"yaz-digit-in-piece" if theirs.record is None else "yaz-record-in-piece"}
    if theirs is None:
        return {_of_libmarc_beside_yaz(data, pair)}
    if ours.record is None:
        if theirs.record is None:
            return set()
        return {"yaz-start-inside" if begins_another(data, ours, theirs) else _of_yaz_record(ours)}
    if theirs.record is None or ours.end != theirs.end:
        return {UNEXPLAINED}
    kinds = _of_two_readings(bytes_of_record(ours.record), theirs.record)
    if UNEXPLAINED in kinds and any(problem.code in DAMAGED for problem in ours.record.problems):
        return {"yaz-damaged-record"}
    if UNEXPLAINED in kinds and theirs.record[0][11] != "2":
        return {"yaz-code-length"}
    return kinds


def _of_libmarc_beside_yaz(data: bytes, pair: Pair) -> str:
    """yaz begins nothing where libmarc has a piece."""
    ours, their_last = pair.ours, pair.their_last
    assert ours is not None
    # Where it finds no end, or a length that cannot be, it stops for good. It then has no record.
    stopped = pair.they_ended and their_last is not None and their_last.record is None
    inside = their_last is not None and ours.begin < their_last.end
    if ours.record is not None:
        if not stopped and not inside:
            return UNEXPLAINED if begins_with_digit(data, ours) else "yaz-no-digit-first"
        return "yaz-record-behind-stop" if stopped else "yaz-record-swallowed"
    if is_foreign(ours.error):
        return "yaz-foreign-format"
    if not stopped and not inside:
        return UNEXPLAINED if begins_with_digit(data, ours) and ours.end >= ours.begin + 5 else "yaz-piece-skipped"
    return "yaz-piece-behind-stop" if stopped else "yaz-piece-swallowed"


def begins_with_digit(data: bytes, answer: Answer) -> bool:
    return 48 <= data[answer.begin] <= 57


def _of_yaz_record(ours: Answer) -> str:
    """yaz gives a record where libmarc, like pymarc, rejects the piece."""
    code = getattr(ours.error, "code", 0)
    if code == lib.MARC_BAD_END_NOT_FOUND:
        return "yaz-reads-on"
    if code == lib.MARC_BAD_TEXT:
        return "yaz-invalid-utf-8"
    if code in (lib.MARC_BAD_LEADER_TEXT, lib.MARC_BAD_INDICATOR_TEXT):
        return "yaz-byte-above-7f"
    if code == lib.MARC_BAD_OVERLAP:
        return "yaz-overlapping-fields"
    return "yaz-no-directory" if lib.MARC_BAD_NO_FIELDS <= code <= lib.MARC_BAD_BASE_NUMBER else UNEXPLAINED


Reading = tuple[str, list[tuple[Any, ...]]]


def _of_two_readings(ours: Reading, theirs: Reading) -> set[str]:
    kinds = set()
    leader, fields = ours
    if leader != theirs[0]:
        kinds.add("yaz-leader-default" if _with_defaults(leader) == theirs[0] else UNEXPLAINED)
    if len(fields) != len(theirs[1]):
        kinds.add(UNEXPLAINED)
    for one, other in zip(fields, theirs[1], strict=False):
        if one != other:
            kinds |= _of_two_fields(leader, one, other)
    return kinds


def _with_defaults(leader: str) -> str:
    """With what yaz puts in place of what is not allowed there, apart from the base address: of control characters and
    bytes above 0x7F, and of what is no digit in the places of numbers."""
    return "".join(
        usual if (not one.isdigit() if usual.isdigit() and position < 23 else not " " <= one <= "\x7f") else one
        for position, (one, usual) in enumerate(zip(leader, "00000aaa##2200000###4500"))
    )


def _of_two_fields(leader: str, ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> set[str]:
    if "\0" in ours[0] or until_nul(ours) == theirs:
        return {"yaz-nul"}
    if ours[0] != theirs[0]:
        return {UNEXPLAINED}
    if len(ours) == len(theirs) == 2:
        return {"yaz-terminator-in-field" if re.split("[\x1d\x1e]", ours[1])[0] == theirs[1] else UNEXPLAINED}
    if len(ours) == 2:
        return {"yaz-subfields-in-001" if "\x1f" in ours[1] else UNEXPLAINED}
    if len(theirs) == 2:
        return {"yaz-letter-in-00x" if ours[0].startswith("00") else UNEXPLAINED}
    (_, indicators, subfields), (_, their_indicators, their_subfields) = ours, theirs
    # Not two bytes before the first 0x1F: that of a code becomes an indicator, or a byte of the rest a delimiter.
    if "\x1f" in their_indicators or (indicators == their_indicators and subfields == their_subfields[1:]):
        return {"yaz-bytes-before-code"}
    kinds = set()
    if subfields != their_subfields and until_terminator(subfields) == their_subfields:
        kinds.add("yaz-terminator-in-field")
        their_subfields = subfields
    if indicators != their_indicators:
        counted = leader[10] == str(len(their_indicators)) and their_indicators.startswith(indicators)
        kinds.add("yaz-indicator-count" if counted else UNEXPLAINED)
    if subfields != their_subfields:
        pairwise = list(zip_longest(subfields, their_subfields, fillvalue=("", "")))
        alike = all(one == other or (one[1] == other[1] and not other[0].isascii()) for one, other in pairwise)
        kinds.add("yaz-code-above-7f" if alike else UNEXPLAINED)
    return kinds


def until_terminator(subfields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without what follows an 0x1D or 0x1E."""
    kept = []
    for code, value in subfields:
        before = re.split("[\x1d\x1e]", code + value)[0]
        if before:
            kept.append((before[:1], before[1:]))
        if before != code + value:
            break
    return kept


def until_nul(one: Any) -> Any:
    """Every string as C has it."""
    if isinstance(one, str):
        return one.split("\0")[0]
    return type(one)(map(until_nul, one))


# ---- everything ----


def compare_corpus() -> list[Comparison]:
    """The whole corpus with pymarc and with yaz-marcdump."""
    totals = [Comparison("pymarc"), Comparison("yaz")]
    for path in whole_corpus():
        totals[0].add(compare_pymarc(name_of(path), path.read_bytes()))
        totals[1].add(compare_yaz(name_of(path), path))
    return totals


def report(title: str, result: Comparison) -> str:
    """The lines of the document's tables."""
    lines = [
        f"{title} beside {result.peer}: {result.files} files, {result.size} bytes",
        f"  libmarc {dict(result.ours)}, {result.peer} {dict(result.theirs)}, alike {dict(result.alike)}",
    ]
    for kind, (pieces, files) in result.counts().items():
        first = result.of(kind)[0]
        lines.append(f"  | `{kind}` | {pieces} | {files} | `{first.file}`, {first.number}, {first.offset} |")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    results: list[tuple[str, Comparison]] = []
    if arguments:
        for path in map(Path, arguments):
            results.append((path.name, compare_pymarc(path.name, path.read_bytes())))
            results.append((path.name, compare_yaz(path.name, path)))
    else:
        if not whole_corpus():
            sys.exit(f"the corpus is not at {SHARED / 'corpus'} (LIBMARC_SHARED names the folder)")
        results += [("corpus", result) for result in compare_corpus()]
        if (CACHE / LOC_NAME).is_file():
            path = CACHE / LOC_NAME
            results.append((LOC_NAME, compare_pymarc(path.name, path.read_bytes())))
            results.append((LOC_NAME, compare_yaz(path.name, path)))
    for title, result in results:
        print(report(title, result))
        for difference in result.of(UNEXPLAINED):
            print("   ", difference)
    return 1 if any(result.of(UNEXPLAINED) for _, result in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
