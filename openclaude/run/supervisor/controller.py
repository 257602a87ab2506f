"""The units of a stack: carries out what `reconcile` decides, and records what happens.

Knows: each unit's status, its process, the forkserver, answers for unavailable units. Independent
of: when anything is due (`reconcile`), requests (the control server), sessions.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Mapping

from openclaude.contracts.control import StartMethod
from openclaude.contracts.plan import Plan, Unit
from openclaude.contracts.report import UnitState
from openclaude.run.stack.inherited import changed_variables, taken_over
from openclaude.run.stack.logs import bound_log, log_path
from openclaude.run.stack.succession import LOOK_AGAIN_S, Succession
from openclaude.run.supervisor import actions, reconcile
from openclaude.run.supervisor.actions import Action, describe
from openclaude.run.supervisor.digests import plan_changes
from openclaude.run.supervisor.forkserver import Forkserver, start_forkserver
from openclaude.run.supervisor.forkserver_process import ForkserverProcess
from openclaude.run.supervisor.log import Log, LoggedFault
from openclaude.run.supervisor.reconcile import UnitStatus
from openclaude.run.supervisor.unavailable import UnavailableAnswers
from openclaude.run.supervisor.unit_process import UnitProcess
from openclaude.run.supervisor.unit_processes import UnitProcesses
from openclaude.run.supervisor.unit_start import (
    StackContext,
    exit_error,
    fork_process,
    spawn_process,
)


class UnitController:
    """Every unit of one stack."""

    def __init__(
        self,
        plan: Plan,
        context: StackContext,
        listeners: dict[str, socket.socket],
        selector: selectors.BaseSelector,
        log: Log,
        *,
        method: StartMethod,
    ) -> None:
        self.plan = plan
        self.context = context
        self.listeners = listeners
        self.log = log
        self.method = self.asked_method = method
        self.processes = UnitProcesses(
            selector, log, on_load=self.on_heartbeat, on_exit=self.on_exit
        )
        self.forkserver = Forkserver(
            self.start_forkserver, context, selector, log, fork=self.fork, give_up=self.spawn_all
        )
        self.succession = Succession(plan.profile, log)
        self.unavailable = UnavailableAnswers(listeners, selector, context.certificate)
        now = time.monotonic()
        self.statuses: dict[str, UnitStatus] = {
            unit.name: reconcile.asleep(now, "the stack is new") for unit in plan.units
        }
        self.started_at = now  # when units were last started
        self.is_ending = False
        self.renewed: tuple[str, ...] = ()  # variables that the last launch has changed

    @property
    def active_at(self) -> float:
        """When a request last began or ended, or the units were started."""
        return max(self.started_at, self.processes.active_at)

    def unit(self, name: str) -> Unit:
        """The plan's unit of that name."""
        return next(unit for unit in self.plan.units if unit.name == name)

    # -- what was decided is done --------------------------------------------------------------

    def reconcile(self, now: float) -> None:
        """Carry out the actions that are due."""
        self.succession.reap()
        due = reconcile.reconcile(
            self.statuses, self.processes.drains, now, unavailable=self.unavailable.final
        )
        for action in due:
            if isinstance(action, actions.Start) and self.has_successor():
                self.put_off(action.unit, now + LOOK_AGAIN_S)
            else:
                self.perform(action)

    def has_successor(self) -> bool:
        """Whether another version was installed, which takes over instead."""
        return self.succession.is_under_way(self.context.inherited)

    def put_off(self, name: str, at: float) -> None:
        """Look again then."""
        self.statuses[name] = self.statuses[name]._replace(at=at)

    def perform(self, action: Action) -> None:
        """Carry out one action, and log it with its cause."""
        self.log(describe(action))
        match action:
            case actions.Start(unit=name, cause=cause):
                self.start(name, cause)
            case actions.Kill(unit=name, cause=cause):
                self.kill(name, cause)
            case actions.KillDraining(pid=pid):
                self.processes.kill_draining(pid)
            case actions.ReportUnavailable(unit=name, is_final=is_final):
                self.report_unavailable(name, is_final=is_final)
            case actions.Replace(unit=name, cause=cause):
                self.drain(name, cause)
                self.statuses[name] = reconcile.waiting(time.monotonic(), cause)
            case actions.Remove(unit=name, cause=cause):
                self.drain(name, cause)
                del self.statuses[name]
            case actions.Wake(cause=cause):
                self.wake(cause)
            case actions.Sleep(cause=cause):
                self.sleep(cause)
            case actions.End(cause=cause, is_patient=is_patient):
                self.stop(cause, is_patient=is_patient)

    def start(self, name: str, cause: str) -> None:
        """Start the unit, now or as soon as there is a forkserver to fork it from."""
        now = time.monotonic()
        waiting = self.statuses.get(name) or reconcile.waiting(now, cause)
        self.statuses[name] = reconcile.starting(waiting, now)
        self.started_at = now
        if self.method is StartMethod.SPAWN:
            self.spawn(name)
        else:
            self.forkserver.request(name)

    def start_forkserver(self) -> ForkserverProcess:
        """A forkserver for what the plan names. Raises OSError."""
        return start_forkserver(
            [unit.application for unit in self.plan.units],
            [*dict.fromkeys(name for unit in self.plan.units for name in unit.prepare)],
            self.plan.before_fork,
            self.plan.preload_environment,
            self.context,
        )

    def spawn(self, name: str) -> None:
        """Start the unit as a fresh process."""
        try:
            listener = self.listeners[name].fileno()
            self.processes.add(name, spawn_process(self.unit(name), listener, self.context))
            self.has_begun(name)
        except (OSError, ValueError) as error:  # a full disk, no more processes: it may pass
            self.not_started(name, error)

    def fork(self, name: str, forkserver: ForkserverProcess) -> None:
        """Start the unit as a fork."""
        try:
            listener = self.listeners[name].fileno()
            process = fork_process(forkserver, self.unit(name), listener, self.context)
            self.processes.add(name, process)
            self.has_begun(name)
        except (OSError, ValueError) as error:
            self.not_started(name, error)

    def has_begun(self, name: str) -> None:
        """The unit's time to answer begins now, however long it waited for a forkserver."""
        self.statuses[name] = reconcile.starting(self.statuses[name], time.monotonic())

    def spawn_all(self, names: list[str]) -> None:
        """From now on start fresh processes, beginning with the waiting units."""
        self.method = StartMethod.SPAWN
        for name in names:
            self.spawn(name)

    def kill(self, name: str, cause: str) -> None:
        """Kill the unit's process; its exit is handled later."""
        self.statuses[name] = self.statuses[name]._replace(at=reconcile.NEVER, cause=cause)
        if not self.processes.kill(name):
            self.forkserver.forget(name)
            self.forkserver.kill_late()
            self.not_started(name, "the forkserver did not answer")

    def drain(self, name: str, cause: str, *, is_patient: bool = True) -> bool:
        """Drain the unit's process; return whether it has one."""
        self.forkserver.forget(name)
        self.unavailable.end(name)
        return self.processes.drain(name, cause, is_patient=is_patient)

    def report_unavailable(self, name: str, *, is_final: bool) -> None:
        """Answer on the unit's socket in its place."""
        if not is_final:
            self.unavailable.delay(name, f"openclaude: the `{name}` proxy is still starting")
            return
        why = self.statuses[name].fatal_error or f"the `{name}` proxy could not be started"
        profile = self.plan.profile
        self.unavailable.fail(
            name,
            f"openclaude: {why}; see `openclaude logs --profile {profile}`, then `openclaude "
            f"restart --profile {profile}`",
        )

    def wake(self, cause: str, delay_s: float = 0.0) -> None:
        """Wake the sleeping units after a delay."""
        now = time.monotonic()
        for name, status in self.statuses.items():
            if status.state is UnitState.ASLEEP:
                waiting = reconcile.waiting(now, cause)
                self.statuses[name] = waiting._replace(at=now + delay_s, restarts=status.restarts)

    def sleep(self, cause: str) -> None:
        """Stop every process; failed units stay failed."""
        now = time.monotonic()
        for name, status in self.statuses.items():
            if status.state is not UnitState.FAILED:
                self.drain(name, cause)
                self.statuses[name] = reconcile.asleep(now, cause, restarts=status.restarts)
        self.forkserver.end()

    def stop(self, cause: str, *, is_patient: bool) -> None:
        """Tell every process to stop; with `is_patient` its requests take as long as they need."""
        self.is_ending = self.forkserver.is_ending = True
        now = time.monotonic()
        for name, status in self.statuses.items():
            self.drain(name, cause, is_patient=is_patient)
            how = reconcile.draining if self.processes.is_draining(name) else reconcile.stopped
            self.statuses[name] = how(status, now, cause)
        if not is_patient:
            self.processes.hurry()
        self.forkserver.end()

    def forgive(self, pause_s: float) -> None:
        """Count no time against a unit in which this process itself stood still."""
        for name, status in self.statuses.items():
            self.statuses[name] = reconcile.forgive(status, pause_s)
        self.processes.forgive(pause_s)

    # -- what is asked for ---------------------------------------------------------------------

    def replace_all(self, inherited: Mapping[str, str], cause: str) -> None:
        """Replace every unit, with the user's current environment."""
        self.take_over(inherited)
        self.method = self.asked_method
        self.forkserver.try_again()
        self.succession.try_again()
        for name in list(self.statuses):
            self.perform(actions.Replace(unit=name, cause=cause))

    def revoke_keys(self, main_key: str, providers_key: str, cause: str) -> None:
        """Give every unit new local keys, and end at once what works with the old ones."""
        self.context = self.context._replace(
            main_key=main_key, providers_key=providers_key, former=()
        )
        for name, status in list(self.statuses.items()):
            if status.state is not UnitState.ASLEEP:
                self.perform(actions.Replace(unit=name, cause=cause))
        for drain in self.processes.drains:
            self.perform(actions.KillDraining(unit=drain.unit, pid=drain.pid, cause=cause))

    def renew(self, inherited: Mapping[str, str], cause: str) -> None:
        """Replace the units for which a launch has other values, and those that have failed.

        The values are nobody's to read in a log. A launch of an older version tells none.
        """
        inherited = inherited or self.context.inherited
        changed = self.compare(inherited)
        self.take_over(inherited)
        for name, status in list(self.statuses.items()):
            if status.state is UnitState.FAILED:
                self.perform(actions.Replace(unit=name, cause=cause))
            elif changed.get(name) and status.state is not UnitState.ASLEEP:
                why = f"a launch has other values of {', '.join(changed[name])}"
                self.perform(actions.Replace(unit=name, cause=why))

    def compare(self, inherited: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        """Which variables a launch has other values of, by unit; `renewed` tells all of them."""
        before, stacks = self.context.inherited, self.context.folder.parent
        changed = {
            unit.name: changed_variables(unit, before, inherited, stacks)
            for unit in self.plan.units
        }
        self.renewed = tuple(sorted({name for names in changed.values() for name in names}))
        return changed

    def take_over(self, inherited: Mapping[str, str]) -> None:
        """From now on start units with the variables of another launch."""
        before, stacks = self.context.inherited, self.context.folder.parent
        taken = taken_over(self.plan.units, before, inherited, stacks)
        self.context = self.context._replace(inherited=taken)

    def apply_plan(self, plan: Plan, inherited: Mapping[str, str]) -> None:
        """Apply another plan; replace the units that differ in it."""
        before, self.plan = self.plan, plan
        self.take_over(inherited)
        for action in plan_changes(before, plan):
            self.perform(action)

    # -- what happened -------------------------------------------------------------------------

    def on_heartbeat(self, name: str) -> None:
        """The unit has reported that it is ready."""
        now = time.monotonic()
        before = self.statuses[name]
        self.statuses[name] = reconcile.on_heartbeat(before, now)
        with contextlib.suppress(OSError):  # it was removed, or the disk is full
            bound_log(log_path(self.context.folder, name))
        if before.state is UnitState.STARTING:
            self.started_at = now
            self.unavailable.end(name)
            self.log(f"{name} is ready after {now - before.since:.1f} s")

    def on_exit(self, name: str, process: UnitProcess, code: int | None) -> None:
        """A process has exited: the one that served the unit `name`, or a draining one."""
        if name:
            if code is None:
                code = self.forkserver.exit_code(process)
            fatal = process.fatal_error
            self.ended(
                name,
                fatal or exit_error(name, code, log_path(self.context.folder, name)),
                is_fatal=bool(fatal),
            )
        now = time.monotonic()
        for unit, status in self.statuses.items():
            if status.state is UnitState.DRAINING and not self.processes.is_draining(unit):
                self.statuses[unit] = reconcile.stopped(status, now, status.cause)
        self.forkserver.fork_the_waiting()

    def not_started(self, name: str, error: object) -> None:
        """The unit's process could not be started."""
        self.ended(name, f"`{name}` could not be started: {error}")

    def ended(self, name: str, error: str, *, is_fatal: bool = False) -> None:
        """Handle a unit whose process exited or could not be started."""
        if not self.is_ending:
            self.log(LoggedFault(error))
        self.statuses[name] = reconcile.on_exit(
            self.statuses[name], time.monotonic(), error, is_fatal=is_fatal
        )
