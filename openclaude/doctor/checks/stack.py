"""The proxies: their ports, and the stack that may be running on them.

Knows: what a busy port and the state of a stack mean for the next launch. Must not open sockets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openclaude import __version__
from openclaude.contracts.plan import Plan
from openclaude.diagnostics import Diagnostic, Severity
from openclaude.doctor.snapshot.world import Port, World

NOTHING = "nothing to do"


def check_ports(world: World) -> Iterator[Diagnostic]:
    """The two ports that a new stack would bind."""
    plan = world.wanted.plan
    if plan is None or world.stack.report or world.stack.silent:
        return
    busy = [port for port in world.ports if not port.is_free and not port.is_kept]
    yield from (busy_port(port, plan) for port in busy)
    if not busy:
        is_kept = any(port.is_kept for port in world.ports)
        state = "kept for open sessions; a launch takes them over" if is_kept else "free"
        message = f"ports {plan.port} and {plan.port + 1} are {state}"
        yield Diagnostic(code="ports", severity=Severity.OK, message=message)


def busy_port(port: Port, plan: Plan) -> Diagnostic:
    """A port that another process uses."""
    message = f"port {port.number} is in use{port.holder}"
    other = f"`openclaude profiles set {plan.profile} listen.port=PORT`"
    if plan.strict:
        return Diagnostic(
            code="port-busy",
            severity=Severity.ERROR,
            message=message,
            why="the profile has `strict = true`: a launch uses no other port",
            fix=f"stop that program, or choose another port: {other}",
        )
    return Diagnostic(
        code="port-taken",
        severity=Severity.NOTE,
        message=message,
        why="a launch uses the next free pair of ports",
        fix=f"{NOTHING}; or stop that program, or choose another port: {other}",
    )


def check_stack(world: World) -> Iterator[Diagnostic]:
    """The profile's stack, if there is one."""
    plan, stack = world.wanted.plan, world.stack
    if stack.silent:
        (found,) = stack.silent.diagnostics
        yield found._replace(why="a launch asks it first, and fails without an answer")
    elif stack.report:
        yield from check_running(world, stack.report)
    elif stack.is_recorded and not stack.is_live:
        yield Diagnostic(
            code="stack-left-over",
            severity=Severity.NOTE,
            message="a stack has ended without cleaning up",
            why="the next launch cleans up",
            fix=f"{NOTHING}; or run `openclaude stop --profile {world.wanted.name}`",
        )
    elif plan:
        message = "the proxies are not running; a launch starts them"
        yield Diagnostic(code="stack", severity=Severity.OK, message=message)


def check_elsewhere(world: World) -> Iterator[Diagnostic]:
    """Where stacks are: those of others who share this home, and ours on another file system."""
    if world.moved:
        yield Diagnostic(
            code="state-moved",
            severity=Severity.NOTE,
            message=f"the proxies keep their files in `{world.moved}`",
            why="the file system of the state directory has no locks or no Unix sockets",
            fix=f"{NOTHING}; or run `openclaude stop --all` and set XDG_STATE_HOME to a directory "
            "on a local disk",
        )
    for one in world.elsewhere:
        yield Diagnostic(
            code="home-shared",
            severity=Severity.NOTE,
            message=f"the proxies of `{one.name}` {one.who} keep their files in `{one.folder}`",
            why="they share this home; a launch here has proxies of its own, and spares those",
            fix=f"{NOTHING}; or run `openclaude stop --profile {one.name}` there",
        )


def check_running(world: World, report: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """A running stack."""
    plan, version = world.wanted.plan, world.stack.version
    failed = [unit for unit in report["units"] if unit["state"] == "failed"]
    yield from (failed_unit(unit, world.wanted.name) for unit in failed)
    yield from (degraded(row) for row in report.get("degraded", ()))
    if renewed := report.get("renewed", ()):
        yield Diagnostic(
            code="stack-environment",
            severity=Severity.NOTE,
            message=f"the running proxies have other values of {', '.join(renewed)}",
            why="they were started from another environment; the next launch restarts them with "
            "this one",
            fix=f"run `openclaude restart --profile {world.wanted.name}`",
        )
    if version != __version__:
        yield Diagnostic(
            code="stack-of-another-version",
            severity=Severity.NOTE,
            message=f"the running stack is from openclaude {version or '(unknown version)'}",
            why="the next launch takes it over",
            fix=NOTHING,
        )
    elif plan and report["digest"] != plan.digest:
        yield Diagnostic(
            code="stack-outdated",
            severity=Severity.NOTE,
            message="the profile has changed since the running stack was started",
            why="the next launch brings it up to date",
            fix=NOTHING,
        )
    elif not failed:
        message = f"the proxies are running on port {report['port']}"
        yield Diagnostic(code="stack", severity=Severity.OK, message=message)


def degraded(row: Mapping[str, str]) -> Diagnostic:
    """What the supervisor says works worse than it should."""
    code = row["code"]
    return Diagnostic(
        code=code,
        severity=Severity.WARNING,
        message=row["message"],
        why=row["cost"],
        fix=row["fix"],
    )


def failed_unit(unit: Mapping[str, Any], profile: str) -> Diagnostic:
    """A unit that has failed."""
    return Diagnostic(
        code="unit-failed",
        severity=Severity.WARNING,
        message=f"`{unit['name']}` of the running stack has failed: {last_line(unit)}",
        why="requests to it are answered with an error",
        fix=f"see `openclaude logs --profile {profile}`, then run "
        f"`openclaude restart --profile {profile}`",
    )


def last_line(unit: Mapping[str, object]) -> str:
    """The last line that a unit has printed."""
    lines = str(unit["last_error"]).strip().splitlines()
    return lines[-1] if lines else "no output"
