"""The catalogue, on the map bundled with LiteLLM and on small ones of our own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from openclaude.profile.catalog import Catalog, CatalogMissing, Model
from openclaude.profile.regions import RegionsMissing, known_regions, read_regions

BUNDLED = Catalog.bundled()


def write_map(folder: Path, rows: object) -> Catalog:
    """A catalogue of these rows."""
    path = folder / "map.json"
    path.write_text(json.dumps(rows))
    return Catalog.load(path)


def row(window: int | None = 100, cap: int | None = 10, **more: object) -> dict[str, object]:
    """A chat model's row on Bedrock."""
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
        # the regional row says 262144 and 8192 and has its own price
        ("qwen.qwen3-next-80b-a3b", "eu-west-2", 256000, 8000, 2.3e-07),
        ("qwen.qwen3-next-80b-a3b", None, 256000, 8000, 1.5e-07),
        ("deepseek.v3.2", "us-west-2", 163840, 8000, 6.2e-07),
        # its own row says 163840 output tokens, the bare model's 8000
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


def test_numbers_the_map_does_not_have_are_zero(tmp_path: Path) -> None:
    catalog = write_map(tmp_path, {"a.b": row(None, None), "a.c": row(None, None, max_tokens=7)})

    assert catalog.find_model("bedrock/a.b").max_output_tokens == 0
    assert catalog.find_model("bedrock/a.c").max_output_tokens == 7


def test_a_profiles_name_of_a_model_is_found_or_refused() -> None:
    assert BUNDLED.find_model("bedrock/zai.glm-5", "us-east-1").id == "zai.glm-5"
    with pytest.raises(LookupError, match=r"no chat model named 'bedrock/nope'"):
        BUNDLED.find_model("bedrock/nope")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("qwen.qwen3-next-80b-a3", "qwen.qwen3-next-80b-a3b"),
        ("qwen3-next-80b-a3b", "qwen.qwen3-next-80b-a3b"),
        ("kimi-k2.5", "moonshotai.kimi-k2.5"),
        ("gpt-oss-120b", "openai.gpt-oss-120b-1:0"),
    ],
)
def test_the_nearest_model_comes_first(name: str, nearest: str) -> None:
    assert BUNDLED.nearest(name)[0] == nearest
    assert len(BUNDLED.nearest(name)) <= 3


def test_nothing_is_near_nonsense() -> None:
    assert BUNDLED.nearest("zzzzzzzzzz") == ()
    assert BUNDLED.nearest("") == ()


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
def test_reading_the_bundled_map_is_quick_and_imports_no_litellm() -> None:
    script = (
        "import sys, time\n"
        "from openclaude.profile.catalog import Catalog\n"
        "from openclaude.profile.regions import known_regions\n"
        "start = time.process_time()\n"
        "Catalog.load(Catalog.bundled().path).find('bedrock', 'zai.glm-5')\n"
        "known_regions()\n"
        "assert time.process_time() - start < 0.3\n"
        "assert not {'litellm', 'botocore', 'pydantic'} & set(sys.modules)\n"
    )

    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_look_up_is_quick() -> None:
    start = time.process_time()
    BUNDLED.nearest("qwen.qwen4-next")
    BUNDLED.find("bedrock", "zai.glm-5.3", "us-east-1")

    assert time.process_time() - start < 0.3


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

    with pytest.raises(RegionsMissing, match="cannot read botocore's regions"):
        read_regions(path)
