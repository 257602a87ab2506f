"""Which process is at the other end of a connection."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from openclaude.run.os import peers
from openclaude.run.os.peers import Address, ask_kernel, is_foreign, is_strange, look_up
from tests.second_user import NOBODY, second_user

Look = Callable[[Address, Address], int | None]
WAYS = pytest.mark.parametrize("look", [ask_kernel, look_up])


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


@WAYS
def test_a_connection_is_its_users(listener: socket.socket, look: Look) -> None:
    with second_user():
        theirs = socket.create_connection(listener.getsockname())
    with theirs, socket.create_connection(listener.getsockname()) as ours:
        first, second = listener.accept(), listener.accept()

        assert look(theirs.getsockname(), listener.getsockname()) == NOBODY
        assert look(ours.getsockname(), listener.getsockname()) == 0
        assert first[1] == theirs.getsockname()
        first[0].close()
        second[0].close()


@WAYS
def test_what_was_closed_is_nobodys(listener: socket.socket, look: Look) -> None:
    with second_user(), socket.create_connection(listener.getsockname()) as theirs:
        accepted, peer = listener.accept()
        theirs.close()

    # root's, as the kernel used to report for a socket without a process
    assert look(peer, listener.getsockname()) is None
    assert is_foreign(peer, listener.getsockname())
    accepted.close()


def test_a_client_that_has_only_said_all_it_has_is_still_there(listener: socket.socket) -> None:
    with socket.create_connection(listener.getsockname()) as ours:
        accepted, peer = listener.accept()
        ours.shutdown(socket.SHUT_WR)

        assert not is_foreign(peer, listener.getsockname())
        accepted.close()


@WAYS
def test_who_listens_on_a_port_that_a_client_has_left_is_not_the_client(
    listener: socket.socket, look: Look
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as another:
        assert look(another.getsockname(), listener.getsockname()) is None


def test_an_ipv4_client_on_an_ipv6_socket_is_found(listener: socket.socket) -> None:
    with socket.socket(socket.AF_INET6) as client:
        client.connect(("::ffff:127.0.0.1", listener.getsockname()[1]))
        accepted, peer = listener.accept()

        assert ask_kernel(peer, listener.getsockname()) == 0
        assert look_up(peer, listener.getsockname()) == 0
        accepted.close()


@pytest.mark.parametrize(("can_look_up", "foreign"), [(True, True), (False, False)])
def test_without_netlink_the_table_is_read_and_without_both_the_key_decides(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, can_look_up: bool, foreign: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("not in this container")

    monkeypatch.setattr(peers, "ask_kernel", refuse)
    if not can_look_up:
        monkeypatch.setattr(peers, "look_up", refuse)
    with second_user():
        theirs = socket.create_connection(listener.getsockname())
    accepted, peer = listener.accept()

    assert is_foreign(peer, listener.getsockname()) is foreign
    accepted.close()
    theirs.close()


def test_a_unix_socket_tells_who_connected() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0openclaude-test-peers")
        listener.listen()
        with second_user(), socket.socket(socket.AF_UNIX) as theirs:
            theirs.connect("\0openclaude-test-peers")
        with socket.socket(socket.AF_UNIX) as ours:
            ours.connect("\0openclaude-test-peers")
            first, second = listener.accept()[0], listener.accept()[0]

            assert [is_strange(first), is_strange(second)] == [True, False]
            first.close()
            second.close()
