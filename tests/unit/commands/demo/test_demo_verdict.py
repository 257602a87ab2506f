"""The demo's verdict is negative if a canary is seen where it must not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaude.commands.demo import verdict as demo_verdict
from openclaude.commands.demo.verdict import Canaries, SeenProcess, judge
from openclaude.standins.base.exchange import Recorded

CANARIES = Canaries(token="oat-canary", key_id="AKIACANARY", secret="aws-canary")
CLAIMS = (
    "the plan login reached Anthropic",
    "the plan login never reached Bedrock",
    "the AWS key signed for Bedrock",
    "the AWS key never reached Anthropic",
    "neither appears in our files, logs, arguments or environment",
    "the local key stayed on this machine",
)


def request(header: str, body: str = "") -> Recorded:
    headers = ((b"Authorization", header.encode()),)
    return Recorded(method="POST", target="/", headers=headers, body=body.encode(), at=0.0)


GOOD_ANTHROPIC = request("Bearer oat-canary")
GOOD_BEDROCK = request("AWS4-HMAC-SHA256 Credential=AKIACANARY/x")
PROCESSES = [
    SeenProcess("supervisor", {"LANG": "C"}, ["python"]),
    SeenProcess("main", {"LITELLM_MASTER_KEY": "sk-key-1"}, ["python"]),
    SeenProcess("providers", {"LITELLM_MASTER_KEY": "sk-key-2"}, ["python"]),
]


@pytest.mark.parametrize(
    ("anthropic", "bedrock", "process", "file", "broken"),
    [
        (GOOD_ANTHROPIC, GOOD_BEDROCK, None, "", None),
        (request("Bearer x"), GOOD_BEDROCK, None, "", 0),
        (GOOD_ANTHROPIC, request("AKIACANARY", "oat-canary"), None, "", 1),
        (GOOD_ANTHROPIC, request("AKIAOTHER"), None, "", 2),
        (request("Bearer oat-canary", "aws-canary"), GOOD_BEDROCK, None, "", 3),
        (request("Bearer oat-canary AKIACANARY"), GOOD_BEDROCK, None, "", 3),
        (GOOD_ANTHROPIC, GOOD_BEDROCK, SeenProcess("x", {"A": "oat-canary"}, []), "", 4),
        (GOOD_ANTHROPIC, GOOD_BEDROCK, SeenProcess("x", {}, ["--key=aws-canary"]), "", 4),
        (GOOD_ANTHROPIC, GOOD_BEDROCK, None, "log: AKIACANARY", 4),
        (request("Bearer oat-canary sk-key-1"), GOOD_BEDROCK, None, "", 5),
        (GOOD_ANTHROPIC, request("AKIACANARY sk-key-1"), None, "", 5),
    ],
)
def test_each_leak_breaks_its_own_claim(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    anthropic: Recorded,
    bedrock: Recorded,
    process: SeenProcess | None,
    file: str,
    broken: int | None,
) -> None:
    (tmp_path / ".local" / "state").mkdir(parents=True)
    (tmp_path / ".local" / "state" / "main.log").write_text(file)
    seen = [*PROCESSES, *([process] if process else [])]
    monkeypatch.setattr(demo_verdict, "our_processes", lambda _folder: seen)
    monkeypatch.setattr(demo_verdict, "local_key", lambda _folder: "sk-key-1")

    checks = judge(tmp_path, tmp_path, [anthropic], [bedrock], CANARIES)

    assert tuple(check.claim for check in checks) == CLAIMS
    assert [n for n, check in enumerate(checks) if not check.holds] == (
        [] if broken is None else [broken]
    )
