"""Warnings: what in a valid profile deserves one."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from openclaude.diagnostics import Location
from openclaude.profile.library import Library
from openclaude.profile.validate.warnings import find_warnings

TODAY = datetime.date(2026, 11, 22)
AWS = '[aws]\nprofile = "p"\nregion = "us-west-2"\n'


def warnings(folder: Path, tier: str, today: datetime.date = TODAY) -> list[str]:
    """The warnings of a profile with this haiku tier, without the file's path."""
    path = folder / "x.toml"
    path.write_text(f"schema = 1\n[tiers.haiku]\n{tier}\n{AWS}")
    library = Library(folder, folder)
    found = find_warnings(library.load("x", env={}), library.catalog, today)
    return [str(warning).removeprefix(f"{path}:") for warning in found]


QWEN = "bedrock/qwen.qwen3-next-80b-a3b"
NO_TOOLS = "LiteLLM's map lists no tool support for this model, but claude needs tools"
SMALL = "claude's instructions and tools fill this window quickly"
UNKNOWN = "LiteLLM's map does not list this model: it may not support tools, which claude needs"
PREFIX = "AWS usually offers this model only under an id with a prefix"
ANYWHERE = "requests to a `global.` id may be served in any AWS region"
RETIRED = "will be retired on 2027-03-30 (LiteLLM's map)"
LLAMA = "meta.llama4-maverick-17b-instruct-v1:0"
LIMITS = "context_window = 200000\nmax_output_tokens = 8000"
ARN = "bedrock/arn:aws:bedrock:us-west-2:123456789012"


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        ('model = "bedrock/qwen.qwen3-next-80b-a3b"', []),
        ('model = "claude"', []),
        (
            'model = "bedrock/mistral.voxtral-mini-3b-2507"',
            [
                f"3: tiers.haiku.model: {NO_TOOLS}",
                f"3: tiers.haiku.model: {RETIRED}",
                f"3: tiers.haiku.context_window: 32768 tokens: {SMALL}",
            ],
        ),
        (
            'model = "bedrock/qwen.qwen3-next-80b-a3b"\ncontext_window = 63999',
            [f"4: tiers.haiku.context_window: 63999 tokens: {SMALL}"],
        ),
        ('model = "bedrock/qwen.qwen3-next-80b-a3b"\ncontext_window = 64000', []),
        (
            'model = "bedrock/qwen.qwen3-next-80b-a3b"\nvision = true\ncontext_window = 262144',
            [
                "4: tiers.haiku.vision: according to LiteLLM's map, this model cannot read images",
                "5: tiers.haiku.context_window: 262144 is more than the 256000 tokens in LiteLLM's "
                "map",
            ],
        ),
    ],
)
def test_a_tier_that_will_disappoint_is_warned_of(
    tmp_path: Path, tier: str, expected: list[str]
) -> None:
    assert warnings(tmp_path, tier) == expected


