"""A slot's thoughts on their way to claude: as they come, and with the mark of who had them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openclaude.gateway.http.sse import write_event
from openclaude.gateway.replies.reply import StripEvents, strip_reply
from openclaude.gateway.replies.whole_reply import as_stream, events_of
from openclaude.gateway.requests.signatures import CALLS, marked
from tests.unit.gateway.replies.test_replies import HELLO, read

WHO = "abc"
CALL = {"type": "tool_use", "id": "t", "name": "Bash", "input": {}}


def start(block: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int = 0, **said: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": said}


def stop(index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def thinking(text: str = "", signature: str = "") -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": signature}


def words(text: str, index: int = 0) -> dict[str, Any]:
    return delta(index, type="thinking_delta", thinking=text)


def proof(signature: str, index: int = 0) -> dict[str, Any]:
    return delta(index, type="signature_delta", signature=signature)


END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}}
SPOKEN = [start({"type": "text", "text": ""}, 1), delta(1, type="text_delta", text="hi"), stop(1)]


def told(*events: dict[str, Any], signer: str = WHO) -> list[list[dict[str, Any]]]:
    """Return what claude gets for each event."""
    strip = StripEvents(signer)
    return [strip.feed(event) for event in events]


def test_a_thought_passes_word_by_word_and_is_marked_at_its_end() -> None:
    event = words("let me")

    got = told(start(thinking()), event, words(" see"), proof("SIG"), stop(), *SPOKEN, END)

    assert got[:3] == [[], [start(thinking()), event], [words(" see")]]
    assert got[1][1] is event, "its bytes are kept"
    assert got[3:5] == [[], [proof(marked(WHO, "SIG")), stop()]]
    assert got[5:] == [[], [SPOKEN[0], SPOKEN[1]], [SPOKEN[2]], [END]]


@pytest.mark.parametrize("signature", ["", "ErUBAnthropic", marked("other", "x")])
def test_what_a_provider_signs_never_passes_for_anthropics_signature(signature: str) -> None:
    *_, (said, _) = told(start(thinking("", signature)), words("hm"), stop())
    (block, _) = strip_reply({"content": [thinking("hm", signature)]}, WHO)["content"]

    assert said == proof(marked(WHO, signature))
    assert block == thinking("hm", marked(WHO, signature))


def test_a_thought_that_says_and_proves_nothing_is_left_out() -> None:
    assert told(start(thinking()), words(""), proof(""), stop()) == [[]] * 4
    assert strip_reply({"content": [thinking(), HELLO]}, WHO)["content"] == [HELLO]


def test_a_thought_that_only_proves_something_is_kept() -> None:
    assert told(start(thinking()), proof("SIG"), stop())[-1] == [
        start(thinking()),
        proof(marked(WHO, "SIG")),
        stop(),
    ]


def test_a_reply_of_nothing_but_thoughts_has_a_text() -> None:
    *_, last = told(start(thinking()), words("hm"), stop(), END)
    whole = strip_reply({"content": [thinking("hm")]}, WHO)["content"]

    assert [event["type"] for event in last] == [
        *("content_block_start", "content_block_delta", "content_block_stop", "message_delta")
    ]
    assert [event.get("index") for event in last] == [1, 1, 1, None]
    assert [block["type"] for block in whole] == ["thinking", "text"]


def test_redacted_thoughts_are_marked_too() -> None:
    block = {"type": "redacted_thinking", "data": "UkVE"}
    kept = {**block, "data": marked(WHO, "UkVE")}

    assert told(start(block), stop(), start({**block, "data": ""})) == [
        [start(kept), stop()],
        [],
        [],
    ]
    assert strip_reply({"content": [block, HELLO]}, WHO)["content"] == [kept, HELLO]


def test_what_proves_a_call_is_a_thought_without_words_before_it() -> None:
    call = {**CALL, "provider_specific_fields": {"signature": "U0lH"}}
    before = thinking("", marked(WHO + CALLS, "U0lH"))

    (got,) = told(start(call, 3))

    assert got == [start(thinking()), proof(before["signature"]), stop(), start(CALL, 1)]
    assert strip_reply({"content": [call]}, WHO)["content"] == [before, CALL]
    assert told(start(call, 3), signer="") == [[start(CALL)]]


def test_without_a_signer_no_thought_passes() -> None:
    events = (start(thinking()), words("hm"), proof("SIG"), stop())

    assert told(*events, signer="") == [[]] * 4
    assert strip_reply({"content": [thinking("hm"), HELLO]})["content"] == [HELLO]


def test_a_whole_reply_with_thoughts_can_be_told_as_events() -> None:
    content = [thinking("hm", "s"), {"type": "redacted_thinking", "data": "d"}, HELLO]
    whole = {"id": "m", "content": content, "stop_reason": "end_turn", "usage": {}}

    assert list(events_of(whole))[1:7] == [
        *(start(thinking()), words("hm"), proof("s"), stop()),
        *(start(content[1], 1), stop(1)),
    ]
    assert read(as_stream(whole)) == json.loads(json.dumps(list(events_of(whole))))
    assert write_event(start(thinking()))
