"""LiteLLM's tokenizers are loaded when there is text to count, and only then: 39 MB each."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.misbehaviour import http_reply
from tests.process.replay import KEY, QUIRKS, Replayer, replayer

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}


class Noting(NamedTuple):
    """An instance, and the file in which it notes what it loads."""

    instance: Replayer
    loads: Path

    def ask(self, wanted: bytes) -> None:
        """Ask for a stream, read until these bytes are there, and leave."""
        body = {**json.loads((QUIRKS / "request.json").read_text()), "model": "openai"}
        connection = http.client.HTTPConnection("127.0.0.1", self.instance.port, timeout=60)
        with contextlib.closing(connection):
            asked = json.dumps({**body, "stream": True})
            connection.request("POST", "/v1/messages", asked, HEADERS)
            response = connection.getresponse()
            assert response.status == 200
            seen = b""
            while wanted not in seen:
                part = response.read1()
                assert part, seen
                seen += part
            response.close()


@pytest.fixture(scope="module")
def noting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Noting]:
    folder = tmp_path_factory.mktemp("tokenizers")
    loads = folder / "loads"
    loads.touch()
    app = "tests.process.tokenizer_loads:app"
    with replayer(folder, app=app, env={"TOKENIZER_LOADS": str(loads)}) as started:
        yield Noting(started, loads)


def streamed(*deltas: dict[str, str]) -> bytes:
    """A reply of a server like OpenAI's."""
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    choices: list[Any] = [{"index": 0, "delta": one, "finish_reason": None} for one in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    documents: list[Any] = [{**chunk, "choices": [one]} for one in choices]
    documents.append({**chunk, "choices": [], "usage": USAGE})
    raw = "".join(f"data: {json.dumps(one)}\n\n" for one in documents)
    return http_reply("openai", f"{raw}data: [DONE]\n\n".encode(), streams=True)


@pytest.mark.variants
def test_a_stream_loads_none_even_if_its_client_leaves_and_reasoning_loads_one(
    noting: Noting,
) -> None:
    replay = noting.instance.replay
    replay.reply = streamed(*({"content": f"word {at} "} for at in range(2000)))
    noting.ask(b"content_block_delta")
    noting.ask(b"message_stop")
    of_words = noting.loads.read_text()

    replay.reply = streamed({"reasoning_content": "hm, hm"}, {"content": "Hi"})
    noting.ask(b"message_stop")

    deadline = time.monotonic() + 60
    while not noting.loads.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)  # LiteLLM counts behind the reply
    assert (of_words, noting.loads.read_text()) == ("", "cl100k_base\n")
