"""The images and PDFs of a request: where they are, and how words stand in their place.

Knows: Anthropic's content blocks that hold a picture, also those inside a tool's result.
Independent of: who describes them. Pure: nothing is changed in place, and a body that nobody would
write is left to its receiver.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

PDF = "application/pdf"
IMAGE_KIND, PDF_KIND = "image", "PDF"
MOST_DEPTH = 3  # a turn's content, a tool's result, a document inside it


class Picture(NamedTuple):
    """An image or a PDF of a request."""

    kind: str
    media_type: str
    data: str  # base64

    @property
    def digest(self) -> str:
        """By which it is known again, in this request and in later ones."""
        text = f"{self.media_type}\n{self.data}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def block(self) -> dict[str, Any]:
        """The block that shows it to a model, without what else the request says of it."""
        source = {"type": "base64", "media_type": self.media_type, "data": self.data}
        return {"type": "document" if self.kind == PDF_KIND else "image", "source": source}


def picture_of(block: object) -> Picture | None:
    """Return the picture of a block; None for any other, and for one that is only an address."""
    if not isinstance(block, Mapping) or block.get("type") not in ("image", "document"):
        return None
    match block.get("source"):
        case {"type": "base64", "media_type": str(media_type), "data": str(data)}:
            is_pdf = block["type"] == "document"
            if is_pdf and media_type != PDF:
                return None
            return Picture(PDF_KIND if is_pdf else IMAGE_KIND, media_type, data)
        case _:
            return None


def pictures_in(document: Mapping[str, Any]) -> dict[str, Picture]:
    """Return every picture of a request once, by its digest, in their order."""
    found: dict[str, Picture] = {}

    def note(picture: Picture) -> None:
        found.setdefault(picture.digest, picture)

    with_words(document, note)
    return found


def with_words(
    document: Mapping[str, Any], words: Callable[[Picture], str | None]
) -> Mapping[str, Any]:
    """Return a request with words in place of its pictures; None leaves one as it is."""
    turns = document.get("messages")
    if not isinstance(turns, list):
        return document
    return {**document, "messages": [turn_with(turn, words) for turn in turns]}


def turn_with(turn: Any, words: Callable[[Picture], str | None]) -> Any:
    """The same of one turn."""
    content = turn.get("content") if isinstance(turn, Mapping) else None
    if not isinstance(content, list):
        return turn
    return {**turn, "content": [*blocks_with(content, words, MOST_DEPTH)]}


def blocks_with(
    content: list[Any], words: Callable[[Picture], str | None], depth: int
) -> Iterator[Any]:
    """The same of blocks, and of those inside them."""
    for block in content:
        picture = picture_of(block)
        said = words(picture) if picture else None
        if said is not None:
            yield {"type": "text", "text": said, **mark_of(block)}
        elif depth > 0 and isinstance(block, Mapping):
            yield inner_with(block, words, depth - 1)
        else:
            yield block


def inner_with(
    block: Mapping[str, Any], words: Callable[[Picture], str | None], depth: int
) -> Mapping[str, Any]:
    """The same of a tool's result, and of a document that is made of blocks."""
    match block:
        case {"type": "tool_result", "content": list(inner)}:
            return {**block, "content": [*blocks_with(inner, words, depth)]}
        case {"type": "document", "source": {"type": "content", "content": list(inner)}}:
            source = {**block["source"], "content": [*blocks_with(inner, words, depth)]}
            return {**block, "source": source}
        case _:
            return block


def mark_of(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return a block's mark for the cache, which stays where it was."""
    return {"cache_control": block["cache_control"]} if "cache_control" in block else {}
