"""The items of a response of the Responses API: messages and calls.

Knows: what each has, and what its events may leave out. Independent of: events, streams. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from typing import Any

from openclaude.gateway.replies.asked import as_list
from openclaude.gateway.replies.calls import value_of
from openclaude.gateway.replies.dialects.base import (
    Document,
    block_number,
    failure_of,
    input_of,
    listed,
)
from openclaude.gateway.replies.events import ABSENT, CallPiece

# The events with a whole text, and the key that it is under
WHOLE_TEXTS = {"response.output_text.done": "text", "response.refusal.done": "refusal"}
WHOLE_PART = "response.content_part.done"


def items_of(response: Document) -> list[Document]:
    """Return the items of a response."""
    items = as_list(response.get("output"))
    return [one for one in items if isinstance(one, dict) and isinstance(one.get("type"), str)]


def text_in(item: Document) -> Iterator[str]:
    """Return the texts of a message, a refusal's too."""
    content = item.get("content")
    if isinstance(content, str):
        yield content
    for part in listed(content):
        said = part.get("text") or part.get("refusal") if isinstance(part, dict) else part
        if isinstance(said, str):
            yield said


def whole_text(kind: str, document: Document) -> Document | None:
    """Return the content in an event that tells a text as a whole; None for any other event."""
    if kind == WHOLE_PART:
        return {"content": document.get("part")}
    key = WHOLE_TEXTS.get(kind)
    return {"content": {key: document.get(key)}} if key else None


def has_refusal(item: Document) -> bool:
    """Tell whether a message has a refusal."""
    parts = listed(item.get("content"))
    return any(isinstance(part, dict) and bool(part.get("refusal")) for part in parts)


def item_piece(place: Hashable, item: Document, *, is_whole: bool) -> CallPiece:
    """Read the call in an item."""
    given = input_of(item)
    id_, name = str(item.get("call_id") or item.get("id") or ""), str(item.get("name") or "")
    if is_whole and given is not ABSENT:
        return CallPiece(place, id_, name, value=given)
    return CallPiece(place, id_, name, arguments=given if isinstance(given, str) else "")


def failed(response: Any) -> Any:
    """Return the failure that a response reports."""
    error = response.get("error") if isinstance(response, dict) else None
    return failure_of(error or response)


class Told:
    """What the events of a response have told so far, of its texts and calls."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}  # by the number of the item
        self._calls: set[tuple[str, object]] = set()  # whole ones: ids with places and inputs
        self._places: dict[str, int] = {}  # by an item's id

    def place(self, document: Document) -> int:
        """Return the number of the item that an event is about."""
        item = document.get("item")
        id_ = document.get("item_id") or (item.get("id") if isinstance(item, dict) else None)
        place = block_number(document.get("output_index"))
        if place is None:
            place = self._places.get(str(id_), len(self._places) if id_ else 0)
        if id_:
            self._places[str(id_)] = place
        return place

    def add(self, place: int, text: str) -> None:
        """Note a part of an item's text."""
        self._texts[place] = self._texts.get(place, "") + text

    def rest(self, place: int, text: str) -> str:
        """Return what is missing of a text, and note it."""
        told = self._texts.get(place, "")
        is_elsewhere = not told and any(text in one for one in self._texts.values())
        if is_elsewhere or not text.startswith(told):
            return ""
        self._texts[place] = text
        return text[len(told) :]

    def is_new_call(self, place: int, item: Document, *, is_whole: bool) -> bool:
        """Tell whether a call was not told as a whole yet; two may have one id."""
        id_ = str(item.get("call_id") or item.get("id") or place)
        if not is_whole:
            return (id_, place) not in self._calls
        given = (id_, json.dumps([item.get("name"), value_of(input_of(item))], default=str))
        was_told = given in self._calls
        self._calls |= {given, (id_, place)}
        return not was_told
