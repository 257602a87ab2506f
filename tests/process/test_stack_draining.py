"""How a changing stack is displayed: its draining processes, and the cause of each action."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from openclaude.contracts.plan import Plan
from openclaude.run.stack.client import socket_address
from openclaude.run.stack.folder import control_path
from openclaude.run.supervisor.reconcile import HANG_TIMEOUT_S
from tests.process.world import World, about, get, is_gone, is_whole, streaming, until

LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) [A-Z]+ (.*)")


def draining(world: World, pid: int) -> dict[str, Any] | None:
    """Return the row of a draining process."""
    rows: list[dict[str, Any]] = world.status()["draining"]
    return next((row for row in rows if row["pid"] == pid), None)


def log(world: World) -> list[str]:
    """Return what the supervisor has logged, without the times."""
    text = (world.folder() / "supervisor.log").read_text()
    return [found[2] for line in text.splitlines() if (found := LINE.fullmatch(line))]


@pytest.fixture
def main_port(world: World) -> int:
    """A stack that answers."""
    return world.up()


def restart(world: World, _: Callable[..., Plan]) -> str:
    world.run("restart")
    return "requested by `openclaude restart`"


def reload(world: World, plan: Callable[..., Plan]) -> str:
    world.keep(plan(main={"MARK": "changed"}))
    world.run("start")
    return r"its environment changed \(digest [0-9a-f]{8} -> [0-9a-f]{8}\)"


@pytest.mark.parametrize("how", [restart, reload])
def test_a_predecessor_is_seen_until_its_last_request_is_over(
    empty_world: World,
    plan: Callable[..., Plan],
    how: Callable[[World, Callable[..., Plan]], str],
) -> None:
    world = empty_world
    world.keep(plan())
    port = world.up()
    before = world.units()["main"]["pid"]

    with streaming(port, world.home) as stream:
        until(lambda: world.units()["main"]["in_flight"] == 1)
        cause = how(world, plan)
        row = draining(world, before)
        assert row is not None
        assert (row["name"], row["in_flight"]) == ("main", 1)
        assert re.fullmatch(cause, row["cause"])
        assert 0 <= row["state_s"] < 10
        assert 0 < row["kill_in_s"] <= HANG_TIMEOUT_S  # from its last heartbeat
        assert row["is_patient"]
        assert row["rss_bytes"] > 0
        assert world.units()["main"]["pid"] != before
        shown = [line.split() for line in world.run("status", "--processes").out.splitlines()]
        assert ["main", "draining", "-", str(before)] in [words[:4] for words in shown]
        assert is_whole(stream, stream.finish())

    until(lambda: is_gone(before))
    until(lambda: world.status()["draining"] == [])
    assert [line for line in log(world) if re.fullmatch(f"replace main: {cause}", line)]
    assert [line for line in log(world) if re.fullmatch(f"start main: {cause}", line)]


def test_a_stack_that_stops_shows_its_units_draining(world: World, main_port: int) -> None:
    before = world.units()

    with streaming(main_port, world.home) as stream, world.start("stop") as stopping:
        until(lambda: world.status()["is_stopping"])
        main = world.units()["main"]
        assert (main["state"], main["pid"]) == ("draining", before["main"]["pid"])
        assert main["in_flight"] == 1
        assert main["cause"] == "requested by `openclaude stop`"
        assert world.status()["draining"] == []  # a placeholder of a unit is displayed as the unit
        providers = until(lambda: stopped(world.units()["providers"]))
        assert (providers["pid"], providers["in_flight"]) == (None, 0)
        assert "main        draining" in world.run("status", "--processes").out
        assert is_whole(stream, stream.finish())
        assert stopping.wait(60) == 0

    assert log(world)[-1] == "end: requested by `openclaude stop`"


def stopped(unit: dict[str, Any]) -> dict[str, Any] | None:
    return unit if unit["state"] == "stopped" else None


def test_the_log_says_what_was_done_and_why(empty_world: World, plan: Callable[..., Plan]) -> None:
    empty_world.keep(plan()._replace(idle_sleep_s=1.0).sealed("tests"))
    port = empty_world.up()
    until(lambda: empty_world.units()["main"]["state"] == "asleep")
    with pytest.raises(http.client.RemoteDisconnected):
        get(port, "/crash")
    until(lambda: any("ended with exit status 3" in line for line in log(empty_world)))
    empty_world.run("stop")

    entries = log(empty_world)
    for line in (
        "start main: the stack was started",
        "sleep: no request for 1 s",
        "wake: a connection arrived",
        "start main: a connection arrived",
        "`main` ended with exit status 3",
        "start main: `main` ended with exit status 3",
        "end: requested by `openclaude stop`",
    ):
        assert line in entries, entries
    assert [line for line in entries if re.fullmatch(r"main is ready after \d+\.\d s", line)]


# Messages to a supervisor ---------------------------------------------------------------------

NONSENSE = [
    b"",
    b"\n",
    b"\xff\xfe\n",
    b"not JSON\n",
    b"[]\n",
    b"null\n",
    b'{"do": null}\n',
    b'{"do": ["join"]}\n',
    b'{"do": "join", "session": [1]}\n',
    b'{"do": "join", "session": [' + b"9" * 40 + b', "x"]}\n',
    b'{"do": "join", "session": [1, null]}\n',
    b'{"do": "join", "delay_s": NaN}\n',
    b'{"do": "join", "inherited": {"A": {}}}\n',
    b'{"do": "restart", "inherited": {"A": "\\u0000"}}\n',
    b'{"do": "reload"}\n',
    b"[" * 200_000 + b"\n",
    b'{"do": "join", "inherited": {"A": "' + b"x" * 10_000_000 + b'"}}\n',
]


def say(world: World, line: bytes) -> bytes:
    """Return a supervisor's answer to these bytes."""
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as answer:
        with socket_address(control_path(world.folder())) as address:
            connection.connect(address)
        sender = threading.Thread(target=send, args=(connection, line))
        sender.start()
        said = answer.readline()
        sender.join()
    return said


