"""Another user of the machine takes the port of a stack that is gone, during an open session.

The port proves its identity before claude sends anything: he receives a handshake without content.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openclaude.run.launcher.certificate import make_certificate
from openclaude.run.launcher.listeners import try_bind
from openclaude.standins.anthropic.standin import AnthropicStandin
from tests.conftest import need, variant
from tests.e2e.house import OPENCLAUDE, PROFILE, House
from tests.e2e.processes import processes_of
from tests.e2e.session import session
from tests.e2e.terminal import Terminal
from tests.e2e.test_e2e_terminal import DONE, PROMPT

NOBODY = "65534"
SCRIPT = Path(__file__).with_name("squatter.py")
TIMEOUT_S = 60.0


class Squatter:
    """Another user with a program of his own on a port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def heard(self) -> bytes:
        """Return everything that was sent to him."""
        path = self.folder / "heard"
        return path.read_bytes() if path.exists() else b""

    def wait_until(self, what: str, look: Callable[[], object]) -> None:
        """Wait for one of his files."""
        deadline = time.monotonic() + TIMEOUT_S
        while not look():
            assert time.monotonic() < deadline, f"{what} did not come about"
            time.sleep(0.05)

    @property
    def has_port(self) -> bool:
        """Tell whether he has the port."""
        return (self.folder / "bound").exists()


@contextmanager
def squatting(port: int) -> Iterator[Squatter]:
    """Run another user's program that waits for a port."""
    need(os.geteuid() == 0 and shutil.which("setpriv"), "root, to be another user as well")
    folder = Path(tempfile.mkdtemp(prefix="squat-"))
    script = folder / SCRIPT.name
    script.write_bytes(SCRIPT.read_bytes())
    (folder / "own.pem").write_text("".join(make_certificate()))
    for path in (folder, *folder.iterdir()):
        os.chown(path, int(NOBODY), int(NOBODY))
    # a Python that every user may run: that of the tests may be in root's home
    argv = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "/usr/bin/python3"]
    process = subprocess.Popen([*argv, str(script), str(port), str(folder)], env={}, cwd="/")
    try:
        yield Squatter(folder)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def kill_supervisor(house: House) -> None:
    """Kill the supervisor, as the kernel does when memory runs out."""
    os.kill(house.pids()["supervisor"], signal.SIGKILL)


def uninstall(house: House) -> None:
    """`openclaude uninstall --yes`, with the session open."""
    ran = house.run((OPENCLAUDE, "uninstall", "--yes"), house.environment())
    assert ran.code == 0, ran


WAYS = {"killed": kill_supervisor, "uninstalled": uninstall}


@pytest.mark.parametrize("way", ["killed", variant("uninstalled")])
def test_who_takes_the_port_hears_no_login(
    empty_house: House, anthropic: AnthropicStandin, way: str
) -> None:
    house = empty_house
    with session(house, "opus") as talk:
        talk.ask("hello")
        assert "stand-in" in talk.answer()
        record = house.record()
        with squatting(record["port"]) as squatter:
            WAYS[way](house)
            squatter.wait_until("his turn", lambda: squatter.has_port)
            talk.ask("and again")
            squatter.wait_until("a word to him", squatter.heard)
            time.sleep(3)  # meanwhile claude retries
            heard = squatter.heard()

    assert b"connection\n" in heard  # claude did connect to him
    assert tell_tales(house, record["main_key"], heard) == []
    assert b"POST" not in heard
    assert len(anthropic.requests) == 1


def test_a_stack_that_is_stopped_under_a_session_leaves_him_no_port(
    empty_house: House, anthropic: AnthropicStandin
) -> None:
    house = empty_house
    with session(house, "opus") as talk:
        talk.ask("hello")
        talk.answer()
        record = house.record()
        with squatting(record["port"]) as squatter:
            assert house.command("stop").code == 0
            talk.ask("and again")
            answer = talk.answer()
            assert not squatter.has_port
            assert house.command("start").code == 0
            talk.ask("once more")  # and the session goes on, although the key is another
            revived = talk.answer()
            assert house.record()["main_key"] != record["main_key"]
            assert house.command("stop").code == 0
            talk.process.kill()
            # his turn: nobody is left to tell him anything
            squatter.wait_until("his turn", lambda: squatter.has_port)

    assert "the proxies of `house` were stopped" in answer
    assert "`openclaude start house`" in answer
    assert "stand-in" in revived
    assert len(anthropic.requests) == 2


@contextmanager
def typing(house: House, folder: Path) -> Iterator[Terminal]:
    """Open a terminal with claude in it, that has answered once."""
    need(shutil.which("tmux"), "tmux")
    argv = (OPENCLAUDE, "--profile", PROFILE)
    with Terminal(argv, house.environment(), house.project, folder / "tmux") as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("hello there")
        terminal.wait_for(f"● anthropic stand-in: claude-opus-5-5{DONE}")
        yield terminal


