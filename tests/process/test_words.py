"""Our commands: what they print, where, and their exit status."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable

import pytest

from openclaude import __version__
from openclaude.commands.payloads.table import keys_of
from openclaude.contracts.plan import Plan
from tests.conftest import REPOSITORY
from tests.process.world import World, in_foreground, until

ENVELOPE = ("openclaude_json", "openclaude", "command", "status", "exit_code", "data", "errors")


def usage(word: str, message: str) -> str:
    """Return the error for a wrong command line."""
    return f"error: {message}\n\nhint: see `openclaude {word} --help`\n"


MIAN = "unknown unit `mian` (choose from supervisor, main, providers); did you mean `main`?"
NOT_RUNNING = (
    "error: the proxies of `qwen` are not running\n"
    "\nhint: start them with `openclaude start --profile qwen`\n"
)
NO_LOGS = "error: no logs of `qwen`\n\nhint: start the proxies: `openclaude start --profile qwen`\n"
BOTH = "error: `--all` and a profile exclude each other\n\nhint: use one of the two\n"
NO_COMMAND = (
    "error: no command is called `stauts`; did you mean `status`?\n"
    "\nhint: `openclaude help` lists them\n"
)
UNKNOWN = "error: no profile named `{}`\n\nhint: {}\n"
# argv, exit status, stdout, stderr; nothing is running
SAID = [
    ("status", 1, "nothing is running\n", ""),
    ("status --profile base", 1, "nothing is running\n", ""),
    ("stop", 1, "qwen: not running\n", ""),
    ("stop --profile base", 1, "base: not running\n", ""),
    ("stop --all", 0, "nothing is running\n", ""),
    ("lock", 1, "qwen: not running\n", ""),
    ("lock --all", 0, "nothing is running\n", ""),
    ("restart", 1, "", NOT_RUNNING),
    ("switch haiku=x", 1, "", NOT_RUNNING),
    (
        "switch",
        2,
        "",
        "error: no tier is named\n\nhint: for example `openclaude switch haiku=MODEL`\n",
    ),
    (
        "top",
        2,
        "",
        "error: `top` needs a terminal\n\n"
        "hint: `openclaude status` prints the same once, anywhere\n",
    ),
    ("logs", 1, "", NO_LOGS),
    ("status --nope", 2, "", usage("status", "unknown option: --nope")),
    ("status x", 2, "", UNKNOWN.format("x", "list them with `openclaude profiles list`")),
    ("stop qwem", 2, "", UNKNOWN.format("qwem", "did you mean `qwen`?")),
    ("lock qwem", 2, "", UNKNOWN.format("qwem", "did you mean `qwen`?")),
    ("restart qwem", 2, "", UNKNOWN.format("qwem", "did you mean `qwen`?")),
    ("profiles import .", 2, "", "error: `.` is a directory\n\nhint: name a .toml file\n"),
    ("logs qwem", 2, "", UNKNOWN.format("qwem", "did you mean `qwen`?")),
    ("status x y", 2, "", usage("status", "unexpected argument: y")),
    ("stop base", 1, "base: not running\n", ""),
    ("stop base --profile qwen", 2, "", usage("stop", "two profiles are named: `base` and `qwen`")),
    ("logs base main", 1, "", NO_LOGS.replace("qwen", "base")),
    ("logs base mian", 2, "", usage("logs", MIAN)),
    ("logs base --profile qwen", 2, "", usage("logs", "two profiles are named: `base` and `qwen`")),
    ("help stauts", 2, "", NO_COMMAND),
    ("stop --all qwen", 2, "", BOTH),
    ("completion", 2, "", usage("completion", "missing: shell")),
    ("usage --json=5", 2, "", usage("usage", "`--json` takes no value")),
    (
        "usage --today --since 7d",
        2,
        "",
        usage("usage", "`--since` and `--today` exclude each other"),
    ),
    ("help aws setup", 0, "usage: openclaude aws setup ", ""),
    ("usage qwem", 2, "", UNKNOWN.format("qwem", "did you mean `qwen`?")),
    ("requests --profile qwem", 2, "", UNKNOWN.format("qwem", "did you mean `qwen`?")),
    ("aws policy qwem", 2, "", UNKNOWN.format("qwem", "did you mean `qwen`?")),
    ("aws policy qwen x", 2, "", usage("aws policy", "unexpected argument: x")),
    ("profiles list --nope", 2, "", usage("profiles list", "unknown option: --nope")),
    ("setup qwem --yes", 2, "", UNKNOWN.format("qwem", "did you mean `qwen`?")),
    ("lock qwen --all", 2, "", BOTH),
    ("status --js", 2, "", usage("status", "unknown option: --js")),
    ("start --all", 2, "", usage("start", "unknown option: --all")),
    ("compile --out", 2, "", usage("compile", "`--out` needs a value")),
    (
        "logs mian",
        2,
        "",
        usage("logs", MIAN),
    ),
    ("logs -n x", 2, "", usage("logs", "`--lines` takes a number, not `x`")),
    ("logs -n -1", 2, "", usage("logs", "`--lines` takes a number of 0 or more")),
    ("logs -f --json", 2, '"code": "usage"', ""),
    ("--version -x", 2, "", "error: unknown option: -x\n\nhint: see `openclaude --help`\n"),
    ("uninstall --all", 2, "", usage("uninstall", "unknown option: --all")),
    ("uninstall", 0, "openclaude has no files here\n", ""),
    ("doctor --profile ../x", 1, "`../x` cannot be a profile name", ""),
    ("--version", 0, f"openclaude {__version__} (claude ", ""),
    ("--help", 0, "openclaude: Claude Code on the models you choose", ""),
    ("-h", 0, "openclaude: Claude Code on the models you choose", ""),
    ("start --help", 0, "usage: openclaude start", ""),
    ("profiles", 0, "NAME ", ""),
]


@pytest.mark.parametrize(("argv", "status", "out", "err"), SAID, ids=[row[0] for row in SAID])
def test_a_word_says_this_and_exits_with_that(
    empty_world: World, argv: str, status: int, out: str, err: str
) -> None:
    done = empty_world.run(*argv.split())

    assert (done.status, done.err) == (status, err)
    assert out in done.out
    assert out or not done.out


def test_the_version_names_the_lock_that_was_tested(empty_world: World) -> None:
    lock = (REPOSITORY / "build" / "requirements.lock").read_bytes()
    data = empty_world.json("--version")["data"]

    assert data["lock"] == hashlib.sha256(lock).hexdigest()
    assert f"litellm=={data['litellm']} " in lock.decode()


# argv, exit status, keys of `data`; the stack of `qwen` is running
REPORTS = [
    ("status", 0, ["stacks", "recording"]),
    ("status --profile base", 1, ["stacks", "recording"]),
    ("start", 0, ["profile", "port", "is_new", "changes"]),
    ("start --profile nope", 2, []),
    ("restart", 0, ["profile", "changes"]),
    ("restart --profile base", 1, []),
    ("switch --undo", 0, ["profile", "changes", "saved", "switched", "sessions", "notes"]),
    ("switch haiku=x --profile base", 1, []),
    ("lock", 0, ["locked", "not_running", "sessions"]),
    ("lock --profile base", 1, ["locked", "not_running", "sessions"]),
    ("stop --profile base", 1, ["stopped", "not_running", "sessions"]),
    ("stop", 0, ["stopped", "not_running", "sessions"]),
    ("start", 0, ["profile", "port", "is_new", "changes"]),
    ("logs", 0, ["profile", "files", "lines"]),
    ("logs main -n 1", 0, ["profile", "files", "lines"]),
    ("logs --profile base", 1, []),
    ("compile", 0, ["profile", "digest", "files", "written", "disclosures"]),
    ("compile --profile ../x", 2, []),
    ("export systemd", 0, ["profile", "manager", "files", "written", "variables"]),
    ("profiles", 0, ["default", "profiles"]),
    ("profiles list", 0, ["default", "profiles"]),
    ("profiles show nope", 2, []),
    ("profiles validate nope", 2, ["profiles"]),
    ("profiles new", 2, []),
    ("status --nope", 2, []),
    ("uninstall", 2, ["is_done", "stopped", "removed", "kept", "program"]),
    ("doctor --nope", 2, []),
    ("doctor", 0, ["profile", "counts", "diagnostics", "findings", "fixed"]),
    ("doctor --profile nope", 1, ["profile", "counts", "diagnostics", "findings", "fixed"]),
    ("report", 0, ["text", "file"]),
    ("env --for editor", 0, ["profile", "program", "url", "key", "certificate", "variables"]),
    ("env --for editor --revoke", 0, ["profile", "program"]),
    ("env --for editor --revoke", 1, []),
    ("--version", 0, ["openclaude", "claude", "litellm", "python", "lock"]),
    ("stop --all", 0, ["stopped", "not_running", "sessions", "demos"]),
    ("stop --all", 0, ["stopped", "not_running", "sessions", "demos"]),
]
UNIT = ["name", "state", "pid", "port", "state_s", "in_flight", "served", "restarts", "last_error"]
UNIT += ["cause", "pss_bytes", "rss_bytes", "cpu_s"]
STACK = ["version", "profile", "folder", "digest", "is_stopping", "pid", "port", "uptime_s"]
STACK += ["start_method", "sessions", "tiers", "units", "draining", "forkserver", "preloader"]
STACK += ["certificate", "degraded", "renewed", "server", "switched", "programs", "supervisor"]
STACK += ["aws_login"]


def test_every_report_is_the_same_envelope(world: World) -> None:
    world.up()
    for argv, status, data in REPORTS:
        done = world.run(*argv.split(), "--json")

        envelope = json.loads(done.out)
        assert (argv, done.status, done.err) == (argv, status, "")
        assert tuple(envelope) == ENVELOPE
        assert envelope["openclaude_json"] == 1
        assert envelope["openclaude"] == __version__
        assert envelope["command"][0] == argv.split()[0]
        assert envelope["exit_code"] == status
        assert envelope["status"] == ("error" if status else "ok")
        assert (argv, list(envelope["data"])) == (argv, data)
        documented = [*keys_of(envelope["command"])]
        assert (argv, [key for key in documented if key in data]) == (argv, data)
        assert all(list(error) == ["code", "message", "hint"] for error in envelope["errors"])
        assert bool(envelope["errors"]) == (status == 2 or (status == 1 and not data)), argv


def test_status_is_pinned_and_sane(world: World) -> None:
    port = world.up()

    stack = world.status()

    assert list(stack) == STACK
    assert [list(unit) for unit in stack["units"]] == [UNIT, UNIT]
    assert [(unit["name"], unit["port"]) for unit in stack["units"]] == [
        ("main", port),
        ("providers", port + 1),
    ]
    assert stack["pid"] == world.record()["pid"]
    assert 0 <= stack["uptime_s"] < 60
    for unit in stack["units"]:
        assert unit["state"] == "ready"
        assert 0 <= unit["state_s"] <= stack["uptime_s"]
        assert 5e6 < unit["rss_bytes"] < 5e8
        assert (unit["restarts"], unit["last_error"]) == (0, "")


def test_status_as_a_table_has_a_row_for_each_unit(world: World) -> None:
    port = world.up()

    lines = world.run("status", "--processes").out.splitlines()

    assert lines[0].startswith("qwen: up ")
    assert lines[2].split() == [
        *("PROCESS", "STATE", "PORT", "PID", "FOR", "ACTIVE", "SERVED", "RESTARTS"),
        *("RSS", "PSS", "CPU"),
    ]
    assert [line.split()[:3] for line in lines[3:7]] == [
        ["main", "ready", str(port)],
        ["providers", "ready", str(port + 1)],
        ["supervisor", "-", "-"],
        ["forkserver", "ready", "-"],
    ]
    assert "  haiku   Qwen3 Next 80B (bedrock/qwen.qwen3-next-80b-a3b)" in lines


@pytest.mark.parametrize("command", ["logs -f", "status", "compile", "--help"])
def test_a_reader_that_leaves_is_no_failure(world: World, command: str) -> None:
    world.up()
    words = f"{world.program} {command}; echo $? >&2"

    done = subprocess.run(
        ["sh", "-c", f"{{ {words}; }} | true"], env=world.env, capture_output=True, timeout=120
    )

    assert done.stderr in {b"141\n", b"0\n"}  # 0: it was faster than its reader
    assert not (world.state / "crash.md").exists()


def test_an_empty_name_is_not_the_default(world: World) -> None:
    world.up()

    ran = world.run("stop", "")

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error: `` cannot be a profile name\n")
    assert world.status()["pid"]


@pytest.mark.parametrize("command", ["profiles", "profiles show --json"])
def test_a_full_disk_behind_stdout_is_one_sentence(empty_world: World, command: str) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        ran = empty_world.run(*command.split(), stdout=full)

    assert ran.status == 1
    assert ran.err == (
        "error: the system refuses a request: No space left on device\n\n"
        "hint: free some space (`df -h`), then try again\n"
    )


@pytest.mark.parametrize(("command", "status"), [("list", 141), ("show nope", 2)])
def test_a_terminal_that_has_closed_is_no_failure_either(
    world: World, command: str, status: int
) -> None:
    ours, theirs = os.openpty()
    os.close(ours)

    with world.start("profiles", *command.split(), stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        assert process.wait(20) == status

    assert not (world.state / "crash.md").exists()


def test_an_interrupted_word_exits_with_130_and_says_nothing(
    empty_world: World, plan: Callable[..., Plan]
) -> None:
    empty_world.keep(plan(main={"STUB_DELAY_S": "60"}))
    with empty_world.start("start", "--wait", preexec_fn=in_foreground) as process:
        empty_world.record()

        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)

    assert (process.returncode, out, err) == (130, "", "")


def test_stop_all_needs_no_profile(world: World) -> None:
    world.up()

    done = world.run("stop", "--all", env={**world.env, "OPENCLAUDE_PROFILE": "../x"})

    assert done[:3] == (0, "qwen: stopped\n", "")


def test_start_says_what_it_did(world: World, port: int) -> None:
    first = world.run("start", "--wait")
    second = world.run("start")

    assert first[:3] == (0, f"qwen: started on https://127.0.0.1:{port}\n", "")
    assert second[:3] == (0, f"qwen: already running on https://127.0.0.1:{port}\n", "")
    assert until(lambda: world.run("stop"))[:3] == (0, "qwen: stopped\n", "")


def test_status_shows_itself_again_until_it_is_interrupted(world: World) -> None:
    world.up()
    with world.start("status", "--watch", preexec_fn=in_foreground) as process:
        assert process.stdout is not None
        titles: list[str] = []
        while len(titles) < 2:
            line = process.stdout.readline()
            titles += [line] if ": up " in line else []
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)

    assert (process.returncode, err) == (130, "")
    assert all(title.startswith("qwen: up ") for title in titles)


def test_top_shows_sessions_on_a_terminal_of_its_own_and_leaves_it_as_it_was(
    world: World,
) -> None:
    world.up()
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    env = {**world.env, "TERM": "xterm"}
    with subprocess.Popen(
        [world.program, "top"], env=env, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        shown = read_until(ours, b"q quit")
        assert shown.startswith(b"\x1b[?1049h")
        assert b"qwen: up " in shown
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 20, 0, 0))
        process.send_signal(signal.SIGWINCH)
        assert b"q quit  a age  r req\x1b[K" in read_until(ours, b"r req\x1b[K")
        os.write(ours, b"\x1b[A")  # an arrow means nothing here
        os.write(ours, b"q")
        read_until(ours, b"\x1b[?1049l")
        assert process.wait(60) == 0
    assert termios.tcgetattr(theirs) == before
    with subprocess.Popen(
        [world.program, "top"], env=env, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        read_until(ours, b"q quit")
        process.terminate()
        read_until(ours, b"\x1b[?1049l")
        assert process.wait(60) == 128 + signal.SIGTERM
    dumb = subprocess.run(
        [world.program, "top"],
        env={**env, "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert (dumb.returncode, "TERM is `dumb`" in dumb.stderr) == (2, True)
    with subprocess.Popen(
        [world.program, "top"], env=env, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        read_until(ours, b"q quit")
        os.close(ours)  # the terminal is closed
        assert process.wait(60) in {0, 128 + signal.SIGHUP}


def read_until(terminal: int, awaited: bytes) -> bytes:
    """Return what the terminal shows up to an expected text."""
    found, end = b"", time.monotonic() + 60  # only failures take this long
    while awaited not in found:
        assert time.monotonic() < end, found
        assert select.select([terminal], [], [], 60)[0], found
        found += os.read(terminal, 4096)
    return found
