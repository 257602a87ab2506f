"""Reports of a running stack.

Knows: which requests are answered with a report. Independent of: sockets, how a report is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from openclaude.contracts.control import AskStatus, Question
from openclaude.contracts.report import Report, read_report
from openclaude.run.stack.client import ANSWER_TIMEOUT_S, exchange, understood
from openclaude.run.stack.control_socket import recover


def ask_report(
    folder: Path,
    *,
    timeout_s: float = ANSWER_TIMEOUT_S,
    inherited: Mapping[str, str] | None = None,
) -> Report | None:
    """The report of the stack in `folder`, or None if none runs.

    With `inherited`, its `renewed` has what a launch with that would change. Raises
    StackUnreachable.
    """
    question = AskStatus(inherited=dict(inherited or {}))
    return report_after(folder, question, timeout_s=timeout_s)


def report_after(
    folder: Path, question: Question, *, timeout_s: float = ANSWER_TIMEOUT_S
) -> Report | None:
    """The report of the stack after it has carried out the request. Raises StackUnreachable.

    The caller does not hold the stack's lock.
    """
    with understood(folder):
        document = exchange(folder, question, timeout_s=timeout_s)
        if document is None and recover(folder):
            document = exchange(folder, question, timeout_s=timeout_s)
        return None if document is None else read_report(document)
