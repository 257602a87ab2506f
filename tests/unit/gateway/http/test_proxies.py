"""Which proxy a request takes, and which hosts it spares (as Claude Code 2.1.330: measured)."""

from __future__ import annotations

import pytest

from openclaude.gateway.http.proxies import is_exempt, proxy_for, without_login

PROXY = "http://proxy.corp:3128"


@pytest.mark.parametrize(
    ("env", "proxy"),
    [
        ({}, ""),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"HTTPS_PROXY": "proxy.corp:3128"}, PROXY),
        ({"HTTPS_PROXY": "http://other", "https_proxy": PROXY}, PROXY),
        ({"HTTPS_PROXY": PROXY, "https_proxy": ""}, PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "api.example"}, ""),
    ],
)
def test_a_proxy_is_found_by_claudes_variables(env: dict[str, str], proxy: str) -> None:
    assert proxy_for("https", "api.example", None, env) == proxy


def test_what_is_not_encrypted_goes_through_no_proxy() -> None:
    assert proxy_for("http", "api.example", 80, {"HTTPS_PROXY": PROXY, "HTTP_PROXY": PROXY}) == ""


@pytest.mark.parametrize(
    ("entries", "host", "is_spared"),
    [
        ("api.anthropic.com", "api.anthropic.com", True),
        ("API.Anthropic.com", "api.anthropic.com", True),
        (".anthropic.com", "api.anthropic.com", True),
        ("anthropic.com", "api.anthropic.com", True),
        ("*.anthropic.com", "api.anthropic.com", True),
        ("thropic.com", "api.anthropic.com", False),
        ("*", "api.anthropic.com", True),
        ("api.anthropic.com:443", "api.anthropic.com", True),
        ("api.anthropic.com:80", "api.anthropic.com", False),
        ("a.example api.anthropic.com", "api.anthropic.com", True),
        ("a.example,, api.anthropic.com", "api.anthropic.com", True),
        ("192.0.2.5", "192.0.2.5", True),
        ("192.0.2.0/24", "192.0.2.5", True),
        ("192.0.2.0/24", "198.51.100.1", False),
        ("192.0.2.", "192.0.2.5", False),
        ("192.0.2.*", "192.0.2.5", False),
        ("fd00::5", "fd00::5", True),
        ("[fd00::5]", "fd00::5", True),
        ("[fd00::5]:443", "fd00::5", True),
        ("[fd00::5]:80", "fd00::5", False),
        ("fd00::/8", "[fd00::5]", True),
        ("FD00:0::5", "fd00::5", True),
        ("fd00::5", "api.anthropic.com", False),
        ("", "127.0.0.1", True),
        ("", "127.8.8.8", True),
        ("", "::1", True),
        ("", "localhost", True),
        ("", "localhost.corp", False),
        (". * ..", "api.anthropic.com", True),
        (". ..", "api.anthropic.com", False),
    ],
)
def test_no_proxy_is_read_as_claude_reads_it(entries: str, host: str, is_spared: bool) -> None:
    assert is_exempt(host, 443, {"NO_PROXY": entries}) is is_spared


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        ("http://proxy.corp:3128", "http://proxy.corp:3128"),
        ("http://me:CANARY@proxy.corp:3128/", "http://proxy.corp:3128"),
        ("http://me:CAN@ARY@proxy.corp", "http://proxy.corp"),
        ("me:CANARY@[::1]:3128", "http://[::1]:3128"),
        ("socks5://me:CANARY@proxy", "socks5://proxy"),
        ("http://me:CANARY@", "http://..."),
        ("http://me:a/b@proxy.corp", "http://proxy.corp"),
    ],
)
def test_nothing_of_a_proxys_login_is_shown(proxy: str, shown: str) -> None:
    assert without_login(proxy) == shown


@pytest.mark.parametrize(
    ("url", "goes"),
    [
        ("https://sts.amazonaws.com/", True),
        ("https://vpce.corp/", False),
        ("https://10.1.2.3/", False),
        ("http://169.254.170.2/credentials", False),
    ],
)
def test_credentials_are_fetched_by_the_same_way(
    url: str, goes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from openclaude.gateway.litellm.way_out import goes_through_proxy

    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", ".corp,10.0.0.0/8")

    assert goes_through_proxy(url) is goes
