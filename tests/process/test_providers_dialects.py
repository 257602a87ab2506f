"""A real providers instance with every kind of provider that LiteLLM knows.

The stand-ins check keys, types and each API's own rules, so a 200 means that the provider could
read the request. All differences between providers are in one row of SERVED.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from openclaude.compile.deployments import sent
from openclaude.providers.families import known_of
from openclaude.providers.table import ApiDialect, Provider, find_provider
from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base.exchange import Reply
from openclaude.standins.base.script import (
    abort,
    error,
    midstream,
    reasoning,
    say,
    slow,
    stop,
    then,
    tool,
)
from openclaude.standins.base.standin import Standin
from openclaude.standins.bedrock.rules import ModelRules
from tests.process.replay import kept_running
from tests.process.test_providers_instance import BASH, FLAGS, REPOSITORY, Answer
from tests.process.test_providers_thinking import message_of
from tests.standins.gemini.standin import GeminiStandin
from tests.standins.judged import Judged
from tests.standins.ollama import OllamaStandin
from tests.standins.openai.standin import OpenAIStandin

KEY = "sk-providers-0123456789abcdef0123456789abcdef"
SECRET = "sk-of-the-provider-0123456789abcdef"
ACCOUNT = "account-uuid-canary"
CAP = 8000
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)


class Served(NamedTuple):
    """How one provider is reached: LiteLLM's model up to its last part, the stand-in, the path."""

    prefix: str
    standin: str
    path: str = ""
    models: tuple[str, str] = ("reads", "sees")  # text-only; with vision and reasoning


SERVED = {
    "openai": Served("openai/", "openai", "/v1"),
    "responses": Served("openai/", "openai", "/v1", ("gpt-5-codex", "gpt-5.1-codex")),
    "hosted_vllm": Served("hosted_vllm/", "openai", "/v1"),
    "lm_studio": Served("lm_studio/", "openai", "/v1"),
    "moonshot": Served("moonshot/", "openai", "/v1"),
    "mistral": Served("mistral/", "openai", "/v1"),
    "openrouter": Served("openrouter/vendor/", "openai", "/api/v1"),
    "groq": Served("groq/", "openai", "/openai/v1"),
    "zai": Served("zai/", "openai", "/api/paas/v4"),
    "chutes": Served("chutes/", "openai", "/v1"),
    "sambanova": Served("sambanova/", "openai", "/v1"),
    "azure": Served("azure/", "openai"),
    "gemini": Served("gemini/gemini-2.5-", "gemini", "/v1beta"),
    "gemini3": Served("gemini/gemini-3-", "gemini", "/v1beta"),
    "ollama_chat": Served("ollama_chat/", "ollama"),
    "anthropic": Served("anthropic/", "third-party", "/api/anthropic"),
    "deepseek": Served("deepseek/", "thinker"),
    "minimax": Served("minimax/", "third-party", "/anthropic"),
}
NAMES = tuple(SERVED)
READS, SEES = "reads", "sees"
RULES = {
    f"{served.prefix}{model}".partition("/")[2]: ModelRules(max_output_tokens=CAP, vision=is_able)
    for served in SERVED.values()
    for model, is_able in zip(served.models, (False, True), strict=True)
}


