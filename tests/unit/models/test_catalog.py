"""The catalogue, on the map bundled with LiteLLM and on small ones of our own."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaude.models.catalog import Catalog, Model
from openclaude.models.model_map import CatalogMissing
from openclaude.models.prices import PriceStep
from openclaude.providers.bedrock import choose_id, prefixes_of, read_arn
from openclaude.providers.known import known_providers
from openclaude.providers.regions import (
    RegionsMissing,
    bedrock_regions,
    known_regions,
    read_bedrock_regions,
    read_regions,
)
from tests.conftest import REPOSITORY
from tests.unit.work import count_calls

BUNDLED = Catalog.bundled()


def write_map(folder: Path, rows: object) -> Catalog:
    """Return a catalogue of these rows."""
    path = folder / "map.json"
    path.write_text(json.dumps(rows))
    return Catalog.load(path)


def row(window: int | None = 100, cap: int | None = 10, **more: object) -> dict[str, object]:
    """Return a chat model's row on Bedrock."""
    return {
        "litellm_provider": "bedrock_converse",
        "mode": "chat",
        "max_input_tokens": window,
        "max_output_tokens": cap,
        **more,
    }


def test_a_model_of_the_bundled_map_is_known_in_full() -> None:
    assert BUNDLED.find("bedrock", "qwen.qwen3-next-80b-a3b", "us-west-2") == Model(
        provider="bedrock",
        id="qwen.qwen3-next-80b-a3b",
        max_input_tokens=256000,
        max_output_tokens=8000,
        tools=True,
        structured=True,
        input_cost=1.5e-07,
        output_cost=1.2e-06,
        regions=(
            "ap-northeast-1",
            "ap-south-1",
            "ap-southeast-2",
            "eu-west-1",
            "eu-west-2",
            "sa-east-1",
        ),
    )


@pytest.mark.parametrize(
    ("model_id", "region", "window", "cap", "input_cost"),
    [
        # the regional row has 262144 and 8192 and a price of its own
        ("qwen.qwen3-next-80b-a3b", "eu-west-2", 256000, 8000, 2.3e-07),
        ("qwen.qwen3-next-80b-a3b", None, 256000, 8000, 1.5e-07),
        ("deepseek.v3.2", "us-west-2", 163840, 8000, 6.2e-07),
        # its own row has 163840 output tokens, the bare model's 8000
        ("us.deepseek.v3.2", "us-west-2", 163840, 8000, 6.2e-07),
    ],
)
def test_where_rows_disagree_the_region_decides_and_the_smaller_number_holds(
    model_id: str, region: str | None, window: int, cap: int, input_cost: float
) -> None:
    model = BUNDLED.find("bedrock", model_id, region)

    assert model is not None
    assert (model.max_input_tokens, model.max_output_tokens) == (window, cap)
    assert model.input_cost == input_cost


def test_a_model_with_regional_rows_only_is_known_everywhere(tmp_path: Path) -> None:
    catalog = write_map(
        tmp_path,
        {
            "bedrock/us-east-1/a.b": row(200, 20, supports_vision=True),
            "bedrock/eu-west-1/a.b": row(100, 30),
        },
    )

    here = catalog.find("bedrock", "a.b", "us-east-1")
    elsewhere = catalog.find("bedrock", "a.b", "sa-east-1")

    assert here is not None
    assert (here.max_input_tokens, here.max_output_tokens, here.vision) == (200, 20, True)
    assert elsewhere is not None
    assert (elsewhere.max_input_tokens, elsewhere.max_output_tokens) == (100, 20)
    assert elsewhere.regions == ("eu-west-1", "us-east-1")


def test_a_model_known_only_with_prefixes_says_so() -> None:
    model = BUNDLED.find("bedrock", "zai.glm-5.3", "us-east-1")

    assert model is not None
    assert model.prefixed == ("global.zai.glm-5.3", "us.zai.glm-5.3")
    assert (model.id, model.max_output_tokens) == ("zai.glm-5.3", 128000)


