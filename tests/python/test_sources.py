"""What can be read from: each kind of source goes to its backend, and all of them give the same."""

from __future__ import annotations

import array
import bz2
import gzip
import io
import lzma
import mmap
import os
import random
import socket
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as property_of
from hypothesis import settings
from hypothesis import strategies as st
from support import (
    SOURCE_KINDS,
    Source,
    background,
    books,
    generated,
    generated_pieces,
    given,
    in_turn,
    items,
    open_files,
    raws,
    run_python,
)

import libmarc
from libmarc import MARCReader

BOOKS = books(5)
DATA = b"".join(BOOKS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "books.mrc"
    path.write_bytes(DATA)
    return path


def check(source: Any, backend: str) -> None:
    reader = MARCReader(source)
    assert reader.backend == backend
    assert raws(reader) == BOOKS
    assert reader.backend == backend
    reader.close()
    assert reader.backend == backend


# ---- detection ----


def test_str_path_detection(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(str(path), "file")

    class Name(str):
        __slots__ = ()

    check(Name(path), "file")
    monkeypatch.chdir(path.parent)
    check("books.mrc", "file")
    check("./books.mrc", "file")


def test_pathlib_path_detection(path: Path) -> None:
    check(path, "file")

    class Named:
        def __init__(self, name: str | bytes) -> None:
            self.name = name

        def __fspath__(self) -> str | bytes:
            return self.name

    check(Named(str(path)), "file")
    check(Named(os.fsencode(path)), "file")
    for entry in os.scandir(os.fsencode(path.parent)):
        check(entry, "file")


@pytest.mark.parametrize("name", ["Bücher.mrc", "книги 書.mrc", "new\nline.mrc", " ", "-"])
def test_paths_with_other_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(DATA)
    check(path, "file")
    check(str(path), "file")


def test_paths_that_are_not_utf8(tmp_path: Path) -> None:
    name = os.path.join(os.fsencode(tmp_path), b"caf\xe9-\xff.mrc")
    try:
        with open(name, "wb") as out:
            out.write(DATA)
    except OSError as refused:
        pytest.skip(f"this file system takes no such names: {refused}")
    check(os.fsdecode(name), "file")
    check(Path(os.fsdecode(name)), "file")


def test_path_like_wins_over_read(path: Path) -> None:
    """As in open(): what names a file is a name."""

    class Both:
        def __fspath__(self) -> str:
            return str(path)

        def read(self, size: int) -> bytes:
            raise AssertionError("not asked")

    check(Both(), "file")


def test_bytes_detection() -> None:
    check(DATA, "memory")

    class Own(bytes):
        pass

    check(Own(DATA), "memory")


def test_bytearray_detection() -> None:
    source = bytearray(DATA)
    reader = MARCReader(source)
    assert reader.backend == "memory"
    assert given(reader).raw == BOOKS[0]
    source.clear()  # it is copied: its owner may do with it what he likes
    source.extend(b"x" * len(DATA))
    assert raws(reader) == BOOKS[1:]
    check(bytearray(DATA), "memory")


def buffers() -> dict[str, Callable[[], Any]]:
    spread = bytearray(2 * len(DATA))
    spread[::2] = DATA
    backwards = DATA[::-1]
    padded = DATA + b" " * (-len(DATA) % 4)
    return {
        "memoryview": lambda: memoryview(DATA),
        "memoryview of a bytearray": lambda: memoryview(bytearray(DATA)),
        "slice of a memoryview": lambda: memoryview(b"xx" + DATA + b"xx")[2:-2],
        "every second byte": lambda: memoryview(spread)[::2],
        "backwards": lambda: memoryview(backwards)[::-1],
        "words": lambda: memoryview(padded).cast("I"),
        "signed": lambda: memoryview(DATA).cast("b"),
        "rows": lambda: memoryview(padded).cast("B", (4, len(padded) // 4)),
        "array": lambda: array.array("B", DATA),
        "array of words": lambda: array.array("I", padded),
        "BytesIO.getbuffer": lambda: io.BytesIO(DATA).getbuffer(),
    }


@pytest.mark.parametrize("kind", sorted(buffers()))
def test_buffer_detection(kind: str) -> None:
    check(buffers()[kind](), "memory")


def test_buffers_can_be_resized_afterwards() -> None:
    source = array.array("B", DATA)
    with MARCReader(source) as reader:
        assert raws(reader) == BOOKS
    source.append(0)
    kept = bytearray(DATA)
    view = memoryview(kept)
    with MARCReader(view) as reader:
        records = [record for record in reader if record]
        with pytest.raises(BufferError):
            view.release()
    view.release()
    kept.append(0)
    assert [record.raw for record in records] == BOOKS


def test_mmap_detection(path: Path) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        check(mapped, "memory")
        with MARCReader(mapped) as reader:
            records = [given(reader) for _ in range(3)]
            titles = [record.title for record in records]
            with pytest.raises(BufferError):
                mapped.close()  # not under the feet of a reader
    assert mapped.closed
    assert [record.title for record in records] == titles == ["Title 0", "Title 1", "Title 2"]
    assert [record.raw for record in records] == BOOKS[:3]


def test_bytesio_detection() -> None:
    check(io.BytesIO(DATA), "memory")

    class Plain(io.BytesIO):
        pass

    check(Plain(DATA), "memory")


@pytest.mark.parametrize("taken", range(6))
def test_bytesio_is_read_from_where_it_stands(taken: int) -> None:
    source = io.BytesIO(b"skipped" + DATA)
    source.seek(7 + sum(map(len, BOOKS[:taken])))
    assert raws(MARCReader(source)) == BOOKS[taken:]


@pytest.mark.parametrize("at", [0, 1, 1_000])
def test_bytesio_that_stands_at_its_end_or_behind_it(at: int) -> None:
    source = io.BytesIO(DATA)
    source.seek(len(DATA) + at)
    with MARCReader(source) as reader:
        assert list(reader) == []
    assert source.tell() == len(DATA) + at


def test_bytesio_that_is_written_to_while_it_is_read() -> None:
    source = io.BytesIO(DATA)
    reader = MARCReader(source)
    assert given(reader).raw == BOOKS[0]
    source.seek(0)
    source.write(b"x" * len(DATA))
    source.truncate(0)
    assert raws(reader) == BOOKS[1:]


def test_bytesio_with_a_read_of_its_own_is_asked_by_it() -> None:
    class Counting(io.BytesIO):
        calls = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.calls += 1
            return super().read(size)

    source = Counting(DATA)
    check(source, "callback")
    assert source.calls == 2
    source.seek(len(BOOKS[0]))
    assert raws(MARCReader(source)) == BOOKS[1:]


def test_closed_sources_are_refused_as_python_refuses_them(path: Path) -> None:
    memory, file = io.BytesIO(DATA), path.open("rb")
    memory.close()
    file.close()
    for source in (memory, file):
        with pytest.raises(ValueError, match="closed file"):
            next(MARCReader(source))


def test_file_object_detection(path: Path) -> None:
    with path.open("rb") as buffered:
        check(buffered, "callback")
    with path.open("rb", buffering=0) as raw:
        assert isinstance(raw, io.FileIO)
        check(raw, "callback")
    with path.open("r+b") as both:
        assert isinstance(both, io.BufferedRandom)
        check(both, "callback")
    check(Source(DATA), "callback")
    with tempfile.TemporaryFile() as temporary:
        temporary.write(DATA)
        temporary.seek(0)
        check(temporary, "callback")
    with tempfile.NamedTemporaryFile() as named:
        named.write(DATA)
        named.seek(0)
        check(named, "callback")
    for size in (10, 1 << 20):  # on disk, in memory
        with tempfile.SpooledTemporaryFile(max_size=size) as spooled:
            spooled.write(DATA)
            spooled.seek(0)
            check(spooled, "callback")


def test_file_object_is_read_from_where_it_stands(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(len(BOOKS[0]))
        assert raws(MARCReader(file)) == BOOKS[1:]
    with path.open("rb") as file:
        file.read(len(BOOKS[0]) + len(BOOKS[1]))  # the rest waits in its buffer
        assert raws(MARCReader(file)) == BOOKS[2:]


@pytest.mark.parametrize("module", [gzip, bz2, lzma])
def test_compressed_files(tmp_path: Path, module: Any) -> None:
    data = generated("mixed", 400)
    path = tmp_path / "compressed"
    with module.open(path, "wb") as out:
        out.write(data)
    with module.open(path, "rb") as file, MARCReader(file) as reader:
        assert reader.backend == "callback"
        assert b"".join(raws(reader)) == data


def test_members_of_archives(tmp_path: Path, path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(path, "books.mrc")
    with zipfile.ZipFile(tmp_path / "z.zip") as unpacked, unpacked.open("books.mrc") as member:
        check(member, "callback")
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        archive.add(path, "books.mrc")
    with tarfile.open(tmp_path / "t.tar") as archive:
        extracted = archive.extractfile("books.mrc")
        assert extracted is not None
        check(extracted, "callback")


def test_socket_detection() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        background(in_turn(lambda: theirs.sendall(DATA), theirs.close))
        check(ours, "callback")


def test_socket_files() -> None:
    kinds: list[dict[str, Any]] = [{"mode": "rb"}, {"mode": "rwb"}, {"mode": "rb", "buffering": 0}]
    for options in kinds:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(DATA)
            theirs.shutdown(socket.SHUT_WR)
            with ours.makefile(**options) as file:
                check(file, "callback")


def test_pipe_detection() -> None:
    for buffering in (-1, 0):
        out, into = os.pipe()
        background(in_turn(partial(os.write, into, DATA), partial(os.close, into)))
        with open(out, "rb", buffering=buffering) as file:
            check(file, "callback")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_fifo_detection(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    background(lambda: fifo.write_bytes(DATA))
    check(fifo, "file")


# ---- what is refused ----


class ReadIsNoMethod:
    read = "not callable"


@pytest.mark.parametrize(
    "source",
    [
        None,
        3,
        3.5,
        object(),
        [DATA],
        (DATA,),
        {"data": DATA},
        iter([DATA]),
        ReadIsNoMethod(),
        MARCReader,
        io.BytesIO,
    ],
    ids=lambda source: type(source).__name__,
)
def test_unknown_type_raises_type_error(source: Any) -> None:
    with pytest.raises(TypeError) as caught:
        MARCReader(source).__next__()
    if not isinstance(source, type):
        message = str(caught.value)
        assert type(source).__name__ in message
        for kind in SOURCE_KINDS:
            assert kind in message
        assert "read(size)" in message


def test_text_files_are_refused(path: Path) -> None:
    with path.open(encoding="latin-1") as text:
        for source in (text, io.StringIO("text")):
            with pytest.raises(TypeError, match="binary mode"):
                MARCReader(source)


def test_files_that_turn_out_to_be_text(path: Path) -> None:
    with tempfile.NamedTemporaryFile("w+") as text:
        text.write("00026nam a2200025")
        text.seek(0)
        reader = MARCReader(text)
        with pytest.raises(TypeError, match="binary mode"):
            next(reader)
        assert next(reader, None) is None


def test_supported_types_complete(path: Path) -> None:
    """Every kind that the message names is accepted; nothing of the source is lost or changed."""
    ours, theirs = socket.socketpair()
    theirs.sendall(DATA)
    theirs.close()
    file = path.open("rb")
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    kinds: dict[str, tuple[Any, str]] = {
        "str": (str(path), "file"),
        "os.PathLike": (path, "file"),
        "bytes": (DATA, "memory"),
        "bytearray": (bytearray(DATA), "memory"),
        "memoryview": (memoryview(DATA), "memory"),
        "mmap": (mapped, "memory"),
        "io.BytesIO": (io.BytesIO(DATA), "memory"),
        "socket.socket": (ours, "callback"),
        "read(size)": (file, "callback"),
    }
    for name, (source, backend) in kinds.items():
        assert name in libmarc._sources.SUPPORTED
        check(source, backend)
    assert path.read_bytes() == DATA
    assert kinds["bytearray"][0] == DATA
    mapped.close()
    file.close()
    ours.close()


def test_type_detection_does_not_import_socket(path: Path) -> None:
    """Who passes a socket has imported the module; the others need not pay for it."""
    code = "import sys, libmarc; libmarc.MARCReader(b''); libmarc.MARCReader(open(sys.argv[1], 'rb')).close()"
    assert run_python(f"{code}; print('socket' in sys.modules)", path) == "False\n"


# ---- empty inputs ----


@pytest.mark.parametrize("content", [b"", b"\n", b"\0" * 5_000, b"\x1d\x1d \r\n\x1a", b"\xef\xbb\xbf"])
def test_empty_inputs(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty"
    path.write_bytes(content)
    with path.open("rb") as file:
        for source in (
            path,
            content,
            bytearray(content),
            memoryview(content),
            io.BytesIO(content),
            Source(content),
            file,
        ):
            with MARCReader(source) as reader:
                assert list(reader) == []
                assert reader.current_exception is None
                assert next(reader, None) is None


def test_empty_streams(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        assert list(MARCReader(ours)) == []
    out, into = os.pipe()
    os.close(into)
    with open(out, "rb") as file:
        assert list(MARCReader(file)) == []
    assert list(MARCReader(os.devnull)) == []


# ---- the same from everywhere ----


def every_source(tmp_path: Path, data: bytes) -> dict[str, Callable[[], Any]]:
    path = tmp_path / "all.mrc"
    path.write_bytes(data)
    packed = tmp_path / "all.mrc.gz"
    packed.write_bytes(gzip.compress(data, 1))
    return {
        "str": lambda: str(path),
        "path": lambda: path,
        "bytes": lambda: data,
        "bytearray": lambda: bytearray(data),
        "memoryview": lambda: memoryview(data),
        "BytesIO": lambda: io.BytesIO(data),
        "file": lambda: path.open("rb"),
        "raw file": lambda: path.open("rb", buffering=0),
        "gzip": lambda: gzip.open(packed),
        "read": lambda: Source(data),
        "short reads": lambda: Source(data, 777),
    }


@pytest.mark.parametrize("kind", ["mixed", "damaged", "large", "marc8"])
@pytest.mark.parametrize("options", [{}, {"_chunk_bytes": 64}, {"_chunk_bytes": 5_000, "_queue_records": 7}])
def test_cursor_backend_parity(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    """Records, errors, their places and their order are the same from every backend and in every chunk size."""
    count = 4 if kind == "large" else 60
    data = generated(kind, count)
    expected = items(MARCReader(data))
    assert [found.raw for found in expected] == [data[begin:end] for _, begin, end in generated_pieces(kind, count)]
    for name, make in every_source(tmp_path, data).items():
        source = make()
        assert items(MARCReader(source, **options)) == expected, name
        if hasattr(source, "close"):
            source.close()


def test_native_file_parity(tmp_path: Path) -> None:
    """A path gives bit for bit what the open file gives, in every answer of every record."""
    data = generated("mixed", 1_500) + generated("damaged", 100, 3)
    path = tmp_path / "file.mrc"
    path.write_bytes(data)
    with path.open("rb") as file, MARCReader(file) as theirs, MARCReader(path) as ours:
        assert (ours.backend, theirs.backend) == ("file", "callback")
        count = 0
        for one, other in zip(ours, theirs, strict=True):
            count += 1
            assert (one is None) == (other is None)
            assert ours.current_chunk == theirs.current_chunk
            assert repr(ours.current_exception) == repr(theirs.current_exception)
            if one is None or other is None:
                assert vars(ours.current_exception) == vars(theirs.current_exception)
                continue
            assert one.raw == other.raw == ours.current_chunk
            assert str(one.leader) == str(other.leader)
            assert one.title == other.title
            assert one.problems == other.problems
            assert str(one) == str(other)
            assert one.as_marc() == other.as_marc()
    assert count > 1_600


@settings(max_examples=25, deadline=None)
@property_of(st.integers(0, 2**32), st.sampled_from([64, 100, 1_000, 10_000]))
def test_any_split_of_the_reads_gives_the_same(seed: int, chunk: int) -> None:
    data = generated("damaged", 40)
    expected = items(MARCReader(data))
    rng = random.Random(seed)

    class Random(Source):
        def read(self, size: int) -> Any:
            self.most = rng.choice((1, 5, 24, 100, 1_000, 5_000))
            return super().read(size)

    assert items(MARCReader(Random(data), _chunk_bytes=chunk)) == expected


@settings(max_examples=150, deadline=None)
@property_of(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(BOOKS)), max_size=8))
def test_arbitrary_bytes_give_the_same_from_everywhere(parts: list[bytes]) -> None:
    """Whatever the bytes: no crash, no other exception, the same from memory, files and reads of any size."""
    data = b"".join(parts)
    expected = items(MARCReader(data))
    for source in (io.BytesIO(data), Source(data), Source(data, 1), Source(data, 33)):
        assert items(MARCReader(source, _chunk_bytes=64)) == expected
    inputs = [found.raw or b"" for found in expected]
    position = 0
    for raw in inputs:  # in order, without overlap
        position = data.index(raw, position) + len(raw)


# ---- giving up in the middle ----


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="there is no /proc")
@pytest.mark.parametrize("close", [True, False])
def test_reader_drop_mid_stream(tmp_path: Path, close: bool) -> None:
    """Closed or just dropped in the middle of a batch: nothing stays open, and the records that were taken live on."""
    data = generated("mixed", 400)
    pieces = generated_pieces("mixed", 400)
    sources = every_source(tmp_path, data)
    for name, make in sources.items():
        before = open_files()
        for taken in (0, 1, 99, 101, 250):
            source = make()
            reader = MARCReader(source, _chunk_bytes=100_000)
            records = [given(reader) for _ in range(taken)]
            titles = [record.title for record in records[::2]]
            if close:
                reader.close()
                assert next(reader, None) is None
            del reader
            if hasattr(source, "close"):
                source.close()
            del source
            assert [record.raw for record in records] == [data[begin:end] for _, begin, end in pieces[:taken]], name
            assert [record.title for record in records[::2]] == titles
            assert all(record["001"].data for record in records)
        assert open_files() == before, name


def test_sources_are_let_go() -> None:
    """After close() nothing of the source is held, except the name under which the user can ask for it."""
    for source in (b"%b" % DATA, Source(DATA), io.BytesIO(DATA), memoryview(DATA)):
        before = sys.getrefcount(source)
        reader = MARCReader(source)
        records = list(reader)
        reader.close()
        if isinstance(source, bytes):  # a file of them
            assert reader.file_handle.getvalue() is source
        else:
            assert reader.file_handle is source
        del reader
        assert sys.getrefcount(source) == before
        assert len(records) == 5
