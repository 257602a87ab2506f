"""What a process of ours gives up for good: memory that others can read, privileges, files, ports.

Knows: prctl(2), landlock(7). Independent of: which process, why. Linux alone has these; elsewhere,
and where the kernel lacks one, nothing happens, and `doctor` says so.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from typing import Any

from openclaude.run.os.processes import leave_no_core

PR_SET_DUMPABLE = 4  # <linux/prctl.h>
PR_SET_NO_NEW_PRIVS = 38
# the same number on every architecture that Linux has had since 5.1
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG = 1
PATH_BENEATH, NET_PORT = 1, 2  # kinds of rules
EXECUTE, WRITE_FILE, TRUNCATE = 1 << 0, 1 << 1, 1 << 14
CHANGES = sum(1 << bit for bit in range(4, 13))  # remove and make files, folders, links, ...
REFER = 1 << 13  # to another folder
BIND_TCP, CONNECT_TCP = 1 << 0, 1 << 1
NETWORK_VERSION, TRUNCATE_VERSION, REFER_VERSION = 4, 3, 2
DNS_PORT = 53  # for answers that are too long for UDP


def keep_memory_private() -> None:
    """Let no other process of this user read this one's memory, and no crash write it down.

    Its entries in /proc belong to root from now on, except those that every user may read.
    """
    leave_no_core()
    if sys.platform == "linux":
        libc().prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def landlock_version() -> int:
    """The version of the kernel's Landlock; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, ask_kernel(CREATE_RULESET, None, 0, VERSION_FLAG))


def confine(writable: Iterable[str], ports: Iterable[int]) -> bool:
    """Let this process write only there, start no program, connect to those TCP ports alone.

    From now on, for all that it starts. Whether the kernel can do it; one before Linux 6.7 limits
    no ports. Raises OSError.
    """
    version = landlock_version()
    if not version:
        return False
    rights = WRITE_FILE | CHANGES
    rights |= REFER if version >= REFER_VERSION else 0
    rights |= TRUNCATE if version >= TRUNCATE_VERSION else 0
    network = BIND_TCP | CONNECT_TCP if version >= NETWORK_VERSION else 0
    ruleset = make_ruleset(rights | EXECUTE, network)
    try:
        for path in writable:
            allow_path(ruleset, path, rights)
        for port in {*ports, DNS_PORT} if network else ():
            allow_port(ruleset, port)
        check(libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        check(ask_kernel(RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)
    return True


def make_ruleset(files: int, network: int) -> int:
    """A descriptor of rules for these rights. Raises OSError."""
    attributes = struct.pack("=QQ", files, network) if network else struct.pack("=Q", files)
    return check(ask_kernel(CREATE_RULESET, attributes, len(attributes), 0))


def allow_path(ruleset: int, path: str, rights: int) -> None:
    """Allow rights to a file, or to a folder and all that is in it. Raises OSError."""
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(path):  # noqa: PTH112
            rights &= WRITE_FILE | TRUNCATE
        rule = struct.pack("=Qi", rights, descriptor)
        check(ask_kernel(ADD_RULE, ruleset, PATH_BENEATH, rule, 0))
    finally:
        os.close(descriptor)


def allow_port(ruleset: int, port: int) -> None:
    """Allow connections to a TCP port of any address. Raises OSError."""
    rule = struct.pack("=QQ", CONNECT_TCP, port)
    check(ask_kernel(ADD_RULE, ruleset, NET_PORT, rule, 0))


def ask_kernel(number: int, *arguments: int | bytes | None) -> int:
    """A system call that the C library has no function for; below 0 where it failed."""
    whole = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return int(libc().syscall(ctypes.c_long(number), *whole))


def check(result: int) -> int:
    """The result of a call. Raises OSError where it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def libc() -> Any:
    """The C library."""
    return ctypes.CDLL(None, use_errno=True)
