"""Where the bytes of rejected pieces are collected: the `rejects` of a reader."""

from __future__ import annotations

import io
import os
import stat
from typing import Any

#: Python's buffers take so many bytes whole or, where writing fails, not at all.
_BUFFERED = 4096


class Rejects:
    """A path, which is opened for writing and closed here, or a binary file of the caller, which stays open."""

    def __init__(self, target: Any, source: Any) -> None:
        """`source`: what is read. ValueError if that is the same file."""
        self._owned = isinstance(target, str | os.PathLike)
        if not self._owned and (isinstance(target, io.TextIOBase) or not callable(getattr(target, "write", None))):
            raise TypeError(f"rejects is a path or a binary file, not {type(target).__name__}")
        if _is_same_file(target, source):
            raise ValueError(f"rejects is the file that is read: {getattr(target, 'name', target)!r}")
        # Without a buffer: what cannot be written is told at its place.
        self._file: Any = io.FileIO(target, "wb") if self._owned else target
        self._process = os.getpid()
        self._total = 0  # bytes that were written
        self._answers: list[int | None] = []  # what write() has returned and is not in the total yet

    def write(self, content: bytes, before: int) -> None:
        """Writes all of a piece; the pieces before it have `before` bytes. After an exception, whatever raised it, the
        next call for the same piece goes on where this one stopped."""
        behind = before + len(content)
        self._count_answers(behind)
        while self._total < behind:
            rest = content[self._total - before :]
            if isinstance(self._file, io.BufferedWriter | io.BufferedRandom):
                rest = rest[:_BUFFERED]
            # Writing and noting what was written are one call: a KeyboardInterrupt comes before it or behind it.
            self._answers.extend(map(self._file.write, (rest,)))
            self._count_answers(behind)

    def _count_answers(self, behind: int) -> None:
        """`behind`: the total once the current piece is written."""
        total = self._total
        for written in self._answers:
            if written is None and not isinstance(self._file, io.RawIOBase):
                total = behind  # as of an object that has no more than a write(): it takes all that it gets
            else:
                total += written or 0
        waits = bool(self._answers) and total == self._total
        self._total, self._answers = min(total, behind), []
        if waits:
            raise BlockingIOError("rejects takes no bytes for now")

    def close(self) -> None:
        """Closes what was opened here, flushes what the caller has opened. (Not in a forked process: what waits in the
        buffer there is the parent's.)"""
        if self._owned:
            self._file.close()
        elif not getattr(self._file, "closed", False) and os.getpid() == self._process:
            getattr(self._file, "flush", _do_nothing)()


def _do_nothing() -> None:
    """For files that do not flush."""


def _is_same_file(target: Any, source: Any) -> bool:
    """Whether what is written to is the regular file that is read."""
    if not isinstance(target, str | os.PathLike | io.RawIOBase | io.BufferedIOBase):
        return False
    one = _status_of(target)
    other = _status_of(source) if one is not None and stat.S_ISREG(one.st_mode) else None
    return one is not None and other is not None and os.path.samestat(one, other)


def _status_of(file: Any) -> os.stat_result | None:
    """The status of a path or an open file; None where there is no file."""
    try:
        return os.stat(file if isinstance(file, str | os.PathLike) else file.fileno())
    except (AttributeError, OSError, TypeError, ValueError):
        return None
