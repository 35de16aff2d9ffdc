"""marcx: its record is derived from pymarc's; built from one, searched, changed, written: python with_marcx.py FILE"""

import sys

import marcx
from pymarc import MARCReader, MARCWriter

with open(sys.argv[1], "rb") as file, open("changed.mrc", "wb") as out:
    writer = MARCWriter(out)
    for number, plain in enumerate(MARCReader(file)):
        record = marcx.Record.from_record(plain)
        print(record.values("020.a", "100.a", "245.a", "650"), record.firstvalue("001"), record.has("700.a"))
        print(record.test("020.a", lambda value: value.startswith("978")), record.flatten())
        record.add("980", a=str(number), b=["x", "ü"])
        record.add("008", data="a note") if number % 3 else record.remove("500.a")
        record.remove("300")
        print(len(record.remove_field_if("650.a", lambda value: "e" in value)), record)
        writer.write(record if number % 2 else record.to_record())
        empty = marcx.Record(force_utf8=True)
        empty.add("245", a="Only this", c=f"{number}")
        writer.write(empty)
    writer.close()
