"""pymarc's own tests, unmodified, with libmarc under the name pymarc.

They are in its source distribution, which tools/fetch_loc.py has put into the cache.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from corpus import CACHE

import libmarc

TESTS = 174

#: Runs before anything of the suite is imported. That nothing of pymarc itself is left is looked at when all has run.
CONFTEST = """\
import sys

import libmarc

libmarc.install_as_pymarc()


def pytest_sessionfinish():
    for name in sys.modules:
        if name.partition(".")[0] == "pymarc":
            assert sys.modules[name].__file__.startswith(libmarc.__path__[0]), name
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pymarc's tests in test/, as they read their files from there, and nothing else of pymarc."""
    folder = tmp_path_factory.mktemp("pymarc")
    (folder / "test").mkdir()
    sdist = CACHE / "pymarc-5.4.0.tar.gz"
    if not sdist.is_file():
        pytest.skip(f"pymarc's source distribution is not at {sdist} (tools/fetch_loc.py gets it from PyPI)")
    with tarfile.open(sdist) as archive:
        for member in archive:
            name = Path(member.name)
            content = archive.extractfile(member) if name.parent.name == "test" else None
            if content is not None:
                (folder / "test" / name.name).write_bytes(content.read())
    (folder / "conftest.py").write_text(CONFTEST)
    return folder


def test_all_tests_of_pymarc_pass(suite: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--continue-on-collection-errors",
        "test",
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(libmarc.__file__).parent.parent)}
    done = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, timeout=300)
    summary = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 0, done.stdout[-6000:]
    passed = re.match(r"(\d+) passed", summary)
    assert passed is not None
    assert int(passed[1]) == TESTS
    assert not re.search(r"skipped|xfailed|xpassed|failed|error", summary), summary
