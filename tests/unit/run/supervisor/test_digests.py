"""What a reload replaces, and the cause it reports."""

from __future__ import annotations

import re
from typing import Any

import pytest

from openclaude.contracts.plan import LaunchPlan, Plan, Unit
from openclaude.run.supervisor.actions import Remove, Replace, Start
from openclaude.run.supervisor.digests import digest_units, plan_changes

MAIN = Unit(name="main", application="m:app", environment={"A": "1"}, inherit=("HOME",))
PROVIDERS = MAIN._replace(name="providers", secrets={"KEY": "env:KEY"})


def plan(*units: Unit, **more: Any) -> Plan:
    made = Plan(
        profile="qwen",
        port=4000,
        strict=False,
        anthropic_url="",
        aws_profile="",
        tiers=(),
        units=units,
        files={"main.yaml": "a: 1\n", "providers.yaml": "b: 2\n"},
        launch=LaunchPlan(environment={}, default_environment={}, remove=(), picker=(), agents={}),
        preload_environment={},
    )
    return made._replace(**more)


BOTH = plan(MAIN, PROVIDERS)


@pytest.mark.parametrize(
    ("after", "parts"),
    [
        (plan(MAIN, PROVIDERS._replace(application="m:other")), "application"),
        (plan(MAIN, PROVIDERS._replace(prepare=("m:warm",))), "application"),
        (plan(MAIN, PROVIDERS._replace(environment={"A": "2"})), "environment"),
        (plan(MAIN, PROVIDERS._replace(inherit=())), "inherited variables"),
        (plan(MAIN, PROVIDERS._replace(secrets={"KEY": "file:/k"})), "secrets"),
        (plan(MAIN, PROVIDERS, files={**BOTH.files, "providers.yaml": "b: 3\n"}), "config"),
        (
            plan(
                MAIN,
                PROVIDERS._replace(environment={}),
                files={**BOTH.files, "providers.yaml": ""},
            ),
            "config and environment",
        ),
    ],
)
def test_a_unit_is_replaced_for_what_changed_in_it(after: Plan, parts: str) -> None:
    (action,) = plan_changes(BOTH, after)

    old, new = (digest_units(one)["providers"].whole[:8] for one in (BOTH, after))
    cause = f"its {parts} changed (digest {old} -> {new})"
    assert action == Replace(unit="providers", cause=cause)
    assert re.fullmatch("[0-9a-f]{8}", new)


@pytest.mark.parametrize("after", [BOTH, plan(MAIN, PROVIDERS, port=5000, idle_sleep_s=5.0)])
def test_what_no_unit_is_made_from_replaces_none(after: Plan) -> None:
    assert plan_changes(BOTH, after) == ()


def test_units_come_and_go_with_the_plan() -> None:
    assert plan_changes(BOTH, plan(MAIN)) == (
        Remove(unit="providers", cause="the plan has no such unit now"),
    )
    assert plan_changes(plan(MAIN), BOTH) == (
        Start(unit="providers", cause="it is new in the plan"),
    )
