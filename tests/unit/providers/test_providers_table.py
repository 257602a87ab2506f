"""The table of providers: every capability reaches the guard, and a quirk is one row."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from openclaude.compile.compiler import compile_plan
from openclaude.contracts.capabilities import (
    RULES,
    Capabilities,
    ModelInfo,
    Thinking,
    both,
    combine,
    either,
    read_model_info,
    shared,
)
from openclaude.contracts.references import ModelRef
from openclaude.gateway.requests.capabilities import slot_capabilities
from openclaude.models.catalog import Catalog, Model
from openclaude.profile.library import Library
from openclaude.providers import known
from openclaude.providers.families import (
    FAMILIES,
    Family,
    id_at_provider,
    is_third_party,
    litellm_name,
)
from openclaude.providers.known import ProvidersMissing, known_providers, read_providers
from openclaude.providers.table import PROVIDERS, USUAL, ApiDialect, Provider, find_provider

TIER = """schema = 1
[tiers.haiku]
model = "made_up/model"
fallbacks = ["{fallback}"]
context_window = 200000
max_output_tokens = 8000
"""
BUNDLED = Catalog.bundled()


# Those that say the same of both models, or nothing; each has rows of its own
AGREED = ("thinking", "thoughts")


class Made(NamedTuple):
    """A way to make a model that differs from all others in one capability."""

    takes: dict[str, Any] = {}  # of the provider's row  # noqa: RUF012
    dialect: ApiDialect = ApiDialect.OPENAI
    model: dict[str, Any] = {}  # of the catalogue's  # noqa: RUF012


# Every capability, and the possible source of an unusual value.
UNUSUAL = (
    ("max_output_tokens", Made(model={"max_output_tokens": 64})),
    ("supports_vision", Made(takes={"supports_vision": False})),
    ("supports_vision", Made(model={"vision": False})),
    ("supports_pdf_input", Made(takes={"supports_pdf_input": False})),
    ("supports_pdf_input", Made(model={"pdf": False})),
    ("supports_reasoning", Made(takes={"supports_reasoning": False})),
    ("supports_reasoning", Made(model={"reasoning": False})),
    ("speaks_anthropic", Made(dialect=ApiDialect.ANTHROPIC)),
    ("claude_signer", Made(takes={"claude_signer": "made_up"})),
    ("thinks_by_budget", Made(takes={"thinks_by_budget": True})),
    ("requires_reasoning_echo", Made(takes={"requires_reasoning_echo": True})),
    ("supports_json_schema", Made(takes={"supports_json_schema": False})),
    ("takes_cache_marks", Made(takes={"takes_cache_marks": False})),
    ("wants_strings", Made(takes={"wants_strings": True})),
    ("max_call_id", Made(takes={"max_call_id": 40})),
    ("wants_nine_letters", Made(takes={"wants_nine_letters": True})),
    ("wants_kimi_ids", Made(takes={"wants_kimi_ids": True})),
    ("max_tools", Made(takes={"max_tools": 128})),
    ("max_schema_depth", Made(takes={"max_schema_depth": 20})),
    ("takes_full_schema", Made(takes={"takes_full_schema": False})),
)
ABLE = Model(
    provider="made_up",
    id="model",
    max_input_tokens=200_000,
    max_output_tokens=8000,
    vision=True,
    pdf=True,
    tools=True,
    reasoning=True,
)
USUALLY = Capabilities(max_output_tokens=8000)


def a_provider(name: str, made: Made) -> Provider:
    return Provider(name=name, dialect=made.dialect, takes=Capabilities()._replace(**made.takes))


def guard_reads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, first: Made, second: Made
) -> list[Capabilities]:
    """Return what the guard reads about a slot with a fallback, from what compile wrote as YAML."""
    made = {"made_up": first, "made_up_too": second}
    for name, one in made.items():
        monkeypatch.setitem(PROVIDERS, name, a_provider(name, one))

    def find_model(provider: str, model_id: str, region: str) -> Model | None:
        del model_id, region
        return replace(ABLE, **made[provider].model) if provider in made else None

    text = TIER.format(fallback="made_up_too/model").replace("max_output_tokens = 8000\n", "")
    return read_slot(compiled(tmp_path, text, find_model))


def compiled(folder: Path, text: str, find_model: Callable[..., Model | None]) -> dict[str, Any]:
    """Return the providers' config of a profile, as their instance reads it."""
    (folder / "mine.toml").write_text(text)
    catalog = Catalog(BUNDLED.path)
    catalog.find = find_model  # type: ignore[method-assign]
    profile = Library(folder, folder, catalog=catalog).load("mine", env={}).profile
    plan = compile_plan("mine", profile, find_model, made_by="test")
    config: dict[str, Any] = yaml.safe_load(plan.files["providers.yaml"])
    return config


