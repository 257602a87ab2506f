"""Which headers of a request go on to the next server, and in which form.

Knows: the headers of a connection, and what LiteLLM does with headers. Independent of: where a
request goes. Pure.
"""

from __future__ import annotations

from openclaude.gateway.http.asgi import Headers

# These belong to one connection, not to the request (RFC 9110, 7.6.1; RFC 9112, 6.1). A
# Transfer-Encoding next to a Content-Length makes some servers read one request as two.
HOP_BY_HOP = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization"),
        *(b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)
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