class Dialects(NamedTuple):
    """A running instance, and the providers behind it."""

    port: int
    standins: dict[str, Standin[Any]]

    def open(self, body: dict[str, Any]) -> http.client.HTTPConnection:
        """Send a request, as the hop from main does, without reading the reply."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {
            "authorization": f"Bearer {KEY}",
            "content-type": "application/json",
            "anthropic-version": "2023-06-01",
            "anthropic-beta": "claude-code-20250219,oauth-2025-04-20",
        }
        connection.request("POST", "/v1/messages", json.dumps(body), headers)
        return connection

    def send(self, body: dict[str, Any]) -> Answer:
        """Send one request and return its whole reply."""
        with contextlib.closing(self.open(body)) as connection:
            response = connection.getresponse()
            return Answer(response.status, response.read())

    def seen(self) -> tuple[Any, ...]:
        """Return every request to any provider, in no order."""
        return tuple(seen for standin in self.standins.values() for seen in standin.requests)

    def ask(self, body: dict[str, Any]) -> tuple[Answer, Any]:
        """Send a good request; return the reply, and the one call that reached the provider."""
        answer = self.send(body)
        assert answer.status == 200, answer.body
        (call,) = self.seen()
        problems = [text for text in getattr(call, "problems", ()) if not text.startswith("note:")]
        assert problems == []
        return answer, call


SPEAKS = {
    "openai": ApiDialect.OPENAI,
    "gemini": ApiDialect.GEMINI,
    "ollama": ApiDialect.OLLAMA,
    "third-party": ApiDialect.ANTHROPIC,
    "thinker": ApiDialect.ANTHROPIC,
}


def provider_of(name: str) -> Provider:
    """Return the row of the table for a provider of SERVED."""
    return find_provider(SERVED[name].prefix.partition("/")[0])


def deployment(name: str, model: str, standins: dict[str, Standin[Any]]) -> dict[str, Any]:
    """Return one model of one provider, as the compiler writes it."""
    served = SERVED[name]
    is_able = model == SEES
    return {
        "model_name": f"{name}-{model}",
        "litellm_params": {
            "model": f"{served.prefix}{served.models[is_able]}",
            "api_base": f"{standins[served.standin].url}{served.path}",
            "api_key": "os.environ/OPENCLAUDE_SECRET_HAIKU",
            "max_retries": 0,
            **sent(provider_of(name)),
            **({"store": False} if name == "openai" else {}),
        },
        "model_info": {
            "max_output_tokens": CAP,
            "supports_vision": is_able,
            "supports_pdf_input": is_able,
            "supports_reasoning": is_able,
        },
    }


def config(standins: dict[str, Standin[Any]], general: Mapping[str, Any]) -> dict[str, Any]:
    """Return providers.yaml with every provider in it, and one mock of LiteLLM's own.

    `general` are further general settings.
    """
    mock = {"model": "openai/mock", "api_key": "none", "mock_response": "I am a mock"}
    return {
        "model_list": [
            *(deployment(name, model, standins) for name in NAMES for model in (READS, SEES)),
            {"model_name": "mock", "litellm_params": mock, "model_info": {}},
            {
                "model_name": "broken",
                "litellm_params": mock,
                "model_info": {"openclaude_notice": 1},
            },
        ],
        "litellm_settings": {
            "drop_params": True,
            "modify_params": False,
            "request_timeout": 600,
            "use_chat_completions_url_for_anthropic_messages": True,
            "callbacks": ["openclaude.gateway.guard.handler"],
        },
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "disable_model_info_refresh": True,
            **general,
        },
    }


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dialects]:
    with serving(tmp_path_factory.mktemp("dialects")) as served:
        yield served


@contextlib.contextmanager
def serving(
    folder: Path,
    general: Mapping[str, Any] | None = None,
    *,
    answer: Callable[[Judged], Reply | None] | None = None,
) -> Iterator[Dialects]:
    """Start an instance with general settings; `answer` may override the replies of OpenAI's."""
    log = folder / "log"
    with contextlib.ExitStack() as stack:
        standins: dict[str, Standin[Any]] = {
            "openai": stack.enter_context(OpenAIStandin(key=SECRET, models=RULES, answer=answer)),
            "gemini": stack.enter_context(GeminiStandin(key=SECRET, models=RULES)),
            "ollama": stack.enter_context(OllamaStandin(models=RULES)),
            "third-party": stack.enter_context(AnthropicStandin(api_key=SECRET)),
            "thinker": stack.enter_context(AnthropicStandin(api_key=SECRET, thinks=True)),
        }
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        output = stack.enter_context(log.open("wb"))
        command = (sys.executable, "-m", "uvicorn", "--no-access-log")
        factory = ("--factory", "--fd", str(listener.fileno()), "openclaude.gateway.providers:app")

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                (*command, *factory),
                cwd=folder,
                env=write_home(folder, standins, general or {}),
                pass_fds=(listener.fileno(),),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

        with kept_running(start, log):
            yield Dialects(listener.getsockname()[1], standins)
    assert SECRET not in log.read_text()


