"""marc.h, what cffi is told and what libmarc.so exports are one and the same."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from libmarc import _ffi

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "capi" / "include" / "marc" / "marc.h"
BUILD = Path(os.environ.get("LIBMARC_BUILD_DIR") or ROOT / "build" / "release")

CC = os.environ.get("CC") or "cc"
CXX = os.environ.get("CXX") or "c++"
# A sanitizer that is preloaded into Python is not for the compiler.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)


def functions_of(text: str) -> set[str]:
    """Names of the functions that C text declares."""
    text = re.sub(r"^\s*#.*$", "", without_comments(text), flags=re.MULTILINE)
    return set(re.findall(r"\b(marc_\w+)\s*\(", text))


def constants_of(text: str) -> set[str]:
    return set(re.findall(r"\b(MARC_\w+)\s*=", without_comments(text)))


def ffi_build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ffi_build", ROOT / "python_cffi" / "ffi_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def header() -> str:
    return HEADER.read_text(encoding="utf-8")


def exports(library: Path) -> set[str]:
    names = subprocess.run(
        ["nm", "-D", "--defined-only", "--format=posix", library],
        check=True,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    ).stdout
    symbols = {line.split()[0] for line in names.splitlines()}
    # The node of the version script is a symbol of its own kind.
    return {name.partition("@")[0] for name in symbols} - {"LIBMARC_0"}


LIBRARIES = {
    "libmarc.so": BUILD / "capi" / "libmarc.so",
    "libmarc.so of the Python package": Path(_ffi.__file__).resolve().parent / "libmarc.so",
}


def test_header_declares_functions(header: str) -> None:
    assert len(functions_of(header)) >= 25
    assert "marc_reader_next_batch" in functions_of(header)
    assert "marc_read_fn" not in functions_of(header)


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not there")
@pytest.mark.parametrize("name", LIBRARIES)
def test_exports_are_the_functions_of_the_header(header: str, name: str) -> None:
    library = LIBRARIES[name]
    if not library.exists():
        pytest.skip(f"{library} was not built")
    ours = exports(library)
    if "LIBMARC_SANITIZER" in os.environ:
        ours = {symbol for symbol in ours if not symbol.startswith("__")}
    assert ours == functions_of(header)


def test_cdef_is_the_header(header: str) -> None:
    cdef = ffi_build().abi()
    assert cdef in header, "the declarations are taken as they stand"
    assert functions_of(cdef) == functions_of(header)
    assert "#" not in without_comments(cdef)
    assert "__attribute__" not in cdef


def test_module_has_every_function_and_constant(header: str) -> None:
    names = set(dir(_ffi.lib))
    assert {name for name in names if name.startswith("marc_")} == functions_of(header)
    assert {name for name in names if name.startswith("MARC_")} == constants_of(header)
    assert names - functions_of(header) - constants_of(header) == {
        "libmarc_read",
        "libmarc_read_at",
        "libmarc_release_slot",
    }


def test_values_of_constants(header: str) -> None:
    """None is used twice within its group, and cffi sees what the header says."""
    for group in re.findall(r"\benum\s*\{(.*?)\}", without_comments(header), flags=re.DOTALL):
        values = {name: int(value) for name, value in re.findall(r"(MARC_\w+)\s*=\s*(-?\d+)", group)}
        assert len(set(values.values())) == len(values)
        for name, value in values.items():
            assert getattr(_ffi.lib, name) == value


def test_version(header: str) -> None:
    parts = [re.search(rf"#define MARC_VERSION_{part} (\d+)", header) for part in ("MAJOR", "MINOR", "PATCH")]
    version = ".".join(part.group(1) for part in parts if part)
    assert _ffi.ffi.string(_ffi.lib.marc_version_string()).decode() == version
    abi = re.search(r"#define MARC_ABI_VERSION (\d+)", header)
    assert abi is not None
    assert _ffi.lib.marc_abi_version() == int(abi.group(1))
    assert f"LIBMARC_{abi.group(1)} {{" in (ROOT / "capi" / "libmarc.map").read_text()


@pytest.mark.parametrize(
    ("compiler", "language", "standard"),
    [
        (CC, "c", "c99"),
        (CC, "c", "c11"),
        (CXX, "c++", "c++11"),
        (CXX, "c++", "c++20"),
        ("clang", "c", "c99"),
        ("clang++", "c++", "c++17"),
    ],
)
def test_header_compiles_alone(tmp_path: Path, compiler: str, language: str, standard: str) -> None:
    if shutil.which(compiler.split()[0]) is None:
        pytest.skip(f"{compiler} is not there")
    source = tmp_path / "header.c"
    # Twice: the header guards itself.
    source.write_text("#include <marc/marc.h>\n#include <marc/marc.h>\nint main(void) { return MARC_OK; }\n")
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wundef", "-Werror", f"-std={standard}"]
    if language == "c":
        strict.append("-Wstrict-prototypes")
    done = subprocess.run(
        [
            *compiler.split(),
            *strict,
            "-x",
            language,
            "-fsyntax-only",
            f"-I{HEADER.parent.parent}",
            str(source),
        ],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, done.stderr
