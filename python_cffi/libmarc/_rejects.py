"""Where the bytes of rejected pieces are collected: the `rejects` of a reader."""

from __future__ import annotations

import io
import os
from typing import Any


class Rejects:
    """A path, which is opened for writing and closed here, or a binary file of the caller, which stays open."""

    def __init__(self, target: Any, source: Any) -> None:
        """`source`: what is read. ValueError if that is the same file."""
        self._owned = isinstance(target, str | os.PathLike)
        if self._owned and isinstance(source, str | os.PathLike) and _is_same_file(target, source):
            raise ValueError(f"rejects is the file that is read: {os.fspath(source)!r}")
        if not self._owned and not callable(getattr(target, "write", None)):
            raise TypeError(f"rejects is a path or a binary file, not {type(target).__name__}")
        # Without a buffer: what cannot be written is told at its place.
        self._file: Any = io.FileIO(target, "wb") if self._owned else target
        self._rest: memoryview | None = None

    def write(self, content: bytes) -> None:
        """Writes all of a piece. After an error the next call, for the same piece, goes on where it stopped."""
        rest = memoryview(content) if self._rest is None else self._rest
        while rest:
            self._rest = rest
            written = self._file.write(rest)
            rest = rest[len(rest) if written is None else written :]
        self._rest = None

    def close(self) -> None:
        if self._owned:
            self._file.close()
        elif callable(flush := getattr(self._file, "flush", None)) and not getattr(self._file, "closed", False):
            flush()


def _is_same_file(one: Any, other: Any) -> bool:
    try:
        return os.path.samefile(one, other)
    except FileNotFoundError:
        return False
