"""Auto mode on a slot: commands run that a model of the profile has judged harmless.

Anthropic judges Claude's own tool calls; for another model LiteLLM asks the profile's classifier,
which is a stand-in here and flags whatever contains `rm`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from tests.conftest import need
from tests.e2e.conftest import Build
from tests.e2e.house import MIXED_ENV, OPENCLAUDE, THINKER_KEY, House
from tests.e2e.terminal import Terminal
from tests.standins.openai.classifier import WHY, Classifier, under_review
from tests.standins.openai.standin import OpenAIStandin

Open = Callable[..., Terminal]
PROFILE = "auto"
PROMPT = r"❯\s*\n─"
CLAUDES = "claude-sonnet-5"  # the model of claude's own check (measured with 2.1.330)
RISKY = "sh -c 'echo > {}'"  # claude runs no such command without a verdict
TIER = """
[tiers.haiku]
model = "openai/thinker-1"
label = "Thinker One"
api_base = "{url}/v1"
api_key = "env:THINKER_KEY"
context_window = 200000
max_output_tokens = 8000
"""
# the same model judges; without this line nothing does
JUDGED = '[auto_mode]\nclassifier = "openai/thinker-1"\n'


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier()


@pytest.fixture(scope="module")
def provider(machine: None, classifier: Classifier) -> Iterator[OpenAIStandin]:
    """The server of the slot's model, and of the one that judges."""
    with OpenAIStandin(key=THINKER_KEY, answer=classifier) as standin:
        yield standin


@pytest.fixture(scope="module")
def watched(build_house: Build, provider: OpenAIStandin) -> Iterator[House]:
    """A house with a slot whose tool calls are judged."""
    with build_house("auto") as built:
        text = TIER.format(url=provider.url)
        built.write_own_profile(PROFILE, text + JUDGED)
        built.write_own_profile("unjudged", text)
        yield built


@pytest.fixture
def session(watched: House, classifier: Classifier, tmp_path: Path) -> Open:
    """A terminal in which a user types `openclaude --profile ...`."""
    need(shutil.which("tmux"), "tmux")
    classifier.clear()

    def start(profile: str = PROFILE) -> Terminal:
        argv = (OPENCLAUDE, "--profile", profile)
        return Terminal(argv, watched.environment(MIXED_ENV), watched.project, tmp_path / "tmux")

    return start


def job(command: str) -> str:
    """Return what the main model, Claude, gives to an agent on the slot: one command."""
    run = script.tool("Bash", {"command": command}) + script.then(script.say("the agent is done"))
    call = {
        **{"description": "a small job", "prompt": run, "subagent_type": "general-purpose"},
        **{"model": "haiku", "run_in_background": False},
    }
    return script.tool("Agent", call) + script.then(script.say("all is done"))


def results(provider: OpenAIStandin) -> list[str]:
    """Return what the agent's model was told about its command, as soon as it was."""
    return [
        str(turn["content"])
        for request in provider.requests
        if not under_review(request)
        for turn in request.json()["messages"]
        if turn["role"] == "tool"
    ]


def told(terminal: Terminal, provider: OpenAIStandin, command: str) -> str:
    """Return the same for a session with one job; the agent works in the background."""
    provider.clear()
    with terminal:
        terminal.wait_for(PROMPT)
        terminal.type(job(command))
        assert provider.wait_until(lambda _: bool(results(provider)))
    return results(provider)[0]


def test_a_command_that_was_judged_harmless_runs(
    watched: House, provider: OpenAIStandin, classifier: Classifier, session: Open
) -> None:
    command = RISKY.format("judged")

    told(session(), provider, command)

    assert (watched.project / "judged").exists()
    assert classifier.judged == [{"command": command}]


def test_a_command_that_was_flagged_does_not_run_and_the_model_hears_why(
    watched: House, provider: OpenAIStandin, session: Open
) -> None:
    said = told(session(), provider, "rm -rf kept; " + RISKY.format("flagged"))

    assert f"Reason: {WHY}." in said
    assert not (watched.project / "flagged").exists()


@pytest.mark.variants
def test_where_the_classifier_cannot_tell_claude_asks_anthropics_model_or_refuses(
    watched: House,
    provider: OpenAIStandin,
    anthropic: AnthropicStandin,
    classifier: Classifier,
    session: Open,
) -> None:
    classifier.is_able = False

    said = told(session(), provider, RISKY.format("asked"))

    judges = [request for request in anthropic.requests if request.json()["model"] == CLAUDES]
    has_run = (watched.project / "asked").exists()
    assert judges or ("gave no verdict" in said and not has_run)


def test_without_a_classifier_claudes_own_check_is_made_on_the_plan_or_nothing_risky_runs(
    watched: House,
    provider: OpenAIStandin,
    anthropic: AnthropicStandin,
    classifier: Classifier,
    session: Open,
) -> None:
    said = told(session("unjudged"), provider, RISKY.format("unjudged"))

    judges = [request for request in anthropic.requests if request.json()["model"] == CLAUDES]
    assert judges
    assert {request.header("authorization") for request in judges} == {
        f"Bearer {watched.canaries.oauth}"
    }
    assert "Auto mode could not evaluate this action and is blocking it for safety" in said
    assert not (watched.project / "unjudged").exists()
    assert classifier.judged == []
