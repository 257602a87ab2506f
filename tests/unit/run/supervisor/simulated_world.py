"""Time, processes and sessions that are made up: the world of a supervisor under test.

Knows: how a unit, a forkserver and a session behave, and what must not be done to them. Independent
of: which faults there are and when, how a supervisor is run.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaude.contracts.control import Session
from openclaude.contracts.worker import (
    ForkEnded,
    fatal_line,
    load_line,
)
from openclaude.run.supervisor import reconcile
from openclaude.run.supervisor.reconcile import START_FAILURES, STEADY_S, STOP_TIMEOUT_S
from openclaude.run.supervisor.unit_process import make_pipes

if TYPE_CHECKING:
    from tests.unit.run.supervisor.simulated_machine import SimulatedForkserver

BEAT_S = 5.0  # a unit says that often that it lives
TICK_S = 0.001  # epoll waits for whole milliseconds
MOST_ROUNDS = 60  # at one moment: more is a loop that never rests
IDLE_SLEEP_S = 90.0
LINGER_S = 60.0
NO_PID = 1 << 23  # above the kernel's highest
UNITS = ("main", "providers")
SHORT_GRACE_S = STOP_TIMEOUT_S - 1  # what a unit that is told to end may take for its streams


@dataclass
class Behaviour:
    """What the next process of a unit will do."""

    starts: bool = True  # otherwise the system refuses
    ready_s: float = 2.0  # until it answers; inf: never
    fatal: str = ""  # why it cannot start
    dies_s: float = float("inf")  # after it was ready
    hangs_s: float = float("inf")  # after it was ready
    drain_s: float = 0.1  # what it takes to end


@dataclass(eq=False)
class Simulated:
    """A process of a unit."""

    name: str
    pid: int
    behaviour: Behaviour
    report: int
    lifeline: int
    born: float
    is_fork: bool
    parent: SimulatedForkserver | None = None
    ready_at: float | None = None
    is_hung: bool = False
    told_at: float | None = None  # to end
    code: int | None = None
    in_flight: int = 0
    served: int = 0
    spoke_at: float = 0.0

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.code is None

    @property
    def accepts(self) -> bool:
        """Whether it serves the unit's socket, or is about to."""
        return self.is_alive and self.told_at is None

    @property
    def answers(self) -> bool:
        """Whether it serves now."""
        return self.accepts and self.ready_at is not None and not self.is_hung


@dataclass
class History:
    """How often a unit was started since a user asked, or since it had been well."""

    starts: int = 0


