"""A provider's first thought is on claude's screen while the provider still holds the rest back.

What decides is the order: the rest would come long after the test has given up waiting.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from openclaude.standins.base import script
from openclaude.standins.base.exchange import Reply
from openclaude.standins.bedrock.rules import ModelRules
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockRecorded, BedrockStandin
from tests.conftest import need
from tests.e2e.conftest import Build
from tests.e2e.house import OPENCLAUDE, Canaries
from tests.e2e.terminal import WAIT_S, Terminal

pytestmark = pytest.mark.variants
MODEL = "us.zai.glm-5.3"
THOUGHT = "wondering about the tides and the moon"
ANSWER = "it is the moon that pulls the water along"
PROMPT = r"❯\s*\n─"


class Holding(BedrockStandin):
    """Holds back what comes after the first frame with these bytes."""

    after = b""

    def _reply(self, request: BedrockRecorded) -> Reply:
        reply = super()._reply(request)
        if isinstance(reply.body, bytes) or THOUGHT[:9].encode() not in reply.content:
            return reply
        chunks = [*reply.body]
        first = next(n for n, one in enumerate(chunks) if self.after in one.content)
        chunks[first + 1] = replace(chunks[first + 1], pause_s=10 * WAIT_S)
        return replace(reply, body=tuple(chunks))


@pytest.mark.parametrize(
    ("after", "shown"),
    [
        # while a thought is not at its end, claude shows that there is one, and how long it is
        (b"reasoningContent", r"↓ [1-9]\d* tokens · thinking"),
        # its words are there with the next block, as Claude's own are
        (ANSWER[:9].encode(), f"∴ {THOUGHT}"),
    ],
    ids=["of its first words", "of a whole thought"],
)
def test_a_thought_is_on_the_screen_before_the_provider_goes_on(
    build_house: Build, canaries: Canaries, tmp_path: Path, after: bytes, shown: str
) -> None:
    need(shutil.which("tmux"), "tmux")
    keys = {canaries.aws_id: Secret(canaries.aws_secret)}
    rules = {MODEL: ModelRules(max_output_tokens=128_000)}
    with (
        Holding(credentials=keys, region="us-west-2", models=rules) as bedrock,
        build_house("thoughtful") as house,
    ):
        bedrock.after = after
        house.write_own_profile(
            "slow",
            f'[tiers]\nhaiku = "bedrock/{MODEL}"\n[aws]\nprofile = "openclaude"\n'
            f'region = "us-west-2"\nendpoint_url = "{bedrock.url}"\n',
        )
        argv = (OPENCLAUDE, "--profile", "slow", "--model", "haiku", "--verbose")
        with Terminal(argv, house.environment(), house.project, tmp_path / "tmux") as terminal:
            terminal.wait_for(PROMPT)
            terminal.type(script.reasoning(THOUGHT) + script.say(ANSWER))

            screen = terminal.wait_for(shown)

        assert ANSWER not in screen