def test_only_chat_models_of_the_ordinary_route_are_in_the_catalogue(tmp_path: Path) -> None:
    catalog = write_map(
        tmp_path,
        {
            "a.embed": row(mode="embedding"),
            "bedrock/*/1-month-commitment/a.b": row(),
            "bedrock/invoke/a.c": row(),
            "sample": 5,
            "openai/gpt": row(litellm_provider="openai"),
        },
    )

    for model_id in ("a.embed", "a.b", "a.c", "*/1-month-commitment/a.b", "sample", "gpt"):
        assert catalog.find("bedrock", model_id) is None
    assert catalog.find("openai", "gpt") is not None


def test_a_price_that_is_no_models_is_not_in_the_catalogue() -> None:
    for name in ("openai/container", "azure/container", "together_ai/together-ai-4.1b-8b"):
        assert BUNDLED.find(*name.split("/")) is None


def test_of_two_rows_the_one_that_requests_are_made_under_decides(tmp_path: Path) -> None:
    def priced(cost: int, **more: object) -> dict[str, object]:
        return {**row(), "input_cost_per_token": cost, **more}

    rows = {
        "bedrock/a.b": priced(2),
        "a.b": priced(1),
        "bedrock/c.d": priced(2),
        "x": priced(1, litellm_provider="deepseek"),
        "deepseek/x": priced(2, litellm_provider="deepseek"),
        "deepseek/y": priced(2, litellm_provider="deepseek"),
        "y": priced(1, litellm_provider="deepseek"),
    }
    catalog = write_map(tmp_path, rows)
    reverse = write_map(tmp_path, dict(reversed(rows.items())))

    for one in (catalog, reverse):
        assert one.find_model("bedrock/a.b").input_cost == 1
        assert one.find_model("bedrock/c.d").input_cost == 2
        assert one.find_model("deepseek/x").input_cost == 2
        assert one.find_model("deepseek/y").input_cost == 2


def test_only_bedrocks_ids_have_prefixes(tmp_path: Path) -> None:
    rows = {"gemini/us.a.b": row(litellm_provider="gemini"), "eu.a.b": row()}
    catalog = write_map(tmp_path, rows)

    assert catalog.prefixed_ids("bedrock", "a.b") == ("eu.a.b",)
    assert catalog.prefixed_ids("gemini", "a.b") == ()
    assert catalog.find("gemini", "a.b") is None


def test_a_price_for_cached_input_means_caching() -> None:
    kimi = BUNDLED.find_model("moonshot/kimi-k2.5")

    assert (kimi.caching, kimi.cached_cost) == (True, 1e-07)
    assert BUNDLED.find_model("bedrock/anthropic.claude-haiku-5-5").caching
    assert not BUNDLED.find_model("bedrock/qwen.qwen3-next-80b-a3b").caching


def test_numbers_the_map_does_not_have_are_zero(tmp_path: Path) -> None:
    catalog = write_map(tmp_path, {"a.b": row(None, None), "a.c": row(None, None, max_tokens=7)})

    assert catalog.find_model("bedrock/a.b").max_output_tokens == 0
    assert catalog.find_model("bedrock/a.c").max_output_tokens == 7


def test_a_profiles_name_of_a_model_is_found_or_refused() -> None:
    assert BUNDLED.find_model("bedrock/zai.glm-5", "us-east-1").id == "zai.glm-5"
    with pytest.raises(LookupError, match=r"no chat model named 'bedrock/nope'"):
        BUNDLED.find_model("bedrock/nope")


