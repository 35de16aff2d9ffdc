"""Fixtures of all Python tests."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import generated

# Where the tests run in the background of a script, Ctrl-C is ignored, and each child process would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_frames_of_exceptions(request: pytest.FixtureRequest) -> Iterator[None]:
    """An exception that is a parameter lives as long as the tests do, and so would all readers in its traceback."""
    yield
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    for value in parameters.values():
        if isinstance(value, BaseException):
            value.__traceback__ = value.__context__ = None


@pytest.fixture(scope="session")
def mixed() -> bytes:
    """400 sound records in UTF-8 and MARC-8: about 600 KB."""
    return generated("mixed", 400)


@pytest.fixture(scope="session")
def damaged() -> bytes:
    """200 records, every tenth damaged, with junk and silent bytes between them."""
    return generated("damaged", 200)


@pytest.fixture
def marc_file(tmp_path: Path, mixed: bytes) -> Path:
    """A file of sound records."""
    path = tmp_path / "mixed.mrc"
    path.write_bytes(mixed)
    return path


@pytest.fixture
def damaged_file(tmp_path: Path, damaged: bytes) -> Path:
    path = tmp_path / "damaged.mrc"
    path.write_bytes(damaged)
    return path
