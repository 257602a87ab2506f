"""Every provider in a built-in profile, with a stand-in at the provider's own address.

Knows: addresses, which key each of them requires, which models a profile uses. Independent of: what
is requested. A server on the user's own machine has its usual port; all others are found by name,
through the internet of the tests.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from openclaude.compile.resolve import Deployment, Resolution, resolve
from openclaude.models.catalog import Catalog
from openclaude.paths import find_places
from openclaude.profile.library import Library
from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base.exchange import Recorded
from openclaude.standins.bedrock.rules import ModelRules
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockRecorded, BedrockStandin
from tests.conftest import NOWHERE
from tests.e2e.house import Canaries
from tests.e2e.internet import Internet
from tests.standins.gemini.standin import GeminiStandin
from tests.standins.judged import Judged
from tests.standins.ollama import OllamaStandin
from tests.standins.openai.standin import OpenAIStandin

REGION = "us-west-2"
LOCAL_PORT = 8000
OLLAMA_PORT = 11434
NO_KEY = "none"  # the key for a server of the user's own if the profile names none
CACHING = ("anthropic.claude", "amazon.nova")  # the families that accept a cachePoint

Provider = BedrockStandin | OpenAIStandin | GeminiStandin | OllamaStandin
Request = BedrockRecorded | Judged


class Keys(NamedTuple):
    """The keys of this run; each is valid at one provider only."""

    anthropic: str
    openai: str
    openrouter: str
    gemini: str

    def environment(self) -> dict[str, str]:
        """Return the variables in which the built-in profiles expect them."""
        return {f"{name.upper()}_API_KEY": key for name, key in self._asdict().items()}


class Everybody(NamedTuple):
    """All of the stand-ins, running."""

    keys: Keys
    anthropic: AnthropicStandin
    providers: Mapping[str, Provider]  # by the name a profile has for them
    internet: Internet

    def environment(self) -> dict[str, str]:
        """Return the environment of a user with a key for every provider."""
        return {**self.keys.environment(), **self.internet.environment()}

    def clear(self) -> None:
        """Forget all requests."""
        for standin in (self.anthropic, *self.providers.values(), self.internet):
            standin.clear()

    def asked_with(self, text: str) -> dict[str, list[Request]]:
        """Return the requests that contain a text, for each provider that has one."""
        found = {
            name: [request for request in standin.requests if text.encode() in request.body]
            for name, standin in self.providers.items()
        }
        return {name: requests for name, requests in found.items() if requests}

    def requests(self) -> list[Recorded]:
        """Return every request to anything but Anthropic."""
        return [request for standin in self.providers.values() for request in standin.requests]


def make_keys() -> Keys:
    """Keys in the shape of real ones."""
    return Keys(
        anthropic=f"sk-ant-api03-CANARY-{secrets.token_hex(20)}",
        openai=f"sk-proj-CANARY-{secrets.token_hex(20)}",
        openrouter=f"sk-or-v1-CANARY-{secrets.token_hex(20)}",
        gemini=f"AIzaCANARY{secrets.token_hex(16)}",
    )


@contextmanager
def everybody(
    canaries: Canaries, resolutions: Mapping[str, Resolution], folder: Path
) -> Iterator[Everybody]:
    """Start all of them, with the models that these profiles use."""
    models = {name: rules_for(name, resolutions) for name in ("bedrock", "openai", "gemini")}
    models |= {name: rules_for(name, resolutions) for name in ("openrouter", "ollama", "local")}
    keys = make_keys()
    aws = {canaries.aws_id: Secret(canaries.aws_secret)}
    logins = frozenset({canaries.oauth, keys.anthropic})
    with ExitStack() as stack:
        anthropic = stack.enter_context(AnthropicStandin(credentials=logins))
        made: dict[str, Provider] = {
            "bedrock": BedrockStandin(
                credentials=aws,
                region=REGION,
                models=models["bedrock"],
                uncounted=frozenset({"anthropic.claude-opus-5-5"}),
            ),
            "openai": OpenAIStandin(key=keys.openai, models=models["openai"]),
            "openrouter": OpenAIStandin(key=keys.openrouter, models=models["openrouter"]),
            "gemini": GeminiStandin(key=keys.gemini, models=models["gemini"]),
            "ollama": OllamaStandin(port=OLLAMA_PORT, models=models["ollama"]),
            "local": OpenAIStandin(port=LOCAL_PORT, key=NO_KEY, models=models["local"]),
        }
        for standin in made.values():
            stack.enter_context(standin)
        hosts = {
            "api.anthropic.com": anthropic.port,
            f"bedrock-runtime.{REGION}.amazonaws.com": made["bedrock"].port,
            f"bedrock-mantle.{REGION}.api.aws": made["bedrock"].port,
            "api.openai.com": made["openai"].port,
            "openrouter.ai": made["openrouter"].port,
            "generativelanguage.googleapis.com": made["gemini"].port,
        }
        internet = stack.enter_context(Internet(hosts, folder))
        yield Everybody(keys, anthropic, made, internet)


def resolve_shipped() -> dict[str, Resolution]:
    """Resolve every built-in profile, by its name, so that none is forgotten."""
    places = find_places({"HOME": NOWHERE})
    catalog = Catalog.bundled()
    library = Library(places.profiles, places.shipped, catalog=catalog)
    return {
        name: resolve(name, library.load(name, env={}).profile, catalog.find)
        for name in library.names()
    }


def rules_for(name: str, resolutions: Mapping[str, Resolution]) -> dict[str, ModelRules]:
    """Return the capabilities of the models that the profiles use at one provider."""
    return {
        model_of(one): ModelRules(
            max_output_tokens=one.max_output_tokens,
            vision=one.vision,
            caching=any(family in one.model for family in CACHING),
        )
        for resolution in resolutions.values()
        for one in resolution.deployments
        if standin_of(one) == name
    }


def standin_of(one: Deployment) -> str:
    """Return the stand-in for the provider of a deployment; "" if no server is needed."""
    if "mock_response" in one.params:
        return ""
    return "local" if one.api_base.startswith("http://127.0.0.1:8000") else one.provider


def model_of(one: Deployment) -> str:
    """Return the provider's own name for a model."""
    return one.model.partition("/")[2]
