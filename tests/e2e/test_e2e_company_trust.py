"""A company that inspects TLS: both lanes trust whom claude trusts, or say what to set."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from tests.conftest import variant
from tests.e2e.company import HAIKU, NAME, OPUS, Company, answering, in_company
from tests.e2e.conftest import Build
from tests.e2e.house import Ran

SETTINGS = ".claude/settings.json"


@pytest.fixture
def company(build_house: Build, tmp_path: Path, anthropic: AnthropicStandin) -> Iterator[Company]:
    """A house whose proxy inspects TLS, which nothing in it knows yet."""
    with in_company(build_house, tmp_path, anthropic) as built:
        yield built


def ask(company: Company, tier: str, *arguments: str, **env: str) -> Ran:
    """One question to a tier, through the company's proxy."""
    env = company.environment(**{"HTTPS_PROXY": company.internet.url, **env})
    return company.house.openclaude(*arguments, "-p", "hi", "--model", tier, profile=NAME, env=env)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        variant("shell", "NODE_EXTRA_CA_CERTS"),
        variant("settings", "NODE_EXTRA_CA_CERTS"),
        variant("--settings", "NODE_EXTRA_CA_CERTS"),
        ("shell", "SSL_CERT_FILE"),
        variant("shell", "CURL_CA_BUNDLE"),
        variant("shell", "SSL_CERT_DIR"),
    ],
)
def test_launch_07_both_lanes_trust_whom_the_user_trusts(
    company: Company, tmp_path: Path, place: str, name: str
) -> None:
    value = company.internet.authority
    if name == "SSL_CERT_DIR":
        value = tmp_path / "certs"
        value.mkdir()
        shutil.copy(company.internet.authority, value / "company.pem")
    wishes = {name: str(value)}
    shell = wishes if place == "shell" else {}
    flag = ("--settings", json.dumps({"env": wishes})) if place == "--settings" else ()
    if place == "settings":
        company.house.write(SETTINGS, json.dumps({"env": wishes}))

    said = [ask(company, tier, *flag, **shell) for tier in ("opus", "haiku")]

    assert said == [(0, OPUS, ""), (0, HAIKU, "")]


def test_launch_07_a_repository_names_no_authority_for_the_instances(company: Company) -> None:
    company.house.write(
        f"project/{SETTINGS}",
        json.dumps({"env": {"NODE_EXTRA_CA_CERTS": str(company.internet.authority)}}),
    )

    for tier in ("opus", "haiku"):
        assert "its certificate is not trusted" in ask(company, tier).out


def test_launch_07_without_the_authority_both_lanes_say_what_to_set_once_and_it_helps(
    company: Company,
) -> None:
    said = [ask(company, tier) for tier in ("opus", "haiku")]
    fixed = [ask(company, tier, **company.trusted) for tier in ("opus", "haiku")]

    for ran, host in zip(said, ("api.anthropic.com", "api.openai.com"), strict=True):
        assert ran.code == 1
        assert ran.out.startswith("API Error: 424 ")
        assert f"cannot reach {host}:443: its certificate is not trusted" in ran.out
        assert "set NODE_EXTRA_CA_CERTS to the file with its certificate" in ran.out
    assert [(ran.code, ran.out) for ran in fixed] == [(0, OPUS), (0, HAIKU)]
    assert fixed[0].err == (
        "openclaude: NODE_EXTRA_CA_CERTS differs from what the running proxies had: they start "
        "again with what you have now\n"
    )


@pytest.mark.variants
def test_launch_09_offline_is_said_as_it_is_and_asked_again(company: Company) -> None:
    env = company.environment(CLAUDE_CODE_MAX_RETRIES="1")
    asked = [
        company.house.openclaude("-p", "hi", "--model", tier, profile=NAME, env=env)
        for tier in ("opus", "haiku")
    ]

    for ran, host in zip(asked, ("api.anthropic.com", "api.openai.com"), strict=True):
        assert ran.code == 1
        assert f"cannot reach {host}:443 now: its name cannot be resolved; check your" in ran.out
        assert ran.out.startswith("API Error: 408 ")
        assert "server-side issue" not in ran.out


PAGE = b"<html><body>Please log in</body></html>"
ANSWERS = {
    "a login page": b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(PAGE), PAGE),
    "network login": b"HTTP/1.1 511 Network Authentication Required\r\ncontent-type: text/html\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(PAGE), PAGE),
    "a redirect": b"HTTP/1.1 302 Found\r\nlocation: http://login.hotel.example/\r\n"
    b"content-length: 0\r\n\r\n",
}
PORTAL = """
schema = 1
[tiers.haiku]
model = "bedrock/qwen.qwen3-next-80b-a3b"
[tiers.sonnet]
model = "openai/gpt-4.1-mini"
api_base = "{url}/v1"
api_key = "env:OPENAI_API_KEY"
max_output_tokens = 8000
[anthropic]
base_url = "{url}"
[aws]
profile = "openclaude"
region = "us-west-2"
endpoint_url = "{url}"
"""


@pytest.mark.parametrize("what", ["a login page", variant("network login"), variant("a redirect")])
def test_launch_09_a_captive_portal_is_called_that_on_both_lanes(
    company: Company, what: str
) -> None:
    with answering(ANSWERS[what]) as url:
        company.house.write(".config/openclaude/profiles/portal.toml", PORTAL.format(url=url))
        said = [
            company.house.openclaude(
                "-p", "hi", "--model", tier, profile="portal", env=company.environment()
            )
            for tier in ("opus", "haiku", "sonnet")
        ]

    for ran in said:
        assert ran.code == 1
        assert ran.out.startswith("API Error: 424 "), ran
        assert "Checksum" not in ran.out
        if what == "a redirect":
            assert "redirects to login.hotel.example (HTTP 302)" in ran.out
        else:
            assert "a web page answers in its place (HTTP" in ran.out
            assert "log in to your network in a browser" in ran.out
