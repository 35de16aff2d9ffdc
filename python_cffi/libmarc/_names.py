"""Names at the places where pymarc has them, too."""

from __future__ import annotations

from typing import Any


def name_of_package(module: str, name: str) -> Any:
    """For a module that is asked for a name that it does not have: `from pymarc.record import Subfield` is as good as
    `from pymarc import Subfield`, since pymarc's modules import from each other."""
    import libmarc

    if name in libmarc.__all__:
        return getattr(libmarc, name)
    raise AttributeError(f"module {module!r} has no attribute {name!r}")
