"""The content of a provider's reply, independent of any dialect: the normaliser's input and output.

Knows: the kinds of events. Independent of: how any dialect writes them, what becomes of them.
"""

from __future__ import annotations

from collections.abc import Hashable
from enum import StrEnum
from typing import Any, NamedTuple

UNAVAILABLE = 503  # every parser in LiteLLM keeps it, and claude asks again (measured)
ABSENT: Any = object()  # no value, because None is a value


class Ending(StrEnum):
    """Why a reply ended."""

    STOP = "stop"
    CALLS = "calls"
    LENGTH = "length"
    REFUSAL = "refusal"


class TextEvent(NamedTuple):
    """Text of the answer, in the block with that number if the dialect numbers blocks."""

    text: str
    block: int = 0


class ReasoningEvent(NamedTuple):
    """Text of the model's reasoning, and what its provider wants back to know it again."""

    text: str
    block: int = 0
    signature: str = ""


class CallPiece(NamedTuple):
    """What one chunk says about a tool call; `value` is an input that came as a JSON value."""

    key: Hashable
    id: str = ""
    name: str = ""
    arguments: str = ""
    value: Any = ABSENT
    extra: Any = None  # what the dialect sends along with the call, such as a signature


class CallEnd(NamedTuple):
    """No more pieces of this call will come."""

    key: Hashable


class CallOpen(NamedTuple):
    """Output: a call begins; its id and its name are final."""

    id: str
    name: str
    extra: Any = None


class CallBeat(NamedTuple):
    """Output: the open call goes on, but nothing of it can be passed on yet."""


class CallDone(NamedTuple):
    """Output: the input of the open call, the text of a JSON object."""

    arguments: str


class Other(NamedTuple):
    """A part of the answer that only its own dialect understands: passed on unchanged."""

    value: Any
    block: int = 0


class Finish(NamedTuple):
    """The provider's own end; `reason` is its word for it, or "" if the word has changed."""

    ending: Ending
    reason: str = ""


class ReplyFailure(NamedTuple):
    """The provider failed, or what it sent cannot be parsed."""

    message: str
    status: int = UNAVAILABLE


Event = (
    TextEvent
    | ReasoningEvent
    | CallPiece
    | CallEnd
    | CallOpen
    | CallBeat
    | CallDone
    | Other
    | Finish
    | ReplyFailure
)


class FramePart(NamedTuple):
    """The output for one frame: its events, and its own bytes if they contain exactly these."""

    events: list[Event]
    document: Any
    raw: bytes | None = None
    is_passed: bool = False  # the document is passed on, rewritten


class ReplyFailed(Exception):
    """The reply is unusable."""

    def __init__(self, failure: ReplyFailure) -> None:
        super().__init__(failure.message)
        self.message = failure.message
        self.status = failure.status
