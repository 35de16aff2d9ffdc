"""The state machine of a reader: INITIAL, QUEUE, READ_BATCH, EOF, and what each call does in each of them."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import (
    CHUNK,
    Script,
    Source,
    book,
    books,
    given,
    is_asleep,
    needs_proc,
    raws,
    run_python,
    wait_until,
)

import libmarc.reader
from libmarc import MARCReader, RecordLengthInvalid
from libmarc._native import ffi, lib
from libmarc.reader import State

BOOKS = books(250)
DATA = b"".join(BOOKS)
REJECTED = b"junk, and no record\x1d"


class Watched(MARCReader):
    """Notes every state that is set."""

    def __init__(self, source: Any, **options: Any) -> None:
        self.states: list[str] = []
        super().__init__(source, **options)

    @property
    def _state(self) -> State:
        return self._now

    @_state.setter
    def _state(self, state: State) -> None:
        self._now = state
        self.states.append(state.name)


class CountedLib:
    """libmarc.so with a count of the calls for a batch."""

    def __init__(self) -> None:
        self.batches = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(lib, name)

    def marc_reader_next_batch(self, *arguments: Any) -> int:
        self.batches += 1
        status: int = lib.marc_reader_next_batch(*arguments)
        return status


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> CountedLib:
    proxy = CountedLib()
    monkeypatch.setattr(libmarc.reader, "lib", proxy)
    return proxy


@pytest.fixture
def no_unraisable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails if something is raised where nobody can catch it, such as in __del__."""
    seen: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", lambda event: seen.append((event.exc_type, str(event.exc_value))))
    yield
    gc.collect()
    assert seen == []


# ---- as an iterator ----


def test_iterator_semantics(marc_file: Path, mixed: bytes) -> None:
    reader = MARCReader(str(marc_file))
    assert iter(reader) is reader
    first = next(reader)
    assert first is not None
    assert first.raw == mixed[: len(first.raw or b"")]
    rest = list(reader)
    assert b"".join(record.raw or b"" for record in [first, *rest] if record) == mixed
    assert list(reader) == []
    assert next(reader, "default") == "default"
    with pytest.raises(TypeError):
        len(reader)  # type: ignore[arg-type]


def test_every_record_is_a_new_object() -> None:
    records = list(MARCReader(DATA))
    assert len({id(record) for record in records}) == len(BOOKS)


def test_two_readers_of_the_same_bytes_are_independent() -> None:
    one, two = MARCReader(DATA), MARCReader(DATA)
    for expected in BOOKS:
        assert given(one).raw == expected
        assert given(two).raw == expected


def test_loops_share_one_position() -> None:
    reader = MARCReader(DATA)
    found = [record.raw for record, _ in zip(reader, range(3), strict=False) if record]
    # zip takes one more before it sees that the other has ended
    assert found + [record.raw for record in reader if record] == [*BOOKS[:3], *BOOKS[4:]]


# ---- the end ----


@pytest.mark.parametrize("rounds", [1, 50])
def test_iterator_idempotence(rounds: int) -> None:
    source = Source(DATA)
    reader = MARCReader(source)
    assert raws(reader) == BOOKS
    calls = source.calls
    for _ in range(rounds):
        with pytest.raises(StopIteration):
            next(reader)
    assert list(reader) == []
    assert source.calls == calls, "no I/O after the end"
    reader.close()
    assert next(reader, None) is None
    assert source.calls == calls


def test_batch_reading_idempotence(counted: CountedLib) -> None:
    """After the end libmarc.so is not asked again either."""
    reader = MARCReader(Source(DATA))
    assert len(list(reader)) == len(BOOKS)
    calls = counted.batches
    assert calls == 2, "one for the chunk, one that finds the end"
    for _ in range(20):
        assert next(reader, None) is None
    reader.close()
    assert next(reader, None) is None
    assert counted.batches == calls


def test_native_reader_is_idempotent_at_its_end() -> None:
    source = Source(DATA)
    reader = MARCReader(source)
    raws(reader)
    calls = source.calls
    for _ in range(3):
        status = lib.marc_reader_next_batch(reader._source.handle, reader._slot, reader._error)
        assert (status, reader._slot[0]) == (lib.MARC_END, ffi.NULL)
    assert source.calls == calls


def test_the_end_stays_when_the_file_grows(marc_file: Path) -> None:
    with MARCReader(marc_file) as reader:
        count = len(list(reader))
        with marc_file.open("ab") as out:
            out.write(DATA)
        assert list(reader) == []
    assert len(list(MARCReader(marc_file))) == count + len(BOOKS)


