"""Which address of Bedrock an AWS profile names, as botocore finds it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from openclaude.aws.endpoints import (
    EndpointUnusable,
    ProfileEndpoints,
    checked_endpoint,
    find_endpoint,
)

REGION = "us-west-2"
PRIVATE = "https://vpce-1.corp.example"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The AWS configuration of the process."""
    path = tmp_path / "config"
    path.write_text("[profile work]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    return path


def test_the_region_alone_decides_where_nothing_else_is_named(config: Path) -> None:
    assert find_endpoint("work", REGION) == ""


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        (f"endpoint_url = {PRIVATE}/", PRIVATE),
        ("use_fips_endpoint = true", f"https://bedrock-runtime-fips.{REGION}.amazonaws.com"),
        ("use_dualstack_endpoint = true", f"https://bedrock-runtime.{REGION}.api.aws"),
        (f"services = s\n[services s]\nbedrock_runtime =\n  endpoint_url = {PRIVATE}", PRIVATE),
    ],
)
def test_what_the_profile_says_is_what_botocore_makes_of_it(
    config: Path, lines: str, address: str
) -> None:
    config.write_text(f"[profile work]\n{lines}\n")

    assert find_endpoint("work", REGION) == address


def test_a_variable_counts_as_for_awss_own_tools(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", PRIVATE)

    assert find_endpoint("work", REGION) == PRIVATE


@pytest.mark.parametrize(
    "url", ["https://bedrock.corp", "http://127.0.0.1:8000", "http://localhost:1", "http://[::1]:1"]
)
def test_an_address_that_is_encrypted_or_here_is_asked(url: str) -> None:
    assert checked_endpoint(url) == url


@pytest.mark.parametrize(
    "host", ["bedrock.corp", "127.example.com", "localhost.example.com", "::1.example.com"]
)
def test_any_other_is_refused(host: str) -> None:
    said = rf"http://{re.escape(host)} for Bedrock, which is not"
    with pytest.raises(EndpointUnusable, match=said):
        checked_endpoint(f"http://{host}")


def test_an_address_is_found_once_until_the_files_change() -> None:
    asked: list[tuple[str, str]] = []
    stamp = [1]

    def find(profile: str, region: str) -> str:
        asked.append((profile, region))
        return ""

    kept = ProfileEndpoints(find, lambda: stamp[0])
    for _ in range(2):
        kept.get("work", REGION)
        kept.get("work", "eu-west-1")
    stamp[0] = 2
    kept.get("work", REGION)

    assert asked == [("work", REGION), ("work", "eu-west-1"), ("work", REGION)]
