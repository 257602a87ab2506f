"""What is wrong with profile files: where, which key, what is allowed.

Knows: the shape of a mistake and of a report. Refuses to know: the rules that were broken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from openclaude.errors import OpenclaudeError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing to mend in one file; a warning has the same shape."""

    path: Path
    line: int
    key: str  # dotted, or "" where the file cannot be read as TOML
    message: str
    hint: str = ""
    column: int | None = None
    other: tuple[Path, int] | None = None  # the place it conflicts with

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.sentence}{hint}"

    @property
    def sentence(self) -> str:
        """Where and what, without how to mend it."""
        column = "" if self.column is None else f":{self.column}"
        key = f"{self.key}: " if self.key else ""
        other = f" ({self.other[0]}:{self.other[1]})" if self.other else ""
        return f"{self.path}:{self.line}{column}: {key}{self.message}{other}"

    def entry(self, code: str) -> dict[str, object]:
        """The mistake as one of the `errors` or `warnings` of a `--json` document."""
        return {
            "code": code,
            "message": self.message,
            "hint": self.hint,
            "path": str(self.path),
            "line": self.line,
            "key": self.key,
            **(
                {"other": {"path": str(self.other[0]), "line": self.other[1]}} if self.other else {}
            ),
        }


class ProfileMistakes(OpenclaudeError):
    """Every mistake of a profile, in one report."""

    code = "profile-invalid"
    exit_code = 2

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        if len(self.mistakes) == 1:
            super().__init__(self.mistakes[0].sentence, hint=self.mistakes[0].hint)
        else:
            lines = "".join(f"\n{mistake}" for mistake in self.mistakes)
            super().__init__(f"the profile has {len(self.mistakes)} mistakes\n{lines}")

    def entries(self) -> list[dict[str, object]]:
        """One error for each mistake."""
        return [mistake.entry(self.code) for mistake in self.mistakes]


class UnreadableProfile(OpenclaudeError):
    """A profile's file or folder is there and cannot be read."""

    code = "profile-unreadable"
    exit_code = 2

    def __init__(self, path: Path, why: str, *, hint: str = "") -> None:
        super().__init__(f"cannot read `{path}`: {why}", hint=hint)


class BadOverride(UsageError):
    """An OPENCLAUDE_* variable holds what the key it replaces could not hold."""

    code = "environment-invalid"

    def __init__(self, variable: str, message: str, *, hint: str = "") -> None:
        super().__init__(f"{variable}: {message}", hint=hint)
