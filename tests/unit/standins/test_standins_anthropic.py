"""What the Anthropic stand-in answers: as a function, without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaude.standins.anthropic.standin import COUNTED_TOKENS, AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.base.exchange import Chunk, Recorded, Reply

OPUS = "claude-opus-5-5"
PLAN = {
    "Authorization": "Bearer sk-ant-oat01-FAKE",
    "anthropic-beta": "claude-code-20250219,oauth-2025-04-20",
    "anthropic-version": "2023-06-01",
}
BASH = script.tool("Bash", {"command": "ls"})


def request(
    body: object, *, headers: dict[str, str] = PLAN, path: str = "/v1/messages?beta=true"
) -> Recorded:
    return Recorded(
        method="POST",
        target=path,
        headers=tuple((name.encode(), value.encode()) for name, value in headers.items()),
        body=json.dumps(body).encode(),
        at=0.0,
    )


def prompt(text: Any, **more: Any) -> dict[str, Any]:
    return {
        "model": OPUS,
        "max_tokens": 100,
        "messages": [{"role": "user", "content": text}],
        **more,
    }


def ask(body: object, standin: AnthropicStandin | None = None, **how: Any) -> Reply:
    return (standin or AnthropicStandin())._reply(request(body, **how))


def message(reply: Reply) -> dict[str, Any]:
    assert reply.status == 200, reply.content
    return dict(json.loads(reply.content))


def error(reply: Reply) -> tuple[int, str, str]:
    document = json.loads(reply.content)
    assert document["type"] == "error"
    assert document["request_id"] == dict(reply.headers)["request-id"]
    return reply.status, document["error"]["type"], document["error"]["message"]


def events(reply: Reply) -> list[dict[str, Any]]:
    """Return the events of a stream, each checked for its framing."""
    found = []
    for frame in reply.content.decode().split("\n\n")[:-1]:
        name, _, line = frame.partition("\n")
        event = json.loads(line.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found


def assembled(stream: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the message that a client assembles from a stream."""
    whole: dict[str, Any] = {}
    inputs: dict[int, str] = {}
    for event in stream:
        match event:
            case {"type": "message_start"}:
                whole = event["message"]
            case {"type": "content_block_start"}:
                assert event["index"] == len(whole["content"])
                whole["content"].append(event["content_block"])
            case {"type": "content_block_delta", "index": index, "delta": delta}:
                block = whole["content"][index]
                for key, part in delta.items():
                    if key == "partial_json":
                        inputs[index] = inputs.get(index, "") + part
                    elif key != "type":
                        block[key] += part
            case {"type": "message_delta"}:
                whole |= event["delta"] | {"usage": event["usage"]}
    for index, text in inputs.items():
        whole["content"][index]["input"] = json.loads(text)
    return whole


def test_the_default_answer_names_who_answered_and_the_model() -> None:
    answer = message(ask(prompt("hi")))

    assert answer["content"] == [{"type": "text", "text": f"anthropic stand-in: {OPUS}"}]
    assert (answer["model"], answer["stop_reason"]) == (OPUS, "end_turn")
    assert answer["usage"]["input_tokens"] > 0
    assert answer["usage"]["output_tokens"] > 0


def test_a_stream_says_the_same_as_a_whole_message() -> None:
    asked = prompt(
        script.reasoning("let me think about it") + script.say("so: " * 30) + BASH + BASH
    )

    whole, streamed = message(ask(asked)), assembled(events(ask(asked | {"stream": True})))

    for answer in (whole, streamed):
        assert answer["id"].startswith("msg_")
        assert answer["content"][0]["signature"]
        assert len({block["id"] for block in answer["content"][2:]}) == 2
        del answer["id"], answer["content"][0]["signature"]
        for block in answer["content"][2:]:
            assert block.pop("id").startswith("toolu_")
    assert whole.pop("usage").keys() == streamed.pop("usage").keys()
    assert whole == streamed
    assert whole["stop_reason"] == "tool_use"
    assert (
        whole["content"][2:]
        == [{"type": "tool_use", "name": "Bash", "input": {"command": "ls"}}] * 2
    )


def test_a_stream_has_the_events_of_the_real_one() -> None:
    kinds = [event["type"] for event in events(ask(prompt(script.say("hi"), stream=True)))]

    assert kinds == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_slow_text_pauses_before_each_part() -> None:
    reply = ask(prompt(script.slow(3, 0.5, "abc"), stream=True))

    assert isinstance(reply.body, tuple)
    assert [chunk.pause_s for chunk in reply.body].count(0.5) == 3
    assert assembled(events(reply))["content"][0]["text"] == "abc"


@pytest.mark.parametrize("stream", [True, False])
def test_wait_holds_the_first_byte_back(stream: bool) -> None:
    assert ask(prompt(script.wait(2), stream=stream)).wait_s == 2
    assert ask(prompt(script.wait(2) + script.error(500), stream=stream)).wait_s == 2


