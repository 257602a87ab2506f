"""Every reasoning model of the map on Bedrock, and those of the shipped profiles, in a session.

A real providers instance, and a Bedrock that has each family's own rule: it refuses a form of
thinking that is another family's, and a thought that comes back otherwise than it went.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from openclaude.models.catalog import Catalog
from openclaude.providers.bedrock import split_prefix
from openclaude.providers.families import litellm_name
from openclaude.providers.table import find_provider
from openclaude.providers.thinking import thinking_of
from openclaude.standins.base.script import reasoning, say, slow, then, tool
from openclaude.standins.bedrock.rules import ModelRules
from openclaude.standins.bedrock.standin import EXAMPLE_KEY_ID, EXAMPLE_SECRET, BedrockStandin
from openclaude.standins.bedrock.thinking import Telling, family_of
from tests.process.replay import KEY, wait_started
from tests.process.test_providers_instance import BASH, FLAGS, REPOSITORY

BEDROCK = find_provider("bedrock")
CAP = 8000
OFF = "us.zai.glm-5.3"  # the model that one deployment has without thoughts


def reasoning_models() -> list[str]:
    """Return the map's models that reason and are asked with Converse, one for each prefix.

    (Claude has InvokeModel, and tests of its own.)
    """
    kept: dict[tuple[str, bool], str] = {}
    for model in Catalog.bundled().models("bedrock"):
        # LiteLLM knows nothing of tools where the map has rows for single regions only
        is_regional = not model.prefixed and model.id == "moonshotai.kimi-k2-thinking"
        if model.reasoning and model.tools and "claude" not in model.id and not is_regional:
            name = (model.prefixed or (model.id,))[-1]
            prefix, bare = split_prefix(name)
            kept.setdefault((bare, bool(prefix)), name)
    return sorted({*kept.values(), "moonshotai.kimi-k2.5", "minimax.minimax-m2.5", OFF})


MODELS = reasoning_models()
NOVA = next(name for name in MODELS if "nova-2-lite" in name)


class Running:
    """The instance, and the Bedrock behind it."""

    def __init__(self, port: int, bedrock: BedrockStandin) -> None:
        self.port = port
        self.bedrock = bedrock

    def ask(self, model: str, messages: list[Any], **more: Any) -> tuple[int, Any, list[float]]:
        """Return the status, the message, and when each part of it came."""
        body = {
            "model": model,
            "max_tokens": 32000,
            "messages": messages,
            "tools": [BASH],
            "thinking": {"type": "adaptive"},
            "output_config": {"effort": "max"},
            **more,
        }
        headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("POST", "/v1/messages", json.dumps(body), headers)
            response = connection.getresponse()
            if not body.get("stream"):
                return response.status, json.loads(response.read()), []
            times: list[float] = []
            events: list[Any] = []
            for line in response:
                if line.startswith(b"data: "):
                    events.append(json.loads(line[6:]))
                    times.append(time.monotonic())
            return response.status, message_of(events), times


def message_of(events: list[Any]) -> dict[str, Any]:
    """Return the message that a client puts together from a stream."""
    content: list[dict[str, Any]] = []
    usage: dict[str, Any] = {}
    for event in events:
        match event["type"]:
            case "content_block_start":
                content.append(dict(event["content_block"]))
            case "content_block_delta":
                delta = event["delta"]
                if delta["type"] == "input_json_delta":
                    content[-1]["json"] = content[-1].get("json", "") + delta["partial_json"]
                else:
                    key = next(key for key in delta if key != "type")
                    content[-1][key] = content[-1].get(key, "") + delta[key]
            case "content_block_stop" if "json" in content[-1]:
                content[-1]["input"] = json.loads(content[-1].pop("json") or "{}")
            case "message_delta":
                usage = event["usage"]
    return {"content": content, "usage": usage}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("thinking")
    log = folder / "log"
    rules = {name: ModelRules(max_output_tokens=CAP, caching=is_caching(name)) for name in MODELS}
    with contextlib.ExitStack() as stack:
        bedrock = stack.enter_context(BedrockStandin(models=rules))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        output = stack.enter_context(log.open("wb"))
        command = (sys.executable, "-m", "uvicorn", "--no-access-log", "--factory")
        process = subprocess.Popen(
            (*command, "--fd", str(listener.fileno()), "openclaude.gateway.providers:app"),
            cwd=folder,
            env=write_home(folder, bedrock.url),
            pass_fds=(listener.fileno(),),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_started(process, log)
            yield Running(listener.getsockname()[1], bedrock)
        finally:
            process.terminate()
            process.wait(10)


def is_caching(model: str) -> bool:
    return "nova" in model


def write_home(folder: Path, url: str) -> Mapping[str, str]:
    """Write the instance's files, with each model as the compiler writes it."""
    aws = folder / ".aws"
    aws.mkdir()
    aws.joinpath("config").write_text("[profile work]\nregion = us-west-2\n")
    aws.joinpath("credentials").write_text(
        f"[work]\naws_access_key_id = {EXAMPLE_KEY_ID}\n"
        f"aws_secret_access_key = {EXAMPLE_SECRET.secret_key}\n"
    )
    reach = {
        "aws_profile_name": "work",
        "aws_region_name": "us-west-2",
        "aws_bedrock_runtime_endpoint": url,
        "max_retries": 0,
    }
    info = {"max_output_tokens": CAP, "supports_reasoning": True}
    models = [
        {
            "model_name": name,
            "litellm_params": {"model": litellm_name(BEDROCK, name.removesuffix("-off")), **reach},
            "model_info": {**info, "base_model": name.removesuffix("-off"), **more},
        }
        for name, more in [
            *((name, {}) for name in MODELS),
            (f"{OFF}-off", {"openclaude_thinking": "off"}),
        ]
    ]
    config = {
        "model_list": models,
        "litellm_settings": {
            "drop_params": True,
            "modify_params": False,
            "disable_streaming_logging": True,
            "use_chat_completions_url_for_anthropic_messages": True,
            "callbacks": ["openclaude.gateway.guard.handler"],
        },
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "disable_model_info_refresh": True,
        },
    }
    path = folder / "providers.yaml"
    path.write_text(yaml.safe_dump(config))
    return {
        **FLAGS,
        "HOME": str(folder),
        "PATH": os.defpath,
        "PYTHONPATH": str(REPOSITORY),
        "CONFIG_FILE_PATH": str(path),
        "LITELLM_MASTER_KEY": KEY,
    }


