"""quirks 04 and 05: one home for several containers, namespaces and machines.

Each has a stack of its own, ends its own and nobody else's. The namespaces are real. A machine is
another one by its boot id, its name and its machine id, which a mount namespace shows otherwise.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from openclaude.run.os.processes import start_time
from tests.conftest import need
from tests.process.conftest import MakePlan
from tests.process.world import TIMEOUT_S, Run, World, is_gone, open_session, until

LOOPBACK = (
    "import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, "
    "struct.pack('16sh14x', b'lo', 0x49))"  # SIOCSIFFLAGS: up, running, loopback
)
ASK = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())"
PROCESSES = ("--pid", "--fork", "--kill-child")
KINDS = {
    "another container": ("--net", *PROCESSES, "--mount-proc"),
    "its own network": ("--net",),
    "docker --network host": (*PROCESSES, "--mount-proc"),
    "a /proc of the namespace above": PROCESSES,
}


class Place:
    """Where openclaude runs: namespaces of its own, or none."""

    def __init__(self, world: World, enter: tuple[str, ...] = ()) -> None:
        self.world = world
        self.enter = enter

    def run(self, *arguments: str) -> Run:
        """Run openclaude there."""
        return self.run_program(str(self.world.program), *arguments)

    def run_program(self, *argv: str) -> Run:
        """Run a program there."""
        done = subprocess.run(
            [*self.enter, *argv],
            env=self.world.env,
            cwd=self.world.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        plain = self.world.plain
        return Run(done.returncode, plain(done.stdout), plain(done.stderr), 0)

    def up(self) -> int:
        """Start a stack there; main's port."""
        envelope = json.loads(self.run("start", "--wait", "--json").out)
        assert envelope["exit_code"] == 0, envelope
        return int(envelope["data"]["port"])

    def supervisor(self) -> int:
        """The pid of the supervisor of its stack, as it sees it; 0 for none."""
        found = json.loads(self.run("status", "--json").out)["data"]["stacks"]
        return found[0]["supervisor"]["pid"] if found else 0

    def session_port(self) -> int:
        """Launch a claude there; the port that it is told, which must answer it there."""
        done = self.run("-p")
        assert (done.status, done.err) == (0, ""), done
        url = self.world.heard()[-1]["settings"]["env"]["ANTHROPIC_BASE_URL"]
        asked = self.run_program(sys.executable, "-c", ASK, url.replace("https", "http"))
        assert asked.status == 0, asked
        return int(url.rpartition(":")[2])


@contextlib.contextmanager
def beside(world: World, *options: str, shown: tuple[str, ...] = ()) -> Iterator[Place]:
    """Namespaces that live as long as the block; `shown` are commands that set them up."""
    ready = world.root / f"ready-{os.urandom(4).hex()}"
    setup = [f"'{sys.executable}' -c \"{LOOPBACK}\""] if "--net" in options else []
    script = " && ".join([*setup, *shown, f"touch {ready}", "exec sleep 1000"])
    probe = subprocess.run(["unshare", *options, "true"], capture_output=True)
    need(probe.returncode == 0, "the right to make namespaces")
    with subprocess.Popen(["unshare", *options, "sh", "-c", script]) as process:
        try:
            until(ready.exists)
            inner = psutil.Process(process.pid)
            inner = inner.children()[0] if "--fork" in options else inner
            enter = {"--net": "-n", "--pid": "-p", "--mount-proc": "-m", "--mount": "-m"}
            enter["--uts"] = "-u"
            flags = [enter[one] for one in options if one in enter]
            yield Place(world, ("nsenter", "-t", str(inner.pid), *flags, "--"))
        finally:
            process.kill()


def another_machine(world: World, name: str) -> tuple[str, ...]:
    """What makes a mount and a UTS namespace another machine: commands for `beside`."""
    files = {"boot_id": "/proc/sys/kernel/random/boot_id", "machine-id": "/etc/machine-id"}
    commands = [f"hostname {name}"]
    for kind, path in files.items():
        mine = world.root / f"{name}-{kind}"
        mine.write_text(f"{name}-{kind}\n")
        if Path(path).exists():
            commands.append(f"mount --bind {mine} {path}")
    return tuple(commands)


