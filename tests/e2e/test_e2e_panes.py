"""quirk 06: claude goes on in a process that is not the launched one, here in a pane of tmux.

It is a session: the stack stays for it, and the settings file that it names. After a stop it is
answered again by the next stack.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from tests.conftest import need
from tests.e2e.house import OPENCLAUDE, House
from tests.e2e.terminal import Terminal

PROFILE = "panes"
LINGER_S = 2.0
PROMPT = r"❯\s*\n─"  # the empty input box above its lower border


@pytest.fixture
def profile(house: House) -> Iterator[str]:
    """A profile whose stack ends soon after its last session."""
    need(shutil.which("tmux"), "tmux")
    need(shutil.which("git"), "git")
    text = f'[tiers]\nhaiku = "claude"\n[stack]\nlinger = "{LINGER_S:g}s"\n[listen]\nport = 4700\n'
    house.write_own_profile(PROFILE, text)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run([*git, "init", "-q"], cwd=house.project, check=True)
    subprocess.run(
        [*git, "commit", "-q", "--allow-empty", "-m", "x"], cwd=house.project, check=True
    )
    yield PROFILE
    house.command("stop", profile=PROFILE)
    shutil.rmtree(house.project / ".git")


@pytest.mark.variants
def test_a_claude_in_a_pane_is_a_session_and_keeps_its_stack(
    house: House, anthropic: AnthropicStandin, tmp_path: Path, profile: str
) -> None:
    environment = house.environment({"TMUX_TMPDIR": str(tmp_path)})
    argv = (OPENCLAUDE, "--profile", profile, "--worktree", "wt", "--tmux")
    inner = tmp_path / f"tmux-{os.getuid()}" / "default"
    with Terminal(argv, environment, house.project, tmp_path / "outer") as outer:
        launched = outer.pid
        outer.wait_for(PROMPT)
        outer.type("hello there")
        outer.wait_for("● anthropic stand-in: claude-opus-5-5")
        os.kill(launched, signal.SIGKILL)  # the terminal is closed

    try:
        time.sleep(2 * LINGER_S)  # as a user who pauses

        (session,) = house.status(profile)["sessions"]
        assert session["pid"] != launched
        (settings,) = [
            path
            for path in (house.home / ".local/state/claude-settings").iterdir()
            if f"-{profile}@" in path.name
        ]
        assert settings.name.startswith(f"{launched}-")
        before = len(anthropic.requests)
        tmux(inner, "send-keys", "-l", "and again")
        time.sleep(0.5)
        tmux(inner, "send-keys", "Enter")
        deadline = time.monotonic() + 30
        while (
            "anthropic stand-in" not in tmux(inner, "capture-pane", "-p").partition("and again")[2]
        ):
            assert time.monotonic() < deadline, tmux(inner, "capture-pane", "-p")
            time.sleep(0.1)
        assert len(anthropic.requests) > before
    finally:
        tmux(inner, "kill-server")


def tmux(socket: Path, *arguments: str) -> str:
    """Ask the server that claude has started."""
    return subprocess.run(
        ("tmux", "-S", str(socket), *arguments), check=True, capture_output=True, text=True
    ).stdout
