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
from openclaude.compile.resolve import Resolution, Slot

ANTHROPIC_URL = "https://api.anthropic.com"
REQUEST_TIMEOUT_S = 600

# No retries inside LiteLLM: by default one 429 becomes nine calls and 18 s, and one 404 blocks the
# slot for 5 s (measured). claude does its own retries.
ROUTER_SETTINGS = {"num_retries": 0, "disable_cooldowns": True}

GENERAL_SETTINGS = {
    "master_key": "os.environ/LITELLM_MASTER_KEY",
    # nobody stands between claude and us; unset, LiteLLM warns at every start
    "trusted_proxy_ranges": [],
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
    # numpy comes with LiteLLM; its threads do nothing here and would be in the way of a fork
    "OPENBLAS_NUM_THREADS": "1",
}
# what LiteLLM would else do on its first requests
PREPARE = ("openclaude.gateway.warm:warm_up",)
LOCALE = ("LANG", "LC_ALL", "TZ", "TMPDIR")
# A company's own certificate authority, and the proxy that HTTPS must pass; both keep TLS end to
# end. Never HTTP_PROXY: a plain-text request could carry a credential to it.
NETWORK = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
# Where AWS profiles are, and what a `credential_process` needs to run. No key, no token.
AWS = ("HOME", "PATH", "USER", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE")


def main_config(resolution: Resolution) -> str:
    """`main.yaml`: Anthropic and the hop to `providers`; no credential in it or beside it."""
    return dump(
        {
            "model_list": [*(hop(slot) for slot in resolution.slots), claude_wildcard()],
            "litellm_settings": {
                "drop_params": False,
                "modify_params": False,
                "request_timeout": REQUEST_TIMEOUT_S,
                "model_group_settings": {"forward_client_headers_to_llm_api": ["claude-*"]},
            },
            "router_settings": ROUTER_SETTINGS,
            "general_settings": GENERAL_SETTINGS,
        }
    )


def hop(slot: Slot) -> dict[str, Any]:
    """A slot on main: over to `providers`, as Anthropic's own /v1/messages.

    `litellm_proxy/` with native /v1/messages is the one hop on which the plan's token stayed behind
    and the body arrived as sent (measured; `anthropic/` leaks the token 12 times of 12).
    """
    return {
        "model_name": slot.slot_id,
        "litellm_params": {
            "model": f"litellm_proxy/{slot.slot_id}",
            "api_base": "os.environ/OPENCLAUDE_PROVIDERS_URL",
            "api_key": "os.environ/OPENCLAUDE_PROVIDERS_KEY",
            "max_retries": 0,
        },
        "model_info": {"supported_endpoints": ["/v1/messages"]},
    }


def claude_wildcard() -> dict[str, Any]:
    """Claude's own ids, for `litellm --config main.yaml` without the router."""
    return {
        "model_name": "claude-*",
        "litellm_params": {"model": "anthropic/claude-*", "max_retries": 0},
    }


def providers_config(resolution: Resolution) -> str:
    """`providers.yaml`: one deployment a slot, and the guard in front of them."""
    return dump(
        {
            "model_list": [deployment(slot, resolution) for slot in resolution.slots],
            "litellm_settings": {
                # thinking and effort of an unknown slot id would otherwise be a 400 (measured)
                "drop_params": True,
                # true inserts assistant turns that say "Please continue." (measured)
                "modify_params": False,
                "request_timeout": REQUEST_TIMEOUT_S,
                "callbacks": ["openclaude.gateway.guard.handler"],
            },
            "router_settings": ROUTER_SETTINGS,
            "general_settings": GENERAL_SETTINGS,
        }
    )


def deployment(slot: Slot, resolution: Resolution) -> dict[str, Any]:
    """A slot on providers: the model, the AWS profile by name, and the limits the guard keeps."""
    params: dict[str, Any] = {
        "model": slot.litellm_model,
        "aws_profile_name": "os.environ/OPENCLAUDE_AWS_PROFILE",
        "aws_region_name": slot.region,
        "max_retries": 0,
    }
    if resolution.profile.aws.endpoint_url:
        params["aws_bedrock_runtime_endpoint"] = resolution.profile.aws.endpoint_url
    return {
        "model_name": slot.slot_id,
        "litellm_params": params,
        "model_info": {
            "base_model": slot.base_model,
            "max_input_tokens": slot.max_input_tokens,
            "max_output_tokens": slot.max_output_tokens,
            "supports_vision": slot.vision,
            "supports_pdf_input": slot.pdf,
            "supports_reasoning": slot.reasoning,
        },
    }


def units(resolution: Resolution) -> tuple[Unit, ...]:
    """The two instances; `providers` only where a tier needs it."""
    return (main_unit(resolution), *((providers_unit(resolution),) if resolution.slots else ()))


def main_unit(resolution: Resolution) -> Unit:
    """main: the router in front of LiteLLM, an environment without any credential."""
    environment = {
        **LITELLM_FLAGS,
        # an empty folder: nothing of the user's home can reach this instance
        "HOME": f"{STACK_FOLDER}/empty",
        "CONFIG_FILE_PATH": f"{STACK_FOLDER}/main.yaml",
        "LITELLM_MASTER_KEY": MAIN_KEY,
        # set always: LiteLLM would else take ANTHROPIC_BASE_URL, which may be ourselves (read)
        "ANTHROPIC_API_BASE": resolution.profile.anthropic.base_url,
        "OPENCLAUDE_SLOTS": json.dumps(
            {
                slot.slot_id: {
                    "model": slot.base_model,
                    "context_window": slot.max_input_tokens,
                    "aws_profile": resolution.profile.aws.profile or "",
                }
                for slot in resolution.slots
            }
        ),
    }
    if resolution.slots:
        environment["OPENCLAUDE_PROVIDERS_URL"] = PROVIDERS_URL
        environment["OPENCLAUDE_PROVIDERS_KEY"] = PROVIDERS_KEY
    return Unit("main", "openclaude.gateway.main:app", environment, LOCALE + NETWORK, PREPARE)


def providers_unit(resolution: Resolution) -> Unit:
    """providers: the guard inside LiteLLM, the AWS profile's name, never the plan's token."""
    environment = {
        **LITELLM_FLAGS,
        "CONFIG_FILE_PATH": f"{STACK_FOLDER}/providers.yaml",
        "LITELLM_MASTER_KEY": PROVIDERS_KEY,
        "OPENCLAUDE_AWS_PROFILE": resolution.profile.aws.profile or "",
        # botocore must not look for credentials on a network address
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    inherit = LOCALE + NETWORK + AWS
    return Unit("providers", "openclaude.gateway.providers:app", environment, inherit, PREPARE)


def dump(config: dict[str, Any]) -> str:
    """YAML in the order written, for a person to read and take elsewhere."""
    # a copy without shared parts, which YAML would write as anchors and aliases
    return yaml.dump(json.loads(json.dumps(config)), sort_keys=False, width=100)
