"""A zipapp is started while another user swaps the unpacked tree that it runs from.

The archive is made here, of the real start and a program of two lines: `build/zipapp` takes
minutes, and what it adds is the program.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import zipapp
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, need

STRANGER = 65534
STARTS = 60  # 9 of them ran the other's code before the folders above were looked at
VERSION = "0123456789abcdef0123456789abcdef"
REFUSED = 125
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # <linux/fcntl.h>, renameat2(2)


class Victim:
    """A user with a zipapp, whose cache may lie anywhere."""

    def __init__(self, root: Path) -> None:
        self.root = root
        sources = root / "sources"
        sources.mkdir()
        for path in (REPOSITORY / "build" / "zipapp.d").glob("openclaude_*.py"):
            text = path.read_text().replace("@BUILD_ID@", VERSION).replace("@LIBC@", "")
            (sources / path.name).write_text(text)
        (sources / "__main__.py").write_text(
            "import sys\nfrom openclaude_start import start\nsys.exit(start())\n"
        )
        self.archive = root / "openclaude.pyz"
        zipapp.create_archive(sources, self.archive)

    def start(self, cache: Path) -> subprocess.CompletedProcess[str]:
        """Start it."""
        return subprocess.run(
            [sys.executable, self.archive],
            env={"HOME": str(self.root), "XDG_CACHE_HOME": str(cache), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    return Victim(tmp_path)


def unpacked(cache: Path, says: str) -> Path:
    """Lay an unpacked version into a cache, whose program says something; return the cache."""
    package = cache / "openclaude" / "app" / VERSION / "site-packages" / "openclaude"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "cli.py").write_text(f"def main():\n    print({says!r})\n    return 0\n")
    for folder in (cache, *cache.rglob("*")):
        folder.chmod(0o700)
    return cache


@contextmanager
def swapping(folder: Path) -> Iterator[None]:
    """Let the owner of a folder exchange what is in it all the time."""
    is_over = threading.Event()
    libc = ctypes.CDLL(None, use_errno=True)
    both = [os.fsencode(folder / name) for name in ("cache", "other")]

    def swap() -> None:
        while not is_over.is_set():
            assert libc.renameat2(AT_FDCWD, both[0], AT_FDCWD, both[1], RENAME_EXCHANGE) == 0

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_a_tree_in_a_cache_of_ones_own_is_run(victim: Victim, tmp_path: Path) -> None:
    ran = victim.start(unpacked(tmp_path / "cache", "good"))

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "good\n", "")


def test_what_another_user_swaps_is_never_run(victim: Victim, tmp_path: Path) -> None:
    need(os.geteuid() == 0, "root, to give a folder to another user")
    shared = tmp_path / "shared"
    unpacked(shared / "cache", "good")
    # it looks like this user's own, as a hard link or a folder that was moved there would
    unpacked(shared / "other", "evil")
    os.chown(shared, STRANGER, STRANGER)

    with swapping(shared):
        ran = [victim.start(shared / "cache") for _ in range(STARTS)]

    assert [one.stdout for one in ran if one.stdout] == []
    assert {one.returncode for one in ran} == {REFUSED}
