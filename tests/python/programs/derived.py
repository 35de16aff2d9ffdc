"""Classes derived from pymarc's: python derived.py FILE"""

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pymarc
from pymarc import Field, MARCReader, MARCWriter, Record, Subfield
from pymarc.marcxml import XmlHandler


class Holding(Field):
    """A field that knows where a book stands."""

    def __init__(self, tag: str, shelf: str, **rest: Any) -> None:
        super().__init__(tag, indicators=pymarc.Indicators(" ", "1"), subfields=[Subfield("b", shelf)], **rest)
        self.shelf = shelf

    def __str__(self) -> str:
        return f"<{self.shelf}> {super().__str__()}"


class Book(Record):
    """A record with more properties, one of them in place of pymarc's own."""

    loans = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        self.added: list[str] = []
        super().__init__(*args, **options)

    @property
    def title(self) -> str:
        return f"«{super().title}»"

    @property
    def number(self) -> str:
        return self["001"].data or "" if "001" in self else "none"

    def add_field(self, *fields: Field) -> None:
        self.added.extend(field.tag for field in fields)
        super().add_field(*fields)


class BookReader(MARCReader):
    """Delivers books, and counts."""

    def __init__(self, file: Any) -> None:
        super().__init__(file, hide_utf8_warnings=True)
        self.seen = 0

    def __next__(self) -> Any:
        record = super().__next__()
        self.seen += 1
        return record


class Filter(MARCReader):
    """A generator in place of the iterator."""

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                record = MARCReader.__next__(self)
            except StopIteration:
                return
            if record is not None and "700" in record:
                yield record


class CountingWriter(MARCWriter):
    """Counts tags."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.tags: Counter[str] = Counter()

    def write(self, record: Record) -> None:
        self.tags.update(field.tag for field in record)
        super().write(record)


class TitleHandler(XmlHandler):
    """Keeps titles only."""

    def process_record(self, record: Record) -> None:
        self.records.append(record.title)  # type: ignore[arg-type]


with open(sys.argv[1], "rb") as file, open("books.mrc", "wb") as out, open("books.xml", "wb") as xml:
    reader, writer, as_xml = BookReader(file), CountingWriter(out), pymarc.XMLWriter(xml)
    for record in reader:
        book = Book(record.as_marc(), force_utf8=True)
        assert isinstance(book, Record)
        book.add_field(Holding("852", book.number))
        book.add_ordered_field(Holding("852", "second"))
        book.loans += 1
        print(book.number, book.title, book["852"], type(book["852"]).__name__, book.added, book.loans)
        writer.write(book)
        as_xml.write(book)
    writer.close(close_fh=False)
    as_xml.close(close_fh=False)
    print(reader.seen, sorted(writer.tags.items()))

with open("books.mrc", "rb") as file:
    print([record.author for record in Filter(file)])
handler = TitleHandler()
pymarc.parse_xml("books.xml", handler)
print(handler.records)
