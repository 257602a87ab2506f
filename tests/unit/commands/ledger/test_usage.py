"""`openclaude usage` and `openclaude requests`: what is shown of a ledger, at any width."""

from __future__ import annotations

import argparse
import csv
import io
import os
import re
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from openclaude.commands.ledger import budget, requests, usage
from openclaude.commands.ledger.words import LedgerUnreadable, clock, money, since, tokens
from openclaude.contracts.budget import Budget, Budgets, Period
from openclaude.errors import UsageError
from openclaude.ledger.entry import RequestEntry, Via
from openclaude.ledger.store import add, ledger_file, open_to_write
from openclaude.ledger.sums import PlanUse, Sums
from openclaude.output import Result
from openclaude.paths import Places, find_places
from openclaude.profile.names import BadProfileName, UnknownProfile
from tests.unit.ledger.entries import entry

Run = Callable[..., Result]
PLAN: dict[str, Any] = {
    "via": Via.PLAN,
    "tier": "opus",
    "asked": "claude-opus-5-5",
    "answered": "claude-opus-5-5",
}
PLAN |= {"provider": "anthropic", "dollars": None, "used_5h": 0.17, "used_7d": 0.05}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """The folders of a user without a ledger."""
    return find_places({"HOME": str(tmp_path)})


@pytest.fixture
def fill(places: Places) -> Callable[..., None]:
    """Write entries."""

    def write(*entries: RequestEntry) -> None:
        connection = open_to_write(ledger_file(places.state))
        add(connection, entries)
        connection.close()

    return write


@pytest.fixture
def run(places: Places) -> Run:
    """Run one of both commands."""

    def call(module: Any, *arguments: str) -> Result:
        parser = argparse.ArgumentParser()
        module.add_arguments(parser)
        given = parser.parse_args(arguments)
        named = getattr(given, "named", None)
        given.profile = given.profile if named is None else named
        return module.run(given, places, os.environ)  # type: ignore[no-any-return]

    return call


def test_without_a_ledger_it_says_so(run: Run) -> None:
    assert run(usage).text.startswith("no request was written down yet")
    assert run(usage).data["total"]["requests"] == 0  # type: ignore[index]
    assert run(requests).text == "no such request was written down yet\n"


def test_a_profile_that_nobody_has_is_named_and_one_whose_file_is_gone_is_shown(
    run: Run, fill: Callable[..., None]
) -> None:
    with pytest.raises(UnknownProfile) as unknown:
        run(usage, "qwem")
    assert unknown.value.hint == "did you mean `qwen`?"

    fill(entry(profile="removed"))

    assert run(usage, "removed").data["total"]["requests"] == 1  # type: ignore[index]
    assert "$" in run(requests, "removed").text
    assert run(usage, "qwen").data["total"]["requests"] == 0  # type: ignore[index]
    for module in (usage, requests):
        with pytest.raises(UnknownProfile) as unknown:
            run(module, "remove")
        assert unknown.value.hint == "did you mean `removed`?"
    with pytest.raises(UnknownProfile) as mistyped:
        run(requests, "shwo")
    assert mistyped.value.hint == "did you mean `show`?"
    for empty in ("", "NOPE"):
        with pytest.raises(BadProfileName):
            run(usage, "--profile", empty)


@pytest.mark.parametrize("module", [requests, budget])
def test_two_profiles_are_not_one_profile(run: Run, module: Any) -> None:
    with pytest.raises(UsageError, match="two profiles are named: `qwen` and `base`"):
        run(module, "qwen", "--profile", "base")


