"""Live streams: what is complete is delivered while the writer waits, and Ctrl-C ends the waiting."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support import Child, background, book, books, given, in_turn, needs_proc, raws, run_python, within

from libmarc import MARCReader, TruncatedRecord

BOOKS = books(40)
DATA = b"".join(BOOKS)
needs_fifo = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")

Write = Callable[[bytes], Any]


class Stream:
    """Something to read from, and how the peer writes to it and ends it."""

    def __init__(self, source: Any, write: Write, end: Callable[[], object]) -> None:
        self.source = source
        self.write = write
        self.end = end


@contextmanager
def socket_stream(_: Path) -> Iterator[Stream]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Stream(ours, theirs.sendall, theirs.close)


@contextmanager
def tcp_stream(_: Path) -> Iterator[Stream]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _address = server.accept()
    with ours, theirs:
        yield Stream(ours, theirs.sendall, theirs.close)


@contextmanager
def pipe_stream(_: Path, buffering: int = -1) -> Iterator[Stream]:
    out, into = os.pipe()
    writer = open(into, "wb", buffering=0)
    with open(out, "rb", buffering=buffering) as source, writer:
        yield Stream(source, writer.write, writer.close)


@contextmanager
def raw_pipe_stream(folder: Path) -> Iterator[Stream]:
    with pipe_stream(folder, 0) as stream:
        yield stream


@contextmanager
def process_stream(_: Path) -> Iterator[Stream]:
    """The output of a child process that copies what it is told."""
    code = "import os, sys\nwhile data := os.read(0, 1 << 16): os.write(1, data)"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=-1)
    assert child.stdin is not None
    assert child.stdout is not None
    into = child.stdin

    def write(content: bytes) -> None:
        into.write(content)
        into.flush()

    with child:
        yield Stream(child.stdout, write, into.close)


@contextmanager
def fifo_stream(folder: Path) -> Iterator[Stream]:
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    both = os.open(fifo, os.O_RDWR)  # so that neither side waits for the other in open()
    writer = fifo.open("wb", buffering=0)
    with writer:
        yield Stream(fifo, writer.write, in_turn(writer.close, partial(os.close, both)))


@contextmanager
def socket_file_stream(_: Path) -> Iterator[Stream]:
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as source:
        yield Stream(source, theirs.sendall, theirs.close)


STREAMS = [
    socket_stream,
    tcp_stream,
    pipe_stream,
    raw_pipe_stream,
    process_stream,
    socket_file_stream,
    pytest.param(fifo_stream, marks=needs_fifo),
]
every_stream = pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__.removesuffix("_stream"))


@every_stream
def test_a_complete_record_is_delivered_while_the_writer_waits(stream: Any, tmp_path: Path) -> None:
    """The peer sends the next record only when it has the answer to the one before: nothing more can be there."""
    with stream(tmp_path) as live:

        def converse() -> list[bytes | None]:
            live.write(BOOKS[0])
            answers = []
            for record, following in zip(reader, [*BOOKS[1:], b""], strict=False):
                assert record is not None
                answers.append(record.raw)
                if following:
                    live.write(following)
                else:
                    live.end()
            return answers

        reader = MARCReader(live.source)
        assert within(converse) == BOOKS
        assert within(lambda: next(reader, "end")) == "end"


@every_stream
def test_titles_of_a_live_stream(stream: Any, tmp_path: Path) -> None:
    """Data that is derived for a whole batch waits for nothing either."""
    with stream(tmp_path) as live:

        def converse() -> list[str | None]:
            found = []
            for at, expected in enumerate(BOOKS[:5]):
                live.write(expected)
                record = given(reader)
                found.append(record.title)
                assert record["001"].data == f"n{at:06}"
            return found

        reader = MARCReader(live.source)
        assert within(converse) == [f"Title {number}" for number in range(5)]
        live.end()
        assert within(lambda: next(reader, "end")) == "end"


@every_stream
def test_records_in_pieces(stream: Any, tmp_path: Path) -> None:
    """Half a record, a record and a half, two at once: each is delivered as soon as its last byte is there."""
    with stream(tmp_path) as live:

        def converse() -> None:
            live.write(BOOKS[0] + BOOKS[1][:50])
            assert given(reader).raw == BOOKS[0]
            live.write(BOOKS[1][50:])
            assert given(reader).raw == BOOKS[1]
            live.write(BOOKS[2] + BOOKS[3] + b"\r\n")
            assert given(reader).raw == BOOKS[2]
            assert given(reader).raw == BOOKS[3]
            live.write(BOOKS[4])
            assert given(reader).raw == BOOKS[4]
            live.end()
            assert next(reader, "end") == "end"

        reader = MARCReader(live.source)
        within(converse)


@every_stream
def test_a_record_larger_than_the_buffer_of_the_system(stream: Any, tmp_path: Path) -> None:
    large = [book(number, size=99_999) for number in range(12)]
    with stream(tmp_path) as live:
        reader = MARCReader(live.source)
        background(lambda: ([live.write(raw) for raw in large], live.end()))
        assert within(lambda: raws(reader)) == large


@every_stream
def test_a_stream_that_ends_in_the_middle(stream: Any, tmp_path: Path) -> None:
    with stream(tmp_path) as live:
        reader = MARCReader(live.source)
        live.write(BOOKS[0] + BOOKS[1][:60])
        live.end()
        assert within(lambda: given(reader)).raw == BOOKS[0]
        assert within(lambda: next(reader)) is None
        assert isinstance(reader.current_exception, TruncatedRecord)
        assert reader.current_chunk == BOOKS[1][:60]
        assert within(lambda: next(reader, "end")) == "end"


def test_damage_is_told_as_soon_as_the_byte_behind_it_is_there() -> None:
    """A rejected piece waits for one byte more: whether it is the last one decides what is wrong with it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = MARCReader(ours)
        theirs.sendall(b"no record\x1d" + BOOKS[0])
        assert within(lambda: next(reader)) is None
        assert within(lambda: given(reader)).raw == BOOKS[0]
        theirs.sendall(b"no record\x1d")
        theirs.close()
        assert within(lambda: next(reader)) is None
        assert within(lambda: next(reader, "end")) == "end"


