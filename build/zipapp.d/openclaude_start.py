"""The zipapp's start: find the unpacked tree or unpack it, then run openclaude from there.

Knows: where the tree is, that it is complete, that it is held while in use. Independent of: its
content; how it is unpacked (openclaude_unpack, which only a first run imports). Everything here
happens at each start, so it imports almost nothing.
"""

from __future__ import annotations

import fcntl
import os
import stat
import sys

BUILD_ID = "@BUILD_ID@"
TREE = "site-packages"
LOCK = "lock"  # held while unpacking or removing; its mtime is when that last happened
RESWEEP_S = 24 * 3600


def start() -> int:
    """Run openclaude from the unpacked tree; return the exit status of its command."""
    if os.environ.get("SHIV_INTERPRETER"):  # shiv's option for a Python with all of it
        from _bootstrap.interpreter import execute_interpreter as main
    app = app_folder()
    held = hold(app)
    if held is None:
        from openclaude_unpack import unpack_or_say_why

        held = unpack_or_say_why(app, sys.argv[0])
    elif is_sweep_due(app):
        from openclaude_unpack import sweep

        sweep(app)
    enter(app)
    if not os.environ.get("SHIV_INTERPRETER"):
        from openclaude.cli import main
    status: int = main()
    return status


def enter(app: str) -> None:
    """Import from the tree and the standard library, and from nowhere else.

    No package of the user's may mix with ours: LiteLLM imports many that it finds only by chance.
    """
    root = os.path.dirname(os.__file__)
    standard = (path for path in sys.path if path == root or path.startswith(root + os.sep))
    tree = os.path.join(app, BUILD_ID, TREE)
    sys.path[:] = [tree, *(path for path in standard if not path.endswith("-packages"))]


def app_folder() -> str:
    """Where the versions of openclaude are unpacked, after the XDG base directory specification."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if not cache.startswith("/"):
        cache = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(cache, "openclaude", "app")


def hold(app: str) -> int | None:
    """Keep this version from being removed while this process lives; None if it does not exist.

    The lock is shared, on the folder itself, and ends when this process ends or becomes claude. The
    processes it has started by then are recognised by PYTHONPATH, which names the tree, and a
    supervisor, which lets nobody see that, has the same lock (openclaude/run/os/own_code.py).
    """
    folder = os.path.join(app, BUILD_ID)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        is_there = os.path.samestat(os.stat(folder), os.fstat(descriptor))
    except OSError:  # removed before we had the lock
        is_there = False
    # another user's code is not run, as after `sudo` with this user's HOME
    is_ours = is_there and os.fstat(descriptor).st_uid == os.geteuid()
    if is_ours and is_nobody_elses(folder):
        return descriptor
    os.close(descriptor)
    return None


def is_nobody_elses(folder: str) -> bool:
    """Whether no other user can put another folder in the place of this one.

    Modules are imported by name: who owns or may change a folder above could swap what was looked
    at for his own (seen: 9 of 60 starts ran it). As ssh has it: the owner and mode of each.
    """
    return all(is_chain_ours(path) for path in {folder, os.path.realpath(folder)})


def is_chain_ours(folder: str) -> bool:
    """The same for the folders in the text of one path."""
    while folder != (folder := os.path.dirname(folder)):
        try:
            found = os.stat(folder)
        except OSError:
            return False
        by_group = found.st_mode & stat.S_IWGRP and found.st_gid not in {0, os.getegid()}
        by_others = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
        if found.st_uid not in {0, os.geteuid()} or by_group or by_others:
            return False
    return True


def is_sweep_due(app: str) -> bool:
    """Tell whether to look for unused versions: once a day, if there are others."""
    if len(os.listdir(app)) <= 2:  # this version and the lock
        return False
    import time

    return time.time() - os.stat(os.path.join(app, LOCK)).st_mtime > RESWEEP_S
