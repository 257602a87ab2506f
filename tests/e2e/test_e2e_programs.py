"""Other programs on the proxies, with what `openclaude env` gives them: here plain claude."""

from __future__ import annotations

import json

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import CLAUDE, House


def test_plain_claude_uses_the_proxies_with_a_key_of_its_own_until_it_is_revoked(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    ran = house.command("env", "--for", "a test", "--json")
    assert ran.code == 0, ran
    given = json.loads(ran.out)["data"]
    environment = house.environment(given["variables"])

    answers = {
        tier: house.run((CLAUDE, "-p", "who are you?", "--model", tier), environment)
        for tier in ("haiku", "opus")
    }

    assert {tier: one.code for tier, one in answers.items()} == {"haiku": 0, "opus": 0}, answers
    assert bedrock.requests
    assert anthropic.requests
    assert all(given["key"] not in repr(one) for one in (*bedrock.requests, *anthropic.requests))

    count = len(bedrock.requests)
    assert house.command("env", "--for", "a test", "--revoke").code == 0
    refused = house.run((CLAUDE, "-p", "and now?", "--model", "haiku"), environment)
    assert refused.code != 0
    assert "revoked" in refused.out + refused.err
    assert len(bedrock.requests) == count