def test_buffered_bytes_are_not_left_behind() -> None:
    """What the file has in its buffer from before comes first."""
    out, into = os.pipe()
    os.write(into, b"head\n" + BOOKS[0] + BOOKS[1])
    with open(out, "rb") as file:
        assert file.readline() == b"head\n"
        reader = MARCReader(file)
        assert within(lambda: given(reader)).raw == BOOKS[0]
        assert within(lambda: given(reader)).raw == BOOKS[1]
        os.write(into, BOOKS[2])
        os.close(into)
        assert within(lambda: raws(reader)) == BOOKS[2:3]


def test_other_objects_are_asked_by_read_only() -> None:
    """A class of one's own means what its read() does, also where it derives from one that is known."""

    class Own(io.BufferedReader):
        reads = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.reads += 1
            return super().read(size)

        def read1(self, size: int = -1, /) -> bytes:
            raise AssertionError("not asked")

    raw: Any = io.BytesIO(DATA)
    source = Own(raw)
    assert raws(MARCReader(source)) == BOOKS
    assert source.reads == 2


# ---- signals ----

WAITING = """
import os, signal, socket, sys
from libmarc import MARCReader

kind, name = sys.argv[1:3]
if kind == "socket":
    source = socket.socket(fileno=int(name))
elif kind == "fifo":
    source = name
else:
    source = open(int(name), "rb", buffering=0 if kind == "raw pipe" else -1)
if kind == "fifo":
    print("waits", flush=True)
    try:
        reader = MARCReader(source)
    except KeyboardInterrupt:
        print("KeyboardInterrupt", flush=True)
        reader = MARCReader(source)
else:
    reader = MARCReader(source)
while True:
    print("waits", flush=True)
    try:
        record = next(reader)
    except KeyboardInterrupt:
        print("KeyboardInterrupt", flush=True)
    except StopIteration:
        break
    else:
        print(record.title, flush=True)
print("end", flush=True)
"""


