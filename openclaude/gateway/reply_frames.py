"""Server-sent events, cut out of a byte stream one by one.

Knows: where an event ends, its JSON, how to write one. Refuses to know: what an event means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
DATA = re.compile(rb"^data:[ ]?(?P<data>.*?)\r?$", re.MULTILINE)


class Frames:
    """Cuts chunks, however the network split them, into whole events; holds less than one."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that this chunk completes, each with the blank line that ends it."""
        self._held += chunk
        frames = []
        while found := END.search(self._held):
            frames.append(self._held[: found.end()])
            self._held = self._held[found.end() :]
        return frames

    def rest(self) -> bytes:
        """What a stream that ends inside an event leaves behind."""
        rest, self._held = self._held, b""
        return rest


def read_event(frame: bytes) -> dict[str, Any] | None:
    """The JSON object of an event, or None for a comment, a ping without data or broken JSON."""
    data = b"\n".join(found["data"] for found in DATA.finditer(frame))
    try:
        event = json.loads(data) if data else None
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def write_event(event: Mapping[str, Any]) -> bytes:
    """An event in Anthropic's form: its type as the name, then its JSON."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
