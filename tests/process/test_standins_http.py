"""The loopback HTTP/1.1 of the stand-ins: keep-alive, streams, aborts, threads."""

from __future__ import annotations

import http.client
import json
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openclaude.standins.base.exchange import Chunk, Recorded, Reply
from openclaude.standins.base.nowhere import Nowhere
from openclaude.standins.base.standin import Standin

STREAM = (Chunk(content=b"one "), Chunk(content=b"two ", pause_s=0.01), Chunk(content=b"three"))
BIG = bytes(range(256)) * 128  # 300 times this is more than the kernel buffers


class Echo(Standin[Recorded]):
    """Answers according to the path."""

    name = "echo"

    def _inspect(self, request: Recorded) -> Recorded:
        return request

    def _reply(self, request: Recorded) -> Reply:
        match request.path:
            case "/stream":
                return Reply(headers=(("X-Case", "Kept"),), body=STREAM)
            case "/cut":
                return Reply(body=STREAM, cut=True)
            case "/cut-whole":
                return Reply(body=b"0123456789", cut=True)
            case "/cut-big":
                return Reply(body=(Chunk(content=BIG),) * 300, cut=True)
            case "/big":
                return Reply(body=(Chunk(content=BIG),) * 300)
            case "/hang-up":
                return Reply(cut=True)
            case "/slow":
                return Reply(body=(Chunk(content=b"first"), Chunk(content=b"never", pause_s=60)))
            case "/silent":
                return Reply(body=b"never", wait_s=60)
            case _:
                return Reply(body=request.body)


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as standin:
        yield standin


@pytest.fixture
def client(echo: Echo) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", echo.port, timeout=60)
    yield connection
    connection.close()


def raw(echo: Echo, request: bytes) -> socket.socket:
    """Return a connection that has sent these bytes."""
    line = socket.create_connection(("127.0.0.1", echo.port), timeout=60)
    line.sendall(request)
    return line


def received(line: socket.socket) -> bytes:
    """Return everything until the other side closes."""
    parts = []
    try:
        while part := line.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        parts.append(b"<reset>")
    line.close()
    return b"".join(parts)


def test_one_connection_carries_many_requests_in_their_order(
    echo: Echo, client: http.client.HTTPConnection
) -> None:
    took_s = []

    for number in range(300):
        begun = time.monotonic()
        client.request("POST", f"/{number}", body=str(number))
        assert client.getresponse().read() == str(number).encode()
        took_s.append(time.monotonic() - begun)

    # Nagle's algorithm would make it 40 ms for each but the first; a busy machine for some of them
    assert sorted(took_s[50:])[50] < 0.04
    assert [request.target for request in echo.requests] == [f"/{n}" for n in range(300)]
    assert echo.disconnects == 0


def test_pipelined_requests_are_answered_one_after_the_other(echo: Echo) -> None:
    one = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1"
    last = b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\n2"

    answers = received(raw(echo, one * 50 + last))

    assert answers.count(b"HTTP/1.1 200") == 51
    assert answers.endswith(b"\r\n\r\n2")


