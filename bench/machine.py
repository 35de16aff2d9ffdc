"""Facts on where and with what a measurement was made. No names of hosts, users or folders."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from common import ROOT, Build, Interpreter, version_line


def facts(build: Build, python: Interpreter) -> dict[str, Any]:
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "cores_usable": usable_cores(),
        "memory_gib": round(memory_bytes() / (1 << 30), 1),
        "system": distribution(),
        "kernel": platform.release(),
        "compiler": version_line(build.cached("CMAKE_CXX_COMPILER"), "--version"),
        "flags": f"{build.cached('CMAKE_CXX_FLAGS')} {build.cached('CMAKE_CXX_FLAGS_RELEASE')}".strip(),
        "python": python.facts["python"],
        "python_compiler": python.facts["build"],
        "python_is_the_systems": python.facts["system"],
        "objects_in_cpp": python.facts["objects_in_cpp"],
        "libraries": python.libraries,
        "yaz": version_line("yaz-marcdump", "-V"),
        "valgrind": version_line("valgrind", "--version"),
    }


def usable_cores() -> int:
    return len(os.sched_getaffinity(0))


def processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def distribution() -> str:
    for line in _lines("/etc/os-release"):
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip().strip('"')
    return platform.system()


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def revision() -> tuple[str | None, bool | None]:
    """The commit of the checkout, and whether files differ from it (results of measurements do not count)."""

    def git(*arguments: str) -> str | None:
        command = ["git", "--no-optional-locks", "-C", str(ROOT), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "HEAD")
    changes = git("status", "--porcelain", "--", ".", ":!bench/results")
    return commit, bool(changes) if changes is not None else None
