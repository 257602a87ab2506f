"""Claude on Bedrock through InvokeModel: Anthropic's messages, in a document or in AWS's frames.

Knows: what Claude's replies have that those of third parties do not (signatures, citations), and
where Bedrock reports its counts. Independent of: models, credentials. Pure.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openclaude.gateway.replies.dialects.anthropic import Messages
from openclaude.gateway.replies.dialects.base import Document
from openclaude.gateway.replies.dialects.bedrock import aws_error, exception_of
from openclaude.gateway.replies.dialects.message import block_of
from openclaude.gateway.replies.events import Event, Other
from openclaude.gateway.replies.eventstream import EXCEPTION, InvokeStream

# Deltas that only Claude sends, and in which blocks
CLAUDES = {"signature_delta": "thinking", "citations_delta": "text"}
METRICS = "amazon-bedrock-invocationMetrics"  # beside the last event: AWS's own counts


class Invoke(Messages):
    """A reply of `/invoke` or `/invoke-with-response-stream`."""

    def __init__(self) -> None:
        super().__init__()
        self._last: Document = {"type": "message_stop"}

    def framing(self) -> InvokeStream:
        """AWS's event stream, with an event of Anthropic's in each chunk."""
        return InvokeStream()

    def read(self, document: Any) -> list[Event]:
        """Read an event, or an exception of AWS's."""
        if isinstance(document, dict) and isinstance(said := document.get(EXCEPTION), dict):
            return [exception_of(said)]
        return super().read(document)

    def _delta(self, index: int, document: Document) -> Iterator[Event]:
        delta = document.get("delta")
        if isinstance(delta, dict) and delta.get("type") in CLAUDES:
            yield Other(document, index)
        else:
            yield from super()._delta(index, document)

    def keeps(self, document: Any) -> bool:
        """Tell whether an event fits the blocks that are open."""
        if document["type"] == "content_block_delta":
            kind = CLAUDES.get(document["delta"]["type"])
            if kind and self._has_started and not self._blocks.is_closed:
                return self._blocks.may_keep(kind, document.get("index"))
        return super().keeps(document)

    def is_end(self, document: Any) -> bool:
        """Tell whether this is `message_stop`, which has the counts of the cache."""
        is_last = super().is_end(document)
        if is_last:
            counts = {key: document[key] for key in ("usage", METRICS) if is_counted(document, key)}
            self._last = {"type": "message_stop", **counts}
        return is_last

    def end(self) -> list[Any]:
        """Return `message_stop`, with what came in it."""
        return [self._last]

    def read_whole(self, document: Any) -> list[Event]:
        """Read a whole message; what only Claude sends is passed on as it is."""
        events = super().read_whole(document)
        content = document.get("content") if isinstance(document, dict) else None
        if not isinstance(content, list) or not any(is_claudes(block) for block in content):
            return events
        said = [
            event
            for index, block in enumerate(content)
            for event in ([Other(block, index)] if is_claudes(block) else block_of(index, block))
        ]
        return [*said, *events[-1:]]

    def error(self, status: int, message: str) -> tuple[Document, dict[str, str]]:
        """Return an error in AWS's format."""
        return aws_error(status, message)


def is_claudes(block: Any) -> bool:
    """Tell whether a block has a signature or citations."""
    return isinstance(block, dict) and (
        (block.get("type") == "thinking" and isinstance(block.get("signature"), str))
        or (block.get("type") == "text" and isinstance(block.get("citations"), list))
    )


def is_counted(document: Document, key: str) -> bool:
    """Tell whether a document has counts under a key."""
    return isinstance(document.get(key), dict)
