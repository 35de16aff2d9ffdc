"""How records are batched: what one call reads, what the queue holds, and how often the source is asked."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import pytest
from support import CHUNK, Script, Source, book, books, check_sums, generated, generated_pieces, given, raws

import libmarc.reader
from libmarc import MARCReader
from libmarc._native import lib
from libmarc.reader import QUEUE_BYTES, QUEUE_MOST_RECORDS, QUEUE_RECORDS


def fillings(reader: MARCReader) -> list[list[bytes]]:
    """What each filling of the queue brought."""
    found: list[list[bytes]] = []
    while True:
        record = next(reader, False)
        if record is False:
            check_sums(reader)
            return found
        first = reader.current_chunk if not isinstance(record, libmarc.Record) else record.raw
        batch = [first, *(waiting.raw for waiting in reader._queue)]
        for expected in batch[1:]:
            assert given(reader).raw == expected
        found.append([raw or b"" for raw in batch])


def sizes(reader: MARCReader) -> list[int]:
    return [len(batch) for batch in fillings(reader)]


# ---- batches of the queue ----


def test_read_batch_returns_100_records() -> None:
    data = b"".join(books(1_000))
    assert QUEUE_RECORDS == 100
    for source in (data, Source(data), io.BytesIO(data)):
        reader = MARCReader(source)
        next(reader)
        assert len(reader._queue) == 99
        assert reader._queued == 100
    assert sizes(MARCReader(data)) == [100] * 10


def test_batch_partial_at_eof(tmp_path: Path) -> None:
    data = b"".join(books(217))
    path = tmp_path / "217.mrc"
    path.write_bytes(data)
    for source in (data, path, Source(data), io.BytesIO(data)):
        batches = fillings(MARCReader(source))
        assert [len(batch) for batch in batches] == [100, 100, 17]
        assert b"".join(raw for batch in batches for raw in batch) == data


@pytest.mark.parametrize("records", [1, 2, 99, 100, 101, 199, 200])
def test_queue_of_other_sizes(records: int) -> None:
    expected = [records] * (400 // records) + ([400 % records] if 400 % records else [])
    assert sizes(MARCReader(b"".join(books(400)), _queue_records=records)) == expected


def test_batch_memory_bounds() -> None:
    """At most 200 records and 300 KB wait at once, whatever is asked for; complete records only."""
    assert (QUEUE_MOST_RECORDS, QUEUE_BYTES) == (200, 300_000)
    small, large = books(700), books(60, size=9_000)
    assert sizes(MARCReader(b"".join(small), _queue_records=5_000)) == [200, 200, 200, 100]
    for records in (QUEUE_RECORDS, 5_000):
        batches = fillings(MARCReader(b"".join(large), _queue_records=records, _chunk_bytes=1 << 20))
        assert [raw for batch in batches for raw in batch] == large
        assert all(sum(map(len, batch)) <= QUEUE_BYTES for batch in batches)
        # and a batch ends at the limit, not before it
        assert all(sum(map(len, batch)) > QUEUE_BYTES - 10_000 for batch in batches[:-1])


def exact_book(number: int, size: int) -> bytes:
    raw = book(number, "x" * (size - len(book(number, "x")) + 1))
    assert len(raw) == size
    return raw


def test_batch_bytes_at_the_limit() -> None:
    """Records that fill 300 000 bytes exactly are one batch; with a byte more the last of them is left for the next."""
    most = [exact_book(number, 9_000) for number in range(33)]
    last = exact_book(33, QUEUE_BYTES - sum(map(len, most)))
    assert sizes(MARCReader(b"".join([*most, last, book(34)]))) == [34, 1]
    longer = exact_book(33, len(last) + 1)
    assert sizes(MARCReader(b"".join([*most, longer, book(34)]))) == [33, 2]


def test_caps_can_be_lifted_for_measurements() -> None:
    data = b"".join(books(700, size=1_000))
    assert sizes(MARCReader(data, _queue_records=5_000, _chunk_bytes=1 << 20, _capped=False)) == [700]


def oversized(number: int, size: int) -> bytes:
    """A record whose length cannot be stated: leader/00-04 is 00000, and pymarc then takes all that there is."""
    note = b"  \x1fa" + b"y" * 9_000
    fields = [("001", b"n%06d" % number), ("245", b"10\x1faLarge"), *[("500", note)] * (size // 9_018)]
    entries, contents, start = b"", b"", 0
    for tag, content in fields:
        entries += f"{tag}{len(content) + 1:04}{min(start, 99_999):05}".encode()
        start += len(content) + 1
        contents += content + b"\x1e"
    base = 24 + len(entries) + 1
    return f"00000nam a22{base:05} i 4500".encode() + entries + b"\x1e" + contents + b"\x1d"


def test_a_record_above_the_limit_comes_alone() -> None:
    large = oversized(3, 400_000)
    assert len(large) > QUEUE_BYTES
    parts = [*books(3), large, *books(3)]
    for source in (b"".join(parts), Source(b"".join(parts)), Source(b"".join(parts), 10_000)):
        reader = MARCReader(source)
        found = fillings(reader)
        assert [raw for batch in found for raw in batch] == parts
        assert [large] in found
    reader = MARCReader(b"".join(parts))
    records = list(reader)
    assert records[3] is not None
    assert records[3].title == "Large"
    assert records[3].raw == large


def test_batches_of_damaged_data_keep_the_order(damaged: bytes) -> None:
    """Rejected pieces are judged when their turn comes: a batch ends before them."""
    pieces = generated_pieces("damaged", 200)
    batches = fillings(MARCReader(damaged))
    assert [raw for batch in batches for raw in batch] == [damaged[begin:end] for _, begin, end in pieces]
    assert all(len(batch) <= 100 for batch in batches)


# ---- calls ----


@pytest.mark.parametrize("size", [0, 1_500, 20_000])
def test_callbacks_for_n_records(size: int) -> None:
    """The source is asked once for each MiB, and not for each record or batch of the queue."""
    records = books(4_000 if size < 2_000 else 300, size=size)
    data = b"".join(records)
    source = Source(data)
    assert raws(MARCReader(source)) == records
    assert source.calls <= math.ceil(len(data) / CHUNK) + 2
    assert set(source.asked) == {CHUNK}, "one size, as long as records are smaller than a chunk"


def test_native_calls_for_n_records(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One call of libmarc.so for each chunk, whatever the backend, plus those that find the end."""

    class Counted:
        calls = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(lib, name)

        def marc_reader_next_batch(self, *arguments: Any) -> int:
            self.calls += 1
            status: int = lib.marc_reader_next_batch(*arguments)
            return status

    data = b"".join(books(4_000, size=1_500))
    path = tmp_path / "file.mrc"
    path.write_bytes(data)
    file = path.open("rb")
    for source in (data, path, Source(data), file):
        counted = Counted()
        monkeypatch.setattr(libmarc.reader, "lib", counted)
        with MARCReader(source) as reader:
            count = sum(1 for _ in reader)
            reads = reader._source.info().source_reads
        assert count == 4_000
        assert counted.calls <= math.ceil(len(data) / CHUNK) + 2
        assert reads <= math.ceil(len(data) / CHUNK) + 2
    file.close()


