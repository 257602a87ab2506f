"""claude's own figures, corrected by an administrator's settings file that `usage` prints.

`/etc/claude-code` is that of a mount namespace: the machine's stays as it is.
"""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest

from openclaude.ledger.writer import GATHER_S
from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import House, Ran

HAIKU = "claude-haiku-5-5"
MOUNTED = 'mount -t overlay overlay -o "lowerdir=$0:/etc" /etc && exec "$@"'


def asked(house: House, managed: Path, *arguments: str) -> Ran:
    """Run a launch where a folder's files are an administrator's."""
    argv: tuple[str | Path, ...] = (house.program, "--profile", "house", "-p", *arguments)
    return house.run(("unshare", "-m", "sh", "-c", MOUNTED, managed, *argv), house.environment())


def in_ledger(house: House, session: str) -> float:
    """What the ledger says of a session."""
    time.sleep(5 * GATHER_S)
    path = house.home / ".local/state/openclaude/ledger/requests.sqlite3"
    with sqlite3.connect(path) as connection:
        query = "SELECT total(dollars) FROM requests WHERE session = ?"
        found = connection.execute(query, (session,)).fetchone()
    connection.close()
    return float(found[0])


def test_claudes_own_figure_is_the_ledgers_with_the_printed_settings(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    (tmp_path / "claude-code").mkdir()
    printed = house.command("usage", "--managed-settings")
    assert (printed.code, printed.err) == (0, "")
    assert HAIKU in json.loads(printed.out)["modelPricing"]["overrides"]
    given = (script.say("hello"), "--model", "haiku", "--output-format", "json")

    before = asked(house, tmp_path, *given).json()
    (tmp_path / "claude-code/managed-settings.json").write_text(printed.out)
    after = asked(house, tmp_path, *given).json()

    true = in_ledger(house, after["session_id"])
    assert true > 0
    assert after["total_cost_usd"] == pytest.approx(true, abs=1e-9)
    bases = [one["modelUsage"][HAIKU]["costBasis"] for one in (before, after)]
    assert bases == ["list", "managed"]
    assert before["total_cost_usd"] != pytest.approx(in_ledger(house, before["session_id"]))
