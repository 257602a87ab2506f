"""The main job with every gate of claude's on that is off by default: Anthropic sets them remotely.

A gate is turned on for some accounts before a release says so; nothing of ours may depend on one.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.conftest import REPOSITORY, need
from tests.e2e.conftest import Build
from tests.e2e.house import CLAUDE, OPENCLAUDE, PROFILE, House
from tests.e2e.terminal import Terminal
from tests.e2e.turns import turns

sys.path.insert(0, str(REPOSITORY / "build/contract.d"))  # build/ is not a package
from modes import flags, gates_off

PROMPT = r"❯[^\n]*\n─"  # the input box above its lower edge; one of the gates suggests a question
DONE = r"\s+✻ .* done"
OPUS, QWEN = "claude-opus-5-5", "qwen.qwen3-next-80b-a3b"
FEWEST = 300  # gates; fewer would say that they are no longer found in the program


@pytest.fixture(scope="module")
def gated(build_house: Build) -> Iterator[House]:
    """A house whose account has everything, its proxies ready."""
    with build_house("gated") as house:
        switches = flags(gates_off(CLAUDE))
        assert len(switches["cachedFeatureFlags"]) > FEWEST
        state = json.loads((house.home / ".claude.json").read_text())
        house.write(".claude.json", json.dumps({**state, **switches}))
        started = house.command("start", "--wait")
        assert started.code == 0, started
        yield house


def problems(bedrock: BedrockStandin) -> list[str]:
    """Return what Bedrock found wrong, except what it accepts."""
    found = (problem for request in bedrock.requests for problem in request.problems)
    return [problem for problem in found if not problem.startswith("note: ")]


@pytest.mark.parametrize("model", ["opus", "haiku"])
def test_a_job_with_a_tool_is_done_by_the_tier_it_was_given_to(
    gated: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, model: str
) -> None:
    echo = script.tool("Bash", {"command": "echo from-the-tool"})
    prompt = echo + script.then(script.say("the job is done"))

    ran = gated.openclaude("-p", prompt, "--model", model, "--allowedTools", "Bash(echo:*)")

    assert ran == (0, "the job is done\n", "")
    served = [(turn.json()["model"], turn.body) for turn in turns(anthropic)]
    if model == "haiku":
        assert served == []
        served = [(request.model_id, request.body) for request in bedrock.requests]
    assert [name for name, _ in served] == [OPUS if model == "opus" else QWEN] * 2
    assert b"from-the-tool" in served[1][1]
    assert problems(bedrock) == []


def test_a_session_on_the_screen_answers_and_changes_its_model(
    gated: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    need(shutil.which("tmux"), "tmux")
    argv = (OPENCLAUDE, "--profile", PROFILE)

    with Terminal(argv, gated.environment(), gated.project, tmp_path / "tmux") as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("hello there")
        terminal.wait_for(f"● anthropic stand-in: {OPUS}{DONE}")
        terminal.type("/model haiku")
        terminal.wait_for("Switch model")
        terminal.press_until("Enter", "Set model to")  # one of the gates ignores a quick answer
        terminal.type("and again")
        terminal.wait_for(f"● bedrock stand-in: {QWEN}{DONE}")
        terminal.type("/exit")
        assert terminal.exit_status() == 0

    assert [turn.json()["model"] for turn in turns(anthropic)] == [OPUS]
    assert problems(bedrock) == []
