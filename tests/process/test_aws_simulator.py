"""Our policies, decided by an independent IAM engine, and our own engine compared with it.

@cloud-copilot/iam-simulate has AWS's tables of actions, resources and condition keys, and refuses
anything that is not in them. It runs in node, on stdin and stdout.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from openclaude.aws.policy.policy import build_policy
from openclaude.commands.aws.policy import find_targets, resolve_profile
from openclaude.paths import find_places
from tests.conftest import need
from tests.unit.aws.iam import Check, is_allowed
from tests.unit.aws.test_aws_policy import (
    ACCOUNT,
    IDS,
    ON_BEDROCK,
    QWEN,
    count_checks,
    every_check,
    target,
)

REPOSITORY = Path(__file__).resolve().parents[2]
MODULES = REPOSITORY / ".work" / "iam" / "node_modules"
SCRIPT = Path(__file__).parent / "iam" / "simulate.cjs"
ALLOWED, DENIED = "Allowed", "ImplicitlyDenied"


def decide(policy: dict[str, Any], checks: Sequence[Check]) -> list[str]:
    """Return the engine's decision on each check."""
    need(MODULES.is_dir() and shutil.which("node"), "node and @cloud-copilot/iam-simulate")
    requests = [
        {"action": one.action, "resource": one.resource, "context": one.context} for one in checks
    ]
    done = subprocess.run(
        ("node", SCRIPT),
        input=json.dumps({"policy": policy, "requests": requests}),
        env={"NODE_PATH": str(MODULES), "PATH": str(Path(shutil.which("node") or "").parent)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    results: list[str] = json.loads(done.stdout)
    assert len(results) == len(checks)
    return results


def known_checks(model_id: str) -> Iterator[Check]:
    """AWS's tables have no model without a region, but `global.` profiles need one."""
    return (one for one in every_check(model_id) if ":bedrock:::" not in one.resource)


def told(results: Sequence[str], checks: Sequence[Check]) -> list[tuple[Check, str]]:
    return list(zip(checks, results, strict=True))


@pytest.mark.parametrize("name", ON_BEDROCK)
def test_the_engine_allows_a_shipped_profile_its_models_and_no_other(
    name: str, tmp_path: Path
) -> None:
    resolution = resolve_profile(name, find_places({"HOME": str(tmp_path)}), {})
    targets = list(find_targets(resolution))
    own = {one.model_id for one in targets}
    # its own, similar ones, and some of all others: the engine takes 3 ms for each check
    near = {one for pair in pairwise(IDS) if own & set(pair) for one in pair}
    checks = {model_id: list(known_checks(model_id)) for model_id in near | set(IDS[::9])}
    flat = [check for found in checks.values() for check in found]

    said = dict(told(decide(build_policy(targets, ACCOUNT), flat), flat))

    assert own <= set(IDS)
    assert set(said.values()) == {ALLOWED, DENIED}
    answered = {
        model_id
        for model_id, found in checks.items()
        if all(said[check] == ALLOWED for check in found)
    }
    assert answered == own


@pytest.mark.parametrize("account", ["*", ACCOUNT])
def test_our_engine_decides_as_it_does(account: str) -> None:
    """For a policy of every kind of id, and for the checks of every model of the map."""
    chosen = [QWEN, "us.amazon.nova-2-lite-v1:0", "jp.amazon.nova-2-lite-v1:0", "zai.glm-5"]
    chosen += ["global.amazon.nova-2-lite-v1:0", "us.anthropic.claude-opus-5-5"]
    policy = build_policy([target(model_id)[0] for model_id in chosen], account)
    checks = [check for model_id in IDS for check in known_checks(model_id)]
    checks += [check._replace(through="") for check in checks if check.through]
    checks += [
        Check("bedrock:ListFoundationModels", "*"),
        Check("bedrock:GetFoundationModel", checks[0].resource),
    ]

    checks += count_checks("us.anthropic.claude-opus-5-5", "us-west-2")
    results = decide(policy, checks)

    ours = [ALLOWED if is_allowed(policy, check) else DENIED for check in checks]
    assert [one for one in told(results, checks) if one[1] != ours[checks.index(one[0])]] == []
    assert set(results) == {ALLOWED, DENIED}


def test_the_engine_refuses_what_aws_does_not_have() -> None:
    """So a yes also confirms the names in a policy."""
    policy = build_policy([target(QWEN)[0]])
    resource = f"arn:aws:bedrock:us-west-2::foundation-model/{QWEN}"

    results = decide(
        policy, [Check("bedrock:Converse", resource), Check("bedrock:InvokeModel", resource)]
    )

    assert results[0] not in (ALLOWED, DENIED)
    assert results[1] == ALLOWED