@pytest.mark.parametrize("way", ["killed", variant("uninstalled")])
def test_nor_does_he_from_a_session_in_a_terminal(
    empty_house: House, anthropic: AnthropicStandin, tmp_path: Path, way: str
) -> None:
    house = empty_house
    with typing(house, tmp_path) as terminal:
        record, asked = house.record(), len(anthropic.requests)
        with squatting(record["port"]) as squatter:
            WAYS[way](house)
            squatter.wait_until("his turn", lambda: squatter.has_port)
            terminal.type("and again")
            squatter.wait_until("a word to him", squatter.heard)
            terminal.wait_for("(?i)self.signed|certificate")  # what claude thinks of him
            heard = squatter.heard()

    assert tell_tales(house, record["main_key"], heard) == []
    assert b"POST" not in heard
    assert len(anthropic.requests) == asked


@pytest.mark.variants
def test_a_session_in_a_terminal_is_told_that_its_stack_was_stopped(
    empty_house: House, tmp_path: Path
) -> None:
    with typing(empty_house, tmp_path) as terminal:
        port = empty_house.record()["port"]
        assert empty_house.command("stop").code == 0
        terminal.type("and again")
        terminal.wait_for("the proxies of `house` were stopped")

        # another user sees the port in use, as long as claude lives
        assert try_bind(port) is None


def test_a_background_session_that_outlives_its_launch_leaves_him_no_port(
    empty_house: House,
) -> None:
    """`claude --bg` ends at once; its daemon asks the stack, which lives as long."""
    house = empty_house
    house.write_profile(
        "house",
        anthropic_url=house.anthropic_url,
        bedrock_url=house.bedrock_url,
        more='[stack]\nlinger = "1s"\n',
    )
    ran = house.openclaude("--bg", "hello")
    assert ran.code == 0, ran
    with squatting(house.record()["port"]) as squatter:
        log = house.folder / "supervisor.log"
        squatter.wait_until("its launch's end", lambda: "has ended" in log.read_text())
        squatter.wait_until("its daemon", lambda: " daemon run " in who_uses(house))
        assert not squatter.has_port
        end_claudes(house)
        squatter.wait_until("his turn", lambda: squatter.has_port)


def who_uses(house: House) -> str:
    """Return the command lines of a stack's sessions."""
    pids = [row["pid"] for row in house.status()["sessions"]]
    commands = processes_of(house.root)
    return "".join(commands.get(pid, "") for pid in pids)


def end_claudes(house: House) -> None:
    """Kill every process of a house but our own, and what that starts meanwhile."""
    deadline = time.monotonic() + TIMEOUT_S
    while theirs := [
        pid for pid, command in processes_of(house.root).items() if "openclaude.run" not in command
    ]:
        assert time.monotonic() < deadline, theirs
        for pid in theirs:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.variants
def test_without_tls_he_hears_it_all(empty_house: House, anthropic: AnthropicStandin) -> None:
    """Show what the test above would see without its protection: `listen.tls = false`."""
    house = empty_house
    house.write_profile(
        "house",
        anthropic_url=house.anthropic_url,
        bedrock_url=house.bedrock_url,
        more="[listen]\ntls = false\n",
    )
    with session(house, "opus") as talk:
        talk.ask("hello")
        talk.answer()
        record = house.record()
        with squatting(record["port"]) as squatter:
            kill_supervisor(house)
            squatter.wait_until("his turn", lambda: squatter.has_port)
            talk.ask("and again")
            squatter.wait_until("a word to him", lambda: b"POST" in squatter.heard())
            heard = squatter.heard()

    assert tell_tales(house, record["main_key"], heard) == ["login", "local key"]


def tell_tales(house: House, key: str, heard: bytes) -> list[str]:
    """Return which secrets are in what was received."""
    secrets = {"login": house.canaries.oauth, "local key": key, "refresh": house.canaries.refresh}
    return [name for name, secret in secrets.items() if secret.encode() in heard]


@pytest.mark.variants
def test_the_session_goes_on_when_the_stack_is_back(
    empty_house: House, anthropic: AnthropicStandin
) -> None:
    """A supervisor is killed, another launch restarts the stack: the open session trusts it."""
    house = empty_house
    with session(house, "opus") as talk:
        talk.ask("hello")
        talk.answer()
        kill_supervisor(house)
        started = house.command("start", "--wait")
        assert started.code == 0, started
        assert started.out.endswith(f"https://127.0.0.1:{house.record()['port']}\n")
        talk.ask("and again")
        assert "stand-in" in talk.answer()

    assert len(anthropic.requests) == 2
