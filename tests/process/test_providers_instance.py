"""A real providers instance between a client and a Bedrock stand-in: the guard inside LiteLLM.

The stand-in checks signatures, the service model and Bedrock's own rules, so a 200 means that
Bedrock could read the request. Some tests need nothing of ours: they show when a later LiteLLM
starts to need it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from openclaude.standins.base.script import error, midstream, reasoning, say, slow, stop, tool
from openclaude.standins.bedrock.standin import (
    EXAMPLE_KEY_ID,
    EXAMPLE_SECRET,
    BedrockRecorded,
    BedrockStandin,
)

KEY = "sk-providers-0123456789abcdef0123456789abcdef"
QWEN = "qwen.qwen3-next-80b-a3b"
QWEN_VL = "qwen.qwen3-vl-235b-a22b"
START_TIMEOUT_S = 300.0
REPOSITORY = Path(__file__).resolve().parents[2]
FLAGS = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "NO_DOCS": "True",
    "NO_REDOC": "True",
    "DISABLE_ADMIN_UI": "True",
    "AWS_EC2_METADATA_DISABLED": "true",
    "PYTHONFAULTHANDLER": "1",
}
BASH = {"name": "Bash", "description": "Run it", "input_schema": {"type": "object"}}
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0K"}}
PDF_SOURCE = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ="}


class Answer(NamedTuple):
    """A client's reply."""

    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[dict[str, Any]]:
        """The events of a stream."""
        lines = self.body.decode().splitlines()
        return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]

    def text(self) -> str:
        """The text of a reply, whole or streamed."""
        if self.body.startswith(b"{"):
            return "".join(block.get("text", "") for block in self.json()["content"])
        deltas = (event.get("delta", {}) for event in self.events())
        return "".join(delta.get("text", "") for delta in deltas)


class Providers(NamedTuple):
    """A running instance, and the Bedrock behind it."""

    port: int
    bedrock: BedrockStandin

    def open(self, body: dict[str, Any]) -> http.client.HTTPConnection:
        """Send a request without waiting for the whole reply."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {
            "x-litellm-api-key": f"Bearer {KEY}",
            "content-type": "application/json",
            "anthropic-version": "2023-06-01",
            "anthropic-beta": "context-management-2025-06-27",
        }
        connection.request("POST", "/v1/messages", json.dumps(body), headers)
        return connection

    def send(self, body: dict[str, Any]) -> Answer:
        """Send one request and return its whole reply."""
        connection = self.open(body)
        response = connection.getresponse()
        answer = Answer(response.status, response.read())
        connection.close()
        return answer

    def ask(self, *content: Any, **more: Any) -> tuple[Answer, dict[str, Any]]:
        """Send a good request with one user turn; return the reply, and Bedrock's request body."""
        answer = self.send(request(*content, **more))
        assert answer.status == 200, answer.body
        return answer, self.got().json()

    def got(self) -> BedrockRecorded:
        """Return the one request that reached Bedrock, which accepted it."""
        (seen,) = self.bedrock.requests
        assert seen.problems == ()
        return seen


def request(*content: Any, slot: str = "openclaude-haiku", **more: Any) -> dict[str, Any]:
    """Return a request with one user turn."""
    blocks = [text(block) if isinstance(block, str) else block for block in content]
    turns = [{"role": "user", "content": blocks}] if blocks else []
    return {"model": slot, "max_tokens": 100, "messages": turns, **more}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def deployment(slot_id: str, model: str, bedrock: BedrockStandin, **info: object) -> dict[str, Any]:
    return {
        "model_name": slot_id,
        "litellm_params": {
            "model": f"bedrock/converse/{model}",
            "aws_profile_name": "os.environ/OPENCLAUDE_AWS_PROFILE",
            "aws_region_name": "us-west-2",
            "aws_bedrock_runtime_endpoint": bedrock.url,
            "max_retries": 0,
        },
        "model_info": {"base_model": model, "max_output_tokens": 8000, **info},
    }


def config(bedrock: BedrockStandin) -> dict[str, Any]:
    """Return providers.yaml: a text-only model, one with vision, and one with a fallback."""
    sight = {"supports_vision": True, "supports_pdf_input": True}
    return {
        "model_list": [
            deployment("openclaude-haiku", QWEN, bedrock),
            deployment("openclaude-sonnet", QWEN_VL, bedrock, **sight),
            deployment("openclaude-opus", QWEN_VL, bedrock, **sight),
        ],
        "litellm_settings": {
            "drop_params": True,
            "modify_params": False,
            "request_timeout": 600,
            "callbacks": ["openclaude.gateway.guard.handler"],
        },
        "router_settings": {
            "num_retries": 0,
            "disable_cooldowns": True,
            "fallbacks": [{"openclaude-opus": ["openclaude-haiku"]}],
        },
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
    }


