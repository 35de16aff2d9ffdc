"""rejects=: the bytes of all rejected pieces, as they stood; to what they can be written, and what happens where they
cannot."""

from __future__ import annotations

import errno
import gzip
import io
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import Script, Source, book, books, check_sums, given, needs_proc, open_files, raws, run_python, steps

from libmarc import MARCReader, PymarcException, Record, TooManyErrors
from libmarc._native import lib

MODES = ("none", "raise", "skip", "salvage")
GOOD = books(5)
BAD = [b"no record %d\x1d" % number + b"neither\x1d" * number for number in range(3)]
WRONG = b"00999" + book(90)[5:]  # rejected, or repaired
PARTS = [GOOD[0], BAD[0], b"\n", GOOD[1], WRONG, BAD[1], GOOD[2], BAD[2], GOOD[3], b"\r\n"]
DATA = b"".join(PARTS)
REJECTED = BAD[0] + WRONG + BAD[1] + BAD[2]
every_mode = pytest.mark.parametrize("mode", MODES)
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")


def rejected_in(mode: str) -> bytes:
    return REJECTED.replace(WRONG, b"") if mode == "salvage" else REJECTED


def read_on(reader: MARCReader) -> list[bytes | None]:
    """The items of a reader in any mode, until its end or until `rejects` raises something."""
    found: list[bytes | None] = []
    for step in steps(reader):
        if isinstance(step, TooManyErrors) or not isinstance(step, Record | PymarcException | None):
            raise step
        found.append(step.raw if isinstance(step, Record) else reader.current_chunk)
    return found


class WriteOnly:
    """Has nothing but write(), which says nothing."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, content: bytes) -> Any:
        assert type(content) is bytes
        assert content
        self.content += content


class Short(WriteOnly):
    """Takes a few bytes at once, and says how many."""

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.random = random.Random(3)
        self.sizes = sizes

    def write(self, content: bytes) -> Any:
        taken = content[: self.random.choice(self.sizes)]
        super().write(taken)
        return len(taken)


class Disk(io.RawIOBase):
    """A raw file on a disk that is full now and then. A write that does not fit takes what fits, if anything does."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.content = b""
        self.room = room
        self.failures = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any, /) -> int:
        if not self.room:
            self.failures += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = bytes(content[: self.room])
        self.content += taken
        self.room -= len(taken)
        return len(taken)


# ---- what can be written to ----


def to_str(folder: Path) -> tuple[Any, Callable[[], bytes]]:
    return str(folder / "rejects"), (folder / "rejects").read_bytes


def to_path(folder: Path) -> tuple[Any, Callable[[], bytes]]:
    return folder / "rejects", (folder / "rejects").read_bytes


def to_name_in_bytes(folder: Path) -> tuple[Any, Callable[[], bytes]]:
    class Named:
        def __fspath__(self) -> bytes:
            return os.fsencode(folder / "rejects")

    return Named(), (folder / "rejects").read_bytes


def to_bytes_io(_: Path) -> tuple[Any, Callable[[], bytes]]:
    target = io.BytesIO()
    return target, target.getvalue


def to_raw_file(folder: Path) -> tuple[Any, Callable[[], bytes]]:
    return io.FileIO(folder / "rejects", "wb"), (folder / "rejects").read_bytes


def to_buffered_file(folder: Path) -> tuple[Any, Callable[[], bytes]]:
    return (folder / "rejects").open("wb"), (folder / "rejects").read_bytes


def to_gzip_file(folder: Path) -> tuple[Any, Callable[[], bytes]]:
    target = gzip.open(folder / "rejects", "wb")

    def content() -> bytes:
        target.close()
        return gzip.decompress((folder / "rejects").read_bytes())

    return target, content


def to_write_only(_: Path) -> tuple[Any, Callable[[], bytes]]:
    target = WriteOnly()
    return target, lambda: target.content


def to_one_byte_at_a_time(_: Path) -> tuple[Any, Callable[[], bytes]]:
    target = Short(1)
    return target, lambda: target.content


def to_short_writes(_: Path) -> tuple[Any, Callable[[], bytes]]:
    target = Short(1, 2, 7, 1_000)
    return target, lambda: target.content


TARGETS = [
    to_str, to_path, to_name_in_bytes, to_bytes_io, to_raw_file, to_buffered_file, to_gzip_file, to_write_only,
    to_one_byte_at_a_time, to_short_writes,
]  # fmt: skip
every_target = pytest.mark.parametrize("make", TARGETS, ids=lambda make: make.__name__.removeprefix("to_"))


