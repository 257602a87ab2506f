"""Compile: built-in profiles become the plans in golden/, and every choice in them has a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from openclaude.compile.compiler import compile_plan
from openclaude.compile.resolve import stands_for
from openclaude.contracts.budget import read_budgets
from openclaude.contracts.plan import STACK_FOLDER, Plan, read_plan
from openclaude.contracts.routing import (
    TelemetryTargets,
    read_routing,
    routing_in,
    telemetry_targets_in,
)
from openclaude.gateway.routing.routes import slot_at_limit, slot_of
from openclaude.models.catalog import Catalog
from openclaude.profile.library import Library
from tests.conftest import REPOSITORY

SHIPPED = REPOSITORY / "profiles"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.bundled()


@pytest.fixture
def compiled(tmp_path: Path, catalog: Catalog) -> Callable[..., Plan]:
    """Compile a built-in profile, or one whose text is given."""

    def compile_it(name: str, text: str = "", **env: str) -> Plan:
        if text:
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        loaded = Library(tmp_path, SHIPPED, catalog=catalog).load(name, env=env)
        return compile_plan(name, loaded.profile, catalog.find, made_by="test")

    return compile_it


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.toml")))
def test_each_shipped_profile_compiles_to_its_golden_files(
    name: str, compiled: Callable[..., Plan], golden: Callable[[str, str], None]
) -> None:
    plan = compiled(name)

    golden(f"{name}.plan.json", plan.to_json())
    for file, text in plan.files.items():
        golden(f"{name}.{file}", text)


def test_a_plan_survives_json(compiled: Callable[..., Plan]) -> None:
    plan = compiled("qwen")

    assert read_plan(plan.to_json()) == plan


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1}', "null"])
def test_what_is_no_plan_of_this_version_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        read_plan(text)


def test_the_digest_changes_with_the_plan_and_with_the_version_that_made_it(
    compiled: Callable[..., Plan],
) -> None:
    plan = compiled("qwen")
    other_region = compiled("qwen", OPENCLAUDE_AWS_REGION="us-east-1")

    digests = {plan.digest, other_region.digest, plan.sealed("later").digest}

    assert len(digests) == 3
    assert compiled("qwen").digest == plan.digest


def test_overrides_reach_the_plan(compiled: Callable[..., Plan]) -> None:
    plan = compiled(
        "qwen",
        OPENCLAUDE_AWS_PROFILE="work",
        OPENCLAUDE_AWS_REGION="eu-west-1",
        OPENCLAUDE_LITELLM_PORT="5000",
    )

    providers = yaml.safe_load(plan.files["providers.yaml"])
    assert plan.port == 5000
    assert plan.aws_profile == "work"
    assert plan.units[1].environment["OPENCLAUDE_AWS_PROFILE"] == "work"
    assert providers["model_list"][0]["litellm_params"]["aws_region_name"] == "eu-west-1"


def test_main_has_no_deployment_that_the_plan_login_could_follow_elsewhere(
    compiled: Callable[..., Plan],
) -> None:
    """LiteLLM sends it to every `anthropic/` deployment, whatever its api_base (measured)."""
    text = 'schema = 1\nextends = "qwen"\n[tiers]\nopus = "bedrock/qwen.qwen3-coder-next"\n'
    main = yaml.safe_load(compiled("mine", text).files["main.yaml"])

    anthropic = [
        row["litellm_params"]
        for row in main["model_list"]
        if row["litellm_params"]["model"].startswith("anthropic/")
    ]
    assert anthropic == [{"model": "anthropic/claude-*", "max_retries": 0}]


def test_a_plan_and_both_configs_hold_placeholders_where_keys_go(
    compiled: Callable[..., Plan],
) -> None:
    plan = compiled("qwen")

    for config in plan.files.values():
        general = yaml.safe_load(config)["general_settings"]
        assert general["master_key"] == "os.environ/LITELLM_MASTER_KEY"
    assert [unit.environment["LITELLM_MASTER_KEY"] for unit in plan.units] == [
        "{openclaude:main-key}",
        "{openclaude:providers-key}",
    ]


def test_each_instance_gets_only_what_it_may_have(compiled: Callable[..., Plan]) -> None:
    main, providers = compiled("qwen").units

    assert not [name for name in (*main.environment, *main.inherit) if name.startswith("AWS")]
    assert main.environment["HOME"] == "{openclaude:stack-folder}/empty"
    assert "HOME" not in main.inherit
    ours = (*providers.environment, *providers.inherit)
    assert not [name for name in ours if name.startswith("ANTHROPIC")]
    forbidden = {"AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    forbidden |= {"AWS_SESSION_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "HTTP_PROXY", "http_proxy"}
    assert not forbidden & {*main.inherit, *providers.inherit}


def test_a_profile_of_claude_alone_has_one_instance_and_no_slot(
    compiled: Callable[..., Plan],
) -> None:
    plan = compiled("base")

    assert [unit.name for unit in plan.units] == ["main"]
    assert (plan.slots, plan.aws_profile, list(plan.files)) == ((), "", ["main.yaml"])
    assert "OPENCLAUDE_PROVIDERS_KEY" not in plan.units[0].environment


def test_the_model_of_small_calls_is_set_even_where_the_tier_is_claude(
    compiled: Callable[..., Plan],
) -> None:
    """Else claude's small requests use the main model on a custom base URL (seen in 2.1.330)."""
    assert compiled("base").launch.default_environment == {
        "ANTHROPIC_SMALL_FAST_MODEL": "claude-haiku-5-5"
    }
    chosen = compiled("mine", 'schema = 1\n[tiers]\nhaiku = "claude-haiku-4-5-20251001"\n')
    assert chosen.launch.default_environment == {}
    assert chosen.launch.environment["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "claude-haiku-4-5-20251001"


@pytest.mark.parametrize(
    ("tier", "window", "model"),
    [
        ("haiku", 256_000, "claude-haiku-5-5"),
        ("opus", 1_000_000, "claude-opus-5-5"),
        ("sonnet", 100_000, "claude-sonnet-5-5"),
        ("haiku", 99_999, ""),
        ("fable", 32_768, ""),
    ],
)
def test_a_slot_stands_for_its_tier_if_claude_can_be_told_its_window(
    tier: str, window: int, model: str
) -> None:
    assert stands_for(tier, window) == model


def test_the_window_told_to_claude_is_the_smallest_of_the_slots_it_applies_to(
    compiled: Callable[..., Plan],
) -> None:
    text = """schema = 1
extends = "qwen"
[tiers]
opus = "bedrock/openai.gpt-oss-120b-1:0"
sonnet = "bedrock/qwen.qwen3-32b-v1:0"
"""
    launch = compiled("mine", text).launch

    assert launch.environment["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "32768"
    assert [row["model"] for row in launch.picker] == [
        "claude-opus-5-5",
        "openclaude-sonnet",
        "claude-haiku-5-5",
    ]
    assert launch.model_settings == {
        "claude-opus-5-5": {"autoCompactWindow": 128_000},
        "claude-haiku-5-5": {"autoCompactWindow": 256_000},
    }


@pytest.mark.parametrize(
    ("model", "line", "reasons", "thinking"),
    [
        ("zai.glm-5", "", True, None),
        ("zai.glm-5", "thinking = false", False, "off"),
        ("zai.glm-5", "thinking = true", True, None),
        ("moonshotai.kimi-k2.5", "", False, None),
        ("moonshotai.kimi-k2.5", "thinking = true", True, None),
    ],
)
def test_a_profile_says_whether_a_model_thinks(
    compiled: Callable[..., Plan], model: str, line: str, reasons: bool, thinking: str | None
) -> None:
    text = f"""schema = 1
[tiers.haiku]
model = "bedrock/{model}"
{line}
[aws]
profile = "p"
region = "us-west-2"
"""
    row = yaml.safe_load(compiled("mine", text).files["providers.yaml"])["model_list"][0]

    assert row["model_info"]["supports_reasoning"] is reasons
    assert row["model_info"].get("openclaude_thinking") == thinking


def test_limits_of_the_profile_win_over_the_catalogue(compiled: Callable[..., Plan]) -> None:
    text = """schema = 1
[tiers.haiku]
model = "bedrock/qwen.qwen3-next-80b-a3b"
max_output_tokens = 4000
context_window = 100000
vision = true
markup = "qwen"
region = "eu-west-1"
[aws]
profile = "p"
region = "us-west-2"
endpoint_url = "http://127.0.0.1:9"
"""
    row = yaml.safe_load(compiled("mine", text).files["providers.yaml"])["model_list"][0]

    assert row["model_info"]["max_output_tokens"] == 4000
    assert row["model_info"]["max_input_tokens"] == 100000
    assert row["model_info"]["supports_vision"] is True
    assert row["model_info"]["openclaude_markup"] == "qwen"
    assert row["litellm_params"]["aws_region_name"] == "eu-west-1"
    assert row["litellm_params"]["aws_bedrock_runtime_endpoint"] == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("model", "params", "sent"),
    [
        ("ollama/x:7b", "", 65_536),
        ("ollama_chat/x:7b", "params = { num_ctx = 8192 }", 8192),
        ("lm_studio/x", "", None),
    ],
)
def test_ollama_is_told_the_window_that_claude_is_told(
    compiled: Callable[..., Plan], model: str, params: str, sent: int | None
) -> None:
    text = f"""schema = 1
[tiers.haiku]
model = "{model}"
context_window = 65536
max_output_tokens = 8192
{params}
"""
    row = yaml.safe_load(compiled("mine", text).files["providers.yaml"])["model_list"][0]

    assert row["litellm_params"].get("num_ctx") == sent


def test_explore_moves_to_the_tier_the_profile_names(compiled: Callable[..., Plan]) -> None:
    text = 'schema = 1\nextends = "qwen"\n[agents]\nexplore = "haiku"\n'

    agents = compiled("mine", text).launch.agents

    assert {name: agent["model"] for name, agent in agents.items()} == {"Explore": "haiku"}
    assert "Write" not in agents["Explore"]["tools"]


def test_the_router_is_told_its_slots_and_nothing_secret(compiled: Callable[..., Plan]) -> None:
    environment = compiled("qwen").units[0].environment

    assert json.loads(environment["OPENCLAUDE_ROUTES"]) == {
        "slots": {
            "openclaude-haiku": {
                "model": "qwen.qwen3-next-80b-a3b",
                "context_window": 256000,
                "aws_profile": "openclaude",
                "key": "",
                "address": "",
                "profile": "qwen",
                "claude": "claude-haiku-5-5",
                "stands_for": "claude-haiku-5-5",
                "server": "",
                "asked_as": "",
                "provider": "bedrock",
                "counts": False,
            }
        },
        "auth": "plan",
        "on_limit": "",
        "same_at_limit": {},
        "agents": {},
        "searches_at_anthropic": True,
        "profile": "qwen",
        "eyes": {},
        "models": {
            "bedrock/qwen.qwen3-next-80b-a3b": {
                "provider": "bedrock",
                "region": "us-west-2",
                "is_fallback": False,
                "input": 1.5e-07,
                "output": 1.2e-06,
                "cache_read": None,
                "cache_write": None,
                "steps": [],
                "priced_by": "litellm",
            }
        },
    }
    assert environment["ANTHROPIC_API_BASE"] == "https://api.anthropic.com"


EYES = """schema = 1
[tiers.haiku]
model = "bedrock/qwen.qwen3-next-80b-a3b"
vision = {}
fallbacks = ["openai/gpt-5.6-luna"]
[tiers.sonnet]
model = "bedrock/amazon.nova-lite-v1:0"
regions = ["us-west-2", "us-east-1"]
fallbacks = ["bedrock/deepseek.v3.2"]
[anthropic]
on_limit = "bedrock/qwen.qwen3-next-80b-a3b"
[aws]
profile = "p"
region = "us-west-2"
"""


@pytest.mark.parametrize(
    ("named", "model", "reads_pdf"),
    [
        ("sonnet", "bedrock/amazon.nova-lite-v1:0", True),
        ("bedrock/amazon.nova-pro-v1:0", "bedrock/amazon.nova-pro-v1:0", True),
        ("bedrock/us.anthropic.claude-haiku-5-5", "bedrock/us.anthropic.claude-haiku-5-5", True),
        ("openai/gpt-5.6-luna", "openai/gpt-5.6-luna", False),
    ],
)
def test_who_describes_images_is_a_model_of_its_own_for_the_slot_and_for_its_twin(
    compiled: Callable[..., Plan], named: str, model: str, reads_pdf: bool
) -> None:
    plan = compiled("mine", EYES.format(f'"{named}"'))

    routes = json.loads(plan.units[0].environment["OPENCLAUDE_ROUTES"])
    rows = {
        row["model_name"]: row for row in yaml.safe_load(plan.files["providers.yaml"])["model_list"]
    }
    info = {name: row["model_info"]["supports_vision"] for name, row in rows.items()}
    assert {name: eyes["group"] for name, eyes in routes["eyes"].items()} == {
        "openclaude-haiku": "openclaude-eyes-haiku",
        "openclaude-on-limit": "openclaude-eyes-haiku",
    }
    eyes = routes["eyes"]["openclaude-haiku"]
    assert (eyes["model"], eyes["reads_pdf"]) == (model, reads_pdf)
    assert (info["openclaude-eyes-haiku"], info["openclaude-haiku"]) == (True, False)
    assert model in routes["models"] or "Claude" in str([*routes["models"]])
    assert "openclaude-eyes-haiku" not in routes["slots"], "claude cannot ask it"
    assert "openclaude-eyes" not in plan.files["main.yaml"]
    assert "openclaude-eyes" not in str(
        yaml.safe_load(plan.files["providers.yaml"])["router_settings"]
    ), "it is asked alone"


ON_KEY = """schema = 1
[anthropic]
on_limit = "{}"
api_key = "env:MY_OWN_KEY"
[tiers]
haiku = "openai/gpt-5.6-luna"
sonnet = "claude-sonnet-4-6"
"""


def test_at_the_limit_each_claude_is_its_own_on_the_users_key_which_is_in_providers_only(
    compiled: Callable[..., Plan],
) -> None:
    plan = compiled("mine", ON_KEY.format("anthropic/claude-*"))

    main, providers = plan.units
    table = read_routing(main.environment["OPENCLAUDE_ROUTES"])
    rows = yaml.safe_load(plan.files["providers.yaml"])["model_list"]
    models = {row["model_name"]: row["litellm_params"] for row in rows}
    answering = {model: models[slot_at_limit(table, model)]["model"] for model in ASKED}
    assert answering == ASKED
    limits = [group for group in models if group.startswith("openclaude-on-limit")]
    assert {models[group]["api_base"] for group in limits} == {"https://api.anthropic.com"}
    variable = models["openclaude-on-limit"]["api_key"].removeprefix("os.environ/")
    assert providers.secrets[variable] == "env:MY_OWN_KEY"
    assert "MY_OWN_KEY" not in str(main.secrets)
    assert [slot_of(table, group) for group in limits] == [""] * len(limits), "claude cannot ask it"


ASKED = {
    "claude-opus-5-5": "anthropic/claude-opus-5-5",
    "claude-opus-4-8": "anthropic/claude-opus-5-5",
    "claude-sonnet-4-6": "anthropic/claude-sonnet-4-6",
    "claude-mythos-5": "anthropic/claude-sonnet-5-5",
}


def test_at_the_limit_a_claude_that_is_named_answers_for_all(compiled: Callable[..., Plan]) -> None:
    plan = compiled("mine", ON_KEY.format("anthropic/claude-haiku-5-5"))

    table = read_routing(plan.units[0].environment["OPENCLAUDE_ROUTES"])
    rows = yaml.safe_load(plan.files["providers.yaml"])["model_list"]
    (row,) = [row for row in rows if row["model_name"].startswith("openclaude-on-limit")]
    assert {slot_at_limit(table, model) for model in ASKED} == {"openclaude-on-limit"}
    assert row["litellm_params"]["model"] == "anthropic/claude-haiku-5-5"
    assert row["model_info"]["openclaude_signer"] == "anthropic"
    assert "answers on your API key" in row["model_info"]["openclaude_notice"]


@pytest.mark.parametrize("named", ["true", "false"])
def test_by_default_nobody_describes_images(compiled: Callable[..., Plan], named: str) -> None:
    plan = compiled("mine", EYES.format(named))

    assert json.loads(plan.units[0].environment["OPENCLAUDE_ROUTES"])["eyes"] == {}
    assert "openclaude-eyes" not in plan.files["providers.yaml"]


def test_what_only_anthropic_can_answer_goes_to_the_claude_model_of_the_tier(
    compiled: Callable[..., Plan],
) -> None:
    text = """schema = 1
[tiers.opus]
model = "openai/a"
context_window = 64000
max_output_tokens = 8000
[tiers.sonnet]
model = "openai/b"
context_window = 256000
max_output_tokens = 64000
"""

    routes = json.loads(compiled("mine", text).units[0].environment["OPENCLAUDE_ROUTES"])

    assert {
        name: (slot["claude"], slot["stands_for"]) for name, slot in routes["slots"].items()
    } == {
        "openclaude-opus": ("claude-opus-5-5", ""),
        "openclaude-sonnet": ("claude-sonnet-5-5", "claude-sonnet-5-5"),
    }


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("bedrock/qwen.qwen3-next-80b-a3b", "bedrock/qwen.qwen3-next-80b-a3b"),
        ("bedrock/us.anthropic.claude-opus-5-5", "Claude Opus 5.5 (bedrock)"),
        ("bedrock/anthropic.claude-haiku-4-5-20251001-v1:0", "Claude Haiku 4.5 (bedrock)"),
        ("openrouter/anthropic/claude-sonnet-4.5", "Claude Sonnet 4.5 (openrouter)"),
        ("openrouter/anthropic/claude-opus-5", "Claude Opus 5 (openrouter)"),
    ],
)
def test_a_reply_names_the_true_model_and_never_by_an_id_that_claude_would_ask_for(
    compiled: Callable[..., Plan], model: str, name: str
) -> None:
    limits = "context_window = 200000\nmax_output_tokens = 8000\nregion = 'us-west-2'\n"
    limits = limits if "bedrock" in model else limits.replace("region = 'us-west-2'\n", "")
    key = "" if "bedrock" in model else "api_key = 'env:KEY'\n"
    text = f"schema = 1\n[aws]\nprofile = 'p'\n[tiers.opus]\nmodel = '{model}'\n{limits}{key}"

    (row,) = yaml.safe_load(compiled("mine", text).files["providers.yaml"])["model_list"]

    assert row["model_info"]["openclaude_name"] == name


