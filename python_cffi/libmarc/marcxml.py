"""MARCXML from records, and records from MARCXML, with pymarc's names: for files that fit into memory."""

from __future__ import annotations

import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any
from xml.sax import make_parser
from xml.sax.handler import ContentHandler, feature_external_ges, feature_external_pes, feature_namespaces

from libmarc._batch import Form
from libmarc.field import Field, Indicators
from libmarc.leader import Leader
from libmarc.marc8 import MARC8ToUnicode
from libmarc.record import Record

XSI_NS = "http://www.w3.org/2001/XMLSchema-instance"
MARC_XML_NS = "http://www.loc.gov/MARC21/slim"
MARC_XML_SCHEMA = f"{MARC_XML_NS} http://www.loc.gov/standards/marcxml/schema/MARC21slim.xsd"

#: Characters that XML 1.0 cannot hold, not even as references.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class XmlHandler(ContentHandler):
    """Makes records from the events of a SAX parser. `records` collects them, or a process_record() of your own has
    each as soon as it is complete.

    `strict`: elements of other namespaces than MARCXML's are passed over.
    `normalize_form`: such as "NFC", for the text.
    """

    def __init__(self, strict: bool = False, normalize_form: Any = None) -> None:
        super().__init__()
        self.records: list[Record] = []
        self.normalize_form = normalize_form
        self._strict = strict
        self._record: Record | None = None
        self._field: Field | None = None
        self._code: str | None = None
        self._text: list[str] = []

    def startElementNS(self, name: Any, qname: Any, attrs: Any) -> None:
        if self._is_other(name):
            return
        self._text = []
        element = name[1]
        if element == "record":
            self._record = Record()
        elif element == "controlfield":
            self._field = Field(attrs[None, "tag"])
        elif element == "datafield":
            indicators = Indicators(attrs.get((None, "ind1"), " "), attrs.get((None, "ind2"), " "))
            self._field = Field(attrs[None, "tag"], indicators)
        elif element == "subfield":
            self._code = attrs[None, "code"]

    def characters(self, content: str) -> None:
        self._text.append(content)

    def endElementNS(self, name: Any, qname: Any) -> None:
        if self._is_other(name):
            return
        text = "".join(self._text)
        self._text = []
        if self.normalize_form is not None:
            text = unicodedata.normalize(self.normalize_form, text)
        if self._record is not None:
            self._end(name[1], text, self._record)

    def _is_other(self, name: Any) -> bool:
        return self._strict and name[0] != MARC_XML_NS

    def _end(self, element: str, text: str, record: Record) -> None:
        field = self._field
        if element == "record":
            self._record = None
            self.process_record(record)
        elif element == "leader":
            record.leader = Leader(text)
        elif field is None:
            pass  # no field has begun
        elif element == "subfield" and self._code:
            field.add_subfield(self._code, text)
            self._code = None
        elif element in ("controlfield", "datafield"):
            if element == "controlfield":
                field.data = text
            record.add_field(field)
            self._field = None

    def process_record(self, record: Record) -> None:
        """Has each record in its turn; adds it to `records`."""
        self.records.append(record)


def parse_xml(xml_file: Any, handler: ContentHandler) -> None:
    """Has a handler read an XML file: a path or a file. External entities are not loaded."""
    parser = make_parser()
    parser.setContentHandler(handler)
    parser.setFeature(feature_namespaces, True)
    parser.setFeature(feature_external_ges, False)
    parser.setFeature(feature_external_pes, False)
    parser.parse(xml_file)


def map_xml(function: Callable[[Record], Any], *files: Any) -> None:
    """Calls the function with each record of these files, in their order."""
    handler = XmlHandler()
    handler.process_record = function  # type: ignore[method-assign, assignment]
    for file in files:
        parse_xml(file, handler)


def parse_xml_to_array(xml_file: Any, strict: bool = False, normalize_form: Any = None) -> list[Record]:
    """All records of an XML file; the parameters are those of XmlHandler."""
    handler = XmlHandler(strict, normalize_form)
    parse_xml(xml_file, handler)
    return handler.records


def record_to_xml(record: Record, quiet: bool = False, namespace: bool = False) -> bytes:
    """A record as an element of MARCXML, in ASCII with character references.

    `quiet`: no lines on stderr for MARC-8 that cannot be converted (in fields that are bytes). `namespace`: the element
    names its namespace and schema.
    """
    return xml_of(record, "us-ascii", quiet, namespace)[0]


def record_to_xml_node(record: Record, quiet: bool = False, namespace: bool = False) -> ET.Element:
    """A record as an element of xml.etree. What XML 1.0 cannot hold is U+FFFD in it."""
    return _Text(quiet).node(record, namespace)


def xml_of(record: Record, encoding: str, quiet: bool = False, namespace: bool = False) -> tuple[bytes, int]:
    """A record as an element of MARCXML, and how many of its characters are U+FFFD, as XML 1.0 cannot hold them."""
    form = record._form(_FORMS[encoding, namespace])
    if form is not None and "\ufffd" not in form and "&#65533;" not in form:  # else these are to be counted
        return form.encode(), 0
    text = _Text(quiet)
    content: bytes = ET.tostring(text.node(record, namespace), encoding)
    # As it stands, a parser would make a line feed of a carriage return.
    return content.replace(b"\r", b"&#13;"), text.replaced


_FORMS = {("us-ascii", False): Form.XML, ("us-ascii", True): Form.XML_NAMESPACE, ("utf-8", False): Form.XML_UTF8}


class _Text:
    """Makes an element of a record, and counts what XML cannot hold."""

    def __init__(self, quiet: bool) -> None:
        self.replaced = 0
        self._quiet = quiet
        self._converter: Any = None  # one for the whole record, as in pymarc: character sets stay in force

    def node(self, record: Record, namespace: bool) -> ET.Element:
        root = ET.Element("record")
        if namespace:
            root.set("xmlns", MARC_XML_NS)
            root.set("xmlns:xsi", XSI_NS)
            root.set("xsi:schemaLocation", MARC_XML_SCHEMA)
        ET.SubElement(root, "leader").text = self._of(str(record.leader))
        for field in record.fields:
            if field.control_field:
                ET.SubElement(root, "controlfield", {"tag": self._of(field.tag)}).text = self._of(field.data)
                continue
            indicators = {"ind1": self._of(field.indicator1), "ind2": self._of(field.indicator2)}
            element = ET.SubElement(root, "datafield", {**indicators, "tag": self._of(field.tag)})
            for code, value in field._pairs():
                ET.SubElement(element, "subfield", {"code": self._of(code)}).text = self._of(value)
        return root

    def _of(self, value: Any) -> str:
        """The text of a value, which is bytes in MARC-8 where the record was not decoded."""
        text, replaced = _NOT_XML.subn("\ufffd", self._converted(value) if isinstance(value, bytes) else value or "")
        self.replaced += replaced
        return text

    def _converted(self, value: bytes) -> str:
        if self._converter is None:
            self._converter = MARC8ToUnicode(quiet=self._quiet)
        converted: str = self._converter.translate(value)
        return converted
