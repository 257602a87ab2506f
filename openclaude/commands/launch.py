"""The bare command: exec claude, with the profile's stack behind it.

Knows: the order of a launch. Every check comes before the first change: a launch that fails has
changed nothing.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from openclaude.claude.certificates import EXTRA, is_managed, user_bundle
from openclaude.claude.discovery import NamedClaude, find_claude, take_named
from openclaude.claude.launch import (
    HEADERS,
    SETTINGS_PATH,
    LaunchFacts,
    build_launch,
    folder_line,
)
from openclaude.claude.network import environment_for_instances
from openclaude.claude.pins import pin_sentence, pinned_model
from openclaude.claude.settings import look_at_launch
from openclaude.claude.statusline import line_command, status_line
from openclaude.claude.tools_environment import outer_environment, outer_values, with_hook
from openclaude.claude.way import WAY, leave_mark, marked_environment, passed
from openclaude.commands.split import Split
from openclaude.contracts.control import StartMethod
from openclaude.contracts.plan import Plan
from openclaude.contracts.references import parse_secret
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.files import FolderUnusable, NoPlace, private_folder
from openclaude.paths import Places, with_absolute_home, working_folder
from openclaude.plan_cache import find_plan
from openclaude.profile.names import profile_name
from openclaude.run.launcher.launch import (
    DEFAULT_METHOD,
    Joined,
    become,
    certificate_bundle,
    join_stack,
    launch_files,
    settings_file,
)
from openclaude.run.os.processes import is_above, python_environment, start_time
from openclaude.run.stack.client import StackElsewhere
from openclaude.run.stack.folder import is_live, read_record
from openclaude.run.stack.inherited import inheritable
from openclaude.run.stack.local_key import note_plain_session
from openclaude.run.stack.places import clear_ended, likely_folder, move, own_stacks, stack_folder

if TYPE_CHECKING:
    from openclaude.aws.files import AwsFacts
    from openclaude.diagnostics import Diagnostic

# Words of claude's own that talk to no model: they need no stack and are passed straight on.
PLAIN_WORDS = frozenset(
    {"auth", "doctor", "install", "mcp", "plugin", "plugins", "setup-token", "update", "upgrade"}
    | {"--help", "-h", "--version", "-v"}
)

# What Python sets LC_CTYPE to in a C locale.
COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})


# claude draws its prompt in half a second of both cores (measured with 2.1.330); LiteLLM, which
# takes a core for four, may begin after that: nobody types so fast.
TERMINAL_DELAY_S = 0.5
# What `compile` shows where a launch puts the address and the local key of the stack it joins.
PLAN_URL = "https://127.0.0.1:<port>"
MANAGED_CERTIFICATES = (
    "the managed settings of this machine set NODE_EXTRA_CA_CERTS, so claude reaches the proxy "
    "without TLS (see docs/security.md)"
)
PLAN_KEY = "<local key of main>"


class SecretMissing(OpenclaudeError):
    """A secret of the profile is not set."""

    code = "secret-missing"


class AwsUnusable(OpenclaudeError):
    """The AWS profile certainly cannot work, which is known without contacting AWS."""

    def __init__(self, fault: Diagnostic) -> None:
        super().__init__(fault.message, hint=fault.fix)
        self.code = fault.code


def launch(split: Split, places: Places, env: Mapping[str, str]) -> NoReturn:
    """Become claude with the user's arguments; raises OpenclaudeError before that point."""
    name = profile_name(split.profile, env, places)
    before = passed(env, is_above)  # programs that have led back to us, if any
    named, arguments = (None, split.arguments)
    if not split.is_verbatim:
        named, arguments = take_named(split.arguments, env)
    if named is None or named.path in before:
        named = NamedClaude(find_claude(env, before))
    claude, leading = named
    called = claude if leading else "claude"  # an interpreter may go by its name
    leave_mark(claude)
    if before or (arguments and arguments[0] in PLAIN_WORDS):
        # after `before`, the launch through which we have come has done everything already
        argv = (called, *leading, *arguments)
        become(claude, argv, marked_environment(env, claude, ourselves(), forgets=bool(before)))
    plan = find_plan(name, places, env)
    facts = look_at_launch(arguments, claude, env, places.home, working_folder())
    build_launch(plan.launch, facts, url="", key="")  # conflicts are found before anything starts
    variable, model = pinned_model(plan, facts)
    if variable:
        sys.stderr.write(f"openclaude: {pin_sentence(variable, model)}\n")
    delay_s = TERMINAL_DELAY_S if is_conversation(arguments) else 0.0
    seen = environment_for_instances(facts)
    joined = bring_up(
        plan, places, seen, session=True, delay_s=delay_s, is_ephemeral=split.is_ephemeral
    )
    try:
        environment, given = prepare(plan, facts, joined, joined.folder)
        become(claude, (called, *leading, *given), environment)
    except BaseException:  # whatever it was, the session does not come about
        withdraw(joined.folder, is_new=joined.is_new)
        raise


