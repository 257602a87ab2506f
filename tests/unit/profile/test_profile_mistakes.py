"""Mistakes: all those of a file in one report, in our words, with their lines, without secrets."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaude.diagnostics import Location
from openclaude.errors import OpenclaudeError
from openclaude.profile.library import Library
from openclaude.profile.mistakes import ProfileMistakes
from openclaude.profile.read.loaded import Loaded
from openclaude.profile.schema import TIERS, allowed_keys

SECRET = "sk-ant-oat01-do-not-show-me"
AWS = '[aws]\nprofile = "p"\nregion = "us-west-2"\n'


def report(folder: Path, text: str) -> list[str]:
    """Return the mistakes of a profile as lines, without the file's path."""
    path = folder / "x.toml"
    path.write_text(text)
    try:
        Library(folder, folder).load("x", env={})
    except ProfileMistakes as error:
        return [str(mistake).removeprefix(f"{path}:") for mistake in error.mistakes]
    return []


TEN = f"""\
descripton = "a typo"
extends = "x/y"

[tiers]
opus = "anthropic/claude-opus-5-5"
sonet = "claude"

[tiers.sonnet]
model = "openrouter/qwen/qwen3-coder"
api_key = "{SECRET}"

[tiers.haiku]
model = "bedrock/qwen.qwen4-next-80b"
label = 5
region = "us-wset-2"

[tiers.fable]
model = "bedrock/qwen.qwen3-next-80b-a3b"
max_output_tokens = 64000

[anthropic]
base_url = "http://127.0.0.1@evil.example"

[listen]
port = 80
strict = "yes"

[agents]
explore = "hiku"
all = "pus"
"""

TEN_REPORTED = """\
1: schema: is missing; write `schema = 1` at the top of the file
1: aws.profile: is missing; it is needed for `haiku`, `fable` on Bedrock; set a profile of \
~/.aws/config, for example `profile = "openclaude"`, or a Bedrock API key, \
`api_key = "env:AWS_BEARER_TOKEN_BEDROCK"`
1: aws.region: is missing; it is needed for `fable` on Bedrock; set an AWS region, for example \
`region = "us-west-2"`
1: descripton: unknown key; did you mean `description`?
2: extends: "x/y" cannot be a profile name; a name has a-z, 0-9, `.`, `_` and `-`, begins with a \
letter or a digit, and is at most 64 characters long
5: tiers.opus.model: `anthropic/` is for third parties that serve Anthropic's API; your Claude \
login never goes to one; write `claude`, or an Anthropic model id without the prefix, for example \
`claude-opus-5-5`; for a third party, set its `api_base`
6: tiers.sonet: unknown tier; did you mean `sonnet`? allowed: `opus`, `sonnet`, `haiku`, `fable`
9: tiers.sonnet.model: no chat model named "openrouter/qwen/qwen3-coder" in LiteLLM's map; a model \
that is not in the map needs `context_window` and `max_output_tokens`
10: tiers.sonnet.api_key: must say where the secret is, not the secret itself; allowed: \
`env:NAME`, `file:PATH`, `command:PROGRAM ARGUMENTS`; if this was a secret, revoke it at its \
provider
13: tiers.haiku.model: no chat model named "bedrock/qwen.qwen4-next-80b" in LiteLLM's map; did you \
mean `bedrock/qwen.qwen3-next-80b-a3b` or `bedrock/qwen.qwen3-coder-next` or \
`bedrock/qwen.qwen3-coder-480b-a35b-v1:0`? a model that is not in the map needs `context_window` \
and `max_output_tokens`
14: tiers.haiku.label: must be text in quotes, not a whole number
15: tiers.haiku.region: no AWS region named "us-wset-2"; did you mean `us-west-2`?
19: tiers.fable.max_output_tokens: must be at most 8000 for this model, not 64000
22: anthropic.base_url: must be Anthropic's own host or a loopback address: your Claude login is \
sent there; allowed: `https://api.anthropic.com`, `http://127.0.0.1:PORT`
25: listen.port: must be a port from 1024 to 65534, not 80; providers listens on the next one
26: listen.strict: must be `true` or `false`, not text
29: agents.explore: "hiku" is not allowed; did you mean `haiku`? allowed: `opus`, `sonnet`, \
`haiku`, `fable`
30: agents.all: "pus" is not allowed; did you mean `opus`? allowed: `opus`, `sonnet`, `haiku`, \
`fable`
"""


def test_every_mistake_of_a_file_is_in_one_report_by_line(tmp_path: Path) -> None:
    lines = report(tmp_path, TEN)

    assert "\n".join(sorted(lines, key=lambda line: int(line.partition(":")[0]))) == "\n".join(
        lines
    )
    assert sorted(lines) == sorted(TEN_REPORTED.splitlines())


