"""The OpenAI stand-in, with OpenAI's own client."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import openai
import pytest

from openclaude.standins.base import script
from openclaude.standins.bedrock.rules import ModelRules
from tests.standins.openai.standin import OpenAIStandin

KEY = "sk-right"
MODELS = {"reads": ModelRules(max_output_tokens=8000)}
BASH: Any = {
    "type": "function",
    "function": {"name": "Bash", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture
def standin() -> Iterator[OpenAIStandin]:
    with OpenAIStandin(key=KEY, models=MODELS) as running:
        yield running


@pytest.fixture
def client(standin: OpenAIStandin) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=KEY, base_url=f"{standin.url}/v1", max_retries=0) as made:
        yield made


def said(*markers: str) -> Any:
    return [{"role": "user", "content": "".join(markers)}]


LOOK = (script.reasoning("hm"), script.say("Look:"), script.tool("Bash", {"command": "ls"}))


def test_a_chat_completion_is_one_that_the_client_understands(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="reads", messages=said(*LOOK), tools=[BASH])

    (choice,) = whole.choices
    assert choice.message.tool_calls is not None
    (call,) = choice.message.tool_calls
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "Look:")
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("Bash", '{"command": "ls"}')
    assert whole.usage is not None
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens


def test_a_streamed_one_says_the_same(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="reads",
        messages=said(*LOOK),
        tools=[BASH],
        stream=True,
        stream_options={"include_usage": True},
    )

    *chunks, last = list(stream)
    deltas = [chunk.choices[0].delta for chunk in chunks]
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    arguments = [call.function.arguments or "" for call in calls if call.function]
    assert "".join(delta.content or "" for delta in deltas) == "Look:"
    assert "".join(arguments) == '{"command": "ls"}'
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert last.usage is not None


@pytest.mark.parametrize("streams", [True, False])
def test_a_response_is_one_that_the_client_understands(
    client: openai.OpenAI, streams: bool
) -> None:
    asked: Any = {"model": "reads", "input": "".join(LOOK)}
    if streams:
        with client.responses.stream(**asked) as stream:
            done = stream.get_final_response()
    else:
        done = client.responses.create(**asked)

    assert [item.type for item in done.output] == ["reasoning", "message", "function_call"]
    assert done.output_text == "Look:"
    assert done.status == "completed"


def test_a_tools_result_is_read_and_the_script_goes_on(client: openai.OpenAI) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
    history: Any = [
        *said(script.tool("Bash", {}), script.then(script.say("done"))),
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "files"},
    ]

    whole = client.chat.completions.create(model="reads", messages=history, tools=[BASH])

    assert whole.choices[0].message.content == "done"


def test_a_wrong_key_is_refused_as_openai_does(standin: OpenAIStandin) -> None:
    with (
        openai.OpenAI(api_key="sk-wrong", base_url=standin.url, max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as refused,
    ):
        client.models.list()

    assert refused.value.code == "invalid_api_key"


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"model": "unknown", "messages": said("hi")}, openai.NotFoundError),
        ({"model": "reads", "messages": [{"role": "x", "content": ""}]}, openai.BadRequestError),
        ({"model": "reads", "messages": said("hi"), "max_tokens": 9000}, openai.BadRequestError),
        ({"model": "reads", "messages": said(script.error(429))}, openai.RateLimitError),
        ({"model": "reads", "messages": said(script.error(500))}, openai.InternalServerError),
        ({"model": "reads", "messages": said(script.abort(0))}, openai.APIConnectionError),
    ],
)
def test_an_error_is_the_clients_own(client: openai.OpenAI, asked: Any, kind: type) -> None:
    with pytest.raises(openai.APIError) as raised:
        client.chat.completions.create(**asked)

    assert type(raised.value) is kind


@pytest.mark.parametrize("how", [script.midstream(2), script.abort(2)])
def test_a_stream_can_break(client: openai.OpenAI, how: str) -> None:
    messages = said(script.say("Hello"), how)
    stream = client.chat.completions.create(model="reads", messages=messages, stream=True)

    with pytest.raises(Exception, match=r"scripted error|peer closed"):
        list(stream)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/v1/chat/completions", {"authorization": f"Bearer {KEY}"}, 200),
        ("/openai/v1/chat/completions", {"authorization": f"Bearer {KEY}"}, 200),
        ("/api/paas/v4/chat/completions", {"authorization": f"Bearer {KEY}"}, 200),
        ("/openai/deployments/d/chat/completions?api-version=1", {"api-key": KEY}, 200),
        ("/openai/deployments/d/chat/completions", {"api-key": KEY}, 404),
        ("/openai/deployments/d/chat/completions?api-version=1", {"authorization": KEY}, 401),
        ("/v2/chat/completions", {"authorization": f"Bearer {KEY}"}, 404),
    ],
)
def test_the_path_tells_who_is_asked(
    standin: OpenAIStandin, path: str, headers: dict[str, str], status: int
) -> None:
    body = json.dumps({"model": "reads", "messages": said("hi")})
    with closing(http.client.HTTPConnection("127.0.0.1", standin.port, timeout=60)) as line:
        line.request("POST", path, body, headers)

        assert line.getresponse().status == status


def test_what_it_was_asked_is_remembered_with_its_judgement(
    standin: OpenAIStandin, client: openai.OpenAI
) -> None:
    client.chat.completions.create(model="reads", messages=said("hi") * 2)

    (seen,) = standin.requests
    assert (seen.operation, seen.model_id, seen.refusal) == ("chat.completions", "reads", None)
    assert seen.problems == ("note: two user messages in a row",)
    assert seen.as_json()["problems"] == list(seen.problems)


def test_its_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["reads"]
