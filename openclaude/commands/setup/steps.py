"""The steps of `openclaude setup`: each looks first, then asks, then does one thing.

Knows: what a first launch needs, and which command or program provides it. Independent of: how
those do it. A step that cannot be done here names the command for it; it never waits for input
without a terminal.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from openclaude.aws.files import AwsFacts, look_at_aws
from openclaude.aws.profile_check import find_aws_fault
from openclaude.commands.attended import run_attended
from openclaude.contracts.references import parse_secret
from openclaude.diagnostics import Diagnostic, Severity
from openclaude.doctor.checks.claude import check_claude, check_login
from openclaude.doctor.checks.profile import fix_secret
from openclaude.doctor.examination import examine
from openclaude.doctor.snapshot.look import look
from openclaude.doctor.snapshot.profile import look_at_profile
from openclaude.doctor.snapshot.world import ProfileSeen, World
from openclaude.errors import OpenclaudeError
from openclaude.output import progress, ticking
from openclaude.paths import Places, working_folder
from openclaude.profile.names import (
    DEFAULT_PROFILE,
    PROFILE_VARIABLE,
    BadDefault,
    check_name,
    used_profile_name,
)
from openclaude.prompt import ask, confirm, tell
from openclaude.terminal.screen import find_screen
from openclaude.terminal.tables import table

ALREADY, MADE, SKIPPED, MISSING = "ok", "done", "skipped", "missing"


class Done(NamedTuple):
    """The result of one step."""

    step: str
    state: str  # ok, done, skipped, missing
    what: str
    fix: str = ""


class Setup(NamedTuple):
    """The input of the steps."""

    places: Places
    env: Mapping[str, str]
    asked: str | None  # the profile of the command line
    may_ask: bool

    def look(self, name: str) -> World:
        """The world as it is now, for the profile `name`."""
        with progress("looking") as say, ticking(say):  # claude takes a second to say who it is
            return look(name, self.places, self.env, working_folder())


def take_steps(setup: Setup, skip: frozenset[str]) -> list[Done]:
    """Every step in order. Raises UsageError for an unknown profile."""
    name = choose(setup, may_ask=setup.may_ask and "profile" not in skip)
    world = setup.look(name)
    done: list[Done] = []
    for step, take in STEPS.items():
        if step in skip:
            done.append(Done(step=step, state=SKIPPED, what="by --skip"))
        elif step in LAST and any(one.state == MISSING for one in done):
            waiting = ", ".join(one.step for one in done if one.state == MISSING)
            done.append(Done(step=step, state=SKIPPED, what=f"waiting for: {waiting}"))
        else:
            done.append(take(setup, world))
    return done


# Which profile ----------------------------------------------------------------------------------


def choose(setup: Setup, *, may_ask: bool) -> str:
    """The profile to use: from the command line, else from a prompt, else the current one."""
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
    """The current default profile, if one was chosen."""
    try:
        return used_profile_name(places) or DEFAULT_PROFILE
    except BadDefault:
        return DEFAULT_PROFILE  # fixed by the choice that is made now


def offered(setup: Setup, known: Iterable[str]) -> str:
    """The valid profiles, each with what it needs."""
    rows = []
    for name in known:
        wanted = look_at_profile(name, setup.places, setup.env)
        if wanted.plan:
            rows.append((name, wanted.description, ", ".join(needs(wanted))))
    return table(("PROFILE", "WHAT", "NEEDS"), rows, find_screen(sys.stderr, setup.env))


def needs(wanted: ProfileSeen) -> Iterable[str]:
    """What a user needs for a profile."""
    if wanted.auth == "plan":
        yield "a Claude plan"
    if wanted.plan and wanted.plan.aws_profile:
        yield f"AWS profile `{wanted.plan.aws_profile}`"
    units = wanted.plan.units if wanted.plan else ()
    yield from dict.fromkeys(
        parse_secret(reference).variable or reference
        for unit in units
        for reference in unit.secrets.values()
    )


# The steps --------------------------------------------------------------------------------------


def find_the_claude(_setup: Setup, world: World) -> Done:
    """claude itself; setup does not install it."""
    (found,) = check_claude(world)
    return done_by("claude", found)


def log_in(setup: Setup, world: World) -> Done:
    """claude's login, where the profile forwards one."""
    found = next(iter(check_login(world)), None)
    if found is None:
        return Done(step="login", state=SKIPPED, what="claude was not found")
    is_asked = found.severity == Severity.WARNING and setup.may_ask
    if not is_asked or not confirm(f"{found.message}. Run `claude auth login` now?"):
        return done_by("login", found)
    run_attended((world.claude.path, "auth", "login"), setup.env)
    again = next(iter(check_login(setup.look(world.wanted.name))), found)
    return done_by("login", again, is_new=True)


def provide_aws(setup: Setup, world: World) -> Done:
    """The AWS profile, where Bedrock is used."""
    name = world.wanted.plan.aws_profile if world.wanted.plan else ""
    if not name:
        return Done(step="aws", state=ALREADY, what="the profile needs no AWS profile")
    fault = find_aws_fault(world.aws, name)
    if fault is None:
        return Done(step="aws", state=ALREADY, what=f"AWS profile `{name}`")
    if setup.may_ask:
        if other := choose_other(world.aws, fault):
            use_aws_profile(other, world.wanted.name, setup)
            name = other
        else:
            fix_aws(setup, fault, world.wanted.name)
        fault = find_aws_fault(look_at_aws(setup.env, setup.places.home, time.time()), name)
    if fault:
        return Done(step="aws", state=MISSING, what=fault.message, fix=fault.fix)
    return Done(step="aws", state=MADE, what=f"AWS profile `{name}`")


