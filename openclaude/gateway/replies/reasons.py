"""Finish reasons in every provider's vocabulary; an unknown one is a failure.

Knows: how OpenAI, Azure, OpenRouter, vLLM, Mistral, Cohere, Gemini, Bedrock, Ollama and Anthropic
say that a reply is complete. Independent of: which dialect a reason came in. An unknown reason is
reported as an error: LiteLLM would take it for `stop`, and claude half an answer for a whole one.
"""

from __future__ import annotations

from collections.abc import Mapping

from openclaude.gateway.replies.events import Ending, Finish, ReplyFailure

WORDS: Mapping[Ending, frozenset[str]] = {
    Ending.STOP: frozenset(
        {
            *(
                "stop",
                "stopped",
                "end_turn",
                "end",
                "eos",
                "eos_token",
                "stop_sequence",
                "complete",
            ),
            *("completed", "done", "finish", "finished", "normal", "stop_token", "pause_turn"),
        }
    ),
    Ending.CALLS: frozenset(
        {"tool_calls", "tool_call", "tool_use", "function_call", "function_calls", "toolcalls"}
    ),
    Ending.LENGTH: frozenset(
        {
            *("length", "max_tokens", "max_output_tokens", "max_new_tokens", "model_length"),
            *("max_length", "token_limit", "model_context_window_exceeded"),
        }
    ),
    Ending.REFUSAL: frozenset(
        {
            *("content_filter", "content_filtered", "refusal", "guardrail_intervened", "safety"),
            *("recitation", "blocklist", "prohibited_content", "spii", "image_safety", "sensitive"),
            *("language", "image_prohibited_content", "image_recitation", "model_armor"),
        }
    ),
}
ENDINGS = {word: ending for ending, words in WORDS.items() for word in words}
LONGEST = 500  # characters of a provider's own word in one of our errors


def finish(reason: str, detail: str = "") -> Finish | ReplyFailure:
    """Return the end that a provider means by this reason, or a failure."""
    ending = ENDINGS.get(reason.lower())
    if ending is not None:
        return Finish(ending, reason)
    said = f": {detail[:LONGEST]}" if detail else ""
    return ReplyFailure(f"the provider ended its reply with `{reason[:LONGEST]}`{said}")