@every_mode
@every_target
def test_what_is_rejected_is_there_byte_for_byte(make: Any, mode: str, tmp_path: Path) -> None:
    """In the order of the input; nothing of records, nothing of what is silent."""
    target, content = make(tmp_path)
    reader = MARCReader(Source(DATA, 70), on_error=mode, rejects=target)
    found = read_on(reader)
    assert content() == rejected_in(mode)
    assert [raw for raw in found if raw in GOOD] == GOOD[:4]
    assert check_sums(reader).bytes_rejected == len(rejected_in(mode))


@every_target
def test_a_damaged_file_is_taken_apart_whole(make: Any, damaged: bytes, damaged_file: Path, tmp_path: Path) -> None:
    """Delivered, rejected and silent bytes are the file, and read again the rejected ones are rejected."""
    target, content = make(tmp_path)
    with MARCReader(damaged_file, rejects=target, _chunk_bytes=3_000) as reader:
        pieces = [(reader.current_chunk or b"", record is None) for record in reader]
        stats = check_sums(reader)
    rejected = content()
    assert rejected == b"".join(raw for raw, is_rejected in pieces if is_rejected)
    assert len(rejected) == stats.bytes_rejected > 1_000
    assert sum(len(raw) for raw, _ in pieces) + stats.junk_bytes == len(damaged)


def test_a_file_that_was_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    path.write_bytes(b"x" * 10_000)
    raws(MARCReader(DATA, rejects=path))
    assert path.read_bytes() == REJECTED


def test_an_open_file_is_written_where_it_stands(tmp_path: Path) -> None:
    target = io.BytesIO(b"before")
    target.seek(0, io.SEEK_END)
    for _ in range(2):
        raws(MARCReader(DATA, rejects=target))
    assert target.getvalue() == b"before" + 2 * REJECTED


def test_nothing_rejected_is_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    raws(MARCReader(b"".join(GOOD), rejects=path))
    assert path.read_bytes() == b""


def test_they_are_written_as_they_come(tmp_path: Path) -> None:
    """A program that is killed has lost none that it was told of."""
    path = tmp_path / "rejects"
    reader = MARCReader(DATA, rejects=path)
    told = b""
    for record in reader:
        if record is None:
            told += reader.current_chunk or b""
        assert path.read_bytes() == told
    assert told == REJECTED


def test_rejects_can_be_read_again() -> None:
    """To repair later what can be repaired."""
    first, second = io.BytesIO(), io.BytesIO()
    raws(MARCReader(DATA, rejects=first))
    first.seek(0)
    (record,) = [record for record in MARCReader(first, on_error="salvage", rejects=second) if record is not None]
    assert record.raw == WRONG
    assert second.getvalue() == rejected_in("salvage")


# ---- what cannot be written to ----


@pytest.mark.parametrize(
    "target", [3, 0, b"name", object(), [], io.StringIO(), MARCReader, True], ids=lambda target: type(target).__name__
)
def test_other_targets_are_a_type_error(target: Any) -> None:
    with pytest.raises(TypeError, match="rejects is a path or a binary file, not"):
        MARCReader(DATA, rejects=target)


def test_text_files_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "text").open("w") as text, pytest.raises(TypeError, match="not TextIOWrapper"):
        MARCReader(DATA, rejects=text)


def test_paths_that_cannot_be_opened(tmp_path: Path) -> None:
    """As open() says it, with the name; and before a byte is read."""
    source = Source(DATA)
    for path, kind in ((tmp_path / "no" / "rejects", FileNotFoundError), (tmp_path, IsADirectoryError)):
        with pytest.raises(kind) as caught:
            MARCReader(source, rejects=path)
        assert caught.value.filename == path
    assert source.calls == 0


@needs_proc
def test_a_reader_that_cannot_write_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(DATA)
    before = open_files()
    for _ in range(5):
        with pytest.raises(FileNotFoundError):
            MARCReader(tmp_path / "input", rejects=tmp_path / "no" / "rejects")
    assert open_files() == before