FIRST_PARTY = """schema = 1
extends = "qwen"
[anthropic]
first_party = true
[agents]
explore = "haiku"
plan = "sonnet"
"""


def test_where_claude_says_who_asks_main_moves_its_agents_to_slots_with_claudes_own_prompts(
    compiled: Callable[..., Plan],
) -> None:
    plan = compiled("mine", FIRST_PARTY)
    without = compiled("mine", FIRST_PARTY.replace("true", "false"))

    def agents(of: Plan) -> dict[str, str]:
        return dict(json.loads(of.units[0].environment["OPENCLAUDE_ROUTES"])["agents"])

    variable = "_CLAUDE_CODE_ASSUME_FIRST_PARTY_BASE_URL"
    assert plan.launch.environment[variable] == "1"
    assert agents(plan) == {"Explore": "openclaude-haiku"}
    # a request for one Claude model does not fit all others
    assert plan.launch.agents.keys() == {"Plan"}
    assert variable not in without.launch.environment
    assert agents(without) == {}
    assert without.launch.agents.keys() == {"Explore", "Plan"}


def test_a_profile_can_keep_searches_from_anthropic(compiled: Callable[..., Plan]) -> None:
    text = 'schema = 1\nextends = "qwen"\n[search]\nwith = "none"\n'

    environment = compiled("mine", text).units[0].environment

    assert json.loads(environment["OPENCLAUDE_ROUTES"])["searches_at_anthropic"] is False


