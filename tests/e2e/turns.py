"""Which of Anthropic's requests are turns of a conversation.

Knows: what claude asks beside one: whether the plan has quota left, a title, its own safety check.
Independent of: what a turn says.
"""

from __future__ import annotations

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base.exchange import Recorded


def turns(anthropic: AnthropicStandin) -> list[Recorded]:
    """The requests with tools: no other call of claude's has any."""
    return [one for one in anthropic.requests if one.body and one.json().get("tools")]
