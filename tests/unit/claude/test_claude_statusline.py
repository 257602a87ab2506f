"""Whose status line claude runs in a session of ours, and that its command means itself."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from openclaude.claude.launch import LaunchFacts, SettingsFile
from openclaude.claude.statusline import in_shell, line_command, status_line

CALLED = line_command("/opt/a b/python", "/opt/it's", "qwen", "/home/u/$HOME/`x`")
OURS = {"statusLine": {"type": "command", "command": CALLED, "refreshInterval": 10}}


def line(own: Any = None, **files: Any) -> dict[str, Any]:
    """Return the setting where these files have these status lines."""
    settings = tuple(
        SettingsFile(f"/{kind}.json", kind, {"statusLine": value}) for kind, value in files.items()
    )
    facts = LaunchFacts(
        claude="/claude",
        arguments=(),
        own_settings={"statusLine": own} if own else {},
        own_agents="",
        environment={},
        settings=settings,
    )
    return status_line(facts, CALLED)


def command(text: str, **more: Any) -> dict[str, Any]:
    """Return a status line of the user's own."""
    return {"type": "command", "command": text, **more}


def wrapped(text: str, **more: Any) -> dict[str, Any]:
    """Return the setting that wraps it."""
    return {"statusLine": command(f"{CALLED} {in_shell(text)}", **more)}


def test_a_command_is_words_of_a_shell_whatever_is_in_them() -> None:
    python, isolated, _, code, profile, folder = shlex.split(CALLED)

    assert (python, isolated) == ("/opt/a b/python", "-I")
    assert code == (
        """import sys;sys.path[:0]=["/opt/it's"];"""
        "from openclaude.commands.ledger.statusline import main;main()"
    )
    assert (profile, folder) == ("qwen", "/home/u/$HOME/`x`")
    assert shlex.split(in_shell('it\'s `a` "b" $c')) == ['it\'s `a` "b" $c']
    assert "sys.path" not in line_command("p", "", "qwen", "/")


def test_ours_is_there_where_the_user_has_none() -> None:
    assert line() == OURS


def test_the_users_own_is_wrapped_and_the_strongest_one_wins() -> None:
    theirs = "jq -r '.model.display_name'; echo \"$PWD\""

    assert line(user=command(theirs, padding=2)) == wrapped(theirs, padding=2)
    assert line(local=command("l"), project=command("p"), user=command("u")) == wrapped("l")
    assert line(command("own"), local=command("l")) == wrapped("own")


@pytest.mark.parametrize("strange", [{"type": "other"}, {"command": 7}, {"type": "command"}, "x"])
def test_what_is_not_understood_is_left_to_claude(strange: Any) -> None:
    assert line(user=strange) == {}


def test_an_administrators_wins() -> None:
    assert line(managed=command("m"), user=command("u")) == {}
