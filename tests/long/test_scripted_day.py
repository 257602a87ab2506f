"""A day of work on both lanes, and at its end the ledger against what the three clouds counted.

Three sessions, two profiles (so two stacks and two writers), subagents, a fallback, `on_limit`,
errors, a machine that slept, `providers` killed in mid-request, clients that leave, caches. Each
stand-in is asked for the usage that it had put on the wire, never for what it was asked.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest

from openclaude.ledger.writer import GATHER_S
from openclaude.standins.anthropic.reply import request_headers, scripted_error
from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.base.exchange import Recorded, Reply, json_reply
from openclaude.standins.bedrock.reply import error_reply as aws_error
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockRecorded, BedrockStandin
from tests.e2e import raw
from tests.e2e.conftest import Build
from tests.e2e.house import Canaries, House, login_headers, question
from tests.e2e.processes import processes_of
from tests.standins.judged import Judged
from tests.standins.openai.standin import OpenAIStandin

QWEN, CODER, GPT = "qwen.qwen3-next-80b-a3b", "qwen.qwen3-coder-next", "gpt-made-up"
KEY = "sk-of-the-day"
DAY, NIGHT = "day", "night"
NEVER_S = 60.0  # a pause in a reply whose client leaves, or whose proxy is killed, before it ends
HELD_PAST_S = NEVER_S / 2
# dollars for a token: in, out, read from a cache, written to one; the first two as LiteLLM's list
# has them, the third as the profile says
PRICES = {
    QWEN: (0.15e-6, 1.2e-6, 0.15e-6, 0.15e-6),
    CODER: (0.5e-6, 1.2e-6, 0.5e-6, 0.5e-6),
    GPT: (2e-6, 8e-6, 0.5e-6, 2e-6),
}
FRAMES = re.compile(rb"^data: (\{.*\})$", re.MULTILINE)


class Count(NamedTuple):
    """Tokens and dollars."""

    tokens_in: int = 0
    tokens_out: int = 0
    read: int = 0
    write: int = 0

    def plus(self, other: Count) -> Count:
        """Both together."""
        return Count._make(a + b for a, b in zip(self, other, strict=True))

    def dollars(self, model: str) -> float:
        """What they cost."""
        return sum(number * price for number, price in zip(self, PRICES[model], strict=True))


def on_the_wire(reply: Reply) -> bytes:
    """What a stand-in had sent when its client left; the whole reply if it did not."""
    if isinstance(reply.body, bytes):
        return reply.body if reply.wait_s < HELD_PAST_S else b""
    sent = b""
    for chunk in reply.body:
        if chunk.pause_s >= HELD_PAST_S:
            break
        sent += chunk.content
    return sent


def counted_by_anthropic(reply: Reply) -> Count:
    """The last usage that a reply in Anthropic's format has."""
    sent = on_the_wire(reply)
    documents = [json.loads(one) for one in FRAMES.findall(sent)] or [json.loads(sent)]
    usage: dict[str, Any] = {}
    for one in documents:
        usage |= (one.get("message") or one).get("usage") or {}
    return Count(
        usage["input_tokens"],
        usage["output_tokens"],
        usage["cache_read_input_tokens"],
        usage["cache_creation_input_tokens"],
    )


def counted_by_bedrock(reply: Reply) -> Count:
    """The same of Converse, whose counts are in the last event of a stream."""
    sent = on_the_wire(reply).decode("latin-1")

    def number(name: str) -> int:
        return sum(int(one) for one in re.findall(rf'"{name}":\s*(\d+)', sent))

    names = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    return Count._make(map(number, names))


def counted_by_openai(reply: Reply) -> Count:
    """The same of an OpenAI-like server, whose prompt includes what was cached."""
    sent = on_the_wire(reply)
    documents = [json.loads(one) for one in FRAMES.findall(sent)] or [json.loads(sent)]
    usage = next((one["usage"] for one in reversed(documents) if one.get("usage")), None)
    if usage is None:  # it would have been in the last event
        return Count()
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
    return Count(usage["prompt_tokens"] - cached, usage["completion_tokens"], cached)


