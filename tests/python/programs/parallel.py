"""Records that cross to other processes and come back: python parallel.py FILE

Reads, changes records in pools of processes that were forked and spawned, and writes what comes back.
"""

import copy
import multiprocessing
import pickle
import sys

import pymarc


def change(record: pymarc.Record) -> tuple[pymarc.Record, str, list[pymarc.Field]]:
    """A changed record, its title, and fields on their own."""
    record.remove_fields("900", "901")
    record.add_ordered_field(
        pymarc.Field("599", pymarc.Indicators(" ", "9"), [pymarc.Subfield("a", f"Changed: {record.title}")])
    )
    return record, str(record.title), record.get_fields("245", "599")


def main(path: str) -> None:
    with open(path, "rb") as file:
        records = list(pymarc.MARCReader(file))
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool, open(f"{method}.mrc", "wb") as out:
            for record, title, fields in pool.imap(change, records, chunksize=20):
                print(title, *fields, sep="\n")
                out.write(record.as_marc())
    for record in records:
        again = pickle.loads(pickle.dumps(record))
        deep = copy.deepcopy(record)
        assert again.as_marc() == deep.as_marc() == record.as_marc()
        assert str(again.leader) == str(record.leader)
        assert str(again) == str(deep) == str(record)
        deep.fields[0].data = "changed"
        assert str(deep) != str(record)


if __name__ == "__main__":
    main(sys.argv[1])
