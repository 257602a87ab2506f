"""`openclaude doctor` with the real claude and a real stack: all is well, nothing is changed."""

from __future__ import annotations

import hashlib

from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import House


def test_a_house_in_order_has_nothing_to_fix(house: House) -> None:
    house.claude("auth", "status")  # claude updates its own new files when it first runs
    before = claudes_files(house)

    ran = house.command("doctor", "--json")

    found = {row["code"]: row for row in ran.json()["data"]["diagnostics"]}
    assert (ran.code, ran.err) == (0, "")
    assert [row for row in found.values() if row["severity"] in {"error", "warning"}] == []
    assert found["login"]["message"] == "logged in with a Claude plan (max)"
    assert found["claude"]["message"].startswith("claude 2.")
    assert found["stack"]["message"].startswith("the proxies are running on port ")
    assert house.canaries.oauth not in ran.out
    assert house.canaries.aws_secret not in ran.out
    assert claudes_files(house) == before


def test_the_real_claude_says_when_nobody_is_logged_in(house: House) -> None:
    login = house.home / ".claude" / ".credentials.json"
    kept = login.read_bytes()
    login.unlink()
    try:
        ran = house.command("doctor")
    finally:
        house.write(".claude/.credentials.json", kept.decode())

    assert "warning  claude is not logged in\n" in ran.out
    assert "fix: run `claude auth login`\n" in ran.out


def test_online_asks_the_model_that_the_slot_asks(house: House, bedrock: BedrockStandin) -> None:
    ran = house.command("doctor", "--online", "--yes", "--json")

    found = {row["code"]: row for row in ran.json()["data"]["diagnostics"]}
    assert found["bedrock"]["message"] == "`qwen.qwen3-next-80b-a3b` answers in us-west-2"
    assert found["aws-unreachable"]["severity"] == "warning"  # STS, which no network leads to
    way, asked = bedrock.requests  # whether the address answers, without any credential; the model
    assert (way.signed_by, way.header("authorization"), way.body) == (None, None, b"")
    assert asked.signed_by == house.canaries.aws_id
    assert ran.code == 0


def claudes_files(house: House) -> dict[str, str]:
    """Return every file of claude's, and a hash of its content."""
    paths = [house.home / ".claude.json", *sorted((house.home / ".claude").rglob("*"))]
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()
    }
