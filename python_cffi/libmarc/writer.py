"""Writers: records into files, as ISO 2709, MARC-in-JSON, MARCXML or MARCMaker text, with pymarc's bytes."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from libmarc._iso2709 import check_options, check_writable
from libmarc._names import name_of_package
from libmarc.exceptions import WriteNeedsRecord
from libmarc.record import Record

if not TYPE_CHECKING:  # type checkers find what is misspelt

    def __getattr__(name: str) -> Any:
        return name_of_package(__name__, name)


_Self = TypeVar("_Self", bound="Writer")
#: Options of Record.as_marc.
_DEFAULTS = {"oversize": "error", "encoding": "utf-8", "errors": "strict"}


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

    def __init__(
        self,
        file_handle: Any,
        *,
        oversize: str = "error",
        encoding: str = "utf-8",
        errors: str = "strict",
        strict: bool = False,
    ) -> None:
        """`oversize`, `encoding` ("utf-8" or "marc-8") and `errors` as for Record.as_marc. `strict`: ValueError for
        records that a reader would not get back as they are: a delimiter within the text, odd tags, indicators, codes.
        ValueError for an option that there is not.
        What raises has written nothing of its record."""
        check_options(oversize, encoding, errors)
        super().__init__(file_handle)
        options = {"oversize": oversize, "encoding": encoding, "errors": errors}
        # Those that differ from the defaults: as_marc(self) of a class derived from Record knows none of them.
        self._options = {name: value for name, value in options.items() if value != _DEFAULTS[name]}
        self._strict = strict

    def write(self, record: Record) -> None:
        super().write(record)
        if self._strict:
            check_writable(record.fields, self._options.get("encoding", _DEFAULTS["encoding"]))
        if self.file_handle:
            self.file_handle.write(record.as_marc(**self._options))

    def write_raw(self, record: Record) -> None:
        """Writes the bytes of a record as they stood in its source (`record.raw`), whatever has been changed since.
        ValueError for a record that was made."""
        super().write(record)
        if record.raw is None:
            raise ValueError("the record was made, not read: it has no bytes of its own; write() writes it")
        if self.file_handle:
            self.file_handle.write(record.raw)


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

    def __init__(self, file_handle: Any, *, invalid: str = "replace") -> None:
        """`invalid`: what becomes of characters that XML 1.0 cannot hold, such as most control characters. "replace":
        they are U+FFFD, and `replaced` counts them. "error": ValueError, and nothing of the record is written."""
        if invalid not in ("replace", "error"):
            raise ValueError(f"invalid is one of replace, error, not {invalid!r}")
        super().__init__(file_handle)
        self.replaced = 0
        self._refuses = invalid == "error"
        if file_handle:
            file_handle.write(b'<?xml version="1.0" encoding="UTF-8"?>')
            file_handle.write(b'<collection xmlns="http://www.loc.gov/MARC21/slim">')

    def write(self, record: Record) -> None:
        super().write(record)
        if self.file_handle:
            from libmarc.marcxml import xml_of  # here: importing it costs, and most programs write no XML

            content, replaced = xml_of(record, "utf-8")
            if replaced and self._refuses:
                raise ValueError(f"the record has {replaced} character(s) that XML 1.0 cannot hold")
            self.file_handle.write(content)
            self.replaced += replaced

    def close(self, close_fh: bool = True) -> None:
        if self.file_handle:
            self.file_handle.write(b"</collection>")
        super().close(close_fh)
