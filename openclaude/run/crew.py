"""The crew: the processes of a stack's units, and the preloader they are forked from.

Knows: which process is which unit's, and how each was made. Refuses to know: when to start or end
one (`decide`), who asks (`desk`), sessions.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from openclaude.compile.plan import Plan, Unit
from openclaude.run import decide, units
from openclaude.run.decide import State, Status
from openclaude.run.note import note
from openclaude.run.preloader import Preloader
from openclaude.run.refuse import Refusal, failed_reply, slow_reply
from openclaude.run.units import Process, Surroundings

FORK = "fork"
SPAWN = "spawn"
PRELOADER_FAILURES = 3  # then instances are fresh processes
RETRY_AFTER_S = 5


class Crew:
    """Every process of a stack but the supervisor itself."""

    def __init__(
        self,
        plan: Plan,
        around: Surroundings,
        listeners: dict[str, socket.socket],
        selector: selectors.BaseSelector,
        *,
        method: str,
    ) -> None:
        self.plan = plan
        self.around = around
        self.listeners = listeners
        self.selector = selector
        self.method = method
        now = time.monotonic()
        self.statuses: dict[str, Status] = {
            unit.name: decide.asleep(decide.waiting(now), now) for unit in plan.units
        }
        self.processes: dict[str, Process] = {}
        self.leaving: dict[Process, float] = {}  # told to end -> killed at
        self.refusals: dict[str, Refusal] = {}
        self.preloader: Preloader | None = None
        self.preloader_failures = 0
        self.queue: list[str] = []  # units that wait for the preloader
        self.active_at = now  # when a request last began or ended, or the units were started
        self.is_ending = False

    # -- what there is -------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """Requests that run, in units and in those that are leaving."""
        return sum(process.in_flight for process in (*self.processes.values(), *self.leaving))

    @property
    def is_gone(self) -> bool:
        """Whether no process is left."""
        return not self.processes and not self.leaving

    def log(self, name: str) -> Path:
        """The log of a unit."""
        return self.around.folder / f"{name}.log"

    def unit(self, name: str) -> Unit:
        """The plan's unit of that name."""
        return next(unit for unit in self.plan.units if unit.name == name)

    # -- starting ------------------------------------------------------------------------------

    def start(self, name: str) -> None:
        """Start the unit, now or as soon as there is a preloader to fork it from."""
        self.statuses[name] = decide.starting(self.statuses[name], time.monotonic())
        self.active_at = time.monotonic()
        if self.method == SPAWN:
            self.make(name, lambda unit, fd: units.spawn_process(unit, fd, self.around))
        elif self.preloader and self.preloader.is_ready:
            self.fork(name, self.preloader)
        else:
            self.queue.append(name)
            self.need_preloader()

    def fork(self, name: str, preloader: Preloader) -> None:
        """Start the unit as a fork."""
        self.make(name, lambda unit, fd: units.fork_process(preloader, unit, fd, self.around))

    def make(self, name: str, how: Callable[[Unit, int], Process]) -> None:
        """Make the unit's process and listen to it."""
        try:
            process = how(self.unit(name), self.listeners[name].fileno())
        except OSError as error:  # a full disk, no more processes: it may pass
            self.ended(name, f"`{name}` could not be started: {error}")
            return
        self.processes[name] = process
        self.selector.register(process.report, selectors.EVENT_READ, lambda: self.hear(process))

    def need_preloader(self) -> None:
        """Start the preloader, unless it is there or on its way."""
        if self.preloader is not None or self.method == SPAWN:
            return
        try:
            preloader = self.make_preloader()
        except OSError as error:  # a full disk, no more processes
            note(f"the preloader could not be started: {error}")
            self.spawn_the_waiting()
            return
        self.preloader = preloader
        self.selector.register(
            preloader.channel, selectors.EVENT_READ, lambda: self.hear_preloader(preloader)
        )

    def make_preloader(self) -> Preloader:
        """A preloader for what the plan names. Raises OSError."""
        prepare = dict.fromkeys(name for unit in self.plan.units for name in unit.prepare)
        return Preloader(
            [unit.application for unit in self.plan.units],
            [*prepare],
            environment=self.plan.preload_environment,
            log=self.around.folder / "preloader.log",
            folder=units.working_folder(self.around),
        )

    def spawn_the_waiting(self) -> None:
        """From now on instances are fresh processes, those that wait for a preloader first."""
        self.method = SPAWN
        queue, self.queue = self.queue, []
        for name in queue:
            self.start(name)

    def hear_preloader(self, preloader: Preloader) -> None:
        """The preloader said something, or ended."""
        if not preloader.hear():
            self.lose_preloader(preloader)
        else:
            self.fork_the_waiting()

    def fork_the_waiting(self) -> None:
        """Start what waits for the preloader, if it is ready by now, whoever heard it say so."""
        if self.preloader and self.preloader.is_ready:
            self.preloader_failures = 0
            queue, self.queue = self.queue, []
            for name in queue:
                self.fork(name, self.preloader)

    def lose_preloader(self, preloader: Preloader) -> None:
        """The preloader ended: a new one, or after too many, fresh processes."""
        self.selector.unregister(preloader.channel)
        preloader.end()
        code = preloader.popen.wait()
        self.preloader = None
        if self.is_ending:
            return
        note(units.ending("preloader", code, self.around.folder / "preloader.log"))
        self.preloader_failures += 1
        if self.preloader_failures >= PRELOADER_FAILURES:
            self.spawn_the_waiting()
        else:
            self.need_preloader()  # before it is needed: a restart shall be quick

    # -- hearing -------------------------------------------------------------------------------

    def hear(self, process: Process) -> None:
        """A unit said how many requests it has, or its end of the pipe closed."""
        before = (process.in_flight, process.served)
        is_alive = process.read_report()
        now = time.monotonic()
        if (process.in_flight, process.served) != before:
            self.active_at = now
        name = next((name for name, owned in self.processes.items() if owned is process), None)
        if not is_alive:
            self.bury(process, name)
        elif name and not process.complaint:
            if self.statuses[name].state is State.STARTING:
                self.active_at = now
                self.end_refusal(name)
            self.statuses[name] = decide.heard(self.statuses[name], now)

    def bury(self, process: Process, name: str | None) -> None:
        """Forget a process that has ended, and end what it may have started."""
        self.selector.unregister(process.report)
        process.kill_group()
        code = process.forget()
        if code is None and name and process.parent is self.preloader and self.preloader:
            code = self.preloader.code(process.pid)
        self.leaving.pop(process, None)
        if name:
            del self.processes[name]
            if process.complaint:
                self.ended(name, process.complaint, is_hopeless=True)
            else:
                self.ended(name, units.ending(name, code, self.log(name)))
        self.fork_the_waiting()

    def ended(self, name: str, error: str, *, is_hopeless: bool = False) -> None:
        """Decide what becomes of a unit whose process ended, or never began."""
        if not self.is_ending:
            note(error)
        now = time.monotonic()
        before = self.statuses[name]
        self.statuses[name] = decide.exited(before, now, error, is_hopeless=is_hopeless)
        if self.statuses[name].state is State.FAILED:
            why = error if is_hopeless else f"the `{name}` proxy could not be started"
            self.refuse(name, failed_reply(self.failure(why)))

    def failure(self, why: str) -> str:
        """What a client is told of a unit that has failed."""
        profile = self.plan.profile
        return (
            f"openclaude: {why}; see `openclaude logs --profile {profile}`, then `openclaude "
            f"restart --profile {profile}`"
        )

    def excuse(self, name: str) -> None:
        """Answer for a unit that is late, so that clients come again."""
        said = f"openclaude: the `{name}` proxy is still starting"
        self.refuse(name, slow_reply(said, retry_after_s=RETRY_AFTER_S))

    def refuse(self, name: str, reply: bytes) -> None:
        """Answer on the unit's socket ourselves."""
        self.end_refusal(name)
        self.refusals[name] = Refusal(self.listeners[name], reply)

    def end_refusal(self, name: str) -> None:
        """Leave the socket to the unit again."""
        refusal = self.refusals.pop(name, None)
        if refusal:
            refusal.end()

    # -- ending --------------------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """The unit's time is up."""
        process = self.processes.get(name)
        # not again: what follows is its end, which we hear
        self.statuses[name] = self.statuses[name]._replace(at=decide.NEVER)
        if process:
            process.kill()
        else:  # it waits for a preloader that does not come
            if name in self.queue:
                self.queue.remove(name)
            self.ended(name, f"`{name}` could not be started: the preloader did not answer")

    def kill_the_late(self) -> None:
        """Kill those that were told to end and have used up their time."""
        now = time.monotonic()
        for process, deadline in self.leaving.items():
            if now >= deadline:
                process.kill()
                self.leaving[process] = decide.NEVER

    def leave(self, name: str) -> None:
        """Let the unit's process finish what it is doing, while another takes its place."""
        process = self.processes.pop(name, None)
        if process:
            process.tell_to_end()
            self.leaving[process] = time.monotonic() + decide.STOP_TIMEOUT_S
        if name in self.queue:
            self.queue.remove(name)
        self.end_refusal(name)

    def renew(self, name: str) -> None:
        """Replace the unit's process; requests in flight finish on the old one."""
        self.leave(name)
        self.statuses[name] = decide.waiting(time.monotonic())

    def renew_all(self, inherited: Mapping[str, str]) -> None:
        """Replace every unit, with what the user's environment says now."""
        self.around = self.around._replace(inherited=dict(inherited))
        for name in list(self.statuses):
            self.renew(name)

    def renew_failed(self, inherited: Mapping[str, str]) -> None:
        """Try the units again that had failed, with what the user's environment says now."""
        failed = [name for name, one in self.statuses.items() if one.state is State.FAILED]
        if failed:
            self.around = self.around._replace(inherited=dict(inherited))
        for name in failed:
            self.renew(name)

    def take(self, plan: Plan, around: Surroundings) -> None:
        """Take another plan; replace the units that differ in it."""
        before, self.plan, self.around = self.plan, plan, around
        wanted = {unit.name for unit in plan.units}
        for name in self.statuses.keys() - wanted:
            self.leave(name)
            del self.statuses[name]
        for name in wanted:
            if name not in self.statuses or differs(name, before, plan):
                self.renew(name)

    def sleep(self) -> None:
        """End every process; failed units stay as they are."""
        for name, status in self.statuses.items():
            if status.state is not State.FAILED:
                self.leave(name)
                self.statuses[name] = decide.asleep(status, time.monotonic())
        self.end_preloader()

    def begin(self, delay_s: float = 0.0) -> None:
        """Start what sleeps, after a while."""
        now = time.monotonic()
        for name, status in self.statuses.items():
            if status.state is State.ASLEEP:
                woken = decide.waiting(now)
                self.statuses[name] = woken._replace(at=now + delay_s, restarts=status.restarts)

    def end(self) -> None:
        """Tell every process to end."""
        self.is_ending = True
        for name in list(self.statuses):
            self.leave(name)
            self.statuses[name] = decide.stopped(time.monotonic())
        self.end_preloader()

    def end_preloader(self) -> None:
        """Let the preloader go."""
        if self.preloader:
            self.selector.unregister(self.preloader.channel)
            self.preloader.end()
            self.preloader.popen.kill()  # it may be importing, and holds nothing
            self.preloader.popen.wait()
            self.preloader = None


def differs(name: str, before: Plan, after: Plan) -> bool:
    """Whether a unit reads or is anything else in the other plan."""
    one = [(unit, before.files.get(f"{name}.yaml")) for unit in before.units if unit.name == name]
    two = [(unit, after.files.get(f"{name}.yaml")) for unit in after.units if unit.name == name]
    return one != two
