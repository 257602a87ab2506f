"""`openclaude logs`: what exists, what is added, and its end."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from tests.process.world import World, in_foreground

LINES = "".join(f"line {number} {'x' * 80}\n" for number in range(1000))


@pytest.fixture
def logged(world: World) -> World:
    """A stack whose main has logged a thousand lines; it is no longer running."""
    world.folder().mkdir(parents=True)
    (world.folder() / "main.log").write_text(LINES)
    return world


@pytest.mark.parametrize(
    ("options", "count"), [("", 40), ("-n 3", 3), ("-n 0", 0), ("--lines 600", 600)]
)
def test_as_many_last_lines_as_were_asked_for(logged: World, options: str, count: int) -> None:
    done = logged.run("logs", *options.split())

    body = "".join(LINES.splitlines(keepends=True)[1000 - count :])
    assert done.out == (f"==> main <==\n{body}" if count else "")


def test_one_unit_only(logged: World) -> None:
    (logged.folder() / "supervisor.log").write_text("one\n")

    assert logged.run("logs", "supervisor").out == "==> supervisor <==\none\n"


def test_following_tells_what_comes_until_interrupted(logged: World) -> None:
    log = logged.folder() / "main.log"
    with logged.start("logs", "-f", "-n", "1", preexec_fn=in_foreground) as process:
        assert process.stdout
        assert process.stdout.readline() == "==> main <==\n"
        assert process.stdout.readline().startswith("line 999 ")

        with log.open("a") as file:
            file.write("half a li")
            file.flush()
            file.write("ne\nanother\n")
        assert process.stdout.readline() == "main: half a line\n"
        assert process.stdout.readline() == "main: another\n"

        (logged.folder() / "providers.log").write_text("begins late\n")
        assert process.stdout.readline() == "providers: begins late\n"

        log.write_text("put aside\n")
        assert process.stdout.readline() == "main: put aside\n"

        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (130, "", "")


def test_ctrl_c_on_a_terminal_ends_following_with_130(logged: World) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [logged.program, "logs", "-f", "-n", "1"],
        env=logged.env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=take_terminal,
    ) as process:
        os.close(theirs)
        assert b"==> main <==" in read_terminal(ours, b"line 999")

        os.write(ours, b"\x03")

        assert process.wait(60) == 130
    os.close(ours)


def take_terminal() -> None:
    """Make standard input the terminal of this session, as a shell's is."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    in_foreground()


def read_terminal(terminal: int, awaited: bytes) -> bytes:
    """Return what the terminal shows up to an expected text."""
    found = b""
    while awaited not in found:
        found += os.read(terminal, 1024)
    return found


def test_a_log_that_is_not_text_is_shown_all_the_same(logged: World) -> None:
    Path(logged.folder() / "main.log").write_bytes(b"\xff\x00 odd\n")

    assert "odd" in logged.run("logs", "main").out


def test_no_word_of_a_provider_is_obeyed_by_the_terminal(logged: World) -> None:
    (logged.folder() / "main.log").write_bytes(
        b"error: \x1b]0;PWNED\x07\x1b[2J\xc2\x9b31m \r over\tthere\n"
    )

    done = logged.run("logs")

    assert done.out == "==> main <==\nerror: \\x1b]0;PWNED\\x07\\x1b[2J\\x9b31m \\r over\tthere\n"


def test_tracebacks_are_shown_with_debug_only_and_a_replaced_log_is_followed(
    logged: World,
) -> None:
    log = logged.folder() / "main.log"
    log.write_text("2026-11-30T10:00:00.000Z ERROR x: failed\n    | Traceback\n    |   File\n")

    assert logged.run("logs", "main").out.splitlines()[1:] == [
        "2026-11-30T10:00:00.000Z ERROR x: failed"
    ]
    assert logged.run("logs", "main", "--debug").out.count("    | ") == 2
    with logged.start("logs", "-f", "-n", "1", preexec_fn=in_foreground) as process:
        assert process.stdout
        assert process.stdout.readline() == "==> main <==\n"
        assert process.stdout.readline().endswith("failed\n")
        with log.open("a") as file:
            file.write("seen\n")
        assert process.stdout.readline() == "main: seen\n"
        log.unlink()
        (logged.folder() / "new").write_text("    | hidden\n" + "y" * 200 + "\n")
        (logged.folder() / "new").rename(log)
        assert process.stdout.readline() == f"main: {'y' * 200}\n"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
