"""The entry point of `providers`: access control, then LiteLLM with the guard as its callback.

Knows: the two routes the hop uses, and that the hop's key is the only credential that may arrive.
Independent of: models, the guard's rules, how it was started.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openclaude.contracts.decode import Malformed
from openclaude.contracts.routing import SEARCH_VARIABLE
from openclaude.gateway.counting.answering import COUNT, ProviderCounts
from openclaude.gateway.counting.claude import CountsOfClaude
from openclaude.gateway.errors.status import saying_status
from openclaude.gateway.http.access import AccessControl
from openclaude.gateway.http.asgi import App, Headers, Receive, Scope, Send, without
from openclaude.gateway.litellm.accounting import account_for_callbacks
from openclaude.gateway.litellm.aws_credentials import keep_credentials, keep_endpoints
from openclaude.gateway.litellm.egress import keep_to_own_addresses
from openclaude.gateway.litellm.endpoint import Endpoints
from openclaude.gateway.litellm.resend import resend_lost
from openclaude.gateway.litellm.router import (
    count_tokens,
    deployments,
    fallbacks_of,
    has_own_address,
    search_web,
)
from openclaude.gateway.litellm.thoughts import (
    ask_for_encrypted,
    give_back_as_text,
    give_back_to_converse,
    keep_cache_marks,
)
from openclaude.gateway.litellm.transport import bound_searches, filter_replies
from openclaude.gateway.litellm.warmup_requests import warm_up_providers
from openclaude.gateway.litellm.way_out import take_the_way_out
from openclaude.gateway.replies.polite import Filters
from openclaude.gateway.requests.capabilities import declared_markup, slot_name
from openclaude.gateway.requests.formats import format_in_words
from openclaude.gateway.routing.fallbacks import Fallbacks
from openclaude.gateway.routing.formats import Formats
from openclaude.gateway.routing.search import MOST_HITS, TIMEOUT_S, Searches
from openclaude.providers.table import ApiDialect, find_provider

MESSAGES = frozenset({"/v1/messages"})
ROUTES = frozenset({("POST", path) for path in MESSAGES})
COUNTS = frozenset({("POST", COUNT)})  # of main; a person of another machine gets an estimate there
KEY_HEADERS = (b"authorization", b"x-api-key", b"x-litellm-api-key")
RESPONSES = ("openai", "azure")
STRANGE = "a credential that is not the local key reached the providers instance; it was not used"


def only_the_key(key: str) -> Callable[[Headers], str]:
    """Return a check that refuses a request with any credential but the local key.

    The plan's login must never arrive here. Nothing on the way sends it; if a later LiteLLM does,
    the request ends here instead of in a provider's log.
    """

    def check(headers: Headers) -> str:
        strange = any(
            not hmac.compare_digest(value.removeprefix(b"Bearer "), key.encode())
            for name, value in headers
            if name in KEY_HEADERS
        )
        return STRANGE if strange else ""

    return check


def one_key_only(app: App, key: str) -> App:
    """Pass the local key to an application in LiteLLM's own header, and no `authorization`.

    LiteLLM passes `authorization` on to a provider with Anthropic's API if it looks like a login
    (read in 1.108.14). The local key does not: without this, none of these headers reached any of
    seven kinds of provider (measured with 1.108.14). It is here so that this does not depend on
    what LiteLLM takes for a login.
    """
    own = (b"x-litellm-api-key", b"Bearer " + key.encode())

    async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = without(scope["headers"], frozenset(KEY_HEADERS) | {b"cookie"})
            scope = {**scope, "headers": [*headers, own]}
        await app(scope, receive, send)

    return pass_on


def markup_of(model_id: str) -> str:
    """Return the markup that the profile declares for a model, or ""."""
    return declared_markup(model_id, deployments())


def true_name(group: str) -> str:
    """Return the name of the model behind a group of LiteLLM's."""
    try:
        return slot_name(group, deployments()) or group
    except Malformed:  # which the guard has answered already
        return group


def has_text_only(provider: str) -> bool:
    """Tell whether a provider's API has thoughts as a text only; Responses has more than that."""
    return find_provider(provider).dialect is ApiDialect.OPENAI and provider not in RESPONSES


async def ask_engine(query: str, domains: Sequence[str]) -> Sequence[Any]:
    """Ask the profile's search engine."""
    found = await search_web(query, domains=domains, most=MOST_HITS, timeout_s=TIMEOUT_S)
    return list(found)


async def begin(endpoints: Endpoints) -> str:
    """Do what can be done once LiteLLM has read its config; the failure of the warm-up, or ""."""
    account_for_callbacks()
    return await warm_up_providers(endpoints)


def make_answering(env: Mapping[str, str]) -> App:
    """Build what answers a request that was let in, whatever let it in."""
    key = env["LITELLM_MASTER_KEY"]
    endpoints = Endpoints(key, begin)
    with_formats = Formats(saying_status(endpoints), format_in_words, paths=MESSAGES)
    answering: App = Fallbacks(with_formats, fallbacks_of, paths=MESSAGES, name=true_name)
    if engine := env.get(SEARCH_VARIABLE):
        answering = Searches(answering, ask_engine, engine=engine, paths=MESSAGES, name=true_name)
    return one_key_only(answering, key)


def make_app(env: Mapping[str, str]) -> AccessControl:
    """Build the application of `providers` from the environment variables of its unit."""
    key = env["LITELLM_MASTER_KEY"]
    counts = CountsOfClaude(deployments, count_tokens, has_own_address)
    return AccessControl(
        ProviderCounts(make_answering(env), counts),
        key=key,
        routes=ROUTES | COUNTS,
        key_headers=KEY_HEADERS,
        check=only_the_key(key),
    )


def prepare() -> None:
    """Change what LiteLLM and botocore do, before any of it is used; once per process."""
    keep_credentials()
    keep_endpoints()
    resend_lost(after_end=False)
    take_the_way_out(is_providers=True)
    keep_to_own_addresses()
    give_back_to_converse()
    give_back_as_text(has_text_only)
    ask_for_encrypted()
    keep_cache_marks()
    filter_replies(Filters(lambda: secrets.token_hex(6), markup_of))
    if os.environ.get(SEARCH_VARIABLE):
        bound_searches()


def app() -> AccessControl:
    """The factory that the instance calls once its environment is complete."""
    prepare()
    return make_app(os.environ)
