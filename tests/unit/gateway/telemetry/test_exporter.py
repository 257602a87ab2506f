"""The exporter alone: what it counts, and a receiver that is not there."""

from __future__ import annotations

import logging
import socket
import threading
import time
from typing import Any

import pytest

from openclaude.contracts.routing import TelemetryTargets
from tests.conftest import need
from tests.unit.gateway.telemetry.test_attributes import ENTRY

pytestmark = pytest.mark.reaches_out


def exporter(**targets: Any) -> Any:
    """An exporter that has begun."""
    try:
        from openclaude.gateway.telemetry.exporter import Exporter
    except ImportError:
        need(False, "OpenTelemetry (build/setup installs build/otel.lock)")
        raise
    made = Exporter(TelemetryTargets(profile="qwen", **targets), "1.0")
    made.start()
    return made


def test_what_is_counted_can_be_read_in_prometheus_own_format() -> None:
    made = exporter(prometheus=9464)
    made.take([ENTRY, ENTRY._replace(status=529, error="overloaded_error", tokens_out=None)])
    from prometheus_client.parser import text_string_to_metric_families

    page, kind = made.page("text/plain")

    assert kind.startswith("text/plain")
    found = {
        (one.name, one.labels.get("gen_ai_token_type", one.labels.get("error_type", ""))): one.value
        for family in text_string_to_metric_families(page.decode())
        for one in family.samples
    }
    assert found["openclaude_requests_total", ""] == 1
    assert found["openclaude_requests_total", "overloaded_error"] == 1
    # a series of its own for each kind of error; the newest has no tokens out
    assert found["openclaude_tokens_total", "cache_read"] == 300
    assert found["openclaude_tokens_total", "output"] == 20
    assert "the-session" not in page.decode()
    made.stop()


def test_without_a_receiver_entries_are_dropped_at_once_and_it_is_said_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter(prometheus=1).stop()  # whether it can be imported
    monkeypatch.setattr("openclaude.gateway.telemetry.exporter.SEND_TIMEOUT_S", 0.2)
    monkeypatch.setattr("openclaude.gateway.telemetry.exporter.LONGEST_QUEUE", 600)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    made = exporter(otlp=f"http://127.0.0.1:{port}")
    caplog.set_level(logging.WARNING)

    began = time.monotonic()
    made.take([ENTRY] * 1000)  # more than the queue keeps
    taken = time.monotonic() - began
    made.stop()

    assert time.monotonic() - began - taken < 10  # it waits two seconds, however busy the machine
    for thread in threading.enumerate():
        if thread.name.startswith(("Otel", "telemetry-end")):
            thread.join(30)
    told = {
        one.getMessage() for one in caplog.records if one.name.startswith("openclaude.telemetry")
    }
    assert told <= {
        f"the receiver of telemetry at http://127.0.0.1:{port} does not take figures: "
        "they are dropped"
    }
    assert not [one for one in caplog.records if one.name.startswith("opentelemetry.exporter")]
