"""What several test files share: records made by hand, sources that behave in a certain way, child processes."""

from __future__ import annotations

import atexit
import bz2
import gzip
import io
import lzma
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from corpus import CACHE, SHARED
from generate import generate

from libmarc import Field, MARCReader, Record, Stats
from libmarc._native import lib

#: What the TypeError for any other source, and docs/sources.md, have to name.
SOURCE_KINDS = ("str", "os.PathLike", "bytes", "bytearray", "memoryview", "mmap", "io.BytesIO", "socket.socket")

T = TypeVar("T")

#: What hangs is ended after so many seconds. Nothing else depends on a clock.
HANG = 120.0
HERE = Path(__file__).resolve().parent
CHUNK = 512 << 10  # bytes that a reader asks for at once
needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="there is no /proc")

# ---- records ----


def record_bytes(*fields: tuple[str, bytes], coding: str = "a", head: str = "nam") -> bytes:
    """A sound record with these fields: tag and content without the terminator. `coding` is leader/09."""
    entries, contents, start = "", b"", 0
    for tag, content in fields:
        entries += f"{tag}{len(content) + 1:04}{start:05}"
        start += len(content) + 1
        contents += content + b"\x1e"
    base = 24 + len(entries) + 1
    leader = f"{base + start + 1:05}{head} {coding}22{base:05} i 4500"
    return f"{leader}{entries}\x1e".encode() + contents + b"\x1d"


def book(number: int, title: str = "", size: int = 0) -> bytes:
    """A small sound record with its number in 001, a title, and a note that brings it to at least `size` bytes."""
    fields = [("001", b"n%06d" % number), ("245", f"10\x1fa{title or f'Title {number}'}".encode())]
    missing = size - len(record_bytes(*fields)) - 12 - 5
    while missing > 0:
        fields.append(("500", b"  \x1fa" + b"x" * min(missing, 9_000)))
        missing -= 9_000 + 17
    return record_bytes(*fields)


def books(count: int, size: int = 0) -> list[bytes]:
    return [book(number, size=size) for number in range(count)]


@cache
def generated(kind: str, count: int, seed: int = 7) -> bytes:
    data: bytes = generate(kind, count, seed)[0]
    return data


@cache
def generated_pieces(kind: str, count: int, seed: int = 7) -> list[tuple[str, int, int]]:
    """The pieces that a reader delivers, by the generator's own map: kind ("record" or "chunk"), begin and end."""
    return [
        (piece.kind, piece.begin, piece.end)
        for piece in generate(kind, count, seed)[1].pieces
        if piece.kind != "silent"
    ]


