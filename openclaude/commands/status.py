"""`openclaude status`: the sessions of each stack, its resources, the model of each tier.

Knows: how a stack's report is shown. Independent of: how a stack works.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openclaude.commands.help_page import STATE, HelpPage, add_json, add_page, add_profile
from openclaude.commands.running import stack_names
from openclaude.commands.switch.command import tiers_of
from openclaude.contracts.decode import encode
from openclaude.contracts.report import Degradation, Report
from openclaude.errors import OpenclaudeError
from openclaude.litellm_version import WrongLitellm, require_litellm
from openclaude.output import Result, table
from openclaude.paths import Places
from openclaude.profile.names import profile_name
from openclaude.run.os.procstat import NOTHING, usage
from openclaude.run.stack.client import StackUnreachable
from openclaude.run.stack.folder import switch_in
from openclaude.run.stack.places import stack_folder
from openclaude.run.stack.program_keys import programs_with_keys
from openclaude.run.stack.reports import ask_report

MIB = 1024 * 1024
WATCH_S = 1.0
HEADER = (
    *("PROCESS", "STATE", "PORT", "PID", "FOR", "ACTIVE", "SERVED", "RESTARTS"),
    *("RSS", "PSS", "CPU"),
)
OTHERS = ("supervisor", "forkserver")
CLEAR = "\x1b[H\x1b[2J"


PAGE = HelpPage(
    text="""\
Show the running proxies: their state, sessions, memory and CPU time, and the
model behind each tier. The exit status is 1 if nothing is running.""",
    examples=("openclaude status", "openclaude status --profile qwen --watch"),
    variables=STATE,
    docs="docs/internals.md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    add_profile(parser, help_text="show only the proxies of this profile")
    parser.add_argument("--watch", action="store_true", help="refresh every second, until Ctrl-C")
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Show what runs."""
    names = [profile_name(arguments.profile, env, places)] if arguments.profile else None
    while arguments.watch:
        show_again(status(names, places).text)
    return status(names, places)


def show_again(text: str) -> None:
    """Show it, replacing the screen on a terminal, and wait."""
    sys.stdout.write(f"{CLEAR if sys.stdout.isatty() else ''}{text}\n")
    sys.stdout.flush()
    time.sleep(WATCH_S)


def status(names: list[str] | None, places: Places) -> Result:
    """What runs. Exit status 1 if the named profile, or any, does not run.

    Raises StackUnreachable.
    """
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
    """The report on one stack; None if it does not run. Raises StackUnreachable."""
    report = ask_report(stack_folder(places.stacks, name))
    return [stack_row(report)] if report else []


def stack_row(report: Report) -> dict[str, Any]:
    """A stack's report, without the local key and with each process's resources."""
    row: dict[str, Any] = encode(report)
    del row["main_key"], row["former"]
    row["switched"] = tiers_of(switch_in(Path(report.folder)))
    programs = programs_with_keys(Path(report.folder))
    row["programs"] = [{"name": one.name, "made": one.made} for one in programs]
    for entry in (*row["units"], *row["draining"]):
        seen = usage(entry["pid"]) if entry["pid"] else NOTHING
        # of a process that keeps its memory private, root alone sees the share
        entry |= {**seen, "pss_bytes": seen["pss_bytes"] or entry["pss_bytes"]}
    row["supervisor"] = {"pid": report.pid, **usage(report.pid)}
    row["forkserver"] = row["forkserver"] and {
        **row["forkserver"],
        **usage(row["forkserver"]["pid"]),
    }
    row["degraded"] += other_litellm()
    row["preloader"] = row["forkserver"]  # its name until 0.1; goes with the next release
    return row


def other_litellm() -> list[dict[str, Any]]:
    """What a stack has to expect of a LiteLLM that it was not tested with."""
    try:
        require_litellm()
    except WrongLitellm as error:
        from openclaude.doctor.snapshot.packages import compare_packages, how_to_restore

        _, lock = compare_packages()
        found = Degradation(
            code=error.code,
            message=error.message,
            cost="no changed profile can be used, and a proxy that starts now uses code that "
            "openclaude was not tested with",
            fix=f"{error.hint}: `{how_to_restore(lock)}`",
        )
        return [encode(found)]
    return []


def stack_text(report: dict[str, Any]) -> str:
    """One stack: sessions, processes, the model of each tier, the last errors."""
    sessions = ", ".join(str(session["pid"]) for session in report["sessions"]) or "none"
    rows = [
        *(unit_row(unit) for unit in report["units"]),
        *(draining_row(process) for process in report["draining"]),
        *(process_row(name, report[name]) for name in OTHERS if report[name]),
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
    degraded = "".join(
        f"\nwarning: {one['message']}\n  cost: {one['cost']}\n  fix: {one['fix']}\n"
        for one in report["degraded"]
    )
    programs = ", ".join(one["name"] for one in report["programs"])
    users = f"programs with a key: {programs}\n" if programs else ""
    switched = "".join(
        f"\n{one['tier']} is switched until the proxies stop; `openclaude switch --undo "
        f"{report['profile']}` goes back\n"
        for one in report["switched"]
    )
    return (
        f"{report['profile']}: up {duration(report['uptime_s'])}, sessions: {sessions}\n{users}\n"
        f"{table(HEADER, rows)}\n"
        f"{tiers}{switched}{errors}{degraded}"
    )


def unit_row(unit: dict[str, Any]) -> tuple[str, ...]:
    """One unit's line."""
    return (
        unit["name"],
        unit["state"],
        str(unit["port"]),
        str(unit["pid"] or "-"),
        duration(unit["state_s"]),
        str(unit["in_flight"]),
        str(unit["served"]),
        str(unit["restarts"]),
        *costs(unit),
    )


def draining_row(process: dict[str, Any]) -> tuple[str, ...]:
    """The line of a process that finishes its requests while another has taken its place."""
    return (
        process["name"],
        "draining",
        "-",
        str(process["pid"]),
        duration(process["state_s"]),
        str(process["in_flight"]),
        str(process["served"]),
        "-",
        *costs(process),
    )


def process_row(name: str, process: dict[str, Any]) -> tuple[str, ...]:
    """The line of a process that is not a unit."""
    state = process.get("state", "-")
    return (name, state, "-", str(process["pid"]), "-", "-", "-", "-", *costs(process))


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
