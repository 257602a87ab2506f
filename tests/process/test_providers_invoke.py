"""Claude on Bedrock through InvokeModel: a real providers instance, and a Bedrock by the book.

The stand-in judges each body by what AWS and Anthropic publish, and signs the thoughts it sends, so
a 200 means that Claude on Bedrock could read the request. Each row of LiteLLM's compatibility
matrix for Claude Code that is green for Bedrock's InvokeModel is here, for three models in turn.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from openclaude.gateway.counting.answering import COUNT
from openclaude.gateway.requests.signatures import marked
from openclaude.standins.base.script import abort, error, midstream, reasoning, say, stop, tool
from openclaude.standins.bedrock.claude_rules import ClaudeRules, sign_thought
from openclaude.standins.bedrock.counting import invoked, tokens_of
from openclaude.standins.bedrock.standin import (
    API_KEY,
    EXAMPLE_CLAUDES,
    EXAMPLE_KEY_ID,
    EXAMPLE_SECRET,
    BedrockRecorded,
    BedrockStandin,
)
from tests.process.replay import wait_started
from tests.process.test_providers_instance import BASH, FLAGS, KEY, REPOSITORY, Answer

OPUS = "us.anthropic.claude-opus-5-5"
# One that thinks with a budget, and knows neither effort nor turns of the system
HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
FABLE = "us.anthropic.claude-fable-5-1"
CLAUDES = {
    **EXAMPLE_CLAUDES,
    HAIKU: ClaudeRules(
        max_output_tokens=64_000, is_adaptive=False, efforts=(), has_system_turns=False
    ),
}
SLOTS = {"openclaude-opus": OPUS, "openclaude-haiku": HAIKU, "openclaude-fable": FABLE}
BEDROCK_KEY = "ABSK-of-a-test-that-nobody-else-has"
UNCOUNTED = "us.anthropic.claude-sonnet-5-5"
PDF = {
    "type": "document",
    "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ="},
    "title": "a.pdf",
    "citations": {"enabled": True},
}
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0K"}}
# What claude asks of a Claude that it knows (seen with Claude Code 2.1.330)
AS_CLAUDE = {
    "thinking": {"type": "adaptive", "display": "omitted"},
    "output_config": {"effort": "high"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
}


class Claudes(NamedTuple):
    """A running instance, and the Bedrock behind it."""

    port: int
    bedrock: BedrockStandin

    def send(self, body: dict[str, Any], path: str = "/v1/messages") -> Answer:
        """Send one request, as the hop from main does, and return its whole reply."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"x-litellm-api-key": f"Bearer {KEY}", "content-type": "application/json"}
        with contextlib.closing(connection):
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            return Answer(response.status, response.read())

    def ask(self, slot: str, *turns: Any, **more: Any) -> tuple[Answer, dict[str, Any]]:
        """Send a good request; return the reply, and the body that Bedrock has accepted."""
        self.bedrock.clear()
        messages = [turn if isinstance(turn, dict) else user(turn) for turn in turns]
        answer = self.send({"model": slot, "max_tokens": 4000, "messages": messages, **more})
        assert answer.status == 200, (answer.body, self.got().body)
        seen = self.got()
        assert seen.problems == ()
        return answer, seen.json()

    def count_tokens(self, slot: str, *turns: Any, **more: Any) -> Answer:
        """Have tokens counted, as the hop from main does."""
        self.bedrock.clear()
        messages = [turn if isinstance(turn, dict) else user(turn) for turn in turns]
        return self.send({"model": slot, "messages": messages, **more}, COUNT)

    def got(self) -> BedrockRecorded:
        """Return the one request that reached Bedrock."""
        (seen,) = self.bedrock.requests
        return seen


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def with_key(deployed: dict[str, Any]) -> dict[str, Any]:
    """Return a deployment that is asked with a Bedrock API key in place of the AWS profile."""
    params = {**deployed["litellm_params"], "api_key": "os.environ/OPENCLAUDE_SECRET_1"}
    del params["aws_profile_name"]
    return {**deployed, "model_name": "openclaude-keyed", "litellm_params": params}


def deployment(slot: str, model: str, bedrock: BedrockStandin) -> dict[str, Any]:
    return {
        "model_name": slot,
        "litellm_params": {
            "model": f"bedrock/invoke/{model}",
            "aws_profile_name": "os.environ/OPENCLAUDE_AWS_PROFILE",
            "aws_region_name": "us-west-2",
            "aws_bedrock_runtime_endpoint": bedrock.url,
            "max_retries": 0,
        },
        "model_info": {
            "base_model": model,
            "max_output_tokens": CLAUDES[model].max_output_tokens,
            **dict.fromkeys(("supports_vision", "supports_pdf_input", "supports_reasoning"), True),
        },
    }