# --- other providers, fallbacks, subagents


OPENROUTER = """schema = 1
[tiers.haiku]
model = "openrouter/qwen/qwen3-coder"
context_window = 262144
max_output_tokens = 32000
"""


def test_a_key_is_a_variable_in_the_config_and_a_reference_in_the_plan(
    compiled: Callable[..., Plan],
) -> None:
    plan = compiled("mine", OPENROUTER)

    params = yaml.safe_load(plan.files["providers.yaml"])["model_list"][0]["litellm_params"]
    assert params["api_key"] == "os.environ/OPENCLAUDE_SECRET_1"
    main, providers = plan.units
    assert (main.secrets, providers.secrets) == (
        {},
        {"OPENCLAUDE_SECRET_1": "env:OPENROUTER_API_KEY"},
    )
    # what is not on AWS does not need the user's home
    assert not [name for name in providers.inherit if name.startswith("AWS") or name == "HOME"]
    assert plan.aws_profile == ""


def test_a_bedrock_api_key_takes_the_place_of_the_aws_profile(
    compiled: Callable[..., Plan],
) -> None:
    key = 'api_key = "env:AWS_BEARER_TOKEN_BEDROCK"\n'
    plan = compiled("mine", f'schema = 1\nextends = "bedrock"\n[aws]\n{key}')

    providers = next(unit for unit in plan.units if unit.name == "providers")
    params = [
        row["litellm_params"] for row in yaml.safe_load(plan.files["providers.yaml"])["model_list"]
    ]
    (variable,) = providers.secrets
    assert providers.secrets == {variable: "env:AWS_BEARER_TOKEN_BEDROCK"}
    assert {one["api_key"] for one in params} == {f"os.environ/{variable}"}
    assert not [one for one in params if "aws_profile_name" in one]
    assert plan.aws_profile == providers.environment["OPENCLAUDE_AWS_PROFILE"] == ""
    slots = routing_in(plan.units[0].environment).slots.values()
    assert {(one.key, one.aws_profile) for one in slots} == {("env:AWS_BEARER_TOKEN_BEDROCK", "")}


