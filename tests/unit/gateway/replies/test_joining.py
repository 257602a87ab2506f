"""Pieces of one text that arrive together: what is joined, and what stays as it came."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openclaude.gateway.replies.dialects.joining import HeldPiece
from openclaude.gateway.replies.events import TextEvent
from openclaude.gateway.replies.polite import Filters
from tests.unit.gateway.replies.upstreams import DIALECTS, events, sse


def chunk(text: str, **more: Any) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "delta": {"content": text}, **more}]}


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [
        (chunk("a "), chunk("b "), chunk("a b ")),
        ({**chunk("a "), "created": 1}, {**chunk("b "), "created": 2}, {"created": 2}),
        (
            {**chunk("a "), "usage": {"n": 1}},
            {**chunk("b "), "usage": {"n": 2}},
            {"usage": {"n": 2}},
        ),
        ({**chunk("a "), "usage": {"n": 1}}, {**chunk("b "), "usage": None}, None),
        ({**chunk("a "), "usage": {"n": 1}}, chunk("b "), None),
        (chunk("a ", logprobs=[1]), chunk("b ", logprobs=[2]), None),
        (chunk("a ", finish_reason=None), chunk("b ", finish_reason="stop"), None),
        (chunk("a "), {**chunk("b "), "id": "d"}, None),
        (chunk("a ", again="a "), chunk("b ", again="b "), None),  # which of the two is the text?
        (
            {"parts": [{"text": "a ", "thoughtSignature": "s"}]},
            {"parts": [{"text": "b "}]},
            None,
        ),
        ({"delta": {"text": "a "}, "index": 0}, {"delta": {"text": "b "}, "index": 1}, None),
        ({"delta": {"text": "a "}}, {"delta": {"thinking": "b "}}, None),
    ],
)
def test_documents_are_joined_if_nothing_else_would_be_lost(
    one: Any, other: Any, joined: dict[str, Any] | None
) -> None:
    before = json.dumps([one, other])

    held, is_joined = hold(("a ", one), ("b ", other))

    assert is_joined == [joined is not None]
    assert held == ((joined and {**chunk("a b "), **joined}) or one)
    assert json.dumps([one, other]) == before


def hold(*pieces: tuple[str, Any]) -> tuple[Any, list[bool]]:
    """Return what leaves when these texts arrive together, and which of them joined the first."""
    first, *others = [([TextEvent(text)], document) for text, document in pieces]
    held = HeldPiece(lambda document: json.dumps(document).encode())
    held.hold(*first, json.dumps(first[1]).encode())
    joined = [held.joins(*one) for one in others]
    return json.loads(b"".join(held.release())), joined


def test_each_of_many_pieces_is_compared_with_those_before() -> None:
    last = {**chunk("d "), "id": "d"}

    found, joined = hold(*((text, chunk(text)) for text in ("a ", "b ", "c ")), ("d ", last))

    assert joined == [True, True, False]
    assert found == chunk("a b c ")


def test_what_was_held_before_is_not_compared_with() -> None:
    held = HeldPiece(lambda document: json.dumps(document).encode())
    for name in ("c", "d"):
        pieces = [{**chunk(text), "id": name} for text in ("a ", "b ")]
        held.hold([TextEvent("a ")], pieces[0], b"")

        assert held.joins([TextEvent("b ")], pieces[1])
        assert json.loads(b"".join(held.release())) == {**chunk("a b "), "id": name}


def passed(name: str, frames: list[bytes], *, together: bool) -> bytes:
    dialect = DIALECTS[name]
    body = {**dialect.request(["Bash"], []), "model": "m", "stream": True}
    found = Filters(lambda: "token")(dialect.path(True), json.dumps(body).encode())
    assert found is not None
    chunks = [b"".join(frames)] if together else frames
    return b"".join([*(part for one in chunks for part in found.feed(one)), *found.close()])


def said_in(name: str, documents: list[dict[str, Any]], *, together: bool) -> list[Any]:
    frames = [sse([one], named=name != "gemini") for one in documents]
    return events(passed(name, frames, together=together))


def test_gpts_encrypted_thought_survives_its_pieces() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "SEALED"}
    where = {"item_id": "rs_1", "output_index": 0, "summary_index": 0}
    delta = {"type": "response.reasoning_summary_text.delta", **where}
    message = {"type": "message", "id": "m_1", "role": "assistant", "status": "completed"}
    text = {"type": "output_text", "text": "Yes", "annotations": []}
    begun, done = {**message, "content": []}, {**message, "content": [text]}
    words = {"item_id": "m_1", "output_index": 1, "content_index": 0}
    documents: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"id": "r", "status": "in_progress"}},
        {"type": "response.output_item.added", "output_index": 0, "item": thought},
        *({**delta, "delta": f"part {n} ", "sequence_number": n} for n in range(5)),
        {"type": "response.output_item.done", "output_index": 0, "item": thought},
        {"type": "response.output_item.added", "output_index": 1, "item": begun},
        {"type": "response.output_text.delta", **words, "delta": "Yes"},
        {"type": "response.output_item.done", "output_index": 1, "item": done},
        {
            "type": "response.completed",
            "response": {"id": "r", "status": "completed", "output": [thought, message]},
        },
    ]

    apart = said_in("responses", documents, together=False)
    joined = said_in("responses", documents, together=True)

    kinds = [one["type"] for one in joined]
    assert kinds.count("response.reasoning_summary_text.delta") == 1
    assert joined[2]["delta"] == "".join(f"part {n} " for n in range(5))
    ends = [one for one in joined if one["type"] == "response.output_item.done"]
    assert ends[0]["item"]["encrypted_content"] == "SEALED"
    assert [one for one in joined if "delta" not in one] == [
        one for one in apart if "delta" not in one
    ]


def test_geminis_signature_of_a_thought_survives_its_pieces() -> None:
    def parts(*said: dict[str, Any]) -> dict[str, Any]:
        return {"candidates": [{"content": {"role": "model", "parts": list(said)}, "index": 0}]}

    thoughts = [{"text": f"thought {n} ", "thought": True} for n in range(3)]
    documents = [
        *(parts(one) for one in thoughts),
        parts({"text": "the last ", "thought": True, "thoughtSignature": "SIGNED"}),
        parts({"text": "Yes"}),
        {"candidates": [{"content": {"role": "model", "parts": []}, "finishReason": "STOP"}]},
    ]

    joined = said_in("gemini", documents, together=True)

    said = [part for one in joined for part in one["candidates"][0]["content"]["parts"]]
    assert said[:3] == [
        {"text": "thought 0 thought 1 thought 2 ", "thought": True},
        {"text": "the last ", "thought": True, "thoughtSignature": "SIGNED"},
        {"text": "Yes"},
    ]


def test_claudes_signature_stays_in_its_block_after_pieces_of_another() -> None:
    def delta(index: int, **said: str) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": index, "delta": said}

    def block(index: int, **said: str) -> dict[str, Any]:
        return {"type": "content_block_start", "index": index, "content_block": said}

    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    documents: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        block(0, type="text", text=""),
        delta(0, type="text_delta", text="one "),
        delta(0, type="text_delta", text="two "),
        {"type": "content_block_stop", "index": 0},
        block(1, type="thinking", thinking="", signature=""),
        delta(1, type="signature_delta", signature="SIGNED"),
        {"type": "content_block_stop", "index": 1},
        block(2, type="text", text=""),
        delta(2, type="text_delta", text="three"),
        {"type": "content_block_stop", "index": 2},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 1},
        },
        {"type": "message_stop"},
    ]

    joined = said_in("anthropic", documents, together=True)

    said = [one for one in joined if one["type"] != "ping"]
    expected = [*documents]
    expected[2:4] = [delta(0, type="text_delta", text="one two ")]
    assert said == expected
