"""What other users of the machine, and thousands of their connections, can do to a stack: nothing.

Its supervisor owns the port to which claude sends the plan's login: a user who could end it could
bind that port himself.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import socket
import time
from collections.abc import Callable

import pytest

from openclaude.contracts.plan import Plan
from tests.process.world import World, about, get, stopped, until
from tests.second_user import second_user

FLOOD = 300
DESCRIPTORS = 128  # for the supervisor: fewer than the connections of the flood


@pytest.fixture
def failed(empty_world: World, plan: Callable[..., Plan]) -> World:
    """A stack whose `providers` has failed, and whose supervisor may open only a few files."""
    made = plan()
    units = tuple(
        unit._replace(secrets={"OPENCLAUDE_SECRET_1": "file:/no/such/key"})
        if unit.name == "providers"
        else unit
        for unit in made.units
    )
    empty_world.keep(made._replace(units=units).sealed("tests"))
    assert empty_world.run("start").status == 0
    until(lambda: empty_world.units()["providers"]["state"] == "failed")
    until(lambda: empty_world.units()["main"]["state"] == "ready")
    supervisor = empty_world.record()["pid"]
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    return empty_world


def asked(world: World, question: bytes) -> bytes:
    """Return the answer to a message on the control socket."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(str(world.folder() / "control.sock"))
        with contextlib.suppress(BrokenPipeError):
            line.sendall(question)
        return line.recv(65536)


def test_a_supervisor_outlives_floods_and_nonsense(failed: World) -> None:
    record = failed.record()
    refusing = ("127.0.0.1", record["port"] + 1)
    with contextlib.ExitStack() as flood:
        with second_user():
            for _ in range(FLOOD):
                flood.enter_context(socket.create_connection(refusing))
        for _ in range(FLOOD):
            connection = flood.enter_context(socket.create_connection(refusing))
            connection.send(b"G")

        assert failed.status()["pid"] == record["pid"]
        answer = json.loads(get(record["port"] + 1))
        assert "the secret `file:/no/such/key` cannot be read" in answer["error"]["message"]

    for question in (b'{"do":"join","session":[1]}\n', b"[" * 200_000 + b"\n", b"\xff\n", b"{}\n"):
        assert b'"error"' in asked(failed, question)
    assert failed.status()["pid"] == record["pid"]
    assert about(record["port"])["pid"] == failed.units()["main"]["pid"]


def test_another_user_is_cut_off_before_a_byte_of_his_is_read(failed: World) -> None:
    port = failed.record()["port"]
    with second_user():
        theirs = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with contextlib.suppress(ConnectionError):  # that early, or at the answer
            theirs.request("GET", "/")
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            theirs.getresponse()
        theirs.close()

    # the answer is only for users who could open the folder, too; here every user can
    for folder in [failed.root, *reversed(failed.folder().parents[:6]), failed.folder()]:
        folder.chmod(0o755)
    (failed.folder() / "control.sock").chmod(0o666)
    with second_user(), contextlib.suppress(ConnectionError):
        assert asked(failed, b'{"do":"stop"}\n') == b""

    assert "another user asks it" in (failed.folder() / "supervisor.log").read_text()
    assert about(port)["pid"] == failed.units()["main"]["pid"]


FAULTY = """
from openclaude.run.supervisor.sessions import Sessions
from openclaude.run.supervisor.controller import UnitController

def now_and_then(real):
    faults = [IndexError, RecursionError, OSError] * 2
    def call(*arguments):
        if faults:
            raise faults.pop()("x")
        return real(*arguments)
    return call

Sessions.forget_ended = now_and_then(Sessions.forget_ended)
UnitController.reconcile = now_and_then(UnitController.reconcile)
UnitController.on_heartbeat = now_and_then(UnitController.on_heartbeat)
"""


def test_a_fault_of_its_own_is_told_and_survived(world: World) -> None:
    world.patch_supervisor(FAULTY)

    port = world.up()

    assert about(port)["pid"] == world.units()["main"]["pid"]
    told = (world.folder() / "supervisor.log").read_text()
    for what in ("counting sessions", "doing what is due", "hearing what was said"):
        assert f"{what} failed, which is a bug; the stack goes on:\nTraceback" in told
    assert world.run("stop").status == 0
    assert world.processes() == []


def test_no_process_of_a_stack_may_leave_a_core(world: World) -> None:
    world.up()
    status = world.status()
    pids = [status["pid"], *(unit["pid"] for unit in status["units"])]

    assert [resource.prlimit(pid, resource.RLIMIT_CORE) for pid in pids] == [(1, 1)] * 3


def test_a_supervisor_that_was_stopped_kills_no_healthy_unit(world: World) -> None:
    world.patch_supervisor("reconcile.HANG_TIMEOUT_S = 8.0\n")
    port = world.up()
    before = about(port)["pid"]

    with stopped(world.record()["pid"]):
        time.sleep(12)  # longer than a unit may be silent

    assert world.units()["main"]["pid"] == before
    assert about(port)["pid"] == before
