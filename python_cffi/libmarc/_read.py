"""libmarc.read(): records out of whatever holds them."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Generic, Literal, TypeVar, cast, overload

from libmarc._callbacks import given_bytes
from libmarc._compression import Decompressed, compression_of
from libmarc._json_records import JSONRecords
from libmarc._json_stream import JSONStream
from libmarc._mrk import MarcMakerStream
from libmarc._native import lib
from libmarc._sources import buffer_of, position_of, read_method, read_when_empty
from libmarc._stats import Stats
from libmarc._text_stream import encoding_of
from libmarc._tolerance import check_tolerance, too_many_errors
from libmarc.exceptions import FormatError, PymarcException, RecordFormatError
from libmarc.reader import MARCReader
from libmarc.record import Record

#: What to do with a record that cannot be read, and with a piece that is none.
ON_ERROR = ("warn", "raise", "skip", "none")
FORMATS = ("iso2709", "marcxml", "json", "mrk")
#: Bytes that tell the format, white space not counted; and how much of that may stand before them.
_HEAD = 32
_MOST_SPACE = 1 << 16
#: How often something may be compressed.
_MOST_LAYERS = 4


_Item = TypeVar("_Item", bound="Record | None")


class RejectedRecordWarning(UserWarning):
    """`libmarc.read` has passed over a record that cannot be read, or over a piece of the input that is no record."""


@overload
def read(
    source: Any,
    *,
    format: str | None = None,
    on_error: Literal["warn", "raise", "skip"] = "warn",
    max_errors: int | None = None,
    rejects: Any = None,
    largest_record: int = 64 << 20,
) -> RecordStream[Record]: ...


@overload
def read(
    source: Any,
    *,
    format: str | None = None,
    on_error: str,
    max_errors: int | None = None,
    rejects: Any = None,
    largest_record: int = 64 << 20,
) -> RecordStream[Record | None]: ...


def read(
    source: Any,
    *,
    format: str | None = None,
    on_error: str = "warn",
    max_errors: int | None = None,
    rejects: Any = None,
    largest_record: int = 64 << 20,
) -> RecordStream[Any]:
    """An iterator over the records of a source: ISO 2709, MARCXML, MARC-in-JSON or MARCMaker text, compressed or not.

    >>> with libmarc.read("books.xml.gz") as records:
    ...     for record in records:
    ...         print(record.title)

    `source`: a path, bytes, or a binary file or other stream, which is read as it is needed; what a MARCReader takes.
    What it holds is told by its first bytes: gzip, bzip2, xz or zstd, in layers too; a zip archive with one member,
    where the source can be positioned; then the format. `format` says it instead: "iso2709", "marcxml", "json" (an
    array, a line for each object, or one object behind another), "mrk". Text is UTF-8, or what its byte order mark or
    its XML declaration says. A source without a byte has no records.

    Records are the best answer, whatever their state, and say in `problems` what was repaired. `on_error` is for what
    cannot be read: "warn" passes over it with a RejectedRecordWarning, "skip" without one, "raise" raises its error,
    and the following next() goes on behind it, "none" gives None in its place. `max_errors`, `rejects` (which is for
    ISO 2709 only) and `largest_record` as in MARCReader.

    What is broken as XML, JSON or text, or no MARC at all, raises FormatError behind the records before it; what the
    source raises comes out unchanged. A file that was passed in stays open.
    """
    return RecordStream(source, format, on_error, max_errors, rejects, largest_record)


class RecordStream(Generic[_Item]):
    """What `libmarc.read` returns: an iterator over records, a context manager. Its items are of type Record; with
    on_error="none" of type Record | None."""

    def __init__(
        self,
        source: Any,
        format: str | None,
        on_error: str,
        max_errors: int | None,
        rejects: Any,
        largest_record: int,
    ) -> None:
        check_tolerance(on_error, ON_ERROR, max_errors)
        if format is not None and format not in FORMATS:
            raise ValueError(f"format is one of {', '.join(FORMATS)}, or None; not {format!r}")
        #: "iso2709", "marcxml", "json" or "mrk", once it is known
        self.format = format
        #: What the source was compressed with, the outermost first.
        self.compression: tuple[str, ...] = ()
        #: Why the last record that could not be read could not.
        self.current_exception: Exception | None = None
        self._on_error = on_error
        self._max_errors = max_errors
        self._rejected = 0
        self._rejects = rejects
        self._largest = largest_record
        self._source = Source(source)
        self._begin = Beginning(self._source.read)
        self._records: Iterator[_Item] | None = None
        self._reader: MARCReader | None = None  # that gives them, if it is one
        self._closed = False

    def __iter__(self) -> Iterator[_Item]:
        return self

    def __next__(self) -> _Item:
        self.current_exception = None
        while not self._closed:
            if self._records is None:
                self._records = self._open()
            try:
                record = next(self._records)
            except FormatError as problem:
                if not isinstance(problem, RecordFormatError):
                    self.close()
                    raise
                failure: Exception = problem
            except StopIteration:
                self.close()
                raise
            else:
                if record is not None:
                    return record
                assert self._reader is not None
                failure = self._reader.current_exception or PymarcException("a piece of the input is no record")
            if self._reject(failure):
                return cast("_Item", None)
        raise StopIteration

    def _reject(self, problem: Exception) -> bool:
        """What on_error says of a record that cannot be read. True if it is to be None."""
        self._rejected += 1
        problem = problem.with_traceback(None)
        if self._max_errors is not None and self._rejected > self._max_errors:
            self.close()
            raise too_many_errors(self._max_errors, problem) from problem
        if self._on_error == "raise":
            raise problem
        self.current_exception = problem
        if self._on_error == "warn":
            warnings.warn(RejectedRecordWarning(f"{type(problem).__name__}: {problem}"), stacklevel=3)
        return self._on_error == "none"

    # -- what it is

    def _open(self) -> Iterator[Any]:
        """Finds out what the source holds."""
        begin = self._begin
        while (name := compression_of(begin.head())) is not None:
            if len(self.compression) == _MOST_LAYERS:
                raise self._no_marc(f"compressed more than {_MOST_LAYERS} times")
            self._begin = begin = Beginning(Decompressed(begin.read, name).read)
            self.compression += (name,)
        if begin.head().startswith(b"PK\x03\x04"):
            self._begin = begin = Beginning(self._open_zip())
        if self.format is None:
            self.format = self._format_of(begin.head())
        if self.format in ("json", "mrk"):
            return self._open_text(begin)
        options: dict[str, Any] = {"rejects": self._rejects, "largest_record": self._largest}
        if self.format == "marcxml":
            if not begin.head():
                return iter(())
            options["_format"] = lib.MARC_FORMAT_MARCXML
        source = begin if self.compression else self._source.from_beginning() or begin
        self._reader = reader = MARCReader(source, on_error="salvage", **options)
        return reader

    def _open_text(self, begin: Beginning) -> Iterator[Any]:
        if self._rejects is not None:
            raise ValueError("rejects collects pieces of ISO 2709, and this is another format")
        if self.format == "mrk":
            return MarcMakerStream(begin.read, None, self._largest)
        return JSONRecords(JSONStream(begin.read, None, self._largest))

    def _open_zip(self) -> Callable[[int], Any]:
        """Reads the one member of a zip archive."""
        import zipfile

        file = None if self.compression else self._source.as_file()
        if file is None:
            raise self._no_marc("a zip archive in a stream: write it to a file, or unzip it before it is read")
        archive = zipfile.ZipFile(file)
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            raise self._no_marc(
                f"a zip archive with {len(members)} members: read them one by one (zipfile.ZipFile.open)"
            )
        member = archive.open(members[0])
        self._source.owned.append(member)
        self.compression += ("zip",)
        read: Callable[[int], Any] = member.read1  # type: ignore[attr-defined]
        return read

    def _format_of(self, head: bytes) -> str:
        encoding = encoding_of(head)
        text = head.decode("latin-1" if encoding == "utf-8" else encoding, "ignore")
        text = text.lstrip("\ufeff \t\r\n\0\x1a")
        if text[:1] == "<" and (text[1:2].isalpha() or text[1:2] in ("?", "!")):
            if text.lower().startswith(("<!doctype html", "<html")):
                raise self._no_marc("an HTML page: perhaps an error message was saved in place of the file")
            return "marcxml"
        if text[:1] in ("{", "["):
            return "json"
        if text[:1] == "=" and text[4:6] == "  ":
            return "mrk"
        return "iso2709"

    def _no_marc(self, what: str) -> FormatError:
        self.close()
        return FormatError(f"this is no MARC, but {what}")

    # -- what was done

    @property
    def stats(self) -> Stats | None:
        """What has been handed out so far, in numbers; None before the first record and where they are not kept, which
        is with JSON and MARCMaker text. Bytes are those of the content, decompressed."""
        return None if self._reader is None else self._reader.stats

    @property
    def rejected(self) -> int:
        """How many records could not be read so far."""
        return self._rejected

    def close(self) -> None:
        """Ends the reading, and closes what was opened here."""
        self._closed = True
        if self._reader is not None:
            self._reader.close()
        self._source.close()

    def __del__(self) -> None:
        if hasattr(self, "_begin"):
            self.close()

    def __enter__(self) -> RecordStream[_Item]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Source:
    """Bytes to read, and how to begin again with them."""

    def __init__(self, source: Any) -> None:
        self.owned: list[Any] = []  # opened here
        self._source = source
        self._origin: int | None = None  # where a file that can be positioned stands
        self._can_begin_again = True
        self.read = self._open(source)

    def _open(self, source: Any) -> Callable[[int], Any]:
        if isinstance(source, str | os.PathLike):
            file = io.FileIO(source)
            self.owned.append(file)
            self._can_begin_again = file.seekable()  # a pipe is opened once
            return file.read
        content = buffer_of(source)
        if content is not None:
            return _Memory(content).read
        read = read_method(source)
        self._origin = position_of(source)
        self._can_begin_again = self._origin is not None
        more = read_when_empty(source)
        return read if more is None else lambda size: read(size) or more(1)

    def from_beginning(self) -> Any:
        """What a MARCReader reads from the beginning; None if that cannot be had again."""
        if not self._can_begin_again:
            return None
        if self._origin is not None:
            self._source.seek(self._origin)
        return self._source

    def as_file(self) -> Any:
        """The same as a file that can be positioned."""
        if not self._can_begin_again:
            return None
        if self._origin is not None:
            return self._source
        return self.owned[0] if self.owned else io.BytesIO(self._source)

    def close(self) -> None:
        while self.owned:
            self.owned.pop().close()


class _Memory:
    def __init__(self, content: Any) -> None:
        self._view = memoryview(content).cast("B")
        self._at = 0

    def read(self, size: int) -> bytes:
        content = bytes(self._view[self._at : self._at + size])
        self._at += size
        return content


class Beginning:
    """A stream of bytes whose beginning can be looked at."""

    def __init__(self, read: Callable[[int], Any]) -> None:
        self._read = read
        self._head = b""
        self._ended = False
        self._is_known = False

    def head(self) -> bytes:
        """What it begins with: enough to tell the format, or all. What the source raises comes out unchanged, and the
        next call goes on. Not to be asked for once it is read."""
        while not self._is_known:
            content = given_bytes(self._read(4096))
            self._head += bytes(content)
            self._ended = not content
            told = len(self._head.lstrip(b" \t\r\n\0\x1a")) >= _HEAD or len(self._head) >= _MOST_SPACE
            self._is_known = told or self._ended
        return self._head

    def read(self, size: int) -> Any:
        """The next bytes, from the beginning on."""
        if self._head:
            content, self._head = self._head[:size], self._head[size:]
            return content
        return b"" if self._ended else self._read(size)
