"""Writers: records into files, as ISO 2709, MARC-in-JSON, MARCXML or MARCMaker text, with pymarc's bytes."""

from __future__ import annotations

from types import TracebackType
from typing import Any, TypeVar

from libmarc.exceptions import WriteNeedsRecord
from libmarc.record import Record

_Self = TypeVar("_Self", bound="Writer")


class Writer:
    """What all writers have: a file that was passed in, and that is closed with the writer.

    >>> with MARCWriter(open("out.mrc", "wb")) as writer:
    ...     writer.write(record)

    What the file raises when it is written or closed comes out unchanged.
    """

    def __init__(self, file_handle: Any) -> None:
        self.file_handle = file_handle

    def write(self, record: Record) -> None:
        """Writes a record. WriteNeedsRecord for anything else; nothing is written once the writer is closed."""
        if not isinstance(record, Record):
            raise WriteNeedsRecord

    def close(self, close_fh: bool = True) -> None:
        """Ends the output, and closes the file unless `close_fh` is false. A second time does nothing."""
        file, self.file_handle = self.file_handle, None
        if close_fh and file:
            file.close()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class MARCWriter(Writer):
    """Records in ISO 2709, into a binary file."""

    def write(self, record: Record) -> None:
        super().write(record)
        if self.file_handle:
            self.file_handle.write(record.as_marc())


class JSONWriter(Writer):
    """An array of MARC-in-JSON objects, into a text file. It is complete when the writer has been closed."""

    def __init__(self, file_handle: Any) -> None:
        super().__init__(file_handle)
        self.write_count = 0
        if file_handle:
            file_handle.write("[")

    def write(self, record: Record) -> None:
        super().write(record)
        if self.file_handle:
            text = record.as_json(separators=(",", ":"))
            self.file_handle.write(f",{text}" if self.write_count else text)
            self.write_count += 1

    def close(self, close_fh: bool = True) -> None:
        if self.file_handle:
            self.file_handle.write("]")
        super().close(close_fh)


class TextWriter(Writer):
    """Records as str() gives them, MARCMaker text, into a text file, with a blank line between them."""

    def __init__(self, file_handle: Any) -> None:
        super().__init__(file_handle)
        self.write_count = 0

    def write(self, record: Record) -> None:
        super().write(record)
        if self.file_handle:
            self.file_handle.write(f"\n{record}" if self.write_count else str(record))
            self.write_count += 1


class XMLWriter(Writer):
    """A MARCXML collection in UTF-8, into a binary file. It is complete when the writer has been closed."""

    def __init__(self, file_handle: Any) -> None:
        super().__init__(file_handle)
        if file_handle:
            file_handle.write(b'<?xml version="1.0" encoding="UTF-8"?>')
            file_handle.write(b'<collection xmlns="http://www.loc.gov/MARC21/slim">')

    def write(self, record: Record) -> None:
        super().write(record)
        if self.file_handle:
            from libmarc.marcxml import xml_bytes  # here: importing it costs, and most programs write no XML

            self.file_handle.write(xml_bytes(record, "utf-8"))

    def close(self, close_fh: bool = True) -> None:
        if self.file_handle:
            self.file_handle.write(b"</collection>")
        super().close(close_fh)
