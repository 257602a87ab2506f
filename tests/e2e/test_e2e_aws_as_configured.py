"""Bedrock as the user's AWS configuration has it: its programs, its addresses, its authorities."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.conftest import variant
from tests.e2e.company import KEY, ONCE
from tests.e2e.conftest import Build
from tests.e2e.house import House, Ran
from tests.e2e.internet import Internet

NAME = "cloud"
REGION = "us-west-2"
QWEN = "bedrock stand-in: qwen.qwen3-next-80b-a3b\n"
PUBLIC = f"bedrock-runtime.{REGION}.amazonaws.com"
FIPS = f"bedrock-runtime-fips.{REGION}.amazonaws.com"
PRIVATE = "vpce-1234.bedrock.corp.example"
PROFILE = """
schema = 1
[tiers.haiku]
model = "bedrock/qwen.qwen3-next-80b-a3b"
[tiers.sonnet]
model = "openai/gpt-4.1-mini"
api_key = "{key}"
max_output_tokens = 8000
[aws]
profile = "openclaude"
region = "us-west-2"
"""
# a desktop's session, as aws-vault, 1Password and their like need it
SESSION = {
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1000/bus",
    "XDG_RUNTIME_DIR": "/run/user/1000",
    "SSH_AUTH_SOCK": "/run/user/1000/agent",
    "DISPLAY": ":0",
    "AWS_VAULT_BACKEND": "secret-service",
    "OP_SESSION_corp": "session-of-1password",
    "USER": "me",
}


class Cloud(NamedTuple):
    """A house in front of Bedrock's public, private and FIPS addresses, which are one stand-in."""

    house: House
    internet: Internet
    bedrock: BedrockStandin

    def environment(self, **more: str) -> dict[str, str]:
        """Return the user's variables."""
        trusted = {"NODE_EXTRA_CA_CERTS": str(self.internet.authority)}
        return {"HTTPS_PROXY": self.internet.url, "OPENAI_API_KEY": KEY, **trusted, **ONCE, **more}

    def ask(self, **more: str) -> Ran:
        """One question to Bedrock."""
        env = self.environment(**more)
        return self.house.openclaude("-p", "hi", "--model", "haiku", profile=NAME, env=env)

    def asked(self) -> set[str]:
        """Return the hosts of Bedrock that were asked."""
        return {one.removesuffix(":443") for one in self.internet.asked if "bedrock" in one}

    def findings(self, **more: str) -> dict[str, dict[str, str]]:
        """Return what doctor says, by code."""
        found = self.house.command("doctor", "--json", profile=NAME, env=self.environment(**more))
        return {one["code"]: one for one in found.json()["data"]["diagnostics"]}


@pytest.fixture
def cloud(build_house: Build, tmp_path: Path) -> Iterator[Cloud]:
    """Build it."""
    with build_house(NAME) as house:
        keys = {house.canaries.aws_id: Secret(house.canaries.aws_secret)}
        with BedrockStandin(credentials=keys, region=REGION) as bedrock:
            hosts = dict.fromkeys((PUBLIC, FIPS, PRIVATE), bedrock.port)
            with Internet(hosts, tmp_path) as internet:
                house.around = {}
                path = f".config/openclaude/profiles/{NAME}.toml"
                house.write(path, PROFILE.format(key="env:OPENAI_API_KEY"))
                yield Cloud(house, internet, bedrock)


def main_key(house: House) -> str:
    """Return the local key of the running stack."""
    return str(json.loads((house.folder.parent / NAME / "stack.json").read_bytes())["main_key"])


@pytest.mark.parametrize("method", ["fork", variant("spawn")])
def test_launch_19_a_credential_process_runs_as_in_the_users_shell(
    cloud: Cloud, tmp_path: Path, method: str
) -> None:
    house = cloud.house
    house.method = method
    seen = tmp_path / "seen"
    answer = {
        "Version": 1,
        "AccessKeyId": house.canaries.aws_id,
        "SecretAccessKey": house.canaries.aws_secret,
    }
    program = house.write("vault", f"#!/bin/sh\nenv >{seen}\necho '{json.dumps(answer)}'\n")
    program.chmod(0o700)
    house.write(".aws/credentials", "")
    house.write(".aws/config", f"[profile openclaude]\ncredential_process = {program}\n")

    ran = cloud.ask(**SESSION)

    assert ran == (0, QWEN, "")
    found = dict(line.split("=", 1) for line in seen.read_text().splitlines() if "=" in line)
    assert {name: found.get(name) for name in SESSION} == SESSION
    assert found["HOME"] == str(house.home)
    assert found["HTTPS_PROXY"] == cloud.internet.url
    assert not {name for name in found if name.startswith(("OPENCLAUDE", "LITELLM", "ANTHROPIC"))}
    assert "AWS_EC2_METADATA_DISABLED" not in found
    assert KEY not in seen.read_text()
    assert main_key(house) not in seen.read_text()


