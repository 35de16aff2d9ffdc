"""Leader: read and written by position, slice and name; pymarc's answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as property_of
from hypothesis import settings
from hypothesis import strategies as st
from support import book, given

import libmarc
from libmarc import BadLeaderValue, Leader, MARCReader, RecordLeaderInvalid

TEXT = "00475cas a2200169 i 4500"
PARTS = {
    "record_length": (0, 5),
    "record_status": (5, 1),
    "type_of_record": (6, 1),
    "bibliographic_level": (7, 1),
    "type_of_control": (8, 1),
    "coding_scheme": (9, 1),
    "indicator_count": (10, 1),
    "subfield_code_count": (11, 1),
    "base_address": (12, 5),
    "encoding_level": (17, 1),
    "cataloging_form": (18, 1),
    "multipart_ressource": (19, 1),
    "length_of_field_length": (20, 1),
    "starting_character_position_length": (21, 1),
    "implementation_defined_length": (22, 1),
}
every_part = pytest.mark.parametrize("name", PARTS)


@pytest.fixture
def leader() -> Leader:
    return Leader(TEXT)


@pytest.mark.parametrize("text", ["", "x", TEXT[:-1], TEXT + "0"])
def test_other_lengths_are_refused(text: str) -> None:
    with pytest.raises(RecordLeaderInvalid, match="Unable to extract record leader"):
        Leader(text)


def test_as_text(leader: Leader) -> None:
    assert str(leader) == leader.leader == TEXT
    assert f"{leader}" == TEXT


@every_part
def test_parts_are_read_by_name(leader: Leader, name: str) -> None:
    begin, length = PARTS[name]
    assert getattr(leader, name) == TEXT[begin : begin + length] == leader[name]


def test_parts_are_read_by_position(leader: Leader) -> None:
    assert [leader[at] for at in range(24)] == list(TEXT)
    assert leader[-1] == "0"
    assert leader[0:4] == "0047"
    assert leader[:5] == "00475"
    assert leader[::2] == TEXT[::2]
    assert leader[:] == TEXT
    with pytest.raises(IndexError):
        leader[24]
    sequence: Any = leader
    assert [*sequence] == list(TEXT)


@every_part
def test_parts_are_written_by_name(leader: Leader, name: str) -> None:
    begin, length = PARTS[name]
    expected = TEXT[:begin] + "9" * length + TEXT[begin + length :]
    setattr(leader, name, "9" * length)
    assert str(leader) == expected
    other = Leader(TEXT)
    other[name] = "9" * length
    assert str(other) == expected


@every_part
@pytest.mark.parametrize("change", [-1, 1])
def test_parts_of_other_lengths_are_refused(leader: Leader, name: str, change: int) -> None:
    length = PARTS[name][1] + change
    with pytest.raises(BadLeaderValue):
        setattr(leader, name, "9" * length)
    with pytest.raises(BadLeaderValue):
        leader[name] = "9" * length
    assert str(leader) == TEXT


def test_written_by_position(leader: Leader) -> None:
    leader[5] = "d"
    assert str(leader) == "00475das a2200169 i 4500"
    leader[5] = "xyz"  # several characters go over what follows
    assert str(leader) == "00475xyz a2200169 i 4500"
    leader[0:5] = "12345"
    assert str(leader) == "12345xyz a2200169 i 4500"
    leader[0:99] = "6"  # the end of a slice says nothing
    assert str(leader) == "62345xyz a2200169 i 4500"
    leader[20:24] = "9999"
    assert str(leader) == "62345xyz a2200169 i 9999"
    leader[23] = ""
    assert str(leader) == "62345xyz a2200169 i 9999"


def test_written_out_of_range(leader: Leader) -> None:
    for at, value in ((24, "x"), (23, "xy"), (0, "x" * 25)):
        with pytest.raises(BadLeaderValue):
            leader[at] = value
    with pytest.raises(IndexError):
        leader[-1] = "x"
    with pytest.raises(IndexError):
        leader[-3:] = "x"
    assert str(leader) == TEXT


def test_identity_and_no_length(leader: Leader) -> None:
    assert leader != Leader(TEXT)
    assert {leader: 1}[leader] == 1
    with pytest.raises(TypeError):
        len(leader)  # type: ignore[arg-type]


def test_other_names_are_refused(leader: Leader) -> None:
    with pytest.raises(AttributeError):
        leader["no_such_part"]


def test_names_can_be_asked_of_the_class() -> None:
    """As help(), documentation tools and mock objects do it."""
    for name in PARTS:
        assert getattr(Leader, name) is not None
        assert getattr(Leader, name).__doc__


def test_of_a_record_that_was_read() -> None:
    raw = book(1)
    record = given(MARCReader(raw))
    assert isinstance(record.leader, Leader)
    assert str(record.leader) == raw[:24].decode()
    assert record.leader is record.leader
    assert record.leader.record_length == f"{len(raw):05}"
    record.leader.record_status = "d"
    assert record.leader[5] == "d"
    assert record.raw == raw


@settings(deadline=None)
@property_of(st.lists(st.tuples(st.integers(-2, 25), st.text("abc0 ", max_size=6)), max_size=6), st.booleans())
def test_any_writing_as_in_pymarc(writes: list[tuple[int, str]], by_slice: bool) -> None:
    pymarc = pytest.importorskip("pymarc", reason="pymarc, the oracle, is not installed")
    leaders: tuple[Any, Any] = (Leader(TEXT), pymarc.Leader(TEXT))
    for at, value in writes:
        outcomes = []
        for leader in leaders:
            try:
                leader[slice(at, at + 1) if by_slice else at] = value
                outcomes.append(str(leader))
            except (IndexError, libmarc.PymarcException, pymarc.exceptions.PymarcException) as problem:
                outcomes.append(type(problem).__name__)
        assert outcomes[0] == outcomes[1]
    assert str(leaders[0]) == str(leaders[1])
    assert all(getattr(leaders[0], name) == getattr(leaders[1], name) for name in PARTS)
