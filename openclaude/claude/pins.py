"""Names of models that neither Anthropic nor a profile knows, in variables and settings of a user.

Knows: which names claude and Anthropic understand. Independent of: disk. Pure. They are leftovers
of another set-up: of Bedrock, Vertex, a gateway.
"""

from __future__ import annotations

from itertools import pairwise

from openclaude.claude.launch import LaunchFacts, effective
from openclaude.contracts.plan import Plan

START = "ANTHROPIC_MODEL"
VARIABLES = (
    *(START, "CLAUDE_CODE_SUBAGENT_MODEL"),
    *("ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL"),
    *("ANTHROPIC_DEFAULT_HAIKU_MODEL",),
)
ANTHROPICS = (
    "https://api.anthropic.com",
    "http://127.0.0.1:",
    "http://localhost:",
    "http://[::1]:",
)
ALIASES = frozenset(
    {"default", "best", "opus", "sonnet", "haiku", "fable", "opusplan", "inherit", ""}
)
WIDE = "[1m]"  # behind a name: with the long window
OURS = ("claude-", "openclaude-")


def is_nobodys(model: str) -> bool:
    """Whether a model's name is one of another provider's."""
    name = model.lower().removesuffix(WIDE)
    return name not in ALIASES and not name.startswith(OURS)


def pinned_model(plan: Plan, facts: LaunchFacts) -> tuple[str, str]:
    """The variable and the foreign model that a session would begin with; empty for none.

    One that a launch overrides counts for nothing, and behind a gateway every name may be known.
    """
    chosen = next(
        (
            following if one == "--model" else one.partition("=")[2]
            for one, following in pairwise((*facts.arguments, ""))
            if one == "--model" or one.startswith("--model=")
        ),
        None,
    )
    name = START if chosen is None else f"ANTHROPIC_DEFAULT_{chosen.upper()}_MODEL"
    value = effective(facts, name)
    is_overridden = name in {*plan.launch.environment, *plan.launch.unbound}
    is_known = is_overridden or not is_nobodys(value) or not asks_anthropic(plan)
    return ("", "") if is_known else (name, value)


def asks_anthropic(plan: Plan) -> bool:
    """Whether Claude's own models are asked for at Anthropic itself, or at a stand-in here."""
    return plan.anthropic_url.startswith(ANTHROPICS)


def pin_sentence(name: str, model: str) -> str:
    """What a launch says of it."""
    return (
        f"{name} asks for the model `{model}`, which neither Anthropic nor the profile has: remove "
        f"{name}, or choose another model with --model"
    )
