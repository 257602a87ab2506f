"""Keys by reference: each is fetched by the one process that needs it, and found nowhere else.

Every key is a canary of this run. In the profile opus has its key in a variable, sonnet in a file,
haiku from a command; fable is a third party with Anthropic's API.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.base.exchange import Recorded
from tests.e2e import raw
from tests.e2e.canaries import files_with, holds, memory, requests_with
from tests.e2e.conftest import Build
from tests.e2e.house import House, Ran, login_headers, question
from tests.e2e.processes import environment, processes_of
from tests.standins.openai.standin import OpenAIStandin

PROFILE = "keys"
TIERS = ("opus", "sonnet", "haiku")
THIRD_PARTY = "fable"
IN_FILES = ("sonnet", "haiku", THIRD_PARTY)
LIMITS = "context_window = 200000\nmax_output_tokens = 8000\n"


class Keyring(NamedTuple):
    """A house, its keys by tier, and the server that admits each of them."""

    house: House
    keys: dict[str, str]
    upstreams: dict[str, OpenAIStandin]
    third_party: AnthropicStandin

    @property
    def env(self) -> dict[str, str]:
        """What the user has in the environment."""
        return {"OPUS_KEY": self.keys["opus"]}

    @property
    def standins(self) -> list[OpenAIStandin | AnthropicStandin]:
        """All servers of the tiers."""
        return [*self.upstreams.values(), self.third_party]

    def write_keys(self) -> None:
        """Write the files of those keys that are in files."""
        for tier in IN_FILES:
            self.house.write(f"keys/{tier}", f"{self.keys[tier]}\n")

    def run(self, prompt: str, tier: str, *more: str) -> Ran:
        """A run on one tier."""
        arguments = ("-p", prompt, "--model", tier, *more)
        return self.house.openclaude(*arguments, profile=PROFILE, env=self.env)

    def command(self, word: str, *more: str) -> Ran:
        """One of openclaude's commands, for this profile."""
        return self.house.command(word, *more, profile=PROFILE, env=self.env)

    def unit(self, name: str) -> dict[str, object]:
        """Return what `status` reports about one unit."""
        units = self.house.status(PROFILE)["units"]
        return next(unit for unit in units if unit["name"] == name)

    def ask(self, model: str, *more: tuple[bytes, bytes]) -> raw.RawReply:
        """Send one request to main, with claude's login and these additional headers."""
        record = json.loads((self.house.folder.parent / PROFILE / "stack.json").read_bytes())
        headers = raw.with_key(login_headers(self.house.canaries.oauth), record["main_key"])
        return raw.ask(record["port"], (*headers, *more), question("hi", model=model))


@pytest.fixture(scope="module")
def furnished(build_house: Build) -> Iterator[Keyring]:
    """The house with its keys, with nothing running in it."""
    keys = {tier: f"sk-{tier}-CANARY-{secrets.token_hex(20)}" for tier in (*TIERS, THIRD_PARTY)}
    with ExitStack() as stack, build_house("keys") as house:
        upstreams = {tier: stack.enter_context(OpenAIStandin(key=keys[tier])) for tier in TIERS}
        third_party = stack.enter_context(AnthropicStandin(api_key=keys[THIRD_PARTY]))
        keyring = Keyring(house, keys, upstreams, third_party)
        house.write_own_profile(PROFILE, profile(keyring))
        yield keyring


def profile(keyring: Keyring) -> str:
    """Four tiers, each with a key of its own."""
    folder = keyring.house.home / "keys"
    references = {
        "opus": "env:OPUS_KEY",
        "sonnet": "file:~/keys/sonnet",
        "haiku": f"command:/bin/cat {folder}/haiku",
    }
    tiers = [
        f'[tiers.{tier}]\nmodel = "openai/{tier}-1"\napi_base = "{upstream.url}/v1"\n'
        f'api_key = "{references[tier]}"\n{LIMITS}'
        for tier, upstream in keyring.upstreams.items()
    ]
    third_party = (
        f'[tiers.{THIRD_PARTY}]\nmodel = "anthropic/other-1"\n'
        f'api_base = "{keyring.third_party.url}"\napi_key = "file:{folder}/{THIRD_PARTY}"\n{LIMITS}'
    )
    return "".join((*tiers, third_party))


@pytest.fixture
def keyring(furnished: Keyring) -> Keyring:
    """The same with every key in its place and the proxies ready, without any recorded requests."""
    furnished.write_keys()
    if furnished.command("start", "--wait").code:
        assert furnished.command("restart", "--wait").code == 0
    for standin in furnished.standins:
        standin.clear()
    return furnished


def everybody(keyring: Keyring) -> list[Recorded]:
    """Return every request to any provider."""
    return [request for standin in keyring.standins for request in standin.requests]


def in_memory(pid: int, keys: Iterable[str]) -> set[str]:
    """Return those keys that a process has in its memory."""
    return {key for part in memory(pid) for key in keys if key.encode() in part}


