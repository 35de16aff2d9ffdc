"""MARC-8: every code both ways, pymarc's answers to arbitrary bytes, and texts that come back as they went."""

from __future__ import annotations

import contextlib
import io
import itertools
import random
import subprocess
import sys
import unicodedata
from functools import cache
from pathlib import Path
from shutil import which

import pytest
from corpus import ROOT, SHARED
from hypothesis import example, settings
from hypothesis import given as property_of
from hypothesis import strategies as st
from marc8_reference import ANSEL, ASCII, EACC, TABLES, Entry, Pymarc, PymarcGivesUp, read_tables

from libmarc._native import lib
from libmarc.marc8 import MARC8ToUnicode, decode_marc8, marc8_to_unicode, unicode_to_marc8

sys.path.insert(0, str(ROOT / "tools"))
import make_marc8_tables

oracle = pytest.importorskip("pymarc.marc8", reason="pymarc, the oracle, is not installed")
mapping = pytest.importorskip("pymarc.marc8_mapping")

VECTORS = SHARED / "reference" / "marc8-vectors"
WORDS = [
    "Čapek",
    "Dvořák",
    "Łódź",
    "ǜ",
    "ợ",
    "Ўёй",
    "Київ",
    "βγδ",
    "ΩΨ",
    "m²",
    "H₂O",
    "日本",
    "한국",
    "שלום",
    "العربية",
]
G1_SETS = (ANSEL, 0x51, 0x34)
FINALS = "".join(map(chr, make_marc8_tables.SETS))


@cache
def tables() -> dict[int, dict[int, Entry]]:
    if not TABLES.is_file():
        pytest.skip(f"no {TABLES}: LIBMARC_SHARED names the folder that holds reference/codetables.xml")
    return read_tables()


@cache
def pymarcs_eacc() -> dict[int, int]:
    return {code: character for code, (character, _) in mapping.CODESETS[EACC].items()}


def model(g0: int = ASCII, g1: int = ANSEL) -> Pymarc:
    """pymarc's rule with the exception; what pymarc gives for EACC is pymarc's own."""
    one = Pymarc(tables(), mapping.ODD_MAP, pymarcs_eacc())
    one.g0, one.g1 = g0, g1
    return one


def answer(converter: object, data: bytes | str) -> tuple[object, ...]:
    """Text or TypeError, the sets at the end, the lines on standard error."""
    lines = io.StringIO()
    with contextlib.redirect_stderr(lines):
        try:
            text: object = converter.translate(data)  # type: ignore[attr-defined]
        except TypeError:
            text = TypeError
    return text, converter.g0, converter.g1, lines.getvalue()  # type: ignore[attr-defined]


def check(data: bytes, g0: int = ASCII, g1: int = ANSEL) -> bool:
    """Whether the answer is pymarc's; where it is not, it must be that of the model, and pymarc must have lost
    something."""
    expected = model(g0, g1)
    try:
        text: object = expected.decode(data)
    except PymarcGivesUp:
        text = TypeError
    ours = answer(MARC8ToUnicode(g0, g1), data)
    assert ours == (text, expected.g0, expected.g1, "".join(expected.lines)), (data, g0, g1)
    theirs = answer(oracle.MARC8ToUnicode(g0, g1), data)
    if not expected.differs:
        assert ours == theirs, (data, g0, g1)
    elif ours != theirs:
        assert "Unable to parse" in theirs[3] or b"!E" in data, (data, g0, g1)
    return not expected.differs


# ---- from MARC-8, as pymarc ----


@pytest.mark.parametrize("g0", [*make_marc8_tables.SETS, EACC, 0x21, 0xFF])
def test_every_byte_in_every_pair_of_sets(g0: int) -> None:
    for g1 in (*make_marc8_tables.SETS, EACC, 0x21):
        same = sum(check(bytes([byte]), g0, g1) for byte in range(256))
        assert same > 60
        for byte in range(0x80, 256):
            check(bytes([byte]) + b"e", g0, g1)


def test_all_pairs_of_bytes() -> None:
    same = sum(check(bytes(pair)) for pair in itertools.product(range(256), repeat=2))
    assert same == 256 * 256


MIDDLES = (b"(", b",", b")", b"-", b"$", b"$,", b"$)")
PARTS = [
    *(b"\x1b" + final.encode() for final in FINALS + "1s$(),-!qX"),
    *(b"\x1b" + middle + final.encode() for middle in MIDDLES for final in FINALS + "1!"),
    *(b"\x1b" + middle + b"!E" for middle in (b"(", b",", b")", b"-")),
    *(bytes([byte]) for byte in b"aeot 0&#x;!\n\x00\x7f\x80\x88\x8d\xa0\xa1\xb1\xbc\xc3"),
    *(bytes([byte]) for byte in b"\xe1\xe2\xe8\xeb\xec\xf0\xfa\xfb\xfe\xff"),
    b"\x21\x30\x30",
    b"\x21\x20\x3d",
    b"\x7f\x20\x14",
    b"\x21\x75\x59",
    b"\xa1\xb0\xb0",
    b"\x00\x00\x1f",
    b"\x00\x00\x41",
    b"&#x2014;",
    b"plain words and more",
]


