"""What processes cost: memory, processor time, open files; of a whole tree.

Knows: /proc. Refuses to know: whose processes they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from openclaude.run.usage import usage

MEGABYTE = 1e6
PROC = Path("/proc")


class ProcessGone(RuntimeError):
    """A process that was to be measured has ended."""


def tree(pid: int) -> list[int]:
    """A process and everything it has started."""
    children = (PROC / f"{pid}/task/{pid}/children").read_text().split()
    return [pid, *(below for child in children for below in tree(int(child)))]


def trees(roots: Iterable[int]) -> list[int]:
    """The same of several."""
    return [pid for root in roots for pid in tree(root)]


def pss_mb(pids: Iterable[int]) -> float:
    """Their proportional memory, megabytes."""
    sizes = [usage(pid)["pss_bytes"] for pid in pids]
    if not all(sizes):
        raise ProcessGone("a process whose memory was to be measured has ended")
    return float(sum(sizes)) / MEGABYTE


def cpu_ms(pids: Iterable[int]) -> float:
    """The processor time that their living threads have had, milliseconds, to the nanosecond.

    A thread that ended takes its time with it; workers of a pool do not end.
    """
    spent = 0
    for pid in pids:
        for task in (PROC / f"{pid}/task").glob("*/schedstat"):
            spent += int(task.read_text().split()[0])
    return spent / 1e6


def open_files(pids: Iterable[int]) -> int:
    """How many file descriptors they hold."""
    return sum(len(list((PROC / f"{pid}/fd").iterdir())) for pid in pids)