def choose_other(aws: AwsFacts, fault: Diagnostic) -> str:
    """An AWS profile that the user has, in place of one that does not exist; "" for none."""
    names = sorted(aws.names()) if fault.code == "aws-profile-missing" else []
    if not names:
        return ""
    tell(f"{fault.message}. You have: {', '.join(names)}.\n")
    answer = ask("Use one of them? Its name, or Enter to set up a new one", "")
    return answer if answer in names else ""


def use_aws_profile(aws_profile: str, profile: str, setup: Setup) -> None:
    """Write another AWS profile into a profile of openclaude's."""
    from openclaude.commands.runner import result_of

    words = ["set", profile, f"aws.profile={aws_profile}"]
    try:
        tell(result_of("profiles", words, setup.env).text)
    except OpenclaudeError as error:  # the step says what is still missing
        tell(f"{error.message}\n")


def fix_aws(setup: Setup, fault: Diagnostic, profile: str) -> None:
    """Run the fault's first command after confirmation: one of ours, or the AWS CLI's."""
    if not fault.commands:
        return
    program, *command = shlex.split(fault.commands[0])
    is_ours = program == "openclaude"
    found = program if is_ours else shutil.which(program, path=setup.env.get("PATH", ""))
    if not found or not confirm(f"{fault.message}. Run `{fault.commands[0]}` now?"):
        return
    if not is_ours:
        run_attended((found, *command), setup.env)
        return
    from openclaude.commands.runner import result_of

    try:
        tell(result_of(command[0], [*command[1:], "--profile", profile], setup.env).text)
    except OpenclaudeError as error:  # the step says what is still missing
        tell(f"{error.message}\n")


def provide_keys(_setup: Setup, world: World) -> Done:
    """Keys of other providers: references of the profile, which only the user can fill."""
    wanted = world.wanted
    if world.lost:
        what = "; ".join(f"`{one.reference}`: {one.why}" for one in world.lost)
        return Done(
            step="keys",
            state=MISSING,
            what=what,
            fix=fix_secret(world.lost[0].reference, wanted.name),
        )
    has_any = any(unit.secrets for unit in wanted.plan.units) if wanted.plan else False
    return Done(
        step="keys",
        state=ALREADY,
        what="all keys are set" if has_any else "the profile needs no keys",
    )


def use(setup: Setup, world: World) -> Done:
    """The profile as the default."""
    from openclaude.commands.profiles.move import write_default

    name = world.wanted.name
    if world.wanted.plan is None:
        message = world.wanted.errors[0].message
        return Done(
            step="profile",
            state=MISSING,
            what=message,
            fix=f"run `openclaude profiles edit {name}`",
        )
    what = f"`{name}` is the default"
    if setup.env.get(PROFILE_VARIABLE) not in {None, "", name}:
        what += f", but {PROFILE_VARIABLE} is set and takes precedence"
    if is_used(setup.places, name):
        return Done(step="profile", state=ALREADY, what=what)
    write_default(setup.places, name)
    return Done(step="profile", state=MADE, what=what)


def is_used(places: Places, name: str) -> bool:
    """Whether this profile is already the default."""
    try:
        return (used_profile_name(places) or DEFAULT_PROFILE) == name
    except BadDefault:
        return False


def ask_models(setup: Setup, world: World) -> Done:
    """Whether AWS grants access to the models, which only AWS knows."""
    count = len(world.wanted.bedrock)
    if not count:
        return Done(step="models", state=ALREADY, what="the profile has no Bedrock model")
    models = "1 model" if count == 1 else f"{count} models"
    question = f"Ask AWS who you are, and {models} for one token each (less than a US cent)?"
    if not setup.may_ask or not confirm(question):
        return Done(
            step="models", state=SKIPPED, what="`openclaude doctor --online` asks AWS for them"
        )
    from openclaude.doctor.online import ask_models

    now = setup.look(world.wanted.name)
    with progress(f"asking AWS for {models}") as say, ticking(say):
        findings = ask_models(now)
    wrong = [one for one in findings if one.severity in {Severity.ERROR, Severity.WARNING}]
    if wrong:
        return Done(step="models", state=MISSING, what=wrong[0].message, fix=wrong[0].fix)
    return Done(step="models", state=ALREADY, what=f"AWS serves {models}")


def check(setup: Setup, world: World) -> Done:
    """The doctor's findings."""
    findings = examine(setup.look(world.wanted.name))
    stops = [one for one in findings if one.severity == Severity.ERROR]
    count = sum(one.severity == Severity.WARNING for one in findings)
    if stops:
        return Done(step="check", state=MISSING, what=stops[0].message, fix=stops[0].fix)
    if count:
        warnings = "1 warning" if count == 1 else f"{count} warnings"
        return Done(
            step="check", state=ALREADY, what=f"ready to launch; {warnings}: `openclaude doctor`"
        )
    return Done(step="check", state=ALREADY, what="the doctor finds nothing wrong")


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


def done_by(step: str, found: Diagnostic, *, is_new: bool = False) -> Done:
    """A step with the result of a check."""
    if found.severity in {Severity.ERROR, Severity.WARNING}:
        return Done(step=step, state=MISSING, what=found.message, fix=found.fix)
    return Done(
        step=step,
        state=MADE if is_new and found.severity == Severity.OK else ALREADY,
        what=found.message,
    )
