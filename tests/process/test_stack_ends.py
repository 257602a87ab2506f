"""How a stack ends: on request, killed, or with a unit that cannot run; nothing of it is left."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Callable

import psutil
import pytest

from openclaude.commands import running
from openclaude.contracts.plan import Plan
from openclaude.run.launcher import stop
from openclaude.run.launcher.listeners import try_pair
from openclaude.run.stack.client import StackUnreachable
from openclaude.run.stack.reports import ask_report
from tests.process.world import World, about, get, is_whole, stopped, streaming, until

LOGS = {"lock", "main.log", "preloader.log", "providers.log", "supervisor.log"}
LOGS |= {"ca.pem", "tls.pem"}  # open sessions may still expect this certificate


def names(world: World) -> set[str]:
    """Return the files in the stack's folder."""
    return {path.name for path in world.folder().iterdir()}


def is_free(port: int) -> bool:
    """Tell whether both ports of a stack are free again."""
    pair = try_pair(port)
    if pair:
        pair.close()
    return pair is not None


def test_stop_leaves_no_process_no_socket_and_no_file_but_logs(world: World) -> None:
    world.run("-p")
    port = world.up()
    assert len(world.processes()) == world.crew_size
    settings = world.state.parent / "claude-settings"
    others = settings / "1-1-other.json"  # of a launch with another profile
    others.touch()
    until(lambda: list(settings.iterdir()) == [others])  # that of the session ended with it

    done = world.run("stop")

    assert done[:3] == (0, "qwen: stopped\n", "")
    assert world.processes() == []
    assert names(world) <= LOGS
    assert list(settings.iterdir()) == [others]
    assert is_free(port)


def test_stop_leaves_no_file_of_a_plan_before(
    world: World, plan: Callable[..., Plan], compiled: Callable[[str], Plan]
) -> None:
    world.up()
    claude_only = plan("base")._replace(profile="qwen").sealed("tests")
    world.keep(claude_only)
    world.up()
    assert [unit["name"] for unit in world.status()["units"]] == ["main"]

    world.run("stop")

    assert names(world) <= LOGS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_supervisor_is_a_stop(world: World, number: signal.Signals) -> None:
    port = world.up()

    os.kill(world.record()["pid"], number)

    until(lambda: not world.processes())
    assert names(world) <= LOGS
    assert is_free(port)


def test_the_terminal_closing_does_not_end_the_stack(world: World) -> None:
    port = world.up()

    os.kill(world.record()["pid"], signal.SIGHUP)

    time.sleep(0.1)
    assert about(port)["pid"] == world.units()["main"]["pid"]


def test_a_killed_supervisor_leaves_no_orphan_and_stop_removes_its_files(world: World) -> None:
    port = world.up()

    os.kill(world.record()["pid"], signal.SIGKILL)

    until(lambda: not world.processes())
    assert is_free(port)
    assert world.run("status").status == 1
    assert world.run("stop")[:3] == (1, "qwen: not running\n", "")
    assert names(world) <= LOGS


def test_the_launch_after_a_killed_supervisor_has_the_same_port_and_key(world: World) -> None:
    port = world.up()
    before = world.record()

    os.kill(before["pid"], signal.SIGKILL)  # its units still hold the ports
    world.run("-p")

    env = world.heard()[0]["settings"]["env"]
    assert env["ANTHROPIC_BASE_URL"] == f"https://127.0.0.1:{port}"
    assert before["main_key"] in env["ANTHROPIC_CUSTOM_HEADERS"]
    world.up()
    assert world.record()["pid"] != before["pid"]
    assert about(port)["environment"]["LITELLM_MASTER_KEY"] == before["main_key"]


def test_a_stream_under_way_is_finished_before_a_stop(world: World) -> None:
    port = world.up()

    with streaming(port, world.home) as stream, world.start("stop") as stopping:
        until(lambda: world.status()["is_stopping"])
        again = world.run("restart")  # must not restore what is ending

        assert is_whole(stream, stream.finish())
        assert stopping.wait(60) == 0
        assert stopping.communicate() == ("qwen: stopped\n", "")
    assert again.status in {0, 1}
    assert world.processes() == []
    assert names(world) <= LOGS


