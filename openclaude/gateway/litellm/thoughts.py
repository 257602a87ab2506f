"""Makes LiteLLM write a model's own thoughts back as its provider wrote them, and keep its marks.

Knows: the methods by which LiteLLM 1.108.14 writes them (measured, request by request). Independent
of: who gets thoughts back; whatever arrives here is the model's own, the guard has seen to that.
Without this, Converse gets thoughts without a signature as the model's own text and no redacted
ones at all, OpenAI-like servers get a field of LiteLLM's that strict ones refuse, and the Responses
API is not asked for the encrypted items that it could get back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Block = dict[str, Any]

ENCRYPTED = "reasoning.encrypted_content"
# Models that take a mark for the cache beside Claude, of which LiteLLM knows: those of Converse of
# which AWS's guide says so (docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html)
MARKED = re.compile(r"amazon\.nova-")


def give_back_to_converse() -> None:
    """Write every thought as `reasoningContent`, redacted ones as they came; once per process."""
    from litellm.litellm_core_utils.prompt_templates.factory import BedrockConverseMessagesProcessor

    original = BedrockConverseMessagesProcessor._to_reasoning_content_block

    def write(thinking_block: Any, *, to_claude: bool) -> Any:
        if thinking_block.get("type") == "redacted_thinking":
            return {"redactedContent": thinking_block.get("data") or ""}
        return original(thinking_block, to_claude=to_claude)

    def add(thinking_blocks: list[Any], assistant_parts: list[Any]) -> list[Any]:
        assistant_parts += [plain for block in thinking_blocks if (plain := unsigned(block))]
        return assistant_parts

    BedrockConverseMessagesProcessor._to_reasoning_content_block = (  # type: ignore[method-assign]
        staticmethod(write)
    )
    BedrockConverseMessagesProcessor.add_thinking_blocks_to_assistant_content = (  # type: ignore[method-assign]
        staticmethod(add)
    )


def unsigned(block: Block) -> Block | None:
    """Return a thought without a signature that is empty; None for one that says nothing."""
    thought = block.get("reasoningContent") or {}
    said = thought.get("reasoningText")
    if said is None:
        return block if thought.get("redactedContent") else None
    if said.get("signature"):
        return block
    return {"reasoningContent": {"reasoningText": {"text": said["text"]}}} if said["text"] else None


def give_back_as_text(has_text_only: Callable[[str], bool]) -> None:
    """Leave `thinking_blocks` out where a provider has `reasoning_content` only; once per process.

    `has_text_only` tells it of a provider, by LiteLLM's name.
    """
    from litellm.llms.anthropic.pass_through.adapters.transformation import (
        LiteLLMAnthropicMessagesAdapter,
    )

    original = LiteLLMAnthropicMessagesAdapter.translate_anthropic_messages_to_openai

    def translate(self: Any, messages: Any, model: Any = None, **named: Any) -> Any:
        turns: Any = original(self, messages, model, **named)
        if has_text_only(named.get("custom_llm_provider") or ""):
            for turn in turns:
                turn.pop("thinking_blocks", None)
        return turns

    LiteLLMAnthropicMessagesAdapter.translate_anthropic_messages_to_openai = (  # type: ignore[method-assign]
        translate
    )


def keep_cache_marks() -> None:
    """Keep marks for the cache where a model takes them; once per process.

    LiteLLM keeps Claude's and Gemini's only, and for Nova would write a cachePoint of one
    (measured: nothing of ten turns was read from a cache).
    """
    from litellm.llms.anthropic.pass_through.adapters.transformation import (
        LiteLLMAnthropicMessagesAdapter,
    )

    original = LiteLLMAnthropicMessagesAdapter.target_consumes_cache_control

    def consumes(_cls: Any, model: str) -> bool:
        return bool(MARKED.search(model)) or original(model)

    LiteLLMAnthropicMessagesAdapter.target_consumes_cache_control = (  # type: ignore[method-assign]
        classmethod(consumes)  # type: ignore[assignment]
    )


def is_lost_thought(item: object) -> bool:
    """Tell whether an item of the Responses API is a thought that it cannot take back."""
    if not isinstance(item, Mapping) or item.get("type") != "reasoning":
        return False
    return not (item.get("encrypted_content") or item.get("id"))


def ask_for_encrypted() -> None:
    """Ask the Responses API to store nothing, and for thoughts that can be given back.

    Once per process.

    (developers.openai.com/api/docs/guides/reasoning, on encrypted reasoning items)
    One that came without its encrypted item is not sent: LiteLLM would write an item that has
    neither that nor an id (measured), and nothing is stored there by which it could be found.
    """
    from litellm.completion_extras.litellm_responses_transformation.transformation import (
        LiteLLMResponsesTransformationHandler,
    )

    original = LiteLLMResponsesTransformationHandler.transform_request

    def transform(self: Any, *given: Any, **named: Any) -> Any:
        request: Any = original(self, *given, **named)
        if request.get("reasoning") and ENCRYPTED not in (request.get("include") or ()):
            request["include"] = [*(request.get("include") or ()), ENCRYPTED]
        # by default OpenAI keeps each answer, with all that was asked, for 30 days; nothing here
        # refers to one that is kept (platform.openai.com/docs/api-reference/responses/create)
        request.setdefault("store", False)
        if isinstance(items := request.get("input"), list):
            request["input"] = [item for item in items if not is_lost_thought(item)]
        return request

    LiteLLMResponsesTransformationHandler.transform_request = transform  # type: ignore[method-assign]
