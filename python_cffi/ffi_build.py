"""Writes the C source of ``libmarc._ffi``, the module through which Python calls libmarc.so (cffi, API mode).

The declarations are those of marc.h itself, the part between its two marker comments, as it stands. There is
no second list of them. The build calls this file; ``--suffix`` tells it how the module is named for the
running interpreter.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import sysconfig
from pathlib import Path

import cffi

MODULE = "libmarc._ffi"
HEADER = Path(__file__).resolve().parent.parent / "capi" / "include" / "marc" / "marc.h"
BEGIN = "/* [marc-abi-begin] */"
END = "/* [marc-abi-end] */"

# The read callbacks (marc_read_fn, marc_read_at_fn) that Python gives to the library.
CALLBACKS = """
extern "Python" int64_t libmarc_read(void *, uint8_t *, size_t);
extern "Python" int64_t libmarc_read_at(void *, uint64_t, uint8_t *, size_t);
"""

# What Python needs in C beside the library: the destructor of a slot that holds a batch. In Python it could be
# interrupted by a signal before it releases anything.
HELPERS = """
static void libmarc_release_slot(void *slot) { marc_batch_release(*(const marc_batch *const *)slot); }
"""
HELPER_DECLARATIONS = """
void libmarc_release_slot(void *);
"""


def abi(header: Path = HEADER) -> str:
    """The declarations of marc.h, between its markers."""
    _, begin, rest = header.read_text(encoding="utf-8").partition(BEGIN)
    declarations, end, _ = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{header}: the markers {BEGIN} and {END} are not there")
    return declarations


def builder(header: Path = HEADER) -> cffi.FFI:
    """The module as cffi sees it."""
    ffi = cffi.FFI()
    ffi.cdef(abi(header) + CALLBACKS + HELPER_DECLARATIONS)
    ffi.set_source(MODULE, f"#include <marc/marc.h>\n{HELPERS}")
    return ffi


def module_suffix() -> str:
    """``.abi3.so`` where cffi compiles for the stable ABI of CPython, the interpreter's own suffix elsewhere.

    cffi does not use the stable ABI on PyPy, in free-threaded interpreters and in debug builds.
    """
    own = sysconfig.get_config_var("EXT_SUFFIX") or ".so"
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    debug = bool(sysconfig.get_config_var("Py_DEBUG"))
    stable = sys.implementation.name == "cpython" and not free_threaded and not debug
    return ".abi3.so" if stable else str(own)


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes the C source of libmarc._ffi.")
    parser.add_argument("--header", type=Path, default=HEADER, help="marc.h")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--output", type=Path, help="the C file to write")
    what.add_argument("--suffix", action="store_true", help="print the suffix of the module's file name")
    arguments = parser.parse_args()
    if arguments.suffix:
        print(module_suffix(), end="")
    else:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.redirect_stdout(io.StringIO()):  # cffi reports each file that it writes
            builder(arguments.header).emit_c_code(str(arguments.output))
        arguments.output.touch()  # cffi leaves an unchanged file alone; the build wants it newer than marc.h


if __name__ == "__main__":
    main()
