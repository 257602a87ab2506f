"""A stack as its supervisor reports it.

Knows: the source of each field. Independent of: memory and CPU: reading them can block on a busy
process, and the supervisor must not block.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from openclaude.contracts.control import Session
from openclaude.contracts.plan import Plan
from openclaude.contracts.report import (
    Degradation,
    DrainingReport,
    Report,
    TierReport,
    UnitReport,
    UnitState,
)
from openclaude.contracts.stack_record import StackRecord
from openclaude.run.stack.folder import client_certificate
from openclaude.run.stack.succession import REPLACED
from openclaude.run.supervisor.controller import UnitController
from openclaude.run.supervisor.reconcile import NEVER, Drain, UnitStatus
from openclaude.run.supervisor.unit_process import UnitProcess
from openclaude.run.supervisor.unit_processes import UnitProcesses


def report_stack(
    record: StackRecord,
    plan: Plan,
    units: UnitController,
    sessions: tuple[Session, ...],
    *,
    is_stopping: bool,
    uptime_s: float,
) -> Report:
    """The whole stack."""
    context, now = units.context, time.monotonic()
    forkserver = units.forkserver.report()
    return Report(
        version=record.version + (REPLACED if units.succession.is_noticed else ""),
        profile=plan.profile,
        folder=str(context.folder),
        digest=plan.digest,
        is_stopping=is_stopping,
        main_key=context.main_key,
        former=context.former,
        certificate=str(client_certificate(context.folder)) if context.certificate else "",
        pid=record.pid,
        port=context.port,
        uptime_s=round(uptime_s, 1),
        start_method=units.method,
        sessions=sessions,
        renewed=units.renewed,
        tiers=tuple(
            TierReport(tier=tier.tier, model=tier.model, label=tier.label) for tier in plan.tiers
        ),
        units=report_units(plan, units.statuses, units.processes, port=context.port, now=now),
        draining=report_draining(units.statuses, units.processes, now=now),
        forkserver=forkserver,
        degraded=report_degraded(plan.profile, units.forkserver.given_up, units.processes),
        preloader=forkserver.pid if forkserver else None,
    )


def report_units(
    plan: Plan,
    statuses: Mapping[str, UnitStatus],
    processes: UnitProcesses,
    *,
    port: int,
    now: float,
) -> tuple[UnitReport, ...]:
    """One row for each unit of the plan; `now` is on the clock that statuses were made with."""
    return tuple(
        report_unit(
            unit.name,
            statuses[unit.name],
            processes.serving.get(unit.name) or last_draining(unit.name, statuses, processes),
            port=port + (unit.name == "providers"),
            now=now,
        )
        for unit in plan.units
    )


def last_draining(
    name: str, statuses: Mapping[str, UnitStatus], processes: UnitProcesses
) -> UnitProcess | None:
    """The process shown for a draining unit: the last one that served it."""
    if statuses[name].state is not UnitState.DRAINING:
        return None
    return next(
        process for process, drain in reversed(processes.draining.items()) if drain.unit == name
    )


def report_unit(
    name: str, status: UnitStatus, process: UnitProcess | None, *, port: int, now: float
) -> UnitReport:
    """One unit's row."""
    return UnitReport(
        name=name,
        state=status.state,
        pid=process.pid if process else None,
        port=port,
        state_s=round(now - status.since, 1),
        in_flight=process.in_flight if process else 0,
        served=process.served if process else 0,
        pss_bytes=process.pss_bytes if process else 0,
        restarts=status.restarts,
        last_error=status.last_error,
        cause=status.cause,
    )


def report_draining(
    statuses: Mapping[str, UnitStatus], processes: UnitProcesses, *, now: float
) -> tuple[DrainingReport, ...]:
    """A row for each draining process that is not shown for a unit."""
    shown = [last_draining(name, statuses, processes) for name in statuses]
    return tuple(
        report_drain(process, drain, now=now)
        for process, drain in processes.draining.items()
        if process not in shown
    )


def report_drain(process: UnitProcess, drain: Drain, *, now: float) -> DrainingReport:
    """One draining process's row."""
    return DrainingReport(
        name=drain.unit,
        pid=drain.pid,
        state_s=round(now - drain.since, 1),
        in_flight=process.in_flight,
        served=process.served,
        pss_bytes=process.pss_bytes,
        kill_in_s=0.0 if drain.kill_at == NEVER else round(max(0.0, drain.kill_at - now), 1),
        is_patient=drain.is_patient,
        cause=drain.cause,
    )


def report_degraded(
    profile: str, given_up: str, processes: UnitProcesses
) -> tuple[Degradation, ...]:
    """What works worse than it should: without a forkserver (why: `given_up`), or not warmed up."""
    found = []
    if given_up:
        found.append(
            Degradation(
                code="not-forked",
                message=f"the proxies are fresh processes and no forks: {in_a_line(given_up)}",
                cost="each start takes about 6 times as long, and the two proxies need 1.8 times "
                "the memory",
                fix=f"run `openclaude restart --profile {profile}`, which tries again",
            )
        )
    for name, process in processes.serving.items():
        if process.warning:
            found.append(
                Degradation(
                    code="not-warmed-up",
                    message=f"the warm-up requests of `{name}` failed: {process.warning}",
                    cost="its first requests take three to four times as long, and LiteLLM may "
                    "not work as it was tested",
                    fix=f"run `openclaude restart --profile {profile}`; if it happens again, see "
                    f"`openclaude logs --profile {profile}`",
                )
            )
        if process.lacks:
            found.append(
                Degradation(
                    code="telemetry-not-shown",
                    message=f"no figures of requests are shown on port {process.lacks.port} of "
                    f"`telemetry.prometheus`: {process.lacks.reason}",
                    cost=f"what Prometheus reads there is not of the profile `{profile}`",
                    fix="choose a port of its own: `openclaude profiles set telemetry.prometheus="
                    f"PORT --profile {profile}`, then `openclaude restart --profile {profile}`",
                )
            )
    return tuple(found)


def in_a_line(text: str) -> str:
    """How something ended, and the last line that it printed, which says most."""
    first, *lines = text.strip().splitlines()
    return f"{first}: {lines[-1].strip()}" if lines else first
