"""What Bedrock refuses although its service model allows it: one function for each rule.

Knows: rules from public reports; none was checked against AWS itself. Independent of: HTTP. A rule
yields what is wrong, in AWS's words if they are known. REFUSALS cause a 400; NOTES are only
recorded, because it is not known what AWS does with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Body = Mapping[str, Any]
MEDIA = ("image", "document", "video", "audio")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRules:
    """The capabilities of one model."""

    max_output_tokens: int
    vision: bool = False
    caching: bool = False
    tools: bool = True


Rule = Callable[[Body, ModelRules], Iterator[str]]


def output_cap(body: Body, rules: ModelRules) -> Iterator[str]:
    """More output tokens than the model can produce."""
    wanted = (body.get("inferenceConfig") or {}).get("maxTokens")
    if wanted is not None and wanted > rules.max_output_tokens:
        yield (
            "The maximum tokens you requested exceeds the model limit of "
            f"{rules.max_output_tokens}. Try again with a maximum tokens value that is lower than "
            f"{rules.max_output_tokens}."
        )


def caching_supported(body: Body, rules: ModelRules) -> Iterator[str]:
    """A cachePoint for a model without caching."""
    tools = (body.get("toolConfig") or {}).get("tools") or ()
    places = (*(body.get("system") or ()), *tools, *(block for _, block in _blocks(body)))
    if not rules.caching and any("cachePoint" in block for block in places):
        yield (
            "You invoked an unsupported model or your request did not allow prompt caching. "
            "See the documentation for more information."
        )


def media_supported(body: Body, rules: ModelRules) -> Iterator[str]:
    """An image or a document for a text-only model; also inside a tool's result."""
    if rules.vision:
        return
    for _, block in _blocks(body):
        for part in (block, *((block.get("toolResult") or {}).get("content") or ())):
            for kind in MEDIA:
                if kind in part:
                    yield (
                        f"This model doesn't support the {kind} content block that you provided. "
                        "Revise your request and try again."
                    )


def user_speaks_first(body: Body, _: ModelRules) -> Iterator[str]:
    """A conversation that is empty or starts with the assistant."""
    turns = _turns(body)
    if not turns or turns[0].get("role") != "user":
        yield (
            "A conversation must start with a user message. Try again with a conversation that "
            "starts with a user message."
        )


def roles_alternate(body: Body, _: ModelRules) -> Iterator[str]:
    """Two messages of one role in a row."""
    roles = [turn.get("role") for turn in _turns(body)]
    if any(one == after for one, after in pairwise(roles)):
        yield (
            "A conversation must alternate between user and assistant roles. Make sure the "
            "conversation alternates between user and assistant roles and try again."
        )


def tools_declared(body: Body, _: ModelRules) -> Iterator[str]:
    """Tool blocks in the history, but no toolConfig."""
    uses_tools = any("toolUse" in block or "toolResult" in block for _, block in _blocks(body))
    if uses_tools and not body.get("toolConfig"):
        yield (
            "The toolConfig field must be defined when using toolUse and toolResult content blocks."
        )


def tools_supported(body: Body, rules: ModelRules) -> Iterator[str]:
    """Tools for a model that cannot call any."""
    if body.get("toolConfig") and not rules.tools:
        yield "This model doesn't support tool use."


def tool_uses_answered(body: Body, _: ModelRules) -> Iterator[str]:
    """A tool call without its result in the next message."""
    turns = _turns(body)
    for place, turn in enumerate(turns):
        after = turns[place + 1] if place + 1 < len(turns) else {}
        missing = [key for key in _ids(turn, "toolUse") if key not in _ids(after, "toolResult")]
        if missing:
            yield (
                f"Expected toolResult blocks at messages.{place + 1}.content for the following "
                f"Ids: {', '.join(missing)}"
            )


def text_not_blank(body: Body, _: ModelRules) -> Iterator[str]:
    """A text of only whitespace."""
    for where, block in _blocks(body):
        if "text" in block and not block["text"].strip():
            yield (
                f"The text field in the ContentBlock object at {where} is blank. Add text to the "
                "text field, and try again."
            )
    for place, block in enumerate(body.get("system") or ()):
        if "text" in block and not block["text"].strip():
            yield (
                f"The text field in the SystemContentBlock object at system.{place} is blank. Add "
                "text to the text field, and try again."
            )


def content_not_empty(body: Body, _: ModelRules) -> Iterator[str]:
    """A message without a block."""
    for place, message in enumerate(body.get("messages") or ()):
        if not message.get("content"):
            yield (
                f"The content field in the Message object at messages.{place} is empty. Add a "
                "ContentBlock object to the content field and try again."
            )


def no_prefill(body: Body, _: ModelRules) -> Iterator[str]:
    """The last message is the assistant's: some models refuse to continue it."""
    turns = _turns(body)
    if turns and turns[-1].get("role") == "assistant":
        yield "the last message is the assistant's (prefill)"


def no_orphan_results(body: Body, _: ModelRules) -> Iterator[str]:
    """A tool result without its call in the message before."""
    turns = _turns(body)
    for place, turn in enumerate(turns):
        called = _ids(turns[place - 1], "toolUse") if place else ()
        for key in _ids(turn, "toolResult"):
            if key not in called:
                yield f"messages.{place}: toolResult for a toolUse that is not there: {key}"


def results_say_something(body: Body, _: ModelRules) -> Iterator[str]:
    """A tool result that is empty or blank."""
    for where, block in _blocks(body):
        parts = (block.get("toolResult") or {}).get("content")
        if "toolResult" in block and not parts:
            yield f"{where}: toolResult without content"
        if any("text" in part and not part["text"].strip() for part in parts or ()):
            yield f"{where}: toolResult with a blank text"


REFUSALS: tuple[Rule, ...] = (
    user_speaks_first,
    content_not_empty,
    text_not_blank,
    roles_alternate,
    tools_declared,
    tools_supported,
    tool_uses_answered,
    caching_supported,
    media_supported,
    output_cap,
)
NOTES: tuple[Rule, ...] = (
    no_prefill,
    no_orphan_results,
    results_say_something,
)


def broken(table: tuple[Rule, ...], body: Body, rules: ModelRules) -> tuple[str, ...]:
    """Return the violations of a table of rules by a body that fits the service model."""
    return tuple(problem for rule in table for problem in rule(body, rules))


def _turns(body: Body) -> list[Mapping[str, Any]]:
    """Return the messages of the two speakers; a system message may be anywhere between them."""
    return [turn for turn in body.get("messages") or () if turn.get("role") != "system"]


def _blocks(body: Body) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return every block of every message, with its location."""
    for turn, message in enumerate(body.get("messages") or ()):
        for place, block in enumerate(message.get("content") or ()):
            yield f"messages.{turn}.content.{place}", block


def _ids(message: Mapping[str, Any], kind: str) -> list[str]:
    """Return the ids of a message's tool calls or tool results."""
    blocks = (block.get(kind) for block in message.get("content") or ())
    return [block["toolUseId"] for block in blocks if block]