@pytest.mark.parametrize(
    ("model", "region", "expected"),
    [
        ("zai.glm-5.3", "us-west-2", [f"{PREFIX}: in us-west-2, use `bedrock/us.zai.glm-5.3`"]),
        (
            "zai.glm-5.3",
            "eu-west-1",
            [
                f"{PREFIX}: in eu-west-1, use `bedrock/global.zai.glm-5.3`, which may be served "
                "in any AWS region"
            ],
        ),
        (LLAMA, "us-east-1", [f"{PREFIX}: in us-east-1, use `bedrock/us.{LLAMA}`", RETIRED]),
        (
            LLAMA,
            "eu-west-1",
            [f"{PREFIX}: `bedrock/us.{LLAMA}`, but none works in eu-west-1", RETIRED],
        ),
        (
            "anthropic.claude-haiku-5-5",
            "ap-northeast-1",
            [f"{PREFIX}: in ap-northeast-1, use `bedrock/jp.anthropic.claude-haiku-5-5`"],
        ),
        ("us.zai.glm-5.3", "us-west-2", []),
        (
            "us.anthropic.claude-haiku-5-5",
            "eu-west-1",
            [
                "`us.` ids do not work in eu-west-1: in eu-west-1, use "
                "`bedrock/eu.anthropic.claude-haiku-5-5`"
            ],
        ),
        (
            "eu.deepseek.v3.2",
            "us-west-2",
            ["`eu.` ids do not work in us-west-2: in us-west-2, use `bedrock/us.deepseek.v3.2`"],
        ),
        ("us.zai.glm-5.3", "ca-central-1", []),  # only AWS knows which prefixes are for Canada
        ("global.zai.glm-5.3", "us-west-2", [ANYWHERE]),
        ("deepseek.v3.2", "us-west-2", []),  # offered both ways
    ],
)
def test_an_id_is_judged_by_the_region_it_is_used_in(
    tmp_path: Path, model: str, region: str, expected: list[str]
) -> None:
    found = warnings(tmp_path, f'model = "bedrock/{model}"\nregion = "{region}"')

    assert found == [f"3: tiers.haiku.model: {one}" for one in expected]


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (f"{ARN}:inference-profile/us.anthropic.claude-haiku-5-5", []),
        (f"{ARN}:inference-profile/global.anthropic.claude-haiku-5-5", [ANYWHERE]),
        (
            f"{ARN}:inference-profile/us.zai.glm-5.3",
            ["LiteLLM assumes that an ARN is a Claude model: use `bedrock/us.zai.glm-5.3`"],
        ),
        (
            f"{ARN}:application-inference-profile/abc123",
            ["LiteLLM assumes that this ARN is a Claude model: requests to any other model fail"],
        ),
        (
            f"{ARN.replace('us-west-2', 'us-east-1')}:inference-profile/"
            "us.anthropic.claude-haiku-5-5",
            ["the ARN is in us-east-1, but requests go to us-west-2"],
        ),
        ("bedrock/arn:aws:bedrock:::foundation-model/anthropic.claude-haiku-5-5", []),
        ("bedrock/arn:aws:s3:::bucket/key", ["this is not the ARN of a Bedrock model"]),
    ],
)
def test_an_arn_is_for_claude_in_its_own_region(
    tmp_path: Path, arn: str, expected: list[str]
) -> None:
    found = warnings(tmp_path, f'model = "{arn}"\n{LIMITS}')

    assert found == [f"3: tiers.haiku.model: {one}" for one in expected]


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        ('model = "openrouter/qwen/qwen3-coder"', [UNKNOWN]),
        ('model = "openai/gpt-99"', [UNKNOWN]),
        ('model = "openai/own"\napi_base = "https://example.com/v1"\napi_key = "env:K"', []),
        ('model = "ollama_chat/qwen3-coder"', []),
        ('model = "openai/nobody"\nparams = { mock_response = "hello" }', []),
    ],
)
def test_nothing_is_known_of_a_model_that_is_not_in_the_map_unless_it_is_the_users_own(
    tmp_path: Path, tier: str, expected: list[str]
) -> None:
    found = warnings(tmp_path, f"{tier}\n{LIMITS}")

    assert found == [f"3: tiers.haiku.model: {one}" for one in expected]


OWN_WINDOW = (
    "openclaude cannot set the window of this server: start it with 200000 tokens or more, or write"
    " its own here"
)
CUTS = (
    "Ollama takes no window at this address and cuts prompts at its own, often 4096 tokens, without"
    " an error; write `ollama_chat/MODEL`"
)


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        ('model = "hosted_vllm/x"\napi_base = "http://127.0.0.1:8000/v1"', OWN_WINDOW),
        ('model = "lm_studio/x"\napi_base = "http://127.0.0.1:1234/v1"', OWN_WINDOW),
        ('model = "openai/own"\napi_base = "http://localhost:8080/v1"', OWN_WINDOW),
        ('model = "openai/own"\napi_base = "http://127.0.0.1:11434/v1"', CUTS),
        ('model = "ollama_chat/x"\napi_base = "http://127.0.0.1:11434"', ""),
        ('model = "openai/own"\napi_base = "https://example.com/v1"', ""),
    ],
)
def test_a_window_that_cannot_be_set_is_the_users_to_set(
    tmp_path: Path, tier: str, expected: str
) -> None:
    found = warnings(tmp_path, f'{tier}\napi_key = "env:K"\n{LIMITS}')

    assert found == ([f"6: tiers.haiku.context_window: {expected}"] if expected else [])