def send(connection: socket.socket, line: bytes) -> None:
    connection.sendall(line)
    connection.shutdown(socket.SHUT_WR)


def test_nonsense_is_refused_with_a_sentence_and_harms_nobody(world: World, main_port: int) -> None:
    record, units = world.record(), {name: one["pid"] for name, one in world.units().items()}

    answers = [say(world, line) for line in NONSENSE]

    assert answers[0] == b""  # a client that says nothing gets nothing
    for line, answer in zip(NONSENSE[1:], answers[1:], strict=True):
        error = json.loads(answer)["error"]
        assert error.startswith("control request"), (line[:60], error)
    assert world.record() == record
    assert {name: one["pid"] for name, one in world.units().items()} == units
    refused = [
        line for line in log(world) if line.startswith("refuse a control request: control request")
    ]
    assert len(refused) == len(NONSENSE) - 1


def test_a_plan_that_cannot_be_read_is_not_taken(world: World, main_port: int) -> None:
    before = world.units()["main"]["pid"]
    plan = world.folder() / "plan.json"
    plan.write_text(json.dumps({**json.loads(plan.read_text()), "port": "4000"}))

    answer = say(world, b'{"do": "reload", "inherited": {}}\n')

    assert json.loads(answer)["error"] == "plan: `port` must be a whole number, not text"
    assert world.units()["main"]["pid"] == before


@pytest.mark.parametrize("early", [b"", b"GET / HTTP/1.1\r\n"], ids=["silent", "half"])
def test_a_request_that_comes_late_is_answered_by_who_accepted_its_connection(
    world: World, early: bytes
) -> None:
    """A busy client may take a second from its connection to its request."""
    port = world.up()
    pid = about(port)["pid"]
    rest = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"[len(early) :]
    with socket.create_connection(("127.0.0.1", port), 30.0) as late:
        late.sendall(early)
        time.sleep(0.3)  # accepted

        assert world.run("restart").status == 0
        time.sleep(0.6)
        late.sendall(rest)
        with late.makefile("rb") as reply:
            told = reply.read()

    assert f'"pid": {pid}'.encode() in told
