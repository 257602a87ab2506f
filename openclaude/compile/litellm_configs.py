"""The two LiteLLM configs, and the environments the two instances get.

Knows: LiteLLM's config keys and the variables it reads. Refuses to know: claude, processes, disk.
Pure. Every setting that is not LiteLLM's default has the reason beside it; "measured" means with
LiteLLM 1.106.2 against scripted upstreams.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from openclaude.compile.plan import (
    MAIN_KEY,
    PROVIDERS_KEY,
    PROVIDERS_URL,
    STACK_FOLDER,
    Unit,
)
from openclaude.compile.references import LITELLM_VARIABLE
from openclaude.compile.resolve import ON_LIMIT, Deployment, Resolution
from openclaude.profile.providers import BEDROCK

ANTHROPIC_URL = "https://api.anthropic.com"
REQUEST_TIMEOUT_S = 600
API_KEY = "api-key"
ALLOWED = "allowed_openai_params"
# LiteLLM's providers that it asks with Anthropic's own API (measured)
NATIVE = frozenset(
    {"anthropic", "cortecs", "deepseek", "edenai", "meta", "minimax", "prism", "sail", "tencent"}
)
# Those for which LiteLLM drops `max_retries` (measured); where it does not, some put it in the body
RETRIES_DROPPED = frozenset(
    {
        *("ai21", "ai21_chat", "baseten", "codestral", "deepinfra", "featherless_ai"),
        *("hyperbolic", "inception", "morph", "nscale", "nvidia_nim", "sambanova", "v0", "zai"),
    }
)
NO_KEY = "none"  # what is sent to a server of the user's own that asks for no key

# No retries inside LiteLLM: by default one 429 becomes nine calls and 18 s, and one 404 blocks the
# slot for 5 s (measured). claude does its own retries.
ROUTER_SETTINGS = {"num_retries": 0, "disable_cooldowns": True}

# Of some models (`llama-3` in the name) LiteLLM counts the tokens of a stream that was cut with a
# tokenizer it asks Hugging Face for, and tries for 24 s where nobody answers (measured).
NO_DOWNLOADS = {"disable_hf_tokenizer_download": True}

GENERAL_SETTINGS = {
    "master_key": "os.environ/LITELLM_MASTER_KEY",
    # nobody stands between claude and us; unset, LiteLLM warns at every start
    "trusted_proxy_ranges": [],
    # else LiteLLM asks OpenAI-like servers for their models every five minutes (measured)
    "disable_model_info_refresh": True,
}

# Offline flags: without them LiteLLM asks GitHub for its model map and two more files at each start
# (measured: 14 s of retries without network), and serves its documentation and admin pages.
LITELLM_FLAGS = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "NO_DOCS": "True",
    "NO_REDOC": "True",
    "DISABLE_ADMIN_UI": "True",
    # LiteLLM ends a stream that says the same piece a hundred times, as a rule of dashes does
    "REPEATED_STREAMING_CHUNK_LIMIT": "1000000",
    # numpy comes with LiteLLM; its threads do nothing here and would be in the way of a fork
    "OPENBLAS_NUM_THREADS": "1",
}
# what LiteLLM would else do on its first requests
PREPARE = ("openclaude.gateway.warm:warm_up",)
# LiteLLM counts what a model thinks; loaded here, its tokenizer is in memory once
FOR_THOUGHTS = ("openclaude.gateway.warm:load_tokenizer",)
LOCALE = ("LANG", "LC_ALL", "TZ", "TMPDIR")
# A company's own certificate authority, and the proxy that HTTPS must pass; both keep TLS end to
# end. Never HTTP_PROXY: a plain-text request could carry a credential to it.
NETWORK = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
# Where AWS profiles are, and what a `credential_process` needs to run. No key, no token.
# What Vertex needs to find Google's default credentials
GOOGLE = ("HOME", "PATH", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG")
AWS = ("HOME", "PATH", "USER", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE")


def main_config(resolution: Resolution) -> str:
    """`main.yaml`: Anthropic and the hop to `providers`; no credential in it or beside it."""
    return dump(
        {
            "model_list": [*(hop(group) for group in hops(resolution)), *claude(resolution)],
            "litellm_settings": {
                "drop_params": False,
                "modify_params": False,
                "request_timeout": REQUEST_TIMEOUT_S,
                "model_group_settings": {"forward_client_headers_to_llm_api": ["claude-*"]},
                **NO_DOWNLOADS,
            },
            "router_settings": ROUTER_SETTINGS,
            "general_settings": GENERAL_SETTINGS,
        }
    )


def hops(resolution: Resolution) -> list[str]:
    """The model groups of `providers` that main asks for by name."""
    on_limit = [ON_LIMIT] if resolution.on_limit else []
    return [slot.slot_id for slot in resolution.slots] + on_limit


def hop(group: str) -> dict[str, Any]:
    """A slot on main: over to `providers`, as Anthropic's own /v1/messages.

    `litellm_proxy/` with native /v1/messages is the one hop on which the plan's token stayed behind
    and the body arrived as sent (measured; `anthropic/` leaks the token 12 times of 12).
    """
    return {
        "model_name": group,
        "litellm_params": {
            "model": f"litellm_proxy/{group}",
            "api_base": "os.environ/OPENCLAUDE_PROVIDERS_URL",
            "api_key": "os.environ/OPENCLAUDE_PROVIDERS_KEY",
            "max_retries": 0,
        },
        "model_info": {"supported_endpoints": ["/v1/messages"]},
    }


def claude(resolution: Resolution) -> list[dict[str, Any]]:
    """Claude's own ids, for `litellm --config main.yaml` without the router."""
    if resolution.profile.anthropic.auth == "none":
        return []
    params = {"model": "anthropic/claude-*", "max_retries": 0}
    return [{"model_name": "claude-*", "litellm_params": params}]


