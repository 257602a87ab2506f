"""`openclaude team usage`: sums of the servers' log, in which others may have written, too."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from openclaude.commands import runner
from openclaude.commands.serve.usage import LogUnreadable
from openclaude.errors import UsageError


def said(person: str, usd: float | None = 0.25, **more: Any) -> str:
    """A line of the log."""
    request = {"at": "2026-12-01T12:00:00Z", "person": person, "model": "bedrock/m", "status": 200}
    used = {"tokens_in": 100, "tokens_out": 10, "cache_read": 5, "cache_write": None, "usd": usd}
    return f"2026-12-01T12:00:01.123Z output request {json.dumps({**request, **used, **more})}\n"


LOG = (
    said("ann")
    + said("bob", 0.5)
    + said("ann", None, status=429, limit="minute", tokens_in=None, tokens_out=None)
    + said("ann", None, status=503, at="2026-12-02T00:00:00Z")
    + "10.0.0.8: refused, no known key\n"
)


def sums(
    capsys: pytest.CaptureFixture[str], *words: str, by: str = "person"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows by name, and the total."""
    runner.run("team", ["usage", *words, "--by", by, "--json"], {})
    data = json.loads(capsys.readouterr().out)["data"]
    return {row.pop(by): row for row in data["rows"]}, data["total"]


def test_each_person_has_requests_refusals_errors_tokens_and_dollars(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "serve.log"
    log.write_text(LOG)

    rows, total = sums(capsys, str(log))

    assert [*rows] == ["bob", "ann"]  # by what they cost
    assert rows["ann"] == {
        **{"requests": 3, "refused": 1, "errors": 1},
        **{"tokens_in": 215, "tokens_out": 20, "usd": 0.25},
    }
    assert (total["requests"], total["usd"]) == (4, 0.75)
    assert [*sums(capsys, str(log), by="day")[0]] == ["2026-12-01", "2026-12-02"]
    assert [*sums(capsys, str(log), "--since", "2026-12-02")[0]] == ["ann"]


def test_what_another_program_prints_is_read_from_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = f"[pod/team-1/providers] {said('ann')}".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(printed)))

    assert sums(capsys)[1]["requests"] == 1


@pytest.mark.parametrize(
    "line",
    [
        "request {}\n",
        "request {\n",
        "request [1]\n",
        'request {"person": "ann", "model": "m", "at": 5}\n',
        'request {"person": 7, "model": "m", "at": "2026-12-01T"}\n',
        f"request {'[' * 60_000}\n",
        f"{'x' * 200_000}\n",
        "\ufffd\x00\n",
        said("ann").replace("request", "no-request"),
    ],
)
def test_a_line_that_is_none_counts_for_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    log = tmp_path / "serve.log"
    log.write_text(line + said("ann"))

    assert sums(capsys, str(log))[1]["requests"] == 1


def test_numbers_that_are_none_are_not_summed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "serve.log"
    wrong = ("NaN", "Infinity", "-5", "true", '"9"', "1e300", "9" * 40)
    log.write_text("".join(said("ann").replace("0.25", one) for one in wrong))

    assert sums(capsys, str(log))[1]["usd"] == 0


def test_a_log_that_is_not_there_and_a_strange_day_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LogUnreadable, match="No such file"):
        runner.result_of("team", ["usage", str(tmp_path / "none.log")], {})
    with pytest.raises(UsageError, match="`--since` cannot be `7d`"):
        runner.result_of("team", ["usage", str(tmp_path / "none.log"), "--since", "7d"], {})
