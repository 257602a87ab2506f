"""The open sessions: what each is, what it has used; a line for each.

Knows: how the supervisor's processes and the ledger's sessions belong together. Independent of: how
often it is shown.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from openclaude.commands.ledger.words import LedgerUnreadable, ledger, money
from openclaude.commands.status.processes import duration
from openclaude.contracts.printable import printable
from openclaude.files import read_regular
from openclaude.ledger.sums import LedgerReader, SessionSums
from openclaude.paths import Places
from openclaude.run.os.procstat import origin
from openclaude.terminal.tables import table

LARGEST = 64 * 1024  # bytes of claude's own file about a session
HEADER = ("FOLDER", "AGE", "PROFILE", "MODEL", "REQUESTS", "COST", "LAST ERROR")
LONGEST_FOLDER = 40


class SessionLine(NamedTuple):
    """One open session of claude."""

    profile: str
    pid: int
    folder: str  # where claude runs; "" if the system does not tell
    began_at: float | None  # seconds since 1970
    session: str  # claude's own id of it; "" if it has asked nothing yet
    used: SessionSums

    def document(self) -> dict[str, object]:
        """What `--json` says of it beside pid and start."""
        return {
            "folder": self.folder or None,
            "began_at": self.began_at,
            "session": self.session or None,
            "model": self.used.answered or None,
            "requests": self.used.requests,
            "failed": self.used.errors,
            "usd": round(self.used.dollars, 6),
            "last_error": self.used.error or None,
            "last_error_at": self.used.error_at,
        }

    def age_s(self, now: float) -> float:
        """How long it has run; a clock that was set back does not make it negative."""
        return max(0.0, now - self.began_at) if self.began_at is not None else 0.0


def session_lines(
    reports: Iterable[Mapping[str, Any]], places: Places, env: Mapping[str, str], now: float
) -> list[SessionLine]:
    """All open sessions of these stacks, the oldest first.

    An unreadable ledger leaves its columns empty.
    """
    config = Path(env.get("CLAUDE_CONFIG_DIR") or places.home / ".claude")
    found = []
    for report in reports:
        for session in report["sessions"]:
            folder, began = origin(session["pid"], session["started"])
            known = claudes_id(session["pid"], config)
            found.append(
                SessionLine(report["profile"], session["pid"], folder, began, known, SessionSums())
            )
    found.sort(key=lambda line: line.began_at or now)
    try:
        with ledger(places) as opened:
            return [*with_use(opened, found)] if opened else found
    except LedgerUnreadable:
        return found


def claudes_id(pid: int, config: Path) -> str:
    """The session's id as claude itself writes it down, in a file named after its process."""
    try:
        said = json.loads(read_regular(config / "sessions" / f"{pid}.json", LARGEST) or b"{}")
    except (ValueError, RecursionError):
        return ""
    known = said.get("sessionId") if isinstance(said, dict) and said.get("pid") == pid else None
    return known if isinstance(known, str) else ""


def with_use(opened: LedgerReader, lines: Sequence[SessionLine]) -> list[SessionLine]:
    """The same with what the ledger has of each. Raises sqlite3.Error."""
    taken = {line.session for line in lines if line.session}
    together: defaultdict[tuple[str, str], list[SessionLine]] = defaultdict(list)
    for line in lines:
        if not line.session and line.folder and line.began_at is not None:
            together[line.profile, line.folder].append(line)
    guessed: dict[int, str] = {}
    for (profile, folder), those in together.items():
        since = min(line.began_at or 0.0 for line in those)
        asked = [one for one in opened.sessions_in(profile, folder, since) if one[0] not in taken]
        guessed |= assigned(those, asked)
    done = []
    for line in lines:
        session = line.session or guessed.get(line.pid, "")
        used = opened.of_session(session) if session else SessionSums()
        done.append(line._replace(session=session, used=used))
    return done


def assigned(lines: Sequence[SessionLine], asked: Sequence[tuple[str, float]]) -> dict[int, str]:
    """Which process has which session: the youngest one that was there at its first request.

    A process whose session was begun anew (`/clear`) has several; the last counts.
    """
    found: dict[int, str] = {}
    for session, at in asked:
        there = [line for line in lines if (line.began_at or 0.0) <= at]
        free = [line for line in there if line.pid not in found]
        for line in (free or there)[-1:]:
            found[line.pid] = session
    return found


def shown_sessions(
    lines: Sequence[SessionLine], reports: Iterable[Mapping[str, Any]], home: Path, now: float
) -> str:
    """A line for each session, and one for each of these stacks without any."""
    text = table(HEADER, [row(line, home, now) for line in lines]) if lines else ""
    for report in reports:
        if not report["sessions"]:
            up = duration(report["uptime_s"])
            text += f"{report['profile']}: up {up}, no open session\n"
    return text


def row(line: SessionLine, home: Path, now: float) -> tuple[str, ...]:
    """The cells of one session."""
    used = line.used
    error = ""
    if used.error and used.error_at is not None:
        error = f"{used.error}, {duration(max(0.0, now - used.error_at))} ago"
    return (
        shortened(line.folder, home) or f"pid {line.pid}",
        duration(line.age_s(now)) if line.began_at is not None else "-",
        line.profile,
        printable(used.answered) or "-",
        str(used.requests),
        money(used.dollars) if used.requests else "-",
        printable(error) or "-",
    )


def shortened(folder: str, home: Path) -> str:
    """A folder with `~` for the home, and its end only if it is long; harmless for a terminal."""
    if folder == str(home) or folder.startswith(f"{home}/"):
        folder = f"~{folder[len(str(home)) :]}"
    folder = printable(folder).replace("\n", "\\n").replace("\t", "\\t")
    return folder if len(folder) <= LONGEST_FOLDER else f"...{folder[3 - LONGEST_FOLDER :]}"
