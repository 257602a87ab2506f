"""IAM's evaluation of one identity policy, as far as our policies use it; for the tests only.

From AWS's "Policy evaluation logic": a statement applies if its action, its resource and every
condition match; a Deny wins; without an Allow the answer is no. tests/process/test_aws_simulator.py
compares it with an independent engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

INVOKE = "bedrock:InvokeModel"
STREAM = "bedrock:InvokeModelWithResponseStream"
COUNT, COUNT_AT_MANTLE = "bedrock:CountTokens", "bedrock-mantle:CountTokens"
THROUGH = "bedrock:InferenceProfileArn"


class Check(NamedTuple):
    """One of the checks that AWS makes for a request."""

    action: str
    resource: str
    through: str = ""  # the inference profile through which a model is used

    @property
    def context(self) -> dict[str, str]:
        """The condition keys that AWS sets for Bedrock."""
        return {THROUGH: self.through} if self.through else {}


def is_allowed(policy: Mapping[str, Any], check: Check) -> bool:
    """Return IAM's decision."""
    found = {one["Effect"] for one in policy["Statement"] if counts(one, check)}
    return "Deny" not in found and "Allow" in found


def counts(statement: Mapping[str, Any], check: Check) -> bool:
    known = {"Sid", "Effect", "Action", "Resource", "Condition"}
    assert set(statement) <= known, "an element that this engine does not know"
    return (
        any(is_like(one, check.action, re.IGNORECASE) for one in listed(statement["Action"]))
        and any(is_like(one, check.resource) for one in listed(statement["Resource"]))
        and all(
            holds(operator, expected, check.context)
            for operator, expected in statement.get("Condition", {}).items()
        )
    )


def holds(operator: str, expected: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    assert operator == "StringLike", "an operator that this engine does not know"
    return all(
        key in context and any(is_like(one, context[key]) for one in listed(patterns))
        for key, patterns in expected.items()
    )


def is_like(pattern: str, text: str, flags: int = 0) -> bool:
    """Match a pattern: `*` is anything, `?` is one character, nothing else is special."""
    parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return re.fullmatch("".join(parts), text, flags) is not None


def listed(value: Any) -> Iterable[str]:
    return [value] if isinstance(value, str) else value
