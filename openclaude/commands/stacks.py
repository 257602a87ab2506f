"""`openclaude start`, `stop`, `lock` and `restart`: the proxies of a profile, without claude.

Knows: the requests to stacks. Independent of: how they work.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

from openclaude import __version__
from openclaude.commands.changed import changes_between
from openclaude.commands.help_page import (
    CONFIG,
    OVERRIDES,
    PROFILE,
    STATE,
    HelpPage,
    Variables,
    add_json,
    add_page,
    add_profile,
)
from openclaude.commands.launch import as_claude_goes, bring_up, with_authority
from openclaude.commands.running import (
    cut_off,
    kept_plan,
    named_profile,
    not_running,
    sessions_of,
    stack_names,
    stop_one,
    stopped_under,
    these,
    wait_until_ready,
)
from openclaude.contracts.control import Lock, Restart
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.names import UnknownProfile, profile_name
from openclaude.prompt import confirm, is_attended, tell
from openclaude.run.stack.folder import is_live, read_record
from openclaude.run.stack.holding import revoke_held
from openclaude.run.stack.inherited import inheritable
from openclaude.run.stack.places import own_stacks, stack_folder
from openclaude.run.stack.program_keys import revoke_all
from openclaude.run.stack.reports import report_after

START_METHOD: Variables = (
    ("OPENCLAUDE_START_METHOD", "`fork` or `spawn` (default: fork; on macOS spawn)"),
)
PAGES = {
    "start": HelpPage(
        text="""\
Start the proxies of a profile without claude. A launch does this automatically; use
this to have them ready earlier. If they run already, they keep running, and
changes of the profile are applied.""",
        examples=("openclaude start", "openclaude start qwen --wait"),
        variables=(*PROFILE, *OVERRIDES, *START_METHOD, *CONFIG, *STATE),
        docs="docs/internals.md",
    ),
    "stop": HelpPage(
        text="""\
Stop the proxies of a profile. Open streams get ten seconds to finish. Open
claude sessions of the profile are named, and on a terminal you are asked
first: they cannot reach a model until `openclaude start` or the next launch
brings the proxies back.""",
        examples=("openclaude stop qwen", "openclaude stop --all"),
        variables=(*PROFILE, *STATE),
        docs="docs/internals.md",
    ),
    "lock": HelpPage(
        text="""\
Revoke the local keys of a profile at once. Requests in flight are cut, and no open
claude session can reach a model any more; go on with `openclaude --continue`. The
proxies keep their ports and start again with new keys.""",
        examples=("openclaude lock", "openclaude lock --all"),
        variables=(*PROFILE, *STATE),
        docs="docs/security.md",
    ),
    "restart": HelpPage(
        text="""\
Restart the proxies of a profile. Open sessions keep working: the ports stay
open, and requests in flight are finished. Secrets are fetched again, and the
profile is applied as it is now.""",
        examples=("openclaude restart", "openclaude restart qwen --wait"),
        variables=(*PROFILE, *STATE),
        docs="docs/internals.md",
    ),
}


def add_arguments(parser: argparse.ArgumentParser, word: str) -> None:
    """The options of one of the four commands."""
    add_page(parser, PAGES[word])
    add_profile(parser)
    add_json(parser)
    if word in {"start", "restart"}:
        parser.add_argument("--wait", action="store_true", help="wait until the proxies answer")
    if word == "lock":
        parser.add_argument("--all", action="store_true", help="revoke the keys of every profile")
    if word == "stop":
        parser.add_argument(
            "--all",
            action="store_true",
            help="stop the proxies of every profile, and end what killed demos left",
        )
        parser.add_argument(
            "--yes", action="store_true", help="do not ask, although claude sessions are open"
        )


def run(word: str, arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Run one of the four commands. Raises UsageError."""
    if word in {"stop", "lock"} and arguments.all and arguments.named is not None:
        raise UsageError("`--all` and a profile exclude each other", hint="use one of the two")
    if word == "stop" and arguments.all:
        return stop_everything(places, env, is_agreed=arguments.yes)
    if word == "lock" and arguments.all:
        return lock(stack_names(places), places, is_everything=True)
    if word == "start":
        name = profile_name(arguments.profile, env, places)
        return start(name, places, env, wait=arguments.wait)
    name = named_profile(arguments.profile, env, places)
    match word:
        case "stop":
            return stop([name], places, is_agreed=arguments.yes)
        case "lock":
            return lock([name], places)
        case _:
            return restart(name, places, env, wait=arguments.wait)


def start(name: str, places: Places, env: Mapping[str, str], *, wait: bool) -> Result:
    """Start a stack, or say that it runs."""
    from openclaude.plan_cache import find_plan

    plan = find_plan(name, places, env)
    before = kept_plan(stack_folder(places.stacks, name))
    joined = bring_up(plan, places, as_claude_goes(env, places))
    if wait:
        wait_until_ready(joined.folder)
    what = "started" if joined.is_new else "already running"
    changes = [] if joined.is_new else changes_between(before, plan)
    return Result(
        text=f"{name}: {what} on {joined.url}\n{applied(changes)}",
        data={
            **{"profile": name, "port": joined.port, "is_new": joined.is_new},
            "changes": changes,
        },
    )


def applied(changes: list[str]) -> str:
    """The lines about an edited profile that was applied."""
    return "".join(f"  {change}\n" for change in changes)


