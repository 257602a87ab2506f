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


@pytest.fixture
def said() -> list[str]:
    """What an instance warns of."""
    return []


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def held(said: list[str]) -> Iterator[tuple[int, str]]:
    """A port that another instance serves, and says of which stack it is."""
    port = free_port()
    (listener,) = open_further(FurtherPort(port=port, owner="one"), said.append)

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
    held: tuple[int, str], said: list[str]
) -> None:
    port, owner = held

    (second,) = open_further(FurtherPort(port=port, owner=owner), said.append)

    assert second.getsockname() == ("127.0.0.1", port)
    assert said == []
    second.close()


def test_another_stack_gets_no_part_of_it(held: tuple[int, str], said: list[str]) -> None:
    port, _ = held

    assert open_further(FurtherPort(port=port, owner="two"), said.append) == []
    assert said == [
        f"no figures are shown on port {port}: another stack shows its own there",
    ]


def test_the_port_of_another_program_is_left_to_it(said: list[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        assert open_further(FurtherPort(port=port, owner="one"), said.append) == []

    assert said == [f"no figures are shown on port {port}: Address already in use"]


def test_a_unit_without_one_has_none() -> None:
    assert further_port_in("") is None
    assert open_further(None, pytest.fail) == []


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
