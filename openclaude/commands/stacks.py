"""`openclaude start`, `stop` and `restart`: the proxies of a profile, without claude.

Knows: how stacks are asked. Refuses to know: how they work.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from openclaude.commands.launch import bring_up, inheritable
from openclaude.compile.plan import Plan, read_plan
from openclaude.errors import OpenclaudeError, nearest
from openclaude.output import Result, progress, ticking
from openclaude.places import Places
from openclaude.profile.names import profile_name
from openclaude.run.files import locked
from openclaude.run.launch import end_process
from openclaude.run.stack import (
    STOP_TIMEOUT_S,
    Record,
    StackUnreachable,
    ask,
    forget_stack,
    read_record,
)

WAIT_S = 150.0
HANG_PATIENCE_S = 5.0  # for a supervisor that did not stop when asked, before it is killed


class NotReady(OpenclaudeError):
    """A unit failed, or took too long, while somebody waited."""

    code = "not-ready"


def add_arguments(parser: argparse.ArgumentParser, word: str) -> None:
    """The word's options."""
    parser.add_argument("--profile", metavar="NAME", help="the profile whose proxies are meant")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    if word in {"start", "restart"}:
        parser.add_argument("--wait", action="store_true", help="until they answer")
    if word == "stop":
        parser.add_argument("--all", action="store_true", help="those of every profile")


def run(word: str, arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Run one of the three words."""
    if word == "stop" and arguments.all:
        return stop(stack_names(places), places, is_everything=True)
    name = profile_name(arguments.profile, env, places)
    match word:
        case "start":
            return start(name, places, env, wait=arguments.wait)
        case "stop":
            return stop([name], places)
        case _:
            return restart(name, places, env, wait=arguments.wait)


def start(name: str, places: Places, env: Mapping[str, str], *, wait: bool) -> Result:
    """Start a stack, or say that it runs."""
    from openclaude.commands.planning import find_plan

    plan = find_plan(name, places, env)
    joined = bring_up(plan, places, env)
    folder = places.stacks / name
    if wait:
        wait_until_ready(folder)
    what = "started" if joined.is_new else "already running"
    return Result(
        text=f"{name}: {what} on http://127.0.0.1:{joined.port}\n",
        data={"profile": name, "port": joined.port, "is_new": joined.is_new},
    )


def wait_until_ready(folder: Path) -> None:
    """Wait until every unit answers. Raises NotReady when one has failed or time is up."""
    deadline = time.monotonic() + WAIT_S
    with progress(f"{folder.name}: starting") as say:
        wait_for_units(folder, deadline, say)


def wait_for_units(folder: Path, deadline: float, say: Callable[[str], None]) -> None:
    """The waiting itself; `say` is told what is not ready yet."""
    while time.monotonic() < deadline:
        report = ask(folder, {"do": "status"})
        units = report["units"] if report else []
        failed = next((unit for unit in units if unit["state"] == "failed"), None)
        if failed or not report:
            raise NotReady(
                f"the proxies of `{folder.name}` could not be started\n"
                + (failed["last_error"] if failed else ""),
                hint=f"see `openclaude logs --profile {folder.name}`",
            )
        late = [unit["name"] for unit in units if unit["state"] != "ready"]
        if not late:
            return
        say(", ".join(late))
        time.sleep(0.05)
    raise NotReady(
        f"the proxies of `{folder.name}` did not answer within {WAIT_S:.0f} s",
        hint=f"see `openclaude logs --profile {folder.name}`",
    )


def stop(names: list[str], places: Places, *, is_everything: bool = False) -> Result:
    """Stop stacks and leave nothing of them running. Exit status 1 when a named one did not run."""
    stopped = [name for name in names if stop_one(places.stacks / name)]
    idle = [name for name in names if name not in stopped]
    text = "".join(f"{name}: stopped\n" for name in stopped)
    text += "" if is_everything else "".join(f"{name}: not running\n" for name in idle)
    return Result(
        text=text or "nothing is running\n",
        data={"stopped": stopped, "not_running": idle},
        exit_code=0 if stopped or is_everything else 1,
    )


def stop_one(folder: Path) -> bool:
    """Stop the stack in a folder and wait for its supervisor's end; whether one ran."""
    if not folder.is_dir():
        return False
    with locked(folder / "lock"):  # no launch may make the next stack while this one is cleared
        record = read_record(folder)
        was_live = record is not None and record.is_live
        try:
            with progress(f"{folder.name}: stopping") as say, ticking(say):
                answer = ask(folder, {"do": "stop"}, timeout_s=STOP_TIMEOUT_S)
            was_live = was_live or answer is not None  # it may not have written its record yet
        except StackUnreachable:
            if record is None:
                raise
            answer = None
        if record is None and answer and answer.get("started"):
            # it had not written its record yet when it was told to stop
            record = Record("", folder.name, answer["pid"], answer["started"], 0, "")
        if record:
            end_process(record, patience_s=HANG_PATIENCE_S)
        forget_stack(folder)  # what one that was killed has left
    return was_live


def restart(name: str, places: Places, env: Mapping[str, str], *, wait: bool) -> Result:
    """Replace the units of a running stack; its sockets and keys stay, secrets are fetched anew."""
    folder = places.stacks / name
    if ask(folder, {"do": "restart", "inherited": inheritable(kept_plan(folder), env)}) is None:
        raise not_running(name, places)
    if wait:
        wait_until_ready(folder)
    return Result(text=f"{name}: restarted\n", data={"profile": name})


def kept_plan(folder: Path) -> Plan | None:
    """The plan of the stack in a folder, where there is one."""
    try:
        return read_plan((folder / "plan.json").read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no stack, or one of another version: asking it will tell


def stack_names(places: Places) -> list[str]:
    """The stacks that have a folder; not all of them run."""
    if not places.stacks.is_dir():
        return []
    return sorted(path.name for path in places.stacks.iterdir() if path.is_dir())


def not_running(name: str, places: Places) -> OpenclaudeError:
    """The error for a word that needs a running stack."""
    near = nearest(name, stack_names(places))
    hint = f"did you mean `{near}`?" if near and near != name else ""
    return OpenclaudeError(
        f"the proxies of `{name}` are not running",
        hint=hint or f"start them with `openclaude start --profile {name}`",
    )
