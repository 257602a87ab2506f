"""`params`: what a tier may hand on to LiteLLM as it is, and what it may not.

Knows: which names have keys of their own or would undo what openclaude promises, and which hold
secrets. Independent of: what LiteLLM does with the others. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from openclaude.contracts.references import REFERENCE_RULE, is_secret
from openclaude.diagnostics import Diagnostic, Key
from openclaude.profile.mistakes import mistake

# LiteLLM's name -> what to write instead
INSTEAD = {
    "model": "write `model` in the tier",
    "api_key": "write `api_key` in the tier",
    "api_base": "write `api_base` in the tier",
    "base_url": "write `api_base` in the tier",
    "custom_llm_provider": "write the provider in front of the model: `PROVIDER/MODEL`",
    "max_tokens": "write `max_output_tokens` in the tier",
    "max_completion_tokens": "write `max_output_tokens` in the tier",
    "aws_region_name": "write `region` in the tier",
    "aws_profile_name": "write `profile` in `[aws]`",
    "aws_bedrock_runtime_endpoint": "write `endpoint_url` in `[aws]`",
    "fallbacks": "write `fallbacks` in the tier",
    "max_retries": "remove it: claude does its own retries",
    "num_retries": "remove it: claude does its own retries",
}
SECRET = re.compile(
    r"(?:^|_)(?:keys?|secrets?|passw(?:or)?d|credentials?|authorization|cookie|bearer)(?:_|$)"
    r"|(?:^|(?<!_per)_)token$"  # `input_cost_per_token` is a price
)


def find_param_mistakes(key: Key, params: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """What is wrong with the `params` at `key`."""
    for name, value in params.items():
        if name in INSTEAD:
            yield mistake((*key, name), "does not belong in `params`", fix=INSTEAD[name])
        else:
            yield from check_value((*key, name), name, value)


def check_value(key: Key, name: str, value: object) -> Iterator[Diagnostic]:
    """One value: a secret is a reference, and everything can be said in YAML."""
    if isinstance(value, Mapping):
        for inner, one in value.items():
            yield from check_value((*key, inner), inner, one)
    elif isinstance(value, list):
        for one in value:
            yield from check_value(key, name, one)
    elif is_secret_name(name) and not is_secret(value):
        yield mistake(
            key,
            "contains a secret; a profile says where a secret is and never contains one",
            fix=REFERENCE_RULE,
        )
    elif isinstance(value, str) and value.startswith("os.environ/"):
        yield mistake(key, "is LiteLLM's syntax for a variable", fix="write `env:NAME`")
    elif not isinstance(value, str | int | float | bool):
        yield mistake(key, "cannot be a date or a time", fix="write it as text in quotes")


def is_secret_name(name: str) -> bool:
    """Whether what has this name is a secret, by the words in it."""
    return SECRET.search(name.lower().replace("-", "_")) is not None
