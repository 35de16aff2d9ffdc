"""Which of the two makes records and fields: C++ (`_cobjects`), or Python of the same names, which is the reference."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

_T = TypeVar("_T", bound=Callable[..., Any])


def _find() -> Any:
    if os.environ.get("LIBMARC_PURE_PYTHON"):
        return None
    try:
        return import_module("libmarc._cobjects")
    except ModuleNotFoundError:
        return None  # it is not built for this interpreter


_cobjects = _find()
#: Whether it is C++.
IN_CPP = _cobjects is not None
#: What is in C++, as it is in Python; the __init__ of classes.
TWINS: dict[str, Any] = {}
if IN_CPP:
    _cobjects.use_twins(TWINS)


def fastest(item: _T) -> _T:
    """For a function, or a class of slots: the one of the same name in C++, if there is. What is not ordinary that one
    leaves to the one in Python; a class leaves it to its __init__."""
    name = item.__name__
    found: _T | None = getattr(_cobjects, name, None)
    if found is None:
        return item
    TWINS[name] = item
    if isinstance(item, type):
        TWINS[name] = vars(item).get("__init__")
        for attribute in ("__module__", "__slots__", "__annotations__"):  # as copyreg and typing look for them
            setattr(found, attribute, vars(item)[attribute])
    return found


def use_field(field: type, subfield: type, indicators: type, blanks: Any) -> None:
    """Tells C++ what fields are made of: Field, Subfield, Indicators, and those of a field that is given none."""
    if IN_CPP:
        _cobjects.use_field(field, subfield, indicators, blanks)


def use_record(record: type) -> None:
    """The same of records: Record."""
    if IN_CPP:
        _cobjects.use_record(record)
