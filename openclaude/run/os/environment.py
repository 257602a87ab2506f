"""Where this process runs: which machine, since which boot, in which namespaces.

Knows: what tells two such places apart. Independent of: what is kept for each. A home may be shared
by containers, namespaces and machines: a pid and a port of one of them mean nothing in another.

Machines are told apart by their boot: the kernel draws a new id at each start, and a container that
gets one of its own (systemd-nspawn) counts as a machine. So a host may change its name while a
stack runs, as laptops do from one network to the next.
"""

from __future__ import annotations

import enum
import functools
import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

BOOT_ID = "/proc/sys/kernel/random/boot_id"
MACHINE_ID = "/etc/machine-id"
PARTS = 4


class Relation(enum.Enum):
    """What another place is to this one."""

    HERE = "here"
    ENDED = "ended"  # this machine before its last start
    BESIDE = "beside"  # the same kernel, other namespaces
    ELSEWHERE = "elsewhere"  # another machine


class Environment(NamedTuple):
    """Digests, 8 hexadecimal digits each: names of files of ours contain them."""

    host: str  # its name and its machine id; both, because images are copied with theirs
    boot: str
    network: str
    processes: str

    def __str__(self) -> str:
        return ".".join(self)


@functools.cache
def here() -> Environment:
    """This place. Three links and two files are read, in 100 microseconds. Raises OSError."""
    host = digest(os.uname().nodename, read_line(MACHINE_ID))
    boot = boot_id()
    return Environment(
        host=host,
        boot=digest(boot) if boot else host,
        network=digest(namespace("net")),
        # a process's start is told in the time of a namespace, too
        processes=digest(namespace("pid"), namespace("time")),
    )


def relation(text: str) -> Relation:
    """What the place with that text is to this one; an older openclaude has written none."""
    parts = text.split(".")
    if len(parts) != PARTS:
        return Relation.HERE
    there, ours = Environment(*parts), here()
    if there.boot == ours.boot:
        return Relation.HERE if there[2:] == ours[2:] else Relation.BESIDE
    return Relation.ENDED if there.host == ours.host else Relation.ELSEWHERE


def shares_network(text: str) -> bool:
    """Whether that place has this one's ports."""
    parts = text.split(".")
    return len(parts) == PARTS and tuple(parts[1:3]) == here()[1:3]


def boot_id() -> str:
    """The id of this boot; "" where the system has none."""
    if sys.platform == "linux":
        return read_line(BOOT_ID)
    return ask_darwin() if sys.platform == "darwin" else ""


def ask_darwin() -> str:
    """The same on macOS, whose time of the boot moves as the clock is set."""
    import ctypes

    size = ctypes.c_size_t(64)
    text = ctypes.create_string_buffer(size.value)
    try:
        asked = ctypes.CDLL(None).sysctlbyname(
            b"kern.bootsessionuuid", text, ctypes.byref(size), None, 0
        )
    except AttributeError:
        return ""
    return text.value.decode("ascii", "replace") if asked == 0 else ""


def namespace(kind: str) -> str:
    """The namespace of that kind that this process is in; "" where there is none."""
    return if_there(lambda: os.readlink(f"/proc/self/ns/{kind}"))  # noqa: PTH115 - a name


def read_line(path: str) -> str:
    """The text of a small file; "" if there is none."""
    return if_there(lambda: Path(path).read_text(encoding="ascii", errors="replace").strip())


def if_there(read: Callable[[], str]) -> str:
    """What `read` finds; "" where there is nothing, or where we may never look.

    A refusal that passes (no descriptor, no memory) must not make this another place. Raises
    OSError for those.
    """
    for _ in range(2):
        try:
            return read()
        except FileNotFoundError:
            return ""
        except PermissionError:
            continue
    return ""


def digest(*texts: str) -> str:
    """Eight digits that differ for different texts."""
    return f"{zlib.crc32(chr(0).join(texts).encode()):08x}"
