"""Auto-compaction starts at the model's real limit: a session that grows until claude compacts it.

The stand-in counts tokens so that claude's own prompt is a third of the window.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from openclaude.standins.base import script
from openclaude.standins.base.exchange import Recorded
from openclaude.standins.bedrock.rules import ModelRules
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockRecorded, BedrockStandin
from tests.e2e.conftest import Build
from tests.e2e.house import Canaries, House
from tests.e2e.session import ENDED, session

MODEL = "qwen.qwen3-coder-next"
SUMMARY = b"create a detailed summary"  # of claude's request for one (2.1.330)
STEPS = 80  # more than it takes, each of about a hundredth of the window
# What claude keeps free of any window (2.1.330), in tokens: 20,000 for a summary and 13,000 more
RESERVE = 33_000
STEP = 50  # a turn of this test is less than such a part of the window


class Counting(BedrockStandin):
    """Counts as many tokens for a byte as are wanted."""

    tokens_per_byte = 0.25

    def size(self, request: Recorded) -> int:
        """Return the tokens of a request."""
        return int(len(request.body) * self.tokens_per_byte)

    def _count(self, request: BedrockRecorded) -> int:
        return self.size(request)


@pytest.fixture
def counting(canaries: Canaries) -> Iterator[Counting]:
    """A Bedrock with one model."""
    keys = {canaries.aws_id: Secret(canaries.aws_secret)}
    rules = {MODEL: ModelRules(max_output_tokens=128_000, vision=True)}
    with Counting(credentials=keys, region="us-west-2", models=rules) as standin:
        yield standin


def grown(house: House, counting: Counting, window: int) -> list[tuple[int, bool]]:
    """Return the tokens of each request of a session, and whether it asks for a summary."""
    found: list[tuple[int, bool]] = []
    with session(house, "haiku", profile="windowed") as talk:
        talk.ask(script.say("hi"))
        assert talk.answer() == "hi"
        first = max(len(one.body) for one in counting.requests)
        counting.tokens_per_byte = window / 3 / first
        step = "word " * (first * 3 // 100 // 5)
        for number in range(STEPS):
            talk.ask(f"{step} {script.say(f'said {number}')}")
            assert talk.answer() != ENDED
            found = [(counting.size(one), SUMMARY in one.body) for one in conversation(counting)]
            if any(is_summary for _, is_summary in found):
                break
    return found


def conversation(counting: Counting) -> list[Recorded]:
    """Return the requests with tools; claude's others have none."""
    return [one for one in counting.requests if json.loads(one.body).get("toolConfig")]


@pytest.mark.parametrize("window", [1_000_000, 64_000])
def test_claude_compacts_at_the_window_of_the_model(
    build_house: Build, counting: Counting, window: int
) -> None:
    with build_house(f"window-{window}") as house:
        house.write_own_profile(
            "windowed",
            f"""
[tiers.haiku]
model = "bedrock/{MODEL}"
context_window = {window}
max_output_tokens = 8000
[aws]
profile = "openclaude"
region = "us-west-2"
endpoint_url = "{counting.url}"
""",
        )

        requests = grown(house, counting, window)

    sizes = [size for size, is_summary in requests if not is_summary]
    assert any(is_summary for _, is_summary in requests), "it has compacted"
    assert max(sizes) <= window, "nothing was sent that does not fit"
    assert max(sizes) > window - RESERVE - window / STEP
