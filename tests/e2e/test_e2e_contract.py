"""Every request recorded with a kept version of claude, sent to main again.

Of Claude: the same bytes reach Anthropic. Of a slot: what was accepted before, with nothing in it
that Bedrock would refuse. No claude runs here, so versions of any age are tried in seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.conftest import REPOSITORY, variant
from tests.e2e.house import House
from tests.pinned import CLAUDE_VERSION

sys.path.insert(0, str(REPOSITORY / "build/contract.d"))  # build/ is not a package
from exchanges import kept, load
from replay import Replayed, Upstreams, accepted, changes, digest, replay

FIX = "if that is as it should be: build/contract accept"


@pytest.mark.parametrize(
    "version", [one if one == CLAUDE_VERSION else variant(one) for one in kept()]
)
def test_every_recorded_request_arrives_as_it_was_accepted(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, version: str
) -> None:
    stack = house.record()
    to = Upstreams(stack["port"], stack["main_key"], house.canaries.oauth, anthropic, bedrock)

    found = list(replay(load(kept()[version]).exchanges(), to))

    assert len(found) > 100
    assert [(one.exchange.model, one.problems) for one in found if one.problems] == []
    assert not (changed := list(other_bodies(found, accepted(version)))), "\n".join([*changed, FIX])


def other_bodies(found: list[Replayed], before: dict[str, object]) -> Iterator[str]:
    """Return the slots' requests that make a different body at Bedrock than was accepted."""
    for one in found:
        if one.converse is not None:
            was = before.get(digest(one.exchange), "nothing was accepted for this request")
            if list(one.converse) != was:
                yield changes(was, list(one.converse))