def write_home(folder: Path, bedrock: BedrockStandin) -> dict[str, str]:
    """Write the instance's files; return its whole environment."""
    folder.joinpath(".aws").mkdir()
    folder.joinpath(".aws/credentials").write_text(
        f"[work]\naws_access_key_id = {EXAMPLE_KEY_ID}\n"
        f"aws_secret_access_key = {EXAMPLE_SECRET.secret_key}\n"
    )
    path = folder / "providers.yaml"
    config = {
        "model_list": [
            with_key(deployment("", OPUS, bedrock)),
            *(
                deployment(slot, model, bedrock)
                for slot, model in {**SLOTS, "openclaude-uncounted": UNCOUNTED}.items()
            ),
        ],
        "litellm_settings": {
            "drop_params": True,
            "modify_params": False,
            "callbacks": ["openclaude.gateway.guard.handler"],
        },
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
    }
    path.write_text(yaml.safe_dump(config))
    return {
        **FLAGS,
        "HOME": str(folder),
        "PATH": os.defpath,
        "PYTHONPATH": str(REPOSITORY),
        "CONFIG_FILE_PATH": str(path),
        "LITELLM_MASTER_KEY": KEY,
        "OPENCLAUDE_AWS_PROFILE": "work",
        "OPENCLAUDE_SECRET_1": BEDROCK_KEY,
        "OPENCLAUDE_REACHES": bedrock.url,
    }


@pytest.fixture(scope="module")
def claudes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Claudes]:
    folder = tmp_path_factory.mktemp("claudes")
    log = folder / "log"
    with (
        BedrockStandin(
            claudes=CLAUDES,
            uncounted=frozenset({UNCOUNTED.removeprefix("us.")}),
            api_keys=frozenset({BEDROCK_KEY}),
        ) as bedrock,
        socket.create_server(("127.0.0.1", 0)) as listener,
        log.open("wb") as output,
    ):
        command = (sys.executable, "-m", "uvicorn", "--no-access-log", "--fd")
        process = subprocess.Popen(
            (*command, str(listener.fileno()), "--factory", "openclaude.gateway.providers:app"),
            cwd=folder,
            env=write_home(folder, bedrock),
            pass_fds=(listener.fileno(),),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_started(process, log)
            yield Claudes(listener.getsockname()[1], bedrock)
        finally:
            process.terminate()
            process.wait(60)


def blocks_of(answer: Answer) -> list[dict[str, Any]]:
    """Return the blocks of a reply, whole or streamed, as claude assembles them."""
    if answer.body.startswith(b"{"):
        blocks: list[dict[str, Any]] = answer.json()["content"]
        return blocks
    built: dict[int, dict[str, Any]] = {}
    for event in answer.events():
        if event["type"] == "content_block_start":
            built[event["index"]] = dict(event["content_block"])
        if event["type"] == "content_block_delta":
            add(built[event["index"]], event["delta"])
    for block in built.values():
        if isinstance(block.get("input"), str):
            block["input"] = json.loads(block["input"] or "{}")
    return [built[index] for index in sorted(built)]


def add(block: dict[str, Any], delta: dict[str, Any]) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "input_json_delta":
            block["input"] = (block["input"] or "") + delta["partial_json"]


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_thought_comes_with_its_signature_and_goes_back_with_it(
    claudes: Claudes, slot: str, is_stream: bool
) -> None:
    asked = reasoning("hm, ls") + say("I look.") + tool("Bash", {"command": "ls"})
    more = {**AS_CLAUDE, "tools": [BASH], "stream": is_stream}

    answer, sent = claudes.ask(slot, asked, **more)
    thought, words, call = blocks_of(answer)
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "a b"}
    said = {"role": "assistant", "content": [thought, words, call]}
    again, sent_again = claudes.ask(slot, asked, said, user([result]), **more)

    assert sent["thinking"]["type"] == ("enabled" if slot == "openclaude-haiku" else "adaptive")
    signature = sign_thought("hm, ls")
    assert thought == {
        "type": "thinking",
        "thinking": "hm, ls",
        "signature": marked("bedrock", signature),
    }
    assert sent_again["messages"][1]["content"][0] == {**thought, "signature": signature}
    assert "a b" in again.text()


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_reply_in_words_is_read_whole_and_streamed(
    claudes: Claudes, slot: str, is_stream: bool
) -> None:
    answer, _ = claudes.ask(slot, say("Hello."), stream=is_stream)

    assert claudes.got().operation == f"InvokeModel{'WithResponseStream' if is_stream else ''}"
    assert claudes.got().model_id == SLOTS[slot]
    assert answer.text() == "Hello."


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("ttl", [{}, {"ttl": "1h"}])
def test_what_claude_marks_for_the_cache_is_read_from_it_in_the_next_turn(
    claudes: Claudes, slot: str, ttl: dict[str, str]
) -> None:
    mark = {"cache_control": {"type": "ephemeral", **ttl}}
    billing = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2; cch=%s;"}
    turn = {"role": "user", "content": [{"type": "text", "text": "a" * 900, **mark}]}
    system = {"type": "text", "text": f"You are brief. {slot} {ttl}" + "b" * 900, **mark}
    bash = {**BASH, "description": f"Run it {slot} {ttl}", **mark}  # no other test's beginning
    usages = []
    for number, turns in enumerate(([turn], [turn, assistant("ok"), user(say("on"))])):
        first = {**billing, "text": str(billing["text"]) % number}
        answer, sent = claudes.ask(
            slot, *turns, system=[first, system], tools=[bash], stream=bool(number)
        )
        usages.append(usage_of(answer))

    assert sent["system"][0]["cache_control"] == sent["tools"][0]["cache_control"]
    assert sent["tools"][0]["cache_control"] == mark["cache_control"]
    assert usages[0]["cache_read_input_tokens"] == 0
    written = usages[0]["cache_creation_input_tokens"]
    assert usages[1]["cache_read_input_tokens"] == written > 400