def test_regions_are_model_groups_of_one_model_before_the_fallbacks(
    compiled: Callable[..., Plan],
) -> None:
    regions = 'regions = ["eu-west-1", "us-east-1"]\nfallbacks = ["bedrock/zai.glm-5"]\n'
    text = f'[tiers.haiku]\nmodel = "bedrock/qwen.qwen3-next-80b-a3b"\n{regions}'
    plan = compiled("mine", f'schema = 1\nextends = "qwen"\n{text}')

    config = yaml.safe_load(plan.files["providers.yaml"])
    rows = {
        row["model_name"]: (
            row["litellm_params"]["model"],
            row["litellm_params"]["aws_region_name"],
        )
        for row in config["model_list"]
    }
    qwen = "bedrock/converse/qwen.qwen3-next-80b-a3b"
    assert rows == {
        "openclaude-haiku": (qwen, "eu-west-1"),
        "openclaude-haiku-region-us-east-1": (qwen, "us-east-1"),
        "openclaude-haiku-fallback-1": ("bedrock/converse/zai.glm-5", "eu-west-1"),
    }
    (fallbacks,) = config["router_settings"]["fallbacks"]
    assert fallbacks["openclaude-haiku"] == [*rows][1:]
    assert plan.slots[0].region == "eu-west-1"


