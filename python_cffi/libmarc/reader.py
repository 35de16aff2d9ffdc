"""MARCReader: an iterator over the records of a source."""

from __future__ import annotations

import enum
import io
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from itertools import repeat
from threading import get_ident
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex, TypeVar

from libmarc._batch import Batch, new_slot
from libmarc._batch_fields import Probe
from libmarc._decoding import Decoding
from libmarc._names import name_of_package
from libmarc._native import error_of, lib, new_error, new_options
from libmarc._objects import fastest
from libmarc._odd import OddRecord, Piece
from libmarc._ranges import WHOLE, check_range
from libmarc._rejects import Rejects
from libmarc._sources import NativeSource
from libmarc._stats import Counts, Stats
from libmarc._tolerance import check_tolerance, too_many_errors
from libmarc.exceptions import FatalReaderError
from libmarc.leader import Leader
from libmarc.record import NO_MORE, More, Record, new_record

if TYPE_CHECKING:
    from libmarc._text_readers import JSONReader as JSONReader
    from libmarc._text_readers import MARCMakerReader as MARCMakerReader

#: A batch of the queue ends at this many records, and at this many bytes unless one record alone is larger.
QUEUE_RECORDS = 100
QUEUE_MOST_RECORDS = 200
QUEUE_BYTES = 300_000
#: Reading was stopped from outside: what was read and not handed out is not damaged.
_STOPPED = (lib.MARC_E_CANCELLED, lib.MARC_E_FORKED, lib.MARC_E_BUSY)
#: What to do with a piece of the input that is no record.
ON_ERROR = ("none", "raise", "skip", "salvage")


class State(enum.Enum):
    """Where a reader stands. docs/reader-states.md has the diagram."""

    INITIAL = "nothing was read yet"
    QUEUE = "records of the current native batch are waiting"
    READ_BATCH = "the current native batch is used up; the next one is to be read"
    EOF = "everything was handed out, reading failed for good, or the reader was closed"


if not TYPE_CHECKING:  # type checkers are told above

    def __getattr__(name: str) -> Any:
        return name_of_package(__name__, name)  # JSONReader and MARCMakerReader need json, and most programs neither


_Queue = TypeVar("_Queue", bound="QueueSlots")
_INITIAL, _QUEUE, _READ_BATCH, _EOF = State  # (State.QUEUE runs Python code in some versions)


class Reader:
    """The base of all readers."""


@fastest
class QueueSlots:
    """An iterator: what `_next_queued` gives until it raises IndexError, and then what `_advance` does."""

    __slots__ = ("_next_queued",)

    _next_queued: Callable[[], Record]

    def __iter__(self: _Queue) -> _Queue:
        return self

    def __next__(self) -> Record | None:
        try:
            return self._next_queued()
        except IndexError:
            pass  # what follows is not part of this exception
        return self._advance()

    def _advance(self) -> Record | None:
        raise NotImplementedError


