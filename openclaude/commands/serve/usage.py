"""`openclaude team usage`: what people have used, summed from the log of a team's servers.

Knows: the lines of the log. Independent of: who keeps it and for how long: journald, a container's
runtime, a file. A line that is not about a request counts for nothing, whoever has written it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from openclaude.errors import OpenclaudeError, UsageError
from openclaude.ledger.audit import AUDIT
from openclaude.output import Result
from openclaude.terminal.screen import find_screen
from openclaude.terminal.tables import table

BEGINS = f"{AUDIT} {{"
BY = ("person", "model", "day")
DAY = len("2026-12-01")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
STDIN = "-"
LONGEST_LINE = 64 * 1024
HEADER = ("requests", "refused", "errors", "in", "out", "cost")


class LogUnreadable(OpenclaudeError):
    """A log that cannot be read."""

    code = "log-unreadable"


class Used(NamedTuple):
    """What was used."""

    requests: int = 0
    refused: int = 0  # by a limit
    errors: int = 0
    tokens_in: int = 0  # those of a cache, too
    tokens_out: int = 0
    usd: float = 0.0

    def plus(self, other: Used) -> Used:
        """Both together."""
        return Used(
            self.requests + other.requests,
            self.refused + other.refused,
            self.errors + other.errors,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.usd + other.usd,
        )

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**self._asdict(), "usd": round(self.usd, 6)}


def add_arguments(action: argparse.ArgumentParser) -> None:
    """The options of the action."""
    action.add_argument(
        "logs", metavar="LOG", nargs="*", help=f"files with the log (`{STDIN}`, or none: stdin)"
    )
    action.add_argument("--by", choices=BY, default="person", help="default: person")
    action.add_argument("--since", metavar="DATE", help="only from this day of UTC on: 2026-12-01")


def team_usage(arguments: argparse.Namespace, env: Mapping[str, str]) -> Result:
    """The sums. Raises UsageError, LogUnreadable."""
    since = arguments.since or ""
    if since and not DATE.fullmatch(since):
        raise UsageError(f"`--since` cannot be `{since}`", hint="for example `--since 2026-12-01`")
    if not arguments.logs and sys.stdin.isatty():
        raise UsageError("no log is named", hint="see `openclaude team usage --help`")
    found = summed(lines_of(arguments.logs or [STDIN]), arguments.by, since)
    total = Used()
    for one in found.values():
        total = total.plus(one)
    rows = sorted(found.items(), key=lambda row: row[0] if arguments.by == "day" else -row[1].usd)
    data = {
        "by": arguments.by,
        "rows": [{arguments.by: name, **used.document()} for name, used in rows],
        "total": total.document(),
    }
    shown = [(name, *row_of(used)) for name, used in rows] + [("total", *row_of(total))]
    text = table((arguments.by, *HEADER), shown, find_screen(sys.stdout, env))
    return Result(text=text, data=data)


def row_of(used: Used) -> tuple[str, ...]:
    """The columns of a row."""
    return (*(f"{number:,}" for number in used[:-1]), f"${used.usd:,.4f}")


def summed(lines: Iterable[str], by: str, since: str) -> dict[str, Used]:
    """The sums of the requests in a log, by what they are grouped by."""
    found: dict[str, Used] = {}
    for line in lines:
        if said := request_in(line):
            day = said["at"][:DAY]
            if day >= since:
                name = day if by == "day" else said[by] or "-"
                found[name] = found.get(name, Used()).plus(used_by(said))
    return found


def request_in(line: str) -> dict[str, Any]:
    """What a line says of a request; nothing for another line."""
    before, found, rest = line.partition(BEGINS)
    if not found or before[-1:].strip():  # a word that only ends like that
        return {}
    try:
        said = json.loads("{" + rest)
    except (ValueError, RecursionError):
        return {}
    texts = ("at", "person", "model")
    is_whole = isinstance(said, dict) and all(isinstance(said.get(one), str) for one in texts)
    return said if is_whole and DATE.match(said["at"]) else {}


def used_by(said: Mapping[str, Any]) -> Used:
    """What a request has used."""
    status = number(said.get("status"))
    is_refused = isinstance(said.get("limit"), str)
    return Used(
        requests=1,
        refused=int(is_refused),
        errors=int(not is_refused and not 200 <= status < 400),
        tokens_in=sum(
            int(number(said.get(name))) for name in ("tokens_in", "cache_read", "cache_write")
        ),
        tokens_out=int(number(said.get("tokens_out"))),
        usd=number(said.get("usd")),
    )


def number(value: object) -> float:
    """A number that can be summed; 0 for anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and 0 <= value < 2**53 else 0  # type: ignore[operator, return-value]


def lines_of(logs: Iterable[str]) -> Iterator[str]:
    """The lines of logs, one after the other. Raises LogUnreadable."""
    for name in logs:
        try:
            if name == STDIN:
                yield from read(sys.stdin.buffer)
            else:
                with Path(name).open("rb") as file:
                    yield from read(file)
        except OSError as error:
            raise LogUnreadable(
                f"`{name}` cannot be read: {error.strerror or error}",
                hint=f"name a file with the log of a server, or `{STDIN}` for stdin",
            ) from error


def read(file: Any) -> Iterator[str]:
    """The lines of a file; of one that is too long, pieces that count for nothing."""
    while line := file.readline(LONGEST_LINE):
        yield line.decode("utf-8", "replace")