def test_a_file_that_grows_while_it_is_read(marc_file: Path, mixed: bytes) -> None:
    """What is appended before the end was seen belongs to the input."""
    with MARCReader(marc_file, _chunk_bytes=4_096) as reader:
        found = [given(reader).raw]
        with marc_file.open("ab") as out:
            out.write(DATA)
        found += [record.raw for record in reader if record]
    assert b"".join(raw or b"" for raw in found) == mixed + DATA


def test_no_io_after_a_failure() -> None:
    source = Script(DATA, OSError(5, "gone"))
    reader = MARCReader(source)
    for expected in BOOKS:
        assert given(reader).raw == expected
    with pytest.raises(OSError, match="gone"):
        next(reader)
    calls = source.calls
    for _ in range(3):
        assert next(reader, None) is None
    reader.close()
    assert next(reader, None) is None
    assert source.calls == calls


@pytest.mark.parametrize("taken", [0, 1, 150, 250])
def test_no_io_after_close(taken: int) -> None:
    source = Source(DATA)
    reader = MARCReader(source)
    for _ in range(taken):
        next(reader)
    reader.close()
    calls = source.calls
    assert next(reader, None) is None
    assert list(reader) == []
    reader.close()
    reader.close()
    assert source.calls == calls <= 2
    assert reader._state is State.EOF


# ---- transitions ----


def test_starts_in_initial_without_io() -> None:
    source = Source(DATA)
    reader = Watched(source)
    assert reader.states == ["INITIAL"]
    assert source.calls == 0


def test_initial_to_queue() -> None:
    reader = Watched(DATA)
    assert given(reader).raw == BOOKS[0]
    assert reader.states == ["INITIAL", "QUEUE"]


@pytest.mark.parametrize("empty", [b"", b" \n\0\x1a\xef\xbb\xbf\x1d"])
def test_initial_to_eof(empty: bytes) -> None:
    for source in (empty, Source(empty)):
        reader = Watched(source)
        assert list(reader) == []
        assert reader.states == ["INITIAL", "EOF"]
        assert reader.current_exception is None
        assert not reader.current_chunk


def test_queue_to_queue() -> None:
    """A native batch of 250 records goes through the queue in three fillings."""
    reader = Watched(DATA)
    found = [given(reader).raw for _ in BOOKS]
    assert found == BOOKS
    assert reader.states == ["INITIAL", "QUEUE"]


def test_queue_to_read_batch_to_eof() -> None:
    reader = Watched(DATA)
    assert len(list(reader)) == 250
    assert reader.states == ["INITIAL", "QUEUE", "READ_BATCH", "EOF"]


def test_read_batch_to_queue() -> None:
    reader = Watched(Script(*BOOKS[:3]))
    assert raws(reader) == BOOKS[:3]
    assert reader.states == ["INITIAL", *["QUEUE", "READ_BATCH"] * 3, "EOF"]


def test_interrupted_in_initial_stays_in_initial() -> None:
    reader = Watched(Script(TimeoutError("later"), DATA))
    with pytest.raises(TimeoutError, match="later"):
        next(reader)
    assert reader.states == ["INITIAL"]
    assert raws(reader) == BOOKS


def test_interrupted_in_read_batch_stays_in_read_batch() -> None:
    reader = Watched(Script(BOOKS[0], TimeoutError("later"), DATA))
    assert given(reader).raw == BOOKS[0]
    with pytest.raises(TimeoutError, match="later"):
        next(reader)
    assert reader.states == ["INITIAL", "QUEUE", "READ_BATCH"]
    assert reader.current_exception is None
    assert raws(reader) == BOOKS
    assert reader.states == ["INITIAL", *["QUEUE", "READ_BATCH"] * 2, "EOF"]


@pytest.mark.parametrize("before", [0, 1])
def test_failure_to_eof(before: int) -> None:
    reader = Watched(Script(*BOOKS[:before], ValueError("broken")))
    assert [given(reader).raw for _ in range(before)] == BOOKS[:before]
    with pytest.raises(ValueError, match="broken"):
        next(reader)
    assert reader.states == ["INITIAL", *["QUEUE", "READ_BATCH"] * before, "EOF"]
    assert next(reader, None) is None


@pytest.mark.parametrize("taken", [0, 1, 100, 101, 250])
def test_close_to_eof(taken: int) -> None:
    reader = Watched(DATA)
    for _ in range(taken):
        next(reader)
    reader.close()
    assert reader.states[-1] == "EOF"
    assert next(reader, None) is None


def test_close_in_read_batch() -> None:
    reader = Watched(Script(BOOKS[0], TimeoutError(), BOOKS[1]))
    next(reader)
    with pytest.raises(TimeoutError):
        next(reader)
    assert reader.states[-1] == "READ_BATCH"
    reader.close()
    assert reader.states[-1] == "EOF"
    assert next(reader, None) is None


