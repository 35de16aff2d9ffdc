"""Real files that tests read where they are: the corpus beside the checkout, and the Library of Congress file."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("LIBMARC_SHARED") or ROOT.parent / "shared")
CACHE = Path(
    os.environ.get("LIBMARC_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "libmarc"
)
LOC_NAME = "BooksAll.2016.part01.utf8"


@cache
def corpus_files() -> list[Path]:
    """Every binary file of the corpus; [] where it is absent."""
    if not (SHARED / "corpus").is_dir():
        return []
    files = sorted(path for path in (SHARED / "corpus").glob("*/*") if path.suffix not in (".xml", ".json", ".mrk"))
    return [path for path in files if b"\x1d" in path.read_bytes()]


def need_corpus() -> list[Path]:
    """The files, or the test is skipped aloud."""
    files = corpus_files()
    if not files:
        pytest.skip(f"the corpus is not at {SHARED / 'corpus'} (LIBMARC_SHARED names the folder)")
    return files


def loc_file() -> Path:
    """The Library of Congress file, or the test is skipped aloud."""
    path = CACHE / LOC_NAME
    if not path.is_file():
        pytest.skip(f"{LOC_NAME} is not in the cache (tools/fetch_loc.py gets it from PyPI)")
    return path


def head_of(path: Path, records: int) -> bytes:
    """The first records of a sound file."""
    with path.open("rb") as file:
        content = file.read(records * 4096)
    end = -1
    for _ in range(records):
        found = content.find(b"\x1d", end + 1)
        if found < 0:
            break
        end = found
    return content[: end + 1]
