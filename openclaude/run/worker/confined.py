"""What main may still do once it serves: write to its own folder, connect to its own addresses.

Knows: which addresses a unit has been told, which proxies it was given. Independent of: the kernel.
What a fault in a library could do with the plan's login is bounded by this.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from openclaude.contracts.worker import WARM_UP_VARIABLE
from openclaude.run.os.confinement import confine

LOOPBACK = "127.0.0.1"
PROXIES = ("HTTPS_PROXY", "https_proxy")
DEFAULT_PORTS = {"http": 80, "https": 443}


def confine_to(reaches: str, writes: str, environment: Mapping[str, str]) -> None:
    """Confine this process to the addresses in `reaches`; "" leaves it as it is.

    Besides its own folder it may write to `writes`, which is made if there is none; "" is nothing.
    """
    if not reaches:
        return
    try:
        ports = allowed_ports(reaches, environment) | {bind_for_warm_up()}
        confine([str(Path.cwd()), os.devnull, *made(writes)], ports)
    except (OSError, ValueError) as error:  # a kernel that forbids it, as in some containers
        sys.stderr.write(f"this process is not confined: {error}\n")


def bind_for_warm_up() -> int:
    """Bind a socket for the unit's own first requests, since none can be bound later; its port."""
    listener = socket.socket()
    listener.bind((LOOPBACK, 0))
    port = int(listener.getsockname()[1])
    os.environ[WARM_UP_VARIABLE] = str(listener.detach())
    return port


def made(folder: str) -> list[str]:
    """A folder that can be allowed, made where there is none; [] if that is impossible."""
    try:
        if folder:
            Path(folder).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        sys.stderr.write(f"nothing can be written to {folder}: {error.strerror}\n")
        return []
    return [folder] if folder else []


def allowed_ports(reaches: str, environment: Mapping[str, str]) -> set[int]:
    """The TCP ports of these addresses, and of the proxy that leads to them. Raises ValueError."""
    proxies = [environment[name] for name in PROXIES if environment.get(name)]
    return {port_of(address) for address in (*reaches.split(), *proxies)}


def port_of(address: str) -> int:
    """The port of a URL; a proxy may be named without a scheme. Raises ValueError."""
    parts = urlsplit(address if "://" in address else f"http://{address}")
    return parts.port or DEFAULT_PORTS.get(parts.scheme, 443)
