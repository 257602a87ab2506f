"""Whether a slot may answer: what the budgets say before a request is sent, never in its middle.

Knows: when a budget is nearly or wholly used up, how many requests a minute may have. Independent
of: routes, how spending is counted (`ledger.spending`), who shows what is said. A request does not
wait for the ledger, but for the first one and one that would be refused.
"""

from __future__ import annotations

import asyncio
import enum
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from openclaude.contracts.budget import Budget, Budgets, Period, Then
from openclaude.ledger.entry import RequestEntry
from openclaude.ledger.spending import which

NEARLY = 0.8  # of a budget: the session is told once
FRESH_S = 5.0  # how old what is known of other stacks' spending may be
AGAIN_S = 1.0  # and for a request that would be refused, since the user may have allowed more
PATIENCE_S = 2.0  # for the ledger; then what is known counts
WINDOW_S = 60.0
MOST_SESSIONS = 1000  # of which it is remembered what they were told
WHEN = {Period.DAY: "today", Period.MONTH: "this month", Period.SESSION: "in this session"}
OPTION = {Period.DAY: "--today", Period.MONTH: "--month", Period.SESSION: "--session {session}"}


class Step(enum.Enum):
    """What happens to a request of a slot."""

    GO = enum.auto()
    STOP = enum.auto()
    WAIT = enum.auto()  # and be sent again
    CLAUDE = enum.auto()
    MODEL = enum.auto()


class BudgetVerdict(NamedTuple):
    """What happens to a request, and what is said about it."""

    step: Step = Step.GO
    sentence: str = ""  # why it is refused
    wait_s: int = 0
    notice: str = ""  # in front of the answer, if a person reads it
    key: tuple[str, ...] = ()  # of the notice


class Counted(Protocol):
    """What was spent."""

    read_at: float | None

    def count(self, entry: RequestEntry) -> RequestEntry:
        """Count a request of this process."""

    def spent(self, period: Period, of: str, tier: str) -> float:
        """US dollars in a day, month or session; tier "" means all."""

    def allowed(self, period: Period, of: str) -> float:
        """US dollars that the user has allowed beyond the budget."""

    def refresh(self) -> str:
        """Read what is new; why that was impossible, or ""."""


class State(NamedTuple):
    """A budget, and how much of it is used up."""

    budget: Budget
    of: str  # which day, month or session
    spent: float
    limit: float

    @property
    def is_over(self) -> bool:
        """Whether nothing is left of it."""
        return self.spent >= self.limit


