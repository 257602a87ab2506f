"""Who receives which text and which credential: every model of a profile is listed, none twice."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from openclaude.compile.disclosure import Disclosure, disclose_profile
from openclaude.models.catalog import Catalog
from openclaude.profile.author.drafts import Drafts, as_document
from openclaude.profile.library import Library
from openclaude.profile.validate.warnings import find_warnings
from tests.conftest import REPOSITORY

TODAY = datetime.date(2026, 11, 22)
SHIPPED = REPOSITORY / "profiles"
LIMITS = "context_window = 200000\nmax_output_tokens = 8000\n"
PLAN = "conversations and your Claude login go to https://api.anthropic.com, encrypted"


def library(text: str) -> Library:
    found = Library(Path("/none"), SHIPPED, catalog=Catalog.bundled())
    return Drafts(found, {"x": as_document(Path("x.toml"), f"schema = 1\n{text}".encode())})


def disclosures(text: str) -> tuple[Disclosure, ...]:
    profiles = library(text)
    return disclose_profile(profiles.load("x", env={}), profiles.catalog)


def told(text: str) -> list[str]:
    return [one.sentence for one in disclosures(text)]


def test_a_plan_goes_to_anthropic_and_each_model_says_where_it_is_and_what_it_gets() -> None:
    assert told(
        'anthropic.on_limit = "openai/gpt-5.6-luna"\n'
        '[tiers.haiku]\nmodel = "bedrock/qwen.qwen3-next-80b-a3b"\n'
        'fallbacks = ["openai/gpt-5.6-luna", "groq/openai/gpt-oss-120b"]\n'
        '[aws]\nprofile = "work"\nregion = "eu-west-1"\n'
    ) == [
        f"opus, sonnet, fable: {PLAN}",
        "haiku: conversations and signatures of AWS profile `work` go to AWS Bedrock in eu-west-1 "
        "(`bedrock/qwen.qwen3-next-80b-a3b`), encrypted",
        "haiku, if `bedrock/qwen.qwen3-next-80b-a3b` fails: conversations and the API key from "
        "`env:OPENAI_API_KEY` go to OpenAI (`openai/gpt-5.6-luna`), encrypted",
        "haiku, if `openai/gpt-5.6-luna` fails: conversations and the API key from "
        "`env:GROQ_API_KEY` go to Groq (`groq/openai/gpt-oss-120b`), encrypted",
        "Claude tiers, when your plan's limit is reached: conversations and the API key from "
        "`env:OPENAI_API_KEY` go to OpenAI (`openai/gpt-5.6-luna`), encrypted",
    ]


def test_who_describes_images_is_named_with_what_it_gets() -> None:
    assert told(
        '[tiers.haiku]\nmodel = "groq/openai/gpt-oss-120b"\nvision = "sonnet"\n'
        '[tiers.sonnet]\nmodel = "bedrock/amazon.nova-lite-v1:0"\n'
        '[aws]\nprofile = "work"\nregion = "us-west-2"\n'
    )[3:] == [
        "images and PDFs of haiku: the images and signatures of AWS profile `work` go to AWS "
        "Bedrock in us-west-2 (`bedrock/amazon.nova-lite-v1:0`), encrypted",
    ]


def test_who_gets_figures_is_told_too() -> None:
    figures = "every request: figures (model, tokens, dollars, times, session) go to"

    found = told('[telemetry]\notlp = "http://127.0.0.1:4318"\nprometheus = 9464\n')

    assert found[-2:] == [
        f"{figures} http://127.0.0.1:4318, on this machine",
        f"{figures} your own programs that read http://127.0.0.1:9464/metrics, on this machine",
    ]


@pytest.mark.parametrize(
    ("address", "way"),
    [
        ("https://models.example/v1", "encrypted"),
        ("http://192.168.1.5:8000/v1", "NOT ENCRYPTED: the network can read them"),
        ("http://10.0.0.9", "NOT ENCRYPTED: the network can read them"),
        ("http://127.0.0.1:8000/v1", "on this machine"),
        ("http://localhost:8000", "on this machine"),
        ("http://[::1]:8000/v1", "on this machine"),
    ],
)
def test_an_address_of_the_profile_is_named_and_whether_the_network_can_read(
    address: str, way: str
) -> None:
    text = f'[tiers.haiku]\nmodel = "openai/own"\napi_base = "{address}"\n{LIMITS}'

    assert told(text)[1] == f"haiku: conversations go to {address} (`openai/own`), {way}"


def test_a_network_that_can_read_is_a_warning_at_its_line() -> None:
    profiles = library(
        '[tiers.haiku]\nmodel = "openai/own"\napi_key = "env:OWN"\n'
        f'api_base = "http://172.16.0.1:8000/v1"\n{LIMITS}'
    )
    (warning,) = find_warnings(profiles.load("x", env={}), profiles.catalog, TODAY)

    assert warning.located == (
        "x.toml:5: tiers.haiku.api_base: `http://` is not encrypted: the network between this "
        "machine and the server can read the conversation and the key; use `https://`"
    )


def test_a_secret_among_the_params_is_told_as_well() -> None:
    (_, haiku) = disclosures(
        f'[tiers.haiku]\nmodel = "openai/own"\napi_base = "https://a.example"\n{LIMITS}'
        'api_key = "file:/run/key"\n'
        'params = { extra_headers = { x-gateway-secret = "command:pass gate" } }\n'
    )

    assert haiku.credential == (
        "the API key from `file:/run/key` and the secret from `command:pass gate`"
    )


def test_a_key_in_place_of_a_plan_and_no_account_at_all() -> None:
    bedrock = 'extends = "bedrock"\n'

    assert told('anthropic.auth = "api-key"\nanthropic.api_key = "file:/run/key"\n') == [
        "opus, sonnet, haiku, fable: conversations and the API key from `file:/run/key` go to "
        "https://api.anthropic.com, encrypted"
    ]
    assert not [one for one in disclosures(bedrock) if "anthropic.com" in one.recipient]


def test_a_bedrock_api_key_is_told_in_place_of_the_aws_profile() -> None:
    key = "env:AWS_BEARER_TOKEN_BEDROCK"
    found = disclosures(f'extends = "bedrock"\naws.api_key = "{key}"\n')

    assert {one.credential for one in found} == {f"the API key from `{key}`"}


def test_what_litellm_answers_itself_goes_nowhere() -> None:
    assert told('extends = "offline"\n')[0] == (
        "opus: LiteLLM itself answers; nothing is sent to a provider"
    )


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.toml")))
def test_every_built_in_profile_tells_of_each_of_its_models(name: str) -> None:
    profiles = library("")
    loaded = profiles.load(name, env={})
    models = {tier.model for tier in loaded.profile.tiers.values() if not tier.is_claude}

    found = disclose_profile(loaded, profiles.catalog)

    assert models <= {one.model for one in found}
    assert all(one.is_encrypted or one.is_local for one in found)


HAIKU = 'haiku = "bedrock/qwen.qwen3-next-80b-a3b"\n'
SLOT = f'[tiers]\n{HAIKU}[aws]\nprofile = "work"\nregion = "us-west-2"\n'


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ('with = "duckduckgo"', "go to https://api.duckduckgo.com, encrypted"),
        (
            'with = "brave"',
            "and the API key from `env:BRAVE_API_KEY` go to https://api.search.brave.com, "
            "encrypted",
        ),
        (
            'with = "tavily"\napi_key = "file:/run/key"',
            "and the API key from `file:/run/key` go to https://api.tavily.com, encrypted",
        ),
        (
            'with = "searxng"\napi_base = "http://127.0.0.1:8080"',
            "go to http://127.0.0.1:8080, on this machine",
        ),
        (
            'with = "searxng"\napi_base = "http://10.0.0.1:8080"',
            "go to http://10.0.0.1:8080, NOT ENCRYPTED: the network can read them",
        ),
    ],
)
def test_a_search_engine_gets_the_words_to_search_for_and_no_conversation(
    search: str, said: str
) -> None:
    assert told(f"{SLOT}[search]\n{search}\n")[-1] == (
        f"web searches of slots: the words to search for {said}"
    )


@pytest.mark.parametrize("name", ["claude", "none"])
def test_without_an_engine_nobody_else_is_told_what_is_searched_for(name: str) -> None:
    assert told(f'{SLOT}[search]\nwith = "{name}"\n') == told(SLOT)
