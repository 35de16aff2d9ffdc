"""One measurement in a process of its own: one library does one task on one file. Prints a line of JSON.

usage: worker.py LIBRARY WAY TASK FILE           how long it takes
       worker.py LIBRARY WAY TASK FILE --answers  what it gives, as a digest, to compare the libraries by

LIBRARY  libmarc, pymarc, rmarc or mrrc
WAY      path    the library opens the file itself
         file    it gets an open file object
         memory  it gets the content, which was read before
         bulk    mrrc: all borders, then all records at once, on all cores
TASK     read        for record in reader
         list        list(reader): all records in memory
         title       the title of every record
         get         get_fields() of six tags, and get_subfields("a", "b") of each field that is found
         extract     the title of every record and value() of every field
         subfields   code and value of every subfield
         roundtrip   every record written again as it is
         edit        every record written again with another 245 $a
         json        as_json() of every record as it is
         build       as many records made of ten fields, and written; nothing is read
         xml         for record in what reads MARCXML: libmarc.read(), or parse_xml_to_array()

--options JSON      arguments by keyword for libmarc's MARCReader

Needs nothing but the library. The loops stand here as a user writes them.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import hashlib
import importlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

TAGS = ("020", "100", "245", "260", "650", "700")


def read(records: Iterable[Any]) -> None:
    for _record in records:
        pass


def whole(records: Iterable[Any]) -> None:
    list(records)


def title(records: Iterable[Any]) -> None:
    for record in records:
        record.title  # noqa: B018


def get(records: Iterable[Any]) -> None:
    for record in records:
        for field in record.get_fields(*TAGS):
            field.get_subfields("a", "b")


def extract(records: Iterable[Any]) -> None:
    for record in records:
        record.title  # noqa: B018
        for field in record.fields:
            field.value()


def extract_mrrc(records: Iterable[Any]) -> None:
    for record in records:
        record.title  # noqa: B018
        for field in record.fields():
            field.value()


def subfields(records: Iterable[Any]) -> None:
    for record in records:
        for field in record.fields:
            for subfield in field.subfields:
                subfield.code  # noqa: B018
                subfield.value  # noqa: B018


def subfields_mrrc(records: Iterable[Any]) -> None:
    for record in records:
        for field in record.fields():
            for subfield in field.subfields():
                subfield.code  # noqa: B018
                subfield.value  # noqa: B018


def roundtrip(records: Iterable[Any]) -> None:
    with open(os.devnull, "wb") as out:
        for record in records:
            out.write(record.as_marc())


def edit(records: Iterable[Any]) -> None:
    with open(os.devnull, "wb") as out:
        for record in records:
            record["245"]["a"] = "Another title"
            out.write(record.as_marc())


def as_json(records: Iterable[Any]) -> None:
    for record in records:
        record.as_json()


def build(records: Iterable[Any], library: Any) -> None:
    Field, Indicators, Record, Subfield = library.Field, library.Indicators, library.Record, library.Subfield
    with open(os.devnull, "wb") as out:
        for _ in records:
            out.write(built(Field, Indicators, Record, Subfield).as_marc())


def built(Field: Any, Indicators: Any, Record: Any, Subfield: Any) -> Any:
    record = Record()
    record.add_field(
        Field(tag="001", data="ocm12345678"),
        Field(tag="008", data="040819s1899    ohu           000 0 eng  "),
        Field(tag="020", indicators=Indicators(" ", " "), subfields=[Subfield(code="a", value="9783161484100")]),
        Field(
            tag="100",
            indicators=Indicators("1", " "),
            subfields=[Subfield(code="a", value="Chadman, Charles Erehart,"), Subfield(code="d", value="1873-")],
        ),
        Field(
            tag="245",
            indicators=Indicators("1", "0"),
            subfields=[
                Subfield(code="a", value="Personal rights and the domestic relations /"),
                Subfield(code="c", value="by Charles E. Chadman."),
            ],
        ),
        Field(
            tag="260",
            indicators=Indicators(" ", " "),
            subfields=[
                Subfield(code="a", value="Chicago :"),
                Subfield(code="b", value="American Correspondence School of Law,"),
                Subfield(code="c", value="c1899."),
            ],
        ),
        Field(tag="300", indicators=Indicators(" ", " "), subfields=[Subfield(code="a", value="viii, 394 p. ;")]),
        Field(tag="500", indicators=Indicators(" ", " "), subfields=[Subfield(code="a", value="Includes index.")]),
        Field(
            tag="650",
            indicators=Indicators(" ", "0"),
            subfields=[Subfield(code="a", value="Domestic relations"), Subfield(code="z", value="Île-de-France.")],
        ),
        Field(tag="650", indicators=Indicators(" ", "0"), subfields=[Subfield(code="a", value="Persons (Law)")]),
    )
    return record


TASKS: dict[str, Callable[..., None]] = {
    "read": read,
    "list": whole,
    "title": title,
    "get": get,
    "extract": extract,
    "subfields": subfields,
    "roundtrip": roundtrip,
    "edit": edit,
    "json": as_json,
    "build": build,
    "xml": read,
}
#: What libmarc's `reader.stats` has on its threads and its source.
STATS = ("threads", "chunks_ahead", "bytes_held", "wait_source", "wait_workers", "wait_consumer", "source_reads")
#: Where a library's names differ from pymarc's.
OWN_TASKS = {("mrrc", "extract"): extract_mrrc, ("mrrc", "subfields"): subfields_mrrc}


def answers(library: str, task: str, record: Any) -> Iterator[object]:
    """What the task asks of a record."""
    fields = (record.fields() if library == "mrrc" else record.fields) if task not in ("read", "list") else ()
    if task in ("title", "extract"):
        yield record.title
    if task == "get":
        for field in record.get_fields(*TAGS):
            yield field.get_subfields("a", "b")
    elif task == "extract":
        for field in fields:
            yield field.value()
    elif task == "subfields":
        for field in fields:
            for subfield in field.subfields() if library == "mrrc" else field.subfields:
                yield (subfield.code, subfield.value)
    elif task == "roundtrip":
        yield record.as_marc()
    elif task == "edit":
        record["245"]["a"] = "Another title"
        yield record.as_marc()
    elif task in ("json", "xml"):
        yield record.as_json()
    elif task == "build":
        names = importlib.import_module(library)
        yield built(names.Field, names.Indicators, names.Record, names.Subfield).as_marc()


def bulk(library: Any, path: str) -> Any:
    """All records at once, as mrrc's documentation has it."""
    with open(path, "rb") as file:
        content = file.read()
    return library.parse_batch_parallel(library.RecordBoundaryScanner().scan(content), content)


