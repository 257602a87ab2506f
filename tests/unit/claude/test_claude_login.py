"""Who is logged in, as a launch finds it: asked in a way that writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openclaude.claude import login
from openclaude.claude.login import Login, Output, ask_login, own_files


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Answer as claude does; return what was asked."""
    seen: list[tuple[str, ...]] = []

    def run(argv: tuple[str, ...], env: object, *, may_fail: bool = False) -> Output:
        seen.append(argv)
        if "--settings" in argv and "old" in argv[0]:
            return Output("error: unknown option")
        return Output(json.dumps({"loggedIn": True, "authMethod": "claude.ai"}))

    monkeypatch.setattr(login, "run_claude", run)
    return seen


def test_a_claude_that_was_never_started_here_is_not_asked(
    asked: list[tuple[str, ...]], tmp_path: Path
) -> None:
    assert ask_login("/claude", {}, tmp_path) == Login(is_logged_in=False, method="none")
    found = ask_login("/claude", {"CLAUDE_CODE_OAUTH_TOKEN": "x"}, tmp_path)
    assert found == Login(is_logged_in=True, method="oauth_token")
    assert asked == []


def test_it_is_asked_without_the_keys_of_the_settings_which_a_launch_empties(
    asked: list[tuple[str, ...]], tmp_path: Path
) -> None:
    (tmp_path / ".claude.json").write_text("{}")

    assert ask_login("/claude", {}, tmp_path) == Login(is_logged_in=True, method="claude.ai")

    (argv,) = asked
    assert json.loads(argv[2])["env"] == {"ANTHROPIC_AUTH_TOKEN": "", "ANTHROPIC_API_KEY": ""}
    assert argv[3:] == ("auth", "status")


def test_an_older_claude_is_asked_again_without_the_option(
    asked: list[tuple[str, ...]], tmp_path: Path
) -> None:
    (tmp_path / ".claude.json").write_text("{}")

    found = ask_login("/old", {}, tmp_path)

    assert found is not None
    assert found.is_logged_in
    assert [len(argv) for argv in asked] == [5, 3]


def test_the_state_is_where_claude_has_it(tmp_path: Path) -> None:
    login = tmp_path / ".claude/.credentials.json"
    moved = (Path("/c/.claude.json"), Path("/c/.credentials.json"))
    assert own_files({}, tmp_path) == (tmp_path / ".claude.json", login)
    assert own_files({"CLAUDE_CONFIG_DIR": "/c"}, tmp_path) == moved
