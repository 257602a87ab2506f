"""A format that is refused is asked for in words, once more and then at once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from openclaude.gateway.requests.formats import FORMAT, format_in_words
from openclaude.gateway.routing.formats import WISH as SEARCH
from openclaude.gateway.routing.formats import Formats

MESSAGES = "/v1/messages"
WISH = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
SAID = f'{FORMAT}\n{{"type": "object"}}'
REFUSED = "This response_format type is unavailable now"


class Server:
    """Refuses a format with a status and words; answers, or fails, where none is asked for."""

    def __init__(self, status: int, words: str = REFUSED, *, otherwise: int = 200) -> None:
        self.status = status
        self.words = words
        self.otherwise = otherwise
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        assert dict(scope["headers"])[b"content-length"] == b"%d" % len(body)
        document = json.loads(body)
        self.asked.append(document)
        has_wish = "format" in document.get("output_config", {})
        status, words = (self.status, self.words) if has_wish else (self.otherwise, "answer")
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": words.encode()})


def ask(app: Any, **more: Any) -> tuple[int, bytes]:
    sent: list[dict[str, Any]] = []
    body = json.dumps({"model": "slot", "output_config": WISH} | more).encode()

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-length", b"%d" % len(body))]
    asyncio.run(app({"type": "http", "path": MESSAGES, "headers": headers}, receive, send))
    return sent[0]["status"], sent[1]["body"]


def formats(server: Server) -> Formats:
    return Formats(server, format_in_words, paths=frozenset({MESSAGES}))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, REFUSED),
        (400, "Extra inputs are not permitted"),
        (422, "x"),
        (404, "No endpoints found that can handle the requested parameters"),
        (500, "Failed to compile the grammar"),
    ],
)
def test_a_refused_format_is_asked_for_in_words_and_at_once_from_then_on(
    status: int, words: str
) -> None:
    server = Server(status, words)
    app = formats(server)

    assert [ask(app, system="Be brief."), ask(app)] == [(200, b"answer")] * 2
    assert [body.get("output_config") for body in server.asked] == [WISH, None, None]
    assert [block["text"] for block in server.asked[1]["system"]] == ["Be brief.\n", SAID]
    assert [block["text"] for block in server.asked[2]["system"]] == [SAID]


def test_the_effort_stays_as_it_is() -> None:
    server = Server(400)

    ask(formats(server), output_config={**WISH, "effort": "low"})

    assert server.asked[1]["output_config"] == {"effort": "low"}


def test_another_slot_is_asked_as_it_is() -> None:
    server = Server(400)
    app = formats(server)

    ask(app)
    ask(app, model="other")

    assert "format" in server.asked[2]["output_config"]


def test_what_fails_in_words_too_is_told_as_it_failed_first_and_not_remembered() -> None:
    server = Server(400, "prompt is too long", otherwise=500)
    app = formats(server)

    assert [ask(app), ask(app)] == [(400, b"prompt is too long")] * 2
    assert "format" in server.asked[2]["output_config"]


@pytest.mark.parametrize(("status", "words"), [(401, REFUSED), (500, "oops"), (429, REFUSED)])
def test_another_failure_is_told_at_once(status: int, words: str) -> None:
    server = Server(status, words)

    assert ask(formats(server)) == (status, words.encode())
    assert len(server.asked) == 1


@pytest.mark.parametrize("config", [None, {"effort": "low"}, "format", {"format": 1}])
def test_a_request_without_a_format_is_asked_once(config: Any) -> None:
    server = Server(400, otherwise=400)
    config = {} if config is None else config

    assert format_in_words({"output_config": config}) is None
    if isinstance(config, dict) and "format" not in config:
        assert ask(formats(server), output_config=config)[0] == 400
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("config", "has_wish"),
    [
        ({"effort": "high", "format": WISH["format"]}, True),
        ({"task_budget": {"total": 5}, "format": WISH["format"]}, True),
        ({"effort": "high"}, False),
    ],
)
def test_a_body_is_parsed_only_for_the_wish(config: Any, has_wish: bool) -> None:
    tools = [{"input_schema": {"properties": {"url": {"type": "string", "format": "uri"}}}}]
    said = 'as in {"output_config": {"format": 1}}'
    body = json.dumps({"output_config": config, "tools": tools, "messages": [said]}).encode()

    assert bool(SEARCH.search(body)) is has_wish
