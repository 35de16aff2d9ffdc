"""Checks who includes whom in core/ and capi/: the include rules are the architecture.

A file of core/ may include its own header, the files that ALLOWED names for it, and headers from outside that
are not FENCED. capi/ stands on the whole core. A new file needs a line in ALLOWED.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# From the bytes upwards: a file and the files below it that it may know.
ALLOWED: dict[str, str] = {
    "error": "",
    "bytes": "",
    "utf8": "bytes",
    "leader": "bytes",
    "directory": "bytes leader",
    "foreign": "bytes",
    "scanner": "bytes leader directory foreign",
    "pod_array": "bytes",
    "unicode_tables": "",
    "normalize": "bytes pod_array unicode_tables utf8",
    "marc8_tables": "",
    "marc8_sets": "marc8_tables pod_array",
    "marc8_decode": "bytes pod_array utf8 normalize marc8_sets",
    "marc8_encode": "bytes pod_array utf8 normalize marc8_sets marc8_tables",
    "detect": "bytes utf8 normalize marc8_sets",
    "batch": "bytes pod_array recycler",
    "recycler": "batch",
    "field_rules": "bytes utf8 leader directory batch",
    "pymarc_rules": "bytes leader directory batch field_rules text_form",
    "subfields": "bytes directory batch",
    "widths": "bytes directory batch field_rules",
    "salvage_directory": "bytes leader directory batch",
    "salvage": "bytes utf8 leader directory batch field_rules salvage_directory",
    "text_form": "bytes utf8 directory leader batch field_rules record_view leader_bytes detect marc8_decode",
    "parser": "bytes utf8 leader directory batch field_rules pymarc_rules subfields widths salvage text_form",
    "record_view": "batch directory",
    "text": "bytes batch",
    "titles": "bytes utf8 batch record_view text",
    "output": "batch",
    "escape": "bytes record_view",
    "leader_bytes": "batch leader record_view",
    "walk": "bytes utf8 record_view output escape leader_bytes",
    "batch_text": "bytes record_view text leader_bytes",
    "layout": "bytes error directory leader record_view output",
    "contents": "bytes output walk layout",
    "iso2709": "bytes error marc8_encode leader directory record_view output leader_bytes walk layout contents",
    "json": "utf8 record_view text output escape leader_bytes walk batch_text",
    "marcxml": "utf8 record_view text output escape leader_bytes walk batch_text",
    "mrk": "record_view text output escape leader_bytes walk batch_text",
    "builder": "bytes utf8 error leader directory subfields record_view walk leader_bytes layout contents",
    "sink": "error",
    "record_writer": "error record_view output leader_bytes sink iso2709 json marcxml mrk",
    "plain_texts": "bytes directory batch record_view text",
    "source": "error",
    "source_file": "source",
    "source_memory": "source",
    "source_callback": "source",
    "pool": "",
    "batch_stream": "batch error",
    "threads": "error",
    "framer": "bytes batch parser recycler scanner",
    "ring": "batch error framer pool recycler",
    "pipeline": "bytes error leader scanner source batch batch_stream recycler framer pool ring",
    "xml_parser": "bytes error",
    "xml_records": "bytes utf8 leader directory batch field_rules subfields xml_parser",
    "xml_stream": "bytes error source batch_stream recycler xml_parser xml_records",
}

# Headers from outside the project that only the named files may include.
FENCED: dict[str, str] = {
    "marc/marc.h": "*",
    "boost/asio": "pool",
    "boost/lockfree": "recycler",
    "expat.h": "xml_parser",
    "Python.h": "",
    "iostream": "",
    "cstdio": "",
    "stdio.h": "",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def problems_of(path: Path) -> list[str]:
    stem = path.stem
    where = path.relative_to(ROOT)
    if path.is_relative_to(ROOT / "core") and stem not in ALLOWED:
        return [f"{where}: has no line in ALLOWED of tools/check_includes.py"]
    allowed = {stem, *ALLOWED.get(stem, f"{' '.join(ALLOWED)} shim").split()}
    problems = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, name = match.groups()
        if kind == '"' and Path(name).stem not in allowed:
            problems.append(f"{where}:{number}: {stem} may not include {name}")
        for header, users in FENCED.items():
            if name.startswith(header) and users != "*" and stem not in users.split():
                problems.append(f"{where}:{number}: {name} is for {users or 'no file of core and capi'} only")
    return problems


def main() -> int:
    files = sorted(path for folder in ("core", "capi") for path in (ROOT / folder).rglob("*.[ch]pp"))
    problems = [problem for path in files for problem in problems_of(path)]
    print("\n".join(problems) if problems else f"{len(files)} files keep the include rules")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