def prepare(
    plan: Plan, facts: LaunchFacts, joined: Joined, folder: Path
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Write what claude reads; its environment and arguments. Raises FolderUnusable."""
    if joined.certificate and is_managed(facts):
        sys.stderr.write(f"openclaude: {MANAGED_CERTIFICATES}\n")
        joined = joined._replace(certificate="")
        note_plain_session(folder)
    made = build_launch(plan.launch, facts, url=joined.url, key=joined.main_key)
    if joined.certificate:
        bundle = certificate_bundle(folder, joined.certificate, user_bundle(facts))
        made.settings["env"][EXTRA] = bundle
    made.settings["env"][HEADERS] += f"\n{folder_line(str(working_folder()))}"
    if plan.launch.has_status_line:
        made.settings.update(status_line(facts, our_line(plan.profile, folder)))
    outer = outer_values(facts)
    environment = marked_environment(
        {**made.environment, **outer_environment(outer)}, facts.claude, ourselves(), forgets=True
    )
    if WAY in environment:
        made.settings["env"][WAY] = ""
    settings = str(settings_file(folder, with_hook(made.settings, outer)))
    given = (settings if argument == SETTINGS_PATH else argument for argument in made.argv[1:])
    return environment, tuple(given)


def our_line(profile: str, folder: Path) -> str:
    """The command that prints our status line."""
    package = python_environment().get("PYTHONPATH", "").partition(os.pathsep)[0]
    return line_command(sys.executable, package, profile, str(folder))


def withdraw(folder: Path, *, is_new: bool) -> None:
    """Take back what a launch has made that does not become claude."""
    for path in launch_files(folder):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    if is_new:
        from openclaude.run.launcher.stop import stop_stack

        with contextlib.suppress(OSError, OpenclaudeError):
            stop_stack(folder)


def ourselves() -> tuple[int, str]:
    """This process, which becomes claude: its pid and start time."""
    return os.getpid(), start_time(os.getpid()) or ""


def bring_up(
    plan: Plan,
    places: Places,
    env: Mapping[str, str],
    *,
    session: bool = False,
    delay_s: float = 0.0,
    is_ephemeral: bool = False,
) -> Joined:
    """The plan's running stack, joined or started. With `session`, register this process."""
    method = start_method(env)
    env = check_aws(plan, env, places.home)
    check_secrets(plan, env, places.stacks)
    private_folder(places.state)

    def join(folder: Path) -> Joined:
        private_folder(folder.parent)
        return join_stack(
            folder,
            plan,
            inheritable(plan, env),
            method=method,
            session=session,
            delay_s=delay_s,
            is_ephemeral=is_ephemeral,
        )

    folder = likely_folder(places.stacks, plan.profile)
    try:
        joined = join(folder)
    except StackElsewhere:  # this home is shared, and another place came first
        joined = join(own_stacks(places.stacks) / plan.profile)
    except NoPlace as error:
        joined = join_moved(places, plan.profile, env, join, error)
    if joined.is_new:
        with contextlib.suppress(OSError):  # another launch tries again
            clear_ended(places.stacks)
    if joined.renewed:
        sys.stderr.write(f"openclaude: {renewal(joined)}\n")
    return joined


def join_moved(
    places: Places,
    name: str,
    env: Mapping[str, str],
    join: Callable[[Path], Joined],
    error: NoPlace,
) -> Joined:
    """Join or start the stack on another file system: that of its state lacks something.

    Raises `error` where there is no other place either.
    """
    if own_stacks(places.stacks).exists():
        raise error
    temporary = env.get("TMPDIR") or "/tmp"  # noqa: S108 - a folder of ours in it, 0700
    try:
        with move(places.stacks, env.get("XDG_RUNTIME_DIR", ""), temporary) as moved:
            return join(moved / name)
    except FolderUnusable:
        raise error from None


def renewal(joined: Joined) -> str:
    """What a launch says that has changed the environment of a running stack."""
    *most, last = joined.renewed
    names = f"{', '.join(most)} and {last}" if most else last
    differ = "differ" if most else "differs"
    also = {0: "", 1: ", also for the other open session"}.get(
        joined.sessions, f", also for the {joined.sessions} other open sessions"
    )
    return (
        f"{names} {differ} from what the running proxies had: they start again with what you have "
        f"now{also}"
    )


def as_claude_goes(env: Mapping[str, str], places: Places) -> dict[str, str]:
    """The environment for instances that no claude is launched with."""
    return environment_for_instances(look_at_launch((), "", env, places.home, working_folder()))


def is_conversation(arguments: tuple[str, ...]) -> bool:
    """Whether claude will be interactive."""
    return sys.stdin is not None and sys.stdin.isatty() and not {"-p", "--print"} & {*arguments}


def start_method(env: Mapping[str, str]) -> StartMethod:
    """How instances are made: forks of one preloaded process, or fresh ones. Raises UsageError."""
    named = env.get("OPENCLAUDE_START_METHOD") or DEFAULT_METHOD
    try:
        return StartMethod(named)
    except ValueError:
        raise UsageError(
            f"OPENCLAUDE_START_METHOD is `{named}`", hint="it can be `fork` or `spawn`"
        ) from None


def check_aws(plan: Plan, env: Mapping[str, str], home: Path) -> Mapping[str, str]:
    """The environment, with what the AWS profile says of it.

    A look at files only: botocore would take ten times longer to import than the whole launch. On
    a terminal an expired login is renewed first, if the profile does not say otherwise.
    Raises AwsUnusable if the plan's AWS profile certainly cannot work.
    """
    if not plan.aws_profile:
        return env
    # here: a launch without Bedrock has no use for them
    from openclaude.aws.files import look_at_aws
    from openclaude.aws.profile_check import find_aws_fault

    aws = look_at_aws(env, home, time.time())
    fault = find_aws_fault(aws, plan.aws_profile)
    if fault:
        from openclaude.commands.login import log_in_again

        if log_in_again(plan, fault, env):
            aws = look_at_aws(env, home, time.time())
            fault = find_aws_fault(aws, plan.aws_profile)
    if fault:
        raise AwsUnusable(fault)
    return with_authority(plan, env, aws)


def with_authority(plan: Plan, env: Mapping[str, str], aws: AwsFacts) -> Mapping[str, str]:
    """The environment, with the file of authorities that the plan's AWS profile names."""
    named = aws.merged(plan.aws_profile).get("ca_bundle")
    return {"AWS_CA_BUNDLE": named, **env} if named else env


def check_secrets(plan: Plan, env: Mapping[str, str], stacks: Path) -> None:
    """Raise SecretMissing for a secret whose variable is not set.

    A running stack already has its secrets.
    """
    references = (reference for unit in plan.units for reference in unit.secrets.values())
    for reference in references:
        name = parse_secret(reference).variable
        if name and not env.get(name) and not is_running(stack_folder(stacks, plan.profile)):
            from openclaude.doctor.checks.profile import fix_secret

            raise SecretMissing(
                f"the profile `{plan.profile}` needs the secret `{reference}`, but {name} is not "
                "set",
                hint=fix_secret(reference, plan.profile),
            )


def is_running(folder: Path) -> bool:
    """Whether the stack in a directory is running."""
    record = read_record(folder)
    return record is not None and is_live(record)


def real_environment() -> dict[str, str]:
    """The user's environment; the one place where it is read."""
    env = dict(os.environ)
    if env.get("LC_CTYPE") in COERCED and not was_given("LC_CTYPE"):
        del env["LC_CTYPE"]  # Python itself has set it, and claude would inherit it (PEP 538)
    return with_absolute_home(env)


def was_given(name: str) -> bool:
    """Whether this process was started with the variable, as far as the system tells."""
    try:
        given = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return True
    return any(entry.startswith(name.encode() + b"=") for entry in given)
