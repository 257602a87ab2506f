"""Claude's replies on Bedrock: signatures, citations and counts arrive as they were sent."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from openclaude.gateway.http.sse import write_event
from openclaude.gateway.replies.reply import StripEvents, strip_reply
from openclaude.gateway.replies.stream import ReplyStream
from openclaude.gateway.requests.signatures import marked
from openclaude.standins.bedrock.eventstream import event_frame, exception_frame
from tests.unit.gateway.replies.upstreams import Asking, Failed, chunks_of, in_chunks

START = {
    "type": "message_start",
    "message": {
        **{"id": "m", "type": "message", "role": "assistant", "model": "m", "content": []},
        **{"stop_reason": None, "usage": {"input_tokens": 1, "output_tokens": 1}},
    },
}
END = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"output_tokens": 1},
}
METRICS = {"inputTokenCount": 3, "cacheReadInputTokenCount": 7}
STOP = {"type": "message_stop", "amazon-bedrock-invocationMetrics": METRICS}
CITATION = {"type": "char_location", "cited_text": "a", "document_index": 0}


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of one block."""
    place = {"index": index}
    return [
        {"type": "content_block_start", **place, "content_block": start},
        *({"type": "content_block_delta", **place, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", **place},
    ]


THOUGHT = block(
    0,
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "thinking_delta", "thinking": "hm"},
    {"type": "signature_delta", "signature": "c2ln"},
)
SEALED = block(1, {"type": "redacted_thinking", "data": "c2Vh"})
CITED = block(
    2,
    {"type": "text", "text": ""},
    {"type": "text_delta", "text": "a"},
    {"type": "citations_delta", "citation": CITATION},
)
EVENTS = [START, *THOUGHT, *SEALED, *CITED, END, STOP]
WHOLE = {
    **START["message"],  # type: ignore[dict-item]
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "c2Vh"},
        {"type": "text", "text": "a", "citations": [CITATION]},
    ],
    "stop_reason": "end_turn",
    "stop_sequence": None,
}


def test_the_events_of_claude_pass_as_they_are() -> None:
    passed = Asking("invoke", True).pass_raw(chunks_of(EVENTS))

    assert isinstance(passed, bytes)
    assert in_chunks(passed) == EVENTS


@pytest.mark.parametrize("call", [{}, {"type": "tool_use", "id": "", "name": "Bash", "input": {}}])
def test_a_whole_reply_keeps_its_signatures_also_where_a_call_is_repaired(
    call: dict[str, Any],
) -> None:
    whole = {**WHOLE, "content": [*WHOLE["content"], *([call] if call else [])]}  # type: ignore[misc]

    passed = Asking("invoke", False).pass_raw(json.dumps(whole).encode())

    assert isinstance(passed, bytes)
    told = json.loads(passed)["content"]
    assert told[:3] == WHOLE["content"]
    assert [bool(one["id"]) for one in told[3:]] == [True for _ in told[3:]]


def test_a_signature_after_an_answer_that_had_to_be_rewritten_is_in_its_own_block() -> None:
    bare = [one for one in EVENTS if one.get("type") != "content_block_start"]

    passed = Asking("invoke", True).pass_raw(chunks_of(bare))

    assert isinstance(passed, bytes)
    kinds = [
        (one["index"], one["delta"]["type"])
        for one in in_chunks(passed)
        if "index" in one
        if one["type"] == "content_block_delta"
    ]
    assert kinds[:2] == [(0, "thinking_delta"), (0, "signature_delta")]


@pytest.mark.parametrize(
    ("raw", "status", "said"),
    [
        (exception_frame("throttlingException", "slow down"), 429, "slow down"),
        (exception_frame("modelTimeoutException", "late"), 408, "late"),
        (event_frame("chunk", {"p": "x"}), 503, "a chunk without bytes"),
        (event_frame("chunk", {"bytes": "%"}), 503, "a chunk without bytes"),
        (event_frame("chunk", {"bytes": base64.b64encode(b"{").decode()}), 503, "{"),
        (
            chunks_of([{"type": "error", "error": {"type": "overloaded_error", "message": "b"}}]),
            529,
            "b",
        ),
        (chunks_of(EVENTS[:3]), 503, "stopped before its end"),
    ],
)
def test_what_bedrock_reports_instead_of_an_answer_is_a_failure(
    raw: bytes, status: int, said: str
) -> None:
    failed = Asking("invoke", True).pass_raw(raw)

    assert isinstance(failed, Failed)
    assert failed.status == status
    assert said in failed.message


def test_claude_gets_every_thought_with_the_mark_of_its_signer() -> None:
    stream = ReplyStream(StripEvents("bedrock", cites=True))
    frames = [part for event in EVENTS for part in stream.feed(write_event(event))]
    told = [json.loads(frame.decode().partition("data: ")[2]) for frame in frames]

    starts = [one["content_block"] for one in told if one["type"] == "content_block_start"]
    signatures = [one["delta"]["signature"] for one in told if "signature" in str(one.get("delta"))]
    assert starts == [
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "redacted_thinking", "data": marked("bedrock", "c2Vh")},
        {"type": "text", "text": ""},
    ]
    assert signatures == [marked("bedrock", "c2ln")]
    whole = strip_reply(WHOLE, "bedrock", cites=True)["content"]
    assert [one.get("signature", one.get("data")) for one in whole] == [
        marked("bedrock", "c2ln"),
        marked("bedrock", "c2Vh"),
        None,
    ]
    assert whole[2]["citations"] == [CITATION]


def test_the_thoughts_of_a_model_without_a_signer_are_left_out() -> None:
    assert strip_reply(WHOLE)["content"] == [{"type": "text", "text": "a"}]
