"""libmarc under the name pymarc."""

from __future__ import annotations

import sys
from importlib import import_module

#: pymarc's modules; libmarc has them all.
MODULES = ("constants", "exceptions", "field", "leader", "marc8", "marcjson", "marcxml", "reader", "record", "writer")


def install_as_pymarc() -> None:
    """From now on `import pymarc`, in this process, gives libmarc: for programs that know pymarc's name only.

    A second time does nothing. ImportError if pymarc itself has been imported before: what has its classes already
    would not know ours.
    """
    package = sys.modules[__package__]
    installed = sys.modules.get("pymarc", package)
    if installed is not package:
        raise ImportError("pymarc itself has been imported already; call libmarc.install_as_pymarc() before that")
    for name in MODULES:
        sys.modules[f"pymarc.{name}"] = import_module(f"{__package__}.{name}")
    sys.modules["pymarc"] = package