def providers_config(resolution: Resolution) -> str:
    """`providers.yaml`: a model group for each slot and each fallback, the guard in front."""
    return dump(
        {
            "model_list": [deployment(one, resolution) for one in resolution.deployments],
            "litellm_settings": {
                # thinking and effort of an unknown slot id would otherwise be a 400 (measured)
                "drop_params": True,
                # true inserts assistant turns that say "Please continue." (measured)
                "modify_params": False,
                "request_timeout": REQUEST_TIMEOUT_S,
                # for `openai/` /responses is LiteLLM's choice: servers that are like OpenAI's have
                # none, and for some of OpenAI's own models it asks for what is a 400 (measured)
                "use_chat_completions_url_for_anthropic_messages": True,
                "callbacks": ["openclaude.gateway.guard.handler"],
                **NO_DOWNLOADS,
            },
            "router_settings": {**ROUTER_SETTINGS, **fallbacks(resolution)},
            "general_settings": GENERAL_SETTINGS,
        }
    )


def fallbacks(resolution: Resolution) -> dict[str, Any]:
    """Who stands in for a slot, in the order asked; LiteLLM asks each once (measured)."""
    standing_in = [
        {slot.slot_id: [other.group for other in slot.deployments[1:]]}
        for slot in resolution.slots
        if len(slot.deployments) > 1
    ]
    return {"fallbacks": standing_in} if standing_in else {}


def deployment(one: Deployment, resolution: Resolution) -> dict[str, Any]:
    """One model on providers: how to reach it, and the limits the guard keeps."""
    reach = bedrock(one, resolution) if one.provider == BEDROCK else address(one)
    return {
        "model_name": one.group,
        "litellm_params": {
            "model": one.litellm_model,
            **joined(reach, one.params),
            "max_retries": 0,
        },
        "model_info": {
            **({"base_model": one.base_model} if one.provider == BEDROCK else {}),
            "max_input_tokens": one.max_input_tokens,
            "max_output_tokens": one.max_output_tokens,
            "supports_vision": one.vision,
            "supports_pdf_input": one.pdf,
            "supports_reasoning": one.reasoning,
            **({"openclaude_notice": notice(one)} if one.group == ON_LIMIT else {}),
        },
    }


