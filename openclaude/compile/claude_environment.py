"""claude's settings for every launch of a profile, before the user's own are merged in.

Knows: Claude Code's variables and settings. Independent of: LiteLLM, processes, disk.
Pure. "Measured" means with Claude Code 2.1.330 on a loopback upstream.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openclaude.compile.resolve import CLAUDE_MODELS, Resolution, Slot
from openclaude.contracts.plan import MAIN_KEY, MAIN_URL, LaunchPlan, TierPlan
from openclaude.contracts.references import CLAUDE
from openclaude.profile.schema import TIERS

SMALL_FAST = "ANTHROPIC_SMALL_FAST_MODEL"
FIRST_PARTY = "_CLAUDE_CODE_ASSUME_FIRST_PARTY_BASE_URL"
LOCAL_KEY_HEADER = "x-litellm-api-key"

# Each would win over the plan's login or send requests past us. Emptied in the settings file, for
# the case that another settings file sets them, and removed from the process environment.
EMPTIED = (
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
)
# These two hide the stored login and cannot be undone by a settings file (measured).
NOT_UNDONE = ("ANTHROPIC_UNIX_SOCKET", "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST")


def launch_plan(resolution: Resolution) -> LaunchPlan:
    """Environment, picker rows and agents for claude."""
    environment = {
        "ANTHROPIC_BASE_URL": MAIN_URL,
        "ANTHROPIC_CUSTOM_HEADERS": f"{LOCAL_KEY_HEADER}: Bearer {MAIN_KEY}",
        **{
            default_model(slot.tier): slot.slot_id
            for slot in resolution.slots
            if not slot.stands_for
        },
        **{
            default_model(tier): model
            for tier, model in resolution.claude_tiers.items()
            if model != "claude"
        },
        **window(resolution.slots),
        **dict.fromkeys(EMPTIED, ""),
        **login(resolution),
        **first_party(resolution),
        **subagents(resolution),
    }
    known = [slot for slot in resolution.slots if slot.stands_for]
    # For claude's small calls, as titles and summaries. Without it, on a custom base URL, they go
    # to the main model, unless the alias is bound by its own variable; but where one of those is
    # set, claude restores no session's model (all measured)
    small = {} if default_model("haiku") in environment else {SMALL_FAST: CLAUDE_MODELS["haiku"]}
    is_slot = any(slot.tier == "haiku" for slot in known)
    return LaunchPlan(
        environment={**environment, **(small if is_slot else {})},
        default_environment={} if is_slot else small,
        remove=EMPTIED + NOT_UNDONE,
        picker=tuple(picker_row(slot) for slot in resolution.slots),
        agents=agents(resolution),
        model_settings={slot.stands_for: known_window(slot) for slot in known},
        claude_rows=tuple(claude_rows(resolution)) if known else (),
        unbound=tuple(default_model(slot.tier) for slot in known),
        has_status_line=resolution.profile.launch.statusline,
    )


def default_model(tier: str) -> str:
    """The variable that binds claude's alias for a tier."""
    return f"ANTHROPIC_DEFAULT_{tier.upper()}_MODEL"


def known_window(slot: Slot) -> dict[str, Any]:
    """claude's settings for a slot that it takes for a model of Claude's: when to compact."""
    return {"autoCompactWindow": slot.first.max_input_tokens}


def login(resolution: Resolution) -> dict[str, str]:
    """Without a plan claude needs a credential of its own, and gets the local key.

    It takes precedence over a stored login (measured), which is therefore never sent.
    """
    return {} if resolution.profile.anthropic.auth == "plan" else {"ANTHROPIC_AUTH_TOKEN": MAIN_KEY}


def first_party(resolution: Resolution) -> dict[str, str]:
    """Where the profile says so, claude treats our address as Anthropic's own.

    Internal to Claude Code and undocumented; what it brings back is in docs/profiles.md (measured).
    """
    return {FIRST_PARTY: "1"} if resolution.profile.anthropic.first_party else {}


