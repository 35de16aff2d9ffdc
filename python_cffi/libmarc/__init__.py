"""libmarc: reads MARC records (ISO 2709) at the speed of the machine. The names are pymarc's."""

from libmarc._native import version
from libmarc._odd import Problem
from libmarc._stats import Stats
from libmarc.constants import (
    DIRECTORY_ENTRY_LEN,
    END_OF_FIELD,
    END_OF_RECORD,
    LEADER_LEN,
    SUBFIELD_INDICATOR,
)
from libmarc.exceptions import (
    BadLeaderValue,
    BadSubfieldCodeWarning,
    BaseAddressInvalid,
    BaseAddressNotFound,
    EndOfRecordNotFound,
    FatalReaderError,
    FieldNotFound,
    MissingLinkedFields,
    NoActiveFile,
    NoFieldsFound,
    PymarcException,
    RecordDirectoryInvalid,
    RecordLeaderInvalid,
    RecordLengthInvalid,
    RecordTooLarge,
    TooManyErrors,
    TruncatedRecord,
    WriteNeedsRecord,
)
from libmarc.field import Field, Indicators, Subfield
from libmarc.leader import Leader
from libmarc.reader import MARCReader
from libmarc.record import Record

__version__ = version()

__all__ = [
    "DIRECTORY_ENTRY_LEN",
    "END_OF_FIELD",
    "END_OF_RECORD",
    "LEADER_LEN",
    "SUBFIELD_INDICATOR",
    "BadLeaderValue",
    "BadSubfieldCodeWarning",
    "BaseAddressInvalid",
    "BaseAddressNotFound",
    "EndOfRecordNotFound",
    "FatalReaderError",
    "Field",
    "FieldNotFound",
    "Indicators",
    "Leader",
    "MARCReader",
    "MissingLinkedFields",
    "NoActiveFile",
    "NoFieldsFound",
    "Problem",
    "PymarcException",
    "Record",
    "RecordDirectoryInvalid",
    "RecordLeaderInvalid",
    "RecordLengthInvalid",
    "RecordTooLarge",
    "Stats",
    "Subfield",
    "TooManyErrors",
    "TruncatedRecord",
    "WriteNeedsRecord",
]
