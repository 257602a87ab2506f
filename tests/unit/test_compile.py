"""Compile: shipped profiles become the plans in golden/, and every choice in them has a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from openclaude.compile.compiler import compile_plan
from openclaude.compile.plan import Plan, read_plan
from openclaude.compile.resolve import choose_behaves_as
from openclaude.profile.catalog import Catalog
from openclaude.profile.library import Library

SHIPPED = Path(__file__).resolve().parents[2] / "profiles"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.bundled()


@pytest.fixture
def compiled(tmp_path: Path, catalog: Catalog) -> Callable[..., Plan]:
    """Compile a shipped profile, or one whose text is given."""

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


def test_the_haiku_alias_is_bound_even_where_the_tier_is_claude(
    compiled: Callable[..., Plan],
) -> None:
    """Else claude's small calls use the main model on a custom base URL (measured, 2.1.330)."""
    assert compiled("base").launch.default_environment == {
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "claude-haiku-5-5"
    }
    chosen = compiled("mine", 'schema = 1\n[tiers]\nhaiku = "claude-haiku-4-5-20251001"\n')
    assert chosen.launch.default_environment == {}
    assert chosen.launch.environment["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "claude-haiku-4-5-20251001"


@pytest.mark.parametrize(
    ("window", "output", "behaves_as"),
    [
        (256_000, 8_000, "claude-3-5-haiku"),
        (256_000, 8_192, "claude-3-5-haiku"),
        (256_000, 16_000, "claude-haiku-4-5"),
        (200_000, 64_000, "claude-haiku-4-5"),
        (199_999, 8_000, ""),
        (32_768, 8_192, ""),
    ],
)
def test_a_slot_behaves_as_the_claude_model_whose_requests_fit_it(
    window: int, output: int, behaves_as: str
) -> None:
    assert choose_behaves_as(window, output) == behaves_as


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
    assert ["behavesAs" in row for row in launch.picker] == [False, False, True]


def test_limits_of_the_profile_win_over_the_catalogue(compiled: Callable[..., Plan]) -> None:
    text = """schema = 1
[tiers.haiku]
model = "bedrock/qwen.qwen3-next-80b-a3b"
max_output_tokens = 4000
context_window = 100000
vision = true
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
    assert row["litellm_params"]["aws_region_name"] == "eu-west-1"
    assert row["litellm_params"]["aws_bedrock_runtime_endpoint"] == "http://127.0.0.1:9"


def test_explore_moves_to_the_tier_the_profile_names(compiled: Callable[..., Plan]) -> None:
    text = 'schema = 1\nextends = "qwen"\n[agents]\nexplore = "haiku"\n'

    agents = compiled("mine", text).launch.agents

    assert {name: agent["model"] for name, agent in agents.items()} == {"Explore": "haiku"}
    assert "Write" not in agents["Explore"]["tools"]


def test_the_router_is_told_its_slots_and_nothing_secret(compiled: Callable[..., Plan]) -> None:
    environment = compiled("qwen").units[0].environment

    assert json.loads(environment["OPENCLAUDE_SLOTS"]) == {
        "openclaude-haiku": {
            "model": "qwen.qwen3-next-80b-a3b",
            "context_window": 256000,
            "aws_profile": "openclaude",
        }
    }
    assert environment["ANTHROPIC_API_BASE"] == "https://api.anthropic.com"
