"""Unit tests touch nothing: no user folders, no process, no connection."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def nowhere(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A HOME and XDG folders of the test's own; processes and connections raise."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    if request.node.get_closest_marker("reaches_out") is None:

        def refuse(*_arguments: object, **_named: object) -> None:
            raise AssertionError("a unit test started a process or opened a connection")

        monkeypatch.setattr(subprocess, "Popen", refuse)
        monkeypatch.setattr(socket.socket, "connect", refuse)
