"""The profile that a guided start writes: its text, from the answers.

Knows: how each way is said in a profile. Independent of: files, questions. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from openclaude.commands.guide.found import LocalModel
from openclaude.profile.toml.render import value_text

# Tokens, for a server that does not say: enough for claude's instructions, its tools, a few files.
# Ollama is told to make the window that big.
WINDOW, OUTPUT = 65_536, 8_192
NAME = "mine"  # the profile's, where it is free


class Draft(NamedTuple):
    """A profile that is not written yet."""

    parent: str
    description: str
    tier: str = "haiku"  # the one that is tried
    haiku: Mapping[str, str | int] = {}  # keys of `[tiers.haiku]`
    aws: Mapping[str, str] = {}  # keys of `[aws]`
    explore: bool = False  # whether claude's Explore agent uses haiku, too
    secret: tuple[str, str] = ("", "")  # a file in the folder of the configuration, and its text

    def text(self) -> str:
        """The profile."""
        lines = [
            "# Written by openclaude's guided start; see `openclaude profiles show`.",
            "schema = 1",
            f"description = {value_text(self.description)}",
            f"extends = {value_text(self.parent)}",
        ]
        tables: tuple[tuple[str, Mapping[str, str | int]], ...] = (
            ("tiers.haiku", self.haiku),
            ("aws", self.aws),
            ("agents", {"explore": "haiku"} if self.explore else {}),
        )
        for name, table in tables:
            if table:
                lines += ["", f"[{name}]"]
                lines += [f"{key} = {value_text(value)}" for key, value in table.items()]
        return "\n".join(lines) + "\n"


def for_local(model: LocalModel) -> Draft:
    """The plan, with a model of this machine for the small jobs."""
    parent = "ollama" if model.provider == "ollama" else "local"
    return Draft(
        parent=parent,
        description=f"Claude plan; {model.id} on this machine for the small jobs",
        haiku={
            "model": f"{model.provider}/{model.id}",
            "label": f"{model.id} ({model.server})"[:60],
            "api_base": model.api_base,
            "context_window": model.window or WINDOW,
            "max_output_tokens": min(OUTPUT, (model.window or WINDOW) // 4),
        },
    )


def for_bedrock(profile: str, region: str) -> Draft:
    """Everything on Bedrock."""
    return Draft(
        parent="bedrock",
        description="Every tier on AWS Bedrock, without a Claude plan",
        aws={"profile": profile, "region": region},
    )
