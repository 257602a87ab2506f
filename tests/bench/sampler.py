"""A sampler inside an instance: a copy of this file, called sitecustomize.py, which Python imports.

Knows: its own folder, signals, stacks. Independent of: what runs, and everything of ours: it must
import nothing that the instance does not. SIGUSR1 starts and stops it; what it recorded is then
written beside it, into a file that is open before the instance gives up writing there. Only the
benchmark uses it; the product does not know about it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY_S = 0.001  # of processor time; the kernel rounds it up to its own tick
DEPTH = 60  # frames of a stack that are kept, the innermost first
FOLDER = Path(__file__).resolve().parents[1]

END = "\n"  # ends what was written: the reader may come too early
seen: Counter[tuple[str, ...]] = Counter()
began: list[float] = []  # processor time at the start; empty while nothing is sampled
files: list[int] = []  # this process's, at most one


def toggle(_number: int, _frame: FrameType | None) -> None:
    """Start, or stop and write."""
    if not began:
        seen.clear()
        began.append(time.process_time())
        signal.signal(signal.SIGPROF, look)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
        return
    signal.setitimer(signal.ITIMER_PROF, 0)
    spent = time.process_time() - began.pop()
    stacks = [[count, stack] for stack, count in seen.items()]
    os.ftruncate(files[0], 0)
    os.pwrite(files[0], (json.dumps({"cpu_s": spent, "stacks": stacks}) + END).encode(), 0)


def open_own() -> None:
    """Open the file of this process, whether it is a fork or a program of its own."""
    files[:] = [os.open(FOLDER / f"{os.getpid()}.json", os.O_WRONLY | os.O_CREAT, 0o600)]


def look(_number: int, frame: FrameType | None) -> None:
    """Record what the processor is doing: the stack, as FILE:FUNCTION."""
    stack: list[str] = []
    while frame is not None and len(stack) < DEPTH:
        stack.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name}")
        frame = frame.f_back
    seen[tuple(stack)] += 1


if __name__ == "sitecustomize":
    sys.executable = str(FOLDER / "python")  # so that child processes have it too
    signal.signal(signal.SIGUSR1, toggle)
    open_own()
    os.register_at_fork(after_in_child=open_own)
