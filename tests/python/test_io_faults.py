"""What happens to bytes when their source fails: at every offset, in every mode, each of them is in a record, in a
piece that is rejected, or junk. And inputs that are no MARC at all."""

from __future__ import annotations

import errno
import gzip
import io
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support import (
    Script,
    Source,
    background,
    book,
    books,
    check_sums,
    child_environment,
    foreign_inputs,
    given,
    items,
    raws,
)
from test_modes import DATA, GOOD, MODES, PARTS, every_mode, outcomes

from libmarc import MARCReader, RecordLengthInvalid, TooManyErrors
from libmarc._native import lib

SILENT = b"\n\r\0\x1a \t\x1d"
#: Where pieces of DATA end, and where sound records do.
ENDS = [sum(len(part.raw) for part in PARTS[: number + 1]) for number in range(len(PARTS))]
SOUND_ENDS = [end for part, end in zip(PARTS, ENDS) if part.raw in GOOD]


class Fault(Exception):
    """What the source of a test raises."""


class Failing:
    """Gives the beginning of some bytes, at most `most` at once; then it raises, for ever."""

    def __init__(self, content: bytes, failure: BaseException, most: int = 1 << 20) -> None:
        self.content = content
        self.failure = failure
        self.most = most
        self.calls_behind = 0

    def read(self, size: int) -> bytes:
        given, self.content = self.content[: min(size, self.most)], self.content[min(size, self.most) :]
        if given:
            return given
        self.calls_behind += 1
        raise self.failure


def until(reader: MARCReader, failure: type[BaseException]) -> list[tuple[str, bytes | None]]:
    """The outcomes of next() before it raises this."""
    found = []
    steps = outcomes(reader)
    while True:
        try:
            found.append(next(steps))
        except failure:
            return found


@cache
def whole(mode: str) -> list[tuple[str, bytes | None]]:
    return list(outcomes(MARCReader(DATA, on_error=mode)))


def check_cut(
    reader: MARCReader, found: list[tuple[str, bytes | None]], mode: str, offset: int, rejects: bytes
) -> None:
    """What a reader of DATA tells whose source has failed at an offset, behind what it has found."""
    assert found == whole(mode)[: len(found)]
    assert [raw for _, raw in found if raw in GOOD] == GOOD[: sum(end <= offset for end in SOUND_ENDS)]
    stats, cut = reader.stats, reader.current_chunk or b""
    assert stats.bytes_delivered + stats.bytes_rejected + stats.junk_bytes == stats.bytes_read == offset
    assert stats.records == stats.delivered + stats.rejected
    assert sum(stats.errors_by_code.values()) == stats.rejected
    assert stats.errors_by_code.get(lib.MARC_BAD_CUT, 0) == bool(cut)
    assert stats.bytes_rejected == len(rejects)
    assert rejects.endswith(cut)
    assert DATA[:offset].endswith(cut)
    assert cut.strip(SILENT) or not cut, "silent bytes are no piece"
    # Between what was handed out and what was cut there is nothing but silent bytes.
    if mode != "skip":
        handed_out = max([0, *[end for end in ENDS if end <= offset - len(cut)]])
        assert not DATA[handed_out : offset - len(cut)].strip(SILENT)
        assert stats.records == len(found) + bool(cut)
    assert list(reader) == []
    assert reader.stats == stats


# ---- at every offset ----


@every_mode
@pytest.mark.parametrize("most", [1, 7, 64, 1 << 20])
def test_a_fault_at_every_offset(mode: str, most: int) -> None:
    """Records before it come first, then the same object, then the end. The identity of the bytes holds."""
    for offset in range(len(DATA) + 1):
        rejects = io.BytesIO()
        failure = Fault(offset)
        source = Failing(DATA[:offset], failure, most)
        reader = MARCReader(source, on_error=mode, rejects=rejects, _chunk_bytes=64 if offset % 2 else 1 << 20)
        found, steps = [], outcomes(reader)
        with pytest.raises(Fault) as caught:
            while True:
                found.append(next(steps))
        assert caught.value is failure
        assert (failure.__cause__, failure.__context__) == (None, None)
        check_cut(reader, found, mode, offset, rejects.getvalue())
        reader.close()
        assert source.calls_behind == 1


