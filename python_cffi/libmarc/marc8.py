"""MARC-8, the encoding of MARC records before Unicode: into text, by pymarc's rule or by the tables, and back."""

from __future__ import annotations

import sys
import unicodedata
from typing import Any, NamedTuple

from libmarc._native import ffi, lib, new_error, raise_error
from libmarc.constants import SUBFIELD_INDICATOR

_OPTIONS_SIZE = ffi.sizeof("marc_marc8_options")
_VIEW_SIZE = ffi.sizeof("marc_conversion_view")

#: What becomes of characters that MARC-8 does not have.
UNMAPPABLE = {
    "strict": lib.MARC_UNMAPPABLE_ERROR,
    "xmlcharrefreplace": lib.MARC_UNMAPPABLE_REFERENCE,
    "replace": lib.MARC_UNMAPPABLE_REPLACE,
}


def marc8_to_unicode(marc8: bytes, hide_utf8_warnings: bool = False) -> str:
    """The text of MARC-8, such as one subfield, in Normalization Form C.

    Bytes that mean nothing become blanks, and a line on standard error each unless ``hide_utf8_warnings``.
    UnicodeDecodeError where the text ends within an escape sequence.
    """
    try:
        return MARC8ToUnicode(quiet=hide_utf8_warnings).translate(marc8)
    except TypeError as problem:
        reason = "invalid multibyte character encoding"
        raise UnicodeDecodeError("marc8_to_unicode", marc8, 0, len(marc8), reason) from problem


class MARC8ToUnicode:
    """A converter that remembers from one text to the next which sets are in use: ``g0`` and ``g1``, named by the final
    byte of their escape sequences. ``quiet``: no lines on standard error."""

    basic_latin = 0x42
    ansel = 0x45

    def __init__(self, G0: int = basic_latin, G1: int = ansel, quiet: bool = False) -> None:
        self.g0 = G0
        self.g0_set = {b"(", b",", b"$"}
        self.g1 = G1
        self.g1_set = {b")", b"-", b"$"}
        self.quiet = quiet

    def translate(self, marc8_string: bytes | str) -> str:
        """The text. TypeError where it ends within an escape sequence.

        Of a ``str`` each character is taken for a byte, as pymarc does: there are no escape sequences in it, and
        what is above U+00FF means nothing.
        """
        if not marc8_string:
            return ""
        content = _bytes_of(marc8_string) if isinstance(marc8_string, str) else marc8_string
        options = _options(g0=self.g0, g1=self.g1)
        conversion = _convert(lib.marc_marc8_to_utf8, content, options)
        self.g0, self.g1 = conversion.g0, conversion.g1
        findings = conversion.findings
        if isinstance(marc8_string, str):
            findings = [_finding_in(marc8_string, finding) for finding in findings]
        report_findings(findings, len(marc8_string), self.quiet)
        if conversion.stopped:
            raise TypeError("the text ends within an escape sequence")
        return str(conversion.data, "utf-8")


def decode_marc8(content: bytes) -> tuple[str, list[Finding]]:
    """The best answer: the text as the tables of the Library of Congress have it, and the places that mean nothing,
    which are U+FFFD in the text. Nothing is raised, also not where the text ends within an escape sequence.

    References (``&#x2014;``) are expanded. A mark over two letters is one character, U+0361 or U+0360, where pymarc's
    answer has two halves (U+FE20 and U+FE21, U+FE22 and U+FE23).
    """
    conversion = _convert(lib.marc_marc8_to_utf8, content, _options(rule=lib.MARC_PARSE_BEST))
    return str(conversion.data, "utf-8"), conversion.findings


