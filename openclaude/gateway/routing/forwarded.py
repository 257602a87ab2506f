"""Which headers of a request go on to the next server, and what LiteLLM sees of its body.

Knows: the headers of a connection, and what LiteLLM does with headers and bodies. Independent of:
where a request goes. Pure.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from openclaude.gateway.http.asgi import Headers, Scope
from openclaude.gateway.requests.shape import write_object

# These belong to one connection, not to the request (RFC 9110, 7.6.1; RFC 9112, 6.1). A
# Transfer-Encoding next to a Content-Length makes some servers read one request as two.
HOP_BY_HOP = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization"),
        *(b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)
# The body that LiteLLM is shown for a request it passes through: it interprets keys of its own in a
# body (`api_base`, `timeout`, `num_retries`: a 500, measured), and it need not parse what it does
# not use.
FOR_LITELLM = ("model", "stream")
# without it, whoever knows the ids of an account could recognise it by what stands for them
SALT = secrets.token_bytes(16)
PASSED = b"x-pass-"  # a prefix that LiteLLM removes before it sends a header on


def end_to_end(headers: Headers) -> Headers:
    """Return the headers without those of the connection, in the form that LiteLLM forwards."""
    return [pair for pair in headers if pair[0].removeprefix(PASSED) not in HOP_BY_HOP]


def joined(headers: Headers) -> Headers:
    """Join repeated headers into one line each: LiteLLM keeps only the first of a repeated name."""
    values: dict[bytes, bytes] = {}
    for name, value in headers:
        values[name] = values[name] + b", " + value if name in values else value
    return list(values.items())


def for_server(model: str, document: Mapping[str, Any]) -> bytes:
    """Return the body for another machine: without the ids of account, device and session.

    In their place is a number that is the same for all of a session's requests: a server keeps a
    conversation at the region that has it in its cache.
    """
    sent = {**document, "model": model}
    sent.pop("metadata", None)
    metadata = document.get("metadata")
    ids = metadata.get("user_id") if isinstance(metadata, Mapping) else None
    if isinstance(ids, str):
        number = hashlib.sha256(SALT + ids.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        sent["metadata"] = {"user_id": number}
    return write_object(sent)


def passed_to(scope: Scope, to: str, headers: Headers, body: bytes, raw_body_key: str) -> Scope:
    """Return the scope of a request that LiteLLM passes through unchanged, to `to`.

    `raw_body_key`: the item of a request's state whose bytes LiteLLM sends upstream, in place of
    the body it parsed and re-serialised.
    """
    path = to + scope["path"]
    return {
        **scope,
        "path": path,
        "raw_path": path.encode(),
        "headers": headers,
        "state": {**scope.get("state", {}), raw_body_key: body},
    }


def shown_of(document: Mapping[str, Any]) -> bytes:
    """Return the body that LiteLLM sees of a request it passes through."""
    return write_object({key: document[key] for key in FOR_LITELLM if key in document})
