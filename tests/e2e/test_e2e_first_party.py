"""`first_party = true`, compared with plain claude at Anthropic's own host.

The Anthropic stand-in has that host's real name, over TLS.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
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
from tests.e2e.conftest import Build
from tests.e2e.house import OPENCLAUDE, House, Ran, login_headers
from tests.e2e.internet import OWN_HOST, Internet
from tests.e2e.terminal import Terminal
from tests.e2e.turns import turns

NAME = "first"
PROMPT = r"❯[^\n]*\n─"  # the input box above its lower edge
# of one session only: the file of claude's settings, told in auto mode
OWN_FOLDER = "safeguards"
ONE_RETRY = {"CLAUDE_CODE_MAX_RETRIES": "1"}
AGENT_HEADER = "x-claude-code-agent-type"
# of one run only
# a paragraph about claude's own MCP servers, in JSON
STILL_CONNECTING = re.compile(
    r"The following MCP servers are still connecting.*?without first searching\.\\n\\n"
)
OWN_KEYS = {"metadata", "system"}
# the one thing that the switch does not restore (measured with 2.1.330)
MISSING_BETA = "mid-conversation-system-clear-at-2026-08-21"
TOUCH = "/v1/messages/cache_touch"


@pytest.fixture(scope="module")
def first(build_house: Build) -> Iterator[House]:
    """A house whose claude takes our address for Anthropic's, its proxies ready."""
    with build_house(NAME) as house:
        house.write_own_profile(
            NAME,
            f"""
[tiers.haiku]
model = "bedrock/qwen.qwen3-next-80b-a3b"
[aws]
profile = "openclaude"
region = "us-west-2"
endpoint_url = "{house.bedrock_url}"
[agents]
explore = "haiku"
""",
            anthropic="first_party = true",
        )
        started = house.command("start", "--wait", profile=NAME)
        assert started.code == 0, started
        yield house


def ask(house: House, prompt: str, *more: str) -> Ran:
    """A run on opus."""
    return house.openclaude("-p", prompt, "--model", "opus", *more, profile=NAME)


def message_of(standin: AnthropicStandin) -> Recorded:
    """Return the one message that was requested."""
    (found,) = [request for request in standin.requests if request.path == "/v1/messages"]
    return found


def names_of(request: Recorded) -> set[str]:
    """Return the names of a request's headers, except those of a connection."""
    return {name.decode().lower() for name, _ in raw.client_headers(request)}


def betas_of(request: Recorded) -> set[str]:
    """Return the beta features of Anthropic's that a request uses."""
    return set((request.header("anthropic-beta") or "").split(","))


def without_session(request: Recorded) -> dict[str, Any]:
    """A body without the session's id, and without what depends on how fast the machine is."""
    session = request.header("x-claude-code-session-id") or ""
    text = request.body.decode().replace(session, "SESSION")
    return dict(json.loads(STILL_CONNECTING.sub("", text)))


def test_a_message_is_as_plain_claude_sends_it_to_anthropics_own_host(
    first: House, anthropic: AnthropicStandin, tmp_path: Path
) -> None:
    with Internet({OWN_HOST: anthropic.port}, tmp_path) as internet:
        env = first.environment(internet.for_claude())
        plain = first.run(("claude", "-p", "hello", "--model", "opus"), env)
    at_home = message_of(anthropic)
    anthropic.clear()

    ran = ask(first, "hello")

    ours = message_of(anthropic)
    assert ran == plain == (0, "anthropic stand-in: claude-opus-5-5\n", "")
    assert names_of(ours) == names_of(at_home)
    assert betas_of(at_home) - betas_of(ours) == {MISSING_BETA}
    assert betas_of(ours) <= betas_of(at_home)
    said, here = at_home.json(), ours.json()
    assert list(said) == list(here)
    assert {key: said[key] for key in said.keys() - OWN_KEYS} == {
        key: here[key] for key in here.keys() - OWN_KEYS
    }
    assert said["system"][1:] == here["system"][1:]  # the first is claude's billing line


def talk(
    house: House, argv: tuple[str | Path, ...], env: dict[str, str], socket: Path
) -> tuple[str, int]:
    """A session on the screen: one question, one answer; how the screen began, how it ended."""
    with Terminal(argv, env, house.project, socket) as terminal:
        drawn = terminal.wait_for(PROMPT)
        terminal.type("hello there")
        terminal.wait_for(r"● anthropic stand-in: claude-opus-5-5\s+✻ .* done")
        terminal.type("/exit")
        return drawn, terminal.exit_status()


