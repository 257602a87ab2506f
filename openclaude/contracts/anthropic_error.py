"""An error in the form of Anthropic's API, the one that every answer of ours has.

Knows: which type belongs to which status, the JSON document, the headers. Independent of: what
went wrong, who sends it. Imports nothing but the standard library: the supervisor sends some too.

The statuses are chosen for what Claude Code 2.1.330 does with them (measured): 424 is asked once
and its message is shown as it is, so it is the one for what the user has to fix; 401 makes claude
rotate the plan's login, 403 reads "Failed to authenticate", 404 and 413 hide the message; 408, 429
and 5xx are sent again after a while, `retry-after` honoured.
"""

from __future__ import annotations

import json
from typing import NamedTuple

USER_MUST_FIX = 424
# Anthropic's API documentation, "Errors": these, and for any other 4xx an invalid_request_error
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
# The other way round, for an error inside a stream, which carries no status
STATUSES = {kind: status for status, kind in TYPES.items()}


class AnthropicError(NamedTuple):
    """An error reply: its status, the message claude shows, and when to ask again, if told."""

    status: int
    message: str
    retry_after: str | None = None  # seconds, or an HTTP date

    @property
    def type(self) -> str:
        """Anthropic's name for this status."""
        return error_type(self.status)

    def document(self) -> dict[str, object]:
        """The JSON document: a reply's body, or the data of an `error` event."""
        return {"type": "error", "error": {"type": self.type, "message": self.message}}

    def body(self) -> bytes:
        """The document as the body of a reply."""
        return json.dumps(self.document()).encode()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of a reply with that body."""
        length = b"%d" % len(self.body())
        fixed = [(b"content-type", b"application/json"), (b"content-length", length)]
        if self.retry_after is None:
            return fixed
        return [*fixed, (b"retry-after", self.retry_after.encode("latin-1"))]


def error_type(status: int) -> str:
    """Anthropic's name for an error of this status."""
    return TYPES.get(status) or ("invalid_request_error" if status < 500 else "api_error")


def status_of(kind: str) -> int:
    """The status of an error that only its type is known of."""
    return STATUSES.get(kind, 500)