@pytest.mark.parametrize(
    ("name", "window", "cap", "input_cost", "tools"),
    [
        ("openai/gpt-5", 272000, 128000, 1.25e-06, True),
        ("openai/gpt-5-codex", 272000, 128000, 1.25e-06, True),  # it supports only `responses`
        ("gemini/gemini-3.5-flash", 1048576, 65536, 1.5e-06, True),
        ("deepseek/deepseek-chat", 131072, 8192, 2.8e-07, True),
        ("moonshot/kimi-k2.5", 262144, 262144, 6e-07, True),
        ("zai/glm-5", 200000, 128000, 1e-06, True),
        ("azure/gpt-5", 272000, 128000, 1.25e-06, True),
        ("amazon_nova/nova-lite-v1", 300000, 10000, 6e-08, True),  # `amazon-nova/` in the map
        ("vertex_ai/gemini-2.5-pro", 1048576, 65535, 1.25e-06, True),  # without `vertex_ai/` there
        ("vertex_ai/claude-haiku-4-5", 200000, 64000, 1e-06, True),
        ("vertex_ai/qwen/qwen3-coder-480b-a35b-instruct-maas", 262144, 32768, 2.2e-07, True),
        ("ollama/llama3.1", 8192, 8192, 0.0, True),
        ("ollama_chat/llama3.1", 8192, 8192, 0.0, True),
        ("groq/llama-guard-3-8b", 8192, 8192, 2e-07, False),
        ("dashscope/qwen-flash", 997952, 32768, 5e-08, True),  # its price has only tiers
        ("bedrock/moonshotai.kimi-k2-thinking", 262144, 16000, 6e-07, True),  # `bedrock/` there
    ],
)
def test_known_models_of_every_kind_of_row_are_as_the_map_has_them(
    name: str, window: int, cap: int, input_cost: float, tools: bool
) -> None:
    model = BUNDLED.find_model(name)

    assert (model.name, model.tools, model.input_cost) == (name, tools, input_cost)
    assert (model.max_input_tokens, model.max_output_tokens) == (window, cap)


@pytest.mark.slow
def test_every_model_is_found_under_its_name_and_makes_sense() -> None:
    models = list(BUNDLED.models())

    assert len(models) > 2500
    assert [(model.provider, model.id) for model in models] == sorted(
        (model.provider, model.id) for model in models
    )
    for model in models:
        assert BUNDLED.find(model.provider, model.id) == model
        assert model.id == model.id.strip("/")
        assert model.provider in known_providers()
        assert min(model.max_input_tokens, model.max_output_tokens) >= 0
        assert not model.deprecation_date or datetime.date.fromisoformat(model.deprecation_date)


def test_the_models_of_one_provider_are_listed_under_the_name_that_was_asked_for() -> None:
    ours = [model.id for model in BUNDLED.models("ollama")]

    assert "llama3.1" in ours
    assert [model.name for model in BUNDLED.models("ollama_chat")] == [
        f"ollama_chat/{one}" for one in ours
    ]
    assert list(BUNDLED.models("openrouter")) == []


def test_anthropics_own_models_are_written_without_a_provider() -> None:
    assert BUNDLED.find_model("anthropic/claude-haiku-4-5").name == "claude-haiku-4-5"


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("bedrock/anthropic.claude-haiku-5-5", (PriceStep(100_000, 5e-07, 2.5e-06),)),
        ("dashscope/qwen-flash", (PriceStep(256_000, 2.5e-07, 2e-06),)),
        ("openai/gpt-5", ()),
    ],
)
def test_prices_that_depend_on_the_prompts_size_are_known(
    name: str, steps: tuple[PriceStep, ...]
) -> None:
    assert BUNDLED.find_model(name).steps == steps


def test_azures_data_zones_are_regions_of_a_model_and_no_models() -> None:
    assert BUNDLED.find("azure", "eu/gpt-5") is None
    assert {"eu", "us"} <= set(BUNDLED.find_model("azure/gpt-5").regions)
    assert BUNDLED.find_model("azure/gpt-5", "eu").input_cost == pytest.approx(1.375e-06)


ARN = "arn:aws:bedrock:us-east-1:123456789012"


