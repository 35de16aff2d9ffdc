"""The exceptions: pymarc's names, hierarchy, messages and constructors, and where libmarc says more."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest

import libmarc
from libmarc import exceptions

# name, parent, message; "" where the message is given at the raise
TREE = [
    ("PymarcException", "Exception", ""),
    ("FatalReaderError", "PymarcException", ""),
    ("RecordLengthInvalid", "FatalReaderError", "Invalid record length in first 5 bytes of record"),
    ("TruncatedRecord", "FatalReaderError", "Record length in leader is greater than the length of data"),
    ("EndOfRecordNotFound", "FatalReaderError", "Unable to locate end of record marker"),
    ("RecordLeaderInvalid", "PymarcException", "Unable to extract record leader"),
    ("RecordDirectoryInvalid", "PymarcException", "Invalid directory"),
    ("NoFieldsFound", "PymarcException", "Unable to locate fields in record data"),
    ("BaseAddressInvalid", "PymarcException", "Base address exceeds size of record"),
    ("BaseAddressNotFound", "PymarcException", "Unable to locate base address of record"),
    ("WriteNeedsRecord", "PymarcException", "Write requires a pymarc.Record object as an argument"),
    ("NoActiveFile", "PymarcException", "There is no active file to write to in call to write"),
    ("FieldNotFound", "PymarcException", "Record does not contain the specified field"),
    ("BadLeaderValue", "PymarcException", ""),
    ("MissingLinkedFields", "PymarcException", ""),
    ("BadSubfieldCodeWarning", "Warning", ""),
]
names = [name for name, _, _ in TREE]


@pytest.mark.parametrize(("name", "parent", "message"), TREE)
def test_hierarchy_and_messages(name: str, parent: str, message: str) -> None:
    kind = getattr(exceptions, name)
    assert getattr(libmarc, name) is kind
    assert [base.__name__ for base in kind.__bases__] == [parent]
    if message:
        problem = kind()
        assert str(problem) == message
        assert problem.args == ()
        with pytest.raises(kind, match=message):
            raise kind


def test_all_are_exported() -> None:
    ours = {
        name
        for name, kind in vars(exceptions).items()
        if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == exceptions.__name__
    }
    assert ours == {*names, "FormatError", "OversizeError", "RecordFormatError", "RecordTooLarge", "TooManyErrors"}
    assert ours <= set(libmarc.__all__)


def test_record_too_large_is_ours() -> None:
    assert issubclass(libmarc.RecordTooLarge, libmarc.FatalReaderError)
    assert "larger" in str(libmarc.RecordTooLarge())


@pytest.mark.parametrize("kind", [libmarc.PymarcException, libmarc.FatalReaderError, libmarc.BadLeaderValue])
def test_message_given_at_the_raise(kind: Any) -> None:
    assert str(kind("said here")) == "said here"
    assert str(kind()) == ""


def test_missing_linked_fields() -> None:
    field = libmarc.Field("245", ["1", "0"], [libmarc.Subfield("6", "880-01")])
    problem = libmarc.MissingLinkedFields(field)
    assert problem.field is field
    assert problem.args == (field,)
    assert str(problem) == "245 field includes a subfield 6 but no linked fields could be found."
    with pytest.raises(TypeError):
        libmarc.MissingLinkedFields()  # type: ignore[call-arg]


def test_bad_subfield_code_warning() -> None:
    warning = libmarc.BadSubfieldCodeWarning(b"\xc3\xa1x")
    assert warning.subf == b"\xc3\xa1x"
    assert warning.args == ()
    assert str(warning) == r"The subfield contained a non-ASCII subfield code: b'\xc3\xa1x'"
    assert not isinstance(warning, libmarc.PymarcException)


@pytest.mark.parametrize("name", [name for name, _, message in TREE if message] + ["RecordTooLarge"])
def test_exceptions_travel_with_their_place(name: str) -> None:
    """Between processes, and in copies."""
    problem = getattr(libmarc, name)()
    problem.byte_offset = 17
    for other in (pickle.loads(pickle.dumps(problem)), copy.copy(problem), copy.deepcopy(problem)):
        assert type(other) is type(problem)
        assert str(other) == str(problem)
        assert other.byte_offset == 17


def test_place_is_an_attribute_of_what_a_reader_gives_only() -> None:
    problem = libmarc.TruncatedRecord()
    assert {getattr(problem, name) for name in ("code", "record_index", "byte_offset", "tag", "chunk")} == {None}


def test_same_as_pymarc() -> None:
    pymarc = pytest.importorskip("pymarc", reason="pymarc, the oracle, is not installed")
    theirs = {
        name: kind
        for name, kind in vars(pymarc.exceptions).items()
        if inspect.isclass(kind) and issubclass(kind, Exception)
    }
    assert set(theirs) == set(names)
    for name, kind in theirs.items():
        ours = getattr(libmarc, name)
        assert [base.__name__ for base in ours.__mro__] == [base.__name__ for base in kind.__mro__]
        if name not in ("MissingLinkedFields", "BadSubfieldCodeWarning"):
            assert str(ours()) == str(kind())
            assert repr(ours()) == repr(kind())
    assert str(libmarc.BadSubfieldCodeWarning(b"\xe9")) == str(pymarc.exceptions.BadSubfieldCodeWarning(b"\xe9"))


def test_constants() -> None:
    assert (libmarc.LEADER_LEN, libmarc.DIRECTORY_ENTRY_LEN) == (24, 12)
    assert (libmarc.SUBFIELD_INDICATOR, libmarc.END_OF_FIELD, libmarc.END_OF_RECORD) == ("\x1f", "\x1e", "\x1d")
