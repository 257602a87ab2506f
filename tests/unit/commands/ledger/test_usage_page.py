"""`usage --html` and `--managed-settings`: what is written, and that no name can do harm."""

from __future__ import annotations

import argparse
import json
import re
import stat
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from openclaude.commands.ledger import charts, page, pricing, usage
from openclaude.contracts.routing import ModelPrices, RoutingTable
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.ledger.entry import RequestEntry, Via
from openclaude.ledger.store import add, ledger_file, open_to_write
from openclaude.output import Result
from openclaude.paths import find_places
from tests.unit.ledger.entries import entry

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;"
PLAN: dict[str, Any] = {"via": Via.PLAN, "tier": "opus", "answered": "claude-opus-5-5"}
PLAN |= {"dollars": None, "used_5h": 0.17, "used_7d": 1.25, "resets_5h": 1_690_000_900}

Run = Callable[..., Result]


class Read(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in ("meta", "line"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that it was open."""
        if tag not in ("line", "rect", "path"):
            while self.open[-1] in ("rect", "path"):
                self.open.pop()
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Fill a ledger and run the command."""
    places = find_places({"HOME": str(tmp_path)})

    def call(entries: tuple[RequestEntry, ...], *arguments: str) -> Result:
        connection = open_to_write(ledger_file(places.state))
        add(connection, entries)
        connection.close()
        parser = argparse.ArgumentParser()
        usage.add_arguments(parser)
        given = parser.parse_args(arguments)
        given.profile = given.named or given.profile
        return usage.run(given, places, {})

    return call


def days(number: int) -> tuple[RequestEntry, ...]:
    """Return entries of several days, with a gap."""
    every = [entry(at=1_790_000_000.0 + 86400 * day, tokens_in=1000 * day) for day in range(number)]
    return (*every, entry(**PLAN, at=1_790_000_000.0 + 86400 * (number + 3)))


def test_a_page_has_everything_and_loads_nothing(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "usage.html"

    said = run(days(5), "--html", str(target))

    text = target.read_text()
    found = Read(text)
    assert said.text == f"written: {target}\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert found.open == []
    assert found.tags.count("svg") == 5
    assert not {"script", "link", "img", "iframe", "object"} & {*found.tags}
    assert not [name for name, _ in found.attributes if name.startswith("on") or name == "src"]
    assert "//" not in re.sub(r"<style>.*</style>", "", text, flags=re.DOTALL)
    assert "prefers-color-scheme:dark" in text
    assert "17 % of the five hours used (new since " in text
    assert 'style="width:100.0%"' in text  # more than the whole week
    assert {"Dollars by day", "Tokens by day", "Tokens by tier", "Models"} <= {*found.texts}


def test_no_name_can_do_harm(run: Run) -> None:
    hostile = entry(answered=HOSTILE, tier=HOSTILE, profile=HOSTILE, project=HOSTILE)

    text = run((hostile,), HOSTILE, "--html", "-").text

    found = Read(text)
    assert HOSTILE in found.texts
    assert not {"script", "img"} & {*found.tags}
    assert not [name for name, _ in found.attributes if name.startswith("on")]


@pytest.mark.parametrize(
    "entries",
    [
        (entry(tokens_in=None, tokens_out=None, dollars=None, first_ms=None, status=0),),
        (entry(**PLAN),),
        days(200),
        (entry(at=0.0), entry(at=4e9)),
        tuple(entry(answered=f"bedrock/{n}" * 20, tier="") for n in range(30)),
    ],
)
def test_a_page_can_be_made_of_any_ledger(run: Run, entries: tuple[RequestEntry, ...]) -> None:
    text = run(entries, "--html", "-").text

    found = Read(text)
    assert found.open == []
    assert not re.search(r"\b(nan|inf|None)\b", re.sub(r"<style>.*</style>", "", text))
    assert found.tags.count("rect") < 1000


def test_a_page_without_a_request_says_so(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "usage.html"
    parser = argparse.ArgumentParser()
    usage.add_arguments(parser)

    said = usage.run(
        parser.parse_args(["--html", str(target)]), find_places({"HOME": str(tmp_path)}), {}
    )

    assert said.text == f"written: {target}\n"
    assert said.data == {"html": str(target)}
    pages = [target.read_text(), run((entry(),), "base", "--html", "-").text]
    for found in map(Read, pages):
        assert found.open == []
        assert "No such request was written down yet." in found.texts
        assert "svg" not in found.tags


def test_what_is_no_file_is_written_to_and_not_replaced(run: Run, tmp_path: Path) -> None:
    link = tmp_path / "full"
    link.symlink_to("/dev/null")

    run(days(1), "--html", str(link))

    assert link.is_symlink()
    for place in ("/nowhere/x", str(tmp_path)):
        with pytest.raises(OpenclaudeError, match=re.escape(f"cannot write `{place}`")):
            run(days(1), "--html", place)


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (0.9, 1), (1, 1), (1.01, 2), (3, 4), (41, 50), (81, 100)]
)
def test_an_axis_ends_at_a_round_number(value: float, top: float) -> None:
    assert charts.rounded_up(value) == pytest.approx(top)


def test_days_without_a_request_are_shown_too() -> None:
    assert page.every_day(["2026-11-30", "2026-11-28"]) == [
        "2026-11-28",
        "2026-11-29",
        "2026-11-30",
    ]
    assert len(page.every_day(["2020-01-01", "2026-11-30"])) == page.MOST_DAYS
    assert page.every_day([]) == []


def test_only_one_form_is_printed(run: Run) -> None:
    with pytest.raises(UsageError, match="`--csv` and `--managed-settings` exclude each other"):
        run((), "--csv", "--managed-settings")


def plan_with(tiers: list[tuple[str, str, str]], models: dict[str, ModelPrices]) -> Any:
    """Return as much of a plan as is read; a tier is its slot, model, and id of Claude's."""
    table = RoutingTable(slots={}, models=models)
    unit = SimpleNamespace(name="main", environment={"OPENCLAUDE_ROUTES": table.to_json()})
    made = [SimpleNamespace(slot=one, model=model, behaves_as=of) for one, model, of in tiers]
    return SimpleNamespace(units=(unit,), profile="qwen", tiers=made)


def test_claude_gets_the_prices_of_a_million_tokens_by_the_ids_it_asks_for() -> None:
    qwen = ModelPrices(provider="bedrock", input=0.15e-6, output=1.2e-6, cache_read=0.01e-6)
    unknown = ModelPrices(provider="openai", input=1e-6)
    tiers = [
        ("openclaude-haiku", "bedrock/qwen", "claude-haiku-5-5"),
        ("openclaude-opus", "bedrock/qwen", ""),
        ("openclaude-sonnet", "openai/x", "claude-sonnet-5-5"),
        ("", "claude", ""),
    ]

    settings = pricing.managed_settings(
        plan_with(tiers, {"bedrock/qwen": qwen, "openai/x": unknown})
    )

    rates = {"input": 0.15, "output": 1.2, "cacheRead": 0.01, "cacheWrite": 0.15}
    assert json.loads(json.dumps(settings)) == {
        "modelPricing": {"overrides": {"claude-haiku-5-5": rates, "openclaude-opus": rates}}
    }


def test_without_a_known_price_there_is_nothing_to_print() -> None:
    with pytest.raises(UsageError, match="no slot of the profile `qwen` has a known price"):
        pricing.managed_settings(plan_with([("openclaude-haiku", "a/b", "")], {}))
