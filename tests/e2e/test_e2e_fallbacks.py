"""A fallback model: asked once, before the first byte, for temporary failures.

All requests are counted at the upstreams. In this profile each tier has one model that fails as it
is told and one that answers: on the same server (opus), of another provider (sonnet), in another
AWS region (haiku), and after a short timeout (fable).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from openclaude.ledger.writer import GATHER_S
from openclaude.standins.base import script
from openclaude.standins.base.exchange import Reply
from openclaude.standins.bedrock.reply import error_reply as aws_error
from openclaude.standins.bedrock.rules import ModelRules
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockRecorded, BedrockStandin
from tests.e2e import raw
from tests.e2e.conftest import Build
from tests.e2e.house import Canaries, House, Ran, login_headers, question
from tests.e2e.internet import Internet
from tests.standins.judged import Judged
from tests.standins.openai.reply import error_reply
from tests.standins.openai.standin import OpenAIStandin

PROFILE = "fallbacks"
FIRST, SECOND, SLEEPY = "first-1", "second-2", "sleepy-3"
QWEN, ABROAD = "qwen.qwen3-next-80b-a3b", "us-east-1"
LUNA = "gpt-5.6-luna"
LUNAS = {LUNA: ModelRules(max_output_tokens=128_000)}  # its own limit, which differs from Qwen's
KEY = "sk-first-and-second"
ENV = {"SERVER_KEY": KEY, "OPENAI_API_KEY": "sk-openai"}
ONCE = {"CLAUDE_CODE_MAX_RETRIES": "0"}
CUT = Reply(cut=True)  # not even a status line


class Town(NamedTuple):
    """The house, and the four servers behind it."""

    house: House
    server: OpenAIStandin
    openai: OpenAIStandin
    bedrock: BedrockStandin
    failing: dict[str, Reply]  # by model, or by AWS region
    env: dict[str, str]  # of every launch: another would restart the proxies

    def asked(self) -> list[str]:
        """Return which models were asked, in order; Bedrock's by their regions."""
        servers = (*self.server.requests, *self.openai.requests)
        requests: list[BedrockRecorded | Judged] = [*self.bedrock.requests, *servers]
        return [place(request) for request in sorted(requests, key=lambda request: request.at)]

    def fail(self, name: str, status: int, message: str = "the cause is named here") -> None:
        """Make a model fail like this from now on."""
        make = aws_error if name.startswith("us-") else error_reply
        self.failing[name] = make(status, message)


def place(request: BedrockRecorded | Judged) -> str:
    """Return what distinguishes the models of this profile."""
    return request.model_id if isinstance(request, Judged) else request.region


@pytest.fixture(scope="module")
def running(
    build_house: Build, canaries: Canaries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """The whole town, for the whole file."""
    failing: dict[str, Reply] = {}
    aws = {canaries.aws_id: Secret(canaries.aws_secret)}

    def answer(request: BedrockRecorded | Judged) -> Reply | None:
        return failing.get(place(request))

    with (
        OpenAIStandin(key=KEY, answer=answer) as server,
        OpenAIStandin(key=ENV["OPENAI_API_KEY"], models=LUNAS, answer=answer) as openai,
        BedrockStandin(credentials=aws, answer=answer) as bedrock,
        Internet({"api.openai.com": openai.port}, tmp_path_factory.mktemp("town")) as internet,
        build_house("fallbacks") as house,
    ):
        text = profile(server=f"{server.url}/v1", bedrock=bedrock.url)
        house.write_own_profile(PROFILE, text)
        env = {**ENV, **internet.environment()}
        started = house.command("start", "--wait", profile=PROFILE, env=env)
        assert started.code == 0, started
        yield Town(house, server, openai, bedrock, failing, env)


def profile(*, server: str, bedrock: str) -> str:
    """Write four tiers, each with a fallback."""
    limits = "context_window = 200000\nmax_output_tokens = 8000"
    at_server = f'api_base = "{server}"\napi_key = "env:SERVER_KEY"\n{limits}'
    return f"""
[tiers.opus]
model = "openai/{FIRST}"
fallbacks = ["openai/{SECOND}"]
{at_server}
[tiers.fable]
model = "openai/{SLEEPY}"
fallbacks = ["openai/{SECOND}"]
params = {{ timeout = 1 }}
{at_server}
[tiers.sonnet]
model = "bedrock/{QWEN}"
fallbacks = ["openai/{LUNA}"]
[tiers.haiku]
model = "bedrock/{QWEN}"
fallbacks = ["bedrock/{ABROAD}/{QWEN}"]
[aws]
profile = "openclaude"
region = "us-west-2"
endpoint_url = "{bedrock}"
"""


@pytest.fixture
def town(running: Town) -> Town:
    """The town with no failures and no recorded requests."""
    running.failing.clear()
    for standin in (running.server, running.openai, running.bedrock):
        standin.clear()
    return running


def ask(town: Town, tier: str, prompt: str = "hi", *, stream: bool = True) -> raw.RawReply:
    """Send one request for a slot to main as claude does, without retries."""
    house = town.house
    record = json.loads((house.folder.parent / PROFILE / "stack.json").read_bytes())
    headers = raw.with_key(login_headers(house.canaries.oauth), record["main_key"])
    body = question(prompt, model=f"openclaude-{tier}", stream=stream)
    return raw.ask(record["port"], headers, body)


def claude(town: Town, tier: str, prompt: str = "hi", *more: str) -> Ran:
    """Run claude without retries."""
    arguments = ("-p", prompt, "--model", tier, *more)
    return town.house.openclaude(*arguments, profile=PROFILE, env={**town.env, **ONCE})


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("status", [408, 429, 500, 503, 529])
def test_a_failure_that_passes_is_one_call_and_then_one_of_the_second_model(
    town: Town, status: int, stream: bool
) -> None:
    town.fail(FIRST, status)

    reply = ask(town, "opus", stream=stream)

    assert reply.status == 200
    assert f"openai stand-in: {SECOND}".encode() in joined(reply)
    assert town.asked() == [FIRST, SECOND]
    assert not [name for name, _ in reply.headers if b"openclaude" in name.lower()]
    ((model, told, kind),) = tried(town)
    assert (model, told) == (f"openai/{FIRST}", status)
    assert kind == ("rate_limit_error" if status == 429 else kind)


def tried(town: Town) -> list[tuple[str, int, str]]:
    """Return what the ledger says was asked before the last answer and failed."""
    time.sleep(5 * GATHER_S)  # the ledger is written in batches, off the request's way
    argv = (town.house.program, "requests", "-n", "1", "--json")
    (last,) = json.loads(town.house.run(argv, town.house.environment()).out)["data"]["requests"]
    return [(one["model"], one["status"], one["error"]) for one in last["attempts"]]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404])
