"""A change that nobody could confirm: it is shown, and not made.

Knows: how that is reported. Independent of: what would be changed.
"""

from __future__ import annotations

from collections.abc import Mapping

from openclaude.errors import UsageError
from openclaude.output import Result
from openclaude.prompt import tell


class Unasked(UsageError):
    """A change that was not confirmed."""

    code = "aws-setup-unasked"


def unasked(shown: str, data: Mapping[str, object], *, as_json: bool) -> Result:
    """Show the change and fail: there is no terminal for a confirmation. Raises Unasked."""
    error = Unasked(
        "`openclaude aws setup` needs confirmation, but there is no terminal",
        hint="review the change, then add `--yes`; nothing was changed",
    )
    if as_json:
        return Result(data=data, exit_code=error.exit_code, errors=tuple(error.entries()))
    tell(shown + "\n")
    raise error
