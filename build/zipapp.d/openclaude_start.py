"""The zipapp's start: find the unpacked tree or unpack it, then run openclaude from there.

Knows: where the tree is, that it is whole, that it is held while it is used. Refuses to know: what
is in it; how it is unpacked (openclaude_unpack, which only a first run imports). Everything here
happens at each start, so it imports next to nothing.
"""

from __future__ import annotations

import fcntl
import os
import sys

BUILD_ID = "@BUILD_ID@"
TREE = "site-packages"
LOCK = "lock"  # for who unpacks or removes; its time is when somebody last did
RESWEEP_S = 24 * 3600


def start() -> int:
    """Run openclaude from the unpacked tree; the exit status of its words."""
    if os.environ.get("SHIV_INTERPRETER"):  # shiv's word for a Python with all of it
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
    return main()


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
    """Keep this version from being removed while this process lives, or None: it is not there.

    The lock is shared, on the folder itself, and ends when this process does or becomes claude.
    What it has started by then says so itself: PYTHONPATH names the tree.
    """
    folder = os.path.join(app, BUILD_ID)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        is_there = os.path.samestat(os.stat(folder), os.fstat(descriptor))
    except OSError:  # removed before the lock was ours
        is_there = False
    # another user's code is not run, as after `sudo` with this user's HOME
    if is_there and os.fstat(descriptor).st_uid == os.geteuid():
        return descriptor
    os.close(descriptor)
    return None


def is_sweep_due(app: str) -> bool:
    """Once a day, if other versions lie about: does somebody still use them?"""
    if len(os.listdir(app)) <= 2:  # this version and the lock
        return False
    import time

    return time.time() - os.stat(os.path.join(app, LOCK)).st_mtime > RESWEEP_S
