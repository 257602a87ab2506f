"""Checks whether a body fits the types of OpenAI's two APIs in the `openai` package.

Knows: that package's request types, validated by pydantic; both are imported when first needed.
Independent of: the rules that the types do not contain (rules.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

# What LiteLLM and real servers write into a request although the package has no type for it
EASY_PARTS = {"output_text": "input_text"}


@cache
def request_type(operation: str, *, streams: bool) -> tuple[Any, frozenset[str]]:
    """Return the validator of an operation's body, and the names of its top-level keys."""
    from pydantic import TypeAdapter

    if operation == "responses":
        from openai.types.responses import response_create_params as params

        kind: Any = (
            params.ResponseCreateParamsStreaming
            if streams
            else params.ResponseCreateParamsNonStreaming
        )
    else:
        from openai.types.chat import completion_create_params as chat_params

        kind = (
            chat_params.CompletionCreateParamsStreaming
            if streams
            else chat_params.CompletionCreateParamsNonStreaming
        )
    return TypeAdapter(kind), frozenset(kind.__annotations__) | {"stream"}


def violations(operation: str, body: Any, more: frozenset[str] = frozenset()) -> Iterator[str]:
    """Return what does not fit; `more` are the keys that a provider has beyond OpenAI's."""
    from pydantic import ValidationError

    if not isinstance(body, dict):
        yield f"{type(body).__name__} found, object expected"
        return
    checker, known = request_type(operation, streams=body.get("stream") is True)
    yield from (f"{key}: unknown key" for key in body if key not in known | more)
    try:
        consume(checker.validate_python(easier(body)))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"] if str(step).isidentifier())
        yield f"{where}: {first['msg']}"


def easier(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with assistant turns as OpenAI accepts them, unlike its types."""
    easy = {**body}
    if easy.get("tool_choice") == "any":  # Mistral's name for it
        easy["tool_choice"] = "required"
    if isinstance(items := easy.get("input"), list):
        easy["input"] = [easier_item(item) for item in items]
    return easy


def easier_item(item: Any) -> Any:
    """Return an input item with the parts of an answer as parts of a question.

    A thought has no id where nothing is stored by it: OpenAI's own client leaves it out (codex-rs,
    `ResponseItem::Reasoning`).
    """
    if isinstance(item, Mapping) and item.get("type") == "reasoning":
        return {"id": "rs_of-nobody", **item}
    if not isinstance(item, Mapping) or not isinstance(item.get("content"), list):
        return item
    parts = [
        {**part, "type": EASY_PARTS.get(part.get("type"), part.get("type"))}
        for part in item["content"]
    ]
    return {**item, "content": parts}


def consume(value: Any) -> None:
    """Iterate over all of it: pydantic checks an Iterable only during iteration."""
    if isinstance(value, Mapping):
        value = value.values()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for part in value:
            consume(part)
