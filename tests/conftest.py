"""What every test shares: golden files, and an honest word about what this machine cannot run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files, to review as a diff"
    )


def need(present: object, what: str) -> None:
    """The test needs `what`: without it the test says so and does not run; under CI it fails."""
    if present:
        return
    if os.environ.get("CI"):
        pytest.fail(f"this machine lacks {what}, and under CI every test must run")
    pytest.skip(f"this machine lacks {what}")


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
