"""What OpenAI's API refuses although its types allow it: one function for each rule.

Knows: the rules of chat completions and responses, in OpenAI's words if they are known. Independent
of: HTTP. REFUSALS cause a 400; NOTES are only recorded: some servers refuse them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from openclaude.standins.bedrock.rules import ModelRules
from tests.standins.tool_schema import MOST_TOOLS, refused_by_openai

Body = Mapping[str, Any]
Rule = Callable[[Body, ModelRules], Iterator[str]]

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CAPS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def output_cap(body: Body, rules: ModelRules) -> Iterator[str]:
    """More output tokens than the model can produce."""
    for key in CAPS:
        if (body.get(key) or 0) > rules.max_output_tokens:
            yield (
                f"{key} is too large: {body[key]}. This model supports at most "
                f"{rules.max_output_tokens} completion tokens, whereas you provided {body[key]}."
            )


def calls_answered(body: Body, _: ModelRules) -> Iterator[str]:
    """A tool call that is not answered by the messages directly after it."""
    messages = body.get("messages") or []
    for place, message in enumerate(messages):
        called = [call["id"] for call in message.get("tool_calls") or ()]
        missing = [key for key in called if key not in answered_after(messages, place)]
        if missing:
            yield (
                "An assistant message with 'tool_calls' must be followed by tool messages "
                "responding to each 'tool_call_id'. The following tool_call_ids did not have "
                f"response messages: {', '.join(missing)}"
            )


def answers_called(body: Body, _: ModelRules) -> Iterator[str]:
    """A tool message that answers nothing."""
    called: list[str] = []
    for message in body.get("messages") or ():
        if message["role"] == "tool" and message.get("tool_call_id") not in called:
            yield (
                "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
                "message with 'tool_calls'."
            )
        if message["role"] != "tool":
            called = [call["id"] for call in message.get("tool_calls") or ()]


def outputs_given(body: Body, _: ModelRules) -> Iterator[str]:
    """The same for the items of a responses request."""
    items = [item for item in body.get("input") or () if isinstance(item, Mapping)]
    given = {item["call_id"] for item in items if item.get("type") == "function_call_output"}
    for item in items:
        if item.get("type") == "function_call" and item["call_id"] not in given:
            yield f"No tool output found for function call {item['call_id']}."


def something_said(body: Body, _: ModelRules) -> Iterator[str]:
    """A message without content, or with a blank part."""
    for place, message in enumerate(body.get("messages") or ()):
        content = message.get("content")
        if not content and not message.get("tool_calls"):
            yield f"Invalid value for 'content': messages.{place} is empty."
        for part in content if isinstance(content, list) else ():
            if part.get("type") == "text" and not part["text"].strip():
                yield f"messages.{place}: a text part is blank."


def images_are_images(body: Body, _: ModelRules) -> Iterator[str]:
    """Something else in place of an image."""
    for part in parts_of(body):
        image = part.get("image_url")
        address = str(image.get("url") if isinstance(image, Mapping) else image)
        if address.startswith("data:") and not address.startswith("data:image/"):
            yield "Invalid MIME type. Only image types are supported."


def images_seen(body: Body, rules: ModelRules) -> Iterator[str]:
    """An image for a text-only model."""
    kinds = {part.get("type") for part in parts_of(body)}
    if not rules.vision and kinds & {"image_url", "input_image", "file", "input_file"}:
        yield "Invalid content type. image_url is only supported by certain models."


def answers_are_text(body: Body, _: ModelRules) -> Iterator[str]:
    """An image in a tool's answer."""
    for place, message in enumerate(body.get("messages") or ()):
        content = message.get("content")
        parts = content if message["role"] == "tool" and isinstance(content, list) else ()
        if any(part.get("type") != "text" for part in parts):
            yield (
                f"Invalid 'messages[{place}]'. Image URLs are only allowed for messages with role "
                "'user', but this message with role 'tool' contains an image URL."
            )


def stops_counted(body: Body, _: ModelRules) -> Iterator[str]:
    """More than four stop sequences."""
    if isinstance(stops := body.get("stop"), list) and len(stops) > 4:
        yield "Invalid 'stop': array too long. Expected an array with maximum length 4."


def tools_named(body: Body, _: ModelRules) -> Iterator[str]:
    """A tool without a valid name, or two with the same name."""
    names = [name_of(tool) for tool in body.get("tools") or ()]
    yield from (
        f"Invalid 'tools[{place}].function.name': string does not match pattern."
        for place, name in enumerate(names)
        if not TOOL_NAME.fullmatch(name)
    )
    if len(set(names)) < len(names):
        yield "Tool names must be unique."


def schemas_clean(body: Body, _: ModelRules) -> Iterator[str]:
    """A tool whose parameters are not valid JSON schema."""
    for tool in body.get("tools") or ():
        parameters = (tool.get("function") or tool).get("parameters") or {}
        for problem in refused_by_openai(parameters):
            yield f"Invalid schema for function '{name_of(tool)}': {problem}"
        if stray := parameters.keys() & {"defer_loading", "cache_control", "input_examples"}:
            yield f"{name_of(tool)}: parameters with {', '.join(sorted(stray))}"


def tools_counted(body: Body, _: ModelRules) -> Iterator[str]:
    """More tools than OpenAI accepts."""
    if (count := len(body.get("tools") or ())) > MOST_TOOLS:
        yield (
            f"Invalid 'tools': array too long. Expected an array with maximum length {MOST_TOOLS}, "
            f"but got an array with length {count} instead."
        )


def roles_alternate(body: Body, _: ModelRules) -> Iterator[str]:
    """Two messages of one role in a row: chat templates of some open models refuse this."""
    roles = [message["role"] for message in body.get("messages") or ()]
    for one, after in pairwise(roles):
        if one == after != "tool":
            yield f"two {one} messages in a row"


def kept(body: Body, _: ModelRules) -> Iterator[str]:
    """A request of the Responses API that OpenAI would keep for 30 days, with its answer."""
    if "input" in body and body.get("store") is not False:
        yield "the conversation is stored"


REFUSALS: tuple[Rule, ...] = (
    output_cap,
    calls_answered,
    answers_called,
    outputs_given,
    something_said,
    images_seen,
    images_are_images,
    answers_are_text,
    stops_counted,
    tools_named,
    tools_counted,
    schemas_clean,
)
NOTES: tuple[Rule, ...] = (roles_alternate, kept)


def broken(table: tuple[Rule, ...], body: Body, rules: ModelRules) -> tuple[str, ...]:
    """Return the violations of a table of rules by a body that fits the types."""
    return tuple(problem for rule in table for problem in rule(body, rules))


def answered_after(messages: list[Body], place: int) -> set[str]:
    """Return the calls that the tool messages directly after a message answer."""
    answered = set()
    for message in messages[place + 1 :]:
        if message["role"] != "tool":
            break
        answered.add(message["tool_call_id"])
    return answered


def parts_of(body: Body) -> Iterator[Body]:
    """Return every part of every message or item."""
    for message in (*(body.get("messages") or ()), *(body.get("input") or ())):
        for key in ("content", "output"):
            content = message.get(key) if isinstance(message, Mapping) else None
            yield from content if isinstance(content, list) else ()


def name_of(tool: Body) -> str:
    """Return a tool's name; chat completions have it one level deeper than responses."""
    return str((tool.get("function") or tool).get("name"))
