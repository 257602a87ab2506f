"""`openclaude status`: one line for each session; with `--processes` the processes behind them.

Knows: which reports are asked for, what is shown. Independent of: how a stack works.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from openclaude.commands.help_page import STATE, HelpPage, add_json, add_page, add_profile
from openclaude.commands.ledger.record import recording_data, recording_text
from openclaude.commands.running import named_profile, stack_names
from openclaude.commands.status.aws_login import aws_login, aws_text
from openclaude.commands.status.processes import stack_text, troubles
from openclaude.commands.status.sessions import session_lines, shown_sessions
from openclaude.commands.switch.command import tiers_of
from openclaude.contracts.decode import encode
from openclaude.contracts.report import Degradation, Report
from openclaude.contracts.worker import SERVER_VARIABLE
from openclaude.errors import OpenclaudeError
from openclaude.litellm_version import WrongLitellm, require_litellm
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.run.os.procstat import NOTHING, usage
from openclaude.run.stack.client import StackUnreachable
from openclaude.run.stack.folder import read_folder_plan, switch_in
from openclaude.run.stack.places import stack_folder
from openclaude.run.stack.program_keys import programs_with_keys
from openclaude.run.stack.reports import ask_report
from openclaude.terminal.screen import find_screen
from openclaude.terminal.whole_screen import whole_screen

WATCH_S = 1.0


PAGE = HelpPage(
    text="""\
Show the open sessions, one a line: directory, age, profile, the model that
answers, requests, what slots have cost, the last error. `--processes` adds the
proxies: state, memory and CPU time, and the model behind each tier. The exit
status is 1 if nothing is running.""",
    examples=("openclaude status", "openclaude status --profile qwen --processes"),
    variables=STATE,
    docs="docs/usage.md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    add_profile(parser, help_text="show only the proxies of this profile")
    parser.add_argument("--watch", action="store_true", help="refresh every second, until Ctrl-C")
    parser.add_argument(
        "--processes", action="store_true", help="also show the proxies and their tiers"
    )
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Show what runs."""
    names = [named_profile(arguments.profile, env, places)] if arguments.profile else None
    if arguments.watch:
        watch(lambda: status(names, places, env, with_processes=arguments.processes).text, env)
    return status(names, places, env, with_processes=arguments.processes)


def watch(look: Callable[[], str], env: Mapping[str, str]) -> NoReturn:
    """Show it again and again: on the whole terminal, or one below the other where that cannot be.

    Ends by Ctrl-C, or when the reader of a pipe has gone.
    """
    if find_screen(sys.stdout, env).moves:
        with whole_screen(sys.stdout) as show:
            while True:
                show(look())
                time.sleep(WATCH_S)
    while True:
        sys.stdout.write(f"{look()}\n")
        sys.stdout.flush()
        time.sleep(WATCH_S)


def status(
    names: list[str] | None,
    places: Places,
    env: Mapping[str, str],
    *,
    with_processes: bool = False,
) -> Result:
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
    lines = session_lines(reports, places, env, time.time())
    for report in reports:
        report["aws_login"] = aws_login(Path(report["folder"]), env, time.time())
        mine = {(line.profile, line.pid): line for line in lines}
        for session in report["sessions"]:
            session |= mine[report["profile"], session["pid"]].document()
    recording = recording_text(places, time.time())
    idle = [] if with_processes else reports
    texts = [shown_sessions(lines, idle, places.home, time.time())]
    texts += [stack_text(report) for report in reports if with_processes]
    texts += [aws_text(report["aws_login"] for report in reports)]
    texts += [recording] if recording else []
    texts += [text for report in reports if (text := troubles(report))]
    texts += [f"{error.message}; {error.hint}\n" for error in silent]
    return Result(
        text="\n".join(filter(None, texts)) or "nothing is running\n",
        data={"stacks": reports, "recording": recording_data(places, time.time())},
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
    row["server"] = server_of(Path(report.folder))
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


def server_of(folder: Path) -> str:
    """The address of the machine that serves a stack's slots; "" for this one."""
    try:
        plan = read_folder_plan(folder)
    except (OSError, ValueError):  # it has gone, or is of another version
        return ""
    return next((url for unit in plan.units if (url := unit.environment.get(SERVER_VARIABLE))), "")


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