def write_home(folder: Path, bedrock: BedrockStandin) -> dict[str, str]:
    """Write the instance's files; return its whole environment."""
    aws = folder / ".aws"
    aws.mkdir()
    aws.joinpath("config").write_text("[profile work]\nregion = us-west-2\n")
    aws.joinpath("credentials").write_text(
        f"[work]\naws_access_key_id = {EXAMPLE_KEY_ID}\n"
        f"aws_secret_access_key = {EXAMPLE_SECRET.secret_key}\n"
    )
    path = folder / "providers.yaml"
    path.write_text(yaml.safe_dump(config(bedrock)))
    return {
        **FLAGS,
        "HOME": str(folder),
        "PATH": os.defpath,
        "PYTHONPATH": str(REPOSITORY),
        "CONFIG_FILE_PATH": str(path),
        "LITELLM_MASTER_KEY": KEY,
        "OPENCLAUDE_AWS_PROFILE": "work",
    }


def wait_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the instance answers; return its log if it ends or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        with contextlib.suppress(TimeoutError), contextlib.closing(connection):
            connection.request("GET", "/health/liveliness")
            if connection.getresponse().status == 200:
                return
    pytest.fail(log.read_text())


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    folder = tmp_path_factory.mktemp("providers")
    log = folder / "log"
    with (
        BedrockStandin() as bedrock,
        socket.create_server(("127.0.0.1", 0)) as listener,
        log.open("wb") as output,
    ):
        port = listener.getsockname()[1]
        number = str(listener.fileno())
        command = (sys.executable, "-m", "uvicorn", "--no-access-log", "--fd", number)
        process = subprocess.Popen(
            (*command, "litellm.proxy.proxy_server:app"),
            cwd=folder,
            env=write_home(folder, bedrock),
            pass_fds=(listener.fileno(),),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_ready(port, process, log)
            yield Providers(port, bedrock)
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture
def providers(instance: Providers) -> Providers:
    instance.bedrock.clear()
    return instance


# Requests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [32000, 128000, None])
def test_bedrock_is_asked_for_no_more_than_the_model_can_write(
    providers: Providers, asked: int | None
) -> None:
    _, sent = providers.ask(say("ok"), max_tokens=asked)

    assert sent["inferenceConfig"] == {"maxTokens": 8000}


def test_what_only_anthropic_understands_does_not_reach_bedrock(providers: Providers) -> None:
    _, sent = providers.ask(
        {**text(say("ok")), "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        system=[{**text("Be brief."), "cache_control": {"type": "ephemeral"}}],
        thinking={"type": "adaptive", "display": "omitted"},
        output_config={"effort": "high"},
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        metadata={"user_id": '{"account_uuid": "canary"}'},
        safeguards=[{"type": "dangerous_tool_use"}],
        mcp_servers=[],
        speed="fast",
        cache_control={"type": "ephemeral"},
        a_field_of_tomorrow=1,
    )

    assert sent == {
        "messages": [{"role": "user", "content": [{"text": say("ok")}]}],
        "system": [{"text": "Be brief."}],
        "inferenceConfig": {"maxTokens": 100},
    }


def test_a_turn_of_everything_the_model_cannot_read_arrives_as_text(providers: Providers) -> None:
    call = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1"}
    reference = {"type": "tool_reference", "tool_name": "WebFetch"}
    thought = {"type": "thinking", "thinking": "hm", "signature": "signed-by-anthropic"}
    turns = [
        {"role": "user", "content": " "},
        {"role": "assistant", "content": [thought, call, {**call, "id": "t2"}]},
        {
            "role": "user",
            "content": [
                {**result, "content": [PNG, reference], "is_error": True},
                {**result, "tool_use_id": "t2"},
                PNG,
                {"type": "document", "source": PDF_SOURCE},
                text(say("ok")),
            ],
        },
    ]

    answer = providers.send(request(tools=[BASH]) | {"messages": turns})

    first, second, third = providers.got().json()["messages"]
    image = {"text": "[An image was here; this model cannot see images.]\n"}
    loaded = {"text": "Tool loaded: WebFetch (now callable)."}
    results = [block["toolResult"]["content"] for block in third["content"][:2]]
    assert answer.status == 200
    assert first["content"] == [{"text": "(no content)"}]
    assert [set(block) for block in second["content"]] == [{"toolUse"}, {"toolUse"}]
    assert results == [[{"text": "ERROR:\n"}, image, loaded], [{"text": "(no output)"}]]
    assert third["content"][2] == image
    assert "this model cannot read it" in third["content"][3]["text"]


def test_a_model_that_sees_gets_the_image(providers: Providers) -> None:
    _, sent = providers.ask(PNG, say("ok"), slot="openclaude-sonnet")

    assert "image" in sent["messages"][0]["content"][0]


def test_only_tools_the_model_can_call_reach_it(providers: Providers) -> None:
    placeholder = {"name": "DeferredToolPlaceholder", "input_schema": {}, "defer_loading": True}
    typed = {"type": "bash_20250124", "name": "bash"}

    _, sent = providers.ask(say("ok"), tools=[placeholder, typed, BASH])

    (only,) = sent["toolConfig"]["tools"]
    assert only["toolSpec"]["name"] == "Bash"


def test_a_request_without_callable_tools_has_no_tool_config(providers: Providers) -> None:
    typed = {"type": "bash_20250124", "name": "bash"}

    _, sent = providers.ask(say("ok"), tools=[typed], tool_choice={"type": "any"})

    assert "toolConfig" not in sent


@pytest.mark.parametrize("streams", [True, False])
def test_a_server_tool_is_refused_aloud_and_bedrock_is_not_asked(
    providers: Providers, streams: bool
) -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}

    answer = providers.send(request("kittens", tools=[search], stream=streams))

    assert answer.status == 424
    assert answer.json()["error"]["message"] == (
        "the server tool `web_search` runs at Anthropic only; use a Claude model for it, or set "
        "`search.with` in the profile: `openclaude profiles set NAME search.with=duckduckgo`"
    )
    assert providers.bedrock.requests == ()


# Replies ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("streams", [True, False])
def test_no_reasoning_of_the_provider_reaches_claude(providers: Providers, streams: bool) -> None:
    script = reasoning("hm, let me think") + say("Hello") + tool("Bash", {"command": "ls"})

    answer, _ = providers.ask(script, tools=[BASH], stream=streams)

    blocks = (
        [event["content_block"] for event in answer.events() if "content_block" in event]
        if streams
        else answer.json()["content"]
    )
    assert [block["type"] for block in blocks] == ["text", "tool_use"]
    assert answer.text() == "Hello"
    assert b"let me think" not in answer.body
    assert b'"tool_use"' in answer.body  # the stop reason too


@pytest.mark.parametrize("streams", [True, False])
def test_a_reply_of_reasoning_only_still_has_a_block(providers: Providers, streams: bool) -> None:
    answer, _ = providers.ask(reasoning("hm") + say(""), stream=streams)

    assert answer.text() == "(no content)"


def test_a_whole_reply_with_a_tool_call_starts_with_the_call(providers: Providers) -> None:
    answer, _ = providers.ask(tool("Bash", {"command": "ls"}), tools=[BASH])

    assert [block["type"] for block in answer.json()["content"]] == ["tool_use"]


def test_a_stream_is_not_held_back(providers: Providers) -> None:
    connection = providers.open(request(slow(4, 0.3), stream=True))
    response = connection.getresponse()
    arrivals = [time.monotonic() for line in response if line.startswith(b"event: content_block_d")]
    connection.close()

    assert len(arrivals) == 4
    assert arrivals[-1] - arrivals[0] > 0.6


def test_a_client_that_leaves_ends_the_call_at_bedrock(providers: Providers) -> None:
    connection = providers.open(request(slow(200, 0.1), stream=True))
    response = connection.getresponse()
    response.readline()
    response.close()
    connection.close()

    assert providers.bedrock.wait_until(lambda bedrock: bedrock.disconnects == 1)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("end_turn", "end_turn"),
        ("max_tokens", "max_tokens"),
        ("stop_sequence", "end_turn"),
        ("guardrail_intervened", "refusal"),
        ("content_filtered", "refusal"),
    ],
)
def test_stop_reasons_are_litellms(providers: Providers, reason: str, expected: str) -> None:
    answer, _ = providers.ask(say("Hello") + stop(reason))

    assert answer.json()["stop_reason"] == expected


