"""The table of what `--json` prints; tests/process/test_payloads.py compares it with that."""

from __future__ import annotations

import re

from openclaude.commands.payloads.table import PAYLOADS, command_path, keys_of
from openclaude.commands.registry import NAMES
from openclaude.ledger.entry import RequestEntry
from tests.conftest import REPOSITORY


def test_every_command_that_prints_a_document_has_its_payload() -> None:
    described = {command.split()[0] for command in PAYLOADS} - {"--version"}

    # what a person looks at, or claude runs, and the demo, which is a report of its own
    assert {*NAMES} - described == {"completion", "demo", "statusline", "top"}


def test_the_command_of_a_document_is_a_command_and_no_profile() -> None:
    assert command_path("start", ["qwen", "--json"]) == ("start",)
    assert command_path("profiles", ["set", "x"]) == ("profiles", "set")
    assert command_path("profiles", ["--json"]) == ("profiles",)
    assert keys_of(("profiles",)) == PAYLOADS["profiles list"]


def test_a_request_has_the_keys_of_the_ledgers_entry() -> None:
    assert [*PAYLOADS["requests show"]] == ["id", *RequestEntry._fields]


def test_the_version_of_the_envelope_is_documented() -> None:
    text = (REPOSITORY / "docs/json.md").read_text(encoding="utf-8")

    assert re.search(r'"openclaude_json": 1\b', text)