class MARCReader(QueueSlots, Reader):
    """Reads MARC records (ISO 2709) from a path, bytes, or a file-like object.

    >>> with MARCReader("books.mrc") as reader:
    ...     for record in reader:
    ...         if record is None:
    ...             print(reader.current_exception, len(reader.current_chunk))
    ...         else:
    ...             print(record.title)

    A piece of the input that is no record comes as None, with its reason in `current_exception` and its bytes in
    `current_chunk`; reading goes on behind it. `on_error` chooses otherwise. What the source raises comes out
    unchanged, after the records that were read before. Closed by `with`, by close(), or when it is collected; a source
    that can be positioned is then left just behind the last record that was handed out. A file that was passed in
    stays open.

    A reader is for one thread at a time; RuntimeError for a second one.
    """

    def __init__(
        self,
        marc_target: Any,
        to_unicode: bool = True,
        force_utf8: bool = False,
        hide_utf8_warnings: bool = False,
        utf8_handling: str = "strict",
        file_encoding: str = "iso8859-1",
        permissive: bool = False,
        *,
        on_error: str = "none",
        max_errors: int | None = None,
        rejects: Any = None,
        largest_record: int = 64 << 20,
        byte_range: tuple[int, int] | None = None,
        _queue_records: int = QUEUE_RECORDS,
        _chunk_bytes: int = 512 << 10,
        _capped: bool = True,
        _format: int = lib.MARC_FORMAT_ISO2709,
        _read_ahead: int = lib.MARC_AHEAD_AUTO,
    ) -> None:
        """`marc_target`: what to read from; TypeError, naming what is supported, for anything else. The errors of
        opening a path are those of open().

        `to_unicode` false: data and values are bytes, in fields of the class RawField.
        `force_utf8`: all text is UTF-8, whatever leader/09 says.
        `utf8_handling`: what becomes of subfields that are not valid UTF-8, by the names of Python's codecs: "strict",
        "replace", "ignore", "backslashreplace" ...
        `file_encoding`: the codec of records that are not in UTF-8 by leader/09; "iso8859-1", in this spelling only,
        stands for MARC-8.
        `hide_utf8_warnings`: no lines on standard error for bytes that are no character in MARC-8.
        `permissive` changes nothing here.

        `on_error`: what becomes of a piece that is no record. "none": None in its place, as in pymarc. "raise": its
        error is raised, and the following next() goes on behind it. "skip": it is passed over. "salvage": records
        that are damaged are repaired as well as it can be done, and say so in `problems`; what cannot be repaired is
        as with "none".
        `max_errors`: how many rejected pieces are borne; the next one raises TooManyErrors, and the reader has ended.
        `rejects`: a path or a binary file that receives the bytes of all rejected pieces.
        `largest_record`: bytes; a damaged piece above it is rejected in parts, as it is read, so that it need not be
        kept in memory. `current_chunk` is its first part.
        `byte_range`: (begin, end), from the beginning of the source: only pieces that begin in it are read. The ranges
        of `plan_ranges` give together what one reader gives. io.UnsupportedOperation for a source that cannot be
        positioned.
        """
        check_tolerance(on_error, ON_ERROR, max_errors)
        self.permissive = permissive
        self._decoding = Decoding(to_unicode, force_utf8, hide_utf8_warnings, utf8_handling, file_encoding)
        if on_error == "salvage" and not self._decoding.is_native:
            raise ValueError("on_error='salvage' finds out how text is encoded: no other options of decoding with it")
        # As in pymarc, for classes derived from this one that read from it themselves.
        self.file_handle: Any = io.BytesIO(marc_target) if type(marc_target) is bytes else marc_target
        self._state = _INITIAL
        self._lock = threading.RLock()
        self._user: int | None = None  # the thread that is inside
        self._reading = False  # whether it is in the native call
        self._is_closing = False  # at the end of what it is doing
        self._queue: deque[Record] = deque()
        self._next_queued = self._queue.popleft
        self._queue_records = min(_queue_records, QUEUE_MOST_RECORDS) if _capped else _queue_records
        self._queue_bytes = QUEUE_BYTES if _capped else 1 << 62
        self._batch: Batch | None = None
        self._probe: Probe | None = None
        self._queued = 0  # pieces of the batch that went to the queue or were handed out
        begin, end = check_range(byte_range) if byte_range is not None else WHOLE
        self._taken = begin  # where its last batch ended
        self._has_range = byte_range is not None
        self._owned_from: int | None = None  # where the first piece begins
        self._junk_of_range: int | None = None  # at the end
        self._on_error = on_error
        self._max_errors = max_errors
        self._rejects: Rejects | None = None
        self._left_pieces = self._left_bytes = 0  # of the batches that were left
        self._rejected = self._rejected_bytes = self._parts = self._repaired = 0
        self._passed = 0  # bytes that were read behind the last piece when the source failed
        self._errors: dict[int, int] = {}
        self._current_exception: Exception | None = None
        self._current_chunk: bytes | None = None
        self._slot = new_slot()  # of the next batch
        self._error = new_error()
        # In other formats than ISO 2709 pymarc has no verdict on the bytes of a record.
        self._best = best = on_error == "salvage" or _format != lib.MARC_FORMAT_ISO2709
        options = new_options(
            interruptible=1,
            chunk_bytes=_chunk_bytes,
            largest_record=largest_record,
            parse_mode=lib.MARC_PARSE_BEST if best else lib.MARC_PARSE_PYMARC,
            text_mode=self._decoding.text_mode,
            format=_format,
            read_ahead=_read_ahead,
            range_begin=begin,
            range_end=end,
        )
        self._source = NativeSource(marc_target, options, self._has_range)
        if rejects is not None:
            self._rejects = Rejects(rejects, marc_target)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a reader cannot be copied or pickled: it has one place in one source")

    # -- iteration

    def _advance(self) -> Record | None:
        """The next piece when the queue is empty."""
        if self._user is not None:
            raise RuntimeError(
                "the reader is in use on another thread, or inside the read() of its own source, or by a handler that "
                "came in the middle of next()"
            )
        with self._lock:
            self._user = get_ident()
            try:
                return self._next_piece()
            finally:
                self._user = None
                if self._is_closing:
                    self._end()

    def _next_piece(self) -> Record | None:
        last = self._current_exception, self._current_chunk
        self._current_exception = self._current_chunk = None
        while not self._queue:
            if self._state is _EOF:
                if isinstance(last[0], FatalReaderError):  # can still be asked for behind the loop, as in pymarc
                    self._current_exception, self._current_chunk = last
                raise StopIteration
            if self._state is not _QUEUE:
                self._read_batch()
            elif self._fill_queue():
                if self._on_error == "raise":
                    raise self._take_exception()
                if self._on_error != "skip":
                    return None
                self._current_exception = self._current_chunk = None
        return self._next_queued()

    def _take_exception(self) -> Exception:
        """What is raised is not kept: it would hold the reader, by its traceback."""
        problem, self._current_exception = self._current_exception, None
        assert problem is not None
        return problem

    def _read_batch(self) -> None:
        """INITIAL or READ_BATCH to QUEUE or EOF: the next native batch."""
        self._drop_batch()
        slot = self._slot
        # A batch is there already if a KeyboardInterrupt came when the native call had just returned.
        status = lib.MARC_OK if slot[0] else self._call_native(slot)
        callback = self._source.callback
        if status == lib.MARC_OK:
            probe = Probe()
            batch, slot = Batch(slot, self._source.origin, probe), new_slot()
            # See _set_queue.
            self._batch, self._probe, self._queued, self._state, self._slot = batch, probe, 0, _QUEUE, slot
            if self._owned_from is None:
                self._owned_from = batch.offset + batch.starts[0]
            if callback is not None and isinstance(callback.failure, KeyboardInterrupt):
                callback.raise_failure()  # not in its place: that may be thousands of records ahead
            return
        if status == lib.MARC_E_INTERRUPTED:
            if callback is not None:
                callback.raise_failure()
            return  # a signal came; its handler has run by now, and reading goes on
        if status == lib.MARC_END and self._error.code in (lib.MARC_OK, lib.MARC_E_INTERRUPTED):
            if self._has_range:
                self._junk_of_range = int(self._source.info().silent_bytes)
            else:
                self._taken = self._source.bytes_read()
            self._source.leave_at(self._taken)
            self._close_rejects()
            self._state = _EOF
            return
        # Also at the end: of a failure whose status a KeyboardInterrupt has lost, or which `rejects` has delayed.
        self._fail()

    def _call_native(self, slot: Any) -> int:
        self._reading = True
        try:
            status: int = lib.marc_reader_next_batch(self._source.handle, slot, self._error)
            return status
        finally:
            self._reading = False

    def _fill_queue(self) -> bool:
        """QUEUE to QUEUE or READ_BATCH: the next records of the batch into the queue. True if a rejected piece is next,
        which has been made the current one."""
        batch = self._batch
        assert batch is not None
        begin = self._queued
        if begin == batch.count:
            self._state = _READ_BATCH
            return False
        odd = batch.next_odd(begin) if self._decoding.keeps_plain else begin
        if odd == begin:
            return self._take_odd(batch, begin)
        end = min(begin + self._queue_records, odd)
        end = max(begin + 1, bisect_right(batch.ends, batch.starts[begin] + self._queue_bytes, begin, end))
        self._set_queue(_queue_of(batch, begin, end, self._decoding.force_utf8), end)
        return False

    def _set_queue(self, queue: deque[Record], end: int) -> None:
        """In one assignment without a call: Python looks for signals between calls, and a KeyboardInterrupt between
        these values would give records twice."""
        pop = queue.popleft
        self._queue, self._next_queued, self._queued = queue, pop, end

    def _take_odd(self, batch: Batch, number: int) -> bool:
        """Puts a record that is not plain into the queue, or makes a rejected piece the current one. (It is judged when
        its turn has come: warnings and log lines appear at its place.)"""
        raw = batch.data[batch.starts[number] : batch.ends[number]]
        piece = Piece(batch.view, number, raw, self._source.origin, batch.text_form_of(number))
        try:
            record = self._record_of(piece)
        except Exception as raised:
            problem = raised.with_traceback(None)
        else:
            record._place = batch.offset + batch.starts[number], None
            if not batch.is_source:
                batch.place_records([record], number)
            self._take_record(record, number + 1)
            return False
        if self._rejects is not None and raw:
            self._rejects.write(raw, self._rejected_bytes)
        if piece.is_part:
            parts, size = self._parts + 1, self._rejected_bytes + len(raw)
            self._queued, self._parts, self._rejected_bytes = number + 1, parts, size
            return False
        self._reject(problem, raw, number + 1, len(raw) if batch.extents is None else batch.extents[number])
        return True

    def _record_of(self, piece: Piece) -> Record:
        """The record that a piece is. Raises why it is none."""
        if not self._decoding.is_native:
            return _decoded(piece, self._decoding)
        if piece.is_rejected:
            raise piece.error()
        # (Raises where no ASCII is left of a subfield code, or a warning is an error.)
        hide = self._decoding.hide_utf8_warnings
        odd = piece.best_record() if self._best else piece.odd_record(hide)
        return new_record(piece.raw, odd) if odd.text is None else new_record(odd.text, odd, piece.raw)

    def _take_record(self, record: Record, end: int) -> None:
        queue = deque([record])
        repaired = record._odd is not None and record._odd.repaired
        pop, repaired_so_far = queue.popleft, self._repaired + repaired
        # As in _set_queue.
        self._queue, self._next_queued, self._queued, self._repaired = queue, pop, end, repaired_so_far

    def _reject(self, problem: Exception, raw: bytes, end: int, extent: int) -> None:
        """Makes a piece that is no record the current one. Counts it: it has `extent` bytes in the source."""
        code = getattr(problem, "code", 0)
        count, size, same = self._rejected + 1, self._rejected_bytes + extent, self._errors.get(code, 0) + 1
        too_many = None
        if self._max_errors is not None and count > self._max_errors:
            too_many = too_many_errors(self._max_errors, problem)
            self._close_rejects()
        # No call from here on until it is raised: a KeyboardInterrupt would come between.
        self._current_exception, self._current_chunk, self._queued = problem, raw, end
        self._rejected, self._rejected_bytes, self._errors[code] = count, size, same
        if too_many is not None:
            try:
                raise too_many from problem
            finally:
                del too_many
                self._end()

    def _fail(self) -> NoReturn:
        """INITIAL or READ_BATCH to EOF: raises why reading has failed. The bytes of the piece that this cut are
        rejected, and are the current ones."""
        callback, code = self._source.callback, self._error.code
        chunk = b"" if code in _STOPPED else self._source.rest()
        if chunk and self._rejects is not None:
            self._rejects.write(chunk, self._rejected_bytes)
        self._close_rejects()
        failure = callback.failure if callback is not None and code == lib.MARC_E_CALLBACK else None
        if failure is None:
            failure = error_of(self._error, self.file_handle if self._source.backend == "file" else None)
        size, passed, junk = len(chunk), 0, None
        if self._has_range:
            junk = int(self._source.info().silent_bytes)
        elif code not in _STOPPED:
            passed = self._source.bytes_read() - self._taken
        # No call from here on: a KeyboardInterrupt would come between, and the failure be lost.
        if chunk:
            self._errors[lib.MARC_BAD_CUT] = 1
            self._rejected += 1
            self._left_pieces += 1
            self._rejected_bytes += size
            self._left_bytes += size
            self._current_chunk = chunk
        self._passed, self._junk_of_range, self._state = passed, junk, _EOF
        if callback is not None:
            callback.failure = None
        try:
            raise failure
        finally:
            del failure  # its traceback holds this frame: no cycle

    def _close_rejects(self) -> None:
        rejects, self._rejects = self._rejects, None
        if rejects is not None:
            rejects.close()

    def _drop_batch(self) -> None:
        batch = self._batch
        if batch is not None:
            pieces, size = self._pieces_handed_out()
            taken = self._handed_out()
            self._left_pieces, self._left_bytes, self._taken, self._batch = pieces, size, taken, None
            self._probe = None
            batch.release()

    def _handed_out(self) -> int:
        """How many bytes of the source lie before the end of the last piece that was handed out."""
        batch = self._batch
        number = self._queued - len(self._queue)
        if batch is None or number == 0:
            return self._taken
        return batch.source_end(number - 1)

    def _pieces_handed_out(self) -> tuple[int, int]:
        """How many pieces, and how many bytes these have."""
        batch = self._batch
        if batch is None:
            return self._left_pieces, self._left_bytes
        number = self._queued - len(self._queue)
        return self._left_pieces + number, self._left_bytes + batch.bytes_before(number)

    # -- what was done

    @property
    def stats(self) -> Stats:
        """What has been handed out so far, in numbers."""
        pieces, size = self._pieces_handed_out()
        records = pieces - self._parts
        delivered = size - self._rejected_bytes
        info = self._source.info()
        counts = Counts(
            records=records,
            delivered=records - self._rejected,
            repaired=self._repaired,
            rejected=self._rejected,
            bytes_read=int(info.bytes_read),
            bytes_delivered=delivered,
            bytes_rejected=self._rejected_bytes,
            junk_bytes=self._junk_bytes(size),
            errors_by_code=dict(self._errors),
        )
        return Stats.of(counts, info)

    def _junk_bytes(self, size: int) -> int:
        """Bytes between the pieces that were handed out, which have `size` bytes; at the end also those behind them."""
        if not self._has_range:
            return self._handed_out() + self._passed - size
        if self._junk_of_range is not None:
            return self._junk_of_range
        return 0 if self._owned_from is None else self._handed_out() - self._owned_from - size

    # -- what pymarc's reader tells

    @property
    def current_exception(self) -> Exception | None:
        """Why the last item was None; None if it was a record."""
        return self._current_exception

    @property
    def current_chunk(self) -> bytes | None:
        """The bytes of the last item, record or not; None before the first."""
        batch = self._batch
        number = self._queued - len(self._queue)
        if self._current_chunk is not None or batch is None or number == 0:
            return self._current_chunk
        chunk: bytes = batch.data[batch.starts[number - 1] : batch.ends[number - 1]]
        return chunk

    @property
    def backend(self) -> str:
        """How the source is read: "file" (natively), "memory" (in place) or "callback" (by its read method)."""
        return self._source.backend

    @property
    def to_unicode(self) -> bool:
        """As it was passed in; like the following ones, it does not change while the reader reads."""
        return self._decoding.to_unicode

    @property
    def force_utf8(self) -> bool:
        return self._decoding.force_utf8

    @property
    def hide_utf8_warnings(self) -> bool:
        return self._decoding.hide_utf8_warnings

    @property
    def utf8_handling(self) -> str:
        return self._decoding.utf8_handling

    @property
    def file_encoding(self) -> str:
        return self._decoding.file_encoding

    # -- end

    def close(self) -> None:
        """Ends the reading. A source that can be positioned is left behind the last record that was handed out."""
        if not hasattr(self, "_source"):
            return  # it was never opened
        user = self._user
        if user is not None:
            if user == get_ident() and not self._reading:
                self._is_closing = True  # a signal handler or a finalizer: next() is using the batch
                return
            lib.marc_reader_cancel(self._source.handle)
            raise RuntimeError(
                "the reader is in use on another thread or by its own source; its reading has been cancelled"
            )
        with self._lock:
            self._end()

    def _end(self) -> None:
        self._state = _EOF
        self._drop_batch()
        self._queue.clear()
        self._source.close(self._taken)
        self._close_rejects()

    def __enter__(self) -> MARCReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_source"):
            self._end()  # nobody else has the reader any more


