"""What is told of a request: its figures, by the names of OpenTelemetry's conventions.

Knows: which fields of an entry leave this process, and what they are called. Independent of: the
SDK, who gets them. A field that is not named here is told to nobody: the project's folder, what the
guard has changed, whatever is added to an entry later. The names are those of the semantic
conventions for generative AI, and `session.id` and `agent_id` of Claude Code's own telemetry.
"""

from __future__ import annotations

import json

from openclaude.ledger.entry import RequestEntry

Value = str | int | float | bool
Attributes = dict[str, Value]
OPERATION = "chat"
# the names of the conventions, where LiteLLM has others
PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
}
CUT = "cut"  # the type of the error where a reply did not reach its end


def of_series(entry: RequestEntry) -> Attributes:
    """What tells one series of a metric from another: nothing that is of one session alone."""
    return present(
        {
            "gen_ai.operation.name": OPERATION,
            "gen_ai.provider.name": PROVIDERS.get(entry.provider, entry.provider),
            "gen_ai.request.model": entry.asked,
            "gen_ai.response.model": entry.answered,
            "error.type": error_type(entry),
            "openclaude.profile": entry.profile,
            "openclaude.tier": entry.tier,
            "openclaude.via": entry.via,
        }
    )


def of_span(entry: RequestEntry) -> Attributes:
    """Everything that is told of one request."""
    return {
        **of_series(entry),
        **present(
            {
                "session.id": entry.session,
                "gen_ai.conversation.id": entry.session,
                "agent_id": entry.agent_id,
                "gen_ai.agent.id": entry.agent_id,
                "gen_ai.agent.name": entry.agent if entry.agent != entry.agent_id else "",
                "request_id": entry.request_id,
                "cloud.region": entry.region,
                "openclaude.priced_by": entry.priced_by,
            }
        ),
        **known(
            {
                "gen_ai.usage.input_tokens": whole_input(entry),
                "gen_ai.usage.output_tokens": entry.tokens_out,
                "gen_ai.usage.cache_read.input_tokens": entry.cache_read,
                "gen_ai.usage.cache_creation.input_tokens": entry.cache_write,
                "gen_ai.response.time_to_first_chunk": seconds(entry.first_ms),
                "openclaude.cost_usd": entry.dollars,
                "openclaude.plan.used_5h": entry.used_5h,
                "openclaude.plan.used_7d": entry.used_7d,
            }
        ),
        "http.response.status_code": entry.status,
        "openclaude.is_fallback": bool(entry.is_fallback),
        "openclaude.is_cut": bool(entry.is_cut),
        "openclaude.failed_attempts": failed_attempts(entry),
    }


def span_name(entry: RequestEntry) -> str:
    """As the conventions have it: the operation and the model that was asked for."""
    return f"{OPERATION} {entry.asked}".strip()


def tokens(entry: RequestEntry) -> dict[str, int | None]:
    """Tokens by their kind; each is in one kind alone."""
    return {
        "input": entry.tokens_in,
        "output": entry.tokens_out,
        "cache_read": entry.cache_read,
        "cache_write": entry.cache_write,
    }


def whole_input(entry: RequestEntry) -> int | None:
    """The tokens of a request as the conventions count them: those of caches, too."""
    if entry.tokens_in is None:
        return None
    return entry.tokens_in + (entry.cache_read or 0) + (entry.cache_write or 0)


def error_type(entry: RequestEntry) -> str:
    """Why a request failed, in a word, or ""."""
    if entry.error:
        return entry.error
    if entry.status >= 400:
        return str(entry.status)
    return CUT if entry.is_cut else ""


def failed_attempts(entry: RequestEntry) -> int:
    """How many models were asked before, and failed."""
    return len(json.loads(entry.attempts)) if entry.attempts else 0


def seconds(milliseconds: int | None) -> float | None:
    """A time as the conventions have it."""
    return None if milliseconds is None else milliseconds / 1000


def present(texts: dict[str, str]) -> Attributes:
    """Those that are not empty."""
    return {name: text for name, text in texts.items() if text}


def known(numbers: dict[str, int | float | None] | dict[str, float | None]) -> Attributes:
    """Those that were told."""
    return {name: number for name, number in numbers.items() if number is not None}
