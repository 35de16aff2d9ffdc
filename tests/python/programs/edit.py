"""What scripts do to records before they write them, in every format: python edit.py FILE"""

import io
import sys

import pymarc
from pymarc import Field, Indicators, JSONWriter, MARCReader, MARCWriter, Subfield, TextWriter, XMLWriter

with open(sys.argv[1], "rb") as file:
    records = []
    for number, record in enumerate(MARCReader(file)):
        title = record.get("245")
        if title is not None and len(title.get_subfields("a")) == 1:
            title["a"] = title["a"].rstrip(" /:") + "."
            title.add_subfield("h", "[text]", pos=1)
        for field in record.get_fields("020"):
            if field.get("a", "").startswith("978"):
                field.add_subfield("q", "long")
            field.delete_subfield("c")
        for field in record.get_fields("650", "651"):
            field.indicators = Indicators(field.indicator1, "7")
            field.subfields = [subfield for subfield in field.subfields if subfield.code != "x"]
            field.subfields.append(Subfield("2", "fast"))
        record.remove_fields("029", "938", "994")
        record.add_field(Field("035", [" ", " "], [Subfield("a", f"(LOCAL){number}")]))
        record.add_grouped_field(Field("500", Indicators(" ", " "), [Subfield("a", "Přidáno — 追加")]))
        record.add_ordered_field(Field("003", data="LOCAL"))
        if number % 5 == 0:
            record.fields.sort(key=lambda field: field.tag)
        if number % 7 == 0 and record.fields:
            record.remove_field(record.fields[-1])
        record.leader.encoding_level = "7"
        record.leader[5] = "c"
        records.append(record)

for name, writer_class in (("out.mrc", MARCWriter), ("out.xml", XMLWriter)):
    with open(name, "wb") as out:
        writer = writer_class(out)
        for record in records:
            writer.write(record)
        writer.close()
for name, text_writer_class in (("out.json", JSONWriter), ("out.mrk", TextWriter)):
    with open(name, "w", encoding="utf-8") as text_out:
        text_writer = text_writer_class(text_out)
        for record in records:
            text_writer.write(record)
        text_writer.close()

for record in records:
    print(
        record.title, record.author, record.isbn, record.issn, record.publisher, record.pubyear, record.sudoc, sep="|"
    )
    for group in (record.subjects, record.addedentries, record.series, record.notes, record.location):
        print(*map(Field.format_field, group), sep="; ")
    for pair in record.as_dict()["fields"]:
        for tag in pair:
            print(tag, end=" ")
    print(len(record.as_marc()), *record.physicaldescription)
again = list(MARCReader(io.BytesIO(b"".join(record.as_marc() for record in records))))
assert [list(map(str, record)) for record in again] == [list(map(str, record)) for record in records]
assert len(pymarc.parse_xml_to_array("out.xml")) == len(records)
