#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: small invented inputs, one for each shape that the rules speak of.

usage: make_seeds.py [FOLDER]   writes FOLDER/fuzz_TARGET/seed-NAME (default: corpus beside this file)

A seed is eight control bytes (`fuzzing.hpp`) and the input. Each target gets every input, with control bytes that
differ from seed to seed, so that windows, chunks and limits of all kinds are there from the start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

TARGETS = ("scanner", "parser", "reader")
SUBFIELD, FIELD, RECORD = b"\x1f", b"\x1e", b"\x1d"
BOM = b"\xef\xbb\xbf"

FIELDS = (
    ("001", b"id7"),
    ("100", b"1 \x1faFarrow, Edith"),
    ("245", b"10\x1faBells\x1fbessays"),
)


def record(
    fields: Iterable[tuple[str, bytes]] = FIELDS,
    *,
    length: bytes = b"",
    head: bytes = b"nam a22",
    base: bytes = b"",
    middle: bytes = b" a ",
    widths: str = "4500",
) -> bytes:
    """A record; what is given replaces what would be right."""
    digits, start, other = (int(width) for width in widths[:3])
    directory, data = b"", b""
    for tag, body in fields:
        entry = f"{len(body) + 1:0{digits}}" if digits else ""
        entry += f"{len(data):0{start}}" if start else ""
        directory += tag.encode("latin-1") + entry.encode() + b"." * other
        data += body + FIELD
    address = 24 + len(directory) + 1
    whole = address + len(data) + 1
    return (
        (length or b"%05d" % whole)
        + head
        + (base or b"%05d" % address)
        + middle
        + widths.encode()
        + directory
        + FIELD
        + data
        + RECORD
    )


