"""The way from main to the machine that serves its slots: verified TLS, and a person's key.

Knows: whom to trust, what a refusal means. Independent of: what is asked, where the key comes from,
LiteLLM. The key is put on a request in the last place before the socket, for this one address only:
neither LiteLLM nor anything else in main sees it, so nothing can log it or send it elsewhere.
"""

from __future__ import annotations

import ssl

import aiohttp
import httpx

from openclaude.contracts.anthropic_error import USER_MUST_FIX
from openclaude.gateway.errors.status import OWN
from openclaude.gateway.http.way_out import Fault, shown_address, untrusted_certificate
from openclaude.gateway.litellm.way_out import (
    SendRequest,
    answer_fault,
    answer_in_place,
    take_own_way,
)
from openclaude.gateway.team.key import KeyUnavailable, ServerKey
from openclaude.gateway.team.trust import TRUST, trusted_by

KEY_HEADER = "x-litellm-api-key"
REFUSED = 401


def ask_server(url: str, authority: str, key: ServerKey) -> None:
    """Give every request to `url` the key, and verify who answers; once per process."""
    contexts: list[ssl.SSLContext] = []

    def context() -> ssl.SSLContext:
        if not contexts:
            contexts.append(trusted_by(authority))
        return contexts[0]

    async def ask(request: httpx.Request, send: SendRequest, using: str) -> httpx.Response:
        request.headers[KEY_HEADER] = f"Bearer {using}"
        try:
            return await send(request)
        finally:
            del request.headers[KEY_HEADER]

    async def with_key(request: httpx.Request, send: SendRequest) -> httpx.Response:
        try:
            context()
            using = await key.current()
            response = await ask(request, send, using)
            if is_refused(response):
                await response.aclose()  # now: there may be no other key
                if (fresh := await key.renewed(using)) != using:
                    response = await ask(request, send, fresh)
        except KeyUnavailable as error:
            return answer_in_place(USER_MUST_FIX, str(error), request)
        except httpx.RequestError as error:
            if fault := untrusted_server(error, request.url):
                return answer_fault(fault, request, is_providers=False)
            raise
        except OSError as error:
            why = f"`providers.ca` cannot be used ({authority}): {error.strerror or error}"
            return answer_in_place(USER_MUST_FIX, why, request)
        if is_refused(response):
            await response.aclose()
            return answer_in_place(USER_MUST_FIX, refusal_of(url, key.reference), request)
        return response

    take_own_way(url, context, with_key)


def is_refused(response: httpx.Response) -> bool:
    """Whether the server itself has refused the key; a provider behind it may refuse its own."""
    name, value = (part.decode() for part in OWN)
    return response.status_code == REFUSED and response.headers.get(name) != value


def refusal_of(url: str, reference: str) -> str:
    """The sentence for a key that is not accepted."""
    return (
        f"`{url}` does not accept your key from `{reference}`; put a valid one there, or ask "
        "whoever runs it"
    )


def untrusted_server(error: httpx.RequestError, url: httpx.URL) -> Fault | None:
    """Why the certificate was not accepted; None for another failure."""
    cause = error.__cause__
    if not isinstance(cause, aiohttp.ClientConnectorCertificateError):
        return None
    return Fault(
        shown_address(url.host, url.port), untrusted_certificate(cause.certificate_error, TRUST)
    )
