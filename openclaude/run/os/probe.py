"""Who listens on a port: an instance of a known stack, or another program.

Knows: how to ask without revealing anything. Independent of: how the answer is used. The challenge
is a nonce, the response its HMAC with the stack's local key: another program neither learns the key
nor can replay a response.
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
        return False  # no listener, or one with another protocol
    finally:
        line.close()
    proof = hmac.new(key.encode(), f"openclaude {nonce}".encode(), "sha256").hexdigest()
    return hmac.compare_digest(said.encode("latin-1"), proof.encode())
