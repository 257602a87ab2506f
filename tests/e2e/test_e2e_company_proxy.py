"""A company's proxy: both lanes take it wherever claude takes it from, and say what it refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openclaude.run.launcher.listeners import try_bind
from openclaude.standins.anthropic.standin import AnthropicStandin
from tests.conftest import need, variant
from tests.e2e.company import HAIKU, NAME, OPENAI_HOST, OPUS, Company, answering, in_company
from tests.e2e.conftest import Build
from tests.e2e.house import Ran
from tests.e2e.internet import OWN_HOST
from tests.e2e.test_e2e_load import until
from tests.process.conftest import free_pair

USER, PASSWORD = "clerk", "CANARY-of-the-proxy"
SETTINGS = ".claude/settings.json"
CONNECTED = {f"{OWN_HOST}:443", f"{OPENAI_HOST}:443"}


@pytest.fixture
def company(build_house: Build, tmp_path: Path, anthropic: AnthropicStandin) -> Iterator[Company]:
    """A house without a way out."""
    with in_company(build_house, tmp_path, anthropic) as built:
        yield built


def ask(company: Company, tier: str, *arguments: str, **env: str) -> Ran:
    """One question to a tier."""
    return company.house.openclaude(
        *arguments, "-p", "hi", "--model", tier, profile=NAME, env=company.environment(**env)
    )


def refused(ran: Ran) -> str:
    """Return the sentence of a launch that failed at once, in the status that claude asks once."""
    assert ran.code == 1, ran
    assert ran.out.startswith("API Error: 424 "), ran
    return ran.out


@pytest.mark.parametrize(
    ("place", "name"),
    [
        variant("shell", "HTTP_PROXY"),
        ("shell", "ALL_PROXY"),
        variant("shell", "https_proxy"),
        variant("settings", "HTTPS_PROXY"),
        variant("settings", "http_proxy"),
        variant("--settings", "HTTPS_PROXY"),
        variant("project", "HTTPS_PROXY"),
    ],
)
def test_launch_08_both_lanes_take_the_proxy_that_claude_takes(
    company: Company, place: str, name: str
) -> None:
    wishes = {name: company.internet.url}
    shell = wishes if place == "shell" else {}
    flag = ("--settings", json.dumps({"env": wishes})) if place == "--settings" else ()
    if place in {"settings", "project"}:
        path = SETTINGS if place == "settings" else f"project/{SETTINGS}"
        company.house.write(path, json.dumps({"env": wishes}))

    said = [ask(company, tier, *flag, **company.trusted, **shell) for tier in ("opus", "haiku")]

    assert said == [(0, OPUS, ""), (0, HAIKU, "")]
    assert company.asked() - {"not a CONNECT"} == CONNECTED  # one of claude's own with ALL_PROXY
    told = company.anthropic.requests[0].header("authorization")
    assert told == f"Bearer {company.house.canaries.oauth}"


def test_launch_08_a_repository_names_no_proxy_before_its_folder_is_trusted(
    company: Company,
) -> None:
    company.house.write(
        f"project/{SETTINGS}", json.dumps({"env": {"HTTPS_PROXY": company.internet.url}})
    )
    company.house.write(".claude.json", json.dumps({"hasCompletedOnboarding": True}))

    ran = ask(company, "haiku", **company.trusted)

    assert ran.code == 1
    assert company.asked() <= {f"{OWN_HOST}:443"}  # claude's own requests, which are claude's


@pytest.mark.parametrize(
    "exempt", ["api.openai.com", variant(".openai.com:443"), variant("a.example openai.com")]
)
def test_launch_08_what_no_proxy_names_is_asked_without_the_proxy(
    company: Company, exempt: str
) -> None:
    ways = {"HTTPS_PROXY": company.internet.url, "NO_PROXY": exempt}

    assert ask(company, "opus", **company.trusted, **ways) == (0, OPUS, "")
    ran = ask(company, "haiku", **company.trusted, **ways)

    assert "cannot reach api.openai.com:443 now: its name cannot be resolved" in ran.out
    assert company.asked() == {f"{OWN_HOST}:443"}


@contextmanager
def tinyproxy(folder: Path, behind: str) -> Iterator[int]:
    """Run Debian's tinyproxy, which wants a user and a password and asks the proxy `behind`."""
    port = free_pair()
    file = folder / "tinyproxy.conf"
    file.write_text(
        f"Port {port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 50\nLogLevel Critical\n"
        f"BasicAuth {USER} {PASSWORD}\nupstream http {behind.removeprefix('http://')}\n"
        "ConnectPort 443\n"
    )
    program = shutil.which("tinyproxy") or ""
    need(program, "tinyproxy (build/setup installs it)")
    with subprocess.Popen([program, "-d", "-c", str(file)], stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: is_listening(port))
            yield port
        finally:
            process.terminate()


def is_listening(port: int) -> bool:
    """Tell whether a loopback port is taken."""

    found = try_bind(port)
    if found:
        found.close()
    return found is None


def test_launch_08_a_real_proxys_login_is_used_and_asked_for(
    company: Company, tmp_path: Path
) -> None:
    with tinyproxy(tmp_path, company.internet.url) as port:
        good = {"HTTPS_PROXY": f"http://{USER}:{PASSWORD}@127.0.0.1:{port}"}
        without = {"HTTPS_PROXY": f"http://127.0.0.1:{port}"}
        wrong = {"HTTPS_PROXY": f"http://{USER}:CANARY-that-is-wrong@127.0.0.1:{port}"}

        said = [ask(company, tier, **company.trusted, **good) for tier in ("opus", "haiku")]
        asked = company.asked()
        missing = [ask(company, tier, **company.trusted, **without) for tier in ("opus", "haiku")]
        rejected = [ask(company, tier, **company.trusted, **wrong) for tier in ("opus", "haiku")]

    assert said == [(0, OPUS, ""), (0, HAIKU, "")]
    assert asked == CONNECTED
    proxy = f"the proxy http://127.0.0.1:{port}"
    for ran in missing:
        assert f"{proxy} wants a user and a password (HTTP 407); set HTTPS_PROXY" in refused(ran)
    for ran in rejected:
        assert f"{proxy} does not accept the user and the password" in refused(ran)
    assert "HTTPS_PROXY differs from what the running proxies had" in missing[0].err
    told = [part for ran in (*said, *missing, *rejected) for part in (ran.out, ran.err)]
    written = [path.read_text() for path in company.house.folder.parent.rglob("*.log*")]
    for text in (*told, *written):
        assert "CANARY" not in text


@pytest.mark.parametrize("status", [403, variant(511)])
def test_launch_09_a_proxy_that_refuses_is_named_once(company: Company, status: int) -> None:
    with answering(b"HTTP/1.1 %d No\r\ncontent-length: 0\r\n\r\n" % status) as proxy:
        said = [ask(company, tier, HTTPS_PROXY=proxy) for tier in ("opus", "haiku")]

    for ran, host in zip(said, (OWN_HOST, OPENAI_HOST), strict=True):
        words = f"the proxy {proxy} refuses to connect to it (HTTP {status})"
        assert f"cannot reach {host}:443: {words}" in refused(ran)


@pytest.mark.variants
def test_launch_09_a_proxy_that_no_client_can_use_is_named(company: Company) -> None:
    said = [ask(company, tier, ALL_PROXY="socks5://127.0.0.1:9") for tier in ("opus", "haiku")]

    for ran in said:
        assert "the proxy socks5://127.0.0.1:9 is not one that claude and openclaude can use" in (
            refused(ran)
        )
