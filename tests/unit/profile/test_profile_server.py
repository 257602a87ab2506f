"""`[providers]`: which keys a server needs, and which have no effect with one."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest
from pydantic_core import PydanticCustomError

from openclaude.models.catalog import Catalog
from openclaude.profile.library import Library
from openclaude.profile.mistakes import ProfileMistakes
from openclaude.profile.validate.warnings import find_warnings
from openclaude.profile.values import check_server_url

URL = 'url = "https://models.example.internal"\n'
KEY = 'key = "env:TEAM_KEY"\n'
TIER = '[tiers.haiku]\nmodel = "bedrock/qwen.qwen3-next-80b-a3b"\n'


def said(folder: Path, text: str) -> list[str]:
    """Return the mistakes of a profile, without place."""
    path = folder / "x.toml"
    path.write_text(f"schema = 1\n{text}")
    try:
        Library(folder, folder).load("x", env={})
    except ProfileMistakes as error:
        return [str(one).partition(": ")[2] for one in error.mistakes]
    return []


def test_a_model_at_a_server_needs_no_aws(tmp_path: Path) -> None:
    assert said(tmp_path, f"{TIER}[providers]\n{URL}{KEY}") == []
    assert said(tmp_path, TIER) != []


def test_a_provider_that_needs_an_address_needs_none_at_a_server(tmp_path: Path) -> None:
    tier = '[tiers.haiku]\nmodel = "hosted_vllm/m"\ncontext_window = 100000\n'
    tier += "max_output_tokens = 4000\n"

    assert said(tmp_path, f"{tier}[providers]\n{URL}{KEY}") == []
    assert said(tmp_path, tier) != []


@pytest.mark.parametrize(
    ("providers", "more", "message"),
    [
        (URL, "", "providers.key: is missing: the server asks for your own key"),
        (KEY, "", "providers.key: has no effect without `providers.url`"),
        ('ca = "/x.pem"\n', "", "providers.ca: has no effect without `providers.url`"),
        (URL + KEY + 'ca = "x.pem"\n', "", "providers.ca: must be an absolute path"),
        (
            'url = "http://127.0.0.1:9"\nca = "/x"\n' + KEY,
            "",
            "providers.ca: has no effect on an `http://` address",
        ),
        ('url = "http://models.example.internal"\n' + KEY, "", "providers.url: must be an https"),
        ('url = "https://a@models.example"\n' + KEY, "", "providers.url: must be an https"),
        ('url = "https://models.example/v1"\n' + KEY, "", "providers.url: must be an https"),
        (URL + 'key = "sk-secret"\n', "", "providers.key: must say where the secret is"),
        (
            URL + KEY,
            '[anthropic]\non_limit = "bedrock/qwen.qwen3-next-80b-a3b"\n',
            "anthropic.on_limit: needs providers on this machine",
        ),
        (URL + KEY, '[search]\nwith = "brave"\n', "search.with: needs providers on this machine"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, providers: str, more: str, message: str) -> None:
    tier = TIER if "url" in providers else ""
    found = said(tmp_path, f"{tier}[providers]\n{providers}{more}")

    assert len(found) == 1, found
    assert found[0].startswith(message)


def test_the_address_in_the_hint_is_one_that_a_server_answers() -> None:
    with pytest.raises(PydanticCustomError) as refused:
        check_server_url("models.example.internal")

    hint = str((refused.value.context or {})["hint"])
    shown = re.findall(r"`([^`]+)`", hint)
    assert len(shown) == 2
    assert all(check_server_url(one).startswith("https://") for one in shown)  # TLS alone


@pytest.mark.parametrize(
    "key",
    [
        'region = "us-west-2"',
        'regions = ["us-west-2"]',
        'fallbacks = ["ollama_chat/qwen3"]',
        "vision = true",
        "thinking = false",
        "params = { temperature = 0.1 }",
    ],
)
def test_what_the_server_decides_is_refused_here(tmp_path: Path, key: str) -> None:
    found = said(tmp_path, f"{TIER}{key}\n[providers]\n{URL}{KEY}")

    assert [one for one in found if "has no effect with `providers.url`" in one], found


def test_who_describes_images_cannot_be_named_with_a_server(tmp_path: Path) -> None:
    found = said(
        tmp_path, f'{TIER}vision = "bedrock/amazon.nova-lite-v1:0"\n[providers]\n{URL}{KEY}'
    )

    (one,) = found
    assert one.startswith(
        "tiers.haiku.vision: cannot name a model with `providers.url`: a team's server describes "
        "no images"
    )
    assert "served there" not in one


def test_what_a_parent_says_of_aws_is_a_warning(tmp_path: Path) -> None:
    aws = '[aws]\nprofile = "p"\nregion = "us-west-2"\n'
    (tmp_path / "x.toml").write_text(f"schema = 1\n{TIER}{aws}[providers]\n{URL}{KEY}")
    loaded = Library(tmp_path, tmp_path).load("x", env={})

    found = find_warnings(loaded, Catalog.bundled(), datetime.date(2026, 11, 1))

    assert [str(one.location.key) for one in found if one.location] == [
        "('aws', 'profile')",
        "('aws', 'region')",
    ]