def test_the_window_of_a_local_model_is_what_its_user_gave_it(tmp_path: Path) -> None:
    tier = 'model = "ollama_chat/llama3.1"\ncontext_window = {}'

    assert warnings(tmp_path, tier.format(131072)) == []
    assert warnings(tmp_path, tier.format(32768)) == [
        f"4: tiers.haiku.context_window: 32768 tokens: {SMALL}"
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bedrock/us-east-1/moonshotai.kimi-k2.5", []),
        (
            "bedrock/openai.gpt-oss-120b-1:0",
            [
                "its window is 128000 tokens, but conversations of this tier can have 256000",
            ],
        ),
        (
            "groq/llama-guard-3-8b",
            [
                NO_TOOLS,
                "was due to be retired on 2025-06-06 (LiteLLM's map)",
                f"8192 tokens: {SMALL}",
                "its window is 8192 tokens, but conversations of this tier can have 256000",
            ],
        ),
        (
            "bedrock/eu-west-1/zai.glm-5.3",
            [
                f"{PREFIX}: in eu-west-1, use `bedrock/global.zai.glm-5.3`"
                ", which may be served in any AWS region"
            ],
        ),
    ],
)
def test_a_fallback_is_judged_like_a_tiers_model_and_against_its_window(
    tmp_path: Path, name: str, expected: list[str]
) -> None:
    tier = f'model = "bedrock/qwen.qwen3-next-80b-a3b"\nfallbacks = ["{name}"]'

    found = warnings(tmp_path, tier)

    assert found == [f"4: tiers.haiku.fallbacks: `{name}`: {one}" for one in expected]


def test_a_fallback_on_the_users_own_server_is_the_users_own_too(tmp_path: Path) -> None:
    own = 'api_base = "https://models.example.com/v1"\napi_key = "env:K"'
    tier = f'model = "openai/a"\nfallbacks = ["openai/b"]\n{LIMITS}\n{own}'

    assert warnings(tmp_path, tier) == []


def test_a_local_fallback_has_the_window_its_user_gave_it(tmp_path: Path) -> None:
    tier = f'model = "ollama_chat/qwen3-coder"\nfallbacks = ["ollama_chat/llama3.1"]\n{LIMITS}'

    assert warnings(tmp_path, tier) == []


def test_nothing_is_known_of_a_fallback_that_is_not_in_the_map(tmp_path: Path) -> None:
    tier = f'model = "openrouter/a/b"\nfallbacks = ["openrouter/c/d"]\n{LIMITS}'

    assert warnings(tmp_path, tier) == [
        f"3: tiers.haiku.model: {UNKNOWN}",
        f"4: tiers.haiku.fallbacks: `openrouter/c/d`: {UNKNOWN}",
    ]


def test_what_a_tier_says_of_its_model_holds_for_no_other_providers(tmp_path: Path) -> None:
    name = "bedrock/openai.gpt-oss-120b-1:0"
    own = 'model = "openai/x"\nparams = { mock_response = "hello" }'

    assert warnings(tmp_path, f'{own}\nfallbacks = ["openai/y"]\n{LIMITS}') == []
    assert warnings(tmp_path, f'{own}\nfallbacks = ["{name}"]\n{LIMITS}') == [
        f"5: tiers.haiku.fallbacks: `{name}`: its window is 128000 tokens, but conversations of "
        "this tier can have 200000"
    ]


def test_the_model_of_a_reached_limit_is_used_in_the_region_of_the_profile(tmp_path: Path) -> None:
    on_limit = '[anthropic]\non_limit = "bedrock/{}eu.deepseek.v3.2"'
    tier = f'model = "claude"\n{on_limit}'

    assert warnings(tmp_path, tier.format("eu-west-1/")) == []
    assert warnings(tmp_path, tier.format("")) == [
        "5: anthropic.on_limit: `eu.` ids do not work in us-west-2: in us-west-2, use "
        "`bedrock/us.deepseek.v3.2`"
    ]


