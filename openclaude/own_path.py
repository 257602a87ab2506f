"""Where this program imports from: its own packages, not those of the user's PYTHONPATH.

Knows: how Python turns PYTHONPATH into `sys.path`. Independent of: everything; it runs before any
other module of ours. ROS, environment modules and the like put the packages of another Python
there. The variable itself stays as it is: claude and its tools inherit it.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Mapping


def use_own_packages(env: Mapping[str, str]) -> tuple[str, ...]:
    """Take PYTHONPATH's entries out of `sys.path`, unless openclaude itself was found there.

    Returns them.
    """
    named = env.get("PYTHONPATH", "")
    if not named or sys.flags.ignore_environment:
        return ()
    # an empty entry is the working directory: a repository's, whoever wrote it
    entries = {os.path.abspath(entry) for entry in named.split(os.pathsep)}  # noqa: PTH100
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    installed = {*site.getsitepackages(), site.getusersitepackages()}
    if home in entries and home not in installed:
        return ()  # a checkout, or a process of ours that was told where to look
    standard = os.path.dirname(os.__file__)  # noqa: PTH120
    own = {home, *installed, standard, os.path.join(standard, "lib-dynload")}  # noqa: PTH118
    foreign = [
        path
        for path in sys.path
        if path not in own and os.path.abspath(path) in entries  # noqa: PTH100
    ]
    sys.path[:] = [path for path in sys.path if path not in foreign]
    return tuple(foreign)


IGNORED = use_own_packages(os.environ)
