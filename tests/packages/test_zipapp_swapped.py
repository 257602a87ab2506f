"""The zipapp is started while another user swaps the tree that it runs from."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import need
from tests.packages.conftest import User

STRANGER = 65534
STARTS = 20  # of 60, 9 ran the other's code before folders above were looked at
EVIL = "print('EVIL')\nraise SystemExit(0)\n"


@pytest.fixture
def shared(user: User, tmp_path: Path) -> Path:
    """A folder of another user's, with this user's unpacked zipapp and one of his own in it."""
    need(os.geteuid() == 0, "root, to have files of another user's")
    folder = tmp_path / "shared"
    shutil.copytree(user.app.parent, folder / "cache" / "openclaude", symlinks=True)
    (version,) = user.versions()
    theirs = folder / "other" / "openclaude" / "app" / version / "site-packages" / "openclaude"
    theirs.mkdir(parents=True)
    for name in ("__init__.py", "cli.py", "interrupt.py"):
        (theirs / name).write_text(EVIL)
    for path in (folder, folder / "other", *(folder / "other").rglob("*")):
        os.chown(path, STRANGER, STRANGER)
    for path in ((folder / "other") / "openclaude").rglob("*"):
        os.chown(path, 0, 0)  # as a hard link or a sticky folder would make it look
    return folder


@contextmanager
def swapping(folder: Path) -> Iterator[None]:
    """Let the owner of a folder exchange what is in it all the time."""
    is_over = threading.Event()

    def swap() -> None:
        cache, other, aside = (folder / name for name in ("cache", "other", "aside"))
        while not is_over.is_set():
            cache.rename(aside)
            other.rename(cache)
            aside.rename(other)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_what_another_user_swaps_is_never_run(user: User, shared: Path) -> None:
    env = {"XDG_CACHE_HOME": str(shared / "cache")}

    with swapping(shared):
        ran = [user.run("--version", env=env) for _ in range(STARTS)]

    assert [one.stdout for one in ran if "EVIL" in one.stdout] == []
    assert {one.returncode for one in ran} == {1}
    assert all("other users can change" in one.stderr for one in ran), ran[0]
