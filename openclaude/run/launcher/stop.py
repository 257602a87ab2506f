"""Stopping a stack completely.

Knows: the lock, the request, and what to do with a supervisor that does not answer. Independent of:
profiles, terminals.
"""

from __future__ import annotations

from pathlib import Path

from openclaude.contracts.stack_record import StackRecord
from openclaude.files import locked
from openclaude.run.launcher.start import end_process
from openclaude.run.launcher.strays import end_strays
from openclaude.run.stack.client import STOP_TIMEOUT_S, StackUnreachable, ask_to_stop
from openclaude.run.stack.folder import is_live, read_record
from openclaude.run.stack.leftovers import forget_stack

HANG_PATIENCE_S = 5.0  # for a supervisor that did not stop when asked, before it is killed


def stop_stack(folder: Path) -> bool:
    """Stop the stack in a directory and wait for its supervisor's end; return whether one ran.

    Raises StackUnreachable, LockHeld or FolderUnusable.

    """
    if not folder.is_dir():
        return bool(end_strays(folder.parent, folder.name))
    with locked(folder / "lock"):  # no launch may make the next stack while this one is cleared
        record = read_record(folder)
        was_live = record is not None and is_live(record)
        try:
            answer = ask_to_stop(folder, timeout_s=STOP_TIMEOUT_S)
            was_live = was_live or answer is not None  # it may not have written its record yet
        except StackUnreachable:
            if record is None:
                raise
            answer = None
        if record is None and answer and answer.started:
            # it had not written its record yet when it was told to stop
            record = StackRecord(
                version="",
                profile=folder.name,
                pid=answer.pid,
                started=answer.started,
                port=0,
                main_key="",
            )
        if record:
            end_process(record, patience_s=HANG_PATIENCE_S)
        # what no record leads to, and streams that one before this stack still lets end
        was_live = bool(end_strays(folder.parent, folder.name)) or was_live
        forget_stack(folder)  # what one that was killed has left
    return was_live
