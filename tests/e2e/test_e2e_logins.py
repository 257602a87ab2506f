"""`auth = "api-key"`: Anthropic is paid by a key that claude never sees; the login is unused."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from tests.e2e.canaries import files_with, memory_holds, requests_with
from tests.e2e.conftest import Build
from tests.e2e.house import MIXED_ENV, THINKER_KEY, House, Ran
from tests.standins.openai.standin import OpenAIStandin

PROFILE = "paid"
ANTHROPIC_KEY = f"sk-ant-api03-CANARY-{secrets.token_hex(20)}"
# in the user's environment, but in no profile
OTHER_KEY = f"sk-ant-api03-OTHER-{secrets.token_hex(20)}"
KEY_FILE = "keys/anthropic"


class Paid(NamedTuple):
    """A house with a login that is not used, and Anthropic, which admits only the key."""

    house: House
    anthropic: AnthropicStandin

    def run(self, prompt: str, model: str, *more: str) -> Ran:
        """Run claude as a user who has another key in the environment."""
        env = {**MIXED_ENV, "ANTHROPIC_API_KEY": OTHER_KEY}
        return self.house.openclaude(
            "-p", prompt, "--model", model, *more, profile=PROFILE, env=env
        )


@pytest.fixture(scope="module")
def furnished(build_house: Build, thinker_upstream: OpenAIStandin) -> Iterator[Paid]:
    """The house with its profile, the proxies ready."""
    admitted = frozenset({ANTHROPIC_KEY})
    with AnthropicStandin(credentials=admitted) as upstream, build_house("paid") as house:
        house.anthropic_url = upstream.url
        house.write(KEY_FILE, f"{ANTHROPIC_KEY}\n")
        house.write_own_profile(
            PROFILE,
            f"""
[tiers.haiku]
model = "openai/thinker-1"
api_base = "{thinker_upstream.url}/v1"
api_key = "env:THINKER_KEY"
context_window = 200000
max_output_tokens = 8000
""",
            anthropic=f'auth = "api-key"\napi_key = "file:~/{KEY_FILE}"',
        )
        started = house.command("start", "--wait", profile=PROFILE, env=MIXED_ENV)
        assert started.code == 0, started
        yield Paid(house, upstream)


@pytest.fixture
def paid(furnished: Paid) -> Paid:
    """The same, without any recorded requests."""
    furnished.anthropic.clear()
    return furnished


def test_anthropic_gets_the_key_of_the_profile_and_no_other_credential(
    paid: Paid, thinker: OpenAIStandin
) -> None:
    echo = script.tool("Bash", {"command": "echo from-the-tool"})
    job = echo + script.then(script.say("done"))

    ran = [paid.run(job, model, "--allowedTools", "Bash(echo:*)") for model in ("opus", "haiku")]

    assert ran == [(0, "done\n", "")] * 2
    requests = paid.anthropic.requests
    assert [request.header("x-api-key") for request in requests] == [ANTHROPIC_KEY] * 2
    assert [request.header("authorization") for request in requests] == [None] * 2
    assert requests_with(thinker.requests, ANTHROPIC_KEY) == []
    for request_of in (requests, thinker.requests):
        for secret in (paid.house.canaries.oauth, OTHER_KEY, "sk-openclaude-"):
            assert requests_with(request_of, secret) == []
    assert requests_with(requests, THINKER_KEY) == []


def test_without_a_plan_a_slots_web_search_is_refused_aloud_and_no_dollar_is_spent(
    paid: Paid, thinker: OpenAIStandin
) -> None:
    search = script.tool("WebSearch", {"query": "anything at all"})

    ran = paid.run(search, "haiku", "--allowedTools", "WebSearch")

    assert ran.code == 0
    assert "the server tool `web_search` runs at Anthropic only" in ran.out
    assert len(thinker.requests) == 2  # the search itself was never requested
    assert paid.anthropic.requests == ()


def test_each_key_is_in_the_memory_of_the_one_instance_that_uses_it(paid: Paid) -> None:
    stack = paid.house.status(PROFILE)
    pids = {unit["name"]: unit["pid"] for unit in stack["units"]}

    assert memory_holds(pids["main"], ANTHROPIC_KEY)
    assert memory_holds(pids["providers"], THINKER_KEY)
    assert not memory_holds(pids["main"], THINKER_KEY)
    assert not memory_holds(pids["providers"], ANTHROPIC_KEY)
    for pid in (stack["pid"], stack["preloader"]["pid"]):
        assert not memory_holds(pid, ANTHROPIC_KEY)
    source = paid.house.home / KEY_FILE
    assert files_with(paid.house.root, ANTHROPIC_KEY, but=[source]) == []


def test_a_key_that_cannot_be_read_is_one_sentence_until_it_is_mended(paid: Paid) -> None:
    source = paid.house.home / KEY_FILE
    source.unlink()
    paid.house.command("restart", profile=PROFILE, env=MIXED_ENV)

    ran = paid.run("hi", "opus")
    paid.house.write(KEY_FILE, ANTHROPIC_KEY)
    restarted = paid.house.command("restart", "--wait", profile=PROFILE, env=MIXED_ENV)

    assert (ran.code, ran.err) == (1, "")
    assert ran.out.startswith(
        f"API Error: 424 openclaude: the secret `file:~/{KEY_FILE}` cannot be"
    )
    assert len(ran.out.splitlines()) == 1
    assert restarted.code == 0
    assert paid.run("hi", "opus") == (0, "anthropic stand-in: claude-opus-5-5\n", "")