def test_a_report_of_several_is_one_error_and_several_entries(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("schema = 1\ntirs = 1\nlisten.port = 80\n")

    with pytest.raises(ProfileMistakes) as caught:
        Library(tmp_path, tmp_path).load("x", env={})

    assert caught.value.message == (
        "the profile has 2 mistakes\n\n"
        f"{path}:2: tirs: unknown key; did you mean `tiers`?\n"
        f"{path}:3: listen.port: must be a port from 1024 to 65534, not 80; "
        "providers listens on the next one"
    )
    assert (caught.value.hint, caught.value.code, caught.value.exit_code) == (
        "",
        "profile-invalid",
        2,
    )
    assert caught.value.entries() == [
        {
            "code": "profile-invalid",
            "message": "unknown key",
            "hint": "did you mean `tiers`?",
            "path": str(path),
            "line": 2,
            "key": "tirs",
        },
        {
            "code": "profile-invalid",
            "message": "must be a port from 1024 to 65534, not 80",
            "hint": "providers listens on the next one",
            "path": str(path),
            "line": 3,
            "key": "listen.port",
        },
    ]


def test_a_report_of_one_has_its_hint_where_hints_are(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("schema = 1\ntirs = 1\n")

    with pytest.raises(ProfileMistakes) as caught:
        Library(tmp_path, tmp_path).load("x", env={})

    assert caught.value.message == f"{path}:2: tirs: unknown key"
    assert caught.value.hint == "did you mean `tiers`?"


HAIKU = 'schema = 1\n[tiers.haiku]\nmodel = "bedrock/qwen.qwen3-next-80b-a3b"\n'


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            'schema = 1\nhaiku = "claude"\n',
            ["2: haiku: unknown key; write it under `[tiers]`: `tiers.haiku`"],
        ),
        (
            "schema = 1\nzzz = 1\n",
            [
                "2: zzz: unknown key; allowed: `schema`, `description`, `extends`, `tiers`, "
                "`anthropic`, `aws`, `providers`, `listen`, `search`, `agents`, `auto_mode`, "
                "`stack`, `launch`, `ledger`, `telemetry`, `budget`"
            ],
        ),
        (
            "schema = 1\n[search]\nwith = 'searxng'\n",
            [
                "2: search.api_base: is missing: `searxng` needs the address of your server; for "
                'example `api_base = "http://127.0.0.1:8080"`'
            ],
        ),
        (
            "schema = 1\n[search]\nwith = 'duckduckgo'\napi_key = 'env:X'\n",
            ["4: search.api_key: has no effect: DuckDuckGo takes no key; remove it"],
        ),
        (
            "schema = 1\n[search]\nwith = 'brave'\napi_base = 'https://x.example'\n",
            [
                "2: search.api_key: is missing: your own `api_base` gets a key only if you say "
                'which one; for example `api_key = "env:NAME"`'
            ],
        ),
        (
            "schema = 1\n\n[tirs]\nhaiku = 'claude'\n",
            ["3: tirs: unknown key; did you mean `tiers`?"],
        ),
        ("schema = 1\n[tirs]\n", ["2: tirs: unknown key; did you mean `tiers`?"]),
        ("schema = '1'\n", ["1: schema: must be a whole number, not text"]),
        (
            "schema = true\n",
            ["1: schema: must be a whole number, not a boolean"],
        ),
        ("schema = 1\ntiers = 'claude'\n", ["2: tiers: must be a table, not text"]),
        (
            "schema = 1\ntiers.haiku = 5\n",
            ["2: tiers.haiku: must be a model name or a table, not a whole number"],
        ),
        ("schema = 1\naws = [1]\n", ["2: aws: must be a table, not an array"]),
        ("schema = 1\n[[aws]]\nprofile = 'x'\n", ["2: aws: must be a table, not an array"]),
        (
            "schema = 1\naws.region = 2020-01-01\n",
            ["2: aws.region: must be text in quotes, not a date"],
        ),
        (
            "schema = 1\naws.region = 07:32:00\n",
            ["2: aws.region: must be text in quotes, not a time"],
        ),
        (
            "schema = 1\nlisten.port = 4000.0\n",
            ["2: listen.port: must be a whole number, not a number with a fraction"],
        ),
        (
            "schema = 1\n[tiers.haiku]\nlabel = 'x'\n",
            [
                "2: tiers.haiku.model: is missing; for example "
                '`model = "bedrock/qwen.qwen3-next-80b-a3b"`, or `model = "claude"`'
            ],
        ),
        (
            "schema = 1\n[tiers.haiku]\nmodel = 'claude'\nlabel = 'x'\nregion = 'us-west-2'\n",
            [
                "4: tiers.haiku.label: has no effect on a Claude tier; remove it",
                "5: tiers.haiku.region: has no effect on a Claude tier; remove it",
            ],
        ),
        (
            HAIKU + "max_output_tokens = 0\ncontext_window = -1\n" + AWS,
            [
                "4: tiers.haiku.max_output_tokens: must be 1 or more, not 0",
                "5: tiers.haiku.context_window: must be 1 or more, not -1",
            ],
        ),
        (
            HAIKU + "vision = 'no'\nlable = 'x'\n" + AWS,
            [
                "4: tiers.haiku.vision: must be `true`, `false`, a tier or a model; for example "
                "`bedrock/amazon.nova-lite-v1:0`, or the name of a tier that sees images",
                "5: tiers.haiku.lable: unknown key; did you mean `label`?",
            ],
        ),
        (
            HAIKU + "[aws]\nregion = 'us-west-2'\n",
            [
                "4: aws.profile: is missing; it is needed for `haiku` on Bedrock; "
                'set a profile of ~/.aws/config, for example `profile = "openclaude"`'
                ', or a Bedrock API key, `api_key = "env:AWS_BEARER_TOKEN_BEDROCK"`'
            ],
        ),
        (HAIKU + "region = 'us-east-1'\n[aws]\nprofile = 'p'\n", []),
        (
            HAIKU + "[aws]\nprofile = 'p'\nregion = 'zzz'\n",
            ['6: aws.region: no AWS region named "zzz"; for example `us-west-2`'],
        ),
        (
            "schema = 1\ntiers.haiku = 'bedrok/zai.glm-5'\n",
            [
                '2: tiers.haiku.model: no provider named "bedrok"; '
                "did you mean `bedrock/zai.glm-5`?"
            ],
        ),
        (
            "schema = 1\ntiers.haiku = 'cluade'\n",
            [
                '2: tiers.haiku.model: "cluade" has no provider; did you mean `claude`? '
                "write `PROVIDER/MODEL`, for example `bedrock/qwen.qwen3-next-80b-a3b`, "
                "or `claude`"
            ],
        ),
        (
            "schema = 1\ntiers.haiku = 'bedrock/zzzzzzzzzz'\n" + AWS,
            [
                '2: tiers.haiku.model: no chat model named "bedrock/zzzzzzzzzz" in LiteLLM\'s map; '
                "a model that is not in the map needs `context_window` and `max_output_tokens`"
            ],
        ),
        (
            "schema = 1\ntiers.haiku = 'bedrock/us.twelvelabs.pegasus-1-2-v1:0'\n" + AWS,
            [
                "2: tiers.haiku.max_output_tokens: is missing; "
                "LiteLLM's map has no value for this model: set one",
                "2: tiers.haiku.context_window: is missing; "
                "LiteLLM's map has no value for this model: set one",
            ],
        ),
        (
            "schema = 1\nanthropic.auth = 'plna'\n",
            [
                '2: anthropic.auth: "plna" is not allowed; did you mean `plan`? '
                "allowed: `plan`, `api-key`, `none`"
            ],
        ),
        (
            "schema = 1\n[stack]\nidle_slep = '1m'\n",
            ["3: stack.idle_slep: unknown key; did you mean `idle_sleep`?"],
        ),
        ("schema = 1\n[stack]\n", []),
        (
            'schema = 1\n"\\u001b[31m" = 1\n',
            [
                '2: "\\x1b[31m": unknown key; allowed: `schema`, `description`, `extends`, '
                "`tiers`, `anthropic`, `aws`, `providers`, `listen`, `search`, `agents`, "
                "`auto_mode`, `stack`, `launch`, `ledger`, `telemetry`, `budget`"
            ],
        ),
        (
            "schema = 1\ndescription = '\\u001b'\ntiers.haiku = \"a\\nb\"\n",
            ["3: tiers.haiku.model: must be a model name, for example "
            "`bedrock/qwen.qwen3-next-80b-a3b`"],
        ),
    ],
)  # fmt: skip
def test_a_mistake_says_where_what_and_what_is_allowed(
    tmp_path: Path, text: str, lines: list[str]
) -> None:
    assert report(tmp_path, text) == lines


