"""Requests structured output in the prompt if the key for it would be dropped or refused.

Knows: where Anthropic's body has it. Independent of: who refuses it, LiteLLM. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openclaude.gateway.requests.blocks import set_apart, text

FORMAT = "Answer with nothing but one JSON value, without a code fence, that fits this JSON schema:"
CONFIG, WISH = "output_config", "format"


def say_format(fitted: dict[str, Any]) -> None:
    """Say the wish in the system prompt, and drop it from `output_config`."""
    config = fitted.pop(CONFIG, None)
    if not isinstance(config, Mapping):
        return
    if rest := {key: value for key, value in config.items() if key != WISH}:
        fitted[CONFIG] = rest
    wish = config.get(WISH)
    if not isinstance(wish, Mapping):
        return
    system = fitted.get("system") or []
    blocks = [text(system)] if isinstance(system, str) else system
    said = f"{FORMAT}\n{json.dumps(wish.get('schema'))}"
    fitted["system"] = set_apart([*blocks, text(said)])


def format_in_words(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """A request with its wish in words and all else as it was; None where it has no such wish."""
    config = body.get(CONFIG)
    if not isinstance(config, Mapping) or not isinstance(config.get(WISH), Mapping):
        return None
    if not isinstance(body.get("system") or [], str | list):
        return None  # the guard refuses it
    said = dict(body)
    say_format(said)
    return said
