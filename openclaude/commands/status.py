"""`openclaude status`: who uses which stack, what it costs, what is behind each tier.

Knows: how a stack's report is shown. Refuses to know: how a stack works.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from typing import Any

from openclaude.commands.stacks import stack_names
from openclaude.errors import OpenclaudeError
from openclaude.output import Result, table
from openclaude.places import Places
from openclaude.profile.names import profile_name
from openclaude.run.stack import StackUnreachable, ask
from openclaude.run.usage import NOTHING, usage

MIB = 1024 * 1024
WATCH_S = 1.0
CLEAR = "\x1b[H\x1b[2J"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The word's options."""
    parser.add_argument("--profile", metavar="NAME", help="only this profile's")
    parser.add_argument("--watch", action="store_true", help="again every second, until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Show what runs."""
    names = [profile_name(arguments.profile, env, places)] if arguments.profile else None
    while arguments.watch:
        show_again(status(names, places).text)
    return status(names, places)


def show_again(text: str) -> None:
    """Show it, on a terminal in place of what was there, and wait a while."""
    sys.stdout.write(f"{CLEAR if sys.stdout.isatty() else ''}{text}\n")
    sys.stdout.flush()
    time.sleep(WATCH_S)


def status(names: list[str] | None, places: Places) -> Result:
    """What runs. Exit status 1 when a named profile, or any when none is named, does not run."""
    reports: list[dict[str, Any]] = []
    silent: list[OpenclaudeError] = []  # one that hangs must not hide the others
    for name in stack_names(places) if names is None else names:
        try:
            reports += report_of(name, places)
        except StackUnreachable as error:
            silent.append(error)
    if names and silent:
        raise silent[0]
    texts = [stack_text(report) for report in reports]
    texts += [f"{error.message}; {error.hint}\n" for error in silent]
    return Result(
        text="\n".join(texts) or "nothing is running\n",
        data={"stacks": reports},
        exit_code=0 if reports and not silent else 1,
        errors=tuple(entry for error in silent for entry in error.entries()),
    )


def report_of(name: str, places: Places) -> list[dict[str, Any]]:
    """The stack's report without the local key; none when it does not run."""
    report: dict[str, Any] | None = ask(places.stacks / name, {"do": "status"})
    if not report:
        return []
    del report["main_key"]
    for unit in report["units"]:
        unit |= usage(unit["pid"]) if unit["pid"] else NOTHING
    for name, pid in (("supervisor", report["pid"]), ("preloader", report["preloader"])):
        report[name] = {"pid": pid, **usage(pid)} if pid else None
    return [report]


def stack_text(report: dict[str, Any]) -> str:
    """One stack: who uses it, its processes, the model behind each tier, what went wrong last."""
    sessions = ", ".join(str(session["pid"]) for session in report["sessions"]) or "none"
    header = ("PROCESS", "STATE", "PORT", "PID", "FOR", "SERVED", "RESTARTS", "RSS", "PSS", "CPU")
    others = [
        process_row(name, report[name]) for name in ("supervisor", "preloader") if report[name]
    ]
    tiers = "".join(
        f"  {tier['tier']:<7} {tier['label'] if tier['model'] != 'claude' else 'Claude'}"
        f"{'' if tier['model'] == 'claude' else ' (' + tier['model'] + ')'}\n"
        for tier in report["tiers"]
    )
    errors = "".join(
        f"\n{unit['name']}: {unit['last_error']}\n"
        for unit in report["units"]
        if unit["last_error"]
    )
    return (
        f"{report['profile']}: up {duration(report['uptime_s'])}, sessions: {sessions}\n\n"
        f"{table(header, [*(unit_row(unit) for unit in report['units']), *others])}\n"
        f"{tiers}{errors}"
    )


def unit_row(unit: dict[str, Any]) -> tuple[str, ...]:
    """One unit's line."""
    return (
        unit["name"],
        unit["state"],
        str(unit["port"]),
        str(unit["pid"] or "-"),
        duration(unit["state_s"]),
        str(unit["served"]),
        str(unit["restarts"]),
        *costs(unit),
    )


def process_row(name: str, process: dict[str, Any]) -> tuple[str, ...]:
    """The line of a process that is no unit."""
    return (name, "-", "-", str(process["pid"]), "-", "-", "-", *costs(process))


def costs(process: dict[str, Any]) -> tuple[str, str, str]:
    """Resident memory, its proportional share, CPU time."""
    pss = f"{process['pss_bytes'] / MIB:.0f} MB" if process["pss_bytes"] else "-"
    return f"{process['rss_bytes'] / MIB:.0f} MB", pss, f"{process['cpu_s']:.1f} s"


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    minutes, whole = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {whole}s" if minutes else f"{whole}s"
