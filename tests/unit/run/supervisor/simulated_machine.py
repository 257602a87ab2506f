"""A machine in which everything is made up but the supervisor.

Knows: how the supervisor's loop is run without a process. Independent of: which faults there are,
and when. The clock stands still until the machine is told to go on. A process reports over a real
pipe, so that selector, folder and control socket are the supervisor's own. The answers in place of
a unit that is not available are left out.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from openclaude.contracts.control import GiveAway, Session, StartMethod
from openclaude.contracts.decode import to_line
from openclaude.contracts.handover import Handover
from openclaude.contracts.plan import LaunchPlan, Plan, Unit
from openclaude.contracts.report import UnitState
from openclaude.contracts.worker import (
    ForkserverReady,
)
from openclaude.run.stack.control_socket import bind_control
from openclaude.run.stack.folder import write_files
from openclaude.run.supervisor import controller, sessions, supervisor
from openclaude.run.supervisor.forkserver_process import ForkserverProcess
from openclaude.run.supervisor.unit_process import UnitProcess
from tests.unit.run.supervisor.simulated_world import (
    IDLE_SLEEP_S,
    LINGER_S,
    MOST_ROUNDS,
    TICK_S,
    UNITS,
    Simulated,
    World,
)

FORKSERVER_STARTS = 40  # sleeping and waking starts one each time


class SimulatedUnit(UnitProcess):
    """A process of a unit as the supervisor sees it."""

    def __init__(self, world: World, begun: tuple[int, Any, Simulated], **more: Any) -> None:
        pid, pipes, self.simulated = begun
        super().__init__(pid, pipes, **more)
        self.world = world

    def signal(self, number: signal.Signals) -> None:
        """Tell the simulated process."""
        if number == signal.SIGTERM:
            self.world.told_to_end(self.simulated)
        else:
            self.world.killed(self.simulated)

    def tell_to_drain(self) -> None:
        """Tell the simulated process, which takes as long for it as for an end."""
        self.world.told_to_end(self.simulated)

    def kill_group(self) -> None:
        """It has started nothing."""


@dataclass
class SimulatedPopen:
    """A process that the supervisor started itself."""

    pid: int
    code: Callable[[], int | None]
    stop: Callable[[], None] = field(default=lambda: None)

    def wait(self) -> int:
        """The exit code."""
        return self.code() or 0

    def kill(self) -> None:
        """SIGKILL."""
        self.stop()


class SimulatedForkserver(ForkserverProcess):
    """A forkserver: the channel is real, the process is not."""

    def __init__(self, world: World) -> None:
        world.forkserver_starts_in_a_row += 1
        if world.forkserver_starts_in_a_row > FORKSERVER_STARTS:
            world.wrong(f"the forkserver is started {FORKSERVER_STARTS + 1} times; nobody asked")
        if not world.forkserver_starts:
            raise OSError("no more processes")
        self.world = world
        self.channel, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.is_ready = False
        self.began = world.now
        self.codes: dict[int, int] = {}
        self.forked: list[int] = []
        self.fault = ""
        self.is_dead = False
        self.popen: Any = SimulatedPopen(next(world.pids), lambda: -9, self.die)
        world.forkservers.append(self)
        if world.forkserver_ready_s != float("inf"):
            ready_at = world.now + world.forkserver_ready_s
            world.at(ready_at, lambda: self.say(ForkserverReady()))
            if world.forkserver_dies:
                world.at(ready_at + 1.0, self.die)

    def say(self, message: Any) -> None:
        """Send a message to the supervisor."""
        if not self.is_dead:
            with contextlib.suppress(OSError):  # the supervisor has let it go
                self.theirs.send(to_line(message))

    def die(self) -> None:
        """It exits."""
        if not self.is_dead:
            self.is_dead = True
            self.theirs.close()

    def begin(self, name: str) -> tuple[int, Any, Simulated]:
        """A fork. Raises OSError."""
        if self.is_dead:
            raise OSError("the forkserver has ended")
        if not self.world.forkserver_forks:
            self.die()
            raise OSError("the forkserver does not answer")
        return self.world.begin(name, parent=self)

    def exit_code(self, pid: int) -> int | None:
        """What it has said, without waiting for more: here it says it at once."""
        while pid not in self.codes and self.has_more() and self.read_message():
            continue
        return self.codes.pop(pid, None)

    def has_more(self) -> bool:
        """Whether something can be read."""
        self.channel.setblocking(False)
        try:
            return bool(self.channel.recv(1, socket.MSG_PEEK))
        except OSError:
            return False


class Selector(selectors.DefaultSelector):
    """Waits for nothing: the machine goes on only between the rounds, or where it is paused."""

    world: World
    wake_at = 0.0  # when the wait that has begun will end
    pause_s = 0.0
    is_frozen = False

    def select(
        self,
        timeout: float | None = None,  # noqa: ARG002
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; where the supervisor is paused meanwhile, nothing, and time has passed."""
        if self.pause_s:
            until, self.pause_s = self.wake_at + self.pause_s, 0.0
            if self.is_frozen:
                self.world.freeze(until - self.world.now)
            else:
                self.world.advance(until)
            return []
        return super().select(0)


