"""One measurement of batch_sizes.py in a process of its own: threads that read one file, each with its own reader on
its own file object. Prints a line of JSON.

usage: batch_worker.py FILE THREADS [--records N --bytes B]   how long they take, and the most memory
       batch_worker.py FILE count   [--records N --bytes B]   how often the GIL is given up and taken again

Without --records and --bytes the reader has its own defaults. A unit of the mean record's size often holds no record,
and at times two: where N is 1, each native call is told to give one record.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import json
import sys
from collections import deque
from collections.abc import Iterator
from typing import Any

from together import wall_of_threads
from worker import peak_bytes

import libmarc.reader
from libmarc import MARCReader
from libmarc._native import lib


class FileLike:
    """A source of which nothing is known but that it has `read`."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "rb")  # noqa: SIM115
        self.calls = 0

    def read(self, size: int) -> bytes:
        self.calls += 1
        return self._file.read(size)


class CountingLib:
    """libmarc.so with its calls counted. (cffi gives up the GIL for each of them.)"""

    def __init__(self) -> None:
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        value = getattr(lib, name)
        return self.counted(value) if callable(value) else value

    def counted(self, function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            self.calls += 1
            return function(*arguments)

        return call

    def take_the_place_of_lib(self) -> None:
        for name, module in list(sys.modules.items()):
            if name.startswith("libmarc.") and getattr(module, "lib", None) is lib:
                setattr(module, "lib", self)  # noqa: B010


@contextlib.contextmanager
def one_record_at_a_time() -> Iterator[None]:
    """Readers that are made meanwhile get one record from each native call."""
    module: Any = libmarc.reader
    kept = module.new_options
    module.new_options = functools.partial(kept, batch_records=1)
    try:
        yield
    finally:
        module.new_options = kept


def opened(source: FileLike, given: argparse.Namespace) -> MARCReader:
    if given.records is None:
        reader = MARCReader(source)
    elif given.records == 1:
        with one_record_at_a_time():
            reader = MARCReader(source, _queue_records=1, _chunk_bytes=given.bytes, _capped=False)
    else:
        reader = MARCReader(source, _queue_records=given.records, _chunk_bytes=given.bytes, _capped=False)
    if reader.backend != "callback":
        raise RuntimeError(f"the file object is read as {reader.backend}")
    return reader


def exhaust(reader: MARCReader) -> None:
    for _record in reader:
        pass


def measure(given: argparse.Namespace) -> dict[str, Any]:
    bare = peak_bytes()
    readers = [opened(FileLike(given.file), given) for _ in range(int(given.threads))]
    gc.collect()
    wall = wall_of_threads([lambda reader=reader: exhaust(reader) for reader in readers])  # type: ignore[misc]
    return {
        "wall": wall,
        "records": sum(reader.stats.delivered for reader in readers),
        "held_bytes": peak_bytes() - bare,
        "queue_records": readers[0]._queue_records,
    }


def count(given: argparse.Namespace) -> dict[str, Any]:
    source, native = FileLike(given.file), CountingLib()
    reader = opened(source, given)
    native.take_the_place_of_lib()
    deque(reader, maxlen=0)
    gc.collect()  # the last batch is released
    return {"native_calls": native.calls, "reads": source.calls}


def main() -> None:
    parser = argparse.ArgumentParser(description="One measurement; see the head of this file.")
    parser.add_argument("file")
    parser.add_argument("threads", help="a number, or count")
    parser.add_argument("--records", type=int)
    parser.add_argument("--bytes", type=int)
    given = parser.parse_args()
    print(json.dumps(count(given) if given.threads == "count" else measure(given)))


if __name__ == "__main__":
    main()