def test_a_region_without_bedrock_is_warned_of_wherever_it_is_used(tmp_path: Path) -> None:
    nowhere = "cn-north-1 has no Bedrock, as far as botocore"
    asks = "`openclaude doctor --online` asks AWS"
    tier = f'model = "{QWEN}"\nregion = "cn-north-1"'

    own = warnings(tmp_path, tier)
    fallback = f'model = "{QWEN}"\nfallbacks = ["bedrock/ap-east-1/zai.glm-5"]'
    (second,) = (one for one in warnings(tmp_path, fallback) if "has no Bedrock" in one)

    assert own[0].startswith(f"3: tiers.haiku.model: {nowhere}")
    assert own[0].endswith(asks)
    assert second.startswith("4: tiers.haiku.fallbacks: `bedrock/ap-east-1/zai.glm-5`: ap-east-1")
    assert warnings(tmp_path, f'model = "{QWEN}"\nregion = "eu-west-1"') == []


def test_the_model_that_judges_needs_neither_tools_nor_a_large_window(tmp_path: Path) -> None:
    server = 'api_base = "https://models.example.com/v1"\napi_key = "env:K"'
    own = f'model = "openai/a"\n{LIMITS}\n{server}'
    judged = own + '\n[auto_mode]\nclassifier = "bedrock/{}"'

    assert warnings(tmp_path, judged.format("mistral.voxtral-mini-3b-2507")) == [
        f"9: auto_mode.classifier: {RETIRED}"
    ]
    assert warnings(tmp_path, judged.format("eu.deepseek.v3.2")) == [
        "9: auto_mode.classifier: `eu.` ids do not work in us-west-2: in us-west-2, use "
        "`bedrock/us.deepseek.v3.2`"
    ]


def test_what_a_tier_says_of_the_model_of_a_reached_limit_holds(tmp_path: Path) -> None:
    own = 'api_base = "https://models.example.com/v1"\napi_key = "env:K"'
    tier = f'model = "openai/a"\n{LIMITS}\n{own}\n[anthropic]\non_limit = "openai/{{}}"'

    assert warnings(tmp_path, tier.format("a")) == []
    assert warnings(tmp_path, tier.format("gpt-5").replace("200000", "272000")) == []
    assert warnings(tmp_path, tier.format("a").replace("200000", "32000")) == [
        f"4: tiers.haiku.context_window: 32000 tokens: {SMALL}",
        f"9: anthropic.on_limit: 32000 tokens: {SMALL}",
    ]


def test_the_model_of_a_reached_limit_is_judged_like_any_other(tmp_path: Path) -> None:
    on_limit = '[anthropic]\non_limit = "bedrock/mistral.voxtral-mini-3b-2507"'

    assert warnings(tmp_path, f'model = "claude"\n{on_limit}') == [
        f"5: anthropic.on_limit: {NO_TOOLS}",
        f"5: anthropic.on_limit: {RETIRED}",
        f"5: anthropic.on_limit: 32768 tokens: {SMALL}",
    ]


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (datetime.date(2026, 10, 1), True),  # 180 days before
        (datetime.date(2026, 9, 30), False),
        (datetime.date(2027, 3, 30), True),
    ],
)
def test_the_end_of_a_model_is_announced_half_a_year_before(
    tmp_path: Path, today: datetime.date, said: bool
) -> None:
    found = warnings(tmp_path, 'model = "bedrock/qwen.qwen3-coder-30b-a3b-v1:0"', today)

    assert found == (
        ["3: tiers.haiku.model: will be retired on 2027-03-30 (LiteLLM's map)"] if said else []
    )


def test_a_model_past_its_end_is_said_to_be(tmp_path: Path) -> None:
    after = datetime.date(2027, 3, 31)

    assert warnings(tmp_path, 'model = "bedrock/qwen.qwen3-coder-30b-a3b-v1:0"', after) == [
        "3: tiers.haiku.model: was due to be retired on 2027-03-30 (LiteLLM's map)"
    ]


def test_a_warning_about_a_parents_line_names_the_parents_file(tmp_path: Path) -> None:
    (tmp_path / "parent.toml").write_text(f'schema = 1\ntiers.haiku = "bedrock/zai.glm-4.7"\n{AWS}')
    (tmp_path / "child.toml").write_text('schema = 1\nextends = "parent"\n')
    library = Library(tmp_path, tmp_path)

    (warning,) = find_warnings(library.load("child", env={}), library.catalog, TODAY)

    path = tmp_path / "parent.toml"
    assert warning.location == Location(path=path, line=2, key=("tiers", "haiku", "model"))
