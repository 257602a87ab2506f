"""The guided start: a slip of the keys, and what the first answer has cost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from openclaude.commands.guide import guide, menus
from openclaude.commands.guide.trial import price_of
from openclaude.contracts.plan import Plan
from openclaude.paths import find_places
from openclaude.plan_cache import find_plan

MILLION = 1_000_000


def test_a_region_that_there_is_not_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = ["us-wset-2", "nowhere" * 20, "", "unasked"]
    monkeypatch.setattr(menus, "text", lambda _question, _likely: answers.pop(0))

    assert guide.aws_region("eu-west-1") == "eu-west-1"

    told = capsys.readouterr().err
    assert "AWS has no region `us-wset-2`; did you mean `us-west-2`?" in told
    assert max(map(len, told.splitlines())) < 80
    assert answers == ["unasked"]


@pytest.fixture
def plan_of(tmp_path: Path) -> Callable[[str], Plan]:
    return lambda name: find_plan(name, find_places({"HOME": str(tmp_path)}), {})


@pytest.mark.parametrize(
    ("name", "answered_by"),
    [
        ("qwen", "bedrock/qwen.qwen3-next-80b-a3b"),
        ("qwen", "None"),
        ("bedrock", "Claude Haiku 5.5 (bedrock)"),
    ],
)
def test_the_first_answer_is_priced_as_the_ledger_prices_it(
    plan_of: Callable[[str], Plan], name: str, answered_by: str
) -> None:
    def paid(tokens_in: int, tokens_out: int) -> float:
        return price_of(plan_of(name), "haiku", answered_by, tokens_in, tokens_out) or 0.0

    assert paid(MILLION, 0) > 0
    assert paid(0, MILLION) > paid(MILLION, 0)
    assert paid(MILLION, MILLION) == pytest.approx(paid(MILLION, 0) + paid(0, MILLION))


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        (None, "price unknown"),
        (0.0, "$0.00"),
        (0.000012, "less than $0.0001"),
        (0.0123, "$0.0123"),
    ],
)
def test_a_cost_is_said_so_that_it_says_something(dollars: float | None, said: str) -> None:
    assert guide.cost(dollars) == said


def test_an_answer_without_a_price_has_none(plan_of: Callable[[str], Plan]) -> None:
    assert price_of(plan_of("offline"), "haiku", "x", 10, 10) in (None, 0.0)
