"""A pooled connection that died meanwhile is replaced, and no live server is asked twice."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from openclaude.compile.compiler import compile_plan
from openclaude.models.catalog import Catalog
from openclaude.paths import find_places
from openclaude.profile.library import Library
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e import raw
from tests.e2e.conftest import Build
from tests.e2e.house import login_headers, question
from tests.e2e.instances import MAIN_KEY, instances
from tests.process.conftest import free_pair

PROFILE = """
schema = 1

[tiers.haiku]
model = "openai/gpt-4.1-mini"
api_base = "{url}/v1"
api_key = "env:OPENAI_API_KEY"

[anthropic]
auth = "api-key"
base_url = "{url}"

[listen]
port = {port}
"""
KEYS = {"OPENAI_API_KEY": "sk-CANARY-openai", "ANTHROPIC_API_KEY": "sk-CANARY-anthropic"}
CHAT = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "FINE"}}
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "FINE"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
ABORT = struct.pack("ii", 1, 0)  # closing sends a reset (socket(7), SO_LINGER)
CLAUDE, SLOT = MODELS = ["claude-opus-5-5", "openclaude-haiku"]
# Calls where a request meets the end of its connection: claude would ask Anthropic again itself,
# and for a provider's model another one may stand in
CLOSED = {CLAUDE: 2, SLOT: 1}
HEADERS = (
    (b"x-litellm-api-key", MAIN_KEY.encode()),
    (b"content-type", b"application/json"),
    (b"anthropic-version", b"2023-06-01"),
)


class Fickle:
    """A server that does to each connection's first request, and to its later ones, what it is
    told; it counts the requests that it read to the end."""

    def __init__(self) -> None:
        self.first = self.later = "answer"
        self.calls = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            is_first = True
            while reader.peek(1):
                behaviour = self.first if is_first else self.later
                is_first = False
                if behaviour == "reset":  # a NAT that forgot
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
                    return
                if not self._answer(connection, reader, behaviour):
                    return

    def _answer(self, connection: socket.socket, reader: io.BufferedReader, behaviour: str) -> bool:
        head = b"".join(iter(reader.readline, b"\r\n"))
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length
        reader.read(int(length[1]))
        self.calls += 1
        time.sleep(6.0 if behaviour == "slow" else 0.0)
        connection.sendall(b"H" if behaviour == "byte" else b"")
        if behaviour != "answer":
            return False
        body = json.dumps(CHAT if b"/chat/completions" in head else MESSAGE).encode()
        connection.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body)
        )
        return True

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="module")
def upstream() -> Iterator[Fickle]:
    """Both upstreams in one."""
    server = Fickle()
    yield server
    server.close()


@pytest.fixture(scope="module")
def port(upstream: Fickle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """main's port, of two instances that ask it."""
    home = tmp_path_factory.mktemp("home")
    places = find_places({"HOME": str(home)})
    places.profiles.mkdir(parents=True)
    text = PROFILE.format(url=f"http://127.0.0.1:{upstream.port}", port=free_pair())
    (places.profiles / "there.toml").write_text(text)
    catalog = Catalog.bundled()
    library = Library(places.profiles, places.shipped, catalog=catalog)
    profile = library.load("there", env={}).profile
    plan = compile_plan("there", profile, catalog.find, made_by="tests")
    with instances(plan, tmp_path_factory.mktemp("stack"), {"HOME": str(home), **KEYS}) as found:
        yield found


def ask(port: int, model: str) -> int:
    """The status of a reply."""
    return raw.ask(port, HEADERS, question("hi", model=model)).status


@pytest.fixture
def pooled(port: int, upstream: Fickle) -> int:
    """Return the same port once each route has a connection in its pool, with nothing counted."""
    upstream.first = upstream.later = "answer"
    for model in MODELS:
        assert ask(port, model) == 200
    upstream.calls = 0
    return port


@pytest.mark.parametrize("model", MODELS)
def test_a_pooled_connection_that_died_costs_nothing(
    pooled: int, upstream: Fickle, model: str
) -> None:
    upstream.later = "reset"

    statuses = [ask(pooled, model) for _ in range(8)]

    assert statuses == [200] * 8
    assert upstream.calls == 8


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("first", "later", "calls"),
    [
        ("answer", "close", CLOSED),  # as a server that closes idle connections looks from here
        ("answer", "byte", 1),  # it had begun to answer
        ("answer", "slow", 1),  # it may have worked on it
        ("close", "close", CLOSED),  # once more at most
    ],
)
def test_who_may_have_taken_a_request_is_not_asked_again(
    pooled: int, upstream: Fickle, model: str, first: str, later: str, calls: int | dict[str, int]
) -> None:
    upstream.first, upstream.later = first, later
    expected = calls[model] if isinstance(calls, dict) else calls

    status = ask(pooled, model)

    assert upstream.calls == expected
    assert (status == 200) is (first == "answer" and expected == 2)


@pytest.mark.parametrize("model", MODELS)
def test_a_fresh_connection_that_is_cut_is_not_tried_again(
    pooled: int, upstream: Fickle, model: str
) -> None:
    upstream.first = upstream.later = "reset"
    ask(pooled, model)  # empties the pool
    upstream.first = "close"
    upstream.calls = 0

    status = ask(pooled, model)

    assert status != 200
    assert upstream.calls == 1


def test_a_providers_that_is_killed_with_a_request_in_hand_costs_claude_nothing(
    build_house: Build, bedrock: BedrockStandin
) -> None:
    with build_house("killed") as house:
        assert house.command("start", "--wait").code == 0, house.logs()
        record = house.record()
        headers = raw.with_key(login_headers(house.canaries.oauth), record["main_key"])
        body = question(script.wait(6) + script.say("FINE"), model="openclaude-haiku")
        with ThreadPoolExecutor() as pool:
            reply = pool.submit(raw.ask, record["port"], headers, body)
            deadline = time.monotonic() + 30.0
            while not bedrock.requests and time.monotonic() < deadline:
                time.sleep(0.05)
            os.kill(house.pids()["providers"], signal.SIGKILL)

            assert reply.result().status == 200
            assert len(bedrock.requests) == 2
