"""What libmarc.so makes of an input: all pieces through the C ABI, whatever the source, sizes and options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from libmarc._native import ffi, lib, new_error, new_options

ReadSize = Callable[[], int]


class Piece(NamedTuple):
    """A record or rejected piece as a batch gives it."""

    kind: str  # "record", "chunk" or "more", as the boundary rule names them
    begin: int
    end: int
    status: int
    flags: int
    index: int


def pieces_of_bytes(data: bytes, **options: int) -> list[Piece]:
    """Reads from memory."""
    buffer = ffi.from_buffer("uint8_t[]", data)
    return _all_pieces(lambda *rest: lib.marc_reader_open_bytes(buffer, len(data), *rest), len(data), options)


def pieces_of_callback(data: bytes, sizes: Iterable[int], **options: int) -> list[Piece]:
    """Reads through a callback that gives as many bytes at once as `sizes` say."""
    left = memoryview(data)
    size = iter(sizes)

    def read(_context: Any, buffer: Any, capacity: int) -> int:
        nonlocal left
        given = left[: min(next(size), capacity)]
        ffi.memmove(buffer, given, len(given))
        left = left[len(given) :]
        return len(given)

    callback = ffi.callback("marc_read_fn", read)
    return _all_pieces(lambda *rest: lib.marc_reader_open_callback(callback, ffi.NULL, *rest), len(data), options)


def pieces_of_path(path: Any, size: int, **options: int) -> list[Piece]:
    """Reads a file natively."""
    return _all_pieces(lambda *rest: lib.marc_reader_open_path(str(path).encode(), *rest), size, options)


def _all_pieces(opener: Callable[..., int], size: int, options: dict[str, int]) -> list[Piece]:
    """All pieces, with every byte accounted for."""
    out, error = ffi.new("marc_reader **"), new_error()
    assert opener(new_options(**options), out, error) == lib.MARC_OK
    reader = ffi.gc(out[0], lib.marc_reader_free)
    pieces = [piece for view in _views(reader) for piece in _pieces_of(view)]
    info = ffi.new("marc_reader_info *", {"struct_size": ffi.sizeof("marc_reader_info")})
    lib.marc_reader_get_info(reader, info)
    assert info.bytes_read == size
    assert info.silent_bytes + sum(piece.end - piece.begin for piece in pieces) == size
    return pieces


def _views(reader: Any) -> Iterator[Any]:
    out, error = ffi.new("marc_batch **"), new_error()
    view = ffi.new("marc_batch_view *", {"struct_size": ffi.sizeof("marc_batch_view")})
    while (status := lib.marc_reader_next_batch(reader, out, error)) == lib.MARC_OK:
        lib.marc_batch_get_view(out[0], view)
        assert view.record_count > 0
        yield view
        lib.marc_batch_release(out[0])
    assert status == lib.MARC_END


def _pieces_of(view: Any) -> Iterator[Piece]:
    for i in range(view.record_count):
        status, flags = view.record_status[i], view.record_flags[i]
        kind = "record" if flags & lib.MARC_REC_SOUND else "chunk"
        if status == lib.MARC_BAD_OVERSIZE_PART:
            kind = "more"
        begin = view.source_offset + view.record_start[i]
        index = view.first_index + (0 if kind == "more" else i)
        yield Piece(kind, begin, begin + view.record_length[i], status, flags, index)
