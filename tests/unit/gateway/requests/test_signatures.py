"""A thought goes back to its signer only, and a request without one keeps its bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openclaude.gateway.requests.signatures import (
    NOTHING_SAID,
    for_signer,
    marked,
    without_marked,
)

TEXT = {"type": "text", "text": "hi"}
OURS = {"type": "thinking", "thinking": "hm", "signature": marked("bedrock", "c2ln")}
SEALED = {"type": "redacted_thinking", "data": marked("bedrock", "c2Vh")}
THEIRS = {"type": "thinking", "thinking": "hm", "signature": "EqQB"}


def request_of(*turns: Any) -> tuple[dict[str, Any], bytes]:
    document = {"model": "claude-x", "messages": list(turns)}
    return document, json.dumps(document, indent=1).encode()  # no form that we would write


@pytest.mark.parametrize(
    ("block", "signer", "expected"),
    [
        (OURS, "bedrock", {**OURS, "signature": "c2ln"}),
        (SEALED, "bedrock", {**SEALED, "data": "c2Vh"}),
        (OURS, "moonshot", None),
        (THEIRS, "bedrock", None),
        ({**OURS, "signature": "openclaude:"}, "bedrock", None),
        ({**OURS, "signature": None}, "bedrock", None),
        ({**OURS, "type": ["thinking"]}, "bedrock", None),
    ],
)
def test_a_thought_goes_back_to_its_signer_only(block: Any, signer: str, expected: Any) -> None:
    assert for_signer(block, signer) == expected


@pytest.mark.parametrize("block", [OURS, SEALED])
def test_anthropic_gets_no_thought_of_a_slot(block: Any) -> None:
    said = {"role": "assistant", "content": [block, TEXT, THEIRS]}
    document, body = request_of({"role": "user", "content": "hi"}, said)

    kept, sent = without_marked(document, body)

    expected = [{"role": "user", "content": "hi"}, {**said, "content": [TEXT, THEIRS]}]
    assert kept["messages"] == json.loads(sent)["messages"] == expected


def test_a_turn_of_nothing_but_thoughts_does_not_become_empty() -> None:
    document, body = request_of({"role": "assistant", "content": [OURS]})

    _, sent = without_marked(document, body)

    assert json.loads(sent)["messages"][0]["content"] == [{"type": "text", "text": NOTHING_SAID}]


def test_half_of_a_surrogate_pair_beside_a_thought_is_sent_as_it_came() -> None:
    document, body = request_of(
        {"role": "assistant", "content": [OURS, {**TEXT, "text": "\ud83d"}]}
    )

    _, sent = without_marked(document, body)

    assert json.loads(sent)["messages"][0]["content"] == [{**TEXT, "text": "\ud83d"}]


@pytest.mark.parametrize(
    "turn",
    [
        {"role": "user", "content": "openclaude:bedrock:c2ln"},
        {"role": "user", "content": [{**TEXT, "text": json.dumps(OURS)}]},
        {"role": "user", "content": [{**TEXT, "signature": OURS["signature"]}]},
        {"role": "assistant", "content": [THEIRS, TEXT]},
        "openclaude:",
    ],
)
def test_every_other_request_keeps_its_bytes(turn: Any) -> None:
    document, body = request_of(turn)

    assert without_marked(document, body) == (document, body)
    assert without_marked(document, body)[1] is body


def test_a_body_without_messages_keeps_its_bytes() -> None:
    body = b'{"model": "openclaude:"}'

    assert without_marked({"model": "openclaude:"}, body)[1] is body