def test_one_key_for_two_tiers_is_one_variable(compiled: Callable[..., Plan]) -> None:
    text = OPENROUTER + OPENROUTER.partition("\n")[2].replace("haiku", "sonnet")

    assert list(compiled("mine", text).units[1].secrets.values()) == ["env:OPENROUTER_API_KEY"]


@pytest.mark.parametrize(
    ("model", "keys", "litellm_model", "api_base", "secrets"),
    [
        ("openai/gpt-5.6-luna", "", "openai/gpt-5.6-luna", None, ["env:OPENAI_API_KEY"]),
        (
            "openai/x",
            'api_base = "http://127.0.0.1:8000/v1/"',
            "openai/x",
            "http://127.0.0.1:8000/v1",
            [],
        ),
        ("ollama/x:7b", "", "ollama_chat/x:7b", "http://127.0.0.1:11434", []),
        ("lm_studio/x", "", "lm_studio/x", "http://127.0.0.1:1234/v1", []),
        (
            "anthropic/glm-5",
            'api_base = "https://api.z.ai/api/anthropic"\napi_key = "file:~/zai"',
            "anthropic/glm-5",
            "https://api.z.ai/api/anthropic",
            ["file:~/zai"],
        ),
        (
            "azure/d",
            'api_base = "https://x.openai.azure.com"\napi_key = "env:A"\n'
            'params = { api_version = "1", azure_ad_token = "env:B" }',
            "azure/d",
            "https://x.openai.azure.com",
            ["env:A", "env:B"],
        ),
    ],
)
def test_each_provider_is_reached_the_way_litellm_reaches_it_best(
    compiled: Callable[..., Plan],
    model: str,
    keys: str,
    litellm_model: str,
    api_base: str | None,
    secrets: list[str],
) -> None:
    text = (
        f'schema = 1\n[tiers.haiku]\nmodel = "{model}"\n{keys}\n'
        "context_window = 100000\nmax_output_tokens = 8000\n"
    )
    plan = compiled("mine", text)

    params = yaml.safe_load(plan.files["providers.yaml"])["model_list"][0]["litellm_params"]
    assert (params["model"], params.get("api_base")) == (litellm_model, api_base)
    assert list(plan.units[1].secrets.values()) == secrets
    assert params["api_key"] == ("os.environ/OPENCLAUDE_SECRET_1" if secrets else "none")


