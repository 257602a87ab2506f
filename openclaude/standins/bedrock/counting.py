"""How Bedrock counts tokens: CountTokens, and count_tokens at its other address.

Knows: which ids CountTokens has, the forms of both bodies, and that what is counted must be what
InvokeModel would take. Independent of: signatures, replies. CountTokens has no inference profiles,
and not every Claude (reported: BerriAI/litellm#34272, #32683).

https://docs.aws.amazon.com/bedrock/latest/userguide/count-tokens.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from typing import Any

from openclaude.standins.bedrock.claude_rules import EXTRA, VERSION, ClaudeRules, broken_by
from openclaude.standins.bedrock.control import PREFIX
from openclaude.standins.bedrock.shape import input_shape, violations

COUNT, COUNT_AT_MANTLE = "CountTokens", "count_tokens"
MANTLE_PATH = "/anthropic/v1/messages/count_tokens"
MANTLE_KEYS = frozenset({"model", "messages", "system", "tools", "tool_choice", "thinking"})
UNCOUNTED = "The provided model doesn't support counting tokens."
READ = ("system", "tools", "messages")

Claudes = Mapping[str, ClaudeRules]


def rules_of(model_id: str, claudes: Claudes) -> ClaudeRules | None:
    """Return the rules of a Claude by the id of its model, which has no prefix."""
    return {PREFIX.sub("", one): rules for one, rules in claudes.items()}.get(model_id)


def judge_count(
    text: bytes, model_id: str, claudes: Claudes, uncounted: Collection[str]
) -> tuple[str, ...]:
    """Return what is wrong with a request of CountTokens. Raises ValueError."""
    rules = rules_of(model_id, claudes)
    if rules is None or model_id in uncounted:
        return (UNCOUNTED,)
    body = json.loads(text)
    if misfits := tuple(violations(body, input_shape(COUNT))):
        return misfits
    if "invokeModel" not in body["input"]:
        return ("Claude is counted in the form of InvokeModel here",)
    return broken_by(invoked(body), rules)


def judge_count_at_mantle(text: bytes, claudes: Claudes, version: str | None) -> tuple[str, ...]:
    """Return what is wrong with a request of count_tokens. Raises ValueError as `judge_count`."""
    body = json.loads(text)
    rules = rules_of(str(body.get("model")), claudes)
    if rules is None:
        return (f"model: {body.get('model')}",)
    if version is None:
        return ("anthropic-version: header is required",)
    if extra := sorted(body.keys() - MANTLE_KEYS):
        return tuple(f"{key}: {EXTRA}" for key in extra)
    said = {key: body[key] for key in body if key != "model"}
    more = {"anthropic_version": VERSION, "max_tokens": rules.max_output_tokens}
    return broken_by({**said, **more}, rules)


def invoked(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return InvokeModel's body inside one of CountTokens. Raises ValueError."""
    try:
        found = json.loads(base64.b64decode(body["input"]["invokeModel"]["body"], validate=True))
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    return dict(found)


def tokens_of(body: Mapping[str, Any]) -> int:
    """Return the tokens of what the model reads, about: of the parts alone, not of their order."""
    return sum(len(json.dumps(body[key])) // 4 for key in READ if body.get(key))
