"""`openclaude models`: what it finds, how it is displayed, and how much work it is."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaude.cli import main
from openclaude.commands.models.command import ModelQuery, NoModel, NoProvider, find_models, show
from openclaude.commands.models.text import HEADER, as_data, price
from openclaude.errors import OpenclaudeError
from openclaude.litellm_version import LITELLM_VERSION
from openclaude.models.catalog import Catalog, Model
from openclaude.models.readiness import is_tier_ready
from openclaude.providers.known import known_providers
from openclaude.terminal.screen import FILE
from tests.conftest import REPOSITORY

TODAY = datetime.date(2026, 11, 22)
BUNDLED = Catalog.bundled()
GOOD = {
    "litellm_provider": "bedrock_converse",
    "mode": "chat",
    "max_input_tokens": 256000,
    "max_output_tokens": 8000,
    "supports_function_calling": True,
    "input_cost_per_token": 1.5e-07,
    "output_cost_per_token": 1.2e-06,
}
LONG = "a-name-that-is-much-too-long-for-any-table-of-a-hundred-and-twenty-columns"
ROWS = {
    "qwen.coder": {**GOOD, "deprecation_date": "2027-03-30"},
    "us.qwen.coder": {**GOOD, "input_cost_per_token": 2e-07},
    "bedrock/eu-west-2/qwen.coder": {**GOOD, "litellm_provider": "bedrock"},
    "gemini/flash": {
        **GOOD,
        "litellm_provider": "gemini",
        "supports_vision": True,
        "supports_prompt_caching": True,
        "cache_read_input_token_cost": 1e-08,
        "input_cost_per_token_above_200k_tokens": 3e-07,
        "output_cost_per_token_above_200k_tokens": 2.4e-06,
    },
    "groq/bare": {"litellm_provider": "groq", "mode": "chat"},
    f"groq/{LONG}": {"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": 0},
}


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """A catalogue of six rows."""
    path = tmp_path / "map.json"
    path.write_text(json.dumps(ROWS))
    return Catalog(path)


def found(catalog: Catalog, *asked: object, today: datetime.date = TODAY) -> list[Model]:
    return find_models(catalog, ModelQuery(*asked), today).models  # type: ignore[arg-type]


def names(catalog: Catalog, *asked: object, today: datetime.date = TODAY) -> list[str]:
    return [model.name for model in found(catalog, *asked, today=today)]


def text(catalog: Catalog, *asked: object) -> str:
    models = found(catalog, *asked)
    # the golden files are about the table, whichever LiteLLM is installed
    return show(models, catalog, as_json=False).text.replace(LITELLM_VERSION, "VERSION")


# --- which


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("QWEN coder",), ["bedrock/qwen.coder", "bedrock/us.qwen.coder"]),
        (("coder us.",), ["bedrock/us.qwen.coder"]),
        (("bedrock/qwen.coder",), ["bedrock/qwen.coder"]),  # a full name means only that model
        (("", "groq"), [f"groq/{LONG}", "groq/bare"]),
        (("flash", "gemini"), ["gemini/flash"]),
        (
            ("", "", True),
            ["bedrock/qwen.coder", "bedrock/us.qwen.coder", "gemini/flash"],
        ),
    ],
)
def test_every_word_of_the_query_is_in_the_name(
    catalog: Catalog, asked: tuple[object, ...], found: list[str]
) -> None:
    assert names(catalog, *asked, today=datetime.date(2026, 9, 1)) == found


def test_without_a_query_every_model_is_there(catalog: Catalog) -> None:
    assert names(catalog) == [
        "bedrock/qwen.coder",
        "bedrock/us.qwen.coder",
        "gemini/flash",
        f"groq/{LONG}",
        "groq/bare",
    ]
    everything = find_models(BUNDLED, ModelQuery(retired=True), TODAY)
    assert (len(everything.models), everything.hidden) == (len(list(BUNDLED.models())), 0)


def test_a_whole_name_is_that_model_though_others_begin_with_it() -> None:
    assert names(BUNDLED, "openai/gpt-5") == ["openai/gpt-5"]
    assert names(BUNDLED, "anthropic/claude-haiku-4-5") == ["claude-haiku-4-5"]
    assert len(names(BUNDLED, "openai/ gpt-5")) > 1


@pytest.mark.parametrize(
    ("change", "ready"),
    [
        ({}, True),
        ({"supports_function_calling": False}, False),
        ({"max_input_tokens": 63999}, False),
        ({"max_input_tokens": 64000}, True),
        ({"max_output_tokens": None}, False),
        ({"deprecation_date": "2025-01-01"}, False),
        ({"deprecation_date": "2027-05-21"}, False),  # in 180 days
        ({"deprecation_date": "2027-05-22"}, True),
    ],
)
def test_what_claude_can_work_with_is_ready_for_a_tier(
    tmp_path: Path, change: dict[str, object], ready: bool
) -> None:
    (tmp_path / "map.json").write_text(json.dumps({"a.b": {**GOOD, **change}}))

    assert is_tier_ready(Catalog(tmp_path / "map.json").find_model("bedrock/a.b"), TODAY) is ready


def test_what_is_ready_of_the_bundled_map_is_a_part_of_it() -> None:
    ready = set(names(BUNDLED, "", "", True))

    assert "bedrock/qwen.qwen3-next-80b-a3b" in ready
    assert "groq/llama-guard-3-8b" not in ready
    assert len(ready) < len(list(BUNDLED.models()))


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        (
            ("qwem",),
            "no model is called `qwem` in LiteLLM's map",
            "did you mean `bedrock/qwen.coder` or `bedrock/us.qwen.coder`?",
        ),
        (
            ("zzzz", "groq"),
            "no model of `groq` is called `zzzz` in LiteLLM's map",
            "`openclaude models` lists them all",
        ),
        (
            ("groq", "", True),
            "no matching model is ready for a tier, which needs tools, a window of 64000 tokens, "
            "an output cap, and 180 days until it retires",
            f"without `--tier-ready`: `groq/{LONG}` and 1 more",
        ),
        (
            ("bare", "", True),
            "no matching model is ready for a tier, which needs tools, a window of 64000 tokens, "
            "an output cap, and 180 days until it retires",
            "without `--tier-ready`: `groq/bare`",
        ),
    ],
)
def test_nothing_found_is_a_no_with_what_comes_nearest(
    catalog: Catalog, asked: tuple[object, ...], message: str, hint: str
) -> None:
    with pytest.raises(NoModel) as caught:
        names(catalog, *asked)

    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert caught.value.exit_code == 1


def test_a_provider_without_a_row_is_a_no_that_says_how_to_use_it() -> None:
    with pytest.raises(NoModel) as caught:
        names(BUNDLED, "", "openrouter")

    assert caught.value.message == "LiteLLM's map has no models of `openrouter`"
    assert "`context_window` and `max_output_tokens`" in caught.value.hint


def test_an_unknown_provider_is_a_usage_error_with_the_known_ones(catalog: Catalog) -> None:
    with pytest.raises(NoProvider) as caught:
        names(catalog, "", "bedrok")

    assert caught.value.message == "no provider named `bedrok`"
    everyone = ", ".join(known_providers())
    assert caught.value.hint == f"did you mean `bedrock`? providers: {everyone}"
    assert caught.value.exit_code == 2


# --- what they look like


def test_several_models_are_a_table(catalog: Catalog, golden: Callable[[str, str], None]) -> None:
    golden("models.several.txt", text(catalog))


def test_one_model_is_shown_in_full(catalog: Catalog, golden: Callable[[str, str], None]) -> None:
    golden("models.one.txt", text(catalog, "bedrock/qwen.coder"))


def test_prices_that_depend_on_the_prompt_are_spelled_out_for_one_model(catalog: Catalog) -> None:
    shown = text(catalog, "flash")

    assert "  prompts > 200000     input 0.3, output 2.4\n" in shown
    assert "  input from cache     0.01\n" in shown
    assert "REGION" not in shown


@pytest.mark.parametrize(
    ("cost", "shown"),
    [
        (None, "-"),
        (0, "0"),
        (1.5e-07, "0.15"),
        (1.545e-07, "0.1545"),
        (1.000006e-05, "10"),
        (3e-06, "3"),
        (6e-04, "600"),
        (1e-11, "0.00001"),
    ],
)
def test_a_price_is_what_a_million_tokens_cost(cost: float | None, shown: str) -> None:
    assert price(cost) == shown


def test_a_model_without_numbers_says_which_keys_its_tier_needs(catalog: Catalog) -> None:
    shown = text(catalog, "groq/bare")

    assert (
        "  # the map has no `context_window` or `max_output_tokens`: set it under [tiers.haiku]\n"
    ) in shown


def test_the_bare_id_is_among_the_others_of_a_prefixed_one(catalog: Catalog) -> None:
    assert "\nbedrock/qwen.coder  0.15  1.2  256000  8000\n" in text(catalog, "us.qwen.coder")


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_table_of_the_bundled_map_fits_the_screen(width: int) -> None:
    models = found(BUNDLED, "", "bedrock")
    shown = show(models, BUNDLED, as_json=False, screen=FILE._replace(width=width)).text

    assert max(map(len, shown.splitlines())) <= width
    letters = "".join(shown.split())
    assert width < 200 or all(model.name in letters for model in models)
    assert all(title in shown for title in HEADER)


# --- retired ones, and what suits a tier

RETIRED = {
    "groq/old-one": {**GOOD, "litellm_provider": "groq", "deprecation_date": "2026-11-21"},
    "groq/last-day": {**GOOD, "litellm_provider": "groq", "deprecation_date": "2026-11-22"},
    "xai/gone": {**GOOD, "litellm_provider": "xai", "deprecation_date": "2020-01-01"},
    "openai/small": {**GOOD, "litellm_provider": "openai", "input_cost_per_token": 1e-8},
    "openai/free": {
        **GOOD,
        **{"litellm_provider": "openai", "input_cost_per_token": 0, "output_cost_per_token": 0},
    },
    "openai/able": {
        **{**GOOD, "litellm_provider": "openai", "input_cost_per_token": 1e-6},
        **{"supports_reasoning": True, "supports_vision": True, "supports_prompt_caching": True},
    },
    "openai/no-tools": {**GOOD, "litellm_provider": "openai", "supports_function_calling": False},
}


@pytest.fixture
def ageing(tmp_path: Path) -> Catalog:
    """A catalogue of which some models have been retired."""
    path = tmp_path / "map.json"
    path.write_text(json.dumps(RETIRED))
    return Catalog(path)


def test_retired_models_are_hidden_and_counted(ageing: Catalog) -> None:
    shown = find_models(ageing, ModelQuery("", "groq"), TODAY)

    assert ([model.name for model in shown.models], shown.hidden) == (["groq/last-day"], 1)
    assert names(ageing, "", "groq", False, "", True) == ["groq/last-day", "groq/old-one"]


def test_a_retired_model_is_shown_by_its_whole_name(ageing: Catalog) -> None:
    assert names(ageing, "groq/old-one") == ["groq/old-one"]


def test_where_only_retired_models_match_the_error_says_so(ageing: Catalog) -> None:
    with pytest.raises(NoModel) as caught:
        names(ageing, "gon")

    assert caught.value.message == "every model that matches `gon` has been retired"
    assert caught.value.hint == "`--all` shows them too: `xai/gone`"


def test_for_small_jobs_the_cheapest_comes_first(ageing: Catalog) -> None:
    assert names(ageing, "openai", "", False, "haiku") == [
        *("openai/small", "openai/able", "openai/free"),
    ]


@pytest.mark.parametrize("tier", ["opus", "sonnet", "fable"])
def test_for_the_main_work_the_ablest_comes_first(ageing: Catalog, tier: str) -> None:
    assert names(ageing, "openai", "", False, tier) == [
        *("openai/able", "openai/small", "openai/free"),
    ]


def test_what_suits_no_tier_is_named_with_the_option_that_hides_it(ageing: Catalog) -> None:
    with pytest.raises(NoModel) as caught:
        names(ageing, "no-tools", "", False, "haiku")

    assert caught.value.hint == "without `--for`: `openai/no-tools`"


def test_as_json_a_model_has_everything(catalog: Catalog) -> None:
    data = show(found(catalog, "coder"), catalog, as_json=True).data

    assert data["map"] == {"litellm": LITELLM_VERSION, "path": str(catalog.path)}
    models = data["models"]
    assert isinstance(models, list)
    assert models[0] == {
        "name": "bedrock/qwen.coder",
        "provider": "bedrock",
        "id": "qwen.coder",
        "input_usd_per_million": 0.15,
        "output_usd_per_million": 1.2,
        "window": 256000,
        "output_cap": 8000,
        "cached_input_usd_per_million": None,
        "long_prompts": [],
        "tools": True,
        "vision": False,
        "pdf": False,
        "reasoning": False,
        "caching": False,
        "structured_output": False,
        "retires": "2027-03-30",
        "regions": {
            "eu-west-2": {
                "input_usd_per_million": 0.15,
                "output_usd_per_million": 1.2,
                "window": 256000,
                "output_cap": 8000,
            }
        },
        "other_ids": ["bedrock/us.qwen.coder"],
    }


def test_an_id_that_is_not_listed_is_not_among_the_others() -> None:
    (model,) = found(BUNDLED, "bedrock/us.zai.glm-5.3")

    assert as_data(model, BUNDLED)["other_ids"] == ["bedrock/global.zai.glm-5.3"]


@pytest.mark.slow
def test_all_of_the_bundled_map_can_be_shown_either_way() -> None:
    models = found(BUNDLED)

    table = show(models, BUNDLED, as_json=False).text.splitlines()
    data = json.loads(json.dumps(dict(show(models, BUNDLED, as_json=True).data)))

    assert [line.split()[0] for line in table[1:-2]] == [model.name for model in models]
    assert [model["name"] for model in data["models"]] == [model.name for model in models]
    for model in models:
        assert model.name in show([model], BUNDLED, as_json=False).text


# --- the word


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["qwen3-next", "bedrock"], 0),
        (["zzzzzz"], 1),
        (["--provider", "bedrok"], 2),
        (["--colour"], 2),
    ],
)
def test_the_word_ends_with_the_answer(
    capsys: pytest.CaptureFixture[str], arguments: list[str], exit_code: int
) -> None:
    assert main(["models", *arguments]) == exit_code
    assert main(["models", *arguments, "--json"]) == exit_code

    out, err = capsys.readouterr()
    answer = json.loads(out[out.index("{") :])
    assert answer["exit_code"] == exit_code
    assert bool(answer["errors"]) is bool(err) is (exit_code != 0)


def test_every_error_has_a_code_of_its_own() -> None:
    assert len({error.code for error in (NoModel, NoProvider, OpenclaudeError)}) == 3


@pytest.mark.slow
@pytest.mark.reaches_out
def test_the_answer_is_little_work_and_imports_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from openclaude.cli import main\n"
        "from tests.unit.work import count_calls\n"
        "calls = count_calls(lambda: main(['models']))\n"
        "heavy = {'litellm', 'pydantic', 'tomlkit', 'botocore', 'difflib', 'importlib.metadata'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert calls < 800_000, calls\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(REPOSITORY), "HOME": str(tmp_path), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("MODEL ")