def write_home(
    folder: Path, standins: dict[str, Standin[Any]], general: Mapping[str, Any]
) -> dict[str, str]:
    """Write the instance's files; return its whole environment."""
    path = folder / "providers.yaml"
    path.write_text(yaml.safe_dump(config(standins, general)))
    return {
        **FLAGS,
        "HOME": str(folder),
        "PATH": os.defpath,
        "PYTHONPATH": str(REPOSITORY),
        "CONFIG_FILE_PATH": str(path),
        "LITELLM_MASTER_KEY": KEY,
        "OPENCLAUDE_SECRET_HAIKU": SECRET,
    }


@pytest.fixture
def dialects(instance: Dialects) -> Dialects:
    for standin in instance.standins.values():
        standin.clear()
    return instance


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def body(slot: str, *content: Any, **more: Any) -> dict[str, Any]:
    """A request with one user turn."""
    blocks = [text(block) if isinstance(block, str) else block for block in content]
    turn = {"role": "user", "content": blocks}
    return {"model": slot, "max_tokens": 100, "messages": [turn], **more}


def conversation(slot: str, script: str, **more: Any) -> dict[str, Any]:
    """Return what claude sends to an unknown model in the middle of its work."""
    hour = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"command": {"type": "string"}, "n": {"type": "integer", "maximum": 9}},
        "required": ["command"],
        "additionalProperties": False,
    }
    image = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    failed = [text("no such file"), {"type": "image", "source": image}]
    loaded = [{"type": "tool_reference", "tool_name": "WebFetch"}]
    calls = [
        {"type": "tool_use", "id": "toolu_01", "name": "Bash", "input": {"command": "ls"}},
        {"type": "tool_use", "id": "toolu_02", "name": "ToolSearch", "input": {}},
    ]
    results = [
        {"type": "tool_result", "tool_use_id": "toolu_01", "content": failed, "is_error": True},
        {"type": "tool_result", "tool_use_id": "toolu_02", "content": loaded},
    ]
    thought = {"type": "thinking", "thinking": "hm", "signature": "signed-by-anthropic"}
    return {
        "model": slot,
        "max_tokens": 32000,
        "system": [
            text("x-anthropic-billing-header: cc_version=2.1.1; cch=f00;"),
            # as long as claude's: for some providers LiteLLM does more above a certain length
            text("Be brief. " * 5000) | hour,
        ],
        "thinking": {"type": "adaptive", "display": "omitted"},
        "output_config": {"effort": "high"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "metadata": {"user_id": json.dumps({"account_uuid": ACCOUNT})},
        "safeguards": [{"type": "dangerous_tool_use"}],
        "tools": [
            {"name": "Bash", "description": "Run", "input_schema": schema} | hour,
            {"name": "ToolSearch", "input_schema": {"type": "object", "properties": {}}},
            {"name": "WebFetch", "input_schema": {"type": "object"}, "defer_loading": True},
            {"name": "DeferredToolPlaceholder", "input_schema": {}, "defer_loading": True},
        ],
        "messages": [
            {"role": "user", "content": [text("<system-reminder>r</system-reminder>"), text("go")]},
            {"role": "system", "content": [text("first")], "output_config": {"effort": "high"}},
            {"role": "assistant", "content": [thought, text("ok"), *calls]},
            {"role": "user", "content": [*results, text("and"), text("more") | hour]},
            {"role": "assistant", "content": [text("done")]},
            {"role": "user", "content": [text(script) | hour]},
            {"role": "system", "content": "second"},
        ],
        **more,
    }


def blocks_of(answer: Answer) -> list[dict[str, Any]]:
    """The blocks of a reply, whole or streamed (then as they start)."""
    if answer.body.startswith(b"{"):
        return list(answer.json()["content"])
    return [event["content_block"] for event in answer.events() if "content_block" in event]


every = pytest.mark.parametrize("name", NAMES)
both = pytest.mark.parametrize("streams", [True, False], ids=["stream", "whole"])


# Requests -----------------------------------------------------------------------------------------


@every
@both
def test_a_turn_is_answered_by_one_call(dialects: Dialects, name: str, streams: bool) -> None:
    answer, call = dialects.ask(body(f"{name}-reads", say("Hello"), stream=streams))

    assert answer.text() == "Hello"
    assert call.method == "POST"


@every
@both
@pytest.mark.parametrize("model", [READS, SEES])
def test_what_claude_sends_in_the_middle_of_its_work_can_be_read(
    dialects: Dialects, name: str, streams: bool, model: str
) -> None:
    request = conversation(f"{name}-{model}", say("Hello"), stream=streams)

    answer, call = dialects.ask(request)

    sent = call.body.decode()
    assert answer.text() == "Hello"
    assert (PIXEL in sent) == (model == SEES and name != "sambanova")
    assert (PIXEL in sent) != ("this model cannot see images" in sent)
    for word in ("ERROR", "no such file", "now callable", "first", "second", "Be brief."):
        assert word in sent
    for word in (
        "ERROR:no",
        "billing-header",
        ACCOUNT,
        "Placeholder",
        "defer_loading",
        "signed-by-anthropic",
    ):
        assert word not in sent


@every
def test_no_credential_but_the_providers_own_arrives(dialects: Dialects, name: str) -> None:
    _, call = dialects.ask(conversation(f"{name}-reads", say("ok")))

    sent = str(call.headers) + call.target + call.body.decode()
    assert KEY not in sent
    assert sent.count(SECRET) == 1
    assert "oauth" not in sent


@every
@pytest.mark.parametrize("asked", [32000, None, 64])
def test_no_more_is_asked_for_than_the_model_can_write(
    dialects: Dialects, name: str, asked: int | None
) -> None:
    _, call = dialects.ask(body(f"{name}-reads", say("ok"), max_tokens=asked))

    sent = json.dumps(call.json())  # each of them writes JSON in its own way
    assert f": {min(asked or CAP, CAP)}" in sent


@every
@both
def test_a_tool_is_called_and_its_result_read(dialects: Dialects, name: str, streams: bool) -> None:
    slot = f"{name}-reads"
    question = body(slot, say("Look:") + tool("Bash", {"command": "ls"}), tools=[BASH])
    answer, _ = dialects.ask(question | {"stream": streams})
    said, called = blocks_of(answer)
    for standin in dialects.standins.values():
        standin.clear()
    if streams:
        deltas = [event.get("delta", {}) for event in answer.events()]
        arguments = "".join(delta.get("partial_json", "") for delta in deltas)
        called = {**called, "input": json.loads(arguments)}
    result = {"type": "tool_result", "tool_use_id": called["id"], "content": "files"}
    history = [
        *question["messages"],
        {"role": "assistant", "content": [text("Look:"), called]},
        {"role": "user", "content": [result]},
    ]

    after, _ = dialects.ask(question | {"stream": streams, "messages": history})

    assert (said["type"], called["name"], called["input"]) == ("text", "Bash", {"command": "ls"})
    assert called.keys() == {"type", "id", "name", "input"}
    assert b'"tool_use"' in answer.body
    assert after.text() == "TOOL RESULT SEEN: 1 result: files"


@every
@pytest.mark.parametrize(
    "choice", [{"type": "auto"}, {"type": "any"}, {"type": "none"}, {"type": "tool"}]
)
def test_a_choice_among_tools_can_be_read(
    dialects: Dialects, name: str, choice: dict[str, str]
) -> None:
    chosen = {**choice, "name": "Bash"} if choice["type"] == "tool" else choice

    answer, _ = dialects.ask(body(f"{name}-reads", say("ok"), tools=[BASH], tool_choice=chosen))

    assert blocks_of(answer)[0]["type"] in ("text", "tool_use")


@every
def test_a_pdf_arrives_as_one_or_as_a_note(dialects: Dialects, name: str) -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ="}
    pdf = {"type": "document", "source": source, "title": "Bill"}

    _, call = dialects.ask(body(f"{name}-sees", pdf, say("ok"), top_k=5, stop_sequences=["x"] * 5))

    sent = call.body.decode()
    assert ("JVBERi0xLjQ=" in sent) == known_of(provider_of(name), SEES).supports_pdf_input
    assert "image_url" not in sent
    assert "top_k" not in sent


@every
@both
@pytest.mark.parametrize("reason", ["", "as if it had not"])
def test_two_tools_are_called_at_once_and_that_is_why_the_reply_ended(
    dialects: Dialects, name: str, streams: bool, reason: str
) -> None:
    done = {"third-party": "end_turn", "thinker": "end_turn", "gemini": "STOP"}
    ending = stop(done.get(SERVED[name].standin, "stop")) if reason else ""
    script = tool("Bash", {"command": "ls"}) + tool("Bash", {"command": "pwd"}) + ending

    answer, _ = dialects.ask(body(f"{name}-reads", script, tools=[BASH], stream=streams))

    calls = blocks_of(answer)
    reasons = [event["delta"] for event in answer.events() if event["type"] == "message_delta"]
    ended = reasons[-1] if streams else answer.json()
    assert [block["name"] for block in calls] == ["Bash", "Bash"]
    assert len({block["id"] for block in calls}) == 2
    assert ended["stop_reason"] == "tool_use"


@every
def test_a_long_tool_name_comes_back_as_claude_knows_it(dialects: Dialects, name: str) -> None:
    tool_name = "mcp__a-server-with-a-long-name__" + "a_tool_with_a_long_name_" * 3
    tools = [{**BASH, "name": tool_name}]
    choice = {"type": "tool", "name": tool_name}

    answer, _ = dialects.ask(body(f"{name}-reads", say("ok"), tools=tools, tool_choice=choice))

    names = {block["name"] for block in blocks_of(answer) if block["type"] == "tool_use"}
    assert names <= {tool_name}


@every
def test_a_formatted_answer_is_one(dialects: Dialects, name: str) -> None:
    schema = {
        "type": "object",
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": False,
    }
    wanted = {"effort": "low", "format": {"type": "json_schema", "schema": schema}}

    answer, call = dialects.ask(body(f"{name}-reads", "a title", output_config=wanted))

    if known_of(provider_of(name), READS).supports_json_schema:
        assert json.loads(answer.text()).keys() == {"title"}
    else:  # the stand-ins do not read this, models do
        assert "fits this JSON schema" in call.body.decode()


@both
def test_a_config_that_compile_did_not_write_is_said_to_be_broken(
    dialects: Dialects, streams: bool
) -> None:
    answer = dialects.send(body("broken", "hello", stream=streams))

    assert answer.status == 424
    assert (
        "providers.yaml: the model_info of `broken`: `openclaude_notice` must be text, not a "
        "whole number"
    ) in answer.body.decode()


@pytest.mark.parametrize("name", NAMES)
def test_the_table_knows_the_language_that_litellm_speaks(name: str) -> None:
    assert provider_of(name).dialect is SPEAKS[SERVED[name].standin]


# Replies ------------------------------------------------------------------------------------------


@every
@both
@pytest.mark.parametrize("model", [READS, SEES])
def test_a_thought_of_the_model_reaches_claude_with_our_mark(
    dialects: Dialects, name: str, streams: bool, model: str
) -> None:
    script = reasoning("let me think") + say("Hello") + tool("Bash", {"command": "ls"})

    request = conversation(f"{name}-{model}", script, stream=streams)
    answer, _ = dialects.ask(request)

    kinds = [block["type"] for block in blocks_of(answer)]
    assert kinds[0] == "thinking"
    assert [kind for kind in kinds if kind != "thinking"] == ["text", "tool_use"]
    signatures = re.findall(rb'"signature": ?"([^"]+)"', answer.body)
    assert len(signatures) == kinds.count("thinking")
    assert all(one.startswith(b"openclaude:") for one in signatures)


def asked_twice(
    dialects: Dialects, streams: bool, change: Callable[[Any], Any]
) -> tuple[list[Any], list[int]]:
    """Have two turns with a call; return the conversation, and the status of each reply.

    `change` is what happens to each thought before it goes back.
    """
    script = reasoning("first") + tool("Bash", {"command": "ls"})
    script += then(reasoning("second") + say("done"))
    turns: list[Any] = []
    statuses: list[int] = []
    for word in ("one", "two"):
        turns.append({"role": "user", "content": f"{word} {script}"})
        for _ in range(2):
            asked = {**body("responses-sees", "", stream=streams), "messages": turns}
            thinking = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}
            answer = dialects.send({**asked, "tools": [BASH], **thinking})
            statuses.append(answer.status)
            if answer.status != 200:
                return turns, statuses
            content = said_in(answer)
            changed = [change(one) if "thinking" in one["type"] else one for one in content]
            turns.append({"role": "assistant", "content": [*filter(None, changed)]})
            if calls := [one["id"] for one in content if one["type"] == "tool_use"]:
                result = {"type": "tool_result", "tool_use_id": calls[0], "content": "x"}
                turns.append({"role": "user", "content": [result]})
    return turns, statuses