#: Reads of a file called ....faulty come to what FAULT says: "errno offset most". It fails with errno from that offset
#: on, for ever; EINTR once before each read. At most so many bytes come at once.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t read(int file, void *buffer, size_t count) {
  static ssize_t (*real)(int, void *, size_t);
  static int interrupted;
  char link[64], name[4096];
  int number = 0;
  long offset = 0, most = 0;
  const char *fault = getenv("FAULT");
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "read");
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t size = fault == NULL ? 0 : readlink(link, name, sizeof name);
  if (size < 7 || memcmp(name + size - 7, ".faulty", 7) != 0) return real(file, buffer, count);
  sscanf(fault, "%d %ld %ld", &number, &offset, &most);
  const long left = offset - (long)lseek(file, 0, SEEK_CUR);
  interrupted = number == EINTR && !interrupted;
  if (interrupted || (number != EINTR && left <= 0)) {
    errno = number;
    return -1;
  }
  if (number != EINTR && (long)count > left) count = (size_t)left;
  return real(file, buffer, (long)count > most ? (size_t)most : count);
}
"""

BY_PATH = """
import errno, io, os, sys
from test_io_faults import DATA, MODES, check_cut, outcomes, whole
from libmarc import MARCReader

path = sys.argv[1]

def reading(source, mode, offset, most, number):
    rejects = io.BytesIO()
    reader = MARCReader(source, on_error=mode, rejects=rejects, _chunk_bytes=64 if offset % 2 else 1 << 20)
    found, steps = [], outcomes(reader)
    try:
        while True:
            found.append(next(steps))
    except OSError as problem:
        assert problem.errno == number, problem
        assert problem.filename == (source if source == path else None)
        assert str(problem).startswith(f"[Errno {number}] {os.strerror(number)}")
    check_cut(reader, found, mode, offset, rejects.getvalue())
    reader.close()

count = 0
for mode in MODES:
    for number in (errno.EIO, errno.ESTALE, errno.EISDIR):
        for most in (1, 50, 1 << 20):
            for offset in range(0, len(DATA) + 1, 1 if number == errno.EIO and most == 50 else 23):
                os.environ["FAULT"] = f"{number} {offset} {most}"
                reading(path, mode, offset, most, number)
                if most == 50:
                    for buffering in (0, -1):
                        with open(path, "rb", buffering=buffering) as file:
                            reading(file, mode, offset, most, number)
                count += 1
    for most in (1, 7, 1 << 20):
        os.environ["FAULT"] = f"{errno.EINTR} 0 {most}"
        reader = MARCReader(path, on_error=mode)
        assert list(outcomes(reader)) == whole(mode)
        with open(path, "rb", buffering=0) as file:
            assert list(outcomes(MARCReader(file, on_error=mode))) == whole(mode)
        count += 1
