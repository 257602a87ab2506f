"""What is told of a request: names of the conventions, and no field that is not on the list."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openclaude.gateway.telemetry.attributes import of_series, of_span, span_name
from openclaude.ledger.entry import RequestEntry, Via

ENTRY = RequestEntry(
    at=1.5,
    profile="qwen",
    session="the-session",
    agent="Explore",
    tier="haiku",
    via=Via.SLOT,
    asked="claude-haiku-5-5",
    answered="bedrock/qwen",
    provider="bedrock",
    region="us-west-2",
    is_fallback=1,
    status=200,
    error="",
    is_cut=0,
    first_ms=120,
    total_ms=2500,
    tokens_in=10,
    tokens_out=20,
    cache_read=300,
    cache_write=None,
    dollars=0.25,
    priced_by="litellm 1",
    request_id="req-1",
    used_5h=None,
    used_7d=None,
    resets_5h=None,
    resets_7d=None,
    project="/home/me/secret-project",
    attempts=json.dumps([{"model": "m", "status": 500, "error": "x", "ms": 3}]),
    instance="pid",
    changes="max_tokens 9 -> 8",
    agent_id="agent-7",
)
OF_ONE_SESSION = {"session.id", "agent_id", "request_id", "gen_ai.conversation.id"}


def test_a_span_has_the_names_of_the_conventions_and_of_claudes_own_telemetry() -> None:
    assert span_name(ENTRY) == "chat claude-haiku-5-5"
    assert of_span(ENTRY) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "claude-haiku-5-5",
        "gen_ai.response.model": "bedrock/qwen",
        "openclaude.profile": "qwen",
        "openclaude.tier": "haiku",
        "openclaude.via": "slot",
        "session.id": "the-session",
        "gen_ai.conversation.id": "the-session",
        "agent_id": "agent-7",
        "gen_ai.agent.id": "agent-7",
        "gen_ai.agent.name": "Explore",
        "request_id": "req-1",
        "cloud.region": "us-west-2",
        "openclaude.priced_by": "litellm 1",
        "gen_ai.usage.input_tokens": 310,  # those of caches, too
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 300,
        "gen_ai.response.time_to_first_chunk": 0.12,
        "openclaude.cost_usd": 0.25,
        "http.response.status_code": 200,
        "openclaude.is_fallback": True,
        "openclaude.is_cut": False,
        "openclaude.failed_attempts": 1,
    }


def test_a_series_has_nothing_of_one_session_alone() -> None:
    assert not of_series(ENTRY).keys() & OF_ONE_SESSION
    assert "the-session" not in of_series(ENTRY).values()


@pytest.mark.parametrize("field", ["project", "attempts", "instance", "changes"])
def test_what_is_on_no_list_is_told_to_nobody(field: str) -> None:
    found = of_span(ENTRY)
    text = getattr(ENTRY, field)

    assert text
    assert text not in json.dumps(found)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"status": 529, "error": "overloaded_error"}, "overloaded_error"),
        ({"status": 500}, "500"),
        ({"status": 200, "is_cut": 1}, "cut"),
        ({}, None),
    ],
)
def test_a_failure_has_a_type(changed: dict[str, Any], kind: str | None) -> None:
    assert of_series(ENTRY._replace(**changed)).get("error.type") == kind
