"""Whatever is in a profile: if it is valid it compiles, and no plan ever contains a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomlkit
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaude.compile.compiler import compile_plan
from openclaude.contracts.plan import Plan, read_plan
from openclaude.models.catalog import Catalog
from openclaude.profile.library import Library
from openclaude.profile.mistakes import ProfileMistakes
from openclaude.profile.read.loaded import Loaded
from openclaude.profile.schema import TIERS

CATALOG = Catalog.bundled()
SECRET = "sk-canary-do-not-store"
MODELS = [
    "bedrock/qwen.qwen3-next-80b-a3b",
    "bedrock/openai.gpt-oss-120b-1:0",
    "bedrock/us.anthropic.claude-opus-5-5",
    "openai/gpt-5.6-luna",
    "gemini/gemini-3.5-flash-lite",
    "groq/openai/gpt-oss-120b",
    "openrouter/qwen/qwen3-coder",
    "ollama/x:7b",
    "hosted_vllm/x",
    "anthropic/x",
    "azure/d",
]
REGIONS = ["us-west-2", "eu-west-1"]
REFERENCES = st.sampled_from(["env:KEY", "env:OTHER", "file:~/key", "command:pass show x"])
MAYBE_A_SECRET = st.one_of(REFERENCES, st.just(SECRET))
ADDRESSES = ["http://127.0.0.1:8000/v1/", "https://third.example/v1", "https://api.anthropic.com"]
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 2),
        "num_ctx": st.integers(1, 10**6),
        "stop": st.lists(st.sampled_from(["a", "b"]), max_size=2),
        "azure_ad_token": MAYBE_A_SECRET,
        "extra_headers": st.fixed_dictionaries({}, optional={"X-Api-Key": MAYBE_A_SECRET}),
        "vertex_credentials": MAYBE_A_SECRET,
    },
)
FALLBACKS = ["bedrock/eu-west-1/zai.glm-5", "openai/gpt-5.6-terra", "bedrock/zai.glm-5"]
TIER = st.one_of(
    st.sampled_from(["claude", "claude-opus-5-5", *MODELS]),
    st.fixed_dictionaries(
        {"model": st.sampled_from(MODELS)},
        optional={
            "context_window": st.sampled_from([32_000, 200_000, 1_000_000]),
            "max_output_tokens": st.sampled_from([1000, 8000]),
            "fallbacks": st.lists(st.sampled_from(FALLBACKS), max_size=3, unique=True),
            "region": st.sampled_from(REGIONS),
            "label": st.just("A label"),
            "vision": st.booleans(),
            "thinking": st.booleans(),
            "api_key": MAYBE_A_SECRET,
            "api_base": st.sampled_from(ADDRESSES),
            "params": PARAMS,
        },
    ),
)
PROFILE = st.fixed_dictionaries(
    {
        "schema": st.just(1),
        "aws": st.just({"profile": "p", "region": "us-west-2"}),
        "tiers": st.dictionaries(st.sampled_from(TIERS), TIER),
    },
    optional={
        "anthropic": st.fixed_dictionaries(
            {"auth": st.sampled_from(["plan", "plan", "api-key", "none"])},
            optional={"api_key": MAYBE_A_SECRET, "on_limit": st.sampled_from(MODELS)},
        ),
        "auto_mode": st.fixed_dictionaries({"classifier": st.sampled_from(MODELS)}),
        "budget": st.dictionaries(
            st.sampled_from(["day", "month", "session"]), st.sampled_from([1, 0.5, 0, -1.0])
        ),
        "agents": st.dictionaries(
            st.sampled_from(["explore", "plan", "general", "all"]), st.sampled_from(TIERS)
        ),
    },
)


def load(folder: Path, values: dict[str, Any]) -> Loaded | ProfileMistakes:
    (folder / "x.toml").write_text(tomlkit.dumps(values))
    try:
        return Library(folder, folder, catalog=CATALOG).load("x", env={})
    except ProfileMistakes as error:
        return error


def compiled(loaded: Loaded) -> Plan:
    return compile_plan("x", loaded.profile, CATALOG.find, made_by="test")


@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(PROFILE)
def test_what_is_valid_compiles_and_holds_no_secret(tmp_path: Path, values: dict[str, Any]) -> None:
    loaded = load(tmp_path, values)
    if isinstance(loaded, ProfileMistakes):
        assert SECRET not in f"{loaded}{loaded.entries()}"
        return

    plan = compiled(loaded)

    assert read_plan(plan.to_json()) == plan
    assert SECRET not in plan.to_json()
    config = yaml.safe_load(plan.files.get("providers.yaml", "model_list: []"))
    for row in config["model_list"]:
        # no key is ever a value: LiteLLM reads it from a variable of the instance
        key = row["litellm_params"].get("api_key", "none")
        assert key == "none" or key.removeprefix("os.environ/") in plan.units[1].secrets
        assert row["litellm_params"]["max_retries"] == 0
    groups = [row["model_name"] for row in config["model_list"]]
    assert len(groups) == len(set(groups))
    routes = json.loads(plan.units[0].environment["OPENCLAUDE_ROUTES"])
    assert set(routes["slots"]) <= set(groups)


@pytest.mark.parametrize(
    "values",
    [
        {"schema": 1, "tiers": {"haiku": "openai/gpt-5.6-luna"}},
        {
            "schema": 1,
            "tiers": {
                "haiku": {
                    "model": "bedrock/zai.glm-5",
                    "fallbacks": FALLBACKS[:2],
                    "region": "eu-west-1",
                }
            },
            "aws": {"profile": "p"},
            "agents": {"all": "haiku"},
        },
        {
            "schema": 1,
            "tiers": {
                "opus": {
                    "model": "anthropic/x",
                    "api_base": ADDRESSES[1],
                    "api_key": "file:~/key",
                    "context_window": 200_000,
                    "max_output_tokens": 8000,
                    "params": {"temperature": 1.0, "extra_headers": {"X-Api-Key": "env:OTHER"}},
                }
            },
        },
    ],
)
def test_the_property_above_is_not_empty(tmp_path: Path, values: dict[str, Any]) -> None:
    assert isinstance(load(tmp_path, values), Loaded)


def test_a_literal_secret_is_what_the_property_would_find(tmp_path: Path) -> None:
    values = {"schema": 1, "tiers": {"haiku": {"model": MODELS[3], "api_key": SECRET}}}

    assert isinstance(load(tmp_path, values), ProfileMistakes)