CALL = tool("Bash", {"command": "ls"})
ASKED = reasoning("first thought") + CALL + then(reasoning("second thought") + say("done"))


@pytest.mark.parametrize("model", MODELS)
def test_a_model_thinks_in_a_session_with_tools_and_gets_its_thoughts_back(
    running: Running, model: str
) -> None:
    running.bedrock.clear()
    turns: list[Any] = []
    for word in ("one", "two"):
        turns.append({"role": "user", "content": f"{word} {ASKED}"})
        for step in range(2):
            status, message, _ = running.ask(model, turns, stream=word == "one")
            assert status == 200, message
            turns.append({"role": "assistant", "content": message["content"]})
            calls = [block for block in message["content"] if block["type"] == "tool_use"]
            assert len(calls) == 1 - step
            if calls:
                result = {"type": "tool_result", "tool_use_id": calls[0]["id"], "content": "x"}
                turns.append({"role": "user", "content": [result]})

    assert [request.problems for request in running.bedrock.requests] == [()] * 4
    first, *_, last = (request.json() for request in running.bedrock.requests)
    returns = thinking_of(BEDROCK, model).returns
    thoughts = [
        block["reasoningContent"]
        for turn in last["messages"]
        for block in turn["content"]
        if "reasoningContent" in block
    ]
    assert len(thoughts) == (3 if returns else 0)
    shown = [block for turn in turns for block in turn["content"] if is_thought(block)]
    assert len(shown) == 4, "each answer had a thought"
    if family_of(model).telling is Telling.PLAIN:
        assert {block["thinking"] for block in shown} == {"first thought", "second thought"}
    fields = first.get("additionalModelRequestFields", {})
    assert "thinking" not in fields
    assert "thinking_blocks" not in json.dumps(last)


