"""Review: values in a foreign profile that can send credentials or text somewhere, or run programs.

Knows: which keys can. Independent of: whether they do, which the user decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from openclaude.contracts.printable import printable
from openclaude.contracts.references import is_claude
from openclaude.diagnostics import Key, dotted
from openclaude.profile.toml.render import value_text

# `*` is any tier
KEYS: Mapping[tuple[str, ...], str] = {
    ("anthropic", "base_url"): "your Claude login is sent to this address",
    ("anthropic", "api_key"): "this key is sent to Anthropic's address",
    ("aws", "profile"): "the credentials of this AWS profile are used",
    ("aws", "api_key"): "this key is sent to AWS Bedrock",
    ("aws", "endpoint_url"): "requests signed with your AWS credentials are sent to this address",
    ("tiers", "*", "api_base"): "the tier's credential and every prompt are sent to this address",
    ("tiers", "*", "api_key"): "this key is sent to the tier's provider",
    ("tiers", "*", "params"): "this is passed to LiteLLM unchanged",
    ("tiers", "*", "model"): "every conversation of this tier is sent to this model",
    ("tiers", "*", "vision"): "images of this tier's conversations are sent to this model",
    ("tiers", "*", "fallbacks"): "conversations of this tier are sent to these models, too",
    ("anthropic", "on_limit"): "conversations of Claude tiers are sent to this model at the limit",
    ("telemetry", "otlp"): "how much you use which model is sent to this address",
    ("telemetry", "prometheus"): "how much you use which model can be read at this port",
    ("budget", "then"): "conversations are sent there when a budget is used up",
}
MODEL = ("tiers", "*", "model")
REFERENCES = {
    "command:": "this program is run on your machine",
    "file:": "this file is read on your machine",
}


class Exposed(NamedTuple):
    """One value to check before a profile is saved."""

    key: str
    value: str
    why: str


def find_exposed(values: Mapping[str, Any]) -> Iterator[Exposed]:
    """Every such value of a file, in the order of the file."""
    for key, value in walk(values):
        yield from (
            Exposed(key=dotted(key), value=shown(value), why=why) for why in reasons(key, value)
        )


def walk(value: object, key: Key = ()) -> Iterator[tuple[Key, object]]:
    """Every value, tables and arrays included, with its key."""
    if key:
        yield key, value
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from walk(inner, (*key, name))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from walk(inner, (*key, position))


def reasons(key: Key, value: object) -> Iterator[str]:
    """Why a value must be checked."""
    pattern = (key[0], "*", *key[2:]) if key[0] == "tiers" and len(key) > 2 else key
    if len(key) == 2 and key[0] == "tiers" and isinstance(value, str):  # the short form
        pattern = MODEL
    stays = pattern == MODEL and isinstance(value, str) and is_claude(value)
    stays = stays or isinstance(value, bool)  # of `vision`: whether the tier's own model sees
    if pattern in KEYS and not stays:
        yield KEYS[tuple(map(str, pattern))]
    if key == ("stack", "linger") and value == "never":
        yield "the proxies never stop, and keep your keys in memory"
    if isinstance(value, str):
        for beginning, why in REFERENCES.items():
            if value.strip().lower().startswith(beginning):
                yield why


def shown(value: object) -> str:
    """A value in TOML, without control characters."""
    return printable(value_text(value))
