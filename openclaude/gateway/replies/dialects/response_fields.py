"""What is around the answer of the Responses API, and of which types.

Knows: the fields that LiteLLM reads: it fails where one has another type (measured). Independent
of: the answer itself. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaude.gateway.replies.dialects.envelope import Document, counted, repair

ENVELOPE = {"id": "resp_0", "object": "response", "created_at": 0, "model": ""}
COUNTS = ("input_tokens", "output_tokens", "total_tokens")
# What may be beside an answer, and of which types
BESIDE: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("temperature", "top_p"), (int, float)),
    **dict.fromkeys(("max_output_tokens", "top_logprobs"), int),
    **dict.fromkeys(("parallel_tool_calls", "store", "background"), bool),
    **dict.fromkeys(("previous_response_id", "service_tier", "truncation", "user"), str),
    **dict.fromkeys(("metadata", "text", "reasoning"), dict),
    **{"tools": list, "tool_choice": (str, dict), "instructions": (str, list)},
}


def is_around_typed(response: Document) -> bool:
    """Return whether everything beside the answer has the type that it should have."""
    usage = response.get("usage")
    is_whole = usage == counted(usage, COUNTS) and repair(dict(response), ENVELOPE)
    return (
        is_whole
        and is_reason(response.get("incomplete_details"))
        and all(
            response.get(key) is None or isinstance(response[key], kinds)
            for key, kinds in BESIDE.items()
        )
    )


def is_reason(details: object) -> bool:
    """Return whether why a response is incomplete has the form that it should have."""
    if details is None:
        return True
    return isinstance(details, dict) and isinstance(details.get("reason"), str | None)


def repaired(response: Mapping[str, Any]) -> Document:
    """Return what a response has beside its answer, as LiteLLM can read it."""
    kept = {key: value for key, value in response.items() if key not in BESIDE}
    repair(kept, ENVELOPE)
    if not is_reason(kept.get("incomplete_details")):
        kept["incomplete_details"] = None
    kept["usage"] = counted(kept.get("usage"), COUNTS)
    return kept
