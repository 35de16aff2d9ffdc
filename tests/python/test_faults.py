"""Faults: what opening raises, what a source raises, and what a source may give instead of bytes."""

from __future__ import annotations

import errno
import io
import os
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support import Script, Source, book, books, given, raws, run_python

from libmarc import MARCReader

BOOKS = books(7)
DATA = b"".join(BOOKS)
NOBODY = 65_534


@contextmanager
def not_root() -> Iterator[None]:
    """Inside, permissions count: root becomes nobody."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def same_as_open(path: Any) -> OSError:
    """What MARCReader raises for a path, which must be what open() raises."""
    with pytest.raises(OSError) as theirs:  # noqa: PT011
        open(path, "rb").close()
    with pytest.raises(OSError) as ours:  # noqa: PT011
        MARCReader(path)
    assert type(ours.value) is type(theirs.value)
    assert ours.value.args == theirs.value.args
    assert ours.value.filename == theirs.value.filename
    assert str(ours.value) == str(theirs.value)
    return ours.value


# ---- opening ----


@pytest.mark.parametrize("kind", [str, Path])
def test_file_not_found(tmp_path: Path, kind: type) -> None:
    problem = same_as_open(kind(tmp_path / "none.mrc"))
    assert isinstance(problem, FileNotFoundError)
    assert problem.filename == str(tmp_path / "none.mrc")
    assert problem.errno == errno.ENOENT


def test_file_not_found_by_a_name_in_bytes() -> None:
    class Named:
        def __fspath__(self) -> bytes:
            return b"no/such/\xff.mrc"

    problem = same_as_open(Named())
    assert problem.filename == b"no/such/\xff.mrc"


def test_empty_name() -> None:
    assert isinstance(same_as_open(""), FileNotFoundError)


def test_is_a_directory(tmp_path: Path) -> None:
    for path in (tmp_path, str(tmp_path), "/"):
        assert isinstance(same_as_open(path), IsADirectoryError)


def test_not_a_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)
    assert isinstance(same_as_open(tmp_path / "file" / "more"), NotADirectoryError)


def test_permission_denied(tmp_path: Path) -> None:
    path = tmp_path / "closed.mrc"
    path.write_bytes(DATA)
    path.chmod(0)
    for folder in (tmp_path, *tmp_path.parents):  # nobody must come as far as the file
        if os.geteuid() == 0 and folder.stat().st_uid == 0 and folder.name.startswith(("pytest-", "test_")):
            folder.chmod(0o755)
    with not_root():
        try:
            path.open("rb").close()
        except PermissionError:
            pass
        else:
            pytest.skip("permissions do not count here")
        assert isinstance(same_as_open(path), PermissionError)
        assert same_as_open(path).filename == str(path)


@pytest.mark.parametrize("name", ["x" * 300, "loop"])
def test_other_errors_of_the_system(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "loop":
        path.symlink_to(path)
    assert same_as_open(path).errno in (errno.ENAMETOOLONG, errno.ELOOP)


def test_nul_in_a_name() -> None:
    with pytest.raises(ValueError, match="null byte"):
        MARCReader("a\0b")


def test_a_device_that_cannot_be_read() -> None:
    """An error while a path is read: the records, the error with its name, the end."""
    path = Path("/proc/self/mem")  # address 0 is not there
    try:
        with path.open("rb", buffering=0) as file:
            file.read(1)
    except OSError as theirs:
        reader = MARCReader(path)
        with pytest.raises(OSError, match=os.strerror(theirs.errno or 0)) as ours:
            next(reader)
        assert ours.value.errno == theirs.errno
        assert str(ours.value.filename) == str(path)
        assert next(reader, None) is None
    else:
        pytest.skip(f"{path} can be read")


# ---- what read() raises ----


class Own(Exception):
    """An exception of the user."""


def failing(failure: BaseException) -> Any:
    raise failure


@pytest.mark.parametrize(
    "failure",
    [
        Own("mine"),
        OSError(errno.EIO, "disk"),
        ConnectionResetError(errno.ECONNRESET, "peer"),
        ValueError("value"),
        EOFError(),
        StopIteration("no"),
        MemoryError(),
        IndexError("not of the queue"),
        SystemExit(3),
        GeneratorExit(),
        RecursionError("deep"),
    ],
    ids=lambda failure: type(failure).__name__,
)
@pytest.mark.parametrize("before", [0, 3])
def test_exceptions_of_read_come_out_unchanged(failure: BaseException, before: int) -> None:
    """The same object, after the records before it, then the end for good."""
    source = Script(b"".join(BOOKS[:before]) or b" ", lambda: failing(failure), DATA)
    reader = MARCReader(source)
    assert [given(reader).raw for _ in range(before)] == BOOKS[:before]
    args = failure.args
    with pytest.raises(type(failure)) as caught:
        reader.__next__()
    assert caught.value is failure
    assert failure.args == args
    calls = source.calls
    assert list(reader) == []
    assert next(reader, None) is None
    assert source.calls == calls
    assert reader.current_exception is None


def test_traceback_shows_the_frames_of_read() -> None:
    def deep() -> bytes:
        raise Own("here")

    reader = MARCReader(Script(deep))
    with pytest.raises(Own) as caught:
        next(reader)
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-2:] == ["read", "deep"]
    assert names[0] == "test_traceback_shows_the_frames_of_read"


@pytest.mark.parametrize("before", [0, 3])
def test_cause_and_context_are_those_of_read(before: int) -> None:
    """Nothing of the reader's own is tied to the exception: `During handling of ...` tells of the user's code only."""
    cause, context = Own("cause"), KeyError("context")

    def caused() -> bytes:
        raise Own("failure") from cause

    def in_context() -> bytes:
        try:
            raise context
        except KeyError:
            raise Own("failure")  # noqa: B904

    def alone() -> bytes:
        raise Own("failure")

    for step, expected in ((caused, (cause, None)), (in_context, (None, context)), (alone, (None, None))):
        reader = MARCReader(Script(*BOOKS[:before], step))
        for _ in range(before):
            given(reader)
        with pytest.raises(Own, match="failure") as caught:
            reader.__next__()
        assert (caught.value.__cause__, caught.value.__context__) == expected, step.__name__


def test_the_end_has_no_context() -> None:
    reader = MARCReader(b"")
    with pytest.raises(StopIteration) as caught:
        reader.__next__()
    assert caught.value.__context__ is None or isinstance(caught.value.__context__, IndexError)


def test_a_part_of_a_record_before_a_failure_is_not_delivered() -> None:
    reader = MARCReader(Script(BOOKS[0] + BOOKS[1][:40], OSError("gone")))
    assert given(reader).raw == BOOKS[0]
    with pytest.raises(OSError, match="gone"):
        next(reader)
    assert list(reader) == []


def test_a_failure_in_a_loop() -> None:
    reader = MARCReader(Script(*BOOKS, Own("stop")))
    found = []
    with pytest.raises(Own, match="stop"):
        for record in reader:
            found.append(record.raw if record else None)
    assert found == BOOKS


def test_exceptions_are_raised_once() -> None:
    failure = Own()
    reader = MARCReader(Script(failure, failure))
    with pytest.raises(Own):
        next(reader)
    for _ in range(3):
        assert next(reader, "end") == "end"


# ---- interruptions ----

INTERRUPTIONS = [
    BlockingIOError("later"),
    TimeoutError("later"),
    socket.timeout("later"),  # noqa: UP041
    InterruptedError("later"),
    KeyboardInterrupt("later"),
]


@pytest.mark.parametrize("pause", INTERRUPTIONS, ids=lambda pause: type(pause).__name__)
@pytest.mark.parametrize("size", [13, 100, 400])
def test_interruptions_lose_nothing(pause: BaseException, size: int) -> None:
    """Raised between any two reads, also in the middle of a record: next() goes on behind it."""
    steps: list[Any] = []
    for at in range(0, len(DATA), size):
        steps += [pause, DATA[at : at + size], pause]
    reader = MARCReader(Script(*steps))
    found, pauses = [], 0
    while True:
        try:
            record = next(reader)
        except StopIteration:
            break
        except type(pause) as caught:
            assert caught is pause
            pauses += 1
        else:
            assert record is not None
            found.append(record.raw)
    assert found == BOOKS
    assert pauses == 2 * len(steps) // 3


def test_interruptions_inside_rejected_pieces_and_silent_bytes() -> None:
    data = b"".join([b"\n\0", BOOKS[0], b"junk, no record\x1d", b"  ", BOOKS[1], b"\n", BOOKS[2][:-30]])
    expected = raws(MARCReader(data))
    steps: list[Any] = []
    for byte in data:
        steps += [TimeoutError(), bytes([byte])]
    reader = MARCReader(Script(*steps))
    found: list[bytes | None] = []
    while True:
        try:
            record = next(reader, False)
        except TimeoutError:
            continue
        if record is False:
            break
        found.append(reader.current_chunk)
    assert found == expected
    assert len(found) == 4


def test_ctrl_c_on_entry_to_the_callback() -> None:
    """Before the first line of it is executed, where no `try` helps."""
    reader = MARCReader(Script(*BOOKS))
    assert given(reader).raw == BOOKS[0]

    def trace(frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code.co_name == "libmarc_read":
            raise KeyboardInterrupt("on entry")
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(KeyboardInterrupt, match="on entry"):
            reader.__next__()
    finally:
        sys.settrace(before)
    assert raws(reader) == BOOKS[1:]


def test_none_means_later() -> None:
    """As raw files that do not block give it."""
    reader = MARCReader(Script(None, BOOKS[0], None, BOOKS[1][:50], None, None, BOOKS[1][50:]))
    found: list[bytes | None] = []
    for _ in range(6):
        try:
            record = next(reader)
        except BlockingIOError as problem:
            assert "None" in str(problem)
            found.append(None)
        else:
            found.append(record.raw if record else b"")
    assert found == [None, BOOKS[0], None, None, None, BOOKS[1]]
    assert next(reader, "end") == "end"


def test_socket_that_does_not_block() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        reader = MARCReader(ours)
        for expected in BOOKS:
            with pytest.raises(BlockingIOError):
                next(reader)
            theirs.sendall(expected[:60])
            with pytest.raises(BlockingIOError):
                next(reader)
            theirs.sendall(expected[60:])
            assert given(reader).raw == expected
        theirs.close()
        assert next(reader, "end") == "end"


def test_socket_with_a_timeout() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0.01)
        reader = MARCReader(ours)
        theirs.sendall(BOOKS[0] + BOOKS[1][:30])
        assert given(reader).raw == BOOKS[0]
        with pytest.raises(TimeoutError):
            next(reader)
        theirs.sendall(BOOKS[1][30:])
        theirs.close()
        assert given(reader).raw == BOOKS[1]
        assert next(reader, "end") == "end"


@pytest.mark.parametrize("buffering", [0, -1], ids=["raw", "buffered"])
def test_pipe_that_does_not_block(buffering: int) -> None:
    """Nothing there for now is not the end of the stream."""
    out, into = os.pipe()
    os.set_blocking(out, False)
    with open(out, "rb", buffering=buffering) as file:
        reader = MARCReader(file)
        for expected in BOOKS:
            with pytest.raises(BlockingIOError):
                next(reader)
            os.write(into, expected[:60])
            with pytest.raises(BlockingIOError):
                next(reader)
            os.write(into, expected[60:])
            assert given(reader).raw == expected
        os.close(into)
        assert next(reader, "end") == "end"


# ---- what read() may give ----


def test_str_is_a_type_error() -> None:
    reader = MARCReader(Script(BOOKS[0], "text"))
    assert given(reader).raw == BOOKS[0]
    with pytest.raises(TypeError, match="binary mode"):
        next(reader)
    assert list(reader) == []


@pytest.mark.parametrize("wrong", [3, 0, False, [], [b"x"], object(), 1.5], ids=repr)
def test_other_objects_are_a_type_error(wrong: Any) -> None:
    reader = MARCReader(Script(wrong, DATA))
    with pytest.raises(TypeError):
        next(reader)
    assert list(reader) == []


def test_more_than_was_asked_for_is_a_value_error() -> None:
    class Greedy:
        def read(self, size: int) -> bytes:
            return b"x" * (size + 1)

    reader = MARCReader(Greedy())
    with pytest.raises(ValueError, match="at most"):
        next(reader)
    assert list(reader) == []


def test_exactly_what_was_asked_for() -> None:
    data = b"".join(books(3_000, size=1_000))
    assert b"".join(raws(MARCReader(Source(data)))) == data
    assert b"".join(raws(MARCReader(Source(data), _chunk_bytes=64))) == data


@pytest.mark.parametrize(
    "wrap",
    [
        bytearray,
        memoryview,
        lambda content: memoryview(bytearray(content)),
        lambda content: memoryview(content + b"xxxx")[:-4],
    ],
)
def test_bytes_in_other_clothes(wrap: Any) -> None:
    class Wrapping(Source):
        def read(self, size: int) -> Any:
            return wrap(super().read(size))

    assert raws(MARCReader(Wrapping(DATA))) == BOOKS
    assert raws(MARCReader(Wrapping(DATA, 50))) == BOOKS


def test_a_buffer_that_is_used_again() -> None:
    """The reader has copied what it was given when it asks for more."""
    shared = bytearray(100)

    class Reusing(Source):
        def read(self, size: int) -> Any:
            content = super().read(min(size, 100))
            shared[: len(content)] = content
            return memoryview(shared)[: len(content)]

    assert raws(MARCReader(Reusing(DATA))) == BOOKS


@pytest.mark.parametrize("most", [1, 2, 5, 23, 24, 25, 100])
def test_short_reads(most: int) -> None:
    source = Source(DATA, most)
    assert raws(MARCReader(source)) == BOOKS
    assert source.calls <= len(DATA) // most + 2


def test_memoryviews_with_gaps_are_taken_or_refused_whole() -> None:
    spread = bytearray(2 * len(DATA))
    spread[::2] = DATA
    reader = MARCReader(Script(memoryview(spread)[::2]))
    try:
        assert raws(reader) == BOOKS
    except (ValueError, TypeError, BufferError):
        assert list(reader) == []


def test_end_of_input_is_asked_once() -> None:
    """A terminal gives b"" for Ctrl-D and could go on: the first end counts."""
    source = Script(BOOKS[0], b"", BOOKS[1])
    reader = MARCReader(source)
    assert raws(reader) == BOOKS[:1]
    assert next(reader, None) is None
    assert source.calls == 2


def test_read_gets_one_positive_number() -> None:
    seen: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    class Curious:
        def read(self, *args: Any, **named: Any) -> bytes:
            seen.append((args, named))
            return b""

    assert list(MARCReader(Curious())) == []
    ((size,), named) = seen[0]
    assert len(seen) == 1
    assert type(size) is int
    assert size > 0
    assert named == {}


# ---- sources that cannot be positioned after all ----


def test_a_seek_that_fails_is_told() -> None:
    class Stuck(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(size)

        def seek(self, offset: int, whence: int = 0, /) -> int:
            raise OSError(errno.ESPIPE, "cannot")

    reader = MARCReader(Stuck(DATA))
    assert given(reader).raw == BOOKS[0]
    with pytest.raises(OSError, match="cannot"):
        reader.close()
    reader.close()
    assert next(reader, None) is None


def test_a_source_that_was_closed_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "books.mrc"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        reader = MARCReader(file, _chunk_bytes=200)
        assert given(reader).raw == BOOKS[0]
    with pytest.raises(ValueError, match="closed"):
        raws(reader)
    assert next(reader, None) is None
    reader.close()


FORK = """
import gc, os, sys
from support import books
from libmarc import MARCReader

path = sys.argv[1]
expected = books(3_000, size=1_000)
with open(path, "wb") as out:
    out.write(b"".join(expected))
with open(path, "rb") as file:
    reader = MARCReader(file)
    found = [next(reader).raw for _ in range(5)]
    child = os.fork()
    if child == 0:
        try:
            for _ in range(3_000):
                next(reader)
        except RuntimeError as problem:
            outcome = 0 if "fork" in str(problem).lower() or "parent" in str(problem) else 1
        else:
            outcome = 2
        reader.close()
        del reader
        gc.collect()
        os._exit(outcome)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    found += [record.raw if record else None for record in reader]
print(status, found == expected, len(found))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork()")
def test_a_child_leaves_the_reader_of_its_parent_alone(tmp_path: Path) -> None:
    """An open file is shared with a forked child: the reader there says so, and does not move the position here."""
    assert run_python(FORK, tmp_path / "file.mrc") == "0 True 3000\n"


def test_books_are_sound() -> None:
    """What these tests take for records is what a reader takes for records."""
    for record, expected in zip(MARCReader(DATA), BOOKS, strict=True):
        assert record is not None
        assert record.raw == expected
        assert record.problems == ()
    assert len(book(1, size=99_999)) == 99_999
