"""A stack without requests: it sleeps, wakes, lingers and ends; and how it survives violence."""

from __future__ import annotations

import hmac
import http.server
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from openclaude.contracts.plan import Plan
from openclaude.run.os.probe import is_ours
from tests.conftest import NOWHERE
from tests.process.world import World, about, is_gone, until

MIB = 1024 * 1024


@pytest.fixture
def tired(empty_world: World, plan: Callable[..., Plan]) -> World:
    """A world whose stack sleeps after a second without a request."""
    empty_world.keep(plan()._replace(idle_sleep_s=1.0).sealed("tests"))
    return empty_world


def states(world: World) -> set[str]:
    return {unit["state"] for unit in world.units().values()}


def is_asleep(world: World) -> bool:
    return states(world) == {"asleep"}


def pss(pid: int) -> int:
    """Return the memory of a process in bytes; shared memory is counted proportionally."""
    return psutil.Process(pid).memory_full_info().pss


def test_an_idle_stack_leaves_memory_and_keeps_its_ports(tired: World) -> None:
    port = tired.up()
    until(lambda: is_asleep(tired))
    until(lambda: len(tired.processes()) == 1)

    assert pss(tired.record()["pid"]) < 25 * MIB
    assert tired.status()["preloader"] is None
    assert about(port)["pid"]
    said = (tired.folder() / "supervisor.log").read_text()
    assert "wake: a connection arrived" in said  # it may be asleep again by now


def test_many_connections_at_once_wake_a_stack_and_all_are_served(tired: World) -> None:
    port = tired.up()
    until(lambda: is_asleep(tired))
    until(lambda: len(tired.processes()) == 1)  # until then, the leaving one may still answer
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(about(port))) for _ in range(16)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({answer["pid"] for answer in answers}) == 1
    assert len(answers) == 16


def test_a_launch_wakes_a_stack_before_claude_asks_for_anything(tired: World) -> None:
    tired.up()
    until(lambda: is_asleep(tired))
    tired.tell_claude(sleep_s=2.0)

    with tired.start("-p") as session:
        until(lambda: states(tired) == {"ready"})
        session.kill()


def test_a_request_under_way_keeps_a_stack_awake(tired: World) -> None:
    import http.client

    port = tired.up()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("GET", "/stream?50")  # 2.5 s, longer than the stack waits
    reply = line.getresponse()

    lines = reply.read().splitlines()

    line.close()
    assert len(lines) == 50
    assert len({text.split()[1] for text in lines}) == 1


def test_a_stack_ends_by_itself_when_its_last_session_has(
    empty_world: World, plan: Callable[..., Plan]
) -> None:
    empty_world.keep(plan()._replace(linger_s=1.0).sealed("tests"))
    empty_world.tell_claude(sleep_s=120)
    with empty_world.start("-p") as first, empty_world.start("-p") as second:
        until(lambda: len(empty_world.status()["sessions"]) == 2)
        first.kill()
        until(lambda: len(empty_world.status()["sessions"]) == 1)
        time.sleep(1.5)
        assert empty_world.status()["sessions"][0]["pid"] == second.pid

        second.kill()

    until(lambda: not empty_world.processes())
    assert not (empty_world.folder() / "stack.json").exists()


def test_an_ephemeral_launch_leaves_no_stack_unless_another_has_joined(world: World) -> None:
    world.tell_claude(sleep_s=120)
    with world.start("--ephemeral", "-p") as first:
        until(lambda: len(world.status()["sessions"]) == 1)
        first.kill()
    until(lambda: not world.processes())
    assert not (world.folder() / "stack.json").exists()

    with world.start("--ephemeral", "-p") as first, world.start("-p") as second:
        until(lambda: len(world.status()["sessions"]) == 2)
        first.kill()
        second.kill()
        until(lambda: world.status()["sessions"] == [])
        assert world.status()["is_stopping"] is False


def test_a_session_is_registered_before_claude_runs(world: World) -> None:
    world.tell_claude(sleep_s=120)
    with world.start("-p") as session:
        until(world.heard)

        assert [row["pid"] for row in world.status()["sessions"]] == [session.pid]
        session.send_signal(signal.SIGKILL)

    until(lambda: world.status()["sessions"] == [])


