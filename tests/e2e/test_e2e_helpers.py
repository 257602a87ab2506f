"""claude's own helpers on a rerouted tier: what only Anthropic can answer reaches it, no more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.base.exchange import Recorded
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.conftest import need
from tests.e2e import raw
from tests.e2e.canaries import requests_with
from tests.e2e.house import OPENCLAUDE, PROFILE, House, login_headers, question
from tests.e2e.terminal import Terminal

# Claude's own model of the tier
HAIKU = "claude-haiku-5-5"
SEARCH = script.tool("WebSearch", {"query": "the price of tea"})
SEARCHING = ("--allowedTools", "WebSearch")
# a feature switch of Anthropic's, cached by claude: WebSearch asks the haiku model
HAIKU_SEARCHES = "tengu_plum_vx3"


@pytest.fixture
def switch(house: House) -> Iterator[Any]:
    """Set one of Anthropic's feature switches in claude's own file, for the test's duration."""
    path = house.home / ".claude.json"
    before = path.read_text()

    def turn(is_on: bool) -> None:
        values = json.loads(before)
        values["cachedFeatureFlags"] = {HAIKU_SEARCHES: is_on}
        house.write(".claude.json", json.dumps(values))

    yield turn
    house.write(".claude.json", before)


def searches(requests: tuple[Recorded, ...]) -> list[Any]:
    """Return the requests with a server tool."""
    bodies = [request.json() for request in requests if request.body]
    return [
        body
        for body in bodies
        if any("web_search" in str(tool.get("type")) for tool in body.get("tools", ()))
    ]


@pytest.mark.parametrize(
    ("model", "is_on", "asked"),
    [
        ("opus", False, "claude-opus-5-5"),
        ("opus", True, HAIKU),
        ("haiku", False, HAIKU),
        ("haiku", True, HAIKU),
    ],
)
def test_a_web_search_works_in_a_session_of_any_tier(
    house: House,
    anthropic: AnthropicStandin,
    bedrock: BedrockStandin,
    switch: Any,
    model: str,
    is_on: bool,
    asked: str,
) -> None:
    switch(is_on)
    prompt = SEARCH + script.then(script.say("found it"))

    ran = house.openclaude("-p", prompt, "--model", model, *SEARCHING)

    assert ran == (0, "found it\n", "")
    (search,) = searches(anthropic.requests)
    assert search["model"] == asked
    assert "the price of tea" in json.dumps(search["messages"])
    # of a conversation on the slot, Anthropic gets only the search terms
    messages = [request for request in anthropic.requests if request.path == "/v1/messages"]
    assert len(messages) == (1 if model == "haiku" else 3)
    assert prompt not in json.dumps(search)
    if model == "haiku":
        _, told = bedrock.requests
        assert f"anthropic stand-in: {HAIKU}" in told.body.decode()
        assert [p for r in bedrock.requests for p in r.problems if not p.startswith("note: ")] == []
    oauth = house.canaries.oauth
    assert len(requests_with(anthropic.requests, oauth)) == len(messages)
    assert requests_with(bedrock.requests, oauth) == []


def test_every_byte_of_a_search_but_the_models_is_as_claude_sent_it(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    record = house.record()
    tools = [{"type": "web_search_20250305", "name": "web_search"}]
    body = question("h\u00e9 \U0001f642", model="openclaude-haiku", tools=tools, speed="fast")
    headers = (*login_headers(house.canaries.oauth), (b"X-Of-Claude", b"1"))

    told = raw.ask(record["port"], raw.with_key(headers, record["main_key"]), body)

    assert told.status == 200
    (request,) = anthropic.requests
    assert request.body == body.replace(b"openclaude-haiku", HAIKU.encode())
    assert request.header("content-length") == str(len(request.body))
    assert request.header("x-of-claude") == "1"
    assert requests_with(anthropic.requests, record["main_key"]) == []
    assert dict(told.sorted_headers())[b"anthropic-ratelimit-unified-status"] == b"allowed"
    assert bedrock.requests == ()


def talk(argv: tuple[str | Path, ...], env: Mapping[str, str], house: House, socket: Path) -> None:
    """Run a session on the screen as a user has it: one question, one answer."""
    with Terminal(argv, env, house.project, socket) as terminal:
        terminal.wait_for(r"❯\s*\n─")
        terminal.type("hello there")
        terminal.wait_for(r"● anthropic stand-in: claude-opus-5-5\s+✻ .* done")
        terminal.type("/exit")
        terminal.exit_status()


def answered(anthropic: AnthropicStandin) -> Recorded:
    """Return the request for the one answer of a session."""
    (found,) = [r for r in anthropic.requests if r.body and r.json().get("safeguards")]
    return found


def test_a_session_in_auto_mode_is_plain_claudes_and_its_small_calls_go_where_they_belong(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    need(shutil.which("tmux"), "tmux")
    talk(("claude",), house.plain_environment(), house, tmp_path / "plain")
    plain = answered(anthropic)
    anthropic.clear()

    talk((OPENCLAUDE, "--profile", PROFILE), house.environment(), house, tmp_path / "ours")

    ours = answered(anthropic)
    bodies = [request.json() for request in anthropic.requests if request.path == "/v1/messages"]
    probes = [body for body in bodies if body["max_tokens"] == 1]
    # the quota probe brings the plan's headers; the slot makes the titles
    assert [(probe["model"], probe["messages"][0]["content"]) for probe in probes] == [
        (HAIKU, "quota")
    ]
    assert {body["model"] for body in bodies if body not in probes} == {"claude-opus-5-5"}
    assert bedrock.wait_until(lambda it: bool(it.requests))
    assert all("hello there" in request.body.decode() for request in bedrock.requests)
    assert requests_with(bedrock.requests, house.canaries.oauth) == []
    # in auto mode claude mentions the folder of its settings
    assert told_folder(ours) == str(house.home / ".local/state/claude-settings")
    assert told_folder(plain) == str(house.project)
    assert b"openclaude" not in ours.body
    assert without_ids(ours) == without_ids(plain)


def told_folder(request: Recorded) -> Any:
    """Return the folder of the `--settings` file, as Anthropic sees it."""
    (asked,) = request.json()["safeguards"]
    return asked["classifier_context"]["rule_roots"]["flagSettings"]


def without_ids(request: Recorded) -> Any:
    """Return a body without what belongs to one session only."""
    session = request.header("x-claude-code-session-id") or ""
    body = json.loads(request.body.decode().replace(session, "SESSION"))
    del body["metadata"]
    del body["safeguards"][0]["classifier_context"]["rule_roots"]["flagSettings"]
    return body
