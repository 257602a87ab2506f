"""A set-up that fails says in one sentence why, and what to do."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.tomorrow.conftest import TIMEOUT_S, Machine
from tests.tomorrow.test_setup_tomorrow import without
from tests.tomorrow.wheels import write_stub


def links(machine: Machine, folder: Path) -> dict[str, str]:
    return {**machine.indexes.as_links(), "PIP_FIND_LINKS": str(folder)}


def another_file(machine: Machine) -> dict[str, str]:
    """The right name and version, with other content."""
    (version,) = (
        version for name, version in machine.locked("bootstrap.lock").items() if name == "pathspec"
    )
    metadata = f"Metadata-Version: 2.1\nName: pathspec\nVersion: {version}\n"
    write_stub(machine.home, "pathspec", version, metadata)
    return links(machine, machine.home)


def no_file(machine: Machine) -> dict[str, str]:
    return links(machine, machine.indexes.tomorrow)


def a_constraint(machine: Machine) -> dict[str, str]:
    (machine.home / "constraints.txt").write_text("pathspec<0.1\n")
    return {"PIP_CONSTRAINT": str(machine.home / "constraints.txt")}


def nobody_listens(machine: Machine) -> dict[str, str]:
    return {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}


class Locked(BaseHTTPRequestHandler):
    """An index that requires a password."""

    def do_GET(self) -> None:
        self.send_error(401)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def index(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Run a server that answers as an index; yield its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple"
        server.shutdown()


@pytest.mark.parametrize(
    ("situation", "why"),
    [
        (another_file, "the index has a file that is not the locked one"),
        (no_file, "the index has no wheel of pathspec=="),
        (a_constraint, "a constraint in pip's settings forbids a locked version"),
        (nobody_listens, "the index cannot be reached"),
    ],
)
def test_the_last_line_says_why(
    situation: Callable[[Machine], dict[str, str]], why: str, machine: Machine
) -> None:
    without(machine, "pathspec")
    env = {"PIP_EXTRA_INDEX_URL": "", **situation(machine)}

    done = machine.run("build/wheel", env=env)

    *_, last = done.stdout.splitlines()
    assert last.startswith(f"setup: could not install build/bootstrap.lock: {why}")
    assert done.returncode == 1
    assert not (machine.clone / "dist").exists()


def test_an_index_that_wants_a_password_is_named(machine: Machine) -> None:
    without(machine, "pathspec")

    with index(Locked) as url:
        done = machine.run("build/wheel", env={"PIP_EXTRA_INDEX_URL": "", "PIP_INDEX_URL": url})

    assert "the index shows no file of pathspec==" in done.stdout.splitlines()[-1]
    assert done.returncode == 1


def test_ctrl_c_ends_all_of_it_as_ctrl_c_does(machine: Machine) -> None:
    without(machine, "pathspec")
    asked, ended = Event(), Event()

    class Silent(Locked):
        def do_GET(self) -> None:
            asked.set()
            ended.wait()

    with (
        index(Silent) as url,
        subprocess.Popen(
            ("build/wheel",),
            cwd=machine.clone,
            env=machine.environment({"PIP_INDEX_URL": url, "PIP_EXTRA_INDEX_URL": ""}),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        ) as process,
    ):
        assert asked.wait(TIMEOUT_S)

        os.killpg(process.pid, signal.SIGINT)

        said = process.communicate(timeout=TIMEOUT_S)[1]
        ended.set()
    assert process.returncode == 130
    assert said.splitlines() == ["setup: installing 1 packages of build/bootstrap.lock"]


def test_a_constraint_can_be_taken_back_as_the_sentence_says(machine: Machine) -> None:
    without(machine, "pathspec")
    file = machine.home / ".config/pip/pip.conf"
    file.parent.mkdir(parents=True)
    a_constraint(machine)
    file.write_text(f"[global]\nconstraint = {machine.home}/constraints.txt\n")

    assert machine.run("build/wheel").returncode == 1
    machine.succeed("build/wheel", env={"PIP_CONSTRAINT": ""})


def test_what_failed_once_is_made_by_the_next_run(machine: Machine) -> None:
    python = without(machine, "pathspec")
    assert machine.run("build/wheel", env=no_file(machine)).returncode == 1

    machine.succeed("build/wheel")

    assert machine.installed(python) == machine.locked("bootstrap.lock")