class BudgetGate:
    """Judges the requests of one profile's slots."""

    def __init__(
        self,
        budgets: Budgets,
        spending: Counted,
        profile: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.budgets = budgets
        self.spending = spending
        self._profile = profile
        self._clock = clock
        self._reading: asyncio.Task[str] | None = None
        self._came: OrderedDict[str, deque[float]] = OrderedDict()  # by session
        self._told: OrderedDict[tuple[str, ...], None] = OrderedDict()

    async def judge(self, tier: str, session: str) -> BudgetVerdict:
        """Return what happens to a request of a tier's slot."""
        now = time.monotonic()
        if wait_s := self._too_many(session, now):
            number = self.budgets.requests_per_minute
            return BudgetVerdict(
                Step.WAIT,
                f"openclaude: this session has sent {number} requests in a minute, and "
                f"`budget.requests_per_minute` of the profile `{self._profile}` allows no more; "
                f"the next one can go in {wait_s} s",
                wait_s,
            )
        if not self.budgets.budgets:
            return BudgetVerdict()
        await self._know(now, FRESH_S, waits=self.spending.read_at is None)
        states = self._states(tier, session)
        if any(state.is_over for state in states):
            await self._know(now, AGAIN_S, waits=True)
            states = self._states(tier, session)
        over = next((state for state in states if state.is_over), None)
        if over is not None:
            return self._refused(over, session)
        nearly = (one for one in states if one.spent >= NEARLY * one.limit)
        return next((v for one in nearly if (v := self._warning(one, session))), BudgetVerdict())

    def told(self, verdict: BudgetVerdict) -> None:
        """Note that a notice was shown: it is shown once in a session."""
        if verdict.key:
            self._told[verdict.key] = None
            while len(self._told) > MOST_SESSIONS:
                self._told.popitem(last=False)

    def _too_many(self, session: str, now: float) -> int:
        """Return after how many seconds a request may come; 0: now, and it is counted."""
        if not self.budgets.requests_per_minute:
            return 0
        came = self._came.setdefault(session, deque())
        self._came.move_to_end(session)
        while len(self._came) > MOST_SESSIONS:
            self._came.popitem(last=False)
        while came and came[0] <= now - WINDOW_S:
            came.popleft()
        if len(came) < self.budgets.requests_per_minute:
            came.append(now)
            return 0
        return max(1, math.ceil(came[0] + WINDOW_S - now))

    async def _know(self, now: float, age_s: float, *, waits: bool) -> None:
        """Have the ledger read if what is known is older, by one thread at a time."""
        read_at = self.spending.read_at
        if read_at is not None and now - read_at < age_s:
            return
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(asyncio.to_thread(self.spending.refresh))
        if waits:
            await asyncio.wait({self._reading}, timeout=PATIENCE_S)

    def _states(self, tier: str, session: str) -> list[State]:
        now, found = self._clock(), []
        for budget in self.budgets.budgets:
            of = which(budget.period, session, now)
            if budget.tier in ("", tier) and of:
                limit = budget.dollars + self.spending.allowed(budget.period, of)
                spent = self.spending.spent(budget.period, of, budget.tier)
                found.append(State(budget, of, spent, limit))
        return found

    def _refused(self, state: State, session: str) -> BudgetVerdict:
        if self.budgets.then is Then.CLAUDE:
            return BudgetVerdict(Step.CLAUDE, self._sentence(state, session))
        if self.budgets.then is Then.MODEL:
            return BudgetVerdict(Step.MODEL, self._sentence(state, session))
        return BudgetVerdict(Step.STOP, self._sentence(state, session))

    def _sentence(self, state: State, session: str) -> str:
        option = OPTION[state.budget.period].format(session=session)
        return (
            f"openclaude: {self._used(state)}. `openclaude budget allow {state.budget.dollars:.2f} "
            f"{option}` lets you go on; `openclaude profiles set {key_of(state.budget)} DOLLARS "
            f"--profile {self._profile}` changes the budget"
        )

    def _used(self, state: State) -> str:
        tier = f" for {state.budget.tier}" if state.budget.tier else ""
        return (
            f"the budget{tier} of {in_dollars(state.limit)} is used up: slots have cost "
            f"{in_dollars(state.spent)} {WHEN[state.budget.period]}"
        )

    def _warning(self, state: State, session: str) -> BudgetVerdict | None:
        key = (session, state.budget.period, state.of, state.budget.tier)
        if key in self._told:
            return None
        then = {
            Then.STOP: "then slots stop",
            Then.CLAUDE: "then Claude answers",
            Then.MODEL: f"then {self.budgets.route.model if self.budgets.route else ''} answers",
        }[self.budgets.then]
        tier = f" for {state.budget.tier}" if state.budget.tier else ""
        part = 100 * state.spent / state.limit
        notice = (
            f"[{part:.0f} % of the budget{tier} of {in_dollars(state.limit)} is used up "
            f"{WHEN[state.budget.period]}; {then}]\n\n"
        )
        return BudgetVerdict(notice=notice, key=key)


def key_of(budget: Budget) -> str:
    """Return the key of a profile that says how large a budget is."""
    return (
        f"tiers.{budget.tier}.budget_{budget.period}" if budget.tier else f"budget.{budget.period}"
    )


def in_dollars(dollars: float) -> str:
    """Return dollars for a sentence; small ones with as many places as say something."""
    return f"${dollars:.2f}" if dollars >= 0.1 or not dollars else f"${dollars:.4f}"
