"""The two LiteLLM configs, and the environments the two instances get.

Knows: LiteLLM's config keys and the variables it reads. Independent of: claude, processes, disk.
Pure. Every setting that is not LiteLLM's default has the reason beside it; "measured" means
against scripted upstreams, first with LiteLLM 1.106.2; the end-to-end tests use the pinned version.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from openclaude.compile.budgets import budget, eyes_route, key_of_model, slot_route
from openclaude.compile.deployments import deployment, true_name
from openclaude.compile.hops import hops, server
from openclaude.compile.limit import ON_LIMIT
from openclaude.compile.resolve import (
    CLASSIFIER,
    Resolution,
)
from openclaude.compile.secret_variables import LITELLM_VARIABLE
from openclaude.compile.telemetry import receivers, telemetry
from openclaude.contracts.plan import (
    MAIN_KEY,
    PROVIDERS_KEY,
    PROVIDERS_URL,
    STACK_FOLDER,
    Unit,
)
from openclaude.contracts.references import CLAUDE
from openclaude.contracts.routing import (
    LEDGER,
    LEDGER_FILE,
    LEDGER_FOLDER,
    LEDGER_KEEP,
    SEARCH_TOOL,
    SEARCH_VARIABLE,
    AnthropicAuth,
    EyesRoute,
    RoutingTable,
)
from openclaude.contracts.routing import VARIABLE as ROUTING_VARIABLE
from openclaude.contracts.worker import (
    KEY_REFERENCE_VARIABLE,
    REACHES_VARIABLE,
    SERVER_KEY_VARIABLE,
    SERVER_VARIABLE,
    WRITES_VARIABLE,
)
from openclaude.providers.table import PROVIDERS

ANTHROPIC_URL = "https://api.anthropic.com"
REQUEST_TIMEOUT_S = 600
API_KEY = "api-key"

# No retries inside LiteLLM: by default one 429 becomes nine calls and 18 s, and one 404 blocks the
# slot for 5 s (measured). claude does its own retries.
ROUTER_SETTINGS = {"num_retries": 0, "disable_cooldowns": True}

# Of some models (`llama-3` in the name) LiteLLM counts the tokens of a stream that was cut with a
# tokenizer it asks Hugging Face for, and tries for 24 s where nobody answers (measured).
NO_DOWNLOADS = {"disable_hf_tokenizer_download": True}

# For the bill of a stream whose client has left (Esc, or a proxy that is replaced) LiteLLM counts
# the tokens of the whole conversation: it loads 39 MB of tokenizer, and for 0.3 s of CPU nobody
# else is served (measured with 1.108.14). Nobody reads that bill; no other use of this setting is
# on our way.
NO_BILLS = {"disable_streaming_logging": True}

GENERAL_SETTINGS = {
    "master_key": "os.environ/LITELLM_MASTER_KEY",
    # there is no proxy between claude and us; unset, LiteLLM warns at every start
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
PREPARE = ("openclaude.gateway.litellm.warmup:warm_up",)
# LiteLLM counts what a model thinks; loaded here, its tokenizer is in memory once
FOR_THOUGHTS = ("openclaude.gateway.litellm.warmup:load_tokenizer",)
# what has to be so in the process that forks the instances
BEFORE_FORK = ("openclaude.gateway.litellm.forking:make_forkable",)
LOCALE = ("LANG", "LC_ALL", "TZ", "TMPDIR")
# A company's own certificate authority, and the proxy that HTTPS must pass; both keep TLS end to
# end. A launch puts claude's proxy into HTTPS_PROXY, whichever variable claude takes it from. Never
# HTTP_PROXY: a plain-text request could carry a credential to it.
NETWORK = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("NODE_EXTRA_CA_CERTS", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"),
)


def main_config(resolution: Resolution) -> str:
    """`main.yaml`: Anthropic and the hop to `providers`; no credential in it or beside it."""
    return dump(
        {
            "model_list": [*hops(resolution), *claude(resolution)],
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
                **NO_BILLS,
            },
            "router_settings": {**ROUTER_SETTINGS, **fallbacks(resolution)},
            "general_settings": {**GENERAL_SETTINGS, **classifier(resolution)},
            **search_tools(resolution),
        }
    )


def search_tools(resolution: Resolution) -> dict[str, Any]:
    """Who searches the web for slots, as LiteLLM has it; nothing by default."""
    search = resolution.search
    if search is None:
        return {}
    params = {"search_provider": search.engine.name}
    if search.api_base:
        params["api_base"] = search.api_base
    if search.api_key:
        params["api_key"] = LITELLM_VARIABLE + search.api_key
    return {"search_tools": [{"search_tool_name": SEARCH_TOOL, "litellm_params": params}]}


def classifier(resolution: Resolution) -> dict[str, str]:
    """What judges the tool calls of a slot for claude's auto mode; nothing by default.

    On providers only: main's own setting would have every call judged twice.
    """
    return {"safeguards_classifier_model": CLASSIFIER} if resolution.classifier else {}


def fallbacks(resolution: Resolution) -> dict[str, Any]:
    """The fallbacks of a slot, in order; LiteLLM asks each once (measured)."""
    standing_in = [
        {slot.slot_id: [other.group for other in slot.deployments[1:]]}
        for slot in resolution.slots
        if len(slot.deployments) > 1
    ]
    return {"fallbacks": standing_in} if standing_in else {}


def units(resolution: Resolution) -> tuple[Unit, ...]:
    """The two instances; `providers` only where something needs it."""
    providers = (providers_unit(resolution),) if resolution.has_providers else ()
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
        ROUTING_VARIABLE: routing(resolution).to_json(),
        **ledger(resolution),
        **budget(resolution),
        **telemetry(resolution),
    }
    reaches = [anthropic.base_url]
    if resolution.has_providers:
        reaches += [PROVIDERS_URL]
        environment["OPENCLAUDE_PROVIDERS_URL"] = PROVIDERS_URL
        environment["OPENCLAUDE_PROVIDERS_KEY"] = PROVIDERS_KEY
    elif resolution.slots:
        reaches += [resolution.server]
        environment |= server(resolution)
    environment[REACHES_VARIABLE] = " ".join([*reaches, *receivers(resolution)])
    # LiteLLM's pass-through sends this key in place of whatever login claude sent (measured)
    secrets = {"ANTHROPIC_API_KEY": anthropic_key(resolution)} if anthropic.auth == API_KEY else {}
    if SERVER_VARIABLE in environment:
        secrets[SERVER_KEY_VARIABLE] = environment[KEY_REFERENCE_VARIABLE]
    return Unit(
        name="main",
        application="openclaude.gateway.main:app",
        environment=environment,
        inherit=LOCALE + NETWORK,
        prepare=PREPARE,
        secrets=secrets,
    )


def anthropic_key(resolution: Resolution) -> str:
    """Where Anthropic's own API key is, for a profile that pays by the token."""
    return resolution.profile.anthropic.api_key or "env:ANTHROPIC_API_KEY"