@pytest.mark.parametrize(
    ("arn", "model_id"),
    [
        (f"{ARN}:inference-profile/us.anthropic.claude-haiku-5-5", "us.anthropic.claude-haiku-5-5"),
        (f"{ARN}:inference-profile/us.zai.glm-5.3", "us.zai.glm-5.3"),
        ("arn:aws:bedrock:us-east-1::foundation-model/zai.glm-5", "zai.glm-5"),
    ],
)
def test_an_arn_that_names_a_model_is_that_model(arn: str, model_id: str) -> None:
    model = BUNDLED.find("bedrock", arn)

    assert model is not None
    assert model == BUNDLED.find("bedrock", model_id, "us-east-1")


@pytest.mark.parametrize(
    "arn",
    [
        f"{ARN}:application-inference-profile/abc123",
        f"{ARN}:provisioned-model/zai.glm-5",
        f"{ARN}:inference-profile/not.listed",
        "arn:aws:s3:::zai.glm-5",
        "arn:",
    ],
)
def test_an_arn_that_names_no_known_model_is_unknown(arn: str) -> None:
    assert BUNDLED.find("bedrock", arn, "us-east-1") is None


def test_the_region_that_is_asked_for_counts_more_than_the_arns() -> None:
    arn = f"{ARN}:foundation-model/qwen.qwen3-next-80b-a3b"

    london = BUNDLED.find("bedrock", arn, "eu-west-2")
    own = BUNDLED.find("bedrock", arn.replace("us-east-1", "eu-west-2"))

    assert read_arn(arn) == ("us-east-1", "qwen.qwen3-next-80b-a3b")
    assert london is not None
    assert london.input_cost == 2.3e-07
    assert own == london


IDS = ("apac.a.b", "au.a.b", "eu.a.b", "global.a.b", "us.a.b")


@pytest.mark.parametrize(
    ("region", "ids", "chosen"),
    [
        ("us-west-2", IDS, "us.a.b"),
        ("us-gov-west-1", IDS, "global.a.b"),
        ("eu-central-1", IDS, "eu.a.b"),
        ("ap-southeast-2", IDS, "au.a.b"),
        ("ap-northeast-1", IDS, "apac.a.b"),
        ("ap-east-1", IDS, "apac.a.b"),
        ("sa-east-1", IDS, "global.a.b"),
        ("eu-west-1", ("us.a.b",), ""),
        ("", (), ""),
    ],
)
def test_a_regions_own_prefix_is_chosen_before_the_global_one(
    region: str, ids: tuple[str, ...], chosen: str
) -> None:
    assert choose_id(ids, region) == chosen


def test_every_prefix_of_a_region_is_one_that_the_map_has() -> None:
    used = {model.id.split(".")[0] for model in BUNDLED.models("bedrock")}

    assert {prefix for region in known_regions() for prefix in prefixes_of(region)} <= used


# --- providers


# --- nearest


@pytest.mark.parametrize(
    ("provider", "name", "nearest"),
    [
        ("bedrock", "qwen.qwen3-next-80b-a3", "qwen.qwen3-next-80b-a3b"),
        ("bedrock", "qwen3-next-80b-a3b", "qwen.qwen3-next-80b-a3b"),
        ("bedrock", "qwen.qwen3-nxt-80b-a3b", "qwen.qwen3-next-80b-a3b"),
        ("bedrock", "kimi-k2.5", "moonshotai.kimi-k2.5"),
        ("bedrock", "gpt-oss-120b", "openai.gpt-oss-120b-1:0"),
        ("bedrock", "qwen3 coder", "qwen.qwen3-coder-next"),
        ("bedrock", "Qwen3 codr", "qwen.qwen3-coder-next"),
        ("openai", "gpt5 codex", "gpt-5-codex"),
        ("openai", "gpt-5-mni", "gpt-5-mini"),
        ("ollama_chat", "lama3", "llama3"),
        ("bedrock", "mav 17b", "meta.llama4-maverick-17b-instruct-v1:0"),
        ("groq", "gptoss120b", "openai/gpt-oss-120b"),
        ("together_ai", "qwen3-coder", "Qwen/Qwen3-Coder-Next-FP8"),
    ],
)
def test_the_nearest_model_comes_first(provider: str, name: str, nearest: str) -> None:
    assert BUNDLED.nearest(name, provider=provider)[0] == nearest


