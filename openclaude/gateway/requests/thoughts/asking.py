"""How a request asks for thinking: in the form that the slot's model takes, or not at all.

Knows: Anthropic's `thinking` and effort, and what LiteLLM 1.108.14 makes of them (measured: for a
model that its map calls reasoning Anthropic's own object, which a Bedrock by the book refuses in
every turn). Independent of: which model takes what (`providers.thinking`). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaude.contracts.capabilities import Asking, Capabilities, Thinking
from openclaude.gateway.requests.schema import many
from openclaude.providers.thinking import nearest_effort

CONFIG = (
    "reasoning_config"  # as GLM has it on Bedrock; LiteLLM passes a key on that it does not know
)
DISABLED = {"type": "disabled"}
ON = ("enabled", "adaptive")
# claude's older form is a number of tokens; the limits are LiteLLM's (reasoning_effort_utils.py)
BUDGETS = ((4096, "high"), (2048, "medium"))
USUAL_EFFORT = "high"  # what Anthropic's API does where no effort is said


def wants_thoughts(body: Mapping[str, Any]) -> bool:
    """Tell whether a request asks for thinking, so that its reply may have thoughts."""
    thinking = body.get("thinking")
    return isinstance(thinking, Mapping) and thinking.get("type") in ON


def fit_thinking(fitted: dict[str, Any], capabilities: Capabilities) -> None:
    """Ask as the model takes it, in place; what it would refuse is gone."""
    thinking = fitted.pop("thinking", None)
    config = fitted.pop("output_config", None)
    config = dict(config) if isinstance(config, Mapping) else {}
    asked = config.pop("effort", None)
    told = fitted.pop(CONFIG, None)
    way = capabilities.thinking or Thinking()
    if capabilities.supports_reasoning and isinstance(thinking, Mapping):
        is_on = thinking.get("type") in ON
        effort = nearest_effort(effort_of(thinking, asked), way.efforts) if way.efforts else ""
        match way.asking:
            case Asking.ANTHROPIC:
                fitted["thinking"] = thinking
                if asked is not None and is_on:
                    config["effort"] = nearest_effort(str(asked), way.efforts)
            case Asking.EFFORT if is_on:
                fitted["thinking"] = {"type": "adaptive"}
                config["effort"] = effort
            case Asking.CONFIG if is_on:
                fitted[CONFIG] = effort
            case _:
                pass  # a model that thinks by itself, or is to think as it does by itself
    elif capabilities.supports_reasoning and way.asking is Asking.CONFIG and told in way.efforts:
        fitted[CONFIG] = told
    if config:
        fitted["output_config"] = config


def fit_echo(fitted: dict[str, Any], capabilities: Capabilities, *, is_asked: bool) -> None:
    """Tell a model that wants all of its thoughts back not to think where one of them is missing.

    So it is after another model's turn. Asked to think it is by being told nothing.
    """
    if not is_asked or not has_all_thoughts(fitted, capabilities):
        fitted["thinking"] = dict(DISABLED)


def effort_of(thinking: Mapping[str, Any], asked: object) -> str:
    """Return the effort that a request asks for, in Anthropic's words."""
    if thinking.get("type") == "adaptive":
        return asked if isinstance(asked, str) else USUAL_EFFORT
    budget = thinking.get("budget_tokens")
    if not isinstance(budget, int | float):
        return USUAL_EFFORT
    return next((effort for least, effort in BUDGETS if budget >= least), "low")


def has_all_thoughts(fitted: Mapping[str, Any], capabilities: Capabilities) -> bool:
    """Tell whether a model gets each of its answers back with the thoughts it had."""
    way = capabilities.thinking or Thinking()
    if not (way.returns and capabilities.thoughts and capabilities.supports_reasoning):
        return False
    turns = [
        turn.get("content")
        for turn in many(fitted.get("messages"))
        if isinstance(turn, Mapping) and turn.get("role") == "assistant"
    ]
    return all(
        any(isinstance(block, Mapping) and block.get("type") == "thinking" for block in many(said))
        for said in turns
    )
