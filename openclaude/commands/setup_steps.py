"""The steps of `openclaude setup`: each looks first, then asks, then does one thing.

Knows: what a first launch needs, and which word of ours or program provides it. Refuses to know:
how those do it. A step that cannot be done here says what would do it; it never waits for nobody.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from openclaude.aws_faults import Fault
from openclaude.commands.profiles_ask import ask, confirm, tell
from openclaude.doctor.aws_profiles import find_aws_fault
from openclaude.doctor.checks import examine
from openclaude.doctor.claude import check_claude, check_login
from openclaude.doctor.finding import OK, STOPS, WARNS, Finding
from openclaude.doctor.look import look
from openclaude.doctor.look_profile import look_at_profile
from openclaude.doctor.profile import mend_secret
from openclaude.doctor.world import Wanted, World
from openclaude.errors import OpenclaudeError
from openclaude.facts import working_folder
from openclaude.facts_aws import look_at_aws
from openclaude.output import table
from openclaude.places import Places
from openclaude.profile.names import (
    DEFAULT_PROFILE,
    PROFILE_VARIABLE,
    BadDefault,
    check_name,
    used_profile_name,
)

ALREADY, MADE, SKIPPED, MISSING = "so already", "done", "skipped", "missing"


class Done(NamedTuple):
    """What became of one step."""

    step: str
    state: str  # so already, done, skipped, missing
    what: str
    mend: str = ""


class Setup(NamedTuple):
    """What the steps are given."""

    places: Places
    env: Mapping[str, str]
    asked: str | None  # the profile of the command line
    may_ask: bool

    def look(self, name: str) -> World:
        """The world as it is now, for the profile `name`."""
        return look(name, self.places, self.env, working_folder())


def take_steps(setup: Setup, skip: frozenset[str]) -> list[Done]:
    """Every step in order. Raises UsageError for a profile that there is not."""
    name = choose(setup, may_ask=setup.may_ask and "profile" not in skip)
    world = setup.look(name)
    done: list[Done] = []
    for step, take in STEPS.items():
        if step in skip:
            done.append(Done(step, SKIPPED, "as you asked"))
        elif step in LAST and any(one.state == MISSING for one in done):
            done.append(Done(step, SKIPPED, "something is missing"))
        else:
            done.append(take(setup, world))
    return done


# Which profile ----------------------------------------------------------------------------------


def choose(setup: Setup, *, may_ask: bool) -> str:
    """The profile to use: the one of the command line, else a person's, else what is used now."""
    from openclaude.profile.library import Library

    known = Library(setup.places.profiles, setup.places.shipped).names()
    if setup.asked is not None:
        return known_name(setup.asked, known)
    now = current(setup.places)
    if not may_ask:
        return now
    tell(f"{offered(setup, known)}\n")
    while True:
        try:
            return known_name(ask("Which profile do you want to use?", now), known)
        except OpenclaudeError as error:
            tell(f"{error.message}; {error.hint}\n")


def known_name(name: str, known: Iterable[str]) -> str:
    """A name that is one of a profile. Raises BadProfileName or UnknownProfile."""
    from openclaude.profile.names import UnknownProfile

    if check_name(name) not in known:
        raise UnknownProfile(name, known)
    return name


def current(places: Places) -> str:
    """The profile that is used now, as far as somebody has said so."""
    try:
        return used_profile_name(places) or DEFAULT_PROFILE
    except BadDefault:
        return DEFAULT_PROFILE  # to be mended by the choice that is made now


def offered(setup: Setup, known: Iterable[str]) -> str:
    """The valid profiles, each with what it needs."""
    rows = []
    for name in known:
        wanted = look_at_profile(name, setup.places, setup.env)
        if wanted.plan:
            rows.append((name, wanted.description, ", ".join(needs(wanted))))
    return table(("PROFILE", "WHAT", "NEEDS"), rows)


def needs(wanted: Wanted) -> Iterable[str]:
    """What a person must have for a profile."""
    if wanted.auth == "plan":
        yield "a Claude plan"
    if wanted.plan and wanted.plan.aws_profile:
        yield f"AWS profile `{wanted.plan.aws_profile}`"
    units = wanted.plan.units if wanted.plan else ()
    yield from dict.fromkeys(
        reference.removeprefix("env:") for unit in units for reference in unit.secrets.values()
    )


# The steps --------------------------------------------------------------------------------------


def find_the_claude(_setup: Setup, world: World) -> Done:
    """claude itself; installing it is left to its makers."""
    (found,) = check_claude(world)
    return done_by("claude", found)


def log_in(setup: Setup, world: World) -> Done:
    """claude's login, where the profile forwards one."""
    found = next(iter(check_login(world)), None)
    if found is None:
        return Done("login", SKIPPED, "there is no claude to log in")
    is_asked = found.severity == WARNS and setup.may_ask
    if not is_asked or not confirm(f"{found.what}. Run `claude auth login` now?"):
        return done_by("login", found)
    attend((world.claude.path, "auth", "login"), setup.env)
    again = next(iter(check_login(setup.look(world.wanted.name))), found)
    return done_by("login", again, is_new=True)