def read_slot(config: dict[str, Any]) -> list[Capabilities]:
    """Return what the guard reads about a slot and its fallbacks, as LiteLLM requests them."""
    ((slot, fallbacks),) = config["router_settings"]["fallbacks"][0].items()
    read = [slot_capabilities(group, config["model_list"]) for group in (slot, *fallbacks)]
    return [one._replace(**dict.fromkeys(AGREED)) for one in read]


# Capabilities ------------------------------------------------------------------------------------


def test_every_capability_is_tested_here() -> None:
    assert {name for name, _ in UNUSUAL} == set(RULES) - set(AGREED)


@pytest.mark.parametrize(("name", "unusual"), UNUSUAL)
@pytest.mark.parametrize("place", ["first", "second"])
def test_a_capability_is_carried_through_a_slot_with_fallbacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, unusual: Made, place: str
) -> None:
    order = (unusual, Made()) if place == "first" else (Made(), unusual)

    read = guard_reads(monkeypatch, tmp_path, first=order[0], second=order[1])

    changed, usual = read if place == "first" else reversed(read)
    assert usual == USUALLY
    also = {"supports_json_schema"} if name == "speaks_anthropic" else set()
    assert different(changed, USUALLY) - also == {name}
    # and if LiteLLM may use either of two, the one with fewer capabilities decides
    assert combine(changed, usual) == combine(usual, changed) == changed


def different(one: Capabilities, other: Capabilities) -> set[str]:
    return {name for name in RULES if getattr(one, name) != getattr(other, name)}


def test_a_slot_without_quirks_takes_everything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert guard_reads(monkeypatch, tmp_path, first=Made(), second=Made()) == [USUALLY] * 2


@pytest.mark.parametrize("name", sorted(set(RULES) - set(AGREED)))
def test_a_default_takes_everything_and_a_rule_knows_no_order(name: str) -> None:
    usual = Capabilities()
    odd = {min: 64, shared: "made_up"}.get(RULES[name], not getattr(usual, name))
    unusual = usual._replace(**{name: odd})

    assert combine(usual, unusual) == combine(unusual, usual) == combine(unusual, unusual)
    assert combine(usual, unusual) == unusual
    assert RULES[name] in (min, both, either, shared)


@pytest.mark.parametrize(
    ("name", "one", "other", "nothing"),
    [
        ("thinking", Thinking(returns=True), Thinking(efforts=("low",)), Thinking()),
        ("thoughts", "a/model", "b/model", ""),
    ],
)
def test_what_two_models_do_not_agree_on_is_not_known(
    name: str, one: object, other: object, nothing: object
) -> None:
    first, second = (Capabilities()._replace(**{name: value}) for value in (one, other))

    assert combine(first, Capabilities()) == combine(Capabilities(), first) == first
    assert combine(first, first) == first
    assert combine(first, second) == combine(second, first)
    assert getattr(combine(first, second), name) == nothing


def test_the_record_is_read_back_as_it_was_written() -> None:
    info = ModelInfo(
        base_model="zai.glm-5",
        max_input_tokens=1,
        max_output_tokens=2,
        supports_vision=True,
        supports_pdf_input=True,
        supports_reasoning=True,
        supported_endpoints=("/v1/messages",),
        openclaude_markup="qwen",
        openclaude_notice="said",
        openclaude_signer="anthropic",
        openclaude_name="GLM",
        openclaude_thinking="off",
    )

    assert not {*vars(info).items()} & {*vars(ModelInfo()).items()}
    assert read_model_info(json.loads(json.dumps(info.as_config())), "it") == info


