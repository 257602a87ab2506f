"""Where the demo creates its home, which folders are leftovers, which processes are a demo's."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from openclaude.commands.demo import home, leftovers
from openclaude.commands.demo.home import NoRoom, find_room, written
from openclaude.commands.demo.leftovers import (
    find_leftovers,
    held,
    is_launcher,
    is_user,
    temporary_folders,
)

FOLDER = Path("/tmp/openclaude-demo-1a2b")  # noqa: S108 - nothing is made there
STACK = f"{FOLDER}/.local/state/openclaude/stacks/demo"


# -- where it is created --------------------------------------------------------------------------


def test_temporary_folders_are_where_python_looks_but_never_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    found = temporary_folders({"TMPDIR": "here", "TEMP": "", "TMP": "/tmp"})  # noqa: S108

    usual = ["/tmp", "/var/tmp", "/usr/tmp"]  # noqa: S108
    assert [str(folder) for folder in found] == [str(tmp_path / "here"), *usual]


def test_the_first_folder_with_room_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, locked, roomy = (tmp_path / name for name in ("full", "locked", "roomy"))
    for folder in (full, locked, roomy):
        folder.mkdir()
    statvfs, access = os.statvfs, os.access
    nothing = SimpleNamespace(f_bavail=100, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda path: nothing if path == full else statvfs(path))
    monkeypatch.setattr(os, "access", lambda path, mode: path != locked and access(path, mode))
    missing = tmp_path / ("long" * 100)

    assert find_room([missing, full, locked, roomy]) == roomy

    with pytest.raises(NoRoom) as raised:
        find_room([missing, full, locked])
    assert raised.value.message == (
        f"no temporary directory can hold the demo: `{missing}` does not exist, `{full}` is full, "
        f"`{locked}` cannot be written"
    )
    assert raised.value.hint == (
        f"name one with {home.NEEDED // home.MIB} MB free: "
        "TMPDIR=/path/to/directory openclaude demo"
    )


def test_a_folder_that_can_no_longer_be_written_is_named() -> None:
    with pytest.raises(NoRoom) as raised, written(FOLDER):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert raised.value.message == f"cannot write to `{FOLDER}`: No space left on device"
    assert raised.value.hint == "free some space there, or name another directory with TMPDIR"


# -- which folders are leftovers -------------------------------------------------------------------


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder for temporary files."""
    monkeypatch.setattr(leftovers, "temporary_folders", lambda _env: [tmp_path])
    return tmp_path


def test_a_demo_that_has_ended_is_a_leftover_and_one_that_lives_is_none(temporary: Path) -> None:
    folder = temporary / "openclaude-demo-1a2b"

    with held(folder):
        assert folder.stat().st_mode & 0o777 == 0o700
        assert find_leftovers({}) == []

    assert find_leftovers({}) == [folder]


def test_a_folder_is_not_seen_before_its_lock_is_held(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    flock = "openclaude.commands.demo.leftovers.fcntl.flock"
    monkeypatch.setattr(flock, lambda *_: seen.extend(find_leftovers({})))

    with held(temporary / "openclaude-demo-1a2b"):
        pass

    assert seen == []


def test_only_folders_of_this_user_are_leftovers(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (temporary / "openclaude-demo-file").touch()
    (temporary / "openclaude-demo-link").symlink_to(temporary)
    (temporary / "openclaude").mkdir()
    ours = temporary / "openclaude-demo-ours"
    ours.mkdir()

    assert find_leftovers({}) == [ours]
    uid = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    assert find_leftovers({}) == []


def test_a_temporary_folder_that_is_missing_or_closed_has_no_leftovers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(_path: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    assert leftovers.demos_in(tmp_path / "missing") == []
    monkeypatch.setattr(Path, "iterdir", refuse)
    assert leftovers.demos_in(tmp_path) == []


# -- which processes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "launcher", "user"),
    [
        ({"HOME": str(FOLDER)}, True, True),  # openclaude, claude, its tools
        ({"HOME": f"{STACK}/empty", "CONFIG_FILE_PATH": f"{STACK}/main.yaml"}, False, True),
        ({"HOME": str(FOLDER), "CONFIG_FILE_PATH": f"{STACK}/providers.yaml"}, False, True),
        ({"HOME": "/home/me", "PWD": str(FOLDER), "OLDPWD": str(FOLDER)}, False, False),
        ({"HOME": f"{FOLDER}c3d4"}, False, False),
        ({}, False, False),
    ],
)
def test_processes_are_a_demos_by_their_environment(
    env: Mapping[str, str], launcher: bool, user: bool
) -> None:
    assert (is_launcher(FOLDER, env), is_user(FOLDER, env)) == (launcher, user)
