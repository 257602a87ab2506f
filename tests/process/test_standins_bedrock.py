"""The Bedrock stand-in, with AWS's own client."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EventStreamError,
)
from urllib3.exceptions import ProtocolError

from openclaude.standins.base import script
from openclaude.standins.bedrock.rules import ModelRules
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockStandin

KEY_ID, SECRET, TOKEN = "AKIASTANDIN", "fake/secret+key", "fake-session-token"
QWEN, GPT = "qwen.qwen3-next-80b-a3b", "openai.gpt-oss-120b-1:0"
MODELS = {
    QWEN: ModelRules(max_output_tokens=8000),
    GPT: ModelRules(max_output_tokens=16384, vision=True, caching=True),
}
BASH = script.tool("Bash", {"command": "ls"})
TOOL_CONFIG = {"tools": [{"toolSpec": {"name": "Bash", "inputSchema": {"json": {}}}}]}

Client = Any
Connect = Callable[..., Client]


@pytest.fixture
def bedrock() -> Iterator[BedrockStandin]:
    credentials = {KEY_ID: Secret(SECRET), "ASIATEMPORARY": Secret(SECRET, TOKEN)}
    with BedrockStandin(credentials=credentials, models=MODELS, region="us-west-2") as standin:
        yield standin


@pytest.fixture
def connect(bedrock: BedrockStandin, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Make clients that ignore the machine they run on."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    clients: list[Client] = []

    def make(*, key_id: str = KEY_ID, secret: str = SECRET, **more: Any) -> Client:
        options: dict[str, Any] = {"region_name": "us-west-2"} | more
        client = boto3.client(
            "bedrock-runtime",
            endpoint_url=bedrock.url,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=10, proxies={}),
            **options,
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Connect) -> Client:
    return connect()


def prompt(text: str, model: str = QWEN, **more: Any) -> dict[str, Any]:
    return {"modelId": model, "messages": [{"role": "user", "content": [{"text": text}]}], **more}


def streamed(client: Client, **asked: Any) -> list[dict[str, Any]]:
    with closing(client.converse_stream(**asked)["stream"]) as stream:
        return list(stream)


def post(bedrock: BedrockStandin, body: object, model: str = QWEN) -> tuple[int, str, str]:
    """Send what boto3 would not send, but signed; return status, error type, message."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = f"/model/{model}/converse"
    request = AWSRequest(method="POST", url=bedrock.url + path, data=sent)
    SigV4Auth(Credentials(KEY_ID, SECRET), "bedrock", "us-west-2").add_auth(request)
    line = http.client.HTTPConnection("127.0.0.1", bedrock.port, timeout=60)
    line.request("POST", path, sent, dict(request.headers.items()))
    reply = line.getresponse()
    document = json.loads(reply.read())
    line.close()
    return reply.status, reply.headers["x-amzn-errortype"], document.get("message", "")


# Answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [QWEN, GPT])
def test_botocore_reads_a_reply(bedrock: BedrockStandin, client: Client, model: str) -> None:
    reply = client.converse(**prompt("hi", model))

    assert reply["output"]["message"] == {
        "role": "assistant",
        "content": [{"text": f"bedrock stand-in: {model}"}],
    }
    assert reply["stopReason"] == "end_turn"
    assert (
        reply["usage"]["totalTokens"]
        == reply["usage"]["inputTokens"] + reply["usage"]["outputTokens"]
    )
    assert reply["ResponseMetadata"]["RequestId"]
    (request,) = bedrock.requests
    assert (request.operation, request.model_id) == ("Converse", model)
    assert (request.signed_by, request.region) == (KEY_ID, "us-west-2")
    assert (request.problems, request.refusal) == ((), None)


def test_botocore_reads_a_stream(bedrock: BedrockStandin, client: Client) -> None:
    asked = script.reasoning("hm") + script.say("so") + BASH

    found = streamed(client, **prompt(asked, toolConfig=TOOL_CONFIG))

    assert [next(iter(event)) for event in found] == [
        "messageStart",
        *("contentBlockDelta", "contentBlockStop") * 2,
        "contentBlockStart",
        *("contentBlockDelta", "contentBlockDelta", "contentBlockStop"),
        "messageStop",
        "metadata",
    ]
    deltas = [event["contentBlockDelta"] for event in found if "contentBlockDelta" in event]
    assert [delta["contentBlockIndex"] for delta in deltas] == [0, 1, 2, 2]
    assert deltas[0]["delta"] == {"reasoningContent": {"text": "hm"}}
    assert deltas[1]["delta"] == {"text": "so"}
    parts = [delta["delta"]["toolUse"]["input"] for delta in deltas[2:]]
    assert json.loads("".join(parts)) == {"command": "ls"}
    assert found[-2]["messageStop"]["stopReason"] == "tool_use"
    assert found[-1]["metadata"]["usage"]["outputTokens"] > 0
    assert bedrock.requests[0].operation == "ConverseStream"


