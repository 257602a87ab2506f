"""Who listens on a port: an instance of a stack we know, or a stranger.

Knows: how to ask without giving anything away. Refuses to know: what follows from the answer.
The question is a number used once, the answer its HMAC with the stack's local key: a stranger
learns no key, and cannot have the answer from an earlier time.
"""

from __future__ import annotations

import hmac
import http.client
import os

TIMEOUT_S = 1.0


def is_ours(port: int, key: str) -> bool:
    """Whether the instance with the local key `key` answers on the loopback `port`."""
    nonce = os.urandom(32).hex()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        line.request("GET", "/openclaude/who", headers={"x-openclaude-nonce": nonce})
        said = line.getresponse().read(1000).decode("latin-1")
    except (OSError, http.client.HTTPException):
        return False  # nobody, or somebody who speaks another language
    finally:
        line.close()
    proof = hmac.new(key.encode(), f"openclaude {nonce}".encode(), "sha256").hexdigest()
    return hmac.compare_digest(said.encode("latin-1"), proof.encode())