def unicode_to_marc8(text: str, errors: str = "strict") -> bytes:
    """The text in MARC-8: it begins and ends in the default sets, and escape sequences stand only where they must.

    ``errors`` says what becomes of a character that MARC-8 does not have: "strict" raises UnicodeEncodeError,
    "xmlcharrefreplace" writes ``&#xHHHH;`` as the specification has it, "replace" writes ``?``. LookupError for any
    other. A surrogate is no character: UnicodeEncodeError, whatever `errors` says.

    decode_marc8() gives the text back in Normalization Form C, with two exceptions. The halves of a mark over two
    letters, U+FE20 with U+FE21 and U+FE22 with U+FE23, come back as the one character U+0361 or U+0360. What looks
    like a reference in the text itself, ``&#x2014;``, is written as it stands, and comes back as that character.
    """
    if errors not in UNMAPPABLE:
        raise LookupError(f"errors is one of {', '.join(map(repr, UNMAPPABLE))}, not {errors!r}")
    content = text.encode("utf-8")
    try:
        return _convert(lib.marc_utf8_to_marc8, content, _options(unmappable=UNMAPPABLE[errors])).data
    except _Unmappable as problem:
        at = len(content[: problem.offset].decode("utf-8"))
        reason = f"MARC-8 does not have U+{problem.character:04X}"
        if unicodedata.combining(text[at]) and not _has_base(text, at):
            reason += " without a letter before it"
        raise UnicodeEncodeError("marc8", text, at, at + 1, reason) from None


def _has_base(text: str, at: int) -> bool:
    """Whether a letter stands before the mark there. A subfield code is none."""
    return at > 0 and text[at - 1] >= " " and text[at - 2 : at - 1] != SUBFIELD_INDICATOR


class Finding(NamedTuple):
    """A place in a text that could not be converted: marc_finding."""

    offset: int
    code: int
    kind: int
    g0: int
    g1: int


class _Conversion(NamedTuple):
    data: bytes
    findings: list[Finding]
    g0: int
    g1: int
    stopped: bool


def report_findings(findings: list[Finding], length: int, quiet: bool) -> None:
    """Writes the lines that pymarc writes on what it could not convert in a text of this length."""
    for finding in findings:
        if finding.kind == lib.MARC_FINDING_CUT:  # also if quiet
            sys.stderr.write(f"Multi-byte position {finding.offset + 3} exceeds length of marc8 string {length}\n")
        if finding.kind in (lib.MARC_FINDING_CUT, lib.MARC_FINDING_UNMAPPED) and not quiet:
            sys.stderr.write(f"Unable to parse character 0x{finding.code:x} in g0={finding.g0} g1={finding.g1}\n")


def _bytes_of(text: str) -> bytes:
    """A byte for each character: a control character for an ESC, which pymarc drops, and a byte that means nothing in
    any set for what is above U+00FF."""
    codes = (1 if character == "\x1b" else ord(character) for character in text)
    return bytes(code if code < 0x100 else 0xA0 for code in codes)


def _finding_in(text: str, finding: Finding) -> Finding:
    """The same with the character of the text that the byte stands for."""
    is_byte = finding.kind == lib.MARC_FINDING_UNMAPPED and finding.code < 0x100
    return finding._replace(code=ord(text[finding.offset])) if is_byte else finding


class _Unmappable(Exception):
    def __init__(self, offset: int, character: int) -> None:
        super().__init__(offset, character)
        self.offset = offset
        self.character = character


def _options(**values: int) -> Any:
    options = ffi.new("marc_marc8_options *")
    lib.marc_marc8_options_init(options, _OPTIONS_SIZE)
    for name, value in values.items():
        setattr(options, name, value)
    return options


def _convert(function: Any, content: bytes, options: Any) -> _Conversion:
    """What a native function makes of the content."""
    out = ffi.new("marc_conversion **")
    error = new_error()
    status = function(ffi.from_buffer(content), len(content), options, out, error)
    if status == lib.MARC_E_UNMAPPABLE:
        raise _Unmappable(error.byte_offset, error.detail)
    if status != lib.MARC_OK:
        raise_error(error)
    conversion = ffi.gc(out[0], lib.marc_conversion_free)
    view = ffi.new("marc_conversion_view *")
    view.struct_size = _VIEW_SIZE
    lib.marc_conversion_get_view(conversion, view)
    findings = [Finding(f.offset, f.code, f.kind, f.g0, f.g1) for f in view.findings[0 : view.finding_count]]
    return _Conversion(ffi.buffer(view.data, view.data_length)[:], findings, view.g0, view.g1, bool(view.stopped))
