"""Which user is at the other end of a connection: this one, root, or another.

Knows: what the kernel tells of a socket's owner. Independent of: what is said on it.
Linux alone is asked: elsewhere every local user can reach a loopback port, and the local key is
all that stands in front of it. Root is trusted, as ssh-agent has it: root can read our memory.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

NETLINK_SOCK_DIAG = 4  # <linux/netlink.h>
BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
ESTABLISHED, LISTEN = 1, 10  # <net/tcp_states.h>
HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
# struct inet_diag_req_v2: family, protocol, extensions, padding, states, then the socket's id
REQUEST = struct.Struct("=BBBxI")
PORTS = struct.Struct(">HH4s12x4s12x")
ANY_COOKIE = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
STATE_AT, UID_AT = HEADER.size + 1, HEADER.size + 64  # in the answer, struct inet_diag_msg
CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid

Address = tuple[str, int]


def is_trusted(uid: int) -> bool:
    """Whether that user may ask for anything here."""
    return uid in {0, os.geteuid()}


def is_foreign(client: Address, server: Address) -> bool:
    """Whether another user has the client's end of a loopback connection, or no process any more.

    A client that has closed its end has no owner to look at. Where the kernel does not tell, the
    answer is no, and the local key decides alone.
    """
    if sys.platform != "linux":
        return False
    try:
        owner = ask_kernel(client, server)
    except OSError:  # a container without netlink
        try:
            owner = look_up(client, server)
        except OSError:
            return False
    return owner is None or not is_trusted(owner)


def ask_kernel(client: Address, server: Address) -> int | None:
    """The uid at the client's end, or None if it is closed. Raises OSError.

    One question to sock_diag(7) takes 12 microseconds; /proc/net/tcp, which lists every connection
    of the machine, took 15 ms where this was measured, and longer the more a neighbour opens.
    """
    source, target = (socket.inet_aton(address) for address, _ in (client, server))
    request = (
        REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0xFFFFFFFF)
        + PORTS.pack(client[1], server[1], source, target)
        + ANY_COOKIE
    )
    kernel = (socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG)
    with socket.socket(*kernel) as line:
        line.send(HEADER.pack(HEADER.size + len(request), BY_FAMILY, 1, 1, 0) + request)
        answer = line.recv(8192, socket.MSG_DONTWAIT)  # it was there before `send` returned
    _, kind, *_ = HEADER.unpack_from(answer)
    if kind != BY_FAMILY:
        (error,) = struct.unpack_from("=i", answer, HEADER.size)
        if -error in {2, 110, 111}:  # ENOENT, ETIMEDOUT, ECONNREFUSED: there is no such socket
            return None
        raise OSError(-error, os.strerror(-error))
    uid, inode = struct.unpack_from("=II", answer, UID_AT)
    # the client may have closed, and another process may listen on its port since
    return None if not inode or answer[STATE_AT] == LISTEN else int(uid)


def look_up(client: Address, server: Address) -> int | None:
    """The same from /proc/net, for kernels that do not answer. Raises OSError."""
    wanted = [f"{shown(address)}:{port:04X}" for address, port in (client, server)]
    for table in ("tcp", "tcp6"):
        text = Path("/proc/net", table).read_text(encoding="ascii")
        for line in text.splitlines()[1:]:
            _, here, there, state, _, _, _, uid, _, inode, *_ = line.split()
            # an IPv4 address in the IPv6 table has the same digits at its end
            if [here[-13:], there[-13:]] == wanted and int(state, 16) != LISTEN and inode != "0":
                return int(uid)
    return None


def clients(port: int) -> dict[int, None]:
    """The processes of this user with an open connection to a loopback port, as far as known."""
    if sys.platform != "linux":
        return {}
    here = f"{shown('127.0.0.1')}:{port:04X}"
    inodes = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):  # a kernel without IPv6
            for line in Path("/proc/net", table).read_text(encoding="ascii").splitlines()[1:]:
                _, _, there, state, _, _, _, uid, _, inode, *_ = line.split()
                if there[-13:] == here and int(state, 16) == ESTABLISHED and is_own(uid):
                    inodes.add(f"socket:[{inode}]")
    return dict.fromkeys(owners(inodes)) if inodes else {}


def is_own(uid: str) -> bool:
    """Whether a socket is of this user."""
    return int(uid) == os.geteuid()


def owners(links: set[str]) -> Iterator[int]:
    """The processes that have one of these open, of those that let us look."""
    for name in os.listdir("/proc"):  # noqa: PTH208 - no Path for each of hundreds
        folder = f"/proc/{name}/fd"
        with contextlib.suppress(OSError):
            if name.isdigit() and any(
                os.readlink(f"{folder}/{one}") in links  # noqa: PTH115 - no path
                for one in os.listdir(folder)  # noqa: PTH208
            ):
                yield int(name)


def shown(address: str) -> str:
    """An IPv4 address as /proc/net/tcp writes it: the number in memory, in hexadecimal."""
    (number,) = struct.unpack("=I", socket.inet_aton(address))
    return f"{number:08X}"


def is_in_sight(connection: socket.socket) -> bool:
    """Whether the other end of a Unix socket's connection is in our pid namespace.

    Of a process that is not, and is in none within ours, the kernel tells no pid (unix(7)).
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    pid, _, _ = CREDENTIALS.unpack(found)
    return bool(pid)


def is_strange(connection: socket.socket) -> bool:
    """Whether another user holds the other end of a Unix socket's connection."""
    if not hasattr(socket, "SO_PEERCRED"):
        return False  # the socket's mode and its folder's keep others out
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    _, uid, _ = CREDENTIALS.unpack(found)
    return not is_trusted(uid)