def subagents(resolution: Resolution) -> dict[str, str]:
    """The model for agents without their own, or for all of them (measured)."""
    moved = resolution.profile.agents
    if moved.all:
        return {"CLAUDE_CODE_SUBAGENT_MODEL": moved.all, "CLAUDE_CODE_SUBAGENT_MODEL_FORCE": "1"}
    return {"CLAUDE_CODE_SUBAGENT_MODEL": moved.general} if moved.general else {}


def window(slots: tuple[Slot, ...]) -> dict[str, str]:
    """claude's window for ids it does not know: one value for all of them, so the smallest."""
    unknown = [slot for slot in slots if not slot.stands_for]
    if not unknown:
        return {}
    smallest = min(slot.first.max_input_tokens for slot in unknown)
    return {"CLAUDE_CODE_MAX_CONTEXT_TOKENS": str(smallest)}


def picker_row(slot: Slot) -> dict[str, str]:
    """The row that makes claude show the real model's name."""
    return {
        "model": slot.asked_as,
        "label": slot.label,
        "description": f"{slot.tier} tier, via openclaude",
    }


PAYS = {"plan": "your Claude plan", "api-key": "your Anthropic API key"}


def claude_rows(resolution: Resolution) -> Iterator[dict[str, str]]:
    """The rows of the tiers that are Claude's.

    claude's own row of a tier wins over ours for the same id, and would name a Claude that does not
    answer (measured). So its rows are left out, and those that are true are given again.
    """
    payer = PAYS.get(resolution.profile.anthropic.auth, "Claude")
    for tier, model in resolution.claude_tiers.items():
        named = "" if model == CLAUDE else f"{model}, "
        yield {"model": tier, "label": tier.title(), "description": f"{named}on {payer}"}


# claude's own Explore and Plan keep the main model whatever CLAUDE_CODE_SUBAGENT_MODEL says; an
# agent of the same name takes their place, with our prompt instead of Anthropic's (measured).
READ_ONLY = ("Read", "Grep", "Glob", "Bash")
EXPLORE = {
    "description": (
        "Fast, read-only agent that explores a codebase: finds files by pattern, searches "
        "code for keywords, and answers questions about how the code works."
    ),
    "prompt": (
        "You explore a codebase and report what you find. Work read-only: never create, "
        "change or delete a file. Search broadly first, then read what matters. Answer "
        "with file paths and line numbers, and quote only what is needed."
    ),
}
PLAN = {
    "description": (
        "Software architect that designs how to implement a task: explores the code, then "
        "returns a step-by-step plan, the files that matter, and the trade-offs."
    ),
    "prompt": (
        "You design an implementation and write no code. Work read-only: never create, change "
        "or delete a file. Find the conventions and the existing parts that the task touches, "
        "then answer with a step-by-step plan, the order of the steps, the risks, and the three "
        "to five files that matter most, with why."
    ),
}


def agents(resolution: Resolution) -> dict[str, dict[str, Any]]:
    """claude's own agents that a profile moves to a tier and that main does not move itself."""
    moved = resolution.profile.agents
    chosen = (("Explore", EXPLORE, moved.explore), ("Plan", PLAN, moved.plan))
    return {
        name: {**agent, "model": tier, "tools": list(READ_ONLY)}
        for name, agent, tier in chosen
        if tier and name not in resolution.agents_by_header
    }


def tier_plans(resolution: Resolution) -> tuple[TierPlan, ...]:
    """The tiers as the plan, `status` and the demo show them, in the order opus to fable."""
    claude = {
        tier: TierPlan(
            tier=tier,
            model=model,
            slot="",
            label="Claude",
            region="",
            context_window=0,
            max_output_tokens=0,
            behaves_as="",
        )
        for tier, model in resolution.claude_tiers.items()
    }
    slots = {
        slot.tier: TierPlan(
            tier=slot.tier,
            model=slot.first.model,
            slot=slot.slot_id,
            label=slot.label,
            region=slot.first.region,
            context_window=slot.first.max_input_tokens,
            max_output_tokens=slot.first.max_output_tokens,
            behaves_as=slot.stands_for,
        )
        for slot in resolution.slots
    }
    both = {**claude, **slots}
    return tuple(both[tier] for tier in TIERS)