@pytest.mark.parametrize(
    "text",
    [
        f'[tiers.haiku]\nmodel = "bedrock/zai.glm-5"\napi_key = "{SECRET}"\n',
        f'[tiers.haiku]\nmodel = "bedrock/zai.glm-5"\napi_key = ["{SECRET}"]\n',
        f'[tiers.haiku]\nmodel = "bedrock/zai.glm-5"\nparams = {{ api_key = "{SECRET}" }}\n',
        f'[tiers.haiku]\nmodel = "bedrock/zai.glm-5"\nparams = "{SECRET}"\n',
        f'[anthropic]\napi_key = "{SECRET}"\n',
        f'anthropic = "{SECRET}"\n',
        f'api_key = "{SECRET}"\n',
        f'[aws]\nsecret_access_key = "{SECRET}"\n',
        f'[aws]\nprofile = ["{SECRET}"]\n',
        f'[anthropic]\nbase_url = "https://x:{SECRET}@api.anthropic.com"\n',
        f'[aws]\nendpoint_url = "https://x:{SECRET}@bedrock.example"\n',
        f'[anthropic]\napi_key = "{SECRET}\n',
        f"[anthropic]\napi_key = {SECRET}\n",
    ],
)
def test_a_secret_in_a_profile_is_never_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.toml").write_text("schema = 1\n" + text)

    with pytest.raises(OpenclaudeError) as caught:
        Library(tmp_path, tmp_path).load("x", env={})

    shown = f"{caught.value.message}{caught.value.hint}{caught.value.entries()}"
    assert "do-not-show-me" not in shown


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        ("schema = 1\nx =\n", "2:4: not TOML: unexpected character: '\\n'", True),
        ("schema = 1\nx", "2:1: not TOML: unexpected end of the line or of the file", True),
        ("a = 1\na = 2\n", "2:1: not TOML: key \"a\" already exists", False),
        ("a = {b = 1, b = 2}\n", "1:18: not TOML: key \"b\" already exists", False),
        ("[tiers]\nhaiku = claude\n", "2:9: not TOML: unexpected character: 'c'", True),
        ("a = [1,\n", "1:1: not TOML: unexpected end of the line or of the file", True),
        ("a = " + "[" * 3000, "1:105: not TOML: TOML value nested", False),
        ("\0", "1:1: not TOML: empty key", False),
    ],
)  # fmt: skip
def test_broken_toml_is_one_mistake_with_line_and_column(
    tmp_path: Path, text: str, sentence: str, hint: bool
) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)

    with pytest.raises(ProfileMistakes) as caught:
        Library(tmp_path, tmp_path).load("x", env={})

    assert caught.value.message.startswith(f"{path}:{sentence}")
    assert bool(caught.value.hint) is hint
    assert len(caught.value.mistakes) == 1


