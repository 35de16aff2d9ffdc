"""One measurement of python_file_overhead.py in a process of its own: a loop over the records of a file object, and
where its time goes. Prints a line of JSON.

usage: overhead_worker.py FILE SOURCE    SOURCE: file, BytesIO or gzip
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import gzip
import io
import json
import time
from collections.abc import Callable
from typing import Any

from libmarc import MARCReader


class Memory(io.BytesIO):
    """A BytesIO whose `read` is a Python method: it is asked, where that of BytesIO itself would not be."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size)


def open_memory(path: str) -> Memory:
    with open(path, "rb") as file:
        return Memory(file.read())


OPEN: dict[str, Callable[[str], Any]] = {
    "file": lambda path: open(path, "rb"),  # noqa: SIM115
    "BytesIO": open_memory,
    "gzip": lambda path: gzip.open(path),  # noqa: SIM115
}


class Stopwatch:
    """Adds up the time inside one function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.seconds = 0.0
        self.calls = 0

    def __call__(self, *arguments: Any) -> Any:
        begin = time.perf_counter()
        try:
            return self._function(*arguments)
        finally:
            self.seconds += time.perf_counter() - begin
            self.calls += 1


def measure(path: str, source: str) -> dict[str, Any]:
    with contextlib.closing(OPEN[source](path)) as file:
        reader: Any = MARCReader(file)
        if reader.backend != "callback":
            raise RuntimeError(f"{source} is read as {reader.backend}")
        # Where the reader itself calls them: the route is the one of a reader that is not watched.
        callback = reader._source.callback
        callback._read = read = Stopwatch(callback._read)
        reader._call_native = native = Stopwatch(reader._call_native)
        gc.collect()
        begin = time.perf_counter()
        for _record in reader:
            pass
        wall = time.perf_counter() - begin
        stats = reader.stats
    return {
        "wall": wall,
        "read": read.seconds,
        "native": native.seconds - read.seconds,
        "python": wall - native.seconds,
        "reads": read.calls,
        "native_calls": native.calls,
        "records": stats.delivered,
        "bytes": stats.bytes_read,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="One measurement; see the head of this file.")
    parser.add_argument("file")
    parser.add_argument("source", choices=tuple(OPEN))
    given = parser.parse_args()
    print(json.dumps(measure(given.file, given.source)))


if __name__ == "__main__":
    main()
