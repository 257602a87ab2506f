"""What `usage` and `requests` share: opening the ledger, times, numbers for people.

Knows: how counts, dollars and times are written. Independent of: what a command asks.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from shlex import quote

from openclaude.errors import OpenclaudeError, UsageError
from openclaude.ledger.store import Unusable, ledger_file
from openclaude.ledger.sums import LedgerReader, Sums, open_to_read
from openclaude.paths import Places

AGO = re.compile(r"([0-9]{1,5})([mhdw])")
HEADER = ("requests", "errors", "in", "cached", "out", "first byte", "cost")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class LedgerUnreadable(OpenclaudeError):
    """The ledger cannot be read."""

    code = "ledger-unreadable"


@contextlib.contextmanager
def ledger(places: Places) -> Iterator[LedgerReader | None]:
    """The ledger for the block; None where no request was written down yet.

    Raises LedgerUnreadable, also for what fails in the block.
    """
    path = ledger_file(places.state)
    opened = None
    try:
        opened = open_to_read(path)
        yield opened
    except (sqlite3.Error, Unusable) as error:
        where = quote(str(path))
        raise LedgerUnreadable(
            f"{path} cannot be read: {error}",
            hint=f"move it away (`mv {where} {where}.old`); the next request begins a new one",
        ) from error
    finally:
        if opened is not None:
            opened.close()


def chosen_profile(named: str | None, given: str | None, command: str) -> str | None:
    """The profile that is named by itself or with `--profile`. Raises UsageError."""
    if named is not None and given not in (None, named):
        raise UsageError(
            f"two profiles are named: `{named}` and `{given}`",
            hint=f"see `openclaude {command} --help`",
        )
    return given if named is None else named


def check_spender(
    given: str | None, opened: LedgerReader | None, places: Places, actions: tuple[str, ...] = ()
) -> None:
    """Raise UnknownProfile for a profile that has neither a file nor a request in the ledger.

    A profile's requests outlive its file. It may have been meant to be one of `actions`. Raises
    BadProfileName, sqlite3.Error.
    """
    if given is None:
        return
    from openclaude.profile.library import Library
    from openclaude.profile.names import UnknownProfile, check_name

    spent = opened.profiles() if opened else []
    if given not in spent:
        names = Library(places.profiles, places.shipped).names()
        if check_name(given) not in names:
            raise UnknownProfile(given, (*actions, *sorted({*names, *spent})))


def since(text: str, now: datetime) -> float:
    """The time that `--since` names, in seconds since 1970. Raises UsageError."""
    if found := AGO.fullmatch(text):
        return (now - timedelta(**{UNITS[found[2]]: int(found[1])})).timestamp()
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise UsageError(
            f"`--since` takes a time ago or a date, not `{text}`",
            hint="for example `--since 7d`, `--since 12h` or `--since 2026-11-30`",
        ) from None


def midnight(now: datetime) -> float:
    """When today began, in seconds since 1970."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def tokens(number: int | None) -> str:
    """A number of tokens for a column: 950, 12.3k, 4.56M."""
    if number is None:
        return "-"
    for size, unit in ((1_000_000, "M"), (1000, "k")):
        if number >= size:
            value = number / size
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}{unit}"
    return str(number)


def money(dollars: float | None) -> str:
    """Dollars for a column, with as many places as say something."""
    if dollars is None:
        return "-"
    return f"${dollars:.2f}" if dollars >= 10 or not dollars else f"${dollars:.4f}"


def cells(sums: Sums) -> tuple[str, ...]:
    """A row of HEADER."""
    first = sums.mean_first_ms
    return (
        str(sums.requests),
        str(sums.errors or "-"),
        tokens(sums.tokens_in + sums.cache_read + sums.cache_write),
        f"{100 * sums.cached:.0f} %" if sums.cache_read else "-",
        tokens(sums.tokens_out),
        f"{first} ms" if first is not None else "-",
        money(sums.dollars) if sums.dollars else "-",
    )


def clock(at: float) -> str:
    """A time of day, with the date if it was not today."""
    try:
        when = datetime.fromtimestamp(at).astimezone()
    except (ValueError, OverflowError, OSError):
        return f"{at:.3g} s"  # a clock that was wrong by thousands of years
    is_today = when.date() == datetime.now().astimezone().date()
    return when.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M:%S")


def again(resets: int | None, now: float) -> str:
    """When a part of the plan's quota begins anew, or has since it was said."""
    if not resets:
        return ""
    minute = clock(resets).rpartition(":")[0]
    return f" (new {'at' if resets > now else 'since'} {minute})"