# Anything that is valid TOML: names of the schema and others, values of every kind.
KEY_WORDS = st.sampled_from(
    [*allowed_keys(()), *TIERS, "model", "label", "profile", "region", "port", "x y"]
)
SCALARS = st.one_of(
    st.integers(-10, 70000),
    st.booleans(),
    st.floats(allow_nan=False),
    st.sampled_from(["claude", "haiku", "bedrock/zai.glm-5", "us-west-2", "plan", "", "\n", "x"]),
)
VALUES_OF_ANY_KIND = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(KEY_WORDS, inner, max_size=4)
    ),
    max_leaves=12,
)


def test_a_key_without_a_search_engine_has_no_effect(tmp_path: Path) -> None:
    (line,) = report(tmp_path, "schema = 1\n[search]\nwith = 'none'\napi_key = 'env:X'\n")

    assert line.startswith('4: search.api_key: has no effect with `with = "none"`')
    assert "name an engine (searxng, duckduckgo, brave, " in line


def toml(value: object) -> str:
    """Return a value in TOML."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + value.replace("\n", "\\n") + '"'
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case dict():
            return "{ " + ", ".join(f'"{key}" = {toml(one)}' for key, one in value.items()) + " }"
        case _:
            return repr(value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(KEY_WORDS, VALUES_OF_ANY_KIND, max_size=6))
def test_any_profile_at_all_is_valid_or_has_mistakes_on_its_lines(
    tmp_path: Path, values: dict[str, object]
) -> None:
    text = "".join(f'"{key}" = {toml(value)}\n' for key, value in values.items())
    tomllib.loads(text)
    path = tmp_path / "x.toml"
    path.write_text(text)

    outcome = load_or_mistakes(tmp_path)

    if isinstance(outcome, ProfileMistakes):
        locations = [mistake.location or Location() for mistake in outcome.mistakes]
        lines = [location.line or 0 for location in locations]
        assert lines == sorted(lines)
        assert set(lines) <= set(range(1, max(1, len(values)) + 1))
        assert all(location.key for location in locations)
        assert all(mistake.message for mistake in outcome.mistakes)
    else:
        assert outcome.profile.schema_number == values["schema"] == 1


def load_or_mistakes(folder: Path) -> Loaded | ProfileMistakes:
    """Load the profile `x` of a folder, or return what is wrong with it."""
    try:
        return Library(folder, folder).load("x", env={})
    except ProfileMistakes as error:
        return error
