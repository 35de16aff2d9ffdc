"""The ways in which programs import pymarc, and what they then ask of its names: python imports.py FILE"""

import importlib
import importlib.metadata
import importlib.util
import logging
import sys

import pymarc
import pymarc as marc
import pymarc.marc8
import pymarc.marcxml
import pymarc.record as record_module
from pymarc import *  # noqa: F403
from pymarc import MARCReader, Record, exceptions, marcxml
from pymarc import field as field_module
from pymarc.constants import END_OF_RECORD, SUBFIELD_INDICATOR
from pymarc.exceptions import PymarcException, RecordLengthInvalid
from pymarc.field import Field, Indicators, Subfield
from pymarc.leader import Leader
from pymarc.marc8 import MARC8ToUnicode, marc8_to_unicode
from pymarc.marcjson import JSONHandler, parse_json_to_array
from pymarc.marcxml import XmlHandler, map_xml, parse_xml, record_to_xml
from pymarc.reader import JSONReader, MARCMakerReader, Reader
from pymarc.record import Record as SameRecord
from pymarc.writer import JSONWriter, MARCWriter, TextWriter, Writer, XMLWriter

MODULES = ["constants", "exceptions", "field", "leader", "marc8", "marcjson", "marcxml", "reader", "record", "writer"]

# One module and one class, however they came.
assert marc is pymarc is importlib.import_module("pymarc") is sys.modules["pymarc"]
assert SameRecord is Record is record_module.Record is pymarc.Record is pymarc.record.Record
assert marcxml is pymarc.marcxml is importlib.import_module("pymarc.marcxml")
assert field_module.Field is Field is pymarc.Field
assert exceptions.PymarcException is PymarcException
assert issubclass(RecordLengthInvalid, pymarc.FatalReaderError)
assert issubclass(MARCMakerReader, Reader)
assert issubclass(MARCReader, Reader)
assert issubclass(JSONReader, Reader)
assert all(issubclass(writer, Writer) for writer in (JSONWriter, MARCWriter, TextWriter, XMLWriter))
for name in MODULES:
    assert importlib.import_module(f"pymarc.{name}") is getattr(pymarc, name), name
    assert importlib.util.find_spec(f"pymarc.{name}") is not None

# What `import *` brought, of the names that programs use.
wanted = {"MARCReader", "MARCWriter", "Record", "Field", "Subfield", "Indicators", "XMLWriter", "JSONReader", "map_xml"}
assert wanted <= globals().keys()

# Features that programs look for before they use them.
print("version", importlib.metadata.version("pymarc"))
print([hasattr(pymarc, name) for name in ("Subfield", "Indicators", "Leader", "MARCMakerReader", "nonsense")])
print(hasattr(Field, "convert_legacy_subfields"), hasattr(Record, "as_marc21"), hasattr(Record, "get_linked_fields"))
try:
    from pymarc import nonsense  # type: ignore[attr-defined]  # noqa: F401
except ImportError:
    print("no nonsense")
try:
    import pymarc.nonsense  # type: ignore[import-not-found]
except ModuleNotFoundError as problem:
    print("no module", problem.name)

print(SUBFIELD_INDICATOR, END_OF_RECORD, Indicators(" ", "1"), Subfield("a", "x"), logging.getLogger("pymarc").name)
print(repr(marc8_to_unicode(b"caf\xe2e")), repr(MARC8ToUnicode().translate(b"\xe8uber")))
print(
    Leader("00000nam a2200000 i 4500").type_of_record, len(JSONHandler().elements({"leader": " " * 24, "fields": []}))
)

with open(sys.argv[1], "rb") as file:
    records = list(pymarc.MARCReader(file, to_unicode=True, hide_utf8_warnings=True, utf8_handling="replace"))
with open("records.xml", "wb") as out:
    writer = pymarc.XMLWriter(out)
    for record in records:
        assert isinstance(record, Record)
        writer.write(record)
    writer.close()

handler = XmlHandler()
parse_xml("records.xml", handler)
again = marcxml.parse_xml_to_array("records.xml")
titles: list[object] = []
map_xml(lambda record: titles.append(record.title), "records.xml")
print(len(records), len(handler.records), len(again), titles)
print(record_to_xml(records[0], namespace=True).decode())
print(parse_json_to_array("[" + ",".join(record.as_json() for record in records[:3]) + "]")[0])
