"""Which ports main may connect to."""

from __future__ import annotations

import pytest

from openclaude.run.worker.confined import allowed_ports

HOP = "https://127.0.0.1:4001"


@pytest.mark.parametrize(
    ("reaches", "environment", "ports"),
    [
        (f"https://api.anthropic.com {HOP}", {}, {443, 4001}),
        ("http://127.0.0.1:8000", {}, {8000}),
        ("https://api.anthropic.com", {"HTTPS_PROXY": "http://proxy.corp:3128"}, {443, 3128}),
        ("https://api.anthropic.com", {"https_proxy": "proxy.corp:3128"}, {443, 3128}),
        ("https://api.anthropic.com", {"https_proxy": "http://u:p@proxy.corp"}, {443, 80}),
        ("https://[::1]:8443/v1", {"HTTPS_PROXY": ""}, {8443}),
    ],
)
def test_the_ports_of_its_addresses_and_of_the_proxy(
    reaches: str, environment: dict[str, str], ports: set[int]
) -> None:
    assert allowed_ports(reaches, environment) == ports