def stop(
    names: list[str], places: Places, *, is_everything: bool = False, is_agreed: bool = True
) -> Result:
    """Stop stacks completely. Exit status 1 when a named one did not run.

    On a terminal the user is asked first if a session is open, unless `is_agreed`. Elsewhere nobody
    could answer, and a script that stops a stack means it: `start` brings the sessions back.
    """
    users = {name: sessions_of(stack_folder(places.stacks, name)) for name in names}
    if not is_agreed and is_attended():
        ask_first(users)
    stopped = [name for name in names if stop_one(stack_folder(places.stacks, name))]
    idle = [name for name in names if name not in stopped]
    text = "".join(f"{name}: stopped\n{stopped_under(name, users[name])}" for name in stopped)
    text += "" if is_everything else "".join(f"{name}: not running\n" for name in idle)
    return Result(
        text=text or "nothing is running\n",
        data={
            "stopped": stopped,
            "not_running": idle,
            "sessions": [pid for name in stopped for pid in users[name]],
        },
        exit_code=0 if stopped or is_everything else 1,
    )


def ask_first(users: Mapping[str, list[int]]) -> None:
    """Raise OpenclaudeError unless nobody uses the stacks, or the user agrees to stop them."""
    open_ones = {name: pids for name, pids in users.items() if pids}
    for name, pids in open_ones.items():
        tell(f"{name} is used by {these(pids)}\n")
    names = " and ".join(open_ones)
    if open_ones and not confirm(f"Stop {names}? `openclaude start` brings the sessions back."):
        raise OpenclaudeError("nothing changed")


def lock(names: list[str], places: Places, *, is_everything: bool = False) -> Result:
    """Revoke the keys of running stacks. Exit status 1 when a named one does not run."""
    users = {name: sessions_of(stack_folder(places.stacks, name)) for name in names}
    for name in names:
        revoke_all(stack_folder(places.stacks, name))  # first: what starts next finds none
    locked = [name for name in names if report_after(stack_folder(places.stacks, name), Lock())]
    for name in sorted({*names} - {*locked}):  # a stopped one's sessions would be known again
        if held := revoke_held(stack_folder(places.stacks, name)):
            users[name] = [pid for pid, _ in held]
            locked.append(name)
    idle = [name for name in names if name not in locked]
    text = "".join(f"{name}: keys revoked\n{cut_off(name, users[name])}" for name in locked)
    text += "" if is_everything else "".join(f"{name}: not running\n" for name in idle)
    return Result(
        text=text or "nothing is running\n",
        data={
            "locked": locked,
            "not_running": idle,
            "sessions": [pid for name in locked for pid in users[name]],
        },
        exit_code=0 if locked or is_everything else 1,
    )


def stop_everything(places: Places, env: Mapping[str, str], *, is_agreed: bool = True) -> Result:
    """Stop every stack, and those of demos that were killed, with all that they left."""
    from openclaude.commands.demo.leftovers import clear, find_leftovers
    from openclaude.run.launcher.strays import find_strays

    # a stack whose folder was removed still has its processes
    roots = (places.stacks, own_stacks(places.stacks))
    lost = {one.stack for root in roots for one in find_strays(root)}
    names = {*stack_names(places), *lost}
    stopped = stop(sorted(names), places, is_everything=True, is_agreed=is_agreed)
    demos = find_leftovers(env)
    for folder in demos:
        clear(folder)
    text = "".join(f"demo: removed what a killed demo had left in {one}\n" for one in demos)
    return stopped._replace(
        text=(stopped.text if stopped.data["stopped"] else "") + text or stopped.text,
        data={**stopped.data, "demos": [str(folder) for folder in demos]},
    )


def restart(name: str, places: Places, env: Mapping[str, str], *, wait: bool) -> Result:
    """Replace the units of a running stack; sockets and keys stay, secrets are fetched again.

    An edited profile is applied; with mistakes in it, nothing is restarted.
    Raises OpenclaudeError if the stack does not run.
    """
    folder = stack_folder(places.stacks, name)
    changes = apply_profile(name, places, env)
    plan = kept_plan(folder)
    seen: Mapping[str, str] = as_claude_goes(env, places)
    if plan and plan.aws_profile:
        from openclaude.aws.files import look_at_aws

        seen = with_authority(plan, seen, look_at_aws(seen, places.home, time.time()))
    inherited = inheritable(plan, seen)
    if report_after(folder, Restart(inherited=inherited)) is None:
        raise not_running(name, places)
    if wait:
        wait_until_ready(folder)
    return Result(
        text=f"{name}: restarted\n{applied(changes)}", data={"profile": name, "changes": changes}
    )


def apply_profile(name: str, places: Places, env: Mapping[str, str]) -> list[str]:
    """Give a running stack its profile as it is now; what that changes.

    A stack of another version keeps its plan, and one whose profile has gone.
    """
    from openclaude.plan_cache import find_plan

    folder = stack_folder(places.stacks, name)
    before, record = kept_plan(folder), read_record(folder)
    if before is None or record is None or not is_live(record) or record.version != __version__:
        return []
    try:
        plan = find_plan(name, places, env)
    except UnknownProfile:
        return []
    changes = changes_between(before, plan)
    if changes:
        bring_up(plan, places, as_claude_goes(env, places))
    return changes
