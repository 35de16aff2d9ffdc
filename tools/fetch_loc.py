"""Fetches pymarc's source distribution, and the Library of Congress records that it carries (250 000, 242 MB).

Both go to a cache outside the checkout: LIBMARC_CACHE, else libmarc/ in XDG_CACHE_HOME or ~/.cache. Where
they cannot be had this says so in one line and ends well: the tests that need them are skipped, and say so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

NAME = "BooksAll.2016.part01.utf8"
RELEASE = "pymarc==5.4.0"
SDIST = "pymarc-5.4.0.tar.gz"
MEMBER = f"pymarc-5.4.0/{NAME}"
SIZE_AT_LEAST = 200_000_000


def cache_folder() -> Path:
    own = os.environ.get("LIBMARC_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "libmarc"


def download(folder: Path) -> Path:
    """pip's own copy of the source distribution; raises CalledProcessError or TimeoutExpired."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
    probe = ["--timeout", "4", "--retries", "0", "--no-deps", "--dest", str(folder / "probe"), RELEASE]
    # A wheel of 160 KB first: where there is no network, this is known within seconds.
    subprocess.run([*pip, *probe], check=True, capture_output=True, timeout=10)
    whole = ["--no-deps", "--no-binary", ":all:", "--dest", str(folder), RELEASE]
    subprocess.run([*pip, *whole], check=True, capture_output=True, timeout=900)
    return folder / SDIST


def extract(sdist: Path, target: Path) -> None:
    """Takes the file out of the source distribution; it appears under its name only when it is complete."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with tarfile.open(sdist) as archive:
            member = archive.extractfile(MEMBER)
            if member is None:
                raise KeyError(MEMBER)
            with member, partial.open("wb") as out:
                shutil.copyfileobj(member, out, 1 << 20)
        if partial.stat().st_size < SIZE_AT_LEAST:
            raise EOFError(f"{MEMBER} is cut off")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def main() -> int:
    target = cache_folder() / NAME
    kept = target.with_name(SDIST)
    try:
        if not kept.exists():
            print(f"libmarc: fetching {SDIST} (once, 76 MB) into {kept.parent}", flush=True)
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
                download(Path(folder)).replace(kept)
        if not target.exists():
            extract(kept, target)
    except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError, EOFError) as error:
        print(f"libmarc: {SDIST} cannot be had ({type(error).__name__}); the tests that need it will be skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