def test_every_key_reaches_its_own_provider_and_is_found_nowhere_else(keyring: Keyring) -> None:
    ran = {tier: keyring.run("hi", tier) for tier in TIERS}
    told = [
        keyring.command("status", "--json"),
        keyring.command("compile"),
        keyring.command("logs"),
    ]

    assert ran == {tier: (0, f"openai stand-in: {tier}-1\n", "") for tier in TIERS}
    house = keyring.house
    stack = house.status(PROFILE)
    pids = {unit["name"]: unit["pid"] for unit in stack["units"]}
    keys = keyring.keys.values()
    assert in_memory(pids["providers"], keys) == set(keys)  # the search works
    assert in_memory(pids["main"], keys) == set()
    assert in_memory(stack["preloader"]["pid"], keys) == set()
    # the supervisor passes the user's variable on, and nothing else
    assert in_memory(stack["pid"], keys) == {keyring.keys["opus"]}
    for key in keys:
        assert files_with(house.root, key, but=[house.home / "keys"]) == []
        assert not [one for one in told if holds(f"{one.out}{one.err}".encode(), key)]
        for pid, command in processes_of(house.root).items():
            assert key not in command
            assert not holds(environment(pid), key)
    for tier, upstream in keyring.upstreams.items():
        others = [key for name, key in keyring.keys.items() if name != tier]
        assert requests_with(upstream.requests, keyring.keys[tier])
        assert [key for key in others if requests_with(upstream.requests, key)] == []


def test_a_third_party_gets_its_key_and_no_other_credential(keyring: Keyring) -> None:
    echo = script.tool("Bash", {"command": "echo from-the-tool"})
    job = echo + script.then(script.say("done"))
    strange = f"sk-ant-api03-STRANGE-{secrets.token_hex(20)}"

    ran = keyring.run(job, THIRD_PARTY, "--allowedTools", "Bash(echo:*)")
    told = keyring.ask(f"openclaude-{THIRD_PARTY}", (b"x-api-key", strange.encode()))

    assert ran == (0, "done\n", "")
    assert told.status == 200
    requests = keyring.third_party.requests
    assert len(requests) == 3
    assert {request.header("x-api-key") for request in requests} == {keyring.keys[THIRD_PARTY]}
    assert {request.header("authorization") for request in requests} == {None}
    record = json.loads((keyring.house.folder.parent / PROFILE / "stack.json").read_bytes())
    for secret in (keyring.house.canaries.oauth, record["main_key"], "sk-openclaude-", strange):
        assert requests_with(requests, secret) == []


def test_a_missing_variable_stops_the_launch_and_is_named(furnished: Keyring) -> None:
    house = furnished.house
    house.write_own_profile("unset", profile(furnished))

    ran = house.openclaude("-p", "hi", "--model", "opus", profile="unset")

    assert (ran.code, ran.out) == (125, "")
    assert "`env:OPUS_KEY`" in ran.err
    assert "hint: set OPUS_KEY" in ran.err
    assert house.command("status", "--json", profile="unset").json()["data"]["stacks"] == []


@pytest.mark.parametrize(
    ("tier", "reference", "why"),
    [
        ("sonnet", "file:~/keys/sonnet", "cannot be read: No such file or directory"),
        ("haiku", "command:/bin/cat {home}/keys/haiku", "cannot be fetched: exit status 1"),
    ],
)
def test_a_key_that_cannot_be_had_is_one_sentence_until_it_is_mended_and_restarted(
    keyring: Keyring, tier: str, reference: str, why: str
) -> None:
    (keyring.house.home / "keys" / tier).unlink()
    keyring.command("restart")

    ran = keyring.run("hi", "opus")
    reply = keyring.ask("openclaude-opus")
    claude = keyring.run("hi", "claude-opus-4-8")  # older than the tier's own: not the slot's
    keyring.write_keys()
    restarted = keyring.command("restart", "--wait")
    mended = keyring.run("hi", tier)

    named = reference.format(home=keyring.house.home)
    assert (ran.code, ran.err) == (1, "")
    assert f"the secret `{named}` {why}" in ran.out
    assert ran.out.startswith("API Error: 424 ")
    assert len(ran.out.splitlines()) == 1
    assert "openclaude restart" in ran.out
    assert reply.status == 424  # claude asks this once
    assert claude == (0, "anthropic stand-in: claude-opus-4-8\n", "")
    assert restarted.code == 0
    assert mended == (0, f"openai stand-in: {tier}-1\n", "")


def test_a_changed_key_is_taken_by_a_restart(keyring: Keyring) -> None:
    assert keyring.ask("openclaude-sonnet").status == 200
    keyring.house.write("keys/sonnet", "sk-another-key-of-the-same-user")
    assert keyring.ask("openclaude-sonnet").status == 200  # still the old one

    assert keyring.command("restart", "--wait").code == 0
    refused = keyring.ask("openclaude-sonnet")

    assert refused.status == 424
    assert "`file:~/keys/sonnet`" in json.loads(refused.body)["error"]["message"]
    keys = [request.header("authorization") for request in keyring.upstreams["sonnet"].requests]
    first = f"Bearer {keyring.keys['sonnet']}"
    assert keys == [first, first, "Bearer sk-another-key-of-the-same-user"]
    keyring.write_keys()
    assert keyring.command("restart", "--wait").code == 0