@contextlib.contextmanager
def opened(library: str, way: str, task: str, source: Any, options: dict[str, Any]) -> Iterator[Iterable[Any]]:
    names = importlib.import_module(library)
    reader = names.MARCReader
    if task == "xml":
        reader = names.read if library == "libmarc" else names.parse_xml_to_array
    if way == "bulk":
        yield bulk(names, source)
    elif way == "file":
        with open(source, "rb") as file:
            yield reader(file, **options)
    else:
        yield reader(source, **options)


def digest(library: str, way: str, task: str, source: Any, options: dict[str, Any]) -> dict[str, Any]:
    seen = hashlib.sha256()
    records = 0
    with opened(library, way, task, source, options) as reader:
        for record in reader:
            records += 1
            for answer in answers(library, task, record):
                seen.update(f"{answer!r}\n".encode())
    return {"records": records, "digest": seen.hexdigest()}


def peak_bytes() -> int:
    """The most memory that was resident in this process. (ru_maxrss includes the one that started it.)"""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def count_records(path: str) -> int:
    with open(path, "rb") as file:
        return file.read().count(b"\x1d")


def stats_of(reader: Any) -> dict[str, Any]:
    stats = getattr(reader, "stats", None)
    return {name: getattr(stats, name) for name in STATS if hasattr(stats, name)}


def measure(library: str, way: str, task: str, source: Any, options: dict[str, Any]) -> dict[str, Any]:
    run = OWN_TASKS.get((library, task), TASKS[task])
    names = importlib.import_module(library)
    bare = peak_bytes()
    count = count_records(source) if task == "build" else 0
    stats: dict[str, Any] = {}
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    if task == "build":
        run(range(count), names)
    else:
        with opened(library, way, task, source, options) as reader:
            run(reader)
            stats = stats_of(reader)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall": wall, "cpu": cpu, "peak_bytes": peak_bytes(), "bare_bytes": bare, "stats": stats}


def main() -> None:
    parser = argparse.ArgumentParser(description="One measurement; see the head of this file.")
    parser.add_argument("library", choices=("libmarc", "pymarc", "rmarc", "mrrc"))
    parser.add_argument("way", choices=("path", "file", "memory", "bulk"))
    parser.add_argument("task", choices=tuple(TASKS))
    parser.add_argument("file")
    parser.add_argument("--answers", action="store_true")
    parser.add_argument("--options", type=json.loads, default={})
    given = parser.parse_args()
    call = digest if given.answers else measure
    source = Path(given.file).read_bytes() if given.way == "memory" else given.file
    print(json.dumps(call(given.library, given.way, given.task, source, given.options)))


if __name__ == "__main__":
    main()
