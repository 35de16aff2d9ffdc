"""Compressed streams: what they are by their first bytes, and their content, piece by piece.

Members one behind another are one content, as of `cat a.gz b.gz`. Zeros behind the last one are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from libmarc._callbacks import given_bytes

#: What a compressed stream begins with, and how it is called.
MAGIC = ((b"\x1f\x8b\x08", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"))
#: Compressed bytes that are read at once.
CHUNK = 1 << 16


def compression_of(head: bytes) -> str | None:
    """The compression of what begins so; None for none that is known."""
    return next((name for magic, name in MAGIC if head.startswith(magic)), None)


class Decompressed:
    """Gives the content of a compressed stream by read(size). What its own source raises comes out unchanged, and so
    does what the decompressor raises on damaged bytes, behind the content before them. EOFError where it is cut."""

    def __init__(self, read: Callable[[int], Any], name: str) -> None:
        self._read = read
        self._new = _decompressor_of(name)
        self._magic = next(magic for magic, known in MAGIC if known == name)
        self._name = name
        self._decompressor = self._new()
        self._rest = b""  # compressed bytes that were not used
        self._within = False  # a member has begun and has not ended
        self._ended = False

    def read(self, size: int) -> bytes:
        """At most `size` bytes; b"" at the end."""
        while not self._ended:
            if not self._rest and self._decompressor.needs_input:
                self._refill()
                continue
            content: bytes = self._decompressor.decompress(self._rest, size)
            self._rest, self._within = b"", True
            if self._decompressor.eof:
                self._rest, self._within = self._decompressor.unused_data, False
                self._decompressor = self._new()
                self._pass_zeros()
            if content:
                return content
        return b""

    def _refill(self) -> None:
        content = given_bytes(self._read(CHUNK))
        if content:
            self._rest = bytes(content)
            if not self._within:
                self._pass_zeros()
        elif self._within:
            self._ended = True
            raise EOFError(f"the {self._name} stream ends before its end-of-stream marker")
        else:
            self._ended = True

    def _pass_zeros(self) -> None:
        """Between members."""
        self._rest = self._rest.lstrip(b"\0")


class _Gzip:
    """zlib, in the manner of bz2 and lzma. What stands before damaged bytes, or a wrong checksum, is given first."""

    def __init__(self) -> None:
        import zlib

        self._inner = zlib.decompressobj(wbits=31)
        self._error = zlib.error
        self._failure: Exception | None = None

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return self._failure is None and not self._inner.unconsumed_tail and not self._inner.eof

    def decompress(self, content: bytes, size: int) -> bytes:
        if self._failure is not None:
            raise self._failure
        content = self._inner.unconsumed_tail + content
        before = self._inner.copy()
        try:
            return self._inner.decompress(content, size)
        except self._error as problem:
            self._failure = problem
        return b"".join(self._parts_before_failure(before, content))

    def _parts_before_failure(self, inner: Any, content: bytes) -> Iterator[bytes]:
        """What zlib had in hand, byte by byte. It is no more than was asked for, or zlib had returned before."""
        for at in range(len(content)):
            try:
                yield inner.decompress(content[at : at + 1])
            except self._error:
                return


def _decompressor_of(name: str) -> Callable[[], Any]:
    if name == "gzip":
        return _Gzip
    if name == "bzip2":
        import bz2

        return bz2.BZ2Decompressor
    if name == "xz":
        import lzma

        return lzma.LZMADecompressor
    return _zstd()


class _Zstandard:
    """The package zstandard, in the manner of bz2 and lzma. It does not bound what it gives for what it gets."""

    def __init__(self) -> None:
        from importlib import import_module

        self._inner = import_module("zstandard").ZstdDecompressor().decompressobj()
        self._rest = self._content = b""

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof) and not self._content

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data) + self._rest

    @property
    def needs_input(self) -> bool:
        return not self._rest and not self._content and not self._inner.eof

    def decompress(self, content: bytes, size: int) -> bytes:
        self._rest += content
        if not self._content:
            part, self._rest = self._rest[:256], self._rest[256:]
            self._content = self._inner.decompress(part)
        given, self._content = self._content[:size], self._content[size:]
        return given


def _zstd() -> Callable[[], Any]:
    """A maker of decompressors for zstd: of Python 3.14, of the package backports.zstd, which is the same, or of the
    package zstandard."""
    from importlib import import_module
    from importlib.util import find_spec

    for module in ("compression.zstd", "backports.zstd"):
        try:
            found: Callable[[], Any] = import_module(module).ZstdDecompressor
        except ImportError:
            continue
        return found
    if find_spec("zstandard") is not None:
        return _Zstandard
    raise ModuleNotFoundError(
        "the input is compressed by zstd, which this Python cannot read: pip install backports.zstd (or zstandard)"
    )
