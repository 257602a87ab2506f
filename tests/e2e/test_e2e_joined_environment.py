"""A launch that joins a running stack is served with its own keys, files and ways, and says so."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.company import ONCE
from tests.e2e.conftest import Build
from tests.e2e.house import House, Ran
from tests.e2e.session import session
from tests.standins.openai.standin import OpenAIStandin

NAME = "house"  # the profile of `session`
KEY, OLD_KEY = "sk-new-CANARY-0123456789", "sk-revoked-CANARY-0123456789"
OTHER_ID, OTHER_SECRET = f"AKIA{secrets.token_hex(8).upper()}", f"other/{secrets.token_hex(16)}+"
PROFILE = """
[tiers.haiku]
model = "openai/mine"
api_base = "{openai}/v1"
api_key = "env:MY_KEY"
context_window = 200000
max_output_tokens = 8000
[tiers.sonnet]
model = "bedrock/qwen.qwen3-next-80b-a3b"
[aws]
profile = "openclaude"
region = "us-west-2"
endpoint_url = "{bedrock}"
"""
MINE, QWEN = "openai stand-in: mine\n", "bedrock stand-in: qwen.qwen3-next-80b-a3b\n"


class Scene(NamedTuple):
    """A house with two accounts, whose profile has a key in a variable."""

    house: House
    bedrock: BedrockStandin

    def ask(self, tier: str, **env: str) -> Ran:
        """One question in a launch with these variables."""
        return self.house.openclaude("-p", "hi", "--model", tier, profile=NAME, env={**ONCE, **env})

    def findings(self, **env: str) -> dict[str, dict[str, str]]:
        """Return what doctor says, by code."""
        found = self.house.command("doctor", "--json", profile=NAME, env=env).json()
        return {one["code"]: one for one in found["data"]["diagnostics"]}


@pytest.fixture
def scene(build_house: Build) -> Iterator[Scene]:
    """Build it."""
    with (
        build_house("joined") as house,
        OpenAIStandin(key=KEY) as openai,
        BedrockStandin(
            credentials={
                house.canaries.aws_id: Secret(house.canaries.aws_secret),
                OTHER_ID: Secret(OTHER_SECRET),
            },
            region="us-west-2",
        ) as bedrock,
    ):
        house.write_own_profile(NAME, PROFILE.format(openai=openai.url, bedrock=bedrock.url))
        yield Scene(house, bedrock)


def renewed(name: str, also: str = "") -> str:
    """Return what a launch says that has changed a variable."""
    return (
        f"openclaude: {name} differs from what the running proxies had: they start again with what "
        f"you have now{also}\n"
    )


def test_launch_10_a_new_key_takes_the_place_of_a_revoked_one_and_a_launch_without_keeps_it(
    scene: Scene,
) -> None:
    revoked = scene.ask("haiku", MY_KEY=OLD_KEY)
    before = scene.findings(MY_KEY=KEY)
    first = scene.ask("haiku", MY_KEY=KEY)
    same = scene.ask("haiku", MY_KEY=KEY)
    without = scene.ask("haiku")
    after = scene.findings(MY_KEY=KEY)

    assert revoked.out.startswith("API Error: 424 mine: the provider rejected the API key")
    assert (
        before["stack-environment"]["message"] == "the running proxies have other values of MY_KEY"
    )
    assert before["stack-environment"]["fix"] == f"run `openclaude restart --profile {NAME}`"
    assert first == (0, MINE, renewed("MY_KEY"))
    assert same == without == (0, MINE, "")
    assert "stack-environment" not in after


@pytest.mark.variants
def test_launch_10_what_doctor_names_its_command_fixes(scene: Scene) -> None:
    scene.ask("haiku", MY_KEY=OLD_KEY)

    assert scene.house.command("restart", "--wait", env={"MY_KEY": KEY}, profile=NAME).code == 0

    assert "stack-environment" not in scene.findings(MY_KEY=KEY)
    assert scene.ask("haiku", MY_KEY=KEY) == (0, MINE, "")


def test_launch_10_another_accounts_files_are_never_used_silently(
    scene: Scene, tmp_path: Path
) -> None:
    other = tmp_path / "credentials"
    other.write_text(
        f"[openclaude]\naws_access_key_id = {OTHER_ID}\naws_secret_access_key = {OTHER_SECRET}\n"
    )
    env = {"MY_KEY": KEY}

    here = scene.ask("sonnet", **env)
    there = scene.ask("sonnet", **env, AWS_SHARED_CREDENTIALS_FILE=str(other))
    back = scene.ask("sonnet", **env)

    assert here == (0, QWEN, "")
    assert there == back == (0, QWEN, renewed("AWS_SHARED_CREDENTIALS_FILE"))
    ids = [request.signed_by for request in scene.bedrock.requests]
    assert ids == [scene.house.canaries.aws_id, OTHER_ID, scene.house.canaries.aws_id]


@pytest.mark.variants
def test_launch_10_an_open_session_goes_on_and_the_launch_says_that_it_is_concerned(
    scene: Scene,
) -> None:
    assert scene.ask("haiku", MY_KEY=KEY).code == 0
    with session(scene.house, "haiku") as other:
        other.ask("hi")
        assert other.answer() == MINE.strip()

        changed = scene.ask("haiku", MY_KEY=KEY, HTTPS_PROXY="http://127.0.0.1:9")
        other.ask("again")

        assert other.answer() == MINE.strip()
    assert changed == (0, MINE, renewed("HTTPS_PROXY", ", also for the other open session"))


@pytest.mark.variants
def test_launch_10_what_differs_from_terminal_to_terminal_changes_nothing(scene: Scene) -> None:
    personal = {"SSH_AUTH_SOCK": "/run/agent", "GPG_TTY": "/dev/pts/7", "TZ": "UTC"}

    assert scene.ask("haiku", MY_KEY=KEY) == (0, MINE, "")
    started = scene.house.status(NAME)["units"]
    assert scene.ask("haiku", MY_KEY=KEY, **personal) == (0, MINE, "")

    pids = [
        [unit["pid"] for unit in units] for units in (started, scene.house.status(NAME)["units"])
    ]
    assert pids[0] == pids[1]