def is_thought(block: Any) -> bool:
    return isinstance(block, dict) and block["type"] in ("thinking", "redacted_thinking")


@pytest.mark.parametrize("stream", [True, False])
def test_a_profile_can_turn_thoughts_off(running: Running, stream: bool) -> None:
    running.bedrock.clear()

    status, message, _ = running.ask(
        f"{OFF}-off", [{"role": "user", "content": ASKED}], stream=stream
    )

    assert status == 200, message
    assert not any(is_thought(block) for block in message["content"])
    assert "additionalModelRequestFields" not in running.bedrock.requests[0].json()


def test_no_thought_is_shown_to_who_did_not_ask_for_one(running: Running) -> None:
    status, message, _ = running.ask(OFF, [{"role": "user", "content": ASKED}], thinking=None)

    assert status == 200, message
    assert not any(is_thought(block) for block in message["content"])


def test_a_thought_is_with_claude_as_soon_as_the_provider_has_it(running: Running) -> None:
    asked = reasoning("at once") + slow(4, 0.4)

    began = time.monotonic()
    _, message, times = running.ask(OFF, [{"role": "user", "content": asked}], stream=True)

    assert message["content"][0]["thinking"] == "at once"
    assert times[1] - began < 1.0  # the start of the message, then of the thought
    assert times[-1] - began > 1.5


@pytest.mark.parametrize("model", [OFF, NOVA, "openai.gpt-oss-120b-1:0"])
def test_each_request_of_a_session_begins_with_the_one_before(running: Running, model: str) -> None:
    """What a provider that caches by prefix reuses of ten turns with tools and thoughts."""
    running.bedrock.clear()
    system = [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=1; cch={}"},
        {"type": "text", "text": "You are an agent. " * 2000},
    ]
    turns: list[Any] = []
    for number in range(10):
        first = {**system[0], "text": system[0]["text"].format(number)}  # another in each request
        script = reasoning(f"thought {number}") + CALL
        turns.append({"role": "user", "content": [{"type": "text", "text": script}]})
        _, message, _ = running.ask(model, turns, system=[first, system[1]])
        (call,) = [block for block in message["content"] if block["type"] == "tool_use"]
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": "x" * 500}
        turns.append({"role": "assistant", "content": message["content"]})
        turns.append({"role": "user", "content": [result]})
        turns.append({"role": "assistant", "content": [{"type": "text", "text": "done"}]})

    asked = [request.json() for request in running.bedrock.requests]
    for before, after in itertools.pairwise(asked):
        assert after["messages"][: len(before["messages"])] == before["messages"]
        assert {**after, "messages": []} == {**before, "messages": []}
    sizes = [len(json.dumps(body)) for body in asked]
    assert sum(sizes[:-1]) / sum(sizes[1:]) > 0.95  # the share that is the same as the time before


def test_nova_caches_where_claude_marks_and_says_what_it_has_read(running: Running) -> None:
    running.bedrock.clear()
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    system = [{"type": "text", "text": "You are an agent. " * 2000, **mark}]
    content = [{"type": "text", "text": say("hi"), **mark}]

    for stream in (False, True):
        _, message, _ = running.ask(
            NOVA, [{"role": "user", "content": content}], system=system, stream=stream
        )

    (asked, _) = (request.json() for request in running.bedrock.requests)
    assert asked["system"][-1] == asked["messages"][0]["content"][-1]
    assert asked["system"][-1] == {"cachePoint": {"type": "default"}}
    assert [request.problems for request in running.bedrock.requests] == [()] * 2
    assert message["usage"]["cache_read_input_tokens"] > 5000
