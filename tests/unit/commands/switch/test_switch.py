"""`switch`: how its words are read, what is refused, what a plan and a launch make of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaude.commands.launch import SecretMissing
from openclaude.commands.switch.command import (
    changed_text,
    check_secrets_of,
    lost_tiers,
    read_words,
    tiers_of,
    without_tiers,
)
from openclaude.contracts.plan import Plan
from openclaude.contracts.stack_record import StackRecord
from openclaude.errors import UsageError
from openclaude.paths import Places, find_places
from openclaude.plan_cache import find_plan, switched_plan
from openclaude.profile.mistakes import ProfileMistakes
from openclaude.run.os.environment import here
from openclaude.run.os.processes import start_time
from openclaude.run.stack.folder import SWITCH, switch_in, write_record

GLM = "bedrock/zai.glm-5"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return find_places({"HOME": str(tmp_path)})


def tier(plan: Plan, name: str) -> str:
    return next(one.model for one in plan.tiers if one.tier == name)


@pytest.mark.parametrize(
    ("words", "name", "keys"),
    [
        (["haiku=x"], None, [("tiers.haiku", "x")]),
        (["haiku=x", "qwen"], "qwen", [("tiers.haiku", "x")]),
        (["qwen", "haiku=x"], "qwen", [("tiers.haiku", "x")]),
        (
            ["haiku=x", "sonnet.region=y"],
            None,
            [("tiers.haiku", "x"), ("tiers.sonnet.region", "y")],
        ),
        (["tiers.haiku=x"], None, [("tiers.haiku", "x")]),
        (["haiku=a=b"], None, [("tiers.haiku", "a=b")]),
        (["qwen"], "qwen", []),
        ([], None, []),
    ],
)
def test_the_words_are_tiers_and_perhaps_a_profile(
    words: list[str], name: str | None, keys: list[tuple[str, str]]
) -> None:
    assert read_words(words) == (name, keys)


def test_two_words_without_a_model_are_a_mistake() -> None:
    with pytest.raises(UsageError, match="`haiku` is not TIER=MODEL"):
        read_words(["qwen", "haiku"])


def test_a_tier_that_is_switched_again_keeps_nothing_of_the_model_before() -> None:
    first = changed_text("", [("tiers.haiku", GLM), ("tiers.haiku.region", "us-east-1")])
    second = changed_text(first, [("tiers.haiku", "bedrock/nova")])

    assert tiers_of(first) == [{"tier": "haiku", "model": GLM}]
    assert "us-east-1" in first
    assert "us-east-1" not in second
    both = changed_text(second, [("tiers.sonnet", GLM)])
    assert [one["tier"] for one in tiers_of(both)] == ["haiku", "sonnet"]
    assert tiers_of(without_tiers(both, [("tiers.haiku", "")])) == [
        {"tier": "sonnet", "model": GLM}
    ]
    assert without_tiers(second, [("tiers.haiku", "")]) == ""


def test_a_switch_lies_over_the_profile_and_a_mistake_in_it_is_said(places: Places) -> None:
    plan = switched_plan("qwen", places, {}, changed_text("", [("tiers.haiku", GLM)]))

    assert tier(plan, "haiku") == GLM
    with pytest.raises(ProfileMistakes) as refused:
        switched_plan("qwen", places, {}, changed_text("", [("tiers.haiku", "bedrock/zai.glmm-5")]))
    assert "openclaude switch" in str(refused.value.entries())


def live(places: Places, pid: int, started: str, where: str) -> Path:
    """Give the profile a stack with this supervisor."""
    folder = places.stacks / "qwen"
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    for one in (places.state, places.stacks, folder):
        one.chmod(0o700)
    record = StackRecord(
        version="1", profile="qwen", pid=pid, started=started, port=1, main_key="k", where=where
    )
    write_record(folder, record)
    (folder / SWITCH).write_text(changed_text("", [("tiers.haiku", GLM)]))
    (folder / SWITCH).chmod(0o600)
    return folder


def test_launches_find_the_switched_plan_while_the_stack_lives_and_the_profiles_own_after(
    places: Places,
) -> None:
    import os

    own = find_plan("qwen", places, {})
    started = start_time(os.getpid()) or ""
    folder = live(places, os.getpid(), started, str(here()))

    assert tier(find_plan("qwen", places, {}), "haiku") == GLM
    assert tier(find_plan("qwen", places, {}), "haiku") == GLM  # from the cache

    live(places, os.getpid(), "another start", str(here()))
    assert find_plan("qwen", places, {}) == own
    assert not (folder / SWITCH).exists()  # or the next stack would believe it


def test_a_switch_of_another_place_is_neither_believed_nor_removed(places: Places) -> None:
    beside = f"{str(here()).rpartition('.')[0]}.ffffffff"
    folder = live(places, 1, "x", beside)

    assert switch_in(folder) == ""
    assert (folder / SWITCH).exists()


def test_a_model_that_open_sessions_cannot_reach_is_noticed(places: Places) -> None:
    own = find_plan("qwen", places, {})
    (haiku,) = (one for one in own.tiers if one.tier == "haiku")
    assert haiku.behaves_as

    def with_haiku(**more: str) -> Plan:
        tiers = tuple(one._replace(**more) if one.tier == "haiku" else one for one in own.tiers)
        return own._replace(tiers=tiers)

    small = with_haiku(model="bedrock/small", behaves_as="")
    claude = with_haiku(model="claude", slot="", behaves_as="")
    other = with_haiku(model="bedrock/other")
    assert lost_tiers(own, other) == []
    assert lost_tiers(own, small) == ["haiku"]
    assert lost_tiers(small, own) == []  # they ask by the slot's own id
    assert lost_tiers(own, claude) == []  # Claude's own id is at Anthropic what it says
    assert lost_tiers(claude, own) == []
    assert lost_tiers(small, claude) == ["haiku"]
    assert lost_tiers(claude, small) == ["haiku"]


def test_a_key_that_the_new_model_needs_must_be_there(places: Places) -> None:
    own = find_plan("qwen", places, {})
    text = changed_text("", [("tiers.haiku", "openai/gpt-5.6-luna")])
    plan = switched_plan("qwen", places, {}, text)

    with pytest.raises(SecretMissing, match="OPENAI_API_KEY is not set"):
        check_secrets_of(own, plan, {})
    check_secrets_of(own, plan, {"OPENAI_API_KEY": "x"})
    check_secrets_of(plan, plan, {})  # the stack has it
