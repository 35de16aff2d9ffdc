"""The command `libmarc`, also `python -m libmarc`.

Exit status: 0 no problems, 1 problems found, 2 the file cannot be read or the command is wrong,
130 interrupted.
What is found goes to stdout, everything else to stderr; a failure is one line.
"""

from __future__ import annotations

import argparse
import logging
import os
import stat
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from libmarc._info import Heading, Summary, clean, gather, report
from libmarc._native import version
from libmarc._progress import progress_bar

OK, PROBLEMS, FAILED, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _info(options.file)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="libmarc", description="Reads MARC records (ISO 2709).")
    parser.add_argument("--version", action="version", version=f"libmarc {version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    info = commands.add_parser(
        "info",
        help="what a file holds, and what is wrong in it",
        description="Tells what a file of MARC records holds, and what is wrong in it.",
        epilog="Exit status: 0 no problems, 1 problems were found, 2 the file cannot be read.",
    )
    info.add_argument("file", metavar="FILE", help="a file of MARC records; - reads standard input")
    return parser


def _info(file: str) -> int:
    name = "standard input" if file == "-" else file
    try:
        with _quiet():
            summary = _read(file, name)
    except OSError as problem:
        return _fail(f"{clean(name)}: {problem.strerror or problem}")
    except Exception as problem:
        return _fail(f"{clean(name)}: {type(problem).__name__}: {clean(str(problem))}")
    status = _write(report(name, summary))
    return status or (PROBLEMS if summary.has_problems else OK)


@contextmanager
def _quiet() -> Iterator[None]:
    """The report says it all: no warning and no log line for each record."""
    logger = logging.getLogger("pymarc")
    before = logger.disabled
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.disabled = True
        try:
            yield
        finally:
            logger.disabled = before


def _read(file: str, name: str) -> Summary:
    source: Any = file
    if file == "-":
        if sys.stdin is None:
            raise OSError("it is closed")
        source = sys.stdin.buffer
    with progress_bar(clean(os.path.basename(name) or name), _size_of(source)) as advance:
        return gather(source, advance)


def _size_of(source: Any) -> int | None:
    """The bytes of a file; None for pipes and the like."""
    try:
        state = os.stat(source if isinstance(source, str) else source.fileno())
    except OSError:
        return None  # opening it says why
    return state.st_size if stat.S_ISREG(state.st_mode) else None


def _write(lines: Iterable[str]) -> int:
    """Prints the lines. A reader who has gone away (`| head`) has seen enough; a full disk is a failure."""
    out = sys.stdout
    if out is None:
        return OK
    if hasattr(out, "reconfigure"):
        out.reconfigure(errors="backslashreplace")
    bold = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    try:
        for line in lines:
            out.write(f"\x1b[1m{line}\x1b[0m\n" if bold and isinstance(line, Heading) else f"{line}\n")
        out.flush()
    except OSError as problem:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())  # what is still in the buffer goes nowhere
        return OK if isinstance(problem, BrokenPipeError) else _fail(f"standard output: {problem.strerror}")
    return OK


def _fail(message: str, status: int = FAILED) -> int:
    if sys.stderr is not None:
        print(f"libmarc: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