class Unavailable:
    """In place of the answers for units that are not available: only who is answered for."""

    due = float("inf")

    def __init__(self, *_: object) -> None:
        self.final: dict[str, bool] = {}

    def fail(self, name: str, _message: str) -> None:
        """It has failed."""
        self.final[name] = True

    def delay(self, name: str, _message: str) -> None:
        """It is late."""
        self.final[name] = False

    def end(self, name: str) -> None:
        """It answers itself."""
        self.final.pop(name, None)

    def end_late(self, _now: float) -> None:
        """Nobody is answered here."""


class Lines(list[str]):
    """The supervisor's log."""

    world: World

    def __call__(self, text: str) -> None:
        self.append(f"{self.world.now - 1000:.3f} {text}")

    def __str__(self) -> str:
        return "\n".join(self)

    def reopen(self) -> None:
        """There is no file."""


def made_up_plan(*, version: int = 0) -> Plan:
    """A plan with the two units; another version has another config of providers."""
    units = tuple(
        Unit(name=name, application="m:app", environment={}, inherit=()) for name in UNITS
    )
    return Plan(
        profile="simulated",
        port=4000,
        strict=False,
        anthropic_url="",
        aws_profile="",
        tiers=(),
        units=units,
        files={"main.yaml": "a: 1\n", "providers.yaml": f"b: {version}\n"},
        launch=LaunchPlan(environment={}, default_environment={}, remove=(), picker=(), agents={}),
        preload_environment={},
        idle_sleep_s=IDLE_SLEEP_S,
        linger_s=LINGER_S,
        digest=f"sha256:{version}",
    )


@contextlib.contextmanager
def simulation(world: World) -> Iterator[None]:
    """Let all of the supervisor's modules see the world's clock and processes."""
    clock = ModuleType("time")
    clock.__dict__.update(time.__dict__)
    clock.__dict__.update(monotonic=world.monotonic, time=lambda: world.now)

    def select() -> Selector:
        selector = Selector()
        selector.world = world
        return selector

    def log(_path: Path) -> Lines:
        lines = Lines()
        lines.world = world
        return lines

    def spawn(unit: Unit, _listener: int, _context: object) -> SimulatedUnit:
        begun = world.begin(unit.name)
        popen: Any = SimulatedPopen(begun[0], lambda: begun[2].code)
        return SimulatedUnit(world, begun, popen=popen)

    def fork(parent: Any, unit: Unit, _listener: int, _context: object) -> SimulatedUnit:
        return SimulatedUnit(world, parent.begin(unit.name), parent=parent)

    def watch(watcher: Any, session: Session) -> int:
        descriptor = os.dup(world.session_ends[session.pid])
        watcher.selector.register(descriptor, selectors.EVENT_READ, lambda: None)
        return descriptor

    with contextlib.ExitStack() as patches:
        for name, module in list(sys.modules.items()):
            if name.startswith("openclaude.run.") and getattr(module, "time", None) is time:
                patches.enter_context(patch.object(module, "time", clock))
        for owner, name, value in (
            (selectors, "DefaultSelector", select),
            (supervisor, "SupervisorLog", log),
            (controller, "spawn_process", spawn),
            (controller, "fork_process", fork),
            (controller, "start_forkserver", lambda *_: SimulatedForkserver(world)),
            (controller, "UnavailableAnswers", Unavailable),
            (sessions, "is_alive", lambda pid, _started: pid in world.living),
            (sessions.Sessions, "watch", watch),
            (sessions, "find_background_sessions", lambda *_: ()),
            (supervisor, "start_holder", lambda *given: world.holdings.append(given[-1])),
        ):
            patches.enter_context(patch.object(owner, name, value))
        yield


