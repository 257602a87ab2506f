"""A session in a terminal, as a user has it: draw, ask, change the model, use a tool, leave."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.conftest import need
from tests.e2e.house import CLAUDE, OPENCLAUDE, PROFILE, House
from tests.e2e.processes import executable
from tests.e2e.terminal import Terminal
from tests.e2e.turns import turns

Open = Callable[..., Terminal]
PROMPT = r"❯\s*\n─"  # the empty input box above its lower border
DONE = r"\s+✻ .* done"  # what is typed between an answer and this line may be lost


@pytest.fixture
def open_terminal(house: House, tmp_path: Path) -> Iterator[Open]:
    """Open a terminal in which a user types `openclaude --profile house`."""
    need(shutil.which("tmux"), "tmux")
    argv = (OPENCLAUDE, "--profile", PROFILE)

    def start() -> Terminal:
        return Terminal(argv, house.environment(), house.project, tmp_path / "tmux")

    yield start

    # the file in which claude itself keeps the model that was chosen with /model
    (house.home / ".claude/settings.json").unlink(missing_ok=True)


def test_a_session_answers_changes_its_model_and_ends_well(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, open_terminal: Open
) -> None:
    heard = house.home / "told.jsonl"
    theirs = {
        "type": "command",
        "command": f"cat >>{heard}; echo >>{heard}; echo their own line",
        "refreshInterval": 1,
    }
    house.write(".claude/settings.json", json.dumps({"statusLine": theirs}))
    with open_terminal() as terminal:
        drawn = terminal.wait_for(PROMPT)
        terminal.wait_for("their own line")
        assert executable(terminal.pid) == CLAUDE
        terminal.type("hello there")
        terminal.wait_for(f"● anthropic stand-in: claude-opus-5-5{DONE}")
        terminal.type("/model haiku")
        asked = terminal.wait_for("Switch model")
        terminal.press("Enter")
        changed = terminal.wait_for("Set model to")
        terminal.type("and again")
        terminal.wait_for(f"● bedrock stand-in: qwen.qwen3-next-80b-a3b{DONE}")
        told_at_last = wait_until_told(house, heard, "Qwen3 Next 80B")
        terminal.type("/exit")
        code = terminal.exit_status()

    assert told_at_last["cost"]["total_duration_ms"] > 0
    assert "Opus 5.5 · Claude Max" in drawn  # the plan's login, as plain claude displays it
    assert "Qwen3 Next 80B" in asked
    assert "Qwen3 Next 80B" in changed
    assert "unrecognized" not in changed.lower()
    assert code == 0
    assert [turn.json()["model"] for turn in turns(anthropic)] == ["claude-opus-5-5"]
    assert {told.signed_by for told in bedrock.requests} == {house.canaries.aws_id}
    problems = [problem for told in bedrock.requests for problem in told.problems]
    assert [problem for problem in problems if not problem.startswith("note: ")] == []
    (told,) = [request for request in bedrock.requests if b"toolConfig" in request.body]
    assert "hello there" in told.body.decode()  # the conversation was sent along


def wait_until_told(house: House, path: Path, model: str) -> dict[str, Any]:
    """Return what the user's status line is told, once it is what the ledger has of the session."""
    deadline = time.monotonic() + 30
    argv = (house.program, "usage", "--by", "session", "--json")
    told: dict[str, Any] = {}
    while time.monotonic() < deadline:
        rows = house.run(argv, house.environment()).json()["data"]["rows"]
        known = {row["session"]: row["usd"] for row in rows}
        for line in path.read_text().splitlines()[-3:]:
            with contextlib.suppress(ValueError):  # half written
                told = json.loads(line) if line else told
        paid = known.get(told.get("session_id", ""), 0)
        is_right = told.get("cost", {}).get("total_cost_usd") == pytest.approx(paid)
        if paid and is_right and told["model"]["display_name"] == model:
            return told
        time.sleep(0.5)
    raise AssertionError(f"it was never told what the ledger has: {told}")


def test_no_row_of_the_models_names_a_claude_that_does_not_answer(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, open_terminal: Open
) -> None:
    with open_terminal() as terminal:
        terminal.wait_for(PROMPT)
        terminal.wait_for(r"\n *house · Opus 5.5")  # our own status line
        terminal.type("/model")
        rows = terminal.wait_for(r"Select model[\s\S]*to save").partition("Select model")[2]

    assert re.search(r"Qwen3 Next 80B +haiku tier, via openclaude", rows)
    assert re.search(r"Sonnet +on your Claude plan", rows)
    assert "Haiku" not in rows
    assert "openclaude-" not in rows


def test_a_tool_runs_in_auto_mode_because_anthropics_own_verdict_arrives(
    house: House, anthropic: AnthropicStandin, open_terminal: Open
) -> None:
    made = house.project / "made-by-the-tool"
    touch = script.tool("Bash", {"command": f"touch {made.name}"}) + script.then(script.say("made"))

    with open_terminal() as terminal:
        terminal.wait_for(PROMPT)
        terminal.type(touch)
        terminal.wait_for("● made")

    assert made.exists()
    asked, answered = (turn.json() for turn in turns(anthropic))
    assert "safeguards" in asked
    assert "safeguards" in answered


def test_two_times_control_c_ends_it_as_it_ends_claude(house: House, open_terminal: Open) -> None:
    with open_terminal() as terminal:
        terminal.wait_for(PROMPT)
        terminal.press("C-c")
        terminal.wait_for("again to exit")
        terminal.press("C-c")

        assert terminal.exit_status() == 0
    assert house.status()["units"][0]["state"] == "ready"


def test_the_small_calls_of_a_usual_session_are_served_by_the_slot(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, open_terminal: Open
) -> None:
    with open_terminal() as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("a conversation that wants a title")
        terminal.wait_for("● anthropic stand-in: claude-opus-5-5")
        assert bedrock.wait_until(lambda standin: bool(standin.requests))  # the title

    assert {request.signed_by for request in bedrock.requests} == {house.canaries.aws_id}
    assert not [
        problem
        for request in bedrock.requests
        for problem in request.problems
        if not problem.startswith("note: ")
    ]
    asked = {
        request.json()["model"]: request.json()["max_tokens"] for request in anthropic.requests
    }
    probe = asked.pop("claude-haiku-5-5", 1)  # of the quota, under Anthropic's own name
    assert probe == 1
    assert list(asked) == ["claude-opus-5-5"]
