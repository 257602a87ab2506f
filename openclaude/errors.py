"""Every failure a user can meet: a sentence, a hint, an exit code.

Knows: the shape of a failure. Refuses to know: everything else.
A message is lower case, has no period, and says what is allowed; `hint` is the command or change
that mends it. `code` is the stable name a `--json` reader sees.
"""

from __future__ import annotations

from collections.abc import Iterable


class OpenclaudeError(Exception):
    """Something a user can mend. Anything else that reaches `cli.main` is a bug of ours."""

    code = "failed"
    exit_code = 1  # of our own words
    launch_exit_code = 125  # of a launch: openclaude failed before it became claude

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def entries(self) -> list[dict[str, object]]:
        """The failure as `errors` of a `--json` envelope; several for a report of several."""
        return [{"code": self.code, "message": self.message, "hint": self.hint}]


class UsageError(OpenclaudeError):
    """A command line that does not fit."""

    code = "usage"
    exit_code = 2


class ClaudeNotFound(OpenclaudeError):
    """No `claude` to become."""

    code = "claude-not-found"
    launch_exit_code = 127


class ClaudeNotExecutable(OpenclaudeError):
    """There is a `claude`, and it cannot be run."""

    code = "claude-not-executable"
    launch_exit_code = 126


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of `known` that `word` was probably meant to be, or an empty string."""
    import difflib  # here, because a launch that goes well has no use for it

    near = difflib.get_close_matches(word, list(known), 1, 0.6)
    return near[0] if near else ""