def routing(resolution: Resolution) -> RoutingTable:
    """The routing table of main: the slots, and where Claude's own ids go."""
    slots = {slot.slot_id: (slot.first, slot.key) for slot in resolution.slots}
    claude = {slot.slot_id: slot.claude for slot in resolution.slots}
    stands_for = {slot.slot_id: slot.stands_for for slot in resolution.slots}
    for limit in filter(None, (resolution.on_limit, *resolution.same_at_limit.values())):
        slots[limit.group] = (limit, key_of_model(limit, resolution))
    return RoutingTable(
        slots={
            group: slot_route(
                one,
                key,
                resolution,
                claude=claude.get(group, ""),
                stands_for=stands_for.get(group, ""),
            )
            for group, (one, key) in slots.items()
        },
        auth=AnthropicAuth(resolution.profile.anthropic.auth),
        on_limit=ON_LIMIT if resolution.on_limit else "",
        same_at_limit={tier: one.group for tier, one in resolution.same_at_limit.items()},
        agents=resolution.agents_by_header,
        searches_at_anthropic=resolution.profile.search.with_ == CLAUDE,
        profile=resolution.name,
        eyes=eyes(resolution),
        models={name: one.prices for one in resolution.deployments if (name := true_name(one))},
    )


def eyes(resolution: Resolution) -> dict[str, EyesRoute]:
    """Who describes images, for each slot whose own model is not to get any."""
    asked = {slot.slot_id: slot.tier for slot in resolution.slots}
    for second in filter(None, (resolution.on_limit, resolution.over_budget)):
        same = (slot.tier for slot in resolution.slots if slot.first.model == second.model)
        if tier := next(same, ""):
            asked[second.group] = tier
    found = resolution.eyes
    return {
        group: eyes_route(found[tier], resolution) for group, tier in asked.items() if tier in found
    }


def ledger(resolution: Resolution) -> dict[str, str]:
    """Where main writes down each request, beside all stacks, unless the profile wants none."""
    keep_s = resolution.profile.ledger.keep_s
    folder = f"{STACK_FOLDER}/../../{LEDGER_FOLDER}"
    if not keep_s:
        return {}
    return {LEDGER: f"{folder}/{LEDGER_FILE}", LEDGER_KEEP: f"{keep_s:g}", WRITES_VARIABLE: folder}


def providers_unit(resolution: Resolution) -> Unit:
    """providers: the guard inside LiteLLM, names of credentials, never the plan's token."""
    environment = {
        **LITELLM_FLAGS,
        "CONFIG_FILE_PATH": f"{STACK_FOLDER}/providers.yaml",
        "LITELLM_MASTER_KEY": PROVIDERS_KEY,
        "OPENCLAUDE_AWS_PROFILE": aws_profile(resolution),
        # botocore must not look for credentials on a network address
        "AWS_EC2_METADATA_DISABLED": "true",
        **({SEARCH_VARIABLE: resolution.search.engine.name} if resolution.search else {}),
    }
    used = {one.provider for one in resolution.deployments}
    credentials = [
        name
        for provider in PROVIDERS.values()
        if provider.name in used
        for name in provider.inherits
    ]
    reasons = any(one.reasoning for one in resolution.deployments)
    return Unit(
        name="providers",
        application="openclaude.gateway.providers:app",
        environment=environment,
        inherit=tuple(dict.fromkeys([*LOCALE, *NETWORK, *credentials])),
        prepare=PREPARE + (FOR_THOUGHTS if reasons else ()),
        secrets={variable: str(secret) for variable, secret in resolution.secrets.items()},
        starts_programs=bool(credentials),
    )


def aws_profile(resolution: Resolution) -> str:
    """The named AWS profile, where anything needs it; a Bedrock API key comes before it."""
    aws = resolution.profile.aws
    return (aws.profile or "") if resolution.uses_bedrock and not aws.api_key else ""


def dump(config: dict[str, Any]) -> str:
    """YAML in the order written, readable and reusable."""
    # a copy without shared parts, which YAML would write as anchors and aliases
    return yaml.dump(json.loads(json.dumps(config)), sort_keys=False, width=100)