def test_rejected_pieces_pass_through_the_queue() -> None:
    reader = Watched(b"".join([BOOKS[0], REJECTED, REJECTED, BOOKS[1], REJECTED]))
    assert [record is None for record in reader] == [False, True, True, False, True]
    assert reader.states == ["INITIAL", "QUEUE", "READ_BATCH", "EOF"]


def test_a_batch_that_was_read_when_ctrl_c_came_is_not_lost(counted: CountedLib) -> None:
    """The exception of a signal can appear just behind the native call: the batch then waits in the reader."""
    source = Source(DATA)
    reader = MARCReader(source)
    assert lib.marc_reader_next_batch(reader._source.handle, reader._slot, reader._error) == lib.MARC_OK
    assert raws(reader) == BOOKS
    assert counted.batches == 1, "only the one that finds the end"


# ---- where the last item stands ----


def test_current_chunk_and_exception_follow_the_items() -> None:
    parts = [BOOKS[0], REJECTED, BOOKS[1], REJECTED, BOOKS[2]]
    reader = MARCReader(b"".join(parts))
    assert reader.current_chunk is None
    assert reader.current_exception is None
    for part in parts:
        record = next(reader)
        assert reader.current_chunk == part
        assert (record is None) == (part is REJECTED)
        assert (reader.current_exception is None) == (part is not REJECTED)
    assert next(reader, None) is None
    assert reader.current_exception is None, "the end is no error"


def test_a_fatal_error_can_be_asked_for_behind_the_loop() -> None:
    """As in pymarc, where it has ended the loop. One of the other classes has gone by then."""
    reader = MARCReader(BOOKS[0] + b"0012X")
    assert [record is None for record in reader] == [False, True]
    for _ in range(3):
        assert isinstance(reader.current_exception, RecordLengthInvalid)
        assert reader.current_chunk == b"0012X"
        assert next(reader, None) is None
    reader = MARCReader(BOOKS[0] + BOOKS[1][:12] + b"00000" + BOOKS[1][17:])
    assert [record is None for record in reader] == [False, True]
    assert reader.current_exception is None


def test_current_chunk_across_fillings_and_batches() -> None:
    for reader in (MARCReader(DATA), MARCReader(Source(DATA, 300)), MARCReader(DATA, _queue_records=1)):
        for expected in BOOKS:
            assert given(reader).raw == expected == reader.current_chunk


# ---- one user at a time ----


def test_own_read_must_not_use_the_reader() -> None:
    class Nested:
        reader: MARCReader

        def read(self, size: int) -> bytes:
            next(self.reader)
            return b""

    source = Nested()
    source.reader = MARCReader(source)
    with pytest.raises(RuntimeError, match="in use on another thread, or inside the read"):
        next(source.reader)
    assert next(source.reader, None) is None


def test_own_read_must_not_close_the_reader() -> None:
    class Closing:
        reader: MARCReader

        def read(self, size: int) -> bytes:
            with pytest.raises(RuntimeError, match="has been cancelled"):
                self.reader.close()
            return BOOKS[0]

    source = Closing()
    source.reader = MARCReader(source)
    with pytest.raises(RuntimeError, match="cancel"):
        next(source.reader)
    assert next(source.reader, None) is None
    source.reader.close()


def test_a_second_thread_is_told_so() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def step() -> bytes:
        inside.set()
        assert go_on.wait(60)
        return DATA

    reader = MARCReader(Script(step))
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.extend(raws(reader)), daemon=True)
    thread.start()
    assert inside.wait(60)
    with pytest.raises(RuntimeError, match="in use on another thread"):
        next(reader)
    go_on.set()
    thread.join(60)
    assert found == BOOKS, "the first one is not disturbed"


IN_THE_MIDDLE = """
import gc, io, sys
from libmarc import MARCReader

data, what = bytes.fromhex(sys.argv[1]), sys.argv[2]

class Owner:
    def __init__(self, reader):
        self.reader, self.me = reader, self

    def __del__(self):
        called.append(self)
        if what == "close":
            self.reader.close()
        else:
            try:
                next(self.reader)
            except RuntimeError:
                called.append("refused")
        self.other = [b"B" * 2000 for _ in range(400)]  # what was freed is used for something else

expected = [record.raw for record in MARCReader(data)]
hits = 0
for number in range(250):
    gc.disable()
    gc.collect()
    reader, called = MARCReader(io.BytesIO(data), _queue_records=30), []
    records = [next(reader) for _ in range(30)]
    Owner(reader)
    gc.set_threshold(1 + number, 1, 1)
    gc.enable()
    records += [record for record in reader]
    gc.set_threshold(700, 10, 10)
    raws = [record.raw for record in records]
    if called[1:] == ["refused"] or what == "close" and len(raws) < len(expected):
        hits += 1  # it was in the middle of next()
    if len(called) < 2 and what == "next" and called:
        raws = expected  # it was not: a record went to the finalizer
    assert raws == expected[: len(raws)] and (what == "close" or raws == expected), (number, len(raws))
    assert next(reader, None) is None
assert hits, "it was never in the middle"
print("done")
"""