def test_safeguards_are_answered_with_a_verdict_on_each_tool_use() -> None:
    asked = prompt(BASH + BASH, stream=True, safeguards=[{"type": "dangerous_tool_use"}])

    answer = assembled(events(ask(asked)))

    (verdict,) = answer["safeguard_results"]
    assert verdict["type"] == "dangerous_tool_use"
    assert verdict["status"]["type"] == "available"
    assert verdict["status"]["tool_uses"] == {
        block["id"]: {"type": "evaluated", "outcome": "not_flagged"} for block in answer["content"]
    }


def test_without_safeguards_there_is_no_verdict() -> None:
    assert "safeguard_results" not in assembled(events(ask(prompt(BASH, stream=True))))


@pytest.mark.parametrize("stream", [True, False])
def test_a_format_is_answered_in_it_and_markers_in_the_text_are_not_run(stream: bool) -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}}
    output_config = {"format": {"type": "json_schema", "schema": schema}}

    reply = ask(prompt(BASH, stream=stream, output_config=output_config))

    answer = assembled(events(reply)) if stream else message(reply)
    assert json.loads(answer["content"][0]["text"]) == {"title": "stand-in title"}


def test_tool_results_are_answered_with_what_they_say() -> None:
    asked = prompt(BASH)
    blocks = [{"type": "text", "text": "one\n"}, {"type": "tool_reference", "tool_name": "X"}]
    asked["messages"] += [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "a", "name": "Bash", "input": {}}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "a", "content": blocks}],
        },
        {"role": "system", "content": "effort", "output_config": {"effort": "high"}},
    ]

    text = message(ask(asked))["content"][0]["text"]

    assert text == "TOOL RESULT SEEN: 1 result: one\n\n[tool_reference]"


# Errors, limits, breaks -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (529, "overloaded_error"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_a_scripted_error_has_the_usual_type_of_its_status(
    status: int, kind: str, stream: bool
) -> None:
    reply = ask(prompt(script.error(status, message="why"), stream=stream))

    assert error(reply) == (status, kind, "why")


def test_a_scripted_error_brings_its_own_type_and_headers() -> None:
    headers = {"Retry-After": "7", "x-should-retry": "false"}

    reply = ask(prompt(script.error(503, "own_error", headers=headers)))

    assert error(reply)[:2] == (503, "own_error")
    assert dict(reply.headers)["retry-after"] == "7"
    assert dict(reply.headers)["x-should-retry"] == "false"


def test_an_error_with_a_count_ends_after_it() -> None:
    standin = AnthropicStandin()
    asked = prompt(script.error(529, times=2) + script.say("recovered"))

    statuses = [ask(asked, standin).status for _ in range(4)]

    assert statuses == [529, 529, 200, 200]


def test_a_used_up_limit_has_the_headers_that_make_claude_say_so() -> None:
    reply = ask(prompt(script.limit(), stream=True))

    headers = dict(reply.headers)
    assert error(reply)[:2] == (429, "rate_limit_error")
    assert headers["anthropic-ratelimit-unified-status"] == "rejected"
    assert headers["anthropic-ratelimit-unified-5h-status"] == "rejected"
    assert headers["anthropic-ratelimit-unified-representative-claim"] == "five_hour"
    assert len(headers) == len(reply.headers)


@pytest.mark.parametrize(
    ("utilization", "status", "threshold"),
    [(0.17, "allowed", None), (0.8, "allowed_warning", "0.75")],
)
def test_every_answer_says_how_much_of_the_plan_is_used(
    utilization: float, status: str, threshold: str | None
) -> None:
    headers = dict(ask(prompt("hi"), AnthropicStandin(utilization=utilization)).headers)

    unified = "anthropic-ratelimit-unified-"
    assert headers[unified + "status"] == status
    assert headers[unified + "5h-utilization"] == str(utilization)
    assert headers.get(unified + "5h-surpassed-threshold") == threshold
    assert {"5h-reset", "5h-status", "7d-utilization", "7d-reset", "7d-status", "reset"} <= {
        name.removeprefix(unified) for name in headers
    }


def test_a_midstream_error_ends_the_stream_after_its_events() -> None:
    found = events(ask(prompt(script.midstream(3, "api_error", "boom"), stream=True)))

    assert [event["type"] for event in found] == [
        "message_start",
        "ping",
        "content_block_start",
        "error",
    ]
    assert found[-1]["error"] == {"type": "api_error", "message": "boom"}


def test_a_midstream_error_of_a_whole_message_is_an_error() -> None:
    assert error(ask(prompt(script.midstream(3, "api_error", "boom")))) == (
        500,
        "api_error",
        "boom",
    )


@pytest.mark.parametrize("count", [1, 4])
def test_an_abort_cuts_the_stream_after_its_events(count: int) -> None:
    reply = ask(prompt(script.abort(count), stream=True))

    assert reply.cut
    assert len(events(reply)) == count


@pytest.mark.parametrize("stream", [True, False])
def test_an_abort_after_nothing_sends_nothing(stream: bool) -> None:
    reply = ask(prompt(script.abort(0), stream=stream))

    assert reply.cut
    assert not reply.body


