"""Failures at Anthropic look as they do without openclaude: message, status, number of requests.

Without openclaude means: plain claude at Anthropic's own host, which the stand-in plays over TLS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from openclaude.commands.registry import NAMES
from openclaude.commands.split import CLAUDES
from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from tests.e2e.conftest import ENV_TOKEN
from tests.e2e.house import House, Ran
from tests.e2e.internet import OWN_HOST, Internet

# Of one run only: ids, and the minute at which the stand-in's window ends, counted from now
OWN = re.compile(r"req_[0-9a-f]+|(?<=resets )\d{1,2}:\d{2}[ap]m")
# Where claude sends people when a server has failed: Anthropic's page, unless the address is ours
STATUS_PAGE = "check https://status.claude.com"
GATEWAY = re.compile(r"check your inference gateway \(127\.0\.0\.1:\d+\)")
# How often claude asks at an address that is not Anthropic's, with `first_party` too; there: once
ASKED_AGAIN = {"400": 6}
WORDS = re.compile(r"^  ([a-z][a-z|-]+)", re.MULTILINE)  # of claude's commands
FEW_RETRIES = {"CLAUDE_CODE_MAX_RETRIES": "1"}

SAME = {
    "the plan's limit": (script.limit(), "You've hit your 5-hour limit"),
    "a limit that is not the plan's": (script.error(429, headers={"retry-after": "0"}), ""),
    "503 once": (script.error(503, times=1), "stand-in"),
    "529 once": (script.error(529, times=1), "stand-in"),
    "529": (script.error(529), "529"),
    "500": (script.error(500, message="broken there"), "broken there"),
    "400": (script.error(400, message="this field is wrong"), "this field is wrong"),
    "403": (script.error(403), "403"),
    "404": (script.error(404), "selected model"),
    "413": (script.error(413), "too large"),
    "a prompt that is too long": (
        script.error(400, message="prompt is too long: 1000001 tokens > 1000000 maximum"),
        "Prompt is too long",
    ),
    "an error in mid-stream": (script.midstream(4), ""),
    "a refusal": (script.stop("refusal"), ""),
    "an answer that is cut": (script.stop("max_tokens"), ""),
}


class Seen(NamedTuple):
    """A run as its user and Anthropic saw it, without what differs in every run."""

    code: int
    out: str
    err: str
    requests: int


def seen(ran: Ran, anthropic: AnthropicStandin) -> Seen:
    """Return the run that has just ended, and prepare the stand-in for the next one."""
    requests = [request for request in anthropic.requests if request.path == "/v1/messages"]
    anthropic.clear()
    out, err = (GATEWAY.sub(STATUS_PAGE, OWN.sub("*", text)) for text in (ran.out, ran.err))
    return Seen(ran.code, out, err, len(requests))


@pytest.fixture(scope="module")
def at_home(
    anthropic_upstream: AnthropicStandin, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """What leads plain claude to its own host."""
    hosts = {OWN_HOST: anthropic_upstream.port}
    with Internet(hosts, tmp_path_factory.mktemp("own-host")) as internet:
        yield internet.for_claude()


def run_at_home(house: House, at_home: dict[str, str], *arguments: str, **more: str) -> Ran:
    """Run plain claude as users have it."""
    return house.run(("claude", *arguments), house.environment({**at_home, **FEW_RETRIES, **more}))


@pytest.mark.parametrize("name", sorted(SAME))
def test_it_is_as_without_openclaude(
    house: House, anthropic: AnthropicStandin, at_home: dict[str, str], name: str
) -> None:
    prompt, words = SAME[name]
    arguments = ("-p", prompt, "--model", "opus")

    plain = seen(run_at_home(house, at_home, *arguments), anthropic)
    ours = seen(house.openclaude(*arguments, env=FEW_RETRIES), anthropic)

    assert ours == plain._replace(requests=ASKED_AGAIN.get(name, plain.requests))
    assert words in plain.out + plain.err
    assert plain.requests > 0


def test_a_connection_that_breaks_off_is_tried_again_as_often(
    house: House, anthropic: AnthropicStandin, at_home: dict[str, str]
) -> None:
    arguments = ("-p", script.abort(4), "--model", "opus")

    plain = seen(run_at_home(house, at_home, *arguments), anthropic)
    ours = seen(house.openclaude(*arguments, env=FEW_RETRIES), anthropic)

    assert (ours.code, ours.requests) == (plain.code, plain.requests)
    assert "the connection to Anthropic broke before its reply was complete" in ours.out


@pytest.mark.variants
def test_an_anthropic_that_cannot_be_reached_is_named_and_tried_again(house: House) -> None:
    name, nobody = "nowhere", "http://127.0.0.1:9"  # discard: the port has no listener
    house.write(
        f".config/openclaude/profiles/{name}.toml",
        f'schema = 1\nextends = "base"\n[anthropic]\nbase_url = "{nobody}"\n',
    )

    ran = house.openclaude("-p", "hi", "--model", "opus", profile=name, env=FEW_RETRIES)

    assert house.command("stop", profile=name).code == 0
    assert (ran.code, ran.err) == (1, "")
    assert ran.out == (
        "API Error: 408 openclaude: cannot reach 127.0.0.1:9 now: nothing is listening there; "
        "start the server that the profile expects\n"
    )


def test_a_401_is_claudes_to_handle_and_counted_as_often(
    house: House, anthropic: AnthropicStandin, at_home: dict[str, str]
) -> None:
    arguments = ("-p", script.error(401, message="token expired"), "--model", "opus")
    login = {"CLAUDE_CODE_OAUTH_TOKEN": ENV_TOKEN}

    plain = seen(run_at_home(house, at_home, *arguments, **login), anthropic)
    ours = seen(house.openclaude(*arguments, env={**FEW_RETRIES, **login}), anthropic)

    assert ours == plain
    assert "Failed to authenticate" in plain.out + plain.err


def test_the_login_in_the_environment_is_used_as_without_openclaude(
    house: House, anthropic: AnthropicStandin
) -> None:
    env = {"CLAUDE_CODE_OAUTH_TOKEN": ENV_TOKEN}

    assert house.openclaude("-p", "hi", "--model", "opus", env=env).code == 0
    assert anthropic.requests[0].header("authorization") == f"Bearer {ENV_TOKEN}"


def test_every_word_of_claudes_help_is_taken_for_claudes(house: House) -> None:
    """A new one that resembles a command of ours would be refused as a slip of the keys."""
    said = house.claude("--help").out.partition("Commands:\n")[2]
    words = {word for line in WORDS.findall(said) for word in line.split("|")}

    assert len(words) > 15
    assert words - CLAUDES - {*NAMES} == set()
