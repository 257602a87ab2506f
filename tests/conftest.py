"""What every test shares: golden files, and an honest report of what this machine cannot run."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

import openclaude.cli  # noqa: F401 - sets what Ctrl-C does to a command line
from tests.blocked import Blocked
from tests.progress import Progress

pytest_plugins = ("pytester", "tests.hanging")
REPOSITORY = Path(__file__).resolve().parents[1]
signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest's Ctrl-C stays pytest's
NOWHERE = "/there-is-no-such-folder"  # `/nonexistent` is the HOME of no user on some machines


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files, to review as a diff"
    )
    parser.addoption("--seed", type=int, metavar="N", help="what the nemesis draws its faults from")
    parser.addoption(
        "--replay", type=Path, metavar="FILE", help="let the nemesis do what it did in that run"
    )
    parser.addoption("--progress", type=Path, metavar="FILE", help="tell there how it goes")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Blocked())
    if path := config.getoption("--progress"):
        config.pluginmanager.register(Progress(config, path))


def need(present: object, what: str) -> None:
    """The test needs `what`: without it the test is reported and not run; in CI it fails."""
    if present:
        return
    if os.environ.get("CI"):
        pytest.fail(f"this machine lacks {what}, and under CI every test must run")
    pytest.skip(f"this machine lacks {what}")


def variant(*values: object) -> ParameterSet:
    """The parameters of a way that CI leaves to `build/test variants`; it tries others."""
    return pytest.param(*values, marks=pytest.mark.variants)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the golden file of that name, beside the test."""

    def compare(name: str, text: str) -> None:
        path = Path(request.path).parent / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"no golden file {path}: make it with --update-golden"
        assert text == path.read_text(encoding="utf-8")

    return compare
