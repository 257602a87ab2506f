"""The processes of a stack's units: serving and draining.

Knows: which process belongs to which unit, its last message. Independent of: how one is made, when
one is started or ended (`reconcile`), what a unit's state is.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable

from openclaude.contracts.decode import Malformed
from openclaude.run.supervisor.log import Log
from openclaude.run.supervisor.reconcile import HANG_TIMEOUT_S, NEVER, STOP_TIMEOUT_S, Drain
from openclaude.run.supervisor.unit_process import UnitProcess


class UnitProcesses:
    """Every process of a stack but the supervisor and the forkserver.

    `on_load` is told when a unit that serves has said that it lives, `on_exit` when a process has
    ended and was reaped: with the unit's name where it served, with "" where it was draining.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        log: Log,
        *,
        on_load: Callable[[str], None],
        on_exit: Callable[[str, UnitProcess, int | None], None],
    ) -> None:
        self.selector = selector
        self.log = log
        self.on_load = on_load
        self.on_exit = on_exit
        self.serving: dict[str, UnitProcess] = {}  # by unit
        self.draining: dict[UnitProcess, Drain] = {}
        self.active_at = time.monotonic()  # when a request last began or ended

    @property
    def in_flight(self) -> int:
        """Requests in flight, in serving and draining processes."""
        return sum(process.in_flight for process in (*self.serving.values(), *self.draining))

    @property
    def is_gone(self) -> bool:
        """Whether no process is left."""
        return not self.serving and not self.draining

    @property
    def drains(self) -> tuple[Drain, ...]:
        """The draining processes, the oldest first."""
        return tuple(self.draining.values())

    def add(self, name: str, process: UnitProcess) -> None:
        """From now on the process serves the unit."""
        self.serving[name] = process
        self.selector.register(process.report, selectors.EVENT_READ, lambda: self.hear(process))

    def hear(self, process: UnitProcess) -> None:
        """A process has reported its load, or closed its end of the pipe."""
        before = (process.in_flight, process.served)
        name = self.name_of(process)
        try:
            is_alive = process.read_report()
        except Malformed as error:
            self.log(
                f"pid {process.pid} ({name or 'draining'}) sent a message that cannot be read: "
                f"{error}"
            )
            return
        if (process.in_flight, process.served) != before:
            self.active_at = time.monotonic()
        if not is_alive:
            self.reap(process, name)
        elif process in self.draining:
            self.bear_with(process)
        elif name and not process.fatal_error:
            self.on_load(name)

    def name_of(self, process: UnitProcess) -> str:
        """The unit that the process serves, or "" where it is draining."""
        return next((name for name, owned in self.serving.items() if owned is process), "")

    def reap(self, process: UnitProcess, name: str) -> None:
        """Forget a process that has exited, and kill what it may have started."""
        self.selector.unregister(process.report)
        process.kill_group()
        code = process.reap()
        self.draining.pop(process, None)
        self.serving.pop(name, None)
        self.on_exit(name, process, code)

    def bear_with(self, process: UnitProcess) -> None:
        """A draining process has said that it lives: let its streams go on, if they may."""
        drain = self.draining[process]
        if drain.is_patient:
            kill_at = time.monotonic() + HANG_TIMEOUT_S
            self.draining[process] = drain._replace(kill_at=kill_at)

    def drain(self, name: str, cause: str, *, is_patient: bool) -> bool:
        """Drain the unit's process; return whether it has one.

        With `is_patient` its requests take as long as they need, otherwise they get their grace.
        """
        process = self.serving.pop(name, None)
        if process is None:
            return False
        now = time.monotonic()
        if is_patient:
            process.tell_to_drain()
        else:
            process.tell_to_end()
        self.draining[process] = Drain(
            pid=process.pid,
            unit=name,
            since=now,
            kill_at=now + (HANG_TIMEOUT_S if is_patient else STOP_TIMEOUT_S),
            cause=cause,
            is_patient=is_patient,
        )
        return True

    def hurry(self) -> None:
        """Give those that were to take as long as they need their grace, from now on."""
        kill_at = time.monotonic() + STOP_TIMEOUT_S
        for process, drain in self.draining.items():
            if drain.is_patient:
                process.tell_to_end()
                self.draining[process] = drain._replace(kill_at=kill_at, is_patient=False)

    def forgive(self, pause_s: float) -> None:
        """Let every process that was told to end have that much longer."""
        for process, drain in self.draining.items():
            self.draining[process] = drain._replace(kill_at=drain.kill_at + pause_s)

    @property
    def is_patient(self) -> bool:
        """Whether a process may take as long as it needs."""
        return any(drain.is_patient for drain in self.drains)

    def is_draining(self, name: str) -> bool:
        """Whether a process of the unit is still draining."""
        return any(drain.unit == name for drain in self.draining.values())

    def kill(self, name: str) -> bool:
        """Kill the unit's process; return whether it has one. Its exit is handled later."""
        process = self.serving.get(name)
        if process:
            process.kill()
        return process is not None

    def kill_all(self) -> None:
        """Kill every process that is left."""
        for process in (*self.serving.values(), *self.draining):
            process.kill()

    def kill_draining(self, pid: int) -> None:
        """Kill a process after its deadline."""
        for process, drain in self.draining.items():
            if drain.pid == pid:
                process.kill()
                # not again
                self.draining[process] = drain._replace(kill_at=NEVER, is_patient=False)
