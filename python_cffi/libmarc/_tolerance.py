"""How many errors a reader bears, and what it does about each: the options that all readers have."""

from __future__ import annotations

from operator import index

from libmarc.exceptions import TooManyErrors


def check_tolerance(on_error: str, choices: tuple[str, ...], max_errors: int | None) -> None:
    """ValueError for an option that is none; TypeError for a `max_errors` that is no number."""
    if on_error not in choices:
        raise ValueError(f"on_error is one of {', '.join(choices)}, not {on_error!r}")
    if max_errors is not None and index(max_errors) < 0:
        raise ValueError(f"max_errors is a number of errors, from 0 on, or None; not {max_errors}")


def too_many_errors(max_errors: int, problem: Exception) -> TooManyErrors:
    """To be raised from `problem`, the last one; it names the place as that does."""
    error = TooManyErrors(f"more than {max_errors} errors; the last one: {problem}")
    vars(error).update({name: value for name, value in vars(problem).items() if name[0] != "_"})
    return error