def test_sums_are_by_tier_with_the_plan_and_what_it_was_spared(
    run: Run, fill: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    fill(
        entry(), entry(cache_read=3000, dollars=0.002), entry(**PLAN), entry(status=429, error="x")
    )

    text = run(usage).text

    first, haiku, opus, total, *rest = text.splitlines()
    assert first == "tier   requests  errors     in  cached  out  first byte     cost"
    assert haiku.split()[:4] == ["haiku", "3", "1", "6.00k"]
    assert "█" in haiku
    assert opus.split()[:5] == ["opus", "1", "-", "1.00k", "-"]
    assert total.split()[:3] == ["total", "4", "1"]
    assert any("17 % of its five hours used, 5 % of its week" in line for line in rest)
    assert any("in place of your plan: 5.20k tokens; at Claude's list prices: $" in r for r in rest)


@pytest.mark.parametrize("group", ["tier", "model", "day", "project"])
@pytest.mark.parametrize("width", [20, 40, 60, 61, 80, 100, 200])
def test_a_table_fits_any_screen_with_bars_where_there_is_room(
    run: Run, fill: Callable[..., None], monkeypatch: pytest.MonkeyPatch, width: int, group: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    fill(
        entry(project="/home/somebody/a-longer-name/of-a-project", cache_read=10),
        entry(**PLAN, at=1_790_200_000.0),
    )

    text = run(usage, "--by", group).text

    assert max(map(len, text.splitlines())) <= width or width == 20
    assert "$0.0010" in text
    assert ("\u2588" in text) >= (width >= 120)
    gone = [one for one in usage.SPARE if one not in text.split("not shown")[0]]
    assert ("not shown in" in text) == bool(gone)


def test_in_a_file_a_table_is_as_wide_as_it_is(
    run: Run, fill: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    fill(entry(project="/" + "x" * 300), entry())

    lines = run(usage, "--by", "project").text.splitlines()

    assert [len(line.split()) for line in lines[1:4]] == [9, 9, 9]


def test_bars_are_coloured_where_colours_are_wanted(
    run: Run, fill: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    fill(entry(), entry(tier="opus", dollars=0.0005))

    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[36m\u2588" in run(usage).text
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run(usage).text


def test_a_time_without_a_name_is_shown_as_a_number() -> None:
    assert clock(1e15) == "1e+15 s"


def test_bars_are_as_long_as_what_they_show() -> None:
    assert [len(usage.bar(length)) for length in (0, 0.01, 0.125, 1, 1.5, 9)] == [0, 0, 1, 1, 2, 9]


def test_the_plans_quota_says_when_it_begins_anew() -> None:
    quota = PlanUse(100.0, 0.5, 0.25, 2_000, 9_000)

    (_, line) = usage.lines(Sums(), quota, (0, 0.0), 5_000.0)

    five, week = line.split(", ")
    assert " (new since " in five
    assert " (new at " in week


def test_requests_are_chosen_by_time_and_profile(run: Run, fill: Callable[..., None]) -> None:
    now = time.time()
    fill(entry(at=now), entry(at=now - 3 * 86400, profile="glm"), entry(at=now - 30 * 86400))

    def number(*arguments: str) -> Any:
        return run(usage, *arguments).data["total"]["requests"]  # type: ignore[index]

    assert [number(), number("--since", "7d"), number("--since", "1h")] == [3, 2, 1]
    assert number("glm") == 1
    assert number("--since", datetime.fromtimestamp(now - 86400).date().isoformat()) == 1
    rows: Any = run(usage, "--by", "day").data["rows"]
    assert [row["day"] for row in rows] == sorted(
        datetime.fromtimestamp(now - days * 86400).date().isoformat() for days in (0, 3, 30)
    )


def test_comma_separated_values_are_the_same_numbers(run: Run, fill: Callable[..., None]) -> None:
    fill(entry(answered='a "model", odd'), entry(**PLAN))

    rows = list(csv.DictReader(io.StringIO(run(usage, "--by", "model", "--csv").text)))

    assert [row["model"] for row in rows] == ['a "model", odd', "claude-opus-5-5"]
    assert rows[0]["usd"] == "0.001"


def test_a_line_says_what_went_wrong(run: Run, fill: Callable[..., None]) -> None:
    fill(
        entry(agent="Explore"),
        entry(status=429, error="rate_limit_error", tokens_in=None, tokens_out=None, dollars=None),
        entry(is_cut=1),
        entry(error="overloaded_error"),
        entry(status=0, is_cut=1),
        entry(**PLAN),
    )

    lines = run(requests).text.splitlines()

    assert lines[0].endswith("bedrock/qwen (Explore)  1.00k in, 100 out  $0.0010  0.9 s")
    assert lines[1].endswith("- in, - out  -  0.9 s  429 rate_limit_error")
    assert [line.rpartition(" s")[2].strip() for line in lines[2:]] == [
        "cut",
        "overloaded_error in mid-stream",
        "no answer",
        "",
    ]
    assert "  plan  " in lines[5]
    assert len(run(requests, "--errors").text.splitlines()) == 4
    assert run(requests, "-n", "2").text.splitlines() == lines[4:]


def test_one_request_is_shown_with_its_reason(run: Run, fill: Callable[..., None]) -> None:
    fill(entry(is_fallback=1), entry(via=Via.ON_LIMIT), entry(via="of a later version"))

    assert "why          a fallback of the tier's model\n" in run(requests, "show", "1").text
    assert "the plan's limit was reached" in run(requests, "show", "2").text
    assert "of a later version" in run(requests, "show", "3").text
    assert "$0.0010 by litellm 1" in run(requests, "show", "1").text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show",), "`show` needs a number"),
        (("shwo", "1"), "unknown: `shwo`"),
        (("show", "7"), "no request has the number 7"),
        (("-n", "-1"), "`--lines` takes a number of 0 or more"),
        (("-f", "--json"), "exclude each other"),
    ],
)
def test_what_cannot_be_shown_is_named(
    run: Run, fill: Callable[..., None], arguments: tuple[str, ...], sentence: str
) -> None:
    fill(entry())

    with pytest.raises(UsageError, match=sentence):
        run(requests, *arguments)


def test_a_ledger_that_is_none_is_named_with_what_to_do(run: Run, places: Places) -> None:
    path = ledger_file(places.state)
    path.parent.mkdir(parents=True)
    path.write_text("not a database, but more than sixteen bytes")

    with pytest.raises(LedgerUnreadable, match="cannot be read") as raised:
        run(usage)
    assert f"mv {path}" in raised.value.hint


@pytest.mark.parametrize("text", ["", "7", "7y", "yesterday", "2026-13-01", "999999d9"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="takes a time ago or a date"):
        since(text, datetime.now().astimezone())


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "-"), (0, "0"), (999, "999"), (1000, "1.00k"), (12_345, "12.3k"), (123_456, "123k")],
)
def test_tokens_are_short(number: int | None, text: str) -> None:
    assert tokens(number) == text
    assert tokens(4_560_000) == "4.56M"


def test_dollars_have_the_places_that_matter() -> None:
    assert [money(one) for one in (None, 0.0, 0.00123, 12.345)] == [
        "-",
        "$0.00",
        "$0.0012",
        "$12.35",
    ]


def test_more_is_allowed_for_a_day_a_month_or_a_session_and_adds_up(
    run: Run, places: Places
) -> None:
    month = datetime.now().astimezone().date().isoformat()[:7]

    first = run(budget, "allow", "2.00", "--today")
    again = run(budget, "allow", "0.5", "--today")

    assert first.text.startswith(f"$2.0000 more for day {month}")
    assert (again.data["usd"], again.data["allowed_usd"]) == (0.5, 2.5)
    assert run(budget, "allow", "1", "--month").data["which"] == month
    assert run(budget, "allow", "1", "--session", "s").data["which"] == "s"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("allow", "2"), "`allow` needs to know for how long"),
        (("allow", "--today"), "`allow` takes dollars, more than 0 and at most 10000"),
        (("allow", "nan", "--today"), "`allow` takes dollars"),
        (("allow", "-1", "--today"), "`allow` takes dollars"),
        (("allow", "1e9", "--today"), "`allow` takes dollars"),
        (("grant", "1"), "unknown action `grant`"),
    ],
)
def test_what_cannot_be_allowed_is_said(run: Run, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        run(budget, *arguments)


def test_budgets_are_shown_with_what_is_left(
    run: Run, fill: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = budgets_of(
        Budget(period=Period.DAY, dollars=5.0),
        Budget(period=Period.SESSION, dollars=1.0),
        Budget(period=Period.MONTH, dollars=2.0, tier="opus"),
    )
    monkeypatch.setattr(budget, "find_plan", lambda *_: plan)
    fill(entry(at=time.time(), dollars=1.25))
    run(budget, "allow", "2.00", "--today")

    shown = run(budget)

    rows = [line.split() for line in shown.text.splitlines()]
    assert rows[0] == ["budget", "spent", "of", "left"]
    assert rows[1] == ["day", "$1.2500", "$7.0000", "$5.7500"]
    assert rows[2] == ["session", "-", "$1.0000", "-"]
    assert rows[3] == ["month", "opus", "$0.00", "$2.0000", "$2.0000"]
    assert "when one is used up: slots stop" in shown.text
    assert shown.data["budgets"][0]["limit_usd"] == 7.0  # type: ignore[index]
    monkeypatch.setattr(budget, "find_plan", lambda *_: budgets_of())
    assert "has no budget" in run(budget).text


def budgets_of(*budgets: Budget) -> Any:
    """Return as much of a plan as the command reads."""
    main = SimpleNamespace(
        name="main", environment={"OPENCLAUDE_BUDGET": Budgets(budgets=budgets).to_json()}
    )
    return SimpleNamespace(units=[main])


def test_a_page_says_what_was_tried_and_changed(run: Run, fill: Callable[..., None]) -> None:
    tried = '[{"model": "bedrock/first", "status": 429, "error": "rate_limit_error", "ms": 40}]'
    fill(entry(attempts=tried, changes="removed: thinking\nmax_tokens 9 -> 5", project="/home/u/p"))

    shown = run(requests, "show", "1")

    assert "tried before bedrock/first: 429 rate_limit_error after 40 ms\n" in shown.text
    assert "changed      removed: thinking\nchanged      max_tokens 9 -> 5\n" in shown.text
    assert "project      /home/u/p\n" in shown.text
    assert shown.data["changes"] == ["removed: thinking", "max_tokens 9 -> 5"]
    rows: Any = run(usage, "--by", "project").data["rows"]
    assert [row["project"] for row in rows] == ["/home/u/p"]