def test_what_holds_the_text_is_nearer_than_what_holds_its_words() -> None:
    near = BUNDLED.nearest("GLM-5", provider="zai")

    assert near[0] == "glm-5"
    assert all(one.startswith("glm-5") for one in near)


def test_nothing_is_near_nonsense() -> None:
    assert BUNDLED.nearest("zzzzzzzzzz") == ()
    assert BUNDLED.nearest("") == ()
    assert BUNDLED.nearest("-./") == ()
    assert BUNDLED.nearest("gpt-5", provider="nobody") == ()


@given(st.text(max_size=40))
def test_whatever_is_asked_for_at_most_three_known_ids_are_near(name: str) -> None:
    near = BUNDLED.nearest(name, provider="zai")

    assert len(set(near)) == len(near) <= 3
    assert all(BUNDLED.find("zai", one) for one in near)


@given(st.sampled_from(["bedrock", "openai", "azure", ""]), st.text(max_size=40), st.text())
def test_whatever_is_looked_up_is_a_model_or_none(provider: str, name: str, region: str) -> None:
    model = BUNDLED.find(provider, name, region)

    assert model is None or model.provider == provider


# --- reading


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file"), (b"{", "Expecting"), (b"[]", "not a table"), (b"\xff", "utf")],
)
def test_a_map_that_cannot_be_read_is_a_clear_error(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    path = tmp_path / "map.json"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CatalogMissing) as caught:
        Catalog.load(path)

    assert caught.value.message.startswith(f"cannot read LiteLLM's model map: {path}: ")
    assert why in caught.value.message
    assert caught.value.hint == "reinstall openclaude"


def test_the_map_is_read_at_the_first_look_up(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "absent.json")

    with pytest.raises(CatalogMissing):
        catalog.find("bedrock", "x")


@pytest.mark.reaches_out
def test_reading_the_bundled_map_is_little_work_and_imports_no_litellm() -> None:
    script = (
        "import sys\n"
        "from openclaude.models.catalog import Catalog\n"
        "from openclaude.providers.regions import known_regions\n"
        "from tests.unit.work import count_calls\n"
        "def read():\n"
        "    Catalog.load(Catalog.bundled().path).find('bedrock', 'zai.glm-5')\n"
        "    known_regions()\n"
        "calls = count_calls(read)\n"
        "assert calls < 90_000, calls\n"
        "assert not {'litellm', 'botocore', 'pydantic'} & set(sys.modules)\n"
    )

    subprocess.run([sys.executable, "-c", script], check=True, cwd=REPOSITORY)


def test_a_look_up_is_little_work() -> None:
    BUNDLED.find("bedrock", "zai.glm-5")  # reads the map

    def look_up() -> None:
        BUNDLED.nearest("qwen.qwen4-next")
        BUNDLED.find("bedrock", "zai.glm-5.3", "us-east-1")

    assert count_calls(look_up) < 50_000


def test_regions_are_botocores_without_the_pseudo_ones() -> None:
    regions = known_regions()

    assert {"us-east-1", "us-west-2", "eu-central-1", "us-gov-west-1", "cn-north-1"} <= set(regions)
    assert not [name for name in regions if "global" in name]


@pytest.mark.parametrize("content", [None, "{", "[]", '{"partitions": 5}', '{"partitions": [{}]}'])
def test_a_list_of_regions_that_cannot_be_read_is_a_clear_error(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "partitions.json"
    if content is not None:
        path.write_text(content)

    for read in (read_regions, read_bedrock_regions):
        with pytest.raises(RegionsMissing, match="cannot read botocore's regions"):
            read(path)


def test_the_regions_with_bedrock_are_some_of_all() -> None:
    regions = bedrock_regions()

    assert {"us-east-1", "us-west-2", "eu-central-1", "us-gov-west-1"} <= regions
    assert regions < set(known_regions())
    assert "cn-north-1" not in regions
