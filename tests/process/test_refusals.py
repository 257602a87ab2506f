"""quirk 15: every system call between the check and claude fails once.

A launch says in one sentence what the system refuses, or goes on without it; it has no bug, and
leaves nothing behind. strace makes the calls fail.
"""

from __future__ import annotations

import collections
import os
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from openclaude.errors import OUTPUT_UNREAD
from tests.conftest import need, variant
from tests.process.conftest import MakePlan
from tests.process.world import TIMEOUT_S, Run, World, until

# what each call is refused with, in turn
REFUSALS = {
    "bind": ("EPERM", "ENOMEM", "EACCES"),
    "clone": ("EAGAIN", "ENOMEM"),
    "connect": ("EACCES", "EAGAIN", "ENOMEM"),
    "flock": ("ENOLCK", "EINTR", "EOPNOTSUPP"),
    "getdents64": ("EACCES", "EIO"),
    "getrandom": ("EAGAIN",),
    "listen": ("ENOMEM",),
    "mkdir": ("ENOSPC", "EROFS", "EPERM"),
    "openat": ("EMFILE", "EACCES", "ENOSPC"),
    "pipe2": ("EMFILE", "ENFILE"),
    "rename": ("EROFS", "EPERM"),
    "setsockopt": ("ENOMEM",),
    "socket": ("EMFILE", "EAFNOSUPPORT"),
    "unlink": ("EROFS", "EACCES"),
    "wait4": ("ECHILD", "EINTR"),
    "write": ("ENOSPC", "EIO"),
}
# of these there are hundreds, one like the other: a few of each
MANY = {"newfstatat": ("EACCES", "ENOMEM"), "read": ("EIO", "EINTR")}
STEP = 23
HARMLESS = {"EINTR", "ECHILD"}  # the call is made again, or was not needed


class Refusal(NamedTuple):
    """One call that fails, the `number`-th of its name."""

    call: str
    number: int
    error: str

    @property
    def injection(self) -> str:
        """It as strace wants it."""
        return f"inject={self.call}:error={self.error}:when={self.number}"


@pytest.fixture
def strace() -> str:
    """The program that makes calls fail."""
    found = shutil.which("strace", path=f"{os.environ['PATH']}:/usr/bin")
    need(found, "strace (Debian's package of that name)")
    probe = subprocess.run([str(found), "-o", "/dev/null", "true"], capture_output=True)
    need(probe.returncode == 0, "the right to trace a process (ptrace)")
    return str(found)


def traced(world: World, strace: str, *arguments: str, injection: str = "trace=all") -> list[str]:
    """The command line that runs openclaude under strace."""
    log = str(world.root / "trace")
    return [strace, "-qq", "-o", log, "-e", injection, str(world.program), *arguments]


def run(world: World, argv: list[str]) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        argv,
        env=world.env,
        cwd=world.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


def refusals(world: World, strace: str, *arguments: str) -> list[Refusal]:
    """What can be refused from the first look at the state folder to the exec of claude."""
    assert run(world, traced(world, strace, *arguments)).returncode == 0
    lines = (world.root / "trace").read_text(errors="replace").splitlines()
    begin = next(at for at, line in enumerate(lines) if "state/openclaude" in line)
    ends = [at for at, line in enumerate(lines) if line.startswith("execve(")]
    seen: collections.Counter[str] = collections.Counter()
    found = []
    for at, line in enumerate(lines[: ends[-1] if ends[-1] > begin else len(lines)]):
        call = line.partition("(")[0]
        seen[call] += 1
        errors = REFUSALS.get(call) or (MANY.get(call, ()) if seen[call] % STEP == 0 else ())
        if at >= begin and errors:
            found.append(Refusal(call, seen[call], errors[seen[call] % len(errors)]))
    assert len({one.call for one in found}) > 5
    return found


def judge(done: subprocess.CompletedProcess[str], one: Refusal) -> None:
    """One sentence and a way out, or nothing at all."""
    assert "has a bug" not in done.stderr, (one, done.stderr)
    assert "Traceback" not in done.stderr, (one, done.stderr)
    assert done.stdout == "", one
    if done.returncode:
        assert done.returncode in {1, 125, 126}, (one, done)
        assert one.error not in HARMLESS, (one, done.stderr)
        assert re.fullmatch(r"error: .+\n\nhint: .+\n", done.stderr), (one, done.stderr)
    else:
        assert done.stderr == "", one


