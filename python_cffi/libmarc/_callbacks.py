"""Callbacks from libmarc.so into Python, and how exceptions cross it.

1. The reader makes a SourceCallback and a handle to it (`ffi.new_handle`), which it keeps until the native reader is
   freed; the handle is the `context` of the native callback.
2. libmarc.so calls `libmarc_read` on the thread that is inside `marc_reader_next_batch`.
3. The callback asks the user's object for bytes. Whatever it raises is stored in the SourceCallback, and a value below
   zero goes back: MARC_READ_INTERRUPTED if reading can go on later, else READ_FAILED.
4. The native call returns; the reader raises the stored exception, unchanged, with its own traceback.

Python runs the handlers of signals when a call has returned, and what it has returned is gone if a handler raises. So a
read() is called by a defaultdict, which has what it returns by then, and keeps it until the native reader has it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any

from libmarc._native import ffi, lib

READ_FAILED = -1

#: After one of these the next call can go on where the source stopped: nothing was read.
INTERRUPTIONS = (BlockingIOError, InterruptedError, TimeoutError, KeyboardInterrupt)


class SourceCallback:
    """Reads for the native reader from an object of the user."""

    def __init__(
        self,
        read: Callable[[int], Any],
        seek: Callable[[int], Any] | None = None,
        read_when_empty: Callable[[int], Any] | None = None,
    ) -> None:
        """`read_when_empty` is asked for a byte where `read` gives none."""
        self._read = read
        self._seek = seek
        self._read_when_empty = read_when_empty
        self._given: dict[int, Any] = {}  # at 0 what the source has given last
        self.is_taken = False  # the native reader has it, or there is nothing to have
        self.calls = 0
        self.failure: BaseException | None = None

    def read_into(self, buffer: Any, capacity: int) -> int:
        try:
            if self.is_taken or 0 not in self._given:
                self.calls += 1
                self._given, self.is_taken = defaultdict(partial(self._read, capacity)), False
            content = self._given[0]
            if self._read_when_empty is not None and content == b"":
                self._given = defaultdict(partial(self._read_when_empty, 1))
                content = self._given[0]
            self.is_taken = content is None
            size = memoryview(given_bytes(content)).nbytes
            if size > capacity:
                raise ValueError(f"the source gave {size} bytes where at most {capacity} were asked for")
            ffi.memmove(buffer, content, size)
            return size
        except BaseException as failure:  # all of it goes to the caller of the reader
            return self.fail(failure)

    def read_into_at(self, offset: int, buffer: Any, capacity: int) -> int:
        """The same from a place. Only of a source that can be positioned, which others may move in the meantime."""
        try:
            assert self._seek is not None
            self._given = {}
            self._seek(offset)
        except BaseException as failure:
            return self.fail(failure)
        return self.read_into(buffer, capacity)

    def fail(self, failure: BaseException) -> int:
        """Keeps what the caller will be told. Returns the callback's value."""
        self.failure = failure
        interrupted: int = lib.MARC_READ_INTERRUPTED
        return interrupted if isinstance(failure, INTERRUPTIONS) else READ_FAILED

    def raise_failure(self) -> None:
        """Raises what the source has raised, once, if it has."""
        failure, self.failure = self.failure, None
        try:
            if failure is not None:
                raise failure
        finally:
            del failure  # its traceback holds this frame: no cycle


def given(content: Any) -> Any:
    """What a read() has returned. BlockingIOError where that is None, as of a file that does not block."""
    if content is None:
        raise BlockingIOError("the source has no bytes for now: its read() returned None")
    return content


def given_bytes(content: Any) -> Any:
    """The same of a read() that has to give bytes. TypeError if it gives text."""
    if isinstance(content, str):
        raise TypeError("the source gives str: open it in binary mode")
    return given(content)


def _on_error(kind: type[BaseException], failure: BaseException, trace: TracebackType | None) -> int | None:
    """What the callback itself cannot catch, such as a KeyboardInterrupt on entry."""
    frame = trace.tb_frame if trace is not None else None
    context = frame.f_locals.get("context") if frame is not None else None
    if context is None:
        return None
    callback: SourceCallback = ffi.from_handle(context)
    return callback.fail(failure.with_traceback(trace))


@ffi.def_extern(error=READ_FAILED, onerror=_on_error)  # type: ignore[untyped-decorator]
def libmarc_read(context: Any, buffer: Any, capacity: int) -> int:
    callback: SourceCallback = ffi.from_handle(context)
    size = callback.read_into(buffer, capacity)
    if size >= 0:
        callback.is_taken = True
    return size


@ffi.def_extern(error=READ_FAILED, onerror=_on_error)  # type: ignore[untyped-decorator]
def libmarc_read_at(context: Any, offset: int, buffer: Any, capacity: int) -> int:
    callback: SourceCallback = ffi.from_handle(context)
    return callback.read_into_at(offset, buffer, capacity)
