"""A launch ends as claude ends: its exit status, its signals, its own output. It is claude."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from tests.e2e.house import CLAUDE, OPENCLAUDE, PROFILE, House, Ran
from tests.e2e.processes import command_line, executable

SLOW = script.wait(3)
# What plain claude prints when Ctrl-C ends a request: it depends on how far the request was.
INTERRUPTED = ("", "Execution error")


@pytest.mark.parametrize("arguments", [("--nope",), ("-p",), ("-p", "hi", "--max-turns", "x")])
def test_a_wrong_command_line_fails_in_claudes_own_words(
    house: House, anthropic: AnthropicStandin, arguments: tuple[str, ...]
) -> None:
    plain = house.claude(*arguments)
    ours = house.openclaude(*arguments)

    assert ours == plain
    assert ours.code == 1
    assert ours.err
    assert not anthropic.requests


@pytest.mark.parametrize("arguments", [("--", "--version"), ("mcp", "list"), ("--", "--help")])
def test_words_of_claude_reach_it_byte_for_byte(house: House, arguments: tuple[str, ...]) -> None:
    plain = house.claude(*(word for word in arguments if word != "--"))

    assert house.openclaude(*arguments) == plain
    assert plain.code == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 0)]
)
def test_a_signal_ends_it_as_it_ends_plain_claude(
    house: House, anthropic: AnthropicStandin, number: signal.Signals, code: int
) -> None:
    words = ("-p", SLOW, "--model", "opus")

    plain = interrupted(house, anthropic, ("claude", *words), house.plain_environment(), number)
    anthropic.clear()
    launch = (OPENCLAUDE, "--profile", PROFILE, *words)
    ours = interrupted(house, anthropic, launch, house.environment(), number)

    if number == signal.SIGINT:
        assert ours.out in INTERRUPTED
        assert plain.out in INTERRUPTED
        ours = ours._replace(out=plain.out)
    assert ours == plain
    assert ours.code == code


def interrupted(
    house: House,
    anthropic: AnthropicStandin,
    argv: Sequence[str | Path],
    env: Mapping[str, str],
    number: signal.Signals,
) -> Ran:
    """Run claude and send a signal while it waits for Anthropic's answer."""
    with house.start(argv, env) as process:
        assert anthropic.wait_until(lambda standin: bool(standin.requests))
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    return Ran(process.returncode, out, err)


def test_the_process_that_was_launched_is_claude_and_has_no_child_of_ours(
    house: House, anthropic: AnthropicStandin
) -> None:
    argv = (OPENCLAUDE, "--profile", PROFILE, "-p", SLOW, "--model", "opus")
    with house.start(argv, house.environment()) as process:
        arrived = anthropic.wait_until(lambda standin: bool(standin.requests))
        runs, said = executable(process.pid), command_line(process.pid)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        commands = [command_line(int(pid)) for pid in children.split()]  # claude has its own: git
        process.kill()

    assert arrived
    assert runs == CLAUDE
    words = said.split(b"\0")
    assert words[:2] == [b"claude", b"--settings"]
    assert words[3:] == [b"-p", SLOW.encode(), b"--model", b"opus", b""]
    assert [command for command in commands if b"openclaude" in command] == []
