"""claude itself: is it there, does it run, who is logged in.

Knows: which version and which login a launch needs. Must not depend on how claude is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from openclaude.claude.login import LOG_IN, Login
from openclaude.compatibility import Outcome, Standing, Trial, find_standing, numbers
from openclaude.diagnostics import Diagnostic, Location, Severity
from openclaude.doctor.snapshot.world import World


def check_claude(world: World) -> Iterator[Diagnostic]:
    """The program."""
    claude = world.claude
    path = Path(claude.path) if claude.path else None
    if claude.missing:
        (found,) = claude.missing.diagnostics
        yield found._replace(why="a launch runs this program")
    elif claude.cannot_run:
        yield Diagnostic(
            code="claude-broken",
            severity=Severity.ERROR,
            message=f"`{claude.path} --version` fails: {claude.cannot_run}",
            why="a launch runs this program",
            fix="reinstall Claude Code (`npm install -g @anthropic-ai/claude-code`), or set "
            "OPENCLAUDE_CLAUDE to another binary",
        )
    elif not numbers(claude.version):
        yield Diagnostic(
            code="claude-unknown",
            severity=Severity.WARNING,
            message=f"`{claude.path} --version` prints no version",
            why="this program may not be Claude Code",
            fix="set OPENCLAUDE_CLAUDE to the binary of Claude Code",
            location=Location(path=path),
        )
    else:
        standing = find_standing(world.trials, claude.version, world.litellm)
        found = judge_version(claude.version, world.litellm, standing)
        yield found._replace(location=Location(path=path))
    yield from check_way(world)


def check_way(world: World) -> Iterator[Diagnostic]:
    """How a launch comes to the program."""
    claude = world.claude
    for wrapper in claude.wrappers:
        yield Diagnostic(
            code="claude-wrapper",
            severity=Severity.NOTE,
            message=f"`{wrapper}` starts openclaude; a launch goes on to `{claude.path}`",
            why="a launch starts openclaude twice on its way",
            fix=f"set OPENCLAUDE_CLAUDE: run `export OPENCLAUDE_CLAUDE={quote(claude.path)}`",
            location=Location(path=Path(wrapper)),
        )
    if not claude.is_on_path:
        folder = quote(str(Path(claude.path).parent))
        yield Diagnostic(
            code="claude-not-on-path",
            severity=Severity.NOTE,
            message=f"a launch uses `{claude.path}`, which is not on PATH",
            why="your shell does not find `claude`",
            fix=f'nothing to do for openclaude; for your shell run `export PATH={folder}:"$PATH"`',
            location=Location(path=Path(claude.path)),
        )


def judge_version(version: str, litellm: str, standing: Standing) -> Diagnostic:
    """What is known of a version: it was tried, or its neighbours were."""
    if trial := standing.trial:
        return judge_trial(trial, standing.best)
    if standing.newer and not standing.older:
        return Diagnostic(
            code="claude-old",
            severity=Severity.WARNING,
            message=f"claude {version} is older than {standing.newer.claude}, the oldest version "
            f"that was tried with LiteLLM {litellm}",
            why="an older version may not understand the settings of a launch",
            fix="run `claude update`",
        )
    tried = [one for one in (standing.older, standing.newer) if one]
    known = ", ".join(f"{one.claude} ({one.outcome})" for one in tried)
    return Diagnostic(
        code="claude-untested",
        severity=Severity.NOTE,
        message=f"claude {version} was not tried with LiteLLM {litellm}; "
        + (f"of its neighbours: {known}" if known else "nor was any other version"),
        why="a release of claude may send something that openclaude does not know",
        fix="nothing to do if it works; else update openclaude"
        + (f", or run {install(standing.best)}" if standing.best else ""),
    )


def judge_trial(trial: Trial, best: Trial | None) -> Diagnostic:
    """What a trial of this very version has shown."""
    if trial.outcome is not Outcome.BROKEN:
        message = f"claude {trial.claude}"
        return Diagnostic(code="claude", severity=Severity.OK, message=message)
    return Diagnostic(
        code="claude-incompatible",
        severity=Severity.ERROR,
        message=f"claude {trial.claude} does not work with openclaude and LiteLLM {trial.litellm} "
        f"(tried on {trial.date})",
        why="requests fail or change on their way",
        fix="update openclaude" + (f", or run {install(best)}" if best else ""),
    )


def install(trial: Trial) -> str:
    """The command that installs a version of claude."""
    return f"`npm install -g @anthropic-ai/claude-code@{trial.claude}`"


def check_login(world: World) -> Iterator[Diagnostic]:
    """The login, as a launch would find it: without the variables that a launch removes."""
    claude = world.claude
    if claude.missing or claude.cannot_run:
        return
    if world.wanted.auth in {"none", "api-key"}:
        message = "this profile needs no Claude login"
        yield Diagnostic(code="login", severity=Severity.OK, message=message)
    elif claude.login is None:
        yield Diagnostic(
            code="login-unknown",
            severity=Severity.NOTE,
            message="openclaude does not understand the output of `claude auth status`",
            why="openclaude cannot tell whether you are logged in",
            fix="run `claude auth status` to see it",
        )
    else:
        yield judge_login(claude.login)


def judge_login(login: Login) -> Diagnostic:
    """What a login is good for in a profile that forwards the login of a Claude plan."""
    if not login.is_logged_in:
        return Diagnostic(
            code="not-logged-in",
            severity=Severity.WARNING,
            message="claude is not logged in",
            why="tiers that use Claude send requests with your own login",
            fix=f"run `{LOG_IN}`",
            commands=(LOG_IN,),
        )
    if not login.is_plan:
        return Diagnostic(
            code="login-is-no-plan",
            severity=Severity.WARNING,
            message=f"claude is logged in with `{login.method}`, not with a Claude plan",
            why="a launch forwards only the login of a Claude plan",
            fix=f'run `{LOG_IN}`, or use a profile with `auth = "api-key"`',
        )
    message = f"logged in with a Claude plan ({login.plan or login.method})"
    return Diagnostic(code="login", severity=Severity.OK, message=message)