def test_a_supervisor_that_hangs_is_named_by_a_launch_and_ended_by_stop(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.up()
    pid = world.record()["pid"]
    monkeypatch.setattr(stop, "STOP_TIMEOUT_S", 0.3)
    monkeypatch.setattr(stop, "HANG_PATIENCE_S", 0.3)

    with stopped(pid):
        with pytest.raises(StackUnreachable) as raised:
            ask_report(world.folder(), timeout_s=0.3)
        assert running.stop_one(world.folder())

    assert raised.value.message == "the supervisor of `qwen` does not answer"
    assert raised.value.hint == "end it with `openclaude stop --profile qwen`"
    until(lambda: not world.processes())
    assert names(world) <= LOGS


# -- units -----------------------------------------------------------------------------------------


def test_a_unit_that_crashes_is_restarted_and_says_why(world: World) -> None:
    port = world.up()
    before = world.units()

    with pytest.raises(http.client.RemoteDisconnected):
        get(port, "/crash?out+of+luck")

    assert about(port)["pid"] != before["main"]["pid"]  # the next request waits for it
    after = until(lambda: units if (units := world.units())["main"]["state"] == "ready" else None)
    assert after["main"]["restarts"] == 1
    assert after["main"]["last_error"] == "`main` ended with exit status 3\nout+of+luck"
    assert after["providers"] == {**after["providers"], **pid_and_restarts(before["providers"])}
    assert "out+of+luck" in world.run("status").out
    assert "`main` ended with exit status 3" in world.run("logs", "supervisor").out


def pid_and_restarts(unit: dict[str, object]) -> dict[str, object]:
    return {name: unit[name] for name in ("pid", "restarts")}


def test_a_unit_that_is_killed_takes_what_it_started_with_it(world: World) -> None:
    port = world.up()
    before = world.units()["main"]["pid"]

    os.kill(before, signal.SIGKILL)

    assert about(port)["pid"] != before
    assert "signal SIGKILL" in world.units()["main"]["last_error"]


def test_a_second_crash_waits_before_the_next_start(world: World) -> None:
    port = world.up()

    for _ in range(2):
        started = time.monotonic()
        with pytest.raises(http.client.RemoteDisconnected):
            get(port, "/crash")

    about(port)

    assert time.monotonic() - started > 0.4
    assert world.units()["main"]["restarts"] == 2


@pytest.fixture
def impatient(empty_world: World) -> World:
    """A world whose supervisors give up soon."""
    empty_world.patch_supervisor(
        "reconcile.BACKOFF_S = (0.0, 0.05)\nreconcile.START_FAILURES = 1\n"
    )
    return empty_world


def test_a_unit_that_can_never_start_answers_at_once_and_says_where_to_look(
    impatient: World, plan: Callable[..., Plan]
) -> None:
    impatient.keep(plan(main={"STUB_FAIL": "no such thing as main"}))

    done = impatient.run("start", "--wait")

    port = impatient.record()["port"]
    main = impatient.units()["main"]
    assert (main["state"], main["pid"], main["rss_bytes"]) == ("failed", None, 0)
    twice = "`main` ended with exit status 1\nno such thing as main\nno such thing as main"
    assert main["last_error"] == twice
    assert done.status == 1
    assert done.err == (
        "error: the proxies of `qwen` could not be started\n"
        f"{twice}\n"
        "\nhint: see `openclaude logs --profile qwen`\n"
    )
    for body in (b"", b"x" * 3_000_000):
        status, reply = post(port, body)
        assert status == 424
        assert reply == {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "openclaude: the `main` proxy could not be started; see `openclaude "
                "logs --profile qwen`, then `openclaude restart --profile qwen`",
            },
        }
    until(lambda: impatient.units()["providers"]["state"] == "ready")
    assert about(port + 1)["pid"] == impatient.units()["providers"]["pid"]


def post(port: int, body: bytes) -> tuple[int, object]:
    """Return the status and document of the reply to a request with a body."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("POST", "/v1/messages", body)
    reply = line.getresponse()
    document = json.loads(reply.read())
    line.close()
    return reply.status, document


def test_a_profile_that_was_mended_replaces_the_refusal(
    impatient: World, plan: Callable[..., Plan]
) -> None:
    impatient.keep(plan(main={"STUB_FAIL": "no"}))
    impatient.run("start", "--wait")
    port = impatient.record()["port"]
    assert post(port, b"")[0] == 424

    impatient.keep(plan())

    assert impatient.up() == port
    assert about(port)["pid"] == impatient.units()["main"]["pid"]


def attempts(world: World) -> int:
    """Return how often a unit has ended, by the supervisor's own log."""
    return (world.folder() / "supervisor.log").read_text().count("`main` ended")


def test_restart_tries_a_failed_unit_again(impatient: World, plan: Callable[..., Plan]) -> None:
    impatient.keep(plan(main={"STUB_FAIL": "no"}))
    impatient.run("start", "--wait")

    before = attempts(impatient)

    assert impatient.run("restart").status == 0

    until(lambda: attempts(impatient) > before)
    until(lambda: impatient.units()["main"]["state"] == "failed")
    assert post(impatient.record()["port"], b"")[0] == 424


def test_a_unit_that_never_gets_ready_is_ended(impatient: World, plan: Callable[..., Plan]) -> None:
    impatient.patch_supervisor("reconcile.START_FAILURES = 0\nreconcile.START_TIMEOUT_S = 3.0\n")
    impatient.keep(plan(main={"STUB_DELAY_S": "60"}))

    done = impatient.run("start", "--wait")

    assert "`main` ended with signal SIGKILL" in done.err
    assert impatient.units()["main"]["state"] == "failed"


def test_a_unit_that_cannot_even_be_started_does_not_end_the_supervisor(
    impatient: World, plan: Callable[..., Plan]
) -> None:
    impatient.keep(plan())
    (impatient.folder() / "main.log").mkdir(parents=True)

    done = impatient.run("start", "--wait")

    assert done.status == 1
    assert "`main` could not be started: [Errno 21] Is a directory" in done.err
    until(lambda: impatient.units()["providers"]["state"] == "ready")
    assert post(impatient.record()["port"], b"")[0] == 424


def test_a_unit_holds_its_own_listening_socket_and_no_other(world: World) -> None:
    port = world.up()

    for name, expected in (("main", port), ("providers", port + 1)):
        process = psutil.Process(world.units()[name]["pid"])
        listening = [
            connection.laddr.port
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert (name, listening) == (name, [expected])
        assert not [entry for entry in process.net_connections("unix") if entry.laddr]


def test_a_client_that_says_nothing_to_the_control_socket_does_no_harm(world: World) -> None:
    world.up()
    with socket.socket(socket.AF_UNIX) as silent, socket.socket(socket.AF_UNIX) as odd:
        odd.connect(str(world.folder() / "control.sock"))
        odd.sendall(b"\xff not JSON\n[]\n")
        silent.connect(str(world.folder() / "control.sock"))

        assert world.run("status").status == 0
