"""What is installed works outside the checkout: the C library (CMake, pkg-config) and the Python package."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONSUMERS = ROOT / "tests" / "install"
BUILD = Path(os.environ.get("LIBMARC_BUILD_DIR") or ROOT / "build" / "release")

pytestmark = [
    pytest.mark.skipif(not (BUILD / "CMakeCache.txt").exists(), reason=f"no build in {BUILD}"),
    pytest.mark.skipif("LIBMARC_SANITIZER" in os.environ, reason="installs are tested without sanitizers"),
    pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not there"),
]


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> str:
    """The output of a command, which must succeed; without the paths that lead into the checkout."""
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "LD_LIBRARY_PATH", "MAKEFLAGS")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", folder)
    return folder


def library_folder(prefix: Path) -> Path:
    (library,) = prefix.glob("lib*/**/libmarc.so")
    return library.parent


def test_installed_files(prefix: Path) -> None:
    names = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}
    folder = library_folder(prefix).relative_to(prefix)
    assert names >= {
        "include/marc/marc.h",
        f"{folder}/libmarc.so",
        f"{folder}/libmarc.so.0",
        f"{folder}/pkgconfig/libmarc.pc",
        f"{folder}/cmake/libmarc/libmarcConfig.cmake",
        f"{folder}/cmake/libmarc/libmarcConfigVersion.cmake",
    }
    assert not [name for name in names if "python" in name or "_ffi" in name]
    for name in ("pkgconfig/libmarc.pc", "cmake/libmarc/libmarcTargets.cmake"):
        text = (library_folder(prefix) / name).read_text()
        assert str(ROOT) not in text, f"{name} leads into the checkout"
        assert str(BUILD) not in text, f"{name} leads into the build"


@pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not there")
def test_soname(prefix: Path) -> None:
    dynamic = run("readelf", "-d", library_folder(prefix) / "libmarc.so")
    assert "Library soname: [libmarc.so.0]" in dynamic
    assert "RUNPATH" not in dynamic
    assert "RPATH" not in dynamic


def test_consumer_with_cmake(prefix: Path, tmp_path: Path) -> None:
    run("cmake", "-S", CONSUMERS / "cmake", "-B", tmp_path, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", tmp_path)
    assert run(tmp_path / "count").endswith(": 2 records\n")


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="pkg-config is not there")
def test_consumer_with_pkg_config(prefix: Path, tmp_path: Path) -> None:
    libraries = library_folder(prefix)
    source = f"SOURCE={CONSUMERS / 'count.c'}"
    makefile = CONSUMERS / "pkgconfig" / "Makefile"
    run("make", "-f", makefile, source, cwd=tmp_path, PKG_CONFIG_PATH=str(libraries / "pkgconfig"))
    assert run(tmp_path / "count", LD_LIBRARY_PATH=str(libraries)).endswith(": 2 records\n")


# Run where the package was installed to, in another folder than the checkout.
IMPORT = """
import sys
from pathlib import Path
import libmarc
from libmarc import _ffi, _objects

package = Path(libmarc.__file__).resolve().parent
assert package.parent == Path(sys.argv[1]).resolve(), package
loaded = {line.split()[-1] for line in open("/proc/self/maps") if "libmarc.so" in line}
assert loaded == {str(package / "libmarc.so")}, loaded
assert (package / "py.typed").exists()
assert _objects.IN_CPP == (package / "_cobjects.abi3.so").exists()
record = (b"00057nam a2200037   4500" b"245001900000\\x1e" b"10\\x1faA short title.\\x1e\\x1d")
assert [r.title for r in libmarc.MARCReader(record * 2)] == ["A short title."] * 2
print(_ffi.ffi.string(_ffi.lib.marc_version_string()).decode())
"""


@pytest.mark.skipif(
    importlib.util.find_spec("scikit_build_core") is None or importlib.util.find_spec("pip") is None,
    reason="scikit-build-core and pip, which build the wheel, are not there",
)
def test_pip_install(tmp_path: Path) -> None:
    """``pip install .`` into an empty folder, without downloads: the build tools must be there already."""
    site = tmp_path / "site"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--no-build-isolation", "--no-deps", "--no-index", "--target", site, ROOT, cwd=tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    version = run(sys.executable, "-c", textwrap.dedent(IMPORT), site, cwd=elsewhere, PYTHONPATH=str(site)).strip()

    (metadata,) = site.glob("libmarc-*.dist-info/METADATA")
    assert f"\nVersion: {version}\n" in metadata.read_text()
    runtime = [line for line in metadata.read_text().splitlines() if line.startswith("Requires-Dist:")]
    assert [line for line in runtime if "extra ==" not in line] == ["Requires-Dist: cffi>=1.15.1"]
    assert [line for line in runtime if "extra ==" in line and "cli" in line and "rich" in line]
    files = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
    assert "libmarc/libmarc.so" in files
    assert not [name for name in files if name.endswith((".h", ".pc", ".cmake", ".c"))]
    if sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert {"libmarc/_ffi.abi3.so", "libmarc/_cobjects.abi3.so"} <= files
    script = site / "bin" / "libmarc"
    assert "info" in run(sys.executable, script, "--help", cwd=elsewhere, PYTHONPATH=str(site))
