"""Budgets: who may answer at which sum, what is said, and that nobody waits for the ledger."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from openclaude.contracts.budget import Budget, Budgets, Period, Then
from openclaude.contracts.routing import SlotRoute
from openclaude.gateway.routing import budget as module
from openclaude.gateway.routing.budget import BudgetGate, BudgetVerdict, Step
from openclaude.ledger.entry import RequestEntry

DAY = Budget(period=Period.DAY, dollars=5.0)
OF_HAIKU = Budget(period=Period.MONTH, dollars=1.0, tier="haiku")
OF_SESSION = Budget(period=Period.SESSION, dollars=0.02)


class Known:
    """Stands in for the spending: it is as told, and the ledger says something else."""

    def __init__(self, spent: dict[tuple[Period, str], float], allowed: float = 0.0) -> None:
        self.read_at: float | None = time.monotonic()
        self.sums = spent  # by period and tier
        self.more = allowed
        self.reads = 0
        self.may_read = threading.Event()
        self.may_read.set()

    def count(self, entry: RequestEntry) -> RequestEntry:
        """Not used here."""
        raise NotImplementedError

    def spent(self, period: Period, of: str, tier: str) -> float:
        """Return what was told."""
        assert of
        return self.sums.get((period, tier), 0.0)

    def allowed(self, period: Period, of: str) -> float:
        """Return what was told, for a day."""
        assert of
        return self.more if period is Period.DAY else 0.0

    def refresh(self) -> str:
        """Read, when that is possible."""
        self.reads += 1
        self.may_read.wait(5)
        self.read_at = time.monotonic()
        return ""


def judged(
    known: Known, *budgets: Budget, tier: str = "haiku", session: str = "s", **more: Any
) -> BudgetVerdict:
    """Return the verdict about one request."""
    gate = BudgetGate(Budgets(budgets=budgets, **more), known, "qwen")
    return asyncio.run(gate.judge(tier, session))


@pytest.mark.parametrize(
    ("spent", "step"), [(0.0, Step.GO), (4.9999, Step.GO), (5.0, Step.STOP), (9.0, Step.STOP)]
)
def test_a_budget_holds_until_it_is_used_up(spent: float, step: Step) -> None:
    assert judged(Known({(Period.DAY, ""): spent}), DAY).step is step


def test_the_sentence_says_which_budget_what_was_spent_and_how_to_go_on() -> None:
    of_day = judged(Known({(Period.DAY, ""): 5.03}), DAY)
    of_tier = judged(Known({(Period.MONTH, "haiku"): 2.0}), OF_HAIKU)
    of_session = judged(Known({(Period.SESSION, ""): 0.0234}), OF_SESSION, session="abc-1")

    assert of_day.sentence == (
        "openclaude: the budget of $5.00 is used up: slots have cost $5.03 today. `openclaude "
        "budget allow 5.00 --today` lets you go on; `openclaude profiles set budget.day DOLLARS "
        "--profile qwen` changes the budget"
    )
    assert "the budget for haiku of $1.00 is used up: slots have cost $2.00 this month" in (
        of_tier.sentence
    )
    assert "set tiers.haiku.budget_month DOLLARS" in of_tier.sentence
    assert "of $0.0200 is used up: slots have cost $0.0234 in this session" in of_session.sentence
    assert "budget allow 0.02 --session abc-1`" in of_session.sentence


def test_a_tiers_budget_and_a_sessions_hold_for_no_other() -> None:
    known = Known({(Period.MONTH, "haiku"): 2.0, (Period.SESSION, ""): 1.0})

    assert judged(known, OF_HAIKU, tier="opus").step is Step.GO
    assert judged(known, OF_SESSION, session="").step is Step.GO  # no session of claude's


@pytest.mark.parametrize(
    ("more", "step"),
    [
        ({"then": Then.CLAUDE}, Step.CLAUDE),
        ({"then": Then.MODEL, "slot": "x", "route": SlotRoute(model="cheap")}, Step.MODEL),
    ],
)
def test_another_one_answers_then_if_the_profile_says_so(more: Any, step: Step) -> None:
    assert judged(Known({(Period.DAY, ""): 5.0}), DAY, **more).step is step


def test_what_was_allowed_meanwhile_is_asked_for_before_a_request_is_refused() -> None:
    known = Known({(Period.DAY, ""): 5.0})
    known.read_at = time.monotonic() - 2 * module.AGAIN_S

    def allow() -> str:
        known.more = 2.0
        known.read_at = time.monotonic()
        return ""

    known.refresh = allow  # type: ignore[method-assign]

    assert judged(known, DAY).step is Step.GO


def test_a_session_is_told_once_at_four_fifths_and_again_of_another_budget() -> None:
    known = Known({(Period.DAY, ""): 4.0})
    gate = BudgetGate(Budgets(budgets=(DAY, OF_SESSION)), known, "qwen")

    def ask(session: str = "s", *, is_shown: bool = True) -> str:
        verdict = asyncio.run(gate.judge("haiku", session))
        if is_shown:
            gate.told(verdict)
        return verdict.notice

    first = "[80 % of the budget of $5.00 is used up today; then slots stop]\n\n"
    assert ask(is_shown=False) == first  # nobody has read it
    assert [ask(), ask(), ask("t"), ask("t")] == [first, "", first, ""]
    known.sums[Period.SESSION, ""] = 0.019
    assert (
        ask() == "[95 % of the budget of $0.0200 is used up in this session; then slots stop]\n\n"
    )
    known.sums = {(Period.DAY, ""): 3.9}
    assert ask("u") == ""


def test_a_request_does_not_wait_for_a_ledger_that_is_locked() -> None:
    known = Known({(Period.DAY, ""): 1.0})
    known.read_at = time.monotonic() - 10 * module.FRESH_S
    known.may_read.clear()
    gate = BudgetGate(Budgets(budgets=(DAY,)), known, "qwen")

    async def ask() -> float:
        began = time.monotonic()
        for _ in range(20):
            assert (await gate.judge("haiku", "s")).step is Step.GO
        took = time.monotonic() - began
        known.may_read.set()
        return took

    assert asyncio.run(ask()) < 0.5
    assert known.reads == 1


def test_a_ledger_that_stays_locked_lets_the_first_request_go_on_after_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.05)
    known = Known({})
    known.read_at = None
    known.may_read.clear()

    async def ask() -> BudgetVerdict:
        verdict = await BudgetGate(Budgets(budgets=(DAY,)), known, "qwen").judge("haiku", "s")
        known.may_read.set()
        return verdict

    assert asyncio.run(ask()).step is Step.GO


def test_a_loop_is_braked_and_another_session_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("openclaude.gateway.routing.budget.time.monotonic", lambda: now)
    gate = BudgetGate(Budgets(requests_per_minute=3), Known({}), "qwen")

    def ask(session: str = "s") -> BudgetVerdict:
        return asyncio.run(gate.judge("haiku", session))

    assert [ask().step for _ in range(4)] == [Step.GO, Step.GO, Step.GO, Step.WAIT]
    assert ask("t").step is Step.GO
    now += 59.5
    assert (ask().step, ask().wait_s) == (Step.WAIT, 1)
    assert "allows no more; the next one can go in 1 s" in ask().sentence
    now += 0.5
    assert [ask().step for _ in range(4)] == [Step.GO, Step.GO, Step.GO, Step.WAIT]


@pytest.mark.parametrize("jump_s", [-10 * 365 * 86400.0, 10 * 365 * 86400.0, 6e9])
def test_a_clock_that_jumps_refuses_nothing(jump_s: float) -> None:
    known = Known({})
    gate = BudgetGate(
        Budgets(budgets=(DAY, OF_HAIKU)), known, "qwen", clock=lambda: time.time() + jump_s
    )

    assert asyncio.run(gate.judge("haiku", "s")).step is Step.GO