@cache
def pymarc_test_files() -> Path:
    """The folder of pymarc's own test files: in the corpus, or from its source distribution in the cache. The test is
    skipped aloud where there is neither."""
    folder = SHARED / "corpus" / "edsu__pymarc"
    if folder.is_dir():
        return folder
    sdist = CACHE / "pymarc-5.4.0.tar.gz"
    if not sdist.is_file():
        pytest.skip(f"pymarc's test files are neither in {folder} (LIBMARC_SHARED) nor in {sdist} (LIBMARC_CACHE)")
    unpacked = Path(tempfile.mkdtemp(prefix="libmarc-test-"))
    atexit.register(shutil.rmtree, unpacked, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        for member in archive:
            name = Path(member.name)
            content = archive.extractfile(member) if name.parent.name == "test" else None
            if content is not None:
                (unpacked / name.name).write_bytes(content.read())
    return unpacked


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("books.mrc", content)
    return out.getvalue()


@cache
def foreign_inputs() -> dict[str, tuple[int, bytes]]:
    """Inputs that begin as another format, with the code that tells of it. The compressed ones are full of 0x1D."""
    noise = random.Random(9).randbytes(3_000) + b"".join(books(20))
    text = "<collection>" + "<record><leader>00000nam a2200000 i 4500</leader></record>\n" * 40 + "</collection>\n"
    marcmaker = "=LDR  00000nam a2200000 i 4500\r\n=001  n000001\r\n=245  10$aTitle\r\n\r\n" * 20
    found = {
        "gzip": (lib.MARC_BAD_GZIP, gzip.compress(noise)),
        "bzip2": (lib.MARC_BAD_BZIP2, bz2.compress(noise)),
        "xz": (lib.MARC_BAD_XZ, lzma.compress(noise)),
        "zstd": (lib.MARC_BAD_ZSTD, b"\x28\xb5\x2f\xfd\x04\x58" + noise[:3_000]),
        "zip": (lib.MARC_BAD_ZIP, zipped(noise)),
        "xml": (lib.MARC_BAD_XML, b'<?xml version="1.0" encoding="UTF-8"?>\n' + text.encode()),
        "xml without declaration": (lib.MARC_BAD_XML, text.encode()),
        "xml with a byte order mark": (lib.MARC_BAD_XML, b"\xef\xbb\xbf" + text.encode()),
        "html": (lib.MARC_BAD_HTML, b"<!DOCTYPE html>\n<html><body>" + b"<p>Not found</p>\n" * 60 + b"</body></html>"),
        "html without doctype": (lib.MARC_BAD_HTML, b"\r\n<HTML><head>" + b"<meta>" * 60),
        "json": (
            lib.MARC_BAD_JSON,
            b'{"leader": "00000nam a2200000 i 4500", "fields": [' + b'{"001": "x"},' * 60 + b"]}",
        ),
        "json of many": (
            lib.MARC_BAD_JSON,
            b'[\n  {"leader": "00000nam a2200000 i 4500"}' + b',{"fields": []}' * 60 + b"]",
        ),
        "marcmaker": (lib.MARC_BAD_MARCMAKER, marcmaker.encode()),
        "utf-16": (lib.MARC_BAD_UTF16, marcmaker.encode("utf-16")),
        "utf-16 little-endian": (lib.MARC_BAD_UTF16, marcmaker.encode("utf-16-le")),
        "utf-16 big-endian": (lib.MARC_BAD_UTF16, b"\xfe\xff" + marcmaker.encode("utf-16-be")),
        "utf-16 big-endian without mark": (lib.MARC_BAD_UTF16, marcmaker.encode("utf-16-be")),
    }
    for name in ("gzip", "bzip2", "xz", "zstd", "zip"):
        assert found[name][1].count(b"\x1d") > 3
    return found


# ---- what a reader gives ----


class Item(NamedTuple):
    """All that can be known of one item of a reader."""

    raw: bytes | None
    fields: list[tuple[Any, ...]] | None  # None for a rejected piece
    title: str | None
    text: str
    problems: tuple[Any, ...]
    place: dict[str, Any]  # of a rejected piece


def flat(record: Any) -> list[tuple[Any, ...]]:
    """The fields of a record, ours or pymarc's, as plain values."""
    return [flat_field(field) for field in record.fields]


def flat_field(field: Any) -> tuple[Any, ...]:
    if field.control_field:
        return (field.tag, field.data)
    return (field.tag, tuple(field.indicators), [tuple(subfield) for subfield in field.subfields])


def item(reader: MARCReader, record: Record | None) -> Item:
    if record is not None:
        title = record.title  # before the fields: by the batch
        return Item(record.raw, flat(record), title, str(record), record.problems, {})
    problem = reader.current_exception
    assert problem is not None
    place = {"type": type(problem), "args": problem.args, **vars(problem)}
    return Item(reader.current_chunk, None, None, str(problem), (), place)


def items(reader: MARCReader) -> list[Item]:
    """All of a reader, with every byte accounted for."""
    before = reader.stats
    found = [item(reader, record) for record in reader]
    check_accounts(reader, before, [(one.raw or b"", one.fields is not None) for one in found])
    return found


def raws(reader: MARCReader) -> list[bytes]:
    """The bytes of all items of a reader, with every byte accounted for."""
    before = reader.stats
    found = []
    for record in reader:
        raw = reader.current_chunk if record is None else record.raw
        assert raw is not None
        found.append((raw, record is not None))
    check_accounts(reader, before, found)
    return [raw for raw, _ in found]


def check_accounts(reader: MARCReader, before: Stats, found: list[tuple[bytes, bool]]) -> None:
    """That `stats` tell of all bytes of an input that was read to its end, and of what was found since `before`: the
    bytes of each item, and whether it is a record."""
    stats = check_sums(reader)
    assert stats.delivered - before.delivered == sum(is_record for _, is_record in found)
    assert stats.bytes_delivered - before.bytes_delivered == sum(len(raw) for raw, is_record in found if is_record)
    if reader._on_error == "skip":
        return  # rejected pieces are none of the items
    assert stats.rejected - before.rejected == sum(not is_record for _, is_record in found)
    rejected = sum(len(raw) for raw, is_record in found if not is_record)
    # Of a piece above the largest size only the first part is an item.
    assert (stats.bytes_rejected - before.bytes_rejected == rejected) or lib.MARC_BAD_OVERSIZE in stats.errors_by_code


def check_sums(reader: MARCReader) -> Stats:
    """That the numbers of a reader that has come to its end agree with each other, and with those of libmarc.so.
    (One that was closed on the way is behind its last item: it may have read more.)"""
    stats = reader.stats
    assert stats.records == stats.delivered + stats.rejected
    assert stats.repaired <= stats.delivered
    assert sum(stats.errors_by_code.values()) == stats.rejected
    told = stats.bytes_delivered + stats.bytes_rejected + stats.junk_bytes
    if reader._source.handle is None:
        assert told <= stats.bytes_read
    else:
        assert told == stats.bytes_read == reader._source.info().bytes_read
        assert stats.junk_bytes == reader._source.info().silent_bytes
    return stats


def steps(reader: MARCReader) -> Iterator[Record | Exception | None]:
    """What each call of next() gives or raises, until the end: a reader goes on behind what it has raised."""
    while True:
        step: Record | Exception | None
        try:
            step = next(reader)
        except StopIteration:
            return
        except Exception as problem:
            step = problem
        yield step


def given(reader: MARCReader) -> Record:
    """The next item, which must be a record."""
    record = next(reader)
    assert record is not None, reader.current_exception
    return record


def field_of(record: Record, tag: str) -> Field:
    return record[tag]


# ---- sources ----


class Source:
    """Gives bytes by read(n) and nothing else, at most `most` at once. Counts."""

    def __init__(self, content: bytes, most: int | None = None) -> None:
        self.content = content
        self.most = most
        self.at = 0
        self.asked: list[int] = []

    @property
    def calls(self) -> int:
        return len(self.asked)

    def read(self, size: int) -> Any:
        self.asked.append(size)
        if self.most is not None:
            size = min(size, self.most)
        content = self.content[self.at : self.at + size]
        self.at += len(content)
        return content


class Seekable(Source):
    """The same, and can be positioned."""

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.at, os.SEEK_END: len(self.content)}[whence]
        return self.at


