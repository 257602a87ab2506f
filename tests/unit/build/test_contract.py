"""build/contract: a made-up client or LiteLLM is reported with the place to look at."""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openclaude.compatibility import Outcome, Trial, read_trials
from openclaude.litellm_version import LITELLM_VERSION
from tests.conftest import REPOSITORY
from tests.pinned import CLAUDE_VERSION

sys.path.insert(0, str(REPOSITORY / "build/contract.d"))  # build/ is not a package
import budgets
import compat
import places
import replay
from binary import names_in
from differences import differences
from exchanges import Exchange, Happened, Record, kept, load, save
from fetch import sampled
from judge import judge_client, judge_litellm
from litellm_names import look
from modes import MODES, flags
from page import render
from scrub import replacements, scrubbed
from situations import SITUATIONS

Change = Callable[[dict[str, Any], dict[str, str]], None]
NO_PROBLEMS = {"replayed": 2, "problems": []}


def exchange(
    model: str = "claude-opus-5-5",
    *,
    status: int = 200,
    target: str = "/v1/messages?beta=true",
    change: Change | None = None,
) -> Exchange:
    """Return a client's request, with body and headers changed by `change`."""
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": 9,
        "tools": [{"name": "Bash", "input_schema": {}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    }
    headers = {"anthropic-beta": "oauth-2025-04-20,effort-2025-11-24", "x-app": "cli"}
    if change:
        change(body, headers)
    return Exchange("POST", target, tuple(headers.items()), json.dumps(body), status)


def record(*exchanges: Exchange, version: str = "2.1.500", exit_status: str = "0") -> Record:
    """A record of one situation."""
    happened = {"bash": Happened(exit=exit_status, exchanges=list(exchanges))}
    binary = {"gates": ["tengu_old"], "betas": [], "endpoints": [], "models": [], "variables": []}
    return Record(version=version, date="2026-11-29", modes={"usual": happened}, binary=binary)


OLD = record(exchange(), exchange("openclaude-haiku"))


def page_of(*exchanges: Exchange, exit_status: str = "0", **binary: list[str]) -> tuple[str, str]:
    """Return the result and the page for a client that differs from OLD in this."""
    new = record(*exchanges, version="2.1.999", exit_status=exit_status)
    new.binary |= binary
    page = judge_client(OLD, new, NO_PROBLEMS)
    return page.result, render(page)


def new_beta(body: dict[str, Any], headers: dict[str, str]) -> None:
    headers["anthropic-beta"] += ",made-up-2027-01-01"


def new_key(body: dict[str, Any], headers: dict[str, str]) -> None:
    body["made_up"] = {"a": 1}


def new_block(body: dict[str, Any], headers: dict[str, str]) -> None:
    body["messages"][0]["content"].append({"type": "made_up"})


def new_tool(body: dict[str, Any], headers: dict[str, str]) -> None:
    body["tools"].append({"name": "made_up", "type": "made_up_20270101"})


MADE_UP = [
    pytest.param(
        new_beta, "openclaude-haiku", "beta `+ made-up-2027-01-01`", places.FIT, id="beta"
    ),
    pytest.param(new_key, "openclaude-haiku", "body key `+ made_up`", places.FIT, id="key"),
    pytest.param(new_key, "claude-opus-5-5", "body key `+ made_up`", "routing/router.py", id="raw"),
    pytest.param(new_block, "openclaude-haiku", "block `+ user: made_up`", "blocks.py", id="block"),
    pytest.param(new_tool, "openclaude-haiku", "tool type `+ made_up_2027", places.FIT, id="tool"),
]


@pytest.mark.parametrize(("change", "model", "name", "place"), MADE_UP)
def test_what_a_made_up_client_says_is_named_with_the_place_to_look_at(
    change: Change, model: str, name: str, place: str
) -> None:
    result, page = page_of(exchange(), exchange("openclaude-haiku"), exchange(model, change=change))

    assert result == "differs"
    (said,) = [one for one in page.split("\n* ") if one.startswith(name)]
    assert "usual: bash" in said
    assert place in said.partition("look at:")[2]


def test_a_made_up_model_is_named_with_the_routes() -> None:
    result, page = page_of(exchange("claude-made-up-9"), exchange("openclaude-haiku"))

    assert result == "differs"
    assert "model `+ claude-made-up-9`" in page
    assert places.ROUTES in page


def test_a_made_up_gate_is_named_with_the_mode_that_turns_it_on() -> None:
    gates = ["tengu_old", "tengu_made_up"]

    result, page = page_of(exchange(), exchange("openclaude-haiku"), gates=gates)

    assert result == "works"
    assert "gates: `+ tengu_made_up`" in page
    assert "build/contract.d/modes.py" in page


@pytest.mark.parametrize(
    ("exchanges", "exit_status", "said"),
    [
        ((exchange(), exchange("openclaude-haiku")), "1", "exit: 0 -> 1"),
        ((exchange(), exchange("openclaude-haiku", status=424)), "0", "+ 424 for POST"),
        ((exchange(status=0), exchange("openclaude-haiku")), "0", "+ 0 for POST"),
        ((exchange(target="/v1/made_up", status=404),), "0", "+ 404 for POST /v1/made_up"),
        ((), "0", "claude-opus-5-5: 1 -> 0"),
    ],
)
def test_what_worked_and_does_no_longer_is_a_break(
    exchanges: tuple[Exchange, ...], exit_status: str, said: str
) -> None:
    result, page = page_of(*exchanges, exit_status=exit_status)

    assert result == "broken"
    broken = page.partition("## Broken")[2].partition("\n## ")[0]
    assert said in broken
    assert "look at: " in broken


def test_a_way_that_is_no_longer_used_is_told_by_its_model_and_count_alone() -> None:
    _, page = page_of(exchange())

    assert "model `- openclaude-haiku`" in page
    assert "count `POST /v1/messages openclaude-haiku: 1 -> 0`" in page
    assert "body key" not in page


def test_a_problem_of_the_replay_is_a_break() -> None:
    problem = {"about": "2.1.999: openclaude-haiku: a request was not signed", "request": "abc"}

    page = judge_client(OLD, OLD, {"replayed": 1, "problems": [problem]})

    assert page.result == "broken"
    assert places.FIT in render(page)


def test_two_records_of_the_same_have_no_differences() -> None:
    assert differences(OLD, copy.deepcopy(OLD)) == []


# LiteLLM -----------------------------------------------------------------------------------------

FIGURES = {"start_method": "fork", "modules": 4000, "pss_mb": 400}


def litellm_page(names: list[dict[str, str]], **figures: Any) -> tuple[str, str]:
    """Return the result and the page for a LiteLLM with these figures and without these names."""
    checked = {
        **NO_PROBLEMS,
        "names": names,
        "budgets": {**FIGURES, **figures},
        "converse": {"2.1.500": {"a": [{"x": 1}]}},
    }
    base = {"budgets": FIGURES, "converse": {"2.1.500": {"a": [{"x": 1}]}}}
    page = judge_litellm(LITELLM_VERSION, "9.9.9", checked, base)
    return page.result, render(page)


def test_a_name_that_a_made_up_litellm_lacks_is_reported_with_its_user() -> None:
    (gone,) = look("json", ("dumps", "made_up"))

    result, page = litellm_page([{"user": "endpoint", "name": gone}])

    assert result == "broken"
    assert "LiteLLM 9.9.9 lacks `json.made_up`" in page
    assert "look at: openclaude/gateway/litellm/endpoint.py" in page


@pytest.mark.parametrize(
    ("figures", "place"),
    [
        ({"start_method": "spawn"}, "openclaude/run/supervisor/forkserver.py"),
        ({"modules": 5000}, "openclaude/gateway/litellm/warmup.py"),
        ({"pss_mb": 700}, "openclaude/gateway/litellm/warmup.py"),
    ],
)
def test_a_budget_that_is_exceeded_is_a_break(figures: dict[str, Any], place: str) -> None:
    result, page = litellm_page([], **figures)

    assert result == "broken"
    assert f"look at: {place}" in page


def test_a_litellm_that_is_slower_for_once_breaks_nothing() -> None:
    result, page = litellm_page([], start_s=99.0, slot_ms=500.0)

    assert result == "works"
    assert "start_s 99.0" in page


def test_a_body_that_is_not_the_accepted_one_is_shown() -> None:
    text = replay.changes([{"x": 1, "y": 2}], [{"x": 1, "y": 3}])

    assert "-" in text
    assert '+  "y": 3' in text


# Places, situations, versions --------------------------------------------------------------------


def test_every_place_is_a_file_of_ours() -> None:
    named = {one.file for one in (*places.ON_CLAUDE.values(), *places.ON_A_SLOT.values())}
    named |= {re.split(r" \(", text)[0] for text in budgets.PLACES.values()}

    assert {name for name in named if not (REPOSITORY / name).exists()} == set()


def test_situations_have_names_of_their_own_and_the_main_job_is_among_them() -> None:
    names = [one.name for one in SITUATIONS]

    assert len(names) >= 60
    assert len(set(names)) == len(names)
    assert 5 <= sum(one.is_main_job for one in SITUATIONS) < 20
    assert [mode.name for mode in MODES] == ["usual", "quiet", "gates", "host"]


def test_gates_that_stop_the_client_stay_off() -> None:
    turned_on = flags(["tengu_new_thing", "tengu_kill_switch"])["cachedFeatureFlags"]

    assert turned_on == {"tengu_new_thing": True}


def test_names_are_found_in_a_program(tmp_path: Path) -> None:
    path = tmp_path / "claude"
    path.write_bytes(
        b'\0x("tengu_a",!1);y("tengu_b",!0);z="made-up-2027-01-01";p="/v1/messages/made_up";'
        b'm="claude-opus-9";e=process.env.CLAUDE_CODE_MADE_UP;\xff'
    )

    assert names_in(path) == {
        "gates": ["tengu_a"],
        "betas": ["made-up-2027-01-01"],
        "endpoints": ["/v1/messages/made_up"],
        "models": ["claude-opus-9"],
        "variables": ["CLAUDE_CODE_MADE_UP"],
    }


def test_about_every_25th_version_is_sampled_with_the_newest_and_the_pinned() -> None:
    versions = [f"2.1.{number}" for number in range(90, 190, 2)] + ["2.1.999-beta"]

    assert sampled(versions, "2.1.180") == ["2.1.110", "2.1.136", "2.1.162", "2.1.180", "2.1.188"]


def test_a_trial_of_less_replaces_one_of_more_only_with_bad_news(tmp_path: Path) -> None:
    path = tmp_path / "compat.json"
    works = Trial("2.1.1", "1.0.0", Outcome.WORKS, "2026-01-01", "all")
    later = works._replace(scope="main job", date="2026-02-02")
    broken = later._replace(outcome=Outcome.BROKEN)
    for trial, expected in [(works, works), (later, works), (broken, broken), (works, works)]:
        compat.note(trial, path)

        assert read_trials(path) == (expected,)


def test_the_table_that_is_shipped_has_the_pinned_versions() -> None:
    outcomes = {(one.claude, one.litellm): one.outcome for one in read_trials()}

    assert outcomes[CLAUDE_VERSION, LITELLM_VERSION] is Outcome.WORKS


# Records -----------------------------------------------------------------------------------------


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    save(OLD, tmp_path / "2.1.500.json.xz")

    assert load(kept(tmp_path)["2.1.500"]) == OLD


def test_what_is_of_one_run_is_taken_out() -> None:
    words = replacements({"/srv/a_b/home": "/home/nobody"})
    text = (
        "/srv/a_b/home/x -srv-a-b-home-x sk-ant-oat01-CANARY-1 127.0.0.1:33221 "
        "0b5be6a4-1111-4222-8333-abcdefabcdef toolu_01aaaaaaaaaa toolu_01bbbbbbbbbb "
        "toolu_01aaaaaaaaaa 2026-11-29T10:11:12.123Z"
    )

    assert scrubbed(text, words).split() == [
        "/home/nobody/x",
        "-home-nobody-x",
        "sk-ant-oat01-nobody",
        "127.0.0.1:4000",
        "00000000-0000-4000-8000-000000000000",
        f"toolu_01{1:022d}",
        f"toolu_01{2:022d}",
        f"toolu_01{1:022d}",
        "2026-01-01T00:00:00Z",
    ]


PERSONAL = re.compile(
    r"CANARY|/tmp/contract-|-tmp-contract-|\bsk-ant-o[ar]t01-(?!nobody)|\bAKIA"
    r"|\b(?!00000000-0000-4000-8000-0{12})[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|[\w.+-]+@(?!anthropic\.com|example\.com)[\w-]+\.(com|org|net|de)\b"
)


@pytest.mark.slow
@pytest.mark.parametrize("version", kept())
def test_a_kept_record_holds_nothing_of_a_person_or_a_machine(version: str) -> None:
    found: set[str] = set()
    for one in load(kept()[version]).exchanges():
        text = f"{one.target} {one.headers} {one.body}"
        found |= {text[max(0, m.start() - 40) : m.end() + 40] for m in PERSONAL.finditer(text)}

    assert found == set()


def test_the_pinned_claude_has_a_record_in_every_mode() -> None:
    record_of_the_pin = load(kept()[CLAUDE_VERSION])

    assert set(record_of_the_pin.modes) == {mode.name for mode in MODES}
