"""Texts that a native call makes of a whole batch (`marc_text`), as Python strings."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from libmarc._native import ffi, lib, new_error, raise_error

_TEXT_VIEW_SIZE = ffi.sizeof("marc_text_view")
_ABSENT = "\x1f"


def call_text(function: Any, batch: Any, *arguments: Any) -> Any:
    """The `marc_text` that a native function makes of a batch."""
    error = new_error()
    out = ffi.new("marc_text **")
    if function(batch, *arguments, out, error) != lib.MARC_OK:
        raise_error(error)
    return ffi.gc(out[0], lib.marc_text_free)


def _view_of(text: Any) -> Any:
    view = ffi.new("marc_text_view *")
    view.struct_size = _TEXT_VIEW_SIZE
    lib.marc_text_get_view(text, view)
    return view


def split_text(text: Any) -> list[str | None]:
    """The entries of a `marc_text`; None for an absent one."""
    view = _view_of(text)
    content = ffi.buffer(view.data, view.data_length)
    entries: list[str | None]
    if view.splits:
        entries = [*str(content, "utf-8").split("\x1d")]
        entries.pop()  # behind the last separator
    else:
        starts = ffi.unpack(view.start, view.count + 1)
        entries = [content[begin : end - 1].decode("utf-8") for begin, end in pairwise(starts)]
    if view.absent:
        entries = [None if entry == _ABSENT else entry for entry in entries]
    return entries


class Entries:
    """The entries of a `marc_text`, each made into a str when it is asked for."""

    __slots__ = ("_data", "_has_absent", "_starts", "_text")

    def __init__(self, text: Any) -> None:
        self._text = text  # owns the memory
        view = _view_of(text)
        self._data = ffi.buffer(view.data, view.data_length)
        self._has_absent = view.absent > 0
        self._starts: list[int] = ffi.unpack(view.start, view.count + 1)

    def read(self, number: int) -> str | None:
        """An entry; None for an absent one."""
        starts = self._starts
        entry = self._data[starts[number] : starts[number + 1] - 1]
        return None if self._has_absent and entry == b"\x1f" else str(entry, "utf-8")