def said_in(answer: Answer) -> list[dict[str, Any]]:
    """Return the blocks of a reply, whole or streamed, as a client keeps them."""
    events = answer.events()
    message = message_of(events) if events else answer.json()
    return list(message["content"])


@both
@pytest.mark.parametrize("is_told", [True, False])
def test_encrypted_thoughts_go_back_to_the_responses_api_as_they_came(
    dialects: Dialects, monkeypatch: pytest.MonkeyPatch, streams: bool, is_told: bool
) -> None:
    standin = dialects.standins["openai"]
    assert isinstance(standin, OpenAIStandin)
    monkeypatch.setattr(standin.thoughts, "always_told", is_told)

    turns, statuses = asked_twice(dialects, streams, lambda thought: thought)

    assert statuses == [200] * 4
    requests = dialects.seen()
    assert {request.operation for request in requests} == {"responses"}
    assert [request.problems for request in requests] == [()] * 4
    back = [one for one in requests[-1].json()["input"] if one.get("type") == "reasoning"]
    sealed = [*standin.thoughts.sealed.items()][-4:]
    assert [(one["encrypted_content"], one["summary"]) for one in back] == sealed[:3]
    said = [one for turn in turns if turn["role"] == "assistant" for one in turn["content"]]
    thoughts = [one for one in said if "thinking" in one["type"]]
    kind, proof = ("thinking", "signature") if is_told else ("redacted_thinking", "data")
    assert [one["type"] for one in thoughts] == [kind] * 4
    assert all(one[proof].startswith("openclaude:") for one in thoughts)