def test_sequences_at_random() -> None:
    chance = random.Random(8)
    same = 0
    for _ in range(20_000):
        if chance.random() < 0.3:
            data = bytes(chance.randrange(256) for _ in range(chance.randint(3, 12)))
        else:
            data = b"".join(chance.choices(PARTS, k=chance.randint(1, 9)))
        same += check(data)
    assert same > 10_000


def test_state_and_errors_of_the_converter() -> None:
    converter = MARC8ToUnicode()
    assert converter.translate(b"\x1b(NJ\x1b)Q") == "й"
    assert (converter.g0, converter.g1, converter.quiet) == (0x4E, 0x51, False)
    assert converter.translate(b"") == ""
    with pytest.raises(TypeError):
        converter.translate(b"a\x1b")
    with pytest.raises(UnicodeDecodeError) as caught:
        marc8_to_unicode(b"ab\x1b")
    with pytest.raises(UnicodeDecodeError) as theirs:
        oracle.marc8_to_unicode(b"ab\x1b")
    assert caught.value.args == theirs.value.args


def test_str_is_taken_for_bytes() -> None:
    """pymarc takes any sequence of characters, and finds no escape sequence in a str."""
    for text in (
        "plain",
        "",
        "caf\xe9",
        "\xe2e",
        "a\nb",
        "\x1bp2\x1bs",
        "a\x1b",
        "\x1b(N",
        "łódź",
        "\xe2\u4e22",
        "\xa0",
        "\0",
    ):
        ours, theirs = answer(MARC8ToUnicode(), text), answer(oracle.MARC8ToUnicode(), text)
        assert ours == theirs, text
        assert marc8_to_unicode(text, True) == oracle.marc8_to_unicode(text, True)  # type: ignore[arg-type]
    chance = random.Random(4)
    for _ in range(3000):
        text = "".join(chance.choices("ab \n\x1b()$N1E\x7f\x80\x8d\xa0\xb1\xe2\xf2\xffłé日", k=chance.randint(1, 8)))
        g1 = chance.choice(G1_SETS)
        assert answer(MARC8ToUnicode(ASCII, g1), text) == answer(oracle.MARC8ToUnicode(ASCII, g1), text), (text, g1)
    assert answer(MARC8ToUnicode(EACC), "!00!0") == answer(oracle.MARC8ToUnicode(EACC), "!00!0")
    assert MARC8ToUnicode().translate(bytearray(b"abc")) == "abc"
    for other in ([1], 5, 3.5, (65, 66)):
        with pytest.raises(TypeError):
            MARC8ToUnicode().translate(other)  # type: ignore[arg-type]


def test_lines_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert marc8_to_unicode(b"a\xa0b") == "a b"
    assert capsys.readouterr().err == "Unable to parse character 0xa0 in g0=66 g1=69\n"
    assert marc8_to_unicode(b"a\xa0b", True) == "a b"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("line", range(0, 1515, 101))
def test_vectors_of_pymarc(line: int) -> None:
    if not VECTORS.is_dir():
        pytest.skip(f"no {VECTORS}")
    both = zip(
        (VECTORS / "test_marc8.txt").read_bytes().split(b"\n"),
        (VECTORS / "test_utf8.txt").read_bytes().split(b"\n"),
        strict=True,
    )
    for marc8, utf8 in itertools.islice(both, line, line + 101):
        assert marc8_to_unicode(marc8) == utf8.decode()


# ---- every code of the tables, both ways ----


def code_bytes(name: int, code: int) -> bytes:
    """A code as it stands in a text, its escape sequences included."""
    if name == EACC:
        return b"\x1b$1" + code.to_bytes(3, "big") + b"\x1b(B"
    if name in G1_SETS:
        return b"\x1b)" + (b"!" if name == ANSEL else b"") + bytes([name, code | 0x80]) + b"\x1b)!E"
    return b"\x1b(" + bytes([name, code & 0x7F]) + b"\x1b(B"


def texts_of_tables() -> list[tuple[int, int, Entry, str]]:
    """Set, code, entry and the character in NFC, of all codes that are text."""
    return [
        (name, code, entry, unicodedata.normalize("NFC", chr(entry.character)))
        for name, codes in tables().items()
        for code, entry in codes.items()
        if code > 0x1F
    ]