def test_fallbacks_are_model_groups_that_only_litellms_router_asks(
    compiled: Callable[..., Plan],
) -> None:
    text = """schema = 1
extends = "qwen"
[tiers.haiku]
model = "bedrock/qwen.qwen3-next-80b-a3b"
fallbacks = ["bedrock/eu-west-1/qwen.qwen3-next-80b-a3b", "openai/gpt-5.6-luna"]
"""
    plan = compiled("mine", text)

    config = yaml.safe_load(plan.files["providers.yaml"])
    assert config["router_settings"]["fallbacks"] == [
        {"openclaude-haiku": ["openclaude-haiku-fallback-1", "openclaude-haiku-fallback-2"]}
    ]
    params = [row["litellm_params"] for row in config["model_list"]]
    assert [row["model"] for row in params] == [
        "bedrock/converse/qwen.qwen3-next-80b-a3b",
        "bedrock/converse/qwen.qwen3-next-80b-a3b",
        "openai/gpt-5.6-luna",
    ]
    assert [row.get("aws_region_name") for row in params] == ["us-west-2", "eu-west-1", None]
    main = yaml.safe_load(plan.files["main.yaml"])
    assert [row["model_name"] for row in main["model_list"]] == ["openclaude-haiku", "claude-*"]


def test_a_model_for_the_plans_limit_is_one_more_deployment(compiled: Callable[..., Plan]) -> None:
    text = 'schema = 1\nextends = "qwen"\n[anthropic]\non_limit = "bedrock/zai.glm-5"\n'
    plan = compiled("mine", text)

    routes = json.loads(plan.units[0].environment["OPENCLAUDE_ROUTES"])
    rows = yaml.safe_load(plan.files["providers.yaml"])["model_list"]
    assert routes["on_limit"] == "openclaude-on-limit"
    assert [row["model_name"] for row in rows] == ["openclaude-haiku", "openclaude-on-limit"]
    assert [row["model"] for row in plan.launch.picker] == ["claude-haiku-5-5"]


