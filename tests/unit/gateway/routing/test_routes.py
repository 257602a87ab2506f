"""Which requests are a slot's: by its own id, and by the id of Claude's that it stands for."""

from __future__ import annotations

import pytest

from openclaude.contracts.routing import AnthropicAuth, RoutingTable, SlotRoute
from openclaude.gateway.routing.routes import slot_of

SLOT = "openclaude-haiku"
TABLE = RoutingTable(
    slots={
        SLOT: SlotRoute(model="qwen", stands_for="claude-haiku-5-5"),
        "openclaude-sonnet": SlotRoute(model="glm", stands_for="claude-sonnet-5-5"),
        "openclaude-on-limit": SlotRoute(model="kimi"),
    },
    on_limit="openclaude-on-limit",
)
TODAY = b"claude-cli/2.1.330 (external, cli)"
OLDER = b"claude-cli/2.1.236 (external, cli)"


@pytest.mark.parametrize("agent", [TODAY, OLDER, b"", b"curl/8", b"claude-cli/", b"\xff"])
@pytest.mark.parametrize(
    ("model", "slot"),
    [
        (SLOT, SLOT),  # of a session of a version before, or a slot with a small window
        ("claude-haiku-5-5", SLOT),
        ("claude-haiku-5-5-20261101", SLOT),
        ("claude-haiku-5-6", SLOT),  # a later claude
        ("claude-haiku-6", SLOT),
        ("claude-haiku-10-1", SLOT),
        ("claude-sonnet-5-5", "openclaude-sonnet"),
        ("claude-opus-5-5", ""),
        ("claude-opus-6", ""),
        ("claude-fable-5-2", ""),
        ("claude-haiku-4", ""),
        ("claude-haiku-5", ""),
        ("claude-3-5-haiku-20241022", ""),
        ("claude-haiku", ""),
        ("claude-haiku-latest", ""),
        ("claude-haiku-5-5-fast", ""),
        ("claude-haiku-5-5\n", ""),
        ("xclaude-haiku-5-5", ""),
        ("haiku", ""),
        ("", ""),
        ("openclaude-on-limit", ""),
        ("claude-haiku-" + "9" * 5000, ""),
        ("claude-haiku-٥-٥", ""),  # digits, but not ours
    ],
)
def test_a_slot_answers_for_the_model_of_its_tier_and_for_newer_ones(
    model: str, slot: str, agent: bytes
) -> None:
    assert slot_of(TABLE, model, agent) == slot


@pytest.mark.parametrize(
    ("model", "slot"),
    [
        ("claude-haiku-4-5-20251001", SLOT),
        ("claude-sonnet-4-6", "openclaude-sonnet"),
        ("claude-sonnet-5", "openclaude-sonnet"),
        ("claude-sonnet-4-5-20250929", ""),
        ("claude-opus-4-8", ""),
    ],
)
def test_the_aliases_of_an_older_claude_are_the_slots_too_and_of_todays_they_are_not(
    model: str, slot: str
) -> None:
    """claude's own safety check asks for `claude-sonnet-5` by name (seen in 2.1.330)."""
    assert slot_of(TABLE, model, OLDER) == slot
    assert slot_of(TABLE, model, TODAY) == ""
    assert slot_of(TABLE, model, b"claude-cli/3.0.0") == ""
    assert slot_of(TABLE, model) == ""


def test_a_slot_without_such_an_id_is_found_by_its_own_alone() -> None:
    """As in the table of a supervisor of an older version, and with a small window."""
    table = RoutingTable(slots={SLOT: SlotRoute(model="qwen")})

    assert slot_of(table, SLOT) == SLOT
    assert slot_of(table, "claude-haiku-5-5", TODAY) == ""


def test_without_an_account_every_id_of_claudes_is_a_slots() -> None:
    table = TABLE._replace(auth=AnthropicAuth.NONE)

    assert slot_of(table, "claude-haiku-4-5-20251001", TODAY) == SLOT
    assert slot_of(table, "claude-sonnet-5", TODAY) == "openclaude-sonnet"
