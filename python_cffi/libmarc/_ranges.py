"""Byte ranges: parts of a source that give together what one reader gives, on any number of machines."""

from __future__ import annotations

import errno
import io
import os
import stat
from itertools import pairwise
from operator import index
from typing import Any

from libmarc._sources import buffer_of, range_position_of, read_method

#: The range of a whole source, whatever its size.
WHOLE = (0, (1 << 64) - 1)


def check_range(byte_range: tuple[int, int]) -> tuple[int, int]:
    """The range, as ints. ValueError, or TypeError, for what is none."""
    sentence = f"a byte range is (begin, end), 0 <= begin <= end < 2**64, not {byte_range!r}"
    try:
        begin, end = map(index, byte_range)
    except (TypeError, ValueError) as problem:
        raise type(problem)(sentence) from None
    if not 0 <= begin <= end < 1 << 64:
        raise ValueError(sentence)
    return begin, end


def plan_ranges(source: Any, n: int) -> list[tuple[int, int]]:
    """At most `n` byte ranges of about the same size that cover the source without a gap; one, (0, 0), if it is empty.

    `source`: a path, a buffer, or a file that can be positioned. Only its size is asked for. A record belongs to the
    range in which its first byte lies, whatever that cuts: no range needs to know where records begin.

    >>> for byte_range in plan_ranges("books.mrc", 8):
    ...     submit(work, "books.mrc", byte_range)  # MARCReader("books.mrc", byte_range=byte_range)
    """
    if index(n) < 1:
        raise ValueError(f"n is a number of ranges, from 1 on; not {n}")
    size = _size_of(source)
    parts = max(min(n, size), 1)
    cuts = [size * part // parts for part in range(parts + 1)]
    return list(pairwise(cuts))


def _size_of(source: Any) -> int:
    if isinstance(source, str | os.PathLike):
        info = os.stat(source)
        if stat.S_ISDIR(info.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), source)
        if not stat.S_ISREG(info.st_mode):
            raise io.UnsupportedOperation(f"byte ranges of {source!r}, which cannot be positioned")
        return info.st_size
    content = buffer_of(source)
    if content is not None:
        return memoryview(content).nbytes
    read_method(source)  # for its errors
    position = range_position_of(source)
    size: int = source.seek(0, os.SEEK_END)
    source.seek(position)
    return size