@pytest.mark.parametrize("what", ["close", "next"])
def test_a_finalizer_in_the_middle_of_next(what: str) -> None:
    """The collector may call one wherever an object is made. Closing waits for the end of next(), which has its record;
    another next() is refused."""
    assert run_python(IN_THE_MIDDLE, DATA.hex(), what) == "done\n"


def test_close_from_a_second_thread_cancels() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def step() -> bytes:
        inside.set()
        assert go_on.wait(60)
        return b" "

    source = Script(step, DATA)
    reader = MARCReader(source)
    outcome: list[Any] = []

    def read() -> None:
        try:
            outcome.append(next(reader))
        except RuntimeError as problem:
            outcome.append(problem)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert inside.wait(60)
    with pytest.raises(RuntimeError, match="its reading has been cancelled"):
        reader.close()
    go_on.set()
    thread.join(60)
    assert isinstance(outcome[0], RuntimeError)
    assert source.calls == 1
    assert next(reader, None) is None
    reader.close()


# ---- signals ----


@needs_proc
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_a_signal_that_raises_nothing_does_not_end_the_waiting(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    got: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: got.append(number))
    main = threading.main_thread()
    assert main.ident is not None
    thread_id, native_id = main.ident, main.native_id or 0

    def writer() -> None:
        wait_until(lambda: is_asleep(native_id))  # in open()
        signal.pthread_kill(thread_id, signal.SIGUSR1)
        wait_until(lambda: len(got) == 1)
        with fifo.open("wb") as out:
            wait_until(lambda: is_asleep(native_id))  # in read()
            signal.pthread_kill(thread_id, signal.SIGUSR1)
            wait_until(lambda: len(got) == 2)
            out.write(DATA)

    thread = threading.Thread(target=writer, daemon=True)
    thread.start()
    try:
        assert raws(MARCReader(fifo)) == BOOKS
    finally:
        signal.signal(signal.SIGUSR1, before)
    thread.join(60)
    assert got == [signal.SIGUSR1] * 2


CTRL_C_ANYWHERE = """
import io, random, signal, sys, threading
from support import book, record_bytes
from libmarc import MARCReader

odd = [record_bytes(("001", b"o%06d" % number), ("500", b"  \\x1fa\\x1f\\x1fb")) for number in range(400)]
expected = [book(number) if number % 3 else odd[number] for number in range(400)]
places = {raw: at for at, raw in enumerate(expected)}
data = b"".join(expected)
rng = random.Random(5)
interrupts = twice = stuck = locked_out = 0
sys.stderr = io.StringIO()  # where Python tells of exceptions that nobody can catch

def other_thread(reader):
    global locked_out
    try:
        next(reader, None)
        reader.close()
    except RuntimeError:
        locked_out += 1

def read_on(reader):
    # One record may be lost between next() and `record`, in the hands of the interpreter. None comes twice.
    global last, stuck, twice
    signal.setitimer(signal.ITIMER_REAL, rng.uniform(2e-5, 3e-4))
    try:
        while (record := next(reader, None)) is not None:
            at = places[record.raw]
            twice += at <= last
            last = at
    except RuntimeError:
        stuck += 1
    signal.setitimer(signal.ITIMER_REAL, 0)

signal.signal(signal.SIGALRM, signal.default_int_handler)  # raises KeyboardInterrupt
while interrupts < int(sys.argv[1]):
    reader = MARCReader(data, _queue_records=2, _chunk_bytes=1_000)
    last = -1
    done = False
    while not done:
        try:
            read_on(reader)
            done = True
        except KeyboardInterrupt:
            interrupts += 1
    thread = threading.Thread(target=other_thread, args=(reader,))
    thread.start()
    thread.join()
swallowed = sys.stderr.getvalue().count("Exception ignored")
print(f"{twice} twice, {stuck} stuck, {locked_out} locked out, {swallowed} swallowed")
"""


