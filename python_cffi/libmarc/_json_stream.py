"""MARC-in-JSON from a stream, an object after the other: of an array, one in each line, or one behind the other.

The text is kept from the object that is being read on, and nothing before it. An object that is not complete is tried
again when the text has doubled, or when what came ends as an object may end, within a budget: so the work is
proportional to the text, whatever the sizes in which it comes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from libmarc._text_stream import TextStream
from libmarc.exceptions import FormatError, RecordFormatError

_decode = json.JSONDecoder(strict=False).raw_decode  # pymarc allows control characters in strings, too
_pass_over = json.JSONDecoder(strict=False, parse_int=len).raw_decode  # takes integers of any size
#: What a number begins with, and what any value does.
_NUMBERS = "-0123456789"
_BEGINNINGS = f'{{["tfnNI{_NUMBERS}'
_IN_NUMBER = re.compile(r"[-+.eE0-9]*")
_SPACE = re.compile(r"[ \t\r\n]*")
#: Behind an error that stands so many characters before the end of the text, nothing that follows can mend it.
_MENDABLE = 16
#: For each character that was read, so many may be looked at in vain.
_BUDGET = 8


class JSONFormatError(FormatError, json.JSONDecodeError):
    """A FormatError that is also what json.load() raises, for programs that expect that from a JSONReader. ``pos``
    counts the characters from 0; ``doc`` is "", since the text before is not kept."""

    def __init__(self, message: str, record_index: int, pos: int, line: int, column: int) -> None:
        super().__init__(message, record_index, None, line, column)
        self.msg, self.doc, self.pos, self.lineno, self.colno = message, "", pos, line, column

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.record_index, self.pos, self.lineno, self.colno), vars(self)


class JSONStream:
    """An iterator over the JSON values of a stream, which should be objects. FormatError where it is no JSON, behind
    the values before that place; the iterator has ended then. RecordFormatError for a value with an integer of more
    digits than Python takes; the next call goes on behind it. What the stream raises comes out unchanged, and the next
    call goes on."""

    def __init__(
        self, read: Callable[[int], Any], encoding: str | None = None, largest: int = 64 << 20, begin: str = ""
    ) -> None:
        """`read`: as TextStream takes it, and `encoding`. `largest`: characters of an object. `begin`: text before."""
        self._stream = TextStream(read, encoding)
        self._largest = largest
        self._text = begin
        self._at = 0  # what is before it has been read
        self._more: list[str] = []  # text behind `_text`
        self._waiting = 0  # characters of it
        self._read_in_all = len(begin)
        self._tried_in_all = 0
        self._in_array = False
        self._wants_comma = False
        self._ended = False
        self.count = 0  # objects that were passed, read or not
        self._line, self._column, self._before = 1, 1, 0  # of `_text[0]`

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._ended:
            raise StopIteration
        while not self._is_at_value():
            if self._stream.ended:
                self._ended = True
                self._raise_failure()
                if self._in_array:
                    raise self._error("the array has no end", len(self._text))
                raise StopIteration
            self._fetch()
        if self._text[self._at] not in _BEGINNINGS:
            self._ended = True
            raise self._error("an object is expected here", self._at)
        return self._read_value()

    def _is_at_value(self) -> bool:
        """Goes on to the next value, as far as there is text. False if more is needed, or nothing follows."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at == len(self._text):
                return False
            char = self._text[self._at]
            if char == "\ufeff" and self._before + self._at == 0:
                pass
            elif char == "[" and not self._in_array:
                self._in_array, self._wants_comma = True, False
            elif char == "]" and self._in_array:
                self._in_array = False
            elif char == "," and self._in_array and self._wants_comma:
                self._wants_comma = False
            else:
                if self._in_array and self._wants_comma:
                    self._ended = True
                    raise self._error("a comma is expected here", self._at)
                return True
            self._at += 1

    def _read_value(self) -> Any:
        while True:
            try:
                value, end, oversize = _try(self._text, self._at)
            except json.JSONDecodeError as problem:
                self._tried_in_all += len(self._text) - self._at
                is_final = _is_final(problem, len(self._text))
                if self._stream.ended or is_final:
                    self._ended = True
                    if not is_final:
                        self._raise_failure()
                    raise self._error(problem.msg, problem.pos) from problem
            except RecursionError as problem:
                self._ended = True
                raise self._error("it nests too deep", self._at) from problem
            else:
                if self._may_go_on(end):
                    self._fetch_enough()
                    continue
                begin, self._at = self._at, end
                self._wants_comma = True
                if oversize is not None:
                    error = self._error(str(oversize), begin, RecordFormatError)
                    self.count += 1
                    raise error from oversize
                self.count += 1
                return value
            self._fetch_enough()

    def _may_go_on(self, end: int) -> bool:
        """Whether the value is a number, which ends there, and the text that is there may have only a part of it."""
        if self._text[self._at] not in _NUMBERS or self._stream.ended:
            return False
        return _IN_NUMBER.match(self._text, end).end() == len(self._text)  # type: ignore[union-attr]

    def _fetch_enough(self) -> None:
        """More text, until it is worth while to try again."""
        size = len(self._text) - self._at
        if size > self._largest:
            self._ended = True
            raise self._error(f"an object of more than {self._largest} characters; see largest_record", self._at)
        while not self._stream.ended:
            text = self._fetch_part()
            whole = size + self._waiting
            is_paid = self._tried_in_all + whole <= _BUDGET * self._read_in_all
            if self._waiting >= size or (is_paid and text.rstrip(" \t\r\n,]").endswith("}")):
                break
        self._join()

    def _fetch(self) -> None:
        self._fetch_part()
        self._join()

    def _fetch_part(self) -> str:
        text = self._stream.next_text()
        self._more.append(text)
        self._waiting += len(text)
        self._read_in_all += len(text)
        return text

    def _raise_failure(self) -> None:
        """Where the text ends because bytes follow that are none: the objects before them have been given."""
        problem = self._stream.failure
        if problem is not None:
            raise self._error(f"this is no text: {problem.reason}", len(self._text)) from problem

    def _join(self) -> None:
        """Drops the text that has been read, and puts what came behind the rest."""
        self._line, self._column = self._place_of(self._at)
        self._before += self._at
        self._text = "".join([self._text[self._at :], *self._more])
        self._at = self._waiting = 0
        self._more = []

    def _place_of(self, at: int) -> tuple[int, int]:
        """Line and column of a place in the text, from 1."""
        lines = self._text.count("\n", 0, at)
        if lines == 0:
            return self._line, self._column + at
        return self._line + lines, at - self._text.rfind("\n", 0, at)

    def _error(self, what: str, at: int, kind: type[FormatError] | None = None) -> FormatError:
        line, column = self._place_of(at)
        message = f"this is no MARC-in-JSON: {what} (character {self._before + at}, line {line}, column {column})"
        if kind is None:
            return JSONFormatError(message, self.count, self._before + at, line, column)
        return kind(message, self.count, None, line, column)


def _try(text: str, at: int) -> tuple[Any, int, ValueError | None]:
    """The object there, where it ends, and why it cannot be had, if only an integer in it is too large."""
    try:
        return (*_decode(text, at), None)
    except json.JSONDecodeError:
        raise
    except ValueError as problem:
        return None, _pass_over(text, at)[1], problem


def _is_final(problem: json.JSONDecodeError, size: int) -> bool:
    """Whether no text that follows can mend what is wrong. (The place of a string without an end is its beginning.)"""
    return problem.pos + _MENDABLE < size and not problem.msg.startswith("Unterminated string")
