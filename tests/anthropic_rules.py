"""Anthropic's published rules: for replies as a client reads them, for requests as it takes them.

Knows: https://docs.anthropic.com/en/api/messages and its streaming events. Independent of: who
answers, LiteLLM. A reply that breaks a rule fails the test at the rule.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

ID = re.compile(r"[a-zA-Z0-9_-]+")
NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
REASONS = frozenset(
    {
        *("end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"),
        "model_context_window_exceeded",
    }
)
START: dict[str, dict[str, Any]] = {
    "text": {"type": "text", "text": ""},
    "tool_use": {"input": {}},
}
DELTAS = {"text": "text_delta", "tool_use": "input_json_delta"}


class Told(NamedTuple):
    """What a client has read; an error's message where there is one."""

    text: str = ""
    calls: tuple[tuple[str, Any], ...] = ()
    reason: str = ""
    error: str = ""
    status: int = 200


def judge(status: int, body: bytes, *, streams: bool) -> Told:
    """A reply, which is a message or an error in Anthropic's form, and nothing else."""
    if body.startswith(b"{"):
        document = json.loads(body)
        if document.get("type") == "error":
            return Told(error=judge_error(document), status=judge_status(status))
        assert not streams, "a document where a stream was asked for"
        assert status == 200, status
        return judge_message(document)
    assert streams, body[:500]
    assert status == 200, (status, body[:500])
    return judge_stream(body)


def judge_status(status: int) -> int:
    """An error's status."""
    assert 400 <= status < 600, status
    return status


def judge_error(document: Any) -> str:
    """An error's message."""
    error = document["error"]
    assert isinstance(error["type"], str), document
    assert isinstance(error["message"], str), document
    assert error["message"].strip(), document
    assert "Traceback" not in error["message"], document
    return str(error["message"])


def judge_message(message: Any) -> Told:
    """A whole message."""
    assert (message["type"], message["role"]) == ("message", "assistant")
    assert message["stop_reason"] in REASONS, message["stop_reason"]
    assert isinstance(message["usage"]["input_tokens"], int)
    assert isinstance(message["usage"]["output_tokens"], int)
    return told_of(message["content"], message["stop_reason"])


def told_of(content: list[Any], reason: str, error: str = "") -> Told:
    """What the blocks of a message say."""
    assert content or error, "a message without content"
    calls = []
    for block in content:
        assert block["type"] in ("text", "tool_use"), block
        if block["type"] == "text":
            assert block["text"] or error, "an empty text"
            continue
        assert ID.fullmatch(block["id"]), block
        assert NAME.fullmatch(block["name"]), block
        assert isinstance(block["input"], dict) or error, block
        calls.append((block["name"], block["input"]))
    ids = [block["id"] for block in content if block["type"] == "tool_use"]
    assert len(set(ids)) == len(ids), ids
    if not error:
        assert (reason == "tool_use") <= bool(calls), "a stop for no tool"
        assert not calls or reason != "end_turn", "a tool that nobody would run"
    texts = [block["text"] for block in content if block["type"] == "text"]
    return Told("".join(texts), () if error else tuple(calls), reason, error)


def judge_stream(body: bytes) -> Told:
    """A stream of events, to its end or to an error."""
    events = events_of(body)
    assert events, "a stream without an event"
    kinds = [event["type"] for event in events if event["type"] != "ping"]
    if kinds == ["error"]:
        return Told(error=judge_error(events[-1]))
    assert kinds[0] == "message_start", kinds
    assert kinds.count("message_start") == 1, kinds
    assert kinds[-1] in ("message_stop", "error"), kinds
    assert kinds.count("message_stop") <= 1
    assert "error" not in kinds[:-1], kinds
    start = events[0]["message"]
    assert (start["type"], start["role"], start["content"]) == ("message", "assistant", []), start
    assert isinstance(start["usage"]["input_tokens"], int), start
    error = judge_error(events[-1]) if kinds[-1] == "error" else ""
    blocks, reason = blocks_of(events)
    assert reason in REASONS or error, reason
    return told_of(blocks, reason, error)


def events_of(body: bytes) -> list[dict[str, Any]]:
    """The events of a stream, each with its name."""
    events = []
    text = body.decode()
    for frame in re.split(r"\n\n|\r\n\r\n", text):
        lines = [line for line in re.split(r"\r\n|\n|\r", frame) if line]
        data = [
            line.removeprefix("data:").lstrip(" ") for line in lines if line.startswith("data:")
        ]
        if not data:
            assert all(line.startswith(":") for line in lines), frame
            continue
        event = json.loads("\n".join(data))
        assert f"event: {event['type']}" in lines, frame
        events.append(event)
    return events


def blocks_of(events: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str]:
    """The blocks that a stream builds one after the other, and its reason to end."""
    blocks: list[dict[str, Any]] = []
    said, reason, is_open, has_error = "", "", False, events[-1]["type"] == "error"
    for event in events[1:]:
        match event["type"]:
            case "content_block_start":
                assert not is_open, event
                assert event["index"] == len(blocks), event
                assert not reason, event
                blocks.append(dict(event["content_block"]))
                said, is_open = "", True
                kept = START[blocks[-1]["type"]]
                assert {key: blocks[-1][key] for key in kept} == kept, event
            case "content_block_delta":
                assert is_open, event
                assert event["index"] == len(blocks) - 1, event
                assert event["delta"]["type"] == DELTAS[blocks[-1]["type"]], event
                said += event["delta"].get("text", event["delta"].get("partial_json"))
                if blocks[-1]["type"] == "text":
                    blocks[-1]["text"] = said
            case "content_block_stop":
                assert is_open, event
                assert event["index"] == len(blocks) - 1, event
                is_open = False
                if blocks[-1]["type"] == "tool_use":
                    blocks[-1]["input"] = json.loads(said or "{}")
            case "message_delta":
                assert not is_open, event
                assert isinstance(event["usage"]["output_tokens"], int), event
                reason = event["delta"]["stop_reason"] or reason
    assert not is_open or has_error, "a block that is not closed"
    return blocks, reason


# Requests -----------------------------------------------------------------------------------------


def judge_request(body: Any) -> None:
    """A conversation that Anthropic would take."""
    turns = body["messages"]
    assert turns[0]["role"] == "user"
    waiting: list[str] = []  # calls of the turn before
    seen: set[str] = set()
    for turn in turns:
        content = turn["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        assert blocks, turn
        if turn["role"] == "system":
            continue
        results = [one["tool_use_id"] for one in blocks if one["type"] == "tool_result"]
        assert sorted(results) == sorted(waiting), (results, waiting)
        assert [one["type"] for one in blocks[: len(results)]] == ["tool_result"] * len(results)
        for one in blocks:
            judge_block(one)
        waiting = [one["id"] for one in blocks if one["type"] == "tool_use"]
        assert not seen & set(waiting), waiting
        assert len(set(waiting)) == len(waiting), waiting
        seen |= set(waiting)
        assert not waiting or turn["role"] == "assistant"
    assert not waiting, "a call without a result"


def judge_block(block: Any) -> None:
    """A block of a conversation."""
    match block["type"]:
        case "text":
            assert block["text"].strip(), block
        case "tool_use":
            assert ID.fullmatch(block["id"]), block
            assert NAME.fullmatch(block["name"]), block
            assert isinstance(block["input"], dict), block
            assert block.keys() <= {"type", "id", "name", "input", "cache_control", "caller"}, block
        case "thinking":
            assert block["signature"], block
