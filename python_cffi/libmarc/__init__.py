"""libmarc: reads MARC records (ISO 2709) at the speed of the machine. The names are pymarc's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from libmarc import constants, exceptions, field, leader, marc8, reader, record, writer
from libmarc._native import version
from libmarc._odd import Problem
from libmarc._pymarc import install_as_pymarc
from libmarc._ranges import plan_ranges
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
    FormatError,
    MissingLinkedFields,
    NoActiveFile,
    NoFieldsFound,
    OversizeError,
    PymarcException,
    RecordDirectoryInvalid,
    RecordFormatError,
    RecordLeaderInvalid,
    RecordLengthInvalid,
    RecordTooLarge,
    TooManyErrors,
    TruncatedRecord,
    WriteNeedsRecord,
)
from libmarc.field import Field, Indicators, RawField, Subfield, map_marc8_field
from libmarc.leader import Leader
from libmarc.marc8 import MARC8ToUnicode, marc8_to_unicode
from libmarc.reader import MARCReader, Reader, map_records
from libmarc.record import Record, isbn_regex, map_marc8_record, normalize_subfield_code
from libmarc.writer import JSONWriter, MARCWriter, TextWriter, Writer, XMLWriter

if TYPE_CHECKING:
    from libmarc import marcjson, marcxml
    from libmarc._mrk import MARCMakerWriter, record_to_mrk
    from libmarc._read import RecordStream, RejectedRecordWarning, read
    from libmarc.marcjson import JSONHandler, parse_json_to_array
    from libmarc.marcxml import (
        MARC_XML_NS,
        MARC_XML_SCHEMA,
        XSI_NS,
        XmlHandler,
        map_xml,
        parse_xml,
        parse_xml_to_array,
        record_to_xml,
        record_to_xml_node,
    )
    from libmarc.reader import JSONReader, MARCMakerReader
    from libmarc.record import logger

__version__ = version()

#: What is imported when it is first asked for, and the module that has it: most programs need none of it.
_LATER = {
    **dict.fromkeys(("JSONReader", "MARCMakerReader"), "_text_readers"),
    **dict.fromkeys(("JSONHandler", "parse_json_to_array"), "marcjson"),
    **dict.fromkeys(("MARC_XML_NS", "MARC_XML_SCHEMA", "XSI_NS"), "marcxml"),
    **dict.fromkeys(("XmlHandler", "map_xml", "parse_xml", "parse_xml_to_array"), "marcxml"),
    **dict.fromkeys(("record_to_xml", "record_to_xml_node"), "marcxml"),
    **dict.fromkeys(("MARCMakerWriter", "record_to_mrk"), "_mrk"),
    **dict.fromkeys(("RecordStream", "RejectedRecordWarning", "read"), "_read"),
    "logger": "record",
}


if not TYPE_CHECKING:  # type checkers are told above, and find what is misspelt

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name in ("marcjson", "marcxml"):
            return import_module(f"libmarc.{name}")
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"libmarc.{_LATER[name]}"), name)
        globals()[name] = value
        return value


__all__ = [
    "DIRECTORY_ENTRY_LEN",
    "END_OF_FIELD",
    "END_OF_RECORD",
    "LEADER_LEN",
    "MARC_XML_NS",
    "MARC_XML_SCHEMA",
    "SUBFIELD_INDICATOR",
    "XSI_NS",
    "BadLeaderValue",
    "BadSubfieldCodeWarning",
    "BaseAddressInvalid",
    "BaseAddressNotFound",
    "EndOfRecordNotFound",
    "FatalReaderError",
    "Field",
    "FieldNotFound",
    "FormatError",
    "Indicators",
    "JSONHandler",
    "JSONReader",
    "JSONWriter",
    "Leader",
    "MARC8ToUnicode",
    "MARCMakerReader",
    "MARCMakerWriter",
    "MARCReader",
    "MARCWriter",
    "MissingLinkedFields",
    "NoActiveFile",
    "NoFieldsFound",
    "OversizeError",
    "Problem",
    "PymarcException",
    "RawField",
    "Reader",
    "Record",
    "RecordDirectoryInvalid",
    "RecordFormatError",
    "RecordLeaderInvalid",
    "RecordLengthInvalid",
    "RecordStream",
    "RecordTooLarge",
    "RejectedRecordWarning",
    "Stats",
    "Subfield",
    "TextWriter",
    "TooManyErrors",
    "TruncatedRecord",
    "WriteNeedsRecord",
    "Writer",
    "XMLWriter",
    "XmlHandler",
    "constants",
    "exceptions",
    "field",
    "install_as_pymarc",
    "isbn_regex",
    "leader",
    "logger",
    "map_marc8_field",
    "map_marc8_record",
    "map_records",
    "map_xml",
    "marc8",
    "marc8_to_unicode",
    "marcjson",
    "marcxml",
    "normalize_subfield_code",
    "parse_json_to_array",
    "parse_xml",
    "parse_xml_to_array",
    "plan_ranges",
    "read",
    "reader",
    "record",
    "record_to_mrk",
    "record_to_xml",
    "record_to_xml_node",
    "writer",
]
