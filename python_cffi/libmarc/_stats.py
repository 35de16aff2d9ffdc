"""What a reader has done so far, in numbers."""

from __future__ import annotations

from typing import Any, NamedTuple


class Counts(NamedTuple):
    """What has been handed out so far."""

    records: int  # records and rejected pieces
    delivered: int  # records
    repaired: int  # of these, the ones that on_error="salvage" has repaired
    rejected: int  # pieces
    bytes_read: int  # taken from the source; ahead of what was handed out
    bytes_delivered: int
    bytes_rejected: int
    junk_bytes: int  # between records: newlines, blanks, NUL and the like
    errors_by_code: dict[int, int]  # how many pieces were rejected, by the code of the error (MARC_BAD_... in marc.h)


class Stats(Counts):
    """`reader.stats`: what has been handed out so far, and at what cost.

    bytes_delivered + bytes_rejected + junk_bytes is how far the reader has come in its source. At the end it is
    bytes_read, the whole input; of a byte range it is all that this range owns. The numbers below are of this run: two
    stats are equal whatever they are.
    """

    source_reads: int  # reads of the source, natively or by its read method
    threads: int  # that parse: 1 until more than a first part of the source is read
    chunks_ahead: int  # most chunks that were read and not handed out
    bytes_held: int  # most bytes of the source in memory at a time; 0 of a source that is memory
    wait_source: float  # seconds inside reads of the source
    wait_workers: float  # seconds that the reader waited for other threads to parse
    wait_consumer: float  # seconds that parsed records waited to be asked for

    @classmethod
    def of(cls, counts: Counts, info: Any) -> Stats:
        """`info`: `marc_reader_info`."""
        stats = cls(*counts)
        stats.source_reads, stats.threads = int(info.source_reads), int(info.threads)
        stats.chunks_ahead, stats.bytes_held = int(info.chunks_ahead), int(info.bytes_held)
        waits = info.wait_source, info.wait_workers, info.wait_consumer
        stats.wait_source, stats.wait_workers, stats.wait_consumer = (wait / 1e9 for wait in waits)
        return stats
