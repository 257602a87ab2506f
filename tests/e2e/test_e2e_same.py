"""What goes wrong at Anthropic looks as it does without openclaude: words, status, requests."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from openclaude.standins import script
from openclaude.standins.anthropic import AnthropicStandin
from tests.e2e.conftest import ENV_TOKEN
from tests.e2e.house import House, Ran

# of one run only: the request's id, and the port claude calls its gateway
OWN = re.compile(r"req_[0-9a-f]+|127\.0\.0\.1:\d+")
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
    """A run as its user and Anthropic saw it, without what is different in every run."""

    code: int
    out: str
    err: str
    requests: int


def seen(ran: Ran, anthropic: AnthropicStandin) -> Seen:
    """The run that has just ended; the stand-in is ready for the next one."""
    requests = len(anthropic.requests)
    anthropic.clear()
    return Seen(ran.code, OWN.sub("*", ran.out), OWN.sub("*", ran.err), requests)


@pytest.mark.parametrize("name", sorted(SAME))
def test_it_is_as_without_openclaude(house: House, anthropic: AnthropicStandin, name: str) -> None:
    prompt, words = SAME[name]
    arguments = ("-p", prompt, "--model", "opus")

    plain = seen(house.claude(*arguments, env=FEW_RETRIES), anthropic)
    ours = seen(house.openclaude(*arguments, env=FEW_RETRIES), anthropic)

    assert ours == plain
    assert words in plain.out + plain.err
    assert plain.requests > 0


def test_a_connection_that_breaks_off_is_tried_again_as_often(
    house: House, anthropic: AnthropicStandin
) -> None:
    arguments = ("-p", script.abort(4), "--model", "opus")

    plain = seen(house.claude(*arguments, env=FEW_RETRIES), anthropic)
    ours = seen(house.openclaude(*arguments, env=FEW_RETRIES), anthropic)

    assert (ours.code, ours.requests) == (plain.code, plain.requests)
    assert "the connection to Anthropic broke before its reply was complete" in ours.out


def test_an_anthropic_that_cannot_be_reached_is_named_and_tried_again(house: House) -> None:
    name, nobody = "nowhere", "http://127.0.0.1:9"  # discard: nothing listens there
    house.write(
        f".config/openclaude/profiles/{name}.toml",
        f'schema = 1\nextends = "base"\n[anthropic]\nbase_url = "{nobody}"\n',
    )

    ran = house.openclaude("-p", "hi", "--model", "opus", profile=name, env=FEW_RETRIES)

    assert house.word("stop", profile=name).code == 0
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.startswith("API Error: 502 openclaude: cannot reach 127.0.0.1:9. ")


def test_a_401_is_claudes_to_handle_and_counted_as_often(
    house: House, anthropic: AnthropicStandin
) -> None:
    arguments = ("-p", script.error(401, message="token expired"), "--model", "opus")
    env = {**FEW_RETRIES, "CLAUDE_CODE_OAUTH_TOKEN": ENV_TOKEN}

    plain = seen(house.claude(*arguments, env=env), anthropic)
    ours = seen(house.openclaude(*arguments, env=env), anthropic)

    assert ours == plain
    assert "Failed to authenticate" in plain.out + plain.err


def test_the_login_in_the_environment_is_used_as_without_openclaude(
    house: House, anthropic: AnthropicStandin
) -> None:
    env = {"CLAUDE_CODE_OAUTH_TOKEN": ENV_TOKEN}

    assert house.openclaude("-p", "hi", "--model", "opus", env=env).code == 0
    assert anthropic.requests[0].header("authorization") == f"Bearer {ENV_TOKEN}"
