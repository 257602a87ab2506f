"""When the credentials of AWS end that a running stack uses, from AWS's own files alone.

Knows: how a report says it. Independent of: which file says it, which the status line finds out by
the same function. AWS is not asked, and no secret is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from openclaude.aws.faults import credentials_expired
from openclaude.commands.ledger.statusline import login_end
from openclaude.contracts.printable import printable


def aws_login(folder: Path, env: Mapping[str, str], now: float) -> dict[str, Any] | None:
    """The AWS profile of a stack, when its credentials end, and in how many seconds.

    None where no file says so: keys that do not end, and logins that are renewed by themselves.
    """
    found = login_end(str(folder), env, now)
    if found is None:
        return None
    name, ends, left = found
    return {"aws_profile": name, "expires": ends, "left_s": int(left)}


def aws_text(logins: Iterable[Mapping[str, Any] | None]) -> str:
    """A line for each AWS profile whose credentials end."""
    found = {login["aws_profile"]: login["left_s"] for login in logins if login}
    return "".join(line(name, left) for name, left in found.items())


def line(name: str, left_s: int) -> str:
    """How long one login lasts, or the command that renews it."""
    if left_s <= 0:
        return (
            f"AWS login: expired ({printable(name)}); {credentials_expired(printable(name)).fix}\n"
        )
    return f"AWS login: {length(left_s)} left ({printable(name)})\n"


def length(seconds: int) -> str:
    """A length of time, to the minute."""
    minutes = seconds // 60
    if minutes < 1:
        return "less than 1 min"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
