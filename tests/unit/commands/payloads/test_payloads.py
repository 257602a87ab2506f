"""What `--json` prints is what docs/json.md says, for each command that needs no proxies."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from openclaude.commands import runner
from openclaude.commands.payloads.table import PAYLOADS, command_path, keys_of
from openclaude.commands.registry import NAMES
from tests.conftest import REPOSITORY

# each prints a whole payload; those of running proxies are in tests/process/test_words.py
RUN = [
    "profiles copy qwen mine",
    "profiles list",
    "profiles show mine",
    "profiles validate mine",
    "profiles set mine listen.port=4100",
    "profiles unset mine listen.port",
    "profiles use mine",
    "profiles use --clear",
    "profiles diff mine qwen",
    "profiles path mine",
    "profiles export mine",
    "profiles rename mine yours",
    "profiles remove yours --yes",
    "usage",
    "requests",
    "budget",
    "budget allow 2.00 --today",
    "models glm",
    "aws policy",
    "compile",
    "uninstall --yes",
]


def test_each_document_has_the_keys_that_are_documented(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env = {"HOME": str(tmp_path)}
    for line in RUN:
        name, *arguments = line.split()

        runner.run(name, [*arguments, "--json"], env)

        document = json.loads(capsys.readouterr().out)
        assert document["errors"] == [], line
        assert (line, [*document["data"]]) == (line, [*keys_of(document["command"])])


def test_every_command_that_prints_a_document_has_its_payload() -> None:
    described = {command.split()[0] for command in PAYLOADS} - {"--version"}

    # what a person looks at, or claude runs, and the demo, which is a report of its own
    assert {*NAMES} - described == {"completion", "demo", "statusline", "top"}


def test_the_command_of_a_document_is_a_command_and_no_profile() -> None:
    assert command_path("start", ["qwen", "--json"]) == ("start",)
    assert command_path("profiles", ["set", "x"]) == ("profiles", "set")
    assert command_path("profiles", ["--json"]) == ("profiles",)
    assert keys_of(("profiles",)) == PAYLOADS["profiles list"]


def test_the_version_of_the_envelope_is_documented() -> None:
    text = (REPOSITORY / "docs/json.md").read_text(encoding="utf-8")

    assert re.search(r'"openclaude_json": 1\b', text)
