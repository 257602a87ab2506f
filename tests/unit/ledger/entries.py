"""Entries for tests."""

from __future__ import annotations

from typing import Any

from openclaude.ledger.entry import RequestEntry, Via

ENTRY = RequestEntry(
    at=1_790_000_000.25,
    profile="qwen",
    session="s1",
    agent="",
    tier="haiku",
    via=Via.SLOT,
    asked="claude-haiku-5-5",
    answered="bedrock/qwen",
    provider="bedrock",
    region="us-west-2",
    is_fallback=0,
    status=200,
    error="",
    is_cut=0,
    first_ms=120,
    total_ms=900,
    tokens_in=1000,
    tokens_out=100,
    cache_read=0,
    cache_write=0,
    dollars=0.001,
    priced_by="litellm 1",
    request_id="",
    used_5h=None,
    used_7d=None,
    resets_5h=None,
    resets_7d=None,
)


def entry(**changed: Any) -> RequestEntry:
    """Return an entry of a slot's request."""
    return ENTRY._replace(**changed)
