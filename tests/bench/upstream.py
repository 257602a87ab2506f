"""The benchmark's upstream: both APIs, no checks; in a process of its own.

Knows: how an answer of so many pieces is framed for Anthropic's Messages and for Bedrock's
ConverseStream. Independent of: who asks, and whether they may: the stand-ins check requests and so
take as long as a proxy does. Here an answer begins as soon as the request's last byte has arrived.
The request says with `max_tokens` how many pieces it wants.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, cycle, islice
from typing import Any, cast

import uvloop

from openclaude.standins.bedrock.eventstream import event_frame

PACED_FROM = 100  # pieces: a shorter answer is sent at once, a longer one at a model's pace
PACE_S = 0.010  # a hundred tokens per second, a fast model
WANTED = (b'"max_tokens"', b'"maxTokens"')
NUMBER = re.compile(rb"\s*:\s*(\d+)")
LENGTH = re.compile(rb"(?i)\r\ncontent-length:\s*(\d+)")
HEAD = "HTTP/1.1 200 OK\r\ncontent-type: {}\r\ntransfer-encoding: chunked\r\n\r\n"
ANTHROPIC_HEAD = HEAD.format("text/event-stream; charset=utf-8").encode()
BEDROCK_HEAD = HEAD.format("application/vnd.amazon.eventstream").encode()
LAST_CHUNK = b"0\r\n\r\n"
WORDS = ("word ", "and ")  # LiteLLM ends a stream that repeats the same text a hundred times
Parts = tuple[bytes, tuple[bytes, ...], bytes]
USAGE = {"input_tokens": 10, "output_tokens": 1}


def pieces_wanted(body: bytes | bytearray) -> int:
    """Return how many pieces the request wants; the last number counts: the text is before."""
    for name in WANTED:
        at = body.rfind(name)
        if at >= 0 and (found := NUMBER.match(body, at + len(name))):
            return int(found[1])
    return 1


def sse(kind: str, **more: Any) -> bytes:
    """One event of Anthropic's stream."""
    data = json.dumps({"type": kind, **more}, separators=(",", ":"))
    return f"event: {kind}\ndata: {data}\n\n".encode()


def chunk(data: bytes) -> bytes:
    """A piece of a chunked reply."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@lru_cache
def anthropic_parts() -> Parts:
    """Return an answer's start, its pieces in turn, its end."""
    message: dict[str, Any] = {
        "id": "msg_01Bench",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": USAGE,
    }
    block = {"type": "text", "text": ""}
    deltas = [{"type": "text_delta", "text": word} for word in WORDS]
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    return (
        ANTHROPIC_HEAD
        + chunk(sse("message_start", message=message))
        + chunk(sse("content_block_start", index=0, content_block=block)),
        tuple(chunk(sse("content_block_delta", index=0, delta=delta)) for delta in deltas),
        chunk(sse("content_block_stop", index=0))
        + chunk(sse("message_delta", delta=stop, usage={"output_tokens": 1}))
        + chunk(sse("message_stop"))
        + LAST_CHUNK,
    )


@lru_cache
def bedrock_parts() -> Parts:
    """Return the same for Bedrock."""
    usage = {"inputTokens": 10, "outputTokens": 1, "totalTokens": 11}
    deltas = [{"contentBlockIndex": 0, "delta": {"text": word}} for word in WORDS]
    return (
        BEDROCK_HEAD + chunk(event_frame("messageStart", {"role": "assistant"})),
        tuple(chunk(event_frame("contentBlockDelta", delta)) for delta in deltas),
        chunk(event_frame("contentBlockStop", {"contentBlockIndex": 0}))
        + chunk(event_frame("messageStop", {"stopReason": "end_turn"}))
        + chunk(event_frame("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}))
        + LAST_CHUNK,
    )


class Exchange(asyncio.Protocol):
    """One connection: request, answer, request, answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one only by duck typing
        self.loop = asyncio.get_running_loop()
        self.taken = bytearray()
        self.head_end = 0
        self.whole = 0  # bytes of the request; 0 until its head is complete

    def data_received(self, data: bytes) -> None:
        """Answer once the request is complete."""
        self.taken += data
        if not self.head_end:
            end = self.taken.find(b"\r\n\r\n")
            if end < 0:
                return
            self.head_end = end + 4
            length = LENGTH.search(self.taken, 0, end + 2)
            self.whole = self.head_end + int(length[1]) if length else 0
        if not self._is_whole():
            return
        is_bedrock = b"converse-stream " in self.taken[: self.taken.find(b"\r\n")]
        wanted = pieces_wanted(self.taken)
        self.taken.clear()
        self.head_end = 0
        first, pieces, last = bedrock_parts() if is_bedrock else anthropic_parts()
        answer = chain((first,), islice(cycle(pieces), wanted), (last,))
        self._send(answer, wanted >= PACED_FROM)

    def _is_whole(self) -> bool:
        if self.whole:
            return len(self.taken) >= self.whole
        return self.taken.endswith(b"\r\n0\r\n\r\n")  # chunked

    def _send(self, parts: Iterator[bytes], is_paced: bool) -> None:
        """Send the next part, in its own turn of the event loop, so that it is its own packet."""
        part = next(parts, None)
        if part is None or self.transport.is_closing():
            return
        self.transport.write(part)
        if is_paced:
            self.loop.call_later(PACE_S, self._send, parts, is_paced)
        else:
            self.loop.call_soon(self._send, parts, is_paced)


async def serve() -> None:
    """Print the address, and answer until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Exchange, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"url": f"http://127.0.0.1:{port}", "port": port}), flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
