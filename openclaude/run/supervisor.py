"""The supervisor: owns a stack's sockets, keeps its units running, answers questions about it.

Knows: a plan and its processes. Refuses to know: profiles, tiers, LiteLLM. What to do next is
`decide.react`; this module only does it. Run as `python -m openclaude.run.supervisor`, with what it
needs (keys among it) on its standard input.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from openclaude import __version__
from openclaude.compile.plan import Plan, Unit, read_plan
from openclaude.run import decide, units
from openclaude.run.decide import State, Status
from openclaude.run.processes import start_time
from openclaude.run.refuse import Refusal
from openclaude.run.report import report_unit
from openclaude.run.stack import Record, forget_stack, write_record
from openclaude.run.units import Process, Surroundings

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


class Supervisor:
    """One stack's owner, from handover to stop."""

    def __init__(self, handover: Handover) -> None:
        self.folder = Path(handover.folder)
        self.listeners = {
            "main": socket.socket(fileno=handover.main),
            "providers": socket.socket(fileno=handover.providers),
        }
        self.control = socket.socket(fileno=handover.control)
        self.around = Surroundings(
            self.folder,
            handover.port,
            handover.main_key,
            handover.providers_key,
            handover.inherited,
        )
        self.plan = read_plan((self.folder / "plan.json").read_text(encoding="utf-8"))
        self.statuses: dict[str, Status] = {}
        self.processes: dict[str, Process] = {}
        self.leaving: list[tuple[Process, float]] = []  # replaced processes, and their deadlines
        self.refusals: dict[str, Refusal] = {}
        self.stop_asked: list[socket.socket] = []
        self.is_stopping = False
        self.started_at = time.time()
        self.selector = selectors.DefaultSelector()

    # -- the loop ------------------------------------------------------------------------------

    def run(self) -> None:
        """Own the stack until it is told to stop."""
        wake = catch_signals()
        self.control.setblocking(False)
        self.selector.register(self.control, selectors.EVENT_READ, self.answer_one)
        self.selector.register(wake, selectors.EVENT_READ, lambda: self.signalled(wake))
        self.write_record()
        self.statuses = {unit.name: decide.waiting(now()) for unit in self.plan.units}
        while not (self.is_stopping and not self.processes and not self.leaving):
            self.act()
            for key, _ in self.selector.select(self.sleep_s()):
                key.data()
            self.reap()
        self.clean_up()

    def act(self) -> None:
        """Do what is due."""
        for action in decide.react(self.statuses, now()):
            if isinstance(action, decide.Start):
                self.start(action.unit)
            else:
                self.kill(action.unit)
        for process, deadline in self.leaving:
            if now() >= deadline:
                units.kill(process)

    def sleep_s(self) -> float:
        """How long nothing is due, seconds."""
        due = decide.next_due(self.statuses, now())
        deadlines = [deadline - now() for _, deadline in self.leaving]
        return max(0.0, min([TICK_S, *deadlines, *([due] if due is not None else [])]))

    def signalled(self, wake: socket.socket) -> None:
        """A signal came: TERM, INT and HUP stop the stack; CHLD only wakes the loop."""
        if {signal.SIGTERM, signal.SIGINT} & set(wake.recv(512)):
            self.stop()

    # -- units ---------------------------------------------------------------------------------

    def unit(self, name: str) -> Unit:
        """The plan's unit of that name."""
        return next(unit for unit in self.plan.units if unit.name == name)

    def start(self, name: str) -> None:
        """Start the unit's process and listen for its word."""
        listener = self.listeners[name].fileno()
        try:
            process = units.start_process(self.unit(name), listener, self.around)
        except OSError as error:  # a full disk, no more processes: it may pass
            self.ended(name, f"`{name}` could not be started: {error}")
            return
        self.processes[name] = process
        self.statuses[name] = decide.starting(self.statuses[name], now())
        self.selector.register(
            process.ready, selectors.EVENT_READ, lambda: self.heard(name, process)
        )

    def heard(self, name: str, process: Process) -> None:
        """The unit said that it answers, or its end of the pipe closed."""
        self.selector.unregister(process.ready)
        if os.read(process.ready, 64) and self.processes.get(name) is process:
            self.statuses[name] = decide.ready(self.statuses[name], now())

    def kill(self, name: str) -> None:
        """The unit's time is up."""
        units.kill(self.processes[name])
        # not again: what follows is its end, which `reap` sees
        self.statuses[name] = self.statuses[name]._replace(at=float("inf"))

    def reap(self) -> None:
        """Take note of every process that has ended."""
        for name, process in list(self.processes.items()):
            code = process.popen.poll()
            if code is not None:
                del self.processes[name]
                self.bury(process)
                self.ended(name, units.ending(name, code, self.folder / f"{name}.log"))
        for entry in list(self.leaving):
            if entry[0].popen.poll() is not None:
                self.leaving.remove(entry)
                self.bury(entry[0])

    def bury(self, process: Process) -> None:
        """Forget a process that has ended, and end what it may have started."""
        units.kill(process)
        if process.ready in self.selector.get_map():
            self.selector.unregister(process.ready)
        units.forget(process)

    def ended(self, name: str, error: str) -> None:
        """Decide what becomes of a unit whose process ended, or never began."""
        if not self.is_stopping:
            note(error)
        status = decide.exited(self.statuses[name], now(), error)
        self.statuses[name] = status
        if status.state is State.FAILED:
            self.refusals[name] = Refusal(
                self.listeners[name],
                f"openclaude: the `{name}` proxy could not be started; see `openclaude logs "
                f"--profile {self.plan.profile}`, then `openclaude restart --profile "
                f"{self.plan.profile}`",
            )

    def leave(self, name: str) -> None:
        """Let the unit's process finish what it is doing, while another takes its place."""
        process = self.processes.pop(name, None)
        if process:
            units.tell_to_end(process)
            self.leaving.append((process, now() + decide.STOP_TIMEOUT_S))
        refusal = self.refusals.pop(name, None)
        if refusal:
            refusal.end()

    # -- questions -----------------------------------------------------------------------------

    def answer_one(self) -> None:
        """Answer one connection to the control socket."""
        connection, _ = self.control.accept()
        connection.settimeout(2.0)
        try:
            question = json.loads(connection.makefile("rb").readline(1 << 20))
            if question.get("do") == "stop":
                self.stop_asked.append(connection)  # answered by its end, when all is done
                self.stop()
                return
            answer = self.answer(question)
            connection.sendall(json.dumps(answer).encode() + b"\n")
        except (OSError, ValueError, AttributeError) as error:
            note(f"a question could not be answered: {error}")
        connection.close()

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question about the stack, having done what it asks for."""
        match question.get("do") if not self.is_stopping else None:
            case "reload":
                self.reload(question["inherited"])
            case "restart":
                for unit in self.plan.units:
                    self.renew(unit.name)
        return self.report()

    def reload(self, inherited: dict[str, str]) -> None:
        """Take the plan that now lies in the folder; replace the units that differ in it."""
        before = self.plan
        self.plan = read_plan((self.folder / "plan.json").read_text(encoding="utf-8"))
        self.around = self.around._replace(inherited=inherited)
        wanted = {unit.name for unit in self.plan.units}
        for name in self.statuses.keys() - wanted:
            self.leave(name)
            del self.statuses[name]
        for name in wanted:
            if name not in self.statuses or differs(name, before, self.plan):
                self.renew(name)

    def renew(self, name: str) -> None:
        """Replace the unit's process; requests in flight finish on the old one."""
        self.leave(name)
        self.statuses[name] = decide.waiting(now())

    def report(self) -> dict[str, Any]:
        """What `openclaude status` shows, and what a launch that joins must know."""
        return {
            "version": __version__,
            "profile": self.plan.profile,
            "digest": self.plan.digest,
            "is_stopping": self.is_stopping,
            "main_key": self.around.main_key,  # to who may read the stack's folder anyway
            "pid": os.getpid(),
            "port": self.around.port,
            "uptime_s": round(time.time() - self.started_at, 1),
            "units": [self.report_unit(unit) for unit in self.plan.units],
        }

    def report_unit(self, unit: Unit) -> dict[str, Any]:
        """One unit's row."""
        process = self.processes.get(unit.name)
        return report_unit(
            unit.name,
            self.statuses[unit.name],
            pid=process.popen.pid if process else None,
            port=self.around.port + (unit.name == "providers"),
            now=now(),
        )

    # -- the end -------------------------------------------------------------------------------

    def stop(self) -> None:
        """Tell every unit to end; the loop ends when all have."""
        if self.is_stopping:
            return
        self.is_stopping = True
        for name, process in self.processes.items():
            units.tell_to_end(process)
            self.statuses[name] = decide.stopping(self.statuses[name], now())
        for name in self.statuses.keys() - self.processes.keys():
            self.statuses[name] = Status(State.STOPPED, now(), float("inf"))

    def clean_up(self) -> None:
        """Leave nothing: no socket, no record, no temporary file; the logs stay to be read.

        The control socket goes last: a launch that finds none makes a stack of its own, and must
        find the ports free and lose no file of its own to us.
        """
        for listener in self.listeners.values():
            listener.close()
        forget_stack(self.folder)
        self.control.close()
        for connection in self.stop_asked:
            with contextlib.suppress(OSError):  # who asked may have left
                connection.sendall(b'{"stopped": true}\n')
            connection.close()

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
                port=self.around.port,
                main_key=self.around.main_key,
            ),
        )


def differs(name: str, before: Plan, after: Plan) -> bool:
    """Whether a unit reads or is anything else in the other plan."""
    one = [(unit, before.files.get(f"{name}.yaml")) for unit in before.units if unit.name == name]
    two = [(unit, after.files.get(f"{name}.yaml")) for unit in after.units if unit.name == name]
    return one != two


def note(text: str) -> None:
    """One entry of the supervisor's log."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def catch_signals() -> socket.socket:
    """A socket that receives the number of each signal; the handlers themselves do nothing."""
    read, write = socket.socketpair()
    read.setblocking(False)
    write.setblocking(False)
    signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
    catch_signals.keep = write  # type: ignore[attr-defined]  # open for as long as the process
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda _number, _frame: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal it was started from may close
    return read


def now() -> float:
    """Seconds on a clock that never jumps."""
    return time.monotonic()


def main() -> None:
    """Read the handover and own the stack."""
    handover = Handover(**json.load(sys.stdin))
    # the launcher made it: an inherited descriptor would keep its end open
    sys.stdin.close()
    Supervisor(handover).run()


if __name__ == "__main__":
    main()
