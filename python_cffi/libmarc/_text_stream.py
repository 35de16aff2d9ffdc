"""Text out of a binary or text stream, piece by piece, with the place that has been reached."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

from libmarc._callbacks import given

#: Characters, or bytes, that are asked for at once.
CHUNK = 1 << 18

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(head: bytes) -> str:
    """The encoding of a text that begins so: by its byte order mark, or by the zeros in ASCII; else UTF-8."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if len(head) >= 4 and head[0] and not head[1] and head[2] and not head[3]:
        return "utf-16-le"
    if len(head) >= 4 and not head[0] and head[1] and not head[2] and head[3]:
        return "utf-16-be"
    return "utf-8"


class TextStream:
    """Gives the text of a stream in pieces. `read(size)` of the stream gives str, or bytes in `encoding`; without one
    they say themselves in which. What the stream raises comes out unchanged; the next call goes on."""

    def __init__(self, read: Callable[[int], Any], encoding: str | None = None) -> None:
        self._read = read
        self._encoding = encoding
        self._decoder: codecs.IncrementalDecoder | None = None
        self._head = b""
        self.ended = False
        self.failure: UnicodeDecodeError | None = None  # why it has ended, where bytes follow that are no text

    def next_text(self) -> str:
        """The next piece, which may be ""; `ended` says whether another one follows. Bytes that are no text end it,
        behind all that stands before them; `failure` says so."""
        if self.ended:
            return ""
        try:
            content = given(self._read(CHUNK))
        except UnicodeDecodeError as problem:  # of a text file
            return self._fail(problem)
        ended = not content
        if isinstance(content, str):
            text = content
        elif self._decoder is None and not ended and len(self._head) + len(content) < 4:
            self._head += bytes(content)
            return ""
        else:
            text = self._decode(bytes(content), ended)
        self.ended = ended or self.failure is not None
        return text

    def _decode(self, content: bytes, ended: bool) -> str:
        head, self._head = self._head, b""
        if self._decoder is None:
            name = self._encoding or encoding_of(head + content)
            self._decoder = codecs.getincrementaldecoder(name)("strict")
        content = head + content
        state = self._decoder.getstate()
        try:
            return self._decoder.decode(content, ended)
        except UnicodeDecodeError as problem:
            self._fail(problem)
            self._decoder.setstate(state)
            # (Bytes that the decoder had kept stand before `content` in the problem's object.)
            good = problem.start - len(problem.object) + len(content)
            return self._decoder.decode(content[:good]) if good > 0 else ""

    def _fail(self, problem: UnicodeDecodeError) -> str:
        self.ended, self.failure = True, problem
        return ""
