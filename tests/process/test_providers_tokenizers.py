"""LiteLLM's tokenizers are loaded when there is text to count, and only then: 39 MB each."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.misbehaviour import http_reply, say
from tests.process.replay import KEY, QUIRKS, Replayer, replayer
from tests.unit.gateway.replies.upstreams import End, Said, Words

HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}


class Noting(NamedTuple):
    """An instance, and the file in which it notes what it loads."""

    instance: Replayer
    loads: Path

    def ask(self, path: str, **more: object) -> http.client.HTTPResponse:
        """Send a request and return its reply, unread."""
        body = {**json.loads((QUIRKS / "request.json").read_text()), "model": "openai", **more}
        connection = http.client.HTTPConnection("127.0.0.1", self.instance.port, timeout=60)
        connection.request("POST", path, json.dumps(body), HEADERS)
        return connection.getresponse()


@pytest.fixture(scope="module")
def noting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Noting]:
    folder = tmp_path_factory.mktemp("tokenizers")
    loads = folder / "loads"
    loads.touch()
    app = "tests.process.tokenizer_loads:app"
    with replayer(folder, app=app, env={"TOKENIZER_LOADS": str(loads)}) as started:
        yield Noting(started, loads)


def test_a_stream_loads_none_even_if_its_client_leaves(noting: Noting) -> None:
    said: list[Said] = [*(Words("word ") for _ in range(2000)), End()]
    noting.instance.replay.reply = http_reply(
        "openai", say("openai", said, streams=True), streams=True
    )

    left = noting.ask("/v1/messages", stream=True)
    assert left.status == 200
    assert b"message_start" in left.read(200)
    left.close()
    whole = noting.ask("/v1/messages", stream=True)
    assert b"message_stop" in whole.read()

    assert noting.loads.read_text() == ""


def test_a_request_to_count_loads_one(noting: Noting) -> None:
    assert noting.ask("/v1/messages/count_tokens").status == 200

    assert noting.loads.read_text() != ""