#: A signal whose handler raises comes every 1.5 ms, whatever the reader is doing. (In a process of its own: it may also
#: come to what runs the tests.)
SIGNALS = """
import os, signal, sys, threading
from libmarc import MARCReader

armed = False

def ring(*_):
    if armed:
        raise TimeoutError

def write_all(into, content):
    with open(into, "wb") as file:
        file.write(content)

def opened(way, path):
    if way != "pipe":
        return open(path, "rb", buffering=0 if way == "raw" else -1)
    out, into = os.pipe()
    with open(path, "rb") as file:
        threading.Thread(target=write_all, args=(into, file.read()), daemon=True).start()
    return open(out, "rb")

signal.signal(signal.SIGALRM, ring)
for _ in range(8):
    reader, interrupts = MARCReader(opened(*sys.argv[1:])), 0
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0015)
    while True:
        armed = True
        try:
            record = next(reader, False)
            armed = False
        except TimeoutError:
            armed = False
            interrupts += 1
            continue
        if record is False:
            break
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(reader.stats.delivered, reader.stats.rejected, reader.stats.bytes_read, interrupts > 0)
"""


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("way", ["pipe", "buffered", "raw"])
def test_signals_lose_nothing(way: str, threads: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that raises may run when read() has just returned, and nobody has what it returned."""
    monkeypatch.setenv("MARC_NUM_THREADS", threads)
    file = tmp_path / "many.mrc"
    file.write_bytes(DATA * 400)
    found = run_python(SIGNALS, way, file).splitlines()
    assert found == [f"{400 * len(BOOKS)} 0 {400 * len(DATA)} True"] * 8


def interrupt(child: Child) -> None:
    """Ctrl-C while it waits, as often as it takes until it is heard: a moment before the waiting may hear it, too."""
    assert child.line() == "waits"
    child.wait_asleep()
    child.interrupt()
    assert child.line() == "KeyboardInterrupt"


@needs_proc
@pytest.mark.parametrize("kind", ["socket", "pipe", "raw pipe", pytest.param("fifo", marks=needs_fifo)])
def test_ctrl_c_works_while_the_source_blocks(kind: str, tmp_path: Path) -> None:
    """KeyboardInterrupt comes out of next(), again and again, and reading goes on where it was."""
    descriptors: tuple[int, ...] = ()
    write: Any
    end: Any
    if kind == "socket":
        ours, theirs = socket.socketpair()
        descriptors, name = (ours.fileno(),), str(ours.fileno())
        write, end = theirs.sendall, theirs.close
    elif kind == "fifo":
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        name = str(fifo)
    else:
        out, into = os.pipe()
        descriptors, name = (out,), str(out)
        write, end = (lambda content: os.write(into, content)), (lambda: os.close(into))
    with Child(WAITING, kind, name, pass_fds=descriptors) as child:
        if kind == "socket":
            ours.close()
        elif kind == "fifo":
            interrupt(child)  # it waits in open()
            writer = within(lambda: open(fifo, "wb", buffering=0))
            write, end = writer.write, writer.close
        else:
            os.close(out)
        interrupt(child)
        interrupt(child)
        assert child.line() == "waits"
        write(BOOKS[0][:40])
        child.wait_asleep()
        child.interrupt()
        assert child.line() == "KeyboardInterrupt"  # in the middle of a record
        assert child.line() == "waits"
        write(BOOKS[0][40:])
        assert child.line() == "Title 0"
        interrupt(child)
        assert child.line() == "waits"
        write(BOOKS[1])
        assert child.line() == "Title 1"
        assert child.line() == "waits"
        end()
        assert child.line() == "end"
        assert within(child.process.wait) == 0