BUDGETS = """
schema = 1
extends = "qwen"
[tiers.haiku]
budget_session = 1
[budget]
day = 5
month = 60.5
requests_per_minute = 30
"""


def test_budgets_are_mains_to_know_and_a_profile_without_one_says_nothing(
    compiled: Callable[..., Plan],
) -> None:
    plan = compiled("mine", BUDGETS)
    main, providers = plan.units

    found = read_budgets(main.environment["OPENCLAUDE_BUDGET"])
    assert [(one.period, one.dollars, one.tier) for one in found.budgets] == [
        ("day", 5.0, ""),
        ("month", 60.5, ""),
        ("session", 1.0, "haiku"),
    ]
    assert (found.then, found.route, found.requests_per_minute) == ("stop", None, 30)
    assert "OPENCLAUDE_BUDGET" not in providers.environment
    bare = compiled("bare", 'schema = 1\nextends = "qwen"\n')
    assert "OPENCLAUDE_BUDGET" not in bare.units[0].environment


TELEMETRY = """
schema = 1
extends = "qwen"
[telemetry]
otlp = "http://127.0.0.1:4318"
prometheus = 9464
"""


def test_main_alone_is_told_who_gets_figures_and_may_connect_there(
    compiled: Callable[..., Plan],
) -> None:
    main, providers = compiled("mine", TELEMETRY).units
    bare, _ = compiled("bare", 'schema = 1\nextends = "qwen"\n').units
    told = {"OPENCLAUDE_TELEMETRY", "OPENCLAUDE_FURTHER_PORT"}

    targets = telemetry_targets_in(main.environment)

    assert targets == TelemetryTargets(
        profile="mine", otlp="http://127.0.0.1:4318", prometheus=9464
    )
    assert main.environment["OPENCLAUDE_FURTHER_PORT"] == f"9464 {STACK_FOLDER}"
    reaches = bare.environment["OPENCLAUDE_REACHES"]
    assert main.environment["OPENCLAUDE_REACHES"] == f"{reaches} http://127.0.0.1:4318"
    assert not told & (providers.environment.keys() | bare.environment.keys())


def test_a_model_for_a_used_up_budget_is_one_more_deployment(
    compiled: Callable[..., Plan],
) -> None:
    plan = compiled("mine", f'{BUDGETS}then = "bedrock/zai.glm-5"\n')

    found = read_budgets(plan.units[0].environment["OPENCLAUDE_BUDGET"])
    rows = yaml.safe_load(plan.files["providers.yaml"])["model_list"]
    assert (found.then, found.slot) == ("model", "openclaude-over-budget")
    assert found.route is not None
    assert (found.route.model, found.route.claude) == ("zai.glm-5", "")
    assert [row["model_name"] for row in rows] == ["openclaude-haiku", "openclaude-over-budget"]
    notice = "[the budget for slots is used up: answered by bedrock/zai.glm-5]\n\n"
    assert rows[1]["model_info"]["openclaude_notice"] == notice
    assert (
        "openclaude-over-budget"
        not in json.loads(plan.units[0].environment["OPENCLAUDE_ROUTES"])["slots"]
    )
    assert [row["model"] for row in plan.launch.picker] == ["claude-haiku-5-5"]


def test_the_model_that_judges_tool_calls_is_named_to_providers_only(
    compiled: Callable[..., Plan],
) -> None:
    text = 'schema = 1\nextends = "qwen"\n[auto_mode]\nclassifier = "bedrock/zai.glm-5"\n'
    plan = compiled("mine", text)

    main, providers = (yaml.safe_load(plan.files[f"{name}.yaml"]) for name in ("main", "providers"))
    key = "safeguards_classifier_model"
    assert providers["general_settings"][key] == "openclaude-classifier"
    assert [row["model_name"] for row in providers["model_list"]] == [
        "openclaude-haiku",
        "openclaude-classifier",
    ]
    assert key not in main["general_settings"]
    assert "openclaude-classifier" not in plan.units[0].environment["OPENCLAUDE_ROUTES"]