@pytest.mark.variants
def test_launch_19_a_program_that_prints_a_key_runs_so_too(cloud: Cloud, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program = cloud.house.write("op", f"#!/bin/sh\nenv >{seen}\necho {KEY}\n")
    program.chmod(0o700)
    path = f".config/openclaude/profiles/{NAME}.toml"
    cloud.house.write(path, PROFILE.format(key=f"command:{program}"))

    assert cloud.ask(**SESSION) == (0, QWEN, "")

    found = dict(line.split("=", 1) for line in seen.read_text().splitlines() if "=" in line)
    assert {name: found.get(name) for name in SESSION} == SESSION
    assert not {name for name in found if name.startswith(("OPENCLAUDE", "LITELLM", "ANTHROPIC"))}


@pytest.mark.parametrize(
    ("config", "env", "host"),
    [
        variant("", {}, PUBLIC),
        variant("", {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": f"https://{PRIVATE}"}, PRIVATE),
        variant("", {"AWS_ENDPOINT_URL": f"https://{PRIVATE}"}, PRIVATE),
        variant("", {"AWS_USE_FIPS_ENDPOINT": "true"}, FIPS),
        variant(f"endpoint_url = https://{PRIVATE}\n", {}, PRIVATE),
        variant("use_fips_endpoint = true\n", {}, FIPS),
        (
            "services = corp\n[services corp]\nbedrock_runtime =\n"
            f"  endpoint_url = https://{PRIVATE}\n",
            {},
            PRIVATE,
        ),
        variant(
            f"endpoint_url = https://{PRIVATE}\nignore_configured_endpoint_urls = true\n",
            {},
            PUBLIC,
        ),
    ],
)
def test_launch_21_the_address_of_bedrock_is_the_one_that_awss_tools_ask(
    cloud: Cloud, config: str, env: dict[str, str], host: str
) -> None:
    cloud.house.write(".aws/config", f"[profile openclaude]\nregion = {REGION}\n{config}")

    found = cloud.findings(**env)
    ran = cloud.ask(**env)

    assert ran == (0, QWEN, "")
    assert cloud.asked() == {host}
    assert ("aws-endpoint" in found) is bool(config or env)


@pytest.mark.variants
def test_launch_21_the_profiles_own_address_takes_precedence(cloud: Cloud) -> None:
    path = f".config/openclaude/profiles/{NAME}.toml"
    text = PROFILE.format(key="env:OPENAI_API_KEY")
    cloud.house.write(path, f'{text}endpoint_url = "https://{PRIVATE}"\n')

    assert cloud.ask(AWS_USE_FIPS_ENDPOINT="true") == (0, QWEN, "")

    assert cloud.asked() == {PRIVATE}


@pytest.mark.variants
def test_launch_21_an_address_without_encryption_is_refused_with_what_to_set(cloud: Cloud) -> None:
    cloud.house.write(
        ".aws/config", "[profile openclaude]\nendpoint_url = http://bedrock.corp.example\n"
    )

    ran = cloud.ask()

    assert ran.code == 1
    assert ran.out.startswith("API Error: 424 ")
    assert "http://bedrock.corp.example for Bedrock, which is not encrypted" in ran.out
    found = cloud.findings()["aws-endpoint-plain"]
    assert f"openclaude profiles set {NAME} aws.endpoint_url=https://HOST" in found["fix"]
    fixed = cloud.house.run(
        (cloud.house.program, "profiles", "set", NAME, f"aws.endpoint_url=https://{PRIVATE}"),
        cloud.house.environment(cloud.environment()),
    )
    assert fixed.code == 0, fixed
    assert cloud.ask().out == QWEN
    assert cloud.asked() == {PRIVATE}


@pytest.mark.parametrize("place", [variant("AWS_CA_BUNDLE"), "ca_bundle"])
def test_launch_07_the_authority_of_awss_configuration_is_trusted(cloud: Cloud, place: str) -> None:
    authority = str(cloud.internet.authority)
    env = {"NODE_EXTRA_CA_CERTS": ""}
    if place == "ca_bundle":
        cloud.house.write(".aws/config", f"[profile openclaude]\nca_bundle = {authority}\n")
    else:
        env[place] = authority

    assert cloud.ask(**env) == (0, QWEN, "")


@pytest.mark.variants
def test_launch_21_retries_of_awss_configuration_are_named(cloud: Cloud) -> None:
    cloud.house.write(".aws/config", "[profile openclaude]\nretry_mode = adaptive\n")

    assert "claude asks again" in cloud.findings()["aws-retries"]["why"]
    assert cloud.ask() == (0, QWEN, "")