def test_a_started_stack_has_no_session(world: World) -> None:
    world.up()

    assert world.status()["sessions"] == []


@pytest.mark.parametrize("name", ["idle_sleep", "linger"])
def test_the_times_come_from_the_profile(empty_world: World, name: str) -> None:
    empty_world.write_profile("mine", f'schema = 1\nextends = "base"\n[stack]\n{name} = "90s"\n')

    compiled = empty_world.json("compile", "--profile", "mine")["data"]["files"]["plan.json"]

    assert f'"{name}_s": 90.0' in compiled


# Violence -----------------------------------------------------------------------------------------


def test_a_unit_that_hangs_is_replaced(empty_world: World, plan: Callable[..., Plan]) -> None:
    empty_world.keep(plan())
    empty_world.patch_supervisor("reconcile.HANG_TIMEOUT_S = 1.0\n")
    port = empty_world.up()
    before = about(port)["pid"]

    os.kill(before, signal.SIGSTOP)

    assert until(lambda: about(port)["pid"]) != before
    assert is_gone(before)


def test_a_preloader_that_is_killed_harms_nobody_and_comes_back(world: World) -> None:
    port = world.up()
    if world.method == "spawn":
        assert world.status()["preloader"] is None
        return
    before, unit = world.status()["preloader"]["pid"], about(port)["pid"]

    os.kill(before, signal.SIGKILL)

    assert about(port)["pid"] == unit
    until(lambda: (world.status()["preloader"] or {}).get("pid") not in {None, before})
    os.kill(unit, signal.SIGKILL)
    assert about(port)["pid"] != unit


SLUGGISH = """
import time
quick = supervisor.Supervisor.sleep_s
def slow(self):
    time.sleep(0.3)
    return quick(self)
supervisor.Supervisor.sleep_s = slow
"""


def test_a_unit_is_back_at_once_when_a_busy_supervisor_hears_of_its_end_twice(
    empty_world: World, plan: Callable[..., Plan]
) -> None:
    empty_world.keep(plan())
    empty_world.patch_supervisor(SLUGGISH)
    port = empty_world.up()
    before, preloader = about(port)["pid"], empty_world.status()["preloader"]

    os.kill(before, signal.SIGKILL)  # its pipe closes, and the forkserver reports how it ended

    assert until(lambda: about(port)["pid"]) != before
    after = empty_world.status()["preloader"]
    assert (after or {}).get("pid") == (preloader or {}).get("pid")


@pytest.mark.parametrize(
    "fault",
    [{"preload_environment": {"PYTHONPATH": NOWHERE}}, {"before_fork": ("stub_unit:nothing",)}],
    ids=["no-application", "not-forkable"],
)
def test_a_preloader_that_cannot_start_gives_way_to_fresh_processes(
    empty_world: World, plan: Callable[..., Plan], fault: dict[str, Any]
) -> None:
    empty_world.expects_fallback = True
    empty_world.keep(plan()._replace(**fault).sealed("tests"))

    port = empty_world.up()

    assert about(port)["pid"]
    assert empty_world.status()["start_method"] == "spawn"
    log = (empty_world.folder() / "supervisor.log").read_text()
    assert empty_world.method == "spawn" or "`forkserver` ended with exit status 1" in log


def test_a_preloader_that_cannot_even_be_made_gives_way_too(world: World) -> None:
    world.expects_fallback = True
    (world.folder() / "preloader.log").mkdir(parents=True)  # it cannot open its log

    port = world.up()

    assert about(port)["pid"]
    assert world.status()["start_method"] == "spawn"


def test_a_method_that_does_not_exist_is_refused(world: World) -> None:
    done = world.run("start", env={**world.env, "OPENCLAUDE_START_METHOD": "thread"})

    assert (done.status, done.err) == (
        2,
        "error: OPENCLAUDE_START_METHOD is `thread`\n\nhint: it can be `fork` or `spawn`\n",
    )


