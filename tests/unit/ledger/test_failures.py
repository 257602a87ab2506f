"""main's log has a line for each request that has failed, and no text of it."""

from __future__ import annotations

import logging

import pytest

from openclaude.ledger.failures import tell_failure
from tests.unit.ledger.entries import entry


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (200, "", ""),
        (0, "", ""),  # claude has left
        (429, "rate_limit_error", "haiku `a` (`b`) failed: 429 rate_limit_error after 7 ms"),
        (200, "api_error", "haiku `a` (`b`) failed: 200 api_error after 7 ms"),
    ],
)
def test_a_failed_request_is_one_line(
    status: int, error: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    failed = entry(
        status=status,
        error=error,
        tier="haiku",
        asked="a",
        answered="b",
        total_ms=7,
        session="",
        request_id="",
    )

    with caplog.at_level(logging.WARNING):
        tell_failure(failed)
        tell_failure(failed._replace(session="s-1", request_id="r-1"))

    again = f"{said}, session s-1, request r-1"
    assert [record.message for record in caplog.records] == ([said, again] if said else [])
