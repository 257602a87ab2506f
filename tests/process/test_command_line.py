"""The command line: claude's arguments reach claude byte for byte; its exit status comes back."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from openclaude.claude.way import MARK_AT
from openclaude.commands.completion import find_script
from openclaude.errors import LAUNCH_FAILED
from tests.conftest import need
from tests.process.world import World, is_gone, until

OURS_AND_THEIRS = [
    ((), ()),
    (("-p", "say hi"), ("-p", "say hi")),
    (("", " ", "a  b", "\t\n"), ("", " ", "a  b", "\t\n")),
    (("héllo", "日本", "🦉"), ("héllo", "日本", "🦉")),
    ((b"\xff\xfe", b"caf\xe9"), (b"\xff\xfe", b"caf\xe9")),
    (("-p", "--", "--settings", "x"), ("-p", "--", "--settings", "x")),
    (("--profile", "qwen", "-p", "hi"), ("-p", "hi")),
    (("--profile=qwen", "-p", "hi"), ("-p", "hi")),
    (("--profile", "qwen", "--", "-p"), ("-p",)),
    (("--profile", "qwen", "--", "--", "-p"), ("--", "-p")),
    (("-p", "--profile", "x"), ("-p", "--profile", "x")),
    (("--profile=qwen", "--profile=x"), ("--profile=x",)),
    (("--resume", "start"), ("--resume", "start")),
    (("--", "status"), ("status",)),
    (("--profile", "qwen", "--", "status"), ("status",)),
    (("*", "$HOME", "`id`", "'", '"', "\\"), ("*", "$HOME", "`id`", "'", '"', "\\")),
    (("--model", "haiku", "-p", "a" * 100_000), ("--model", "haiku", "-p", "a" * 100_000)),
]


def as_latin(arguments: tuple[str | bytes, ...]) -> list[str]:
    return [os.fsencode(argument).decode("latin-1") for argument in arguments]


@pytest.mark.parametrize(("ours", "theirs"), OURS_AND_THEIRS)
def test_what_follows_our_part_reaches_claude_byte_for_byte_and_in_order(
    world: World, ours: tuple[str | bytes, ...], theirs: tuple[str | bytes, ...]
) -> None:
    done = world.run(*ours)

    assert done == (0, "", "", done.pid)
    (heard,) = world.heard()
    assert heard["arguments"][0] == "--settings"
    assert Path(heard["arguments"][1]).parent == world.state.parent / "claude-settings"
    assert heard["arguments"][2:] == as_latin(theirs)


def test_a_mistyped_command_is_no_prompt_and_its_hint_is_right(world: World) -> None:
    ran = world.run("statsu")

    assert (ran.status, ran.out, world.heard()) == (LAUNCH_FAILED, "", [])
    assert ran.err == (
        "error: `statsu` is not a command of openclaude; did you mean `openclaude status`?\n\n"
        "hint: `openclaude -- statsu` sends it to claude as a prompt\n"
    )
    assert world.run("--", "statsu").status == 0
    assert world.heard()[0]["arguments"][-1] == "statsu"


def test_a_profile_in_front_of_a_command_belongs_to_it(world: World) -> None:
    assert world.run("--profile", "qwen", "start").status == 0
    assert world.run("--profile=qwen", "status", "--json").status == 0
    assert world.run("--profile", "qwen", "stop").out == "qwen: stopped\n"
    assert world.heard() == []


def test_claudes_update_says_whose_it_is(world: World) -> None:
    done = world.run("update")

    assert (done.status, done.out, world.heard()[0]["arguments"]) == (0, "", ["update"])
    assert "this updates claude" in done.err
    assert world.run("--", "-p", "update").err == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_printed(world: World, shell: str) -> None:
    done = world.run("completion", shell)

    assert (done.status, done.err) == (0, "")
    assert done.out == find_script(shell).read_text()
    assert "uninstall" in done.out


@pytest.mark.parametrize("first", ["doctor", "--help", "-h", "--version", "mcp", "auth"])
def test_words_of_claude_that_ask_no_model_reach_it_without_a_stack(
    world: World, first: str
) -> None:
    done = world.run("--", first, "x")

    assert done == (0, "", "", done.pid)
    assert world.heard()[0]["arguments"] == [first, "x"]
    assert not world.state.exists()


def test_what_an_editors_terminal_tells_claude_reaches_it(world: World) -> None:
    """JetBrains runs its *Claude command* in its terminal, and claude finds the editor by these."""
    told = {
        "TERMINAL_EMULATOR": "JetBrains-JediTerm",
        "CLAUDE_CODE_SSE_PORT": "63342",
        "ENABLE_IDE_INTEGRATION": "true",
    }

    done = world.run("--profile", "qwen", "--ide", env={**world.env, **told})

    assert done == (0, "", "", done.pid)
    (heard,) = world.heard()
    assert heard["arguments"][2:] == ["--ide"]
    assert {name: heard["environment"].get(name) for name in told} == told


@pytest.mark.parametrize("status", [0, 1, 7, 255])
def test_claudes_exit_status_comes_through(world: World, status: int) -> None:
    world.tell_claude(status=status)

    assert world.run("-p").status == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGPIPE])
def test_claude_ended_by_a_signal_looks_ended_by_that_signal(
    world: World, number: signal.Signals
) -> None:
    world.tell_claude(signal=number)

    assert world.run("-p").status == -number


def test_claude_is_the_same_process_and_writes_where_openclaude_would(world: World) -> None:
    world.tell_claude(out="hello\n", err="warning\n")

    done = world.run("-p")

    assert (done.out, done.err) == ("hello\n", "warning\n")
    assert world.heard()[0]["pid"] == done.pid


def test_a_signal_sent_to_openclaudes_pid_reaches_claude(world: World) -> None:
    world.tell_claude(sleep_s=120)
    with world.start() as process:
        until(world.heard)

        process.terminate()

        assert process.wait(60) == -signal.SIGTERM


def test_claude_stays_in_the_session_and_group_it_was_started_in(world: World) -> None:
    world.run(start_new_session=True)

    heard = world.heard()[0]
    assert heard["session"] == heard["group"] == heard["pid"]


def test_our_processes_are_in_sessions_of_their_own(world: World) -> None:
    # so that Ctrl-C, Ctrl-Z and the end of claude's terminal do not reach them
    world.run("-p", start_new_session=True)
    world.up()

    sessions = {os.getsid(process.pid) for process in world.processes()}

    assert len(world.processes()) == len(sessions) == world.crew_size
    assert sessions.isdisjoint({world.heard()[0]["session"], os.getsid(0)})


def test_claude_starts_with_the_signals_it_would_have_without_us(world: World) -> None:
    need(Path("/proc/self/status").exists(), "a /proc that tells about signals")
    world.executable("claude", "#!/bin/sh\nexec grep -E '^Sig(Ign|Blk)' /proc/self/status\n")
    # signals that were ignored when the tests started, in the background for example
    plain = subprocess.run([world.claude], capture_output=True, text=True).stdout

    assert world.run().out == plain
    assert int(plain.split()[-1], 16) & (1 << signal.SIGPIPE - 1) == 0


def test_claude_inherits_what_the_shell_opened_and_a_script_a_mark_of_ours(world: World) -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    try:
        world.run(pass_fds=(write,))
        # this claude is a script, which may lead back to openclaude
        expected = {"0", "1", "2", str(write), str(MARK_AT)}
    finally:
        os.close(read)
        os.close(write)

    assert set(world.heard()[0]["open"]) == expected


def test_a_pipe_of_the_shell_ends_with_claude_though_the_stack_lives_on(world: World) -> None:
    command = f"{world.program} -p 3>&1 | cat"

    done = subprocess.run(
        ["sh", "-c", command], env=world.env, cwd=world.home, capture_output=True, timeout=120
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert not is_gone(world.record()["pid"])


def test_the_supervisor_has_nothing_open_but_its_log_and_sockets(world: World) -> None:
    world.up()

    pid = world.record()["pid"]
    opened = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]

    kinds = {world.plain(path).partition(":")[0] for path in opened}
    assert kinds <= {
        "ROOT/home/.local/state/openclaude/stacks/qwen/supervisor.log",
        "socket",
        "pipe",
        "anon_inode",
    }


def test_a_session_with_closed_standard_streams_starts_as_well(world: World) -> None:
    closed = ["sh", "-c", 'exec "$0" -p <&- >&- 2>&-', str(world.program)]

    done = subprocess.run(closed, env=world.env, cwd=world.home, timeout=120)

    assert done.returncode == 0
    assert {"0", "1", "2"}.isdisjoint(world.heard()[0]["open"])
    assert world.up() == world.record()["port"]
