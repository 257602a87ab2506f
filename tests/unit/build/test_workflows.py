"""The workflow files: valid, without secrets, and running only what is in this repository."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.y*ml"))
KNOWN = {"name", "on", "permissions", "concurrency", "jobs"}
# anything that is a credential, or passes one on
SECRET = re.compile(
    r"secrets|github\.token|GITHUB_TOKEN|id-token|password|api[_-]?key", re.IGNORECASE
)


def read(path: Path) -> dict[str, Any]:
    """Read a workflow; YAML 1.1 reads its `on` as true."""
    table = yaml.safe_load(path.read_text())
    return {"on" if key is True else str(key): value for key, value in table.items()}


def steps(path: Path) -> list[dict[str, Any]]:
    """Return the steps of all its jobs."""
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


def test_there_is_one_that_watches_every_day() -> None:
    (watch,) = (read(path) for path in WORKFLOWS)

    (schedule,) = watch["on"]["schedule"]
    minute, hour, *days = schedule["cron"].split()
    assert (minute.isdigit(), hour.isdigit(), days) == (True, True, ["*", "*", "*"])
    assert watch["jobs"]["contract"]["timeout-minutes"] <= 120


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_needs_no_secret_and_may_do_nothing(path: Path) -> None:
    table = read(path)

    assert table.keys() <= KNOWN
    assert table["permissions"] == {}
    assert not any("permissions" in job for job in table["jobs"].values())
    assert not SECRET.search(path.read_text())
    assert not [step for step in steps(path) if "uses" in step]  # an action is foreign code


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_commands_that_are_here(path: Path) -> None:
    commands = re.findall(r"build/[\w./-]+(?: [a-z]+)?", "\n".join(s["run"] for s in steps(path)))

    assert commands
    for command in commands:
        script, *words = command.split()
        assert os.access(REPOSITORY / script, os.X_OK), script
        usage = (REPOSITORY / script).read_text().partition("set -euo")[0]
        assert all(re.search(rf"{script} {word}\b", usage) for word in words), command


def test_nothing_depends_on_them() -> None:
    files = [*(REPOSITORY / "build").rglob("*"), *(REPOSITORY / ".ci").rglob("*")]
    texts = {path: path.read_bytes() for path in files if path.is_file() and path.suffix != ".pyc"}

    assert texts
    assert not [path for path, text in texts.items() if b".github/" in text]