def test_a_request_is_recorded_as_it_was_sent(echo: Echo) -> None:
    sent = (
        b"POST /p%41th?b=2&a=1 HTTP/1.1\r\nhOST: x\r\nX-B: 1\r\nx-a: \xe9\r\nX-b: 2\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    before = time.monotonic()

    received(raw(echo, sent))

    (request,) = echo.requests
    assert (request.method, request.target, request.path) == ("POST", "/p%41th?b=2&a=1", "/p%41th")
    assert request.headers[:4] == (
        (b"hOST", b"x"),
        (b"X-B", b"1"),
        (b"x-a", b"\xe9"),
        (b"X-b", b"2"),
    )
    assert (request.header("X-B"), request.header("x-A"), request.header("x-c")) == ("1", "é", None)
    assert request.body == b"abcde"
    assert before <= request.at <= time.monotonic()


def test_a_stream_arrives_in_its_chunks(echo: Echo) -> None:
    line = raw(echo, b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    head, _, body = received(line).partition(b"\r\n\r\n")

    assert b"\r\nX-Case: Kept\r\n" in head
    assert body == b"4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n"


def test_a_cut_stream_has_every_chunk_and_no_end(echo: Echo) -> None:
    body = received(raw(echo, b"GET /cut HTTP/1.1\r\nHost: x\r\n\r\n")).partition(b"\r\n\r\n")[2]

    assert body.removesuffix(b"<reset>") == b"4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n"
    assert echo.disconnects == 0


def test_a_cut_waits_until_everything_before_it_was_sent(echo: Echo) -> None:
    line = raw(echo, b"GET /cut-big HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(0.2)  # the kernel's buffers are full by now, and the stand-in has to wait

    body = received(line).partition(b"\r\n\r\n")[2]

    assert len(body.removesuffix(b"<reset>")) == 300 * len(b"8000\r\n" + BIG + b"\r\n")


def test_a_cut_body_is_half_of_what_was_promised(
    echo: Echo, client: http.client.HTTPConnection
) -> None:
    client.request("GET", "/cut-whole")
    with pytest.raises(http.client.IncompleteRead) as caught:
        client.getresponse().read()

    assert caught.value.partial == b"01234"
    assert caught.value.expected == 5


def test_hanging_up_sends_not_even_a_status(echo: Echo) -> None:
    assert received(raw(echo, b"GET /hang-up HTTP/1.1\r\nHost: x\r\n\r\n")) in (b"", b"<reset>")


@pytest.mark.parametrize("path", ["/slow", "/silent"])
def test_a_client_that_leaves_early_is_counted(echo: Echo, path: str) -> None:
    line = raw(echo, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert echo.wait_until(lambda standin: len(standin.replies) == 1)

    line.close()

    assert echo.wait_until(lambda standin: standin.disconnects == 1)


def has_disconnects(count: int) -> Callable[[Echo], bool]:
    return lambda standin: standin.disconnects == count


def test_a_client_that_resets_while_it_is_sent_to_is_counted(echo: Echo) -> None:
    for count in range(1, 11):
        line = raw(echo, b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        line.recv(1)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()

        assert echo.wait_until(has_disconnects(count))


def test_a_client_that_leaves_during_its_upload_is_no_request(echo: Echo) -> None:
    raw(echo, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab").close()
    received(raw(echo, b"GET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))

    assert [request.target for request in echo.requests] == ["/after"]


def test_what_is_not_http_ends_the_connection_only(echo: Echo) -> None:
    assert received(raw(echo, b"what?\r\n\r\n")) in (b"", b"<reset>")
    assert received(raw(echo, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))


def test_head_has_no_body(echo: Echo, client: http.client.HTTPConnection) -> None:
    for _ in range(2):
        client.request("HEAD", "/", body="abc")
        reply = client.getresponse()
        assert (reply.status, reply.read()) == (200, b"")


def test_many_clients_are_answered_at_once(echo: Echo) -> None:
    lines = [raw(echo, b"GET /silent HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(200)]
    quick = raw(echo, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert received(quick).startswith(b"HTTP/1.1 200")
    for line in lines:
        line.close()
    assert echo.wait_until(lambda standin: standin.disconnects == 200)


# The hook ---------------------------------------------------------------------------------------


def test_an_answer_replaces_the_reply_or_leaves_it() -> None:
    def answer(request: Recorded) -> Reply | None:
        own = (("Content-Length", "3"), ("Date", "today"))
        return Reply(status=201, headers=own, body=b"own") if request.path == "/own" else None

    with Echo(answer=answer) as echo:
        client = http.client.HTTPConnection("127.0.0.1", echo.port, timeout=60)
        client.request("GET", "/own")
        own = client.getresponse()
        assert (own.status, own.read(), own.headers.get_all("date")) == (201, b"own", ["today"])
        client.request("POST", "/other", body="as usual")
        assert client.getresponse().read() == b"as usual"
        client.close()

        assert [reply.content for reply in echo.replies] == [b"own", b"as usual"]


def test_an_answer_may_block_and_others_are_answered_meanwhile() -> None:
    release = threading.Event()

    def answer(request: Recorded) -> Reply | None:
        if request.path == "/held":
            release.wait(10)
        return None

    with Echo(answer=answer) as echo:
        held = raw(echo, b"GET /held HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert echo.wait_until(lambda standin: len(standin.requests) == 1)
        assert received(raw(echo, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        release.set()

        assert received(held).startswith(b"HTTP/1.1 200")


def test_an_answer_that_fails_is_raised_when_the_standin_stops() -> None:
    def answer(request: Recorded) -> Reply | None:
        raise AssertionError(request.path)

    echo = Echo(answer=answer).start()
    line = raw(echo, b"GET /wrong HTTP/1.1\r\nHost: x\r\n\r\n")

    assert received(line) in (b"", b"<reset>")
    with pytest.raises(AssertionError, match="/wrong"):
        echo.stop()


# Starting, stopping, remembering ----------------------------------------------------------------


def test_stop_closes_the_port_and_what_is_open(echo: Echo) -> None:
    line = raw(echo, b"GET /silent HTTP/1.1\r\nHost: x\r\n\r\n")
    assert echo.wait_until(lambda standin: len(standin.replies) == 1)

    echo.stop()
    echo.stop()

    assert received(line) in (b"", b"<reset>")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", echo.port), timeout=60)
    assert echo.disconnects == 0
    assert not any(thread.name == "echo" for thread in threading.enumerate())


def test_stop_does_not_wait_for_a_client_that_does_not_read(echo: Echo) -> None:
    line = raw(echo, b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(0.2)  # the kernel's buffers are full by now

    echo.stop()

    assert len(received(line)) < 300 * len(BIG)


def test_a_stopped_standin_can_start_again_on_its_port() -> None:
    echo = Echo().start()
    port = echo.port
    echo.stop()

    with Echo(port=port) as again:
        assert again.url == f"http://127.0.0.1:{port}"


def test_a_taken_port_is_an_error_of_start(echo: Echo) -> None:
    with pytest.raises(OSError, match="in use"):
        Echo(port=echo.port).start()


def test_only_loopback_is_listened_on() -> None:
    with pytest.raises(ValueError, match="loopback only"):
        Echo(host="0.0.0.0")


def test_a_standin_that_is_not_started_has_no_url() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = Echo().url


def test_what_was_seen_can_be_forgotten_and_bounded(tmp_path: Path) -> None:
    with Echo(keep=2, record=tmp_path / "seen") as echo:
        for path in ("/a", "/b", "/c"):
            received(
                raw(echo, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            )
        assert [request.target for request in echo.requests] == ["/b", "/c"]
        echo.clear()
        assert (echo.requests, echo.replies) == ((), ())

    lines = (tmp_path / "seen").read_text().splitlines()
    assert [json.loads(line)["target"] for line in lines] == ["/a", "/b", "/c"]
    assert stat.S_IMODE((tmp_path / "seen").stat().st_mode) == 0o600


def test_waiting_for_what_does_not_come_ends(echo: Echo) -> None:
    assert not echo.wait_until(lambda standin: bool(standin.requests), timeout_s=0.05)


@pytest.mark.parametrize("target", ["api.anthropic.com:443", "http://example.com/x"])
def test_a_proxy_to_nowhere_refuses_every_host_at_once(target: str) -> None:
    with Nowhere() as proxy, socket.create_connection(("127.0.0.1", proxy.port), 10) as line:
        method = "GET" if target.startswith("http") else "CONNECT"
        line.sendall(f"{method} {target} HTTP/1.1\r\nHost: example.com\r\n\r\n".encode())

        assert line.recv(4096).startswith(b"HTTP/1.1 403 ")
    assert [request.target for request in proxy.requests] == [target]
