"""Who uses a stack without having been announced."""

from __future__ import annotations

import os
import selectors
import socket
from pathlib import Path

import pytest

from openclaude.contracts.control import Session
from openclaude.run.os import peers
from openclaude.run.os.processes import start_time
from openclaude.run.stack import background
from openclaude.run.supervisor import sessions as module
from openclaude.run.supervisor.sessions import LOOK_S, Sessions

NAMED = "/home/u/.local/state/claude-settings/12-34-qwen@here.json"


@pytest.mark.parametrize(
    ("active_at", "now", "is_found"),
    [
        (900.0, 1000.0, True),
        (0.0, 1000.0, False),  # nobody has asked
        (900.0, LOOK_S / 2, False),  # it has looked only just now
    ],
)
def test_who_asks_while_nobody_is_known_is_looked_for_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, active_at: float, now: float, is_found: bool
) -> None:
    me = Session(pid=os.getpid(), started=start_time(os.getpid()) or "")
    monkeypatch.setattr(module, "find_background_sessions", lambda *_: [me])
    with selectors.DefaultSelector() as selector:
        found = Sessions(selector, 4000, tmp_path, lambda _: None)

        found.look_for_users(active_at, now)

        assert list(found) == ([me] if is_found else [])


@pytest.mark.reaches_out
def test_the_processes_with_a_connection_to_a_port_are_found_and_nobody_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert peers.clients(port) == {}
        with socket.create_connection(("127.0.0.1", port)), listener.accept()[0]:
            assert os.getpid() in peers.clients(port)
            assert peers.clients(port + 1) == {}


def test_a_settings_file_is_in_use_by_one_whose_environment_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It keeps its memory private, or is another user's; what it was started with is public."""
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "environ":
            raise PermissionError
        is_own = path.parent.name == str(os.getpid())
        return f"claude\0--settings={NAMED}\0".encode() if is_own else read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)

    assert Path(NAMED).name in background.settings_in_use()


@pytest.mark.parametrize(
    ("command", "is_one"),
    [
        (["claude", "-p"], True),
        (["/usr/bin/node", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"], True),
        (["/home/u/.local/share/claude/versions/2.2.0"], True),
        (["vim", "x", "y", "claude"], False),
    ],
)
def test_a_claude_is_known_by_its_command_line(command: list[str], is_one: bool) -> None:
    assert background.is_claude(command) == is_one