def test_ctrl_c_at_any_moment_leaves_a_reader_that_can_go_on() -> None:
    """Hit by signals at thousands of random moments the reader goes on behind each of them: it gives no record twice,
    and it does not take itself for one that is in use, neither on this thread nor on another one. Each
    KeyboardInterrupt arrives: none ends in a destructor, where it would be lost and leave a batch behind."""
    count = 100 if "LIBMARC_SANITIZER" in os.environ else 4_000  # a sanitizer makes each of them slow
    assert run_python(CTRL_C_ANYWHERE, str(count)) == "0 twice, 0 stuck, 0 locked out, 0 swallowed\n"


# ---- closing ----


def test_with_closes_and_lets_exceptions_pass() -> None:
    with pytest.raises(LookupError, match="mine"), MARCReader(DATA) as reader:
        next(reader)
        raise LookupError("mine")
    assert reader._source.handle is None
    with MARCReader(DATA) as again:
        assert again is not reader
    assert next(again, None) is None


def test_records_outlive_the_reader() -> None:
    with MARCReader(DATA) as reader:
        records = [given(reader) for _ in range(5)]
    del reader
    assert [record.title for record in records] == [f"Title {number}" for number in range(5)]
    assert [record["001"].data for record in records] == [f"n{number:06}" for number in range(5)]


@pytest.mark.usefixtures("no_unraisable")
@pytest.mark.parametrize("taken", [0, 1, 250])
def test_collected_without_close(taken: int) -> None:
    source = Source(DATA)
    reader = MARCReader(source)
    for _ in range(taken):
        next(reader)
    calls = source.calls
    del reader
    assert source.calls == calls


@pytest.mark.usefixtures("no_unraisable")
@pytest.mark.parametrize(
    "make",
    [
        lambda: MARCReader(object()),
        lambda: MARCReader("no/such/file"),
        lambda: MARCReader(DATA, _chunk_bytes=1),
        lambda: MARCReader(DATA, to_unicode=False, on_error="salvage"),
        lambda: MARCReader.__new__(MARCReader).undefined,  # type: ignore[attr-defined]
    ],
)
def test_readers_that_could_not_be_made_die_quietly(make: Callable[[], object]) -> None:
    with pytest.raises((TypeError, OSError, ValueError, NotImplementedError, AttributeError)):
        make()


@pytest.mark.usefixtures("no_unraisable")
def test_a_source_that_refers_to_its_reader_is_collected() -> None:
    class Loop(Source):
        reader: MARCReader | None = None

    gone: list[int] = []

    class Mark:
        def __del__(self) -> None:
            gone.append(1)

    source = Loop(DATA)
    source.reader = MARCReader(source)
    source.mark = Mark()  # type: ignore[attr-defined]
    next(source.reader)
    del source
    gc.collect()
    assert gone == [1]


# ---- options ----


@pytest.mark.parametrize(
    "options",
    [{"to_unicode": False}, {"force_utf8": True}, {"utf8_handling": "replace"}, {"file_encoding": "cp1251"}],
)
def test_salvage_takes_no_other_decoding(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no other options of decoding"):
        MARCReader(DATA, on_error="salvage", **options)


def test_options_of_pymarc_that_change_nothing() -> None:
    reader = MARCReader(DATA, True, False, True, "strict", "iso8859-1", True)
    assert raws(reader) == BOOKS
    assert raws(MARCReader(DATA, permissive=True, hide_utf8_warnings=True)) == BOOKS


def test_file_handle_is_what_was_given() -> None:
    source = Source(DATA)
    assert MARCReader(source).file_handle is source


@pytest.mark.parametrize("chunk", [64, 1_000, CHUNK, 1 << 24])
def test_chunk_size_changes_nothing(chunk: int) -> None:
    assert raws(MARCReader(Source(DATA), _chunk_bytes=chunk)) == BOOKS


@pytest.mark.parametrize("chunk", [63, (1 << 30) + 1])
def test_chunk_size_out_of_range(chunk: int) -> None:
    with pytest.raises(ValueError, match="chunk_bytes"):
        MARCReader(DATA, _chunk_bytes=chunk)


def test_a_record_longer_than_a_chunk() -> None:
    large = book(1, size=90_000)
    for source in (large + DATA, Source(large + DATA), Source(large + DATA, 7_000)):
        assert raws(MARCReader(source, _chunk_bytes=64))[0] == large


def test_a_reader_is_not_copied() -> None:
    """Two readers on one native handle would take each other's batches."""
    reader = MARCReader(DATA)
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied or pickled"):
            duplicate(reader)
    assert raws(reader) == BOOKS


def test_a_reader_that_was_never_opened_can_be_closed() -> None:
    MARCReader.__new__(MARCReader).close()
