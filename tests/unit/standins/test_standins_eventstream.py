"""Event-stream frames, read back by botocore."""

from __future__ import annotations

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from openclaude.standins.bedrock.eventstream import event_frame, exception_frame


def decode(frames: bytes) -> list[tuple[dict[str, str], bytes]]:
    buffer = EventStreamBuffer()
    buffer.add_data(frames)
    return [(event.headers, event.payload) for event in buffer]


@given(st.text(max_size=300))
def test_botocore_reads_events_and_exceptions_back(text: str) -> None:
    frames = event_frame("contentBlockDelta", {"delta": {"text": text}}) + exception_frame(
        "throttlingException", text
    )

    (event, payload), (failure, _) = decode(frames)

    assert event == {
        ":event-type": "contentBlockDelta",
        ":message-type": "event",
        ":content-type": "application/json",
    }
    assert payload.startswith(b'{"delta":{"text":"')
    assert failure[":exception-type"] == "throttlingException"
    assert failure[":message-type"] == "exception"


@pytest.mark.parametrize("place", [9, 20, 60, -1])
def test_botocore_would_notice_a_wrong_byte(place: int) -> None:
    frame = bytearray(event_frame("messageStart", {"role": "assistant", "p": "abcdefghijklm"}))
    frame[place] ^= 1

    with pytest.raises(ChecksumMismatch):
        decode(bytes(frame))
