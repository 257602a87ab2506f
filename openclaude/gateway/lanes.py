"""Which way a request goes, by its model: to Anthropic as it is, or to a slot.

Knows: slot ids, the families in Claude's own ids, who pays at Anthropic. Refuses to know: LiteLLM,
ASGI, what a slot is served by. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from openclaude.gateway.slot_errors import Slot

PLAN, API_KEY, NONE = "plan", "api-key", "none"
CLAUDE = "claude-"
FAMILIES = ("opus", "sonnet", "haiku", "fable")
SLOT = "openclaude-"
# claude's helpers ask for ids by name (its safety check: `claude-sonnet-5`, measured with 2.1.330)
FALLBACK_FAMILY = "sonnet"


class Lanes(NamedTuple):
    """What main was told of its profile."""

    slots: Mapping[str, Slot]  # by slot id
    auth: str = PLAN
    on_limit: str = ""  # the slot that answers when the plan's limit is reached

    def slot_of(self, model: str) -> str:
        """The slot that serves a model, or "" for Anthropic and for what nobody serves.

        Slot ids are matched exactly and first. Without a Claude account every id of Claude's is
        the tier of its family.
        """
        if model in self.slots and model != self.on_limit:
            return model
        if self.auth != NONE or not model.startswith(CLAUDE):
            return ""
        family = next((name for name in FAMILIES if name in model), FALLBACK_FAMILY)
        return SLOT + family

    def is_raw(self, model: str) -> bool:
        """Whether a model is Anthropic's to serve."""
        return self.auth != NONE and model.startswith(CLAUDE)