def test_an_image_and_a_pdf_with_citations_arrive_as_they_are(claudes: Claudes) -> None:
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [PNG, PDF]}
    turns = [user("hi"), assistant(call("toolu_1")), user([result, PNG, PDF])]

    _, sent = claudes.ask("openclaude-opus", *turns, tools=[BASH])

    assert sent["messages"][2]["content"] == [result, PNG, PDF]


@pytest.mark.parametrize(("slot", "effort"), [("openclaude-opus", "max"), ("openclaude-haiku", "")])
def test_effort_reaches_a_model_that_knows_it(claudes: Claudes, slot: str, effort: str) -> None:
    _, sent = claudes.ask(slot, say("ok"), **{**AS_CLAUDE, "output_config": {"effort": "max"}})

    assert (sent.get("output_config") or {}).get("effort", "") == effort


def test_tools_that_a_search_finds_are_deferred_and_found(claudes: Claudes) -> None:
    deferred = {"name": "mcp__a__b", "input_schema": {"type": "object"}, "defer_loading": True}
    found = {"type": "tool_reference", "tool_name": "mcp__a__b"}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [found]}
    turns = [user("hi"), assistant(call("toolu_1")), user([result])]

    _, sent = claudes.ask("openclaude-opus", *turns, tools=[BASH, deferred])

    assert sent["tools"][1]["defer_loading"] is True
    assert sent["messages"][2]["content"][0]["content"] == [found]
    assert "tool-search-tool-2025-10-19" in sent["anthropic_beta"]


def test_what_another_signer_has_thought_does_not_go_to_bedrock(claudes: Claudes) -> None:
    foreign = [
        {"type": "thinking", "thinking": "hm", "signature": "EqQBCkYIBBgCIkCx"},
        {"type": "thinking", "thinking": "hm", "signature": marked("moonshot", "x")},
        {"type": "redacted_thinking", "data": "EmwKAhgBEgy3"},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
    ]
    turns = [user("hi"), assistant([*foreign, *call("toolu_1")]), user(RESULT)]

    for slot in ("openclaude-opus", "openclaude-haiku"):  # the second would want its thought back
        _, sent = claudes.ask(slot, *turns, **AS_CLAUDE, tools=[BASH])
        assert sent["messages"][1]["content"] == call("toolu_1")


def test_a_turn_of_the_system_and_a_format_arrive(claudes: Claudes) -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
    }
    schema |= {"additionalProperties": False}
    for slot in SLOTS:
        turns = [user("hi"), {"role": "system", "content": "Be brief."}]
        answer, _ = claudes.ask(
            slot, *turns, output_config={"format": {"type": "json_schema", "schema": schema}}
        )
        assert answer.status == 200


def test_a_search_by_a_server_is_refused_with_the_reason(claudes: Claudes) -> None:
    claudes.bedrock.clear()
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}

    answer = claudes.send(
        {"model": "openclaude-opus", "max_tokens": 9, "messages": [user("x")], "tools": [search]}
    )

    assert answer.status == 424
    assert "runs at Anthropic only" in answer.body.decode()
    assert claudes.bedrock.requests == ()


