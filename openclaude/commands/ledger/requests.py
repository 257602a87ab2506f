"""`openclaude requests`: one line for each request, and everything that is known of one.

Knows: which fields a line has. Independent of: how requests are stored.
"""

from __future__ import annotations

import argparse
import json
import select
import sys
import time
from collections.abc import Iterator, Mapping

from openclaude.commands.help_page import STATE, HelpPage, add_json, add_page, add_profile_option
from openclaude.commands.ledger.record import record
from openclaude.commands.ledger.words import (
    check_spender,
    chosen_profile,
    clock,
    ledger,
    money,
    tokens,
)
from openclaude.errors import UsageError
from openclaude.ledger.entry import RequestEntry, Via
from openclaude.ledger.sums import NumberedEntry, Where
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.terminal.screen import short_path

POLL_MS = 300
SHOW, RECORD = "show", "record"
WHY = {
    Via.PLAN: "your Claude plan",
    Via.API_KEY: "your Anthropic API key",
    Via.SLOT: "the tier's model",
    Via.EYES: "it described an image for the tier's model",
    Via.ON_LIMIT: "the plan's limit was reached",
    Via.HELPER: "only Anthropic can answer this request of claude's",
}
PAGE = HelpPage(
    text="""\
Show the last requests of claude, one a line: when, which tier and model answered,
tokens, cost, time, and what went wrong. `show ID` prints everything that is known
of one. No prompt and no answer is stored, unless `record` asks for it: then the
proxies keep what is sent to slots and what they answer, for ten minutes.""",
    examples=(
        "openclaude requests -f",
        "openclaude requests show 42",
        "openclaude requests record --minutes 5",
    ),
    variables=STATE,
    docs="docs/usage.md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    parser.add_argument(
        "what",
        metavar="WHAT",
        nargs="?",
        help="a profile; `show ID`: one request; `record`: keep bodies",
    )
    parser.add_argument("id", metavar="ID", nargs="?", type=int, help="its number")
    add_profile_option(parser)
    parser.add_argument("--session", metavar="ID", default="", help="only this session of claude's")
    parser.add_argument("--errors", action="store_true", help="only what failed or was cut")
    parser.add_argument("-n", "--lines", type=int, default=20, metavar="N", help="default: 20")
    parser.add_argument("-f", "--follow", action="store_true", help="show new ones, until Ctrl-C")
    recording = parser.add_argument_group("with `record`")
    recording.add_argument(
        "--minutes", type=float, metavar="N", help="for how long (default: 10; at most 60)"
    )
    recording.add_argument("--stop", action="store_true", help="end the recording now")
    recording.add_argument(
        "--remove", action="store_true", help="end it, and delete what was recorded"
    )
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, _env: Mapping[str, str]) -> Result:
    """The newest requests; with `--follow` also new ones. Raises UsageError or LedgerUnreadable."""
    if arguments.what == RECORD:
        return record(arguments, places, time.time())
    if arguments.what == SHOW or arguments.id is not None:
        return show(arguments, places)
    profile = chosen_profile(arguments.what, arguments.profile, "requests")
    if arguments.follow and arguments.json:
        raise UsageError("`--follow` and `--json` exclude each other", hint="use one of the two")
    if arguments.lines < 0:
        raise UsageError(
            "`--lines` takes a number of 0 or more", hint="see `openclaude requests --help`"
        )
    where = Where(profile=profile or "", session=arguments.session, errors_only=arguments.errors)
    with ledger(places) as opened:
        check_spender(profile, opened, places, (SHOW, RECORD))
        found = opened.last(where, arguments.lines) if opened else []
    if arguments.follow:
        follow(found, where, places)
    text = "".join(f"{line(one)}\n" for one in found)
    data = {"requests": [document(one) for one in found]}
    return Result(text=text or "no such request was written down yet\n", data=data)


def show(arguments: argparse.Namespace, places: Places) -> Result:
    """Everything about one request. Raises UsageError or LedgerUnreadable."""
    if arguments.what != SHOW or arguments.id is None:
        raise UsageError(
            f"unknown: `{arguments.what}`" if arguments.what != SHOW else "`show` needs a number",
            hint="`openclaude requests` lists the numbers; `openclaude requests show 42` shows one",
        )
    with ledger(places) as opened:
        found = opened.one(arguments.id) if opened else None
    if found is None:
        raise UsageError(
            f"no request has the number {arguments.id}", hint="see `openclaude requests`"
        )
    return Result(text=page(found, str(places.home)), data=document(found))


