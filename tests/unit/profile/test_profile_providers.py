"""Any provider in any tier: what each needs, what excludes what, and that no secret is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaude.profile.library import Library
from openclaude.profile.mistakes import ProfileMistakes
from openclaude.profile.schema import TIERS

AWS = '[aws]\nprofile = "p"\nregion = "us-west-2"\n'
LIMITS = "context_window = 100000\nmax_output_tokens = 8000\n"


def report(folder: Path, text: str, name: str = "x") -> list[str]:
    """Return the mistakes of a profile as lines, without the folder."""
    (folder / f"{name}.toml").write_text("schema = 1\n" + text)
    try:
        Library(folder, folder).load(name, env={})
    except ProfileMistakes as error:
        return [str(mistake).replace(f"{folder}/", "") for mistake in error.mistakes]
    return []


def tier(text: str, name: str = "haiku") -> str:
    return f"[tiers.{name}]\n{text}"


@pytest.mark.parametrize(
    "text",
    [
        tier('model = "openai/gpt-5.6-luna"\n'),
        tier('model = "gemini/gemini-3.5-flash-lite"\napi_key = "file:~/.gemini-key"\n'),
        '[anthropic]\non_limit = "anthropic/claude-*"\napi_key = "env:K"\n',
        '[anthropic]\non_limit = "anthropic/claude-opus-5-5"\n',
        tier('model = "groq/openai/gpt-oss-120b"\napi_key = "command:pass show groq"\n'),
        tier('model = "deepseek/deepseek-v4-flash"\n'),
        tier('model = "moonshot/kimi-k2.6"\n'),
        tier('model = "zai/glm-5"\n'),
        tier('model = "openrouter/qwen/qwen3-coder"\n' + LIMITS),
        tier('model = "ollama/qwen3-coder:30b"\n' + LIMITS),
        tier('model = "hosted_vllm/x"\napi_base = "http://127.0.0.1:8000/v1"\n' + LIMITS),
        tier('model = "lm_studio/x"\n' + LIMITS),
        tier('model = "openai/x"\napi_base = "http://192.168.1.7:8080/v1"\n' + LIMITS),
        tier(
            'model = "azure/my-deployment"\napi_base = "https://x.openai.azure.com"\n'
            'api_key = "env:AZURE_KEY"\nparams = { api_version = "2026-01-01" }\n' + LIMITS
        ),
        tier(
            'model = "vertex_ai/gemini-3.5-flash"\n'
            'params = { vertex_project = "p", vertex_location = "global" }\n'
        ),
        tier(
            'model = "anthropic/glm-5"\napi_base = "https://api.z.ai/api/anthropic"\n'
            'api_key = "env:ZAI_API_KEY"\n' + LIMITS
        ),
        tier('model = "bedrock/qwen.qwen9-not-in-the-map"\n' + LIMITS) + AWS,
        tier(
            'model = "bedrock/qwen.qwen3-next-80b-a3b"\n'
            'fallbacks = ["bedrock/us-east-1/qwen.qwen3-next-80b-a3b", "openai/gpt-5.6-luna"]\n'
        )
        + AWS,
        '[anthropic]\non_limit = "bedrock/zai.glm-5"\n' + AWS,
        '[tiers]\nhaiku = "bedrock/zai.glm-5"\n'
        '[auto_mode]\nclassifier = "bedrock/openai.gpt-oss-20b-1:0"\n' + AWS,
        '[anthropic]\nauth = "api-key"\napi_key = "env:KEY"\nbase_url = "https://gate.example"\n',
        '[agents]\nexplore = "haiku"\nplan = "sonnet"\ngeneral = "haiku"\n',
        '[agents]\nall = "haiku"\n',
    ],
)
def test_a_profile_may_say(tmp_path: Path, text: str) -> None:
    assert report(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            tier('model = "anthropic/claude-opus-5-5"\napi_key = "env:KEY"\n'),
            [
                "x.toml:3: tiers.haiku.model: `anthropic/` is for third parties that serve "
                "Anthropic's API; your Claude login never goes to one; write `claude`, or an "
                "Anthropic model id without the prefix, for example `claude-opus-5-5`; for a third "
                "party, set its `api_base`",
            ],
        ),
        (
            tier(
                'model = "anthropic/x"\napi_key = "env:KEY"\n'
                'api_base = "https://api.anthropic.com"\n' + LIMITS
            ),
            [
                "x.toml:3: tiers.haiku.model: `anthropic/` is for third parties that serve "
                "Anthropic's API; your Claude login never goes to one; write `claude`, or an "
                "Anthropic model id without the prefix, for example `claude-opus-5-5`; for a third "
                "party, set its `api_base`",
            ],
        ),
        (
            tier('model = "anthropic/x"\napi_base = "https://third.example"\n' + LIMITS),
            [
                "x.toml:2: tiers.haiku.api_key: is missing: your own `api_base` gets a key "
                'only if you say which one; for example `api_key = "env:NAME"`'
            ],
        ),
        (
            tier('model = "hosted_vllm/x"\n' + LIMITS),
            [
                "x.toml:2: tiers.haiku.api_base: is missing: `hosted_vllm/` needs the address of "
                'your server; for example `api_base = "http://127.0.0.1:8000/v1"`'
            ],
        ),
        (
            tier('model = "vertex_ai/gemini-3.5-flash"\n'),
            [
                "x.toml:2: tiers.haiku.params.vertex_project: is missing; `vertex_ai/` needs it",
                "x.toml:2: tiers.haiku.params.vertex_location: is missing; `vertex_ai/` needs it",
            ],
        ),
        (
            tier('model = "openai/gpt-5.6-luna"\nregion = "us-east-1"\n'),
            ["x.toml:4: tiers.haiku.region: only has an effect on Bedrock tiers; remove it"],
        ),
        (
            tier('model = "openai/gpt-5.6-luna"\nregions = ["us-east-1"]\n'),
            ["x.toml:4: tiers.haiku.regions: only has an effect on Bedrock tiers; remove it"],
        ),
        (
            tier('model = "bedrock/zai.glm-5"\nregion = "us-east-1"\nregions = ["us-west-2"]\n')
            + AWS,
            [
                "x.toml:5: tiers.haiku.regions: has no effect beside `region`; keep one of "
                "`region` and `regions`",
            ],
        ),
        (
            tier(
                'model = "bedrock/zai.glm-5"\nregions = ["us-east-1", "us-east-1", "us-west-22"]\n'
            )
            + AWS,
            [
                "x.toml:4: tiers.haiku.regions.1: `us-east-1` is already in the list; remove it",
                'x.toml:4: tiers.haiku.regions.2: no AWS region named "us-west-22"; did you mean '
                "`us-west-2`?",
            ],
        ),
        (
            tier('model = "bedrock/zai.glm-5"\napi_key = "env:K"\napi_base = "https://x.y"\n')
            + AWS,
            [
                "x.toml:4: tiers.haiku.api_key: has no effect on a Bedrock tier; Bedrock uses "
                "`aws.profile`, or a Bedrock API key in `aws.api_key`",
                "x.toml:5: tiers.haiku.api_base: has no effect on a Bedrock tier; write "
                "`endpoint_url` in `[aws]`",
            ],
        ),
        (
            tier('model = "opnai/gpt-5.6-luna"\n'),
            [
                'x.toml:3: tiers.haiku.model: no provider named "opnai"; did you mean '
                "`openai/gpt-5.6-luna`?"
            ],
        ),
        (
            tier('model = "github_copilot/gpt-5"\n'),
            [
                "x.toml:3: tiers.haiku.model: `github_copilot/` asks for a login in the middle of "
                "a session; use a provider with a key"
            ],
        ),
        (
            tier('model = "vllm/x"\n'),
            [
                "x.toml:3: tiers.haiku.model: `vllm/` runs the model inside LiteLLM; for your own "
                "server write `hosted_vllm/MODEL`"
            ],
        ),
        (
            tier('model = "openai/"\n'),
            [
                'x.toml:3: tiers.haiku.model: "openai/" has no model; write `PROVIDER/MODEL`, '
                "for example `bedrock/qwen.qwen3-next-80b-a3b`, or `claude`"
            ],
        ),
        (
            tier('model = "openai/gpt-5.6-lnua"\n'),
            [
                'x.toml:3: tiers.haiku.model: no chat model named "openai/gpt-5.6-lnua" in '
                "LiteLLM's map; did you mean `openai/gpt-5.6-luna` or `openai/gpt-6-luna` or "
                "`openai/gpt-5.6-sol`? a model that is not in the map needs `context_window` and "
                "`max_output_tokens`"
            ],
        ),
        (
            tier('model = "openai/x"\napi_base = "http://models.example/v1"\n' + LIMITS),
            [
                "x.toml:4: tiers.haiku.api_base: must be an https address, or an http address of "
                "this machine or a private network, without user and query; for example "
                "`https://HOST/v1` or `http://127.0.0.1:8000/v1`"
            ],
        ),
        (
            tier(
                'model = "bedrock/zai.glm-5"\nfallbacks = ["bedrock/zai.glm-5", "claude", "x", '
                '"hosted_vllm/y"]\n'
            )
            + AWS,
            [
                "x.toml:4: tiers.haiku.fallbacks.1: must be a provider's model: your Claude login "
                "is not a fallback; for example `bedrock/openai.gpt-oss-120b-1:0`",
                "x.toml:4: tiers.haiku.fallbacks.0: `bedrock/zai.glm-5` is the tier's own model; "
                "remove it",
                'x.toml:4: tiers.haiku.fallbacks.2: "x" has no provider; write `PROVIDER/MODEL`, '
                "for example `bedrock/qwen.qwen3-next-80b-a3b`, or `claude`",
                'x.toml:4: tiers.haiku.fallbacks.3: no chat model named "hosted_vllm/y" in '
                "LiteLLM's map; a model that is not in the map needs `context_window` and "
                "`max_output_tokens`",
            ],
        ),
        (
            '[anthropic]\nauth = "none"\n' + tier('model = "openai/gpt-5.6-luna"\n'),
            [
                f"x.toml:4: tiers.{name}: is not set, which means Claude, but with "
                '`auth = "none"` there is no Claude account (x.toml:3); set a model, for example '
                f'`{name} = "bedrock/qwen.qwen3-coder-next"`'
                for name in ("opus", "sonnet", "fable")
            ],
        ),
        (
            '[anthropic]\napi_key = "env:K"\n',
            [
                'x.toml:3: anthropic.api_key: has no effect with `auth = "plan"` (x.toml:2); '
                'write `auth = "api-key"`, or remove the key'
            ],
        ),
        (
            '[anthropic]\non_limit = "anthropic/claude-opus-9"\napi_key = "env:K"\n',
            [
                'x.toml:3: anthropic.on_limit: no chat model named "anthropic/claude-opus-9" in '
                "LiteLLM's map; did you mean `anthropic/claude-opus-5` or "
                "`anthropic/claude-opus-5-5` or `anthropic/claude-opus-4-8`? a model that is not "
                "in the map needs `context_window` and `max_output_tokens`"
            ],
        ),
        (
            '[anthropic]\nauth = "none"\non_limit = "anthropic/claude-*"\napi_key = "env:K"\n'
            + "[tiers]\n"
            + "".join(f'{one} = "openai/gpt-5.6-luna"\n' for one in TIERS),
            [
                'x.toml:4: anthropic.on_limit: has no effect with `auth = "none"`: only a plan has '
                'that limit (x.toml:3); write `auth = "plan"`, or remove it',
                'x.toml:5: anthropic.api_key: has no effect with `auth = "none"` (x.toml:3); '
                'write `auth = "api-key"`, or remove the key',
            ],
        ),
        (
            '[anthropic]\nauth = "api-key"\non_limit = "openai/gpt-5.6-luna"\n',
            [
                'x.toml:4: anthropic.on_limit: has no effect with `auth = "api-key"`: only a plan '
                'has that limit (x.toml:3); write `auth = "plan"`, or remove it'
            ],
        ),
        (
            '[tiers]\nhaiku = "openai/gpt-5.6-luna"\n[budget]\nthen = "claude"\n',
            [
                "x.toml:5: budget.then: has no effect without a budget; for example `day = 5.00`",
            ],
        ),
        (
            '[tiers.haiku]\nmodel = "openai/gpt-5.6-luna"\nbudget_day = 1\n'
            '[ledger]\nkeep = "0s"\n[budget]\nmonth = 3.5\nsession = 0\nday = inf\n',
            [
                "x.toml:4: tiers.haiku.budget_day: needs what is kept for 1 days, but "
                '`ledger.keep` is "0s" (x.toml:6); remove `ledger.keep`, which is then 90 days',
                "x.toml:8: budget.month: needs what is kept for 31 days, but `ledger.keep` "
                'is "0s" (x.toml:6); remove `ledger.keep`, which is then 90 days',
                "x.toml:9: budget.session: must be more than 0 and at most 1000000 dollars",
                "x.toml:10: budget.day: must be more than 0 and at most 1000000 dollars",
            ],
        ),
        (
            '[telemetry]\notlp = "http://127.0.0.1:4318"\n[ledger]\nkeep = "0s"\n',
            [
                "x.toml:3: telemetry.otlp: tells what the ledger is told, which keeps nothing "
                "(x.toml:5); remove `ledger.keep`, which is then 90 days",
            ],
        ),
        (
            "[telemetry]\nprometheus = 4101\n[listen]\nport = 4100\n",
            [
                "x.toml:3: telemetry.prometheus: is a port of the proxies, which are on "
                "`listen.port` and the next one (x.toml:5); for example `prometheus = 9464`",
            ],
        ),
        (
            '[telemetry]\notlp = "http://127.0.0.1:4318"\nprometheus = 4318\n',
            [
                "x.toml:4: telemetry.prometheus: is the port of the collector that `otlp` names "
                "(x.toml:3); for example `prometheus = 9464`",
            ],
        ),
        (
            '[telemetry]\notlp = "https://collector.example"\nprometheus = 80\n',
            [
                "x.toml:3: telemetry.otlp: must be a loopback address: a collector on this machine "
                "passes on what it gets; for example `http://127.0.0.1:4318`",
                "x.toml:4: telemetry.prometheus: must be a port from 1024 to 65534, not 80; "
                "for example 9464",
            ],
        ),
        (
            '[tiers]\nopus = "claude"\n[auto_mode]\nclassifier = "openai/gpt-5.6-luna"\n',
            [
                "x.toml:5: auto_mode.classifier: has no effect: every tier is Claude, and "
                "Anthropic checks Claude's tool calls itself; remove it, or set a tier's model"
            ],
        ),
        (
            '[tiers]\nhaiku = "openai/gpt-5.6-luna"\n'
            '[auto_mode]\nclassifier = "bedrock/zai.glm-5"\n',
            [
                "x.toml:1: aws.profile: is missing; it is needed for `auto_mode.classifier` on "
                'Bedrock; set a profile of ~/.aws/config, for example `profile = "openclaude"`'
                ', or a Bedrock API key, `api_key = "env:AWS_BEARER_TOKEN_BEDROCK"`',
                "x.toml:1: aws.region: is missing; it is needed for `auto_mode.classifier` on "
                'Bedrock; set an AWS region, for example `region = "us-west-2"`',
            ],
        ),
        (
            '[anthropic]\nbase_url = "https://gate.example"\n',
            [
                "x.toml:3: anthropic.base_url: must be Anthropic's own host or a loopback address: "
                "your Claude login is sent there; allowed: `https://api.anthropic.com`, "
                "`http://127.0.0.1:PORT`"
            ],
        ),
    ],
)
def test_what_a_provider_needs_and_what_excludes_what_is_said_at_its_line(
    tmp_path: Path, text: str, lines: list[str]
) -> None:
    assert report(tmp_path, text) == lines


def test_keys_in_two_files_that_exclude_each_other_name_both(tmp_path: Path) -> None:
    report(tmp_path, '[agents]\nall = "haiku"\n', "parent")

    lines = report(tmp_path, 'extends = "parent"\n[agents]\nexplore = "haiku"\n')

    assert lines == [
        "x.toml:4: agents.explore: conflicts with `agents.all`, which moves every subagent "
        "(parent.toml:3); remove one of the two"
    ]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ('api_key = "env:K"', "api_key: does not belong in `params`; write `api_key` in the tier"),
        ('model = "x"', "model: does not belong in `params`; write `model` in the tier"),
        (
            "max_retries = 5",
            "max_retries: does not belong in `params`; remove it: claude does its own",
        ),
        ("when = 2026-01-01", "when: cannot be a date or a time; write it as text in quotes"),
        ('x = "os.environ/HOME"', "x: is LiteLLM's syntax for a variable; write `env:NAME`"),
        ('azure_ad_token = "sk-do-not-show"', "azure_ad_token: contains a secret; a profile says"),
        ('vertex_credentials = "{}"', "vertex_credentials: contains a secret; a profile says"),
        (
            'extra_headers = { X-Api-Key = "do-not-show" }',
            "extra_headers.X-Api-Key: contains a secret; a profile says",
        ),
        ("aws_secret_access_key = 5", "aws_secret_access_key: contains a secret; a profile says"),
    ],
)
def test_params_hold_no_secret_and_nothing_that_has_a_key_of_its_own(
    tmp_path: Path, params: str, message: str
) -> None:
    text = tier(f'model = "openai/gpt-5.6-luna"\nparams = {{ {params} }}\n')

    (line,) = report(tmp_path, text)

    assert line.startswith(f"x.toml:4: tiers.haiku.params.{message}")
    assert "do-not-show" not in line


@pytest.mark.parametrize(
    "params",
    [
        "temperature = 0.2",
        "num_ctx = 65536",
        "max_tokens_to_sample = 5",
        "input_cost_per_token = 1e-6, output_cost_per_token = 2e-6",
        'extra_headers = { HTTP-Referer = "https://x.example" }',
        'azure_ad_token = "env:AZURE_AD_TOKEN"',
        'vertex_credentials = "file:/run/secrets/vertex.json"',
        'stop = ["a", "b"]',
    ],
)
def test_params_hand_everything_else_on(tmp_path: Path, params: str) -> None:
    text = tier(f'model = "openai/gpt-5.6-luna"\nparams = {{ {params} }}\n')

    assert report(tmp_path, text) == []


@pytest.mark.parametrize(
    "reference",
    ["sk-ant-do-not-show", "env:", "env:A B", "file:relative", "command:", "vault:x", ""],
)
def test_a_secret_is_said_to_be_somewhere_or_refused_unseen(tmp_path: Path, reference: str) -> None:
    (line,) = report(tmp_path, tier(f'model = "openai/gpt-5.6-luna"\napi_key = "{reference}"\n'))

    assert line == (
        "x.toml:4: tiers.haiku.api_key: must say where the secret is, not the secret itself; "
        "allowed: `env:NAME`, `file:PATH`, `command:PROGRAM ARGUMENTS`; if this was a secret, "
        "revoke it at its provider"
    )
