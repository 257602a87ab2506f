"""The user's own settings for claude keep working, or are overridden for one run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import House

OPUS = "anthropic stand-in: claude-opus-5-5\n"
HAIKU = "bedrock stand-in: qwen.qwen3-next-80b-a3b\n"
NOBODY = "http://127.0.0.1:9"  # discard: the port has no listener
HOSTILE = {
    "ANTHROPIC_BASE_URL": NOBODY,
    "ANTHROPIC_AUTH_TOKEN": "sk-strange-token",
    "ANTHROPIC_API_KEY": "sk-strange-key",
    "CLAUDE_CODE_USE_BEDROCK": "1",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL": "claude-strange-haiku",
    "HTTP_PROXY": NOBODY,
    "HTTPS_PROXY": NOBODY,
    "http_proxy": NOBODY,
    "ALL_PROXY": NOBODY,
    "NO_PROXY": "example.com",
    "no_proxy": "example.com",
}
# Also in the user's environment; settings files cannot set these two usefully
HIDING = {"ANTHROPIC_UNIX_SOCKET": "/nowhere", "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST": "1"}
# of the user's shell, for the proxies: none of it may reach or redirect them
PROXIES = {
    "AWS_ACCESS_KEY_ID": "AKIASTRANGE000000000",
    "AWS_SECRET_ACCESS_KEY": "strange",
    "AWS_BEARER_TOKEN_BEDROCK": "strange",
    "AWS_PROFILE": "strange",
    "ANTHROPIC_API_BASE": NOBODY,
    "LITELLM_MASTER_KEY": "sk-strange-master",
}

# said by the launch whose proxies differ from those of the launch before
OTHER_PROXIES = (
    "openclaude: HTTPS_PROXY and NO_PROXY differ from what the running proxies had: they start "
    "again with what you have now\n"
)

Furnish = Callable[[str, dict[str, object]], Path]


@pytest.fixture
def furnish(house: House) -> Iterator[Furnish]:
    """Write one of claude's settings files; it is removed after the test."""
    written: list[Path] = []

    def write(name: str, settings: dict[str, object]) -> Path:
        written.append(house.write(name, json.dumps(settings)))
        return written[-1]

    yield write
    for path in written:
        path.unlink()
    as_before(house)


def as_before(house: House) -> None:
    """Let the house's proxies have its usual way out, for the next test."""
    assert house.command("start", "--wait").code == 0


def assert_both_routes(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, *arguments: str
) -> None:
    """Assert that opus and haiku answer with the house's own login and key, without a warning."""
    first = house.openclaude("-p", "hi", "--model", "opus", *arguments)
    assert first._replace(err="") == (0, OPUS, "")
    assert first.err in {"", OTHER_PROXIES}
    assert house.openclaude("-p", "hi", "--model", "haiku", *arguments) == (0, HAIKU, "")
    (asked,) = anthropic.requests
    assert asked.header("authorization") == f"Bearer {house.canaries.oauth}"
    assert asked.header("x-api-key") is None
    assert [request.signed_by for request in bedrock.requests] == [house.canaries.aws_id]


@pytest.mark.parametrize(
    "name",
    [
        ".claude/settings.json",
        "project/.claude/settings.json",
        "project/.claude/settings.local.json",
    ],
)
def test_a_settings_file_that_points_elsewhere_does_not_break_a_run_and_is_not_changed(
    house: House,
    anthropic: AnthropicStandin,
    bedrock: BedrockStandin,
    furnish: Furnish,
    name: str,
) -> None:
    path = furnish(name, {"apiKeyHelper": "echo sk-strange-helper", "env": HOSTILE})
    before = path.read_bytes()

    assert_both_routes(house, anthropic, bedrock)

    assert path.read_bytes() == before


def test_an_environment_that_points_elsewhere_does_not_break_a_run(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    env = {**HOSTILE, **HIDING, **PROXIES}

    said = [house.openclaude("-p", "hi", "--model", tier, env=env) for tier in ("opus", "haiku")]

    as_before(house)
    assert said == [(0, OPUS, OTHER_PROXIES), (0, HAIKU, "")]
    assert anthropic.requests[0].header("authorization") == f"Bearer {house.canaries.oauth}"
    assert bedrock.requests[0].signed_by == house.canaries.aws_id


def test_a_stack_started_from_a_hostile_environment_works(
    empty_house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    env = {**HOSTILE, **HIDING, **PROXIES}

    assert empty_house.openclaude("-p", "hi", "--model", "haiku", env=env) == (0, HAIKU, "")
    assert empty_house.openclaude("-p", "hi", "--model", "opus", env=env) == (0, OPUS, "")
    assert bedrock.requests[0].signed_by == empty_house.canaries.aws_id
    assert anthropic.requests[0].header("authorization") == f"Bearer {empty_house.canaries.oauth}"


def test_custom_headers_of_the_environment_arrive_beside_ours(
    house: House, anthropic: AnthropicStandin
) -> None:
    env = {"ANTHROPIC_CUSTOM_HEADERS": "x-mine: one\nx-other: two"}

    assert house.openclaude("-p", "hi", "--model", "opus", env=env).out == OPUS
    (asked,) = anthropic.requests
    assert (asked.header("x-mine"), asked.header("x-other")) == ("one", "two")
    assert asked.header("x-litellm-api-key") is None


def test_custom_headers_of_a_settings_file_arrive_beside_ours(
    house: House, anthropic: AnthropicStandin, furnish: Furnish
) -> None:
    furnish(".claude/settings.json", {"env": {"ANTHROPIC_CUSTOM_HEADERS": "x-mine: from a file"}})

    assert house.openclaude("-p", "hi", "--model", "opus").out == OPUS
    assert anthropic.requests[0].header("x-mine") == "from a file"


@pytest.mark.parametrize("form", ["a path", "an object", "with an equals sign"])
def test_settings_given_on_the_command_line_are_merged(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tmp_path: Path, form: str
) -> None:
    settings = {
        "env": {"ANTHROPIC_CUSTOM_HEADERS": "x-mine: given", "MINE": "seen by tools"},
        "permissions": {"allow": ["Bash(printenv:*)"]},
    }
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(settings))
    given = {
        "a path": ("--settings", str(path)),
        "an object": ("--settings", json.dumps(settings)),
        "with an equals sign": (f"--settings={path}",),
    }[form]
    tool = script.tool("Bash", {"command": "printenv MINE"})

    ran = house.openclaude("-p", tool, "--model", "opus", *given)

    assert ran.code == 0
    assert "seen by tools" in ran.out
    assert anthropic.requests[0].header("x-mine") == "given"
    assert house.openclaude("-p", "hi", "--model", "haiku", *given) == (0, HAIKU, "")


def test_a_login_in_custom_headers_stops_the_launch_with_its_name(
    house: House, anthropic: AnthropicStandin
) -> None:
    env = {"ANTHROPIC_CUSTOM_HEADERS": "Authorization: Bearer mine"}

    ran = house.openclaude("-p", "hi", "--model", "opus", env=env)

    assert (ran.code, ran.out) == (125, "")
    assert ran.err.startswith("error: your ANTHROPIC_CUSTOM_HEADERS set `authorization`")
    assert not anthropic.requests


def test_the_users_own_choice_of_models_still_counts(
    house: House, anthropic: AnthropicStandin
) -> None:
    env = {"ANTHROPIC_DEFAULT_OPUS_MODEL": "claude-opus-5"}

    assert house.openclaude("-p", "hi", "--model", "opus", env=env).code == 0
    assert anthropic.requests[0].json()["model"] == "claude-opus-5"