def test_a_unit_that_is_late_is_excused_with_a_time_to_come_again(
    empty_world: World, plan: Callable[..., Plan]
) -> None:
    import http.client

    gate = empty_world.home / "gate"
    empty_world.keep(plan(main={"STUB_GATE": str(gate)}))
    empty_world.patch_supervisor("reconcile.LATE_S = 0.5\n")
    empty_world.run("start")
    port = empty_world.status()["port"]

    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("POST", "/v1/messages", b"{}")
    reply = line.getresponse()

    assert (reply.status, reply.headers["retry-after"]) == (503, "5")
    assert b"still starting" in reply.read()
    line.close()
    gate.touch()
    until(lambda: empty_world.units()["main"]["state"] == "ready")
    assert about(port)["pid"]


def test_another_version_takes_the_sockets_over_while_clients_knock(world: World) -> None:
    ours = world.program.read_text()
    world.patch_supervisor("supervisor.__version__ = '0.0.1'\n")
    port = world.up()
    before = world.record()
    world.program.write_text(ours)
    world.tell_claude(sleep_s=120)
    refused: list[str] = []
    ended = threading.Event()

    def knock() -> None:
        while not ended.is_set():
            try:
                about(port)
            except OSError as error:
                refused.append(repr(error))

    thread = threading.Thread(target=knock)
    thread.start()
    with world.start("-p") as session:
        until(lambda: is_gone(before["pid"]))
        until(lambda: states(world) == {"ready"})
        ended.set()
        thread.join()
        assert [row["pid"] for row in world.status()["sessions"]] == [session.pid]
        session.kill()

    assert refused == []
    assert world.record()["main_key"] == before["main_key"]
    assert world.record()["version"] != "0.0.1"


# Who owns the ports -------------------------------------------------------------------------------


class Answering:
    """An HTTP server on a given port that gives every request the same answer."""

    def __init__(self, port: int, answer: Callable[[str], str]) -> None:
        def do_GET(handler: Any) -> None:  # noqa: N802 - the name that http.server calls
            said = answer(handler.headers.get("x-openclaude-nonce", "")).encode()
            handler.send_response(200)
            handler.send_header("content-length", str(len(said)))
            handler.end_headers()
            handler.wfile.write(said)

        quiet = {"do_GET": do_GET, "log_message": lambda *_: None}
        handler = type("Handler", (http.server.BaseHTTPRequestHandler,), quiet)
        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.thread = threading.Thread(target=self.listener.serve_forever, args=(0.02,))

    def __enter__(self) -> Answering:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown()
        self.thread.join()
        self.listener.server_close()


def proof(key: str, nonce: str) -> str:
    return hmac.new(key.encode(), f"openclaude {nonce}".encode(), "sha256").hexdigest()


def test_a_port_is_judged_by_who_answers_on_it(port: int) -> None:
    with Answering(port, lambda nonce: proof("right", nonce)):
        assert is_ours(port, "right")
        assert not is_ours(port, "wrong")
    with Answering(port, lambda _nonce: proof("right", "an earlier nonce")):
        assert not is_ours(port, "right")
    assert not is_ours(port, "right")


def test_a_stranger_on_the_port_of_a_stack_that_died_is_not_waited_for(world: World) -> None:
    port = world.up()
    os.kill(world.record()["pid"], signal.SIGKILL)
    until(lambda: not world.processes())

    world.patch_client("from openclaude.run.launcher import start; start.ORPHAN_TIMEOUT_S = 86_400")

    key = world.record()["main_key"]
    with Answering(port, lambda _nonce: "a stranger"):
        assert world.up() == port + 2

    # sessions that are still open have sent the old one to the stranger
    assert world.record()["main_key"] != key


def test_an_orphan_of_ours_on_the_port_is_waited_for(world: World) -> None:
    port = world.up()
    record = world.record()
    os.kill(record["pid"], signal.SIGKILL)
    until(lambda: not world.processes())

    with Answering(port, lambda nonce: proof(record["main_key"], nonce)):
        started = world.start("start", "--json")
        time.sleep(1.5)
        assert started.poll() is None
    out, _ = started.communicate(timeout=120)
    assert json.loads(out)["data"]["port"] == port
