"""What several commands do with a running stack: find it, wait until it is ready, stop it.

Knows: the folders of stacks, and the requests to one. Independent of: which command asks, demos.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from openclaude.contracts.plan import Plan
from openclaude.contracts.report import UnitState
from openclaude.errors import OpenclaudeError, nearest
from openclaude.output import progress, ticking
from openclaude.paths import Places
from openclaude.profile.names import UnknownProfile, profile_name
from openclaude.run.launcher.stop import stop_stack
from openclaude.run.stack.folder import read_folder_plan
from openclaude.run.stack.places import stack_folder, stack_folders
from openclaude.run.stack.reports import ask_report

WAIT_S = 150.0
GAP_S = 3.0  # between two supervisors, where another version takes the stack over


class NotReady(OpenclaudeError):
    """A unit failed or did not become ready in time."""

    code = "not-ready"


def wait_until_ready(folder: Path) -> None:
    """Wait until every unit answers. Raises NotReady when one has failed or time is up."""
    deadline = time.monotonic() + WAIT_S
    with progress(f"{folder.name}: starting") as say:
        wait_for_units(folder, deadline, say)


def wait_for_units(folder: Path, deadline: float, say: Callable[[str], None]) -> None:
    """Wait; `say` is called with what is not ready yet. Raises NotReady."""
    seen_at = time.monotonic()
    while time.monotonic() < deadline:
        report = ask_report(folder)
        if report:
            seen_at = time.monotonic()
        elif time.monotonic() < seen_at + GAP_S:
            time.sleep(0.05)
            continue
        units = report.units if report else ()
        failed = next((unit for unit in units if unit.state is UnitState.FAILED), None)
        if failed or not report:
            raise NotReady(
                f"the proxies of `{folder.name}` could not be started\n"
                + (failed.last_error if failed else ""),
                hint=f"see `openclaude logs --profile {folder.name}`",
            )
        late = [unit.name for unit in units if unit.state is not UnitState.READY]
        if not late:
            return
        say(", ".join(late))
        time.sleep(0.05)
    raise NotReady(
        f"the proxies of `{folder.name}` did not answer within {WAIT_S:.0f} s",
        hint=f"see `openclaude logs --profile {folder.name}`",
    )


def stop_one(folder: Path) -> bool:
    """Stop the stack in a directory and wait for its supervisor's end; return whether one ran."""
    with progress(f"{folder.name}: stopping") as say, ticking(say):
        return stop_stack(folder)


def sessions_of(folder: Path) -> list[int]:
    """The claude processes that use a stack; none where it does not answer."""
    try:
        report = ask_report(folder)
    except OpenclaudeError:
        return []
    return [session.pid for session in report.sessions] if report else []


def cut_off(name: str, pids: list[int]) -> str:
    """What it means for the open sessions `pids` that their keys are gone."""
    return (
        f"  {these(pids)} cannot reach a model any more: exit, and go on with "
        f"`openclaude --profile {name} --continue`\n"
        if pids
        else ""
    )


def stopped_under(name: str, pids: list[int]) -> str:
    """What it means for the open sessions `pids` that their proxies were stopped."""
    return (
        f"  {these(pids)} cannot reach a model until the proxies run again: "
        f"`openclaude start {name}`\n"
        if pids
        else ""
    )


def these(pids: list[int]) -> str:
    """The sessions, by number and name."""
    who = ", ".join(f"pid {pid}" for pid in pids)
    return f"a claude session ({who})" if len(pids) == 1 else f"{len(pids)} claude sessions ({who})"


def kept_plan(folder: Path) -> Plan | None:
    """The plan of the stack in a folder, where there is one."""
    try:
        return read_folder_plan(folder)
    except (OSError, ValueError):
        return None  # no stack, or one of another version: asking it will tell


def stack_names(places: Places) -> list[str]:
    """The stacks of this place that have a folder; not all of them run."""
    return list(stack_folders(places.stacks))


def named_profile(given: str | None, env: Mapping[str, str], places: Places) -> str:
    """The profile whose stack a command is about. Raises UnknownProfile for one nobody has.

    A stack may outlive its profile's file, so its folder is enough.
    """
    name = profile_name(given, env, places)
    files = (folder / f"{name}.toml" for folder in (places.profiles, places.shipped))
    if given and not stack_folder(places.stacks, name).exists() and not any(map(is_there, files)):
        from openclaude.profile.library import Library

        raise UnknownProfile(name, Library(places.profiles, places.shipped).names())
    return name


def is_there(path: Path) -> bool:
    """Whether there is anything at a path, also what cannot be read."""
    return os.path.lexists(path)


def not_running(name: str, places: Places) -> OpenclaudeError:
    """The error for a command that needs a running stack."""
    near = nearest(name, stack_names(places))
    hint = f"did you mean `{near}`?" if near and near != name else ""
    return OpenclaudeError(
        f"the proxies of `{name}` are not running",
        hint=hint or f"start them with `openclaude start --profile {name}`",
    )