def test_a_failure_to_be_mended_is_one_call_and_the_second_model_is_never_asked(
    town: Town, status: int, stream: bool
) -> None:
    town.fail(FIRST, status)

    reply = ask(town, "opus", stream=stream)

    assert reply.status == {401: 424, 403: 424, 404: 424}.get(status, status)
    message = json.loads(reply.body)["error"]["message"]
    assert message.startswith(f"{FIRST}: ")
    assert message.count("the cause is named here") == 1
    assert "allback" not in message.replace("--profile fallbacks", "")
    assert town.asked() == [FIRST]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_a_connection_cut_before_the_first_byte_lets_the_second_model_answer(
    town: Town, stream: bool
) -> None:
    town.failing[FIRST] = CUT

    reply = ask(town, "opus", stream=stream)

    assert reply.status == 200
    assert town.asked() == [FIRST, SECOND]


def test_a_model_that_says_nothing_in_time_lets_the_second_one_answer(town: Town) -> None:
    town.failing[SLEEPY] = Reply(wait_s=5.0)

    reply = ask(town, "fable")

    assert reply.status == 200
    assert town.asked() == [SLEEPY, SECOND]


@pytest.mark.parametrize("broken", [script.midstream(6), script.abort(6)], ids=["error", "cut"])
def test_after_the_first_words_nobody_else_is_asked(town: Town, broken: str) -> None:
    # with pauses, so that the first text has arrived when the connection breaks
    reply = ask(town, "opus", script.slow(10, 0.05, "the beginning of something") + broken)

    assert reply.status == 200
    assert joined(reply).startswith(b"the begin")
    assert b"event: error" in reply.body
    assert town.asked() == [FIRST]


def test_the_same_model_in_another_region_is_asked_with_a_signature_for_it(town: Town) -> None:
    town.fail("us-west-2", 429)

    ran = claude(town, "haiku")

    assert ran == (0, f"bedrock stand-in: {QWEN}\n", "")
    assert town.asked() == ["us-west-2", ABROAD]
    key = town.house.canaries.aws_id
    assert [request.signed_by for request in town.bedrock.requests] == [key, key]


def test_another_provider_goes_on_with_a_job_in_the_middle_of_its_tools(town: Town) -> None:
    echo = script.tool("Bash", {"command": "echo from-the-tool"})
    town.fail("us-west-2", 503)

    ran = claude(
        town, "sonnet", echo + script.then(script.say("done")), "--allowedTools", "Bash(echo:*)"
    )

    assert ran == (0, "done\n", "")
    assert town.asked() == ["us-west-2", LUNA] * 2
    # each got what it can take: claude requests 128,000, and Qwen writes at most 8000
    limits = [request.json()["inferenceConfig"]["maxTokens"] for request in town.bedrock.requests]
    limits += [request.json()["max_output_tokens"] for request in town.openai.requests]
    assert limits == [8000, 8000, 128_000, 128_000]
    problems = [p for request in town.openai.requests for p in request.problems]
    assert [problem for problem in problems if not problem.startswith("note: ")] == []


def test_when_both_fail_claude_shows_the_first_ones_failure(town: Town) -> None:
    town.fail(FIRST, 503, "the first cause")
    town.fail(SECOND, 429, "the second cause")

    ran = claude(town, "opus")

    assert (ran.code, ran.err) == (1, "")
    assert "the first cause" in ran.out
    assert "itellm" not in ran.out
    assert town.asked() == [FIRST, SECOND]


def test_a_refused_key_is_shown_by_claude_and_hidden_by_nobodys_answer(town: Town) -> None:
    town.fail(FIRST, 401)

    ran = claude(town, "opus")

    assert (ran.code, ran.err) == (1, "")
    rejected = "the provider rejected the API key from `env:SERV"
    assert ran.out.startswith(f"API Error: 424 {FIRST}: {rejected}")
    assert town.asked() == [FIRST]


def joined(reply: raw.RawReply) -> bytes:
    """Return the text of a reply, which a stream brings in parts."""
    if not reply.body.startswith(b"event:"):
        return reply.body
    events = (json.loads(line[6:]) for line in reply.body.splitlines() if line[:6] == b"data: ")
    return "".join(event.get("delta", {}).get("text", "") for event in events).encode()
