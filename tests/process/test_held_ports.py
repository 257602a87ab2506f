"""A stack that is stopped under open claude sessions: its ports are held, and say how to go on."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest

from openclaude.contracts.plan import Plan
from openclaude.run.launcher.listeners import try_pair
from openclaude.run.stack.folder import held_path
from openclaude.run.stack.holding import HOLDER
from openclaude.run.stack.local_key import digest_of
from tests.e2e.canaries import memory_holds
from tests.process.world import TIMEOUT_S, World, about, command_line, is_gone, open_session, until

SENTENCE = (
    "openclaude: the proxies of `qwen` were stopped: `openclaude start qwen` in another terminal "
    "brings them back, and this session goes on"
)
LOCKED = (
    "openclaude: the proxies of `qwen` were stopped, and this session's local key was revoked: "
    "exit, and go on with `openclaude --profile qwen --continue`"
)


def ask(world: World, port: int) -> tuple[int, Any]:
    """Send a request as claude does; return status and document of the reply."""
    context = ssl.create_default_context(cafile=str(world.folder() / "ca.pem"))
    line = http.client.HTTPSConnection("127.0.0.1", port, timeout=TIMEOUT_S, context=context)
    with contextlib.closing(line):
        line.request("POST", "/v1/messages", body=b"{}" * 50_000)
        reply = line.getresponse()
        return reply.status, json.loads(reply.read())


def is_free(port: int) -> bool:
    """Tell whether anyone could bind the stack's ports."""
    pair = try_pair(port)
    if pair:
        pair.close()
    return pair is not None


def holders(world: World) -> list[psutil.Process]:
    """Return the processes that hold this world's ports."""
    return [one for one in world.processes() if HOLDER in command_line(one)]


@pytest.fixture
def session(world: World) -> Iterator[subprocess.Popen[str]]:
    """An open claude session, with its stack ready."""
    with open_session(world) as launched:
        world.up()
        yield launched


def test_a_stopped_stack_answers_its_sessions_with_a_sentence_until_they_end(
    world: World, session: subprocess.Popen[str]
) -> None:
    record = world.record()
    port = record["port"]

    assert world.run("stop").status == 0

    assert not is_free(port)
    status, document = ask(world, port)
    assert (status, document["error"]["message"]) == (424, SENTENCE)
    (holder,) = until(lambda: holders(world))
    assert not memory_holds(holder.pid, record["main_key"])
    assert world.run("stop").out == "qwen: not running\n"  # which leaves the holder alone
    assert ask(world, port)[0] == 424
    session.kill()
    session.wait()
    until(lambda: not world.processes())
    assert is_free(port)
    assert not held_path(world.folder()).exists()


def test_the_next_stack_takes_the_held_ports_and_knows_the_sessions_by_another_key(
    world: World, session: subprocess.Popen[str]
) -> None:
    before = world.record()
    world.run("stop")
    (holder,) = until(lambda: holders(world))
    taken = psutil.Process(session.pid)

    assert world.up() == before["port"]

    after = world.record()
    assert after["main_key"] != before["main_key"]
    environment = about(before["port"])["environment"]
    assert environment["LITELLM_MASTER_KEY"] == after["main_key"]
    assert environment["OPENCLAUDE_FORMER_KEYS"] == digest_of(before["main_key"])
    assert before["main_key"] not in json.dumps([environment, after])
    assert "former" not in world.status()
    until(lambda: is_gone(holder.pid))
    # the old session still asks there, so the ports are not let go before it ends
    assert [row["pid"] for row in world.status()["sessions"]] == [taken.pid]

    world.run("stop")
    world.up()
    both = ",".join(digest_of(one["main_key"]) for one in (before, after))
    assert about(before["port"])["environment"]["OPENCLAUDE_FORMER_KEYS"] == both
    os.kill(world.record()["pid"], signal.SIGKILL)  # and one that dies leaves them to the next
    world.up()
    assert about(before["port"])["environment"]["OPENCLAUDE_FORMER_KEYS"] == both
    world.run("lock")
    world.up()
    assert "OPENCLAUDE_FORMER_KEYS" not in about(before["port"])["environment"]
    assert world.record()["former"] == []


def test_lock_revokes_the_keys_of_a_stopped_stack_and_its_ports_stay_held(
    world: World, session: subprocess.Popen[str]
) -> None:
    port = world.record()["port"]
    world.run("stop")
    (before,) = until(lambda: holders(world))

    ran = world.run("lock")

    assert ran.status == 0
    assert f"pid {session.pid}" in ran.out
    until(lambda: is_gone(before.pid))
    status, document = until(lambda: asked(world, port))
    assert (status, document["error"]["message"]) == (424, LOCKED)
    assert world.up() == port
    assert "OPENCLAUDE_FORMER_KEYS" not in about(port)["environment"]


