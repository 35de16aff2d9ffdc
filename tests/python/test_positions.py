"""Where a source stands after reading: just behind the last piece that was handed out, as if nothing had been read
ahead."""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import os
import socket
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support import Script, Source, books, generated, generated_pieces, given, raws

from libmarc import MARCReader

BEFORE = b"bytes that belong to somebody else\n"


class Case:
    """A small file: sound records, rejected pieces, and silent bytes between and behind them."""

    def __init__(self, data: bytes, ends: list[int]) -> None:
        self.data = data
        self.ends = ends


def small_case() -> Case:
    good = books(4)
    parts = [good[0], b"\n\0 ", good[1], b"no record\x1d", b"\r\n", b"nor this\x1d", good[2], good[3][:-9] + b"\x1d"]
    data, ends = b"", []
    for part in parts:
        data += part
        if part.strip(b"\n\r\0 "):
            ends.append(len(data))
    return Case(data, ends)


def large_case() -> Case:
    data = generated("damaged", 120)
    return Case(data, [end for _, _, end in generated_pieces("damaged", 120)])


@contextmanager
def open_file(folder: Path, content: bytes) -> Iterator[Any]:
    path = folder / "file"
    path.write_bytes(content)
    with path.open("rb") as file:
        yield file


@contextmanager
def raw_file(folder: Path, content: bytes) -> Iterator[Any]:
    path = folder / "file"
    path.write_bytes(content)
    with path.open("rb", buffering=0) as file:
        yield file


@contextmanager
def both_ways(folder: Path, content: bytes) -> Iterator[Any]:
    path = folder / "file"
    path.write_bytes(content)
    with path.open("r+b") as file:
        yield file


@contextmanager
def bytes_io(_: Path, content: bytes) -> Iterator[Any]:
    yield io.BytesIO(content)


