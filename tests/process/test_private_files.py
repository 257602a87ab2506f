"""Files of ours: readable by their owner only, and complete whatever happens during a write."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from openclaude.files import LockHeld, locked, write_private
from tests.conftest import need
from tests.process.world import World, until

WRITER = """
import sys
from pathlib import Path
from openclaude.files import write_private
texts = [letter * 200_000 for letter in "ab"]
print("go", flush=True)
while True:
    for text in texts:
        write_private(Path(sys.argv[1]), text)
"""


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_every_file_and_folder_of_ours_is_its_owners_alone(world: World, umask: int) -> None:
    # compile: the cache; -p: the stack's files and logs; start: what the units add
    for arguments in (("compile", "--profile", "base"), ("-p",), ("start", "--wait")):
        assert world.run(*arguments, umask=umask).status == 0

    roots = (world.state, world.cache, world.state.parent / "claude-settings")
    found = [path for root in roots for path in (root, *root.rglob("*"))]
    parents = [world.home / ".local", world.home / ".local" / "state"]
    assert {path.name for path in found} >= {
        *("stack.json", "plan.json", "main.yaml", "providers.yaml", "control.sock", "lock"),
        *("main.log", "providers.log", "supervisor.log", "empty", "base.plain.json"),
    }
    for path in (*found, *parents):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert (path, mode) == (path, 0o700 if path.is_dir() else 0o600)
    assert world.heard()[0]["settings_mode"] == 0o600


def test_a_folder_that_others_could_enter_is_closed_to_them(world: World) -> None:
    for folder in (world.state, world.state / "stacks", world.folder()):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)

    world.run("-p")

    for folder in (world.state, world.state / "stacks", world.folder()):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_of_somebody_else_is_refused(world: World) -> None:
    need(os.geteuid() == 0, "root, who alone can give a folder away")
    world.state.mkdir(parents=True)
    os.chown(world.state, 12345, 12345)

    done = world.run("-p")

    assert done.status == 125
    assert "belongs to another user (uid 12345)" in done.err
    assert world.heard() == []


def test_a_writer_killed_at_any_moment_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for attempt in range(12):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout
            writer.stdout.readline()
            until(path.exists)
            time.sleep(0.003 * attempt)

            writer.send_signal(signal.SIGKILL)

        assert path.read_text() in {"a" * 200_000, "b" * 200_000}


def test_a_file_is_replaced_and_never_seen_half_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_private(path, "old")
    held = path.open()

    write_private(path, "new")

    assert (held.read(), path.read_text()) == ("old", "new")
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
    held.close()


def test_a_lock_that_nobody_lets_go_of_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openclaude.files.LOCK_TIMEOUT_S", 0.1)
    path = tmp_path / "lock"

    with locked(path), pytest.raises(LockHeld) as raised, locked(path):
        pass

    assert f"`{path}`" in raised.value.message
    with locked(path):  # it is free again
        pass
