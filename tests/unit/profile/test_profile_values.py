"""Single values: which URLs, ports, labels and model names are valid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from openclaude.profile import values
from openclaude.profile.schema import ANTHROPIC_URL, TIERS, Anthropic, Profile, Tier, allowed_keys


@pytest.mark.parametrize(
    "url",
    [
        "https://api.anthropic.com",
        "http://127.0.0.1",
        "http://127.0.0.1:8080",
        "https://127.0.0.1:1",
        "http://127.8.255.1:65535",
        "http://[::1]:8080",
        "https://[::1]",
    ],
)
def test_the_plans_token_may_go_to_anthropic_and_to_this_machine(url: str) -> None:
    assert Anthropic(base_url=url).base_url == url


LEAKS = [
    "",
    "api.anthropic.com",
    "http://api.anthropic.com",
    "https://api.anthropic.com/",
    "https://api.anthropic.com/v1",
    "https://api.anthropic.com:443",
    "https://api.anthropic.com:8443",
    "https://api.anthropic.com.evil",
    "https://api.anthropic.com.",
    "https://api.anthropic.com@evil",
    "https://evil/api.anthropic.com",
    "https://evil#https://api.anthropic.com",
    "https://API.ANTHROPIC.COM",
    "https://api.anthropic.com\n",
    " https://api.anthropic.com",
    "https://api.anthropic.com\t",
    "https://аpi.anthropic.com",
    "https://xapi.anthropic.com",
    "http://127.0.0.1@evil",
    "http://127.0.0.1:80@evil",
    "http://user:pass@127.0.0.1",
    "http://127.0.0.1\\@evil",
    "http://127.0.0.1.evil",
    "http://127.0.0.1#@evil",
    "http://127.0.0.1?x@evil",
    "http://127.0.0.1/",
    "http://127.0.0.1:",
    "http://127.0.0.1:0",
    "http://127.0.0.1:08",
    "http://127.0.0.1:65536",
    "http://127.0.0.1:99999",
    "http://127.0.0.1:١٢",
    "http://127.0.0.256",
    "http://127.0.0.01",
    "http://127.1",
    "http://0177.0.0.1",
    "http://2130706433",
    "http://128.0.0.1",
    "http://0.0.0.0",
    "http://localhost",
    "http://localhost.evil",
    "http://[::1].evil",
    "http://[::ffff:127.0.0.1]",
    "http://[::2]",
    "ftp://127.0.0.1",
    "file:///etc/passwd",
    "//127.0.0.1",
    "HTTP://127.0.0.1",
]


@pytest.mark.parametrize("url", LEAKS)
def test_the_plans_token_goes_nowhere_else(url: str) -> None:
    with pytest.raises(ValidationError):
        Anthropic(base_url=url)


@given(st.text("htps:/127.0@api.nthroc mevil#?\\[]", max_size=40))
def test_no_other_text_is_a_place_for_the_token(text: str) -> None:
    for url in (text, ANTHROPIC_URL + text, "http://127.0.0.1" + text):
        if url == ANTHROPIC_URL or values.LOOPBACK_URL.fullmatch(url):
            continue
        with pytest.raises(PydanticCustomError):
            values.check_base_url(url)


def test_a_refused_url_is_not_repeated_for_it_may_hold_a_password() -> None:
    with pytest.raises(ValidationError) as caught:
        Anthropic(base_url="https://user:hunter2@evil.example")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://vpce-0a-b.bedrock-runtime.us-east-1.vpce.amazonaws.com", True),
        ("https://bedrock.example:8443", True),
        ("http://127.0.0.1:9000", True),
        ("http://bedrock.example", False),
        ("https://bedrock.example/", False),
        ("https://bedrock.example/path", False),
        ("https://user@bedrock.example", False),
        ("https://bedrock.example:65536", False),
        ("https://-bedrock.example", False),
        ("https://bedrock.example\n", False),
        ("https://bedrock", False),
        ("bedrock.example", False),
    ],
)
def test_bedrocks_endpoint_is_https_or_this_machine(url: str, is_allowed: bool) -> None:
    if is_allowed:
        assert values.check_endpoint_url(url) == url
    else:
        with pytest.raises(PydanticCustomError):
            values.check_endpoint_url(url)


@pytest.mark.parametrize(
    ("port", "is_allowed"),
    [(1023, False), (1024, True), (65534, True), (65535, False), (0, False), (-1, False)],
)
def test_a_port_and_the_next_one_are_a_users(port: int, is_allowed: bool) -> None:
    if is_allowed:
        assert values.check_port(port) == port
    else:
        with pytest.raises(PydanticCustomError, match="from 1024 to 65534"):
            values.check_port(port)


@pytest.mark.parametrize(
    ("label", "is_allowed"),
    [
        ("Qwen3 Next 80B", True),
        ("千问", True),
        ("x" * 60, True),
        ("x" * 61, False),
        ("", False),
        (" ", False),
        ("a\nb", False),
        ("a\tb", False),
        ("\x1b[31m", False),
        ("\u202eabc", False),
    ],
)
def test_a_label_is_one_printable_line(label: str, is_allowed: bool) -> None:
    if is_allowed:
        assert values.check_label(label) == label
    else:
        with pytest.raises(PydanticCustomError, match="1 to 60 printable"):
            values.check_label(label)


@pytest.mark.parametrize(
    ("written", "model"),
    [
        ("claude", "claude"),
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("claude-sonnet-5-5[1m]", "claude-sonnet-5-5[1m]"),
        ("bedrock/qwen.qwen3-next-80b-a3b", "bedrock/qwen.qwen3-next-80b-a3b"),
        ("bedrock/converse/qwen.qwen3-next-80b-a3b", "bedrock/qwen.qwen3-next-80b-a3b"),
        ("bedrock/openai.gpt-oss-120b-1:0", "bedrock/openai.gpt-oss-120b-1:0"),
        ("openrouter/qwen/qwen3-coder", "openrouter/qwen/qwen3-coder"),
        (
            "bedrock/converse/arn:aws:bedrock:us-east-1:1:inference-profile/us.qwen.x",
            "bedrock/arn:aws:bedrock:us-east-1:1:inference-profile/us.qwen.x",
        ),
    ],
)
def test_a_model_is_named_as_litellm_names_it(written: str, model: str) -> None:
    assert Tier(model=written).model == model


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        (
            "bedrock/us-west-2/qwen.qwen3-next-80b-a3b",
            "the region belongs in a key of its own",
            'write `region = "us-west-2"`',
        ),
        (
            "bedrock/invoke/qwen.qwen3-next-80b-a3b",
            "must be `bedrock/ID`: the route follows from the model",
            "",
        ),
        ("bedrock/", "must be `bedrock/ID`: the route follows from the model", ""),
        ("bedrock/converse", "must be `bedrock/ID`: the route follows from the model", ""),
        ("claude-", '"claude-" is not an Anthropic model id', "for example `claude-opus-5-5`"),
        (
            "claude-opus/x",
            '"claude-opus/x" is not an Anthropic model id',
            "for example `claude-opus-5-5`",
        ),
        ("", "must be a model name, for example `bedrock/qwen.qwen3-next-80b-a3b`", ""),
        ("a b", "must be a model name, for example `bedrock/qwen.qwen3-next-80b-a3b`", ""),
        ("a\nb", "must be a model name, for example `bedrock/qwen.qwen3-next-80b-a3b`", ""),
    ],
)
def test_a_model_that_cannot_be_is_refused_with_the_reason(
    written: str, message: str, hint: str
) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        values.check_model_name(written)

    assert caught.value.context == {"message": message, "hint": hint}


@pytest.mark.parametrize(
    ("written", "model"),
    [
        ("bedrock/zai.glm-5", "bedrock/zai.glm-5"),
        ("bedrock/us-east-1/zai.glm-5", "bedrock/us-east-1/zai.glm-5"),
        ("bedrock/us-east-1/converse/zai.glm-5", "bedrock/us-east-1/zai.glm-5"),
        ("groq/openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"),
    ],
)
def test_a_model_without_a_tier_may_name_its_region(written: str, model: str) -> None:
    assert values.check_provider_model(written) == model


@pytest.mark.parametrize("written", ["claude", "claude-opus-5-5", "bedrock/us-east-1/", "a b"])
def test_claude_is_nobodys_fallback(written: str) -> None:
    with pytest.raises(PydanticCustomError):
        values.check_provider_model(written)


def test_a_profile_of_nothing_is_claude_for_every_tier() -> None:
    profile = Profile.model_validate({"schema": 1})

    assert list(profile.tiers) == list(TIERS)
    assert {tier.model for tier in profile.tiers.values()} == {"claude"}
    assert profile.anthropic.base_url == ANTHROPIC_URL
    assert (profile.listen.port, profile.listen.strict) == (4000, False)


def test_the_short_form_of_a_tier_equals_the_long_one() -> None:
    model = "bedrock/qwen.qwen3-next-80b-a3b"

    short = Profile.model_validate({"schema": 1, "tiers": {"haiku": model}})
    long = Profile.model_validate({"schema": 1, "tiers": {"haiku": {"model": model}}})

    assert short == long
    assert (short.tiers["haiku"].provider, short.tiers["haiku"].model_ref.model_id) == (
        "bedrock",
        "qwen.qwen3-next-80b-a3b",
    )
    assert short.tiers["opus"].is_claude
    assert short.tiers["opus"].provider == "claude"


def test_a_tiers_own_region_goes_before_the_profiles() -> None:
    profile = Profile.model_validate(
        {
            "schema": 1,
            "tiers": {"haiku": {"model": "bedrock/x", "region": "eu-west-1"}},
            "aws": {"region": "us-west-2"},
        }
    )

    assert profile.region_of("haiku") == "eu-west-1"
    assert profile.region_of("opus") == "us-west-2"


def test_a_profile_cannot_be_changed() -> None:
    profile = Profile.model_validate({"schema": 1})

    with pytest.raises(ValidationError, match="frozen"):
        profile.listen.port = 1


def test_the_keys_of_a_table_are_the_schemas() -> None:
    assert allowed_keys(()) == (
        "schema",
        "description",
        "extends",
        "tiers",
        "anthropic",
        "aws",
        "providers",
        "listen",
        "search",
        "agents",
        "auto_mode",
        "stack",
        "launch",
        "ledger",
        "telemetry",
        "budget",
    )
    assert allowed_keys(("tiers",)) == TIERS
    assert allowed_keys(("tiers", "haiku"))[:3] == ("model", "region", "regions")
    assert allowed_keys(("stack",)) == ("idle_sleep", "linger")


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("15m", 900.0),
        ("90s", 90.0),
        ("0.5s", 0.5),
        ("250ms", 0.25),
        ("2h", 7200.0),
        ("1d", 86400.0),
    ],
)
def test_a_length_of_time_is_a_number_and_a_unit(duration: str, seconds: float) -> None:
    assert values.seconds(values.check_duration(duration)) == seconds


def test_never_is_longer_than_anybody_waits() -> None:
    assert values.seconds(values.check_duration("never")) > 50 * 365 * 86400


@pytest.mark.parametrize("duration", ["", "15", "m", "-1s", "1 h", "1h30m", "1w", "Never", "1e3s"])
def test_what_is_no_length_of_time_is_refused(duration: str) -> None:
    with pytest.raises(PydanticCustomError, match="not a duration"):
        values.check_duration(duration)