# The table ---------------------------------------------------------------------------------------


def test_a_provider_with_three_quirks_is_one_row(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(
        PROVIDERS,
        "made_up",
        Provider(
            name="made_up",
            key="MADE_UP_TOKEN",
            drops_max_retries=True,
            takes=USUAL._replace(supports_vision=False, supports_json_schema=False),
        ),
    )
    text = TIER.format(fallback="openai/gpt-5.6-luna")

    config = compiled(tmp_path, text, BUNDLED.find)

    params = config["model_list"][0]["litellm_params"]
    assert params["model"] == "made_up/model"
    assert params["allowed_openai_params"] == ["tools", "max_retries"]
    taken, _ = read_slot(config)
    assert (taken.supports_vision, taken.supports_json_schema) == (False, False)
    assert "made_up" in known_providers()


def test_a_family_is_one_row_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    echo = Capabilities(requires_reasoning_echo=True)
    family = Family(name="made up", pattern=r"gpt-5\.6-.*", takes=echo)
    monkeypatch.setattr("openclaude.providers.families.FAMILIES", (*FAMILIES, family))
    text = TIER.format(fallback="openai/gpt-5.6-luna").replace("made_up/", "openai/")

    taken = read_slot(compiled(tmp_path, text, BUNDLED.find))
    assert [one.requires_reasoning_echo for one in taken] == [False, True]


def test_what_the_dialect_says_is_not_said_again() -> None:
    assert not any(provider.takes.speaks_anthropic for provider in PROVIDERS.values())
    assert not any(family.takes.speaks_anthropic for family in FAMILIES)


def test_two_names_for_one_way_are_one_row_to_the_guard() -> None:
    """The guard only sees LiteLLM's name for a model."""
    for provider in PROVIDERS.values():
        seen = find_provider(provider.litellm_prefix.partition("/")[0])
        assert (seen.takes, seen.dialect is ApiDialect.ANTHROPIC) == (
            provider.takes,
            is_third_party(provider),
        ), provider.name


def test_a_provider_without_a_row_has_its_key_where_litellm_looks_for_it() -> None:
    assert find_provider("some-one").key_variable == "SOME_ONE_API_KEY"
    assert find_provider("hosted_vllm").key_variable == ""


def test_a_model_of_claude_elsewhere_is_not_asked_to_think() -> None:
    for model_id, thinks in (
        ("anthropic.claude-haiku-5-5", False),
        ("claude-haiku-4-5", False),
        ("anthropic/claude-opus-5-5", True),
        ("qwen.qwen3-next-80b-a3b", True),
    ):
        taken = takes(ModelRef(provider="databricks", model_id=model_id))
        assert taken.supports_reasoning is thinks, model_id
        assert taken.claude_signer == ""


@pytest.mark.parametrize(
    "model_id",
    [
        "anthropic.claude-haiku-5-5",
        "us.anthropic.claude-opus-5-5",
        "arn:aws:bedrock:us-west-2:1:inference-profile/us.anthropic.claude-x",
    ],
)
def test_claude_on_bedrock_is_asked_with_its_own_body_and_bedrock_signs(model_id: str) -> None:
    bedrock = find_provider("bedrock")

    assert takes(ModelRef(provider="bedrock", model_id=model_id)).claude_signer == "bedrock"
    assert litellm_name(bedrock, model_id) == f"bedrock/invoke/{model_id}"
    assert id_at_provider(f"bedrock/invoke/{model_id}") == model_id
    assert litellm_name(bedrock, "zai.glm-5") == "bedrock/converse/zai.glm-5"
    assert id_at_provider("bedrock/converse/zai.glm-5") == "zai.glm-5"


def test_which_claudes_think_with_a_budget_is_what_the_map_says() -> None:
    rows = json.loads(BUNDLED.path.read_bytes())
    claudes = {
        name: bool(row.get("supports_adaptive_thinking"))
        for name, row in rows.items()
        if row.get("mode") == "chat" and "/" not in name and "anthropic.claude" in name
    }

    assert len(claudes) > 50
    for name, is_adaptive in claudes.items():
        taken = takes(ModelRef(provider="bedrock", model_id=name))
        assert taken.thinks_by_budget is not is_adaptive, name


def test_a_slot_of_different_models_has_no_signer() -> None:
    behind = [
        {"model_name": "x", "litellm_params": {"model": f"bedrock/{model}"}, "model_info": {}}
        for model in ("invoke/us.anthropic.claude-opus-5-5", "converse/zai.glm-5")
    ]

    assert slot_capabilities("x", behind[:1]).claude_signer == "bedrock"
    assert slot_capabilities("x", behind).claude_signer == ""


def takes(model: ModelRef) -> Capabilities:
    from openclaude.providers.families import known_of

    return known_of(find_provider(model.provider), model.model_id)


# Which providers there are -----------------------------------------------------------------------


def litellms_enumeration() -> set[str]:
    """Return what LiteLLM's code takes for a provider: an Enum's values and a table's names."""
    folder = BUNDLED.path.parent
    tree = ast.parse((folder / known.ENUMERATION).read_text("utf-8"))
    (enum,) = (
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "LlmProviders"
    )
    values = {
        str(node.value.value)
        for node in enum.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    return values | set(json.loads((folder / known.COMPATIBLE).read_text()))


def test_litellms_enumeration_is_read_whole() -> None:
    assert set(read_providers(BUNDLED.path.parent)) == litellms_enumeration()


def test_every_row_is_of_a_provider_that_litellm_has() -> None:
    assert set(PROVIDERS) <= litellms_enumeration()
    assert set(known_providers()) <= litellms_enumeration()


@pytest.mark.parametrize(
    "name",
    [
        *("openai", "gemini", "openrouter", "deepseek", "moonshot", "zai", "groq", "azure", "xai"),
        *("vertex_ai", "ollama", "ollama_chat", "mistral", "together_ai", "fireworks_ai"),
        *("minimax", "dashscope", "cerebras", "hosted_vllm", "lm_studio", "llamafile", "bedrock"),
        *("nano-gpt", "cohere", "huggingface", "nvidia_nim", "custom_openai", "anthropic"),
        *("bedrock_mantle", "modelscope", "xinference", "veniceai", "vertex_ai_beta"),
    ],
)
def test_a_provider_that_people_use_can_be_named(name: str) -> None:
    assert name in known_providers()


@pytest.mark.parametrize(
    "name",
    [
        *("bedrock_converse", "vertex_ai-qwen_models", "anyscale", "tavily", "voyage", "venice"),
        *("nanogpt", "elevenlabs", "langfuse"),
    ],
)
def test_what_is_no_provider_of_conversations_cannot_be_named(name: str) -> None:
    assert name not in known_providers()


@pytest.mark.parametrize(
    ("enumeration", "compatible"),
    [
        (None, "{}"),
        ("class LlmProviders(str, Enum):\n    A = 'a'\n\nx = 1\n", "{}"),
        ('class Others:\n    A = "a"\n\nx = 1\n', "{}"),
        ('class LlmProviders(str, Enum):\n    A = "a"\n\nx = 1\n', "["),
        ('class LlmProviders(str, Enum):\n    A = "a"\n\nx = 1\n', "[]"),
    ],
)
def test_a_litellm_of_another_form_is_said_to_be_one(
    tmp_path: Path, enumeration: str | None, compatible: str
) -> None:
    for name, text in ((known.ENUMERATION, enumeration), (known.COMPATIBLE, compatible)):
        (tmp_path / name).parent.mkdir(parents=True)
        if text is not None:
            (tmp_path / name).write_text(text)

    with pytest.raises(ProvidersMissing, match="cannot read LiteLLM's providers"):
        list(read_providers(tmp_path))


def test_the_keys_of_compatible_providers_are_where_litellm_looks_for_them() -> None:
    listed = json.loads((BUNDLED.path.parent / known.COMPATIBLE).read_text())

    assert {name: find_provider(name).key_variable for name in listed} == {
        name: row["api_key_env"] for name, row in listed.items()
    }
