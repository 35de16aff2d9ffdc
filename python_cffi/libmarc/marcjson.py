"""Records from MARC-in-JSON, with pymarc's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from libmarc._names import name_of_package
from libmarc._text_readers import JSONReader, json_record
from libmarc.record import Record

if not TYPE_CHECKING:  # type checkers find what is misspelt

    def __getattr__(name: str) -> Any:
        return name_of_package(__name__, name)


class JSONHandler:
    """Makes records from MARC-in-JSON objects that were loaded. `records` collects them, or a process_record() of your
    own has each in its turn."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def element(self, element_dict: dict[str, Any], name: str | None = None) -> None:
        """Makes a record of one object. (`name` is of no use; it is pymarc's.)"""
        self.process_record(json_record(element_dict))

    def elements(self, dict_list: Any) -> list[Record]:
        """Makes records of a list of objects, or of one object. Returns `records`."""
        for element in dict_list if isinstance(dict_list, list) else [dict_list]:
            self.element(element)
        return self.records

    def process_record(self, record: Record) -> None:
        """Has each record in its turn; adds it to `records`."""
        self.records.append(record)


def parse_json_to_array(json_file: Any) -> list[Record]:
    """All records of a file, path or text with MARC-in-JSON."""
    return JSONHandler().elements(JSONReader(json_file).records)
