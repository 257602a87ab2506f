"""Sessions that change models, slots and Claude's own: reasoning of one is never sent to another.

In this profile opus and sonnet are slots, one OpenAI-compatible and one on Bedrock, and fable is
Claude's. All three send reasoning, which belongs only to the model that it came from.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.base.exchange import Recorded
from openclaude.standins.bedrock.standin import BedrockRecorded, BedrockStandin
from tests.conftest import need
from tests.e2e.house import MIXED, MIXED_ENV, OPENCLAUDE, House, Ran
from tests.e2e.terminal import Terminal
from tests.e2e.turns import turns
from tests.standins.judged import Judged
from tests.standins.openai.standin import OpenAIStandin

THINKER, CODER, FABLE = "thinker-1", "qwen.qwen3-coder-next", "claude-fable-5-2"
PROMPT = r"❯\s*\n─"  # the empty input box above its lower border
DONE = r"\s+✻ .* done"  # what is typed between an answer and this line may be lost
ALLOWED = ("--allowedTools", "Bash(echo:*)")
SIGNATURE = re.compile(rb'"signature":"([^"]+)"')


def run(house: House, prompt: str, *arguments: str) -> Ran:
    """A run with the profile of two slots."""
    return house.openclaude("-p", prompt, *arguments, profile=MIXED, env=MIXED_ENV)


def thoughtful(word: str) -> str:
    """Return a script: think, call a tool, think again, answer."""
    echo = script.tool("Bash", {"command": f"echo {word}"})
    after = script.reasoning(f"thinking after {word}") + script.say(f"said {word}")
    return script.reasoning(f"thinking of {word}") + echo + script.then(after)


def blocks(request: Recorded) -> Iterator[dict[str, Any]]:
    """Return the blocks of a request's conversation."""
    for message in request.json()["messages"]:
        content = message["content"]
        yield from content if isinstance(content, list) else [{"type": "text", "text": content}]


def assert_only_its_own_thoughts(anthropic: AnthropicStandin) -> None:
    """Assert that Claude got back only reasoning that it had signed itself, and nothing empty."""
    signed = {found for reply in anthropic.replies for found in SIGNATURE.findall(reply.content)}
    told = [block for request in anthropic.requests for block in blocks(request)]
    returned = {block["signature"].encode() for block in told if block["type"] == "thinking"}
    assert returned
    assert returned <= signed
    assert all(block["text"].strip() for block in told if block["type"] == "text")
    assert {reply.status for reply in anthropic.replies} == {200}


def assert_no_thought(requests: Iterable[BedrockRecorded | Judged]) -> None:
    """Assert that a slot's provider got no reasoning, and nothing that was wrong."""
    for request in requests:
        assert b"signature" not in request.body
        assert b"thinking of" not in request.body.replace(b"\\", b"")
        assert [p for p in request.problems if not p.startswith("note: ")] == []


@pytest.mark.parametrize("mode", ["default", "plan"])
def test_opusplan_is_one_slot_for_the_plan_and_the_other_for_the_rest(
    mixed: House,
    anthropic: AnthropicStandin,
    bedrock: BedrockStandin,
    thinker: OpenAIStandin,
    mode: str,
) -> None:
    ran = run(mixed, "hi", "--model", "opusplan", "--permission-mode", mode)

    planned, done = f"openai stand-in: {THINKER}\n", f"bedrock stand-in: {CODER}\n"
    assert ran == (0, planned if mode == "plan" else done, "")
    assert len(thinker.requests) + len(bedrock.requests) == 1
    assert anthropic.requests == ()


@pytest.mark.parametrize("slot", ["opus", "sonnet"])
@pytest.mark.parametrize("begins", ["slot", "claude"])
def test_a_session_goes_on_with_another_model_and_back_without_anybodys_thoughts(
    mixed: House,
    anthropic: AnthropicStandin,
    bedrock: BedrockStandin,
    thinker: OpenAIStandin,
    slot: str,
    begins: str,
) -> None:
    one, other = (slot, "fable") if begins == "slot" else ("fable", slot)
    first = run(mixed, thoughtful("one"), "--model", one, *ALLOWED, "--output-format", "json")
    session = first.json()["session_id"]
    second = run(mixed, thoughtful("two"), "--model", other, "--resume", session, *ALLOWED)
    third = run(mixed, thoughtful("three"), "--model", one, "--continue", *ALLOWED)

    assert first.json()["result"] == "said one"
    assert (second, third) == ((0, "said two\n", ""), (0, "said three\n", ""))
    provider = thinker if slot == "opus" else bedrock
    last = (provider.requests if begins == "slot" else anthropic.requests)[-1]
    for word in ("one", "two", "three"):  # the whole conversation was sent along
        assert f"echo {word}" in last.body.decode()
    assert_only_its_own_thoughts(anthropic)
    assert_no_thought((*thinker.requests, *bedrock.requests))
    turns = {"slot": 4, "claude": 2}[begins]
    assert len(provider.requests) == turns
    assert len(anthropic.requests) == 6 - turns


def test_model_switches_both_ways_in_a_terminal(
    mixed: House,
    anthropic: AnthropicStandin,
    thinker: OpenAIStandin,
    tmp_path: Path,
) -> None:
    need(shutil.which("tmux"), "tmux")
    argv = (OPENCLAUDE, "--profile", MIXED, "--model", "fable")
    with Terminal(argv, mixed.environment(MIXED_ENV), mixed.project, tmp_path / "tmux") as terminal:
        terminal.wait_for(PROMPT)
        ask(terminal, "one")
        switch(terminal, "opus", "Thinker One")
        ask(terminal, "two")
        switch(terminal, "fable", "Fable 5.2")
        ask(terminal, "three")
        terminal.type("/exit")
        assert terminal.exit_status() == 0
    # the file in which claude itself keeps the model that was chosen with /model
    (mixed.home / ".claude/settings.json").unlink(missing_ok=True)

    first, last = turns(anthropic)
    assert first.json()["model"] == last.json()["model"] == FABLE
    assert len(thinker.requests) == 1
    assert "said two" in last.body.decode()
    assert_only_its_own_thoughts(anthropic)
    assert_no_thought(thinker.requests)


def ask(terminal: Terminal, word: str) -> None:
    """Ask for reasoning and an answer, and wait until claude is done with it."""
    terminal.type(script.reasoning(f"thinking of {word}") + script.say(f"said {word}"))
    terminal.wait_for(f"● said {word}{DONE}")


def switch(terminal: Terminal, model: str, label: str) -> None:
    """Choose another model, and confirm."""
    terminal.type(f"/model {model}")
    terminal.wait_for("Switch model")
    terminal.press("Enter")
    terminal.wait_for(f"Set model to {label}")
    terminal.wait_for(PROMPT)
