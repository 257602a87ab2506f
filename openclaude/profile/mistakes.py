"""What is wrong with profile files: where, which key, what is allowed.

Knows: how a profile's mistakes are written and reported. Must not depend on the rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from openclaude.diagnostics import Diagnostic, Key, Location, Severity
from openclaude.errors import USAGE, OpenclaudeError, UsageError


class ProfileMistakes(OpenclaudeError):
    """Every mistake of a profile, in one report."""

    code = "profile-invalid"
    exit_code = USAGE

    def __init__(self, mistakes: Iterable[Diagnostic]) -> None:
        self.mistakes = tuple(mistakes)
        if len(self.mistakes) == 1:
            super().__init__(self.mistakes[0].located, hint=self.mistakes[0].fix)
        else:
            text = "".join(f"\n{line}" for line in self.lines)
            super().__init__(f"the profile has {len(self.mistakes)} mistakes\n{text}")

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """One for each mistake."""
        return self.mistakes

    @property
    def lines(self) -> tuple[str, ...]:
        """Each mistake on a line of its own."""
        return tuple(str(mistake) for mistake in self.mistakes)


class UnreadableProfile(OpenclaudeError):
    """A profile's file or directory exists but cannot be read."""

    code = "profile-unreadable"
    exit_code = USAGE

    def __init__(self, path: Path, why: str, *, hint: str = "") -> None:
        location = Location(path=path)
        super().__init__(f"cannot read `{path}`: {why}", hint=hint, location=location)


class BadOverride(UsageError):
    """An OPENCLAUDE_* variable with a value that is invalid for its key."""

    code = "environment-invalid"

    def __init__(self, variable: str, message: str, *, hint: str = "") -> None:
        location = Location(variable=variable)
        super().__init__(f"{variable}: {message}", hint=hint, location=location)
        self.variable = variable


def mistake(key: Key, message: str, *, fix: str = "", related: Key = ()) -> Diagnostic:
    """A mistake at a key of the merged profile; `locate` adds the file that says so.

    `related` is the key that it conflicts with, which may be in another file.
    """
    return Diagnostic(
        code=ProfileMistakes.code,
        severity=Severity.ERROR,
        message=message,
        fix=fix,
        location=Location(key=key),
        related=Location(key=related) if related else None,
    )


def locate(found: Diagnostic, path: Path, line: int, column: int | None = None) -> Diagnostic:
    """The same diagnostic, in a file."""
    key = key_of(found)
    return found._replace(location=Location(path=path, line=line, column=column, key=key))


def key_of(found: Diagnostic) -> Key:
    """The key of the profile that a diagnostic is about."""
    return found.location.key if found.location else ()
