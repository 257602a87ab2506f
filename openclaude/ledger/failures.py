"""A line of main's log for each request that has failed.

Knows: what it says. Independent of: how a request is routed. No text of a request, a reply or an
error is in it: `openclaude requests show` and the log of `providers` say more.
"""

from __future__ import annotations

import logging

from openclaude.ledger.entry import RequestEntry

log = logging.getLogger("openclaude.requests")


def tell_failure(entry: RequestEntry) -> None:
    """Log a request that got an error in place of an answer."""
    if entry.status >= 400 or entry.error:
        log.warning("%s", failure_line(entry))


def failure_line(entry: RequestEntry) -> str:
    """What failed, how, after how long, and where to look for it."""
    model = f"`{entry.asked}`"
    if entry.answered and entry.answered != entry.asked:
        model += f" (`{entry.answered}`)"
    how = " ".join(filter(None, (str(entry.status), entry.error)))
    where = {"session": entry.session, "request": entry.request_id}
    named = "".join(f", {name} {value}" for name, value in where.items() if value)
    return f"{entry.tier or '-'} {model} failed: {how} after {entry.total_ms} ms{named}"
