"""The socket that systemd opens for `openclaude serve`: taken if it is meant for this process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from openclaude.run.serving.foreground import find_inherited

PID = os.getpid()
# a process of its own: the descriptor must be 3
TRIED = """\
import os, socket, sys
from openclaude.run.serving.foreground import find_inherited
kind, listens = sys.argv[1:]
made = socket.socket(getattr(socket, kind))
if listens == "yes":
    made.bind(("127.0.0.1", 0) if kind == "AF_INET" else "\\0openclaude-test")
    made.listen()
os.dup2(made.fileno(), 3) if made.fileno() != 3 else None
try:
    found = find_inherited({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}, os.getpid())
except ValueError as error:
    print(error)
else:
    print("taken" if found is not None and found.fileno() == 3 else found)
os._exit(0 if not sys.stdout.flush() else 1)
"""


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_FDS": "1", "LISTEN_PID": str(PID + 1)},
        {"LISTEN_FDS": "", "LISTEN_PID": str(PID)},
        {"LISTEN_FDS": "one", "LISTEN_PID": str(PID)},
    ],
)
def test_what_is_not_for_this_process_is_left_alone(env: dict[str, str]) -> None:
    assert find_inherited(env, PID) is None


def test_two_sockets_are_refused() -> None:
    with pytest.raises(ValueError, match="there are 2 of them, not one"):
        find_inherited({"LISTEN_FDS": "2", "LISTEN_PID": str(PID)}, PID)


@pytest.mark.parametrize(
    ("kind", "listens", "said"),
    [
        (socket.AF_INET, "yes", "taken"),
        (socket.AF_INET, "no", "it is not a TCP socket that listens"),
        (socket.AF_UNIX, "yes", "it is not a TCP socket that listens"),
    ],
)
@pytest.mark.reaches_out
def test_a_socket_of_this_process_is_taken_if_it_can_be_served_on(
    kind: socket.AddressFamily, listens: str, said: str
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TRIED, kind.name, listens],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert ran.stdout.strip() == said
