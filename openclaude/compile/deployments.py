"""One deployment of `providers.yaml`: how LiteLLM reaches a model, and what the guard must know.

Knows: LiteLLM's parameters of a model. Independent of: slots, main, what holds for every model.
Pure.
"""

from __future__ import annotations

import re
from typing import Any

from openclaude.compile.limit import ON_LIMIT
from openclaude.compile.resolve import OVER_BUDGET, Deployment, Resolution
from openclaude.compile.secret_variables import LITELLM_VARIABLE
from openclaude.contracts.capabilities import ModelInfo
from openclaude.contracts.references import BEDROCK
from openclaude.providers.families import is_third_party
from openclaude.providers.table import ANTHROPIC, ApiDialect, Provider, find_provider

# The part of another provider's id that says which Claude it is
CLAUDE_ELSEWHERE = re.compile(r"claude-(?P<which>[a-z]+-\d{1,2}\b(?:[.-]\d{1,2}\b)?)")
ALLOWED = "allowed_openai_params"
DROPPED = "additional_drop_params"
OPENAI = "openai"  # the provider at its own address
NO_KEY = "none"  # what is sent to a server of the user's own that asks for no key


def deployment(one: Deployment, resolution: Resolution) -> dict[str, Any]:
    """One model on providers: how to reach it, and the limits that the guard enforces."""
    reach = bedrock(one, resolution) if is_aws(one) else address(one)
    return {
        "model_name": one.group,
        "litellm_params": {
            "model": one.litellm_model,
            **joined(reach | window(one), one.params),
            "max_retries": 0,
        },
        "model_info": model_info(one).as_config(),
    }


def window(one: Deployment) -> dict[str, Any]:
    """The window that claude is told, for the one server that has to be told it with each request.

    Ollama's own is 4096 tokens, and it cuts the prompt silently (bobbyjohnstx/tinycode#210).
    """
    is_ollama = find_provider(one.provider).dialect is ApiDialect.OLLAMA
    return {"num_ctx": one.max_input_tokens} if is_ollama and one.max_input_tokens else {}


def model_info(one: Deployment) -> ModelInfo:
    """The guard's information about a model."""
    return ModelInfo(
        base_model=one.base_model if is_aws(one) else "",
        max_input_tokens=one.max_input_tokens,
        max_output_tokens=one.max_output_tokens,
        supports_vision=one.vision,
        supports_pdf_input=one.pdf,
        supports_reasoning=one.reasoning,
        openclaude_markup=one.markup,
        openclaude_notice=notice(one),
        openclaude_name=true_name(one),
        openclaude_thinking=one.thinking,
        openclaude_signer=ANTHROPIC if one.own_key else "",
    )


def true_name(one: Deployment) -> str:
    """The model that replies give, for claude's transcripts and the tools that read them.

    claude resumes a session with that name if it takes it for one of Claude's, and so would ask for
    the id of another provider; a text in another form it leaves alone (measured with 2.1.330).
    """
    if "claude" not in one.model.lower():
        return one.model
    named = CLAUDE_ELSEWHERE.search(one.model.lower())
    if not named:
        return ""
    family, *numbers = re.split(r"[.-]", named["which"])
    return f"Claude {family.title()} {'.'.join(numbers)} ({one.provider})"


def joined(ours: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Our parameters and the profile's; lists are joined."""
    lists = {
        name: list(dict.fromkeys([*ours[name], *params[name]]))
        for name in (ALLOWED, DROPPED)
        if name in ours and isinstance(params.get(name), list)
    }
    return {**ours, **params, **lists}


def notice(one: Deployment) -> str:
    """What the guard says before an answer that a limit has moved to another model, else ""."""
    if one.own_key:
        return (
            f"[your Claude plan's limit is reached: {true_name(one)} answers on your API key]\n\n"
        )
    why = {
        ON_LIMIT: "your Claude plan's limit is reached",
        OVER_BUDGET: "the budget for slots is used up",
    }.get(one.group)
    return f"[{why}: answered by {one.model}]\n\n" if why else ""


def bedrock(one: Deployment, resolution: Resolution) -> dict[str, Any]:
    """Bedrock is reached with the AWS profile, by its name, or with a Bedrock API key."""
    endpoint = resolution.profile.aws.endpoint_url
    profile = {"aws_profile_name": "os.environ/OPENCLAUDE_AWS_PROFILE"}
    return {
        **({"api_key": LITELLM_VARIABLE + one.api_key} if one.api_key else profile),
        "aws_region_name": one.region,
        **({"aws_bedrock_runtime_endpoint": endpoint} if endpoint else {}),
    }


def address(one: Deployment) -> dict[str, Any]:
    """Any other provider: its address, where it is not LiteLLM's own, and the key's variable."""
    # without a key of its own, LiteLLM would look for one in the environment, or refuse to ask
    key = LITELLM_VARIABLE + one.api_key if one.api_key else NO_KEY
    return {
        **({"api_base": one.api_base} if one.api_base else {}),
        **unstored(one),
        "api_key": key,
        **sent(find_provider(one.provider)),
    }


def unstored(one: Deployment) -> dict[str, Any]:
    """That OpenAI itself keeps no conversation, which it does by default for new accounts.

    Other servers of its API need not know the parameter. `params.store` of a profile decides
    otherwise. https://platform.openai.com/docs/guides/migrate-to-responses
    """
    return {"store": False} if one.provider == OPENAI and not one.api_base else {}


def sent(provider: Provider) -> dict[str, Any]:
    """What LiteLLM is to send although it does not know that the provider takes it, and what not.

    Third parties that speak Anthropic's language get every key as it is, also the request for a
    verdict that LiteLLM answers itself (measured with 1.108.14); they may refuse it. `drop_params`
    would silently drop the tools of a model it does not know, and for some providers our
    `max_retries: 0`, which would make three calls of one (measured for all).
    """
    if is_third_party(provider):
        return {DROPPED: ["safeguards"]}
    retries = ["max_retries"] if provider.drops_max_retries else []
    return {ALLOWED: ["tools", *retries]}


def is_aws(one: Deployment) -> bool:
    """Whether AWS serves a model."""
    return one.provider == BEDROCK
