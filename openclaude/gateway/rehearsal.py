"""The first requests of an instance, its own: through LiteLLM to an upstream in this very process.

Knows: how LiteLLM is given a model for a moment, and what Anthropic and OpenAI answer. Refuses to
know: the instance's own models, credentials and upstreams, none of which it touches. LiteLLM makes
its clients, threads and caches at the first request, which took three to four times as long as the
tenth (measured with 1.106.2); most of that cannot be made before the fork.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from litellm.types.router import Deployment, LiteLLM_Params, ModelInfo

from openclaude.gateway.asgi import Message, Scope, own_request
from openclaude.gateway.endpoint import JSON, MESSAGES, TO_ANTHROPIC, Endpoints

log = logging.getLogger("openclaude.rehearsal")

MODEL = "openclaude-rehearsal"
KEY = "sk-openclaude-rehearsal"  # known to everybody, and good for nothing
LOOPBACK = "127.0.0.1"
TIMEOUT_S = 5.0  # nothing here waits for anybody outside
HEAD = (
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n"
    "connection: close\r\n\r\n"
)
USAGE = {"input_tokens": 1, "output_tokens": 1}


def sse(kind: str, **more: Any) -> bytes:
    """One event of Anthropic's stream."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n".encode()


def with_head(body: bytes) -> bytes:
    """A streamed reply as it is on the wire."""
    return HEAD.format(len(body)).encode() + body


def anthropic_answer() -> bytes:
    """A streamed message of Anthropic's."""
    message: dict[str, Any] = {
        **{"id": "msg_rehearsal", "type": "message", "role": "assistant", "model": MODEL},
        **{"content": [], "stop_reason": None, "stop_sequence": None, "usage": USAGE},
    }
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    return b"".join(
        (
            sse("message_start", message=message),
            sse("content_block_start", index=0, content_block={"type": "text", "text": ""}),
            sse("content_block_delta", index=0, delta={"type": "text_delta", "text": "."}),
            sse("content_block_stop", index=0),
            sse("message_delta", delta=stop, usage=USAGE),
            sse("message_stop"),
        )
    )


def openai_answer() -> bytes:
    """A streamed chat completion of OpenAI's."""
    head = {"id": "rehearsal", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    first = {"index": 0, "delta": {"role": "assistant", "content": "."}, "finish_reason": None}
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    pieces = ({"choices": [first]}, {"choices": [last]}, {"choices": [], "usage": usage})
    lines = [json.dumps({**head, **piece}) for piece in pieces]
    return b"".join(b"data: %s\n\n" % line.encode() for line in (*lines, "[DONE]"))


async def rehearse_main(endpoints: Endpoints) -> None:
    """What claude's first requests would otherwise wait for in `main`."""

    async def forward(url: str) -> None:
        client = Client(TO_ANTHROPIC + MESSAGES)
        with environment(ANTHROPIC_API_BASE=url, ANTHROPIC_API_KEY=KEY):
            await endpoints.anthropic(client.scope, client.receive, client.send)

    async def ask_hop(url: str) -> None:
        await ask(endpoints, model=f"litellm_proxy/{MODEL}", api_base=url, api_key=KEY)

    await at_home(anthropic_answer(), forward, ask_hop)


async def rehearse_providers(endpoints: Endpoints) -> None:
    """The same in `providers`, from /v1/messages to a chat, which most of them are asked for."""

    async def ask_model(url: str) -> None:
        await ask(endpoints, model=f"openai/{MODEL}", api_base=url, api_key=KEY)

    await at_home(openai_answer(), ask_model)


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Variables as LiteLLM shall find them for a moment, in which nobody else is served."""
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


async def at_home(answer: bytes, *requests: Callable[[str], Awaitable[None]]) -> None:
    """Make the requests of an upstream in this process, which always gives that answer.

    They are told its URL. An instance that cannot rehearse serves all the same; its log says why.
    """

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            _, _, after = head.lower().partition(b"\r\ncontent-length:")
            await reader.readexactly(int(after.partition(b"\r\n")[0] or 0))
            writer.write(with_head(answer))
            await writer.drain()

    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            await asyncio.start_server(reply, LOOPBACK) as server,
        ):
            port = server.sockets[0].getsockname()[1]
            for request in requests:
                await request(f"http://{LOOPBACK}:{port}")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        log.warning("the rehearsal failed: %r", error)


async def ask(endpoints: Endpoints, **params: Any) -> None:
    """One request of a model that LiteLLM's router has for as long as it takes."""
    router = the_router()
    router.add_deployment(
        Deployment(
            model_name=MODEL,
            litellm_params=LiteLLM_Params(**params),
            # as in main's config; without it LiteLLM takes another way
            model_info=ModelInfo(id=MODEL, supported_endpoints=[MESSAGES]),
        )
    )
    try:
        client = Client(MESSAGES)
        await endpoints.messages(client.scope, client.receive, client.send)
    finally:
        router.delete_deployment(MODEL)


def the_router() -> Any:
    """LiteLLM's, once it has read its config. Raises LookupError before that."""
    from litellm.proxy.proxy_server import llm_router

    if llm_router is None:
        raise LookupError("LiteLLM has no router")
    return llm_router


class Client:
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
        """The body; then the client stays."""
        if not self._pending:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": self._pending.pop(), "more_body": False}

    async def send(self, message: Message) -> None:
        """Hear a message of the reply. Raises LookupError for one that is no success."""
        if message.get("status", 200) != 200:
            raise LookupError(f"LiteLLM answered {message['status']}")