def test_every_code_is_decoded() -> None:
    for name, code, entry, character in texts_of_tables():
        data = code_bytes(name, code)
        if code in (0x88, 0x89, 0x8D, 0x8E):
            assert decode_marc8(bytes([code]))[0] == character
        elif not entry.mark:
            assert decode_marc8(data) == (character, []), (name, code)
        elif entry.half not in (0xFE21, 0xFE23):
            expected = unicodedata.normalize("NFC", "x" + character)
            assert decode_marc8(data + b"x") == (expected, []), (name, code)


def test_every_character_is_encoded() -> None:
    for name, code, entry, character in texts_of_tables():
        text = "x" + character if entry.mark else character
        marc8 = unicode_to_marc8(text)
        found = marc8_to_unicode(marc8) if entry.half in (0xFE21, 0xFE23) else decode_marc8(marc8)[0]
        assert found == unicodedata.normalize("NFC", text), (name, code, marc8)


def test_sets_are_chosen() -> None:
    assert unicode_to_marc8("Ascii & more\n") == b"Ascii & more\n"
    assert unicode_to_marc8("é") == b"\xe2e"
    assert unicode_to_marc8("ǜ") == b"\xe8\xe1u"
    assert unicode_to_marc8("ợ") == b"\xf2\xbc"
    assert unicode_to_marc8("t͡s") == b"\xebt\xecs"
    assert unicode_to_marc8("Война, 1812") == b"\x1b(NwOJNA,\x201812\x1b(B"
    assert unicode_to_marc8("Київ") == b"\x1b(NkI\x1b)Q\xc7W\x1b)!E\x1b(B"
    assert unicode_to_marc8("m²") == b"m\x1bp2\x1bs"
    assert unicode_to_marc8("\u03b1") == b"\x1bga\x1bs"
    assert unicode_to_marc8("日本 x") == b"\x1b$1\x21\x42\x73\x21\x43\x69\x1b(B x"
    assert unicode_to_marc8("й\x1fbй") == b"\x1b(NJ\x1b(B\x1fb\x1b(NJ\x1b(B"


def test_what_marc8_does_not_have() -> None:
    with pytest.raises(UnicodeEncodeError) as caught:
        unicode_to_marc8("Zażółć 😀 x")
    assert (caught.value.start, caught.value.end, caught.value.object) == (7, 8, "Zażółć 😀 x")
    assert unicode_to_marc8("a😀ü\u2603", "xmlcharrefreplace") == b"a&#x1F600;\xe8u&#x2603;"
    assert unicode_to_marc8("a😀ü", "replace") == b"a?\xe8u"
    assert unicode_to_marc8("\u0301a", "xmlcharrefreplace") == b"&#x0301;a"
    assert unicode_to_marc8("й☃", "replace") == b"\x1b(NJ\x1b(B?"
    for lost in ("\x1b", "\x7f", "\u0301", "a\n\u0301", "\xa0", "\ufffd"):
        with pytest.raises(UnicodeEncodeError):
            unicode_to_marc8(lost)
    with pytest.raises(LookupError):
        unicode_to_marc8("a", "ignore")
    with pytest.raises(UnicodeEncodeError):
        unicode_to_marc8("\ud800")


def test_best_answer() -> None:
    assert decode_marc8(b"a\xa0b")[0] == "a\ufffdb"
    assert decode_marc8(b"a\xa0b")[1] == [(1, 0xA0, lib.MARC_FINDING_UNMAPPED, ASCII, ANSEL)]
    assert decode_marc8(b"\xebt\xecs \xfan\xfbg") == ("t\u0361s n\u0360g", [])
    assert decode_marc8(b"\xect")[0] == "t\ufe21"
    assert decode_marc8(b"e&#x301;&#x2014;&#x41;&#x1F;&#xD800;&#x;&#x1234567;") == (
        "\xe9\u2014A&#x1F;&#xD800;&#x;&#x1234567;",
        [],
    )
    assert decode_marc8(b"line\r\nline\t") == ("line\r\nline\t", [])
    assert decode_marc8(b"a\xe2") == ("a \u0301", [(1, 0x301, lib.MARC_FINDING_ORPHAN, ASCII, ANSEL)])
    assert decode_marc8(b"\x88The \x89Title\x8d\x8e") == ("\x98The \x9cTitle\u200d\u200c", [])
    assert decode_marc8(b"\x1b(Xa")[1] == [(0, ord("("), lib.MARC_FINDING_ESCAPE, ASCII, ANSEL)]
    assert decode_marc8(b"a\x1b")[0] == "a\ufffd"
    assert decode_marc8(b"\x1b$1\x21\x30\x30 \xe2")[0] == "\u4e22  \u0301"
    assert decode_marc8(b"\x1b$1\x21\x30")[1] == [(3, 32, lib.MARC_FINDING_CUT, EACC, ANSEL)]


# ---- texts that come back ----


