"""Fallbacks: the next model answers after a temporary failure, and after no other."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from openclaude.gateway.http.trail import notice, read_trail
from openclaude.gateway.routing.fallbacks import Fallbacks, will_pass

CHAINS = {"slot": ["second", "third"], "alone": []}
MESSAGES = "/v1/messages"


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_will_pass(status: int) -> None:
    assert will_pass(status)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 424, 499])
def test_what_the_user_has_to_fix(status: int) -> None:
    assert not will_pass(status)


class Models:
    """Stands in for LiteLLM: each model answers with its status, and records its requests."""

    def __init__(self, **statuses: int) -> None:
        self.statuses = statuses
        self.asked: list[dict[str, Any]] = []
        self.lengths: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != MESSAGES:
            await send({"type": "else"})
            return
        body = (await receive())["body"]
        self.asked.append(json.loads(body))
        assert dict(scope["headers"])[b"content-length"] == b"%d" % len(body)
        model = self.asked[-1]["model"]
        status = self.statuses.get(model, 200)
        words = f"{model} says {status}".encode()
        headers = [(b"content-length", b"%d" % (len(words) * 2)), (b"x-model", model.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for more in (True, False):
            await send({"type": "http.response.body", "body": words, "more_body": more})


def ask(
    app: Any, model: str = "slot", *, path: str = MESSAGES, raw: bytes = b""
) -> list[dict[str, Any]]:
    """Ask for a model with these fallbacks."""
    chains = Fallbacks(app, lambda name: CHAINS.get(name, []), paths=frozenset({MESSAGES}))
    return ask_through(chains, model, path=path, raw=raw)


def ask_through(
    app: Any, model: str = "slot", *, path: str = MESSAGES, raw: bytes = b""
) -> list[dict[str, Any]]:
    """Return the messages of the reply to a request whose body comes in two parts."""
    sent: list[dict[str, Any]] = []
    body = raw or json.dumps({"model": model, "max_tokens": 5}).encode()
    parts = [
        {"type": "http.request", "body": body[9:]},
        {"type": "http.request", "body": body[:9], "more_body": True},
    ]

    async def receive() -> Any:
        return parts.pop() if parts else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-length", b"%d" % len(body)), (b"x-other", b"1")]
    scope = {"type": "http", "path": path, "headers": headers}
    asyncio.run(app(scope, receive, send))
    return sent


class Hears(Models):
    """The same, and records what stands in front of each model's answer."""

    heard: list[str]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.heard = [*getattr(self, "heard", []), notice()]
        await super().__call__(scope, receive, send)


def test_the_answer_of_another_model_says_which_one_has_failed_and_which_answers() -> None:
    app = Hears(slot=503, **{"slot-region-b": 500, "second": 529})
    chain = ["slot-region-b", "second", "third"]
    fallbacks = Fallbacks(
        app,
        lambda _: chain,
        paths=frozenset({MESSAGES}),
        name=lambda group: group.partition("-region-")[0],
    )

    ask_through(fallbacks)

    failed = "[slot failed (HTTP 503): answered by "
    assert app.heard == ["", "", f"{failed}second]\n\n", f"{failed}third]\n\n"]


def test_a_region_that_throttles_is_passed_over_in_the_next_request() -> None:
    chain = ["slot-region-b", "third"]
    app = Models(slot=429)
    fallbacks = Fallbacks(app, lambda _: chain, paths=frozenset({MESSAGES}))
    ask_through(fallbacks)
    ask_through(fallbacks)

    assert [one["model"] for one in app.asked] == ["slot", "slot-region-b", "slot-region-b"]


def said(sent: list[dict[str, Any]]) -> tuple[int, bytes]:
    start, *parts = sent
    return start["status"], b"".join(part["body"] for part in parts)


@pytest.mark.parametrize(
    ("statuses", "asked", "told"),
    [
        ({}, ["slot"], "slot says 200"),
        ({"slot": 529}, ["slot", "second"], "second says 200"),
        ({"slot": 429, "second": 500}, ["slot", "second", "third"], "third says 200"),
        ({"slot": 401}, ["slot"], "slot says 401"),
        ({"slot": 503, "second": 401}, ["slot", "second"], "slot says 503"),
        (
            {"slot": 503, "second": 429, "third": 529},
            ["slot", "second", "third"],
            "slot says 503",
        ),
    ],
)
def test_the_models_are_asked_in_order_and_the_first_failure_is_told(
    statuses: dict[str, int], asked: list[str], told: str
) -> None:
    models = Models(**statuses)

    reply = ask(models)

    assert [body["model"] for body in models.asked] == asked
    assert all(body["max_tokens"] == 5 for body in models.asked)
    assert said(reply) == (int(told[-3:]), told.encode() * 2)


def test_an_answer_passes_part_by_part() -> None:
    assert len(ask(Models(slot=503))) == 3


def test_a_model_without_fallbacks_is_asked_once() -> None:
    models = Models(alone=503)

    assert said(ask(models, "alone"))[0] == 503
    assert len(models.asked) == 1


@pytest.mark.parametrize("raw", [b"{no json", b"[1, 2, 3, 4]", b'{"model": {}}', b"\xff" * 12])
def test_a_body_that_is_no_request_is_the_applications_to_refuse(raw: bytes) -> None:
    async def refuse(_scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": body})

    assert said(ask(refuse, raw=raw)) == (500, raw)


def test_other_requests_pass_untouched() -> None:
    assert ask(Models(), path="/else") == [{"type": "else"}]


def test_a_client_that_leaves_is_not_asked_for() -> None:
    async def gone() -> Any:
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        raise AssertionError("nobody is there")

    models = Models()
    app = Fallbacks(models, lambda _: [], paths=frozenset({MESSAGES}))
    asyncio.run(app({"type": "http", "path": MESSAGES, "headers": []}, gone, send))

    assert models.asked == []


def test_the_reply_says_which_models_were_tried_in_vain() -> None:
    def tried(sent: list[dict[str, Any]]) -> list[tuple[str, int]]:
        found = read_trail(sent[0]["headers"])
        return [(one["model"], one["status"]) for one in found.get("attempts", [])]

    assert tried(ask(Models())) == []
    assert tried(ask(Models(slot=429, second=503))) == [("slot", 429), ("second", 503)]
    assert tried(ask(Models(slot=429, second=400))) == [("slot", 429), ("second", 400)]
    assert tried(ask(Models(slot=400))) == [("slot", 400)]