def test_a_source_that_cannot_be_opened_costs_no_old_rejects(tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    path.write_bytes(REJECTED)
    refused: list[tuple[Any, dict[str, Any], type[Exception]]] = [
        (tmp_path / "none.mrc", {}, FileNotFoundError),
        (tmp_path, {}, IsADirectoryError),
        (object(), {}, TypeError),
        (io.StringIO(), {}, TypeError),
        ("a\0b", {}, ValueError),
        (DATA, {"on_error": "other"}, ValueError),
        (DATA, {"max_errors": -1}, ValueError),
        (DATA, {"largest_record": 0}, ValueError),
        (DATA, {"to_unicode": False, "on_error": "salvage"}, ValueError),
    ]
    for source, options, problem in refused:
        with pytest.raises(problem):
            MARCReader(source, rejects=path, **options)
        assert path.read_bytes() == REJECTED
    with pytest.raises(FileNotFoundError):
        MARCReader(tmp_path / "none.mrc", rejects=tmp_path / "new")
    assert not (tmp_path / "new").exists()


# ---- the file that is read ----


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "input.mrc"
    path.write_bytes(DATA)
    return path


def refused(source: Any, target: Any, path: Path) -> None:
    with pytest.raises(ValueError, match="rejects is the file that is read"):
        MARCReader(source, rejects=target)
    assert path.read_bytes() == DATA


def test_the_file_that_is_read_is_refused(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is called, and however it was opened: to open it for writing would empty it."""
    (tmp_path / "symbolic").symlink_to(path)
    (tmp_path / "hard").hardlink_to(path)
    monkeypatch.chdir(tmp_path)
    names = [path, str(path), "input.mrc", "./input.mrc", tmp_path / "symbolic", tmp_path / "hard"]
    for name in names:
        refused(path, name, path)
        refused(name, path, path)
        for mode in ("rb", "r+b"):
            with path.open(mode) as source:
                refused(source, name, path)
    for buffering in (0, -1):
        with path.open("ab", buffering=buffering) as target:
            refused(path, target, path)
            with path.open("rb", buffering=buffering) as source:
                refused(source, target, path)


def test_a_compressed_file_that_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "input.gz"
    path.write_bytes(gzip.compress(DATA))
    content = path.read_bytes()
    with gzip.open(path) as source, pytest.raises(ValueError, match="rejects is the file that is read"):
        MARCReader(source, rejects=path)
    assert path.read_bytes() == content


def test_other_files_are_not_refused(path: Path, tmp_path: Path) -> None:
    same = tmp_path / "same.mrc"
    same.write_bytes(DATA)
    raws(MARCReader(path, rejects=same))
    assert same.read_bytes() == REJECTED
    (tmp_path / "dangling").symlink_to(tmp_path / "new")
    raws(MARCReader(path, rejects=tmp_path / "dangling"))
    assert (tmp_path / "new").read_bytes() == REJECTED
    both = io.BytesIO(DATA)
    assert raws(MARCReader(DATA, rejects=both))
    assert raws(MARCReader(os.devnull, rejects=os.devnull)) == [], "it is no file that could be emptied"


# ---- a disk that is full ----


@every_mode
@pytest.mark.parametrize("more", [1, 3, 11, 40])
def test_disk_full_in_the_middle(mode: str, more: int) -> None:
    """The error comes out of next(). The next call goes on with the bytes that are missing: nothing is there twice,
    and the piece comes when it is written."""
    disk = Disk(0)
    reader = MARCReader(DATA, on_error=mode, rejects=disk)
    found: list[bytes | None] = []
    before = reader.stats
    for step in steps(reader):
        if isinstance(step, OSError):
            assert step.errno == errno.ENOSPC
            assert reader.stats.rejected >= before.rejected
            assert reader.current_exception is None
            disk.room += more
        else:
            assert isinstance(step, Record | PymarcException | None), step
            found.append(step.raw if isinstance(step, Record) else reader.current_chunk)
        before = reader.stats
    assert disk.content == rejected_in(mode)
    assert found == read_on(MARCReader(DATA, on_error=mode))
    assert disk.failures == -(-len(rejected_in(mode)) // more)
    assert check_sums(reader).bytes_rejected == len(disk.content)


def test_a_piece_that_is_not_written_is_not_told_of() -> None:
    disk = Disk(3)
    reader = MARCReader(DATA, rejects=disk)
    assert given(reader).raw == GOOD[0]
    for _ in range(3):
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            next(reader)
        assert reader.stats.rejected == 0
        assert disk.content == BAD[0][:3]
    disk.room = 1 << 20
    assert next(reader) is None
    assert reader.current_chunk == BAD[0]
    assert reader.stats.rejected == 1


@needs_full
@every_mode
@pytest.mark.parametrize("buffering", [None, 0])
def test_device_that_is_always_full(mode: str, buffering: int | None) -> None:
    """Records before it arrive; close() is still possible, and the reader then has ended."""
    target: Any = "/dev/full" if buffering is None else open("/dev/full", "wb", buffering=buffering)
    reader = MARCReader(DATA, on_error=mode, rejects=target)
    assert given(reader).raw == GOOD[0]
    for _ in range(3):
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as caught:
            next(reader)
        assert caught.value.errno == errno.ENOSPC
    reader.close()
    assert next(reader, "end") == "end"
    assert (reader.stats.delivered, reader.stats.rejected) == (1, 0)


@needs_full
def test_a_buffer_that_cannot_be_flushed_is_told_at_the_end() -> None:
    target = open("/dev/full", "wb")
    reader = MARCReader(DATA, rejects=target)
    found = [reader.current_chunk for _ in zip(range(11), reader)]
    assert found == read_on(MARCReader(DATA))
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        next(reader)
    assert next(reader, "end") == "end"
    assert check_sums(reader).bytes_rejected == len(REJECTED)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        target.close()


@pytest.mark.parametrize("size", [700, 4_096, 8_192, 50_000])
def test_disk_full_under_a_buffer(size: int) -> None:
    """What Python's own buffer has taken when writing fails is not written twice either."""
    pieces = [b"%d" % number + b"x" * size + b"\x1d" for number in range(40)]
    disk = Disk(0)
    buffered = io.BufferedWriter(disk)
    reader = MARCReader(b"".join(pieces), rejects=buffered)
    found: list[bytes | None] = []
    for step in steps(reader):
        if isinstance(step, Exception):
            assert isinstance(step, OSError), step
            disk.room += 5_000
        else:
            found.append(reader.current_chunk)
    disk.room += 10_000
    buffered.flush()
    assert disk.failures >= 40 * size // 5_000 - 2
    assert disk.content == b"".join(pieces)
    assert found == pieces


@every_mode
def test_any_error_of_write_comes_out_unchanged(mode: str) -> None:
    """The same object, without ties to the reader's own; then the piece."""
    failure = LookupError("mine")

    class Once(WriteOnly):
        failed = False

        def write(self, content: bytes) -> Any:
            if not self.failed:
                self.failed = True
                raise failure
            return super().write(content)

    target = Once()
    reader = MARCReader(GOOD[0] + BAD[0] + GOOD[1], on_error=mode, rejects=target)
    given(reader)
    with pytest.raises(LookupError) as caught:
        reader.__next__()
    assert caught.value is failure
    assert (failure.__cause__, failure.__context__) == (None, None)
    assert read_on(reader) == [*([] if mode == "skip" else [BAD[0]]), GOOD[1]]
    assert target.content == BAD[0]


@pytest.mark.parametrize("answer", [None, 0])
def test_a_raw_file_that_has_no_room_for_now(answer: int | None) -> None:
    """As of a pipe that does not block: BlockingIOError, and the next call goes on. (None of an object that has no more
    than write() means that all was taken.)"""

    class Waiting(io.RawIOBase):
        content = b""
        calls = 0

        def write(self, content: Any, /) -> int | None:
            self.calls += 1
            if self.calls % 2:
                return answer
            self.content += bytes(content[:5])
            return len(content[:5])

    target = Waiting()
    reader = MARCReader(DATA, rejects=target)
    found: list[bytes | None] = []
    waits = 0
    for step in steps(reader):
        if isinstance(step, Exception):
            assert isinstance(step, BlockingIOError), step
            waits += 1
        else:
            found.append(reader.current_chunk)
    assert target.content == REJECTED
    assert found == read_on(MARCReader(DATA))
    assert waits >= len(REJECTED) // 5


def test_a_pipe_that_does_not_block() -> None:
    out, into = os.pipe()
    os.set_blocking(into, False)
    os.set_blocking(out, False)
    piece = b"x" * 50_000 + b"\x1d"
    data = (piece + GOOD[0]) * 6
    received = b""
    with open(into, "wb", buffering=0) as target, open(out, "rb", buffering=0) as other:
        reader = MARCReader(data, rejects=target)
        waits = count = 0
        for step in steps(reader):
            if isinstance(step, Exception):
                assert isinstance(step, BlockingIOError), step
                waits += 1
                received += other.read(1 << 20) or b""
            else:
                count += 1
        received += other.read(1 << 20) or b""
    assert waits > 2
    assert (count, received) == (12, piece * 6)


def test_a_write_that_claims_too_much() -> None:
    """More than it was given is not taken off the next piece."""

    class Boasting(WriteOnly):
        def write(self, content: bytes) -> Any:
            super().write(content)
            return 10 * len(content)

    target = Boasting()
    raws(MARCReader(DATA, rejects=target))
    assert target.content == REJECTED


def test_a_file_that_was_closed_meanwhile(tmp_path: Path) -> None:
    with (tmp_path / "rejects").open("wb") as target:
        reader = MARCReader(DATA, rejects=target)
        given(reader)
    with pytest.raises(ValueError, match="closed"):
        next(reader)
    reader.close()
    assert next(reader, "end") == "end"


@every_mode
def test_too_many_errors_after_an_error_of_rejects(mode: str) -> None:
    """Both are told, one after the other."""

    class Unflushed(WriteOnly):
        writes = flushes = 0

        def write(self, content: bytes) -> Any:
            self.writes += 1
            if self.writes == 1:
                raise OSError("full")
            return super().write(content)

        def flush(self) -> None:
            self.flushes += 1
            if self.flushes == 1:
                raise OSError("still full")

    target = Unflushed()
    reader = MARCReader(GOOD[0] + BAD[0] + GOOD[1], on_error=mode, rejects=target, max_errors=0)
    given(reader)
    for message in ("full", "still full"):
        with pytest.raises(OSError, match=message):
            next(reader)
    with pytest.raises(TooManyErrors):
        next(reader)
    assert next(reader, "end") == "end"
    assert target.content == BAD[0]
    assert reader.stats.errors_by_code == {lib.MARC_BAD_LENGTH: 1}


# ---- closing ----


def at_the_end(reader: MARCReader) -> None:
    raws(reader)


def by_close(reader: MARCReader) -> None:
    next(reader)
    next(reader)
    reader.close()


def by_with(reader: MARCReader) -> None:
    with reader:
        by_reading_two(reader)


def by_reading_two(reader: MARCReader) -> None:
    next(reader)
    next(reader)


def by_an_exception(reader: MARCReader) -> None:
    with pytest.raises(LookupError), reader:
        by_reading_two(reader)
        raise LookupError


def by_too_many_errors(reader: MARCReader) -> None:
    with pytest.raises(TooManyErrors):
        raws(reader)


def by_a_fault(reader: MARCReader) -> None:
    with pytest.raises(EOFError):
        list(reader)


ENDINGS = [at_the_end, by_close, by_with, by_an_exception, by_too_many_errors, by_a_fault, by_reading_two]
every_ending = pytest.mark.parametrize("end", ENDINGS, ids=lambda end: end.__name__)


def reader_for(end: Callable[[MARCReader], None], rejects: Any) -> MARCReader:
    source = Script(DATA, EOFError()) if end is by_a_fault else DATA
    return MARCReader(source, rejects=rejects, max_errors=0 if end is by_too_many_errors else None)


@needs_proc
@every_ending
def test_a_path_is_closed(end: Callable[[MARCReader], None], tmp_path: Path) -> None:
    """By the end, by close(), by an exception; and where nothing of it happens with the reader itself."""
    before = open_files()
    reader = reader_for(end, tmp_path / "rejects")
    assert open_files() == before + 1
    end(reader)
    if end is by_reading_two:
        assert open_files() == before + 1
        del reader
    assert open_files() == before
    assert (tmp_path / "rejects").read_bytes().startswith(BAD[0])


@every_ending
def test_a_file_is_flushed_and_stays_open(end: Callable[[MARCReader], None], tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    with path.open("wb") as target:
        reader = reader_for(end, target)
        end(reader)
        if end is by_reading_two:
            assert path.read_bytes() == b"", "it is in the buffer"
            del reader
        assert path.read_bytes().startswith(BAD[0])
        assert not target.closed
        target.write(b"more")
    assert path.read_bytes().endswith(b"more")


def test_closing_is_told_once() -> None:
    class Counting(WriteOnly):
        flushed = 0

        def flush(self) -> None:
            self.flushed += 1

    target = Counting()
    reader = MARCReader(DATA, rejects=target)
    raws(reader)
    assert target.flushed == 1
    reader.close()
    reader.close()
    del reader
    assert target.flushed == 1


FORK = """
import os, sys
from support import books
from libmarc import MARCReader

target = open(sys.argv[1], "wb")
reader = MARCReader(b"".join(books(1)) + b"no record\\x1d" + b"nor this\\x1d" + b"".join(books(2)), rejects=target)
for _ in range(2):
    next(reader)
child = os.fork()
if child == 0:
    try:
        reader.close()
    finally:
        os._exit(0)
os.waitpid(child, 0)
assert len(list(reader)) == 3
target.close()
print(open(sys.argv[1], "rb").read())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork()")
def test_a_child_does_not_write_what_waits_in_the_buffer_of_its_parent(tmp_path: Path) -> None:
    assert run_python(FORK, tmp_path / "rejects") == "b'no record\\x1dnor this\\x1d'\n"