class Machine:
    """The world and its supervisors: the one that serves, and those that gave their sockets away.

    Use inside `simulation(world)`.
    """

    def __init__(self, world: World, method: StartMethod) -> None:
        self.world = world
        self.method = method
        self.plan_version = 0
        for name in UNITS:
            near, world.doors[name] = socket.socketpair()
            near.setblocking(False)
            world.doors[name].setblocking(False)
            world.near[name] = near
        write_files(world.folder, made_up_plan())
        self.old: list[supervisor.Supervisor] = []
        self.ended: list[supervisor.Supervisor] = []
        self.made: list[supervisor.Supervisor] = []
        self.wake: dict[supervisor.Supervisor, float] = {}  # when each has its next round
        self.waits: dict[supervisor.Supervisor, float] = {}  # how long it sleeps until then
        self.current = self.supervise((), 0.0)

    def supervise(self, joined: tuple[Session, ...], delay_s: float) -> supervisor.Supervisor:
        """Start a supervisor on the sockets."""
        main, providers = (os.dup(self.world.near[name].fileno()) for name in UNITS)
        made = supervisor.Supervisor(
            Handover(
                folder=str(self.world.folder),
                port=4000,
                main=main,
                providers=providers,
                control=bind_control(self.world.folder).detach(),
                main_key="k",
                providers_key="p",
                inherited={},
                method=self.method,
                sessions=tuple((one.pid, one.started) for one in joined),
                delay_s=delay_s,
            )
        )
        self.made.append(made)
        self.waits[made] = 0.0
        # a wait has begun when the round before ended, and is as long as was said then
        made.sleep_s = lambda: self.waits[made]  # type: ignore[method-assign]
        made.register_control()
        made.upkeep.write_record()
        return made

    def close(self) -> None:
        """Close what supervisors have open that did not end."""
        for one in self.made:
            for listener in one.listeners.values():
                listener.close()
            one.control_server.control.close()
            processes = one.units.processes
            for process in (*processes.serving.values(), *processes.draining):
                process.reap()
            if one.units.forkserver.process:
                one.units.forkserver.process.channel.close()
            for descriptor in one.sessions.watched.values():
                os.close(descriptor or -1)
            one.sessions.watched.clear()
            one.selector.close()

    @property
    def all(self) -> list[supervisor.Supervisor]:
        """Every supervisor that runs."""
        running = [*self.old]
        return running if self.current in self.ended else [*running, self.current]

    def hand_over(self, delay_s: float) -> None:
        """Another openclaude takes over the sockets, as a launch does."""
        joined = tuple(self.current.sessions)
        self.current.answer(GiveAway())
        self.current.give_away()
        self.old.append(self.current)
        write_files(self.world.folder, made_up_plan(version=self.plan_version))
        self.current = self.supervise(joined, delay_s)

    def run_for(self, seconds: float) -> None:
        """Let time pass, and every supervisor do what it does."""
        world = self.world
        until = world.now + seconds
        rounds, then = 0, -1.0
        for one in self.all:  # what was asked of it was heard in a round that now goes on
            self.round_of(one)
        while not world.wrongs:
            due = [one for one in self.all if one.selector.select(0) or world.now >= self.wake[one]]
            for one in due:
                self.round_of(one)
            rounds, then = (rounds + 1, then) if world.now == then else (0, world.now)
            if rounds > MOST_ROUNDS:
                world.wrong(f"{rounds} rounds at one moment: the loop never rests")
            if due:
                continue
            if world.now >= until:
                return
            wakes = [self.wake[one] for one in self.all]
            events = [world.events[0][0]] if world.events else []
            world.advance(min([until, *wakes, *events]))

    def round_of(self, one: supervisor.Supervisor) -> None:
        """One round of a supervisor's loop, and its end where it is over."""
        one.go_round()
        rest_s = one.faults.end_round()
        if one.faults.counts:
            self.world.wrong(f"a fault of ours: {str(one.log)[-2000:]}")
            one.faults.counts.clear()
        if rest_s:
            self.world.advance(self.world.now + rest_s)
        sleep_s = supervisor.Supervisor.sleep_s(one)
        self.waits[one] = sleep_s
        self.wake[one] = self.world.now + (max(TICK_S, sleep_s) if sleep_s else 0.0)
        one.selector.wake_at = self.wake[one]  # type: ignore[attr-defined]
        if one.is_over:
            one.clean_up()
            one.selector.close()
            if one in self.old:
                self.old.remove(one)
            self.ended.append(one)

    def pause(self, seconds: float, *, is_frozen: bool) -> None:
        """The supervisor stands still while it waits; `is_frozen`: the whole machine does."""
        for one in self.all:
            one.selector.pause_s = seconds  # type: ignore[attr-defined]
            one.selector.is_frozen = is_frozen  # type: ignore[attr-defined]
            self.round_of(one)
        self.world.forget_starts(seconds)

    @property
    def log(self) -> str:
        """What the serving supervisor has logged."""
        return str(self.current.log)

    def states(self) -> dict[str, UnitState]:
        """What the serving supervisor says of its units."""
        return {name: one.state for name, one in self.current.units.statuses.items()}
