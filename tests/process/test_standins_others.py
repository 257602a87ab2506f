"""The stand-ins of Gemini, of Ollama, and of a third party with Anthropic's API."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.base.standin import Standin
from tests.standins.gemini.standin import GeminiStandin
from tests.standins.ollama import OllamaStandin

KEY = "right"
SCRIPT = script.reasoning("hm") + script.say("Look:") + script.tool("Bash", {"command": "ls"})
GENERATE = "/v1beta/models/gemini-2.5-flash:generateContent"
STREAM = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"


def post(
    standin: Standin[Any], path: str, document: Any, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    body = document if isinstance(document, bytes) else json.dumps(document)
    with closing(http.client.HTTPConnection("127.0.0.1", standin.port, timeout=60)) as line:
        line.request("POST", path, body, headers or {})
        response = line.getresponse()
        return response.status, response.read()


# Gemini -------------------------------------------------------------------------------------------


def contents(words: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": words}]}]}


def gemini(path: str, document: Any, key: str = KEY) -> tuple[int, bytes]:
    with GeminiStandin(key=KEY) as standin:
        return post(standin, path, document, {"x-goog-api-key": key})


def test_gemini_answers_whole_and_streamed_with_the_same_parts() -> None:
    _, whole = gemini(GENERATE, contents(SCRIPT))
    _, stream = gemini(STREAM, contents(SCRIPT))

    told = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith(b"data: ")]
    streamed = [part for event in told for part in event["candidates"][0]["content"]["parts"]]
    (candidate,) = json.loads(whole)["candidates"]
    parts = candidate["content"]["parts"]
    for part in (parts[-1], streamed[-1]):
        assert part.pop("thoughtSignature")
    assert parts == streamed
    assert parts == [
        {"text": "hm", "thought": True},
        {"text": "Look:"},
        {"functionCall": {"name": "Bash", "args": {"command": "ls"}}},
    ]
    assert (candidate["finishReason"], told[-1]["candidates"][0]["finishReason"]) == ("STOP",) * 2
    assert told[-1]["usageMetadata"]["totalTokenCount"] > 0


@pytest.mark.parametrize(
    ("path", "document", "key", "status"),
    [
        (GENERATE, contents("hi"), "wrong", 400),
        (f"{GENERATE}?key={KEY}", contents("hi"), "", 200),
        ("/v1beta/models/x:embedContent", contents("hi"), KEY, 404),
        (GENERATE, b"{", KEY, 400),
        (GENERATE, {"contents": []}, KEY, 400),
        (GENERATE, contents(script.error(429)), KEY, 429),
        (STREAM, contents(script.error(503)), KEY, 503),
        (GENERATE, contents(script.midstream(1)), KEY, 503),
    ],
)
def test_gemini_refuses_in_googles_words(path: str, document: Any, key: str, status: int) -> None:
    answered, body = gemini(path, document, key)

    assert answered == status
    assert status == 200 or json.loads(body)["error"]["code"] == status


# Ollama -------------------------------------------------------------------------------------------


def chat(words: str, **more: Any) -> dict[str, Any]:
    return {"model": "qwen3", "messages": [{"role": "user", "content": words}], **more}


def ollama(document: Any, path: str = "/api/chat") -> tuple[int, bytes]:
    with OllamaStandin() as standin:
        return post(standin, path, document)


def test_ollama_answers_whole_and_streamed_with_the_same_words() -> None:
    _, whole = ollama(chat(SCRIPT, stream=False))
    _, stream = ollama(chat(SCRIPT))

    *lines, last = [json.loads(line) for line in stream.splitlines()]
    answer = json.loads(whole)
    calls = [{"function": {"name": "Bash", "arguments": {"command": "ls"}}}]
    assert answer["message"] == {
        "role": "assistant",
        "content": "Look:",
        "thinking": "hm",
        "tool_calls": calls,
    }
    assert "".join(line["message"]["content"] for line in lines) == "Look:"
    assert (last["done"], last["done_reason"]) == (True, "stop")
    assert [answer["eval_count"], answer["done"]] == [last["eval_count"], True]


@pytest.mark.parametrize(
    ("document", "path", "status"),
    [
        (chat("hi"), "/api/generate", 404),
        (b"{", "/api/chat", 400),
        (chat("hi", max_tokens=5), "/api/chat", 400),
        (chat(script.error(500)), "/api/chat", 500),
        (chat(script.midstream(1), stream=False), "/api/chat", 500),
    ],
)
def test_ollama_refuses_in_its_own_words(document: Any, path: str, status: int) -> None:
    answered, body = ollama(document, path)

    assert answered == status
    assert json.loads(body).keys() == {"error"}


# A third party with Anthropic's API ---------------------------------------------------------------

Body = dict[str, Any]


def message(**more: Any) -> Body:
    turn = {"role": "user", "content": "hi"}
    return {"model": "glm-4.7", "max_tokens": 5, "messages": [turn], **more}


def changed(change: Callable[[Body], object]) -> Body:
    body = message(tools=[{"name": "a", "input_schema": {}}])
    change(body)
    return body


def third_party(document: Any, **headers: str) -> tuple[int, bytes]:
    with AnthropicStandin(api_key=KEY) as standin:
        return post(standin, "/api/anthropic/v1/messages", document, headers)


def test_a_third_party_answers_to_its_own_key_with_its_own_models() -> None:
    status, body = third_party(message(), **{"x-api-key": KEY})

    assert (status, json.loads(body)["model"]) == (200, "glm-4.7")


def test_a_third_party_cries_out_over_a_plans_login() -> None:
    status, body = third_party(message(), authorization="Bearer sk-ant-oat01-secret")

    assert status == 418
    assert b"AUTHORIZATION HEADER LEAKED" in body


@pytest.mark.parametrize(
    "document",
    [
        message(context_management={}),
        message(safeguards=[]),
        changed(lambda body: body["tools"][0].update(defer_loading=True)),
        changed(lambda body: body["messages"].append({"role": "system", "content": "x"})),
        changed(lambda body: body["messages"][0].update(output_config={})),
        changed(lambda body: body["tools"][0].update(cache_control={"ttl": "1h"})),
    ],
)
def test_a_third_party_refuses_what_only_anthropic_has(document: Body) -> None:
    status, _ = third_party(document, **{"x-api-key": KEY})

    assert status == 400


def test_a_third_party_refuses_a_wrong_key() -> None:
    assert third_party(message(), **{"x-api-key": "wrong"})[0] == 401


CALLED = {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "x"}]}


@pytest.mark.parametrize(
    ("thinks", "asked", "status"),
    [
        (False, None, 200),
        (False, {"type": "enabled", "budget_tokens": 1024}, 400),
        (True, None, 400),
        (True, {"type": "disabled"}, 200),
    ],
)
def test_a_thinking_model_wants_its_thoughts_back(thinks: bool, asked: Any, status: int) -> None:
    body = message(**({"thinking": asked} if asked else {}))
    body["messages"].append(CALLED)

    with AnthropicStandin(api_key=KEY, thinks=thinks) as standin:
        answered, _ = post(standin, "/v1/messages", body, {"x-api-key": KEY})

    assert answered == status
