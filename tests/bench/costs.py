"""The resources of processes: memory, processor time, open files; of whole trees.

Knows: /proc. Independent of: whose processes they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from openclaude.run.os.procstat import usage

MEGABYTE = 1e6
PROC = Path("/proc")


class ProcessGone(RuntimeError):
    """A process that was to be measured has ended."""


def tree(pid: int) -> list[int]:
    """A process and everything it has started."""
    children = (PROC / f"{pid}/task/{pid}/children").read_text().split()
    return [pid, *(below for child in children for below in tree(int(child)))]


def trees(roots: Iterable[int]) -> list[int]:
    """The same for several."""
    return [pid for root in roots for pid in tree(root)]


def pss_mb(pids: Iterable[int]) -> float:
    """Return their proportional memory in megabytes."""
    sizes = [usage(pid)["pss_bytes"] for pid in pids]
    if not all(sizes):
        raise ProcessGone("a process whose memory was to be measured has ended")
    return float(sum(sizes)) / MEGABYTE


def cpu_ms(pids: Iterable[int]) -> float:
    """Return the processor time of their living threads in milliseconds, to the nanosecond.

    A thread that has ended no longer counts; the workers of a pool do not end.
    """
    spent = 0
    for pid in pids:
        for task in (PROC / f"{pid}/task").glob("*/schedstat"):
            spent += int(task.read_text().split()[0])
    return spent / 1e6


def open_files(pids: Iterable[int]) -> int:
    """Return how many file descriptors they have open."""
    return sum(len(list((PROC / f"{pid}/fd").iterdir())) for pid in pids)
