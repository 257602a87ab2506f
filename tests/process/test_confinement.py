"""What our processes give up: memory that others can read; main, all files and ports but its own.

As a user without privileges: root may read every process, so root gives its privileges up first.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from openclaude.contracts.plan import Plan
from openclaude.run.os.confinement import NETWORK_VERSION, landlock_version
from openclaude.run.stack.holding import HOLDER
from tests.conftest import need
from tests.process.world import (
    World,
    command_line,
    get,
    is_gone,
    open_session,
    package_environment,
    until,
)

ORDINARY = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


@pytest.fixture
def ordinary(world: World) -> World:
    """A world whose user has no privileges, also if the tests are run by root."""
    need(os.geteuid() != 0 or shutil.which("setpriv"), "setpriv, to give up root's privileges")
    if os.geteuid() == 0:
        real = world.program.rename(world.bin / "openclaude-itself")
        world.executable("openclaude", f'#!/bin/sh\nexec {" ".join(ORDINARY)} {real} "$@"\n')
    return world


def can_read(path: str) -> bool:
    """Tell whether another process of this ordinary user can read a file of /proc, or the link."""
    prefix = ORDINARY if os.geteuid() == 0 else ()
    script = 'readlink "$1" || head -c 1 "$1"'
    ran = subprocess.run(
        [*prefix, "sh", "-c", script, "sh", path],
        capture_output=True,
        check=False,
    )
    return ran.returncode == 0


def test_no_process_with_a_secret_can_be_read_by_its_own_user(ordinary: World) -> None:
    with open_session(ordinary):
        ordinary.up()
        status = ordinary.status()
        private = {unit["name"]: unit["pid"] for unit in status["units"]}
        private["supervisor"] = status["pid"]
        seen = {
            f"{name} {what}": can_read(f"/proc/{pid}/{what}")
            for name, pid in private.items()
            for what in ("environ", "maps", "cwd", "exe")
        }
        # one without any secret, to see that others can be read
        assert can_read(f"/proc/{status['forkserver']['pid']}/environ")
        ordinary.run("stop")
        (holder,) = [one for one in ordinary.processes() if HOLDER in command_line(one)]
        # it has begun, and gives nothing to read any more
        until(lambda: "hold the ports" in (ordinary.folder() / "supervisor.log").read_text())
        seen["holder"] = can_read(f"/proc/{holder.pid}/environ")

    assert [what for what, is_read in seen.items() if is_read] == []


def test_memory_and_processor_time_of_private_processes_are_shown(ordinary: World) -> None:
    ordinary.up()

    units = until(lambda: measured(ordinary))

    assert all(unit["pss_bytes"] < unit["rss_bytes"] for unit in units.values())
    assert all(5e6 < unit["rss_bytes"] < 5e8 for unit in units.values())
    assert all(unit["cpu_s"] >= 0 for unit in units.values())


def test_a_port_that_another_stack_of_ones_own_has_is_said_to_be_its(
    ordinary: World, plan: Callable[..., Plan]
) -> None:
    """Nobody sees which sockets a private process has, so its stack has to be looked up."""
    port = ordinary.up()
    supervisor = ordinary.record()["pid"]
    ordinary.keep(plan("base", port=port)._replace(strict=True).sealed("tests"))

    ran = ordinary.run("start", "--profile", "base")

    assert ran.err.startswith(
        f"error: port {port} or {port + 1} is in use by the proxies of `qwen` (pid {supervisor})\n"
    )


def measured(world: World) -> dict[str, dict[str, Any]] | None:
    """Return the units once each has said what its share of the memory is."""
    units = world.units()
    return units if all(unit["pss_bytes"] for unit in units.values()) else None


def test_an_ordinary_user_stops_what_no_record_leads_to(ordinary: World) -> None:
    ordinary.up()
    crew = ordinary.processes()
    supervisor = psutil.Process(ordinary.record()["pid"])
    supervisor.suspend()  # before it can make anything anew
    shutil.rmtree(ordinary.state)
    with ordinary.start("stop", "--all") as stopping:
        until(lambda: stopping.poll() is not None or is_asked_to_end(supervisor.pid))
        supervisor.resume()
        out, _ = stopping.communicate()

    assert out == "qwen: stopped\n"
    until(lambda: all(is_gone(one.pid) for one in crew))


def is_asked_to_end(pid: int) -> bool:
    """Tell whether a stopped process has a SIGTERM waiting."""
    fields = Path(f"/proc/{pid}/status").read_text().splitlines()
    pending = next(line.split()[1] for line in fields if line.startswith("ShdPnd"))
    return bool(int(pending, 16) & 1 << 14)


# main ---------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """A port that main has no business with."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_main_writes_nowhere_but_in_its_own_folder(world: World) -> None:
    port = world.up()
    own = world.folder() / "empty"

    def write(path: Path, to: int) -> str:
        return get(to, f"/write?{path}").decode()

    assert write(own / "found", port) == ""
    assert write(Path(os.devnull), port) == ""
    refused = "PermissionError" if landlock_version() else ""
    for folder in (world.home, world.folder(), Path("/tmp")):  # noqa: S108 - main must not
        path = folder / f"{world.root.name}-by-main"
        assert write(path, port) == refused
        assert path.exists() is not bool(refused)
        # the other instance has programs and caches of the user's to serve
        assert write(path.with_suffix(".providers"), port + 1) == ""
        for made in (path, path.with_suffix(".providers")):
            made.unlink(missing_ok=True)
    assert get(port, "/run?/bin/true").decode() == refused
    assert get(port + 1, "/run?/bin/true").decode() == ""


def test_main_connects_to_nothing_but_its_addresses(world: World, elsewhere: int) -> None:
    port = world.up()

    refused = "PermissionError" if landlock_version() >= NETWORK_VERSION else ""
    assert get(port, f"/connect?{elsewhere}").decode() == refused
    assert get(port + 1, f"/connect?{elsewhere}").decode() == ""
    assert get(port, f"/connect?{port + 1}").decode() == ""


def test_main_gains_no_privileges(world: World) -> None:
    world.up()

    for name, unit in world.units().items():
        text = Path(f"/proc/{unit['pid']}/status").read_text()
        # the other instance runs what an AWS profile names: `op` is set-group-id, for example
        assert ("NoNewPrivs:\t1" in text) is (name == "main" and landlock_version() > 0)


SEE = "import sys; from openclaude.commands.demo.verdict import see_process as see; {}"


def test_the_demo_looks_at_private_processes_as_far_as_it_can(ordinary: World) -> None:
    ordinary.up()
    pid = ordinary.units()["main"]["pid"]
    prefix = ORDINARY if os.geteuid() == 0 else ()
    code = SEE.format("print(*see('main', int(sys.argv[1])), sep='|')")

    ran = subprocess.run(
        [*prefix, sys.executable, "-P", "-c", code, str(pid)],
        env={**ordinary.env, **package_environment()},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stdout.startswith("main|{}|"), ran.stderr
    assert str(ordinary.folder()) in ran.stdout