def replaced(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def titled(title: str, **form: bytes) -> bytes:
    return record((("001", b"1"), ("245", b"10\x1fa" + title.encode())), **form)


def inputs() -> dict[str, bytes]:
    one = record()
    a, b, c = titled("one"), titled("two"), titled("three")
    entries = 24 + 12 * len(FIELDS)
    found: dict[str, bytes] = {
        "empty": b"",
        "sound": one,
        "three-sound": a + b + c,
        "smallest": record([("001", b"")]),
        "no-fields": record([]),
        "marc8": record([("001", b"1"), ("245", b"10\x1fa\x1b(NABC\x1b(B\x1fc\xe2e")], head=b"nam  22"),
        "utf8": record([("001", "ключ".encode()), ("245", "10\x1faÜber 𝄞 und €".encode())]),
        "not-utf8": record([("245", b"10\x1fa\xe9t\xe9\x1fb\xc3")]),
        "indicators-none": record([("245", b"\x1faBells"), ("100", b""), ("110", b"1\x1fa"), ("111", b"123\x1fa")]),
        "indicators-high": record([("245", b"\xe9\xe9\x1faBells")]),
        "subfields-odd": record([("245", b"10\x1f\x1faBells\x1f\xc3\xa9x\x1f"), ("260", b"  "), ("300", b"  \x1f")]),
        "danmarc": record([("245", b"00\x1f&0\x1f*aBells")], head=b"nam a23"),
        "unimarc": record([("200", b"1 \x1faBells")], widths="450 ", middle=b"   ").replace(b"450 ", b"450 "),
        "widths-3600": record(widths="3600"),
        "widths-4502": record(widths="4502"),
        "tag-high": record([("\xe9\xe9\xe9", b"10\x1fa")]),
        "leader-high": replaced(one, 5, b"\xe9"),
        "length-zero": replaced(a, 0, b"00000") + b,
        "length-long": a + replaced(b, 0, b"00200") + c,
        "length-short": a + replaced(b, 0, b"00040") + c,
        "length-huge": a + replaced(b, 0, b"99999") + c,
        "length-letters": a + replaced(b, 0, b"12x45") + c,
        "base-wrong": replaced(one, 12, b"00049") + a,
        "base-late": replaced(one, 12, b"00073"),
        "base-zero": replaced(one, 12, b"00000"),
        "base-letters": replaced(one, 12, b"0x061"),
        "entry-long": replaced(one, 24 + 12 + 3, b"0999"),
        "entry-late": replaced(one, 24 + 12 + 7, b"99999"),
        "entry-letters": replaced(one, 24 + 12 + 3, b"00x7"),
        "entry-twice": one[:24] + one[24:36] + one[24:entries] + one[entries:],
        "entry-13": one[:24] + b"".join(one[at : at + 12] + b"0" for at in range(24, entries, 12)) + one[entries:],
        "entries-swapped": one[:24] + one[36:48] + one[24:36] + one[48:],
        "starts-99999": replaced(replaced(one, 24 + 19, b"99999"), 24 + 31, b"99999"),
        "off-by-one": replaced(replaced(one, 24 + 19, b"00005"), 24 + 31, b"00023"),
        "overlap": record([("245", b"10\x1faBells")] * 2).replace(b"245001100011", b"245001100000"),
        "no-record-end": a + b[:-1] + c,
        "no-ends": a + b[:-2] + c,
        "no-directory-end": a + b.replace(FIELD, b"", 1) + c,
        "directory-cut": one[:40] + a,
        "cut-anywhere": one[:75],
        "starts-inside": one[30:] + a,
        "leader-short": one[:10] + one[11:],
        "leader-long": one[:10] + b" " + one[10:],
        "inner-end": record([("245", b"10\x1faBells\x1dessays\x1e\x1f")]) + a,
        "inner-record": record([("500", b"  \x1fa" + a + b"rest")]),
        "glued": one[:60] + one,
        "silent": b"\r\n" + BOM + a + b"\0\0\x1a\x1d\x1d \t" + b + b"\n",
        "blanks-before": b" " * 30 + a.replace(a[:5], b"     ") + b,
        "junk": b"junk" + a + b"-- part 2 --" + b + b"\x1e\x1e" + c,
        "isis": b"00000" + b"00000" + one[10:],
        "digits": b"0123456789" * 8 + a,
        "terminators": RECORD * 3 + FIELD * 5 + RECORD + SUBFIELD * 3 + a,
        "gzip": b"\x1f\x8b\x08\x00\x00\x00" + a[:20] + RECORD + a,
        "zip": b"PK\x03\x04" + a,
        "xml": b'<?xml version="1.0"?><collection/>' + a,
        "html": b"<!DOCTYPE html>\n<html><p>404</p></html>\n",
        "json": b'[{"leader": "00024nam"}]',
        "marcmaker": b"=LDR  00024nam a2200000 a 4500\r\n=001  1\r\n",
        "utf16": "00024nam".encode("utf-16") + a,
        "many": b"".join(titled(f"no. {i}") for i in range(40)),
        "many-fields": record([(f"{9 + i % 900:03}", b"  \x1fa%d" % i) for i in range(300)]),
    }
    found["wide-field"] = record([("500", b"  \x1fa" + b"x" * 3000), ("505", b"  \x1fa" + b"y" * 600)]) + a
    # All fields are the same 2 200 bytes: more than 32 times those of the record.
    entries = b"500220100000" * 40
    found["overlap-40"] = b"02707nam a2200505 a 4500" + entries + FIELD + b"  \x1fa" + b"x" * 2196 + FIELD + RECORD
    return found


def stretched() -> dict[str, tuple[bytes, int, int]]:
    """Inputs, the place from their end of the byte that is repeated, and how often as `fuzzing.hpp` counts it."""
    a, b = titled("one"), titled("two")
    return {
        "field-100000": (a, 5, 6),
        "blanks-4096": (a[:-2] + b"      " + b, len(b), 1),
        "blanks-4097": (a[:-2] + b"       " + b, len(b), 1),
        "nothing-131072": (a + b"\0" + b, len(b), 6),
        "digits-99999": (a + b"0" + b, len(b), 6),
        "junk-without-end": (a + b"x", 0, 2),
        "records-131072": (b"".join(titled(f"no. {i}") for i in range(30)) + b"\n" + a, len(a), 7),
        # That it starts is known when its directory has ended, and no sooner.
        "long-directory": (b"junk" * 5 + record([("500", b"")] * 400), 0, 0),
        "terminators-4096": (a + FIELD + b, len(b), 1),
    }


def xml_inputs() -> dict[str, bytes]:
    """MARCXML, and what looks like it."""
    leader = b"<leader>00000nam a2200000 i 4500</leader>"
    field = b'<datafield tag="245" ind1="1" ind2="0"><subfield code="a">Bells</subfield></datafield>'
    control = b'<controlfield tag="001">id7</controlfield>'
    one = b"<record>" + leader + control + field + b"</record>"
    head = b'<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="http://www.loc.gov/MARC21/slim">'
    text = head.decode() + one.decode() + "</collection>"
    return {
        "empty": b"",
        "one": one,
        "three": head + one * 3 + b"</collection>\n",
        "prefixes": (head + one + b"</collection>").replace(b"<", b"<marc:").replace(b"<marc:/", b"</marc:")[5:],
        "text": head
        + one.replace(b"Bells", "a&amp;&#233;<![CDATA[<]]> é<!-- no -->x<i>y</i>".encode())
        + b"</collection>",
        "oai": b"<record><header/><metadata>" + one + b"</metadata></record>",
        "no-leader": b"<record>" + field + b"</record>",
        "odd-leader": one.replace(b"00000nam", b" 00000nam\xc3\xa9"),
        "no-fields": b"<record>" + leader + b"</record>",
        "attributes": b'<record><datafield><subfield>x</subfield></datafield><datafield tag="24" ind1="12" ind2="">'
        b'<subfield code="abc">x</subfield><subfield code="">y</subfield></datafield></record>',
        "kinds": b'<record><controlfield tag="FMT">BK</controlfield><datafield tag="001">'
        b'<subfield code="a">x</subfield><subfield code="b">y</subfield></datafield></record>',
        "misplaced": b"<record>x<subfield>y</subfield><datafield tag='1'>z"
        + field
        + b"<leader>q</leader></datafield></record>",
        "cut": head + one + one[:60],
        "mismatch": head + one + b"<a></b></collection>",
        "entities": b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + one.replace(b"Bells", b"&a;"),
        "utf16": text.replace("UTF-8", "UTF-16").encode("utf-16"),
        "latin1": text.replace("UTF-8", "ISO-8859-1").replace("Bells", "é").encode("latin-1"),
        "cp1252": text.replace("UTF-8", "windows-1252").replace("Bells", "€").encode("cp1252"),
        "not-utf8": head + one.replace(b"Bells", b"\xe9") + b"</collection>",
        "deep": b"<a>" * 300 + one + b"</a>" * 300,
        "widths": one.replace(b"4500", b"3602"),
    }


def marc8_inputs() -> dict[str, bytes]:
    """Texts in MARC-8, and one in UTF-8."""
    return {
        "latin": b"Dvo\xe9r\xe2ak, Anton\xe2in: \xe8\xe1u \xf2\xbc \xa2 \xebt\xecs \xfan\xfbg \xa0",
        "cyrillic": b"\x1b(NwOJNA I MIR\x1b)Q\xc0\xc7\x1b)!E\x1b(B.",
        "eacc": b"\x1b$1!Bs!Ci!00\xe2! =\x7f \x14!0\x1b(B.",
        "eacc-in-g1": b"\x1b$)1\xa1\xb0\xb0\x1b)!Ea",
        "alone": b"H\x1bb2\x1bsO m\x1bp2\x1bs \x1bga\x1bs",
        "hebrew-arabic": b"\x1b(2`a bHI\x1b(3GdQ\x1b)4\xa1\x1b(B",
        "references": b"&#x2014;e&#x301;&#x1D160;&#xD800;&#x;&amp;",
        "controls": b"a\r\n\x88The \x89b\x8d\x8e\x7f\x80\x1f\x1e",
        "orphans": b"\xe2\xe2\xe2 a\xe2",
        "cut": b"ab\x1b(N\x1b",
        "utf8": "Dvořák ợ ơ̧ Київ αβγ m² 日本 שלום 각 t͡s".encode(),
    }


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "corpus"
    (folder / "fuzz_xml").mkdir(parents=True, exist_ok=True)
    for number, (name, data) in enumerate(xml_inputs().items()):
        control = bytes((0, 0 if number % 4 else 200, 0, number, number % 5, number, 0, 0))
        (folder / "fuzz_xml" / f"seed-{name}").write_bytes(control + data)
    (folder / "fuzz_marc8").mkdir(parents=True, exist_ok=True)
    for number, (name, data) in enumerate(marc8_inputs().items()):
        (folder / "fuzz_marc8" / f"seed-{name}").write_bytes(bytes((4 * number, 0, 0, 0, 0, 0, 0, 0)) + data)
    for target in TARGETS:
        (folder / f"fuzz_{target}").mkdir(parents=True, exist_ok=True)
        for number, (name, data) in enumerate(inputs().items()):
            # How the input comes changes from seed to seed; a small limit only for some.
            limit = 0 if number % 3 else 5 + number % 17 * 9
            control = bytes(
                (number * 37 % 128, limit % 256, limit // 256, number % 7, number % 5, number % 3, number, 0)
            )
            (folder / f"fuzz_{target}" / f"seed-{name}").write_bytes(control + data)
        for name, (data, place, times) in stretched().items():
            for limit in (0, 500):
                control = bytes((0, limit % 256, limit // 256, 4, 255, 0, place, times))
                suffix = "-limited" if limit else ""
                (folder / f"fuzz_{target}" / f"seed-{name}{suffix}").write_bytes(control + data)


if __name__ == "__main__":
    main()