def mappable() -> st.SearchStrategy[str]:
    halves = {0xFE20, 0xFE21, 0xFE22, 0xFE23}
    bases = sorted({t for _, _, e, t in texts_of_tables() if not e.mark})
    marks = sorted({t for _, _, e, t in texts_of_tables() if e.mark and ord(t) not in halves} | {"\u0360", "\u0361"})
    latin = st.sampled_from("abcdeouszÁéíöčžńłøđơưиёєй\u0456\u03b1β012 .,\n")
    letter = st.one_of(latin, st.sampled_from(bases))
    cluster = st.builds(
        # (U+0670 is a letter of MARC-8, and a mark of Unicode, which other marks may move in front of.)
        lambda base, tail: base + ("" if base < " " or unicodedata.combining(base) else "".join(tail)),
        letter,
        st.lists(st.sampled_from(marks), max_size=3),
    )
    return st.lists(cluster, max_size=12).map("".join)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@property_of(st.deferred(mappable))
@example("ơ̦ơ̧ o̧̕̕")
@example("\u0627\u064b\u0651\u0670\u0300")
def test_decoding_gives_back_what_was_encoded(text: str) -> None:
    expected = unicodedata.normalize("NFC", text)
    if "&#x" in expected:
        return
    marc8 = unicode_to_marc8(text)
    assert decode_marc8(marc8) == (expected, [])
    assert unicode_to_marc8(expected) == marc8


@settings(max_examples=500, deadline=None)
@property_of(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12))
@example("a\u0300\u05d0\u0301")
def test_references_give_back_every_text(text: str) -> None:
    if "&#x" in text:
        return
    marc8 = unicode_to_marc8(text, "xmlcharrefreplace")
    assert decode_marc8(marc8)[0] == unicodedata.normalize("NFC", text)


def same_unicode() -> bool:
    return f"Unicode {unicodedata.unidata_version}." in (
        ROOT / "core" / "encoding" / "unicode_tables.hpp"
    ).read_text(encoding="utf-8")  # fmt: skip


def test_normalization_is_that_of_python() -> None:
    """References give every character into the hands of the library."""
    if not same_unicode():
        pytest.skip("the tables are of another version of Unicode than this Python")
    chance = random.Random(3)
    assigned = [c for c in map(chr, range(0xA0, 0x110000)) if unicodedata.category(c) not in ("Cs", "Cn", "Co")]
    interesting = [c for c in assigned if unicodedata.decomposition(c) or unicodedata.combining(c)]
    for begin in range(0, len(assigned), 64):
        text = "x".join(assigned[begin : begin + 64])
        found = decode_marc8("".join(f"&#x{ord(c):X};" for c in text).encode())[0]
        assert found == unicodedata.normalize("NFC", text)
    for _ in range(4000):
        text = "".join(chance.choices(interesting, k=chance.randint(1, 8)))
        text = unicodedata.normalize(chance.choice(("NFC", "NFD")), text) if chance.random() < 0.5 else text
        text = "".join(chance.sample(text, len(text))) if chance.random() < 0.3 else text
        found = decode_marc8("".join(f"&#x{ord(c):X};" for c in text).encode())[0]
        assert found == unicodedata.normalize("NFC", text), [hex(ord(c)) for c in text]
    hangul = "".join(chance.choices([*map(chr, range(0x1100, 0x11FF)), *map(chr, range(0xAC00, 0xAC40))], k=2000))
    assert decode_marc8("".join(f"&#x{ord(c):X};" for c in hangul).encode())[0] == unicodedata.normalize("NFC", hangul)


def test_tables_are_what_the_script_makes() -> None:
    tables()
    for name, text in make_marc8_tables.files(TABLES).items():
        if name.startswith("marc8") or same_unicode():
            assert (ROOT / "core" / "encoding" / name).read_text(encoding="utf-8") == text, name


# ---- a third opinion ----


def yaz(data: bytes, tmp_path: Path) -> str:
    (tmp_path / "text").write_bytes(data)
    made = subprocess.run(
        ["yaz-iconv", "-f", "marc8", "-t", "utf-8", str(tmp_path / "text")],
        capture_output=True,
        timeout=60,
        check=False,
    )
    return unicodedata.normalize("NFC", made.stdout.decode("utf-8", "replace"))


@pytest.mark.skipif(which("yaz-iconv") is None, reason="yaz-iconv is not installed")
def test_yaz_reads_what_is_written(tmp_path: Path) -> None:
    """Of the tables' characters yaz 5.34 does not know the joiners and the marks of non-sorting characters. Of more
    than a few characters yaz-iconv loses some where its buffer ends."""
    texts = [text for _, _, entry, text in texts_of_tables() if not entry.mark and text not in "\x98\x9c\u200c\u200d"]
    for text in random.Random(1).sample(texts, 250) + WORDS:
        assert yaz(unicode_to_marc8(text), tmp_path) == text
