"""Every provider that a shipped profile names, played by a stand-in at the provider's own address.

Knows: who is where, which key each of them wants, which models a profile asks for. Refuses to
know: what is asked. A server on the user's own machine has its usual port; everybody else is found
by name, through the internet of the tests.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from openclaude.compile.resolve import Deployment, Resolution, resolve
from openclaude.places import find_places
from openclaude.profile.catalog import Catalog
from openclaude.profile.library import Library
from openclaude.standins.anthropic import AnthropicStandin
from openclaude.standins.bedrock import BedrockRecorded, BedrockStandin
from openclaude.standins.bedrock_rules import ModelRules
from openclaude.standins.exchange import Recorded
from openclaude.standins.gemini import GeminiStandin
from openclaude.standins.judged import Judged
from openclaude.standins.ollama import OllamaStandin
from openclaude.standins.openai import OpenAIStandin
from openclaude.standins.sigv4 import Secret
from tests.e2e.house import Canaries
from tests.e2e.internet import Internet

REGION = "us-west-2"
LOCAL_PORT = 8000
OLLAMA_PORT = 11434
NO_KEY = "none"  # what a server of the user's own gets where the profile names no key
CACHING = ("anthropic.claude", "amazon.nova")  # the families that take a cachePoint

Provider = BedrockStandin | OpenAIStandin | GeminiStandin | OllamaStandin
Request = BedrockRecorded | Judged


class Keys(NamedTuple):
    """The keys of this run; each is known to one provider only."""

    anthropic: str
    openai: str
    openrouter: str
    gemini: str

    def environment(self) -> dict[str, str]:
        """Where the shipped profiles expect them."""
        return {f"{name.upper()}_API_KEY": key for name, key in self._asdict().items()}


class Everybody(NamedTuple):
    """All of them, running."""

    keys: Keys
    anthropic: AnthropicStandin
    providers: Mapping[str, Provider]  # by the name a profile has for them
    internet: Internet

    def environment(self) -> dict[str, str]:
        """What a user has in the environment who has a key for everybody."""
        return {**self.keys.environment(), **self.internet.environment()}

    def clear(self) -> None:
        """Forget everything that was asked."""
        for standin in (self.anthropic, *self.providers.values(), self.internet):
            standin.clear()

    def asked_with(self, text: str) -> dict[str, list[Request]]:
        """The requests that hold a text, of each provider that has one."""
        found = {
            name: [request for request in standin.requests if text.encode() in request.body]
            for name, standin in self.providers.items()
        }
        return {name: requests for name, requests in found.items() if requests}

    def requests(self) -> list[Recorded]:
        """Everything that anybody but Anthropic was asked."""
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
    """Start them all, with the models that these profiles name."""
    models = {name: rules_for(name, resolutions) for name in ("bedrock", "openai", "gemini")}
    models |= {name: rules_for(name, resolutions) for name in ("openrouter", "ollama", "local")}
    keys = make_keys()
    aws = {canaries.aws_id: Secret(canaries.aws_secret)}
    logins = frozenset({canaries.oauth, keys.anthropic})
    with ExitStack() as stack:
        anthropic = stack.enter_context(AnthropicStandin(credentials=logins))
        made: dict[str, Provider] = {
            "bedrock": BedrockStandin(credentials=aws, region=REGION, models=models["bedrock"]),
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
            "api.openai.com": made["openai"].port,
            "openrouter.ai": made["openrouter"].port,
            "generativelanguage.googleapis.com": made["gemini"].port,
        }
        internet = stack.enter_context(Internet(hosts, folder))
        yield Everybody(keys, anthropic, made, internet)


def resolve_shipped() -> dict[str, Resolution]:
    """Every shipped profile, by its name: there is none that could be forgotten."""
    places = find_places({"HOME": "/nonexistent"})
    catalog = Catalog.bundled()
    library = Library(places.profiles, places.shipped, catalog=catalog)
    return {
        name: resolve(name, library.load(name, env={}).profile, catalog.find)
        for name in library.names()
    }


def rules_for(name: str, resolutions: Mapping[str, Resolution]) -> dict[str, ModelRules]:
    """What the models can do that the profiles ask of one provider."""
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
    """Who plays the provider of a deployment; "" for nobody, as nobody is asked."""
    if "mock_response" in one.params:
        return ""
    return "local" if one.api_base.startswith("http://127.0.0.1:8000") else one.provider


def model_of(one: Deployment) -> str:
    """A model as its provider calls it."""
    return one.model.partition("/")[2]