def asked(world: World, port: int) -> tuple[int, Any] | None:
    """Return what a request is answered; None while a holder goes and the next one comes."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        return ask(world, port)
    return None


def test_a_stack_without_sessions_leaves_nothing(world: World) -> None:
    port = world.up()

    world.run("stop")

    assert world.processes() == []
    assert is_free(port)


def test_a_supervisor_that_is_told_to_end_by_a_signal_holds_the_ports_too(
    world: World, session: subprocess.Popen[str]
) -> None:
    record = world.record()

    os.kill(record["pid"], signal.SIGTERM)

    until(lambda: is_gone(record["pid"]))
    assert ask(world, record["port"])[0] == 424
    assert session.poll() is None


def test_no_nonsense_ends_a_holder(world: World, session: subprocess.Popen[str]) -> None:
    port = world.record()["port"]
    world.run("stop")

    for said in (b"", b"\x16\x03\x01", b"\x00" * 100, b"GET / HTTP/1.1\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as line:
            line.sendall(said)
    with ask_control(world) as control:
        control.close()  # who asks for the ports and leaves has them: they are free again
    until(lambda: is_free(port))
    assert session.poll() is None
    assert world.up() == port


def ask_control(world: World) -> socket.socket:
    """Return a connection to the holder."""
    until(lambda: held_path(world.folder()).exists())
    line = socket.socket(socket.AF_UNIX)
    line.connect(str(held_path(world.folder())))
    return line


def test_uninstall_ends_the_holder(world: World, session: subprocess.Popen[str]) -> None:
    port = world.record()["port"]

    ran = world.run("uninstall", "--yes")

    assert ran.status == 0, ran
    assert holders(world) == []
    assert is_free(port)
    assert not world.state.exists()
    assert session.poll() is None


@pytest.mark.parametrize("mark", ["environment", "command line", "settings", "connection"])
def test_a_background_session_that_outlives_its_launch_keeps_the_stack(
    empty_world: World, plan: Callable[..., Plan], mark: str
) -> None:
    """As `claude --bg` leaves a daemon that names its launch, and tools start claude again.

    A tmux server starts it with the launch's settings file, and a claude reads that again. What
    has cleared its environment and names nothing is connected at least.
    """
    world = empty_world
    world.keep(plan()._replace(linger_s=0.5).sealed("tests"))
    with open_session(world) as launched:
        url = world.heard()[0]["settings"]["env"]["ANTHROPIC_BASE_URL"]
        port = world.up()
        env, arguments = {}, ["--spawned-by", json.dumps({"pid": launched.pid})]
        settings = next((world.state.parent / "claude-settings").iterdir())
        if mark == "environment":
            env, arguments = {"ANTHROPIC_BASE_URL": url}, []
        if mark == "settings":
            env, arguments = {}, [f"--settings={settings}"]
        kept: AbstractContextManager[socket.socket | None] = contextlib.nullcontext()
        if mark == "connection":
            env, arguments, kept = {}, [], socket.create_connection(("127.0.0.1", port))
        with (
            kept as connection,
            claude(world, env, arguments, connection) as background,
            claude(world, {}, []) as other,
        ):
            if connection:
                connection.close()  # it is the claude's now
            until(lambda: len(world.heard()) == 3)
            launched.kill()
            launched.wait()

            assert sessions(world) == [background.pid]
            is_named = mark in {"command line", "settings"}
            assert settings.exists() == is_named
            world.run("stop")
            assert ask(world, port)[0] == 424
            assert settings.exists() == is_named

            other.kill()
            background.kill()
    until(lambda: is_free(port))
    until(lambda: not world.processes())
    assert not settings.exists()


def test_who_comes_again_after_linger_is_known_to_the_next_stack_unless_the_keys_were_locked(
    empty_world: World, plan: Callable[..., Plan]
) -> None:
    """A session that nobody could see, in another namespace for example."""
    world = empty_world
    world.keep(plan()._replace(linger_s=1.5).sealed("tests"))

    def lives() -> dict[str, Any]:
        """Let a stack live, and end because nobody uses it."""
        world.run("-p")
        found = world.record()
        until(lambda: not world.processes())
        return found

    first, second = lives(), lives()
    assert second["port"] == first["port"]
    assert second["main_key"] != first["main_key"]
    assert second["former"] == [digest_of(first["main_key"])]
    assert first["main_key"] not in "".join(
        path.read_text() for path in world.folder().iterdir() if path.is_file()
    )

    world.run("lock")
    assert lives()["former"] == []
    world.run("start")  # who stops it ends its keys
    world.run("stop")
    assert lives()["former"] == []


def sessions(world: World) -> list[int]:
    """Return the sessions that the supervisor knows, once it has forgotten the launch."""
    log = world.folder() / "supervisor.log"
    until(lambda: "has ended" in log.read_text())
    return [row["pid"] for row in world.status()["sessions"]]


@contextlib.contextmanager
def claude(
    world: World,
    env: dict[str, str],
    arguments: list[str],
    connection: socket.socket | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Start this world's claude without a launch."""
    process = subprocess.Popen(
        [world.claude, "daemon", "run", *arguments],
        env={**world.env, **env},
        pass_fds=[connection.fileno()] if connection else (),
        cwd=Path("/"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()
