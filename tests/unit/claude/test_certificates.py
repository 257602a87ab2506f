"""Which settings may name certificates for a launched claude, and which are not overridden."""

from __future__ import annotations

import pytest

from openclaude.claude.certificates import EXTRA, is_managed, user_bundle
from openclaude.claude.launch import LaunchFacts, SettingsFile


def facts(kind: str, path: str = "/theirs.pem", **environment: str) -> LaunchFacts:
    """Return a launch with one settings file that names certificates."""
    source = SettingsFile("/settings.json", kind, {"env": {EXTRA: path}})
    return LaunchFacts("/claude", (), {}, "", environment, (source,))


@pytest.mark.parametrize("kind", ["managed", "local", "project", "user"])
def test_only_managed_settings_cannot_be_added_to(kind: str) -> None:
    assert is_managed(facts(kind)) == (kind == "managed")


@pytest.mark.parametrize("kind", ["local", "project"])
def test_a_repository_is_not_asked(kind: str) -> None:
    assert user_bundle(facts(kind)) == ""
    assert user_bundle(facts(kind, **{EXTRA: "/mine.pem"})) == "/mine.pem"


def test_the_users_settings_are_stronger_than_the_environment() -> None:
    assert user_bundle(facts("user", **{EXTRA: "/mine.pem"})) == "/theirs.pem"
