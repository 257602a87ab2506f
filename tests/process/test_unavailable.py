"""The answers for an unavailable unit, in the supervisor's own loop: bounded for everyone."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaude.run.supervisor import unavailable
from openclaude.run.supervisor.unavailable import CONVERSATIONS, UnavailableAnswers
from tests.second_user import second_user

HEAD = b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:4000\r\nContent-Length: 3\r\n"


class Loop:
    """A selector, and answers on one listener."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.answers = UnavailableAnswers({"main": self.listener}, self.selector, "")
        self.answers.fail("main", "the secret `file:/home/alice/key` cannot be read")

    def connect(self, said: bytes = b"") -> socket.socket:
        """Connect a client, and send something."""
        client = socket.create_connection(self.listener.getsockname(), timeout=5)
        client.sendall(said)
        return client

    def go_round(self) -> None:
        """Do everything possible without waiting."""
        while ready := self.selector.select(0):
            for key, _ in ready:
                if key.fd in self.selector.get_map():
                    key.data()

    def ask(self, said: bytes) -> bytes:
        """Return the whole reply to one request."""
        with self.connect(said) as client:
            self.go_round()
            return client.recv(65536)


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.answers.end("main")
    made.selector.close()
    made.listener.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_request_is_read_to_its_end_and_answered(loop: Loop) -> None:
    with loop.connect(HEAD + b"\r\n{") as client:
        loop.go_round()
        client.sendall(b"}\n")
        loop.go_round()

        assert client.recv(65536).startswith(b"HTTP/1.1 424 Failed Dependency\r\n")


def test_thousands_of_connections_take_no_more_than_their_share(loop: Loop) -> None:
    before, threads = descriptors(), threading.active_count()
    with contextlib.ExitStack() as clients:
        for _ in range(10):
            for _ in range(60):
                clients.enter_context(loop.connect(b"G"))
            loop.go_round()

        ours = descriptors() - before - 600
        assert ours == CONVERSATIONS
        assert threading.active_count() == threads
        assert loop.ask(HEAD + b"\r\n{}\n").startswith(b"HTTP/1.1 424")


def test_another_user_gets_nothing(loop: Loop) -> None:
    with second_user():
        theirs = loop.connect()
    loop.go_round()

    with contextlib.suppress(OSError):  # cut, with its request or before it
        theirs.sendall(HEAD + b"\r\n{}\n")
        loop.go_round()
        assert theirs.recv(65536) == b""
    assert not loop.answers.servers["main"].conversations
    theirs.close()


@pytest.mark.parametrize(
    "line",
    [b"Host: evil.example", b"Origin: https://evil.example", b"Sec-Fetch-Site: cross-site"],
)
def test_a_page_in_a_browser_is_told_no_path(loop: Loop, line: bytes) -> None:
    head = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:4000\r\n" if b"Host" not in line else b"GET / X\r\n"

    reply = loop.ask(head + line + b"\r\n\r\n")

    assert reply.startswith(b"HTTP/1.1 404")
    assert b"alice" not in reply


def test_who_says_nothing_is_let_go_when_the_time_is_up(loop: Loop) -> None:
    with loop.connect(b"GET") as client:
        loop.go_round()
        assert 0 < loop.answers.due - time.monotonic() <= unavailable.PATIENCE_S

        loop.answers.end_late(time.monotonic() + unavailable.PATIENCE_S)

        assert client.recv(1) == b""
        assert loop.answers.due == float("inf")


def test_a_head_without_end_is_not_kept(loop: Loop) -> None:
    with loop.connect() as client, contextlib.suppress(ConnectionError):
        for _ in range(4):
            client.sendall(b"x" * 32768)
            loop.go_round()
    assert not loop.answers.servers["main"].conversations


def test_without_a_descriptor_left_the_oldest_makes_room(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loop.connect(b"G") as first, loop.connect(b"G") as second:
        loop.go_round()
        server = loop.answers.servers["main"]
        real = server.listener

        class Full:
            def accept(self) -> None:
                raise OSError(24, os.strerror(24))

        monkeypatch.setattr(server, "listener", Full())
        server.accept()
        monkeypatch.setattr(server, "listener", real)

        assert first.recv(1) == b""
        second.setblocking(False)
        with pytest.raises(BlockingIOError):
            second.recv(1)
