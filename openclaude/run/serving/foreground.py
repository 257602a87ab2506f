"""Becoming an instance in the foreground: no supervisor, no other unit, one listening socket.

Knows: what a unit's process is given, binding on any address. Independent of: profiles, whose keys
are accepted. Whoever started this process sees its log, its signals and its exit status: systemd, a
container, a terminal.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn

from openclaude.contracts.plan import Unit
from openclaude.contracts.worker import (
    CERTIFICATE_KEY_VARIABLE,
    CERTIFICATE_VARIABLE,
    ENDING_VARIABLE,
    PEOPLE_VARIABLE,
    PRICES_VARIABLE,
    REDIS_VARIABLE,
    SERVED_VARIABLE,
    SPENT_VARIABLE,
    ServiceEnd,
    ending_text,
    served_text,
)
from openclaude.files import private_folder, write_private
from openclaude.run.os.processes import python_module
from openclaude.run.stack.local_key import new_key
from openclaude.run.supervisor.unit_start import StackContext, empty_folder, unit_environment

APPLICATION = "openclaude.gateway.serving:served_app"
BACKLOG = 512
SPENT_FILE = "spent.json"
FIRST_PASSED = 3  # the descriptor of the first socket that systemd passes


class ServedUnit(NamedTuple):
    """What is served, and how it proves itself."""

    unit: Unit  # providers, as a plan has it
    files: Mapping[str, str]  # what it reads
    groups: Mapping[str, str]  # model -> group
    certificate: Path
    certificate_key: Path
    people: Path  # the file of people's keys
    ending: ServiceEnd
    prices: str  # a routing table without slots
    redis: str  # its address, a reference to it, or ""


def bind_any(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def find_inherited(env: Mapping[str, str], pid: int) -> socket.socket | None:
    """Return the socket that systemd listens on for the process `pid`, or None.

    It passes descriptors from 3 on (sd_listen_fds(3)). The socket outlives us: connections that
    come while this process is replaced wait in its backlog. Raises ValueError for what it passes
    and cannot be served on.
    """
    if env.get("LISTEN_PID") != str(pid) or not env.get("LISTEN_FDS", "").isdigit():
        return None
    if env["LISTEN_FDS"] != "1":
        raise ValueError(f"there are {env['LISTEN_FDS']} of them, not one")
    try:
        listener = socket.socket(fileno=FIRST_PASSED)
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
    is_tcp = listener.family in {socket.AF_INET, socket.AF_INET6}
    if not is_tcp or not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        listener.detach()
        raise ValueError("it is not a TCP socket that listens")
    return listener


def become_service(
    service: ServedUnit, listener: socket.socket, folder: Path, env: Mapping[str, str]
) -> NoReturn:
    """Become the instance, with its files in `folder`. Raises FolderUnusable, OSError."""
    private_folder(folder)
    for name, text in service.files.items():
        write_private(folder / name, text)
    unit = service.unit._replace(application=APPLICATION, secrets=secrets_of(service))
    # the instance's own key never leaves the process: people's keys are in front of it
    context = StackContext(folder, 0, "", new_key(), dict(env))
    environment = {
        **unit_environment(unit, context),
        CERTIFICATE_VARIABLE: str(service.certificate),
        CERTIFICATE_KEY_VARIABLE: str(service.certificate_key),
        PEOPLE_VARIABLE: str(service.people),
        SERVED_VARIABLE: served_text(dict(service.groups)),
        PRICES_VARIABLE: service.prices,
        SPENT_VARIABLE: str(folder / SPENT_FILE),
        ENDING_VARIABLE: ending_text(service.ending),
        **({REDIS_VARIABLE: service.redis} if is_address(service.redis) else {}),
    }
    os.chdir(empty_folder(folder))
    nobody = os.open(os.devnull, os.O_WRONLY)
    # a lifeline that nobody pulls: both ends are ours
    lifeline, other_end = os.pipe()
    given = (listener.fileno(), nobody, lifeline)
    for descriptor in (*given, other_end):
        os.set_inheritable(descriptor, True)
    argv = python_module(
        "openclaude.run.worker.instance",
        unit.application,
        *(f"--prepare={name}" for name in unit.prepare),
        *("--listener", str(given[0]), "--report", str(given[1]), "--lifeline", str(given[2])),
    )
    os.execve(argv[0], argv, environment)  # noqa: S606 - no shell


def secrets_of(service: ServedUnit) -> dict[str, str]:
    """Where the secrets of a unit are, and the address of Redis if it is one of them."""
    is_secret = service.redis and not is_address(service.redis)
    return {**service.unit.secrets, **({REDIS_VARIABLE: service.redis} if is_secret else {})}


def is_address(redis: str) -> bool:
    """Whether this is an address, and not a reference to one."""
    return redis.startswith(("redis://", "rediss://", "unix://"))
