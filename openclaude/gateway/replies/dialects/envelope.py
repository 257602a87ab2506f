"""What is around an answer: ids, times, counts. LiteLLM fails where one has another type.

Knows: how a document is given what it lacks. Independent of: any dialect, which says what that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Document = dict[str, Any]


def is_number(value: Any) -> bool:
    """Return whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def counted(usage: Any, counts: Iterable[str], optional: Iterable[str] = ()) -> Document:
    """Return the counts, with each that there has to be, and none that is not a number.

    What is counted in detail (`..._details`) is an object of numbers, or left out.
    """
    given = usage if isinstance(usage, Mapping) else {}
    known = {*counts, *optional}
    kept = {
        key: value
        for key, value in given.items()
        if (is_number(value) if key in known else is_detail(key, value))
    }
    return {**dict.fromkeys(counts, 0), **kept}


def is_detail(key: str, value: Any) -> bool:
    """Return whether something beside the counts has the type that its name says."""
    if not key.lower().endswith("details"):
        return True
    if isinstance(value, list):
        return all(isinstance(one, Mapping) for one in value)
    return value is None or (
        isinstance(value, Mapping)
        and all(one is None or isinstance(one, int | float) for one in value.values())
    )


def repair(document: Document, kept: Mapping[str, Any]) -> bool:
    """Give a document, in place, each value of `kept` whose type it does not have there.

    Returns whether it had all of them. A value that is None is one that may also be missing.
    """
    wrong = {
        key: value
        for key, value in kept.items()
        if not has_type(document.get(key), value) or (value is not None and key not in document)
    }
    for key, value in wrong.items():
        if value is None:
            document.pop(key, None)
        else:
            document[key] = value
    return not wrong


def has_type(value: Any, like: Any) -> bool:
    """Return whether a value has the type of another; for None it is a text, or nothing."""
    if like is None:
        return value is None or isinstance(value, str)
    return is_number(value) if is_number(like) else isinstance(value, type(like))
