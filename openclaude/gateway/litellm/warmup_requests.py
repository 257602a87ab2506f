"""An instance's first requests, sent by itself: through LiteLLM to an upstream in the same process.

Knows: how LiteLLM is given a model for a moment, and what Anthropic and OpenAI answer. Independent
of: the instance's own models, credentials and upstreams, none of which it uses. LiteLLM creates its
clients, threads and caches on the first request. Without a rehearsal it takes 1 to 2 s, with one 30
to 150 ms (measured with 1.108.14, on a busy machine); most of that cannot be created before the
fork.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import litellm

from openclaude.contracts.worker import WARM_UP_VARIABLE
from openclaude.gateway.http.asgi import Message, Scope, own_request
from openclaude.gateway.http.sse import write_event
from openclaude.gateway.litellm.endpoint import JSON, MESSAGES, TO_ANTHROPIC, Endpoints
from openclaude.gateway.litellm.router import lent_model

log = logging.getLogger("openclaude.warmup")

MODEL = "openclaude-warmup"
KEY = "sk-openclaude-warmup"  # not a secret: opens nothing
LOOPBACK = "127.0.0.1"
TIMEOUT_S = 5.0  # no request here leaves the process
HEAD = (
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n"
    "connection: close\r\n\r\n"
)
USAGE = {"input_tokens": 1, "output_tokens": 1}
# without a price LiteLLM logs a traceback about the model after each request (seen with 1.108.14)
PRICE = {
    **{"litellm_provider": "anthropic", "mode": "chat"},
    **{"input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
    **{"cache_creation_input_token_cost": 0.0, "cache_read_input_token_cost": 0.0},
}


def with_head(body: bytes) -> bytes:
    """Return a streamed reply as bytes on the wire."""
    return HEAD.format(len(body)).encode() + body


def anthropic_answer() -> bytes:
    """Return a streamed message in Anthropic's format."""
    message: dict[str, Any] = {
        **{"id": "msg_warmup", "type": "message", "role": "assistant", "model": MODEL},
        **{"content": [], "stop_reason": None, "stop_sequence": None, "usage": USAGE},
    }
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    events: tuple[dict[str, Any], ...] = (
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stop, "usage": USAGE},
        {"type": "message_stop"},
    )
    return b"".join(write_event(event) for event in events)


def openai_answer() -> bytes:
    """Return a streamed chat completion in OpenAI's format."""
    head = {"id": "warmup", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    first = {"index": 0, "delta": {"role": "assistant", "content": "."}, "finish_reason": None}
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    pieces = ({"choices": [first]}, {"choices": [last]}, {"choices": [], "usage": usage})
    lines = [json.dumps({**head, **piece}) for piece in pieces]
    return b"".join(b"data: %s\n\n" % line.encode() for line in (*lines, "[DONE]"))


async def warm_up_main(endpoints: Endpoints) -> str:
    """Warm up what claude's first requests use in `main`; return why that failed, or ""."""

    async def forward(url: str) -> None:
        client = OwnClient(TO_ANTHROPIC + MESSAGES)
        with environment(ANTHROPIC_API_BASE=url, ANTHROPIC_API_KEY=KEY):
            await endpoints.anthropic(client.scope, client.receive, client.send)

    return await with_upstream(anthropic_answer(), forward)


async def warm_up_providers(endpoints: Endpoints) -> str:
    """Do the same in `providers`, from /v1/messages to a chat completion, the most common route."""

    async def ask_model(url: str) -> None:
        await ask(endpoints, model=f"openai/{MODEL}", api_base=url, api_key=KEY)

    return await with_upstream(openai_answer(), ask_model)


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set variables for LiteLLM for the duration of the context, in which no request is served."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


async def with_upstream(answer: bytes, *requests: Callable[[str], Awaitable[None]]) -> str:
    """Make requests to an upstream in this process, which always gives that answer.

    Each of `requests` gets its URL. If one fails, the instance serves all the same; the reason is
    logged and returned.
    """

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            _, _, after = head.lower().partition(b"\r\ncontent-length:")
            await reader.readexactly(int(after.partition(b"\r\n")[0] or 0))
            writer.write(with_head(answer))
            await writer.drain()

    litellm.register_model({MODEL: PRICE})  # stays, because the cost is computed later
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            await listen(reply) as server,
        ):
            port = server.sockets[0].getsockname()[1]
            for request in requests:
                await request(f"http://{LOOPBACK}:{port}")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is logged
        log.warning("the warm-up requests failed: %r", error)
        return repr(error)
    return ""


async def listen(reply: Callable[..., Awaitable[None]]) -> asyncio.Server:
    """Listen on the socket that was bound for this, or on one of our own where none was."""
    bound = os.environ.pop(WARM_UP_VARIABLE, "")
    if not bound:
        return await asyncio.start_server(reply, LOOPBACK)
    return await asyncio.start_server(reply, sock=socket.socket(fileno=int(bound)))


async def ask(endpoints: Endpoints, **params: Any) -> None:
    """Send one request for a model that LiteLLM's router has only for the moment."""
    with lent_model(MODEL, **params):
        client = OwnClient(MESSAGES)
        await endpoints.messages(client.scope, client.receive, client.send)


class OwnClient:
    """A client such as claude, for one request."""

    def __init__(self, path: str) -> None:
        tool = {"name": "t", "description": ".", "input_schema": {"type": "object"}}
        body = {
            "model": MODEL,
            "max_tokens": 1,
            "stream": True,
            "system": [{"type": "text", "text": "."}],
            "messages": [{"role": "user", "content": "."}],
            "tools": [tool],
        }
        self._pending = [json.dumps(body).encode()]
        self.scope: Scope = own_request("POST", path, [JSON])

    async def receive(self) -> Message:
        """Return the body; after that the client stays connected."""
        if not self._pending:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": self._pending.pop(), "more_body": False}

    async def send(self, message: Message) -> None:
        """Take a message of the reply. Raises LookupError if it is not a success."""
        if message.get("status", 200) != 200:
            raise LookupError(f"LiteLLM answered {message['status']}")
