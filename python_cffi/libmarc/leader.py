"""The leader of a record (MARC 21 "Leader"): 24 characters with names."""

from __future__ import annotations

from typing import overload

from libmarc.constants import LEADER_LEN
from libmarc.exceptions import BadLeaderValue, RecordLeaderInvalid


class _Part:
    """A part of the leader under its name: ``leader.record_status`` reads and writes position 5."""

    def __init__(self, begin: int, length: int = 1) -> None:
        self.begin = begin
        self.length = length

    def __set_name__(self, owner: type, name: str) -> None:
        self.__doc__ = f"{name.replace('_', ' ').capitalize()}: leader/{self.begin:02}"

    @overload
    def __get__(self, leader: None, owner: type) -> _Part: ...

    @overload
    def __get__(self, leader: Leader, owner: type) -> str: ...

    def __get__(self, leader: Leader | None, owner: type) -> str | _Part:
        if leader is None:
            return self
        return leader.leader[self.begin : self.begin + self.length]

    def __set__(self, leader: Leader, value: str) -> None:
        if len(value) != self.length:
            raise BadLeaderValue(f"leader/{self.begin:02} takes {self.length} character(s), not {value!r}")
        leader[self.begin] = value


class Leader:
    """A leader that can be changed, by position, slice or name.

    Leader("00475cas a2200169 i 4500")[5] is "c"; leader[0:4] is "0047"; leader["record_status"] is "c".
    RecordLeaderInvalid if it does not have 24 characters.
    """

    record_length = _Part(0, 5)
    record_status = _Part(5)
    type_of_record = _Part(6)
    bibliographic_level = _Part(7)
    type_of_control = _Part(8)
    coding_scheme = _Part(9)
    indicator_count = _Part(10)
    subfield_code_count = _Part(11)
    base_address = _Part(12, 5)
    encoding_level = _Part(17)
    cataloging_form = _Part(18)
    multipart_ressource = _Part(19)
    length_of_field_length = _Part(20)
    starting_character_position_length = _Part(21)
    implementation_defined_length = _Part(22)

    def __init__(self, leader: str) -> None:
        if len(leader) != LEADER_LEN:
            raise RecordLeaderInvalid
        self.leader = leader

    def __getitem__(self, item: str | int | slice) -> str:
        if isinstance(item, int | slice):
            return self.leader[item]
        value: str = getattr(self, item)
        return value

    def __setitem__(self, item: str | int | slice, value: str) -> None:
        """Writes `value` over the leader from a position, or the start of a slice, on."""
        if isinstance(item, str):
            setattr(self, item, value)
            return
        position: int = item.start if isinstance(item, slice) else item
        if position < 0:
            raise IndexError("a position in the leader is not negative")
        behind = position + len(value)
        if behind > LEADER_LEN:
            raise BadLeaderValue(f"{value!r} does not fit into the leader at {position}")
        self.leader = self.leader[:position] + value + self.leader[behind:]

    def __str__(self) -> str:
        return self.leader