def provide_aws(setup: Setup, world: World) -> Done:
    """The AWS profile, where Bedrock is used."""
    name = world.wanted.plan.aws_profile if world.wanted.plan else ""
    if not name:
        return Done("aws", ALREADY, "the profile needs no AWS profile")
    fault = find_aws_fault(world.aws, name)
    if fault is None:
        return Done("aws", ALREADY, f"AWS profile `{name}`")
    if setup.may_ask:
        mend_aws(setup, fault, world.wanted.name)
        fault = find_aws_fault(look_at_aws(setup.env, setup.places.home, time.time()), name)
    if fault:
        return Done("aws", MISSING, fault.problem, fault.mend)
    return Done("aws", MADE, f"AWS profile `{name}`")


def mend_aws(setup: Setup, fault: Fault, profile: str) -> None:
    """Run the fault's first command after a yes: a word of ours, or the AWS CLI's."""
    if not fault.commands:
        return
    program, *words = shlex.split(fault.commands[0])
    is_ours = program == "openclaude"
    found = program if is_ours else shutil.which(program, path=setup.env.get("PATH", ""))
    if not found or not confirm(f"{fault.problem}. Run `{fault.commands[0]}` now?"):
        return
    if not is_ours:
        attend((found, *words), setup.env)
        return
    from openclaude.commands.words import run_word

    try:
        tell(run_word(words[0], [*words[1:], "--profile", profile], setup.env).text)
    except OpenclaudeError as error:  # the step says what is still missing
        tell(f"{error.message}\n")


def provide_keys(_setup: Setup, world: World) -> Done:
    """Keys of other providers: references of the profile, which only the user can fill."""
    wanted = world.wanted
    if world.lost:
        what = "; ".join(f"`{one.reference}`: {one.why}" for one in world.lost)
        return Done("keys", MISSING, what, mend_secret(world.lost[0].reference, wanted.name))
    has_any = any(unit.secrets for unit in wanted.plan.units) if wanted.plan else False
    return Done("keys", ALREADY, "every key is there" if has_any else "the profile needs no keys")


def use(setup: Setup, world: World) -> Done:
    """The profile as the default."""
    from openclaude.commands.profiles_move import write_default

    name = world.wanted.name
    if world.wanted.plan is None:
        message = str(world.wanted.errors[0]["message"])
        return Done("profile", MISSING, message, f"run `openclaude profiles edit {name}`")
    what = f"`{name}` is the default"
    if setup.env.get(PROFILE_VARIABLE) not in {None, "", name}:
        what += f"; {PROFILE_VARIABLE} is set, and goes before it"
    if is_used(setup.places, name):
        return Done("profile", ALREADY, what)
    write_default(setup.places, name)
    return Done("profile", MADE, what)


def is_used(places: Places, name: str) -> bool:
    """Whether a launch takes this profile already."""
    try:
        return (used_profile_name(places) or DEFAULT_PROFILE) == name
    except BadDefault:
        return False


def ask_models(setup: Setup, world: World) -> Done:
    """Whether AWS lets the profile have its models, which only AWS knows."""
    count = len(world.wanted.bedrock)
    if not count:
        return Done("models", ALREADY, "the profile has no model of Bedrock to ask")
    models = "1 model" if count == 1 else f"{count} models"
    question = f"Ask AWS who you are, and {models} for one token each (less than a US cent)?"
    if not setup.may_ask or not confirm(question):
        return Done("models", SKIPPED, "`openclaude doctor --online` asks AWS for them")
    from openclaude.doctor.online import ask_aws

    findings = ask_aws(setup.look(world.wanted.name))
    wrong = [one for one in findings if one.severity in {STOPS, WARNS}]
    if wrong:
        return Done("models", MISSING, wrong[0].what, wrong[0].mend)
    return Done("models", ALREADY, f"AWS serves {models}")


def check(setup: Setup, world: World) -> Done:
    """What the doctor says of it all."""
    findings = examine(setup.look(world.wanted.name))
    stops = [one for one in findings if one.severity == STOPS]
    count = sum(one.severity == WARNS for one in findings)
    if stops:
        return Done("check", MISSING, stops[0].what, stops[0].mend)
    if count:
        warnings = "1 warning" if count == 1 else f"{count} warnings"
        return Done("check", ALREADY, f"a launch can begin; {warnings}: `openclaude doctor`")
    return Done("check", ALREADY, "the doctor finds nothing wrong")


Step = Callable[[Setup, World], Done]
STEPS: Mapping[str, Step] = {
    "claude": find_the_claude,
    "login": log_in,
    "aws": provide_aws,
    "keys": provide_keys,
    "profile": use,
    "models": ask_models,
    "check": check,
}
LAST = ("models", "check")  # of no use before the others are done


# How --------------------------------------------------------------------------------------------


def done_by(step: str, found: Finding, *, is_new: bool = False) -> Done:
    """A step that is as a check finds it."""
    if found.severity in {STOPS, WARNS}:
        return Done(step, MISSING, found.what, found.mend)
    return Done(step, MADE if is_new and found.severity == OK else ALREADY, found.what)


def attend(argv: tuple[str, ...], env: Mapping[str, str]) -> None:
    """Run a program that talks to the person; stdout is the answer of our own command."""
    try:
        subprocess.run(argv, env=dict(env), stdout=sys.stderr, check=False)
    except OSError as error:
        tell(f"cannot run `{Path(argv[0]).name}`: {error.strerror}\n")