@dataclass
class Clouds:
    """The three upstreams, and what they are told to do."""

    limit: bool = False  # the plan's is reached
    down: str = ""  # the AWS region that fails
    hold: bool = False  # the next reply of Bedrock never comes
    whole: Reply | None = None  # the next reply of anybody
    anthropic: AnthropicStandin = field(init=False)
    bedrock: BedrockStandin = field(init=False)
    openai: OpenAIStandin = field(init=False)

    def of_anthropic(self, _: Recorded) -> Reply | None:
        """Refuse what is over the limit."""
        error = script.Error(status=429, is_limit=True)
        refusal = scripted_error(error, request_headers(), now=time.time(), wait_s=0.0)
        return refusal if self.limit else self.taken()

    def of_bedrock(self, request: BedrockRecorded) -> Reply | None:
        """Fail, or be silent."""
        if self.hold:
            self.hold = False
            return Reply(wait_s=NEVER_S)
        return aws_error(503, "down") if request.region == self.down else self.taken()

    def of_openai(self, _: Judged) -> Reply | None:
        """Answer as is asked, or as the test says."""
        return self.taken()

    def taken(self) -> Reply | None:
        """The reply that was prepared, once."""
        reply, self.whole = self.whole, None
        return reply


class World(NamedTuple):
    """A house with two profiles, and the clouds."""

    house: House
    clouds: Clouds

    def port(self, profile: str) -> tuple[int, str]:
        """Where a profile's main listens, and its key."""
        path = self.house.home / ".local/state/openclaude/stacks" / profile / "stack.json"
        record = json.loads(path.read_bytes())
        return record["port"], record["main_key"]

    def entries(self) -> list[dict[str, Any]]:
        """Every request that the ledger has."""
        time.sleep(5 * GATHER_S)
        house = self.house
        argv = (house.program, "requests", "-n", "1000", "--json")
        found: list[dict[str, Any]] = house.run(argv, house.environment()).json()["data"][
            "requests"
        ]
        return found

    def usage(self, by: str) -> dict[str, Any]:
        """What `openclaude usage` says."""
        argv = (self.house.program, "usage", "--by", by, "--json")
        return dict(self.house.run(argv, self.house.environment()).json()["data"])

    def ask(self, profile: str, model: str, text: str, **more: object) -> raw.RawReply:
        """Send a request without claude."""
        port, key = self.port(profile)
        headers = raw.with_key(login_headers(self.house.canaries.oauth), key)
        return raw.ask(port, headers, question(text, **{"model": model, **more}))

    def leave(self, profile: str, model: str, cloud: Any) -> None:
        """Send a request for a stream, and leave when its first word has come."""
        port, key = self.port(profile)
        headers = raw.with_key(login_headers(self.house.canaries.oauth), key)
        seen = cloud.disconnects
        with raw.connect(port) as connection:
            text = script.say("first") + script.slow(2, NEVER_S)
            given = ((b"Host", b"127.0.0.1:%d" % port), *headers)
            raw.begin(connection, given, question(text, model=model, stream=True))
            raw.read_until(connection, b"first", timeout_s=60.0)
        assert cloud.wait_until(lambda standin: standin.disconnects > seen)


@pytest.fixture
def world(build_house: Build, canaries: Canaries) -> Iterator[World]:
    """Both stacks, ready."""
    clouds = Clouds()
    aws = {canaries.aws_id: Secret(canaries.aws_secret)}
    tokens = frozenset({canaries.oauth})
    with (
        AnthropicStandin(credentials=tokens, answer=clouds.of_anthropic) as clouds.anthropic,
        BedrockStandin(credentials=aws, answer=clouds.of_bedrock) as clouds.bedrock,
        OpenAIStandin(key=KEY, answer=clouds.of_openai) as clouds.openai,
        build_house("the-day") as house,
    ):
        house.anthropic_url = clouds.anthropic.url
        aws_table = (
            '[aws]\nprofile = "openclaude"\nregion = "us-west-2"\n'
            f'endpoint_url = "{clouds.bedrock.url}"\n'
        )
        house.write_own_profile(
            DAY,
            f"""
[tiers.haiku]
model = "bedrock/{QWEN}"
fallbacks = ["bedrock/us-east-1/{QWEN}"]
{aws_table}""",
            anthropic=f'on_limit = "bedrock/{QWEN}"',
        )
        read, write = PRICES[GPT][2:]
        house.write_own_profile(
            NIGHT,
            f"""
[tiers.opus]
model = "openai/{GPT}"
api_base = "{clouds.openai.url}/v1"
api_key = "env:DAY_KEY"
context_window = 200000
max_output_tokens = 8000
[tiers.opus.params]
input_cost_per_token = {PRICES[GPT][0]}
output_cost_per_token = {PRICES[GPT][1]}
cache_read_input_token_cost = {read}
cache_creation_input_token_cost = {write}
[tiers.sonnet]
model = "bedrock/{CODER}"
[agents]
explore = "sonnet"
{aws_table}""",
        )
        for profile in (DAY, NIGHT):
            started = house.command("start", "--wait", profile=profile, env={"DAY_KEY": KEY})
            assert started.code == 0, started.err
        yield World(house, clouds)


