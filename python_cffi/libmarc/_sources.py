"""What can be read from: which kind of source an object is, and the native reader on it."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable
from typing import Any

from libmarc._callbacks import SourceCallback
from libmarc._native import ffi, lib, new_error, raise_error

SUPPORTED = (
    "str (a path), os.PathLike, bytes, bytearray, memoryview, mmap and other buffers, io.BytesIO, socket.socket, "
    "and any object with a read(size) method that returns bytes"
)


class NativeSource:
    """A native reader on a source of the user, and what must live as long as it does."""

    def __init__(self, source: Any, options: Any, has_range: bool = False) -> None:
        """`has_range`: the options have a byte range, which counts from the beginning of the source."""
        self.backend = ""  # "file", "memory" or "callback"
        self.callback: SourceCallback | None = None
        self.handle: Any = None  # marc_reader *
        self._kept: Any = None  # what the native reader points to
        self._seekable: Any = None  # the source, if its position is to be set behind the last record
        self.origin = 0  # its position when reading began
        self._size: int | None = None  # of a source that is read in ranges, which may begin behind its end
        self._process = os.getpid()
        self._last_info: Any = None  # when it was closed
        self._has_range = has_range
        self._open(source, options)

    def _open(self, source: Any, options: Any) -> None:
        if isinstance(source, str | os.PathLike):
            self._open_path(source, options)
        elif isinstance(source, io.BytesIO) and type(source).read is io.BytesIO.read:
            content = source.getvalue()
            self._seekable, self.origin = source, 0 if self._has_range else source.tell()
            self._size = len(content) if self._has_range else None
            self._open_memory(content, self.origin, options)
        elif isinstance(source, bytes):
            self._open_memory(source, 0, options)
        elif isinstance(source, bytearray):
            self._open_memory(bytes(source), 0, options)  # it may be changed or resized while it is read
        elif (buffer := buffer_of(source)) is not None:
            self._open_memory(buffer, 0, options)
        else:
            self._open_callback(source, read_method(source), options)

    def _open_path(self, source: str | os.PathLike[Any], options: Any) -> None:
        name = os.fspath(source)
        path = os.fsencode(name)
        if b"\0" in path:
            raise ValueError("embedded null byte in the path")
        self.backend = "file"
        while not self._opened(lambda out, error: lib.marc_reader_open_path(path, options, out, error), name):
            pass  # a signal came while a FIFO waited for its writer; its handler has run by now

    def _open_memory(self, content: Any, origin: int, options: Any) -> None:
        self.backend = "memory"
        self._kept = buffer = ffi.from_buffer("uint8_t[]", content)
        begin = min(origin, len(buffer))
        self._opened(
            lambda out, error: lib.marc_reader_open_bytes(buffer + begin, len(buffer) - begin, options, out, error)
        )

    def _open_callback(self, source: Any, read: Callable[[int], Any], options: Any) -> None:
        self.backend = "callback"
        origin = range_position_of(source) if self._has_range else position_of(source)
        if origin is not None:
            self._seekable = source
            if options.read_ahead == lib.MARC_AHEAD_AUTO:
                options.read_ahead = lib.MARC_AHEAD_THREADS  # what can be positioned does not wait for its writer
        self.callback = SourceCallback(read, source.seek if self._has_range else None, read_when_empty(source))
        self._kept = context = ffi.new_handle(self.callback)
        if self._has_range:
            self._size = size = source.seek(0, os.SEEK_END)
            self._opened(
                lambda out, error: lib.marc_reader_open_read_at(lib.libmarc_read_at, context, size, options, out, error)
            )
            return
        self.origin = origin or 0
        self._opened(lambda out, error: lib.marc_reader_open_callback(lib.libmarc_read, context, options, out, error))

    def _opened(self, call: Callable[[Any, Any], int], filename: str | bytes | None = None) -> bool:
        """Opens the native reader. False if a signal interrupted it."""
        out, error = ffi.new("marc_reader **"), new_error()
        status = call(out, error)
        if status == lib.MARC_E_INTERRUPTED:
            return False
        if status != lib.MARC_OK:
            raise_error(error, filename)
        self.handle = out[0]
        return True

    def info(self) -> Any:
        """`marc_reader_info`: what has been read so far."""
        if self.handle is None:
            return self._last_info
        info = ffi.new("marc_reader_info *", {"struct_size": ffi.sizeof("marc_reader_info")})
        lib.marc_reader_get_info(self.handle, info)
        return info

    def bytes_read(self) -> int:
        """How many bytes have been taken from the source."""
        return int(self.info().bytes_read)

    def rest(self) -> bytes:
        """After a failure: the bytes that were read of the piece that it has cut."""
        length = ffi.new("size_t *")
        rest = lib.marc_reader_get_rest(self.handle, length)
        return bytes(ffi.buffer(rest, length[0])) if length[0] else b""

    def leave_at(self, taken: int) -> None:
        """Sets a source that can be positioned `taken` bytes behind where it was, once. (Not in a forked process: it
        shares the position with its parent.)"""
        seekable, self._seekable = self._seekable, None
        if seekable is not None and not getattr(seekable, "closed", False) and os.getpid() == self._process:
            with contextlib.suppress(io.UnsupportedOperation):  # gzip.open of a pipe says that it can
                seekable.seek(self.origin + taken if self._size is None else min(taken, self._size))

    def close(self, taken: int) -> None:
        """Frees the native reader and leaves the source behind what was taken."""
        if self.handle is None:
            return
        self._last_info = self.info()
        lib.marc_reader_free(self.handle)
        self.handle = self._kept = None
        self.leave_at(taken)


def buffer_of(source: Any) -> Any:
    """The bytes of an object with the buffer protocol, or None."""
    try:
        view = memoryview(source)
    except TypeError:
        return None
    return source if view.c_contiguous else view.tobytes()


def read_method(source: Any) -> Callable[[int], Any]:
    """How to ask an object for at most so many bytes, such that what is there comes without waiting for more. TypeError
    for text, and, naming what is supported, for what cannot be read."""
    if isinstance(source, io.TextIOBase):
        raise TypeError(f"{type(source).__name__} is a text file: open it in binary mode, as in open(path, 'rb')")
    socket = sys.modules.get("socket")  # who has a socket has imported it
    if socket is not None and isinstance(source, socket.socket):
        recv: Callable[[int], Any] = source.recv
        return recv
    if type(source) is io.BufferedReader:
        return source.read1  # read() waits until all bytes are there
    read = getattr(source, "read", None)
    if callable(read):
        return read  # type: ignore[no-any-return]
    raise TypeError(f"cannot read MARC from {type(source).__name__}; supported are {SUPPORTED}")


def read_when_empty(source: Any) -> Callable[[int], Any] | None:
    """What tells the end from a file that does not block and has nothing for now: the read1() of a BufferedReader gives
    b"" for both."""
    return source.read if type(source) is io.BufferedReader else None


def position_of(source: Any) -> int | None:
    """Where a source that can be positioned stands; None for the others."""
    try:
        return source.tell() if source.seekable() else None
    except (AttributeError, OSError, ValueError, TypeError):
        return None


def range_position_of(source: Any) -> int:
    """The same of what is to be read in ranges. ValueError if it is closed, io.UnsupportedOperation for the others."""
    position = position_of(source)
    if position is None:
        if getattr(source, "closed", False) is True:
            raise ValueError("I/O operation on closed file")
        raise io.UnsupportedOperation(f"byte ranges of {type(source).__name__}, which cannot be positioned")
    return position