def document(found: NumberedEntry) -> dict[str, object]:
    """One request as JSON."""
    entry = found.entry
    return {
        "id": found.id,
        **entry._asdict(),
        "attempts": json.loads(entry.attempts or "[]"),
        "changes": entry.changes.splitlines(),
    }


def follow(found: list[NumberedEntry], where: Where, places: Places) -> None:
    """Print requests as they end, until Ctrl-C. Raises BrokenPipeError if the reader has gone."""
    last = max((one.id for one in found), default=-1)
    reader = select.poll()
    reader.register(sys.stdout, 0)  # 0: only that it is gone
    while True:
        for one in found:
            sys.stdout.write(f"{line(one)}\n")
        sys.stdout.flush()
        if reader.poll(POLL_MS):
            raise BrokenPipeError
        with ledger(places) as opened:
            if opened is None:
                found = []
                continue
            if last < 0:  # what came before was shown, or not asked for
                newest = opened.last(Where(), 1)
                last = max((one.id for one in newest), default=0)
            found = opened.last(where._replace(after_id=last), sys.maxsize)
            last = max((one.id for one in found), default=last)


def line(found: NumberedEntry) -> str:
    """One request in a line."""
    entry = found.entry
    used = f"{tokens(prompt(entry))} in, {tokens(entry.tokens_out)} out"
    took = f"{entry.total_ms / 1000:.1f} s"
    price = "plan" if entry.via in (Via.PLAN, Via.HELPER) else money(entry.dollars)
    who = entry.answered or entry.asked
    agent = f" ({entry.agent})" if entry.agent else ""
    problem = f"  {outcome(entry)}" if outcome(entry) != "ok" else ""
    where = f"{found.id:>6}  {clock(entry.at)}  {entry.tier or '-':<6} {who}{agent}"
    return f"{where}  {used}  {price}  {took}{problem}"


def prompt(entry: RequestEntry) -> int | None:
    """All tokens that went in."""
    if entry.tokens_in is None:
        return None
    return entry.tokens_in + (entry.cache_read or 0) + (entry.cache_write or 0)


def outcome(entry: RequestEntry) -> str:
    """How a request ended, in a few words."""
    if entry.status >= 400:
        return f"{entry.status} {entry.error}".rstrip()
    if entry.error:
        return f"{entry.error} in mid-stream"
    if not entry.status:
        return "no answer"
    return "cut" if entry.is_cut else "ok"


def page(found: NumberedEntry, home: str) -> str:
    """One request on a page; `home` is the user's, and `~` there."""
    entry = found.entry
    why = WHY.get(Via(entry.via), "") if entry.via in [*Via] else entry.via
    if entry.is_fallback:
        why = "a fallback of the tier's model"
    rows = (
        ("when", clock(entry.at)),
        ("profile", entry.profile),
        ("project", short_path(entry.project, home)),
        ("session", entry.session),
        ("agent", entry.agent),
        ("tier", entry.tier),
        ("asked for", entry.asked),
        ("answered by", entry.answered),
        ("why", why),
        ("provider", " ".join(filter(None, (entry.provider, entry.region)))),
        ("outcome", outcome(entry)),
        ("status", str(entry.status or "-")),
        ("first byte", f"{entry.first_ms} ms" if entry.first_ms is not None else "-"),
        ("in all", f"{entry.total_ms} ms"),
        ("tokens in", tokens(entry.tokens_in)),
        ("from cache", tokens(entry.cache_read)),
        ("into cache", tokens(entry.cache_write)),
        ("tokens out", tokens(entry.tokens_out)),
        (
            "cost",
            f"{money(entry.dollars)} by {entry.priced_by}" if entry.dollars is not None else "-",
        ),
        ("request id", entry.request_id),
        *(("tried before", tried) for tried in attempts(entry)),
        *(("changed", change) for change in entry.changes.splitlines()),
    )
    return "".join(f"{name:<12} {value}\n" for name, value in rows if value)


def attempts(entry: RequestEntry) -> Iterator[str]:
    """The models that failed before, each with its error and its time."""
    for one in json.loads(entry.attempts or "[]"):
        problem = f"{one['status']} {one.get('error', '')}".rstrip()
        yield f"{one['model']}: {problem} after {one['ms']} ms"