def joined(ours: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Our parameters and the profile's; a list of both is one list."""
    theirs = params.get(ALLOWED)
    if isinstance(theirs, list) and ALLOWED in ours:
        return {**ours, **params, ALLOWED: list(dict.fromkeys([*ours[ALLOWED], *theirs]))}
    return {**ours, **params}


def notice(one: Deployment) -> str:
    """What the guard says before an answer that the plan's limit has moved to another model."""
    return f"[your Claude plan's limit is reached: answered by {one.model}]\n\n"


def bedrock(one: Deployment, resolution: Resolution) -> dict[str, Any]:
    """Bedrock is reached with the AWS profile, by its name."""
    endpoint = resolution.profile.aws.endpoint_url
    return {
        "aws_profile_name": "os.environ/OPENCLAUDE_AWS_PROFILE",
        "aws_region_name": one.region,
        **({"aws_bedrock_runtime_endpoint": endpoint} if endpoint else {}),
    }


def address(one: Deployment) -> dict[str, Any]:
    """Any other provider: its address, where it is not LiteLLM's own, and the key's variable."""
    # without a key of its own, LiteLLM would look for one in the environment, or refuse to ask
    key = LITELLM_VARIABLE + one.api_key if one.api_key else NO_KEY
    return {
        **({"api_base": one.api_base} if one.api_base else {}),
        "api_key": key,
        **allowed(one.litellm_model.partition("/")[0]),
    }


def allowed(prefix: str) -> dict[str, Any]:
    """What LiteLLM is to send although it does not know that the provider takes it.

    `drop_params` would drop the tools of a model it does not know, without a word, and for some
    providers our `max_retries: 0`, which would make three calls of one (measured for all).
    """
    if prefix in NATIVE:
        return {}
    retries = ["max_retries"] if prefix in RETRIES_DROPPED else []
    return {ALLOWED: ["tools", *retries]}


def units(resolution: Resolution) -> tuple[Unit, ...]:
    """The two instances; `providers` only where something needs it."""
    providers = (providers_unit(resolution),) if resolution.deployments else ()
    return (main_unit(resolution), *providers)


def main_unit(resolution: Resolution) -> Unit:
    """main: the router in front of LiteLLM; with a plan, an environment without any credential."""
    anthropic = resolution.profile.anthropic
    environment = {
        **LITELLM_FLAGS,
        # an empty folder: nothing of the user's home can reach this instance
        "HOME": f"{STACK_FOLDER}/empty",
        "CONFIG_FILE_PATH": f"{STACK_FOLDER}/main.yaml",
        "LITELLM_MASTER_KEY": MAIN_KEY,
        # set always: LiteLLM would else take ANTHROPIC_BASE_URL, which may be ourselves (read)
        "ANTHROPIC_API_BASE": anthropic.base_url,
        "OPENCLAUDE_LANES": json.dumps(lanes(resolution)),
    }
    if resolution.deployments:
        environment["OPENCLAUDE_PROVIDERS_URL"] = PROVIDERS_URL
        environment["OPENCLAUDE_PROVIDERS_KEY"] = PROVIDERS_KEY
    # LiteLLM's pass-through sends this key in place of whatever login claude sent (measured)
    secrets = {"ANTHROPIC_API_KEY": anthropic_key(resolution)} if anthropic.auth == API_KEY else {}
    return Unit(
        "main", "openclaude.gateway.main:app", environment, LOCALE + NETWORK, PREPARE, secrets
    )


def anthropic_key(resolution: Resolution) -> str:
    """Where Anthropic's own API key is, for a profile that pays by the token."""
    return resolution.profile.anthropic.api_key or "env:ANTHROPIC_API_KEY"


def lanes(resolution: Resolution) -> dict[str, Any]:
    """What the router in main is told: the slots, and what becomes of Claude's own ids."""
    slots = {slot.slot_id: (slot.first, slot.key_reference) for slot in resolution.slots}
    if limit := resolution.on_limit:
        same = [slot.key_reference for slot in resolution.slots if slot.first.model == limit.model]
        slots[ON_LIMIT] = (limit, same[0] if same else "")
    return {
        "slots": {
            group: {
                "model": one.base_model,
                "context_window": one.max_input_tokens,
                "aws_profile": (resolution.profile.aws.profile or "") if is_aws(one) else "",
                "key": reference,
                "address": one.api_base,
                "profile": resolution.name,
            }
            for group, (one, reference) in slots.items()
        },
        "auth": resolution.profile.anthropic.auth,
        "on_limit": ON_LIMIT if resolution.on_limit else "",
    }


def is_aws(one: Deployment) -> bool:
    """Whether AWS serves a model."""
    return one.provider == BEDROCK


def providers_unit(resolution: Resolution) -> Unit:
    """providers: the guard inside LiteLLM, names of credentials, never the plan's token."""
    environment = {
        **LITELLM_FLAGS,
        "CONFIG_FILE_PATH": f"{STACK_FOLDER}/providers.yaml",
        "LITELLM_MASTER_KEY": PROVIDERS_KEY,
        "OPENCLAUDE_AWS_PROFILE": aws_profile(resolution),
        # botocore must not look for credentials on a network address
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    providers = {one.provider for one in resolution.deployments}
    inherit = (
        LOCALE
        + NETWORK
        + (AWS if resolution.uses_bedrock else ())
        + (GOOGLE if "vertex_ai" in providers else ())
    )
    return Unit(
        "providers",
        "openclaude.gateway.providers:app",
        environment,
        tuple(dict.fromkeys(inherit)),
        PREPARE + (FOR_THOUGHTS if any(one.reasoning for one in resolution.deployments) else ()),
        resolution.secrets,
    )


def aws_profile(resolution: Resolution) -> str:
    """The named AWS profile, where anything needs it."""
    return (resolution.profile.aws.profile or "") if resolution.uses_bedrock else ""


def dump(config: dict[str, Any]) -> str:
    """YAML in the order written, for a person to read and take elsewhere."""
    # a copy without shared parts, which YAML would write as anchors and aliases
    return yaml.dump(json.loads(json.dumps(config)), sort_keys=False, width=100)
