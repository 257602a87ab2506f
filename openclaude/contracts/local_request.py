"""Whether an HTTP request can be claude's: named as loopback, and from no browser page.

Knows: three headers, and the one by which a launch says where it was started. Independent of: who
answers the request, and with what.
"""

from __future__ import annotations

from collections.abc import Iterable

HOSTS = frozenset({b"127.0.0.1", b"localhost"})
# a page in a browser sends Origin when it asks another origin with POST; with GET, as for an
# image, it sends where it comes from in relation to us
OF_A_BROWSER = frozenset({b"origin", b"sec-fetch-site"})
# The folder where claude was started, percent-encoded: for main's ledger, which keeps it to itself
FOLDER_HEADER = "x-openclaude-folder"


def is_local(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request with these headers (names in lower case) can be claude's.

    A rebound DNS name shows in Host.
    """
    hosts = []
    for name, value in headers:
        if name in OF_A_BROWSER:
            return False
        if name == b"host":
            hosts.append(value)
    return len(hosts) == 1 and without_port(hosts[0]) in HOSTS


def without_port(host: bytes) -> bytes:
    """A Host header's name."""
    name, colon, port = host.rpartition(b":")
    return name if colon and port.isdigit() else host