def test_usage_is_counted_by_bedrock(providers: Providers) -> None:
    answer, _ = providers.ask(say("Hello"), stream=True)

    (delta,) = [event for event in answer.events() if event["type"] == "message_delta"]
    assert delta["usage"]["input_tokens"] == len(providers.got().body) // 4
    assert delta["usage"]["output_tokens"] > 0


# Errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, "ThrottlingException"),
        (503, "ServiceUnavailableException"),
        (404, "ResourceNotFoundException"),
        (403, "AccessDeniedException"),
    ],
)
def test_an_error_is_one_call_and_blocks_nothing(
    providers: Providers, status: int, kind: str
) -> None:
    failed = providers.send(request(error(status, kind, "scripted")))
    calls = len(providers.bedrock.requests)
    after = providers.send(request(say("ok")))

    assert (failed.status, calls) == (status, 1)
    assert (after.status, after.text()) == (200, "ok")


def test_an_error_inside_a_stream_ends_it_with_an_error_event(providers: Providers) -> None:
    script = say("Hello") + midstream(2, "throttlingException", "slow down")

    answer, _ = providers.ask(script, stream=True)

    assert answer.events()[-1]["error"]["type"] == "rate_limit_error"


# What works without our help ----------------------------------------------------------------------


def test_a_long_tool_name_is_shortened_and_mapped_back(providers: Providers) -> None:
    name = "mcp__a-server-with-a-long-name__" + "a_tool_with_a_long_name_" * 3
    long_tool = {**BASH, "name": name}
    _, sent = providers.ask(say("ok"), tools=[long_tool])
    short = sent["toolConfig"]["tools"][0]["toolSpec"]["name"]
    providers.bedrock.clear()

    answer, _ = providers.ask(tool(short, {}), tools=[long_tool])
    call = answer.json()["content"][0]
    providers.bedrock.clear()
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"]}]},
    ]
    providers.send(request(tools=[long_tool]) | {"messages": history})

    assert len(short) <= 64 < len(name)
    assert call["name"] == name
    turn = providers.got().json()["messages"][1]
    assert turn["content"][0]["toolUse"]["name"] == short