@both
def test_openai_is_told_to_keep_no_conversation_and_no_other_server_of_its_api(
    dialects: Dialects, streams: bool
) -> None:
    told = {}
    for name in ("openai", "responses", "hosted_vllm", "openrouter"):
        _, call = dialects.ask(body(f"{name}-sees", say("hi"), stream=streams))
        told[name] = call.json().get("store")
        for standin in dialects.standins.values():
            standin.clear()

    assert told == {"openai": False, "responses": False, "hosted_vllm": None, "openrouter": None}


@both
def test_the_responses_api_refuses_a_thought_that_is_missing_or_another(
    dialects: Dialects, streams: bool
) -> None:
    def altered(thought: dict[str, Any]) -> dict[str, Any]:
        return {**thought, "signature": f"{thought['signature'][:-4]}AAAA"}

    _, without = asked_twice(dialects, streams, lambda _: None)
    (missing,) = {problem for one in dialects.seen() for problem in one.problems}
    dialects.standins["openai"].clear()
    _, other = asked_twice(dialects, streams, altered)
    unknown = next(one.problems[0] for one in dialects.seen() if one.problems)

    assert (without, other) == ([200, 400], [200, 400])
    assert "without its required 'reasoning' item" in missing
    assert "could not be verified" in unknown  # LiteLLM asks once more, without the thought


