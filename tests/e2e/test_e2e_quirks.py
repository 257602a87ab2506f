"""Whatever a provider answers, main's answer is a valid reply or a valid error.

The matrix: each kind of fault in each dialect that can say it, streamed and whole, through main's
port. The kinds that matter to the client go through the real claude too, and the session then goes
on with Claude, whose request is judged by Anthropic's published rules.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from tests.anthropic_rules import Told, judge, judge_request
from tests.e2e import raw
from tests.e2e.conftest import Build
from tests.e2e.house import House, login_headers
from tests.misbehaviour import KINDS, ROWS, http_reply, reply_of, say
from tests.process.replay import QUIRKS, Replay
from tests.unit.gateway.replies.upstreams import End, Words

ENV = {"SERVER_KEY": "sk-of-the-provider"}
# Which tier of which profile is served in which dialect: LiteLLM's model, the path of its API. Opus
# of the second is Claude's.
SERVED = {
    "responses": ("first", "opus", "openai/gpt-5-codex", "/v1"),
    "ollama": ("first", "haiku", "ollama_chat/m", ""),
    "bedrock": ("first", "fable", "bedrock/qwen.qwen3-next-80b-a3b", ""),
    "openrouter": ("first", "sonnet", "openrouter/v/m", "/api/v1"),
    "openai": ("second", "fable", "openai/m", "/v1"),
    "gemini": ("second", "sonnet", "gemini/gemini-2.5-pro", "/v1beta"),
    "anthropic": ("second", "haiku", "anthropic/m", "/api/anthropic"),
    "invoke": ("third", "haiku", "bedrock/us.anthropic.claude-haiku-5-5", ""),
}
TIER = """[tiers.{tier}]
model = "{model}"
context_window = 200000
max_output_tokens = 8000
"""
ADDRESS = """api_base = "{address}"
api_key = "env:SERVER_KEY"
"""


class Running(NamedTuple):
    """A house with three stacks, and the provider behind all of their slots."""

    house: House
    replay: Replay

    def stack(self, dialect: str) -> dict[str, Any]:
        """The record of the stack that serves a dialect."""
        profile = SERVED[dialect][0]
        path = self.house.home / f".local/state/openclaude/stacks/{profile}/stack.json"
        return dict(json.loads(path.read_bytes()))

    def logs(self) -> str:
        """Everything that the instances of all stacks have logged."""
        stacks = self.house.home / ".local/state/openclaude/stacks"
        return "".join(path.read_text() for path in stacks.glob("*/*.log*"))

    def ask(self, dialect: str, reply: bytes, *, streams: bool) -> Told:
        """What main answers where the provider answers so."""
        self.replay.reply = reply
        record = self.stack(dialect)
        body = json.loads((QUIRKS / "request.json").read_text())
        body |= {"model": f"openclaude-{SERVED[dialect][1]}", "stream": streams}
        headers = raw.with_key(login_headers(self.house.canaries.oauth), record["main_key"])
        answer = raw.ask(record["port"], headers, json.dumps(body).encode())
        assert answer.is_whole
        return judge(answer.status, answer.body, streams=streams)


@pytest.fixture(scope="module")
def running(build_house: Build) -> Iterator[Running]:
    with Replay() as replay, build_house("quirks") as house:
        threading.Thread(target=replay.serve_forever, daemon=True).start()
        for profile in dict.fromkeys(own for own, *_ in SERVED.values()):
            tiers = ""
            for own, tier, model, path in SERVED.values():
                if own == profile:
                    address = "" if "bedrock" in model else ADDRESS
                    # of these three nothing is looked for, unless the profile says so
                    is_known = any(one in model for one in ("codex", "gemini", "claude"))
                    address += 'markup = "hermes"\n' if is_known else ""
                    tiers += (TIER + address).format(
                        tier=tier, model=model, address=replay.url + path
                    )
            aws = '[aws]\nprofile = "openclaude"\nregion = "us-west-2"\n'
            # no session keeps the stacks while replies are made up, for a quarter of an hour
            lasts = '[stack]\nlinger = "2h"\nidle_sleep = "2h"\n'
            house.write_own_profile(profile, f'{tiers}{aws}endpoint_url = "{replay.url}"\n{lasts}')
            started = house.command("start", "--wait", profile=profile, env=ENV)
            assert started.code == 0, started
        yield Running(house, replay)
        replay.shutdown()


@pytest.mark.parametrize(("kind", "dialect", "streams"), ROWS)
def test_whatever_a_provider_answers_main_answers_with_a_message_or_an_error(
    running: Running, kind: str, dialect: str, *, streams: bool
) -> None:
    expected = KINDS[kind]

    told = running.ask(dialect, reply_of(kind, dialect, streams=streams), streams=streams)

    if expected.error:
        assert told.error, told
        assert not told.reason
        return
    assert told.error == ""
    assert (told.calls, told.reason) == (expected.calls, expected.reason)
    if "not offered" in expected.text:
        assert expected.text in told.text
    else:
        assert told.text == expected.text


# The real claude ----------------------------------------------------------------------------------

# What matters to the client, each in a dialect that can say it
CLIENTS = {
    "polite calls": "openai",
    "ids that repeat": "anthropic",
    "an id of another form": "openai",
    "a long id": "openai",
    "interleaved calls": "anthropic",
    "input null": "gemini",
    "input a list": "openai",
    "input broken": "anthropic",
    "a name with a token": "openai",
    "a tool that was not offered": "gemini",
    "separators of lines": "anthropic",
    "a call as text": "openai",
    "a thought in the text": "openai",
    "nothing said": "gemini",
}
ANSWERED = re.compile(rb'"tool_result"|"role": ?"tool"|"function_?response"', re.IGNORECASE)
ALLOWED = ("--allowedTools", "Bash(ls:*)", "Read")


@pytest.mark.parametrize("kind", CLIENTS)
def test_a_session_that_met_it_goes_on_with_claude(
    running: Running, anthropic: AnthropicStandin, kind: str
) -> None:
    dialect, expected = CLIENTS[kind], KINDS[kind]
    _, tier, _, _ = SERVED[dialect]
    replay, house = running.replay, running.house
    replay.reply = reply_of(kind, dialect, streams=True)
    done = say(dialect, [Words("Done."), End()], streams=True)
    replay.refuses, replay.refusal = ANSWERED, http_reply(dialect, done, streams=True)

    asked = ("-p", "look around", "--model", tier, *ALLOWED)
    first = house.openclaude(*asked, profile="second", env=ENV)
    replay.refuses = None
    second = house.openclaude(
        "-p", "go on", "--continue", "--model", "opus", profile="second", env=ENV
    )

    assert first.code == 0, first
    if expected.calls:
        assert first.out == "Done.\n"
    elif kind != "nothing said":
        assert expected.text in first.out
    assert second.code == 0, second
    (request,) = [one for one in anthropic.requests if b"go on" in one.body]
    judge_request(request.json())
    for name, given in expected.calls:
        assert (name, given) in calls_of(request.json())


# Errors -------------------------------------------------------------------------------------------

MARKED = b"marked word"
# not claude's request for a summary of the conversation (Claude Code 2.1.330)
TOO_LONG = re.compile(rb"\A(?!.*detailed summary).*" + MARKED, re.DOTALL)
LONG = "one word after the other. " * 200
# How each dialect words a prompt that does not fit: a file of tests/data/quirks, or a status and a
# message; and a quota that waiting does not mend
Form = str | tuple[int, str]
PROMPTS: dict[str, Form] = {
    "openai": "19-prompts-that-do-not-fit/vLLM_b_Empryo_52_",
    "openrouter": "19-prompts-that-do-not-fit/Azure_AI_model_error_413",
    "bedrock": "19-prompts-that-do-not-fit/Bedrock_Nova",
    "ollama": "19-prompts-that-do-not-fit/Ollama",
    "responses": (400, "Your input exceeds the context window of this model."),
    "gemini": (400, "The input token count (1196265) exceeds the maximum allowed (1048575)."),
    "anthropic": (400, "prompt is too long: 213462 tokens > 200000 maximum"),
}
QUOTAS: dict[str, Form] = {
    "openai": "20-quotas-asked-again/DeepSeek_balance",
    "openrouter": "20-quotas-asked-again/OpenRouter_free_models_per_day",
    "bedrock": "20-quotas-asked-again/Bedrock_tokens_per_day",
    "responses": "20-quotas-asked-again/OpenAI_insufficient_quota",
    "ollama": (429, "you have reached your weekly usage limit"),
    "gemini": (429, "Quota exceeded for metric: GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
    "anthropic": (429, "Insufficient account balance, please recharge."),
}
SAID = re.compile("(?i)has no credit for this|is used up, for longer than|insufficient balance")


def error_of(form: Form) -> bytes:
    """A provider's error, as it was reported or in the dialect's usual form."""
    if isinstance(form, str):
        return (QUIRKS / f"{form}.upstream-reply").read_bytes()
    status, message = form
    error = {"type": "error", "error": {"type": "api_error", "message": message, "code": status}}
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n\r\n"
    return head.encode() + json.dumps(error).encode()


@pytest.mark.parametrize("dialect", QUOTAS)
def test_a_quota_that_waiting_does_not_mend_is_asked_for_once_and_said(
    running: Running, dialect: str
) -> None:
    profile, tier, _, _ = SERVED[dialect]
    replay = running.replay
    replay.reply = error_of(QUOTAS[dialect])
    replay.refuses, replay.cut = None, 1 << 20
    replay.requests.clear()

    ran = running.house.openclaude("-p", MARKED.decode(), "--model", tier, profile=profile, env=ENV)

    assert ran.code == 1
    assert SAID.search(ran.out), ran
    assert len([one for one in replay.requests if MARKED in one]) == 1


@pytest.mark.parametrize("dialect", PROMPTS)
def test_a_prompt_that_does_not_fit_is_compacted_and_the_turn_goes_on(
    running: Running, dialect: str
) -> None:
    profile, tier, _, _ = SERVED[dialect]
    replay, house = running.replay, running.house
    spoken = "openai" if dialect == "openrouter" else dialect
    done = say(spoken, [Words("Done."), End()], streams=True)
    replay.reply = http_reply(spoken, done, streams=True)
    replay.refuses, replay.cut = None, 1 << 20
    asked = ("-p", f"{MARKED.decode()} {LONG}", "--model", tier, "--output-format", "json")
    first = house.openclaude(*asked, profile=profile, env=ENV)
    replay.refuses, replay.refusal = TOO_LONG, error_of(PROMPTS[dialect])
    replay.requests.clear()

    second = house.openclaude(
        "-p",
        f"and now? {LONG}",
        "--resume",
        first.json()["session_id"],
        *("--model", tier),
        profile=profile,
        env=ENV,
    )

    assert (first.code, second.code) == (0, 0), second
    assert second.out == "Done.\n"
    assert any(b"detailed summary" in one for one in replay.requests)


def calls_of(body: Any) -> list[tuple[str, Any]]:
    """The calls of a conversation."""
    turns = [turn["content"] for turn in body["messages"] if isinstance(turn["content"], list)]
    blocks = [block for content in turns for block in content if block["type"] == "tool_use"]
    return [(block["name"], block["input"]) for block in blocks]
