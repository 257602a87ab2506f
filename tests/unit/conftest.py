"""Unit tests have no side effects: no user folders, no process, no connection."""

from __future__ import annotations

import functools
import itertools
import socket
import subprocess

import botocore.session
import pytest
from hypothesis import HealthCheck, settings

from openclaude.models.catalog import Catalog

# A slow machine must not fail tests; hypothesis allows 200 ms per example by default.
settings.register_profile(
    "unit", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unit")

# What is slow to read and never changes is read once for all tests, as a command reads it once:
# LiteLLM's model map (30 ms) and botocore's tables.
MAP = Catalog.bundled()
LOADER = functools.cache(botocore.session.create_loader)
HOMES = itertools.count()


@pytest.fixture(autouse=True)
def nowhere(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A HOME and XDG folders for one test; processes and connections raise."""
    if "tmp_path" in request.fixturenames:
        root = request.getfixturevalue("tmp_path")
    else:  # making a folder for each of two thousand tests takes seconds
        root = tmp_path_factory.getbasetemp() / "homes" / str(next(HOMES))
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(root / name.lower()))
    monkeypatch.setattr(Catalog, "bundled", lambda: MAP)
    monkeypatch.setattr(botocore.session, "create_loader", LOADER)
    if request.node.get_closest_marker("reaches_out") is None:

        def refuse(*_arguments: object, **_named: object) -> None:
            raise AssertionError("a unit test started a process or opened a connection")

        monkeypatch.setattr(subprocess, "Popen", refuse)
        monkeypatch.setattr(socket.socket, "connect", refuse)
