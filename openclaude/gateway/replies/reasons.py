"""Finish reasons in every provider's vocabulary; an unknown one is a failure.

Knows: how OpenAI, Azure, OpenRouter, vLLM, Mistral, Cohere, Gemini, Bedrock, Ollama and Anthropic
say that a reply is complete. Independent of: which dialect a reason came in. An unknown reason is
reported as an error: LiteLLM would take it for `stop`, and claude half an answer for a whole one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from openclaude.gateway.replies.events import Ending, Finish, ReplyFailure

WORDS: Mapping[Ending, frozenset[str]] = {
    Ending.STOP: frozenset(
        {
            *("stop", "stopped", "stop_sequence", "stop_token", "stop_str", "end_turn", "end"),
            *("end_of_turn", "eos", "eos_token", "complete", "completed", "done", "finish"),
            *("finished", "normal", "pause_turn"),
        }
    ),
    Ending.CALLS: frozenset(
        {"tool_calls", "tool_call", "tool_use", "function_call", "function_calls", "toolcalls"}
    ),
    Ending.LENGTH: frozenset(
        {
            *("length", "max_tokens", "max_output_tokens", "max_new_tokens", "model_length"),
            *("max_length", "token_limit", "error_limit", "model_context_window_exceeded"),
        }
    ),
    Ending.REFUSAL: frozenset(
        {
            *("content_filter", "content_filtered", "refusal", "guardrail_intervened", "safety"),
            *("recitation", "blocklist", "prohibited_content", "spii", "image_safety", "sensitive"),
            *("language", "image_prohibited_content", "image_recitation", "model_armor"),
            *("error_toxic", "content_policy", "content_policy_violation", "moderation"),
        }
    ),
}
ENDINGS = {word.replace("_", ""): ending for ending, words in WORDS.items() for word in words}
LONGEST = 500  # characters of a provider's own word in one of our errors
# In what OpenRouter says of another provider's reason beside a plain `stop`
# (OleksandrChekhovskyi/hax#15)
FAILING = re.compile(r"error|malformed|abort|cancel|fail|unexpected|timeout|overload|insufficient")


def is_failing(native: str) -> bool:
    """Tell whether another provider's own reason, which was passed on, means that it failed."""
    letters = re.sub(r"[^a-z]", "", native.lower())
    return letters not in ENDINGS and bool(FAILING.search(letters))


def finish(reason: str, detail: str = "") -> Finish | ReplyFailure:
    """Return the end that a provider means by this reason, or a failure."""
    letters = re.sub(r"[^a-z]", "", reason.lower())  # `MAX_TOKENS`, `max-tokens`, `maxTokens`
    ending = ENDINGS.get(letters.removeprefix("finishreason"))
    if ending is not None:
        return Finish(ending, reason)
    said = f": {detail[:LONGEST]}" if detail else ""
    return ReplyFailure(f"the provider ended its reply with `{reason[:LONGEST]}`{said}")
