"""The words after `profiles set` and `unset`."""

from __future__ import annotations

import pytest

from openclaude.commands.profiles.assignments import one_profile, read_set, read_unset
from openclaude.errors import UsageError

KEYS = ("extends", "description", "tiers", "aws", "listen")


@pytest.mark.parametrize(
    ("words", "name", "assignments"),
    [
        ("mine tiers.haiku=a/b", "mine", [("tiers.haiku", "a/b")]),
        ("mine aws.region=x aws.profile=y", "mine", [("aws.region", "x"), ("aws.profile", "y")]),
        ("tiers.haiku=a/b", None, [("tiers.haiku", "a/b")]),
        ("aws.region=x aws.profile=y", None, [("aws.region", "x"), ("aws.profile", "y")]),
        ("tiers.haiku a/b", None, [("tiers.haiku", "a/b")]),
        ("tiers.haiku a/b=c", None, [("tiers.haiku", "a/b=c")]),
        ("description a=b", None, [("description", "a=b")]),
        ("mine description=a=b", "mine", [("description", "a=b")]),
        ("mine description=", "mine", [("description", "")]),
        ("aws.region=x mine", "mine", [("aws.region", "x")]),
        ("haiku x", None, [("haiku", "x")]),
        ("a..b x", None, [("a..b", "x")]),
        ("tiers.sonet x", None, [("tiers.sonet", "x")]),
    ],
)
def test_what_is_to_be_set(
    words: str, name: str | None, assignments: list[tuple[str, str]]
) -> None:
    assert read_set(words.split(), KEYS) == (name, assignments)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("mine", "no key is named"),
        ("mine tiers.haiku", "`tiers.haiku` is not KEY=VALUE"),
        ("aws.region=x tiers.haiku", "`tiers.haiku` is not KEY=VALUE"),
        ("aws.region=x a b", "`a` is not KEY=VALUE"),
        ("mine aws.region=x tiers.haiku", "`tiers.haiku` is not KEY=VALUE"),
        ("tiers.haiku a b", "`a` is not KEY=VALUE"),
        ("description=Fast qwen", "`qwen` is not KEY=VALUE"),
    ],
)
def test_what_is_no_assignment_is_named(words: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_set(words.split(), KEYS)


@pytest.mark.parametrize(
    ("words", "name", "keys"),
    [
        ("tiers.haiku", None, ["tiers.haiku"]),
        ("mine tiers.haiku", "mine", ["tiers.haiku"]),
        ("tiers.haiku aws.region", None, ["tiers.haiku", "aws.region"]),
        ("mine extends aws", "mine", ["extends", "aws"]),
        ("mine", None, ["mine"]),
    ],
)
def test_what_is_to_be_removed(words: str, name: str | None, keys: list[str]) -> None:
    assert read_unset(words.split(), KEYS) == (name, keys)


def test_a_profile_is_named_once() -> None:
    assert (one_profile("a", "a"), one_profile(None, "a"), one_profile("a", None)) == ("a",) * 3
    with pytest.raises(UsageError, match="two profiles are named: `a` and `b`"):
        one_profile("a", "b")
