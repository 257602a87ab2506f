"""What commands print on a terminal of any width, in a pager, in a pipe that closes early."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
import termios

import pytest

from openclaude.errors import OUTPUT_UNREAD
from tests.process.world import World


def on_screen(world: World, *arguments: str, columns: int, **env: str) -> str:
    """Return what a command shows on a terminal of so many columns."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with world.start(
        *arguments, stdout=theirs, env={**world.env, "TERM": "xterm", **env}
    ) as process:
        os.close(theirs)
        shown = bytearray()
        with contextlib.suppress(OSError):  # Linux reports EIO when the other side has closed
            while part := os.read(ours, 65536):
                shown += part
        process.communicate(timeout=120)
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(("columns", "lie"), [(60, "200"), (200, "60")])
def test_the_list_of_profiles_fits_a_terminal_whatever_columns_says(
    empty_world: World, columns: int, lie: str
) -> None:
    shown = on_screen(empty_world, "profiles", "list", columns=columns, NO_COLOR="1", COLUMNS=lie)

    assert 60 * columns / 200 < max(map(len, shown.splitlines())) <= columns
    assert "\x1b" not in shown
    assert "openrouter" in shown


def test_a_long_list_is_shown_in_the_pager_in_colour(empty_world: World) -> None:
    empty_world.script("page", "import sys\nprint('PAGED', len(sys.stdin.read()))\n")

    shown = on_screen(empty_world, "models", columns=120, PAGER="page")

    said, length = shown.split()
    assert said == "PAGED"
    assert int(length) > 100_000


@pytest.mark.parametrize("pager", ["no-such-pager", "cat"])
def test_a_long_list_is_shown_without_a_pager_too(empty_world: World, pager: str) -> None:
    shown = on_screen(empty_world, "models", columns=200, PAGER=pager)

    assert shown.count("\n") > 2000
    assert "\x1b[1mMODEL\x1b[0m" in shown


def test_a_pipe_that_closes_early_is_no_failure(empty_world: World) -> None:
    line = '"$0" models | head -1; echo "${PIPESTATUS[0]}"'

    done = subprocess.run(
        ["bash", "-c", line, str(empty_world.program)],
        env=empty_world.env,
        capture_output=True,
        text=True,
        timeout=120,
    )

    first, status = done.stdout.splitlines()
    assert first.startswith("MODEL ")
    assert int(status) == OUTPUT_UNREAD
    assert done.stderr == ""