def leftovers(world: World) -> list[str]:
    """Files of ours that only a launch or a stack may have."""
    return [
        str(path.relative_to(world.home))
        for path in world.home.rglob("*")
        if path.suffix in {".tmp", ".sock"} or path.parent.name == "claude-settings"
    ]


# every third of the calls in each run, and all of them in `build/test variants`
THIRDS = pytest.mark.parametrize("third", [0, variant(1), variant(2)])


@THIRDS
def test_what_is_refused_to_a_launch_that_starts_a_stack_is_said(
    world: World, strace: str, third: int
) -> None:
    assert world.run("-p").status == 0
    world.run("stop")

    for one in [*refusals(world, strace, "-p")][third::3]:
        world.run("stop")
        before = len(world.heard())
        done = run(world, traced(world, strace, "-p", injection=one.injection))

        judge(done, one)
        assert len(world.heard()) - before == (done.returncode == 0), one
        if done.returncode:
            until(lambda: not world.processes())
            assert leftovers(world) == [], one
    assert not (world.state / "crash.md").exists()


@THIRDS
def test_what_is_refused_to_a_launch_that_joins_a_stack_is_said(
    world: World, strace: str, third: int
) -> None:
    assert world.run("-p").status == 0
    pid = world.record()["pid"]

    for one in [*refusals(world, strace, "-p")][third::3]:
        before = len(world.heard())
        done = run(world, traced(world, strace, "-p", injection=one.injection))

        judge(done, one)
        assert len(world.heard()) - before == (done.returncode == 0), one
    assert world.record()["pid"] == pid
    assert world.run("stop").status == 0
    assert leftovers(world) == []


@pytest.mark.parametrize("limit", ["files", "processes"])
def test_a_limit_that_is_too_small_is_named(world: World, limit: str) -> None:
    """As a shell or a container sets it."""
    done = with_few_files(world) if limit == "files" else without_processes(world)

    assert done.status == 125
    assert "has a bug" not in done.err
    assert "hint: " in done.err
    assert "ulimit" in done.err
    until(lambda: not world.processes())


def with_few_files(world: World) -> Run:
    """A launch whose shell allows less than a stack needs."""
    shell = ("sh", "-c", f"ulimit -n 7; exec {world.program} -p")
    done = run(world, [*shell])
    return Run(done.returncode, done.stdout, done.stderr, 0)


def without_processes(world: World) -> Run:
    """A launch whose system gives no process."""
    world.patch_client(
        "import os\n"
        "def fork():\n    raise BlockingIOError(11, 'Resource temporarily unavailable')\n"
        "os.fork = fork"
    )
    return world.run("-p")


# What a parent leaves to us -----------------------------------------------------------------------


def ignore_children() -> None:
    """As some init systems, editors and cron daemons do."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def block_signals() -> None:
    """As a program that forks from a thread with everything blocked."""
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))


def ignore_much() -> None:
    """As `nohup` and others."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)


@pytest.mark.parametrize("parent", [ignore_children, block_signals, ignore_much])
def test_what_a_parent_ignores_or_blocks_changes_nothing(
    world: World, parent: Callable[[], None]
) -> None:
    done = world.run("-p", preexec_fn=parent)
    started = world.run("start", "--wait", preexec_fn=parent)
    status = world.run("status", preexec_fn=parent)
    doctor = world.run("doctor", preexec_fn=parent)

    assert (done.status, done.err) == (0, "")
    assert (started.status, started.err) == (0, "")
    assert (status.status, "has a bug" in doctor.err) == (0, False)
    # the supervisor hears a signal, as if nothing had been blocked
    os.kill(world.record()["pid"], signal.SIGTERM)
    until(lambda: not world.processes())


def test_claude_finds_ignored_what_its_caller_ignores(world: World) -> None:
    world.executable("claude", "#!/bin/sh\ngrep SigIgn /proc/self/status\n")

    plain = subprocess.run(
        [world.claude], preexec_fn=ignore_children, capture_output=True, text=True
    )
    through_us = world.run("-p", preexec_fn=ignore_children)

    assert through_us.out == plain.stdout