@every
@both
def test_a_reply_of_thoughts_only_still_says_something(
    dialects: Dialects, name: str, streams: bool
) -> None:
    request = body(f"{name}-reads", reasoning("hm") + say(""), stream=streams)

    answer, _ = dialects.ask(request)

    assert answer.text() == "(no content)"


# the finish reason of each API for a reply at its maximum length
CUT = {"openai": "length", "gemini": "MAX_TOKENS", "ollama": "length"}


@every
@both
def test_a_reply_that_was_cut_off_says_so(dialects: Dialects, name: str, streams: bool) -> None:
    reason = CUT.get(SERVED[name].standin, "max_tokens")
    if name == "responses":
        reason = "max_output_tokens"

    answer, _ = dialects.ask(body(f"{name}-reads", say("Hel") + stop(reason), stream=streams))

    assert answer.text() == "Hel"
    assert b'"max_tokens"' in answer.body


@every
def test_a_stream_is_not_held_back(dialects: Dialects, name: str) -> None:
    with contextlib.closing(dialects.open(body(f"{name}-reads", slow(4, 0.2), stream=True))) as c:
        response = c.getresponse()
        arrivals = [time.monotonic() for line in response if b'"text_delta"' in line]

    assert len(arrivals) >= 4
    assert arrivals[-1] - arrivals[0] > 0.4