def test_botocore_reads_reasoning_and_tool_calls(client: Client) -> None:
    asked = script.reasoning("hm") + BASH + BASH

    content = client.converse(**prompt(asked))["output"]["message"]["content"]

    assert content[0] == {"reasoningContent": {"reasoningText": {"text": "hm"}}}
    assert [block["toolUse"]["input"] for block in content[1:]] == [{"command": "ls"}] * 2
    assert len({block["toolUse"]["toolUseId"] for block in content[1:]}) == 2


def test_tool_results_are_answered_with_what_they_say(client: Client) -> None:
    asked = prompt(BASH, toolConfig=TOOL_CONFIG)
    (call,) = client.converse(**asked)["output"]["message"]["content"]
    key = call["toolUse"]["toolUseId"]
    asked["messages"] += [
        {"role": "assistant", "content": [call]},
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": key, "content": [{"text": "a"}, {"json": {"b": 1}}]}}
            ],
        },
    ]

    reply = client.converse(**asked)

    text = reply["output"]["message"]["content"][0]["text"]
    assert text == 'TOOL RESULT SEEN: 1 result: a\n{"b": 1}'


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        (
            {
                "outputConfig": {
                    "textFormat": {
                        "type": "json_schema",
                        "structure": {
                            "jsonSchema": {
                                "schema": '{"properties": {"title": {"type": "string"}}}'
                            }
                        },
                    }
                }
            },
            '{"title": "stand-in title"}',
        ),
        (
            {
                "toolConfig": {
                    "tools": [
                        {
                            "toolSpec": {
                                "name": "json_tool_call",
                                "inputSchema": {"json": {"properties": {"title": {}}}},
                            }
                        }
                    ],
                    "toolChoice": {"tool": {"name": "json_tool_call"}},
                }
            },
            {"title": "stand-in title"},
        ),
    ],
)
def test_a_format_is_answered_in_it_and_markers_in_the_text_are_not_run(
    client: Client, more: dict[str, Any], answer: object
) -> None:
    (block,) = client.converse(**prompt(BASH, **more))["output"]["message"]["content"]

    assert (block.get("text") or block["toolUse"]["input"]) == answer


def test_an_arn_is_the_model_it_ends_with(bedrock: BedrockStandin, client: Client) -> None:
    arn = f"arn:aws:bedrock:us-west-2::foundation-model/{GPT}"

    client.converse(**prompt("hi", arn))

    assert bedrock.requests[0].model_id == arn
    assert bedrock.requests[0].problems == ()


# Errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marker", "status", "kind"),
    [
        (script.limit(), 429, "ThrottlingException"),
        (script.error(400), 400, "ValidationException"),
        (script.error(403), 403, "AccessDeniedException"),
        (script.error(404), 404, "ResourceNotFoundException"),
        (script.error(408), 408, "ModelTimeoutException"),
        (script.error(424), 424, "ModelErrorException"),
        (script.error(429, "ModelNotReadyException"), 429, "ModelNotReadyException"),
        (script.error(500), 500, "InternalServerException"),
        (script.error(503), 503, "ServiceUnavailableException"),
        (script.midstream(1, "throttlingException"), 424, "ThrottlingException"),
    ],
)
def test_a_scripted_error_is_the_exception_of_its_status(
    client: Client, marker: str, status: int, kind: str
) -> None:
    with pytest.raises(ClientError) as caught:
        client.converse(**prompt(marker))

    assert caught.value.response["Error"]["Code"] == kind
    assert caught.value.response["Error"]["Message"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert caught.value.response["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize(
    "kind",
    ["throttlingException", "internalServerException", "modelStreamErrorException",
     "validationException", "serviceUnavailableException"],
)  # fmt: skip
def test_a_midstream_error_is_an_exception_of_the_stream(client: Client, kind: str) -> None:
    reply = client.converse_stream(**prompt(script.midstream(2, kind, "boom")))
    found = []

    with closing(reply["stream"]) as stream, pytest.raises(EventStreamError) as caught:
        found.extend(stream)

    assert caught.value.response["Error"] == {"Code": kind, "Message": "boom"}
    assert len(found) == 2


def test_an_abort_breaks_the_stream_after_its_events(client: Client) -> None:
    reply = client.converse_stream(**prompt(script.abort(2)))
    found = []

    with closing(reply["stream"]) as stream, pytest.raises(ProtocolError):
        found.extend(stream)

    assert len(found) == 2


def test_an_abort_after_nothing_closes_the_connection(client: Client) -> None:
    with pytest.raises(ConnectionClosedError):
        client.converse(**prompt(script.abort(0)))


def test_a_client_that_leaves_a_stream_is_counted(bedrock: BedrockStandin, client: Client) -> None:
    reply = client.converse_stream(**prompt(script.slow(2, 60)))
    next(iter(reply["stream"]))

    reply["stream"].close()
    client.close()

    assert bedrock.wait_until(lambda standin: standin.disconnects == 1)


# Admission --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"secret": "wrong"}, "InvalidSignatureException"),
        ({"key_id": "AKIAUNKNOWN"}, "UnrecognizedClientException"),
        ({"key_id": "ASIATEMPORARY"}, "UnrecognizedClientException"),
        (
            {"key_id": "ASIATEMPORARY", "aws_session_token": "old"},
            "UnrecognizedClientException",
        ),
        ({"aws_session_token": TOKEN}, "UnrecognizedClientException"),
        ({"region_name": "eu-west-1"}, "InvalidSignatureException"),
    ],
)
def test_a_wrong_credential_is_refused_and_named_in_the_record(
    bedrock: BedrockStandin, connect: Connect, given: dict[str, str], kind: str
) -> None:
    with pytest.raises(ClientError) as caught:
        connect(**given).converse(**prompt("hi"))

    assert caught.value.response["Error"]["Code"] == kind
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    (request,) = bedrock.requests
    assert request.signed_by is None
    assert request.problems[0].startswith(f"{kind}: ")


