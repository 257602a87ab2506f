"""The schema of a profile: unknown keys, wrong types and impossible values, in our words.

Knows: pydantic's errors. Must not depend on files and the model map. It never repeats a value of
the wrong type: it might be a secret in the wrong place.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from openclaude.diagnostics import Diagnostic, Key
from openclaude.errors import nearest
from openclaude.profile.mistakes import mistake
from openclaude.profile.schema import TIERS, Table, allowed_keys
from openclaude.profile.values import did_you_mean

EXPECTED = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "bool_type": "`true` or `false`",
    "model_type": "a table",
    "dict_type": "a table",
    "tuple_type": "an array",
}
# bool before int: in Python a bool is one
TOML_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "a whole number"),
    (float, "a number with a fraction"),
    (str, "text"),
    (list, "an array"),
    (dict, "a table"),
    (datetime.date, "a date"),
    (datetime.time, "a time"),
)


def find_shape_mistakes(table: type[Table], values: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """What is wrong with `values` as one of the schema's tables."""
    try:
        table.model_validate(values)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            yield translate(one["type"], one["loc"], one.get("ctx", {}), one["input"])


def translate(kind: str, place: Key, context: Mapping[str, Any], given: object) -> Diagnostic:
    """One of pydantic's errors as a finding."""
    key = tuple(part for part in place if part != "[key]")
    match kind:
        case "refused":
            return mistake(key, str(context["message"]), fix=str(context["hint"]))
        case "extra_forbidden":
            return unknown_key(key)
        case "missing":
            return mistake(key, "is missing", fix=missing_hint(key))
        case _:
            return mistake(key, f"must be {expected(kind, key)}, not {toml_type(given)}")


def unknown_key(key: Key) -> Diagnostic:
    """A key that the schema does not have, and the ones it has there."""
    table = tuple(str(part) for part in key[:-1])
    return mistake(key, "unknown key", fix=unknown_key_hint(str(key[-1]), allowed_keys(table)))


def unknown_key_hint(name: str, allowed: tuple[str, ...]) -> str:
    """The key that was probably meant; a tier's name at the top belongs under `[tiers]`."""
    if name in TIERS and "tiers" in allowed:
        return f"write it under `[tiers]`: `tiers.{name}`"
    near = nearest(name, allowed)
    return f"did you mean `{near}`?" if near else did_you_mean(name, allowed)


def missing_hint(key: Key) -> str:
    """What to write where a required key is absent."""
    if key == ("schema",):
        return "write `schema = 1` at the top of the file"
    return 'for example `model = "bedrock/qwen.qwen3-next-80b-a3b"`, or `model = "claude"`'


def expected(kind: str, key: Key) -> str:
    """What the schema wants at `key`."""
    if kind == "model_type" and len(key) == 2 and key[0] == "tiers":
        return "a model name or a table"
    return EXPECTED.get(kind, "another kind of value")


def toml_type(value: object) -> str:
    """What a value is in TOML, never the value itself."""
    return next((name for kind, name in TOML_TYPES if isinstance(value, kind)), "this")