@pytest.mark.parametrize(
    ("script", "status", "said"),
    [
        (error(429, kind="ThrottlingException", message="slow down"), 429, "slow down"),
        (error(400, message="prompt is too long"), 400, "prompt is too long"),
        (error(403, message="no access"), 403, "no access"),
        (error(503, message="busy"), 503, "busy"),
        (midstream(0, message="broke"), 503, "broke"),
        (abort(0), 503, "Server disconnected"),
    ],
)
def test_a_refusal_keeps_its_status_and_its_words(
    claudes: Claudes, script: str, status: int, said: str
) -> None:
    body = {"model": "openclaude-opus", "max_tokens": 9, "messages": [user(script)]}

    answer = claudes.send({**body, "stream": True})

    assert (answer.status, said in answer.body.decode()) == (status, True), answer.body


@pytest.mark.parametrize(
    "script", [say("so far") + midstream(4, message="broke"), say("so far") + abort(4)]
)
def test_a_stream_that_breaks_ends_in_an_error_never_as_a_shorter_answer(
    claudes: Claudes, script: str
) -> None:
    body = {"model": "openclaude-opus", "max_tokens": 9, "messages": [user(script)]}

    answer = claudes.send({**body, "stream": True})

    kinds = [event["type"] for event in answer.events()]
    assert kinds[-1] == "error"
    assert "message_stop" not in kinds


def test_a_reply_at_its_cap_says_so_and_no_more_is_asked_than_a_model_writes(
    claudes: Claudes,
) -> None:
    answer, sent = claudes.ask(
        "openclaude-haiku", say("ok") + stop("max_tokens"), max_tokens=128000
    )

    assert sent["max_tokens"] == 64_000
    assert answer.json()["stop_reason"] == "max_tokens"


RESULT = [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "a"}]


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def call(identity: str) -> list[dict[str, Any]]:
    return [{"type": "tool_use", "id": identity, "name": "Bash", "input": {"command": "ls"}}]


def usage_of(answer: Answer) -> dict[str, Any]:
    """Return the counts of a reply, as claude reads them: the last ones of a stream."""
    if answer.body.startswith(b"{"):
        usage: dict[str, Any] = answer.json()["usage"]
        return usage
    (last,) = [event["usage"] for event in answer.events() if event["type"] == "message_delta"]
    return dict(last)


# Counting -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("slot", SLOTS)
def test_tokens_are_counted_by_bedrock_of_all_that_claude_reads(
    claudes: Claudes, slot: str
) -> None:
    """The stand-in refuses a count of anything that InvokeModel would refuse."""
    thought = {
        "type": "thinking",
        "thinking": "hm",
        "signature": marked("bedrock", sign_thought("hm")),
    }
    called = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "ls"}}
    said = {"role": "assistant", "content": [thought, called]}
    found = {"type": "tool_reference", "tool_name": "Found"}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [found]}
    deferred = [{**BASH, "name": name, "defer_loading": True} for name in ("Found", "Waiting")]
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    system = [{"type": "text", "text": "be good", **mark}]
    more = {**AS_CLAUDE, "system": system, "tools": [BASH, *deferred]}

    counted = claudes.count_tokens(slot, user([PDF, PNG]), said, user([result]), **more)

    seen = claudes.got()
    assert (seen.operation, seen.problems) == ("CountTokens", ())
    assert seen.model_id == SLOTS[slot].removeprefix("us.")
    assert seen.signed_by == EXAMPLE_KEY_ID
    body = invoked(seen.json())
    assert counted.status == 200
    assert counted.json() == {"input_tokens": tokens_of(body)}
    assert [tool["name"] for tool in body["tools"]] == ["Bash", "Found"]
    assert body["messages"][1]["content"][0]["signature"] == sign_thought("hm")


def test_a_bedrock_api_key_counts_too(claudes: Claudes) -> None:
    counted = claudes.count_tokens("openclaude-keyed", "hi")

    seen = claudes.got()
    assert (seen.operation, seen.signed_by, seen.problems) == ("CountTokens", API_KEY, ())
    assert counted.json() == {"input_tokens": tokens_of(invoked(seen.json()))}


def test_a_model_that_bedrock_does_not_count_is_asked_about_once(claudes: Claudes) -> None:
    first = claudes.count_tokens("openclaude-uncounted", "hi")
    asked = [one.operation for one in claudes.bedrock.requests]
    again = claudes.count_tokens("openclaude-uncounted", "hi")

    assert (first.status, again.status) == (503, 503)
    # not at Mantle: the profile names the address of Bedrock, and nothing goes anywhere else
    assert (asked, claudes.bedrock.requests) == (["CountTokens"], ())


def test_a_request_that_nobody_could_answer_is_not_counted(claudes: Claudes) -> None:
    assert claudes.count_tokens("openclaude-opus", user([["x"]])).status == 501
    assert claudes.bedrock.requests == ()