def test_at_the_end_of_a_day_the_ledger_has_what_the_clouds_counted(world: World) -> None:
    threads = [
        threading.Thread(target=session, args=(world,))
        for session in (a_morning, an_evening_with_subagents)
    ]
    failed: list[object] = []
    threading.excepthook, before = failed.append, threading.excepthook
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    threading.excepthook = before
    assert failed == []
    a_bad_afternoon(world)
    strangers(world)

    entries = world.entries()

    for name, cloud, count in (
        ("anthropic", world.clouds.anthropic, counted_by_anthropic),
        ("bedrock", world.clouds.bedrock, counted_by_bedrock),
        ("openai", world.clouds.openai, counted_by_openai),
    ):
        replies = [one for one in cloud.replies if one.status == 200 and on_the_wire(one)]
        theirs = Count()
        for reply in replies:
            if name != "anthropic" or b'"usage"' in on_the_wire(reply):
                theirs = theirs.plus(count(reply))
        ours = Count()
        for one in entries:
            if one["provider"] == name:
                ours = ours.plus(Count._make(one[key] or 0 for key in TOKENS))
        assert (name, ours) == (name, theirs)
    check_dollars(world, entries)
    check_requests(world, entries)


TOKENS = ("tokens_in", "tokens_out", "cache_read", "cache_write")


def check_dollars(world: World, entries: list[dict[str, Any]]) -> None:
    """The clouds' counts times their prices are the dollars of `usage`, by model and in all."""
    spent = 0.0
    for request, reply in zip(
        world.clouds.bedrock.requests, world.clouds.bedrock.replies, strict=True
    ):
        if reply.status == 200 and on_the_wire(reply):
            spent += counted_by_bedrock(reply).dollars(request.model_id)
    for reply in world.clouds.openai.replies:
        if reply.status == 200 and on_the_wire(reply):
            spent += counted_by_openai(reply).dollars(GPT)
    assert spent > 0
    for by in ("model", "day", "profile", "tier", "session", "project"):
        told = world.usage(by)
        assert told["total"]["usd"] == pytest.approx(spent, abs=1e-9), by
        assert sum(row["usd"] for row in told["rows"]) == pytest.approx(spent, abs=1e-6), by
    assert sum(one["dollars"] or 0 for one in entries) == pytest.approx(spent, abs=1e-9)


def check_requests(world: World, entries: list[dict[str, Any]]) -> None:
    """Each request that a cloud got is an entry, or an attempt of one, and nothing else is."""
    asked = [one for one in world.clouds.anthropic.requests if one.path == "/v1/messages"]
    tried = [attempt for one in entries for attempt in one["attempts"]]
    at_claude = [one for one in tried if one["model"].startswith("claude-")]
    assert len(asked) == sum(one["provider"] == "anthropic" for one in entries) + len(at_claude)
    assert {(one["via"], one["is_fallback"]) for one in entries if one["status"] == 200} == {
        ("plan", 0),
        ("slot", 0),
        ("slot", 1),
        ("on-limit", 0),
    }
    assert {one["profile"] for one in entries} == {DAY, NIGHT}
    assert len({one["session"] for one in entries} - {""}) == 3
    assert len({one["agent"] for one in entries} - {""}) == 2
    refused = {one["error"] for one in entries if one["status"] == 400}  # which claude sends again
    assert refused == {"invalid_request_error"}
    assert sum(one["is_cut"] for one in entries) >= 2


def a_morning(world: World) -> None:
    """A session on a slot: a tool, a second turn, a region that fails, a machine that sleeps."""
    house = world.house
    tool = script.tool("Bash", {"command": "echo x"}) + script.then(script.say("done"))
    asked = ("--model", "haiku", "--allowedTools", "Bash(echo:*)", "--output-format", "json")
    first = house.openclaude("-p", tool, *asked, profile=DAY).json()
    resumed = ("--resume", first["session_id"])
    world.clouds.down = "us-west-2"
    assert house.openclaude("-p", script.say("two"), *asked, *resumed, profile=DAY).code == 0
    world.clouds.down = ""

    argv = (house.program, "--profile", DAY, "-p", script.slow(4, 0.5), *asked, *resumed)
    before = len(world.clouds.bedrock.requests)
    with house.start(argv, house.environment()) as sleeper:
        assert world.clouds.bedrock.wait_until(lambda cloud: len(cloud.requests) > before)
        stack = house.home / ".local/state/openclaude/stacks" / DAY
        pids = [*processes_of(stack), sleeper.pid]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(3.0)  # the lid is closed
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        out, err = sleeper.communicate(timeout=120)
    assert (sleeper.returncode, err) == (0, ""), out


