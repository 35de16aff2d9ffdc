"""What can be wrong with a record: pymarc's classes, hierarchy and messages, and where ours say more.

Every exception that a reader gives as ``current_exception`` carries the place as attributes:

``code``            number of the problem, one of ``MARC_BAD_...`` in marc.h
``record_index``    which piece of the input, from 0, rejected ones included
``byte_offset``     where in the source, in bytes from its beginning
``control_number``  field 001 of the piece, if one can be found, else None
``tag``             the field concerned, or None
``chunk``           the bytes of the piece

str() gives pymarc's sentence, then what was found, what belongs there, and the place, in one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from libmarc.field import Field


class PymarcException(Exception):
    """The base of all of these."""

    #: What str() begins with where a class has one fixed sentence.
    _text = ""
    #: What was found where, if a reader gives the exception.
    _detail = ""

    code: int | None = None
    record_index: int | None = None
    byte_offset: int | None = None
    control_number: str | None = None
    tag: str | None = None
    chunk: bytes | None = None

    def __str__(self) -> str:
        text = self._text or super().__str__()
        return f"{text}: {self._detail}" if self._detail else text


class FatalReaderError(PymarcException):
    """The length of a record cannot be believed. (pymarc stops reading here; libmarc goes on behind it.)"""


class RecordLengthInvalid(FatalReaderError):
    """Leader/00-04 is not a number."""

    _text = "Invalid record length in first 5 bytes of record"


class TruncatedRecord(FatalReaderError):
    """The input ends before the record does."""

    _text = "Record length in leader is greater than the length of data"


class EndOfRecordNotFound(FatalReaderError):
    """There is no record terminator (0x1D) where the leader says that the record ends."""

    _text = "Unable to locate end of record marker"


class RecordTooLarge(FatalReaderError):
    """A piece of the input without an end, larger than the largest record that is accepted (`largest_record`)."""

    _text = "Record is larger than the largest size that is accepted"


class TooManyErrors(PymarcException):
    """More pieces were rejected than `max_errors` allows. ``__cause__`` is the error of the last one."""


class FormatError(PymarcException, ValueError):
    """The input is broken as XML, JSON or MARCMaker text. The records before that place have been given.

    ``record_index`` is the number of the record that it cuts, ``byte_offset`` the place in the source; ``line`` and
    ``column`` count from 1. What is not known is None.
    """

    line: int | None = None
    column: int | None = None

    def __init__(
        self,
        message: str,
        record_index: int | None = None,
        byte_offset: int | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        self.args = (message, record_index, byte_offset, line, column)
        self._text = message
        self.record_index = record_index
        self.byte_offset = byte_offset
        self.line = line
        self.column = column


class RecordFormatError(FormatError):
    """A record in JSON or MARCMaker text cannot be read. It costs no other: reading goes on behind it."""


class RecordLeaderInvalid(PymarcException):
    """There is no leader of 24 characters."""

    _text = "Unable to extract record leader"


class RecordDirectoryInvalid(PymarcException):
    """The directory is not a whole number of entries."""

    _text = "Invalid directory"


class NoFieldsFound(PymarcException):
    """The directory is empty."""

    _text = "Unable to locate fields in record data"


class BaseAddressInvalid(PymarcException):
    """The base address of data lies behind the record."""

    _text = "Base address exceeds size of record"


class BaseAddressNotFound(PymarcException):
    """The base address of data is zero or negative."""

    _text = "Unable to locate base address of record"


class WriteNeedsRecord(PymarcException):
    """Something else than a Record was to be written."""

    _text = "Write requires a pymarc.Record object as an argument"


class OversizeError(PymarcException, ValueError):
    """A field or record is larger than ISO 2709 can state. ``tag``: of the field; None for the record. ``length``: its
    bytes."""

    def __init__(self, message: str, tag: str | None, length: int) -> None:
        super().__init__(message, tag, length)
        self.tag = tag
        self.length = length

    def __str__(self) -> str:
        return str(self.args[0])


class NoActiveFile(PymarcException):
    """The file of a writer is closed."""

    _text = "There is no active file to write to in call to write"


class FieldNotFound(PymarcException):
    """The record does not have the field."""

    _text = "Record does not contain the specified field"


class BadLeaderValue(PymarcException):
    """A value does not fit its place in the leader."""


class MissingLinkedFields(PymarcException):
    """A field has a subfield 6, and no 880 field goes with it."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.field = field

    def __str__(self) -> str:
        return f"{self.field.tag} field includes a subfield 6 but no linked fields could be found."


class BadSubfieldCodeWarning(Warning):
    """A subfield code is not ASCII. ``subf`` is the subfield, as bytes."""

    _detail = ""

    def __init__(self, subf: bytes) -> None:
        super().__init__()
        self.subf = subf

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.subf,), vars(self)

    def __str__(self) -> str:
        text = f"The subfield contained a non-ASCII subfield code: {self.subf!r}"
        return f"{text}: {self._detail}" if self._detail else text
