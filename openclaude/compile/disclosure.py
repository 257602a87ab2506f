"""Disclosure: who receives which text and which credential, model by model.

Knows: where each model of a resolution is, what it is given. Independent of: how it is shown.
Pure. A conversation is all that claude sends to a model: prompts, files that it read, results of
tools.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from openclaude.compile.litellm_configs import API_KEY, anthropic_key
from openclaude.compile.resolve import MOCKED, Deployment, Resolution, resolve
from openclaude.compile.search import WebSearch
from openclaude.compile.secret_variables import LITELLM_VARIABLE
from openclaude.contracts.references import BEDROCK
from openclaude.models.catalog import Catalog
from openclaude.profile.read.loaded import Loaded
from openclaude.profile.values import is_on_this_machine
from openclaude.providers.table import find_provider

CONVERSATIONS = "conversations"
NONE = "none"  # `anthropic.auth` without a Claude account


class Disclosure(NamedTuple):
    """What one recipient gets."""

    asked_for: str  # the tiers, and in which case
    model: str  # as in the profile; "" for Claude
    recipient: str  # a company, or an address of the profile
    credential: str  # what is sent or used, never a secret itself; "" for none
    is_encrypted: bool
    is_local: bool  # does not leave this machine
    what: str = CONVERSATIONS  # that it gets

    @property
    def sentence(self) -> str:
        """All of it, for people."""
        if not self.recipient:
            return f"{self.asked_for}: LiteLLM itself answers; nothing is sent to a provider"
        what = f"{self.what} and {self.credential}" if self.credential else self.what
        model = f" (`{self.model}`)" if self.model else ""
        return f"{self.asked_for}: {what} go to {self.recipient}{model}, {self.transport}"

    @property
    def transport(self) -> str:
        """Who can read it on its way."""
        if self.is_local:
            return "on this machine"
        return "encrypted" if self.is_encrypted else "NOT ENCRYPTED: the network can read them"


def disclose_profile(loaded: Loaded, catalog: Catalog) -> tuple[Disclosure, ...]:
    """Every recipient of a valid profile."""
    return tuple(disclose(resolve(loaded.name, loaded.profile, catalog.find)))


def disclose(resolution: Resolution) -> Iterator[Disclosure]:
    """Anthropic first, then each model of the tiers, in the order in which it may be asked."""
    if resolution.profile.anthropic.auth != NONE:
        yield anthropic(resolution)
    for slot in resolution.slots:
        for before, deployment in zip((None, *slot.deployments), slot.deployments, strict=False):
            case = f", if `{before.model}` fails" if before else ""
            yield of_deployment(f"{slot.tier}{case}", deployment, resolution)
    for tier, eyes in resolution.eyes.items():
        yield of_deployment(f"images and PDFs of {tier}", eyes, resolution, what="the images")
    for tier, same in resolution.same_at_limit.items():
        yield of_deployment(f"{tier}, when your plan's limit is reached", same, resolution)
    if resolution.on_limit:
        who = "others of Claude's models" if resolution.same_at_limit else "Claude tiers"
        case = f"{who}, when your plan's limit is reached"
        yield of_deployment(case, resolution.on_limit, resolution)
    if resolution.over_budget:
        case = "slots, when a budget is used up"
        yield of_deployment(case, resolution.over_budget, resolution)
    yield from of_telemetry(resolution)
    if resolution.search:
        yield of_search(resolution.search, resolution)


def anthropic(resolution: Resolution) -> Disclosure:
    """What Anthropic gets, or who stands at `anthropic.base_url`."""
    settings = resolution.profile.anthropic
    is_key = settings.auth == API_KEY
    return Disclosure(
        asked_for=", ".join(resolution.claude_tiers) or "Claude models that you choose by id",
        model="",
        recipient=settings.base_url,
        credential=key_text(anthropic_key(resolution)) if is_key else "your Claude login",
        is_encrypted=not settings.base_url.startswith("http://"),
        is_local=is_on_this_machine(settings.base_url),
    )


def of_deployment(
    case: str, one: Deployment, resolution: Resolution, *, what: str = CONVERSATIONS
) -> Disclosure:
    """What a provider gets."""
    if resolution.server:
        return of_server(case, one, resolution)
    address = resolution.profile.aws.endpoint_url or "" if one.provider == BEDROCK else one.api_base
    return Disclosure(
        asked_for=case,
        model=one.model,
        recipient="" if MOCKED in one.params else address or company(one),
        credential=" and ".join(credentials(one, resolution)),
        is_encrypted=not address.startswith("http://"),
        is_local=is_on_this_machine(address),
        what=what,
    )


def of_server(case: str, one: Deployment, resolution: Resolution) -> Disclosure:
    """What the machine gets that serves a model, instead of its provider."""
    return Disclosure(
        asked_for=case,
        model=one.model,
        recipient=resolution.server,
        credential=f"your key from `{resolution.profile.providers.key}`",
        is_encrypted=not resolution.server.startswith("http://"),
        is_local=is_on_this_machine(resolution.server),
    )


def of_search(search: WebSearch, resolution: Resolution) -> Disclosure:
    """What a search engine gets: no conversation."""
    return Disclosure(
        asked_for="web searches of slots",
        model="",
        recipient=search.address,
        credential=key_text(str(resolution.secrets[search.api_key])) if search.api_key else "",
        is_encrypted=not search.address.startswith("http://"),
        is_local=is_on_this_machine(search.address),
        what="the words to search for",
    )


def of_telemetry(resolution: Resolution) -> Iterator[Disclosure]:
    """Who gets the figures of requests: no text of any, and no credential."""
    wanted = resolution.profile.telemetry
    port = f"your own programs that read http://127.0.0.1:{wanted.prometheus}/metrics"
    for recipient in (wanted.otlp, port if wanted.prometheus else None):
        if recipient:
            yield Disclosure(
                asked_for="every request",
                model="",
                recipient=recipient,
                credential="",
                is_encrypted=False,
                is_local=True,
                what="figures (model, tokens, dollars, times, session)",
            )


def company(one: Deployment) -> str:
    """Who is behind a provider's own address, which LiteLLM knows."""
    if one.provider == BEDROCK:
        return f"AWS Bedrock in {one.region}"
    title = find_provider(one.provider).title or f"the provider `{one.provider}`"
    return title.partition(";")[0]


def credentials(one: Deployment, resolution: Resolution) -> Iterator[str]:
    """What a provider's requests carry."""
    if one.provider == BEDROCK and not one.api_key:
        yield f"signatures of AWS profile `{resolution.profile.aws.profile}`"
    elif one.api_key:
        yield key_text(str(resolution.secrets[one.api_key]))
    elif find_provider(one.provider).inherits:
        yield "the credentials that its own library finds"
    for variable in secret_variables(one.params):
        yield f"the secret from `{resolution.secrets[variable]}`"


def key_text(reference: str) -> str:
    """How a sentence names an API key."""
    return f"the API key from `{reference}`"


def secret_variables(value: object) -> Iterator[str]:
    """The variables with secrets that `params` name."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from secret_variables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from secret_variables(inner)
    elif isinstance(value, str) and value.startswith(LITELLM_VARIABLE):
        yield value.removeprefix(LITELLM_VARIABLE)
