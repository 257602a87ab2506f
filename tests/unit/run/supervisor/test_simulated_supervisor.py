"""The real supervisor in a made-up machine, with a fault at every step: what must always hold.

Hypothesis chooses what happens and when; a failure is printed as a program of a few lines. Each
promise of the supervisor is a check that is made after every step.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from openclaude.contracts.control import Join, Lock, Reload, Restart, StartMethod
from openclaude.contracts.report import UnitState
from openclaude.run.stack.folder import control_path, record_path, write_files
from openclaude.run.supervisor.reconcile import HANG_TIMEOUT_S, START_TIMEOUT_S
from openclaude.run.supervisor.supervisor import LAST_PATIENCE_S, TICK_S, Supervisor
from tests.unit.run.supervisor.simulated_machine import Machine, made_up_plan, simulation
from tests.unit.run.supervisor.simulated_world import UNITS, Behaviour, History, World

EXAMPLES = int(os.environ.get("OPENCLAUDE_SIMULATE", "100"))
IS_HUNT = "OPENCLAUDE_SIMULATE" in os.environ  # otherwise the same lives in every run
NEVER = float("inf")
UNIT = st.sampled_from(UNITS)
GOOD = [Behaviour(), Behaviour(ready_s=30.0), Behaviour(drain_s=9.0)]
BAD = [
    Behaviour(starts=False),
    Behaviour(ready_s=NEVER),
    Behaviour(fatal="the secret `env:KEY` is not set"),
    Behaviour(dies_s=0.0),
    Behaviour(dies_s=20.0),
    Behaviour(hangs_s=3.0),
    Behaviour(drain_s=NEVER),
]
BEHAVIOUR = st.sampled_from([*GOOD, *BAD])
SOON = st.sampled_from([0.0, 0.2, 1.0, 6.0, 31.0])
PAUSE = st.sampled_from([4.0, 40.0, 200.0])


class Stack(RuleBasedStateMachine):
    """One stack: what users, units and the machine do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.exits = contextlib.ExitStack()
        root = Path(tempfile.mkdtemp(prefix="openclaude-simulated-"))
        self.exits.callback(shutil.rmtree, root)
        self.folder = root / "openclaude/stacks/simulated"
        self.folder.mkdir(mode=0o700, parents=True)
        self.world = World(self.folder)
        self.exits.callback(self.world.close)
        self.exits.enter_context(simulation(self.world))
        self.is_asked_to_end = False

    @initialize(method=st.sampled_from(StartMethod), behaviour=BEHAVIOUR)
    def begin(self, method: StartMethod, behaviour: Behaviour) -> None:
        """A first launch."""
        self.world.next["providers"] = behaviour
        self.machine = Machine(self.world, method)
        self.exits.callback(self.machine.close)
        self.join(0.0)

    # What users do ------------------------------------------------------------------------------

    def ask(self, question: Join | Reload | Restart | Lock) -> None:
        """Ask the supervisor, which may begin anew with every unit."""
        self.world.was_asked = True
        self.world.histories = {name: History() for name in UNITS}
        self.world.forkserver_starts_in_a_row = 0
        self.world.may_end = True
        self.machine.current.answer(question)
        self.world.may_end = False
        self.machine.run_for(0.0)

    def is_running(self) -> bool:
        """Whether there is a stack to ask."""
        current = self.machine.current
        return not (current in self.machine.ended or current.is_stopping or self.is_asked_to_end)

    @precondition(is_running)
    @rule(delay_s=st.sampled_from([0.0, 0.5]))
    def join(self, delay_s: float) -> None:
        """Another terminal."""
        session = self.world.begin_session()
        self.ask(Join(session=(session.pid, session.started), delay_s=delay_s))

    @precondition(lambda self: self.world.living)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """A session ends."""
        self.world.end_session(data.draw(st.sampled_from(sorted(self.world.living))))
        self.machine.run_for(0.0)

    @precondition(is_running)
    @rule(name=UNIT, takes_s=st.sampled_from([0.1, 8.0, 300.0]))
    def request(self, name: str, takes_s: float) -> None:
        """A request arrives, and is on its way for that long or longer."""
        self.world.connect(name, takes_s)
        self.machine.run_for(takes_s / 2)

    @precondition(is_running)
    @rule()
    def restart(self) -> None:
        """`openclaude restart`."""
        self.ask(Restart(inherited={}))

    @precondition(is_running)
    @rule(is_changed=st.booleans())
    def reload(self, is_changed: bool) -> None:
        """The next launch after an edit of the profile."""
        self.machine.plan_version += is_changed
        write_files(self.folder, made_up_plan(version=self.machine.plan_version))
        self.ask(Reload(inherited={}))

    @precondition(is_running)
    @rule()
    def lock(self) -> None:
        """`openclaude lock` ends at once what works with the old keys."""
        self.world.may_kill = True
        self.ask(Lock())
        self.world.may_kill = False

    @precondition(is_running)
    @rule(delay_s=st.sampled_from([0.0, 0.5]))
    def hand_over(self, delay_s: float) -> None:
        """A launch of another version."""
        self.world.histories = {name: History() for name in UNITS}
        self.world.forkserver_starts_in_a_row = 0
        self.world.was_asked = True
        self.world.may_end = True
        self.machine.hand_over(delay_s)
        self.world.may_end = False
        self.machine.run_for(0.0)

    @precondition(is_running)
    @rule(is_signal=st.booleans(), mood=st.integers(0, 5))
    def stop(self, is_signal: bool, mood: int) -> None:
        """`openclaude stop`, or SIGTERM; rarely, as little can happen after it."""
        if mood:
            return
        self.is_asked_to_end = True
        cause = "signal SIGTERM" if is_signal else "requested by `openclaude stop`"
        self.world.may_end = True
        self.machine.current.stop(cause)
        self.machine.run_for(0.0)

    # What goes wrong ----------------------------------------------------------------------------

    @rule(name=UNIT, behaviour=BEHAVIOUR)
    def change(self, name: str, behaviour: Behaviour) -> None:
        """The next process of a unit behaves differently."""
        self.world.next[name] = behaviour

    @rule(name=UNIT, code=st.sampled_from([0, 1, -9]))
    def die(self, name: str, code: int) -> None:
        """Every process of a unit dies."""
        for process in [one for one in self.world.processes if one.name == name]:
            self.world.end(process, code)

    @rule(name=UNIT)
    def hang(self, name: str) -> None:
        """Every process of a unit says nothing more."""
        for process in self.world.processes:
            process.is_hung |= process.name == name

    @rule(
        how=st.sampled_from(["well", "refused", "slow", "never ready", "no forks", "dies"]),
        seconds=st.sampled_from([0.0, 80.0]),
    )
    def change_forkserver(self, how: str, seconds: float) -> None:
        """The next forkserver behaves differently, and that before it is dead."""
        self.world.forkserver_starts = how != "refused"
        self.world.forkserver_ready_s = {"slow": 20.0, "never ready": NEVER}.get(how, 0.5)
        self.world.forkserver_forks = how != "no forks"
        self.world.forkserver_dies = how == "dies"
        self.lose_forkserver()
        self.machine.run_for(seconds)

    @rule()
    def lose_forkserver(self) -> None:
        """The forkserver is killed."""
        for one in self.world.forkservers:
            one.die()

    @rule(seconds=PAUSE, is_frozen=st.booleans())
    def pause_while_waiting(self, seconds: float, is_frozen: bool) -> None:
        """SIGSTOP; a laptop that sleeps; a starved machine."""
        self.machine.pause(seconds, is_frozen=is_frozen)
        self.machine.run_for(0.0)

    @rule(seconds=PAUSE, readings=st.integers(0, 12))
    def pause_anywhere(self, seconds: float, readings: int) -> None:
        """The same between any two steps of the loop."""
        self.world.pause_s, self.world.pause_in = seconds, readings
        self.machine.run_for(11.0)  # two heartbeats: some rounds

    @precondition(is_running)
    @rule(what=st.sampled_from(["record", "control", "plan", "all"]))
    def remove(self, what: str) -> None:
        """Another program removes state."""
        if what == "all":
            shutil.rmtree(self.folder)
            self.folder.mkdir(mode=0o700)
        else:
            path = {
                "record": record_path(self.folder),
                "control": control_path(self.folder),
                "plan": self.folder / "plan.json",
            }[what]
            path.unlink(missing_ok=True)

    # Time ---------------------------------------------------------------------------------------

    @rule(seconds=SOON)
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.machine.run_for(seconds)

    @rule()
    def be_patient(self) -> None:
        """Long enough for every patience: then everything is as it should be."""
        self.machine.run_for(START_TIMEOUT_S * 2)
        if self.is_running():
            assert record_path(self.folder).exists()
            assert control_path(self.folder).exists()

    @rule()
    def heal(self) -> None:
        """The faults are gone: what is asked for comes."""
        self.world.pause_in = None
        self.world.next = {name: Behaviour() for name in UNITS}
        self.world.forkserver_starts = self.world.forkserver_forks = True
        self.world.forkserver_ready_s = 1.0
        self.world.forkserver_dies = False
        self.machine.run_for(START_TIMEOUT_S + HANG_TIMEOUT_S + LAST_PATIENCE_S)
        if not self.is_running():
            return
        self.restart()
        self.machine.run_for(10.0)
        log = self.machine.log
        assert set(self.machine.states().values()) == {UnitState.READY}, log
        for name in UNITS:
            self.world.connect(name, 0.1)
        self.machine.run_for(1.0)
        assert self.world.waiting == dict.fromkeys(UNITS, 0)

    # What always holds --------------------------------------------------------------------------

    @invariant()
    def nothing_wrong_was_seen(self) -> None:
        """No healthy unit killed, no two on one socket, bounded restarts, no fault of ours."""
        assert self.world.wrongs == [], self.machine.log

    @invariant()
    def a_stack_in_use_goes_on(self) -> None:
        """It ends because it is told to, or because nobody uses it."""
        if not hasattr(self, "machine") or self.is_asked_to_end:
            return
        current = self.machine.current
        if {session.pid for session in current.sessions} & self.world.living.keys():
            assert not current.is_stopping

    @invariant()
    def nobody_is_woken_unasked(self) -> None:
        """Asleep means asleep, until a user asks; it may end, as unused, but starts nothing."""
        if not hasattr(self, "machine") or self.machine.current in self.machine.ended:
            return
        states = set(self.machine.states().values())
        if states == {UnitState.ASLEEP}:
            self.is_asleep = True
            self.world.was_asked = any(self.world.waiting.values())
        elif getattr(self, "is_asleep", False):
            is_woken = not self.machine.current.is_stopping or UnitState.STARTING in states
            assert not is_woken or self.world.was_asked or self.is_asked_to_end
            self.is_asleep = False

    @invariant()
    def it_can_say_how_it_is(self) -> None:
        """`openclaude status` has an answer in every state."""
        if hasattr(self, "machine"):
            for one in self.machine.all:
                assert one.report().profile == "simulated"
                ready = {unit.name for unit in one.report().units if unit.state is UnitState.READY}
                assert not ready & one.units.unavailable.final.keys()
                assert 0.0 <= Supervisor.sleep_s(one) <= TICK_S

    def teardown(self) -> None:
        """At the end nothing is left."""
        try:
            if not hasattr(self, "machine"):
                return
            self.world.pause_in = None
            self.world.may_end = True
            for one in self.machine.all:
                one.stop("the test ends")
            self.machine.run_for(600.0)  # pauses may have lengthened every patience
            assert self.world.wrongs == [], self.machine.log
            assert self.machine.all == [], [one.log for one in self.machine.all]
            self.world.advance(self.world.now + 1.0)
            held = {pid for one in self.world.holdings for pid, _ in one}
            assert held >= {one.pid for one in self.machine.current.sessions}
            assert [one for one in self.world.processes if one.is_alive] == []
            assert all(one.is_dead for one in self.world.forkservers)
            assert not record_path(self.folder).exists()
            assert not control_path(self.folder).exists()
            assert self.world.wrongs == []
        finally:
            self.exits.close()


def test_a_sleeping_stack_that_ends_unused_was_not_woken() -> None:
    """The machine is paused past the linger, and a unit drains without end (one of 5,000 lives)."""
    stack = Stack()
    try:
        stack.begin(method=StartMethod.FORK, behaviour=Behaviour(ready_s=2.0, drain_s=math.inf))
        stack.be_patient()
        stack.nobody_is_woken_unasked()
        stack.world.end_session(min(stack.world.living))
        stack.machine.run_for(0.0)
        stack.pause_anywhere(seconds=200.0, readings=0)

        assert stack.machine.current.is_stopping
        stack.nobody_is_woken_unasked()
        stack.nothing_wrong_was_seen()
    finally:
        stack.teardown()


@pytest.mark.slow
def test_whatever_happens_the_supervisor_keeps_its_promises() -> None:
    run_state_machine_as_test(
        Stack,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=50,
            deadline=None,
            derandomize=not IS_HUNT,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
