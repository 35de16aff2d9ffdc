r"""MARCMaker text (.mrk): a line for each field, an empty line between records.

    =LDR  00714cam a2200205 a 4500
    =001  \\\12883376
    =245  10$aA title :$bthe rest costs {dollar}5

`\` is a blank in indicators, control fields and the leader. Names in braces are mnemonics: {dollar}, {lcub}, {rcub},
{bsol}, {0xHH} for a control character, and those of the Library of Congress for characters of ANSEL, whose marks stand
before the letter that they belong to, as in MARC-8: d{acute}es is dés. A name that is not known stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from libmarc._native import code_message, lib
from libmarc._odd import OddRecord, Problem
from libmarc._text_stream import TextStream
from libmarc.constants import LEADER_LEN
from libmarc.exceptions import FormatError, RecordFormatError
from libmarc.field import Field, Subfield, all_indicators_of, is_control_tag
from libmarc.leader import Leader
from libmarc.record import Record
from libmarc.writer import Writer


def _table(text: str) -> dict[str, str]:
    """Names and code points, one behind the other; a dash for none."""
    words = text.split()
    return {name: "" if code == "-" else chr(int(code, 16)) for name, code in zip(words[::2], words[1::2])}


#: Characters by the names that the Library of Congress gives them in MARCMaker.
_CHARACTERS = _table("""
    dollar 24 lcub 7B rcub 7D bsol 5C esc 1B joiner 200D nonjoin 200C Lstrok 141 Ostrok D8 Dstrok 110 THORN DE AElig C6
    OElig 152 softsign 2B9 middot B7 flat 266D reg AE plusmn B1 Ohorn 1A0 Uhorn 1AF mlrhring 2BC alif 2BC mllhring 2BB
    ayn 2BB lstrok 142 ostrok F8 dstrok 111 thorn FE aelig E6 oelig 153 hardsign 2BA inodot 131 pound A3 eth F0
    ohorn 1A1 uhorn 1B0 deg B0 scriptl 2113 phono 2117 copy A9 sharp 266F iquest BF iexcl A1 esszett DF euro 20AC
    """)
#: Marks, which are written before their letter. Of a mark over two letters the first half says it all.
_MARKS = _table("""
    hooka 309 grave 300 acute 301 circ 302 tilde 303 macr 304 breve 306 dot 307 uml 308 diaer 308 caron 30C ring 30A
    llig 361 rlig - rcommaa 315 dblac 30B candra 310 cedil 327 ogon 328 dotb 323 dbldotb 324 ringb 325 dblunder 333
    under 332 commab 326 rcedil 31C breveb 32E ldbltil 360 rdbltil - commaa 313
    """)
_MNEMONIC = re.compile(r"\{(0x[0-9A-Fa-f]{2}|[A-Za-z]+)\}")
_TAG = re.compile(rf"=((?:{_MNEMONIC.pattern}|.){{3}})", re.DOTALL)
_SPECIAL = re.compile(r"[\x00-\x1f\x7f$\\{}]")
_NAMES = {"$": "{dollar}", "{": "{lcub}", "}": "{rcub}", "\\": "{bsol}"}
_LEADER = "=LDR"
_LINE_END = re.compile(r"\r\n|\n|\r")


def from_mnemonics(text: str) -> str:
    """The text with the characters that its mnemonics stand for; composed (NFC) where there are marks among them."""
    if "{" not in text:
        return text
    parts: list[str] = []
    marks = ""
    at, has_marks = 0, False
    for match in _MNEMONIC.finditer(text):
        marks = _put(parts, text[at : match.start()], marks)
        at, name = match.end(), match[1]
        if name in _MARKS:
            marks += _MARKS[name]
            has_marks = True
        else:
            char = chr(int(name, 16)) if name.startswith("0x") else _CHARACTERS.get(name, match[0])
            marks = _put(parts, char, marks)
    marks = _put(parts, text[at:], marks)
    whole = "".join(parts) + marks
    return unicodedata.normalize("NFC", whole) if has_marks else whole


def _put(parts: list[str], text: str, marks: str) -> str:
    """Adds text; `marks` go behind its first character. Returns those that wait for text to come."""
    if not text:
        return marks
    parts.append(text[0] + marks + text[1:])
    return ""


def to_mnemonics(text: str) -> str:
    """The text as it can stand anywhere in a line: what would be misread there by its mnemonic."""
    return _SPECIAL.sub(lambda match: _NAMES.get(match[0]) or f"{{0x{ord(match[0]):02X}}}", text)


def _to_blanked(text: str) -> str:
    return to_mnemonics(text).replace(" ", "\\")


def _from_blanked(text: str) -> str:
    return from_mnemonics(text.replace("\\", " "))


def record_to_mrk(record: Record) -> str:
    """A record as lines of MARCMaker with mnemonics, each with its line end: what MARCMaker text can be read back from.

    (str(record) is pymarc's form, in which `$`, braces and backslashes in the data can be misread.)
    """
    lines = [f"{_LEADER}  {to_mnemonics(str(record.leader))}\n"]
    for field in record.fields:
        if field.control_field:
            content = _to_blanked(field.data or "")
        else:
            first, second = field.indicators or (" ", " ")
            parts = [f"${to_mnemonics(code)}{to_mnemonics(value)}" for code, value in field.subfields]
            content = f"{_to_blanked(first)}{_to_blanked(second)}{''.join(parts)}"
        tag = f"={to_mnemonics(field.tag)}"
        lines.append(f"{tag if tag != _LEADER else '={0x4C}DR'}  {content}\n")  # not the leader of the next record
    return "".join(lines)


class MARCMakerWriter(Writer):
    """Writes MARCMaker text with mnemonics to a text file, with an empty line between records: every record can be read
    back, by `libmarc.read` too."""

    def __init__(self, file_handle: Any) -> None:
        super().__init__(file_handle)
        self._written = False

    def write(self, record: Record) -> None:
        super().write(record)
        if self.file_handle:
            self.file_handle.write(f"\n{record_to_mrk(record)}" if self._written else record_to_mrk(record))
            self._written = True


class MarcMakerStream:
    """An iterator over the records of MARCMaker text. A record with a line that is no field raises RecordFormatError;
    the next call goes on behind it. What the stream raises comes out unchanged, and the next call goes on."""

    def __init__(
        self, read: Callable[[int], Any], encoding: str | None = None, largest: int = 64 << 20, begin: str = ""
    ) -> None:
        """`read`: as TextStream takes it, and `encoding`. `largest`: characters of a record. `begin`: text before."""
        self._stream = TextStream(read, encoding)
        self._largest = largest
        self._lines: deque[str] = deque()
        self._rest = [begin]  # of the last line, in the pieces in which it came
        self._size = len(begin)  # characters of it
        self._after_return = False  # the last piece ended in CR: an LF that follows belongs to it
        self._block: list[tuple[int, str]] = []  # lines of the record that is being read, with their numbers
        self._block_size = 0
        self._number = 0  # lines that were taken
        self._count = 0  # records, read or not
        self._failure: FormatError | None = None  # of the text, behind the records before it
        self._ended = False

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        while not self._ended:
            while self._lines:
                line = self._lines[0]
                starts_anew = line.startswith(_LEADER) and bool(self._block)
                if self._block and (starts_anew or not line.strip()):
                    return self._finish()
                self._lines.popleft()
                self._number += 1
                if line.strip():
                    self._block.append((self._number, line))
                    self._block_size += len(line)
            if self._failure is not None:
                self._ended = True
                self._failure.record_index = self._count
                raise self._failure
            if self._stream.ended:
                if self._block:
                    return self._finish()
                self._ended = True
                raise StopIteration
            self._fetch()
        raise StopIteration

    def _fetch(self) -> None:
        text = self._stream.next_text()
        if self._after_return and text:
            text = text.removeprefix("\n")
        self._after_return = text.endswith("\r") if text else self._after_return
        first, *others = _LINE_END.split(text)
        self._rest.append(first)
        self._size += len(first)
        failure = self._stream.failure
        if others or (self._stream.ended and failure is None):
            self._lines.append("".join(self._rest).removeprefix("\ufeff"))
            self._lines.extend(others[:-1])
            self._rest = others[-1:]
            self._size = sum(map(len, self._rest))
        if failure is not None:  # it cuts a record in the line that has not ended
            self._failure = self._text_failure(failure)
        if self._size + self._block_size > self._largest:
            self._failure = FormatError(
                f"a record of more than {self._largest} characters; see largest_record", self._count, None, self._number
            )
            self._block, self._block_size = [], 0

    def _text_failure(self, problem: UnicodeDecodeError) -> FormatError:
        line, column = self._number + len(self._lines) + 1, self._size + 1
        what = f"this is no MARCMaker text: {problem.reason} (line {line}, column {column})"
        failure = FormatError(what, None, None, line, column)
        failure.__cause__ = problem
        return failure

    def _finish(self) -> Record:
        block, self._block, self._block_size = self._block, [], 0
        self._count += 1
        fields: list[tuple[int, str]] = []
        for number, line in block:
            if line.startswith("="):
                fields.append((number, line))
            elif fields:  # a field goes on in the next line
                fields[-1] = (fields[-1][0], f"{fields[-1][1]} {line.strip()}")
            else:
                raise self._error(number, line, "a line that begins no field")
        record = Record()
        for number, line in fields:
            self._read_line(record, number, line)
        return record

    def _read_line(self, record: Record, number: int, line: str) -> None:
        tag, rest = split_tag(line)
        if rest[:2].strip(" \t") or len(tag) < 3:
            raise self._error(number, line, "two blanks are expected behind the tag")
        content = rest[2:]
        if line.startswith(_LEADER):  # as it stands: with mnemonics in it, it is a tag
            put_leader(record, _from_blanked(content))
        elif is_control_tag(tag):
            record.fields.append(Field(tag, data=_from_blanked(content)))
        else:
            head, *parts = content.split("$")
            indicators = _from_blanked(head)
            if len(indicators) > 2 and str(len(indicators)) != str(record.leader)[10]:
                raise self._error(number, line, "text before the first subfield")
            subfields = [_subfield(part) for part in parts]
            if not all(code for code, _ in subfields):
                raise self._error(number, line, "a subfield without a code")
            record.fields.append(Field(tag, all_indicators_of(indicators), subfields))

    def _error(self, number: int, line: str, what: str) -> RecordFormatError:
        message = f"this is no MARCMaker field: {what}, line {number}: {line[:80]!r}"
        return RecordFormatError(message, self._count - 1, None, number, 1)


def split_tag(line: str) -> tuple[str, str]:
    """The tag of a line that begins with "=", in which mnemonics can stand, and what follows it."""
    match = _TAG.match(line)
    if match is not None:
        tag = from_mnemonics(match[1])
        if len(tag) == 3:
            return tag, line[match.end() :]
    return line[1:4], line[4:]  # a brace is a brace


def _subfield(part: str) -> Subfield:
    """The code is one character, or a mnemonic."""
    match = _MNEMONIC.match(part)
    size = match.end() if match is not None else 1
    return Subfield(from_mnemonics(part[:size]), from_mnemonics(part[size:]))


def put_leader(record: Record, leader: str) -> None:
    """Gives a record its leader. One that has not 24 characters is made to fit, and the record says so."""
    if len(leader) != LEADER_LEN:
        leader = leader.strip()[:LEADER_LEN].ljust(LEADER_LEN)
        code = lib.MARC_NOTE_LEADER_LENGTH
        record._odd = OddRecord((Problem(code, 0, None, code_message(code)),), [], "utf-8", repaired=True)
    record.leader = Leader(leader)
