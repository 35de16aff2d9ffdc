"""What a reader has done so far, in numbers."""

from __future__ import annotations

from typing import NamedTuple


class Stats(NamedTuple):
    """`reader.stats`: what has been handed out so far.

    bytes_delivered + bytes_rejected + junk_bytes is how far the reader has come in its source. At the end it is
    bytes_read, the whole input.
    """

    records: int  # records and rejected pieces
    delivered: int  # records
    repaired: int  # of these, the ones that on_error="salvage" has repaired
    rejected: int  # pieces
    bytes_read: int  # taken from the source; ahead of what was handed out
    bytes_delivered: int
    bytes_rejected: int
    junk_bytes: int  # between records: newlines, blanks, NUL and the like
    errors_by_code: dict[int, int]  # how many pieces were rejected, by the code of the error (MARC_BAD_... in marc.h)