# Mistral counts tokens without being asked, which an OpenAI-like server does not
@pytest.mark.parametrize("name", [name for name in NAMES if name != "mistral"])
def test_what_it_cost_is_counted_by_the_provider(dialects: Dialects, name: str) -> None:
    answer, call = dialects.ask(body(f"{name}-reads", say("Hello"), stream=True))

    (delta,) = [event for event in answer.events() if event["type"] == "message_delta"]
    start = answer.events()[0]["message"]["usage"]
    assert start | delta["usage"] | {"input_tokens": 0} != start
    assert max(start["input_tokens"], delta["usage"].get("input_tokens", 0)) == len(call.body) // 4


@pytest.mark.parametrize("streams", [True, False])
def test_a_mock_answers_without_any_provider(dialects: Dialects, streams: bool) -> None:
    answer = dialects.send(body("mock", "hi", stream=streams, tools=[BASH]))

    assert (answer.status, answer.text(), dialects.seen()) == (200, "I am a mock", ())
    assert bool(answer.events()) is streams


# Errors -------------------------------------------------------------------------------------------


@every
@both
@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
def test_an_error_is_one_call_and_keeps_its_meaning(
    dialects: Dialects, name: str, streams: bool, status: int
) -> None:
    failed = dialects.send(body(f"{name}-reads", error(status, message="oh no"), stream=streams))

    kept = {500: {500, 503}}.get(status, {status})
    assert failed.status in kept
    assert "oh no" in failed.json()["error"]["message"]
    assert len(dialects.seen()) == 1


@every
@pytest.mark.parametrize("script", [midstream(6), abort(6)], ids=["error", "abort"])
def test_a_stream_that_breaks_ends_with_an_error(
    dialects: Dialects, name: str, script: str
) -> None:
    answer = dialects.send(body(f"{name}-reads", slow(6, 0.05) + script, stream=True))

    assert len(dialects.seen()) == 1
    assert answer.events()[-1]["type"] == "error"


def test_no_provider_is_asked_for_its_models(dialects: Dialects) -> None:
    assert [seen.target for seen in dialects.seen()] == []
