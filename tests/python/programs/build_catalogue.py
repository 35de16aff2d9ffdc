"""retrocat: builds the records of a library's books, with titles and authors of FILE: python build_catalogue.py FILE"""

import sys
from datetime import date

from pymarc import MARCReader
from retrocat.config import LibraryConfig
from retrocat.lookup import BookMetadata
from retrocat.marc_build import ResourceGroup, build_marc_file

with open(sys.argv[1], "rb") as file:
    groups = [
        ResourceGroup(
            canonical_isbn=record.isbn or "",
            metadata=BookMetadata(
                isbn13=record.isbn or "", title=record.title, author=record.author, call_number=f"QA{number}"
            ),
            barcodes=[f"B{number}", f"C{number}"][: 1 + number % 2],
        )
        for number, record in enumerate(MARCReader(file))
        if record is not None and record.title
    ]
library = LibraryConfig(home_library="Main", location="Stacks", status="Available")
for record in build_marc_file(groups, "catalogue.mrc", library, build_date=date(2024, 2, 29)):
    print(record)
