"""The plan's limit: with `on_limit` another model continues, without it claude reports it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from openclaude.standins.anthropic.reply import error_reply, request_headers, scripted_error
from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.base.exchange import Recorded, Reply
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.conftest import need
from tests.e2e.canaries import requests_with
from tests.e2e.conftest import Build
from tests.e2e.house import OPENCLAUDE, Canaries, House, Ran
from tests.e2e.terminal import Terminal

PROFILE = "moves"
QWEN = "qwen.qwen3-next-80b-a3b"
NOTICE = f"[your Claude plan's limit is reached: answered by bedrock/{QWEN}]"
PROMPT = r"❯\s*\n─"  # the empty input box above its lower border
ONCE = {"CLAUDE_CODE_MAX_RETRIES": "0"}


@dataclass
class Plan:
    """The user's plan at Anthropic, and whether it is used up."""

    refusal: Reply | None = None
    upstream: AnthropicStandin = field(init=False)

    def answer(self, _: Recorded) -> Reply | None:
        """Return a refusal if the plan is used up."""
        return self.refusal

    def use_up(self) -> None:
        """Use up the plan, with Anthropic's own message and headers."""
        error = script.Error(status=429, is_limit=True)
        self.refusal = scripted_error(error, request_headers(), now=time.time(), wait_s=0.0)

    def be_busy(self) -> None:
        """Make the server overloaded, which is not a limit."""
        self.refusal = error_reply(429, "Too many requests right now", request_headers())


@pytest.fixture(scope="module")
def plan_upstream(canaries: Canaries) -> Iterator[Plan]:
    """Anthropic, with this plan."""
    plan = Plan()
    with AnthropicStandin(credentials=frozenset({canaries.oauth}), answer=plan.answer) as upstream:
        plan.upstream = upstream
        yield plan


@pytest.fixture
def plan(plan_upstream: Plan) -> Plan:
    """The same with nothing used up, and no recorded requests."""
    plan_upstream.refusal = None
    plan_upstream.upstream.clear()
    return plan_upstream


@pytest.fixture(scope="module")
def limited(build_house: Build, plan_upstream: Plan) -> Iterator[House]:
    """A house whose profile has `on_limit`."""
    with build_house("limit") as built:
        built.anthropic_url = plan_upstream.upstream.url
        built.write_own_profile(
            PROFILE,
            f"""
[tiers]
haiku = "bedrock/{QWEN}"
[aws]
profile = "openclaude"
region = "us-west-2"
endpoint_url = "{built.bedrock_url}"
""",
            anthropic=f'on_limit = "bedrock/{QWEN}"',
        )
        started = built.command("start", "--wait", profile=PROFILE)
        assert started.code == 0, started
        yield built


def ask(house: House, prompt: str, *more: str) -> Ran:
    """Run claude on opus without retries."""
    return house.openclaude("-p", prompt, "--model", "opus", *more, profile=PROFILE, env=ONCE)


def texts(ran: Ran) -> list[str]:
    """Return the text blocks that claude received, in order."""
    assert (ran.code, ran.err) == (0, "")
    said = [event["message"] for event in ran.lines() if event["type"] == "assistant"]
    blocks = [block for message in said for block in message["content"]]
    return [block["text"] for block in blocks if block["type"] == "text"]


def test_at_the_limit_a_job_with_tools_is_done_by_the_named_model_which_says_so_once(
    limited: House, plan: Plan, bedrock: BedrockStandin
) -> None:
    echo = script.tool("Bash", {"command": "echo from-the-tool"})
    job = script.say("I shall echo.") + echo + script.then(script.say("done"))
    plan.use_up()

    stream = ("--output-format", "stream-json", "--verbose", "--allowedTools", "Bash(echo:*)")
    ran = ask(limited, job, *stream)

    assert [text.strip() for text in texts(ran)] == [NOTICE, "I shall echo.", "done"]
    assert [request.json()["model"] for request in plan.upstream.requests] == [
        "claude-opus-5-5"
    ] * 2
    assert [request.model_id for request in bedrock.requests] == [QWEN] * 2
    assert "from-the-tool" in bedrock.requests[1].body.decode()
    problems = [problem for request in bedrock.requests for problem in request.problems]
    assert [problem for problem in problems if not problem.startswith("note: ")] == []
    assert requests_with(bedrock.requests, limited.canaries.oauth) == []


def test_a_session_goes_back_to_claude_as_soon_as_the_plan_serves_it_again(
    limited: House, plan: Plan, bedrock: BedrockStandin
) -> None:
    plan.use_up()
    prompt = script.reasoning("a thought of qwen's") + script.say("one")
    first = ask(limited, prompt, "--output-format", "json").json()
    plan.refusal = None
    second = ask(limited, script.say("two"), "--resume", first["session_id"])

    # claude prints only the last text of a turn: a script gets the answer without the notice
    assert first["result"] == "one"
    assert second == (0, "two\n", "")
    assert len(bedrock.requests) == 1
    history = json.dumps(plan.upstream.requests[-1].json()["messages"])
    assert "one" in history
    assert "thinking" not in history


def test_on_the_screen_the_answer_names_who_gave_it(
    limited: House, plan: Plan, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    need(shutil.which("tmux"), "tmux")
    plan.use_up()
    argv = (OPENCLAUDE, "--profile", PROFILE, "--model", "opus")

    with Terminal(argv, limited.environment(), limited.project, tmp_path / "tmux") as terminal:
        terminal.wait_for(PROMPT)
        terminal.type(script.say("hello from afar"))
        screen = terminal.wait_for("● hello from afar")

    assert screen.index(f"● {NOTICE}") < screen.index("● hello from afar")


def test_without_on_limit_claude_says_that_the_limit_is_reached_and_nobody_else_is_asked(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    ran = house.openclaude("-p", script.limit(), "--model", "opus")

    assert (ran.code, ran.err) == (1, "")
    assert ran.out.startswith("You've hit your 5-hour limit")
    assert len(anthropic.requests) == 1
    assert bedrock.requests == ()


def test_a_busy_server_is_no_limit(limited: House, plan: Plan, bedrock: BedrockStandin) -> None:
    plan.be_busy()

    ran = ask(limited, "hi")

    assert (ran.code, ran.err) == (1, "")
    assert "not your usage limit" in ran.out
    assert len(plan.upstream.requests) == 1
    assert bedrock.requests == ()


def test_what_fails_at_the_model_of_the_limit_is_shown_in_one_sentence(
    limited: House, plan: Plan, bedrock: BedrockStandin
) -> None:
    cause = "User: arn:aws:iam::1:user/me is not authorized to perform: bedrock:InvokeModel"
    plan.use_up()

    ran = ask(limited, script.error(403, "AccessDeniedException", cause))

    assert (ran.code, ran.err) == (1, "")
    assert ran.out.startswith(f"API Error: 424 {QWEN}: ")
    assert len(ran.out.splitlines()) == 1
    assert len(plan.upstream.requests) == len(bedrock.requests) == 1
