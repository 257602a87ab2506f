"""What a request is estimated to have cost where nobody has said it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from openclaude.contracts.routing import ModelPrices, RoutingTable
from openclaude.contracts.team.people import Person
from openclaude.gateway.team.counts import LocalCount
from openclaude.gateway.team.limited import LimitedUse
from openclaude.gateway.team.people import PERSON
from openclaude.gateway.team.served import (
    ASKED,
    FILE_TOKENS,
    LARGEST_PROMPT,
    AskedModel,
    ServedModels,
    prompt_tokens,
    unpriced,
)

MODEL = "bedrock/m"
TABLE = RoutingTable(
    slots={}, models={MODEL: ModelPrices(provider="bedrock", input=0.0, output=1.0)}
)
START = {"type": "message_start", "message": {"model": MODEL, "usage": {"output_tokens": 1}}}
STOP = {"type": "message_stop"}
ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "gone"}}


def piece(text: str) -> dict[str, Any]:
    delta = {"type": "text_delta", "text": text}
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def file(kind: str, size: int) -> dict[str, Any]:
    return {"type": kind, "source": {"type": "base64", "data": "A" * size}}


def asked_with(content: list[Any]) -> int:
    document = {"messages": [{"role": "user", "content": content}]}
    return prompt_tokens(document, len(json.dumps(document)))


def cost(events: list[dict[str, Any]]) -> float | None:
    """What a stream of these events costs, of which the client sees no more."""

    async def answer(scope: Any, _receive: Any, send: Any) -> None:
        scope[ASKED] = AskedModel(MODEL, 10)
        head = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        for event in events:
            frame = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        is_over = events[-1]["type"] in ("message_stop", "error")
        if is_over:
            await send({"type": "http.response.body", "body": b""})

    found: float | None = asked(answer)["usd"]
    return found


def asked(app: Any) -> dict[str, Any]:
    """The line of the log of one request."""
    lines: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Mapping[str, Any]) -> None:
        """Nobody looks."""

    scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": []}
    limited = LimitedUse(app, LocalCount(), TABLE, lines.append)
    asyncio.run(limited({**scope, PERSON: Person("ann")}, receive, send))
    found: dict[str, Any] = json.loads(lines[0].removeprefix("request "))
    return found


@pytest.mark.parametrize("end", [[], [ERROR]])
def test_an_answer_of_one_long_piece_costs_what_one_of_many_does(end: list[dict[str, Any]]) -> None:
    text = "word and " * 2000

    assert cost([START, piece(text), *end]) == pytest.approx(len(text) / 6, rel=0.02)
    assert cost([START, *[piece("x")] * 300, *end]) == 300


def test_an_error_before_the_first_piece_costs_nothing() -> None:
    assert cost([START, ERROR]) is None


def test_an_answer_that_says_its_tokens_costs_those() -> None:
    usage = {"type": "message_delta", "usage": {"input_tokens": 3, "output_tokens": 7}}

    assert cost([START, piece("word " * 1000), usage, STOP]) == 7.0


def test_a_screenshot_is_no_text_wherever_it_is() -> None:
    image = file("image", 4_000_000)
    result = {"type": "tool_result", "content": [{"type": "text", "text": "seen"}, image]}

    assert FILE_TOKENS <= asked_with([image]) < FILE_TOKENS + 100
    assert 2 * FILE_TOKENS <= asked_with([image, result]) < 2 * FILE_TOKENS + 200


def test_a_document_is_as_many_tokens_as_it_has_pages() -> None:
    assert asked_with([file("document", 1_000_000)]) // FILE_TOKENS == 11


def test_no_request_is_estimated_longer_than_a_model_reads() -> None:
    assert asked_with([{"type": "text", "text": "a" * 40_000}]) // 1000 == 10
    assert prompt_tokens({}, 100_000_000) == LARGEST_PROMPT


@pytest.mark.parametrize("messages", [None, 5, [5], [{"content": [{"source": "x"}, None]}], ["x"]])
def test_a_request_that_is_none_is_estimated_by_its_length(messages: object) -> None:
    assert prompt_tokens({"messages": messages}, 400) == 100


def test_what_a_server_asks_for_is_estimated_from_the_request_itself() -> None:
    said = {"model": MODEL, "messages": [{"content": [file("image", 100_000)]}]}
    scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": []}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(said).encode(), "more_body": False}

    async def answer(_scope: Any, _receive: Any, _send: Any) -> None:
        """Nothing."""

    models = ServedModels(answer, {MODEL: "slot"}, paths=frozenset({"/v1/messages"}))
    asyncio.run(models(scope, receive, answer))  # type: ignore[arg-type]

    found = scope[ASKED]
    assert isinstance(found, AskedModel)
    assert FILE_TOKENS < found.tokens < FILE_TOKENS + 100


def test_a_model_without_either_price_is_named_and_so_is_a_fallback() -> None:
    both = ModelPrices(provider="p", input=1.0, output=2.0)
    models = {
        "whole": both,
        "half": ModelPrices(provider="p", input=1.0),
        "fallback": ModelPrices(provider="p", output=1.0, is_fallback=True),
        "free": ModelPrices(provider="p", input=0.0, output=0.0),
    }
    groups = {"whole": "a", "half": "b", "stranger": "c"}

    found = unpriced(groups, RoutingTable(slots={}, models=models))

    assert found == ["half", "stranger", "fallback"]