@pytest.fixture
def world(empty_world: World, plan: MakePlan) -> World:
    empty_world.keep(plan())
    return empty_world


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        ("outside", "another container"),
        ("inside", "another container"),
        ("outside", "its own network"),
        ("inside", "docker --network host"),
        ("inside", "a /proc of the namespace above"),
    ],
)
def test_each_namespace_has_a_stack_of_its_own_and_ends_no_other(
    world: World, first: str, kind: str
) -> None:
    with beside(world, *KINDS[kind]) as inside:
        outside = Place(world)
        one, other = (outside, inside) if first == "outside" else (inside, outside)
        port = one.session_port()
        assert one.supervisor()

        their_port = other.session_port()

        assert (port == their_port) == ("--net" in KINDS[kind])  # who shares ports gets others
        assert one.supervisor()
        assert one.up() == port
        assert other.up() == their_port  # and joins its own
        stopped = other.run("stop", "--all")

        assert (stopped.status, stopped.out) == (0, "qwen: stopped\n")
        assert not other.supervisor()
        assert one.supervisor()
        assert one.session_port() == port
        assert one.run("stop").out == "qwen: stopped\n"
        assert not list(world.state.glob("stacks*/qwen/stack.json"))


def test_what_shares_pids_and_ports_shares_the_stack(world: World) -> None:
    """A mount namespace, another name: a sandbox, a laptop in another network."""
    port = world.up()
    pid = world.record()["pid"]
    with beside(world, "--mount", "--uts", shown=("hostname elsewhere",)) as inside:
        assert inside.session_port() == port
        assert inside.supervisor() == pid
        assert inside.run("stop").out == "qwen: stopped\n"
    assert is_gone(pid)


def test_two_machines_in_turn_have_a_stack_each(empty_world: World, plan: MakePlan) -> None:
    world, made = empty_world, empty_world.keep(plan())
    here = Place(world)
    port = here.session_port()
    pid = world.record()["pid"]
    commands = another_machine(world, "other-machine")
    with beside(world, "--mount", "--uts", shown=commands) as there:
        there.session_port()
        assert here.session_port() == port
        assert here.supervisor() == pid != there.supervisor()

        found = json.loads(there.run("doctor", "--json").out)["data"]["findings"]
        assert "home-shared" in [row["code"] for row in found]

        left = there.run("uninstall", "--yes")

        assert left.status == 0, left
        assert "ROOT/home/.local/state/openclaude/stacks/qwen: the proxies of" in left.out
        assert not there.supervisor()
        assert not list(world.state.glob("stacks-*"))
        world.keep(made)  # the cache is gone
        assert here.session_port() == port
    assert here.supervisor() == pid
    assert here.run("stop").out == "qwen: stopped\n"


def test_nothing_of_a_boot_before_this_one_is_believed_or_left(world: World) -> None:
    """Its record may name a process that lives, with the very start: machines boot alike."""
    bystander = subprocess.Popen(["sleep", "1000"])
    name = os.uname().nodename
    commands = another_machine(world, name)[:2]  # all but the machine id
    with beside(world, "--mount", shown=commands) as before:
        with open_session(world):
            world.up()
            world.tell_claude()
            assert before.run("-p").status == 0
        # the machine loses its power
        for process in world.processes():
            process.kill()
    old = world.record()
    try:
        folder = world.folder()
        assert old["where"]
        boot = next(world.state.glob("stacks-*")).name.split(".")[1]
        host, _, network, processes = old["where"].split(".")
        dead = {**old, "pid": bystander.pid, "started": start_time(bystander.pid)}
        dead["where"] = f"{host}.{boot}.{network}.{processes}"
        (folder / "stack.json").write_text(json.dumps(dead))

        assert world.run("stop").status == 1  # nothing runs, and nobody is ended
        (folder / "stack.json").write_text(json.dumps(dead))
        assert world.run("-p").status == 0

        assert bystander.poll() is None
        until(lambda: world.record()["pid"] != bystander.pid)
        assert not list(world.state.glob("stacks-*"))
        settings = world.state.parent / "claude-settings"
        assert [path for path in settings.iterdir() if boot in path.name] == []
    finally:
        bystander.kill()
        bystander.wait()