def test_a_session_on_the_screen_is_plain_claudes_at_anthropics_own_host(
    first: House, anthropic: AnthropicStandin, tmp_path: Path
) -> None:
    need(shutil.which("tmux"), "tmux")
    with Internet({OWN_HOST: anthropic.port}, tmp_path) as internet:
        env = first.environment(internet.for_claude())
        plain = talk(first, ("claude",), env, tmp_path / "plain")
    (at_home,) = turns(anthropic)
    small = {request.path for request in anthropic.requests if request.path.startswith("/v1/")}
    anthropic.clear()

    ran = talk(first, (OPENCLAUDE, "--profile", NAME), first.environment(), tmp_path / "ours")

    (ours,) = turns(anthropic)
    assert ran[1] == plain[1] == 0
    assert "Opus 5.5 · Claude Max" in ran[0]
    assert names_of(ours) == names_of(at_home)
    assert betas_of(at_home) - betas_of(ours) == {MISSING_BETA}
    assert betas_of(ours) <= betas_of(at_home)
    said, here = without_session(at_home), without_session(ours)
    assert list(said) == list(here)
    assert "Artifact" in [tool["name"] for tool in here["tools"]]
    for key in said.keys() - OWN_KEYS - {OWN_FOLDER}:
        assert said[key] == here[key], key
    assert said["system"][1:] == here["system"][1:]
    assert {request.path for request in anthropic.requests} >= small


@pytest.mark.parametrize("error", [script.error(529), script.error(500), script.midstream(4)])
def test_where_a_server_has_failed_claude_names_anthropics_page_as_plain_claude_does(
    first: House, anthropic: AnthropicStandin, tmp_path: Path, error: str
) -> None:
    arguments = ("-p", error, "--model", "opus")
    with Internet({OWN_HOST: anthropic.port}, tmp_path) as internet:
        env = first.environment({**internet.for_claude(), **ONE_RETRY})
        plain = first.run(("claude", *arguments), env)

    ran = first.openclaude(*arguments, profile=NAME, env=ONE_RETRY)

    assert "check https://status.claude.com" in ran.out
    assert ran == plain


def test_an_agent_is_moved_with_claudes_own_prompt(
    first: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    echo = script.tool("Bash", {"command": "echo from-the-agent"})
    call: dict[str, Any] = {
        "description": "a small job",
        "prompt": echo + script.then(script.say("the agent is done")),
        "subagent_type": "Explore",
        "run_in_background": False,
    }
    prompt = script.tool("Agent", call) + script.then(script.say("all is done"))

    ran = ask(first, prompt, "--allowedTools", "Agent", "Bash(echo:*)")

    assert ran == (0, "all is done\n", "")
    assert len(bedrock.requests) == 2
    for request in bedrock.requests:
        assert [told for told in request.problems if not told.startswith("note: ")] == []
        said = request.body.decode()
        assert "You explore a codebase" not in said  # openclaude's own
        assert "read-only" in said.lower()
    messages = [request for request in anthropic.requests if request.path == "/v1/messages"]
    assert [request.header(AGENT_HEADER) for request in messages] == [None, None]
    assert requests_with(bedrock.requests, first.canaries.oauth) == []


# Paths that we know nothing of --------------------------------------------------------------------


def ask_path(
    house: House, target: str, body: bytes, *, method: str = "POST", login: bool = True
) -> raw.RawReply:
    """Send one request to main."""
    record = house.record()
    headers = login_headers(house.canaries.oauth)[0 if login else 1 :]
    keyed = raw.with_key(headers, record["main_key"])
    return raw.ask(record["port"], keyed, body, target=target, method=method)


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", TOUCH, b'{ "request_id":"req_1", "x":1.0}'),
        (
            "POST",
            f"{TOUCH}?beta=true",
            b'{"model":"claude-opus-5-5","api_base":"http://127.0.0.1:9"}',
        ),
        ("GET", "/v1/sessions/s_1/events", b""),
    ],
)
def test_an_unknown_path_reaches_anthropic_as_claude_sent_it_and_nobody_else(
    house: House,
    anthropic: AnthropicStandin,
    bedrock: BedrockStandin,
    method: str,
    target: str,
    body: bytes,
) -> None:
    told = ask_path(house, target, body, method=method)

    (request,) = anthropic.requests
    assert (request.method, request.target, request.body) == (method, target, body)
    assert request.header("authorization") == f"Bearer {house.canaries.oauth}"
    for secret in (*house.keys().values(), house.canaries.aws_id, house.canaries.aws_secret):
        assert requests_with(anthropic.requests, secret) == []
    assert told.status == 404  # the stand-in's own
    assert b"Not found" in told.body
    assert bedrock.requests == ()


@pytest.mark.parametrize(
    ("target", "body", "login", "status"),
    [
        (TOUCH, b'{"model":"openclaude-haiku"}', True, 404),
        (TOUCH, b'{"model":"gpt-5"}', True, 404),
        (TOUCH, b"--not-json", True, 404),
        (TOUCH, b"{}", False, 424),
        ("/v1/../key/info", b"{}", True, 404),
        ("/v1/%2e%2e/key/info", b"{}", True, 404),
        ("/v1//messages", b"{}", True, 404),
        ("/key/generate", b"{}", True, 404),
    ],
)
def test_what_is_not_anthropics_to_hear_goes_nowhere(
    house: House,
    anthropic: AnthropicStandin,
    bedrock: BedrockStandin,
    target: str,
    body: bytes,
    login: bool,
    status: int,
) -> None:
    assert ask_path(house, target, body, login=login).status == status
    assert anthropic.requests == ()
    assert bedrock.requests == ()