def test_tool_history_without_tools_becomes_text(providers: Providers) -> None:
    history = [
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t/1.odd", "name": "Bash", "input": {}}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t/1.odd", "content": "files"}],
        },
    ]

    answer = providers.send(request() | {"messages": history})

    sent = json.dumps(providers.got().json()["messages"])
    assert answer.status == 200
    assert "toolUse" not in sent
    assert "files" in sent


def test_odd_tool_ids_stay_paired(providers: Providers) -> None:
    odd = "call:1/ä " + "x" * 200
    history = [
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": odd, "name": "Bash", "input": {}}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": odd, "content": "files"}],
        },
    ]

    answer = providers.send(request(tools=[BASH]) | {"messages": history})

    assert answer.status == 200
    _, called, answered = providers.got().json()["messages"]
    use, result = called["content"][0]["toolUse"], answered["content"][0]["toolResult"]
    assert use["toolUseId"] == result["toolUseId"]


def test_a_system_turn_in_mid_conversation_is_said_by_the_user(providers: Providers) -> None:
    history = [
        {"role": "user", "content": "hi"},
        {"role": "system", "content": "Be brief.", "output_config": {"effort": "high"}},
    ]

    answer = providers.send(request() | {"messages": history})

    (turn,) = providers.got().json()["messages"]
    assert answer.status == 200
    assert turn["role"] == "user"
    assert "Be brief." in turn["content"][-1]["text"]


def test_more_than_four_stop_sequences_are_cut(providers: Providers) -> None:
    _, sent = providers.ask(say("ok"), stop_sequences=["a", "b", "c", "d", "e"])

    assert sent["inferenceConfig"]["stopSequences"] == ["a", "b", "c", "d"]


def test_empty_text_blocks_are_left_out(providers: Providers) -> None:
    _, sent = providers.ask("", say("ok"), " ")

    assert sent["messages"][0]["content"] == [{"text": say("ok")}]


def test_a_tool_schema_keeps_its_properties(providers: Providers) -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
    }
    spec = {"name": "Read", "input_schema": schema, "strict": True, "defer_loading": True}

    _, sent = providers.ask(say("ok"), tools=[spec])

    (only,) = sent["toolConfig"]["tools"]
    assert only["toolSpec"]["description"] == "Read"
    assert only["toolSpec"]["inputSchema"]["json"] == {
        key: schema[key] for key in ("type", "properties", "required")
    }


def test_a_formatted_answer_is_asked_for_as_bedrock_wants_it(providers: Providers) -> None:
    schema = {
        "type": "object",
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": False,
    }
    wanted = {"effort": "low", "format": {"type": "json_schema", "schema": schema}}

    answer, sent = providers.ask("a title", output_config=wanted)

    assert sent["outputConfig"]["textFormat"]["type"] == "json_schema"
    assert json.loads(answer.text()).keys() == {"title"}