class Script:
    """Gives by read(n) what its steps say, one a call: raises exceptions, calls functions, returns anything else. Ends
    with b"" for ever."""

    def __init__(self, *steps: Any) -> None:
        self.steps = list(steps)
        self.calls = 0

    def read(self, size: int) -> Any:
        self.calls += 1
        if not self.steps:
            return b""
        step = self.steps.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step() if callable(step) else step


# ---- waiting without a clock ----


def within(function: Callable[[], T], seconds: float = HANG) -> T:
    """The result of a function that could hang: it then fails instead."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((True, function()))
        except BaseException as problem:
            outcome.append((False, problem))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert outcome, "it hangs"
    worked, value = outcome[0]
    if not worked:
        raise value
    result: T = value
    return result


def wait_until(condition: Callable[[], bool]) -> None:
    """Returns as soon as something is true; fails if it never is."""
    end = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.001)


def is_asleep(thread: int, process: int | str = "self") -> bool:
    """Whether a thread, by its native id, waits in the kernel."""
    return Path(f"/proc/{process}/task/{thread}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def open_files() -> int:
    """How many files this process has open."""
    return len(os.listdir("/proc/self/fd"))


# ---- child processes ----


def child_environment() -> dict[str, str]:
    """What a child needs to import libmarc and these helpers."""
    paths = [str(HERE), str(HERE.parent / "fixtures"), *filter(None, sys.path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONFAULTHANDLER": "1"}


def run_python(code: str, *arguments: str | Path) -> str:
    """What a Python program prints. It must end well."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=10 * HANG,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Child:
    """A Python program that is talked to by lines."""

    def __init__(self, code: str, *arguments: str | Path, pass_fds: tuple[int, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", code, *map(str, arguments)],
            env=child_environment(),
            pass_fds=pass_fds,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """The next line that it prints; "" at its end."""
        out = self.process.stdout
        assert out is not None
        return within(out.readline).rstrip("\n")

    def wait_asleep(self) -> None:
        """Until its main thread waits in the kernel."""
        wait_until(lambda: is_asleep(self.process.pid, self.process.pid))

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def background(function: Callable[[], object]) -> threading.Thread:
    """Starts a thread that does not keep the process from ending."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def in_turn(*steps: Callable[[], object]) -> Callable[[], None]:
    """A function that calls these, one after the other."""

    def call() -> None:
        for step in steps:
            step()

    return call
