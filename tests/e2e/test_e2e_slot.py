"""The haiku slot on Bedrock: its limits are kept, its errors are one plain sentence, sent once."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e import raw
from tests.e2e.house import House, Ran, login_headers, question

QWEN = "qwen.qwen3-next-80b-a3b"
SLOT = "openclaude-haiku"
NO_RETRIES = {"CLAUDE_CODE_MAX_RETRIES": "0"}


def ask_slot(house: House, body: bytes) -> raw.RawReply:
    """Send one request for the slot to main as claude does."""
    record = house.record()
    headers = raw.with_key(login_headers(house.canaries.oauth), record["main_key"])
    return raw.ask(record["port"], headers, body)


def haiku(house: House, prompt: str, *more: str) -> Ran:
    """Run claude on haiku without retries."""
    return house.openclaude("-p", prompt, "--model", "haiku", *more, env=NO_RETRIES)


@pytest.fixture
def wrong_aws_secret(house: House) -> Iterator[None]:
    """Change the secret in the AWS profile, for the duration of the test."""
    house.write_aws("not-the-secret/" + "x" * 25)
    yield
    house.write_aws(house.canaries.aws_secret)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize(
    ("status", "kind", "shown"),
    [
        (429, "ThrottlingException", 429),
        (400, "ValidationException", 400),
        (401, "UnrecognizedClientException", 424),
        (403, "AccessDeniedException", 424),
        (404, "ResourceNotFoundException", 424),
        (500, "InternalServerException", 500),
        (503, "ServiceUnavailableException", 503),
    ],
)
def test_one_request_is_one_call_and_its_error_never_a_401_or_403(
    house: House, bedrock: BedrockStandin, status: int, kind: str, shown: int, stream: bool
) -> None:
    prompt = script.error(status, kind, "the cause is named here")

    reply = ask_slot(house, question(prompt, model=SLOT, stream=stream))

    assert len(bedrock.requests) == 1
    assert reply.status == shown
    error = json.loads(reply.body)["error"]
    assert error["message"].startswith(f"{QWEN}: ")
    assert "litellm" not in error["message"].lower()
    assert "\n" not in error["message"]
    assert error["message"].count("the cause is named here") == 1


def test_a_throttled_request_is_asked_once_per_attempt_of_claude(
    house: House, bedrock: BedrockStandin
) -> None:
    once = script.error(429, times=1) + script.say("at last")

    ran = house.openclaude("-p", once, "--model", "haiku", env={"CLAUDE_CODE_MAX_RETRIES": "1"})

    assert ran == (0, "at last\n", "")
    assert len(bedrock.requests) == 2


def test_a_denied_model_is_one_sentence_with_the_way_out(
    house: House, bedrock: BedrockStandin
) -> None:
    cause = "User: arn:aws:iam::1:user/me is not authorized to perform: bedrock:InvokeModel"

    ran = haiku(house, script.error(403, "AccessDeniedException", cause))

    assert (ran.code, ran.err) == (1, "")
    assert ran.out.startswith(f"API Error: 424 {QWEN}: ")
    assert ran.out.count(cause) == 1
    assert "attach the policy that `openclaude aws policy --profile house` prints" in ran.out
    assert "authenticate" not in ran.out
    assert len(ran.out.splitlines()) == 1
    assert len(bedrock.requests) == 1


def test_a_wrong_aws_secret_names_the_profile_and_the_command(
    house: House, bedrock: BedrockStandin, wrong_aws_secret: None
) -> None:
    ran = haiku(house, "hi")

    assert (ran.code, ran.err) == (1, "")
    assert ran.out == (
        f"API Error: 424 {QWEN}: AWS rejects the access key of AWS profile `openclaude`; "
        "run `openclaude aws setup --name openclaude`\n"
    )
    assert [request.signed_by for request in bedrock.requests] == [None]


def test_a_corrected_aws_secret_works_without_a_restart(
    house: House, bedrock: BedrockStandin
) -> None:
    house.write_aws("not-the-secret/" + "x" * 25)
    refused = ask_slot(house, question("hi", model=SLOT))
    house.write_aws(house.canaries.aws_secret)

    assert refused.status == 424
    assert ask_slot(house, question("hi", model=SLOT)).status == 200


def test_a_slot_is_not_told_how_many_tokens_are_left(house: House, bedrock: BedrockStandin) -> None:
    job = script.tool("Bash", {"command": "echo from-the-tool"}) + script.then(script.say("done"))

    ran = house.openclaude("-p", job, "--model", "haiku", "--allowedTools", "Bash(echo:*)")

    assert ran == (0, "done\n", "")
    assert len(bedrock.requests) == 2
    assert "from-the-tool" in bedrock.requests[1].body.decode()
    for request in bedrock.requests:
        assert "tokens left" not in request.body.decode()


def test_reasoning_of_the_model_is_a_thought_of_its_own_for_claude(
    house: House, bedrock: BedrockStandin
) -> None:
    prompt = script.reasoning("a deep thought") + script.say("the answer")

    ran = haiku(house, prompt, "--output-format", "stream-json", "--verbose")
    whole = ask_slot(house, question(prompt, model=SLOT, stream=False))

    assert ran.code == 0
    blocks = [
        block
        for event in ran.lines()
        if event["type"] == "assistant"
        for block in event["message"]["content"]
    ]
    assert [block["type"] for block in blocks] == ["thinking", "text"]
    assert blocks[0]["thinking"] == "a deep thought"
    assert blocks[0]["signature"].startswith("openclaude:")  # nobody takes it for Claude's
    # and nothing of it for who has not asked it to think
    assert json.loads(whole.body)["content"] == [{"type": "text", "text": "the answer"}]


@pytest.mark.parametrize("asked", [128_000, 32_000, 8_000])
def test_the_output_is_limited_to_what_the_model_can_write(
    house: House, bedrock: BedrockStandin, asked: int
) -> None:
    reply = ask_slot(house, question("hi", model=SLOT, max_tokens=asked))

    assert reply.status == 200
    assert bedrock.requests[0].json()["inferenceConfig"]["maxTokens"] == 8000


def test_claude_asks_for_no_more_than_the_model_can_do(
    house: House, bedrock: BedrockStandin
) -> None:
    assert haiku(house, "hi").code == 0

    body = bedrock.requests[0].json()
    assert body["inferenceConfig"] == {"maxTokens": 8000}
    names = {tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]}
    assert "Bash" in names
    assert "DeferredToolPlaceholder" not in names
    assert "thinking" not in json.dumps(body.get("additionalModelRequestFields", {}))


def test_a_prompt_that_is_too_long_is_recognised_by_claude(
    house: House, bedrock: BedrockStandin
) -> None:
    cause = "Input is too long for requested model."

    ran = haiku(house, script.error(400, "ValidationException", cause))

    assert ran.code == 1
    assert "Prompt is too long" in ran.out


@pytest.mark.parametrize(
    "broken", [script.midstream(4, "throttlingException", "too fast"), script.abort(4)]
)
def test_a_stream_that_fails_half_way_ends_in_words(
    house: House, bedrock: BedrockStandin, broken: str
) -> None:
    ran = haiku(house, broken)

    assert ran.code == 1
    assert ran.out.startswith("API Error")
    assert "litellm" not in ran.out.lower()


def test_a_claude_model_goes_on_while_the_slot_fails(house: House, bedrock: BedrockStandin) -> None:
    assert haiku(house, script.error(503)).code == 1
    assert house.openclaude("-p", "hi", "--model", "opus").out == (
        "anthropic stand-in: claude-opus-5-5\n"
    )


def test_a_model_may_say_the_same_piece_two_hundred_times(
    house: House, bedrock: BedrockStandin
) -> None:
    """LiteLLM would end the stream at the hundredth (REPEATED_STREAMING_CHUNK_LIMIT)."""
    rule = "-----\n" * 200

    reply = ask_slot(house, question(script.slow(200, 0, rule), model=SLOT, stream=True))

    assert b"event: error" not in reply.body
    assert reply.body.count(b"-----\\n") == 200


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
def test_fast_mode_of_a_session_is_no_matter_to_a_slot(
    house: House, bedrock: BedrockStandin, path: str
) -> None:
    record = house.record()
    headers = raw.with_key(login_headers(house.canaries.oauth), record["main_key"])
    body = {**json.loads(question("hi", model=SLOT)), "speed": "fast"}

    reply = raw.ask(record["port"], headers, json.dumps(body).encode(), target=path)

    assert reply.status == 200, reply.body
    assert not any(b"speed" in request.body for request in bedrock.requests)


@pytest.mark.parametrize("levels", [250, 500, 900, 1000, 1015])
@pytest.mark.parametrize("place", ["input", "schema", "metadata"])
def test_a_body_that_is_nested_deeply_is_no_fault_of_ours(
    house: House, levels: int, place: str
) -> None:
    body = json.loads(question("hello", model=SLOT))
    before, after, each = "[", "]", 1
    match place:
        case "input":
            call = {"type": "tool_use", "id": "toolu_1", "name": "t", "input": {"x": "DEEP"}}
            result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}
            for role, block in (("assistant", call), ("user", result)):
                body["messages"].append({"role": role, "content": [block]})
        case "schema":
            before, after, each = '{"type":"object","properties":{"x":', "}}", 2
            schema = {"type": "object", "properties": {"x": "DEEP"}}
            body["tools"] = [{"name": "t", "input_schema": schema}]
        case _:
            body["metadata"] = {"x": "DEEP"}
    times = levels // each
    deep = f"{before * times}{'{}' if each == 2 else ''}{after * times}"

    reply = ask_slot(house, json.dumps(body).replace('"DEEP"', deep).encode())

    assert reply.status in (200, 400), reply
