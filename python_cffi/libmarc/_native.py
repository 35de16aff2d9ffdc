"""The way to libmarc.so: the cffi module, and its statuses as Python exceptions."""

from __future__ import annotations

import io
import os
from typing import Any, NoReturn

from libmarc._ffi import ffi, lib
from libmarc.exceptions import FormatError, OversizeError

__all__ = ["code_message", "error_of", "ffi", "lib", "new_error", "new_options", "raise_error", "unpack_tag", "version"]


def new_error() -> Any:
    """A `marc_error` for a call to fill."""
    error = ffi.new("marc_error *")
    lib.marc_error_init(error, ffi.sizeof("marc_error"))
    return error


def new_options(**values: int) -> Any:
    """`marc_reader_options` with the defaults, and these values."""
    options = ffi.new("marc_reader_options *")
    lib.marc_reader_options_init(options, ffi.sizeof("marc_reader_options"))
    for name, value in values.items():
        try:
            setattr(options, name, value)
        except OverflowError as problem:
            raise ValueError(f"{name} is out of range: {value}") from problem
    return options


def raise_error(error: Any, filename: str | bytes | None = None) -> NoReturn:
    """Raises what a failed call has put into `error`, as Python names such a failure."""
    raise error_of(error, filename)


def error_of(error: Any, filename: str | bytes | None = None) -> Exception:
    """What a failed call has put into `error`, as Python names such a failure."""
    message = str(ffi.string(error.message), "utf-8", "replace")
    if error.code == lib.MARC_E_IO:
        number = int(error.detail)
        return OSError(number, os.strerror(number), filename)
    if error.code == lib.MARC_E_NOMEM:
        return MemoryError(message)
    if error.code == lib.MARC_E_TOO_LARGE:
        return OversizeError(message, str(ffi.string(error.tag), "latin-1") or None, int(error.detail))
    if error.code in (lib.MARC_E_ARGUMENT, lib.MARC_E_UNWRITABLE):
        return ValueError(message)
    if error.code == lib.MARC_E_FORMAT:
        return FormatError(message, error.record_index, error.byte_offset, error.line, error.column)
    if error.code == lib.MARC_E_UNSUPPORTED:
        return io.UnsupportedOperation(message)
    return RuntimeError(message)


def code_message(code: int) -> str:
    """One line on a code."""
    return str(ffi.string(lib.marc_code_message(code)), "utf-8")


def version() -> str:
    """The version of libmarc.so."""
    return str(ffi.string(lib.marc_version_string()), "ascii")


def unpack_tag(packed: int) -> str:
    """The three characters of a packed tag."""
    return packed.to_bytes(4, "little")[:3].decode("latin-1")
