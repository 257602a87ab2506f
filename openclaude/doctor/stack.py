"""The proxies: their ports, and the stack that may be running on them.

Knows: what a port in use and a stack's state mean for the next launch. Refuses to know: sockets.
"""

from __future__ import annotations

from collections.abc import Iterator

from openclaude import __version__
from openclaude.doctor.finding import NOTE, OK, STOPS, WARNS, Finding
from openclaude.doctor.world import World


def check_ports(world: World) -> Iterator[Finding]:
    """The two ports that a new stack would bind."""
    plan = world.wanted.plan
    if plan is None or world.stack.report or world.stack.silent:
        return
    busy = [port for port in world.ports if not port.is_free]
    for port in busy:
        what = f"port {port.number} is in use{port.holder}"
        mend = f"end it, or set another `port`: `openclaude profiles set {plan.profile} "
        mend += "listen.port PORT`"
        if plan.strict:
            why = "the profile says `strict`: a launch takes no other port"
            yield Finding("port-busy", STOPS, what, why, mend)
        else:
            why = "a launch takes the next free pair of ports"
            yield Finding("port-taken", NOTE, what, why, f"nothing to mend; or {mend}")
    if not busy:
        pair = f"{plan.port} and {plan.port + 1}"
        yield Finding("ports", OK, f"ports {pair} are free")


def check_stack(world: World) -> Iterator[Finding]:
    """The profile's stack, as far as there is one."""
    plan, stack = world.wanted.plan, world.stack
    if stack.silent:
        why = "a launch asks it first, and gives up"
        yield Finding(stack.silent.code, STOPS, stack.silent.message, why, stack.silent.hint)
    elif stack.report:
        failed = [unit for unit in stack.report["units"] if unit["state"] == "failed"]
        for unit in failed:
            yield Finding(
                "unit-failed",
                WARNS,
                f"`{unit['name']}` of the running stack has failed: {last_line(unit)}",
                "its requests are answered with an error",
                f"see `openclaude logs --profile {world.wanted.name}`, then run "
                f"`openclaude restart --profile {world.wanted.name}`",
            )
        if stack.version != __version__:
            what = f"the running stack is of openclaude {stack.version or 'another version'}"
            why = "the next launch takes it over"
            yield Finding("stack-of-another-version", NOTE, what, why, "nothing to mend")
        elif plan and stack.report["digest"] != plan.digest:
            what = "the running stack was made from an older form of the profile"
            why = "the next launch brings it up to date"
            yield Finding("stack-outdated", NOTE, what, why, "nothing to mend")
        elif not failed:
            yield Finding("stack", OK, f"the proxies run on port {stack.report['port']}")
    elif stack.is_recorded and not stack.is_live:
        what = "a stack has ended without cleaning up behind it"
        why = "the next launch does that"
        mend = f"nothing to mend; or run `openclaude stop --profile {world.wanted.name}`"
        yield Finding("stack-left-over", NOTE, what, why, mend)
    elif plan:
        yield Finding("stack", OK, "the proxies do not run; a launch starts them")


def last_line(unit: dict[str, object]) -> str:
    """The last of what a unit said."""
    lines = str(unit["last_error"]).strip().splitlines()
    return lines[-1] if lines else "it said nothing"