@contextmanager
def own_bytes_io(_: Path, content: bytes) -> Iterator[Any]:
    class Own(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(size)

    yield Own(content)


@contextmanager
def spooled(_: Path, content: bytes) -> Iterator[Any]:
    with tempfile.SpooledTemporaryFile(max_size=10_000_000) as file:
        file.write(content)
        file.seek(0)
        yield file


@contextmanager
def rolled_over(_: Path, content: bytes) -> Iterator[Any]:
    with tempfile.SpooledTemporaryFile(max_size=10) as file:
        file.write(content)
        file.seek(0)
        yield file


# The file of these has no seekable() before, so nobody can know where it stands.
since_311 = pytest.mark.skipif(sys.version_info < (3, 11), reason="SpooledTemporaryFile has no seekable()")


@contextmanager
def gzip_file(folder: Path, content: bytes) -> Iterator[Any]:
    path = folder / "file.gz"
    path.write_bytes(gzip.compress(content))
    with gzip.open(path) as file:
        yield file


@contextmanager
def bz2_file(folder: Path, content: bytes) -> Iterator[Any]:
    path = folder / "file.bz2"
    path.write_bytes(bz2.compress(content))
    with bz2.open(path) as file:
        yield file


@contextmanager
def zip_member(folder: Path, content: bytes) -> Iterator[Any]:
    with zipfile.ZipFile(folder / "file.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("member", content)
    with zipfile.ZipFile(folder / "file.zip") as unpacked, unpacked.open("member") as member:
        yield member


SOURCES = [
    open_file,
    raw_file,
    both_ways,
    bytes_io,
    own_bytes_io,
    pytest.param(spooled, marks=since_311),
    pytest.param(rolled_over, marks=since_311),
    gzip_file,
    bz2_file,
    zip_member,
]
every_source = pytest.mark.parametrize("make", SOURCES, ids=lambda make: make.__name__)


def close(reader: MARCReader) -> None:
    reader.close()


def leave(reader: MARCReader) -> None:
    reader.__exit__(None, None, None)


def leave_by_exception(reader: MARCReader) -> None:
    with pytest.raises(LookupError), reader:
        raise LookupError


ENDINGS = {"close": close, "with": leave, "exception": leave_by_exception, "del": None}


def end(reader: MARCReader, how: Callable[[MARCReader], None] | None) -> None:
    """`how` None: by letting go of it. The caller must not hold it either."""
    if how is not None:
        how(reader)


@every_source
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("origin", [0, len(BEFORE)])
def test_position_after_k_pieces(make: Any, ending: str, origin: int, tmp_path: Path) -> None:
    case = small_case()
    with make(tmp_path, BEFORE[:origin] + case.data) as source:
        for taken, expected in enumerate([0, *case.ends]):
            source.seek(origin)
            reader = MARCReader(source)
            for _ in range(taken):
                next(reader)
            end(reader, ENDINGS[ending])
            del reader
            assert source.tell() == origin + expected
            assert source.read() == case.data[expected:]
            assert not source.closed


@every_source
@pytest.mark.parametrize("chunk", [64, 3_000])
def test_position_with_small_chunks(make: Any, chunk: int, tmp_path: Path) -> None:
    """Also where the reader is between two native batches."""
    case = large_case()
    with make(tmp_path, case.data) as source:
        for taken in (0, 1, 2, 7, 30, 31, 32, 99, 100, 101, len(case.ends)):
            source.seek(0)
            with MARCReader(source, _chunk_bytes=chunk, _queue_records=5) as reader:
                for _ in range(taken):
                    next(reader)
            assert source.tell() == [0, *case.ends][taken]


@every_source
def test_position_at_the_end(make: Any, tmp_path: Path) -> None:
    """All was read: silent bytes behind the last piece, too."""
    case = small_case()
    data = case.data + b" \n\n\0"
    with make(tmp_path, data) as source:
        with MARCReader(source) as reader:
            assert len(list(reader)) == len(case.ends)
        assert source.tell() == len(data)
        assert source.read() == b""


@every_source
def test_one_reader_after_another(make: Any, tmp_path: Path) -> None:
    """Each takes one piece of the same open file."""
    case = small_case()
    with make(tmp_path, case.data) as source:
        found = []
        while True:
            with MARCReader(source) as reader:
                record = next(reader, False)
                if record is False:
                    break
                found.append(reader.current_chunk)
        assert found == raws(MARCReader(case.data))


@every_source
def test_position_is_set_once(make: Any, tmp_path: Path) -> None:
    """What the user does after close() stands, also when the reader is closed again and collected."""
    case = small_case()
    with make(tmp_path, case.data) as source:
        reader = MARCReader(source)
        next(reader)
        reader.close()
        source.seek(3)
        reader.close()
        assert next(reader, None) is None
        del reader
        gc.collect()
        assert source.tell() == 3


@every_source
def test_position_after_an_interruption_in_the_middle(make: Any, tmp_path: Path) -> None:
    """A source that had to wait is left where the records end, not where its bytes end."""
    case = small_case()
    with make(tmp_path, case.data) as source:
        plan = [60, 150, None, 40, None]

        class Waiting:
            closed = False

            def seekable(self) -> bool:
                return True

            def tell(self) -> int:
                position: int = source.tell()
                return position

            def seek(self, offset: int) -> int:
                position: int = source.seek(offset)
                return position

            def read(self, size: int) -> bytes:
                step = plan.pop(0) if plan else None
                if step is None:
                    raise TimeoutError
                content: bytes = source.read(step)
                return content

        reader = MARCReader(Waiting())
        assert given(reader).raw == case.data[: case.ends[0]]
        with pytest.raises(TimeoutError):
            for _ in range(9):
                next(reader)
        handed_out = reader._taken
        reader.close()
        assert source.tell() == handed_out
        assert handed_out in case.ends
        assert raws(MARCReader(source)) == raws(MARCReader(case.data))[case.ends.index(handed_out) + 1 :]


def test_position_after_a_failure() -> None:
    """Behind the last record, so that another reader can try again."""
    case = small_case()

    class Failing(io.BytesIO):
        calls = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.calls += 1
            if self.calls == 3:
                raise OSError("broken")
            return super().read(120)

    source = Failing(case.data)
    reader = MARCReader(source)
    found = []
    with pytest.raises(OSError, match="broken"):
        for record in reader:
            found.append(record.raw if record else None)
    reader.close()
    assert source.tell() == case.ends[len(found) - 1]
    source.calls = 10
    assert len(found) + len(raws(MARCReader(source))) == len(case.ends)


def test_position_of_a_source_that_does_not_seek_is_untouched() -> None:
    class Unseekable(Source):
        touched = 0

        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            self.touched += 1
            return 0

        def seek(self, *_: int) -> int:
            self.touched += 1
            return 0

    data = b"".join(books(5))
    source = Unseekable(data)
    with MARCReader(source) as reader:
        next(reader)
    assert source.touched == 0
    assert source.at == len(data)


def test_position_of_a_source_without_seekable_is_untouched() -> None:
    class OldFashioned(Source):
        def tell(self) -> int:
            return self.at

        def seek(self, *_: int) -> int:
            raise AssertionError("not asked")

    with MARCReader(OldFashioned(b"".join(books(5)))) as reader:
        next(reader)
    with MARCReader(Script(*books(5))) as reader:
        next(reader)


def test_streams_are_left_alone() -> None:
    expected = books(3)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"".join(expected))
        with MARCReader(ours) as reader:
            next(reader)
        theirs.sendall(b"more")
        assert ours.recv(100) == b"more", "it is not closed"
    out, into = os.pipe()
    with open(out, "rb") as file:
        os.write(into, b"".join(expected))
        with MARCReader(file) as reader:
            next(reader)
        os.write(into, b"more")
        assert file.read1(100) == b"more"
        os.close(into)


def test_a_path_is_closed_with_its_reader(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"".join(books(3)))
    reader = MARCReader(path)
    next(reader)
    reader.close()
    path.unlink()
    assert next(reader, None) is None


@pytest.mark.parametrize("make", [open_file, bytes_io], ids=["open_file", "bytes_io"])
def test_places_of_errors_count_from_the_beginning_of_the_source(make: Any, tmp_path: Path) -> None:
    """byte_offset is a position to seek to, wherever in the source reading began."""
    case = small_case()
    with make(tmp_path, BEFORE + case.data) as source:
        source.seek(len(BEFORE))
        with MARCReader(source) as reader:
            places = []
            for record in reader:
                if record is None:
                    problem: Any = reader.current_exception
                    places.append((problem.byte_offset, reader.current_chunk or b""))
        assert len(places) == 3
        for offset, chunk in places:
            source.seek(offset)
            assert (BEFORE + case.data).index(chunk) <= offset < (BEFORE + case.data).index(chunk) + len(chunk)