def an_evening_with_subagents(world: World) -> None:
    """A session of the other profile: Claude hands jobs to agents on two slots."""
    jobs = []
    for agent, model in (("Explore", ""), ("general-purpose", "opus")):
        echo = script.tool("Bash", {"command": "echo from-the-agent"})
        job = echo + script.then(script.say("the agent is done"))
        call = {"description": "a job", "prompt": job, "subagent_type": agent}
        asked = {**call, "run_in_background": False, **({"model": model} if model else {})}
        jobs.append(script.tool("Agent", asked))
    prompt = "".join(jobs) + script.then(script.say("all is done"))
    ran = world.house.openclaude(
        *("-p", prompt, "--model", "fable", "--allowedTools", "Agent", "Bash(echo:*)", "Read"),
        profile=NIGHT,
        env={"DAY_KEY": KEY},
    )
    assert ran == (0, "all is done\n", "")


def a_bad_afternoon(world: World) -> None:
    """A session in which the plan ends, a request is refused, and `providers` is killed."""
    house, clouds = world.house, world.clouds

    def turn(prompt: str, model: str, *more: str) -> dict[str, Any]:
        given = ("--model", model, "--output-format", "json", *more)
        return dict(house.openclaude("-p", prompt, *given, profile=DAY).json())

    session = turn(script.say("hello"), "opus")["session_id"]
    resumed = ("--resume", session)
    clouds.limit = True
    assert turn(script.say("of another"), "opus", *resumed)["result"] == "of another"
    clouds.limit = False

    clouds.hold = True
    before = len(clouds.bedrock.requests)
    argv = (house.program, "--profile", DAY, "-p", script.say("in the end"), "--model", "haiku")
    with house.start((*argv, *resumed), house.environment()) as process:
        assert clouds.bedrock.wait_until(lambda cloud: len(cloud.requests) > before)
        units = {unit["name"]: unit["pid"] for unit in house.status(DAY)["units"]}
        os.kill(units["providers"], signal.SIGKILL)
        out, _ = process.communicate(timeout=180)
    assert (process.returncode, out) == (0, "in the end\n")
    assert turn(script.error(400), "opus", *resumed)["is_error"]


def strangers(world: World) -> None:
    """Clients without claude: whole replies, ones that leave, prompts from a cache."""
    clouds = world.clouds
    for profile, model in (
        (DAY, "claude-haiku-5-5"),
        (DAY, "claude-opus-5-5"),
        (NIGHT, "claude-opus-5-5"),
        (NIGHT, "claude-sonnet-5-5"),
    ):
        for stream in (False, True):
            reply = world.ask(profile, model, script.say("whole"), stream=stream)
            assert (reply.status, reply.is_whole) == (200, True), reply
    world.leave(DAY, "claude-haiku-5-5", clouds.bedrock)
    world.leave(DAY, "claude-opus-5-5", clouds.anthropic)
    world.leave(NIGHT, "claude-opus-5-5", clouds.openai)
    for profile, model, cached in (
        (DAY, "claude-haiku-5-5", of_bedrocks_cache()),
        (NIGHT, "claude-opus-5-5", of_openais_cache()),
    ):
        clouds.whole = cached
        assert world.ask(profile, model, "cached").status == 200
        assert clouds.whole is None


def of_bedrocks_cache() -> Reply:
    """A whole reply of Converse for a prompt that was partly in a cache."""
    usage = {"inputTokens": 11, "outputTokens": 7, "totalTokens": 1049}
    usage |= {"cacheReadInputTokens": 1000, "cacheWriteInputTokens": 31}
    message = {"role": "assistant", "content": [{"text": "hi"}]}
    document = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}
    return json_reply(200, {**document, "metrics": {"latencyMs": 1}})


def of_openais_cache() -> Reply:
    """The same of an OpenAI-like server."""
    usage = {"prompt_tokens": 1011, "completion_tokens": 7, "total_tokens": 1018}
    message = {"role": "assistant", "content": "hi"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json_reply(
        200,
        {
            **{"id": "1", "object": "chat.completion", "created": 1, "model": GPT},
            "choices": [choice],
            "usage": {**usage, "prompt_tokens_details": {"cached_tokens": 1000}},
        },
    )
