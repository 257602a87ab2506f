"""A format that a strict server refuses, through a real providers instance: asked for in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.process.replay import SERVED, Replayer, replayer
from tests.unit.gateway.replies.upstreams import DIALECTS, End, Said, Words

SAID = "one JSON value, without a code fence, that fits this JSON schema:"
WISH: dict[str, Any] = {
    "format": {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {"title": {"type": "string"}},
            "required": ["title"],
            "additionalProperties": False,
        },
    }
}
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
HEADS = {
    "bedrock": EVENTS.replace(b"text/event-stream", b"application/vnd.amazon.eventstream"),
    "ollama": EVENTS.replace(b"text/event-stream", b"application/x-ndjson"),
}
# The dialect that each provider is asked in, and the key of its wish in a request
KEYS = {
    "openai": ("openai", rb'"response_format"'),
    "openrouter": ("openai", rb'"response_format"'),
    "mistral": ("openai", rb'"response_format"'),
    "hosted_vllm": ("openai", rb'"response_format"'),
    "responses": ("responses", rb'"text": ?\{"format"'),
    "gemini": ("gemini", rb'"response_?(?:json_?)?schema"'),
    "ollama": ("ollama", rb'"format"'),
    "bedrock": ("bedrock", rb'"outputConfig"'),
}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayer]:
    with replayer(tmp_path_factory.mktemp("formats")) as started:
        yield started


def refusal(slot: str) -> bytes:
    """What a strict server says."""
    said = {"message": "This response_format type is unavailable now", "type": "x"}
    head = b"HTTP/1.1 400 X\r\ncontent-type: application/json\r\n"
    if slot == "bedrock":
        head += b"x-amzn-errortype: ValidationException\r\n"
    return head + b"\r\n" + json.dumps(said if slot == "bedrock" else {"error": said}).encode()


@pytest.mark.parametrize("slot", KEYS)
@pytest.mark.parametrize("streams", [True, False])
def test_a_refused_format_is_asked_for_in_words(
    instance: Replayer, slot: str, *, streams: bool
) -> None:
    dialect, key = KEYS[slot]
    said: list[Said] = [Words('{"title": "x"}'), End()]
    say = DIALECTS[dialect].say if streams else DIALECTS[dialect].say_whole
    head = (
        HEADS.get(slot, EVENTS)
        if streams
        else EVENTS.replace(b"text/event-stream", b"application/json")
    )
    replay = instance.replay
    replay.refuses, replay.refusal = re.compile(key, re.IGNORECASE), refusal(slot)
    replay.requests.clear()

    answers = [
        instance.ask(slot, head + say(said), output_config=WISH, stream=streams) for _ in "12"
    ]

    replay.refuses = None
    assert [answer.status for answer in answers] == [200, 200], (answers[0].body, replay.requests)
    assert b"title" in answers[1].body
    refused = [bool(re.search(key, body, re.IGNORECASE)) for body in replay.requests]
    # the first of a slot is refused; from then on nothing is asked for that way
    assert refused in ([True, False, False], [False, False])
    assert all(SAID.encode() in body for body in replay.requests[-2:])


def test_every_provider_is_asked_or_never_gets_the_wish() -> None:
    # the one is asked in words at once (see its row), the other is Claude, which takes the wish
    assert SERVED.keys() - KEYS.keys() == {"anthropic", "invoke"}