def test_a_limit_of_a_billion_descriptors_holds_nothing_up(world: World) -> None:
    """containerd and some shells set it; a close for each of them takes minutes."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # the highest that anyone may set here

    def raise_limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    world.patch_client("import os\nos.closerange = None")  # what an older system does slowly
    with (world.root / "of the caller").open("w") as theirs:
        done = world.run("-p", preexec_fn=raise_limit, pass_fds=(theirs.fileno(),))

    assert (done.status, done.err) == (0, "")
    opened = Path(f"/proc/{world.record()['pid']}/fd")
    assert theirs.name not in {str(path.readlink()) for path in opened.iterdir() if path.exists()}
    assert theirs.name in world.heard()[0]["open"].values()  # and claude has it, as it should


def test_a_first_process_that_reaps_nothing_holds_nothing_up(world: World) -> None:
    """As in a container whose command is not an init: what ends there stays a zombie."""
    probe = ["unshare", "-p", "-f", "--mount-proc", "true"]
    need(subprocess.run(probe, capture_output=True).returncode == 0, "the right to a pid namespace")
    said = world.root / "said"
    # `exec sleep` is the first process, and waits for nobody
    script = (
        f"({world.program} -p && {world.program} start --wait && {world.program} status"
        f" && {world.program} stop && {world.program} start --wait && {world.program} stop;"
        f" echo $? > {said}.part; mv {said}.part {said}) > {world.root}/out 2>&1 & exec sleep 1000"
    )
    argv = ["unshare", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-c", script]

    with subprocess.Popen(argv, env=world.env, cwd=world.home) as process:
        try:
            until(said.exists)
        finally:
            process.kill()

    out = (world.root / "out").read_text()
    assert said.read_text() == "0\n", out
    assert out.count("stopped") == 2, out


def test_a_stack_whose_launch_comes_to_nothing_is_ended(empty_world: World, plan: MakePlan) -> None:
    world = empty_world
    world.keep(plan())
    world.claude.write_text("neither a script nor a binary\n")

    done = world.run("-p")

    assert done.status == 126
    until(lambda: not world.processes())
    assert leftovers(world) == []


# Start and stop -----------------------------------------------------------------------------------

# the first of each of these; every fourth call is tried by `build/test --all`
STEP_OF_ALL = 4
OF_A_START = {"bind", "clone", "flock", "mkdir", "pipe2"}
OF_A_STOP = {"connect", "flock", "openat", "unlink"}


def tried(found: list[Refusal], calls: set[str], *, is_whole: bool) -> list[Refusal]:
    """Those that one run has the time for."""
    firsts = {one.call: one for one in reversed(found)}
    chosen = [firsts[call] for call in sorted(calls & firsts.keys())]
    assert len(chosen) >= len(calls) - 1, sorted(firsts)  # a folder is not always made
    return found[::STEP_OF_ALL] if is_whole else chosen


def judge_command(done: subprocess.CompletedProcess[str], one: Refusal) -> None:
    """It is done, or one sentence says why not."""
    assert "has a bug" not in done.stderr, (one, done.stderr)
    assert "Traceback" not in done.stderr + done.stdout, (one, done)
    if one.call == "write" and done.returncode == OUTPUT_UNREAD:
        return  # what could not be said was done
    assert done.returncode in {0, 1}, (one, done)
    if done.returncode == 0:
        assert done.stderr == "", one
    elif "not running" not in done.stdout:
        assert one.error not in HARMLESS, (one, done.stderr)
        assert re.fullmatch(r"error: .+\n\nhint: .+\n", done.stderr), (one, done)


@pytest.mark.parametrize("is_whole", [False, variant(True)])
def test_what_is_refused_to_a_start_is_said(world: World, strace: str, *, is_whole: bool) -> None:
    assert world.run("start").status == 0
    world.run("stop")

    for one in tried(refusals(world, strace, "start"), OF_A_START, is_whole=is_whole):
        world.run("stop")
        done = run(world, traced(world, strace, "start", injection=one.injection))

        judge_command(done, one)
        if done.returncode:
            until(lambda: not world.processes())
            assert leftovers(world) == [], one
    assert not (world.state / "crash.md").exists()


def test_what_is_refused_to_a_stop_is_said_and_the_next_one_ends_everything(
    world: World, strace: str
) -> None:
    """Every call is tried by `tests/long/test_refusals_of_a_stop.py`."""
    assert world.run("start").status == 0

    for one in tried(refusals(world, strace, "stop"), OF_A_STOP, is_whole=False):
        refuse_a_stop(world, strace, one)
    assert not (world.state / "crash.md").exists()


def refuse_a_stop(world: World, strace: str, one: Refusal) -> None:
    """Let one call of a stop fail; what it leaves the next one ends."""
    world.run("start")
    done = run(world, traced(world, strace, "stop", injection=one.injection))

    judge_command(done, one)
    world.run("stop")
    until(lambda: not world.processes())
    assert leftovers(world) == [], one
