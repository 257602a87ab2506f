"""Diagnostics: what is wrong and how to fix it, in one type that all of openclaude uses.

Knows: severity, location, and how both are written. Must not depend on what is wrong: errors carry
diagnostics, so every launch imports this module.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from openclaude.contracts.record import Record

Key = tuple[str | int, ...]  # a key of a profile or of a settings file; an int is a position


class Severity(StrEnum):
    """The severity, for the next launch."""

    ERROR = "error"  # the launch fails, or cannot answer at all
    WARNING = "warning"  # the launch works, but something will not be as expected
    NOTE = "note"  # good to know
    OK = "ok"


class Location(Record):
    """Where the problem is, if known: a file, or an environment variable."""

    path: Path | None = None
    line: int | None = None
    column: int | None = None
    key: Key = ()
    variable: str | None = None

    def __str__(self) -> str:
        place = f"environment:{self.variable}" if self.variable else self.path
        parts = (place, self.line, self.column, dotted(self.key))
        return ":".join(str(part) for part in parts if part)

    def as_data(self) -> dict[str, object]:
        """The location as JSON, without what is not known."""
        found: dict[str, object] = {}
        if self.path:
            found |= {"path": str(self.path), "line": self.line, "key": dotted(self.key)}
        if self.column:
            found["column"] = self.column
        if self.variable:
            found["variable"] = self.variable
        return found


class Diagnostic(Record):
    """One thing that is wrong, or ok."""

    code: str  # stable, listed in `errors.CODES`
    severity: Severity
    message: str  # what is wrong
    why: str = ""  # why it matters
    fix: str = ""  # what to do about it
    commands: tuple[str, ...] = ()  # each of them fixes it by itself
    location: Location | None = None
    related: Location | None = None  # what it conflicts with

    def __str__(self) -> str:
        return f"{self.located}; {self.fix}" if self.fix else self.located

    @property
    def sentence(self) -> str:
        """What is wrong and how to fix it, on one line."""
        return f"{self.message}; {self.fix}" if self.fix else self.message

    @property
    def located(self) -> str:
        """Where it is and what is wrong, in the form that editors understand."""
        location = self.location or Location()
        parts = (location.path, location.line, location.column)
        place = ":".join(str(part) for part in parts if part)
        related = f" ({self.related._replace(key=())})" if self.related else ""
        return ": ".join(filter(None, (place, dotted(location.key), self.message))) + related

    def entry(self) -> dict[str, object]:
        """The diagnostic as one of the `errors` or `warnings` of a `--json` document."""
        entry: dict[str, object] = {"code": self.code, "message": self.message, "hint": self.fix}
        if self.location:
            entry |= self.location.as_data()
        if self.related:
            entry["other"] = {"path": str(self.related.path), "line": self.related.line}
        return entry

    def as_data(self) -> dict[str, object]:
        """The whole diagnostic as JSON."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "message": self.message,
            "why": self.why,
            "fix": self.fix,
            "location": self.location.as_data() if self.location else None,
        }


def dotted(key: Key) -> str:
    """A key as users write it: `tiers.haiku.model`, quoted where it must be."""
    return ".".join(part if is_bare(part) else quoted(part) for part in map(str, key))


def is_bare(part: str) -> bool:
    """Whether TOML allows a part of a key without quotes."""
    letters = part.replace("_", "a").replace("-", "a")
    return letters.isascii() and letters.isalnum()


def quoted(part: str) -> str:
    """A part of a key in quotes, shortened and without control characters."""
    shown = part if len(part) <= 40 else part[:37] + "..."
    return '"' + (shown if shown.isprintable() else ascii(shown)[1:-1]) + '"'