print(count > 1_000)
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that stands before read(2)."""
    compiler = (os.environ.get("CC") or "cc").split()
    if shutil.which(compiler[0]) is None or not sys.platform.startswith("linux"):
        pytest.skip("there is no compiler, or no way to stand before read()")
    if "LIBMARC_SANITIZER" in os.environ:
        pytest.skip("a sanitizer stands there itself")
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    subprocess.run([*compiler, "-shared", "-fPIC", "-o", folder / "shim.so", folder / "shim.c", "-ldl"], check=True)
    return folder / "shim.so"


def check_faults_of_the_system(shim: Path, tmp_path: Path) -> None:
    path = tmp_path / "input.faulty"
    path.write_bytes(DATA)
    done = subprocess.run(
        [sys.executable, "-c", BY_PATH, path],
        env={**child_environment(), "LD_PRELOAD": str(shim)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr


def test_faults_of_the_system_by_path_and_file(shim: Path, tmp_path: Path) -> None:
    """EIO and others at every offset, short reads, and EINTR before each read, which is no fault."""
    check_faults_of_the_system(shim, tmp_path)


# ---- what cuts a piece ----

CUT = GOOD[1][:40]


def too_many_bytes() -> bytes:
    return b"x" * ((1 << 20) + 1)


FAULTS: dict[str, tuple[Any, type[Exception]]] = {
    "exception": (Fault("mine"), Fault),
    "EIO": (OSError(errno.EIO, "disk"), OSError),
    "EOFError": (EOFError("end"), EOFError),
    "str": ("text", TypeError),
    "empty str": ("", TypeError),
    "number": (7, TypeError),
    "more than was asked for": (too_many_bytes, ValueError),
}


@every_mode
@pytest.mark.parametrize("kind", FAULTS)
def test_bytes_of_the_piece_that_was_cut(kind: str, mode: str) -> None:
    """They are the current ones while the fault is handled; rejected in stats; and in rejects."""
    step, failure = FAULTS[kind]
    rejects = io.BytesIO()
    reader = MARCReader(Script(GOOD[0] + b"\n\n" + CUT[:9], CUT[9:], step, GOOD[2]), on_error=mode, rejects=rejects)
    assert given(reader).raw == GOOD[0]
    with pytest.raises(failure):
        next(reader)
    assert reader.current_chunk == CUT
    assert reader.current_exception is None, "it is raised, and kept by nobody"
    assert rejects.getvalue() == CUT
    size = len(GOOD[0]) + 2 + len(CUT)
    stats = reader.stats
    assert stats == (2, 1, 0, 1, size, len(GOOD[0]), len(CUT), 2, {lib.MARC_BAD_CUT: 1})
    assert next(reader, "end") == "end"
    assert reader.current_chunk is None
    reader.close()
    assert reader.stats == stats


@pytest.mark.parametrize("before", [GOOD[0], b"\n", GOOD[0] + b"\r\n \0", GOOD[0] + b"\n" * 5_000])
def test_a_fault_between_pieces_cuts_none(before: bytes) -> None:
    """Line ends that were read before it are junk."""
    rejects = io.BytesIO()
    reader = MARCReader(Script(before, Fault()), rejects=rejects)
    found = until(reader, Fault)
    assert [raw for _, raw in found] == [GOOD[0]] * before.count(GOOD[0])
    assert reader.current_chunk is None
    assert (reader.stats.rejected, reader.stats.errors_by_code, rejects.getvalue()) == (0, {}, b"")
    assert reader.stats.junk_bytes == len(before) - reader.stats.bytes_delivered


def test_a_fault_in_a_piece_that_comes_in_parts() -> None:
    """The parts that went by are one error; what was read of the next one is what was cut."""
    rejects = io.BytesIO()
    junk = b"x" * 300_000
    source = Failing(GOOD[0] + junk, Fault(), 700)
    reader = MARCReader(source, rejects=rejects, largest_record=1_000, _chunk_bytes=64)
    found = until(reader, Fault)
    assert found == [("record", GOOD[0]), ("None", junk[:1_000])]
    stats = reader.stats
    assert stats.bytes_delivered + stats.bytes_rejected + stats.junk_bytes == stats.bytes_read == len(GOOD[0] + junk)
    assert rejects.getvalue() == junk
    assert stats.errors_by_code == {lib.MARC_BAD_OVERSIZE: 1, lib.MARC_BAD_CUT: 1}
    assert stats.rejected == 2


def test_a_disk_that_is_full_delays_the_fault() -> None:
    """First what `rejects` raises, until it has the bytes of the cut piece; then the fault of the source."""

    class Full:
        content = b""
        failures = 3

        def write(self, content: bytes) -> int:
            self.failures -= 1
            if self.failures >= 0:
                raise OSError(errno.ENOSPC, "full")
            self.content += content[:11]
            return len(content[:11])

    rejects, failure = Full(), Fault("source")
    source = Failing(GOOD[0] + CUT, failure)
    reader = MARCReader(source, rejects=rejects)
    assert given(reader).raw == GOOD[0]
    for _ in range(3):
        with pytest.raises(OSError, match="full"):
            next(reader)
        assert reader.stats.rejected == 0
    with pytest.raises(Fault) as caught:
        reader.__next__()
    assert caught.value is failure
    assert rejects.content == CUT == reader.current_chunk
    assert reader.stats.errors_by_code == {lib.MARC_BAD_CUT: 1}
    assert next(reader, "end") == "end"
    assert source.calls_behind == 1


def test_ctrl_c_behind_the_native_call_does_not_lose_a_fault() -> None:
    """Its status is gone with the KeyboardInterrupt; the fault is not."""
    rejects, failure = io.BytesIO(), Fault("source")
    reader = MARCReader(Failing(CUT, failure), rejects=rejects)
    status = lib.marc_reader_next_batch(reader._source.handle, reader._slot, reader._error)
    assert status == lib.MARC_E_CALLBACK
    with pytest.raises(Fault) as caught:
        reader.__next__()
    assert caught.value is failure
    assert (reader.current_chunk, rejects.getvalue()) == (CUT, CUT)
    assert reader.stats.errors_by_code == {lib.MARC_BAD_CUT: 1}
    assert next(reader, "end") == "end"


def test_ctrl_c_behind_the_native_call_does_not_lose_a_fault_of_the_system() -> None:
    path = Path("/proc/self/mem")  # address 0 is not there
    reader = MARCReader(path)
    status = lib.marc_reader_next_batch(reader._source.handle, reader._slot, reader._error)
    if status != lib.MARC_E_IO:
        pytest.skip(f"{path} can be read")
    with pytest.raises(OSError, match=str(path)):
        next(reader)
    assert next(reader, "end") == "end"


def test_closing_from_another_thread_cuts_nothing() -> None:
    """What was read and not handed out is neither junk nor rejected."""
    rejects = io.BytesIO()

    class Closing(Failing):
        reader: MARCReader

        def read(self, size: int) -> bytes:
            if not self.content:
                with pytest.raises(RuntimeError, match="cancelled"):
                    self.reader.close()
                return b""
            return super().read(size)

    source = Closing(GOOD[0] + b"\n" + CUT, Fault())
    source.reader = reader = MARCReader(source, rejects=rejects)
    assert given(reader).raw == GOOD[0]
    with pytest.raises(RuntimeError, match="cancel"):
        next(reader)
    assert list(reader) == []
    stats = reader.stats
    assert (stats.records, stats.rejected, stats.errors_by_code, rejects.getvalue()) == (1, 0, {}, b"")
    assert stats.bytes_delivered + stats.junk_bytes == len(GOOD[0]) < stats.bytes_read


# ---- interruptions ----

PAUSES: list[Any] = [
    TimeoutError("later"),
    BlockingIOError("later"),
    InterruptedError(errno.EINTR, "signal"),
    KeyboardInterrupt("Ctrl-C"),
    None,
]


@every_mode
@pytest.mark.parametrize("pause", PAUSES, ids=lambda pause: type(pause).__name__)
@pytest.mark.parametrize("size", [1, 3, 29])
def test_interruptions_change_nothing(mode: str, pause: Any, size: int) -> None:
    """Between any two reads, in every mode: outcomes, numbers and rejects are those of a source that never paused."""
    steps: list[Any] = [pause]
    for at in range(0, len(DATA), size):
        steps += [DATA[at : at + size], pause]
    calm, rejects = io.BytesIO(), io.BytesIO()
    expected = MARCReader(DATA, on_error=mode, rejects=calm)
    assert list(outcomes(expected)) == whole(mode)
    reader = MARCReader(Script(*steps), on_error=mode, rejects=rejects)
    kind = BlockingIOError if pause is None else type(pause)
    found, pauses, done = [], 0, False
    while not done:
        try:
            before = reader.stats
            outcome = next(outcomes(reader), None)
        except kind:
            pauses += 1
            assert reader.stats.errors_by_code.get(lib.MARC_BAD_CUT) is None
            assert reader.stats.rejected >= before.rejected
        else:
            done = outcome is None
            if outcome is not None:
                found.append(outcome)
    assert found == whole(mode)
    assert pauses == len(steps) // 2 + 1
    assert check_sums(reader) == expected.stats
    assert rejects.getvalue() == calm.getvalue()


def test_interruptions_and_too_many_errors() -> None:
    steps = [step for at in range(len(DATA)) for step in (TimeoutError(), DATA[at : at + 1])]
    reader = MARCReader(Script(*steps), max_errors=2)
    pauses = 0
    while True:
        try:
            next(reader)
        except TimeoutError:
            pauses += 1
        except TooManyErrors:
            break
    assert pauses > 200
    assert reader.stats.rejected == 3
    assert next(reader, "end") == "end"


# ---- sources that end too early ----


@every_mode
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_a_fifo_whose_writer_goes_away(mode: str, tmp_path: Path) -> None:
    """In the middle of a piece, or between two: the end of the input, wherever that is. It is no fault."""
    for offset in range(0, len(DATA), 41):
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        rejects, calm = io.BytesIO(), io.BytesIO()
        background(lambda fifo=fifo, offset=offset: fifo.write_bytes(DATA[:offset]))  # type: ignore[misc]
        reader = MARCReader(fifo, on_error=mode, rejects=rejects)
        found = list(outcomes(reader))
        expected = MARCReader(DATA[:offset], on_error=mode, rejects=calm)
        assert found == list(outcomes(expected))
        assert check_sums(reader) == expected.stats
        assert rejects.getvalue() == calm.getvalue()
        fifo.unlink()


@every_mode
def test_a_peer_that_goes_away(mode: str) -> None:
    """A socket whose peer closes it ends the input; one that the peer resets is a fault."""
    for reset in (False, True):
        with socket.create_server(("127.0.0.1", 0)) as server:
            ours = socket.create_connection(server.getsockname())
            theirs, _address = server.accept()
        with ours, theirs:
            theirs.sendall(DATA[:300])
            rejects = io.BytesIO()
            reader = MARCReader(ours, on_error=mode, rejects=rejects)
            first = next(outcomes(reader))
            if reset:
                theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            theirs.close()
            if reset:
                found = [first, *until(reader, ConnectionResetError)]
                check_cut(reader, found, mode, reader.stats.bytes_read, rejects.getvalue())
            else:
                assert [first, *outcomes(reader)] == list(outcomes(MARCReader(DATA[:300], on_error=mode)))
                assert check_sums(reader).bytes_read == 300


LARGE = books(400, size=500)


def shrinking(kind: str, path: Path) -> Any:
    return path if kind == "path" else path.open("rb", buffering=0)


@pytest.mark.parametrize("kind", ["path", "raw file"])
@pytest.mark.parametrize("left", [0, 100, 20_000, 100_000, 100_250])
def test_a_file_that_shrinks_while_it_is_read(kind: str, left: int, tmp_path: Path) -> None:
    """It ends where it ends now. What was read before stands, whatever became of it."""
    path = tmp_path / "file.mrc"
    data = b"".join(LARGE)
    path.write_bytes(data)
    source = shrinking(kind, path)
    rejects = io.BytesIO()
    with MARCReader(source, rejects=rejects, _chunk_bytes=10_000) as reader:
        first = [given(reader).raw for _ in range(3)]
        read = reader.stats.bytes_read
        assert read < 50_000
        os.truncate(path, left)
        seen = data[: max(read, left)]
        found = first + raws(reader)
        assert found == raws(MARCReader(seen))
        stats = check_sums(reader)
        assert stats.bytes_read == len(seen)
        assert rejects.getvalue() == b"".join(raw or b"" for raw in found if raw not in LARGE)
    if kind == "raw file":
        source.close()


def test_a_buffered_file_that_shrinks(tmp_path: Path) -> None:
    """Python's own buffer may have more of it."""
    path = tmp_path / "file.mrc"
    data = b"".join(LARGE)
    path.write_bytes(data)
    with path.open("rb") as file:
        reader = MARCReader(file, _chunk_bytes=1_000)
        first = given(reader).raw
        os.truncate(path, 10)
        found = [first, *raws(reader)]
        stats = check_sums(reader)
    assert b"".join(raw or b"" for raw in found) == data[: stats.bytes_read]
    assert found[:-1] == LARGE[: len(found) - 1]


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_a_file_that_is_closed_meanwhile(taken: int, tmp_path: Path) -> None:
    """Python's own ValueError, with the bytes that were read accounted for."""
    path = tmp_path / "file.mrc"
    path.write_bytes(b"".join(LARGE))
    rejects = io.BytesIO()
    file = path.open("rb", buffering=0)
    reader = MARCReader(file, rejects=rejects, _chunk_bytes=700)
    found = [given(reader).raw for _ in range(taken)]
    file.close()
    with pytest.raises(ValueError, match="closed"):
        while True:
            found.append(given(reader).raw)
    assert found == LARGE[: len(found)]
    stats, cut = reader.stats, reader.current_chunk or b""
    assert stats.bytes_delivered + stats.bytes_rejected + stats.junk_bytes == stats.bytes_read
    assert b"".join(LARGE).startswith(b"".join(raw or b"" for raw in found) + cut)
    assert rejects.getvalue() == cut
    reader.close()
    assert next(reader, "end") == "end"


