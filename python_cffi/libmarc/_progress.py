"""A progress bar on stderr: only on a terminal, and only where rich is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Takes the bytes and the records that have been read so far.
Advance = Callable[[int, int], None]


@contextmanager
def progress_bar(name: str, size: int | None) -> Iterator[Advance | None]:
    """Shows how far the reading of `name` has come; `size` in bytes, if it is known. None: nobody looks."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    try:
        from rich import progress
        from rich.console import Console
    except ImportError:
        yield None
        return
    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TextColumn("{task.fields[records]:,} records", markup=False),
        progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as bar:  # rich honours NO_COLOR
        task = bar.add_task(name, total=size, records=0)

        def advance(read: int, records: int) -> None:
            bar.update(task, completed=read, records=records)

        yield advance
