"""Replies that nobody thought of, through a real providers instance: a message or an error.

500 examples in every run. Through main, and 20,000 of them: tests/e2e/test_e2e_fuzz.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.anthropic_rules import judge
from tests.fuzzed import check, fuzzed, made_up
from tests.process.replay import Replayer, replayer
from tests.unit.gateway.replies.upstreams import DIALECTS

SLOTS = {
    **{name: (name,) for name in DIALECTS},
    "openai": ("openai", "openrouter", "mistral", "hosted_vllm"),
}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayer]:
    with replayer(tmp_path_factory.mktemp("fuzz")) as started:
        yield started


@pytest.mark.variants
@fuzzed
@given(st.sampled_from(sorted(DIALECTS)), st.booleans(), st.integers(0, 2**32 - 1))
def test_whatever_a_provider_answers_claude_gets_a_message_or_an_error(
    instance: Replayer, dialect: str, streams: bool, seed: int
) -> None:
    given_ = made_up(dialect, seed, streams=streams)
    slot = random.Random(seed).choice(SLOTS[dialect])  # noqa: S311 - a test's
    instance.replay.cut = given_.cut

    answer = instance.ask(slot, given_.response, stream=streams)

    check(given_, judge(answer.status, answer.body, streams=streams))


def test_the_instance_has_met_nothing_that_it_did_not_expect(instance: Replayer) -> None:
    log = instance.log.read_text()

    assert "Exception in ASGI application" not in log
    assert "the rehearsal failed" not in log