# ---- inputs that are no MARC ----

FOREIGN = foreign_inputs()
every_format = pytest.mark.parametrize("kind", FOREIGN)
#: What reads it, as the message says it.
HELP = {
    lib.MARC_BAD_GZIP: ("gzip", "gzip.open"),
    lib.MARC_BAD_BZIP2: ("bzip2", "bz2.open"),
    lib.MARC_BAD_XZ: ("xz", "lzma.open"),
    lib.MARC_BAD_ZSTD: ("zstd", "zstd -dc"),
    lib.MARC_BAD_ZIP: ("zip", "zipfile"),
    lib.MARC_BAD_XML: ("XML", "MARCXML"),
    lib.MARC_BAD_HTML: ("HTML", "error message"),
    lib.MARC_BAD_JSON: ("JSON", "MARC-in-JSON"),
    lib.MARC_BAD_MARCMAKER: ("MARCMaker", "MARCMakerReader"),
    lib.MARC_BAD_UTF16: ("UTF-16", "iconv"),
}


def foreign_sources(data: bytes, folder: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    path = folder / "foreign"
    path.write_bytes(data)
    yield data, {}
    yield data, {"_chunk_bytes": 64}
    yield io.BytesIO(data), {}
    yield path, {}
    yield path, {"_chunk_bytes": 64}
    with path.open("rb") as file:
        yield file, {}
    for most in (1, 2, 3, 7, 100, 4_096):
        yield Source(data, most), {}
    yield Source(data), {"_chunk_bytes": 100}


@every_format
def test_one_rejected_piece_from_every_source(kind: str, tmp_path: Path) -> None:
    """To the end of the input, whatever the sizes of the reads: one error that says what it is and what reads it."""
    code, data = FOREIGN[kind]
    expected = items(MARCReader(data))
    (only,) = expected
    chunk = data.lstrip(b"\xef\xbb\xbf\r\n\0")
    assert only.raw == chunk
    assert (only.place["type"], only.place["code"]) == (RecordLengthInvalid, code)
    assert (only.place["record_index"], only.place["byte_offset"]) == (0, len(data) - len(chunk))
    assert only.place["control_number"] is None
    for word in HELP[code]:
        assert word in only.text
    for source, options in foreign_sources(data, tmp_path):
        rejects = io.BytesIO()
        reader = MARCReader(source, rejects=rejects, **options)
        assert items(reader) == expected
        assert rejects.getvalue() == chunk
        stats = check_sums(reader)
        assert (stats.records, stats.rejected, stats.bytes_rejected) == (1, 1, len(chunk))
        assert (stats.junk_bytes, stats.errors_by_code) == (len(data) - len(chunk), {code: 1})


@every_format
def test_foreign_inputs_in_every_mode(kind: str) -> None:
    code, data = FOREIGN[kind]
    chunk = data.lstrip(b"\xef\xbb\xbf\r\n\0")
    names = {"none": [("None", chunk)], "salvage": [("None", chunk)], "skip": []}
    for mode in MODES:
        reader = MARCReader(data, on_error=mode)
        assert list(outcomes(reader)) == names.get(mode, [("RecordLengthInvalid", chunk)])
        assert check_sums(reader).errors_by_code == {code: 1}
        limited = MARCReader(data, on_error=mode, max_errors=0)
        with pytest.raises(TooManyErrors) as caught:
            next(limited)
        cause: Any = caught.value.__cause__
        assert cause.code == code
        assert HELP[code][1] in str(caught.value)


@every_format
def test_records_behind_a_foreign_beginning(kind: str) -> None:
    """A page of HTML that was glued before a file, or a few bytes of a packed one, cost no record."""
    code, data = FOREIGN[kind]
    for begin in (data, data[:40]):
        for between in (b"", b"\n", b"\x1d", b"\r\n\r\n"):
            for most in (None, 1, 50):
                reader = MARCReader(Source(begin + between + b"".join(GOOD), most))
                assert next(reader) is None
                problem: Any = reader.current_exception
                assert problem.code == code
                assert (begin + between)[problem.byte_offset :].startswith(problem.chunk)
                assert raws(reader) == GOOD
                assert reader.stats.rejected == 1


@every_format
def test_elsewhere_it_is_a_piece_like_any_other(kind: str) -> None:
    """Only an input as a whole is another format. Behind a record it is damage, and ends as damage does."""
    code, data = FOREIGN[kind]
    reader = MARCReader(GOOD[0] + data + b"\x1d" + GOOD[1])
    found = items(reader)
    assert found[0].raw == GOOD[0]
    assert found[-1].raw == GOOD[1]
    assert all(one.fields is None and one.place["code"] != code for one in found[1:-1])
    if data.count(b"\x1d") > 3:
        assert len(found) > 4


@pytest.mark.parametrize("kind", ["gzip", "utf-16", "zip"])
@pytest.mark.parametrize("mode", ["none", "skip"])
def test_a_large_foreign_input_is_one_error_too(kind: str, mode: str) -> None:
    """It goes by in parts; only the first is kept."""
    code, data = FOREIGN[kind]
    rejects = io.BytesIO()
    reader = MARCReader(Source(data * 20, 900), on_error=mode, largest_record=1_000, rejects=rejects)
    outcome = list(outcomes(reader))
    assert outcome == ([] if mode == "skip" else [("None", data[:1_000])])
    assert check_sums(reader).errors_by_code == {code: 1}
    assert rejects.getvalue() == data * 20


def test_what_only_looks_like_another_format() -> None:
    """A record is a record, whatever its first bytes are; and a word in brackets is no JSON."""
    for begin in (b"PK\x03\x04", b"BZh", b"=LDR", b"<?xml"):
        damaged = begin + book(1)[len(begin) :]
        reader = MARCReader(damaged + GOOD[0], on_error="salvage")
        assert given(reader)["001"].data == "n000001"
        assert given(reader).raw == GOOD[0]
    for junk in (b"[note] here", b"<3 libraries", b"= not LDR", b"PKZIP", b"BZ", b"\x1f\x8b", b"{braces}"):
        reader = MARCReader(junk + b"\x1d" + GOOD[0])
        assert next(reader) is None
        problem: Any = reader.current_exception
        assert problem.code == lib.MARC_BAD_LENGTH
        assert given(reader).raw == GOOD[0]


def test_what_the_message_says_works(tmp_path: Path) -> None:
    """Opened as it says, the records are there."""
    path = tmp_path / "books.mrc.gz"
    path.write_bytes(gzip.compress(b"".join(GOOD)))
    reader = MARCReader(path)
    assert next(reader) is None
    assert "gzip.open" in str(reader.current_exception)
    with gzip.open(path) as file:
        assert raws(MARCReader(file)) == GOOD


def test_a_packed_file_that_is_cut(tmp_path: Path) -> None:
    """What gzip raises comes out unchanged, behind the records that it has given."""
    packed = gzip.compress(b"".join(LARGE), 1)
    with gzip.open(io.BytesIO(packed[: len(packed) // 2])) as file:
        reader = MARCReader(file, _chunk_bytes=4_000)
        found = []
        with pytest.raises(EOFError, match="end-of-stream"):
            for record in reader:
                found.append(record.raw if record else None)
        assert found == LARGE[: len(found)]
        assert len(found) > 5
        stats = reader.stats
        assert stats.bytes_delivered + stats.bytes_rejected + stats.junk_bytes == stats.bytes_read
        assert next(reader, "end") == "end"


def test_nothing_is_asked_behind_a_fault() -> None:
    """Not by close(), nor by the collector."""
    asked: list[Callable[[MARCReader], object]] = [lambda reader: reader.close(), lambda reader: list(reader), repr]
    for ask in asked:
        source = Failing(GOOD[0], Fault())
        reader = MARCReader(source)
        until(reader, Fault)
        ask(reader)
        del reader
        assert source.calls_behind == 1
