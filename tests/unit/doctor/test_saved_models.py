"""What doctor says of models that `/model` has saved, and of sessions that need one to go on."""

from __future__ import annotations

import re
from typing import Any

import pytest

from openclaude.claude.launch import SettingsFile
from openclaude.contracts.plan import TierPlan
from openclaude.diagnostics import Severity
from openclaude.doctor.checks.pins import check_pins
from openclaude.doctor.snapshot.world import World
from tests.unit.doctor.test_doctor_checks import PLAN, WORLD

HAIKU = "claude-haiku-5-5"
WIDE_SLOT = TierPlan(
    tier="haiku",
    model="bedrock/qwen",
    slot="openclaude-haiku",
    label="Qwen3",
    region="us-west-2",
    context_window=262144,
    max_output_tokens=8000,
    behaves_as=HAIKU,
)
SMALL_SLOT = WIDE_SLOT._replace(context_window=60000, behaves_as="")
CLAUDES = WIDE_SLOT._replace(tier="opus", model="claude", slot="", label="", behaves_as="")


def world(saved: Any, *tiers: TierPlan, kind: str = "user") -> World:
    """A world with a settings file, and a profile of these tiers."""
    plan = PLAN._replace(tiers=tiers, anthropic_url="https://api.anthropic.com")
    values = {} if saved is None else {"model": saved}
    file = SettingsFile("~/.claude/settings.json", kind, values)
    return WORLD._replace(settings=(file,), wanted=WORLD.wanted._replace(plan=plan))


def found(seen: World) -> list[tuple[str, Severity]]:
    """Return what is said of it."""
    return [(one.code, one.severity) for one in check_pins(seen)]


# `/model haiku`, its row of the menu, the id, the id with a long window
@pytest.mark.parametrize("saved", ["haiku", HAIKU, f"{HAIKU}[1m]"])
@pytest.mark.parametrize("kind", ["user", "project", "local", "managed"])
def test_a_saved_model_that_is_a_slot_here_is_told_to_be_claudes_own_there(
    saved: str, kind: str
) -> None:
    (one,) = check_pins(world(saved, WIDE_SLOT, CLAUDES, kind=kind))

    assert (one.code, one.severity) == ("saved-model-of-a-slot", Severity.NOTE)
    assert one.message == (
        f"new sessions begin with Qwen3: `model` in `~/.claude/settings.json` is `{saved}`"
    )
    assert "plain `claude` too, which begins with Claude's own haiku model" in one.why


# `/model opus` and back to what was there
@pytest.mark.parametrize("saved", [None, "opus", "sonnet", "claude-haiku-4-5", "default", "", 7])
def test_a_saved_model_that_is_no_slot_is_not_mentioned(saved: object) -> None:
    assert found(world(saved, WIDE_SLOT, CLAUDES)) == []


@pytest.mark.parametrize("tiers", [(), (CLAUDES,), (WIDE_SLOT,)])
def test_a_saved_id_of_ours_is_found_whatever_the_profile_is(tiers: tuple[TierPlan, ...]) -> None:
    expected = [("model-of-openclaude", Severity.WARNING)]
    seen = world("openclaude-haiku", *tiers)
    assert seen.wanted.plan
    elsewhere = seen.wanted.plan._replace(anthropic_url="https://bedrock.example")

    assert found(seen) == expected
    assert found(seen._replace(wanted=seen.wanted._replace(plan=elsewhere))) == expected
    assert found(seen._replace(wanted=seen.wanted._replace(plan=None))) == expected


def test_a_slot_that_claude_knows_by_our_id_alone_is_told_with_the_commands_that_resume() -> None:
    (one,) = check_pins(world(None, SMALL_SLOT, CLAUDES))

    assert (one.code, one.severity) == ("slot-not-resumed", Severity.NOTE)
    assert "`openclaude-haiku`, which plain `claude` asks Anthropic for" in one.why
    assert re.findall("`([^`]+)`", one.fix) == [
        "openclaude --resume ID --model haiku",
        "claude --resume ID --model haiku",
    ]
