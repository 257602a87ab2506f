"""The supervisor: owns a stack's sockets, keeps its units running, and knows who uses them.

Knows: a plan, its crew, the sessions. Refuses to know: profiles, tiers, LiteLLM. What to do next is
`decide`'s; this module only does it. Run as `python -m openclaude.run.supervisor`, with what it
needs (keys among it) on its standard input.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from openclaude import __version__
from openclaude.compile.plan import read_plan
from openclaude.run import decide
from openclaude.run.crew import Crew
from openclaude.run.decide import State, Use
from openclaude.run.desk import Desk
from openclaude.run.processes import start_time
from openclaude.run.report import report_unit
from openclaude.run.sessions import Session, Sessions
from openclaude.run.stack import Record, forget_stack, write_record
from openclaude.run.units import Surroundings

TICK_S = 30.0  # the longest sleep; everything that matters wakes the loop


class Handover(NamedTuple):
    """What the launcher gives: a folder, file descriptors, keys, and environment for the units."""

    folder: str
    port: int
    main: int  # file descriptors of the listening sockets
    providers: int
    control: int
    main_key: str
    providers_key: str
    inherited: dict[str, str]
    method: str  # fork or spawn
    sessions: list[list[Any]]  # pid and start time of each
    delay_s: float  # before the first unit is started


class Supervisor:
    """One stack's owner, from handover to stop."""

    def __init__(self, handover: Handover) -> None:
        self.folder = Path(handover.folder)
        self.listeners = {
            "main": socket.socket(fileno=handover.main),
            "providers": socket.socket(fileno=handover.providers),
        }
        around = Surroundings(
            self.folder,
            handover.port,
            handover.main_key,
            handover.providers_key,
            handover.inherited,
        )
        self.selector = selectors.DefaultSelector()
        self.plan = read_plan((self.folder / "plan.json").read_text(encoding="utf-8"))
        self.crew = Crew(self.plan, around, self.listeners, self.selector, method=handover.method)
        self.crew.begin(handover.delay_s)
        self.sessions = Sessions(self.selector)
        for pid, started in handover.sessions:
            self.sessions.add(Session(pid, started))
        self.desk = Desk(
            socket.socket(fileno=handover.control),
            self.answer,
            stop=self.stop,
            give_away=self.give_away,
        )
        self.left_at = time.monotonic()  # when the last session ended, or the stack began
        self.started_at = time.time()
        self.is_stopping = False
        self.is_given_away = False
        self.is_watching_doors = False

    # -- the loop ------------------------------------------------------------------------------

    def run(self) -> None:
        """Own the stack until it is told to stop, or nobody uses it any more."""
        wake = catch_signals()
        self.selector.register(self.desk.control, selectors.EVENT_READ, self.desk.serve_one)
        self.selector.register(wake, selectors.EVENT_READ, lambda: self.signalled(wake))
        self.write_record()
        while not (self.is_stopping and self.crew.is_gone):
            # first what was said, then what is due: after a pause of our own, a unit that spoke
            # meanwhile must not be taken for hung
            for key, _ in self.selector.select(self.sleep_s()):
                if key.fd in self.selector.get_map():  # not closed by the one before
                    key.data()
            if self.sessions.ended() and not self.sessions:
                self.left_at = time.monotonic()
            self.act()
        self.clean_up()

    def act(self) -> None:
        """Do what is due."""
        now = time.monotonic()
        crew = self.crew
        for action in decide.react(crew.statuses, now, excused=frozenset(crew.refusals)):
            match action:
                case decide.Start(name):
                    crew.start(name)
                case decide.Kill(name):
                    crew.kill(name)
                case decide.Excuse(name):
                    crew.excuse(name)
        crew.kill_the_late()
        if not self.is_stopping:
            self.rest(now)

    def rest(self, now: float) -> None:
        """Sleep or end, when it is time."""
        match decide.rest(self.crew.statuses, self.use, now, **self.patience):
            case decide.Sleep():
                self.crew.sleep()
                self.watch_doors()
            case decide.End():
                self.stop()

    @property
    def use(self) -> Use:
        """How the stack is being used."""
        crew = self.crew
        return Use(len(self.sessions), crew.in_flight, crew.active_at, self.left_at)

    @property
    def patience(self) -> dict[str, float]:
        """How long nothing may happen."""
        return {"idle_sleep_s": self.plan.idle_sleep_s, "linger_s": self.plan.linger_s}

    def sleep_s(self) -> float:
        """How long nothing is due, seconds."""
        now = time.monotonic()
        use = None if self.is_stopping else self.use
        due = decide.next_due(self.crew.statuses, now, use, **self.patience)
        deadlines = [deadline - now for deadline in self.crew.leaving.values()]
        waits = [TICK_S, self.sessions.poll_s, *deadlines, *([due] if due is not None else [])]
        return max(0.0, min(waits))

    def signalled(self, wake: socket.socket) -> None:
        """A signal came: TERM and INT stop the stack."""
        if {signal.SIGTERM, signal.SIGINT} & set(wake.recv(512)):
            self.stop()

    # -- asleep --------------------------------------------------------------------------------

    def watch_doors(self) -> None:
        """Listen for the connection that wakes the stack."""
        for name, listener in self.listeners.items():
            status = self.crew.statuses.get(name)
            if status and status.state is State.ASLEEP:
                self.selector.register(listener, selectors.EVENT_READ, self.wake)
        self.is_watching_doors = True

    def wake(self, delay_s: float = 0.0) -> None:
        """Somebody knocks; the connection waits in the backlog until a unit takes it."""
        if not self.is_watching_doors:
            return
        self.is_watching_doors = False
        for listener in self.listeners.values():
            if listener in self.selector.get_map():
                self.selector.unregister(listener)
        self.crew.begin(delay_s)

    # -- questions -----------------------------------------------------------------------------

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question about the stack, having done what it asks for."""
        if not self.is_stopping:
            match question["do"]:
                case "join":
                    self.join(
                        question.get("session"),
                        question.get("delay_s", 0.0),
                        question.get("inherited", {}),
                    )
                case "reload":
                    self.reload(question["inherited"])
                case "restart":
                    self.wake()
                    self.crew.renew_all(question["inherited"])
        return self.report()

    def join(self, session: list[Any] | None, delay_s: float, inherited: Mapping[str, str]) -> None:
        """A launch will use the stack: a session is about to become claude, `start` is not."""
        if session:
            self.sessions.add(Session(session[0], session[1]))
            self.wake(delay_s)  # claude's first request comes within a second or so
        self.crew.renew_failed(inherited)  # what was wrong may have been mended

    def reload(self, inherited: dict[str, str]) -> None:
        """Take the plan that now lies in the folder; replace the units that differ in it."""
        self.wake()
        self.plan = read_plan((self.folder / "plan.json").read_text(encoding="utf-8"))
        self.crew.take(self.plan, self.crew.around._replace(inherited=inherited))

    def give_away(self) -> tuple[int, ...]:
        """The listening sockets, for a supervisor that takes this one's place."""
        self.is_given_away = True
        self.stop()
        return self.listeners["main"].fileno(), self.listeners["providers"].fileno()

    def report(self) -> dict[str, Any]:
        """What `openclaude status` shows, and what a launch that joins must know."""
        crew, now = self.crew, time.monotonic()
        preloader = crew.preloader
        return {
            "version": __version__,
            "profile": self.plan.profile,
            "folder": str(self.folder),
            "digest": self.plan.digest,
            "is_stopping": self.is_stopping,
            "main_key": crew.around.main_key,  # to who may read the stack's folder anyway
            "pid": os.getpid(),
            "port": crew.around.port,
            "uptime_s": round(time.time() - self.started_at, 1),
            "start_method": crew.method,
            "preloader": preloader.pid if preloader else None,
            "sessions": [session._asdict() for session in self.sessions],
            "tiers": [
                {"tier": tier.tier, "model": tier.model, "label": tier.label}
                for tier in self.plan.tiers
            ],
            "units": [
                report_unit(
                    unit.name,
                    crew.statuses[unit.name],
                    crew.processes.get(unit.name),
                    port=crew.around.port + (unit.name == "providers"),
                    now=now,
                )
                for unit in self.plan.units
            ],
        }

    # -- the end -------------------------------------------------------------------------------

    def stop(self) -> None:
        """Tell every unit to end; the loop ends when all have."""
        if not self.is_stopping:
            self.is_stopping = True
            self.wake()
            self.crew.end()

    def clean_up(self) -> None:
        """Leave nothing: no socket, no record, no temporary file; the logs stay to be read.

        The control socket goes last: a launch that finds none makes a stack of its own, and must
        find the ports free and lose no file of its own to us.
        """
        for listener in self.listeners.values():
            listener.close()
        if not self.is_given_away:
            forget_stack(self.folder)
        pid = os.getpid()  # who asked may wait for this process's very end
        self.desk.close({"stopped": True, "pid": pid, "started": start_time(pid)})

    def write_record(self) -> None:
        """Say on disk who owns this stack."""
        pid = os.getpid()
        write_record(
            self.folder,
            Record(
                version=__version__,
                profile=self.plan.profile,
                pid=pid,
                started=start_time(pid) or "",
                port=self.crew.around.port,
                main_key=self.crew.around.main_key,
            ),
        )


def catch_signals() -> socket.socket:
    """A socket that receives the number of each signal; the handlers themselves do nothing."""
    read, write = socket.socketpair()
    read.setblocking(False)
    write.setblocking(False)
    signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
    catch_signals.keep = write  # type: ignore[attr-defined]  # open for as long as the process
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal it was started from may close
    return read


def main() -> None:
    """Read the handover and own the stack."""
    handover = Handover(**json.load(sys.stdin))
    # the launcher made it: an inherited descriptor would keep its end open
    sys.stdin.close()
    Supervisor(handover).run()


if __name__ == "__main__":
    main()
