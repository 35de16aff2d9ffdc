"""pymarc-csv: records to CSV and back to MARC: python through_csv.py FILE

Its classes are derived from pymarc's Reader and Writer.
"""

import sys

from pymarc import MARCReader, MARCWriter, XMLWriter
from pymarc_csv import CSVReader, CSVWriter, as_csv, parse_csv_to_array

with open(sys.argv[1], "rb") as file:
    records = list(MARCReader(file))
with open("records.csv", "w", encoding="utf-8", newline="") as out:
    writer = CSVWriter(out)
    writer.write(records)
    writer.close()
for record in records:
    print(as_csv(record))
with open("again.mrc", "wb") as marc, open("again.xml", "wb") as xml:
    as_marc, as_xml = MARCWriter(marc), XMLWriter(xml)
    reader = iter(CSVReader("records.csv"))
    for number in range(len(records)):
        try:
            record = next(reader)
        except (IndexError, TypeError) as problem:  # fields without subfields, or with a $ in them
            print(number, type(problem))
            continue
        as_marc.write(record)
        as_xml.write(record)
    as_marc.close()
    as_xml.close()
print(len(parse_csv_to_array(as_csv(records[0]))), len(records))
