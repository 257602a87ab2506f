"""A further port: shared by two instances of one stack for a moment, never by two stacks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from openclaude.contracts.decode import Malformed
from openclaude.contracts.worker import FurtherPort, further_port_in
from openclaude.run.worker.further_port import open_further

pytestmark = pytest.mark.reaches_out


class Lacking(list[tuple[int, str]]):
    """Which ports an instance says it lacks, and why."""

    def note(self, port: int, reason: str) -> None:
        """Be told."""
        self.append((port, reason))


def none_lacks(port: int, reason: str) -> None:
    """Fail: nothing is missing."""
    pytest.fail(f"{port}: {reason}")


@pytest.fixture
def said() -> Lacking:
    """What an instance says it lacks."""
    return Lacking()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def held(said: Lacking) -> Iterator[tuple[int, str]]:
    """A port that another instance serves, and says of which stack it is."""
    port = free_port()
    (listener,) = open_further(FurtherPort(port=port, owner="one"), said.note)

    def answer() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                line.recv(4096)
                line.sendall(b"HTTP/1.1 404 Not Found\r\nx-openclaude-stack: one\r\n\r\n")

    threading.Thread(target=answer, daemon=True).start()
    yield port, "one"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_the_next_instance_of_a_stack_has_its_port_at_once(
    held: tuple[int, str], said: Lacking
) -> None:
    port, owner = held

    (second,) = open_further(FurtherPort(port=port, owner=owner), said.note)

    assert second.getsockname() == ("127.0.0.1", port)
    assert said == []
    second.close()


def test_another_stack_gets_no_part_of_it(held: tuple[int, str], said: Lacking) -> None:
    port, _ = held

    assert open_further(FurtherPort(port=port, owner="two"), said.note) == []
    assert said == [(port, "another profile's proxies show theirs there")]


def test_the_port_of_another_program_is_left_to_it(said: Lacking) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        assert open_further(FurtherPort(port=port, owner="one"), said.note) == []

    assert said == [(port, "another program listens there")]


def test_a_unit_without_one_has_none() -> None:
    assert further_port_in("") is None
    assert open_further(None, none_lacks) == []


def test_the_owner_of_a_port_says_nothing_of_where_a_stack_is() -> None:
    found = further_port_in("9464 /home/me/state dir/stacks/qwen")

    assert found is not None
    assert (found.port, len(found.owner)) == (9464, 16)
    assert found.owner.isalnum()
    assert found != further_port_in("9464 /home/me/state dir/stacks/other")


@pytest.mark.parametrize("text", ["9464", "x /home", " "])
def test_a_variable_that_says_neither_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        further_port_in(text)