def test_a_port_of_a_neighbour_that_must_be_had_is_named_with_its_owner(
    world: World, plan: MakePlan
) -> None:
    world.keep(plan()._replace(strict=True).sealed("tests"))
    port = world.up()
    with beside(world, *KINDS["docker --network host"]) as inside:
        done = inside.run("-p")

    assert done.status == 125
    assert f"port {port} or {port + 1} is in use by the proxies of `qwen` in another" in done.err
    assert world.run("stop").out == "qwen: stopped\n"


# A home whose file system lacks something --------------------------------------------------------

LACKS = {
    "locks": (
        "import errno, fcntl, os\n"
        "take = fcntl.flock\n"
        "def flock(descriptor, how):\n"
        "    if '/home/.local/' in os.readlink(f'/proc/self/fd/{descriptor}'):\n"
        "        raise OSError(errno.ENOLCK, 'No locks available')\n"
        "    return take(descriptor, how)\n"
        "fcntl.flock = flock"
    ),
    "sockets": (
        "import errno, os, socket\n"
        "class Socket(socket.socket):\n"
        "    def bind(self, address):\n"
        "        if isinstance(address, str) and '/home/.local/' in os.path.abspath(address):\n"
        "            raise OSError(errno.EPERM, 'Operation not permitted')\n"
        "        super().bind(address)\n"
        "socket.socket = Socket"
    ),
}


@pytest.mark.parametrize(
    ("lack", "variable"), [("locks", "XDG_RUNTIME_DIR"), ("sockets", "TMPDIR")]
)
def test_a_stack_lives_elsewhere_where_the_home_has_no_locks_or_no_sockets(
    world: World, lack: str, variable: str
) -> None:
    world.patch_client(LACKS[lack])
    other = world.root / "run"
    other.mkdir(mode=0o700)
    env = {**world.env, variable: str(other)}

    done = world.run("-p", env=env)
    # who has not the variable finds it too
    status = world.json("status")["data"]["stacks"][0]
    doctor = world.json("doctor")["data"]["diagnostics"]

    assert (done.status, done.err) == (0, "")
    assert status["folder"].startswith("ROOT/run/")
    assert world.run("-p").status == 0
    assert (
        world.json("status")["data"]["stacks"][0]["supervisor"]["pid"]
        == (status["supervisor"]["pid"])
    )
    (moved,) = [one for one in doctor if one["code"] == "state-moved"]
    assert "`ROOT/run/run-" in moved["message"]
    for path in other.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    # what doctor names as the way out: another place, then nothing is moved
    assert world.run("stop", "--all").out == "qwen: stopped\n"
    assert not list(other.rglob("*.json"))
    assert world.run("uninstall", "--yes").status == 0
    assert not list(other.iterdir())
    assert not world.state.exists()


def test_a_home_without_locks_and_no_other_place_is_one_sentence(world: World) -> None:
    world.patch_client(LACKS["locks"].replace("'/home/.local/' in", "'/' in"))
    other = world.root / "run"
    other.mkdir(mode=0o700)

    done = world.run("-p", env={**world.env, "XDG_RUNTIME_DIR": str(other)})

    assert done.status == 125
    assert "cannot lock `ROOT/home/.local/state/openclaude/stacks/qwen/lock`" in done.err
    assert "XDG_STATE_HOME" in done.err
    assert not list(other.iterdir())
    assert not list(world.state.glob("stacks-*"))
