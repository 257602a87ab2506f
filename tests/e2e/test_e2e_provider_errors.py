"""What claude does with a provider's errors: it compacts, or reports at once what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from openclaude.standins.base.exchange import Reply
from tests.e2e.conftest import Build
from tests.e2e.house import House, Ran
from tests.standins.judged import Judged
from tests.standins.openai.reply import error_reply
from tests.standins.openai.standin import OpenAIStandin

PROFILE = "errors"
KEY = "sk-errors"
ENV = {"SERVER_KEY": KEY}
LONG = "one word after the other. " * 200
# how claude asks for a summary of the conversation (Claude Code 2.1.330)
SUMMARY = b"detailed summary"


class Server(NamedTuple):
    """A house, and the server behind its haiku."""

    house: House
    standin: OpenAIStandin
    failing: list[Reply]  # the reply to every request that does not ask for a summary

    def claude(self, prompt: str, *more: str) -> Ran:
        """Run one turn of a session on the server's model."""
        arguments = ("-p", prompt, "--model", "haiku", *more)
        return self.house.openclaude(*arguments, profile=PROFILE, env=ENV)


@pytest.fixture(scope="module")
def running(build_house: Build) -> Iterator[Server]:
    failing: list[Reply] = []

    def answer(request: Judged) -> Reply | None:
        if not failing or SUMMARY in request.body or b"marked word" not in request.body:
            return None
        return failing[0]

    with OpenAIStandin(key=KEY, answer=answer) as standin, build_house("errors") as house:
        house.write_own_profile(
            PROFILE,
            f"""
[tiers.haiku]
model = "openai/small-1"
api_base = "{standin.url}/v1"
api_key = "env:SERVER_KEY"
context_window = 200000
max_output_tokens = 8000
""",
        )
        started = house.command("start", "--wait", profile=PROFILE, env=ENV)
        assert started.code == 0, started
        yield Server(house, standin, failing)


@pytest.fixture
def server(running: Server) -> Server:
    running.failing.clear()
    running.standin.clear()
    return running


def test_a_quota_that_waiting_does_not_mend_is_asked_for_once_and_said(server: Server) -> None:
    server.failing.append(
        error_reply(429, "You exceeded your current quota, please check your plan and billing.")
    )

    ran = server.claude("marked word")

    asked = [one for one in server.standin.requests if b"marked word" in one.body]
    assert ran.code == 1
    assert "the account at the provider has no credit for this" in ran.out
    assert len(asked) == 1


@pytest.mark.variants
def test_a_prompt_that_does_not_fit_is_compacted_and_the_turn_goes_on(server: Server) -> None:
    first = server.claude(f"marked word {LONG}", "--output-format", "json")
    session = first.json()["session_id"]
    second = server.claude(f"more {LONG}", "--resume", session)
    server.failing.append(
        error_reply(400, "Input length 131393 exceeds the maximum allowed input length of 131040")
    )

    ran = server.claude("and now?", "--resume", session)

    assert (first.code, second.code, ran.code) == (0, 0, 0)
    assert "openai stand-in" in ran.out
    assert any(SUMMARY in request.body for request in server.standin.requests)