@fastest
def plain_records(batch: Batch, begin: int, end: int, more: More) -> list[Record]:
    """These records of a batch, which are plain."""
    data = batch.data
    records = list(map(Record.__new__, repeat(Record, end - begin)))
    for record, start, stop in zip(records, batch.starts[begin:end], batch.ends[begin:end]):
        record._raw = data[start:stop]
        record._batch = batch
        record._start = start
        record._fields = record._leader = record._odd = None
        record._more = more
    return records


def _queue_of(batch: Batch, begin: int, end: int, force_utf8: bool) -> deque[Record]:
    """The same with what is to be known of them beside."""
    records = plain_records(batch, begin, end, More(force_utf8=True) if force_utf8 else NO_MORE)
    if not batch.is_source:
        batch.place_records(records, begin)
    if batch.texts:
        for record, (start, stop) in zip(records, batch.texts[begin:end]):
            if stop:
                record._more = More(record._raw, force_utf8=force_utf8)
                record._raw = batch.text_data[start:stop]
    return deque(records)


def _decoded(piece: Piece, decoding: Decoding) -> Record:
    """The record that a piece is, decoded in Python. Raises why it is none."""
    if piece.is_no_record:
        raise piece.error()
    try:
        read = decoding.read_plain if piece.is_plain else decoding.read
        leader, fields = read(piece.raw)
    except Exception as problem:
        raise piece.placed(problem) from None
    record = new_record(piece.raw, OddRecord(() if piece.is_rejected else piece.problems(), [], "utf-8"))
    record.leader = Leader(leader)
    record._fields = fields
    record._more = More(to_unicode=decoding.to_unicode, force_utf8=decoding.force_utf8)
    return record


def map_records(f: Callable[[Record | None], Any], *files: Any) -> None:
    """Calls the function with each record of these sources, in their order; with None for what is none."""
    for file in files:
        for record in MARCReader(file):
            f(record)
