"""References: the name of a model and the location of a secret, parsed, formatted, refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openclaude.contracts.references import (
    BadReference,
    ModelRef,
    SecretKind,
    SecretRef,
    is_claude,
    is_secret,
    parse_model,
    parse_second_model,
    parse_secret,
    split_model,
    variable_ref,
)

ARN = "arn:aws:bedrock:us-west-2:1:inference-profile/us.x"


@pytest.mark.parametrize(
    ("name", "provider", "model_id"),
    [
        ("claude", "claude", "claude"),
        ("claude-opus-5-5", "claude", "claude-opus-5-5"),
        ("claude-opus-5-5[1m]", "claude", "claude-opus-5-5[1m]"),
        ("openai/gpt-5.6-luna", "openai", "gpt-5.6-luna"),
        ("openrouter/anthropic/claude-opus-5-5", "openrouter", "anthropic/claude-opus-5-5"),
        ("bedrock/qwen.qwen3-coder-next", "bedrock", "qwen.qwen3-coder-next"),
        (f"bedrock/{ARN}", "bedrock", ARN),
    ],
)
def test_a_model_is_who_serves_it_and_what_it_is_called_there(
    name: str, provider: str, model_id: str
) -> None:
    model = parse_model(name)

    assert model == ModelRef(provider=provider, model_id=model_id)
    assert str(model) == name
    assert model.is_claude is is_claude(name) is (provider == "claude")
    assert model.is_bedrock is (provider == "bedrock")
    assert model.is_whole


def test_the_route_is_no_part_of_a_models_name() -> None:
    assert parse_model(f"bedrock/converse/{ARN}") == parse_model(f"bedrock/{ARN}")
    assert str(parse_model("bedrock/converse/zai.glm-5")) == "bedrock/zai.glm-5"


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("", "must be a model name, for example `bedrock/qwen.qwen3-next-80b-a3b`", ""),
        ("a b/c", "must be a model name, for example `bedrock/qwen.qwen3-next-80b-a3b`", ""),
        ("openai/" + "x" * 200, "must be a model name, for example", ""),
        (
            "claude-Opus",
            '"claude-Opus" is not an Anthropic model id',
            "for example `claude-opus-5-5`",
        ),
        (
            "claude/opus",
            '"claude/opus" is not an Anthropic model id',
            "for example `claude-opus-5-5`",
        ),
        (
            "bedrock/us-east-1/x",
            "the region belongs in a key of its own",
            'write `region = "us-east-1"`',
        ),
        (
            "bedrock/converse/us-east-1/x",
            "the region belongs in a key",
            'write `region = "us-east-1"`',
        ),
        (
            "bedrock/us-east-1",
            "the region belongs in a key of its own",
            'write `region = "us-east-1"`',
        ),
        ("bedrock/", "must be `bedrock/ID`: the route follows from the model", ""),
        ("bedrock/invoke/x", "must be `bedrock/ID`: the route follows from the model", ""),
    ],
)
def test_what_is_no_model_of_a_tier_says_what_is(name: str, message: str, hint: str) -> None:
    with pytest.raises(BadReference) as refused:
        parse_model(name)

    assert refused.value.message.startswith(message)
    assert refused.value.hint == hint


def test_an_id_that_is_refused_is_repeated_in_one_line_at_most() -> None:
    with pytest.raises(BadReference) as refused:
        parse_model("claude-" + "X" * 150)

    assert len(refused.value.message) < 120


def test_a_second_model_may_name_its_region() -> None:
    model = parse_second_model("bedrock/eu-west-1/zai.glm-5")

    assert model == ModelRef(provider="bedrock", model_id="zai.glm-5", region="eu-west-1")
    assert str(model) == "bedrock/eu-west-1/zai.glm-5"
    assert parse_second_model("openai/x") == ModelRef(provider="openai", model_id="x")


@pytest.mark.parametrize("name", ["claude", "claude-opus-5-5", "bedrock/eu-west-1/", "a b/c"])
def test_a_second_model_is_a_providers(name: str) -> None:
    with pytest.raises(BadReference):
        parse_second_model(name)


@pytest.mark.parametrize("name", ["x", "/x", "", "/"])
def test_a_name_without_a_provider_is_not_whole(name: str) -> None:
    assert split_model(name) == ModelRef(provider="", model_id=name)
    assert not split_model(name).is_whole
    assert not split_model("openai/").is_whole


@given(st.text())
@example("claude/opus")
@example("bedrock/us-east-1/")
def test_any_text_is_split_into_what_says_it_again(name: str) -> None:
    model = split_model(name)

    assert str(model) == name
    assert model.is_claude is is_claude(name)


@given(st.text())
def test_what_is_parsed_is_parsed_again_to_the_same(name: str) -> None:
    for parse in (parse_model, parse_second_model):
        try:
            model = parse(name)
        except BadReference:
            continue
        assert parse(str(model)) == model


# Secrets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "target", "variable", "program"),
    [
        ("env:GROQ_API_KEY", SecretKind.ENV, "GROQ_API_KEY", "GROQ_API_KEY", ""),
        ("file:~/.key", SecretKind.FILE, "~/.key", "", ""),
        ("file:/run/key", SecretKind.FILE, "/run/key", "", ""),
        ("command:pass show x", SecretKind.COMMAND, "pass show x", "", "pass"),
        ("command:pass 'a:b'", SecretKind.COMMAND, "pass 'a:b'", "", "pass"),
    ],
)
def test_a_secret_is_in_one_place(
    text: str, kind: SecretKind, target: str, variable: str, program: str
) -> None:
    secret = parse_secret(text)

    assert secret == SecretRef(kind=kind, target=target)
    assert (secret.variable, secret.program, str(secret)) == (variable, program, text)
    assert is_secret(text)


def test_a_variable_is_a_place_too() -> None:
    assert variable_ref("X") == parse_secret("env:X")


@pytest.mark.parametrize(
    "text",
    [
        *("sk-ant-do-not-show", "env:", "env:A B", "env:1A", "env:Ä", "env:" + "A" * 129, "ENV:A"),
        *("file:relative", "file:~x", "command:", "command: ", "command:'", "vault:do-not-show"),
        *("", ":", "env", "file:/a\nb", "file:/" + "x" * 1000),
    ],
)
def test_what_is_no_place_is_refused_unseen(text: str) -> None:
    with pytest.raises(BadReference) as refused:
        parse_secret(text)

    assert refused.value.message == "must say where the secret is, not the secret itself"
    assert refused.value.hint == (
        "allowed: `env:NAME`, `file:PATH`, `command:PROGRAM ARGUMENTS`; if this was a secret, "
        "revoke it at its provider"
    )
    assert not is_secret(text)


@pytest.mark.parametrize("value", [None, 5, ["env:A"], {"env": "A"}])
def test_only_text_says_where_a_secret_is(value: object) -> None:
    assert not is_secret(value)
