"""What launches and stacks leave in their folders, and when it may be removed.

Knows: whose a file is, who still reads it. Independent of: what it says.

A settings file outlives its launch: claude may go on in another process (a tmux pane, a daemon),
which names the file and reads it again, for each teammate that it starts.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from openclaude.run.os.processes import is_alive
from openclaude.run.stack.background import is_in_use, settings_in_use
from openclaude.run.stack.folder import (
    FOLDERS,
    LAUNCHES,
    control_path,
    settings_folder,
    settings_of,
)


def forget_stack(folder: Path) -> None:
    """Remove the files of a stack that has ended, except its logs and what sessions read."""
    import shutil  # slow to import, and a launch has no use for it

    remove_settings(folder)
    for path in folder.iterdir():
        if path.name in FOLDERS - {LAUNCHES}:
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix in {".json", ".yaml", ".toml", ".tmp"}:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # certificates of sessions that go on, or there is none
        (folder / LAUNCHES).rmdir()
    control_path(folder).unlink(missing_ok=True)


def remove_settings(folder: Path) -> None:
    """Remove what ended launches of a stack have left, and no process reads. Raises OSError."""
    old = old_settings(folder)
    in_use = settings_in_use() if old else set()
    for path in old:
        if not is_in_use(path, in_use):
            path.unlink(missing_ok=True)
    left = {path.name.rsplit("-", 1)[0] for path in settings_folder(folder).glob("*.json")}
    for bundle in (folder / LAUNCHES).glob("*.pem"):
        pid, _, started = bundle.stem.partition("-")
        is_read = any(one.startswith(bundle.stem) for one in left)
        if not is_read and not (pid.isdigit() and is_alive(int(pid), started)):
            bundle.unlink(missing_ok=True)


def old_settings(folder: Path) -> list[Path]:
    """The settings files of launches of a stack that have ended."""
    return [
        path
        for path in settings_folder(folder).glob("*.json")
        if (owner := settings_of(path)) and owner.stack == folder.name and owner.is_gone
    ]
