"""The supervisor: owns a stack's sockets, keeps its units running, and knows its sessions.

Knows: a plan, its units, the sessions. Independent of: profiles, tiers, LiteLLM. `reconcile`
decides what to do next; this module only does it. Run as `python -m` of its own name, with what
it needs (keys among it) on its standard input.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import time
from pathlib import Path

from openclaude import __version__
from openclaude.contracts.control import AskStatus, Join, Lock, Question, Reload, Restart, Stopped
from openclaude.contracts.decode import Malformed
from openclaude.contracts.handover import Handover, read_handover
from openclaude.contracts.report import Report, UnitState
from openclaude.contracts.stack_record import StackRecord
from openclaude.run.os.confinement import keep_memory_private
from openclaude.run.os.doors import Doors
from openclaude.run.os.environment import here
from openclaude.run.os.own_code import hold_own_code
from openclaude.run.os.processes import start_time
from openclaude.run.os.signals import catch_signals
from openclaude.run.stack.folder import read_folder_plan
from openclaude.run.stack.holding import remember_keys, start_holder
from openclaude.run.stack.leftovers import forget_stack
from openclaude.run.stack.local_key import new_key
from openclaude.run.stack.logs import log_path
from openclaude.run.stack.upkeep import Found, Upkeep
from openclaude.run.supervisor import reconcile
from openclaude.run.supervisor.actions import End, Sleep, Wake, describe
from openclaude.run.supervisor.control_server import ControlServer
from openclaude.run.supervisor.controller import UnitController
from openclaude.run.supervisor.log import Faults, SupervisorLog
from openclaude.run.supervisor.reconcile import Usage
from openclaude.run.supervisor.report import report_stack
from openclaude.run.supervisor.sessions import Sessions
from openclaude.run.supervisor.unit_start import StackContext

RESTART = "requested by `openclaude restart`"
TICK_S = 30.0  # the longest sleep; everything that matters wakes the loop
PAUSE_S = 3.0  # later than this, we were not woken in time: a laptop slept, a machine is overloaded
LAST_PATIENCE_S = 2 * reconcile.STOP_TIMEOUT_S  # for units to end, whatever goes wrong


class Supervisor:
    """The owner of one stack, from handover to stop."""

    def __init__(self, handover: Handover) -> None:
        self.folder = Path(handover.folder)
        self.log = SupervisorLog(log_path(self.folder, "supervisor"))
        self.listeners = {
            "main": socket.socket(fileno=handover.main),
            "providers": socket.socket(fileno=handover.providers),
        }
        context = StackContext.of(handover)
        self.selector = selectors.DefaultSelector()
        self.plan = read_folder_plan(self.folder)
        record = StackRecord(
            version=__version__,
            profile=self.plan.profile,
            pid=os.getpid(),
            started=start_time(os.getpid()) or "",
            port=context.port,
            main_key=context.main_key,
            former=context.former,
            where=str(here()),
        )
        self.upkeep = Upkeep(self.folder, record, is_tls=bool(context.certificate))
        self.units = UnitController(
            self.plan, context, self.listeners, self.selector, self.log, method=handover.method
        )
        self.units.wake("the stack was started", handover.delay_s)
        self.doors = Doors(
            self.listeners.values(), self.selector, lambda: self.wake("a connection arrived")
        )
        self.sessions = Sessions(self.selector, context.port, self.folder, self.log)
        self.sessions.take_over(handover)
        self.control_server = ControlServer(
            socket.socket(fileno=handover.control),
            self.log,
            self.answer,
            stop=lambda: self.stop("requested by `openclaude stop`"),
            give_away=self.give_away,
        )
        self.heard_at = time.monotonic()  # up to when everything that was said is known
        self.started_at = time.time()
        self.is_stopping = self.is_given_away = self.is_unused = False
        self.stopping_since = 0.0
        self.faults = Faults(self.log)

    # -- the loop ------------------------------------------------------------------------------

    def run(self) -> None:
        """Run the stack until it is told to stop, or is no longer used."""
        wake = catch_signals()
        self.register_control()
        self.selector.register(wake, selectors.EVENT_READ, lambda: self.on_signal(wake))
        self.faults.survive("writing the record", self.upkeep.write_record)
        self.log(f"supervise {self.plan.profile} (openclaude {__version__}, pid {os.getpid()})")
        while not self.is_over:
            self.go_round()
            time.sleep(self.faults.end_round())
        self.clean_up()

    def go_round(self) -> None:
        """Hear what was said, then do what is due; whatever goes wrong with one, the rest is done.

        First what was said: a unit that spoke must not be taken for hung.
        """
        survive = self.faults.survive
        said = survive("waiting", self.wait) or []
        for key, _ in said:
            if key.fd in self.selector.get_map():  # not closed by the one before
                survive("hearing what was said", key.data)
        survive("counting sessions", self.sessions.forget_ended)
        survive("keeping the folder", self.keep_folder)
        survive("doing what is due", self.act)

    def wait(self) -> list[tuple[selectors.SelectorKey, int]]:
        """What is there to be heard, as soon as there is something or something is due.

        A process that was stopped for longer than that hears nothing from its first look (Python
        takes the wait for over), so it looks again, and judges by what was said until then. If it
        was deaf for longer than it meant to be, what it did not hear is nobody's fault.
        """
        sleep_s = self.sleep_s()
        self.selector.select(sleep_s)
        before, self.heard_at = self.heard_at, time.monotonic()
        deaf_s = self.heard_at - before
        if deaf_s - sleep_s >= PAUSE_S:
            self.log(f"this process stood still for {deaf_s - sleep_s:.0f} s: nobody is blamed")
            self.units.forgive(deaf_s)
            self.stopping_since += deaf_s
        return self.selector.select(0)

    def keep_folder(self) -> None:
        """Make anew what was removed under us, or leave the folder to who has it now."""
        if self.is_stopping or self.is_given_away:
            return
        found = self.upkeep.look(self.plan, time.monotonic())
        if found is Found.TAKEN:
            self.is_given_away = True
            self.log("another supervisor has the folder: this one serves its sessions to their end")
        elif found is Found.RENEWED:
            self.log.reopen()
            self.log("files were removed from the folder, and are made anew")
            if control := self.upkeep.take_control():
                self.selector.unregister(self.control_server.control)
                self.control_server.listen(control)
                self.register_control()

    def register_control(self) -> None:
        """Hear what is asked on the control socket."""
        server = self.control_server
        self.selector.register(server.control, selectors.EVENT_READ, server.serve_one)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to wait for, or the wait has been too long."""
        return self.is_stopping and (
            self.units.processes.is_gone
            or (
                not self.units.processes.is_patient
                and time.monotonic() > self.stopping_since + LAST_PATIENCE_S
            )
        )

    def act(self) -> None:
        """Carry out the actions that were due when it last listened."""
        now = self.heard_at
        self.units.unavailable.end_late(now)
        self.units.reconcile(now)
        if self.is_stopping:
            return
        self.sessions.look_for_users(self.units.active_at, now)
        patience = self.sessions.patience(self.plan.patience)
        action = reconcile.idle_action(self.units.statuses, self.usage, now, **patience)
        match action:
            case Sleep():
                self.units.perform(action)
                self.watch_doors()
            case End(cause=cause) if not self.sessions.are_left_behind():
                self.is_unused = True
                self.stop(cause)

    @property
    def usage(self) -> Usage:
        """How the stack is being used."""
        return Usage(
            sessions=len(self.sessions),
            in_flight=self.units.processes.in_flight,
            active_at=self.units.active_at,
            left_at=self.sessions.left_at,
        )

    def sleep_s(self) -> float:
        """How long nothing is due, seconds."""
        now, drains = time.monotonic(), self.units.processes.drains
        usage = None if self.is_stopping else self.usage
        patience = self.sessions.patience(self.plan.patience)
        due = reconcile.next_due(self.units.statuses, drains, now, usage, **patience)
        waits = (TICK_S, self.sessions.poll_s, TICK_S if due is None else due)
        return max(0.0, min(*waits, self.units.unavailable.due - now))

    def on_signal(self, wake: socket.socket) -> None:
        """A signal came: TERM and INT stop the stack, CONT asks for what is missing."""
        for number in set(wake.recv(512)):
            if number == signal.SIGCONT:
                self.upkeep.hurry()
            elif number in {signal.SIGTERM, signal.SIGINT}:
                self.stop(f"signal {signal.Signals(number).name}")

    # -- asleep --------------------------------------------------------------------------------

    def watch_doors(self) -> None:
        """Listen for the connection that wakes the stack."""
        units = self.units.statuses.items()
        asleep = (name for name, one in units if one.state is UnitState.ASLEEP)
        self.doors.watch(self.listeners[name] for name in asleep)

    def wake(self, cause: str, delay_s: float = 0.0) -> None:
        """Wake up, if asleep; the connection waits in the backlog for its unit."""
        if self.doors.is_watching:
            self.doors.leave()
            self.log(describe(Wake(cause=cause)))
            self.units.wake(cause, delay_s)

    # -- questions -----------------------------------------------------------------------------

    def answer(self, question: Question) -> Report:
        """Carry out a request, and return its answer."""
        if not self.is_stopping:
            match question:
                case Join():
                    self.join(question)
                case Reload(inherited=inherited):
                    self.reload(inherited)
                case Restart(inherited=inherited):
                    self.wake(RESTART)
                    self.units.replace_all(inherited, RESTART)
                case Lock():
                    self.lock()
                case AskStatus(inherited=inherited) if inherited:
                    self.units.compare(inherited)
        return self.report()

    def join(self, question: Join) -> None:
        """A launch will use the stack: a session is about to become claude, `start` is not."""
        self.units.succession.notice()  # then the launch takes over
        self.sessions.join(question)
        if question.session:
            # claude's first request comes within a second or so
            self.wake(f"session {question.session[0]} begins", question.delay_s)
        # what was wrong may have been fixed
        self.units.renew(question.inherited, "a launch asked for it again")

    def lock(self) -> None:
        """Revoke the local keys at once; launches from now on get the new one."""
        self.units.revoke_keys(key := new_key(), new_key(), "requested by `openclaude lock`")
        self.upkeep.renew_record(main_key=key)

    def reload(self, inherited: dict[str, str]) -> None:
        """Read the plan again; replace the units that differ in it.

        Raises OSError or Malformed without having changed anything.
        """
        plan = read_folder_plan(self.folder)
        self.wake("the plan has changed")
        self.plan = plan
        self.units.apply_plan(plan, inherited)

    def give_away(self) -> tuple[int, ...]:
        """The listening sockets, for the next supervisor."""
        self.is_given_away = True
        self.stop("another openclaude takes over the sockets", is_patient=True)
        return self.listeners["main"].fileno(), self.listeners["providers"].fileno()

    def report(self) -> Report:
        """What `openclaude status` shows, and what a launch that joins must know."""
        return report_stack(
            self.upkeep.record,
            self.plan,
            self.units,
            tuple(self.sessions),
            is_stopping=self.is_stopping,
            uptime_s=time.time() - self.started_at,
        )

    # -- the end -------------------------------------------------------------------------------

    def stop(self, cause: str, *, is_patient: bool = False) -> None:
        """Tell every unit to stop; the loop ends when all have.

        With `is_patient` their streams take as long as they need, until a stop is asked for.
        """
        if not self.is_stopping or (self.units.processes.is_patient and not is_patient):
            self.is_stopping = True
            self.stopping_since = time.monotonic()
            self.doors.leave()
            self.units.perform(End(cause=cause, is_patient=is_patient))

    def clean_up(self) -> None:
        """Clean up sockets, record and temporary files; keep the logs.

        The control socket is removed last: a launch that finds none starts its own stack, which
        needs free ports and must not lose its files.
        """
        self.units.processes.kill_all()  # those that could not be told
        if not self.is_given_away:
            self.faults.survive("holding the ports", self.hold_ports)
        for listener in self.listeners.values():
            listener.close()
        if not self.is_given_away:
            self.faults.survive("clearing the folder", lambda: forget_stack(self.folder))
        # who asked may wait for this process's very end
        self.control_server.close(Stopped(pid=os.getpid(), started=start_time(os.getpid())))

    def hold_ports(self) -> None:
        """Leave the sockets to a process that answers open sessions. Raises OSError."""
        self.sessions.forget_ended()
        self.sessions.add_background()
        if sessions := self.sessions.processes:
            start_holder(self.folder, self.upkeep.record, self.listeners, sessions)
        elif self.is_unused:
            remember_keys(self.folder, self.upkeep.record)


def main() -> None:
    """Read the handover and run the stack."""
    hold_own_code()
    keep_memory_private()
    try:
        handover = read_handover(sys.stdin.read())
        sys.stdin.close()  # an inherited descriptor would keep the launcher's end open
        supervisor = Supervisor(handover)
    except (Malformed, OSError) as error:
        sys.exit(f"the stack could not be started: {error}")
    supervisor.run()


if __name__ == "__main__":
    main()
