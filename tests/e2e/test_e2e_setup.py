"""From an empty HOME to an answer: `openclaude setup` on a terminal, then a session, then again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pty
import select
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.conftest import ENV_TOKEN
from tests.e2e.house import OPENCLAUDE, PROFILE, House

WAIT_S = 60.0
WHICH = "Which profile do you want to use? "
SET_UP = "Run `openclaude aws setup --name openclaude` now? (yes or no) [no]: "
WRITE = "write this for AWS profile `openclaude`? (yes or no) [no]: "
ASK_AWS = "(less than a US cent)? (yes or no) [no]: "


def empty(house: House) -> None:
    """Remove everything from a HOME except the profile for the stand-ins."""
    for name in (".claude", ".aws"):
        shutil.rmtree(house.home / name)
    (house.home / ".claude.json").unlink()


@contextlib.contextmanager
def conversation(house: House, env: Mapping[str, str]) -> Iterator[tuple[int, list[str]]]:
    """Run `openclaude setup` on a terminal; yield the terminal, and finally what it has shown."""
    ours, theirs = pty.openpty()
    shown: list[str] = []
    with subprocess.Popen(
        (str(OPENCLAUDE), "setup"),
        env=dict(env),
        cwd=house.project,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            yield ours, shown
            with contextlib.suppress(OSError):  # Linux: the other end is closed
                while part := read(ours):
                    shown[:] = [*shown, part]
            assert process.wait(WAIT_S) == 0, "".join(shown)
        finally:
            process.kill()
            os.close(ours)


def read(terminal: int) -> str:
    """Read what comes next; "" at the end."""
    ready, _, _ = select.select([terminal], [], [], WAIT_S)
    return os.read(terminal, 65536).decode() if ready else ""


def answer(terminal: int, shown: list[str], pairs: Sequence[tuple[str, str]]) -> None:
    """Wait for each question at the end of the output, and type the answer."""
    for question, typed in pairs:
        while not "".join(shown).rstrip(" ").endswith(question.rstrip(" ")):
            part = read(terminal)
            assert part, f"{question!r} did not come: {''.join(shown)}"
            shown.append(part)
        os.write(terminal, f"{typed}\n".encode())


def files(home: Path) -> dict[str, str]:
    """Return everything under a HOME, and a hash of its content."""
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


def test_from_an_empty_home_to_an_answer_and_a_second_run_changes_no_byte(
    empty_house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    house = empty_house
    empty(house)
    env = house.environment({"CLAUDE_CODE_OAUTH_TOKEN": ENV_TOKEN})
    first = (
        (f"{WHICH}[qwen]: ", PROFILE),
        (SET_UP, "yes"),
        ("credentials come from? [sso]: ", "keys"),
        ("access key id: ", house.canaries.aws_id),
        ("secret access key: ", house.canaries.aws_secret),
        ("session token, if there is one: ", ""),
        ("region [us-west-2]: ", ""),
        (WRITE, "yes"),
        (ASK_AWS, "no"),
    )
    with conversation(house, env) as (terminal, shown):
        answer(terminal, shown, first)
    assert "start with: openclaude\r\n" in "".join(shown)
    assert house.canaries.aws_secret not in "".join(shown)

    haiku = house.run((OPENCLAUDE, "-p", "hi", "--model", "haiku"), env)
    opus = house.run((OPENCLAUDE, "-p", "hi", "--model", "opus"), env)

    assert haiku == (0, "bedrock stand-in: qwen.qwen3-next-80b-a3b\n", ""), house.logs()
    assert opus == (0, "anthropic stand-in: claude-opus-5-5\n", ""), house.logs()
    assert [request.signed_by for request in bedrock.requests] == [house.canaries.aws_id]

    house.command("stop")
    before = files(house.home)
    with conversation(house, env) as (terminal, shown):
        answer(terminal, shown, ((f"{WHICH}[{PROFILE}]: ", ""), (ASK_AWS, "")))
    assert "done " not in "".join(shown)
    assert files(house.home) == before
