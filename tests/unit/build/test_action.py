"""The GitHub Action: what it declares, and its shell steps, run as GitHub runs them.

Stand-ins play Python, pip, npm and openclaude; `build/wheel` and the rest have tests of their own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY

ACTION = REPOSITORY / ".github" / "actions" / "openclaude" / "action.yml"
PINNED = REPOSITORY / "tests" / "e2e" / "claude" / "package.json"
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
EVIL = 'say "hi"; touch pwned $(touch pwned) `touch pwned`\nanswer=forged\n'

PYTHON = """#!/bin/sh
mkdir -p "$3/bin"
cp "$STUBS/pip" "$STUBS/openclaude" "$3/bin/"
"""
# writes down its arguments, ended by zeros
NOTES = '#!/bin/sh\nprintf "%s\\0" "$(basename "$0")" "$@" >>"$HEARD"; printf "\\n" >>"$HEARD"\n'
STUBS = {
    "python": PYTHON,
    "pip": NOTES,
    "npm": NOTES,
    "openclaude": f'{NOTES}echo "region $OPENCLAUDE_AWS_REGION"; exit ${{OPENCLAUDE_STATUS:-0}}\n',
}


def read() -> dict[str, Any]:
    """Read the action."""
    table: dict[str, Any] = yaml.safe_load(ACTION.read_text("utf-8"))
    return table


class Runner:
    """The part of GitHub's runner that the shell steps need."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("temp", "stubs", "work", "source/build", "source/dist"):
            (root / name).mkdir(parents=True)
        self.action = root / "source" / ".github" / "actions" / "openclaude"
        self.action.mkdir(parents=True)
        for name, text in STUBS.items():
            self.executable(root / "stubs" / name, text)
        self.executable(
            root / "source/build/wheel",
            '#!/bin/sh\ntouch "$(dirname "$0")/../dist/openclaude-1.whl"\n',
        )
        package = root / "source" / PINNED.relative_to(REPOSITORY)
        package.parent.mkdir(parents=True)
        shutil.copy(PINNED, package)
        self.files = {name: root / name for name in ("GITHUB_PATH", "GITHUB_OUTPUT", "HEARD")}
        for file in self.files.values():
            file.touch()

    @staticmethod
    def executable(path: Path, text: str) -> None:
        """Write a program."""
        path.write_text(text)
        path.chmod(0o755)

    def run(self, step: dict[str, Any], inputs: dict[str, str], **env: str) -> int:
        """Run a step of bash as GitHub does; its exit status."""
        script = self.root / "step.sh"
        script.write_text(step["run"])
        added = [line for line in self.files["GITHUB_PATH"].read_text().splitlines() if line]
        path = [*reversed(added), str(self.root / "stubs"), os.environ["PATH"]]
        given = {
            name: EXPRESSION.sub(lambda found: inputs[found[1].removeprefix("inputs.")], value)
            for name, value in step.get("env", {}).items()
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.root / "work",
            env={
                **{name: str(file) for name, file in self.files.items()},
                "PATH": ":".join(path),
                "RUNNER_TEMP": str(self.root / "temp"),
                "GITHUB_ACTION_PATH": str(self.action),
                "STUBS": str(self.root / "stubs"),
                **given,
                **env,
            },
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode

    @property
    def heard(self) -> list[list[str]]:
        """The command lines of the stand-ins."""
        lines = self.files["HEARD"].read_text().split("\0\n")
        return [line.split("\0") for line in lines if line]


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner with the stand-ins."""
    return Runner(tmp_path)


def inputs_of(**given: str) -> dict[str, str]:
    """Return the inputs with their defaults."""
    defaults = {name: one.get("default", "") for name, one in read()["inputs"].items()}
    return {**defaults, "python": "python", **given}


def shell_steps() -> list[dict[str, Any]]:
    """Return the steps that are ours."""
    return [step for step in read()["runs"]["steps"] if "run" in step]


def test_every_foreign_action_is_pinned_by_its_commit() -> None:
    used = [step["uses"] for step in read()["runs"]["steps"] if "uses" in step]

    assert [name.partition("@")[0] for name in used] == ["aws-actions/configure-aws-credentials"]
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name) for name in used)


def test_no_script_contains_an_expression() -> None:
    assert len(shell_steps()) == 3
    assert not [step for step in shell_steps() if EXPRESSION.search(step["run"])]
    assert all(step["shell"] == "bash" for step in shell_steps())


def test_it_needs_no_secret_and_names_none() -> None:
    assert not re.search(r"secrets\.|github\.token|GITHUB_TOKEN", ACTION.read_text("utf-8"))


def test_every_input_is_used_and_documented() -> None:
    text, docs = ACTION.read_text("utf-8"), (REPOSITORY / "docs" / "ci.md").read_text("utf-8")

    for name, one in read()["inputs"].items():
        assert f"inputs.{name}" in text
        assert f"| `{name}` |" in docs
        assert not one.get("default") or f"`{one['default']}`" in docs


@pytest.mark.reaches_out
def test_its_steps_install_by_hash_ask_and_stop(runner: Runner) -> None:
    given = inputs_of(prompt="what is this?", arguments="--allowedTools\nRead,Bash(git show:*)\n")

    assert [runner.run(step, given) for step in shell_steps()] == [0, 0, 0]

    hashed, own, npm, asked, stopped = runner.heard
    assert {"--require-hashes", "--no-deps"} <= set(hashed)
    assert own[-1].endswith("/dist/openclaude-1.whl")
    (tested,) = json.loads(PINNED.read_text())["dependencies"].values()
    assert npm[-1] == f"@anthropic-ai/claude-code@{tested}"
    assert asked == [
        *("openclaude", "--profile", "bedrock", "--allowedTools", "Read,Bash(git show:*)"),
        *("-p", "what is this?"),
    ]
    assert stopped == ["openclaude", "stop", "bedrock", "--yes"]
    name, answer, end = runner.files["GITHUB_OUTPUT"].read_text().split("\n", 2)
    assert name == f"answer<<{end.strip()}"
    assert answer == "region us-west-2"


@pytest.mark.reaches_out
def test_a_prompt_runs_nothing_whatever_it_holds(runner: Runner) -> None:
    given = inputs_of(prompt=EVIL, profile="--version", arguments="$(touch pwned)")

    for step in shell_steps():
        runner.run(step, given)

    assert ["openclaude", "--profile", "--version", "$(touch pwned)", "-p", EVIL] in runner.heard
    assert not list(runner.root.rglob("pwned"))


@pytest.mark.reaches_out
def test_a_failed_answer_fails_the_step_and_the_proxies_are_still_stopped(runner: Runner) -> None:
    install, ask, stop = shell_steps()
    runner.run(install, inputs_of())

    assert runner.run(ask, inputs_of(prompt="hi"), OPENCLAUDE_STATUS="125") == 125
    assert runner.run(stop, inputs_of(), OPENCLAUDE_STATUS="1") == 0
    assert stop["if"] == "always()"
