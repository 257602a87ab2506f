"""`doctor --online` tries the way of each lane, finds what is in it, and its fixes help."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from tests.e2e.company import NAME, OPENAI_HOST, Company, answering, in_company
from tests.e2e.conftest import Build
from tests.e2e.internet import OWN_HOST

HOSTS = {OWN_HOST, OPENAI_HOST}


@pytest.fixture
def company(build_house: Build, tmp_path: Path, anthropic: AnthropicStandin) -> Iterator[Company]:
    """A house without a way out."""
    with in_company(build_house, tmp_path, anthropic) as built:
        yield built


def ways(company: Company, **env: str) -> list[dict[str, str]]:
    """Return what doctor found of each way."""
    ran = company.house.command(
        "doctor", "--online", "--yes", "--json", profile=NAME, env=company.environment(**env)
    )
    told = ran.json()["data"]["diagnostics"]
    return [one for one in told if one["code"].startswith("way-out")]


def test_a_way_that_is_free_is_said_to_be(company: Company) -> None:
    found = ways(company, HTTP_PROXY=company.internet.url, **company.trusted)

    assert [one["code"] for one in found] == ["way-out", "way-out"]
    for one, host in zip(found, (OWN_HOST, OPENAI_HOST), strict=True):
        assert (
            f"{host}:443 can be reached through the proxy {company.internet.url}"
            in (one["message"])
        )
    assert company.asked() == {f"{host}:443" for host in HOSTS}
    ours = [one for one in company.anthropic.requests if one.method == "HEAD"]
    assert [one.header("authorization") for one in ours] == [None]  # a look, no more
    # (claude, which tells who is logged in, may ask for the profile of its login)


@pytest.mark.parametrize(
    ("env", "message", "fix"),
    [
        ({}, "its name cannot be resolved", "set HTTPS_PROXY"),
        ({"HTTPS_PROXY": "{}"}, "its certificate is not trusted", "set NODE_EXTRA_CA_CERTS"),
        ({"ALL_PROXY": "socks5://127.0.0.1:9"}, "is not one that claude", "set HTTPS_PROXY to"),
        ({"HTTPS_PROXY": "http://me:CANARY@127.0.0.1:9"}, "does not answer", "correct HTTPS_PROXY"),
    ],
)
def test_what_is_in_the_way_is_named_for_both_lanes_with_its_fix(
    company: Company, env: dict[str, str], message: str, fix: str
) -> None:
    found = ways(company, **{name: url.format(company.internet.url) for name, url in env.items()})

    assert [one["code"] for one in found] == ["way-out-blocked"] * 2
    for one, host in zip(found, (OWN_HOST, OPENAI_HOST), strict=True):
        assert one["message"].startswith(f"cannot reach {host}:443")
        assert message in one["message"]
        assert fix in one["fix"]
        assert "CANARY" not in str(one)


@pytest.mark.parametrize(
    ("answer", "code"),
    [(b"HTTP/1.1 407 No\r\n", "way-out-blocked"), (b"HTTP/1.1 403 No\r\n", "way-out-blocked")],
)
def test_a_proxy_that_refuses_is_named(company: Company, answer: bytes, code: str) -> None:
    with answering(answer + b"content-length: 0\r\n\r\n") as proxy:
        found = ways(company, HTTPS_PROXY=proxy)

    assert [one["code"] for one in found] == [code] * 2
    assert all(f"the proxy {proxy}" in one["message"] for one in found)


def test_a_network_that_sends_elsewhere_is_named(company: Company) -> None:
    answer = b"HTTP/1.1 302 F\r\nlocation: http://login.hotel.example/\r\ncontent-length: 0\r\n\r\n"
    with answering(answer) as url:
        company.house.write(
            f".config/openclaude/profiles/{NAME}.toml",
            f'schema = 1\nextends = "base"\n[anthropic]\nbase_url = "{url}"\n',
        )
        (found,) = ways(company)

    assert found["code"] == "way-out-redirected"
    assert "redirects to login.hotel.example" in found["message"]
