"""The demo's verdict: where each canary credential was seen, and where it was not.

Knows: canaries, and all places where they must not be. Independent of: how the requests were made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from openclaude.contracts.report import Report
from openclaude.run.stack.client import StackUnreachable
from openclaude.run.stack.reports import ask_report
from openclaude.standins.base.exchange import Recorded


class Canaries(NamedTuple):
    """Credentials that exist only for this run, so that a sighting proves a leak."""

    token: str  # stands for the plan's login
    key_id: str  # stand for the AWS key
    secret: str


class Check(NamedTuple):
    """One claim and whether it holds."""

    claim: str
    holds: bool


class SeenProcess(NamedTuple):
    """What another program of the same user could see of one of our processes."""

    name: str
    environment: dict[str, str]
    command_line: list[str]

    @property
    def text(self) -> str:
        """All of it, to search in."""
        return f"{self.environment!r} {self.command_line!r}"


def judge(
    folder: Path,
    home: Path,
    anthropic: Sequence[Recorded],
    bedrock: Sequence[Recorded],
    canaries: Canaries,
) -> list[Check]:
    """Every claim of the isolation verdict, while the stack in `folder` still runs."""
    seen = {process.name: process for process in our_processes(folder)}
    token, aws = canaries.token, (canaries.key_id, canaries.secret)
    at_anthropic, at_bedrock = texts_of(anthropic), texts_of(bedrock)
    ours = [home / ".config", home / ".local", home / ".cache"]
    key = local_key(folder)
    everywhere = [*(process.text for process in seen.values()), *texts_below(ours)]
    return [
        Check("the plan login reached Anthropic", holds(at_anthropic, [token])),
        Check("the plan login never reached Bedrock", not holds(at_bedrock, [token])),
        Check("the AWS key signed for Bedrock", holds(at_bedrock, [canaries.key_id])),
        Check("the AWS key never reached Anthropic", not holds(at_anthropic, aws)),
        Check(
            "neither appears in our files, logs, arguments or environment",
            not holds(everywhere, [token, *aws]),
        ),
        Check(
            "the local key stayed on this machine",
            not holds([*at_anthropic, *at_bedrock], [key]),
        ),
    ]


def holds(texts: Iterable[str], words: Iterable[str]) -> bool:
    """Whether any of the canaries is in any of the texts."""
    sought = list(words)
    return any(word in text for text in texts for word in sought)


def texts_of(requests: Iterable[Recorded]) -> list[str]:
    """Everything an upstream received, request by request."""
    return [
        f"{request.target}\n{request.headers!r}\n{request.body.decode('latin-1')}"
        for request in requests
    ]


def texts_below(folders: Iterable[Path]) -> Iterator[str]:
    """Every file below the folders."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield path.read_bytes().decode("latin-1")


def our_processes(folder: Path) -> list[SeenProcess]:
    """The supervisor and the instances, as they look from outside."""
    report = running(folder)
    pids = {"supervisor": report.pid, **{unit.name: unit.pid for unit in report.units}}
    if report.forkserver:
        pids["forkserver"] = report.forkserver.pid
    return [see_process(name, pid) for name, pid in pids.items() if pid]


def see_process(name: str, pid: int) -> SeenProcess:
    """A process as its own user sees it; one that keeps its memory private shows no environment."""
    import psutil

    process = psutil.Process(pid)
    try:
        environment = process.environ()
    except psutil.AccessDenied:
        environment = {}
    return SeenProcess(name, environment, process.cmdline())


def local_key(folder: Path) -> str:
    """main's local key; the one of providers is known to the two instances only."""
    return running(folder).main_key


def running(folder: Path) -> Report:
    """The status of the demo's stack. Raises StackUnreachable if it has ended."""
    report = ask_report(folder)
    if report is None:
        raise StackUnreachable(
            "the demo's proxies ended before they could be looked at",
            hint="try again; if it happens again, see `openclaude demo --help`",
        )
    return report
