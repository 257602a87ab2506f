"""The filter in LiteLLM's transport: encodings, errors, early ends, closed connections."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from openclaude.gateway.litellm.transport import UpstreamFailed, filtered
from openclaude.gateway.replies.filter import ReplyFilter
from openclaude.gateway.replies.polite import Filters
from tests.unit.gateway.replies.upstreams import DIALECTS, Asking, End, Words

ASKING = Asking("openai", True, model="qwen3-coder")
RAW = ASKING.say(Words("Hello, this is a text of one piece"), End())


class Body(httpx.AsyncByteStream):
    """A provider's body in pieces, which counts how many were read."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces
        self.asked = 0
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.asked += 1
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def aclose(self) -> None:
        self.is_closed = True


def reply_filter() -> ReplyFilter:
    body = {**DIALECTS["openai"].request(["Bash"], []), "model": "qwen3-coder", "stream": True}
    found = Filters(lambda: "token")("/v1/chat/completions", json.dumps(body).encode())
    assert found is not None
    return found


async def answer(body: Body, **headers: str) -> httpx.Response:
    request = httpx.Request("POST", "http://upstream/v1/chat/completions")
    response = httpx.Response(200, headers=headers, stream=body, request=request)
    return await filtered(response, reply_filter())


def test_a_compressed_body_is_read_and_goes_on_as_it_is() -> None:
    async def run() -> None:
        body = gzip.compress(RAW)
        coding = {"content-encoding": "gzip", "content-length": str(len(body)), "x-request-id": "r"}
        response = await answer(Body(body), **coding)

        assert await response.aread() == RAW
        assert dict(response.headers) == {"x-request-id": "r"}

    asyncio.run(run())


def test_a_failure_before_the_first_word_is_a_status() -> None:
    async def run() -> None:
        body = Body(b'data: {"error": {"message": "no credits", "code": 402}}\n\n')

        response = await answer(body)

        assert response.status_code == 402
        assert json.loads(await response.aread())["error"]["message"] == "no credits"
        assert body.is_closed

    asyncio.run(run())


def test_a_failure_in_the_middle_keeps_what_was_said_its_words_and_its_status() -> None:
    async def run() -> None:
        error = b'data: {"error": {"message": "overloaded", "code": 529}}\n\n'
        response = await answer(Body(ASKING.say(Words("Hello, this is a text")), error))
        parts = response.aiter_bytes()

        heard = [await anext(parts), await anext(parts)]
        with pytest.raises(UpstreamFailed, match="overloaded") as raised:
            await anext(parts)

        assert b"Hello" in heard[1]
        assert raised.value.status_code == 529

    asyncio.run(run())


def test_no_more_is_read_than_is_asked_for() -> None:
    async def run() -> None:
        frames = [one + b"\n\n" for one in RAW.split(b"\n\n") if one]
        body = Body(*frames)

        response = await answer(body)
        parts = response.aiter_bytes()
        before = body.asked
        await anext(parts)
        await anext(parts)

        assert (before, body.asked) == (2, 2)  # its start and its first text
        await response.aclose()
        assert body.is_closed

    asyncio.run(run())


def test_a_broken_connection_stays_one() -> None:
    async def run() -> None:
        body = Body(RAW[:500], httpx.ReadError("reset"))
        response = await answer(body)

        with pytest.raises(httpx.ReadError, match="reset"):
            await response.aread()
        assert body.is_closed

    asyncio.run(run())


def test_a_connection_that_breaks_before_the_first_word_is_closed() -> None:
    async def run() -> None:
        body = Body(httpx.ReadError("reset"))

        with pytest.raises(httpx.ReadError, match="reset"):
            await answer(body)
        assert body.is_closed

    asyncio.run(run())
