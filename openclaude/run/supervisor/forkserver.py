"""The forkserver of a stack: started when needed, restarted, given up after repeated failures.

Knows: its state, the units that wait for it. Independent of: its protocol, units beyond their
names.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable, Sequence

from openclaude.contracts.report import ForkserverReport, ForkserverState
from openclaude.run.stack.logs import log_path
from openclaude.run.supervisor.forkserver_process import ForkserverProcess
from openclaude.run.supervisor.log import Log
from openclaude.run.supervisor.reconcile import STEADY_S
from openclaude.run.supervisor.unit_process import UnitProcess
from openclaude.run.supervisor.unit_start import StackContext, empty_folder, exit_error

NAME = "preloader"  # in the name of its log
FAILURES = 3  # in a row before it was ready; then instances are fresh processes
DEATHS = 10  # in a row soon after it was ready: each costs an import, which is seconds of CPU
GIVEN_UP = "spawn fresh processes from now on, without a forkserver"  # in the supervisor's log


class Forkserver:
    """One stack's forkserver, or its absence."""

    def __init__(
        self,
        start: Callable[[], ForkserverProcess],
        context: StackContext,
        selector: selectors.BaseSelector,
        log: Log,
        *,
        fork: Callable[[str, ForkserverProcess], None],
        give_up: Callable[[list[str]], None],
    ) -> None:
        self.start = start
        self.folder = context.folder
        self.selector = selector
        self.log = log
        self.fork = fork
        self.give_up = give_up
        self.process: ForkserverProcess | None = None
        self.failures = 0
        self.given_up = ""  # why there is none any more
        self.queue: list[str] = []  # units that wait for it
        self.is_ending = False

    def request(self, name: str) -> None:
        """Fork the unit, now or as soon as there is a forkserver that is ready."""
        if self.process and self.process.is_ready:
            self.fork(name, self.process)
        else:
            self.queue.append(name)
            self.need()

    def forget(self, name: str) -> bool:
        """Stop waiting for the unit; return whether it was waiting."""
        was_waiting = name in self.queue
        if was_waiting:
            self.queue.remove(name)
        return was_waiting

    def need(self) -> None:
        """Start it, unless it runs or is starting."""
        if self.process is not None:
            return
        try:
            process = self.start()
        except OSError as error:  # a full disk, no more processes
            self.stop_using(f"the forkserver could not be started: {error}")
            return
        self.process = process
        self.selector.register(
            process.channel, selectors.EVENT_READ, lambda: self.on_message(process)
        )

    def stop_using(self, why: str) -> None:
        """From now on instances are fresh processes, those that wait for a fork first."""
        self.given_up = why
        queue, self.queue = self.queue, []
        self.log(why)
        self.log(GIVEN_UP)
        self.give_up(queue)

    def try_again(self) -> None:
        """Try again: what stopped it may have been fixed."""
        self.failures = 0
        self.given_up = ""

    def on_message(self, process: ForkserverProcess) -> None:
        """Handle a message of it, or its exit."""
        if process.read_message():
            self.fork_the_waiting()
        else:
            self.lose(process)

    def fork_the_waiting(self) -> None:
        """Start the waiting units, if it is ready."""
        if self.process and self.process.is_ready:
            queue, self.queue = self.queue, []
            for name in queue:
                self.fork(name, self.process)

    def lose(self, process: ForkserverProcess) -> None:
        """It exited: start a new one, or after too many failures, fresh processes."""
        self.selector.unregister(process.channel)
        process.end()
        code = process.popen.wait()
        self.process = None
        if self.is_ending:
            return
        if process.fault:
            self.log(f"kill forkserver: {process.fault}")
        why = exit_error("forkserver", code, log_path(self.folder, NAME))
        if time.monotonic() >= process.began + STEADY_S:
            self.failures = 0
        self.failures += 1
        if self.failures >= (DEATHS if process.is_ready else FAILURES):
            self.stop_using(why)
        else:
            self.log(why)
            self.need()  # before it is needed, to make a restart fast

    def kill_late(self) -> None:
        """Kill one that should have been ready by now, and hangs; its exit starts another."""
        if self.process and not self.process.is_ready:
            self.process.fault = "it was not ready in time"
            self.process.popen.kill()

    def exit_code(self, process: UnitProcess) -> int | None:
        """The exit code of a fork, or None if it was not forked by the current forkserver."""
        if self.process is None or process.parent is not self.process:
            return None
        return self.process.exit_code(process.pid)

    def end(self) -> None:
        """Stop it, until it is needed again."""
        if self.process:
            self.selector.unregister(self.process.channel)
            self.process.end()
            self.process.popen.kill()  # it may be importing, and holds nothing
            self.process.popen.wait()
            self.process = None

    def report(self) -> ForkserverReport | None:
        """Its status for the report."""
        if self.process is None:
            return None
        ready = self.process.is_ready
        state = ForkserverState.READY if ready else ForkserverState.STARTING
        return ForkserverReport(pid=self.process.pid, state=state)


def start_forkserver(
    applications: list[str],
    prepare: list[str],
    before_fork: Sequence[str],
    environment: dict[str, str],
    context: StackContext,
) -> ForkserverProcess:
    """A forkserver for what a plan names. Raises OSError."""
    return ForkserverProcess(
        applications,
        prepare,
        before_fork=before_fork,
        environment=environment,
        log=log_path(context.folder, NAME),
        folder=empty_folder(context.folder),
    )