class World:
    """The clock, what happens at which time, and every process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 1000.0
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.order = itertools.count()
        self.pids = itertools.count(NO_PID)
        self.processes: list[Simulated] = []
        self.forkservers: list[SimulatedForkserver] = []
        self.next: dict[str, Behaviour] = {name: Behaviour() for name in UNITS}
        self.forkserver_starts = True
        self.forkserver_ready_s = 1.0
        self.forkserver_forks = True
        self.forkserver_dies = False  # soon after it was ready, each time
        self.living: dict[int, int] = {}  # sessions: pid -> the end of a pipe that closes with it
        self.waiting: dict[str, int] = dict.fromkeys(UNITS, 0)  # connections in the backlog
        self.doors: dict[str, socket.socket] = {}  # the far ends of the listening sockets
        self.near: dict[str, socket.socket] = {}
        self.session_ends: dict[int, int] = {}
        self.wrongs: list[str] = []
        self.holdings: list[Any] = []  # what was left to a process that holds the ports
        self.histories = {name: History() for name in UNITS}
        self.forkserver_starts_in_a_row = 0
        self.was_asked = True  # for something that may wake a stack, since it went to sleep
        self.may_kill = False  # keys are being revoked
        self.may_end = False  # a user has just asked for something else than to go on
        self.pause_in: int | None = None  # readings of the clock until the supervisor is paused
        self.pause_s = 0.0
        self.requests = 0

    # Time -----------------------------------------------------------------------------------

    def monotonic(self) -> float:
        """The clock as the supervisor reads it; a pause may come before any reading."""
        if self.pause_in is not None:
            self.pause_in -= 1
            if self.pause_in < 0:
                self.pause_in = None
                self.advance(self.now + self.pause_s)
                self.forget_starts(self.pause_s)
        return self.now

    def at(self, when: float, event: Callable[[], None]) -> None:
        """Let something happen at a time."""
        heapq.heappush(self.events, (when, next(self.order), event))

    def advance(self, until: float) -> None:
        """Let time pass for all but the supervisor."""
        while self.events and self.events[0][0] <= until:
            when, _, event = heapq.heappop(self.events)
            self.now = max(self.now, when)
            event()
        self.now = max(self.now, until)

    def freeze(self, seconds: float) -> None:
        """Everything stands still, and the clock goes on: a starved machine."""
        self.now += seconds
        self.events = [(when + seconds, order, event) for when, order, event in self.events]
        heapq.heapify(self.events)

    def forget_starts(self, pause_s: float) -> None:
        """A supervisor that was away for long takes a unit that died meanwhile for a steady one."""
        if pause_s >= STEADY_S:
            self.histories = {name: History() for name in UNITS}

    def wrong(self, what: str) -> None:
        """Note what must never happen."""
        self.wrongs.append(f"{self.now - 1000:.3f} s: {what}")

    # Units ----------------------------------------------------------------------------------

    def begin(
        self, name: str, *, parent: SimulatedForkserver | None = None
    ) -> tuple[int, Any, Simulated]:
        """Start a process of a unit. Raises OSError where it is refused."""
        self.count_start(name)
        behaviour = self.next[name]
        if not behaviour.starts:
            raise OSError("no more processes")
        for other in self.processes:
            if other.name == name and other.accepts:
                self.wrong(f"{name} is started, and {other.pid} serves it")
        pipes = make_pipes()
        pid = next(self.pids)
        process = Simulated(
            name,
            pid,
            behaviour,
            pipes.report_write,
            pipes.lifeline_read,
            self.now,
            parent is not None,
            parent,
        )
        self.processes.append(process)
        if behaviour.fatal:
            self.at(self.now + 0.5, lambda: self.refuse(process))
        elif behaviour.ready_s != float("inf"):
            self.at(self.now + behaviour.ready_s, lambda: self.ready(process))
        return pid, pipes, process

    def count_start(self, name: str) -> None:
        """Restarts are bounded: neither the user's patience nor the machine is endless."""
        history = self.histories[name]
        history.starts += 1
        if history.starts > START_FAILURES + 1:
            self.wrong(f"{name} is started for the {history.starts}th time, and nobody asked")

    def refuse(self, process: Simulated) -> None:
        """It cannot start, and says why."""
        if process.is_alive:
            with contextlib.suppress(OSError):
                os.write(process.report, fatal_line(process.behaviour.fatal))
            self.end(process, 3)

    def ready(self, process: Simulated) -> None:
        """It answers from now on."""
        if not process.is_alive or process.told_at is not None:
            return
        process.ready_at = self.now
        behaviour = process.behaviour
        if behaviour.dies_s != float("inf"):
            self.at(self.now + behaviour.dies_s, lambda: self.end(process, -11))
        if behaviour.hangs_s != float("inf"):
            self.at(self.now + behaviour.hangs_s, lambda: self.hang(process))
        self.beat(process)

    def hang(self, process: Simulated) -> None:
        """It says nothing any more."""
        process.is_hung = True

    def beat(self, process: Simulated) -> None:
        """It says that it lives, and takes what waits for it."""
        if not process.is_alive or process.is_hung:
            return
        if process.accepts:
            self.take(process)
        self.say(process)
        self.at(self.now + BEAT_S, lambda: self.beat(process))

    def say(self, process: Simulated) -> None:
        """Report its load."""
        process.spoke_at = self.now
        with contextlib.suppress(BrokenPipeError):  # its supervisor has ended
            os.write(process.report, load_line(process.in_flight, process.served))

    def end(self, process: Simulated, code: int) -> None:
        """It exits."""
        if not process.is_alive:
            return
        process.code = code
        if process.ready_at is not None and self.now - process.ready_at >= STEADY_S:
            self.histories[process.name].starts = 0
        os.close(process.report)
        os.close(process.lifeline)
        if process.parent is not None:
            process.parent.say(ForkEnded(exited=process.pid, code=code))

    def told_to_end(self, process: Simulated) -> None:
        """SIGTERM: it accepts nothing more and ends when its requests have."""
        if process.is_alive and process.told_at is None:
            if process.in_flight and not (self.may_end or process.is_hung):
                self.wrong(f"{process.name} is told to end amid a request, and nobody asked")
            process.told_at = self.now
            if not process.is_hung:
                self.at(self.now + process.behaviour.drain_s, lambda: self.end(process, 0))

    def killed(self, process: Simulated) -> None:
        """SIGKILL: right only where it does not answer, or not in time."""
        if not process.is_alive:
            return
        self.at(self.now + 0.01, lambda: self.end(process, -9))
        if process.is_hung or self.may_kill or process.behaviour.drain_s > SHORT_GRACE_S:
            return
        if process.ready_at is None and process.behaviour.ready_s > reconcile.START_TIMEOUT_S - 1:
            return
        self.wrong(f"{process.name} (pid {process.pid}) is healthy, and is killed")

    # Requests -------------------------------------------------------------------------------

    def connect(self, name: str, takes_s: float) -> None:
        """A client connects to a unit's socket and asks something that takes so long."""
        self.was_asked = True
        self.waiting[name] += 1
        with contextlib.suppress(OSError):
            self.doors[name].send(b"c")
        self.requests += 1
        for process in self.processes:
            if process.name == name and process.answers:
                self.take(process, takes_s)
                self.say(process)

    def take(self, process: Simulated, takes_s: float = 1.0) -> None:
        """Accept what waits."""
        count, self.waiting[process.name] = self.waiting[process.name], 0
        if not count:
            return
        with contextlib.suppress(BlockingIOError):
            self.near[process.name].recv(1024)
        process.in_flight += count
        self.at(self.now + takes_s, lambda: self.finish(process, count))

    def finish(self, process: Simulated, count: int) -> None:
        """Requests have been answered."""
        if process.is_alive:
            process.in_flight -= count
            process.served += count
            if not process.is_hung:
                self.say(process)

    # Sessions -------------------------------------------------------------------------------

    def begin_session(self) -> Session:
        """A launch becomes claude."""
        read, write = os.pipe()
        pid = next(self.pids)
        self.living[pid] = write
        self.session_ends[pid] = read
        return Session(pid=pid, started="1")

    def end_session(self, pid: int) -> None:
        """claude exits."""
        os.close(self.living.pop(pid))

    def close(self) -> None:
        """Close what is left open."""
        for process in self.processes:
            self.end(process, 0)
        for forkserver in self.forkservers:
            forkserver.die()
        for pid in list(self.living):
            self.end_session(pid)
        for end in self.session_ends.values():
            os.close(end)
        for one in (*self.doors.values(), *self.near.values()):
            one.close()