def test_an_api_key_is_mains_and_claude_gets_the_local_key(compiled: Callable[..., Plan]) -> None:
    plan = compiled("api-key")

    assert plan.units[0].secrets == {"ANTHROPIC_API_KEY": "env:ANTHROPIC_API_KEY"}
    assert plan.launch.environment["ANTHROPIC_AUTH_TOKEN"] == "{openclaude:main-key}"


def test_without_an_account_nothing_is_anthropics(compiled: Callable[..., Plan]) -> None:
    plan = compiled("bedrock")

    models = [
        row["litellm_params"]["model"]
        for row in yaml.safe_load(plan.files["main.yaml"])["model_list"]
    ]
    assert all(model.startswith("litellm_proxy/") for model in models)
    assert plan.units[0].secrets == {}
    assert plan.launch.environment["ANTHROPIC_AUTH_TOKEN"] == "{openclaude:main-key}"


@pytest.mark.parametrize(
    ("agents", "environment", "names"),
    [
        ('explore = "haiku"\nplan = "sonnet"', {}, ["Explore", "Plan"]),
        ('general = "haiku"', {"CLAUDE_CODE_SUBAGENT_MODEL": "haiku"}, []),
        (
            'all = "sonnet"',
            {"CLAUDE_CODE_SUBAGENT_MODEL": "sonnet", "CLAUDE_CODE_SUBAGENT_MODEL_FORCE": "1"},
            [],
        ),
    ],
)
def test_subagents_move_to_tiers(
    compiled: Callable[..., Plan], agents: str, environment: dict[str, str], names: list[str]
) -> None:
    launch = compiled("mine", f'schema = 1\nextends = "qwen"\n[agents]\n{agents}\n').launch

    moved = {name: value for name, value in launch.environment.items() if "SUBAGENT" in name}
    assert moved == environment
    assert list(launch.agents) == names


@pytest.mark.parametrize(
    ("model", "keys", "allowed"),
    [
        ("openai/x", "", ["tools"]),
        ("zai/x", "", ["tools", "max_retries"]),
        (
            "zai/x",
            'params = { allowed_openai_params = ["seed"] }',
            ["tools", "max_retries", "seed"],
        ),
        ("deepseek/x", "", None),
    ],
)
def test_litellm_is_told_to_send_what_it_would_drop_in_silence(
    compiled: Callable[..., Plan], model: str, keys: str, allowed: list[str] | None
) -> None:
    text = (
        f'schema = 1\n[tiers.haiku]\nmodel = "{model}"\n{keys}\n'
        "context_window = 100000\nmax_output_tokens = 8000\n"
    )

    config = yaml.safe_load(compiled("mine", text).files["providers.yaml"])

    assert config["model_list"][0]["litellm_params"].get("allowed_openai_params") == allowed


def test_a_model_that_litellm_plays_itself_needs_no_key(compiled: Callable[..., Plan]) -> None:
    assert [unit.secrets for unit in compiled("offline").units] == [{}, {}]


AT_SERVER = """schema = 1
[tiers]
haiku = "bedrock/qwen.qwen3-next-80b-a3b"
[providers]
url = "https://models.example.internal"
ca = "/etc/ssl/team.pem"
key = "command:print-key"
"""


def test_with_a_server_there_are_no_providers_here_and_no_aws(
    compiled: Callable[..., Plan], golden: Callable[[str, str], None]
) -> None:
    plan = compiled("elsewhere", AT_SERVER, OPENCLAUDE_AWS_PROFILE="mine")

    (main,) = plan.units
    (slot,) = routing_in(main.environment).slots.values()
    assert (main.name, list(plan.files), plan.aws_profile) == ("main", ["main.yaml"], "")
    assert "mine" not in plan.to_json()
    assert main.secrets == {"OPENCLAUDE_SERVER_KEY": "command:print-key"}
    assert "https://models.example.internal" in main.environment["OPENCLAUDE_REACHES"].split()
    assert "OPENCLAUDE_PROVIDERS_KEY" not in main.environment
    assert slot.asked_as == "bedrock/qwen.qwen3-next-80b-a3b"
    golden("elsewhere.main.yaml", plan.files["main.yaml"])


def test_without_a_slot_main_is_told_of_no_server(compiled: Callable[..., Plan]) -> None:
    text = AT_SERVER.replace("bedrock/qwen.qwen3-next-80b-a3b", "claude")

    (main,) = compiled("elsewhere", text).units

    assert (main.secrets, "OPENCLAUDE_SERVER" in main.environment) == ({}, False)
