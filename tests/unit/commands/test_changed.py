"""What an edited profile changes, in words."""

from __future__ import annotations

from openclaude.commands.changed import changes_between
from openclaude.compile.compiler import compile_plan
from openclaude.contracts.plan import Plan
from openclaude.models.catalog import Catalog
from openclaude.paths import find_places
from openclaude.profile.library import Library


def plan_of(name: str) -> Plan:
    """The plan of a shipped profile."""
    catalog = Catalog.bundled()
    places = find_places({"HOME": "/nowhere"})
    loaded = Library(places.profiles, places.shipped, catalog=catalog).load(name, env={})
    return compile_plan(name, loaded.profile, catalog.find, made_by="test")


def test_the_same_plan_and_none_before_change_nothing() -> None:
    plan = plan_of("qwen")

    assert changes_between(plan, plan) == []
    assert changes_between(None, plan) == []


def test_a_tier_is_told_with_its_model_and_region() -> None:
    before, after = plan_of("qwen"), plan_of("qwen")
    tiers = tuple(
        one._replace(model="bedrock/zai.glm-5", region="us-east-1") if one.tier == "haiku" else one
        for one in after.tiers
    )

    assert changes_between(before, after._replace(tiers=tiers).sealed("test")) == [
        "haiku: now bedrock/zai.glm-5 in us-east-1, "
        "was bedrock/qwen.qwen3-next-80b-a3b in us-west-2"
    ]


def test_anything_else_is_told_without_its_details() -> None:
    plan = plan_of("qwen")

    assert changes_between(plan, plan._replace(linger_s=1.0).sealed("test")) == [
        "other settings have changed"
    ]
