"""The processes of a stack as a table, and the model of each tier.

Knows: how they are shown. Independent of: how a stack works.
"""

from __future__ import annotations

from typing import Any

from openclaude.contracts.references import is_claude
from openclaude.terminal.tables import table

MIB = 1024 * 1024
HEADER = (
    *("PROCESS", "STATE", "PORT", "PID", "FOR", "ACTIVE", "SERVED", "RESTARTS"),
    *("RSS", "PSS", "CPU"),
)
OTHERS = ("supervisor", "forkserver")


def stack_text(report: dict[str, Any]) -> str:
    """One stack: sessions, processes, the model of each tier."""
    sessions = ", ".join(str(session["pid"]) for session in report["sessions"]) or "none"
    rows = [
        *(unit_row(unit) for unit in report["units"]),
        *(draining_row(process) for process in report["draining"]),
        *(process_row(name, report[name]) for name in OTHERS if report[name]),
    ]
    tiers = "".join(f"  {tier_text(tier, report['server'])}\n" for tier in report["tiers"])
    return (
        f"{report['profile']}: up {duration(report['uptime_s'])}, sessions: {sessions}\n\n"
        f"{table(HEADER, rows)}\n{tiers}"
    )


def tier_text(tier: dict[str, Any], server: str) -> str:
    """A tier and its model; `server` is the machine that serves the slots, or ""."""
    if tier["model"] == "claude":
        return f"{tier['tier']:<7} Claude"
    there = f" at {server}" if server and not is_claude(tier["model"]) else ""
    return f"{tier['tier']:<7} {tier['label']} ({tier['model']}){there}"


def troubles(report: dict[str, Any]) -> str:
    """What is wrong with one stack, and the programs that have a key of it."""
    errors = "".join(
        f"\n{unit['name']}: {unit['last_error']}\n"
        for unit in report["units"]
        if unit["last_error"]
    )
    degraded = "".join(
        f"\nwarning: {one['message']}\n  cost: {one['cost']}\n  fix: {one['fix']}\n"
        for one in report["degraded"]
    )
    programs = ", ".join(one["name"] for one in report["programs"])
    users = f"{report['profile']}: programs with a key: {programs}\n" if programs else ""
    switched = "".join(
        f"\n{one['tier']} is switched until the proxies stop; `openclaude switch --undo "
        f"{report['profile']}` goes back\n"
        for one in report["switched"]
    )
    return f"{users}{switched}{errors}{degraded}"


def unit_row(unit: dict[str, Any]) -> tuple[str, ...]:
    """One unit's line."""
    return (
        unit["name"],
        unit["state"],
        str(unit["port"]),
        str(unit["pid"] or "-"),
        duration(unit["state_s"]),
        str(unit["in_flight"]),
        str(unit["served"]),
        str(unit["restarts"]),
        *costs(unit),
    )


def draining_row(process: dict[str, Any]) -> tuple[str, ...]:
    """The line of a process that finishes its requests while another has taken its place."""
    return (
        process["name"],
        "draining",
        "-",
        str(process["pid"]),
        duration(process["state_s"]),
        str(process["in_flight"]),
        str(process["served"]),
        "-",
        *costs(process),
    )


def process_row(name: str, process: dict[str, Any]) -> tuple[str, ...]:
    """The line of a process that is not a unit."""
    state = process.get("state", "-")
    return (name, state, "-", str(process["pid"]), "-", "-", "-", "-", *costs(process))


def costs(process: dict[str, Any]) -> tuple[str, str, str]:
    """Resident memory, its proportional share, CPU time."""
    pss = f"{process['pss_bytes'] / MIB:.0f} MB" if process["pss_bytes"] else "-"
    return f"{process['rss_bytes'] / MIB:.0f} MB", pss, f"{process['cpu_s']:.1f} s"


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    minutes, whole = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {whole}s" if minutes else f"{whole}s"