def test_a_session_token_is_taken_with_its_key(bedrock: BedrockStandin, connect: Connect) -> None:
    connect(key_id="ASIATEMPORARY", aws_session_token=TOKEN).converse(**prompt("hi"))

    assert bedrock.requests[0].signed_by == "ASIATEMPORARY"


def test_a_bearer_token_is_no_signature(bedrock: BedrockStandin) -> None:
    line = http.client.HTTPConnection("127.0.0.1", bedrock.port, timeout=60)
    line.request("POST", f"/model/{QWEN}/converse", b"{}", {"Authorization": "Bearer fake"})
    reply = line.getresponse()
    line.close()

    assert (reply.status, reply.headers["x-amzn-errortype"]) == (
        403,
        "IncompleteSignatureException",
    )
    assert bedrock.requests[0].header("authorization") == "Bearer fake"


def test_an_unknown_model_is_refused(bedrock: BedrockStandin, client: Client) -> None:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        client.converse(**prompt("hi", "qwen.qwen4-next"))

    assert "The provided model identifier is invalid." in str(caught.value)
    assert bedrock.requests[0].signed_by == KEY_ID


def test_a_broken_rule_is_a_validation_exception(bedrock: BedrockStandin, client: Client) -> None:
    limit = {"maxTokens": 32000}

    with pytest.raises(client.exceptions.ValidationException) as caught:
        client.converse(**prompt("hi", inferenceConfig=limit))

    message = caught.value.response["Error"]["Message"]
    assert message.startswith("The maximum tokens you requested exceeds the model limit of 8000.")
    assert bedrock.requests[0].problems == (message,)
    client.converse(**prompt("hi", GPT, inferenceConfig={"maxTokens": 16384}))


def test_a_note_is_recorded_and_the_request_answered(
    bedrock: BedrockStandin, client: Client
) -> None:
    turns = [*prompt("hi")["messages"], {"role": "assistant", "content": [{"text": "so"}]}]
    client.converse(**prompt("hi", messages=turns))

    assert bedrock.requests[0].problems == ("note: the last message is the assistant's (prefill)",)
    assert bedrock.requests[0].refusal is None


def test_a_body_outside_the_service_model_is_refused(bedrock: BedrockStandin) -> None:
    assert post(bedrock, {"messages": [], "max_tokens": 1, "stream": True}) == (
        400,
        "ValidationException",
        "max_tokens: unknown member",
    )
    assert bedrock.requests[0].problems == (
        "max_tokens: unknown member",
        "stream: unknown member",
    )


def test_null_members_are_as_good_as_absent_ones(bedrock: BedrockStandin) -> None:
    blocks = [{"text": "hi", "image": None}]

    body = {"messages": [{"role": "user", "content": blocks}], "toolConfig": None}

    assert post(bedrock, body)[0] == 200


def test_what_is_no_json_is_refused(bedrock: BedrockStandin) -> None:
    assert post(bedrock, b"{")[:2] == (400, "SerializationException")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", f"/model/{QWEN}/converse"), ("POST", f"/model/{QWEN}/count")],
)
def test_every_other_route_is_unknown(bedrock: BedrockStandin, method: str, path: str) -> None:
    line = http.client.HTTPConnection("127.0.0.1", bedrock.port, timeout=60)
    line.request(method, path)
    reply = line.getresponse()

    assert (reply.status, reply.headers["x-amzn-errortype"]) == (404, "UnknownOperationException")
    assert reply.headers["x-amzn-requestid"]
    line.close()


def test_botocore_reads_a_count_and_its_refusal(bedrock: BedrockStandin, client: Client) -> None:
    said = {"messages": [{"role": "user", "content": "hi"}]}
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 10, **said}
    counted = {"input": {"invokeModel": {"body": json.dumps(body).encode()}}}

    reply = client.count_tokens(modelId="anthropic.claude-opus-5-5", **counted)

    assert reply["inputTokens"] > 0
    assert [one.operation for one in bedrock.requests] == ["CountTokens"]
    with pytest.raises(ClientError, match="doesn't support counting tokens"):
        client.count_tokens(modelId="us.anthropic.claude-opus-5-5", **counted)
