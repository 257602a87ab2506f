"""The hook that gives the user's own programs his key back."""

from __future__ import annotations

from openclaude.claude.launch import LaunchFacts
from openclaude.claude.tools_environment import outer_environment, outer_values, with_hook

KEY = "sk-CANARY"


def facts(**env: str) -> LaunchFacts:
    """Return what a launch sees of a shell."""
    return LaunchFacts("claude", (), {}, "", env, ())


def test_without_a_key_nothing_changes() -> None:
    assert outer_values(facts(ANTHROPIC_BASE_URL="https://gateway", PATH="/bin")) == {}
    assert with_hook({"env": {}}, {}) == {"env": {}}


def test_the_hook_names_variables_and_no_value() -> None:
    values = outer_values(facts(ANTHROPIC_API_KEY=KEY, PATH="/bin"))

    settings = with_hook({"env": {}}, values)

    assert outer_environment(values) == {"OPENCLAUDE_OUTER_ANTHROPIC_API_KEY": KEY}
    assert KEY not in str(settings)
    (row,) = settings["hooks"]["SessionStart"]
    (hook,) = row["hooks"]
    assert 'export ANTHROPIC_API_KEY="$OPENCLAUDE_OUTER_ANTHROPIC_API_KEY"' in hook["command"]
    assert "unset ANTHROPIC_AUTH_TOKEN ANTHROPIC_BASE_URL" in hook["command"]


def test_hooks_of_the_users_own_settings_stay_whatever_they_are() -> None:
    mine = {"SessionStart": [{"hooks": []}], "Stop": [1]}

    hooks = with_hook({"hooks": mine}, {"ANTHROPIC_API_KEY": KEY})["hooks"]

    assert hooks["SessionStart"][0] == {"hooks": []}
    assert len(hooks["SessionStart"]) == 2
    assert hooks["Stop"] == [1]
    for strange in ({"hooks": 5}, {"hooks": {"SessionStart": "x"}}):
        assert len(with_hook(strange, {"ANTHROPIC_API_KEY": KEY})["hooks"]["SessionStart"]) == 1