def test_reads_are_counted_by_the_native_reader_too() -> None:
    data = b"".join(books(3_000, size=1_000))
    source = Source(data)
    reader = MARCReader(source)
    assert len(list(reader)) == 3_000
    info = reader._source.info()
    assert info.source_reads == source.calls
    assert info.bytes_read == len(data)
    assert info.pieces == 3_000


def test_titles_take_one_call_for_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    class Counted:
        def __getattr__(self, name: str) -> Any:
            return getattr(lib, name)

        def marc_batch_titles(self, *arguments: Any) -> int:
            nonlocal calls
            calls += 1
            status: int = lib.marc_batch_titles(*arguments)
            return status

    monkeypatch.setattr("libmarc._batch.lib", Counted())
    data = b"".join(books(5_000))
    titles = [record.title for record in MARCReader(data) if record]
    assert titles == [f"Title {number}" for number in range(5_000)]
    assert calls <= math.ceil(len(data) / CHUNK) + 1


def test_a_short_read_makes_a_batch_of_what_is_complete() -> None:
    """What a live source gives is not held back until a batch is full."""
    parts = books(6)
    reader = MARCReader(Script(parts[0] + parts[1][:10], parts[1][10:] + parts[2], b"".join(parts[3:])))
    assert sizes(reader) == [1, 2, 3]


def test_large_records_grow_and_shrink_what_is_asked() -> None:
    """Records of every size between 1 KB and 99 999 bytes, read in chunks smaller than most of them."""
    data = generated("large", 30)
    pieces = [data[begin:end] for _, begin, end in generated_pieces("large", 30)]
    for chunk in (64, 4_096, CHUNK):
        assert raws(MARCReader(Source(data), _chunk_bytes=chunk)) == pieces