def test_an_abort_cuts_a_whole_message_too() -> None:
    reply = ask(prompt(script.abort()))

    assert reply.cut
    assert message(reply)["type"] == "message"


# Admission --------------------------------------------------------------------------------------


def without(name: str, **added: str) -> dict[str, str]:
    return {key: value for key, value in PLAN.items() if key != name} | added


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        (without("Authorization"), (401, "authentication_error", "x-api-key header is required")),
        (
            PLAN | {"Authorization": "Bearer "},
            (401, "authentication_error", "x-api-key header is required"),
        ),
        (
            PLAN | {"Authorization": "Bearer sk-ant-oat01-OTHER"},
            (401, "authentication_error", "Invalid bearer token"),
        ),
        (
            without("Authorization") | {"x-api-key": "other"},
            (401, "authentication_error", "invalid x-api-key"),
        ),
        (
            without("anthropic-beta"),
            (401, "authentication_error", "OAuth authentication is currently not supported."),
        ),
        (
            without("anthropic-version"),
            (400, "invalid_request_error", "anthropic-version: header is required"),
        ),
    ],
)
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens?beta=true"])
def test_who_is_not_admitted(
    headers: dict[str, str], refusal: tuple[int, str, str], path: str
) -> None:
    standin = AnthropicStandin(credentials=frozenset({"sk-ant-oat01-FAKE", "a-key"}))

    assert error(ask(prompt("hi"), standin, headers=headers, path=path)) == refusal


@pytest.mark.parametrize(
    "headers", [PLAN, {"x-api-key": "a-key", "anthropic-version": "2023-06-01"}]
)
def test_who_is_admitted(headers: dict[str, str]) -> None:
    standin = AnthropicStandin(credentials=frozenset({"sk-ant-oat01-FAKE", "a-key"}))

    assert ask(prompt("hi"), standin, headers=headers).status == 200


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], "Input should be a valid dictionary"),
        ({}, "model: Field required"),
        ({"model": OPUS, "messages": []}, "max_tokens: Field required"),
        (prompt("hi") | {"messages": []}, "messages: at least one message is required"),
        (prompt("hi") | {"model": 3}, "model: Input should be a valid string"),
        (prompt(None), "messages.0.content: Field required"),
        (prompt(["hi"]), "messages.0.content.0: Input should be a valid dictionary"),
        (prompt([{"type": "text"}]), "messages.0.content.0.text: Input should be a valid string"),
        (
            prompt([{"type": "text", "text": ""}]),
            "messages.0.content.0: text content blocks must be non-empty",
        ),
        (
            prompt([{"type": "thinking", "thinking": "hm", "signature": ""}]),
            "messages.0.content.0: Invalid `signature` in `thinking` block",
        ),
        (
            prompt([{"type": "tool_result", "tool_use_id": "a", "content": ["b"]}]),
            "messages.0.content.0.content: Input should be a list of dictionaries",
        ),
    ],
)
def test_what_the_real_api_refuses_is_refused(body: object, problem: str) -> None:
    assert error(ask(body)) == (400, "invalid_request_error", problem)


def test_a_body_that_is_no_json_is_refused() -> None:
    broken = Recorded(
        method="POST", target="/v1/messages", headers=request({}).headers, body=b"{", at=0.0
    )

    assert error(AnthropicStandin()._reply(broken))[:2] == (400, "invalid_request_error")


def test_a_signed_thinking_block_is_taken() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}

    assert ask(prompt([thinking, {"type": "text", "text": "hi"}])).status == 200


def test_a_slot_id_is_not_found_here() -> None:
    assert error(ask(prompt("hi") | {"model": "openclaude-haiku"})) == (
        404,
        "not_found_error",
        "model: openclaude-haiku",
    )


def test_counting_needs_no_max_tokens_and_is_recognisable() -> None:
    asked = {"model": OPUS, "messages": [{"role": "user", "content": "hi"}]}

    assert message(ask(asked, path="/v1/messages/count_tokens?beta=true")) == {
        "input_tokens": COUNTED_TOKENS
    }


@pytest.mark.parametrize(
    "path", ["/", "/v1/models", "/v1/complete", "/api/hello", "/v1/messages/x"]
)
def test_every_other_route_is_not_found(path: str) -> None:
    assert error(ask({}, path=path)) == (404, "not_found_error", "Not found")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "content", "role", "signature", "format", "schema"]),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200)
@given(
    messages=JSON | st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": JSON})),
    more=st.dictionaries(st.sampled_from(["stream", "safeguards", "output_config"]), JSON),
)
def test_no_body_is_too_strange_to_be_answered(messages: object, more: dict[str, Any]) -> None:
    reply = ask({"model": OPUS, "max_tokens": 1, "messages": messages} | more)

    assert reply.status in (200, 400)
    assert all(isinstance(chunk, Chunk) for chunk in reply.body) or isinstance(reply.body, bytes)
