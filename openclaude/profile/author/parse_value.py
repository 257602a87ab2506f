"""Parsing a key and a value from the command line, by the schema's type.

Knows: how a key and a value are written on a command line. Independent of: files, which values are
valid: the profile is validated as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from openclaude.diagnostics import Key, dotted
from openclaude.errors import UsageError
from openclaude.profile.names import shorten
from openclaude.profile.schema import TIERS, Profile, allowed_keys
from openclaude.profile.toml.scanner import Locator
from openclaude.profile.validate.schema_errors import unknown_key_hint
from openclaude.profile.values import did_you_mean

# JSON schema's name of a type, ours, and how a value of it is written
WRITTEN = {
    "integer": ("a whole number", "4000"),
    "number": ("a number", "0.5"),
    "boolean": ("`true` or `false`", "true"),
    "array": ("an array", '["bedrock/qwen.qwen3-coder-next"]'),
    "object": ("a table", "{ temperature = 0.2 }"),
}
Shape = Mapping[str, Any]


class UnknownKey(UsageError):
    """An unknown key."""

    code = "profile-key"


class BadValue(UsageError):
    """A value that cannot be read as the type of its key."""

    code = "profile-value"


def read_key(text: str) -> Key:
    """A dotted key, whether or not a profile has it. Raises UnknownKey."""
    reader = Locator(text)
    key = reader.read_key()
    if reader.at != len(text) or not all(key) or not text.isprintable():
        raise UnknownKey(f"`{shorten(text)}` is not a key", hint="for example `tiers.haiku.label`")
    return key


def read_value(key: Key, text: str) -> object:
    """The value of `text` for `key`: unchanged if the key is text, else parsed as TOML.

    Raises UnknownKey for an unknown key, BadValue for a text that is not TOML.
    """
    kinds = kinds_of(key)
    found = None if kinds == {"string"} else as_toml(text)
    if kinds == {"string", "object"}:  # a tier: its model's name, or all of it
        return found if isinstance(found, dict) else text
    if found is not None:
        return found
    if kinds and "string" not in kinds:
        raise bad_value(key, kinds)
    return text


def as_toml(text: str) -> object | None:
    """The single TOML value in `text`, or None."""
    try:
        values = tomlkit.parse(f"value = {text}").unwrap()
    except (TOMLKitError, ValueError):
        return None
    return values["value"] if list(values) == ["value"] else None


def bad_value(key: Key, kinds: set[str]) -> BadValue:
    """The error for a value that is not TOML; it is not repeated, as it may be a secret."""
    what, example = WRITTEN[min(kinds)]
    return BadValue(
        f"`{dotted(key)}` must be {what}",
        hint=f"for example `openclaude profiles set NAME {dotted(key)}='{example}'`",
    )


def kinds_of(key: Key) -> set[str]:
    """The types that the schema allows at `key`; none where it leaves the type open.

    Raises UnknownKey.
    """
    schema = Profile.model_json_schema()
    shape: Shape = schema
    for length, part in enumerate(key):
        inner = step(schema, shape, str(part), key[:length])
        if inner is None:
            raise unknown_key(key[: length + 1])
        shape = inner
    kinds = {str(one["type"]) for one in options(schema, shape) if "type" in one} - {"null"}
    # a tier has a short form, which the schema reads before pydantic sees it
    return kinds | {"string"} if len(key) == 2 and key[0] == "tiers" else kinds


def step(schema: Shape, shape: Shape, part: str, table: Key) -> Shape | None:
    """The shape of one key of a table, or None where the table cannot have it."""
    if table == ("tiers",) and part not in TIERS:
        return None
    if not shape:
        return {}  # inside a table of any keys
    for option in options(schema, shape):
        if part in option.get("properties", {}):
            found: Shape = option["properties"][part]
            return found
        further = option.get("additionalProperties")
        if further:
            return further if isinstance(further, Mapping) else {}
    return None


def options(schema: Shape, shape: Shape) -> Iterator[Shape]:
    """The shapes that a shape stands for: what it refers to, each of what it may be."""
    if "$ref" in shape:
        yield from options(schema, schema["$defs"][shape["$ref"].rpartition("/")[2]])
    elif "anyOf" in shape:
        for one in shape["anyOf"]:
            yield from options(schema, one)
    else:
        yield shape


def unknown_key(key: Key) -> UnknownKey:
    """The error for a key that the schema does not have, with the nearest one."""
    table = tuple(str(part) for part in key[:-1])
    if table == ("tiers",):
        hint = did_you_mean(str(key[-1]), TIERS)
    elif is_table(table):
        hint = unknown_key_hint(str(key[-1]), allowed_keys(table))
    else:
        hint = f"`{dotted(key[:-1])}` has no keys of its own"
    return UnknownKey(f"no profile has the key `{dotted(key)}`", hint=hint)


def is_table(table: tuple[str, ...]) -> bool:
    """Whether the schema has a table there."""
    try:
        allowed_keys(table)
    except KeyError:
        return False
    return len(table) < 3
